//! Between the read and the assessment: the EmployeeMatches and what was read are brought together, so that nothing is
//! assessed without a record that exists, or without a person who can be found.

use super::{
    error::ReconcileError,
    events,
    match_store::Matches,
    one_writer::publish_organization,
    read::{ReadState, Synced, look_up_missing},
    recreate::recreate_deleted,
    scope::Scope,
    vanished::record_vanished,
};

/// Returns the matches, after whatever was deleted is made again or recorded as gone, and after the people whom
/// Okta's lists lack were looked up.
///
/// # Errors
/// The API server's; lost leadership; the operator shuts down.
pub async fn prepare(
    scope: &Scope<'_>,
    reading: &mut ReadState,
    synced: &mut Synced<'_>,
) -> Result<Matches, ReconcileError> {
    publish_organization(scope, synced.snapshot).await?;
    let mut matches = scope.matches().await?;
    matches.attribute(synced.snapshot.people().keys());
    // Last, so that no record is lost between this and the assessment.
    recreate_deleted(scope, &mut matches).await?;
    events::publish_unreadable(scope.ctx, &mut matches).await;
    record_vanished(scope, &matches).await?;
    look_up_missing(scope, reading, synced, matches.records()).await?;
    let former_names = matches.former_names(synced.snapshot);
    synced.snapshot.set_former_names(former_names);
    Ok(matches)
}
