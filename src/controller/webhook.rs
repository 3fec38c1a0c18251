//! Tells a webhook, once for each completed plan, that it has been applied.

use std::time::Duration;

use kube::ResourceExt;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use super::{Context, secrets};
use crate::{
    api::{OktaIntegration, OktaIntegrationStatus},
    http,
    rules::status::{self, Notification},
};

/// How soon a message that was not taken is sent again.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How often a message is sent before the next cycle tries again.
const MAX_ATTEMPTS: u32 = 2;

/// Whether there is a completed plan that the webhook has not been told of.
pub fn is_pending(integration: &OktaIntegration, status: &OktaIntegrationStatus) -> bool {
    integration.spec.notify.is_some()
        && status.last_applied_plan.is_some()
        && status.last_applied_plan != status.last_notified_plan
}

/// Tells the webhook of the last completed plan if it has not been told yet.
/// None if there is nothing to tell, or nobody to be told. The plan's status
/// has been written by then, so that a slow receiver delays no news of it.
pub async fn notify(
    ctx: &Context,
    integration: &OktaIntegration,
    status: &OktaIntegrationStatus,
) -> Option<Notification> {
    if !is_pending(integration, status) {
        return None;
    }
    let webhook = &integration.spec.notify.as_ref()?.webhook;
    let plan = status.last_applied_plan.clone()?;
    let writes = status::last_writes(status);
    let namespace = integration.namespace().unwrap_or_default();
    let name = integration.name_any();
    let result = match secrets::read(&ctx.client, &namespace, &webhook.url_secret_ref).await {
        Ok(credential) => {
            let body = message(&namespace, &name, &plan, writes, status);
            send(
                credential.value.expose_secret(),
                &body,
                ctx.settings.allowed.http_loopback,
            )
            .await
        }
        Err(error) => Err(error.to_string()),
    };
    Some(match result {
        Ok(()) => Notification::Told { plan },
        Err(message) => Notification::Failed { message },
    })
}

/// JSON whose `text` Slack and Teams-style receivers show, with fields for programs.
fn message(
    namespace: &str,
    name: &str,
    plan: &str,
    writes: i32,
    status: &OktaIntegrationStatus,
) -> serde_json::Value {
    let people = status.people.unwrap_or_default();
    let waiting = people.review + people.unmatched + people.conflicts;
    json!({
        "text": format!(
            "Okta integration {namespace}/{name}: the plan is applied, {writes} changes written to Insightful. Waiting for review: {waiting}."
        ),
        "integration": { "namespace": namespace, "name": name },
        "plan": plan,
        "writes": writes,
        "waitingForReview": waiting,
    })
}

/// Sends the message; the error says what happened and never the address.
async fn send(address: &str, body: &serde_json::Value, allow_http_loopback: bool) -> Result<(), String> {
    let url: Url = address
        .trim()
        .parse()
        .map_err(|_| "the webhook's Secret holds no address".to_owned())?;
    if url.scheme() != "https" && !(allow_http_loopback && http::is_loopback(&url)) {
        return Err("the webhook's address must be https".to_owned());
    }
    http::install_crypto_provider();
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.without_url().to_string())?;
    let mut problem = String::new();
    for attempt in 0..MAX_ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(500) * attempt).await;
        }
        problem = match client.post(url.clone()).json(body).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("the webhook answered HTTP {}", answer.status().as_u16()),
            Err(error) => format!("the webhook could not be told: {}", error.without_url()),
        };
    }
    Err(problem)
}
