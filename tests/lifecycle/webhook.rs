//! The webhook: each event reaches each receiver once, and a receiver that is slow or down delays and repeats nothing
//! else.

use std::time::Duration;

use okta_insightful_operator::api::{Phase, conditions};
use sandbox::{
    faults::{Kind, Match},
    webhook::{Receiver, Webhook},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::world::{World, free_port, open_guard, start_operator};

/// An answer of which every chat would make something else.
const ANSWER: &str = "<!channel> *call* <users/all> _now_ [x](https://evil.example) &amp; `y`";

/// Acme, in review, whose webhook is this one.
async fn with_webhook(webhook: &Webhook, format: &str) -> World {
    let world = World::prepared().await;
    world.write_secret("chat", "url", &webhook.url()).await;
    let mut spec = open_guard();
    spec["notify"] =
        json!({ "webhook": { "urlSecretRef": { "name": "chat", "key": "url" }, "format": format } });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    world
}

/// Waits until the receiver has accepted this many messages. Returns them as people see them.
async fn wait_for_messages(world: &World, webhook: &Webhook, count: usize) -> Vec<String> {
    let texts = || async {
        webhook
            .shown()
            .into_iter()
            .map(|shown| shown.text)
            .collect::<Vec<_>>()
    };
    world
        .poll(&format!("{count} messages"), texts, |texts| texts.len() >= count)
        .await
}

async fn every_event_is_sent_once(receiver: Receiver, format: &str) {
    let webhook = Webhook::start_as(receiver);
    let mut world = with_webhook(&webhook, format).await;
    let namespace = world.namespace.clone();
    let expect = async |world: &World, expected: &[&str]| {
        let texts = wait_for_messages(world, &webhook, expected.len()).await;
        assert_eq!(texts.len(), expected.len(), "{texts:#?}");
        for (text, part) in texts.iter().zip(expected) {
            assert!(text.contains(part), "{part}: {texts:#?}");
        }
    };
    let about = |text: &str| format!("OktaIntegration {namespace}/acme: {text}");
    let review = about("15 people need a decision");
    expect(&world, &[&review]).await;

    world.finalize().await;
    let plan = world.status().await.last_applied_plan.unwrap();
    let first_apply = about(&format!("plan {plan} is applied"));
    expect(&world, &[&review, &first_apply]).await;

    // The sync that finds the departure also finds that the apply left one more person in doubt, who is reported with
    // all others an hour after the last report.
    world.patch(json!({ "guard": { "maxDeactivations": 0 } })).await;
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    world.sync().await;
    let plan = world.wait_for_phase(Phase::Held).await.plan.unwrap().hash;
    let held = about(&format!(
        "plan {plan} is held (TooManyDeactivations): 1 deactivation. While"
    ));
    assert_eq!(world.status().await.people.unwrap().waiting, 16);
    expect(&world, &[&review, &first_apply, &held]).await;

    world.patch(json!({ "approvedPlan": plan })).await;
    world.wait_for_phase(Phase::InSync).await;
    let second_apply = about(&format!("plan {plan} is applied"));
    expect(&world, &[&review, &first_apply, &held, &second_apply]).await;

    let body = json!({ "errorCode": "E0000011", "errorSummary": ANSWER, "errorCauses": [] });
    let refusing = world
        .okta
        .faults()
        .always(Match::any(), Kind::Status(401, Some(body)));
    world.request_sync().await;
    world
        .wait_for_condition(conditions::STALLED, "True", "TokenRefused")
        .await;
    let failed = about("syncing fails (TokenRefused)");
    expect(&world, &[&review, &first_apply, &held, &second_apply, &failed]).await;

    // A restart and syncs without news send nothing.
    world.stop_operator().await;
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    refusing.remove();
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    world.idle_sync_writes_nothing().await;
    world
        .wait_for_condition(conditions::NOTIFIED, "True", "Delivered")
        .await;
    assert_eq!((webhook.received().len(), webhook.attempts()), (5, 5));

    let shown = webhook.shown();
    for (message, command) in [
        (0, format!("kubectl insightful review acme -n {namespace}")),
        (2, format!("kubectl insightful approve acme -n {namespace}")),
        (4, format!("kubectl describe oi acme -n {namespace}")),
    ] {
        assert!(shown[message].text.contains(&command), "{}", shown[message].text);
    }
    let name = "Haddad";
    assert!(
        shown.iter().all(|shown| !shown.text.contains(name)),
        "no person is named: {shown:#?}"
    );
    let markup: Vec<_> = shown.iter().flat_map(|shown| &shown.markup).collect();
    assert_eq!(
        markup,
        Vec::<&String>::new(),
        "nothing is a mention, a link or a style"
    );
    if receiver != Receiver::Json {
        assert!(shown[4].text.contains(ANSWER), "{}", shown[4].text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_receives_every_event_once() {
    every_event_is_sent_once(Receiver::Json, "Json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_receives_every_event_once() {
    every_event_is_sent_once(Receiver::Slack, "Slack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_receives_every_event_once() {
    every_event_is_sent_once(Receiver::Teams, "Teams").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_chat_receives_every_event_once() {
    every_event_is_sent_once(Receiver::GoogleChat, "GoogleChat").await;
}

/// Waits until the condition says this about a failure.
async fn wait_for_failure(world: &World, part: &str) -> String {
    let integration = world
        .wait_for(&format!("a failure with {part:?}"), |integration| {
            let status = integration.status.clone().unwrap_or_default();
            conditions::find(&status.conditions, conditions::NOTIFIED).is_some_and(|condition| {
                (condition.status.as_str(), condition.reason.as_str()) == ("False", "WebhookFailed")
                    && condition.message.contains(part)
            })
        })
        .await;
    let conditions = integration.status.unwrap().conditions;
    conditions::find(&conditions, conditions::NOTIFIED)
        .unwrap()
        .message
        .clone()
}

/// Applies a plan. Returns its hash.
async fn apply_a_title(world: &World, title: &str) -> String {
    let before = world.status().await.last_applied_plan;
    world.okta.edit(|org| org.set_title("jane.doe", Some(title)));
    let started = Instant::now();
    world.sync().await;
    let applied = world
        .wait_for("the apply", |integration| {
            let status = integration.status.as_ref().unwrap();
            status.phase == Some(Phase::InSync) && status.last_applied_plan != before
        })
        .await;
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "the receiver delays no sync"
    );
    applied.status.unwrap().last_applied_plan.unwrap()
}

fn field<'a>(messages: &'a [Value], name: &str) -> Vec<&'a str> {
    messages
        .iter()
        .map(|message| message[name].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_repeats_nothing_and_gets_the_newest_message_later() {
    let webhook = Webhook::start();
    let mut world = with_webhook(&webhook, "Json").await;
    world.finalize().await;
    wait_for_messages(&world, &webhook, 2).await;

    // The failure is shown, without the address that the response repeats.
    let answer = format!("<html>\n Cannot POST {} \u{1b}[2J", webhook.url());
    webhook.refuse(500, &answer, None);
    apply_a_title(&world, "Engineer II").await;
    let failure = wait_for_failure(&world, "HTTP 500: <html>  Cannot POST").await;
    assert!(
        !failure.contains("s3cret") && !failure.contains("127.0.0.1"),
        "{failure}"
    );
    assert!(!failure.contains('\u{1b}'), "{failure}");
    world.wait_for_event("WebhookFailed").await;

    // Until the next attempt nothing is read, written or sent.
    let attempts = webhook.attempts();
    let version = world.integration().await.metadata.resource_version;
    world.okta.journal().clear();
    world.insightful.journal().clear();
    sleep(Duration::from_secs(7)).await;
    assert_eq!(webhook.attempts(), attempts);
    assert_eq!(world.integration().await.metadata.resource_version, version);
    let calls = (
        world.okta.journal().entries().len(),
        world.insightful.journal().entries().len(),
    );
    assert_eq!(calls, (0, 0));

    // A receiver that never responds delays neither this plan nor the next one.
    webhook.hang();
    world.patch(json!({ "sync": { "interval": "16m" } })).await;
    apply_a_title(&world, "Engineer III").await;
    let last = apply_a_title(&world, "Engineer IV").await;
    wait_for_failure(&world, "did not respond: timed out").await;

    // Another URL is tried at once: one where nobody listens, and one that has enough.
    world
        .write_secret("chat", "url", &format!("http://127.0.0.1:{}/hooks", free_port()))
        .await;
    wait_for_failure(&world, "cannot be reached").await;
    webhook.refuse(429, "slow down", Some(3600));
    world.write_secret("chat", "url", &webhook.url()).await;
    wait_for_failure(&world, "HTTP 429: slow down").await;

    // Recovered, it gets the newest plan only. A restart and a changed spec send nothing else.
    webhook.recover();
    world
        .write_secret("chat", "url", &format!("{}\n", webhook.url()))
        .await;
    world
        .wait_for_condition(conditions::NOTIFIED, "True", "Delivered")
        .await;
    world.stop_operator().await;
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    world.patch(json!({ "sync": { "interval": "17m" } })).await;
    world.idle_sync_writes_nothing().await;
    let messages = webhook.received();
    assert_eq!(
        field(&messages, "event"),
        ["ReviewRequired", "Applied", "Applied"]
    );
    assert_eq!(messages[2]["plan"], json!(last));
    let mut ids = field(&messages, "id");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_fails_for_longer_than_an_interval_is_reported_once() {
    let webhook = Webhook::start();
    let world = with_webhook(&webhook, "Json").await;
    world.patch(json!({ "sync": { "interval": "2s" } })).await;
    let unavailable = world
        .okta
        .faults()
        .always(Match::get("/api/v1/users"), Kind::Status(503, None));
    wait_for_messages(&world, &webhook, 2).await;
    world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "Unavailable")
        .await;
    sleep(Duration::from_secs(3)).await;
    unavailable.remove();
    world.patch(json!({ "sync": { "interval": "15m" } })).await;
    world.sync().await;
    world.wait_for_phase(Phase::Review).await;
    let messages = webhook.received();
    assert_eq!(field(&messages, "event"), ["ReviewRequired", "Failed"]);
    assert_eq!(messages[1]["reason"], "Unavailable");
    assert!(
        messages[1]["message"].as_str().unwrap().contains("Okta"),
        "{messages:?}"
    );
}
