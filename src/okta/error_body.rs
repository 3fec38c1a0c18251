use serde::Deserialize;

use crate::http::{ErrorBody, Response, clip};

const MAX_MESSAGE_CHARS: usize = 200;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    error_code: Option<String>,
    error_summary: Option<String>,
    error_id: Option<String>,
    error_causes: Vec<Cause>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Cause {
    error_summary: Option<String>,
}

pub(super) fn parse(response: &Response) -> ErrorBody {
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    let causes = body
        .error_causes
        .into_iter()
        .filter_map(|cause| cause.error_summary);
    let sentences: Vec<String> = body.error_summary.into_iter().chain(causes).collect();
    ErrorBody {
        status: response.status.as_u16(),
        code: body.error_code.map(|code| clip(&code, 20)),
        message: (!sentences.is_empty()).then(|| clip(&sentences.join(": "), MAX_MESSAGE_CHARS)),
        request_id: response
            .headers
            .get("x-okta-request-id")
            .and_then(|id| id.to_str().ok().map(str::to_owned))
            .or(body.error_id)
            .map(|id| clip(&id, 64)),
        fields: Vec::new(),
    }
}
