//! What `run`, `plan` and `record` say of the same answers.

use okta_insightful_operator::api::match_name;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::world::{NAME, World};

/// Syncs, and asserts that the status of every EmployeeMatch, a plan of the services and a plan of a recording are
/// equal, the plan's hash included. Returns the plan of the services.
pub async fn all_agree(world: &World, shape: &str) -> Value {
    let status = world.sync().await;
    let cluster = format!("{}/{NAME}", world.namespace);
    let live = world
        .run_cli(&[
            "plan",
            "--cluster",
            &cluster,
            "--allow-http-loopback",
            "-o",
            "json",
        ])
        .await;
    let live: Value = serde_json::from_str(&live).unwrap();

    let dir = TempDir::new().unwrap();
    let out = dir.path().join("recording");
    let out = out.to_str().unwrap();
    world
        .run_cli(&[
            "record",
            "--cluster",
            &cluster,
            "--allow-http-loopback",
            "--out",
            out,
        ])
        .await;
    let recorded = world.run_cli(&["plan", "--from", out, "-o", "json"]).await;
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    assert_eq!(recorded, live, "{shape}: the recording and the services");

    assert_eq!(live["hash"], json!(status.plan.as_ref().unwrap().hash), "{shape}");
    assert_eq!(live["summary"], json!(status.plan), "{shape}");
    assert_eq!(live["teams"], json!(status.teams), "{shape}");
    let matches = world.matches().await;
    let people = live["people"].as_array().unwrap();
    assert_eq!(people.len(), matches.len(), "{shape}");
    for person in people {
        let id = person["oktaUserId"].as_str().unwrap();
        let status = matches[&match_name(NAME, id)].status.clone().unwrap();
        // Who departed has no proposal.
        let proposal = status
            .proposal
            .map_or(json!({ "kind": "None" }), |proposal| json!(proposal));
        let of_run = json!({
            "name": status.person.map(|person| person.name),
            "state": status.state,
            "kind": proposal["kind"],
            "employeeIds": list(&proposal["employeeIds"]),
            "reasons": list(&proposal["reasons"]),
            "changes": status.changes,
        });
        let of_plan = json!({
            "name": person["name"],
            "state": person["state"],
            "kind": person["proposal"]["kind"],
            "employeeIds": person["proposal"]["employeeIds"],
            "reasons": person["proposal"]["reasons"],
            "changes": person["changes"],
        });
        assert_eq!(of_plan, of_run, "{shape}: {id}");
    }
    live
}

/// Asserts that `run`, `plan` and `record` fail with the same message, which is returned. `condition` is the one of
/// the service that cannot be read.
pub async fn all_fail(world: &World, shape: &str, condition: &str, reason: &str) -> String {
    world.request_sync().await;
    let message = world.wait_for_condition(condition, "False", reason).await;
    let cluster = format!("{}/{NAME}", world.namespace);
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("recording");
    let out = out.to_str().unwrap();
    for arguments in [&["plan"][..], &["record", "--out", out]] {
        let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
            .args(arguments)
            .args(["--cluster", &cluster, "--allow-http-loopback"])
            .env("KUBECONFIG", world.plane.admin_kubeconfig())
            .env_remove("HTTPS_PROXY")
            .output()
            .await
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{shape}: {error}");
        assert!(
            without_call(&error).ends_with(&without_call(&message)),
            "{shape}: {error} instead of {message}"
        );
    }
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "{shape}: no files"
    );
    message
}

/// A list that a status leaves out if it is empty.
fn list(value: &Value) -> Value {
    value.as_array().cloned().unwrap_or_default().into()
}

/// Without the call and the id of the request, which differ: the first call that fails decides.
fn without_call(message: &str) -> String {
    let (_, problem) = message.trim_end().split_once("/api/v1/").unwrap();
    let (_, problem) = problem.split_once(": ").unwrap();
    match problem.split_once(", request ") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
            format!("{before}{after}")
        }
        None => problem.to_owned(),
    }
}

/// Asserts that the services can be read again.
pub async fn all_recover(world: &World, condition: &str) {
    world.sync().await;
    world.wait_for_condition(condition, "True", "Connected").await;
}
