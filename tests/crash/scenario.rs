//! A few of Acme's people before a finish that is cut short.

use std::collections::BTreeSet;

use okta_insightful_operator::api::OktaIntegrationStatus;
use sandbox::company::Company;
use serde_json::{Value, json};

use crate::{first_apply, later_apply, world::World};

/// Which finish is cut short.
#[derive(Clone, Copy, Debug)]
pub enum Finish {
    /// The first one: nothing is on record yet.
    First,
    /// One over what an earlier one wrote.
    Second,
}

impl Finish {
    /// The company before the finish, and the plan that waits for it.
    pub async fn prepared(self) -> (World, OktaIntegrationStatus) {
        match self {
            Self::First => first_apply::before().await,
            Self::Second => later_apply::before().await,
        }
    }

    /// How many writes the finish holds.
    pub fn writes(self) -> usize {
        match self {
            Self::First => first_apply::WRITES,
            Self::Second => later_apply::WRITES,
        }
    }
}

/// By what leave the plan is written.
#[derive(Clone, Copy, Debug)]
pub enum Leave {
    /// It stays within the guard.
    Guard,
    /// Every plan waits for an admin, who lets exactly this one through.
    Approval,
}

impl Leave {
    /// What the admin sets to finish.
    pub fn given_to(self, plan: &str) -> Value {
        match self {
            Self::Guard => json!({ "finalized": true }),
            Self::Approval => json!({ "finalized": true, "approval": "EveryPlan", "approvedPlan": plan }),
        }
    }
}

/// Acme with these people, employees and team groups only.
pub fn some_of_acme(people: &[&str], employees: &[&str], groups: &[&str]) -> Company {
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
