//! What the operator remembers of an integration from one reconcile to the
//! next. Everything here can be lost: the next sync reads it again.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    apply::Outcome,
    backoff::{self, Backoffs},
    credentials::Connection,
    idle::Rest,
    leader::Term,
    state_dir::{ReadSource, SavedDirectory},
};
use crate::{
    api::{HistoryEntry, OktaIntegrationStatus},
    model::{PersonId, SyncedState},
    rules::status::{Disconnected, WriteFailures},
};

/// What is remembered of one integration.
#[derive(Default)]
pub struct Session {
    /// The clients.
    pub connection: Option<Connection>,
    /// What Okta was read with.
    pub read_with: Option<ReadSource>,
    /// What both services last said, and how far it follows Okta.
    pub known: SyncedState,
    /// When Okta was last read whole, on the clock.
    pub last_full: Option<Timestamp>,
    /// When both were last read; None asks for a read.
    pub read: Option<Instant>,
    /// The same on the clock, for the status; None before the first read since the start.
    pub last_sync: Option<Timestamp>,
    /// When Insightful was last read.
    pub workforce_read: Option<Instant>,
    /// A failed read, until the next one succeeds.
    pub unread: Option<Unread>,
    /// People whose last write failed.
    pub failures: WriteFailures,
    /// When each of them is tried again.
    pub retries: Backoffs,
    /// What broke the last apply off, until the next one goes through.
    pub broken_off: Option<Disconnected>,
    /// What an apply did that no status tells of yet.
    pub untold: Option<Untold>,
    /// When a broken-off apply is tried again.
    pub retry_apply: Option<Instant>,
    /// The last cycle, if there is nothing to do until anything changes.
    pub rest: Option<Rest>,
    /// The status that was written last.
    pub said: Said,
    /// The term since whose begin what other replicas may have said is known.
    pub knows_of: Option<Term>,
    /// Failures in a row.
    failed_in_a_row: u32,
}

/// The status that was written last, shared with whoever shows progress.
pub type Said = Arc<Mutex<Option<OktaIntegrationStatus>>>;

/// An apply that the integration's status does not tell of yet.
pub struct Untold {
    /// What it did.
    pub outcome: Outcome,
    /// How it stands in the history; None if it did nothing.
    pub history: Option<HistoryEntry>,
}

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
        let delay = backoff::delay(self.failed_in_a_row);
        self.failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        delay
    }

    /// The services are others: what they show must be read before it is acted
    /// on. What Okta said stands as long as it is read with the same.
    pub fn reconnect(&mut self, connection: Connection) {
        self.known.discard_workforce();
        self.read = None;
        self.unread = None;
        self.broken_off = None;
        self.retry_apply = None;
        self.connection = Some(connection);
    }

    /// Okta is to be read with something else: what it said before says nothing,
    /// but for what was kept from a read with just that.
    pub fn read_anew(&mut self, with: ReadSource, kept: Option<SavedDirectory>) {
        self.read = None;
        self.read_with = Some(with);
        (self.known, self.last_full) = match kept {
            Some(kept) => (SyncedState::resumed(kept.directory, kept.mark), Some(kept.full)),
            None => (SyncedState::default(), None),
        };
    }

    /// What is to be kept for the next start.
    pub fn to_keep(&self) -> Option<SavedDirectory> {
        let (mark, directory) = self.known.delta_base()?;
        Some(SavedDirectory {
            source: self.read_with.clone()?,
            directory: directory.clone(),
            mark,
            full: self.last_full?,
        })
    }

    /// Forgets all but what was said last, and what is yet to be told.
    pub fn forget(&mut self) {
        *self = Self {
            said: std::mem::take(&mut self.said),
            knows_of: self.knows_of,
            untold: self.untold.take(),
            ..Self::default()
        };
    }

    /// Another replica leads, or may: what is remembered is old by the time this
    /// one leads again. But what it did, nobody else can tell.
    pub fn stand_by(&mut self) {
        *self = Self {
            untold: self.untold.take(),
            ..Self::default()
        };
    }

    /// The status that was written last; None before the first since the start,
    /// or since this replica began to lead.
    pub fn said(&self) -> Option<OktaIntegrationStatus> {
        self.said.lock().clone()
    }

    /// Takes what stands in the cluster, as read in this term, as what was said last.
    pub fn take_as_said(&mut self, term: Term, status: Option<OktaIntegrationStatus>) {
        self.knows_of = Some(term);
        *self.said.lock() = status;
    }

    /// Remembers whom an apply failed for, of those that it was to write for, and
    /// when they, or what broke it off, are tried again. Gives whether it did
    /// anything, or met a failure that the one before it had not met.
    pub fn note_apply(&mut self, outcome: &Outcome, tried: &BTreeSet<PersonId>) -> bool {
        let now = Instant::now();
        let failed_anew = outcome
            .failures
            .keys()
            .any(|person| !self.failures.contains_key(person))
            || (outcome.disconnected.is_some() && self.broken_off.is_none());
        let is_news = outcome.done.writes > 0 || (outcome.done.failed > 0 && failed_anew);
        if outcome.gone_through {
            self.failures.retain(|person, _| !tried.contains(person));
        }
        self.failures.extend(outcome.failures.clone());
        self.retries.retain(|person| self.failures.contains_key(person));
        for person in outcome.failures.keys() {
            self.retries.record_failure(person.clone(), now);
        }
        self.broken_off = outcome.disconnected.clone();
        self.retry_apply = if self.broken_off.is_some() {
            Some(now + self.backoff())
        } else {
            self.reset_backoff();
            None
        };
        if outcome.read_again {
            self.read = None;
        }
        is_news
    }

    /// Nothing is left to apply: what broke the last apply off keeps nothing from
    /// being done.
    pub fn has_nothing_to_apply(&mut self) {
        self.broken_off = None;
        self.retry_apply = None;
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
        let mut sessions = self.0.lock();
        sessions.entry(uid.to_owned()).or_default().clone()
    }

    /// Forgets the sessions of integrations that are no more.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        let mut sessions = self.0.lock();
        sessions.retain(|uid, _| exists(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::status::{Done, WriteFailure};

    #[test]
    fn delays_grow_and_start_anew_after_success() {
        let mut session = Session::default();
        let delays: Vec<u64> = (0..3).map(|_| session.backoff().as_secs()).collect();
        assert_eq!(delays, [1, 2, 4]);
        session.reset_backoff();
        assert_eq!(session.backoff().as_secs(), 1);
    }

    #[test]
    fn what_is_yet_to_be_told_outlasts_a_suspension_and_another_leader() {
        let said = Said::new(Mutex::new(Some(OktaIntegrationStatus::default())));
        let mut session = Session {
            last_sync: Some(Timestamp::UNIX_EPOCH),
            said: said.clone(),
            untold: Some(Untold {
                outcome: Outcome::default(),
                history: None,
            }),
            ..Session::default()
        };
        session.forget();
        assert!(session.untold.is_some() && Arc::ptr_eq(&session.said, &said));
        assert_eq!(session.last_sync, None);
        session.stand_by();
        assert!(session.untold.is_some() && !Arc::ptr_eq(&session.said, &said));
    }

    /// An apply that wrote so often and failed for these.
    fn outcome(writes: usize, failed: &[&str]) -> Outcome {
        let failure = WriteFailure {
            reason: "Refused".into(),
            message: "the email is taken".into(),
        };
        Outcome {
            done: Done {
                writes,
                failed: failed.len(),
                ..Done::default()
            },
            failures: failed
                .iter()
                .map(|person| ((*person).into(), failure.clone()))
                .collect(),
            gone_through: true,
            ..Outcome::default()
        }
    }

    fn people(names: &[&str]) -> BTreeSet<PersonId> {
        names.iter().map(|name| (*name).into()).collect()
    }

    fn failing(session: &Session) -> BTreeSet<PersonId> {
        session.failures.keys().cloned().collect()
    }

    #[test]
    fn only_what_failed_anew_or_was_written_is_news() {
        let mut session = Session::default();
        assert!(!session.note_apply(&outcome(0, &[]), &people(&["jane"])));
        assert!(session.note_apply(&outcome(0, &["jane"]), &people(&["jane"])));
        assert!(!session.note_apply(&outcome(0, &["jane"]), &people(&["jane"])));
        assert!(session.note_apply(&outcome(1, &["jane"]), &people(&["jane", "omar"])));
        assert!(session.note_apply(&outcome(0, &["omar"]), &people(&["jane", "omar"])));
        assert_eq!(failing(&session), people(&["omar"]), "hers took effect");
    }

    #[test]
    fn who_was_not_tried_or_not_come_to_has_failed_as_before() {
        let mut session = Session::default();
        session.note_apply(&outcome(0, &["jane", "omar"]), &people(&["jane", "omar"]));
        // He rests, and hers takes effect.
        session.note_apply(&outcome(1, &[]), &people(&["jane"]));
        assert_eq!(failing(&session), people(&["omar"]));

        let broken_off = Outcome {
            gone_through: false,
            disconnected: Some(Disconnected {
                condition: "InsightfulConnected",
                reason: "NoResponse".into(),
                message: "no answer".into(),
                needs_action: false,
            }),
            ..outcome(0, &["mia"])
        };
        assert!(session.note_apply(&broken_off, &people(&["mia", "omar"])));
        assert_eq!(failing(&session), people(&["mia", "omar"]));
        assert!(session.is_resting());
        assert!(!session.note_apply(&broken_off, &people(&["mia", "omar"])));

        session.note_apply(&outcome(2, &[]), &people(&["mia", "omar"]));
        assert_eq!(failing(&session), people(&[]));
        assert!(!session.is_resting());
        assert_eq!(session.retries.next_retry(Instant::now()), None);
    }
}
