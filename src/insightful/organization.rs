//! The organisation that a token and the records belong to, which shows that two integrations write to one organisation.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

const FIELD: &str = "organizationId";

/// The organisations that records name.
pub(super) type Organizations = BTreeSet<String>;

/// Adds the organisation that a record names.
pub(super) fn note(organizations: &mut Organizations, record: &Value) {
    if let Some(id) = id(record)
        && !organizations.contains(id)
    {
        organizations.insert(id.to_owned());
    }
}

/// The organisation that a token names. Only Insightful can verify the token, and not every token is a JWT.
pub(super) fn of_token(token: &str) -> Option<String> {
    let [_header, payload, _signature] = token.trim().split('.').collect::<Vec<_>>()[..] else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    id(&serde_json::from_slice(&payload).ok()?).map(str::to_owned)
}

/// The one that all records name, since they are what is written; else the token's.
pub(super) fn of(records: Organizations, token: Option<&str>) -> Option<String> {
    let mut records = records.into_iter();
    match (records.next(), records.next()) {
        (Some(only), None) => Some(only),
        _ => token.map(str::to_owned),
    }
}

fn id(record: &Value) -> Option<&str> {
    record[FIELD].as_str().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_names_its_organisation_if_it_is_a_jwt() {
        let jwt = |payload: &str| format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        for (token, expected) in [
            (
                jwt(r#"{"organizationId":"wbtmikjuiimvh3z","x":"??>>"}"#),
                Some("wbtmikjuiimvh3z"),
            ),
            (format!(" {}\n", jwt(r#"{"organizationId":"w1"}"#)), Some("w1")),
            (jwt(r#"{"organizationId":7}"#), None),
            (jwt(r#"{"organizationId":""}"#), None),
            (jwt("[]"), None),
            (jwt("no JSON"), None),
            ("a.!.c".to_owned(), None),
            ("an-opaque-token".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(of_token(&token).as_deref(), expected, "{token}");
        }
    }

    #[test]
    fn the_records_tell_before_the_token() {
        let named = |ids: &[Value]| {
            let mut organizations = Organizations::new();
            for id in ids {
                note(&mut organizations, &json!({ "id": "e1", "organizationId": id }));
            }
            organizations
        };
        for (records, token, expected) in [
            (
                named(&[json!("a"), json!("a"), json!(null)]),
                Some("b"),
                Some("a"),
            ),
            (named(&[json!("a"), json!("b")]), Some("b"), Some("b")),
            (named(&[json!("a"), json!("b")]), None, None),
            (named(&[json!(""), json!(3)]), Some("b"), Some("b")),
            (named(&[]), None, None),
        ] {
            assert_eq!(of(records, token).as_deref(), expected);
        }
    }
}
