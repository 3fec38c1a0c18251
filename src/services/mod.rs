//! The clients of an integration's services.

pub mod gather;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    api::OktaIntegrationSpec,
    http::{CallObserver, RateLimitWait},
    insightful::{InsightfulClient, InsightfulConfig, InsightfulError, RateLimiter},
    okta::{OktaClient, OktaConfig, OktaError, OrgLimits},
};

/// The URLs that services may have.
#[derive(Clone, Debug, Default)]
pub struct AllowedAddresses {
    /// Allows services on this machine, without TLS: for tests and the demo.
    pub http_loopback: bool,
    /// Custom domains that Okta orgs may have besides Okta's own.
    pub okta_domains: Vec<String>,
}

/// The spec or a token is invalid: a person has to change it.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error(transparent)]
    Okta(#[from] OktaError),
    #[error(transparent)]
    Insightful(#[from] InsightfulError),
    #[error("{field} is not a valid URL: {source}")]
    InvalidUrl {
        /// The field of the spec.
        field: &'static str,
        source: url::ParseError,
    },
}

impl ServicesError {
    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Okta(error) => error.reason(),
            Self::Insightful(error) => error.reason(),
            Self::InvalidUrl { .. } => "InvalidUrl",
        }
    }
}

/// The rate limits that integrations with the same Okta org or Insightful organisation share. A limit
/// lasts as long as a client uses it.
///
/// An org is identified by its URL. An organisation is identified by the URL of the API and the token,
/// because nothing else identifies it before the first response: two tokens of an organisation are
/// counted separately, and then only a 429 limits their calls.
#[derive(Default)]
pub struct SharedLimits {
    orgs: Mutex<HashMap<String, Weak<OrgLimits>>>,
    /// The key is a digest, so that the token is in the client only.
    organisations: Mutex<HashMap<Vec<u8>, Weak<RateLimiter>>>,
}

impl SharedLimits {
    fn org(&self, url: &Url) -> Arc<OrgLimits> {
        shared(&self.orgs, url.origin().ascii_serialization(), OrgLimits::default)
    }

    fn organisation(&self, config: &InsightfulConfig) -> Arc<RateLimiter> {
        let identity = format!("{} {}", config.url, config.token.expose_secret().trim());
        let digest = Sha256::digest(identity).to_vec();
        shared(&self.organisations, digest, || {
            RateLimiter::new(config.calls_per_minute)
        })
    }
}

/// Returns the limit with this key, or a new one.
fn shared<K: Eq + std::hash::Hash, T>(
    limits: &Mutex<HashMap<K, Weak<T>>>,
    key: K,
    new: impl FnOnce() -> T,
) -> Arc<T> {
    let mut limits = limits.lock();
    if let Some(limit) = limits.get(&key).and_then(Weak::upgrade) {
        return limit;
    }
    limits.retain(|_, limit| limit.strong_count() > 0);
    let limit = Arc::new(new());
    limits.insert(key, Arc::downgrade(&limit));
    limit
}

/// Used for all syncs of an integration, because the clients count their calls.
pub struct Services {
    pub okta: OktaClient,
    pub insightful: InsightfulClient,
    pub rate_limit_wait: Arc<RateLimitWait>,
}

impl Services {
    /// Sends nothing.
    pub fn new(
        spec: &OktaIntegrationSpec,
        okta_token: SecretString,
        insightful_token: SecretString,
        allowed: &AllowedAddresses,
        limits: &SharedLimits,
        observer: &Arc<dyn CallObserver>,
    ) -> Result<Self, ServicesError> {
        let parse = |field, text: &str| {
            Url::parse(text).map_err(|source| ServicesError::InvalidUrl { field, source })
        };
        let okta = OktaConfig {
            allowed_domains: allowed.okta_domains.clone(),
            allow_http_loopback: allowed.http_loopback,
            rate_limit_percent: u8::try_from(spec.okta.rate_limit_percent).unwrap_or(50),
            ..OktaConfig::new(parse("okta.orgUrl", &spec.okta.org_url)?, okta_token)
        };
        let insightful = InsightfulConfig {
            allow_http_loopback: allowed.http_loopback,
            ..InsightfulConfig::new(parse("insightful.url", &spec.insightful.url)?, insightful_token)
        };
        let (org, organisation) = (limits.org(&okta.org_url), limits.organisation(&insightful));
        let rate_limit_wait = Arc::<RateLimitWait>::default();
        Ok(Self {
            okta: OktaClient::new(okta)?
                .with_limits(org)
                .with_rate_limit_wait(rate_limit_wait.clone())
                .with_observer(observer.clone()),
            insightful: InsightfulClient::new(insightful)?
                .with_limiter(organisation)
                .with_rate_limit_wait(rate_limit_wait.clone())
                .with_observer(observer.clone()),
            rate_limit_wait,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_shared_by_org_and_by_organisation_as_long_as_they_are_used() {
        let limits = SharedLimits::default();
        let url = |text: &str| Url::parse(text).unwrap();
        let acme = limits.org(&url("https://acme.okta.com"));
        assert!(Arc::ptr_eq(
            &acme,
            &limits.org(&url("https://ACME.okta.com:443/"))
        ));
        assert!(!Arc::ptr_eq(&acme, &limits.org(&url("https://other.okta.com"))));

        let config =
            |token: &str| InsightfulConfig::new(url("https://app.insightful.io/api/v1"), token.into());
        let one = limits.organisation(&config("one"));
        assert!(Arc::ptr_eq(&one, &limits.organisation(&config(" one\n"))));
        assert!(!Arc::ptr_eq(&one, &limits.organisation(&config("two"))));

        drop((acme, one));
        limits.org(&url("https://third.okta.com"));
        limits.organisation(&config("three"));
        assert_eq!(limits.orgs.lock().len(), 1);
        assert_eq!(limits.organisations.lock().len(), 1);
    }
}
