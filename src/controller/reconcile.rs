//! One integration, from what it asks for to what is said of it. The stages do
//! the work; this file only puts them in order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{ResourceExt, runtime::controller::Action};
use tokio::time::Instant;

use super::{
    Context,
    apply::{Apply, Outcome},
    credentials::{self, ConnectError},
    events, integrations,
    leader::Term,
    match_store::{CachedMatch, Matches, Unreadable},
    metrics::CycleStep,
    progress,
    session::{Session, Unread, Untold},
    webhook,
};
use crate::{
    api::{
        Applying, CycleResult, HistoryEntry, OktaIntegration, Step, SuspendedPolicy, SyncKind, conditions,
    },
    http::{CallObserver, Retryability},
    model::PersonId,
    rules::{
        approval::{self, Announcements},
        assessment::{Assessment, bindings},
        guard::{self, Verdict},
        resolve::Record,
        schedule::{self, SOONEST_LOOK},
        status::{self, Cycle, Disconnected, match_status},
        teams::Bindings,
    },
    services::{Services, gather::GatherError},
};

/// How often the Secrets are looked at while something is wrong with them.
const SECRET_LOOK: Duration = Duration::from_secs(5);

/// How long an apply goes on at least before it makes room for a decision: many
/// that are made one after the other are not to keep anything from being written.
const SHORTEST_APPLY: Duration = Duration::from_secs(5);

/// The same before it makes room for the next sync, where intervals are short.
const SHORTEST_UNTIL_DUE: Duration = Duration::from_secs(60);

/// How old the last read of Insightful may be when a plan is applied.
const FRESH_ENOUGH: Duration = Duration::from_secs(5);

/// Why a reconcile failed: the API server. All else is in the statuses.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A read or write of the API server failed.
    #[error("{doing}: {source}")]
    Kubernetes {
        /// What was being done.
        doing: &'static str,
        /// What happened.
        source: kube::Error,
    },
    /// The operator was told to stop.
    #[error("the operator is stopping")]
    Stopping,
    /// A match cannot be read, so that nothing of its integration is touched.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Another replica took over: what this one found is not to be written.
    #[error("another replica leads by now")]
    NotLeader,
}

impl ReconcileError {
    pub(super) fn while_(doing: &'static str) -> impl Fn(kube::Error) -> Self {
        move |source| Self::Kubernetes { doing, source }
    }
}

/// Brings one integration up to date.
pub(super) async fn reconcile(
    integration: Arc<OktaIntegration>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    if integration.metadata.deletion_timestamp.is_some() {
        // Owner references remove the matches; Insightful stays as it is.
        return Ok(Action::await_change());
    }
    let session = ctx.sessions.of(&integration.uid().unwrap_or_default());
    let mut session = session.lock().await;
    let Some(term) = ctx.leadership.term() else {
        session.stand_by();
        return Ok(Action::await_change());
    };
    let integration = if session.knows_of == Some(term) {
        integration
    } else {
        session.stand_by();
        // The watch may be behind what another replica said while it led.
        let read = integrations::read(&ctx, &integration).await;
        let Some(read) = read.map_err(ReconcileError::while_("reading the integration"))? else {
            return Ok(Action::await_change());
        };
        session.take_as_said(term, read.status.clone());
        Arc::new(read)
    };
    let mut reconcile = Reconcile {
        integration: &integration,
        ctx: &ctx,
        term,
        session: &mut session,
        passed_over: BTreeSet::new(),
    };
    reconcile.run().await
}

/// What follows from the snapshot and the decisions.
pub(super) struct View {
    pub(super) bindings: Bindings,
    pub(super) assessment: Assessment,
    pub(super) verdict: Verdict,
    /// The approved plan that what is planned is left of.
    pub(super) applying: Option<Applying>,
}

pub(super) struct Reconcile<'a> {
    pub(super) integration: &'a OktaIntegration,
    pub(super) ctx: &'a Context,
    /// The term that this was begun in.
    pub(super) term: Term,
    pub(super) session: &'a mut Session,
    /// People whose status could not be written just now, since their match was
    /// changed meanwhile.
    passed_over: BTreeSet<PersonId>,
}

impl<'a> Reconcile<'a> {
    async fn run(&mut self) -> Result<Action, ReconcileError> {
        if self.integration.spec.suspend {
            self.session.forget();
            self.report(&Cycle::Suspended).await?;
            return Ok(Action::await_change());
        }
        let Ok(turn) = self.turn().await else {
            return Ok(Action::await_change());
        };
        let services = match self.connect().await {
            Ok(services) => services,
            Err(error) => {
                let reason = error.reason().to_owned();
                self.report(&Cycle::Unusable {
                    reason,
                    message: error.to_string(),
                })
                .await?;
                return Ok(Action::requeue(SECRET_LOOK));
            }
        };
        let read = self.read(&services).await?;
        drop(turn);
        let kind = match read {
            Ok(kind) => kind,
            Err(unread) => {
                self.report(&Cycle::Unread(unread.why.clone())).await?;
                let wait = unread.retry.saturating_duration_since(Instant::now());
                return Ok(Action::requeue(if unread.why.needs_action {
                    wait.min(SECRET_LOOK)
                } else {
                    wait.min(self.until_late())
                }));
            }
        };
        let mut matches = self.matches().await?;
        let basis = self.basis(kind, &matches);
        let rest = self.session.rest.take();
        if let (Some(rest), Some(basis)) = (rest, basis)
            && let Some(said) = rest.said_on(basis)
        {
            self.report(&Cycle::AsBefore(&said, self.times())).await?;
            self.rest_on(Some(basis));
            return Ok(Action::requeue(self.next_look(None)));
        }
        let mut view = self.assess(bindings(&self.said()), &matches);
        self.ctx
            .step(
                self.integration,
                CycleStep::WriteMatches,
                self.preview(&mut view, &mut matches),
            )
            .await?;
        if let Err(unread) = self
            .apply_what_is_cleared(kind, &services, &mut view, &mut matches)
            .await?
        {
            self.report(&Cycle::Unread(unread.why)).await?;
            return Ok(Action::requeue(self.session.backoff()));
        }
        if view.assessment.plan.is_empty() {
            self.session.has_nothing_to_apply();
        }
        let notification = webhook::notify(self.ctx, self.integration, &self.said()).await;
        let untold = self.session.untold.take();
        let reported = self
            .report_known(&view, &matches, untold.as_ref(), notification.as_ref())
            .await;
        if let Err(error) = reported {
            // What was done is said at the next chance.
            self.session.untold = untold;
            return Err(error);
        }
        let outcome = untold.map(|untold| untold.outcome);
        if let Some(outcome) = &outcome {
            events::publish_outcome(self.ctx, self.integration, &matches, outcome).await;
        }
        // An apply can make room for more: an employee let go is somebody else's;
        // one that did not begin waits for what was being changed. And a plan that
        // is applied now is told of once its status stands.
        let more = self.is_worth_applying(&view.verdict)
            || !self.passed_over.is_empty()
            || (outcome.is_some() && webhook::is_pending(self.integration, &self.said()));
        let failed_to_tell = matches!(notification, Some(status::Notification::Failed { .. }));
        if outcome.is_none() && !more && !failed_to_tell {
            // Not what it began with: Insightful may have been read again since.
            self.rest_on(self.basis(kind, &matches));
        }
        Ok(Action::requeue(if more {
            SOONEST_LOOK
        } else {
            self.next_look(notification.as_ref())
        }))
    }

    /// Applies the plan if it may be written and holds anything that is not to
    /// wait; the view is then what follows from the result, and what was done is
    /// in the session, to be told. The inner error if Insightful could not be
    /// read afresh.
    async fn apply_what_is_cleared(
        &mut self,
        kind: SyncKind,
        services: &Services,
        view: &mut View,
        matches: &mut Matches,
    ) -> Result<Result<(), Unread>, ReconcileError> {
        let started = Timestamp::now();
        if self.session.untold.is_some() || !self.is_worth_applying(&view.verdict) {
            return Ok(Ok(()));
        }
        if let Err(unread) = self.refresh(services).await {
            return Ok(Err(unread));
        }
        matches.merge_events();
        let fresh = self.assess(view.bindings.clone(), matches);
        let before = std::mem::replace(view, fresh);
        if view.assessment != before.assessment {
            self.preview(view, matches).await?;
        }
        let plan = match view.verdict.cleared() {
            Some(plan) if self.is_worth_applying(&view.verdict) => plan.clone(),
            _ => return Ok(Ok(())),
        };
        // What is written is what is shown: a decision that was changed meanwhile is looked at first.
        if !approval::is_announced(&view.assessment, &matches.announcements()) {
            return Ok(Ok(()));
        }
        self.begin(&plan, view).await?;
        let applied = self
            .apply(plan, kind, started, services, matches, &mut view.bindings)
            .await;
        applied.map_err(ReconcileError::while_("recording before-images"))?;
        matches.merge_events();
        self.think_again(view, matches);
        self.ctx
            .step(
                self.integration,
                CycleStep::WriteMatches,
                self.preview(view, matches),
            )
            .await?;
        Ok(Ok(()))
    }

    async fn connect(&mut self) -> Result<Arc<Services>, ConnectError> {
        let namespace = self.integration.namespace().unwrap_or_default();
        let Context {
            client,
            settings,
            limits,
            ..
        } = self.ctx;
        let observer: Arc<dyn CallObserver> = self.ctx.call_observer(self.integration);
        let spec = &self.integration.spec;
        let present = self.session.connection.as_ref();
        let connection = credentials::connect(
            client,
            &namespace,
            spec,
            &settings.allowed,
            limits,
            &observer,
            present,
        )
        .await?;
        let services = connection.services.clone();
        if present.is_none_or(|present| !Arc::ptr_eq(&present.services, &services)) {
            self.session.reconnect(connection);
        }
        Ok(services)
    }

    /// Reads Insightful again if the last read is not fresh, since a plan that
    /// is written must rest on what is there now.
    async fn refresh(&mut self, services: &Services) -> Result<(), Unread> {
        if self
            .session
            .workforce_read
            .is_some_and(|read| read.elapsed() < FRESH_ENOUGH)
        {
            return Ok(());
        }
        match services.insightful.workforce().await {
            Ok(workforce) => {
                if let Some(snapshot) = self.session.known.snapshot_mut() {
                    snapshot.replace_workforce(workforce);
                }
                self.session.workforce_read = Some(Instant::now());
                Ok(())
            }
            Err(error) => Err(self.could_not_read(&error.into())),
        }
    }

    pub(super) fn could_not_read(&mut self, error: &GatherError) -> Unread {
        let retryability = error.retryability();
        let interval: Duration = self.integration.spec.sync.interval.into();
        let wait = match retryability {
            Retryability::Retry => self.session.backoff(),
            Retryability::WaitFor(wait) => wait,
            Retryability::Permanent => interval,
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
        let unread = Unread {
            why,
            retry: Instant::now() + wait,
        };
        self.session.unread = Some(unread.clone());
        unread
    }

    /// The thinking: no I/O.
    fn assess(&self, bindings: Bindings, matches: &Matches) -> View {
        let _measured = self.ctx.time_step(CycleStep::Assess);
        let spec = &self.integration.spec;
        let records = matches.records();
        let assessment = match self.session.known.snapshot() {
            // Seconds for a large company, in which this thread does nothing else.
            Some(snapshot) => {
                tokio::task::block_in_place(|| Assessment::of(snapshot, spec, records, &bindings))
            }
            None => Assessment::default(),
        };
        let said = self.said();
        let announcements = match said.applying {
            Some(_) => matches.announcements(),
            None => Announcements::new(),
        };
        let applying = approval::of(&said, spec, &assessment, &announcements);
        let plan = assessment.plan.clone();
        let verdict = guard::judge(plan, spec, records, &assessment.resolved, applying);
        View {
            bindings,
            verdict,
            applying: applying.cloned(),
            assessment,
        }
    }

    /// Thinks again about what is known now. What followed before is let go
    /// first: of a large company both together would be half as much again.
    fn think_again(&self, view: &mut View, matches: &Matches) {
        view.verdict = Verdict::default();
        view.assessment = Assessment::default();
        *view = self.assess(std::mem::take(&mut view.bindings), matches);
    }

    /// Whether a plan may be written and holds anything that does not wait for its next try.
    fn is_worth_applying(&self, verdict: &Verdict) -> bool {
        let Some(plan) = verdict.cleared() else {
            return false;
        };
        let plan = plan.as_plan();
        if self.session.is_resting() {
            return false;
        }
        let resting = self.session.retries.backing_off(Instant::now());
        !plan.teams.is_empty() || plan.people().iter().any(|person| !resting.contains(*person))
    }

    /// What the cluster remembers, once all of it is known.
    async fn matches(&self) -> Result<Matches, ReconcileError> {
        let namespace = self.integration.namespace().unwrap_or_default();
        let mut stores = self.ctx.match_stores.iter();
        let Some(store) = stores.find(|store| store.covers(&namespace)) else {
            // An integration is seen in the namespaces that are watched only.
            return Err(ReconcileError::Stopping);
        };
        tokio::select! {
            matches = store.matches(&self.ctx.client, self.integration) => Ok(matches?),
            () = self.ctx.stopped() => Err(ReconcileError::Stopping),
        }
    }

    /// Makes the EmployeeMatches and writes what is to be said on them. The view
    /// is made anew if one was there already and holds what was not known.
    async fn preview(&mut self, view: &mut View, matches: &mut Matches) -> Result<(), ReconcileError> {
        self.check_leadership()?;
        let reporter = progress::Reporter::new(self.ctx, self.integration, self.term, &self.session.said);
        let missing = matches.missing(view.assessment.resolved.keys());
        let created = missing.len();
        let total = Some(created + view.assessment.resolved.len());
        let making = matches.create_missing(missing, |done| reporter.at(Step::WritingMatches, done, total));
        let is_news = reporter
            .during(making)
            .await
            .map_err(ReconcileError::while_("creating EmployeeMatches"))?;
        if is_news {
            self.think_again(view, matches);
        }
        self.take_approval_off_record(view).await?;
        let assessment = &view.assessment;
        let Some(snapshot) = self.session.known.snapshot() else {
            return Ok(());
        };
        let concerned = assessment.plan.people();
        self.session.failures.retain(|id, _| concerned.contains(id));
        self.session.retries.retain(|id| concerned.contains(id));
        let now = Timestamp::now();
        let status_of = |id: &PersonId, record: &Record, kept: &CachedMatch| {
            match_status(
                id,
                snapshot,
                &self.integration.spec,
                assessment,
                record,
                self.session.failures.get(id),
                &kept.earlier(),
                kept.generation,
                now,
            )
        };
        let writing = matches.write_statuses(assessment.resolved.keys(), status_of, |done| {
            reporter.at(Step::WritingMatches, created + done, total)
        });
        let written = reporter
            .during(writing)
            .await
            .map_err(ReconcileError::while_("writing the statuses of EmployeeMatches"))?;
        if created + written.count > 0 {
            tracing::info!(created, written = written.count, "wrote EmployeeMatches");
        }
        self.passed_over = written.conflicts;
        Ok(())
    }

    /// Writes what is planned and not resting. What came of it is in the session,
    /// to be told, whatever the API server says.
    async fn apply(
        &mut self,
        plan: guard::ClearedPlan,
        kind: SyncKind,
        started: Timestamp,
        services: &Services,
        matches: &mut Matches,
        bindings: &mut Bindings,
    ) -> Result<(), kube::Error> {
        let resting = self.session.retries.backing_off(Instant::now());
        let tried: BTreeSet<PersonId> = plan
            .as_plan()
            .people()
            .into_iter()
            .filter(|person| !resting.contains(*person))
            .cloned()
            .collect();
        let reporter = progress::Reporter::new(self.ctx, self.integration, self.term, &self.session.said)
            .waiting_with(services);
        let is_called_away = self.is_called_away(&plan, matches);
        let Some(snapshot) = self.session.known.snapshot_mut() else {
            return Ok(());
        };
        let apply = Apply {
            services,
            matches,
            snapshot,
            bindings,
            may_write: &|| self.ctx.may_write(self.integration, self.term) && !is_called_away(),
            suspended_means_departed: self.integration.spec.okta.suspended == SuspendedPolicy::Deactivate,
            resting: &resting,
            on_progress: &|done, total| reporter.at(Step::Applying, done, Some(total)),
        };
        let (outcome, result) = self
            .ctx
            .step(
                self.integration,
                CycleStep::Apply,
                reporter.during(apply.run(plan)),
            )
            .await;
        self.ctx.metrics.record_apply(outcome.done.completed);
        tracing::info!(
            plan = outcome.done.plan,
            writes = outcome.done.writes,
            failed = outcome.done.failed,
            completed = outcome.done.completed,
            "applied"
        );
        let is_news = self.session.note_apply(&outcome, &tried);
        let history = is_news.then(|| history(kind, &outcome, started));
        self.session.untold = Some(Untold { outcome, history });
        result
    }

    /// Whether an apply is to make room for another look: a sync is asked for, or
    /// due again, or, once it has got on, somebody decided something. What is left of
    /// the plan is planned anew after that. An approved plan goes on to its end,
    /// since with anything added to the rest of it, it would wait for another approval.
    fn is_called_away(
        &self,
        plan: &guard::ClearedPlan,
        matches: &Matches,
    ) -> impl Fn() -> bool + Send + Sync + use<'a> {
        let ctx = self.ctx;
        let integration = self.integration;
        let is_approved = plan.clearance().approved_plan().is_some();
        let begun = Instant::now();
        // As long as between two syncs without an apply, so that it gets on however long a read takes.
        let longest = schedule::interval(&integration.spec.sync, &self.uid()).max(SHORTEST_UNTIL_DUE);
        let are_touched = matches.needs_reconcile();
        move || {
            if is_approved {
                return false;
            }
            let is_asked_for = || {
                let now = ctx.latest(integration);
                now.is_some_and(|now| {
                    integrations::sync_request(&now) != integrations::sync_request(integration)
                })
            };
            let so_far = begun.elapsed();
            so_far >= longest || (so_far >= SHORTEST_APPLY && are_touched()) || is_asked_for()
        }
    }

    pub(super) fn check_leadership(&self) -> Result<(), ReconcileError> {
        if self.ctx.leadership.holds(self.term) {
            Ok(())
        } else {
            Err(ReconcileError::NotLeader)
        }
    }

    /// Until the next reconcile, if nothing else causes one.
    fn next_look(&self, notification: Option<&status::Notification>) -> Duration {
        let now = Instant::now();
        let session = &self.session;
        let apply = session
            .retry_apply
            .map(|retry| retry.saturating_duration_since(now));
        let people = session.retries.next_retry(now);
        let needs_action = session.broken_off.as_ref().is_some_and(|why| why.needs_action);
        let secrets = needs_action.then_some(SECRET_LOOK);
        let failed = matches!(notification, Some(status::Notification::Failed { .. }));
        let notify = failed.then_some(webhook::RETRY_INTERVAL);
        schedule::next_look(
            session.read.map(|read| read.elapsed()),
            [apply, people, secrets, notify].into_iter().flatten(),
            &self.integration.spec.sync,
            &self.uid(),
        )
    }
}

/// How the cycle stands in the history.
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
