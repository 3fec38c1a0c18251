//! Writes a cleared plan: first the before-image into the cluster, then the
//! write outside, then its result.

mod before_images;
mod outside;

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::match_store::{Matches, is_conflict};
use crate::{
    api::{Unmatched, conditions},
    http::{HttpError, Retryability, WaitCause},
    insightful::{InsightfulError, WriteError, WritePermit},
    model::{EmployeeId, PersonId, Snapshot, TeamId},
    okta::OktaError,
    rules::{
        guard::ClearedPlan,
        plan::{Plan, PlanStep, TeamTarget},
        status::{Disconnected, Done, WriteFailure, WriteFailures},
        teams::Bindings,
    },
    services::Services,
};

/// A wait for Insightful's rate limit that is longer ends the apply; the next one goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// The wait where Insightful does not say how long.
const USUAL_WAIT: Duration = Duration::from_secs(15);

/// How often whoever waits looks whether it may still write.
const LOOK_WHILE_WAITING: Duration = Duration::from_secs(1);

/// More failures than this, and than writes that took effect, end the apply:
/// something is wrong with more than single people.
const MOST_FAILED: usize = 5;

/// So many writes in a row without an answer mean that Insightful is down.
const MOST_LOST_IN_A_ROW: usize = 3;

/// What an apply did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Counts, for the status.
    pub done: Done,
    /// People whose write failed.
    pub failures: WriteFailures,
    /// Whether it came to the end of the plan: whoever did not fail in it did not fail.
    pub gone_through: bool,
    /// Why it ended early, if a service was to blame.
    pub disconnected: Option<Disconnected>,
    /// Whether a write's effect is not known, or a record was found changed:
    /// both services must be read before the next plan.
    pub read_again: bool,
    /// What was given back, and what was not, by person.
    pub unmatched: BTreeMap<PersonId, Unmatched>,
}

/// Why an apply cannot go on.
enum Stop {
    /// A service is to blame.
    Disconnected(Disconnected),
    /// The admin took the leave back, something else is to be looked at first, or
    /// the operator is shutting down.
    LeaveTaken,
    /// The API server is to blame.
    Kubernetes(kube::Error),
}

impl From<kube::Error> for Stop {
    fn from(error: kube::Error) -> Self {
        // A decision that was changed under way asks for another plan.
        if is_conflict(&error) {
            Self::LeaveTaken
        } else {
            Self::Kubernetes(error)
        }
    }
}

/// What is written to and from.
pub struct Apply<'a> {
    /// The clients.
    pub services: &'a Services,
    /// The EmployeeMatches, which take the before-images.
    pub matches: &'a mut Matches,
    /// What both services said; takes what Insightful answers.
    pub snapshot: &'a mut Snapshot,
    /// The groups' teams; takes those that are created.
    pub bindings: &'a mut Bindings,
    /// Asked before each outside write: whether it still may be made.
    pub may_write: &'a (dyn Fn() -> bool + Send + Sync),
    /// Whether a SUSPENDED person has left.
    pub suspended_means_departed: bool,
    /// People who are left out because their last write failed a moment ago.
    pub resting: &'a BTreeSet<PersonId>,
    /// Told at the beginning and after each write: how many are done, and of how many.
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
        let summary = plan.summary();
        let mut run = Run {
            total: usize::try_from(summary.total).unwrap_or(0),
            outcome: Outcome {
                done: Done {
                    // What is left of an approved plan goes by the name under which it was approved.
                    plan: approved.unwrap_or(summary.hash),
                    ..Done::default()
                },
                ..Outcome::default()
            },
            lost_in_a_row: 0,
            teams_now: None,
            left_out: false,
            not_given_back: BTreeSet::new(),
            apply: self,
        };
        (run.apply.on_progress)(0, run.total);
        let result = match run.plan(plan).await {
            Ok(()) => {
                run.outcome.gone_through = true;
                run.outcome.done.completed = run.outcome.failures.is_empty() && !run.left_out;
                Ok(())
            }
            Err(Stop::Disconnected(why)) => {
                run.outcome.disconnected = Some(why);
                Ok(())
            }
            Err(Stop::LeaveTaken) => Ok(()),
            Err(Stop::Kubernetes(error)) => Err(error),
        };
        (run.outcome, result)
    }
}

struct Run<'a> {
    apply: Apply<'a>,
    outcome: Outcome,
    total: usize,
    lost_in_a_row: usize,
    /// The names of Insightful's teams, read right before the first is created.
    teams_now: Option<BTreeSet<String>>,
    /// Whether anything of the plan was not tried.
    left_out: bool,
    /// Employees whom their values were to be given back, and were not: what is
    /// on record of them stays.
    not_given_back: BTreeSet<EmployeeId>,
}

impl<'a> Run<'a> {
    async fn plan(&mut self, plan: Plan) -> Result<(), Stop> {
        let mut refused = None;
        for step in plan.into_steps() {
            match step {
                PlanStep::PutIntoForce(matches) => self.put_into_force(matches).await?,
                PlanStep::CreateTeam(team) => refused = self.create_team(team).await?.or(refused),
                PlanStep::Create(creation) if self.goes_on(&creation.person) => {
                    self.create_employee(creation).await?;
                }
                PlanStep::Update(update) if self.goes_on(&update.person) => self.update(update).await?,
                PlanStep::Restore(restore) => {
                    let employee = restore.employee.clone();
                    if !self.goes_on(&restore.person) || !self.restore(restore).await? {
                        self.left_out = true;
                        self.not_given_back.insert(employee);
                    }
                }
                PlanStep::Deactivate(deactivation) if self.goes_on(&deactivation.person) => {
                    self.deactivate(deactivation).await?;
                }
                PlanStep::Unmatch(person, employees)
                    if self.goes_on(&person) && employees.is_disjoint(&self.not_given_back) =>
                {
                    self.unmatch(&person, &employees).await?;
                }
                // Something of this person or employee failed: the rest is tried again with it.
                PlanStep::Create(_)
                | PlanStep::Update(_)
                | PlanStep::Deactivate(_)
                | PlanStep::Unmatch(..) => {
                    self.left_out = true;
                }
            }
        }
        match refused {
            None => Ok(()),
            Some(why) => Err(Stop::Disconnected(why)),
        }
    }

    /// Whether nothing of this person failed, a moment ago or just now.
    fn goes_on(&self, person: &PersonId) -> bool {
        !self.apply.resting.contains(person) && !self.outcome.failures.contains_key(person)
    }

    fn check_leave(&self) -> Result<(), Stop> {
        if (self.apply.may_write)() {
            Ok(())
        } else {
            Err(Stop::LeaveTaken)
        }
    }

    /// Whether a failed write says something of the record that was written,
    /// and nothing of the service.
    fn is_for_this_record(&self, error: &WriteError) -> bool {
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

    /// Waits for leave of the pace to write once. What the write rests on is
    /// looked at after this, which can take a minute.
    async fn one_write(&self) -> Result<WritePermit<'a>, Stop> {
        let services = self.apply.services;
        self.waiting(services.insightful.write_permit()).await
    }

    /// Waits for something, and no longer than there is leave to write.
    async fn waiting<T>(&self, what: impl Future<Output = T>) -> Result<T, Stop> {
        let mut what = pin!(what);
        loop {
            self.check_leave()?;
            if let Ok(done) = timeout(LOOK_WHILE_WAITING, &mut what).await {
                return Ok(done);
            }
        }
    }

    /// Waits where that helps: a write that was refused for its rate had no effect.
    async fn wait_or_stop(&mut self, error: &WriteError) -> Result<(), Stop> {
        if let WriteError::Refused(InsightfulError::RateLimited { wait, .. }) = error {
            let wait = wait.unwrap_or(USUAL_WAIT);
            if wait <= LONGEST_WAIT {
                self.apply
                    .services
                    .rate_limit_wait
                    .record(WaitCause::RateLimited, wait);
                return self.waiting(sleep(wait)).await;
            }
        }
        self.outcome.read_again |= matches!(error, WriteError::OutcomeUnknown(_));
        Err(Stop::Disconnected(insightful_broke(error)))
    }

    /// Puts a failure on the person's record; stops where too many in a row got no answer.
    fn failed(&mut self, person: PersonId, error: &WriteError) -> Result<(), Stop> {
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
        if matches!(error, WriteError::OutcomeUnknown(_)) {
            self.outcome.read_again = true;
            self.lost_in_a_row += 1;
            if self.lost_in_a_row >= MOST_LOST_IN_A_ROW {
                return Err(Stop::Disconnected(insightful_broke(error)));
            }
        }
        let Done { writes, failed, .. } = self.outcome.done;
        if failed > MOST_FAILED && failed > writes {
            return Err(Stop::Disconnected(Disconnected {
                condition: conditions::INSIGHTFUL_CONNECTED,
                reason: "TooManyFailures".to_owned(),
                message: format!(
                    "{failed} writes failed and {writes} took effect: the rest waits. The last: {error}"
                ),
                needs_action: false,
            }));
        }
        Ok(())
    }

    /// A record says something else than the list that the plan rests on: both are read again.
    fn contradicted(&mut self, person: PersonId, reason: &str, message: String) {
        self.outcome.done.failed += 1;
        self.outcome.read_again = true;
        let reason = reason.to_owned();
        self.outcome
            .failures
            .insert(person, WriteFailure { reason, message });
    }

    fn team_is_missing(&mut self, person: PersonId) -> Result<(), Stop> {
        self.outcome.done.failed += 1;
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

    fn wrote(&mut self) {
        self.outcome.done.writes += 1;
        self.lost_in_a_row = 0;
        (self.apply.on_progress)(self.outcome.done.writes, self.total);
    }

    fn team_id(&self, target: &TeamTarget) -> Option<TeamId> {
        match target {
            TeamTarget::Existing(id) => Some(id.clone()),
            TeamTarget::Created(group) => self
                .apply
                .bindings
                .bound
                .get(group)
                .map(|binding| binding.team.clone()),
        }
    }
}

fn insightful_broke(error: &WriteError) -> Disconnected {
    Disconnected {
        condition: conditions::INSIGHTFUL_CONNECTED,
        reason: error.error().reason().to_owned(),
        message: error.to_string(),
        needs_action: error.retryability() == Retryability::Permanent,
    }
}

fn okta_broke(error: &OktaError) -> Disconnected {
    Disconnected {
        condition: conditions::OKTA_CONNECTED,
        reason: error.reason().to_owned(),
        message: error.to_string(),
        needs_action: error.retryability() == Retryability::Permanent,
    }
}
