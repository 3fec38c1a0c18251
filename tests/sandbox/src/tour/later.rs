//! Life after the finish: changes in Okta, a match that was wrong, a leaver.

use sandbox::{insightful::Account, journal::Entry};
use serde_json::json;

use super::cast::{Player, state};
use super::stage::NAME;
use super::writes::table;
use super::{Cast, Failure, Stage, ensure};

/// A person is renamed in Okta.
pub async fn a_rename(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Stay in step");
    let Player {
        user, name, employee, ..
    } = &cast.renamed;
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    let (family, new) = (format!("{last}-Winter"), format!("{name}-Winter"));
    screen.say(&format!(
        "{name} marries, and is {new} in Okta from now on. Every interval, 15 minutes by default, brings such changes \
         over; an annotation asks for it now."
    ));
    let count = stage.insightful.snapshot().employees.len();
    stage.okta.edit(|org| org.rename_user(user, first, &family));
    stage.sync().await?;
    let writes = shown_writes(stage);
    ensure(
        writes.len() == 1 && writes[0].body == Some(json!({"name": new})),
        || "a rename should be one write of one field".to_owned(),
    )?;
    let account = stage.insightful.snapshot();
    ensure(account.employees[employee]["name"] == new.as_str(), || {
        format!("employee {employee} is not renamed")
    })?;
    ensure(account.employees.len() == count, || {
        "somebody was invited".to_owned()
    })?;
    screen.checked("the same employee has the new name; nobody was invited a second time");
    Ok(())
}

/// A match turns out to be wrong, and is taken back.
pub async fn a_match_taken_back(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Take a match back");
    let Player {
        user,
        object,
        name,
        employee,
    } = &cast.matched;
    let original = stage
        .company
        .employees
        .iter()
        .find(|record| record["id"] == employee.as_str())
        .cloned()
        .unwrap_or_default();
    screen.say(&format!(
        "It was not the same person after all: {name} is not {}. Before each write the operator recorded what it \
         replaced, so that a match can be taken back.",
        original["name"].as_str().unwrap_or_default()
    ));
    let images = r#"jsonpath={range .status.applied.fields[*]}{.field}: {.before} -> {.after}{"\n"}{end}"#;
    terminal.show(&["get", "em", object, "-o", images], 8).await?;
    let patch = json!({"spec": {"decision": "Auto", "employeeIds": [], "rejectedEmployeeIds": [employee]}});
    terminal
        .show(
            &["patch", "em", object, "--type=merge", "-p", &patch.to_string()],
            1,
        )
        .await?;
    stage
        .wait_for_match(user, "the end of the match", |object| {
            object["status"]["applied"].is_null() && ["Review", "Unmatched"].contains(&state(object))
        })
        .await?;
    shown_writes(stage);
    let account = stage.insightful.snapshot();
    let now = &account.employees[employee];
    for field in ["name", "email", "teamId"] {
        ensure(now[field] == original[field], || {
            format!(
                "{field} of employee {employee} is {} and was {}",
                now[field], original[field]
            )
        })?;
    }
    screen.checked("name, email and team of the employee are what they were before the finish");
    stage.wait_for_event(object, "MatchTakenBack").await?;
    let notes = r#"jsonpath={range .items[*]}{.reason}: {.message}{"\n"}{end}"#;
    terminal
        .show_text(&["events", "--for", &format!("employeematch/{object}"), "-o", notes])
        .await?;
    Ok(())
}

/// A person leaves.
pub async fn a_leaver(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("A leaver");
    let Player {
        user,
        object,
        name,
        employee,
    } = &cast.leaver;
    screen.say(&format!(
        "{name} leaves, and is deactivated in Okta. Only a record that says so is evidence; a person who is missing \
         from an answer is never touched."
    ));
    stage.okta.edit(|org| org.set_status(user, "DEPROVISIONED"));
    stage.sync().await?;
    let writes = shown_writes(stage);
    let path = format!("/api/v1/employee/deactivate/{employee}");
    ensure(writes.len() == 1 && writes[0].path == path, || {
        format!("a leaver should be one write, {path}")
    })?;
    let columns = "custom-columns=PERSON:.status.person.name,OKTA:.status.person.status,STATE:.status.state,\
                   EMPLOYEE:.status.employee.id,OFF:.status.employee.deactivated";
    terminal.show(&["get", "em", object, "-o", columns], 3).await?;
    let object = stage.match_of(user).await?;
    ensure(
        state(&object) == "Deactivated" && object["status"]["person"]["status"] == "DEPROVISIONED",
        || format!("the leaver's match is in state {}", state(&object)),
    )?;
    stage.sync().await?;
    let again = stage.insightful.journal().writes();
    ensure(again.is_empty(), || "a leaver was deactivated twice".to_owned())?;
    screen.checked("deactivated once, with Okta's record as the evidence, and not again by the next sync");
    terminal.show(&["get", "oi", NAME], 3).await?;
    Ok(())
}

/// Shows what was written since the last time, and forgets it.
fn shown_writes(stage: &Stage) -> Vec<Entry> {
    let screen = stage.terminal.screen;
    let writes = stage.insightful.journal().writes();
    stage.insightful.journal().clear();
    let account: Account = stage.insightful.snapshot();
    screen.say("Written to Insightful:");
    screen.output(&table(&writes, &account), 10);
    writes
}
