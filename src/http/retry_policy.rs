use std::time::Duration;

use super::{Retryability, WaitCause};

/// How a client retries a read. Writes are never retried.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Including the first one.
    pub max_attempts: u32,
    /// The delay before the second attempt; doubles with each further one.
    pub initial_delay: Duration,
    pub max_delay: Duration,
    /// If a service asks for a longer wait, the client returns the error instead.
    pub max_wait: Duration,
    /// The limit on the sum of all waits of a call.
    pub max_total_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(60),
            max_wait: Duration::from_secs(90),
            max_total_wait: Duration::from_secs(300),
        }
    }
}

/// Exponential backoff. Each delay is shortened at random by up to a half, so that calls that failed
/// together are not retried together.
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) fn new(retry_policy: &RetryPolicy) -> Self {
        Self {
            next: retry_policy.initial_delay,
            max: retry_policy.max_delay,
        }
    }

    pub(crate) fn delay(&mut self) -> Duration {
        let full = self.next.min(self.max);
        self.next = full * 2;
        full.mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

/// The retries of one call.
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

    /// Returns the wait before the next attempt, or None if the call must not be retried. A rate
    /// limit does not count as an attempt: only the total wait limits it.
    pub(crate) fn next(&mut self, cause: WaitCause, retryability: Retryability) -> Option<Duration> {
        let wait = match retryability {
            Retryability::Permanent => return None,
            Retryability::WaitFor(wait) if wait > self.retry_policy.max_wait => return None,
            Retryability::WaitFor(wait) => wait,
            Retryability::Retry => {
                if cause == WaitCause::Backoff {
                    if self.attempts >= self.retry_policy.max_attempts {
                        return None;
                    }
                    self.attempts += 1;
                }
                self.backoff.delay()
            }
        };
        self.waited += wait;
        (self.waited <= self.retry_policy.max_total_wait).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 4,
            initial_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(3),
            max_wait: Duration::from_secs(60),
            max_total_wait: Duration::from_secs(100),
        }
    }

    #[test]
    fn delays_double_up_to_the_maximum_and_attempts_are_limited() {
        let mut retries = Retries::new(&retry_policy());
        for longest in [1, 2, 3] {
            let longest = Duration::from_secs(longest);
            let wait = retries.next(WaitCause::Backoff, Retryability::Retry).unwrap();
            assert!(longest / 2 <= wait && wait <= longest, "{wait:?}");
        }
        assert_eq!(retries.next(WaitCause::Backoff, Retryability::Retry), None);
    }

    #[test]
    fn each_wait_and_the_total_wait_are_limited() {
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
    fn a_rate_limit_without_a_time_counts_as_no_attempt() {
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
