//! Generated directories of Okta and Insightful that are hard to match, with the truth.
//!
//! [`generate`] is deterministic for a [`Style`] and a seed. It simulates what companies
//! do (hire people, reassign an address, install an agent on a laptop) and what each
//! service then records. It shares no code with the matching engine. Each person
//! carries the [`Class`] of difficulty, so that an evaluation can report by class.

mod classes;
mod company;
mod entangled;
mod names;
mod spelling;
mod style;

use serde_json::{Value, json};

pub use style::{Scheme, Style};

/// Why a person is hard to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Not hard: the same name and address on both sides.
    Plain,
    /// Another notation of the name: order, case, marks, middle names, titles.
    Format,
    /// A nickname on one side.
    Nickname,
    /// Initials on one side.
    Initials,
    /// The company's domain changed.
    ChangedDomain,
    /// The address changed, and one service still has an older one.
    ChangedEmail,
    /// A typo.
    Typo,
    /// The family name changed.
    Married,
    /// A device created the record, with an account name.
    DeviceMade,
    /// A device created the record, which does not identify its user.
    Unidentifiable,
    /// The employee has a private address, or none.
    OtherEmail,
    /// The name or the address is missing in Okta.
    MissingFields,
    /// Several people share a mailbox.
    SharedMailbox,
    /// Has the former address of a departed person.
    ReusedAddress,
    /// Departed, and another person has the address now.
    LostAddress,
    /// Parent and child of the same name.
    FatherSon,
    /// Siblings with similar given names, hired together.
    Twins,
    /// An old, deactivated record beside the current one.
    OldRecord,
    /// Another person has the same name.
    Namesake,
    /// Departed.
    Leaver,
}

impl Class {
    /// All classes, in the order of reports.
    pub const ALL: [Self; 20] = [
        Self::Plain,
        Self::Format,
        Self::Nickname,
        Self::Initials,
        Self::ChangedDomain,
        Self::ChangedEmail,
        Self::Typo,
        Self::Married,
        Self::DeviceMade,
        Self::Unidentifiable,
        Self::OtherEmail,
        Self::MissingFields,
        Self::SharedMailbox,
        Self::ReusedAddress,
        Self::LostAddress,
        Self::FatherSon,
        Self::Twins,
        Self::OldRecord,
        Self::Namesake,
        Self::Leaver,
    ];
}

/// A user in Okta.
#[derive(Clone, Debug, Default)]
pub struct User {
    pub id: String,
    pub status: &'static str,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub last_updated: String,
    pub login: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub nick_name: Option<String>,
    pub email: Option<String>,
    pub second_email: Option<String>,
    pub title: Option<String>,
    pub employee_number: Option<String>,
    /// The team that the team groups assign.
    pub team: Option<String>,
}

impl User {
    /// As in a response of the users API.
    pub fn to_json(&self) -> Value {
        let mut profile = serde_json::Map::new();
        for (field, value) in [
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
            ("nickName", &self.nick_name),
            ("email", &self.email),
            ("secondEmail", &self.second_email),
            ("title", &self.title),
            ("employeeNumber", &self.employee_number),
        ] {
            if let Some(value) = value {
                profile.insert(field.to_owned(), json!(value));
            }
        }
        profile.insert("login".to_owned(), json!(self.login));
        json!({
            "id": self.id,
            "status": self.status,
            "created": self.created,
            "lastUpdated": self.last_updated,
            "profile": profile,
        })
    }
}

/// An employee in Insightful.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub id: String,
    pub name: String,
    /// May be empty.
    pub email: String,
    /// The first email.
    pub identifier: String,
    pub team: String,
    /// The time of deactivation in milliseconds since 1970, or 0.
    pub deactivated: i64,
    /// In milliseconds since 1970.
    pub created_at: i64,
}

impl Record {
    /// As in a response of the employees API.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "identifier": self.identifier,
            "teamId": team_id(&self.team),
            "sharedSettingsId": "wsettings000001",
            "type": "personal",
            "projects": [],
            "deactivated": self.deactivated,
            "invited": self.created_at,
            "createdAt": self.created_at,
        })
    }
}

/// Returns the id of a team in [`Record::to_json`].
pub fn team_id(name: &str) -> String {
    let number = name.bytes().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    format!("wteam{:010}", number % 10_000_000_000)
}

/// The truth about one user.
#[derive(Clone, Debug)]
pub struct Truth {
    pub user: String,
    /// The person's records, the current one first.
    pub records: Vec<String>,
    pub class: Class,
    /// Whether a careful human could decide with the same data.
    pub decidable: bool,
}

/// The directories of both services, and the truth.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    pub users: Vec<User>,
    pub records: Vec<Record>,
    /// One for each user, in the same order.
    pub truths: Vec<Truth>,
}

/// Generates a directory of at least `size` people.
pub fn generate(style: &Style, size: usize, seed: u64) -> Directory {
    company::Company::new(style, seed).simulate(size)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn generation_is_deterministic_for_a_seed() {
        let text = |seed| format!("{:?}", generate(&Style::from_seed(seed), 200, seed));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn all_classes_occur_and_the_truth_is_consistent() {
        let mut classes = BTreeSet::new();
        for seed in 0..6 {
            let directory = generate(&Style::from_seed(seed), 2000, seed);
            let ids: BTreeSet<&String> = directory.records.iter().map(|record| &record.id).collect();
            assert_eq!(ids.len(), directory.records.len(), "ids are unique");
            assert_eq!(directory.users.len(), directory.truths.len());
            let mut logins = BTreeSet::new();
            for (user, truth) in directory.users.iter().zip(&directory.truths) {
                assert_eq!(user.id, truth.user);
                assert!(
                    logins.insert(user.login.to_lowercase()),
                    "Okta's logins are unique: {}",
                    user.login
                );
                assert!(truth.records.iter().all(|id| ids.contains(id)));
                classes.insert(truth.class);
            }
        }
        assert_eq!(classes.len(), Class::ALL.len(), "{classes:?}");
    }
}
