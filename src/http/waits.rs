//! Until when the clients of an integration wait for a rate limit, so that it can be shown.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::WaitCause;

/// Remembers how long clients wait for rate limits.
#[derive(Debug, Default)]
pub struct Waits(Mutex<Option<Instant>>);

impl Waits {
    /// A call begins to wait for so long. Only waits for a rate limit count.
    pub fn begun(&self, cause: WaitCause, wait: Duration) {
        if matches!(cause, WaitCause::OurShare | WaitCause::RateLimited) {
            let end = Instant::now() + wait;
            let mut until = self.0.lock();
            *until = (*until).max(Some(end));
        }
    }

    /// How long from `now` some call still waits; None if none does.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let until = *self.0.lock();
        until
            .map(|until| until.saturating_duration_since(now))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_counts_until_it_is_over() {
        let waits = Waits::default();
        let seconds = Duration::from_secs;
        assert_eq!(waits.left(Instant::now()), None);
        waits.begun(WaitCause::Backoff, seconds(90));
        assert_eq!(waits.left(Instant::now()), None, "no rate limit");
        waits.begun(WaitCause::OurShare, seconds(40));
        waits.begun(WaitCause::RateLimited, seconds(20));
        assert_eq!(waits.left(Instant::now()), Some(seconds(40)));
        tokio::time::advance(seconds(30)).await;
        assert_eq!(waits.left(Instant::now()), Some(seconds(10)));
        tokio::time::advance(seconds(10)).await;
        assert_eq!(waits.left(Instant::now()), None);
    }
}
