//! The input of matching.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Employee, EmployeeId, Person, PersonId};

/// A person with the name of the team that the team groups assign.
#[derive(Clone, Copy, Debug)]
pub struct PersonRecord<'a> {
    pub person: &'a Person,
    /// Whether the person departed, by the integration's policy.
    pub departed: bool,
    pub team: Option<&'a str>,
}

/// An employee with the name of their team.
#[derive(Clone, Copy, Debug)]
pub struct EmployeeRecord<'a> {
    pub employee: &'a Employee,
    pub team: Option<&'a str>,
}

/// Both directories and the decisions so far.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The people in scope. Each gets a proposal.
    pub people: Vec<PersonRecord<'a>>,
    /// All other people in Okta, including departed ones. They get no proposal,
    /// but an employee or an address may be theirs.
    pub others: Vec<PersonRecord<'a>>,
    pub employees: Vec<EmployeeRecord<'a>>,
    /// Pairs that an admin rejected.
    pub rejected: BTreeSet<(PersonId, EmployeeId)>,
    /// Employees that are matched by a decision or by a match in force. Other people
    /// are shown those that may be theirs, but are never automatically matched with them.
    pub bound: BTreeMap<EmployeeId, PersonId>,
}
