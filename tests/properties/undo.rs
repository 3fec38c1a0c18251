//! An undo of everything leads back to where others left everything.

use okta_insightful_operator::api::{Decision, OnUnmatch};
use proptest::prelude::*;

use crate::{story::story, world::World};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Titles and deactivations cannot be undone through the API, and are not looked at.
    #[test]
    fn every_match_taken_back_gives_back_what_others_wrote_last(mut story in story()) {
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
            prop_assert_eq!(&employee.name, &theirs.name, "name of {}", id);
            prop_assert_eq!(&employee.team, &theirs.team, "team of {}", id);
            if !world.not_given_back.contains(id) {
                // Upper and lower case are one to Insightful.
                let (now, before) = (employee.email.to_lowercase(), theirs.email.to_lowercase());
                prop_assert_eq!(now, before, "email of {}", id);
            }
        }
        for (id, record) in &world.records {
            prop_assert_eq!(&record.applied, &None, "{} is let go", id);
        }
    }
}
