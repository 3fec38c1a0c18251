//! Which team? From Okta's team groups to Insightful's teams, and from a
//! person's groups to the one team that Insightful allows.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::TeamState,
    model::{GroupId, PersonId, Snapshot, Team, TeamGroup, TeamId},
};

/// The team of a group, as an earlier apply left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Insightful's id of the team.
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

/// What earlier applies left of the groups' teams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// The teams of groups that were applied.
    pub bound: BTreeMap<GroupId, Binding>,
    /// Groups whose team was being created when the answer was lost.
    pub pending: BTreeSet<GroupId>,
}

/// What a team group stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedTeam {
    /// Okta's id of the group.
    pub group: GroupId,
    /// The team's name: for a bound team Insightful's, else the group's
    /// without the prefix.
    pub name: String,
    /// Insightful's id; None while it is new or in conflict.
    pub team: Option<TeamId>,
    /// The team that the group is bound to, while Insightful's list lacks it and
    /// has none of the name: it is created again if it is nowhere else either.
    pub lost: Option<TeamId>,
    /// Whether Insightful has it.
    pub state: TeamState,
    /// Whether the snapshot lacks the group.
    pub group_missing: bool,
    /// What is wrong or worth knowing.
    pub note: Option<String>,
}

/// All derived teams, by group.
pub type DerivedTeams = BTreeMap<GroupId, DerivedTeam>;

/// Derives the team of each group.
///
/// A group with a binding to a team that still exists keeps it, whatever
/// either is called now: a team is bound to its group's id. Any other is matched
/// by equal name with the prefix taken off; a name that two groups or two teams
/// have is a conflict. A group that the snapshot lacks keeps its team as well, so
/// that it comes back to it, whatever it is called then.
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

/// The teams that groups are bound to which the snapshot lacks. One whose team
/// another group gets by its name is gone: it was made anew.
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
            let note = "Okta's last answer lacks the group: its team stays bound to it, and nobody is moved out of that team";
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

/// The group's name without the prefix.
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

/// `pending`: whether a team of this name that is found is the one we asked for.
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
            Some("nothing is left of the group's name after the prefix".to_owned()),
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
    /// No team group: the team stays what it is.
    Keep,
    /// The team of this group: one of the person's, or one that the snapshot lacks
    /// and in whose team the person is.
    Of(GroupId),
    /// Several, and nothing settles which: the names.
    Several(Vec<String>),
    /// The only teams there are, are in conflict: the names.
    Conflict(Vec<String>),
    /// The only teams there are would have to be created, which the policy forbids: the names.
    NotCreated(Vec<String>),
}

/// The groups of each person.
pub fn groups_of_people(snapshot: &Snapshot) -> BTreeMap<&PersonId, BTreeSet<&GroupId>> {
    let mut groups: BTreeMap<&PersonId, BTreeSet<&GroupId>> = BTreeMap::new();
    for group in snapshot.groups().values() {
        for member in &group.members {
            groups.entry(member).or_default().insert(&group.id);
        }
    }
    groups
}

/// Teams of which no group is in the snapshot, with one that is bound to each.
pub type Groupless<'a> = BTreeMap<&'a TeamId, &'a DerivedTeam>;

/// See [`Groupless`].
pub fn groupless(teams: &DerivedTeams) -> Groupless<'_> {
    let of = |missing| {
        let teams = teams.values().filter(move |team| team.group_missing == missing);
        teams.filter_map(|team| Some((team.team.as_ref()?, team)))
    };
    let mut groupless: Groupless<'_> = of(true).collect();
    if !groupless.is_empty() {
        for (id, _) in of(false) {
            groupless.remove(id);
        }
    }
    groupless
}

/// One person, one team: of several, the first by `precedence`, else the
/// present team if it is among them, else nobody decides but an admin.
///
/// A group that vanished moves nobody: whoever is in its team counts as still in
/// the group.
pub fn choose(
    groups: &BTreeSet<&GroupId>,
    teams: &DerivedTeams,
    groupless: &Groupless<'_>,
    precedence: &[String],
    create_missing: bool,
    present: Option<&TeamId>,
) -> TeamChoice {
    let vanished = present.and_then(|team| groupless.get(team)).copied();
    let all: Vec<&DerivedTeam> = groups
        .iter()
        .filter_map(|group| teams.get(*group))
        .chain(vanished)
        .collect();
    let names = |teams: &[&DerivedTeam]| {
        let mut names: Vec<String> = teams.iter().map(|team| team.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    };
    let sound: Vec<&DerivedTeam> = all
        .iter()
        .copied()
        .filter(|team| team.state != TeamState::Conflict)
        .collect();
    let usable: Vec<&DerivedTeam> = sound
        .iter()
        .copied()
        .filter(|team| create_missing || team.team.is_some())
        .collect();
    match usable.as_slice() {
        [] if all.is_empty() => TeamChoice::Keep,
        [] if sound.is_empty() => TeamChoice::Conflict(names(&all)),
        [] => TeamChoice::NotCreated(names(&sound)),
        // A person in this team and in one that is in conflict is not resolved by leaving the latter out.
        [only] if all.len() == 1 => TeamChoice::Of(only.group.clone()),
        _ => precedence
            .iter()
            .find_map(|name| usable.iter().find(|team| team.name == *name))
            .or_else(|| {
                usable
                    .iter()
                    .find(|team| team.team.is_some() && team.team.as_ref() == present)
            })
            .map_or_else(
                || TeamChoice::Several(names(&all)),
                |team| TeamChoice::Of(team.group.clone()),
            ),
    }
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
            },
        )
    }

    #[test]
    fn a_team_is_matched_by_equal_name_or_new_or_in_conflict() {
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
                ("Ops", TeamState::New), // names must be equal, case included
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
    fn a_team_whose_creation_lost_its_answer_is_found_by_its_name() {
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

        let gone = Binding {
            team: "t9".into(),
            created: false,
        };
        let teams = derive(&snapshot, "P_", &bound("g1", gone));
        let team = &teams[&"g1".into()];
        assert_eq!((team.state, &team.lost), (TeamState::New, &Some("t9".into())));
    }

    #[test]
    fn the_team_of_a_group_that_is_missing_stays_bound() {
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
            "what is gone on both sides is gone"
        );
        assert_eq!(
            seen(&[("g1", "P_Sell"), ("g2", "P_Help")]),
            ["g1 Created Sales", "g2 Created Support"],
            "whatever it is called when it comes back"
        );
        assert_eq!(
            seen(&[("g9", "P_Sales")]),
            ["g2 Created Support missing", "g9 Existing Sales"],
            "a group that was made anew has the team"
        );
        assert_eq!(
            seen(&[("g2", "P_Sales")]),
            ["g1 Created Sales missing", "g2 Created Support"],
            "a group with a team of its own takes none"
        );
    }

    #[test]
    fn one_person_one_team() {
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
            let choice = choose(
                &groups.iter().collect(),
                &teams,
                &Groupless::new(),
                &precedence,
                create,
                present.as_ref(),
            );
            assert_eq!(choice, expected, "{groups:?} {precedence:?} {present:?}");
        }
    }

    #[test]
    fn a_group_that_is_missing_moves_nobody_out_of_its_team() {
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
            // That is how an admin says that the group is gone for good.
            (&["g1"], &["A"], true, Some("t9"), of("g1")),
            // Another group has the team, and the person is not in it.
            (&["g1"], &[], true, Some("t8"), of("g1")),
        ] {
            let groups: Vec<GroupId> = groups.iter().map(|id| (*id).into()).collect();
            let precedence: Vec<String> = precedence.iter().map(|name| (*name).to_owned()).collect();
            let choice = choose(
                &groups.iter().collect(),
                &teams,
                &groupless(&teams),
                &precedence,
                create,
                present.map(TeamId::from).as_ref(),
            );
            assert_eq!(choice, expected, "{groups:?} {precedence:?} {present:?}");
        }
    }
}
