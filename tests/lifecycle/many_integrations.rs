//! Many integrations in one operator are isolated from each other.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{
    EmployeeMatch, OktaIntegration, OktaIntegrationStatus, Phase, conditions,
};
use sandbox::{company::Company, control_plane::ControlPlane, insightful::Insightful, okta::Okta};
use serde_json::json;

use crate::world::{NAME, World, apply, integration, open_guard, secret, start_operator};

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
        let manifest = integration(NAME, &okta.url(), &insightful.url(), open_guard());
        let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
        apply(&api, manifest).await;
    }

    let until = async |api: &Api<OktaIntegration>, phase| {
        let started = tokio::time::Instant::now();
        loop {
            let status = api.get(NAME).await.unwrap().status.unwrap_or_default();
            if status.phase == Some(phase) {
                return status;
            }
            assert!(started.elapsed().as_secs() < 60, "{status:?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    for (namespace, okta, insightful) in &orgs {
        let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
        until(&api, Phase::Review).await;
        let finalize = Patch::Merge(json!({ "spec": { "finalized": true } }));
        api.patch(NAME, &PatchParams::default(), &finalize).await.unwrap();
        let status = until(&api, Phase::InSync).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn of_two_integrations_of_one_organisation_only_the_older_writes() {
    let world = World::in_sync().await;
    let api: Api<OktaIntegration> = world.api();
    let wait_for = async |what: &str, predicate: fn(&OktaIntegrationStatus) -> bool| {
        let read = || async { api.get("twin").await.unwrap().status.unwrap_or_default() };
        world.poll(&format!("twin: {what}"), read, predicate).await
    };
    let patch = async |name: &str, spec| {
        let spec = Patch::Merge(json!({ "spec": spec }));
        api.patch(name, &PatchParams::default(), &spec).await.unwrap();
    };
    let is_held = |status: &OktaIntegrationStatus| status.phase == Some(Phase::Held);
    let twin = integration("twin", &world.okta.url(), &world.insightful.url(), open_guard());
    apply(&api, twin).await;
    wait_for("review", |status| status.phase == Some(Phase::Review)).await;
    patch("twin", json!({ "finalized": true })).await;

    let status = wait_for("held", is_held).await;
    let acme = world.status().await;
    assert!(status.insightful.is_some() && status.insightful == acme.insightful);
    let held = conditions::find(&status.conditions, conditions::HELD).unwrap();
    let reason = (held.status.as_str(), held.reason.as_str());
    assert_eq!(reason, ("True", "AnotherIntegrationWrites"));
    let other = format!("OktaIntegration {}/{NAME}", world.namespace);
    assert!(held.message.contains(&other), "{}", held.message);
    // No approval clears it, and the older one goes on.
    patch("twin", json!({ "approvedPlan": status.plan.unwrap().hash })).await;
    world.insightful.journal().clear();
    world.okta.edit(|org| org.rename_user("jane.doe", "Janet", "Doe"));
    world.sync().await;
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    assert!(is_held(&api.get("twin").await.unwrap().status.unwrap()));

    // It goes on by itself, and makes room again.
    patch(NAME, json!({ "suspend": true })).await;
    wait_for("in sync", |status| status.phase == Some(Phase::InSync)).await;
    patch(NAME, json!({ "suspend": false })).await;
    wait_for("held again", is_held).await;
    api.delete(NAME, &kube::api::DeleteParams::default())
        .await
        .unwrap();
    wait_for("in sync again", |status| status.phase == Some(Phase::InSync)).await;
}
