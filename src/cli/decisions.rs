//! The file of `plan --write-decisions`: an EmployeeMatch manifest for each person, in which an admin decides. It holds
//! the decisions that stand, so that applying it as written changes none.
//!
//! Names are from outside: they are in comments only, with line breaks and the like as codes, and the file is parsed
//! again before it is written.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::{
    plan::{CandidateReport, PersonReport, percent},
    recording::{YamlError, yaml_documents},
};
use crate::{
    api::{EmployeeMatch, EmployeeMatchSpec, match_name},
    model::text::{folded, shown},
    rules::records,
};

/// Why no decisions were written. `path` is the file.
#[derive(Debug, thiserror::Error)]
pub enum DecisionsError {
    #[error("{} exists: choose another file, or add --overwrite to replace it", path.display())]
    Exists { path: PathBuf },
    #[error("{} is not a file: choose the name of a file", path.display())]
    NotAFile { path: PathBuf },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot serialize the decisions: {0}")]
    Serialize(#[from] serde_yaml::SerializeError),
    #[error("nothing is written: the decisions cannot be read back ({0}); please report this")]
    Unreadable(#[from] YamlError),
    #[error("nothing is written: read back, the decisions are not those that were meant; please report this")]
    Changed,
}

/// The decisions that stand, and the integration that they belong to.
pub struct Standing {
    integration: String,
    namespace: Option<String>,
    /// By the Okta id of the person.
    decided: BTreeMap<String, EmployeeMatchSpec>,
}

impl Standing {
    /// None if the integration has no name.
    pub fn new(integration: &ObjectMeta, objects: Vec<EmployeeMatch>) -> Option<Self> {
        let used = objects
            .into_iter()
            .filter(|object| records::wrong_name(object).is_none());
        Some(Self {
            integration: integration.name.clone()?,
            namespace: integration.namespace.clone(),
            decided: used
                .map(|object| (object.spec.okta_user_id.clone(), object.spec))
                .collect(),
        })
    }

    /// The manifest of a person's EmployeeMatch, with the decision that stands.
    fn manifest(&self, okta_user_id: &str) -> Value {
        let decided = self.decided.get(okta_user_id);
        let mut spec = json!({
            "integrationRef": { "name": self.integration },
            "oktaUserId": okta_user_id,
            "decision": decided.map(|spec| spec.decision).unwrap_or_default(),
            "employeeIds": decided.map(|spec| spec.employee_ids.as_slice()).unwrap_or_default(),
        });
        if let Some(decided) = decided {
            if !decided.rejected_employee_ids.is_empty() {
                spec["rejectedEmployeeIds"] = json!(decided.rejected_employee_ids);
            }
            if let Some(note) = &decided.note {
                spec["note"] = json!(note);
            }
        }
        let mut metadata = json!({ "name": match_name(&self.integration, okta_user_id) });
        if let Some(namespace) = &self.namespace {
            metadata["namespace"] = json!(namespace);
        }
        json!({
            "apiVersion": "integrations.insightful.io/v1alpha1",
            "kind": "EmployeeMatch",
            "metadata": metadata,
            "spec": spec,
        })
    }
}

/// The file to write, which can be written unless something happens in the meantime.
pub struct DecisionsFile {
    path: PathBuf,
}

impl DecisionsFile {
    /// # Errors
    /// The file exists and `overwrite` is false, or it is a directory or a device.
    pub fn new(path: PathBuf, overwrite: bool) -> Result<Self, DecisionsError> {
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => Err(DecisionsError::NotAFile { path }),
            Ok(_) if !overwrite => Err(DecisionsError::Exists { path }),
            Ok(_) => Ok(Self { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { path }),
            Err(source) => Err(DecisionsError::Write { path, source }),
        }
    }

    /// Writes the decisions about these people, all or nothing.
    pub fn write(&self, people: Vec<&PersonReport>, standing: &Standing) -> Result<(), DecisionsError> {
        let text = text(people, standing)?;
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = self.path.with_file_name(name);
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, &self.path));
        written.map_err(|source| {
            // The error that matters is the first one.
            let _ = fs::remove_file(&part);
            DecisionsError::Write {
                path: self.path.clone(),
                source,
            }
        })
    }
}

/// The file, by the name of the people.
fn text(mut people: Vec<&PersonReport>, standing: &Standing) -> Result<String, DecisionsError> {
    people.sort_by_cached_key(|person| {
        let name = person.name.as_deref().unwrap_or_default();
        (folded(name), person.okta_user_id.clone())
    });
    let mut text = String::new();
    add_comments(
        &mut text,
        [
            format!("Decisions about people of the integration {}.", standing.integration),
            "As written, this file changes no decision. To decide about a person, set:".to_owned(),
            "  decision: Match and employeeIds: [ID]   the person is this employee; the candidates are listed".to_owned(),
            "  decision: Create                        the person is invited".to_owned(),
            "  decision: Ignore                        the person is not synced".to_owned(),
            "  decision: Deactivate                    the person has left, though Okta cannot say so any more".to_owned(),
            "  rejectedEmployeeIds: [ID]               these employees are not the person".to_owned(),
            "Then apply it: kubectl apply -f FILE".to_owned(),
        ],
    );
    let mut meant = Vec::with_capacity(people.len());
    for person in people {
        text.push_str("---\n");
        add_comments(&mut text, about(person));
        let is_unreadable = person
            .blocker
            .as_ref()
            .is_some_and(|blocker| blocker.reason == "Unreadable");
        // A manifest would replace a decision that this version cannot read.
        if !is_unreadable {
            let manifest = standing.manifest(&person.okta_user_id);
            text.push_str(&serde_yaml::to_string(&manifest)?);
            meant.push(manifest);
        }
    }
    match yaml_documents::<Value>(&text)? == meant {
        true => Ok(text),
        false => Err(DecisionsError::Changed),
    }
}

/// The person and the candidates, one a line.
fn about(person: &PersonReport) -> Vec<String> {
    let named = |name: Option<&str>, email: Option<&str>| {
        format!(
            "{} <{}>",
            name.unwrap_or("unknown name"),
            email.unwrap_or("no email")
        )
    };
    let mut lines = vec![
        format!(
            "{}, Okta user {}",
            named(person.name.as_deref(), person.email.as_deref()),
            person.okta_user_id
        ),
        format!("{:?}: {}", person.state, person.reason()),
    ];
    if let Some(employee) = &person.employee {
        lines.push(format!(
            "Employee: {}, {}",
            employee.id,
            named(Some(&employee.name), Some(&employee.email))
        ));
    }
    lines.push(match person.candidates.is_empty() {
        true => "No candidates.".to_owned(),
        false => "Candidates:".to_owned(),
    });
    lines.extend(person.candidates.iter().map(|candidate| {
        let CandidateReport {
            employee_id,
            name,
            email,
            team,
            deactivated,
            matched_to,
            confidence,
            reasons,
        } = candidate;
        let mut line = format!(
            "  {employee_id}: {}, {}",
            named(Some(name), Some(email)),
            percent(*confidence)
        );
        if let Some(team) = team {
            line += &format!(", team {team}");
        }
        if *deactivated {
            line += ", deactivated";
        }
        if let Some(holder) = matched_to {
            line += &format!(", matched to {holder}");
        }
        format!("{line}: {}", reasons.join("; "))
    }));
    lines
}

/// Adds each text as a comment of one line.
fn add_comments(text: &mut String, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        text.push_str("# ");
        text.push_str(&shown(&line));
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::{Decision, MatchState, ProposalKind},
        cli::plan::{BlockerReport, ProposalReport},
    };

    /// A person who waits, with one candidate, and with texts from outside wherever there are any.
    fn person(id: &str, text: &str) -> PersonReport {
        PersonReport {
            okta_user_id: id.to_owned(),
            name: Some(text.to_owned()),
            email: Some(text.to_owned()),
            state: MatchState::Review,
            employee: None,
            proposal: ProposalReport {
                kind: ProposalKind::Review,
                employee_ids: vec!["w1".to_owned()],
                confidence: None,
                evidence: None,
                reasons: vec![text.to_owned()],
            },
            candidates: vec![CandidateReport {
                employee_id: "w1".to_owned(),
                name: text.to_owned(),
                email: text.to_owned(),
                team: Some(text.to_owned()),
                deactivated: true,
                matched_to: Some(text.to_owned()),
                confidence: 0.876,
                reasons: vec![text.to_owned(), text.to_owned()],
            }],
            changes: Vec::new(),
            blocker: Some(BlockerReport {
                reason: "NeedsDecision".to_owned(),
                message: text.to_owned(),
            }),
            waits: true,
        }
    }

    fn standing(decided: &[Value]) -> Standing {
        let objects = decided.iter().map(|spec| {
            let spec: EmployeeMatchSpec = serde_json::from_value(spec.clone()).unwrap();
            EmployeeMatch::new(&match_name("acme", &spec.okta_user_id), spec)
        });
        let integration = ObjectMeta {
            name: Some("acme".to_owned()),
            namespace: Some("people".to_owned()),
            ..ObjectMeta::default()
        };
        Standing::new(&integration, objects.collect()).unwrap()
    }

    #[test]
    fn each_entry_names_the_person_and_all_candidates_and_decides_nothing() {
        let mut other = person("00uJohn", "John Roe");
        other.candidates.clear();
        let jane = person("00uJane", "Jane Doe");
        let text = text(vec![&other, &jane], &standing(&[])).unwrap();
        let (_, people) = text.split_once("---\n").unwrap();
        let expected = format!(
            "# Jane Doe <Jane Doe>, Okta user 00uJane\n\
             # Review: Jane Doe\n\
             # Candidates:\n\
             #   w1: Jane Doe <Jane Doe>, 87%, team Jane Doe, deactivated, matched to Jane Doe: Jane Doe; Jane Doe\n\
             apiVersion: integrations.insightful.io/v1alpha1\n\
             kind: EmployeeMatch\n\
             metadata:\n  name: {}\n  namespace: people\n\
             spec:\n  decision: Auto\n  employeeIds: []\n  integrationRef:\n    name: acme\n  oktaUserId: 00uJane\n",
            match_name("acme", "00uJane")
        );
        let (first, second) = people.split_once("---\n").unwrap();
        assert_eq!(first, expected);
        assert!(second.contains("# No candidates.\n"), "{second}");
    }

    #[test]
    fn a_decision_that_stands_stays_with_its_note() {
        let spec = json!({
            "integrationRef": { "name": "acme" }, "oktaUserId": "00uJane", "decision": "Match", "employeeIds": ["w2", "w3"],
            "rejectedEmployeeIds": ["w1"], "note": "no\n---\nkind: x",
        });
        let jane = person("00uJane", "Jane Doe");
        let text = text(vec![&jane], &standing(std::slice::from_ref(&spec))).unwrap();
        let written: Vec<Value> = yaml_documents(&text).unwrap();
        assert_eq!(written.len(), 1);
        assert_eq!(written[0]["spec"], spec);
    }

    #[test]
    fn a_decision_that_cannot_be_read_is_not_replaced() {
        let mut jane = person("00uJane", "Jane Doe");
        jane.blocker = Some(BlockerReport {
            reason: "Unreadable".to_owned(),
            message: "correct it".to_owned(),
        });
        let text = text(vec![&jane], &standing(&[])).unwrap();
        assert!(
            text.ends_with("Jane Doe; Jane Doe\n") && text.contains("# Review: correct it\n"),
            "{text}"
        );
        assert_eq!(yaml_documents::<Value>(&text).unwrap().len(), 0);
    }

    fn check_names(name: &str) {
        let people = [person("00u1", name), person("00u2", name)];
        let text = text(people.iter().collect(), &standing(&[])).unwrap();
        let written: Vec<EmployeeMatch> = yaml_documents(&text).unwrap();
        let ids: Vec<&str> = written
            .iter()
            .map(|object| object.spec.okta_user_id.as_str())
            .collect();
        assert_eq!(ids, ["00u1", "00u2"], "{text}");
        for object in &written {
            assert_eq!(
                (object.spec.decision, object.spec.employee_ids.len()),
                (Decision::Auto, 0)
            );
        }
        for line in text.lines() {
            assert_eq!(shown(line), line);
        }
    }

    proptest! {
        #[test]
        fn no_name_changes_what_a_file_decides(name in any::<String>()) {
            check_names(&name);
        }

        #[test]
        fn no_name_that_looks_like_yaml_changes_it(
            name in "([\n\r\u{85}\u{2028}]{0,2}(---|\\.\\.\\.|# |- |: |spec:|decision: Ignore|kind: EmployeeMatch| |\t){0,4}){0,6}"
        ) {
            check_names(&name);
        }
    }
}
