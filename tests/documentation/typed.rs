//! A test or CI runs every command of every page. A new command is covered by
//! the test of its page, or has to be added here.

use std::{fs, path::Path};

use crate::pages::{all, commands, page};

/// The pages with commands for a cluster, and the test that types all of them.
const TYPED: [(&str, &str); 15] = [
    ("README.md", "tests/chart/readme.rs"),
    (
        "charts/okta-insightful-operator/README.md",
        "tests/chart/newcomer.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/backup.md",
        "tests/documentation/moved.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/conditions.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/finish.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/install.md",
        "tests/chart/newcomer.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/metrics.md",
        "tests/chart/readme.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/notifications.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/okta.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/review.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/runbook.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/undo.md",
        "tests/documentation/commands.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/upgrade.md",
        "tests/chart/newcomer.rs",
    ),
    (
        "charts/okta-insightful-operator/docs/verify.md",
        ".ci/release-check",
    ),
    ("examples/README.md", "tests/examples/main.rs"),
];

/// Commands for a checkout instead of a cluster: the file that runs each, and
/// the text in that file.
const RUN: [(&str, &str, &str); 13] = [
    (
        "cargo run -p sandbox",
        "tests/sandbox/tests/tour.rs",
        "CARGO_BIN_EXE_sandbox",
    ),
    ("cargo test --workspace", ".ci/run", "cargo test --workspace\n"),
    ("cargo fmt --all", ".ci/run", "cargo fmt --all --check\n"),
    (
        "cargo clippy --workspace --all-targets -- -D warnings",
        ".ci/run",
        "cargo clippy --workspace --all-targets -- -D warnings\n",
    ),
    (
        "cargo run -q -- crd > crds/integrations.insightful.io.yaml",
        "tests/resources/generated.rs",
        r#".arg("crd")"#,
    ),
    (
        "cp crds/*.yaml charts/okta-insightful-operator/files/crds/",
        "tests/resources/generated.rs",
        r#"["crds", "charts/okta-insightful-operator/files/crds"]"#,
    ),
    (
        "cargo run -q -- crd --reference > charts/okta-insightful-operator/docs/reference.md",
        "tests/resources/generated.rs",
        r#".args(["crd", "--reference"])"#,
    ),
    (
        r#"rustup target add "$(uname -m)-unknown-linux-musl""#,
        ".ci/run",
        r#"rustup target add "$target""#,
    ),
    (
        "sudo apt-get install musl-tools buildah",
        ".ci/run",
        "--no-install-recommends buildah",
    ),
    (".ci/image", ".ci/run", " .ci/image\n"),
    (
        "cargo test --test lifecycle record_this_version -- --ignored",
        "tests/lifecycle/upgrade.rs",
        "async fn record_this_version()",
    ),
    (
        ".ci/release 0.1.0 target/release-files",
        ".github/workflows/release.yaml",
        r#".ci/release "$GITHUB_REF_NAME" target/release-files"#,
    ),
    (
        ".ci/release-check target/release-files",
        ".github/workflows/release.yaml",
        ".ci/release-check target/release-files\n",
    ),
];

#[track_caller]
fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_command_of_every_page_is_run_by_a_test_or_by_ci() {
    let known = || RUN.iter().map(|(command, ..)| *command);
    let mut unmet: Vec<&str> = known().collect();
    for path in all() {
        let test = TYPED.iter().find(|(page, _)| *page == path).map(|(_, test)| test);
        let commands = commands(&page(&path));
        if let Some(test) = test {
            assert!(!commands.is_empty(), "{path} no longer has commands");
            let name = path.rsplit('/').next().unwrap();
            assert!(source(test).contains(name), "{test} does not read {path}");
        }
        for command in commands {
            // The tests that type a page skip commands for a checkout.
            let is_typed = test.is_some() && !command.starts_with("cargo ");
            assert!(
                is_typed || known().any(|known| known == command),
                "{path}: no test runs {command:?}"
            );
            unmet.retain(|known| *known != command);
        }
    }
    assert!(unmet.is_empty(), "no longer on any page: {unmet:?}");
    for (command, file, what) in RUN {
        assert!(source(file).contains(what), "{file} no longer runs {command:?}");
    }
}

/// A block with another marker would be skipped by these tests.
#[test]
fn every_block_has_a_known_marker() {
    for path in all() {
        let text = page(&path);
        let marks = text.lines().filter(|line| line.trim_start().starts_with("```"));
        for (number, mark) in marks.enumerate() {
            let known: &[&str] = match number % 2 {
                0 => &["```sh", "```console", "```text", "```yaml"],
                _ => &["```"],
            };
            assert!(known.contains(&mark), "{path}: {mark:?} is none of {known:?}");
        }
    }
}

/// `employeeIds` is only valid with `Match`: a patch that leaves it out would be refused after a match by decision.
#[test]
fn every_patch_to_another_decision_works_whatever_was_decided_before() {
    let mut patches = 0;
    for path in all() {
        for command in commands(&page(&path)) {
            let Some((_, decision)) = command.split_once(r#"{"spec":{"decision":""#) else {
                continue;
            };
            let empties = decision.contains(r#"","employeeIds":[]"#);
            assert_eq!(empties, !decision.starts_with("Match"), "{path}: {command}");
            patches += 1;
        }
    }
    assert!(patches > 5, "{patches}");
}
