//! The endpoints.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::auth::Caller;
use super::challenge::Challenge;
use super::client_assertion::unverified_client_id;
use super::dpop::Proof;
use super::limits::{Bucket, Standing};
use super::oauth::{Form, TOKEN_PATH};
use super::{State, views};
use crate::server::{Answer, Call, Emulator};

/// How far ahead the reset of a concurrency limit lies.
const CONCURRENCY_RESET_SECONDS: i64 = 180;

pub(super) struct Service(pub Arc<Mutex<State>>);

/// An error in Okta's format: status, code, summary and causes.
pub(super) struct Refused(pub u16, pub &'static str, pub String, pub Vec<String>);

impl Refused {
    pub fn validation(parameter: &str, cause: &str) -> Self {
        let summary = format!("Api validation failed: {parameter}");
        Self(400, "E0000001", summary, vec![format!("{parameter}: {cause}")])
    }

    pub fn not_found(what: &str, kind: &str) -> Self {
        let summary = format!("Not found: Resource not found: {what} ({kind})");
        Self(404, "E0000007", summary, Vec::new())
    }

    pub fn method() -> Self {
        let summary = "The endpoint does not support the provided HTTP method";
        Self(405, "E0000022", summary.to_owned(), Vec::new())
    }

    pub fn invalid_token() -> Self {
        Self(401, "E0000011", "Invalid token provided".to_owned(), Vec::new())
    }

    fn forbidden() -> Self {
        let summary = "You do not have permission to perform the requested action";
        Self(403, "E0000006", summary.to_owned(), Vec::new())
    }
}

/// Why an API call is not served.
pub(super) enum Rejection {
    Refused(Refused),
    Challenged(Challenge),
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Challenge> for Rejection {
    fn from(challenge: Challenge) -> Self {
        Self::Challenged(challenge)
    }
}

/// Checks that the client names itself.
pub(super) fn check_user_agent(call: &Call) -> Result<(), Refused> {
    match call.header("user-agent") {
        None | Some("") => Err(Refused::validation(
            "User-Agent",
            "the client must name itself and its version",
        )),
        Some(_) => Ok(()),
    }
}

enum Endpoint {
    Users,
    User(String),
    Groups,
    Group(String),
    Members(String),
}

impl Endpoint {
    fn of(call: &Call) -> Option<Self> {
        let segments = call.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["api", "v1", "users"] => Some(Self::Users),
            ["api", "v1", "users", id] => Some(Self::User(id.to_owned())),
            ["api", "v1", "groups"] => Some(Self::Groups),
            ["api", "v1", "groups", id] => Some(Self::Group(id.to_owned())),
            ["api", "v1", "groups", id, "users"] => Some(Self::Members(id.to_owned())),
            _ => None,
        }
    }

    fn bucket(&self) -> Bucket {
        match self {
            Self::Users => Bucket::Users,
            Self::User(_) => Bucket::User,
            Self::Groups | Self::Members(_) => Bucket::Groups,
            Self::Group(_) => Bucket::Group,
        }
    }

    fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::Users => &[
                "search",
                "filter",
                "q",
                "after",
                "limit",
                "sortBy",
                "sortOrder",
                "fields",
                "expand",
            ],
            Self::User(_) => &["expand"],
            Self::Groups => &[
                "search",
                "filter",
                "q",
                "after",
                "limit",
                "sortBy",
                "sortOrder",
                "expand",
            ],
            Self::Group(_) => &[],
            Self::Members(_) => &["after", "limit"],
        }
    }

    fn scope(&self) -> &'static str {
        match self {
            Self::Users | Self::User(_) => "okta.users.read",
            Self::Groups | Self::Group(_) | Self::Members(_) => "okta.groups.read",
        }
    }
}

impl Emulator for Service {
    fn authorized(&self, call: &Call) -> bool {
        let state = self.0.lock();
        match call.path == TOKEN_PATH {
            // Verifying the assertion is left to the response, since it marks it as used.
            true => unverified_client_id(&Form::of(call)).is_some_and(|client| state.app(&client).is_some()),
            false => state.caller(call).is_ok(),
        }
    }

    fn latency(&self) -> Duration {
        self.0.lock().settings.latency
    }

    fn answer(&self, call: &Call) -> Answer {
        let state = &mut *self.0.lock();
        let mut standings = Vec::new();
        let mut answer = match call.path == TOKEN_PATH {
            true => state.access_token(call, &mut standings),
            false => state.api(call, &mut standings),
        };
        answer
            .headers
            .extend(standings.into_iter().flat_map(rate_limit_headers));
        answer
    }

    fn error(&self, status: u16) -> Answer {
        let (code, summary) = match status {
            400 => ("E0000001", "Api validation failed"),
            401 => ("E0000011", "Invalid token provided"),
            403 => (
                "E0000006",
                "You do not have permission to perform the requested action",
            ),
            404 => ("E0000007", "Not found: Resource not found"),
            405 => (
                "E0000022",
                "The endpoint does not support the provided HTTP method",
            ),
            423 => (
                "E0000239",
                "The request cannot be completed right now. Please try again later.",
            ),
            429 => (
                "E0000047",
                "API call exceeded rate limit due to too many requests.",
            ),
            503 => ("E0000010", "Service is in read only mode"),
            _ => ("E0000009", "Internal Server Error"),
        };
        self.0
            .lock()
            .refuse(Refused(status, code, summary.to_owned(), Vec::new()))
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        let mut answer = self.error(429);
        let state = &mut *self.0.lock();
        let bucket = match Endpoint::of(call) {
            _ if call.path == TOKEN_PATH => Bucket::AccessTokens,
            endpoint => endpoint.map_or(Bucket::Users, |endpoint| endpoint.bucket()),
        };
        // Okta verifies proofs before it counts requests.
        if let Ok(Some(proof)) = Proof::read(call, &state.url, state.truth().clock()) {
            let _ = state.use_proof(&proof);
        }
        answer.headers.extend(rate_limit_headers(Standing {
            limit: state.settings.limits.token(bucket),
            remaining: 0,
            reset: state.truth().clock().as_second() + 1,
        }));
        answer
    }

    fn title_case_headers(&self) -> bool {
        self.0.lock().settings.title_case_headers
    }

    fn seal(&self, answer: &mut Answer) {
        let state = &mut *self.0.lock();
        let id: String = (0..24).map(|_| state.random.alphanumeric()).collect();
        answer.headers.push(("x-okta-request-id", id));
        let date = state
            .truth()
            .clock()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        answer.headers.push(("date", date));
    }
}

fn rate_limit_headers(standing: Standing) -> [(&'static str, String); 3] {
    [
        ("x-rate-limit-limit", standing.limit.to_string()),
        ("x-rate-limit-remaining", standing.remaining.to_string()),
        ("x-rate-limit-reset", standing.reset.to_string()),
    ]
}

impl State {
    /// Answers a call of the API.
    fn api(&mut self, call: &Call, standings: &mut Vec<Standing>) -> Answer {
        let mut answer = match self.admit(call, standings) {
            Ok((endpoint, caller)) => {
                let served = self.serve_by_role(&caller, &endpoint, call);
                let mut answer = served.unwrap_or_else(|refused| self.refuse(refused));
                let known = endpoint.parameters();
                let unknown = call
                    .query
                    .iter()
                    .filter(|(name, _)| !known.contains(&name.as_str()));
                answer.ignored = unknown.map(|(name, _)| name.clone()).collect();
                answer
            }
            Err(Rejection::Refused(refused)) => self.refuse(refused),
            Err(Rejection::Challenged(challenge)) => self.challenge(challenge, call),
        };
        if self.settings.api_nonce && call.header("dpop").is_some() {
            let nonce = self.api_nonces.current.clone();
            answer.headers.push(("dpop-nonce", nonce));
        }
        answer
    }

    pub(super) fn refuse(&mut self, Refused(status, code, summary, causes): Refused) -> Answer {
        let id: String = (0..20).map(|_| self.random.alphanumeric()).collect();
        let causes: Vec<_> = causes
            .into_iter()
            .map(|cause| json!({"errorSummary": cause}))
            .collect();
        let causes = match causes.is_empty() && self.settings.null_causes {
            true => Value::Null,
            false => Value::Array(causes),
        };
        Answer::new(
            status,
            json!({
                "errorCode": code,
                "errorSummary": summary,
                "errorLink": code,
                "errorId": format!("oae{id}"),
                "errorCauses": causes,
            }),
        )
    }

    /// A response that its header explains. Only that for an invalid token has a body, too.
    fn challenge(&mut self, challenge: Challenge, call: &Call) -> Answer {
        let mut answer = match challenge.error {
            Challenge::INVALID_TOKEN => self.refuse(Refused::invalid_token()),
            _ => Answer::new(challenge.status, Value::Null),
        };
        let scope = Endpoint::of(call).map_or("", |endpoint| endpoint.scope());
        let header = challenge.header(&self.url, scope, &call.path);
        answer.headers.push(("www-authenticate", header));
        answer
    }

    /// The checks that are common to all endpoints of the API.
    fn admit(&mut self, call: &Call, standings: &mut Vec<Standing>) -> Result<(Endpoint, Caller), Rejection> {
        check_user_agent(call)?;
        let caller = self.caller(call)?;
        self.verify_proof(call, &caller)?;
        let endpoint = Endpoint::of(call).ok_or_else(|| Refused::not_found(&call.path, "Path"))?;
        if call.method != "GET" {
            return Err(Refused::method().into());
        }
        if matches!(caller, Caller::ApiToken(_)) && !self.settings.admin_role {
            return Err(Refused::forbidden().into());
        }
        self.check_limits(endpoint.bucket(), caller.id(), call, standings)?;
        let has_scope = match &caller {
            Caller::ApiToken(_) => !self.settings.missing_scopes.contains(endpoint.scope()),
            Caller::App { token, .. } => token.scopes.contains(endpoint.scope()),
        };
        match has_scope {
            true => Ok((endpoint, caller)),
            false => Err(Challenge::insufficient_scope(caller.scheme()).into()),
        }
    }

    /// Counts a request of a token or an app, and adds the values of the rate limit headers.
    pub(super) fn check_limits(
        &mut self,
        bucket: Bucket,
        caller: &str,
        call: &Call,
        standings: &mut Vec<Standing>,
    ) -> Result<(), Refused> {
        let too_many = || {
            let summary = "API call exceeded rate limit due to too many requests.";
            Refused(429, "E0000047", summary.to_owned(), Vec::new())
        };
        let now = self.truth().clock();
        let limits = &self.settings.limits;
        let doubled = self.settings.doubled_rate_headers;
        let in_use = call.concurrent + self.occupied;
        // A retry after a moment may succeed long before the reset.
        let reset = now.as_second() + CONCURRENCY_RESET_SECONDS;
        if in_use > limits.concurrent {
            if doubled {
                standings.push(self.counters.look(limits, bucket, caller, now));
            }
            standings.push(Standing {
                limit: 0,
                remaining: 0,
                reset,
            });
            return Err(too_many());
        }
        let taken = self.counters.take(limits, bucket, caller, now);
        standings.push(match taken {
            Ok(standing) | Err(standing) => standing,
        });
        if doubled {
            let count = |calls| u32::try_from(calls).unwrap_or(u32::MAX);
            standings.push(Standing {
                limit: count(limits.concurrent),
                remaining: count(limits.concurrent - in_use),
                reset,
            });
        }
        taken.map(drop).map_err(|_| too_many())
    }

    /// Serves a call. An app without a role gets empty lists only.
    fn serve_by_role(
        &mut self,
        caller: &Caller,
        endpoint: &Endpoint,
        call: &Call,
    ) -> Result<Answer, Refused> {
        let has_role = !matches!(caller, Caller::App { has_role: false, .. });
        match endpoint {
            _ if has_role => self.serve(endpoint, call),
            Endpoint::User(_) | Endpoint::Group(_) => Err(Refused::forbidden()),
            Endpoint::Users | Endpoint::Groups | Endpoint::Members(_) => {
                let mut answer = self.serve(endpoint, call)?;
                (answer.body, answer.next) = (Value::Array(Vec::new()), None);
                Ok(answer)
            }
        }
    }

    fn serve(&mut self, endpoint: &Endpoint, call: &Call) -> Result<Answer, Refused> {
        match endpoint {
            Endpoint::Users => self.users(call),
            Endpoint::User(who) => {
                if !self.settings.sees_users {
                    return Err(Refused::forbidden());
                }
                let org = self.truth();
                let found = org.find_user(who).and_then(|id| org.users.get(id));
                let mut user =
                    views::single_user(found.ok_or_else(|| Refused::not_found(who, "User"))?, &self.url);
                views::trim(&mut user, call);
                Ok(Answer::new(200, user))
            }
            Endpoint::Groups => self.groups(call),
            Endpoint::Group(id) => {
                let found = self.truth().groups.get(id);
                let group = found.ok_or_else(|| Refused::not_found(id, "UserGroup"))?;
                Ok(Answer::new(200, views::group(group, &self.url)))
            }
            Endpoint::Members(id) => self.members(id, call),
        }
    }
}
