//! Whether Insightful's lists are consistent. They have no pages, so that nothing else shows that a
//! list is incomplete: a missing team would be created a second time, and a missing employee
//! invited again.

use std::collections::BTreeSet;

use crate::model::{Employee, EmployeeId, Team, TeamId};

/// A team, and the employees that it lists.
type Listing = (Team, Vec<EmployeeId>);

/// Returns the problem if the team of an employee is missing. The team of a deactivated employee may
/// have been deleted.
pub(super) fn missing_team(teams: &[Listing], employees: &[Employee]) -> Option<String> {
    let known: BTreeSet<&TeamId> = teams.iter().map(|(team, _)| &team.id).collect();
    let is_missing = |team: &TeamId| !team.as_str().is_empty() && !known.contains(team);
    let employee = employees
        .iter()
        .find(|employee| !employee.deactivated && is_missing(&employee.team))?;
    Some(format!(
        "lacks team {}, which has employee {}",
        employee.team, employee.id
    ))
}

/// Returns the problem if more than one, and more than a tenth, of the employees whom the teams list
/// are missing. Fewer may have changed between the two reads, or be left over in a team.
pub(super) fn missing_employees(employees: &[Employee], teams: &[Listing]) -> Option<String> {
    let known: BTreeSet<&EmployeeId> = employees.iter().map(|employee| &employee.id).collect();
    let listed: BTreeSet<&EmployeeId> = teams.iter().flat_map(|(_, employees)| employees).collect();
    let missing = listed.difference(&known).count();
    let first = listed.difference(&known).next()?;
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
        assert_eq!(missing_team(&teams, &consistent), None);
        let problem = missing_team(&teams, &employees(&[("e1", "t2", 0)]));
        assert_eq!(problem.as_deref(), Some("lacks team t2, which has employee e1"));
        assert!(missing_team(&[], &consistent).is_some());
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
            missing_employees(&employees(&there), &teams)
        };
        assert_eq!(of(20), None);
        assert_eq!(of(18), None, "a tenth");
        assert_eq!(
            of(17).as_deref(),
            Some("lacks 3 of the 20 employees that the teams list, such as e17")
        );
        assert!(of(0).is_some());
        assert_eq!(
            missing_employees(&[], &[team(json!({ "id": "t2", "name": "B" }))]),
            None,
            "no team lists employees"
        );
        let one = [team(json!({ "id": "t1", "name": "A", "employees": ["e1"] }))];
        assert_eq!(missing_employees(&[], &one), None, "one");
    }
}
