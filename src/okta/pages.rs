//! One call, and a list from its first page to its last.

use std::collections::HashSet;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use super::rate_limit::{Bucket, NotYet, Permit, RateHeaders};
use super::{Authorization, OktaClient, OktaError, link_header};
use crate::http::{Call, Operation, Retries, Service, WaitCause, http_date};
use crate::model::Complete;

/// Leaves out what the operator does not read and what is slow for Okta to gather.
const TRIMMED: &str =
    "application/json; okta-response=\"omitCredentials,omitCredentialsLinks,omitTransitioningToStatus\"";

/// A list to be read.
pub(super) struct Pages<'a> {
    pub(super) operation: Operation,
    pub(super) bucket: Bucket,
    pub(super) first: Url,
    pub(super) page_size: usize,
    /// How many records at most make sense; more are an error, and are not read.
    pub(super) at_most: Option<usize>,
    /// Told after each page how many records there are so far.
    pub(super) on_page: &'a (dyn Fn(usize) + Send + Sync),
}

/// A list that was read to its end.
pub(super) struct Listing<T> {
    pub(super) items: Complete<Vec<T>>,
    /// When the first page was answered, by Okta's clock; None if Okta did not say.
    pub(super) began: Option<Timestamp>,
}

impl OktaClient {
    /// All pages from the first on, each turned into what is kept of it as it comes: an org as
    /// Okta writes it takes many times the memory. Okta's end of a list is a page that names no
    /// next one.
    pub(super) async fn list<R, T>(&self, pages: Pages<'_>) -> Result<Listing<T>, OktaError>
    where
        R: DeserializeOwned,
        T: From<R>,
    {
        let Pages {
            operation,
            bucket,
            first,
            page_size,
            at_most,
            on_page,
        } = pages;
        let mut items = Vec::new();
        let mut began = None;
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            let call = Call::new(Method::GET, &url);
            if seen.contains(&url) {
                return Err(OktaError::PaginationLoop { call });
            }
            let (page, headers) = self.read::<Vec<R>>(operation, bucket, &url).await?;
            if seen.is_empty() {
                began = headers.get(DATE).and_then(http_date);
            }
            next = link_header::next(&headers, &url, page.len() >= page_size, &call)?;
            seen.insert(url);
            items.extend(page.into_iter().map(T::from));
            if at_most.is_some_and(|most| items.len() > most) {
                let what = format!("there are more than {} changes", items.len() - 1);
                return Err(OktaError::DeltaUnusable { call, what });
            }
            on_page(items.len());
        }
        Ok(Listing {
            items: Complete::last_page_read(items),
            began,
        })
    }

    /// One GET, tried again as long as that may help.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        operation: Operation,
        bucket: Bucket,
        url: &Url,
    ) -> Result<(T, HeaderMap), OktaError> {
        let call = Call::new(Method::GET, url);
        let mut retries = Retries::new(&self.retry_policy);
        let mut retry_for: Option<String> = None;
        let mut retry_count = 0u32;
        loop {
            let permit = self.admit(bucket, &call).await?;
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
            let Some(wait) = retries.next(cause, error.retryability()) else {
                return Err(error);
            };
            self.transport.wait(Service::Okta, cause, wait).await;
        }
    }

    /// Waits until our share of the bucket allows another call.
    async fn admit(&self, bucket: Bucket, call: &Call) -> Result<Permit<'_>, OktaError> {
        loop {
            let answer = self.limits.next_answer();
            let now = Instant::now();
            match self.limits.admit(bucket, self.rate_limit_percent, now) {
                Ok(permit) => return Ok(permit),
                // The answer comes within the bounds of its call.
                Err(NotYet::UntilAnAnswer) => answer.await,
                Err(NotYet::Until(until)) => {
                    let wait = until - now;
                    if wait > self.retry_policy.longest_wait {
                        return Err(OktaError::ShareUsed {
                            call: call.clone(),
                            wait,
                        });
                    }
                    self.transport
                        .wait(Service::Okta, WaitCause::OurShare, wait)
                        .await;
                }
            }
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
        let rate = RateHeaders::read(&answer.headers);
        // An error without the headers may come from a proxy: it says nothing of Okta.
        if rate.is_some() || answer.status == 200 {
            permit.answered(rate.as_ref(), Instant::now());
        }
        if let Some(budget) = permit.budget() {
            self.transport.tell_budget(budget);
        }
        if answer.status != 200 {
            return Err(OktaError::refused(call, &answer, rate));
        }
        match serde_json::from_slice(&answer.body) {
            Ok(value) => Ok((value, answer.headers)),
            Err(error) => Err(OktaError::unreadable(call, &error)),
        }
    }

    fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.authorization {
            Authorization::ApiToken(header) => request.header(AUTHORIZATION, header),
        }
    }
}
