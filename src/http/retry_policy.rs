//! How long a read is tried again before its error goes to the caller.

use std::time::Duration;

use super::{Retryability, WaitCause};

/// Bounds on the repetition of one read. Writes are never repeated.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// How often a call that failed is tried in all.
    pub attempts: u32,
    /// The delay before the second attempt; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest delay between two attempts.
    pub longest_delay: Duration,
    /// The longest wait that a service may ask for; a longer one is the caller's to wait.
    pub longest_wait: Duration,
    /// All waits of one call together.
    pub total_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(60),
            longest_wait: Duration::from_secs(90),
            total_wait: Duration::from_secs(300),
        }
    }
}

/// Delays that double up to a bound, each shortened at random by up to a half, so that callers
/// who failed together do not come back together.
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(retry_policy: &RetryPolicy) -> Self {
        Self {
            next: retry_policy.first_delay,
            longest: retry_policy.longest_delay,
        }
    }

    pub(crate) fn delay(&mut self) -> Duration {
        let full = self.next.min(self.longest);
        self.next = full * 2;
        full.mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

/// The waits of one call.
pub(crate) struct Retries {
    retry_policy: RetryPolicy,
    backoff: Backoff,
    attempts: u32,
    waited: Duration,
}

impl Retries {
    pub(crate) fn new(retry_policy: &RetryPolicy) -> Self {
        Self {
            retry_policy: *retry_policy,
            backoff: Backoff::new(retry_policy),
            attempts: 1,
            waited: Duration::ZERO,
        }
    }

    /// How long to wait before the next attempt after a failure with this retryability; None when the
    /// failure is the caller's. Being told that there are too many calls uses up no attempt:
    /// there the bound on the waits is enough.
    pub(crate) fn next(&mut self, cause: WaitCause, retryability: Retryability) -> Option<Duration> {
        let wait = match retryability {
            Retryability::Permanent => return None,
            Retryability::WaitFor(wait) if wait > self.retry_policy.longest_wait => return None,
            Retryability::WaitFor(wait) => wait,
            Retryability::Retry => {
                if cause == WaitCause::Backoff {
                    if self.attempts >= self.retry_policy.attempts {
                        return None;
                    }
                    self.attempts += 1;
                }
                self.backoff.delay()
            }
        };
        self.waited += wait;
        (self.waited <= self.retry_policy.total_wait).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_policy() -> RetryPolicy {
        RetryPolicy {
            attempts: 4,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(3),
            longest_wait: Duration::from_secs(60),
            total_wait: Duration::from_secs(100),
        }
    }

    #[test]
    fn delays_double_to_the_bound_and_attempts_end() {
        let mut retries = Retries::new(&retry_policy());
        for longest in [1, 2, 3] {
            let longest = Duration::from_secs(longest);
            let wait = retries.next(WaitCause::Backoff, Retryability::Retry).unwrap();
            assert!(longest / 2 <= wait && wait <= longest, "{wait:?}");
        }
        assert_eq!(retries.next(WaitCause::Backoff, Retryability::Retry), None);
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_bounded_singly_and_in_all() {
        let mut retries = Retries::new(&retry_policy());
        let mut next = |seconds| {
            retries.next(
                WaitCause::RateLimited,
                Retryability::WaitFor(Duration::from_secs(seconds)),
            )
        };
        assert_eq!(next(61), None);
        assert_eq!(next(50), Some(Duration::from_secs(50)));
        assert_eq!(next(50), Some(Duration::from_secs(50)));
        assert_eq!(next(1), None);
    }

    #[test]
    fn a_rate_limit_without_a_time_is_waited_out() {
        let mut retries = Retries::new(&retry_policy());
        let waits: Vec<Duration> =
            std::iter::from_fn(|| retries.next(WaitCause::RateLimited, Retryability::Retry)).collect();
        assert!(waits.len() > 30, "{waits:?}");
        assert_eq!(
            Retries::new(&retry_policy()).next(WaitCause::Backoff, Retryability::Permanent),
            None
        );
    }
}
