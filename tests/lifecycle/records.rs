//! A record that cannot be read is passed over and named. It is neither missing nor gone, and stops nobody else.

use okta_insightful_operator::api::{MatchState, Phase, TeamState, conditions};
use sandbox::faults::{Kind, Match};
use serde_json::{Value, json};

use crate::world::World;

const GROUPS: &str = "/api/v1/groups";

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_read_are_named_and_stop_nobody_else() {
    let world = World::in_sync().await;
    world.idle_sync_writes_nothing().await;
    let before = world.status().await;
    let company = &world.company;
    let (sales, support) = (company.team("Sales"), company.group("Support"));
    let (jane, igor) = (company.employee("jane.doe"), company.user("igor.petrov"));
    let igors_match = world.match_name("igor.petrov");
    let igors = world.okta.snapshot().users[igor].clone();
    world.insightful.edit(|account| {
        account.set(jane, "name", json!({ "first": "Jane" }));
        account.set_team("Sales", "name", Value::Null);
    });
    world.okta.edit(|org| {
        org.users.get_mut(igor).unwrap()["profile"] = json!("Igor Petrov");
        org.set_title("chen.xiu", Some("Head of Design"));
    });
    let mut groups = world.okta.snapshot().groups.into_values().collect::<Vec<_>>();
    groups.retain(|group| {
        group["profile"]["name"]
            .as_str()
            .unwrap()
            .starts_with("OKTA_INSGRP_")
    });
    for group in groups.iter_mut().filter(|group| group["id"] == support) {
        group["profile"]["name"] = json!(7);
    }
    // The emulator's search finds no group without a name.
    let nameless = world
        .okta
        .faults()
        .always(Match::get(GROUPS), Kind::Status(200, Some(json!(groups))));
    world.insightful.journal().clear();

    let status = world.sync().await;
    let message = world
        .wait_for_condition(conditions::RECORDS_UNREADABLE, "True", "InBothServices")
        .await;
    for part in [
        "4 records cannot be read".to_owned(),
        format!("Insightful employee {jane}: name: must be a string"),
        format!("Insightful team {sales}: name: invalid type: null"),
        format!("Okta user {igor}: profile: invalid type"),
        format!("Okta group {support}: profile.name: invalid type: integer"),
    ] {
        assert!(message.contains(&part), "{part}: {message}");
    }
    world.wait_for_event("RecordsUnreadable").await;
    world.wait_for_reason("jane.doe", "EmployeeUnreadable").await;
    let reason = || async {
        let status = world.matches().await[&igors_match].status.clone().unwrap();
        conditions::find(&status.conditions, conditions::READY)
            .unwrap()
            .reason
            .clone()
    };
    world
        .poll("Igor's reason", reason, |reason| reason == "PersonUnreadable")
        .await;
    for (team, group) in [("Sales", company.group("Sales")), ("Support", support)] {
        let known = before.teams.iter().find(|team| team.group_id == group).unwrap();
        let now = status.teams.iter().find(|team| team.group_id == group).unwrap();
        assert_eq!(
            (&now.team_id, now.members),
            (&known.team_id, known.members),
            "{team}"
        );
        assert_eq!((now.name.as_str(), now.state), (team, TeamState::Existing));
        assert!(
            now.message.as_ref().unwrap().contains("cannot be read"),
            "{now:?}"
        );
    }
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(
        world.writes().len(),
        1,
        "only the new title: {:?}",
        world.writes()
    );
    let titles = world.insightful.snapshot();
    assert_eq!(titles.title(company.employee("chen.xiu")), Some("Head of Design"));
    world.idle_sync_writes_nothing().await;

    world.insightful.edit(|account| {
        account.set(jane, "name", "Jane Doe");
        account.set_team(sales, "name", "Sales");
    });
    world.okta.edit(|org| {
        org.users.insert(igor.to_owned(), igors);
    });
    nameless.remove();
    let after = world.sync().await;
    assert!(conditions::find(&after.conditions, conditions::RECORDS_UNREADABLE).is_none());
    assert_eq!(world.state("jane.doe").await, MatchState::Matched);
    assert_eq!(world.state("igor.petrov").await, MatchState::Matched);
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_look_meant_are_listed_with_the_reason() {
    let world = World::in_review(json!({})).await;
    assert!(world.status().await.ignored_groups.is_empty());
    world.okta.edit(|org| {
        for name in [
            "okta_insgrp_Legal",
            "ACME\\OKTA_INSGRP_Legal",
            " OKTA_INSGRP_Legal",
            "OKTA_INSGRP-Legal",
            "Legal",
        ] {
            org.add_group(name);
        }
    });
    let status = world.sync().await;
    let names: Vec<_> = status
        .ignored_groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "ACME\\OKTA_INSGRP_Legal",
            "OKTA_INSGRP-Legal",
            "OKTA_INSGRP_Legal",
            "okta_insgrp_Legal"
        ]
    );
    assert!(status.ignored_groups[3].reason.contains("\"OKTA_INSGRP_Legal\""));
    let cluster = format!("{}/{}", world.namespace, crate::world::NAME);
    let plan = ["plan", "--cluster", &cluster, "--allow-http-loopback"];
    let json: Value =
        serde_json::from_str(&world.run_cli(&[&plan[..], &["-o", "json"]].concat()).await).unwrap();
    assert_eq!(json["ignoredGroups"], json!(status.ignored_groups));
    let table = world.run_cli(&plan).await;
    assert!(
        table.contains("IGNORED GROUP") && table.contains("okta_insgrp_Legal"),
        "{table}"
    );
    // Only the names of groups are read.
    let teams = world.status().await.teams;
    assert!(teams.iter().all(|team| team.name != "Legal"), "{teams:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_holds_no_token_says_what_is_wrong_with_it() {
    let world = World::in_review(json!({})).await;
    for (secret, value, says) in [
        ("okta", "\"00secret\"", "is in quotation marks"),
        ("okta", "SSWS 00secret", "begins with \"SSWS\""),
        ("insightful", "\u{feff}00secret", "begins with a byte-order mark"),
        ("insightful", "00secret 00secret", "has a blank in it"),
    ] {
        let token = match secret {
            "okta" => world.okta.token().to_owned(),
            _ => world.insightful.token().to_owned(),
        };
        world.write_secret(secret, "token", value).await;
        let asked = world.request_sync().await;
        let message = world
            .wait_for_condition(conditions::READY, "False", "InvalidToken")
            .await;
        let start = format!("the token in key \"token\" of Secret {secret:?} {says}");
        assert!(message.starts_with(&start), "{asked}: {message}");
        assert!(!message.contains("00secret"), "{message}");
        world.write_secret(secret, "token", &token).await;
        world.sync().await;
        world.wait_for_phase(Phase::Review).await;
    }
}
