//! After a crash, the remainder of an approved plan needs no other approval, and nothing else is applied
//! without one.

use std::collections::BTreeSet;

use okta_insightful_operator::{
    api::{Approval, Field},
    rules::{
        approval,
        assessment::Assessment,
        plan::{FieldWrites, NewValue, Plan, TeamTarget},
        teams::DerivedTeams,
    },
};
use proptest::{collection::vec, prelude::*};

use crate::{
    story::{change, story},
    world::World,
};

/// Whether every write of one plan is a write of another that was begun before, judged from the plans alone.
fn is_part(left: &Plan, of: &Plan, teams: &DerivedTeams) -> bool {
    let team = |target: &TeamTarget| match target {
        TeamTarget::Created(group) => teams.get(group)?.team.clone(),
        TeamTarget::Existing(id) => Some(id.clone()),
    };
    let same_team = |one: &TeamTarget, other: &TeamTarget| {
        one == other || (team(one).is_some() && team(one) == team(other))
    };
    let same = |now: &NewValue, then: &NewValue| match (now, then) {
        (NewValue::Team(now), NewValue::Team(then)) => same_team(now, then),
        _ => now == then,
    };
    let fields = |now: &FieldWrites, then: Option<&FieldWrites>| {
        now.iter().all(|(field, now)| {
            let then = then.and_then(|then| then.get(field));
            then.is_some_and(|then| now.from == then.from && same(&now.to, &then.to))
        })
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
        // The title of an invited person is a write of its own.
        let title = now.fields.get(&Field::Title).and_then(|title| title.to.as_text());
        let is_invited = of
            .creations
            .iter()
            .any(|then| then.person == now.person && then.title.as_deref() == title);
        let is_only_title = title.is_some() && now.fields.len() == 1;
        fields(&now.fields, then.map(|then| &then.fields)) || (is_invited && is_only_title)
    });
    let restores = left.restores.iter().all(|now| {
        let then = of.restores.iter().find(|then| then.employee == now.employee);
        fields(&now.fields, then.map(|then| &then.fields))
    });
    let deactivated: BTreeSet<_> = of.deactivations.iter().map(|write| &write.employee).collect();
    let deactivations = left
        .deactivations
        .iter()
        .all(|write| deactivated.contains(&write.employee));
    let matches = left.matches.iter().all(|(person, in_force)| {
        let announced = of
            .matches
            .get(person)
            .is_some_and(|then| then.employees == in_force.employees);
        announced || of.creations.iter().any(|creation| creation.person == *person)
    });
    let unmatches = left
        .unmatches
        .iter()
        .all(|(person, now)| of.unmatches.get(person).is_some_and(|then| now.is_subset(then)));
    new_teams && creations && updates && restores && deactivations && matches && unmatches
}

/// The world after an approved plan was cut short, and that plan.
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
    fn only_the_remainder_of_an_approved_plan_resumes(story in story(), later in vec(change(), 1..3)) {
        let before = World::after(&story);
        // At every step until the whole plan is written.
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
