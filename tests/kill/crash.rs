//! SIGKILL at every boundary.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use okta_insightful_operator::api::Phase;
use sandbox::{
    faults::{Kind, Match},
    journal::Entry,
};
use serde_json::json;

use crate::{
    company::{Finish, Leave},
    end::{End, call, effects},
    world::{World, start_operator},
};

/// How many companies are in work at a time.
const AT_A_TIME: usize = 4;

const LONG: Duration = Duration::from_secs(120);

/// Where a write stands when the operator dies.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The request is sent and has no effect.
    BeforeTheEffect,
    /// The effect is there, the answer is not.
    BeforeTheAnswer,
    /// The answer has just been given.
    AfterTheAnswer,
}

const MOMENTS: [Moment; 3] = [
    Moment::BeforeTheEffect,
    Moment::BeforeTheAnswer,
    Moment::AfterTheAnswer,
];

/// A finish without a crash.
struct Whole {
    plan: String,
    writes: Vec<Entry>,
    end: End,
}

async fn whole(finish: Finish) -> Whole {
    let (world, status) = finish.prepared().await;
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::InSync).await;
    let writes = world.insightful.journal().writes();
    assert_eq!(writes.len(), finish.writes(), "{:#?}", world.writes());
    let end = settled_end(&world).await;
    Whole {
        plan: status.plan.unwrap().hash,
        writes,
        end,
    }
}

/// The end, once it is in step and another sync finds nothing to do.
async fn settled_end(world: &World) -> End {
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let end = End::of(world).await;
    world.idle_sync_writes_nothing().await;
    end
}

/// The requests of the kind that write `place` is of, after those that come before it.
fn request(writes: &[Entry], place: usize) -> Match {
    let kind = |entry: &Entry| -> (String, &'static str) {
        let path = match entry.path.as_str() {
            "/api/v1/team" => "/api/v1/team",
            "/api/v1/employee" => "/api/v1/employee",
            path if path.contains("/deactivate/") => "/api/v1/employee/deactivate/*",
            _ => "/api/v1/employee/*",
        };
        (entry.method.clone(), path)
    };
    let (method, path) = kind(&writes[place]);
    let earlier = writes[..place]
        .iter()
        .filter(|entry| kind(entry) == (method.clone(), path))
        .count();
    Match::on(&method, path).after(u32::try_from(earlier).unwrap())
}

/// Runs one case. Gives how many writes the operator made after its restart.
async fn case(
    finish: Finish,
    leave: Leave,
    whole: &Whole,
    place: usize,
    moment: Moment,
) -> Result<usize, String> {
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
    let is_there = |entries: &[Entry]| {
        let write = entries.iter().filter(|entry| entry.is_write()).nth(place);
        write.is_some_and(|write| match moment {
            Moment::BeforeTheEffect => true,
            Moment::BeforeTheAnswer => write.effect,
            Moment::AfterTheAnswer => write.status.is_some(),
        })
    };
    let journal = world.insightful.journal();
    journal.wait_until(is_there, LONG).await.unwrap();
    let mut operator = world.operator.take().unwrap();
    operator.kill().await.unwrap();
    drop(operator);
    faults.clear();
    let before = journal.writes();
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let writes = world.insightful.journal().writes();
    let end = settled_end(&world).await;
    let status = world.status().await;

    let mut wrong = whole.end.differences(&end);
    let (expected, seen) = (effects(&whole.writes), effects(&writes));
    wrong.extend(unlike(&expected, &seen, &call(&whole.writes[place])));
    if status.applying.is_some() {
        wrong.push(format!("it is still on record: {:?}", status.applying));
    }
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
        Ok(writes.len() - before.len())
    } else {
        let lines: Vec<String> = writes
            .iter()
            .map(|entry| format!("{} effect={} {:?}", entry.line(), entry.effect, entry.body))
            .collect();
        wrong.push(format!(
            "the writes, {} of them before the kill:\n      {}",
            before.len(),
            lines.join("\n      ")
        ));
        Err(wrong.join("\n    "))
    }
}

/// Effects that are missing or too many. Of the write that was cut short, a
/// title may be set again, since no answer shows it: the same value twice is one.
fn unlike(
    expected: &BTreeMap<String, usize>,
    seen: &BTreeMap<String, usize>,
    cut_short: &str,
) -> Vec<String> {
    let again = cut_short
        .strip_prefix("update ")
        .and_then(|rest| rest.split_once(' '))
        .filter(|(_, fields)| fields.split(',').any(|field| field == "title"))
        .map(|(employee, _)| format!("update {employee} title"));
    let calls: std::collections::BTreeSet<&String> = expected.keys().chain(seen.keys()).collect();
    calls
        .into_iter()
        .filter(|call| {
            let (expected, seen) = (expected.get(*call), seen.get(*call));
            let (expected, seen) = (expected.copied().unwrap_or(0), seen.copied().unwrap_or(0));
            seen != expected && !(again.as_ref() == Some(*call) && seen == expected + 1)
        })
        .map(|call| {
            format!(
                "{call}: {:?} times instead of {:?}",
                seen.get(call),
                expected.get(call)
            )
        })
        .collect()
}

/// Runs the cases, prints a line for each, and fails if one ended otherwise.
async fn killed(finish: Finish, leave: Leave, places: impl Fn(&[Entry]) -> Vec<usize>) {
    let whole: &'static Whole = Box::leak(Box::new(whole(finish).await));
    let places = places(&whole.writes);
    let count = places.len() * MOMENTS.len();
    let cases = places
        .into_iter()
        .flat_map(|place| MOMENTS.map(|moment| (place, moment)))
        .map(|(place, moment)| async move {
            let started = Instant::now();
            // A panic in a case is that case's result.
            let result = tokio::spawn(case(finish, leave, whole, place, moment)).await;
            let result = result.unwrap_or_else(|panic| Err(panic.to_string()));
            let told = match &result {
                Ok(after) => format!("ok, {after} writes after the restart"),
                Err(wrong) => format!("WRONG\n    {wrong}"),
            };
            let call = call(&whole.writes[place]);
            let took = started.elapsed().as_secs_f32();
            println!(
                "{finish:?} {:>2} {call:<60} {moment:?}: {told} ({took:.1} s)",
                place + 1
            );
            result.is_err()
        });
    let wrong: Vec<bool> = stream::iter(cases).buffer_unordered(AT_A_TIME).collect().await;
    assert_eq!(wrong.len(), count);
    let wrong = wrong.into_iter().filter(|wrong| *wrong).count();
    assert_eq!(wrong, 0, "cases that did not end as the finish without a crash");
}

/// Every boundary.
fn each(writes: &[Entry]) -> Vec<usize> {
    (0..writes.len()).collect()
}

/// One boundary of each kind: a team, an invitation, its title, an update, a
/// restore and a deactivation.
fn each_kind(writes: &[Entry]) -> Vec<usize> {
    let calls: Vec<String> = writes.iter().map(call).collect();
    let place_of = |is: &dyn Fn(&str) -> bool| {
        let place = calls.iter().position(|call| is(call));
        place.unwrap_or_else(|| panic!("not every kind is there: {calls:#?}"))
    };
    let update = place_of(&|call| call.starts_with("update ") && call.contains("email"));
    let deactivation = place_of(&|call| call.starts_with("deactivate "));
    vec![
        place_of(&|call| call.starts_with("create team ")),
        place_of(&|call| call.starts_with("invite ")),
        place_of(&|call| call.starts_with("update ") && call.ends_with(" title")),
        update,
        // Restores come last of all but the deactivations.
        deactivation - 1,
        deactivation,
    ]
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
