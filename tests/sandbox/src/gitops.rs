//! How GitOps tools judge objects and manifests, by their own code: kstatus, Argo CD's Lua, and Flux's expressions and
//! types. The code is a Go program in this crate's directory, which is built at the first use.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::control_plane::target_directory;

const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gitops");

/// The sources of the program.
const SOURCES: [&str; 3] = [
    include_str!("../gitops/main.go"),
    include_str!("../gitops/go.mod"),
    include_str!("../gitops/go.sum"),
];

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Argo CD's health scripts by kind.
    pub scripts: BTreeMap<String, String>,
    /// A YAML manifest of Flux's Kustomization with health check expressions.
    pub kustomization: String,
    /// The objects to judge.
    pub objects: Vec<Value>,
    /// YAML manifests of Flux's kinds, one document each, to parse strictly by Flux's types.
    pub flux_manifests: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// kstatus: `Current`, `InProgress`, `Failed` or `Terminating`.
    pub kstatus: String,
    /// Flux's status by the Kustomization's expressions; empty if there are none for the kind.
    pub flux: String,
    /// Argo CD's health by the script; empty if there is none for the kind.
    pub argo: String,
    /// The message of Argo CD's health.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// In the order of the objects.
    pub verdicts: Vec<Verdict>,
    /// The kinds of Flux's manifests, in their order.
    pub kinds: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum GitopsError {
    #[error("cannot build {MODULE}, which requires Go: {0}")]
    Build(String),
    #[error("cannot run the judge: {0}")]
    Io(#[from] std::io::Error),
    #[error("invalid JSON in the question or answer: {0}")]
    Json(#[from] serde_json::Error),
    /// A script, an expression or a manifest is invalid.
    #[error("{0}")]
    Wrong(String),
}

/// Judges objects and manifests. The first call in a checkout builds the program, which takes a minute or two.
pub async fn judge(question: &Question) -> Result<Answer, GitopsError> {
    let program = provide().await?;
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let text = serde_json::to_vec(question)?;
    let stdin = child.stdin.take();
    let ask = async {
        if let Some(mut stdin) = stdin {
            // A program that exits early reports its own error.
            drop(stdin.write_all(&text).await);
        }
    };
    let ((), output) = tokio::join!(ask, child.wait_with_output());
    let output = output?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(GitopsError::Wrong(error));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Builds the program once for each version of its sources.
async fn provide() -> Result<PathBuf, GitopsError> {
    let mut hasher = DefaultHasher::new();
    SOURCES.hash(&mut hasher);
    let directory = target_directory().join("gitops");
    let program = directory.join(format!("judge-{:016x}", hasher.finish()));
    let program = std::path::absolute(&program)?;
    static BUILDING: Mutex<()> = Mutex::const_new(());
    let building = BUILDING.lock().await;
    if program.is_file() {
        return Ok(program);
    }
    tokio::fs::create_dir_all(&directory).await?;
    // Unique to this process, since several may build concurrently.
    let partial = program.with_extension(std::process::id().to_string());
    eprintln!("[sandbox] building the GitOps judge, once: a minute or two");
    let output = Command::new("go")
        .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
        .arg(&partial)
        .arg(".")
        .env("CGO_ENABLED", "0")
        .current_dir(Path::new(MODULE))
        .output()
        .await
        .map_err(|error| GitopsError::Build(error.to_string()))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(GitopsError::Build(error));
    }
    tokio::fs::rename(&partial, &program).await?;
    drop(building);
    Ok(program)
}
