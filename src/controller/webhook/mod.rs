//! Sends the messages that are due to the webhook, beside the reconciles: a receiver that is slow or down delays no
//! sync, and a further attempt repeats nothing else. Which messages are due is decided in
//! [`rules::notify`](crate::rules::notify).
//!
//! What was accepted is recorded in the status after the response. After a crash in between a message is sent again: a
//! lost message about a held plan does more harm than one that comes twice.

mod deliveries;
mod receiver;

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::{StreamExt, future, stream};
use jiff::Timestamp;
use kube::{
    ResourceExt,
    runtime::{Controller, controller::Action, reflector::Store},
};
use secrecy::ExposeSecret;
use tokio::time::Instant;

pub use self::deliveries::Deliveries;
use self::{
    deliveries::Attempt,
    receiver::{Failure, Receiver},
};
use super::{
    context::Context, events, leader::Term, reconcile::Reconciler, secrets, watched::WatchedIntegration,
};
use crate::{
    api::{OktaIntegration, Webhook},
    rules::notify::{About, Notice},
};

/// How often the Secret is read while messages wait, so that another URL is tried at once.
const SECRET_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The delay after the API server refused to record what was sent.
const RECORD_RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Sends the messages of one watched namespace, or of all, until shutdown.
pub async fn run(integrations: Store<WatchedIntegration>, reconciler: Arc<Reconciler>) {
    let ctx = reconciler.ctx.clone();
    let reports = stream::unfold(ctx.reported.subscribe(), |mut reports| async {
        reports.changed().await.ok()?;
        Some(((), reports))
    });
    Controller::for_stream(stream::pending(), integrations)
        .reconcile_all_on(reports)
        .graceful_shutdown_on(async move { ctx.stopped().await })
        .run(
            |watched, reconciler| async move {
                Ok::<_, Infallible>(match watched.readable() {
                    Some(integration) => deliver(integration, &reconciler).await,
                    None => Action::await_change(),
                })
            },
            |_, never, _| match *never {},
            reconciler,
        )
        .for_each(|_| future::ready(()))
        .await;
}

/// Sends what is due for one integration, if this replica leads and the receiver is not being spared.
async fn deliver(integration: &OktaIntegration, reconciler: &Reconciler) -> Action {
    let ctx = &reconciler.ctx;
    let Some(notify) = &integration.spec.notify else {
        return Action::await_change();
    };
    let (Some(term), None) = (ctx.leadership.term(), &integration.metadata.deletion_timestamp) else {
        return Action::await_change();
    };
    let session = reconciler.sessions.of(&integration.uid().unwrap_or_default());
    let (mut deliveries, due) = {
        let mut session = session.lock().await;
        if !session.published.is_known_in(term) {
            // The first report of the term calls this again.
            return Action::await_change();
        }
        let deliveries = std::mem::take(&mut session.deliveries);
        let status = session.published.get(integration);
        let due = deliveries.due(&integration.spec, &status, Timestamp::now());
        (deliveries, due)
    };
    if due.is_empty() {
        deliveries.succeeded();
    } else {
        send(ctx, term, integration, &notify.webhook, &mut deliveries, due).await;
    }

    let mut session = session.lock().await;
    let before = session.published.get(integration);
    let after = deliveries.report(&integration.spec, &before, Timestamp::now());
    let recorded = if ctx.leadership.holds(term) {
        session.published.write(ctx, integration, &after).await
    } else {
        Ok(())
    };
    let next = match recorded {
        Ok(()) => {
            deliveries.recorded();
            deliveries
                .retry_in(Instant::now())
                .map(|retry| retry.min(SECRET_POLL_INTERVAL))
        }
        Err(error) => {
            tracing::warn!(
                %error, namespace = integration.namespace(), integration = integration.name_any(),
                "cannot record what was sent to the webhook: will be retried"
            );
            Some(RECORD_RETRY_INTERVAL)
        }
    };
    session.deliveries = deliveries;
    drop(session);
    events::publish_transition(ctx, integration, &before, &after).await;
    next.map_or_else(Action::await_change, Action::requeue)
}

/// Sends each notice once, unless the last attempt with the same URL and spec was too recent.
async fn send(
    ctx: &Context,
    term: Term,
    integration: &OktaIntegration,
    webhook: &Webhook,
    deliveries: &mut Deliveries,
    due: Vec<Notice>,
) {
    let (namespace, name) = (
        integration.namespace().unwrap_or_default(),
        integration.name_any(),
    );
    let uid = integration.uid().unwrap_or_default();
    let credential = match secrets::read(&ctx.client, &namespace, &webhook.url_secret_ref).await {
        Ok(credential) => credential,
        Err(error) => return deliveries.failed(Failure::unreadable(&error), Instant::now()),
    };
    let attempt = Attempt {
        generation: integration.metadata.generation,
        secret: credential.version,
    };
    if !deliveries.begin(attempt, Instant::now()) {
        return;
    }
    let receiver = match Receiver::new(
        credential.value.expose_secret(),
        webhook,
        ctx.settings.allowed.http_loopback,
    ) {
        Ok(receiver) => receiver,
        Err(failure) => return deliveries.failed(failure, Instant::now()),
    };
    let about = About {
        namespace: &namespace,
        name: &name,
        uid: &uid,
    };
    let mut first_failure = None;
    for notice in due {
        if !ctx.leadership.holds(term) {
            break;
        }
        match receiver.send(&notice.body(webhook.format, about)).await {
            Ok(()) => deliveries.accepted(notice),
            Err(failure) => {
                let is_over = !failure.concerns_one_message;
                first_failure.get_or_insert(failure);
                if is_over {
                    break;
                }
            }
        }
    }
    match first_failure {
        Some(failure) => {
            tracing::warn!(%namespace, integration = %name, cause = %failure.cause, "the webhook did not accept a message");
            deliveries.failed(failure, Instant::now());
        }
        None => deliveries.succeeded(),
    }
}
