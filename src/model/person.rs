use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AttributeName, PersonId, text};

/// A user's status in Okta. Serializes as Okta's own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OktaStatus {
    /// Created, but not activated yet.
    Staged,
    /// Activated, but without a password yet.
    Provisioned,
    Active,
    Recovery,
    PasswordExpired,
    LockedOut,
    /// Whether it ends employment is set by the integration's `okta.suspended`.
    Suspended,
    Deprovisioned,
    /// A status that this version does not know. It never leads to a deactivation.
    Other(String),
}

impl OktaStatus {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Staged => "STAGED",
            Self::Provisioned => "PROVISIONED",
            Self::Active => "ACTIVE",
            Self::Recovery => "RECOVERY",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::LockedOut => "LOCKED_OUT",
            Self::Suspended => "SUSPENDED",
            Self::Deprovisioned => "DEPROVISIONED",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for OktaStatus {
    fn from(word: &str) -> Self {
        match word {
            "STAGED" => Self::Staged,
            "PROVISIONED" => Self::Provisioned,
            "ACTIVE" => Self::Active,
            "RECOVERY" => Self::Recovery,
            "PASSWORD_EXPIRED" => Self::PasswordExpired,
            "LOCKED_OUT" => Self::LockedOut,
            "SUSPENDED" => Self::Suspended,
            "DEPROVISIONED" => Self::Deprovisioned,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for OktaStatus {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<OktaStatus> for String {
    fn from(status: OktaStatus) -> Self {
        status.as_str().to_owned()
    }
}

impl fmt::Display for OktaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A user, as Okta has it. Times are RFC 3339, as Okta writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The identity of the person: every other field may change.
    pub id: PersonId,
    /// The user name, usually an email address.
    pub login: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Used for matching only; never written to Insightful.
    pub other_names: OtherNames,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    pub status: OktaStatus,
    /// The status that Okta is about to set: an account that is being reactivated is DEPROVISIONED until then.
    /// Okta's list of users leaves it out, a record that is read by id has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transitioning_to: Option<OktaStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// The other attributes that somebody asked for. None for most integrations, so that they take no memory.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub attributes: Box<[Attribute]>,
}

/// A value of an attribute of a user's profile that is not a field of [`Person`]. An attribute with several values is
/// there several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: AttributeName,
    pub value: Box<str>,
}

type ReadField = fn(&Person) -> Option<&str>;

/// The attributes of users' profiles that are fields of [`Person`], by Okta's names.
const PROFILE_FIELDS: [(&str, ReadField); 10] = [
    ("login", |person| Some(&person.login)),
    ("firstName", |person| person.given_name.as_deref()),
    ("lastName", |person| person.family_name.as_deref()),
    ("middleName", |person| person.other_names.middle.as_deref()),
    ("nickName", |person| person.other_names.nick.as_deref()),
    ("displayName", |person| person.other_names.display.as_deref()),
    ("email", |person| person.email.as_deref()),
    ("secondEmail", |person| person.second_email.as_deref()),
    ("title", |person| person.title.as_deref()),
    ("employeeNumber", |person| person.employee_number.as_deref()),
];

/// Whether every [`Person`] has the attribute of this name in a field.
pub fn is_profile_field(attribute: &str) -> bool {
    PROFILE_FIELDS.iter().any(|(name, _)| *name == attribute)
}

/// A person by name and id, for messages; by the id alone if the name is unknown.
pub(super) fn named(id: &PersonId, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{name} (Okta user {id})"),
        None => format!("Okta user {id}"),
    }
}

/// Names of a person besides the first and last name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherNames {
    pub middle: Option<String>,
    pub nick: Option<String>,
    pub display: Option<String>,
}

/// Proof that a person departed. Only [`Person::departure`] and [`Snapshot::departure`](super::Snapshot::departure)
/// make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    person: PersonId,
    /// None by decision: Okta has no record of the person any more.
    status: Option<OktaStatus>,
}

impl Departure {
    /// An admin knows that a person left of whom Okta has no record.
    pub(super) fn by_decision(person: &PersonId) -> Self {
        Self {
            person: person.clone(),
            status: None,
        }
    }

    pub fn person(&self) -> &PersonId {
        &self.person
    }

    /// What says so: Okta's status, or `decision`.
    pub fn evidence(&self) -> &str {
        self.status.as_ref().map_or("decision", OktaStatus::as_str)
    }

    /// Whether a decision says so, and no record.
    pub fn is_by_decision(&self) -> bool {
        self.status.is_none()
    }
}

impl Person {
    /// A person has departed if the status is DEPROVISIONED or, where suspension ends employment,
    /// SUSPENDED, and Okta is not about to set another one. There is no other rule.
    pub fn departure(&self, suspended_means_departed: bool) -> Option<Departure> {
        let departed = self.has_status_of_departed(suspended_means_departed) && self.returns_to().is_none();
        departed.then(|| Departure {
            person: self.id.clone(),
            status: Some(self.status.clone()),
        })
    }

    /// Whether the status is one of people who departed, even if Okta is about to set another one.
    pub fn has_status_of_departed(&self, suspended_means_departed: bool) -> bool {
        match self.status {
            OktaStatus::Deprovisioned => true,
            OktaStatus::Suspended => suspended_means_departed,
            _ => false,
        }
    }

    /// The status that Okta is about to set, unless that ends employment, too.
    pub fn returns_to(&self) -> Option<&OktaStatus> {
        let target = self.transitioning_to.as_ref();
        target.filter(|target| **target != OktaStatus::Deprovisioned)
    }

    /// Whether an employee may be created for the person without a decision: not before the
    /// account is activated, while it is suspended, or if the status is unknown.
    pub fn is_employed(&self) -> bool {
        matches!(
            self.status,
            OktaStatus::Active
                | OktaStatus::Provisioned
                | OktaStatus::Recovery
                | OktaStatus::PasswordExpired
                | OktaStatus::LockedOut
        )
    }

    /// The values of an attribute of the profile, by Okta's name.
    pub fn attribute<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let field = PROFILE_FIELDS.iter().find(|(field, _)| *field == name);
        let field = field.and_then(|(_, value)| value(self));
        let others = self.attributes.iter();
        let others = others.filter(move |attribute| attribute.name.as_str() == name);
        field.into_iter().chain(others.map(|attribute| &*attribute.value))
    }

    /// First and last name in one, as Insightful stores them; None if Okta has neither.
    pub fn full_name(&self) -> Option<String> {
        let [given, family] = self.name_parts();
        let parts: Vec<String> = given.into_iter().chain(family).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// First and last name as they are written, where Okta has them.
    pub fn name_parts(&self) -> [Option<String>; 2] {
        [&self.given_name, &self.family_name].map(|part| part.as_deref().and_then(text::written_if_any))
    }

    /// The email as it is written; None if Okta has none.
    pub fn work_email(&self) -> Option<String> {
        self.email.as_deref().and_then(text::written_if_any)
    }

    /// The title as it is written; None if Okta has none.
    pub fn job_title(&self) -> Option<String> {
        self.title.as_deref().and_then(text::written_if_any)
    }

    /// The full name, or the login if there is none.
    pub fn display_name(&self) -> String {
        self.full_name().unwrap_or_else(|| self.login.clone())
    }

    /// The name with the id, for messages.
    pub fn named(&self) -> String {
        named(&self.id, Some(&self.display_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(status: OktaStatus) -> Person {
        Person {
            id: "00u1".into(),
            login: "jane@acme.com".into(),
            given_name: Some("Jane".into()),
            family_name: Some(" Doe ".into()),
            email: None,
            other_names: OtherNames::default(),
            second_email: None,
            title: None,
            employee_number: None,
            status,
            transitioning_to: None,
            created: None,
            last_updated: None,
            attributes: Box::default(),
        }
    }

    #[test]
    fn only_the_status_is_evidence_of_a_departure() {
        use OktaStatus::*;
        for (status, by_default, with_suspended) in [
            (Staged, false, false),
            (Provisioned, false, false),
            (Active, false, false),
            (Recovery, false, false),
            (PasswordExpired, false, false),
            (LockedOut, false, false),
            (Suspended, false, true),
            (Deprovisioned, true, true),
            (Other("RETIRED".into()), false, false),
        ] {
            let person = person(status.clone());
            assert_eq!(person.departure(false).is_some(), by_default, "{status}");
            assert_eq!(person.departure(true).is_some(), with_suspended, "{status}");
        }
    }

    #[test]
    fn nobody_has_departed_whose_account_is_being_reactivated() {
        use OktaStatus::*;
        for (status, target, departed) in [
            (Deprovisioned, Provisioned, false),
            (Deprovisioned, Active, false),
            (Deprovisioned, Other("ACTIVATING".into()), false),
            (Deprovisioned, Deprovisioned, true),
            (Suspended, Active, false),
            (Suspended, Deprovisioned, true),
            (Active, Deprovisioned, false),
            (Staged, Provisioned, false),
        ] {
            let mut person = person(status.clone());
            person.transitioning_to = Some(target.clone());
            assert_eq!(person.departure(true).is_some(), departed, "{status} to {target}");
        }
    }

    #[test]
    fn the_full_name_consists_of_the_parts_that_okta_has() {
        let mut person = person(OktaStatus::Active);
        assert_eq!(person.full_name().as_deref(), Some("Jane Doe"));
        person.given_name = None;
        assert_eq!(person.full_name().as_deref(), Some("Doe"));
        person.family_name = Some("  ".into());
        assert_eq!(person.full_name(), None);
        assert_eq!(person.display_name(), "jane@acme.com");
    }
}
