//! What the operator remembers of an integration from one reconcile to the
//! next. Everything here can be lost: the next sync reads it again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::credentials::Connection;
use crate::{
    api::OktaIntegrationStatus,
    snapshot::Snapshot,
    status::{Disconnected, WriteFailures},
};

/// The first delay after a failure; it doubles up to [`LONGEST_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The longest delay after a failure.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5 * 60);

/// What is remembered of one integration.
#[derive(Default)]
pub struct Session {
    /// The clients.
    pub connection: Option<Connection>,
    /// The prefix with which the groups were read.
    pub prefix: Option<String>,
    /// What both services last said.
    pub snapshot: Option<Snapshot>,
    /// When both were last read; None asks for a read.
    pub read: Option<Instant>,
    /// The same on the clock, for the status.
    pub last_sync: Option<Timestamp>,
    /// When Insightful was last read.
    pub workforce_read: Option<Instant>,
    /// A failed read, until the next one succeeds.
    pub unread: Option<Unread>,
    /// People whose last write failed.
    pub failures: WriteFailures,
    /// What broke the last apply off, until the next one goes through.
    pub broken_off: Option<Disconnected>,
    /// When failed writes, or a broken-off apply, are tried again.
    pub retry_writes: Option<Instant>,
    /// The status that was written last.
    pub said: Said,
    /// Failures in a row.
    failed_in_a_row: u32,
}

/// The status that was written last, shared with whoever shows progress.
pub type Said = Arc<Mutex<Option<OktaIntegrationStatus>>>;

/// A failed read.
#[derive(Clone)]
pub struct Unread {
    /// What is said about it.
    pub why: Disconnected,
    /// When it is tried again in any case.
    pub retry: Instant,
}

impl Session {
    /// The delay after one more failure, doubling from a second to five minutes.
    pub fn backoff(&mut self) -> Duration {
        let delay = FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(self.failed_in_a_row.min(16)));
        self.failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        delay.min(LONGEST_BACKOFF)
    }

    /// Forgets all but what was said last.
    pub fn forget(&mut self) {
        *self = Self {
            said: std::mem::take(&mut self.said),
            ..Self::default()
        };
    }

    /// Whether what failed to be written still waits for its next try.
    pub fn is_resting(&self) -> bool {
        self.retry_writes.is_some_and(|retry| Instant::now() < retry)
    }

    /// All went well: the next failure starts from the first delay.
    pub fn reset_backoff(&mut self) {
        self.failed_in_a_row = 0;
    }
}

/// The sessions by the integration's uid.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Session>>>>);

impl Sessions {
    /// The session of an integration, a new one if there is none.
    pub fn of(&self, uid: &str) -> Arc<tokio::sync::Mutex<Session>> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.entry(uid.to_owned()).or_default().clone()
    }

    /// Forgets the sessions of integrations that are no more.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|uid, _| exists(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_a_bound_and_start_anew_after_success() {
        let mut session = Session::default();
        let delays: Vec<u64> = (0..10).map(|_| session.backoff().as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        session.reset_backoff();
        assert_eq!(session.backoff().as_secs(), 1);
    }
}
