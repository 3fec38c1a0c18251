//! The alerts, checked with promtool: they are valid, fire when they should,
//! select exposed metrics, and link to the runbook.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use sandbox::control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::{CHART, promtool::promtool, run::run, scrape::Scrape};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/monitoring");

/// The cases of a single release, and of two releases in one Prometheus.
const FILES: [&str; 2] = ["alerts.yaml", "alerts-two-releases.yaml"];

/// The releases of the cases: name, namespace and values.
fn releases() -> [(&'static str, &'static str, Value); 2] {
    let second = json!({
        "nameOverride": "op",
        "monitoring": { "alerts": { "runbookUrl": "https://git.example.com/runbook.md" } },
    });
    let usual = "okta-insightful-operator";
    [(usual, usual, json!({})), ("second", "apps", second)]
}

/// Returns the rules that the chart renders for a release.
async fn rendered(name: &str, namespace: &str, values: &Value) -> Value {
    let values = format!("--set-json={values}");
    let arguments = ["template", name, CHART, "--namespace", namespace, &values];
    let only = [
        "--set=image.repository=registry.example/op,crds.install=false,monitoring.alerts.enabled=true",
        "--show-only=templates/monitoring.yaml",
    ];
    let text = ControlPlane::shared()
        .helm(&[&arguments[..], &only].concat())
        .await
        .unwrap();
    let rule: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(rule["kind"], "PrometheusRule");
    rule["spec"].clone()
}

fn rules() -> Vec<Value> {
    let text = fs::read_to_string(Path::new(CHART).join("files/monitoring/alerts.yaml")).unwrap();
    let file: Value = serde_yaml::from_str(&text).unwrap();
    file["groups"][0]["rules"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_fires_only_when_it_should() {
    let directory = tempfile::tempdir().unwrap();
    let rules_file = Path::new(CHART).join("files/monitoring/alerts.yaml");
    let mut rules_files = vec![rules_file.to_str().unwrap().to_owned()];
    for (name, namespace, values) in releases() {
        let file = format!("{name}.yaml");
        let rules = rendered(name, namespace, &values).await;
        fs::write(directory.path().join(&file), rules.to_string()).unwrap();
        rules_files.push(file);
    }
    for file in &rules_files {
        let check = ["check", "rules", "--lint=all", "--lint-fatal", file];
        let (is_valid, output) = promtool(directory.path(), &check).await;
        assert!(is_valid, "{output}");
    }
    for file in FILES {
        fs::copy(Path::new(CASES).join(file), directory.path().join(file)).unwrap();
        let (passes, output) = promtool(directory.path(), &["test", "rules", file]).await;
        assert!(passes, "{file}: {output}");
    }

    let cases: Value =
        serde_yaml::from_str(&fs::read_to_string(Path::new(CASES).join("alerts.yaml")).unwrap()).unwrap();
    let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
    for case in cases["tests"].as_array().unwrap() {
        for moment in case["alert_rule_test"].as_array().unwrap() {
            let fires = moment["exp_alerts"]
                .as_array()
                .is_some_and(|alerts| !alerts.is_empty());
            seen.insert((text(moment, "alertname"), fires));
        }
    }
    for rule in &rules() {
        let name = text(rule, "alert");
        assert!(seen.contains(&(name, true)), "{name} fires in no case");
        assert!(
            seen.contains(&(name, false)),
            "{name} never stays silent in a case"
        );
    }
}

#[test]
fn each_alert_has_a_severity_a_command_and_a_runbook_section() {
    let runbook = fs::read_to_string(Path::new(CHART).join("docs/runbook.md")).unwrap();
    let sections: BTreeSet<String> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect();
    let mut named = BTreeSet::new();
    for rule in &rules() {
        let name = text(rule, "alert");
        assert!(
            ["critical", "warning", "info"].contains(&text(&rule["labels"], "severity")),
            "{name}"
        );
        assert!(text(&rule["annotations"], "summary").len() > 20, "{name}");
        assert!(
            text(&rule["annotations"], "description").contains("kubectl "),
            "{name}"
        );
        let section = text(&rule["annotations"], "runbook")
            .strip_prefix("docs/runbook.md#")
            .unwrap();
        assert!(
            sections.contains(section),
            "{name}: {section} is not in the runbook"
        );
        named.insert(section.to_owned());
    }
    assert_eq!(sections, named, "sections of the runbook and alerts differ");
}

/// Returns the metrics that an expression selects, with the labels of its matchers.
fn selected(expression: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut selected = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("okta_insightful_") {
        rest = &rest[at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let matchers = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let matchers = matchers.map_or("", |(matchers, _)| matchers);
        let labels = matchers
            .split(',')
            .filter_map(|matcher| matcher.split(['=', '!']).next());
        let labels = labels
            .map(|label| label.trim().to_owned())
            .filter(|label| !label.is_empty());
        selected.push((name, labels.collect()));
    }
    selected
}

#[tokio::test(flavor = "multi_thread")]
async fn each_metric_and_label_of_alerts_and_cases_is_exposed() {
    let mut exposed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, text) in &run().await.scrapes {
        for (name, labels) in Scrape::read(text).labels() {
            exposed.entry(name).or_default().extend(labels);
        }
    }
    let cases = FILES.map(|file| fs::read_to_string(Path::new(CASES).join(file)).unwrap());
    let cases = cases.concat();
    let series = cases
        .lines()
        .filter(|line| line.trim_start().starts_with("- series:"));
    let rules = rules();
    let expressions = rules.iter().map(|rule| text(rule, "expr")).chain(series);
    let mut checked = 0;
    for expression in expressions {
        for (name, labels) in selected(expression) {
            let known = exposed
                .get(&name)
                .unwrap_or_else(|| panic!("{name} is not exposed"));
            for label in &labels {
                // Prometheus adds the pod, and its namespace if the series has none.
                assert!(
                    known.contains(label) || label == "pod" || label == "namespace",
                    "{name} has no label {label}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}
