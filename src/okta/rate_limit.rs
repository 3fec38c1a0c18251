//! Okta's rate limits, and our share of them.
//!
//! Okta limits the calls per bucket of endpoints and window, for all users of the org together. The
//! operator uses a share of each limit only, so that a sync does not block others: the calls of all
//! integrations with the org are counted together, and an integration waits once the count has
//! reached its percentage.

use std::iter;
use std::str::FromStr;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::http::{Budget, server_time};

/// A header with a longer window is taken to be wrong.
const MAX_WINDOW_SECONDS: i64 = 3600;

/// The concurrent calls to an org: less than half of the limit of the smallest orgs, which is 35 for
/// all users together.
const MAX_CONCURRENT_CALLS: u32 = 16;

/// Endpoints that Okta counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    /// `/users`.
    Users,
    /// `/users/{id}`.
    User,
    /// `/groups` and `/groups/{id}/users`.
    Groups,
    /// `/groups/{id}`.
    Group,
}

impl Bucket {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::User => "user",
            Self::Groups => "groups",
            Self::Group => "group",
        }
    }
}

/// The rate limit headers of a response, which may have several sets of them: the org's, and one for concurrent
/// calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RateHeaders {
    /// None if the only set is about concurrent calls.
    window: Option<WindowHeaders>,
    /// Whether a set says that no further concurrent call is allowed. The end of its window says nothing: a call a
    /// moment later may succeed.
    is_concurrency: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WindowHeaders {
    limit: u32,
    remaining: u32,
    /// The end of the window by Okta's clock, in seconds since 1970. It identifies the window.
    reset: i64,
    /// From the response to the next window.
    wait: Duration,
}

impl RateHeaders {
    /// Of several sets, the smallest numbers count, as in Okta's SDKs.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let limits = numbers::<u32>(headers, "x-rate-limit-limit");
        let remaining = numbers::<u32>(headers, "x-rate-limit-remaining");
        let resets = numbers::<i64>(headers, "x-rate-limit-reset");
        let mut read: Option<Self> = None;
        for (index, (limit, remaining)) in iter::zip(limits, remaining).enumerate() {
            let (Some(limit), Some(remaining), Some(reset)) = (
                limit,
                remaining,
                resets.get(index).or(resets.last()).copied().flatten(),
            ) else {
                continue;
            };
            let read = read.get_or_insert(Self {
                window: None,
                is_concurrency: false,
            });
            if limit == 0 && remaining == 0 {
                read.is_concurrency = true;
                continue;
            }
            let window = read.window.get_or_insert(WindowHeaders {
                limit,
                remaining,
                reset,
                wait: Duration::ZERO,
            });
            window.limit = window.limit.min(limit);
            window.remaining = window.remaining.min(remaining);
            window.reset = window.reset.min(reset);
        }
        if let Some(window) = read.as_mut().and_then(|read| read.window.as_mut()) {
            let now = server_time(headers).as_second();
            let seconds = window.reset.saturating_sub(now).clamp(0, MAX_WINDOW_SECONDS) + 1;
            window.wait = Duration::from_secs(seconds.unsigned_abs());
        }
        read
    }

    /// The time until the next window, if the limit is one of calls per window.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.window
            .filter(|_| !self.is_concurrency)
            .map(|window| window.wait)
    }
}

/// The values of a header that stands there several times, or once with commas; None for a value that is no number.
fn numbers<T: FromStr>(headers: &HeaderMap, name: &str) -> Vec<Option<T>> {
    let values = headers.get_all(name).iter();
    values
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(|value| value.trim().parse().ok())
        .collect()
}

struct Window {
    reset: i64,
    ends: Instant,
    limit: u32,
    /// The calls that the org has left, without ours in flight.
    remaining: u32,
    /// The calls that we made.
    used: u32,
}

#[derive(Default)]
struct BucketState {
    /// The current window, once a response has shown it.
    window: Option<Window>,
    /// The limit of the last window, which is assumed until a response shows the current one.
    last_limit: Option<u32>,
    /// The calls since the last window ended, while the current one is unknown.
    unaccounted: u32,
    in_flight: u32,
    /// Whether responses have no headers, as behind a proxy that removes them.
    without_headers: bool,
}

impl BucketState {
    /// Counts a call if it is within `percent` of the limit.
    fn admit(&mut self, percent: u8, now: Instant) -> Result<(), Denied> {
        if self.window.as_ref().is_some_and(|window| window.ends <= now) {
            self.last_limit = self.window.take().map(|window| window.limit);
            self.unaccounted = self.in_flight;
        }
        if let Some(window) = &mut self.window {
            if window.used >= share(window.limit, percent) || window.remaining == 0 {
                return Err(Denied::Until(window.ends));
            }
            window.used += 1;
            window.remaining -= 1;
        } else {
            // Until a response shows the window, only calls that are certainly in our share.
            let certain = self.last_limit.map_or(1, |limit| share(limit, percent));
            if !self.without_headers && self.in_flight > 0 && self.unaccounted >= certain {
                return Err(Denied::UntilResponse);
            }
            self.unaccounted += 1;
        }
        self.in_flight += 1;
        Ok(())
    }

    fn record(&mut self, headers: &WindowHeaders, now: Instant) {
        self.without_headers = false;
        match &mut self.window {
            Some(window) if window.reset > headers.reset => {}
            Some(window) if window.reset == headers.reset => {
                window.limit = headers.limit;
                window.remaining = window.remaining.min(headers.remaining);
            }
            window => {
                let used = match window {
                    // The window ended earlier than expected.
                    Some(_) => self.in_flight,
                    None => self.unaccounted,
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

/// Returns our share of a limit: at least one call.
fn share(limit: u32, percent: u8) -> u32 {
    let share = u64::from(limit) * u64::from(percent.clamp(1, 100)) / 100;
    u32::try_from(share).unwrap_or(u32::MAX).max(1)
}

/// How long a call has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// The share of the window is used up.
    Until(Instant),
    /// Until the next response: it may show the window, and it ends a concurrent call.
    UntilResponse,
}

/// The calls to an org, counted for all of its clients.
#[derive(Default)]
pub struct OrgLimits {
    buckets: Mutex<[BucketState; 4]>,
    response: Notify,
}

impl OrgLimits {
    /// Admits a call that is within `percent` (1 to 100) of the bucket's limit.
    pub(super) fn admit(&self, bucket: Bucket, percent: u8, now: Instant) -> Result<Permit<'_>, Denied> {
        let mut buckets = self.buckets.lock();
        let in_flight: u32 = buckets.iter().map(|state| state.in_flight).sum();
        if in_flight >= MAX_CONCURRENT_CALLS {
            return Err(Denied::UntilResponse);
        }
        buckets[bucket as usize].admit(percent, now)?;
        Ok(Permit {
            limits: self,
            bucket,
            percent,
        })
    }

    /// Returns a future of the next end of a call. To miss none, create it before calling `admit`.
    pub(super) fn next_response(&self) -> Notified<'_> {
        self.response.notified()
    }
}

/// A call that is in flight until this is dropped.
pub(super) struct Permit<'a> {
    limits: &'a OrgLimits,
    bucket: Bucket,
    percent: u8,
}

impl Permit<'_> {
    /// Records the headers of the response, if it has any. Responses may arrive in any order.
    pub(super) fn record(&self, headers: Option<&RateHeaders>, now: Instant) {
        let mut buckets = self.limits.buckets.lock();
        let state = &mut buckets[self.bucket as usize];
        match headers {
            Some(RateHeaders {
                window: Some(window), ..
            }) => state.record(window, now),
            Some(_) => {}
            None => state.without_headers = state.window.is_none(),
        }
    }

    /// Returns the bucket's current window, if it is known.
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
        self.limits.response.notify_waiters();
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
    fn the_wait_is_by_oktas_clock_and_limited() {
        for (reset, seconds) in [
            (NOW + 42, 43),
            (NOW, 1),
            (NOW - 100, 1),
            (NOW * 1000, 3601),
            (i64::MIN, 1),
            (i64::MAX, 3601),
        ] {
            assert_eq!(
                headers("600", "0", reset).unwrap().wait(),
                Some(Duration::from_secs(seconds)),
                "{reset}"
            );
        }
    }

    #[test]
    fn a_concurrency_limit_differs_from_a_rate_limit() {
        assert!(headers("0", "0", NOW).unwrap().is_concurrency);
        assert!(!headers("600", "0", NOW).unwrap().is_concurrency);
        assert_eq!(headers("many", "0", NOW), None);
        assert_eq!(RateHeaders::read(&HeaderMap::new()), None);
    }

    #[test]
    fn of_several_sets_of_headers_the_smallest_numbers_count() {
        let read = |limits: &[&str], remaining: &[&str], resets: &[i64]| {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
            for (name, values) in [
                ("x-rate-limit-limit", limits),
                ("x-rate-limit-remaining", remaining),
            ] {
                for value in values {
                    headers.append(name, HeaderValue::from_str(value).unwrap());
                }
            }
            for reset in resets {
                headers.append("x-rate-limit-reset", HeaderValue::from(*reset));
            }
            RateHeaders::read(&headers)
        };
        let window = |limit, remaining, seconds: i64| {
            Some(WindowHeaders {
                limit,
                remaining,
                reset: NOW + seconds,
                wait: Duration::from_secs(seconds.unsigned_abs() + 1),
            })
        };
        let far = NOW + 180;
        for (limits, remaining, resets, expected, is_concurrency) in [
            (
                &["600", "75"][..],
                &["3", "74"][..],
                &[NOW + 40, far][..],
                window(75, 3, 40),
                false,
            ),
            (
                &["75", "600"],
                &["74", "3"],
                &[far, NOW + 40],
                window(75, 3, 40),
                false,
            ),
            (
                &["600", "0"],
                &["599", "0"],
                &[NOW + 40, far],
                window(600, 599, 40),
                true,
            ),
            (
                &["0", "600"],
                &["0", "0"],
                &[far, NOW + 40],
                window(600, 0, 40),
                true,
            ),
            (&["600, 0"], &["599, 0"], &[NOW + 40], window(600, 599, 40), true),
            (&["0"], &["0"], &[far], None, true),
            (
                &["many", "600"],
                &["0", "599"],
                &[far, NOW + 40],
                window(600, 599, 40),
                false,
            ),
        ] {
            let read = read(limits, remaining, resets).unwrap();
            assert_eq!(
                (read.window, read.is_concurrency),
                (expected, is_concurrency),
                "{limits:?} {remaining:?}"
            );
            assert_eq!(read.wait().is_none(), is_concurrency);
        }
    }

    fn admitted(limits: &OrgLimits, bucket: Bucket, percent: u8, now: Instant) -> Permit<'_> {
        limits.admit(bucket, percent, now).ok().unwrap()
    }

    fn respond(permit: Permit<'_>, limit: &str, remaining: &str, reset: i64, now: Instant) {
        permit.record(headers(limit, remaining, reset).as_ref(), now);
    }

    #[test]
    fn our_share_of_a_window_is_used_up_before_the_limit() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        let later = start + Duration::from_secs(60);
        respond(
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
            Some(Denied::Until(later))
        );
        // Other buckets and the next window are counted separately.
        assert!(limits.admit(Bucket::Groups, 50, start).is_ok());
        assert!(limits.admit(Bucket::Users, 50, later).is_ok());
    }

    #[test]
    fn clients_of_an_org_each_stay_within_their_percentage_of_the_common_count() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        respond(
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
            "the other client has used five of ten"
        );
        for _ in 6..=8 {
            assert!(limits.admit(Bucket::Users, 80, start).is_ok());
        }
        assert!(limits.admit(Bucket::Users, 80, start).is_err());
    }

    #[test]
    fn until_a_response_shows_the_window_one_call_is_sent() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        let first = admitted(&limits, Bucket::Groups, 50, start);
        let second = limits.admit(Bucket::Groups, 50, start).err();
        assert_eq!(second, Some(Denied::UntilResponse));
        // After a call without a response, the next one is sent.
        drop(first);
        let first = admitted(&limits, Bucket::Groups, 50, start);
        respond(first, "10", "8", NOW + 59, start);
        let more = [0; 3].map(|_| admitted(&limits, Bucket::Groups, 50, start));
        assert!(
            limits.admit(Bucket::Groups, 50, start).is_err(),
            "the call without a response counts"
        );
        drop(more);

        // Until a response shows the next window, the last limit applies.
        let next = start + Duration::from_secs(60);
        let mut ahead: Vec<_> = (0..5)
            .map(|_| admitted(&limits, Bucket::Groups, 50, next))
            .collect();
        assert_eq!(
            limits.admit(Bucket::Groups, 50, next).err(),
            Some(Denied::UntilResponse)
        );
        respond(ahead.remove(0), "20", "19", NOW + 120, next);
        for _ in 6..=10 {
            assert!(limits.admit(Bucket::Groups, 50, next).is_ok());
        }
        assert!(limits.admit(Bucket::Groups, 50, next).is_err());
    }

    #[test]
    fn responses_without_headers_delay_no_call() {
        let limits = OrgLimits::default();
        let now = Instant::now();
        admitted(&limits, Bucket::Users, 50, now).record(None, now);
        let several = [0; 5].map(|_| admitted(&limits, Bucket::Users, 50, now));
        drop(several);
    }

    #[test]
    fn concurrent_calls_are_limited() {
        let limits = OrgLimits::default();
        let now = Instant::now();
        respond(
            admitted(&limits, Bucket::Users, 50, now),
            "600",
            "599",
            NOW + 59,
            now,
        );
        let mut calls: Vec<_> = (0..MAX_CONCURRENT_CALLS)
            .map(|_| admitted(&limits, Bucket::Users, 50, now))
            .collect();
        for bucket in [Bucket::Users, Bucket::Groups] {
            assert_eq!(
                limits.admit(bucket, 50, now).err(),
                Some(Denied::UntilResponse),
                "{bucket:?}"
            );
        }
        calls.pop();
        assert!(limits.admit(Bucket::Groups, 50, now).is_ok());
    }

    #[test]
    fn no_call_is_sent_if_others_used_up_the_limit() {
        let limits = OrgLimits::default();
        let start = Instant::now();
        respond(
            admitted(&limits, Bucket::User, 100, start),
            "100",
            "99",
            NOW,
            start,
        );
        let [first, second, third] = [0; 3].map(|_| admitted(&limits, Bucket::User, 100, start));
        // The two calls in flight will use up the limit.
        respond(first, "100", "2", NOW + 9, start);
        assert_eq!(
            limits.admit(Bucket::User, 100, start).err(),
            Some(Denied::Until(start + Duration::from_secs(10)))
        );
        // A late response of the last window changes nothing.
        respond(second, "100", "90", NOW, start);
        assert!(limits.admit(Bucket::User, 100, start).is_err());
        // The next window starts with the calls in flight.
        let next = start + Duration::from_secs(10);
        respond(third, "100", "99", NOW + 70, next);
        assert!(limits.admit(Bucket::User, 100, next).is_ok());
    }

    #[test]
    fn the_share_is_at_least_one_call() {
        let limits = OrgLimits::default();
        let now = Instant::now();
        respond(admitted(&limits, Bucket::Users, 0, now), "20", "19", NOW, now);
        assert!(limits.admit(Bucket::Users, 0, now).is_err());
        assert!(
            limits
                .admit(Bucket::Users, 0, now + Duration::from_secs(1))
                .is_ok()
        );
    }

    #[tokio::test]
    async fn the_end_of_a_call_wakes_waiting_calls() {
        let limits = OrgLimits::default();
        let first = admitted(&limits, Bucket::Users, 50, Instant::now());
        let response = limits.next_response();
        assert!(limits.admit(Bucket::Users, 50, Instant::now()).is_err());
        drop(first);
        response.await;
        assert!(limits.admit(Bucket::Users, 50, Instant::now()).is_ok());
    }
}
