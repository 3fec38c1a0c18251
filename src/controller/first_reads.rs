//! First reads take turns, so that a start or a change of the leader does not
//! send every integration to its services at once.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

/// How many first reads go on at a time.
const AT_A_TIME: usize = 8;

/// How long a read keeps its turn. One that takes longer goes on, and the next
/// begins beside it: an org that hangs costs the others an eighth of this.
const LONGEST_TURN: Duration = Duration::from_secs(1);

/// Gives the turns, to who came first: 200 integrations have begun after a few
/// seconds where their services answer, and after half a minute where none does.
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Turns {
    /// A turn if one is free and nobody waits.
    pub fn take_now(&self) -> Option<Turn> {
        let place = self.0.clone().try_acquire_owned().ok()?;
        Some(Turn::with(Some(place)))
    }

    /// Waits for a turn. Who stops waiting loses the place in the queue.
    pub async fn take(&self) -> Turn {
        // Nobody closes the turns, so that there is always a place.
        Turn::with(self.0.clone().acquire_owned().await.ok())
    }
}

/// A turn, until it is dropped or has lasted for [`LONGEST_TURN`].
pub struct Turn(JoinHandle<()>);

impl Turn {
    fn with(place: Option<OwnedSemaphorePermit>) -> Self {
        Self(tokio::spawn(async move {
            tokio::time::sleep(LONGEST_TURN).await;
            drop(place);
        }))
    }
}

impl Drop for Turn {
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
        let turns = Turns::default();
        let start = Instant::now();
        let mut taken: Vec<Turn> = (0..AT_A_TIME).filter_map(|_| turns.take_now()).collect();
        assert_eq!(taken.len(), AT_A_TIME);
        assert!(turns.take_now().is_none());

        // What becomes free goes to who waits, at once, and to nobody who comes later.
        let next = turns.take();
        tokio::pin!(next);
        assert!((&mut next).now_or_never().is_none());
        taken.pop();
        let _next = next.await;
        assert!(turns.take_now().is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);

        // The others hang.
        for _ in 0..AT_A_TIME {
            taken.push(turns.take().await);
        }
        assert_eq!(start.elapsed(), LONGEST_TURN);
        // The end of a turn that was over takes nobody else's away.
        drop(taken.drain(..AT_A_TIME - 1));
        assert!(turns.take().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_no_longer_is_passed_over() {
        let turns = Turns::default();
        let taken: Vec<Turn> = (0..AT_A_TIME).filter_map(|_| turns.take_now()).collect();
        let gone = tokio::time::timeout(Duration::from_secs(1), turns.take()).await;
        assert!(gone.is_err());
        let start = Instant::now();
        drop(taken);
        let _next = turns.take().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
