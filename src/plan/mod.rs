//! What would change? Every outside write with its before-image, in one order,
//! and the hash over them.
//!
//! Who gets deactivated is decided here, in [`leaver`]: the employees of a
//! person whose record Okta was read to say has left, and nobody else.

mod emails;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    api::{
        Applied, AppliedField, Field, FieldChange, OktaIntegrationSpec, OnUnmatch, PlanSummary,
        SuspendedPolicy, TeamState,
    },
    applied,
    decisions::{Record, Records, Settled, Standing},
    digest::sha256,
    snapshot::{Employee, EmployeeId, GroupId, Left, Person, PersonId, SettingsId, Snapshot, TeamId},
    teams::{DerivedTeams, TeamChoice},
    trouble::Trouble,
};

use emails::{Emails, Order};

/// Every write, in the order in which they are made, and the matches that come
/// into force or are taken back with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Teams that Insightful does not have.
    pub teams: Vec<NewTeam>,
    /// People who are invited.
    pub creations: Vec<Creation>,
    /// Employees who are overwritten, ordered so that an email is free before it is given.
    pub updates: Vec<Update>,
    /// Employees who get back what they held before their match.
    pub restores: Vec<Restore>,
    /// Employees who are switched off.
    pub deactivations: Vec<Deactivation>,
    /// Matches that come into force, or change their employees.
    pub links: BTreeMap<PersonId, Link>,
    /// Matches in force that are taken back, with the employees let go.
    pub releases: BTreeMap<PersonId, BTreeSet<EmployeeId>>,
}

/// A match that comes into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The person's employees, the one with the email first.
    pub employees: Vec<EmployeeId>,
    /// What an earlier match wrote to these employees and they still hold, with
    /// its before-image: the match that takes over must be able to undo it too.
    pub inherited: Vec<AppliedField>,
}

/// A team that is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewTeam {
    /// The group it stands for.
    pub group: GroupId,
    /// Its name.
    pub name: String,
}

/// Where an employee goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TeamTarget {
    /// A team that Insightful has.
    Existing(TeamId),
    /// The team that this plan creates for the group.
    Created(GroupId),
}

/// A person who is invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Creation {
    /// Who.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// Team.
    pub team: TeamTarget,
    /// Shared settings.
    pub settings: SettingsId,
    /// Title, set by a second write.
    pub title: Option<String>,
}

/// One field's value that is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replace<T> {
    /// What the field holds; None where that cannot be read.
    pub from: Option<T>,
    /// What it gets.
    pub to: T,
    /// What it held before the first of our writes: what an undo gives back.
    pub before: Option<T>,
    /// False where `to` is an undo: a field that an earlier match of the
    /// employee wrote, and this one does not.
    pub ours: bool,
}

/// An employee who is overwritten, by one PUT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    /// For whom.
    pub person: PersonId,
    /// Who.
    pub employee: EmployeeId,
    /// The name.
    pub name: Option<Replace<String>>,
    /// The email.
    pub email: Option<Replace<String>>,
    /// The title. `from` is what we wrote last: it cannot be read.
    pub title: Option<Replace<String>>,
    /// The team.
    pub team: Option<Replace<TeamTarget>>,
}

/// An employee who gets back what they held before their match, by one PUT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restore {
    /// Whose match is taken back.
    pub person: PersonId,
    /// Who.
    pub employee: EmployeeId,
    /// The name.
    pub name: Option<Replace<String>>,
    /// The email.
    pub email: Option<Replace<String>>,
    /// The team.
    pub team: Option<Replace<TeamTarget>>,
    /// Fields that hold their former value already: an undo that was cut short
    /// gave it back, or our write never took effect, or somebody else did it.
    pub already: Vec<Field>,
    /// Fields that are left as they are, and why.
    pub left: Vec<(Field, NotRestored)>,
}

/// Why a field is not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum NotRestored {
    /// Somebody changed it since we wrote it.
    ChangedSince,
    /// Insightful never shows it, so that what it held is not known.
    Unreadable,
    /// Insightful's API cannot reactivate.
    Irreversible,
    /// Another employee has the email by now, or the team is gone.
    NoLongerFree,
}

impl NotRestored {
    /// In words.
    pub fn message(self) -> &'static str {
        match self {
            Self::ChangedSince => "changed by somebody else since",
            Self::Unreadable => "cannot be read back",
            Self::Irreversible => "cannot be undone through the API",
            Self::NoLongerFree => "the former value is no longer free",
        }
    }
}

/// An employee who is switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deactivation {
    /// Who left.
    pub person: PersonId,
    /// Their employee.
    pub employee: EmployeeId,
    /// Okta's record that says so.
    #[serde(serialize_with = "status_word")]
    pub evidence: Left,
}

fn status_word<S: serde::Serializer>(left: &Left, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(left.status().as_str())
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everybody whose employee is written, or whose match changes.
    pub fn people(&self) -> BTreeSet<&PersonId> {
        let Self {
            teams: _,
            creations,
            updates,
            restores,
            deactivations,
            links,
            releases,
        } = self;
        creations
            .iter()
            .map(|creation| &creation.person)
            .chain(updates.iter().map(|update| &update.person))
            .chain(restores.iter().map(|restore| &restore.person))
            .chain(deactivations.iter().map(|deactivation| &deactivation.person))
            .chain(links.keys())
            .chain(releases.keys())
            .collect()
    }

    /// `sha256:` over the canonical JSON of every write, including the values
    /// it replaces. The same facts give the same hash.
    pub fn hash(&self) -> String {
        let digest: String = sha256(self).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digest}")
    }

    /// How many writes of each kind.
    pub fn summary(&self) -> PlanSummary {
        let Self {
            teams,
            creations,
            updates,
            restores,
            deactivations,
            links: _,
            releases,
        } = self;
        let restores = restores.iter().filter(|restore| restore.writes()).count();
        let titles = creations
            .iter()
            .filter(|creation| creation.title.is_some())
            .count();
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        PlanSummary {
            hash: self.hash(),
            total: count(
                teams.len() + creations.len() + titles + updates.len() + restores + deactivations.len(),
            ),
            create_teams: count(teams.len()),
            create_employees: count(creations.len()),
            updates: count(updates.len()),
            team_moves: count(updates.iter().filter(|update| update.team.is_some()).count()),
            email_changes: count(updates.iter().filter(|update| update.email.is_some()).count()),
            deactivations: count(deactivations.len()),
            relinks: count(releases.len()),
            restores: count(restores),
        }
    }

    /// What each person's employees would get, for people to read.
    pub fn changes(
        &self,
        snapshot: &Snapshot,
        teams: &DerivedTeams,
        settled: &BTreeMap<PersonId, Settled>,
    ) -> BTreeMap<PersonId, Vec<FieldChange>> {
        let mut changes: BTreeMap<PersonId, Vec<FieldChange>> = BTreeMap::new();
        let team_name = |target: &TeamTarget| target.name(snapshot, teams);
        let unless_first = |person: &PersonId, employee: &EmployeeId| {
            let first = match settled.get(person).map(|settled| &settled.standing) {
                Some(Standing::Linked(employees)) => employees.first(),
                _ => None,
            };
            (first != Some(employee)).then(|| employee.to_string())
        };
        for creation in &self.creations {
            let mut add = |field, to: Option<String>| {
                if to.is_some() {
                    let change = FieldChange {
                        employee_id: None,
                        field,
                        from: None,
                        to,
                    };
                    changes.entry(creation.person.clone()).or_default().push(change);
                }
            };
            add(Field::Name, Some(creation.name.clone()));
            add(Field::Email, Some(creation.email.clone()));
            add(Field::Title, creation.title.clone());
            add(Field::Team, Some(team_name(&creation.team)));
            add(Field::Active, Some("true".to_owned()));
        }
        let mut overwrite = |person: &PersonId,
                             employee_id: Option<String>,
                             name: &Option<Replace<String>>,
                             email: &Option<Replace<String>>,
                             title: &Option<Replace<String>>,
                             team: &Option<Replace<TeamTarget>>| {
            let text = |replace: &Replace<String>| (replace.from.clone(), replace.to.clone());
            let fields = [
                (Field::Name, name.as_ref().map(text)),
                (Field::Email, email.as_ref().map(text)),
                (Field::Title, title.as_ref().map(text)),
                (
                    Field::Team,
                    team.as_ref()
                        .map(|replace| (replace.from.as_ref().map(team_name), team_name(&replace.to))),
                ),
            ];
            for (field, (from, to)) in fields
                .into_iter()
                .filter_map(|(field, pair)| Some((field, pair?)))
            {
                let change = FieldChange {
                    employee_id: employee_id.clone(),
                    field,
                    from,
                    to: Some(to),
                };
                changes.entry(person.clone()).or_default().push(change);
            }
        };
        for Update {
            person,
            employee,
            name,
            email,
            title,
            team,
        } in &self.updates
        {
            overwrite(person, unless_first(person, employee), name, email, title, team);
        }
        for Restore {
            person,
            employee,
            name,
            email,
            team,
            already: _,
            left: _,
        } in &self.restores
        {
            overwrite(person, Some(employee.to_string()), name, email, &None, team);
        }
        for Deactivation {
            person,
            employee,
            evidence: _,
        } in &self.deactivations
        {
            let change = FieldChange {
                employee_id: unless_first(person, employee),
                field: Field::Active,
                from: Some("true".to_owned()),
                to: Some("false".to_owned()),
            };
            changes.entry(person.clone()).or_default().push(change);
        }
        changes
    }
}

impl Restore {
    /// The fields that are given back.
    pub fn given_back(&self) -> Vec<Field> {
        let fields = [
            (Field::Name, self.name.is_some()),
            (Field::Email, self.email.is_some()),
            (Field::Team, self.team.is_some()),
        ];
        fields
            .into_iter()
            .filter_map(|(field, is)| is.then_some(field))
            .collect()
    }

    /// What will be given back and what will not, for people to read.
    pub fn announcement(&self) -> String {
        let fields: Vec<String> = self.given_back().iter().map(ToString::to_string).collect();
        let mut parts = vec![if fields.is_empty() {
            format!("employee {} gets nothing back", self.employee)
        } else {
            format!("employee {} gets back {}", self.employee, fields.join(", "))
        }];
        parts.extend(
            self.already
                .iter()
                .map(|field| format!("{field} already holds what it did")),
        );
        parts.extend(
            self.left
                .iter()
                .map(|(field, why)| format!("{field} stays: {}", why.message())),
        );
        parts.join("; ")
    }

    /// Whether anything is given back at all.
    pub fn writes(&self) -> bool {
        !self.given_back().is_empty()
    }

    /// Whether there is anything to write, or to tell.
    fn is_due(&self) -> bool {
        self.writes() || !self.already.is_empty() || !self.left.is_empty()
    }
}

impl TeamTarget {
    /// What people call the team.
    pub fn name(&self, snapshot: &Snapshot, teams: &DerivedTeams) -> String {
        match self {
            Self::Existing(id) => snapshot
                .teams()
                .get(id)
                .map_or_else(|| id.to_string(), |team| team.name.clone()),
            Self::Created(group) => teams
                .get(group)
                .map_or_else(|| group.to_string(), |team| team.name.clone()),
        }
    }
}

/// Plans everything. Gives the plan, and the people who are left out of it
/// although they are linked or to be created, each with what stands in the way.
pub fn plan(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
    settled: &BTreeMap<PersonId, Settled>,
) -> (Plan, BTreeMap<PersonId, Trouble>) {
    let takers = takers(settled);
    let mut planner = Planner {
        snapshot,
        spec,
        teams,
        records,
        plan: Plan::default(),
        troubles: BTreeMap::new(),
        previous: previous(records, &takers),
        takers,
    };
    for (id, settled) in settled {
        let Some(person) = snapshot.people().get(id) else {
            continue;
        };
        let planned = match &settled.standing {
            Standing::Linked(employees) => planner.link(person, employees, &settled.team),
            Standing::Create => planner.create(person, &settled.team),
            Standing::Ignored | Standing::OutOfScope(_) | Standing::Waits(_) => Ok(()),
        };
        if let Err(trouble) = planned {
            planner.troubles.insert(id.clone(), trouble);
        }
    }
    let emails = planner.hold_or_order_emails();
    for (id, settled) in settled {
        planner.release(id, &settled.standing);
    }
    planner.plan.restores = emails::order_restores(emails, planner.plan.restores);
    planner.create_teams();
    let Planner { plan, troubles, .. } = planner;
    (plan, troubles)
}

/// Whose each employee is, of those who are somebody's.
fn takers(settled: &BTreeMap<PersonId, Settled>) -> BTreeMap<&EmployeeId, &PersonId> {
    settled
        .iter()
        .filter_map(|(id, settled)| match &settled.standing {
            Standing::Linked(employees) => Some(employees.iter().map(move |employee| (employee, id))),
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
    troubles: BTreeMap<PersonId, Trouble>,
    takers: BTreeMap<&'a EmployeeId, &'a PersonId>,
    /// See [`previous`].
    previous: BTreeMap<EmployeeId, Vec<&'a AppliedField>>,
}

impl Planner<'_> {
    /// A person who is linked: overwrite their employees, or switch them off.
    fn link(&mut self, person: &Person, employees: &[EmployeeId], team: &TeamChoice) -> Result<(), Trouble> {
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
            let written = Written::of(employee, own, self.previous(employee));
            written.inherited().collect::<Vec<_>>()
        });
        let inherited: Vec<AppliedField> = inherited.collect();
        if !inherited.is_empty() || record.is_none_or(|record| record.employees_in_force() != ids) {
            self.plan.links.insert(
                person.id.clone(),
                Link {
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
    fn target(&self, choice: &TeamChoice) -> Result<Option<TeamTarget>, Trouble> {
        match choice {
            TeamChoice::Keep => Ok(None),
            TeamChoice::Of(group) => {
                let existing = self.teams.get(group).and_then(|team| team.team.clone());
                Ok(Some(existing.map_or_else(
                    || TeamTarget::Created(group.clone()),
                    TeamTarget::Existing,
                )))
            }
            TeamChoice::Several(teams) => Err(Trouble::SeveralTeams { teams: teams.clone() }),
            TeamChoice::Conflict(teams) => Err(Trouble::TeamConflict { teams: teams.clone() }),
            TeamChoice::NotCreated(teams) => Err(Trouble::TeamNotCreated { teams: teams.clone() }),
        }
    }

    /// What is written to one employee of a person; None if nothing differs.
    fn update(
        &self,
        person: &Person,
        employee: &Employee,
        first: bool,
        team: Option<&TeamTarget>,
    ) -> Result<Option<Update>, Trouble> {
        if employee.deactivated {
            return if first {
                Err(Trouble::EmployeeDeactivated {
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
        let written = Written::of(employee, own, self.previous(employee));

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
    fn create(&mut self, person: &Person, team: &TeamChoice) -> Result<(), Trouble> {
        let email = person.email.clone().ok_or(Trouble::NoEmail)?;
        let name = person.full_name().ok_or(Trouble::NoName)?;
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
                .ok_or_else(|| Trouble::NewEmployeeTeamMissing {
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
            .ok_or_else(|| Trouble::SharedSettingsMissing {
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
            self.plan.links.retain(|person, _| !held.contains_key(person));
            self.troubles.extend(held);
        }
    }

    /// Takes back what is in force and no longer wanted.
    fn release(&mut self, id: &PersonId, standing: &Standing) {
        let Some(applied) = self.records.get(id).and_then(|record| record.applied.as_ref()) else {
            return;
        };
        let taken_back = self.records.get(id).is_some_and(Record::is_taken_back);
        let keeps: Option<&[EmployeeId]> = match standing {
            Standing::Linked(employees) => Some(employees),
            Standing::Waits(Trouble::GivenAway { employee, .. }) if self.passes_on(id, employee) => Some(&[]),
            _ if taken_back => Some(&[]),
            // All of them, until another person's match is in force.
            _ => None,
        };
        let kept = |employee: &EmployeeId| {
            !self.passes_on(id, employee) && keeps.is_none_or(|keeps| keeps.contains(employee))
        };
        // Fields of an employee who is linked no longer are a restore that is still due.
        let let_go: BTreeSet<EmployeeId> = applied
            .employee_ids
            .iter()
            .chain(applied.fields.iter().map(|field| &field.employee_id))
            .map(|employee| EmployeeId::from(employee.as_str()))
            .filter(|employee| !kept(employee))
            .collect();
        if let_go.is_empty() {
            return;
        }
        if self.spec.on_unmatch == OnUnmatch::Restore {
            for employee in &let_go {
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
        self.plan.releases.insert(id.clone(), let_go);
    }

    /// Whether another person's match of the employee comes into force, or is.
    fn passes_on(&self, from: &PersonId, employee: &EmployeeId) -> bool {
        self.takers
            .get(employee)
            .is_some_and(|taker| *taker != from && !self.troubles.contains_key(*taker))
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
        let given_back = known.given_back();
        known.left.retain(|(field, _)| !given_back.contains(field));
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
            let now = applied::value(employee, field.field);
            if now.is_some() && field.before.as_deref() == now {
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
/// says that they left. [`Left`] can be had from such a record only.
fn leaver(evidence: &Left, employees: &[&Employee]) -> Vec<Deactivation> {
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

/// Whether the employee still holds what was written. A title cannot be read,
/// and nothing else can tell.
fn holds(employee: &Employee, field: &AppliedField) -> bool {
    match field.field {
        Field::Name => is_ours(field, &employee.name),
        Field::Email => is_ours(field, &employee.email),
        Field::Team => is_ours(field, employee.team.as_str()),
        Field::Title => true,
        Field::Active => employee.deactivated,
    }
}

/// Whether what the field holds now was written by us: this write or, if it
/// did not take effect, the one before it.
fn is_ours(field: &AppliedField, now: &str) -> bool {
    field.after == now || field.replaced.as_deref() == Some(now)
}

/// What we wrote to an employee, and by which match.
struct Written<'a>(BTreeMap<Field, (&'a AppliedField, By)>);

/// Which match wrote a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The person's.
    This,
    /// An earlier one of the employee; it is on the person's record.
    Earlier,
    /// One that is on another person's record.
    Other,
}

/// What becomes of a field for which there is no wanted value that differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    /// It holds the wanted value.
    Stays,
    /// The person has no such value: what an earlier match wrote is given back.
    Unwanted,
    /// The email is another employee's of the person: what we wrote is given back.
    MovedOn,
}

impl<'a> Written<'a> {
    /// `previous`: what is on other people's records.
    fn of(employee: &Employee, own: Option<&'a Applied>, previous: &[&'a AppliedField]) -> Self {
        let own = own.into_iter().flat_map(|applied| &applied.fields);
        let own = own.filter(|field| field.employee_id == employee.id.as_str());
        let (standing, overwritten): (Vec<_>, Vec<_>) = own.partition(|field| holds(employee, field));
        let by = |field: &'a AppliedField| if field.inherited { By::Earlier } else { By::This };
        let own = |fields: Vec<&'a AppliedField>| {
            fields
                .into_iter()
                .map(move |field| (field.field, (field, by(field))))
        };
        let previous = previous
            .iter()
            .filter(|field| holds(employee, field))
            .map(|field| (field.field, (*field, By::Other)));
        // The last one counts: what the employee still holds, by this match first.
        Self(own(overwritten).chain(previous).chain(own(standing)).collect())
    }

    /// What is to go on the person's record, too.
    fn inherited(&self) -> impl Iterator<Item = AppliedField> {
        let others = self.0.values().filter(|(_, by)| *by == By::Other);
        others.map(|(field, _)| AppliedField {
            inherited: true,
            ..(*field).clone()
        })
    }

    fn field(&self, field: Field) -> Option<&'a AppliedField> {
        self.0.get(&field).map(|(written, _)| *written)
    }

    /// What the field held before our first write: what we recorded if it
    /// still holds what we wrote, else what it holds now.
    fn before(&self, field: Field, now: &str) -> String {
        self.field(field)
            .filter(|written| is_ours(written, now))
            .and_then(|written| written.before.clone())
            .unwrap_or_else(|| now.to_owned())
    }

    /// The value to give back to a field that this match does not write, and
    /// that still holds what we wrote: an earlier match, or this one while
    /// another of the person's employees took the email.
    fn give_back(&self, field: Field, now: &str, moved_on: bool) -> Option<String> {
        let (written, by) = self.0.get(&field)?;
        let due = (*by != By::This || moved_on) && is_ours(written, now);
        written.before.clone().filter(|before| due && before != now)
    }

    /// What is written to a text field: the wanted value or, where this person
    /// has none, what an earlier match of the employee is to give back.
    fn replace(
        &self,
        field: Field,
        now: &str,
        wanted: Option<String>,
        otherwise: Otherwise,
    ) -> Option<Replace<String>> {
        let from = Some(now.to_owned());
        match wanted {
            Some(to) => Some(Replace {
                before: Some(self.before(field, now)),
                from,
                to,
                ours: true,
            }),
            None if otherwise == Otherwise::Stays => None,
            None => {
                let to = self.give_back(field, now, otherwise == Otherwise::MovedOn)?;
                Some(Replace {
                    before: None,
                    from,
                    to,
                    ours: false,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
