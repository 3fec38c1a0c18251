//! Resource definitions of other projects, each from its release in a Go module in this crate's directory.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

/// The release of a project, and the definitions that the tests use of it.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// The directory with `go.mod` and `go.sum`.
    module: &'static str,
    /// The project's Go module.
    path: &'static str,
    files: &'static [&'static str],
}

/// PodMonitors, ServiceMonitors and PrometheusRules, which the chart uses.
pub const PROMETHEUS_OPERATOR: Release = Release {
    module: concat!(env!("CARGO_MANIFEST_DIR"), "/prometheus-operator"),
    path: "github.com/prometheus-operator/prometheus-operator",
    files: &[
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ],
};

/// Applications and AppProjects, which the examples use.
pub const ARGO_CD: Release = Release {
    module: concat!(env!("CARGO_MANIFEST_DIR"), "/argo-cd"),
    path: "github.com/argoproj/argo-cd/v3",
    files: &[
        "manifests/crds/application-crd.yaml",
        "manifests/crds/appproject-crd.yaml",
    ],
};

#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    #[error("cannot download the release in {module}, which requires Go: {error}")]
    Go { module: &'static str, error: String },
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

/// Writes the definitions of a release into a new directory, for
/// [`install_crds`](crate::control_plane::ControlPlane::install_crds). Go downloads the release if necessary and
/// verifies its hash in `go.sum`.
pub async fn write_definitions(release: Release, directory: &Path) -> Result<(), DefinitionsError> {
    let Release { module, path, files } = release;
    let failed = |error: String| DefinitionsError::Go { module, error };
    let output = Command::new("go")
        .args(["mod", "download", "-json", path])
        .current_dir(module)
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        // A failed download is reported on standard output, a wrong hash on standard error.
        let error = [output.stdout, output.stderr].concat();
        return Err(failed(String::from_utf8_lossy(&error).trim().to_owned()));
    }
    let downloaded: Downloaded = serde_json::from_slice(&output.stdout)?;
    tokio::fs::create_dir(directory).await?;
    for file in files {
        let from = downloaded.dir.join(file);
        let to = directory.join(from.file_name().unwrap_or_default());
        tokio::fs::copy(from, to).await?;
    }
    Ok(())
}
