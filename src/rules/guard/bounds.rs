//! The kinds of writes that `spec.guard` bounds. A new bound is a variant of [`Bound`] and a line in each of its
//! tables.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::{
    api::{Field, GuardPolicy, GuardedWrites},
    model::PersonId,
    rules::plan::{NewTeam, Plan},
};

/// A kind of write whose number `spec.guard` bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Deactivations,
    TeamMoves,
    EmailChanges,
    /// Matches that are unmatched.
    Relinks,
    /// Beyond case, blanks and order.
    NameChanges,
    /// Of titles that the operator wrote before.
    TitleChanges,
    /// Without a decision.
    Invitations,
    NewTeams,
}

impl Bound {
    pub const ALL: [Self; 8] = [
        Self::Deactivations,
        Self::TeamMoves,
        Self::EmailChanges,
        Self::Relinks,
        Self::NameChanges,
        Self::TitleChanges,
        Self::Invitations,
        Self::NewTeams,
    ];

    /// The people whom the bounded writes concern, once for each write.
    pub fn people(self, plan: &Plan) -> Vec<&PersonId> {
        let updates_of = |field| plan.updates_of(field).map(|write| &write.person).collect();
        match self {
            Self::Deactivations => plan.deactivations.iter().map(|write| &write.person).collect(),
            Self::TeamMoves => updates_of(Field::Team),
            Self::EmailChanges => updates_of(Field::Email),
            Self::Relinks => plan.unmatches.keys().collect(),
            Self::NameChanges => plan.name_changes().map(|write| &write.person).collect(),
            Self::TitleChanges => plan.title_changes().map(|write| &write.person).collect(),
            Self::Invitations => plan.invitations().map(|write| &write.person).collect(),
            Self::NewTeams => Vec::new(),
        }
    }

    pub(super) fn allowed(self, guard: &GuardPolicy) -> &IntOrString {
        match self {
            Self::Deactivations => &guard.max_deactivations,
            Self::TeamMoves => &guard.max_team_moves,
            Self::EmailChanges => &guard.max_email_changes,
            Self::Relinks => &guard.max_relinks,
            Self::NameChanges => &guard.max_name_changes,
            Self::TitleChanges => &guard.max_title_changes,
            Self::Invitations => &guard.max_invitations,
            Self::NewTeams => &guard.max_new_teams,
        }
    }

    /// The reason for the condition, the field of `spec.guard`, and the bounded write in singular and plural.
    pub(super) fn words(self) -> [&'static str; 4] {
        match self {
            Self::Deactivations => [
                "TooManyDeactivations",
                "maxDeactivations",
                "deactivation",
                "deactivations",
            ],
            Self::TeamMoves => ["TooManyTeamMoves", "maxTeamMoves", "team move", "team moves"],
            Self::EmailChanges => [
                "TooManyEmailChanges",
                "maxEmailChanges",
                "email change",
                "email changes",
            ],
            Self::Relinks => ["TooManyRelinks", "maxRelinks", "unmatch", "unmatches"],
            Self::NameChanges => [
                "TooManyNameChanges",
                "maxNameChanges",
                "name change",
                "name changes",
            ],
            Self::TitleChanges => [
                "TooManyTitleChanges",
                "maxTitleChanges",
                "title change",
                "title changes",
            ],
            Self::Invitations => [
                "TooManyInvitations",
                "maxInvitations",
                "automatic invitation",
                "automatic invitations",
            ],
            Self::NewTeams => ["TooManyNewTeams", "maxNewTeams", "new team", "new teams"],
        }
    }

    fn count(self, writes: &mut GuardedWrites) -> &mut i32 {
        match self {
            Self::Deactivations => &mut writes.deactivations,
            Self::TeamMoves => &mut writes.team_moves,
            Self::EmailChanges => &mut writes.email_changes,
            Self::Relinks => &mut writes.relinks,
            Self::NameChanges => &mut writes.name_changes,
            Self::TitleChanges => &mut writes.title_changes,
            Self::Invitations => &mut writes.invitations,
            Self::NewTeams => &mut writes.new_teams,
        }
    }
}

/// The number of writes in each bound.
impl GuardedWrites {
    /// The bounded writes of a plan: those of these people and teams.
    pub fn of(plan: &Plan, people: impl Fn(&PersonId) -> bool, teams: impl Fn(&NewTeam) -> bool) -> Self {
        let mut writes = Self::default();
        for bound in Bound::ALL {
            let count = bound
                .people(plan)
                .into_iter()
                .filter(|person| people(person))
                .count();
            *bound.count(&mut writes) = as_count(count);
        }
        writes.new_teams = as_count(plan.teams.iter().filter(|team| teams(team)).count());
        writes
    }

    /// All bounded writes of a plan.
    pub fn all_of(plan: &Plan) -> Self {
        Self::of(plan, |_| true, |_| true)
    }

    pub(super) fn get(mut self, bound: Bound) -> usize {
        usize::try_from(*bound.count(&mut self)).unwrap_or(0)
    }

    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn plus(self, other: Self) -> Self {
        self.merged(other, i32::saturating_add)
    }

    /// Never below zero.
    pub(super) fn minus(self, other: Self) -> Self {
        self.merged(other, |one, other| one.saturating_sub(other).max(0))
    }

    fn merged(mut self, mut other: Self, merge: fn(i32, i32) -> i32) -> Self {
        for bound in Bound::ALL {
            let count = bound.count(&mut self);
            *count = merge(*count, *bound.count(&mut other));
        }
        self
    }
}

pub(super) fn as_count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// The bound as a count; a percentage is of the active matched employees, rounded down.
pub(super) fn allowed(bound: &IntOrString, active: usize) -> usize {
    match bound {
        IntOrString::Int(count) => usize::try_from(*count).unwrap_or(0),
        IntOrString::String(text) => {
            let percent: usize = text.trim_end_matches('%').parse().unwrap_or(0);
            active * percent.min(100) / 100
        }
    }
}
