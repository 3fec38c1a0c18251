//! A wrong match, from the complaint to the right one.

use serde_json::{Value, json};

use super::cast::{Confused, state};
use super::finish::approve;
use super::later::shown_writes;
use super::review::decision;
use super::stage::NAME;
use super::writes::Preview;
use super::{Failure, Stage, ensure};

/// What a match can overwrite and give back: the field, and the employee's field of it.
const READABLE: [(&str, &str); 3] = [("name", "name"), ("email", "email"), ("team", "teamId")];

/// Somebody finds out, and the match says what it overwrote.
pub async fn a_wrong_match(stage: &mut Stage, confused: &Confused) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Confused { mistaken, overlooked } = confused;
    screen.chapter("A wrong match");
    screen.say(&format!(
        "{} complains: in Insightful, their work stands under the name of {}. Whose match is that employee?",
        overlooked.name, mistaken.name
    ));
    let selector = format!("status.employee.id={}", overlooked.employee);
    terminal
        .show(&["get", "em", "--field-selector", &selector], 3)
        .await?;
    let object = stage.match_of(&mistaken.user).await?;
    let account = stage.insightful.snapshot();
    let now = &account.employees[&overlooked.employee];
    ensure(
        object["status"]["employee"]["id"] == overlooked.employee.as_str()
            && now["name"] == mistaken.name.as_str(),
        || format!("employee {} is not the wrong one: {now}", overlooked.employee),
    )?;
    screen.say(
        "Before each write the operator recorded what it replaced, in the match. The team stands there by its id; \
         what the title was is not known, since Insightful never shows it.",
    );
    let images = r#"jsonpath={range .status.applied.fields[*]}{.field}: {.before} -> {.after}{"\n"}{end}"#;
    terminal
        .show(&["get", "em", &mistaken.object, "-o", images], 8)
        .await?;
    let original = original(stage, confused);
    let mut overwritten = 0;
    for field in object["status"]["applied"]["fields"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let Some((name, of_employee)) = READABLE.iter().find(|(name, _)| field["field"] == *name) else {
            continue;
        };
        overwritten += 1;
        ensure(
            field["before"] == original[of_employee] && field["after"] == now[of_employee],
            || {
                format!(
                    "{name} was {}, is {}, and the record says {field}",
                    original[of_employee], now[of_employee]
                )
            },
        )?;
    }
    ensure(overwritten > 1, || {
        format!("{overwritten} fields are overwritten")
    })?;
    screen.checked("the record has what the employee held before the finish, and what was written instead");
    Ok(())
}

/// The match is taken back: previewed, held, approved, given back.
pub async fn its_undo(stage: &mut Stage, confused: &Confused) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Confused { mistaken, overlooked } = confused;
    screen.say(&format!(
        "The admin takes the match back: this employee is not {}, and is not to be proposed again.",
        mistaken.name
    ));
    stage.insightful.journal().clear();
    let patch = json!({"spec": {
        "decision": "Auto", "employeeIds": [], "rejectedEmployeeIds": [overlooked.employee],
    }});
    let patch = patch.to_string();
    terminal
        .show(
            &["patch", "em", &mistaken.object, "--type=merge", "-p", &patch],
            1,
        )
        .await?;
    let integration = stage
        .wait_for("the held plan", |integration| {
            let status = &integration["status"];
            status["phase"] == "Held" && status["plan"]["relinks"] == 1
        })
        .await?;
    screen.say(
        "The guard of this integration lets no match be taken back unseen (maxRelinks: 0). What would be given back, \
         and what cannot be?",
    );
    let changes = r#"jsonpath={range .status.changes[*]}{.field}: {.from} -> {.to}{"\n"}{end}"#;
    terminal
        .show(&["get", "em", &mistaken.object, "-o", changes], 8)
        .await?;
    let path = r#"jsonpath={.status.conditions[?(@.type=="Ready")].message}"#;
    let message = terminal
        .show_text(&["get", "em", &mistaken.object, "-o", path])
        .await?;
    ensure(
        message.contains("restores ")
            && message.contains("title is not restored: the former value is unknown"),
        || format!("the match does not say what is given back and what is not: {message}"),
    )?;
    let preview = Preview::of(&integration, &stage.matches().await?);
    let early = stage.insightful.journal().writes().len();
    ensure(early == 0, || format!("{early} writes of a plan that is held"))?;
    screen.checked("the undo is previewed, and nothing of it is written yet");

    screen.say("That is what the admin wants.");
    let path = r#"jsonpath={.status.conditions[?(@.type=="Held")].message}"#;
    let message = terminal.kubectl(&["get", "oi", NAME, "-o", path]).await?;
    approve(stage, &message).await?;
    stage
        .wait_for_match(&mistaken.user, "the end of the match", |object| {
            object["status"]["applied"].is_null() && ["Review", "Unmatched"].contains(&state(object))
        })
        .await?;
    stage.wait_for_event(&mistaken.object, "Unmatched").await?;
    let writes = shown_writes(stage);
    let account = stage.insightful.snapshot();
    preview.must_equal(&writes, &account)?;
    let (now, original) = (
        &account.employees[&overlooked.employee],
        original(stage, confused),
    );
    for (name, of_employee) in READABLE {
        ensure(now[of_employee] == original[of_employee], || {
            format!(
                "{name} of employee {} is {} and was {}",
                overlooked.employee, now[of_employee], original[of_employee]
            )
        })?;
    }
    screen.checked("name, email and team of the employee are what they were before the finish");
    let notes = r#"jsonpath={range .items[*]}{.reason}: {.message}{"\n"}{end}"#;
    let object = format!("employeematch/{}", mistaken.object);
    terminal
        .show_text(&["events", "--for", &object, "-o", notes])
        .await?;
    let object = stage.match_of(&mistaken.user).await?;
    let not_restored = json!([{"field": "title", "reason": "the former value is unknown"}]);
    ensure(
        object["status"]["unmatched"]["notRestored"] == not_restored,
        || {
            format!(
                "what is not given back is not said: {}",
                object["status"]["unmatched"]
            )
        },
    )?;
    screen.checked("what cannot be given back is said: the title, which Insightful never shows");
    Ok(())
}

/// Both are matched with their own employees.
pub async fn the_right_ones(stage: &mut Stage, confused: &Confused) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Confused { mistaken, overlooked } = confused;
    screen.say(&format!(
        "Now {} is matched with the right employee, and {} with their own, who gets the right title by that.",
        mistaken.name, overlooked.name
    ));
    let count = stage.insightful.snapshot().employees.len();
    for player in [mistaken, overlooked] {
        let spec = json!({"decision": "Match", "employeeIds": [player.employee]});
        decision(stage, player, spec, "Matched").await?;
    }
    let is_in_step = |integration: &Value| {
        let status = &integration["status"];
        status["phase"] == "InSync" && status["plan"]["total"] == 0
    };
    stage.wait_for("the end of both plans", is_in_step).await?;
    shown_writes(stage);
    let account = stage.insightful.snapshot();
    for player in [mistaken, overlooked] {
        let person = &stage.match_of(&player.user).await?["status"]["person"];
        let now = &account.employees[&player.employee];
        let title = account.titles.get(&player.employee).map(String::as_str);
        ensure(
            now["name"] == person["name"]
                && now["email"] == person["email"]
                && title == person["title"].as_str(),
            || {
                format!(
                    "employee {} is {now}, {title:?}, and the person {person}",
                    player.employee
                )
            },
        )?;
    }
    ensure(account.employees.len() == count, || {
        "somebody was invited".to_owned()
    })?;
    screen.checked("each of the two has their own employee, with the right name, email and title");
    Ok(())
}

/// The wrong employee as they were before the finish.
fn original(stage: &Stage, confused: &Confused) -> Value {
    let wrong = confused.overlooked.employee.as_str();
    let mut employees = stage.company.employees.iter();
    employees
        .find(|record| record["id"] == wrong)
        .cloned()
        .unwrap_or_default()
}
