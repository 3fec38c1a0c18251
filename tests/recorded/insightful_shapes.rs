//! Insightful's shapes.

use okta_insightful_operator::api::{Phase, conditions};
use sandbox::{
    faults::{Kind, Match},
    insightful::Account,
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
async fn record_plan_and_run_agree_on_every_shape_of_insightfuls_records() {
    let world = World::prepared().await;
    world.activate(json!({})).await;
    world.wait_for_phase(Phase::Review).await;
    let before = all_agree(&world, "as documented").await;
    let company = &world.company;
    let (jane, chen) = (company.employee("jane.doe"), company.employee("chen.xiu"));

    world.insightful.edit(|account| {
        for (field, value) in [
            ("logLevel", json!("info")),
            ("pseudonymId", json!(null)),
            ("localDataRetention", json!({ "days": 7 })),
            ("projects", json!(null)),
            ("sharedSettingsId", json!(null)),
        ] {
            account.set(jane, field, value);
        }
    });
    assert_eq!(
        all_agree(&world, "unknown fields, and fields without a value").await,
        before
    );

    // Records with other content.
    type Change = fn(&mut Account);
    let changes: [(&str, Change); 5] = [
        ("a deactivated copy that holds the email", |account| {
            account.move_to_another_computer("chen.xiu@acme.com", "ACME\\cxiu");
        }),
        ("an email changed, and the identifier stays", |account| {
            account.set_email("jane.doe@acme.com", "jane.roe@acme.com");
        }),
        ("an office record without an email", |account| {
            account.set("mona.idris@acme.com", "type", "office");
            account.set("mona.idris@acme.com", "identifier", "ACME\\midris");
            account.set("mona.idris@acme.com", "email", Value::Null);
        }),
        ("names and emails that are null or empty", |account| {
            account.set("amir.haddad@acme.com", "name", Value::Null);
            account.set("igor.petrov@acme.com", "name", "");
        }),
        ("times that are null or absent", |account| {
            account.set("igor.petrov@acme.com", "createdAt", Value::Null);
            account.set("igor.petrov@acme.com", "deactivated", Value::Null);
        }),
    ];
    for (shape, change) in changes {
        world.insightful.edit(change);
        all_agree(&world, shape).await;
    }
    let now = all_agree(&world, "all of them").await;
    let candidates = person(&now, company.user("chen.xiu"))["candidates"]
        .as_array()
        .unwrap();
    let deactivated: Vec<_> = candidates
        .iter()
        .map(|candidate| &candidate["deactivated"])
        .collect();
    assert_eq!(
        deactivated[0],
        &json!(false),
        "the active record outranks its copy"
    );
    assert_ne!(candidates[0]["employeeId"], chen);

    // Records that cannot be read.
    world.insightful.edit(|account| {
        account.set(jane, "name", json!({ "first": "Jane", "last": "Doe" }));
        account.set_team("Sales", "name", Value::Null);
        let mut without_id = account.employee(chen).clone();
        without_id["id"] = json!(7);
        account.employees.insert("without an id".to_owned(), without_id);
    });
    let now = all_agree(&world, "records that cannot be read").await;
    assert_eq!(now["unreadableRecords"].as_array().unwrap().len(), 3, "{now}");
    let message = world
        .wait_for_condition(conditions::RECORDS_UNREADABLE, "True", "InInsightful")
        .await;
    for record in [jane, company.team("Sales"), "Xiu Chen"] {
        assert!(message.contains(record), "{record}: {message}");
    }
    let sales = now["teams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|team| team["name"] == "Sales");
    assert_eq!(
        sales.unwrap()["state"],
        "Conflict",
        "it may be the team without a name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn record_plan_and_run_agree_that_insightful_cannot_be_read() {
    let world = World::prepared().await;
    world.activate(json!({})).await;
    world.wait_for_phase(Phase::Review).await;
    for (shape, status, body, reason) in [
        ("an unknown token", 401, json!("Who are you?"), "TokenRefused"),
        (
            "no permission",
            403,
            json!({ "type": "FORBIDDEN", "message": "Forbidden" }),
            "NotPermitted",
        ),
        ("another list", 200, json!({ "employees": [] }), "InvalidResponse"),
    ] {
        let fault = world
            .insightful
            .faults()
            .always(Match::get("/api/v1/employee"), Kind::Status(status, Some(body)));
        all_fail(&world, shape, conditions::INSIGHTFUL_CONNECTED, reason).await;
        fault.remove();
        all_recover(&world, conditions::INSIGHTFUL_CONNECTED).await;
    }
}
