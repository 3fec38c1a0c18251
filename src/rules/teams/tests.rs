//! Which team a group stands for, and which one a person gets.

use super::*;
use crate::{
    api::TeamBinding,
    model::{Complete, Directory, Workforce},
    rules::{
        blocker::Blocker,
        example::{Example, request},
    },
};

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
            unreadable: Default::default(),
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
    let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &Bindings::default());
    let seen: Vec<_> = teams.values().map(|t| (t.name.as_str(), t.state)).collect();
    assert_eq!(
        seen,
        [
            ("Sales", TeamState::Existing),
            ("Ops", TeamState::Conflict), // a team "Ops" would be a twin of "ops"
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
        pending: BTreeMap::new(),
    }
}

#[test]
fn a_team_whose_creation_had_no_response_is_found_by_name() {
    let snapshot = snapshot(&[("g1", "P_Sales")], &[("t1", "Sales")]);
    let pending = Bindings {
        bound: BTreeMap::new(),
        pending: [("g1".into(), request("Sales", None))].into(),
    };
    let team = derive(&snapshot, "P_", &TeamPolicy::default(), &pending)
        .remove(&"g1".into())
        .unwrap();
    assert_eq!((team.state, team.team), (TeamState::Created, Some("t1".into())));
}

#[test]
fn a_bound_team_survives_a_rename_on_either_side() {
    let snapshot = snapshot(&[("g1", "P_Sales EMEA")], &[("t1", "Sales")]);
    let binding = Binding {
        team: "t1".into(),
        created: true,
    };
    let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &bound("g1", binding));
    let team = &teams[&"g1".into()];
    assert_eq!((team.name.as_str(), team.state), ("Sales", TeamState::Created));
    let note = team.note.as_deref().unwrap();
    let start = "the Okta group is called \"Sales EMEA\" and its team \"Sales\": one of them was renamed";
    assert!(note.starts_with(start), "{note}");

    let deleted = Binding {
        team: "t9".into(),
        created: false,
    };
    let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &bound("g1", deleted));
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
        pending: BTreeMap::new(),
    };
    let seen = |groups: &[(&str, &str)]| -> Vec<String> {
        let snapshot = snapshot(groups, &[("t1", "Sales"), ("t2", "Support")]);
        let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &bindings);
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
        bindings: Vec::new(),
    };
    let rule = TeamRule {
        teams,
        create_missing,
        precedence: Precedence::of(&policy, teams),
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
    let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &Bindings::default());
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
        pending: BTreeMap::new(),
    };
    let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &bindings);
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

/// Each group's team: its state, name and id, and a part of its note.
fn table(
    groups: &[(&str, &str)],
    teams: &[(&str, &str)],
    policy: &[(&str, &str)],
    bound: &[(&str, &str)],
) -> Vec<String> {
    let policy = TeamPolicy {
        bindings: policy
            .iter()
            .map(|(group, team)| TeamBinding {
                group: (*group).to_owned(),
                team: (*team).to_owned(),
            })
            .collect(),
        ..TeamPolicy::default()
    };
    let bound = bound.iter().map(|(group, team)| {
        let binding = Binding {
            team: (*team).into(),
            created: true,
        };
        (GroupId::from(*group), binding)
    });
    let bindings = Bindings {
        bound: bound.collect(),
        pending: BTreeMap::new(),
    };
    let derived = derive(&snapshot(groups, teams), "P_", &policy, &bindings);
    let row = |team: &DerivedTeam| {
        let id = team.team.as_ref().or(team.lost.as_ref());
        let id = id.map_or("-", TeamId::as_str);
        format!("{} {:?} {} {id}", team.group, team.state, team.name)
    };
    derived.values().map(row).collect()
}

#[test]
fn a_team_that_only_looks_the_same_makes_no_twin() {
    for (group, team, expected) in [
        ("Sales", "Sales", "Existing Sales t1"),
        ("  Sales ", "Sales", "Existing Sales t1"),
        ("Sales\u{a0}EMEA", "Sales EMEA", "Existing Sales EMEA t1"),
        ("Sales", "sales", "Conflict Sales -"),
        ("Sales EMEA", "Sales  EMEA", "Conflict Sales EMEA -"),
        ("Zürich", "Zu\u{308}rich", "Conflict Zürich -"),
        ("Sales", "Ｓales", "Conflict Sales -"),
        ("Sales\nEMEA\u{1b}[2J", "x", "New Sales EMEA[2J -"),
        ("Sales EMEA", "EMEA Sales", "New Sales EMEA -"),
    ] {
        let seen = table(&[("g1", &format!("P_{group}"))], &[("t1", team)], &[], &[]);
        assert_eq!(seen, [format!("g1 {expected}")], "{group:?} {team:?}");
    }
    let seen = |teams: &[(&str, &str)]| table(&[("g1", "P_Sales")], teams, &[], &[]);
    assert_eq!(
        seen(&[("t1", "sales"), ("t2", "Sales")]),
        ["g1 Existing Sales t2"],
        "one has exactly the name"
    );
    assert_eq!(seen(&[("t1", "sales"), ("t2", "SALES")]), ["g1 Conflict Sales -"]);
}

#[test]
fn the_policy_binds_a_group_whatever_it_was_bound_to() {
    let groups = [("g1", "P_Sales EMEA"), ("g2", "P_Ops")];
    let teams = [("t1", "Sales"), ("t2", "ops")];
    let seen = |policy: &[(&str, &str)], bound: &[(&str, &str)]| table(&groups, &teams, policy, bound);
    for (policy, expected) in [
        (&[("P_Sales EMEA", "Sales")][..], "g1 Existing Sales t1"),
        (&[("sales  emea", "SALES")], "g1 Existing Sales t1"),
        (&[("P_Sales EMEA", "Nothing")], "g1 Conflict Sales EMEA -"),
        (
            &[("P_Sales EMEA", "Sales"), ("Sales EMEA", "ops")],
            "g1 Conflict Sales EMEA -",
        ),
        (&[("P_Sales EMEA", "Sales EMEA")], "g1 New Sales EMEA -"),
    ] {
        assert_eq!(seen(policy, &[])[0], expected, "{policy:?}");
    }
    assert_eq!(
        seen(&[("P_Ops", "ops")], &[])[1],
        "g2 Existing ops t2",
        "the way out of a conflict"
    );
    let bound = [("g1", "t2")];
    assert_eq!(seen(&[], &bound)[0], "g1 Created ops t2");
    assert_eq!(
        seen(&[("P_Sales EMEA", "Sales")], &bound)[0],
        "g1 Existing Sales t1"
    );
    assert_eq!(
        seen(&[("P_Sales EMEA", "sales emea")], &bound)[0],
        "g1 New Sales EMEA -",
        "its own name undoes a binding"
    );
    assert_eq!(
        seen(&[("P_Sales EMEA", "Nothing")], &bound)[0],
        "g1 Conflict Sales EMEA t2",
        "the binding stays on record"
    );
}

#[test]
fn groups_that_mean_one_team_say_so() {
    let teams = [("t1", "Sales")];
    let groups = [("g1", "P_Sales"), ("g2", "P_sales "), ("g3", "P_Sell")];
    let seen = |policy: &[(&str, &str)], bound: &[(&str, &str)]| table(&groups, &teams, policy, bound);
    assert_eq!(
        seen(&[], &[]),
        ["g1 Conflict Sales -", "g2 Conflict sales -", "g3 New Sell -"]
    );
    assert_eq!(
        seen(&[], &[("g1", "t1"), ("g3", "t1")])[..],
        [
            "g1 Conflict Sales t1",
            "g2 Conflict sales -",
            "g3 Conflict Sell t1"
        ],
        "two were bound to it"
    );
    assert_eq!(
        seen(&[("P_Sell", "Sales")], &[("g1", "t1")]),
        [
            "g1 Conflict Sales t1",
            "g2 Conflict sales -",
            "g3 Existing Sales t1"
        ],
        "the policy outranks what was bound before"
    );
    let all = [("P_Sales", "Sales"), ("P_Sell", "Sales")];
    assert_eq!(
        seen(&all, &[("g1", "t1")]),
        // "sales" names g2, too.
        [
            "g1 Created Sales t1",
            "g2 Existing Sales t1",
            "g3 Existing Sales t1"
        ]
    );
    assert_eq!(
        table(&groups[..2], &[], &[("Sales", "Sales")], &[]),
        ["g1 New Sales -", "g2 Conflict sales -"],
        "a new team is created once"
    );
    let holders = [("g0", "P_ Sales"), ("g1", "P_Sales"), ("g2", "P_sales")];
    let policy = TeamPolicy {
        bindings: vec![TeamBinding {
            group: "P_Sales".into(),
            team: "Sales".into(),
        }],
        ..TeamPolicy::default()
    };
    let waiting = derive(&snapshot(&holders, &[]), "P_", &policy, &Bindings::default());
    assert_eq!(
        waiting[&"g2".into()].note.as_deref(),
        Some("the team is created for the Okta group P_Sales (g1) first"),
        "the one that the team is created for, not the one that waits"
    );
    let snapshot = snapshot(&groups, &teams);
    let bindings = bound(
        "g3",
        Binding {
            team: "t1".into(),
            created: false,
        },
    );
    let derived = derive(&snapshot, "P_", &TeamPolicy::default(), &bindings);
    for group in ["g1", "g2"] {
        let note = derived[&group.into()].note.as_deref().unwrap();
        for part in ["P_Sales (g1) and P_sales (g2)", "spec.teams.bindings"] {
            assert!(note.contains(part), "{group}: {note}");
        }
    }
}

#[test]
fn a_requested_team_is_found_by_the_name_that_was_sent() {
    let bindings = Bindings {
        bound: BTreeMap::new(),
        pending: [("g1".into(), request("Sales", None))].into(),
    };
    let seen = |groups: &[(&str, &str)], teams: &[(&str, &str)]| {
        let derived = derive(&snapshot(groups, teams), "P_", &TeamPolicy::default(), &bindings);
        let team = derived[&"g1".into()].clone();
        (team.state, team.team, team.pending.is_some())
    };
    let (created, t1) = (TeamState::Created, Some(TeamId::from("t1")));
    assert_eq!(seen(&[("g1", "P_Sales")], &[]), (TeamState::New, None, true));
    assert_eq!(
        seen(&[("g1", "P_Sales")], &[("t1", "Sales")]),
        (created, t1.clone(), false)
    );
    assert_eq!(
        seen(&[("g1", "P_Sell")], &[("t1", "Sales")]),
        (created, t1.clone(), false),
        "the group was renamed in between"
    );
    assert_eq!(
        seen(&[("g1", "P_Sell")], &[("t1", "Sales "), ("t2", "x")]),
        (created, t1, false)
    );
}

#[test]
fn precedence_names_groups_or_teams_and_what_it_does_not_find_moves_nobody() {
    let snapshot = snapshot(
        &[("g1", "P_Sales EMEA"), ("g2", "P_Support")],
        &[("t1", "Sales"), ("t2", "Support")],
    );
    let binding = Binding {
        team: "t1".into(),
        created: false,
    };
    let teams = derive(&snapshot, "P_", &TeamPolicy::default(), &bound("g1", binding));
    let groups = ["g1", "g2"].map(GroupId::from);
    let (first, second) = (TeamChoice::Of("g1".into()), TeamChoice::Of("g2".into()));
    for (precedence, present, expected, unresolved) in [
        (&["sales  emea"][..], Some("t2"), &first, 0),
        (&["SALES"], Some("t2"), &first, 0),
        (&["support", "Sales"], Some("t1"), &second, 0),
        // The team was renamed by hand, or the entry is mistyped.
        (&["Vendors", "support"], Some("t1"), &first, 1),
        (&["Vendors", "support"], None, &second, 1),
        (&["Support", "Vendors"], Some("t1"), &second, 1),
    ] {
        let precedence: Vec<String> = precedence.iter().map(|name| (*name).to_owned()).collect();
        let present = present.map(TeamId::from);
        let choice = choose(&teams, &groups, &precedence, true, present.as_ref());
        assert_eq!(choice, *expected, "{precedence:?} {present:?}");
        let policy = TeamPolicy {
            precedence,
            ..TeamPolicy::default()
        };
        assert_eq!(
            super::unresolved(&snapshot, "P_", &policy, &teams).len(),
            unresolved
        );
    }
    let policy = TeamPolicy {
        bindings: vec![TeamBinding {
            group: "P_Nobody".into(),
            team: "Nothing".into(),
        }],
        ..TeamPolicy::default()
    };
    let unresolved = super::unresolved(&snapshot, "P_", &policy, &teams);
    assert_eq!(unresolved.len(), 2, "{unresolved:?}");
}

#[test]
fn groups_that_share_a_team_count_as_one() {
    let snapshot = snapshot(&[("g1", "P_A"), ("g2", "P_B")], &[("t1", "A")]);
    let bindings = ["A", "B"].map(|group| TeamBinding {
        group: group.into(),
        team: "A".into(),
    });
    let policy = TeamPolicy {
        bindings: bindings.into(),
        ..TeamPolicy::default()
    };
    let teams = derive(&snapshot, "P_", &policy, &Bindings::default());
    let choice = choose(&teams, &["g1", "g2"].map(GroupId::from), &[], true, None);
    assert_eq!(choice, TeamChoice::Of("g1".into()));
}

#[test]
fn a_bound_group_keeps_its_team_whichever_of_the_two_cannot_be_read() {
    for (kind, id, says) in [
        (RecordKind::Team, "Sales", "the record of the team cannot be read"),
        (
            RecordKind::Group,
            "g-Sales",
            "the record of the Okta group cannot be read",
        ),
    ] {
        let mut example = Example::jane();
        example.bindings = bound(
            "g-Sales",
            Binding {
                team: "Sales".into(),
                created: false,
            },
        );
        example.unreadable(kind, id);
        let assessment = example.assess();
        let team = &assessment.teams[&"g-Sales".into()];
        assert_eq!(team.team, Some("Sales".into()), "{kind:?}");
        assert_eq!(team.state, TeamState::Existing, "{kind:?}");
        assert_eq!(team.name, "Sales", "{kind:?}");
        assert!(
            team.note.as_deref().is_some_and(|note| note.contains(says)),
            "{team:?}"
        );
        assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
        assert_eq!(assessment.blocker(&"jane".into()), None, "{kind:?}");
        // Somebody who joins gets the team.
        example.person("omar", "Omar", "Ali", "Sales");
        example.employee("e2", "Omar Ali", "omar@acme.com");
        example.in_force("omar", "e2", &[]);
        let plan = example.assess().plan;
        assert_eq!(plan.updates_of(crate::api::Field::Team).count(), 1, "{plan:?}");
        assert!(plan.teams.is_empty(), "{plan:?}");
    }
}

#[test]
fn no_team_is_created_that_may_be_one_whose_name_cannot_be_read() {
    for (id, name, may_be) in [
        (Some("t9"), None, true),
        (None, None, true),
        (None, Some("SALES "), true),
        (None, Some("Support"), false),
        (Some("t9"), Some("Support"), false),
        // It is the team of another group.
        (Some("bound"), None, false),
    ] {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.employee("e1", "Jane Doe", "jane@acme.com");
        example.bindings = bound(
            "g-Other",
            Binding {
                team: "bound".into(),
                created: false,
            },
        );
        example.unreadable.push(Unreadable {
            kind: RecordKind::Team,
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            group: None,
            problem: "name: null".to_owned(),
        });
        let assessment = example.assess();
        let state = assessment.teams[&"g-Sales".into()].state;
        let expected = if may_be {
            TeamState::Conflict
        } else {
            TeamState::New
        };
        assert_eq!(state, expected, "{id:?} {name:?}");
        assert_eq!(assessment.plan.teams.is_empty(), may_be, "{id:?} {name:?}");
        let blocker = assessment.blocker(&"jane".into()).map(Blocker::reason);
        assert_eq!(blocker, may_be.then_some("TeamConflict"), "{id:?} {name:?}");
    }
}

#[test]
fn a_group_whose_name_cannot_be_read_takes_nobodys_team() {
    let mut example = Example::jane();
    example.team("Support");
    example.person("jane", "Jane", "Doe", "Support");
    example.spec.teams.precedence = vec!["Sales".into()];
    example.unreadable(RecordKind::Group, "g-Sales");
    let assessment = example.assess();
    assert_eq!(assessment.teams[&"g-Sales".into()].state, TeamState::Conflict);
    assert_eq!(assessment.plan.updates.len(), 0, "{:?}", assessment.plan);
    assert_eq!(
        assessment.teams[&"g-Support".into()].state,
        TeamState::Existing,
        "no other group is concerned"
    );
}

#[test]
fn a_member_whose_id_cannot_be_read_moves_nobody() {
    for is_unreadable in [false, true] {
        let mut example = Example::jane();
        example.team("Support");
        example.person("jane", "Jane", "Doe", "Support");
        let sales = example
            .groups
            .iter_mut()
            .find(|group| group.id == "g-Sales".into());
        sales.unwrap().members.clear();
        if is_unreadable {
            example.unreadable.push(Unreadable {
                kind: RecordKind::Member,
                id: None,
                name: None,
                group: Some("g-Sales".into()),
                problem: "missing field `id`".to_owned(),
            });
        }
        let moves = example.assess().plan.updates_of(crate::api::Field::Team).count();
        assert_eq!(moves, usize::from(!is_unreadable));
    }
}
