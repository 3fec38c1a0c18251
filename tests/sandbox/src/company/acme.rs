//! Acme, from its tables.

use std::collections::BTreeMap;

use super::records::{self, Employee, User, insightful_id, okta_id};
use super::{Company, GROUP_PREFIX};

const PEOPLE: &str = include_str!("people.txt");
const EMPLOYEES: &str = include_str!("employees.txt");

const TEAMS: [&str; 6] = [
    "Default",
    "Onboarding",
    "Engineering",
    "Sales",
    "Support",
    "Legal",
];
const TEAM_GROUPS: [&str; 5] = ["Engineering", "Sales", "Support", "Data Science", "Marketing"];

const UPDATED: &str = "2025-03-03T09:30:00.000Z";
const CREATED: i64 = 1_677_661_200_000;
const DEACTIVATED: i64 = 1_717_232_400_000;

pub(super) fn company() -> Company {
    let mut company = Company {
        teams: TEAMS
            .iter()
            .map(|name| records::team(&team_id(name), name, *name == "Default"))
            .collect(),
        shared_settings: vec![
            records::shared_settings(&settings_id("Default"), "Default", true),
            records::shared_settings(&settings_id("Silent"), "Silent", false),
        ],
        ..Company::default()
    };
    let mut groups = BTreeMap::from([
        ("Everyone".to_owned(), "BUILT_IN"),
        ("VPN users".to_owned(), "OKTA_GROUP"),
    ]);
    for name in TEAM_GROUPS {
        groups.insert(format!("{GROUP_PREFIX}{name}"), "OKTA_GROUP");
    }
    for (name, kind) in groups {
        let id = okta_id("00g", &name);
        company.groups.push(records::group(&id, &name, kind, UPDATED));
        company.members.insert(id, Vec::new());
    }
    for row in rows(PEOPLE) {
        add_person(&mut company, row);
    }
    for [handle, name, email, team, _case] in rows(EMPLOYEES) {
        add_employee(&mut company, handle, name, given(email), team);
    }
    resolve(&mut company);
    company
}

/// The rows of a table, without comments and empty lines.
fn rows<const COLUMNS: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; COLUMNS]> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            match cells.try_into() {
                Ok(cells) => cells,
                Err(cells) => panic!("expected {COLUMNS} cells, found {cells:?}"),
            }
        })
}

fn add_person(company: &mut Company, row: [&str; 11]) {
    let [
        handle,
        given_name,
        family,
        email,
        title,
        status,
        groups,
        employee,
        employee_email,
        team,
        _case,
    ] = row;
    let login = format!("{handle}@acme.com");
    let email = if email == "=" {
        Some(login.as_str())
    } else {
        given(email)
    };
    let id = user_id(handle);
    company.users.push(records::user(&User {
        id: id.clone(),
        login: login.clone(),
        given: given_name,
        family,
        email,
        title: given(title),
        status,
        updated: UPDATED,
    }));
    let groups = groups.split(',').map(str::trim).filter(|name| !name.is_empty());
    let groups = groups.map(|name| match name.strip_prefix('*') {
        Some(name) => name.to_owned(),
        None => format!("{GROUP_PREFIX}{name}"),
    });
    for name in groups.chain(["Everyone".to_owned()]) {
        let group = okta_id("00g", &name);
        match company.members.get_mut(&group) {
            Some(members) => members.push(id.clone()),
            None => panic!("{handle} is in the unknown group {name:?}"),
        }
    }
    if employee != "-" {
        let full = format!("{given_name} {family}");
        let name = if employee == "=" { &full } else { employee };
        let address = if employee_email == "=" {
            email
        } else {
            given(employee_email)
        };
        add_employee(company, handle, name, address, team);
    }
}

fn add_employee(company: &mut Company, handle: &str, name: &str, email: Option<&str>, team: &str) {
    let (team, deactivated) = match team.strip_suffix(" deactivated") {
        Some(team) => (team, DEACTIVATED),
        None => (team, 0),
    };
    assert!(TEAMS.contains(&team), "{handle} is in the unknown team {team:?}");
    company.employees.push(records::employee(&Employee {
        id: &insightful_id(&format!("employee {handle}")),
        name,
        email,
        team: &team_id(team),
        shared_settings: &settings_id("Default"),
        deactivated,
        created: CREATED,
    }));
}

/// Sorts the lists as the services do, and adds the employees to their teams.
pub(super) fn resolve(company: &mut Company) {
    for list in [&mut company.users, &mut company.groups, &mut company.employees] {
        list.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
    }
    for members in company.members.values_mut() {
        members.sort_unstable();
    }
    let mut employees: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for employee in &company.employees {
        employees
            .entry(employee["teamId"].to_string())
            .or_default()
            .push(employee["id"].clone());
    }
    for team in &mut company.teams {
        let own = employees.remove(&team["id"].to_string()).unwrap_or_default();
        team["employees"] = own.into();
    }
}

fn given(cell: &str) -> Option<&str> {
    (cell != "-").then_some(cell)
}

fn user_id(handle: &str) -> String {
    match handle {
        "iris.lower" => "00u1kd8bqXvTzRmWa5d7".to_owned(),
        "ivan.upper" => "00u1Kd8bqXvTzRmWa5d7".to_owned(),
        _ => okta_id("00u", handle),
    }
}

pub(super) fn team_id(name: &str) -> String {
    insightful_id(&format!("team {name}"))
}

pub(super) fn settings_id(name: &str) -> String {
    insightful_id(&format!("settings {name}"))
}
