use serde_json::Value;

use crate::http::{ErrorBody, Response, clip};

const MAX_MESSAGE_CHARS: usize = 200;

/// Any field may be absent, null or of another type: the others count nevertheless.
pub(super) fn parse(response: &Response) -> ErrorBody {
    let body = json(response);
    let text = |field: &str| body[field].as_str();
    let sentences: Vec<&str> = text("errorSummary").into_iter().chain(causes(&body)).collect();
    ErrorBody {
        status: response.status.as_u16(),
        code: text("errorCode").map(|code| clip(code, 20)),
        message: (!sentences.is_empty()).then(|| clip(&sentences.join(": "), MAX_MESSAGE_CHARS)),
        request_id: response
            .headers
            .get("x-okta-request-id")
            .and_then(|id| id.to_str().ok())
            .or(text("errorId"))
            .map(|id| clip(id, 64)),
        fields: Vec::new(),
    }
}

/// Whether a cause is the cursor of the page. Okta has the same code for a search that is wrong.
pub(super) fn is_about_the_cursor(response: &Response) -> bool {
    causes(&json(response)).any(|cause| cause == "Invalid cursor.")
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn causes(body: &Value) -> impl Iterator<Item = &str> {
    let causes = body["errorCauses"].as_array().into_iter().flatten();
    causes.filter_map(|cause| cause["errorSummary"].as_str())
}
