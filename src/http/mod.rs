//! HTTP as both clients need it: one request sent once, with a bound on time and size, and a
//! failure that says whether the request can have had an effect.

pub(crate) mod cluster;
mod endpoint;
mod error;
pub(crate) mod json;
mod observer;
mod retry_policy;
mod waits;

use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, RequestBuilder, StatusCode};
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;

pub(crate) use endpoint::{check_address, is_loopback, is_path_segment};
pub use error::HttpError;
pub use observer::{Budget, CallObserver, CallOutcome, Operation, Service, WaitCause};
pub use retry_policy::RetryPolicy;
pub(crate) use retry_policy::{Backoff, Retries};
pub use waits::Waits;

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retryability {
    /// It may pass by itself: try again, with growing delays.
    Retry,
    /// The service said when it will answer again: not before this time has passed.
    WaitFor(Duration),
    /// It stays until somebody changes something.
    Permanent,
}

/// Bounds on one request.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Time to open a connection.
    pub connect: Duration,
    /// Time for the whole call, from opening the connection to the last byte read.
    pub request: Duration,
    /// Size of an answer's body in bytes.
    pub body: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            body: 64 << 20,
        }
    }
}

/// The call as messages name it: never with a query, which may hold a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    method: Method,
    path: String,
}

impl Call {
    pub(crate) fn new(method: Method, url: &Url) -> Self {
        Self {
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

/// A whole answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no whole answer. The causes are for people and name no address.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// No connection could be opened: the request certainly had no effect.
    NotSent(String),
    /// The request was sent, or part of it: whether it had an effect is unknown.
    Lost(String),
    /// The answer is larger than [`Bounds::body`].
    TooLarge(usize),
}

pub(crate) struct Transport {
    http: reqwest::Client,
    body_bound: usize,
    observer: Arc<dyn CallObserver>,
    waits: Arc<Waits>,
}

impl Transport {
    /// A transport to `base`, which has passed [`check_address`].
    ///
    /// # Errors
    /// [`HttpError::TlsSetupFailed`], if HTTPS cannot be set up on this machine.
    pub(crate) fn new(base: &Url, bounds: &Bounds) -> Result<Self, HttpError> {
        install_crypto_provider();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the token to an address that nobody checked.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(bounds.connect)
            .timeout(bounds.request);
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| HttpError::TlsSetupFailed(cause(&error)))?;
        Ok(Self {
            http,
            body_bound: bounds.body,
            observer: Arc::new(()),
            waits: Arc::default(),
        })
    }

    pub(crate) fn observed_by(&mut self, observer: Arc<dyn CallObserver>) {
        self.observer = observer;
    }

    pub(crate) fn showing_waits(&mut self, waits: Arc<Waits>) {
        self.waits = waits;
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends `request` at most once and reads the whole answer.
    ///
    /// (hyper takes a pooled connection that the peer has closed for another one before it
    /// writes to it, and HTTP/2 says which requests the peer never looked at; neither sends a
    /// request that can have had an effect a second time.)
    pub(crate) async fn exchange(
        &self,
        operation: Operation,
        request: RequestBuilder,
    ) -> Result<Answer, NoAnswer> {
        // A span for whoever collects traces. It holds no address: that could name a person.
        let span = tracing::info_span!(
            "call",
            otel.name = operation.as_str(),
            otel.kind = "client",
            service = operation.service().as_str(),
            outcome = tracing::field::Empty,
            status = tracing::field::Empty,
        );
        let started = Instant::now();
        let result = self.send(request).instrument(span.clone()).await;
        let outcome = CallOutcome::of(&result);
        let status = result.as_ref().ok().map(|answer| answer.status.as_u16());
        span.record("outcome", outcome.as_str());
        if let Some(status) = status {
            span.record("status", status);
        }
        self.observer.call(operation, outcome, status, started.elapsed());
        result
    }

    /// Passes on what an answer said of a rate limit.
    pub(crate) fn tell_budget(&self, budget: Budget) {
        self.observer.budget(budget);
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, NoAnswer> {
        let mut response = request.send().await.map_err(no_answer)?;
        // A large list is not moved about while it grows.
        let announced = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(announced.unwrap_or(0).min(self.body_bound));
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > self.body_bound {
                return Err(NoAnswer::TooLarge(self.body_bound));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    /// Waits, and says so.
    pub(crate) async fn wait(&self, service: Service, cause: WaitCause, wait: Duration) {
        tracing::debug!(%service, %cause, ?wait, "waiting before the next call");
        self.observer.waiting(service, cause, wait);
        self.waits.begun(cause, wait);
        tokio::time::sleep(wait).await;
    }
}

/// reqwest is built without a default cryptography provider, so that the binary holds one only.
pub(crate) fn install_crypto_provider() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // An error says that somebody else in the process has installed one: as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    let text = cause(&error);
    if error.is_connect() || error.is_builder() {
        NoAnswer::NotSent(text)
    } else {
        NoAnswer::Lost(text)
    }
}

/// The innermost cause, which is the one that helps; reqwest's own text would name the URL with
/// its query.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut innermost: &dyn Error = match error.source() {
        Some(source) => source,
        None => return "the request could not be built".to_owned(),
    };
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    if text.contains("UnknownIssuer") {
        return format!("{text}, an authority that is not trusted here (the chart's caBundle adds one)");
    }
    clip(&text, 200)
}

/// Where a redirect leads, without the path and query, which may hold secrets.
pub(crate) fn redirect_origin(headers: &HeaderMap) -> Option<String> {
    let location = Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    Some(location.origin().ascii_serialization())
}

/// The time by the service's clock, for ours may be wrong; ours if it does not say.
pub(crate) fn server_time(headers: &HeaderMap) -> Timestamp {
    headers
        .get(DATE)
        .and_then(http_date)
        .unwrap_or_else(Timestamp::now)
}

/// The time in a header such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(header: &HeaderValue) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(header.as_bytes()).ok()
}

/// At most `longest` characters of somebody else's text, on one line.
pub(crate) fn clip(text: &str, longest: usize) -> String {
    let mut clipped: String = text
        .chars()
        .take(longest)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(longest).is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_elses_text_is_cut_to_one_line() {
        assert_eq!(clip("two\nlines", 20), "two lines");
        assert_eq!(clip("ééé", 3), "ééé");
        assert_eq!(clip("éééé", 3), "ééé…");
    }

    #[test]
    fn a_call_is_named_without_its_query() {
        let url = Url::parse("https://acme.okta.com/api/v1/users?after=secret").unwrap();
        assert_eq!(Call::new(Method::GET, &url).to_string(), "GET /api/v1/users");
    }
}
