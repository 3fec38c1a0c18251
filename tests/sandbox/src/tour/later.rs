//! After finalizing: a change in Okta, and a departure.

use sandbox::{insightful::Account, journal::Entry};
use serde_json::json;

use super::cast::{Player, state};
use super::stage::NAME;
use super::writes::table;
use super::{Cast, Failure, Stage, ensure};

/// A person is renamed in Okta.
pub async fn rename(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Stay in step");
    let Player {
        user, name, employee, ..
    } = &cast.renamed;
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    let (family, new) = (format!("{last}-Winter"), format!("{name}-Winter"));
    screen.say(&format!(
        "{name} marries and is renamed to {new} in Okta. The operator syncs such changes every 15 minutes by default. \
         An annotation requests a sync immediately."
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
        format!("employee {employee} was not renamed")
    })?;
    ensure(account.employees.len() == count, || {
        "an employee was invited".to_owned()
    })?;
    screen.checked("the same employee has the new name, and nobody was invited again");
    Ok(())
}

/// A person departs.
pub async fn departure(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("A departure");
    let Player {
        user,
        object,
        name,
        employee,
    } = &cast.departed;
    screen.say(&format!(
        "{name} leaves the company and is deactivated in Okta. The operator acts on Okta's record of the person only. \
         It never deactivates anybody who is merely missing from a response."
    ));
    stage.okta.edit(|org| org.set_status(user, "DEPROVISIONED"));
    stage.sync().await?;
    let writes = shown_writes(stage);
    let path = format!("/api/v1/employee/deactivate/{employee}");
    ensure(writes.len() == 1 && writes[0].path == path, || {
        format!("a departure should be one write, {path}")
    })?;
    let columns = "custom-columns=PERSON:.status.person.name,OKTA:.status.person.status,STATE:.status.state,\
                   EMPLOYEE:.status.employee.id,DEACTIVATED:.status.employee.deactivated";
    terminal.show(&["get", "em", object, "-o", columns], 3).await?;
    let object = stage.match_of(user).await?;
    ensure(
        state(&object) == "Deactivated" && object["status"]["person"]["status"] == "DEPROVISIONED",
        || format!("the departed person's match is in state {}", state(&object)),
    )?;
    stage.sync().await?;
    let again = stage.insightful.journal().writes();
    ensure(again.is_empty(), || {
        "the employee was deactivated twice".to_owned()
    })?;
    screen.checked("deactivated once, because of Okta's record, and not again by the next sync");
    terminal.show(&["get", "oi", NAME], 3).await?;
    Ok(())
}

/// Shows the writes to Insightful since the last call, and clears the journal.
pub fn shown_writes(stage: &Stage) -> Vec<Entry> {
    let screen = stage.terminal.screen;
    let writes = stage.insightful.journal().writes();
    stage.insightful.journal().clear();
    let account: Account = stage.insightful.snapshot();
    screen.say("Writes to Insightful:");
    screen.output(&table(&writes, &account), 10);
    writes
}
