//! The duration of a full sync with latency, compared with the same requests in sequence.

use std::time::{Duration, Instant};

use okta_insightful_operator::api::Phase;
use sandbox::{company::Company, journal::Entry, okta};
use serde_json::json;

use crate::{figure, until, world::World};

const PEOPLE: usize = 5000;
const TEAMS: usize = 50;
const LATENCY: Duration = Duration::from_millis(50);

pub async fn measure() {
    let company = Company::generate_with(PEOPLE, TEAMS, 1);
    let settings = okta::Settings {
        latency: LATENCY,
        ..okta::Settings::default()
    };
    let world = World::prepared_with(company, settings).await;
    world.insightful.configure(|settings| settings.latency = LATENCY);
    world.activate(json!({})).await;
    until(&world, "the review", Duration::from_secs(300), |status| {
        status.phase == Some(Phase::Review)
    })
    .await;
    let okta = world.okta.journal().entries();
    let insightful = world.insightful.journal().entries();
    // Times are relative to the start of each emulator; both started at almost the same time.
    let at = |entry: &&Entry| entry.at;
    let first = okta.iter().min_by_key(at).unwrap().at;
    let last = okta.iter().max_by_key(at).unwrap().at + LATENCY;
    let duration = last - first;
    let refused = |entries: &[Entry]| entries.iter().filter(|entry| entry.status == Some(429)).count();
    let refused = refused(&okta) + refused(&insightful);

    let client = reqwest::Client::builder()
        .no_proxy()
        .user_agent("goals")
        .build()
        .unwrap();
    let started = Instant::now();
    for (entries, base, token) in [
        (&okta, world.okta.url(), format!("SSWS {}", world.okta.token())),
        (
            &insightful,
            world.insightful.url().replace("/api/v1", ""),
            format!("Bearer {}", world.insightful.token()),
        ),
    ] {
        for entry in entries {
            let url = format!("{base}{}", entry.path);
            let request = client
                .get(url)
                .query(&entry.query)
                .header("authorization", &token);
            let answer = request.send().await.unwrap().error_for_status().unwrap();
            answer.bytes().await.unwrap();
        }
    }
    let sequential = started.elapsed();
    figure(
        "Full sync of 5,000 people in 50 groups at 50 ms latency",
        "at least 3 times faster than in sequence; no 429",
        format!(
            "{:.1} times ({:.1} s; {:.1} s in sequence, {} calls); {refused} times 429",
            sequential.as_secs_f64() / duration.as_secs_f64(),
            duration.as_secs_f64(),
            sequential.as_secs_f64(),
            okta.len() + insightful.len(),
        ),
    );
}
