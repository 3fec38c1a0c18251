//! Which organisation, with which token, and how hard.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::InsightfulError;
use crate::http::{Bounds, RetryPolicy, check_address};

/// How long an answer may be, in bytes: enough for some hundred thousand employees.
const LONGEST_LIST: usize = 256 << 20;

/// What a client needs to know of an organisation.
#[derive(Clone, Debug)]
pub struct InsightfulConfig {
    /// The API's address: `https://app.insightful.io/api/v1`.
    pub url: Url,
    /// A WRITE token; a READ token suffices for reading. Surrounding white space, as files often
    /// have it, is ignored.
    pub token: SecretString,
    /// Domains that the API may be on besides insightful.io.
    pub allowed_domains: Vec<String>,
    /// Whether the API may be on this machine, without TLS: for tests and the demo.
    pub allow_http_loopback: bool,
    /// How many calls this client makes in any minute.
    pub calls_per_minute: usize,
    /// Bounds on one request.
    pub bounds: Bounds,
    /// Bounds on repeating a read.
    pub retry_policy: RetryPolicy,
}

impl InsightfulConfig {
    /// The limit that Insightful is said to have, 200 calls a minute; insightful.io only.
    pub fn new(url: Url, token: SecretString) -> Self {
        Self {
            url,
            token,
            allowed_domains: Vec::new(),
            allow_http_loopback: false,
            calls_per_minute: 200,
            bounds: Bounds {
                // The list of employees has no pages.
                body: LONGEST_LIST,
                ..Bounds::default()
            },
            retry_policy: RetryPolicy::default(),
        }
    }

    pub(super) fn check_url(&self) -> Result<(), InsightfulError> {
        let domains = std::iter::once("insightful.io").chain(self.allowed_domains.iter().map(String::as_str));
        check_address(&self.url, domains, self.allow_http_loopback)
            .map_err(|problem| InsightfulError::InvalidUrl { problem })
    }
}

/// The token, checked and ready to be sent.
pub(super) struct Authorization(pub(super) HeaderValue);

impl Authorization {
    pub(super) fn new(token: &SecretString) -> Result<Self, InsightfulError> {
        let token = token.expose_secret().trim();
        if token.is_empty() {
            return Err(InsightfulError::InvalidToken { problem: "is empty" });
        }
        let mut header =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| InsightfulError::InvalidToken {
                problem: "has characters that no token has",
            })?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_insightful_only() {
        for (url, good) in [
            ("https://app.insightful.io/api/v1", true),
            ("http://app.insightful.io/api/v1", false),
            ("https://insightful.io.evil.test/api/v1", false),
            ("http://127.0.0.1:1/api/v1", false),
        ] {
            let config = InsightfulConfig::new(Url::parse(url).unwrap(), "secret".into());
            assert_eq!(config.check_url().is_ok(), good, "{url}");
            assert!(!format!("{config:?}").contains("secret"));
        }
    }

    #[test]
    fn a_token_is_trimmed_and_checked() {
        assert_eq!(Authorization::new(&"abc\n".into()).unwrap().0, "Bearer abc");
        for token in ["", "a\nb"] {
            let error = Authorization::new(&token.into()).err().unwrap();
            assert_eq!(error.reason(), "InvalidToken");
        }
    }
}
