//! The read-only view that every stage of a reconcile gets.

use std::sync::Arc;

use kube::ResourceExt;
use tokio::time::Instant;
use tracing::{Instrument, span::EnteredSpan};

use super::{
    context::Context,
    error::ReconcileError,
    leader::Term,
    match_store::{MatchStore, Matches},
    metrics::{CycleStep, IntegrationCalls, Metrics},
    published::PublishedStatus,
};
use crate::{
    api::{OktaIntegration, OktaIntegrationSpec, OktaIntegrationStatus, SYNC_REQUESTED_AT, SyncKind},
    http::Service,
};

/// One integration, in the leadership term in which its reconcile began.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub ctx: &'a Context,
    pub integration: &'a OktaIntegration,
    pub published: &'a PublishedStatus,
    pub term: Term,
}

impl<'a> Scope<'a> {
    pub fn spec(&self) -> &'a OktaIntegrationSpec {
        &self.integration.spec
    }

    pub fn uid(&self) -> String {
        self.integration.uid().unwrap_or_default()
    }

    pub fn namespace(&self) -> String {
        self.integration.namespace().unwrap_or_default()
    }

    /// The value of the annotation that requests a sync.
    pub fn sync_request(&self) -> Option<&'a str> {
        sync_request(self.integration)
    }

    /// Whether a sync is requested that no status has answered.
    pub fn is_sync_requested(&self) -> bool {
        let request = self.sync_request();
        request.is_some() && request != self.status().last_handled_sync_request.as_deref()
    }

    /// The integration's status as it stands.
    pub fn status(&self) -> OktaIntegrationStatus {
        self.published.get(self.integration)
    }

    /// Writes the integration's status if it differs from the one that stands.
    ///
    /// # Errors
    /// The API server's.
    pub async fn write_status(&self, status: &OktaIntegrationStatus) -> Result<(), kube::Error> {
        self.published.write(self.ctx, self.integration, status).await
    }

    /// Whether a plan made in this reconcile may still be written.
    pub fn may_write(&self) -> bool {
        self.ctx.may_write(self.integration, self.term)
    }

    /// # Errors
    /// [`ReconcileError::NotLeader`] once another replica leads.
    pub fn check_leadership(&self) -> Result<(), ReconcileError> {
        if self.ctx.leadership.holds(self.term) {
            Ok(())
        } else {
            Err(ReconcileError::NotLeader)
        }
    }

    /// The integration as the watch last saw it; None once it is deleted.
    pub fn latest(&self) -> Option<Arc<OktaIntegration>> {
        self.ctx.latest(self.integration)
    }

    /// Tells the liveness probe that this reconcile makes progress.
    pub fn record_progress(&self) {
        let key = (self.namespace(), self.integration.name_any());
        self.ctx.liveness.record_progress(&key);
    }

    /// Counts the calls to both services for this integration.
    pub fn call_observer(&self) -> Arc<IntegrationCalls> {
        self.ctx.metrics.call_observer(self.integration)
    }

    /// Runs one step of a stage in a span of its own and measures it.
    pub async fn step<T>(&self, step: CycleStep, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        self.record_progress();
        let span = tracing::info_span!("step", otel.name = step.as_str());
        let result = work.instrument(span).await;
        self.record_progress();
        self.ctx.metrics.observe_step(step, started.elapsed());
        result
    }

    /// The same for a step without I/O, which ends when the timer is dropped.
    pub fn time_step(&self, step: CycleStep) -> StepTimer<'a> {
        StepTimer {
            metrics: &self.ctx.metrics,
            step,
            started: Instant::now(),
            _span: tracing::info_span!("step", otel.name = step.as_str()).entered(),
        }
    }

    /// Records the result of a sync that began at `started`, and how long each service took.
    pub fn record_sync(&self, kind: SyncKind, succeeded: bool, started: Instant) {
        let metrics = &self.ctx.metrics;
        metrics.record_sync(kind, succeeded, started.elapsed());
        let calls = self.call_observer();
        for (service, step) in [
            (Service::Okta, CycleStep::ReadOkta),
            (Service::Insightful, CycleStep::ReadInsightful),
        ] {
            if let Some(last) = calls.last_response(service, started) {
                metrics.observe_step(step, last - started);
            }
        }
    }

    fn match_store(&self) -> Option<&'a MatchStore> {
        let namespace = self.namespace();
        let mut stores = self.ctx.match_stores.iter();
        Some(stores.find(|store| store.covers(&namespace))?)
    }

    /// The integration's EmployeeMatches, if the watch has delivered all of them.
    pub async fn known_matches(&self) -> Option<Matches> {
        let store = self.match_store().filter(|store| store.is_ready())?;
        Some(store.matches(&self.ctx.client, self.integration).await)
    }

    /// The integration's EmployeeMatches, once the watch has delivered all of them.
    ///
    /// # Errors
    /// [`ReconcileError::Stopping`] if the operator shuts down before that.
    pub async fn matches(&self) -> Result<Matches, ReconcileError> {
        let Some(store) = self.match_store() else {
            // Integrations are seen in watched namespaces only.
            return Err(ReconcileError::Stopping);
        };
        tokio::select! {
            matches = store.matches(&self.ctx.client, self.integration) => Ok(matches),
            () = self.ctx.stopped() => Err(ReconcileError::Stopping),
        }
    }
}

/// Measures a step until it is dropped.
pub struct StepTimer<'a> {
    metrics: &'a Metrics,
    step: CycleStep,
    started: Instant,
    _span: EnteredSpan,
}

impl Drop for StepTimer<'_> {
    fn drop(&mut self) {
        self.metrics.observe_step(self.step, self.started.elapsed());
    }
}

/// The value of the annotation that requests a sync.
pub fn sync_request(integration: &OktaIntegration) -> Option<&str> {
    let request = integration.annotations().get(SYNC_REQUESTED_AT);
    request.map(String::as_str)
}
