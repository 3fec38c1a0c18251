//! How long a read is tried again before its error goes to the caller.

use std::time::Duration;

use super::{Advice, WaitCause};

/// Bounds on the repetition of one read. Writes are never repeated.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
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

impl Default for Patience {
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
    pub(crate) fn new(patience: &Patience) -> Self {
        Self {
            next: patience.first_delay,
            longest: patience.longest_delay,
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
    patience: Patience,
    backoff: Backoff,
    attempts: u32,
    waited: Duration,
}

impl Retries {
    pub(crate) fn new(patience: &Patience) -> Self {
        Self {
            patience: *patience,
            backoff: Backoff::new(patience),
            attempts: 1,
            waited: Duration::ZERO,
        }
    }

    /// How long to wait before the next attempt after a failure with this advice; None when the
    /// failure is the caller's. Being told that there are too many calls uses up no attempt:
    /// there the bound on the waits is enough.
    pub(crate) fn next(&mut self, cause: WaitCause, advice: Advice) -> Option<Duration> {
        let wait = match advice {
            Advice::AskAHuman => return None,
            Advice::WaitFor(wait) if wait > self.patience.longest_wait => return None,
            Advice::WaitFor(wait) => wait,
            Advice::Retry => {
                if cause == WaitCause::Backoff {
                    if self.attempts >= self.patience.attempts {
                        return None;
                    }
                    self.attempts += 1;
                }
                self.backoff.delay()
            }
        };
        self.waited += wait;
        (self.waited <= self.patience.total_wait).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience {
            attempts: 4,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(3),
            longest_wait: Duration::from_secs(60),
            total_wait: Duration::from_secs(100),
        }
    }

    #[test]
    fn delays_double_to_the_bound_and_attempts_end() {
        let mut retries = Retries::new(&patience());
        for longest in [1, 2, 3] {
            let longest = Duration::from_secs(longest);
            let wait = retries.next(WaitCause::Backoff, Advice::Retry).unwrap();
            assert!(longest / 2 <= wait && wait <= longest, "{wait:?}");
        }
        assert_eq!(retries.next(WaitCause::Backoff, Advice::Retry), None);
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_bounded_singly_and_in_all() {
        let mut retries = Retries::new(&patience());
        let mut next = |seconds| {
            retries.next(
                WaitCause::RateLimited,
                Advice::WaitFor(Duration::from_secs(seconds)),
            )
        };
        assert_eq!(next(61), None);
        assert_eq!(next(50), Some(Duration::from_secs(50)));
        assert_eq!(next(50), Some(Duration::from_secs(50)));
        assert_eq!(next(1), None);
    }

    #[test]
    fn a_rate_limit_without_a_time_is_waited_out() {
        let mut retries = Retries::new(&patience());
        let waits: Vec<Duration> =
            std::iter::from_fn(|| retries.next(WaitCause::RateLimited, Advice::Retry)).collect();
        assert!(waits.len() > 30, "{waits:?}");
        assert_eq!(
            Retries::new(&patience()).next(WaitCause::Backoff, Advice::AskAHuman),
            None
        );
    }
}
