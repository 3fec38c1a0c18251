//! What changed since a mark: one search for users, one for groups, and the members of the
//! groups that were found. Two calls where nothing changed.

use jiff::Timestamp;
use reqwest::Method;

use super::wire::User;
use super::{OktaClient, OktaError, OnProgress, PAGE_SIZE, earlier, with_prefix};
use crate::http::Call;
use crate::model::{Delta, Directory, Mark, Person};

impl OktaClient {
    /// What changed since `since` in what `known` holds: users, and groups whose name starts with
    /// exactly `prefix`. One page that fails fails the whole.
    ///
    /// # Errors
    /// Beside those of any read [`OktaError::DeltaUnusable`]: so much is said to have changed,
    /// or Okta's clock has gone back so far, that the answer is not to be trusted and reading
    /// everything is as cheap.
    pub async fn changes(
        &self,
        prefix: &str,
        since: Mark,
        known: &Directory,
        progress: OnProgress<'_>,
    ) -> Result<Delta, OktaError> {
        let from = since.changes_since();
        let (of_users, of_groups) = (changed_users(from), changed_groups(prefix, from));
        let (most_users, most_groups) = (most(known.people().len()), most(known.groups().len()));
        let (users, groups) = futures::try_join!(
            self.list_users::<User, Person>(&of_users, Some(most_users), progress),
            self.list_team_groups(&of_groups, prefix, Some(most_groups), progress),
        )?;
        let mark = match earlier(users.began, groups.began) {
            Some(began) if began < from => {
                let call = Call::new(Method::GET, &self.url(&["users"], &[]));
                let what = format!("Okta's clock shows {began}, and showed more than {from} before");
                return Err(OktaError::DeltaUnusable { call, what });
            }
            Some(began) => Mark::at(began),
            // What Okta does not date is asked for again.
            None => since,
        };
        Ok(Delta::of(users.items, groups.groups, groups.without_prefix, mark))
    }
}

/// How many of `known` records can have changed before reading all of them is as cheap: half of
/// them, where they take more than a page.
fn most(known: usize) -> usize {
    (known / 2).max(PAGE_SIZE)
}

fn changed_users(since: Timestamp) -> String {
    // A change of status need not touch the profile's stamp, nor the other way round.
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
    fn the_searches_are_those_of_the_contract() {
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
    fn half_of_many_may_change_and_all_of_few() {
        for (known, at_most) in [(0, 200), (60, 200), (400, 200), (402, 201), (100_000, 50_000)] {
            assert_eq!(most(known), at_most, "{known}");
        }
    }
}
