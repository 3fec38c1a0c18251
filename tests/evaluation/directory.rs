//! A generated directory as input of matching.

use std::collections::{BTreeMap, BTreeSet};

use okta_insightful_operator::{
    api::UnmatchedPolicy,
    matching::{EmployeeRecord, Evidence, PersonRecord, propose},
    model::{Employee, OktaStatus, OtherNames, Person, PersonId},
    rules::proposal::Proposal,
};
use sandbox::hard_directories::{self, Directory, Style, Truth};

pub struct Case {
    /// With their teams.
    pub people: Vec<(Person, Option<String>)>,
    /// With their teams.
    pub employees: Vec<(Employee, String)>,
    /// By person.
    pub truths: BTreeMap<String, Truth>,
}

impl Case {
    /// Generates the directory of a seed in the style of that seed.
    pub fn generate(seed: u64, size: usize) -> Self {
        Self::of(hard_directories::generate(&Style::from_seed(seed), size, seed))
    }

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
                    other_names: OtherNames {
                        nick: user.nick_name,
                        ..OtherNames::default()
                    },
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
        let truths = directory
            .truths
            .into_iter()
            .map(|truth| (truth.user.clone(), truth))
            .collect();
        Self {
            people,
            employees,
            truths,
        }
    }

    /// Returns the input of matching, without decisions.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            people: self
                .people
                .iter()
                .map(|(person, team)| PersonRecord {
                    person,
                    departed: person.departure(false).is_some(),
                    team: team.as_deref(),
                })
                .collect(),
            others: Vec::new(),
            employees: self
                .employees
                .iter()
                .map(|(employee, team)| EmployeeRecord {
                    employee,
                    team: Some(team),
                })
                .collect(),
            rejected: BTreeSet::new(),
            bound: BTreeMap::new(),
        }
    }
}

/// Returns the proposals with the policy that people without an employee are invited.
pub fn proposals(evidence: &Evidence<'_>) -> BTreeMap<PersonId, Proposal> {
    let mut found = propose(evidence);
    let records = evidence.people.iter().filter_map(|record| {
        let id = &record.person.id;
        let found = found.remove(id)?;
        let create = UnmatchedPolicy::Create;
        let proposal = Proposal::new(found, record.person, record.departed, create, |_| None);
        Some((id.clone(), proposal))
    });
    records.collect()
}
