//! Keeps two integrations from writing to one Insightful organisation. Who writes is decided in
//! [`rules::one_writer`](crate::rules::one_writer); here it is found out, before each write and when it changes.

use std::{collections::HashMap, sync::Arc};

use futures::{Stream, StreamExt, stream};
use kube::runtime::reflector::{ObjectRef, Store};

use super::{context::Context, error::ReconcileError, scope::Scope, watched::WatchedIntegration};
use crate::{
    model::Snapshot,
    rules::{
        one_writer::{OtherWriter, organization_of, other_writer},
        status,
    },
};

impl Scope<'_> {
    /// The older integration that writes to this organisation.
    pub fn other_writer(&self, organization: Option<&str>) -> Option<OtherWriter> {
        let all = self.ctx.all_integrations();
        other_writer(self.integration, organization, all.iter().map(Arc::as_ref))
    }
}

/// Writes the organisation that was read into the status, by which younger integrations learn that it has a
/// writer: it must be there before the first write.
///
/// # Errors
/// The API server's; lost leadership.
pub async fn publish_organization(scope: &Scope<'_>, snapshot: &Snapshot) -> Result<(), ReconcileError> {
    let (mut status, now) = (scope.status(), status::insightful_status(snapshot));
    if now.is_none() || status.insightful == now {
        return Ok(());
    }
    scope.check_leadership()?;
    status.insightful = now;
    scope
        .write_status(&status)
        .await
        .map_err(ReconcileError::during("writing the organisation that was read"))
}

/// The integrations of a store whose other writer begins or ceases to be one.
pub fn changes(
    ctx: Arc<Context>,
    store: Store<WatchedIntegration>,
) -> impl Stream<Item = ObjectRef<WatchedIntegration>> {
    let events = ctx.integrations_changed.subscribe();
    let before = HashMap::new();
    stream::unfold((events, before), move |(mut events, before)| {
        let (ctx, store) = (ctx.clone(), store.clone());
        async move {
            events.changed().await.ok()?;
            let all = ctx.all_integrations();
            let now: HashMap<ObjectRef<WatchedIntegration>, OtherWriter> = store
                .state()
                .iter()
                .filter_map(|watched| {
                    let own = watched.readable()?;
                    let other = other_writer(own, organization_of(own), all.iter().map(Arc::as_ref))?;
                    Some((ObjectRef::from_obj(watched.as_ref()), other))
                })
                .collect();
            let changed: Vec<_> = before
                .keys()
                .chain(now.keys().filter(|key| !before.contains_key(*key)))
                .filter(|key| before.get(*key) != now.get(*key))
                .cloned()
                .collect();
            Some((stream::iter(changed), (events, now)))
        }
    })
    .flatten()
}
