//! SIGKILL at every boundary.

use std::time::Duration;

use okta_insightful_operator::api::Phase;
use sandbox::{faults::Kind, journal::Entry};

use crate::{
    boundary::{MOMENTS, Moment, Whole, each, each_kind, name, request, resolved_end, run, told, whole},
    scenario::{Finish, Leave},
    world::start_operator,
};

/// How many companies are in work at a time.
const AT_A_TIME: usize = 4;

const LONG: Duration = Duration::from_secs(120);

/// Runs one case. Gives what is to be told of it.
async fn case(
    finish: Finish,
    leave: Leave,
    whole: &Whole,
    place: usize,
    moment: Moment,
) -> Result<String, String> {
    let (mut world, status) = finish.prepared().await;
    assert_eq!(
        status.plan.unwrap().hash,
        whole.plan,
        "the same facts, the same plan"
    );
    let faults = world.insightful.faults();
    match moment {
        Moment::BeforeTheEffect => {
            faults.once(request(&whole.writes, place), Kind::Delay(LONG));
        }
        Moment::BeforeTheAnswer => {
            faults.once(request(&whole.writes, place), Kind::DelayAnswer(LONG));
        }
        Moment::AfterTheAnswer => {}
    }
    world.patch(leave.given_to(&whole.plan)).await;
    let journal = world.insightful.journal();
    let has_come = |entries: &[Entry]| moment.has_come(entries, place);
    journal.wait_until(has_come, LONG).await.unwrap();
    let mut operator = world.operator.take().unwrap();
    operator.kill().await.unwrap();
    drop(operator);
    faults.clear();
    let before = journal.writes();
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let writes = world.insightful.journal().writes();
    let end = resolved_end(&world).await;
    let status = world.status().await;

    let mut wrong = whole.differences(place, &end, &writes, &status);
    if let Leave::Approval = leave
        && place + 1 < finish.writes()
        && status.last_applied_plan.as_ref() != Some(&whole.plan)
    {
        wrong.push(format!(
            "the plan that was approved is {}, and the one that is applied {:?}",
            whole.plan, status.last_applied_plan
        ));
    }
    if wrong.is_empty() {
        let after = writes.len() - before.len();
        Ok(format!("{after} writes after the restart"))
    } else {
        wrong.push(format!(
            "the writes, {} of them before the kill:\n      {}",
            before.len(),
            told(&writes)
        ));
        Err(wrong.join("\n    "))
    }
}

/// Kills at the boundaries that are picked, at each moment.
async fn killed(finish: Finish, leave: Leave, places: impl Fn(&[Entry]) -> Vec<usize>) {
    let whole: &'static Whole = Box::leak(Box::new(whole(finish).await));
    let cases = places(&whole.writes)
        .into_iter()
        .flat_map(|place| MOMENTS.map(|moment| (place, moment)))
        .map(|(place, moment)| {
            let name = name(finish, whole, place, moment);
            (name, case(finish, leave, whole, place, moment))
        });
    run(cases.collect(), AT_A_TIME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_boundary_a_first_finish_ends_as_one_that_was_not() {
    killed(Finish::First, Leave::Guard, each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_boundary_a_finish_ends_as_one_that_was_not() {
    killed(Finish::Second, Leave::Guard, each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_an_approved_finish_ends_without_another_approval() {
    killed(Finish::Second, Leave::Approval, each_kind).await;
}
