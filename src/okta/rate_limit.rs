//! Okta's rate limits: what an answer says about them, and how not to run into them.
//!
//! Each bucket has a number of calls per window, shared by everybody who uses the org. The
//! operator stays within its share of each, so that a sync starves nobody: all integrations of
//! an org count together, and each of them waits once the count has reached its own percentage.

use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::http::{Budget, server_time};

/// No window is longer; a header that says so is wrong.
const LONGEST_WINDOW_SECONDS: i64 = 3600;

/// How many calls to one org are under way at a time: less than half of the 35 that the smallest
/// orgs take from all their users together.
const MOST_AT_ONCE: u32 = 16;

/// What Okta counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    /// `/users`.
    Users,
    /// `/users/{id}`.
    User,
    /// `/groups`, and with it `/groups/{id}/users`.
    Groups,
}

impl Bucket {
    /// The stable word for labels.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::User => "user",
            Self::Groups => "groups",
        }
    }
}

/// What one answer says about its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RateHeaders {
    limit: u32,
    remaining: u32,
    /// Seconds since 1970 by Okta's clock: it names the window.
    reset: i64,
    /// From the answer to the next window.
    pub(super) wait: Duration,
}

impl RateHeaders {
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
            headers.get(name)?.to_str().ok()?.trim().parse().ok()
        }
        let reset: i64 = number(headers, "x-rate-limit-reset")?;
        let now = server_time(headers).as_second();
        let seconds = reset.saturating_sub(now).clamp(0, LONGEST_WINDOW_SECONDS) + 1;
        Some(Self {
            limit: number(headers, "x-rate-limit-limit")?,
            remaining: number(headers, "x-rate-limit-remaining")?,
            reset,
            wait: Duration::from_secs(seconds.unsigned_abs()),
        })
    }

    /// Whether the answer is about calls at the same time rather than calls per window.
    pub(super) fn is_concurrency(&self) -> bool {
        self.limit == 0 && self.remaining == 0
    }
}

struct Window {
    reset: i64,
    ends: Instant,
    limit: u32,
    /// Calls that the org has left, those in flight taken off.
    remaining: u32,
    /// Calls that we made.
    used: u32,
}

#[derive(Default)]
struct BucketState {
    /// The present window, once an answer told of it.
    window: Option<Window>,
    /// The limit of the window before: it is taken to be that of the next one, too.
    last_limit: Option<u32>,
    /// Calls since the window before ended, while nothing is known of the present one.
    unknown: u32,
    in_flight: u32,
    /// Whether the answers say nothing of limits, as behind a proxy that takes the headers off.
    silent: bool,
}

impl BucketState {
    /// Counts one more call that `percent` of the limit allows.
    fn admit(&mut self, percent: u8, now: Instant) -> Result<(), NotYet> {
        if self.window.as_ref().is_some_and(|window| window.ends <= now) {
            self.last_limit = self.window.take().map(|window| window.limit);
            self.unknown = self.in_flight;
        }
        if let Some(window) = &mut self.window {
            if window.used >= share(window.limit, percent) || window.remaining == 0 {
                return Err(NotYet::Until(window.ends));
            }
            window.used += 1;
            window.remaining -= 1;
        } else {
            // The first answer tells; until then no more than is certainly ours.
            let certain = self.last_limit.map_or(1, |limit| share(limit, percent));
            if !self.silent && self.in_flight > 0 && self.unknown >= certain {
                return Err(NotYet::UntilAnAnswer);
            }
            self.unknown += 1;
        }
        self.in_flight += 1;
        Ok(())
    }

    fn answered(&mut self, headers: &RateHeaders, now: Instant) {
        self.silent = false;
        match &mut self.window {
            Some(window) if window.reset > headers.reset => {}
            Some(window) if window.reset == headers.reset => {
                window.limit = headers.limit;
                window.remaining = window.remaining.min(headers.remaining);
            }
            window => {
                let used = match window {
                    // The service's window ended before we expected it.
                    Some(_) => self.in_flight,
                    None => self.unknown,
                };
                let others = self.in_flight.saturating_sub(1);
                *window = Some(Window {
                    reset: headers.reset,
                    ends: now + headers.wait,
                    limit: headers.limit,
                    remaining: headers.remaining.saturating_sub(others),
                    used,
                });
            }
        }
    }
}

/// How many calls of so many are ours to make: at least one.
fn share(limit: u32, percent: u8) -> u32 {
    let share = u64::from(limit) * u64::from(percent.clamp(1, 100)) / 100;
    u32::try_from(share).unwrap_or(u32::MAX).max(1)
}

/// Why a call has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotYet {
    /// The share of the window is used up: not before this time.
    Until(Instant),
    /// Another call is under way: not before an answer, which may tell of the window.
    UntilAnAnswer,
}

/// What is counted of one org's buckets, shared by all clients of the org.
#[derive(Default)]
pub struct OrgLimits {
    buckets: Mutex<[BucketState; 3]>,
    answered: Notify,
}

impl OrgLimits {
    /// Leave for one call within `percent` (from 1 to 100) of the bucket, or when to ask again.
    pub(super) fn admit(&self, bucket: Bucket, percent: u8, now: Instant) -> Result<Permit<'_>, NotYet> {
        let mut buckets = self.buckets.lock();
        let in_flight: u32 = buckets.iter().map(|state| state.in_flight).sum();
        if in_flight >= MOST_AT_ONCE {
            return Err(NotYet::UntilAnAnswer);
        }
        buckets[bucket as usize].admit(percent, now)?;
        Ok(Permit {
            limits: self,
            bucket,
            percent,
        })
    }

    /// The next end of a call that is under way. Take it before asking for leave, so that no end
    /// goes unheard in between.
    pub(super) fn next_answer(&self) -> Notified<'_> {
        self.answered.notified()
    }
}

/// Leave for one call; it is in flight until this is dropped.
pub(super) struct Permit<'a> {
    limits: &'a OrgLimits,
    bucket: Bucket,
    percent: u8,
}

impl Permit<'_> {
    /// Takes note of what the answer to the call says, None where it says nothing of limits. A
    /// bucket's answers can overtake each other.
    pub(super) fn answered(&self, headers: Option<&RateHeaders>, now: Instant) {
        let mut buckets = self.limits.buckets.lock();
        let state = &mut buckets[self.bucket as usize];
        match headers {
            Some(headers) if headers.is_concurrency() => {}
            Some(headers) => state.answered(headers, now),
            None => state.silent = state.window.is_none(),
        }
    }

    /// What is known of the bucket's present window.
    pub(super) fn budget(&self) -> Option<Budget> {
        let buckets = self.limits.buckets.lock();
        let window = buckets[self.bucket as usize].window.as_ref()?;
        Some(Budget {
            bucket: self.bucket.as_str(),
            limit: window.limit,
            remaining: window.remaining,
            share: share(window.limit, self.percent),
            used: window.used,
            ends: window.ends,
        })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut buckets = self.limits.buckets.lock();
        let state = &mut buckets[self.bucket as usize];
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(buckets);
        self.limits.answered.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{DATE, HeaderValue};

    use super::*;

    const NOW: i64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT

    fn headers(limit: &str, remaining: &str, reset: i64) -> Option<RateHeaders> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers.insert("X-Rate-Limit-Limit", HeaderValue::from_str(limit).unwrap());
        headers.insert(
            "X-Rate-Limit-Remaining",
            HeaderValue::from_str(remaining).unwrap(),
        );
        headers.insert("X-Rate-Limit-Reset", HeaderValue::from(reset));
        RateHeaders::read(&headers)
    }

    #[test]
    fn the_wait_is_by_oktas_clock_and_bounded() {
        for (reset, seconds) in [
            (NOW + 42, 43),
            (NOW, 1),
            (NOW - 100, 1),
            (NOW * 1000, 3601),
            (i64::MIN, 1),
            (i64::MAX, 3601),
        ] {
            assert_eq!(
                headers("600", "0", reset).unwrap().wait,
                Duration::from_secs(seconds),
                "{reset}"
            );
        }
    }

    #[test]
    fn a_concurrency_limit_is_told_apart() {
        assert!(headers("0", "0", NOW).unwrap().is_concurrency());
        assert!(!headers("600", "0", NOW).unwrap().is_concurrency());
        assert_eq!(headers("many", "0", NOW), None);
        assert_eq!(RateHeaders::read(&HeaderMap::new()), None);
    }

    fn admitted(limits: &OrgLimits, bucket: Bucket, percent: u8, now: Instant) -> Permit<'_> {
        limits.admit(bucket, percent, now).ok().unwrap()
    }

    fn told(permit: Permit<'_>, limit: &str, remaining: &str, reset: i64, now: Instant) {
        permit.answered(headers(limit, remaining, reset).as_ref(), now);
    }

    #[test]
    fn our_share_ends_before_the_limit_does() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        let later = start + Duration::from_secs(60);
        told(
            admitted(&limits, Bucket::Users, 50, start),
            "10",
            "9",
            NOW + 59,
            start,
        );
        for call in 2..=5 {
            assert!(limits.admit(Bucket::Users, 50, start).is_ok(), "{call}");
        }
        assert_eq!(
            limits.admit(Bucket::Users, 50, start).err(),
            Some(NotYet::Until(later))
        );
        // Another bucket is another matter, and so is the next window.
        assert!(limits.admit(Bucket::Groups, 50, start).is_ok());
        assert!(limits.admit(Bucket::Users, 50, later).is_ok());
    }

    #[test]
    fn two_who_share_an_org_each_stay_within_their_percentage_of_the_common_count() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        told(
            admitted(&limits, Bucket::Users, 80, start),
            "10",
            "9",
            NOW + 59,
            start,
        );
        for _ in 2..=5 {
            assert!(limits.admit(Bucket::Users, 80, start).is_ok());
        }
        assert!(
            limits.admit(Bucket::Users, 50, start).is_err(),
            "five of ten are used, if not by this one"
        );
        for _ in 6..=8 {
            assert!(limits.admit(Bucket::Users, 80, start).is_ok());
        }
        assert!(limits.admit(Bucket::Users, 80, start).is_err());
    }

    #[test]
    fn before_anything_is_known_one_call_goes_ahead_and_its_answer_tells() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        let first = admitted(&limits, Bucket::Groups, 50, start);
        let second = limits.admit(Bucket::Groups, 50, start).err();
        assert_eq!(second, Some(NotYet::UntilAnAnswer));
        // One that gets no answer gives its place to the next.
        drop(first);
        let first = admitted(&limits, Bucket::Groups, 50, start);
        told(first, "10", "8", NOW + 59, start);
        let more = [0; 3].map(|_| admitted(&limits, Bucket::Groups, 50, start));
        assert!(
            limits.admit(Bucket::Groups, 50, start).is_err(),
            "the call whose answer was lost counts"
        );
        drop(more);

        // In the next window no more than the last limit allows goes ahead of an answer.
        let next = start + Duration::from_secs(60);
        let mut ahead: Vec<_> = (0..5)
            .map(|_| admitted(&limits, Bucket::Groups, 50, next))
            .collect();
        assert_eq!(
            limits.admit(Bucket::Groups, 50, next).err(),
            Some(NotYet::UntilAnAnswer)
        );
        told(ahead.remove(0), "20", "19", NOW + 120, next);
        for _ in 6..=10 {
            assert!(limits.admit(Bucket::Groups, 50, next).is_ok());
        }
        assert!(limits.admit(Bucket::Groups, 50, next).is_err());
    }

    #[test]
    fn answers_that_tell_nothing_hold_nobody_up() {
        let limits = OrgLimits::default();
        let now = Instant::now();
        admitted(&limits, Bucket::Users, 50, now).answered(None, now);
        let several = [0; 5].map(|_| admitted(&limits, Bucket::Users, 50, now));
        drop(several);
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let limits = OrgLimits::default();
        let now = Instant::now();
        told(
            admitted(&limits, Bucket::Users, 50, now),
            "600",
            "599",
            NOW + 59,
            now,
        );
        let mut calls: Vec<_> = (0..MOST_AT_ONCE)
            .map(|_| admitted(&limits, Bucket::Users, 50, now))
            .collect();
        for bucket in [Bucket::Users, Bucket::Groups] {
            assert_eq!(
                limits.admit(bucket, 50, now).err(),
                Some(NotYet::UntilAnAnswer),
                "{bucket:?}"
            );
        }
        calls.pop();
        assert!(limits.admit(Bucket::Groups, 50, now).is_ok());
    }

    #[test]
    fn what_others_used_up_is_not_tried() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        told(
            admitted(&limits, Bucket::User, 100, start),
            "100",
            "99",
            NOW,
            start,
        );
        let [first, second, third] = [0; 3].map(|_| admitted(&limits, Bucket::User, 100, start));
        // Two calls are in flight and will use up what is left.
        told(first, "100", "2", NOW + 9, start);
        assert_eq!(
            limits.admit(Bucket::User, 100, start).err(),
            Some(NotYet::Until(start + Duration::from_secs(10)))
        );
        // An answer from the window before, come late, changes nothing.
        told(second, "100", "90", NOW, start);
        assert!(limits.admit(Bucket::User, 100, start).is_err());
        // The next window starts with what is in flight.
        let next = start + Duration::from_secs(10);
        told(third, "100", "99", NOW + 70, next);
        assert!(limits.admit(Bucket::User, 100, next).is_ok());
    }

    #[test]
    fn the_smallest_share_is_one_call() {
        let limits = OrgLimits::default();
        let now = Instant::now();
        told(admitted(&limits, Bucket::Users, 0, now), "20", "19", NOW, now);
        assert!(limits.admit(Bucket::Users, 0, now).is_err());
        assert!(
            limits
                .admit(Bucket::Users, 0, now + Duration::from_secs(1))
                .is_ok()
        );
    }

    #[tokio::test]
    async fn the_end_of_a_call_wakes_whoever_waits_for_an_answer() {
        let limits = OrgLimits::default();
        let first = admitted(&limits, Bucket::Users, 50, Instant::now());
        let answer = limits.next_answer();
        assert!(limits.admit(Bucket::Users, 50, Instant::now()).is_err());
        drop(first);
        answer.await;
        assert!(limits.admit(Bucket::Users, 50, Instant::now()).is_ok());
    }
}
