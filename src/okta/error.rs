//! Why Okta could not be read, and what to do about it.

use std::time::Duration;

use super::ErrorBody;
use super::rate_limit::RateHeaders;
use crate::http::{Answer, Call, HttpError, NoAnswer, Retryability, Service};

/// Why Okta could not be read. Messages name the call and what to do; they hold neither the
/// token nor a query.
#[derive(Debug, thiserror::Error)]
pub enum OktaError {
    /// The configured address cannot be an org's.
    #[error("orgUrl {problem}; it is the address of the Okta org, such as https://acme.okta.com")]
    InvalidOrgUrl {
        /// Completes the sentence.
        problem: String,
    },
    /// The configured token cannot be one.
    #[error("the Okta API token {problem}: put the token, and nothing else, into the Secret")]
    InvalidToken {
        /// Completes the sentence.
        problem: &'static str,
    },
    /// An id that cannot be Okta's; nothing was sent.
    #[error("{id:?} is no Okta id")]
    InvalidId {
        /// The id.
        id: String,
    },
    /// Okta does not know the token any more.
    #[error(
        "{call}: Okta refuses the API token ({refusal}). A token dies with its creator's account and after 30 \
         days without use: make a new one and put it into the Secret"
    )]
    TokenRefused {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
    },
    /// The token may not do this.
    #[error(
        "{call}: the API token may not do this ({refusal}). It has the admin role of its creator: that role must \
         be allowed to view users and groups, as the Read-Only Administrator is"
    )]
    NotPermitted {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
    },
    /// Okta says that the request is wrong.
    #[error("{call}: Okta does not accept the request ({refusal}). Check orgUrl and groupPrefix")]
    InvalidRequest {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
    },
    /// What was asked for is not there, or not there any more.
    #[error("{call}: not found ({refusal}). If it was deleted meanwhile, the next sync will not ask for it")]
    NotFound {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
    },
    /// The org's calls of this window are used up.
    #[error("{call}: the org's rate limit is used up ({refusal}); Okta answers again in {} s", .wait.as_secs())]
    RateLimited {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
        /// Until the next window.
        wait: Duration,
    },
    /// Too many calls at the same time, or too many without a word on when to come back.
    #[error("{call}: the org has too many calls at the same time ({refusal})")]
    Busy {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
    },
    /// The share of the org's calls that we may use is used up; nothing was sent.
    #[error(
        "{call}: our share of the org's rate limit is used up; the next calls are due in {} s. \
         rateLimitPercent sets the share",
        .wait.as_secs()
    )]
    ShareUsed {
        /// The call.
        call: Call,
        /// Until the next window.
        wait: Duration,
    },
    /// Okta failed.
    #[error("{call}: Okta is not available ({refusal}). See status.okta.com if this lasts")]
    Unavailable {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<ErrorBody>,
    },
    /// What is said to have changed is not to be trusted.
    #[error("{call}: what changed in Okta cannot be told ({what}): everything is read anew")]
    DeltaUnusable {
        /// The call.
        call: Call,
        /// Why.
        what: String,
    },
    /// A page names as its next one a page that was read before.
    #[error("{call}: Okta's pages go round in a circle, so the list cannot be read to its end")]
    PaginationLoop {
        /// The call.
        call: Call,
    },
    /// A page names a next one at another address, which must not get the token.
    #[error("{call}: Okta's next page is at {origin}, not at orgUrl. Set orgUrl to the org's own address")]
    CrossOriginPagination {
        /// The call.
        call: Call,
        /// Where the next page is said to be.
        origin: String,
    },
    /// There is no answer that can be used.
    #[error(transparent)]
    HttpError(#[from] HttpError),
}

impl OktaError {
    pub(super) fn without_answer(call: &Call, no_answer: NoAnswer) -> Self {
        HttpError::of(Service::Okta, call, no_answer).into()
    }

    /// `what` completes the sentence "Okta's answer …".
    pub(super) fn broken(call: &Call, what: impl Into<String>) -> Self {
        HttpError::broken(Service::Okta, call, what).into()
    }

    pub(super) fn unreadable(call: &Call, error: &serde_json::Error) -> Self {
        HttpError::unreadable(Service::Okta, call, error).into()
    }

    /// The error in an answer that is no success.
    pub(super) fn refused(call: &Call, answer: &Answer, rate: Option<RateHeaders>) -> Self {
        let call = call.clone();
        let refusal = Box::new(ErrorBody::of(answer));
        match (answer.status.as_u16(), refusal.code.as_deref()) {
            (429, _) => match rate {
                Some(rate) if !rate.is_concurrency() => Self::RateLimited {
                    call,
                    refusal,
                    wait: rate.wait,
                },
                _ => Self::Busy { call, refusal },
            },
            (401, Some("E0000015")) => Self::NotPermitted { call, refusal },
            (401, _) | (403, Some("E0000005")) => Self::TokenRefused { call, refusal },
            (403, _) | (405, Some("E0000022")) => Self::NotPermitted { call, refusal },
            (404, _) => Self::NotFound { call, refusal },
            (408 | 500..=599, _) => Self::Unavailable { call, refusal },
            (300..=399, _) => HttpError::redirected(Service::Okta, &call, answer).into(),
            (status @ 100..=299, _) => {
                Self::broken(&call, format!("has the status {status} where 200 is due"))
            }
            _ => Self::InvalidRequest { call, refusal },
        }
    }

    /// What to do about it.
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::RateLimited { wait, .. } | Self::ShareUsed { wait, .. } => Retryability::WaitFor(*wait),
            Self::NotFound { .. }
            | Self::Busy { .. }
            | Self::Unavailable { .. }
            | Self::DeltaUnusable { .. }
            | Self::PaginationLoop { .. } => Retryability::Retry,
            Self::InvalidOrgUrl { .. }
            | Self::InvalidToken { .. }
            | Self::InvalidId { .. }
            | Self::TokenRefused { .. }
            | Self::NotPermitted { .. }
            | Self::InvalidRequest { .. }
            | Self::CrossOriginPagination { .. } => Retryability::Permanent,
            Self::HttpError(why) => why.retryability(),
        }
    }

    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidOrgUrl { .. } => "InvalidOrgUrl",
            Self::InvalidToken { .. } => "InvalidToken",
            Self::InvalidId { .. } => "InvalidId",
            Self::TokenRefused { .. } => "TokenRefused",
            Self::NotPermitted { .. } => "NotPermitted",
            Self::InvalidRequest { .. } => "InvalidRequest",
            Self::NotFound { .. } => "NotFound",
            Self::RateLimited { .. } => "RateLimited",
            Self::Busy { .. } => "ConcurrencyLimited",
            Self::ShareUsed { .. } => "RateLimitShareUsed",
            Self::Unavailable { .. } => "Unavailable",
            Self::DeltaUnusable { .. } => "DeltaUnusable",
            Self::PaginationLoop { .. } => "PaginationLoop",
            Self::CrossOriginPagination { .. } => "CrossOriginPagination",
            Self::HttpError(why) => why.reason(),
        }
    }

    /// Whether the same call may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Busy { .. } | Self::Unavailable { .. } => true,
            Self::HttpError(why) => why.retryability() == Retryability::Retry,
            _ => false,
        }
    }

    pub(super) fn is_internal_error(&self) -> bool {
        matches!(self, Self::Unavailable { refusal, .. } if refusal.status == 500)
    }

    pub(super) fn too_many_calls(&self) -> Option<&ErrorBody> {
        match self {
            Self::RateLimited { refusal, .. } | Self::Busy { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Whether Okta itself, and not something before it, says that there is no such thing.
    pub(super) fn says_nonexistent(&self) -> bool {
        matches!(self, Self::NotFound { refusal, .. } if refusal.code.as_deref() == Some("E0000007"))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, StatusCode};
    use url::Url;

    use super::*;

    fn error(status: u16, body: &str, headers: &[(&'static str, &str)]) -> OktaError {
        let url = Url::parse("https://acme.okta.com/api/v1/users?after=cursor").unwrap();
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
            body: body.as_bytes().to_vec(),
        };
        OktaError::refused(
            &Call::new(Method::GET, &url),
            &answer,
            RateHeaders::read(&answer.headers),
        )
    }

    #[test]
    fn each_answer_has_its_reason_and_advice() {
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
    fn a_message_says_what_okta_said() {
        let body = r#"{"errorCode":"E0000001","errorSummary":"Api validation failed","errorId":"oae1",
            "errorCauses":[{"errorSummary":"limit: must be less"}]}"#;
        let message = error(400, body, &[("x-okta-request-id", "req1")]).to_string();
        let expected = r#"(HTTP 400 E0000001 "Api validation failed: limit: must be less", request req1)"#;
        assert!(message.contains(expected), "{message}");
        let message = error(502, "<html>Bad gateway</html>", &[]).to_string();
        assert!(message.contains("(HTTP 502)"), "{message}");
    }

    #[test]
    fn only_okta_itself_says_that_somebody_does_not_exist() {
        assert!(error(404, r#"{"errorCode":"E0000007"}"#, &[]).says_nonexistent());
        assert!(!error(404, "<html>No such site</html>", &[]).says_nonexistent());
        assert!(!error(400, r#"{"errorCode":"E0000007"}"#, &[]).says_nonexistent());
    }
}
