//! Unmatching everybody restores the values that others wrote last.

use okta_insightful_operator::{
    api::{Decision, OnUnmatch},
    model::text::is_same_name_loosely,
};
use proptest::prelude::*;

use crate::{story::story, world::World};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Titles and deactivations are left out: they cannot be undone through the API.
    #[test]
    fn unmatching_everybody_restores_what_others_wrote_last(mut story in story()) {
        story.spec.on_unmatch = OnUnmatch::Restore;
        let mut world = World::after(&story);
        world.cycle_until_in_sync();
        for record in world.records.values_mut() {
            record.decision = Decision::Ignore;
            record.employee_ids.clear();
        }
        world.cycle_until_in_sync();
        for (id, employee) in &world.employees {
            let theirs = &world.theirs[id];
            let is_restored = if world.capitals { is_same_name_loosely } else { str::eq };
            prop_assert!(is_restored(&employee.name, &theirs.name), "name of {}", id);
            prop_assert_eq!(&employee.team, &theirs.team, "team of {}", id);
            if !world.not_restored.contains(id) {
                // Insightful ignores case.
                let (now, before) = (employee.email.to_lowercase(), theirs.email.to_lowercase());
                prop_assert_eq!(now, before, "email of {}", id);
            }
        }
        for (id, record) in &world.records {
            prop_assert_eq!(&record.applied, &None, "{} is unmatched", id);
        }
    }
}
