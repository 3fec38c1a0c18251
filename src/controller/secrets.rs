//! The credentials, read from Secrets of the integration's namespace by `get` alone.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use secrecy::SecretString;

use crate::api::SecretKeyRef;

/// Why a value cannot be had. Never holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no such Secret.
    #[error("there is no Secret {name:?} in this namespace: create it")]
    NotFound {
        /// Its name.
        name: String,
    },
    /// The Secret has no such key.
    #[error("Secret {name:?} has no key {key:?}: add it, or correct the reference")]
    KeyMissing {
        /// The Secret's name.
        name: String,
        /// The key.
        key: String,
    },
    /// The value is not text.
    #[error("key {key:?} of Secret {name:?} is not text (UTF-8)")]
    NotText {
        /// The Secret's name.
        name: String,
        /// The key.
        key: String,
    },
    /// Kubernetes did not answer, or refused.
    #[error("Secret {name:?} cannot be read: {source}")]
    Kubernetes {
        /// The Secret's name.
        name: String,
        /// What happened.
        source: kube::Error,
    },
}

impl SecretError {
    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "SecretNotFound",
            Self::KeyMissing { .. } => "SecretKeyMissing",
            Self::NotText { .. } => "SecretNotText",
            Self::Kubernetes { .. } => "SecretUnreadable",
        }
    }
}

/// A value, and the version of the Secret it came from.
pub struct Credential {
    /// The value.
    pub value: SecretString,
    /// Changes whenever the Secret does.
    pub version: String,
}

/// Reads one value.
///
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
