//! Shows in the status how far long work has come; short work shows nothing,
//! so that an idle cycle writes no more than it must.

use std::{future::Future, time::Duration};

use jiff::{SignedDuration, Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{Context, integrations, leader::Term, session::Said};
use crate::{
    api::{OktaIntegration, Phase, Progress, Step, conditions},
    insightful::Budget,
    okta,
    services::Services,
};

/// Work that takes no longer shows no progress.
const LONG: Duration = Duration::from_secs(2);

/// How often progress is written.
const EVERY: Duration = Duration::from_secs(1);

/// Shows the progress of one integration's work.
pub struct Reporter<'a> {
    ctx: &'a Context,
    integration: &'a OktaIntegration,
    term: Term,
    said: Said,
    /// The clients that the work is done with, where it is done with any.
    services: Option<&'a Services>,
    /// How far each step has come, the present one last.
    steps: Mutex<Vec<At>>,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    step: Step,
    done: usize,
    total: Option<usize>,
    began: Instant,
}

impl<'a> Reporter<'a> {
    /// One for a piece of work that was begun in this term.
    pub fn new(ctx: &'a Context, integration: &'a OktaIntegration, term: Term, said: &Said) -> Self {
        Self {
            ctx,
            integration,
            term,
            said: said.clone(),
            services: None,
            steps: Mutex::default(),
        }
    }

    /// The same for work that calls these services: it says when they wait for a
    /// rate limit.
    pub fn waiting_with(mut self, services: &'a Services) -> Self {
        self.services = Some(services);
        self
    }

    /// So far has it come.
    pub fn at(&self, step: Step, done: usize, total: Option<usize>) {
        let mut steps = self.steps.lock();
        let known = steps.iter().position(|at| at.step == step);
        let began = known.map_or_else(Instant::now, |place| steps.remove(place).began);
        steps.push(At {
            step,
            done,
            total,
            began,
        });
        drop(steps);
        self.ctx.record_progress(self.integration);
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
            // To the second: nobody reads more, and it does not waver.
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

    /// So far has reading Okta come.
    pub fn okta(&self, progress: okta::Progress) {
        let step = match progress.step {
            okta::ReadStep::ReadingUsers => Step::ReadingPeople,
            okta::ReadStep::ReadingGroups => Step::ReadingGroups,
            okta::ReadStep::ReadingMembers => Step::ReadingMembers,
        };
        self.at(step, progress.done, progress.total);
    }

    /// Does the work, and shows its progress while it lasts. The work writes no
    /// status of the integration; it goes on while progress is being written, and
    /// is not over before that is.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let over = Notify::new();
        let working = async {
            let done = work.await;
            over.notify_one();
            done
        };
        let showing = async {
            let mut ticks = interval_at(Instant::now() + LONG, EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = over.notified() => return,
                    _ = ticks.tick() => {}
                }
                // Progress that cannot be shown is no reason to stop the work.
                if let Err(error) = self.show().await {
                    tracing::debug!(%error, "progress could not be shown");
                }
            }
        };
        tokio::join!(working, showing).0
    }

    async fn show(&self) -> Result<(), kube::Error> {
        // What a replica that was paused remembers is old by now.
        if !self.ctx.leadership.holds(self.term) {
            return Ok(());
        }
        let Some(progress) = self.progress() else {
            return Ok(());
        };
        let said = self.said.lock().clone();
        let mut status = said
            .or_else(|| self.integration.status.clone())
            .unwrap_or_default();
        let (phase, reason) = match progress.step {
            Step::Applying => (Phase::Applying, "Applying"),
            _ => (Phase::Syncing, "Syncing"),
        };
        if progress.step == Step::Applying {
            // Both services were read for it; what is written now may take hours.
            let request = integrations::sync_request(self.integration);
            status.last_handled_sync_request = request.map(str::to_owned);
        }
        status.phase = Some(phase);
        status.progress = Some(progress);
        let generation = self.integration.metadata.generation;
        // What stalled it before, it has got beyond.
        let facts = [(conditions::RECONCILING, true), (conditions::STALLED, false)]
            .map(|(type_, holds)| conditions::Fact::new(type_, holds, reason, "see status.progress"));
        let under_way = conditions::merge(&status.conditions, facts.into(), generation, Timestamp::now());
        let is_under_way = |condition: &Condition| under_way.iter().any(|new| new.type_ == condition.type_);
        status.conditions.retain(|condition| !is_under_way(condition));
        status.conditions.extend(under_way);
        integrations::write_status(self.ctx, self.integration, &self.said, &status).await
    }
}

/// How long a step still takes: by its pace so far, but no less than the present
/// wait, and than the rate limit takes for what is left. None where nothing tells.
fn time_left(at: At, took: Duration, waits: Option<Duration>, budget: Option<Budget>) -> Option<Duration> {
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
            let at = At {
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
