//! What the tools that keep a cluster in step with Git make of objects and
//! manifests, by their own code: kstatus, Argo CD's Lua, Flux's expressions and
//! types. It is a Go program beside this crate, built at the first question.

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

/// Whatever the program is built from.
const SOURCES: [&str; 3] = [
    include_str!("../gitops/main.go"),
    include_str!("../gitops/go.mod"),
    include_str!("../gitops/go.sum"),
];

/// What is asked.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Argo CD's health script of each kind.
    pub scripts: BTreeMap<String, String>,
    /// Flux's Kustomization, in YAML, whose health check expressions count.
    pub kustomization: String,
    /// The objects to judge.
    pub objects: Vec<Value>,
    /// Manifests of Flux's own kinds, each one YAML document, to be read
    /// strictly by Flux's types.
    pub flux_manifests: Vec<String>,
}

/// How an object stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// By kstatus: `Current`, `InProgress`, `Failed`, `Terminating`.
    pub kstatus: String,
    /// By Flux with the Kustomization's expressions; empty if it has none for the kind.
    pub flux: String,
    /// By Argo CD with the script; empty if there is none for the kind.
    pub argo: String,
    /// What Argo CD shows beside it.
    pub message: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Of each object, in their order.
    pub verdicts: Vec<Verdict>,
    /// The kind of each manifest, in their order.
    pub kinds: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitopsError {
    /// The program cannot be built, which needs Go.
    #[error("the judge of {MODULE} cannot be built, which needs Go: {0}")]
    Build(String),
    /// A file or process could not be handled.
    #[error("the judge cannot be run: {0}")]
    Io(#[from] std::io::Error),
    /// Question or answer is no JSON of its form.
    #[error("the judge's answer: {0}")]
    Json(#[from] serde_json::Error),
    /// Something that was asked about is wrong.
    #[error("{0}")]
    Wrong(String),
}

/// Asks. The first question of a checkout builds the program, which takes a
/// minute or two.
///
/// # Errors
/// Why there is no answer: a script or manifest that is wrong, for example.
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
            // A program that ends before it has read all says why itself.
            drop(stdin.write_all(&text).await);
        }
    };
    let ((), output) = tokio::join!(ask, child.wait_with_output());
    let output = output?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(GitopsError::Wrong(said));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Built once for each version of its sources.
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
    // Of this process alone, so that two that build at a time do not meet.
    let partial = program.with_extension(std::process::id().to_string());
    eprintln!("[sandbox] building the judge of GitOps tools: a minute or two, once");
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
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(GitopsError::Build(said));
    }
    tokio::fs::rename(&partial, &program).await?;
    drop(building);
    Ok(program)
}
