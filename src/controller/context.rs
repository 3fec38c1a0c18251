//! What all reconciles share.

use std::sync::Arc;

use kube::{
    Client, Resource, ResourceExt,
    runtime::{
        events::Recorder,
        reflector::{ObjectRef, Store},
    },
};
use tokio::sync::watch;

use super::{
    Settings,
    first_reads::FirstReads,
    leader::{Leadership, Term},
    liveness::Liveness,
    match_store::MatchStore,
    metrics::Metrics,
    readiness::{self, InitialList},
    state_dir::StateDir,
    watched::WatchedIntegration,
};
use crate::{api::OktaIntegration, services::SharedLimits};

/// What all reconciles share.
pub(crate) struct Context {
    pub(super) client: Client,
    pub(super) settings: Settings,
    pub(super) first_reads: FirstReads,
    pub(super) limits: SharedLimits,
    pub(super) state_dir: Option<StateDir>,
    pub(super) recorder: Recorder,
    pub(super) metrics: Arc<Metrics>,
    pub(super) liveness: Arc<Liveness>,
    pub(super) leadership: Leadership,
    /// One for each watch of each watched namespace.
    pub(super) initial_lists: Vec<Arc<InitialList>>,
    /// One for each watched namespace.
    pub(super) integrations: Vec<Store<WatchedIntegration>>,
    /// Notified of each change of an integration.
    pub(super) integrations_changed: watch::Sender<()>,
    /// Notified after each report in a status: messages to the webhook can be due.
    pub(super) reported: watch::Sender<()>,
    /// One for each watched namespace.
    pub(super) match_stores: Vec<Arc<MatchStore>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Context {
    /// Whether a plan that was made for exactly this integration in this term may
    /// still be written: the spec is unchanged and the operator is not shutting down.
    pub(super) fn may_write(&self, integration: &OktaIntegration, term: Term) -> bool {
        !*self.stop.borrow()
            && self.leadership.holds(term)
            && self.latest(integration).is_some_and(|latest| {
                latest.metadata.uid == integration.metadata.uid
                    && latest.metadata.generation == integration.metadata.generation
                    && latest.metadata.deletion_timestamp.is_none()
            })
    }

    /// The integration of this name as the watch last saw it; None if it cannot be read.
    pub(super) fn latest(&self, integration: &OktaIntegration) -> Option<Arc<OktaIntegration>> {
        let key =
            ObjectRef::new(&integration.name_any()).within(&integration.namespace().unwrap_or_default());
        let watched = self.integrations.iter().find_map(|store| store.get(&key))?;
        watched.readable().cloned()
    }

    /// Whether an integration of this name exists.
    pub(super) fn is_known(&self, namespace: &str, name: &str) -> bool {
        let key = ObjectRef::new(name).within(namespace);
        self.integrations.iter().any(|store| store.get(&key).is_some())
    }

    /// All integrations as the watches last saw them, as far as they are legible.
    pub(super) fn all_integrations(&self) -> Vec<Arc<OktaIntegration>> {
        let watched = self.integrations.iter().flat_map(Store::state);
        watched.filter_map(|watched| watched.legible().cloned()).collect()
    }

    /// Whether an integration with this uid exists.
    pub(super) fn exists(&self, uid: &str) -> bool {
        let has_uid = |object: &WatchedIntegration| object.meta().uid.as_deref() == Some(uid);
        self.integrations
            .iter()
            .any(|store| store.find(has_uid).is_some())
    }

    /// Completes when the operator shuts down.
    pub(super) async fn stopped(&self) {
        // An error means that the sender is gone, which is a shutdown too.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// The watches whose first list is incomplete, with the reason; empty when the operator is ready.
    pub(super) fn not_ready(&self) -> Vec<String> {
        readiness::pending(&self.initial_lists)
    }
}
