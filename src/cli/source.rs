//! The integration that `plan` and `record` read: from a file, with tokens from the environment, or from a cluster,
//! with its Secrets.

use std::{fs, path::PathBuf, sync::Arc};

use kube::{Api, ResourceExt, api::ListParams};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{
    api::{EmployeeMatch, OktaAuth, OktaIntegration, YamlError, yaml_documents},
    controller::{Reading, SecretError, Watched, WatchedIntegration, read_okta_credential, read_token},
    http::{self, TokenProblem},
    okta::{KeyProblem, OktaCredential, PrivateKey, ServiceApp},
    rules::{records, resolve::Records, unreadable::UnreadableValue},
    services::{AllowedAddresses, Services, ServicesError, SharedLimits},
};

const OKTA_TOKEN: &str = "OKTA_API_TOKEN";
const OKTA_PRIVATE_KEY: &str = "OKTA_PRIVATE_KEY";
const INSIGHTFUL_TOKEN: &str = "INSIGHTFUL_API_TOKEN";

/// Where the integration comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Files with the OktaIntegration and its EmployeeMatches. The API tokens are in the environment.
    File {
        integration: PathBuf,
        matches: Option<PathBuf>,
    },
    /// An OktaIntegration in the cluster of KUBECONFIG.
    Cluster { namespace: String, name: String },
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    Yaml { path: PathBuf, source: YamlError },
    #[error("{} contains {found} OktaIntegrations: it must contain exactly one", path.display())]
    NotOne { path: PathBuf, found: usize },
    #[error("{variable} is not set: set this environment variable to the {what}")]
    NotSet {
        variable: &'static str,
        what: &'static str,
    },
    #[error("the token in the environment variable {variable} {problem}")]
    InvalidToken {
        variable: &'static str,
        problem: TokenProblem,
    },
    #[error("the private key in the environment variable {OKTA_PRIVATE_KEY} {problem}")]
    InvalidPrivateKey { problem: KeyProblem },
    #[error("EmployeeMatch {name} cannot be read by this version: {source}")]
    Unreadable { name: String, source: UnreadableValue },
    #[error("OktaIntegration {name} cannot be read by this version: {why}")]
    UnreadableIntegration { name: String, why: String },
    #[error("cannot read from the cluster: {}", http::cluster::message(.0))]
    Cluster(#[from] kube::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Services(#[from] ServicesError),
}

/// An integration with its EmployeeMatches and the clients of its services.
pub struct Opened {
    pub integration: OktaIntegration,
    pub matches: Vec<Watched>,
    pub services: Services,
}

impl Opened {
    /// The EmployeeMatches whose decisions count, by the rule that `run` goes by.
    pub fn used_matches(&self) -> Vec<EmployeeMatch> {
        let readings = self.matches.iter().map(|object| object.clone().reading());
        readings
            .filter_map(|reading| match reading {
                Reading::Used(object) => Some(*object),
                Reading::NotUsed(_) => None,
            })
            .collect()
    }

    /// The records of the EmployeeMatches, by the rule that `run` goes by.
    pub fn records(&self) -> Records {
        let (mut used, mut unusable) = (Vec::new(), Vec::new());
        for object in &self.matches {
            match object.clone().reading() {
                Reading::Used(object) => used.push(*object),
                Reading::NotUsed(object) => unusable.push(object),
            }
        }
        let mut records = records::of(&used);
        for object in unusable {
            if let Some(person) = object.person {
                records::add_unusable(&mut records, person, object.unusable, object.salvaged.as_ref());
            }
        }
        records
    }

    /// # Errors
    /// The first that this version cannot read.
    pub fn readable_matches(&mut self) -> Result<Vec<EmployeeMatch>, SourceError> {
        let objects = std::mem::take(&mut self.matches).into_iter();
        let read = |object: Watched| {
            let name = object.name_any();
            object
                .read()
                .map_err(|source| SourceError::Unreadable { name, source })
        };
        objects.map(read).collect()
    }
}

impl Source {
    /// Reads the integration and creates the clients.
    pub async fn open(&self, allowed: &AllowedAddresses) -> Result<Opened, SourceError> {
        let (integration, matches, okta, insightful_token) = match self {
            Self::File { integration, matches } => {
                let mut found: Vec<OktaIntegration> = manifests(integration)?;
                let count = found.len();
                let (Some(found), 1) = (found.pop(), count) else {
                    return Err(SourceError::NotOne {
                        path: integration.clone(),
                        found: count,
                    });
                };
                let matches: Vec<Watched> = matches.as_ref().map(manifests).transpose()?.unwrap_or_default();
                let okta = okta_credential(&found.spec.okta.auth)?;
                (found, matches, okta, token(INSIGHTFUL_TOKEN)?)
            }
            Self::Cluster { namespace, name } => {
                let client = http::cluster::client().await?;
                let api: Api<WatchedIntegration> = Api::namespaced(client.clone(), namespace);
                let integration = match api.get(name).await? {
                    WatchedIntegration::Readable(integration) => Arc::unwrap_or_clone(integration),
                    WatchedIntegration::Unreadable(unreadable) => {
                        return Err(SourceError::UnreadableIntegration {
                            name: name.clone(),
                            why: unreadable.why(),
                        });
                    }
                };
                let matches: Api<Watched> = Api::namespaced(client.clone(), namespace);
                let of_this = ListParams::default().fields(&format!("spec.integrationRef.name={name}"));
                let matches = matches.list(&of_this).await?.items;
                let okta = read_okta_credential(&client, namespace, &integration.spec.okta.auth).await?;
                let okta = okta.credential;
                let insightful = &integration.spec.insightful.api_token.secret_ref;
                let insightful = read_token(&client, namespace, insightful).await?.value;
                (integration, matches, okta, insightful)
            }
        };
        let observer: Arc<dyn http::CallObserver> = Arc::new(());
        let services = Services::new(
            &integration.spec,
            okta,
            insightful_token,
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

/// The objects of kind `K` in a file of manifests.
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
        .enumerate()
        .filter(|(_, object)| object["kind"] == K::kind(&()).as_ref())
        .map(|(index, object)| {
            serde_json::from_value(object).map_err(|source| at(YamlError::Object { index, source }))
        })
        .collect()
}

/// The API token or the private key in the environment.
fn okta_credential(auth: &OktaAuth) -> Result<OktaCredential, SourceError> {
    let Some(app) = &auth.service_app else {
        return token(OKTA_TOKEN).map(OktaCredential::ApiToken);
    };
    let key = PrivateKey::parse(&value(OKTA_PRIVATE_KEY, "private key of the service app")?);
    Ok(OktaCredential::ServiceApp(Box::new(ServiceApp {
        client_id: app.client_id.clone(),
        key_id: app.key_id.clone(),
        key: key.map_err(|problem| SourceError::InvalidPrivateKey { problem })?,
    })))
}

fn token(variable: &'static str) -> Result<SecretString, SourceError> {
    http::token(value(variable, "API token")?.expose_secret())
        .map(SecretString::from)
        .map_err(|problem| SourceError::InvalidToken { variable, problem })
}

fn value(variable: &'static str, what: &'static str) -> Result<SecretString, SourceError> {
    let value = std::env::var_os(variable).ok_or(SourceError::NotSet { variable, what })?;
    // What is not Unicode has characters that no token and no key has.
    Ok(value.to_string_lossy().into_owned().into())
}
