//! The chart's policy on who may finalize, beyond the table of roles.

use std::{collections::BTreeSet, path::Path};

use k8s_openapi::api::{admissionregistration::v1::ValidatingAdmissionPolicy, rbac::v1::Role};
use kube::{Api, api::PostParams, core::ObjectMeta};
use sandbox::control_plane::{ControlPlane, Options, client};
use serde_json::{Value, json};

use crate::{
    CHART, CRDS, eventually, plane, release,
    rights::{
        Action::{FinalizeIntegration, GetIntegration},
        Place, finalized, integration,
    },
};

const NAME: &str = "okta-insightful-operator";

/// A separate cluster, because policies are cluster-wide.
async fn cluster() -> (ControlPlane, Place, String) {
    let plane = ControlPlane::start(&Options::default()).await.unwrap();
    plane.install_crds(Path::new(CRDS)).await.unwrap();
    let namespace = plane.namespace("people").await.unwrap();
    let admin = Place::new(plane.admin_client().await.unwrap(), &namespace);
    admin.furnish().await;
    (plane, admin, namespace)
}

/// Returns a user with exactly these rules.
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
async fn finalizing_takes_the_verb() {
    let (plane, admin, namespace) = cluster().await;
    let edit = ["get", "create", "update", "patch"];
    let git = somebody(&plane, &namespace, "git", json!([rule(&edit)])).await;
    let mut of_acme = rule(&["finalize"]);
    of_acme["resourceNames"] = json!(["acme"]);
    let lead = somebody(&plane, &namespace, "lead", json!([rule(&edit), of_acme])).await;

    // Without the policy, the permission to update includes finalizing.
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
    let error = git
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
        assert!(error.contains(part), "{part:?} in {error:?}");
    }
    let hash = format!("sha256:{}", "1".repeat(64));
    let error = git
        .edit("acme", json!({ "approvedPlan": hash }))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("spec.approvedPlan cannot be set"),
        "{error}"
    );
    let error = git
        .edit("done", json!({ "approval": "EveryPlan" }))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("of a finalized integration cannot be changed"),
        "{error}"
    );

    // The verb for `acme` neither covers `done` nor a new integration.
    lead.edit("acme", json!({ "finalized": true, "approvedPlan": hash }))
        .await
        .unwrap();
    lead.edit("done", json!({ "approvedPlan": hash }))
        .await
        .unwrap_err();
    lead.apply(&finalized("another")).await.unwrap_err();

    // A tool can still apply its manifests, which keeps an approval, and can remove it.
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
        "the manifest does not set the field"
    );
    git.edit("acme", json!({ "approvedPlan": null })).await.unwrap();
    git.edit("acme", json!({ "finalized": false })).await.unwrap();
    // An integration that is no longer finalized can be changed, but not finalized.
    git.edit("acme", json!({ "okta": { "orgUrl": "https://other.okta.com" } }))
        .await
        .unwrap();
    git.edit("acme", json!({ "finalized": true })).await.unwrap_err();
    plane.stop().await.unwrap();
}

#[tokio::test]
async fn deleting_takes_the_verb_except_for_the_cluster() {
    let (plane, admin, namespace) = cluster().await;
    release(&plane, NAME, "default", &json!({})).await;
    let verbs = ["get", "list", "update", "patch", "delete", "deletecollection"];
    let mut all = rule(&verbs);
    all["resources"] = json!(["oktaintegrations", "employeematches"]);
    let git = somebody(&plane, &namespace, "git", json!([all])).await;
    wait_for_policy(&git).await;
    let mut of_acme = rule(&["finalize"]);
    of_acme["resourceNames"] = json!(["acme"]);
    let lead = somebody(&plane, &namespace, "lead", json!([all, of_acme])).await;

    let refused = |result: Result<(), kube::Error>| result.unwrap_err().to_string();
    let error = refused(git.delete_integration("done").await);
    assert!(
        error.contains("a finalized integration cannot be deleted without the verb"),
        "{error}"
    );
    let error = refused(git.delete_match("acme-3").await);
    for part in [
        r#"a match in force cannot be deleted without the verb "finalize" on oktaintegrations "acme""#,
        "set spec.decision to Ignore",
    ] {
        assert!(error.contains(part), "{part:?} in {error:?}");
    }
    refused(git.delete_all_matches().await);
    refused(lead.delete_integration("done").await);
    // What belongs to a deleted integration or namespace is deleted by the cluster's controllers.
    for (user, may) in [
        (
            "system:serviceaccount:kube-system:generic-garbage-collector",
            true,
        ),
        ("system:serviceaccount:kube-system:namespace-controller", true),
        ("system:kube-controller-manager", true),
        ("system:serviceaccount:kube-system:other", false),
    ] {
        let deleter = somebody(&plane, &namespace, user, json!([all])).await;
        for name in ["acme-5", "acme-6"] {
            admin.create_in_force(name).await;
        }
        let deleted = [
            deleter.delete_match("acme-5").await,
            deleter.delete_all_matches().await,
        ];
        assert_eq!(
            deleted.each_ref().map(Result::is_ok),
            [may; 2],
            "{user}: {deleted:?}"
        );
        admin.delete_all_matches().await.unwrap();
    }

    // A match that nothing was written for, and an integration that may not write, hold nothing that is lost.
    admin.create_in_force("acme-7").await;
    refused(git.delete_match("acme-7").await);
    lead.delete_match("acme-7").await.unwrap();
    git.delete_all_matches().await.unwrap();
    git.delete_integration("acme").await.unwrap();
    plane.stop().await.unwrap();
}

/// Waits until the server enforces the policy.
async fn wait_for_policy(git: &Place) {
    eventually("the policy", async || {
        git.edit("acme", json!({ "finalized": false })).await.unwrap();
        git.edit("acme", json!({ "finalized": true })).await.is_err()
    })
    .await;
}

/// The server type-checks the expressions against the schema of the resource.
#[tokio::test]
async fn the_expressions_type_check() {
    let plane = plane().await;
    let home = plane.namespace("operator").await.unwrap();
    release(plane, "judged", &home, &json!({})).await;
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(plane.admin_client().await.unwrap());
    let name = "judged-okta-insightful-operator-finalize";
    for name in [name, "judged-okta-insightful-operator-finalize-matches"] {
        let type_checked = async || {
            let status = policies.get(name).await.unwrap().status;
            status.and_then(|status| status.type_checking)
        };
        eventually("the type check", async || type_checked().await.is_some()).await;
        assert_eq!(type_checked().await.unwrap().expression_warnings, None, "{name}");
    }

    // A wrong field does not pass.
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
async fn the_policy_applies_only_to_watched_namespaces() {
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

/// Fields of a finalized integration that can be changed without the verb, because none of them affects what is written.
/// The policy compares all others.
const FREE: [&str; 6] = [
    // Separate rules.
    "approvedPlan",
    "finalized",
    // Messages contain counts and the hash of the plan, but no person.
    "notify",
    // Rate of reading.
    "okta.rateLimitPercent",
    "sync",
    // Resuming writes nothing that was not finalized.
    "suspend",
];

/// A new field has to be added to the policy or to FREE.
#[tokio::test]
async fn each_field_of_the_spec_is_protected_or_listed_as_free() {
    let crds = std::fs::read_to_string(Path::new(CRDS).join("integrations.insightful.io.yaml")).unwrap();
    let definition = serde_yaml::from_multiple::<Value>(&crds)
        .unwrap()
        .into_iter()
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
