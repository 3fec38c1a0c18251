//! Insightful's rate limit. Its responses do not show it, so that we count our own calls.
//!
//! The calls of all clients of an organisation are counted together. So that no client waits for the
//! long apply of another, reads and the first few writes of each client in a minute have priority
//! over bulk writes, which may use a part of each minute only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Further writes of the client within the minute are bulk writes.
const MAX_PRIORITY_WRITES: usize = 10;

/// With several clients, a fifth of the calls in a minute is reserved for calls with priority.
const RESERVED_DIVISOR: usize = 5;

/// How long a bulk write waits if calls with priority are waiting.
const YIELD_DELAY: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallKind {
    Read,
    Write,
}

/// Limits the calls of all clients in any minute. Bursts are allowed.
pub struct RateLimiter {
    calls_per_minute: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clients: usize,
    last_client: u64,
    /// The calls of the last minute.
    recent: VecDeque<Sent>,
    /// The number of waiting calls with priority.
    waiting: usize,
}

struct Sent {
    at: Instant,
    client: u64,
    kind: CallKind,
    is_bulk: bool,
}

/// What is left of the current minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The calls that may be made now.
    pub available: usize,
    pub per_minute: usize,
    /// Until more calls become available.
    pub more_in: Duration,
}

impl RateLimiter {
    /// Allows at least one call.
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

/// A client of a shared rate limiter.
pub(super) struct LimitedClient {
    limiter: Arc<RateLimiter>,
    client: u64,
}

impl LimitedClient {
    pub(super) fn new(limiter: Arc<RateLimiter>) -> Self {
        let mut state = limiter.lock(Instant::now());
        state.clients += 1;
        state.last_client += 1;
        let client = state.last_client;
        drop(state);
        Self { limiter, client }
    }

    /// Admits a call, or returns when to ask again.
    pub(super) fn admit(&self, kind: CallKind, now: Instant) -> Result<(), Instant> {
        let max = self.limiter.calls_per_minute;
        let mut state = self.limiter.lock(now);
        let is_bulk = kind == CallKind::Write && self.writes(&state) >= MAX_PRIORITY_WRITES;
        let next_end = |sent: Option<&Sent>| sent.map_or(now + YIELD_DELAY, |sent| sent.at + MINUTE);
        if state.recent.len() >= max {
            return Err(next_end(state.recent.front()));
        }
        if is_bulk && state.clients > 1 {
            let bulk = || state.recent.iter().filter(|sent| sent.is_bulk);
            if bulk().count() >= (max - max / RESERVED_DIVISOR).max(1) {
                return Err(next_end(bulk().next()));
            }
            if state.recent.len() + state.waiting >= max {
                return Err(now + YIELD_DELAY);
            }
        }
        state.recent.push_back(Sent {
            at: now,
            client: self.client,
            kind,
            is_bulk,
        });
        Ok(())
    }

    /// Registers a waiting call with priority, until the result is dropped. Returns None for a bulk
    /// write.
    pub(super) fn wait(&self, kind: CallKind, now: Instant) -> Option<WaitingCall> {
        let mut state = self.limiter.lock(now);
        if kind == CallKind::Write && self.writes(&state) >= MAX_PRIORITY_WRITES {
            return None;
        }
        state.waiting += 1;
        Some(WaitingCall(Arc::clone(&self.limiter)))
    }

    pub(super) fn budget(&self, now: Instant) -> Budget {
        let per_minute = self.limiter.calls_per_minute;
        let state = self.limiter.lock(now);
        Budget {
            available: per_minute.saturating_sub(state.recent.len()),
            per_minute,
            more_in: state
                .recent
                .front()
                .map_or(Duration::ZERO, |oldest| oldest.at + MINUTE - now),
        }
    }

    /// The client's writes of the last minute.
    fn writes(&self, state: &State) -> usize {
        let mine = |sent: &&Sent| sent.client == self.client && sent.kind == CallKind::Write;
        state.recent.iter().filter(mine).count()
    }
}

impl Drop for LimitedClient {
    fn drop(&mut self) {
        let mut state = self.limiter.lock(Instant::now());
        state.clients = state.clients.saturating_sub(1);
    }
}

/// See [`LimitedClient::wait`].
pub(super) struct WaitingCall(Arc<RateLimiter>);

impl Drop for WaitingCall {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.waiting = state.waiting.saturating_sub(1);
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
        let client = LimitedClient::new(Arc::new(RateLimiter::new(2)));
        let at = after(Instant::now());
        for kind in [CallKind::Read, CallKind::Write] {
            let at = |seconds: u64| at(seconds + if kind == CallKind::Read { 0 } else { 1000 });
            assert_eq!(client.admit(kind, at(0)), Ok(()));
            assert_eq!(client.admit(kind, at(30)), Ok(()));
            assert_eq!(client.admit(kind, at(59)), Err(at(60)));
            assert_eq!(client.admit(kind, at(60)), Ok(()));
            assert_eq!(client.admit(kind, at(61)), Err(at(90)));
        }
    }

    #[test]
    fn a_single_client_may_use_the_whole_minute_for_bulk_writes() {
        let client = LimitedClient::new(Arc::new(RateLimiter::new(50)));
        let now = Instant::now();
        for write in 0..50 {
            assert_eq!(client.admit(CallKind::Write, now), Ok(()), "{write}");
        }
        assert_eq!(client.admit(CallKind::Write, now), Err(now + MINUTE));
    }

    #[test]
    fn bulk_writes_leave_a_part_of_each_minute_to_other_clients() {
        let limiter = Arc::new(RateLimiter::new(100));
        let (apply, other) = (
            LimitedClient::new(Arc::clone(&limiter)),
            LimitedClient::new(Arc::clone(&limiter)),
        );
        let start = Instant::now();
        let written = (0..100)
            .filter(|_| apply.admit(CallKind::Write, start).is_ok())
            .count();
        assert_eq!(written, MAX_PRIORITY_WRITES + 80);
        assert_eq!(apply.admit(CallKind::Write, start), Err(start + MINUTE));
        for call in 0..10 {
            let kind = if call % 2 == 0 {
                CallKind::Read
            } else {
                CallKind::Write
            };
            assert_eq!(other.admit(kind, start), Ok(()), "{call}");
        }
        assert_eq!(other.admit(CallKind::Read, start), Err(start + MINUTE));
        // A single client may use the whole minute.
        drop(other);
        let next = start + MINUTE;
        let written = (0..100)
            .filter(|_| apply.admit(CallKind::Write, next).is_ok())
            .count();
        assert_eq!(written, 100);
    }

    #[test]
    fn waiting_calls_have_priority_over_bulk_writes() {
        let limiter = Arc::new(RateLimiter::new(20));
        let (apply, other) = (
            LimitedClient::new(Arc::clone(&limiter)),
            LimitedClient::new(Arc::clone(&limiter)),
        );
        let at = after(Instant::now());
        for write in 0..20 {
            assert_eq!(apply.admit(CallKind::Write, at(write)), Ok(()));
        }
        assert_eq!(other.admit(CallKind::Read, at(20)), Err(at(60)));
        let waiting = other.wait(CallKind::Read, at(20));
        assert!(waiting.is_some());
        assert!(
            apply.wait(CallKind::Write, at(20)).is_none(),
            "a bulk write has no priority"
        );
        // One call is free, but not for a bulk write.
        apply.admit(CallKind::Read, at(60)).unwrap();
        assert_eq!(apply.admit(CallKind::Write, at(61)), Err(at(61) + YIELD_DELAY));
        assert_eq!(other.admit(CallKind::Read, at(61)), Ok(()));
        drop(waiting);
        assert_eq!(apply.admit(CallKind::Write, at(62)), Ok(()));
    }

    #[test]
    fn the_budget_is_what_is_left_of_the_minute() {
        let client = LimitedClient::new(Arc::new(RateLimiter::new(5)));
        let at = after(Instant::now());
        let budget = |now| client.budget(now);
        assert_eq!(
            (budget(at(0)).available, budget(at(0)).more_in),
            (5, Duration::ZERO)
        );
        client.admit(CallKind::Read, at(0)).unwrap();
        client.admit(CallKind::Read, at(20)).unwrap();
        let expected = Budget {
            available: 3,
            per_minute: 5,
            more_in: Duration::from_secs(30),
        };
        assert_eq!(budget(at(30)), expected);
        assert_eq!(budget(at(60)).available, 4);
    }
}
