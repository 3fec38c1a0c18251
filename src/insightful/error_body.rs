use serde_json::Value;

use crate::http::{ErrorBody, Response, clip};

const MAX_MESSAGE_CHARS: usize = 300;

/// Any field may be absent, null or of another type: the others count nevertheless.
pub(super) fn parse(response: &Response) -> ErrorBody {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |field: &str| body[field].as_str();
    let details = || body["details"].as_array().into_iter().flatten();
    let messages = details().filter_map(|detail| detail["message"].as_str());
    let sentences: Vec<&str> = text("message").into_iter().chain(messages).collect();
    ErrorBody {
        status: response.status.as_u16(),
        code: text("type").map(|code| clip(code, 40)),
        message: (!sentences.is_empty()).then(|| clip(&sentences.join(" "), MAX_MESSAGE_CHARS)),
        request_id: None,
        fields: details()
            .filter_map(|detail| detail["field"].as_str().map(str::to_owned))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response;

    #[test]
    fn a_field_that_is_null_or_of_another_type_loses_no_other() {
        for (body, message, fields) in [
            (
                r#"{"type":"VALIDATION_ERROR","message":"why","details":null}"#,
                "why",
                &[][..],
            ),
            (
                r#"{"type":"VALIDATION_ERROR","message":"why","details":"none"}"#,
                "why",
                &[],
            ),
            (
                r#"{"type":"VALIDATION_ERROR","message":null,"details":[null,{"field":"email","message":"why"},{"field":7}]}"#,
                "why",
                &["email"],
            ),
        ] {
            let parsed = parse(&response(422, body, &[]));
            assert_eq!(parsed.code.as_deref(), Some("VALIDATION_ERROR"), "{body}");
            assert_eq!(parsed.message.as_deref(), Some(message), "{body}");
            assert_eq!(parsed.fields, fields, "{body}");
        }
    }
}
