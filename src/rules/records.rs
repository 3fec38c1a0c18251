//! Which EmployeeMatches are used? One with the name that the operator gives to its person's, and that can be read.
//! Whoever is named by another one waits: it may hold a decision, and nobody can tell that it was not meant.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    api::{Applied, Decision, EmployeeMatch, match_name},
    model::{EmployeeId, PersonId},
    rules::resolve::{Record, Records},
};

/// An EmployeeMatch that is not used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// The name of the object.
    pub name: String,
    pub why: WhyUnusable,
    /// The employees that the object names: they are proposed to nobody else.
    pub employees: Vec<EmployeeId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyUnusable {
    /// The object does not have the name that the operator gives to its person's.
    WrongName,
    /// This version of the operator cannot read it.
    Unreadable(String),
}

/// Returns the object as one that is not used, if it does not have the name that its person's must have. One
/// without a name, which only a file can hold, is meant to have it.
pub fn wrong_name(object: &EmployeeMatch) -> Option<Unusable> {
    let spec = &object.spec;
    let name = object.metadata.name.as_ref()?;
    let employees = spec.employee_ids.iter().map(|id| id.as_str().into());
    (*name != match_name(&spec.integration_ref.name, &spec.okta_user_id)).then(|| Unusable {
        name: name.clone(),
        why: WhyUnusable::WrongName,
        employees: employees.collect(),
    })
}

/// Returns an object that cannot be read, and what is legible of its record: the match in force, so that its
/// employee stays the person's.
pub fn unreadable(name: &str, why: String, spec: &Value, status: &Value) -> (Unusable, Record) {
    let ids = |value: &Value| -> Vec<String> {
        let ids = value.as_array().into_iter().flatten();
        ids.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let applied = || -> Option<Applied> { serde_json::from_value(status["applied"].clone()).ok()? };
    let record = Record {
        applied: applied(),
        pending: serde_json::from_value(status["pending"].clone()).unwrap_or_default(),
        ..Record::default()
    };
    let decided = ids(&spec["employeeIds"]).into_iter();
    let employees = decided.chain(ids(&status["applied"]["employeeIds"]));
    let unusable = Unusable {
        name: name.to_owned(),
        why: WhyUnusable::Unreadable(why),
        employees: employees.map(EmployeeId::from).collect(),
    };
    (unusable, record)
}

/// The records of the objects of one integration, by person.
pub fn of<'a>(objects: impl IntoIterator<Item = &'a EmployeeMatch>) -> Records {
    let (mut records, mut unusable) = (Records::new(), Vec::new());
    for object in objects {
        let person = PersonId::from(object.spec.okta_user_id.as_str());
        match wrong_name(object) {
            None => {
                records.insert(person, Record::from(object));
            }
            Some(object) => unusable.push((person, object)),
        }
    }
    for (person, object) in unusable {
        add_unusable(&mut records, person, object, None);
    }
    records
}

/// Adds an object that is not used to its person's record, which `salvaged` replaces.
pub fn add_unusable(records: &mut Records, person: PersonId, object: Unusable, salvaged: Option<&Record>) {
    let record = records.entry(person).or_default();
    if let Some(salvaged) = salvaged {
        let unusable = std::mem::take(&mut record.unusable);
        *record = Record {
            unusable,
            ..salvaged.clone()
        };
    }
    record.unusable.push(object);
}

/// The records that the rules go by. Of a person with an object that is not used, only the match in force counts:
/// no decision of theirs is written, or ends the match.
pub fn in_effect(records: &Records) -> Cow<'_, Records> {
    if records.values().all(|record| record.unusable.is_empty()) {
        return Cow::Borrowed(records);
    }
    let mut in_effect = records.clone();
    for record in in_effect
        .values_mut()
        .filter(|record| !record.unusable.is_empty())
    {
        record.decision = Decision::Auto;
        record.rejected.clear();
        let named = record.unusable.iter().flat_map(|object| &object.employees);
        let named: Vec<EmployeeId> = named.cloned().collect();
        record.employee_ids.extend(named);
    }
    Cow::Owned(in_effect)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        api::MatchState,
        rules::{assessment::Assessment, example::Example, resolve::Resolution, status::match_state},
    };

    /// An object of Jane that matches her with an employee by decision.
    fn object(name: Option<&str>) -> EmployeeMatch {
        let spec = json!({
            "integrationRef": { "name": "acme" }, "oktaUserId": "jane", "decision": "Match", "employeeIds": ["e2"],
        });
        let mut object = EmployeeMatch::new("", serde_json::from_value(spec).unwrap());
        object.metadata.name = name.map(str::to_owned);
        object
    }

    #[test]
    fn an_object_with_another_name_is_not_used() {
        let right = match_name("acme", "jane");
        for (name, is_used) in [
            (Some(right.as_str()), true),
            // Only a file has these: whoever wrote it meant the right one.
            (None, true),
            (Some("acme-jane"), false),
            (Some("jane"), false),
            (Some(&match_name("other", "jane")), false),
            (Some(&match_name("acme", "Jane")), false),
            (Some(&right.to_uppercase()), false),
        ] {
            let records = of(&[object(name)]);
            let record = &records[&"jane".into()];
            assert_eq!(record.unusable.is_empty(), is_used, "{name:?}");
            assert_eq!(record.decision == Decision::Match, is_used, "{name:?}");
        }
        let both = of(&[object(Some("a")), object(Some(&right)), object(Some("b"))]);
        let record = &both[&"jane".into()];
        assert_eq!((record.unusable.len(), record.decision), (2, Decision::Match));
    }

    /// Jane, in force with e1, and Omar, who looks like e2; the records of Jane hold an object that is not used.
    fn example(change: impl FnOnce(&mut Record)) -> Assessment {
        let mut example = Example::jane();
        example.person("omar", "Omar", "Ali", "Sales");
        example.employee("e2", "Omar Ali", "omar@acme.com");
        let record = example.record("jane");
        record.unusable = of(&[object(Some("acme-jane"))])
            .remove(&"jane".into())
            .unwrap()
            .unusable;
        change(record);
        let assessment = example.assess();
        let state = match_state(
            &"jane".into(),
            &example.snapshot(),
            &example.spec,
            &assessment,
            &example.records[&"jane".into()],
        );
        assert_eq!(state, MatchState::Review);
        assessment
    }

    #[test]
    fn whoever_is_named_by_an_object_that_is_not_used_waits_and_nobody_else() {
        type Change = fn(&mut Record);
        let cases: [(&str, Change); 5] = [
            ("in force", |_| ()),
            ("without a match", |record| record.applied = None),
            ("ignored by decision", |record| record.decision = Decision::Ignore),
            ("matched with another by decision", |record| {
                record.decision = Decision::Match;
                record.employee_ids = vec!["e3".into()];
            }),
            ("rejected", |record| record.rejected = ["e1".into()].into()),
        ];
        for (case, change) in cases {
            let assessment = example(change);
            let blocker = assessment.blocker(&"jane".into()).unwrap();
            assert_eq!(blocker.reason(), "WrongName", "{case}");
            assert!(blocker.needs_action(), "{case}");
            let people = assessment.plan.people();
            assert!(
                !people.contains(&PersonId::from("jane")),
                "{case}: {:?}",
                assessment.plan
            );
            // The decision may be meant, so that its employee is nobody else's in the meantime.
            let omar = &assessment.resolved[&"omar".into()].resolution;
            assert!(!matches!(omar, Resolution::Matched(_)), "{case}: {omar:?}");
        }
    }

    #[test]
    fn an_object_that_cannot_be_read_keeps_the_employee_in_force() {
        let spec = json!({ "oktaUserId": "jane", "decision": "Promote", "employeeIds": ["e7", 7] });
        let status =
            json!({ "applied": { "employeeIds": ["e1"], "time": "1970-01-01T00:00:00Z" }, "pending": 3 });
        let (object, salvaged) = unreadable("acme-jane", "unknown variant".into(), &spec, &status);
        assert_eq!(object.employees, ["e7".into(), "e1".into()]);
        assert_eq!(salvaged.employees_in_force(), ["e1".into()]);
        let assessment = example(|record| {
            record.applied = salvaged.applied;
            record.unusable = vec![object];
        });
        let blocker = assessment.blocker(&"jane".into()).unwrap();
        assert_eq!(blocker.reason(), "Unreadable");
        let message = blocker.message(&Example::new().snapshot());
        assert!(
            message.contains("acme-jane") && message.contains("unknown variant"),
            "{message}"
        );
    }
}
