use secrecy::SecretString;
use url::Url;

use super::InsightfulError;
use crate::http::{RequestLimits, RetryPolicy, check_base_url};

/// The list of employees has no pages: enough for several hundred thousand of them.
const MAX_LIST_BYTES: usize = 256 << 20;

#[derive(Clone, Debug)]
pub struct InsightfulConfig {
    /// Such as `https://app.insightful.io/api/v1`.
    pub url: Url,
    /// A WRITE token; for reading, a READ token is enough.
    pub token: SecretString,
    /// Domains that the API may have besides insightful.io.
    pub allowed_domains: Vec<String>,
    /// Allows an API on this machine, without TLS: for tests and the demo.
    pub allow_http_loopback: bool,
    /// Ignored by clients that share a [`RateLimiter`](super::RateLimiter).
    pub calls_per_minute: usize,
    pub request_limits: RequestLimits,
    /// For reads only.
    pub retry_policy: RetryPolicy,
}

impl InsightfulConfig {
    pub fn new(url: Url, token: SecretString) -> Self {
        Self {
            url,
            token,
            allowed_domains: Vec::new(),
            allow_http_loopback: false,
            // The limit that Insightful is reported to have.
            calls_per_minute: 200,
            request_limits: RequestLimits {
                max_body_bytes: MAX_LIST_BYTES,
                ..RequestLimits::default()
            },
            retry_policy: RetryPolicy::default(),
        }
    }

    pub(super) fn check_url(&self) -> Result<(), InsightfulError> {
        let domains = std::iter::once("insightful.io").chain(self.allowed_domains.iter().map(String::as_str));
        check_base_url(&self.url, domains, self.allow_http_loopback)
            .map_err(|problem| InsightfulError::InvalidUrl { problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_sent_to_insightful_only() {
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
}
