use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Complete, Directory, GroupId, Person, RecordKind, TeamGroup, Unreadable, snapshot::unknown};

/// How far before its mark a delta starts.
///
/// Okta's searches lag behind its records, usually by less than a second and by minutes during
/// incidents. A record that a search missed has a timestamp before the mark, so that only an
/// overlap finds it. The `Date` header that a mark comes from has whole seconds, and clocks of
/// Okta's servers may differ. A longer lag is made up for by the next full sync.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The time by Okta's clock up to which a directory has all changes, except for those that Okta's
/// searches did not show yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(Timestamp);

impl Mark {
    /// `okta_time` is when the read began, by Okta's clock.
    pub fn at(okta_time: Timestamp) -> Self {
        Self(okta_time)
    }

    /// Returns the start of the next delta, which overlaps with the last read.
    pub fn changes_since(self) -> Timestamp {
        self.0.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN)
    }
}

/// What changed in Okta since a mark.
///
/// A delta cannot show deleted users, deleted groups, and groups renamed so that no search for the
/// prefix finds them: these stay in the directory until the next full sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    people: Vec<Person>,
    groups: Vec<TeamGroup>,
    renamed_out: BTreeMap<GroupId, String>,
    /// People whom Okta's search does not show, from the lists of members.
    hidden: Vec<Person>,
    unreadable: Vec<Unreadable>,
    mark: Mark,
}

impl Delta {
    /// Takes the people and team groups that changed, the groups with all their members.
    /// `renamed_out` are groups, by name, that differ from the prefix by case only: Okta's search,
    /// which ignores case, still finds them. `mark` is the mark of a directory with this delta.
    pub fn new(
        people: Complete<Vec<Person>>,
        groups: Complete<Vec<TeamGroup>>,
        renamed_out: BTreeMap<GroupId, String>,
        mark: Mark,
    ) -> Self {
        Self {
            people: people.into_inner(),
            groups: groups.into_inner(),
            renamed_out,
            hidden: Vec::new(),
            unreadable: Vec::new(),
            mark,
        }
    }

    /// Adds the records of people whom Okta's search does not show, from the lists of members.
    pub fn with_hidden(mut self, people: Vec<Person>) -> Self {
        self.hidden = people;
        self
    }

    /// Adds the records that cannot be read. Of a group without a readable name, `groups` has the members.
    pub fn with_unreadable(mut self, records: Vec<Unreadable>) -> Self {
        self.unreadable = records;
        self
    }

    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Returns the number of people.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// Returns the number of groups.
    pub fn groups(&self) -> usize {
        self.groups.len() + self.renamed_out.len()
    }

    /// Whether the directory lacks any of it. A delta overlaps with the one before it.
    pub fn would_change(&self, directory: &Directory) -> bool {
        self.people
            .iter()
            .chain(&self.hidden)
            .any(|person| directory.people.get(&person.id) != Some(person))
            || self
                .people
                .iter()
                .any(|person| directory.hidden.contains(&person.id))
            || self
                .groups
                .iter()
                .any(|group| directory.groups.get(&group.id) != Some(group))
            || self
                .renamed_out
                .iter()
                .any(|(group, name)| directory.lookalikes.get(group) != Some(name))
            || self
                .unreadable
                .iter()
                .any(|record| !directory.unreadable.contains(record))
    }

    pub(super) fn apply_to(self, directory: &mut Directory) {
        let Self {
            people,
            groups,
            renamed_out,
            hidden,
            unreadable,
            mark: _,
        } = self;
        for person in people {
            directory.hidden.remove(&person.id);
            directory.unreadable.remove(RecordKind::User, person.id.as_str());
            directory.people.insert(person.id.clone(), person);
        }
        for group in groups {
            directory.hidden.extend(unknown(&directory.people, &group));
            directory.lookalikes.remove(&group.id);
            directory.unreadable.remove(RecordKind::Group, group.id.as_str());
            directory.unreadable.remove_members(&group.id);
            directory.groups.insert(group.id.clone(), group);
        }
        for person in hidden {
            directory.unreadable.remove(RecordKind::User, person.id.as_str());
            directory.people.insert(person.id.clone(), person);
        }
        for (group, name) in renamed_out {
            directory.groups.remove(&group);
            directory.unreadable.remove(RecordKind::Group, group.as_str());
            directory.lookalikes.insert(group, name);
        }
        // What was read of these people before may no longer be true.
        for record in &unreadable {
            if let (RecordKind::User, Some(id)) = (record.kind, &record.id) {
                directory.people.remove(&id.as_str().into());
            }
        }
        directory.unreadable.extend(unreadable);
        let unreadable = &directory.unreadable;
        directory
            .hidden
            .retain(|id| unreadable.get(RecordKind::User, id.as_str()).is_none());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{OktaStatus, OtherNames, Snapshot, UnreadableRecords, Workforce};

    /// Jane and Mary in Sales, Omar in Support.
    fn before() -> Snapshot {
        let person = |id: &str| Person {
            id: id.into(),
            login: format!("{id}@acme.com"),
            given_name: None,
            family_name: None,
            other_names: OtherNames::default(),
            email: None,
            second_email: None,
            title: None,
            employee_number: None,
            status: OktaStatus::Active,
            transitioning_to: None,
            created: None,
            last_updated: None,
            attributes: Box::default(),
        };
        let group = |id: &str, members: &[&str]| TeamGroup {
            id: id.into(),
            name: format!("OKTA_INSGRP_{id}"),
            members: members.iter().map(|&id| id.into()).collect(),
        };
        let people = ["jane", "mary", "omar"].map(person).to_vec();
        let groups = vec![group("Sales", &["jane", "mary"]), group("Support", &["omar"])];
        Snapshot::new(
            Directory::new(Complete::from_all_pages(people), Complete::from_all_pages(groups))
                .with_lookalikes([("known".into(), "p_Sales".to_owned())]),
            Workforce {
                employees: Complete::from_all_pages(vec![]),
                teams: Complete::from_all_pages(vec![]),
                settings: Complete::from_all_pages(vec![]),
                unreadable: UnreadableRecords::default(),
                organization: None,
            },
        )
    }

    fn delta(people: Vec<Person>, groups: Vec<TeamGroup>, renamed_out: &[GroupId]) -> Delta {
        Delta::new(
            Complete::from_all_pages(people),
            Complete::from_all_pages(groups),
            renamed_out
                .iter()
                .map(|id| (id.clone(), "p_Sales".to_owned()))
                .collect(),
            Mark::at(Timestamp::UNIX_EPOCH),
        )
    }

    fn person(snapshot: &Snapshot, id: &str) -> Person {
        snapshot.people()[&id.into()].clone()
    }

    fn group(snapshot: &Snapshot, member: &str) -> TeamGroup {
        let has = |group: &&TeamGroup| group.members.contains(&member.into());
        snapshot.groups().values().find(has).unwrap().clone()
    }

    #[test]
    fn changed_records_are_replaced_and_others_stay() {
        let mut snapshot = before();
        let mut jane = person(&snapshot, "jane");
        jane.status = OktaStatus::Deprovisioned;
        let newcomer = Person {
            id: "nick".into(),
            ..person(&snapshot, "omar")
        };
        let mut sales = group(&snapshot, "mary");
        sales.name.push_str(" EMEA");
        sales.members = ["mary".into(), "nick".into()].into();
        let (mary, support) = (person(&snapshot, "mary"), group(&snapshot, "omar"));

        assert!(snapshot.apply(delta(vec![jane.clone(), newcomer], vec![sales.clone()], &[])));
        assert_eq!(snapshot.people().len(), 4);
        assert_eq!(person(&snapshot, "jane"), jane);
        assert_eq!(person(&snapshot, "mary"), mary, "was not in the delta");
        assert_eq!(snapshot.groups()[&sales.id], sales);
        assert_eq!(group(&snapshot, "omar"), support, "was not in the delta");
    }

    #[test]
    fn records_that_are_missing_from_a_delta_stay() {
        let mut snapshot = before();
        assert!(!snapshot.apply(delta(vec![], vec![], &[])));
        assert_eq!(snapshot, before());
    }

    #[test]
    fn a_group_renamed_out_of_the_prefix_is_removed_and_its_members_stay() {
        let mut snapshot = before();
        let sales = group(&snapshot, "jane").id;
        assert!(snapshot.apply(delta(vec![], vec![], &[sales.clone(), "unknown".into()])));
        assert!(!snapshot.groups().contains_key(&sales));
        assert_eq!(snapshot.people().len(), 3);
    }

    #[test]
    fn records_repeated_by_the_overlap_are_no_change() {
        let mut snapshot = before();
        let shared = Arc::clone(snapshot.directory());
        let repeated = delta(
            vec![person(&snapshot, "jane")],
            vec![group(&snapshot, "omar")],
            &["known".into()],
        );
        assert!(!snapshot.apply(repeated));
        assert!(
            Arc::ptr_eq(&shared, snapshot.directory()),
            "the directory is not copied"
        );
        // Applying a delta twice changes nothing, and a shared directory is copied on write.
        let mut jane = person(&snapshot, "jane");
        jane.title = Some("Director".into());
        let promoted = delta(vec![jane], vec![], &[]);
        assert!(snapshot.apply(promoted.clone()));
        assert!(!snapshot.apply(promoted));
        assert_eq!(shared.people(), before().people());
    }

    #[test]
    fn a_delta_starts_five_minutes_before_the_mark() {
        let mark = Mark::at("2026-03-01T12:00:00Z".parse().unwrap());
        assert_eq!(
            mark.changes_since(),
            "2026-03-01T11:55:00Z".parse::<Timestamp>().unwrap()
        );
        assert_eq!(Mark::at(Timestamp::MIN).changes_since(), Timestamp::MIN);
    }
}
