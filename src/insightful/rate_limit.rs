//! Insightful's rate limit. Its responses do not show it, so that we count our own calls.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Limits the calls of a client in any minute. Bursts are allowed.
pub(super) struct RateLimiter {
    calls_per_minute: usize,
    /// The times of the calls of the last minute.
    recent: Mutex<VecDeque<Instant>>,
}

/// What is left of the current minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The calls that may be made now.
    pub available: usize,
    pub per_minute: usize,
    /// Until more calls become available.
    pub more_in: Duration,
}

impl RateLimiter {
    /// Allows at least one call.
    pub(super) fn new(calls_per_minute: usize) -> Self {
        Self {
            calls_per_minute: calls_per_minute.max(1),
            recent: Mutex::default(),
        }
    }

    fn recent(&self, now: Instant) -> MutexGuard<'_, VecDeque<Instant>> {
        let mut recent = self.recent.lock();
        while recent.front().is_some_and(|oldest| *oldest + MINUTE <= now) {
            recent.pop_front();
        }
        recent
    }

    /// Admits a call, or returns when to ask again.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Instant> {
        let mut recent = self.recent(now);
        match recent.front() {
            Some(oldest) if recent.len() >= self.calls_per_minute => Err(*oldest + MINUTE),
            _ => {
                recent.push_back(now);
                Ok(())
            }
        }
    }

    pub(super) fn budget(&self, now: Instant) -> Budget {
        let recent = self.recent(now);
        Budget {
            available: self.calls_per_minute.saturating_sub(recent.len()),
            per_minute: self.calls_per_minute,
            more_in: recent
                .front()
                .map_or(Duration::ZERO, |oldest| *oldest + MINUTE - now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant) -> impl Fn(u64) -> Instant {
        move |seconds| start + Duration::from_secs(seconds)
    }

    #[test]
    fn no_minute_has_more_calls_than_allowed() {
        let limiter = RateLimiter::new(2);
        let at = after(Instant::now());
        assert_eq!(limiter.admit(at(0)), Ok(()));
        assert_eq!(limiter.admit(at(30)), Ok(()));
        assert_eq!(limiter.admit(at(59)), Err(at(60)));
        assert_eq!(limiter.admit(at(60)), Ok(()));
        assert_eq!(limiter.admit(at(61)), Err(at(90)));
    }

    #[test]
    fn the_budget_is_what_is_left_of_the_minute() {
        let limiter = RateLimiter::new(5);
        let at = after(Instant::now());
        let budget = |now| limiter.budget(now);
        assert_eq!(
            (budget(at(0)).available, budget(at(0)).more_in),
            (5, Duration::ZERO)
        );
        limiter.admit(at(0)).unwrap();
        limiter.admit(at(20)).unwrap();
        let expected = Budget {
            available: 3,
            per_minute: 5,
            more_in: Duration::from_secs(30),
        };
        assert_eq!(budget(at(30)), expected);
        assert_eq!(budget(at(60)).available, 4);
    }
}
