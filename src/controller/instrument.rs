//! What is around each reconcile, and around its steps: a span, so that each
//! line of the log says which cycle of which integration it belongs to, the
//! measured time, and the sign of life.

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

/// [`reconcile`], measured and in a span of its own.
///
/// # Errors
/// Its own.
pub async fn reconcile_instrumented(
    integration: Arc<OktaIntegration>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let key = key(&integration);
    // At the highest level, so that a log of errors alone names the integration too.
    let span = tracing::error_span!(
        "cycle",
        namespace = %key.0,
        integration = %key.1,
        cycle = %format_args!("{:016x}", fastrand::u64(..)),
        result = Empty,
    );
    let _in_flight = ctx.liveness.track(key);
    let mut measured = Reconciling::start(&ctx.metrics);
    let answer = reconcile(integration, ctx.clone()).instrument(span.clone()).await;
    measured.result = match &answer {
        Ok(_) => ReconcileResult::Done,
        Err(ReconcileError::Stopping | ReconcileError::NotLeader) => ReconcileResult::Aborted,
        Err(ReconcileError::Kubernetes { .. } | ReconcileError::Unreadable(_)) => ReconcileResult::Failed,
    };
    span.record("result", measured.result.as_str());
    if let Err(error) = &answer {
        span.in_scope(|| tracing::warn!(%error, "the reconcile could not be finished"));
    }
    answer
}

fn key(integration: &OktaIntegration) -> (String, String) {
    (
        integration.namespace().unwrap_or_default(),
        integration.name_any(),
    )
}

/// Counts on drop, so that a reconcile that is cut short is counted too.
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

/// A step that is being done, until this is dropped; for steps without I/O.
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
    /// Who hears of the calls for this integration.
    pub fn call_observer(&self, integration: &OktaIntegration) -> Arc<IntegrationCalls> {
        self.metrics.call_observer(integration)
    }

    /// Work for this integration got on.
    pub fn record_progress(&self, integration: &OktaIntegration) {
        self.liveness.record_progress(&key(integration));
    }

    /// A step without I/O, from now until what this gives is dropped.
    pub fn time_step(&self, step: CycleStep) -> StepTimer<'_> {
        StepTimer {
            metrics: &self.metrics,
            step,
            started: Instant::now(),
            _span: tracing::info_span!("step", otel.name = step.as_str()).entered(),
        }
    }

    /// Does a step with I/O.
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

    /// Both services were read, or could not be, since `started`.
    pub fn record_sync(&self, integration: &OktaIntegration, kind: SyncKind, well: bool, started: Instant) {
        self.metrics.record_sync(kind, well, started.elapsed());
        let calls = self.call_observer(integration);
        for (service, step) in [
            (Service::Okta, CycleStep::ReadOkta),
            (Service::Insightful, CycleStep::ReadInsightful),
        ] {
            if let Some(last) = calls.last_answer(service, started) {
                self.metrics.observe_step(step, last - started);
            }
        }
    }
}
