//! An Okta org over HTTP, read-only as far as the operator needs it.
//!
//! It answers as Okta's published description says. Where that is silent, it refuses:
//! a client that lives with this emulator lives with the real service.

mod answer;
mod auth;
mod limits;
mod lists;
mod org;
mod pages;
mod query;
mod schema;
mod views;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::company::Company;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::server::{Port, Server};
use answer::Service;
use limits::Counters;
use pages::Cursors;

pub use limits::{Bucket, Limits};
pub use org::Org;
pub use schema::Schemas;

/// How the org behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The one valid API token.
    pub token: String,
    /// Rate limits.
    pub limits: Limits,
    /// Most records on a page, whatever the request asks for, so that small companies have pages too.
    pub max_page: Option<usize>,
    /// Whether a full last page still has a `next` link, which leads to an empty page.
    pub trailing_page: bool,
    /// Whether the token's creator has an administrator's role; without it every call is 403.
    pub admin_role: bool,
    /// How far lists, searches and memberships are behind a GET by id. Set it before the changes that should lag.
    pub lag: Duration,
    /// How long each request takes.
    pub latency: Duration,
    /// How far the org's clock is ahead of ours.
    pub clock_offset: SignedDuration,
    /// Profile attributes that the org has defined beside the standard ones.
    pub custom_attributes: Vec<String>,
    /// Seed of cursors and request ids.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token: "00okta-sandbox-secret-token-5b1f".to_owned(),
            limits: Limits::default(),
            max_page: None,
            trailing_page: false,
            admin_role: true,
            lag: Duration::ZERO,
            latency: Duration::ZERO,
            clock_offset: SignedDuration::ZERO,
            custom_attributes: Vec::new(),
            seed: 1,
        }
    }
}

/// A running org. It stops when dropped.
pub struct Okta {
    server: Server,
    state: Arc<Mutex<State>>,
    journal: Journal,
    faults: Faults,
}

struct State {
    url: String,
    settings: Settings,
    /// Leaked on purpose, so that `token` can lend it: a test rotates a token once or twice.
    token: &'static str,
    /// The org's versions, oldest first, each with the moment from which it was the truth.
    /// Only as many are kept as the lag needs.
    versions: VecDeque<(Instant, Arc<Org>)>,
    counters: Counters,
    cursors: Cursors,
    random: fastrand::Rng,
    /// Requests that others have in work.
    occupied: usize,
}

impl State {
    fn truth(&self) -> &Arc<Org> {
        &self.versions[self.versions.len() - 1].1
    }

    /// What lists show: the newest version that is as old as the lag.
    fn listed(&self) -> Arc<Org> {
        let visible = |since: &Instant| since.elapsed() >= self.settings.lag;
        let version = self.versions.iter().rev().find(|(since, _)| visible(since));
        Arc::clone(version.map_or(&self.versions[0].1, |(_, org)| org))
    }

    /// The org to change: the truth itself, or with a lag a new version.
    fn changed(&mut self) -> &mut Org {
        while self.versions.len() > 1 && self.versions[1].0.elapsed() >= self.settings.lag {
            self.versions.pop_front();
        }
        if !self.settings.lag.is_zero() {
            let next = Arc::clone(self.truth());
            self.versions.push_back((Instant::now(), next));
        }
        let last = self.versions.len() - 1;
        Arc::make_mut(&mut self.versions[last].1)
    }
}

impl Okta {
    /// Starts a company's org on the caller's runtime, with a free loopback port.
    ///
    /// # Panics
    /// Outside a tokio runtime, and when no port can be bound.
    pub fn start(company: &Company) -> Self {
        Self::start_with(company, Settings::default())
    }

    /// Starts a company's org that behaves as set.
    ///
    /// # Panics
    /// Outside a tokio runtime, and when no port can be bound.
    #[expect(clippy::expect_used, reason = "without a loopback port nothing can be tested")]
    pub fn start_with(company: &Company, settings: Settings) -> Self {
        let port = Port::bind().expect("a loopback port");
        let org = Arc::new(Org::new(company, settings.clock_offset));
        let state = Arc::new(Mutex::new(State {
            url: format!("http://{}", port.address),
            token: settings.token.clone().leak(),
            versions: VecDeque::from([(Instant::now(), org)]),
            counters: Counters::default(),
            cursors: Cursors::new(settings.seed),
            random: fastrand::Rng::with_seed(settings.seed),
            occupied: 0,
            settings,
        }));
        let (journal, faults) = (Journal::new(), Faults::default());
        let service = Arc::new(Service(Arc::clone(&state)));
        Self {
            server: port.serve(service, journal.clone(), faults.clone()),
            state,
            journal,
            faults,
        }
    }

    /// The org's URL, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The valid API token.
    pub fn token(&self) -> &str {
        self.lock().token
    }

    /// Makes another token the only valid one, as when the old one was revoked.
    pub fn set_token(&self, token: &str) {
        self.lock().token = token.to_owned().leak();
    }

    /// Changes how the org behaves from now on; the token has `set_token`.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = self.lock();
        change(&mut state.settings);
        let offset = state.settings.clock_offset;
        if state.truth().clock_offset != offset {
            state.changed().clock_offset = offset;
        }
    }

    /// Every request so far.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The faults that requests meet.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes users, groups and memberships, all at once for every reader.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Org) -> T) -> T {
        change(self.lock().changed())
    }

    /// The org as it is now.
    pub fn snapshot(&self) -> Org {
        Org::clone(self.lock().truth())
    }

    /// Uses up requests of a bucket, as the org's other tokens and administrators do.
    pub fn spend(&self, bucket: Bucket, count: u32) {
        let state = &mut *self.lock();
        let now = state.truth().clock();
        state.counters.spend(&state.settings.limits, bucket, count, now);
    }

    /// The most requests to a bucket that one token had in one window, and how
    /// many a token may have: what the headers call the limit.
    pub fn most_used(&self, bucket: Bucket) -> (u32, u32) {
        let state = self.lock();
        (state.counters.most(bucket), state.settings.limits.token(bucket))
    }

    /// Says how many requests others have in work at once, until told otherwise.
    pub fn occupy(&self, requests: usize) {
        self.lock().occupied = requests;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panics inside `edit` has failed already; the server may go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
