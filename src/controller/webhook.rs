//! Notifies a webhook once for each plan that was applied completely.

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

/// The delay after all attempts failed.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(30);

const TIMEOUT: Duration = Duration::from_secs(5);

const MAX_ATTEMPTS: u32 = 2;

/// Whether an applied plan has not been delivered to the webhook yet.
pub fn is_pending(integration: &OktaIntegration, status: &OktaIntegrationStatus) -> bool {
    integration.spec.notify.is_some()
        && status.last_applied_plan.is_some()
        && status.last_applied_plan != status.last_notified_plan
}

/// Notifies the webhook of the last applied plan, if that is pending; None otherwise.
/// The plan's status must be written before, so that a slow receiver does not delay it.
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
        Ok(()) => Notification::Delivered { plan },
        Err(message) => Notification::Failed { message },
    })
}

/// A body whose `text` Slack and Teams show, with fields for programs.
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
            "Okta integration {namespace}/{name}: the plan is applied, {} written to Insightful. {} for review.",
            counted(writes, "change", "changes"),
            counted(waiting, "person waits", "people wait"),
        ),
        "integration": { "namespace": namespace, "name": name },
        "plan": plan,
        "writes": writes,
        "waitingForReview": waiting,
    })
}

fn counted(count: i32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Sends the message. The error never contains the URL, which can hold a secret.
async fn send(address: &str, body: &serde_json::Value, allow_http_loopback: bool) -> Result<(), String> {
    let url: Url = address
        .trim()
        .parse()
        .map_err(|_| "the webhook's Secret does not hold a valid URL: correct it".to_owned())?;
    if url.scheme() != "https" && !(allow_http_loopback && http::is_loopback(&url)) {
        return Err("the webhook's URL must start with https://: correct it in its Secret".to_owned());
    }
    http::install_crypto_provider();
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.without_url().to_string())?;
    let mut failure = String::new();
    for attempt in 0..MAX_ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(500) * attempt).await;
        }
        failure = match client.post(url.clone()).json(body).send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => format!("the webhook responded with HTTP {}", response.status().as_u16()),
            Err(error) => format!("the webhook cannot be reached: {}", error.without_url()),
        };
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_counts_in_singular_and_plural() {
        let text = |writes, review| {
            let status = serde_json::json!({ "people": {
                "total": 3, "matched": 0, "review": review, "unmatched": 0, "ignored": 0, "conflicts": 0, "outOfScope": 0,
                "blocked": 0,
            } });
            let status = serde_json::from_value(status).unwrap();
            message("people", "acme", "sha256:0", writes, &status)["text"].clone()
        };
        let prefix = "Okta integration people/acme: the plan is applied";
        for (writes, review, expected) in [
            (1, 1, "1 change written to Insightful. 1 person waits for review."),
            (2, 0, "2 changes written to Insightful. 0 people wait for review."),
        ] {
            assert_eq!(text(writes, review), format!("{prefix}, {expected}"));
        }
    }
}
