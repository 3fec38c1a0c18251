//! Derives Insightful's teams from Okta's team groups, and decides which one team a person in
//! several groups gets.
//!
//! Names are compared as people read them: case, blanks and the form of letters make no other name.
//!
//! A record that cannot be read is there: a group that is bound keeps its team, whichever of the two cannot be read,
//! and no team is created that may be one of those whose name cannot be read.

mod ignored;

use std::collections::{BTreeMap, BTreeSet};

pub use self::ignored::ignored;
use crate::{
    api::{Pending, TeamPolicy, TeamState},
    model::{
        GroupId, PersonId, RecordKind, Snapshot, Team, TeamGroup, TeamId, Unreadable,
        text::{folded, is_same_text, written},
    },
};

/// The team of a group since an earlier apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub team: TeamId,
    /// Whether the operator created it.
    pub created: bool,
}

/// The teams of groups since earlier applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    pub bound: BTreeMap<GroupId, Binding>,
    /// Requests to create a group's team that had no response.
    pub pending: BTreeMap<GroupId, Pending>,
}

impl Bindings {
    fn state(&self, group: &GroupId, team: &TeamId) -> TeamState {
        match self.bound.get(group) {
            Some(binding) if binding.team == *team && binding.created => TeamState::Created,
            _ => TeamState::Existing,
        }
    }
}

/// The team of a team group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedTeam {
    pub group: GroupId,
    /// The group's name without the prefix; None if Okta's response lacks the group.
    pub group_name: Option<String>,
    /// The name in Insightful, or the one that a new team gets.
    pub name: String,
    /// None while the team is new or in conflict.
    pub team: Option<TeamId>,
    /// The team that the group is bound to, while it has none: in a conflict, or because Insightful's list lacks
    /// the team. A missing team is created again once a read by id shows that it is gone.
    pub lost: Option<TeamId>,
    pub state: TeamState,
    /// Whether Okta's response lacks the group.
    pub group_missing: bool,
    /// A request to create the team that had no response.
    pub pending: Option<Pending>,
    /// For `status.teams[].message`.
    pub note: Option<String>,
}

/// All derived teams, by group.
pub type DerivedTeams = BTreeMap<GroupId, DerivedTeam>;

/// By what right a group has its team. The first outranks the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    /// `spec.teams.bindings`.
    Policy,
    /// An earlier apply bound it or requested the team.
    Recorded,
    /// The team has the group's name.
    Name,
}

/// The team of one group, as if there were no other group.
struct Claim<'a> {
    group: &'a TeamGroup,
    right: Right,
    /// None is a new team; an error is a conflict, with what to do about it.
    team: Result<Option<&'a Team>, String>,
    state: TeamState,
    note: Option<String>,
}

/// Derives the team of each group.
///
/// `spec.teams.bindings` decides first. A group that is bound to an existing team keeps it, even if either is
/// renamed. Any other group gets the team that has its name without the prefix. In conflict are groups that mean
/// one team without `spec.teams.bindings` saying so, and a group whose name only looks like that of a team.
/// A missing group stays bound to its team, in case it reappears.
pub fn derive(snapshot: &Snapshot, prefix: &str, policy: &TeamPolicy, bindings: &Bindings) -> DerivedTeams {
    let unreadable = unreadable_teams(snapshot);
    let names = Names {
        snapshot,
        prefix,
        policy,
        bindings,
        unreadable: &unreadable,
    };
    let groups = snapshot.groups().values();
    let mut same_name: BTreeMap<String, Vec<&TeamGroup>> = BTreeMap::new();
    let by_name = |group: &&TeamGroup| {
        names.by_policy(group).is_empty() && snapshot.unreadable_group(&group.id).is_none()
    };
    for group in groups.clone().filter(by_name) {
        same_name.entry(folded(names.of(group))).or_default().push(group);
    }
    let mut claims: Vec<Claim<'_>> = groups.map(|group| names.claim(group, &same_name)).collect();
    names.resolve_shared(&mut claims);

    let mut derived: DerivedTeams = claims
        .iter()
        .map(|claim| (claim.group.id.clone(), names.derived(claim)))
        .collect();
    // A group whose team another group has now was deleted and created again, so it is dropped.
    let taken = claims.iter().filter(|claim| claim.right != Right::Recorded);
    let taken: BTreeSet<TeamId> = taken
        .filter_map(|claim| derived[&claim.group.id].team.clone())
        .collect();
    derived.extend(names.missing(&taken));
    derived
}

/// The teams whose record cannot be read, without what cannot be read of them.
fn unreadable_teams(snapshot: &Snapshot) -> BTreeMap<TeamId, Team> {
    let records = snapshot.unreadable_of(RecordKind::Team);
    let team = |record: &Unreadable| {
        let id = TeamId::from(record.id.as_deref()?);
        let team = Team {
            id: id.clone(),
            name: record.name.clone().unwrap_or_default(),
            default: false,
        };
        Some((id, team))
    };
    records.filter_map(team).collect()
}

/// The groups and teams by name, and what the policy and earlier applies say about them.
struct Names<'a> {
    snapshot: &'a Snapshot,
    prefix: &'a str,
    policy: &'a TeamPolicy,
    bindings: &'a Bindings,
    /// See [`unreadable_teams`].
    unreadable: &'a BTreeMap<TeamId, Team>,
}

impl<'a> Names<'a> {
    /// The team of this id, readable or not.
    fn team(&self, id: &TeamId) -> Option<&'a Team> {
        self.snapshot.teams().get(id).or_else(|| self.unreadable.get(id))
    }

    /// The record that cannot be read and may be of the team of this name: it is bound to no group.
    fn may_be(&self, name: &str) -> Option<&'a Unreadable> {
        let is_bound = |id: &str| {
            let mut bound = self.bindings.bound.values();
            bound.any(|binding| binding.team.as_str() == id)
        };
        let mut records = self.snapshot.unreadable_of(RecordKind::Team);
        records.find(|record| {
            let known = record.name.as_deref();
            known.is_none_or(|known| folded(known) == folded(name))
                && !record.id.as_deref().is_some_and(is_bound)
        })
    }

    /// No team, so that one of this name is created; a conflict if a record that cannot be read may be of it.
    fn new_team(&self, name: &str) -> Result<Option<&'a Team>, String> {
        match self.may_be(name) {
            None => Ok(None),
            Some(record) => Err(format!(
                "a record that cannot be read may be of this team ({record}), and no second one is created: correct the record in Insightful"
            )),
        }
    }

    /// The group's name without the prefix.
    fn of(&self, group: &'a TeamGroup) -> &'a str {
        group.name.strip_prefix(self.prefix).unwrap_or(&group.name).trim()
    }

    /// The teams that have exactly this name, else those whose names look the same.
    fn teams(&self, name: &str) -> (Vec<&'a Team>, Vec<&'a Team>) {
        let (name, key) = (written(name), folded(name));
        let teams = self.snapshot.teams().values();
        teams
            .filter(|team| folded(&team.name) == key)
            .partition(|team| team.name == name)
    }

    /// The teams that `spec.teams.bindings` gives a group.
    fn by_policy(&self, group: &'a TeamGroup) -> Vec<&'a str> {
        let names = [folded(&group.name), folded(self.of(group))];
        let bindings = self.policy.bindings.iter();
        let of_group = bindings.filter(|binding| names.contains(&folded(&binding.group)));
        of_group.map(|binding| binding.team.as_str()).collect()
    }

    fn claim(&self, group: &'a TeamGroup, same_name: &BTreeMap<String, Vec<&'a TeamGroup>>) -> Claim<'a> {
        let own = self.of(group);
        let unreadable = self.snapshot.unreadable_group(&group.id);
        let state = |team: &Team| self.bindings.state(&group.id, &team.id);
        let claim = |right, team: Result<Option<&'a Team>, String>| Claim {
            group,
            right,
            state: match &team {
                Ok(Some(team)) => state(team),
                Ok(None) => TeamState::New,
                Err(_) => TeamState::Conflict,
            },
            team,
            note: None,
        };
        let by_policy = self.by_policy(group);
        if let Some(name) = by_policy.first() {
            let team = match by_policy.len() {
                1 => self.named(name, own),
                several => Err(format!(
                    "spec.teams.bindings names this group {several} times: keep one entry"
                )),
            };
            return claim(Right::Policy, team);
        }
        if let Some(team) = self.recorded(&group.id).and_then(|id| self.team(id)) {
            if let Some(note) = self.bound_though_unreadable(unreadable, team) {
                return Claim {
                    note: Some(note),
                    ..claim(Right::Recorded, Ok(Some(team)))
                };
            }
            let renamed = format!(
                "the Okta group is called {own:?} and its team {:?}: one of them was renamed, and people stay in this team; to give both one name, rename either (Insightful's API cannot rename a team, but its web app can), or give the group another team in spec.teams.bindings",
                team.name
            );
            return Claim {
                note: (!is_same_text(own, &team.name)).then_some(renamed),
                ..claim(Right::Recorded, Ok(Some(team)))
            };
        }
        if let Some(team) = self.requested(&group.id) {
            return Claim {
                state: TeamState::Created,
                ..claim(Right::Recorded, Ok(Some(team)))
            };
        }
        let by_name = match unreadable {
            None => self.by_name(own, same_name),
            Some(record) => Err(format!(
                "the name of this Okta group cannot be read ({}), so that nobody knows which team it means: correct the group in Okta",
                record.problem
            )),
        };
        claim(Right::Name, by_name)
    }

    /// What keeps a group and its team, which are bound to each other, from being compared by name.
    fn bound_though_unreadable(&self, group: Option<&Unreadable>, team: &Team) -> Option<String> {
        let (whose, record, place) = match (group, self.unreadable.get(&team.id)) {
            (Some(record), _) => ("the Okta group", record, "Okta"),
            (None, Some(_)) => {
                let mut records = self.snapshot.unreadable_of(RecordKind::Team);
                let record = records.find(|record| record.id.as_deref() == Some(team.id.as_str()))?;
                ("the team", record, "Insightful")
            }
            (None, None) => return None,
        };
        Some(format!(
            "the record of {whose} cannot be read ({}): group and team stay bound to each other; correct the record in {place}",
            record.problem
        ))
    }

    fn recorded(&self, group: &GroupId) -> Option<&'a TeamId> {
        self.bindings.bound.get(group).map(|binding| &binding.team)
    }

    /// The team that a request without a response created: it has the name that was sent, whatever the group is
    /// called now.
    fn requested(&self, group: &GroupId) -> Option<&'a Team> {
        let name = self.bindings.pending.get(group)?.name.as_deref()?;
        let (exact, alike) = self.teams(name);
        let [team] = exact.iter().chain(&alike).collect::<Vec<_>>()[..] else {
            return None;
        };
        let is_bound = self
            .bindings
            .bound
            .values()
            .any(|binding| binding.team == team.id);
        (!is_bound).then_some(*team)
    }

    /// The team of a group to which `spec.teams.bindings` gives the team of this name.
    fn named(&self, name: &str, own: &str) -> Result<Option<&'a Team>, String> {
        let (exact, alike) = self.teams(name);
        match (exact.as_slice(), alike.as_slice()) {
            ([team], _) | ([], [team]) => Ok(Some(team)),
            ([], []) if folded(name) == folded(own) => self.new_team(name),
            ([], []) if let Some(record) = self.may_be(name) => Err(format!(
                "spec.teams.bindings gives this group the team {name:?}, and a record that cannot be read may be of it ({record}): correct the record in Insightful"
            )),
            ([], []) => Err(format!(
                "spec.teams.bindings gives this group the team {name:?}, which Insightful does not have: correct the entry, or create the team in Insightful"
            )),
            _ => Err(several_teams(&exact, &alike)),
        }
    }

    /// The team of a group by its own name.
    fn by_name(
        &self,
        own: &str,
        same_name: &BTreeMap<String, Vec<&TeamGroup>>,
    ) -> Result<Option<&'a Team>, String> {
        let groups = same_name.get(&folded(own)).map_or(&[][..], Vec::as_slice);
        let (exact, alike) = self.teams(own);
        match (exact.as_slice(), alike.as_slice()) {
            _ if written(own).is_empty() => {
                Err("the group's name is the prefix only: add a team name to it".to_owned())
            }
            _ if groups.len() > 1 => Err(one_team(groups)),
            ([team], _) => Ok(Some(team)),
            ([], []) => self.new_team(own),
            ([], [team]) => Err(format!(
                "Insightful's team {:?} differs from the group's name only in case, blanks or the form of letters, and no second one is created: name the group and this team in spec.teams.bindings, or rename either",
                team.name
            )),
            _ => Err(several_teams(&exact, &alike)),
        }
    }

    /// Groups that mean one team are in conflict, except one that has a better right than all others, and those
    /// that all share it by policy.
    fn resolve_shared(&self, claims: &mut [Claim<'a>]) {
        let mut by_team: BTreeMap<Result<&TeamId, String>, Vec<usize>> = BTreeMap::new();
        for (place, claim) in claims.iter().enumerate() {
            let key = match &claim.team {
                Ok(Some(team)) => Ok(&team.id),
                Ok(None) => Err(folded(self.of(claim.group))),
                Err(_) => continue,
            };
            by_team.entry(key).or_default().push(place);
        }
        for (team, places) in by_team.into_iter().filter(|(_, places)| places.len() > 1) {
            let groups: Vec<&TeamGroup> = places.iter().map(|place| claims[*place].group).collect();
            let best = places.iter().map(|place| claims[*place].right).min();
            let (holders, others): (Vec<usize>, Vec<usize>) = places
                .iter()
                .partition(|place| Some(claims[**place].right) == best);
            let shares = best == Some(Right::Policy);
            let keep = match (shares, team.is_ok()) {
                (true, true) => holders.len(),
                // Once the first group has the new team, the others get it, too.
                (true, false) => 1,
                (false, _) => usize::from(holders.len() == 1),
            };
            let (kept, waiting) = holders.split_at(keep);
            let first = kept.first().map(|place| shown(claims[*place].group));
            for place in waiting.iter().chain(&others) {
                let claim = &mut claims[*place];
                claim.state = TeamState::Conflict;
                claim.team = Err(if shares && claim.right == Right::Policy {
                    let first = first.as_deref().unwrap_or_default();
                    format!("the team is created for the Okta group {first} first")
                } else {
                    one_team(&groups)
                });
            }
            for place in kept.iter().filter(|_| !others.is_empty()) {
                claims[*place].note = Some(one_team(&groups));
            }
        }
    }

    fn derived(&self, claim: &Claim<'a>) -> DerivedTeam {
        let Claim {
            group,
            right: _,
            team,
            state,
            note,
        } = claim;
        let own = written(self.of(group));
        let found = team.as_ref().ok().copied().flatten();
        let pending = self.bindings.pending.get(&group.id).filter(|_| found.is_none());
        let lost = self.recorded(&group.id).filter(|recorded| match team {
            Ok(Some(_)) => false,
            Ok(None) => self.team(recorded).is_none(),
            Err(_) => true,
        });
        let note = match (team, pending, lost) {
            (Err(conflict), ..) => Some(conflict.clone()),
            (Ok(None), Some(pending), _) => Some(format!(
                "no response to the request of {:.0} to create it: it can take effect until {:.0}, and is repeated only after that",
                pending.since.0, pending.until.0
            )),
            (Ok(None), None, Some(lost)) => Some(format!("its team {lost} is not in Insightful's list")),
            _ => note.clone(),
        };
        DerivedTeam {
            group: group.id.clone(),
            name: match found {
                Some(team) if !team.name.is_empty() => written(&team.name),
                _ => own.clone(),
            },
            group_name: Some(own),
            team: found.map(|team| team.id.clone()),
            lost: lost.cloned(),
            state: *state,
            group_missing: false,
            pending: pending.cloned(),
            note,
        }
    }

    /// The teams of bound groups that the snapshot lacks.
    fn missing(&self, taken: &BTreeSet<TeamId>) -> DerivedTeams {
        let bound = self.bindings.bound.iter();
        bound
            .filter(|(group, _)| !self.snapshot.groups().contains_key(*group))
            .filter_map(|(group, binding)| Some((group, self.team(&binding.team)?)))
            .filter(|(_, team)| !taken.contains(&team.id))
            .map(|(group, team)| {
                let note = "Okta's last response lacks the group: the team stays bound to it, and nobody is moved out of the team";
                let derived = DerivedTeam {
                    group: group.clone(),
                    group_name: None,
                    name: written(&team.name),
                    team: Some(team.id.clone()),
                    lost: None,
                    state: self.bindings.state(group, &team.id),
                    group_missing: true,
                    pending: None,
                    note: Some(note.to_owned()),
                };
                (group.clone(), derived)
            })
            .collect()
    }
}

/// What `spec.teams` names and neither service has, for people.
pub fn unresolved(
    snapshot: &Snapshot,
    prefix: &str,
    policy: &TeamPolicy,
    teams: &DerivedTeams,
) -> Vec<String> {
    let has_group = |name: &str| {
        snapshot.groups().values().any(|group| {
            let own = group.name.strip_prefix(prefix).unwrap_or(&group.name);
            [folded(&group.name), folded(own)].contains(&folded(name))
        })
    };
    let precedence = Precedence::of(policy, teams);
    let precedence = precedence.unresolved.iter().map(|name| {
        format!("spec.teams.precedence names {name:?}, which is neither a team group nor the team of one")
    });
    let groups = policy
        .bindings
        .iter()
        .filter(|binding| !has_group(&binding.group));
    let groups = groups.map(|binding| {
        format!(
            "spec.teams.bindings names the group {:?}, which is not among Okta's team groups",
            binding.group
        )
    });
    let has_team = |name: &str| {
        teams.values().any(|team| folded(&team.name) == folded(name))
            || snapshot
                .teams()
                .values()
                .any(|team| folded(&team.name) == folded(name))
    };
    let missing = policy.bindings.iter().filter(|binding| !has_team(&binding.team));
    let missing = missing.map(|binding| {
        format!(
            "spec.teams.bindings names the team {:?}, which Insightful does not have",
            binding.team
        )
    });
    precedence.chain(groups).chain(missing).collect()
}

fn shown(group: &TeamGroup) -> String {
    format!("{} ({})", written(&group.name), group.id)
}

fn one_team(groups: &[&TeamGroup]) -> String {
    let groups: Vec<String> = groups.iter().map(|group| shown(group)).collect();
    format!(
        "the Okta groups {} mean one team: rename all but one of them, or let them share it by naming each with the team in spec.teams.bindings",
        groups.join(" and ")
    )
}

fn several_teams(exact: &[&Team], alike: &[&Team]) -> String {
    let (teams, are) = if exact.is_empty() {
        (alike, "differ only in case, blanks or the form of letters")
    } else {
        (exact, "have the same name")
    };
    let teams: Vec<String> = teams
        .iter()
        .map(|team| format!("{:?} ({})", team.name, team.id))
        .collect();
    format!(
        "Insightful's teams {} {are}: rename or merge all but one in Insightful, so that it is clear which one the group means",
        teams.join(" and ")
    )
}

/// The team that a person gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeamChoice {
    /// The person is in no team group: the employee stays in the present team.
    Keep,
    /// The team of this group.
    Of(GroupId),
    /// No rule decides between the teams with these names.
    Several(Vec<String>),
    /// All the person's teams, with these names, are in conflict.
    Conflict(Vec<String>),
    /// All the person's teams, with these names, are missing and must not be created.
    NotCreated(Vec<String>),
}

/// The teams that `spec.teams.precedence` names, by the group's name without the prefix or the team's.
struct Precedence<'a> {
    /// The place of each group's team.
    places: BTreeMap<&'a GroupId, usize>,
    /// Entries that name nothing.
    unresolved: Vec<&'a str>,
    /// The place of the first of them. A team that was renamed by hand may be meant.
    first_unresolved: usize,
}

impl<'a> Precedence<'a> {
    fn of(policy: &'a TeamPolicy, teams: &'a DerivedTeams) -> Self {
        let mut by_name: BTreeMap<String, BTreeSet<&GroupId>> = BTreeMap::new();
        for team in teams.values() {
            for name in team.group_name.iter().chain([&team.name]) {
                by_name.entry(folded(name)).or_default().insert(&team.group);
            }
        }
        let mut precedence = Self {
            places: BTreeMap::new(),
            unresolved: Vec::new(),
            first_unresolved: usize::MAX,
        };
        for (place, name) in policy.precedence.iter().enumerate() {
            match by_name.get(&folded(name)) {
                Some(groups) => {
                    for group in groups {
                        precedence.places.entry(group).or_insert(place);
                    }
                }
                None => {
                    precedence.unresolved.push(name);
                    precedence.first_unresolved = precedence.first_unresolved.min(place);
                }
            }
        }
        precedence
    }

    /// The teams that come first; empty if none is named.
    fn first<'t>(&self, teams: &[&'t DerivedTeam]) -> (usize, Vec<&'t DerivedTeam>) {
        let place = |team: &DerivedTeam| self.places.get(&team.group).copied();
        let Some(first) = teams.iter().filter_map(|team| place(team)).min() else {
            return (usize::MAX, Vec::new());
        };
        let named = teams.iter().copied().filter(|team| place(team) == Some(first));
        (first, named.collect())
    }
}

/// Decides which team a person gets.
pub struct TeamRule<'a> {
    teams: &'a DerivedTeams,
    create_missing: bool,
    precedence: Precedence<'a>,
    groups: BTreeMap<&'a PersonId, BTreeSet<&'a GroupId>>,
    missing: BTreeMap<&'a TeamId, &'a DerivedTeam>,
}

impl<'a> TeamRule<'a> {
    pub fn new(snapshot: &'a Snapshot, teams: &'a DerivedTeams, policy: &'a TeamPolicy) -> Self {
        let mut groups: BTreeMap<&PersonId, BTreeSet<&GroupId>> = BTreeMap::new();
        for group in snapshot.groups().values() {
            for member in &group.members {
                groups.entry(member).or_default().insert(&group.id);
            }
        }
        Self {
            teams,
            create_missing: policy.create_missing,
            precedence: Precedence::of(policy, teams),
            groups,
            missing: teams_of_unknown_members(snapshot, teams),
        }
    }

    pub fn is_in_team_group(&self, person: &PersonId) -> bool {
        self.groups.contains_key(person)
    }

    /// Returns the team of a person whose employee is in the team `present`: the only team of their
    /// groups, else the first by `precedence`, else the present team if it is among them. Otherwise
    /// an admin has to decide.
    pub fn choose(&self, person: &PersonId, present: Option<&TeamId>) -> TeamChoice {
        // A missing group moves nobody, nor does one with a member whose id cannot be read: people in its team count as
        // members.
        let missing = present.and_then(|team| self.missing.get(team)).copied();
        let all: Vec<&DerivedTeam> = self
            .groups
            .get(person)
            .into_iter()
            .flatten()
            .filter_map(|group| self.teams.get(*group))
            .chain(missing)
            .collect();
        let Some(first) = all.first() else {
            return TeamChoice::Keep;
        };
        let mut usable = all.clone();
        usable.retain(|team| team.state != TeamState::Conflict);
        if usable.is_empty() {
            return TeamChoice::Conflict(names(&all));
        }
        let unique = usable.clone();
        usable.retain(|team| self.create_missing || team.team.is_some());
        if usable.is_empty() {
            return TeamChoice::NotCreated(names(&unique));
        }
        // A team that cannot be used still counts: leaving it out would decide between the two. Groups that share
        // a team count as one.
        if all.len() == 1 || (first.team.is_some() && all.iter().all(|team| team.team == first.team)) {
            return TeamChoice::Of(first.group.clone());
        }
        let is_present = |team: &&DerivedTeam| team.team.is_some() && team.team.as_ref() == present;
        let present = usable.iter().copied().find(is_present);
        let (place, named) = self.precedence.first(&usable);
        let first = match named.as_slice() {
            [only] => Some(*only),
            several => several.iter().copied().find(is_present),
        };
        // What an entry that names nothing was about is unknown: it moves nobody out of the present team.
        let first = first.filter(|_| present.is_none() || place < self.precedence.first_unresolved);
        match first.or(present) {
            Some(team) => TeamChoice::Of(team.group.clone()),
            None => TeamChoice::Several(names(&all)),
        }
    }
}

/// Returns the teams whose people may be members although Okta's answer does not show it: of missing groups, and of
/// groups with a member whose id cannot be read.
fn teams_of_unknown_members<'a>(
    snapshot: &Snapshot,
    teams: &'a DerivedTeams,
) -> BTreeMap<&'a TeamId, &'a DerivedTeam> {
    let mut unknown = teams_without_group(teams);
    let members = snapshot.unreadable_of(RecordKind::Member);
    let groups = members.filter_map(|member| teams.get(member.group.as_ref()?));
    unknown.extend(groups.filter_map(|team| Some((team.team.as_ref()?, team))));
    unknown
}

/// Returns the teams all of whose groups are missing.
fn teams_without_group(teams: &DerivedTeams) -> BTreeMap<&TeamId, &DerivedTeam> {
    let (missing, present): (Vec<_>, Vec<_>) = teams
        .values()
        .filter_map(|team| Some((team.team.as_ref()?, team)))
        .partition(|(_, team)| team.group_missing);
    let mut without_group: BTreeMap<&TeamId, &DerivedTeam> = missing.into_iter().collect();
    for (id, _) in present {
        without_group.remove(id);
    }
    without_group
}

fn names(teams: &[&DerivedTeam]) -> Vec<String> {
    let names: BTreeSet<&String> = teams.iter().map(|team| &team.name).collect();
    names.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests;
