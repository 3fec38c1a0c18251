//! Replaces names and addresses in a recording, each everywhere by the same
//! other one, so that it can be shared: what was equal stays equal, what was
//! different stays different, and nobody can be recognised.

use std::collections::HashMap;

use serde_json::Value;

use crate::recording::Recording;

/// The fields that hold names, addresses or account names.
const PERSONAL: [&str; 16] = [
    "login",
    "firstName",
    "lastName",
    "middleName",
    "nickName",
    "displayName",
    "email",
    "secondEmail",
    "identifier",
    "mobilePhone",
    "primaryPhone",
    "streetAddress",
    "manager",
    "managerId",
    "before",
    "after",
];

/// The fields of a number that the employer gave.
const NUMBER: &str = "employeeNumber";

/// What names are made of.
const SYLLABLES: [&str; 16] = [
    "ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ra", "se", "ti", "vo", "wa", "xe", "zu",
];

/// The recording without anybody's name or address. Names of teams, titles,
/// ids, dates and the decisions stay.
pub fn anonymised(recording: Recording) -> Recording {
    let mut pseudonyms = Pseudonyms::default();
    let mut records = |values: Vec<Value>, person_names: bool| -> Vec<Value> {
        values
            .into_iter()
            .map(|mut value| {
                pseudonyms.replace(&mut value, person_names);
                value
            })
            .collect()
    };
    let Recording {
        users,
        groups,
        members,
        employees,
        teams,
        shared_settings,
        mut integration,
        matches,
    } = recording;
    let users = records(users, false);
    let members = members
        .into_iter()
        .map(|(id, members)| (id, records(members, false)))
        .collect();
    let employees = records(employees, true);
    let matches = matches
        .into_iter()
        .map(|mut object| {
            // A status repeats who the person is; the plan makes it anew, but for the before-images.
            if let Some(status) = &mut object.status {
                status.person = None;
                status.employee = None;
                status.proposal = None;
                status.changes.clear();
                status.conditions.clear();
                for field in status.applied.iter_mut().flat_map(|applied| &mut applied.fields) {
                    if matches!(field.field, crate::api::Field::Name | crate::api::Field::Email) {
                        field.before = field.before.as_deref().map(|text| pseudonyms.text(text));
                        field.after = pseudonyms.text(&field.after);
                    }
                }
            }
            object
        })
        .collect();
    if let Some(integration) = &mut integration {
        integration.spec.okta.org_url = "https://anonymous.okta.com".to_owned();
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

/// The words that stand for others. They are drawn by chance, so that nobody
/// can try names until one gives the same word.
#[derive(Default)]
struct Pseudonyms {
    words: HashMap<String, String>,
    taken: std::collections::HashSet<String>,
}

impl Pseudonyms {
    fn replace(&mut self, value: &mut Value, person_names: bool) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let personal = PERSONAL.contains(&key.as_str()) || (person_names && key == "name");
                    match value {
                        Value::String(text) if personal => *text = self.text(text),
                        Value::String(text) if key == NUMBER => *text = self.number(text),
                        Value::Number(number) if key == NUMBER => {
                            *value = Value::String(self.number(&number.to_string()))
                        }
                        // Links may name a login.
                        Value::Object(links) if key == "_links" => links.clear(),
                        other => self.replace(other, person_names),
                    }
                }
            }
            Value::Array(values) => values
                .iter_mut()
                .for_each(|value| self.replace(value, person_names)),
            _ => {}
        }
    }

    /// Replaces every word; what stands between words, and capitals, stay. The
    /// last part of a domain stays, since it is no name.
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
                // An initial stays one letter long.
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
                    if self.taken.insert(plain.clone()) {
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
    fn names_go_everywhere_alike_and_the_rest_stays() {
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
}
