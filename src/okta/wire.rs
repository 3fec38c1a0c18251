//! Okta's records, and their conversion to the model.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::{
    json::{optional_text, required_id},
    record::{self, Record},
};
use crate::model::{
    Attribute, AttributeName, GroupId, OktaStatus, OtherNames, Person, PersonId, RecordKind, Unreadable,
};

/// A group without its members.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Group")]
pub struct GroupHead {
    /// The identity of the group: it survives a rename.
    pub id: GroupId,
    /// The name, with the prefix.
    pub name: String,
}

/// What a record of Okta's is converted to as soon as it is read.
pub(super) trait FromRecord<R> {
    /// `kept` are the attributes of users' profiles that are kept besides the fields.
    fn from_record(record: R, kept: &[AttributeName]) -> Self;
}

/// Parses a user's record. Only the ID is required. Besides the fields, the attributes `kept` of the profile are kept.
pub fn person(user: Value, kept: &[AttributeName]) -> Result<Person, Unreadable> {
    record::read::<User>(user).map(|user| Person::from_record(user, kept))
}

/// Parses a group's record. The ID and the name are required.
pub fn group_head(group: Value) -> Result<GroupHead, Unreadable> {
    record::read(group)
}

/// A group whose name cannot be read, if its ID can. The search for the prefix found it, so that it has one.
pub fn unreadable_head(record: &Unreadable) -> Option<GroupHead> {
    Some(GroupHead {
        id: GroupId::from(record.id.as_deref()?),
        name: String::new(),
    })
}

/// Parses the record of a member of a group, of which only the ID is needed.
pub fn member_id(user: Value) -> Result<PersonId, Unreadable> {
    record::read::<Member>(user).map(|member| PersonId::from(member.id))
}

impl FromRecord<User> for Person {
    fn from_record(user: User, kept: &[AttributeName]) -> Self {
        let mut profile = user.profile.unwrap_or_default();
        Self {
            id: PersonId::from(user.id),
            login: profile.take("login").unwrap_or_default(),
            given_name: profile.take("firstName"),
            family_name: profile.take("lastName"),
            other_names: OtherNames {
                middle: profile.take("middleName"),
                nick: profile.take("nickName"),
                display: profile.take("displayName"),
            },
            email: profile.take("email"),
            second_email: profile.take("secondEmail"),
            title: profile.take("title"),
            employee_number: profile.take("employeeNumber"),
            status: OktaStatus::from(user.status.unwrap_or_default().as_str()),
            transitioning_to: user.transitioning_to_status.map(OktaStatus::from),
            created: user.created,
            last_updated: user.last_updated,
            attributes: profile.attributes(kept),
        }
    }
}

impl FromRecord<GroupHead> for GroupHead {
    fn from_record(head: Self, _: &[AttributeName]) -> Self {
        head
    }
}

impl FromRecord<Value> for Value {
    fn from_record(record: Self, _: &[AttributeName]) -> Self {
        record
    }
}

impl From<Group> for GroupHead {
    fn from(group: Group) -> Self {
        Self {
            id: GroupId::from(group.id),
            name: group.profile.name,
        }
    }
}

/// A member of a group: a user of whom only the ID is used.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Member {
    #[serde(deserialize_with = "required_id")]
    id: String,
}

impl FromRecord<Member> for PersonId {
    fn from_record(member: Member, _: &[AttributeName]) -> Self {
        Self::from(member.id)
    }
}

/// A member of a group with the record, if that is whole.
pub(super) struct WholeMember(pub(super) Option<Person>);

impl FromRecord<User> for WholeMember {
    fn from_record(user: User, kept: &[AttributeName]) -> Self {
        let is_whole = user.profile.is_some();
        Self(is_whole.then(|| Person::from_record(user, kept)))
    }
}

/// [`person`] of a member of a group; None if the record is not whole.
pub fn member(user: Value, kept: &[AttributeName]) -> Result<Option<Person>, Unreadable> {
    record::read::<User>(user).map(|user| WholeMember::from_record(user, kept).0)
}

impl Record for User {
    const KIND: RecordKind = RecordKind::User;
}

impl Record for Member {
    const KIND: RecordKind = RecordKind::Member;
}

impl Record for GroupHead {
    const KIND: RecordKind = RecordKind::Group;
}

/// As Okta writes it: every record can be read.
impl Record for Value {
    const KIND: RecordKind = RecordKind::User;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an object")]
pub(super) struct User {
    #[serde(deserialize_with = "required_id")]
    id: String,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    transitioning_to_status: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    created: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    last_updated: Option<String>,
    profile: Option<Profile>,
}

/// The attributes of a user, which any org can add to. All of them are optional.
#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct Profile {
    #[serde(flatten)]
    attributes: Map<String, Value>,
}

impl Profile {
    /// Takes a field: a string or a number.
    fn take(&mut self, name: &str) -> Option<String> {
        optional_text(self.attributes.remove(name)?).ok()?
    }

    /// The attributes of these names that have a value.
    fn attributes(&self, names: &[AttributeName]) -> Box<[Attribute]> {
        let values = names.iter().flat_map(|name| {
            let values = match self.attributes.get(name.as_str()) {
                Some(Value::Array(values)) => values.as_slice(),
                value => value.map_or(&[][..], std::slice::from_ref),
            };
            values.iter().filter_map(|value| {
                Some(Attribute {
                    name: name.clone(),
                    value: attribute_text(value)?,
                })
            })
        });
        values.collect()
    }
}

/// A value of an attribute as text; None if it is none that people compare.
fn attribute_text(value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.as_str().into()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Group {
    #[serde(deserialize_with = "required_id")]
    id: String,
    profile: GroupProfile,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct GroupProfile {
    name: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_field_except_the_id_may_be_absent_null_or_empty() {
        let bare = Person {
            id: PersonId::from("00u1"),
            login: String::new(),
            given_name: None,
            family_name: None,
            other_names: OtherNames::default(),
            email: None,
            second_email: None,
            title: None,
            employee_number: None,
            status: OktaStatus::Other(String::new()),
            transitioning_to: None,
            created: None,
            last_updated: None,
            attributes: Box::default(),
        };
        for record in [
            json!({"id": "00u1"}),
            json!({"id": "00u1", "profile": null, "status": null}),
            json!({"id": "00u1", "profile": {"title": "", "email": null, "lastName": " "}, "new": [1]}),
        ] {
            assert_eq!(person(record, &[]).unwrap(), bare);
        }
        assert!(person(json!({"profile": {"login": "jane"}}), &[]).is_err());
        assert!(person(json!({"id": ""}), &[]).is_err());
        assert!(person(json!("00u1"), &[]).is_err());
        let no_object = person(json!({"id": "00u1", "profile": "jane"}), &[]).unwrap_err();
        assert_eq!(
            no_object.problem,
            r#"profile: invalid type: string "jane", expected an object"#
        );
    }

    #[test]
    fn an_optional_field_of_any_type_loses_no_other() {
        let whole = json!({
            "id": "00u1", "status": "ACTIVE", "created": "2024-01-01T00:00:00.000Z",
            "lastUpdated": "2025-01-01T00:00:00Z", "transitioningToStatus": "PROVISIONED", "activated": null,
            "profile": {
                "login": "jane@acme.com", "firstName": "Jane", "lastName": "Doe", "middleName": "Mary",
                "nickName": "Janey", "displayName": "Janey Doe", "email": "jane@acme.com",
                "secondEmail": "jane@home.example", "title": "SRE", "employeeNumber": "42",
                "regions": ["north", "east"], "seats": 2, "office": {"floor": 3},
            },
        });
        let fields = |person: Person| {
            let mut value = serde_json::to_value(person).unwrap();
            let names = value["other_names"].take();
            let mut fields = value.as_object().cloned().unwrap();
            fields.extend(names.as_object().cloned().unwrap());
            fields.retain(|_, value| !value.is_null());
            fields
        };
        let expected = fields(person(whole.clone(), &[]).unwrap());
        let top = whole.as_object().unwrap().keys().map(|name| format!("/{name}"));
        let profile = whole["profile"]
            .as_object()
            .unwrap()
            .keys()
            .map(|name| format!("/profile/{name}"));
        let optional = top
            .chain(profile)
            .filter(|path| !["/id", "/profile"].contains(&path.as_str()));
        for path in optional {
            for value in [
                json!(null),
                json!(""),
                json!([]),
                json!(["a"]),
                json!({"a": 1}),
                json!(true),
            ] {
                let mut record = whole.clone();
                *record.pointer_mut(&path).unwrap() = value.clone();
                let read = fields(person(record, &[]).unwrap());
                let lost = expected
                    .keys()
                    .filter(|name| read.get(*name) != expected.get(*name))
                    .count();
                assert!(lost <= 1, "{path} {value}: {read:?}");
            }
        }
    }

    #[test]
    fn all_fields_of_a_person_are_read() {
        let record = json!({
            "id": "00u1", "status": "LOCKED_OUT",
            "created": "2024-01-01T00:00:00.000Z", "lastUpdated": "2025-01-01T00:00:00.000Z",
            "profile": {
                "login": "jane@acme.com", "firstName": "Jane", "lastName": "Doe", "email": "jane@acme.com",
                "secondEmail": "jane@home.example", "title": "SRE", "employeeNumber": 42,
                "middleName": "Mary", "nickName": "Janey", "displayName": "Janey Doe",
            },
        });
        let jane = person(record, &[]).unwrap();
        assert_eq!(jane.status, OktaStatus::LockedOut);
        assert_eq!(jane.given_name.as_deref(), Some("Jane"));
        assert_eq!(jane.second_email.as_deref(), Some("jane@home.example"));
        assert_eq!(jane.employee_number.as_deref(), Some("42"));
        assert_eq!(jane.other_names.middle.as_deref(), Some("Mary"));
        assert_eq!(jane.other_names.nick.as_deref(), Some("Janey"));
        assert_eq!(jane.other_names.display.as_deref(), Some("Janey Doe"));
        assert_eq!(jane.last_updated.as_deref(), Some("2025-01-01T00:00:00.000Z"));
    }

    #[test]
    fn an_unknown_status_is_preserved() {
        let person = person(json!({"id": "00u1", "status": "HIBERNATING"}), &[]).unwrap();
        assert_eq!(person.status, OktaStatus::Other("HIBERNATING".into()));
    }

    #[test]
    fn attributes_are_kept_by_name_as_text_and_no_others() {
        for (value, expected) in [
            (json!("Service"), &["Service"][..]),
            (json!(42), &["42"]),
            (json!(true), &["true"]),
            (
                json!(["Bot", 7, false, null, {"a": 1}, " "]),
                &["Bot", "7", "false"],
            ),
            (json!([]), &[]),
            (json!(" "), &[]),
            (json!(null), &[]),
            (json!({"kind": "Service"}), &[]),
        ] {
            let record = json!({
                "id": "00u1", "profile": { "login": "jane", "userType": value, "usertype": "Other", "city": "Bern" },
            });
            let jane = person(record.clone(), &["userType".into(), "badge".into()]).unwrap();
            let kept: Vec<&str> = jane.attribute("userType").collect();
            assert_eq!(kept, expected, "{value}");
            assert_eq!(jane.attributes.len(), expected.len(), "{value}");
            assert_eq!(jane.attribute("login").collect::<Vec<_>>(), ["jane"]);
            assert!(person(record, &[]).unwrap().attributes.is_empty());
        }
    }
}
