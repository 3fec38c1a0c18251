//! The fields of both kinds as a page for people, from the definitions.

use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use super::{EmployeeMatch, OktaIntegration};

/// Every field of both kinds in Markdown: its type, its default, what it means
/// and what the API server refuses.
///
/// # Errors
/// Only if a definition cannot be taken apart.
pub fn reference() -> Result<String, serde_json::Error> {
    let mut page = String::from(
        "# Fields\n\nGenerated from the types by `okta-insightful-operator crd --reference`; do not edit. `kubectl explain\n\
         oktaintegration.spec --recursive` shows the same in a cluster.\n",
    );
    for definition in [OktaIntegration::crd(), EmployeeMatch::crd()] {
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
        line(page, "| Field | Type | Default | Meaning |\n|---|---|---|---|");
        fields("", &schema["properties"][part], page);
    }
    Ok(())
}

/// A row for each field below `schema`, whose own path ends with a dot or is empty.
fn fields(path: &str, schema: &Value, page: &mut String) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let default = match &field["default"] {
            // Those of a part are the defaults of its fields, which have rows of their own.
            Value::Null | Value::Object(_) if required.contains(&name.as_str()) => "required".to_owned(),
            Value::Null | Value::Object(_) => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let mut meaning = sentence(&field["description"]);
        for rule in field["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let _ = write!(meaning, " *Refused otherwise: {}.*", sentence(&rule["message"]));
        }
        let (type_, inner) = type_of(field);
        line(
            page,
            &format!(
                "| `{path}{name}` | {type_} | {default} | {} |",
                meaning.replace('|', "\\|")
            ),
        );
        // The fields of a condition are the same in every kind of Kubernetes.
        if name != "conditions" {
            let below = if field["type"] == "array" { "[]." } else { "." };
            fields(&format!("{path}{name}{below}"), inner, page);
        }
    }
}

/// The type in a word, and the schema that has the fields below.
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

/// A description on one line.
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
    fn a_row_has_type_default_meaning_and_rule() {
        let page = reference().unwrap();
        for row in [
            "| `okta.orgUrl` | string | required | Address of the org, such as `https://acme.okta.com`. *Refused otherwise: orgUrl must be https://",
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
