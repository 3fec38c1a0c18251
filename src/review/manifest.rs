//! A file of decisions, as `plan --write-decisions` and `kubectl insightful export` write it: an EmployeeMatch manifest for each person, in which an admin decides. It holds
//! the decisions that stand, so that applying it as written changes none.
//!
//! Names are from outside: they are in comments only, with line breaks and the like as codes, and the file is parsed
//! again before it is written.

use std::collections::BTreeMap;

use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::PersonView;
use crate::{
    api::{
        CandidateStatus, EmployeeMatch, EmployeeMatchSpec, EmployeeSummary, MatchState, YamlError,
        match_name, yaml_documents,
    },
    model::text::{folded, shown},
    rules::records,
};

/// Why there is no file of decisions.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("cannot serialize the decisions: {0}")]
    Serialize(#[from] serde_yaml::SerializeError),
    #[error("nothing is written: the decisions cannot be read back ({0}); please report this")]
    Unreadable(#[from] YamlError),
    #[error("nothing is written: read back, the decisions are not those that were meant; please report this")]
    Changed,
}

/// A person in the file.
#[derive(Clone, Debug)]
pub struct Entry {
    pub okta_user_id: String,
    /// None for a person whom Okta does not return.
    pub name: Option<String>,
    pub email: Option<String>,
    pub state: Option<MatchState>,
    pub reason: String,
    pub employee: Option<EmployeeSummary>,
    pub candidates: Vec<CandidateStatus>,
    /// Whether this version cannot read the decision.
    pub is_unreadable: bool,
}

impl From<PersonView<'_>> for Entry {
    fn from(person: PersonView<'_>) -> Self {
        Self {
            okta_user_id: person.id().to_owned(),
            name: person.is_known().then(|| person.name().to_owned()),
            email: person.email().map(str::to_owned),
            state: person.state(),
            reason: person.explanation(),
            employee: person.employee().cloned(),
            candidates: person.candidates().to_vec(),
            is_unreadable: false,
        }
    }
}

/// The decisions that stand, and the integration that they belong to.
#[derive(Debug, Default)]
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

const HOW_TO_DECIDE: [&str; 7] = [
    "As written, this file changes no decision. To decide about a person, set:",
    "  decision: Match and employeeIds: [ID]   the person is this employee; the candidates are listed",
    "  decision: Create                        the person is invited",
    "  decision: Ignore                        the person is not synced",
    "  decision: Deactivate                    the person has left, though Okta cannot say so any more",
    "  rejectedEmployeeIds: [ID]               these employees are not the person",
    "Then apply it: kubectl apply -f FILE",
];

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It holds the decisions that stand, and others are filled in.
    ToDecide,
    /// It holds decisions to apply.
    Decided,
}

/// Returns the file, by the name of the people.
///
/// # Errors
/// Only if the file would not be read back as it is meant.
pub fn text(mut people: Vec<Entry>, standing: &Standing, purpose: Purpose) -> Result<String, ManifestError> {
    people.sort_by_cached_key(|person| {
        let name = person.name.as_deref().unwrap_or_default();
        (folded(name), person.okta_user_id.clone())
    });
    let mut text = String::new();
    add_comments(
        &mut text,
        [format!(
            "Decisions about people of the integration {}.",
            standing.integration
        )],
    );
    if purpose == Purpose::ToDecide {
        add_comments(&mut text, HOW_TO_DECIDE.map(str::to_owned));
    }
    let mut meant = Vec::with_capacity(people.len());
    for person in &people {
        text.push_str("---\n");
        add_comments(&mut text, about(person));
        // A manifest would replace a decision that this version cannot read.
        if !person.is_unreadable {
            let manifest = standing.manifest(&person.okta_user_id);
            text.push_str(&serde_yaml::to_string(&manifest)?);
            meant.push(manifest);
        }
    }
    match yaml_documents::<Value>(&text)? == meant {
        true => Ok(text),
        false => Err(ManifestError::Changed),
    }
}

/// The person and the candidates, one a line.
fn about(person: &Entry) -> Vec<String> {
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
        match person.state {
            Some(state) => format!("{state:?}: {}", person.reason),
            None => person.reason.clone(),
        },
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
        let CandidateStatus {
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
            "  {employee_id}: {}, {confidence}%",
            named(Some(name), Some(email)),
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
    use crate::api::Decision;

    /// A person who waits, with one candidate, and with texts from outside wherever there are any.
    fn person(id: &str, text: &str) -> Entry {
        Entry {
            okta_user_id: id.to_owned(),
            name: Some(text.to_owned()),
            email: Some(text.to_owned()),
            state: Some(MatchState::Review),
            reason: text.to_owned(),
            employee: None,
            candidates: vec![CandidateStatus {
                employee_id: "w1".to_owned(),
                name: text.to_owned(),
                email: text.to_owned(),
                team: Some(text.to_owned()),
                deactivated: true,
                matched_to: Some(text.to_owned()),
                confidence: 87,
                reasons: vec![text.to_owned(), text.to_owned()],
            }],
            is_unreadable: false,
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
        let text = text(vec![other, jane], &standing(&[]), Purpose::ToDecide).unwrap();
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
        let text = text(
            vec![jane],
            &standing(std::slice::from_ref(&spec)),
            Purpose::ToDecide,
        )
        .unwrap();
        let written: Vec<Value> = yaml_documents(&text).unwrap();
        assert_eq!(written.len(), 1);
        assert_eq!(written[0]["spec"], spec);
    }

    #[test]
    fn a_decision_that_cannot_be_read_is_not_replaced() {
        let mut jane = person("00uJane", "Jane Doe");
        jane.is_unreadable = true;
        jane.reason = "correct it".to_owned();
        let text = text(vec![jane], &standing(&[]), Purpose::ToDecide).unwrap();
        assert!(
            text.ends_with("Jane Doe; Jane Doe\n") && text.contains("# Review: correct it\n"),
            "{text}"
        );
        assert_eq!(yaml_documents::<Value>(&text).unwrap().len(), 0);
    }

    fn check_names(name: &str) {
        let people = [person("00u1", name), person("00u2", name)];
        let text = text(people.to_vec(), &standing(&[]), Purpose::ToDecide).unwrap();
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
