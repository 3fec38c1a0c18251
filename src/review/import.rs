//! Decisions from a file: what they change, and whether all of them can be made.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Company, Decided, PersonView,
    spreadsheet::{self, TableError},
};
use crate::{
    api::{
        Decision, EmployeeMatch, EmployeeSummary, FieldChange, MatchState, PersonSummary, ProposalStatus,
        YamlError, yaml_documents,
    },
    model::text::shown,
};

/// A decision that a file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it stands in the file.
    pub place: String,
    pub okta_user_id: String,
    pub decided: Decided,
}

/// A decision that differs from the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub okta_user_id: String,
    pub from: Decided,
    pub to: Decided,
}

/// A person in a JSON file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonRecord {
    pub okta_user_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MatchState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalStatus>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    #[serde(flatten)]
    pub decided: Decided,
}

impl From<PersonView<'_>> for PersonRecord {
    fn from(person: PersonView<'_>) -> Self {
        let status = person.object().status.as_ref();
        Self {
            okta_user_id: person.id().to_owned(),
            person: status.and_then(|status| status.person.clone()),
            state: person.state(),
            message: person.message().map(str::to_owned),
            employee: person.employee().cloned(),
            proposal: person.proposal().cloned(),
            changes: person.changes().to_vec(),
            decided: person.decided(),
        }
    }
}

/// Why a file makes no decision.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("the ending says nothing about its kind: name it .csv, .json, .yaml or .yml")]
    UnknownEnding,
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error("is no list of people: {0}")]
    Json(#[from] serde_json::Error),
    #[error("nothing is changed:\n{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Csv,
    Json,
    Manifests,
}

impl FileKind {
    /// By the ending of the file's name.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Manifests),
            _ => None,
        }
    }
}

/// Returns the decisions of a file that differ from those that stand.
///
/// # Errors
/// What is wrong with the file, or with any of its decisions: none of them is to be made then.
pub fn changes(text: &str, kind: FileKind, company: &Company) -> Result<Vec<Change>, FileError> {
    let wanted = match kind {
        FileKind::Csv => spreadsheet::decisions(text, company)?,
        FileKind::Json => json(text)?,
        FileKind::Manifests => manifests(text, company.name())?,
    };
    check(company, wanted).map_err(FileError::Wrong)
}

/// Reads the decisions of EmployeeMatch manifests.
///
/// # Errors
/// The text is not YAML, or an EmployeeMatch has other fields than its kind.
pub fn manifests(text: &str, integration: &str) -> Result<Vec<Wanted>, YamlError> {
    let objects: Vec<Value> = yaml_documents(text)?;
    let mut wanted = Vec::new();
    for (index, object) in objects.into_iter().enumerate() {
        if object["kind"] != "EmployeeMatch" {
            continue;
        }
        let object: EmployeeMatch =
            serde_json::from_value(object).map_err(|source| YamlError::Object { index, source })?;
        if object.spec.integration_ref.name == integration {
            wanted.push(Wanted {
                place: format!("object {index}"),
                okta_user_id: object.spec.okta_user_id.clone(),
                decided: Decided::from(&object.spec),
            });
        }
    }
    Ok(wanted)
}

/// Reads the decisions of a list of people in JSON.
///
/// # Errors
/// The text is no such list.
pub fn json(text: &str) -> Result<Vec<Wanted>, serde_json::Error> {
    let people: Vec<PersonRecord> = serde_json::from_str(text)?;
    let wanted = people.into_iter().enumerate().map(|(index, person)| Wanted {
        place: format!("person {}", index + 1),
        okta_user_id: person.okta_user_id,
        decided: person.decided,
    });
    Ok(wanted.collect())
}

/// Returns the decisions that differ from those that stand.
///
/// # Errors
/// What is wrong with the decisions, each with its place: none of them is to be made then.
pub fn check(company: &Company, wanted: Vec<Wanted>) -> Result<Vec<Change>, Vec<String>> {
    let omitted = company
        .integration
        .status
        .as_ref()
        .and_then(|status| status.employees);
    let knows_all = omitted.is_none_or(|employees| employees.omitted == 0);
    let mut problems = Vec::new();
    let mut changes = Vec::new();
    let mut people = BTreeSet::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for Wanted {
        place,
        okta_user_id,
        decided,
    } in wanted
    {
        let mut add = |problem: String| problems.push(format!("{place}: {}", shown(&problem)));
        let Some(person) = company.person(&okta_user_id) else {
            add(format!("nobody has the Okta id {okta_user_id:?}"));
            continue;
        };
        let name = person.name();
        if !people.insert(okta_user_id.clone()) {
            add(format!("{name} stands in the file twice"));
            continue;
        }
        match (decided.decision, decided.employee_ids.is_empty()) {
            (Decision::Match, true) => add(format!("{name}: Match needs employee_ids")),
            (Decision::Match, false) | (_, true) => {}
            (other, false) => add(format!("{name}: employee_ids go with Match, not with {other:?}")),
        }
        let before = person.decided();
        for employee in &decided.employee_ids {
            let is_new = !before.employee_ids.contains(employee);
            if is_new && knows_all && company.employee(employee).is_none() {
                add(format!("{name}: no employee has the id {employee:?}"));
            }
            if let Some(other) = taken.insert(employee.clone(), name.to_owned()) {
                add(format!(
                    "{name}: the employee {employee} is also chosen for {other}"
                ));
            }
            if decided.rejected_employee_ids.contains(employee) {
                add(format!(
                    "{name}: the employee {employee} is both chosen and rejected"
                ));
            }
        }
        if decided != before {
            changes.push(Change {
                okta_user_id,
                from: before,
                to: decided,
            });
        }
    }
    match problems.is_empty() {
        true => Ok(changes),
        false => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::example::{company, employee, person};

    fn wanted(id: &str, decision: Decision, employees: &[&str]) -> Wanted {
        Wanted {
            place: "line 2".to_owned(),
            okta_user_id: id.to_owned(),
            decided: Decided {
                decision,
                employee_ids: employees.iter().map(|id| (*id).to_owned()).collect(),
                ..Decided::default()
            },
        }
    }

    fn of_two() -> Company {
        company(
            vec![
                person("00u1", "Jane", "Review", Some("w1"), 80),
                person("00u2", "Bob", "Unmatched", None, 0),
            ],
            vec![employee("w9", "Zoe")],
        )
    }

    #[test]
    fn only_what_differs_is_changed() {
        let changes = check(
            &of_two(),
            vec![
                wanted("00u1", Decision::Auto, &[]),
                wanted("00u2", Decision::Match, &["w9"]),
            ],
        );
        let changes = changes.unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(
            (
                changes[0].okta_user_id.as_str(),
                changes[0].to.to_string().as_str()
            ),
            ("00u2", "Match w9")
        );
    }

    #[test]
    fn every_problem_is_named_and_nothing_is_changed() {
        use Decision::{Create, Match};
        for (decisions, problem) in [
            (
                vec![wanted("00u7", Create, &[])],
                "line 2: nobody has the Okta id \"00u7\"",
            ),
            (
                vec![wanted("00u1", Match, &[])],
                "line 2: Jane: Match needs employee_ids",
            ),
            (
                vec![wanted("00u1", Create, &["w9"])],
                "line 2: Jane: employee_ids go with Match, not with Create",
            ),
            (
                vec![wanted("00u1", Match, &["w7"])],
                "line 2: Jane: no employee has the id \"w7\"",
            ),
            (
                vec![wanted("00u1", Match, &["w9"]), wanted("00u2", Match, &["w9"])],
                "line 2: Bob: the employee w9 is also chosen for Jane",
            ),
            (
                vec![wanted("00u1", Create, &[]), wanted("00u1", Create, &[])],
                "line 2: Jane stands in the file twice",
            ),
        ] {
            assert_eq!(check(&of_two(), decisions).unwrap_err(), [problem]);
        }
    }

    #[test]
    fn people_in_json_and_in_manifests_read_back_change_nothing() {
        let company = of_two();
        let people: Vec<PersonRecord> = company.people().map(PersonRecord::from).collect();
        let text = serde_json::to_string(&people).unwrap();
        assert_eq!(check(&company, json(&text).unwrap()).unwrap(), []);
        let objects: Vec<&EmployeeMatch> = company.people().map(|person| person.object()).collect();
        let text = serde_yaml::to_string_multiple(&objects).unwrap();
        let wanted = manifests(&text, "acme").unwrap();
        assert_eq!(wanted.len(), 2);
        assert_eq!(check(&company, wanted).unwrap(), []);
        assert_eq!(manifests(&text, "other").unwrap(), []);
    }
}
