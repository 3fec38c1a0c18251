//! The values for Prometheus and Grafana. They need a server with the
//! definitions of the Prometheus operator.

use serde_json::{Value, json};

use crate::{made::Made, value_cases::Case};

pub fn cases() -> Vec<Case> {
    fn assert_monitor(made: &Made, kind: &str, endpoints: &str) {
        let monitor = made.one(kind);
        assert_eq!(monitor["metadata"]["labels"]["release"], "prom");
        assert_eq!(monitor["spec"]["selector"], made.deployment["spec"]["selector"]);
        let [endpoint] = monitor["spec"][endpoints].as_array().unwrap().as_slice() else {
            panic!("one endpoint: {monitor:#}");
        };
        assert_eq!(endpoint["port"], "metrics");
        assert_eq!(endpoint["interval"], "1m");
        assert_eq!(endpoint["scrapeTimeout"], "20s");
        assert_eq!(endpoint["honorLabels"], true);
        assert_eq!(monitor["metadata"]["annotations"]["contact"], "platform");
        assert_eq!(endpoint["relabelings"][0]["targetLabel"], "cluster");
        assert_eq!(endpoint["relabelings"][0]["replacement"], "eu-1");
        let dropped = &endpoint["metricRelabelings"][0];
        assert_eq!(dropped["sourceLabels"], json!(["__name__"]));
        assert_eq!(dropped["regex"], "process_.*");
        assert_eq!(dropped["action"], "drop");
    }
    fn assert_default(endpoints: &Value) {
        let expected = json!([{ "port": "metrics", "interval": "30s", "honorLabels": true }]);
        assert_eq!(*endpoints, expected);
    }
    let monitor = json!({
        "enabled": true,
        "interval": "1m",
        "scrapeTimeout": "20s",
        "labels": { "release": "prom" },
        "annotations": { "contact": "platform" },
        "relabelings": [{ "targetLabel": "cluster", "replacement": "eu-1" }],
        "metricRelabelings": [{ "sourceLabels": ["__name__"], "regex": "process_.*", "action": "drop" }],
    });
    vec![
        (
            "scraped-by-pod",
            json!({ "monitoring": { "podMonitor": monitor } }),
            |made| {
                assert_monitor(made, "PodMonitor", "podMetricsEndpoints");
                assert_eq!(made.all("Service").len(), 0);
            },
        ),
        (
            "scraped-by-service",
            json!({ "monitoring": {
                "service": { "annotations": { "contact": "platform" } },
                "serviceMonitor": monitor,
            } }),
            |made| {
                assert_monitor(made, "ServiceMonitor", "endpoints");
                let service = made.one("Service");
                assert_eq!(service["metadata"]["annotations"]["contact"], "platform");
                assert_eq!(service["spec"]["clusterIP"], "None");
                assert_eq!(service["spec"]["publishNotReadyAddresses"], true);
                assert_eq!(service["spec"]["ports"][0]["name"], "metrics");
                assert_eq!(service["spec"]["ports"][0]["targetPort"], "metrics");
                let selected = &made.deployment["spec"]["selector"]["matchLabels"];
                assert_eq!(&service["spec"]["selector"], selected);
            },
        ),
        (
            "scraped-by-pod-as-by-default",
            json!({ "monitoring": { "podMonitor": { "enabled": true } } }),
            |made| assert_default(&made.one("PodMonitor")["spec"]["podMetricsEndpoints"]),
        ),
        (
            "scraped-by-service-as-by-default",
            json!({ "monitoring": { "serviceMonitor": { "enabled": true } } }),
            |made| assert_default(&made.one("ServiceMonitor")["spec"]["endpoints"]),
        ),
        (
            "alerting",
            json!({ "monitoring": { "alerts": {
                "enabled": true,
                "labels": { "release": "prom" },
                "runbookUrl": "https://wiki.acme.example/runbook",
                "overrides": {
                    "OktaInsightfulStalled": { "labels": { "severity": "critical" }, "keep_firing_for": "5m" },
                    "OktaInsightfulSyncLate": { "disabled": true },
                },
            } } }),
            |made| {
                let rule = made.one("PrometheusRule");
                assert_eq!(rule["metadata"]["labels"]["release"], "prom");
                let file = include_str!("../../charts/okta-insightful-operator/files/monitoring/alerts.yaml");
                let file: Value = serde_yaml::from_str(file).unwrap();
                let rules = |spec: &Value| spec["groups"][0]["rules"].as_array().unwrap().clone();
                let names = |rules: &[Value]| -> Vec<String> {
                    let names = rules
                        .iter()
                        .map(|rule| rule["alert"].as_str().unwrap().to_owned());
                    names.collect()
                };
                let made_rules = rules(&rule["spec"]);
                let mut expected = names(&rules(&file));
                expected.retain(|name| name != "OktaInsightfulSyncLate");
                assert_eq!(names(&made_rules), expected);
                for rule in &made_rules {
                    let expression = rule["expr"].as_str().unwrap();
                    assert!(
                        expression.contains(&format!(r#"pod=~"{}-"#, made.name())),
                        "{rule}"
                    );
                    let url = rule["annotations"]["runbook_url"].as_str().unwrap();
                    let name = rule["alert"].as_str().unwrap().to_lowercase();
                    assert_eq!(url, format!("https://wiki.acme.example/runbook#{name}"));
                    if name == "oktainsightfulstalled" {
                        assert_eq!(
                            (&rule["labels"]["severity"], &rule["keep_firing_for"]),
                            (&json!("critical"), &json!("5m"))
                        );
                    }
                }
            },
        ),
        (
            "shown",
            json!({ "monitoring": {
                "service": { "enabled": true },
                "dashboard": {
                    "enabled": true,
                    "namespace": "kube-public",
                    "labels": { "grafana_dashboard": "yes" },
                    "annotations": { "grafana_folder": "Identity" },
                },
            } }),
            |made| {
                assert_eq!(
                    made.one("Service")["metadata"]["name"],
                    format!("{}-metrics", made.name())
                );
                let dashboard = made.one("ConfigMap");
                let metadata = &dashboard["metadata"];
                assert_eq!(metadata["namespace"], "kube-public");
                assert_eq!(metadata["labels"]["grafana_dashboard"], "yes");
                assert_eq!(metadata["annotations"]["grafana_folder"], "Identity");
                let home = made.deployment["metadata"]["namespace"].as_str().unwrap();
                let name = format!("{home}-{}", made.name());
                assert_eq!(metadata["name"], format!("{name}-dashboard"));
                let panels = dashboard["data"][format!("{name}.json")].as_str().unwrap();
                assert!(panels.contains("okta_insightful_"), "{panels}");
            },
        ),
    ]
}
