//! Limits how many integrations read their services for the first time at once, so
//! that a start or a change of leader does not send every integration to them.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

const MAX_CONCURRENT: usize = 8;

/// How long a read holds its permit. A longer read goes on without one, so that
/// orgs that hang do not keep the others waiting.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// Permits for first reads, first come, first served.
pub struct FirstReads(Arc<Semaphore>);

impl Default for FirstReads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_CONCURRENT)))
    }
}

impl FirstReads {
    /// A permit if one is free and nobody waits.
    pub fn try_acquire(&self) -> Option<ReadPermit> {
        let permit = self.0.clone().try_acquire_owned().ok()?;
        Some(ReadPermit::new(Some(permit)))
    }

    /// Waits for a permit. Dropping the future gives up the place in the queue.
    pub async fn acquire(&self) -> ReadPermit {
        // The semaphore is never closed.
        ReadPermit::new(self.0.clone().acquire_owned().await.ok())
    }
}

/// Held until it is dropped, for at most [`MAX_HOLD`].
pub struct ReadPermit(JoinHandle<()>);

impl ReadPermit {
    fn new(permit: Option<OwnedSemaphorePermit>) -> Self {
        Self(tokio::spawn(async move {
            tokio::time::sleep(MAX_HOLD).await;
            drop(permit);
        }))
    }
}

impl Drop for ReadPermit {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn concurrent_reads_are_limited_and_none_waits_for_one_that_hangs() {
        let first_reads = FirstReads::default();
        let start = Instant::now();
        let mut permits: Vec<ReadPermit> = (0..MAX_CONCURRENT)
            .filter_map(|_| first_reads.try_acquire())
            .collect();
        assert_eq!(permits.len(), MAX_CONCURRENT);
        assert!(first_reads.try_acquire().is_none());

        // A free permit goes to the first in the queue at once.
        let next = first_reads.acquire();
        tokio::pin!(next);
        assert!((&mut next).now_or_never().is_none());
        permits.pop();
        let _next = next.await;
        assert!(first_reads.try_acquire().is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);

        // The others hang.
        for _ in 0..MAX_CONCURRENT {
            permits.push(first_reads.acquire().await);
        }
        assert_eq!(start.elapsed(), MAX_HOLD);
        // Dropping an expired permit frees nothing.
        drop(permits.drain(..MAX_CONCURRENT - 1));
        assert!(first_reads.acquire().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_waiter_gives_up_its_place() {
        let first_reads = FirstReads::default();
        let permits: Vec<ReadPermit> = (0..MAX_CONCURRENT)
            .filter_map(|_| first_reads.try_acquire())
            .collect();
        let dropped = tokio::time::timeout(Duration::from_secs(1), first_reads.acquire()).await;
        assert!(dropped.is_err());
        let start = Instant::now();
        drop(permits);
        let _next = first_reads.acquire().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
