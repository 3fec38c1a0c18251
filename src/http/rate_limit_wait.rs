use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::WaitCause;

/// Until when the clients of an integration wait for a rate limit, for its status.
#[derive(Debug, Default)]
pub struct RateLimitWait(Mutex<Option<Instant>>);

impl RateLimitWait {
    /// Records that a call waits for `wait` from now. Ignores waits that no rate limit causes.
    pub fn record(&self, cause: WaitCause, wait: Duration) {
        if matches!(cause, WaitCause::RateShare | WaitCause::RateLimited) {
            let end = Instant::now() + wait;
            let mut until = self.0.lock();
            *until = (*until).max(Some(end));
        }
    }

    /// Returns the longest wait that is left at `now`, if any call waits.
    pub fn remaining(&self, now: Instant) -> Option<Duration> {
        self.0
            .lock()
            .map(|until| until.saturating_duration_since(now))
            .filter(|remaining| !remaining.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_counts_until_it_is_over() {
        let waits = RateLimitWait::default();
        let seconds = Duration::from_secs;
        assert_eq!(waits.remaining(Instant::now()), None);
        waits.record(WaitCause::Backoff, seconds(90));
        assert_eq!(waits.remaining(Instant::now()), None, "no rate limit");
        waits.record(WaitCause::RateShare, seconds(40));
        waits.record(WaitCause::RateLimited, seconds(20));
        assert_eq!(waits.remaining(Instant::now()), Some(seconds(40)));
        tokio::time::advance(seconds(30)).await;
        assert_eq!(waits.remaining(Instant::now()), Some(seconds(10)));
        tokio::time::advance(seconds(10)).await;
        assert_eq!(waits.remaining(Instant::now()), None);
    }
}
