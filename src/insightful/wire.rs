//! Insightful's records, and their conversion to the model.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::http::{
    json::{required_id, text_if_any},
    record::{self, Record},
};
use crate::model::{Employee, EmployeeId, RecordKind, SettingsId, SharedSettings, Team, TeamId, Unreadable};

/// Parses an employee. Only the ID is required.
pub fn employee(record: Value) -> Result<Employee, Unreadable> {
    let record: EmployeeRecord = record::read(record)?;
    Ok(Employee {
        id: EmployeeId::from(record.id),
        name: record.name.unwrap_or_default(),
        email: record.email.unwrap_or_default(),
        identifier: record.identifier.unwrap_or_default(),
        team: TeamId::from(record.team_id.unwrap_or_default()),
        settings: record.shared_settings_id.map(SettingsId::from),
        deactivated: record.deactivated,
        created_at: record.created_at.as_i64(),
    })
}

/// Parses a team. The ID and the name are required.
pub fn team(record: Value) -> Result<Team, Unreadable> {
    let TeamRecord(record) = record::read(record)?;
    Ok(Team {
        id: TeamId::from(record.id),
        name: record.name,
        default: record.default,
    })
}

/// Parses a team and the IDs of its employees, if it lists any.
pub(super) fn team_with_employees(record: Value) -> Result<(Team, Vec<EmployeeId>), Unreadable> {
    let listed = record["employees"].as_array();
    let employees = listed.into_iter().flatten().filter_map(Value::as_str);
    let employees = employees.map(EmployeeId::from).collect();
    Ok((team(record)?, employees))
}

/// Parses shared settings. The ID and the name are required.
pub fn shared_settings(record: Value) -> Result<SharedSettings, Unreadable> {
    let SettingsRecord(record) = record::read(record)?;
    Ok(SharedSettings {
        id: SettingsId::from(record.id),
        name: record.name,
        default: record.default,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an object")]
struct EmployeeRecord {
    #[serde(deserialize_with = "required_id")]
    id: String,
    #[serde(default, deserialize_with = "text_if_any")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text_if_any")]
    email: Option<String>,
    #[serde(default, deserialize_with = "text_if_any")]
    identifier: Option<String>,
    #[serde(default, deserialize_with = "text_if_any")]
    team_id: Option<String>,
    #[serde(default, deserialize_with = "text_if_any")]
    shared_settings_id: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    deactivated: bool,
    #[serde(default)]
    created_at: Value,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct NamedRecord {
    #[serde(deserialize_with = "required_id")]
    id: String,
    name: String,
    #[serde(default, deserialize_with = "flag")]
    default: bool,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct TeamRecord(NamedRecord);

#[derive(Deserialize)]
#[serde(transparent)]
struct SettingsRecord(NamedRecord);

impl Record for EmployeeRecord {
    const KIND: RecordKind = RecordKind::Employee;
}

impl Record for TeamRecord {
    const KIND: RecordKind = RecordKind::Team;
}

impl Record for SettingsRecord {
    const KIND: RecordKind = RecordKind::SharedSettings;
}

/// A boolean, or a time that is 0 for false.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(flag),
        Value::Number(time) => Ok(time.as_f64() != Some(0.0)),
        _ => Err(serde::de::Error::custom("must be a boolean or a time")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_fields_of_an_employee_are_read_and_unknown_ones_ignored() {
        let record = json!({
            "id": "wf8rsovxa8vjq8w", "name": "Employee 4", "email": "new@example.com",
            "teamId": "wautlmuhdnndn7f", "sharedSettingsId": "waufhwfhb0p41mr",
            "identifier": "employee4@example.com", "type": "personal", "projects": [], "deactivated": 0,
            "invited": 1592922679686_i64, "createdAt": 1592922679689_i64, "pseudonymId": "x",
        });
        let expected = Employee {
            id: "wf8rsovxa8vjq8w".into(),
            name: "Employee 4".into(),
            email: "new@example.com".into(),
            identifier: "employee4@example.com".into(),
            team: "wautlmuhdnndn7f".into(),
            settings: Some("waufhwfhb0p41mr".into()),
            deactivated: false,
            created_at: Some(1592922679689),
        };
        assert_eq!(employee(record).unwrap(), expected);
    }

    #[test]
    fn deactivated_is_a_time_or_zero() {
        for (value, deactivated) in [
            (json!(0), false),
            (json!(1592922679686_i64), true),
            (json!(null), false),
            (json!(true), true),
            (json!(false), false),
        ] {
            let record = json!({"id": "wf8rsovxa8vjq8w", "deactivated": value});
            assert_eq!(employee(record).unwrap().deactivated, deactivated, "{value}");
        }
        assert!(employee(json!({"id": "wf8rsovxa8vjq8w", "deactivated": "yes"})).is_err());
        assert!(employee(json!({"name": "nobody"})).is_err());
    }

    #[test]
    fn a_field_without_a_value_loses_nothing_else_and_one_of_a_wrong_type_the_record() {
        for field in [
            "name",
            "email",
            "identifier",
            "teamId",
            "sharedSettingsId",
            "createdAt",
        ] {
            for (value, is_read) in [
                (json!(null), true),
                (json!(""), true),
                (json!(" "), true),
                (json!(7), true),
                (json!({}), field == "createdAt"),
                (json!([]), field == "createdAt"),
                (json!(true), field == "createdAt"),
            ] {
                let mut record =
                    json!({"id": "w1", "email": "jane@acme.com", "name": "Jane", "deactivated": 1});
                record[field] = value;
                let found = employee(record.clone());
                assert_eq!(found.is_ok(), is_read, "{record}");
                match found {
                    Ok(employee) => assert!(employee.deactivated, "{record}"),
                    Err(unreadable) => {
                        assert_eq!(unreadable.id.as_deref(), Some("w1"));
                        assert!(unreadable.problem.starts_with(field), "{unreadable}");
                    }
                }
            }
        }
    }

    #[test]
    fn teams_and_settings_require_an_id_and_a_name() {
        let team = team(json!({"id": "w1", "name": "Default", "default": true, "employees": []})).unwrap();
        assert_eq!(
            team,
            Team {
                id: "w1".into(),
                name: "Default".into(),
                default: true
            }
        );
        let settings = shared_settings(json!({"id": "s1", "name": "Silent", "settings": {}})).unwrap();
        assert_eq!(
            settings,
            SharedSettings {
                id: "s1".into(),
                name: "Silent".into(),
                default: false
            }
        );
        assert!(shared_settings(json!({"id": "s1"})).is_err());
    }
}
