//! What happens to a company harms nobody: no plan reaches a person who works there, and none is written that no review
//! can be about.

use proptest::prelude::*;

use crate::{
    story::{Happening, story, upheaval},
    world::World,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_who_works_is_deactivated(story in story(), upheaval in upheaval()) {
        let mut world = World::after(&story);
        world.happens(&upheaval);
        for write in &world.assess().plan.deactivations {
            let reached = world.reached(&write.person, &write.employee);
            prop_assert_eq!(reached, None, "by {:?}", write);
        }
    }

    #[test]
    fn what_nobody_reviewed_is_held(story in story(), upheaval in upheaval()) {
        let mut world = World::after(&story);
        world.cycle(None);
        let matches = world.records.len();
        world.happens(&upheaval);
        let is_reviewed = match &upheaval {
            Happening::OtherOrg | Happening::OtherOrganization | Happening::RestoresBackup => false,
            Happening::MatchIsDeleted(_) => world.records.len() == matches,
            _ => return Ok(()),
        };
        world.recall();
        let assessment = world.assess();
        let verdict = world.judge(&assessment);
        prop_assert!(
            is_reviewed || assessment.plan.is_empty() || verdict.is_held(),
            "{:?} of {:#?}", verdict.breaches, assessment.plan
        );
    }
}
