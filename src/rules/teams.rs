//! Derives Insightful's teams from Okta's team groups, and decides which one team a person in
//! several groups gets.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{TeamPolicy, TeamState},
    model::{GroupId, PersonId, Snapshot, Team, TeamGroup, TeamId},
};

/// The team of a group since an earlier apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub team: TeamId,
    /// Whether the operator created it.
    pub created: bool,
}

impl Binding {
    fn state(&self) -> TeamState {
        if self.created {
            TeamState::Created
        } else {
            TeamState::Existing
        }
    }
}

/// The teams of groups since earlier applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    pub bound: BTreeMap<GroupId, Binding>,
    /// Groups whose team may have been created by a request without a response.
    pub pending: BTreeSet<GroupId>,
}

/// The team of a team group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedTeam {
    pub group: GroupId,
    /// The name in Insightful for a bound team, else the group's name without the prefix.
    pub name: String,
    /// None while the team is new or in conflict.
    pub team: Option<TeamId>,
    /// The team that the group is bound to, while Insightful's list lacks it and has no other
    /// team of the name. It is created again once a read by id shows that it is gone.
    pub lost: Option<TeamId>,
    pub state: TeamState,
    /// Whether Okta's response lacks the group.
    pub group_missing: bool,
    /// For `status.teams[].message`.
    pub note: Option<String>,
}

/// All derived teams, by group.
pub type DerivedTeams = BTreeMap<GroupId, DerivedTeam>;

/// Derives the team of each group.
///
/// A group that is bound to an existing team keeps it, even if either is renamed. Any other group
/// gets the team that has its name without the prefix; if two groups or two teams have that name,
/// they are in conflict. A missing group stays bound to its team, in case it reappears.
pub fn derive(snapshot: &Snapshot, prefix: &str, bindings: &Bindings) -> DerivedTeams {
    let mut teams_by_name: BTreeMap<&str, Vec<&Team>> = BTreeMap::new();
    for team in snapshot.teams().values() {
        teams_by_name.entry(&team.name).or_default().push(team);
    }
    let bound: BTreeMap<&GroupId, (&Binding, &Team)> = bindings
        .bound
        .iter()
        .filter_map(|(group, binding)| Some((group, (binding, snapshot.teams().get(&binding.team)?))))
        .collect();
    let mut groups_by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for group in snapshot.groups().values() {
        *groups_by_name.entry(team_name(group, prefix)).or_default() += 1;
    }

    let mut derived: DerivedTeams = snapshot
        .groups()
        .values()
        .map(|group| {
            let name = team_name(group, prefix);
            let derived = match bound.get(&group.id) {
                Some((binding, team)) => bound_team(group, name, binding, team),
                None => {
                    let same_name = teams_by_name.get(name).map_or(&[][..], Vec::as_slice);
                    let is_pending = bindings.pending.contains(&group.id);
                    let mut team = unbound_team(group, name, groups_by_name[name], same_name, is_pending);
                    if team.state == TeamState::New
                        && let Some(binding) = bindings.bound.get(&group.id)
                    {
                        team.note = Some(format!("its team {} is not in Insightful's list", binding.team));
                        team.lost = Some(binding.team.clone());
                    }
                    team
                }
            };
            (group.id.clone(), derived)
        })
        .collect();
    let missing = missing(snapshot, &bound, &derived);
    derived.extend(missing);
    derived
}

/// Returns the teams of bound groups that the snapshot lacks. A group whose team another group gets
/// by name was deleted and created again, so it is dropped.
fn missing(
    snapshot: &Snapshot,
    bound: &BTreeMap<&GroupId, (&Binding, &Team)>,
    present: &DerivedTeams,
) -> DerivedTeams {
    let taken: BTreeSet<&TeamId> = present
        .values()
        .filter(|team| !bound.contains_key(&team.group))
        .filter_map(|team| team.team.as_ref())
        .collect();
    bound
        .iter()
        .filter(|(group, (_, team))| !snapshot.groups().contains_key(*group) && !taken.contains(&team.id))
        .map(|(group, (binding, team))| {
            let note = "Okta's last response lacks the group: the team stays bound to it, and nobody is moved out of the team";
            let derived = DerivedTeam {
                group: (*group).clone(),
                name: team.name.clone(),
                team: Some(team.id.clone()),
                lost: None,
                state: binding.state(),
                group_missing: true,
                note: Some(note.to_owned()),
            };
            ((*group).clone(), derived)
        })
        .collect()
}

fn team_name<'a>(group: &'a TeamGroup, prefix: &str) -> &'a str {
    group.name.strip_prefix(prefix).unwrap_or(&group.name).trim()
}

fn bound_team(group: &TeamGroup, group_name: &str, binding: &Binding, team: &Team) -> DerivedTeam {
    let renamed = group_name != team.name;
    DerivedTeam {
        group: group.id.clone(),
        name: team.name.clone(),
        team: Some(team.id.clone()),
        lost: None,
        state: binding.state(),
        group_missing: false,
        note: renamed.then(|| {
            format!(
                "the Okta group is now called {group_name:?}; Insightful's API cannot rename a team, do it in the web app"
            )
        }),
    }
}

/// `groups` is the number of groups with this name; `pending` whether a team of this name is the one
/// that the operator requested.
fn unbound_team(
    group: &TeamGroup,
    name: &str,
    groups: usize,
    same_name: &[&Team],
    pending: bool,
) -> DerivedTeam {
    let (state, team, note) = match same_name {
        _ if name.is_empty() => (
            TeamState::Conflict,
            None,
            Some("the group's name is the prefix only: add a team name to it".to_owned()),
        ),
        _ if groups > 1 => (
            TeamState::Conflict,
            None,
            Some(format!(
                "{groups} Okta groups have this name: rename or merge all but one"
            )),
        ),
        [] => (TeamState::New, None, None),
        [team] if pending => (TeamState::Created, Some(team.id.clone()), None),
        [team] => (TeamState::Existing, Some(team.id.clone()), None),
        several => (
            TeamState::Conflict,
            None,
            Some(format!(
                "{} teams in Insightful have this name: rename or merge all but one",
                several.len()
            )),
        ),
    };
    DerivedTeam {
        group: group.id.clone(),
        name: name.to_owned(),
        team,
        lost: None,
        state,
        group_missing: false,
        note,
    }
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

/// Decides which team a person gets.
pub struct TeamRule<'a> {
    teams: &'a DerivedTeams,
    policy: &'a TeamPolicy,
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
            policy,
            groups,
            missing: teams_without_group(teams),
        }
    }

    pub fn is_in_team_group(&self, person: &PersonId) -> bool {
        self.groups.contains_key(person)
    }

    /// Returns the team of a person whose employee is in the team `present`: the only team of their
    /// groups, else the first by `precedence`, else the present team if it is among them. Otherwise
    /// an admin has to decide.
    pub fn choose(&self, person: &PersonId, present: Option<&TeamId>) -> TeamChoice {
        // A missing group moves nobody: people in its team count as members.
        let missing = present.and_then(|team| self.missing.get(team)).copied();
        let all: Vec<&DerivedTeam> = self
            .groups
            .get(person)
            .into_iter()
            .flatten()
            .filter_map(|group| self.teams.get(*group))
            .chain(missing)
            .collect();
        if all.is_empty() {
            return TeamChoice::Keep;
        }
        let mut usable = all.clone();
        usable.retain(|team| team.state != TeamState::Conflict);
        if usable.is_empty() {
            return TeamChoice::Conflict(names(&all));
        }
        let unique = usable.clone();
        usable.retain(|team| self.policy.create_missing || team.team.is_some());
        if usable.is_empty() {
            return TeamChoice::NotCreated(names(&unique));
        }
        // A team that cannot be used still counts: leaving it out would decide between the two.
        if let [only] = all.as_slice() {
            return TeamChoice::Of(only.group.clone());
        }
        let mut precedence = self.policy.precedence.iter();
        let first = precedence.find_map(|name| usable.iter().find(|team| team.name == *name));
        let present = usable
            .iter()
            .find(|team| team.team.is_some() && team.team.as_ref() == present);
        match first.or(present) {
            Some(team) => TeamChoice::Of(team.group.clone()),
            None => TeamChoice::Several(names(&all)),
        }
    }
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
mod tests {
    use super::*;
    use crate::model::{Complete, Directory, Workforce};

    fn snapshot(groups: &[(&str, &str)], teams: &[(&str, &str)]) -> Snapshot {
        let groups = groups
            .iter()
            .map(|(id, name)| TeamGroup {
                id: (*id).into(),
                name: (*name).into(),
                members: BTreeSet::new(),
            })
            .collect();
        let teams = teams
            .iter()
            .map(|(id, name)| Team {
                id: (*id).into(),
                name: (*name).into(),
                default: false,
            })
            .collect();
        Snapshot::new(
            Directory::new(Complete::from_all_pages(vec![]), Complete::from_all_pages(groups)),
            Workforce {
                employees: Complete::from_all_pages(vec![]),
                teams: Complete::from_all_pages(teams),
                settings: Complete::from_all_pages(vec![]),
                organization: None,
            },
        )
    }

    #[test]
    fn an_unbound_group_gets_the_team_of_its_name_a_new_one_or_a_conflict() {
        let snapshot = snapshot(
            &[
                ("g1", "P_Sales"),
                ("g2", "P_Ops"),
                ("g3", "P_Twice"),
                ("g4", "P_Twice"),
                ("g5", "P_"),
                ("g6", "P_Double"),
            ],
            &[("t1", "Sales"), ("t2", "ops"), ("t3", "Double"), ("t4", "Double")],
        );
        let teams = derive(&snapshot, "P_", &Bindings::default());
        let seen: Vec<_> = teams.values().map(|t| (t.name.as_str(), t.state)).collect();
        assert_eq!(
            seen,
            [
                ("Sales", TeamState::Existing),
                ("Ops", TeamState::New), // names are case-sensitive
                ("Twice", TeamState::Conflict),
                ("Twice", TeamState::Conflict),
                ("", TeamState::Conflict),
                ("Double", TeamState::Conflict),
            ]
        );
    }

    fn bound(group: &str, binding: Binding) -> Bindings {
        Bindings {
            bound: BTreeMap::from([(group.into(), binding)]),
            pending: BTreeSet::new(),
        }
    }

    #[test]
    fn a_team_whose_creation_had_no_response_is_found_by_name() {
        let snapshot = snapshot(&[("g1", "P_Sales")], &[("t1", "Sales")]);
        let pending = Bindings {
            bound: BTreeMap::new(),
            pending: ["g1".into()].into(),
        };
        let team = derive(&snapshot, "P_", &pending).remove(&"g1".into()).unwrap();
        assert_eq!((team.state, team.team), (TeamState::Created, Some("t1".into())));
    }

    #[test]
    fn a_bound_team_survives_a_rename_on_either_side() {
        let snapshot = snapshot(&[("g1", "P_Sales EMEA")], &[("t1", "Sales")]);
        let binding = Binding {
            team: "t1".into(),
            created: true,
        };
        let teams = derive(&snapshot, "P_", &bound("g1", binding));
        let team = &teams[&"g1".into()];
        assert_eq!((team.name.as_str(), team.state), ("Sales", TeamState::Created));
        assert!(team.note.as_ref().unwrap().contains("Sales EMEA"));

        let deleted = Binding {
            team: "t9".into(),
            created: false,
        };
        let teams = derive(&snapshot, "P_", &bound("g1", deleted));
        let team = &teams[&"g1".into()];
        assert_eq!((team.state, &team.lost), (TeamState::New, &Some("t9".into())));
    }

    #[test]
    fn the_team_of_a_missing_group_stays_bound() {
        let binding = |team: &str| Binding {
            team: team.into(),
            created: true,
        };
        let bindings = Bindings {
            bound: [("g1", "t1"), ("g2", "t2"), ("g3", "gone")]
                .map(|(group, team)| (group.into(), binding(team)))
                .into(),
            pending: BTreeSet::new(),
        };
        let seen = |groups: &[(&str, &str)]| -> Vec<String> {
            let snapshot = snapshot(groups, &[("t1", "Sales"), ("t2", "Support")]);
            let teams = derive(&snapshot, "P_", &bindings);
            let seen = teams.values().map(|team| {
                let missing = if team.group_missing { " missing" } else { "" };
                format!("{} {:?} {}{missing}", team.group, team.state, team.name)
            });
            seen.collect()
        };
        assert_eq!(
            seen(&[("g2", "P_Help")]),
            ["g1 Created Sales missing", "g2 Created Support"],
            "a group and team that are both missing are dropped"
        );
        assert_eq!(
            seen(&[("g1", "P_Sell"), ("g2", "P_Help")]),
            ["g1 Created Sales", "g2 Created Support"],
            "a group that reappears under another name"
        );
        assert_eq!(
            seen(&[("g9", "P_Sales")]),
            ["g2 Created Support missing", "g9 Existing Sales"],
            "a group that was created again gets the team"
        );
        assert_eq!(
            seen(&[("g2", "P_Sales")]),
            ["g1 Created Sales missing", "g2 Created Support"],
            "a group that has a team gets no other"
        );
    }

    /// Returns the choice for a person in these groups.
    fn choose(
        teams: &DerivedTeams,
        groups: &[GroupId],
        precedence: &[String],
        create_missing: bool,
        present: Option<&TeamId>,
    ) -> TeamChoice {
        let person = PersonId::from("jane");
        let policy = TeamPolicy {
            create_missing,
            precedence: precedence.to_vec(),
        };
        let rule = TeamRule {
            teams,
            policy: &policy,
            groups: [(&person, groups.iter().collect())].into(),
            missing: teams_without_group(teams),
        };
        rule.choose(&person, present)
    }

    #[test]
    fn precedence_then_the_present_team_decides_between_several() {
        let snapshot = snapshot(
            &[
                ("g1", "P_A"),
                ("g2", "P_B"),
                ("g3", "P_New"),
                ("c1", "P_Twice"),
                ("c2", "P_Twice"),
            ],
            &[("t1", "A"), ("t2", "B")],
        );
        let teams = derive(&snapshot, "P_", &Bindings::default());
        let of = |id: &str| TeamChoice::Of(id.into());
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for (groups, precedence, create, present, expected) in [
            (&[][..], &[][..], true, None, TeamChoice::Keep),
            (&["g1"], &[], true, None, of("g1")),
            (&["g1", "g2"], &["B", "A"], true, Some("t1"), of("g2")),
            (&["g1", "g2"], &["C"], true, Some("t2"), of("g2")),
            (
                &["g1", "g2"],
                &[],
                true,
                Some("t9"),
                TeamChoice::Several(names(&["A", "B"])),
            ),
            (
                &["g1", "g2"],
                &[],
                true,
                None,
                TeamChoice::Several(names(&["A", "B"])),
            ),
            (&["g3"], &[], true, None, of("g3")),
            (&["g3"], &[], false, None, TeamChoice::NotCreated(names(&["New"]))),
            (&["c1"], &[], true, None, TeamChoice::Conflict(names(&["Twice"]))),
            (
                &["c1", "g1"],
                &[],
                true,
                None,
                TeamChoice::Several(names(&["A", "Twice"])),
            ),
            (&["c1", "g1"], &["A"], true, None, of("g1")),
        ] {
            let groups: Vec<GroupId> = groups.iter().map(|id| (*id).into()).collect();
            let precedence = names(precedence);
            let present = present.map(TeamId::from);
            let choice = choose(&teams, &groups, &precedence, create, present.as_ref());
            assert_eq!(choice, expected, "{groups:?} {precedence:?} {present:?}");
        }
    }

    #[test]
    fn a_missing_group_moves_nobody_out_of_its_team() {
        let snapshot = snapshot(
            &[("g1", "P_A"), ("g2", "P_B"), ("g3", "P_New"), ("g4", "P_Shared")],
            &[("t1", "A"), ("t2", "B"), ("t8", "Shared"), ("t9", "Gone")],
        );
        let bindings = Bindings {
            bound: [("g8", "t8"), ("g9", "t9"), ("g4", "t8")]
                .map(|(group, team)| {
                    let binding = Binding {
                        team: team.into(),
                        created: false,
                    };
                    (group.into(), binding)
                })
                .into(),
            pending: BTreeSet::new(),
        };
        let teams = derive(&snapshot, "P_", &bindings);
        let of = |id: &str| TeamChoice::Of(id.into());
        for (groups, precedence, create, present, expected) in [
            (&["g1"][..], &[][..], true, Some("t9"), of("g9")),
            (&["g1"], &[], true, Some("t1"), of("g1")),
            (&["g1"], &[], true, Some("t2"), of("g1")),
            (&["g1"], &[], true, None, of("g1")),
            (&["g1", "g2"], &[], true, Some("t9"), of("g9")),
            (&["g3"], &[], false, Some("t9"), of("g9")),
            (&[], &[], true, Some("t9"), of("g9")),
            (&["g1"], &["Gone", "A"], true, Some("t9"), of("g9")),
            // Precedence is how an admin says that the group is gone for good.
            (&["g1"], &["A"], true, Some("t9"), of("g1")),
            // Another group has the team, and the person is not a member of it.
            (&["g1"], &[], true, Some("t8"), of("g1")),
        ] {
            let groups: Vec<GroupId> = groups.iter().map(|id| (*id).into()).collect();
            let precedence: Vec<String> = precedence.iter().map(|name| (*name).to_owned()).collect();
            let present = present.map(TeamId::from);
            let choice = choose(&teams, &groups, &precedence, create, present.as_ref());
            assert_eq!(choice, expected, "{groups:?} {precedence:?} {present:?}");
        }
    }
}
