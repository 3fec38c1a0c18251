//! How the programs of the control plane are found and built. Each test runs itself again in another process, with
//! another environment.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is a test failure"
)]

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sandbox::control_plane::{Program, provide};

/// Set in the process that provides the programs.
const PROVIDES: &str = "SANDBOX_TEST_PROVIDE";

/// The test `name` in another process. The shell script `go` is the only Go, and `place` contains the target directory.
fn again(name: &str, place: &Path, go: Option<&str>) -> Command {
    let path = place.join("path");
    fs::create_dir(&path).unwrap();
    if let Some(script) = go {
        fs::write(path.join("go"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path.join("go"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([name, "--exact", "--nocapture"])
        .env(PROVIDES, "1")
        .env("CARGO_TARGET_DIR", place.join("target"))
        .env("PATH", path)
        .env_remove("KUBEBUILDER_ASSETS")
        .env_remove("SANDBOX_KUBERNETES")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// In the other process, provides the programs and returns true.
async fn has_provided() -> bool {
    if env::var_os(PROVIDES).is_none() {
        return false;
    }
    if let Err(error) = provide(&Program::ALL).await {
        panic!("{error}");
    }
    for program in Program::ALL {
        println!("found {}", program.path().unwrap().display());
    }
    true
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn assert_names_both_solutions(text: &str) {
    assert!(text.contains("Either install Go 1."), "{text}");
    assert!(text.contains("Or set KUBEBUILDER_ASSETS"), "{text}");
}

#[tokio::test]
async fn without_go_the_error_names_the_missing_programs() {
    if has_provided().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let assets = place.path().join("assets");
    fs::create_dir(&assets).unwrap();
    for name in ["etcd", "kube-apiserver", "kubectl"] {
        fs::write(assets.join(name), "").unwrap();
    }
    let mut command = again(
        "without_go_the_error_names_the_missing_programs",
        place.path(),
        None,
    );
    let output = command.env("KUBEBUILDER_ASSETS", assets).output().unwrap();
    let text = text(&output);
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains("needs kube-controller-manager, helm, but Go cannot be run"),
        "{text}"
    );
    assert_names_both_solutions(&text);
}

#[tokio::test]
async fn the_error_names_a_go_that_is_too_old() {
    if has_provided().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let go = "echo 'go.mod requires go >= 1.26.0 (running go 1.20)' >&2; exit 1";
    let output = again("the_error_names_a_go_that_is_too_old", place.path(), Some(go))
        .output()
        .unwrap();
    let text = text(&output);
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains("Go cannot build them (go.mod requires go >= 1.26.0 (running go 1.20))"),
        "{text}"
    );
    assert_names_both_solutions(&text);
}

#[tokio::test]
async fn a_failed_build_shows_its_output() {
    if has_provided().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let go = "[ $1 = list ] || { echo 'no space left'; exit 1; }";
    let output = again("a_failed_build_shows_its_output", place.path(), Some(go))
        .output()
        .unwrap();
    let text = text(&output);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("cannot build etcd"), "{text}");
    assert!(text.contains("no space left"), "{text}");
}

#[tokio::test]
async fn two_processes_build_each_program_once() {
    if has_provided().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let go = "[ $1 = list ] && exit\n\
              /bin/sleep 0.2\n\
              while [ \"$1\" != -o ]; do shift; done\n\
              place=$2; shift 2\n\
              for package; do\n\
                  name=${package##*/}; [ $name = v3 ] && name=server\n\
                  echo built > $place/$name; echo $package >> $BUILDS\n\
              done";
    let builds = place.path().join("builds");
    let mut command = again("two_processes_build_each_program_once", place.path(), Some(go));
    command.env("BUILDS", &builds);
    let both =
        [command.spawn().unwrap(), command.spawn().unwrap()].map(|one| one.wait_with_output().unwrap());
    for output in both {
        let text = text(&output);
        assert!(output.status.success(), "{text}");
        assert_eq!(text.matches("found ").count(), Program::ALL.len(), "{text}");
    }
    let builds = fs::read_to_string(builds).unwrap();
    assert_eq!(builds.lines().count(), Program::ALL.len(), "{builds}");
}
