//! An OktaIntegration that the operator cannot read, stored under an earlier definition, which accepted null as a bound.

use std::{path::Path, process::Command, time::Duration};

use http::Request;
use k8s_openapi::api::{core::v1::Secret, events::v1::Event};
use kube::{Api, api::ListParams};
use okta_insightful_operator::api::{OktaIntegration, Phase, SYNC_REQUESTED_AT};
use sandbox::{
    company::Company,
    control_plane::{ControlPlane, Options, child_process::ChildProcess},
    insightful::Insightful,
    okta::Okta,
};
use serde_json::{Value, json};

use crate::world::{NAME, World, apply, free_port, integration, open_guard, secret, spawn};

/// A control plane with the earlier definition.
async fn earlier_plane() -> &'static ControlPlane {
    let plane = ControlPlane::start(&Options::default()).await.unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let definitions = std::fs::read_to_string(root.join("crds/integrations.insightful.io.yaml")).unwrap();
    let directory = plane.directory().join("crds");
    std::fs::create_dir(&directory).unwrap();
    let earlier = definitions.replace("nullable: false", "nullable: true");
    assert_ne!(earlier, definitions);
    std::fs::write(directory.join("crds.yaml"), earlier).unwrap();
    plane.install_crds(&directory).await.unwrap();
    Box::leak(Box::new(plane))
}

/// A replica, and the port of its metrics and probes.
struct Replica {
    port: u16,
    process: ChildProcess,
}

impl Replica {
    fn start(world: &World) -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
        command
            .args(["run", "--allow-http-loopback"])
            .args(["--metrics-address", &format!("127.0.0.1:{port}")])
            .args(["--watch-namespace", &world.namespace])
            .args(["--lease", &format!("{}/operator", world.namespace)])
            .env("KUBECONFIG", world.plane.admin_kubeconfig())
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy");
        let process = spawn(world.plane, &command);
        Self { port, process }
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        match reqwest::get(url).await {
            Ok(answer) => answer.text().await.unwrap(),
            Err(error) => error.to_string(),
        }
    }

    async fn wait_until_ready(&self) {
        for _ in 0..600 {
            if self.get("/readyz").await == "ok\n" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{}\n{}", self.get("/readyz").await, self.process.log_tail(30));
    }
}

fn path(world: &World, name: &str) -> String {
    format!(
        "/apis/integrations.insightful.io/v1alpha1/namespaces/{}/oktaintegrations/{name}",
        world.namespace
    )
}

/// The object as it is stored.
async fn stored(world: &World, name: &str) -> Value {
    let request = Request::get(path(world, name)).body(Vec::new()).unwrap();
    world.client.request(request).await.unwrap()
}

/// Patches Acme without reading the answer into a type.
async fn patch(world: &World, type_: &str, query: &str, patch: &Value) {
    let request = Request::patch(path(world, NAME) + query)
        .header("content-type", format!("application/{type_}"))
        .body(serde_json::to_vec(patch).unwrap())
        .unwrap();
    world.client.request::<Value>(request).await.unwrap();
}

fn ready(object: &Value) -> &Value {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    conditions
        .iter()
        .find(|condition| condition["type"] == "Ready")
        .unwrap()
}

/// Waits until this generation of the object has this phase, and Ready this reason.
async fn wait_for(world: &World, name: &str, phase: Phase, reason: &str) -> Value {
    let what = format!("{name}: {phase:?}, {reason}");
    let is_so = |object: &Value| {
        let status = &object["status"];
        status["phase"] == json!(phase)
            && status["observedGeneration"] == object["metadata"]["generation"]
            && ready(object)["reason"] == reason
    };
    world.poll(&what, || stored(world, name), is_so).await
}

/// Applies the manifest of Acme, whose guard is open but for `bound`.
async fn apply_acme(world: &World, bound: Value, suspend: bool) {
    let spec = json!({ "finalized": true, "suspend": suspend });
    let mut manifest = integration(NAME, &world.okta.url(), &world.insightful.url(), spec);
    manifest["spec"]["guard"] = open_guard()["guard"].clone();
    manifest["spec"]["guard"]["maxRelinks"] = bound;
    patch(
        world,
        "apply-patch+yaml",
        "?fieldManager=admin&force=true",
        &manifest,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_read_says_so_and_stops_no_other_and_recovers() {
    let plane = earlier_plane().await;
    let company = Company::acme();
    let world = World {
        okta: Okta::start(&company),
        insightful: Insightful::start(&company),
        company,
        plane,
        client: plane.admin_client().await.unwrap(),
        namespace: plane.namespace("people").await.unwrap(),
        operator: None,
    };
    world.insightful.configure(|settings| settings.limit = 100_000);
    let replicas = [Replica::start(&world), Replica::start(&world)];
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;
    let before = stored(&world, NAME).await;

    // A bound that is null, in the manifest that was in Git before.
    apply_acme(&world, Value::Null, false).await;
    let object = wait_for(&world, NAME, Phase::Failed, "Unreadable").await;
    assert_eq!(object["spec"]["guard"]["maxRelinks"], Value::Null);
    let message = ready(&object)["message"].as_str().unwrap();
    assert!(
        message.contains("cannot read spec.guard.maxRelinks: "),
        "{message}"
    );
    for memory in ["teams", "guard", "insightful", "lastAppliedPlan", "history"] {
        assert_eq!(object["status"][memory], before["status"][memory], "{memory}");
    }
    // Its last good state is not used: a change in Okta is not written, whoever leads.
    world.insightful.journal().clear();
    world.okta.edit(|org| org.rename_user("jane.doe", "Janet", "Doe"));
    let request = json!({ "metadata": { "annotations": { SYNC_REQUESTED_AT: "unreadable" } } });
    patch(&world, "merge-patch+json", "", &request).await;

    // Another integration is served, and so is a replica that starts now.
    let small = Company::generate(10, 7);
    let (okta, insightful) = (Okta::start(&small), Insightful::start(&small));
    for (name, token) in [
        ("okta-other", okta.token()),
        ("insightful-other", insightful.token()),
    ] {
        apply(&world.api::<Secret>(), secret(name, "token", token)).await;
    }
    let other = json!({
        "okta": { "auth": { "apiToken": { "secretRef": { "name": "okta-other" } } } },
        "insightful": { "apiToken": { "secretRef": { "name": "insightful-other" } } },
    });
    let api: Api<OktaIntegration> = world.api();
    apply(&api, integration("other", &okta.url(), &insightful.url(), other)).await;
    wait_for(&world, "other", Phase::Review, "AwaitingFinalize").await;
    let fresh = Replica::start(&world);
    fresh.wait_until_ready().await;
    let labels = format!("{{namespace=\"{}\",integration=\"{NAME}\"", world.namespace);
    let metrics = fresh.get("/metrics").await;
    for series in [
        format!("okta_insightful_integration_phase{labels},phase=\"failed\"}} 1"),
        format!("okta_insightful_integration_condition{labels},type=\"Ready\",reason=\"Unreadable\"}} 0"),
    ] {
        assert!(metrics.contains(&series), "{series} is not in\n{metrics}");
    }
    let [first, second] = replicas;
    first.process.stop().await.unwrap();
    for replica in [&second, &fresh] {
        replica.wait_until_ready().await;
    }
    let plan = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .args(["plan", "--cluster", &format!("{}/{NAME}", world.namespace)])
        .args(["--allow-http-loopback"])
        .env("KUBECONFIG", plane.admin_kubeconfig())
        .env_remove("HTTPS_PROXY")
        .output()
        .unwrap();
    let error = String::from_utf8(plan.stderr).unwrap();
    assert_eq!(plan.status.code(), Some(1), "{error}");
    assert!(error.contains("spec.guard.maxRelinks: "), "{error}");

    // What is legible is honoured.
    apply_acme(&world, Value::Null, true).await;
    wait_for(&world, NAME, Phase::Suspended, "Unreadable").await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let events: Api<Event> = world.api();
    let events = events.list(&ListParams::default()).await.unwrap();
    let notes = events
        .items
        .iter()
        .filter(|event| event.reason.as_deref() == Some("Unreadable"));
    let notes: Vec<_> = notes
        .map(|event| (event.note.as_deref(), event.series.as_ref().map(|s| s.count)))
        .collect();
    assert!(
        matches!(notes[..], [(Some(note), None | Some(2))] if note == message)
            || matches!(notes[..], [(Some(one), None), (Some(two), None)] if one == message && two == message),
        "{notes:?}"
    );

    // It recovers by itself, and nobody has to review again.
    apply_acme(&world, json!(1_000_000), false).await;
    wait_for(&world, NAME, Phase::InSync, "InSync").await;
    let is_written = |writes: &Vec<String>| !writes.is_empty();
    world
        .poll("the change", || async { world.writes() }, is_written)
        .await;
    wait_for(&world, NAME, Phase::InSync, "InSync").await;
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    let after = stored(&world, NAME).await;
    assert_eq!(after["status"]["teams"], before["status"]["teams"]);
    for replica in [second, fresh] {
        replica.process.stop().await.unwrap();
    }
}
