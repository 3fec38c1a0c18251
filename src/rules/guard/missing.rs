//! Whom, of the matches in force, the present answers of both services lack. They need no write, so that no bound
//! counts them; but answers that lack many are hardly of the same org or organisation, or not whole.

use std::collections::BTreeMap;

use crate::{
    api::{Decision, Field, MatchState},
    model::{EmployeeId, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        resolve::{Record, Records, Resolution, Resolved},
    },
};

/// What one answer lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The people concerned, once for each missing record; sorted.
    pub people: Vec<PersonId>,
    /// All that the matches in force know.
    pub known: usize,
}

impl Missing {
    /// Whether more than a tenth of the known records are missing, and more than one, beside those that are
    /// accepted.
    pub(super) fn are_too_many(&self, accepted: i32) -> bool {
        let accepted = usize::try_from(accepted).unwrap_or(0);
        let missing = self.people.len().saturating_sub(accepted);
        missing > 1 && missing * 10 > self.known
    }
}

/// The people whom Okta's answer lacks or who are in no team group any more, and the people whose employees
/// Insightful's answer lacks. People who departed, are ignored or excluded do not count.
pub(super) fn of(
    snapshot: &Snapshot,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
) -> (Missing, Missing) {
    let (mut people, mut employees) = (Missing::default(), Missing::default());
    for (id, record) in records {
        let known = known_employees(record, snapshot);
        let resolution = resolved.get(id).map(|resolved| &resolved.resolution);
        let is_excluded = matches!(resolution, Some(Resolution::OutOfScope(Blocker::Excluded { .. })));
        if known.is_empty() || is_excluded {
            continue;
        }
        people.known += 1;
        let is_missing = resolution.is_some_and(is_missing);
        people.people.extend(is_missing.then(|| id.clone()));
        employees.known += known.len();
        let missing = known.iter().filter(|employee| !snapshot.has_employee(employee));
        employees.people.extend(missing.map(|_| id.clone()));
    }
    (people, employees)
}

fn is_missing(resolution: &Resolution) -> bool {
    matches!(
        resolution,
        Resolution::OutOfScope(Blocker::NotInOktaResponse { .. } | Blocker::NotInTeamGroup)
            | Resolution::Waits(Blocker::DeletedInOkta { .. })
    )
}

/// The employees of a match in force, without those who are deactivated already: whoever departed may be deleted
/// in both services.
fn known_employees(record: &Record, snapshot: &Snapshot) -> Vec<EmployeeId> {
    if record.decision == Decision::Ignore || record.state == Some(MatchState::Deactivated) {
        return Vec::new();
    }
    let fields = || record.applied.iter().flat_map(|applied| &applied.fields);
    let was_deactivated = |employee: &EmployeeId| match snapshot.employees().get(employee) {
        Some(employee) => employee.deactivated,
        None => fields().any(|field| field.field == Field::Active && field.employee_id == employee.as_str()),
    };
    let mut employees = record.employees_in_force();
    employees.retain(|employee| !was_deactivated(employee));
    employees
}
