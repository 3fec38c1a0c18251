//! An integration that this version of the operator cannot read: its status says so, by a write that needs none of its
//! values. Nothing else is done for it.

use jiff::Timestamp;
use kube::{Api, Resource, ResourceExt, runtime::controller::Action};
use serde_json::json;

use super::{
    context::Context,
    error::ReconcileError,
    events,
    leader::Term,
    status,
    watched::{Watched, WatchedIntegration},
};
use crate::{
    api::OktaIntegration,
    rules::{
        schedule::MIN_REQUEUE,
        status::{UnreadableStatus, unreadable_status},
        unreadable::UnreadableIntegration,
    },
};

/// Writes the status of an integration that cannot be read, and publishes one Event for each generation of its spec.
///
/// # Errors
/// The API server's; lost leadership.
pub async fn report_unreadable(
    ctx: &Context,
    integration: &UnreadableIntegration,
    term: Term,
) -> Result<Action, ReconcileError> {
    let Some(UnreadableStatus {
        status: wanted,
        message,
        is_news,
    }) = unreadable_status(integration, Timestamp::now())
    else {
        return Ok(Action::await_change());
    };
    if !ctx.leadership.holds(term) {
        return Err(ReconcileError::NotLeader);
    }
    let watched = WatchedIntegration::Unreadable(integration.clone().into());
    tracing::warn!(
        why = integration.why(),
        "this version cannot read the OktaIntegration"
    );
    // Over exactly this version, since the status holds what was read of it.
    let metadata = json!({ "name": watched.name_any(), "uid": watched.uid(), "resourceVersion": watched.resource_version() });
    let api: Api<Watched<OktaIntegration>> =
        Api::namespaced(ctx.client.clone(), &watched.namespace().unwrap_or_default());
    match status::write(&api, metadata, &wanted).await {
        Ok(_) => {}
        Err(kube::Error::Api(response)) if response.code == 404 => return Ok(Action::await_change()),
        Err(kube::Error::Api(response)) if response.code == 409 => return Ok(Action::requeue(MIN_REQUEUE)),
        Err(error) => {
            return Err(ReconcileError::during(
                "reporting that the integration cannot be read",
            )(error));
        }
    }
    if is_news {
        events::publish_unreadable_integration(ctx, &watched.object_ref(&()), message).await;
    }
    Ok(Action::await_change())
}
