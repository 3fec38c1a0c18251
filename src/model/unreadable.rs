//! Records of a service's list that cannot be read: without a required field, or with one of a wrong type. They are
//! passed over, but they are there: what they are about is neither missing nor gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::GroupId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordKind {
    User,
    Group,
    /// A member of a group whose id cannot be read. Nothing else of a member is needed.
    Member,
    Employee,
    Team,
    SharedSettings,
}

impl RecordKind {
    /// Whose record it is and what it is about, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::User => "Okta user",
            Self::Group => "Okta group",
            Self::Member => "member of an Okta group",
            Self::Employee => "Insightful employee",
            Self::Team => "Insightful team",
            Self::SharedSettings => "Insightful shared settings",
        }
    }
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unreadable {
    pub kind: RecordKind,
    /// None if the id cannot be read either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name, or a user's login, if it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The group of a [`RecordKind::Member`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// What is wrong with which field.
    pub problem: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            id,
            name,
            group,
            problem,
        } = self;
        match group {
            Some(group) => write!(f, "member of Okta group {group}")?,
            None => write!(f, "{}", kind.words())?,
        }
        match (id, name) {
            (Some(id), Some(name)) => write!(f, " {name:?} ({id})")?,
            (Some(id), None) => write!(f, " {id}")?,
            (None, Some(name)) => write!(f, " {name:?}")?,
            (None, None) => write!(f, " without an id")?,
        }
        write!(f, ": {problem}")
    }
}

/// Whether so many records of a list cannot be read that the list itself is not to be relied on. A service that changed
/// its format, or something else in its place, answers like that; an odd record here and there does not. That is half
/// of the people, and most of the groups, teams and settings, of which there may be two. A group may have one member.
pub fn are_too_many(kind: RecordKind, unreadable: usize, all: usize) -> bool {
    match kind {
        RecordKind::User | RecordKind::Employee => unreadable * 2 >= all,
        RecordKind::Group | RecordKind::Team | RecordKind::SharedSettings => unreadable * 2 > all,
        RecordKind::Member => false,
    }
}

/// The records of several lists that cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Unreadable>", into = "Vec<Unreadable>")]
pub struct UnreadableRecords {
    by_id: BTreeMap<RecordKind, BTreeMap<String, Unreadable>>,
    without_id: BTreeSet<Unreadable>,
}

impl UnreadableRecords {
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// All of them, by kind and id; those without an id last.
    pub fn iter(&self) -> impl Iterator<Item = &Unreadable> {
        let with_id = self.by_id.values().flat_map(BTreeMap::values);
        with_id.chain(&self.without_id)
    }

    pub fn of_kind(&self, kind: RecordKind) -> impl Iterator<Item = &Unreadable> {
        self.iter().filter(move |record| record.kind == kind)
    }

    pub fn get(&self, kind: RecordKind, id: &str) -> Option<&Unreadable> {
        self.by_id.get(&kind)?.get(id)
    }

    /// Whether this very record is among them.
    pub(super) fn contains(&self, record: &Unreadable) -> bool {
        match &record.id {
            Some(id) => self.get(record.kind, id) == Some(record),
            None => self.without_id.contains(record),
        }
    }

    pub(super) fn remove(&mut self, kind: RecordKind, id: &str) {
        if let Some(records) = self.by_id.get_mut(&kind) {
            records.remove(id);
        }
    }

    /// Removes the members of a group.
    pub(super) fn remove_members(&mut self, of: &GroupId) {
        self.without_id.retain(|record| record.group.as_ref() != Some(of));
    }
}

impl Extend<Unreadable> for UnreadableRecords {
    fn extend<I: IntoIterator<Item = Unreadable>>(&mut self, records: I) {
        for record in records {
            match record.id.clone() {
                Some(id) => {
                    self.by_id.entry(record.kind).or_default().insert(id, record);
                }
                None => {
                    self.without_id.insert(record);
                }
            }
        }
    }
}

impl FromIterator<Unreadable> for UnreadableRecords {
    fn from_iter<I: IntoIterator<Item = Unreadable>>(records: I) -> Self {
        let mut all = Self::default();
        all.extend(records);
        all
    }
}

impl From<Vec<Unreadable>> for UnreadableRecords {
    fn from(records: Vec<Unreadable>) -> Self {
        records.into_iter().collect()
    }
}

impl From<UnreadableRecords> for Vec<Unreadable> {
    fn from(records: UnreadableRecords) -> Self {
        records.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_by_what_can_be_read_of_it() {
        let record = |id: Option<&str>, name: Option<&str>, group: Option<&str>| Unreadable {
            kind: if group.is_some() {
                RecordKind::Member
            } else {
                RecordKind::Team
            },
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            group: group.map(GroupId::from),
            problem: "name: null".to_owned(),
        };
        for (record, text) in [
            (
                record(Some("w1"), Some("Sales"), None),
                r#"Insightful team "Sales" (w1): name: null"#,
            ),
            (record(Some("w1"), None, None), "Insightful team w1: name: null"),
            (
                record(None, Some("Sales"), None),
                r#"Insightful team "Sales": name: null"#,
            ),
            (
                record(None, None, None),
                "Insightful team without an id: name: null",
            ),
            (
                record(None, None, Some("00g1")),
                "member of Okta group 00g1 without an id: name: null",
            ),
        ] {
            assert_eq!(record.to_string(), text);
        }
    }

    #[test]
    fn most_records_of_a_list_must_be_readable() {
        use RecordKind::{Employee, Member, Team};
        for (kind, unreadable, all, too_many) in [
            (Employee, 1, 1, true),
            (Team, 1, 1, true),
            (Employee, 1, 2, true),
            (Team, 1, 2, false),
            (Team, 2, 2, true),
            (Employee, 1, 3, false),
            (Employee, 2, 4, true),
            (Team, 3, 5, true),
            (Member, 5, 5, false),
            (Employee, 499, 1000, false),
            (Employee, 500, 1000, true),
        ] {
            let found = are_too_many(kind, unreadable, all);
            assert_eq!(found, too_many, "{kind:?}: {unreadable} of {all}");
        }
    }
}
