//! What goes on without another approval after a crash.

use std::collections::BTreeSet;

use okta_insightful_operator::{
    api::Approval,
    rules::{
        approval,
        assessment::Assessment,
        plan::{Plan, Replace, TeamTarget},
        teams::DerivedTeams,
    },
};
use proptest::{collection::vec, prelude::*};

use crate::{
    story::{change, story},
    world::World,
};

/// Whether every write of one plan is a write of another that was begun before,
/// as the plans themselves tell it.
fn is_part(left: &Plan, of: &Plan, teams: &DerivedTeams) -> bool {
    let team = |target: &TeamTarget| match target {
        TeamTarget::Created(group) => teams.get(group)?.team.clone(),
        TeamTarget::Existing(id) => Some(id.clone()),
    };
    let same_team = |one: &TeamTarget, other: &TeamTarget| {
        one == other || (team(one).is_some() && team(one) == team(other))
    };
    let text = |now: &Option<Replace<String>>, then: Option<&Replace<String>>| {
        now.as_ref()
            .is_none_or(|now| then.is_some_and(|then| (&now.from, &now.to) == (&then.from, &then.to)))
    };
    let moves = |now: &Option<Replace<TeamTarget>>, then: Option<&Replace<TeamTarget>>| {
        now.as_ref()
            .is_none_or(|now| then.is_some_and(|then| now.from == then.from && same_team(&now.to, &then.to)))
    };
    let new_teams = left.teams.iter().all(|team| of.teams.contains(team));
    let creations = left.creations.iter().all(|now| {
        of.creations.iter().any(|then| {
            // The title is a write of its own, and may be left out.
            (&now.person, &now.name, &now.email, &now.settings)
                == (&then.person, &then.name, &then.email, &then.settings)
                && (now.title.is_none() || now.title == then.title)
                && same_team(&now.team, &then.team)
        })
    });
    let updates = left.updates.iter().all(|now| {
        let then = of.updates.iter().find(|then| then.employee == now.employee);
        let of_field = text(&now.name, then.and_then(|then| then.name.as_ref()))
            && text(&now.email, then.and_then(|then| then.email.as_ref()))
            && text(&now.title, then.and_then(|then| then.title.as_ref()))
            && moves(&now.team, then.and_then(|then| then.team.as_ref()));
        // The title of who was invited is a write of its own.
        let title = now.title.as_ref().map(|title| &title.to);
        let invited = of
            .creations
            .iter()
            .any(|then| then.person == now.person && then.title.as_ref() == title && title.is_some());
        of_field || (invited && now.name.is_none() && now.email.is_none() && now.team.is_none())
    });
    let restores = left.restores.iter().all(|now| {
        let then = of.restores.iter().find(|then| then.employee == now.employee);
        text(&now.name, then.and_then(|then| then.name.as_ref()))
            && text(&now.email, then.and_then(|then| then.email.as_ref()))
            && moves(&now.team, then.and_then(|then| then.team.as_ref()))
    });
    let switched_off: BTreeSet<_> = of.deactivations.iter().map(|write| &write.employee).collect();
    let deactivations = left
        .deactivations
        .iter()
        .all(|write| switched_off.contains(&write.employee));
    let links = left.matches.iter().all(|(person, link)| {
        let announced = of
            .matches
            .get(person)
            .is_some_and(|then| then.employees == link.employees);
        announced || of.creations.iter().any(|creation| creation.person == *person)
    });
    let unmatches = left
        .unmatches
        .iter()
        .all(|(person, now)| of.unmatches.get(person).is_some_and(|then| now.is_subset(then)));
    new_teams && creations && updates && restores && deactivations && links && unmatches
}

/// A plan that was approved and cut short, and what follows.
fn cut_short(mut world: World, steps: usize) -> Option<(World, Plan)> {
    world.spec.approval = Approval::EveryPlan;
    let plan = world.cycle(Some(steps));
    (!plan.is_empty() && world.status.applying.is_some()).then_some((world, plan))
}

fn next(world: &World) -> (Assessment, bool) {
    let assessment = world.assess();
    let announcements = world.announcements();
    let is_remainder = approval::of(&world.status, &world.spec, &assessment, &announcements).is_some();
    (assessment, is_remainder)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_left_goes_on_and_nothing_else_does(story in story(), later in vec(change(), 1..3)) {
        let before = World::after(&story);
        // At every step until the plan is written whole.
        for steps in 0.. {
            let Some((mut world, approved)) = cut_short(before.clone(), steps) else {
                break;
            };
            let (Assessment { plan, teams, .. }, is_remainder) = next(&world);
            let is_left = !plan.is_empty() && is_part(&plan, &approved, &teams);
            prop_assert_eq!(is_remainder, is_left, "left of {:#?}: {:#?}", approved, plan);

            for happening in &later {
                world.happens(happening);
            }
            let (Assessment { plan, teams, .. }, is_remainder) = next(&world);
            if is_remainder {
                prop_assert!(is_part(&plan, &approved, &teams), "left of {:#?}: {:#?}", approved, plan);
            }
        }
    }
}
