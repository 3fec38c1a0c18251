//! The writes to Insightful, one function for each kind.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::run::{Run, Stop, insightful_failure, okta_failure};
use crate::{
    api::{Field, Pending, PendingOperation, conditions},
    insightful::{Deactivation as Answer, InsightfulError, WriteError, WritePermit},
    model::{Departure, Employee, EmployeeId, EmployeeUpdate, GroupId, NewEmployee, PersonId},
    rules::{
        plan::{Creation, Deactivation, NewTeam, Restore, RestoreWrite, Update},
        record::{self, Overwrite},
        status::{Disconnected, WriteFailure},
        teams::Binding,
    },
};

/// What came of one PUT.
enum Put {
    /// Insightful's answer: the employee as it is now.
    Answered(Employee),
    /// It failed for a reason that concerns this employee only.
    Failed(WriteError),
    /// Insightful refused it for the rate limit, and the wait is over: what it follows from is checked again.
    Retry,
}

impl Run<'_> {
    /// Creates a team. Returns why Insightful refuses it; the other writes go on.
    pub(super) async fn create_team(
        &mut self,
        NewTeam { group, name }: NewTeam,
    ) -> Result<Option<Disconnected>, Stop> {
        let created = loop {
            let write = self.write_permit().await?;
            self.check_is_new(&group, &name).await?;
            self.check_may_write()?;
            match write.create_team(&name).await {
                Ok(team) => break team,
                Err(error @ WriteError::Refused(_)) if self.concerns_this_record(&error) => {
                    self.outcome.done.failed += 1;
                    let mut why = insightful_failure(&error);
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

    /// Checks again that there is no such team, by the id that the group is bound to and by name. Insightful accepts
    /// the same name twice, and a list that is cut short does not show what it lacks: one such list must not lead
    /// to a second team.
    async fn check_is_new(&mut self, group: &GroupId, name: &str) -> Result<(), Stop> {
        let services = self.apply.services;
        if let Some(binding) = self.apply.bindings.bound.get(group).cloned() {
            let found = self.read(|| services.insightful.team(&binding.team));
            if found.await?.is_some() {
                return Err(self.inconsistent_lists(format!(
                    "Insightful has team {}, which its list lacks: team {name:?} is not created",
                    binding.team
                )));
            }
        }
        let teams = match &self.present_teams {
            Some(teams) => teams,
            None => {
                let teams = self.read(|| services.insightful.teams()).await?;
                let names = teams.into_inner().into_iter().map(|team| team.name);
                self.present_teams.insert(names.collect())
            }
        };
        if teams.contains(name) {
            return Err(self.inconsistent_lists(format!(
                "Insightful's list of teams has {name:?} now, which it lacked before: the team is not created"
            )));
        }
        Ok(())
    }

    /// Reads from Insightful right before a write, with the same waits as a write.
    pub(super) async fn read<T, R: Future<Output = Result<T, InsightfulError>>>(
        &mut self,
        read: impl Fn() -> R,
    ) -> Result<T, Stop> {
        loop {
            match self.waiting(read()).await? {
                Ok(answer) => return Ok(answer),
                Err(error) => self.wait_or_stop(&WriteError::Refused(error)).await?,
            }
        }
    }

    fn inconsistent_lists(&mut self, what: String) -> Stop {
        self.outcome.read_again = true;
        Stop::Disconnected(Disconnected {
            condition: conditions::INSIGHTFUL_CONNECTED,
            reason: "InconsistentLists".to_owned(),
            message: format!("{what}; both services are read again"),
            needs_action: false,
        })
    }

    pub(super) async fn create_employee(&mut self, creation: Creation) -> Result<(), Stop> {
        let Creation {
            person,
            name,
            email,
            team,
            settings,
            title,
            automatic: _,
        } = creation;
        let Some(team) = self.team_id(&team) else {
            return self.team_is_missing(person);
        };
        // An earlier invitation with an unknown outcome can still take effect, even if this one is refused.
        let records = self.apply.matches.records();
        let earlier = records.get(&person).and_then(|record| record.pending.clone());
        let new = NewEmployee {
            name,
            email,
            team,
            settings,
        };
        let created = loop {
            let write = self.write_permit().await?;
            let pending = Pending {
                operation: PendingOperation::CreateEmployee,
                since: Time(Timestamp::now()),
            };
            self.edit_status(&person, |status| status.pending = Some(pending))
                .await?;
            self.check_may_write()?;
            let error = match write.create_employee(&new).await {
                Ok(employee) => break employee,
                Err(error) => error,
            };
            if let WriteError::OutcomeUnknown(_) = error {
                self.outcome.read_again = true;
                return self.failed(person, &error);
            }
            let earlier = earlier.clone();
            self.edit_status(&person, |status| status.pending = earlier)
                .await?;
            if self.concerns_this_record(&error) {
                return self.failed(person, &error);
            }
            self.wait_or_stop(&error).await?;
        };
        self.wrote();
        self.edit_status(&person, |status| {
            status.pending = None;
            let invited = record::invited(status.applied.take(), &created.id, Timestamp::now());
            status.applied = Some(invited);
        })
        .await?;
        let employee = created.id.clone();
        self.apply.snapshot.replace_employee(created);
        if let Some(title) = title {
            self.update(Update::of_title(person, employee, title)).await?;
        }
        Ok(())
    }

    pub(super) async fn update(&mut self, update: Update) -> Result<(), Stop> {
        let (person, employee) = (update.person.clone(), update.employee.clone());
        let Some(overwrite) = Overwrite::of(update, |target| self.team_id(target)) else {
            return self.team_is_missing(person);
        };
        let answer = loop {
            let write = self.write_permit().await?;
            if !self.is_as_planned(&person, &employee).await? {
                return Ok(());
            }
            self.record(&person, overwrite.images.clone()).await?;
            match self.put(write, &employee, &overwrite.body).await? {
                Put::Answered(answer) => break answer,
                Put::Failed(error) => return self.failed(person, &error),
                Put::Retry => {}
            }
        };
        let effect = overwrite.answered(&answer);
        self.apply.snapshot.replace_employee(answer);
        if effect.ignores_team() {
            let failure = WriteFailure {
                reason: "ValueChangedByInsightful".to_owned(),
                message:
                    "Insightful accepted the team but did not move the employee: compare the employee there"
                        .to_owned(),
            };
            self.outcome.failures.insert(person.clone(), failure);
        }
        if !effect.is_none() {
            self.edit_status(&person, |status| {
                status.applied = status.applied.take().map(|applied| effect.on(applied));
            })
            .await?;
        }
        Ok(())
    }

    /// Restores an employee. Returns whether everything that can be restored is.
    pub(super) async fn restore(&mut self, restore: Restore) -> Result<bool, Stop> {
        let (person, employee) = (restore.person.clone(), restore.employee.clone());
        let services = self.apply.services;
        let restored = loop {
            let write = self.write_permit().await?;
            self.apply.matches.confirm(&person).await?;
            // What somebody changed since the last read stays.
            let now = self.read(|| services.insightful.employee(&employee));
            let Some(now) = now.await? else {
                // The list had the employee. If it is gone, the next sync shows that.
                let message = format!(
                    "Insightful's list has employee {employee}, but reading it by id says that it does not exist: nothing is restored until both agree"
                );
                self.contradicted(person, "EmployeeNotFound", message);
                return Ok(false);
            };
            let mut restore_write = RestoreWrite::of(restore.clone(), &now);
            self.apply.snapshot.replace_employee(now);
            if restore_write.body == EmployeeUpdate::default() {
                break restore_write;
            }
            match self.put(write, &employee, &restore_write.body).await? {
                Put::Answered(answer) => {
                    let sent = restore_write.body.clone();
                    restore_write.answered(&sent, &answer);
                    self.apply.snapshot.replace_employee(answer);
                    break restore_write;
                }
                Put::Failed(error) if error.rejected_value().is_some() => {
                    let restored = self.restore_one_by_one(&person, &employee, restore_write, error);
                    match restored.await? {
                        Some(restored) => break restored,
                        None => return Ok(false),
                    }
                }
                Put::Failed(error) => return self.failed(person, &error).map(|()| false),
                Put::Retry => {}
            }
        };
        let unmatched = restored.into_status(&employee, Timestamp::now());
        self.outcome.unmatched.insert(person.clone(), unmatched.clone());
        // The record stays until all of the match's employees are restored: without one of them it would look like
        // a match in force.
        self.edit_status(&person, |status| status.unmatched = Some(unmatched))
            .await?;
        Ok(true)
    }

    /// Insightful refuses a PUT as a whole: each field is written by itself, so that one that it refuses keeps no
    /// other from being restored. Returns None if nothing is restored; the failure is recorded.
    async fn restore_one_by_one(
        &mut self,
        person: &PersonId,
        employee: &EmployeeId,
        mut restore: RestoreWrite,
        refused: WriteError,
    ) -> Result<Option<RestoreWrite>, Stop> {
        let fields = restore.one_by_one();
        // Some may hold their former value without a write.
        let mut is_any_restored = !fields.is_empty() && restore.restored.len() > fields.len();
        for (field, body) in fields {
            let put = loop {
                let write = self.write_permit().await?;
                self.apply.matches.confirm(person).await?;
                match self.put(write, employee, &body).await? {
                    Put::Retry => {}
                    put => break put,
                }
            };
            match put {
                Put::Answered(answer) => {
                    is_any_restored = true;
                    restore.answered(&body, &answer);
                    self.apply.snapshot.replace_employee(answer);
                }
                Put::Failed(error) => match error.rejected_value() {
                    Some(why) => restore.refused(field, why.to_string()),
                    None => return self.failed(person.clone(), &error).map(|()| None),
                },
                Put::Retry => {}
            }
        }
        if is_any_restored {
            return Ok(Some(restore));
        }
        self.failed(person.clone(), &refused)?;
        if let Some(failure) = self.outcome.failures.get_mut(person) {
            failure
                .message
                .push_str("; a field that somebody changes in Insightful is left as it is then");
        }
        Ok(None)
    }

    pub(super) async fn deactivate(&mut self, deactivation: Deactivation) -> Result<(), Stop> {
        let Deactivation {
            person,
            employee,
            evidence,
        } = deactivation;
        loop {
            let write = self.write_permit().await?;
            if !self.has_departed(&evidence).await? {
                let message = if evidence.is_by_decision() {
                    "Okta's list lacks this person, but the record read by id shows them as employed: nobody who is \
                     employed is deactivated by decision"
                } else {
                    "Okta's list shows this person as departed, but Okta, asked by id, does not confirm it: nobody is \
                     deactivated by the list alone"
                };
                self.contradicted(person, "DepartureNotConfirmed", message.to_owned());
                return Ok(());
            }
            let image = record::image(
                &employee,
                Field::Active,
                Some("true".to_owned()),
                "false".to_owned(),
            );
            if !self.is_as_planned(&person, &employee).await? {
                return Ok(());
            }
            self.record(&person, vec![image]).await?;
            self.check_may_write()?;
            match write.deactivate_employee(&employee).await {
                Ok(Answer::Done(answer)) => {
                    self.wrote();
                    self.apply.snapshot.replace_employee(answer);
                    return Ok(());
                }
                Ok(Answer::AlreadyDeactivated) => {
                    self.outcome.read_again = true;
                    return Ok(());
                }
                Err(error) if self.concerns_this_record(&error) => return self.failed(person, &error),
                Err(error) => self.wait_or_stop(&error).await?,
            }
        }
    }

    /// Whether Okta's record of a person, read by id, shows them as departed: lists lag behind. A decision needs no
    /// record, but one that shows the person as employed outranks it.
    async fn has_departed(&mut self, evidence: &Departure) -> Result<bool, Stop> {
        let services = self.apply.services;
        let now = self.waiting(services.okta.user(evidence.person())).await?;
        let Some(now) = now.map_err(|error| Stop::Disconnected(okta_failure(&error)))? else {
            return Ok(evidence.is_by_decision());
        };
        let has_departed = now.departure(self.apply.suspended_means_departed).is_some();
        self.apply.snapshot.replace_person(now);
        Ok(has_departed)
    }

    /// Sends one PUT, if it may still be written.
    async fn put(
        &mut self,
        write: WritePermit<'_>,
        employee: &EmployeeId,
        body: &EmployeeUpdate,
    ) -> Result<Put, Stop> {
        self.check_may_write()?;
        match write.update_employee(employee, body).await {
            Ok(answer) => {
                self.wrote();
                Ok(Put::Answered(answer))
            }
            Err(error) if self.concerns_this_record(&error) => Ok(Put::Failed(error)),
            Err(error) => {
                self.wait_or_stop(&error).await?;
                Ok(Put::Retry)
            }
        }
    }
}
