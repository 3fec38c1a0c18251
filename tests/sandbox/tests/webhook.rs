//! The receivers of notifications.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic fails the test")]

use sandbox::webhook::{Receiver, Shown, Webhook};
use serde_json::{Value, json};

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn post(url: String, message: &Value) -> (u16, String) {
    let answer = client().post(url).json(message).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn accepted_messages_are_recorded_and_refused_ones_are_not() {
    let webhook = Webhook::start();
    let send = async |url, text| post(url, &json!({ "text": text })).await.0;
    webhook.refuse_next(2, 503);
    assert_eq!(send(webhook.url(), "one").await, 503);
    assert_eq!(send(webhook.url(), "two").await, 503);
    assert_eq!(send(webhook.url(), "three").await, 200);
    assert_eq!(send(webhook.url() + "x", "elsewhere").await, 404);
    assert_eq!(webhook.received(), [json!({ "text": "three" })]);
    webhook.refuse(429, "slow down", Some(7));
    let answer = client()
        .post(webhook.url())
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "7")
    );
    webhook.recover();
    assert_eq!(send(webhook.url(), "four").await, 200);
    assert_eq!((webhook.received().len(), webhook.attempts()), (2, 6));
}

/// Posts messages to one receiver; each is accepted, or refused with a response that contains this text.
async fn posts(receiver: Receiver, accepted: (u16, &str), cases: &[(Value, Option<&str>)]) {
    let webhook = Webhook::start_as(receiver);
    for (message, refused) in cases {
        let (status, body) = post(webhook.url(), message).await;
        match refused {
            None => assert_eq!(
                (status, body.starts_with(accepted.1)),
                (accepted.0, true),
                "{message}: {body}"
            ),
            Some(why) => assert!(status == 400 && body.contains(why), "{message}: {status} {body}"),
        }
    }
    let accepted = cases.iter().filter(|(_, refused)| refused.is_none()).count();
    assert_eq!(webhook.received().len(), accepted);
}

#[tokio::test]
async fn slack_accepts_texts_and_blocks_within_its_limits() {
    let section =
        |kind: &str, text: String| json!({ "type": "section", "text": { "type": kind, "text": text } });
    let with_block = |block: Value| json!({ "text": "x", "blocks": [block] });
    posts(
        Receiver::Slack,
        (200, "ok"),
        &[
            (json!({ "text": "x" }), None),
            (with_block(section("plain_text", "é".repeat(3000))), None),
            (json!({ "blocks": [section("mrkdwn", "x".into())] }), None),
            (json!({}), Some("no_text")),
            (json!({ "text": "" }), Some("no_text")),
            (json!(["x"]), Some("invalid_payload")),
            (json!({ "text": 1 }), Some("invalid_payload")),
            (json!({ "text": "x", "id": "y" }), Some("invalid_payload")),
            (
                json!({ "text": "x", "blocks": {} }),
                Some("invalid_blocks_format"),
            ),
            (
                json!({ "text": "x", "blocks": vec![section("mrkdwn", "x".into()); 51] }),
                Some("invalid_blocks_format"),
            ),
            (
                with_block(section("plain_text", "é".repeat(3001))),
                Some("invalid_blocks"),
            ),
            (
                with_block(section("plain_text", String::new())),
                Some("invalid_blocks"),
            ),
            (
                with_block(section("markdown", "x".into())),
                Some("invalid_blocks"),
            ),
            (
                with_block(json!({ "type": "header", "text": { "type": "mrkdwn", "text": "x" } })),
                Some("invalid_blocks"),
            ),
            (
                with_block(json!({ "type": "paragraph", "text": "x" })),
                Some("invalid_blocks"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn teams_accepts_one_adaptive_card() {
    let message = |content: Value| {
        let content_type = "application/vnd.microsoft.card.adaptive";
        json!({ "type": "message", "attachments": [{ "contentType": content_type, "content": content }] })
    };
    let card =
        |element: Value| message(json!({ "type": "AdaptiveCard", "version": "1.4", "body": [element] }));
    let mismatch = Some("TriggerInputSchemaMismatch");
    let run =
        |field: &str| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", field: "x" }] });
    posts(
        Receiver::Teams,
        (202, ""),
        &[
            (
                card(json!({ "type": "TextBlock", "text": "x", "wrap": true })),
                None,
            ),
            (card(run("text")), None),
            (card(run("txt")), mismatch),
            (card(json!({ "type": "Paragraph", "text": "x" })), mismatch),
            (card(json!({ "type": "TextBlock" })), mismatch),
            (
                message(json!({ "type": "AdaptiveCard", "version": "1.6", "body": [run("text")] })),
                mismatch,
            ),
            (
                message(json!({ "type": "AdaptiveCard", "version": "1.4", "body": [] })),
                mismatch,
            ),
            (json!({ "text": "x" }), mismatch),
            (json!({ "type": "message", "attachments": [] }), mismatch),
        ],
    )
    .await;
    let webhook = Webhook::start_as(Receiver::Teams);
    let long = card(json!({ "type": "TextBlock", "text": "x".repeat(28 * 1024) }));
    assert_eq!(post(webhook.url(), &long).await.0, 413);
}

#[tokio::test]
async fn google_chat_refuses_fields_that_it_does_not_know() {
    let card = |card: Value| json!({ "cardsV2": [{ "cardId": "1", "card": card }] });
    let paragraph =
        |field: &str| json!({ "sections": [{ "widgets": [{ "textParagraph": { field: "x" } }] }] });
    posts(
        Receiver::GoogleChat,
        (200, "{\"name\":\"spaces/"),
        &[
            (json!({ "text": "x" }), None),
            (card(paragraph("text")), None),
            (card(paragraph("txt")), Some("Unknown name \\\"txt\\\"")),
            (json!({ "text": "x", "event": "Held" }), Some("INVALID_ARGUMENT")),
            (json!({ "text": 1 }), Some("INVALID_ARGUMENT")),
            (json!({}), Some("Message cannot be empty")),
            (json!({ "text": "x".repeat(32_000) }), Some("too long")),
        ],
    )
    .await;
}

#[tokio::test]
async fn markup_is_interpreted_where_the_real_receiver_does() {
    let name = "<!channel> *J* [x](http://y) <users/all>";
    let escaped = "&lt;!channel&gt; *J* [x](http://y) &lt;users/all&gt;";
    let section = |kind: &str, text: &str| json!({ "blocks": [{ "type": "section", "text": { "type": kind, "text": text } }] });
    let card = |element: Value| {
        json!({ "type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": { "type": "AdaptiveCard", "version": "1.4", "body": [element] } }] })
    };
    let html = |text: &str| {
        let widget = json!({ "textParagraph": { "text": text } });
        json!({ "cardsV2": [{ "cardId": "1", "card": { "sections": [{ "widgets": [widget] }] } }] })
    };
    for (receiver, message, markup) in [
        (
            Receiver::Slack,
            json!({ "text": name }),
            &["<!channel>", "<users/all>", "*J*"][..],
        ),
        (Receiver::Slack, json!({ "text": escaped }), &["*J*"]),
        (Receiver::Slack, section("mrkdwn", escaped), &["*J*"]),
        (Receiver::Slack, section("plain_text", escaped), &[]),
        (
            Receiver::Teams,
            card(json!({ "type": "TextBlock", "text": name })),
            &["<!channel>", "<users/all>", "*J*", "[](…)"],
        ),
        (
            Receiver::Teams,
            card(json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": name }] })),
            &[],
        ),
        (
            Receiver::GoogleChat,
            json!({ "text": name }),
            &["<!channel>", "<users/all>", "*J*"],
        ),
        (Receiver::GoogleChat, html(name), &["<!channel>", "<users/all>"]),
        (Receiver::GoogleChat, html(escaped), &[]),
    ] {
        let webhook = Webhook::start_as(receiver);
        let (status, body) = post(webhook.url(), &message).await;
        assert!(status < 300, "{message}: {body}");
        let expected = Shown {
            text: name.to_owned(),
            markup: markup.iter().map(|found| (*found).to_owned()).collect(),
        };
        assert_eq!(webhook.shown(), [expected], "{message}");
    }
}
