use serde_json::{Value, json};

use super::*;
use crate::{
    api::{Decision, Field, MatchState, PeopleScope, SuspendedPolicy, UnmatchedPolicy},
    model::{Attribute, EmployeeId, OktaStatus},
    rules::{
        blocker::Blocker,
        example::{Example, request},
        resolve::Resolution,
        status::{WriteFailures, match_state, people_counts},
    },
};

type Change = fn(&mut Example);

fn rules(rules: Value) -> Vec<ExclusionRule> {
    serde_json::from_value(rules).unwrap()
}

/// Jane, whose match is in sync, and who is excluded by her login.
fn jane() -> Example {
    let mut example = Example::jane();
    example.spec.okta.exclude = rules(json!([{ "attribute": "login", "pattern": "jane@*" }]));
    example
}

fn reason(example: &Example, person: &str) -> &'static str {
    match &example.assess().resolved[&person.into()].resolution {
        Resolution::OutOfScope(blocker) | Resolution::Waits(blocker) => blocker.reason(),
        Resolution::Matched(_) => "Matched",
        Resolution::Create => "Create",
        Resolution::Ignored => "Ignored",
    }
}

fn message(example: &Example, person: &str) -> String {
    let assessment = example.assess();
    let blocker = assessment.blocker(&person.into()).unwrap();
    blocker.message(&example.snapshot())
}

#[test]
fn a_rule_compares_any_value_as_a_whole_without_regard_to_case() {
    let mut example = Example::new();
    let person = example.person("jane", "Jane", "Doe", "Sales");
    person.login = "SVC-Backup@acme.com".into();
    person.attributes = [
        ("userType", " Service  Account "),
        ("tags", "Bot"),
        ("tags", "Straße"),
    ]
    .map(|(name, value)| Attribute {
        name: name.into(),
        value: value.into(),
    })
    .into();
    let person = &example.people[0];
    for (rule, fits) in [
        (
            json!({ "attribute": "login", "pattern": "svc-*" }),
            Some(r#"login fits "svc-*""#),
        ),
        (
            json!({ "attribute": "login", "pattern": "*@ACME.com" }),
            Some(r#"login fits "*@ACME.com""#),
        ),
        (
            json!({ "attribute": "login", "pattern": "svc?backup@acme.co?" }),
            Some(r#"login fits "svc?backup@acme.co?""#),
        ),
        (json!({ "attribute": "login", "pattern": "svc" }), None),
        (json!({ "attribute": "login", "pattern": "svc?" }), None),
        (json!({ "attribute": "login", "pattern": "?svc-*" }), None),
        (json!({ "attribute": "login", "values": ["svc-*"] }), None),
        (json!({ "attribute": "Login", "pattern": "svc-*" }), None),
        (
            json!({ "attribute": "lastName", "values": ["Roe", "doe "] }),
            Some(r#"lastName is "doe ""#),
        ),
        (
            json!({ "attribute": "firstName", "pattern": "J*e" }),
            Some(r#"firstName fits "J*e""#),
        ),
        (
            json!({ "attribute": "userType", "values": ["service account"] }),
            Some(r#"userType is "service account""#),
        ),
        (
            json!({ "attribute": "usertype", "values": ["service account"] }),
            None,
        ),
        (json!({ "attribute": "userType", "values": ["service"] }), None),
        (
            json!({ "attribute": "tags", "values": ["STRASSE", "bot"] }),
            Some(r#"tags is "bot""#),
        ),
        (
            json!({ "attribute": "tags", "pattern": "STRA??E" }),
            Some(r#"tags fits "STRA??E""#),
        ),
        (json!({ "attribute": "tags", "pattern": "bot*e" }), None),
        (json!({ "attribute": "middleName", "pattern": "*" }), None),
        (json!({ "attribute": "city", "pattern": "*" }), None),
        (json!({ "attribute": "city", "values": [" "] }), None),
        (json!({ "attribute": "login" }), None),
    ] {
        let parsed = rules(json!([rule]));
        assert_eq!(Rule::of(&parsed[0]).fitted_by(person).as_deref(), fits, "{rule}");
        assert_eq!(is_fitted(&parsed[0], person), fits.is_some(), "{rule}");
    }
}

#[test]
fn the_first_rule_that_fits_is_named() {
    let mut example = jane();
    example.spec.okta.exclude = rules(json!([
        { "attribute": "title", "values": ["Manager"] },
        { "attribute": "email", "pattern": "*@acme.com" },
        { "attribute": "login", "pattern": "*" },
    ]));
    let message = message(&example, "jane");
    assert!(
        message.starts_with(r#"excluded by spec.okta.exclude: email fits "*@acme.com"; "#),
        "{message}"
    );
}

#[test]
fn only_attributes_that_are_no_fields_are_read_besides() {
    let named = rules(json!([
        { "attribute": "login", "pattern": "svc-*" },
        { "attribute": "employeeNumber", "values": ["0"] },
        { "attribute": "userType", "values": ["Service"] },
        { "attribute": "userType", "values": ["Bot"] },
        { "attribute": "department", "pattern": "*" },
    ]));
    assert_eq!(
        attributes(&named),
        ["department".into(), "userType".into()].into()
    );
}

#[test]
fn nothing_is_written_for_an_excluded_person_and_nothing_held() {
    let cases: [(&str, Change, &[&str]); 16] = [
        (
            "in sync",
            |_| (),
            &[
                r#"login fits "jane@*""#,
                "the match with employee Jane Doe (e1) rests",
                "to Ignore",
            ],
        ),
        (
            "everyone is in scope",
            |e| e.spec.okta.people = PeopleScope::Everyone,
            &["rests"],
        ),
        ("in no team group", |e| e.groups.clear(), &["rests"]),
        (
            "changed in Okta",
            |e| e.people[0].given_name = Some("Janet".into()),
            &["rests"],
        ),
        (
            "departed",
            |e| e.people[0].status = OktaStatus::Deprovisioned,
            &["rests"],
        ),
        (
            "suspended, which is departed",
            |e| {
                e.people[0].status = OktaStatus::Suspended;
                e.spec.okta.suspended = SuspendedPolicy::Deactivate;
            },
            &["rests"],
        ),
        (
            "her employee is missing",
            |e| e.employees.clear(),
            &["the match with employee e1 rests"],
        ),
        (
            "her employee has another name",
            |e| e.employees[0].name = "Omar Ali".into(),
            &["rests"],
        ),
        (
            "another employee by decision",
            |e| {
                e.employee("e2", "Jane Doe", "jane@old.com");
                e.matched("jane", &["e2"]);
            },
            &["rests: spec.decision Match is not carried out", "set it to Auto"],
        ),
        (
            "rejected",
            |e| e.record("jane").rejected = ["e1".into()].into(),
            &["rests"],
        ),
        (
            "to be invited by decision",
            |e| e.record("jane").decision = Decision::Create,
            &["rests: spec.decision Create is not carried out"],
        ),
        (
            "without a match, to be invited by decision",
            |e| {
                e.record("jane").applied = None;
                e.employees.clear();
                e.record("jane").decision = Decision::Create;
            },
            &["nothing is written: spec.decision Create is not carried out"],
        ),
        (
            "to be deactivated by decision",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.record("jane").decision = Decision::Deactivate;
            },
            &["spec.decision Deactivate is not carried out"],
        ),
        (
            "matched by proposal",
            |e| e.records.clear(),
            &["nothing is written: to sync this person, change that rule"],
        ),
        (
            "invited by policy",
            |e| {
                e.records.clear();
                e.employees.clear();
                e.spec.matching.unmatched = UnmatchedPolicy::Create;
            },
            &["nothing is written: to sync this person"],
        ),
        (
            "an invitation without a response",
            |e| {
                e.records.clear();
                e.record("jane").pending = Some(request("Jane Doe", Some("jane@acme.com")));
            },
            &["nothing is written"],
        ),
    ];
    for (case, change, parts) in cases {
        let mut example = jane();
        change(&mut example);
        let assessment = example.assess();
        assert!(assessment.plan.is_empty(), "{case}: {:?}", assessment.plan);
        let verdict = example.verdict();
        assert!(!verdict.is_held(), "{case}: {:?}", verdict.breaches);
        assert_eq!(reason(&example, "jane"), "Excluded", "{case}");
        let blocker = assessment.blocker(&"jane".into()).unwrap();
        assert!(!blocker.needs_action(), "{case}");
        let message = message(&example, "jane");
        for part in parts {
            assert!(message.contains(part), "{case}: {part:?} in {message:?}");
        }
        let counts = people_counts(
            &example.snapshot(),
            &example.spec,
            &assessment,
            &example.records,
            &WriteFailures::new(),
        );
        assert_eq!(
            (counts.out_of_scope, counts.total, counts.blocked),
            (1, 1, 0),
            "{case}"
        );
    }
}

#[test]
fn whoever_is_in_no_team_group_and_has_no_record_is_not_shown_as_excluded() {
    let mut example = jane();
    example.records.clear();
    assert_eq!(reason(&example, "jane"), "Excluded");
    example.groups.clear();
    assert!(example.assess().resolved.is_empty());
}

#[test]
fn ignoring_an_excluded_person_ends_the_match() {
    let mut example = jane();
    example.in_force("jane", "e1", &[(Field::Name, Some("J. Doe"), "Jane Doe")]);
    example.record("jane").decision = Decision::Ignore;
    assert_eq!(reason(&example, "jane"), "Ignored");
    assert_eq!(example.assess().plan.restores.len(), 1);
}

#[test]
fn a_match_continues_once_no_rule_fits_any_more() {
    let mut example = jane();
    example.people[0].title = Some("Director".into());
    assert!(example.assess().plan.is_empty());
    example.spec.okta.exclude.clear();
    let assessment = example.assess();
    assert_eq!(assessment.plan.updates.len(), 1, "{:?}", assessment.plan);
    assert!(assessment.plan.unmatches.is_empty() && assessment.plan.matches.is_empty());
}

#[test]
fn the_employee_of_an_excluded_person_becomes_nobody_elses_without_a_decision() {
    let cases: [(&str, Change); 7] = [
        ("in force", |_| ()),
        ("departed", |e| e.people[0].status = OktaStatus::Deprovisioned),
        ("to be invited by decision", |e| {
            e.record("jane").decision = Decision::Create;
        }),
        ("rejected", |e| e.record("jane").rejected = ["e1".into()].into()),
        ("another one by decision", |e| {
            e.employee("e3", "Jane Doe", "jane@old.com");
            e.matched("jane", &["e3"]);
        }),
        ("by decision only", |e| {
            e.records.clear();
            e.matched("jane", &["e1"]);
        }),
        ("evidently, but without a match", |e| e.records.clear()),
    ];
    for (case, change) in cases {
        for unmatched in [UnmatchedPolicy::Review, UnmatchedPolicy::Create] {
            let mut example = jane();
            // Her new account: the same name, and the email as the secondary one.
            example.person("jane2", "Jane", "Doe", "Sales").second_email = Some("jane@acme.com".into());
            example.spec.matching.unmatched = unmatched;
            change(&mut example);
            let assessment = example.assess();
            let resolution = &assessment.resolved[&"jane2".into()].resolution;
            let is_of_jane = |employees: &[EmployeeId]| employees.contains(&"e1".into());
            assert!(
                !matches!(resolution, Resolution::Matched(employees) if is_of_jane(employees)),
                "{case}: {resolution:?}"
            );
            assert!(*resolution != Resolution::Create, "{case}");
            assert!(assessment.plan.is_empty(), "{case}: {:?}", assessment.plan);
        }
    }
}

#[test]
fn a_new_account_takes_nothing_over_from_an_excluded_one() {
    let mut example = jane();
    example.people[0].status = OktaStatus::Deprovisioned;
    let new = example.person("new", "Jane", "Doe", "Sales");
    new.email = Some("jane@acme.com".into());
    assert_eq!(reason(&example, "new"), "NeedsDecision");
    let message = message(&example, "new");
    assert!(
        message.contains("who is excluded by spec.okta.exclude"),
        "{message}"
    );
    assert!(example.assess().plan.is_empty());

    example.matched("new", &["e1"]);
    let plan = &example.assess().plan;
    assert_eq!(plan.matches.len(), 1, "a decision takes it over");
    assert_eq!(plan.unmatches.len(), 1);

    example.spec.okta.exclude.clear();
    example.records.remove(&"new".into());
    assert_eq!(reason(&example, "new"), "Matched", "without the rule it would");
}

#[test]
fn an_employee_with_the_email_of_an_excluded_person_is_left_alone() {
    let mut example = Example::jane();
    example.person("front", "Front", "Desk", "Sales");
    example.spec.okta.exclude = rules(json!([{ "attribute": "login", "values": ["front@acme.com"] }]));
    example.people[0].status = OktaStatus::Deprovisioned;
    example.employees[0].email = "front@acme.com".into();
    assert_eq!(reason(&example, "jane"), "EmployeeHandedOn");
    let message = message(&example, "jane");
    assert!(
        message
            .contains("has the email of Front Desk (Okta user front), who is excluded by spec.okta.exclude"),
        "{message}"
    );
    assert!(!message.contains("team group"), "{message}");
    assert!(example.assess().plan.is_empty());
}

#[test]
fn excluding_most_people_holds_nothing() {
    let mut example = Example::new();
    for number in 0..60 {
        let (id, employee) = (format!("p{number:02}"), format!("e{number:02}"));
        let name = format!("Doe{number}");
        example.person(&id, "Ann", &name, "Sales").title = None;
        example
            .employee(&employee, &format!("Ann {name}"), &format!("{id}@acme.com"))
            .team = "Sales".into();
        example.in_force(
            &id,
            &employee,
            &[(Field::Name, Some("A."), &format!("Ann {name}"))],
        );
    }
    example.team("Sales");
    assert!(example.assess().plan.is_empty());
    example.spec.okta.exclude = rules(json!([{ "attribute": "login", "pattern": "p[0-4]?@*" }]));
    assert!(
        example.assess().blocker(&"p00".into()).is_none(),
        "brackets are no pattern"
    );
    example.spec.okta.exclude = rules(json!([{ "attribute": "login", "pattern": "p*" }]));
    // Insightful lacks some of their employees, too.
    example.employees.truncate(30);
    let assessment = example.assess();
    assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
    let verdict = example.verdict();
    assert!(!verdict.is_held(), "{:?}", verdict.breaches);
    let state = match_state(
        &"p00".into(),
        &example.snapshot(),
        &example.spec,
        &assessment,
        &example.records[&"p00".into()],
    );
    assert_eq!(state, MatchState::OutOfScope);
    assert!(matches!(
        assessment.blocker(&"p59".into()),
        Some(Blocker::Excluded { .. })
    ));
}

/// An integration that invites people, with one of this name and login.
fn newcomer(given: &str, family: Option<&str>, login: &str) -> Example {
    let mut example = Example::new();
    example.spec.matching.unmatched = UnmatchedPolicy::Create;
    example.team("Sales");
    let person = example.person("new", given, "", "Sales");
    person.family_name = family.map(str::to_owned);
    person.login = login.to_owned();
    example
}

#[test]
fn whoever_may_be_no_person_is_invited_only_by_decision() {
    let cases: [(&str, Option<&str>, &str, Option<&str>); 10] = [
        (
            "Info",
            None,
            "info@acme.com",
            Some("info@acme.com is the login of a role"),
        ),
        (
            "Sales",
            Some(" "),
            "sales-team@acme.com",
            Some("the login of a role"),
        ),
        ("Info", Some("Acme"), "info@acme.com", None),
        ("Sukarno", None, "sukarno@acme.com", None),
        (
            "Backup",
            None,
            "svc-backup@acme.com",
            Some("the login of a service account"),
        ),
        (
            "Backup",
            Some("Service"),
            "svc-backup@acme.com",
            Some("the login of a service account"),
        ),
        (
            "Deploy",
            Some("Bot"),
            "deploy-bot@acme.com",
            Some("the login of a service account"),
        ),
        ("Sa", Some("Nguyen"), "sa.nguyen@acme.com", None),
        ("Jan", Some("Bot"), "jan.bot@acme.com", None),
        ("Ann", Some("Doe"), "ann.doe@acme.com", None),
    ];
    for (given, family, login, suspicion) in cases {
        let mut example = newcomer(given, family, login);
        let Some(suspicion) = suspicion else {
            assert_eq!(reason(&example, "new"), "Create", "{login}");
            continue;
        };
        assert_eq!(reason(&example, "new"), "MaybeNotAPerson", "{login}");
        let message = message(&example, "new");
        for part in [
            suspicion,
            "set spec.decision to Create",
            "Ignore",
            "spec.okta.exclude",
        ] {
            assert!(message.contains(part), "{login}: {part:?} in {message:?}");
        }
        let assessment = example.assess();
        let blocker = assessment.blocker(&"new".into()).unwrap();
        assert!(blocker.needs_action() && assessment.plan.is_empty(), "{login}");
        let state = match_state(
            &"new".into(),
            &example.snapshot(),
            &example.spec,
            &assessment,
            &Default::default(),
        );
        assert_eq!(state, MatchState::Unmatched, "{login}");

        example.record("new").decision = Decision::Create;
        assert_eq!(reason(&example, "new"), "Create", "{login}, by decision");
        assert_eq!(example.assess().plan.creations.len(), 1, "{login}, by decision");
        example.record("new").decision = Decision::Auto;
        example.spec.matching.unmatched = UnmatchedPolicy::Review;
        assert_eq!(reason(&example, "new"), "NoEmployee", "{login}, by review");
    }
}

#[test]
fn people_with_one_address_are_invited_only_by_decision() {
    let mut example = newcomer("Ann", Some("Doe"), "ann@acme.com");
    example.people[0].email = Some("shared@acme.com".into());
    example.person("bob", "Bob", "Roe", "Support").email = Some(" Shared@ACME.com".into());
    for (id, other) in [
        ("new", "Bob Roe (Okta user bob)"),
        ("bob", "Ann Doe (Okta user new)"),
    ] {
        assert_eq!(reason(&example, id), "MaybeNotAPerson");
        let message = message(&example, id);
        assert!(
            message.contains(&format!("{other} has the same email in Okta")),
            "{message}"
        );
    }
    assert!(example.assess().plan.creations.is_empty());

    for number in 0..5 {
        let email = Some("shared@acme.com".into());
        example
            .person(&format!("z{number}"), "Zed", &format!("Zoe{number}"), "Sales")
            .email = email;
    }
    let many = message(&example, "new");
    assert!(many.contains("and 3 more have the same email"), "{many}");
    example.people.truncate(2);

    example.record("bob").decision = Decision::Create;
    assert_eq!(reason(&example, "bob"), "Create");
    assert_eq!(reason(&example, "new"), "MaybeNotAPerson");
    example.records.clear();

    // Whoever departed, is excluded or in no team group shares nothing.
    let alone: [Change; 3] = [
        |e| e.people[1].status = OktaStatus::Deprovisioned,
        |e| e.spec.okta.exclude = rules(json!([{ "attribute": "firstName", "values": ["Bob"] }])),
        |e| e.groups.retain(|group| group.name == "P_Sales"),
    ];
    for change in alone {
        let mut example = example.clone();
        change(&mut example);
        assert_eq!(reason(&example, "new"), "Create");
    }
}
