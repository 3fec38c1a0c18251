use std::collections::HashSet;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use super::rate_limit::{Bucket, Denied, Permit, RateHeaders};
use super::wire::FromRecord;
use super::{OktaClient, OktaError, link_header};
use crate::http::record::{Listed, Record};
use crate::http::{Call, HttpError, Operation, Retries, WaitCause, http_date};
use crate::model::{Complete, Unreadable, are_too_many};

/// Omits fields that slow Okta down. What a list shows of a transition may be out of date anyway.
const TRIMMED_LIST: &str =
    "application/json; okta-response=\"omitCredentials,omitCredentialsLinks,omitTransitioningToStatus\"";

/// The record that is read right before a write shows whether the account is being reactivated.
const TRIMMED_USER: &str = "application/json; okta-response=\"omitCredentials,omitCredentialsLinks\"";

/// How often a call is sent again at once: with the nonce that Okta asks for, and with a new access token.
const MAX_REFUSALS: u32 = 2;

/// A request for a list of all pages.
pub(super) struct PagedRequest<'a> {
    pub(super) operation: Operation,
    pub(super) bucket: Bucket,
    pub(super) first: Url,
    pub(super) page_size: usize,
    /// With more records, the read fails.
    pub(super) max_records: Option<usize>,
    /// Is called after each page with the number of records so far.
    pub(super) on_page: &'a (dyn Fn(usize) + Send + Sync),
}

pub(super) struct Listing<T> {
    pub(super) items: Complete<Vec<T>>,
    /// The records that cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// The date of the first page, by Okta's clock.
    pub(super) began: Option<Timestamp>,
}

impl OktaClient {
    /// Reads all pages. Each record is converted at once, because Okta's records take much more
    /// memory. The last page is the one without a link to a next page.
    ///
    /// # Errors
    /// [`OktaError::InvalidCursor`] if Okta rejects its own link to a next page, also after the list was read
    /// again from its beginning.
    pub(super) async fn list<R, T>(&self, request: PagedRequest<'_>) -> Result<Listing<T>, OktaError>
    where
        R: Record,
        T: FromRecord<R>,
    {
        match self.read_pages(&request).await {
            Err(OktaError::InvalidCursor { .. }) => self.read_pages(&request).await,
            result => result,
        }
    }

    async fn read_pages<R, T>(&self, request: &PagedRequest<'_>) -> Result<Listing<T>, OktaError>
    where
        R: Record,
        T: FromRecord<R>,
    {
        let kept = self.kept_attributes();
        let PagedRequest {
            operation,
            bucket,
            ref first,
            page_size,
            max_records,
            on_page,
        } = *request;
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        let mut began = None;
        let mut seen = HashSet::new();
        let mut next = Some(first.clone());
        while let Some(url) = next {
            let call = self.http.call(Method::GET, &url);
            if seen.contains(&url) {
                return Err(OktaError::PaginationLoop { call });
            }
            let (page, headers) = self.read::<Vec<Listed<R>>>(operation, bucket, &url).await?;
            if seen.is_empty() {
                began = headers.get(DATE).and_then(http_date);
            }
            next = link_header::next(&headers, &url, page.len() >= page_size, &call)?;
            seen.insert(url);
            for Listed(record) in page {
                match record {
                    Ok(record) => items.push(T::from_record(record, &kept)),
                    Err(record) => unreadable.push(record),
                }
            }
            let all = items.len() + unreadable.len();
            if max_records.is_some_and(|max| all > max) {
                let problem = format!("more than {} changes", all - 1);
                return Err(OktaError::DeltaUnusable { call, problem });
            }
            // Of the few records of a delta, most may be odd.
            if let (None, None, Some(first)) = (&next, max_records, unreadable.first())
                && are_too_many(first.kind, unreadable.len(), all)
            {
                let count = unreadable.len();
                let problem = format!("has {all} records, of which {count} cannot be read, such as {first}");
                return Err(HttpError::invalid_response(&call, problem).into());
            }
            on_page(all);
        }
        Ok(Listing {
            items: Complete::from_all_pages(items),
            unreadable,
            began,
        })
    }

    /// Sends a GET, with retries.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        operation: Operation,
        bucket: Bucket,
        url: &Url,
    ) -> Result<(T, HeaderMap), OktaError> {
        let call = self.http.call(Method::GET, url);
        let mut retries = Retries::new(&self.retry_policy);
        let mut retry_for: Option<String> = None;
        let mut retry_count = 0u32;
        let mut refusals = 0;
        loop {
            let token = self
                .authorizer
                .access_token(&self.http, &self.retry_policy)
                .await?;
            let permit = self.admit(bucket, &call).await?;
            let authorization = self.authorizer.headers(token.as_ref(), &Method::GET, url)?;
            let mut request = self.http.request(Method::GET, url.clone()).headers(authorization);
            request = match operation {
                Operation::ListUsers => request.header(CONTENT_TYPE, TRIMMED_LIST),
                Operation::GetUser => request.header(CONTENT_TYPE, TRIMMED_USER),
                _ => request,
            };
            if let Some(first_request) = &retry_for {
                request = request
                    .header("X-Okta-Retry-For", first_request)
                    .header("X-Okta-Retry-Count", retry_count);
            }
            let error = match self.attempt(operation, request, permit, &call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if refusals < MAX_REFUSALS && self.authorizer.is_worth_another_try(&error, token.as_ref()) {
                refusals += 1;
                continue;
            }
            let needs_smaller_page = operation == Operation::ListUsers && error.is_internal_error();
            if !error.is_transient() || needs_smaller_page {
                return Err(error);
            }
            let cause = match error.rate_limited() {
                Some(body) => {
                    retry_for = retry_for.or_else(|| body.request_id.clone());
                    retry_count += 1;
                    WaitCause::RateLimited
                }
                None => WaitCause::Backoff,
            };
            let Some(wait) = retries.next(cause, error.retryability()) else {
                return Err(error);
            };
            self.http.wait(cause, wait).await;
        }
    }

    /// Waits until our share of the rate limit allows a call.
    async fn admit(&self, bucket: Bucket, call: &Call) -> Result<Permit<'_>, OktaError> {
        loop {
            let response = self.limits.next_response();
            let now = Instant::now();
            match self.limits.admit(bucket, self.rate_limit_percent, now) {
                Ok(permit) => return Ok(permit),
                // Comes within the timeout of its call.
                Err(Denied::UntilResponse) => response.await,
                Err(Denied::Until(until)) => {
                    let wait = until - now;
                    if wait > self.retry_policy.max_wait {
                        let call = call.clone();
                        return Err(OktaError::RateLimitShareUsed { call, wait });
                    }
                    self.http.wait(WaitCause::RateShare, wait).await;
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
        let response = self.http.execute(operation, call, request).await?;
        self.authorizer.learn(&response.headers);
        let rate = RateHeaders::read(&response.headers);
        // An error without the headers may come from a proxy instead of Okta.
        if rate.is_some() || response.status == 200 {
            permit.record(rate.as_ref(), Instant::now());
        }
        if let Some(budget) = permit.budget() {
            self.http.report_budget(budget);
        }
        if response.status != 200 {
            let error = OktaError::from_response(operation, call, &response, rate);
            return Err(self.authorizer.explain(error));
        }
        let value =
            serde_json::from_slice(&response.body).map_err(|error| HttpError::invalid_json(call, &error))?;
        Ok((value, response.headers))
    }
}
