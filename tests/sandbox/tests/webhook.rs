//! The receiver of notifications.

#![allow(clippy::unwrap_used, reason = "a panic is a test failure")]

use sandbox::webhook::Webhook;
use serde_json::json;

#[tokio::test]
async fn it_records_accepted_messages_and_rejects_the_configured_number() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let webhook = Webhook::start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = async |url: String, text: &str| {
        let answer = client.post(url).json(&json!({ "text": text })).send().await;
        answer.unwrap().status().as_u16()
    };
    webhook.refuse_next(2, 503);
    assert_eq!(send(webhook.url(), "one").await, 503);
    assert_eq!(send(webhook.url(), "two").await, 503);
    assert_eq!(send(webhook.url(), "three").await, 200);
    assert_eq!(send(webhook.url() + "x", "elsewhere").await, 404);
    assert_eq!(webhook.received(), [json!({ "text": "three" })]);
}
