//! What `Chart.yaml` tells a catalogue such as Artifact Hub.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{CHART, CRDS};

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn chart() -> Value {
    serde_yaml::from_str(&read(Path::new(CHART).join("Chart.yaml"))).unwrap()
}

/// Returns an annotation that is itself YAML.
fn annotation(name: &str) -> Value {
    let chart = chart();
    let text = chart["annotations"][format!("artifacthub.io/{name}")].as_str();
    serde_yaml::from_str(text.unwrap_or_else(|| panic!("no annotation {name}"))).unwrap()
}

#[test]
fn the_versions_of_chart_image_and_program_are_one() {
    let chart = chart();
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    let images = annotation("images");
    let image = format!("okta-insightful-operator:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(images[0]["image"], image);
    assert_eq!(images.as_array().unwrap().len(), 1);
}

#[test]
fn the_icon_is_the_image_of_the_repository() {
    let chart = chart();
    let icon = chart["icon"].as_str().unwrap();
    let icon = icon.strip_prefix("data:image/svg+xml;base64,").unwrap();
    let icon = String::from_utf8(BASE64_STANDARD.decode(icon).unwrap()).unwrap();
    assert_eq!(icon, read(".github/images/icon.svg").trim_end());
}

#[test]
fn the_definitions_of_the_annotations_are_those_of_the_chart() {
    let definitions = read(Path::new(CRDS).join("integrations.insightful.io.yaml"));
    let definitions: Vec<Value> = serde_yaml::from_multiple(&definitions).unwrap();
    let defined = definitions.iter().map(|definition| {
        let (name, spec) = (&definition["metadata"]["name"], &definition["spec"]);
        let version = &spec["versions"][0]["name"];
        (name.clone(), (spec["names"]["kind"].clone(), version.clone()))
    });
    let annotated = annotation("crds");
    let annotated = annotated.as_array().unwrap().iter().map(|crd| {
        assert!(
            crd["displayName"].is_string() && crd["description"].is_string(),
            "{crd}"
        );
        (crd["name"].clone(), (crd["kind"].clone(), crd["version"].clone()))
    });
    let by_name = |crds: Vec<(Value, (Value, Value))>| -> BTreeMap<String, (Value, Value)> {
        let named = crds.into_iter().map(|(name, crd)| (name.to_string(), crd));
        named.collect()
    };
    assert_eq!(by_name(annotated.collect()), by_name(defined.collect()));
}

#[test]
fn the_example_of_the_annotations_is_that_of_the_repository() {
    let mut example: Value = serde_yaml::from_str(&read("examples/integration.yaml")).unwrap();
    example["metadata"].as_object_mut().unwrap().remove("annotations");
    assert_eq!(annotation("crdsExamples"), json!([example]));
}

/// Artifact Hub ignores a version whose changes it cannot read.
#[test]
fn each_change_has_a_kind_that_artifact_hub_knows() {
    let changes = annotation("changes");
    let changes = changes.as_array().unwrap();
    assert!(!changes.is_empty());
    for change in changes {
        let kind = change["kind"].as_str().unwrap();
        let kinds = ["added", "changed", "deprecated", "removed", "fixed", "security"];
        assert!(
            kinds.contains(&kind) && change["description"].is_string(),
            "{change}"
        );
    }
}
