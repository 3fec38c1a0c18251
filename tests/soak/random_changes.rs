//! What happens in a company, at random: people change, decide and fail.

use std::time::Duration;

use fastrand::Rng;
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, Phase};
use sandbox::faults::{Fault, Kind, Match};
use serde_json::json;

use crate::world::World;

const TEAMS_PREFIX: &str = "OKTA_INSGRP_";

/// One change somewhere, and now and then a fault. Gives whether there was one.
pub async fn strike(world: &World, random: &mut Rng) -> bool {
    if random.u8(..10) == 0 {
        fault(world, random);
    }
    match random.u8(..20) {
        0..=13 => in_okta(world, random),
        14 => in_insightful(world, random),
        15 => return decision(world, random).await,
        16 => return approve(world).await,
        _ => return false,
    }
    true
}

/// The admin looks after a plan that is held, and lets it through.
pub async fn approve(world: &World) -> bool {
    let status = world.status().await;
    let Some(plan) = status.plan.filter(|_| status.phase == Some(Phase::Held)) else {
        return false;
    };
    world.patch(json!({ "approvedPlan": plan.hash })).await;
    true
}

fn in_okta(world: &World, random: &mut Rng) {
    let number = random.u32(..100_000);
    world.okta.edit(|org| {
        let people: Vec<String> = org.users.keys().cloned().collect();
        let teams: Vec<String> = org
            .groups
            .iter()
            .filter(|(_, group)| {
                let name = group["profile"]["name"].as_str();
                name.is_some_and(|name| name.starts_with(TEAMS_PREFIX))
            })
            .map(|(id, _)| id.clone())
            .collect();
        let Some(who) = random.choice(&people) else { return };
        let Some(team) = random.choice(&teams) else { return };
        let left = org.user(who)["status"] == "DEPROVISIONED";
        match random.u8(..16) {
            0..=3 => org.set_title(who, Some(&format!("Engineer {}", number % 7))),
            4 | 5 => org.rename_user(who, "Kim", &format!("Name{number}")),
            6 => org.set_email(who, &format!("kim{number}@acme.com")),
            7 | 8 => {
                for group in org.groups_of(who) {
                    if teams.contains(&group) {
                        org.remove_member(&group, who);
                    }
                }
                org.add_member(team, who);
            }
            9 if org.groups_of(who).len() > 2 => org.remove_member(team, who),
            10 | 11 if people.len() < 120 => {
                let id = org.add_user(&format!("new{number}"), "New", &format!("Comer{number}"));
                org.add_member(team, &id);
            }
            12 => org.set_status(who, "DEPROVISIONED"),
            13 if left => org.set_status(who, "ACTIVE"),
            13 => org.set_status(who, "SUSPENDED"),
            14 if teams.len() < 20 => {
                let id = org.add_group(&format!("{TEAMS_PREFIX}Team {number}"));
                org.add_member(&id, who);
            }
            // More would be held as an org that lacks many of its people.
            15 if number.is_multiple_of(10) => org.delete_user(who),
            _ => {}
        }
    });
}

fn in_insightful(world: &World, random: &mut Rng) {
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

async fn decision(world: &World, random: &mut Rng) -> bool {
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

fn fault(world: &World, random: &mut Rng) {
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
