//! The chart's objects for Prometheus and Grafana: none by default, otherwise
//! with the content of `files/monitoring`.

use std::{collections::BTreeSet, fs, path::Path};

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{Api, api::ListParams};
use sandbox::{
    control_plane::{ControlPlane, Options},
    definitions::{PROMETHEUS_OPERATOR, write_definitions},
};
use serde_json::{Value, json};

use crate::{
    CHART, REGISTRY,
    made::Made,
    monitoring_cases, plane, release,
    values::{assert_installs, restricted},
};

/// Returns what `helm template` renders, without the definitions.
async fn rendered(values: Value) -> Vec<Value> {
    rendered_as("seen", "ops", &json!({ "monitoring": values })).await
}

async fn rendered_as(name: &str, namespace: &str, values: &Value) -> Vec<Value> {
    let mut values = values.clone();
    values["crds"] = json!({ "install": false });
    let values = values.to_string();
    let plane = ControlPlane::shared();
    let arguments = ["template", name, CHART, "--namespace", namespace, REGISTRY];
    let text = plane
        .helm(&[&arguments[..], &["--set-json", &values]].concat())
        .await
        .unwrap();
    serde_yaml::from_multiple(&text).unwrap()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(CHART).join("files/monitoring").join(name)).unwrap()
}

#[tokio::test]
async fn monitoring_is_disabled_by_default() {
    let objects = rendered(json!({})).await;
    for kind in [
        "Service",
        "ServiceMonitor",
        "PodMonitor",
        "PrometheusRule",
        "ConfigMap",
    ] {
        assert_eq!(of_kind(&objects, kind), None);
    }
}

#[tokio::test]
async fn a_monitor_selects_the_pods_and_honors_labels() {
    let objects = rendered(
        json!({ "podMonitor": { "enabled": true, "interval": "1m", "labels": { "release": "prom" } } }),
    )
    .await;
    let monitor = of_kind(&objects, "PodMonitor").unwrap();
    assert_eq!(monitor["metadata"]["labels"]["release"], "prom");
    let endpoint = &monitor["spec"]["podMetricsEndpoints"][0];
    assert_eq!(
        *endpoint,
        json!({ "port": "metrics", "interval": "1m", "honorLabels": true })
    );
    let pod = &of_kind(&objects, "Deployment").unwrap()["spec"]["template"];
    for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(pod["metadata"]["labels"][label], *value);
    }
    let ports = pod["spec"]["containers"][0]["ports"].as_array().unwrap();
    assert!(ports.iter().any(|port| port["name"] == endpoint["port"]));
    assert_eq!(of_kind(&objects, "Service"), None);

    let objects = rendered(json!({ "serviceMonitor": { "enabled": true } })).await;
    let monitor = of_kind(&objects, "ServiceMonitor").unwrap();
    assert_eq!(monitor["spec"]["endpoints"][0]["honorLabels"], true);
    let service = of_kind(&objects, "Service").unwrap();
    for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(service["metadata"]["labels"][label], *value);
        assert_eq!(service["spec"]["selector"][label], *value);
    }
    assert_eq!(
        service["spec"]["ports"][0]["name"],
        monitor["spec"]["endpoints"][0]["port"]
    );
}

/// Each monitor: the value, the kind, and the field with its endpoints.
const MONITORS: [(&str, &str, &str); 2] = [
    ("podMonitor", "PodMonitor", "podMetricsEndpoints"),
    ("serviceMonitor", "ServiceMonitor", "endpoints"),
];

#[tokio::test]
async fn a_monitor_has_the_given_relabelings() {
    let monitor = json!({
        "enabled": true,
        "relabelings": [{ "targetLabel": "cluster", "replacement": "eu-1" }],
        "metricRelabelings": [{ "sourceLabels": ["__name__"], "regex": "process_.*", "action": "drop" }],
    });
    for (value, kind, endpoints) in MONITORS {
        let objects = rendered(json!({ value: monitor })).await;
        let endpoint = &of_kind(&objects, kind).unwrap()["spec"][endpoints][0];
        assert_eq!(endpoint["relabelings"], monitor["relabelings"]);
        assert_eq!(endpoint["metricRelabelings"], monitor["metricRelabelings"]);
    }
}

#[tokio::test]
async fn the_rule_has_the_alerts_of_the_file() {
    let alerts = json!({ "enabled": true, "labels": { "release": "prom" } });
    let values = json!({ "monitoring": { "alerts": alerts } });
    let usual = "okta-insightful-operator";
    let objects = rendered_as(usual, usual, &values).await;
    let rule = of_kind(&objects, "PrometheusRule").unwrap();
    let alerts: Value = serde_yaml::from_str(&file("alerts.yaml")).unwrap();
    assert_eq!(rule["spec"], alerts);
    assert_eq!(rule["metadata"]["namespace"], usual);
    assert_eq!(rule["metadata"]["labels"]["release"], "prom");
}

/// Installs the custom resource definitions of the Prometheus operator.
pub async fn install_prometheus_operator(plane: &ControlPlane) {
    let directory = plane.directory().join("prometheus-operator");
    write_definitions(PROMETHEUS_OPERATOR, &directory).await.unwrap();
    plane.install_crds(&directory).await.unwrap();
}

/// On a separate server, because the shared one lacks the Prometheus operator.
#[tokio::test]
async fn every_value_for_monitoring_installs_with_the_prometheus_operator() {
    let plane = ControlPlane::start(&Options::default()).await.unwrap();
    install_prometheus_operator(&plane).await;
    let client = plane.admin_client().await.unwrap();
    let namespace = restricted(&plane, &client).await;
    for case in monitoring_cases::cases() {
        let sent = assert_installs(&plane, &client, &namespace, &case).await;
        let stored = stored(&plane, &sent.objects).await;
        for (sent, stored) in sent.objects.iter().zip(&stored) {
            let kind = sent["kind"].as_str().unwrap();
            assert_stored(&format!("{}: {kind}", case.0), sent, stored);
        }
        let (_, _, assert_made) = case;
        assert_made(&Made {
            objects: stored,
            ..sent
        });
    }
    plane.stop().await.unwrap();
}

/// Returns these objects as stored by the server, in order.
async fn stored(plane: &ControlPlane, objects: &[Value]) -> Vec<Value> {
    let file = plane.directory().join("sent.json");
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    fs::write(&file, list.to_string()).unwrap();
    let get = ["get", "--output=json", "--filename", file.to_str().unwrap()];
    let list: Value = serde_json::from_str(&plane.kubectl(&get).await.unwrap()).unwrap();
    let stored = list["items"].as_array().unwrap();
    assert_eq!(stored.len(), objects.len());
    stored.clone()
}

/// Asserts that the server stored everything that was sent, apart from defaults.
/// Helm 3 silently drops fields that a definition lacks.
fn assert_stored(path: &str, sent: &Value, stored: &Value) {
    match (sent, stored) {
        (Value::Object(sent), Value::Object(stored)) => {
            for (name, sent) in sent.iter().filter(|(_, sent)| !sent.is_null()) {
                let stored = stored.get(name);
                let stored = stored.unwrap_or_else(|| panic!("the server has no {path}.{name}"));
                assert_stored(&format!("{path}.{name}"), sent, stored);
            }
        }
        (Value::Array(sent), Value::Array(stored)) => {
            assert_eq!(sent.len(), stored.len(), "{path}");
            for (index, (sent, stored)) in sent.iter().zip(stored).enumerate() {
                assert_stored(&format!("{path}[{index}]"), sent, stored);
            }
        }
        _ => assert_eq!(sent, stored, "{path}"),
    }
}

#[tokio::test]
async fn the_rule_of_another_release_has_only_its_names() {
    let alerts = json!({
        "enabled": true, "namespace": "prometheus", "annotations": { "owner": "platform" },
    });
    let mut values = json!({ "nameOverride": "op", "monitoring": { "alerts": alerts } });
    let objects = rendered_as("seen", "ops", &values).await;
    let rule = of_kind(&objects, "PrometheusRule").unwrap();
    assert_eq!(rule["metadata"]["namespace"], "prometheus");
    assert_eq!(rule["metadata"]["annotations"]["owner"], "platform");
    let text = rule["spec"].to_string();
    assert!(!text.contains("okta-insightful-operator"), "{text}");
    let own =
        r#"absent(okta_insightful_build_info{namespace=\"ops\", pod=~\"seen-op-[a-z0-9]+(-[a-z0-9]+)?\"})"#;
    assert!(text.contains(own), "{text}");
    for command in [
        "kubectl get lease seen-op -n ops ",
        "kubectl logs -n ops -l app.kubernetes.io/name=op,app.kubernetes.io/instance=seen ",
    ] {
        assert!(text.contains(command), "{command:?} in {text}");
    }
    // The pods have these labels.
    let pod = &of_kind(&objects, "Deployment").unwrap()["spec"]["template"];
    assert_eq!(pod["metadata"]["labels"]["app.kubernetes.io/name"], "op");
    assert_eq!(pod["metadata"]["labels"]["app.kubernetes.io/instance"], "seen");

    values["monitoring"]["alerts"]["selector"] = json!(r#"cluster="eu-1", job="okta""#);
    let objects = rendered_as("seen", "ops", &values).await;
    let text = of_kind(&objects, "PrometheusRule").unwrap()["spec"].to_string();
    assert!(!text.contains("pod=~"), "{text}");
    for series in [
        r#"okta_insightful_leader{cluster=\"eu-1\", job=\"okta\"}"#,
        r#"okta_insightful_integration_plan_held{cluster=\"eu-1\", job=\"okta\"}"#,
    ] {
        assert!(text.contains(series), "{series} in {text}");
    }
}

#[tokio::test]
async fn a_single_alert_can_be_changed_or_disabled() {
    let overrides = json!({
        "OktaInsightfulReviewWaiting": { "disabled": true },
        "OktaInsightfulStalled": { "for": "1h", "labels": { "severity": "critical", "team": "people" } },
    });
    let alerts = json!({
        "enabled": true, "runbookUrl": "https://git.example.com/runbook.md", "overrides": overrides,
    });
    let objects = rendered(json!({ "alerts": alerts })).await;
    let rules = &of_kind(&objects, "PrometheusRule").unwrap()["spec"]["groups"][0]["rules"];
    let rules = rules.as_array().unwrap();
    let known: Value = serde_yaml::from_str(&file("alerts.yaml")).unwrap();
    let known = known["groups"][0]["rules"].as_array().unwrap();
    let names = |rules: &[Value]| -> Vec<String> {
        let names = rules
            .iter()
            .map(|rule| rule["alert"].as_str().unwrap().to_owned());
        names.collect()
    };
    let mut expected = names(known);
    expected.retain(|name| name != "OktaInsightfulReviewWaiting");
    assert_eq!(names(rules), expected);
    for rule in rules {
        let section = rule["alert"].as_str().unwrap().to_lowercase();
        let url = format!("https://git.example.com/runbook.md#{section}");
        assert_eq!(rule["annotations"]["runbook_url"], url);
        assert_eq!(rule["annotations"]["runbook"], Value::Null);
        if section == "oktainsightfulstalled" {
            assert_eq!(rule["for"], "1h");
            assert_eq!(
                rule["labels"],
                json!({ "severity": "critical", "team": "people" })
            );
        }
    }

    let unknown = "--set=monitoring.alerts.enabled=true,monitoring.alerts.overrides.Stalled.disabled=true";
    let refused = ControlPlane::shared()
        .helm(&["template", "refused", CHART, REGISTRY, unknown])
        .await
        .unwrap_err();
    let words =
        "monitoring.alerts.overrides: there is no alert Stalled; there are OktaInsightfulOperatorDown,";
    assert!(refused.to_string().contains(words), "{refused}");
}

#[tokio::test]
async fn the_dashboard_and_the_service_install() {
    let plane = plane().await;
    let namespace = plane.namespace("seen").await.unwrap();
    let values = json!({ "monitoring": {
        "dashboard": { "enabled": true, "annotations": { "grafana_folder": "Identity" } },
        "service": { "enabled": true, "annotations": { "prometheus.io/scrape": "true" } },
    } });
    release(plane, "seen", &namespace, &values).await;
    let client = plane.admin_client().await.unwrap();
    let sidecar = ListParams::default().labels("grafana_dashboard=1");
    let found = Api::<ConfigMap>::namespaced(client.clone(), &namespace)
        .list(&sidecar)
        .await
        .unwrap();
    let [map]: [ConfigMap; 1] = found.items.try_into().unwrap();
    let [shown]: [String; 1] = map
        .data
        .unwrap()
        .into_values()
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let mut shown: Value = serde_json::from_str(&shown).unwrap();
    let original: Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let release = "seen-okta-insightful-operator";
    assert_eq!(
        shown["title"],
        format!("Okta to Insightful ({namespace}/{release})")
    );
    assert_eq!(release_variable(&mut shown)["current"]["value"], json!([release]));
    release_variable(&mut shown)["current"] = json!({ "text": "All", "value": "$__all" });
    for field in ["uid", "title"] {
        shown[field] = original[field].clone();
    }
    assert_eq!(shown, original);
    let service: Service = Api::namespaced(client, &namespace)
        .get("seen-okta-insightful-operator-metrics")
        .await
        .unwrap();
    let spec = service.spec.unwrap();
    assert_eq!(spec.cluster_ip.as_deref(), Some("None"));
    assert_eq!(spec.publish_not_ready_addresses, Some(true));
    assert_eq!(
        service.metadata.annotations.unwrap()["prometheus.io/scrape"],
        "true"
    );
}

fn release_variable(dashboard: &mut Value) -> &mut Value {
    let variables = dashboard["templating"]["list"].as_array_mut().unwrap();
    variables
        .iter_mut()
        .find(|variable| variable["name"] == "release")
        .unwrap()
}

/// Grafana's sidecar collects the dashboards of a cluster in one directory.
#[tokio::test]
async fn releases_do_not_overwrite_each_others_monitoring() {
    let there = json!({ "enabled": true, "namespace": "monitoring" });
    let values = json!({ "monitoring": { "dashboard": there, "alerts": there, "podMonitor": there } });
    let mut seen = BTreeSet::new();
    // The same name in two namespaces, and another one.
    for (name, namespace) in [("one", "ops"), ("one", "people"), ("two", "ops")] {
        let objects = rendered_as(name, namespace, &values).await;
        for kind in ["ConfigMap", "PrometheusRule", "PodMonitor"] {
            let name = &of_kind(&objects, kind).unwrap()["metadata"]["name"];
            assert!(seen.insert(format!("{kind} {name}")), "{kind} {name}");
        }
        let files = of_kind(&objects, "ConfigMap").unwrap()["data"]
            .as_object()
            .unwrap();
        for (file, dashboard) in files {
            let dashboard: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
            let uid = dashboard["uid"].as_str().unwrap();
            assert!(uid.len() <= 40, "Grafana's limit: {uid}");
            for unique in [file.as_str(), uid, dashboard["title"].as_str().unwrap()] {
                assert!(seen.insert(unique.to_owned()), "{unique}");
            }
        }
    }
}

#[tokio::test]
async fn an_invalid_value_for_monitoring_is_rejected() {
    let plane = ControlPlane::shared();
    for setting in [
        "--set=monitoring.podMonitor.interval=often",
        "--set=monitoring.alert.enabled=true",
        "--set=monitoring.serviceMonitor.relabelings.targetLabel=cluster",
        "--set=monitoring.dashboard.enabled=maybe",
        "--set=monitoring.alerts.runbookUrl=docs/runbook.md",
        "--set=monitoring.serviceMonitor.scrapeTimeout=never",
        "--set=monitoring.alerts.selector=cluster",
        "--set=monitoring.alerts.overrides.OktaInsightfulStalled.severity=critical",
    ] {
        let refused = plane
            .helm(&["template", "refused", CHART, REGISTRY, setting])
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("/monitoring"),
            "{setting}: {refused}"
        );
    }
}

#[tokio::test]
async fn common_labels_and_annotations_apply_to_monitoring_objects() {
    let own = json!({ "enabled": true, "annotations": { "own": "yes", "contact": "monitoring" } });
    let mut values = json!({
        "commonLabels": { "team": "platform" },
        "commonAnnotations": { "contact": "platform", "cost": "42" },
        "monitoring": { "service": own, "serviceMonitor": own, "alerts": own, "dashboard": own },
    });
    let mut objects = rendered_as("seen", "ops", &values).await;
    values["monitoring"] = json!({ "podMonitor": own });
    objects.extend(rendered_as("seen", "ops", &values).await);
    for kind in [
        "Service",
        "ServiceMonitor",
        "PodMonitor",
        "PrometheusRule",
        "ConfigMap",
    ] {
        let metadata = &of_kind(&objects, kind).unwrap()["metadata"];
        assert_eq!(metadata["labels"]["team"], "platform", "{kind}");
        // The object's own annotations take precedence.
        let expected = json!({ "own": "yes", "contact": "monitoring", "cost": "42" });
        assert_eq!(metadata["annotations"], expected, "{kind}");
    }
}

#[tokio::test]
async fn a_monitor_in_another_namespace_selects_the_pods() {
    let monitor = json!({ "enabled": true, "namespace": "prometheus", "scrapeTimeout": "7s" });
    for (value, kind, endpoints) in MONITORS {
        let objects = rendered(json!({ value: monitor })).await;
        let monitor = of_kind(&objects, kind).unwrap();
        assert_eq!(monitor["metadata"]["namespace"], "prometheus");
        assert_eq!(monitor["spec"]["namespaceSelector"]["matchNames"], json!(["ops"]));
        assert_eq!(monitor["spec"][endpoints][0]["scrapeTimeout"], "7s");
        // The Service is in the namespace of the pods.
        if let Some(service) = of_kind(&objects, "Service") {
            assert_eq!(service["metadata"]["namespace"], "ops");
        }
    }
}
