//! The example for Flux: its manifests parse as Flux's own types, and its
//! ServiceAccount has the right permissions on a real API server.

use std::path::Path;

use sandbox::{
    control_plane::{ControlPlane, Error},
    gitops::{GitopsError, Question, judge},
};
use serde_json::Value;

use crate::{example, kustomized};

#[tokio::test]
async fn the_manifests_parse_as_fluxs_types() {
    let documents = |file| {
        let text = example(file);
        text.split("\n---\n").map(str::to_owned).collect::<Vec<_>>()
    };
    let manifests = [documents("flux/operator.yaml"), documents("flux/people.yaml")].concat();
    let question = Question {
        flux_manifests: manifests.clone(),
        ..Question::default()
    };
    let kinds = judge(&question).await.unwrap().kinds;
    assert_eq!(kinds, ["GitRepository", "HelmRelease", "Kustomization"]);

    let misspelt = manifests[2].replace("dependsOn", "dependOn");
    let question = Question {
        flux_manifests: vec![misspelt],
        ..Question::default()
    };
    match judge(&question).await {
        Err(GitopsError::Wrong(error)) => assert!(error.contains(r#"unknown field "dependOn""#), "{error}"),
        answer => panic!("{answer:?}"),
    }
}

/// Applies the manifests of `people.yaml` as its ServiceAccount.
#[tokio::test]
async fn the_account_can_prepare_an_integration_but_not_finalize_it() {
    let plane = ControlPlane::shared();
    plane
        .install_crds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crds"))
        .await
        .unwrap();
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/okta-insightful-operator");
    let install = [
        "install",
        "okta-insightful-operator",
        chart,
        "--set=crds.install=false,image.repository=registry.example/okta-insightful-operator",
    ];
    plane.helm(&install).await.unwrap();
    plane
        .kubectl(&["create", "namespace", "flux-system"])
        .await
        .unwrap();
    plane.apply(&example("namespace.yaml")).await.unwrap();
    plane.apply(&example("flux/rights.yaml")).await.unwrap();
    let flux = plane
        .service_account_kubeconfig("flux-system", "people")
        .await
        .unwrap();

    let manifests = kustomized().await;
    plane.apply_as(&flux, &manifests).await.unwrap();
    // The API server enforces a new policy with a delay.
    let finalize = [
        "patch",
        "oktaintegration",
        "acme",
        "-n",
        "people",
        "--type=merge",
        "--dry-run=server",
        r#"-p={"spec":{"finalized":true}}"#,
    ];
    let started = std::time::Instant::now();
    while plane.kubectl_as(&flux, &finalize).await.is_ok() {
        assert!(started.elapsed().as_secs() < 60, "the policy is not enforced");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let mut finalized: Value = serde_yaml::from_str(&example("integration.yaml")).unwrap();
    finalized["spec"]["finalized"] = true.into();
    match plane.apply_as(&flux, &finalized.to_string()).await {
        Err(Error::Command { stderr, .. }) => assert!(
            stderr.contains("system:serviceaccount:flux-system:people does not have it"),
            "{stderr}"
        ),
        answer => panic!("{answer:?}"),
    }

    // After somebody finalizes, Flux applies the manifests of Git without reverting it.
    let patch = [
        "patch",
        "oktaintegration",
        "acme",
        "-n",
        "people",
        "--type=merge",
        "-p",
    ];
    let finalize = [&patch[..], &[r#"{"spec":{"finalized":true}}"#]].concat();
    plane.kubectl(&finalize).await.unwrap();
    plane.apply_as(&flux, &manifests).await.unwrap();
    let get = ["get", "oktaintegration", "acme", "-n", "people"];
    let field = ["--output=jsonpath={.spec.finalized}"];
    assert_eq!(plane.kubectl(&[&get[..], &field].concat()).await.unwrap(), "true");
    let secrets = plane.kubectl_as(&flux, &["get", "secrets", "-n", "people"]).await;
    assert!(secrets.is_err(), "the account cannot read Secrets");
}
