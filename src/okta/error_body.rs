use reqwest::header::WWW_AUTHENTICATE;
use serde_json::Value;

use crate::http::{ErrorBody, Response, clip};

const MAX_MESSAGE_CHARS: usize = 200;

const MAX_CODE_CHARS: usize = 30;

/// Any field may be absent, null or of another type: the others count nevertheless.
pub(super) fn parse(response: &Response) -> ErrorBody {
    let body = json(response);
    let text = |field: &str| body[field].as_str();
    // The token endpoint answers by RFC 6749, and a refused proof may have a challenge alone.
    let summary = text("errorSummary")
        .or(text("error_description"))
        .or_else(|| challenges(response).find_map(description));
    let sentences: Vec<&str> = summary.into_iter().chain(causes(&body)).collect();
    ErrorBody {
        status: response.status.as_u16(),
        code: text("errorCode")
            .or(text("error"))
            .map(|code| clip(code, MAX_CODE_CHARS)),
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

/// Whether a challenge (RFC 6750 and 9449) has this error.
pub(super) fn is_challenge(response: &Response, error: &str) -> bool {
    challenges(response).any(|challenge| challenge.contains(error))
}

fn challenges(response: &Response) -> impl Iterator<Item = &str> {
    let challenges = response.headers.get_all(WWW_AUTHENTICATE).iter();
    challenges.filter_map(|challenge| challenge.to_str().ok())
}

fn description(challenge: &str) -> Option<&str> {
    let (_, after) = challenge.split_once("error_description=\"")?;
    after.split('"').next()
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn causes(body: &Value) -> impl Iterator<Item = &str> {
    let causes = body["errorCauses"].as_array().into_iter().flatten();
    causes.filter_map(|cause| cause["errorSummary"].as_str())
}
