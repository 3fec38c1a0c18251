//! Shows in the status how far long work has come; short work shows nothing,
//! so that an idle cycle writes no more than it must.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Context, integrations, session::Said};
use crate::{
    api::{OktaIntegration, Phase, Progress, Step, conditions},
    okta,
};

/// Work that takes no longer shows no progress.
const LONG: Duration = Duration::from_secs(2);

/// How often progress is written.
const EVERY: Duration = Duration::from_secs(1);

/// Shows the progress of one integration's work.
pub struct Reporter<'a> {
    ctx: &'a Context,
    integration: &'a OktaIntegration,
    said: Said,
    progress: Mutex<Option<Progress>>,
}

impl<'a> Reporter<'a> {
    /// One for a piece of work.
    pub fn new(ctx: &'a Context, integration: &'a OktaIntegration, said: &Said) -> Self {
        Self {
            ctx,
            integration,
            said: said.clone(),
            progress: Mutex::new(None),
        }
    }

    /// So far has it come.
    pub fn at(&self, step: Step, done: usize, total: Option<usize>) {
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let progress = Progress {
            step,
            done: count(done),
            total: total.map(count),
        };
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
        self.ctx.got_on(self.integration);
    }

    /// So far has reading Okta come.
    pub fn okta(&self, progress: okta::Progress) {
        let step = match progress.step {
            okta::Step::ReadingUsers => Step::ReadingPeople,
            okta::Step::ReadingGroups => Step::ReadingGroups,
            okta::Step::ReadingMembers => Step::ReadingMembers,
        };
        self.at(step, progress.done, progress.total);
    }

    /// Does the work, and shows its progress while it lasts.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut ticks = interval_at(Instant::now() + LONG, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = ticks.tick() => {
                    // Progress that cannot be shown is no reason to stop the work.
                    if let Err(error) = self.show().await {
                        tracing::debug!(%error, "progress could not be shown");
                    }
                }
            }
        }
    }

    async fn show(&self) -> Result<(), kube::Error> {
        // What a replica that was paused remembers is old by now.
        if !self.ctx.leadership.holds() {
            return Ok(());
        }
        let Some(progress) = self
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
        else {
            return Ok(());
        };
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut status = said
            .or_else(|| self.integration.status.clone())
            .unwrap_or_default();
        let (phase, reason) = match progress.step {
            Step::Applying => (Phase::Applying, "Applying"),
            _ => (Phase::Syncing, "Syncing"),
        };
        status.phase = Some(phase);
        status.progress = Some(progress);
        let generation = self.integration.metadata.generation;
        let under_way = conditions::Fact::new(conditions::RECONCILING, true, reason, "see status.progress");
        let under_way = conditions::merge(
            &status.conditions,
            vec![under_way],
            generation,
            jiff::Timestamp::now(),
        );
        status
            .conditions
            .retain(|condition| condition.type_ != conditions::RECONCILING);
        status.conditions.extend(under_way);
        integrations::write_status(self.ctx, self.integration, &self.said, &status).await
    }
}
