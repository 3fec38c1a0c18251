//! Records in the format of the two APIs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const ORG: &str = "https://acme.okta.com";

/// The organization of all Insightful records.
pub(crate) const ORGANIZATION: &str = "wbtmikjuiimvh3z";

/// An Okta id, 20 letters and digits in both cases. It depends on the arguments only; `prefix` is `00u` for users and
/// `00g` for groups.
pub fn okta_id(prefix: &str, name: &str) -> String {
    let mut random = fastrand::Rng::with_seed(fingerprint(&format!("{prefix} {name}")));
    let middle: String = (0..14).map(|_| random.alphanumeric()).collect();
    format!("{prefix}{middle}5d7")
}

/// An Insightful id, `w` and 14 lower-case letters, digits, `-` and `_`, which also stand last. It depends on the name
/// only.
pub fn insightful_id(name: &str) -> String {
    let mut random = fastrand::Rng::with_seed(fingerprint(name));
    let mut id = [b'w'; 15];
    for character in &mut id[1..] {
        *character = random.alphanumeric().to_ascii_lowercase() as u8;
    }
    for character in &mut id[5..] {
        if random.u8(..8) == 0 {
            *character = if random.bool() { b'-' } else { b'_' };
        }
    }
    id.iter().map(|character| char::from(*character)).collect()
}

/// The records by their id.
pub(crate) fn by_id(records: &[Value]) -> BTreeMap<String, Value> {
    let id = |record: &Value| record["id"].as_str().unwrap_or_default().to_owned();
    records
        .iter()
        .map(|record| (id(record), record.clone()))
        .collect()
}

/// FNV-1a. Unlike the standard library's hash, it is the same in all versions of Rust.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[derive(Clone, Default)]
pub(crate) struct User<'a> {
    pub id: String,
    pub login: String,
    pub given: &'a str,
    pub family: &'a str,
    pub email: Option<&'a str>,
    pub title: Option<&'a str>,
    pub status: &'a str,
    pub updated: &'a str,
}

pub(crate) fn user(user: &User) -> Value {
    let started = !matches!(user.status, "STAGED" | "PROVISIONED");
    let created = "2023-02-01T08:00:00.000Z";
    let mut value = json!({
        "id": user.id,
        "status": user.status,
        "created": created,
        "activated": started.then_some(created),
        "statusChanged": started.then_some(user.updated),
        "lastLogin": started.then_some(user.updated),
        "lastUpdated": user.updated,
        "passwordChanged": started.then_some(created),
        "type": {"id": "oty1162QAr8hJjTaq5d7"},
        "profile": {
            "firstName": user.given,
            "lastName": user.family,
            "mobilePhone": null,
            "secondEmail": null,
            "title": user.title,
            "login": user.login,
        },
        "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": format!("{ORG}/api/v1/users/{}", user.id)}},
    });
    if let Some(email) = user.email {
        value["profile"]["email"] = json!(email);
    }
    value
}

pub(crate) fn group(id: &str, name: &str, kind: &str, updated: &str) -> Value {
    let logo = |size: &str| json!({"name": size, "href": format!("{ORG}/img/logos/groups/okta-{size}.png"), "type": "image/png"});
    json!({
        "id": id,
        "created": "2023-02-01T08:00:00.000Z",
        "lastUpdated": updated,
        "lastMembershipUpdated": updated,
        "objectClass": ["okta:user_group"],
        "type": kind,
        "profile": {"name": name, "description": format!("{name} of Acme")},
        "_links": {
            "logo": [logo("medium"), logo("large")],
            "users": {"href": format!("{ORG}/api/v1/groups/{id}/users")},
            "apps": {"href": format!("{ORG}/api/v1/groups/{id}/apps")},
        },
    })
}

pub(crate) struct Employee<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub team: &'a str,
    pub shared_settings: &'a str,
    /// Epoch milliseconds, 0 for active.
    pub deactivated: i64,
    /// Epoch milliseconds.
    pub created: i64,
}

pub(crate) fn employee(employee: &Employee) -> Value {
    let kind = if employee.email.is_some() {
        "personal"
    } else {
        "office"
    };
    json!({
        "id": employee.id,
        "name": employee.name,
        "email": employee.email,
        "teamId": employee.team,
        "sharedSettingsId": employee.shared_settings,
        "accountId": insightful_id(&format!("account {}", employee.id)),
        "identifier": employee.email.unwrap_or(employee.name),
        "type": kind,
        "organizationId": ORGANIZATION,
        "projects": [],
        "deactivated": employee.deactivated,
        "invited": employee.created,
        "createdAt": employee.created,
        "updatedAt": employee.created,
        "modelName": "Employee",
    })
}

pub(crate) fn team(id: &str, name: &str, default: bool) -> Value {
    json!({
        "id": id,
        "name": name,
        "description": "",
        "default": default,
        "employees": [],
        "projects": [],
        "ignoreNeutral": false,
        "ignoreProductive": false,
        "ignoreUnproductive": false,
        "ignoreUnreviewed": false,
        "organizationId": ORGANIZATION,
        "modelName": "Team",
    })
}

pub(crate) fn shared_settings(id: &str, name: &str, default: bool) -> Value {
    json!({
        "id": id,
        "name": name,
        "type": "personal",
        "default": default,
        "settings": {"screenshots": false, "idle": 5},
        "organizationId": ORGANIZATION,
        "createdAt": 1_592_922_679_689_i64,
        "updatedAt": 1_592_922_679_689_i64,
    })
}
