//! First reads take first_reads, so that a start or a change of the leader does not
//! send every integration to its services at once.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

/// How many first reads go on at a time.
const MAX_CONCURRENT: usize = 8;

/// How long a read keeps its turn. One that takes longer goes on, and the next
/// begins beside it: an org that hangs costs the others an eighth of this.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// Gives the first_reads, to who came first: 200 integrations have begun after a few
/// seconds where their services answer, and after half a minute where none does.
pub struct FirstReads(Arc<Semaphore>);

impl Default for FirstReads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_CONCURRENT)))
    }
}

impl FirstReads {
    /// A turn if one is free and nobody waits.
    pub fn try_acquire(&self) -> Option<ReadPermit> {
        let place = self.0.clone().try_acquire_owned().ok()?;
        Some(ReadPermit::with(Some(place)))
    }

    /// Waits for a turn. Who stops waiting loses the place in the queue.
    pub async fn acquire(&self) -> ReadPermit {
        // Nobody closes the first_reads, so that there is always a place.
        ReadPermit::with(self.0.clone().acquire_owned().await.ok())
    }
}

/// A turn, until it is dropped or has lasted for [`MAX_HOLD`].
pub struct ReadPermit(JoinHandle<()>);

impl ReadPermit {
    fn with(place: Option<OwnedSemaphorePermit>) -> Self {
        Self(tokio::spawn(async move {
            tokio::time::sleep(MAX_HOLD).await;
            drop(place);
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
    async fn so_many_at_a_time_and_none_waits_for_one_that_hangs() {
        let first_reads = FirstReads::default();
        let start = Instant::now();
        let mut taken: Vec<ReadPermit> = (0..MAX_CONCURRENT)
            .filter_map(|_| first_reads.try_acquire())
            .collect();
        assert_eq!(taken.len(), MAX_CONCURRENT);
        assert!(first_reads.try_acquire().is_none());

        // What becomes free goes to who waits, at once, and to nobody who comes later.
        let next = first_reads.acquire();
        tokio::pin!(next);
        assert!((&mut next).now_or_never().is_none());
        taken.pop();
        let _next = next.await;
        assert!(first_reads.try_acquire().is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);

        // The others hang.
        for _ in 0..MAX_CONCURRENT {
            taken.push(first_reads.acquire().await);
        }
        assert_eq!(start.elapsed(), MAX_HOLD);
        // The end of a turn that was over takes nobody else's away.
        drop(taken.drain(..MAX_CONCURRENT - 1));
        assert!(first_reads.acquire().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_no_longer_is_passed_over() {
        let first_reads = FirstReads::default();
        let taken: Vec<ReadPermit> = (0..MAX_CONCURRENT)
            .filter_map(|_| first_reads.try_acquire())
            .collect();
        let gone = tokio::time::timeout(Duration::from_secs(1), first_reads.acquire()).await;
        assert!(gone.is_err());
        let start = Instant::now();
        drop(taken);
        let _next = first_reads.acquire().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
