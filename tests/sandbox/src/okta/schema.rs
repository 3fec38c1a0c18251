//! Validates responses against Okta's published API description.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

const DESCRIPTION: &str = include_str!("../../okta-openapi.yaml");

/// Complete schemas: the emulator must not return fields that they lack.
const COMPLETE: [&str; 4] = ["User", "Group", "Error", "ErrorCause"];

pub struct Schemas {
    document: Value,
}

impl Schemas {
    /// Loads the embedded description.
    #[expect(
        clippy::expect_used,
        reason = "the description is compiled in and every test reads it"
    )]
    pub fn load() -> Self {
        let mut document: Value = serde_yaml::from_str(DESCRIPTION).expect("the description is YAML");
        translate(&mut document["components"]["schemas"]);
        translate(&mut document["paths"]);
        for name in COMPLETE {
            document["components"]["schemas"][name]["unevaluatedProperties"] = json!(false);
        }
        Self { document }
    }

    /// Validates the body of a response to a GET of `path`, such as `/api/v1/groups/{groupId}`. An error status that
    /// the operation does not list is validated against the schema `Error`. Returns all violations.
    pub fn check(&self, path: &str, status: u16, body: &Value) -> Result<(), Vec<String>> {
        let responses = &self.document["paths"][path]["get"]["responses"];
        let mut response = &responses[status.to_string()];
        if let Some(reference) = response["$ref"].as_str() {
            response = self
                .document
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or(&Value::Null);
        }
        let schema = match &response["content"]["application/json"]["schema"] {
            Value::Null if status >= 400 => json!({"$ref": "#/components/schemas/Error"}),
            Value::Null => return Err(vec![format!("{path} has no response {status}")]),
            schema => schema.clone(),
        };
        let errors = self.validator(schema)?;
        let errors: Vec<_> = errors
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn validator(&self, schema: Value) -> Result<Validator, Vec<String>> {
        let mut root = schema.as_object().cloned().unwrap_or_else(Map::new);
        root.insert("components".to_owned(), self.document["components"].clone());
        jsonschema::options()
            .should_validate_formats(true)
            .build(&Value::Object(root))
            .map_err(|error| vec![error.to_string()])
    }
}

/// Translates OpenAPI 3.0's `nullable` to the type `null` of JSON Schema.
fn translate(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(translate),
        Value::Object(fields) => {
            fields.values_mut().for_each(translate);
            // A property may also be called `nullable`, but only the keyword is a boolean.
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                fields.remove("nullable");
                if let Some(kind) = fields.get_mut("type") {
                    *kind = json!([kind, "null"]);
                }
                if let Some(Value::Array(values)) = fields.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
        }
        _ => {}
    }
}
