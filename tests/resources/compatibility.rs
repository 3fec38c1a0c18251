//! The promise of `v1alpha1` (docs/upgrade.md): what an earlier version accepted and stored can be stored and read. The
//! definitions of earlier versions are in `tests/upgrade/`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What differs nevertheless, and why it breaks nothing. Each has a line in CHANGELOG.md if anybody notices it.
const EXCEPTIONS: [(&str, &str); 3] = [
    (
        "EmployeeMatch .spec.employeeIds: x-kubernetes-list-type was null, is \"atomic\"",
        "a list without a type is atomic",
    ),
    (
        "OktaIntegration .spec.teams.precedence: x-kubernetes-list-type was null, is \"atomic\"",
        "a list without a type is atomic",
    ),
    (
        "OktaIntegration .status.lastNotifiedPlan: is gone",
        "status.notifications has the plans of which messages were sent; at most one message is sent again",
    ),
];

/// What decides whether a stored value is valid and means the same.
const COMPARED: [&str; 4] = [
    "type",
    "default",
    "x-kubernetes-list-type",
    "x-kubernetes-int-or-string",
];

fn read(path: &Path) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let definitions: Vec<Value> = serde_yaml::from_multiple(&text).unwrap();
    let mut schemas = BTreeMap::new();
    for definition in definitions {
        let spec = &definition["spec"];
        for version in spec["versions"].as_array().unwrap() {
            assert_eq!(version["name"], "v1alpha1");
            let kind = spec["names"]["kind"].as_str().unwrap();
            flatten(&version["schema"]["openAPIV3Schema"], kind, " ", &mut schemas);
        }
    }
    schemas
}

/// Collects the schema of each field by kind and path.
fn flatten(schema: &Value, kind: &str, path: &str, into: &mut BTreeMap<String, Value>) {
    into.insert(format!("{kind}{path}"), schema.clone());
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = match path {
            " " => format!(" .{name}"),
            path => format!("{path}.{name}"),
        };
        flatten(field, kind, &path, into);
    }
    if schema["items"].is_object() {
        flatten(&schema["items"], kind, &format!("{path}[]"), into);
    }
}

/// The members of one list that another one lacks.
fn missing<'a>(from: &'a Value, there: &Value) -> Vec<&'a Value> {
    let there = there.as_array().map(Vec::as_slice).unwrap_or_default();
    let all = from.as_array().into_iter().flatten();
    all.filter(|value| !there.contains(value)).collect()
}

/// What a default of an object adds is in the defaults of its fields, too.
fn default_of(schema: &Value) -> Value {
    match &schema["default"] {
        Value::Object(_) => json!({}),
        default => default.clone(),
    }
}

fn differences(earlier: &BTreeMap<String, Value>, now: &BTreeMap<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, earlier) in earlier {
        let Some(now) = now.get(path) else {
            found.push(format!("{path}: is gone"));
            continue;
        };
        for key in COMPARED {
            let [before, after] = match key {
                "default" => [default_of(earlier), default_of(now)],
                key => [earlier[key].clone(), now[key].clone()],
            };
            if before != after {
                found.push(format!("{path}: {key} was {before}, is {after}"));
            }
        }
        for value in missing(&earlier["enum"], &now["enum"]) {
            found.push(format!("{path}: {value} is no longer allowed"));
        }
        for field in missing(&now["required"], &earlier["required"]) {
            found.push(format!("{path}: {field} is required now"));
        }
        if earlier["enum"].is_null() && now["enum"].is_array() {
            found.push(format!("{path}: only some values are allowed now"));
        }
    }
    found
}

#[test]
fn what_an_earlier_version_stored_is_valid_and_means_the_same() {
    let now = read(&Path::new(ROOT).join("crds/integrations.insightful.io.yaml"));
    let mut unmet: Vec<&str> = EXCEPTIONS.iter().map(|(difference, _)| *difference).collect();
    let mut compared = 0;
    for entry in fs::read_dir(Path::new(ROOT).join("tests/upgrade")).unwrap() {
        let directory = entry.unwrap().path();
        if !directory.is_dir() {
            continue;
        }
        let earlier = read(&directory.join("definitions.yaml"));
        assert!(earlier.len() > 100, "{}", directory.display());
        compared += earlier.len();
        for difference in differences(&earlier, &now) {
            assert!(
                EXCEPTIONS.iter().any(|(known, _)| *known == difference),
                "{}: {difference}",
                directory.display()
            );
            unmet.retain(|known| *known != difference);
        }
    }
    assert!(compared > 0);
    assert!(unmet.is_empty(), "no longer a difference: {unmet:?}");
}
