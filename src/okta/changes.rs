//! Delta reads: a search for changed users, a search for changed groups, and the members of the
//! groups found.

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::Method;

use super::wire::User;
use super::{MAX_PAGE_SIZE, OktaClient, OktaError, OnProgress, earlier, with_prefix};
use crate::model::{Delta, Directory, GroupId, Mark, Person, PersonId, RecordKind};

impl OktaClient {
    /// Reads the users, and the groups whose name starts with exactly `prefix`, that changed since
    /// `directory` was read.
    ///
    /// # Errors
    /// [`OktaError::DeltaUnusable`] if so much changed that a full sync is as cheap, or if Okta's
    /// clock went back by more than the overlap.
    pub async fn changes(
        &self,
        prefix: &str,
        since: Mark,
        directory: &Directory,
        progress: OnProgress<'_>,
    ) -> Result<Delta, OktaError> {
        let from = since.changes_since();
        let (user_search, group_search) = (changed_users(from), changed_groups(prefix, from));
        let (max_users, max_groups) = (
            max_changes(directory.people().len()),
            max_changes(directory.groups().len()),
        );
        let (users, groups) = futures::try_join!(
            self.list_users::<User, Person>(&user_search, Some(max_users), progress),
            self.list_team_groups(&group_search, prefix, Some(max_groups), progress),
        )?;
        let mark = match earlier(users.began, groups.began) {
            Some(began) if began < from => {
                let call = self.http.call(Method::GET, &self.http.url(&["users"], &[]));
                let problem = format!("Okta's clock went back from after {from} to {began}");
                return Err(OktaError::DeltaUnusable { call, problem });
            }
            Some(began) => Mark::at(began),
            // Without a date, the next delta starts at the same mark.
            None => since,
        };
        let (changed, renamed_out) = (&groups.groups, &groups.lookalikes);
        let mut found: BTreeSet<PersonId> = users.items.iter().map(|person| person.id.clone()).collect();
        // Of a record that cannot be read, a list of members shows no more.
        let unreadable = users.unreadable.iter().filter_map(|record| record.id.as_deref());
        let unreadable = unreadable.map(PersonId::from);
        let known = directory.unreadable().of_kind(RecordKind::User);
        let known = known
            .filter_map(|record| record.id.as_deref())
            .map(PersonId::from);
        found.extend(unreadable.chain(known));
        let of_changed = changed.iter().flat_map(|group| &group.members);
        let hidden = of_changed
            .filter(|id| !directory.people().contains_key(*id))
            .chain(directory.hidden());
        let hidden: BTreeSet<PersonId> = hidden.filter(|id| !found.contains(*id)).cloned().collect();
        let changed_ids: BTreeSet<&GroupId> = changed
            .iter()
            .map(|group| &group.id)
            .chain(renamed_out.keys())
            .collect();
        let unchanged = directory.groups().values();
        let unchanged = unchanged.filter(|group| !changed_ids.contains(&group.id));
        // What changed of hidden people, no search shows.
        let (members, unreadable) = self
            .read_hidden(&hidden, changed.iter().chain(unchanged), progress)
            .await?;
        let unreadable = unreadable
            .into_iter()
            .chain(users.unreadable)
            .chain(groups.unreadable);
        let delta = Delta::new(users.items, groups.groups, groups.lookalikes, mark);
        Ok(delta.with_hidden(members).with_unreadable(unreadable.collect()))
    }
}

/// With more changes than this, a full sync is as cheap.
fn max_changes(records: usize) -> usize {
    (records / 2).max(MAX_PAGE_SIZE)
}

fn changed_users(since: Timestamp) -> String {
    // A change of the status need not update `lastUpdated`, nor one of the profile `statusChanged`.
    format!("lastUpdated gt \"{since:.3}\" or statusChanged gt \"{since:.3}\"")
}

fn changed_groups(prefix: &str, since: Timestamp) -> String {
    let named = with_prefix(prefix);
    format!("{named} and (lastUpdated gt \"{since:.3}\" or lastMembershipUpdated gt \"{since:.3}\")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_searches_are_those_of_oktas_documentation() {
        let since: Timestamp = "2026-03-01T11:55:00Z".parse().unwrap();
        assert_eq!(
            changed_users(since),
            r#"lastUpdated gt "2026-03-01T11:55:00.000Z" or statusChanged gt "2026-03-01T11:55:00.000Z""#
        );
        assert_eq!(
            changed_groups("OKTA_INSGRP_", since),
            r#"profile.name sw "OKTA_INSGRP_" and (lastUpdated gt "2026-03-01T11:55:00.000Z" or lastMembershipUpdated gt "2026-03-01T11:55:00.000Z")"#
        );
    }

    #[test]
    fn half_of_the_records_or_a_page_may_change() {
        for (records, max) in [(0, 200), (60, 200), (400, 200), (402, 201), (100_000, 50_000)] {
            assert_eq!(max_changes(records), max, "{records}");
        }
    }
}
