//! First reads take turns, so that a start or a change of the leader does not
//! send every integration to its services at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many first reads go on at a time.
const AT_A_TIME: usize = 8;

/// How long a read keeps its turn. One that takes longer goes on, and the next
/// begins beside it: an org that hangs holds up nobody.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// How soon an integration that got no turn asks again.
pub const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Who has not asked again by then waits no longer: the integration is gone, or
/// another replica leads.
const GIVEN_UP: Duration = Duration::from_secs(5);

/// Gives the turns: 200 integrations have begun after a few seconds where their
/// services answer, and after two minutes where none does.
#[derive(Default)]
pub struct Turns(Arc<Mutex<Given>>);

#[derive(Default)]
struct Given {
    ever: u64,
    now: Vec<(u64, Instant)>,
    /// The uids of those who got no turn, and when they asked last.
    waiting: HashMap<String, Instant>,
}

impl Turns {
    /// A turn for the integration with this uid, which lasts until it is dropped;
    /// None if as many as may be are taken.
    pub fn take(&self, uid: &str, now: Instant) -> Option<Turn> {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.now.retain(|(_, begun)| now < *begun + LONGEST_TURN);
        if given.now.len() >= AT_A_TIME {
            given.waiting.insert(uid.to_owned(), now);
            return None;
        }
        given.waiting.remove(uid);
        given.ever += 1;
        let number = given.ever;
        given.now.push((number, now));
        Some(Turn {
            number,
            of: Arc::clone(&self.0),
        })
    }

    /// How many integrations wait for a turn.
    pub fn waiting(&self, now: Instant) -> usize {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.waiting.retain(|_, asked| now < *asked + GIVEN_UP);
        given.waiting.len()
    }
}

/// See [`Turns::take`].
pub struct Turn {
    number: u64,
    of: Arc<Mutex<Given>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut given = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        given.now.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_a_time_and_none_waits_for_one_that_hangs() {
        let turns = Turns::default();
        let start = Instant::now();
        let mut taken: Vec<Turn> = (0..AT_A_TIME).filter_map(|_| turns.take("one", start)).collect();
        assert_eq!(taken.len(), AT_A_TIME);
        assert!(turns.take("next", start).is_none() && turns.take("last", start).is_none());
        assert_eq!(turns.waiting(start), 2);
        taken.pop();
        let soon = start + ASK_AGAIN;
        let next = turns.take("next", soon);
        assert!(next.is_some() && turns.take("last", soon).is_none());
        assert_eq!(turns.waiting(soon), 1);
        assert_eq!(turns.waiting(soon + GIVEN_UP), 0);

        let later = start + LONGEST_TURN;
        let more: Vec<Turn> = (0..AT_A_TIME).filter_map(|_| turns.take("more", later)).collect();
        assert_eq!(more.len(), AT_A_TIME - 1, "all but one have had their time");
        // The end of a turn that was over takes nobody else's away.
        drop(taken);
        assert!(turns.take("more", later).is_none());
    }
}
