//! For each call and round, a change that makes the operator call, and the
//! only writes that may come of it.

use std::collections::{BTreeMap, BTreeSet};

use okta_insightful_operator::api::MatchState;
use sandbox::journal::Entry;
use serde_json::{Value, json};

use crate::{
    matrix::{Call, Fault, Phase, senseless},
    world::{World, open_guard},
};

/// People whose employee is in step with Okta; one leaves in each round.
const LEAVERS: [&str; 15] = [
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

/// Whose team is another in each round of the searches for what changed.
const MOVED: &str = "amir.haddad";

/// The spec of every company here: whoever has no employee is invited, so that
/// an employee who is missing from an answer would be invited wrongly.
pub fn spec(call: Call, settings: &str) -> Value {
    let mut spec = open_guard();
    spec["matching"] = json!({ "unmatched": "Create" });
    spec["insightful"] = json!({ "newEmployees": { "sharedSettings": settings } });
    if call.is_of_changes() {
        // Nothing but a cycle of the interval searches for what changed.
        spec["sync"] = json!({ "interval": "1s" });
    }
    spec
}

/// The team that is on record and that nobody is in, in the rounds of its read.
const TEAM: &str = "Newsroom";

/// Binds a group to a new team. Gives Insightful's list of teams without it.
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

/// Makes the change of a round. Gives the writes that may, and must, come of it.
pub fn make(world: &World, call: Call, fault: Fault, round: usize) -> BTreeSet<String> {
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
            let leaver = LEAVERS[round];
            world.okta.edit(|org| org.set_status(leaver, "DEPROVISIONED"));
            let employee = account.employee_id(&format!("{leaver}@acme.com"));
            allowed.insert(format!("deactivate {employee}"));
        }
        // The decision follows in `decide`.
        Call::Employee => {
            let mona = account.employee_id("mona.idris@acme.com");
            allowed.insert(format!("update {mona}"));
        }
        // A list that lacks the team has the operator look for it by its id; only
        // where that says so too is it made anew.
        Call::Team if fault == Fault::NotFound => {
            world.insightful.edit(|account| account.delete_team(TEAM));
            allowed.insert(format!("create team {TEAM}"));
        }
        Call::Team => {}
        Call::ChangedUsers | Call::ChangedGroups => {
            let new = format!("new{round}");
            // There and back, by the rounds that were run: some make no sense.
            let is_run = |fault: &&Fault| senseless(**fault, call, Phase::After).is_none();
            let earlier = Fault::ALL[..round].iter().filter(is_run).count();
            let (from, to) = if earlier.is_multiple_of(2) {
                ("Engineering", "Sales")
            } else {
                ("Sales", "Engineering")
            };
            // Half of it, as a search that was cut short shows it, moves nobody and invites nobody wrongly.
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
            // Somebody new here and there, and somebody new in Okta only.
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

/// Takes a match back where the call is a part of an undo.
pub async fn decide(world: &World, call: Call) {
    if call == Call::Employee {
        world.decide("mona.idris", json!({ "decision": "Ignore" })).await;
    }
}

/// Undoes what stands in the way of the next round.
pub async fn clean_up(world: &World, call: Call) {
    if call == Call::Employee {
        world.decide("mona.idris", json!({ "decision": "Auto" })).await;
        world
            .wait_for_match("mona.idris", "matched again", |status| {
                status.state == Some(MatchState::Matched) && status.changes.is_empty()
            })
            .await;
    }
}

/// How often each write was tried, and how often it took effect.
pub fn tried(writes: &[Entry]) -> BTreeMap<String, (usize, usize)> {
    let mut tried: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for entry in writes {
        let (tries, effects) = tried.entry(write(entry)).or_default();
        *tries += 1;
        *effects += usize::from(entry.effect);
    }
    tried
}

fn write(entry: &Entry) -> String {
    let of_body = |field: &str| {
        let body = entry.body.as_ref();
        body.and_then(|body| body[field].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let last = entry.path.rsplit('/').next().unwrap_or_default();
    match entry.method.as_str() {
        "POST" if last == "team" => format!("create team {}", of_body("name")),
        "POST" => format!("invite {}", of_body("email")),
        "PUT" => format!("update {last}"),
        _ => format!("deactivate {last}"),
    }
}
