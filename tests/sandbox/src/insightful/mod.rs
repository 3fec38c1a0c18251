//! An Insightful account over HTTP, with everything that is known of its public API.
//!
//! Where nothing is known, the settings choose, so that a client can be tried against each possibility.

mod account;
mod answer;
mod check;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::company::Company;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::server::{Port, Server};
use answer::Service;

pub use account::Account;

/// How the account behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The token that may write.
    pub write_token: String,
    /// The token that may only read.
    pub read_token: String,
    /// The answer to missing or wrong credentials is 401 with this body.
    pub unauthorized: Value,
    /// The answer to a write with the READ token is 403 with this body.
    pub forbidden: Value,
    /// The status of the refusal of an email that somebody has, also somebody deactivated: 409 or 422.
    pub email_taken: u16,
    /// The status of the refusal to deactivate somebody twice: 400 or 409.
    pub deactivated_twice: u16,
    /// Whether a deactivated employee can be changed; refused with 409 otherwise.
    pub edit_deactivated: bool,
    /// Whether two teams may have the same name; refused with 409 otherwise.
    pub equal_team_names: bool,
    /// What `employees` of `PUT /team/:id` does.
    pub team_employees: TeamEmployees,
    /// Requests a window for the whole organization.
    pub limit: u32,
    /// The length of a window.
    pub window: Duration,
    /// Whether a 429 says with `Retry-After` how many seconds the window still lasts.
    pub retry_after: bool,
    /// How long each request takes.
    pub latency: Duration,
    /// Seed of new ids.
    pub seed: u64,
}

/// What a list of employees does to a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamEmployees {
    /// They become the team's only employees; the others fall back to the default team.
    Replace,
    /// They join the team.
    Add,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            write_token: "insightful-sandbox-secret-token-9c2e".to_owned(),
            read_token: "insightful-sandbox-secret-reader-41d7".to_owned(),
            unauthorized: json!({"type": "UNAUTHORIZED", "message": "Unauthorized"}),
            forbidden: json!({"type": "FORBIDDEN", "message": "Forbidden"}),
            email_taken: 409,
            deactivated_twice: 400,
            edit_deactivated: true,
            equal_team_names: true,
            team_employees: TeamEmployees::Replace,
            limit: 200,
            window: Duration::from_secs(60),
            retry_after: false,
            latency: Duration::ZERO,
            seed: 1,
        }
    }
}

/// A running account. It stops when dropped.
pub struct Insightful {
    server: Server,
    state: Arc<Mutex<State>>,
    journal: Journal,
    faults: Faults,
}

struct State {
    settings: Settings,
    /// Leaked on purpose, so that `token` can lend it: a test rotates a token once or twice.
    token: &'static str,
    account: Account,
    window: Window,
}

/// Requests counted since the window began.
struct Window {
    began: Instant,
    count: u32,
}

impl Insightful {
    /// Starts a company's account on the caller's runtime, with a free loopback port.
    ///
    /// # Panics
    /// Outside a tokio runtime, and when no port can be bound.
    pub fn start(company: &Company) -> Self {
        Self::start_with(company, Settings::default())
    }

    /// Starts a company's account that behaves as set.
    ///
    /// # Panics
    /// Outside a tokio runtime, and when no port can be bound.
    #[expect(clippy::expect_used, reason = "without a loopback port nothing can be tested")]
    pub fn start_with(company: &Company, settings: Settings) -> Self {
        let port = Port::bind().expect("a loopback port");
        let state = Arc::new(Mutex::new(State {
            token: settings.write_token.clone().leak(),
            account: Account::new(company, settings.seed),
            window: Window {
                began: Instant::now(),
                count: 0,
            },
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

    /// The API's base URL, `http://127.0.0.1:<port>/api/v1`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v1", self.server.address)
    }

    /// The valid WRITE token.
    pub fn token(&self) -> &str {
        self.lock().token
    }

    /// Makes another WRITE token the only valid one, as when the old one was deleted.
    pub fn set_token(&self, token: &str) {
        self.lock().token = token.to_owned().leak();
    }

    /// Changes how the account behaves from now on; the WRITE token has `set_token`.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().settings);
    }

    /// Every request so far.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The faults that requests meet.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes employees and teams, as other administrators do in the web app.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        change(&mut self.lock().account)
    }

    /// The account as it is now, with the titles that no answer shows.
    pub fn snapshot(&self) -> Account {
        self.lock().account.clone()
    }

    /// Uses up requests of the present window, as the organization's other tokens do.
    pub fn spend(&self, count: u32) {
        let state = &mut *self.lock();
        state.window.renew(state.settings.window);
        state.window.count = state.window.count.saturating_add(count);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panics inside `edit` has failed already; the server may go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn renew(&mut self, length: Duration) {
        if self.began.elapsed() >= length {
            *self = Self {
                began: Instant::now(),
                count: 0,
            };
        }
    }
}
