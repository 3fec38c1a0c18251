use super::*;
use crate::{
    api::{Decision, SuspendedPolicy},
    model::OktaStatus,
    rules::{
        assessment::Assessment,
        blocker::{Blocker, EmailHolder},
        example::{Example, request},
        record::{self, Overwrite},
        resolve::Record,
    },
};

/// Jane, who is in the team group Sales; her employee is in Default.
pub(super) fn jane() -> Example {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    example.employee("e1", "Jane Doe", "jane@acme.com");
    example
}

/// The write of a field in the plan's first update.
fn write(example: &Example, field: Field) -> Replace {
    example.assess().plan.updates[0].fields[&field].clone()
}

#[test]
fn an_employee_is_deactivated_when_the_record_of_the_person_says_they_departed() {
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
            assert!(
                plan.updates.is_empty(),
                "the other fields of a departed person's employee are not written"
            );
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
        "not in Okta's response"
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
        "but the record of a departed person counts without a group"
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
    let write = |from: Option<&str>, to| Replace {
        from: from.map(str::to_owned),
        to,
        before: from.map(str::to_owned),
        restores: false,
    };
    let text = |text: &str| NewValue::Text(text.to_owned());
    let fields = [
        (Field::Name, write(Some("Jane Doe"), text("Jane Roe"))),
        (
            Field::Email,
            write(Some("jane@acme.com"), text("jane.roe@acme.com")),
        ),
        // A title cannot be read.
        (Field::Title, write(None, text("Engineer"))),
        (
            Field::Team,
            write(
                Some("Default"),
                NewValue::Team(TeamTarget::Existing("Sales".into())),
            ),
        ),
    ];
    assert_eq!(update.fields, fields.into());
}

#[test]
fn a_title_is_written_when_it_is_not_what_was_written_last() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
    assert!(example.assess().plan.is_empty());
    example.people[0].title = Some("Manager".into());
    let title = write(&example, Field::Title);
    assert_eq!(title.from.as_deref(), Some("Engineer"));
    example.people[0].title = None;
    assert!(example.assess().plan.is_empty(), "no title in Okta says nothing");
}

#[test]
fn the_before_image_is_the_value_before_the_first_write() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("J. Doe"), "Jane Doe")]);
    example.people[0].family_name = Some("Roe".into());
    let before = |example: &Example| write(example, Field::Name).before;
    assert_eq!(before(&example).as_deref(), Some("J. Doe"));
    example.employees[0].name = "Janet".into();
    assert_eq!(
        before(&example).as_deref(),
        Some("Janet"),
        "the value of somebody else is the one that is replaced"
    );
}

#[test]
fn a_match_that_takes_an_employee_over_inherits_the_first_before_image() {
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
    let name = &update.fields[&Field::Name];
    assert_eq!(
        (name.from.as_deref(), name.to.as_text()),
        (Some("Jane Doe"), Some("Mary Major"))
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
        "also the field that Mary's match does not write"
    );
    assert!(
        plan.restores.is_empty(),
        "nothing is restored that the same plan overwrites"
    );
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&"jane".into()]);
}

#[test]
fn a_takeover_that_was_cut_short_resumes_whichever_person_comes_first() {
    for taker in ["abel", "mary"] {
        let mut example = jane();
        let given = (Field::Email, Some("old@acme.com"), "jane@acme.com");
        example.in_force("jane", "e1", &[given]);
        example.person(taker, "Jane", "Doe", "Sales").email = None;
        example.matched(taker, &["e1"]);
        let email = |example: &Example| {
            let update = example.assess().plan.updates[0].clone();
            assert_eq!(update.person, taker.into());
            write(example, Field::Email).to
        };
        let restored = NewValue::Text("old@acme.com".to_owned());
        assert_eq!(email(&example), restored);

        // On record, and the write did not take effect; Jane's match is unmatched or not.
        let inherited = example.assess().plan.matches[&taker.into()].inherited.clone();
        example.in_force(taker, "e1", &[]);
        example.record(taker).applied.as_mut().unwrap().fields = inherited;
        assert_eq!(email(&example), restored, "{taker}");
        example.record("jane").applied = None;
        assert_eq!(email(&example), restored, "{taker}");
    }
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
    let name = write(&example, Field::Name);
    assert_eq!(name.before.as_deref(), Some("Somebody"));
    example.record("jane").decision = Decision::Ignore;
    let restore = example.assess().plan.restores[0].fields[&Field::Name].clone();
    assert_eq!(
        (restore.from.as_deref(), restore.to.as_text()),
        (Some("Jane Doe"), Some("Somebody"))
    );
    // If the first write did not take effect either, there is nothing to restore.
    example.employees[0].name = "Somebody".into();
    let not_restored = &example.assess().plan.restores[0].not_restored;
    assert_eq!(not_restored, &[(Field::Title, NotRestored::Unreadable)]);
}

#[test]
fn an_employee_that_returns_to_its_match_after_a_crash_keeps_the_first_before_image() {
    let mut example = jane();
    example.team("Sales");
    example.employees[0].team = "Sales".into();
    example.employees[0].name = "Mary Major".into();
    example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
    // Mary's match overwrote Jane's, and ends before Jane's was unmatched.
    example.in_force("mary", "e1", &[(Field::Name, Some("Somebody"), "Mary Major")]);
    example.record("mary").decision = Decision::Ignore;
    let plan = example.assess().plan;
    let name = write(&example, Field::Name);
    assert_eq!(
        (name.to.as_text(), name.before.as_deref()),
        (Some("Jane Doe"), Some("Somebody"))
    );
    assert_eq!(plan.matches[&"jane".into()].inherited[0].after, "Mary Major");
    assert_eq!(plan.unmatches.keys().collect::<Vec<_>>(), [&"mary".into()]);
}

#[test]
fn an_update_restores_what_an_earlier_match_wrote_even_after_a_crash() {
    let mut example = jane();
    example.people[0].email = None;
    example.matched("jane", &["e1"]);
    let mary = [(Field::Email, Some("first@acme.com"), "jane@acme.com")];
    example.in_force("mary", "e1", &mary);
    let email = |example: &Example| write(example, Field::Email);
    assert_eq!(email(&example).to.as_text(), Some("first@acme.com"));
    assert!(email(&example).restores);
    // Jane's match is on record, Mary's is unmatched, and the write is still due.
    let inherited = example.assess().plan.matches[&"jane".into()].inherited.clone();
    example.record("mary").applied = None;
    example.in_force("jane", "e1", &mary);
    example.record("jane").applied.as_mut().unwrap().fields = inherited;
    assert_eq!(email(&example).to.as_text(), Some("first@acme.com"));
}

#[test]
fn the_email_moves_to_the_employee_that_the_decision_names_first() {
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
            let email = &update.fields[&Field::Email];
            (update.employee.as_str(), email.to.as_text().unwrap())
        })
        .collect();
    assert_eq!(emails, [("e1", "first@acme.com"), ("e2", "jane@acme.com")]);
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
            matches!(assessment.blocker(&id.into()), Some(Blocker::EmailsExchanged { matches }) if matches.len() == 2),
            "{id}"
        );
    }
    // The way out that the message names: a free address for one of the two.
    example.employees[0].email = "free@acme.com".into();
    assert_eq!(order(&example.assess().plan), ["eb", "ea"]);

    example.employees[0].email = "x@acme.com".into();
    example.employees[1].email = "y@acme.com".into();
    example.people[0].email = Some("same@acme.com".into());
    example.people[1].email = Some("Same@acme.com".into());
    let assessment = example.assess();
    assert!(assessment.plan.updates.is_empty());
    let with = vec!["b".into()];
    assert_eq!(
        assessment.blocker(&"a".into()),
        Some(&Blocker::EmailNotUnique { with })
    );
}

#[test]
fn an_email_whose_holder_is_held_is_not_free() {
    let mut example = Example::new();
    example.person("ann", "Ann", "Doe", "Sales").email = Some("taken@acme.com".into());
    example.employee("e1", "Ann Doe", "ann@acme.com");
    example.employee("e3", "Somebody", "taken@acme.com");
    example.matched("ann", &["e1"]);
    example.person("bob", "Bob", "Roe", "Sales").email = Some("ann@acme.com".into());
    example.employee("e4", "Bob Roe", "bob@acme.com");
    example.matched("bob", &["e4"]);
    let assessment = example.assess();
    let taken = |by: &str, holder| Blocker::EmailTaken {
        by: by.into(),
        holder,
    };
    let nobody = EmailHolder::Nobody {
        own: vec!["e1".into()],
        proposed_for: None,
    };
    assert_eq!(assessment.blocker(&"ann".into()), Some(&taken("e3", nobody)));
    let ann = EmailHolder::Another {
        person: "ann".into(),
        is_shared: false,
    };
    assert_eq!(
        assessment.blocker(&"bob".into()),
        Some(&taken("e1", ann)),
        "Ann's employee keeps the email, so that Bob's cannot get it"
    );
    assert!(assessment.plan.updates.is_empty());
}

#[test]
fn a_former_email_that_is_another_employees_is_left_out() {
    let mut example = Example::new();
    example.person("ann", "Ann", "Doe", "Sales").email = Some("new@acme.com".into());
    example.employee("e1", "Ann Doe", "ann@acme.com");
    example.employee("e2", "Ann Doe", "second@acme.com");
    // The former email of her second employee now belongs to somebody else, or is about to.
    example.in_force(
        "zoe",
        "e2",
        &[(Field::Email, Some("taken@acme.com"), "second@acme.com")],
    );
    example.matched("ann", &["e1", "e2"]);
    example.person("bob", "Bob", "Roe", "Sales").email = Some("taken@acme.com".into());
    for holder in ["taken@acme.com", "bob@acme.com"] {
        example.employees.truncate(2);
        example.employee("e4", "Bob Roe", holder);
        example.matched("bob", &["e4"]);
        let Assessment { plan, omissions, .. } = example.assess();
        let emails = plan
            .updates_of(Field::Email)
            .map(|update| update.employee.as_str());
        let expected: &[&str] = if holder == "bob@acme.com" {
            &["e1", "e4"]
        } else {
            &["e1"]
        };
        assert_eq!(emails.collect::<Vec<_>>(), expected, "{holder}");
        assert_eq!(
            omissions[&"ann".into()],
            [Omission::FormerEmailTaken {
                employee: "e2".into()
            }]
        );
    }
}

#[test]
fn a_longer_exchange_of_emails_is_told_too() {
    // The people, the email that each has, and the one that each is to get.
    let blockers = |people: &[(&str, &str, &str)]| -> Vec<String> {
        let mut example = Example::new();
        for (id, now, wanted) in people {
            example.person(id, id, "Doe", "Sales").email = Some(format!("{wanted}@acme.com"));
            example.employee(
                &format!("e{id}"),
                &format!("{id} Doe"),
                &format!("{now}@acme.com"),
            );
            example.matched(id, &[&format!("e{id}")]);
        }
        let assessment = example.assess();
        let show = |(id, ..): &(&str, &str, &str)| match assessment.blocker(&(*id).into()) {
            Some(Blocker::EmailsExchanged { matches }) => format!("exchange of {}", matches.len()),
            other => format!("{other:?}"),
        };
        people.iter().map(show).collect()
    };
    assert_eq!(
        blockers(&[("a", "1", "2"), ("b", "2", "3"), ("c", "3", "1"), ("e", "5", "6")]),
        ["exchange of 3", "exchange of 3", "exchange of 3", "None"]
    );
}

#[test]
fn a_person_is_invited_with_a_name_an_email_a_team_and_settings() {
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
fn an_invitation_whose_response_was_lost_is_found_by_its_email() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    let record = example.record("jane");
    record.decision = Decision::Create;
    record.pending = Some(request("Jane Doe", Some("jane@acme.com")));
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

#[test]
fn what_people_read_as_the_same_is_no_change_and_is_written_as_they_read_it() {
    // The name in Okta, the present name, and the name that is written.
    for (given, family, now, written) in [
        ("Jane", "Doe", "Doe, Jane", None),
        ("Jane", "Doe", "Jane\u{a0} Doe ", None),
        ("Rene\u{301}", "Doe", "René Doe", None),
        (" Jane\u{200b}", "\u{3000}Doe\t", "J. Doe", Some("Jane Doe")),
        ("Jane", "Doe", "jane doe", Some("Jane Doe")),
        ("Jane Mary", "Doe", "Jane Doe", Some("Jane Mary Doe")),
    ] {
        let mut example = Example::jane();
        (example.people[0].given_name, example.people[0].family_name) =
            (Some(given.into()), Some(family.into()));
        example.employees[0].name = now.into();
        let updates = &example.assess().plan.updates;
        let name = updates.first().and_then(|update| update.fields.get(&Field::Name));
        assert_eq!(name.and_then(|name| name.to.as_text()), written, "{now}");
    }
    for (email, title, changed) in [
        (" Jane@ACME.com\u{a0}", "Engineer ", false),
        ("JANE@acme.com", "  Engineer", false),
        ("jane.doe@acme.com ", "Chief\u{a0} Engineer", true),
    ] {
        let mut example = Example::jane();
        (example.people[0].email, example.people[0].title) = (Some(email.into()), Some(title.into()));
        let plan = example.assess().plan;
        assert_eq!(!plan.is_empty(), changed, "{email}");
        if changed {
            let to = |field| write(&example, field).to;
            assert_eq!(to(Field::Email), NewValue::Text("jane.doe@acme.com".to_owned()));
            assert_eq!(to(Field::Title), NewValue::Text("Chief Engineer".to_owned()));
        }
    }
}

#[test]
fn a_missing_part_of_a_name_shortens_nobodys_name() {
    // The name in Okta, the present name, the name that is written, and whether one is left out.
    for (given, family, now, written, is_left_out) in [
        (Some("Jane"), None, "Jane Doe", None, true),
        (None, Some("Doe"), "Jane Doe", None, true),
        (Some("Jane"), Some(" \u{200b}"), "Jane Doe", None, true),
        (None, None, "Jane Doe", None, true),
        (Some("Jane"), None, "Jane", None, false),
        (Some("Jane"), None, "", Some("Jane"), false),
        (None, None, "", None, true),
        (Some("Jane"), Some("Doe"), "J.", Some("Jane Doe"), false),
    ] {
        let mut example = Example::jane();
        (example.people[0].given_name, example.people[0].family_name) =
            (given.map(str::to_owned), family.map(str::to_owned));
        example.employees[0].name = now.into();
        example.people[0].title = Some("Director".into());
        let Assessment { plan, omissions, .. } = example.assess();
        let fields = &plan.updates[0].fields;
        assert!(fields.contains_key(&Field::Title), "everything else is written");
        let name = fields.get(&Field::Name).and_then(|name| name.to.as_text());
        assert_eq!(name, written, "{given:?} {family:?} {now}");
        let omitted = omissions.get(&"jane".into()).map_or(&[][..], Vec::as_slice);
        assert_eq!(!omitted.is_empty(), is_left_out, "{given:?} {family:?} {now}");
    }
    let mut example = Example::new();
    example.person("jane", "Jane", "", "Sales");
    example.record("jane").decision = Decision::Create;
    assert_eq!(
        example.assess().plan.creations[0].name,
        "Jane",
        "one word is a name"
    );
}

#[test]
fn an_email_that_a_deactivated_record_holds_is_left_out_and_the_rest_is_written() {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    example.employee("new", "J. Doe", "");
    example.employee("old", "Jane Doe", "Jane@acme.com").deactivated = true;
    example.matched("jane", &["new"]);
    let Assessment { plan, omissions, .. } = example.assess();
    let fields: Vec<Field> = plan.updates[0].fields.keys().copied().collect();
    assert_eq!(fields, [Field::Name, Field::Title, Field::Team]);
    let held = Omission::EmailHeld {
        employee: "new".into(),
        by: "old".into(),
    };
    assert_eq!(omissions[&"jane".into()], [held]);
    // Freed as the message says, it is written.
    example.employees[1].email = "old@acme.com".into();
    let Assessment { plan, omissions, .. } = example.assess();
    assert_eq!(plan.updates_of(Field::Email).count(), 1);
    assert!(omissions.is_empty());
    // An active holder holds the person back, and so does the record for somebody who is invited.
    example.employees[1].email = "jane@acme.com".into();
    example.employees[1].deactivated = false;
    let taken = |own: &[&str]| Blocker::EmailTaken {
        by: "old".into(),
        holder: EmailHolder::Nobody {
            own: own.iter().map(|id| EmployeeId::from(*id)).collect(),
            proposed_for: None,
        },
    };
    assert_eq!(example.assess().blocker(&"jane".into()), Some(&taken(&["new"])));
    example.employees[1].deactivated = true;
    *example.record("jane") = Record {
        decision: Decision::Create,
        ..Record::default()
    };
    assert_eq!(example.assess().blocker(&"jane".into()), Some(&taken(&[])));
}

#[test]
fn what_insightful_stores_in_its_own_way_is_not_written_again() {
    let mut example = Example::jane();
    example.people[0].family_name = Some("McDoe".into());
    let update = example.assess().plan.updates[0].clone();
    let overwrite = Overwrite::of(update, |_| None).unwrap();
    example.employees[0].name = "Jane Mcdoe".into();
    let on_record = example.record("jane").applied.take();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let applied = record::before_write(on_record, None, false, overwrite.images.clone(), now);
    let applied = overwrite.answered(&example.employees[0]).on(applied);
    example.record("jane").applied = Some(record::seen(applied, &example.snapshot()));
    let Assessment { plan, omissions, .. } = example.assess();
    assert!(plan.is_empty(), "{plan:?}");
    let stored = Omission::StoredDifferently {
        employee: "e1".into(),
        field: Field::Name,
        stored: "Jane Mcdoe".to_owned(),
    };
    assert_eq!(omissions[&"jane".into()], [stored]);

    // Another name in Okta is written, one that somebody else wrote is overwritten.
    example.people[0].family_name = Some("McRoe".into());
    assert_eq!(write(&example, Field::Name).before.as_deref(), Some("Jane Doe"));
    example.people[0].family_name = Some("McDoe".into());
    example.employees[0].name = "Somebody".into();
    assert_eq!(write(&example, Field::Name).before.as_deref(), Some("Somebody"));
}
