//! Shows the progress of long work in the status. Short work shows none, so that an idle cycle writes nothing.

use std::{future::Future, time::Duration};

use jiff::{SignedDuration, Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::scope::Scope;
use crate::{
    api::{Phase, Progress, Step, conditions},
    http::cluster,
    insightful::Budget,
    okta,
    services::Services,
};

/// How long work may take before it shows progress.
const MAX_SILENCE: Duration = Duration::from_secs(2);

/// How often progress is written.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Shows the progress of one integration's work.
pub struct Reporter<'a> {
    scope: Scope<'a>,
    /// The clients that the work uses, if any.
    services: Option<&'a Services>,
    /// The progress of each step, the present one last.
    steps: Mutex<Vec<StepProgress>>,
}

/// The progress of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StepProgress {
    step: Step,
    done: usize,
    total: Option<usize>,
    began: Instant,
}

impl<'a> Reporter<'a> {
    pub fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            services: None,
            steps: Mutex::default(),
        }
    }

    /// Reports waits for the rate limits of these services, too.
    pub fn with_services(mut self, services: &'a Services) -> Self {
        self.services = Some(services);
        self
    }

    /// Records how far a step has come.
    pub fn at(&self, step: Step, done: usize, total: Option<usize>) {
        let mut steps = self.steps.lock();
        let known = steps.iter().position(|at| at.step == step);
        let began = known.map_or_else(Instant::now, |place| steps.remove(place).began);
        steps.push(StepProgress {
            step,
            done,
            total,
            began,
        });
        drop(steps);
        self.scope.record_progress();
    }

    fn progress(&self) -> Option<Progress> {
        let at = *self.steps.lock().last()?;
        let (now, clock) = (Instant::now(), Timestamp::now());
        let waits = self
            .services
            .and_then(|services| services.rate_limit_wait.remaining(now));
        let budget = self
            .services
            .filter(|_| at.step == Step::Applying)
            .map(|services| services.insightful.budget());
        let left = time_left(at, now.saturating_duration_since(at.began), waits, budget);
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let time = |wait: Duration| {
            let wait = SignedDuration::try_from(wait).ok()?;
            // To the second, so that it does not change at every write.
            clock.checked_add(wait).ok()?.round(Unit::Second).ok().map(Time)
        };
        Some(Progress {
            step: at.step,
            done: count(at.done),
            total: at.total.map(count),
            waiting_until: waits.and_then(time),
            estimated_end: left.and_then(time),
        })
    }

    /// Records the progress of reading Okta.
    pub fn okta(&self, progress: okta::Progress) {
        let step = match progress.step {
            okta::ReadStep::ReadingUsers => Step::ReadingPeople,
            okta::ReadStep::ReadingGroups => Step::ReadingGroups,
            okta::ReadStep::ReadingMembers => Step::ReadingMembers,
        };
        self.at(step, progress.done, progress.total);
    }

    /// Runs the work and shows its progress. The work must not write the integration's status; it goes
    /// on while progress is written, and this returns after the last write of progress.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let over = Notify::new();
        let working = async {
            let done = work.await;
            over.notify_one();
            done
        };
        let showing = async {
            let mut ticks = interval_at(Instant::now() + MAX_SILENCE, PROGRESS_INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = over.notified() => return,
                    _ = ticks.tick() => {}
                }
                // The work goes on without progress.
                if let Err(error) = self.show().await {
                    tracing::debug!(error = cluster::message(&error), "could not write progress");
                }
            }
        };
        tokio::join!(working, showing).0
    }

    async fn show(&self) -> Result<(), kube::Error> {
        // A replica that was paused must not overwrite what its successor wrote.
        if self.scope.check_leadership().is_err() {
            return Ok(());
        }
        let Some(progress) = self.progress() else {
            return Ok(());
        };
        let mut status = self.scope.status();
        let (phase, reason) = match progress.step {
            Step::Applying => (Phase::Applying, "Applying"),
            _ => (Phase::Syncing, "Syncing"),
        };
        if progress.step == Step::Applying {
            // Both services were read for it, and the apply may take hours.
            status.last_handled_sync_request = self.scope.sync_request().map(str::to_owned);
        }
        status.phase = Some(phase);
        status.progress = Some(progress);
        let generation = self.scope.integration.metadata.generation;
        // Work that makes progress is not stalled.
        let facts = [(conditions::RECONCILING, true), (conditions::STALLED, false)]
            .map(|(type_, holds)| conditions::Fact::new(type_, holds, reason, "see status.progress"));
        let in_flight = conditions::merge(&status.conditions, facts.into(), generation, Timestamp::now());
        let is_in_flight = |condition: &Condition| in_flight.iter().any(|new| new.type_ == condition.type_);
        status.conditions.retain(|condition| !is_in_flight(condition));
        status.conditions.extend(in_flight);
        self.scope.write_status(&status).await
    }
}

/// The time that a step still takes: by its pace so far, but at least the present wait, and at least what the
/// rate limit takes for the remaining calls. None if nothing of this is known.
fn time_left(
    at: StepProgress,
    took: Duration,
    waits: Option<Duration>,
    budget: Option<Budget>,
) -> Option<Duration> {
    let left = at.total?.checked_sub(at.done)?;
    let by_pace = (at.done > 0).then(|| took.mul_f64(left as f64 / at.done as f64));
    let by_limit = budget.filter(|budget| left > budget.available).map(|budget| {
        let later = (left - budget.available - 1) / budget.per_minute.max(1);
        budget.more_in + Duration::from_secs(60).saturating_mul(u32::try_from(later).unwrap_or(u32::MAX))
    });
    let waits = waits.filter(|_| left > 0);
    by_pace.max(by_limit).max(waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_follows_from_the_pace_and_from_the_rate_limit() {
        let seconds = Duration::from_secs;
        let budget = |available, more_in| {
            Some(Budget {
                available,
                per_minute: 200,
                more_in: seconds(more_in),
            })
        };
        for (done, total, took, waits, budget, expected) in [
            // Nothing tells.
            (0, None, 3, None, None, None),
            (50, None, 3, None, None, None),
            (0, Some(50), 3, None, None, None),
            // The pace so far.
            (10, Some(50), 3, None, None, Some(12)),
            (50, Some(50), 3, None, None, Some(0)),
            // A wait, and nothing left to wait for.
            (10, Some(50), 3, Some(40), None, Some(40)),
            (0, Some(50), 3, Some(40), None, Some(40)),
            (50, Some(50), 3, Some(40), None, Some(0)),
            // What the minute allows is enough, and is not.
            (100, Some(200), 10, None, budget(100, 50), Some(10)),
            (100, Some(201), 10, None, budget(100, 50), Some(50)),
            (0, Some(348), 0, None, budget(197, 58), Some(58)),
            (200, Some(1000), 10, Some(50), budget(0, 50), Some(50 + 3 * 60)),
            (200, Some(1001), 10, Some(50), budget(0, 50), Some(50 + 4 * 60)),
            // A pace below the limit counts.
            (100, Some(1100), 600, None, budget(150, 30), Some(6000)),
        ] {
            let at = StepProgress {
                step: Step::Applying,
                done,
                total,
                began: Instant::now(),
            };
            assert_eq!(
                time_left(at, seconds(took), waits.map(seconds), budget),
                expected.map(seconds),
                "{done} of {total:?}"
            );
        }
    }
}
