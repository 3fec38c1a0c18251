//! Which org, as whom, and how hard.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::OktaError;
use crate::http::{Bounds, RetryPolicy, check_address, is_loopback};

/// The domains that Okta runs orgs on.
const OKTA_DOMAINS: [&str; 4] = ["okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com"];

/// As whom the operator reads Okta.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An API token; surrounding white space, as files often have it, is ignored.
    ApiToken(SecretString),
}

/// What a client needs to know of an org.
#[derive(Clone, Debug)]
pub struct OktaConfig {
    /// The org's address: `https://acme.okta.com`, without a path.
    pub org_url: Url,
    /// As whom.
    pub credentials: Credentials,
    /// Domains that orgs may be on besides Okta's own: custom domains.
    pub allowed_domains: Vec<String>,
    /// Whether an org may be this machine, without TLS: for tests and the demo.
    pub allow_http_loopback: bool,
    /// The share of each of the org's rate limits that may be used, in percent.
    pub rate_limit_percent: u8,
    /// How many groups' members are read at a time.
    pub parallel_reads: usize,
    /// Bounds on one request.
    pub bounds: Bounds,
    /// Bounds on repeating one.
    pub retry_policy: RetryPolicy,
}

impl OktaConfig {
    /// Half of the org's rate limits, eight reads at a time, Okta's own domains only.
    pub fn new(org_url: Url, credentials: Credentials) -> Self {
        Self {
            org_url,
            credentials,
            allowed_domains: Vec::new(),
            allow_http_loopback: false,
            rate_limit_percent: 50,
            parallel_reads: 8,
            bounds: Bounds::default(),
            retry_policy: RetryPolicy::default(),
        }
    }

    pub(super) fn check_org_url(&self) -> Result<(), OktaError> {
        let domains = OKTA_DOMAINS
            .into_iter()
            .chain(self.allowed_domains.iter().map(String::as_str));
        check_address(&self.org_url, domains, self.allow_http_loopback)
            .and_then(|()| match self.org_url.path() {
                "/" => Ok(()),
                _ => Err("must not have a path".to_owned()),
            })
            .and_then(|()| match self.org_url.host_str() {
                Some(host) if host.contains("-admin.") && !is_loopback(&self.org_url) => {
                    Err("must be the org's address without -admin".to_owned())
                }
                _ => Ok(()),
            })
            .map_err(|problem| OktaError::InvalidOrgUrl { problem })
    }
}

/// The credentials, checked and ready to be sent.
pub(super) enum Authorization {
    ApiToken(HeaderValue),
}

impl Authorization {
    pub(super) fn new(credentials: &Credentials) -> Result<Self, OktaError> {
        match credentials {
            Credentials::ApiToken(token) => {
                let token = token.expose_secret().trim();
                if token.is_empty() {
                    return Err(OktaError::InvalidToken { problem: "is empty" });
                }
                let mut header =
                    HeaderValue::from_str(&format!("SSWS {token}")).map_err(|_| OktaError::InvalidToken {
                        problem: "has characters that no token has",
                    })?;
                header.set_sensitive(true);
                Ok(Self::ApiToken(header))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> OktaConfig {
        OktaConfig::new(Url::parse(url).unwrap(), Credentials::ApiToken("00secret".into()))
    }

    #[test]
    fn an_org_url_is_the_address_of_an_org_and_nothing_more() {
        for (url, good) in [
            ("https://acme.okta.com", true),
            ("https://acme.okta.com/", true),
            ("https://acme.oktapreview.com", true),
            ("https://acme.okta-emea.com", true),
            ("https://acme.okta-gov.com", true),
            ("https://acme-admin.okta.com", false),
            ("https://acme.okta.com/api/v1", false),
            ("https://acme.okta.com/?x", false),
            ("https://acme.example", false),
            ("http://acme.okta.com", false),
            ("http://127.0.0.1:80", false),
        ] {
            assert_eq!(config(url).check_org_url().is_ok(), good, "{url}");
        }
        let mut custom = config("https://login.acme.example");
        custom.allowed_domains = vec!["acme.example".into()];
        assert!(custom.check_org_url().is_ok());
    }

    #[test]
    fn a_token_is_trimmed_checked_and_never_shown() {
        let Authorization::ApiToken(header) =
            Authorization::new(&Credentials::ApiToken(" 00secret\n".into())).unwrap();
        assert_eq!(header, "SSWS 00secret");
        assert!(!format!("{header:?}").contains("00secret"));
        assert!(!format!("{:?}", config("https://acme.okta.com")).contains("00secret"));
        for token in ["", " \n", "00secret\n00second"] {
            let error = Authorization::new(&Credentials::ApiToken(token.into()))
                .err()
                .unwrap();
            assert!(matches!(error, OktaError::InvalidToken { .. }));
            assert!(!format!("{error} {error:?}").contains("00se"));
        }
    }
}
