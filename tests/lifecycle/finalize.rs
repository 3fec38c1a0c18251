//! Finalizing: exactly the previewed changes are written, once.

use std::collections::BTreeMap;

use okta_insightful_operator::api::{EmployeeMatchStatus, Field, MatchState, Phase, TeamState, conditions};
use serde_json::{Value, json};

use crate::world::{World, open_guard};

/// The writes that the matches preview: method and body by path.
async fn previewed_writes(world: &World) -> BTreeMap<String, (String, Value)> {
    let teams = world.insightful.snapshot().teams();
    let team_id = |name: &str| {
        teams
            .iter()
            .find(|team| team["name"] == name)
            .map(|team| team["id"].clone())
    };
    let mut writes = BTreeMap::new();
    for object in world.matches().await.into_values() {
        let EmployeeMatchStatus {
            changes, employee, ..
        } = object.status.unwrap();
        let (Some(employee), false) = (employee, changes.is_empty()) else {
            continue;
        };
        let path = |call: &str| format!("/api/v1/employee/{call}{}", employee.id);
        if changes.iter().any(|change| change.field == Field::Active) {
            writes.insert(path("deactivate/"), ("GET".to_owned(), Value::Null));
            continue;
        }
        let mut body = json!({});
        for change in changes {
            let to = change.to.unwrap();
            match change.field {
                Field::Name => body["name"] = json!(to),
                Field::Email => body["email"] = json!(to),
                Field::Title => body["title"] = json!(to),
                Field::Team => {
                    body["teamId"] = team_id(&to).unwrap_or_else(|| json!(format!("new team {to}")))
                }
                Field::Active | Field::Settings => unreachable!("handled above, or of an invitation"),
            }
        }
        writes.insert(path(""), ("PUT".to_owned(), body));
    }
    writes
}

#[tokio::test(flavor = "multi_thread")]
async fn finalizing_writes_exactly_the_preview() {
    let world = World::in_review(open_guard()).await;
    world
        .decide("nick.newcomer", json!({ "decision": "Create" }))
        .await;
    world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
    let mut expected = previewed_writes(&world).await;
    assert!(expected.len() > 30);
    assert_eq!(
        world.writes(),
        Vec::<String>::new(),
        "nothing is written before finalizing"
    );

    world.finalize().await;
    let writes = world.insightful.journal().writes();
    assert!(
        writes.iter().all(|entry| entry.status == Some(200)),
        "Insightful accepts every write: {:?}",
        world.writes()
    );
    let account = world.insightful.snapshot();
    let new_team = |value: &mut Value| {
        let name = value.as_str().and_then(|text| text.strip_prefix("new team "));
        if let Some(id) = name.map(|name| account.team_id(name)) {
            *value = json!(id);
        }
    };
    for (_, body) in expected.values_mut() {
        body.get_mut("teamId").map(new_team);
    }

    let paths: Vec<&str> = writes.iter().map(|entry| entry.path.as_str()).collect();
    let posts: Vec<(&str, &Value)> = writes
        .iter()
        .filter(|entry| entry.method == "POST")
        .map(|entry| (entry.path.as_str(), entry.body.as_ref().unwrap()))
        .collect();
    assert_eq!(posts.len(), 3, "two teams and one invitation: {posts:?}");
    assert_eq!(
        posts[0],
        ("/api/v1/team", &json!({ "name": "Data Science" })),
        "teams are created first"
    );
    assert_eq!(posts[1], ("/api/v1/team", &json!({ "name": "Marketing" })));
    assert_eq!(posts[2].0, "/api/v1/employee");
    assert_eq!(posts[2].1["email"], "nick.newcomer@acme.com");
    assert_eq!(posts[2].1["teamId"], account.team_id("Sales"));
    let invited = account.employee_id("nick.newcomer@acme.com");
    expected.insert(
        format!("/api/v1/employee/{invited}"),
        ("PUT".to_owned(), json!({ "title": "Account Executive" })),
    );

    let written: BTreeMap<String, (String, Value)> = writes
        .iter()
        .filter(|entry| entry.method != "POST")
        .map(|entry| {
            (
                entry.path.clone(),
                (entry.method.clone(), entry.body.clone().unwrap_or_default()),
            )
        })
        .collect();
    assert_eq!(written, expected);
    assert_eq!(written.len() + 3, writes.len(), "nothing is written twice");
    assert!(
        paths.last().unwrap().contains("/deactivate/"),
        "deactivations are last"
    );

    let status = world.status().await;
    let state = |name: &str| status.teams.iter().find(|team| team.name == name).unwrap().state;
    assert_eq!(
        (state("Engineering"), state("Data Science")),
        (TeamState::Existing, TeamState::Created)
    );
    assert_eq!(status.plan.unwrap().total, 0);
    assert_eq!(status.history.len(), 1);
    assert_eq!(usize::try_from(status.history[0].writes).unwrap(), writes.len());
    assert_eq!(world.state("jane.doe").await, MatchState::Matched);
    assert_eq!(world.state("lena.leaver").await, MatchState::Deactivated);
    assert_eq!(world.state("lisa.leaver").await, MatchState::Deactivated);
    assert_eq!(
        world.state("diego.doubtful").await,
        MatchState::Review,
        "held for review"
    );
    let nick = world.match_status("nick.newcomer").await;
    assert!(nick.applied.unwrap().created && nick.pending.is_none());
    world.wait_for_event("PlanApplied").await;
    let finalized = conditions::find(&status.conditions, conditions::FINALIZED).unwrap();
    assert_eq!(
        (finalized.status.as_str(), finalized.reason.as_str()),
        ("True", "PlanApplied")
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_records_the_replaced_value() {
    let world = World::in_review(open_guard()).await;
    let anna = world.company.employee("anna.becker").to_owned();
    world.decide_match("anna.becker", &[&anna]).await;
    world.wait_for_state("anna.becker", MatchState::Proposed).await;
    world.finalize().await;
    let applied = world.match_status("anna.becker").await.applied.unwrap();
    let fields: Vec<_> = applied
        .fields
        .iter()
        .map(|field| (field.field, field.before.as_deref(), field.after.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            (Field::Name, Some("Anna Becker"), "Anna Schneider"),
            (
                Field::Email,
                Some("anna.becker@oldacme.io"),
                "anna.becker@acme.com"
            ),
            (Field::Title, None, "Support Engineer"),
        ]
    );
    assert_eq!(world.insightful.snapshot().title(&anna), Some("Support Engineer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_beyond_the_guard_is_held_until_its_hash_is_approved() {
    let world = World::in_review(json!({ "guard": { "maxTeamMoves": 3 } })).await;
    world.patch(json!({ "finalized": true })).await;
    let status = world.wait_for_phase(Phase::Held).await;
    let hash = status.plan.unwrap().hash;
    let message = world
        .wait_for_condition(conditions::HELD, "True", "TooManyTeamMoves")
        .await;
    assert!(
        message.contains(&hash) && message.contains("maxTeamMoves allows 3"),
        "{message}"
    );
    world.wait_for_event("PlanHeld").await;

    world
        .patch(json!({ "approvedPlan": format!("sha256:{}", "0".repeat(64)) }))
        .await;
    world.wait_for_phase(Phase::Held).await;
    world.sync().await;
    assert_eq!(
        world.writes(),
        Vec::<String>::new(),
        "the hash of another plan approves nothing"
    );

    world.patch(json!({ "approvedPlan": hash })).await;
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(status.last_applied_plan, Some(hash));
    assert_eq!(world.state("mona.idris").await, MatchState::Matched);
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_approval_every_plan_each_plan_is_held() {
    let mut spec = open_guard();
    spec["approval"] = json!("EveryPlan");
    let world = World::in_review(spec).await;
    world.patch(json!({ "finalized": true })).await;
    let status = world.wait_for_phase(Phase::Held).await;
    world
        .wait_for_condition(conditions::HELD, "True", "EveryPlanNeedsApproval")
        .await;
    world
        .patch(json!({ "approvedPlan": status.plan.unwrap().hash }))
        .await;
    world.wait_for_phase(Phase::InSync).await;

    world
        .okta
        .edit(|org| org.set_title("jane.doe", Some("Principal Engineer")));
    world.insightful.journal().clear();
    world.sync().await;
    world.wait_for_phase(Phase::Held).await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_finalized_to_false_stops_all_writes() {
    let world = World::in_sync().await;
    world.patch(json!({ "finalized": false })).await;
    world.wait_for_phase(Phase::Review).await;
    world.insightful.journal().clear();
    world.okta.edit(|org| {
        org.rename_user("jane.doe", "Jane", "Roe");
        org.set_status("amir.haddad", "DEPROVISIONED");
    });
    let status = world.sync().await;
    assert_eq!(status.plan.unwrap().total, 2, "the plan is still shown");
    assert_eq!(world.writes(), Vec::<String>::new());
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.writes().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn unmatched_create_invites_people_without_an_employee() {
    let mut spec = open_guard();
    spec["matching"] = json!({ "unmatched": "Create" });
    let world = World::prepared().await;
    // With unidentifiable employees in the account, nobody is invited without a decision.
    world.insightful.edit(|account| {
        account.delete_employee(world.company.employee("device.k7"));
        account.delete_employee(world.company.employee("device.front"));
    });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    let planned = world.status().await.plan.unwrap().create_employees;
    assert!(planned >= 2);
    world.finalize().await;
    let invitations = world.insightful.journal().writes();
    let invitations: Vec<_> = invitations
        .iter()
        .filter(|entry| entry.method == "POST" && entry.path.ends_with("/employee"))
        .collect();
    assert_eq!(invitations.len(), usize::try_from(planned).unwrap());
    let account = world.insightful.snapshot();
    assert_eq!(
        account.employee("nina.newcomer@acme.com")["teamId"],
        account.team_id("Data Science"),
        "the team that the same apply created"
    );
    world.idle_sync_writes_nothing().await;
}
