//! The tour, run as a process. It fails by itself if the product differs from what it shows.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is a test failure"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn sandbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(arguments).stdin(Stdio::null());
    command
}

#[test]
fn the_tour_completes_and_removes_everything() {
    let place = tempfile::tempdir().unwrap();
    let output = sandbox(&[]).env("TMPDIR", place.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    for line in [
        "STATUS: deployed",
        r#""step":"ReadingPeople""#,
        "✓ Insightful's request log: still no writes",
        "✓ another plan than the one that is named is refused, and Insightful's request log has no writes",
        "✓ the applied plan is the previewed plan: the hashes are equal",
        "exactly as previewed: every field of every person and no others",
        "✓ one message, about the applied plan",
        "✓ no writes to Insightful, and all EmployeeMatches are unchanged",
        "✓ the same employee has the new name, and nobody was invited again",
        "✓ the before-images hold the employee's former values, and the values that replaced them",
        "✓ the restore is previewed, and nothing was written yet",
        "✓ the employee has the former name, email and team again",
        "✓ the match names the field that could not be restored: the title",
        "✓ both people are matched with their own employees",
        "✓ deactivated once",
        "✓ Insightful is unchanged: every employee and every team",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
    assert!(!text.contains('\x1b'), "colours outside a terminal:\n{text}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "files remain");
}

#[test]
fn a_kept_sandbox_can_be_used_until_ctrl_c() {
    let place = tempfile::tempdir().unwrap();
    let mut tour = sandbox(&["--keep=review"])
        .env("TMPDIR", place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = String::new();
    let mut lines = BufReader::new(tour.stdout.take().unwrap()).lines();
    for line in &mut lines {
        let line = line.unwrap();
        shown += &line;
        shown.push('\n');
        if line.starts_with("The operator's log:") {
            break;
        }
    }
    let value = |start: &str| {
        let line = shown.lines().find(|line| line.starts_with(start));
        let line = line.unwrap_or_else(|| panic!("no {start:?} in:\n{shown}"));
        line[start.len()..].to_owned()
    };
    let kubeconfig = value("export KUBECONFIG=");
    let path = value("export PATH=");
    let kubectl = |arguments: &str| {
        let script = format!("export PATH={path}; kubectl {arguments}");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("KUBECONFIG", &kubeconfig)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(kubectl("get oi -o jsonpath='{.items[*].status.phase}'"), "Review");
    assert!(shown.contains("kubectl insightful review acme"), "{shown}");
    assert!(kubectl("insightful status").starts_with("acme in people: Review"));
    let server = kubectl("config view -o jsonpath='{.clusters[0].cluster.server}'");

    let interrupt = Command::new("kill")
        .args(["-INT", &tour.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let remaining: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(tour.wait().unwrap().code(), Some(130), "{remaining:?}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "files remain");
    let address = server.trim_start_matches("https://");
    assert!(
        TcpStream::connect(address).is_err(),
        "the API server still listens"
    );
}
