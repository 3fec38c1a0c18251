use super::*;
use crate::{
    api::{Decision, OnUnmatch, Pending, PendingOperation, SuspendedPolicy},
    model::OktaStatus,
    rules::{blocker::Blocker, example::Example, resolve::Record},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Jane, who is in the team group Sales; her employee is in Default.
fn jane() -> Example {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    example.employee("e1", "Jane Doe", "jane@acme.com");
    example
}

#[test]
fn who_gets_deactivated() {
    use OktaStatus::*;
    for (status, suspended, already_off, expected) in [
        (Active, SuspendedPolicy::Keep, false, 0),
        (Staged, SuspendedPolicy::Keep, false, 0),
        (LockedOut, SuspendedPolicy::Deactivate, false, 0),
        (Other("RETIRED".into()), SuspendedPolicy::Deactivate, false, 0),
        (Suspended, SuspendedPolicy::Keep, false, 0),
        (Suspended, SuspendedPolicy::Deactivate, false, 1),
        (Deprovisioned, SuspendedPolicy::Keep, false, 1),
        (Deprovisioned, SuspendedPolicy::Keep, true, 0),
    ] {
        let mut example = jane();
        example.spec.okta.suspended = suspended;
        example.people[0].status = status.clone();
        example.employees[0].deactivated = already_off;
        let plan = example.assess().plan;
        assert_eq!(plan.deactivations.len(), expected, "{status} {suspended:?}");
        if expected == 1 {
            assert!(plan.updates.is_empty(), "a leaver's other fields are left alone");
        }
    }
}

#[test]
fn nobody_is_deactivated_for_being_absent() {
    let mut example = jane();
    example.in_force("jane", "e1", &[]);
    example.people.clear();
    assert!(
        example.assess().plan.deactivations.is_empty(),
        "not in Okta's answer"
    );
    let mut example = jane();
    example.in_force("jane", "e1", &[]);
    example.groups.clear();
    let plan = example.assess().plan;
    assert!(
        plan.deactivations.is_empty() && plan.updates.is_empty() && plan.unmatches.is_empty(),
        "in no group"
    );
    example.people[0].status = OktaStatus::Deprovisioned;
    assert_eq!(
        example.assess().plan.deactivations.len(),
        1,
        "but a leaver's record counts without a group"
    );
}

#[test]
fn one_write_holds_all_fields_of_an_employee_with_what_they_replace() {
    let mut example = jane();
    example.team("Sales");
    example.people[0].family_name = Some("Roe".into());
    example.matched("jane", &["e1"]);
    example.people[0].email = Some("jane.roe@acme.com".into());
    let plan = example.assess().plan;
    let [update] = plan.updates.as_slice() else {
        panic!("{plan:?}")
    };
    let text = |replace: &Option<Replace<String>>| replace.clone().map(|r| (r.from, r.to, r.before));
    let pair = |from: &str, to: &str| Some((Some(from.to_owned()), to.to_owned(), Some(from.to_owned())));
    assert_eq!(text(&update.name), pair("Jane Doe", "Jane Roe"));
    assert_eq!(text(&update.email), pair("jane@acme.com", "jane.roe@acme.com"));
    assert_eq!(
        text(&update.title),
        Some((None, "Engineer".to_owned(), None)),
        "a title cannot be read"
    );
    assert_eq!(
        update.team.as_ref().unwrap().to,
        TeamTarget::Existing("Sales".into())
    );
}

#[test]
fn a_title_is_written_when_it_is_not_what_was_written_last() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
    assert!(example.assess().plan.is_empty());
    example.people[0].title = Some("Manager".into());
    assert_eq!(
        example.assess().plan.updates[0]
            .title
            .as_ref()
            .unwrap()
            .from
            .as_deref(),
        Some("Engineer")
    );
    example.people[0].title = None;
    assert!(example.assess().plan.is_empty(), "no title in Okta says nothing");
}

#[test]
fn the_before_image_is_of_the_time_before_the_first_write() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("J. Doe"), "Jane Doe")]);
    example.people[0].family_name = Some("Roe".into());
    let before = |example: &Example| example.assess().plan.updates[0].name.clone().unwrap().before;
    assert_eq!(before(&example).as_deref(), Some("J. Doe"));
    example.employees[0].name = "Janet".into();
    assert_eq!(
        before(&example).as_deref(),
        Some("Janet"),
        "somebody else's value is what we replace"
    );
}

#[test]
fn a_match_taken_back_gives_back_what_still_holds() {
    let written = [
        (Field::Name, Some("J. Doe"), "Jane Doe"),
        (Field::Email, Some("j@old.com"), "jane@acme.com"),
        (Field::Title, None, "Engineer"),
        (Field::Team, Some("Default"), "Sales"),
    ];
    type TakeBack = fn(&mut Record);
    let unmatched: [(&str, TakeBack); 3] = [
        ("Ignore", |record| record.decision = Decision::Ignore),
        ("rejected", |record| {
            record.rejected.insert("e1".into());
        }),
        ("Create", |record| record.decision = Decision::Create),
    ];
    for (how, take_back) in unmatched {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.in_force("jane", "e1", &written);
        example.employees[0].email = "changed@acme.com".into();
        take_back(example.record("jane"));
        let plan = example.assess().plan;
        let [restore] = plan.restores.as_slice() else {
            panic!("{how}: {plan:?}")
        };
        assert_eq!(restore.name.as_ref().unwrap().to, "J. Doe", "{how}");
        assert_eq!(
            restore.team.as_ref().unwrap().to,
            TeamTarget::Existing("Default".into()),
            "{how}"
        );
        assert_eq!(restore.email, None, "{how}");
        let left = [
            (Field::Email, NotRestored::ChangedSince),
            (Field::Title, NotRestored::Unreadable),
        ];
        assert_eq!(restore.left, left, "{how}");
        assert_eq!(plan.unmatches.len(), 1, "{how}");
        example.spec.on_unmatch = OnUnmatch::Keep;
        let plan = example.assess().plan;
        assert!(plan.restores.is_empty() && plan.unmatches.len() == 1, "{how}");
    }
}

#[test]
fn a_restore_takes_no_notice_of_the_case_of_an_email() {
    // What was there, what we wrote and what is there now: given back, there already, or left.
    let cases = [
        ("j@old.com", "jane@acme.com", "jane@acme.com", "given back"),
        ("j@old.com", "Jane@Acme.com", "jane@acme.com", "given back"),
        ("j@old.com", "jane@acme.com", "JANE@acme.com", "given back"),
        ("J@Old.com", "jane@acme.com", "j@old.com", "there already"),
        ("j@old.com", "jane@acme.com", "janet@acme.com", "left"),
    ];
    for (before, after, now, expected) in cases {
        let mut example = jane();
        example.employees[0].email = now.into();
        example.in_force("jane", "e1", &[(Field::Email, Some(before), after)]);
        example.record("jane").decision = Decision::Ignore;
        let [restore] = example.assess().plan.restores.clone().try_into().unwrap();
        let outcome = match (
            &restore.email,
            restore.already.as_slice(),
            restore.left.as_slice(),
        ) {
            (Some(email), [], []) if email.to == before => "given back",
            (None, [Field::Email], []) => "there already",
            (None, [], [(Field::Email, NotRestored::ChangedSince)]) => "left",
            _ => panic!("{restore:?}"),
        };
        assert_eq!(outcome, expected, "{before} -> {after}, and {now} now");
    }
}

#[test]
fn an_employee_who_changes_hands_keeps_the_first_before_image() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.in_force(
        "jane",
        "e1",
        &[
            (Field::Name, Some("Somebody"), "Jane Doe"),
            (Field::Team, Some("Default"), "Sales"),
        ],
    );
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1"]);
    let plan = example.assess().plan;
    let [update] = plan.updates.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(update.person, "mary".into());
    let name = update.name.as_ref().unwrap();
    assert_eq!(
        (name.from.as_deref(), name.to.as_str()),
        (Some("Jane Doe"), "Mary Major")
    );
    assert_eq!(name.before.as_deref(), Some("Somebody"));
    let inherited: Vec<Field> = plan.matches[&"mary".into()]
        .inherited
        .iter()
        .map(|field| field.field)
        .collect();
    assert_eq!(
        inherited,
        [Field::Name, Field::Team],
        "also what Mary's match does not write"
    );
    assert!(
        plan.restores.is_empty(),
        "no write is undone that is overwritten in the same plan"
    );
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&"jane".into()]);
}

#[test]
fn an_undo_that_was_cut_short_after_its_effect_is_not_taken_for_somebody_elses_change() {
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
        restore.left,
        [(Field::Email, NotRestored::ChangedSince)],
        "and the deactivation never was"
    );
    assert!(!restore.writes());
}

#[test]
fn a_hand_over_that_was_cut_short_goes_on_whoever_of_the_two_comes_first() {
    for taker in ["abel", "mary"] {
        let mut example = jane();
        let given = (Field::Email, Some("old@acme.com"), "jane@acme.com");
        example.in_force("jane", "e1", &[given]);
        example.person(taker, "Jane", "Doe", "Sales").email = None;
        example.matched(taker, &["e1"]);
        let email = |example: &Example| {
            let update = example.assess().plan.updates[0].clone();
            assert_eq!(update.person, taker.into());
            update.email.map(|email| email.to)
        };
        assert_eq!(email(&example).as_deref(), Some("old@acme.com"));

        // On record, and the write never took effect; Jane's match is released or not.
        let inherited = example.assess().plan.matches[&taker.into()].inherited.clone();
        example.in_force(taker, "e1", &[]);
        example.record(taker).applied.as_mut().unwrap().fields = inherited;
        assert_eq!(email(&example).as_deref(), Some("old@acme.com"), "{taker}");
        example.record("jane").applied = None;
        assert_eq!(email(&example).as_deref(), Some("old@acme.com"), "{taker}");
    }
}

#[test]
fn an_employee_who_is_given_to_somebody_held_stays_where_they_are() {
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
fn a_before_image_outlives_a_write_that_did_not_take_effect() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.in_force(
        "jane",
        "e1",
        &[
            (Field::Name, Some("Somebody"), "Jane Roe"),
            (Field::Title, None, "Engineer"),
        ],
    );
    // The rename to Jane Roe is on record; the employee still has what the match wrote first.
    example.people[0].family_name = Some("Roe".into());
    example.record("jane").applied.as_mut().unwrap().fields[0].replaced = Some("Jane Doe".into());
    let name = example.assess().plan.updates[0].name.clone().unwrap();
    assert_eq!(name.before.as_deref(), Some("Somebody"));
    example.record("jane").decision = Decision::Ignore;
    let restore = example.assess().plan.restores[0].name.clone().unwrap();
    assert_eq!(
        (restore.from.as_deref(), restore.to.as_str()),
        (Some("Jane Doe"), "Somebody")
    );
    // One whose first write did not take effect has nothing to give back.
    example.employees[0].name = "Somebody".into();
    let left = &example.assess().plan.restores[0].left;
    assert_eq!(left, &[(Field::Title, NotRestored::Unreadable)]);
}

#[test]
fn an_employee_who_comes_back_after_a_crash_comes_with_the_first_before_image() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.employees[0].name = "Mary Major".into();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    // Mary's match overwrote Jane's, and is wanted no longer before Jane's was let go.
    example.in_force("mary", "e1", &[(Field::Name, Some("Somebody"), "Mary Major")]);
    example.record("mary").decision = Decision::Ignore;
    let plan = example.assess().plan;
    let name = plan.updates[0].name.clone().unwrap();
    assert_eq!(
        (name.to.as_str(), name.before.as_deref()),
        ("Jane Doe", Some("Somebody"))
    );
    assert_eq!(plan.matches[&"jane".into()].inherited[0].after, "Mary Major");
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&"mary".into()]);
}

#[test]
fn an_employee_on_two_records_is_given_back_once() {
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
    assert_eq!(restore.restored(), [Field::Name]);
    assert_eq!(restore.left, [(Field::Title, NotRestored::Unreadable)]);
    assert_eq!(plan.unmatches.len(), 2);
}

#[test]
fn what_an_earlier_match_wrote_is_given_back_even_after_a_crash() {
    let mut example = jane();
    example.people[0].email = None;
    example.matched("jane", &["e1"]);
    let mary = [(Field::Email, Some("first@acme.com"), "jane@acme.com")];
    example.in_force("mary", "e1", &mary);
    let email = |example: &Example| example.assess().plan.updates[0].email.clone().unwrap();
    assert_eq!(email(&example).to, "first@acme.com");
    assert!(!email(&example).ours);
    // Jane's match is on record, Mary's is let go, and the write is still due.
    let inherited = example.assess().plan.matches[&"jane".into()].inherited.clone();
    example.record("mary").applied = None;
    example.in_force("jane", "e1", &mary);
    example.record("jane").applied.as_mut().unwrap().fields = inherited;
    assert_eq!(email(&example).to, "first@acme.com");
}

#[test]
fn the_email_moves_on_to_the_employee_who_is_named_first() {
    let mut example = jane();
    example.employee("e2", "Jane Doe", "second@acme.com");
    example.in_force(
        "jane",
        "e1",
        &[(Field::Email, Some("first@acme.com"), "jane@acme.com")],
    );
    example.matched("jane", &["e2", "e1"]);
    let updates = example.assess().plan.updates.clone();
    let emails: Vec<(&str, &str)> = updates
        .iter()
        .map(|update| {
            (
                update.employee.as_str(),
                update.email.as_ref().unwrap().to.as_str(),
            )
        })
        .collect();
    assert_eq!(emails, [("e1", "first@acme.com"), ("e2", "jane@acme.com")]);
}

#[test]
fn a_decision_that_cannot_be_followed_takes_nobody_s_employee() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1", "nobody"]);
    let plan = example.assess().plan;
    assert!(plan.unmatches.is_empty() && plan.restores.is_empty());
}

#[test]
fn an_employee_in_another_s_hands_is_let_go_wherever_the_first_person_stands() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    example.groups.clear();
    example.person("mary", "Mary", "Major", "Sales");
    example.matched("mary", &["e1"]);
    let plan = example.assess().plan;
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&"jane".into()]);
    assert!(
        plan.restores.is_empty(),
        "Mary's match gives back what is to be given back"
    );
}

#[test]
fn a_decision_corrected_for_somebody_out_of_scope_lets_the_wrong_employee_go() {
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
        assert_eq!(
            (restore.employee.as_str(), restore.restored()),
            ("e1", vec![Field::Name])
        );
        assert_eq!(plan.unmatches[&"jane".into()], ["e1".into()].into());
        assert!(plan.updates.is_empty() && plan.matches.is_empty(), "{plan:?}");
    }
}

#[test]
fn a_wrong_employee_who_holds_the_email_gives_it_back_to_make_room() {
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
        Some(&Blocker::EmailTaken { by: "e1".into() })
    );
    assert_eq!(assessment.plan.restores[0].employee, "e1".into());
    example.employees[0].email = "x@acme.com".into();
    example.record("jane").applied = None;
    let plan = example.assess().plan;
    assert_eq!(plan.updates[0].email.as_ref().unwrap().to, "jane@acme.com");
}

#[test]
fn emails_are_freed_before_they_are_given_and_swaps_are_held() {
    let mut example = Example::new();
    for (id, now, wanted) in [
        ("a", "b@acme.com", "a@acme.com"),
        ("b", "c@acme.com", "b@acme.com"),
    ] {
        example.person(id, id, "Chain", "Sales").email = Some(wanted.into());
        example.employee(&format!("e{id}"), &format!("{id} Chain"), now);
        example.matched(id, &[&format!("e{id}")]);
    }
    let order = |plan: &Plan| {
        plan.updates
            .iter()
            .map(|u| u.employee.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        order(&example.assess().plan),
        ["ea", "eb"],
        "b@ is free once a has left it"
    );

    example.employees[0].email = "b@acme.com".into();
    example.employees[1].email = "a@acme.com".into();
    let assessment = example.assess();
    assert!(assessment.plan.updates.is_empty(), "a swap has no order");
    for id in ["a", "b"] {
        assert!(
            matches!(assessment.blocker(&id.into()), Some(Blocker::EmailTaken { .. })),
            "{id}"
        );
    }

    example.employees[0].email = "x@acme.com".into();
    example.employees[1].email = "y@acme.com".into();
    example.people[0].email = Some("same@acme.com".into());
    example.people[1].email = Some("Same@acme.com".into());
    let assessment = example.assess();
    assert!(assessment.plan.updates.is_empty());
    assert_eq!(assessment.blocker(&"a".into()), Some(&Blocker::EmailNotUnique));
}

#[test]
fn an_email_whose_holder_is_held_is_not_free() {
    let mut example = Example::new();
    example.person("ann", "Ann", "Doe", "Sales").email = Some("new@acme.com".into());
    example.employee("e1", "Ann Doe", "ann@acme.com");
    example.employee("e2", "Ann Doe", "second@acme.com");
    // Her second employee is to give back an email that somebody has by now.
    example.in_force(
        "zoe",
        "e2",
        &[(Field::Email, Some("taken@acme.com"), "second@acme.com")],
    );
    example.employee("e3", "Somebody", "taken@acme.com");
    example.matched("ann", &["e1", "e2"]);
    example.person("bob", "Bob", "Roe", "Sales").email = Some("ann@acme.com".into());
    example.employee("e4", "Bob Roe", "bob@acme.com");
    example.matched("bob", &["e4"]);
    let assessment = example.assess();
    let taken = |by: &str| Blocker::EmailTaken { by: by.into() };
    assert_eq!(assessment.blocker(&"ann".into()), Some(&taken("e3")));
    assert_eq!(
        assessment.blocker(&"bob".into()),
        Some(&taken("e1")),
        "Ann keeps her email, so that Bob cannot have it"
    );
    assert!(assessment.plan.updates.is_empty());
}

#[test]
fn emails_are_given_back_in_the_order_in_which_they_become_free() {
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
    let restores = |example: &Example| {
        let restores = example.assess().plan.restores.clone();
        let email = |restore: &Restore| restore.email.as_ref().map(|email| email.to.clone());
        restores
            .iter()
            .map(|restore| (restore.employee.to_string(), email(restore)))
            .collect::<Vec<_>>()
    };
    let back = |employee: &str, email: Option<&str>| (employee.to_owned(), email.map(str::to_owned));
    assert_eq!(
        restores(&example),
        [back("e2", Some("z@acme.com")), back("e1", Some("x@acme.com"))]
    );

    // Whoever is invited in the same plan comes first.
    example.person("eve", "Eve", "Roe", "Sales").email = Some("Z@acme.com".into());
    example.record("eve").decision = Decision::Create;
    assert_eq!(restores(&example), [back("e1", None), back("e2", None)]);
    let left = &example.assess().plan.restores[0].left;
    assert_eq!(left, &[(Field::Email, NotRestored::NoLongerFree)]);
}

#[test]
fn who_can_be_invited() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    example.record("jane").decision = Decision::Create;
    let plan = example.assess().plan;
    assert_eq!(plan.teams[0].name, "Sales");
    assert_eq!(plan.creations[0].team, TeamTarget::Created("g-Sales".into()));
    assert_eq!(plan.creations[0].settings, "Standard".into());

    let blocker = |change: fn(&mut Example)| {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.record("jane").decision = Decision::Create;
        change(&mut example);
        let assessment = example.assess();
        assert!(assessment.plan.creations.is_empty());
        assessment.blocker(&"jane".into()).map(Blocker::reason)
    };
    assert_eq!(blocker(|e| e.people[0].email = None), Some("NoEmail"));
    assert_eq!(
        blocker(|e| (e.people[0].given_name, e.people[0].family_name) = (None, None)),
        Some("NoName")
    );
    assert_eq!(
        blocker(|e| {
            e.employee("e9", "X", "Jane@Acme.com");
        }),
        Some("EmailTaken")
    );
    assert_eq!(
        blocker(|e| e.spec.teams.create_missing = false),
        Some("TeamNotCreated")
    );
    assert_eq!(
        blocker(|e| e.spec.insightful.new_employees.shared_settings = Some("Nope".into())),
        Some("SharedSettingsMissing")
    );
    assert_eq!(
        blocker(|e| e.people[0].status = OktaStatus::Deprovisioned),
        Some("DepartedWithoutEmployee")
    );
}

#[test]
fn a_creation_whose_answer_was_lost_is_found_by_its_email() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    let record = example.record("jane");
    record.decision = Decision::Create;
    let since = Time(jiff::Timestamp::UNIX_EPOCH);
    record.pending = Some(Pending {
        operation: PendingOperation::CreateEmployee,
        since,
    });
    assert_eq!(example.assess().plan.creations.len(), 1, "it had no effect");
    example.employee("e1", "Jane Doe", "jane@acme.com");
    let plan = example.assess().plan;
    assert!(plan.creations.is_empty());
    assert_eq!(plan.matches[&"jane".into()].employees, ["e1".into()]);
}

#[test]
fn the_hash_covers_the_values_and_not_the_order_of_the_input() {
    let mut example = Example::new();
    for id in ["a", "b", "c"] {
        example.person(id, id, "Doe", "Sales");
        example.employee(&format!("e{id}"), &format!("{id} Doe"), &format!("{id}@acme.com"));
    }
    let plan = example.assess().plan;
    example.people.reverse();
    example.employees.reverse();
    example.groups.reverse();
    assert_eq!(example.assess().plan, plan);
    assert_eq!(example.assess().plan.hash(), plan.hash());
    assert!(plan.hash().starts_with("sha256:") && plan.hash().len() == 71);
    example.people[0].title = Some("Manager".into());
    assert_ne!(example.assess().plan.hash(), plan.hash());
}

#[test]
fn the_plan_after_an_apply_is_empty() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
    assert!(example.assess().plan.is_empty());
    assert_eq!(example.assess().plan.summary().total, 0);
}
