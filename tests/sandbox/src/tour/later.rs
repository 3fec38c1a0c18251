//! Life after the finish: changes in Okta, and a leaver.

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
pub fn shown_writes(stage: &Stage) -> Vec<Entry> {
    let screen = stage.terminal.screen;
    let writes = stage.insightful.journal().writes();
    stage.insightful.journal().clear();
    let account: Account = stage.insightful.snapshot();
    screen.say("Written to Insightful:");
    screen.output(&table(&writes, &account), 10);
    writes
}
