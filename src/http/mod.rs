//! What both clients share: a request is sent once, within limits on time and size, and a failure
//! says whether the request can have had an effect.

pub(crate) mod apply_patch;
mod authorization;
mod base_url;
mod client;
pub(crate) mod cluster;
mod error;
mod error_body;
pub(crate) mod json;
mod observer;
mod rate_limit_wait;
pub(crate) mod record;
mod retry_policy;
mod token;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Method;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use url::Url;

pub(crate) use authorization::authorization;
pub(crate) use base_url::{check_base_url, is_loopback, is_path_segment};
pub use client::RequestLimits;
pub(crate) use client::{HttpClient, Response, cause, install_crypto_provider};
pub use error::HttpError;
#[cfg(test)]
pub(crate) use error::response;
pub use error_body::ErrorBody;
pub use observer::{Budget, CallObserver, CallOutcome, Operation, Service, WaitCause};
pub use rate_limit_wait::RateLimitWait;
pub use retry_policy::RetryPolicy;
pub(crate) use retry_policy::{Backoff, Retries};
pub use token::{TokenProblem, token};

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retryability {
    /// Retry with growing delays.
    Retry,
    /// Retry after at least this time, as the service asks.
    WaitFor(Duration),
    /// Retrying does not help: a person has to change something.
    Permanent,
}

/// A call as messages name it. The query is left out, because it may hold a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    service: Service,
    method: Method,
    path: String,
}

impl Call {
    pub(crate) fn new(service: Service, method: Method, url: &Url) -> Self {
        Self {
            service,
            method,
            path: url.path().to_owned(),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The time by the service's clock, or by ours if the response has no date.
pub(crate) fn server_time(headers: &HeaderMap) -> Timestamp {
    headers
        .get(DATE)
        .and_then(http_date)
        .unwrap_or_else(Timestamp::now)
}

/// Parses a header such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(header: &HeaderValue) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(header.as_bytes()).ok()
}

/// A longer `Retry-After` is taken to be wrong.
const MAX_RETRY_AFTER_SECONDS: i64 = 3600;

/// Parses `Retry-After`: seconds, or a time by the service's clock. Returns at least a second.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let header = headers.get(RETRY_AFTER)?;
    let seconds = match header.to_str().ok()?.trim().parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => http_date(header)?.as_second() - server_time(headers).as_second(),
    };
    Some(Duration::from_secs(
        seconds.clamp(1, MAX_RETRY_AFTER_SECONDS).unsigned_abs(),
    ))
}

/// Cuts foreign text to `max_chars` characters and puts it on one line.
pub(crate) fn clip(text: &str, max_chars: usize) -> String {
    let mut clipped: String = text
        .chars()
        .take(max_chars)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(max_chars).is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_cut_to_one_line() {
        assert_eq!(clip("two\nlines", 20), "two lines");
        assert_eq!(clip("ééé", 3), "ééé");
        assert_eq!(clip("éééé", 3), "ééé…");
    }

    #[test]
    fn a_call_is_named_without_its_query() {
        let url = Url::parse("https://acme.okta.com/api/v1/users?after=secret").unwrap();
        let call = Call::new(Service::Okta, Method::GET, &url);
        assert_eq!(call.to_string(), "GET /api/v1/users");
    }
}
