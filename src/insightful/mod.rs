//! A client of Insightful's public API.
//!
//! Reads are retried. A write is sent at most once, and its error says whether it can have had an
//! effect.

mod config;
mod consistency;
mod error;
mod error_body;
mod list;
mod organization;
mod rate_limit;
mod wire;

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::http::{
    Call, CallObserver, HttpClient, HttpError, Operation, RateLimitWait, Response, Retries, RetryPolicy,
    Service, WaitCause, authorization, clip, is_path_segment,
};
use crate::model::{
    Complete, Employee, EmployeeId, EmployeeUpdate, NewEmployee, SharedSettings, Team, TeamId, Unreadable,
    UnreadableRecords, Workforce, are_too_many, text::is_same_email,
};

pub use config::InsightfulConfig;
pub use error::{InsightfulError, WriteError};
pub use rate_limit::Budget;
pub use wire::{employee, shared_settings, team};

use list::{Listing, Parse};
use rate_limit::RateLimiter;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deactivation {
    Done(Employee),
    AlreadyDeactivated,
}

/// A client of one Insightful organisation.
pub struct InsightfulClient {
    http: HttpClient,
    limiter: RateLimiter,
    retry_policy: RetryPolicy,
    /// The organisation that the token names.
    organization: Option<String>,
}

impl InsightfulClient {
    /// Returns a client of the organisation that the token belongs to. Sends nothing.
    pub fn new(config: InsightfulConfig) -> Result<Self, InsightfulError> {
        config.check_url()?;
        let authorization = authorization(Service::Insightful, "Bearer", &config.token)?;
        let limits = &config.request_limits;
        Ok(Self {
            http: HttpClient::new(Service::Insightful, config.url, Some(authorization), limits)?,
            limiter: RateLimiter::new(config.calls_per_minute),
            retry_policy: config.retry_policy,
            organization: organization::of_token(config.token.expose_secret()),
        })
    }

    pub fn with_observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.http.set_observer(observer);
        self
    }

    /// Records in `rate_limit_wait` until when the client waits for a rate limit.
    pub fn with_rate_limit_wait(mut self, rate_limit_wait: Arc<RateLimitWait>) -> Self {
        self.http.set_rate_limit_wait(rate_limit_wait);
        self
    }

    pub fn budget(&self) -> Budget {
        self.limiter.budget(Instant::now())
    }

    /// Reads all lists and checks that they are consistent.
    pub async fn workforce(&self) -> Result<Workforce, InsightfulError> {
        let (employees, teams, settings) = futures::try_join!(
            self.listing(Operation::ListEmployees, "employee", employee),
            self.listing(Operation::ListTeams, "team", wire::team_with_employees),
            self.listing(Operation::ListSharedSettings, "shared-settings", shared_settings)
        )?;
        let mut organizations = employees.organizations;
        organizations.extend(teams.organizations);
        organizations.extend(settings.organizations);
        let unreadable = [employees.unreadable, teams.unreadable, settings.unreadable];
        let unreadable: UnreadableRecords = unreadable.into_iter().flatten().collect();
        let (employees, teams) = (employees.records, teams.records);
        let invalid = |path, problem| {
            let call = self.http.call(Method::GET, &self.url(&[path]));
            HttpError::invalid_response(&call, problem).into()
        };
        if let Some(problem) = consistency::missing_team(&teams, &employees, &unreadable) {
            return Err(invalid("team", problem));
        }
        if let Some(problem) = consistency::missing_employees(&employees, &teams, &unreadable) {
            return Err(invalid("employee", problem));
        }
        let teams = teams.into_iter().map(|(team, _)| team).collect();
        Ok(Workforce {
            employees: Complete::from_all_pages(employees),
            teams: Complete::from_all_pages(teams),
            settings: Complete::from_all_pages(settings.records),
            unreadable,
            organization: organization::of(organizations, self.organization.as_deref()),
        })
    }

    /// Includes deactivated employees.
    pub async fn employees(&self) -> Result<Complete<Vec<Employee>>, InsightfulError> {
        self.list(Operation::ListEmployees, "employee", employee).await
    }

    pub async fn teams(&self) -> Result<Complete<Vec<Team>>, InsightfulError> {
        self.list(Operation::ListTeams, "team", team).await
    }

    /// The teams, and the records of teams that cannot be read.
    pub async fn teams_and_unreadable(&self) -> Result<(Vec<Team>, Vec<Unreadable>), InsightfulError> {
        let Listing {
            records, unreadable, ..
        } = self.listing(Operation::ListTeams, "team", team).await?;
        Ok((records, unreadable))
    }

    pub async fn shared_settings(&self) -> Result<Complete<Vec<SharedSettings>>, InsightfulError> {
        self.list(Operation::ListSharedSettings, "shared-settings", shared_settings)
            .await
    }

    /// The records of [`employees`](Self::employees) as Insightful writes them.
    pub async fn employees_json(&self) -> Result<Complete<Vec<Value>>, InsightfulError> {
        self.list(Operation::ListEmployees, "employee", Ok).await
    }

    /// The records of [`teams`](Self::teams) as Insightful writes them.
    pub async fn teams_json(&self) -> Result<Complete<Vec<Value>>, InsightfulError> {
        self.list(Operation::ListTeams, "team", Ok).await
    }

    /// The records of [`shared_settings`](Self::shared_settings) as Insightful writes them.
    pub async fn shared_settings_json(&self) -> Result<Complete<Vec<Value>>, InsightfulError> {
        self.list(Operation::ListSharedSettings, "shared-settings", Ok)
            .await
    }

    /// Returns None if Insightful says that the employee does not exist.
    pub async fn employee(&self, id: &EmployeeId) -> Result<Option<Employee>, InsightfulError> {
        if !is_path_segment(id.as_str()) {
            return Ok(None);
        }
        let url = self.url(&["employee", id.as_str()]);
        let call = self.http.call(Method::GET, &url);
        let as_json = |body: &[u8]| serde_json::from_slice(body);
        match self.read(Operation::GetEmployee, &url, as_json).await {
            Ok(record) => Ok(Some(expect_employee(&call, record, id)?)),
            Err(error) if error.is_nonexistent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns None if Insightful says that the team does not exist.
    pub async fn team(&self, id: &TeamId) -> Result<Option<Team>, InsightfulError> {
        if !is_path_segment(id.as_str()) {
            return Ok(None);
        }
        let url = self.url(&["team", id.as_str()]);
        let call = self.http.call(Method::GET, &url);
        let as_json = |body: &[u8]| serde_json::from_slice(body);
        let found = match self.read(Operation::GetTeam, &url, as_json).await {
            Ok(record) => parse(&call, record, team)?,
            Err(error) if error.is_nonexistent() => return Ok(None),
            Err(error) => return Err(error),
        };
        if found.id == *id {
            Ok(Some(found))
        } else {
            Err(HttpError::invalid_response(&call, format!("is team {}", found.id)).into())
        }
    }

    /// Waits until the rate limit allows a write.
    pub async fn write_permit(&self) -> WritePermit<'_> {
        self.admit().await;
        WritePermit(self)
    }

    fn url(&self, path: &[&str]) -> Url {
        self.http.url(path, &[])
    }

    fn employee_url(&self, path: &[&str], id: &EmployeeId) -> Result<Url, WriteError> {
        if is_path_segment(id.as_str()) {
            Ok(self.url(&[path, &[id.as_str()]].concat()))
        } else {
            let (service, id) = (Service::Insightful, clip(id.as_str(), 50));
            Err(HttpError::InvalidId { service, id }.into())
        }
    }

    async fn list<T>(
        &self,
        operation: Operation,
        path: &str,
        parse: Parse<T>,
    ) -> Result<Complete<Vec<T>>, InsightfulError> {
        let listing = self.listing(operation, path, parse).await?;
        Ok(Complete::from_all_pages(listing.records))
    }

    /// Reads a list, and the organisations that its records name. Insightful's lists have no pages.
    async fn listing<T>(
        &self,
        operation: Operation,
        path: &str,
        parse: Parse<T>,
    ) -> Result<Listing<T>, InsightfulError> {
        let url = self.url(&[path]);
        let listing = |body: &[u8]| list::records(body, parse);
        let listing = self.read(operation, &url, listing).await?;
        let unreadable = listing.unreadable.len();
        let all = unreadable + listing.records.len();
        match listing.unreadable.first() {
            Some(first) if are_too_many(first.kind, unreadable, all) => {
                let problem =
                    format!("has {all} records, of which {unreadable} cannot be read, such as {first}");
                Err(HttpError::invalid_response(&self.http.call(Method::GET, &url), problem).into())
            }
            _ => Ok(listing),
        }
    }

    /// Sends a GET, with retries.
    async fn read<T>(
        &self,
        operation: Operation,
        url: &Url,
        decode: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, InsightfulError> {
        let call = self.http.call(Method::GET, url);
        let mut retries = Retries::new(&self.retry_policy);
        loop {
            self.admit().await;
            let request = self.http.request(Method::GET, url.clone());
            let error = match self.execute(operation, &call, request).await {
                Ok(response) => match decode(&response.body) {
                    Ok(value) => return Ok(value),
                    Err(error) => HttpError::invalid_json(&call, &error).into(),
                },
                Err(error) => error,
            };
            let cause = match error {
                InsightfulError::RateLimited { .. } => WaitCause::RateLimited,
                _ => WaitCause::Backoff,
            };
            if !error.is_transient() {
                return Err(error);
            }
            let Some(wait) = retries.next(cause, error.retryability()) else {
                return Err(error);
            };
            self.http.wait(cause, wait).await;
        }
    }

    /// Sends a request at most once.
    async fn write(
        &self,
        operation: Operation,
        call: &Call,
        request: RequestBuilder,
    ) -> Result<Value, WriteError> {
        let response = self.execute(operation, call, request).await?;
        Ok(serde_json::from_slice(&response.body).map_err(|error| HttpError::invalid_json(call, &error))?)
    }

    /// Waits until the rate limit allows a call.
    async fn admit(&self) {
        loop {
            let now = Instant::now();
            let Err(until) = self.limiter.admit(now) else {
                return;
            };
            self.http.wait(WaitCause::RateShare, until - now).await;
        }
    }

    /// Sends an admitted request. A status that is no success is an error.
    async fn execute(
        &self,
        operation: Operation,
        call: &Call,
        request: RequestBuilder,
    ) -> Result<Response, InsightfulError> {
        let response = self.http.execute(operation, call, request).await?;
        if response.status.is_success() {
            Ok(response)
        } else {
            Err(InsightfulError::from_response(call, &response))
        }
    }
}

/// The rate limit's permission for one write. Check after the wait for it, which may be long, whether
/// the write is still due.
#[must_use]
pub struct WritePermit<'a>(&'a InsightfulClient);

impl WritePermit<'_> {
    /// Creates a team even if there is one with the same name.
    pub async fn create_team(self, name: &str) -> Result<Team, WriteError> {
        let Self(client) = self;
        let url = client.url(&["team"]);
        let call = client.http.call(Method::POST, &url);
        let name = serde_json::json!({ "name": name });
        let request = client.http.request(Method::POST, url).json(&name);
        let record = client.write(Operation::CreateTeam, &call, request).await?;
        Ok(parse(&call, record, team)?)
    }

    /// Creates an employee, whom Insightful invites by email.
    pub async fn create_employee(self, new: &NewEmployee) -> Result<Employee, WriteError> {
        let Self(client) = self;
        let url = client.url(&["employee"]);
        let call = client.http.call(Method::POST, &url);
        let request = client.http.request(Method::POST, url).json(new);
        let record = client.write(Operation::CreateEmployee, &call, request).await?;
        let employee = parse(&call, record, employee)?;
        if !is_same_email(&employee.email, &new.email) {
            let problem = format!("is employee {}, who has another email", employee.id);
            return Err(HttpError::invalid_response(&call, problem).into());
        }
        Ok(employee)
    }

    /// Overwrites the fields in `update`. The returned employee does not show the title.
    pub async fn update_employee(
        self,
        id: &EmployeeId,
        update: &EmployeeUpdate,
    ) -> Result<Employee, WriteError> {
        let Self(client) = self;
        let url = client.employee_url(&["employee"], id)?;
        let call = client.http.call(Method::PUT, &url);
        let request = client.http.request(Method::PUT, url).json(update);
        let record = client.write(Operation::UpdateEmployee, &call, request).await?;
        Ok(expect_employee(&call, record, id)?)
    }

    /// Deactivates an employee. The API cannot undo this, and nothing can within seven days.
    pub async fn deactivate_employee(self, id: &EmployeeId) -> Result<Deactivation, WriteError> {
        let Self(client) = self;
        let url = client.employee_url(&["employee", "deactivate"], id)?;
        // A GET that writes, and so is never retried.
        let call = client.http.call(Method::GET, &url);
        let request = client.http.request(Method::GET, url);
        let record = match client.write(Operation::DeactivateEmployee, &call, request).await {
            Err(WriteError::Refused(error)) if error.is_already_deactivated() => {
                return Ok(Deactivation::AlreadyDeactivated);
            }
            result => result?,
        };
        let employee = expect_employee(&call, record, id)?;
        if !employee.deactivated {
            return Err(HttpError::invalid_response(&call, "shows the employee as active").into());
        }
        Ok(Deactivation::Done(employee))
    }
}

fn parse<T>(call: &Call, record: Value, parse: Parse<T>) -> Result<T, HttpError> {
    parse(record).map_err(|record| unreadable(call, &record))
}

fn unreadable(call: &Call, record: &Unreadable) -> HttpError {
    HttpError::invalid_response(call, format!("cannot be read: {record}"))
}

/// Parses the record of the employee with this ID.
fn expect_employee(call: &Call, record: Value, id: &EmployeeId) -> Result<Employee, HttpError> {
    let employee = parse(call, record, employee)?;
    if employee.id == *id {
        Ok(employee)
    } else {
        Err(HttpError::invalid_response(
            call,
            format!("is employee {}", employee.id),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_are_send_and_urls_have_the_base_path() {
        fn send<T: Send>(_: T) {}
        for base in [
            "https://app.insightful.io/api/v1",
            "https://app.insightful.io/api/v1/",
        ] {
            let config = InsightfulConfig::new(Url::parse(base).unwrap(), "token".into());
            let client = InsightfulClient::new(config).unwrap();
            send(client.employees());
            send(async { client.write_permit().await.create_team("Engineering").await });
            let id = EmployeeId::from("wf8rsovxa8vjq8w");
            let url = client.employee_url(&["employee", "deactivate"], &id).unwrap();
            assert_eq!(
                url.as_str(),
                "https://app.insightful.io/api/v1/employee/deactivate/wf8rsovxa8vjq8w"
            );
        }
    }
}
