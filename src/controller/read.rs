//! Stage 1: reads both services if a sync is due, and saves what Okta answered for the next start. Which sync
//! is due is decided in [`schedule`].

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::time::Instant;

use super::{
    backoff::FailureStreak,
    credentials::Connection,
    error::ReconcileError,
    first_reads::ReadPermit,
    progress::Reporter,
    scope::Scope,
    state_dir::{ReadSource, SavedDirectory},
};
use crate::{
    api::{Step, SyncKind, conditions},
    http::{Retryability, is_path_segment},
    model::{Delta, PersonId, Snapshot, SyncedState, Workforce},
    rules::{
        exclusion,
        resolve::{self, Records},
        schedule::{self, Due, FullSyncReason, LastReads, MIN_REQUEUE},
        status::{Disconnected, SyncTimes},
    },
    services::{
        Services,
        gather::{self, GatherError, Gathered, LookedUp},
    },
};

/// How often an integration that waits for its first read checks whether it still has to.
const WAIT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How old the last read of Insightful may be if the cycle may lead to a write.
const MAX_WORKFORCE_AGE: Duration = Duration::from_secs(5);

/// People whom Okta's lists lack and who are asked for by id after one sync; the others after the next.
const MAX_LOOK_UPS: usize = 50;

/// What the read stage remembers.
#[derive(Default)]
pub struct ReadState {
    /// What Okta was read with.
    source: Option<ReadSource>,
    /// When both services were last read; None requests a read.
    last_read: Option<Instant>,
    /// When the last read of Insightful began.
    workforce_read: Option<Instant>,
    /// When that read began, in wall-clock time.
    workforce_read_at: Option<Timestamp>,
    /// When Insightful has to be read again, because the outcome of an earlier request is certain then.
    outcome_at: Option<Timestamp>,
    /// The same as `last_read` in wall-clock time, for the status; None before the first read since the start.
    last_sync: Option<Timestamp>,
    /// When the last full sync began, in wall-clock time.
    last_full_sync: Option<Timestamp>,
    /// People whom Okta, asked by id, no longer has. Okta gives no id twice.
    deleted: BTreeSet<PersonId>,
    /// People about whom Okta refuses an answer, until the next full sync.
    refused: BTreeSet<PersonId>,
    /// The failed read, until one succeeds.
    failure: Option<ReadFailure>,
    failures: FailureStreak,
}

/// A failed read.
#[derive(Clone)]
pub struct ReadFailure {
    pub why: Disconnected,
    /// When it is retried in any case.
    retry_at: Instant,
}

impl ReadFailure {
    pub fn retry_in(&self) -> Duration {
        self.retry_at.saturating_duration_since(Instant::now())
    }
}

/// What came of the read stage.
pub enum ReadOutcome<'s> {
    /// Both services are known.
    Synced(Synced<'s>),
    /// A service could not be read.
    Failed(ReadFailure),
}

/// What both services answered last.
pub struct Synced<'s> {
    pub kind: SyncKind,
    pub services: Arc<Services>,
    pub snapshot: &'s mut Snapshot,
    /// When the read of Insightful began.
    pub read_at: Timestamp,
    /// When the read of Insightful in the snapshot began.
    pub workforce_read: Instant,
    /// Whether this cycle made that read.
    has_new_workforce: bool,
}

impl ReadState {
    /// Makes the next cycle read both services.
    pub fn request_sync(&mut self) {
        self.last_read = None;
    }

    /// Makes a cycle after this time read both services.
    pub fn read_after(&mut self, outcome: Option<Timestamp>) {
        self.outcome_at = outcome;
    }

    /// The time until the read that [`Self::read_after`] asked for.
    pub fn outcome_in(&self) -> Option<Duration> {
        let left = self.outcome_at?.duration_since(Timestamp::now());
        Some(Duration::try_from(left).unwrap_or_default() + MIN_REQUEUE)
    }

    pub fn since_last_read(&self) -> Option<Duration> {
        self.last_read.map(|read| read.elapsed())
    }

    /// The times for the status.
    pub fn times(&self, scope: &Scope<'_>) -> SyncTimes {
        let interval = schedule::interval(&scope.spec().sync, &scope.uid());
        SyncTimes {
            last_sync: self.last_sync,
            last_full_sync: self.last_full_sync,
            next_sync: self.last_sync.and_then(|last| last.checked_add(interval).ok()),
        }
    }

    /// The clients are others now: what they answer must be read before anything else.
    pub fn reconnected(&mut self) {
        self.last_read = None;
        self.failure = None;
    }

    /// Whether this would be the first read since the start.
    fn is_first(&self) -> bool {
        self.last_sync.is_none() && self.failure.is_none()
    }

    /// Forgets what Okta answered if it was read from another source than the spec names now, and resumes from
    /// what the state directory has of that source.
    async fn follow_source(&mut self, scope: &Scope<'_>, synced: &mut SyncedState, connection: &Connection) {
        let okta = &scope.spec().okta;
        let source = ReadSource {
            org: okta.org_url.clone(),
            credential: connection.okta_credential.clone(),
            prefix: okta.group_prefix.clone(),
            people: okta.people,
            attributes: exclusion::attributes(&okta.exclude),
        };
        // The clients may be new ones.
        connection
            .services
            .okta
            .keep_attributes(source.attributes.clone());
        if self.source.as_ref() == Some(&source) {
            return;
        }
        let saved = load(scope, &source).await;
        self.last_read = None;
        self.deleted.clear();
        self.refused.clear();
        self.source = Some(source);
        (*synced, self.last_full_sync) = match saved {
            Some(saved) => (
                SyncedState::resumed(saved.directory, saved.mark),
                Some(saved.full),
            ),
            None => (SyncedState::default(), None),
        };
    }

    fn last_reads(&self, synced: &SyncedState, sync_requested: bool) -> LastReads {
        let now = Timestamp::now();
        let since_full_sync = self
            .last_full_sync
            .filter(|_| synced.delta_base().is_some())
            // A clock that was set back tells nothing.
            .map(|full| Duration::try_from(now.duration_since(full)).unwrap_or(Duration::MAX));
        LastReads {
            sync_requested,
            since_sync: self.since_last_read(),
            retry_in: self.failure.as_ref().map(ReadFailure::retry_in),
            has_snapshot: synced.snapshot().is_some(),
            since_full_sync,
        }
    }

    /// Records a failed read and when it is retried.
    fn fail(&mut self, scope: &Scope<'_>, error: &GatherError) -> ReadFailure {
        let retryability = error.retryability();
        let wait = match retryability {
            Retryability::Retry => self.failures.next_delay(),
            Retryability::WaitFor(wait) => wait,
            Retryability::Permanent => scope.spec().sync.interval.into(),
        };
        let why = Disconnected {
            condition: match error {
                GatherError::Okta(_) => conditions::OKTA_CONNECTED,
                GatherError::Insightful(_) => conditions::INSIGHTFUL_CONNECTED,
            },
            reason: error.reason().to_owned(),
            message: error.to_string(),
            needs_action: retryability == Retryability::Permanent,
        };
        tracing::warn!(reason = why.reason, "{}", why.message);
        let failure = ReadFailure {
            why,
            retry_at: Instant::now() + wait,
        };
        self.failure = Some(failure.clone());
        failure
    }

    /// What is saved for the next start; None if a full sync is due anyway.
    fn to_save(&self, synced: &SyncedState) -> Option<SavedDirectory> {
        let (mark, directory) = synced.delta_base()?;
        Some(SavedDirectory {
            source: self.source.clone()?,
            directory: directory.clone(),
            mark,
            full: self.last_full_sync?,
        })
    }

    /// Records a good sync, which read Insightful if `read_workforce` is set.
    fn succeed(&mut self, started: Instant, started_at: Timestamp, read_workforce: bool) {
        self.last_read = Some(Instant::now());
        if read_workforce {
            self.workforce_read = Some(started);
            self.workforce_read_at = Some(started_at);
        }
        self.last_sync = Some(Timestamp::now());
        self.failure = None;
        self.failures.reset();
    }
}

/// What a sync answered.
enum Answer {
    /// All of both services.
    Full(Gathered),
    /// What changed in Okta, and all of Insightful if it was read.
    Delta(Delta, Option<Workforce>),
}

/// Brings `synced` up to date by the sync that is due, if one is. `is_settled` is whether the last cycle left nothing to
/// write and nothing to decide by the clock.
///
/// # Errors
/// [`ReconcileError::Stopping`] if the operator shuts down during it. Services that cannot be read are an
/// outcome.
pub async fn read<'s>(
    scope: &Scope<'_>,
    state: &mut ReadState,
    synced: &'s mut SyncedState,
    connection: &Connection,
    is_settled: bool,
) -> Result<ReadOutcome<'s>, ReconcileError> {
    state.follow_source(scope, synced, connection).await;
    let began = Instant::now();
    let services = &connection.services;
    if state.outcome_at.is_some_and(|outcome| outcome < Timestamp::now()) {
        state.request_sync();
    }
    let last_reads = state.last_reads(synced, scope.is_sync_requested());
    let due = schedule::due(last_reads, &scope.spec().sync, &scope.uid());
    if due == Due::Backoff
        && let Some(failure) = &state.failure
    {
        return Ok(ReadOutcome::Failed(failure.clone()));
    }
    let kind = match due {
        Due::Nothing | Due::Backoff => SyncKind::Decision,
        Due::Delta => SyncKind::Delta,
        Due::Full(why) => {
            tracing::debug!(why = why.as_str(), "full sync");
            // A large company that nothing resumes from need not be in memory twice.
            synced.discard_resumed();
            SyncKind::Full
        }
    };
    let read = if kind == SyncKind::Decision {
        scope.ctx.metrics.record_decision();
        Ok(false)
    } else {
        sync(scope, state, synced, services, due, kind, is_settled).await
    };
    let has_new_workforce = match read {
        Ok(has_new_workforce) => has_new_workforce,
        Err(SyncError::Service(error)) => return Ok(ReadOutcome::Failed(state.fail(scope, &error))),
        Err(SyncError::Stopping) => return Err(ReconcileError::Stopping),
    };
    #[expect(
        clippy::expect_used,
        reason = "without a snapshot a sync is due, and a sync leaves one"
    )]
    let snapshot = synced.snapshot_mut().expect("a snapshot after a sync");
    Ok(ReadOutcome::Synced(Synced {
        kind,
        services: services.clone(),
        snapshot,
        read_at: state.workforce_read_at.unwrap_or(Timestamp::MIN),
        workforce_read: state.workforce_read.unwrap_or(began),
        has_new_workforce,
    }))
}

/// Reads Insightful again, unless this cycle has, or the last read is recent enough for a write to follow from it: a plan
/// that is written must follow from what Insightful holds now.
///
/// # Errors
/// Insightful cannot be read.
pub async fn refresh_workforce(
    scope: &Scope<'_>,
    state: &mut ReadState,
    synced: &mut Synced<'_>,
) -> Result<(), ReadFailure> {
    if synced.has_new_workforce || synced.workforce_read.elapsed() < MAX_WORKFORCE_AGE {
        return Ok(());
    }
    let (began, began_at) = (Instant::now(), Timestamp::now());
    let workforce = synced.services.insightful.workforce().await;
    let workforce = workforce.map_err(|error| state.fail(scope, &error.into()))?;
    synced.snapshot.replace_workforce(workforce);
    (synced.workforce_read, synced.read_at) = (began, began_at);
    (state.workforce_read, state.workforce_read_at) = (Some(began), Some(began_at));
    Ok(())
}

/// Why a sync brought nothing.
enum SyncError {
    Service(GatherError),
    Stopping,
}

impl From<GatherError> for SyncError {
    fn from(error: GatherError) -> Self {
        Self::Service(error)
    }
}

/// Reads what is due, merges it into `synced`, and saves Okta's part for the next start. Returns whether Insightful was
/// read.
async fn sync(
    scope: &Scope<'_>,
    state: &mut ReadState,
    synced: &mut SyncedState,
    services: &Services,
    due: Due,
    kind: SyncKind,
    is_settled: bool,
) -> Result<bool, SyncError> {
    let (started, started_at) = (Instant::now(), Timestamp::now());
    let reporter = Reporter::new(*scope).with_services(services);
    reporter.at(Step::ReadingPeople, 0, None);
    let since_read = state.workforce_read.map(|read| read.elapsed());
    let with_workforce =
        synced.snapshot().is_none() || schedule::is_workforce_due(since_read, is_settled, &scope.spec().sync);
    let answer = tokio::select! {
        answer = reporter.during(fetch(scope, synced, services, due, with_workforce, &reporter)) => answer,
        // A read changes nothing, so it need not be finished.
        () = scope.ctx.stopped() => return Err(SyncError::Stopping),
    };
    scope.record_sync(kind, answer.is_ok(), started);
    let (is_new, read_workforce) = match answer? {
        Answer::Full(Gathered { snapshot, mark }) => {
            synced.replace(snapshot, mark);
            (true, true)
        }
        Answer::Delta(delta, workforce) => {
            let read_workforce = workforce.is_some();
            (synced.apply(delta, workforce), read_workforce)
        }
    };
    if kind == SyncKind::Full {
        state.last_full_sync = Some(started_at);
        state.refused.clear();
    }
    state.succeed(started, started_at, read_workforce);
    if let Some(snapshot) = synced.snapshot() {
        tracing::info!(
            ?kind,
            people = snapshot.people().len(),
            employees = snapshot.employees().len(),
            read_workforce,
            took = ?started.elapsed(),
            "synced"
        );
    }
    if is_new && let Some(saved) = state.to_save(synced) {
        save(scope, saved).await;
    }
    Ok(read_workforce)
}

/// Asks Okta by id for people with a match in force whom its lists lack, each once: whether they were deleted is
/// evidence, whether they are missing is not. Whoever exists joins the snapshot. A failure leaves them missing: it
/// says nothing about them, and nothing about anybody else.
///
/// # Errors
/// [`ReconcileError::Stopping`] if the operator shuts down during it.
pub async fn look_up_missing(
    scope: &Scope<'_>,
    state: &mut ReadState,
    synced: &mut Synced<'_>,
    records: &Records,
) -> Result<(), ReconcileError> {
    let is_open = |id: &&PersonId| {
        !state.deleted.contains(*id) && !state.refused.contains(*id) && is_path_segment(id.as_str())
    };
    let people: Vec<PersonId> = match synced.kind {
        SyncKind::Decision => Vec::new(),
        SyncKind::Full | SyncKind::Delta => resolve::unaccounted(synced.snapshot, records)
            .filter(is_open)
            .take(MAX_LOOK_UPS)
            .cloned()
            .collect(),
    };
    if !people.is_empty() {
        let LookedUp {
            found,
            deleted,
            failed,
        } = tokio::select! {
            looked_up = gather::look_up(&synced.services.okta, people) => looked_up,
            () = scope.ctx.stopped() => return Err(ReconcileError::Stopping),
        };
        for person in found {
            synced.snapshot.replace_person(person);
        }
        state.deleted.extend(deleted);
        if let Some((id, error)) = failed {
            tracing::warn!(person = %id, reason = error.reason(), "{error}");
            if error.retryability() == Retryability::Permanent {
                state.refused.insert(id);
            }
        }
    }
    synced.snapshot.set_deleted(state.deleted.iter().cloned());
    Ok(())
}

async fn fetch(
    scope: &Scope<'_>,
    synced: &SyncedState,
    services: &Services,
    due: Due,
    with_workforce: bool,
    reporter: &Reporter<'_>,
) -> Result<Answer, GatherError> {
    let Services { okta, insightful, .. } = services;
    let prefix = &scope.spec().okta.group_prefix;
    let on_progress = |progress| reporter.okta(progress);
    if let (Due::Delta, Some((mark, directory))) = (due, synced.delta_base()) {
        let reading = gather::gather_changes(
            okta,
            insightful,
            prefix,
            mark,
            directory,
            with_workforce,
            &on_progress,
        );
        let (delta, workforce) = reading.await?;
        tracing::debug!(
            people = delta.people(),
            groups = delta.groups(),
            "read what changed in Okta"
        );
        return Ok(Answer::Delta(delta, workforce));
    }
    let insightful_first = due == Due::Full(FullSyncReason::AfterFailure);
    gather::gather(okta, insightful, prefix, insightful_first, &on_progress)
        .await
        .map(Answer::Full)
}

/// Waits for a permit to read for the first time since the start. Reads that are not the first, or that somebody
/// asked for, need none.
///
/// # Errors
/// [`Superseded`] once the integration was changed or deleted, a sync is requested, or the operator shuts down.
pub async fn first_read_permit(
    scope: &Scope<'_>,
    state: &ReadState,
) -> Result<Option<ReadPermit>, Superseded> {
    if !state.is_first() || scope.is_sync_requested() {
        return Ok(None);
    }
    if let Some(permit) = scope.ctx.first_reads.try_acquire() {
        return Ok(Some(permit));
    }
    let _waiting = scope.ctx.metrics.waiting();
    tokio::select! {
        permit = scope.ctx.first_reads.acquire() => Ok(Some(permit)),
        () = superseded(scope) => Err(Superseded),
        () = scope.ctx.stopped() => Err(Superseded),
    }
}

/// The integration has to be looked at again before it is read.
pub struct Superseded;

/// Returns once the integration was changed or deleted, a sync is requested, or another replica leads.
async fn superseded(scope: &Scope<'_>) {
    let mut check = tokio::time::interval(WAIT_CHECK_INTERVAL);
    loop {
        check.tick().await;
        let seen = scope.latest();
        let is_same = seen.is_some_and(|seen| seen.annotations() == scope.integration.annotations());
        if !is_same || !scope.may_write() {
            return;
        }
        // Waiting is progress, too: it is not taken for a hang.
        scope.record_progress();
    }
}

/// What the state directory has of this source, if it is of use.
async fn load(scope: &Scope<'_>, source: &ReadSource) -> Option<SavedDirectory> {
    let (dir, uid) = (scope.ctx.state_dir.clone()?, scope.uid());
    let full_interval = schedule::full_interval(&scope.spec().sync, &uid);
    let loaded = tokio::task::spawn_blocking(move || dir.load(&uid)).await;
    let useless = match loaded {
        Ok(Ok(None)) => return None,
        Ok(Ok(Some(saved))) => match saved.unusable_because(source, full_interval, Timestamp::now()) {
            Some(why) => why.to_owned(),
            None => {
                tracing::info!(
                    people = saved.directory.people().len(),
                    last_full_sync = %saved.full,
                    "resuming from the saved directory"
                );
                return Some(saved);
            }
        },
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(why = useless, "the saved directory cannot be used: full sync");
    None
}

/// Saves the directory for the next start. A failure is logged: the next start then begins with a full sync.
async fn save(scope: &Scope<'_>, saved: SavedDirectory) {
    let (Some(dir), uid) = (scope.ctx.state_dir.clone(), scope.uid()) else {
        return;
    };
    let written = tokio::task::spawn_blocking(move || dir.save(&uid, &saved)).await;
    let error = match written {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(
        error,
        "could not save the directory: the next start begins with a full sync"
    );
}
