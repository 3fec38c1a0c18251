//! One call's faults, one after the other, in one company with one operator.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use okta_insightful_operator::api::{EmployeeMatch, MatchState, conditions};
use sandbox::{
    company::Company,
    faults::{self, Handle, Kind},
    journal::Entry,
    okta,
};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    changes,
    matrix::{CHANGED, Call, Fault, Phase, Seen, expected, senseless},
    world::World,
};

/// Reads are tried five times before they fail; the machine may be busy besides.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a cell says: what was seen, or what was wrong.
pub type Cells = BTreeMap<(Phase, Fault), Result<String, String>>;

/// Runs all faults of a call.
pub async fn all_faults(call: Call) -> Cells {
    let mut company = Company::acme();
    // As long as there are records that may be anybody's, nobody is invited without a decision.
    company.employees.retain(|employee| {
        employee["email"]
            .as_str()
            .is_some_and(|email| email.contains('@'))
    });
    // The org's limits would only make it slow: a sync follows the other.
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
    // In the half of the list that a dropped page lacks, so that its lack shows.
    let account = world.insightful.snapshot();
    let last = account.shared_settings().last().unwrap()["name"].clone();
    let settings = last.as_str().unwrap();
    world.insightful.configure(|settings| settings.retry_after = true);
    world.activate(changes::spec(call, settings)).await;
    world
        .wait_for_phase(okta_insightful_operator::api::Phase::Review)
        .await;
    let mut cells = Cells::new();
    let mut stale = None;
    for phase in [Phase::Before, Phase::After] {
        if phase == Phase::After {
            assert!(world.writes().is_empty(), "nothing is written before the finish");
            world.finish().await;
            if call == Call::Team {
                stale = Some(changes::bind_a_team(&world).await);
            }
        }
        for (round, fault) in Fault::ALL.into_iter().enumerate() {
            if senseless(fault, call, phase).is_some() {
                continue;
            }
            let started = Instant::now();
            let cell = one(&mut world, call, fault, phase, round, stale.as_ref()).await;
            let took = started.elapsed().as_secs_f32();
            println!("{call} {fault:?} {phase:?}: {cell:?} ({took:.1} s)");
            let lost = cell.is_err();
            cells.insert((phase, fault), cell);
            if lost {
                // What comes after a wrong end says nothing.
                world.insightful.faults().clear();
                world.okta.faults().clear();
                world.sync().await;
                if phase == Phase::After {
                    changes::clean_up(&world, call).await;
                }
            }
        }
    }
    cells
}

async fn one(
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
    let stale = stale.filter(|_| expected != Seen::Believed).map(|list| {
        let on = Call::Teams.requests();
        let kind = Kind::Status(200, Some(list.clone()));
        world.insightful.faults().always(on, kind)
    });
    let handle = add(world, call, fault);
    let allowed = match phase {
        Phase::Before => BTreeSet::new(),
        Phase::After => changes::make(world, call, fault, round),
    };
    if phase == Phase::After {
        changes::decide(world, call).await;
    }
    if !call.is_of_changes() {
        world.request_sync().await;
    }

    let seen = wait_for(world, expected, &reasons, &handle, fault.times()).await?;
    if handle.hits() == 0 {
        return Err("no request met the fault".to_owned());
    }
    only(&allowed, &world.insightful.journal().writes())?;

    handle.remove();
    if let Some(stale) = stale {
        stale.remove();
    }
    recovers(world, call, phase, &allowed).await?;
    if expected == Seen::Later && world.status().await.last_full_sync_time != full {
        return Err("only a read of everything brought what had changed".to_owned());
    }
    let writes = world.insightful.journal().writes();
    only(&allowed, &writes)?;
    let tried = changes::tried(&writes);
    for write in &allowed {
        let effects = tried.get(write).map_or(0, |(_, effects)| *effects);
        if effects != 1 {
            return Err(format!("{write} took effect {effects} times: {tried:?}"));
        }
    }
    if phase == Phase::After {
        changes::clean_up(world, call).await;
    } else if self::states(world).await != states {
        return Err("the matches are not what they were before the fault".to_owned());
    }
    if world.operator.as_mut().unwrap().has_exited() {
        return Err("the operator has ended".to_owned());
    }
    Ok(seen)
}

fn add(world: &World, call: Call, fault: Fault) -> Handle {
    let faults = if call.is_okta() {
        world.okta.faults()
    } else {
        world.insightful.faults()
    };
    faults.add(faults::Fault {
        on: call.requests(),
        kind: fault.kind(),
        times: fault.times(),
    })
}

/// Waits for what is to be seen of the fault, and gives its word for the table.
async fn wait_for(
    world: &World,
    expected: Seen,
    before: &BTreeMap<String, usize>,
    handle: &Handle,
    times: Option<u32>,
) -> Result<String, String> {
    let started = Instant::now();
    loop {
        let found = match expected {
            // What came of it is seen by what is written then.
            Seen::Passes if Some(handle.hits()) == times => return Ok("waits".to_owned()),
            // A second one begins where the first one ended well.
            Seen::Later if handle.hits() > 1 => return Ok("later".to_owned()),
            Seen::Believed if handle.hits() > 0 => return Ok("believed".to_owned()),
            Seen::Passes | Seen::Later | Seen::Believed => None,
            Seen::Condition(type_, status, reason) => {
                let now = world.status().await.conditions;
                let status = if status { "True" } else { "False" };
                conditions::find(&now, type_)
                    .filter(|condition| condition.status == status && condition.reason == reason)
                    .map(|condition| condition.message.clone())
            }
            Seen::Person(reason) => {
                let matches = world.matches().await;
                let told = messages(&matches, reason);
                let more = told.len() > before.get(reason).copied().unwrap_or(0);
                told.into_iter().next().filter(|_| more)
            }
        };
        if let Some(message) = found {
            if message.is_empty() {
                return Err(format!("{expected:?} says nothing"));
            }
            return Ok(match expected {
                Seen::Condition(_, _, reason) | Seen::Person(reason) => reason.to_owned(),
                Seen::Passes | Seen::Later | Seen::Believed => unreachable!("returned above"),
            });
        }
        if started.elapsed() > PATIENCE {
            let status = world.status().await;
            let all: Vec<String> = status
                .conditions
                .iter()
                .map(|condition| format!("{}={} {}", condition.type_, condition.status, condition.reason))
                .collect();
            return Err(format!(
                "{expected:?} was not seen; conditions: {all:?}, people: {:?}, writes: {:?}",
                reasons(world).await,
                world.writes()
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Everything is well again, by the same operator; where the search for what changed
/// had failed, without a sync that is asked for.
async fn recovers(world: &World, call: Call, phase: Phase, allowed: &BTreeSet<String>) -> Result<(), String> {
    if call.is_of_changes() {
        changes_are_read(world, allowed).await?;
    } else {
        world.sync().await;
    }
    let wanted = match phase {
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
        let well = is(conditions::READY, wanted)
            && is(conditions::OKTA_CONNECTED, "Connected")
            && is(conditions::INSIGHTFUL_CONNECTED, "Connected");
        let idle = phase == Phase::Before || status.plan.as_ref().is_some_and(|plan| plan.total == 0);
        if well && idle {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(format!(
                "it does not recover: {:?} {:?} {:?}",
                status.conditions.first(),
                status.plan,
                reasons(world).await
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Cycles read what changed again, and it is written.
async fn changes_are_read(world: &World, allowed: &BTreeSet<String>) -> Result<(), String> {
    world.okta.journal().clear();
    let searched = |entries: &[Entry]| {
        let searches = |path: &str| {
            let of_changes = |entry: &&Entry| {
                let search = entry.param("search").unwrap_or_default();
                entry.path == path && search.contains(CHANGED)
            };
            entries.iter().filter(of_changes).count()
        };
        // The first may have begun before the fault passed.
        searches("/api/v1/users") > 1 && searches("/api/v1/groups") > 1
    };
    let searched = world.okta.journal().wait_until(searched, PATIENCE).await;
    searched.map_err(|missing| missing.to_string())?;
    let is_written = |entries: &[Entry]| {
        let tried = changes::tried(entries);
        allowed
            .iter()
            .all(|write| tried.get(write).is_some_and(|(_, effects)| *effects > 0))
    };
    let written = world.insightful.journal().wait_until(is_written, PATIENCE).await;
    written.map(drop).map_err(|missing| missing.to_string())
}

/// No write, not even one that Insightful refuses, beyond what the plan allows.
fn only(allowed: &BTreeSet<String>, writes: &[Entry]) -> Result<(), String> {
    let tried = changes::tried(writes);
    let wrong: Vec<_> = tried
        .iter()
        .filter(|(write, _)| !allowed.contains(*write))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("wrong writes {wrong:?}; allowed are {allowed:?}"))
    }
}

async fn states(world: &World) -> BTreeMap<String, Option<MatchState>> {
    let matches = world.matches().await;
    matches
        .into_iter()
        .map(|(name, object)| (name, object.status.and_then(|status| status.state)))
        .collect()
}

/// How many people's matches have each reason.
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
