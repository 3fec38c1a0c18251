//! Permissions of each role: each role tries each action.

use std::iter;

use comfy_table::{Table, presets};
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Secret, rbac::v1::ClusterRole};
use kube::{Api, api::PostParams};
use sandbox::control_plane::client;
use serde_json::json;

use crate::{
    CHART, REGISTRY, eventually, person, plane, release, release_as,
    rights::{
        Action::{self, *},
        Place,
    },
};

const Y: bool = true;
const N: bool = false;

/// `git` is the account of a GitOps tool, which may update integrations but not finalize them.
const ROLES: [&str; 6] = ["admin", "git", "reviewer", "viewer", "operator", "nobody"];

/// Whether each role may do it, in the order of ROLES.
const RIGHTS: [(Action, [bool; 6]); 43] = [
    (GetIntegration, [Y, Y, Y, Y, Y, N]),
    (ListIntegrations, [Y, Y, Y, Y, Y, N]),
    (CreateIntegration, [Y, Y, N, N, N, N]),
    (CreateFinalized, [Y, N, N, N, N, N]),
    (EditInterval, [Y, Y, N, N, N, N]),
    (RetargetOkta, [Y, Y, N, N, N, N]),
    (ApprovePlan, [Y, N, N, N, N, N]),
    (FinalizeIntegration, [Y, N, N, N, N, N]),
    (EditIntervalOfFinalized, [Y, Y, N, N, N, N]),
    (RetargetFinalizedOkta, [Y, N, N, N, N, N]),
    (RetargetFinalizedInsightful, [Y, N, N, N, N, N]),
    (RewireFinalizedSecret, [Y, N, N, N, N, N]),
    (WidenFinalizedGuard, [Y, N, N, N, N, N]),
    (WidenFinalizedScope, [Y, N, N, N, N, N]),
    (RetargetFinalizedGroups, [Y, N, N, N, N, N]),
    (DeactivateSuspendedOfFinalized, [Y, N, N, N, N, N]),
    (WidenFinalizedMatching, [Y, N, N, N, N, N]),
    (ReorderFinalizedTeams, [Y, N, N, N, N, N]),
    (KeepWhatFinalizedWrote, [Y, N, N, N, N, N]),
    (SuspendFinalized, [Y, Y, N, N, N, N]),
    (ResumeFinalized, [Y, Y, N, N, N, N]),
    (SlowFinalizedDown, [Y, Y, N, N, N, N]),
    (NotifyOfFinalized, [Y, Y, N, N, N, N]),
    (Unfinalize, [Y, Y, N, N, N, N]),
    (PatchIntegrationStatus, [N, N, N, N, Y, N]),
    (GetMatch, [Y, Y, Y, Y, Y, N]),
    (ListMatches, [Y, Y, Y, Y, Y, N]),
    (CreateMatch, [Y, Y, Y, N, Y, N]),
    (DecideMatch, [Y, Y, Y, N, Y, N]),
    (PatchMatchStatus, [N, N, N, N, Y, N]),
    (ListUnmatched, [Y, N, Y, Y, Y, N]),
    (CreateUnmatched, [N, N, N, N, Y, N]),
    (PatchUnmatchedStatus, [N, N, N, N, Y, N]),
    (DeleteUnmatched, [N, N, N, N, Y, N]),
    (GetSecret, [N, N, N, N, Y, N]),
    (ListSecrets, [N, N, N, N, N, N]),
    (CreateSecret, [N, N, N, N, N, N]),
    (CreateEvent, [N, N, N, N, Y, N]),
    (ListEvents, [Y, N, Y, Y, N, N]),
    (DeleteMatch, [Y, N, N, N, N, N]),
    (DeleteMatchInForce, [Y, N, N, N, N, N]),
    (DeleteIntegration, [Y, N, N, N, N, N]),
    (DeleteFinalized, [Y, N, N, N, N, N]),
];

#[tokio::test]
async fn each_role_has_exactly_its_permissions() {
    let plane = plane().await;
    let name = "okta-insightful-operator";
    let home = plane.namespace("operator").await.unwrap();
    release(plane, name, &home, &json!({})).await;

    let elsewhere = plane.namespace("elsewhere").await.unwrap();
    Place::new(plane.admin_client().await.unwrap(), &elsewhere)
        .furnish()
        .await;

    let git = git_role();
    let roles: Api<ClusterRole> = Api::all(plane.admin_client().await.unwrap());
    roles.create(&PostParams::default(), &git).await.unwrap();

    let mut wrong = Vec::new();
    let mut table = Table::new();
    table.set_header(iter::once("").chain(ROLES));
    let mut rows: Vec<Vec<String>> = RIGHTS
        .iter()
        .map(|(action, _)| vec![format!("{action:?}")])
        .collect();
    for (index, role) in ROLES.into_iter().enumerate() {
        let namespace = plane.namespace(role).await.unwrap();
        Place::new(plane.admin_client().await.unwrap(), &namespace)
            .furnish()
            .await;
        let client = match role {
            "operator" => client(&plane.service_account_kubeconfig(&home, name).await.unwrap())
                .await
                .unwrap(),
            "nobody" => person(plane, &namespace, "nobody", None).await,
            "git" => person(plane, &namespace, role, Some(role)).await,
            _ => person(plane, &namespace, role, Some(&format!("{name}-{role}"))).await,
        };
        let place = Place::new(client.clone(), &namespace);
        if role != "nobody" {
            eventually(role, async || place.may(GetIntegration).await).await;
        }
        for ((action, rights), row) in RIGHTS.into_iter().zip(&mut rows) {
            let may = place.may(action).await;
            row.push(if may { "allowed" } else { "refused" }.to_owned());
            if may != rights[index] {
                wrong.push(format!(
                    "{role}: {action:?} is {}",
                    if may { "allowed" } else { "forbidden" }
                ));
            }
        }
        // A person's role is limited to the namespace; the operator watches all.
        let may = Place::new(client, &elsewhere).may(GetMatch).await;
        if may != (role == "operator") {
            wrong.push(format!("{role}: GetMatch in another namespace is {may}"));
        }
    }
    // Visible with --nocapture.
    println!("{}", table.load_style(presets::ASCII_MARKDOWN).add_rows(rows));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The permissions of a GitOps tool that applies integrations and decisions.
fn git_role() -> ClusterRole {
    let verbs = ["get", "list", "watch", "create", "update", "patch"];
    let resources = ["oktaintegrations", "employeematches"];
    let rule = json!({ "apiGroups": ["integrations.insightful.io"], "resources": resources, "verbs": verbs });
    serde_json::from_value(json!({ "metadata": { "name": "git" }, "rules": [rule] })).unwrap()
}

#[tokio::test]
async fn the_operator_can_be_restricted_to_namespaces_and_secrets() {
    let plane = plane().await;
    let home = plane.namespace("operator").await.unwrap();
    let admin = plane.admin_client().await.unwrap();
    let [served, other] = [
        plane.namespace("served").await.unwrap(),
        plane.namespace("other").await.unwrap(),
    ];
    for namespace in [&served, &other] {
        Place::new(admin.clone(), namespace).furnish().await;
    }
    let foreign: Secret = serde_json::from_value(json!({ "metadata": { "name": "foreign" } })).unwrap();
    Api::namespaced(admin, &served)
        .create(&PostParams::default(), &foreign)
        .await
        .unwrap();
    let values = json!({ "watchNamespaces": [served], "rbac": { "secretNames": ["okta", "insightful"] } });
    release(plane, "narrowed", &home, &values).await;

    let account = "narrowed-okta-insightful-operator";
    let operator = client(&plane.service_account_kubeconfig(&home, account).await.unwrap())
        .await
        .unwrap();
    let place = Place::new(operator.clone(), &served);
    eventually("the binding", async || place.may(GetIntegration).await).await;
    assert!(place.may(GetSecret).await);
    assert!(place.may(PatchMatchStatus).await);
    let secrets: Api<Secret> = Api::namespaced(operator.clone(), &served);
    let refused = secrets.get("foreign").await.unwrap_err().to_string();
    assert!(refused.contains(r#"cannot get resource "secrets""#), "{refused}");

    let place = Place::new(operator, &other);
    for action in [
        GetIntegration,
        ListMatches,
        PatchMatchStatus,
        GetSecret,
        CreateEvent,
    ] {
        assert!(!place.may(action).await, "{action:?}");
    }
}

/// An admin of the namespace installs, and somebody with more permissions runs the command of install.md.
#[tokio::test]
async fn somebody_else_can_create_the_roles() {
    let plane = plane().await;
    let home = plane.namespace("operator").await.unwrap();
    let served = plane.namespace("served").await.unwrap();
    let admin = Place::new(plane.admin_client().await.unwrap(), &served);
    admin.furnish().await;
    for namespace in [&home, &served] {
        person(plane, namespace, "owner", Some("admin")).await;
    }
    let owner = plane.user_kubeconfig("owner", &[]).unwrap();
    let mut values = json!({
        "watchNamespaces": [served], "rbac": { "peopleRoles": false }, "finalizePolicy": { "enabled": false },
    });
    // The API server does not let users grant permissions that they lack.
    let refused = release_as(plane, &owner, "given", &home, &values).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("attempting to grant RBAC permissions not currently held"),
        "{refused}"
    );
    values["rbac"]["create"] = false.into();
    release_as(plane, &owner, "given", &home, &values).await.unwrap();

    let account = "given-okta-insightful-operator";
    let operator = client(&plane.service_account_kubeconfig(&home, account).await.unwrap())
        .await
        .unwrap();
    let place = Place::new(operator.clone(), &served);
    assert!(!place.may(GetIntegration).await);
    let watched = format!("--set=watchNamespaces={{{served}}}");
    let rights = [
        "template",
        "given",
        CHART,
        "--namespace",
        &home,
        REGISTRY,
        &watched,
        "--show-only=templates/rights-operator.yaml",
        "--show-only=templates/role-lease.yaml",
    ];
    plane.apply(&plane.helm(&rights).await.unwrap()).await.unwrap();
    eventually("the binding", async || place.may(GetIntegration).await).await;
    let leases: Api<Lease> = Api::namespaced(operator, &home);
    let lease = serde_json::from_value(json!({ "metadata": { "name": account } })).unwrap();
    eventually("the Lease", async || {
        leases.create(&PostParams::default(), &lease).await.is_ok()
    })
    .await;
}
