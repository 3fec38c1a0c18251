use std::env;

use http::Uri;
use kube::{Client, Config};

/// A client for the cluster of `KUBECONFIG`, or for the one that this runs in.
///
/// kube sends requests to the API server through the proxy in `HTTPS_PROXY`, whatever `NO_PROXY`
/// says. That proxy is meant for the services, so only one that the kubeconfig names is used.
pub(crate) async fn client() -> Result<Client, kube::Error> {
    super::install_crypto_provider();
    let mut config = Config::infer().await.map_err(kube::Error::InferConfig)?;
    let from_environment = ["HTTPS_PROXY", "https_proxy"]
        .into_iter()
        .filter_map(|variable| env::var(variable).ok())
        .find(|proxy| !proxy.is_empty())
        .and_then(|proxy| proxy.parse::<Uri>().ok());
    if config.proxy_url == from_environment {
        config.proxy_url = None;
    }
    Client::try_from(config)
}
