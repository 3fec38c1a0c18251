//! Compares the writes in Insightful's journal with the preview.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{Table, presets};
use sandbox::{insightful::Account, journal::Entry};
use serde_json::Value;

use super::{Failure, ensure};

/// One field of an employee, or one team: `w…: title = Lead`.
type Facts = BTreeSet<String>;

/// What the plan and the matches announce.
pub struct Preview {
    hash: String,
    writes: u64,
    facts: Facts,
}

impl Preview {
    pub fn of(integration: &Value, matches: &[Value]) -> Self {
        let status = &integration["status"];
        let mut facts = Facts::new();
        for team in status["teams"].as_array().into_iter().flatten() {
            if team["state"] == "New" {
                facts.insert(format!("team {}", text(&team["name"])));
            }
        }
        for object in matches {
            let status = &object["status"];
            for change in status["changes"].as_array().into_iter().flatten() {
                let employee = [&change["employeeId"], &status["employee"]["id"]]
                    .into_iter()
                    .find_map(Value::as_str);
                let whom = match employee {
                    Some(id) => id.to_owned(),
                    None => format!("invitation of {}", text(&status["person"]["email"])),
                };
                let (field, to) = (text(&change["field"]), text(&change["to"]));
                facts.insert(format!("{whom}: {field} = {to}"));
            }
        }
        Self {
            hash: text(&status["plan"]["hash"]).to_owned(),
            writes: status["plan"]["total"].as_u64().unwrap_or_default(),
            facts,
        }
    }

    pub fn hash(&self) -> &str {
        &self.hash
    }

    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Fails if the writes are not exactly those of the preview, with the differences.
    pub fn must_equal(&self, writes: &[Entry], account: &Account) -> Result<(), Failure> {
        let refused: Vec<String> = writes
            .iter()
            .filter(|entry| !entry.effect)
            .map(Entry::line)
            .collect();
        ensure(refused.is_empty(), || {
            format!("Insightful rejected: {}", refused.join(", "))
        })?;
        let written = facts(writes, account);
        ensure(written == self.facts, || {
            let list =
                |facts: Vec<&String>| facts.iter().map(|fact| format!("\n  {fact}")).collect::<String>();
            format!(
                "the writes differ from the preview.\npreviewed but not written:{}\nwritten but not previewed:{}",
                list(self.facts.difference(&written).collect()),
                list(written.difference(&self.facts).collect())
            )
        })
    }
}

fn facts(writes: &[Entry], account: &Account) -> Facts {
    let team_names: BTreeMap<String, String> = account
        .teams()
        .iter()
        .map(|team| (text(&team["id"]).to_owned(), text(&team["name"]).to_owned()))
        .collect();
    let mut invited: BTreeMap<String, String> = BTreeMap::new();
    let mut facts = Facts::new();
    for entry in writes {
        let body = entry.body.as_ref().unwrap_or(&Value::Null);
        let last = entry.path.rsplit('/').next().unwrap_or_default();
        let mut whom = invited.get(last).cloned().unwrap_or_else(|| last.to_owned());
        if entry.method == "POST" && last == "team" {
            facts.insert(format!("team {}", text(&body["name"])));
            continue;
        }
        if entry.method == "POST" {
            let email = text(&body["email"]);
            whom = format!("invitation of {email}");
            invited.insert(account.employee_id(email), whom.clone());
            facts.insert(format!("{whom}: active = true"));
        } else if entry.method == "GET" {
            facts.insert(format!("{whom}: active = false"));
        }
        for (name, value) in body.as_object().into_iter().flatten() {
            let value = text(value);
            match name.as_str() {
                "teamId" => {
                    let team = team_names.get(value).map_or(value, String::as_str);
                    facts.insert(format!("{whom}: team = {team}"));
                }
                "sharedSettingsId" => {
                    let settings = account.shared_settings().find(|settings| settings["id"] == value);
                    let settings = settings.map_or(value, |settings| text(&settings["name"]));
                    facts.insert(format!("{whom}: settings = {settings}"));
                }
                name => {
                    facts.insert(format!("{whom}: {name} = {value}"));
                }
            }
        }
    }
    facts
}

/// The writes as a table.
pub fn table(writes: &[Entry], account: &Account) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["METHOD", "PATH", "WHO", "FIELDS"]);
    for entry in writes {
        let last = entry.path.rsplit('/').next().unwrap_or_default();
        let who = account
            .employees
            .get(last)
            .or(entry.body.as_ref())
            .map_or("", |record| text(&record["name"]));
        let fields: Vec<&str> = entry
            .body
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|body| body.keys().map(String::as_str))
            .collect();
        table.add_row([&entry.method, &entry.path, who, &fields.join(", ")]);
    }
    table.to_string()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
