//! Whether Insightful holds what Okta says, for everybody of whom the operator says so.

use std::{collections::BTreeMap, time::Duration};

use okta_insightful_operator::api::{EmployeeMatch, MatchState, Phase, conditions};
use sandbox::company::GROUP_PREFIX;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{random_changes::approve, world::World};

/// So long nothing must be written before the operator is taken to be at rest.
const QUIET: Duration = Duration::from_secs(8);

/// Waits until nothing more is written anywhere. Gives what is not as Okta says then.
pub async fn at_rest(worlds: &[World], timeout: Duration) -> Vec<String> {
    // Whoever waits out a failure, up to five minutes, is asked not to.
    for world in worlds {
        world.request_sync().await;
    }
    let started = Instant::now();
    let mut since = Instant::now();
    let mut before = Vec::new();
    loop {
        let mut now = Vec::new();
        for world in worlds {
            approve(world).await;
            let status = world.status().await;
            let is_well = !matches!(
                status.phase,
                Some(Phase::Failed | Phase::Syncing | Phase::Applying)
            );
            now.push((is_well, world.writes().len(), status.plan.map(|plan| plan.hash)));
        }
        if now != before || now.iter().any(|(is_well, ..)| !is_well) {
            before = now;
            since = Instant::now();
        } else if since.elapsed() >= QUIET {
            break;
        }
        if started.elapsed() > timeout {
            return vec![format!("something is still written after {timeout:?}")];
        }
        sleep(Duration::from_millis(500)).await;
    }
    let mut wrong = Vec::new();
    for world in worlds {
        wrong.extend(differences(world).await);
        wrong.extend(done_twice(world));
    }
    wrong
}

/// What is not as Okta says.
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
        let mut expect = |what: &str, is: &Value, should: &str| {
            if text(is) != should {
                wrong.push(format!(
                    "{}/{name}: {what} is {is}, not {should:?}",
                    world.namespace
                ));
            }
        };
        for (place, id) in employees.iter().enumerate() {
            let Some(employee) = account.employees.get(id) else {
                expect("employee", &Value::Null, id);
                continue;
            };
            let has_departed = employee["deactivated"].as_u64() != Some(0);
            if user["status"] == "DEPROVISIONED" {
                expect("switched off", &has_departed.to_string().into(), "true");
                continue;
            }
            if status.state != Some(MatchState::Matched) || has_departed {
                continue;
            }
            compared += 1;
            let profile = &user["profile"];
            let full = format!("{} {}", text(&profile["firstName"]), text(&profile["lastName"]));
            expect("name", &employee["name"], full.trim());
            if place == 0 {
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
        wrong.push(format!("{}: nobody could be compared", world.namespace));
    }
    wrong
}

fn is_ready(object: &EmployeeMatch) -> bool {
    let status = object.status.clone().unwrap_or_default();
    conditions::find(&status.conditions, conditions::READY).is_some_and(|ready| ready.status == "True")
}

/// Invitations and teams that were made twice.
fn done_twice(world: &World) -> Vec<String> {
    let mut made: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in world.insightful.journal().writes() {
        let made_of = match entry.path.as_str() {
            "/api/v1/employee" => "email",
            "/api/v1/team" => "name",
            _ => continue,
        };
        if entry.effect {
            let body = entry.body.unwrap_or_default();
            *made.entry((entry.path, text(&body[made_of]))).or_default() += 1;
        }
    }
    made.into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|((path, what), times)| format!("{}: POST {path} {what}: {times} times", world.namespace))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
