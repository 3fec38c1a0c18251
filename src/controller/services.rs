//! The clients of one integration's two services.

use std::sync::Arc;

use kube::Client;
use url::Url;

use crate::{
    api::OktaIntegrationSpec,
    controller::{Settings, secrets, secrets::SecretError},
    insightful::{InsightfulClient, InsightfulConfig, InsightfulError},
    okta::{Credentials, OktaClient, OktaConfig, OktaError},
    transport::CallObserver,
};

/// Why there are no clients: somebody has to change the spec or a Secret.
#[derive(Debug, thiserror::Error)]
pub enum UnusableSpec {
    /// A Secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
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
    /// A log-in method that this version does not have.
    #[error("okta.auth.serviceApp is not supported yet: use okta.auth.apiToken")]
    ServiceApp,
}

impl UnusableSpec {
    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Secret(error) => error.reason(),
            Self::Okta(error) => error.reason(),
            Self::Insightful(error) => error.reason(),
            Self::Address { .. } => "BadAddress",
            Self::ServiceApp => "ServiceAppNotSupported",
        }
    }
}

/// The clients, kept from cycle to cycle with what they know of rate limits.
pub struct Services {
    /// Okta.
    pub okta: OktaClient,
    /// Insightful.
    pub insightful: InsightfulClient,
    /// What they were made from: they are made anew when it changes.
    pub made_from: String,
}

/// The clients for a spec; `present` again if nothing they were made from has changed.
///
/// # Errors
/// What somebody has to change.
pub async fn connect(
    client: &Client,
    namespace: &str,
    spec: &OktaIntegrationSpec,
    settings: &Settings,
    observer: &Arc<dyn CallObserver>,
    present: Option<Arc<Services>>,
) -> Result<Arc<Services>, UnusableSpec> {
    let token = spec
        .okta
        .auth
        .api_token
        .as_ref()
        .ok_or(UnusableSpec::ServiceApp)?;
    let okta_token = secrets::read(client, namespace, &token.secret_ref).await?;
    let insightful_token = secrets::read(client, namespace, &spec.insightful.api_token.secret_ref).await?;
    let made_from = [
        spec.okta.org_url.as_str(),
        &spec.okta.rate_limit_percent.to_string(),
        &okta_token.version,
        &token.secret_ref.key,
        &spec.insightful.url,
        &insightful_token.version,
        &spec.insightful.api_token.secret_ref.key,
    ]
    .join(" ");
    if let Some(present) = present.filter(|present| present.made_from == made_from) {
        return Ok(present);
    }
    let address =
        |field, text: &str| Url::parse(text).map_err(|source| UnusableSpec::Address { field, source });
    let okta = OktaConfig {
        allowed_domains: settings.okta_domains.clone(),
        allow_http_loopback: settings.allow_http_loopback,
        rate_limit_percent: u8::try_from(spec.okta.rate_limit_percent).unwrap_or(50),
        ..OktaConfig::new(
            address("okta.orgUrl", &spec.okta.org_url)?,
            Credentials::ApiToken(okta_token.value),
        )
    };
    let insightful = InsightfulConfig {
        allow_http_loopback: settings.allow_http_loopback,
        ..InsightfulConfig::new(
            address("insightful.url", &spec.insightful.url)?,
            insightful_token.value,
        )
    };
    Ok(Arc::new(Services {
        okta: OktaClient::new(okta)?.observed_by(observer.clone()),
        insightful: InsightfulClient::new(insightful)?.observed_by(observer.clone()),
        made_from,
    }))
}
