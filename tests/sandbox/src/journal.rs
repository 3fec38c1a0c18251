//! What an emulator was asked, in order, and what it answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use serde_json::Value;
use tokio::sync::watch;

use crate::server::Call;

/// One request to an emulator.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Position among the requests since the start, from 0; `clear` does not reset it.
    pub sequence: u64,
    /// When it arrived, counted from the emulator's start.
    pub at: Duration,
    /// The method, in capitals.
    pub method: String,
    /// The path as sent, percent-encoded, without the query.
    pub path: String,
    /// The query's parameters, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// The headers in lower case, without credentials.
    pub headers: BTreeMap<String, String>,
    /// The body, when it is JSON.
    pub body: Option<Value>,
    /// Whether the credentials were right. They themselves are not kept.
    pub authorized: bool,
    /// The status answered; `None` while there is no answer, and for ever when the connection was cut.
    pub status: Option<u16>,
    /// Whether the request changed the service's state.
    pub effect: bool,
    /// Query parameters that the service does not know and ignored, as the real one does.
    pub ignored: Vec<String>,
}

impl Entry {
    /// The first value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the request changed something or was meant to:
    /// every POST, PUT, PATCH and DELETE, and Insightful's GET that deactivates.
    pub fn is_write(&self) -> bool {
        self.effect || self.method != "GET" || self.path.contains("/employee/deactivate/")
    }

    /// `PUT /api/v1/employee/w… 200`, for messages and comparisons.
    pub fn line(&self) -> String {
        let status = self
            .status
            .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        format!("{} {} {status}", self.method, self.path)
    }
}

/// A condition that did not come true in time.
#[derive(Debug, thiserror::Error)]
#[error("not seen within {timeout:?}; the requests were:\n{requests}")]
pub struct NotSeen {
    timeout: Duration,
    requests: String,
}

/// Every request in the order of arrival. Clones share the same entries.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    entries: Mutex<Entries>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    kept: Vec<Entry>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                started: Instant::now(),
                entries: Mutex::default(),
                changed: watch::Sender::new(()),
            }),
        }
    }

    /// All requests since the start or the last `clear`.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().kept.clone()
    }

    /// How long ago the last request arrived, None if there was none.
    pub fn since_last(&self) -> Option<Duration> {
        let at = self.lock().kept.last()?.at;
        Some(self.shared.started.elapsed().saturating_sub(at))
    }

    /// The requests that changed something or were meant to.
    pub fn writes(&self) -> Vec<Entry> {
        let entries = self.lock();
        entries
            .kept
            .iter()
            .filter(|entry| entry.is_write())
            .cloned()
            .collect()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        self.lock().kept.clear();
    }

    /// Waits until the entries meet a condition, and gives them.
    /// The condition is asked at each request and must not use the journal itself.
    ///
    /// # Errors
    /// [`NotSeen`], with the requests that were made instead, after `timeout`.
    pub async fn wait_until(
        &self,
        condition: impl Fn(&[Entry]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<Entry>, NotSeen> {
        let mut changed = self.shared.changed.subscribe();
        let met = async {
            loop {
                changed.mark_unchanged();
                {
                    let entries = self.lock();
                    if condition(&entries.kept) {
                        return entries.kept.clone();
                    }
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(timeout, met).await.map_err(|_| NotSeen {
            timeout,
            requests: self.entries().iter().map(|entry| entry.line() + "\n").collect(),
        })
    }

    /// Enters a request that has just arrived, and gives its sequence number.
    pub(crate) fn arrived(&self, call: &Call, authorized: bool) -> u64 {
        let mut entries = self.lock();
        let sequence = entries.next;
        entries.next += 1;
        entries.kept.push(Entry {
            sequence,
            at: self.shared.started.elapsed(),
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers: without_credentials(&call.headers),
            body: serde_json::from_slice(&call.body).ok(),
            authorized,
            status: None,
            effect: false,
            ignored: Vec::new(),
        });
        drop(entries);
        self.shared.changed.send_replace(());
        sequence
    }

    /// Completes an entry; one that was cleared meanwhile stays forgotten.
    pub(crate) fn complete(&self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.lock();
        if let Some(entry) = entries
            .kept
            .iter_mut()
            .rev()
            .find(|entry| entry.sequence == sequence)
        {
            change(entry);
        }
        drop(entries);
        self.shared.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn without_credentials(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter(|(name, _)| !["authorization", "cookie", "dpop"].contains(&name.as_str()))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}
