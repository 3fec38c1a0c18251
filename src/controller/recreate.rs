//! Makes EmployeeMatches again that were deleted while their match was in force, before anything else is planned for
//! their people.

use super::{
    error::ReconcileError, events, match_store::Matches, published::read_integration, scope::Scope,
    vanished::record_vanished,
};

/// Makes those again that the watch has shown to be deleted, before services are read that may fail.
///
/// # Errors
/// See [`recreate_deleted`].
pub async fn recreate_known(scope: &Scope<'_>) -> Result<(), ReconcileError> {
    match scope.known_matches().await {
        Some(mut matches) => recreate_deleted(scope, &mut matches).await,
        None => Ok(()),
    }
}

/// Makes them again, unless the integration was deleted with them.
///
/// # Errors
/// The API server's; lost leadership. Nothing may be planned then: what was replaced is not on record.
pub async fn recreate_deleted(scope: &Scope<'_>, matches: &mut Matches) -> Result<(), ReconcileError> {
    if !matches.has_lost() {
        return Ok(());
    }
    // Before they are made again: their decisions are gone.
    record_vanished(scope, matches).await?;
    scope.check_leadership()?;
    // The watch may show a deleted integration for longer than its matches.
    let integration = read_integration(scope.ctx, scope.integration).await;
    if integration
        .map_err(ReconcileError::during("reading the integration"))?
        .is_none()
    {
        return Ok(());
    }
    let recreated = matches
        .recreate_lost()
        .await
        .map_err(ReconcileError::during("making deleted EmployeeMatches again"))?;
    events::publish_recreated(scope.ctx, matches, &recreated).await;
    Ok(())
}
