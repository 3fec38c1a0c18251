use super::*;
use crate::rules::{blocker::EmailHolder, example::Example, plan::tests::jane};

/// The fields that are restored, and their former values.
fn restored(restore: &Restore) -> Vec<(Field, &str)> {
    let fields = restore.fields.iter();
    fields
        .map(|(field, replace)| (*field, replace.to.as_text().unwrap()))
        .collect()
}

#[test]
fn an_unmatch_restores_the_fields_that_still_hold_what_was_written() {
    let written = [
        (Field::Name, Some("J. Doe"), "Jane Doe"),
        (Field::Email, Some("j@old.com"), "jane@acme.com"),
        (Field::Title, None, "Engineer"),
        (Field::Team, Some("Default"), "Sales"),
    ];
    type Unmatch = fn(&mut Record);
    let decisions: [(&str, Unmatch); 3] = [
        ("Ignore", |record| record.decision = Decision::Ignore),
        ("rejected", |record| {
            record.rejected.insert("e1".into());
        }),
        ("Create", |record| record.decision = Decision::Create),
    ];
    for (how, unmatch) in decisions {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.in_force("jane", "e1", &written);
        example.employees[0].email = "changed@acme.com".into();
        unmatch(example.record("jane"));
        let plan = example.assess().plan;
        let [restore] = plan.restores.as_slice() else {
            panic!("{how}: {plan:?}")
        };
        let fields = [(Field::Name, "J. Doe"), (Field::Team, "Default")];
        assert_eq!(restored(restore), fields, "{how}");
        let not_restored = [
            (Field::Email, NotRestored::ChangedSince),
            (Field::Title, NotRestored::Unreadable),
        ];
        assert_eq!(restore.not_restored, not_restored, "{how}");
        assert_eq!(
            restore.announcement(&example.snapshot()),
            "restores name, team of employee Jane Doe (e1); \
             email is not restored: somebody changed it after it was synced; \
             title is not restored: the former value is unknown",
        );
        assert_eq!(plan.unmatches.len(), 1, "{how}");
        example.spec.on_unmatch = OnUnmatch::Keep;
        let plan = example.assess().plan;
        assert!(plan.restores.is_empty() && plan.unmatches.len() == 1, "{how}");
    }
}

#[test]
fn a_restore_ignores_the_case_of_an_email() {
    // The former email, the one that was written, and the present one.
    let cases = [
        ("j@old.com", "jane@acme.com", "jane@acme.com", "restored"),
        ("j@old.com", "Jane@Acme.com", "jane@acme.com", "restored"),
        ("j@old.com", "jane@acme.com", "JANE@acme.com", "restored"),
        ("J@Old.com", "jane@acme.com", "j@old.com", "there already"),
        ("j@old.com", "jane@acme.com", "janet@acme.com", "not restored"),
    ];
    for (before, after, now, expected) in cases {
        let mut example = jane();
        example.employees[0].email = now.into();
        example.in_force("jane", "e1", &[(Field::Email, Some(before), after)]);
        example.record("jane").decision = Decision::Ignore;
        let [restore] = example.assess().plan.restores.clone().try_into().unwrap();
        let outcome = match (
            restored(&restore).as_slice(),
            restore.already.as_slice(),
            restore.not_restored.as_slice(),
        ) {
            ([(Field::Email, to)], [], []) if *to == before => "restored",
            ([], [Field::Email], []) => "there already",
            ([], [], [(Field::Email, NotRestored::ChangedSince)]) => "not restored",
            _ => panic!("{restore:?}"),
        };
        assert_eq!(outcome, expected, "{before} -> {after}, and {now} now");
    }
}

#[test]
fn a_restore_that_was_cut_short_after_its_effect_is_not_a_change_by_somebody_else() {
    let mut example = jane();
    example.in_force(
        "jane",
        "e1",
        &[
            (Field::Name, Some("Jane Doe"), "Jane Roe"),
            (Field::Email, Some("old@acme.com"), "new@acme.com"),
            (Field::Active, Some("true"), "false"),
        ],
    );
    example.record("jane").decision = Decision::Ignore;
    let restore = example.assess().plan.restores[0].clone();
    assert_eq!(restore.already, [Field::Name]);
    assert_eq!(
        restore.not_restored,
        [(Field::Email, NotRestored::ChangedSince)],
        "the deactivation did not take effect"
    );
    assert!(!restore.writes());
    assert_eq!(
        restore.announcement(&example.snapshot()),
        "restores nothing of employee Jane Doe (e1); name already holds its former value; \
         email is not restored: somebody changed it after it was synced",
    );
}

#[test]
fn a_deactivation_and_a_team_that_no_longer_exists_are_not_restored() {
    let mut example = jane();
    example.employees[0].deactivated = true;
    let written = [
        (Field::Team, Some("Gone"), "Default"),
        (Field::Active, Some("true"), "false"),
    ];
    example.in_force("jane", "e1", &written);
    example.record("jane").decision = Decision::Ignore;
    let restore = example.assess().plan.restores[0].clone();
    let not_restored = [
        (Field::Team, NotRestored::TeamMissing),
        (Field::Active, NotRestored::Irreversible),
    ];
    assert_eq!(restore.not_restored, not_restored);
}

#[test]
fn a_match_stays_in_force_while_the_person_who_takes_the_employee_is_held() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    example.person("mary", "Mary", "Major", "Sales");
    example.person("mary", "Mary", "Major", "Support");
    example.matched("mary", &["e1"]);
    let assessment = example.assess();
    assert!(matches!(
        assessment.blocker(&"mary".into()),
        Some(Blocker::SeveralTeams { .. })
    ));
    assert!(
        assessment.plan.unmatches.is_empty() && assessment.plan.restores.is_empty(),
        "no before-image is lost"
    );
}

#[test]
fn an_employee_on_two_records_is_restored_once() {
    let mut example = jane();
    let written = [
        (Field::Name, Some("Somebody"), "Jane Doe"),
        (Field::Title, None, "Engineer"),
    ];
    for person in ["jane", "mary"] {
        example.in_force(person, "e1", &written);
        example.record(person).decision = Decision::Ignore;
    }
    let plan = example.assess().plan;
    let [restore] = plan.restores.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(restored(restore), [(Field::Name, "Somebody")]);
    assert_eq!(restore.not_restored, [(Field::Title, NotRestored::Unreadable)]);
    assert_eq!(plan.unmatches.len(), 2);
}

#[test]
fn a_decision_that_names_a_missing_employee_unmatches_nobody() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1", "nobody"]);
    let plan = example.assess().plan;
    assert!(plan.unmatches.is_empty() && plan.restores.is_empty());
}

#[test]
fn an_employee_that_another_match_takes_over_is_unmatched_even_out_of_scope() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    example.groups.clear();
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1"]);
    let plan = example.assess().plan;
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&"jane".into()]);
    assert!(plan.restores.is_empty(), "the update of Mary's match restores");
}

#[test]
fn a_corrected_decision_unmatches_the_wrong_employee_even_out_of_scope() {
    for is_in_okta in [true, false] {
        let mut example = jane();
        example.employee("e2", "Jane D.", "jane.d@acme.com");
        example.employee("e3", "Jane Doe", "device@acme.com");
        let written = (Field::Name, Some("Somebody"), "Jane Doe");
        example.in_force("jane", "e1", &[written]);
        let applied = example.record("jane").applied.as_mut().unwrap();
        applied.employee_ids.push("e3".into());
        applied.fields.push(AppliedField {
            employee_id: "e3".into(),
            ..applied.fields[0].clone()
        });
        example.groups.clear();
        if !is_in_okta {
            example.people.clear();
        }
        assert!(example.assess().plan.is_empty());
        example.matched("jane", &["e2", "e3"]);
        let plan = example.assess().plan;
        let [restore] = plan.restores.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!(restore.employee, "e1".into());
        assert_eq!(restored(restore), [(Field::Name, "Somebody")]);
        assert_eq!(plan.unmatches[&"jane".into()], ["e1".into()].into());
        assert!(plan.updates.is_empty() && plan.matches.is_empty(), "{plan:?}");
    }
}

#[test]
fn the_status_shows_the_last_unmatched_employee_and_what_was_restored_of_it() {
    let shown = |employee: &str| Unmatched {
        employee_id: employee.to_owned(),
        time: Time(Timestamp::UNIX_EPOCH),
        restored: vec![Field::Name],
        not_restored: Vec::new(),
    };
    let now = Timestamp::MAX;
    let employees = ["e1".into(), "e2".into()].into();
    assert_eq!(
        last_unmatched(Some(shown("e2")), &employees, now),
        Some(shown("e2"))
    );
    for before in [None, Some(shown("e9"))] {
        let last = last_unmatched(before, &employees, now).unwrap();
        assert_eq!((last.employee_id.as_str(), last.time.0), ("e1", now));
        assert!(last.restored.is_empty());
    }
}

#[test]
fn a_wrong_employee_that_holds_the_email_is_restored_to_make_room() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].name = "Somebody".into();
    example.in_force(
        "jane",
        "e1",
        &[(Field::Email, Some("x@acme.com"), "jane@acme.com")],
    );
    example.employee("e2", "Jane Doe", "j@acme.com");
    example.matched("jane", &["e2"]);
    let assessment = example.assess();
    assert_eq!(
        assessment.blocker(&"jane".into()),
        Some(&Blocker::EmailTaken {
            by: "e1".into(),
            holder: EmailHolder::Former {
                own: vec!["e2".into()]
            }
        })
    );
    assert_eq!(assessment.plan.restores[0].employee, "e1".into());
    example.employees[0].email = "x@acme.com".into();
    example.record("jane").applied = None;
    let plan = example.assess().plan;
    let email = &plan.updates[0].fields[&Field::Email];
    assert_eq!(email.to.as_text(), Some("jane@acme.com"));
}

#[test]
fn emails_are_restored_in_the_order_in_which_they_become_free() {
    let mut example = Example::new();
    for (person, employee, before, now) in [
        ("ann", "e1", "x@acme.com", "y@acme.com"),
        ("bob", "e2", "z@acme.com", "x@acme.com"),
    ] {
        example.person(person, person, "Doe", "Sales").email = Some(now.into());
        example.employee(employee, "Somebody", now);
        example.in_force(person, employee, &[(Field::Email, Some(before), now)]);
        example.record(person).decision = Decision::Ignore;
    }
    let plan = example.assess().plan;
    let emails = plan
        .restores
        .iter()
        .map(|restore| (restore.employee.as_str(), restored(restore)));
    let expected = [
        ("e2", vec![(Field::Email, "z@acme.com")]),
        ("e1", vec![(Field::Email, "x@acme.com")]),
    ];
    assert_eq!(emails.collect::<Vec<_>>(), expected);

    // A person who is invited in the same plan comes first.
    example.person("eve", "Eve", "Roe", "Sales").email = Some("Z@acme.com".into());
    example.record("eve").decision = Decision::Create;
    let restores = example.assess().plan.restores.clone();
    let employees = restores.iter().map(|restore| restore.employee.as_str());
    assert_eq!(employees.collect::<Vec<_>>(), ["e1", "e2"]);
    for restore in &restores {
        assert_eq!(restored(restore), []);
        assert_eq!(restore.not_restored, [(Field::Email, NotRestored::EmailTaken)]);
    }
}

#[test]
fn a_field_that_was_restored_or_changed_after_the_plan_was_made_is_not_written() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    example.employee("e1", "Jane Doe", "jane@acme.com");
    let written = [
        (Field::Name, Some("J. Doe"), "Jane Doe"),
        (Field::Email, Some("j@old.com"), "jane@acme.com"),
    ];
    example.in_force("jane", "e1", &written);
    example.record("jane").decision = Decision::Ignore;
    let restore = example.assess().plan.restores[0].clone();
    let (both, email) = (vec![Field::Name, Field::Email], vec![Field::Email]);
    let changed = vec![(Field::Name, NotRestored::ChangedSince)];
    let (old_name, old_email) = (Some("J. Doe"), Some("j@old.com"));
    for (name, address, body, restored, not_restored) in [
        ("Jane Doe", "jane@acme.com", (old_name, old_email), &both, vec![]),
        ("J. Doe", "Jane@Acme.com", (None, old_email), &both, vec![]),
        ("Janet", "J@Old.com", (None, None), &email, changed),
    ] {
        let now = Employee {
            name: name.into(),
            email: address.into(),
            ..example.employees[0].clone()
        };
        let write = RestoreWrite::of(restore.clone(), &now);
        assert_eq!(
            (write.body.name.as_deref(), write.body.email.as_deref()),
            body,
            "{name}"
        );
        assert_eq!(&write.restored, restored, "{name}");
        assert_eq!(write.not_restored, not_restored, "{name}");
    }
}

#[test]
fn a_field_that_cannot_be_restored_keeps_no_other() {
    let mut example = jane();
    let written = [
        (Field::Name, Some("J. Doe"), "Jane Doe"),
        (Field::Email, Some(""), "jane@acme.com"),
    ];
    example.in_force("jane", "e1", &written);
    example.record("jane").decision = Decision::Ignore;
    let plan = example.assess().plan;
    assert_eq!(restored(&plan.restores[0]), [(Field::Name, "J. Doe")]);
    assert_eq!(
        plan.restores[0].not_restored,
        [(Field::Email, NotRestored::Empty)]
    );
    assert_eq!(plan.unmatches.len(), 1);
    // Of an employee that is no longer the first, the email stays where none was before.
    example.record("jane").decision = Decision::Auto;
    example.employee("e2", "Jane Doe", "second@acme.com");
    example.matched("jane", &["e2", "e1"]);
    let assessment = example.assess();
    assert!(assessment.plan.updates.is_empty());
    assert_eq!(
        assessment.blocker(&"jane".into()),
        Some(&Blocker::EmailTaken {
            by: "e1".into(),
            holder: EmailHolder::Same {
                employees: vec!["e1".into(), "e2".into()]
            }
        })
    );
}

#[test]
fn what_insightful_refuses_or_stores_in_its_own_way_is_named_and_the_rest_is_restored() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    let written = [
        (Field::Name, Some("j. doe"), "Jane Doe"),
        (Field::Email, Some("j@old"), "jane@acme.com"),
        (Field::Team, Some("Default"), "Sales"),
    ];
    example.in_force("jane", "e1", &written);
    example.record("jane").decision = Decision::Ignore;
    let restore = example.assess().plan.restores[0].clone();
    let mut write = RestoreWrite::of(restore, &example.employees[0]);
    let bodies = write.one_by_one();
    let fields: Vec<Field> = bodies.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, [Field::Name, Field::Email, Field::Team]);
    let answer = Employee {
        name: "J. Doe".into(),
        ..example.employees[0].clone()
    };
    write.answered(&bodies[0].1, &answer);
    write.refused(Field::Email, "no address".to_owned());
    assert_eq!(write.restored, [Field::Team]);
    assert_eq!(
        write.not_restored,
        [
            (Field::Name, NotRestored::StoredDifferently("J. Doe".to_owned())),
            (Field::Email, NotRestored::Refused("no address".to_owned())),
        ]
    );
}

#[test]
fn a_value_that_insightful_stored_in_its_own_way_is_restored() {
    let mut example = jane();
    example.employees[0].name = "Jane (McDoe)".into();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane McDoe")]);
    example.record("jane").decision = Decision::Ignore;
    let not_restored = &example.assess().plan.restores[0].not_restored.clone();
    assert_eq!(not_restored, &[(Field::Name, NotRestored::ChangedSince)]);
    example.record("jane").applied.as_mut().unwrap().fields[0].stored = Some("Jane (McDoe)".into());
    let name = |example: &Example| example.assess().plan.restores[0].fields[&Field::Name].to.clone();
    let somebody = NewValue::Text("Somebody".to_owned());
    assert_eq!(name(&example), somebody);
    // If the answer was lost, another case is still recognised.
    example.record("jane").applied.as_mut().unwrap().fields[0].stored = None;
    example.employees[0].name = "JANE MCDOE".into();
    assert_eq!(name(&example), somebody);
}
