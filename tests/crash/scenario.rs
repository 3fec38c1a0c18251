//! The companies whose applies are interrupted, and the clearance of their plans.

use std::collections::BTreeSet;

use okta_insightful_operator::api::OktaIntegrationStatus;
use sandbox::company::Company;
use serde_json::{Value, json};

use crate::{first_apply, later_apply, world::World};

/// An apply to interrupt.
#[derive(Clone, Copy, Debug)]
pub enum Scenario {
    /// The first apply: no match is in force yet.
    FirstApply,
    /// An apply that changes values which an earlier apply wrote.
    LaterApply,
}

impl Scenario {
    /// The company right before the apply, and the status with its plan.
    pub async fn prepared(self) -> (World, OktaIntegrationStatus) {
        match self {
            Self::FirstApply => first_apply::before().await,
            Self::LaterApply => later_apply::before().await,
        }
    }

    /// The number of writes of the apply.
    pub fn writes(self) -> usize {
        match self {
            Self::FirstApply => first_apply::WRITES,
            Self::LaterApply => later_apply::WRITES,
        }
    }
}

/// Why the plan may be applied.
#[derive(Clone, Copy, Debug)]
pub enum Clearance {
    WithinGuard,
    /// Every plan needs an approval, and this one has it.
    Approved,
}

impl Clearance {
    /// The spec that starts the apply.
    pub fn spec(self, plan: &str) -> Value {
        match self {
            Self::WithinGuard => json!({ "finalized": true }),
            Self::Approved => json!({ "finalized": true, "approval": "EveryPlan", "approvedPlan": plan }),
        }
    }
}

/// Acme with only these people, employees and team groups.
pub fn subset_of_acme(people: &[&str], employees: &[&str], groups: &[&str]) -> Company {
    let mut acme = Company::acme();
    let people: BTreeSet<String> = people.iter().map(|handle| acme.user(handle).to_owned()).collect();
    let employees: BTreeSet<String> = employees
        .iter()
        .map(|handle| acme.employee(handle).to_owned())
        .collect();
    let groups: BTreeSet<String> = groups.iter().map(|name| acme.group(name).to_owned()).collect();
    let is_one_of = |ids: &BTreeSet<String>, record: &Value| ids.contains(record["id"].as_str().unwrap());
    acme.users.retain(|user| is_one_of(&people, user));
    acme.groups.retain(|group| is_one_of(&groups, group));
    acme.employees.retain(|employee| is_one_of(&employees, employee));
    acme.members.retain(|group, members| {
        members.retain(|member| people.contains(member));
        groups.contains(group)
    });
    acme
}
