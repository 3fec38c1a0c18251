//! Makes the plan. Who gets deactivated is decided here, in [`leaver`]: the
//! employees of a person whose record Okta was read to say has left, and nobody
//! else.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Creation, Deactivation, MatchInForce, NewTeam, NotRestored, Plan, Replace, Restore, TeamTarget, Update,
    emails::{self, Emails, Order},
    field_history::{FieldHistory, Otherwise, is_ours},
};
use crate::{
    api::{
        Applied, AppliedField, Decision, Field, OktaIntegrationSpec, OnUnmatch, SuspendedPolicy, TeamState,
    },
    model::{Departure, Employee, EmployeeId, Person, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        record,
        resolve::{Records, Resolution, Resolved},
        teams::{DerivedTeams, TeamChoice},
    },
};

/// Plans everything. Gives the plan, and the people who are left out of it
/// although they are linked or to be created, each with what stands in the way.
pub fn plan(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
) -> (Plan, BTreeMap<PersonId, Blocker>) {
    let takers = takers(resolved);
    let mut planner = Planner {
        snapshot,
        spec,
        teams,
        records,
        plan: Plan::default(),
        blockers: BTreeMap::new(),
        previous: previous(records, &takers),
        takers,
    };
    for (id, resolved) in resolved {
        let Some(person) = snapshot.people().get(id) else {
            continue;
        };
        let planned = match &resolved.resolution {
            Resolution::Matched(employees) => planner.link(person, employees, &resolved.team),
            Resolution::Create => planner.create(person, &resolved.team),
            Resolution::Ignored | Resolution::OutOfScope(_) | Resolution::Waits(_) => Ok(()),
        };
        if let Err(blocker) = planned {
            planner.blockers.insert(id.clone(), blocker);
        }
    }
    let emails = planner.hold_or_order_emails();
    for (id, resolved) in resolved {
        planner.unmatch(id, &resolved.resolution);
    }
    planner.plan.restores = emails::order_restores(emails, planner.plan.restores);
    planner.create_teams();
    let Planner { plan, blockers, .. } = planner;
    (plan, blockers)
}

/// Whose each employee is, of those who are somebody's.
fn takers(resolved: &BTreeMap<PersonId, Resolved>) -> BTreeMap<&EmployeeId, &PersonId> {
    resolved
        .iter()
        .filter_map(|(id, resolved)| match &resolved.resolution {
            Resolution::Matched(employees) => Some(employees.iter().map(move |employee| (employee, id))),
            _ => None,
        })
        .flatten()
        .collect()
}

/// For each employee who is somebody's: what other people's matches wrote.
fn previous<'a>(
    records: &'a Records,
    takers: &BTreeMap<&'a EmployeeId, &'a PersonId>,
) -> BTreeMap<EmployeeId, Vec<&'a AppliedField>> {
    let mut previous: BTreeMap<EmployeeId, Vec<&AppliedField>> = BTreeMap::new();
    for (id, record) in records {
        for field in record.applied.iter().flat_map(|applied| &applied.fields) {
            let employee = EmployeeId::from(field.employee_id.as_str());
            if takers.get(&employee).is_some_and(|taker| *taker != id) {
                previous.entry(employee).or_default().push(field);
            }
        }
    }
    previous
}

struct Planner<'a> {
    snapshot: &'a Snapshot,
    spec: &'a OktaIntegrationSpec,
    teams: &'a DerivedTeams,
    records: &'a Records,
    plan: Plan,
    blockers: BTreeMap<PersonId, Blocker>,
    takers: BTreeMap<&'a EmployeeId, &'a PersonId>,
    /// See [`previous`].
    previous: BTreeMap<EmployeeId, Vec<&'a AppliedField>>,
}

impl Planner<'_> {
    /// A person who is linked: overwrite their employees, or switch them off.
    fn link(&mut self, person: &Person, employees: &[EmployeeId], team: &TeamChoice) -> Result<(), Blocker> {
        let employees: Vec<&Employee> = employees
            .iter()
            .filter_map(|employee| self.snapshot.employees().get(employee))
            .collect();
        if let Some(evidence) = person.left(self.spec.okta.suspended == SuspendedPolicy::Deactivate) {
            self.plan.deactivations.extend(leaver(&evidence, &employees));
        } else {
            let target = self.target(team)?;
            let updates = employees
                .iter()
                .enumerate()
                .map(|(place, employee)| self.update(person, employee, place == 0, target.as_ref()))
                .collect::<Result<Vec<_>, _>>()?;
            self.plan.updates.extend(updates.into_iter().flatten());
        }
        let ids: Vec<EmployeeId> = employees.iter().map(|employee| employee.id.clone()).collect();
        let record = self.records.get(&person.id);
        let own = record.and_then(|record| record.applied.as_ref());
        let inherited = employees.iter().flat_map(|employee| {
            let written = FieldHistory::of(employee, own, self.previous(employee));
            written.inherited().collect::<Vec<_>>()
        });
        let inherited: Vec<AppliedField> = inherited.collect();
        if !inherited.is_empty() || record.is_none_or(|record| record.employees_in_force() != ids) {
            self.plan.matches.insert(
                person.id.clone(),
                MatchInForce {
                    employees: ids,
                    inherited,
                },
            );
        }
        Ok(())
    }

    /// What is on other people's records of an employee who is somebody's.
    fn previous(&self, employee: &Employee) -> &[&AppliedField] {
        self.previous.get(&employee.id).map_or(&[], Vec::as_slice)
    }

    /// Where a person goes; None if they stay where they are.
    fn target(&self, choice: &TeamChoice) -> Result<Option<TeamTarget>, Blocker> {
        match choice {
            TeamChoice::Keep => Ok(None),
            TeamChoice::Of(group) => {
                let existing = self.teams.get(group).and_then(|team| team.team.clone());
                Ok(Some(existing.map_or_else(
                    || TeamTarget::Created(group.clone()),
                    TeamTarget::Existing,
                )))
            }
            TeamChoice::Several(teams) => Err(Blocker::SeveralTeams { teams: teams.clone() }),
            TeamChoice::Conflict(teams) => Err(Blocker::TeamConflict { teams: teams.clone() }),
            TeamChoice::NotCreated(teams) => Err(Blocker::TeamNotCreated { teams: teams.clone() }),
        }
    }

    /// What is written to one employee of a person; None if nothing differs.
    fn update(
        &self,
        person: &Person,
        employee: &Employee,
        first: bool,
        team: Option<&TeamTarget>,
    ) -> Result<Option<Update>, Blocker> {
        if employee.deactivated {
            return if first {
                Err(Blocker::EmployeeDeactivated {
                    employee: employee.id.clone(),
                })
            } else {
                Ok(None)
            };
        }
        let own = self
            .records
            .get(&person.id)
            .and_then(|record| record.applied.as_ref());
        let written = FieldHistory::of(employee, own, self.previous(employee));

        let title_written = written.field(Field::Title).map(|field| field.after.clone());
        let title = person
            .title
            .clone()
            .filter(|title| Some(title) != title_written.as_ref());
        let email = person
            .email
            .clone()
            .filter(|email| first && !email.eq_ignore_ascii_case(&employee.email));
        let name = person.full_name().filter(|name| *name != employee.name);
        let team_differs = team.filter(|team| **team != TeamTarget::Existing(employee.team.clone()));
        let present_team = TeamTarget::Existing(employee.team.clone());

        let update = Update {
            person: person.id.clone(),
            employee: employee.id.clone(),
            name: written.replace(
                Field::Name,
                &employee.name,
                name,
                match person.full_name() {
                    Some(_) => Otherwise::Stays,
                    None => Otherwise::Unwanted,
                },
            ),
            email: written.replace(
                Field::Email,
                &employee.email,
                email,
                match person.email {
                    _ if !first => Otherwise::MovedOn,
                    Some(_) => Otherwise::Stays,
                    None => Otherwise::Unwanted,
                },
            ),
            title: title.map(|to| Replace {
                before: None,
                from: title_written,
                to,
                ours: true,
            }),
            team: match team_differs {
                Some(to) => Some(Replace {
                    before: Some(written.before(Field::Team, employee.team.as_str()))
                        .map(|id| TeamTarget::Existing(id.as_str().into())),
                    from: Some(present_team),
                    to: to.clone(),
                    ours: true,
                }),
                None if team.is_none() => written
                    .give_back(Field::Team, employee.team.as_str(), false)
                    .filter(|id| self.snapshot.teams().contains_key(&id.as_str().into()))
                    .map(|id| Replace {
                        before: None,
                        from: Some(present_team),
                        to: TeamTarget::Existing(id.as_str().into()),
                        ours: false,
                    }),
                None => None,
            },
        };
        let writes = update.name.is_some()
            || update.email.is_some()
            || update.title.is_some()
            || update.team.is_some();
        Ok(writes.then_some(update))
    }

    /// A person who is invited.
    fn create(&mut self, person: &Person, team: &TeamChoice) -> Result<(), Blocker> {
        let email = person.email.clone().ok_or(Blocker::NoEmail)?;
        let name = person.full_name().ok_or(Blocker::NoName)?;
        let wanted = &self.spec.insightful.new_employees;
        let team = match self.target(team)? {
            Some(team) => team,
            None => self
                .snapshot
                .teams()
                .values()
                .find(|team| {
                    wanted
                        .team
                        .as_ref()
                        .map_or(team.default, |name| team.name == *name)
                })
                .map(|team| TeamTarget::Existing(team.id.clone()))
                .ok_or_else(|| Blocker::NewEmployeeTeamMissing {
                    name: wanted.team.clone(),
                })?,
        };
        let settings = self
            .snapshot
            .settings()
            .values()
            .find(|settings| {
                wanted
                    .shared_settings
                    .as_ref()
                    .map_or(settings.default, |name| settings.name == *name)
            })
            .map(|settings| settings.id.clone())
            .ok_or_else(|| Blocker::SharedSettingsMissing {
                name: wanted.shared_settings.clone(),
            })?;
        let creation = Creation {
            person: person.id.clone(),
            name,
            email,
            team,
            settings,
            title: person.title.clone(),
        };
        self.plan.creations.push(creation);
        Ok(())
    }

    /// Leaves out the people for whom no order of the writes frees their email
    /// in time. A person is written whole or not at all, so that whoever waits
    /// for an email of theirs is left out too.
    fn hold_or_order_emails(&mut self) -> Emails {
        loop {
            let updates = std::mem::take(&mut self.plan.updates);
            let Order {
                updates,
                held,
                emails,
            } = emails::order(self.snapshot, &self.plan.creations, updates);
            self.plan.updates = updates;
            if held.is_empty() {
                return emails;
            }
            self.plan
                .updates
                .retain(|update| !held.contains_key(&update.person));
            self.plan
                .creations
                .retain(|creation| !held.contains_key(&creation.person));
            self.plan.matches.retain(|person, _| !held.contains_key(person));
            self.blockers.extend(held);
        }
    }

    /// Takes back what is in force and no longer wanted.
    fn unmatch(&mut self, id: &PersonId, resolution: &Resolution) {
        let Some(record) = self.records.get(id) else {
            return;
        };
        let Some(applied) = &record.applied else {
            return;
        };
        let unmatched = record.is_taken_back();
        let keeps: Option<&[EmployeeId]> = match resolution {
            Resolution::Matched(employees) => Some(employees),
            Resolution::Waits(Blocker::ReassignedByDecision { employee, .. })
                if self.passes_on(id, employee) =>
            {
                Some(&[])
            }
            _ if unmatched => Some(&[]),
            // Nothing new is written for them, but whom a corrected decision no longer names is let go.
            Resolution::OutOfScope(_) if record.decision == Decision::Match => Some(&record.employee_ids),
            // All of them, until another person's match is in force.
            _ => None,
        };
        let kept = |employee: &EmployeeId| {
            !self.passes_on(id, employee) && keeps.is_none_or(|keeps| keeps.contains(employee))
        };
        // Fields of an employee who is linked no longer are a restore that is still due.
        let without_employees: BTreeSet<EmployeeId> = applied
            .employee_ids
            .iter()
            .chain(applied.fields.iter().map(|field| &field.employee_id))
            .map(|employee| EmployeeId::from(employee.as_str()))
            .filter(|employee| !kept(employee))
            .collect();
        if without_employees.is_empty() {
            return;
        }
        if self.spec.on_unmatch == OnUnmatch::Restore {
            for employee in &without_employees {
                // Whoever got the employee gives back what is not theirs in their own update.
                if self.passes_on(id, employee) {
                    continue;
                }
                if let Some(now) = self.snapshot.employees().get(employee) {
                    let restore = self.restore(id, now, applied);
                    self.give_back(restore);
                }
            }
        }
        self.plan.unmatches.insert(id.clone(), without_employees);
    }

    /// Whether another person's match of the employee comes into force, or is.
    fn passes_on(&self, from: &PersonId, employee: &EmployeeId) -> bool {
        self.takers
            .get(employee)
            .is_some_and(|taker| *taker != from && !self.blockers.contains_key(*taker))
    }

    /// Adds a restore. After a crash two people's records may hold the before-images
    /// of one employee, who is written once all the same.
    fn give_back(&mut self, restore: Restore) {
        if !restore.is_due() {
            return;
        }
        let known = self
            .plan
            .restores
            .iter_mut()
            .find(|known| known.employee == restore.employee);
        let Some(known) = known else {
            self.plan.restores.push(restore);
            return;
        };
        known.name = known.name.take().or(restore.name);
        known.email = known.email.take().or(restore.email);
        known.team = known.team.take().or(restore.team);
        known.already.extend(restore.already);
        known.already.sort();
        known.already.dedup();
        known.left.extend(restore.left);
        let restored = known.restored();
        known.left.retain(|(field, _)| !restored.contains(field));
        known.left.sort();
        known.left.dedup();
    }

    fn restore(&self, id: &PersonId, employee: &Employee, applied: &Applied) -> Restore {
        let mut restore = Restore {
            person: id.clone(),
            employee: employee.id.clone(),
            name: None,
            email: None,
            team: None,
            already: Vec::new(),
            left: Vec::new(),
        };
        for field in applied
            .fields
            .iter()
            .filter(|field| field.employee_id == employee.id.as_str())
        {
            let text = |now: &str| match &field.before {
                _ if !is_ours(field, now) => Err(NotRestored::ChangedSince),
                None => Err(NotRestored::Unreadable),
                Some(before) => Ok(Replace {
                    from: Some(now.to_owned()),
                    to: before.clone(),
                    before: None,
                    ours: false,
                }),
            };
            let now = record::value(employee, field.field);
            let holds_it = now
                .zip(field.before.as_deref())
                .is_some_and(|(now, before)| record::is_same(field.field, now, before));
            if holds_it {
                restore.already.push(field.field);
                continue;
            }
            let outcome = match field.field {
                Field::Name => text(&employee.name).map(|name| restore.name = Some(name)),
                Field::Email => text(&employee.email).map(|email| restore.email = Some(email)),
                Field::Team => text(employee.team.as_str()).and_then(|team| {
                    let target = TeamTarget::Existing(team.to.as_str().into());
                    if !self.snapshot.teams().contains_key(&team.to.as_str().into()) {
                        return Err(NotRestored::NoLongerFree);
                    }
                    restore.team = Some(Replace {
                        from: Some(TeamTarget::Existing(employee.team.clone())),
                        to: target,
                        before: None,
                        ours: false,
                    });
                    Ok(())
                }),
                Field::Title => Err(NotRestored::Unreadable),
                // A deactivation that was cut short before it took effect leaves nothing to undo.
                Field::Active if !employee.deactivated => continue,
                Field::Active => Err(NotRestored::Irreversible),
            };
            if let Err(why) = outcome {
                restore.left.push((field.field, why));
            }
        }
        restore
    }

    fn create_teams(&mut self) {
        if !self.spec.teams.create_missing {
            return;
        }
        self.plan.teams = self
            .teams
            .values()
            .filter(|team| team.state == TeamState::New)
            .map(|team| NewTeam {
                group: team.group.clone(),
                name: team.name.clone(),
            })
            .collect();
    }
}

/// Who gets deactivated: the employees, still active, of a person whose record
/// says that they left. [`Departure`] can be had from such a record only.
fn leaver(evidence: &Departure, employees: &[&Employee]) -> Vec<Deactivation> {
    employees
        .iter()
        .filter(|employee| !employee.deactivated)
        .map(|employee| Deactivation {
            person: evidence.person().clone(),
            employee: employee.id.clone(),
            evidence: evidence.clone(),
        })
        .collect()
}
