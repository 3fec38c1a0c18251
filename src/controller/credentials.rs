//! Makes the clients of an integration from its spec and its Secrets.

use std::sync::Arc;

use kube::Client;
use sha2::{Digest, Sha256};

use super::secrets::{self, SecretError};
use crate::{
    api::OktaIntegrationSpec,
    http::CallObserver,
    model::digest::hex,
    services::{AllowedAddresses, Services, ServicesError, SharedLimits},
};

/// Why the clients cannot be made: somebody must change the spec or a Secret.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Services(#[from] ServicesError),
}

impl ConnectError {
    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Secret(error) => error.reason(),
            Self::Services(error) => error.reason(),
        }
    }
}

/// The clients of an integration.
#[derive(Clone)]
pub struct Connection {
    pub services: Arc<Services>,
    /// A digest of the reference to Okta's credential and its version; not of the credential.
    pub okta_credential: String,
    /// New clients are made when this changes.
    inputs: String,
}

/// The clients for a spec, which count their calls in `limits`. Returns `present` if
/// its inputs are unchanged.
///
/// # Errors
/// What somebody must change.
pub async fn connect(
    client: &Client,
    namespace: &str,
    spec: &OktaIntegrationSpec,
    allowed: &AllowedAddresses,
    limits: &SharedLimits,
    observer: &Arc<dyn CallObserver>,
    present: Option<&Connection>,
) -> Result<Connection, ConnectError> {
    let insightful_token = &spec.insightful.api_token;
    let okta = secrets::read_okta_credential(client, namespace, &spec.okta.auth).await?;
    let insightful = secrets::read_token(client, namespace, &insightful_token.secret_ref).await?;
    let inputs = [
        spec.okta.org_url.as_str(),
        &spec.okta.rate_limit_percent.to_string(),
        &okta.version,
        &spec.insightful.url,
        &insightful.version,
        &insightful_token.secret_ref.key,
    ]
    .join(" ");
    if let Some(present) = present.filter(|present| present.inputs == inputs) {
        return Ok(present.clone());
    }
    let services = Services::new(spec, okta.credential, insightful.value, allowed, limits, observer)?;
    Ok(Connection {
        services: Arc::new(services),
        okta_credential: hex(&Sha256::digest(&okta.version)),
        inputs,
    })
}
