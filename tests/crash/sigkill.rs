//! The operator is killed with SIGKILL at every write and started again.

use std::time::Duration;

use okta_insightful_operator::api::Phase;
use sandbox::{faults::Kind, journal::Entry};

use crate::{
    boundary::{MOMENTS, Moment, Uninterrupted, each, each_kind, final_state, list, name, request, run},
    scenario::{Clearance, Scenario},
    world::start_operator,
};

/// How many cases run at a time.
const MAX_CONCURRENT: usize = 4;

const TIMEOUT: Duration = Duration::from_secs(120);

/// Runs one case. Returns details for its line, or how it differs.
async fn case(
    scenario: Scenario,
    clearance: Clearance,
    uninterrupted: &Uninterrupted,
    index: usize,
    moment: Moment,
) -> Result<String, String> {
    let (mut world, status) = scenario.prepared().await;
    assert_eq!(
        status.plan.unwrap().hash,
        uninterrupted.plan,
        "the plan must be the same in every run"
    );
    let faults = world.insightful.faults();
    match moment {
        Moment::BeforeEffect => {
            faults.once(request(&uninterrupted.writes, index), Kind::Delay(TIMEOUT));
        }
        Moment::BeforeResponse => {
            faults.once(request(&uninterrupted.writes, index), Kind::DelayAnswer(TIMEOUT));
        }
        Moment::AfterResponse => {}
    }
    world.patch(clearance.spec(&uninterrupted.plan)).await;
    let journal = world.insightful.journal();
    let reached = |entries: &[Entry]| moment.is_reached(entries, index);
    journal.wait_until(reached, TIMEOUT).await.unwrap();
    let mut operator = world.operator.take().unwrap();
    operator.kill().await.unwrap();
    drop(operator);
    faults.clear();
    let before = journal.writes();
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let writes = world.insightful.journal().writes();
    let state = final_state(&world).await;
    let status = world.status().await;

    let mut wrong = uninterrupted.differences(index, &state, &writes, &status);
    if let Clearance::Approved = clearance
        && index + 1 < scenario.writes()
        && status.last_applied_plan.as_ref() != Some(&uninterrupted.plan)
    {
        wrong.push(format!(
            "the approved plan is {}, the applied one {:?}",
            uninterrupted.plan, status.last_applied_plan
        ));
    }
    if wrong.is_empty() {
        let after = writes.len() - before.len();
        Ok(format!("{after} writes after the restart"))
    } else {
        wrong.push(format!(
            "all writes, {} of them before the kill:\n      {}",
            before.len(),
            list(&writes)
        ));
        Err(wrong.join("\n    "))
    }
}

/// Kills the operator at the chosen writes, at each moment.
async fn kill_at(scenario: Scenario, clearance: Clearance, choose: impl Fn(&[Entry]) -> Vec<usize>) {
    let uninterrupted: &'static Uninterrupted = Box::leak(Box::new(Uninterrupted::run(scenario).await));
    let cases = choose(&uninterrupted.writes)
        .into_iter()
        .flat_map(|index| MOMENTS.map(|moment| (index, moment)))
        .map(|(index, moment)| {
            let name = name(scenario, uninterrupted, index, moment);
            (name, case(scenario, clearance, uninterrupted, index, moment))
        });
    run(cases.collect(), MAX_CONCURRENT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_apply_killed_at_any_write_ends_like_an_uninterrupted_one() {
    kill_at(Scenario::FirstApply, Clearance::WithinGuard, each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_apply_killed_at_any_write_ends_like_an_uninterrupted_one() {
    kill_at(Scenario::LaterApply, Clearance::WithinGuard, each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_apply_killed_at_any_kind_of_write_needs_no_other_approval() {
    kill_at(Scenario::LaterApply, Clearance::Approved, each_kind).await;
}
