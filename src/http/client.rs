use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;

use super::{
    Budget, Call, CallObserver, CallOutcome, HttpError, Operation, RateLimitWait, Service, WaitCause, clip,
    is_loopback,
};

/// Limits on one request.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    pub connect_timeout: Duration,
    /// From opening the connection to the last byte of the response.
    pub timeout: Duration,
    pub max_body_bytes: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            max_body_bytes: 64 << 20,
        }
    }
}

/// A complete response, whatever its status.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no complete response. The causes are for people and name no URL.
#[derive(Debug)]
pub(crate) enum SendError {
    /// No connection: the request had no effect.
    NotSent(String),
    /// At least a part of the request was sent: the outcome is unknown.
    Lost(String),
    /// The response exceeds [`RequestLimits::max_body_bytes`].
    TooLarge(usize),
}

/// Sends the requests to one service, with its token.
pub(crate) struct HttpClient {
    service: Service,
    base: Url,
    http: reqwest::Client,
    max_body_bytes: usize,
    observer: Arc<dyn CallObserver>,
    rate_limit_wait: Arc<RateLimitWait>,
}

impl HttpClient {
    /// Takes a `base` URL that has passed [`check_base_url`](super::check_base_url). Without an `authorization` for all
    /// requests, each request has to have its own.
    ///
    /// # Errors
    /// [`HttpError::TlsSetupFailed`]
    pub(crate) fn new(
        service: Service,
        base: Url,
        authorization: Option<HeaderValue>,
        limits: &RequestLimits,
    ) -> Result<Self, HttpError> {
        install_crypto_provider();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .default_headers(
                authorization
                    .map(|value| (AUTHORIZATION, value))
                    .into_iter()
                    .collect(),
            )
            // A redirect would send the token to a URL that nobody checked.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect_timeout)
            .timeout(limits.timeout);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| HttpError::TlsSetupFailed(cause(&error)))?;
        Ok(Self {
            service,
            base,
            http,
            max_body_bytes: limits.max_body_bytes,
            observer: Arc::new(()),
            rate_limit_wait: Arc::default(),
        })
    }

    pub(crate) fn set_observer(&mut self, observer: Arc<dyn CallObserver>) {
        self.observer = observer;
    }

    pub(crate) fn set_rate_limit_wait(&mut self, rate_limit_wait: Arc<RateLimitWait>) {
        self.rate_limit_wait = rate_limit_wait;
    }

    pub(crate) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub(crate) fn call(&self, method: Method, url: &Url) -> Call {
        Call::new(self.service, method, url)
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends `request` at most once and reads the whole response.
    ///
    /// hyper may replace a pooled connection, and HTTP/2 may repeat a request, but both only if the
    /// service has not seen the request.
    pub(crate) async fn execute(
        &self,
        operation: Operation,
        call: &Call,
        request: RequestBuilder,
    ) -> Result<Response, HttpError> {
        // The span has no URL, because that could identify a person.
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
        let status = result.as_ref().ok().map(|response| response.status.as_u16());
        span.record("outcome", outcome.as_str());
        if let Some(status) = status {
            span.record("status", status);
        }
        self.observer.call(operation, outcome, status, started.elapsed());
        result.map_err(|error| HttpError::from_send(call, error))
    }

    pub(crate) fn report_budget(&self, budget: Budget) {
        self.observer.budget(budget);
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, SendError> {
        let mut response = request.send().await.map_err(send_error)?;
        // Reserves the memory of a large list at once.
        let announced = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(announced.unwrap_or(0).min(self.max_body_bytes));
        while let Some(chunk) = response.chunk().await.map_err(send_error)? {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(SendError::TooLarge(self.max_body_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    pub(crate) async fn wait(&self, cause: WaitCause, wait: Duration) {
        tracing::debug!(service = %self.service, %cause, ?wait, "waiting before the next call");
        self.observer.waiting(self.service, cause, wait);
        self.rate_limit_wait.record(cause, wait);
        tokio::time::sleep(wait).await;
    }
}

/// Installs ring as the TLS provider: reqwest is built without a default one.
pub(crate) fn install_crypto_provider() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // Fails if the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn send_error(error: reqwest::Error) -> SendError {
    let text = cause(&error);
    if error.is_connect() || error.is_builder() {
        SendError::NotSent(text)
    } else {
        SendError::Lost(text)
    }
}

/// The innermost cause: reqwest's own message contains the URL with its query.
pub(crate) fn cause(error: &reqwest::Error) -> String {
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
        return format!(
            "{text}: the certificate's issuer is not trusted. Add it with the chart's value caBundle"
        );
    }
    clip(&text, 200)
}
