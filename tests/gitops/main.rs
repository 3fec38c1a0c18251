//! How GitOps tools interpret each state of the resources: kstatus, Flux with the
//! expressions of `examples/flux`, and Argo CD with the scripts of
//! `examples/argocd`, each with that tool's own code.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod argo_cd;
mod company;
mod flux;

use std::{collections::BTreeMap, fs, path::Path};

use comfy_table::{Table, presets};
use okta_insightful_operator::{
    api::{OktaIntegrationStatus, conditions},
    rules::{
        guard::{Breach, Ruling},
        status::{Cycle, Disconnected, IntegrationMeta, integration_status},
    },
};
use sandbox::{
    control_plane::ControlPlane,
    gitops::{Question, Verdict, judge},
};
use serde_json::{Value, json};

use company::{Company, GENERATION, NOW};

fn example(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)).unwrap()
}

/// What kustomize makes of `kustomization.yaml`; kubectl contains kustomize.
async fn kustomized() -> String {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    ControlPlane::shared()
        .kubectl(&["kustomize", examples])
        .await
        .unwrap()
}

fn scripts() -> BTreeMap<String, String> {
    let map: Value = serde_yaml::from_str(&example("argocd/argocd-cm.yaml")).unwrap();
    let entries = map["data"].as_object().unwrap().iter();
    entries
        .map(|(key, script)| {
            let kind = key
                .strip_prefix("resource.customizations.health.integrations.insightful.io_")
                .unwrap();
            (kind.to_owned(), script.as_str().unwrap().to_owned())
        })
        .collect()
}

fn integration(spec: &impl serde::Serialize, status: &impl serde::Serialize) -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme", "namespace": "people", "generation": GENERATION },
        "spec": spec, "status": status,
    })
}

/// Returns the integration after a cycle with this outcome.
fn after(company: &Company, previous: &OktaIntegrationStatus, cycle: &Cycle<'_>) -> Value {
    let meta = IntegrationMeta {
        namespace: "people",
        name: "acme",
        generation: Some(GENERATION),
        sync_request: None,
    };
    let mut spec = company.spec.clone();
    spec.suspend = matches!(cycle, Cycle::Suspended);
    let status = integration_status(previous, &spec, meta, cycle, NOW);
    integration(&spec, &status)
}

fn broken(needs_action: bool) -> Disconnected {
    Disconnected {
        condition: conditions::OKTA_CONNECTED,
        reason: if needs_action {
            "TokenRefused"
        } else {
            "Unreachable"
        }
        .into(),
        message: "what happened, and what to do".into(),
        needs_action,
    }
}

/// Each state of an integration, with the expected results of kstatus, Flux and Argo CD.
fn integrations() -> Vec<(&'static str, Value, [&'static str; 3])> {
    let unseen = OktaIntegrationStatus::default();
    let in_sync = Company::new("Jane Doe", true);
    let in_review = Company::new("J. Doe", false);
    let renamed = Company::new("J. Doe", true);
    let mut held = Company::new("J. Doe", true);
    held.verdict.breaches = vec![Breach::EveryPlan];
    held.verdict.ruling = Ruling::Held;
    let mut would_be_held = Company::new("J. Doe", false);
    would_be_held.verdict.breaches = vec![Breach::EveryPlan];
    let refused = Company::new("J. Doe", true).refused();
    let (failing, stalled) = (broken(false), broken(true));
    let unusable = Cycle::Unusable {
        reason: "SecretNotFound".into(),
        message: "there is no Secret".into(),
    };
    let known = |company: &Company| after(company, &unseen, &Cycle::Synced(company.synced(None)));

    let mut under_way = known(&renamed);
    under_way["status"]["conditions"]
        .as_array_mut()
        .unwrap()
        .retain(|condition| condition["type"] != "Reconciling");
    let mut first_read = integration(&in_review.spec, &json!({}));
    for object in [&mut under_way, &mut first_read] {
        // The controller's progress reporter adds this during long work.
        let conditions = &mut object["status"]["conditions"];
        let mut list = conditions.as_array().cloned().unwrap_or_default();
        list.push(
            json!({ "type": "Reconciling", "status": "True", "reason": "Syncing",
            "message": "see status.progress", "observedGeneration": GENERATION,
            "lastTransitionTime": "1970-01-01T00:00:00Z" }),
        );
        *conditions = list.into();
    }
    let mut edited = known(&in_sync);
    edited["metadata"]["generation"] = (GENERATION + 1).into();
    let mut edited_while_stalled = after(&in_sync, &unseen, &Cycle::ReadFailed(stalled.clone()));
    edited_while_stalled["metadata"]["generation"] = (GENERATION + 1).into();
    let mut deleted = known(&in_sync);
    deleted["metadata"]["deletionTimestamp"] = "2026-01-31T09:00:00Z".into();
    let mut not_seen = integration(&in_review.spec, &json!({}));
    not_seen.as_object_mut().unwrap().remove("status");

    vec![
        // Without a status, kstatus considers an object ready; the expressions and the script do not.
        (
            "applied, not seen",
            not_seen,
            ["Current", "Unknown", "Progressing"],
        ),
        (
            "first read under way",
            first_read,
            ["InProgress", "InProgress", "Progressing"],
        ),
        ("in review", known(&in_review), ["Current", "Current", "Healthy"]),
        (
            "would be held",
            known(&would_be_held),
            ["Current", "Current", "Healthy"],
        ),
        ("in sync", known(&in_sync), ["Current", "Current", "Healthy"]),
        (
            "changes pending",
            known(&renamed),
            ["InProgress", "InProgress", "Progressing"],
        ),
        (
            "being written",
            under_way,
            ["InProgress", "InProgress", "Progressing"],
        ),
        (
            "held",
            after(&held, &unseen, &Cycle::Synced(held.synced(None))),
            ["InProgress", "InProgress", "Suspended"],
        ),
        (
            "changes refused",
            known(&refused),
            ["InProgress", "InProgress", "Degraded"],
        ),
        (
            "suspended",
            after(&in_sync, &unseen, &Cycle::Suspended),
            ["Current", "Current", "Suspended"],
        ),
        (
            "unusable",
            after(&in_sync, &unseen, &unusable),
            ["Failed", "Failed", "Degraded"],
        ),
        (
            "unreachable",
            after(&in_sync, &unseen, &Cycle::ReadFailed(failing.clone())),
            ["InProgress", "InProgress", "Progressing"],
        ),
        (
            "token refused",
            after(&in_sync, &unseen, &Cycle::ReadFailed(stalled.clone())),
            ["Failed", "Failed", "Degraded"],
        ),
        (
            "aborted, retrying",
            after(&renamed, &unseen, &Cycle::Synced(renamed.synced(Some(&failing)))),
            ["InProgress", "InProgress", "Progressing"],
        ),
        (
            "aborted, stalled",
            after(&renamed, &unseen, &Cycle::Synced(renamed.synced(Some(&stalled)))),
            ["Failed", "Failed", "Degraded"],
        ),
        ("edited", edited, ["InProgress", "InProgress", "Progressing"]),
        (
            "edited while stalled",
            edited_while_stalled,
            ["InProgress", "InProgress", "Progressing"],
        ),
        // Argo CD does not run the script for objects that are being deleted.
        ("being deleted", deleted, ["Terminating", "Current", "Healthy"]),
    ]
}

fn matches() -> Vec<(&'static str, Value, [&'static str; 3])> {
    let object = |company: &Company| {
        json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
            "metadata": { "name": "acme-jane", "namespace": "people", "generation": GENERATION },
            "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "jane" },
            "status": company.status_of_jane(),
        })
    };
    let in_sync = object(&Company::new("Jane Doe", true));
    let mut unseen = in_sync.clone();
    unseen.as_object_mut().unwrap().remove("status");
    let mut decided = in_sync.clone();
    decided["metadata"]["generation"] = (GENERATION + 1).into();
    let mut unclear = in_sync.clone();
    unclear["status"]["conditions"][0]["status"] = "False".into();
    unclear["status"]["conditions"][0]["reason"] = "CreationUnclear".into();
    vec![
        ("match, not seen", unseen, ["Current", "Unknown", "Progressing"]),
        ("match in sync", in_sync, ["Current", "Current", "Healthy"]),
        (
            "match, new decision",
            decided,
            ["InProgress", "InProgress", "Progressing"],
        ),
        (
            "match, changes planned",
            object(&Company::new("J. Doe", true)),
            ["Current", "Current", "Healthy"],
        ),
        (
            "match, write refused",
            object(&Company::new("J. Doe", true).refused()),
            ["InProgress", "Current", "Degraded"],
        ),
        (
            "match, creation unclear",
            unclear,
            ["InProgress", "Current", "Progressing"],
        ),
    ]
}

#[tokio::test]
async fn gitops_tools_interpret_each_state_as_expected() {
    let states = [integrations(), matches()].concat();
    let question = Question {
        scripts: scripts(),
        kustomization: example("flux/people.yaml"),
        objects: states.iter().map(|(_, object, _)| object.clone()).collect(),
        flux_manifests: vec![],
    };
    let verdicts = judge(&question).await.unwrap().verdicts;
    assert_eq!(verdicts.len(), states.len());
    let mut table = Table::new();
    table.set_header(["state", "kstatus", "Flux", "Argo CD", "message"]);
    let mut wrong = Vec::new();
    for ((state, object, expected), verdict) in states.iter().zip(&verdicts) {
        let Verdict {
            kstatus,
            flux,
            argo,
            message,
        } = verdict;
        let is = [kstatus.as_str(), flux, argo];
        table.add_row([*state, is[0], is[1], is[2], message]);
        if is != *expected {
            wrong.push(format!("{state}: {is:?} instead of {expected:?}"));
        }
        assert!(!message.is_empty(), "{state}: Argo CD shows no message");
        assert_contract(state, object);
    }
    // Visible with --nocapture.
    println!("{}", table.load_style(presets::ASCII_MARKDOWN));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Asserts kstatus' requirements for controllers: at most one of Ready, Reconciling
/// and Stalled is true, and every condition has the observed generation.
fn assert_contract(state: &str, object: &Value) {
    let list = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let is = |type_: &str| {
        list.iter()
            .any(|condition| condition["type"] == type_ && condition["status"] == "True")
    };
    let active = usize::from(is("Reconciling")) + usize::from(is("Stalled")) + usize::from(is("Ready"));
    assert!(active <= 1, "{state}: {list:#?}");
    for condition in &list {
        assert_eq!(condition["observedGeneration"], GENERATION, "{state}");
        assert!(
            condition["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty()),
            "{state}"
        );
    }
}
