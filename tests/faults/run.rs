//! Runs all faults of one call, one after the other, in one company with one operator.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, conditions};
use sandbox::{
    company::{Company, GROUP_PREFIX},
    faults::{self, Handle, Kind},
    journal::Entry,
    okta,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    changes,
    matrix::{Call, DELTA_SEARCH, Fault, Phase, Symptom, expected, inapplicable},
    world::World,
};

/// A read is attempted five times before it fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The symptom of each fault, or the failure of its test.
pub type Cells = BTreeMap<(Phase, Fault), Result<String, String>>;

pub async fn all_faults(call: Call) -> Cells {
    let mut company = Company::acme();
    // With unidentifiable employees in the account, nobody is invited without a decision.
    company.employees.retain(|employee| {
        employee["email"]
            .as_str()
            .is_some_and(|email| email.contains('@'))
    });
    // Rate limits would only slow the test down.
    let limits = okta::Limits {
        users: 100_000,
        user: 100_000,
        groups: 100_000,
        ..okta::Limits::default()
    };
    let okta = okta::Settings {
        limits,
        ..okta::Settings::default()
    };
    let mut world = World::prepared_with(company, okta).await;
    // The last one is on the page that the DroppedPage fault drops.
    let account = world.insightful.snapshot();
    let last = account.shared_settings().last().unwrap()["name"].clone();
    let settings = last.as_str().unwrap();
    world.insightful.configure(|settings| settings.retry_after = true);
    if call == Call::MembersAgain {
        changes::hide_a_member(&world);
    }
    world.activate(changes::spec(call, settings)).await;
    world
        .wait_for_phase(okta_insightful_operator::api::Phase::Review)
        .await;
    ignore_doubtful(&world).await;
    let mut cells = Cells::new();
    let mut stale = None;
    for phase in [Phase::Before, Phase::After] {
        if phase == Phase::After {
            assert!(world.writes().is_empty(), "nothing is written before finalizing");
            world.finalize().await;
            if call == Call::Team {
                stale = Some(changes::bind_a_team(&world).await);
            }
        }
        for (round, fault) in Fault::ALL.into_iter().enumerate() {
            if inapplicable(fault, call, phase).is_some() {
                continue;
            }
            let started = Instant::now();
            let cell = run_round(&mut world, call, fault, phase, round, stale.as_ref()).await;
            let took = started.elapsed().as_secs_f32();
            println!("{call} {fault:?} {phase:?}: {cell:?} ({took:.1} s)");
            let failed = cell.is_err();
            cells.insert((phase, fault), cell);
            if failed {
                // The next round starts from a clean state.
                world.insightful.faults().clear();
                world.okta.faults().clear();
                world.sync().await;
                if phase == Phase::After {
                    changes::clean_up(&world, call, round).await;
                }
            }
        }
    }
    cells
}

/// Ignores who waits for a reviewer: as the rounds add people, the evidence for a doubtful pair may come to suffice,
/// and its first update would be taken for a wrong write.
async fn ignore_doubtful(world: &World) {
    for (name, object) in world.matches().await {
        if object.status.and_then(|status| status.state) == Some(MatchState::Review) {
            let decision = Patch::Merge(json!({ "spec": { "decision": "Ignore" } }));
            let api = world.api::<EmployeeMatch>();
            api.patch(&name, &PatchParams::default(), &decision)
                .await
                .unwrap();
        }
    }
    world.sync().await;
}

async fn run_round(
    world: &mut World,
    call: Call,
    fault: Fault,
    phase: Phase,
    round: usize,
    stale: Option<&Value>,
) -> Result<String, String> {
    let states = states(world).await;
    let reasons = reasons(world).await;
    let full = world.status().await.last_full_sync_time;
    world.insightful.journal().clear();
    let expected = expected(fault, call, phase);
    let stale = stale.filter(|_| expected != Symptom::Accepted).map(|list| {
        let on = Call::Teams.requests();
        let kind = Kind::Status(200, Some(list.clone()));
        world.insightful.faults().always(on, kind)
    });
    let handle = add_fault(world, call, fault);
    let allowed = match phase {
        Phase::Before => BTreeSet::new(),
        Phase::After => changes::make_change(world, call, fault, round),
    };
    if phase == Phase::After {
        changes::unmatch(world, call).await;
    }
    if !call.is_delta_search() {
        world.request_sync().await;
    }

    let symptom = wait_for_symptom(world, expected, &reasons, &handle, fault.times()).await?;
    if handle.hits() == 0 {
        return Err("the fault affected no request".to_owned());
    }
    check_writes(&allowed, &world.insightful.journal().writes())?;

    handle.remove();
    if let Some(stale) = stale {
        stale.remove();
    }
    wait_for_recovery(world, call, phase, &allowed).await?;
    if expected == Symptom::NextSearch && world.status().await.last_full_sync_time != full {
        return Err("only a full sync found the change".to_owned());
    }
    let writes = world.insightful.journal().writes();
    check_writes(&allowed, &writes)?;
    let counts = changes::write_counts(&writes);
    for write in &allowed {
        let effects = counts.get(write).map_or(0, |(_, effects)| *effects);
        if effects != 1 {
            return Err(format!("{write} took effect {effects} times: {counts:?}"));
        }
    }
    if phase == Phase::After {
        changes::clean_up(world, call, round).await;
    } else if self::states(world).await != states {
        return Err("the states of the matches differ from those before the fault".to_owned());
    }
    if world.operator.as_mut().unwrap().has_exited() {
        return Err("the operator has exited".to_owned());
    }
    Ok(symptom)
}

fn add_fault(world: &World, call: Call, fault: Fault) -> Handle {
    let faults = if call.is_okta() {
        world.okta.faults()
    } else {
        world.insightful.faults()
    };
    let on = match call {
        // Each group has been read once.
        Call::MembersAgain => {
            let org = world.okta.snapshot();
            let team_groups = org.groups.values().filter(|group| {
                let name = group["profile"]["name"].as_str();
                name.is_some_and(|name| name.starts_with(GROUP_PREFIX))
            });
            call.requests().after(u32::try_from(team_groups.count()).unwrap())
        }
        _ => call.requests(),
    };
    faults.add(faults::Fault {
        on,
        kind: fault.kind(),
        times: fault.times(),
    })
}

/// Waits for the symptom of the fault. Returns its cell in the table.
async fn wait_for_symptom(
    world: &World,
    expected: Symptom,
    before: &BTreeMap<String, usize>,
    handle: &Handle,
    times: Option<u32>,
) -> Result<String, String> {
    let started = Instant::now();
    loop {
        let found = match expected {
            // The writes of the round show that the call succeeded.
            Symptom::Retried if Some(handle.hits()) == times => return Ok("retried".to_owned()),
            // The second search starts where the first one ended.
            Symptom::NextSearch if handle.hits() > 1 => return Ok("next search".to_owned()),
            Symptom::Accepted if handle.hits() > 0 => return Ok("accepted".to_owned()),
            Symptom::Retried | Symptom::NextSearch | Symptom::Accepted => None,
            Symptom::Condition(type_, status, reason) => {
                let now = world.status().await.conditions;
                let status = if status { "True" } else { "False" };
                conditions::find(&now, type_)
                    .filter(|condition| condition.status == status && condition.reason == reason)
                    .map(|condition| condition.message.clone())
            }
            Symptom::Person(reason) => {
                let matches = world.matches().await;
                let messages = messages(&matches, reason);
                let is_new = messages.len() > before.get(reason).copied().unwrap_or(0);
                messages.into_iter().next().filter(|_| is_new)
            }
        };
        if let Some(message) = found {
            if message.is_empty() {
                return Err(format!("{expected:?} has no message"));
            }
            return Ok(match expected {
                Symptom::Condition(_, _, reason) | Symptom::Person(reason) => reason.to_owned(),
                Symptom::Retried | Symptom::NextSearch | Symptom::Accepted => unreachable!("returned above"),
            });
        }
        if started.elapsed() > TIMEOUT {
            let status = world.status().await;
            let conditions: Vec<String> = status
                .conditions
                .iter()
                .map(|condition| format!("{}={} {}", condition.type_, condition.status, condition.reason))
                .collect();
            return Err(format!(
                "no {expected:?}; conditions: {conditions:?}, people: {:?}, writes: {:?}",
                reasons(world).await,
                world.writes()
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Waits until the same operator has recovered; after a failed delta search, without a requested sync.
async fn wait_for_recovery(
    world: &World,
    call: Call,
    phase: Phase,
    allowed: &BTreeSet<String>,
) -> Result<(), String> {
    if call.is_delta_search() {
        wait_for_delta_syncs(world, allowed).await?;
    } else {
        world.sync().await;
    }
    let ready_reason = match phase {
        Phase::Before => "AwaitingFinalize",
        Phase::After => "InSync",
    };
    let started = Instant::now();
    loop {
        let status = world.status().await;
        let is = |type_: &str, reason: &str| {
            let condition = conditions::find(&status.conditions, type_);
            condition.is_some_and(|condition| condition.status == "True" && condition.reason == reason)
        };
        let healthy = is(conditions::READY, ready_reason)
            && is(conditions::OKTA_CONNECTED, "Connected")
            && is(conditions::INSIGHTFUL_CONNECTED, "Connected");
        let idle = phase == Phase::Before || status.plan.as_ref().is_some_and(|plan| plan.total == 0);
        if healthy && idle {
            return Ok(());
        }
        if started.elapsed() > TIMEOUT {
            return Err(format!(
                "no recovery: {:?} {:?} {:?}",
                status.conditions.first(),
                status.plan,
                reasons(world).await
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Waits until delta syncs succeed and the change is written.
async fn wait_for_delta_syncs(world: &World, allowed: &BTreeSet<String>) -> Result<(), String> {
    world.okta.journal().clear();
    let searched = |entries: &[Entry]| {
        let searches = |path: &str| {
            let is_delta = |entry: &&Entry| {
                let search = entry.param("search").unwrap_or_default();
                entry.path == path && search.contains(DELTA_SEARCH)
            };
            entries.iter().filter(is_delta).count()
        };
        // The first may have started before the fault was removed.
        searches("/api/v1/users") > 1 && searches("/api/v1/groups") > 1
    };
    let searched = world.okta.journal().wait_until(searched, TIMEOUT).await;
    searched.map_err(|missing| missing.to_string())?;
    let is_written = |entries: &[Entry]| {
        let counts = changes::write_counts(entries);
        allowed
            .iter()
            .all(|write| counts.get(write).is_some_and(|(_, effects)| *effects > 0))
    };
    let written = world.insightful.journal().wait_until(is_written, TIMEOUT).await;
    written.map(drop).map_err(|missing| missing.to_string())
}

/// Fails if Insightful received a write that is not allowed, even one that it refused.
fn check_writes(allowed: &BTreeSet<String>, writes: &[Entry]) -> Result<(), String> {
    let counts = changes::write_counts(writes);
    let wrong: Vec<_> = counts
        .iter()
        .filter(|(write, _)| !allowed.contains(*write))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("wrong writes: {wrong:?}; allowed: {allowed:?}"))
    }
}

async fn states(world: &World) -> BTreeMap<String, Option<MatchState>> {
    let matches = world.matches().await;
    matches
        .into_iter()
        .map(|(name, object)| (name, object.status.and_then(|status| status.state)))
        .collect()
}

/// The number of matches with each Ready reason.
async fn reasons(world: &World) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for object in world.matches().await.into_values() {
        let ready = object.status.unwrap_or_default().conditions;
        if let Some(ready) = conditions::find(&ready, conditions::READY) {
            *reasons.entry(ready.reason.clone()).or_default() += 1;
        }
    }
    reasons
}

/// The messages of all matches with this Ready reason.
fn messages(matches: &BTreeMap<String, EmployeeMatch>, reason: &str) -> Vec<String> {
    let ready = matches.values().filter_map(|object| {
        let conditions = &object.status.as_ref()?.conditions;
        conditions::find(conditions, conditions::READY)
    });
    ready
        .filter(|ready| ready.reason == reason)
        .map(|ready| ready.message.clone())
        .collect()
}
