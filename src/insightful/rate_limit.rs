//! Insightful's rate limit, kept by counting our own calls: its answers do not tell.
//!
//! All clients of an organisation count together. Where there are several, none may be stuck
//! behind another's long apply: reads, and the first few writes of each client in a minute, go
//! ahead of writes by the hundred, for which a part of each minute is never available.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// How many writes of one client in a minute are a small change.
const SMALL_CHANGE: usize = 10;

/// The part of a minute's calls, as a divisor, that long applies leave to everything else where
/// several clients share: a fifth.
const LEFT_TO_OTHERS: usize = 5;

/// How soon a long apply asks again when others go ahead of it.
const AFTER_OTHERS: Duration = Duration::from_millis(100);

/// What a call is, when it comes to who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It shows something.
    Read,
    /// It changes something.
    Write,
}

/// Allows so many calls of all its clients in any minute; they may come in a burst.
pub struct RateLimiter {
    calls_per_minute: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many clients there are.
    clients: usize,
    /// How many there have been.
    clients_ever: u64,
    /// The calls of the last minute.
    recent: VecDeque<Sent>,
    /// Calls that wait and go ahead of long applies.
    ahead: usize,
}

struct Sent {
    at: Instant,
    client: u64,
    kind: Kind,
    /// Whether it was a write among many.
    among_many: bool,
}

/// What is left of the present minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Calls that may be made at once.
    pub available: usize,
    /// Calls in any minute.
    pub per_minute: usize,
    /// Until more may be made than are available now.
    pub more_in: Duration,
}

impl RateLimiter {
    /// So many calls in any minute, at least one.
    pub fn new(calls_per_minute: usize) -> Self {
        Self {
            calls_per_minute: calls_per_minute.max(1),
            state: Mutex::default(),
        }
    }

    fn lock(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        while state
            .recent
            .front()
            .is_some_and(|oldest| oldest.at + MINUTE <= now)
        {
            state.recent.pop_front();
        }
        state
    }
}

/// One client's place in the pace.
pub(super) struct Place {
    pace: Arc<RateLimiter>,
    client: u64,
}

impl Place {
    /// A new client's.
    pub(super) fn of(pace: Arc<RateLimiter>) -> Self {
        let mut state = pace.lock(Instant::now());
        state.clients += 1;
        state.clients_ever += 1;
        let client = state.clients_ever;
        drop(state);
        Self { pace, client }
    }

    /// Leave for one call, or when to ask again.
    pub(super) fn admit(&self, kind: Kind, now: Instant) -> Result<(), Instant> {
        let most = self.pace.calls_per_minute;
        let mut state = self.pace.lock(now);
        let among_many = kind == Kind::Write && self.writes(&state) >= SMALL_CHANGE;
        let next_end = |sent: Option<&Sent>| sent.map_or(now + AFTER_OTHERS, |sent| sent.at + MINUTE);
        if state.recent.len() >= most {
            return Err(next_end(state.recent.front()));
        }
        if among_many && state.clients > 1 {
            let of_applies = || state.recent.iter().filter(|sent| sent.among_many);
            if of_applies().count() >= (most - most / LEFT_TO_OTHERS).max(1) {
                return Err(next_end(of_applies().next()));
            }
            if state.recent.len() + state.ahead >= most {
                return Err(now + AFTER_OTHERS);
            }
        }
        state.recent.push_back(Sent {
            at: now,
            client: self.client,
            kind,
            among_many,
        });
        Ok(())
    }

    /// Says that a call waits. As long as this is held, long applies of others stay behind it;
    /// None for a call that goes ahead of nobody.
    pub(super) fn wait(&self, kind: Kind, now: Instant) -> Option<Waiting> {
        let mut state = self.pace.lock(now);
        if kind == Kind::Write && self.writes(&state) >= SMALL_CHANGE {
            return None;
        }
        state.ahead += 1;
        Some(Waiting(Arc::clone(&self.pace)))
    }

    /// What is left of the present minute.
    pub(super) fn budget(&self, now: Instant) -> Budget {
        let per_minute = self.pace.calls_per_minute;
        let state = self.pace.lock(now);
        Budget {
            available: per_minute.saturating_sub(state.recent.len()),
            per_minute,
            more_in: state
                .recent
                .front()
                .map_or(Duration::ZERO, |oldest| oldest.at + MINUTE - now),
        }
    }

    /// This client's writes of the last minute.
    fn writes(&self, state: &State) -> usize {
        let mine = |sent: &&Sent| sent.client == self.client && sent.kind == Kind::Write;
        state.recent.iter().filter(mine).count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.pace.lock(Instant::now());
        state.clients = state.clients.saturating_sub(1);
    }
}

/// See [`Place::wait`].
pub(super) struct Waiting(Arc<RateLimiter>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.ahead = state.ahead.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant) -> impl Fn(u64) -> Instant {
        move |seconds| start + Duration::from_secs(seconds)
    }

    #[test]
    fn no_minute_has_more_calls_than_allowed() {
        let place = Place::of(Arc::new(RateLimiter::new(2)));
        let at = after(Instant::now());
        for kind in [Kind::Read, Kind::Write] {
            let at = |seconds: u64| at(seconds + if kind == Kind::Read { 0 } else { 1000 });
            assert_eq!(place.admit(kind, at(0)), Ok(()));
            assert_eq!(place.admit(kind, at(30)), Ok(()));
            assert_eq!(place.admit(kind, at(59)), Err(at(60)));
            assert_eq!(place.admit(kind, at(60)), Ok(()));
            assert_eq!(place.admit(kind, at(61)), Err(at(90)));
        }
    }

    #[test]
    fn who_is_alone_has_the_whole_minute_for_an_apply() {
        let place = Place::of(Arc::new(RateLimiter::new(50)));
        let now = Instant::now();
        for write in 0..50 {
            assert_eq!(place.admit(Kind::Write, now), Ok(()), "{write}");
        }
        assert_eq!(place.admit(Kind::Write, now), Err(now + MINUTE));
    }

    #[test]
    fn a_long_apply_leaves_a_part_of_each_minute_to_the_others() {
        let pace = Arc::new(RateLimiter::new(100));
        let (apply, other) = (Place::of(Arc::clone(&pace)), Place::of(Arc::clone(&pace)));
        let start = Instant::now();
        let written = (0..100)
            .filter(|_| apply.admit(Kind::Write, start).is_ok())
            .count();
        assert_eq!(written, SMALL_CHANGE + 80);
        assert_eq!(apply.admit(Kind::Write, start), Err(start + MINUTE));
        for call in 0..10 {
            let kind = if call % 2 == 0 { Kind::Read } else { Kind::Write };
            assert_eq!(other.admit(kind, start), Ok(()), "{call}");
        }
        assert_eq!(other.admit(Kind::Read, start), Err(start + MINUTE));
        // Once the others are gone, the whole minute is the apply's.
        drop(other);
        let next = start + MINUTE;
        let written = (0..100)
            .filter(|_| apply.admit(Kind::Write, next).is_ok())
            .count();
        assert_eq!(written, 100);
    }

    #[test]
    fn who_waits_goes_ahead_of_a_long_apply() {
        let pace = Arc::new(RateLimiter::new(20));
        let (apply, other) = (Place::of(Arc::clone(&pace)), Place::of(Arc::clone(&pace)));
        let at = after(Instant::now());
        for write in 0..20 {
            assert_eq!(apply.admit(Kind::Write, at(write)), Ok(()));
        }
        assert_eq!(other.admit(Kind::Read, at(20)), Err(at(60)));
        let waiting = other.wait(Kind::Read, at(20));
        assert!(waiting.is_some());
        assert!(
            apply.wait(Kind::Write, at(20)).is_none(),
            "a long apply goes ahead of nobody"
        );
        // One place is free, and it is not the apply's.
        apply.admit(Kind::Read, at(60)).unwrap();
        assert_eq!(apply.admit(Kind::Write, at(61)), Err(at(61) + AFTER_OTHERS));
        assert_eq!(other.admit(Kind::Read, at(61)), Ok(()));
        drop(waiting);
        assert_eq!(apply.admit(Kind::Write, at(62)), Ok(()));
    }

    #[test]
    fn what_is_left_of_the_minute() {
        let place = Place::of(Arc::new(RateLimiter::new(5)));
        let at = after(Instant::now());
        let budget = |now| place.budget(now);
        assert_eq!(
            (budget(at(0)).available, budget(at(0)).more_in),
            (5, Duration::ZERO)
        );
        place.admit(Kind::Read, at(0)).unwrap();
        place.admit(Kind::Read, at(20)).unwrap();
        let left = Budget {
            available: 3,
            per_minute: 5,
            more_in: Duration::from_secs(30),
        };
        assert_eq!(budget(at(30)), left);
        assert_eq!(budget(at(60)).available, 4);
    }
}
