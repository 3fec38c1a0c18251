//! For each call and round: a change that makes the operator send the call, and the
//! writes that it may cause.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, EmployeeMatchStatus, MatchState, conditions, match_name};
use sandbox::journal::Entry;
use serde_json::{Value, json};

use crate::{
    matrix::{Call, Fault, Phase, inapplicable},
    world::{NAME, World, open_guard},
};

/// People whose employees are in sync with Okta; one departs in each round.
const DEPARTING: [&str; 15] = [
    "amir.haddad",
    "beatrice.moreau",
    "chen.xiu",
    "daniel.okafor",
    "emma.lindqvist",
    "farid.rahimi",
    "hannah.weiss",
    "igor.petrov",
    "carla.rossi",
    "david.cohen",
    "elena.popescu",
    "frank.nowak",
    "gloria.mendes",
    "hugo.jansen",
    "imani.diallo",
];

/// The person who moves to another team in each round of the delta searches.
const MOVED: &str = "amir.haddad";

/// The spec of the integration. People without an employee are invited, so that an employee who is
/// missing from a response would be invited wrongly.
pub fn spec(call: Call, settings: &str) -> Value {
    let mut spec = open_guard();
    spec["matching"] = json!({ "unmatched": "Create" });
    spec["insightful"] = json!({ "newEmployees": { "sharedSettings": settings } });
    if call.is_delta_search() {
        // Only a periodic sync is a delta sync.
        spec["sync"] = json!({ "interval": "1s" });
    }
    spec
}

/// A bound team without members, for the reads of a team by id.
const TEAM: &str = "Newsroom";

/// Hides somebody from the lists of users who is the last in the list of a group's members, so that the DroppedPage
/// fault drops the record.
pub fn hide_a_member(world: &World) {
    let org = world.okta.snapshot();
    let group = org.group_id("Engineering");
    let last = org.members[&group].last().unwrap().clone();
    world.okta.configure(|settings| settings.hidden = [last].into());
}

/// Binds a group to a new team. Returns Insightful's list of teams from before.
pub async fn bind_a_team(world: &World) -> Value {
    let list = reqwest::Client::new()
        .get(format!("{}/team", world.insightful.url()))
        .bearer_auth(world.insightful.token())
        .send();
    let list = list.await.unwrap().json().await.unwrap();
    world
        .okta
        .edit(|org| org.add_group(&format!("OKTA_INSGRP_{TEAM}")));
    world.sync().await;
    let teams = world.insightful.snapshot().teams();
    assert!(teams.iter().any(|team| team["name"] == TEAM));
    list
}

/// Makes the change of a round. Returns the writes that it must cause; no others are allowed.
pub fn make_change(world: &World, call: Call, fault: Fault, round: usize) -> BTreeSet<String> {
    let account = world.insightful.snapshot();
    let jane = account.employee_id("jane.doe@acme.com");
    world
        .okta
        .edit(|org| org.rename_user("jane.doe", "Jane", &format!("Doe {round}")));
    let mut allowed = BTreeSet::from([format!("update {jane}")]);
    match call {
        Call::UpdateEmployee => {}
        Call::CreateTeam => {
            world.okta.edit(|org| {
                org.add_group(&format!("OKTA_INSGRP_Team {round}"));
            });
            allowed.insert(format!("create team Team {round}"));
        }
        Call::User | Call::Deactivate => {
            let handle = DEPARTING[round];
            world.okta.edit(|org| org.set_status(handle, "DEPROVISIONED"));
            let employee = account.employee_id(&format!("{handle}@acme.com"));
            allowed.insert(format!("deactivate {employee}"));
        }
        // Lists no longer have a person whom Okta deleted.
        Call::MissingUser => world.okta.edit(|org| {
            org.set_status(DEPARTING[round], "DEPROVISIONED");
            org.purge_user(DEPARTING[round]);
        }),
        // `unmatch` makes the decision.
        Call::Employee => {
            let mona = account.employee_id("mona.idris@acme.com");
            allowed.insert(format!("update {mona}"));
        }
        // When the list lacks the team, the operator reads it by id and creates it again only if
        // that read does not find it either.
        Call::Team if fault == Fault::NotFound => {
            world.insightful.edit(|account| account.delete_team(TEAM));
            allowed.insert(format!("create team {TEAM}"));
        }
        Call::Team => {}
        Call::ChangedUsers | Call::ChangedGroups => {
            let new = format!("new{round}");
            // The person moves back and forth; rounds that do not apply are skipped.
            let is_run = |fault: &&Fault| inapplicable(**fault, call, Phase::After).is_none();
            let earlier = Fault::ALL[..round].iter().filter(is_run).count();
            let (from, to) = if earlier.is_multiple_of(2) {
                ("Engineering", "Sales")
            } else {
                ("Sales", "Engineering")
            };
            // A truncated search shows only a part of this change; it must move or invite nobody wrongly.
            world.okta.edit(|org| {
                let id = org.add_user(&new, "Noa", "New");
                org.add_member("Sales", &id);
                org.remove_member(from, MOVED);
                org.add_member(to, MOVED);
            });
            allowed.insert(format!("invite {new}@acme.com"));
            let moved = account.employee_id(&format!("{MOVED}@acme.com"));
            allowed.insert(format!("update {moved}"));
        }
        _ => {
            // One person is new in both services, the other only in Okta.
            let (known, new) = (format!("known{round}"), format!("new{round}"));
            world.insightful.edit(|account| {
                account.add_employee("Kim Known", &format!("{known}@acme.com"), "Sales");
            });
            world.okta.edit(|org| {
                for (handle, first, last) in [(&known, "Kim", "Known"), (&new, "Noa", "New")] {
                    let id = org.add_user(handle, first, last);
                    org.add_member("Sales", &id);
                }
            });
            allowed.insert(format!("invite {new}@acme.com"));
        }
    }
    allowed
}

/// Unmatches a person if the call is a part of an unmatch.
pub async fn unmatch(world: &World, call: Call) {
    if call == Call::Employee {
        world.decide("mona.idris", json!({ "decision": "Ignore" })).await;
    }
}

/// Prepares the next round.
pub async fn clean_up(world: &World, call: Call, round: usize) {
    if call == Call::MissingUser {
        deactivate_by_decision(world, DEPARTING[round]).await;
    }
    if call == Call::Employee {
        world.decide("mona.idris", json!({ "decision": "Auto" })).await;
        world
            .wait_for_match("mona.idris", "matched again", |status| {
                status.state == Some(MatchState::Matched) && status.changes.is_empty()
            })
            .await;
    }
}

/// Waits until a person is known to be deleted in Okta, and deactivates the employee.
async fn deactivate_by_decision(world: &World, handle: &str) {
    // The org no longer knows the handle.
    let name = match_name(NAME, world.company.user(handle));
    let status = || async {
        let object = world.matches().await.remove(&name).unwrap();
        object.status.unwrap_or_default()
    };
    let is_known = |status: &EmployeeMatchStatus| {
        let ready = conditions::find(&status.conditions, conditions::READY);
        ready.is_some_and(|ready| ready.reason == "DeletedInOkta")
    };
    world
        .poll(&format!("{handle} deleted in Okta"), status, is_known)
        .await;
    let decision = Patch::Merge(json!({ "spec": { "decision": "Deactivate" } }));
    let api = world.api::<EmployeeMatch>();
    api.patch(&name, &PatchParams::default(), &decision)
        .await
        .unwrap();
    let is_deactivated = |status: &EmployeeMatchStatus| status.state == Some(MatchState::Deactivated);
    world
        .poll(&format!("{handle} deactivated"), status, is_deactivated)
        .await;
}

/// The number of attempts and of effects of each write.
pub fn write_counts(writes: &[Entry]) -> BTreeMap<String, (usize, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for entry in writes {
        let (attempts, effects) = counts.entry(write(entry)).or_default();
        *attempts += 1;
        *effects += usize::from(entry.effect);
    }
    counts
}

fn write(entry: &Entry) -> String {
    let body_field = |field: &str| {
        let body = entry.body.as_ref();
        body.and_then(|body| body[field].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let last = entry.path.rsplit('/').next().unwrap_or_default();
    match entry.method.as_str() {
        "POST" if last == "team" => format!("create team {}", body_field("name")),
        "POST" => format!("invite {}", body_field("email")),
        "PUT" => format!("update {last}"),
        _ => format!("deactivate {last}"),
    }
}
