//! When an integration is reconciled next if nothing changes before.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    apply::ApplyState,
    read::{ReadFailure, ReadState},
    scope::Scope,
};
use crate::rules::schedule::{self, MIN_REQUEUE};

/// How often the Secrets are read while something is wrong with them.
pub const SECRET_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The time until the next reconcile after a cycle: until the next sync, the first retry, or until the plan may be
/// written without an approval.
pub fn after_cycle(
    scope: &Scope<'_>,
    read: &ReadState,
    apply: &ApplyState,
    lifts_at: Option<Timestamp>,
) -> Duration {
    let needs_action = apply.disconnected.as_ref().is_some_and(|why| why.needs_action);
    let secrets = needs_action.then_some(SECRET_POLL_INTERVAL);
    let until = |time: Timestamp| Duration::try_from(time.duration_since(Timestamp::now())).ok();
    let lifts = lifts_at.and_then(until).map(|left| left + MIN_REQUEUE);
    schedule::requeue_after(
        read.since_last_read(),
        apply
            .retries_in()
            .chain(secrets)
            .chain(lifts)
            .chain(read.outcome_in()),
        &scope.spec().sync,
        &scope.uid(),
    )
}

/// The time until the next reconcile after a failed read: until its retry, or until a change of a Secret could
/// have mended it, or until the status has to say that the sync is late.
pub fn after_failed_read(scope: &Scope<'_>, failure: &ReadFailure) -> Duration {
    failure.retry_in().min(if failure.why.needs_action {
        SECRET_POLL_INTERVAL
    } else {
        until_late(scope)
    })
}

/// The time until the last good sync is late; [`Duration::MAX`] if it is late already.
fn until_late(scope: &Scope<'_>) -> Duration {
    let after = schedule::late_after(&scope.spec().sync);
    schedule::since_last_sync(scope.integration, Timestamp::now())
        .and_then(|since| after.checked_sub(since))
        .map_or(Duration::MAX, |left| left + MIN_REQUEUE)
}
