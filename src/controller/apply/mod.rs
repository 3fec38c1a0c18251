//! Stage 4: writes a cleared plan to Insightful. Before each write its before-image goes into the cluster, and
//! its result afterwards.

mod audit;
mod before_images;
mod run;
mod writes;

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

use super::{
    assess::View,
    backoff::{Backoffs, FailureStreak},
    error::ReconcileError,
    match_store::Matches,
    metrics::CycleStep,
    progress::Reporter,
    read::Synced,
    scope::{Scope, sync_request},
};
use crate::{
    api::{CycleResult, HistoryEntry, PendingOperation, Reviewed, Step, SuspendedPolicy, SyncKind},
    model::{PersonId, Snapshot},
    rules::{
        approval,
        guard::{Clearance, ClearedPlan, Verdict},
        pending::{self, Deferred},
        plan::Plan,
        schedule,
        status::{self, Disconnected, WriteFailures},
    },
};

use audit::Audit;
use run::Apply;
pub use run::Outcome;

/// How long an apply goes on at least before it makes room for a decision, so that many decisions in a row do
/// not keep the plan from being written.
const MIN_APPLY_BEFORE_DECISION: Duration = Duration::from_secs(5);

/// How long an apply goes on at least before it makes room for the next sync, where intervals are short.
const MIN_APPLY_BEFORE_SYNC: Duration = Duration::from_secs(60);

/// What the apply stage remembers.
#[derive(Default)]
pub struct ApplyState {
    /// People whose last write failed.
    pub failures: WriteFailures,
    /// What ended the last apply early, until one comes to its end.
    pub disconnected: Option<Disconnected>,
    /// An apply that the integration's status does not report yet.
    pub unreported: Option<Unreported>,
    /// When each person's write is retried.
    backoffs: Backoffs,
    /// When the whole apply is retried.
    retry_at: Option<Instant>,
    /// Applies in a row that ended early.
    streak: FailureStreak,
    /// Whether both services must be read before the next plan.
    needs_sync: bool,
}

/// An apply that the integration's status does not report yet.
pub struct Unreported {
    pub outcome: Outcome,
    /// Its entry in the history; None if it did nothing that is not there already.
    pub history: Option<HistoryEntry>,
}

/// What came of the apply stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// Nothing was to be written, or nothing might be.
    NothingWritten,
    /// A plan was applied, whole or in part; [`ApplyState::unreported`] has what was done.
    Applied,
}

impl ApplyState {
    /// The state with nothing but what is not reported yet.
    pub fn unreported_only(&mut self) -> Self {
        Self {
            unreported: self.unreported.take(),
            ..Self::default()
        }
    }

    /// Somebody requested a sync: failed writes are retried at once.
    pub fn retry_now(&mut self) {
        self.retry_at = None;
        self.backoffs.retry_now(Instant::now());
    }

    /// The clients are others now: what ended the last apply says nothing about them.
    pub fn reconnected(&mut self) {
        self.disconnected = None;
        self.retry_at = None;
    }

    /// Whether the last apply's outcome requires a sync before the next plan. The request is taken.
    pub fn take_sync_request(&mut self) -> bool {
        std::mem::take(&mut self.needs_sync)
    }

    /// Whether the whole apply waits for its retry.
    pub fn is_backing_off(&self) -> bool {
        self.disconnected.is_some() && self.retry_at.is_some_and(|retry| Instant::now() < retry)
    }

    /// Whether a write, or the whole last apply, failed.
    pub fn has_failures(&self) -> bool {
        !self.failures.is_empty() || self.disconnected.is_some()
    }

    /// Forgets the failures of people about whom nothing is planned any more.
    pub fn forget_settled(&mut self, plan: &Plan) {
        let people = plan.people();
        self.failures.retain(|person, _| people.contains(person));
        self.backoffs.retain(|person| people.contains(person));
    }

    /// Nothing is left to apply, so nothing waits for a retry.
    pub fn nothing_to_apply(&mut self) {
        self.reconnected();
    }

    /// Whether the plan may be written and holds anything that waits neither for its retry nor for the outcome of an
    /// earlier request.
    pub fn is_due(&self, verdict: &Verdict, deferred: &Deferred) -> bool {
        let Some(plan) = verdict.cleared() else {
            return false;
        };
        let plan = plan.as_plan();
        let waiting = self.waiting(deferred);
        !self.is_backing_off()
            && (plan
                .teams
                .iter()
                .any(|team| !deferred.teams.contains(&team.group))
                || plan.people().iter().any(|person| !waiting.contains(*person)))
    }

    /// People for whom nothing is written now.
    fn waiting(&self, deferred: &Deferred) -> BTreeSet<PersonId> {
        let backing_off = self.backoffs.backing_off(Instant::now());
        backing_off
            .into_iter()
            .chain(deferred.people.iter().cloned())
            .collect()
    }

    /// The times until the next retries: of the whole apply, and of the first person.
    pub fn retries_in(&self) -> impl Iterator<Item = Duration> {
        let now = Instant::now();
        let whole = self.retry_at.map(|retry| retry.saturating_duration_since(now));
        whole.into_iter().chain(self.backoffs.next_retry(now))
    }

    /// Records for whom an apply failed, of the people whom it was to write, and when that is retried. Returns
    /// whether it wrote anything, or met a failure that the apply before had not met.
    fn record(&mut self, outcome: &Outcome, tried: &BTreeSet<PersonId>) -> bool {
        let now = Instant::now();
        let has_new_failure = outcome
            .failures
            .keys()
            .any(|person| !self.failures.contains_key(person))
            || (outcome.disconnected.is_some() && self.disconnected.is_none());
        let is_news = outcome.done.writes > 0 || (outcome.done.failed > 0 && has_new_failure);
        if outcome.gone_through {
            self.failures.retain(|person, _| !tried.contains(person));
        }
        self.failures.extend(outcome.failures.clone());
        self.backoffs.retain(|person| self.failures.contains_key(person));
        for person in outcome.failures.keys() {
            self.backoffs.record_failure(person.clone(), now);
        }
        self.disconnected = outcome.disconnected.clone();
        self.retry_at = if self.disconnected.is_some() {
            Some(now + self.streak.next_delay())
        } else {
            self.streak.reset();
            None
        };
        self.needs_sync |= outcome.read_again;
        is_news
    }
}

/// Applies the plan if it is cleared and due, and if the matches show exactly what it writes.
///
/// # Errors
/// The API server's; lost leadership. What was done until then is in `state`.
pub async fn apply(
    scope: &Scope<'_>,
    state: &mut ApplyState,
    synced: &mut Synced<'_>,
    matches: &mut Matches,
    view: &mut View,
) -> Result<ApplyOutcome, ReconcileError> {
    matches.merge_events();
    let deferred = Deferred::of(
        &view.assessment.plan,
        matches.records(),
        &view.bindings,
        synced.read_at,
    );
    let cleared = match view.verdict.cleared() {
        Some(cleared) if state.unreported.is_none() && state.is_due(&view.verdict, &deferred) => {
            cleared.clone()
        }
        _ => return Ok(ApplyOutcome::NothingWritten),
    };
    // Only what is shown is written: a match that was changed while it was shown is shown first.
    let is_shown = approval::is_announced(&view.assessment, &matches.announcements())
        && matches.missing(cleared.as_plan().people().into_iter()).is_empty();
    if !is_shown {
        return Ok(ApplyOutcome::NothingWritten);
    }
    let started = Timestamp::now();
    record_start(scope, &cleared, synced.snapshot, view, &deferred, started).await?;
    let waiting = state.waiting(&deferred);
    let people = cleared.as_plan().people().into_iter();
    let tried: BTreeSet<PersonId> = people
        .filter(|person| !waiting.contains(*person))
        .cloned()
        .collect();
    let reporter = Reporter::new(*scope).with_services(&synced.services);
    let should_yield = should_yield(scope, &cleared, matches);
    let organization = synced.snapshot.organization().map(str::to_owned);
    let may_write =
        || scope.may_write() && scope.other_writer(organization.as_deref()).is_none() && !should_yield();
    let audit = Audit::of(
        scope.integration,
        cleared.clearance(),
        scope.ctx.settings.audit_values,
    );
    let apply = Apply {
        audit,
        services: &synced.services,
        matches,
        snapshot: synced.snapshot,
        teams: &view.assessment.teams,
        employees_read: synced.workforce_read,
        bindings: &mut view.bindings,
        deferred: &deferred,
        outcome_wait: scope.ctx.settings.outcome_wait,
        may_write: &may_write,
        suspended_means_departed: scope.spec().okta.suspended == SuspendedPolicy::Deactivate,
        waiting: &waiting,
        on_progress: &|done, total| reporter.at(Step::Applying, done, Some(total)),
    };
    let (outcome, result) = scope
        .step(CycleStep::Apply, reporter.during(apply.run(cleared)))
        .await;
    scope.ctx.metrics.record_apply(outcome.done.completed);
    tracing::info!(
        plan = outcome.done.plan,
        writes = outcome.done.writes,
        failed = outcome.done.failed,
        completed = outcome.done.completed,
        "applied"
    );
    if outcome.done.completed {
        view.guard.complete(&outcome.done.plan, &view.verdict);
    }
    let is_news = state.record(&outcome, &tried);
    let history = is_news.then(|| history(synced.kind, &outcome, started));
    state.unreported = Some(Unreported { outcome, history });
    result.map_err(ReconcileError::during("recording before-images"))?;
    Ok(ApplyOutcome::Applied)
}

/// Records what must be known if this apply is cut short: the teams that are about to be created, the plan that an
/// admin approved, and what the guard counts.
async fn record_start(
    scope: &Scope<'_>,
    cleared: &ClearedPlan,
    snapshot: &Snapshot,
    view: &mut View,
    deferred: &Deferred,
    now: Timestamp,
) -> Result<(), ReconcileError> {
    scope.check_leadership()?;
    let plan = cleared.as_plan();
    let review = Reviewed::now(&scope.uid(), scope.spec(), snapshot);
    view.guard.begin(cleared, &view.verdict, review);
    let is_approved = matches!(cleared.clearance(), Clearance::Approved(_));
    if plan.teams.is_empty() && !is_approved && view.guard.in_flight.is_none() {
        return Ok(());
    }
    let wait = scope.ctx.settings.outcome_wait;
    for team in plan
        .teams
        .iter()
        .filter(|team| !deferred.teams.contains(&team.group))
    {
        let request = pending::request(PendingOperation::CreateTeam, &team.name, None, now, wait);
        view.bindings.pending.insert(team.group.clone(), request);
    }
    let before = scope.status();
    let teams = if plan.teams.is_empty() && !is_approved {
        before.teams.clone()
    } else {
        status::team_statuses(snapshot, &view.assessment)
    };
    let guard = view.guard.clone();
    let status = approval::begun(before, teams, &view.bindings.pending, cleared, guard, now);
    scope
        .write_status(&status)
        .await
        .map_err(ReconcileError::during("recording what is about to be written"))
}

/// Whether an apply should end early to make room for the next cycle: a sync is requested or due again, or,
/// after a while, somebody made a decision. The remainder of the plan is planned again after that. An approved
/// plan goes on to its end, since with anything added, its remainder would need another approval.
fn should_yield<'a>(
    scope: &Scope<'a>,
    plan: &ClearedPlan,
    matches: &Matches,
) -> impl Fn() -> bool + Send + Sync + use<'a> {
    let scope = *scope;
    let is_approved = plan.clearance().approved_plan().is_some();
    let began = Instant::now();
    // As long as from one sync to the next, so that the apply makes progress however long a read takes.
    let until_sync = schedule::interval(&scope.spec().sync, &scope.uid()).max(MIN_APPLY_BEFORE_SYNC);
    let needs_reconcile = matches.needs_reconcile();
    move || {
        if is_approved {
            return false;
        }
        let is_sync_requested = || {
            let now = scope.latest();
            now.is_some_and(|now| sync_request(&now) != scope.sync_request())
        };
        let elapsed = began.elapsed();
        elapsed >= until_sync
            || (elapsed >= MIN_APPLY_BEFORE_DECISION && needs_reconcile())
            || is_sync_requested()
    }
}

/// The apply's entry in the status.
fn history(kind: SyncKind, outcome: &Outcome, started: Timestamp) -> HistoryEntry {
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let took = Timestamp::now().duration_since(started).unsigned_abs();
    HistoryEntry {
        start_time: Time(started),
        duration: Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)).into(),
        kind,
        result: if outcome.done.completed {
            CycleResult::Applied
        } else {
            CycleResult::PartlyApplied
        },
        plan: outcome.done.plan.clone(),
        writes: count(outcome.done.writes),
        failed: count(outcome.done.failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::status::{ApplySummary, WriteFailure};

    /// An apply with so many writes that failed for these people.
    fn outcome(writes: usize, failed: &[&str]) -> Outcome {
        let failure = WriteFailure {
            reason: "Refused".into(),
            message: "the email is taken".into(),
        };
        Outcome {
            done: ApplySummary {
                writes,
                failed: failed.len(),
                ..ApplySummary::default()
            },
            failures: failed
                .iter()
                .map(|person| ((*person).into(), failure.clone()))
                .collect(),
            gone_through: true,
            ..Outcome::default()
        }
    }

    fn people(names: &[&str]) -> BTreeSet<PersonId> {
        names.iter().map(|name| (*name).into()).collect()
    }

    fn failing(state: &ApplyState) -> BTreeSet<PersonId> {
        state.failures.keys().cloned().collect()
    }

    #[test]
    fn only_writes_and_new_failures_are_news() {
        let mut state = ApplyState::default();
        assert!(!state.record(&outcome(0, &[]), &people(&["jane"])));
        assert!(state.record(&outcome(0, &["jane"]), &people(&["jane"])));
        assert!(!state.record(&outcome(0, &["jane"]), &people(&["jane"])));
        assert!(state.record(&outcome(1, &["jane"]), &people(&["jane", "omar"])));
        assert!(state.record(&outcome(0, &["omar"]), &people(&["jane", "omar"])));
        assert_eq!(failing(&state), people(&["omar"]), "jane's write took effect");
    }

    #[test]
    fn failures_stay_for_people_who_were_not_tried() {
        let mut state = ApplyState::default();
        state.record(&outcome(0, &["jane", "omar"]), &people(&["jane", "omar"]));
        // Omar's write waits for its retry, Jane's takes effect.
        state.record(&outcome(1, &[]), &people(&["jane"]));
        assert_eq!(failing(&state), people(&["omar"]));

        let ended_early = Outcome {
            gone_through: false,
            disconnected: Some(Disconnected {
                condition: "InsightfulConnected",
                reason: "NoResponse".into(),
                message: "no response".into(),
                needs_action: false,
            }),
            ..outcome(0, &["mia"])
        };
        assert!(state.record(&ended_early, &people(&["mia", "omar"])));
        assert_eq!(failing(&state), people(&["mia", "omar"]));
        assert!(state.is_backing_off());
        assert!(!state.record(&ended_early, &people(&["mia", "omar"])));

        state.record(&outcome(2, &[]), &people(&["mia", "omar"]));
        assert_eq!(failing(&state), people(&[]));
        assert!(!state.is_backing_off());
        assert_eq!(state.retries_in().next(), None);
    }

    #[test]
    fn an_unreported_apply_outlasts_a_suspension_and_another_leader() {
        let mut state = ApplyState {
            unreported: Some(Unreported {
                outcome: Outcome::default(),
                history: None,
            }),
            needs_sync: true,
            ..ApplyState::default()
        };
        let kept = state.unreported_only();
        assert!(kept.unreported.is_some() && !kept.needs_sync);
        assert!(state.unreported.is_none());
    }
}
