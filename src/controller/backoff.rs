//! Exponential backoff after failures, for each person separately.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::PersonId;

/// The delay after the first failure; doubles with each further one.
const INITIAL_DELAY: Duration = Duration::from_secs(1);

const MAX_DELAY: Duration = Duration::from_secs(5 * 60);

/// The delay after a failure that follows `earlier` failures in a row.
pub fn delay(earlier: u32) -> Duration {
    INITIAL_DELAY
        .saturating_mul(2_u32.saturating_pow(earlier.min(16)))
        .min(MAX_DELAY)
}

/// The people whose last write failed, and when each is retried.
#[derive(Debug, Default)]
pub struct Backoffs(BTreeMap<PersonId, Backoff>);

#[derive(Debug)]
struct Backoff {
    failures: u32,
    retry_at: Instant,
}

impl Backoffs {
    pub fn record_failure(&mut self, person: PersonId, now: Instant) {
        let backoff = self.0.entry(person).or_insert(Backoff {
            failures: 0,
            retry_at: now,
        });
        backoff.retry_at = now + delay(backoff.failures);
        backoff.failures = backoff.failures.saturating_add(1);
    }

    /// Forgets the failures of everybody else.
    pub fn retain(&mut self, keep: impl Fn(&PersonId) -> bool) {
        self.0.retain(|person, _| keep(person));
    }

    /// Ends all delays; a further failure still doubles the next one.
    pub fn retry_now(&mut self, now: Instant) {
        for backoff in self.0.values_mut() {
            backoff.retry_at = backoff.retry_at.min(now);
        }
    }

    /// The people who are not to be retried yet.
    pub fn backing_off(&self, now: Instant) -> BTreeSet<PersonId> {
        let backing_off = self.0.iter().filter(|(_, backoff)| now < backoff.retry_at);
        backing_off.map(|(person, _)| person.clone()).collect()
    }

    /// The time to the next retry; None if nobody is backing off.
    pub fn next_retry(&self, now: Instant) -> Option<Duration> {
        let delays = self
            .0
            .values()
            .map(|backoff| backoff.retry_at.saturating_duration_since(now));
        delays.filter(|delay| !delay.is_zero()).min()
    }
}

/// Failures in a row, and the delay that follows from them.
#[derive(Debug, Default)]
pub struct FailureStreak(u32);

impl FailureStreak {
    /// Records one more failure. Returns the time until the retry.
    pub fn next_delay(&mut self) -> Duration {
        let delay = delay(self.0);
        self.0 = self.0.saturating_add(1);
        delay
    }

    /// Records a success.
    pub fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_ends_a_streak_of_failures() {
        let mut streak = FailureStreak::default();
        let delays: Vec<u64> = (0..3).map(|_| streak.next_delay().as_secs()).collect();
        assert_eq!(delays, [1, 2, 4]);
        streak.reset();
        assert_eq!(streak.next_delay().as_secs(), 1);
    }

    #[test]
    fn delays_double_to_a_bound() {
        let delays: Vec<u64> = (0..10).map(|earlier| delay(earlier).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(delay(u32::MAX), MAX_DELAY);
    }

    enum Event {
        Fails(&'static str),
        Succeeds(&'static str),
        SyncRequested,
    }

    #[test]
    fn each_person_has_their_own_backoff() {
        use Event::{Fails, Succeeds, SyncRequested};
        // The second, the event, who backs off after it, and the seconds to the next retry.
        let steps: [(u64, Event, &[&str], Option<u64>); 13] = [
            (0, Fails("jane"), &["jane"], Some(1)),
            (1, Fails("jane"), &["jane"], Some(2)),
            (3, Fails("jane"), &["jane"], Some(4)),
            // Omar's failure does not change Jane's delay, and is retried first.
            (4, Fails("omar"), &["jane", "omar"], Some(1)),
            (5, Fails("omar"), &["jane", "omar"], Some(2)),
            (7, Succeeds("omar"), &[], None),
            (7, Fails("jane"), &["jane"], Some(8)),
            // A success resets only that person's delay.
            (8, Fails("omar"), &["jane", "omar"], Some(1)),
            (9, Succeeds("omar"), &["jane"], Some(6)),
            (10, SyncRequested, &[], None),
            (10, Fails("jane"), &["jane"], Some(16)),
            (26, Succeeds("jane"), &[], None),
            (27, Fails("jane"), &["jane"], Some(1)),
        ];
        let begin = Instant::now();
        let mut backoffs = Backoffs::default();
        for (second, event, backing_off, next) in steps {
            let now = begin + Duration::from_secs(second);
            match event {
                Fails(person) => backoffs.record_failure(person.into(), now),
                Succeeds(person) => backoffs.retain(|other| *other != person.into()),
                SyncRequested => backoffs.retry_now(now),
            }
            let expected: BTreeSet<PersonId> = backing_off.iter().map(|person| (*person).into()).collect();
            assert_eq!(backoffs.backing_off(now), expected, "at {second}");
            assert_eq!(
                backoffs.next_retry(now),
                next.map(Duration::from_secs),
                "next retry after {second}"
            );
        }
    }
}
