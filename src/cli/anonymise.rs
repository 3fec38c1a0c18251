//! Replaces the names and addresses in a recording by pseudonyms, so that it can be shared: equal words stay equal,
//! different words stay different, and nobody can be recognised.

use std::collections::{HashMap, HashSet};

use kube::core::ObjectMeta;
use serde_json::Value;

use crate::{
    api::{ExclusionRule, Field},
    cli::recording::Recording,
    model::AttributeName,
    okta,
    rules::exclusion,
};

/// The fields that the operator reads. All other fields are removed, since their content is unknown: a company's
/// own attributes, for example.
const USER: [&str; 6] = [
    "id",
    "status",
    "transitioningToStatus",
    "created",
    "lastUpdated",
    "profile",
];
const GROUP: [&str; 2] = ["id", "profile"];
const MEMBER: [&str; 1] = ["id"];
const EMPLOYEE: [&str; 8] = [
    "id",
    "name",
    "email",
    "identifier",
    "teamId",
    "sharedSettingsId",
    "deactivated",
    "createdAt",
];
const TEAM: [&str; 4] = ["id", "name", "default", "employees"];
const SHARED_SETTINGS: [&str; 3] = ["id", "name", "default"];

/// The fields that the operator reads of a user's or a group's profile.
const PROFILE: [&str; 12] = [
    "login",
    "firstName",
    "lastName",
    "middleName",
    "nickName",
    "displayName",
    "email",
    "secondEmail",
    "title",
    NUMBER,
    "name",
    EXCLUDED,
];

/// The fields that contain names, email addresses or account names.
const PERSONAL: [&str; 10] = [
    "login",
    "firstName",
    "lastName",
    "middleName",
    "nickName",
    "displayName",
    "email",
    "secondEmail",
    "identifier",
    "name",
];

const NUMBER: &str = "employeeNumber";

/// The attribute that stands for those by which people are excluded: the numbers of the rules that the person fits.
const EXCLUDED: &str = "excludedByRule";

/// The syllables of pseudonyms.
const SYLLABLES: [&str; 16] = [
    "ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ra", "se", "ti", "vo", "wa", "xe", "zu",
];

/// The recording without people's names and addresses. It still contains the names of teams, titles, ids, dates and
/// decisions.
pub fn anonymised(recording: Recording) -> Recording {
    let Recording {
        mut users,
        groups,
        mut members,
        employees,
        teams,
        shared_settings,
        mut integration,
        matches,
    } = recording;
    if let Some(integration) = &mut integration {
        let users = users.iter_mut().chain(members.values_mut().flatten());
        replace_exclusions(&mut integration.spec.okta.exclude, users);
    }
    let mut pseudonyms = Pseudonyms::default();
    let users = pseudonyms.of_people(only(users, &USER));
    let employees = pseudonyms.of_people(only(employees, &EMPLOYEE));
    let groups = only(groups, &GROUP);
    let teams = only(teams, &TEAM);
    let shared_settings = only(shared_settings, &SHARED_SETTINGS);
    let listed: HashSet<String> = users
        .iter()
        .filter_map(|user| user["id"].as_str().map(str::to_owned))
        .collect();
    let members = members
        .into_iter()
        .map(|(id, members)| {
            // The record of a member whom the list of users lacks is needed.
            let is_listed = |member: &Value| member["id"].as_str().is_some_and(|id| listed.contains(id));
            let (known, hidden): (Vec<_>, Vec<_>) = members.into_iter().partition(is_listed);
            let mut members = only(known, &MEMBER);
            members.extend(pseudonyms.of_people(only(hidden, &USER)));
            (id, members)
        })
        .collect();
    let matches = matches
        .into_iter()
        .map(|mut object| {
            object.metadata = named(&object.metadata);
            // The status names the person. The plan computes it again, except for the before-images.
            if let Some(status) = &mut object.status {
                status.person = None;
                status.employee = None;
                status.proposal = None;
                status.changes.clear();
                status.conditions.clear();
                for field in status.applied.iter_mut().flat_map(|applied| &mut applied.fields) {
                    if matches!(field.field, Field::Name | Field::Email) {
                        field.before = field.before.as_deref().map(|text| pseudonyms.text(text));
                        field.after = pseudonyms.text(&field.after);
                    }
                }
            }
            object
        })
        .collect();
    if let Some(integration) = &mut integration {
        integration.metadata = named(&integration.metadata);
        integration.spec.okta.org_url = "https://anonymous.okta.com".to_owned();
        if let Some(status) = &mut integration.status {
            // Their messages name people.
            status.conditions.clear();
        }
    }
    Recording {
        users,
        groups,
        members,
        employees,
        teams,
        shared_settings,
        integration,
        matches,
    }
}

/// Replaces the rules that exclude people: they compare what is not recorded. Everybody stays excluded by the same rule.
fn replace_exclusions<'a>(rules: &mut [ExclusionRule], users: impl Iterator<Item = &'a mut Value>) {
    let kept: Vec<AttributeName> = exclusion::attributes(rules).into_iter().collect();
    for user in users {
        let Ok(person) = okta::person(user.clone(), &kept) else {
            continue;
        };
        let numbered = (1_u32..).zip(&*rules);
        let fitted = numbered.filter(|(_, rule)| exclusion::is_fitted(rule, &person));
        let fitted: Vec<u32> = fitted.map(|(number, _)| number).collect();
        if let Some(profile) = user.get_mut("profile").and_then(Value::as_object_mut) {
            profile.insert(EXCLUDED.to_owned(), fitted.into());
        }
    }
    for (number, rule) in (1_u32..).zip(rules) {
        *rule = ExclusionRule {
            attribute: EXCLUDED.to_owned(),
            values: vec![number.to_string()],
            pattern: None,
        };
    }
}

/// Removes all other fields from the records, and all fields but [`PROFILE`] from their profiles.
fn only(mut records: Vec<Value>, fields: &[&str]) -> Vec<Value> {
    for record in &mut records {
        if let Value::Object(record) = record {
            record.retain(|field, _| fields.contains(&field.as_str()));
            if let Some(Value::Object(profile)) = record.get_mut("profile") {
                profile.retain(|field, _| PROFILE.contains(&field.as_str()));
            }
        }
    }
    records
}

/// The metadata without labels and annotations: those may hold anything, `kubectl`'s the whole object.
fn named(metadata: &ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        ..ObjectMeta::default()
    }
}

/// The pseudonym of each word. They are random, so that nobody can find a word by trying names.
#[derive(Default)]
struct Pseudonyms {
    words: HashMap<String, String>,
    used: HashSet<String>,
}

impl Pseudonyms {
    fn of_people(&mut self, mut records: Vec<Value>) -> Vec<Value> {
        records.iter_mut().for_each(|record| self.replace(record));
        records
    }

    /// Replaces what is personal in a record, also where a field, or the record itself, has another type than it should.
    fn replace(&mut self, record: &mut Value) {
        let Value::Object(fields) = record else {
            return self.replace_texts(record);
        };
        for (key, value) in fields {
            match value {
                Value::String(text) if key == NUMBER => *text = self.number(text),
                Value::Number(number) if key == NUMBER => {
                    *value = Value::String(self.number(&number.to_string()))
                }
                value if key == NUMBER || PERSONAL.contains(&key.as_str()) => self.replace_texts(value),
                Value::Object(_) => self.replace(value),
                value if key == "profile" => self.replace_texts(value),
                _ => {}
            }
        }
    }

    /// Replaces every text in a value.
    fn replace_texts(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace_texts(item)),
            Value::Object(fields) => fields.values_mut().for_each(|item| self.replace_texts(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Replaces every word, but neither the characters between words nor the case of letters nor the top-level
    /// domain of an address.
    fn text(&mut self, text: &str) -> String {
        let domain_end = text
            .rfind('@')
            .and_then(|at| text[at..].rfind('.').map(|dot| at + dot));
        let (words, end) = text.split_at(domain_end.unwrap_or(text.len()));
        let mut replaced = String::new();
        let mut word = String::new();
        for c in words.chars().chain(['\0']) {
            if c.is_alphanumeric() {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                replaced.push_str(&self.word(&std::mem::take(&mut word)));
            }
            if c != '\0' {
                replaced.push(c);
            }
        }
        replaced + end
    }

    fn word(&mut self, word: &str) -> String {
        let key = word.to_lowercase();
        let plain = match self.words.get(&key) {
            Some(plain) => plain.clone(),
            None => {
                // An initial remains one letter long.
                let syllables = if key.chars().count() == 1 { 0 } else { 3 };
                let mut plain = String::new();
                loop {
                    let drawn: String = (0..syllables)
                        .map(|_| SYLLABLES[fastrand::usize(..SYLLABLES.len())])
                        .collect();
                    plain.push_str(&drawn);
                    if syllables == 0 {
                        plain.push(fastrand::lowercase());
                        break;
                    }
                    if self.used.insert(plain.clone()) {
                        break;
                    }
                }
                self.words.insert(key, plain.clone());
                plain
            }
        };
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some(first), Some(second)) if first.is_uppercase() && second.is_uppercase() => {
                plain.to_uppercase()
            }
            (Some(first), _) if first.is_uppercase() => {
                let mut letters = plain.chars();
                letters
                    .next()
                    .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
                    .unwrap_or_default()
            }
            _ => plain,
        }
    }

    fn number(&mut self, number: &str) -> String {
        let next = format!("{}", 100_000 + self.words.len());
        self.words
            .entry(format!("number {number}"))
            .or_insert(next)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_that_the_operator_reads_is_recorded_and_no_other() {
        let user = json!({
            "id": "00u1", "status": "ACTIVE", "created": "2020-01-01T00:00:00.000Z",
            "lastUpdated": "2021-01-01T00:00:00.000Z",
            "credentials": { "emails": [{ "value": "jane@home.example" }] },
            "profile": {
                "login": "a", "firstName": "b", "lastName": "c", "middleName": "d", "nickName": "e",
                "displayName": "f", "email": "g", "secondEmail": "h", "title": "i", "employeeNumber": "j",
                "managerEmail": "boss@acme.com",
            },
        });
        let reduced = only(vec![user.clone()], &USER).remove(0);
        assert_eq!(
            okta::person(reduced.clone(), &[]).unwrap(),
            okta::person(user, &[]).unwrap()
        );
        let text = reduced.to_string();
        assert!(!text.contains("jane@home") && !text.contains("boss@"), "{text}");

        let employee = json!({
            "id": "w1", "name": "a", "email": "b", "identifier": "c", "teamId": "w2",
            "sharedSettingsId": "w3", "deactivated": 1, "createdAt": 2, "hostname": "JANES-MAC",
        });
        let reduced = only(vec![employee.clone()], &EMPLOYEE).remove(0);
        assert!(!reduced.to_string().contains("JANES"));
        let read = crate::insightful::employee;
        assert_eq!(read(reduced).unwrap(), read(employee).unwrap());
    }

    #[test]
    fn equal_names_get_equal_pseudonyms_and_other_fields_are_unchanged() {
        let recording = Recording {
            users: vec![json!({
                "id": "00u1", "status": "ACTIVE",
                "profile": { "login": "jane.doe@acme.com", "firstName": "Jane", "lastName": "Doe-Roe",
                    "email": "jane.doe@acme.com", "title": "Engineer", "employeeNumber": "7" },
            })],
            employees: vec![
                json!({ "id": "w1", "name": "DOE-ROE, Jane", "email": "jane.doe@acme.com", "teamId": "wteam" }),
                json!({ "id": "w2", "name": "Jane D.", "email": null, "teamId": "wteam" }),
            ],
            teams: vec![json!({ "id": "wteam", "name": "Engineering" })],
            ..Recording::default()
        };
        let anonymous = anonymised(recording.clone());
        let all = format!("{anonymous:?}");
        for name in ["Jane", "jane", "Doe", "doe", "Roe", "acme"] {
            assert!(!all.contains(name), "{name} in {all}");
        }
        let user = &anonymous.users[0]["profile"];
        assert_eq!(user["email"], anonymous.employees[0]["email"]);
        assert!(user["email"].as_str().unwrap().ends_with(".com"));
        let (given, family) = (
            user["firstName"].as_str().unwrap(),
            user["lastName"].as_str().unwrap(),
        );
        assert_eq!(
            anonymous.employees[0]["name"],
            format!("{}, {given}", family.to_uppercase())
        );
        assert!(
            anonymous.employees[1]["name"]
                .as_str()
                .unwrap()
                .starts_with(given)
        );
        assert_eq!(user["title"], "Engineer");
        assert_eq!(anonymous.teams, recording.teams);
        assert_eq!(anonymous.employees[0]["id"], "w1");
    }

    #[test]
    fn everybody_stays_excluded_by_the_same_rule_without_what_it_compares() {
        let user = |id: &str, login: &str, kind: Value| json!({ "id": id, "status": "ACTIVE", "profile": { "login": login, "userType": kind } });
        let group = json!({ "id": "g", "profile": { "name": "P_Sales" } });
        let integration = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
            "metadata": { "name": "acme" },
            "spec": {
                "okta": {
                    "orgUrl": "https://acme.okta.com", "groupPrefix": "P_", "people": "Everyone",
                    "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
                    "exclude": [
                        { "attribute": "login", "pattern": "svc-*" }, { "attribute": "userType", "values": ["Agency"] },
                    ],
                },
                "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
            },
        });
        let recording = Recording {
            users: vec![
                user("a", "svc-Backup@acme.com", json!(null)),
                user("b", "bob@acme.com", json!(["agency", "Other"])),
                user("c", "cid@acme.com", json!("Permanent")),
                json!("no user"),
            ],
            members: [(
                "g".to_owned(),
                vec![user("d", "svc-scan@acme.com", json!("Agency"))],
            )]
            .into(),
            groups: vec![group],
            integration: Some(serde_json::from_value(integration).unwrap()),
            ..Recording::default()
        };
        let excluded = |recording: &Recording| {
            let source = &recording.integration.as_ref().unwrap().spec.okta;
            let snapshot = recording.snapshot(std::path::Path::new("."), source).unwrap();
            let excluded = |rules| {
                let excluded = exclusion::excluded(&snapshot, rules);
                excluded.keys().map(ToString::to_string).collect::<Vec<_>>()
            };
            source
                .exclude
                .iter()
                .map(|rule| excluded(std::slice::from_ref(rule)))
                .collect::<Vec<_>>()
        };
        let anonymous = anonymised(recording.clone());
        assert_eq!(excluded(&recording), [vec!["a", "d"], vec!["b", "d"]]);
        assert_eq!(excluded(&anonymous), excluded(&recording));
        let all = format!("{anonymous:?}");
        for word in ["svc", "Backup", "Agency", "agency", "Permanent", "userType"] {
            assert!(!all.contains(word), "{word} in {all}");
        }
    }

    #[test]
    fn a_field_of_a_wrong_type_hides_nobody_from_the_pseudonyms() {
        let recording = Recording {
            users: vec![
                json!({ "id": "00u1", "profile": "Jane Doe" }),
                json!({ "id": "00u2", "profile": { "firstName": ["Jane"], "email": { "work": "jane@acme.com" } } }),
                json!({ "id": "00u3", "profile": { "employeeNumber": ["Jane"] } }),
                json!("Jane Doe"),
            ],
            employees: vec![
                json!({ "id": 7, "name": { "first": "Jane" }, "email": [["jane@acme.com"]] }),
                json!(["Jane Doe", null]),
            ],
            members: [(
                "00g1".to_owned(),
                vec![json!({ "id": null, "profile": { "login": "jane" } })],
            )]
            .into(),
            ..Recording::default()
        };
        let all = format!("{:?}", anonymised(recording));
        for name in ["Jane", "jane", "Doe", "acme"] {
            assert!(!all.contains(name), "{name} in {all}");
        }
        assert!(all.contains("00u1") && all.contains("Number(7)"), "{all}");
    }
}
