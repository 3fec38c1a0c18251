//! Stage 5: writes the integration's status and the events about it.

use jiff::Timestamp;
use kube::ResourceExt;

use super::{
    apply::ApplyState, assess::View, error::ReconcileError, events, match_store::Matches, scope::Scope,
};
use crate::{
    api::{EmployeeCounts, Reviewed},
    model::Snapshot,
    rules::status::{Cycle, IntegrationMeta, SyncTimes, SyncedCycle, integration_status},
};

/// Writes what came of a cycle into the integration's status, and publishes events about what changed.
///
/// # Errors
/// The API server's; lost leadership.
pub async fn report(scope: &Scope<'_>, cycle: &Cycle<'_>) -> Result<(), ReconcileError> {
    scope.check_leadership()?;
    let before = scope.status();
    let meta = IntegrationMeta {
        namespace: &scope.namespace(),
        name: &scope.integration.name_any(),
        generation: scope.integration.metadata.generation,
        sync_request: scope.sync_request(),
    };
    let after = integration_status(&before, scope.spec(), meta, cycle, Timestamp::now());
    scope
        .write_status(&after)
        .await
        .map_err(ReconcileError::during("writing the integration's status"))?;
    events::publish_transition(scope.ctx, scope.integration, &before, &after).await;
    scope.ctx.reported.send_replace(());
    Ok(())
}

/// What a cycle in which both services are known ended with.
pub struct CycleReport<'a> {
    pub snapshot: &'a Snapshot,
    pub matches: &'a Matches,
    pub view: &'a View,
    pub employees: EmployeeCounts,
    pub times: SyncTimes,
}

/// [`report`] for a cycle in which both services are known, with the apply that is not reported yet. Returns
/// whether there was one.
///
/// # Errors
/// As [`report`]; the apply is then reported by the next cycle.
pub async fn report_synced(
    scope: &Scope<'_>,
    apply: &mut ApplyState,
    cycle: CycleReport<'_>,
) -> Result<bool, ReconcileError> {
    let CycleReport {
        snapshot,
        matches,
        view,
        employees,
        times,
    } = cycle;
    let View {
        assessment,
        verdict,
        applying,
        guard,
        bindings: _,
    } = view;
    let records = matches.records();
    let spec = scope.spec();
    let reviewing = (!spec.finalized).then(|| Reviewed::now(&scope.uid(), spec, snapshot));
    let guard = guard.clone().shown(
        verdict,
        matches.len(),
        assessment.plan.is_empty(),
        reviewing,
        Timestamp::now(),
    );
    let unreported = apply.unreported.as_ref();
    let cycle = Cycle::Synced(SyncedCycle {
        snapshot,
        assessment,
        records,
        unusable: &matches.unusable(),
        employees,
        verdict,
        guard: &guard,
        applying: applying.as_ref(),
        applied: unreported.map(|unreported| &unreported.outcome.done),
        failures: &apply.failures,
        disconnected: apply.disconnected.as_ref(),
        times,
        history: unreported.and_then(|unreported| unreported.history.clone()),
    });
    report(scope, &cycle).await?;
    let Some(unreported) = apply.unreported.take() else {
        return Ok(false);
    };
    events::publish_outcome(scope.ctx, scope.integration, matches, &unreported.outcome).await;
    Ok(true)
}
