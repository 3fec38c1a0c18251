//! When what failed is tried again: later after each failure, for each person
//! on their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::PersonId;

/// The first delay after a failure; it doubles up to [`MAX_DELAY`].
const INITIAL_DELAY: Duration = Duration::from_secs(1);

/// The longest delay after a failure.
const MAX_DELAY: Duration = Duration::from_secs(5 * 60);

/// The delay after one more failure, where so many came before it in a row.
pub fn delay(earlier: u32) -> Duration {
    INITIAL_DELAY
        .saturating_mul(2_u32.saturating_pow(earlier.min(16)))
        .min(MAX_DELAY)
}

/// The people whose last write failed, and when each is tried again.
#[derive(Debug, Default)]
pub struct Backoffs(BTreeMap<PersonId, Backoff>);

#[derive(Debug)]
struct Backoff {
    failures: u32,
    retry_at: Instant,
}

impl Backoffs {
    /// A person's write failed, once more or for the first time.
    pub fn record_failure(&mut self, person: PersonId, now: Instant) {
        let backoff = self.0.entry(person).or_insert(Backoff {
            failures: 0,
            retry_at: now,
        });
        backoff.retry_at = now + delay(backoff.failures);
        backoff.failures = backoff.failures.saturating_add(1);
    }

    /// Forgets everybody else: their writes took effect, or are due no longer.
    pub fn retain(&mut self, still_due: impl Fn(&PersonId) -> bool) {
        self.0.retain(|person, _| still_due(person));
    }

    /// Everybody may be tried again at once; the next failure still counts as one more.
    pub fn retry_now(&mut self, now: Instant) {
        for backoff in self.0.values_mut() {
            backoff.retry_at = backoff.retry_at.min(now);
        }
    }

    /// Those who still wait for their next try.
    pub fn backing_off(&self, now: Instant) -> BTreeSet<PersonId> {
        let backing_off = self.0.iter().filter(|(_, backoff)| now < backoff.retry_at);
        backing_off.map(|(person, _)| person.clone()).collect()
    }

    /// Until the first of those who wait is tried again; None if nobody waits.
    pub fn next_retry(&self, now: Instant) -> Option<Duration> {
        let waits = self
            .0
            .values()
            .map(|backoff| backoff.retry_at.saturating_duration_since(now));
        waits.filter(|wait| !wait.is_zero()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_a_bound() {
        let delays: Vec<u64> = (0..10).map(|earlier| delay(earlier).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(delay(u32::MAX), MAX_DELAY);
    }

    /// What happens at a second.
    enum Happening {
        Fails(&'static str),
        Succeeds(&'static str),
        IsAskedFor,
    }

    #[test]
    fn each_persons_failures_are_their_own() {
        use Happening::{Fails, IsAskedFor, Succeeds};
        // At this second this happens; then these people rest, and the next try is in so many seconds.
        let story: [(u64, Happening, &[&str], Option<u64>); 13] = [
            (0, Fails("jane"), &["jane"], Some(1)),
            (1, Fails("jane"), &["jane"], Some(2)),
            (3, Fails("jane"), &["jane"], Some(4)),
            // Another's fresh failure neither resets nor lengthens hers, and is tried again first.
            (4, Fails("omar"), &["jane", "omar"], Some(1)),
            (5, Fails("omar"), &["jane", "omar"], Some(2)),
            (7, Succeeds("omar"), &[], None),
            (7, Fails("jane"), &["jane"], Some(8)),
            // A success resets one's own only.
            (8, Fails("omar"), &["jane", "omar"], Some(1)),
            (9, Succeeds("omar"), &["jane"], Some(6)),
            (10, IsAskedFor, &[], None),
            (10, Fails("jane"), &["jane"], Some(16)),
            (26, Succeeds("jane"), &[], None),
            (27, Fails("jane"), &["jane"], Some(1)),
        ];
        let begin = Instant::now();
        let mut backoffs = Backoffs::default();
        for (second, happening, backing_off, next) in story {
            let now = begin + Duration::from_secs(second);
            match happening {
                Fails(person) => backoffs.record_failure(person.into(), now),
                Succeeds(person) => backoffs.retain(|other| *other != person.into()),
                IsAskedFor => backoffs.retry_now(now),
            }
            let expected: BTreeSet<PersonId> = backing_off.iter().map(|person| (*person).into()).collect();
            assert_eq!(backoffs.backing_off(now), expected, "at {second}");
            assert_eq!(
                backoffs.next_retry(now),
                next.map(Duration::from_secs),
                "the next try after {second}"
            );
        }
    }
}
