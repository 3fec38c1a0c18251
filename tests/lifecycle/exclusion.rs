//! Accounts that are no people: those that a rule excludes, and those that nobody excluded.

use std::{collections::BTreeMap, time::Duration};

use okta_insightful_operator::api::{Applied, MatchState, OktaIntegration, Phase, conditions};
use sandbox::{company::Company, okta};
use serde_json::{Value, json};

use crate::world::{World, open_guard, start};

const GROUPS: &str = "/api/v1/groups";

/// A guard that holds every plan that it bounds.
fn closed_guard() -> Value {
    let mut spec = open_guard();
    for bound in spec["guard"].as_object_mut().unwrap().values_mut() {
        *bound = json!(0);
    }
    spec
}

async fn exclude(world: &World, rules: Value) {
    world.patch(json!({ "okta": { "exclude": rules } })).await;
}

/// Whether the status is of the present spec, with this number of people out of scope.
fn leaves_out(integration: &OktaIntegration, people: i32) -> bool {
    let status = integration.status.clone().unwrap_or_default();
    status.observed_generation == integration.metadata.generation
        && status.people.is_some_and(|counts| counts.out_of_scope == people)
}

/// The matches in force of people who work there, by login.
async fn in_force(world: &World) -> BTreeMap<String, Applied> {
    let org = world.okta.snapshot();
    let matches = world.matches().await.into_values();
    let matches = matches.filter_map(|object| {
        let user = org.users.get(&object.spec.okta_user_id)?;
        let status = object.status?;
        let works = user["status"] == "ACTIVE" && status.state == Some(MatchState::Matched);
        let login = user["profile"]["login"].as_str()?.to_owned();
        Some((login, status.applied.filter(|_| works)?))
    });
    matches.collect()
}

/// The searches for all users that Okta has received.
fn full_syncs(world: &World) -> usize {
    let entries = world.okta.journal().entries().into_iter();
    entries
        .filter(|entry| entry.param("search") == Some("status pr"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn excluding_fifty_people_of_a_finalized_integration_writes_nothing_and_holds_nothing() {
    let world = World::prepared_with(Company::generate(90, 3), okta::Settings::default()).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;
    world.patch(closed_guard()).await;
    world.wait_for_phase(Phase::InSync).await;
    let before = in_force(&world).await;
    let logins: Vec<&String> = before.keys().take(50).collect();
    assert_eq!(logins.len(), 50);
    let out_of_scope = world.status().await.people.unwrap().out_of_scope;
    let employees: Vec<Value> = world.insightful.snapshot().employees().cloned().collect();
    world.insightful.journal().clear();
    world.okta.journal().clear();

    exclude(&world, json!([{ "attribute": "login", "values": logins }])).await;
    world
        .wait_for("fifty people to be left out", |integration| {
            leaves_out(integration, out_of_scope + 50)
        })
        .await;
    assert_eq!(
        world.okta.journal().entries().len(),
        0,
        "what it compares is known"
    );
    for login in &logins {
        let status = world.match_status(login).await;
        let ready = &status.conditions[0];
        assert_eq!(
            (status.state, ready.reason.as_str(), ready.status.as_str()),
            (Some(MatchState::OutOfScope), "Excluded", "True"),
            "{login}"
        );
        assert!(
            ready.message.contains(&format!("login is {login:?}")),
            "{}",
            ready.message
        );
        assert_eq!(status.applied.as_ref(), Some(&before[*login]), "the match rests");
    }

    // Nor does it when all of them leave.
    let set_status = |status: &str| {
        world.okta.edit(|org| {
            for login in &logins {
                org.set_status(login, status);
            }
        });
    };
    set_status("DEPROVISIONED");
    let status = world.sync().await;
    assert_eq!(status.phase, Some(Phase::InSync));
    assert_eq!(status.plan.unwrap().total, 0);
    let held = conditions::find(&status.conditions, conditions::HELD).unwrap();
    assert_eq!(held.status, "False", "{}", held.message);
    assert_eq!(world.writes(), Vec::<String>::new());
    let now: Vec<Value> = world.insightful.snapshot().employees().cloned().collect();
    assert_eq!(now, employees);
    world.idle_sync_writes_nothing().await;

    // Without the rule, their matches go on.
    set_status("ACTIVE");
    world
        .okta
        .edit(|org| org.rename_user(logins[0], "Zora", "Zimmer"));
    world.sync().await;
    world.insightful.journal().clear();
    let mut spec = open_guard();
    spec["okta"] = json!({ "exclude": null });
    world.patch(spec).await;
    world
        .wait_for("nobody to be left out", |integration| {
            leaves_out(integration, out_of_scope)
        })
        .await;
    world.wait_for_phase(Phase::InSync).await;
    for login in &logins {
        world.wait_for_state(login, MatchState::Matched).await;
    }
    let employee = &before[logins[0]].employee_ids[0];
    assert_eq!(world.writes(), [format!("PUT /api/v1/employee/{employee} 200")]);
    assert_eq!(
        world.insightful.snapshot().employee(employee)["name"],
        "Zora Zimmer"
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attribute_is_read_by_a_full_sync_and_another_value_needs_none() {
    let settings = okta::Settings {
        custom_attributes: vec!["agency".to_owned()],
        ..okta::Settings::default()
    };
    let mut world = World::prepared_with(Company::acme(), settings).await;
    world.okta.edit(|org| {
        org.set_profile("jane.doe", "agency", json!(["Temps", 7]));
        org.set_profile("pia.hofer", "agency", "Rent");
    });
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;
    world.insightful.journal().clear();
    world.okta.journal().clear();

    exclude(&world, json!([{ "attribute": "agency", "values": [" temps"] }])).await;
    let status = world.wait_for_reason("jane.doe", "Excluded").await;
    let message = &status.conditions[0].message;
    assert!(message.contains(r#"agency is " temps""#), "{message}");
    assert_eq!(full_syncs(&world), 1);

    world.okta.journal().clear();
    exclude(&world, json!([{ "attribute": "agency", "pattern": "R?NT*" }])).await;
    world.wait_for_reason("pia.hofer", "Excluded").await;
    world.wait_for_state("jane.doe", MatchState::Matched).await;
    assert_eq!(world.okta.journal().entries().len(), 0);

    // A sync of what changed has the attribute, too.
    world
        .okta
        .edit(|org| org.set_profile("jane.doe", "agency", "Rent & Co"));
    world.patch(json!({ "sync": { "interval": "1s" } })).await;
    world.wait_for_reason("jane.doe", "Excluded").await;
    assert_eq!(full_syncs(&world), 0);

    // What is saved for the next start has it, too.
    let dir = tempfile::tempdir().unwrap();
    let state_dir = ["--state-dir", dir.path().to_str().unwrap()];
    for expected in [1, 0] {
        world.stop_operator().await;
        world.okta.journal().clear();
        world.operator = Some(start(world.plane, &[&world.namespace], &state_dir).await);
        let synced = world.okta.journal().wait_until(
            |entries| entries.iter().filter(|entry| entry.path == GROUPS).count() > 2,
            Duration::from_secs(60),
        );
        synced.await.unwrap();
        assert_eq!(full_syncs(&world), expected);
        assert_eq!(world.reason("jane.doe").await, "Excluded");
        assert_eq!(world.reason("pia.hofer").await, "Excluded");
    }
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn role_mailboxes_and_service_accounts_wait_while_people_are_invited() {
    let mut spec = open_guard();
    spec["matching"] = json!({ "unmatched": "Create" });
    let world = World::prepared().await;
    // With unidentifiable employees in the account, nobody is invited without a decision.
    world.insightful.edit(|account| {
        account.delete_employee(world.company.employee("device.k7"));
        account.delete_employee(world.company.employee("device.front"));
    });
    world.okta.edit(|org| {
        for (handle, first, last) in [
            ("info", "Info", "Acme"),
            ("svc-backup", "Backup", "Service"),
            ("zora.zimmer", "Zora", "Zimmer"),
            ("xenia.xu", "Xenia", "Xu"),
            ("yuri.young", "Yuri", "Young"),
        ] {
            let new = org.add_user(handle, first, last);
            org.add_member("Sales", &new);
        }
        org.set_profile("info", "lastName", Value::Null);
        for handle in ["xenia.xu", "yuri.young"] {
            org.set_email(handle, "desk.x@acme.com");
        }
    });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    let may_be_none = ["info", "svc-backup", "xenia.xu", "yuri.young"];
    for handle in may_be_none {
        let is = (world.state(handle).await, world.reason(handle).await);
        assert_eq!(
            is,
            (MatchState::Unmatched, "MaybeNotAPerson".to_owned()),
            "{handle}"
        );
    }
    assert_eq!(world.reason("zora.zimmer").await, "CreationPlanned");
    world.finalize().await;
    let has = |handle: &str| {
        let email = format!("{handle}@acme.com");
        let account = world.insightful.snapshot();
        account.employees().any(|employee| employee["email"] == email)
    };
    assert!(has("zora.zimmer"));
    assert!(!has("info") && !has("svc-backup") && !has("desk.x"));

    world.decide("info", json!({ "decision": "Create" })).await;
    world.wait_for_state("info", MatchState::Matched).await;
    assert!(has("info"));
    exclude(&world, json!([{ "attribute": "login", "pattern": "svc-*" }])).await;
    world.wait_for_reason("svc-backup", "Excluded").await;
    assert!(!has("svc-backup") && !has("desk.x"));
    world.idle_sync_writes_nothing().await;
}
