//! Validation of parameters. As in the real service, a response lists all violations.

use serde_json::{Map, Value, json};

const ID_LENGTH: usize = 15;

/// An error response. `retry_after` is in seconds.
pub(super) struct Refused {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<u128>,
}

impl Refused {
    pub fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            retry_after: None,
        }
    }
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Email,
    Id,
    Flag,
    Ids,
}

/// A field of a request's body.
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

/// The body's fields, or a 422 with all violations.
pub(super) fn body(bytes: &[u8], fields: &[Field]) -> Result<Map<String, Value>, Refused> {
    let Ok(Value::Object(body)) = serde_json::from_slice(bytes) else {
        let message = "The body must be a JSON object!";
        return Err(Refused::new(
            400,
            json!({"type": "BAD_REQUEST", "message": message}),
        ));
    };
    let mut details = Vec::new();
    for field in fields {
        match body.get(field.name) {
            None | Some(Value::Null) if field.required => {
                details.push(detail("required", field.name, "is required"))
            }
            None => {}
            Some(value) => details.extend(wrong(field, value)),
        }
    }
    for name in body
        .keys()
        .filter(|name| fields.iter().all(|field| field.name != *name))
    {
        details.push(json!({
            "type": "objectStrict",
            "field": name,
            "message": format!("The object contains the invalid key '{name}'!"),
        }));
    }
    if details.is_empty() {
        Ok(body)
    } else {
        Err(refusal(details))
    }
}

/// Checks the length of an id in the path.
pub(super) fn id(id: &str) -> Result<(), Refused> {
    wrong_length("id", id).map_or(Ok(()), |detail| Err(refusal(vec![detail])))
}

pub(super) fn refusal(details: Vec<Value>) -> Refused {
    let message = "Parameters validation error!";
    Refused::new(
        422,
        json!({"type": "VALIDATION_ERROR", "message": message, "details": details}),
    )
}

fn wrong(field: &Field, value: &Value) -> Option<Value> {
    let name = field.name;
    match (field.kind, value) {
        (Kind::Flag, Value::Bool(_)) => None,
        (Kind::Flag, _) => Some(detail("boolean", name, "must be a boolean")),
        (Kind::Ids, Value::Array(items)) => items.iter().find_map(|item| match item.as_str() {
            Some(id) => wrong_length(name, id),
            None => Some(detail("string", name, "must be a list of strings")),
        }),
        (Kind::Ids, _) => Some(detail("array", name, "must be an array")),
        (Kind::Text | Kind::Email, Value::String(text))
            if text.trim().is_empty() && name != "description" && name != "title" =>
        {
            Some(detail("stringEmpty", name, "must not be empty"))
        }
        (Kind::Email, Value::String(text)) if !is_email(text) => {
            Some(detail("email", name, "must be a valid e-mail"))
        }
        (Kind::Id, Value::String(text)) => wrong_length(name, text),
        (_, Value::String(_)) => None,
        _ => Some(detail("string", name, "must be a string")),
    }
}

fn wrong_length(field: &str, id: &str) -> Option<Value> {
    let actual = id.chars().count();
    (actual != ID_LENGTH).then(|| {
        json!({
            "type": "stringLength",
            "expected": ID_LENGTH,
            "actual": actual,
            "field": field,
            "message": format!("The '{field}' field length must be {ID_LENGTH} characters long!"),
        })
    })
}

fn detail(kind: &str, field: &str, rule: &str) -> Value {
    json!({"type": kind, "field": field, "message": format!("The '{field}' field {rule}!")})
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let clean = |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace());
    clean(local)
        && clean(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}
