//! Activate and sync: nothing is written to Insightful, everything is shown.

use okta_insightful_operator::api::{MatchState, Phase, TeamState, conditions};
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_in_scope_is_shown_with_who_they_are_and_what_would_change() {
    let world = World::in_review(json!({})).await;
    let status = world.status().await;
    assert_eq!(status.phase, Some(Phase::Review));
    let team = |name: &str| {
        status
            .teams
            .iter()
            .find(|team| team.name == name)
            .map(|team| team.state)
    };
    assert_eq!(team("Engineering"), Some(TeamState::Existing));
    assert_eq!(team("Data Science"), Some(TeamState::New));
    assert_eq!(team("Marketing"), Some(TeamState::New));
    assert!(
        status
            .teams
            .iter()
            .all(|team| !team.name.contains("OKTA_INSGRP_")),
        "the prefix is never visible"
    );

    assert_eq!(world.state("jane.doe").await, MatchState::Proposed);
    println!("{}", serde_yaml::to_string(&status).unwrap());
    println!(
        "{}",
        world
            .plane
            .kubectl(&["get", "oi,em", "-n", &world.namespace])
            .await
            .unwrap()
    );
    println!(
        "{}",
        world
            .plane
            .kubectl(&["get", "em", "-n", &world.namespace, "-o", "wide"])
            .await
            .unwrap()
    );
    assert!(conditions::find(&status.conditions, conditions::READY).is_some());
    assert_eq!(world.writes(), Vec::<String>::new());
    world.idle_sync_writes_nothing().await;
}
