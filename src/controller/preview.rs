//! Stage 3: shows what is planned on the EmployeeMatches, before anything is written to Insightful.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    assess::View,
    error::ReconcileError,
    match_store::{CachedMatch, Matches},
    metrics::CycleStep,
    progress::Reporter,
    read::Synced,
    scope::Scope,
};
use crate::{
    api::Step,
    model::PersonId,
    rules::{
        resolve::Record,
        status::{self, MatchStatuses, WriteFailures},
    },
};

/// What is shown now.
pub struct Preview {
    pub view: View,
    /// People whose match was changed while its status was computed: the next cycle shows them.
    pub outdated: BTreeSet<PersonId>,
}

/// Creates the EmployeeMatches that are missing and writes the statuses that changed. The view is computed
/// again if a match that was believed missing exists and holds a decision or a record.
///
/// # Errors
/// The API server's; lost leadership.
pub async fn preview(
    scope: &Scope<'_>,
    synced: &Synced<'_>,
    matches: &mut Matches,
    view: View,
    failures: &WriteFailures,
) -> Result<Preview, ReconcileError> {
    let writing = write_matches(scope, synced, matches, view, failures);
    scope.step(CycleStep::WriteMatches, writing).await
}

async fn write_matches(
    scope: &Scope<'_>,
    synced: &Synced<'_>,
    matches: &mut Matches,
    mut view: View,
    failures: &WriteFailures,
) -> Result<Preview, ReconcileError> {
    scope.check_leadership()?;
    let snapshot = &*synced.snapshot;
    let reporter = Reporter::new(*scope);
    // An object that is not used makes nobody a person whom Okta does not have.
    let people = view.assessment.resolved.keys();
    let people = people.filter(|id| snapshot.people().contains_key(*id) || matches.get(id).is_some());
    let missing = matches.missing(people);
    let created = missing.len();
    let total = Some(created + view.assessment.resolved.len());
    let creating = matches.create_missing(missing, |done| reporter.at(Step::WritingMatches, done, total));
    let is_news = reporter
        .during(creating)
        .await
        .map_err(ReconcileError::during("creating EmployeeMatches"))?;
    if is_news {
        view = view.renew(scope, snapshot, matches);
    }
    record_memory(scope, &view).await?;
    matches
        .write_wrong_names(Timestamp::now())
        .await
        .map_err(ReconcileError::during(
            "writing the statuses of EmployeeMatches with wrong names",
        ))?;
    let assessment = &view.assessment;
    let statuses = MatchStatuses {
        snapshot,
        spec: scope.spec(),
        assessment,
        verdict: &view.verdict,
        failures,
        read_at: synced.read_at,
        now: Timestamp::now(),
    };
    let status_of = |id: &PersonId, record: &Record, cached: &CachedMatch| {
        statuses.of(id, record, &cached.earlier(), cached.generation)
    };
    let writing = matches.write_statuses(assessment.resolved.keys(), status_of, |done| {
        reporter.at(Step::WritingMatches, created + done, total)
    });
    let written = reporter
        .during(writing)
        .await
        .map_err(ReconcileError::during("writing the statuses of EmployeeMatches"))?;
    if created + written.count > 0 {
        tracing::info!(created, written = written.count, "wrote EmployeeMatches");
    }
    Ok(Preview {
        view,
        outdated: written.conflicts,
    })
}

/// Records what the statuses of the matches would hide once they are written: whatever is shown while an approved
/// plan is on record counts as approved, and whatever is shown after an apply has begun counts as not written yet.
async fn record_memory(scope: &Scope<'_>, view: &View) -> Result<(), ReconcileError> {
    let mut status = scope.status();
    let recorded = status.guard.take().unwrap_or_default();
    let is_planned = !view.assessment.plan.is_empty();
    let is_withdrawn = is_planned && view.applying.is_none() && status.applying.is_some();
    let is_settled = is_planned && view.guard.in_flight.is_none() && recorded.in_flight.is_some();
    if !is_withdrawn && !is_settled {
        return Ok(());
    }
    status.applying = view.applying.clone();
    status.guard = Some(view.guard.clone());
    status::fit(&mut status);
    scope
        .write_status(&status)
        .await
        .map_err(ReconcileError::during("recording what was applied and approved"))
}
