//! What tests put into the cluster before the operator comes: clients,
//! namespaces, CRDs, and kubeconfigs of others than the admin.

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

/// Longer than any test run.
const TOKEN_SECONDS: i64 = 365 * 24 * 3600;

const ESTABLISHED: Duration = Duration::from_secs(30);

impl ControlPlane {
    /// A client of the admin, who may do everything. Make one in each runtime:
    /// a client does not outlive the runtime it was made in.
    ///
    /// # Errors
    /// When the kubeconfig is gone, as after [`stop`](Self::stop).
    pub async fn admin_client(&self) -> Result<Client, Error> {
        client(self.admin_kubeconfig()).await
    }

    /// A new namespace, named by the prefix and a random end.
    ///
    /// # Errors
    /// When the server refuses it, as it does when the prefix is no DNS label.
    pub async fn namespace(&self, prefix: &str) -> Result<String, Error> {
        let end: String = std::iter::repeat_with(fastrand::lowercase).take(6).collect();
        let name = format!("{prefix}-{end}");
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

    /// A kubeconfig with a token of this ServiceAccount, which has to exist,
    /// and its namespace as the default one. The token lives as long as the
    /// ServiceAccount, at most a year.
    ///
    /// # Errors
    /// When there is no such ServiceAccount.
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

    /// A kubeconfig of a person with this name in these groups (and in
    /// `system:authenticated`), by impersonation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn user_kubeconfig(&self, user: &str, groups: &[&str]) -> Result<PathBuf, Error> {
        let mut section = certificate_user(&self.admin);
        section["as"] = user.into();
        section["as-groups"] = groups.into();
        self.kubeconfig(&format!("user-{user}"), "default", &section)
    }

    fn kubeconfig(&self, purpose: &str, namespace: &str, user: &Value) -> Result<PathBuf, Error> {
        // Random, so that nobody's file changes when another asks for the same.
        let path = self
            .directory()
            .join(format!("{purpose}-{:08x}.kubeconfig", fastrand::u32(..)));
        write_kubeconfig(&path, self.url(), &self.authority, namespace, user)?;
        Ok(path)
    }

    /// Applies every CustomResourceDefinition in the YAML files of a directory
    /// by server-side apply, and waits until the server serves them.
    ///
    /// # Errors
    /// When the directory holds no or other documents, or the server refuses
    /// one or does not serve it within half a minute.
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
            match tokio::time::timeout(ESTABLISHED, established).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(self.api_server_failed(&format!("lost {name}: {error}"))),
                Err(_) => return Err(self.api_server_failed(&format!("does not serve {name}"))),
            }
        }
        if is_any_new {
            self.restart_controller_manager().await?;
        }
        Ok(())
    }
}

/// A client by a kubeconfig file, for the runtime that calls.
///
/// # Errors
/// When the file is no kubeconfig.
pub async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let unusable = |source| Error::Kubeconfig {
        path: kubeconfig.to_owned(),
        source: Box::new(source),
    };
    let content = Kubeconfig::read_from(kubeconfig).map_err(unusable)?;
    let mut config = Config::from_custom_kubeconfig(content, &KubeConfigOptions::default())
        .await
        .map_err(unusable)?;
    // kube takes a proxy of the environment even for this machine.
    config.proxy_url = None;
    // Whoever else is linked in, kube then finds the provider it is built with.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::try_from(config).map_err(Error::request(format!("use {}", kubeconfig.display())))
}

/// The definitions with their names, by file name.
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
        let reason = "no CustomResourceDefinition in it".to_owned();
        return Err(Error::Crd {
            file: directory.to_owned(),
            reason,
        });
    }
    Ok(crds)
}
