//! The writes to Insightful, one function for each kind.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Run, Stop, insightful_broke, okta_broke};
use crate::{
    api::{Field, FieldLeft, Pending, PendingOperation, TakenBack, conditions},
    applied::{self, EmployeeUpdate, GivingBack, Overwrite},
    insightful::{Deactivation as Answer, NewEmployee, WriteError},
    plan::{Creation, Deactivation, NewTeam, Replace, Restore, Update},
    snapshot::{Employee, EmployeeId, GroupId, PersonId},
    status::{Disconnected, WriteFailure},
    teams::Binding,
};

impl Run<'_> {
    /// Gives why Insightful does not take the team, which keeps nobody else waiting.
    pub(super) async fn create_team(
        &mut self,
        NewTeam { group, name }: NewTeam,
    ) -> Result<Option<Disconnected>, Stop> {
        self.check_is_new(&group, &name).await?;
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

    /// Looks once more whether there is such a team: by the id of the one that the
    /// group is bound to, and by name. Nothing shows that a list lacks a team
    /// without employees, and Insightful takes the same name twice: a list that was
    /// cut short must not be enough for a second team.
    async fn check_is_new(&mut self, group: &GroupId, name: &str) -> Result<(), Stop> {
        let insightful = &self.apply.services.insightful;
        if let Some(binding) = self.apply.bindings.bound.get(group).cloned() {
            let found = loop {
                match insightful.team(&binding.team).await {
                    Ok(found) => break found,
                    Err(error) => self.wait_or_stop(&WriteError::Refused(error)).await?,
                }
            };
            if found.is_some() {
                return Err(self.lists_differ(format!(
                    "Insightful has team {}, which its list lacks: team {name:?} is not created",
                    binding.team
                )));
            }
        }
        let teams = match &self.teams_now {
            Some(teams) => teams,
            None => {
                let teams = loop {
                    match insightful.teams().await {
                        Ok(teams) => break teams.into_inner(),
                        Err(error) => self.wait_or_stop(&WriteError::Refused(error)).await?,
                    }
                };
                self.teams_now
                    .insert(teams.into_iter().map(|team| team.name).collect())
            }
        };
        if teams.contains(name) {
            return Err(self.lists_differ(format!(
                "Insightful's list of teams has {name:?}, which it lacked a moment ago: the team is not created"
            )));
        }
        Ok(())
    }

    fn lists_differ(&mut self, what: String) -> Stop {
        self.outcome.read_again = true;
        Stop::Disconnected(Disconnected {
            condition: conditions::INSIGHTFUL_CONNECTED,
            reason: "ListsDiffer".to_owned(),
            message: format!("{what}, and all is read again"),
            needs_somebody: false,
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

    pub(super) async fn update(&mut self, update: Update) -> Result<(), Stop> {
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

    pub(super) async fn restore(&mut self, restore: Restore) -> Result<(), Stop> {
        let (person, employee) = (restore.person.clone(), restore.employee.clone());
        self.apply.matches.confirm(&person).await?;
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

    pub(super) async fn deactivate(&mut self, deactivation: Deactivation) -> Result<(), Stop> {
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
}
