//! Whether two of Insightful's lists fit together. They have no pages, so that
//! nothing else tells a list that lacks a part: a team that is not there would
//! be created a second time, an employee who is not there invited again.

use std::collections::BTreeSet;

use crate::model::{Employee, EmployeeId, Team, TeamId};

/// A team, and who is in it as far as it says.
type Listing = (Team, Vec<EmployeeId>);

/// What the list of teams lacks, if the employees say so: everybody is in a team.
/// Who is switched off may be in one that is gone.
pub(super) fn lacking_teams(teams: &[Listing], employees: &[Employee]) -> Option<String> {
    let there: BTreeSet<&TeamId> = teams.iter().map(|(team, _)| &team.id).collect();
    let lacks = |team: &TeamId| !team.as_str().is_empty() && !there.contains(team);
    let employee = employees
        .iter()
        .find(|employee| !employee.deactivated && lacks(&employee.team))?;
    Some(format!(
        "lacks team {}, which employee {} is in",
        employee.team, employee.id
    ))
}

/// What the list of employees lacks, if the teams that list theirs say so. A
/// few may come, go or be left over in a team: not more than one, or a tenth.
pub(super) fn lacking_employees(employees: &[Employee], teams: &[Listing]) -> Option<String> {
    let there: BTreeSet<&EmployeeId> = employees.iter().map(|employee| &employee.id).collect();
    let listed: BTreeSet<&EmployeeId> = teams.iter().flat_map(|(_, employees)| employees).collect();
    let lacking = listed.difference(&there).count();
    let first = listed.difference(&there).next()?;
    (lacking > 1 && lacking * 10 > listed.len()).then(|| {
        format!(
            "lacks {lacking} of the {} employees whom the teams list, {first} for one",
            listed.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::insightful::{employee, wire::team_with_employees};

    /// A team as Insightful lists it.
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
    fn the_team_of_an_active_employee_is_there() {
        let teams = [team(json!({ "id": "t1", "name": "Default" }))];
        let whole = employees(&[("e1", "t1", 0), ("e2", "gone", 1_592_922_679_686), ("e3", "", 0)]);
        assert_eq!(lacking_teams(&teams, &whole), None);
        let lacking = lacking_teams(&teams, &employees(&[("e1", "t2", 0)]));
        assert_eq!(lacking.as_deref(), Some("lacks team t2, which employee e1 is in"));
        assert!(lacking_teams(&[], &whole).is_some());
    }

    #[test]
    fn the_employees_of_the_teams_are_there_but_for_a_few() {
        let ids: Vec<String> = (0..20).map(|n| format!("e{n:02}")).collect();
        let teams = [
            team(json!({ "id": "t1", "name": "A", "employees": ids })),
            team(json!({ "id": "t2", "name": "B" })),
        ];
        let of = |there: usize| {
            let there: Vec<_> = ids[..there].iter().map(|id| (id.as_str(), "t1", 0)).collect();
            lacking_employees(&employees(&there), &teams)
        };
        assert_eq!(of(20), None);
        assert_eq!(of(18), None, "a tenth");
        assert_eq!(
            of(17).as_deref(),
            Some("lacks 3 of the 20 employees whom the teams list, e17 for one")
        );
        assert!(of(0).is_some());
        assert_eq!(
            lacking_employees(&[], &[team(json!({ "id": "t2", "name": "B" }))]),
            None,
            "nobody says"
        );
        let one = [team(json!({ "id": "t1", "name": "A", "employees": ["e1"] }))];
        assert_eq!(lacking_employees(&[], &one), None, "one");
    }
}
