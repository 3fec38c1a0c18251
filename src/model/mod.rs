//! What both services said, as plain values: what the clients return and the
//! core takes.
//!
//! A [`Snapshot`] is made only from [`Complete`] lists, so whatever stands in
//! one was read to the last page. Being missing from it still proves nothing
//! about a person: see [`Person::left`] for the only evidence that somebody left.
//!
//! Okta's half of it is a [`Directory`]. A [`Delta`] brings it up to date; it is
//! never taken for one.

mod delta;
pub mod digest;
mod employee_update;
mod synced_state;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Deref,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use delta::{Delta, Mark};
pub use employee_update::EmployeeUpdate;
pub use synced_state::Known;

use crate::model::digest::Digest;

/// Declares the newtype of an identifier of one of the two services. A clone
/// shares the text: an id stands in many places.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as the service writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

identifier! {
    /// Okta's id of a user. Case matters: two ids may differ in nothing else.
    PersonId
}
identifier! {
    /// Okta's id of a group.
    GroupId
}
identifier! {
    /// Insightful's id of an employee.
    EmployeeId
}
identifier! {
    /// Insightful's id of a team.
    TeamId
}
identifier! {
    /// Insightful's id of a set of shared settings.
    SettingsId
}

/// A user's status in Okta, kept in files as Okta's word for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OktaStatus {
    /// Created, not started yet.
    Staged,
    /// Invited, has not set a password yet.
    Provisioned,
    /// In use.
    Active,
    /// Recovering a password.
    Recovery,
    /// Must set a new password.
    PasswordExpired,
    /// Locked after failed attempts.
    LockedOut,
    /// On leave; what it means is the integration's `okta.suspended`.
    Suspended,
    /// Departure.
    Deprovisioned,
    /// A word that this version does not know. It never deactivates anybody.
    Other(String),
}

impl OktaStatus {
    /// Okta's word for the status.
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

/// A user as Okta's record has it. Dates are RFC 3339, as Okta wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Okta's id: the person's identity, whatever else changes.
    pub id: PersonId,
    /// The name used to log in, usually an address.
    pub login: String,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Names that tell who the person is and are never written.
    pub other_names: OtherNames,
    /// Work email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Secondary email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_email: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Number given by the employer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// Status.
    pub status: OktaStatus,
    /// When the record was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When the profile last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
}

/// Names in a user's record beside the first and the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherNames {
    /// Middle name.
    pub middle: Option<String>,
    /// What the person goes by.
    pub nick: Option<String>,
    /// The whole name as Okta shows it.
    pub display: Option<String>,
}

/// Proof that Okta was read to say that a person left. Only [`Person::left`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    person: PersonId,
    status: OktaStatus,
}

impl Departure {
    /// Who left.
    pub fn person(&self) -> &PersonId {
        &self.person
    }

    /// The status that says so.
    pub fn status(&self) -> &OktaStatus {
        &self.status
    }
}

impl Person {
    /// The one rule on who has left: the record says DEPROVISIONED or, where
    /// the policy is that suspension ends employment, SUSPENDED.
    pub fn left(&self, suspended_means_departed: bool) -> Option<Departure> {
        let left = match self.status {
            OktaStatus::Deprovisioned => true,
            OktaStatus::Suspended => suspended_means_departed,
            _ => false,
        };
        left.then(|| Departure {
            person: self.id.clone(),
            status: self.status.clone(),
        })
    }

    /// Whether the person works here now, so that an employee may be created
    /// for them without being asked for: not before they start, not on leave,
    /// not with a status that this version does not know.
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

    /// First and last name joined, as Insightful's one `name` takes them.
    /// None if Okta has neither.
    pub fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.given_name, &self.family_name]
            .into_iter()
            .flatten()
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// What to call the person on a screen: the name, else the login.
    pub fn display_name(&self) -> String {
        self.full_name().unwrap_or_else(|| self.login.clone())
    }
}

/// An Okta group whose name has the prefix, with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamGroup {
    /// Okta's id: what a team is bound to.
    pub id: GroupId,
    /// Name with the prefix.
    pub name: String,
    /// Ids of all members, leavers included.
    pub members: BTreeSet<PersonId>,
}

/// An employee as Insightful has it. The title is in no answer of Insightful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Employee {
    /// Insightful's id.
    pub id: EmployeeId,
    /// The whole name.
    pub name: String,
    /// Email.
    pub email: String,
    /// The first email; it survives a change of `email`.
    pub identifier: String,
    /// The one team.
    pub team: TeamId,
    /// Shared settings.
    pub settings: Option<SettingsId>,
    /// Whether tracking was switched off.
    pub deactivated: bool,
    /// When the record was made, in milliseconds since 1970.
    pub created_at: Option<i64>,
}

/// A team in Insightful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Team {
    /// Insightful's id.
    pub id: TeamId,
    /// Name.
    pub name: String,
    /// Whether new employees land here when nothing else is said.
    pub default: bool,
}

/// A set of tracking settings that employees share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedSettings {
    /// Insightful's id.
    pub id: SettingsId,
    /// Name.
    pub name: String,
    /// Whether it is the organisation's default.
    pub default: bool,
}

/// A list that was read to its end. Only what saw the last page may make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete<T>(T);

impl<T> Complete<T> {
    /// Vouches that `value` holds everything up to the last page.
    pub fn last_page_read(value: T) -> Self {
        Self(value)
    }

    /// The list.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Complete<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Okta's half of a snapshot: everybody, and the team groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    people: BTreeMap<PersonId, Person>,
    groups: BTreeMap<GroupId, TeamGroup>,
}

impl Directory {
    /// Puts complete lists together. A person listed twice (Okta's pages can
    /// shift while they are read) is kept once.
    pub fn of(people: Complete<Vec<Person>>, groups: Complete<Vec<TeamGroup>>) -> Self {
        let people: BTreeMap<_, _> = people
            .into_inner()
            .into_iter()
            .map(|p| (p.id.clone(), p))
            .collect();
        let mut groups: BTreeMap<_, _> = groups
            .into_inner()
            .into_iter()
            .map(|g| (g.id.clone(), g))
            .collect();
        for group in groups.values_mut() {
            let members = std::mem::take(&mut group.members).into_iter();
            group.members = members.map(|id| shared(&people, id)).collect();
        }
        Self { people, groups }
    }

    /// Okta's users by id.
    pub fn people(&self) -> &BTreeMap<PersonId, Person> {
        &self.people
    }

    /// Okta's team groups by id.
    pub fn groups(&self) -> &BTreeMap<GroupId, TeamGroup> {
        &self.groups
    }
}

/// The same id, in the memory that the one in the list has.
fn shared<I: Ord + Clone, T>(list: &BTreeMap<I, T>, id: I) -> I {
    match list.get_key_value(&id) {
        Some((same, _)) => same.clone(),
        None => id,
    }
}

/// Everything both services said in one cycle, each list read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Shared with whoever keeps it for the next start, and only then copied to be changed.
    directory: Arc<Directory>,
    employees: BTreeMap<EmployeeId, Employee>,
    teams: BTreeMap<TeamId, Team>,
    settings: BTreeMap<SettingsId, SharedSettings>,
}

/// The three lists of Insightful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workforce {
    /// All employees, deactivated ones included.
    pub employees: Complete<Vec<Employee>>,
    /// All teams.
    pub teams: Complete<Vec<Team>>,
    /// All shared settings.
    pub settings: Complete<Vec<SharedSettings>>,
}

impl Snapshot {
    /// Puts complete lists together. A person or employee listed twice (Okta's
    /// pages can shift while they are read) is kept once.
    pub fn of(people: Complete<Vec<Person>>, groups: Complete<Vec<TeamGroup>>, workforce: Workforce) -> Self {
        Self::with(Arc::new(Directory::of(people, groups)), workforce)
    }

    /// Both halves.
    pub fn with(directory: Arc<Directory>, workforce: Workforce) -> Self {
        let mut snapshot = Self {
            directory,
            employees: BTreeMap::new(),
            teams: BTreeMap::new(),
            settings: BTreeMap::new(),
        };
        snapshot.replace_workforce(workforce);
        snapshot
    }

    /// Brings Okta's half up to date. Gives whether that changed anything: a
    /// delta overlaps with what was read before.
    pub fn apply(&mut self, delta: Delta) -> bool {
        delta.is_news_to(&self.directory) && {
            delta.apply_to(Arc::make_mut(&mut self.directory));
            true
        }
    }

    /// Takes what a newer, complete read of Insightful says.
    pub fn replace_workforce(&mut self, workforce: Workforce) {
        let Workforce {
            employees,
            teams,
            settings,
        } = workforce;
        self.teams = teams
            .into_inner()
            .into_iter()
            .map(|t| (t.id.clone(), t))
            .collect();
        self.settings = settings
            .into_inner()
            .into_iter()
            .map(|s| (s.id.clone(), s))
            .collect();
        self.employees = employees
            .into_inner()
            .into_iter()
            .map(|mut e| {
                e.team = shared(&self.teams, e.team);
                e.settings = e.settings.map(|settings| shared(&self.settings, settings));
                (e.id.clone(), e)
            })
            .collect();
    }

    /// Takes what Insightful answered to a write of one employee.
    pub fn replace_employee(&mut self, employee: Employee) {
        self.employees.insert(employee.id.clone(), employee);
    }

    /// Takes what Insightful answered to the creation of a team.
    pub fn replace_team(&mut self, team: Team) {
        self.teams.insert(team.id.clone(), team);
    }

    /// Takes what a newer read of one person's record says.
    pub fn replace_person(&mut self, person: Person) {
        if self.directory.people.get(&person.id) != Some(&person) {
            let directory = Arc::make_mut(&mut self.directory);
            directory.people.insert(person.id.clone(), person);
        }
    }

    /// A short stand-in for all of it.
    pub fn digest(&self) -> Digest {
        let Self {
            directory,
            employees,
            teams,
            settings,
        } = self;
        let Directory { people, groups } = directory.as_ref();
        Digest::of(&(people, groups, employees, teams, settings))
    }

    /// Okta's half.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Okta's users by id.
    pub fn people(&self) -> &BTreeMap<PersonId, Person> {
        self.directory.people()
    }

    /// Okta's team groups by id.
    pub fn groups(&self) -> &BTreeMap<GroupId, TeamGroup> {
        self.directory.groups()
    }

    /// Insightful's employees by id.
    pub fn employees(&self) -> &BTreeMap<EmployeeId, Employee> {
        &self.employees
    }

    /// Insightful's teams by id.
    pub fn teams(&self) -> &BTreeMap<TeamId, Team> {
        &self.teams
    }

    /// Insightful's shared settings by id.
    pub fn settings(&self) -> &BTreeMap<SettingsId, SharedSettings> {
        &self.settings
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
            created: None,
            last_updated: None,
        }
    }

    #[test]
    fn only_a_record_that_says_so_is_evidence_of_leaving() {
        use OktaStatus::*;
        for (status, by_default, when_suspension_ends_employment) in [
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
            assert_eq!(person.left(false).is_some(), by_default, "{status}");
            assert_eq!(
                person.left(true).is_some(),
                when_suspension_ends_employment,
                "{status}"
            );
        }
    }

    #[test]
    fn a_name_is_what_okta_has_of_it() {
        let mut person = person(OktaStatus::Active);
        assert_eq!(person.full_name().as_deref(), Some("Jane Doe"));
        person.given_name = None;
        assert_eq!(person.full_name().as_deref(), Some("Doe"));
        person.family_name = Some("  ".into());
        assert_eq!(person.full_name(), None);
        assert_eq!(person.display_name(), "jane@acme.com");
    }
}
