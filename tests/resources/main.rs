//! The resource definitions on a real API server: validation, defaults, printer columns and `kubectl explain`.
#![expect(clippy::unwrap_used, reason = "a panic is a test failure")]

mod compatibility;
mod defaults;
mod field_managers;
mod generated;
mod integration_rules;
mod kubectl;
mod manifests;
mod match_rules;
mod schema;
mod values;
mod verdicts;

use std::path::Path;

use sandbox::control_plane::ControlPlane;
use tokio::sync::OnceCell;

/// The API server that all tests share, with the resource definitions installed.
async fn plane() -> &'static ControlPlane {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let plane = ControlPlane::shared();
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    INSTALLED
        .get_or_init(async || plane.install_crds(&crds).await.unwrap())
        .await;
    plane
}
