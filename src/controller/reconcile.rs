//! The driver: takes one integration through the stages read, assess, preview, apply and report, and lends each
//! stage its own memory.

use std::{sync::Arc, time::Duration};

use kube::{Resource, ResourceExt, runtime::controller::Action};

use super::{
    apply::{ApplyOutcome, apply},
    assess::assess,
    connect::connect,
    context::Context,
    error::ReconcileError,
    idle::{Fingerprint, IdleCycle},
    leader::Term,
    prepare::prepare,
    preview::preview,
    published::{PublishedStatus, read_integration},
    read::{ReadOutcome, first_read_permit, read, refresh_workforce},
    recreate::recreate_known,
    report::{CycleReport, report, report_synced},
    requeue::{self, SECRET_POLL_INTERVAL},
    scope::Scope,
    session::{Session, Sessions},
    unmatched_employees::write_unmatched_employees,
    unreadable::report_unreadable,
    watched::WatchedIntegration,
};
use crate::{
    api::{GuardStatus, OktaIntegration},
    rules::{
        assessment::bindings, pending::Deferred, schedule::MIN_REQUEUE, status::Cycle,
        unmatched_employees::UnmatchedEmployees,
    },
};

/// Reconciles integrations, each with its own session.
pub struct Reconciler {
    pub ctx: Arc<Context>,
    pub sessions: Sessions,
}

impl Reconciler {
    pub fn new(ctx: Arc<Context>) -> Self {
        Self {
            ctx,
            sessions: Sessions::default(),
        }
    }

    /// Forgets the sessions of deleted integrations.
    pub fn forget_deleted(&self) {
        self.sessions.retain(|uid| self.ctx.exists(uid));
        // Until all integrations have been listed, an unknown one need not be deleted.
        if self.ctx.not_ready().is_empty() {
            for store in &self.ctx.match_stores {
                store.retain(|namespace, name| self.ctx.is_known(namespace, name));
            }
        }
    }

    /// The time until a failed reconcile is retried.
    pub fn retry_in(&self, integration: &WatchedIntegration) -> Duration {
        let session = self.sessions.of(&integration.uid().unwrap_or_default());
        session
            .try_lock()
            .map_or(MIN_REQUEUE, |mut session| session.failures.next_delay())
    }

    /// Reconciles one integration, if this replica leads.
    ///
    /// # Errors
    /// See [`ReconcileError`]. Failures of Okta and Insightful stand in the integration's status.
    pub async fn reconcile(&self, watched: Arc<WatchedIntegration>) -> Result<Action, ReconcileError> {
        let ctx = &self.ctx;
        if watched.meta().deletion_timestamp.is_some() {
            // Owner references remove the matches; Insightful stays as it is.
            return Ok(Action::await_change());
        }
        let session = self.sessions.of(&watched.uid().unwrap_or_default());
        let mut session = session.lock().await;
        let Some(term) = ctx.leadership.term() else {
            session.stand_by();
            return Ok(Action::await_change());
        };
        let integration = match &*watched {
            WatchedIntegration::Readable(integration) => integration.clone(),
            WatchedIntegration::Unreadable(unreadable) => {
                // No earlier state of it is used, and what is written on it is not written by the session.
                session.stand_by();
                return report_unreadable(ctx, unreadable, term).await;
            }
        };
        let integration = if session.published.is_known_in(term) {
            integration
        } else {
            session.stand_by();
            // The watch may lag behind what another replica wrote while it led.
            let read = read_integration(ctx, &integration).await;
            let Some(read) = read.map_err(ReconcileError::during("reading the integration"))? else {
                return Ok(Action::await_change());
            };
            session.published = PublishedStatus::read_in(term, &read);
            read
        };
        let action = run_stages(ctx, &integration, term, &mut session).await?;
        session.failures.reset();
        Ok(action)
    }
}

/// Runs the stages. The session is taken apart: each stage gets its own state and nobody else's.
async fn run_stages(
    ctx: &Context,
    integration: &OktaIntegration,
    term: Term,
    session: &mut Session,
) -> Result<Action, ReconcileError> {
    let scope = |published| Scope {
        ctx,
        integration,
        published,
        term,
    };
    if integration.spec.suspend {
        session.suspend();
        let scope = &scope(&session.published);
        recreate_known(scope).await?;
        report(scope, &Cycle::Suspended).await?;
        return Ok(Action::await_change());
    }
    let Session {
        connection,
        read: reading,
        synced,
        apply: applying,
        unmatched,
        published,
        idle,
        deliveries: _,
        failures: _,
    } = session;
    let scope = &scope(published);

    recreate_known(scope).await?;
    let Ok(permit) = first_read_permit(scope, reading).await else {
        return Ok(Action::await_change());
    };
    let connected = match connect(scope, connection).await {
        Ok(connected) => connected,
        Err(error) => {
            report(scope, &Cycle::from(error)).await?;
            return Ok(Action::requeue(SECRET_POLL_INTERVAL));
        }
    };
    if connected.is_new {
        reading.reconnected();
        synced.discard_workforce();
        applying.reconnected();
    }
    if scope.is_sync_requested() {
        applying.retry_now();
    }
    let mut synced = match read(scope, reading, synced, connected.connection, idle.is_settled()).await? {
        ReadOutcome::Synced(synced) => synced,
        ReadOutcome::Failed(failure) => {
            report(scope, &Cycle::ReadFailed(failure.why.clone())).await?;
            return Ok(Action::requeue(requeue::after_failed_read(scope, &failure)));
        }
    };
    drop(permit);
    let mut matches = prepare(scope, reading, &mut synced).await?;
    let fingerprint = Fingerprint::of(scope, &synced, &matches);
    let times = reading.times(scope);
    let unchanged = idle.take_if_unchanged(fingerprint);
    if let (Some(status), Some(fingerprint)) = (unchanged, fingerprint)
        && unmatched
            .is_intact(scope, matches.write_permits(), times.last_full_sync)
            .await?
    {
        report(scope, &Cycle::Unchanged(&status, times)).await?;
        *idle = IdleCycle::remember(fingerprint, scope.status());
        return Ok(Action::requeue(requeue::after_cycle(
            scope, reading, applying, None,
        )));
    }

    let organization = scope
        .status()
        .insightful
        .map(|insightful| insightful.organization_id);
    let may_write = scope.spec().finalized
        && !applying.is_backing_off()
        && scope.other_writer(organization.as_deref()).is_none();
    if may_write && let Err(failure) = refresh_workforce(scope, reading, &mut synced).await {
        report(scope, &Cycle::ReadFailed(failure.why.clone())).await?;
        return Ok(Action::requeue(requeue::after_failed_read(scope, &failure)));
    }

    let status = scope.status();
    let guard = GuardStatus::recall(&status, scope.spec());
    let view = assess(scope, synced.snapshot, &matches, bindings(&status), guard);

    applying.forget_settled(&view.assessment.plan);
    let mut shown = preview(scope, &synced, &mut matches, view, &applying.failures).await?;

    let applied = apply(scope, applying, &mut synced, &mut matches, &mut shown.view).await;
    if applying.take_sync_request() {
        reading.request_sync();
    }
    if applied? == ApplyOutcome::Applied {
        matches.merge_events();
        let view = shown.view.renew(scope, synced.snapshot, &matches);
        applying.forget_settled(&view.assessment.plan);
        shown = preview(scope, &synced, &mut matches, view, &applying.failures).await?;
    }
    if shown.view.assessment.plan.is_empty() {
        applying.nothing_to_apply();
    }

    let employees = UnmatchedEmployees::of(synced.snapshot, &shown.view.assessment, matches.records());
    let (permits, last_full_sync) = (matches.write_permits(), times.last_full_sync);
    let listing =
        write_unmatched_employees(scope, unmatched, permits, &employees.listed, last_full_sync).await;
    let cycle = CycleReport {
        snapshot: synced.snapshot,
        matches: &matches,
        view: &shown.view,
        employees: employees.counts,
        times,
    };
    let was_applied = report_synced(scope, applying, cycle).await?;
    // Whatever becomes of this view of the employees, what was applied is reported.
    listing?;

    // An apply can make more possible: an unmatched employee can be matched with somebody else.
    let view = &shown.view;
    let deferred = Deferred::of(
        &view.assessment.plan,
        matches.records(),
        &view.bindings,
        synced.read_at,
    );
    reading.read_after(deferred.until);
    let has_more = applying.is_due(&view.verdict, &deferred) || !shown.outdated.is_empty();
    if has_more {
        return Ok(Action::requeue(MIN_REQUEUE));
    }
    let is_settled = !was_applied
        && deferred.until.is_none()
        && !applying.has_failures()
        && shown.view.verdict.lifts_at.is_none();
    // The preview may have changed the matches.
    let fingerprint = Fingerprint::of(scope, &synced, &matches).filter(|_| is_settled);
    if let Some(fingerprint) = fingerprint {
        *idle = IdleCycle::remember(fingerprint, scope.status());
    }
    let lifts_at = shown.view.verdict.lifts_at;
    let next = requeue::after_cycle(scope, reading, applying, lifts_at);
    Ok(Action::requeue(next))
}
