//! Okta's rate limits: what an answer says about them, and how not to run into them.
//!
//! Each bucket has a number of calls per window, shared by everybody who uses the org. The
//! operator stays within its share of each, so that a sync starves nobody.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use crate::transport::{Budget, server_time};

/// No window is longer; a header that says so is wrong.
const LONGEST_WINDOW_SECONDS: i64 = 3600;

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
    window: Option<Window>,
    in_flight: u32,
}

/// Keeps the calls within our share of each bucket.
pub(super) struct Throttle {
    percent: u64,
    buckets: Mutex<[BucketState; 3]>,
}

impl Throttle {
    /// `percent` of each bucket, at least 1.
    pub(super) fn new(percent: u8) -> Self {
        Self {
            percent: u64::from(percent.clamp(1, 100)),
            buckets: Mutex::default(),
        }
    }

    /// Leave for one call, or when to ask again. As long as nothing is known about the bucket's
    /// present window, calls go ahead: their answers tell.
    pub(super) fn admit(&self, bucket: Bucket, now: Instant) -> Result<Permit<'_>, Instant> {
        let mut buckets = self.lock();
        let state = &mut buckets[bucket as usize];
        if state.window.as_ref().is_some_and(|window| window.ends <= now) {
            state.window = None;
        }
        if let Some(window) = &mut state.window {
            if window.used >= self.share(window) || window.remaining == 0 {
                return Err(window.ends);
            }
            window.used += 1;
            window.remaining -= 1;
        }
        state.in_flight += 1;
        Ok(Permit {
            throttle: self,
            bucket,
        })
    }

    /// How many calls of the window are ours to make.
    fn share(&self, window: &Window) -> u32 {
        let share = u64::from(window.limit) * self.percent / 100;
        u32::try_from(share).unwrap_or(u32::MAX).max(1)
    }

    fn lock(&self) -> MutexGuard<'_, [BucketState; 3]> {
        // Counters are whole after each statement, so a panic elsewhere spoils nothing.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call; it is in flight until this is dropped.
pub(super) struct Permit<'a> {
    throttle: &'a Throttle,
    bucket: Bucket,
}

impl Permit<'_> {
    /// Takes note of what the answer to the call says. A bucket's answers can overtake each
    /// other.
    pub(super) fn answered(&self, headers: &RateHeaders, now: Instant) {
        if headers.is_concurrency() {
            return;
        }
        let mut buckets = self.throttle.lock();
        let state = &mut buckets[self.bucket as usize];
        match &mut state.window {
            Some(window) if window.reset > headers.reset => {}
            Some(window) if window.reset == headers.reset => {
                window.limit = headers.limit;
                window.remaining = window.remaining.min(headers.remaining);
            }
            window => {
                let others = state.in_flight.saturating_sub(1);
                *window = Some(Window {
                    reset: headers.reset,
                    ends: now + headers.wait,
                    limit: headers.limit,
                    remaining: headers.remaining.saturating_sub(others),
                    used: state.in_flight,
                });
            }
        }
    }
}

impl Permit<'_> {
    /// What is known of the bucket's present window.
    pub(super) fn budget(&self) -> Option<Budget> {
        let buckets = self.throttle.lock();
        let window = buckets[self.bucket as usize].window.as_ref()?;
        Some(Budget {
            bucket: self.bucket.as_str(),
            limit: window.limit,
            remaining: window.remaining,
            share: self.throttle.share(window),
            used: window.used,
            ends: window.ends,
        })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut buckets = self.throttle.lock();
        let state = &mut buckets[self.bucket as usize];
        state.in_flight = state.in_flight.saturating_sub(1);
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

    #[test]
    fn our_share_ends_before_the_limit_does() {
        let throttle = Throttle::new(50);
        let start = Instant::now();
        let later = start + Duration::from_secs(60);
        let first = throttle.admit(Bucket::Users, start).ok().unwrap();
        first.answered(&headers("10", "9", NOW + 59).unwrap(), start);
        drop(first);
        let [_, _, _, fourth] = [2, 3, 4, 5].map(|_| throttle.admit(Bucket::Users, start).ok().unwrap());
        assert_eq!(throttle.admit(Bucket::Users, start).err(), Some(later));
        assert!(fourth.budget().is_some_and(|left| {
            (left.bucket, left.limit, left.remaining) == ("users", 10, 5)
                && (left.share, left.used, left.ends) == (5, 5, later)
        }));
        // Another bucket is another matter, and so is the next window.
        assert!(throttle.admit(Bucket::Groups, start).is_ok());
        assert!(throttle.admit(Bucket::Users, later).is_ok());
    }

    #[test]
    fn what_others_used_up_is_not_tried() {
        let throttle = Throttle::new(100);
        let start = Instant::now();
        let [first, second, third] = [0; 3].map(|_| throttle.admit(Bucket::User, start).ok().unwrap());
        // Two calls are in flight and will use up what is left.
        first.answered(&headers("100", "2", NOW + 9).unwrap(), start);
        assert_eq!(
            throttle.admit(Bucket::User, start).err(),
            Some(start + Duration::from_secs(10))
        );
        // An answer from the window before, come late, changes nothing.
        second.answered(&headers("100", "90", NOW).unwrap(), start);
        assert!(throttle.admit(Bucket::User, start).is_err());
        // The next window starts with what is in flight.
        let next = start + Duration::from_secs(10);
        third.answered(&headers("100", "99", NOW + 70).unwrap(), next);
        assert!(throttle.admit(Bucket::User, next).is_ok());
    }

    #[test]
    fn the_smallest_share_is_one_call() {
        let throttle = Throttle::new(0);
        let now = Instant::now();
        let first = throttle.admit(Bucket::Users, now).ok().unwrap();
        first.answered(&headers("20", "19", NOW).unwrap(), now);
        assert!(throttle.admit(Bucket::Users, now).is_err());
        assert!(
            throttle
                .admit(Bucket::Users, now + Duration::from_secs(1))
                .is_ok()
        );
    }
}
