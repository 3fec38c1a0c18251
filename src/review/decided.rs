//! A reviewer's choice about a person, and the decision that it leads to.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{DECIDED_AT, DECIDED_BY, Decision, EmployeeMatch, EmployeeMatchSpec};

const MAX_EMPLOYEES: usize = 20;
const MAX_REJECTED: usize = 100;
const MAX_NOTE_CHARS: usize = 1024;

/// The part of `EmployeeMatch.spec` that an admin owns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    #[serde(default)]
    pub decision: Decision,
    #[serde(default)]
    pub employee_ids: Vec<String>,
    #[serde(default)]
    pub rejected_employee_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&EmployeeMatchSpec> for Decided {
    fn from(spec: &EmployeeMatchSpec) -> Self {
        Self {
            decision: spec.decision,
            employee_ids: spec.employee_ids.clone(),
            rejected_employee_ids: spec.rejected_employee_ids.clone(),
            note: spec.note.clone(),
        }
    }
}

/// What a reviewer chooses for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The person is these employees; the first takes the email.
    Match(Vec<String>),
    /// The person is invited.
    Create,
    /// The person is not synced.
    Ignore,
    /// The person has left, though Okta cannot say so any more.
    Deactivate,
    /// Matching decides again, as if nobody had decided.
    Reset,
    /// The employee is not the person.
    Reject(String),
}

/// Why a choice makes no decision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    #[error("no employee is chosen: choose one, or search for somebody else")]
    NoEmployee,
    #[error("at most {MAX_EMPLOYEES} employees can be one person")]
    TooManyEmployees,
    #[error("at most {MAX_REJECTED} employees can be rejected for one person: reset the decision first")]
    TooManyRejected,
    #[error("the note has more than {MAX_NOTE_CHARS} characters: shorten it")]
    NoteTooLong,
}

impl Decided {
    /// Returns the decision after a choice. The note stays unless there is another one; a reset removes it.
    ///
    /// # Errors
    /// The choice names no employee or too many.
    pub fn after(&self, choice: &Choice, note: Option<&str>) -> Result<Self, ChoiceError> {
        let note = match note {
            Some(note) => self.with_note(note)?.note,
            None => self.note.clone(),
        };
        let as_is = |decision, employee_ids| Self {
            decision,
            employee_ids,
            rejected_employee_ids: self.rejected_employee_ids.clone(),
            note: note.clone(),
        };
        Ok(match choice {
            Choice::Match(employees) => {
                let mut chosen: Vec<String> = Vec::with_capacity(employees.len());
                for employee in employees.iter().filter(|id| !id.is_empty()) {
                    if !chosen.contains(employee) {
                        chosen.push(employee.clone());
                    }
                }
                match chosen.len() {
                    0 => return Err(ChoiceError::NoEmployee),
                    1..=MAX_EMPLOYEES => {}
                    _ => return Err(ChoiceError::TooManyEmployees),
                }
                let mut decided = as_is(Decision::Match, chosen);
                let Self {
                    employee_ids,
                    rejected_employee_ids,
                    ..
                } = &mut decided;
                rejected_employee_ids.retain(|id| !employee_ids.contains(id));
                decided
            }
            Choice::Create => as_is(Decision::Create, Vec::new()),
            Choice::Ignore => as_is(Decision::Ignore, Vec::new()),
            Choice::Deactivate => as_is(Decision::Deactivate, Vec::new()),
            Choice::Reset => Self::default(),
            Choice::Reject(employee) if employee.is_empty() => return Err(ChoiceError::NoEmployee),
            Choice::Reject(employee) => {
                let mut decided = as_is(self.decision, self.employee_ids.clone());
                decided.employee_ids.retain(|id| id != employee);
                if decided.decision == Decision::Match && decided.employee_ids.is_empty() {
                    decided.decision = Decision::Auto;
                }
                if !decided.rejected_employee_ids.contains(employee) {
                    decided.rejected_employee_ids.push(employee.clone());
                }
                if decided.rejected_employee_ids.len() > MAX_REJECTED {
                    return Err(ChoiceError::TooManyRejected);
                }
                decided
            }
        })
    }

    /// Returns the decision with another note, or with none if it is empty.
    ///
    /// # Errors
    /// The note is too long.
    pub fn with_note(&self, note: &str) -> Result<Self, ChoiceError> {
        let note = note.trim();
        if note.chars().count() > MAX_NOTE_CHARS {
            return Err(ChoiceError::NoteTooLong);
        }
        Ok(Self {
            note: (!note.is_empty()).then(|| note.to_owned()),
            ..self.clone()
        })
    }

    /// The body of the server-side apply that makes this decision about `object`, only if nobody changes the object in
    /// the meantime. All fields are named, so that what another field manager left is replaced.
    pub fn apply_body(&self, object: &EmployeeMatch, by: &str, at: &str) -> Value {
        let metadata = &object.metadata;
        let mut spec = json!({
            "decision": self.decision,
            "employeeIds": self.employee_ids,
            "rejectedEmployeeIds": self.rejected_employee_ids,
        });
        if let Some(note) = &self.note {
            spec["note"] = json!(note);
        }
        json!({
            "apiVersion": "integrations.insightful.io/v1alpha1",
            "kind": "EmployeeMatch",
            "metadata": {
                "name": metadata.name,
                "namespace": metadata.namespace,
                "resourceVersion": metadata.resource_version,
                "annotations": { DECIDED_BY: by, DECIDED_AT: at },
            },
            "spec": spec,
        })
    }
}

impl fmt::Display for Decided {
    /// Such as `Match w1, w2; rejected w3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.decision)?;
        if !self.employee_ids.is_empty() {
            write!(f, " {}", self.employee_ids.join(", "))?;
        }
        if !self.rejected_employee_ids.is_empty() {
            write!(f, "; not {}", self.rejected_employee_ids.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(decision: Decision, employees: &[&str], rejected: &[&str]) -> Decided {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Decided {
            decision,
            employee_ids: owned(employees),
            rejected_employee_ids: owned(rejected),
            note: None,
        }
    }

    #[test]
    fn every_choice_leads_to_a_decision_that_the_schema_takes() {
        let matching = |ids: &[&str]| Choice::Match(ids.iter().map(|id| (*id).to_owned()).collect());
        let reject = |id: &str| Choice::Reject(id.to_owned());
        use Decision::{Auto, Create, Deactivate, Ignore, Match};
        for (before, choice, after) in [
            (
                decided(Auto, &[], &[]),
                matching(&["w1"]),
                decided(Match, &["w1"], &[]),
            ),
            (
                decided(Auto, &[], &["w1", "w2"]),
                matching(&["w1"]),
                decided(Match, &["w1"], &["w2"]),
            ),
            (
                decided(Create, &[], &[]),
                matching(&["w1", "w2", "w1"]),
                decided(Match, &["w1", "w2"], &[]),
            ),
            (
                decided(Match, &["w1"], &["w2"]),
                Choice::Create,
                decided(Create, &[], &["w2"]),
            ),
            (
                decided(Match, &["w1"], &[]),
                Choice::Ignore,
                decided(Ignore, &[], &[]),
            ),
            (
                decided(Match, &["w1"], &[]),
                Choice::Deactivate,
                decided(Deactivate, &[], &[]),
            ),
            (
                decided(Match, &["w1"], &["w2"]),
                Choice::Reset,
                decided(Auto, &[], &[]),
            ),
            (decided(Auto, &[], &[]), reject("w1"), decided(Auto, &[], &["w1"])),
            (
                decided(Auto, &[], &["w1"]),
                reject("w1"),
                decided(Auto, &[], &["w1"]),
            ),
            (
                decided(Match, &["w1"], &[]),
                reject("w1"),
                decided(Auto, &[], &["w1"]),
            ),
            (
                decided(Match, &["w1", "w2"], &[]),
                reject("w1"),
                decided(Match, &["w2"], &["w1"]),
            ),
            (
                decided(Ignore, &[], &[]),
                reject("w1"),
                decided(Ignore, &[], &["w1"]),
            ),
        ] {
            assert_eq!(before.after(&choice, None).unwrap(), after, "{before} {choice:?}");
        }
    }

    #[test]
    fn a_choice_of_nobody_or_of_too_many_is_refused() {
        let before = Decided::default();
        assert_eq!(
            before.after(&Choice::Match(vec![]), None),
            Err(ChoiceError::NoEmployee)
        );
        assert_eq!(
            before.after(&Choice::Match(vec![String::new()]), None),
            Err(ChoiceError::NoEmployee)
        );
        assert_eq!(
            before.after(&Choice::Reject(String::new()), None),
            Err(ChoiceError::NoEmployee)
        );
        let many = (0..21).map(|number| format!("w{number}")).collect();
        assert_eq!(
            before.after(&Choice::Match(many), None),
            Err(ChoiceError::TooManyEmployees)
        );
        let long = "x".repeat(1025);
        assert_eq!(
            before.after(&Choice::Ignore, Some(&long)),
            Err(ChoiceError::NoteTooLong)
        );
    }

    #[test]
    fn a_note_stays_until_it_is_replaced() {
        let with_note = Decided::default()
            .after(&Choice::Ignore, Some(" a contractor "))
            .unwrap();
        assert_eq!(with_note.note.as_deref(), Some("a contractor"));
        let later = with_note.after(&Choice::Create, None).unwrap();
        assert_eq!(later.note.as_deref(), Some("a contractor"));
        assert_eq!(later.after(&Choice::Create, Some("")).unwrap().note, None);
        assert_eq!(later.after(&Choice::Reset, None).unwrap(), Decided::default());
    }
}
