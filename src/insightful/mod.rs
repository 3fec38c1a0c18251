//! Insightful's public API, as far as the operator needs it.
//!
//! Reads are tried again. A write is sent at most once per call: its error says whether it can
//! have had an effect, and what to do then is the caller's to decide.

mod config;
mod consistency;
mod error;
mod error_body;
mod list;
mod rate_limit;
mod wire;

use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::http::{
    Answer, Call, CallObserver, Operation, Retries, RetryPolicy, Service, Transport, WaitCause, Waits, clip,
    is_path_segment,
};
use crate::model::{
    Complete, Employee, EmployeeId, EmployeeUpdate, SettingsId, SharedSettings, Team, TeamId, Workforce,
};

pub use config::InsightfulConfig;
pub use error::{InsightfulError, WriteError};
pub use error_body::ErrorBody;
pub use rate_limit::{Budget, RateLimiter};
pub use wire::{employee, shared_settings, team};

use config::Authorization;
use list::Parse;
use rate_limit::{Kind, Place};

/// An employee to invite. Insightful wants all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewEmployee {
    /// First and last name in one.
    pub name: String,
    /// Where the invitation goes.
    pub email: String,
    /// The one team.
    #[serde(rename = "teamId")]
    pub team: TeamId,
    /// The tracking settings.
    #[serde(rename = "sharedSettingsId")]
    pub settings: SettingsId,
}

/// What came of a deactivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deactivation {
    /// This call did it.
    Done(Employee),
    /// Somebody had done it before.
    AlreadyDeactivated,
}

/// A client of one Insightful organisation.
pub struct InsightfulClient {
    api: Url,
    authorization: Authorization,
    transport: Transport,
    place: Place,
    retry_policy: RetryPolicy,
}

impl InsightfulClient {
    /// A client of the organisation that the token in `config` belongs to. Nothing is sent yet.
    pub fn new(config: InsightfulConfig) -> Result<Self, InsightfulError> {
        config.check_url()?;
        let authorization = Authorization::new(&config.token)?;
        let transport = Transport::new(&config.url, &config.bounds)?;
        Ok(Self {
            api: config.url,
            authorization,
            transport,
            place: Place::of(Arc::new(RateLimiter::new(config.calls_per_minute))),
            retry_policy: config.retry_policy,
        })
    }

    /// The same client, telling `observer` of each call and wait.
    pub fn observed_by(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.transport.observed_by(observer);
        self
    }

    /// The same client, noting in `waits` until when it waits for a rate limit.
    pub fn showing_waits(mut self, waits: Arc<Waits>) -> Self {
        self.transport.showing_waits(waits);
        self
    }

    /// The same client, counting its calls together with all others of the organisation that
    /// share `pace`, whose calls a minute replace the client's own.
    pub fn sharing(mut self, pace: Arc<RateLimiter>) -> Self {
        self.place = Place::of(pace);
        self
    }

    /// What is left of the organisation's calls in the present minute.
    pub fn budget(&self) -> Budget {
        self.place.budget(Instant::now())
    }

    /// The three lists, which must fit together.
    pub async fn workforce(&self) -> Result<Workforce, InsightfulError> {
        let (employees, teams, settings) = futures::try_join!(
            self.employees(),
            self.list(Operation::ListTeams, "team", wire::team_with_employees),
            self.shared_settings()
        )?;
        let broken = |path, what| {
            let call = Call::new(Method::GET, &self.url(&[path]));
            InsightfulError::broken(&call, what)
        };
        if let Some(what) = consistency::lacking_teams(&teams, &employees) {
            return Err(broken("team", what));
        }
        if let Some(what) = consistency::lacking_employees(&employees, &teams) {
            return Err(broken("employee", what));
        }
        let teams = teams.into_inner().into_iter().map(|(team, _)| team).collect();
        Ok(Workforce {
            employees,
            teams: Complete::last_page_read(teams),
            settings,
        })
    }

    /// All employees, deactivated ones included.
    pub async fn employees(&self) -> Result<Complete<Vec<Employee>>, InsightfulError> {
        self.list(Operation::ListEmployees, "employee", employee).await
    }

    /// All teams.
    pub async fn teams(&self) -> Result<Complete<Vec<Team>>, InsightfulError> {
        self.list(Operation::ListTeams, "team", team).await
    }

    /// All shared settings.
    pub async fn shared_settings(&self) -> Result<Complete<Vec<SharedSettings>>, InsightfulError> {
        self.list(Operation::ListSharedSettings, "shared-settings", shared_settings)
            .await
    }

    /// [`employees`](Self::employees) as Insightful wrote them.
    pub async fn employees_json(&self) -> Result<Complete<Vec<Value>>, InsightfulError> {
        self.list(Operation::ListEmployees, "employee", Ok).await
    }

    /// [`teams`](Self::teams) as Insightful wrote them.
    pub async fn teams_json(&self) -> Result<Complete<Vec<Value>>, InsightfulError> {
        self.list(Operation::ListTeams, "team", Ok).await
    }

    /// [`shared_settings`](Self::shared_settings) as Insightful wrote them.
    pub async fn shared_settings_json(&self) -> Result<Complete<Vec<Value>>, InsightfulError> {
        self.list(Operation::ListSharedSettings, "shared-settings", Ok)
            .await
    }

    /// The employee with this id, None if Insightful says that there is none.
    pub async fn employee(&self, id: &EmployeeId) -> Result<Option<Employee>, InsightfulError> {
        if !is_path_segment(id.as_str()) {
            return Ok(None);
        }
        let url = self.url(&["employee", id.as_str()]);
        let call = Call::new(Method::GET, &url);
        let as_json = |body: &[u8]| serde_json::from_slice(body);
        match self.read(Operation::GetEmployee, &url, as_json).await {
            Ok(answer) => expected_employee(&call, answer, id).map(Some),
            Err(error) if error.says_nonexistent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One team; None where there is none of this id.
    pub async fn team(&self, id: &TeamId) -> Result<Option<Team>, InsightfulError> {
        if !is_path_segment(id.as_str()) {
            return Ok(None);
        }
        let url = self.url(&["team", id.as_str()]);
        let call = Call::new(Method::GET, &url);
        let as_json = |body: &[u8]| serde_json::from_slice(body);
        let found = match self.read(Operation::GetTeam, &url, as_json).await {
            Ok(answer) => parsed(&call, answer, team)?,
            Err(error) if error.says_nonexistent() => return Ok(None),
            Err(error) => return Err(error),
        };
        if found.id == *id {
            Ok(Some(found))
        } else {
            Err(InsightfulError::broken(&call, format!("is team {}", found.id)))
        }
    }

    /// Waits until the pace has a call to spare for a write.
    pub async fn one_write(&self) -> OneWrite<'_> {
        self.admit(Kind::Write).await;
        OneWrite(self)
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn employee_url(&self, path: &[&str], id: &EmployeeId) -> Result<Url, WriteError> {
        if is_path_segment(id.as_str()) {
            Ok(self.url(&[path, &[id.as_str()]].concat()))
        } else {
            Err(WriteError::Refused(InsightfulError::InvalidId {
                id: clip(id.as_str(), 50),
            }))
        }
    }

    /// A list. Insightful has no pages: the answer is the whole, or it is broken.
    async fn list<T>(
        &self,
        operation: Operation,
        path: &str,
        parse: Parse<T>,
    ) -> Result<Complete<Vec<T>>, InsightfulError> {
        let url = self.url(&[path]);
        let records = |body: &[u8]| list::records(body, parse);
        match self.read(operation, &url, records).await? {
            Ok(items) => Ok(Complete::last_page_read(items)),
            Err(error) => Err(InsightfulError::unreadable(&Call::new(Method::GET, &url), &error)),
        }
    }

    /// One GET, tried again as long as that may help.
    async fn read<T>(
        &self,
        operation: Operation,
        url: &Url,
        decode: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, InsightfulError> {
        let call = Call::new(Method::GET, url);
        let mut retries = Retries::new(&self.retry_policy);
        loop {
            self.admit(Kind::Read).await;
            let request = self.transport.request(Method::GET, url.clone());
            let result = match self.exchange(operation, &call, request).await {
                Ok(answer) => {
                    decode(&answer.body).map_err(|error| InsightfulError::unreadable(&call, &error))
                }
                Err(error) => Err(error),
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let cause = match error {
                InsightfulError::RateLimited { .. } => WaitCause::RateLimited,
                _ => WaitCause::Backoff,
            };
            if !error.may_pass() {
                return Err(error);
            }
            let Some(wait) = retries.next(cause, error.retryability()) else {
                return Err(error);
            };
            self.transport.wait(Service::Insightful, cause, wait).await;
        }
    }

    /// One request, sent at most once.
    async fn write(
        &self,
        operation: Operation,
        call: &Call,
        request: RequestBuilder,
    ) -> Result<Value, WriteError> {
        let answer = self
            .exchange(operation, call, request)
            .await
            .map_err(WriteError::from)?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| WriteError::OutcomeUnknown(InsightfulError::unreadable(call, &error)))
    }

    /// Waits until the pace allows a call.
    async fn admit(&self, kind: Kind) {
        let mut waiting = None;
        loop {
            let now = Instant::now();
            match self.place.admit(kind, now) {
                Ok(()) => return,
                Err(until) => {
                    waiting = waiting.or_else(|| self.place.wait(kind, now));
                    self.transport
                        .wait(Service::Insightful, WaitCause::OurShare, until - now)
                        .await;
                }
            }
        }
    }

    /// Sends a request that the pace has admitted; the answer is a success.
    async fn exchange(
        &self,
        operation: Operation,
        call: &Call,
        request: RequestBuilder,
    ) -> Result<Answer, InsightfulError> {
        let Authorization(header) = &self.authorization;
        let request = request.header(AUTHORIZATION, header);
        match self.transport.exchange(operation, request).await {
            Ok(answer) if answer.status.is_success() => Ok(answer),
            Ok(answer) => Err(InsightfulError::refused(call, &answer)),
            Err(no_answer) => Err(InsightfulError::without_answer(call, no_answer)),
        }
    }
}

/// Leave of the pace for one write. Whoever holds it has waited for it, and can
/// see whether the write may still be made before it is.
#[must_use]
pub struct OneWrite<'a>(&'a InsightfulClient);

impl OneWrite<'_> {
    /// Creates a team, whether or not there is one of this name.
    pub async fn create_team(self, name: &str) -> Result<Team, WriteError> {
        let Self(client) = self;
        let url = client.url(&["team"]);
        let call = Call::new(Method::POST, &url);
        let name = serde_json::json!({ "name": name });
        let request = client.transport.request(Method::POST, url).json(&name);
        let answer = client.write(Operation::CreateTeam, &call, request).await?;
        parsed(&call, answer, team).map_err(WriteError::OutcomeUnknown)
    }

    /// Creates an employee; Insightful invites them by email.
    pub async fn create_employee(self, new: &NewEmployee) -> Result<Employee, WriteError> {
        let Self(client) = self;
        let url = client.url(&["employee"]);
        let call = Call::new(Method::POST, &url);
        let request = client.transport.request(Method::POST, url).json(new);
        let answer = client.write(Operation::CreateEmployee, &call, request).await?;
        let employee = parsed(&call, answer, employee).map_err(WriteError::OutcomeUnknown)?;
        if employee.email.to_lowercase() != new.email.to_lowercase() {
            let what = format!("is employee {}, who has another email", employee.id);
            return Err(WriteError::OutcomeUnknown(InsightfulError::broken(&call, what)));
        }
        Ok(employee)
    }

    /// Overwrites what `update` names, in one call. The answer does not show the title.
    pub async fn update_employee(
        self,
        id: &EmployeeId,
        update: &EmployeeUpdate,
    ) -> Result<Employee, WriteError> {
        let Self(client) = self;
        let url = client.employee_url(&["employee"], id)?;
        let call = Call::new(Method::PUT, &url);
        let request = client.transport.request(Method::PUT, url).json(update);
        let answer = client.write(Operation::UpdateEmployee, &call, request).await?;
        expected_employee(&call, answer, id).map_err(WriteError::OutcomeUnknown)
    }

    /// Deactivates an employee. No call takes it back, and nothing does within seven days.
    pub async fn deactivate_employee(self, id: &EmployeeId) -> Result<Deactivation, WriteError> {
        let Self(client) = self;
        let url = client.employee_url(&["employee", "deactivate"], id)?;
        // A GET, yet a write: it goes the way of writes and is never repeated.
        let call = Call::new(Method::GET, &url);
        let request = client.transport.request(Method::GET, url);
        let answer = match client.write(Operation::DeactivateEmployee, &call, request).await {
            Err(WriteError::Refused(error)) if error.says_already_deactivated() => {
                return Ok(Deactivation::AlreadyDeactivated);
            }
            result => result?,
        };
        let employee = expected_employee(&call, answer, id).map_err(WriteError::OutcomeUnknown)?;
        if !employee.deactivated {
            let what = "shows the employee as active";
            return Err(WriteError::OutcomeUnknown(InsightfulError::broken(&call, what)));
        }
        Ok(Deactivation::Done(employee))
    }
}

fn parsed<T>(call: &Call, answer: Value, parse: Parse<T>) -> Result<T, InsightfulError> {
    parse(answer).map_err(|error| InsightfulError::unreadable(call, &error))
}

/// The employee in `answer`, who must be the one asked for.
fn expected_employee(call: &Call, answer: Value, id: &EmployeeId) -> Result<Employee, InsightfulError> {
    let employee = parsed(call, answer, employee)?;
    if employee.id == *id {
        Ok(employee)
    } else {
        let what = format!("is employee {}", employee.id);
        Err(InsightfulError::broken(call, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_can_run_on_another_thread_and_keep_the_base_path() {
        fn send<T: Send>(_: T) {}
        for base in [
            "https://app.insightful.io/api/v1",
            "https://app.insightful.io/api/v1/",
        ] {
            let config = InsightfulConfig::new(Url::parse(base).unwrap(), "token".into());
            let client = InsightfulClient::new(config).unwrap();
            send(client.employees());
            send(async { client.one_write().await.create_team("Engineering").await });
            let id = EmployeeId::from("wf8rsovxa8vjq8w");
            let url = client.employee_url(&["employee", "deactivate"], &id).unwrap();
            assert_eq!(
                url.as_str(),
                "https://app.insightful.io/api/v1/employee/deactivate/wf8rsovxa8vjq8w"
            );
        }
    }
}
