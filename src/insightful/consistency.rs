//! Whether Insightful's lists are consistent. They have no pages, so that nothing else shows that a
//! list is incomplete: a missing team would be created a second time, and a missing employee
//! invited again.

use std::collections::BTreeSet;

use crate::model::{Employee, EmployeeId, RecordKind, Team, TeamId, UnreadableRecords};

/// A team, and the employees that it lists.
type Listing = (Team, Vec<EmployeeId>);

/// Returns the problem if the team of an employee is missing. The team of a deactivated employee may
/// have been deleted, and each record whose id cannot be read may be of one of the teams.
pub(super) fn missing_team(
    teams: &[Listing],
    employees: &[Employee],
    unreadable: &UnreadableRecords,
) -> Option<String> {
    let known: BTreeSet<&TeamId> = teams.iter().map(|(team, _)| &team.id).collect();
    let is_missing = |team: &TeamId| {
        !team.as_str().is_empty()
            && !known.contains(team)
            && unreadable.get(RecordKind::Team, team.as_str()).is_none()
    };
    let with_missing = employees
        .iter()
        .filter(|employee| !employee.deactivated && is_missing(&employee.team));
    let missing: BTreeSet<&TeamId> = with_missing.clone().map(|employee| &employee.team).collect();
    let employee = with_missing.clone().next()?;
    (missing.len() > without_id(unreadable, RecordKind::Team))
        .then(|| format!("lacks team {}, which has employee {}", employee.team, employee.id))
}

/// The number of records whose id cannot be read.
fn without_id(unreadable: &UnreadableRecords, kind: RecordKind) -> usize {
    unreadable
        .of_kind(kind)
        .filter(|record| record.id.is_none())
        .count()
}

/// Returns the problem if more than one, and more than a tenth, of the employees whom the teams list
/// are missing. Fewer may have changed between the two reads, or be left over in a team.
pub(super) fn missing_employees(
    employees: &[Employee],
    teams: &[Listing],
    unreadable: &UnreadableRecords,
) -> Option<String> {
    let known: BTreeSet<&EmployeeId> = employees.iter().map(|employee| &employee.id).collect();
    let listed: BTreeSet<&EmployeeId> = teams.iter().flat_map(|(_, employees)| employees).collect();
    let missing = listed
        .difference(&known)
        .filter(|id| unreadable.get(RecordKind::Employee, id.as_str()).is_none());
    let first = missing.clone().next()?;
    let missing = missing
        .count()
        .saturating_sub(without_id(unreadable, RecordKind::Employee));
    (missing > 1 && missing * 10 > listed.len()).then(|| {
        format!(
            "lacks {missing} of the {} employees that the teams list, such as {first}",
            listed.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::insightful::{employee, wire::team_with_employees};
    use crate::model::Unreadable;

    fn none() -> UnreadableRecords {
        UnreadableRecords::default()
    }

    fn unreadable(kind: RecordKind, id: Option<&str>) -> UnreadableRecords {
        let record = Unreadable {
            kind,
            id: id.map(str::to_owned),
            name: None,
            group: None,
            problem: "name: null".to_owned(),
        };
        [record].into_iter().collect()
    }

    fn team(record: serde_json::Value) -> Listing {
        team_with_employees(record).unwrap()
    }

    fn employees(teams: &[(&str, &str, u64)]) -> Vec<Employee> {
        teams
            .iter()
            .map(|(id, team, deactivated)| {
                employee(json!({ "id": id, "teamId": team, "deactivated": deactivated })).unwrap()
            })
            .collect()
    }

    #[test]
    fn the_team_of_an_active_employee_must_be_listed() {
        let teams = [team(json!({ "id": "t1", "name": "Default" }))];
        let consistent = employees(&[("e1", "t1", 0), ("e2", "gone", 1_592_922_679_686), ("e3", "", 0)]);
        assert_eq!(missing_team(&teams, &consistent, &none()), None);
        let problem = missing_team(&teams, &employees(&[("e1", "t2", 0)]), &none());
        assert_eq!(problem.as_deref(), Some("lacks team t2, which has employee e1"));
        assert!(missing_team(&[], &consistent, &none()).is_some());
        let moved = employees(&[("e1", "t2", 0)]);
        for (id, is_missing) in [(Some("t2"), false), (Some("t3"), true), (None, false)] {
            let problem = missing_team(&teams, &moved, &unreadable(RecordKind::Team, id));
            assert_eq!(problem.is_some(), is_missing, "{id:?}");
        }
        let both = employees(&[("e1", "t2", 0), ("e2", "t3", 0)]);
        let one = unreadable(RecordKind::Team, None);
        assert!(
            missing_team(&teams, &both, &one).is_some(),
            "one record is not two teams"
        );
    }

    #[test]
    fn a_few_employees_of_the_teams_may_be_missing() {
        let ids: Vec<String> = (0..20).map(|n| format!("e{n:02}")).collect();
        let teams = [
            team(json!({ "id": "t1", "name": "A", "employees": ids })),
            team(json!({ "id": "t2", "name": "B" })),
        ];
        let of = |there: usize| {
            let there: Vec<_> = ids[..there].iter().map(|id| (id.as_str(), "t1", 0)).collect();
            missing_employees(&employees(&there), &teams, &none())
        };
        assert_eq!(of(20), None);
        assert_eq!(of(18), None, "a tenth");
        assert_eq!(
            of(17).as_deref(),
            Some("lacks 3 of the 20 employees that the teams list, such as e17")
        );
        assert!(of(0).is_some());
        assert_eq!(
            missing_employees(&[], &[team(json!({ "id": "t2", "name": "B" }))], &none()),
            None,
            "no team lists employees"
        );
        let one = [team(json!({ "id": "t1", "name": "A", "employees": ["e1"] }))];
        assert_eq!(missing_employees(&[], &one, &none()), None, "one");
        let two = [team(
            json!({ "id": "t1", "name": "A", "employees": ["e1", "e2"] }),
        )];
        assert!(missing_employees(&[], &two, &none()).is_some());
        for id in [Some("e1"), None] {
            let unreadable = unreadable(RecordKind::Employee, id);
            assert_eq!(missing_employees(&[], &two, &unreadable), None, "{id:?}");
        }
    }
}
