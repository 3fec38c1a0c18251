//! Clients, namespaces, resource definitions and kubeconfigs for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{conditions, wait};
use kube::{Client, Config, ResourceExt as _};
use serde_json::Value;

use super::credentials::{certificate_user, write_kubeconfig};
use super::{ControlPlane, Error};

const TOKEN_SECONDS: i64 = 365 * 24 * 3600;

const ESTABLISH_TIMEOUT: Duration = Duration::from_secs(30);

impl ControlPlane {
    /// A client with the admin's permissions, which are unlimited. It belongs to the runtime that creates it.
    pub async fn admin_client(&self) -> Result<Client, Error> {
        client(self.admin_kubeconfig()).await
    }

    /// The version of the API server, such as `v1.37.2`.
    pub async fn version(&self) -> Result<String, Error> {
        let version = self.admin_client().await?.apiserver_version().await;
        Ok(version.map_err(Error::request("read the version"))?.git_version)
    }

    /// Creates a namespace with this prefix and a random suffix, and returns its name.
    pub async fn namespace(&self, prefix: &str) -> Result<String, Error> {
        let suffix: String = std::iter::repeat_with(fastrand::lowercase).take(6).collect();
        let name = format!("{prefix}-{suffix}");
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        Api::all(self.admin_client().await?)
            .create(&PostParams::default(), &namespace)
            .await
            .map_err(Error::request(format!("create the namespace {name}")))?;
        Ok(name)
    }

    /// A kubeconfig with a token of an existing ServiceAccount, and its namespace as the default namespace.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf, Error> {
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(TOKEN_SECONDS),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let token = Api::<ServiceAccount>::namespaced(self.admin_client().await?, namespace)
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .map_err(Error::request(format!(
                "get a token of the ServiceAccount {namespace}/{name}"
            )))?
            .status
            .map(|status| status.token);
        let user = serde_json::json!({"token": token});
        self.kubeconfig(&format!("serviceaccount-{namespace}-{name}"), namespace, &user)
    }

    /// A kubeconfig that impersonates a user in these groups and in `system:authenticated`.
    pub fn user_kubeconfig(&self, user: &str, groups: &[&str]) -> Result<PathBuf, Error> {
        let mut section = certificate_user(&self.admin);
        section["as"] = user.into();
        section["as-groups"] = groups.into();
        self.kubeconfig(&format!("user-{user}"), "default", &section)
    }

    fn kubeconfig(&self, purpose: &str, namespace: &str, user: &Value) -> Result<PathBuf, Error> {
        // Random, so that callers with the same arguments do not overwrite each other's file.
        let path = self
            .directory()
            .join(format!("{purpose}-{:08x}.kubeconfig", fastrand::u32(..)));
        write_kubeconfig(&path, self.url(), &self.authority, namespace, user)?;
        Ok(path)
    }

    /// Applies the CustomResourceDefinitions in the YAML files of a directory, and waits until they are established.
    /// Any other document is an error.
    pub async fn install_crds(&self, directory: &Path) -> Result<(), Error> {
        let api: Api<CustomResourceDefinition> = Api::all(self.admin_client().await?);
        let mut is_any_new = false;
        for (name, crd) in read_crds(directory)? {
            let failed = || Error::request(format!("install the CustomResourceDefinition {name}"));
            is_any_new |= api.get_opt(&name).await.map_err(failed())?.is_none();
            let params = PatchParams::apply("sandbox").force();
            api.patch(&name, &params, &Patch::Apply(&crd))
                .await
                .map_err(failed())?;
            let established = wait::await_condition(api.clone(), &name, conditions::is_crd_established());
            match tokio::time::timeout(ESTABLISH_TIMEOUT, established).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    return Err(self.api_server_failed(&format!("stopped the watch of {name}: {error}")));
                }
                Err(_) => return Err(self.api_server_failed(&format!("does not serve {name}"))),
            }
        }
        if is_any_new {
            self.restart_controller_manager().await?;
        }
        Ok(())
    }
}

/// A client for a kubeconfig file. It belongs to the runtime that creates it.
pub async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let unusable = |source| Error::Kubeconfig {
        path: kubeconfig.to_owned(),
        source: Box::new(source),
    };
    let content = Kubeconfig::read_from(kubeconfig).map_err(unusable)?;
    let mut config = Config::from_custom_kubeconfig(content, &KubeConfigOptions::default())
        .await
        .map_err(unusable)?;
    // kube uses the environment's proxy even for loopback addresses.
    config.proxy_url = None;
    // kube expects a default crypto provider when several are linked.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::try_from(config).map_err(Error::request(format!("use {}", kubeconfig.display())))
}

/// The definitions with their names, ordered by file name.
fn read_crds(directory: &Path) -> Result<Vec<(String, Value)>, Error> {
    let failed = || Error::io(format!("read {}", directory.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            files.push(path);
        }
    }
    files.sort();

    let mut crds = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(Error::io(format!("read {}", file.display())))?;
        let unusable = |reason: String| Error::Crd {
            file: file.clone(),
            reason,
        };
        let documents: Vec<Value> =
            serde_yaml::from_multiple(&text).map_err(|error| unusable(error.to_string()))?;
        for value in documents {
            let crd: CustomResourceDefinition =
                serde_json::from_value(value.clone()).map_err(|error| unusable(error.to_string()))?;
            crds.push((crd.name_any(), value));
        }
    }
    if crds.is_empty() {
        let reason = "contains no CustomResourceDefinition".to_owned();
        return Err(Error::Crd {
            file: directory.to_owned(),
            reason,
        });
    }
    Ok(crds)
}
