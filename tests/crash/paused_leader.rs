//! Two replicas, and a leader that sleeps past its lease and wakes.

use std::{collections::BTreeMap, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use k8s_openapi::api::{
    coordination::v1::Lease,
    rbac::v1::{Role, RoleBinding},
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{OktaIntegration, Phase};
use sandbox::{
    company::Company, control_plane::kept_process::KeptProcess, faults::Kind, journal::Entry, okta,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    boundary::{MOMENTS, Moment, Whole, each_kind, name, request, resolved_end, run, told, whole},
    scenario::{Finish, Leave},
    world::{World, open_guard, start},
};

/// How many companies are in work at a time; they mostly wait for a lease to run out.
const AT_A_TIME: usize = 8;

const LONG: Duration = Duration::from_secs(120);

/// Shorter than a lease: who wakes has the answer.
const ANSWER_AFTER: Duration = Duration::from_secs(5);

/// A Lease of its own for each company, named as the chart's.
const LEASE: &str = "okta-insightful-operator";

/// The replica that leads; the world's operator stands by.
struct Leader {
    process: KeptProcess,
    /// Its name in the Lease.
    identity: String,
}

impl Leader {
    /// Two replicas in place of the world's one, with a Lease in its namespace.
    async fn with_a_standby(world: &mut World) -> Self {
        world.stop_operator().await;
        allow_a_lease(world).await;
        let lease = format!("{}/{LEASE}", world.namespace);
        let arguments = ["--lease", lease.as_str()];
        let process = start(world.plane, &[&world.namespace], &arguments).await;
        let started = Instant::now();
        let identity = loop {
            match holder(world).await {
                Some(identity) => break identity,
                None => assert!(started.elapsed() < LONG, "{}", process.log_tail(30)),
            }
            sleep(Duration::from_millis(50)).await;
        };
        world.operator = Some(start(world.plane, &[&world.namespace], &arguments).await);
        Self { process, identity }
    }

    /// Puts it to sleep. Gives the writes until then.
    async fn pause(&self, world: &World) -> Vec<Entry> {
        self.process.pause().unwrap();
        let writes = world.insightful.journal().writes();
        let holder = holder(world).await;
        assert_eq!(holder.as_ref(), Some(&self.identity), "who was paused led");
        writes
    }

    /// Waits until the other one leads and has written all there is to write.
    async fn taken_over(&self, world: &World) {
        let started = Instant::now();
        while holder(world).await.as_ref() == Some(&self.identity) {
            assert!(started.elapsed() < LONG, "{}", world.log_tail());
            sleep(Duration::from_millis(100)).await;
        }
        // With more patience than the world's: the first sync writes all that is left.
        let request = world.request_sync().await;
        while world.status().await.last_handled_sync_request.as_ref() != Some(&request) {
            assert!(started.elapsed() < LONG, "{}", world.log_tail());
            sleep(Duration::from_millis(100)).await;
        }
        world.wait_for_phase(Phase::InSync).await;
    }

    /// Wakes it, and it must write nothing more, neither to Insightful nor
    /// to the cluster. Gives what it wrote all the same.
    async fn wake(&self, world: &World) -> Vec<String> {
        let before = versions(world).await;
        world.insightful.journal().clear();
        self.process.resume().unwrap();
        let started = Instant::now();
        // What it was paused in comes to an end, and then it would begin anew.
        while !world.log_of(&self.process).contains("completed=") {
            assert!(
                started.elapsed() < LONG,
                "the apply has no end:\n{}",
                self.process.log_tail(30)
            );
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_secs(2)).await;
        let writes = world.insightful.journal().writes();
        let mut wrong = Vec::new();
        if !writes.is_empty() {
            wrong.push(format!("the woken leader wrote:\n      {}", told(&writes)));
        }
        let after = versions(world).await;
        for (name, version) in &after {
            if before.get(name) != Some(version) {
                wrong.push(format!("the woken leader wrote {name}"));
            }
        }
        wrong
    }
}

/// Lets operators under the chart's ServiceAccount contend for a Lease in the
/// world's namespace. The chart gives rights to one only, and cases that share
/// one would have to wait for each other.
async fn allow_a_lease(world: &World) {
    let params = PatchParams::apply("admin");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": LEASE },
        "rules": [{
            "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"],
        }],
    });
    let roles: Api<Role> = Api::namespaced(world.client.clone(), &world.namespace);
    roles.patch(LEASE, &params, &Patch::Apply(role)).await.unwrap();
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": LEASE },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": LEASE },
        "subjects": [{ "kind": "ServiceAccount", "name": LEASE, "namespace": LEASE }],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(world.client.clone(), &world.namespace);
    bindings
        .patch(LEASE, &params, &Patch::Apply(binding))
        .await
        .unwrap();
}

/// Who holds the Lease.
async fn holder(world: &World) -> Option<String> {
    let api: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let lease = api.get_opt(LEASE).await.unwrap()?;
    lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

/// The versions of all that the operator writes in the cluster.
async fn versions(world: &World) -> BTreeMap<String, Option<String>> {
    let matches = world.matches().await;
    let integration: OktaIntegration = world.integration().await;
    matches
        .into_iter()
        .map(|(name, object)| (name, object.resource_version()))
        .chain([(
            "the integration".to_owned(),
            integration.metadata.resource_version,
        )])
        .collect()
}

/// Runs one case. Gives what is to be told of it.
async fn case(whole: &Whole, place: usize, moment: Moment) -> Result<String, String> {
    let (mut world, status) = Finish::Second.prepared().await;
    assert_eq!(
        status.plan.unwrap().hash,
        whole.plan,
        "the same facts, the same plan"
    );
    let leader = Leader::with_a_standby(&mut world).await;
    let faults = world.insightful.faults();
    match moment {
        // Without a word how long: the leader waits for as long as it usually
        // does, which is less than a lease, and then would make the request.
        Moment::BeforeTheEffect => {
            faults.once(request(&whole.writes, place), Kind::Status(429, None));
        }
        Moment::BeforeTheAnswer => {
            faults.once(request(&whole.writes, place), Kind::DelayAnswer(ANSWER_AFTER));
        }
        Moment::AfterTheAnswer => {}
    }
    world.patch(Leave::Guard.given_to(&whole.plan)).await;
    let journal = world.insightful.journal();
    let has_come = |entries: &[Entry]| moment.has_come(entries, place);
    journal.wait_until(has_come, LONG).await.unwrap();
    let before = leader.pause(&world).await;

    leader.taken_over(&world).await;
    let writes = journal.writes();
    let end = resolved_end(&world).await;
    let woken = leader.wake(&world).await;

    let mut wrong = whole.differences(place, &end, &writes, &world.status().await);
    wrong.extend(woken);
    if wrong.is_empty() {
        let after = writes.len() - before.len();
        Ok(format!(
            "{} writes before the pause, {after} by the other",
            before.len()
        ))
    } else {
        wrong.push(format!(
            "the writes, {} of them before the pause:\n      {}",
            before.len(),
            told(&writes)
        ));
        Err(wrong.join("\n    "))
    }
}

/// Pauses a leader that has used up what it may ask of Insightful in a minute, and
/// so waits for the next one with a write that is on record. Gives the case that follows.
async fn paused_while_it_waits_for_its_share() -> impl Future<Output = Result<String, String>> {
    let mut world = World::prepared_with(Company::generate(300, 7), okta::Settings::default()).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    let leader = Leader::with_a_standby(&mut world).await;
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
        "none is under way"
    );
    async move {
        leader.taken_over(&world).await;
        let after = world.insightful.journal().writes().len() - before.len();
        world.idle_sync_writes_nothing().await;
        // What it waited for is over when it wakes.
        let left = until.duration_since(Timestamp::now());
        sleep(Duration::try_from(left).unwrap_or_default() + Duration::from_secs(1)).await;
        let mut wrong = leader.wake(&world).await;
        if after == 0 {
            wrong.push("there was nothing left to wait with".to_owned());
        }
        if wrong.is_empty() {
            Ok(format!(
                "{} writes before the pause, {after} by the other",
                before.len()
            ))
        } else {
            Err(wrong.join("\n    "))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_paused_at_any_kind_of_write_writes_nothing_more_and_the_other_ends_what_it_began() {
    let whole: &'static Whole = Box::leak(Box::new(whole(Finish::Second).await));
    // Before the others begin: a minute's share is used up by those only who are fast.
    let waiting = paused_while_it_waits_for_its_share().await;
    let mut cases = vec![("paused while it waits for its share".to_owned(), waiting.boxed())];
    for place in each_kind(&whole.writes) {
        for moment in MOMENTS {
            let name = name(Finish::Second, whole, place, moment);
            cases.push((format!("paused {name}"), case(whole, place, moment).boxed()));
        }
    }
    run(cases, AT_A_TIME).await;
}
