use std::time::Duration;

use super::error_body;
use super::rate_limit::RateHeaders;
use crate::http::{Call, ErrorBody, HttpError, Operation, Response, Retryability};

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
    #[error(
        "{call}: Okta has no active service app with this client id ({body}). Correct okta.auth.serviceApp.clientId, or \
         activate the app"
    )]
    ServiceAppUnknown { call: Call, body: Box<ErrorBody> },
    #[error(
        "{call}: Okta rejected the private key of the service app ({body}). Register its public key with the app, and \
         set okta.auth.serviceApp.keyId if the app has several keys"
    )]
    PrivateKeyRefused { call: Call, body: Box<ErrorBody> },
    #[error("the private key of the service app cannot be used to sign: create another one")]
    SigningFailed,
    #[error(
        "{call}: the service app lacks a scope ({body}). Grant it okta.users.read and okta.groups.read, under Okta API \
         Scopes"
    )]
    ScopeNotGranted { call: Call, body: Box<ErrorBody> },
    /// Also after it was renewed.
    #[error(
        "{call}: Okta rejected the access token of the service app ({body}). Check that the app is active and that \
         nobody revokes its tokens"
    )]
    AccessTokenRefused { call: Call, body: Box<ErrorBody> },
    /// The proof that the caller holds the key of an access token (DPoP).
    #[error(
        "{call}: Okta rejected the DPoP proof ({body}). Check that no proxy changes the URL or the headers"
    )]
    ProofRefused { call: Call, body: Box<ErrorBody> },
    /// The call passes with the nonce of the response.
    #[error("{call}: Okta asks for another DPoP nonce ({body})")]
    NonceRequired { call: Call, body: Box<ErrorBody> },
    /// The response has no body that explains it.
    #[error(
        "{call}: the token lacks the scope {scope} ({body}). Grant it to the service app, under Okta API Scopes. An \
         API token has no scopes: assign its creator an admin role that can view users and groups, such as Read-Only \
         Administrator"
    )]
    ScopeMissing {
        call: Call,
        scope: &'static str,
        body: Box<ErrorBody>,
    },
    /// An org has at least one user. Okta hides users from a token without a role, and reports no error.
    #[error(
        "{call}: Okta shows no users, which most likely means that there is no admin role. Assign the service app, or the \
         creator of the API token, a role that can view users and groups, such as Read-Only Administrator"
    )]
    NoUsers { call: Call },
    /// The place in a list that the link to a next page stands for, which Okta forgets after some time.
    #[error(
        "{call}: Okta rejected its own link to the next page of this list ({body}). The list will be read again; if \
         this lasts, report it to Okta"
    )]
    InvalidCursor { call: Call, body: Box<ErrorBody> },
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
    pub(super) fn from_response(
        operation: Operation,
        call: &Call,
        response: &Response,
        rate: Option<RateHeaders>,
    ) -> Self {
        let call = call.clone();
        let body = Box::new(error_body::parse(response));
        let has = |error| body.code.as_deref() == Some(error) || error_body::is_challenge(response, error);
        if has("use_dpop_nonce") {
            return Self::NonceRequired { call, body };
        }
        if has("invalid_dpop_proof") {
            return Self::ProofRefused { call, body };
        }
        let error = match (response.status.as_u16(), body.code.as_deref()) {
            (429, _) => {
                return match rate.and_then(|rate| rate.wait()) {
                    Some(wait) => Self::RateLimited { call, body, wait },
                    None => Self::ConcurrencyLimited { call, body },
                };
            }
            (401, Some("E0000015")) => HttpError::NotPermitted { call, body },
            (401, _) | (403, Some("E0000005")) => HttpError::TokenRefused { call, body },
            (403, _) if error_body::is_challenge(response, "insufficient_scope") => {
                let scope = scope(operation);
                return Self::ScopeMissing { call, scope, body };
            }
            (400, Some("E0000029")) => return Self::InvalidCursor { call, body },
            (400, Some("E0000031")) if error_body::is_about_the_cursor(response) => {
                return Self::InvalidCursor { call, body };
            }
            (403, _) | (405, Some("E0000022")) => HttpError::NotPermitted { call, body },
            (404, _) => HttpError::NotFound { call, body },
            (408 | 423 | 500..=599, _) => HttpError::Unavailable { call, body },
            (300..=399, _) => HttpError::redirected(&call, response),
            (status @ 100..=299, _) => {
                HttpError::invalid_response(&call, format!("has status {status} instead of 200"))
            }
            _ => return Self::InvalidRequest { call, body },
        };
        error.into()
    }

    /// The error in a response of the token endpoint (RFC 6749, section 5.2).
    pub(super) fn from_token_response(call: &Call, response: &Response, rate: Option<RateHeaders>) -> Self {
        let body = error_body::parse(response);
        let is_about_assertion = body
            .message
            .as_deref()
            .is_some_and(|message| message.contains("client_assertion"));
        let error: fn(Call, Box<ErrorBody>) -> Self = match body.code.as_deref() {
            Some("invalid_client") if is_about_assertion => {
                |call, body| Self::PrivateKeyRefused { call, body }
            }
            Some("invalid_client" | "unauthorized_client") => {
                |call, body| Self::ServiceAppUnknown { call, body }
            }
            Some("invalid_scope" | "consent_required") => |call, body| Self::ScopeNotGranted { call, body },
            _ => return Self::from_response(Operation::GetAccessToken, call, response, rate),
        };
        error(call.clone(), Box::new(body))
    }

    pub fn retryability(&self) -> Retryability {
        match self {
            Self::RateLimited { wait, .. } | Self::RateLimitShareUsed { wait, .. } => {
                Retryability::WaitFor(*wait)
            }
            Self::ConcurrencyLimited { .. }
            | Self::DeltaUnusable { .. }
            | Self::InvalidCursor { .. }
            | Self::NoUsers { .. }
            | Self::NonceRequired { .. }
            | Self::PaginationLoop { .. } => Retryability::Retry,
            Self::InvalidOrgUrl { .. }
            | Self::InvalidRequest { .. }
            | Self::ServiceAppUnknown { .. }
            | Self::PrivateKeyRefused { .. }
            | Self::SigningFailed
            | Self::ScopeNotGranted { .. }
            | Self::AccessTokenRefused { .. }
            | Self::ProofRefused { .. }
            | Self::ScopeMissing { .. }
            | Self::CrossOriginPagination { .. } => Retryability::Permanent,
            Self::Http(error) => error.retryability(),
        }
    }

    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidOrgUrl { .. } => "InvalidOrgUrl",
            Self::InvalidRequest { .. } => "InvalidRequest",
            Self::ServiceAppUnknown { .. } => "ServiceAppUnknown",
            Self::PrivateKeyRefused { .. } | Self::SigningFailed => "PrivateKeyRefused",
            Self::ScopeNotGranted { .. } | Self::ScopeMissing { .. } => "ScopeMissing",
            Self::AccessTokenRefused { .. } => "TokenRefused",
            Self::ProofRefused { .. } | Self::NonceRequired { .. } => "ProofRefused",
            Self::NoUsers { .. } => "NoUsers",
            Self::InvalidCursor { .. } => "InvalidCursor",
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

    /// Whether Okta does not accept the search.
    pub(super) fn is_bad_search(&self) -> bool {
        matches!(self, Self::InvalidRequest { body, .. } if body.code.as_deref() == Some("E0000031"))
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

    /// Whether the response is a 404, whoever sent it.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Http(HttpError::NotFound { .. }))
    }

    /// Whether Okta itself, rather than a proxy, says that the record does not exist.
    pub(super) fn is_nonexistent(&self) -> bool {
        matches!(self, Self::Http(HttpError::NotFound { body, .. }) if body.code.as_deref() == Some("E0000007"))
    }
}

/// The scope that a call needs.
fn scope(operation: Operation) -> &'static str {
    match operation {
        Operation::ListGroups | Operation::ListMembers | Operation::GetGroup => "okta.groups.read",
        _ => "okta.users.read",
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
            Operation::ListUsers,
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
            (400, "E0000001", &[], "InvalidRequest", Permanent),
            (400, "E0000029", &[], "InvalidCursor", Retry),
            (423, "E0000239", &[], "Unavailable", Retry),
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
    fn a_search_is_wrong_unless_the_cause_is_the_cursor() {
        for (code, causes, reason) in [
            (
                "E0000031",
                r#"[{"errorSummary":"Invalid cursor."}]"#,
                "InvalidCursor",
            ),
            (
                "E0000031",
                r#"[{},{"errorSummary":"Invalid cursor."},null]"#,
                "InvalidCursor",
            ),
            (
                "E0000031",
                r#"[{"errorSummary":"Invalid date."}]"#,
                "InvalidRequest",
            ),
            ("E0000031", "null", "InvalidRequest"),
            (
                "E0000001",
                r#"[{"errorSummary":"Invalid cursor."}]"#,
                "InvalidRequest",
            ),
            ("E0000029", "null", "InvalidCursor"),
        ] {
            let body = format!(r#"{{"errorCode":"{code}","errorSummary":"why","errorCauses":{causes}}}"#);
            let error = error(400, &body, &[]);
            assert_eq!(error.reason(), reason, "{code} {causes}");
            assert!(error.to_string().contains("\"why"), "{error}");
        }
    }

    #[test]
    fn a_field_of_an_error_that_is_null_or_of_another_type_loses_no_other() {
        for body in [
            r#"{"errorCode":"E0000006","errorSummary":"why","errorId":"oae1","errorCauses":null}"#,
            r#"{"errorCode":"E0000006","errorSummary":"why","errorId":"oae1"}"#,
            r#"{"errorCode":"E0000006","errorSummary":"why","errorId":"oae1","errorCauses":"none","errorLink":7}"#,
        ] {
            let message = error(403, body, &[]).to_string();
            assert!(
                message.contains(r#"(HTTP 403 E0000006 "why", request oae1)"#),
                "{message}"
            );
        }
        let without_summary =
            r#"{"errorCode":"E0000006","errorSummary":null,"errorCauses":[{"errorSummary":"why"}]}"#;
        let message = error(403, without_summary, &[]).to_string();
        assert!(message.contains(r#"(HTTP 403 E0000006 "why")"#), "{message}");
        for body in ["", "null", "[]", "7", "<html>"] {
            let message = error(403, body, &[]).to_string();
            assert!(
                message.contains("(HTTP 403)") && message.contains("Read-Only Administrator"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_403_without_a_body_names_the_scope_that_the_call_needs() {
        let challenge = "Bearer realm=\"https://acme.okta.com\", error=\"insufficient_scope\"";
        let response = response(403, "", &[("www-authenticate", challenge)]);
        let url = Url::parse("https://acme.okta.com/api/v1/users").unwrap();
        let call = Call::new(Service::Okta, Method::GET, &url);
        for (operation, scope) in [
            (Operation::ListUsers, "okta.users.read"),
            (Operation::GetUser, "okta.users.read"),
            (Operation::ListGroups, "okta.groups.read"),
            (Operation::ListMembers, "okta.groups.read"),
            (Operation::GetGroup, "okta.groups.read"),
        ] {
            let error = OktaError::from_response(operation, &call, &response, None);
            assert_eq!(
                (error.reason(), error.retryability()),
                ("ScopeMissing", Retryability::Permanent)
            );
            assert!(error.to_string().contains(scope), "{error}");
        }
    }

    #[test]
    fn a_concurrency_limit_is_not_waited_for_as_long_as_the_orgs_window() {
        let both = [
            ("x-rate-limit-limit", "600"),
            ("x-rate-limit-limit", "0"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "784111807"),
            ("x-rate-limit-reset", "784111999"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        let body = r#"{"errorCode":"E0000047"}"#;
        let error = error(429, body, &both);
        assert_eq!(
            (error.reason(), error.retryability()),
            ("ConcurrencyLimited", Retryability::Retry)
        );
    }

    #[test]
    fn only_okta_itself_says_that_a_user_does_not_exist() {
        assert!(error(404, r#"{"errorCode":"E0000007"}"#, &[]).is_nonexistent());
        assert!(!error(404, "<html>No such site</html>", &[]).is_nonexistent());
        assert!(!error(400, r#"{"errorCode":"E0000007"}"#, &[]).is_nonexistent());
    }
}
