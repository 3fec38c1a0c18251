//! Tracing span, duration and liveness of each reconcile and its steps.

use std::sync::Arc;

use kube::{ResourceExt, runtime::controller::Action};
use tokio::time::Instant;
use tracing::{Instrument, field::Empty, span::EnteredSpan};

use super::{
    Context,
    metrics::{CycleStep, IntegrationCalls, Metrics, ReconcileResult},
    reconcile::{ReconcileError, reconcile},
};
use crate::{
    api::{OktaIntegration, SyncKind},
    http::Service,
};

/// [`reconcile`] with metrics, in a span of its own.
pub async fn reconcile_instrumented(
    integration: Arc<OktaIntegration>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let key = key(&integration);
    // At the level ERROR, so that even a log of errors only names the integration.
    let span = tracing::error_span!(
        "cycle",
        namespace = %key.0,
        integration = %key.1,
        cycle = %format_args!("{:016x}", fastrand::u64(..)),
        result = Empty,
    );
    let _in_flight = ctx.liveness.track(key);
    let mut measured = Reconciling::start(&ctx.metrics);
    let outcome = reconcile(integration, ctx.clone()).instrument(span.clone()).await;
    measured.result = match &outcome {
        Ok(_) => ReconcileResult::Done,
        Err(ReconcileError::Stopping | ReconcileError::NotLeader) => ReconcileResult::Aborted,
        Err(ReconcileError::Kubernetes { .. } | ReconcileError::Unreadable(_)) => ReconcileResult::Failed,
    };
    span.record("result", measured.result.as_str());
    if let Err(error) = &outcome {
        span.in_scope(|| tracing::warn!(%error, "the reconcile could not be finished"));
    }
    outcome
}

fn key(integration: &OktaIntegration) -> (String, String) {
    (
        integration.namespace().unwrap_or_default(),
        integration.name_any(),
    )
}

/// Counts on drop, so that a cancelled reconcile is counted too.
struct Reconciling<'a> {
    metrics: &'a Metrics,
    started: Instant,
    result: ReconcileResult,
}

impl<'a> Reconciling<'a> {
    fn start(metrics: &'a Metrics) -> Self {
        metrics.reconcile_started();
        Self {
            metrics,
            started: Instant::now(),
            result: ReconcileResult::Aborted,
        }
    }
}

impl Drop for Reconciling<'_> {
    fn drop(&mut self) {
        self.metrics
            .reconcile_finished(self.result, self.started.elapsed());
    }
}

/// Measures a step without I/O until it is dropped.
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

impl Context {
    pub fn call_observer(&self, integration: &OktaIntegration) -> Arc<IntegrationCalls> {
        self.metrics.call_observer(integration)
    }

    pub fn record_progress(&self, integration: &OktaIntegration) {
        self.liveness.record_progress(&key(integration));
    }

    /// Measures a step without I/O until the returned timer is dropped.
    pub fn time_step(&self, step: CycleStep) -> StepTimer<'_> {
        StepTimer {
            metrics: &self.metrics,
            step,
            started: Instant::now(),
            _span: tracing::info_span!("step", otel.name = step.as_str()).entered(),
        }
    }

    /// Runs and measures a step with I/O.
    pub async fn step<T>(
        &self,
        integration: &OktaIntegration,
        step: CycleStep,
        work: impl Future<Output = T>,
    ) -> T {
        let started = Instant::now();
        self.record_progress(integration);
        let span = tracing::info_span!("step", otel.name = step.as_str());
        let result = work.instrument(span).await;
        self.record_progress(integration);
        self.metrics.observe_step(step, started.elapsed());
        result
    }

    /// Records that reading both services ended; `started` is when it began.
    pub fn record_sync(
        &self,
        integration: &OktaIntegration,
        kind: SyncKind,
        succeeded: bool,
        started: Instant,
    ) {
        self.metrics.record_sync(kind, succeeded, started.elapsed());
        let calls = self.call_observer(integration);
        for (service, step) in [
            (Service::Okta, CycleStep::ReadOkta),
            (Service::Insightful, CycleStep::ReadInsightful),
        ] {
            if let Some(last) = calls.last_response(service, started) {
                self.metrics.observe_step(step, last - started);
            }
        }
    }
}
