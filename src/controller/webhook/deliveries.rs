//! What is remembered of the messages to one webhook, from one attempt to the next. All of it can be lost: the next
//! attempt is then made at once.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::receiver::Failure;
use crate::{
    api::{OktaIntegrationSpec, OktaIntegrationStatus},
    rules::notify::{self, Notice},
};

/// The delay after the first failure; doubles with each further one.
const INITIAL_DELAY: Duration = Duration::from_secs(30);

/// Also after a refusal that looks permanent, such as a 404: an archived channel or a workflow that is turned off comes
/// back under the same URL.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);

/// What an attempt was made with: with another spec or Secret the next one is made at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub generation: Option<i64>,
    /// The version of the Secret.
    pub secret: String,
}

#[derive(Debug, Default)]
pub struct Deliveries {
    /// What the receiver accepted and the status does not remember yet.
    accepted: Vec<Notice>,
    last_attempt: Option<Attempt>,
    /// Failed attempts in a row, with the same spec and Secret.
    failures: u32,
    retry_at: Option<Instant>,
    /// The failure that the status shows.
    failure: Option<Failure>,
}

impl Deliveries {
    /// The messages that neither the status nor this remembers.
    pub fn due(
        &self,
        spec: &OktaIntegrationSpec,
        status: &OktaIntegrationStatus,
        now: Timestamp,
    ) -> Vec<Notice> {
        if self.accepted.is_empty() {
            return notify::due(spec, status, now);
        }
        notify::due(
            spec,
            &notify::report(spec, status, &self.accepted, None, now),
            now,
        )
    }

    /// The status with what this remembers.
    pub fn report(
        &self,
        spec: &OktaIntegrationSpec,
        status: &OktaIntegrationStatus,
        now: Timestamp,
    ) -> OktaIntegrationStatus {
        let failure = self.failure.as_ref().map(|failure| failure.message.as_str());
        notify::report(spec, status, &self.accepted, failure, now)
    }

    /// Whether an attempt may be made now.
    pub fn begin(&mut self, attempt: Attempt, now: Instant) -> bool {
        let attempt = Some(attempt);
        if self.last_attempt == attempt {
            return self.retry_at.is_none_or(|retry_at| retry_at <= now);
        }
        self.last_attempt = attempt;
        self.failures = 0;
        self.retry_at = None;
        true
    }

    pub fn accepted(&mut self, notice: Notice) {
        self.accepted.push(notice);
    }

    /// What was accepted is in the status.
    pub fn recorded(&mut self) {
        self.accepted.clear();
    }

    /// Nothing waits any more.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.retry_at = None;
        self.failure = None;
    }

    /// A failure with the cause of the last one is shown as that one was, so that no attempt rewrites the status.
    pub fn failed(&mut self, failure: Failure, now: Instant) {
        self.retry_at = Some(now + delay(self.failures, failure.retry_after));
        self.failures = self.failures.saturating_add(1);
        if self.failure.as_ref().map(|shown| &shown.cause) != Some(&failure.cause) {
            self.failure = Some(failure);
        }
    }

    /// The time until the next attempt; None if nothing waits.
    pub fn retry_in(&self, now: Instant) -> Option<Duration> {
        self.failure.as_ref()?;
        Some(self.retry_at?.saturating_duration_since(now))
    }
}

/// The delay after a failure that follows `earlier` ones, but at least what the receiver asks for.
fn delay(earlier: u32, asked: Option<Duration>) -> Duration {
    INITIAL_DELAY
        .saturating_mul(2_u32.saturating_pow(earlier.min(16)))
        .min(MAX_DELAY)
        .max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(cause: &str, message: &str, retry_after: Option<Duration>) -> Failure {
        Failure {
            cause: cause.to_owned(),
            message: message.to_owned(),
            retry_after,
            concerns_one_message: false,
        }
    }

    fn attempt(generation: i64, secret: &str) -> Attempt {
        Attempt {
            generation: Some(generation),
            secret: secret.to_owned(),
        }
    }

    #[test]
    fn delays_double_to_an_hour_and_last_as_long_as_the_receiver_asks() {
        let delays: Vec<u64> = (0..9).map(|earlier| delay(earlier, None).as_secs()).collect();
        assert_eq!(delays, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(delay(u32::MAX, None), MAX_DELAY);
        let minute = Some(Duration::from_secs(60));
        assert_eq!(delay(0, minute).as_secs(), 60);
        assert_eq!(delay(2, minute).as_secs(), 120);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_waits_unless_the_spec_or_the_secret_changes() {
        let mut deliveries = Deliveries::default();
        let now = Instant::now();
        assert!(deliveries.begin(attempt(1, "a"), now));
        deliveries.failed(failure("HTTP 503", "down", None), now);
        assert!(!deliveries.begin(attempt(1, "a"), now));
        let later = now + Duration::from_secs(30);
        assert!(deliveries.begin(attempt(1, "a"), later));
        deliveries.failed(failure("HTTP 503", "down", None), later);
        assert_eq!(deliveries.retry_in(later), Some(Duration::from_secs(60)));
        for changed in [attempt(1, "b"), attempt(2, "b")] {
            assert!(deliveries.begin(changed.clone(), later), "{changed:?}");
            deliveries.failed(failure("HTTP 503", "down", None), later);
            assert!(!deliveries.begin(changed, later));
            let first = Some(Duration::from_secs(30));
            assert_eq!(deliveries.retry_in(later), first, "the delays begin again");
        }
        deliveries.succeeded();
        assert_eq!(deliveries.retry_in(later), None);
        assert!(deliveries.begin(attempt(2, "b"), later));
    }

    #[tokio::test(start_paused = true)]
    async fn only_another_cause_is_shown() {
        let mut deliveries = Deliveries::default();
        let shown = |deliveries: &Deliveries| deliveries.failure.as_ref().unwrap().message.clone();
        deliveries.failed(failure("HTTP 500", "request 1", None), Instant::now());
        deliveries.failed(failure("HTTP 500", "request 2", None), Instant::now());
        assert_eq!(shown(&deliveries), "request 1");
        deliveries.failed(failure("HTTP 404", "gone", None), Instant::now());
        assert_eq!(shown(&deliveries), "gone");
    }
}
