//! The clients of one integration's two services.

use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use crate::{
    api::OktaIntegrationSpec,
    insightful::{InsightfulClient, InsightfulConfig, InsightfulError},
    okta::{Credentials, OktaClient, OktaConfig, OktaError},
    transport::CallObserver,
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
            Self::Address { .. } => "BadAddress",
        }
    }
}

/// The clients, kept from cycle to cycle with what they know of rate limits.
pub struct Services {
    /// Okta.
    pub okta: OktaClient,
    /// Insightful.
    pub insightful: InsightfulClient,
}

impl Services {
    /// The clients for a spec. Nothing is sent yet.
    ///
    /// # Errors
    /// What somebody has to change.
    pub fn new(
        spec: &OktaIntegrationSpec,
        okta_token: SecretString,
        insightful_token: SecretString,
        allowed: &AllowedAddresses,
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
        Ok(Self {
            okta: OktaClient::new(okta)?.observed_by(observer.clone()),
            insightful: InsightfulClient::new(insightful)?.observed_by(observer.clone()),
        })
    }
}
