use super::*;
use crate::{api::Decision, rules::example::Example};

fn unmatched(example: &Example) -> UnmatchedEmployees {
    UnmatchedEmployees::of(&example.snapshot(), &example.assess(), &example.records)
}

fn listed(example: &Example) -> Vec<String> {
    unmatched(example)
        .listed
        .keys()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_employee_is_listed_until_a_match_names_holds_or_shows_it() {
    let mut example = Example::jane();
    example.employee("e2", "Bob Roe", "bob@acme.com");
    example.employee("e3", "Kim", "");
    example.employee("e4", "Old Record", "old@acme.com").deactivated = true;
    assert_eq!(listed(&example), ["e2", "e3", "e4"]);
    example.person("bob", "Bob", "Roe", "Sales");
    assert_eq!(listed(&example), ["e3", "e4"], "proposed");
    example.matched("jane", &["e1", "e3"]);
    assert_eq!(listed(&example), ["e4"], "named by a decision");
    example.people.retain(|person| person.id != "jane".into());
    example.record("jane").decision = Decision::Auto;
    example.record("jane").employee_ids.clear();
    assert_eq!(listed(&example), ["e3", "e4"], "held by a match in force");
    example.record("bob").decision = Decision::Match;
    example.record("bob").employee_ids = vec!["e1".into()];
    assert_eq!(listed(&example), ["e2", "e3", "e4"], "the decision names another");
}

#[test]
fn employees_are_counted_and_shown_as_insightful_has_them() {
    let mut example = Example::jane();
    let kim = example.employee("e3", "Kim", "kim@acme.com");
    kim.created_at = Some(86_400_000);
    example.employee("e4", "Old Record", "old@acme.com").deactivated = true;
    let UnmatchedEmployees { listed, counts } = unmatched(&example);
    assert_eq!(
        counts,
        EmployeeCounts {
            total: 3,
            matched: 1,
            unmatched: 2,
            deactivated: 1,
            omitted: 0
        }
    );
    let shown: Vec<String> = listed
        .values()
        .map(|status| serde_json::to_string(&status.employee).unwrap())
        .collect();
    assert_eq!(
        shown,
        [
            r#"{"id":"e3","name":"Kim","email":"kim@acme.com","team":"Default","active":true,"deactivated":false,"created":"1970-01-02T00:00:00Z"}"#,
            r#"{"id":"e4","name":"Old Record","email":"old@acme.com","team":"Default","active":false,"deactivated":true}"#,
        ]
    );
}

#[test]
fn the_nearest_person_is_the_one_with_the_highest_confidence() {
    let mut example = Example::new();
    // Two records of the same name: one is proposed, and the other is the second candidate.
    example.person("ann", "Ann", "Doe", "Sales");
    example.employee("e1", "Ann Doe", "");
    example.employee("e2", "Ann Doe", "");
    example.employee("e3", "Printer", "");
    let UnmatchedEmployees { listed, .. } = unmatched(&example);
    let nearest: Vec<_> = listed
        .iter()
        .map(|(id, status)| {
            let nearest = status.nearest.as_ref();
            (id.as_str(), nearest.map(|nearest| nearest.person.as_str()))
        })
        .collect();
    assert_eq!(nearest, [("e2", Some("Ann Doe")), ("e3", None)]);
}

#[test]
fn too_many_are_left_out_deactivated_ones_first_and_counted() {
    let mut example = Example::new();
    for number in 0..=MAX_UNMATCHED_EMPLOYEES {
        example.employee(&format!("e{number:05}"), &format!("Host {number}"), "");
    }
    example.employees[0].deactivated = true;
    let UnmatchedEmployees { listed, counts } = unmatched(&example);
    assert_eq!(listed.len(), MAX_UNMATCHED_EMPLOYEES);
    assert!(!listed.contains_key(&"e00000".into()));
    assert_eq!((counts.unmatched, counts.omitted), (10_001, 1));
}
