//! The API server: its client, and its errors in words for people.

use std::{env, error::Error, iter};

use http::{StatusCode, Uri};
use kube::{Client, Config, core::Status, runtime::watcher};

use super::clip;

/// The API server names the object, the field and the account; a proxy may answer with a page.
const MAX_MESSAGE_CHARS: usize = 1000;

/// A client for the cluster of `KUBECONFIG`, or for the one that this runs in.
pub(crate) async fn client() -> Result<Client, kube::Error> {
    connect(Config::infer().await.map_err(kube::Error::InferConfig)?)
}

/// A client for the cluster of a configuration.
///
/// kube sends requests to the API server through the proxy in `HTTPS_PROXY`, whatever `NO_PROXY`
/// says. That proxy is meant for the services, so only one that the kubeconfig names is used.
pub(crate) fn connect(mut config: Config) -> Result<Client, kube::Error> {
    super::install_crypto_provider();
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

/// Returns an error in words for people. kube's own text repeats the API server's answer as Rust prints it.
pub(crate) fn message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => refusal(status),
        kube::Error::Service(error) => format!("the API server cannot be reached: {}", with_causes(&**error)),
        kube::Error::HyperError(error) => {
            format!("the connection to the API server failed: {}", with_causes(error))
        }
        kube::Error::SerdeError(error) => format!("the API server's answer cannot be read: {error}"),
        error => with_causes(error),
    }
}

/// [`message`] for the error of a watch.
pub(crate) fn watch_message(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => message(error),
        watcher::Error::WatchError(status) => refusal(status),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}

fn refusal(status: &Status) -> String {
    let Status {
        code,
        message,
        reason,
        ..
    } = status;
    let verb = if *code >= 500 { "failed" } else { "refused it" };
    let canonical = || StatusCode::from_u16(*code).ok()?.canonical_reason();
    // Whoever answered instead of the API server has no reason of its own.
    let reason = match reason.contains(' ') || reason.is_empty() {
        true => canonical().unwrap_or_default(),
        false => reason,
    };
    let answer = match clip(message.trim(), MAX_MESSAGE_CHARS) {
        text if text.is_empty() => String::new(),
        text => format!(": {text}"),
    };
    format!(
        "the API server {verb}{answer} ({})",
        format!("{code} {reason}").trim_end()
    )
}

/// The error with its causes, each once.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in iter::successors(Some(error), |&error| error.source()) {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    clip(&text, MAX_MESSAGE_CHARS)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn api_error(code: u16, reason: &str, message: &str) -> kube::Error {
        kube::Error::Api(Status::failure(message, reason).with_code(code).boxed())
    }

    #[test]
    fn an_error_of_the_api_server_is_its_message_and_not_what_rust_prints() {
        let forbidden = r#"secrets "okta" is forbidden: User "system:serviceaccount:ops:operator" cannot get resource "secrets" in API group "" in the namespace "people""#;
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        let connect = io::Error::other(refused);
        let cases = [
            (
                api_error(403, "Forbidden", forbidden),
                format!("the API server refused it: {forbidden} (403 Forbidden)"),
            ),
            (
                api_error(409, "Conflict", "the object has been modified"),
                "the API server refused it: the object has been modified (409 Conflict)".to_owned(),
            ),
            (
                api_error(503, "", ""),
                "the API server failed (503 Service Unavailable)".to_owned(),
            ),
            (
                api_error(502, "Failed to parse error data", "<html>\n<h1>Bad gateway</h1>"),
                "the API server failed: <html> <h1>Bad gateway</h1> (502 Bad Gateway)".to_owned(),
            ),
            (
                api_error(0, "", "broken"),
                "the API server refused it: broken (0)".to_owned(),
            ),
            (
                kube::Error::Service(Box::new(connect)),
                "the API server cannot be reached: connection refused".to_owned(),
            ),
            (
                kube::Error::SerdeError(serde_json::from_str::<u8>("x").unwrap_err()),
                "the API server's answer cannot be read: expected value at line 1 column 1".to_owned(),
            ),
        ];
        for (error, expected) in cases {
            let text = message(&error);
            assert_eq!(text, expected);
            assert!(!text.contains("Some(") && !text.contains('{'), "{text}");
            assert_eq!(watch_message(&watcher::Error::WatchFailed(error)), expected);
        }
        let gone = Status::failure("too old resource version: 1 (2)", "Expired").with_code(410);
        assert_eq!(
            watch_message(&watcher::Error::WatchError(gone.boxed())),
            "the API server refused it: too old resource version: 1 (2) (410 Expired)"
        );
    }
}
