//! The time to write UnmatchedEmployees, compared with the time to write as many EmployeeMatches in the same sync.

use std::time::{Duration, Instant};

use okta_insightful_operator::api::{Phase, Step, UnmatchedEmployee};
use sandbox::company::Company;
use serde_json::json;

use crate::{figure, first_proposals::no_limits, world::World};

const PEOPLE: usize = 10_000;
const TIMEOUT: Duration = Duration::from_secs(600);

pub async fn measure() {
    let mut company = Company::generate(PEOPLE, 1);
    // As many employees whom nobody in Okta resembles.
    for (number, mut employee) in company.employees.clone().into_iter().take(PEOPLE).enumerate() {
        employee["id"] = json!(format!("wother{number:05}"));
        employee["name"] = json!(format!("Device {number:05}"));
        employee["email"] = json!(format!("device-{number:05}@devices.example"));
        employee["identifier"] = json!(format!("device-{number:05}"));
        company.employees.push(employee);
    }
    let world = World::prepared_with(company, no_limits()).await;
    world.activate(json!({})).await;
    let began = Instant::now();
    let (mut matches, mut unmatched) = (Duration::ZERO, Duration::ZERO);
    let mut last = Instant::now();
    loop {
        let status = world.status().await;
        let passed = std::mem::replace(&mut last, Instant::now()).elapsed();
        match status.progress.map(|progress| progress.step) {
            Some(Step::WritingMatches) => matches += passed,
            Some(Step::WritingUnmatchedEmployees) => unmatched += passed,
            _ if status.phase == Some(Phase::Review) => break,
            _ => {}
        }
        assert!(
            began.elapsed() < TIMEOUT,
            "the review does not begin\n{}",
            world.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let api = world.api::<UnmatchedEmployee>();
    let written = api
        .list(&kube::api::ListParams::default())
        .await
        .unwrap()
        .items
        .len();
    figure(
        "10,000 UnmatchedEmployees in a first sync",
        "no longer than 10,000 EmployeeMatches",
        format!(
            "{written} in {:.1} s; the EmployeeMatches {:.1} s",
            unmatched.as_secs_f64(),
            matches.as_secs_f64()
        ),
    );
}
