//! Credentials from Secrets of the integration's namespace. Uses only the verb `get`.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    api::{OktaAuth, SecretKeyRef},
    http::{TokenProblem, cluster, token},
    okta::{KeyProblem, OktaCredential, PrivateKey, ServiceApp},
};

/// Why a value cannot be read. Never contains any of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("there is no Secret {name:?} in this namespace: create it")]
    NotFound { name: String },
    #[error("Secret {name:?} has no key {key:?}: add it, or correct the reference")]
    KeyMissing { name: String, key: String },
    #[error("key {key:?} of Secret {name:?} is not valid UTF-8: store it as plain text")]
    NotText { name: String, key: String },
    #[error("the token in key {key:?} of Secret {name:?} {problem}")]
    InvalidToken {
        name: String,
        key: String,
        problem: TokenProblem,
    },
    #[error("the private key in key {key:?} of Secret {name:?} {problem}")]
    InvalidPrivateKey {
        name: String,
        key: String,
        problem: KeyProblem,
    },
    /// The API server accepts no such object.
    #[error("okta.auth names no method: set apiToken or serviceApp")]
    NoMethod,
    #[error("cannot read Secret {name:?}: {}", cluster::message(.source))]
    Kubernetes { name: String, source: kube::Error },
}

impl SecretError {
    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "SecretNotFound",
            Self::KeyMissing { .. } => "SecretKeyMissing",
            Self::NotText { .. } => "SecretNotText",
            Self::InvalidToken { .. } => "InvalidToken",
            Self::InvalidPrivateKey { .. } => "InvalidPrivateKey",
            Self::NoMethod => "NoAuthMethod",
            Self::Kubernetes { .. } => "SecretUnreadable",
        }
    }
}

/// What Okta knows an integration by, and the version of the Secret it came from.
pub struct OktaSecret {
    pub credential: OktaCredential,
    /// Changes whenever the Secret does, or what the spec names.
    pub version: String,
}

/// A value, and the version of the Secret it came from.
pub struct Credential {
    pub value: SecretString,
    /// Changes whenever the Secret does.
    pub version: String,
}

/// # Errors
/// Which Secret or key is missing, or why it cannot be read.
pub async fn read(
    client: &Client,
    namespace: &str,
    reference: &SecretKeyRef,
) -> Result<Credential, SecretError> {
    let SecretKeyRef { name, key } = reference;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = secrets
        .get_opt(name)
        .await
        .map_err(|source| SecretError::Kubernetes {
            name: name.clone(),
            source,
        })?
        .ok_or_else(|| SecretError::NotFound { name: name.clone() })?;
    let version = format!(
        "{}/{}",
        secret.metadata.uid.as_deref().unwrap_or_default(),
        secret.metadata.resource_version.as_deref().unwrap_or_default()
    );
    let bytes = secret
        .data
        .and_then(|mut data| data.remove(key))
        .ok_or_else(|| SecretError::KeyMissing {
            name: name.clone(),
            key: key.clone(),
        })?;
    let value = String::from_utf8(bytes.0).map_err(|_| SecretError::NotText {
        name: name.clone(),
        key: key.clone(),
    })?;
    Ok(Credential {
        value: value.into(),
        version,
    })
}

/// An API token.
///
/// # Errors
/// As [`read`], and what is wrong with the token.
pub async fn read_token(
    client: &Client,
    namespace: &str,
    reference: &SecretKeyRef,
) -> Result<Credential, SecretError> {
    let Credential { value, version } = read(client, namespace, reference).await?;
    let value = token(value.expose_secret()).map_err(|problem| SecretError::InvalidToken {
        name: reference.name.clone(),
        key: reference.key.clone(),
        problem,
    })?;
    Ok(Credential {
        value: value.into(),
        version,
    })
}

/// The API token or the service app of an org.
///
/// # Errors
/// As [`read_token`]; what is wrong with the private key; [`SecretError::NoMethod`].
pub async fn read_okta_credential(
    client: &Client,
    namespace: &str,
    auth: &OktaAuth,
) -> Result<OktaSecret, SecretError> {
    match (&auth.api_token, &auth.service_app) {
        (Some(token), _) => {
            let reference = &token.secret_ref;
            let token = read_token(client, namespace, reference).await?;
            Ok(OktaSecret {
                version: format!("{} {}", token.version, reference.key),
                credential: token.value.into(),
            })
        }
        (None, Some(app)) => {
            let reference = &app.private_key_secret_ref;
            let Credential { value, version } = read(client, namespace, reference).await?;
            let key = PrivateKey::parse(&value).map_err(|problem| SecretError::InvalidPrivateKey {
                name: reference.name.clone(),
                key: reference.key.clone(),
                problem,
            })?;
            let key_id = app.key_id.clone();
            Ok(OktaSecret {
                version: [
                    &version,
                    &reference.key,
                    &app.client_id,
                    key_id.as_deref().unwrap_or_default(),
                ]
                .join(" "),
                credential: OktaCredential::ServiceApp(Box::new(ServiceApp {
                    client_id: app.client_id.clone(),
                    key_id,
                    key,
                })),
            })
        }
        (None, None) => Err(SecretError::NoMethod),
    }
}
