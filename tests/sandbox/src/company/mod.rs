//! Companies to synchronize: what their Okta and their Insightful hold.

mod acme;
mod generate;
mod names;
pub(crate) mod records;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use records::{insightful_id, okta_id};

/// The prefix of Okta groups that stand for teams.
pub const GROUP_PREFIX: &str = "OKTA_INSGRP_";

/// A company as the two services would answer it: each list as the API gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Company {
    /// Okta users.
    pub users: Vec<Value>,
    /// Okta groups.
    pub groups: Vec<Value>,
    /// Okta user ids of each Okta group id.
    pub members: BTreeMap<String, Vec<String>>,
    /// Insightful employees.
    pub employees: Vec<Value>,
    /// Insightful teams.
    pub teams: Vec<Value>,
    /// Insightful shared settings.
    pub shared_settings: Vec<Value>,
}

/// A company's directory that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file could not be written or read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: String,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
}

impl Company {
    /// A made-up company of some sixty people with every case that matching and planning must tell apart.
    /// `people.txt` and `employees.txt` beside this module are the tables of it.
    pub fn acme() -> Self {
        acme::company()
    }

    /// A made-up company of `people` Okta users, the same for the same seed.
    /// Some 95 % have an employee of equal name and email, the others are drawn from Acme's cases.
    pub fn generate(people: usize, seed: u64) -> Self {
        generate::company(people, seed)
    }

    /// The same with so many team groups.
    pub fn generate_with(people: usize, teams: usize, seed: u64) -> Self {
        generate::company_of(people, teams, seed)
    }

    /// The Okta id of the person whose login has this local part.
    ///
    /// # Panics
    /// When there is none: the test names a person wrongly.
    #[track_caller]
    pub fn user(&self, handle: &str) -> &str {
        let wanted = |user: &&Value| {
            let login = user["profile"]["login"].as_str().unwrap_or_default();
            login.split('@').next() == Some(handle)
        };
        id_of("Okta user", handle, self.users.iter().find(wanted))
    }

    /// The Insightful id of Acme's employee with this handle: that of the person it is, or that of `employees.txt`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn employee(&self, handle: &str) -> &str {
        let id = insightful_id(&format!("employee {handle}"));
        id_of(
            "employee",
            handle,
            self.employees.iter().find(|employee| employee["id"] == id),
        )
    }

    /// The Okta id of a group by its name, with the prefix or without.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn group(&self, name: &str) -> &str {
        let wanted = |group: &&Value| {
            let full = group["profile"]["name"].as_str().unwrap_or_default();
            full == name || full.strip_prefix(GROUP_PREFIX) == Some(name)
        };
        id_of("group", name, self.groups.iter().find(wanted))
    }

    /// The Insightful id of a team by its name.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn team(&self, name: &str) -> &str {
        id_of("team", name, self.teams.iter().find(|team| team["name"] == name))
    }

    /// The Insightful id of shared settings by their name.
    ///
    /// # Panics
    /// When there are none.
    #[track_caller]
    pub fn settings(&self, name: &str) -> &str {
        let found = self
            .shared_settings
            .iter()
            .find(|settings| settings["name"] == name);
        id_of("shared settings", name, found)
    }

    /// Writes the company as a recording, as the operator's `record` does.
    ///
    /// # Errors
    /// When a file or directory cannot be written.
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

    /// Reads a recording.
    ///
    /// # Errors
    /// When a file cannot be read or is not JSON. A group without a file has no members.
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
