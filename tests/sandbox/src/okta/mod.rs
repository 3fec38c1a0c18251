//! An emulator of an Okta org: the read-only endpoints that the operator uses and the one for access tokens, over HTTP.
//!
//! It follows Okta's published API description and rejects every request that the description does not allow, so that
//! a client of this emulator also works with the real service.

mod access_token;
mod answer;
mod auth;
mod challenge;
mod client_assertion;
mod dpop;
mod jwt;
mod limits;
mod lists;
mod oauth;
mod org;
mod pages;
mod query;
mod schema;
mod service_app;
mod views;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::company::Company;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::server::{Port, Server};
use access_token::AccessTokens;
use answer::Service;
use dpop::Nonces;
use limits::Counters;
use pages::Cursors;

pub use limits::{Bucket, Limits};
pub use org::Org;
pub use schema::Schemas;
pub use service_app::ServiceApp;

/// The behaviour of the org.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL in links; None for that of the server. Set it to that of a proxy in front of it.
    pub url: Option<String>,
    /// The only valid API token.
    pub token: String,
    /// The apps that can get access tokens.
    pub service_apps: Vec<ServiceApp>,
    /// How long an access token is valid.
    pub token_lifetime: Duration,
    /// Whether proofs of possession for API calls need a nonce, which differs from that of the token endpoint.
    pub api_nonce: bool,
    /// Whether requesting only scopes that are not granted is `invalid_scope`, as in some orgs, instead of
    /// `consent_required`.
    pub ungranted_scope_is_invalid: bool,
    pub limits: Limits,
    /// The maximum number of records on a page, whatever the request asks for. With it, small companies have several
    /// pages.
    pub max_page: Option<usize>,
    /// Whether a full last page has a `next` link, to an empty page.
    pub trailing_page: bool,
    /// Whether the API token's creator is an administrator. Otherwise every response is 403.
    pub admin_role: bool,
    /// Whether the role of a token or an app covers users. Otherwise their lists are empty, and reading one by id is a
    /// 403.
    pub sees_users: bool,
    /// The scopes that the API token lacks. A call that needs one is answered with a 403 without a body.
    pub missing_scopes: BTreeSet<String>,
    /// Whether responses have two sets of rate limit headers: the org's, then the one for concurrent calls.
    pub doubled_rate_headers: bool,
    /// Whether `errorCauses` is null instead of an empty list.
    pub null_causes: bool,
    /// Whether the names of headers are written as `Link` instead of `link`; for new connections.
    pub title_case_headers: bool,
    /// The ids of users whom no list or search of users shows, as if the index lagged behind or the token's role did
    /// not cover them. Lists of members and a GET by id do.
    pub hidden: BTreeSet<String>,
    /// How far lists, searches and memberships lag behind a GET by id. Set it before the changes that should lag.
    pub lag: Duration,
    /// The minimum duration of a request.
    pub latency: Duration,
    /// How far the org's clock is ahead of this machine's.
    pub clock_offset: SignedDuration,
    /// The org's own profile attributes.
    pub custom_attributes: Vec<String>,
    /// The seed of cursors and request ids.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: None,
            token: "00okta-sandbox-secret-token-5b1f".to_owned(),
            service_apps: Vec::new(),
            token_lifetime: Duration::from_secs(60 * 60),
            api_nonce: false,
            ungranted_scope_is_invalid: false,
            limits: Limits::default(),
            max_page: None,
            trailing_page: false,
            admin_role: true,
            sees_users: true,
            missing_scopes: BTreeSet::new(),
            doubled_rate_headers: false,
            null_causes: false,
            title_case_headers: false,
            hidden: BTreeSet::new(),
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
    /// Leaked, so that `token` can return a reference; tests rotate tokens rarely.
    token: &'static str,
    access_tokens: AccessTokens,
    /// The ids of client assertions, each with its app, that have been used.
    used_assertions: HashSet<(String, String)>,
    /// The ids of proofs of possession that have been used.
    used_proofs: HashSet<String>,
    token_nonces: Nonces,
    api_nonces: Nonces,
    /// The versions of the org that the lag requires, oldest first, each with the time of its change.
    versions: VecDeque<(Instant, Arc<Org>)>,
    counters: Counters,
    cursors: Cursors,
    /// How many of the next requests with a cursor find all cursors expired.
    expiries: u32,
    random: fastrand::Rng,
    /// The number of other clients' concurrent requests.
    occupied: usize,
}

impl State {
    fn truth(&self) -> &Arc<Org> {
        &self.versions[self.versions.len() - 1].1
    }

    /// The version that lists show: the newest one that is at least as old as the lag.
    fn listed(&self) -> Arc<Org> {
        let visible = |since: &Instant| since.elapsed() >= self.settings.lag;
        let version = self.versions.iter().rev().find(|(since, _)| visible(since));
        Arc::clone(version.map_or(&self.versions[0].1, |(_, org)| org))
    }

    /// The version to change: the current one, or a new one if there is a lag.
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
    /// Starts a company's org on the caller's tokio runtime, on a free loopback port.
    pub fn start(company: &Company) -> Self {
        Self::start_with(company, Settings::default())
    }

    /// Starts a company's org with these settings.
    #[expect(clippy::expect_used, reason = "without a loopback port nothing can be tested")]
    pub fn start_with(company: &Company, settings: Settings) -> Self {
        let port = Port::bind().expect("a loopback port");
        let org = Arc::new(Org::new(company, settings.clock_offset));
        let state = Arc::new(Mutex::new(State {
            url: settings
                .url
                .clone()
                .unwrap_or_else(|| format!("http://{}", port.address)),
            token: settings.token.clone().leak(),
            access_tokens: AccessTokens::default(),
            used_assertions: HashSet::new(),
            used_proofs: HashSet::new(),
            token_nonces: Nonces::new(),
            api_nonces: Nonces::new(),
            versions: VecDeque::from([(Instant::now(), org)]),
            counters: Counters::default(),
            cursors: Cursors::new(settings.seed),
            expiries: 0,
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

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The valid API token.
    pub fn token(&self) -> &str {
        self.state.lock().token
    }

    /// Replaces the only valid token, as if the old one was revoked.
    pub fn set_token(&self, token: &str) {
        self.state.lock().token = token.to_owned().leak();
    }

    /// Revokes all access tokens.
    pub fn revoke_access_tokens(&self) {
        self.state.lock().access_tokens.revoke_all();
    }

    /// Renews the nonces for proofs of possession. The previous ones stay valid until the next call.
    pub fn rotate_nonces(&self) {
        let state = &mut *self.state.lock();
        state.token_nonces.rotate();
        state.api_nonces.rotate();
    }

    /// Changes the settings, except for the token; see `set_token`.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = self.state.lock();
        change(&mut state.settings);
        let offset = state.settings.clock_offset;
        if state.truth().clock_offset != offset {
            state.changed().clock_offset = offset;
        }
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes users, groups and memberships atomically.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Org) -> T) -> T {
        change(self.state.lock().changed())
    }

    /// A copy of the current state.
    pub fn snapshot(&self) -> Org {
        Org::clone(self.state.lock().truth())
    }

    /// Counts requests of the org's other tokens and administrators.
    pub fn spend(&self, bucket: Bucket, count: u32) {
        let state = &mut *self.state.lock();
        let now = state.truth().clock();
        state.counters.spend(&state.settings.limits, bucket, count, now);
    }

    /// The maximum number of requests that a token made to a bucket in one window, and the limit in the headers.
    pub fn most_used(&self, bucket: Bucket) -> (u32, u32) {
        let state = self.state.lock();
        (state.counters.most(bucket), state.settings.limits.token(bucket))
    }

    /// Lets all cursors expire right before each of the next `times` requests with a cursor.
    pub fn expire_cursors(&self, times: u32) {
        self.state.lock().expiries = times;
    }

    /// Sets the number of other clients' concurrent requests.
    pub fn occupy(&self, requests: usize) {
        self.state.lock().occupied = requests;
    }
}
