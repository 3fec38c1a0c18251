//! Okta's records, and their conversion to the model.

use serde::Deserialize;
use serde_json::Value;

use crate::http::{
    json::{optional_text, required_id},
    record::{self, Record},
};
use crate::model::{GroupId, OktaStatus, OtherNames, Person, PersonId, RecordKind, Unreadable};

/// A group without its members.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Group")]
pub struct GroupHead {
    /// The identity of the group: it survives a rename.
    pub id: GroupId,
    /// The name, with the prefix.
    pub name: String,
}

/// Parses a user's record. Only the ID is required.
pub fn person(user: Value) -> Result<Person, Unreadable> {
    record::read::<User>(user).map(Person::from)
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
    record::read::<Member>(user).map(PersonId::from)
}

impl From<User> for Person {
    fn from(user: User) -> Self {
        let profile = user.profile.unwrap_or_default();
        Self {
            id: PersonId::from(user.id),
            login: profile.login.unwrap_or_default(),
            given_name: profile.first_name,
            family_name: profile.last_name,
            other_names: OtherNames {
                middle: profile.middle_name,
                nick: profile.nick_name,
                display: profile.display_name,
            },
            email: profile.email,
            second_email: profile.second_email,
            title: profile.title,
            employee_number: profile.employee_number,
            status: OktaStatus::from(user.status.unwrap_or_default().as_str()),
            transitioning_to: user.transitioning_to_status.map(OktaStatus::from),
            created: user.created,
            last_updated: user.last_updated,
        }
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

impl From<Member> for PersonId {
    fn from(member: Member) -> Self {
        Self::from(member.id)
    }
}

/// A member of a group with the record, if that is whole.
pub(super) struct WholeMember(pub(super) Option<Person>);

impl From<User> for WholeMember {
    fn from(user: User) -> Self {
        Self(user.profile.is_some().then(|| user.into()))
    }
}

/// Parses the record of a member of a group; None if it is not whole.
pub fn member(user: Value) -> Result<Option<Person>, Unreadable> {
    record::read::<User>(user).map(|user| WholeMember::from(user).0)
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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(expecting = "an object")]
struct Profile {
    #[serde(deserialize_with = "optional_text")]
    login: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    first_name: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    last_name: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    middle_name: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    nick_name: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    display_name: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    email: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    second_email: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    title: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    employee_number: Option<String>,
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
        };
        for record in [
            json!({"id": "00u1"}),
            json!({"id": "00u1", "profile": null, "status": null}),
            json!({"id": "00u1", "profile": {"title": "", "email": null, "lastName": " "}, "new": [1]}),
        ] {
            assert_eq!(person(record).unwrap(), bare);
        }
        assert!(person(json!({"profile": {"login": "jane"}})).is_err());
        assert!(person(json!({"id": ""})).is_err());
        assert!(person(json!("00u1")).is_err());
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
        let expected = fields(person(whole.clone()).unwrap());
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
                let read = fields(person(record).unwrap());
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
        let jane = person(record).unwrap();
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
        let person = person(json!({"id": "00u1", "status": "HIBERNATING"})).unwrap();
        assert_eq!(person.status, OktaStatus::Other("HIBERNATING".into()));
    }
}
