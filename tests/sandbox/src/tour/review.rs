//! The people who need review, the decisions, and the preview of the plan.

use serde_json::Value;

use super::cast::{Confused, Player, state};
use super::stage::NAME;
use super::typed::words;
use super::writes::Preview;
use super::{Cast, Failure, Stage, ensure};

/// Shows who needs a decision, and chooses the people for the tour.
pub async fn needs_review(stage: &mut Stage) -> Result<Cast, Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Review");
    screen.say(
        "Every person in scope has an EmployeeMatch. Most matches are certain, and their state is Proposed. A \
         people-ops admin reviews the others.",
    );
    let matches = stage.matches().await?;
    let integration = stage.integration().await?;
    let total = integration["status"]["people"]["total"].as_u64();
    ensure(total == u64::try_from(matches.len()).ok(), || {
        format!("{} matches, but status.people.total is {total:?}", matches.len())
    })?;
    terminal.show(&["get", "em"], 8).await?;
    screen.say("kubectl insightful shows how the integration stands, and what to do next:");
    let status = terminal.insightful(&["status", NAME], 20).await?;
    ensure(status.contains("kubectl insightful review"), || {
        format!("the status names no next step:\n{status}")
    })?;
    screen.say(
        "Without --text, `kubectl insightful review` opens a page in the browser, on which 150 people are reviewed in \
         minutes. As a list:",
    );
    let listed = terminal.insightful(&["review", NAME, "--text"], 16).await?;
    let waiting = matches
        .iter()
        .filter(|object| ["Review", "Unmatched", "Conflict"].contains(&state(object)));
    let waiting = format!("{} people need a decision.", waiting.count());
    ensure(listed.contains(&waiting), || {
        format!("not {waiting:?}:\n{listed}")
    })?;
    for wanted in ["Review", "Unmatched"] {
        let selector = format!("status.state={wanted}");
        let output = terminal
            .show(&["get", "em", "--field-selector", &selector], 10)
            .await?;
        let expected = matches.iter().filter(|object| state(object) == wanted).count();
        let listed = output.lines().count().saturating_sub(1);
        ensure(listed == expected && listed > 0, || {
            format!("{listed} rows are listed, but {expected} matches are in state {wanted}")
        })?;
    }
    let cast = Cast::of(&stage.company, stage.is_acme, &matches)?;
    screen.say("The integration lists the teams of the Okta groups, and counts the people in each state:");
    let teams = r#"jsonpath={range .status.teams[*]}{.name}: {.state}, {.members} members{"\n"}{end}"#;
    let teams = terminal.show(&["get", "oi", NAME, "-o", teams], 12).await?;
    ensure(
        teams.contains("Existing") && !teams.contains("OKTA_INSGRP_"),
        || format!("unexpected teams:\n{teams}"),
    )?;
    terminal
        .show(&["get", "oi", NAME, "-o", "jsonpath={.status.people}"], 1)
        .await?;
    Ok(cast)
}

/// Makes a few decisions, one of them wrong.
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
        "Why does {} need review? The proposal lists the reasons for and against each candidate.",
        matched.name
    ));
    let arguments = ["get", "em", &matched.object, "-o", "yaml"];
    let yaml = terminal.kubectl(&arguments).await?;
    screen.command(&words("kubectl", &arguments));
    screen.output(&excerpt(&yaml, "  proposal:"), 24);

    screen.say(&format!(
        "It is the same person, so the admin matches {} with the proposed employee.",
        matched.name
    ));
    decision(stage, matched, &["match", &matched.employee], "Proposed").await?;
    if let Some(Confused { mistaken, overlooked }) = confused {
        screen.say(&format!(
            "{} needs review too. The admin intends to match the proposed employee, but pastes the id of another \
             one: the employee of {}. Nobody notices the mistake.",
            mistaken.name, overlooked.name
        ));
        let wrong = ["match", overlooked.employee.as_str(), "--yes"];
        decision(stage, mistaken, &wrong, "Proposed").await?;
    }
    screen.say(&format!(
        "{} has no employee in Insightful, so the admin decides to invite a new one.",
        created.name
    ));
    decision(stage, created, &["create"], "Proposed").await?;
    screen.say(&format!(
        "{} does not use Insightful. The admin decides to ignore them.",
        ignored.name
    ));
    decision(
        stage,
        ignored,
        &["ignore", "--note", "does not use Insightful"],
        "Ignored",
    )
    .await?;
    let mistaken = confused.as_ref().map(|confused| &confused.mistaken);
    let decided = [matched, created, ignored].into_iter().chain(mistaken);
    let names: Vec<&str> = decided.map(|player| player.object.as_str()).collect();
    terminal
        .show(&[&["get", "em"][..], &names[..]].concat(), 5)
        .await?;
    screen.checked("each decision took effect without another read of Okta");
    Ok(())
}

/// Makes a decision about a person, and waits until the match is in state `wanted`.
pub async fn decision(
    stage: &mut Stage,
    player: &Player,
    decided: &[&str],
    wanted: &str,
) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let reads = stage.okta.journal().entries().len();
    let arguments = [&["decide", player.user.as_str()], decided].concat();
    terminal.insightful(&arguments, 1).await?;
    let what = format!("state {wanted} of {}", player.name);
    stage
        .wait_for_match(&player.user, &what, |object| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && state(object) == wanted
        })
        .await?;
    ensure(stage.okta.journal().entries().len() == reads, || {
        "a decision caused another read of Okta".to_owned()
    })
}

/// Shows what will be written once the integration is finalized.
pub async fn preview(stage: &mut Stage, cast: &Cast) -> Result<Preview, Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Preview");
    screen.say(&format!("What would change for {}?", cast.matched.name));
    let changes = r#"jsonpath={range .status.changes[*]}{.field}: {.from} -> {.to}{"\n"}{end}"#;
    terminal
        .show(&["get", "em", &cast.matched.object, "-o", changes], 8)
        .await?;
    screen.say("The plan counts all writes. Its hash identifies exactly these writes:");
    let arguments = ["get", "oi", NAME, "-o", "yaml"];
    // The matches are updated before the plan.
    let created = |integration: &Value| integration["status"]["plan"]["createEmployees"] == 1;
    let integration = stage.wait_for("a plan with the invitation", created).await?;
    let yaml = terminal.kubectl(&arguments).await?;
    screen.command(&words("kubectl", &arguments));
    screen.output(&excerpt(&yaml, "  plan:"), 12);
    screen.say("What would change for everybody, deactivations first?");
    let plan = terminal.insightful(&["plan", NAME], 24).await?;
    let hash = integration["status"]["plan"]["hash"].as_str().unwrap_or_default();
    ensure(plan.contains(hash), || {
        format!("this is not the plan {hash}:\n{plan}")
    })?;
    let matches = stage.matches().await?;
    let preview = Preview::of(&integration, &matches);
    ensure(preview.writes() > 0, || "the plan is empty".to_owned())?;
    let before = stage.insightful.journal().writes().len();
    ensure(before == 0, || format!("{before} writes before finalizing"))?;
    screen.checked("Insightful's request log: still no writes");
    Ok(preview)
}

/// The block of a YAML document that begins with the line `key`.
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
    fn an_excerpt_ends_at_the_end_of_its_block() {
        let yaml = "status:\n  a: 1\n  plan:\n    x: 1\n    y:\n    - 2\n  z: 3\n";
        assert_eq!(
            excerpt(yaml, "  plan:"),
            "  …\n  plan:\n    x: 1\n    y:\n    - 2\n"
        );
    }
}
