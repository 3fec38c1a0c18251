//! The chart, with helm on a real API server: values, pods, permissions,
//! installation, upgrade and removal.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aggregation;
mod check;
mod documented;
mod finalize;
mod lifecycle;
mod made;
mod metadata;
mod monitoring;
mod monitoring_cases;
mod newcomer;
#[allow(dead_code, reason = "shared with tests/documentation, which uses all of it")]
#[path = "../documentation/pages.rs"]
mod pages;
mod readme;
mod refused;
mod rights;
mod roles;
mod value_cases;
mod values;

use std::{path::Path, time::Duration};

use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, Client, api::PostParams};
use sandbox::control_plane::{ControlPlane, Error, client};
use serde_json::{Value, json};
use tokio::{sync::OnceCell, time::Instant};

const PATIENCE: Duration = Duration::from_secs(30);

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/okta-insightful-operator");
/// Required by every installation; no pod runs here.
const REGISTRY: &str = "--set=global.imageRegistry=registry.example";

/// The API server that most tests share, with the definitions installed once for
/// all releases.
async fn plane() -> &'static ControlPlane {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let plane = ControlPlane::shared();
    INSTALLED
        .get_or_init(async || plane.install_crds(Path::new(CRDS)).await.unwrap())
        .await;
    plane
}

/// Installs or upgrades a release of the chart without the definitions. Returns
/// helm's output.
async fn release(plane: &ControlPlane, name: &str, namespace: &str, values: &Value) -> String {
    let admin = plane.admin_kubeconfig();
    release_as(plane, admin, name, namespace, values).await.unwrap()
}

/// The same, as the user of a kubeconfig.
async fn release_as(
    plane: &ControlPlane,
    kubeconfig: &Path,
    name: &str,
    namespace: &str,
    values: &Value,
) -> Result<String, Error> {
    let mut values = values.clone();
    values["crds"] = json!({ "install": false });
    if values["image"]["repository"].is_null() && values["global"]["imageRegistry"].is_null() {
        values["image"]["repository"] = json!("registry.example/okta-insightful-operator");
    }
    let values = values.to_string();
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    let arguments = ["upgrade", "--install", name, CHART, "--namespace", namespace];
    plane
        .helm(&[&arguments[..], &["--set-json", &values, &kubeconfig]].concat())
        .await
}

/// Returns a client of a user with this ClusterRole in the namespace.
async fn person(plane: &ControlPlane, namespace: &str, name: &str, role: Option<&str>) -> Client {
    if let Some(role) = role {
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }],
        });
        let bindings: Api<RoleBinding> = Api::namespaced(plane.admin_client().await.unwrap(), namespace);
        bindings
            .create(&PostParams::default(), &serde_json::from_value(binding).unwrap())
            .await
            .unwrap();
    }
    client(&plane.user_kubeconfig(name, &[]).unwrap()).await.unwrap()
}

/// Polls, because the server applies new roles and bindings with a delay.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(
            started.elapsed() < PATIENCE,
            "{what}: not within {} s",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
