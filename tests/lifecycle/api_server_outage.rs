//! The API server is away for a moment, or refuses what is said, and what is said when it is back.

use std::net::{Ipv4Addr, SocketAddr};

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{CycleResult, OktaIntegration, OktaIntegrationStatus, Phase, conditions};
use sandbox::{
    company::GROUP_PREFIX,
    faults::{Kind, Match},
    okta::Org,
};
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Duration, sleep},
};

use crate::world::{World, free_port, open_guard, operator_kubeconfig, start_with};

/// Passes on what an operator and the API server say to each other, until it is cut.
struct Relay {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Relay {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = watch::Sender::new(true);
        let state = open.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, server, state.clone()));
            }
        });
        Self { address, open }
    }

    fn cut(&self) {
        self.open.send_replace(false);
    }

    fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn pass_on(mut client: TcpStream, server: SocketAddr, mut open: watch::Receiver<bool>) {
    if !*open.borrow_and_update() {
        return;
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

/// Acme in step, with an operator that reaches the API server through a relay.
async fn behind_a_relay() -> (World, Relay) {
    let mut world = World::in_sync().await;
    world.stop_operator().await;
    let kubeconfig = std::fs::read_to_string(operator_kubeconfig(world.plane).await).unwrap();
    let server = kubeconfig.split("https://").nth(1).unwrap();
    let server = server.split(['"', '\n']).next().unwrap().trim_end_matches('/');
    let relay = Relay::to(server.parse().unwrap()).await;
    let path = world
        .plane
        .directory()
        .join(format!("relay-{}.kubeconfig", world.namespace));
    std::fs::write(&path, kubeconfig.replace(server, &relay.address.to_string())).unwrap();
    let environment = [
        ("RUST_LOG", "info,okta_insightful_operator=debug"),
        ("KUBECONFIG", path.to_str().unwrap()),
    ];
    let operator = start_with(world.plane, &[&world.namespace], free_port(), &[], &environment).await;
    world.operator = Some(operator);
    world.sync().await;
    world.insightful.journal().clear();
    (world, relay)
}

/// Lets a write be made while the API server goes away before its answer comes,
/// and waits until the operator has found that nothing can be said.
async fn goes_away_during(write: Match, change: impl FnOnce(&mut Org), world: &World, relay: &Relay) {
    world.okta.edit(change);
    let slow = world
        .insightful
        .faults()
        .once(write, Kind::DelayAnswer(Duration::from_secs(2)));
    world.request_sync().await;
    while slow.hits() == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    relay.cut();
    until_a_reconcile_fails(world).await;
}

async fn until_a_reconcile_fails(world: &World) {
    let operator = world.operator.as_ref().unwrap();
    while !world
        .log_of(operator)
        .contains("the reconcile could not be finished")
    {
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the status tells of so many applies, and all is well.
async fn until_told(world: &World, applies: usize) -> OktaIntegrationStatus {
    let told = world.wait_for("the outcome", |integration| {
        let status = integration.status.as_ref().unwrap();
        status.history.len() >= applies && status.phase == Some(Phase::InSync)
    });
    told.await.status.unwrap()
}

/// Has the API server refuse each status that tells of one more apply, until the
/// policy with the name that is given is deleted.
async fn refuse_more_history(world: &World) -> String {
    let name = format!("no-more-history-{}", world.namespace);
    let client = world.plane.admin_client().await.unwrap();
    let policy: ValidatingAdmissionPolicy = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {
                    "matchLabels": { "kubernetes.io/metadata.name": world.namespace },
                },
                "resourceRules": [{
                    "apiGroups": ["integrations.insightful.io"],
                    "apiVersions": ["*"],
                    "operations": ["UPDATE"],
                    "resources": ["oktaintegrations/status"],
                }],
            },
            "validations": [{
                "expression": "object.status.?history.orValue([]).size() \
                    <= oldObject.status.?history.orValue([]).size()",
                "message": "no more history",
            }],
        },
    }))
    .unwrap();
    let binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    }))
    .unwrap();
    let post = PostParams::default();
    Api::all(client.clone()).create(&post, &policy).await.unwrap();
    Api::all(client).create(&post, &binding).await.unwrap();
    // The API server takes a moment to heed it.
    let longer = json!({ "status": { "history": vec![world.status().await.history[0].clone(); 9] } });
    let dry_run = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    let integrations = world.api::<OktaIntegration>();
    while integrations
        .patch_status("acme", &dry_run, &Patch::Merge(&longer))
        .await
        .is_ok()
    {
        sleep(Duration::from_millis(50)).await;
    }
    name
}

async fn allow_more_history(world: &World, policy: &str) {
    let client = world.plane.admin_client().await.unwrap();
    let delete = DeleteParams::default();
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    bindings.delete(policy, &delete).await.unwrap();
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client);
    policies.delete(policy, &delete).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_told_when_the_api_server_is_back() {
    let (world, relay) = behind_a_relay().await;
    let before = world.status().await;
    let rename = |org: &mut Org| org.rename_user("jane.doe", "Jane", "Roe");
    goes_away_during(Match::put("/api/v1/employee/*"), rename, &world, &relay).await;
    assert_eq!(
        world.status().await.history,
        before.history,
        "nothing could be said"
    );
    relay.mend();
    let status = until_told(&world, before.history.len() + 1).await;
    assert_eq!((status.history[0].writes, status.history[0].failed), (1, 0));
    assert_eq!(status.history[1..], before.history);
    assert_ne!(status.last_applied_plan, before.last_applied_plan);
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_before_an_apply_was_cut_short_is_told_too() {
    let (world, relay) = behind_a_relay().await;
    let before = world.status().await;
    let to_a_new_team = |org: &mut Org| {
        let group = org.add_group(&format!("{GROUP_PREFIX}Robotics"));
        org.remove_member("Engineering", "amir.haddad");
        org.add_member(&group, "amir.haddad");
    };
    // The team is created; what Amir's record was cannot be put on record.
    goes_away_during(Match::post("/api/v1/team"), to_a_new_team, &world, &relay).await;
    assert_eq!(world.writes(), ["POST /api/v1/team 200"]);
    relay.mend();
    let status = until_told(&world, before.history.len() + 2).await;
    let told: Vec<_> = status.history[..2]
        .iter()
        .map(|entry| (entry.writes, entry.result))
        .collect();
    assert_eq!(told, [(1, CycleResult::Applied), (1, CycleResult::PartlyApplied)]);
    assert_eq!(status.history[2..], before.history);
    assert_eq!(world.writes().len(), 2, "{:?}", world.writes());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_told_though_it_was_refused_at_first() {
    let world = World::in_sync().await;
    let before = world.status().await;
    world.insightful.journal().clear();
    let policy = refuse_more_history(&world).await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.request_sync().await;
    until_a_reconcile_fails(&world).await;
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    assert_eq!(world.status().await.history, before.history);
    allow_more_history(&world, &policy).await;
    let status = until_told(&world, before.history.len() + 1).await;
    assert_eq!((status.history[0].writes, status.history[0].failed), (1, 0));
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_that_goes_on_is_not_stalled() {
    let world = World::in_review(open_guard()).await;
    world.write_secret("insightful", "token", "a-wrong-token").await;
    world.request_sync().await;
    world
        .wait_for_condition(conditions::STALLED, "True", "TokenRefused")
        .await;
    world
        .okta
        .configure(|settings| settings.latency = Duration::from_secs(3));
    world
        .write_secret("insightful", "token", world.insightful.token())
        .await;
    world
        .wait_for_condition(conditions::STALLED, "False", "Syncing")
        .await;
    world
        .wait_for_condition(conditions::RECONCILING, "True", "Syncing")
        .await;
    world.okta.configure(|settings| settings.latency = Duration::ZERO);
    world.wait_for_phase(Phase::Review).await;
}
