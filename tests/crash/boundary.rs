//! The points at which an apply is interrupted, and the comparison with an uninterrupted apply.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use okta_insightful_operator::api::{OktaIntegrationStatus, Phase};
use sandbox::{faults::Match, journal::Entry};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    final_state::{FinalState, call},
    scenario::Scenario,
    world::World,
};

/// The progress of a write when the operator is killed or paused.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// The request has been received and has no effect yet.
    BeforeEffect,
    /// The write has taken effect; the response is not sent yet.
    BeforeResponse,
    /// The response has been sent.
    AfterResponse,
}

pub const MOMENTS: [Moment; 3] = [
    Moment::BeforeEffect,
    Moment::BeforeResponse,
    Moment::AfterResponse,
];

impl Moment {
    /// Whether the write with this index has reached this moment.
    pub fn is_reached(self, entries: &[Entry], index: usize) -> bool {
        let write = entries.iter().filter(|entry| entry.is_write()).nth(index);
        write.is_some_and(|write| match self {
            Self::BeforeEffect => true,
            Self::BeforeResponse => write.effect,
            Self::AfterResponse => write.status.is_some(),
        })
    }
}

/// An apply without an interruption.
pub struct Uninterrupted {
    pub plan: String,
    pub writes: Vec<Entry>,
    pub state: FinalState,
}

impl Uninterrupted {
    /// Runs the scenario's apply.
    pub async fn run(scenario: Scenario) -> Self {
        let (world, status) = scenario.prepared().await;
        world.patch(json!({ "finalized": true })).await;
        world.wait_for_phase(Phase::InSync).await;
        let writes = world.insightful.journal().writes();
        assert_eq!(writes.len(), scenario.writes(), "{:#?}", world.writes());
        Self {
            plan: status.plan.unwrap().hash,
            writes,
            state: final_state(&world).await,
        }
    }

    /// The differences of an apply that was interrupted at the write with this index, one per line.
    pub fn differences(
        &self,
        index: usize,
        state: &FinalState,
        writes: &[Entry],
        status: &OktaIntegrationStatus,
    ) -> Vec<String> {
        let mut wrong = self.state.differences(state);
        let (expected, seen) = (self.state.effects(&self.writes), state.effects(writes));
        let interrupted = self.state.call(&self.writes[index]);
        wrong.extend(different_effects(&expected, &seen, &interrupted));
        if status.applying.is_some() {
            wrong.push(format!("status.applying is still set: {:?}", status.applying));
        }
        wrong
    }
}

/// The state once the integration is in sync; another sync must find no changes.
pub async fn final_state(world: &World) -> FinalState {
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let state = FinalState::of(world).await;
    world.idle_sync_writes_nothing().await;
    state
}

/// Matches the request of the write with this index.
pub fn request(writes: &[Entry], index: usize) -> Match {
    let kind = |entry: &Entry| -> (String, &'static str) {
        let path = match entry.path.as_str() {
            "/api/v1/team" => "/api/v1/team",
            "/api/v1/employee" => "/api/v1/employee",
            path if path.contains("/deactivate/") => "/api/v1/employee/deactivate/*",
            _ => "/api/v1/employee/*",
        };
        (entry.method.clone(), path)
    };
    let (method, path) = kind(&writes[index]);
    let earlier = writes[..index]
        .iter()
        .filter(|entry| kind(entry) == (method.clone(), path))
        .count();
    Match::on(&method, path).after(u32::try_from(earlier).unwrap())
}

/// The writes as indented lines of a report.
pub fn list(writes: &[Entry]) -> String {
    let lines: Vec<String> = writes
        .iter()
        .map(|entry| format!("{} effect={} {:?}", entry.line(), entry.effect, entry.body))
        .collect();
    lines.join("\n      ")
}

/// Effects that are missing or superfluous. The interrupted write may set a title once more: no
/// response shows titles, so the operator cannot know that the title is set, and the value is the same.
fn different_effects(
    expected: &BTreeMap<String, usize>,
    seen: &BTreeMap<String, usize>,
    interrupted: &str,
) -> Vec<String> {
    let repeatable = interrupted
        .strip_prefix("update ")
        .and_then(|rest| rest.rsplit_once(' '))
        .filter(|(_, fields)| fields.split(',').any(|field| field == "title"))
        .map(|(employee, _)| format!("update {employee} title"));
    let calls: BTreeSet<&String> = expected.keys().chain(seen.keys()).collect();
    calls
        .into_iter()
        .filter(|call| {
            let (expected, seen) = (expected.get(*call), seen.get(*call));
            let (expected, seen) = (expected.copied().unwrap_or(0), seen.copied().unwrap_or(0));
            seen != expected && !(repeatable.as_ref() == Some(*call) && seen == expected + 1)
        })
        .map(|call| {
            format!(
                "{call}: {:?} effects instead of {:?}",
                seen.get(call),
                expected.get(call)
            )
        })
        .collect()
}

/// Runs the cases concurrently, prints a line for each, and panics if one failed.
pub async fn run<C>(cases: Vec<(String, C)>, max_concurrent: usize)
where
    C: Future<Output = Result<String, String>> + Send + 'static,
{
    let count = cases.len();
    let cases = cases.into_iter().map(|(name, case)| async move {
        let started = Instant::now();
        // A panic fails only its case.
        let result = tokio::spawn(case).await;
        let result = result.unwrap_or_else(|panic| Err(panic.to_string()));
        let outcome = match &result {
            Ok(details) => format!("ok, {details}"),
            Err(wrong) => format!("FAILED\n    {wrong}"),
        };
        println!("{name}: {outcome} ({:.1} s)", started.elapsed().as_secs_f32());
        result.is_err()
    });
    let failed: Vec<bool> = stream::iter(cases)
        .buffer_unordered(max_concurrent)
        .collect()
        .await;
    assert_eq!(failed.len(), count);
    let failed = failed.into_iter().filter(|failed| *failed).count();
    assert_eq!(failed, 0, "cases that differ from an uninterrupted apply");
}

/// The name of a case: the scenario, the write and the moment.
pub fn name(scenario: Scenario, uninterrupted: &Uninterrupted, index: usize, moment: Moment) -> String {
    let call = call(&uninterrupted.writes[index]);
    format!("{scenario:?} {:>2} {call:<60} {moment:?}", index + 1)
}

/// The index of every write.
pub fn each(writes: &[Entry]) -> Vec<usize> {
    (0..writes.len()).collect()
}

/// The index of one write of each kind: a team, an invitation, its title, an update, a
/// team move, a restore and a deactivation.
pub fn each_kind(writes: &[Entry]) -> Vec<usize> {
    let calls: Vec<String> = writes.iter().map(call).collect();
    let index_of = |is: &dyn Fn(&str) -> bool| {
        let index = calls.iter().position(|call| is(call));
        index.unwrap_or_else(|| panic!("a kind of write is missing: {calls:#?}"))
    };
    let update = index_of(&|call| call.starts_with("update ") && call.contains("email"));
    let deactivation = index_of(&|call| call.starts_with("deactivate "));
    vec![
        index_of(&|call| call.starts_with("create team ")),
        index_of(&|call| call.starts_with("invite ")),
        index_of(&|call| call.starts_with("update ") && call.ends_with(" title")),
        update,
        index_of(&|call| call.starts_with("update ") && call.ends_with(" teamId")),
        // Restores come right before the deactivations.
        deactivation - 1,
        deactivation,
    ]
}
