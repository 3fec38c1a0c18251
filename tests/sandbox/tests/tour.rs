//! `cargo run -p sandbox` as a person starts it: the tour checks what it
//! shows, so that its exit code says whether the product does what it says.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failure here is the test's result"
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
fn the_tour_shows_the_whole_life_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let output = sandbox(&[]).env("TMPDIR", place.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    for line in [
        "STATUS: deployed",
        r#""step":"ReadingPeople""#,
        "✓ Insightful's journal: still nothing written",
        "✓ the held plan has the hash of the preview",
        "exactly the preview: every field of every person, no other",
        "✓ one message, about this plan",
        "✓ Insightful's journal and all EmployeeMatches: unchanged",
        "✓ the same employee has the new name; nobody was invited a second time",
        "✓ the record has what the employee held before the finish, and what was written instead",
        "✓ the undo is previewed, and nothing of it is written yet",
        "✓ name, email and team of the employee are what they were before the finish",
        "✓ what cannot be given back is said: the title, which Insightful never shows",
        "✓ each of the two has their own employee, with the right name, email and title",
        "✓ deactivated once",
        "✓ Insightful is as it was: every employee, every team",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
    assert!(
        !text.contains('\x1b'),
        "colours where there is no terminal:\n{text}"
    );
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "files are left behind"
    );
}

#[test]
fn kept_for_a_person_it_can_be_used_and_ctrl_c_ends_all_of_it() {
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
    let server = kubectl("config view -o jsonpath='{.clusters[0].cluster.server}'");

    let interrupt = Command::new("kill")
        .args(["-INT", &tour.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(tour.wait().unwrap().code(), Some(130), "{rest:?}");
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "files are left behind"
    );
    let address = server.trim_start_matches("https://");
    assert!(
        TcpStream::connect(address).is_err(),
        "the API server still listens"
    );
}
