//! Other versions of Kubernetes than the one of `control-plane/go.mod`.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Error;

/// Selects the version for tests, as `--kubernetes` does for the tour.
const VARIABLE: &str = "SANDBOX_KUBERNETES";

/// Its version is the one that Kubernetes requires.
pub(super) const ETCD_PACKAGE: &str = "go.etcd.io/etcd/server/v3";

/// `go mod tidy` finds the versions of all other modules.
const MODULE: &str = "\
module sandbox/control-plane

go 1.26.0

tool (
	go.etcd.io/etcd/server/v3
	k8s.io/kubernetes/cmd/kube-apiserver
	k8s.io/kubernetes/cmd/kube-controller-manager
	k8s.io/kubernetes/cmd/kubectl
)
";

/// A release of Kubernetes, such as `v1.31.13`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesVersion(String);

impl FromStr for KubernetesVersion {
    type Err = String;

    /// The `v` is optional.
    fn from_str(text: &str) -> Result<Self, String> {
        let version = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<&str> = version.split('.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if parts.len() == 3 && parts[0] == "1" && parts.iter().all(is_number) {
            Ok(Self(format!("v{version}")))
        } else {
            Err(format!(
                "{text:?} is not a release of Kubernetes, such as 1.31.13"
            ))
        }
    }
}

static SELECTED: OnceLock<Option<KubernetesVersion>> = OnceLock::new();

/// Selects the version that this process builds and starts. Has no effect after the first use of a program.
pub fn select_kubernetes(version: KubernetesVersion) {
    drop(SELECTED.set(Some(version)));
}

/// The version that was selected by [`select_kubernetes`] or by the environment. Panics if the latter is invalid.
pub(super) fn selected() -> Option<&'static str> {
    let from_environment = || {
        let value = env::var(VARIABLE).ok().filter(|value| !value.is_empty())?;
        match value.parse() {
            Ok(version) => Some(version),
            Err(error) => panic!("{VARIABLE}: {error}"),
        }
    };
    let version = SELECTED.get_or_init(from_environment).as_ref()?;
    Some(version.0.as_str())
}

pub(super) fn is_selected() -> bool {
    selected().is_some()
}

/// The directory of a Go module that builds this version, below `place`. Created at the first call.
pub(super) fn module(version: &'static str, place: &Path) -> Result<PathBuf, Error> {
    let directory = place.join("module");
    // The last file that is written.
    if directory.join("go.sum").is_file() {
        return Ok(directory);
    }
    fs::create_dir_all(&directory).map_err(Error::io(format!("create {}", directory.display())))?;
    let go = |arguments: &[&str]| {
        let output = Command::new("go")
            .args(arguments)
            .current_dir(&directory)
            .output()
            .map_err(Error::io("run go"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let both = [output.stdout, output.stderr].concat();
        Err(Error::Version {
            version,
            reason: String::from_utf8_lossy(&both).trim().to_owned(),
        })
    };
    let go_mod = directory.join("go.mod");
    let write =
        |content: &str| fs::write(&go_mod, content).map_err(Error::io(format!("write {}", go_mod.display())));
    write(MODULE)?;
    let downloaded = go(&[
        "mod",
        "download",
        "-json",
        &format!("k8s.io/kubernetes@{version}"),
    ])?;
    let downloaded: Downloaded = serde_json::from_slice(&downloaded).map_err(|error| Error::Version {
        version,
        reason: error.to_string(),
    })?;
    let text = fs::read_to_string(&downloaded.go_mod)
        .map_err(Error::io(format!("read {}", downloaded.go_mod.display())))?;
    write(&with_staging(version, &text))?;
    go(&["mod", "tidy"])?;
    Ok(directory)
}

/// What `go mod download -json` prints.
#[derive(Deserialize)]
struct Downloaded {
    #[serde(rename = "GoMod")]
    go_mod: PathBuf,
}

/// The module for a version, whose own go.mod is given. That replaces the staging modules by local paths, which has no
/// effect in a dependency.
fn with_staging(version: &str, go_mod: &str) -> String {
    let staging = version.replacen("v1.", "v0.", 1);
    let mut module = format!("{MODULE}\nrequire k8s.io/kubernetes {version}\n\nreplace (\n");
    for line in go_mod.lines() {
        if let Some((name, target)) = line.split_once(" => ")
            && target.starts_with("./staging/")
        {
            let name = name.trim_start_matches("replace ").trim();
            let _infallible = writeln!(module, "\t{name} => {name} {staging}");
        }
    }
    module + ")\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is the test's result")]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_release() {
        for text in ["1.31.13", "v1.31.13"] {
            let version: KubernetesVersion = text.parse().unwrap();
            assert_eq!(version.0, "v1.31.13");
        }
        for text in [
            "",
            "v",
            "1.31",
            "1.31.x",
            "1.31.",
            "2.0.0",
            "v1.31.13-rc.0",
            "../1.2",
        ] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn staging_modules_are_replaced_by_their_releases() {
        let go_mod = "module k8s.io/kubernetes\n\nrequire k8s.io/api v0.0.0\n\nreplace (\n\
                      \tk8s.io/api => ./staging/src/k8s.io/api\n\
                      \tk8s.io/kubectl => ./staging/src/k8s.io/kubectl\n)\n";
        let module = with_staging("v1.31.13", go_mod);
        assert!(module.starts_with(MODULE), "{module}");
        let rest = "\nrequire k8s.io/kubernetes v1.31.13\n\nreplace (\n\
                    \tk8s.io/api => k8s.io/api v0.31.13\n\
                    \tk8s.io/kubectl => k8s.io/kubectl v0.31.13\n)\n";
        assert!(module.ends_with(rest), "{module}");
    }
}
