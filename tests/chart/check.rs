//! The failures of the subcommand `check`, which `helm test` runs. `newcomer`
//! covers its success.

use std::{ffi::OsStr, path::Path};

use sandbox::control_plane::{ControlPlane, Options};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    CRDS, eventually, plane, release,
    rights::{Action::GetIntegration, Place},
};

/// Runs `check`. Returns its exit code and the lines that start with FAILED.
async fn failures(kubeconfig: &Path, arguments: &[impl AsRef<OsStr>]) -> (Option<i32>, Vec<String>) {
    let process = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .arg("check")
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy")
        .output()
        .await
        .unwrap();
    let output = String::from_utf8(process.stdout).unwrap();
    assert!(
        output.contains("ok      ") || output.contains("FAILED"),
        "{output}"
    );
    let failed = output.lines().filter(|line| line.starts_with("FAILED"));
    (process.status.code(), failed.map(str::to_owned).collect())
}

#[tokio::test]
async fn missing_permissions_are_reported() {
    let plane = plane().await;
    let nobody = plane.user_kubeconfig("somebody-else", &[]).unwrap();
    let (code, failed) = failures(&nobody, &["--watch-namespace=default"]).await;
    assert_eq!(code, Some(1));
    assert_eq!(
        failed.len(),
        8,
        "seven kinds of permissions, and reading: {failed:#?}"
    );
    assert!(
        failed[0]
            .contains("cannot get, list, watch; check that the chart's roles and bindings are installed"),
        "{failed:#?}"
    );

    // The operator of this release may only read one of the two Secrets.
    let home = plane.namespace("operator").await.unwrap();
    let served = plane.namespace("served").await.unwrap();
    let admin = plane.admin_client().await.unwrap();
    Place::new(admin, &served).furnish().await;
    let values = json!({ "watchNamespaces": [served], "rbac": { "secretNames": ["okta"] } });
    release(plane, "checked", &home, &values).await;
    let account = "checked-okta-insightful-operator";
    let kubeconfig = plane.service_account_kubeconfig(&home, account).await.unwrap();
    let operator = Place::new(
        sandbox::control_plane::client(&kubeconfig).await.unwrap(),
        &served,
    );
    eventually("the binding", async || operator.may(GetIntegration).await).await;
    let scope = format!("--watch-namespace={served}");
    let (code, failed) = failures(&kubeconfig, &[&scope]).await;
    assert_eq!(code, Some(1));
    let expected = ["acme", "done"].map(|name| {
        format!(
            "FAILED  can get Secret insightful of {served}/{name}: cannot get it; add it to the chart's rbac.secretNames"
        )
    });
    assert_eq!(failed, expected);
    // It may not read other namespaces.
    let (code, failed) = failures(&kubeconfig, &["--watch-namespace=kube-public"]).await;
    assert_eq!((code, failed.len()), (Some(1), 8));
}

#[tokio::test]
async fn a_missing_leader_is_reported_after_waiting() {
    let plane = plane().await;
    let home = plane.namespace("operator").await.unwrap();
    let dead = plane.namespace("dead").await.unwrap();
    let left = format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: operator, namespace: {dead}}}\n\
         spec: {{holderIdentity: pod-1, renewTime: '2026-01-31T09:00:00.000000Z', leaseDurationSeconds: 15}}\n"
    );
    plane.apply(&left).await.unwrap();
    let none = [format!("--lease={home}/okta-insightful-operator")];
    let of_the_dead = [format!("--lease={dead}/operator")];
    let ((code, none), (_, of_the_dead)) = tokio::join!(
        failures(plane.admin_kubeconfig(), &none),
        failures(plane.admin_kubeconfig(), &of_the_dead)
    );
    assert_eq!(code, Some(1));
    assert!(
        none[0].contains("no replica held it within 30 s; check that the operator's pods are running"),
        "{none:?}"
    );
    assert!(
        of_the_dead[0].contains("pod-1 did not renew it within 30 s"),
        "{of_the_dead:?}"
    );
}

#[tokio::test]
async fn missing_definitions_are_reported() {
    let plane = ControlPlane::start(&Options::default()).await.unwrap();
    let (code, failed) = failures(plane.admin_kubeconfig(), &[""; 0]).await;
    assert_eq!(code, Some(1));
    assert_eq!(
        failed,
        [
            "FAILED  OktaIntegrations, EmployeeMatches and UnmatchedEmployees can be listed in all namespaces: not found; install the CustomResourceDefinitions"
        ]
    );
    plane.stop().await.unwrap();
}

#[tokio::test]
async fn an_api_server_without_what_is_needed_is_reported() {
    let options = Options {
        api_server_arguments: vec![
            "--disable-admission-plugins=ValidatingAdmissionPolicy".to_owned(),
            "--runtime-config=admissionregistration.k8s.io/v1/validatingadmissionpolicies=false".to_owned(),
        ],
        ..Options::default()
    };
    let plane = ControlPlane::start(&options).await.unwrap();
    // As an API server that does not know selectable fields stores them.
    let definitions =
        std::fs::read_to_string(Path::new(CRDS).join("integrations.insightful.io.yaml")).unwrap();
    let mut definitions: Vec<Value> = serde_yaml::from_multiple(&definitions).unwrap();
    for definition in &mut definitions {
        let version = definition["spec"]["versions"][0].as_object_mut().unwrap();
        version.remove("selectableFields");
    }
    let directory = plane.directory().join("old");
    std::fs::create_dir(&directory).unwrap();
    let list = definitions
        .iter()
        .map(|definition| format!("---\n{definition}\n"));
    std::fs::write(directory.join("all.yaml"), list.collect::<String>()).unwrap();
    plane.install_crds(&directory).await.unwrap();

    let (code, failed) = failures(plane.admin_kubeconfig(), &[""; 0]).await;
    assert_eq!(code, Some(1));
    assert_eq!(
        failed,
        [
            "FAILED  the API server has ValidatingAdmissionPolicies: it does not serve validatingadmissionpolicies of admissionregistration.k8s.io/v1, so everybody who may update an integration can finalize it; enable them in the API server",
            "FAILED  EmployeeMatches and UnmatchedEmployees can be selected by integration in all namespaces: cannot select by spec.integrationRef.name; install the CustomResourceDefinitions of this release on Kubernetes 1.31 or later",
        ]
    );
    plane.stop().await.unwrap();
}
