//! A wrong match is found, unmatched, and replaced by the right one.

use serde_json::{Value, json};

use super::cast::{Confused, state};
use super::later::shown_writes;
use super::review::decision;
use super::stage::NAME;
use super::writes::Preview;
use super::{Failure, Stage, ensure};

/// The fields that can be read and therefore restored: the name in a match, and the name in Insightful's record.
const READABLE: [(&str, &str); 3] = [("name", "name"), ("email", "email"), ("team", "teamId")];

/// The wrong match is found, and its EmployeeMatch shows what was overwritten.
pub async fn wrong_match(stage: &mut Stage, confused: &Confused) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Confused { mistaken, overlooked } = confused;
    screen.chapter("A wrong match");
    screen.say(&format!(
        "{} notices that their work appears under the name of {} in Insightful. Who is matched with that employee?",
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
        || format!("employee {} is not matched wrongly: {now}", overlooked.employee),
    )?;
    screen.say(
        "Before each write, the operator recorded the values that it replaced, in the status of the match. A team is \
         recorded by its id. The former title is unknown, because Insightful's API does not return titles.",
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
                    "{name} was {} and is {}, but the before-image is {field}",
                    original[of_employee], now[of_employee]
                )
            },
        )?;
    }
    ensure(overwritten > 1, || {
        format!("only {overwritten} fields were overwritten")
    })?;
    screen.checked("the before-images hold the employee's former values, and the values that replaced them");
    Ok(())
}

/// The pair is unmatched: the restore is previewed, held by the guard, approved and applied.
pub async fn unmatch(stage: &mut Stage, confused: &Confused) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Confused { mistaken, overlooked } = confused;
    screen.say(&format!(
        "The admin unmatches the pair: this employee is not {} and must not be proposed again.",
        mistaken.name
    ));
    stage.insightful.journal().clear();
    let reject = ["decide", &mistaken.user, "reject", &overlooked.employee];
    terminal.insightful(&reject, 1).await?;
    let integration = stage
        .wait_for("the held plan", |integration| {
            let status = &integration["status"];
            status["phase"] == "Held" && status["plan"]["relinks"] == 1
        })
        .await?;
    screen.say(
        "The guard of this integration requires an approval to unmatch anybody (maxRelinks: 0). Which fields would \
         be restored, and which cannot be?",
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
        || format!("the match does not say which fields are restored and which are not: {message}"),
    )?;
    let preview = Preview::of(&integration, &stage.matches().await?);
    let early = stage.insightful.journal().writes().len();
    ensure(early == 0, || format!("{early} writes, though the plan is held"))?;
    screen.checked("the restore is previewed, and nothing was written yet");

    stage.wait_for_event(NAME, "PlanHeld").await?;
    screen.say("The admin approves exactly this plan.");
    let approve = ["approve", NAME, "--yes", "--plan", preview.hash()];
    terminal.insightful(&approve, 12).await?;
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
    screen.checked("the employee has the former name, email and team again");
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
                "the match does not name the fields that were not restored: {}",
                object["status"]["unmatched"]
            )
        },
    )?;
    screen.checked(
        "the match names the field that could not be restored: the title, which Insightful does not return",
    );
    Ok(())
}

/// Both people are matched with their own employees.
pub async fn right_matches(stage: &mut Stage, confused: &Confused) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    let Confused { mistaken, overlooked } = confused;
    screen.say(&format!(
        "Now the admin matches {} and {} with their own employees, which also corrects the title.",
        mistaken.name, overlooked.name
    ));
    let count = stage.insightful.snapshot().employees.len();
    for player in [mistaken, overlooked] {
        let matched = ["match", player.employee.as_str()];
        decision(stage, player, &matched, "Matched").await?;
    }
    let is_in_sync = |integration: &Value| {
        let status = &integration["status"];
        status["phase"] == "InSync" && status["plan"]["total"] == 0
    };
    stage.wait_for("phase InSync", is_in_sync).await?;
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
                    "employee {} is {now} with title {title:?}, but the person is {person}",
                    player.employee
                )
            },
        )?;
    }
    ensure(account.employees.len() == count, || {
        "an employee was invited".to_owned()
    })?;
    screen
        .checked("both people are matched with their own employees, with the right names, emails and titles");
    Ok(())
}

/// The wrongly matched employee before the first write.
fn original(stage: &Stage, confused: &Confused) -> Value {
    let wrong = confused.overlooked.employee.as_str();
    let mut employees = stage.company.employees.iter();
    employees
        .find(|record| record["id"] == wrong)
        .cloned()
        .unwrap_or_default()
}
