//! Faults on demand: what networks, proxies and tired services do to a client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::server::Call;

/// A fault and the requests that it meets.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which requests.
    pub on: Match,
    /// What happens to them.
    pub kind: Kind,
    /// How often, `None` for as long as it stands.
    pub times: Option<u32>,
}

/// Which requests a fault meets.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// The method in capitals; `None` for each.
    pub method: Option<String>,
    /// The path, a segment `*` for any one segment and a last segment `**` for any rest.
    /// `None` for every path.
    pub path: Option<String>,
    /// A text that the decoded query, written `a=b&c=d`, must contain.
    pub query: Option<String>,
    /// How many matching requests pass unharmed first.
    pub after: u32,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// The requests of one method on a path pattern, for example `GET`, `/api/v1/groups/*/users`.
    pub fn on(method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// GET on a path pattern.
    pub fn get(path: &str) -> Self {
        Self::on("GET", path)
    }

    /// POST on a path pattern.
    pub fn post(path: &str) -> Self {
        Self::on("POST", path)
    }

    /// PUT on a path pattern.
    pub fn put(path: &str) -> Self {
        Self::on("PUT", path)
    }

    /// The same, but only after `count` matching requests have passed unharmed.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.after = count;
        self
    }

    /// The same, but only where the decoded query contains `text`.
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

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Kind {
    /// This status without any effect; the body is the service's usual error when `None`.
    Status(u16, Option<Value>),
    /// A proper 429 of the service, with its headers, without any effect.
    RateLimited,
    /// The request waits before it is looked at; a client that gives up meanwhile causes no effect.
    Delay(Duration),
    /// The effect happens at once, the answer waits.
    DelayAnswer(Duration),
    /// The connection is closed before any effect and any answer.
    CutBefore,
    /// The effect happens, then the connection is closed without a byte of answer.
    CutAfter,
    /// The effect happens, the answer is 200 with half of its body.
    BrokenJson,
    /// The page's `next` link names this same page. Nothing where there are no pages.
    PaginationLoop,
    /// The page's `next` link is this URL. Nothing where there are no pages.
    CrossOriginPagination(String),
    /// 200, `[]` and no `next` link.
    EmptyPage,
    /// Half of the page's items and no `next` link: the rest is silently missing.
    DroppedPage,
}

/// A fault that was added. It stays when this is dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    faults: Faults,
    number: usize,
}

impl Handle {
    /// How many requests it has met.
    pub fn hits(&self) -> u32 {
        self.faults
            .lock()
            .get(self.number)
            .map_or(0, |standing| standing.hits)
    }

    /// Ends the fault.
    pub fn remove(&self) {
        if let Some(standing) = self.faults.lock().get_mut(self.number) {
            standing.ended = true;
        }
    }
}

/// The faults of one emulator. Clones share them.
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
    /// Adds a fault. Where several meet one request, the first added that is not used up wins.
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

    /// Adds a fault that meets one request and is then used up.
    pub fn once(&self, on: Match, kind: Kind) -> Handle {
        self.add(Fault {
            on,
            kind,
            times: Some(1),
        })
    }

    /// Adds a fault that stands until it is removed.
    pub fn always(&self, on: Match, kind: Kind) -> Handle {
        self.add(Fault {
            on,
            kind,
            times: None,
        })
    }

    /// Ends every fault; handles still tell their hits.
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
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
