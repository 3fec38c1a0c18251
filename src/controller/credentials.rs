//! The clients of an integration, from its spec and its Secrets.

use std::sync::Arc;

use kube::Client;
use sha2::{Digest, Sha256};

use super::secrets::{self, SecretError};
use crate::{
    api::OktaIntegrationSpec,
    http::CallObserver,
    model::digest::hex,
    services::{AllowedAddresses, Services, SharedLimits, UnusableServices},
};

/// Why there are no clients: somebody has to change the spec or a Secret.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A Secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// An address or a token.
    #[error(transparent)]
    Services(#[from] UnusableServices),
    /// A log-in method that this version does not have.
    #[error("okta.auth.serviceApp is not supported yet: use okta.auth.apiToken")]
    ServiceApp,
}

impl ConnectError {
    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Secret(error) => error.reason(),
            Self::Services(error) => error.reason(),
            Self::ServiceApp => "ServiceAppNotSupported",
        }
    }
}

/// Clients, and what they were made from.
#[derive(Clone)]
pub struct Connection {
    /// The clients.
    pub services: Arc<Services>,
    /// A digest of where Okta's token came from, and of which version of it.
    pub okta_credential: String,
    /// They are made anew when it changes.
    inputs: String,
}

/// The clients for a spec, which count their calls in `limits`; `present` again
/// if nothing that they were made from has changed.
///
/// # Errors
/// What somebody has to change.
pub async fn connect(
    client: &Client,
    namespace: &str,
    spec: &OktaIntegrationSpec,
    allowed: &AllowedAddresses,
    limits: &SharedLimits,
    observer: &Arc<dyn CallObserver>,
    present: Option<&Connection>,
) -> Result<Connection, ConnectError> {
    let okta_token = spec
        .okta
        .auth
        .api_token
        .as_ref()
        .ok_or(ConnectError::ServiceApp)?;
    let insightful_token = &spec.insightful.api_token;
    let okta = secrets::read(client, namespace, &okta_token.secret_ref).await?;
    let insightful = secrets::read(client, namespace, &insightful_token.secret_ref).await?;
    let inputs = [
        spec.okta.org_url.as_str(),
        &spec.okta.rate_limit_percent.to_string(),
        &okta.version,
        &okta_token.secret_ref.key,
        &spec.insightful.url,
        &insightful.version,
        &insightful_token.secret_ref.key,
    ]
    .join(" ");
    if let Some(present) = present.filter(|present| present.inputs == inputs) {
        return Ok(present.clone());
    }
    let services = Services::new(spec, okta.value, insightful.value, allowed, limits, observer)?;
    let okta_credential = format!("{} {}", okta.version, okta_token.secret_ref.key);
    Ok(Connection {
        services: Arc::new(services),
        okta_credential: hex(&Sha256::digest(okta_credential)),
        inputs,
    })
}
