//! The control plane works like a cluster, and leaves no processes or files behind.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is a test failure"
)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt as _};
use sandbox::control_plane::{ControlPlane, Error, Options, client, kubernetes_version};
use serde_json::json;

/// Polls until the condition is met. The timeout allows for a busy machine.
async fn eventually(what: &str, is_met: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !is_met().await {
        assert!(begin.elapsed() < Duration::from_secs(60), "timeout: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn config_map(name: &str, owner: Option<OwnerReference>) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("key".to_owned(), "value".to_owned())])),
        ..ConfigMap::default()
    }
}

async fn config_maps(client: &Client, namespace: &str, names: &[&str]) -> Vec<ConfigMap> {
    let api = Api::namespaced(client.clone(), namespace);
    let mut made: Vec<ConfigMap> = Vec::new();
    for name in names {
        let owner = made.first().map(|owner| OwnerReference {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            name: owner.name_any(),
            uid: owner.uid().unwrap(),
            ..OwnerReference::default()
        });
        made.push(
            api.create(&PostParams::default(), &config_map(name, owner))
                .await
                .unwrap(),
        );
    }
    made
}

#[tokio::test]
async fn it_is_ready_and_has_the_expected_version() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    let request = http::Request::get("/readyz?verbose").body(Vec::new()).unwrap();
    let answer = client.request_text(request).await.unwrap();
    assert!(answer.ends_with("readyz check passed\n"), "{answer}");

    let versions = plane.kubectl(&["version", "--output=json"]).await.unwrap();
    let versions: serde_json::Value = serde_json::from_str(&versions).unwrap();
    // Programs from KUBEBUILDER_ASSETS may have another version.
    if env::var_os("KUBEBUILDER_ASSETS").is_none() {
        assert_eq!(versions["clientVersion"]["gitVersion"], kubernetes_version());
        assert_eq!(versions["serverVersion"]["gitVersion"], kubernetes_version());
    }
    assert!(versions["serverVersion"]["minor"].is_string(), "{versions}");
}

#[tokio::test]
async fn helm_installs_a_chart() {
    let plane = ControlPlane::shared();
    let version = plane.helm(&["version", "--short"]).await.unwrap();
    assert!(
        version.starts_with("v4.") || version.starts_with("v3."),
        "{version}"
    );

    let chart = tempfile::tempdir().unwrap();
    fs::create_dir(chart.path().join("templates")).unwrap();
    fs::write(
        chart.path().join("Chart.yaml"),
        "apiVersion: v2\nname: tiny\nversion: 1.0.0\n",
    )
    .unwrap();
    let template = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: {{ .Release.Name }}}\n";
    fs::write(chart.path().join("templates/account.yaml"), template).unwrap();
    let namespace = plane.namespace("helm").await.unwrap();
    let path = chart.path().to_str().unwrap();
    plane
        .helm(&["install", "tiny", path, "--namespace", &namespace])
        .await
        .unwrap();
    let account = plane
        .service_account_kubeconfig(&namespace, "tiny")
        .await
        .unwrap();
    let whoami = plane.kubectl_as(
        &account,
        &["auth", "whoami", "--output=jsonpath={.status.userInfo.username}"],
    );
    assert_eq!(
        whoami.await.unwrap(),
        format!("system:serviceaccount:{namespace}:tiny")
    );
}

#[tokio::test]
async fn an_error_names_the_failed_command_and_the_reason() {
    let error = ControlPlane::shared()
        .kubectl(&["get", "nonsense"])
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("`kubectl get nonsense` failed"), "{text}");
    assert!(
        text.contains("the server doesn't have a resource type \"nonsense\""),
        "{text}"
    );
}

#[tokio::test]
async fn deleting_a_namespace_deletes_its_objects() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    let namespace = plane.namespace("gone").await.unwrap();
    config_maps(&client, &namespace, &["content"]).await;
    let namespaces = Api::<Namespace>::all(client);
    namespaces
        .delete(&namespace, &DeleteParams::default())
        .await
        .unwrap();
    eventually("the namespace is deleted", async || {
        namespaces.get_opt(&namespace).await.unwrap().is_none()
    })
    .await;
}

#[tokio::test]
async fn deleting_an_owner_deletes_its_dependents() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    let namespace = plane.namespace("owned").await.unwrap();
    config_maps(&client, &namespace, &["owner", "owned"]).await;
    let api = Api::<ConfigMap>::namespaced(client, &namespace);
    api.delete("owner", &DeleteParams::default()).await.unwrap();
    eventually("the dependent is deleted", async || {
        api.get_opt("owned").await.unwrap().is_none()
    })
    .await;
}

#[tokio::test]
async fn a_new_kind_is_served_and_garbage_collected_immediately() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let error = plane.install_crds(directory.path()).await.unwrap_err();
    assert!(matches!(error, Error::Crd { .. }), "{error}");
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "wheels.sandbox.test"},
        "spec": {
            "group": "sandbox.test",
            "names": {"kind": "Wheel", "plural": "wheels", "singular": "wheel", "listKind": "WheelList"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        },
    });
    fs::write(directory.path().join("wheels.yaml"), format!("---\n{crd}\n")).unwrap();
    plane.install_crds(directory.path()).await.unwrap();

    let namespace = plane.namespace("wheels").await.unwrap();
    let owner = config_maps(&client, &namespace, &["owner"]).await.remove(0);
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("sandbox.test", "v1", "Wheel"));
    let wheels = Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &kind);
    let mut wheel = DynamicObject::new("front", &kind);
    wheel.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        name: owner.name_any(),
        uid: owner.uid().unwrap(),
        ..OwnerReference::default()
    }]);
    wheels.create(&PostParams::default(), &wheel).await.unwrap();
    let begin = Instant::now();
    Api::<ConfigMap>::namespaced(client, &namespace)
        .delete("owner", &DeleteParams::default())
        .await
        .unwrap();
    eventually("the wheel is deleted", async || {
        wheels.get_opt("front").await.unwrap().is_none()
    })
    .await;
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "the collector did not know the new kind"
    );
}

#[tokio::test]
async fn rbac_grants_exactly_the_bound_permissions() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("rbac").await.unwrap();
    plane
        .kubectl(&["create", "serviceaccount", "robot", "--namespace", &namespace])
        .await
        .unwrap();
    let robot = plane
        .service_account_kubeconfig(&namespace, "robot")
        .await
        .unwrap();
    let is_refused = async |kubeconfig: &Path| {
        let api = Api::<ConfigMap>::namespaced(client(kubeconfig).await.unwrap(), &namespace);
        match api.list(&Default::default()).await {
            Ok(_) => false,
            Err(kube::Error::Api(status)) if status.is_forbidden() => true,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(is_refused(&robot).await);
    assert!(
        plane
            .service_account_kubeconfig(&namespace, "nobody")
            .await
            .is_err()
    );

    // A controller aggregates the rules of `view`.
    let bind = "kubectl create rolebinding view --clusterrole=view --group=readers";
    let mut bind: Vec<&str> = bind.split(' ').skip(1).collect();
    bind.extend(["--namespace", &namespace]);
    plane.kubectl(&bind).await.unwrap();
    let reader = plane.user_kubeconfig("jane", &["people", "readers"]).unwrap();
    let stranger = plane.user_kubeconfig("jane", &["people"]).unwrap();
    eventually("a reader may read", async || !is_refused(&reader).await).await;
    assert!(is_refused(&stranger).await);
    let list = ["get", "configmaps", "--namespace", &namespace];
    plane.kubectl_as(&reader, &list).await.unwrap();
    let error = plane.kubectl_as(&stranger, &list).await.unwrap_err();
    assert!(error.to_string().contains("Forbidden"), "{error}");
    let refused = plane
        .apply_as(
            &reader,
            &format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: {namespace}}}}}"),
        )
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("Forbidden"), "{refused}");
}

#[tokio::test]
async fn tls_is_verified() {
    let plane = ControlPlane::shared();
    let mut other = kube::config::Kubeconfig::read_from(plane.admin_kubeconfig()).unwrap();
    let certificate = ControlPlane::start(&Options::default()).await.unwrap();
    let foreign = kube::config::Kubeconfig::read_from(certificate.admin_kubeconfig()).unwrap();
    other.clusters[0]
        .cluster
        .as_mut()
        .unwrap()
        .certificate_authority_data = foreign.clusters[0]
        .cluster
        .as_ref()
        .unwrap()
        .certificate_authority_data
        .clone();
    let config = kube::Config::from_custom_kubeconfig(other, &Default::default())
        .await
        .unwrap();
    let error = Client::try_from(config)
        .unwrap()
        .apiserver_version()
        .await
        .unwrap_err();
    assert!(format!("{error:?}").contains("InvalidCertificate"), "{error:?}");
}

#[tokio::test]
async fn a_failed_start_shows_the_log_and_removes_everything() {
    let parent = tempfile::tempdir().unwrap();
    let options = Options {
        parent: Some(parent.path().to_owned()),
        api_server_arguments: vec!["--no-such-flag".to_owned()],
    };
    let error = ControlPlane::start(&options).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("kube-apiserver exited"), "{text}");
    assert!(text.contains("no-such-flag"), "{text}");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_taken_port_is_replaced_by_another() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = Options {
        api_server_arguments: vec![format!("--secure-port={port}")],
        ..Options::default()
    };
    let error = ControlPlane::start(&options).await.unwrap_err();
    // Here every attempt uses the same port.
    let tries = error.to_string().matches("address already in use").count();
    assert_eq!(tries, 5, "{error}");
}

#[tokio::test]
async fn stop_removes_everything() {
    let plane = ControlPlane::start(&Options::default()).await.unwrap();
    let (pids, directory) = (plane.pids(), plane.directory().to_owned());
    assert!(pids.into_iter().all(is_alive));
    assert_eq!(
        fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
        0o700
    );
    plane.stop().await.unwrap();
    assert!(!pids.into_iter().any(is_alive));
    assert!(!directory.exists());
}

/// Set in the processes that these tests start.
const ENDS_BY: &str = "SANDBOX_TEST_ENDS_BY";

#[test]
fn nothing_outlives_a_process_that_returns() {
    outlives("nothing_outlives_a_process_that_returns", None);
}

#[test]
fn nothing_outlives_a_process_that_panics() {
    outlives("nothing_outlives_a_process_that_panics", None);
}

#[test]
fn nothing_outlives_a_process_that_is_killed() {
    outlives("nothing_outlives_a_process_that_is_killed", Some("KILL"));
}

#[test]
fn nothing_outlives_ctrl_c() {
    outlives("nothing_outlives_ctrl_c", Some("INT"));
}

/// Runs the test `name` in another process, which starts a control plane. That process ends by itself or by a signal
/// to its process group, as from a terminal. Checks that nothing remains.
fn outlives(name: &str, signal: Option<&str>) {
    if env::var_os(ENDS_BY).is_some() {
        return start_and_end(name.ends_with("panics"), signal.is_some());
    }
    let mut process = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(ENDS_BY, "1")
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let (pids, directory) = started(&mut process);
    if let Some(signal) = signal {
        assert!(pids.iter().all(|pid| is_alive(*pid)) && directory.exists());
        let group = format!("-{}", process.id());
        assert!(
            Command::new("kill")
                .args(["-s", signal, "--", &group])
                .status()
                .unwrap()
                .success()
        );
    }
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        // The background jobs of a shell script ignore SIGINT, and so do their children.
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the process does not end; is the signal ignored?"
        );
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.success(), name.ends_with("returns"), "{status}");

    let begin = Instant::now();
    while pids.iter().any(|pid| is_alive(*pid)) || directory.exists() {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{pids:?} or {} is left",
            directory.display()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn start_and_end(panics: bool, waits: bool) {
    let plane = ControlPlane::shared();
    println!("\n{ENDS_BY} {} {:?}", plane.directory().display(), plane.pids());
    assert!(!panics, "requested panic");
    if waits {
        thread::sleep(Duration::from_secs(600));
    }
}

/// The process ids and the directory that the process prints.
fn started(process: &mut Child) -> (Vec<u32>, PathBuf) {
    let output = BufReader::new(process.stdout.as_mut().unwrap());
    let line = output
        .lines()
        .map(Result::unwrap)
        .find(|line| line.starts_with(ENDS_BY));
    let line = line.expect("the process exited before it had started a control plane");
    let (directory, pids) = line[ENDS_BY.len() + 1..].split_once(' ').unwrap();
    (serde_json::from_str(pids).unwrap(), directory.into())
}

fn is_alive(pid: u32) -> bool {
    Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}
