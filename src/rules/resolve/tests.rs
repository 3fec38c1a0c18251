use super::*;
use crate::{
    api::{AppliedField, Field},
    rules::{
        example::{Example, request},
        record::image,
    },
};

/// Two people, each with an employee of equal name and email.
fn two() -> Example {
    let mut example = Example::new();
    for (id, given) in [("ann", "Ann"), ("bob", "Bob")] {
        example.person(id, given, "Doe", "Sales");
        example.employee(
            &format!("e-{id}"),
            &format!("{given} Doe"),
            &format!("{id}@acme.com"),
        );
    }
    example
}

fn resolution(example: &Example, id: &str) -> Resolution {
    example.assess().resolved[&id.into()].resolution.clone()
}

fn matched_with(employees: &[&str]) -> Resolution {
    Resolution::Matched(employees.iter().map(|id| EmployeeId::from(*id)).collect())
}

fn blocked_by(resolution: &Resolution) -> &'static str {
    match resolution {
        Resolution::Waits(blocker) | Resolution::OutOfScope(blocker) => blocker.reason(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_decision_outranks_a_match_in_force_which_outranks_a_proposal() {
    let mut example = two();
    assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]), "proposal");
    example.in_force("ann", "e-bob", &[(Field::Name, Some("PC 17"), "Bob Doe")]);
    assert_eq!(resolution(&example, "ann"), matched_with(&["e-bob"]), "in force");
    assert_eq!(
        blocked_by(&resolution(&example, "bob")),
        "MatchedWithAnother",
        "an employee in force is proposed to nobody else"
    );
    example.matched("ann", &["e-ann"]);
    assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]), "decision");
    example.record("ann").decision = Decision::Ignore;
    assert_eq!(resolution(&example, "ann"), Resolution::Ignored);
}

#[test]
fn two_decisions_for_one_employee_block_both_people() {
    let mut example = two();
    example.matched("ann", &["e-ann"]);
    example.matched("bob", &["e-bob", "e-ann"]);
    assert_eq!(blocked_by(&resolution(&example, "ann")), "EmployeeClaimedTwice");
    assert_eq!(blocked_by(&resolution(&example, "bob")), "EmployeeClaimedTwice");
    assert!(example.assess().plan.updates.is_empty());
}

#[test]
fn a_decision_takes_an_employee_from_a_match_in_force() {
    let mut example = two();
    example.in_force("ann", "e-ann", &[]);
    example.matched("bob", &["e-ann"]);
    assert_eq!(resolution(&example, "bob"), matched_with(&["e-ann"]));
    assert_eq!(blocked_by(&resolution(&example, "ann")), "ReassignedByDecision");
}

#[test]
fn a_person_whose_employee_is_missing_is_not_invited() {
    let mut example = two();
    example.spec.matching.unmatched = UnmatchedPolicy::Create;
    example.in_force("ann", "e-gone", &[]);
    assert_eq!(blocked_by(&resolution(&example, "ann")), "EmployeeNotFound");
    example.matched("ann", &["e-nobody"]);
    assert_eq!(blocked_by(&resolution(&example, "ann")), "EmployeeNotFound");
    assert!(example.assess().plan.creations.is_empty());
}

#[test]
fn an_employee_that_was_deleted_by_hand_is_invited_again_by_decision() {
    for (invited, decided, rejected, expected, way_out) in [
        (
            false,
            false,
            false,
            "EmployeeNotFound",
            "Match with another employee, Create to invite the person, or Ignore",
        ),
        (false, true, false, "", ""),
        // The decision may be the one that invited the person before: a list that lacks the employee must not
        // invite again.
        (
            true,
            false,
            false,
            "EmployeeNotFound",
            "Create with e-gone in spec.rejectedEmployeeIds",
        ),
        (
            true,
            true,
            false,
            "EmployeeNotFound",
            "Create with e-gone in spec.rejectedEmployeeIds",
        ),
        (true, true, true, "", ""),
    ] {
        let mut example = Example::new();
        example.person("ann", "Ann", "Doe", "Sales");
        example.in_force("ann", "e-gone", &[(Field::Name, Some("X"), "Ann Doe")]);
        let record = example.record("ann");
        if let Some(applied) = &mut record.applied {
            applied.created = invited;
        }
        if decided {
            record.decision = Decision::Create;
        }
        record.rejected.extend(rejected.then(|| "e-gone".into()));
        let assessment = example.assess();
        let blocker = assessment.blocker(&"ann".into());
        assert_eq!(
            blocker.map_or("", Blocker::reason),
            expected,
            "{invited} {decided}"
        );
        assert_eq!(assessment.plan.creations.len(), usize::from(expected.is_empty()));
        let message = blocker
            .map(|blocker| blocker.message(&example.snapshot()))
            .unwrap_or_default();
        assert!(message.contains(way_out), "{message}");
    }
}

#[test]
fn what_insightful_no_longer_has_of_a_departed_person_needs_no_deactivation() {
    let mut example = two();
    example.in_force("ann", "e-ann", &[]);
    let second = example.employee("e-2", "Ann Doe", "second@acme.com").id.clone();
    let applied = example.record("ann").applied.as_mut().unwrap();
    applied.employee_ids.push(second.to_string());
    example.people[0].status = OktaStatus::Deprovisioned;
    assert_eq!(example.assess().plan.deactivations.len(), 2);
    example.employees.retain(|employee| employee.id != "e-ann".into());
    let plan = example.assess().plan;
    assert_eq!(plan.deactivations.len(), 1);
    assert!(
        !plan.matches.contains_key(&"ann".into()) && plan.unmatches.is_empty(),
        "{plan:?}"
    );
    example.employees.retain(|employee| employee.id != second);
    let assessment = example.assess();
    assert!(assessment.plan.deactivations.is_empty());
    let blocker = assessment.blocker(&"ann".into()).unwrap();
    assert_eq!(
        (blocker.reason(), blocker.needs_action()),
        ("DepartedWithoutEmployee", false)
    );
    example.matched("ann", &["e-nobody"]);
    assert_eq!(
        blocked_by(&resolution(&example, "ann")),
        "EmployeeNotFound",
        "a decision that names nobody"
    );
}

#[test]
fn rejecting_the_employee_in_force_unmatches() {
    let mut example = two();
    example.in_force("ann", "e-ann", &[]);
    example.record("ann").rejected.insert("e-ann".into());
    assert_eq!(blocked_by(&resolution(&example, "ann")), "NoEmployee");
    assert_eq!(example.assess().plan.unmatches.len(), 1);
}

#[test]
fn a_rejected_employee_is_not_the_invited_one() {
    let mut example = two();
    let record = example.record("ann");
    record.decision = Decision::Create;
    record.pending = Some(request("Ann Doe", Some("ann@acme.com")));
    assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]));
    example.record("ann").rejected.insert("e-ann".into());
    assert_eq!(resolution(&example, "ann"), Resolution::Create);
}

#[test]
fn whoever_resembles_an_employee_that_another_person_has_is_not_invited() {
    type Change = fn(&mut Example);
    type Case = (
        &'static str,
        (&'static str, &'static str),
        Change,
        &'static str,
        ProposalKind,
    );
    // Ann Doe, and the employee e1 of somebody else. The employee, who has it, how Ann waits or
    // "Create", and the kind of the proposal.
    let cases: [Case; 14] = [
        (
            "the holder is missing in Okta, same email",
            ("A. D.", "ann@acme.com"),
            |e| e.in_force("gone", "e1", &[]),
            "NeedsDecision",
            ProposalKind::Review,
        ),
        (
            "the holder is missing in Okta, same name",
            ("Ann Doe", "ann@old.com"),
            |e| e.in_force("gone", "e1", &[]),
            "NeedsDecision",
            ProposalKind::Review,
        ),
        (
            "a decision for somebody whom Okta lacks",
            ("Ann Doe", "ann@old.com"),
            |e| e.matched("gone", &["e1"]),
            "NeedsDecision",
            ProposalKind::Review,
        ),
        (
            "the holder departed, same name",
            ("Ann Doe", "ann@old.com"),
            |e| {
                e.person("old", "Ann", "Doe", "Sales").status = OktaStatus::Deprovisioned;
                e.in_force("old", "e1", &[]);
            },
            "NeedsDecision",
            ProposalKind::Review,
        ),
        (
            "the holder is out of scope, same name",
            ("Ann Doe", "ann@old.com"),
            |e| {
                e.person("old", "Bob", "Roe", "Elsewhere");
                e.groups.retain(|group| group.name == "P_Sales");
                e.in_force("old", "e1", &[]);
            },
            "NeedsDecision",
            ProposalKind::Review,
        ),
        (
            "a decision for a colleague, same email",
            ("Nick Roe", "ann@acme.com"),
            |e| {
                e.person("nick", "Nick", "Roe", "Sales");
                e.matched("nick", &["e1"]);
            },
            "MatchedWithAnother",
            ProposalKind::None,
        ),
        (
            "in force for a colleague, same email",
            ("Nick Roe", "ann@acme.com"),
            |e| {
                e.person("nick", "Nick", "Roe", "Sales");
                e.in_force("nick", "e1", &[]);
            },
            "MatchedWithAnother",
            ProposalKind::None,
        ),
        (
            "claimed by two colleagues, same email",
            ("Nick Roe", "ann@acme.com"),
            |e| {
                for id in ["nick", "nora"] {
                    e.person(id, "Nick", "Roe", "Sales");
                    e.matched(id, &["e1"]);
                }
            },
            "MatchedWithAnother",
            ProposalKind::None,
        ),
        (
            "a second account of the same human",
            ("Ann Doe", "adm@acme.com"),
            |e| {
                e.person("adm", "Ann", "Doe", "Sales").second_email = Some("ANN@acme.com ".into());
                e.in_force("adm", "e1", &[]);
            },
            "MatchedWithAnother",
            ProposalKind::None,
        ),
        (
            "a namesake with an email of their own",
            ("Ann Doe", "ann2@acme.com"),
            |e| {
                e.person("ann2", "Ann", "Doe", "Sales");
                e.in_force("ann2", "e1", &[]);
            },
            "Create",
            ProposalKind::Create,
        ),
        (
            "rejected for this person",
            ("Ann Doe", "ann@old.com"),
            |e| {
                e.in_force("gone", "e1", &[]);
                e.record("ann").rejected.insert("e1".into());
            },
            "Create",
            ProposalKind::Create,
        ),
        (
            "by the admin's decision",
            ("Ann Doe", "ann@old.com"),
            |e| {
                e.in_force("gone", "e1", &[]);
                e.record("ann").decision = Decision::Create;
            },
            "Create",
            ProposalKind::Review,
        ),
        (
            "a person who departed, with a holder who departed",
            ("Ann Doe", "ann@old.com"),
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.person("old", "Ann", "Doe", "Sales").status = OktaStatus::Deprovisioned;
                e.in_force("old", "e1", &[]);
            },
            "DepartedWithoutEmployee",
            ProposalKind::None,
        ),
        (
            "a person who departed, with a holder whom Okta lacks",
            ("Ann Doe", "ann@old.com"),
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.in_force("gone", "e1", &[]);
            },
            "NeedsDecision",
            ProposalKind::Review,
        ),
    ];
    for (why, (name, email), change, expected, kind) in cases {
        let mut example = Example::new();
        example.spec.matching.unmatched = UnmatchedPolicy::Create;
        example.person("ann", "Ann", "Doe", "Sales");
        example.employee("e1", name, email);
        change(&mut example);
        let assessment = example.assess();
        let Resolved {
            resolution, proposal, ..
        } = &assessment.resolved[&"ann".into()];
        let proposal = proposal.as_ref().unwrap();
        let is = match resolution {
            Resolution::Create => "Create",
            other => blocked_by(other),
        };
        assert_eq!((is, proposal.kind), (expected, kind), "{why}: {proposal:#?}");
        if why != "rejected for this person" {
            assert!(proposal.candidates[0].matched_to.is_some(), "{why}");
            assert!(
                proposal
                    .doubts
                    .iter()
                    .any(|doubt| doubt.contains("is matched to")),
                "{why}"
            );
        }
        assert!(
            !proposal
                .doubts
                .iter()
                .any(|doubt| doubt.contains("no employee has")),
            "{why}: {:?}",
            proposal.doubts
        );
        let is_invited = assessment
            .plan
            .creations
            .iter()
            .any(|one| one.person == "ann".into());
        assert_eq!(is_invited, expected == "Create", "{why}");
    }
}

#[test]
fn holders_are_named_with_the_reason_why_they_are_gone() {
    let mut example = Example::new();
    example.person("bob", "Robert", "Doe", "Sales");
    example.employee("e1", "Bob Doe", "bob@old.com");
    example.in_force("gone", "e1", &[]);
    let doubts = |example: &Example| {
        let assessment = example.assess();
        let proposal = assessment.resolved[&"bob".into()].proposal.clone();
        proposal.unwrap().doubts
    };
    let start = "employee Bob Doe (e1) may be this person's (the emails match before the @, same last name (1 of 1 people)), but is matched to";
    assert_eq!(
        doubts(&example),
        [format!("{start} Okta user gone, whom Okta's response lacks")]
    );
    example.former_names.insert("gone".into(), "Bob Former".into());
    assert_eq!(
        doubts(&example),
        [format!(
            "{start} Bob Former (Okta user gone), whom Okta's response lacks"
        )]
    );
    let start = start.replace("1 of 1", "2 of 2");
    example.person("gone", "Bob", "Doe", "Sales").status = OktaStatus::Deprovisioned;
    assert_eq!(
        doubts(&example),
        [format!("{start} Bob Doe (Okta user gone), who departed")]
    );
}

#[test]
fn a_match_with_a_deactivated_copy_is_never_switched_without_a_decision() {
    let mut example = Example::jane();
    example.employees[0].deactivated = true;
    example.employees[0].email = String::new();
    example.employee("e2", "Jane Doe", "jane@acme.com");
    let blocker = |example: &Example| example.assess().blocker(&"jane".into()).cloned();
    assert_eq!(
        blocker(&example),
        Some(Blocker::EmployeeDeactivated {
            employee: "e1".into(),
            active: Some("e2".into())
        })
    );
    let proposal = example.assess().resolved[&"jane".into()]
        .proposal
        .clone()
        .unwrap();
    assert_eq!(proposal.kind, ProposalKind::Review);
    assert_eq!(proposal.best().unwrap().employee, "e2".into());
    example.people[0].status = OktaStatus::Deprovisioned;
    assert_eq!(blocker(&example).unwrap().reason(), "ActiveRecordLeft");
    let message = blocker(&example).unwrap().message(&example.snapshot());
    let start = "departed; the employee is deactivated, but employee Jane Doe (e2) is active and believed to be this person's, too (same email;";
    assert!(message.starts_with(start), "{message}");
    assert!(message.contains("Match with employeeIds e1, e2;"), "{message}");
    assert!(example.assess().plan.is_empty());
    example.record("jane").rejected.insert("e2".into());
    assert_eq!(
        blocker(&example),
        None,
        "the admin says that it is somebody else's"
    );
    example.record("jane").rejected.clear();
    example.matched("jane", &["e1", "e2"]);
    let deactivations = &example.assess().plan.deactivations;
    assert_eq!(deactivations.len(), 1);
    assert_eq!(deactivations[0].employee, "e2".into());
}

#[test]
fn a_leavers_active_record_is_deactivated_and_its_copy_is_left() {
    let mut example = Example::jane();
    example.records.clear();
    example.employee("e0", "Jane Doe", "").deactivated = true;
    example.people[0].status = OktaStatus::Deprovisioned;
    example.spec.okta.people = PeopleScope::Everyone;
    assert_eq!(resolution(&example, "jane"), matched_with(&["e1"]));
    assert_eq!(example.assess().plan.deactivations.len(), 1);
}

#[test]
fn scope_follows_team_groups_records_and_departures() {
    let mut example = two();
    example.groups.clear();
    assert!(
        example.assess().resolved.is_empty(),
        "nobody is in a team group or has a record"
    );
    example.spec.okta.people = PeopleScope::Everyone;
    assert_eq!(example.assess().resolved.len(), 2);
    example.spec.okta.people = PeopleScope::TeamMembers;
    example.in_force("ann", "e-ann", &[]);
    assert_eq!(blocked_by(&resolution(&example, "ann")), "NotInTeamGroup");
    example.people[0].status = OktaStatus::Deprovisioned;
    assert_eq!(
        resolution(&example, "ann"),
        matched_with(&["e-ann"]),
        "a departed person with a match stays in scope"
    );
    example.people.clear();
    assert_eq!(blocked_by(&resolution(&example, "ann")), "NotInOktaResponse");
}

#[test]
fn people_out_of_scope_still_count_as_rivals_in_matching() {
    let mut example = Example::new();
    example.person("ann", "Ann", "Doe", "Sales").email = Some("doe@acme.com".into());
    example.employee("e-ann", "Ann Doe", "doe@acme.com");
    assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]));
    example.person("other", "Ann", "Doe", "Elsewhere").email = Some("doe@acme.com".into());
    example.groups.retain(|group| group.name == "P_Sales");
    assert_eq!(blocked_by(&resolution(&example, "ann")), "NeedsDecision");
    assert_eq!(
        example.assess().resolved.len(),
        1,
        "people out of scope get no proposal"
    );
}

#[test]
fn a_staged_person_without_an_employee_is_out_of_scope() {
    let mut example = Example::new();
    example.person("ann", "Ann", "Doe", "Sales").status = OktaStatus::Staged;
    assert_eq!(blocked_by(&resolution(&example, "ann")), "NotStarted");
    example.record("ann").decision = Decision::Create;
    assert_eq!(
        resolution(&example, "ann"),
        Resolution::Create,
        "a decision to create overrides that"
    );
}

#[test]
fn a_missing_group_moves_nobody() {
    let mut example = Example::jane();
    example.person("jane", "Jane", "Doe", "Support");
    example.team("Support");
    assert!(example.assess().plan.is_empty(), "the present team wins");
    example.group_vanishes("Sales");
    let assessment = example.assess();
    assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
    example.people[0].family_name = Some("Roe".into());
    let updates = &example.assess().plan.updates;
    let fields: Vec<Field> = updates[0].fields.keys().copied().collect();
    assert_eq!(fields, [Field::Name]);
    example.spec.teams.precedence = vec!["Support".into()];
    assert!(example.assess().plan.updates[0].fields.contains_key(&Field::Team));
}

#[test]
fn a_missing_group_restores_no_earlier_team() {
    let mut example = Example::jane();
    example.spec.okta.people = PeopleScope::Everyone;
    let record = example.record("jane").applied.as_mut().unwrap();
    let inherited = image(&"e1".into(), Field::Team, Some("Default".into()), "Sales".into());
    record.fields.push(AppliedField {
        inherited: true,
        ..inherited
    });
    assert!(example.assess().plan.is_empty());
    example.group_vanishes("Sales");
    let assessment = example.assess();
    assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
}

/// Jane and Omar in sync; nothing is planned.
fn jane_and_omar() -> Example {
    let mut example = Example::jane();
    example.person("omar", "Omar", "Ali", "Sales");
    example.employee("e2", "Omar Ali", "omar@acme.com").team = "Sales".into();
    example.in_force("omar", "e2", &[(Field::Title, None, "Engineer")]);
    example
}

#[test]
fn a_person_whose_record_or_employee_cannot_be_read_waits_and_nobody_else() {
    type Change = fn(&mut Example);
    let cases: [(&str, Change); 10] = [
        ("in force", |_| ()),
        ("by decision", |example| example.matched("jane", &["e1"])),
        ("rejected", |example| {
            example.record("jane").rejected = ["e1".into()].into();
        }),
        ("to be matched with another", |example| {
            example.employee("e3", "J. Doe", "j@acme.com");
            example.matched("jane", &["e3"]);
        }),
        ("to be created", |example| {
            example.record("jane").decision = Decision::Create;
        }),
        ("to be deactivated", |example| {
            example.record("jane").decision = Decision::Deactivate;
        }),
        ("suspended people depart", |example| {
            example.spec.okta.suspended = SuspendedPolicy::Deactivate;
        }),
        ("invitations by policy", |example| {
            example.spec.matching.unmatched = UnmatchedPolicy::Create;
        }),
        ("everyone is in scope", |example| {
            example.spec.okta.people = PeopleScope::Everyone;
        }),
        ("asked for by id before, and deleted", |example| {
            example.deleted = vec!["jane".into()];
        }),
    ];
    for (kind, id, reason) in [
        (RecordKind::Employee, "e1", "EmployeeUnreadable"),
        (RecordKind::User, "jane", "PersonUnreadable"),
    ] {
        for (case, change) in cases {
            let mut example = jane_and_omar();
            change(&mut example);
            example.unreadable(kind, id);
            example
                .people
                .iter_mut()
                .find(|person| person.id == "omar".into())
                .unwrap()
                .title = Some("Director".into());
            let assessment = example.assess();
            let blocker = assessment.blocker(&"jane".into()).map(Blocker::reason);
            assert_eq!(blocker, Some(reason), "{case}");
            let people = assessment.plan.people();
            assert_eq!(people, [&"omar".into()].into(), "{case}: {:?}", assessment.plan);
            let verdict = example.verdict();
            assert!(verdict.missing_people.people.is_empty(), "{case}");
            assert!(verdict.missing_employees.people.is_empty(), "{case}");
            let asked: Vec<_> = unaccounted(&example.snapshot(), &example.records)
                .cloned()
                .collect();
            assert_eq!(asked, [], "{case}");
        }
    }
}

#[test]
fn an_ignored_person_is_unmatched_once_the_employee_can_be_read() {
    let mut example = jane_and_omar();
    example.record("jane").decision = Decision::Ignore;
    assert_eq!(example.assess().plan.unmatches.len(), 1);
    example.unreadable(RecordKind::Employee, "e1");
    let assessment = example.assess();
    assert_eq!(
        assessment.resolved[&"jane".into()].resolution,
        Resolution::Ignored
    );
    assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
}

#[test]
fn the_employee_of_a_person_whose_record_cannot_be_read_is_nobody_elses() {
    let mut example = jane_and_omar();
    // The new account of a Jane who departed would take her employee over.
    let namesake = example.person("jane2", "Jane", "Doe", "Sales");
    namesake.email = Some("jane@acme.com".into());
    example.unreadable(RecordKind::User, "jane");
    let assessment = example.assess();
    let resolution = &assessment.resolved[&"jane2".into()].resolution;
    assert!(matches!(resolution, Resolution::Waits(_)), "{resolution:?}");
    assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
}

#[test]
fn nobody_is_invited_who_may_be_an_employee_whose_record_cannot_be_read() {
    let pending = || request("Nick New", Some("nick@acme.com"));
    for (case, decision, pending, held, expected) in [
        (
            "by policy",
            Decision::Auto,
            None,
            false,
            Some("EmployeeUnreadable"),
        ),
        ("by decision", Decision::Create, None, false, None),
        (
            "by decision, and an earlier invitation may have taken effect",
            Decision::Create,
            Some(pending()),
            false,
            Some("EmployeeUnreadable"),
        ),
        (
            "by policy, and it is somebody's",
            Decision::Auto,
            None,
            true,
            None,
        ),
    ] {
        let mut example = jane_and_omar();
        example.spec.matching.unmatched = UnmatchedPolicy::Create;
        example.person("nick", "Nick", "New", "Sales");
        let record = example.record("nick");
        (record.decision, record.pending) = (decision, pending);
        example.unreadable(RecordKind::Employee, if held { "e1" } else { "e9" });
        let assessment = example.assess();
        let blocker = assessment.blocker(&"nick".into()).map(Blocker::reason);
        assert_eq!(blocker, expected, "{case}");
        assert_eq!(
            assessment.plan.creations.len(),
            usize::from(expected.is_none()),
            "{case}"
        );
    }
}

#[test]
fn invited_people_wait_for_a_place_whose_record_cannot_be_read() {
    for (kind, id, name) in [
        (RecordKind::SharedSettings, "Standard", None),
        (RecordKind::SharedSettings, "Standard", Some("Standard")),
        (RecordKind::Team, "Default", None),
    ] {
        let mut example = Example::new();
        example.person("nick", "Nick", "New", "Sales");
        example.groups.clear();
        example.spec.okta.people = PeopleScope::Everyone;
        example.spec.insightful.new_employees.shared_settings = name.map(str::to_owned);
        example.record("nick").decision = Decision::Create;
        assert_eq!(example.assess().plan.creations.len(), 1);
        example.unreadable(kind, id);
        let assessment = example.assess();
        let blocker = assessment.blocker(&"nick".into()).map(Blocker::reason);
        assert_eq!(blocker, Some("NewEmployeePlaceUnreadable"), "{kind:?} {name:?}");
        assert!(assessment.plan.creations.is_empty());
    }
}
