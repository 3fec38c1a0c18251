//! Tables: a small company and a change to it, and what is said of a person.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;
use crate::{
    api::{Decision, Field, Pending, PendingOperation, conditions::find},
    model::OktaStatus,
    rules::example::Example,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What is said of Jane: the state, and Ready with its reason.
fn said(example: &Example, failure: Option<&WriteFailure>) -> (MatchState, &'static str, String) {
    let status = status_of_jane(example, failure, &EmployeeMatchStatus::default());
    let ready = find(&status.conditions, conditions::READY).unwrap();
    let is = if ready.status == "True" {
        "ready"
    } else {
        "not ready"
    };
    (status.state.unwrap(), is, ready.reason.clone())
}

fn status_of_jane(
    example: &Example,
    failure: Option<&WriteFailure>,
    previous: &EmployeeMatchStatus,
) -> EmployeeMatchStatus {
    let id = PersonId::from("jane");
    let record = example.records.get(&id).cloned().unwrap_or_default();
    let (snapshot, assessment) = (example.snapshot(), example.assess());
    match_status(
        &id,
        &snapshot,
        &example.spec,
        &assessment,
        &record,
        failure,
        &previous.into(),
        Some(1),
        NOW,
    )
}

#[test]
fn where_a_person_stands_and_whether_that_needs_somebody() {
    use MatchState::*;
    type Change = fn(&mut Example);
    let unlinked: Change = |e| e.records.clear();
    let cases: [(&str, Change, (MatchState, &str, &str)); 18] = [
        ("in step", |_| (), (Matched, "ready", "InSync")),
        (
            "renamed",
            |e| e.people[0].family_name = Some("Roe".into()),
            (Matched, "ready", "ChangesPlanned"),
        ),
        ("sure", unlinked, (Proposed, "ready", "Proposed")),
        (
            "in force elsewhere",
            |e| {
                e.employee("e2", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e2", "e1"]);
                e.employees[0].email = "other@acme.com".into();
            },
            (Proposed, "ready", "Proposed"),
        ),
        (
            "not automatic",
            |e| {
                e.records.clear();
                e.spec.matching.automatic = false;
            },
            (Review, "not ready", "NeedsDecision"),
        ),
        (
            "nobody",
            |e| {
                e.records.clear();
                e.employees.clear();
            },
            (Unmatched, "not ready", "NoEmployee"),
        ),
        (
            "invited",
            |e| {
                e.records.clear();
                e.employees.clear();
                e.record("jane").decision = Decision::Create;
            },
            (Proposed, "ready", "CreationPlanned"),
        ),
        (
            "invited, and the answer is lost",
            |e| {
                e.records.clear();
                e.employees.clear();
                let record = e.record("jane");
                record.decision = Decision::Create;
                record.pending = Some(Pending {
                    operation: PendingOperation::CreateEmployee,
                    since: Time(NOW),
                });
            },
            (Proposed, "not ready", "CreationUnclear"),
        ),
        (
            "not to be invited",
            |e| {
                e.records.clear();
                e.employees.clear();
                e.record("jane").decision = Decision::Create;
                e.people[0].email = None;
            },
            (Review, "not ready", "NoEmail"),
        ),
        (
            "left alone",
            |e| e.record("jane").decision = Decision::Ignore,
            (Ignored, "ready", "Ignored"),
        ),
        (
            "claimed twice",
            |e| {
                e.person("mary", "Mary", "Major", "Sales");
                e.matched("mary", &["e1"]);
                e.matched("jane", &["e1"]);
            },
            (Conflict, "not ready", "EmployeeClaimedTwice"),
        ),
        (
            "given away",
            |e| {
                e.person("mary", "Mary", "Major", "Sales");
                e.matched("mary", &["e1"]);
            },
            (Review, "not ready", "ReassignedByDecision"),
        ),
        (
            "gone from Insightful",
            |e| e.employees.clear(),
            (Review, "not ready", "EmployeeNotFound"),
        ),
        (
            "in two teams",
            |e| {
                e.person("jane", "Jane", "Doe", "Support");
                e.person("jane", "Jane", "Doe", "Legal");
                e.employees[0].team = "Default".into();
            },
            (Review, "not ready", "SeveralTeams"),
        ),
        (
            "in no team group",
            |e| e.groups.clear(),
            (OutOfScope, "ready", "NotInTeamGroup"),
        ),
        (
            "gone from Okta",
            |e| e.people.clear(),
            (OutOfScope, "not ready", "NotInOktaResponse"),
        ),
        (
            "left",
            |e| e.people[0].status = OktaStatus::Deprovisioned,
            (Matched, "ready", "ChangesPlanned"),
        ),
        (
            "left and switched off",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.employees[0].deactivated = true;
            },
            (Deactivated, "ready", "Deactivated"),
        ),
    ];
    for (case, change, (state, is, reason)) in cases {
        let mut example = Example::jane();
        change(&mut example);
        assert_eq!(said(&example, None), (state, is, reason.to_owned()), "{case}");
    }
    let mut forgotten = Example::jane();
    forgotten.people.clear();
    forgotten.record("jane").state = Some(Deactivated);
    assert_eq!(
        said(&forgotten, None).0,
        Deactivated,
        "Okta deletes leavers in the end"
    );
}

#[test]
fn a_failed_write_comes_before_all_else() {
    let failure = WriteFailure {
        reason: "WriteRefused".into(),
        message: "422: no such team".into(),
    };
    let expected = (MatchState::Matched, "not ready", "WriteRefused".to_owned());
    assert_eq!(said(&Example::jane(), Some(&failure)), expected);
}

#[test]
fn a_match_that_is_taken_back_says_what_is_given_back() {
    let mut example = Example::jane();
    example.in_force(
        "jane",
        "e1",
        &[
            (Field::Name, Some("Somebody"), "Jane Doe"),
            (Field::Title, None, "Engineer"),
        ],
    );
    example.record("jane").decision = Decision::Ignore;
    let status = status_of_jane(&example, None, &EmployeeMatchStatus::default());
    assert_eq!(
        status.conditions[0].message,
        "left alone by decision; next: restores name of employee Jane Doe (e1); title is not restored: the former value is unknown"
    );
}

#[test]
fn a_status_that_says_nothing_new_is_equal() {
    let example = Example::jane();
    let first = status_of_jane(&example, None, &EmployeeMatchStatus::default());
    assert_eq!(status_of_jane(&example, None, &first), first);
    let mut gone = Example::jane();
    gone.people.clear();
    assert_eq!(
        status_of_jane(&gone, None, &first).person,
        first.person,
        "who it was stays readable"
    );
}

#[test]
fn who_stays_in_the_team_of_a_missing_group_is_told_so() {
    let mut example = Example::jane();
    example.person("jane", "Jane", "Doe", "Support");
    example.team("Support");
    example.group_vanishes("Sales");
    let status = status_of_jane(&example, None, &EmployeeMatchStatus::default());
    assert_eq!(status.person.unwrap().team.as_deref(), Some("Sales"));
    let ready = find(&status.conditions, conditions::READY).unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "InSync"));
    for part in ["stays in team \"Sales\"", "spec.teams.precedence"] {
        assert!(ready.message.contains(part), "{}", ready.message);
    }
}

#[test]
fn a_title_that_stays_although_okta_has_none_is_named() {
    let message = |example: &Example| {
        let status = status_of_jane(example, None, &EmployeeMatchStatus::default());
        let ready = find(&status.conditions, conditions::READY).unwrap();
        ready.message.clone()
    };
    let stays = "employee e1 keeps the title \"Engineer\": Okta has none for this person";
    let mut example = Example::jane();
    assert!(!message(&example).contains("title"));
    // Deleted in Okta.
    example.people[0].title = None;
    assert!(message(&example).contains(stays), "{}", message(&example));

    // Another person's match wrote it, before and after this one is in force.
    let mut example = Example::jane();
    example.people[0].title = None;
    let mary = example.record("jane").applied.take();
    example.record("mary").applied = mary;
    example.matched("jane", &["e1"]);
    assert!(message(&example).contains(stays), "{}", message(&example));
    example.record("mary").applied = None;
    example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
    let title = &mut example.record("jane").applied.as_mut().unwrap().fields[0];
    title.inherited = true;
    assert!(message(&example).contains(stays), "{}", message(&example));
    example.people[0].title = Some("Manager".into());
    assert!(!message(&example).contains(stays));
}
