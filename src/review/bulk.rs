//! Which people may be matched with their proposed employees all at once.

use std::collections::BTreeMap;

use super::{Company, PersonView, evidence};
use crate::api::MatchState;

/// Proposals below this confidence are looked at one by one.
pub const MIN_BULK_CONFIDENCE_PERCENT: i32 = 50;

/// A pair of the sheet that is shown before anything is decided.
#[derive(Debug)]
pub struct Pair<'a> {
    pub person: PersonView<'a>,
    pub employee_id: &'a str,
}

/// A person who is left to be decided alone.
#[derive(Debug)]
pub struct Refused<'a> {
    pub person: PersonView<'a>,
    pub why: String,
}

/// Returns the pairs of these people and their proposed employees, and those who must be decided one by one.
pub fn sheet<'a>(company: &'a Company, okta_user_ids: &[String]) -> (Vec<Pair<'a>>, Vec<Refused<'a>>) {
    let people: BTreeMap<&str, PersonView<'_>> = okta_user_ids
        .iter()
        .filter_map(|id| company.person(id))
        .map(|person| (person.id(), person))
        .collect();
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for employee in people.values().filter_map(|person| person.suggested()) {
        *wanted.entry(employee).or_default() += 1;
    }
    let (mut pairs, mut refused) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for person in okta_user_ids.iter().filter_map(|id| people.get(id.as_str())) {
        if !seen.insert(person.id()) {
            continue;
        }
        match refusal(company, *person, &wanted) {
            Err(why) => refused.push(Refused { person: *person, why }),
            Ok(employee_id) => pairs.push(Pair {
                person: *person,
                employee_id,
            }),
        }
    }
    (pairs, refused)
}

fn refusal<'a>(
    company: &Company,
    person: PersonView<'a>,
    wanted: &BTreeMap<&str, usize>,
) -> Result<&'a str, String> {
    if person.is_decided() {
        return Err("somebody has decided already".to_owned());
    }
    if person.state() == Some(MatchState::Conflict) {
        return Err("another person claims the same employee".to_owned());
    }
    let employee = person.suggested().ok_or("no employee is proposed")?;
    let candidate = person.candidate(employee);
    let confidence = candidate
        .map(|candidate| candidate.confidence)
        .unwrap_or_default();
    if confidence < MIN_BULK_CONFIDENCE_PERCENT {
        return Err(format!(
            "the confidence is {confidence}, below {MIN_BULK_CONFIDENCE_PERCENT}"
        ));
    }
    if person
        .evidence()
        .is_some_and(|kind| evidence::describe(kind).names_contradict)
    {
        return Err("the names contradict each other".to_owned());
    }
    if wanted.get(employee).is_some_and(|people| *people > 1) {
        return Err("another ticked person has the same employee".to_owned());
    }
    let holder = company.employee(employee).and_then(|known| known.holder.as_ref());
    if let Some(holder) = person.loses(holder) {
        return Err(format!("the employee is the {}", holder.describe()));
    }
    Ok(employee)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Decision;
    use crate::review::example::{company, person, with};

    #[test]
    fn only_plain_cases_are_decided_together() {
        let contradicting = with(person("00u3", "Ann Lee", "Review", Some("w3"), 80), |status| {
            status["proposal"]["evidence"] = serde_json::json!("SameEmailOtherName");
        });
        let mut decided = person("00uA", "Gus Gray", "Review", Some("wA"), 80);
        decided.spec.decision = Decision::Match;
        decided.spec.employee_ids = vec!["wB".to_owned()];
        let company = company(
            vec![
                person("00u1", "Jane Doe", "Review", Some("w1"), 80),
                person("00u2", "Bob Roe", "Review", Some("w2"), 49),
                contradicting,
                person("00u4", "Carl Poe", "Review", Some("w4"), 80),
                person("00u5", "Carl Poe", "Review", Some("w4"), 80),
                person("00u6", "Dora Ray", "Unmatched", None, 0),
                person("00u7", "Eve May", "Review", Some("w8"), 80),
                person("00u8", "Eve May", "Proposed", Some("w8"), 99),
                person("00u9", "Finn Fox", "Conflict", Some("w9"), 80),
                decided,
            ],
            vec![],
        );
        let ids: Vec<String> = (1..=7)
            .map(|number| format!("00u{number}"))
            .chain(["00u9", "00uA", "00u1", "x"].map(str::to_owned))
            .collect();
        let (pairs, refused) = sheet(&company, &ids);
        let pairs: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.person.id(), pair.employee_id))
            .collect();
        assert_eq!(pairs, [("00u1", "w1")]);
        let refused: Vec<_> = refused
            .iter()
            .map(|refused| (refused.person.id(), refused.why.as_str()))
            .collect();
        assert_eq!(
            refused,
            [
                ("00u2", "the confidence is 49, below 50"),
                ("00u3", "the names contradict each other"),
                ("00u4", "another ticked person has the same employee"),
                ("00u5", "another ticked person has the same employee"),
                ("00u6", "no employee is proposed"),
                ("00u7", "the employee is the sure match of Eve May, 99"),
                ("00u9", "another person claims the same employee"),
                ("00uA", "somebody has decided already"),
            ]
        );
    }
}
