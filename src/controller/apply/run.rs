//! One run through a cleared plan: its steps in order, waits for rate limits, and when it ends early.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use super::super::match_store::{Matches, is_conflict};
use super::audit::Audit;
use crate::{
    api::{Unmatched, conditions},
    http::{HttpError, Retryability, WaitCause},
    insightful::{InsightfulError, WriteError, WritePermit},
    model::{EmployeeId, GroupId, PersonId, Snapshot, TeamId},
    okta::OktaError,
    rules::{
        guard::ClearedPlan,
        pending::Deferred,
        plan::{Plan, PlanStep, TeamTarget},
        status::{ApplySummary, Disconnected, WriteFailure, WriteFailures},
        teams::{Bindings, DerivedTeams},
    },
    services::Services,
};

/// A longer wait for Insightful's rate limit ends the apply; the next one continues.
const MAX_WAIT: Duration = Duration::from_secs(90);

/// The wait if Insightful does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(15);

/// How often a wait checks whether the plan may still be written.
const WAIT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// An employee is not overwritten by what an older read showed. Insightful allows some 200 calls a minute, so that a
/// large plan takes hours, in which people work in the web app; reading all employees is one call.
const MAX_READ_AGE: Duration = Duration::from_secs(30);

/// More failures than this, and than writes that took effect, end the apply: something is wrong with more than
/// single records.
const MAX_FAILURES: usize = 5;

/// So many writes in a row with an unknown outcome mean that Insightful is down.
const MAX_UNKNOWN_IN_A_ROW: usize = 3;

/// What an apply did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Counts, for the status.
    pub done: ApplySummary,
    /// People whose write failed.
    pub failures: WriteFailures,
    /// Whether it came to the end of the plan: everybody who is not in `failures` succeeded.
    pub gone_through: bool,
    /// The failure of a service that ended it early.
    pub disconnected: Option<Disconnected>,
    /// Whether the outcome of a write is unknown or a record was found changed: both services must be read before
    /// the next plan.
    pub read_again: bool,
    /// What was restored and what was not, by person.
    pub unmatched: BTreeMap<PersonId, Unmatched>,
}

/// Why an apply ends early.
pub(super) enum Stop {
    /// A service failed.
    Disconnected(Disconnected),
    /// The plan may not be written any more: the spec changed, the next cycle is due, or the operator shuts down.
    Interrupted,
    /// The API server failed.
    Kubernetes(kube::Error),
}

impl From<kube::Error> for Stop {
    fn from(error: kube::Error) -> Self {
        // A decision that was changed in the meantime leads to another plan.
        if is_conflict(&error) {
            Self::Interrupted
        } else {
            Self::Kubernetes(error)
        }
    }
}

/// What a run reads and writes.
pub struct Apply<'a> {
    pub audit: Audit,
    pub services: &'a Services,
    /// The EmployeeMatches, which take the before-images.
    pub matches: &'a mut Matches,
    /// What both services answered; updated with Insightful's answers.
    pub snapshot: &'a mut Snapshot,
    /// The teams that the plan follows from.
    pub teams: &'a DerivedTeams,
    /// When the employees in the snapshot were read.
    pub employees_read: Instant,
    /// The teams of groups; updated with those that are created.
    pub bindings: &'a mut Bindings,
    /// What waits for the outcome of an earlier request.
    pub deferred: &'a Deferred,
    /// How long a request to create something can still take effect if it has no response.
    pub outcome_wait: Duration,
    /// Asked before each outside write: whether it may still be made.
    pub may_write: &'a (dyn Fn() -> bool + Send + Sync),
    /// Whether a SUSPENDED person counts as departed.
    pub suspended_means_departed: bool,
    /// People whose failed write waits for its retry: nothing is written for them.
    pub waiting: &'a BTreeSet<PersonId>,
    /// Called at the beginning and after each write with the number of writes done and in total.
    pub on_progress: &'a (dyn Fn(usize, usize) + Send + Sync),
}

impl Apply<'_> {
    /// Writes the plan.
    ///
    /// # Errors
    /// The API server's, which ends the apply; what was done until then is in the outcome.
    pub async fn run(self, plan: ClearedPlan) -> (Outcome, Result<(), kube::Error>) {
        let approved = plan.clearance().approved_plan().map(str::to_owned);
        let plan = plan.into_inner();
        let unsent = plan.teams.iter().map(|team| team.group.clone());
        let unsent = unsent
            .filter(|group| !self.deferred.teams.contains(group))
            .collect();
        let summary = plan.summary();
        let mut run = Run {
            total: usize::try_from(summary.total).unwrap_or(0),
            outcome: Outcome {
                done: ApplySummary {
                    // The remainder of an approved plan goes by the hash that was approved.
                    plan: approved.unwrap_or(summary.hash),
                    ..ApplySummary::default()
                },
                ..Outcome::default()
            },
            unknown_in_a_row: 0,
            present_teams: None,
            created_teams: BTreeMap::new(),
            unsent,
            is_incomplete: false,
            not_restored: BTreeSet::new(),
            changed: BTreeSet::new(),
            apply: self,
        };
        (run.apply.on_progress)(0, run.total);
        let result = match run.plan(plan).await {
            Ok(()) => {
                run.outcome.gone_through = true;
                run.outcome.done.completed = run.outcome.failures.is_empty() && !run.is_incomplete;
                Ok(())
            }
            Err(Stop::Disconnected(why)) => {
                run.outcome.disconnected = Some(why);
                Ok(())
            }
            Err(Stop::Interrupted) => Ok(()),
            Err(Stop::Kubernetes(error)) => Err(error),
        };
        // Requests that were not sent.
        let unsent = &run.unsent;
        run.apply
            .bindings
            .pending
            .retain(|group, _| !unsent.contains(group));
        (run.outcome, result)
    }
}

pub(super) struct Run<'a> {
    pub(super) apply: Apply<'a>,
    pub(super) outcome: Outcome,
    pub(super) total: usize,
    pub(super) unknown_in_a_row: usize,
    /// The folded names of Insightful's teams, read right before the first is created.
    pub(super) present_teams: Option<BTreeSet<String>>,
    /// The teams that this apply created.
    pub(super) created_teams: BTreeMap<GroupId, TeamId>,
    /// Groups whose team is recorded as requested, while the request is not sent or had no effect.
    pub(super) unsent: BTreeSet<GroupId>,
    /// Whether any part of the plan was not tried.
    pub(super) is_incomplete: bool,
    /// Employees who could not be restored: their before-images stay on record.
    pub(super) not_restored: BTreeSet<EmployeeId>,
    /// Employees whom somebody else changed after the plan was made.
    changed: BTreeSet<EmployeeId>,
}

impl<'a> Run<'a> {
    async fn plan(&mut self, plan: Plan) -> Result<(), Stop> {
        let mut refused = None;
        for step in plan.into_steps() {
            match step {
                PlanStep::PutIntoForce(matches) => self.put_into_force(matches).await?,
                PlanStep::CreateTeam(team) if !self.apply.deferred.teams.contains(&team.group) => {
                    refused = self.create_team(team).await?.or(refused);
                }
                PlanStep::Create(creation) if self.may_go_on(&creation.person) => {
                    self.create_employee(creation).await?;
                }
                PlanStep::Update(update) if self.may_go_on(&update.person) => self.update(update).await?,
                PlanStep::Restore(restore) => {
                    let employee = restore.employee.clone();
                    if !self.may_go_on(&restore.person) || !self.restore(restore).await? {
                        self.is_incomplete = true;
                        self.not_restored.insert(employee);
                    }
                }
                PlanStep::Deactivate(deactivation) if self.may_go_on(&deactivation.person) => {
                    self.deactivate(deactivation).await?;
                }
                PlanStep::Unmatch(person, employees)
                    if self.may_go_on(&person) && employees.is_disjoint(&self.not_restored) =>
                {
                    self.unmatch(&person, &employees).await?;
                }
                // Something of this person or employee failed, or waits for an earlier request: the rest is retried with it.
                PlanStep::CreateTeam(_)
                | PlanStep::Create(_)
                | PlanStep::Update(_)
                | PlanStep::Deactivate(_)
                | PlanStep::Unmatch(..) => {
                    self.is_incomplete = true;
                }
            }
        }
        match refused {
            None => Ok(()),
            Some(why) => Err(Stop::Disconnected(why)),
        }
    }

    /// Whether no write of this person failed, in this apply or recently.
    pub(super) fn may_go_on(&self, person: &PersonId) -> bool {
        !self.apply.waiting.contains(person) && !self.outcome.failures.contains_key(person)
    }

    pub(super) fn check_may_write(&self) -> Result<(), Stop> {
        if (self.apply.may_write)() {
            Ok(())
        } else {
            Err(Stop::Interrupted)
        }
    }

    /// Whether a failed write is about the record that was written, not about the service.
    pub(super) fn concerns_this_record(&self, error: &WriteError) -> bool {
        match error {
            WriteError::OutcomeUnknown(_) => true,
            WriteError::Refused(error) => matches!(
                error,
                InsightfulError::Invalid { .. }
                    | InsightfulError::Refused { .. }
                    | InsightfulError::Http(HttpError::NotFound { .. } | HttpError::InvalidId { .. })
            ),
        }
    }

    /// Waits for the rate limiter's permit for one write, which can take a minute. What the write follows from is
    /// checked after this.
    pub(super) async fn write_permit(&self) -> Result<WritePermit<'a>, Stop> {
        let services = self.apply.services;
        self.waiting(services.insightful.write_permit()).await
    }

    /// Waits for something as long as the plan may be written.
    pub(super) async fn waiting<T>(&self, what: impl Future<Output = T>) -> Result<T, Stop> {
        let mut what = pin!(what);
        loop {
            self.check_may_write()?;
            if let Ok(done) = timeout(WAIT_CHECK_INTERVAL, &mut what).await {
                return Ok(done);
            }
        }
    }

    /// Waits after a write that was refused for the rate limit, which had no effect. Any other failure ends the
    /// apply.
    pub(super) async fn wait_or_stop(&mut self, error: &WriteError) -> Result<(), Stop> {
        if let WriteError::Refused(InsightfulError::RateLimited { wait, .. }) = error {
            let wait = wait.unwrap_or(DEFAULT_WAIT);
            if wait <= MAX_WAIT {
                self.apply
                    .services
                    .rate_limit_wait
                    .record(WaitCause::RateLimited, wait);
                return self.waiting(sleep(wait)).await;
            }
        }
        self.outcome.read_again |= matches!(error, WriteError::OutcomeUnknown(_));
        Err(Stop::Disconnected(insightful_failure(error)))
    }

    /// Records a person's failed write. Ends the apply if too many failed.
    pub(super) fn failed(&mut self, person: PersonId, error: &WriteError) -> Result<(), Stop> {
        self.outcome.done.failed += 1;
        let reason = match error {
            WriteError::Refused(_) => "WriteRefused",
            WriteError::OutcomeUnknown(_) => "OutcomeUnknown",
        };
        self.outcome.failures.insert(
            person,
            WriteFailure {
                reason: reason.to_owned(),
                message: error.to_string(),
            },
        );
        self.check_unknown(error)?;
        let ApplySummary { writes, failed, .. } = self.outcome.done;
        if failed > MAX_FAILURES && failed > writes {
            return Err(Stop::Disconnected(Disconnected {
                condition: conditions::INSIGHTFUL_CONNECTED,
                reason: "TooManyFailures".to_owned(),
                message: format!(
                    "{failed} writes failed and {writes} took effect; the remaining writes wait for the next attempt. Last failure: {error}"
                ),
                needs_action: false,
            }));
        }
        Ok(())
    }

    /// Makes both services be read again after a write with an unknown outcome. Ends the apply if there were several
    /// in a row.
    pub(super) fn check_unknown(&mut self, error: &WriteError) -> Result<(), Stop> {
        if matches!(error, WriteError::OutcomeUnknown(_)) {
            self.outcome.read_again = true;
            self.unknown_in_a_row += 1;
            if self.unknown_in_a_row >= MAX_UNKNOWN_IN_A_ROW {
                return Err(Stop::Disconnected(insightful_failure(error)));
            }
        }
        Ok(())
    }

    /// Whether an employee is still as the plan found them, by a read that is recent. If not, nothing is written: the
    /// before-image on record would be wrong, and nobody saw the change.
    pub(super) async fn is_as_planned(
        &mut self,
        person: &PersonId,
        employee: &EmployeeId,
    ) -> Result<bool, Stop> {
        if self.apply.employees_read.elapsed() > MAX_READ_AGE {
            let began = Instant::now();
            let services = self.apply.services;
            let employees = self.read(|| services.insightful.employees()).await?;
            self.changed
                .extend(self.apply.snapshot.changed_employees(&employees));
            for employee in employees.into_inner() {
                self.apply.snapshot.replace_employee(employee);
            }
            self.apply.employees_read = began;
        }
        let is_as_planned = !self.changed.contains(employee);
        if !is_as_planned {
            let message = format!(
                "somebody changed employee {employee} in Insightful after the plan was made: nothing is written, and the next plan follows from what the employee has now"
            );
            self.contradicted(person.clone(), "EmployeeChanged", message);
        }
        Ok(is_as_planned)
    }

    /// A record read by id contradicts the list that the plan follows from: both services are read again.
    pub(super) fn contradicted(&mut self, person: PersonId, reason: &str, message: String) {
        self.outcome.done.failed += 1;
        self.outcome.read_again = true;
        let reason = reason.to_owned();
        self.outcome
            .failures
            .insert(person, WriteFailure { reason, message });
    }

    /// Nothing was sent, so that this does not count as a failed write.
    pub(super) fn team_is_missing(&mut self, person: PersonId) -> Result<(), Stop> {
        let message = "the team could not be created: see the integration's conditions".to_owned();
        self.outcome.failures.insert(
            person,
            WriteFailure {
                reason: "TeamMissing".to_owned(),
                message,
            },
        );
        Ok(())
    }

    pub(super) fn wrote(&mut self) {
        self.outcome.done.writes += 1;
        self.unknown_in_a_row = 0;
        (self.apply.on_progress)(self.outcome.done.writes, self.total);
    }

    pub(super) fn team_id(&self, target: &TeamTarget) -> Option<TeamId> {
        match target {
            TeamTarget::Existing(id) => Some(id.clone()),
            // The team that the group was bound to before no longer exists.
            TeamTarget::Created(group) => self.created_teams.get(group).cloned(),
        }
    }
}

pub(super) fn insightful_failure(error: &WriteError) -> Disconnected {
    Disconnected {
        condition: conditions::INSIGHTFUL_CONNECTED,
        reason: error.error().reason().to_owned(),
        message: error.to_string(),
        needs_action: error.retryability() == Retryability::Permanent,
    }
}

pub(super) fn okta_failure(error: &OktaError) -> Disconnected {
    Disconnected {
        condition: conditions::OKTA_CONNECTED,
        reason: error.reason().to_owned(),
        message: error.to_string(),
        needs_action: error.retryability() == Retryability::Permanent,
    }
}
