//! A company before a later apply, whose plan has every kind of write, among them updates of
//! values that the operator wrote before.

use std::collections::BTreeSet;

use okta_insightful_operator::api::{MatchState, OktaIntegrationStatus, Phase};
use sandbox::{company::Company, okta};
use serde_json::json;

use crate::{
    scenario::subset_of_acme,
    world::{World, open_guard},
};

const PEOPLE: [&str; 12] = [
    "amir.haddad",
    "anna.becker",
    "carla.rossi",
    "david.cohen",
    "elizabeth.taylor",
    "jane.doe",
    "mona.idris",
    "nick.newcomer",
    "nina.newcomer",
    "robert.miller",
    "tara.moved",
    "walter.noemail",
];

/// Walter has no employee and no email, so the former email of the employee that is
/// reassigned to him is restored.
const EMPLOYEES: [&str; 9] = [
    "amir.haddad",
    "anna.becker",
    "carla.rossi",
    "david.cohen",
    "elizabeth.taylor",
    "jane.doe",
    "mona.idris",
    "robert.miller",
    "tara.moved",
];

const GROUPS: [&str; 3] = ["Engineering", "Sales", "Support"];

/// A team, two invitations and a title, six updates, a restore, and a deactivation.
pub const WRITES: usize = 12;

fn company() -> Company {
    let mut acme = subset_of_acme(&PEOPLE, &EMPLOYEES, &GROUPS);
    let (sales, mona) = (acme.group("Sales").to_owned(), acme.user("mona.idris").to_owned());
    acme.members.entry(sales).or_default().push(mona);
    acme
}

/// The company right before the apply, and the status with its plan.
pub async fn before() -> (World, OktaIntegrationStatus) {
    let world = World::prepared_with(company(), okta::Settings::default()).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    for handle in ["anna.becker", "elizabeth.taylor", "robert.miller"] {
        let employee = world.company.employee(handle);
        world.decide_match(handle, &[employee]).await;
        world.wait_for_state(handle, MatchState::Proposed).await;
    }
    world.finalize().await;
    world.patch(json!({ "finalized": false })).await;

    let acme = Company::acme();
    let new_group = acme.group("Data Science");
    world.okta.edit(|org| {
        // Its id must be the same in every run.
        let record = acme.groups.iter().find(|group| group["id"] == new_group);
        org.groups.insert(new_group.to_owned(), record.unwrap().clone());
        org.members.insert(new_group.to_owned(), BTreeSet::new());
        org.remove_member("Sales", "mona.idris");
        org.add_member("Data Science", "mona.idris");
        // An update of every field, and one of values that the first apply wrote.
        org.rename_user("mona.idris", "Mona", "Idris-Berg");
        org.set_email("mona.idris", "mona.idris-berg@acme.com");
        org.set_title("mona.idris", Some("Lead Data Scientist"));
        org.rename_user("elizabeth.taylor", "Elizabeth", "Burton");
        org.set_title("elizabeth.taylor", Some("Account Manager"));
        // A second move.
        org.remove_member("Support", "tara.moved");
        org.add_member("Engineering", "tara.moved");
        // An email that is available only after another employee gets a new one.
        org.set_email("carla.rossi", "carla.bianchi@acme.com");
        org.set_email("david.cohen", "carla.rossi@acme.com");
        org.set_status("amir.haddad", "DEPROVISIONED");
        org.add_member("Data Science", "nina.newcomer");
        org.set_title("nina.newcomer", None);
    });
    world.sync().await;
    for handle in ["nick.newcomer", "nina.newcomer"] {
        world.decide(handle, json!({ "decision": "Create" })).await;
    }
    world
        .decide("anna.becker", json!({ "decision": "Ignore", "employeeIds": [] }))
        .await;
    // Robert's match stays in force until Walter's decision takes his employee.
    world
        .decide("robert.miller", json!({ "decision": "Auto", "employeeIds": [] }))
        .await;
    let reassigned = world.company.employee("robert.miller");
    world.decide_match("walter.noemail", &[reassigned]).await;
    let integration = world
        .wait_for("the plan with every kind of write", |integration| {
            let plan = integration.status.as_ref().and_then(|status| status.plan.clone());
            plan.is_some_and(|plan| plan.total == i32::try_from(WRITES).unwrap() && plan.relinks == 2)
        })
        .await;
    world.insightful.journal().clear();
    (world, integration.status.unwrap())
}
