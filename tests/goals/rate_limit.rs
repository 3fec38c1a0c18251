//! The share of Okta's rate limit that the operator uses, as counted by the emulator, while
//! other clients of the org use it too.

use std::time::Duration;

use okta_insightful_operator::api::Phase;
use sandbox::{
    company::Company,
    okta::{self, Bucket, Limits},
};
use serde_json::json;

use crate::{figure, until, world::World};

const PEOPLE: usize = 2000;
/// Enough for the reads of members to take several windows.
const TEAMS: usize = 300;
const PERCENT: u32 = 50;

pub async fn measure() {
    let company = Company::generate_with(PEOPLE, TEAMS, 1);
    let limits = Limits {
        // Shorter than Okta's window of a minute, to save time.
        window_seconds: 10,
        ..Limits::default()
    };
    let settings = okta::Settings {
        limits,
        ..okta::Settings::default()
    };
    let world = World::prepared_with(company, settings).await;
    world
        .activate(json!({ "okta": { "rateLimitPercent": PERCENT } }))
        .await;
    let others = async {
        loop {
            // In 10 seconds, 200 of the org's limit of 500; the token's limit is 250.
            world.okta.spend(Bucket::Groups, 2);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let reviewed = until(&world, "the review", Duration::from_secs(300), |status| {
        status.phase == Some(Phase::Review)
    });
    tokio::select! {
        () = others => {}
        _ = reviewed => {}
    }
    let refused = world
        .okta
        .journal()
        .entries()
        .iter()
        .filter(|entry| entry.status == Some(429))
        .count();
    let share = |bucket| {
        let (most, limit) = world.okta.most_used(bucket);
        format!("{most} of {limit} ({} %)", most * 100 / limit)
    };
    figure(
        "Share of Okta's rate limit, with other clients",
        format!("at most {PERCENT} % of each bucket"),
        format!(
            "groups {}, users {}; {refused} times 429",
            share(Bucket::Groups),
            share(Bucket::Users)
        ),
    );
}
