//! Each case changes a small company in which Jane's match with e1 is in force.

use crate::{
    api::{Decision, Field, ProposalKind, UnmatchedPolicy},
    model::{OktaStatus, Person, PersonId},
    rules::{
        assessment::Assessment,
        blocker::Blocker,
        example::Example,
        resolve::{self, Resolution},
    },
};

type Change = fn(&mut Example);

/// Jane, who departed. The operator wrote the name and the title of her employee.
fn departed() -> Example {
    let mut example = Example::jane();
    let name = (Field::Name, Some("J. Doe"), "Jane Doe");
    example.in_force("jane", "e1", &[name, (Field::Title, None, "Engineer")]);
    example.people[0].status = OktaStatus::Deprovisioned;
    example
}

/// Adds another account of Jane.
fn new_account<'a>(example: &'a mut Example, id: &str) -> &'a mut Person {
    let person = example.person(id, "Jane", "Doe", "Sales");
    person.email = Some("jane@acme.com".into());
    person
}

fn bob(example: &mut Example) -> &mut Person {
    example.person("bob", "Bob", "Roe", "Sales")
}

/// Adds an employee for Bob.
fn bobs_own(example: &mut Example) {
    bob(example);
    example.employee("e2", "Bob Roe", "bob@acme.com").team = "Sales".into();
    example.in_force("bob", "e2", &[(Field::Title, None, "Engineer")]);
}

/// Somebody changes Jane's employee in Insightful.
fn edited(example: &mut Example, name: &str, email: &str) {
    let employee = &mut example.employees[0];
    (employee.name, employee.email) = (name.into(), email.into());
}

fn reason(assessment: &Assessment, person: &str) -> &'static str {
    assessment.blocker(&person.into()).map_or("", Blocker::reason)
}

#[test]
fn the_employee_of_somebody_who_left_may_be_another_persons_by_now() {
    let cases: [(&str, Change, &str); 25] = [
        ("still hers", |_| (), ""),
        ("somebody else works here", |e| bobs_own(e), ""),
        (
            "Bob's email",
            |e| {
                bob(e).email = Some("JANE@acme.com ".into());
            },
            "EmployeeHandedOn",
        ),
        (
            "Bob's login",
            |e| bob(e).login = "jane@acme.com".into(),
            "EmployeeHandedOn",
        ),
        (
            "Bob's name and email",
            |e| {
                bob(e);
                edited(e, "Bob Roe", "bob@acme.com");
            },
            "EmployeeHandedOn",
        ),
        (
            "Bob's name",
            |e| {
                bobs_own(e);
                edited(e, "Roe,\u{a0}BOB", "jane@acme.com");
            },
            "EmployeeHandedOn",
        ),
        (
            "Bob has not started yet",
            |e| {
                bob(e).status = OktaStatus::Staged;
                edited(e, "Bob Roe", "bob@acme.com");
            },
            "EmployeeHandedOn",
        ),
        (
            "Bob is in no team group",
            |e| {
                bob(e);
                edited(e, "Bob Roe", "bob@acme.com");
                e.groups[0].members.remove(&"bob".into());
            },
            "EmployeeHandedOn",
        ),
        (
            "Bob is ignored",
            |e| {
                bob(e);
                edited(e, "Bob Roe", "bob@acme.com");
                e.record("bob").decision = Decision::Ignore;
            },
            "EmployeeHandedOn",
        ),
        (
            "Bob left, too",
            |e| {
                bob(e).status = OktaStatus::Deprovisioned;
                edited(e, "Bob Doe", "bob@acme.com");
            },
            "",
        ),
        (
            "rejected for Bob",
            |e| {
                bob(e).email = Some("jane@acme.com".into());
                e.record("bob").rejected.insert("e1".into());
            },
            "",
        ),
        (
            "a namesake",
            |e| {
                e.person("jane2", "Jane", "Doe", "Sales");
            },
            "EmployeeHandedOn",
        ),
        (
            "a namesake with an employee",
            |e| {
                e.person("jane2", "Jane", "Doe", "Sales");
                e.employee("e2", "Jane Doe", "jane2@acme.com");
                e.in_force("jane2", "e2", &[]);
            },
            "",
        ),
        (
            "a namesake with a certain proposal",
            |e| {
                e.person("jane2", "Jane", "Doe", "Sales");
                e.employee("e2", "Jane Doe", "jane2@acme.com");
            },
            "",
        ),
        (
            "a namesake with a deactivated employee",
            |e| {
                e.person("jane2", "Jane", "Doe", "Sales");
                e.employee("e2", "Jane Doe", "jane2@acme.com").deactivated = true;
                e.in_force("jane2", "e2", &[]);
            },
            "EmployeeHandedOn",
        ),
        (
            "rejected for the namesake",
            |e| {
                e.person("jane2", "Jane", "Doe", "Sales");
                e.record("jane2").rejected.insert("e1".into());
            },
            "",
        ),
        (
            "renamed to somebody unknown",
            |e| edited(e, "Zoe Fox", "jane@acme.com"),
            "EmployeeHandedOn",
        ),
        (
            "renamed, with a word in common",
            |e| edited(e, "Jane Fox", "jane@acme.com"),
            "",
        ),
        ("renamed back", |e| edited(e, "J. Doe", "jane@acme.com"), ""),
        (
            "rejected for Jane",
            |e| {
                bob(e);
                e.record("jane").rejected.insert("e1".into());
            },
            "DepartedWithoutEmployee",
        ),
        (
            "decided for Jane",
            |e| {
                bob(e);
                edited(e, "Bob Roe", "x@acme.com");
                e.matched("jane", &["e1"]);
            },
            "EmployeeHandedOn",
        ),
        (
            "proposed for Jane",
            |e| {
                e.records.clear();
                bob(e).login = "jane@acme.com".into();
            },
            "EmployeeHandedOn",
        ),
        (
            "by decision, though Okta has no record of Jane",
            |e| {
                bob(e);
                edited(e, "Bob Roe", "x@acme.com");
                e.people.remove(0);
                e.record("jane").decision = Decision::Deactivate;
            },
            "EmployeeHandedOn",
        ),
        (
            "two new accounts",
            |e| {
                new_account(e, "jane2");
                new_account(e, "jane3");
            },
            "EmployeeHandedOn",
        ),
        (
            "a new account",
            |e| {
                new_account(e, "jane2");
            },
            "AccountReplaced",
        ),
    ];
    for (what, change, expected) in cases {
        let mut example = departed();
        change(&mut example);
        let assessment = example.assess();
        assert_eq!(reason(&assessment, "jane"), expected, "{what}");
        let deactivated = assessment.plan.deactivations.len();
        assert_eq!(deactivated, usize::from(expected.is_empty()), "{what}");
        assert!(
            assessment.plan.restores.is_empty() || what == "rejected for Jane",
            "{what}"
        );
    }
}

#[test]
fn a_new_account_takes_over_the_employee_of_the_former_one() {
    let mut example = departed();
    example.spec.matching.unmatched = UnmatchedPolicy::Create;
    new_account(&mut example, "jane2");
    let (former, new) = (PersonId::from("jane"), PersonId::from("jane2"));
    let assessment = example.assess();
    let resolved = &assessment.resolved[&new];
    assert_eq!(resolved.resolution, Resolution::Matched(vec!["e1".into()]));
    let proposal = resolved.proposal.as_ref().unwrap();
    assert_eq!(proposal.kind, ProposalKind::Auto);
    assert_eq!(
        proposal.best().unwrap().reasons,
        ["same email", "same name", "the former account has departed"]
    );
    assert!(proposal.best().unwrap().confidence.percent() > 80, "{proposal:?}");
    let plan = &assessment.plan;
    assert!(plan.creations.is_empty() && plan.restores.is_empty() && plan.deactivations.is_empty());
    assert_eq!(plan.matches[&new].employees, ["e1".into()]);
    assert_eq!(
        plan.matches[&new].inherited.len(),
        2,
        "an undo restores the first before-image"
    );
    assert_eq!(
        (plan.unmatches.keys().collect::<Vec<_>>(), plan.summary().relinks),
        (vec![&former], 1)
    );
    assert!(!assessment.blocker(&former).unwrap().needs_action());

    // Cut short after the new match was recorded.
    example.in_force("jane2", "e1", &[(Field::Title, None, "Engineer")]);
    let plan = example.assess().plan;
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&former]);
    assert!(plan.deactivations.is_empty() && plan.restores.is_empty());

    example.record("jane").applied = None;
    let assessment = example.assess();
    assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
    assert_eq!(reason(&assessment, "jane"), "DepartedWithoutEmployee");
}

#[test]
fn a_new_account_takes_over_all_devices_or_waits() {
    let cases: [(&str, Change, Option<&[&str]>); 8] = [
        ("both devices", |_| (), Some(&["e1", "e2"])),
        (
            "the second has another name",
            |e| e.employees[1].name = "Bob Roe".into(),
            None,
        ),
        (
            "the second is deactivated",
            |e| e.employees[1].deactivated = true,
            Some(&["e1"]),
        ),
        (
            "another name in Okta",
            |e| e.people[0].family_name = Some("Roe".into()),
            None,
        ),
        ("automatic: false", |e| e.spec.matching.automatic = false, None),
        (
            "decided for the former account",
            |e| e.matched("jane", &["e1", "e2"]),
            None,
        ),
        (
            "the new account has an employee",
            |e| {
                e.employee("e3", "Jane Doe", "x@acme.com");
                e.in_force("jane2", "e3", &[]);
            },
            None,
        ),
        (
            "rejected for the new account",
            |e| {
                e.record("jane2").rejected.insert("e2".into());
            },
            None,
        ),
    ];
    for (what, change, expected) in cases {
        let mut example = departed();
        example.employee("e2", "Jane Doe", "second@acme.com");
        let applied = example.record("jane").applied.as_mut().unwrap();
        applied.employee_ids = vec!["e2".into(), "e1".into()];
        new_account(&mut example, "jane2");
        change(&mut example);
        let assessment = example.assess();
        let plan = &assessment.plan;
        assert!(
            plan.deactivations.is_empty() && plan.creations.is_empty(),
            "{what}: {plan:?}"
        );
        let taken: Option<Vec<&str>> = plan.matches.get(&"jane2".into()).map(|in_force| {
            in_force
                .employees
                .iter()
                .map(|employee| employee.as_str())
                .collect()
        });
        assert_eq!(taken.as_deref(), expected, "{what}");
        let expected = if expected.is_some() {
            "AccountReplaced"
        } else {
            "EmployeeHandedOn"
        };
        assert_eq!(reason(&assessment, "jane"), expected, "{what}");
    }
}

#[test]
fn the_employee_of_somebody_who_works_here_may_be_another_persons_by_now() {
    let handed_on: Change = |e| {
        bob(e);
        edited(e, "Bob Roe", "bob@acme.com");
    };
    let cases: [(&str, Change, &str); 11] = [
        ("Bob's name and email", |_| (), "EmployeeHandedOn"),
        (
            "Bob's name",
            |e| e.employees[0].email = "pc-17@acme.com".into(),
            "EmployeeHandedOn",
        ),
        (
            "Bob's email",
            |e| e.employees[0].name = "PC 17".into(),
            "EmployeeHandedOn",
        ),
        (
            "Bob has an employee",
            |e| {
                e.employee("e2", "Bob Roe", "b@acme.com");
                e.in_force("bob", "e2", &[]);
            },
            "EmployeeHandedOn",
        ),
        (
            "still her email",
            |e| e.employees[0].email = "jane@acme.com".into(),
            "",
        ),
        ("still her name", |e| e.employees[0].name = "doe, jane".into(), ""),
        ("nobody's", |e| edited(e, "PC 17", "pc-17@acme.com"), ""),
        (
            "Jane's former name, and Bob took it",
            |e| {
                e.people[0].given_name = Some("Janet".into());
                e.people[0].email = Some("janet@acme.com".into());
                e.in_force("jane", "e1", &[(Field::Name, Some("X"), "Bob Roe")]);
            },
            "",
        ),
        (
            "rejected for Bob",
            |e| {
                e.record("bob").rejected.insert("e1".into());
            },
            "",
        ),
        (
            "decided, not in force yet",
            |e| {
                e.records.clear();
                e.matched("jane", &["e1"]);
            },
            "",
        ),
        (
            "decided and in force",
            |e| e.matched("jane", &["e1"]),
            "EmployeeHandedOn",
        ),
    ];
    for (what, change, expected) in cases {
        let mut example = Example::jane();
        handed_on(&mut example);
        change(&mut example);
        let assessment = example.assess();
        assert_eq!(reason(&assessment, "jane"), expected, "{what}");
        let is_written = assessment
            .plan
            .updates
            .iter()
            .any(|update| update.employee == "e1".into());
        assert_eq!(is_written, expected.is_empty(), "{what}");
    }
    // A decision is made in knowledge of what the employee holds: a write that was cut short resumes.
    let mut example = Example::jane();
    handed_on(&mut example);
    example.matched("jane", &["e1"]);
    for fields in [&[][..], &[(Field::Name, Some("Bob Roe"), "Jane Doe")]] {
        example.in_force("jane", "e1", fields);
        assert_eq!(reason(&example.assess(), "jane"), "");
    }
}

#[test]
fn who_has_the_record_by_now_is_offered_it() {
    for status in [OktaStatus::Active, OktaStatus::Deprovisioned] {
        let mut example = Example::jane();
        example.spec.matching.unmatched = UnmatchedPolicy::Create;
        example.people[0].status = status;
        bob(&mut example);
        edited(&mut example, "Bob Roe", "bob@acme.com");
        let assessment = example.assess();
        assert_eq!(reason(&assessment, "jane"), "EmployeeHandedOn");
        let snapshot = example.snapshot();
        let message = |person: &str| assessment.blocker(&person.into()).unwrap().message(&snapshot);
        assert!(
            message("jane")
                .starts_with("employee Bob Roe (e1) has the name and email of Bob Roe (Okta user bob)"),
            "{}",
            message("jane")
        );
        assert_eq!(reason(&assessment, "bob"), "NeedsDecision");
        assert!(
            message("bob").contains("matched to Jane Doe"),
            "{}",
            message("bob")
        );
        let proposal = assessment.resolved[&"bob".into()].proposal.clone().unwrap();
        assert_eq!(proposal.kind, ProposalKind::Review);
        assert_eq!(proposal.candidates[0].employee, "e1".into());
        assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);

        example.matched("bob", &["e1"]);
        let assessment = example.assess();
        assert_eq!(reason(&assessment, "bob"), "");
        assert_eq!(assessment.plan.unmatches.len(), 1);
        assert!(assessment.plan.deactivations.is_empty() && assessment.plan.restores.is_empty());
    }
}

#[test]
fn deactivation_by_decision_needs_that_okta_has_no_record() {
    let deleted: Change = |e| e.people.clear();
    let employed: Change = |_| ();
    let left: Change = |e| e.people[0].status = OktaStatus::Deprovisioned;
    let suspended: Change = |e| e.people[0].status = OktaStatus::Suspended;
    let unmatched: Change = |e| {
        e.people.clear();
        e.record("jane").applied = None;
    };
    let in_no_group: Change = |e| e.groups.clear();
    for (what, change, is_deleted, decision, expected) in [
        ("missing", deleted, false, Decision::Auto, "NotInOktaResponse"),
        ("deleted", deleted, true, Decision::Auto, "DeletedInOkta"),
        ("deleted", deleted, true, Decision::Ignore, ""),
        (
            "deleted",
            deleted,
            true,
            Decision::Deactivate,
            "deactivated by decision",
        ),
        (
            "missing",
            deleted,
            false,
            Decision::Deactivate,
            "deactivated by decision",
        ),
        (
            "unmatched",
            unmatched,
            true,
            Decision::Deactivate,
            "DepartedWithoutEmployee",
        ),
        ("unmatched", unmatched, true, Decision::Auto, "NotInOktaResponse"),
        ("employed", employed, false, Decision::Deactivate, "StillEmployed"),
        (
            "suspended",
            suspended,
            false,
            Decision::Deactivate,
            "StillEmployed",
        ),
        (
            "in no group",
            in_no_group,
            false,
            Decision::Deactivate,
            "StillEmployed",
        ),
        (
            "departed",
            left,
            false,
            Decision::Deactivate,
            "deactivated by DEPROVISIONED",
        ),
    ] {
        let mut example = Example::jane();
        change(&mut example);
        example.record("jane").decision = decision;
        example.deleted.extend(is_deleted.then(|| "jane".into()));
        let assessment = example.assess();
        let deactivated = assessment.plan.deactivations.first();
        let deactivated = deactivated.map(|write| format!("deactivated by {}", write.evidence.evidence()));
        let found = deactivated.unwrap_or_else(|| reason(&assessment, "jane").to_owned());
        assert_eq!(found, expected, "{what} {decision:?}");
        let is_unmatched = !assessment.plan.unmatches.is_empty();
        assert_eq!(is_unmatched, decision == Decision::Ignore, "{what} {decision:?}");
        if expected.starts_with("deactivated") {
            assert!(assessment.plan.matches.is_empty() && assessment.plan.updates.is_empty());
            assert_eq!(assessment.changes[&"jane".into()].len(), 1, "it is shown");
        }
    }
}

#[test]
fn only_people_with_an_active_employee_are_looked_up() {
    let cases: [(&str, Change, usize); 6] = [
        ("listed", |_| (), 0),
        ("missing", |e| e.people.clear(), 1),
        (
            "ignored",
            |e| {
                e.people.clear();
                e.record("jane").decision = Decision::Ignore;
            },
            0,
        ),
        (
            "deactivated",
            |e| {
                e.people.clear();
                e.employees[0].deactivated = true;
            },
            0,
        ),
        (
            "the employee is gone",
            |e| {
                e.people.clear();
                e.employees.clear();
            },
            0,
        ),
        (
            "unmatched",
            |e| {
                e.people.clear();
                e.records.clear();
                e.record("jane");
            },
            0,
        ),
    ];
    for (what, change, expected) in cases {
        let mut example = Example::jane();
        change(&mut example);
        let snapshot = example.snapshot();
        assert_eq!(
            resolve::unaccounted(&snapshot, &example.records).count(),
            expected,
            "{what}"
        );
    }
}
