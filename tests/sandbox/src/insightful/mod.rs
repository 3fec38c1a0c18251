//! An emulator of an Insightful account: its public API over HTTP, as far as it is known.
//!
//! Where the behaviour is unknown, settings select it, so that a client can be tested with each possibility.

mod account;
mod answer;
mod check;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::company::Company;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::server::{Port, Server};
use answer::Service;

pub use account::Account;

/// JWTs whose payload has the `organizationId` of all records, as the service makes them. The signature is not one.
const WRITE_TOKEN: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
    "eyJvcmdhbml6YXRpb25JZCI6IndidG1pa2p1aWltdmgzeiIsImFjY2VzcyI6IldSSVRFIn0.",
    "c2FuZGJveC1zZWNyZXQtd3JpdGVy"
);
const READ_TOKEN: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
    "eyJvcmdhbml6YXRpb25JZCI6IndidG1pa2p1aWltdmgzeiIsImFjY2VzcyI6IlJFQUQifQ.",
    "c2FuZGJveC1zZWNyZXQtcmVhZGVy"
);

/// The behaviour of the account.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The token that may read and write.
    pub write_token: String,
    /// The token that may only read.
    pub read_token: String,
    /// The body of a 401, the response to missing or invalid credentials.
    pub unauthorized: Value,
    /// The body of a 403, the response to a write with the READ token.
    pub forbidden: Value,
    /// The status if another employee, active or not, has the email: 409 or 422.
    pub email_taken: u16,
    /// The status if an employee is deactivated again: 400 or 409.
    pub deactivated_twice: u16,
    /// Whether deactivated employees can be changed. Otherwise the status is 409.
    pub edit_deactivated: bool,
    /// Whether several teams may have the same name. Otherwise the status is 409.
    pub equal_team_names: bool,
    /// Whether names are stored without additional blanks, and with a capital at the beginning of each word only.
    pub normalize_names: bool,
    /// The effect of `employees` in `PUT /team/:id`.
    pub team_employees: TeamEmployees,
    /// The organization's requests per window.
    pub limit: u32,
    pub window: Duration,
    /// Whether a 429 has a `Retry-After` with the remaining seconds of the window.
    pub retry_after: bool,
    /// The minimum duration of a request.
    pub latency: Duration,
    /// The seed of new ids.
    pub seed: u64,
}

/// The effect of a list of employees on a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamEmployees {
    /// The team has these employees only. Its other employees move to the default team.
    Replace,
    /// The employees move to the team.
    Add,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            write_token: WRITE_TOKEN.to_owned(),
            read_token: READ_TOKEN.to_owned(),
            unauthorized: json!({"type": "UNAUTHORIZED", "message": "Unauthorized"}),
            forbidden: json!({"type": "FORBIDDEN", "message": "Forbidden"}),
            email_taken: 409,
            deactivated_twice: 400,
            edit_deactivated: true,
            equal_team_names: true,
            normalize_names: false,
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
    /// Leaked, so that `token` can return a reference; tests rotate tokens rarely.
    token: &'static str,
    account: Account,
    window: Window,
}

/// The number of requests in the current window.
struct Window {
    began: Instant,
    count: u32,
}

impl Insightful {
    /// Starts a company's account on the caller's tokio runtime, on a free loopback port.
    pub fn start(company: &Company) -> Self {
        Self::start_with(company, Settings::default())
    }

    /// Starts a company's account with these settings.
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

    /// The base URL of the API, `http://127.0.0.1:<port>/api/v1`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v1", self.server.address)
    }

    /// The valid WRITE token.
    pub fn token(&self) -> &str {
        self.state.lock().token
    }

    /// Replaces the WRITE token, as if the old one was deleted.
    pub fn set_token(&self, token: &str) {
        self.state.lock().token = token.to_owned().leak();
    }

    /// Changes the settings, except for the WRITE token; see `set_token`.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state.lock().settings);
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes employees and teams atomically, as administrators do in the web app.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        change(&mut self.state.lock().account)
    }

    /// A copy of the current state, including the titles, which no response contains.
    pub fn snapshot(&self) -> Account {
        self.state.lock().account.clone()
    }

    /// Counts requests of the organization's other tokens.
    pub fn spend(&self, count: u32) {
        let state = &mut *self.state.lock();
        state.window.renew(state.settings.window);
        state.window.count = state.window.count.saturating_add(count);
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
