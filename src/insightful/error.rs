use std::time::Duration;

use super::error_body;
use crate::http::{Call, ErrorBody, HttpError, Response, Retryability, retry_after};

/// Why a write failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The write had no effect: it was refused or never sent.
    #[error("nothing was changed: {0}")]
    Refused(#[source] InsightfulError),
    /// The write may have had its effect: read the record before the next write.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(#[source] InsightfulError),
}

impl WriteError {
    pub fn error(&self) -> &InsightfulError {
        match self {
            Self::Refused(error) | Self::OutcomeUnknown(error) => error,
        }
    }

    /// Why Insightful rejected what was written, if it did: it would reject the same again.
    pub fn rejected_value(&self) -> Option<&ErrorBody> {
        match self {
            Self::Refused(InsightfulError::Invalid { body, .. } | InsightfulError::Refused { body, .. }) => {
                Some(body)
            }
            _ => None,
        }
    }

    /// A write with an unknown outcome must be read before it is retried.
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::Refused(error) => error.retryability(),
            Self::OutcomeUnknown(_) => Retryability::Retry,
        }
    }

    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.reason(),
            Self::OutcomeUnknown(_) => "OutcomeUnknown",
        }
    }
}

impl From<InsightfulError> for WriteError {
    fn from(error: InsightfulError) -> Self {
        let had_no_effect = match &error {
            InsightfulError::InvalidUrl { .. }
            | InsightfulError::Invalid { .. }
            | InsightfulError::Refused { .. }
            | InsightfulError::RateLimited { .. } => true,
            InsightfulError::Http(error) => error.had_no_effect(),
        };
        if had_no_effect {
            Self::Refused(error)
        } else {
            Self::OutcomeUnknown(error)
        }
    }
}

impl From<HttpError> for WriteError {
    fn from(error: HttpError) -> Self {
        InsightfulError::from(error).into()
    }
}

/// Why a call to Insightful failed. Messages name the call and what to do; they never contain the
/// token.
#[derive(Debug, thiserror::Error)]
pub enum InsightfulError {
    #[error("insightful.url {problem}. It is the URL of the API, such as https://app.insightful.io/api/v1")]
    InvalidUrl {
        /// Completes the sentence.
        problem: String,
    },
    #[error("{call}: Insightful rejected a value ({body}). Correct it in Okta or in the integration")]
    Invalid { call: Call, body: Box<ErrorBody> },
    /// For another reason, such as an email that is taken.
    #[error("{call}: Insightful rejected the request ({body})")]
    Refused { call: Call, body: Box<ErrorBody> },
    /// The call had no effect.
    #[error("{call}: the organisation's rate limit is used up ({body})")]
    RateLimited {
        call: Call,
        body: Box<ErrorBody>,
        /// From `Retry-After`.
        wait: Option<Duration>,
    },
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl InsightfulError {
    /// The error in a response that is no success.
    pub(super) fn from_response(call: &Call, response: &Response) -> Self {
        let call = call.clone();
        let body = Box::new(error_body::parse(response));
        let error = match response.status.as_u16() {
            401 => HttpError::TokenRefused { call, body },
            403 => HttpError::NotPermitted { call, body },
            404 => HttpError::NotFound { call, body },
            422 => return Self::Invalid { call, body },
            429 => {
                return Self::RateLimited {
                    call,
                    body,
                    wait: retry_after(&response.headers),
                };
            }
            408 | 500..=599 => HttpError::Unavailable { call, body },
            300..=399 => HttpError::redirected(&call, response),
            400..=499 => return Self::Refused { call, body },
            status => HttpError::invalid_response(&call, format!("has the unknown status {status}")),
        };
        error.into()
    }

    pub fn retryability(&self) -> Retryability {
        match self {
            Self::RateLimited { wait: Some(wait), .. } => Retryability::WaitFor(*wait),
            Self::RateLimited { wait: None, .. } => Retryability::Retry,
            Self::InvalidUrl { .. } | Self::Invalid { .. } | Self::Refused { .. } => Retryability::Permanent,
            Self::Http(error) => error.retryability(),
        }
    }

    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "InvalidUrl",
            Self::Invalid { .. } => "Invalid",
            Self::Refused { .. } => "Refused",
            Self::RateLimited { .. } => "RateLimited",
            Self::Http(error) => error.reason(),
        }
    }

    /// Whether the client itself retries a read.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } => true,
            Self::Http(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether Insightful itself, rather than a proxy, says that the record does not exist: by its
    /// code, or because the ID is invalid.
    pub(super) fn is_nonexistent(&self) -> bool {
        match self {
            Self::Http(HttpError::NotFound { body, .. }) => {
                matches!(body.code.as_deref(), Some("EntityNotFound" | "NOT_FOUND"))
            }
            Self::Invalid { body, .. } => body.fields == ["id"],
            _ => false,
        }
    }

    /// Whether a deactivation was rejected because the employee is deactivated already. Sources
    /// disagree on the status, but not on the sentence.
    pub(super) fn is_already_deactivated(&self) -> bool {
        match self {
            Self::Refused { body, .. } | Self::Invalid { body, .. } => body
                .message
                .as_deref()
                .is_some_and(|message| message.to_lowercase().contains("already deactivated")),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use url::Url;

    use super::*;
    use crate::http::{Service, response};

    fn error(status: u16, body: &str, headers: &[(&'static str, &str)]) -> InsightfulError {
        let url = Url::parse("https://app.insightful.io/api/v1/employee/w1").unwrap();
        let call = Call::new(Service::Insightful, Method::PUT, &url);
        InsightfulError::from_response(&call, &response(status, body, headers))
    }

    #[test]
    fn each_response_has_its_reason_retryability_and_effect() {
        use Retryability::{Permanent, Retry, WaitFor};
        let soon = [("retry-after", "7")];
        for (status, headers, reason, retryability, no_effect) in [
            (400, &[][..], "Refused", Permanent, true),
            (401, &[], "TokenRefused", Permanent, true),
            (403, &[], "NotPermitted", Permanent, true),
            (404, &[], "NotFound", Retry, true),
            (409, &[], "Refused", Permanent, true),
            (422, &[], "Invalid", Permanent, true),
            (429, &[], "RateLimited", Retry, true),
            (429, &soon, "RateLimited", WaitFor(Duration::from_secs(7)), true),
            (408, &[], "Unavailable", Retry, false),
            (500, &[], "Unavailable", Retry, false),
            (504, &[], "Unavailable", Retry, false),
            (303, &[], "Redirected", Permanent, false),
        ] {
            let error = error(status, "", headers);
            assert_eq!(
                (error.reason(), error.retryability()),
                (reason, retryability),
                "{status}"
            );
            let write = WriteError::from(error);
            assert_eq!(matches!(write, WriteError::Refused(_)), no_effect, "{status}");
            assert_eq!(write.reason() == "OutcomeUnknown", !no_effect, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (header, seconds) in [
            ("30", Some(30)),
            ("0", Some(1)),
            ("99999", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("soon", None),
        ] {
            let InsightfulError::RateLimited { wait, .. } = error(429, "", &[date, ("retry-after", header)])
            else {
                panic!("not a rate limit");
            };
            assert_eq!(wait, seconds.map(Duration::from_secs), "{header}");
        }
    }

    #[test]
    fn a_message_names_the_invalid_fields_and_is_cut() {
        let detail = r#"{"type":"required","field":"name","message":"The 'name' field is required!"}"#;
        let body = format!(
            r#"{{"type":"VALIDATION_ERROR","message":"Parameters validation error!","details":[{}]}}"#,
            vec![detail; 100].join(",")
        );
        let message = error(422, &body, &[]).to_string();
        assert!(message.contains("PUT /api/v1/employee/w1"), "{message}");
        assert!(
            message.contains("Parameters validation error! The 'name' field is required!"),
            "{message}"
        );
        assert!(message.chars().count() < 500, "{message}");
    }

    #[test]
    fn only_insightful_itself_says_that_a_record_does_not_exist() {
        for (status, body, nonexistent) in [
            (
                404,
                r#"{"type":"EntityNotFound","message":"Employee doesn't exist."}"#,
                true,
            ),
            (404, r#"{"type":"NOT_FOUND","message":"Not found"}"#, true),
            (404, "<html>No such site</html>", false),
            (
                422,
                r#"{"details":[{"type":"stringLength","field":"id","message":"15"}]}"#,
                true,
            ),
            (
                422,
                r#"{"details":[{"type":"required","field":"name","message":"name"}]}"#,
                false,
            ),
            (409, r#"{"type":"NOT_FOUND"}"#, false),
        ] {
            assert_eq!(
                error(status, body, &[]).is_nonexistent(),
                nonexistent,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_repeated_deactivation_is_recognised_by_its_sentence() {
        let body = r#"{"message":"Employee is already deactivated"}"#;
        assert!(error(400, body, &[]).is_already_deactivated());
        assert!(error(409, body, &[]).is_already_deactivated());
        assert!(!error(500, body, &[]).is_already_deactivated());
        assert!(!error(409, r#"{"message":"Conflict"}"#, &[]).is_already_deactivated());
    }
}
