//! Outages of the API server and rejected status updates: results of an apply are reported afterwards.

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

/// A TCP relay between an operator and the API server that can be disconnected.
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
                tokio::spawn(relay_connection(client, server, state.clone()));
            }
        });
        Self { address, open }
    }

    fn disconnect(&self) {
        self.open.send_replace(false);
    }

    fn reconnect(&self) {
        self.open.send_replace(true);
    }
}

async fn relay_connection(mut client: TcpStream, server: SocketAddr, mut open: watch::Receiver<bool>) {
    if !*open.borrow_and_update() {
        return;
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

/// Acme in sync, with an operator that reaches the API server through a relay.
async fn in_sync_behind_relay() -> (World, Relay) {
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

/// Makes a change in Okta, disconnects the API server during the write that follows, and waits until
/// a reconcile fails.
async fn disconnect_during(write: Match, change: impl FnOnce(&mut Org), world: &World, relay: &Relay) {
    world.okta.edit(change);
    let delayed = world
        .insightful
        .faults()
        .once(write, Kind::DelayAnswer(Duration::from_secs(2)));
    world.request_sync().await;
    while delayed.hits() == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    relay.disconnect();
    wait_for_failed_reconcile(world).await;
}

async fn wait_for_failed_reconcile(world: &World) {
    let operator = world.operator.as_ref().unwrap();
    while !world.log_of(operator).contains("reconcile failed") {
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the history has `entries` entries and the integration is in sync.
async fn wait_for_history(world: &World, entries: usize) -> OktaIntegrationStatus {
    let integration = world.wait_for("the history", |integration| {
        let status = integration.status.as_ref().unwrap();
        status.history.len() >= entries && status.phase == Some(Phase::InSync)
    });
    integration.await.status.unwrap()
}

/// Makes the API server deny status updates that add a history entry. Returns the name of the
/// policy that does so.
async fn deny_history_updates(world: &World) -> String {
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
    // The API server enforces a new policy after a delay.
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

async fn allow_history_updates(world: &World, policy: &str) {
    let client = world.plane.admin_client().await.unwrap();
    let delete = DeleteParams::default();
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    bindings.delete(policy, &delete).await.unwrap();
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client);
    policies.delete(policy, &delete).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_is_reported_when_the_api_server_is_back() {
    let (world, relay) = in_sync_behind_relay().await;
    let before = world.status().await;
    let rename = |org: &mut Org| org.rename_user("jane.doe", "Jane", "Roe");
    disconnect_during(Match::put("/api/v1/employee/*"), rename, &world, &relay).await;
    assert_eq!(
        world.status().await.history,
        before.history,
        "the status cannot be written"
    );
    relay.reconnect();
    let status = wait_for_history(&world, before.history.len() + 1).await;
    assert_eq!((status.history[0].writes, status.history[0].failed), (1, 0));
    assert_eq!(status.history[1..], before.history);
    assert_ne!(status.last_applied_plan, before.last_applied_plan);
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_apply_is_reported_when_the_api_server_is_back() {
    let (world, relay) = in_sync_behind_relay().await;
    let before = world.status().await;
    let to_a_new_team = |org: &mut Org| {
        let group = org.add_group(&format!("{GROUP_PREFIX}Robotics"));
        org.remove_member("Engineering", "amir.haddad");
        org.add_member(&group, "amir.haddad");
    };
    // The team is created; the before-image of Amir's employee cannot be stored.
    disconnect_during(Match::post("/api/v1/team"), to_a_new_team, &world, &relay).await;
    assert_eq!(world.writes(), ["POST /api/v1/team 200"]);
    relay.reconnect();
    let status = wait_for_history(&world, before.history.len() + 2).await;
    let new: Vec<_> = status.history[..2]
        .iter()
        .map(|entry| (entry.writes, entry.result))
        .collect();
    assert_eq!(new, [(1, CycleResult::Applied), (1, CycleResult::PartlyApplied)]);
    assert_eq!(status.history[2..], before.history);
    assert_eq!(world.writes().len(), 2, "{:?}", world.writes());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_is_reported_after_a_denied_status_update() {
    let world = World::in_sync().await;
    let before = world.status().await;
    world.insightful.journal().clear();
    let policy = deny_history_updates(&world).await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.request_sync().await;
    wait_for_failed_reconcile(&world).await;
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    assert_eq!(world.status().await.history, before.history);
    allow_history_updates(&world, &policy).await;
    let status = wait_for_history(&world, before.history.len() + 1).await;
    assert_eq!((status.history[0].writes, status.history[0].failed), (1, 0));
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_sync_is_not_stalled() {
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
