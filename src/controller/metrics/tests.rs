use std::collections::BTreeMap;

use kube::runtime::{
    reflector::{self, store::Writer},
    watcher::Event,
};
use tokio::time::Instant;

use super::*;
use crate::http::{Budget, CallObserver, CallOutcome, Operation, Service, WaitCause};

fn integration(name: &str, status: serde_json::Value) -> OktaIntegration {
    let object = serde_json::json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "OktaIntegration",
        "metadata": { "name": name, "namespace": "people", "creationTimestamp": "1970-01-01T00:01:00Z" },
        "spec": {
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
            "finalized": true,
        },
        "status": status,
    });
    serde_json::from_value(object).unwrap()
}

fn readable(object: &OktaIntegration) -> WatchedIntegration {
    WatchedIntegration::Readable(Arc::new(object.clone()))
}

fn watched(objects: &[OktaIntegration]) -> (Arc<Metrics>, Writer<WatchedIntegration>) {
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&Event::Init);
    for object in objects {
        writer.apply_watcher_event(&Event::InitApply(readable(object)));
    }
    writer.apply_watcher_event(&Event::InitDone);
    (Metrics::new(vec![store], Liveness::new()), writer)
}

fn text(metrics: &Metrics) -> String {
    metrics.text(true, false).unwrap()
}

/// The value of the one series with this text.
#[track_caller]
fn value(text: &str, series: &str) -> String {
    let found: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
        .collect();
    let [value] = found[..] else {
        panic!("{series}: {found:?} in\n{text}");
    };
    value.to_owned()
}

#[test]
fn an_integrations_metrics_follow_its_status_and_disappear_with_it() {
    let acme = integration(
        "acme",
        serde_json::json!({
            "phase": "Held",
            "conditions": [
                { "type": "Held", "status": "True", "reason": "TooManyDeactivations", "message": "Jane Doe and 3 more",
                  "lastTransitionTime": "1970-01-01T00:00:00Z" },
                { "type": "OktaConnected", "status": "False", "reason": "TokenRefused", "message": "",
                  "lastTransitionTime": "1970-01-01T00:00:00Z" },
            ],
            "people": { "total": 15, "matched": 1, "review": 2, "unmatched": 3, "ignored": 4, "conflicts": 5,
                        "outOfScope": 0, "blocked": 6 },
            "plan": { "hash": "sha256:0", "total": 28, "createTeams": 1, "createEmployees": 2, "updates": 3,
                      "teamMoves": 4, "emailChanges": 5, "deactivations": 6, "relinks": 7, "restores": 8 },
            "teams": [
                { "name": "Sales", "groupId": "g", "state": "New", "members": 1 },
                { "name": "Support", "groupId": "h", "teamId": "t", "state": "Created", "members": 0, "groupMissing": true },
            ],
            "lastSyncTime": "1970-01-01T00:10:00Z",
        }),
    );
    let (metrics, mut writer) = watched(&[acme.clone(), integration("fresh", serde_json::json!({}))]);
    let shown = text(&metrics);
    for (series, expected) in [
        (
            r#"people{namespace="people",integration="acme",state="unmatched"}"#,
            "3.0",
        ),
        (r#"people_blocked{namespace="people",integration="acme"}"#, "6.0"),
        (r#"review_waiting{namespace="people",integration="acme"}"#, "10.0"),
        (
            r#"planned_changes{namespace="people",integration="acme",kind="unmatch"}"#,
            "7.0",
        ),
        (r#"plan_held{namespace="people",integration="acme"}"#, "1.0"),
        (r#"plan_held{namespace="people",integration="fresh"}"#, "0.0"),
        (
            r#"teams{namespace="people",integration="acme",state="new"}"#,
            "1.0",
        ),
        (
            r#"teams{namespace="people",integration="acme",state="created"}"#,
            "0.0",
        ),
        (
            r#"teams{namespace="people",integration="acme",state="group_missing"}"#,
            "1.0",
        ),
        (
            r#"condition{namespace="people",integration="acme",type="OktaConnected",reason="TokenRefused"}"#,
            "0.0",
        ),
        (
            r#"phase{namespace="people",integration="acme",phase="held"}"#,
            "1.0",
        ),
        (
            r#"phase{namespace="people",integration="fresh",phase="pending"}"#,
            "1.0",
        ),
        (r#"finalized{namespace="people",integration="acme"}"#, "1.0"),
        (r#"suspended{namespace="people",integration="acme"}"#, "0.0"),
        (
            r#"sync_interval_seconds{namespace="people",integration="acme"}"#,
            "900.0",
        ),
        (
            r#"created_timestamp_seconds{namespace="people",integration="acme"}"#,
            "60.0",
        ),
        (
            r#"last_sync_timestamp_seconds{namespace="people",integration="acme"}"#,
            "600.0",
        ),
    ] {
        assert_eq!(
            value(&shown, &format!("okta_insightful_integration_{series}")),
            expected
        );
    }
    assert!(!shown.contains("Jane"), "{shown}");
    assert!(!shown.contains(r#"last_sync_timestamp_seconds{namespace="people",integration="fresh""#));

    writer.apply_watcher_event(&Event::Delete(readable(&acme)));
    let shown = text(&metrics);
    assert!(!shown.contains("acme") && shown.contains("fresh"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_shown_until_its_window_ends_or_its_integration_is_deleted() {
    let acme = integration("acme", serde_json::json!({}));
    let (metrics, mut writer) = watched(std::slice::from_ref(&acme));
    let calls = metrics.call_observer(&acme);
    let budget = |seconds| Budget {
        bucket: "users",
        limit: 600,
        remaining: 40,
        share: 300,
        used: 17,
        ends: Instant::now() + Duration::from_secs(seconds),
    };
    let labels = r#"{namespace="people",integration="acme",bucket="users"}"#;
    calls.budget(budget(60));
    let shown = text(&metrics);
    for (name, expected) in [
        ("", "600"),
        ("_remaining", "40"),
        ("_share", "300"),
        ("_used", "17"),
    ] {
        let series = format!("okta_insightful_okta_rate_limit{name}_calls{labels}");
        assert_eq!(value(&shown, &series), expected);
    }
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(!text(&metrics).contains(labels), "the window has ended");
    calls.budget(budget(60));
    assert!(text(&metrics).contains(labels));
    writer.apply_watcher_event(&Event::Delete(readable(&acme)));
    assert!(!text(&metrics).contains(labels));
    writer.apply_watcher_event(&Event::Apply(readable(&acme)));
    assert!(
        !text(&metrics).contains(labels),
        "a new integration of the same name starts without rate limits"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_syncs_and_reconciles_are_counted() {
    let acme = integration("acme", serde_json::json!({}));
    let (metrics, _writer) = watched(std::slice::from_ref(&acme));
    let calls = metrics.call_observer(&acme);
    let second = Duration::from_secs(1);
    calls.call(Operation::ListUsers, CallOutcome::Answered, Some(200), second);
    calls.call(
        Operation::UpdateEmployee,
        CallOutcome::Answered,
        Some(200),
        second,
    );
    calls.call(Operation::UpdateEmployee, CallOutcome::Refused, Some(422), second);
    calls.call(
        Operation::UpdateEmployee,
        CallOutcome::RateLimited,
        Some(429),
        second,
    );
    calls.waiting(Service::Insightful, WaitCause::RateLimited, second * 2);
    metrics.record_sync(SyncKind::Full, false, second);
    metrics.record_decision();
    metrics.observe_step(CycleStep::Assess, second);
    metrics.record_apply(true);
    metrics.reconcile_started();
    metrics.reconcile_started();
    let _waiting = [metrics.waiting(), metrics.waiting()];
    drop(metrics.waiting());
    metrics.reconcile_finished(ReconcileResult::Failed, second);
    let shown = text(&metrics);
    for (series, expected) in [
        (
            r#"service_calls_total{service="insightful",operation="update_employee",outcome="rate_limited",status="429"}"#,
            "1",
        ),
        (
            r#"service_call_duration_seconds_count{service="okta",operation="list_users"}"#,
            "1",
        ),
        (
            r#"service_waits_seconds_total{service="insightful",cause="rate_limited"}"#,
            "2.0",
        ),
        (r#"changes_total{kind="update_employee",result="applied"}"#, "1"),
        (r#"changes_total{kind="update_employee",result="failed"}"#, "1"),
        (r#"changes_total{kind="create_team",result="failed"}"#, "0"),
        (r#"syncs_total{kind="full",result="failed"}"#, "1"),
        (r#"syncs_total{kind="full",result="complete"}"#, "0"),
        (r#"syncs_total{kind="decision",result="complete"}"#, "1"),
        (r#"step_duration_seconds_count{step="assess"}"#, "1"),
        (r#"applies_total{result="complete"}"#, "1"),
        (r#"reconciles_total{result="failed"}"#, "1"),
        ("reconciles_in_flight", "1"),
        ("integrations_waiting", "2"),
        ("leader", "1"),
        ("ready", "0"),
    ] {
        assert_eq!(value(&shown, &format!("okta_insightful_{series}")), expected);
    }
    assert!(calls.last_response(Service::Okta, Instant::now()).is_some());
    assert!(
        calls
            .last_response(Service::Okta, Instant::now() + second)
            .is_none()
    );
}

#[test]
fn every_metric_has_help_and_a_type_and_a_unique_name() {
    let (metrics, _writer) = watched(&[integration("acme", serde_json::json!({}))]);
    let shown = text(&metrics);
    let mut types = BTreeMap::new();
    let mut helped = Vec::new();
    for line in shown.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, type_) = rest.split_once(' ').unwrap();
            assert_eq!(types.insert(name, type_), None, "{name} comes twice");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(help.len() > 10, "{name}: {help}");
            helped.push(name);
        }
    }
    assert!(types.len() > 25, "{types:?}");
    helped.sort_unstable();
    assert_eq!(helped, types.into_keys().collect::<Vec<_>>());
    assert!(shown.ends_with("# EOF\n"));
}

#[test]
fn an_integration_that_cannot_be_read_counts_as_any_failed_one() {
    let mut object = serde_json::to_value(integration(
        "acme",
        serde_json::json!({
            "phase": "Failed",
            "conditions": [
                { "type": "Ready", "status": "False", "reason": "Unreadable", "message": "",
                  "lastTransitionTime": "1970-01-01T00:00:00Z" },
            ],
        }),
    ))
    .unwrap();
    object["spec"]["guard"]["maxDeactivations"] = serde_json::Value::Null;
    let object: WatchedIntegration = serde_json::from_value(object).unwrap();
    assert!(object.readable().is_none());
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&Event::Apply(object));
    let text = text(&Metrics::new(vec![store], Liveness::new()));
    let labels = "{namespace=\"people\",integration=\"acme\"";
    for (series, expected) in [
        (
            format!("okta_insightful_integration_phase{labels},phase=\"failed\"}}"),
            "1.0",
        ),
        (
            format!("okta_insightful_integration_condition{labels},type=\"Ready\",reason=\"Unreadable\"}}"),
            "0.0",
        ),
        (format!("okta_insightful_integration_finalized{labels}}}"), "1.0"),
        (
            format!("okta_insightful_integration_sync_interval_seconds{labels}}}"),
            "900.0",
        ),
    ] {
        assert_eq!(value(&text, &series), expected);
    }
}
