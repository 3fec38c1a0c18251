//! One request to the receiver, and what its response means.

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;
use url::Url;

use crate::{
    api::{Webhook, WebhookFormat},
    controller::secrets::SecretError,
    http,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a response is read, in bytes.
const MAX_RESPONSE: usize = 16 << 10;

/// How much of a response is shown, in characters.
const MAX_SHOWN: usize = 200;

/// A part of the URL that is shorter is no secret.
const MIN_SECRET: usize = 6;

const RETRIED: &str =
    "It is sent again after delays that grow to an hour, and at once when the Secret or the spec changes";

/// Why messages wait. Contains no part of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The same for failures that differ only in what the response says about itself, such as a number.
    pub cause: String,
    /// For people.
    pub message: String,
    /// How long the receiver wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether another message may be accepted.
    pub concerns_one_message: bool,
}

impl Failure {
    fn new(cause: impl Into<String>, message: String) -> Self {
        Self {
            cause: cause.into(),
            message,
            retry_after: None,
            concerns_one_message: false,
        }
    }

    /// The Secret cannot be read.
    pub fn unreadable(error: &SecretError) -> Self {
        let message = format!("no message can be sent to the webhook: {error}. {RETRIED}");
        Self::new(error.reason(), message)
    }

    fn invalid_url(webhook: &Webhook, problem: &str) -> Self {
        let (name, key) = (&webhook.url_secret_ref.name, &webhook.url_secret_ref.key);
        let message = format!(
            "no message can be sent to the webhook: key {key:?} of Secret {name:?} {problem}: store the URL of the webhook, and nothing else, there"
        );
        Self::new("InvalidUrl", message)
    }

    fn no_response(what: &str, error: &reqwest::Error) -> Self {
        let message = format!(
            "{what}: {}. {RETRIED}. Check the URL in the Secret, DNS, proxy and network policies",
            http::cause(error)
        );
        Self::new(what, message)
    }
}

/// A webhook's URL, and a client for it.
pub struct Receiver {
    url: Url,
    format: WebhookFormat,
    http: reqwest::Client,
}

impl Receiver {
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(address: &str, webhook: &Webhook, allow_http_loopback: bool) -> Result<Self, Failure> {
        let url: Url = address
            .trim()
            .parse()
            .map_err(|_| Failure::invalid_url(webhook, "is not a valid URL"))?;
        let is_loopback = http::is_loopback(&url);
        if url.scheme() != "https" && !(allow_http_loopback && is_loopback) {
            return Err(Failure::invalid_url(webhook, "does not begin with https://"));
        }
        http::install_crypto_provider();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect would send the message to a URL that nobody chose.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if is_loopback {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| Failure::no_response("TLS cannot be set up for the webhook", &error))?;
        Ok(Self {
            url,
            format: webhook.format,
            http,
        })
    }

    /// Sends one message, once.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub async fn send(&self, body: &Value) -> Result<(), Failure> {
        let request = self.http.post(self.url.clone()).json(body);
        let mut response = request.send().await.map_err(|error| {
            let what = if error.is_connect() {
                "the webhook cannot be reached"
            } else {
                "the webhook did not respond"
            };
            Failure::no_response(what, &error)
        })?;
        let mut text = Vec::new();
        // The status alone says whether the message was accepted; a response that breaks off is shown as it is.
        while let Ok(Some(chunk)) = response.chunk().await {
            text.extend_from_slice(&chunk);
            if text.len() >= MAX_RESPONSE {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text);
        self.judge(response.status(), response.headers(), &text)
    }

    fn judge(&self, status: StatusCode, headers: &HeaderMap, text: &str) -> Result<(), Failure> {
        // Connectors of Teams report with 200 that Teams itself refused the message.
        let refused_inside = self.format == WebhookFormat::Teams && text.contains("message delivery failed");
        if status.is_success() && !refused_inside {
            return Ok(());
        }
        let shown = http::clip(redacted(text, &self.url).trim(), MAX_SHOWN);
        let shown = if shown.is_empty() {
            String::new()
        } else {
            format!(": {shown}")
        };
        let message = format!(
            "the webhook refused a message with HTTP {}{shown}. {RETRIED}. {}",
            status.as_u16(),
            advice(status)
        );
        Err(Failure {
            retry_after: http::retry_after(headers),
            concerns_one_message: matches!(status.as_u16(), 400 | 413 | 422),
            ..Failure::new(format!("HTTP {}", status.as_u16()), message)
        })
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "Store the URL to which it redirects in the Secret",
        401 | 403 | 404 | 405 | 410 => {
            "Check that the webhook still exists and may post there, and that the Secret holds its URL"
        }
        408 | 425 | 429 => {
            "The receiver gets too many messages, or is slow: nothing has to be done unless this lasts"
        }
        400..=499 => "Check that spec.notify.webhook.format is the form that the receiver accepts",
        _ => "If this lasts, check the receiver",
    }
}

/// The text without parts of the URL: many receivers repeat the path that they do not know.
fn redacted(text: &str, url: &Url) -> String {
    let decoded = |part: &str| {
        let mut pairs = url::form_urlencoded::parse(part.as_bytes());
        pairs.next().map(|(decoded, _)| decoded.into_owned())
    };
    let raw = url
        .path()
        .split('/')
        .chain(url.query().unwrap_or_default().split(['&', '=']));
    let mut parts: Vec<String> = raw
        .flat_map(|part| decoded(part).into_iter().chain([part.to_owned()]))
        .collect();
    parts.extend([url.username(), url.password().unwrap_or_default()].map(str::to_owned));
    parts.extend(url.host_str().map(str::to_owned));
    parts.retain(|part| part.chars().count() >= MIN_SECRET);
    // A part that contains another one goes first.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
        .iter()
        .fold(text.to_owned(), |text, part| text.replace(part, "…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str =
        "https://hooks.acme.example/services/T0ACME/xoVq7s3cretPath?key=a%2Fb%2Fc1234&token=tok-98765";

    fn webhook(format: &str) -> Webhook {
        let reference = serde_json::json!({ "name": "chat", "key": "url" });
        serde_json::from_value(serde_json::json!({ "urlSecretRef": reference, "format": format })).unwrap()
    }

    #[test]
    fn only_an_https_url_is_used() {
        for (address, loopback, expected) in [
            (URL, false, None),
            (" https://hooks.acme.example/x\n", false, None),
            ("http://127.0.0.1:8080/x", true, None),
            (
                "http://127.0.0.1:8080/x",
                false,
                Some("does not begin with https://"),
            ),
            (
                "http://hooks.acme.example/x",
                true,
                Some("does not begin with https://"),
            ),
            ("hooks.acme.example/s3cret", true, Some("is not a valid URL")),
            ("", true, Some("is not a valid URL")),
        ] {
            let problem = Receiver::new(address, &webhook("Json"), loopback).err();
            let message = problem.map(|failure| failure.message);
            assert_eq!(message.is_some(), expected.is_some(), "{address}: {message:?}");
            if let (Some(message), Some(expected)) = (message, expected) {
                assert!(
                    message.contains(expected) && message.contains(r#"key "url" of Secret "chat""#),
                    "{message}"
                );
                assert!(
                    !message.contains("hooks.acme") && !message.contains("s3cret"),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn a_response_is_accepted_or_says_what_to_do() {
        let text = "Cannot POST /services/T0ACME/xoVq7s3cretPath?key=a/b/c1234&amp;token=tok-98765\r\n\u{1b}[2J on hooks.acme.example";
        for (format, status, text, retry_after, expected) in [
            ("Slack", 200, "ok", None, None),
            ("Teams", 202, "", None, None),
            ("GoogleChat", 200, "{}", None, None),
            ("Json", 204, "", None, None),
            (
                "Json",
                404,
                text,
                None,
                Some((
                    "HTTP 404: Cannot POST /…/…/…?key=…&amp;token=…   [2J on …. It is sent",
                    "Secret holds its URL",
                )),
            ),
            (
                "Slack",
                400,
                "invalid_payload",
                None,
                Some(("HTTP 400: invalid_payload. It is", "spec.notify.webhook.format")),
            ),
            (
                "Slack",
                429,
                "rate_limited",
                Some("90"),
                Some(("HTTP 429: rate_limited. It is", "too many")),
            ),
            (
                "Teams",
                200,
                "Webhook message delivery failed with error: HTTP 413",
                None,
                Some(("HTTP 200: Webhook message delivery failed", "check the receiver")),
            ),
            ("Json", 302, "", None, Some(("HTTP 302. It is", "redirects"))),
            ("Json", 500, "", None, Some(("HTTP 500. It is", "If this lasts"))),
        ] {
            let receiver = Receiver::new(URL, &webhook(format), false).unwrap();
            let headers = retry_after.map(|value| (reqwest::header::RETRY_AFTER, value.parse().unwrap()));
            let headers = HeaderMap::from_iter(headers);
            let judged = receiver.judge(StatusCode::from_u16(status).unwrap(), &headers, text);
            let Some((says, advises)) = expected else {
                assert_eq!(judged, Ok(()), "{format} {status}");
                continue;
            };
            let failure = judged.unwrap_err();
            assert!(failure.message.contains(says), "{}", failure.message);
            assert!(failure.message.contains(advises), "{}", failure.message);
            for secret in ["T0ACME", "s3cret", "c1234", "98765", "hooks.acme", "\u{1b}"] {
                assert!(!failure.message.contains(secret), "{}", failure.message);
            }
            assert_eq!(
                failure.retry_after.map(|wait| wait.as_secs()),
                retry_after.map(|_| 90)
            );
            assert_eq!(failure.concerns_one_message, status == 400);
        }
    }

    #[test]
    fn a_long_response_is_shortened() {
        let receiver = Receiver::new(URL, &webhook("Json"), false).unwrap();
        let long = "x".repeat(10_000);
        let failure = receiver
            .judge(StatusCode::BAD_GATEWAY, &HeaderMap::new(), &long)
            .unwrap_err();
        assert!(
            failure.message.contains(&format!("{}…", "x".repeat(MAX_SHOWN))) && failure.message.len() < 600
        );
    }
}
