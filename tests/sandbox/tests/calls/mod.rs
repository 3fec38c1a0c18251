//! An HTTP client for the tests of the emulators.

use std::sync::Once;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// A response with its complete body.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The first value of a header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The ids of a list.
    pub fn ids(&self) -> Vec<&str> {
        let items = self.body.as_array().expect("a list");
        items.iter().map(|item| item["id"].as_str().unwrap()).collect()
    }

    /// The URL of a `Link` header's relation.
    pub fn link(&self, relation: &str) -> Option<String> {
        let end = format!(">; rel=\"{relation}\"");
        let links = self
            .headers
            .get_all("link")
            .iter()
            .map(|value| value.to_str().unwrap());
        links
            .filter_map(|link| link.strip_prefix('<')?.strip_suffix(&end))
            .map(str::to_owned)
            .next()
    }
}

pub fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    Client::builder().user_agent("sandbox-tests/1").build().unwrap()
}

/// Sends a request. `Err` if the connection is closed before the response is complete.
pub async fn send(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Reply {
        status,
        headers,
        body,
    })
}
