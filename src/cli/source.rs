//! What to read, and as whom: an integration in a file with tokens from the
//! environment, or one in a cluster with its Secrets.

use std::{fs, path::PathBuf, sync::Arc};

use kube::{Api, api::ListParams};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    api::{EmployeeMatch, OktaIntegration},
    cli::recording::{YamlError, yaml_documents},
    controller::{SecretError, read_secret},
    http,
    services::{AllowedAddresses, Services, SharedLimits, UnusableServices},
};

/// The environment variable that holds Okta's API token.
const OKTA_TOKEN: &str = "OKTA_API_TOKEN";

/// The environment variable that holds Insightful's API token.
const INSIGHTFUL_TOKEN: &str = "INSIGHTFUL_API_TOKEN";

/// Where the integration comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A manifest; the tokens are in the environment.
    File {
        /// The manifest of the OktaIntegration.
        integration: PathBuf,
        /// Manifests of EmployeeMatches: the decisions.
        matches: Option<PathBuf>,
    },
    /// A cluster: the one of KUBECONFIG.
    Cluster {
        /// The namespace.
        namespace: String,
        /// The name of the OktaIntegration.
        name: String,
    },
}

/// Why it is not known what to read, or as whom.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A manifest cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// A manifest is not what it should be.
    #[error("{}: {source}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: YamlError,
    },
    /// A manifest holds no integration, or several.
    #[error("{} holds {found} OktaIntegrations: it must hold one", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// How many.
        found: usize,
    },
    /// A token is not set.
    #[error("{variable} is not set: put the API token into this environment variable")]
    NoToken {
        /// The variable.
        variable: &'static str,
    },
    /// The login is of a kind that this version does not have.
    #[error("okta.auth.serviceApp is not supported yet: use okta.auth.apiToken")]
    ServiceApp,
    /// The cluster did not answer, or refused.
    #[error("the cluster: {0}")]
    Cluster(#[from] kube::Error),
    /// A Secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The services.
    #[error(transparent)]
    Services(#[from] UnusableServices),
}

/// An integration, its decisions, and the clients of its services.
pub struct Opened {
    /// The integration.
    pub integration: OktaIntegration,
    /// Its EmployeeMatches.
    pub matches: Vec<EmployeeMatch>,
    /// The clients.
    pub services: Services,
}

impl Source {
    /// Reads the integration and makes the clients.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub async fn open(&self, allowed: &AllowedAddresses) -> Result<Opened, SourceError> {
        let observer: Arc<dyn http::CallObserver> = Arc::new(());
        match self {
            Self::File { integration, matches } => {
                let mut found: Vec<OktaIntegration> = manifests(integration)?;
                let count = found.len();
                let (Some(integration), 1) = (found.pop(), count) else {
                    return Err(SourceError::NotOne {
                        path: integration.clone(),
                        found: count,
                    });
                };
                let matches = matches.as_ref().map(manifests).transpose()?.unwrap_or_default();
                let services = Services::new(
                    &integration.spec,
                    token(OKTA_TOKEN)?,
                    token(INSIGHTFUL_TOKEN)?,
                    allowed,
                    &SharedLimits::default(),
                    &observer,
                )?;
                Ok(Opened {
                    integration,
                    matches,
                    services,
                })
            }
            Self::Cluster { namespace, name } => {
                let client = http::cluster::client().await?;
                let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
                let integration = api.get(name).await?;
                let matches: Api<EmployeeMatch> = Api::namespaced(client.clone(), namespace);
                let of_this = ListParams::default().fields(&format!("spec.integrationRef.name={name}"));
                let matches = matches.list(&of_this).await?.items;
                let okta = integration
                    .spec
                    .okta
                    .auth
                    .api_token
                    .as_ref()
                    .ok_or(SourceError::ServiceApp)?;
                let okta = read_secret(&client, namespace, &okta.secret_ref).await?;
                let insightful = &integration.spec.insightful.api_token;
                let insightful = read_secret(&client, namespace, &insightful.secret_ref).await?;
                let services = Services::new(
                    &integration.spec,
                    okta.value,
                    insightful.value,
                    allowed,
                    &SharedLimits::default(),
                    &observer,
                )?;
                Ok(Opened {
                    integration,
                    matches,
                    services,
                })
            }
        }
    }
}

/// The objects in a file of manifests that are of the wanted kind.
fn manifests<K>(path: &PathBuf) -> Result<Vec<K>, SourceError>
where
    K: kube::Resource<DynamicType = ()> + serde::de::DeserializeOwned,
{
    let text = fs::read_to_string(path).map_err(|source| SourceError::Read {
        path: path.clone(),
        source,
    })?;
    let at = |source| SourceError::Yaml {
        path: path.clone(),
        source,
    };
    let documents: Vec<Value> = yaml_documents(&text).map_err(at)?;
    documents
        .into_iter()
        .filter(|object| object["kind"] == K::kind(&()).as_ref())
        .map(|object| serde_json::from_value(object).map_err(|error| at(error.into())))
        .collect()
}

fn token(variable: &'static str) -> Result<SecretString, SourceError> {
    std::env::var(variable)
        .map(SecretString::from)
        .map_err(|_| SourceError::NoToken { variable })
}
