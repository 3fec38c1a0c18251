//! A recording: the responses of both services in a directory, so that a plan can be made, examined and shared
//! without access to them.
//!
//! ```text
//! DIR/okta/users.json  okta/groups.json  okta/members/<groupId>.json
//! DIR/insightful/employees.json  teams.json  shared-settings.json
//! DIR/integration.yaml (optional OktaIntegration)  DIR/matches.yaml (optional EmployeeMatches)
//! ```
//!
//! An EmployeeMatch with another name than the operator gives to its person's is not used, as in a cluster. One
//! without a name is.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use futures::{StreamExt, TryFutureExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    api::{EmployeeMatch, OktaIntegration, OktaSource, YamlError, yaml_documents},
    http::is_path_segment,
    insightful::{self, InsightfulClient},
    model::{AttributeName, Complete, Directory, Snapshot, TeamGroup, Unreadable, Workforce, are_too_many},
    okta::{self, OktaClient},
    rules::exclusion,
    services::gather::GatherError,
};

/// How many groups' members are read concurrently.
const PARALLEL_READS: usize = 8;

/// Why a recording cannot be read or written. `path` is the file or directory.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: line {}, column {}: {source}", path.display(), source.line(), source.column())]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{}: {source}", path.display())]
    Yaml { path: PathBuf, source: YamlError },
    /// Most records lack a required field or have one of another type.
    #[error("{}: {unreadable} of {all} records cannot be read, such as record {index} (counted from 0): {first}", path.display())]
    Records {
        path: PathBuf,
        unreadable: usize,
        all: usize,
        /// The position of the first of them.
        index: usize,
        first: Box<Unreadable>,
    },
    #[error("{} exists and is not empty: choose a new directory", path.display())]
    Exists { path: PathBuf },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// The responses of both services, unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    pub users: Vec<Value>,
    pub groups: Vec<Value>,
    /// The users in each group, by the group's id.
    pub members: BTreeMap<String, Vec<Value>>,
    pub employees: Vec<Value>,
    pub teams: Vec<Value>,
    pub shared_settings: Vec<Value>,
    pub integration: Option<OktaIntegration>,
    pub matches: Vec<EmployeeMatch>,
}

impl Recording {
    /// Reads both services. Fails if any part cannot be read.
    pub async fn of(
        okta: &OktaClient,
        insightful: &InsightfulClient,
        group_prefix: &str,
    ) -> Result<Self, GatherError> {
        let members = async {
            let mut groups = okta.groups_json(group_prefix).await?.into_inner();
            let ids = groups
                .iter()
                .filter_map(|group| group["id"].as_str())
                .filter(|id| is_path_segment(id))
                .map(str::to_owned);
            let reads = ids.map(|id| async move {
                let members = okta.members_json(&id.as_str().into()).await?;
                Ok::<_, okta::OktaError>((id, members))
            });
            let reads = reads.collect::<Vec<_>>();
            let read: Vec<_> = stream::iter(reads)
                .buffer_unordered(PARALLEL_READS)
                .try_collect()
                .await?;
            let mut members = BTreeMap::new();
            for (id, read) in read {
                match read {
                    Some(read) => drop(members.insert(id, read.into_inner())),
                    None => groups.retain(|group| group["id"] != id),
                }
            }
            Ok::<_, okta::OktaError>((groups, members))
        };
        let (users, (groups, members), employees, teams, shared_settings) = futures::try_join!(
            okta.users_json(&|_| {}).err_into::<GatherError>(),
            members.err_into(),
            insightful.employees_json().err_into(),
            insightful.teams_json().err_into(),
            insightful.shared_settings_json().err_into(),
        )?;
        Ok(Self {
            users: users.into_inner(),
            groups,
            members,
            employees: employees.into_inner(),
            teams: teams.into_inner(),
            shared_settings: shared_settings.into_inner(),
            integration: None,
            matches: Vec::new(),
        })
    }

    /// Reads a recording. Only `integration.yaml` and `matches.yaml` are optional.
    pub fn load(dir: &Path) -> Result<Self, RecordingError> {
        let groups: Vec<Value> = json(&dir.join("okta/groups.json"))?;
        let mut members = BTreeMap::new();
        let ids = groups.iter().filter_map(|group| group["id"].as_str());
        for id in ids.filter(|id| is_path_segment(id)) {
            members.insert(id.to_owned(), json(&dir.join(format!("okta/members/{id}.json")))?);
        }
        let mut integrations: Vec<OktaIntegration> = yaml(&dir.join("integration.yaml"))?;
        Ok(Self {
            users: json(&dir.join("okta/users.json"))?,
            groups,
            members,
            employees: json(&dir.join("insightful/employees.json"))?,
            teams: json(&dir.join("insightful/teams.json"))?,
            shared_settings: json(&dir.join("insightful/shared-settings.json"))?,
            integration: integrations.pop(),
            matches: yaml(&dir.join("matches.yaml"))?,
        })
    }

    /// Writes the recording into a new or empty directory. On an error, nothing is written.
    pub fn save(&self, dir: &Path) -> Result<(), RecordingError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| RecordingError::Write { path, source }
        };
        if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(RecordingError::Exists { path: dir.to_owned() });
        }
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = dir.with_file_name(name);
        let written = self.write_files(&part).and_then(|()| {
            if dir.exists() {
                fs::remove_dir(dir).map_err(at(dir))?;
            }
            fs::rename(&part, dir).map_err(at(dir))
        });
        if written.is_err() {
            // The error that matters is the first one.
            let _ = fs::remove_dir_all(&part);
        }
        written
    }

    fn write_files(&self, dir: &Path) -> Result<(), RecordingError> {
        let Self {
            users,
            groups,
            members,
            employees,
            teams,
            shared_settings,
            integration,
            matches,
        } = self;
        let lists = [
            ("okta/users.json".to_owned(), users),
            ("okta/groups.json".to_owned(), groups),
            ("insightful/employees.json".to_owned(), employees),
            ("insightful/teams.json".to_owned(), teams),
            ("insightful/shared-settings.json".to_owned(), shared_settings),
        ];
        let members = members
            .iter()
            .map(|(id, users)| (format!("okta/members/{id}.json"), users));
        for (file, records) in lists.into_iter().chain(members) {
            let path = dir.join(file);
            let text = serde_json::to_vec_pretty(records).map_err(|source| RecordingError::Json {
                path: path.clone(),
                source,
            })?;
            write(&path, &text)?;
        }
        if let Some(integration) = integration {
            write_yaml(&dir.join("integration.yaml"), std::slice::from_ref(integration))?;
        }
        if !matches.is_empty() {
            write_yaml(&dir.join("matches.yaml"), matches)?;
        }
        Ok(())
    }

    /// The snapshot that `gather` would make of these responses. `dir` is for the errors only.
    pub fn snapshot(&self, dir: &Path, source: &OktaSource) -> Result<Snapshot, RecordingError> {
        let kept: Vec<AttributeName> = exclusion::attributes(&source.exclude).into_iter().collect();
        let person = |user| okta::person(user, &kept);
        let (people, mut of_okta) = records(dir, "okta/users.json", &self.users, person)?;
        let (heads, unreadable_heads) = records(dir, "okta/groups.json", &self.groups, okta::group_head)?;
        let (mut heads, others): (Vec<_>, Vec<_>) = heads
            .into_iter()
            .partition(|head| head.name.starts_with(&source.group_prefix));
        heads.extend(unreadable_heads.iter().filter_map(okta::unreadable_head));
        of_okta.extend(unreadable_heads);
        let (mut groups, mut whole) = (Vec::new(), Vec::new());
        for head in heads {
            let file = format!("okta/members/{}.json", head.id);
            let Some(users) = self.members.get(head.id.as_str()) else {
                return Err(RecordingError::Read {
                    path: dir.join(file),
                    source: io::ErrorKind::NotFound.into(),
                });
            };
            let (members, unreadable) = records(dir, &file, users, okta::member_id)?;
            of_okta.extend(unreadable.into_iter().map(|record| Unreadable {
                group: Some(head.id.clone()),
                ..record
            }));
            for user in users {
                match okta::member(user.clone(), &kept) {
                    Ok(member) => whole.extend(member),
                    Err(record) if record.id.is_some() => of_okta.push(record),
                    // Is among the unreadable members.
                    Err(_) => {}
                }
            }
            groups.push(TeamGroup {
                id: head.id,
                name: head.name,
                members: members.into_iter().collect(),
            });
        }
        let (employees, mut of_insightful) = records(
            dir,
            "insightful/employees.json",
            &self.employees,
            insightful::employee,
        )?;
        let (teams, unreadable) = records(dir, "insightful/teams.json", &self.teams, insightful::team)?;
        of_insightful.extend(unreadable);
        let file = "insightful/shared-settings.json";
        let (settings, unreadable) = records(dir, file, &self.shared_settings, insightful::shared_settings)?;
        of_insightful.extend(unreadable);
        let workforce = Workforce {
            employees: Complete::from_all_pages(employees),
            teams: Complete::from_all_pages(teams),
            settings: Complete::from_all_pages(settings),
            unreadable: of_insightful.into_iter().collect(),
            // A plan of a recording writes nothing.
            organization: None,
        };
        let directory = Directory::new(Complete::from_all_pages(people), Complete::from_all_pages(groups))
            .with_members(whole)
            .with_lookalikes(others.into_iter().map(|head| (head.id, head.name)))
            .with_unreadable(of_okta);
        Ok(Snapshot::new(directory, workforce))
    }

    /// The EmployeeMatches of the recorded integration; all of them if no integration was recorded.
    pub fn of_integration(&self) -> impl Iterator<Item = &EmployeeMatch> {
        let integration = self.integration.as_ref();
        let name = integration.and_then(|integration| integration.metadata.name.as_deref());
        let matches = self.matches.iter();
        matches.filter(move |object| name.is_none_or(|name| object.spec.integration_ref.name == name))
    }
}

/// The records of a file, and those that cannot be read.
fn records<T>(
    dir: &Path,
    file: &str,
    values: &[Value],
    read: impl Fn(Value) -> Result<T, Unreadable>,
) -> Result<(Vec<T>, Vec<Unreadable>), RecordingError> {
    let (mut records, mut unreadable) = (Vec::with_capacity(values.len()), Vec::new());
    let mut index = None;
    for (place, value) in values.iter().enumerate() {
        match read(value.clone()) {
            Ok(record) => records.push(record),
            Err(record) => {
                index.get_or_insert(place);
                unreadable.push(record);
            }
        }
    }
    match unreadable.first() {
        Some(first) if are_too_many(first.kind, unreadable.len(), values.len()) => {
            Err(RecordingError::Records {
                path: dir.join(file),
                unreadable: unreadable.len(),
                all: values.len(),
                index: index.unwrap_or_default(),
                first: Box::new(first.clone()),
            })
        }
        _ => Ok((records, unreadable)),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, RecordingError> {
    let bytes = fs::read(path).map_err(|source| RecordingError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| RecordingError::Json {
        path: path.to_owned(),
        source,
    })
}

/// The documents of a YAML file; empty if the file does not exist.
fn yaml<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RecordingError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|source| RecordingError::Read {
            path: path.to_owned(),
            source,
        })?,
    };
    yaml_documents(&text).map_err(|source| RecordingError::Yaml {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RecordingError> {
    let at = |source| RecordingError::Write {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(at)?;
    }
    fs::write(path, bytes).map_err(at)
}

fn write_yaml<T: serde::Serialize>(path: &Path, objects: &[T]) -> Result<(), RecordingError> {
    let text = serde_yaml::to_string_multiple(objects).map_err(|error| RecordingError::Write {
        path: path.to_owned(),
        source: io::Error::other(error),
    })?;
    write(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_whom_the_list_of_users_lacks_is_taken_from_the_members() {
        let whole = json!({ "id": "b", "status": "ACTIVE", "profile": { "login": "b@acme.com" } });
        let recording = Recording {
            groups: vec![json!({ "id": "g", "profile": { "name": "P_Sales" } })],
            users: vec![json!({ "id": "a", "status": "STAGED", "profile": { "login": "a@acme.com" } })],
            members: [(
                "g".to_owned(),
                vec![json!({ "id": "a" }), whole, json!({ "id": "c" })],
            )]
            .into(),
            ..Recording::default()
        };
        let source = json!({
            "orgUrl": "https://acme.okta.com", "groupPrefix": "P_",
            "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
        });
        let source: OktaSource = serde_json::from_value(source).unwrap();
        for recording in [super::super::anonymise::anonymised(recording.clone()), recording] {
            let snapshot = recording.snapshot(Path::new("."), &source).unwrap();
            let people: Vec<_> = snapshot
                .people()
                .values()
                .map(|person| person.status.as_str())
                .collect();
            assert_eq!(people, ["STAGED", "ACTIVE"], "c's record is not whole");
            assert_eq!(snapshot.groups()[&"g".into()].members.len(), 3);
        }
    }
}
