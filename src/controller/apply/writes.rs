//! The writes to Insightful, one function for each kind.

use jiff::{SignedDuration, Timestamp};

use super::{
    audit::WriteOutcome,
    run::{Run, Stop, insightful_failure, okta_failure},
};
use crate::{
    api::{Field, PendingOperation, conditions},
    insightful::{Deactivation as Answer, InsightfulError, WriteError, WritePermit},
    model::{
        Departure, Employee, EmployeeId, EmployeeUpdate, GroupId, NewEmployee, OktaStatus, Person, PersonId,
        Unreadable,
        text::{folded, is_same_email},
    },
    rules::{
        audit::{Operation, Write},
        pending,
        plan::{Creation, Deactivation, NewTeam, Restore, RestoreWrite, Update},
        record::{self, Overwrite},
        status::{Disconnected, WriteFailure},
        teams::Binding,
    },
};

/// How long before the request for a team it may have been recorded; a small part of
/// [`OUTCOME_WAIT`](crate::rules::pending::OUTCOME_WAIT).
const MAX_RECORD_AGE: SignedDuration = SignedDuration::from_secs(60);

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
    /// Creates a team. Returns why it failed; the other writes go on.
    pub(super) async fn create_team(
        &mut self,
        NewTeam { group, name }: NewTeam,
    ) -> Result<Option<Disconnected>, Stop> {
        let created = loop {
            let write = self.write_permit().await?;
            self.check_is_new(&group, &name).await?;
            self.check_record_is_fresh(&group)?;
            self.check_may_write()?;
            self.unsent.remove(&group);
            let audited = Write::of_team(&group, &name);
            let error = match write.create_team(&name).await {
                Ok(team) => {
                    self.audit(&audited, &WriteOutcome::NewTeam(&team.id));
                    break team;
                }
                Err(error) => error,
            };
            self.audit(&audited, &WriteOutcome::Error(&error));
            if let WriteError::Refused(_) = error {
                self.unsent.insert(group.clone());
            }
            if self.concerns_this_record(&error) {
                self.outcome.done.failed += 1;
                self.check_unknown(&error)?;
                let mut why = insightful_failure(&error);
                why.message = format!("team {name:?}: {}", why.message);
                return Ok(Some(why));
            }
            self.wait_or_stop(&error).await?;
        };
        self.wrote();
        let bindings = &mut self.apply.bindings;
        bindings.pending.remove(&group);
        bindings.bound.insert(
            group.clone(),
            Binding {
                team: created.id.clone(),
                created: true,
            },
        );
        self.created_teams.insert(group, created.id.clone());
        self.apply.snapshot.replace_team(created);
        Ok(None)
    }

    /// Checks again that there is no such team, by the id that the group is bound to and by name. Insightful accepts
    /// the same name twice, and a list that is cut short does not show what it lacks: one such list must not lead
    /// to a second team.
    async fn check_is_new(&mut self, group: &GroupId, name: &str) -> Result<(), Stop> {
        let services = self.apply.services;
        if let Some(lost) = self.apply.teams.get(group).and_then(|team| team.lost.as_ref()) {
            let found = self.read(|| services.insightful.team(lost));
            if found.await?.is_some() {
                return Err(self.inconsistent_lists(format!(
                    "Insightful has team {lost}, which its list lacks: team {name:?} is not created"
                )));
            }
        }
        let teams = match &self.present_teams {
            Some(teams) => teams,
            None => {
                let (teams, unreadable) = self.read(|| services.insightful.teams_and_unreadable()).await?;
                let is_new = |record: &&Unreadable| {
                    let mut known = self.apply.snapshot.unreadable();
                    !known.any(|known| known == *record)
                };
                if let Some(record) = unreadable.iter().find(is_new) {
                    return Err(self.inconsistent_lists(format!(
                        "Insightful's list of teams has a record now that cannot be read and may be team {name:?} ({record}): the team is not created"
                    )));
                }
                let names = teams.into_iter().map(|team| folded(&team.name));
                self.present_teams.insert(names.collect())
            }
        };
        if teams.contains(&folded(name)) {
            return Err(self.inconsistent_lists(format!(
                "Insightful's list of teams has {name:?} now, or a name that looks the same, which it lacked before: the team is not created"
            )));
        }
        Ok(())
    }

    /// The record of a request has to be about as old as the request: how long a lost one is looked for is counted
    /// from there. The next cycle records it again.
    fn check_record_is_fresh(&self, group: &GroupId) -> Result<(), Stop> {
        let pending = self.apply.bindings.pending.get(group);
        let age = pending.map(|pending| Timestamp::now().duration_since(pending.since.0));
        match age {
            Some(age) if age <= MAX_RECORD_AGE => Ok(()),
            _ => Err(Stop::Interrupted),
        }
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
            doubts: _,
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
            if let Some(change) = self.changed_since(&person, &new.email).await? {
                self.contradicted(person, "InvitationNotConfirmed", change);
                return Ok(());
            }
            let pending = pending::request(
                PendingOperation::CreateEmployee,
                &new.name,
                Some(&new.email),
                Timestamp::now(),
                self.apply.outcome_wait,
            );
            let unclear = pending::unclear(&pending);
            self.edit_status(&person, |status| status.pending = Some(pending))
                .await?;
            self.check_may_write()?;
            let audited = Write::of_invitation(&person, &new);
            let error = match write.create_employee(&new).await {
                Ok(employee) => {
                    self.audit(&audited, &WriteOutcome::Invited(&employee.id));
                    break employee;
                }
                Err(error) => error,
            };
            self.audit(&audited, &WriteOutcome::Error(&error));
            if let WriteError::OutcomeUnknown(_) = error {
                let stop = self.failed(person.clone(), &error);
                let failure = WriteFailure {
                    reason: "CreationUnclear".to_owned(),
                    message: format!("{unclear} ({})", error.error()),
                };
                self.outcome.failures.insert(person, failure);
                return stop;
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
        let audited = Write::of_put(Operation::UpdateEmployee, &person, &employee, &update.fields);
        let Some(overwrite) = Overwrite::of(update, |target| self.team_id(target)) else {
            return self.team_is_missing(person);
        };
        let answer = loop {
            let write = self.write_permit().await?;
            if !self.is_as_planned(&person, &employee).await? {
                return Ok(());
            }
            self.record(&person, overwrite.images.clone()).await?;
            match self.put(write, &audited, &employee, &overwrite.body).await? {
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
        let audited = Write::of_put(Operation::RestoreEmployee, &person, &employee, &restore.fields);
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
            match self.put(write, &audited, &employee, &restore_write.body).await? {
                Put::Answered(answer) => {
                    let sent = restore_write.body.clone();
                    restore_write.answered(&sent, &answer);
                    self.apply.snapshot.replace_employee(answer);
                    break restore_write;
                }
                Put::Failed(error) if error.rejected_value().is_some() => {
                    let restored =
                        self.restore_one_by_one(&person, &employee, &audited, restore_write, error);
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
        audited: &Write,
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
                match self.put(write, audited, employee, &body).await? {
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
            if let Some(message) = self.not_departed(&evidence).await? {
                self.contradicted(person, "DepartureNotConfirmed", message);
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
            let answer = write.deactivate_employee(&employee).await;
            let audited = match &answer {
                Ok(Answer::Done(_)) => WriteOutcome::Done,
                Ok(Answer::AlreadyDeactivated) => WriteOutcome::AlreadyDeactivated,
                Err(error) => WriteOutcome::Error(error),
            };
            self.audit(&Write::of_deactivation(&person, &employee), &audited);
            match answer {
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

    /// Why a person is not deactivated: Okta's record, read by id, does not show them as departed, as lists lag
    /// behind. A decision needs no record, but one that shows the person as employed outranks it.
    async fn not_departed(&mut self, evidence: &Departure) -> Result<Option<String>, Stop> {
        let suspended_means_departed = self.apply.suspended_means_departed;
        let by_decision = evidence.is_by_decision();
        let now = self.okta_record(evidence.person()).await?;
        let contradiction = match &now {
            None if by_decision => None,
            Some(now) if now.departure(suspended_means_departed).is_some() => None,
            Some(now) if now.has_status_of_departed(suspended_means_departed) => Some(format!(
                "Okta is changing the status of this person from {} to {}: nobody is deactivated whose account is \
                 being reactivated",
                now.status,
                now.returns_to().map_or("another one", OktaStatus::as_str)
            )),
            Some(_) if by_decision => Some(
                "Okta's list lacks this person, but the record read by id shows them as employed: nobody who is \
                 employed is deactivated by decision"
                    .to_owned(),
            ),
            _ => Some(
                "Okta's list shows this person as departed, but Okta, asked by id, does not confirm it: nobody is \
                 deactivated by the list alone"
                    .to_owned(),
            ),
        };
        if contradiction.is_none() || by_decision {
            self.use_record(now);
        }
        Ok(contradiction)
    }

    /// Why a person is not invited, although Okta's list says so: their record, read by id, shows them as departed or
    /// with another email, or there is none.
    async fn changed_since(&mut self, person: &PersonId, email: &str) -> Result<Option<String>, Stop> {
        let change = match self.okta_record(person).await? {
            None => "does not exist".to_owned(),
            Some(now) if now.has_status_of_departed(self.apply.suspended_means_departed) => {
                format!("has the status {}", now.status)
            }
            Some(now)
                if now
                    .email
                    .as_deref()
                    .is_some_and(|theirs| is_same_email(theirs, email)) =>
            {
                self.use_record(Some(now));
                return Ok(None);
            }
            Some(now) => format!(
                "has {} instead of {email}",
                now.email.as_deref().unwrap_or("no email")
            ),
        };
        Ok(Some(format!(
            "Okta's record of this person, read by id, {change}: nobody is invited by the list alone, and both services are read again"
        )))
    }

    /// Okta's record of a person, read by id.
    async fn okta_record(&mut self, person: &PersonId) -> Result<Option<Person>, Stop> {
        let services = self.apply.services;
        let now = self.waiting(services.okta.user(person)).await?;
        now.map_err(|error| Stop::Disconnected(okta_failure(&error)))
    }

    /// Takes over a record that was read by id. One that contradicts the list is not: until the list is read again,
    /// nothing would be planned for the person, so that the retry would have no backoff.
    fn use_record(&mut self, now: Option<Person>) {
        if let Some(now) = now {
            self.apply.snapshot.replace_person(now);
        }
    }

    /// Sends one PUT, if it may still be written.
    async fn put(
        &mut self,
        write: WritePermit<'_>,
        audited: &Write,
        employee: &EmployeeId,
        body: &EmployeeUpdate,
    ) -> Result<Put, Stop> {
        self.check_may_write()?;
        let answer = write.update_employee(employee, body).await;
        let outcome = answer
            .as_ref()
            .map_or_else(WriteOutcome::Error, |_| WriteOutcome::Done);
        self.audit(&audited.with_body(body), &outcome);
        match answer {
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
