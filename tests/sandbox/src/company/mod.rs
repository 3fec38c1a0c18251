//! Companies to sync: their data in Okta and Insightful.

mod acme;
mod generate;
mod names;
pub(crate) mod records;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use records::{insightful_id, okta_id};

/// The prefix of team groups in Okta.
pub const GROUP_PREFIX: &str = "OKTA_INSGRP_";

/// A company's records, as in the responses of the two services.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Company {
    pub users: Vec<Value>,
    pub groups: Vec<Value>,
    /// The ids of the members by group id.
    pub members: BTreeMap<String, Vec<String>>,
    pub employees: Vec<Value>,
    pub teams: Vec<Value>,
    pub shared_settings: Vec<Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("{path}: {source}")]
    Json { path: String, source: serde_json::Error },
}

impl Company {
    /// A fictional company with every case that matching and planning must distinguish, from the tables `people.txt`
    /// and `employees.txt`.
    pub fn acme() -> Self {
        acme::company()
    }

    /// A generated company of `people` Okta users; equal seeds generate equal companies. Most people have an employee
    /// with the same name and email, the others are cases like those of Acme.
    pub fn generate(people: usize, seed: u64) -> Self {
        generate::company(people, seed)
    }

    /// The same with this number of team groups.
    pub fn generate_with(people: usize, teams: usize, seed: u64) -> Self {
        generate::company_of(people, teams, seed)
    }

    /// The Okta id of the person whose login has this local part. Panics if there is none.
    #[track_caller]
    pub fn user(&self, handle: &str) -> &str {
        let wanted = |user: &&Value| {
            let login = user["profile"]["login"].as_str().unwrap_or_default();
            login.split('@').next() == Some(handle)
        };
        id_of("Okta user", handle, self.users.iter().find(wanted))
    }

    /// The Insightful id of the employee with this handle, the person's in `people.txt` or one in `employees.txt`.
    /// Panics if there is none.
    #[track_caller]
    pub fn employee(&self, handle: &str) -> &str {
        let id = insightful_id(&format!("employee {handle}"));
        id_of(
            "employee",
            handle,
            self.employees.iter().find(|employee| employee["id"] == id),
        )
    }

    /// The Okta id of a group by its name, with or without the prefix. Panics if there is none.
    #[track_caller]
    pub fn group(&self, name: &str) -> &str {
        let wanted = |group: &&Value| {
            let full = group["profile"]["name"].as_str().unwrap_or_default();
            full == name || full.strip_prefix(GROUP_PREFIX) == Some(name)
        };
        id_of("group", name, self.groups.iter().find(wanted))
    }

    /// The Insightful id of a team by its name. Panics if there is none.
    #[track_caller]
    pub fn team(&self, name: &str) -> &str {
        id_of("team", name, self.teams.iter().find(|team| team["name"] == name))
    }

    /// The Insightful id of shared settings by their name. Panics if there are none.
    #[track_caller]
    pub fn settings(&self, name: &str) -> &str {
        let found = self
            .shared_settings
            .iter()
            .find(|settings| settings["name"] == name);
        id_of("shared settings", name, found)
    }

    /// Writes the company as a recording, as the operator's `record` does.
    pub fn save(&self, dir: &Path) -> Result<(), RecordingError> {
        write(&dir.join("okta/users.json"), &self.users)?;
        write(&dir.join("okta/groups.json"), &self.groups)?;
        let users: BTreeMap<_, _> = self
            .users
            .iter()
            .filter_map(|user| Some((user["id"].as_str()?, user)))
            .collect();
        for group in &self.groups {
            let id = group["id"].as_str().unwrap_or_default();
            let members = self.members.get(id).map(Vec::as_slice).unwrap_or_default();
            let members: Vec<_> = members.iter().filter_map(|id| users.get(id.as_str())).collect();
            write(&dir.join(format!("okta/members/{id}.json")), &members)?;
        }
        write(&dir.join("insightful/employees.json"), &self.employees)?;
        write(&dir.join("insightful/teams.json"), &self.teams)?;
        write(
            &dir.join("insightful/shared-settings.json"),
            &self.shared_settings,
        )
    }

    /// Reads a recording. A group without a file has no members.
    pub fn load(dir: &Path) -> Result<Self, RecordingError> {
        let groups: Vec<Value> = read(&dir.join("okta/groups.json"))?;
        let mut members = BTreeMap::new();
        for id in groups.iter().filter_map(|group| group["id"].as_str()) {
            let file = dir.join(format!("okta/members/{id}.json"));
            let users: Vec<Value> = if file.exists() { read(&file)? } else { Vec::new() };
            let ids = users
                .iter()
                .filter_map(|user| user["id"].as_str().map(str::to_owned));
            members.insert(id.to_owned(), ids.collect());
        }
        Ok(Self {
            users: read(&dir.join("okta/users.json"))?,
            groups,
            members,
            employees: read(&dir.join("insightful/employees.json"))?,
            teams: read(&dir.join("insightful/teams.json"))?,
            shared_settings: read(&dir.join("insightful/shared-settings.json"))?,
        })
    }
}

#[track_caller]
fn id_of<'a>(kind: &str, name: &str, found: Option<&'a Value>) -> &'a str {
    match found.and_then(|value| value["id"].as_str()) {
        Some(id) => id,
        None => panic!("the company has no {kind} {name:?}"),
    }
}

fn write(path: &Path, value: &impl serde::Serialize) -> Result<(), RecordingError> {
    let failed = |source| RecordingError::File {
        path: path.display().to_string(),
        source,
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let json = serde_json::to_vec_pretty(value).map_err(|source| RecordingError::Json {
        path: path.display().to_string(),
        source,
    })?;
    std::fs::write(path, json).map_err(failed)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, RecordingError> {
    let bytes = std::fs::read(path).map_err(|source| RecordingError::File {
        path: path.display().to_string(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| RecordingError::Json {
        path: path.display().to_string(),
        source,
    })
}
