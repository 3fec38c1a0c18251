use url::Url;

use super::{OktaCredential, OktaError};
use crate::http::{RequestLimits, RetryPolicy, check_base_url, is_loopback};

const OKTA_DOMAINS: [&str; 5] = [
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "okta-gov.com",
    "okta.mil",
];

#[derive(Clone, Debug)]
pub struct OktaConfig {
    /// Such as `https://acme.okta.com`, without a path.
    pub org_url: Url,
    pub credential: OktaCredential,
    /// Custom domains that orgs may have besides Okta's own.
    pub allowed_domains: Vec<String>,
    /// Allows an org on this machine, without TLS: for tests and the demo.
    pub allow_http_loopback: bool,
    /// Our share of each of the org's rate limits, in percent.
    pub rate_limit_percent: u8,
    /// For how many groups at a time the members are read.
    pub parallel_reads: usize,
    pub request_limits: RequestLimits,
    pub retry_policy: RetryPolicy,
}

impl OktaConfig {
    pub fn new(org_url: Url, credential: impl Into<OktaCredential>) -> Self {
        Self {
            org_url,
            credential: credential.into(),
            allowed_domains: Vec::new(),
            allow_http_loopback: false,
            rate_limit_percent: 50,
            parallel_reads: 8,
            request_limits: RequestLimits::default(),
            retry_policy: RetryPolicy::default(),
        }
    }

    pub(super) fn check_org_url(&self) -> Result<(), OktaError> {
        let domains = OKTA_DOMAINS
            .into_iter()
            .chain(self.allowed_domains.iter().map(String::as_str));
        check_base_url(&self.org_url, domains, self.allow_http_loopback)
            .and_then(|()| match self.org_url.path() {
                "/" => Ok(()),
                _ => Err("must not have a path".to_owned()),
            })
            .and_then(|()| match self.org_url.host_str() {
                Some(host) if host.contains("-admin.") && !is_loopback(&self.org_url) => {
                    Err("must be the org's URL without -admin".to_owned())
                }
                _ => Ok(()),
            })
            .map_err(|problem| OktaError::InvalidOrgUrl { problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> OktaConfig {
        OktaConfig::new(Url::parse(url).unwrap(), "00secret")
    }

    #[test]
    fn an_org_url_has_an_allowed_host_and_no_path() {
        for (url, good) in [
            ("https://acme.okta.com", true),
            ("https://acme.okta.com/", true),
            ("https://acme.oktapreview.com", true),
            ("https://acme.okta-emea.com", true),
            ("https://acme.okta-gov.com", true),
            ("https://acme.okta.mil", true),
            ("https://acme.okta.mil.example", false),
            ("https://acmeokta.mil", false),
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
    fn the_token_is_not_shown() {
        assert!(!format!("{:?}", config("https://acme.okta.com")).contains("00secret"));
    }
}
