//! Two replicas: the leader is paused with SIGSTOP past its lease and resumed later.

use std::{collections::BTreeMap, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use k8s_openapi::api::{
    coordination::v1::Lease,
    rbac::v1::{Role, RoleBinding},
};
use kube::Api;
use okta_insightful_operator::api::{OktaIntegration, Phase};
use sandbox::{
    company::Company, control_plane::child_process::ChildProcess, faults::Kind, journal::Entry, okta,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    boundary::{MOMENTS, Moment, Uninterrupted, each_kind, final_state, list, name, request, run},
    scenario::{Clearance, Scenario},
    world::{World, apply, open_guard, start},
};

/// How many cases run at a time; they mostly wait for a lease to expire.
const MAX_CONCURRENT: usize = 8;

const TIMEOUT: Duration = Duration::from_secs(120);

/// Shorter than a lease, so that the resumed leader finds the response.
const RESPONSE_DELAY: Duration = Duration::from_secs(5);

/// The name of the Lease in the namespace of each company: the one that the chart uses.
const LEASE: &str = "okta-insightful-operator";

/// The leader; `World::operator` is the standby.
struct Leader {
    process: ChildProcess,
    /// Its identity in the Lease.
    identity: String,
}

impl Leader {
    /// Replaces the operator by two replicas with a Lease in the company's namespace.
    async fn with_standby(world: &mut World) -> Self {
        world.stop_operator().await;
        allow_lease(world).await;
        let lease = format!("{}/{LEASE}", world.namespace);
        let arguments = ["--lease", lease.as_str()];
        let process = start(world.plane, &[&world.namespace], &arguments).await;
        let started = Instant::now();
        let identity = loop {
            match holder(world).await {
                Some(identity) => break identity,
                None => assert!(started.elapsed() < TIMEOUT, "{}", process.log_tail(30)),
            }
            sleep(Duration::from_millis(50)).await;
        };
        world.operator = Some(start(world.plane, &[&world.namespace], &arguments).await);
        Self { process, identity }
    }

    /// Pauses the leader. Returns the writes until then.
    async fn pause(&self, world: &World) -> Vec<Entry> {
        self.process.pause().unwrap();
        let writes = world.insightful.journal().writes();
        let holder = holder(world).await;
        assert_eq!(
            holder.as_ref(),
            Some(&self.identity),
            "the paused replica is the leader"
        );
        writes
    }

    /// Waits until the standby is the leader and the integration is in sync.
    async fn wait_for_takeover(&self, world: &World) {
        let started = Instant::now();
        while holder(world).await.as_ref() == Some(&self.identity) {
            assert!(started.elapsed() < TIMEOUT, "{}", world.log_tail());
            sleep(Duration::from_millis(100)).await;
        }
        // With a longer timeout than `World::sync`: the first sync makes all remaining writes.
        let request = world.request_sync().await;
        while world.status().await.last_handled_sync_request.as_ref() != Some(&request) {
            assert!(started.elapsed() < TIMEOUT, "{}", world.log_tail());
            sleep(Duration::from_millis(100)).await;
        }
        world.wait_for_phase(Phase::InSync).await;
    }

    /// Resumes the leader. Returns its writes to Insightful and the cluster, of which there must be none.
    async fn resume(&self, world: &World) -> Vec<String> {
        let before = versions(world).await;
        world.insightful.journal().clear();
        self.process.resume().unwrap();
        let started = Instant::now();
        // The interrupted reconcile ends, and another one would start.
        while !world.log_of(&self.process).contains("completed=") {
            assert!(
                started.elapsed() < TIMEOUT,
                "the interrupted reconcile does not end:\n{}",
                self.process.log_tail(30)
            );
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_secs(2)).await;
        let writes = world.insightful.journal().writes();
        let mut wrong = Vec::new();
        if !writes.is_empty() {
            wrong.push(format!("the resumed leader wrote:\n      {}", list(&writes)));
        }
        let after = versions(world).await;
        for (name, version) in &after {
            if before.get(name) != Some(version) {
                wrong.push(format!("the resumed leader wrote {name}"));
            }
        }
        wrong
    }
}

/// Allows the chart's ServiceAccount to use a Lease in the company's namespace. The chart's own RBAC
/// covers a single Lease, for which concurrent cases would have to wait.
async fn allow_lease(world: &World) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": LEASE },
        "rules": [{
            "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"],
        }],
    });
    let roles: Api<Role> = Api::namespaced(world.client.clone(), &world.namespace);
    apply(&roles, role).await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": LEASE },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": LEASE },
        "subjects": [{ "kind": "ServiceAccount", "name": LEASE, "namespace": LEASE }],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(world.client.clone(), &world.namespace);
    apply(&bindings, binding).await;
}

/// The identity of the Lease's holder.
async fn holder(world: &World) -> Option<String> {
    let api: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let lease = api.get_opt(LEASE).await.unwrap()?;
    lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

/// The resource versions of all objects that the operator writes.
async fn versions(world: &World) -> BTreeMap<String, Option<String>> {
    let mut versions = world.match_versions().await;
    let integration: OktaIntegration = world.integration().await;
    versions.insert(
        "the integration".to_owned(),
        integration.metadata.resource_version,
    );
    versions
}

/// Runs one case. Returns details for its line, or how it differs.
async fn case(uninterrupted: &Uninterrupted, index: usize, moment: Moment) -> Result<String, String> {
    let (mut world, status) = Scenario::LaterApply.prepared().await;
    assert_eq!(
        status.plan.unwrap().hash,
        uninterrupted.plan,
        "the plan must be the same in every run"
    );
    let leader = Leader::with_standby(&mut world).await;
    let faults = world.insightful.faults();
    match moment {
        // Without Retry-After the leader waits for its default time, which is shorter than a lease,
        // before it sends the request again.
        Moment::BeforeEffect => {
            faults.once(request(&uninterrupted.writes, index), Kind::Status(429, None));
        }
        Moment::BeforeResponse => {
            faults.once(
                request(&uninterrupted.writes, index),
                Kind::DelayAnswer(RESPONSE_DELAY),
            );
        }
        Moment::AfterResponse => {}
    }
    world
        .patch(Clearance::WithinGuard.spec(&uninterrupted.plan))
        .await;
    let journal = world.insightful.journal();
    let reached = |entries: &[Entry]| moment.is_reached(entries, index);
    journal.wait_until(reached, TIMEOUT).await.unwrap();
    let before = leader.pause(&world).await;

    leader.wait_for_takeover(&world).await;
    let writes = journal.writes();
    let state = final_state(&world).await;
    let late_writes = leader.resume(&world).await;

    let mut wrong = uninterrupted.differences(index, &state, &writes, &world.status().await);
    wrong.extend(late_writes);
    if wrong.is_empty() {
        let after = writes.len() - before.len();
        Ok(format!(
            "{} writes before the pause, {after} by the standby",
            before.len()
        ))
    } else {
        wrong.push(format!(
            "all writes, {} of them before the pause:\n      {}",
            before.len(),
            list(&writes)
        ));
        Err(wrong.join("\n    "))
    }
}

/// Pauses a leader that has used up Insightful's rate limit and waits, with a recorded write, for the
/// next minute. Returns the rest of the case.
async fn paused_while_waiting_for_rate_limit() -> impl Future<Output = Result<String, String>> {
    let mut world = World::prepared_with(Company::generate(300, 7), okta::Settings::default()).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    let leader = Leader::with_standby(&mut world).await;
    world.patch(json!({ "finalized": true })).await;
    let waits = |integration: &OktaIntegration| {
        let status = integration.status.as_ref();
        let progress = status.and_then(|status| status.progress.as_ref());
        progress.is_some_and(|progress| progress.waiting_until.is_some())
    };
    let waiting = world.wait_for("the wait", waits).await;
    let until = waiting.status.unwrap().progress.unwrap().waiting_until.unwrap().0;
    let before = leader.pause(&world).await;
    assert!(
        before.iter().all(|entry| entry.status == Some(200)),
        "no write is in flight"
    );
    async move {
        leader.wait_for_takeover(&world).await;
        let after = world.insightful.journal().writes().len() - before.len();
        world.idle_sync_writes_nothing().await;
        // The leader is resumed after the end of its wait.
        let remaining = until.duration_since(Timestamp::now());
        sleep(Duration::try_from(remaining).unwrap_or_default() + Duration::from_secs(1)).await;
        let mut wrong = leader.resume(&world).await;
        if after == 0 {
            wrong.push("the standby had nothing left to write".to_owned());
        }
        if wrong.is_empty() {
            Ok(format!(
                "{} writes before the pause, {after} by the standby",
                before.len()
            ))
        } else {
            Err(wrong.join("\n    "))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_paused_at_any_kind_of_write_writes_nothing_more_and_the_standby_completes_the_apply() {
    let scenario = Scenario::LaterApply;
    let uninterrupted: &'static Uninterrupted = Box::leak(Box::new(Uninterrupted::run(scenario).await));
    // Before the other cases start: only a fast apply uses up the rate limit of a minute.
    let waiting = paused_while_waiting_for_rate_limit().await;
    let mut cases = vec![(
        "paused while waiting for the rate limit".to_owned(),
        waiting.boxed(),
    )];
    for index in each_kind(&uninterrupted.writes) {
        for moment in MOMENTS {
            let name = name(scenario, uninterrupted, index, moment);
            cases.push((
                format!("paused {name}"),
                case(uninterrupted, index, moment).boxed(),
            ));
        }
    }
    run(cases, MAX_CONCURRENT).await;
}
