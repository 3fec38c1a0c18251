//! Generates the reference of all fields from the definitions.

use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use super::{EmployeeMatch, OktaIntegration, UnmatchedEmployee};

/// Returns the reference in Markdown: type, default, description and validation of each field.
///
/// # Errors
/// If a definition cannot be serialized.
pub fn reference() -> Result<String, serde_json::Error> {
    let mut page = String::from(
        "# Fields\n\nGenerated from the types by `okta-insightful-operator crd --reference`; do not edit. `kubectl explain\n\
         oktaintegration.spec --recursive` shows the same in a cluster. [upgrade.md](upgrade.md#what-may-change-in-v1alpha1)\n\
         says what may change from one version to the next.\n",
    );
    for definition in [
        OktaIntegration::crd(),
        EmployeeMatch::crd(),
        UnmatchedEmployee::crd(),
    ] {
        kind(&definition, &mut page)?;
    }
    Ok(page)
}

fn kind(definition: &CustomResourceDefinition, page: &mut String) -> Result<(), serde_json::Error> {
    let definition = serde_json::to_value(definition)?;
    let spec = &definition["spec"];
    let version = &spec["versions"][0];
    let schema = &version["schema"]["openAPIV3Schema"];
    line(page, &format!("\n## {}\n", word(&spec["names"]["kind"])));
    line(
        page,
        &format!(
            "`{}/{}`, short `{}`. {}",
            word(&spec["group"]),
            word(&version["name"]),
            word(&spec["names"]["shortNames"][0]),
            sentence(&schema["description"]),
        ),
    );
    for part in ["spec", "status"] {
        line(page, &format!("\n### {part}\n"));
        line(
            page,
            "| Field | Type | Default | Description |\n|---|---|---|---|",
        );
        fields("", &schema["properties"][part], page);
    }
    Ok(())
}

/// Writes a row for each field of `schema`, whose own path ends with a dot or is empty.
fn fields(path: &str, schema: &Value, page: &mut String) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let default = match &field["default"] {
            // The default of an object follows from the defaults of its fields.
            Value::Null | Value::Object(_) if required.contains(&name.as_str()) => "required".to_owned(),
            Value::Null | Value::Object(_) => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let mut meaning = sentence(&field["description"]);
        for rule in field["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let _ = write!(meaning, " *Validation: {}.*", sentence(&rule["message"]));
        }
        let (type_, inner) = type_of(field);
        line(
            page,
            &format!(
                "| `{path}{name}` | {type_} | {default} | {} |",
                meaning.replace('|', "\\|")
            ),
        );
        // The fields of conditions are the same for all Kubernetes objects.
        if name != "conditions" {
            let below = if field["type"] == "array" { "[]." } else { "." };
            fields(&format!("{path}{name}{below}"), inner, page);
        }
    }
}

/// Returns the name of the type, and the schema of the fields below it.
fn type_of(field: &Value) -> (String, &Value) {
    if field["x-kubernetes-int-or-string"] == true {
        return ("count or percentage".to_owned(), field);
    }
    if let Some(values) = field["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("`{value}`"))
            .collect();
        return (values.join(", "), field);
    }
    match (word(&field["type"]), word(&field["format"])) {
        ("array", _) => {
            let (inner, below) = type_of(&field["items"]);
            (format!("list of {inner}"), below)
        }
        ("string", "date-time") => ("time".to_owned(), field),
        (type_, _) => (type_.to_owned(), field),
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns a description on one line.
fn sentence(value: &Value) -> String {
    word(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_type_default_description_and_validation() {
        let page = reference().unwrap();
        for row in [
            "| `okta.orgUrl` | string | required | URL of the org, such as `https://acme.okta.com`. *Validation: orgUrl must be https://",
            "| `okta.rateLimitPercent` | integer | `50` |",
            "| `guard.maxTeamMoves` | count or percentage | `20%` |",
            "| `approval` | `Guarded`, `EveryPlan` | `Guarded` |",
            "| `teams.precedence` | list of string | `[]` |",
            "| `proposal.candidates[].confidence` |",
        ] {
            assert!(page.contains(row), "{row} is not in\n{page}");
        }
        assert!(!page.contains("conditions[]."), "{page}");
    }
}
