//! A read-only client of Okta's Management API.

mod authorizer;
mod changes;
mod config;
mod error;
mod error_body;
mod link_header;
mod pages;
mod rate_limit;
mod service_app;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use parking_lot::RwLock;
use reqwest::Method;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::http::{
    Backoff, CallObserver, HttpClient, HttpError, Operation, RateLimitWait, RetryPolicy, Service, WaitCause,
    clip, is_path_segment, record::Record,
};
use crate::model::{
    AttributeName, Complete, Directory, GroupId, Mark, Person, PersonId, TeamGroup, Unreadable,
};

pub use authorizer::OktaCredential;
pub use config::OktaConfig;
pub use error::OktaError;
pub use rate_limit::OrgLimits;
pub use service_app::{KeyProblem, PrivateKey, ServiceApp};
pub use wire::{GroupHead, group_head, member, member_id, person, unreadable_head};

use authorizer::Authorizer;
use pages::{Listing, PagedRequest};
use rate_limit::Bucket;
use wire::{FromRecord, Member, User, WholeMember};

/// Okta's maximum for users, and the most that it recommends for groups.
const MAX_PAGE_SIZE: usize = 200;

const MIN_PAGE_SIZE: usize = 25;

/// The shortest part of a prefix that is looked for anywhere in the names of groups.
const MIN_STEM_CHARS: usize = 4;

/// Matches all users. A list without a search omits deprovisioned users.
const ALL_USERS: &str = "status pr";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub step: ReadStep,
    /// The number of records read: users, groups, or groups with members.
    pub done: usize,
    /// None until Okta has listed them.
    pub total: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStep {
    ReadingUsers,
    ReadingGroups,
    /// Of each of the groups.
    ReadingMembers,
}

/// Is called after each page.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A client of one Okta org.
pub struct OktaClient {
    http: HttpClient,
    authorizer: Authorizer,
    limits: Arc<OrgLimits>,
    rate_limit_percent: u8,
    retry_policy: RetryPolicy,
    parallel_reads: usize,
    /// The attributes of users' profiles that are kept besides the fields of [`Person`].
    kept_attributes: RwLock<Arc<[AttributeName]>>,
}

impl OktaClient {
    /// Sends nothing.
    pub fn new(config: OktaConfig) -> Result<Self, OktaError> {
        config.check_org_url()?;
        let authorizer = Authorizer::new(config.credential, &config.org_url)?;
        let mut base = config.org_url;
        base.set_path("/api/v1");
        Ok(Self {
            http: HttpClient::new(Service::Okta, base, None, &config.request_limits)?,
            authorizer,
            limits: Arc::default(),
            rate_limit_percent: config.rate_limit_percent,
            retry_policy: config.retry_policy,
            parallel_reads: config.parallel_reads.max(1),
            kept_attributes: RwLock::default(),
        })
    }

    /// Keeps these attributes of each user that is read from now on, besides the fields of [`Person`].
    pub fn keep_attributes(&self, names: impl IntoIterator<Item = AttributeName>) {
        *self.kept_attributes.write() = names.into_iter().collect();
    }

    fn kept_attributes(&self) -> Arc<[AttributeName]> {
        self.kept_attributes.read().clone()
    }

    pub fn with_observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.http.set_observer(observer);
        self
    }

    /// Records in `rate_limit_wait` until when the client waits for a rate limit.
    pub fn with_rate_limit_wait(mut self, rate_limit_wait: Arc<RateLimitWait>) -> Self {
        self.http.set_rate_limit_wait(rate_limit_wait);
        self
    }

    /// Shares `limits` with other clients of the org: each of them waits once all of them together
    /// have made the share of the calls that its own percentage allows.
    pub fn with_limits(mut self, limits: Arc<OrgLimits>) -> Self {
        self.limits = limits;
        self
    }

    /// Reads all users, and the groups whose name starts with exactly `prefix`. The mark is None if
    /// Okta's responses have no date.
    pub async fn directory(
        &self,
        prefix: &str,
        progress: OnProgress<'_>,
    ) -> Result<(Directory, Option<Mark>), OktaError> {
        let (users, groups) = futures::try_join!(
            self.list_all_users::<User, Person>(progress),
            self.list_all_team_groups(prefix, progress),
        )?;
        let mark = earlier(users.began, groups.began).map(Mark::at);
        let directory = Directory::new(users.items, groups.groups)
            .with_lookalikes(groups.lookalikes)
            .with_unreadable(users.unreadable.into_iter().chain(groups.unreadable));
        let read = self.read_hidden(directory.hidden(), directory.groups().values(), progress);
        let (members, unreadable) = read.await?;
        Ok((directory.with_members(members).with_unreadable(unreadable), mark))
    }

    /// Reads the records of `hidden` members, whom the search for users does not show, from the lists of the
    /// `groups` that have them. The first read keeps no records of members: those of all would take as much memory
    /// as the users.
    async fn read_hidden<'a>(
        &self,
        hidden: &BTreeSet<PersonId>,
        groups: impl Iterator<Item = &'a TeamGroup>,
        progress: OnProgress<'_>,
    ) -> Result<(Vec<Person>, Vec<Unreadable>), OktaError> {
        let mut left = hidden.clone();
        let with_hidden = groups.filter(|group| {
            let before = left.len();
            left.retain(|id| !group.members.contains(id));
            left.len() < before
        });
        let groups: Vec<GroupId> = with_hidden.map(|group| group.id.clone()).collect();
        let total = groups.len();
        let reads = groups.into_iter().map(|group| async move {
            let members = self.list_members::<User, WholeMember>(&group).await?;
            let Some(members) = members else {
                return Ok::<_, OktaError>((Vec::new(), Vec::new()));
            };
            let people = members.items.into_inner().into_iter();
            let people = people
                .filter_map(|WholeMember(person)| person)
                .filter(|person| hidden.contains(&person.id));
            // One without an ID was passed over when the list was read for the first time.
            let is_hidden = |id: &String| hidden.contains(&id.as_str().into());
            let unreadable = members.unreadable.into_iter();
            let unreadable = unreadable.filter(|record| record.id.as_ref().is_some_and(is_hidden));
            Ok((people.collect::<Vec<_>>(), unreadable.collect::<Vec<_>>()))
        });
        let reads: Vec<_> = reads.collect();
        let mut reads = stream::iter(reads)
            .buffer_unordered(self.parallel_reads)
            .enumerate();
        let (mut people, mut unreadable) = (Vec::new(), Vec::new());
        while let Some((done, members)) = reads.next().await {
            let members = members?;
            people.extend(members.0);
            unreadable.extend(members.1);
            progress(Progress {
                step: ReadStep::ReadingMembers,
                done: done + 1,
                total: Some(total),
            });
        }
        Ok((people, unreadable))
    }

    /// All users, whatever their status.
    pub async fn users(&self, progress: OnProgress<'_>) -> Result<Complete<Vec<Person>>, OktaError> {
        Ok(self.list_all_users::<User, Person>(progress).await?.items)
    }

    /// The records of [`users`](Self::users) as Okta writes them.
    pub async fn users_json(&self, progress: OnProgress<'_>) -> Result<Complete<Vec<Value>>, OktaError> {
        Ok(self.list_all_users::<Value, Value>(progress).await?.items)
    }

    async fn list_all_users<R, T>(&self, progress: OnProgress<'_>) -> Result<Listing<T>, OktaError>
    where
        R: Record,
        T: FromRecord<R>,
    {
        let users = self.list_users::<R, T>(ALL_USERS, None, progress).await?;
        if users.items.is_empty() {
            let call = self.http.call(Method::GET, &self.http.url(&["users"], &[]));
            return Err(OktaError::NoUsers { call });
        }
        Ok(users)
    }

    /// Okta responds with a 500 if a page takes too long. The list is then read again from its start
    /// with half the page size, because a cursor is valid for its page size only.
    async fn list_users<R, T>(
        &self,
        search: &str,
        max_records: Option<usize>,
        progress: OnProgress<'_>,
    ) -> Result<Listing<T>, OktaError>
    where
        R: Record,
        T: FromRecord<R>,
    {
        let mut backoff = Backoff::new(&self.retry_policy);
        let mut page_size = MAX_PAGE_SIZE;
        let on_page = |done| {
            progress(Progress {
                step: ReadStep::ReadingUsers,
                done,
                total: None,
            })
        };
        loop {
            let first = self.http.url(
                &["users"],
                &[("search", search), ("limit", &page_size.to_string())],
            );
            let request = PagedRequest {
                operation: Operation::ListUsers,
                bucket: Bucket::Users,
                first,
                page_size,
                max_records,
                on_page: &on_page,
            };
            match self.list::<R, T>(request).await {
                Err(error) if error.is_internal_error() && page_size > MIN_PAGE_SIZE => {
                    page_size /= 2;
                    let delay = backoff.delay();
                    self.http.wait(WaitCause::Backoff, delay).await;
                }
                result => return result,
            }
        }
    }

    /// The groups whose name starts with exactly `prefix`.
    pub async fn groups(&self, prefix: &str) -> Result<Complete<Vec<GroupHead>>, OktaError> {
        let groups: Listing<GroupHead> = self
            .list_groups::<GroupHead, _>(&with_prefix(prefix), None)
            .await?;
        let (exact, _) = by_prefix(groups.items, prefix);
        Ok(Complete::from_all_pages(exact))
    }

    /// The groups whose name has `prefix` in any case, as far as Okta finds them, as Okta writes them.
    pub async fn groups_json(&self, prefix: &str) -> Result<Complete<Vec<Value>>, OktaError> {
        let groups: Listing<Value> = match self.list_groups::<Value, _>(&with_lookalikes(prefix), None).await
        {
            Err(error) if error.is_bad_search() => {
                self.list_groups::<Value, _>(&with_prefix(prefix), None).await?
            }
            result => result?,
        };
        Ok(groups.items)
    }

    async fn list_groups<R, T>(
        &self,
        search: &str,
        max_records: Option<usize>,
    ) -> Result<Listing<T>, OktaError>
    where
        R: Record,
        T: FromRecord<R>,
    {
        let limit = MAX_PAGE_SIZE.to_string();
        self.list::<R, T>(PagedRequest {
            operation: Operation::ListGroups,
            bucket: Bucket::Groups,
            first: self
                .http
                .url(&["groups"], &[("search", search), ("limit", &limit)]),
            page_size: MAX_PAGE_SIZE,
            max_records,
            on_page: &|_| (),
        })
        .await
    }

    /// The members of a group, as Okta writes them, or None if the group was deleted.
    pub async fn members_json(&self, group: &GroupId) -> Result<Option<Complete<Vec<Value>>>, OktaError> {
        let members = self.list_members::<Value, Value>(group).await?;
        Ok(members.map(|members| members.items))
    }

    /// The members of a group, whatever their status, or None if the group was deleted since a list showed it.
    async fn list_members<R, T>(&self, group: &GroupId) -> Result<Option<Listing<T>>, OktaError>
    where
        R: Record,
        T: FromRecord<R>,
    {
        if !is_path_segment(group.as_str()) {
            let (service, id) = (Service::Okta, clip(group.as_str(), 50));
            return Err(HttpError::InvalidId { service, id }.into());
        }
        let limit = MAX_PAGE_SIZE.to_string();
        let members = self.list::<R, T>(PagedRequest {
            operation: Operation::ListMembers,
            bucket: Bucket::Groups,
            first: self
                .http
                .url(&["groups", group.as_str(), "users"], &[("limit", &limit)]),
            page_size: MAX_PAGE_SIZE,
            max_records: None,
            on_page: &|_| (),
        });
        match members.await {
            Ok(members) => Ok(Some(members)),
            Err(error) if error.is_not_found() => match self.group_exists(group).await? {
                true => Err(error),
                false => Ok(None),
            },
            Err(error) => Err(error),
        }
    }

    /// Whether Okta, asked by id, has the group.
    async fn group_exists(&self, group: &GroupId) -> Result<bool, OktaError> {
        let url = self.http.url(&["groups", group.as_str()], &[]);
        let read = self.read::<IgnoredAny>(Operation::GetGroup, Bucket::Group, &url);
        match read.await {
            Ok(_) => Ok(true),
            Err(error) if error.is_nonexistent() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The groups whose name starts with exactly `prefix`, with their members.
    pub async fn team_groups(
        &self,
        prefix: &str,
        progress: OnProgress<'_>,
    ) -> Result<Complete<Vec<TeamGroup>>, OktaError> {
        let found = self
            .list_team_groups(&with_prefix(prefix), prefix, None, progress)
            .await?;
        Ok(found.groups)
    }

    /// The groups that [`with_lookalikes`] finds, or [`with_prefix`] if the org does not accept that search.
    async fn list_all_team_groups(
        &self,
        prefix: &str,
        progress: OnProgress<'_>,
    ) -> Result<FoundGroups, OktaError> {
        let search = with_lookalikes(prefix);
        match self.list_team_groups(&search, prefix, None, progress).await {
            Err(error) if error.is_bad_search() => {
                self.list_team_groups(&with_prefix(prefix), prefix, None, progress)
                    .await
            }
            result => result,
        }
    }

    /// The groups that `search` finds, with the members of those that have exactly the prefix, or whose name cannot
    /// be read. A group that was deleted since the search counts as not found.
    async fn list_team_groups(
        &self,
        search: &str,
        prefix: &str,
        max_records: Option<usize>,
        progress: OnProgress<'_>,
    ) -> Result<FoundGroups, OktaError> {
        progress(Progress {
            step: ReadStep::ReadingGroups,
            done: 0,
            total: None,
        });
        let found: Listing<GroupHead> = self.list_groups::<GroupHead, _>(search, max_records).await?;
        let (mut heads, others) = by_prefix(found.items, prefix);
        heads.extend(found.unreadable.iter().filter_map(wire::unreadable_head));
        let total = heads.len();
        let report = |done| {
            progress(Progress {
                step: ReadStep::ReadingMembers,
                done,
                total: Some(total),
            })
        };
        report(0);
        let reads: Vec<_> = heads.into_iter().map(|head| self.team_group(head)).collect();
        let mut reads = stream::iter(reads).buffer_unordered(self.parallel_reads);
        let mut groups = Vec::with_capacity(total);
        let mut unreadable = found.unreadable;
        let mut done = 0;
        while let Some(group) = reads.try_next().await? {
            if let Some((group, members)) = group {
                groups.push(group);
                unreadable.extend(members);
            }
            done += 1;
            report(done);
        }
        Ok(FoundGroups {
            groups: Complete::from_all_pages(groups),
            lookalikes: others.into_iter().map(|head| (head.id, head.name)).collect(),
            unreadable,
            began: found.began,
        })
    }

    /// A group with its members, and those whose ID cannot be read.
    async fn team_group(&self, head: GroupHead) -> Result<Option<(TeamGroup, Vec<Unreadable>)>, OktaError> {
        let Some(members) = self.list_members::<Member, PersonId>(&head.id).await? else {
            return Ok(None);
        };
        let mut unreadable = members.unreadable;
        for member in &mut unreadable {
            member.group = Some(head.id.clone());
        }
        let group = TeamGroup {
            id: head.id,
            name: head.name,
            members: members.items.into_inner().into_iter().collect(),
        };
        Ok(Some((group, unreadable)))
    }

    /// Returns the user, or None if Okta says that there is none. Unlike a list, the record is up to
    /// date.
    pub async fn user(&self, id: &PersonId) -> Result<Option<Person>, OktaError> {
        if !is_path_segment(id.as_str()) {
            return Ok(None);
        }
        let url = self.http.url(&["users", id.as_str()], &[]);
        let call = self.http.call(Method::GET, &url);
        match self.read::<Value>(Operation::GetUser, Bucket::User, &url).await {
            Ok((user, _)) => match person(user, &self.kept_attributes()) {
                // Okta also accepts a login: then the record has another ID.
                Ok(person) => Ok((person.id == *id).then_some(person)),
                Err(record) => {
                    let problem = format!("cannot be read: {record}");
                    Err(HttpError::invalid_response(&call, problem).into())
                }
            },
            Err(error) if error.is_nonexistent() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct FoundGroups {
    groups: Complete<Vec<TeamGroup>>,
    /// The other groups that were found, by name.
    lookalikes: BTreeMap<GroupId, String>,
    /// Groups whose name cannot be read, and members whose ID cannot.
    unreadable: Vec<Unreadable>,
    /// By Okta's clock.
    began: Option<Timestamp>,
}

/// A search for groups. It ignores case.
fn with_prefix(prefix: &str) -> String {
    format!("profile.name sw {}", quoted(prefix))
}

/// A search for groups, which also finds those that have the prefix elsewhere in their name, or end it otherwise: they
/// look as if they were meant to be team groups. A short prefix is in too many names.
fn with_lookalikes(prefix: &str) -> String {
    let stem = prefix.trim_end_matches(|c: char| !c.is_alphanumeric());
    if stem.chars().count() < MIN_STEM_CHARS {
        return with_prefix(prefix);
    }
    format!("{} or profile.name co {}", with_prefix(prefix), quoted(stem))
}

/// Separates groups whose name starts with exactly `prefix` from all others.
fn by_prefix(groups: Complete<Vec<GroupHead>>, prefix: &str) -> (Vec<GroupHead>, Vec<GroupHead>) {
    groups
        .into_inner()
        .into_iter()
        .partition(|group| group.name.starts_with(prefix))
}

/// Returns the earlier of two times, or None if either is unknown.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    Some(one?.min(other?))
}

/// A string literal of Okta's search language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn groups_that_look_meant_are_found_by_the_same_search() {
        for (prefix, search) in [
            (
                "OKTA_INSGRP_",
                r#"profile.name sw "OKTA_INSGRP_" or profile.name co "OKTA_INSGRP""#,
            ),
            ("Team", r#"profile.name sw "Team" or profile.name co "Team""#),
            ("P_", r#"profile.name sw "P_""#),
            ("IT --", r#"profile.name sw "IT --""#),
        ] {
            assert_eq!(with_lookalikes(prefix), search);
        }
    }

    #[test]
    fn a_prefix_cannot_end_its_quotes() {
        assert_eq!(quoted("OKTA_INSGRP_"), r#""OKTA_INSGRP_""#);
        assert_eq!(quoted(r#"a" or id pr or "\"#), r#""a\" or id pr or \"\\""#);
    }

    #[test]
    fn futures_are_send() {
        fn send<T: Send>(_: T) {}
        let client = OktaClient::new(OktaConfig::new(
            Url::parse("https://acme.okta.com").unwrap(),
            "token",
        ))
        .unwrap();
        send(client.users(&|_| ()));
        send(client.team_groups("P_", &|_| ()));
        assert_eq!(
            client.http.url(&["users"], &[("a", "b c")]).as_str(),
            "https://acme.okta.com/api/v1/users?a=b+c"
        );
    }
}
