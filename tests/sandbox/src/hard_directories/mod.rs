//! Hard directories: people as Okta has them and employees as Insightful has
//! them, with the truth about who is who.
//!
//! [`generate`] is deterministic: the same [`Style`] and seed give the same
//! directory. It knows nothing of the matching engine and is not tuned to it:
//! it plays what companies do (hire, marry, rename, re-use an address, install
//! an agent on a laptop, keep a leaver's record) and writes down what each
//! service would then say. Each person carries the [`Class`] of their blocker,
//! so that an evaluation can say which blocker costs what.

mod classes;
mod company;
mod entangled;
mod names;
mod spelling;
mod style;

use serde_json::{Value, json};

pub use style::{Scheme, Style};

/// What is hard about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Nothing: the same name and address on both sides.
    Plain,
    /// The name is written otherwise: order, case, marks, middle names, titles.
    Format,
    /// A nickname on one side.
    Nickname,
    /// Initials on one side.
    Initials,
    /// The company's domain changed.
    ChangedDomain,
    /// The address changed, and an older one is left somewhere.
    ChangedEmail,
    /// A slip of the keyboard.
    Typo,
    /// The family name changed.
    Married,
    /// The record was made by a device: an account name for a name.
    DeviceMade,
    /// The record was made by a device and says nothing about who uses it.
    Unidentifiable,
    /// The employee has a private address, or none.
    OtherEmail,
    /// Okta lacks the name or the address.
    MissingFields,
    /// Several share one mailbox.
    SharedMailbox,
    /// Has the address of somebody who left.
    ReusedAddress,
    /// Left, and somebody else has the address now.
    LostAddress,
    /// Parent and child of the same name.
    FatherSon,
    /// Siblings with similar given names, hired together.
    Twins,
    /// An old, switched-off record beside the one in use.
    OldRecord,
    /// Another person has the same name.
    Namesake,
    /// Left.
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

/// A user as Okta would give it.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Okta's id.
    pub id: String,
    /// Okta's word for the status.
    pub status: &'static str,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub last_updated: String,
    /// `profile.login`.
    pub login: String,
    /// `profile.firstName`.
    pub first_name: Option<String>,
    /// `profile.lastName`.
    pub last_name: Option<String>,
    /// `profile.nickName`.
    pub nick_name: Option<String>,
    /// `profile.email`.
    pub email: Option<String>,
    /// `profile.secondEmail`.
    pub second_email: Option<String>,
    /// `profile.title`.
    pub title: Option<String>,
    /// `profile.employeeNumber`.
    pub employee_number: Option<String>,
    /// Name of the team that the team groups give.
    pub team: Option<String>,
}

impl User {
    /// As the users API writes it.
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

/// An employee as Insightful would give it.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Insightful's id.
    pub id: String,
    /// The whole name.
    pub name: String,
    /// Email, may be empty.
    pub email: String,
    /// The first email.
    pub identifier: String,
    /// Name of the team.
    pub team: String,
    /// 0, or when it was switched off, in milliseconds since 1970.
    pub deactivated: i64,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

impl Record {
    /// As the employees API writes it; the team's id is derived from its name.
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

/// The id that a team of this name has in [`Record::to_json`].
pub fn team_id(name: &str) -> String {
    let number = name.bytes().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    format!("wteam{:010}", number % 10_000_000_000)
}

/// The truth about one user.
#[derive(Clone, Debug)]
pub struct Truth {
    /// Okta's id.
    pub user: String,
    /// The records that are this person's; empty if there is none.
    pub records: Vec<String>,
    /// What is hard about it.
    pub class: Class,
    /// Whether a careful human could decide it from the same data.
    pub decidable: bool,
}

/// Both services' lists and the truth.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Okta's users.
    pub users: Vec<User>,
    /// Insightful's employees.
    pub records: Vec<Record>,
    /// One for each user, in the same order.
    pub truths: Vec<Truth>,
}

/// Makes a directory of about `size` people.
pub fn generate(style: &Style, size: usize, seed: u64) -> Directory {
    company::Company::new(style, seed).play(size)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_directory_and_another_gives_another() {
        let text = |seed| format!("{:?}", generate(&Style::from_seed(seed), 200, seed));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn every_class_occurs_and_the_truth_names_records_that_exist() {
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
