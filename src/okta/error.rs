use std::time::Duration;

use super::error_body;
use super::rate_limit::RateHeaders;
use crate::http::{Call, ErrorBody, HttpError, Response, Retryability};

/// Why Okta could not be read. Messages name the call and what to do; they contain neither the
/// token nor a query.
#[derive(Debug, thiserror::Error)]
pub enum OktaError {
    #[error("orgUrl {problem}. It is the URL of the Okta org, such as https://acme.okta.com")]
    InvalidOrgUrl {
        /// Completes the sentence.
        problem: String,
    },
    #[error("{call}: Okta rejected the request ({body}). Check orgUrl and groupPrefix")]
    InvalidRequest { call: Call, body: Box<ErrorBody> },
    /// The org has no calls left in this window.
    #[error("{call}: the org's rate limit is used up ({body}); more calls are possible in {} s", .wait.as_secs())]
    RateLimited {
        call: Call,
        body: Box<ErrorBody>,
        /// Until the next window.
        wait: Duration,
    },
    /// A 429 that is about concurrent calls, or that does not say when to retry.
    #[error("{call}: the org has too many concurrent calls ({body})")]
    ConcurrencyLimited { call: Call, body: Box<ErrorBody> },
    /// Nothing was sent.
    #[error(
        "{call}: our share of the org's rate limit is used up; more calls are possible in {} s. rateLimitPercent \
         sets the share",
        .wait.as_secs()
    )]
    RateLimitShareUsed {
        call: Call,
        /// Until the next window.
        wait: Duration,
    },
    #[error("{call}: could not determine what changed in Okta ({problem}); falling back to a full sync")]
    DeltaUnusable { call: Call, problem: String },
    #[error("{call}: Okta's pagination is a loop, so the list cannot be read to its end")]
    PaginationLoop { call: Call },
    /// The next page has another origin, which must not get the token.
    #[error("{call}: Okta's next page is at {origin} instead of orgUrl. Set orgUrl to the org's own URL")]
    CrossOriginPagination { call: Call, origin: String },
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl OktaError {
    /// The error in a response whose status is not 200.
    pub(super) fn from_response(call: &Call, response: &Response, rate: Option<RateHeaders>) -> Self {
        let call = call.clone();
        let body = Box::new(error_body::parse(response));
        let error = match (response.status.as_u16(), body.code.as_deref()) {
            (429, _) => {
                return match rate {
                    Some(rate) if !rate.is_concurrency() => Self::RateLimited {
                        call,
                        body,
                        wait: rate.wait,
                    },
                    _ => Self::ConcurrencyLimited { call, body },
                };
            }
            (401, Some("E0000015")) => HttpError::NotPermitted { call, body },
            (401, _) | (403, Some("E0000005")) => HttpError::TokenRefused { call, body },
            (403, _) | (405, Some("E0000022")) => HttpError::NotPermitted { call, body },
            (404, _) => HttpError::NotFound { call, body },
            (408 | 500..=599, _) => HttpError::Unavailable { call, body },
            (300..=399, _) => HttpError::redirected(&call, response),
            (status @ 100..=299, _) => {
                HttpError::invalid_response(&call, format!("has status {status} instead of 200"))
            }
            _ => return Self::InvalidRequest { call, body },
        };
        error.into()
    }

    pub fn retryability(&self) -> Retryability {
        match self {
            Self::RateLimited { wait, .. } | Self::RateLimitShareUsed { wait, .. } => {
                Retryability::WaitFor(*wait)
            }
            Self::ConcurrencyLimited { .. } | Self::DeltaUnusable { .. } | Self::PaginationLoop { .. } => {
                Retryability::Retry
            }
            Self::InvalidOrgUrl { .. } | Self::InvalidRequest { .. } | Self::CrossOriginPagination { .. } => {
                Retryability::Permanent
            }
            Self::Http(error) => error.retryability(),
        }
    }

    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidOrgUrl { .. } => "InvalidOrgUrl",
            Self::InvalidRequest { .. } => "InvalidRequest",
            Self::RateLimited { .. } => "RateLimited",
            Self::ConcurrencyLimited { .. } => "ConcurrencyLimited",
            Self::RateLimitShareUsed { .. } => "RateLimitShareUsed",
            Self::DeltaUnusable { .. } => "DeltaUnusable",
            Self::PaginationLoop { .. } => "PaginationLoop",
            Self::CrossOriginPagination { .. } => "CrossOriginPagination",
            Self::Http(error) => error.reason(),
        }
    }

    /// Whether the client itself retries the read.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            error => error.rate_limited().is_some(),
        }
    }

    pub(super) fn is_internal_error(&self) -> bool {
        matches!(self, Self::Http(HttpError::Unavailable { body, .. }) if body.status == 500)
    }

    /// The body of a 429.
    pub(super) fn rate_limited(&self) -> Option<&ErrorBody> {
        match self {
            Self::RateLimited { body, .. } | Self::ConcurrencyLimited { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Whether Okta itself, rather than a proxy, says that the record does not exist.
    pub(super) fn is_nonexistent(&self) -> bool {
        matches!(self, Self::Http(HttpError::NotFound { body, .. }) if body.code.as_deref() == Some("E0000007"))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use url::Url;

    use super::*;
    use crate::http::{Service, response};

    fn error(status: u16, body: &str, headers: &[(&'static str, &str)]) -> OktaError {
        let url = Url::parse("https://acme.okta.com/api/v1/users?after=cursor").unwrap();
        let response = response(status, body, headers);
        OktaError::from_response(
            &Call::new(Service::Okta, Method::GET, &url),
            &response,
            RateHeaders::read(&response.headers),
        )
    }

    #[test]
    fn each_response_has_its_reason_and_retryability() {
        use Retryability::{Permanent, Retry, WaitFor};
        let window = |limit| {
            [
                ("x-rate-limit-limit", limit),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "784111807"),
                ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ]
        };
        for (status, code, headers, reason, retryability) in [
            (400, "E0000031", &[][..], "InvalidRequest", Permanent),
            (401, "E0000011", &[], "TokenRefused", Permanent),
            (401, "E0000004", &[], "TokenRefused", Permanent),
            (401, "E0000015", &[], "NotPermitted", Permanent),
            (403, "E0000005", &[], "TokenRefused", Permanent),
            (403, "E0000006", &[], "NotPermitted", Permanent),
            (405, "E0000022", &[], "NotPermitted", Permanent),
            (404, "E0000007", &[], "NotFound", Retry),
            (408, "", &[], "Unavailable", Retry),
            (
                429,
                "E0000047",
                &window("600"),
                "RateLimited",
                WaitFor(Duration::from_secs(31)),
            ),
            (429, "E0000047", &window("0"), "ConcurrencyLimited", Retry),
            (429, "E0000047", &[], "ConcurrencyLimited", Retry),
            (500, "E0000009", &[], "Unavailable", Retry),
            (503, "E0000010", &[], "Unavailable", Retry),
            (
                302,
                "",
                &[("location", "https://login.evil.test/x?token=1")],
                "Redirected",
                Permanent,
            ),
            (204, "", &[], "InvalidResponse", Retry),
            (418, "", &[], "InvalidRequest", Permanent),
        ] {
            let body =
                format!(r#"{{"errorCode":"{code}","errorSummary":"why","errorId":"oae1","errorCauses":[]}}"#);
            let error = error(status, &body, headers);
            assert_eq!(
                (error.reason(), error.retryability()),
                (reason, retryability),
                "{status} {code}"
            );
            let message = error.to_string();
            assert!(message.starts_with("GET /api/v1/users: "), "{message}");
            assert!(
                !message.contains("cursor") && !message.contains("token=1"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_message_contains_oktas_error() {
        let body = r#"{"errorCode":"E0000001","errorSummary":"Api validation failed","errorId":"oae1",
            "errorCauses":[{"errorSummary":"limit: must be less"}]}"#;
        let message = error(400, body, &[("x-okta-request-id", "req1")]).to_string();
        let expected = r#"(HTTP 400 E0000001 "Api validation failed: limit: must be less", request req1)"#;
        assert!(message.contains(expected), "{message}");
        let message = error(502, "<html>Bad gateway</html>", &[]).to_string();
        assert!(message.contains("(HTTP 502)"), "{message}");
    }

    #[test]
    fn only_okta_itself_says_that_a_user_does_not_exist() {
        assert!(error(404, r#"{"errorCode":"E0000007"}"#, &[]).is_nonexistent());
        assert!(!error(404, "<html>No such site</html>", &[]).is_nonexistent());
        assert!(!error(400, r#"{"errorCode":"E0000007"}"#, &[]).is_nonexistent());
    }
}
