//! Random changes in a company: its people, teams, employees and decisions, and faults of both services.

use std::time::Duration;

use fastrand::Rng;
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, Phase};
use sandbox::{
    company::GROUP_PREFIX,
    faults::{Fault, Kind, Match},
};
use serde_json::json;

use crate::world::World;

/// Makes at most one change, and sometimes adds a fault. Returns whether there was a change.
pub async fn make_change(world: &World, random: &mut Rng) -> bool {
    if random.u8(..10) == 0 {
        add_fault(world, random);
    }
    match random.u8(..20) {
        0..=13 => change_okta(world, random),
        14 => change_insightful(world, random),
        15 => return change_decision(world, random).await,
        16 => return approve_held_plan(world).await,
        _ => return false,
    }
    true
}

/// Approves the plan if it is held. Returns whether it was.
pub async fn approve_held_plan(world: &World) -> bool {
    let status = world.status().await;
    let Some(plan) = status.plan.filter(|_| status.phase == Some(Phase::Held)) else {
        return false;
    };
    world.patch(json!({ "approvedPlan": plan.hash })).await;
    true
}

fn change_okta(world: &World, random: &mut Rng) {
    let number = random.u32(..100_000);
    world.okta.edit(|org| {
        let people: Vec<String> = org.users.keys().cloned().collect();
        let teams: Vec<String> = org
            .groups
            .iter()
            .filter(|(_, group)| {
                let name = group["profile"]["name"].as_str();
                name.is_some_and(|name| name.starts_with(GROUP_PREFIX))
            })
            .map(|(id, _)| id.clone())
            .collect();
        let Some(person) = random.choice(&people) else {
            return;
        };
        let Some(team) = random.choice(&teams) else { return };
        let has_departed = org.user(person)["status"] == "DEPROVISIONED";
        match random.u8(..16) {
            0..=3 => org.set_title(person, Some(&format!("Engineer {}", number % 7))),
            4 | 5 => org.rename_user(person, "Kim", &format!("Name{number}")),
            6 => org.set_email(person, &format!("kim{number}@acme.com")),
            7 | 8 => {
                for group in org.groups_of(person) {
                    if teams.contains(&group) {
                        org.remove_member(&group, person);
                    }
                }
                org.add_member(team, person);
            }
            9 if org.groups_of(person).len() > 2 => org.remove_member(team, person),
            10 | 11 if people.len() < 120 => {
                let id = org.add_user(&format!("new{number}"), "New", &format!("Comer{number}"));
                org.add_member(team, &id);
            }
            12 => org.set_status(person, "DEPROVISIONED"),
            13 if has_departed => org.set_status(person, "ACTIVE"),
            13 => org.set_status(person, "SUSPENDED"),
            14 if teams.len() < 20 => {
                let id = org.add_group(&format!("{GROUP_PREFIX}Team {number}"));
                org.add_member(&id, person);
            }
            // Rarely: the plan is held when many people are missing.
            15 if number.is_multiple_of(10) => org.delete_user(person),
            _ => {}
        }
    });
}

fn change_insightful(world: &World, random: &mut Rng) {
    world.insightful.edit(|account| {
        let employees: Vec<String> = account.employees.keys().cloned().collect();
        if let Some(employee) = random.choice(&employees) {
            let name = format!("Changed By Hand{}", random.u16(..));
            if let Some(record) = account.employees.get_mut(employee) {
                record["name"] = name.into();
            }
        }
    });
}

async fn change_decision(world: &World, random: &mut Rng) -> bool {
    let api: Api<EmployeeMatch> = world.api();
    let Ok(list) = api.list(&ListParams::default()).await else {
        return false;
    };
    let Some(object) = random.choice(&list.items) else {
        return false;
    };
    let decision = if random.bool() { "Ignore" } else { "Auto" };
    let patch = Patch::Merge(json!({ "spec": { "decision": decision } }));
    let name = object.metadata.name.clone().unwrap_or_default();
    api.patch(&name, &PatchParams::default(), &patch).await.is_ok()
}

fn add_fault(world: &World, random: &mut Rng) {
    let kind = match random.u8(..9) {
        0 => Kind::Status(500, None),
        1 => Kind::Status(503, None),
        2 => Kind::RateLimited,
        3 => Kind::Delay(Duration::from_millis(700)),
        4 => Kind::CutBefore,
        5 => Kind::CutAfter,
        6 => Kind::BrokenJson,
        7 => Kind::EmptyPage,
        _ => Kind::DroppedPage,
    };
    let faults = if random.bool() {
        world.okta.faults()
    } else {
        world.insightful.faults()
    };
    faults.add(Fault {
        on: Match::any().after(random.u32(..4)),
        kind,
        times: Some(random.u32(1..3)),
    });
}
