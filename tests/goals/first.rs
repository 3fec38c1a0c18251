//! First proposals for 10,000 people, beside the raw time to write the same
//! objects; then a decision about one of them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{EmployeeMatch, FIELD_MANAGER, MatchState, OktaIntegration, Phase};
use sandbox::{
    company::Company,
    journal::Journal,
    okta::{self, Limits},
};
use serde_json::{Value, json};

use crate::{
    figure, process, until,
    world::{NAME, World, integration},
};

const PEOPLE: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(600);

/// How many objects are written at a time for the baseline.
const PARALLEL: usize = 16;

/// Limits that do not matter: this is about the API server.
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

pub async fn measure() {
    let world = World::prepared_with(Company::generate(PEOPLE, 1), no_limits()).await;
    let begun = Instant::now();
    world.activate(json!({})).await;
    until(&world, "the review", PATIENCE, |status| {
        status.phase == Some(Phase::Review)
    })
    .await;
    let reviewed = Instant::now();
    let all = reviewed - begun;
    let since_read = since_last_call(&[world.okta.journal(), world.insightful.journal()]);
    let raw = raw(&world).await;
    figure(
        "First proposals for 10,000 people",
        "at most 1.2 times the raw time to create and status-patch the same objects",
        format!(
            "{:.2} times ({:.1} s from the last answer read to the review, {:.1} s raw, {:.1} s with the pull)",
            since_read.as_secs_f64() / raw.as_secs_f64(),
            since_read.as_secs_f64(),
            raw.as_secs_f64(),
            all.as_secs_f64(),
        ),
    );
    decisions(&world).await;
}

/// How long ago the last call was.
fn since_last_call(journals: &[&Journal]) -> Duration {
    journals
        .iter()
        .filter_map(|journal| journal.since_last())
        .min()
        .unwrap()
}

/// Creates and status-patches the same objects in another namespace, with
/// nobody watching. Gives how long that takes.
async fn raw(world: &World) -> Duration {
    let namespace = world.plane.namespace("raw").await.unwrap();
    let integrations: Api<OktaIntegration> = Api::namespaced(world.client.clone(), &namespace);
    let manifest = integration(NAME, &world.okta.url(), &world.insightful.url(), json!({}));
    let integration = integrations
        .patch(NAME, &PatchParams::apply("admin"), &Patch::Apply(manifest))
        .await
        .unwrap();
    let owner = integration.owner_ref(&());
    let objects: Vec<(EmployeeMatch, Value)> = world
        .matches()
        .await
        .into_iter()
        .map(|(name, object)| {
            let status = json!(object.status.unwrap());
            let mut new = EmployeeMatch::new(&name, object.spec);
            new.metadata.labels = object.metadata.labels;
            new.metadata.owner_references = owner.clone().map(|owner| vec![owner]);
            (new, status)
        })
        .collect();
    assert!(objects.len() > PEOPLE * 9 / 10);
    let api: Api<EmployeeMatch> = Api::namespaced(world.client.clone(), &namespace);
    let started = Instant::now();
    let writes = objects.into_iter().map(|(object, status)| {
        let api = api.clone();
        async move {
            api.create(&PostParams::default(), &object).await?;
            let name = object.name_any();
            let patch = json!({
                "apiVersion": EmployeeMatch::api_version(&()),
                "kind": EmployeeMatch::kind(&()),
                "metadata": { "name": name },
                "status": status,
            });
            let params = PatchParams::apply(FIELD_MANAGER).force();
            api.patch_status(&name, &params, &Patch::Apply(patch)).await
        }
    });
    let writes = stream::iter(writes.collect::<Vec<_>>()).buffer_unordered(PARALLEL);
    writes.try_for_each(|_| async { Ok(()) }).await.unwrap();
    started.elapsed()
}

/// How long decisions take to show.
async fn decisions(world: &World) {
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
    let work = process::work(pid);
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
    let work = (process::work(pid) - work) / made;
    figure(
        "A decision's effect visible, 10,000 people",
        "under 2 s, no Okta call",
        format!(
            "{:.2} s (the slowest of {made} {:.2} s; {:.2} s of processor time each), {} Okta calls",
            times[times.len() / 2].as_secs_f64(),
            times.last().unwrap().as_secs_f64(),
            work.as_secs_f64(),
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
        assert!(started.elapsed() < PATIENCE, "{name} shows no effect");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
