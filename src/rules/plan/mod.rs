//! What would change? Every outside write with its before-image, in one order,
//! and the hash over them. The [planner] makes it.

mod emails;
mod field_history;
mod planner;

pub use planner::plan;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    api::{AppliedField, Field, FieldChange, PlanSummary},
    model::{
        Departure, EmployeeId, GroupId, PersonId, SettingsId, Snapshot, TeamId,
        digest::{hex, sha256},
    },
    rules::{
        resolve::{Resolution, Resolved},
        teams::DerivedTeams,
    },
};

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
    pub matches: BTreeMap<PersonId, MatchInForce>,
    /// Matches in force that are taken back, with the employees let go.
    pub unmatches: BTreeMap<PersonId, BTreeSet<EmployeeId>>,
}

/// A match that comes into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchInForce {
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
    pub evidence: Departure,
}

fn status_word<S: serde::Serializer>(left: &Departure, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(left.status().as_str())
}

/// One step of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanStep {
    /// All matches that come into force, before anything is written.
    PutIntoForce(BTreeMap<PersonId, MatchInForce>),
    /// A new team.
    CreateTeam(NewTeam),
    /// An invitation.
    Create(Creation),
    /// An employee who is overwritten.
    Update(Update),
    /// An employee who gets something back.
    Restore(Restore),
    /// An employee who is switched off.
    Deactivate(Deactivation),
    /// A match that lets these employees go.
    Unmatch(PersonId, BTreeSet<EmployeeId>),
}

impl Plan {
    /// All of it, in the order in which it is done: teams before those who go
    /// there, and what cannot be taken back last. A match is let go only when its
    /// employee has got everything back.
    pub fn into_steps(self) -> impl Iterator<Item = PlanStep> {
        let Self {
            teams,
            creations,
            updates,
            restores,
            deactivations,
            matches,
            unmatches,
        } = self;
        let matches = (!matches.is_empty()).then_some(PlanStep::PutIntoForce(matches));
        let unmatches = unmatches
            .into_iter()
            .map(|(person, employees)| PlanStep::Unmatch(person, employees));
        matches
            .into_iter()
            .chain(teams.into_iter().map(PlanStep::CreateTeam))
            .chain(creations.into_iter().map(PlanStep::Create))
            .chain(updates.into_iter().map(PlanStep::Update))
            .chain(restores.into_iter().map(PlanStep::Restore))
            .chain(deactivations.into_iter().map(PlanStep::Deactivate))
            .chain(unmatches)
    }

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
            matches,
            unmatches,
        } = self;
        creations
            .iter()
            .map(|creation| &creation.person)
            .chain(updates.iter().map(|update| &update.person))
            .chain(restores.iter().map(|restore| &restore.person))
            .chain(deactivations.iter().map(|deactivation| &deactivation.person))
            .chain(matches.keys())
            .chain(unmatches.keys())
            .collect()
    }

    /// `sha256:` over the canonical JSON of every write, including the values
    /// it replaces. The same facts give the same hash.
    pub fn hash(&self) -> String {
        format!("sha256:{}", hex(&sha256(self)))
    }

    /// How many writes of each kind.
    pub fn summary(&self) -> PlanSummary {
        let Self {
            teams,
            creations,
            updates,
            restores,
            deactivations,
            matches: _,
            unmatches,
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
            relinks: count(unmatches.len()),
            restores: count(restores),
        }
    }

    /// What each person's employees would get, for people to read.
    pub fn changes(
        &self,
        snapshot: &Snapshot,
        teams: &DerivedTeams,
        resolved: &BTreeMap<PersonId, Resolved>,
    ) -> BTreeMap<PersonId, Vec<FieldChange>> {
        let mut changes: BTreeMap<PersonId, Vec<FieldChange>> = BTreeMap::new();
        let team_name = |target: &TeamTarget| target.name(snapshot, teams);
        let unless_first = |person: &PersonId, employee: &EmployeeId| {
            let first = match resolved.get(person).map(|resolved| &resolved.resolution) {
                Some(Resolution::Matched(employees)) => employees.first(),
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
    pub fn restored(&self) -> Vec<Field> {
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
        let fields: Vec<String> = self.restored().iter().map(ToString::to_string).collect();
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
        !self.restored().is_empty()
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

#[cfg(test)]
mod tests;
