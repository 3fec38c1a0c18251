//! The Prometheus operator's resource definitions, from the release in the Go module in this crate's directory.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/prometheus-operator");
const RELEASE: &str = "github.com/prometheus-operator/prometheus-operator";

/// The definitions of the kinds that the chart uses.
const FILES: [&str; 3] = [
    "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
];

#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    #[error("cannot download the release in {MODULE}, which requires Go: {0}")]
    Go(String),
    #[error("cannot write the definitions: {0}")]
    Io(#[from] std::io::Error),
    #[error("unexpected output of `go mod download`: {0}")]
    Json(#[from] serde_json::Error),
}

/// The output of `go mod download`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    dir: PathBuf,
}

/// Writes the definitions of PodMonitors, ServiceMonitors and PrometheusRules into a new directory, for
/// [`install_crds`](crate::control_plane::ControlPlane::install_crds). Go downloads the release if necessary and
/// verifies its hash in `go.sum`.
pub async fn write_definitions(directory: &Path) -> Result<(), DefinitionsError> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", RELEASE])
        .current_dir(MODULE)
        .output()
        .await
        .map_err(|error| DefinitionsError::Go(error.to_string()))?;
    if !output.status.success() {
        // A failed download is reported on standard output, a wrong hash on standard error.
        let error = [output.stdout, output.stderr].concat();
        let error = String::from_utf8_lossy(&error).trim().to_owned();
        return Err(DefinitionsError::Go(error));
    }
    let release: Downloaded = serde_json::from_slice(&output.stdout)?;
    tokio::fs::create_dir(directory).await?;
    for file in FILES {
        let from = release.dir.join(file);
        let to = directory.join(from.file_name().unwrap_or_default());
        tokio::fs::copy(from, to).await?;
    }
    Ok(())
}
