//! Whether the program is alive, or hangs somewhere: what works says so now and
//! then, and what has not for too long is stuck.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

/// Nothing that is alive is silent for so long: a call, or a wait before one,
/// takes at most a minute and a half, and each says that it ended.
pub const STUCK_AFTER: Duration = Duration::from_secs(5 * 60);

/// How often the main loop beats.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Namespace and name of an integration.
type Key = (String, String);

/// When the main loop and each reconcile last gave a sign of life.
#[derive(Debug)]
pub struct Liveness {
    main: Mutex<Instant>,
    reconciles: Mutex<BTreeMap<Key, Instant>>,
}

impl Liveness {
    /// Alive now, with nothing under way.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            main: Mutex::new(Instant::now()),
            reconciles: Mutex::default(),
        })
    }

    /// Beats for ever, in the task that also drives the watches and the election.
    pub async fn run_heartbeat(&self) {
        loop {
            *self.main.lock() = Instant::now();
            tokio::time::sleep(HEARTBEAT_INTERVAL).await;
        }
    }

    /// A reconcile begins. It is under way until what this gives is dropped.
    pub fn track(self: &Arc<Self>, key: Key) -> InFlight {
        self.reconciles().insert(key.clone(), Instant::now());
        InFlight {
            liveness: self.clone(),
            key,
        }
    }

    /// The reconcile of this integration, if one is under way, got on.
    pub fn record_progress(&self, key: &Key) {
        if let Some(last_progress) = self.reconciles().get_mut(key) {
            *last_progress = Instant::now();
        }
    }

    /// What has given no sign of life for [`STUCK_AFTER`], in words for people.
    pub fn stuck(&self) -> Vec<String> {
        let main = *self.main.lock();
        let mut stuck = Vec::new();
        if main.elapsed() >= STUCK_AFTER {
            stuck.push(format!(
                "the main loop has stood still for {} s",
                main.elapsed().as_secs()
            ));
        }
        for ((namespace, name), last_progress) in self.reconciles().iter() {
            if last_progress.elapsed() >= STUCK_AFTER {
                let seconds = last_progress.elapsed().as_secs();
                stuck.push(format!(
                    "the reconcile of {namespace}/{name} has stood still for {seconds} s"
                ));
            }
        }
        stuck
    }

    fn reconciles(&self) -> MutexGuard<'_, BTreeMap<Key, Instant>> {
        self.reconciles.lock()
    }
}

/// A reconcile that is under way.
pub struct InFlight {
    liveness: Arc<Liveness>,
    key: Key,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.liveness.reconciles().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Bounds, RetryPolicy};

    fn key(name: &str) -> Key {
        ("people".to_owned(), name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reconcile_that_stands_still_is_stuck_and_one_that_gets_on_is_not() {
        let liveness = Liveness::new();
        let beating = tokio::spawn({
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
            ["the reconcile of people/hangs has stood still for 300 s"]
        );
        drop(works);
        tokio::time::sleep(STUCK_AFTER).await;
        assert_eq!(liveness.stuck().len(), 1, "what is done is not stuck");
        beating.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_main_loop_that_stands_still_is_stuck() {
        let liveness = Liveness::new();
        tokio::time::advance(STUCK_AFTER).await;
        assert_eq!(liveness.stuck(), ["the main loop has stood still for 300 s"]);
    }

    #[test]
    fn nothing_alive_is_silent_for_so_long() {
        let (bounds, retry_policy) = (Bounds::default(), RetryPolicy::default());
        let longest =
            (bounds.connect + bounds.request).max(retry_policy.longest_wait.max(retry_policy.longest_delay));
        assert!(STUCK_AFTER >= longest * 3, "{longest:?}");
    }
}
