//! The Prometheus operator's definitions, which monitors and rules have to fit:
//! those of its release, by the Go module beside this crate.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/prometheus-operator");
const RELEASE: &str = "github.com/prometheus-operator/prometheus-operator";

/// Where the release has its definitions. The others there are large, and the
/// chart makes nothing of them.
const FILES: [&str; 3] = [
    "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
];

/// Why there are no definitions.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    /// The release cannot be had, which needs Go.
    #[error("the release of {MODULE} cannot be had, which needs Go: {0}")]
    Go(String),
    /// A file could not be handled.
    #[error("the definitions cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// Go's answer is not of its form.
    #[error("what Go says of the release: {0}")]
    Json(#[from] serde_json::Error),
}

/// Go's answer: where the release is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    dir: PathBuf,
}

/// Writes the definitions of PodMonitors, ServiceMonitors and PrometheusRules
/// into a new directory, for
/// [`install_crds`](crate::control_plane::ControlPlane::install_crds). Go
/// downloads the release when it is not there yet, and holds it to the hash in
/// `go.sum`.
///
/// # Errors
/// When Go is missing, the release is not what it was, or the directory cannot
/// be written.
pub async fn write_definitions(directory: &Path) -> Result<(), DefinitionsError> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", RELEASE])
        .current_dir(MODULE)
        .output()
        .await
        .map_err(|error| DefinitionsError::Go(error.to_string()))?;
    if !output.status.success() {
        // A release that cannot be had is told in the answer, one that is another on standard error.
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        return Err(DefinitionsError::Go(said));
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
