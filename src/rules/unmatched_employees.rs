//! Lists the employees whom no person is matched with or proposed for.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{EmployeeCounts, NearestPerson, UnmatchedEmployeeStatus, UnmatchedEmployeeSummary},
    matching::Confidence,
    model::{Employee, EmployeeId, PersonId, Snapshot},
    rules::{
        assessment::Assessment,
        resolve::{Record, Records, Resolution},
        status::{employee_summary, shown_employee},
    },
};

/// The most employees of one integration that have an UnmatchedEmployee.
pub const MAX_UNMATCHED_EMPLOYEES: usize = 10_000;

/// The employees without a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnmatchedEmployees {
    /// At most [`MAX_UNMATCHED_EMPLOYEES`].
    pub listed: BTreeMap<EmployeeId, UnmatchedEmployeeStatus>,
    pub counts: EmployeeCounts,
}

impl UnmatchedEmployees {
    /// An employee has a person if a match names, holds or shows it, whether or not that match can be applied. If there
    /// are too many others, the deactivated ones are left out first, then those with the last ids.
    pub fn of(snapshot: &Snapshot, assessment: &Assessment, records: &Records) -> Self {
        let taken = with_a_person(snapshot, assessment, records);
        let employees = snapshot.employees().values();
        let mut unmatched: Vec<&Employee> = employees
            .filter(|employee| !taken.contains(&employee.id))
            .collect();
        let total = snapshot.employees().len();
        let deactivated = snapshot
            .employees()
            .values()
            .filter(|employee| employee.deactivated);
        let counts = EmployeeCounts {
            total: count(total),
            matched: count(total - unmatched.len()),
            unmatched: count(unmatched.len()),
            deactivated: count(deactivated.count()),
            omitted: count(unmatched.len().saturating_sub(MAX_UNMATCHED_EMPLOYEES)),
        };
        // Stable: the employees of a snapshot are in the order of their ids.
        unmatched.sort_by_key(|employee| employee.deactivated);
        unmatched.truncate(MAX_UNMATCHED_EMPLOYEES);
        let nearest = nearest(assessment);
        let status = |employee: &Employee| {
            let nearest = nearest.get(&employee.id);
            UnmatchedEmployeeStatus {
                employee: Some(summary(employee, snapshot)),
                nearest: nearest.map(|(person, confidence)| NearestPerson {
                    person: snapshot
                        .name_of(person)
                        .unwrap_or_else(|| format!("Okta user {person}")),
                    okta_user_id: person.to_string(),
                    confidence: confidence.percent(),
                }),
            }
        };
        Self {
            listed: unmatched
                .into_iter()
                .map(|employee| (employee.id.clone(), status(employee)))
                .collect(),
            counts,
        }
    }
}

fn with_a_person(snapshot: &Snapshot, assessment: &Assessment, records: &Records) -> HashSet<EmployeeId> {
    let no_record = Record::default();
    let mut taken = HashSet::new();
    for (person, resolved) in &assessment.resolved {
        let record = records.get(person).unwrap_or(&no_record);
        if let Resolution::Matched(employees) = &resolved.resolution {
            taken.extend(employees.iter().cloned());
        }
        taken.extend(record.employees_in_force());
        taken.extend(record.employee_ids.iter().cloned());
        taken.extend(shown_employee(resolved, record, snapshot));
    }
    taken
}

/// Whom each candidate resembles most. Of several people, the one with the first id.
fn nearest(assessment: &Assessment) -> HashMap<&EmployeeId, (&PersonId, Confidence)> {
    let mut nearest: HashMap<&EmployeeId, (&PersonId, Confidence)> = HashMap::new();
    for (person, resolved) in &assessment.resolved {
        for candidate in resolved.proposal.iter().flat_map(|proposal| &proposal.candidates) {
            let nearer = (person, candidate.confidence);
            let known = nearest.entry(&candidate.employee).or_insert(nearer);
            if known.1 < candidate.confidence {
                *known = nearer;
            }
        }
    }
    nearest
}

fn summary(employee: &Employee, snapshot: &Snapshot) -> UnmatchedEmployeeSummary {
    let created = employee.created_at.map(Timestamp::from_millisecond);
    let shown = employee_summary(employee, snapshot);
    UnmatchedEmployeeSummary {
        id: shown.id,
        name: shown.name,
        email: shown.email,
        team: shown.team,
        active: !shown.deactivated,
        deactivated: shown.deactivated,
        created: created.and_then(Result::ok).map(Time),
    }
}

fn count(employees: usize) -> i32 {
    i32::try_from(employees).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
