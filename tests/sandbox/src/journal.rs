//! The requests to an emulator in order of arrival, with the status of their responses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use tokio::sync::watch;

use crate::server::Call;

#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of requests before it since the start; `clear` does not reset it.
    pub sequence: u64,
    /// When it arrived, since the emulator's start.
    pub at: Duration,
    pub method: String,
    /// Percent-encoded and without the query.
    pub path: String,
    /// Decoded, in the order of the URL, and without credentials.
    pub query: Vec<(String, String)>,
    /// With lower-case names and without credentials.
    pub headers: BTreeMap<String, String>,
    /// The scheme of the credentials: `Bearer`, `DPoP` or `SSWS`.
    pub scheme: Option<String>,
    /// None if the body is not JSON, or holds credentials.
    pub body: Option<Value>,
    pub authorized: bool,
    /// None before the response, and if the connection was closed without a response.
    pub status: Option<u16>,
    /// Whether the request changed the service's state.
    pub effect: bool,
    /// Unknown query parameters, which the real service ignores too.
    pub ignored: Vec<String>,
    /// Whether the response was compressed, as the request asked for.
    pub gzip: bool,
}

impl Entry {
    /// The first value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the request is a write, successful or not: POST, PUT, PATCH, DELETE, and Insightful's GET that deactivates.
    /// A request for an access token is not a write.
    pub fn is_write(&self) -> bool {
        let is_read = self.method == "GET" || is_for_tokens(&self.path);
        self.effect || !is_read || self.path.contains("/employee/deactivate/")
    }

    /// `PUT /api/v1/employee/w… 200`
    pub fn line(&self) -> String {
        let status = self
            .status
            .map_or_else(|| "no response".to_owned(), |status| status.to_string());
        format!("{} {} {status}", self.method, self.path)
    }
}

/// A condition was not met in time.
#[derive(Debug, thiserror::Error)]
#[error("the condition was not met within {timeout:?}; the requests were:\n{requests}")]
pub struct NotSeen {
    timeout: Duration,
    requests: String,
}

/// Clones share the same entries.
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
    entries: Vec<Entry>,
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
        self.lock().entries.clone()
    }

    /// The time since the last request arrived.
    pub fn since_last(&self) -> Option<Duration> {
        let at = self.lock().entries.last()?.at;
        Some(self.shared.started.elapsed().saturating_sub(at))
    }

    /// All writes; see [`Entry::is_write`].
    pub fn writes(&self) -> Vec<Entry> {
        let entries = self.lock();
        entries
            .entries
            .iter()
            .filter(|entry| entry.is_write())
            .cloned()
            .collect()
    }

    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    /// Waits until the entries meet a condition, and returns them. The condition is evaluated at each request and must
    /// not use the journal.
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
                    if condition(&entries.entries) {
                        return entries.entries.clone();
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

    /// Adds a request and returns its sequence number.
    pub(crate) fn arrived(&self, call: &Call, authorized: bool) -> u64 {
        let mut entries = self.lock();
        let sequence = entries.next;
        entries.next += 1;
        entries.entries.push(Entry {
            sequence,
            at: self.shared.started.elapsed(),
            method: call.method.to_string(),
            path: call.path.clone(),
            query: without_assertions(&call.query),
            headers: without_credentials(&call.headers),
            scheme: scheme(call),
            body: serde_json::from_slice(&call.body)
                .ok()
                .filter(|_| !is_for_tokens(&call.path)),
            authorized,
            status: None,
            effect: false,
            ignored: Vec::new(),
            gzip: false,
        });
        drop(entries);
        self.shared.changed.send_replace(());
        sequence
    }

    /// Changes an entry, unless it was cleared.
    pub(crate) fn complete(&self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.lock();
        if let Some(entry) = entries
            .entries
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
        self.shared.entries.lock()
    }
}

/// Whether the path is one of the authorization server, whose requests contain credentials.
fn is_for_tokens(path: &str) -> bool {
    path.starts_with("/oauth2/")
}

fn scheme(call: &Call) -> Option<String> {
    let (scheme, _) = call.header("authorization")?.split_once(' ')?;
    ["Bearer", "DPoP", "SSWS"]
        .contains(&scheme)
        .then(|| scheme.to_owned())
}

fn without_assertions(query: &[(String, String)]) -> Vec<(String, String)> {
    let is_kept = |(name, _): &&(String, String)| name != "client_assertion";
    query.iter().filter(is_kept).cloned().collect()
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
