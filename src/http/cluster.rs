//! The client of the cluster's API server.

use std::env;

use http::Uri;
use kube::{Client, Config};

/// A client for the cluster of KUBECONFIG, or the one this runs in.
///
/// A proxy of the environment is on the way to the services, not to the API
/// server: kube would take it, wherever that is and whatever `NO_PROXY` says. A
/// proxy that the kubeconfig itself names counts.
///
/// # Errors
/// Why there is none.
pub(crate) async fn client() -> Result<Client, kube::Error> {
    super::install_crypto_provider();
    let mut config = Config::infer().await.map_err(kube::Error::InferConfig)?;
    let of_the_environment = ["HTTPS_PROXY", "https_proxy"]
        .into_iter()
        .filter_map(|variable| env::var(variable).ok())
        .find(|proxy| !proxy.is_empty())
        .and_then(|proxy| proxy.parse::<Uri>().ok());
    if config.proxy_url == of_the_environment {
        config.proxy_url = None;
    }
    Client::try_from(config)
}
