//! A plan is cleared or held as its size, the writes of the last day, the review and the approval say.

use k8s_openapi::apimachinery::pkg::{apis::meta::v1::Time, util::intstr::IntOrString};
use okta_insightful_operator::{
    api::{Approval, Decision, Field, GuardedWrites, RecentWrites, Reviewed},
    model::text::is_same_name_loosely,
    rules::{
        guard::{Breach, Ruling, Verdict},
        resolve::Resolution,
    },
};
use proptest::prelude::*;

use crate::{
    story::story,
    world::{NOW, World},
};

fn bound() -> impl Strategy<Value = IntOrString> {
    prop_oneof![
        (0..4).prop_map(IntOrString::Int),
        (0..=100).prop_map(|percent| IntOrString::String(format!("{percent}%"))),
    ]
}

/// So many writes of each kind, by the hours since then.
fn recent() -> impl Strategy<Value = Option<(i64, i32)>> {
    proptest::option::of((0_i64..40, 1..4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_is_cleared_by_its_size_or_by_its_hash(
        story in story(),
        bounds in [bound(), bound(), bound(), bound(), bound(), bound(), bound(), bound()],
        approval in prop_oneof![Just(Approval::Guarded), Just(Approval::EveryPlan)],
        recent in recent(),
        is_reviewed in proptest::bool::weighted(0.8),
        vanished in prop_oneof![4 => Just(0), 1 => 1..3],
    ) {
        let mut world = World::after(&story);
        let guard = &mut world.spec.guard;
        [
            guard.max_deactivations,
            guard.max_team_moves,
            guard.max_email_changes,
            guard.max_relinks,
            guard.max_name_changes,
            guard.max_title_changes,
            guard.max_invitations,
            guard.max_new_teams,
        ] = bounds.clone();
        world.spec.approval = approval;
        world.spec.approved_plan = None;
        let mut memory = world.guard();
        memory.reviewed = Some(if is_reviewed { world.review() } else { Reviewed::default() });
        memory.matches_vanished = vanished;
        memory.recent = recent
            .map(|(hours, n)| RecentWrites {
                hour: Time(NOW - jiff::SignedDuration::from_hours(hours)),
                writes: GuardedWrites {
                    deactivations: n,
                    team_moves: n,
                    email_changes: n,
                    relinks: n,
                    name_changes: n,
                    title_changes: n,
                    invitations: n,
                    new_teams: n,
                },
            })
            .into_iter()
            .collect();
        world.status.guard = Some(memory);
        let assessment = world.assess();
        let plan = &assessment.plan;
        let verdict = |world: &World| world.judge(&assessment);

        let snapshot = world.snapshot();
        let active = assessment.resolved.values().flat_map(|resolved| match &resolved.resolution {
            Resolution::Matched(employees) => employees.clone(),
            _ => vec![],
        });
        let active = active.filter(|id| snapshot.employees().get(id).is_some_and(|e| !e.deactivated)).count();
        let updates = |field| plan.updates.iter().filter_map(move |update| update.fields.get(&field));
        let renamed = updates(Field::Name).filter(|name| {
            let (from, to) = (name.from.as_deref().unwrap(), name.to.as_text().unwrap());
            !is_same_name_loosely(from, to)
        });
        let undecided = plan.creations.iter().filter(|creation| {
            world.records.get(&creation.person).is_none_or(|record| record.decision != Decision::Create)
        });
        let counts = [
            plan.deactivations.len(),
            updates(Field::Team).count(),
            updates(Field::Email).count(),
            plan.unmatches.len(),
            renamed.count(),
            updates(Field::Title).filter(|title| title.from.is_some()).count(),
            undecided.count(),
            plan.teams.len(),
        ];
        let written = recent.filter(|(hours, _)| *hours < 25).map_or(0, |(_, n)| usize::try_from(n).unwrap());
        let beyond = counts.iter().zip(&bounds).filter(|(count, bound)| **count > 0 && match bound {
            IntOrString::Int(most) => *count + written > usize::try_from(*most).unwrap(),
            IntOrString::String(percent) => {
                let percent: usize = percent.trim_end_matches('%').parse().unwrap();
                (*count + written) * 100 > percent * active
            }
        });
        let beyond = beyond.count();
        let Verdict { breaches, ruling, lifts_at, .. } = verdict(&world);
        let of_size = breaches.iter().filter(|breach| matches!(breach, Breach::Exceeded { .. }));
        prop_assert_eq!(of_size.count(), beyond);
        let every_plan = approval == Approval::EveryPlan && !plan.is_empty();
        prop_assert_eq!(breaches.contains(&Breach::EveryPlan), every_plan);
        prop_assert_eq!(breaches.contains(&Breach::NotReviewed), !is_reviewed && !plan.is_empty());
        let has_vanished = breaches.iter().any(|breach| matches!(breach, Breach::MatchesVanished { .. }));
        prop_assert_eq!(has_vanished, is_reviewed && vanished > 0 && !plan.is_empty());
        match &ruling {
            Ruling::Cleared(cleared) => {
                prop_assert!(breaches.is_empty(), "{breaches:?}");
                prop_assert_eq!(cleared.as_plan(), &**plan);
            }
            Ruling::Held => prop_assert!(!breaches.is_empty()),
            Ruling::NotFinalized => prop_assert!(false, "it is finalized"),
        }
        // What is held by the writes of the last day alone goes on by itself.
        if lifts_at.is_some() {
            let mut later = world.clone();
            later.status.guard.as_mut().unwrap().recent.clear();
            prop_assert!(verdict(&later).cleared().is_some());
        }

        let mut other = plan.hash();
        other.replace_range(70..71, if other.ends_with('0') { "1" } else { "0" });
        world.spec.approved_plan = Some(other);
        prop_assert_eq!(verdict(&world).ruling, ruling, "another plan's hash");
        world.spec.approved_plan = Some(plan.hash());
        let approved = verdict(&world);
        prop_assert!(approved.cleared().is_some());
        prop_assert_eq!(&approved.breaches, &breaches);
        world.spec.finalized = false;
        prop_assert_eq!(verdict(&world).ruling, Ruling::NotFinalized);
    }

    #[test]
    fn an_approval_clears_its_plan_once(story in story()) {
        let before = World::after(&story);
        let mut world = before.clone();
        world.spec.approval = Approval::EveryPlan;
        let plan = world.cycle(None);
        // Everything is undone by somebody, and the approval stays in the manifest.
        let mut undone = before;
        undone.status = world.status;
        undone.spec = world.spec;
        let again = undone.assess();
        if !plan.is_empty() {
            prop_assert_eq!(&again.plan.updates, &plan.updates);
            // What waited for the outcome of a lost request is still to be written under the approval.
            let is_complete = undone.status.last_applied_plan == Some(plan.hash());
            prop_assert_eq!(undone.judge(&again).is_held(), is_complete, "{:#?}", again.plan);
        }
    }
}
