//! A generated company as input of matching.

use std::collections::{BTreeMap, BTreeSet};

use okta_insightful_operator::{
    api::UnmatchedPolicy,
    matching::{EmployeeRecord, Evidence, PersonRecord, propose},
    model::{Employee, Person, PersonId},
    rules::proposal::Proposal,
};

use crate::companies::{Company, Truth};

pub struct Case {
    /// With their teams.
    pub people: Vec<(Person, Option<String>)>,
    /// With their teams.
    pub employees: Vec<(Employee, String)>,
    /// By person.
    pub truths: BTreeMap<String, Truth>,
}

impl From<Company> for Case {
    fn from(company: Company) -> Self {
        let truths = company.truths.into_iter();
        Self {
            people: company.people,
            employees: company.employees,
            truths: truths.map(|truth| (truth.person.clone(), truth)).collect(),
        }
    }
}

impl Case {
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
        let proposal = Proposal::new(found, record.person, record.departed, create, None, |_| None);
        Some((id.clone(), proposal))
    });
    records.collect()
}
