//! The endpoints.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use super::account::now;
use super::check::{self, Field, Kind, Refused, optional, required};
use super::{State, TeamEmployees};
use crate::server::{Answer, Call, Emulator};

const NEW_EMPLOYEE: [Field; 4] = [
    required("name", Kind::Text),
    required("email", Kind::Email),
    required("teamId", Kind::Id),
    required("sharedSettingsId", Kind::Id),
];
const EMPLOYEE_CHANGE: [Field; 6] = [
    optional("name", Kind::Text),
    optional("email", Kind::Email),
    optional("title", Kind::Text),
    optional("teamId", Kind::Id),
    optional("sharedSettingsId", Kind::Id),
    optional("projects", Kind::Ids),
];
const NEW_TEAM: [Field; 2] = [required("name", Kind::Text), optional("description", Kind::Text)];
const TEAM_CHANGE: [Field; 7] = [
    optional("description", Kind::Text),
    optional("employees", Kind::Ids),
    optional("projects", Kind::Ids),
    optional("ignoreNeutral", Kind::Flag),
    optional("ignoreProductive", Kind::Flag),
    optional("ignoreUnproductive", Kind::Flag),
    optional("ignoreUnreviewed", Kind::Flag),
];

pub(super) struct Service(pub Arc<Mutex<State>>);

#[derive(Clone, Copy, PartialEq)]
enum Access {
    Read,
    Write,
}

impl Emulator for Service {
    fn authorized(&self, call: &Call) -> bool {
        self.0.lock().access(call).is_some()
    }

    fn latency(&self) -> Duration {
        self.0.lock().settings.latency
    }

    fn answer(&self, call: &Call) -> Answer {
        let state = &mut *self.0.lock();
        let mut answer = state.serve(call).unwrap_or_else(|refused| {
            let mut answer = Answer::new(refused.status, refused.body);
            let wait = refused
                .retry_after
                .map(|seconds| ("retry-after", seconds.to_string()));
            answer.headers.extend(wait);
            answer
        });
        let known: &[&str] = if call.path == "/api/v1/employee" {
            &["select"]
        } else {
            &[]
        };
        let unknown = call
            .query
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()));
        answer.ignored = unknown.map(|(name, _)| name.clone()).collect();
        answer
    }

    fn error(&self, status: u16) -> Answer {
        let state = self.0.lock();
        let body = match status {
            401 => state.settings.unauthorized.clone(),
            403 => state.settings.forbidden.clone(),
            404 => json!({"type": "NOT_FOUND", "message": "Not found"}),
            429 => json!({"type": "TOO_MANY_REQUESTS", "message": "Too many requests"}),
            503 => json!({"type": "SERVICE_UNAVAILABLE", "message": "Service unavailable"}),
            _ => json!({"type": "INTERNAL_ERROR", "message": "Something went wrong"}),
        };
        Answer::new(status, body)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        let mut answer = self.error(429);
        if self.0.lock().settings.retry_after {
            answer.headers.push(("retry-after", "1".to_owned()));
        }
        answer
    }

    fn seal(&self, _: &mut Answer) {}
}

impl State {
    fn access(&self, call: &Call) -> Option<Access> {
        match call.header("authorization")?.split_once(' ')? {
            ("Bearer", token) if token == self.token => Some(Access::Write),
            ("Bearer", token) if token == self.settings.read_token => Some(Access::Read),
            _ => None,
        }
    }

    fn serve(&mut self, call: &Call) -> Result<Answer, Refused> {
        let unauthorized = || Refused::new(401, self.settings.unauthorized.clone());
        let access = self.access(call).ok_or_else(unauthorized)?;
        self.count()?;

        let segments = call.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["api", "v1", rest @ ..] = &segments[..] else {
            return Err(no_such_call());
        };
        let writes = call.method != Method::GET || matches!(rest, ["employee", "deactivate", _]);
        if writes && access == Access::Read {
            return Err(Refused::new(403, self.settings.forbidden.clone()));
        }
        match (call.method.as_str(), rest) {
            ("GET", ["employee"]) => Ok(self.employees(call)),
            ("POST", ["employee"]) => self.invite(&call.body),
            ("GET", ["employee", "deactivate", id]) => self.deactivate(id),
            ("GET", ["employee", id]) => self
                .employee(id)
                .map(|employee| Answer::new(200, employee.clone())),
            ("PUT", ["employee", id]) => self.change_employee(id, &call.body),
            ("GET", ["team"]) => Ok(Answer::new(200, self.account.teams().into())),
            ("POST", ["team"]) => self.add_team(&call.body),
            ("GET", ["team", id]) => self.team(id).map(|team| Answer::new(200, team)),
            ("PUT", ["team", id]) => self.change_team(id, &call.body),
            ("DELETE", ["team", id]) => self.delete_team(id),
            ("GET", ["shared-settings"]) => Ok(Answer::new(
                200,
                self.account.shared_settings().cloned().collect(),
            )),
            ("GET", ["shared-settings", id]) => {
                check::id(id)?;
                let found = self.account.shared_settings_by_id(id);
                let settings = found.ok_or_else(|| unknown("Shared settings don't exist."))?;
                Ok(Answer::new(200, settings.clone()))
            }
            _ => Err(no_such_call()),
        }
    }

    fn count(&mut self) -> Result<(), Refused> {
        let length = self.settings.window;
        self.window.renew(length);
        if self.window.count < self.settings.limit {
            self.window.count += 1;
            return Ok(());
        }
        let mut refused = Refused::new(
            429,
            json!({"type": "TOO_MANY_REQUESTS", "message": "Too many requests"}),
        );
        if self.settings.retry_after {
            let left = length.saturating_sub(self.window.began.elapsed());
            let seconds = left.as_millis().div_ceil(1000).max(1);
            refused.retry_after = Some(seconds);
        }
        Err(refused)
    }

    fn employees(&self, call: &Call) -> Answer {
        let select: Option<Vec<&str>> = call.param("select").map(|select| {
            select
                .split(',')
                .map(|name| if name.trim() == "_id" { "id" } else { name.trim() })
                .collect()
        });
        let employees = self
            .account
            .employees()
            .map(|employee| match (&select, employee.as_object()) {
                (Some(select), Some(fields)) => {
                    let selected = fields
                        .iter()
                        .filter(|(name, _)| *name == "id" || select.contains(&name.as_str()));
                    Value::Object(
                        selected
                            .map(|(name, value)| (name.clone(), value.clone()))
                            .collect(),
                    )
                }
                _ => employee.clone(),
            });
        Answer::new(200, employees.collect())
    }

    fn employee(&self, id: &str) -> Result<&Value, Refused> {
        check::id(id)?;
        self.account
            .employees
            .get(id)
            .ok_or_else(|| unknown("Employee doesn't exist."))
    }

    fn team(&self, id: &str) -> Result<Value, Refused> {
        check::id(id)?;
        self.account
            .team(id)
            .ok_or_else(|| unknown("Team doesn't exist."))
    }

    fn invite(&mut self, body: &[u8]) -> Result<Answer, Refused> {
        let body = check::body(body, &NEW_EMPLOYEE)?;
        self.check_places(&body)?;
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        self.check_email(text("email"), "")?;
        let id = self.account.invite(
            &self.stored_name(text("name")),
            text("email"),
            text("teamId"),
            text("sharedSettingsId"),
        );
        Ok(Answer::new(200, self.account.employees[&id].clone()).with_effect())
    }

    fn change_employee(&mut self, id: &str, body: &[u8]) -> Result<Answer, Refused> {
        check::id(id)?;
        let body = check::body(body, &EMPLOYEE_CHANGE)?;
        let Some(before) = self.account.employees.get(id) else {
            return Err(no_such_call());
        };
        if before["deactivated"] != 0 && !self.settings.edit_deactivated {
            return Err(conflict("Employee is deactivated"));
        }
        self.check_places(&body)?;
        if let Some(email) = body.get("email").and_then(Value::as_str) {
            self.check_email(email, id)?;
        }
        for (field, value) in body {
            match (field.as_str(), value) {
                ("title", Value::String(title)) => {
                    self.account.titles.insert(id.to_owned(), title);
                    self.account.change(id, "updatedAt", now().into());
                }
                ("name", Value::String(name)) => {
                    let name = self.stored_name(&name);
                    self.account.change(id, "name", name.into());
                }
                (field, value) => self.account.change(id, field, value),
            }
        }
        Ok(Answer::new(200, self.account.employees[id].clone()).with_effect())
    }

    /// A name as the account stores it.
    fn stored_name(&self, name: &str) -> String {
        if !self.settings.normalize_names {
            return name.to_owned();
        }
        let words = name.split_whitespace().map(|word| {
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            format!("{}{}", first.to_uppercase(), rest.to_lowercase())
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn deactivate(&mut self, id: &str) -> Result<Answer, Refused> {
        if self.employee(id)?["deactivated"] != 0 {
            let status = self.settings.deactivated_twice;
            return Err(Refused::new(
                status,
                json!({"message": "Employee is already deactivated"}),
            ));
        }
        self.account.change(id, "deactivated", now().into());
        Ok(Answer::new(200, self.account.employees[id].clone()).with_effect())
    }

    fn add_team(&mut self, body: &[u8]) -> Result<Answer, Refused> {
        let body = check::body(body, &NEW_TEAM)?;
        let name = body["name"].as_str().unwrap_or_default();
        if !self.settings.equal_team_names && self.account.has_team_named(name) {
            return Err(conflict("Team name is already taken"));
        }
        let id = self.account.add_team(name);
        if let Some(description) = body.get("description") {
            self.account.set_team(&id, "description", description.clone());
        }
        self.team(&id).map(|team| Answer::new(200, team).with_effect())
    }

    fn change_team(&mut self, id: &str, body: &[u8]) -> Result<Answer, Refused> {
        self.team(id)?;
        let mut body = check::body(body, &TEAM_CHANGE)?;
        if let Some(Value::Array(employees)) = body.remove("employees") {
            let employees: BTreeSet<String> = employees
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            for employee in &employees {
                self.employee(employee)?;
            }
            match self.settings.team_employees {
                TeamEmployees::Replace => self.account.set_members(id, &employees),
                TeamEmployees::Add => {
                    for employee in &employees {
                        self.account.change(employee, "teamId", id.into());
                    }
                }
            }
        }
        for (field, value) in body {
            self.account.set_team(id, &field, value);
        }
        self.team(id).map(|team| Answer::new(200, team).with_effect())
    }

    fn delete_team(&mut self, id: &str) -> Result<Answer, Refused> {
        let team = self.team(id)?;
        if self.account.is_default_team(id) {
            return Err(conflict("Can't remove default team"));
        }
        self.account.delete_team(id);
        Ok(Answer::new(200, team).with_effect())
    }

    /// Checks that the team and the shared settings in the body exist.
    fn check_places(&self, body: &Map<String, Value>) -> Result<(), Refused> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if text("teamId").is_some_and(|team| !self.account.has_team(team)) {
            return Err(unknown("Team doesn't exist."));
        }
        if text("sharedSettingsId").is_some_and(|id| self.account.shared_settings_by_id(id).is_none()) {
            return Err(unknown("Shared settings don't exist."));
        }
        Ok(())
    }

    fn check_email(&self, email: &str, except: &str) -> Result<(), Refused> {
        if !self.account.email_taken(email, except) {
            return Ok(());
        }
        let message = "Email is already taken";
        Err(match self.settings.email_taken {
            422 => check::refusal(vec![
                json!({"type": "unique", "field": "email", "message": message}),
            ]),
            status => Refused::new(status, json!({"type": "CONFLICT", "message": message})),
        })
    }
}

fn no_such_call() -> Refused {
    Refused::new(404, json!({"type": "NOT_FOUND", "message": "Not found"}))
}

fn unknown(message: &str) -> Refused {
    Refused::new(404, json!({"type": "EntityNotFound", "message": message}))
}

fn conflict(message: &str) -> Refused {
    Refused::new(409, json!({"type": "CONFLICT", "message": message}))
}
