//! What would change? Every write to Insightful with the value it replaces, in one order, and the hash over
//! them.
//!
//! [`plan()`] makes the plan; [`unmatch`] is the part of it that undoes; [`changes`](Plan::changes) shows it.

mod changes;
mod emails;
mod facts;
mod field_history;
pub mod fields;
mod omission;
mod planner;
pub mod unmatch;

pub use field_history::is_ours;
pub use fields::{FieldWrites, NewValue, Replace};
pub use omission::Omission;
pub use planner::{Planned, plan};
pub use unmatch::{NotRestored, Restore, RestoreWrite};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    api::{AppliedField, Field, PlanSummary},
    model::{
        Departure, EmployeeId, GroupId, PersonId, SettingsId, Snapshot, TeamId,
        digest::{hex, sha256},
        text::is_same_name_loosely,
    },
    rules::teams::DerivedTeams,
};

/// Every write, in the order in which they are made, and the matches that come into force or end with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Teams that Insightful does not have.
    pub teams: Vec<NewTeam>,
    pub creations: Vec<Creation>,
    /// Ordered so that an email is free before it is given.
    pub updates: Vec<Update>,
    pub restores: Vec<Restore>,
    pub deactivations: Vec<Deactivation>,
    /// Matches that come into force, or change their employees.
    pub matches: BTreeMap<PersonId, MatchInForce>,
    /// Matches that end, with the employees that leave them.
    pub unmatches: BTreeMap<PersonId, BTreeSet<EmployeeId>>,
    /// The hash of the last plan, which is spent: the same writes once more are another plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A match that comes into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchInForce {
    /// The person's employees, the one with the email first.
    pub employees: Vec<EmployeeId>,
    /// The fields that an earlier match wrote to these employees and that still hold its values, with their
    /// before-images: unmatching the new match must be able to restore them too.
    pub inherited: Vec<AppliedField>,
}

/// A team that is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewTeam {
    pub group: GroupId,
    pub name: String,
}

/// The team that an employee is put into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TeamTarget {
    Existing(TeamId),
    /// The team that this plan creates for the group.
    Created(GroupId),
}

/// A person who is invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Creation {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub team: TeamTarget,
    pub settings: SettingsId,
    /// Set by a second write.
    pub title: Option<String>,
    /// What the choice of the team and the settings leaves open, for people.
    #[serde(skip)]
    pub doubts: Vec<String>,
    /// Whether nobody decided it: the policy invites people without a plausible employee.
    pub automatic: bool,
}

/// An employee that is overwritten, by one PUT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    pub person: PersonId,
    pub employee: EmployeeId,
    pub fields: FieldWrites,
}

/// An employee that is deactivated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deactivation {
    /// The person who departed.
    pub person: PersonId,
    pub employee: EmployeeId,
    /// Okta's record that says so, or the decision.
    #[serde(serialize_with = "evidence")]
    pub evidence: Departure,
}

fn evidence<S: serde::Serializer>(departure: &Departure, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(departure.evidence())
}

/// One step of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanStep {
    /// All matches that come into force, before anything is written.
    PutIntoForce(BTreeMap<PersonId, MatchInForce>),
    CreateTeam(NewTeam),
    Create(Creation),
    Update(Update),
    Restore(Restore),
    Deactivate(Deactivation),
    /// The match of the person ends for these employees.
    Unmatch(PersonId, BTreeSet<EmployeeId>),
}

impl Plan {
    /// All steps in the order in which they are made: a team before those who are put into it, what cannot be
    /// undone after all other writes. A match ends only when its employees are restored.
    pub fn into_steps(self) -> impl Iterator<Item = PlanStep> {
        let Self {
            teams,
            creations,
            updates,
            restores,
            deactivations,
            matches,
            unmatches,
            after: _,
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
        self.teams.is_empty() && self.people().is_empty()
    }

    /// The people whose employees are written or whose matches change.
    pub fn people(&self) -> BTreeSet<&PersonId> {
        let Self {
            teams: _,
            creations,
            updates,
            restores,
            deactivations,
            matches,
            unmatches,
            after: _,
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

    /// The updates that write a field.
    pub fn updates_of(&self, field: Field) -> impl Iterator<Item = &Update> {
        self.updates
            .iter()
            .filter(move |update| update.fields.contains_key(&field))
    }

    /// The updates that change a name beyond case, blanks and the order of its words.
    pub fn name_changes(&self) -> impl Iterator<Item = &Update> {
        self.updates_of(Field::Name)
            .filter(|update| match &update.fields[&Field::Name] {
                Replace {
                    from: Some(from), to, ..
                } => !to.as_text().is_some_and(|to| is_same_name_loosely(from, to)),
                Replace { from: None, .. } => false,
            })
    }

    /// The updates that replace a title that the operator wrote. No other title can be read.
    pub fn title_changes(&self) -> impl Iterator<Item = &Update> {
        self.updates_of(Field::Title)
            .filter(|update| update.fields[&Field::Title].from.is_some())
    }

    /// The invitations that nobody decided.
    pub fn invitations(&self) -> impl Iterator<Item = &Creation> {
        self.creations.iter().filter(|creation| creation.automatic)
    }

    /// `sha256:` over the JSON of every write, including the values it replaces, and over the hash of the plan before.
    /// The same facts give the same hash.
    pub fn hash(&self) -> String {
        format!("sha256:{}", hex(&sha256(self)))
    }

    /// The number of writes of each kind.
    pub fn summary(&self) -> PlanSummary {
        let Self {
            teams,
            creations,
            updates,
            restores,
            deactivations,
            matches: _,
            unmatches,
            after: _,
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
            team_moves: count(self.updates_of(Field::Team).count()),
            email_changes: count(self.updates_of(Field::Email).count()),
            name_changes: count(self.name_changes().count()),
            title_changes: count(self.title_changes().count()),
            invitations: count(self.invitations().count()),
            deactivations: count(deactivations.len()),
            relinks: count(unmatches.len()),
            restores: count(restores),
        }
    }
}

impl Update {
    /// The write of the title of an employee who was just invited: an invitation takes none.
    pub fn of_title(person: PersonId, employee: EmployeeId, title: String) -> Self {
        let replace = Replace {
            from: None,
            to: NewValue::Text(title),
            before: None,
            restores: false,
        };
        Self {
            person,
            employee,
            fields: [(Field::Title, replace)].into(),
        }
    }
}

impl TeamTarget {
    /// The name of the team; its id if no name is known.
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
