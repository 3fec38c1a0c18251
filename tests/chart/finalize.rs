//! Who may let an integration write: the policy of the chart, beside what the
//! table of roles shows.

use std::{collections::BTreeSet, path::Path};

use k8s_openapi::api::{admissionregistration::v1::ValidatingAdmissionPolicy, rbac::v1::Role};
use kube::{Api, api::PostParams, core::ObjectMeta};
use sandbox::control_plane::{ControlPlane, Options, client};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::{
    CHART, CRDS, eventually, plane, release,
    rights::{
        Action::{FinalizeIntegration, GetIntegration},
        Place, finalized, integration,
    },
};

const NAME: &str = "okta-insightful-operator";

/// A cluster of its own, since a policy counts in the whole cluster.
async fn cluster() -> (ControlPlane, Place, String) {
    let plane = ControlPlane::start(&Options::default()).await.unwrap();
    plane.install_crds(Path::new(CRDS)).await.unwrap();
    let namespace = plane.namespace("people").await.unwrap();
    let admin = Place::new(plane.admin_client().await.unwrap(), &namespace);
    admin.furnish().await;
    (plane, admin, namespace)
}

/// Somebody who may do this with integrations, and nothing else.
async fn somebody(plane: &ControlPlane, namespace: &str, name: &str, rules: Value) -> Place {
    let roles: Api<Role> = Api::namespaced(plane.admin_client().await.unwrap(), namespace);
    let role = serde_json::from_value(json!({ "metadata": { "name": name }, "rules": rules })).unwrap();
    roles.create(&PostParams::default(), &role).await.unwrap();
    let created = [
        "create",
        "rolebinding",
        name,
        "--role",
        name,
        "--user",
        name,
        "-n",
        namespace,
    ];
    plane.kubectl(&created).await.unwrap();
    let kubeconfig = plane.user_kubeconfig(name, &[]).unwrap();
    let somebody = Place::new(client(&kubeconfig).await.unwrap(), namespace);
    eventually(name, async || somebody.may(GetIntegration).await).await;
    somebody
}

fn rule(verbs: &[&str]) -> Value {
    json!({ "apiGroups": ["integrations.insightful.io"], "resources": ["oktaintegrations"], "verbs": verbs })
}

#[tokio::test]
async fn only_who_has_the_verb_lets_an_integration_write() {
    let (plane, admin, namespace) = cluster().await;
    let edit = ["get", "create", "update", "patch"];
    let git = somebody(&plane, &namespace, "git", json!([rule(&edit)])).await;
    let mut of_acme = rule(&["finalize"]);
    of_acme["resourceNames"] = json!(["acme"]);
    let lead = somebody(&plane, &namespace, "lead", json!([rule(&edit), of_acme])).await;

    // Without the policy, changing is finalizing.
    release(
        &plane,
        NAME,
        "default",
        &json!({ "finalizePolicy": { "enabled": false } }),
    )
    .await;
    assert!(git.may(FinalizeIntegration).await);
    admin.edit("acme", json!({ "finalized": false })).await.unwrap();

    release(&plane, NAME, "default", &json!({})).await;
    wait_for_policy(&git).await;
    let said = git
        .edit("acme", json!({ "finalized": true }))
        .await
        .unwrap_err()
        .to_string();
    for part in [
        r#"spec.finalized cannot be set to true without the verb "finalize" on oktaintegrations"#,
        "git does not have it",
        "Ask an admin of the integration to do it, or for the role okta-insightful-operator-admin there",
        &format!("kubectl auth can-i finalize oktaintegrations -n {namespace}"),
    ] {
        assert!(said.contains(part), "{part:?} in {said:?}");
    }
    let hash = format!("sha256:{}", "1".repeat(64));
    let said = git
        .edit("acme", json!({ "approvedPlan": hash }))
        .await
        .unwrap_err();
    assert!(
        said.to_string().contains("spec.approvedPlan cannot be set"),
        "{said}"
    );
    let said = git
        .edit("done", json!({ "approval": "EveryPlan" }))
        .await
        .unwrap_err();
    assert!(
        said.to_string()
            .contains("of a finalized integration cannot be changed"),
        "{said}"
    );

    // The verb counts by name: `acme` and not `done`, nor one that is to be made.
    lead.edit("acme", json!({ "finalized": true, "approvedPlan": hash }))
        .await
        .unwrap();
    lead.edit("done", json!({ "approvedPlan": hash }))
        .await
        .unwrap_err();
    lead.apply(&finalized("another")).await.unwrap_err();

    // A tool goes on applying what it applied, an approval that was given stays, and it can be taken back.
    git.edit("acme", json!({ "sync": { "interval": "30m" } }))
        .await
        .unwrap();
    git.apply(&integration("prepared")).await.unwrap();
    lead.edit("prepared", json!({ "finalized": true }))
        .await
        .unwrap_err();
    admin
        .edit("prepared", json!({ "finalized": true }))
        .await
        .unwrap();
    git.apply(&integration("prepared")).await.unwrap();
    assert!(
        admin.is_finalized("prepared").await,
        "the tool does not say, so it stays"
    );
    git.edit("acme", json!({ "approvedPlan": null })).await.unwrap();
    git.edit("acme", json!({ "finalized": false })).await.unwrap();
    // What was finalized once has to be finalized again, wherever it leads by then.
    git.edit("acme", json!({ "okta": { "orgUrl": "https://other.okta.com" } }))
        .await
        .unwrap();
    git.edit("acme", json!({ "finalized": true })).await.unwrap_err();
    plane.stop().await.unwrap();
}

/// The server learns of a policy a moment after it is made.
async fn wait_for_policy(git: &Place) {
    eventually("the policy", async || {
        git.edit("acme", json!({ "finalized": false })).await.unwrap();
        git.edit("acme", json!({ "finalized": true })).await.is_err()
    })
    .await;
}

/// The server reads the policy's expressions against the resource's own schema.
#[tokio::test]
async fn the_expressions_speak_of_fields_that_there_are() {
    let plane = plane().await;
    let home = plane.namespace("operator").await.unwrap();
    release(plane, "judged", &home, &json!({})).await;
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(plane.admin_client().await.unwrap());
    let name = "judged-okta-insightful-operator-finalize";
    let type_checked = async || {
        let status = policies.get(name).await.unwrap().status;
        status.and_then(|status| status.type_checking)
    };
    eventually("the type check", async || type_checked().await.is_some()).await;
    assert_eq!(type_checked().await.unwrap().expression_warnings, None);

    // The check does find what is wrong.
    let mut wrong = policies.get(name).await.unwrap();
    wrong.metadata = ObjectMeta {
        name: Some("wrong".to_owned()),
        ..ObjectMeta::default()
    };
    wrong.status = None;
    let text = serde_json::to_string(&wrong).unwrap().replace("orgUrl", "orgURL");
    let wrong: ValidatingAdmissionPolicy = serde_json::from_str(&text).unwrap();
    policies.create(&PostParams::default(), &wrong).await.unwrap();
    eventually("the warning", async || {
        let status = policies.get("wrong").await.unwrap().status;
        let warnings = status
            .and_then(|status| status.type_checking)
            .and_then(|checked| checked.expression_warnings);
        format!("{warnings:?}").contains("orgURL")
    })
    .await;
}

#[tokio::test]
async fn a_policy_of_some_namespaces_leaves_the_others_alone() {
    let (plane, _, namespace) = cluster().await;
    let other = plane.namespace("other").await.unwrap();
    Place::new(plane.admin_client().await.unwrap(), &other)
        .furnish()
        .await;
    let edit = json!([rule(&["get", "patch"])]);
    let served = somebody(&plane, &namespace, "served", edit.clone()).await;
    let free = somebody(&plane, &other, "free", edit).await;
    release(
        &plane,
        NAME,
        "default",
        &json!({ "watchNamespaces": [namespace] }),
    )
    .await;
    wait_for_policy(&served).await;
    free.edit("acme", json!({ "finalized": true })).await.unwrap();
    plane.stop().await.unwrap();
}

/// What somebody without the verb may change of an integration that is finalized: none of it makes the operator write
/// anything that was not finalized. All else is compared by the policy.
const FREE: [&str; 6] = [
    // Has rules of its own.
    "approvedPlan",
    "finalized",
    // Counts and the plan's hash go there, and no person.
    "notify",
    // How fast and how often is read.
    "okta.rateLimitPercent",
    "sync",
    // Going on is no more than was finalized.
    "suspend",
];

/// A field that is added to the spec is free by a decision, and not because nobody thought of it.
#[tokio::test]
async fn each_field_of_the_spec_is_protected_or_free_on_purpose() {
    let crds = std::fs::read_to_string(Path::new(CRDS).join("integrations.insightful.io.yaml")).unwrap();
    let definition = serde_yaml::Deserializer::from_str(&crds)
        .map(|document| Value::deserialize(document).unwrap())
        .find(|document| document["spec"]["names"]["kind"] == "OktaIntegration")
        .unwrap();
    let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let fields_of = |schema: &Value| -> Vec<String> {
        let fields = schema["properties"].as_object().unwrap().keys();
        fields.cloned().collect()
    };
    let mut fields: BTreeSet<String> = fields_of(spec).into_iter().collect();
    fields.remove("okta");
    let of_okta = fields_of(&spec["properties"]["okta"]);
    fields.extend(of_okta.into_iter().map(|field| format!("okta.{field}")));

    let template = std::fs::read_to_string(Path::new(CHART).join("templates/finalize-policy.yaml")).unwrap();
    let protected = template.split("object.spec.").filter_map(|rest| {
        let (field, other) = rest.split_once(" == ")?;
        let is_compared = other.is_empty() || other.starts_with("old");
        is_compared.then(|| field.to_owned())
    });
    let known: BTreeSet<String> = protected.chain(FREE.map(str::to_owned)).collect();
    assert_eq!(known, fields);
}
