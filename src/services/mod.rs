//! The clients of one integration's two services.

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
    http::{CallObserver, Waits},
    insightful::{InsightfulClient, InsightfulConfig, InsightfulError, RateLimiter},
    okta::{Credentials, OktaClient, OktaConfig, OktaError, OrgLimits},
};

/// Where services may be.
#[derive(Clone, Debug, Default)]
pub struct AllowedAddresses {
    /// Whether they may be on this machine, without TLS: for tests and the demo.
    pub http_loopback: bool,
    /// Domains of Okta orgs besides Okta's own.
    pub okta_domains: Vec<String>,
}

/// Why there are no clients: somebody has to change the spec or a token.
#[derive(Debug, thiserror::Error)]
pub enum UnusableServices {
    /// Okta's address or token.
    #[error(transparent)]
    Okta(#[from] OktaError),
    /// Insightful's address or token.
    #[error(transparent)]
    Insightful(#[from] InsightfulError),
    /// An address is none.
    #[error("{field} is no address: {source}")]
    Address {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        source: url::ParseError,
    },
}

impl UnusableServices {
    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Okta(error) => error.reason(),
            Self::Insightful(error) => error.reason(),
            Self::Address { .. } => "InvalidUrl",
        }
    }
}

/// The counts of calls that integrations share: those of one Okta org, and those
/// of one Insightful organisation. They last as long as any client uses them.
///
/// An org is known by its address. An organisation is known by the API's address
/// and the token, since nothing else tells before the first answer: two tokens of
/// one organisation are two counts, and its 429 is then the bound.
#[derive(Default)]
pub struct SharedLimits {
    orgs: Mutex<HashMap<String, Weak<OrgLimits>>>,
    /// By a digest: the token is kept nowhere but in the client.
    paces: Mutex<HashMap<Vec<u8>, Weak<RateLimiter>>>,
}

impl SharedLimits {
    fn org(&self, url: &Url) -> Arc<OrgLimits> {
        shared(&self.orgs, url.origin().ascii_serialization(), OrgLimits::default)
    }

    fn organisation(&self, config: &InsightfulConfig) -> Arc<RateLimiter> {
        let identity = format!("{} {}", config.url, config.token.expose_secret().trim());
        let digest = Sha256::digest(identity).to_vec();
        shared(&self.paces, digest, || RateLimiter::new(config.calls_per_minute))
    }
}

/// The count of this key, a new one if nobody uses one.
fn shared<K: Eq + std::hash::Hash, T>(
    counts: &Mutex<HashMap<K, Weak<T>>>,
    key: K,
    new: impl FnOnce() -> T,
) -> Arc<T> {
    let mut counts = counts.lock();
    if let Some(count) = counts.get(&key).and_then(Weak::upgrade) {
        return count;
    }
    counts.retain(|_, count| count.strong_count() > 0);
    let count = Arc::new(new());
    counts.insert(key, Arc::downgrade(&count));
    count
}

/// The clients, kept from cycle to cycle with what they know of rate limits.
pub struct Services {
    /// Okta.
    pub okta: OktaClient,
    /// Insightful.
    pub insightful: InsightfulClient,
    /// Until when they wait for a rate limit.
    pub waits: Arc<Waits>,
}

impl Services {
    /// The clients for a spec, which count their calls in `limits`. Nothing is sent yet.
    ///
    /// # Errors
    /// What somebody has to change.
    pub fn new(
        spec: &OktaIntegrationSpec,
        okta_token: SecretString,
        insightful_token: SecretString,
        allowed: &AllowedAddresses,
        limits: &SharedLimits,
        observer: &Arc<dyn CallObserver>,
    ) -> Result<Self, UnusableServices> {
        let address = |field, text: &str| {
            Url::parse(text).map_err(|source| UnusableServices::Address { field, source })
        };
        let okta = OktaConfig {
            allowed_domains: allowed.okta_domains.clone(),
            allow_http_loopback: allowed.http_loopback,
            rate_limit_percent: u8::try_from(spec.okta.rate_limit_percent).unwrap_or(50),
            ..OktaConfig::new(
                address("okta.orgUrl", &spec.okta.org_url)?,
                Credentials::ApiToken(okta_token),
            )
        };
        let insightful = InsightfulConfig {
            allow_http_loopback: allowed.http_loopback,
            ..InsightfulConfig::new(address("insightful.url", &spec.insightful.url)?, insightful_token)
        };
        let (org, organisation) = (limits.org(&okta.org_url), limits.organisation(&insightful));
        let waits = Arc::<Waits>::default();
        Ok(Self {
            okta: OktaClient::new(okta)?
                .sharing(org)
                .showing_waits(waits.clone())
                .observed_by(observer.clone()),
            insightful: InsightfulClient::new(insightful)?
                .sharing(organisation)
                .showing_waits(waits.clone())
                .observed_by(observer.clone()),
            waits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_and_an_organisation_are_counted_once_and_as_long_as_they_are_used() {
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
        assert_eq!(limits.paces.lock().len(), 1);
    }
}
