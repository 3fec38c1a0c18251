//! Why Okta could not be read, and what to do about it.

use std::time::Duration;

use super::Refusal;
use super::limits::RateHeaders;
use crate::transport::{Advice, Answer, Call, NoAnswer, Service, Unanswered};

/// Why Okta could not be read. Messages name the call and what to do; they hold neither the
/// token nor a query.
#[derive(Debug, thiserror::Error)]
pub enum OktaError {
    /// The configured address cannot be an org's.
    #[error("orgUrl {problem}; it is the address of the Okta org, such as https://acme.okta.com")]
    BadOrgUrl {
        /// Completes the sentence.
        problem: String,
    },
    /// The configured token cannot be one.
    #[error("the Okta API token {problem}: put the token, and nothing else, into the Secret")]
    BadToken {
        /// Completes the sentence.
        problem: &'static str,
    },
    /// An id that cannot be Okta's; nothing was sent.
    #[error("{id:?} is no Okta id")]
    BadId {
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
        refusal: Box<Refusal>,
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
        refusal: Box<Refusal>,
    },
    /// Okta says that the request is wrong.
    #[error("{call}: Okta does not accept the request ({refusal}). Check orgUrl and groupPrefix")]
    BadRequest {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<Refusal>,
    },
    /// What was asked for is not there, or not there any more.
    #[error("{call}: not found ({refusal}). If it was deleted meanwhile, the next sync will not ask for it")]
    NotFound {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<Refusal>,
    },
    /// The org's calls of this window are used up.
    #[error("{call}: the org's rate limit is used up ({refusal}); Okta answers again in {} s", .wait.as_secs())]
    RateLimited {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<Refusal>,
        /// Until the next window.
        wait: Duration,
    },
    /// Too many calls at the same time, or too many without a word on when to come back.
    #[error("{call}: the org has too many calls at the same time ({refusal})")]
    Busy {
        /// The call.
        call: Call,
        /// Okta's answer.
        refusal: Box<Refusal>,
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
        refusal: Box<Refusal>,
    },
    /// What is said to have changed is not to be trusted.
    #[error("{call}: what changed in Okta cannot be told ({what}): everything is read anew")]
    UnusableChanges {
        /// The call.
        call: Call,
        /// Why.
        what: String,
    },
    /// A page names as its next one a page that was read before.
    #[error("{call}: Okta's pages go round in a circle, so the list cannot be read to its end")]
    RepeatedNext {
        /// The call.
        call: Call,
    },
    /// A page names a next one at another address, which must not get the token.
    #[error("{call}: Okta's next page is at {origin}, not at orgUrl. Set orgUrl to the org's own address")]
    ForeignNext {
        /// The call.
        call: Call,
        /// Where the next page is said to be.
        origin: String,
    },
    /// There is no answer that can be used.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

impl OktaError {
    pub(super) fn without_answer(call: &Call, no_answer: NoAnswer) -> Self {
        Unanswered::of(Service::Okta, call, no_answer).into()
    }

    /// `what` completes the sentence "Okta's answer …".
    pub(super) fn broken(call: &Call, what: impl Into<String>) -> Self {
        Unanswered::broken(Service::Okta, call, what).into()
    }

    pub(super) fn unreadable(call: &Call, error: &serde_json::Error) -> Self {
        Unanswered::unreadable(Service::Okta, call, error).into()
    }

    /// The error in an answer that is no success.
    pub(super) fn refused(call: &Call, answer: &Answer, rate: Option<RateHeaders>) -> Self {
        let call = call.clone();
        let refusal = Box::new(Refusal::of(answer));
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
            (300..=399, _) => Unanswered::redirected(Service::Okta, &call, answer).into(),
            (status @ 100..=299, _) => {
                Self::broken(&call, format!("has the status {status} where 200 is due"))
            }
            _ => Self::BadRequest { call, refusal },
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> Advice {
        match self {
            Self::RateLimited { wait, .. } | Self::ShareUsed { wait, .. } => Advice::WaitFor(*wait),
            Self::NotFound { .. }
            | Self::Busy { .. }
            | Self::Unavailable { .. }
            | Self::UnusableChanges { .. }
            | Self::RepeatedNext { .. } => Advice::Retry,
            Self::BadOrgUrl { .. }
            | Self::BadToken { .. }
            | Self::BadId { .. }
            | Self::TokenRefused { .. }
            | Self::NotPermitted { .. }
            | Self::BadRequest { .. }
            | Self::ForeignNext { .. } => Advice::AskAHuman,
            Self::Unanswered(why) => why.advice(),
        }
    }

    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadOrgUrl { .. } => "BadOrgUrl",
            Self::BadToken { .. } => "BadToken",
            Self::BadId { .. } => "BadId",
            Self::TokenRefused { .. } => "TokenRefused",
            Self::NotPermitted { .. } => "NotPermitted",
            Self::BadRequest { .. } => "BadRequest",
            Self::NotFound { .. } => "NotFound",
            Self::RateLimited { .. } => "RateLimited",
            Self::Busy { .. } => "Busy",
            Self::ShareUsed { .. } => "RateLimitShareUsed",
            Self::Unavailable { .. } => "Unavailable",
            Self::UnusableChanges { .. } => "UnusableChanges",
            Self::RepeatedNext { .. } => "RepeatedNext",
            Self::ForeignNext { .. } => "ForeignNext",
            Self::Unanswered(why) => why.reason(),
        }
    }

    /// Whether the same call may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Busy { .. } | Self::Unavailable { .. } => true,
            Self::Unanswered(why) => why.advice() == Advice::Retry,
            _ => false,
        }
    }

    pub(super) fn is_internal_error(&self) -> bool {
        matches!(self, Self::Unavailable { refusal, .. } if refusal.status == 500)
    }

    pub(super) fn too_many_calls(&self) -> Option<&Refusal> {
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
        use Advice::{AskAHuman, Retry, WaitFor};
        let window = |limit| {
            [
                ("x-rate-limit-limit", limit),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "784111807"),
                ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ]
        };
        for (status, code, headers, reason, advice) in [
            (400, "E0000031", &[][..], "BadRequest", AskAHuman),
            (401, "E0000011", &[], "TokenRefused", AskAHuman),
            (401, "E0000004", &[], "TokenRefused", AskAHuman),
            (401, "E0000015", &[], "NotPermitted", AskAHuman),
            (403, "E0000005", &[], "TokenRefused", AskAHuman),
            (403, "E0000006", &[], "NotPermitted", AskAHuman),
            (405, "E0000022", &[], "NotPermitted", AskAHuman),
            (404, "E0000007", &[], "NotFound", Retry),
            (408, "", &[], "Unavailable", Retry),
            (
                429,
                "E0000047",
                &window("600"),
                "RateLimited",
                WaitFor(Duration::from_secs(31)),
            ),
            (429, "E0000047", &window("0"), "Busy", Retry),
            (429, "E0000047", &[], "Busy", Retry),
            (500, "E0000009", &[], "Unavailable", Retry),
            (503, "E0000010", &[], "Unavailable", Retry),
            (
                302,
                "",
                &[("location", "https://login.evil.test/x?token=1")],
                "Redirected",
                AskAHuman,
            ),
            (204, "", &[], "BrokenAnswer", Retry),
            (418, "", &[], "BadRequest", AskAHuman),
        ] {
            let body =
                format!(r#"{{"errorCode":"{code}","errorSummary":"why","errorId":"oae1","errorCauses":[]}}"#);
            let error = error(status, &body, headers);
            assert_eq!(
                (error.reason(), error.advice()),
                (reason, advice),
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
