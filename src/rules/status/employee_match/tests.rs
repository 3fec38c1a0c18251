//! Each case changes a small company and checks the status of one match.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::*;
use crate::{
    api::{Approval, Decision, Field, conditions::find},
    model::OktaStatus,
    rules::{
        example::{Example, request},
        plan::unmatch,
        status::WriteFailure,
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Returns the state of Jane's match, and whether it is ready with the reason.
fn state(example: &Example, failure: Option<&WriteFailure>) -> (MatchState, &'static str, String) {
    let status = status_of_jane(example, failure, &EmployeeMatchStatus::default());
    let ready = find(&status.conditions, conditions::READY).unwrap();
    let is = if ready.status == "True" {
        "ready"
    } else {
        "not ready"
    };
    (status.state.unwrap(), is, ready.reason.clone())
}

/// Returns the message of Jane's Ready condition.
fn message(example: &Example) -> String {
    let status = status_of_jane(example, None, &EmployeeMatchStatus::default());
    let ready = find(&status.conditions, conditions::READY).unwrap();
    ready.message.clone()
}

fn status_of_jane(
    example: &Example,
    failure: Option<&WriteFailure>,
    previous: &EmployeeMatchStatus,
) -> EmployeeMatchStatus {
    let id = PersonId::from("jane");
    let record = example.records.get(&id).cloned().unwrap_or_default();
    let (snapshot, assessment) = (example.snapshot(), example.assess());
    let verdict = example.judge(&assessment, None, NOW);
    let failure = failure.map(|failure| (id.clone(), failure.clone()));
    let statuses = MatchStatuses {
        snapshot: &snapshot,
        spec: &example.spec,
        assessment: &assessment,
        verdict: &verdict,
        failures: &failure.into_iter().collect(),
        read_at: NOW,
        now: NOW,
    };
    statuses.of(&id, &record, &previous.into(), Some(1))
}

#[test]
fn the_confidence_is_that_of_the_employee_shown() {
    let mut example = Example::jane();
    let shown = |example: &Example| {
        let status = status_of_jane(example, None, &EmployeeMatchStatus::default());
        let proposal = status.proposal.unwrap();
        (status.employee.map(|employee| employee.id), proposal.confidence)
    };
    let (id, confidence) = shown(&example);
    assert_eq!(id.as_deref(), Some("e1"));
    assert!(confidence > Some(90), "{confidence:?}");
    example.employee("e2", "Jane Roe", "jane.roe@old.com");
    example.employee("e3", "Mark Smith", "mark@old.com");
    example.matched("jane", &["e2"]);
    let (id, confidence) = shown(&example);
    assert_eq!(id.as_deref(), Some("e2"));
    assert!(
        confidence.is_none_or(|confidence| confidence < 90),
        "{confidence:?}"
    );
    example.matched("jane", &["e3"]);
    assert_eq!(shown(&example), (Some("e3".into()), None));
    example.records.clear();
    example.employees.clear();
    assert_eq!(shown(&example), (None, None));
}

#[test]
fn a_decision_that_waits_shows_its_own_employee_and_confidence() {
    let mut example = Example::jane();
    example.records.clear();
    example.employee("e2", "Mark Smith", "mark@old.com");
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e2"]);
    example.matched("jane", &["e2"]);
    let shown = |example: &Example| {
        let status = status_of_jane(example, None, &EmployeeMatchStatus::default());
        let proposal = status.proposal.unwrap();
        (
            status.state.unwrap(),
            status.employee.map(|employee| employee.id),
            proposal.confidence,
        )
    };
    // Not the certain proposal of e1, which the decision does not name.
    assert_eq!(shown(&example), (MatchState::Conflict, Some("e2".into()), None));
    example.matched("jane", &["e9"]);
    assert_eq!(shown(&example), (MatchState::Review, None, None));
}

#[test]
fn the_loser_of_a_decision_is_shown_who_has_the_employee_and_how_to_take_it_back() {
    let mut example = Example::jane();
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1"]);
    let waiting = message(&example);
    for part in [
        "employee Jane Doe (e1) is matched with Mary Major (Okta user mary) by decision",
        "to take it back, set spec.decision of the EmployeeMatch of Mary Major (Okta user mary) to",
    ] {
        assert!(waiting.contains(part), "{waiting}");
    }
    // Applied: the employee has Mary's name and email, and nothing of Jane's.
    example.records.remove(&"jane".into());
    let employee = &mut example.employees[0];
    (employee.name, employee.email) = ("Mary Major".into(), "mary@acme.com".into());
    employee.identifier = "mary@acme.com".into();
    let before = EmployeeMatchStatus {
        unmatched: unmatch::last_unmatched(None, &["e1".into()].into(), NOW),
        ..EmployeeMatchStatus::default()
    };
    let shown = |example: &Example| {
        let status = status_of_jane(example, None, &before);
        assert_eq!(status.unmatched, before.unmatched);
        let ready = find(&status.conditions, conditions::READY).unwrap();
        (ready.reason.clone(), ready.message.clone())
    };
    let (reason, message) = shown(&example);
    assert_eq!(reason, "NoEmployee");
    for part in [
        "employee Mary Major (e1) was this person's until 1970-01-01T00:00:00Z and is now matched with Mary Major (Okta user mary):",
        "to take it back, first set spec.decision of that EmployeeMatch to",
        "then this one to Match with employeeIds e1",
    ] {
        assert!(message.contains(part), "{part:?} in {message:?}");
    }
    // Nobody waits who has another employee, or none by decision.
    example.employee("e2", "Jane Doe", "jane@acme.com");
    assert!(!shown(&example).1.contains("was this person's"));
    example.record("jane").decision = Decision::Ignore;
    assert!(!shown(&example).1.contains("was this person's"));
}

#[test]
fn candidates_show_their_team_their_state_and_who_has_them() {
    let mut example = Example::jane();
    example.records.clear();
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1"]);
    example.employee("e2", "Jane Doe", "").deactivated = true;
    let status = status_of_jane(&example, None, &EmployeeMatchStatus::default());
    assert_eq!(status.state, Some(MatchState::Review));
    let candidates = status.proposal.unwrap().candidates;
    let shown = |id: &str| candidates.iter().find(|one| one.employee_id == id).unwrap();
    let (held, copy) = (shown("e1"), shown("e2"));
    assert_eq!(held.matched_to.as_deref(), Some("Mary Major"));
    assert_eq!((held.team.as_deref(), held.deactivated), (Some("Sales"), false));
    assert_eq!(copy.matched_to, None);
    assert_eq!((copy.team.as_deref(), copy.deactivated), (Some("Default"), true));
    assert!(held.confidence > copy.confidence, "{candidates:?}");
}

#[test]
fn state_and_readiness_follow_from_the_assessment() {
    use MatchState::*;
    type Change = fn(&mut Example);
    let without_match: Change = |e| e.records.clear();
    let cases: [(&str, Change, (MatchState, &str, &str)); 22] = [
        ("in sync", |_| (), (Matched, "ready", "InSync")),
        (
            "renamed",
            |e| e.people[0].family_name = Some("Roe".into()),
            (Matched, "ready", "ChangesPlanned"),
        ),
        ("certain enough", without_match, (Proposed, "ready", "Proposed")),
        (
            "another match in force",
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
            "no employees",
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
            "invited, without a response",
            |e| {
                e.records.clear();
                e.employees.clear();
                let record = e.record("jane");
                record.decision = Decision::Create;
                record.pending = Some(request("Jane Doe", Some("jane@acme.com")));
            },
            (Proposed, "not ready", "CreationUnclear"),
        ),
        (
            "cannot be invited",
            |e| {
                e.records.clear();
                e.employees.clear();
                e.record("jane").decision = Decision::Create;
                e.people[0].email = None;
            },
            (Review, "not ready", "NoEmail"),
        ),
        (
            "ignored",
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
            "reassigned",
            |e| {
                e.person("mary", "Mary", "Major", "Sales");
                e.matched("mary", &["e1"]);
            },
            (Review, "not ready", "ReassignedByDecision"),
        ),
        (
            "missing in Insightful",
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
            "missing in Okta",
            |e| e.people.clear(),
            (OutOfScope, "not ready", "NotInOktaResponse"),
        ),
        (
            "departed",
            |e| e.people[0].status = OktaStatus::Deprovisioned,
            (Matched, "ready", "ChangesPlanned"),
        ),
        (
            "departed and deactivated",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.employees[0].deactivated = true;
            },
            (Deactivated, "ready", "Deactivated"),
        ),
        (
            "departed, and the employee was removed",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.employees.clear();
            },
            (OutOfScope, "ready", "DepartedWithoutEmployee"),
        ),
        (
            "deactivated by decision, but employed",
            |e| e.record("jane").decision = Decision::Deactivate,
            (Review, "not ready", "StillEmployed"),
        ),
        (
            "deactivation by decision",
            |e| {
                e.people.clear();
                e.record("jane").decision = Decision::Deactivate;
            },
            (Matched, "ready", "ChangesPlanned"),
        ),
        (
            "the employee was handed on",
            |e| {
                e.person("bob", "Bob", "Roe", "Sales");
                let employee = &mut e.employees[0];
                (employee.name, employee.email) = ("Bob Roe".into(), "bob@acme.com".into());
            },
            (Review, "not ready", "EmployeeHandedOn"),
        ),
    ];
    for (case, change, (expected, is, reason)) in cases {
        let mut example = Example::jane();
        change(&mut example);
        assert_eq!(state(&example, None), (expected, is, reason.to_owned()), "{case}");
    }
}

#[test]
fn an_org_may_delete_departed_people() {
    let mut example = Example::jane();
    example.people.clear();
    example.employees[0].deactivated = true;
    example.record("jane").state = Some(MatchState::Deactivated);
    let deactivated = (MatchState::Deactivated, "ready", "Deactivated".to_owned());
    assert_eq!(state(&example, None), deactivated);
    example.record("jane").decision = Decision::Deactivate;
    assert_eq!(state(&example, None), deactivated);
    example.record("jane").decision = Decision::Auto;

    // Somebody activates the employee in Insightful.
    example.employees[0].deactivated = false;
    let missing = (
        MatchState::OutOfScope,
        "not ready",
        "NotInOktaResponse".to_owned(),
    );
    assert_eq!(state(&example, None), missing);
    example.deleted.push("jane".into());
    let deleted = (MatchState::Review, "not ready", "DeletedInOkta".to_owned());
    assert_eq!(state(&example, None), deleted);
    for part in ["employee Jane Doe (e1)", "set spec.decision to Deactivate"] {
        assert!(message(&example).contains(part), "{}", message(&example));
    }

    // Nothing is left that could be written.
    let nothing_to_do = (MatchState::OutOfScope, "ready", "NotInOktaResponse".to_owned());
    example.employees.clear();
    assert_eq!(state(&example, None), nothing_to_do);
    example.record("jane").applied = None;
    assert_eq!(state(&example, None), nothing_to_do);
}

#[test]
fn a_failed_write_has_the_last_word() {
    let failure = WriteFailure {
        reason: "WriteRefused".into(),
        message: "422: no such team".into(),
    };
    let expected = (MatchState::Matched, "not ready", "WriteRefused".to_owned());
    assert_eq!(state(&Example::jane(), Some(&failure)), expected);
}

#[test]
fn pending_changes_say_when_they_are_applied() {
    let mut example = Example::jane();
    example.people[0].family_name = Some("Roe".into());
    assert_eq!(message(&example), "1 change pending: applied next");
    example.people[0].title = Some("Manager".into());
    assert_eq!(message(&example), "2 changes pending: applied next");
    example.spec.approval = Approval::EveryPlan;
    assert_eq!(
        message(&example),
        "2 changes pending: applied once the plan is approved"
    );
    example.spec.approved_plan = Some(example.assess().plan.hash());
    assert_eq!(message(&example), "2 changes pending: applied next");
    example.spec.finalized = false;
    assert_eq!(
        message(&example),
        "2 changes pending: applied once spec.finalized is true",
        "the plan is approved"
    );
    example.spec.approved_plan = None;
    assert_eq!(
        message(&example),
        "2 changes pending: applied once spec.finalized is true and the plan is approved"
    );

    let mut example = Example::jane();
    example.employees[0].email = "old@acme.com".into();
    example.records.clear();
    example.matched("jane", &["e1"]);
    assert_eq!(message(&example), "2 changes pending: applied next");
    example.records.clear();
    example.record("jane").decision = Decision::Create;
    assert_eq!(message(&example), "invitation pending: sent next");
    example.spec.finalized = false;
    assert_eq!(
        message(&example),
        "invitation pending: sent once spec.finalized is true"
    );
}

#[test]
fn an_unmatch_announces_what_is_restored() {
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
    example.spec.guard.max_relinks = IntOrString::Int(1);
    let announced =
        "restores name of employee Jane Doe (e1); title is not restored: the former value is unknown";
    let ignored = "not synced: spec.decision is Ignore";
    assert_eq!(message(&example), format!("{ignored}; next: {announced}"));
    example.spec.approval = Approval::EveryPlan;
    assert_eq!(
        message(&example),
        format!("{ignored}; once the plan is approved: {announced}")
    );
}

#[test]
fn several_employees_of_one_person_are_several() {
    let mut example = Example::jane();
    example.employee("e2", "Jane Doe", "").team = "Sales".into();
    let applied = example.record("jane").applied.as_mut().unwrap();
    applied.employee_ids.push("e2".into());
    let mut second = applied.fields[0].clone();
    second.employee_id = "e2".into();
    applied.fields.push(second);
    assert_eq!(message(&example), "the employees are in sync with Okta");
    for employee in &mut example.employees {
        employee.deactivated = true;
    }
    example.people[0].status = OktaStatus::Deprovisioned;
    assert_eq!(message(&example), "departed; the employees are deactivated");
    example.record("jane").state = Some(MatchState::Deactivated);
    example.people.clear();
    assert_eq!(message(&example), "departed; the employees are deactivated");
}

#[test]
fn an_unchanged_status_is_equal() {
    let example = Example::jane();
    let first = status_of_jane(&example, None, &EmployeeMatchStatus::default());
    assert_eq!(status_of_jane(&example, None, &first), first);
    let mut missing = Example::jane();
    missing.people.clear();
    assert_eq!(
        status_of_jane(&missing, None, &first).person,
        first.person,
        "a missing person keeps their name"
    );
}

#[test]
fn the_message_names_the_team_of_a_missing_group() {
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
fn the_message_names_a_title_that_cannot_be_cleared() {
    let stays = "employee Jane Doe (e1) keeps the title \"Engineer\": Okta has none for this person";
    let mut example = Example::jane();
    assert!(!message(&example).contains("title"));
    // Deleted in Okta.
    example.people[0].title = None;
    assert!(message(&example).contains(stays), "{}", message(&example));

    // Another person's match wrote it: before and after this match is in force.
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

#[test]
fn an_invitation_shows_its_settings_and_says_when_several_are_the_default() {
    let mut example = Example::jane();
    (example.records, example.employees) = Default::default();
    example.record("jane").decision = Decision::Create;
    let settings = |example: &Example| {
        let status = example.status(&"jane".into(), NOW);
        let mut changes = status
            .changes
            .into_iter()
            .filter(|change| change.field == Field::Settings);
        (
            changes.next().unwrap().to.unwrap(),
            status.conditions[0].message.clone(),
        )
    };
    let (shown, message) = settings(&example);
    assert_eq!((shown.as_str(), message.contains("several")), ("Standard", false));
    let other = example.settings[0].clone();
    example.settings.push(crate::model::SharedSettings {
        id: "Strict".into(),
        name: "Strict".into(),
        ..other
    });
    let (shown, message) = settings(&example);
    assert_eq!(shown, "Standard");
    let doubt = "several shared settings with its default: \"Standard\" is used, not \"Strict\"";
    assert!(message.contains(doubt), "{message}");
    example.spec.insightful.new_employees.shared_settings = Some("strict".into());
    let (shown, message) = settings(&example);
    assert_eq!((shown.as_str(), message.contains("several")), ("Strict", false));

    example.spec.okta.people = crate::api::PeopleScope::Everyone;
    example.groups.clear();
    example.teams[1].default = true;
    assert!(
        settings(&example).1.contains("several teams"),
        "{}",
        settings(&example).1
    );
}

#[test]
fn the_message_names_what_is_left_out_and_how_to_mend_it() {
    type Change = fn(&mut Example);
    let cases: [(Change, &str); 5] = [
        (
            |e| e.people[0].family_name = None,
            "employee Jane Doe (e1) keeps the name: Okta has no last name for this person",
        ),
        (
            |e| e.people[0].given_name = Some(" ".into()),
            "employee Jane Doe (e1) keeps the name: Okta has no first name for this person",
        ),
        (
            |e| (e.people[0].given_name, e.people[0].family_name) = (None, None),
            "employee Jane Doe (e1) keeps the name: Okta has neither first nor last name for this person",
        ),
        (
            |e| {
                e.employees[0].email = "j@acme.com".into();
                e.employee("e2", "Jane Old", "jane@acme.com").deactivated = true;
            },
            "employee Jane Doe (e1) keeps the email: the deactivated employee Jane Old (e2) has this person's; to free it, \
             change the email of that record in Insightful or delete the record there",
        ),
        (
            |e| {
                e.people[0].family_name = Some("McDoe".into());
                e.employees[0].name = "Jane Mcdoe".into();
                e.in_force(
                    "jane",
                    "e1",
                    &[
                        (Field::Name, Some("J."), "Jane McDoe"),
                        (Field::Title, None, "Engineer"),
                    ],
                );
                let name = &mut e.record("jane").applied.as_mut().unwrap().fields[0];
                name.stored = Some("Jane Mcdoe".into());
            },
            "Insightful stored the name of employee Jane Mcdoe (e1) as \"Jane Mcdoe\"",
        ),
    ];
    for (change, expected) in cases {
        let mut example = Example::jane();
        change(&mut example);
        let (matched, is_ready, reason) = state(&example, None);
        assert_eq!(
            (matched, is_ready, reason.as_str()),
            (MatchState::Matched, "ready", "InSync")
        );
        assert!(message(&example).contains(expected), "{}", message(&example));
    }
}
