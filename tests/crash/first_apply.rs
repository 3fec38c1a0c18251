//! A company before its first apply, whose plan has every kind of write that is possible
//! without a match in force.

use okta_insightful_operator::api::{MatchState, OktaIntegrationStatus, Phase};
use sandbox::okta;
use serde_json::json;

use crate::{
    scenario::subset_of_acme,
    world::{World, open_guard},
};

const PEOPLE: [&str; 11] = [
    "anna.becker",
    "carla.rossi",
    "david.cohen",
    "dora.devices",
    "elizabeth.taylor",
    "lena.leaver",
    "mona.idris",
    "nick.newcomer",
    "nina.newcomer",
    "tara.moved",
    "umberto.untitled",
];

const EMPLOYEES: [&str; 10] = [
    "anna.becker",
    "carla.rossi",
    "david.cohen",
    "dora.devices",
    "dora.laptop",
    "elizabeth.taylor",
    "lena.leaver",
    "mona.idris",
    "tara.moved",
    "umberto.untitled",
];

const GROUPS: [&str; 4] = ["Engineering", "Sales", "Support", "Data Science"];

/// A team, two invitations and a title, eight updates, and a deactivation.
pub const WRITES: usize = 13;

/// The company right before the apply, and the status with its plan.
pub async fn before() -> (World, OktaIntegrationStatus) {
    let company = subset_of_acme(&PEOPLE, &EMPLOYEES, &GROUPS);
    let world = World::prepared_with(company, okta::Settings::default()).await;
    world.okta.edit(|org| {
        // An email that is available only after another employee gets a new one.
        org.set_email("carla.rossi", "carla.bianchi@acme.com");
        org.set_email("david.cohen", "carla.rossi@acme.com");
        org.set_title("nina.newcomer", None);
    });
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    for handle in ["nick.newcomer", "nina.newcomer"] {
        world.decide(handle, json!({ "decision": "Create" })).await;
        world.wait_for_state(handle, MatchState::Proposed).await;
    }
    for (handle, employees) in [
        ("anna.becker", vec!["anna.becker"]),
        ("carla.rossi", vec!["carla.rossi"]),
        ("david.cohen", vec!["david.cohen"]),
        // Two employees of one person, and Umberto's match, which needs no write.
        ("dora.devices", vec!["dora.devices", "dora.laptop"]),
        ("umberto.untitled", vec!["umberto.untitled"]),
    ] {
        let employees: Vec<&str> = employees
            .iter()
            .map(|employee| world.company.employee(employee))
            .collect();
        world.decide_match(handle, &employees).await;
        world.wait_for_state(handle, MatchState::Proposed).await;
    }
    let integration = world
        .wait_for("the plan with every kind of write", |integration| {
            let plan = integration.status.as_ref().and_then(|status| status.plan.clone());
            plan.is_some_and(|plan| plan.total == i32::try_from(WRITES).unwrap())
        })
        .await;
    (world, integration.status.unwrap())
}
