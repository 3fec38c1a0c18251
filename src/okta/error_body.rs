//! What Okta says when it refuses.

use std::fmt;

use serde::Deserialize;

use crate::http::{Answer, clip};

/// Longest of Okta's texts in a message, in characters.
const LONGEST_TEXT: usize = 200;

/// What Okta's answer said, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorBody {
    /// HTTP status.
    pub status: u16,
    /// Okta's stable error code, such as `E0000011`; None if the body is not Okta's.
    pub code: Option<String>,
    /// Okta's sentence, with its causes.
    pub summary: Option<String>,
    /// What Okta's support finds the request by.
    pub request_id: Option<String>,
}

impl ErrorBody {
    pub(super) fn of(answer: &Answer) -> Self {
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
        let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
        let causes = body
            .error_causes
            .into_iter()
            .filter_map(|cause| cause.error_summary);
        let sentences: Vec<String> = body.error_summary.into_iter().chain(causes).collect();
        Self {
            status: answer.status.as_u16(),
            code: body.error_code.map(|code| clip(&code, 20)),
            summary: (!sentences.is_empty()).then(|| clip(&sentences.join(": "), LONGEST_TEXT)),
            request_id: answer
                .headers
                .get("x-okta-request-id")
                .and_then(|id| id.to_str().ok().map(str::to_owned))
                .or(body.error_id)
                .map(|id| clip(&id, 64)),
        }
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(summary) = &self.summary {
            write!(f, " \"{summary}\"")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}
