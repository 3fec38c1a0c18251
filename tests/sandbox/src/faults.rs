//! Injected faults, as networks, proxies and overloaded services cause them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use crate::server::Call;

/// A fault and the requests that it affects.
#[derive(Clone, Debug)]
pub struct Fault {
    pub on: Match,
    pub kind: Kind,
    /// How many requests it affects; None for no limit.
    pub times: Option<u32>,
}

/// The requests that a fault affects. `None` matches any value.
#[derive(Clone, Debug, Default)]
pub struct Match {
    pub method: Option<String>,
    /// The path. A segment `*` matches one segment, and a last segment `**` matches all remaining ones.
    pub path: Option<String>,
    /// A part of the decoded query, such as `a=b&c=d`.
    pub query: Option<String>,
    /// How many matching requests succeed first.
    pub after: u32,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this method and path pattern, such as `GET` and `/api/v1/groups/*/users`.
    pub fn on(method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }

    pub fn get(path: &str) -> Self {
        Self::on("GET", path)
    }

    pub fn post(path: &str) -> Self {
        Self::on("POST", path)
    }

    pub fn put(path: &str) -> Self {
        Self::on("PUT", path)
    }

    /// The same, but only after `count` matching requests.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.after = count;
        self
    }

    /// The same, but only if the decoded query contains `text`.
    #[must_use]
    pub fn query(mut self, text: &str) -> Self {
        self.query = Some(text.to_owned());
        self
    }

    fn meets(&self, call: &Call) -> bool {
        let method = self
            .method
            .as_ref()
            .is_none_or(|method| call.method == method.as_str());
        let path = self
            .path
            .as_ref()
            .is_none_or(|pattern| path_meets(pattern, &call.path));
        let query = self.query.as_ref().is_none_or(|text| {
            let pairs: Vec<_> = call
                .query
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            pairs.join("&").contains(text)
        });
        method && path && query
    }
}

fn path_meets(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        match (wanted, segments.next()) {
            ("**", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(segment)) if wanted == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// This status, without effect. The default body is the service's usual error.
    Status(u16, Option<Value>),
    /// The service's 429 with its headers, without effect.
    RateLimited,
    /// This status with the service's usual error, but the request takes effect later, once this time has passed.
    LateEffect(u16, Duration),
    /// The request is delayed. It has no effect if the client closes the connection in the meantime.
    Delay(Duration),
    /// The request takes effect immediately, but its response is delayed.
    DelayAnswer(Duration),
    /// The connection is closed without a response, before the request takes effect.
    CutBefore,
    /// The connection is closed without a response, after the request has taken effect.
    CutAfter,
    /// The request takes effect, and the response is 200 with half of its body.
    BrokenJson,
    /// The request takes effect, and the response is 200 with half of its compressed body, if the request asks for
    /// compression.
    BrokenGzip,
    /// The page's `next` link is the page itself. No fault on responses without pages.
    PaginationLoop,
    /// The page's `next` link is this URL. No fault on responses without pages.
    CrossOriginPagination(String),
    /// 200, `[]` and no `next` link.
    EmptyPage,
    /// Half of the page's items and no `next` link.
    DroppedPage,
}

/// An added fault. Dropping this does not remove it.
#[derive(Clone, Debug)]
pub struct Handle {
    faults: Faults,
    number: usize,
}

impl Handle {
    /// How many requests it has affected.
    pub fn hits(&self) -> u32 {
        self.faults
            .lock()
            .get(self.number)
            .map_or(0, |standing| standing.hits)
    }

    pub fn remove(&self) {
        if let Some(standing) = self.faults.lock().get_mut(self.number) {
            standing.ended = true;
        }
    }
}

/// The faults of an emulator. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    standing: Arc<Mutex<Vec<Standing>>>,
}

#[derive(Debug)]
struct Standing {
    fault: Fault,
    seen: u32,
    hits: u32,
    ended: bool,
}

impl Faults {
    /// Adds a fault. If several match a request, the first one that is not used up affects it.
    pub fn add(&self, fault: Fault) -> Handle {
        let mut standing = self.lock();
        standing.push(Standing {
            fault,
            seen: 0,
            hits: 0,
            ended: false,
        });
        Handle {
            faults: self.clone(),
            number: standing.len() - 1,
        }
    }

    /// Adds a fault that affects one request.
    pub fn once(&self, on: Match, kind: Kind) -> Handle {
        self.add(Fault {
            on,
            kind,
            times: Some(1),
        })
    }

    /// Adds a fault that affects all requests until it is removed.
    pub fn always(&self, on: Match, kind: Kind) -> Handle {
        self.add(Fault {
            on,
            kind,
            times: None,
        })
    }

    /// Removes all faults. Their handles still return their hits.
    pub fn clear(&self) {
        for standing in self.lock().iter_mut() {
            standing.ended = true;
        }
    }

    pub(crate) fn meet(&self, call: &Call) -> Option<Kind> {
        let mut met = None;
        for standing in self.lock().iter_mut().filter(|standing| !standing.ended) {
            if !standing.fault.on.meets(call) {
                continue;
            }
            standing.seen += 1;
            let used_up = standing.fault.times.is_some_and(|times| standing.hits >= times);
            if met.is_none() && standing.seen > standing.fault.on.after && !used_up {
                standing.hits += 1;
                met = Some(standing.fault.kind.clone());
            }
        }
        met
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.standing.lock()
    }
}
