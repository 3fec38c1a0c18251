//! EmployeeMatches that somebody deleted, with the decisions in them.

use super::{error::ReconcileError, match_store::Matches, scope::Scope};
use crate::api::GuardStatus;

/// Records that there are fewer EmployeeMatches than after the last cycle, before any of them is made again: nobody
/// has reviewed a plan without their decisions.
///
/// # Errors
/// The API server's; lost leadership.
pub async fn record_vanished(scope: &Scope<'_>, matches: &Matches) -> Result<(), ReconcileError> {
    let mut status = scope.status();
    let mut guard = GuardStatus::recall(&status, scope.spec());
    if !scope.spec().finalized || !guard.counts_more_than(matches.len()) {
        return Ok(());
    }
    scope.check_leadership()?;
    // The watch of a new leader may lag behind what the one before created.
    let count = matches
        .count()
        .await
        .map_err(ReconcileError::during("counting EmployeeMatches"))?;
    if !guard.counts_more_than(count) {
        return Ok(());
    }
    guard.count_matches(count);
    status.guard = Some(guard);
    scope.write_status(&status).await.map_err(ReconcileError::during(
        "recording that EmployeeMatches were deleted",
    ))
}
