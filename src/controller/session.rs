//! The memory that each stage keeps from one reconcile of an integration to the next. All of it can be lost:
//! the next sync reads it again.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::{
    apply::ApplyState, backoff::FailureStreak, credentials::Connection, idle::IdleCycle,
    published::PublishedStatus, read::ReadState, unmatched_employees::UnmatchedState, webhook::Deliveries,
};
use crate::model::SyncedState;

/// What is remembered of one integration, by the stage that owns it.
#[derive(Default)]
pub struct Session {
    /// The clients of both services.
    pub connection: Option<Connection>,
    pub read: ReadState,
    /// What both services last answered: filled by the read stage, updated by the apply stage.
    pub synced: SyncedState,
    pub apply: ApplyState,
    pub unmatched: UnmatchedState,
    pub published: PublishedStatus,
    pub idle: IdleCycle,
    /// Messages to the webhook, beside the stages.
    pub deliveries: Deliveries,
    /// Reconciles in a row that ended with an error.
    pub failures: FailureStreak,
}

impl Session {
    /// Forgets what both services answered. What was written and is not reported yet stays, and so does the
    /// status, which no other replica has changed.
    pub fn suspend(&mut self) {
        *self = Self {
            apply: self.apply.unreported_only(),
            published: std::mem::take(&mut self.published),
            deliveries: std::mem::take(&mut self.deliveries),
            ..Self::default()
        };
    }

    /// Forgets the status, too: another replica leads and may write it. What this replica wrote to Insightful
    /// nobody else can report.
    pub fn stand_by(&mut self) {
        *self = Self {
            apply: self.apply.unreported_only(),
            ..Self::default()
        };
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

    /// Forgets the sessions of integrations that no longer exist.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        let mut sessions = self.0.lock();
        sessions.retain(|uid, _| exists(uid));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::OktaIntegration;

    #[test]
    fn only_a_suspended_session_keeps_its_status() {
        let spec = json!({
            "okta": { "orgUrl": "https://acme.okta.com", "auth": {} },
            "insightful": { "apiToken": { "secretRef": { "name": "s", "key": "k" } } },
        });
        let integration = OktaIntegration::new("acme", serde_json::from_value(spec).unwrap());
        let published = || PublishedStatus::read_in(1, &integration);
        let mut session = Session {
            published: published(),
            ..Session::default()
        };
        session.suspend();
        assert!(session.published.is_known_in(1));
        session.stand_by();
        assert!(!session.published.is_known_in(1));
    }
}
