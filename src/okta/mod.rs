//! Okta's Management API, as far as the operator reads it. Nothing here writes to Okta.

mod config;
mod error;
mod limits;
mod links;
mod records;
mod refusal;

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::snapshot::{Complete, GroupId, Person, PersonId, TeamGroup};
use crate::transport::{
    Backoff, Call, CallObserver, Operation, Patience, Retries, Transport, WaitCause, clip, is_path_segment,
};

pub use config::{Credentials, OktaConfig};
pub use error::OktaError;
pub use records::{GroupHead, group_head, person};
pub use refusal::Refusal;

use config::Authorization;
use limits::{Bucket, Permit, Throttle};

/// What Okta recommends at most, and the most that it gives for users.
const PAGE_SIZE: usize = 200;

/// Where halving the page of users ends.
const SMALLEST_PAGE: usize = 25;

/// Leaves out what the operator does not read and what is slow for Okta to gather.
const TRIMMED: &str =
    "application/json; okta-response=\"omitCredentials,omitCredentialsLinks,omitTransitioningToStatus\"";

/// How far a read has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub step: Step,
    /// How many are read: users, groups, or groups whose members are read.
    pub done: usize,
    /// How many there are, where it is known beforehand.
    pub total: Option<usize>,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All users.
    ReadingUsers,
    /// The groups with the prefix.
    ReadingGroups,
    /// The members of each group.
    ReadingMembers,
}

/// Hears how far a read has come, after each page.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A client of one Okta org.
pub struct OktaClient {
    api: Url,
    authorization: Authorization,
    transport: Transport,
    throttle: Throttle,
    patience: Patience,
    parallel_reads: usize,
}

impl OktaClient {
    /// A client of the org in `config`. Nothing is sent yet.
    pub fn new(config: OktaConfig) -> Result<Self, OktaError> {
        config.check_org_url()?;
        let authorization = Authorization::new(&config.credentials)?;
        let transport = Transport::new(&config.org_url, &config.bounds).map_err(OktaError::NoHttps)?;
        let mut api = config.org_url;
        api.set_path("/api/v1");
        Ok(Self {
            api,
            authorization,
            transport,
            throttle: Throttle::new(config.rate_limit_percent),
            patience: config.patience,
            parallel_reads: config.parallel_reads.max(1),
        })
    }

    /// The same client, telling `observer` of each call and wait.
    pub fn observed_by(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.transport.observed_by(observer);
        self
    }

    /// Every user of the org, whatever the status.
    pub async fn users(&self, progress: OnProgress<'_>) -> Result<Complete<Vec<Person>>, OktaError> {
        let call = Call::new(Method::GET, &self.url(&["users"], &[]));
        parsed(self.users_json(progress).await?, &call, person)
    }

    /// [`users`](Self::users) as Okta wrote them.
    ///
    /// Okta answers 500 when a page takes it too long. The list is then read anew with half the
    /// page, for a cursor belongs to the page size that it was made with.
    pub async fn users_json(&self, progress: OnProgress<'_>) -> Result<Complete<Vec<Value>>, OktaError> {
        let mut backoff = Backoff::new(&self.patience);
        let mut page_size = PAGE_SIZE;
        loop {
            // `status pr` is true of everybody; a list without a search omits who has left.
            let url = self.url(
                &["users"],
                &[("search", "status pr"), ("limit", &page_size.to_string())],
            );
            let on_page = |done| {
                progress(Progress {
                    step: Step::ReadingUsers,
                    done,
                    total: None,
                })
            };
            match self
                .list(Operation::ListUsers, Bucket::Users, url, page_size, &on_page)
                .await
            {
                Err(error) if error.is_internal_error() && page_size > SMALLEST_PAGE => {
                    page_size /= 2;
                    let delay = backoff.delay();
                    self.transport
                        .wait(Operation::ListUsers, WaitCause::Backoff, delay)
                        .await;
                }
                Ok(users) if users.is_empty() => {
                    let call = Call::new(Method::GET, &self.url(&["users"], &[]));
                    let what = "is an empty list, but an org has at least the token's creator".to_owned();
                    return Err(OktaError::BrokenAnswer { call, what });
                }
                result => return result,
            }
        }
    }

    /// The groups whose name starts with exactly `prefix`.
    pub async fn groups(&self, prefix: &str) -> Result<Complete<Vec<GroupHead>>, OktaError> {
        let call = Call::new(Method::GET, &self.url(&["groups"], &[]));
        let groups = parsed(self.groups_json(prefix).await?, &call, group_head)?.into_inner();
        // Okta's search does not tell upper from lower case.
        let exact = groups
            .into_iter()
            .filter(|group| group.name.starts_with(prefix))
            .collect();
        Ok(Complete::last_page_read(exact))
    }

    /// The groups whose name starts with `prefix` in any case, as Okta wrote them.
    pub async fn groups_json(&self, prefix: &str) -> Result<Complete<Vec<Value>>, OktaError> {
        let search = format!("profile.name sw {}", quoted(prefix));
        let url = self.url(
            &["groups"],
            &[("search", &search), ("limit", &PAGE_SIZE.to_string())],
        );
        self.list(Operation::ListGroups, Bucket::Groups, url, PAGE_SIZE, &|_| ())
            .await
    }

    /// The members of one group, whatever their status.
    pub async fn members(&self, group: &GroupId) -> Result<Complete<Vec<Person>>, OktaError> {
        let call = Call::new(Method::GET, &self.url(&["groups", group.as_str(), "users"], &[]));
        parsed(self.members_json(group).await?, &call, person)
    }

    /// [`members`](Self::members) as Okta wrote them.
    pub async fn members_json(&self, group: &GroupId) -> Result<Complete<Vec<Value>>, OktaError> {
        if !is_path_segment(group.as_str()) {
            return Err(OktaError::BadId {
                id: clip(group.as_str(), 50),
            });
        }
        let limit = PAGE_SIZE.to_string();
        let url = self.url(&["groups", group.as_str(), "users"], &[("limit", &limit)]);
        self.list(Operation::ListMembers, Bucket::Groups, url, PAGE_SIZE, &|_| ())
            .await
    }

    /// The groups whose name starts with exactly `prefix`, with their members. One page that
    /// fails fails the whole.
    pub async fn team_groups(
        &self,
        prefix: &str,
        progress: OnProgress<'_>,
    ) -> Result<Complete<Vec<TeamGroup>>, OktaError> {
        progress(Progress {
            step: Step::ReadingGroups,
            done: 0,
            total: None,
        });
        let heads = self.groups(prefix).await?.into_inner();
        let total = heads.len();
        let report = |done| {
            progress(Progress {
                step: Step::ReadingMembers,
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
        Ok(Complete::last_page_read(groups))
    }

    async fn team_group(&self, head: GroupHead) -> Result<TeamGroup, OktaError> {
        let members = self.members(&head.id).await?.into_inner();
        let members = members.into_iter().map(|person| person.id).collect();
        Ok(TeamGroup {
            id: head.id,
            name: head.name,
            members,
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
                Err(error) => Err(OktaError::broken(&call, &error)),
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

    /// All pages from `first` on. Okta's end of a list is a page that names no next one.
    async fn list(
        &self,
        operation: Operation,
        bucket: Bucket,
        first: Url,
        page_size: usize,
        on_page: &(dyn Fn(usize) + Send + Sync),
    ) -> Result<Complete<Vec<Value>>, OktaError> {
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            let call = Call::new(Method::GET, &url);
            if seen.contains(&url) {
                return Err(OktaError::RepeatedNext { call });
            }
            let (page, headers) = self.read::<Vec<Value>>(operation, bucket, &url).await?;
            next = links::next(&headers, &url, page.len() >= page_size, &call)?;
            seen.insert(url);
            items.extend(page);
            on_page(items.len());
        }
        Ok(Complete::last_page_read(items))
    }

    /// One GET, tried again as long as that may help.
    async fn read<T: DeserializeOwned>(
        &self,
        operation: Operation,
        bucket: Bucket,
        url: &Url,
    ) -> Result<(T, HeaderMap), OktaError> {
        let call = Call::new(Method::GET, url);
        let mut retries = Retries::new(&self.patience);
        let mut retry_for: Option<String> = None;
        let mut retry_count = 0u32;
        loop {
            let permit = self.admit(operation, bucket, &call).await?;
            let mut request = self.authorize(self.transport.request(Method::GET, url.clone()));
            if matches!(operation, Operation::ListUsers | Operation::GetUser) {
                request = request.header(CONTENT_TYPE, TRIMMED);
            }
            if let Some(first_request) = &retry_for {
                request = request
                    .header("X-Okta-Retry-For", first_request)
                    .header("X-Okta-Retry-Count", retry_count);
            }
            let error = match self.attempt(operation, request, permit, &call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let shrinks = operation == Operation::ListUsers && error.is_internal_error();
            if !error.may_pass() || shrinks {
                return Err(error);
            }
            let cause = match error.too_many_calls() {
                Some(refusal) => {
                    retry_for = retry_for.or_else(|| refusal.request_id.clone());
                    retry_count += 1;
                    WaitCause::RateLimited
                }
                None => WaitCause::Backoff,
            };
            let Some(wait) = retries.next(cause, error.advice()) else {
                return Err(error);
            };
            self.transport.wait(operation, cause, wait).await;
        }
    }

    /// Waits until our share of the bucket allows another call.
    async fn admit(
        &self,
        operation: Operation,
        bucket: Bucket,
        call: &Call,
    ) -> Result<Permit<'_>, OktaError> {
        loop {
            let now = Instant::now();
            let wait = match self.throttle.admit(bucket, now) {
                Ok(permit) => return Ok(permit),
                Err(until) => until - now,
            };
            if wait > self.patience.longest_wait {
                return Err(OktaError::ShareUsed {
                    call: call.clone(),
                    wait,
                });
            }
            self.transport.wait(operation, WaitCause::OurShare, wait).await;
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        operation: Operation,
        request: RequestBuilder,
        permit: Permit<'_>,
        call: &Call,
    ) -> Result<(T, HeaderMap), OktaError> {
        let answer = match self.transport.exchange(operation, request).await {
            Ok(answer) => answer,
            Err(no_answer) => return Err(OktaError::without_answer(call, no_answer)),
        };
        let rate = limits::RateHeaders::read(&answer.headers);
        if let Some(rate) = &rate {
            permit.answered(rate, Instant::now());
            if let Some(budget) = permit.budget() {
                self.transport.tell_budget(budget);
            }
        }
        if answer.status != 200 {
            return Err(OktaError::refused(call, &answer, rate));
        }
        match serde_json::from_slice(&answer.body) {
            Ok(value) => Ok((value, answer.headers)),
            Err(error) => Err(OktaError::broken(call, &error)),
        }
    }

    fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.authorization {
            Authorization::ApiToken(header) => request.header(AUTHORIZATION, header),
        }
    }
}

/// Each of `items` as `parse` reads it.
fn parsed<T>(
    items: Complete<Vec<Value>>,
    call: &Call,
    parse: fn(Value) -> Result<T, serde_json::Error>,
) -> Result<Complete<Vec<T>>, OktaError> {
    let parsed: Result<Vec<T>, _> = items.into_inner().into_iter().map(parse).collect();
    match parsed {
        Ok(items) => Ok(Complete::last_page_read(items)),
        Err(error) => Err(OktaError::broken(call, &error)),
    }
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
