//! Parses the records of a service's lists one by one: a record that cannot be read keeps no other from being read.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{clip, is_path_segment};
use crate::model::{RecordKind, Unreadable};

const MAX_PROBLEM_CHARS: usize = 150;

const MAX_NAME_CHARS: usize = 60;

/// A record as a service writes it.
pub(crate) trait Record: DeserializeOwned {
    const KIND: RecordKind;
}

/// Parses a record.
///
/// # Errors
/// What is wrong with which field, and what can be read of the record.
pub(crate) fn read<R: Record>(record: Value) -> Result<R, Unreadable> {
    serde_path_to_error::deserialize(&record).map_err(|error| {
        let field = match error.path().to_string() {
            field if field == "." => String::new(),
            field => format!("{field}: "),
        };
        unreadable(R::KIND, &record, format!("{field}{}", error.inner()))
    })
}

/// A record that cannot be read, with what can be read of it.
pub(crate) fn unreadable(kind: RecordKind, record: &Value, problem: String) -> Unreadable {
    let name = match kind {
        RecordKind::User | RecordKind::Member => &record["profile"]["login"],
        RecordKind::Group => &record["profile"]["name"],
        RecordKind::Employee | RecordKind::Team | RecordKind::SharedSettings => &record["name"],
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Unreadable {
        kind,
        id: text(&record["id"]).filter(|id| is_path_segment(id)),
        name: text(name)
            .filter(|name| !name.trim().is_empty())
            .map(|name| clip(&name, MAX_NAME_CHARS)),
        group: None,
        problem: clip(&problem, MAX_PROBLEM_CHARS),
    }
}

/// A record of a list, or what is wrong with it.
pub(crate) struct Listed<R>(pub(crate) Result<R, Unreadable>);

impl<'de, R: Record> Deserialize<'de> for Listed<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|record| Self(read(record)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::json::{optional_text, required_id};

    #[derive(Debug, Deserialize)]
    #[serde(expecting = "an object")]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Team {
        #[serde(deserialize_with = "required_id")]
        id: String,
        name: String,
        #[serde(default, deserialize_with = "optional_text")]
        note: Option<String>,
    }

    impl Record for Team {
        const KIND: RecordKind = RecordKind::Team;
    }

    #[test]
    fn a_record_that_cannot_be_read_says_which_field_is_wrong() {
        for (record, expected) in [
            (json!({"id": "w1", "name": "Sales", "note": {}}), None),
            (
                json!({"id": "w-_"}),
                Some("Insightful team w-_: missing field `name`"),
            ),
            (
                json!({"id": "w1", "name": null}),
                Some("Insightful team w1: name: invalid type: null, expected a string"),
            ),
            (
                json!({"id": "w1", "name": {"en": "Sales"}}),
                Some("Insightful team w1: name: invalid type: map, expected a string"),
            ),
            (
                json!({"id": 7, "name": "Sales"}),
                Some(r#"Insightful team "Sales": id: invalid type: integer `7`, expected a string"#),
            ),
            (
                json!({"id": "", "name": "Sales"}),
                Some(r#"Insightful team "Sales": id: not an id"#),
            ),
            (
                json!({"id": "../w1", "name": "Sales"}),
                Some(r#"Insightful team "Sales": id: not an id"#),
            ),
            (
                json!({"name": "Sales"}),
                Some(r#"Insightful team "Sales": missing field `id`"#),
            ),
            (
                json!("w1"),
                Some("Insightful team without an id: invalid type: string \"w1\", expected an object"),
            ),
            (
                json!(null),
                Some("Insightful team without an id: invalid type: null, expected an object"),
            ),
        ] {
            let found = read::<Team>(record).err().map(|record| record.to_string());
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn what_is_foreign_in_a_problem_is_cut_to_one_line() {
        let record = json!({"id": "w1", "name": ["two\nlines".repeat(100)], "x": "\u{1b}[0m"});
        let record = read::<Team>(json!({"id": record["id"], "name": 7, "note": record})).unwrap_err();
        assert!(record.problem.chars().count() <= MAX_PROBLEM_CHARS + 1);
        let record = read::<Team>(json!("two\nlines".repeat(100))).unwrap_err();
        assert!(!record.problem.contains('\n') && record.problem.ends_with('…'));
    }
}
