//! The clients of an integration's services.

pub mod gather;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use secrecy::SecretString;
use url::Url;

use crate::{
    api::OktaIntegrationSpec,
    http::{CallObserver, RateLimitWait},
    insightful::{InsightfulClient, InsightfulConfig, InsightfulError},
    okta::{OktaClient, OktaConfig, OktaCredential, OktaError, OrgLimits},
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

/// The rate limits of Okta orgs, by URL, that integrations with the same org share. A limit lasts as long as
/// a client uses it.
#[derive(Default)]
pub struct SharedLimits(Mutex<HashMap<String, Weak<OrgLimits>>>);

impl SharedLimits {
    fn org(&self, url: &Url) -> Arc<OrgLimits> {
        let mut limits = self.0.lock();
        let org = url.origin().ascii_serialization();
        if let Some(limit) = limits.get(&org).and_then(Weak::upgrade) {
            return limit;
        }
        limits.retain(|_, limit| limit.strong_count() > 0);
        let limit = Arc::<OrgLimits>::default();
        limits.insert(org, Arc::downgrade(&limit));
        limit
    }
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
        okta: OktaCredential,
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
            ..OktaConfig::new(parse("okta.orgUrl", &spec.okta.org_url)?, okta)
        };
        let insightful = InsightfulConfig {
            allow_http_loopback: allowed.http_loopback,
            ..InsightfulConfig::new(parse("insightful.url", &spec.insightful.url)?, insightful_token)
        };
        let org = limits.org(&okta.org_url);
        let rate_limit_wait = Arc::<RateLimitWait>::default();
        Ok(Self {
            okta: OktaClient::new(okta)?
                .with_limits(org)
                .with_rate_limit_wait(rate_limit_wait.clone())
                .with_observer(observer.clone()),
            insightful: InsightfulClient::new(insightful)?
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
    fn limits_are_shared_by_org_as_long_as_they_are_used() {
        let limits = SharedLimits::default();
        let url = |text: &str| Url::parse(text).unwrap();
        let acme = limits.org(&url("https://acme.okta.com"));
        assert!(Arc::ptr_eq(
            &acme,
            &limits.org(&url("https://ACME.okta.com:443/"))
        ));
        assert!(!Arc::ptr_eq(&acme, &limits.org(&url("https://other.okta.com"))));
        drop(acme);
        limits.org(&url("https://third.okta.com"));
        assert_eq!(limits.0.lock().len(), 1);
    }
}
