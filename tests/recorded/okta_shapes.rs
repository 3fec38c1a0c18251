//! Okta's shapes.

use std::collections::BTreeSet;

use okta_insightful_operator::api::{Phase, conditions::OKTA_CONNECTED};
use sandbox::{
    company::Company,
    faults::{Fault, Handle, Kind, Match},
    okta::{Org, Settings},
};
use serde_json::{Value, json};

use crate::{
    agreement::{all_agree, all_fail, all_recover},
    world::World,
};

fn person<'a>(plan: &'a Value, id: &str) -> &'a Value {
    let people = plan["people"].as_array().unwrap();
    people.iter().find(|person| person["oktaUserId"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn record_plan_and_run_agree_on_every_shape_of_oktas_records() {
    let small_pages = Settings {
        max_page: Some(7),
        ..Settings::default()
    };
    let world = World::prepared_with(Company::acme(), small_pages).await;
    world.activate(json!({})).await;
    world.wait_for_phase(Phase::Review).await;
    let before = all_agree(&world, "as documented").await;

    // The same records in another form.
    world.okta.configure(|settings| {
        settings.doubled_rate_headers = true;
        settings.null_causes = true;
        settings.title_case_headers = true;
        settings.limits.concurrent = 100_000;
    });
    assert_eq!(
        all_agree(&world, "doubled rate limits, other case of headers").await,
        before
    );
    let later = world.okta.faults().add(Fault {
        on: Match::get("/api/v1/users").query("after="),
        kind: Kind::Status(423, None),
        times: Some(3),
    });
    world.okta.expire_cursors(1);
    assert_eq!(
        all_agree(&world, "an expired cursor, and a request to retry later").await,
        before
    );
    assert_eq!(later.hits(), 3);

    // A group that the list shows, and that does not exist any more.
    let sales = format!("/api/v1/groups/{}", world.okta.snapshot().group_id("Sales"));
    let gone = [sales.clone(), format!("{sales}/users")].map(|path| {
        let faults = world.okta.faults();
        faults.always(Match::get(&path), Kind::Status(404, None))
    });
    let plan = all_agree(&world, "a group that was deleted after the list was read").await;
    let teams = plan["teams"].as_array().unwrap();
    assert_eq!(
        teams.len(),
        before["teams"].as_array().unwrap().len() - 1,
        "{teams:?}"
    );
    gone.iter().for_each(Handle::remove);

    // Records with other content.
    type Change = fn(&mut Org);
    let changes: [(&str, Change); 6] = [
        ("names that are null", |org| {
            org.set_profile("jane.doe", "lastName", Value::Null);
            org.set_profile("mona.idris", "firstName", Value::Null);
            org.set_profile("amir.haddad", "title", Value::Null);
        }),
        ("fields that are missing", |org| {
            org.remove_profile("john.smith", "email");
            org.remove_profile("john.smith", "lastName");
        }),
        ("attributes that are lists, numbers and objects", |org| {
            org.set_profile("chen.xiu", "title", json!(["Head", "of"]));
            org.set_profile("chen.xiu", "employeeNumber", json!(42));
            org.set_profile("chen.xiu", "office", json!({ "floor": 3 }));
        }),
        ("dates that are null or without milliseconds", |org| {
            let user = org.user_mut("igor.petrov");
            for field in ["activated", "statusChanged", "lastLogin", "passwordChanged"] {
                user[field] = Value::Null;
            }
            user["created"] = "2023-02-01T08:00:00Z".into();
        }),
        ("a person who is being reactivated", |org| {
            org.set_status("nils.aas", "DEPROVISIONED");
            org.begin_reactivation("nils.aas");
        }),
        ("a status that nobody knows", |org| {
            org.set_status("iris.lower", "ACTIVATING")
        }),
    ];
    for (shape, change) in changes {
        world.okta.edit(change);
        all_agree(&world, shape).await;
    }

    // Somebody whom no search shows.
    let id = world.okta.snapshot().user_id("jane.doe");
    world
        .okta
        .configure(|settings| settings.hidden = BTreeSet::from([id.clone()]));
    let plan = all_agree(&world, "a member whom no search shows").await;
    assert_eq!(person(&plan, &id)["email"], "jane.doe@acme.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn record_plan_and_run_fail_alike_when_okta_refuses() {
    let world = World::in_review(json!({})).await;
    let before = all_agree(&world, "as documented").await;

    world.okta.configure(|settings| settings.sees_users = false);
    let message = all_fail(&world, "a role that covers no users", OKTA_CONNECTED, "NoUsers").await;
    assert!(message.contains("Read-Only Administrator"), "{message}");
    world.okta.configure(|settings| settings.sees_users = true);
    all_recover(&world, OKTA_CONNECTED).await;

    world
        .okta
        .configure(|settings| settings.missing_scopes = ["okta.groups.read".to_owned()].into());
    let message = all_fail(&world, "a missing scope", OKTA_CONNECTED, "ScopeMissing").await;
    assert!(message.contains("okta.groups.read"), "{message}");
    world.okta.configure(|settings| settings.missing_scopes.clear());
    all_recover(&world, OKTA_CONNECTED).await;

    world.okta.configure(|settings| {
        settings.admin_role = false;
        settings.null_causes = true;
    });
    let message = all_fail(&world, "causes that are null", OKTA_CONNECTED, "NotPermitted").await;
    assert!(message.contains("E0000006"), "{message}");
    world.okta.configure(|settings| settings.admin_role = true);
    all_recover(&world, OKTA_CONNECTED).await;
    assert_eq!(all_agree(&world, "afterwards").await, before);
}
