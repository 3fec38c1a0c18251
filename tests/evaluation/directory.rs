//! A generated directory as the engine takes it.

use std::collections::{BTreeMap, BTreeSet};

use okta_insightful_operator::{
    api::UnmatchedPolicy,
    matching::{Evidence, Object, Subject},
    snapshot::{Employee, OktaStatus, Person},
};
use sandbox::hard_directories::{self, Directory, Style, Truth};

/// People, employees and the truth.
pub struct Case {
    people: Vec<(Person, Option<String>)>,
    employees: Vec<(Employee, String)>,
    /// By the person's id.
    pub truths: BTreeMap<String, Truth>,
}

impl Case {
    /// The directory of a seed, in the style of that seed.
    pub fn generate(seed: u64, size: usize) -> Self {
        Self::of(hard_directories::generate(&Style::from_seed(seed), size, seed))
    }

    /// From a directory.
    pub fn of(directory: Directory) -> Self {
        let people = directory
            .users
            .into_iter()
            .map(|user| {
                let person = Person {
                    id: user.id.into(),
                    login: user.login,
                    given_name: user.first_name,
                    family_name: user.last_name,
                    email: user.email,
                    second_email: user.second_email,
                    title: user.title,
                    employee_number: user.employee_number,
                    status: OktaStatus::from(user.status),
                    created: Some(user.created),
                    last_updated: Some(user.last_updated),
                };
                (person, user.team)
            })
            .collect();
        let employees = directory
            .records
            .into_iter()
            .map(|record| {
                let employee = Employee {
                    id: record.id.into(),
                    name: record.name,
                    email: record.email,
                    identifier: record.identifier,
                    team: hard_directories::team_id(&record.team).into(),
                    settings: None,
                    deactivated: record.deactivated > 0,
                    created_at: Some(record.created_at),
                };
                (employee, record.team)
            })
            .collect();
        let truths = directory.truths.into_iter().map(|truth| (truth.user.clone(), truth)).collect();
        Self { people, employees, truths }
    }

    /// What the engine is given: no decisions yet; whom nobody resembles is created.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            people: self
                .people
                .iter()
                .map(|(person, team)| Subject {
                    person,
                    left: person.left(false).is_some(),
                    team: team.as_deref(),
                })
                .collect(),
            employees: self
                .employees
                .iter()
                .map(|(employee, team)| Object { employee, team: Some(team) })
                .collect(),
            rejected: BTreeSet::new(),
            bound: BTreeMap::new(),
            unmatched: UnmatchedPolicy::Create,
        }
    }

    /// The rule of today's products: an equal email, else an equal full name.
    pub fn equal_email_else_equal_name(&self) -> BTreeMap<String, String> {
        let mut by_email: BTreeMap<String, &str> = BTreeMap::new();
        let mut by_name: BTreeMap<String, &str> = BTreeMap::new();
        for (employee, _) in &self.employees {
            if !employee.email.is_empty() {
                by_email.entry(employee.email.to_lowercase()).or_insert(employee.id.as_str());
            }
            by_name.entry(employee.name.to_lowercase()).or_insert(employee.id.as_str());
        }
        self.people
            .iter()
            .filter_map(|(person, _)| {
                let email = person.email.as_ref().and_then(|email| by_email.get(&email.to_lowercase()));
                let name = person.full_name().and_then(|name| by_name.get(&name.to_lowercase()));
                Some((person.id.to_string(), (*email.or(name)?).to_owned()))
            })
            .collect()
    }

    /// Both records of a pair in one line each, to look at.
    pub fn show(&self, person: &str, employee: &str) -> String {
        let person = self.people.iter().find(|(record, _)| record.id.as_str() == person);
        let employee = self.employees.iter().find(|(record, _)| record.id.as_str() == employee);
        let person = person.map_or(String::new(), |(p, team)| {
            format!(
                "  person   {:?} {:?} <{:?}> login {} second {:?} no {:?} {} team {team:?} made {:?}",
                p.given_name, p.family_name, p.email, p.login, p.second_email, p.employee_number, p.status, p.created
            )
        });
        let employee = employee.map_or(String::new(), |(e, team)| {
            format!(
                "  employee {:?} <{}> first <{}> team {team} deactivated {} made {:?}",
                e.name, e.email, e.identifier, e.deactivated, e.created_at
            )
        });
        format!("{person}\n{employee}")
    }
}
