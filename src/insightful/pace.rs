//! Insightful's rate limit, kept by counting our own calls: its answers do not tell.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Allows so many calls in any minute; they may come in a burst.
pub(super) struct Pace {
    calls_per_minute: usize,
    recent: Mutex<VecDeque<Instant>>,
}

impl Pace {
    pub(super) fn new(calls_per_minute: usize) -> Self {
        Self {
            calls_per_minute: calls_per_minute.max(1),
            recent: Mutex::default(),
        }
    }

    /// Leave for one call, or when to ask again.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Instant> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|oldest| *oldest + MINUTE <= now) {
            recent.pop_front();
        }
        match recent.front() {
            Some(oldest) if recent.len() >= self.calls_per_minute => Err(*oldest + MINUTE),
            _ => {
                recent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_calls_than_allowed() {
        let pace = Pace::new(2);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pace.admit(at(0)), Ok(()));
        assert_eq!(pace.admit(at(30)), Ok(()));
        assert_eq!(pace.admit(at(59)), Err(at(60)));
        assert_eq!(pace.admit(at(60)), Ok(()));
        assert_eq!(pace.admit(at(61)), Err(at(90)));
    }
}
