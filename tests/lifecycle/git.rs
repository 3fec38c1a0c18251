//! GitOps: the operator and a tool that applies decisions from Git own different fields.

use kube::api::{DeleteParams, Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, FIELD_MANAGER, MatchState, OktaIntegration, conditions};
use serde_json::{Value, json};

use crate::world::{NAME, World, apply, integration, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn repeated_applies_from_git_and_syncs_change_nothing() {
    let world = World::in_review(open_guard()).await;
    let mut spec = open_guard();
    spec["finalized"] = json!(true);
    let manifest = integration(NAME, &world.okta.url(), &world.insightful.url(), spec);
    let decision = |handle: &str, spec: Value| (world.match_name(handle), world.match_manifest(handle, spec));
    let anna = world.company.employee("anna.becker");
    let decisions = [
        decision(
            "anna.becker",
            json!({ "decision": "Match", "employeeIds": [anna] }),
        ),
        decision("nick.newcomer", json!({ "decision": "Create" })),
        decision("jane.doe", json!({ "decision": "Ignore" })),
    ];
    // Like Flux and Argo CD, without force: a field that another manager owns is an error.
    let params = PatchParams::apply("flux");
    let apply_all = || async {
        let integrations = world.api::<OktaIntegration>();
        integrations
            .patch(NAME, &PatchParams::apply("admin"), &Patch::Apply(&manifest))
            .await
            .unwrap();
        let matches = world.api::<EmployeeMatch>();
        for (name, manifest) in &decisions {
            matches
                .patch(name, &params, &Patch::Apply(manifest))
                .await
                .unwrap();
        }
    };
    apply_all().await;
    world.wait_for_state("anna.becker", MatchState::Matched).await;
    world.wait_for_state("nick.newcomer", MatchState::Matched).await;
    world.sync().await;

    let before = world.match_versions().await;
    world.insightful.journal().clear();
    for _ in 0..10 {
        apply_all().await;
        world.sync().await;
    }
    assert_eq!(
        world.match_versions().await,
        before,
        "neither of the two has written a match"
    );
    assert_eq!(world.writes(), Vec::<String>::new());

    let object = world.api::<EmployeeMatch>().get(&decisions[0].0).await.unwrap();
    for entry in object.metadata.managed_fields.unwrap() {
        let fields = serde_json::to_value(&entry.fields_v1).unwrap();
        if entry.manager.as_deref() == Some(FIELD_MANAGER) {
            let spec = &fields["f:spec"];
            assert!(
                spec["f:decision"].is_null() && spec["f:employeeIds"].is_null(),
                "{fields}"
            );
        } else {
            assert!(fields["f:status"].is_null(), "{fields}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_with_a_wrong_name_says_so_and_stops_its_person_until_it_is_deleted() {
    let world = World::in_sync().await;
    let matches = world.api::<EmployeeMatch>();
    let mut manifest = world.match_manifest("jane.doe", json!({ "decision": "Ignore" }));
    manifest["metadata"]["name"] = json!("jane");
    apply(&matches, manifest).await;

    let status = world.wait_for_reason("jane.doe", "WrongName").await;
    assert_eq!(status.state, Some(MatchState::Review));
    assert!(status.applied.is_some(), "the decision to ignore is not in force");
    let misnamed = || async { matches.get("jane").await.unwrap() };
    let misnamed = world
        .poll("status of jane", misnamed, |object| object.status.is_some())
        .await;
    let misnamed = misnamed.status.unwrap();
    assert_eq!(misnamed.state, None, "a list by state holds each person once");
    let ready = conditions::find(&misnamed.conditions, conditions::READY)
        .unwrap()
        .clone();
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        ("False", "WrongName")
    );
    let right_name = world.match_name("jane.doe");
    assert!(ready.message.contains(&right_name), "{}", ready.message);
    let condition = conditions::MATCHES_UNUSABLE;
    world.wait_for_condition(condition, "True", "WrongName").await;

    // The plan of the program is that of the operator.
    let cluster = format!("{}/{NAME}", world.namespace);
    let arguments = [
        "plan",
        "--cluster",
        &cluster,
        "--allow-http-loopback",
        "-o",
        "json",
    ];
    let plan = world.run_cli(&arguments).await;
    assert!(plan.contains("WrongName"), "{plan}");

    for who in ["jane.doe", "amir.haddad"] {
        world.okta.edit(|org| org.set_title(who, Some("Captain")));
    }
    world.insightful.journal().clear();
    world.sync().await;
    assert_eq!(world.writes().len(), 1, "amir's: {:?}", world.writes());
    world.idle_sync_writes_nothing().await;
    world.insightful.journal().clear();
    matches.delete("jane", &DeleteParams::default()).await.unwrap();
    world.wait_for_reason("jane.doe", "InSync").await;
    assert_eq!(world.writes().len(), 1, "jane's: {:?}", world.writes());
    // The integration's status follows those of the matches.
    let is_usable = |integration: &OktaIntegration| {
        let status = integration.status.as_ref();
        status.is_some_and(|status| conditions::find(&status.conditions, condition).is_none())
    };
    world.wait_for("no unusable matches", is_usable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_in_force_whose_manifest_is_removed_keeps_what_it_replaced() {
    let world = World::in_sync().await;
    let matches = world.api::<EmployeeMatch>();
    let before = world.match_status("jane.doe").await.applied.unwrap();
    assert!(!before.fields.is_empty());
    world.insightful.journal().clear();
    for is_suspended in [false, true] {
        world.patch(json!({ "suspend": is_suspended })).await;
        let name = world.match_name("jane.doe");
        let deleted = matches.get(&name).await.unwrap().metadata.uid;
        matches.delete(&name, &DeleteParams::default()).await.unwrap();
        let again = || async { matches.get_opt(&name).await.unwrap() };
        let again = world
            .poll("the object made again", again, |object| {
                let status = object.as_ref().and_then(|object| object.status.as_ref());
                status.is_some_and(|status| status.applied.is_some())
            })
            .await
            .unwrap();
        assert_ne!(again.metadata.uid, deleted);
        assert_eq!(again.status.unwrap().applied.as_ref(), Some(&before));
    }
    world.wait_for_event("Recreated").await;
    assert_eq!(world.writes(), Vec::<String>::new());

    // Those of a deleted integration are not made again.
    let integrations = world.api::<OktaIntegration>();
    integrations
        .delete(NAME, &DeleteParams::background())
        .await
        .unwrap();
    world
        .poll("no match", || world.matches(), |matches| matches.is_empty())
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(world.matches().await.len(), 0);
}
