//! Writes a cleared plan: first the before-image into the cluster, then the
//! write outside, then its result.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::matches::{Matches, is_conflict};
use crate::{
    api::{
        AppliedField, Decision, EmployeeMatchStatus, Field, FieldLeft, Pending, PendingOperation, TakenBack,
        conditions,
    },
    applied::{self, EmployeeUpdate, GivingBack, Overwrite},
    guard::ClearedPlan,
    insightful::{Deactivation as Answer, InsightfulError, NewEmployee, WriteError},
    okta::OktaError,
    plan::{Creation, Deactivation, Link, NewTeam, Plan, Replace, Restore, TeamTarget, Update},
    services::Services,
    snapshot::{Employee, EmployeeId, PersonId, Snapshot, TeamId},
    status::{Disconnected, Done, WriteFailure, WriteFailures},
    teams::{Binding, Bindings},
    transport::Advice,
};

/// A wait for Insightful's rate limit that is longer ends the apply; the next one goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// The wait where Insightful does not say how long.
const USUAL_WAIT: Duration = Duration::from_secs(15);

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
    /// Why it ended early, if a service was to blame.
    pub disconnected: Option<Disconnected>,
    /// Whether a write's effect is not known, or a record was found changed:
    /// both services must be read before the next plan.
    pub read_again: bool,
    /// What was given back, and what was not, by person.
    pub taken_back: BTreeMap<PersonId, TakenBack>,
}

/// Why an apply cannot go on.
enum Stop {
    /// A service is to blame.
    Disconnected(Disconnected),
    /// The admin took the leave back, or the operator is shutting down.
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
    pub suspended_means_left: bool,
    /// People who are left out because their last write failed a moment ago.
    pub resting: &'a BTreeSet<PersonId>,
    /// Told after each write: how many are done, and of how many.
    pub on_progress: &'a (dyn Fn(usize, usize) + Send + Sync),
}

impl Apply<'_> {
    /// Writes the plan.
    ///
    /// # Errors
    /// The API server's, which ends the apply; what was done until then is in the outcome.
    pub async fn run(self, plan: ClearedPlan) -> (Outcome, Result<(), kube::Error>) {
        let approved = plan.leave().approved_plan().map(str::to_owned);
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
            apply: self,
        };
        let result = match run.plan(plan).await {
            Ok(()) => {
                run.outcome.done.completed = true;
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
}

impl Run<'_> {
    async fn plan(&mut self, plan: Plan) -> Result<(), Stop> {
        let Plan {
            teams,
            creations,
            updates,
            restores,
            deactivations,
            links,
            releases,
        } = plan;
        self.put_into_force(links).await?;
        let mut refused = None;
        for team in teams {
            refused = self.create_team(team).await?.or(refused);
        }
        for creation in creations {
            if self.goes_on(&creation.person) {
                self.create_employee(creation).await?;
            }
        }
        for update in updates {
            if self.goes_on(&update.person) {
                self.update(update).await?;
            }
        }
        for restore in restores {
            if self.goes_on(&restore.person) {
                self.restore(restore).await?;
            }
        }
        for deactivation in deactivations {
            if self.goes_on(&deactivation.person) {
                self.deactivate(deactivation).await?;
            }
        }
        for (person, employees) in releases {
            if self.goes_on(&person) {
                self.release(&person, |employee| {
                    employees.iter().any(|id| id.as_str() == employee)
                })
                .await?;
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

    /// Puts every match of the plan on record before anything is written: what the
    /// apply changes in Insightful makes nobody doubtful who is yet to be written.
    async fn put_into_force(&mut self, links: BTreeMap<PersonId, Link>) -> Result<(), Stop> {
        let now = Timestamp::now();
        let links = links.into_iter().filter(|(person, _)| self.goes_on(person));
        let statuses: BTreeMap<PersonId, EmployeeMatchStatus> = links
            .filter_map(|(person, link)| {
                let object = self.apply.matches.get(&person)?;
                let decided = object.spec.decision == Decision::Match;
                let mut status = object.status.clone().unwrap_or_default();
                // A creation whose answer was lost, and that has been found by its email.
                let adopted = status.pending.take().is_some() && !decided;
                let on_record = status.applied.take();
                let applied = applied::before_write(on_record, Some(link), adopted, Vec::new(), now);
                status.applied = Some(applied);
                Some((person, status))
            })
            .collect();
        if statuses.is_empty() {
            return Ok(());
        }
        self.check_leave()?;
        // The API server keeps no more than the seconds of a time.
        let linked = |status: &EmployeeMatchStatus| {
            let applied = status.applied.clone()?;
            Some((applied.employee_ids, applied.fields))
        };
        let wanted: Vec<_> = statuses
            .iter()
            .map(|(person, status)| (person.clone(), linked(status)))
            .collect();
        self.apply.matches.write_statuses(statuses, |_, _| ()).await?;
        let on_record = |person| linked(self.apply.matches.get(person)?.status.as_ref()?);
        if wanted.iter().all(|(person, wanted)| on_record(person) == *wanted) {
            Ok(())
        } else {
            // A decision that was changed under way asks for another plan.
            Err(Stop::LeaveTaken)
        }
    }

    /// Gives why Insightful does not take the team, which keeps nobody else waiting.
    async fn create_team(&mut self, NewTeam { group, name }: NewTeam) -> Result<Option<Disconnected>, Stop> {
        let created = loop {
            self.check_leave()?;
            match self.apply.services.insightful.create_team(&name).await {
                Ok(team) => break team,
                Err(error @ WriteError::Refused(_)) if self.is_for_this_record(&error) => {
                    self.outcome.done.failed += 1;
                    let mut why = insightful_broke(&error);
                    why.message = format!("team {name:?}: {}", why.message);
                    return Ok(Some(why));
                }
                Err(error) => self.wait_or_stop(&error).await?,
            }
        };
        self.wrote();
        self.apply.bindings.bound.insert(
            group,
            Binding {
                team: created.id.clone(),
                created: true,
            },
        );
        self.apply.snapshot.replace_team(created);
        Ok(None)
    }

    async fn create_employee(&mut self, creation: Creation) -> Result<(), Stop> {
        let Creation {
            person,
            name,
            email,
            team,
            settings,
            title,
        } = creation;
        let Some(team) = self.team_id(&team) else {
            return self.team_is_missing(person);
        };
        // A creation on record as pending is not begun again: only a read that
        // shows no such employee takes it off the record.
        let since = Time(Timestamp::now());
        let pending = Pending {
            operation: PendingOperation::CreateEmployee,
            since,
        };
        self.edit_status(&person, |status| status.pending = Some(pending))
            .await?;
        let new = NewEmployee {
            name,
            email,
            team,
            settings,
        };
        let created = loop {
            self.check_leave()?;
            match self.apply.services.insightful.create_employee(&new).await {
                Ok(employee) => break employee,
                Err(error @ WriteError::OutcomeUnknown(_)) => {
                    self.outcome.read_again = true;
                    return self.failed(person, &error);
                }
                Err(error) => {
                    if !self.is_for_this_record(&error) {
                        self.wait_or_stop(&error).await?;
                        continue;
                    }
                    self.edit_status(&person, |status| status.pending = None).await?;
                    return self.failed(person, &error);
                }
            }
        };
        self.wrote();
        self.edit_status(&person, |status| {
            status.pending = None;
            let invited = applied::invited(status.applied.take(), &created.id, Timestamp::now());
            status.applied = Some(invited);
        })
        .await?;
        let employee = created.id.clone();
        self.apply.snapshot.replace_employee(created);
        if let Some(title) = title {
            let update = Update {
                person,
                employee,
                name: None,
                email: None,
                title: Some(Replace {
                    from: None,
                    to: title,
                    before: None,
                    ours: true,
                }),
                team: None,
            };
            self.update(update).await?;
        }
        Ok(())
    }

    async fn update(&mut self, update: Update) -> Result<(), Stop> {
        let (person, employee) = (update.person.clone(), update.employee.clone());
        let Some(overwrite) = Overwrite::of(update, |target| self.team_id(target)) else {
            return self.team_is_missing(person);
        };
        let Overwrite { body, images, effect } = overwrite;
        self.record(&person, images).await?;
        if let Some(answer) = self.put(&person, &employee, &body).await? {
            self.apply.snapshot.replace_employee(answer);
            if !effect.is_none() {
                self.edit_status(&person, |status| {
                    status.applied = status.applied.take().map(|applied| effect.on(applied));
                })
                .await?;
            }
        }
        Ok(())
    }

    async fn restore(&mut self, restore: Restore) -> Result<(), Stop> {
        let (person, employee) = (restore.person.clone(), restore.employee.clone());
        // What somebody did after the last read stays.
        let now = match self.apply.services.insightful.employee(&employee).await {
            Ok(Some(now)) => now,
            // The list had them a moment ago. If they are gone, it says so next.
            Ok(None) => {
                let message = format!(
                    "Insightful's list of employees has {employee}, and the read by id does not: nothing is given back yet"
                );
                return self.contradicted(person, "EmployeeNotFound", message);
            }
            Err(error) => return self.wait_or_stop(&WriteError::Refused(error)).await,
        };
        let GivingBack { body, fields, left } = GivingBack::of(restore, &now, |target| self.team_id(target));
        self.apply.snapshot.replace_employee(now);
        if body != EmployeeUpdate::default() {
            let Some(answer) = self.put(&person, &employee, &body).await? else {
                return Ok(());
            };
            self.apply.snapshot.replace_employee(answer);
        }
        let taken_back = TakenBack {
            employee_id: employee.to_string(),
            time: Time(Timestamp::now()),
            given_back: fields,
            left: left
                .into_iter()
                .map(|(field, why)| FieldLeft {
                    field,
                    reason: why.message().to_owned(),
                })
                .collect(),
        };
        self.outcome.taken_back.insert(person.clone(), taken_back.clone());
        // The record stays until the whole match is let go at once: without one of
        // its employees it would look like a match in force.
        self.edit_status(&person, |status| status.taken_back = Some(taken_back))
            .await
    }

    async fn deactivate(&mut self, deactivation: Deactivation) -> Result<(), Stop> {
        let Deactivation {
            person,
            employee,
            evidence: _,
        } = deactivation;
        // Lists lag behind; the record by id is the truth.
        let now = self
            .apply
            .services
            .okta
            .user(&person)
            .await
            .map_err(|error| Stop::Disconnected(okta_broke(&error)))?;
        let still_left = now
            .as_ref()
            .and_then(|now| now.left(self.apply.suspended_means_left))
            .is_some();
        if let Some(now) = now {
            self.apply.snapshot.replace_person(now);
        }
        if !still_left {
            let message = "Okta's list says that the person left, and their record read by id does not: nobody is \
                           deactivated on the list alone";
            return self.contradicted(person, "NotConfirmed", message.to_owned());
        }
        let image = applied::image(
            &employee,
            Field::Active,
            Some("true".to_owned()),
            "false".to_owned(),
        );
        self.record(&person, vec![image]).await?;
        loop {
            self.check_leave()?;
            match self
                .apply
                .services
                .insightful
                .deactivate_employee(&employee)
                .await
            {
                Ok(Answer::Done(answer)) => {
                    self.wrote();
                    self.apply.snapshot.replace_employee(answer);
                    return Ok(());
                }
                Ok(Answer::AlreadyDeactivated) => {
                    self.outcome.read_again = true;
                    return Ok(());
                }
                Err(error) if self.is_for_this_record(&error) => return self.failed(person, &error),
                Err(error) => self.wait_or_stop(&error).await?,
            }
        }
    }

    /// One PUT; None if it failed, which is then on the person's record.
    async fn put(
        &mut self,
        person: &PersonId,
        employee: &EmployeeId,
        body: &EmployeeUpdate,
    ) -> Result<Option<Employee>, Stop> {
        loop {
            self.check_leave()?;
            match self
                .apply
                .services
                .insightful
                .update_employee(employee, body)
                .await
            {
                Ok(answer) => {
                    self.wrote();
                    self.check_kept(person, body, &answer);
                    return Ok(Some(answer));
                }
                Err(error) if self.is_for_this_record(&error) => {
                    self.failed(person.clone(), &error)?;
                    return Ok(None);
                }
                Err(error) => self.wait_or_stop(&error).await?,
            }
        }
    }

    /// A value that Insightful takes and does not keep would be written for ever.
    fn check_kept(&mut self, person: &PersonId, body: &EmployeeUpdate, answer: &Employee) {
        let kept = body.name.as_ref().is_none_or(|name| *name == answer.name)
            && body
                .email
                .as_ref()
                .is_none_or(|email| email.eq_ignore_ascii_case(&answer.email))
            && body.team.as_ref().is_none_or(|team| *team == answer.team);
        if !kept {
            let message =
                "Insightful took the values and answers with other ones: compare the employee there"
                    .to_owned();
            let failure = WriteFailure {
                reason: "ValueNotKept".to_owned(),
                message,
            };
            self.outcome.failures.insert(person.clone(), failure);
        }
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
                    | InsightfulError::NotFound { .. }
                    | InsightfulError::BadId { .. }
            ),
        }
    }

    /// Waits where that helps: a write that was refused for its rate had no effect.
    async fn wait_or_stop(&mut self, error: &WriteError) -> Result<(), Stop> {
        if let WriteError::Refused(InsightfulError::RateLimited { wait, .. }) = error {
            let wait = wait.unwrap_or(USUAL_WAIT);
            if wait <= LONGEST_WAIT {
                tokio::time::sleep(wait).await;
                return Ok(());
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
                needs_somebody: false,
            }));
        }
        Ok(())
    }

    /// A record says something else than the list that the plan rests on: both are read again.
    fn contradicted(&mut self, person: PersonId, reason: &str, message: String) -> Result<(), Stop> {
        self.outcome.done.failed += 1;
        self.outcome.read_again = true;
        let reason = reason.to_owned();
        self.outcome
            .failures
            .insert(person, WriteFailure { reason, message });
        Ok(())
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

    /// Puts before-images on the person's record.
    async fn record(&mut self, person: &PersonId, images: Vec<AppliedField>) -> Result<(), Stop> {
        if images.is_empty() {
            return Ok(());
        }
        self.edit_status(person, |status| {
            status.pending = None;
            let on_record = status.applied.take();
            let applied = applied::before_write(on_record, None, false, images, Timestamp::now());
            status.applied = Some(applied);
        })
        .await
    }

    /// Takes what was written to some employees off the person's record.
    async fn release(&mut self, person: &PersonId, let_go: impl Fn(&str) -> bool) -> Result<(), Stop> {
        self.edit_status(person, |status| {
            status.applied = applied::let_go(status.applied.take(), let_go);
        })
        .await
    }

    async fn edit_status(
        &mut self,
        person: &PersonId,
        edit: impl FnOnce(&mut EmployeeMatchStatus),
    ) -> Result<(), Stop> {
        let mut status = self
            .apply
            .matches
            .get(person)
            .and_then(|object| object.status.clone())
            .unwrap_or_default();
        edit(&mut status);
        self.apply.matches.write_status(person, status).await?;
        Ok(())
    }
}

fn insightful_broke(error: &WriteError) -> Disconnected {
    Disconnected {
        condition: conditions::INSIGHTFUL_CONNECTED,
        reason: error.error().reason().to_owned(),
        message: error.to_string(),
        needs_somebody: error.advice() == Advice::AskAHuman,
    }
}

fn okta_broke(error: &OktaError) -> Disconnected {
    Disconnected {
        condition: conditions::OKTA_CONNECTED,
        reason: error.reason().to_owned(),
        message: error.to_string(),
        needs_somebody: error.advice() == Advice::AskAHuman,
    }
}
