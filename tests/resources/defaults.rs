//! The defaults that the API server fills in.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use okta_insightful_operator::api::OktaIntegration;
use serde_json::{Value, json};

use crate::{
    manifests::{employee_match, integration, with},
    plane,
};

/// The spec that the server returns for a manifest. It is not parsed into the types, whose own defaults would hide
/// those that the server lacks.
async fn spec_with_defaults(manifest: Value) -> Value {
    let plane = plane().await;
    let namespace = plane.namespace("defaults").await.unwrap();
    let kind = manifest["kind"].as_str().unwrap();
    let name = manifest["metadata"]["name"].as_str().unwrap();
    let plural = if kind == "OktaIntegration" {
        "oktaintegrations"
    } else {
        "employeematches"
    };
    let kind = GroupVersionKind::gvk("integrations.insightful.io", "v1alpha1", kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    let client = plane.admin_client().await.unwrap();
    let api: Api<DynamicObject> = Api::namespaced_with(client, &namespace, &resource);
    let object = api
        .patch(name, &PatchParams::apply("admin"), &Patch::Apply(&manifest))
        .await
        .unwrap();
    object.data["spec"].clone()
}

fn defaulted_integration() -> Value {
    json!({
        "okta": {
            "orgUrl": "https://acme.okta.com",
            "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            "groupPrefix": "OKTA_INSGRP_",
            "people": "TeamMembers",
            "suspended": "Keep",
            "exclude": [],
            "rateLimitPercent": 50,
        },
        "insightful": {
            "url": "https://app.insightful.io/api/v1",
            "apiToken": { "secretRef": { "name": "insightful", "key": "token" } },
            "newEmployees": {},
        },
        "teams": { "createMissing": true, "precedence": [] },
        "matching": { "automatic": true, "unmatched": "Review" },
        "sync": { "interval": "15m", "fullInterval": "24h" },
        "approval": "Guarded",
        "guard": {
            "maxDeactivations": "5%",
            "maxTeamMoves": "20%",
            "maxEmailChanges": "5%",
            "maxRelinks": "5%",
            "maxNameChanges": "5%",
            "maxTitleChanges": "20%",
            "maxInvitations": "5%",
            "maxNewTeams": 5,
        },
        "onUnmatch": "Restore",
        "finalized": false,
        "suspend": false,
    })
}

#[tokio::test]
async fn a_minimal_integration_gets_every_default() {
    assert_eq!(spec_with_defaults(integration()).await, defaulted_integration());
}

#[tokio::test]
async fn a_partly_specified_section_gets_its_other_defaults() {
    let parts = ["teams", "matching", "sync", "guard"];
    let empty = parts
        .iter()
        .fold(integration(), |manifest, part| with(manifest, part, json!({})));
    assert_eq!(spec_with_defaults(empty).await, defaulted_integration());

    let hourly = with(integration(), "sync", json!({ "interval": "1h" }));
    assert_eq!(
        spec_with_defaults(hourly).await["sync"],
        json!({ "interval": "1h", "fullInterval": "24h" })
    );
}

#[tokio::test]
async fn the_default_decision_is_auto() {
    let spec = spec_with_defaults(employee_match()).await;
    assert_eq!(
        spec,
        json!({ "integrationRef": { "name": "acme" }, "oktaUserId": "00u1A", "decision": "Auto" })
    );
}

/// For recordings, which no API server has filled in.
#[tokio::test]
async fn the_types_have_the_same_defaults_as_the_server() {
    let by_types: OktaIntegration = serde_json::from_value(integration()).unwrap();
    let by_server: OktaIntegration = serde_json::from_value(with_spec(defaulted_integration())).unwrap();
    assert_eq!(by_types.spec, by_server.spec);
}

fn with_spec(spec: Value) -> Value {
    let mut manifest = integration();
    manifest["spec"] = spec;
    manifest
}
