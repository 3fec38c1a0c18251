use reqwest::header::LOCATION;
use url::Url;

use super::client::{Response, SendError};
use super::{Call, ErrorBody, Retryability, Service, TokenProblem, clip};

/// Why a call to either service failed. Messages name the call and what to do; they contain neither
/// the token nor a query.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("cannot set up TLS: {0}")]
    TlsSetupFailed(String),
    #[error("the {} API token {problem}", .service.name())]
    InvalidToken { service: Service, problem: TokenProblem },
    /// Nothing was sent.
    #[error("{id:?} is not a valid {} ID", .service.name())]
    InvalidId { service: Service, id: String },
    /// Nothing was sent.
    #[error(
        "{call}: no connection to {}: {cause}. Check {}, DNS, proxy and network policies",
        .call.service.name(), .call.service.url_field()
    )]
    Unreachable { call: Call, cause: String },
    /// The connection broke, or the time was up, before the response was complete.
    #[error("{call}: no complete response from {}: {cause}", .call.service.name())]
    NoResponse { call: Call, cause: String },
    #[error("{call}: the response from {} {problem}", .call.service.name())]
    InvalidResponse {
        call: Call,
        /// Completes the sentence.
        problem: String,
    },
    /// Redirects are not followed, because they would send the token to an unchecked URL.
    #[error(
        "{call}: {} redirects to {} (HTTP {status}). Set {} to the URL that responds without a redirect",
        .call.service.name(), .to.as_deref().unwrap_or("an invalid URL"), .call.service.url_field()
    )]
    Redirected {
        call: Call,
        status: u16,
        /// The origin of the new URL.
        to: Option<String>,
    },
    /// The service does not know the token.
    #[error("{call}: {} rejected the API token ({body}). {}", .call.service.name(), token_advice(.call.service))]
    TokenRefused { call: Call, body: Box<ErrorBody> },
    #[error("{call}: the credential lacks a permission ({body}). {}", permission_advice(.call.service))]
    NotPermitted { call: Call, body: Box<ErrorBody> },
    #[error("{call}: not found ({body}). If the record was just deleted, the next sync resolves this")]
    NotFound { call: Call, body: Box<ErrorBody> },
    #[error("{call}: {} is not available ({body}). If this lasts, check its status page", .call.service.name())]
    Unavailable { call: Call, body: Box<ErrorBody> },
}

fn token_advice(service: Service) -> &'static str {
    match service {
        Service::Okta => {
            "A token expires after 30 days without use, and when its creator's account is deactivated: create a new \
             one and store it in the Secret"
        }
        Service::Insightful => "Have an admin create a new one and store it in the Secret",
    }
}

fn permission_advice(service: Service) -> &'static str {
    match service {
        Service::Okta => {
            "An API token has the admin role of its creator, a service app those that are assigned to it: one must be \
             able to view users and groups, as a Read-Only Administrator can"
        }
        Service::Insightful => "It must be a WRITE token of an admin",
    }
}

impl HttpError {
    pub(super) fn from_send(call: &Call, error: SendError) -> Self {
        let call = call.clone();
        match error {
            SendError::NotSent(cause) => Self::Unreachable { call, cause },
            SendError::Lost(cause) => Self::NoResponse { call, cause },
            SendError::TooLarge(max) => Self::invalid_response(&call, format!("is larger than {max} bytes")),
        }
    }

    /// `problem` completes the sentence "the response from Okta …".
    pub(crate) fn invalid_response(call: &Call, problem: impl Into<String>) -> Self {
        Self::InvalidResponse {
            call: call.clone(),
            problem: problem.into(),
        }
    }

    pub(crate) fn invalid_json(call: &Call, error: &serde_json::Error) -> Self {
        let problem = format!("cannot be parsed: {}", clip(&error.to_string(), 200));
        Self::invalid_response(call, problem)
    }

    pub(crate) fn redirected(call: &Call, response: &Response) -> Self {
        let location = response.headers.get(LOCATION);
        let url = location.and_then(|location| Url::parse(location.to_str().ok()?).ok());
        Self::Redirected {
            call: call.clone(),
            status: response.status.as_u16(),
            // The path and the query may contain secrets.
            to: url.map(|url| url.origin().ascii_serialization()),
        }
    }

    /// Whether the call certainly had no effect.
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::TlsSetupFailed(_)
            | Self::InvalidToken { .. }
            | Self::InvalidId { .. }
            | Self::Unreachable { .. }
            | Self::TokenRefused { .. }
            | Self::NotPermitted { .. }
            | Self::NotFound { .. } => true,
            Self::NoResponse { .. }
            | Self::InvalidResponse { .. }
            | Self::Redirected { .. }
            | Self::Unavailable { .. } => false,
        }
    }

    pub fn retryability(&self) -> Retryability {
        match self {
            Self::Unreachable { .. }
            | Self::NoResponse { .. }
            | Self::InvalidResponse { .. }
            | Self::NotFound { .. }
            | Self::Unavailable { .. } => Retryability::Retry,
            Self::TlsSetupFailed(_)
            | Self::InvalidToken { .. }
            | Self::InvalidId { .. }
            | Self::Redirected { .. }
            | Self::TokenRefused { .. }
            | Self::NotPermitted { .. } => Retryability::Permanent,
        }
    }

    /// Whether the client itself retries a read.
    pub(crate) fn is_transient(&self) -> bool {
        self.retryability() == Retryability::Retry && !matches!(self, Self::NotFound { .. })
    }

    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TlsSetupFailed(_) => "TlsSetupFailed",
            Self::InvalidToken { .. } => "InvalidToken",
            Self::InvalidId { .. } => "InvalidId",
            Self::Unreachable { .. } => "Unreachable",
            Self::NoResponse { .. } => "NoResponse",
            Self::InvalidResponse { .. } => "InvalidResponse",
            Self::Redirected { .. } => "Redirected",
            Self::TokenRefused { .. } => "TokenRefused",
            Self::NotPermitted { .. } => "NotPermitted",
            Self::NotFound { .. } => "NotFound",
            Self::Unavailable { .. } => "Unavailable",
        }
    }
}

#[cfg(test)]
pub(crate) fn response(status: u16, body: &str, headers: &[(&'static str, &str)]) -> Response {
    Response {
        status: reqwest::StatusCode::from_u16(status).unwrap(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}
