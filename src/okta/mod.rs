//! Okta's Management API, as far as the operator reads it. Nothing here writes to Okta.

mod changes;
mod config;
mod error;
mod error_body;
mod link_header;
mod pages;
mod rate_limit;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::http::{
    Backoff, Call, CallObserver, Operation, RetryPolicy, Service, Transport, WaitCause, Waits, clip,
    is_path_segment,
};
use crate::model::{Complete, Directory, GroupId, Mark, Person, PersonId, TeamGroup};

pub use config::{Credentials, OktaConfig};
pub use error::OktaError;
pub use error_body::ErrorBody;
pub use rate_limit::OrgLimits;
pub use wire::{GroupHead, group_head, person};

use config::Authorization;
use pages::{Listing, Pages};
use rate_limit::Bucket;
use wire::{Member, User};

/// What Okta recommends at most, and the most that it gives for users.
const PAGE_SIZE: usize = 200;

/// Where halving the page of users ends.
const SMALLEST_PAGE: usize = 25;

/// A search that is true of everybody; a list without a search omits who has left.
const EVERYBODY: &str = "status pr";

/// How far a read has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub step: ReadStep,
    /// How many are read: users, groups, or groups whose members are read.
    pub done: usize,
    /// How many there are, where it is known beforehand.
    pub total: Option<usize>,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStep {
    /// All users, or those who changed.
    ReadingUsers,
    /// The groups with the prefix, or those that changed.
    ReadingGroups,
    /// The members of each of these groups.
    ReadingMembers,
}

/// Hears how far a read has come, after each page.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A client of one Okta org.
pub struct OktaClient {
    api: Url,
    authorization: Authorization,
    transport: Transport,
    limits: Arc<OrgLimits>,
    rate_limit_percent: u8,
    retry_policy: RetryPolicy,
    parallel_reads: usize,
}

impl OktaClient {
    /// A client of the org in `config`. Nothing is sent yet.
    pub fn new(config: OktaConfig) -> Result<Self, OktaError> {
        config.check_org_url()?;
        let authorization = Authorization::new(&config.credentials)?;
        let transport = Transport::new(&config.org_url, &config.bounds)?;
        let mut api = config.org_url;
        api.set_path("/api/v1");
        Ok(Self {
            api,
            authorization,
            transport,
            limits: Arc::default(),
            rate_limit_percent: config.rate_limit_percent,
            retry_policy: config.retry_policy,
            parallel_reads: config.parallel_reads.max(1),
        })
    }

    /// The same client, telling `observer` of each call and wait.
    pub fn observed_by(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.transport.observed_by(observer);
        self
    }

    /// The same client, noting in `waits` until when it waits for a rate limit.
    pub fn showing_waits(mut self, waits: Arc<Waits>) -> Self {
        self.transport.showing_waits(waits);
        self
    }

    /// The same client, counting its calls together with all others of the org that share
    /// `limits`. Each stays within its own percentage of what they make together.
    pub fn sharing(mut self, limits: Arc<OrgLimits>) -> Self {
        self.limits = limits;
        self
    }

    /// Every user of the org and every group whose name starts with exactly `prefix`, and how far
    /// that follows Okta; no mark where Okta's answers do not tell its time.
    pub async fn directory(
        &self,
        prefix: &str,
        progress: OnProgress<'_>,
    ) -> Result<(Directory, Option<Mark>), OktaError> {
        let of_groups = with_prefix(prefix);
        let (users, groups) = futures::try_join!(
            self.list_everybody::<User, Person>(progress),
            self.list_team_groups(&of_groups, prefix, None, progress),
        )?;
        let mark = earlier(users.began, groups.began).map(Mark::at);
        Ok((Directory::of(users.items, groups.groups), mark))
    }

    /// Every user of the org, whatever the status.
    pub async fn users(&self, progress: OnProgress<'_>) -> Result<Complete<Vec<Person>>, OktaError> {
        Ok(self.list_everybody::<User, Person>(progress).await?.items)
    }

    /// [`users`](Self::users) as Okta wrote them.
    pub async fn users_json(&self, progress: OnProgress<'_>) -> Result<Complete<Vec<Value>>, OktaError> {
        Ok(self.list_everybody::<Value, Value>(progress).await?.items)
    }

    async fn list_everybody<R, T>(&self, progress: OnProgress<'_>) -> Result<Listing<T>, OktaError>
    where
        R: DeserializeOwned,
        T: From<R>,
    {
        let users = self.list_users::<R, T>(EVERYBODY, None, progress).await?;
        if users.items.is_empty() {
            let call = Call::new(Method::GET, &self.url(&["users"], &[]));
            let what = "is an empty list, but an org has at least the token's creator";
            return Err(OktaError::broken(&call, what));
        }
        Ok(users)
    }

    /// The users that a search finds.
    ///
    /// Okta answers 500 when a page takes it too long. The list is then read anew with half the
    /// page, for a cursor belongs to the page size that it was made with.
    async fn list_users<R, T>(
        &self,
        search: &str,
        at_most: Option<usize>,
        progress: OnProgress<'_>,
    ) -> Result<Listing<T>, OktaError>
    where
        R: DeserializeOwned,
        T: From<R>,
    {
        let mut backoff = Backoff::new(&self.retry_policy);
        let mut page_size = PAGE_SIZE;
        let on_page = |done| {
            progress(Progress {
                step: ReadStep::ReadingUsers,
                done,
                total: None,
            })
        };
        loop {
            let first = self.url(
                &["users"],
                &[("search", search), ("limit", &page_size.to_string())],
            );
            let pages = Pages {
                operation: Operation::ListUsers,
                bucket: Bucket::Users,
                first,
                page_size,
                at_most,
                on_page: &on_page,
            };
            match self.list::<R, T>(pages).await {
                Err(error) if error.is_internal_error() && page_size > SMALLEST_PAGE => {
                    page_size /= 2;
                    let delay = backoff.delay();
                    self.transport
                        .wait(Service::Okta, WaitCause::Backoff, delay)
                        .await;
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
        Ok(Complete::last_page_read(exact))
    }

    /// The groups whose name starts with `prefix` in any case, as Okta wrote them.
    pub async fn groups_json(&self, prefix: &str) -> Result<Complete<Vec<Value>>, OktaError> {
        let groups: Listing<Value> = self.list_groups::<Value, _>(&with_prefix(prefix), None).await?;
        Ok(groups.items)
    }

    async fn list_groups<R, T>(&self, search: &str, at_most: Option<usize>) -> Result<Listing<T>, OktaError>
    where
        R: DeserializeOwned,
        T: From<R>,
    {
        let limit = PAGE_SIZE.to_string();
        self.list::<R, T>(Pages {
            operation: Operation::ListGroups,
            bucket: Bucket::Groups,
            first: self.url(&["groups"], &[("search", search), ("limit", &limit)]),
            page_size: PAGE_SIZE,
            at_most,
            on_page: &|_| (),
        })
        .await
    }

    /// The ids of the members of one group, whatever their status.
    pub async fn members(&self, group: &GroupId) -> Result<Complete<Vec<PersonId>>, OktaError> {
        self.list_members::<Member, PersonId>(group).await
    }

    /// The members of one group as Okta wrote them.
    pub async fn members_json(&self, group: &GroupId) -> Result<Complete<Vec<Value>>, OktaError> {
        self.list_members::<Value, Value>(group).await
    }

    async fn list_members<R, T>(&self, group: &GroupId) -> Result<Complete<Vec<T>>, OktaError>
    where
        R: DeserializeOwned,
        T: From<R>,
    {
        if !is_path_segment(group.as_str()) {
            return Err(OktaError::InvalidId {
                id: clip(group.as_str(), 50),
            });
        }
        let limit = PAGE_SIZE.to_string();
        let members = self.list::<R, T>(Pages {
            operation: Operation::ListMembers,
            bucket: Bucket::Groups,
            first: self.url(&["groups", group.as_str(), "users"], &[("limit", &limit)]),
            page_size: PAGE_SIZE,
            at_most: None,
            on_page: &|_| (),
        });
        Ok(members.await?.items)
    }

    /// The groups whose name starts with exactly `prefix`, with their members. One page that
    /// fails fails the whole.
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

    /// The groups that `search` finds, with the members of those that have the prefix.
    async fn list_team_groups(
        &self,
        search: &str,
        prefix: &str,
        at_most: Option<usize>,
        progress: OnProgress<'_>,
    ) -> Result<FoundGroups, OktaError> {
        progress(Progress {
            step: ReadStep::ReadingGroups,
            done: 0,
            total: None,
        });
        let found: Listing<GroupHead> = self.list_groups::<GroupHead, _>(search, at_most).await?;
        let (heads, others) = by_prefix(found.items, prefix);
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
        while let Some(group) = reads.try_next().await? {
            groups.push(group);
            report(groups.len());
        }
        Ok(FoundGroups {
            groups: Complete::last_page_read(groups),
            without_prefix: others.into_iter().map(|head| head.id).collect(),
            began: found.began,
        })
    }

    async fn team_group(&self, head: GroupHead) -> Result<TeamGroup, OktaError> {
        let members = self.members(&head.id).await?.into_inner();
        Ok(TeamGroup {
            id: head.id,
            name: head.name,
            members: members.into_iter().collect(),
        })
    }

    /// The user with this id, None if Okta says that there is none. Unlike lists, which lag
    /// behind by a moment, this is the present truth.
    pub async fn user(&self, id: &PersonId) -> Result<Option<Person>, OktaError> {
        if !is_path_segment(id.as_str()) {
            return Ok(None);
        }
        let url = self.url(&["users", id.as_str()], &[]);
        let call = Call::new(Method::GET, &url);
        match self.read::<Value>(Operation::GetUser, Bucket::User, &url).await {
            Ok((user, _)) => match person(user) {
                // Okta also finds a user by login: then nobody has this id.
                Ok(person) => Ok((person.id == *id).then_some(person)),
                Err(error) => Err(OktaError::unreadable(&call, &error)),
            },
            Err(error) if error.says_nonexistent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// What a search for groups found.
struct FoundGroups {
    groups: Complete<Vec<TeamGroup>>,
    /// Groups whose name has the prefix in other letters only.
    without_prefix: BTreeSet<GroupId>,
    /// When the read began, by Okta's clock.
    began: Option<Timestamp>,
}

/// The search for the groups whose name starts with `prefix`, in any case.
fn with_prefix(prefix: &str) -> String {
    format!("profile.name sw {}", quoted(prefix))
}

/// The groups whose name starts with exactly `prefix`, and the others: Okta's search does not
/// tell upper from lower case.
fn by_prefix(groups: Complete<Vec<GroupHead>>, prefix: &str) -> (Vec<GroupHead>, Vec<GroupHead>) {
    groups
        .into_inner()
        .into_iter()
        .partition(|group| group.name.starts_with(prefix))
}

/// The earlier of two times, None if one is not known.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    Some(one?.min(other?))
}

/// A string in Okta's search language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_cannot_leave_its_quotes() {
        assert_eq!(quoted("OKTA_INSGRP_"), r#""OKTA_INSGRP_""#);
        assert_eq!(quoted(r#"a" or id pr or "\"#), r#""a\" or id pr or \"\\""#);
    }

    #[test]
    fn reads_can_run_on_another_thread() {
        fn send<T: Send>(_: T) {}
        let client = OktaClient::new(OktaConfig::new(
            Url::parse("https://acme.okta.com").unwrap(),
            Credentials::ApiToken("token".into()),
        ))
        .unwrap();
        send(client.users(&|_| ()));
        send(client.team_groups("P_", &|_| ()));
        assert_eq!(
            client.url(&["users"], &[("a", "b c")]).as_str(),
            "https://acme.okta.com/api/v1/users?a=b+c"
        );
    }
}
