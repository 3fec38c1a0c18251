//! What changed in Okta since a directory was read, and how far it is followed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Complete, Directory, GroupId, Person, TeamGroup};

/// How much of the time before a mark is asked for once more.
///
/// Okta's searches lag behind its records, by less than a second as a rule and
/// by minutes in its incidents; the `Date` header that a mark comes from counts
/// whole seconds; and the servers that write the stamps need not agree to the
/// second. What a lagging search did not show yet has a stamp from before the
/// mark: only the overlap finds it. Five minutes cost nothing where nothing
/// changes, and at the usual interval of a quarter of an hour at most a second
/// look at a third of what changed. What lags more is found by the next full read.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// How far a directory follows Okta, by Okta's clock: all that changed before is
/// in it, but for what Okta's searches did not show yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(Timestamp);

impl Mark {
    /// The mark of a read that began at this time by Okta's clock.
    pub fn at(okta_time: Timestamp) -> Self {
        Self(okta_time)
    }

    /// The time from which on changes are asked for: earlier by the overlap.
    pub fn changes_since(self) -> Timestamp {
        self.0.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN)
    }
}

/// What changed in Okta since a mark, each list read to its end.
///
/// It holds records that Okta answered, and nothing about what Okta did not:
/// users and groups that were deleted, and groups that lost the prefix and so
/// are found by no search for it, stay in the directory until the next full read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    people: Vec<Person>,
    groups: Vec<TeamGroup>,
    renamed_out: BTreeSet<GroupId>,
    mark: Mark,
}

impl Delta {
    /// Puts complete lists together: people whose record changed, team groups
    /// that changed with all their members, and groups whose record was read to
    /// say that their name does not have the prefix any more (by the case of its
    /// letters alone: Okta's search does not tell cases apart). `mark` is how far
    /// a directory follows Okta once it has taken this.
    pub fn of(
        people: Complete<Vec<Person>>,
        groups: Complete<Vec<TeamGroup>>,
        renamed_out: BTreeSet<GroupId>,
        mark: Mark,
    ) -> Self {
        Self {
            people: people.into_inner(),
            groups: groups.into_inner(),
            renamed_out,
            mark,
        }
    }

    /// How far a directory follows Okta once it has taken this.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// How many people it is about.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// How many groups it is about.
    pub fn groups(&self) -> usize {
        self.groups.len() + self.renamed_out.len()
    }

    /// Whether the directory says anything else.
    pub(super) fn is_news_to(&self, directory: &Directory) -> bool {
        self.people
            .iter()
            .any(|person| directory.people.get(&person.id) != Some(person))
            || self
                .groups
                .iter()
                .any(|group| directory.groups.get(&group.id) != Some(group))
            || self
                .renamed_out
                .iter()
                .any(|group| directory.groups.contains_key(group))
    }

    /// Each record takes the place of the one of its id.
    pub(super) fn apply_to(self, directory: &mut Directory) {
        let Self {
            people,
            groups,
            renamed_out,
            mark: _,
        } = self;
        for person in people {
            directory.people.insert(person.id.clone(), person);
        }
        for group in groups {
            directory.groups.insert(group.id.clone(), group);
        }
        for group in renamed_out {
            directory.groups.remove(&group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        model::{OktaStatus, Snapshot},
        rules::example::Example,
    };

    /// Jane and Mary in Sales, Omar in Support.
    fn before() -> Snapshot {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.person("mary", "Mary", "Major", "Sales");
        example.person("omar", "Omar", "Ali", "Support");
        example.snapshot()
    }

    fn delta(people: Vec<Person>, groups: Vec<TeamGroup>, renamed_out: &[GroupId]) -> Delta {
        Delta::of(
            Complete::last_page_read(people),
            Complete::last_page_read(groups),
            renamed_out.iter().cloned().collect(),
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
    fn what_changed_takes_the_place_of_what_was_and_the_rest_stays() {
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
    fn nobody_and_nothing_goes_for_not_being_in_a_delta() {
        let mut snapshot = before();
        assert!(!snapshot.apply(delta(vec![], vec![], &[])));
        assert_eq!(snapshot, before());
    }

    #[test]
    fn a_group_read_to_have_lost_the_prefix_goes_and_its_members_stay() {
        let mut snapshot = before();
        let sales = group(&snapshot, "jane").id;
        assert!(snapshot.apply(delta(vec![], vec![], &[sales.clone(), "unknown".into()])));
        assert!(!snapshot.groups().contains_key(&sales));
        assert_eq!(snapshot.people().len(), 3);
    }

    #[test]
    fn the_overlap_brings_what_is_known_and_that_is_no_change() {
        let mut snapshot = before();
        let kept = Arc::clone(snapshot.directory());
        let known = delta(
            vec![person(&snapshot, "jane")],
            vec![group(&snapshot, "omar")],
            &["unknown".into()],
        );
        assert!(!snapshot.apply(known.clone()));
        assert!(Arc::ptr_eq(&kept, snapshot.directory()), "nothing is copied");
        // Twice the same is as good as once, and what somebody else keeps stays as it was.
        let mut jane = person(&snapshot, "jane");
        jane.title = Some("Director".into());
        let promoted = delta(vec![jane], vec![], &[]);
        assert!(snapshot.apply(promoted.clone()));
        assert!(!snapshot.apply(promoted));
        assert_eq!(kept.people(), before().people());
    }

    #[test]
    fn changes_are_asked_for_from_minutes_before_the_mark() {
        let mark = Mark::at("2026-03-01T12:00:00Z".parse().unwrap());
        assert_eq!(
            mark.changes_since(),
            "2026-03-01T11:55:00Z".parse::<Timestamp>().unwrap()
        );
        assert_eq!(Mark::at(Timestamp::MIN).changes_since(), Timestamp::MIN);
    }
}
