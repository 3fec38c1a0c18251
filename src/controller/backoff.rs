//! When what failed is tried again: later after each failure, for each person
//! on their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::PersonId;

/// The first delay after a failure; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);

/// The longest delay after a failure.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// The delay after one more failure, where so many came before it in a row.
pub fn delay(earlier: u32) -> Duration {
    FIRST
        .saturating_mul(2_u32.saturating_pow(earlier.min(16)))
        .min(LONGEST)
}

/// The people whose last write failed, and when each is tried again.
#[derive(Debug, Default)]
pub struct Retries(BTreeMap<PersonId, Retry>);

#[derive(Debug)]
struct Retry {
    failures: u32,
    at: Instant,
}

impl Retries {
    /// A person's write failed, once more or for the first time.
    pub fn failed(&mut self, person: PersonId, now: Instant) {
        let retry = self.0.entry(person).or_insert(Retry { failures: 0, at: now });
        retry.at = now + delay(retry.failures);
        retry.failures = retry.failures.saturating_add(1);
    }

    /// Forgets everybody else: their writes took effect, or are due no longer.
    pub fn retain(&mut self, still_due: impl Fn(&PersonId) -> bool) {
        self.0.retain(|person, _| still_due(person));
    }

    /// Everybody may be tried again at once; the next failure still counts as one more.
    pub fn hurry(&mut self, now: Instant) {
        for retry in self.0.values_mut() {
            retry.at = retry.at.min(now);
        }
    }

    /// Those who still wait for their next try.
    pub fn resting(&self, now: Instant) -> BTreeSet<PersonId> {
        let resting = self.0.iter().filter(|(_, retry)| now < retry.at);
        resting.map(|(person, _)| person.clone()).collect()
    }

    /// Until the first of those who wait is tried again; None if nobody waits.
    pub fn next(&self, now: Instant) -> Option<Duration> {
        let waits = self
            .0
            .values()
            .map(|retry| retry.at.saturating_duration_since(now));
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
        assert_eq!(delay(u32::MAX), LONGEST);
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
        let mut retries = Retries::default();
        for (second, happening, resting, next) in story {
            let now = begin + Duration::from_secs(second);
            match happening {
                Fails(person) => retries.failed(person.into(), now),
                Succeeds(person) => retries.retain(|other| *other != person.into()),
                IsAskedFor => retries.hurry(now),
            }
            let expected: BTreeSet<PersonId> = resting.iter().map(|person| (*person).into()).collect();
            assert_eq!(retries.resting(now), expected, "at {second}");
            assert_eq!(
                retries.next(now),
                next.map(Duration::from_secs),
                "the next try after {second}"
            );
        }
    }
}
