//! Why a call has no answer that can be used, whichever service it was to.

use super::{Answer, Call, NoAnswer, Retryability, Service, clip, redirect_origin};

/// Why a call has no answer that can be used. Messages name the call and what to do; they hold
/// neither a token nor a query.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// HTTPS cannot be set up on this machine; nothing was sent.
    #[error("HTTPS cannot be set up: {0}")]
    TlsSetupFailed(String),
    /// No connection could be opened; nothing was sent.
    #[error(
        "{call}: no connection to {}: {cause}. Check {}, DNS, proxy and network policies",
        .service.name(), .service.setting()
    )]
    Unreachable {
        /// Where to.
        service: Service,
        /// The call.
        call: Call,
        /// What failed.
        cause: String,
    },
    /// The connection broke, or the time was up, before the whole answer was there.
    #[error("{call}: no whole answer from {}: {cause}", .service.name())]
    NoAnswer {
        /// Where from.
        service: Service,
        /// The call.
        call: Call,
        /// What failed.
        cause: String,
    },
    /// The answer is not what the service promises.
    #[error("{call}: {}'s answer {what}", .service.name())]
    InvalidResponse {
        /// Whose.
        service: Service,
        /// The call.
        call: Call,
        /// Completes the sentence.
        what: String,
    },
    /// A redirect, which must not get the token.
    #[error(
        "{call}: {} redirects to {} (HTTP {status}). Set {} to the address that answers itself",
        .service.name(), .to.as_deref().unwrap_or("nowhere"), .service.setting()
    )]
    Redirected {
        /// Whose.
        service: Service,
        /// The call.
        call: Call,
        /// HTTP status.
        status: u16,
        /// The origin that the redirect names.
        to: Option<String>,
    },
}

impl HttpError {
    pub(crate) fn of(service: Service, call: &Call, no_answer: NoAnswer) -> Self {
        let call = call.clone();
        match no_answer {
            NoAnswer::NotSent(cause) => Self::Unreachable { service, call, cause },
            NoAnswer::Lost(cause) => Self::NoAnswer { service, call, cause },
            NoAnswer::TooLarge(bound) => {
                Self::broken(service, &call, format!("is larger than {bound} bytes"))
            }
        }
    }

    /// `what` completes the sentence "The service's answer …".
    pub(crate) fn broken(service: Service, call: &Call, what: impl Into<String>) -> Self {
        Self::InvalidResponse {
            service,
            call: call.clone(),
            what: what.into(),
        }
    }

    pub(crate) fn unreadable(service: Service, call: &Call, error: &serde_json::Error) -> Self {
        let what = format!("cannot be read: {}", clip(&error.to_string(), 200));
        Self::broken(service, call, what)
    }

    pub(crate) fn redirected(service: Service, call: &Call, answer: &Answer) -> Self {
        Self::Redirected {
            service,
            call: call.clone(),
            status: answer.status.as_u16(),
            to: redirect_origin(&answer.headers),
        }
    }

    /// Whether the call certainly had no effect.
    pub fn was_not_sent(&self) -> bool {
        match self {
            Self::TlsSetupFailed(_) | Self::Unreachable { .. } => true,
            Self::NoAnswer { .. } | Self::InvalidResponse { .. } | Self::Redirected { .. } => false,
        }
    }

    /// What to do about it.
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::InvalidResponse { .. } => {
                Retryability::Retry
            }
            Self::TlsSetupFailed(_) | Self::Redirected { .. } => Retryability::Permanent,
        }
    }

    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TlsSetupFailed(_) => "TlsSetupFailed",
            Self::Unreachable { .. } => "Unreachable",
            Self::NoAnswer { .. } => "NoResponse",
            Self::InvalidResponse { .. } => "InvalidResponse",
            Self::Redirected { .. } => "Redirected",
        }
    }
}
