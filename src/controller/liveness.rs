//! Liveness: the main loop and each reconcile in flight record their progress, and
//! whichever has recorded none for too long is stuck.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// More than three times the longest silence of anything alive: every call, and
/// every wait before one, records its end.
pub const STUCK_AFTER: Duration = Duration::from_secs(5 * 60);

pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Namespace and name of an integration.
type Key = (String, String);

/// When the main loop and each reconcile in flight last made progress.
#[derive(Debug)]
pub struct Liveness {
    main_loop: Mutex<Instant>,
    reconciles: Mutex<BTreeMap<Key, Instant>>,
}

impl Liveness {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            main_loop: Mutex::new(Instant::now()),
            reconciles: Mutex::default(),
        })
    }

    /// Records the progress of the main loop, for ever. Runs in the task that also
    /// drives the watches and the leader election.
    pub async fn run_heartbeat(&self) {
        loop {
            *self.main_loop.lock() = Instant::now();
            tokio::time::sleep(HEARTBEAT_INTERVAL).await;
        }
    }

    /// Tracks a reconcile until the returned guard is dropped.
    pub fn track(self: &Arc<Self>, key: Key) -> InFlight {
        self.reconciles.lock().insert(key.clone(), Instant::now());
        InFlight {
            liveness: self.clone(),
            key,
        }
    }

    /// Records the progress of an integration's reconcile, if one is in flight.
    pub fn record_progress(&self, key: &Key) {
        if let Some(last_progress) = self.reconciles.lock().get_mut(key) {
            *last_progress = Instant::now();
        }
    }

    /// What has made no progress for [`STUCK_AFTER`], in words for people.
    pub fn stuck(&self) -> Vec<String> {
        let mut stuck = Vec::new();
        let mut check = |what: &str, last_progress: Instant| {
            if last_progress.elapsed() >= STUCK_AFTER {
                let seconds = last_progress.elapsed().as_secs();
                stuck.push(format!("{what} has made no progress for {seconds} s"));
            }
        };
        check("the main loop", *self.main_loop.lock());
        for ((namespace, name), last_progress) in self.reconciles.lock().iter() {
            check(&format!("the reconcile of {namespace}/{name}"), *last_progress);
        }
        stuck
    }
}

/// A tracked reconcile.
pub struct InFlight {
    liveness: Arc<Liveness>,
    key: Key,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.liveness.reconciles.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{RequestLimits, RetryPolicy};

    fn key(name: &str) -> Key {
        ("people".to_owned(), name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_reconcile_without_progress_is_stuck() {
        let liveness = Liveness::new();
        let heartbeat = tokio::spawn({
            let liveness = liveness.clone();
            async move { liveness.run_heartbeat().await }
        });
        let _hangs = liveness.track(key("hangs"));
        let works = liveness.track(key("works"));
        for _ in 0..6 {
            assert_eq!(liveness.stuck(), Vec::<String>::new());
            tokio::time::sleep(Duration::from_secs(50)).await;
            liveness.record_progress(&key("works"));
            liveness.record_progress(&key("nobody"));
        }
        assert_eq!(
            liveness.stuck(),
            ["the reconcile of people/hangs has made no progress for 300 s"]
        );
        drop(works);
        tokio::time::sleep(STUCK_AFTER).await;
        assert_eq!(liveness.stuck().len(), 1, "a finished reconcile is not stuck");
        heartbeat.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_main_loop_without_heartbeat_is_stuck() {
        let liveness = Liveness::new();
        tokio::time::advance(STUCK_AFTER).await;
        assert_eq!(liveness.stuck(), ["the main loop has made no progress for 300 s"]);
    }

    #[test]
    fn the_bound_is_well_above_the_longest_call_or_wait() {
        let (limits, retry_policy) = (RequestLimits::default(), RetryPolicy::default());
        let longest =
            (limits.connect_timeout + limits.timeout).max(retry_policy.max_wait.max(retry_policy.max_delay));
        assert!(STUCK_AFTER >= longest * 3, "{longest:?}");
    }
}
