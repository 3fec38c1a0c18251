//! The probes `/healthz` and `/readyz`.

use std::{process::Command, time::Duration};

use sandbox::control_plane::{
    ControlPlane,
    child_process::{ChildProcess, Ending},
};

use crate::{
    run::get,
    world::{World, free_port, start_with},
};

/// Waits until a probe responds with this status. Returns the body.
async fn wait_for(port: u16, path: &str, wanted: u16) -> String {
    let mut last = String::new();
    for _ in 0..200 {
        let listens = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        if listens {
            let (status, _, text) = get(port, path).await;
            if status == wanted {
                return text;
            }
            last = format!("{status}: {text}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} did not respond with {wanted}; last response: {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_ready_and_alive_and_does_not_lead() {
    let mut world = World::prepared().await;
    world.stop_operator().await;
    let lease = ["--lease", "okta-insightful-operator/okta-insightful-operator"];
    let mut operators = Vec::new();
    let mut leaders = 0;
    for _ in 0..2 {
        let port = free_port();
        operators.push(
            start_with(
                world.plane,
                &[&world.namespace],
                port,
                &lease,
                &[("RUST_LOG", "info")],
            )
            .await,
        );
        assert_eq!(wait_for(port, "/readyz", 200).await, "ok\n");
        assert_eq!(wait_for(port, "/healthz", 200).await, "ok\n");
        let metrics = get(port, "/metrics").await.2;
        assert!(metrics.contains("\nokta_insightful_ready 1\n"), "{metrics}");
        if operators.len() == 1 {
            // The first acquires the Lease before the second starts.
            for _ in 0..100 {
                if get(port, "/metrics")
                    .await
                    .2
                    .contains("\nokta_insightful_leader 1\n")
                {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        leaders += usize::from(
            get(port, "/metrics")
                .await
                .2
                .contains("\nokta_insightful_leader 1\n"),
        );
    }
    assert_eq!(leaders, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permissions_readyz_fails_and_says_what_is_missing() {
    let plane = ControlPlane::shared();
    plane
        .install_crds(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/crds")))
        .await
        .unwrap();
    let namespace = plane.namespace("bare").await.unwrap();
    let port = free_port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    command
        .args([
            "run",
            "--metrics-address",
            &format!("127.0.0.1:{port}"),
            "--watch-namespace",
            &namespace,
        ])
        .env("KUBECONFIG", plane.user_kubeconfig("nobody", &[]).unwrap())
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy");
    let _operator =
        ChildProcess::spawn(&command, plane.directory().join("bare.log"), &Ending::default()).unwrap();
    let mut text = wait_for(port, "/readyz", 503).await;
    for _ in 0..100 {
        if text.contains("forbidden") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        text = wait_for(port, "/readyz", 503).await;
    }
    for kind in ["OktaIntegrations", "EmployeeMatches"] {
        let line = format!("{kind} of namespace {namespace}: ");
        assert!(text.contains(&line) && text.contains("forbidden"), "{text}");
    }
    assert_eq!(
        wait_for(port, "/healthz", 200).await,
        "ok\n",
        "waiting does not fail the liveness probe"
    );
}
