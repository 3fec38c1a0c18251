//! Where the control plane's programs come from. Each test runs itself once
//! more in a process of its own, because it is the environment that decides.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failure here is the test's result"
)]

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sandbox::control_plane::{Program, provide};

/// Set in the process that looks for the programs.
const LOOKS: &str = "SANDBOX_TEST_LOOKS";

/// The test `name` in a process of its own, with `go` (a shell script) as the
/// only Go there is and a place for it to build into.
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
        .env(LOOKS, "1")
        .env("CARGO_TARGET_DIR", place.join("target"))
        .env("PATH", path)
        .env_remove("KUBEBUILDER_ASSETS")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// In the process of its own: whether it is that one, having looked.
async fn has_looked() -> bool {
    if env::var_os(LOOKS).is_none() {
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

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn assert_names_both_ways_out(text: &str) {
    assert!(text.contains("Either install Go 1."), "{text}");
    assert!(text.contains("or set KUBEBUILDER_ASSETS"), "{text}");
}

#[tokio::test]
async fn without_go_the_missing_programs_are_named() {
    if has_looked().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let assets = place.path().join("assets");
    fs::create_dir(&assets).unwrap();
    for name in ["etcd", "kube-apiserver", "kubectl"] {
        fs::write(assets.join(name), "").unwrap();
    }
    let mut command = again("without_go_the_missing_programs_are_named", place.path(), None);
    let output = command.env("KUBEBUILDER_ASSETS", assets).output().unwrap();
    let text = said(&output);
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains("needs kube-controller-manager, helm, and Go cannot be run"),
        "{text}"
    );
    assert_names_both_ways_out(&text);
}

#[tokio::test]
async fn a_go_that_is_too_old_is_named() {
    if has_looked().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let go = "echo 'go.mod requires go >= 1.26.0 (running go 1.20)' >&2; exit 1";
    let output = again("a_go_that_is_too_old_is_named", place.path(), Some(go))
        .output()
        .unwrap();
    let text = said(&output);
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains("Go cannot build it (go.mod requires go >= 1.26.0 (running go 1.20))"),
        "{text}"
    );
    assert_names_both_ways_out(&text);
}

#[tokio::test]
async fn a_build_that_fails_shows_why() {
    if has_looked().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let go = "[ $1 = list ] || { echo 'no space left'; exit 1; }";
    let output = again("a_build_that_fails_shows_why", place.path(), Some(go))
        .output()
        .unwrap();
    let text = said(&output);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("building etcd failed"), "{text}");
    assert!(text.contains("no space left"), "{text}");
}

#[tokio::test]
async fn two_processes_build_each_program_once() {
    if has_looked().await {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let go = "[ $1 = list ] && exit\n\
              /bin/sleep 0.2\n\
              while [ \"$1\" != -o ]; do shift; done\n\
              echo built > $2; echo $3 >> $BUILDS";
    let builds = place.path().join("builds");
    let mut command = again("two_processes_build_each_program_once", place.path(), Some(go));
    command.env("BUILDS", &builds);
    let both =
        [command.spawn().unwrap(), command.spawn().unwrap()].map(|one| one.wait_with_output().unwrap());
    for output in both {
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        assert_eq!(text.matches("found ").count(), Program::ALL.len(), "{text}");
    }
    let builds = fs::read_to_string(builds).unwrap();
    assert_eq!(builds.lines().count(), Program::ALL.len(), "{builds}");
}
