//! Where a finish is cut short, and what must be there in the end all the same.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use okta_insightful_operator::api::{OktaIntegrationStatus, Phase};
use sandbox::{faults::Match, journal::Entry};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    final_state::{End, call, effects},
    scenario::Finish,
    world::World,
};

/// Where a write stands when the operator dies or sleeps.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// The request is made, or is about to be, and has no effect.
    BeforeTheEffect,
    /// The effect is there, the answer is not.
    BeforeTheAnswer,
    /// The answer has just been given.
    AfterTheAnswer,
}

pub const MOMENTS: [Moment; 3] = [
    Moment::BeforeTheEffect,
    Moment::BeforeTheAnswer,
    Moment::AfterTheAnswer,
];

impl Moment {
    /// Whether the write of this place stands so.
    pub fn has_come(self, entries: &[Entry], place: usize) -> bool {
        let write = entries.iter().filter(|entry| entry.is_write()).nth(place);
        write.is_some_and(|write| match self {
            Self::BeforeTheEffect => true,
            Self::BeforeTheAnswer => write.effect,
            Self::AfterTheAnswer => write.status.is_some(),
        })
    }
}

/// A finish that nothing cuts short.
pub struct Whole {
    pub plan: String,
    pub writes: Vec<Entry>,
    pub end: End,
}

/// Runs it.
pub async fn whole(finish: Finish) -> Whole {
    let (world, status) = finish.prepared().await;
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::InSync).await;
    let writes = world.insightful.journal().writes();
    assert_eq!(writes.len(), finish.writes(), "{:#?}", world.writes());
    let end = resolved_end(&world).await;
    Whole {
        plan: status.plan.unwrap().hash,
        writes,
        end,
    }
}

/// The end, once it is in step and another sync finds nothing to do.
pub async fn resolved_end(world: &World) -> End {
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let end = End::of(world).await;
    world.idle_sync_writes_nothing().await;
    end
}

/// The requests of the kind that write `place` is of, after those that come before it.
pub fn request(writes: &[Entry], place: usize) -> Match {
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

impl Whole {
    /// What is otherwise in a finish that was cut short at the write of this place.
    pub fn differences(
        &self,
        place: usize,
        end: &End,
        writes: &[Entry],
        status: &OktaIntegrationStatus,
    ) -> Vec<String> {
        let mut wrong = self.end.differences(end);
        let (expected, seen) = (effects(&self.writes), effects(writes));
        wrong.extend(unlike(&expected, &seen, &call(&self.writes[place])));
        if status.applying.is_some() {
            wrong.push(format!("it is still on record: {:?}", status.applying));
        }
        wrong
    }
}

/// The writes, for people.
pub fn told(writes: &[Entry]) -> String {
    let lines: Vec<String> = writes
        .iter()
        .map(|entry| format!("{} effect={} {:?}", entry.line(), entry.effect, entry.body))
        .collect();
    lines.join("\n      ")
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
    let calls: BTreeSet<&String> = expected.keys().chain(seen.keys()).collect();
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

/// Runs cases so many at a time, prints a line for each, and fails if one ended otherwise.
pub async fn run<C>(cases: Vec<(String, C)>, at_a_time: usize)
where
    C: Future<Output = Result<String, String>> + Send + 'static,
{
    let count = cases.len();
    let cases = cases.into_iter().map(|(name, case)| async move {
        let started = Instant::now();
        // A panic in a case is that case's result.
        let result = tokio::spawn(case).await;
        let result = result.unwrap_or_else(|panic| Err(panic.to_string()));
        let told = match &result {
            Ok(told) => format!("ok, {told}"),
            Err(wrong) => format!("WRONG\n    {wrong}"),
        };
        println!("{name}: {told} ({:.1} s)", started.elapsed().as_secs_f32());
        result.is_err()
    });
    let wrong: Vec<bool> = stream::iter(cases).buffer_unordered(at_a_time).collect().await;
    assert_eq!(wrong.len(), count);
    let wrong = wrong.into_iter().filter(|wrong| *wrong).count();
    assert_eq!(
        wrong, 0,
        "cases that did not end as the finish that nothing cut short"
    );
}

/// What a case is called: the finish, the write and the moment.
pub fn name(finish: Finish, whole: &Whole, place: usize, moment: Moment) -> String {
    let call = call(&whole.writes[place]);
    format!("{finish:?} {:>2} {call:<60} {moment:?}", place + 1)
}

/// Every boundary.
pub fn each(writes: &[Entry]) -> Vec<usize> {
    (0..writes.len()).collect()
}

/// One boundary of each kind: a team, an invitation, its title, an update, a
/// move, a restore and a deactivation.
pub fn each_kind(writes: &[Entry]) -> Vec<usize> {
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
        place_of(&|call| call.starts_with("update ") && call.ends_with(" teamId")),
        // Restores come last of all but the deactivations.
        deactivation - 1,
        deactivation,
    ]
}
