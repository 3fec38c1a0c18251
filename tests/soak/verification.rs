//! Compares Insightful's data with Okta's for every person whose match is Ready.

use std::{collections::BTreeMap, time::Duration};

use okta_insightful_operator::api::{EmployeeMatch, MatchState, Phase, conditions};
use sandbox::company::GROUP_PREFIX;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{random_changes::approve_held_plan, world::World};

/// The operator has settled when nothing is written for this long.
const QUIET_PERIOD: Duration = Duration::from_secs(8);

/// Waits until nothing is written any more. Returns the differences between both services.
pub async fn settled(worlds: &[World], timeout: Duration) -> Vec<String> {
    // A requested sync ends a backoff, which can take minutes.
    for world in worlds {
        world.request_sync().await;
    }
    let started = Instant::now();
    let mut since = Instant::now();
    let mut before = Vec::new();
    loop {
        let mut now = Vec::new();
        for world in worlds {
            approve_held_plan(world).await;
            let status = world.status().await;
            let is_healthy = !matches!(
                status.phase,
                Some(Phase::Failed | Phase::Syncing | Phase::Applying)
            );
            now.push((
                is_healthy,
                world.writes().len(),
                status.plan.map(|plan| plan.hash),
            ));
        }
        if now != before || now.iter().any(|(is_healthy, ..)| !is_healthy) {
            before = now;
            since = Instant::now();
        } else if since.elapsed() >= QUIET_PERIOD {
            break;
        }
        if started.elapsed() > timeout {
            return vec![format!("the operator still writes after {timeout:?}")];
        }
        sleep(Duration::from_millis(500)).await;
    }
    let mut wrong = Vec::new();
    for world in worlds {
        wrong.extend(differences(world).await);
        wrong.extend(repeated_creations(world));
    }
    wrong
}

/// The differences between Okta and Insightful, one per line.
pub async fn differences(world: &World) -> Vec<String> {
    let org = world.okta.snapshot();
    let account = world.insightful.snapshot();
    let teams: BTreeMap<String, String> = account
        .teams()
        .iter()
        .map(|team| (text(&team["id"]), text(&team["name"])))
        .collect();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, object) in world.matches().await {
        let Some(user) = org
            .users
            .get(&object.spec.okta_user_id)
            .filter(|_| is_ready(&object))
        else {
            continue;
        };
        let status = object.status.unwrap_or_default();
        let employees = status
            .applied
            .map(|applied| applied.employee_ids)
            .unwrap_or_default();
        let mut expect = |field: &str, actual: &Value, expected: &str| {
            if text(actual) != expected {
                wrong.push(format!(
                    "{}/{name}: {field} is {actual}, not {expected:?}",
                    world.namespace
                ));
            }
        };
        for (index, id) in employees.iter().enumerate() {
            let Some(employee) = account.employees.get(id) else {
                expect("employee", &Value::Null, id);
                continue;
            };
            let is_deactivated = employee["deactivated"].as_u64() != Some(0);
            if user["status"] == "DEPROVISIONED" {
                expect("deactivated", &is_deactivated.to_string().into(), "true");
                continue;
            }
            if status.state != Some(MatchState::Matched) || is_deactivated {
                continue;
            }
            compared += 1;
            let profile = &user["profile"];
            let full_name = format!("{} {}", text(&profile["firstName"]), text(&profile["lastName"]));
            expect("name", &employee["name"], full_name.trim());
            if index == 0 {
                expect("email", &employee["email"], &text(&profile["email"]));
            }
            let groups = org.groups_of(&object.spec.okta_user_id);
            let groups: Vec<String> = groups
                .iter()
                .filter_map(|group| {
                    let name = text(&org.groups[group]["profile"]["name"]);
                    name.strip_prefix(GROUP_PREFIX).map(str::to_owned)
                })
                .collect();
            if let [group] = &groups[..] {
                let team = teams.get(&text(&employee["teamId"])).cloned();
                expect("team", &team.into(), group);
            }
        }
    }
    if compared == 0 {
        wrong.push(format!("{}: no person could be compared", world.namespace));
    }
    wrong
}

fn is_ready(object: &EmployeeMatch) -> bool {
    let status = object.status.clone().unwrap_or_default();
    conditions::find(&status.conditions, conditions::READY).is_some_and(|ready| ready.status == "True")
}

/// Employees and teams that were created more than once.
fn repeated_creations(world: &World) -> Vec<String> {
    let mut creations: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in world.insightful.journal().writes() {
        let key = match entry.path.as_str() {
            "/api/v1/employee" => "email",
            "/api/v1/team" => "name",
            _ => continue,
        };
        if entry.effect {
            let body = entry.body.unwrap_or_default();
            *creations.entry((entry.path, text(&body[key]))).or_default() += 1;
        }
    }
    creations
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|((path, key), times)| format!("{}: POST {path} {key}: {times} times", world.namespace))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
