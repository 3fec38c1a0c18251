//! What waits, the decisions, and what would be written.

use serde_json::{Value, json};

use super::cast::{Confused, Player, state};
use super::stage::NAME;
use super::typed::words;
use super::writes::Preview;
use super::{Cast, Failure, Stage, ensure};

/// Shows what waits for a decision, and who plays which part.
pub async fn what_waits(stage: &mut Stage) -> Result<Cast, Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Review");
    screen.say(
        "Every person in scope has an EmployeeMatch. Most are beyond doubt: their state is Proposed. The people-ops \
         admin looks at the others.",
    );
    let matches = stage.matches().await?;
    let integration = stage.integration().await?;
    let total = integration["status"]["people"]["total"].as_u64();
    ensure(total == u64::try_from(matches.len()).ok(), || {
        format!("{} matches, and status.people.total is {total:?}", matches.len())
    })?;
    terminal.show(&["get", "em"], 8).await?;
    for wanted in ["Review", "Unmatched"] {
        let selector = format!("status.state={wanted}");
        let output = terminal
            .show(&["get", "em", "--field-selector", &selector], 10)
            .await?;
        let expected = matches.iter().filter(|object| state(object) == wanted).count();
        let listed = output.lines().count().saturating_sub(1);
        ensure(listed == expected && listed > 0, || {
            format!("{listed} rows, and {expected} matches are in state {wanted}")
        })?;
    }
    let cast = Cast::of(&stage.company, stage.is_acme, &matches)?;
    screen.say("The integration counts them all, and lists the teams that the groups stand for:");
    let teams = r#"jsonpath={range .status.teams[*]}{.name}: {.state}, {.members} members{"\n"}{end}"#;
    let teams = terminal.show(&["get", "oi", NAME, "-o", teams], 12).await?;
    ensure(
        teams.contains("Existing") && !teams.contains("OKTA_INSGRP_"),
        || format!("the teams are not as they should be:\n{teams}"),
    )?;
    terminal
        .show(&["get", "oi", NAME, "-o", "jsonpath={.status.people}"], 1)
        .await?;
    Ok(cast)
}

/// Decides about a few people, about one of them wrongly.
pub async fn decide(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Cast {
        matched,
        confused,
        created,
        ignored,
        ..
    } = cast;
    screen.chapter("Decide");
    screen.say(&format!(
        "Why does {} wait? The match says what speaks for and against.",
        matched.name
    ));
    let arguments = ["get", "em", &matched.object, "-o", "yaml"];
    let yaml = terminal.kubectl(&arguments).await?;
    screen.command(&words("kubectl", &arguments));
    screen.output(&excerpt(&yaml, "  proposal:"), 24);

    screen.say(&format!(
        "It is the same person. The admin decides so: {} is matched.",
        matched.name
    ));
    decision(
        stage,
        matched,
        json!({"decision": "Match", "employeeIds": [matched.employee]}),
        "Proposed",
    )
    .await?;
    if let Some(Confused { mistaken, overlooked }) = confused {
        screen.say(&format!(
            "{} waits too, and is to be matched with the employee that is proposed. But the id that is pasted is \
             from another line: it is the employee of {}. A mistake, and nobody notices.",
            mistaken.name, overlooked.name
        ));
        let wrong = json!({"decision": "Match", "employeeIds": [overlooked.employee]});
        decision(stage, mistaken, wrong, "Proposed").await?;
    }
    screen.say(&format!("{} is new in Insightful, and is invited.", created.name));
    decision(stage, created, json!({"decision": "Create"}), "Proposed").await?;
    screen.say(&format!(
        "{} is nobody's business here, and is left alone.",
        ignored.name
    ));
    decision(stage, ignored, json!({"decision": "Ignore"}), "Ignored").await?;
    let mistaken = confused.as_ref().map(|confused| &confused.mistaken);
    let decided = [matched, created, ignored].into_iter().chain(mistaken);
    let names: Vec<&str> = decided.map(|player| player.object.as_str()).collect();
    terminal
        .show(&[&["get", "em"][..], &names[..]].concat(), 5)
        .await?;
    screen.checked("each decision showed its effect without a new read of Okta");
    Ok(())
}

/// Decides about one person, and waits for the state that follows.
pub async fn decision(stage: &mut Stage, player: &Player, spec: Value, wanted: &str) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let reads = stage.okta.journal().entries().len();
    let patch = json!({"spec": spec}).to_string();
    terminal
        .show(&["patch", "em", &player.object, "--type=merge", "-p", &patch], 1)
        .await?;
    let what = format!("state {wanted} of {}", player.name);
    stage
        .wait_for_match(&player.user, &what, |object| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && state(object) == wanted
        })
        .await?;
    ensure(stage.okta.journal().entries().len() == reads, || {
        "a decision caused a new read of Okta".to_owned()
    })
}

/// Shows what the finish would write.
pub async fn preview(stage: &mut Stage, cast: &Cast) -> Result<Preview, Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Preview");
    screen.say(&format!("What would be written for {}?", cast.matched.name));
    let changes = r#"jsonpath={range .status.changes[*]}{.field}: {.from} -> {.to}{"\n"}{end}"#;
    terminal
        .show(&["get", "em", &cast.matched.object, "-o", changes], 8)
        .await?;
    screen.say("And for everybody?");
    let columns = "custom-columns=PERSON:.status.person.name,FIELDS:.status.changes[*].field,\
                   TO:.status.changes[*].to";
    terminal
        .show(
            &[
                "get",
                "em",
                "--field-selector",
                "status.state=Proposed",
                "-o",
                columns,
            ],
            12,
        )
        .await?;
    screen.say("The plan counts every write, and its hash stands for exactly these:");
    let arguments = ["get", "oi", NAME, "-o", "yaml"];
    // The decisions' last effect is in the matches first, then in the plan.
    let created = |integration: &Value| integration["status"]["plan"]["createEmployees"] == 1;
    let integration = stage.wait_for("a plan with the invitation", created).await?;
    let yaml = terminal.kubectl(&arguments).await?;
    screen.command(&words("kubectl", &arguments));
    screen.output(&excerpt(&yaml, "  plan:"), 12);
    let matches = stage.matches().await?;
    let preview = Preview::of(&integration, &matches);
    ensure(preview.writes() > 0, || "the plan is empty".to_owned())?;
    let before = stage.insightful.journal().writes().len();
    ensure(before == 0, || format!("{before} writes before the finish"))?;
    screen.checked("Insightful's journal: still nothing written");
    Ok(preview)
}

/// The block of a YAML document that begins with this line.
fn excerpt(yaml: &str, key: &str) -> String {
    let indentation = key.len() - key.trim_start().len();
    let mut block = format!("{}…\n", " ".repeat(indentation));
    let mut lines = yaml.lines().skip_while(|line| *line != key);
    block.extend(lines.next().map(|line| format!("{line}\n")));
    for line in lines {
        let depth = line.len() - line.trim_start().len();
        let is_item = line.trim_start().starts_with('-') && depth == indentation;
        if depth <= indentation && !is_item {
            break;
        }
        block.push_str(line);
        block.push('\n');
    }
    block
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_ends_where_the_block_ends() {
        let yaml = "status:\n  a: 1\n  plan:\n    x: 1\n    y:\n    - 2\n  z: 3\n";
        assert_eq!(
            excerpt(yaml, "  plan:"),
            "  …\n  plan:\n    x: 1\n    y:\n    - 2\n"
        );
    }
}
