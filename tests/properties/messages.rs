//! What messages claim is true, and whoever follows their advice harms nobody.

use okta_insightful_operator::{
    api::Decision,
    model::{EmployeeId, Person, PersonId, Snapshot, text},
    rules::{blocker::Blocker, resolve::Record},
};
use proptest::prelude::*;

use crate::{story::story, world::World};

/// What an admin does who follows a message about a person.
#[derive(Debug)]
struct Advice {
    /// In this order.
    decisions: Vec<(PersonId, Decision, Vec<EmployeeId>)>,
}

/// Returns the text between two parts of a message.
fn between<'a>(message: &'a str, start: &str, end: &[char]) -> Option<&'a str> {
    let rest = &message[message.find(start)? + start.len()..];
    Some(rest[..rest.find(end).unwrap_or(rest.len())].trim())
}

fn employee_ids(list: &str) -> Vec<EmployeeId> {
    let ids = list.split(", ").map(str::trim).filter(|id| !id.contains(' '));
    ids.map(EmployeeId::from).collect()
}

/// The person whose id is the first one named after this part of a message.
fn person_after(message: &str, start: &str) -> Option<PersonId> {
    let rest = &message[message.find(start)?..];
    Some(between(rest, "Okta user ", &[')', ' ', ',', ':', ';'])?.into())
}

/// All that a message says to do, each by itself.
fn advice(id: &PersonId, message: &str) -> Vec<Advice> {
    let mut all = Vec::new();
    let ends = [';', '(', ':'];
    let matched = |list: &str| employee_ids(list.trim_end_matches(", in this order"));
    // The person's own decision.
    for start in [
        "set spec.decision to Match with employeeIds ",
        "then this one to Match with employeeIds ",
    ] {
        let Some(list) = between(message, start, &ends) else {
            continue;
        };
        let list = list.split(", which it has").next().unwrap_or(list);
        let list = list.split(", and decide about").next().unwrap_or(list);
        let employees = matched(list);
        // "Match with employeeIds, which deactivates it": the admin chooses.
        if employees.is_empty() {
            continue;
        }
        let first = between(message, "first set spec.decision of the ", &[';']).unwrap_or_default();
        let first = first.split(" to Match with another").next().unwrap_or_default();
        let first = first
            .match_indices("Okta user ")
            .filter_map(|(at, start)| person_after(&first[at..], start));
        let first = first.map(|other| (other, Decision::Ignore, Vec::new()));
        let own = (id.clone(), Decision::Match, employees);
        all.push(Advice {
            decisions: first.chain([own]).collect(),
        });
    }
    // The decision about the person who has the record now.
    if let Some(list) = between(
        message,
        "of their EmployeeMatch to Match with employeeIds ",
        &ends,
    ) && let Some(to) = person_after(message, " of ")
    {
        let auto = message
            .contains("set spec.decision to Auto")
            .then(|| (id.clone(), Decision::Auto, vec![]));
        let fewer = between(message, "set spec.employeeIds to ", &ends)
            .and_then(|list| list.split(", and then").next())
            .map(|list| (id.clone(), Decision::Match, employee_ids(list)));
        let theirs = (to, Decision::Match, matched(list));
        all.push(Advice {
            decisions: auto.into_iter().chain(fewer).chain([theirs]).collect(),
        });
    }
    for (part, decision) in [
        ("set spec.decision to Create, which invites", Decision::Create),
        ("set spec.decision to Deactivate", Decision::Deactivate),
        ("set spec.decision to Ignore", Decision::Ignore),
    ] {
        if message.contains(part) {
            all.push(Advice {
                decisions: vec![(id.clone(), decision, Vec::new())],
            });
        }
    }
    all
}

fn follow(world: &World, advice: &Advice) -> World {
    let mut world = world.clone();
    for (id, decision, employees) in &advice.decisions {
        let record: &mut Record = world.records.entry(id.clone()).or_default();
        record.decision = *decision;
        record.employee_ids = employees.clone();
        record.rejected.retain(|rejected| !employees.contains(rejected));
    }
    world
}

/// Checks that a message names the people and the employees that exist as they are called, and nobody by the id alone
/// whose name is known.
fn names_are_right(message: &str, snapshot: &Snapshot) -> Result<(), TestCaseError> {
    for (at, _) in message.match_indices("Okta user ") {
        let id = between(&message[at..], "Okta user ", &[')', ' ', ',', ':', ';']).unwrap();
        let before = &message[..at];
        match snapshot.name_of(&id.into()) {
            Some(name) => prop_assert!(
                before.ends_with(&format!("{name} (")),
                "{id} is {name}: {message}"
            ),
            None => prop_assert!(!before.ends_with('('), "{id} has no name: {message}"),
        }
    }
    for (id, employee) in snapshot.employees() {
        let name = employee.name.trim();
        for (at, _) in message.match_indices(&format!(" ({id})")) {
            // A reason of the candidate with the same name says so instead.
            let is_named = message[..at].ends_with(&format!("employee {name}"));
            let is_copy = message.starts_with("a deactivated record of the same ");
            prop_assert!(is_named || is_copy, "{id} is {name}: {message}");
        }
        for end in [" ", ":", ",", ";"] {
            prop_assert!(
                !message.contains(&format!("employee {id}{end}")),
                "{id} is {name}: {message}"
            );
        }
    }
    Ok(())
}

/// Checks that nobody has the email or the name of a person of whom a doubt says so.
fn denial_is_true(person: &Person, snapshot: &Snapshot) -> Result<(), TestCaseError> {
    let has_email = |own: &String| {
        snapshot
            .employees()
            .values()
            .find(|e| text::is_same_email(&e.email, own))
    };
    let has_name = |own: &String| {
        snapshot
            .employees()
            .values()
            .find(|e| text::is_same_name_loosely(&e.name, own))
    };
    let email = person.work_email();
    prop_assert_eq!(email.as_ref().and_then(has_email), None, "{:?}", person);
    prop_assert_eq!(
        person.full_name().as_ref().and_then(has_name),
        None,
        "{:?}",
        person
    );
    Ok(())
}

/// The people whose claims on an employee conflict, and those whose employees are to exchange their emails.
fn in_conflict(world: &World) -> (Vec<PersonId>, Vec<PersonId>) {
    let assessment = world.assess();
    let waiting = |reason: &str| {
        let ids = assessment.resolved.keys();
        let is = |id: &&PersonId| assessment.blocker(id).map(Blocker::reason) == Some(reason);
        ids.filter(is).cloned().collect()
    };
    (waiting("EmployeeClaimedTwice"), waiting("EmailsExchanged"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn messages_are_true_and_their_advice_harms_nobody(story in story()) {
        let mut world = World::after(&story);
        // Nothing is written, but everything is shown.
        world.cycle(Some(0));
        let (snapshot, assessment) = (world.snapshot(), world.assess());
        let (conflicts, exchanges) = in_conflict(&world);
        for (id, status) in &world.statuses {
            let Some(resolved) = assessment.resolved.get(id) else { continue };
            let ready = &status.conditions[0];
            names_are_right(&ready.message, &snapshot)?;
            if let Some(proposal) = &status.proposal {
                for reason in proposal.reasons.iter().chain(proposal.candidates.iter().flat_map(|one| &one.reasons)) {
                    names_are_right(reason, &snapshot)?;
                }
                let shown = status.employee.as_ref().map(|employee| &employee.id);
                let of_shown = proposal.candidates.iter().find(|candidate| Some(&candidate.employee_id) == shown);
                prop_assert_eq!(proposal.confidence, of_shown.map(|candidate| candidate.confidence), "{}", id);
            }
            let doubts = resolved.proposal.iter().flat_map(|proposal| &proposal.doubts);
            if let Some(person) = snapshot.people().get(id)
                && doubts.into_iter().any(|doubt| doubt.contains("no employee has this email or name"))
            {
                denial_is_true(person, &snapshot)?;
            }
            let Some(blocker) = assessment.blocker(id) else { continue };
            for advice in advice(id, &blocker.message(&snapshot)) {
                let followed = follow(&world, &advice);
                let after = followed.assess();
                let why = format!("{advice:?} after {}", blocker.message(&snapshot));
                let (now_in_conflict, now_exchanged) = in_conflict(&followed);
                prop_assert!(now_in_conflict.iter().all(|one| conflicts.contains(one)), "{}", why);
                prop_assert!(now_exchanged.iter().all(|one| exchanges.contains(one)), "{}", why);
                for write in &after.plan.deactivations {
                    prop_assert_eq!(followed.reached(&write.person, &write.employee), None, "{}", why);
                }
                let (last, decision, _) = advice.decisions.last().unwrap();
                let reason = after.blocker(last).map_or("", Blocker::reason);
                prop_assert_ne!(reason, "EmployeeNotFound", "{}", why);
                if *decision == Decision::Create {
                    let impossible = ["EmailTaken", "NoEmail", "NoName", "DepartedWithoutEmployee"];
                    prop_assert!(!impossible.contains(&reason), "{}: {}", reason, why);
                }
            }
        }
    }
}
