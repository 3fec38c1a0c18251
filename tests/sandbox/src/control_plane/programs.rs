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
use super::version;

const CONTROL_PLANE_MODULE: &str = include_str!("../../control-plane/go.mod");
const PROMTOOL_MODULE: &str = include_str!("../../promtool/go.mod");

const CONTROL_PLANE_DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/control-plane");
const PROMTOOL_DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/promtool");

/// How often the progress of a build is printed.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(30);

/// Packages of generated code: much to compile, of which little ever runs.
const GENERATED: [&str; 7] = [
    "k8s.io/api/...",
    "k8s.io/client-go/applyconfigurations/...",
    "k8s.io/client-go/informers/...",
    "k8s.io/client-go/kubernetes/...",
    "k8s.io/client-go/listers/...",
    "k8s.io/kubernetes/pkg/apis/...",
    "k8s.io/kubernetes/pkg/generated/...",
];

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
            Self::Etcd => version::ETCD_PACKAGE,
            Self::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Helm => "helm.sh/helm/v4/cmd/helm",
            Self::Promtool => "github.com/prometheus/prometheus/cmd/promtool",
        }
    }

    /// The name that `go build` gives the program of the package.
    fn file_name(self) -> &'static str {
        match self {
            Self::Etcd => "server",
            other => other.name(),
        }
    }

    /// The duration of a build on two cores with an empty build cache of Go, after the programs before it in
    /// [`ALL`](Self::ALL), with which it shares packages.
    fn usual_seconds(self) -> u64 {
        match self {
            Self::Etcd => 45,
            Self::KubeApiserver => 250,
            Self::KubeControllerManager => 80,
            Self::Kubectl => 20,
            Self::Helm => 100,
            Self::Promtool => 150,
        }
    }

    /// Whether the program belongs to a version of Kubernetes.
    fn is_of_kubernetes(self) -> bool {
        !matches!(self, Self::Helm | Self::Promtool)
    }

    /// The directory of the module that builds the program. Creates that of another version of Kubernetes.
    fn module(self) -> Result<PathBuf, Error> {
        match self {
            Self::Promtool => Ok(PROMTOOL_DIRECTORY.into()),
            Self::Helm => Ok(CONTROL_PLANE_DIRECTORY.into()),
            _ if kubernetes_version() == default_kubernetes_version() => Ok(CONTROL_PLANE_DIRECTORY.into()),
            _ => version::module(kubernetes_version(), &version_directory()),
        }
    }

    /// The path of the built program. It contains the version, so that a newer version is built.
    fn built(self) -> PathBuf {
        let directory = match self {
            Self::Helm => {
                let version = required(CONTROL_PLANE_MODULE, "helm.sh/helm/v4");
                target_directory().join("helm").join(version)
            }
            Self::Promtool => {
                let version = required(PROMTOOL_MODULE, "github.com/prometheus/prometheus");
                target_directory().join("promtool").join(version)
            }
            _ => version_directory(),
        };
        directory.join("bin").join(self.name())
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
        let assets = env::var_os("KUBEBUILDER_ASSETS");
        let given = assets
            .as_ref()
            // Nobody knows which version they have.
            .filter(|_| !(self.is_of_kubernetes() && version::is_selected()))
            .map(|directory| Path::new(directory).join(self.name()));
        // The programs do not run in this process's working directory.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        given
            .into_iter()
            .chain([self.built()])
            .find(|path| path.is_file())
            .map(absolute)
            .or_else(|| assets.and_then(|_| stand_in(self)))
    }
}

/// Builds programs of one module. One command, so that the linker of one program runs while another is compiled.
fn build(module: &Path, programs: &[Program]) -> Result<(), Error> {
    let names = programs
        .iter()
        .map(|program| program.name())
        .collect::<Vec<_>>()
        .join(", ");
    let place = target_directory().join("control-plane");
    let partial = place.join("partial");
    drop(fs::remove_dir_all(&partial)); // of a failed build
    fs::create_dir_all(&partial).map_err(Error::io(format!("create {}", partial.display())))?;
    let log = place.join("build.log");
    drop(fs::remove_file(&log));

    let version = if programs.iter().any(|program| program.is_of_kubernetes()) {
        kubernetes_version()
    } else {
        default_kubernetes_version()
    };
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-ldflags", &linker_flags(version)])
        // The linker would drop the debug information.
        .arg("-gcflags=all=-dwarf=false")
        // Without optimisation. The last pattern that matches a package applies.
        .args(GENERATED.map(|packages| format!("-gcflags={packages}=-dwarf=false -N -l")))
        // Prometheus' tag for a build without the clients of cloud providers; no other program has such a tag.
        .args(["-tags", "remove_all_sd", "-o"])
        .arg(&partial)
        .args(programs.iter().map(|program| program.package()))
        .env("CGO_ENABLED", "0")
        .current_dir(module);
    let begin = Instant::now();
    let usual: u64 = programs.iter().map(|program| program.usual_seconds()).sum();
    say(&format!("building {names}, once: about {usual} s on two cores"));
    let mut process =
        ChildProcess::spawn(&go, &log, &Ending::default()).map_err(Error::io("start `go build`"))?;
    let mut next_notice = PROGRESS_INTERVAL;
    let mut unfinished = programs.to_vec();
    let status = loop {
        let status = process.exit_status().map_err(Error::io("wait for `go build`"))?;
        unfinished.retain(|program| {
            let is_finished = partial.join(program.file_name()).is_file();
            if is_finished {
                say(&format!(
                    "built {} after {} s",
                    program.name(),
                    begin.elapsed().as_secs()
                ));
            }
            !is_finished
        });
        if let Some(status) = status {
            break status;
        }
        if begin.elapsed() > next_notice {
            say(&format!(
                "still building: {} s of about {usual} s",
                next_notice.as_secs()
            ));
            next_notice += PROGRESS_INTERVAL;
        }
        thread::sleep(Duration::from_millis(100));
    };
    if !status.success() {
        return Err(Error::Build {
            programs: names,
            tail: process.log_tail(20),
            log,
        });
    }
    for program in programs {
        let built = program.built();
        let directory = built.parent().unwrap_or(&built);
        fs::create_dir_all(directory).map_err(Error::io(format!("create {}", directory.display())))?;
        let file = partial.join(program.file_name());
        fs::rename(&file, &built).map_err(Error::io(format!("rename {}", file.display())))?;
    }
    drop(fs::remove_file(&log));
    drop(fs::remove_dir(&partial));
    Ok(())
}

/// Sets the version: clients reject a server with the default, v0.0.0.
fn linker_flags(version: &str) -> String {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let set = "-X k8s.io/component-base/version";
    format!("-s -w {set}.gitVersion={version} {set}.gitMajor={major} {set}.gitMinor={minor}")
}

/// The version of Kubernetes that is built, such as `v1.37.2`: the selected one, or the one of the module. Programs
/// from `KUBEBUILDER_ASSETS` may have another.
#[must_use]
pub fn kubernetes_version() -> &'static str {
    version::selected().unwrap_or(default_kubernetes_version())
}

/// The version of the module, which is built unless another one is selected.
#[must_use]
pub fn default_kubernetes_version() -> &'static str {
    required(CONTROL_PLANE_MODULE, "k8s.io/kubernetes")
}

/// What is built for this version of Kubernetes.
fn version_directory() -> PathBuf {
    target_directory()
        .join("control-plane")
        .join(kubernetes_version())
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
        match check_go(&missing) {
            Ok(()) => build_all(missing)?,
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

/// Builds the programs, those of one module together.
fn build_all(mut programs: Vec<Program>) -> Result<(), Error> {
    while let Some(first) = programs.first() {
        let module = first.module()?;
        let mut together = Vec::new();
        let mut others = Vec::new();
        for program in programs {
            let of_this_module = program.module()? == module;
            if of_this_module {
                &mut together
            } else {
                &mut others
            }
            .push(program);
        }
        build(&module, &together)?;
        programs = others;
    }
    Ok(())
}

/// Helm or promtool from `PATH`, for whoever has no Go or prefers ready-made programs. For the other programs, the exact
/// version matters.
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

/// Whether Go is installed and recent enough for the programs.
fn check_go(programs: &[Program]) -> Result<(), String> {
    let module = match programs {
        [] => return Ok(()),
        programs if programs.contains(&Program::Promtool) => PROMTOOL_DIRECTORY,
        _ => CONTROL_PLANE_DIRECTORY,
    };
    match Command::new("go")
        .args(["list", "-m"])
        .current_dir(module)
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
            (CONTROL_PLANE_MODULE, "helm.sh/helm/v4", "v4."),
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
            let go_mod = fs::read_to_string(program.module().unwrap().join("go.mod")).unwrap();
            let is_tool = |line: &str| line.trim_start().trim_start_matches("tool ") == program.package();
            assert!(go_mod.lines().any(is_tool), "{}", program.name());
        }
    }

    #[test]
    fn the_linker_flags_set_the_version() {
        let flags = linker_flags("v1.31.13");
        assert!(flags.contains("gitVersion=v1.31.13 "), "{flags}");
        assert!(flags.contains("gitMajor=1 "), "{flags}");
        assert!(flags.ends_with("gitMinor=31"), "{flags}");
    }
}
