//! Reads what is due, and keeps it for the next start. Which sync that is, is the
//! schedule's rule.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::time::Instant;

use super::{
    first_reads::ReadPermit,
    progress,
    reconcile::{Reconcile, ReconcileError},
    session::Unread,
    state_dir::{ReadSource, SavedDirectory},
};
use crate::{
    api::{Step, SyncKind},
    model::{Delta, Workforce},
    rules::schedule::{self, Due, LastReads, SOONEST_LOOK, Why},
    services::{
        Services,
        gather::{self, GatherError, Gathered},
    },
};

/// How often who waits for a turn looks whether that still makes sense.
const LOOK_WHILE_WAITING: Duration = Duration::from_secs(1);

/// The integration is to be looked at anew before it is read.
pub(super) struct Outdated;

impl Reconcile<'_> {
    /// Waits for a turn to read for the first time since the start; None if this
    /// needs none, since it was read before, or failed before, or somebody waits
    /// for it.
    pub(super) async fn turn(&self) -> Result<Option<ReadPermit>, Outdated> {
        let was_read = self.session.last_sync.is_some() || self.session.unread.is_some();
        if was_read || self.is_sync_asked_for() {
            return Ok(None);
        }
        if let Some(turn) = self.ctx.first_reads.try_acquire() {
            return Ok(Some(turn));
        }
        let _waits = self.ctx.metrics.waiting();
        tokio::select! {
            turn = self.ctx.first_reads.acquire() => Ok(Some(turn)),
            () = self.is_outdated() => Err(Outdated),
            () = self.ctx.stopped() => Err(Outdated),
        }
    }

    /// Comes back once the integration is to be looked at anew: it was changed or
    /// deleted, somebody asks for a sync, or another replica leads.
    async fn is_outdated(&self) {
        let mut look = tokio::time::interval(LOOK_WHILE_WAITING);
        loop {
            look.tick().await;
            let seen = self.ctx.latest(self.integration);
            let is_same = seen.is_some_and(|seen| seen.annotations() == self.integration.annotations());
            if !is_same || !self.ctx.may_write(self.integration, self.term) {
                return;
            }
            // To wait is not to hang.
            self.ctx.record_progress(self.integration);
        }
    }

    /// Reads what is due; if nothing is, what was read last still stands.
    pub(super) async fn read(
        &mut self,
        services: &Services,
    ) -> Result<Result<SyncKind, Unread>, ReconcileError> {
        self.look_at_what_is_read_with().await;
        let due = schedule::due(self.last_reads(), &self.integration.spec.sync, &self.uid());
        if let Due::Rest = due
            && let Some(unread) = &self.session.unread
        {
            return Ok(Err(unread.clone()));
        }
        let kind = match due {
            Due::Nothing | Due::Rest => {
                self.ctx.metrics.record_decision();
                return Ok(Ok(SyncKind::Decision));
            }
            Due::Delta => SyncKind::Delta,
            Due::Full(why) => {
                tracing::debug!(why = why.as_str(), "reads everything");
                self.session.known.discard_resumed();
                SyncKind::Full
            }
        };
        if self.is_sync_asked_for() {
            self.session.retry_apply = None;
            self.session.retries.retry_now(Instant::now());
        }
        let started = Instant::now();
        let clock = Timestamp::now();
        let reporter = progress::Reporter::new(self.ctx, self.integration, self.term, &self.session.said)
            .waiting_with(services);
        reporter.at(Step::ReadingPeople, 0, None);
        let read = tokio::select! {
            read = reporter.during(self.read_from(services, due, &reporter)) => read,
            // A read changes nothing: it need not be finished.
            () = self.ctx.stopped() => return Err(ReconcileError::Stopping),
        };
        drop(reporter);
        self.ctx
            .record_sync(self.integration, kind, read.is_ok(), started);
        let read = match read {
            Ok(read) => read,
            Err(error) => return Ok(Err(self.could_not_read(&error))),
        };
        if kind == SyncKind::Full {
            self.session.last_full = Some(clock);
        }
        let is_new = self.take(read);
        if let Some(snapshot) = self.session.known.snapshot() {
            tracing::info!(
                ?kind,
                people = snapshot.people().len(),
                employees = snapshot.employees().len(),
                took = ?started.elapsed(),
                "read both services"
            );
        }
        self.session.read = Some(Instant::now());
        self.session.workforce_read = Some(Instant::now());
        self.session.last_sync = Some(Timestamp::now());
        self.session.unread = None;
        if self.session.broken_off.is_none() {
            self.session.reset_backoff();
        }
        if is_new {
            self.keep().await;
        }
        Ok(Ok(kind))
    }

    async fn read_from(
        &self,
        services: &Services,
        due: Due,
        reporter: &progress::Reporter<'_>,
    ) -> Result<Read, GatherError> {
        let Services { okta, insightful, .. } = services;
        let prefix = &self.integration.spec.okta.group_prefix;
        let on_progress = |progress| reporter.okta(progress);
        if let (Due::Delta, Some((mark, known))) = (due, self.session.known.delta_base()) {
            let (delta, workforce) =
                gather::gather_changes(okta, insightful, prefix, mark, known, &on_progress).await?;
            tracing::debug!(
                people = delta.people(),
                groups = delta.groups(),
                "read what changed in Okta"
            );
            return Ok(Read::Changes(delta, workforce));
        }
        let insightful_first = due == Due::Full(Why::AfterFailure);
        gather::gather(okta, insightful, prefix, insightful_first, &on_progress)
            .await
            .map(Read::Everything)
    }

    /// Takes what was read. Gives whether it is to be kept.
    fn take(&mut self, read: Read) -> bool {
        let known = &mut self.session.known;
        match read {
            Read::Everything(Gathered { snapshot, mark }) => {
                known.replace(snapshot, mark);
                true
            }
            Read::Changes(delta, workforce) => known.apply(delta, workforce),
        }
    }

    fn last_reads(&self) -> LastReads {
        let session = &self.session;
        let now = Timestamp::now();
        let since_full = session
            .last_full
            .filter(|_| session.known.delta_base().is_some())
            // A clock that was put back tells nothing.
            .map(|full| Duration::try_from(now.duration_since(full)).unwrap_or(Duration::MAX));
        LastReads {
            asked_for: self.is_sync_asked_for(),
            since_read: session.read.map(|read| read.elapsed()),
            retry_in: session
                .unread
                .as_ref()
                .map(|unread| unread.retry.saturating_duration_since(Instant::now())),
            has_snapshot: session.known.snapshot().is_some(),
            since_full,
        }
    }

    /// Whether a sync was asked for that has not been answered.
    pub(super) fn is_sync_asked_for(&self) -> bool {
        let request = self.sync_request();
        request.is_some() && request != self.said().last_handled_sync_request.as_deref()
    }

    /// Until the last good sync is late, at the soonest in a moment; for ever if it is late by now.
    pub(super) fn until_late(&self) -> Duration {
        let after = schedule::late_after(&self.integration.spec.sync);
        schedule::since_last_sync(self.integration, Timestamp::now())
            .and_then(|since| after.checked_sub(since))
            .map_or(Duration::MAX, |left| left + SOONEST_LOOK)
    }

    pub(super) fn uid(&self) -> String {
        self.integration.uid().unwrap_or_default()
    }

    /// Forgets what Okta said if it was read with something else than is asked
    /// for now, and looks for what was kept from a read with just that.
    async fn look_at_what_is_read_with(&mut self) {
        let okta = &self.integration.spec.okta;
        let Some(connection) = &self.session.connection else {
            return;
        };
        let with = ReadSource {
            org: okta.org_url.clone(),
            credential: connection.okta_credential.clone(),
            prefix: okta.group_prefix.clone(),
            people: okta.people,
        };
        if self.session.read_with.as_ref() == Some(&with) {
            return;
        }
        let kept = self.kept(&with).await;
        self.session.read_anew(with, kept);
    }

    /// What was kept, if it is of use.
    async fn kept(&self, with: &ReadSource) -> Option<SavedDirectory> {
        let (dir, uid) = (self.ctx.state_dir.clone()?, self.uid());
        let loaded = tokio::task::spawn_blocking(move || dir.load(&uid)).await;
        let full_interval = schedule::full_interval(&self.integration.spec.sync, &self.uid());
        let useless = match loaded {
            Ok(Ok(None)) => return None,
            Ok(Ok(Some(kept))) => match kept.unusable_because(with, full_interval, Timestamp::now()) {
                Some(why) => why.to_owned(),
                None => {
                    tracing::info!(
                        people = kept.directory.people().len(),
                        last_full_sync = %kept.full,
                        "goes on from what was kept"
                    );
                    return Some(kept);
                }
            },
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            why = useless,
            "what was kept of Okta is of no use: everything is read"
        );
        None
    }

    /// Keeps what is known for the next start. That it cannot be kept is no
    /// reason to stop.
    async fn keep(&self) {
        let (Some(dir), Some(kept)) = (self.ctx.state_dir.clone(), self.session.to_keep()) else {
            return;
        };
        let uid = self.uid();
        let saved = tokio::task::spawn_blocking(move || dir.save(&uid, &kept)).await;
        let error = match saved {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            error,
            "what Okta said could not be kept: after a restart everything is read"
        );
    }
}

/// What a read brought.
enum Read {
    /// All of both services.
    Everything(Gathered),
    /// What changed in Okta, and all of Insightful.
    Changes(Delta, Workforce),
}
