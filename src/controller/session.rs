//! What the operator remembers of an integration from one reconcile to the
//! next. Everything here can be lost: the next sync reads it again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    credentials::Connection,
    retries::{self, Retries},
};
use crate::{
    api::OktaIntegrationStatus,
    snapshot::Snapshot,
    status::{Disconnected, WriteFailures},
};

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
    /// When each of them is tried again.
    pub retries: Retries,
    /// What broke the last apply off, until the next one goes through.
    pub broken_off: Option<Disconnected>,
    /// When a broken-off apply is tried again.
    pub retry_apply: Option<Instant>,
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
        let delay = retries::delay(self.failed_in_a_row);
        self.failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        delay
    }

    /// Forgets all but what was said last.
    pub fn forget(&mut self) {
        *self = Self {
            said: std::mem::take(&mut self.said),
            ..Self::default()
        };
    }

    /// Whether an apply that was broken off still waits for its next try.
    pub fn is_resting(&self) -> bool {
        self.broken_off.is_some() && self.retry_apply.is_some_and(|retry| Instant::now() < retry)
    }

    /// All went well: the next failure of a read, or of a whole apply, starts
    /// from the first delay.
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
    fn delays_grow_and_start_anew_after_success() {
        let mut session = Session::default();
        let delays: Vec<u64> = (0..3).map(|_| session.backoff().as_secs()).collect();
        assert_eq!(delays, [1, 2, 4]);
        session.reset_backoff();
        assert_eq!(session.backoff().as_secs(), 1);
    }
}
