//! The programs of the control plane: from `KUBEBUILDER_ASSETS`, or built from the Go modules in this crate's
//! directory.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::Error;
use super::child_process::{ChildProcess, Ending};

const CONTROL_PLANE_MODULE: &str = include_str!("../../control-plane/go.mod");
const HELM_MODULE: &str = include_str!("../../helm/go.mod");
const PROMTOOL_MODULE: &str = include_str!("../../promtool/go.mod");

/// How often the progress of a build is printed.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(30);

/// A program that the control plane or its users run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    Kubectl,
    Helm,
    /// Tests alerts and evaluates queries; no part of a cluster.
    Promtool,
}

impl Program {
    /// The programs of a control plane and its users, in the order in which they are built.
    pub const ALL: [Self; 5] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::Helm,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
            Self::Promtool => "promtool",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Helm => "helm.sh/helm/v4/cmd/helm",
            Self::Promtool => "github.com/prometheus/prometheus/cmd/promtool",
        }
    }

    /// The duration of a build on two cores, in the order of [`ALL`](Self::ALL) with an empty build cache of Go.
    fn usual_seconds(self) -> u32 {
        match self {
            Self::Etcd => 45,
            Self::KubeApiserver => 250,
            Self::KubeControllerManager => 80,
            Self::Kubectl => 20,
            Self::Helm => 100,
            Self::Promtool => 150,
        }
    }

    fn module(self) -> &'static Path {
        Path::new(match self {
            Self::Helm => concat!(env!("CARGO_MANIFEST_DIR"), "/helm"),
            Self::Promtool => concat!(env!("CARGO_MANIFEST_DIR"), "/promtool"),
            _ => concat!(env!("CARGO_MANIFEST_DIR"), "/control-plane"),
        })
    }

    /// The path of the built program. It contains the version, so that a newer version is built.
    fn built(self) -> PathBuf {
        let (module, version) = match self {
            Self::Helm => ("helm", required(HELM_MODULE, "helm.sh/helm/v4")),
            Self::Promtool => (
                "promtool",
                required(PROMTOOL_MODULE, "github.com/prometheus/prometheus"),
            ),
            _ => ("control-plane", kubernetes_version()),
        };
        target_directory()
            .join(module)
            .join(version)
            .join("bin")
            .join(self.name())
    }

    /// Sets the version: clients reject a server with the default, v0.0.0.
    fn linker_flags(self) -> String {
        if matches!(self, Self::Helm | Self::Promtool) {
            return "-s -w".to_owned();
        }
        let version = kubernetes_version();
        let mut parts = version.trim_start_matches('v').split('.');
        let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let set = "-X k8s.io/component-base/version";
        format!("-s -w {set}.gitVersion={version} {set}.gitMajor={major} {set}.gitMinor={minor}")
    }

    /// The path of the program. An error before [`provide`](super::provide) has built it.
    pub fn path(self) -> Result<PathBuf, Error> {
        let missing = || Error::Io {
            what: format!("find {}", self.name()),
            source: io::ErrorKind::NotFound.into(),
        };
        self.existing().or_else(|| stand_in(self)).ok_or_else(missing)
    }

    /// A command with a kubeconfig. `home` replaces the developer's home directory, which is neither read nor written.
    pub fn command(self, kubeconfig: &Path, home: &Path) -> Result<tokio::process::Command, Error> {
        let mut command = tokio::process::Command::new(self.path()?);
        command
            .env("KUBECONFIG", kubeconfig)
            .env("HELM_CACHE_HOME", home.join("helm/cache"))
            .env("HELM_CONFIG_HOME", home.join("helm/config"))
            .env("HELM_DATA_HOME", home.join("helm/data"))
            .env("HOME", home)
            .kill_on_drop(true);
        Ok(command)
    }

    fn existing(self) -> Option<PathBuf> {
        let given =
            env::var_os("KUBEBUILDER_ASSETS").map(|directory| Path::new(&directory).join(self.name()));
        // The programs do not run in this process's working directory.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        given
            .into_iter()
            .chain([self.built()])
            .find(|path| path.is_file())
            .map(absolute)
    }

    fn build(self) -> Result<(), Error> {
        let built = self.built();
        let directory = built.parent().unwrap_or(&built);
        fs::create_dir_all(directory).map_err(Error::io(format!("create {}", directory.display())))?;
        let partial = built.with_extension("partial");
        let log = built.with_extension("log");
        drop(fs::remove_file(&log)); // of a failed build

        let mut go = Command::new("go");
        go.args(["build", "-trimpath", "-ldflags", &self.linker_flags()])
            // Prometheus' tag for a build without the clients of cloud providers; no other program has such a tag.
            .args(["-tags", "remove_all_sd", "-o"])
            .arg(&partial)
            .arg(self.package())
            .env("CGO_ENABLED", "0")
            .current_dir(self.module());
        let begin = Instant::now();
        let usual = self.usual_seconds();
        say(&format!(
            "building {}, once: about {usual} s on two cores",
            self.name()
        ));
        let mut build =
            ChildProcess::spawn(&go, &log, &Ending::default()).map_err(Error::io("start `go build`"))?;
        let mut next_notice = PROGRESS_INTERVAL;
        let status = loop {
            if let Some(status) = build.exit_status().map_err(Error::io("wait for `go build`"))? {
                break status;
            }
            if begin.elapsed() > next_notice {
                say(&format!(
                    "still building {}: {} s of about {usual} s",
                    self.name(),
                    next_notice.as_secs()
                ));
                next_notice += PROGRESS_INTERVAL;
            }
            thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            return Err(Error::Build {
                program: self.name(),
                tail: build.log_tail(20),
                log,
            });
        }
        drop(fs::remove_file(&log));
        fs::rename(&partial, &built).map_err(Error::io(format!("rename {}", partial.display())))?;
        say(&format!(
            "built {} in {} s",
            self.name(),
            begin.elapsed().as_secs()
        ));
        Ok(())
    }
}

/// The version of Kubernetes that is built, such as `v1.37.2`. Programs from `KUBEBUILDER_ASSETS` may have another.
#[must_use]
pub fn kubernetes_version() -> &'static str {
    required(CONTROL_PLANE_MODULE, "k8s.io/kubernetes")
}

/// Builds the missing programs and prints the progress on standard error. Blocks for minutes at the first build.
pub(super) fn provide(wanted: &[Program]) -> Result<(), Error> {
    if wanted.iter().any(|program| program.existing().is_none()) {
        let lock = lock()?;
        // Another process may have built them in the meantime.
        let missing: Vec<Program> = wanted
            .iter()
            .copied()
            .filter(|program| program.existing().is_none())
            .collect();
        let go = if missing.is_empty() {
            Ok(())
        } else {
            check_go(missing[0])
        };
        match go {
            Ok(()) => missing.into_iter().try_for_each(Program::build)?,
            Err(reason) => {
                let missing: Vec<&str> = missing
                    .into_iter()
                    .filter(|program| stand_in(*program).is_none())
                    .map(Program::name)
                    .collect();
                if !missing.is_empty() {
                    let go = required(CONTROL_PLANE_MODULE, "go");
                    return Err(Error::ProgramsMissing {
                        missing: missing.join(", "),
                        reason,
                        go,
                    });
                }
            }
        }
        drop(lock);
    }
    Ok(())
}

/// Helm or promtool from `PATH`, for use without Go. For the other programs, the exact version matters.
fn stand_in(program: Program) -> Option<PathBuf> {
    let (arguments, versions): (&[&str], &[&str]) = match program {
        Program::Helm => (&["version", "--short"], &["v3.", "v4."]),
        Program::Promtool => (&["--version"], &["promtool, version 3.", "promtool, version 4."]),
        _ => return None,
    };
    let answer = Command::new(program.name()).args(arguments).output().ok()?;
    let version = String::from_utf8_lossy(&answer.stdout);
    let fits = versions.iter().any(|accepted| version.starts_with(accepted));
    fits.then(|| PathBuf::from(program.name()))
}

/// Whether Go is installed and recent enough for the module.
fn check_go(program: Program) -> Result<(), String> {
    match Command::new("go")
        .args(["list", "-m"])
        .current_dir(program.module())
        .output()
    {
        Err(error) => Err(format!("Go cannot be run ({error})")),
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(answer) => Err(format!(
            "Go cannot build them ({})",
            String::from_utf8_lossy(&answer.stderr).trim()
        )),
    }
}

/// The file lock that is held while building, against concurrent builds by several processes.
fn lock() -> Result<File, Error> {
    let directory = target_directory();
    let path = directory.join("control-plane.lock");
    let failed = || Error::io(format!("lock {}", path.display()));
    fs::create_dir_all(&directory).map_err(failed())?;
    let file = File::create(&path).map_err(failed())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say("waiting for another process to build the control plane");
            file.lock().map_err(failed())?;
        }
        Err(TryLockError::Error(error)) => return Err(failed()(error)),
    }
    Ok(file)
}

/// The directory for everything that is built for tests.
pub(crate) fn target_directory() -> PathBuf {
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => workspace.join(directory),
        None => workspace.join("target"),
    }
}

/// The version of a module, or of `go`, in a go.mod.
fn required(go_mod: &'static str, what: &str) -> &'static str {
    go_mod
        .lines()
        .filter(|line| !line.contains("=>"))
        .map(|line| line.trim_start().trim_start_matches("require "))
        .find_map(|line| {
            line.strip_prefix(what)?
                .strip_prefix(' ')?
                .split_whitespace()
                .next()
        })
        .unwrap_or("unknown")
}

/// Prints a line immediately. The test harness captures `eprintln!` until the test has ended.
fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "[sandbox] {line}"));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is the test's result")]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_go_modules() {
        for (module, what, start) in [
            (CONTROL_PLANE_MODULE, "k8s.io/kubernetes", "v1."),
            (CONTROL_PLANE_MODULE, "go", "1."),
            (HELM_MODULE, "helm.sh/helm/v4", "v4."),
            (PROMTOOL_MODULE, "github.com/prometheus/prometheus", "v0."),
        ] {
            assert!(
                required(module, what).starts_with(start),
                "{what}: {}",
                required(module, what)
            );
        }
        assert_eq!(required("go 1.26.0\nrequire a.b/c v1.2.3\n", "a.b/c"), "v1.2.3");
        assert_eq!(required("\ta.b/c v1 // indirect\n", "a.b/c"), "v1");
        assert_eq!(required("\ta.b/cd v1\n", "a.b/c"), "unknown");
    }

    #[test]
    fn every_program_is_a_tool_of_its_module() {
        for program in Program::ALL.into_iter().chain([Program::Promtool]) {
            let go_mod = fs::read_to_string(program.module().join("go.mod")).unwrap();
            let is_tool = |line: &str| line.trim_start().trim_start_matches("tool ") == program.package();
            assert!(go_mod.lines().any(is_tool), "{}", program.name());
        }
    }

    #[test]
    fn the_linker_flags_set_the_version() {
        let flags = Program::KubeApiserver.linker_flags();
        assert!(
            flags.contains(&format!("gitVersion={}", kubernetes_version())),
            "{flags}"
        );
        assert!(flags.contains("gitMajor=1 "), "{flags}");
        assert!(!flags.ends_with("gitMinor="), "{flags}");
    }
}
