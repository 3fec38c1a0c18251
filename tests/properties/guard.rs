//! A plan is cleared or held as its size and the approval say.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use okta_insightful_operator::{
    api::{Approval, Field},
    rules::{
        guard::{Breach, Ruling, Verdict, judge},
        resolve::Resolution,
    },
};
use proptest::prelude::*;

use crate::{story::story, world::World};

fn bound() -> impl Strategy<Value = IntOrString> {
    prop_oneof![
        (0..4).prop_map(IntOrString::Int),
        (0..=100).prop_map(|percent| IntOrString::String(format!("{percent}%"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_is_cleared_by_its_size_or_by_its_hash(
        story in story(),
        bounds in [bound(), bound(), bound(), bound()],
        approval in prop_oneof![Just(Approval::Guarded), Just(Approval::EveryPlan)],
    ) {
        let mut world = World::after(&story);
        let guard = &mut world.spec.guard;
        [guard.max_deactivations, guard.max_team_moves, guard.max_email_changes, guard.max_relinks] =
            bounds.clone();
        world.spec.approval = approval;
        world.spec.approved_plan = None;
        let assessment = world.assess();
        let plan = &assessment.plan;
        let resolved = &assessment.resolved;
        let verdict = |world: &World| judge(plan.clone(), &world.spec, &world.records, resolved, None);

        let matched = resolved.values().filter(|s| matches!(s.resolution, Resolution::Matched(_))).count();
        let counts = [
            plan.deactivations.len(),
            plan.updates.iter().filter(|update| update.fields.contains_key(&Field::Team)).count(),
            plan.updates.iter().filter(|update| update.fields.contains_key(&Field::Email)).count(),
            plan.unmatches.len(),
        ];
        let beyond = counts.iter().zip(&bounds).filter(|(count, bound)| match bound {
            IntOrString::Int(most) => **count > usize::try_from(*most).unwrap(),
            IntOrString::String(percent) => {
                let percent: usize = percent.trim_end_matches('%').parse().unwrap();
                **count * 100 > percent * matched
            }
        });
        let beyond = beyond.count();
        let Verdict { breaches, ruling } = verdict(&world);
        let of_size = breaches.iter().filter(|breach| matches!(breach, Breach::Exceeded { .. }));
        prop_assert_eq!(of_size.count(), beyond);
        let every_plan = approval == Approval::EveryPlan && !plan.is_empty();
        prop_assert_eq!(breaches.contains(&Breach::EveryPlan), every_plan);
        match &ruling {
            Ruling::Cleared(cleared) => {
                prop_assert!(breaches.is_empty(), "{breaches:?}");
                prop_assert_eq!(cleared.as_plan(), &**plan);
            }
            Ruling::Held => prop_assert!(!breaches.is_empty()),
            Ruling::NotFinalized => prop_assert!(false, "it is finalized"),
        }

        let mut other = plan.hash();
        other.replace_range(70..71, if other.ends_with('0') { "1" } else { "0" });
        world.spec.approved_plan = Some(other);
        let unchanged = Verdict { breaches: breaches.clone(), ruling };
        prop_assert_eq!(verdict(&world), unchanged, "another plan's hash");
        world.spec.approved_plan = Some(plan.hash());
        let approved = verdict(&world);
        prop_assert!(approved.cleared().is_some());
        prop_assert_eq!(&approved.breaches, &breaches);
        world.spec.finalized = false;
        prop_assert_eq!(verdict(&world), Verdict { breaches, ruling: Ruling::NotFinalized });
    }
}
