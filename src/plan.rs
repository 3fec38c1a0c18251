//! What would change? Every outside write with its before-image, in one order,
//! and the hash over them.
//!
//! Who gets deactivated is decided here, in [`leaver`]: the employees of a
//! person whose record Okta was read to say has left, and nobody else.

mod emails;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    api::{
        Applied, AppliedField, Field, FieldChange, OktaIntegrationSpec, OnUnmatch, PlanSummary,
        SuspendedPolicy, TeamState,
    },
    applied,
    decisions::{Record, Records, Settled, Standing},
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
        // Strings, enums and ordered maps with string keys always serialise.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        let digest: String = Sha256::digest(canonical)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
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
mod tests {
    use super::*;
    use crate::{
        api::{Decision, Pending, PendingOperation},
        example::Example,
        snapshot::OktaStatus,
    };
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    /// Jane, who is in the team group Sales; her employee is in Default.
    fn jane() -> Example {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.employee("e1", "Jane Doe", "jane@acme.com");
        example
    }

    #[test]
    fn who_gets_deactivated() {
        use OktaStatus::*;
        for (status, suspended, already_off, expected) in [
            (Active, SuspendedPolicy::Keep, false, 0),
            (Staged, SuspendedPolicy::Keep, false, 0),
            (LockedOut, SuspendedPolicy::Deactivate, false, 0),
            (Other("RETIRED".into()), SuspendedPolicy::Deactivate, false, 0),
            (Suspended, SuspendedPolicy::Keep, false, 0),
            (Suspended, SuspendedPolicy::Deactivate, false, 1),
            (Deprovisioned, SuspendedPolicy::Keep, false, 1),
            (Deprovisioned, SuspendedPolicy::Keep, true, 0),
        ] {
            let mut example = jane();
            example.spec.okta.suspended = suspended;
            example.people[0].status = status.clone();
            example.employees[0].deactivated = already_off;
            let plan = example.assess().plan;
            assert_eq!(plan.deactivations.len(), expected, "{status} {suspended:?}");
            if expected == 1 {
                assert!(plan.updates.is_empty(), "a leaver's other fields are left alone");
            }
        }
    }

    #[test]
    fn nobody_is_deactivated_for_being_absent() {
        let mut example = jane();
        example.in_force("jane", "e1", &[]);
        example.people.clear();
        assert!(
            example.assess().plan.deactivations.is_empty(),
            "not in Okta's answer"
        );
        let mut example = jane();
        example.in_force("jane", "e1", &[]);
        example.groups.clear();
        let plan = example.assess().plan;
        assert!(
            plan.deactivations.is_empty() && plan.updates.is_empty() && plan.releases.is_empty(),
            "in no group"
        );
        example.people[0].status = OktaStatus::Deprovisioned;
        assert_eq!(
            example.assess().plan.deactivations.len(),
            1,
            "but a leaver's record counts without a group"
        );
    }

    #[test]
    fn one_write_holds_all_fields_of_an_employee_with_what_they_replace() {
        let mut example = jane();
        example.team("Sales");
        example.people[0].family_name = Some("Roe".into());
        example.matched("jane", &["e1"]);
        example.people[0].email = Some("jane.roe@acme.com".into());
        let plan = example.assess().plan;
        let [update] = plan.updates.as_slice() else {
            panic!("{plan:?}")
        };
        let text = |replace: &Option<Replace<String>>| replace.clone().map(|r| (r.from, r.to, r.before));
        let pair = |from: &str, to: &str| Some((Some(from.to_owned()), to.to_owned(), Some(from.to_owned())));
        assert_eq!(text(&update.name), pair("Jane Doe", "Jane Roe"));
        assert_eq!(text(&update.email), pair("jane@acme.com", "jane.roe@acme.com"));
        assert_eq!(
            text(&update.title),
            Some((None, "Engineer".to_owned(), None)),
            "a title cannot be read"
        );
        assert_eq!(
            update.team.as_ref().unwrap().to,
            TeamTarget::Existing("Sales".into())
        );
    }

    #[test]
    fn a_title_is_written_when_it_is_not_what_was_written_last() {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
        assert!(example.assess().plan.is_empty());
        example.people[0].title = Some("Manager".into());
        assert_eq!(
            example.assess().plan.updates[0]
                .title
                .as_ref()
                .unwrap()
                .from
                .as_deref(),
            Some("Engineer")
        );
        example.people[0].title = None;
        assert!(example.assess().plan.is_empty(), "no title in Okta says nothing");
    }

    #[test]
    fn the_before_image_is_of_the_time_before_the_first_write() {
        let mut example = jane();
        example.in_force("jane", "e1", &[(Field::Name, Some("J. Doe"), "Jane Doe")]);
        example.people[0].family_name = Some("Roe".into());
        let before = |example: &Example| example.assess().plan.updates[0].name.clone().unwrap().before;
        assert_eq!(before(&example).as_deref(), Some("J. Doe"));
        example.employees[0].name = "Janet".into();
        assert_eq!(
            before(&example).as_deref(),
            Some("Janet"),
            "somebody else's value is what we replace"
        );
    }

    #[test]
    fn a_match_taken_back_gives_back_what_still_holds() {
        let written = [
            (Field::Name, Some("J. Doe"), "Jane Doe"),
            (Field::Email, Some("j@old.com"), "jane@acme.com"),
            (Field::Title, None, "Engineer"),
            (Field::Team, Some("Default"), "Sales"),
        ];
        type TakeBack = fn(&mut Record);
        let taken_back: [(&str, TakeBack); 3] = [
            ("Ignore", |record| record.decision = Decision::Ignore),
            ("rejected", |record| {
                record.rejected.insert("e1".into());
            }),
            ("Create", |record| record.decision = Decision::Create),
        ];
        for (how, take_back) in taken_back {
            let mut example = jane();
            example.team("Sales");
            example.employees[0].team = "Sales".into();
            example.in_force("jane", "e1", &written);
            example.employees[0].email = "changed@acme.com".into();
            take_back(example.record("jane"));
            let plan = example.assess().plan;
            let [restore] = plan.restores.as_slice() else {
                panic!("{how}: {plan:?}")
            };
            assert_eq!(restore.name.as_ref().unwrap().to, "J. Doe", "{how}");
            assert_eq!(
                restore.team.as_ref().unwrap().to,
                TeamTarget::Existing("Default".into()),
                "{how}"
            );
            assert_eq!(restore.email, None, "{how}");
            let left = [
                (Field::Email, NotRestored::ChangedSince),
                (Field::Title, NotRestored::Unreadable),
            ];
            assert_eq!(restore.left, left, "{how}");
            assert_eq!(plan.releases.len(), 1, "{how}");
            example.spec.on_unmatch = OnUnmatch::Keep;
            let plan = example.assess().plan;
            assert!(plan.restores.is_empty() && plan.releases.len() == 1, "{how}");
        }
    }

    #[test]
    fn an_employee_who_changes_hands_keeps_the_first_before_image() {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.in_force(
            "jane",
            "e1",
            &[
                (Field::Name, Some("Somebody"), "Jane Doe"),
                (Field::Team, Some("Default"), "Sales"),
            ],
        );
        example.person("mary", "Mary", "Major", "Sales");
        example.matched("mary", &["e1"]);
        let plan = example.assess().plan;
        let [update] = plan.updates.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!(update.person, "mary".into());
        let name = update.name.as_ref().unwrap();
        assert_eq!(
            (name.from.as_deref(), name.to.as_str()),
            (Some("Jane Doe"), "Mary Major")
        );
        assert_eq!(name.before.as_deref(), Some("Somebody"));
        let inherited: Vec<Field> = plan.links[&"mary".into()]
            .inherited
            .iter()
            .map(|field| field.field)
            .collect();
        assert_eq!(
            inherited,
            [Field::Name, Field::Team],
            "also what Mary's match does not write"
        );
        assert!(
            plan.restores.is_empty(),
            "no write is undone that is overwritten in the same plan"
        );
        assert_eq!(plan.releases.keys().collect::<Vec<_>>(), [&"jane".into()]);
    }

    #[test]
    fn an_undo_that_was_cut_short_after_its_effect_is_not_taken_for_somebody_elses_change() {
        let mut example = jane();
        example.in_force(
            "jane",
            "e1",
            &[
                (Field::Name, Some("Jane Doe"), "Jane Roe"),
                (Field::Email, Some("old@acme.com"), "new@acme.com"),
                (Field::Active, Some("true"), "false"),
            ],
        );
        example.record("jane").decision = Decision::Ignore;
        let restore = example.assess().plan.restores.remove(0);
        assert_eq!(restore.already, [Field::Name]);
        assert_eq!(
            restore.left,
            [(Field::Email, NotRestored::ChangedSince)],
            "and the deactivation never was"
        );
        assert!(!restore.writes());
    }

    #[test]
    fn a_hand_over_that_was_cut_short_goes_on_whoever_of_the_two_comes_first() {
        for taker in ["abel", "mary"] {
            let mut example = jane();
            let given = (Field::Email, Some("old@acme.com"), "jane@acme.com");
            example.in_force("jane", "e1", &[given]);
            example.person(taker, "Jane", "Doe", "Sales").email = None;
            example.matched(taker, &["e1"]);
            let email = |example: &Example| {
                let update = example.assess().plan.updates.remove(0);
                assert_eq!(update.person, taker.into());
                update.email.map(|email| email.to)
            };
            assert_eq!(email(&example).as_deref(), Some("old@acme.com"));

            // On record, and the write never took effect; Jane's match is released or not.
            let inherited = example.assess().plan.links[&taker.into()].inherited.clone();
            example.in_force(taker, "e1", &[]);
            example.record(taker).applied.as_mut().unwrap().fields = inherited;
            assert_eq!(email(&example).as_deref(), Some("old@acme.com"), "{taker}");
            example.record("jane").applied = None;
            assert_eq!(email(&example).as_deref(), Some("old@acme.com"), "{taker}");
        }
    }

    #[test]
    fn an_employee_who_is_given_to_somebody_held_stays_where_they_are() {
        let mut example = jane();
        example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
        example.person("mary", "Mary", "Major", "Sales");
        example.person("mary", "Mary", "Major", "Support");
        example.matched("mary", &["e1"]);
        let assessment = example.assess();
        assert!(matches!(
            assessment.trouble(&"mary".into()),
            Some(Trouble::SeveralTeams { .. })
        ));
        assert!(
            assessment.plan.releases.is_empty() && assessment.plan.restores.is_empty(),
            "no before-image is lost"
        );
    }

    #[test]
    fn a_before_image_outlives_a_write_that_did_not_take_effect() {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.in_force(
            "jane",
            "e1",
            &[
                (Field::Name, Some("Somebody"), "Jane Roe"),
                (Field::Title, None, "Engineer"),
            ],
        );
        // The rename to Jane Roe is on record; the employee still has what the match wrote first.
        example.people[0].family_name = Some("Roe".into());
        example.record("jane").applied.as_mut().unwrap().fields[0].replaced = Some("Jane Doe".into());
        let name = example.assess().plan.updates[0].name.clone().unwrap();
        assert_eq!(name.before.as_deref(), Some("Somebody"));
        example.record("jane").decision = Decision::Ignore;
        let restore = example.assess().plan.restores[0].name.clone().unwrap();
        assert_eq!(
            (restore.from.as_deref(), restore.to.as_str()),
            (Some("Jane Doe"), "Somebody")
        );
        // One whose first write did not take effect has nothing to give back.
        example.employees[0].name = "Somebody".into();
        let left = &example.assess().plan.restores[0].left;
        assert_eq!(left, &[(Field::Title, NotRestored::Unreadable)]);
    }

    #[test]
    fn an_employee_who_comes_back_after_a_crash_comes_with_the_first_before_image() {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.employees[0].name = "Mary Major".into();
        example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
        // Mary's match overwrote Jane's, and is wanted no longer before Jane's was let go.
        example.in_force("mary", "e1", &[(Field::Name, Some("Somebody"), "Mary Major")]);
        example.record("mary").decision = Decision::Ignore;
        let plan = example.assess().plan;
        let name = plan.updates[0].name.clone().unwrap();
        assert_eq!(
            (name.to.as_str(), name.before.as_deref()),
            ("Jane Doe", Some("Somebody"))
        );
        assert_eq!(plan.links[&"jane".into()].inherited[0].after, "Mary Major");
        assert_eq!(plan.releases.keys().collect::<Vec<_>>(), [&"mary".into()]);
    }

    #[test]
    fn an_employee_on_two_records_is_given_back_once() {
        let mut example = jane();
        let written = [
            (Field::Name, Some("Somebody"), "Jane Doe"),
            (Field::Title, None, "Engineer"),
        ];
        for person in ["jane", "mary"] {
            example.in_force(person, "e1", &written);
            example.record(person).decision = Decision::Ignore;
        }
        let plan = example.assess().plan;
        let [restore] = plan.restores.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!(restore.given_back(), [Field::Name]);
        assert_eq!(restore.left, [(Field::Title, NotRestored::Unreadable)]);
        assert_eq!(plan.releases.len(), 2);
    }

    #[test]
    fn what_an_earlier_match_wrote_is_given_back_even_after_a_crash() {
        let mut example = jane();
        example.people[0].email = None;
        example.matched("jane", &["e1"]);
        let mary = [(Field::Email, Some("first@acme.com"), "jane@acme.com")];
        example.in_force("mary", "e1", &mary);
        let email = |example: &Example| example.assess().plan.updates[0].email.clone().unwrap();
        assert_eq!(email(&example).to, "first@acme.com");
        assert!(!email(&example).ours);
        // Jane's match is on record, Mary's is let go, and the write is still due.
        let inherited = example.assess().plan.links[&"jane".into()].inherited.clone();
        example.record("mary").applied = None;
        example.in_force("jane", "e1", &mary);
        example.record("jane").applied.as_mut().unwrap().fields = inherited;
        assert_eq!(email(&example).to, "first@acme.com");
    }

    #[test]
    fn the_email_moves_on_to_the_employee_who_is_named_first() {
        let mut example = jane();
        example.employee("e2", "Jane Doe", "second@acme.com");
        example.in_force(
            "jane",
            "e1",
            &[(Field::Email, Some("first@acme.com"), "jane@acme.com")],
        );
        example.matched("jane", &["e2", "e1"]);
        let updates = example.assess().plan.updates;
        let emails: Vec<(&str, &str)> = updates
            .iter()
            .map(|update| {
                (
                    update.employee.as_str(),
                    update.email.as_ref().unwrap().to.as_str(),
                )
            })
            .collect();
        assert_eq!(emails, [("e1", "first@acme.com"), ("e2", "jane@acme.com")]);
    }

    #[test]
    fn a_decision_that_cannot_be_followed_takes_nobody_s_employee() {
        let mut example = jane();
        example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
        example.person("mary", "Mary", "Major", "Sales");
        example.matched("mary", &["e1", "nobody"]);
        let plan = example.assess().plan;
        assert!(plan.releases.is_empty() && plan.restores.is_empty());
    }

    #[test]
    fn an_employee_in_another_s_hands_is_let_go_wherever_the_first_person_stands() {
        let mut example = jane();
        example.in_force("jane", "e1", &[(Field::Name, Some("Somebody"), "Jane Doe")]);
        example.groups.clear();
        example.person("mary", "Mary", "Major", "Sales");
        example.matched("mary", &["e1"]);
        let plan = example.assess().plan;
        assert_eq!(plan.releases.keys().collect::<Vec<_>>(), [&"jane".into()]);
        assert!(
            plan.restores.is_empty(),
            "Mary's match gives back what is to be given back"
        );
    }

    #[test]
    fn a_wrong_employee_who_holds_the_email_gives_it_back_to_make_room() {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].name = "Somebody".into();
        example.in_force(
            "jane",
            "e1",
            &[(Field::Email, Some("x@acme.com"), "jane@acme.com")],
        );
        example.employee("e2", "Jane Doe", "j@acme.com");
        example.matched("jane", &["e2"]);
        let assessment = example.assess();
        assert_eq!(
            assessment.trouble(&"jane".into()),
            Some(&Trouble::EmailTaken { by: "e1".into() })
        );
        assert_eq!(assessment.plan.restores[0].employee, "e1".into());
        example.employees[0].email = "x@acme.com".into();
        example.record("jane").applied = None;
        let plan = example.assess().plan;
        assert_eq!(plan.updates[0].email.as_ref().unwrap().to, "jane@acme.com");
    }

    #[test]
    fn emails_are_freed_before_they_are_given_and_swaps_are_held() {
        let mut example = Example::new();
        for (id, now, wanted) in [
            ("a", "b@acme.com", "a@acme.com"),
            ("b", "c@acme.com", "b@acme.com"),
        ] {
            example.person(id, id, "Chain", "Sales").email = Some(wanted.into());
            example.employee(&format!("e{id}"), &format!("{id} Chain"), now);
            example.matched(id, &[&format!("e{id}")]);
        }
        let order = |plan: &Plan| {
            plan.updates
                .iter()
                .map(|u| u.employee.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            order(&example.assess().plan),
            ["ea", "eb"],
            "b@ is free once a has left it"
        );

        example.employees[0].email = "b@acme.com".into();
        example.employees[1].email = "a@acme.com".into();
        let assessment = example.assess();
        assert!(assessment.plan.updates.is_empty(), "a swap has no order");
        for id in ["a", "b"] {
            assert!(
                matches!(assessment.trouble(&id.into()), Some(Trouble::EmailTaken { .. })),
                "{id}"
            );
        }

        example.employees[0].email = "x@acme.com".into();
        example.employees[1].email = "y@acme.com".into();
        example.people[0].email = Some("same@acme.com".into());
        example.people[1].email = Some("Same@acme.com".into());
        let assessment = example.assess();
        assert!(assessment.plan.updates.is_empty());
        assert_eq!(assessment.trouble(&"a".into()), Some(&Trouble::EmailWantedTwice));
    }

    #[test]
    fn an_email_whose_holder_is_held_is_not_free() {
        let mut example = Example::new();
        example.person("ann", "Ann", "Doe", "Sales").email = Some("new@acme.com".into());
        example.employee("e1", "Ann Doe", "ann@acme.com");
        example.employee("e2", "Ann Doe", "second@acme.com");
        // Her second employee is to give back an email that somebody has by now.
        example.in_force(
            "zoe",
            "e2",
            &[(Field::Email, Some("taken@acme.com"), "second@acme.com")],
        );
        example.employee("e3", "Somebody", "taken@acme.com");
        example.matched("ann", &["e1", "e2"]);
        example.person("bob", "Bob", "Roe", "Sales").email = Some("ann@acme.com".into());
        example.employee("e4", "Bob Roe", "bob@acme.com");
        example.matched("bob", &["e4"]);
        let assessment = example.assess();
        let taken = |by: &str| Trouble::EmailTaken { by: by.into() };
        assert_eq!(assessment.trouble(&"ann".into()), Some(&taken("e3")));
        assert_eq!(
            assessment.trouble(&"bob".into()),
            Some(&taken("e1")),
            "Ann keeps her email, so that Bob cannot have it"
        );
        assert!(assessment.plan.updates.is_empty());
    }

    #[test]
    fn emails_are_given_back_in_the_order_in_which_they_become_free() {
        let mut example = Example::new();
        for (person, employee, before, now) in [
            ("ann", "e1", "x@acme.com", "y@acme.com"),
            ("bob", "e2", "z@acme.com", "x@acme.com"),
        ] {
            example.person(person, person, "Doe", "Sales").email = Some(now.into());
            example.employee(employee, "Somebody", now);
            example.in_force(person, employee, &[(Field::Email, Some(before), now)]);
            example.record(person).decision = Decision::Ignore;
        }
        let restores = |example: &Example| {
            let restores = example.assess().plan.restores;
            let email = |restore: &Restore| restore.email.as_ref().map(|email| email.to.clone());
            restores
                .iter()
                .map(|restore| (restore.employee.to_string(), email(restore)))
                .collect::<Vec<_>>()
        };
        let back = |employee: &str, email: Option<&str>| (employee.to_owned(), email.map(str::to_owned));
        assert_eq!(
            restores(&example),
            [back("e2", Some("z@acme.com")), back("e1", Some("x@acme.com"))]
        );

        // Whoever is invited in the same plan comes first.
        example.person("eve", "Eve", "Roe", "Sales").email = Some("Z@acme.com".into());
        example.record("eve").decision = Decision::Create;
        assert_eq!(restores(&example), [back("e1", None), back("e2", None)]);
        let left = &example.assess().plan.restores[0].left;
        assert_eq!(left, &[(Field::Email, NotRestored::NoLongerFree)]);
    }

    #[test]
    fn who_can_be_invited() {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.record("jane").decision = Decision::Create;
        let plan = example.assess().plan;
        assert_eq!(plan.teams[0].name, "Sales");
        assert_eq!(plan.creations[0].team, TeamTarget::Created("g-Sales".into()));
        assert_eq!(plan.creations[0].settings, "Standard".into());

        let trouble = |change: fn(&mut Example)| {
            let mut example = Example::new();
            example.person("jane", "Jane", "Doe", "Sales");
            example.record("jane").decision = Decision::Create;
            change(&mut example);
            let assessment = example.assess();
            assert!(assessment.plan.creations.is_empty());
            assessment.trouble(&"jane".into()).map(Trouble::reason)
        };
        assert_eq!(trouble(|e| e.people[0].email = None), Some("NoEmail"));
        assert_eq!(
            trouble(|e| (e.people[0].given_name, e.people[0].family_name) = (None, None)),
            Some("NoName")
        );
        assert_eq!(
            trouble(|e| {
                e.employee("e9", "X", "Jane@Acme.com");
            }),
            Some("EmailTaken")
        );
        assert_eq!(
            trouble(|e| e.spec.teams.create_missing = false),
            Some("TeamNotCreated")
        );
        assert_eq!(
            trouble(|e| e.spec.insightful.new_employees.shared_settings = Some("Nope".into())),
            Some("SharedSettingsMissing")
        );
        assert_eq!(
            trouble(|e| e.people[0].status = OktaStatus::Deprovisioned),
            Some("LeftWithoutEmployee")
        );
    }

    #[test]
    fn a_creation_whose_answer_was_lost_is_found_by_its_email() {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        let record = example.record("jane");
        record.decision = Decision::Create;
        let since = Time(jiff::Timestamp::UNIX_EPOCH);
        record.pending = Some(Pending {
            operation: PendingOperation::CreateEmployee,
            since,
        });
        assert_eq!(example.assess().plan.creations.len(), 1, "it had no effect");
        example.employee("e1", "Jane Doe", "jane@acme.com");
        let plan = example.assess().plan;
        assert!(plan.creations.is_empty());
        assert_eq!(plan.links[&"jane".into()].employees, ["e1".into()]);
    }

    #[test]
    fn the_hash_covers_the_values_and_not_the_order_of_the_input() {
        let mut example = Example::new();
        for id in ["a", "b", "c"] {
            example.person(id, id, "Doe", "Sales");
            example.employee(&format!("e{id}"), &format!("{id} Doe"), &format!("{id}@acme.com"));
        }
        let plan = example.assess().plan;
        example.people.reverse();
        example.employees.reverse();
        example.groups.reverse();
        assert_eq!(example.assess().plan, plan);
        assert_eq!(example.assess().plan.hash(), plan.hash());
        assert!(plan.hash().starts_with("sha256:") && plan.hash().len() == 71);
        example.people[0].title = Some("Manager".into());
        assert_ne!(example.assess().plan.hash(), plan.hash());
    }

    #[test]
    fn the_plan_after_an_apply_is_empty() {
        let mut example = jane();
        example.team("Sales");
        example.employees[0].team = "Sales".into();
        example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
        assert!(example.assess().plan.is_empty());
        assert_eq!(example.assess().plan.summary().total, 0);
    }
}
