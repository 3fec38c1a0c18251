//! Why a call to Insightful failed, whether it can have had an effect, and what to do about it.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::ErrorBody;
use crate::http::{Answer, Call, HttpError, NoAnswer, Retryability, Service, http_date, server_time};

/// No rate limit lasts longer, in seconds; a header that says so is wrong.
const LONGEST_WAIT: i64 = 3600;

/// A write that did not end well, by what that means for its effect.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The write certainly had no effect: it was refused, or never sent.
    #[error("nothing was changed: {0}")]
    Refused(#[source] InsightfulError),
    /// The write may have had its effect. Read before you write again.
    #[error("whether it was changed is not known: {0}")]
    OutcomeUnknown(#[source] InsightfulError),
}

impl WriteError {
    /// What happened.
    pub fn error(&self) -> &InsightfulError {
        match self {
            Self::Refused(error) | Self::OutcomeUnknown(error) => error,
        }
    }

    /// What to do about it. To retry a write whose outcome is not known is to read first.
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::Refused(error) => error.retryability(),
            Self::OutcomeUnknown(_) => Retryability::Retry,
        }
    }

    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.reason(),
            Self::OutcomeUnknown(_) => "OutcomeUnknown",
        }
    }
}

impl From<InsightfulError> for WriteError {
    fn from(error: InsightfulError) -> Self {
        use InsightfulError::*;
        let had_no_effect = match &error {
            // Refused before it was looked at, or never sent.
            InvalidUrl { .. }
            | InvalidToken { .. }
            | InvalidId { .. }
            | TokenRefused { .. }
            | NotPermitted { .. }
            | NotFound { .. }
            | Invalid { .. }
            | Refused { .. }
            | RateLimited { .. } => true,
            Unavailable { .. } => false,
            HttpError(why) => why.was_not_sent(),
        };
        if had_no_effect {
            Self::Refused(error)
        } else {
            Self::OutcomeUnknown(error)
        }
    }
}

/// Why a call to Insightful failed. Messages name the call and what to do, and never the token.
#[derive(Debug, thiserror::Error)]
pub enum InsightfulError {
    /// The configured address cannot be Insightful's.
    #[error("insightful.url {problem}; it is the API's address, such as https://app.insightful.io/api/v1")]
    InvalidUrl {
        /// Completes the sentence.
        problem: String,
    },
    /// The configured token cannot be one.
    #[error("the Insightful API token {problem}: put the token, and nothing else, into the Secret")]
    InvalidToken {
        /// Completes the sentence.
        problem: &'static str,
    },
    /// An id that cannot be Insightful's; nothing was sent.
    #[error("{id:?} is no Insightful id")]
    InvalidId {
        /// The id.
        id: String,
    },
    /// Insightful does not know the token.
    #[error(
        "{call}: Insightful refuses the API token ({refusal}): have an Admin make a new one and put it into the \
         Secret"
    )]
    TokenRefused {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
    },
    /// The token may not do this.
    #[error("{call}: the API token may not do this ({refusal}): it must be an Admin's WRITE token")]
    NotPermitted {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
    },
    /// What the call is about is not there, or not there any more.
    #[error("{call}: not found ({refusal}). If it was deleted meanwhile, the next sync will not ask for it")]
    NotFound {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
    },
    /// Insightful does not accept a value.
    #[error("{call}: Insightful does not accept a value ({refusal}). Correct it in Okta or the integration")]
    Invalid {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
    },
    /// Insightful refuses the call for another reason, such as an email that is taken.
    #[error("{call}: Insightful refuses ({refusal})")]
    Refused {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
    },
    /// The organisation has made too many calls; this one had no effect.
    #[error("{call}: the organisation's rate limit is used up ({refusal})")]
    RateLimited {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
        /// Until the next call may be made, where Insightful says.
        wait: Option<Duration>,
    },
    /// Insightful failed.
    #[error("{call}: Insightful is not available ({refusal})")]
    Unavailable {
        /// The call.
        call: Call,
        /// Insightful's answer.
        refusal: Box<ErrorBody>,
    },
    /// There is no answer that can be used.
    #[error(transparent)]
    HttpError(#[from] HttpError),
}

impl InsightfulError {
    pub(super) fn without_answer(call: &Call, no_answer: NoAnswer) -> Self {
        HttpError::of(Service::Insightful, call, no_answer).into()
    }

    /// `what` completes the sentence "Insightful's answer …".
    pub(super) fn broken(call: &Call, what: impl Into<String>) -> Self {
        HttpError::broken(Service::Insightful, call, what).into()
    }

    pub(super) fn unreadable(call: &Call, error: &serde_json::Error) -> Self {
        HttpError::unreadable(Service::Insightful, call, error).into()
    }

    /// The error in an answer that is no success.
    pub(super) fn refused(call: &Call, answer: &Answer) -> Self {
        let call = call.clone();
        let refusal = Box::new(ErrorBody::of(answer));
        match answer.status.as_u16() {
            401 => Self::TokenRefused { call, refusal },
            403 => Self::NotPermitted { call, refusal },
            404 => Self::NotFound { call, refusal },
            422 => Self::Invalid { call, refusal },
            429 => Self::RateLimited {
                call,
                refusal,
                wait: retry_after(&answer.headers),
            },
            408 | 500..=599 => Self::Unavailable { call, refusal },
            300..=399 => HttpError::redirected(Service::Insightful, &call, answer).into(),
            400..=499 => Self::Refused { call, refusal },
            status => Self::broken(&call, format!("has the unknown status {status}")),
        }
    }

    /// What to do about it.
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::RateLimited { wait: Some(wait), .. } => Retryability::WaitFor(*wait),
            Self::RateLimited { wait: None, .. } | Self::NotFound { .. } | Self::Unavailable { .. } => {
                Retryability::Retry
            }
            Self::InvalidUrl { .. }
            | Self::InvalidToken { .. }
            | Self::InvalidId { .. }
            | Self::TokenRefused { .. }
            | Self::NotPermitted { .. }
            | Self::Invalid { .. }
            | Self::Refused { .. } => Retryability::Permanent,
            Self::HttpError(why) => why.retryability(),
        }
    }

    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "InvalidUrl",
            Self::InvalidToken { .. } => "InvalidToken",
            Self::InvalidId { .. } => "InvalidId",
            Self::TokenRefused { .. } => "TokenRefused",
            Self::NotPermitted { .. } => "NotPermitted",
            Self::NotFound { .. } => "NotFound",
            Self::Invalid { .. } => "Invalid",
            Self::Refused { .. } => "Refused",
            Self::RateLimited { .. } => "RateLimited",
            Self::Unavailable { .. } => "Unavailable",
            Self::HttpError(why) => why.reason(),
        }
    }

    /// Whether the same read may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable { .. } => true,
            Self::HttpError(why) => why.retryability() == Retryability::Retry,
            _ => false,
        }
    }

    /// Whether Insightful itself, and not something before it, says that there is no such
    /// employee: by name, or because the id cannot be one.
    pub(super) fn says_nonexistent(&self) -> bool {
        match self {
            Self::NotFound { refusal, .. } => {
                matches!(refusal.kind.as_deref(), Some("EntityNotFound" | "NOT_FOUND"))
            }
            Self::Invalid { refusal, .. } => refusal.fields == ["id"],
            _ => false,
        }
    }

    /// Whether a deactivation was refused because somebody had done it before. Sources disagree
    /// on the status; the sentence is the same.
    pub(super) fn says_already_deactivated(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } | Self::Invalid { refusal, .. } => refusal
                .message
                .as_deref()
                .is_some_and(|message| message.to_lowercase().contains("already deactivated")),
            _ => false,
        }
    }
}

/// `Retry-After`, in seconds or as a time by the service's clock; at least a second.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let header = headers.get(RETRY_AFTER)?;
    let seconds = match header.to_str().ok()?.trim().parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => http_date(header)?.as_second() - server_time(headers).as_second(),
    };
    Some(Duration::from_secs(seconds.clamp(1, LONGEST_WAIT).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, StatusCode};
    use url::Url;

    use super::*;

    fn error(status: u16, body: &str, headers: &[(&'static str, &str)]) -> InsightfulError {
        let url = Url::parse("https://app.insightful.io/api/v1/employee/w1").unwrap();
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
            body: body.as_bytes().to_vec(),
        };
        InsightfulError::refused(&Call::new(Method::PUT, &url), &answer)
    }

    #[test]
    fn each_answer_has_its_reason_advice_and_effect() {
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
    fn a_message_names_the_fields_that_are_wrong_and_stays_short() {
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
    fn only_insightful_itself_says_that_somebody_does_not_exist() {
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
                error(status, body, &[]).says_nonexistent(),
                nonexistent,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_repeated_deactivation_is_told_by_its_sentence() {
        let body = r#"{"message":"Employee is already deactivated"}"#;
        assert!(error(400, body, &[]).says_already_deactivated());
        assert!(error(409, body, &[]).says_already_deactivated());
        assert!(!error(500, body, &[]).says_already_deactivated());
        assert!(!error(409, r#"{"message":"Conflict"}"#, &[]).says_already_deactivated());
    }
}
