//! `cargo run -p sandbox` compiles no crate twice: first for the tour, and then with other features for the operator.

#![allow(clippy::unwrap_used, reason = "a panic is a test failure")]

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that a build of these packages compiles, each with its version and features.
fn crates(packages: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["tree", "--locked", "--offline", "--edges=normal", "--prefix=none"])
        .arg("--format={p} {f}")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    for package in packages {
        cargo.args(["--package", package]);
    }
    let output = cargo.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_tour_and_the_operator_use_the_same_features() {
    let tour = crates(&["sandbox"]);
    let both = crates(&["sandbox", "okta-insightful-operator"]);
    assert!(tour.iter().any(|line| line.starts_with("kube v")), "{tour:?}");
    let different: Vec<&String> = tour.difference(&both).collect();
    assert!(
        different.is_empty(),
        "add the features to Cargo.toml: {different:#?}"
    );
}
