//! The time to write the first proposals, compared with the time to write the same objects
//! without the operator; then the time until a decision shows its effect.

use std::{
    collections::BTreeMap,
    pin::Pin,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, stream};
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{
    EmployeeMatch, FIELD_MANAGER, MatchState, OktaIntegration, OktaIntegrationStatus, Phase, Step,
};
use sandbox::{
    company::Company,
    journal::Journal,
    okta::{self, Limits},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    figure, process, until,
    world::{NAME, World, integration},
};

const PEOPLE: usize = 10_000;
const TIMEOUT: Duration = Duration::from_secs(600);

/// How many objects the baseline writes at a time.
const MAX_CONCURRENT: usize = 16;

/// How long the operator and the baseline write alternately.
const TURN: Duration = Duration::from_secs(3);

/// Settings of Okta without effective rate limits.
pub fn no_limits() -> okta::Settings {
    okta::Settings {
        limits: Limits {
            users: 1_000_000,
            user: 1_000_000,
            groups: 1_000_000,
            group: 1_000_000,
            ..Limits::default()
        },
        ..okta::Settings::default()
    }
}

/// The operator and the baseline write alternately, because the speed of the machine varies over time.
/// The operator is paused during the baseline's turns.
pub async fn measure() {
    let company = Company::generate(PEOPLE, 1);
    // The baseline writes the objects that the operator writes for the same company.
    let before = World::prepared_with(company.clone(), no_limits()).await;
    before.activate(json!({})).await;
    until(&before, "the review", TIMEOUT, is_in_review).await;
    let mut baseline = Baseline::of(&before).await;
    drop(before);

    let world = World::prepared_with(company, no_limits()).await;
    let operator = world.operator.as_ref().unwrap();
    world.activate(json!({})).await;
    until(&world, "the first EmployeeMatches", TIMEOUT, |status| {
        let progress = status.progress.as_ref();
        progress.is_some_and(|progress| progress.step == Step::WritingMatches)
    })
    .await;
    let mut proposals = since_last_call(&[world.okta.journal(), world.insightful.journal()]);
    let mut turn_start = Instant::now();
    loop {
        let review = timeout(TURN, until(&world, "the review", TIMEOUT, is_in_review)).await;
        operator.pause().unwrap();
        proposals += turn_start.elapsed();
        baseline.write(TURN).await;
        operator.resume().unwrap();
        turn_start = Instant::now();
        if review.is_ok() {
            break;
        }
    }
    baseline.write(TIMEOUT).await;
    figure(
        "First proposals for 10,000 people",
        "at most 1.2 times the baseline: create and status-patch the same objects",
        format!(
            "{:.2} times ({:.1} s from the last response to the review, baseline {:.1} s, alternating every {} s)",
            proposals.as_secs_f64() / baseline.took.as_secs_f64(),
            proposals.as_secs_f64(),
            baseline.took.as_secs_f64(),
            TURN.as_secs(),
        ),
    );
    measure_decisions(&world).await;
}

fn is_in_review(status: &OktaIntegrationStatus) -> bool {
    status.phase == Some(Phase::Review)
}

/// The time since the last call to either service.
fn since_last_call(journals: &[&Journal]) -> Duration {
    journals
        .iter()
        .filter_map(|journal| journal.since_last())
        .min()
        .unwrap()
}

/// Creates and status-patches the same objects in a namespace without an operator.
struct Baseline {
    writes: Pin<Box<dyn Stream<Item = ()> + Send>>,
    took: Duration,
}

impl Baseline {
    /// The objects of a company in review.
    async fn of(world: &World) -> Self {
        let namespace = world.plane.namespace("baseline").await.unwrap();
        let integrations: Api<OktaIntegration> = Api::namespaced(world.client.clone(), &namespace);
        let manifest = integration(NAME, &world.okta.url(), &world.insightful.url(), json!({}));
        let integration = integrations
            .patch(NAME, &PatchParams::apply("admin"), &Patch::Apply(manifest))
            .await
            .unwrap();
        let owner = integration.owner_ref(&());
        let objects = world.matches().await;
        assert!(objects.len() > PEOPLE * 9 / 10);
        let api: Api<EmployeeMatch> = Api::namespaced(world.client.clone(), &namespace);
        let writes = stream::iter(objects).map(move |(name, object)| {
            let status = json!(object.status.unwrap());
            let mut new = EmployeeMatch::new(&name, object.spec);
            new.metadata.labels = object.metadata.labels;
            new.metadata.owner_references = owner.clone().map(|owner| vec![owner]);
            write(api.clone(), new, status)
        });
        Self {
            writes: Box::pin(writes.buffer_unordered(MAX_CONCURRENT)),
            took: Duration::ZERO,
        }
    }

    /// Writes for this long, or until all objects are written.
    async fn write(&mut self, turn: Duration) {
        let started = Instant::now();
        while started.elapsed() < turn && self.writes.next().await.is_some() {}
        self.took += started.elapsed();
    }
}

async fn write(api: Api<EmployeeMatch>, object: EmployeeMatch, status: Value) {
    api.create(&PostParams::default(), &object).await.unwrap();
    let name = object.name_any();
    let patch = json!({
        "apiVersion": EmployeeMatch::api_version(&()),
        "kind": EmployeeMatch::kind(&()),
        "metadata": { "name": name },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch_status(&name, &params, &Patch::Apply(patch))
        .await
        .unwrap();
}

/// Measures the time until decisions show their effect.
async fn measure_decisions(world: &World) {
    let matches = world.matches().await;
    let matches: BTreeMap<&String, &EmployeeMatch> = matches
        .iter()
        .filter(|(_, object)| {
            let status = object.status.as_ref().unwrap();
            status.state == Some(MatchState::Proposed) && status.employee.is_some()
        })
        .collect();
    world.okta.journal().clear();
    let pid = world.operator.as_ref().unwrap().pid();
    let cpu_before = process::cpu_time(pid);
    let (mut times, mut made) = (Vec::new(), 0);
    for (name, object) in matches.into_iter().step_by(100).take(5) {
        let employee = object.status.as_ref().unwrap().employee.as_ref().unwrap();
        for (decision, state) in [
            (json!({ "decision": "Ignore" }), MatchState::Ignored),
            (
                json!({ "decision": "Match", "employeeIds": [employee.id] }),
                MatchState::Proposed,
            ),
        ] {
            times.push(decide(world, name, decision, state).await);
            made += 1;
        }
    }
    times.sort_unstable();
    let cpu = (process::cpu_time(pid) - cpu_before) / made;
    figure(
        "Effect of a decision visible, 10,000 people",
        "under 2 s, no Okta call",
        format!(
            "{:.2} s (median of {made}; slowest {:.2} s; {:.2} s CPU time each), {} Okta calls",
            times[times.len() / 2].as_secs_f64(),
            times.last().unwrap().as_secs_f64(),
            cpu.as_secs_f64(),
            world.okta.journal().entries().len(),
        ),
    );
}

async fn decide(world: &World, name: &str, decision: Value, state: MatchState) -> Duration {
    let api: Api<EmployeeMatch> = world.api();
    let patch = Patch::Merge(json!({ "spec": decision }));
    let started = Instant::now();
    let decided = api.patch(name, &PatchParams::default(), &patch).await.unwrap();
    loop {
        let status = api.get(name).await.unwrap().status.unwrap();
        if status.observed_generation == decided.metadata.generation {
            assert_eq!(status.state, Some(state), "{name}");
            return started.elapsed();
        }
        assert!(started.elapsed() < TIMEOUT, "{name} shows no effect");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
