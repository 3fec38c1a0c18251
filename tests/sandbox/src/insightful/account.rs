//! The state of the account, and the actions of its administrators in the web app.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::company::Company;
use crate::company::records::{self, Employee};

const SEVEN_DAYS_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Employees, teams and shared settings.
///
/// Employees are looked up by id, email or name, and teams by id or name. Methods panic unless there is exactly one.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Employees by id, as in responses.
    pub employees: BTreeMap<String, Value>,
    /// Titles by employee id. The API accepts titles, but does not return them.
    pub titles: BTreeMap<String, String>,
    /// Teams by id, without `employees`, which are derived from the employees' `teamId`.
    teams: BTreeMap<String, Value>,
    shared_settings: BTreeMap<String, Value>,
    seed: u64,
    made: u64,
}

impl Account {
    pub(super) fn new(company: &Company, seed: u64) -> Self {
        Self {
            employees: records::by_id(&company.employees),
            titles: BTreeMap::new(),
            teams: records::by_id(&company.teams),
            shared_settings: records::by_id(&company.shared_settings),
            seed,
            made: 0,
        }
    }

    /// All employees in the order of responses, by id.
    pub fn employees(&self) -> impl Iterator<Item = &Value> {
        self.employees.values()
    }

    /// All teams, each with its `employees`.
    pub fn teams(&self) -> Vec<Value> {
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, employee) in &self.employees {
            members
                .entry(employee["teamId"].as_str().unwrap_or_default())
                .or_default()
                .push(id);
        }
        let teams = self.teams.iter().map(|(id, team)| {
            let mut team = team.clone();
            team["employees"] = json!(members.get(id.as_str()).map_or(&[][..], Vec::as_slice));
            team
        });
        teams.collect()
    }

    /// A team with its `employees`.
    pub(super) fn team(&self, id: &str) -> Option<Value> {
        let mut team = self.teams.get(id)?.clone();
        let mine = self
            .employees
            .iter()
            .filter(|(_, employee)| employee["teamId"] == id);
        team["employees"] = mine.map(|(id, _)| id.as_str()).collect();
        Some(team)
    }

    pub fn shared_settings(&self) -> impl Iterator<Item = &Value> {
        self.shared_settings.values()
    }

    pub(super) fn shared_settings_by_id(&self, id: &str) -> Option<&Value> {
        self.shared_settings.get(id)
    }

    #[track_caller]
    pub fn employee_id(&self, who: &str) -> String {
        if self.employees.contains_key(who) {
            return who.to_owned();
        }
        let mut found = self
            .employees
            .iter()
            .filter(|(_, employee)| employee["email"] == who || employee["name"] == who);
        match (found.next(), found.next()) {
            (Some((id, _)), None) => id.clone(),
            (None, _) => panic!("the account has no employee {who:?}"),
            _ => panic!("the account has several employees {who:?}"),
        }
    }

    /// An employee's record, as in responses.
    #[track_caller]
    pub fn employee(&self, who: &str) -> &Value {
        &self.employees[&self.employee_id(who)]
    }

    #[track_caller]
    pub fn title(&self, who: &str) -> Option<&str> {
        self.titles.get(&self.employee_id(who)).map(String::as_str)
    }

    #[track_caller]
    pub fn team_id(&self, name: &str) -> String {
        if self.teams.contains_key(name) {
            return name.to_owned();
        }
        let mut found = self.teams.iter().filter(|(_, team)| team["name"] == name);
        match (found.next(), found.next()) {
            (Some((id, _)), None) => id.clone(),
            (None, _) => panic!("the account has no team {name:?}"),
            _ => panic!("the account has several teams {name:?}"),
        }
    }

    #[track_caller]
    pub fn set(&mut self, who: &str, field: &str, value: impl Into<Value>) {
        let id = self.employee_id(who);
        self.change(&id, field, value.into());
    }

    #[track_caller]
    pub fn rename_employee(&mut self, who: &str, name: &str) {
        self.set(who, "name", name);
    }

    /// Changes an employee's email, but not `identifier`.
    #[track_caller]
    pub fn set_email(&mut self, who: &str, email: &str) {
        self.set(who, "email", email);
    }

    #[track_caller]
    pub fn move_employee(&mut self, who: &str, team: &str) {
        let team = self.team_id(team);
        self.set(who, "teamId", team);
    }

    #[track_caller]
    pub fn deactivate(&mut self, who: &str) {
        self.set(who, "deactivated", now());
    }

    /// Reactivates an employee in the web app. Returns false, without effect, in the first 7 days after a deactivation.
    #[track_caller]
    pub fn reactivate(&mut self, who: &str) -> bool {
        let since = self.employee(who)["deactivated"].as_i64().unwrap_or_default();
        let allowed = now() - since >= SEVEN_DAYS_MS;
        if allowed {
            self.set(who, "deactivated", 0);
        }
        allowed
    }

    /// Invites an employee and returns the id.
    #[track_caller]
    pub fn add_employee(&mut self, name: &str, email: &str, team: &str) -> String {
        let team = self.team_id(team);
        let settings = self.shared_settings.keys().next().cloned().unwrap_or_default();
        self.invite(name, email, &team, &settings)
    }

    /// Moves an employee to another computer, in the steps that the vendor gives: the old record is deactivated and
    /// holds the email, and the new one is active and has none. Its `identifier` is the computer's account. Returns
    /// the new id.
    #[track_caller]
    pub fn move_to_another_computer(&mut self, who: &str, account: &str) -> String {
        let old = self.employee_id(who);
        self.deactivate(&old);
        let id = self.new_id();
        let before = &self.employees[&old];
        let text = |field: &str| before[field].as_str().unwrap_or_default().to_owned();
        let (name, team, settings) = (text("name"), text("teamId"), text("sharedSettingsId"));
        let mut employee = records::employee(&Employee {
            id: &id,
            name: &name,
            email: None,
            team: &team,
            shared_settings: &settings,
            deactivated: 0,
            created: now(),
        });
        employee["identifier"] = account.into();
        self.employees.insert(id.clone(), employee);
        id
    }

    /// Deletes an employee, which is only possible in the web app.
    #[track_caller]
    pub fn delete_employee(&mut self, who: &str) {
        let id = self.employee_id(who);
        self.employees.remove(&id);
        self.titles.remove(&id);
    }

    /// Adds an empty team and returns the id.
    pub fn add_team(&mut self, name: &str) -> String {
        let id = self.new_id();
        self.teams.insert(id.clone(), records::team(&id, name, false));
        id
    }

    /// Changes a field of a team other than `employees`. The name can only be changed in the web app.
    #[track_caller]
    pub fn set_team(&mut self, team: &str, field: &str, value: impl Into<Value>) {
        let id = self.team_id(team);
        self.teams.entry(id).or_default()[field] = value.into();
    }

    /// Deletes a team. Its employees move to the default team.
    #[track_caller]
    pub fn delete_team(&mut self, team: &str) {
        let id = self.team_id(team);
        self.teams.remove(&id);
        self.set_members(&id, &BTreeSet::new());
    }

    pub(super) fn has_team(&self, id: &str) -> bool {
        self.teams.contains_key(id)
    }

    pub(super) fn has_team_named(&self, name: &str) -> bool {
        self.teams.values().any(|team| team["name"] == name)
    }

    pub(super) fn is_default_team(&self, id: &str) -> bool {
        self.teams.get(id).is_some_and(|team| team["default"] == true)
    }

    /// Whether an employee other than `except`, active or not, has the email.
    pub(super) fn email_taken(&self, email: &str, except: &str) -> bool {
        let same = |employee: &Value| {
            let theirs = employee["email"].as_str();
            theirs.is_some_and(|theirs| theirs.to_lowercase() == email.to_lowercase())
        };
        self.employees
            .iter()
            .any(|(id, employee)| id != except && same(employee))
    }

    pub(super) fn invite(&mut self, name: &str, email: &str, team: &str, shared_settings: &str) -> String {
        let id = self.new_id();
        let employee = records::employee(&Employee {
            id: &id,
            name,
            email: Some(email),
            team,
            shared_settings,
            deactivated: 0,
            created: now(),
        });
        self.employees.insert(id.clone(), employee);
        id
    }

    pub(super) fn change(&mut self, id: &str, field: &str, value: Value) {
        if let Some(employee) = self.employees.get_mut(id) {
            employee[field] = value;
            employee["updatedAt"] = now().into();
        }
    }

    /// Moves these employees to the team, and its other employees to the default team.
    pub(super) fn set_members(&mut self, team: &str, employees: &BTreeSet<String>) {
        let default = self.teams.iter().find(|(_, team)| team["default"] == true);
        let default = default.map(|(id, _)| id.clone()).unwrap_or_default();
        for (id, employee) in &mut self.employees {
            if employees.contains(id) {
                employee["teamId"] = team.into();
            } else if employee["teamId"] == team {
                employee["teamId"] = default.clone().into();
            }
        }
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        records::insightful_id(&format!("made {} {}", self.seed, self.made))
    }
}

/// Epoch milliseconds.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
