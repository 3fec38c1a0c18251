//! `helm lint`, and the chart's README: its table has every value of the schema
//! with its default.

use std::{collections::BTreeMap, fs, path::Path};

use sandbox::control_plane::{ControlPlane, default_kubernetes_version};
use serde_json::{Value, json};

use crate::{CHART, REGISTRY, monitoring_cases, value_cases};

#[tokio::test]
async fn helm_lint_reports_nothing() {
    let plane = ControlPlane::shared();
    let arguments = |values: &Value| {
        let values = format!("--set-json={values}");
        ["lint", "--strict", CHART, &values].map(str::to_owned)
    };
    for (name, values, _) in value_cases::cases().into_iter().chain(monitoring_cases::cases()) {
        let report = plane.helm(&arguments(&values)).await.unwrap();
        assert!(
            !report.contains("[WARNING]") && !report.contains("[ERROR]"),
            "{name}: {report}"
        );
        assert!(
            report.contains("1 chart(s) linted, 0 chart(s) failed"),
            "{name}: {report}"
        );
    }
}

/// The versions that `.ci/kubernetes-versions` tests are those that the page lists, from the oldest that the chart allows
/// to the one that all tests use.
#[test]
fn the_tested_versions_of_kubernetes_are_documented() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/kubernetes-versions");
    let script = fs::read_to_string(script).unwrap();
    let oldest = script
        .lines()
        .find_map(|line| line.strip_prefix("oldest="))
        .unwrap();
    let minor = oldest.rsplit_once('.').unwrap().0;
    assert!(read("Chart.yaml").contains(&format!("kubeVersion: \">={}.0-0\"", &minor[1..])));
    let page = read("docs/install.md");
    for (version, place) in [(oldest, "oldest"), (default_kubernetes_version(), "newest")] {
        assert!(page.contains(&format!("\n| {version} | {place} |")), "{version}");
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(CHART).join(file)).unwrap()
}

/// Collects every value with its default. An object whose fields the schema
/// lists counts as several values, any other as one.
fn leaves(schema: &Value, values: &Value, path: &str, into: &mut BTreeMap<String, Value>) {
    let properties = schema["properties"].as_object();
    let default = |name: &str| values.get(name).cloned().unwrap_or(Value::Null);
    for (name, schema) in properties.into_iter().flatten() {
        let path = format!("{path}{name}");
        let is_opened = schema["additionalProperties"] == json!(false)
            && values[name].as_object().is_some_and(|fields| !fields.is_empty());
        if is_opened {
            leaves(schema, &default(name), &format!("{path}."), into);
        } else {
            into.insert(path, default(name));
        }
    }
    let unknown = values.as_object().unwrap().keys();
    for name in unknown {
        assert!(
            properties.is_some_and(|properties| properties.contains_key(name)),
            "{path}{name} is in values.yaml and not in the schema"
        );
    }
}

#[test]
fn every_value_is_in_the_schema_and_in_the_readme_with_its_default() {
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let values: Value = serde_yaml::from_str(&read("values.yaml")).unwrap();
    let mut defaults = BTreeMap::new();
    leaves(&schema, &values, "", &mut defaults);
    // Helm shares `global` among charts; this chart reads two of its fields.
    let global = defaults.remove("global").unwrap();
    assert_eq!(global, json!({ "imageRegistry": "", "imagePullSecrets": [] }));
    for (name, default) in global.as_object().unwrap() {
        defaults.insert(format!("global.{name}"), default.clone());
    }

    let mut in_readme = BTreeMap::new();
    for row in read("README.md").lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, default, meaning] = cells.as_slice() else {
            panic!("three cells: {row}");
        };
        assert!(meaning.len() > 10, "no meaning: {row}");
        let default: Value = serde_yaml::from_str(default.trim_matches('`')).unwrap();
        assert!(
            in_readme
                .insert(name.trim_matches('`').to_owned(), default)
                .is_none(),
            "twice: {row}"
        );
    }
    assert_eq!(in_readme, defaults);
}

/// `helm upgrade --reuse-values` sends all values of the installed version.
#[tokio::test]
async fn the_chart_accepts_all_values_of_earlier_versions() {
    let plane = ControlPlane::shared();
    let releases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade");
    let mut accepted = 0;
    for entry in fs::read_dir(releases).unwrap() {
        let values = entry.unwrap().path().join("values.yaml");
        if values.exists() {
            let values = format!("--values={}", values.display());
            let template = ["template", "earlier", CHART, REGISTRY, &values];
            plane.helm(&template).await.unwrap();
            accepted += 1;
        }
    }
    assert!(accepted > 0);
}
