//! Many integrations in one operator are isolated from each other.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::ListParams};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, Phase};
use sandbox::{company::Company, control_plane::ControlPlane, insightful::Insightful, okta::Okta};
use serde_json::json;

use crate::world::{NAME, apply, integration, open_guard, secret, start_operator};

#[tokio::test(flavor = "multi_thread")]
async fn integrations_in_different_namespaces_are_isolated() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    let mut orgs = Vec::new();
    for seed in 0..20 {
        let company = Company::generate(15, seed);
        let namespace = plane.namespace("org").await.unwrap();
        orgs.push((namespace, Okta::start(&company), Insightful::start(&company)));
    }
    let namespaces: Vec<&str> = orgs.iter().map(|(namespace, ..)| namespace.as_str()).collect();
    let _operator = start_operator(plane, &namespaces).await;

    for (index, (namespace, okta, insightful)) in orgs.iter().enumerate() {
        // Each org accepts only its own token.
        okta.set_token(&format!("okta-token-{index}"));
        insightful.set_token(&format!("insightful-token-{index}"));
        for (name, token) in [("okta", okta.token()), ("insightful", insightful.token())] {
            let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
            apply(&secrets, secret(name, "token", token)).await;
        }
        let mut spec = open_guard();
        spec["finalized"] = json!(true);
        let manifest = integration(NAME, &okta.url(), &insightful.url(), spec);
        let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
        apply(&api, manifest).await;
    }

    for (namespace, okta, insightful) in &orgs {
        let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
        let started = tokio::time::Instant::now();
        let status = loop {
            let status = api.get(NAME).await.unwrap().status.unwrap_or_default();
            if status.phase == Some(Phase::InSync) {
                break status;
            }
            assert!(started.elapsed().as_secs() < 60, "{namespace}: {status:?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        };
        let matches: Api<EmployeeMatch> = Api::namespaced(client.clone(), namespace);
        let matches = matches.list(&ListParams::default()).await.unwrap();
        let org = okta.snapshot();
        assert!(!matches.items.is_empty());
        assert_eq!(
            usize::try_from(status.people.unwrap().total).unwrap(),
            matches.items.len()
        );
        for object in &matches {
            assert!(
                org.users.contains_key(&object.spec.okta_user_id),
                "{namespace} has a match of another org"
            );
        }
        assert!(okta.journal().entries().iter().all(|entry| entry.authorized));
        assert!(
            insightful
                .journal()
                .entries()
                .iter()
                .all(|entry| entry.authorized)
        );
    }
}
