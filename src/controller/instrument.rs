//! Tracing span, duration and liveness of each reconcile.

use std::sync::Arc;

use kube::{ResourceExt, runtime::controller::Action};
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

use super::{
    error::ReconcileError,
    metrics::{Metrics, ReconcileResult},
    reconcile::Reconciler,
    watched::WatchedIntegration,
};

/// [`Reconciler::reconcile`], measured and in a span that names the integration.
///
/// # Errors
/// As [`Reconciler::reconcile`].
pub async fn reconcile_instrumented(
    integration: Arc<WatchedIntegration>,
    reconciler: Arc<Reconciler>,
) -> Result<Action, ReconcileError> {
    let ctx = &reconciler.ctx;
    let key = (
        integration.namespace().unwrap_or_default(),
        integration.name_any(),
    );
    // At level error, so that a log of errors alone names the integration, too.
    let span = tracing::error_span!(
        "cycle",
        namespace = %key.0,
        integration = %key.1,
        cycle = %format_args!("{:016x}", fastrand::u64(..)),
        result = Empty,
    );
    let _in_flight = ctx.liveness.track(key);
    let mut measured = Reconciling::start(&ctx.metrics);
    let answer = reconciler.reconcile(integration).instrument(span.clone()).await;
    measured.result = match &answer {
        Ok(_) => ReconcileResult::Done,
        Err(ReconcileError::Stopping | ReconcileError::NotLeader) => ReconcileResult::Aborted,
        Err(ReconcileError::Kubernetes { .. }) => ReconcileResult::Failed,
    };
    span.record("result", measured.result.as_str());
    if let Err(error) = &answer {
        span.in_scope(|| tracing::warn!(%error, "reconcile failed"));
    }
    answer
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
