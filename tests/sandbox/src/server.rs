//! Serves an emulator over HTTP on a loopback port, with its journal and faults.
//!
//! It uses hyper instead of a router, since a fault may close the connection without a response.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use crate::faults::{Faults, Kind};
use crate::journal::Journal;

/// More than either service accepts.
const BODY_LIMIT: usize = 16 << 20;

/// A request with its complete body.
#[derive(Clone)]
pub(crate) struct Call {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Path and query, percent-encoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The number of requests in progress, including this one.
    pub concurrent: usize,
}

impl Call {
    /// The path's segments, percent-decoded, without the leading empty one.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect()
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn accepts_gzip(&self) -> bool {
        let accepted = self.header("accept-encoding").unwrap_or_default();
        accepted.split(',').any(|coding| coding.trim() == "gzip")
    }
}

/// An emulator's response.
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// Null for an empty body.
    pub body: Value,
    /// The URL of the next page.
    pub next: Option<String>,
    /// The URL of this page; None if the response has no pages.
    pub this: Option<String>,
    pub effect: bool,
    pub ignored: Vec<String>,
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            next: None,
            this: None,
            effect: false,
            ignored: Vec::new(),
        }
    }

    pub fn with_effect(mut self) -> Self {
        self.effect = true;
        self
    }
}

/// A service behind a [`Server`].
pub(crate) trait Emulator: Send + Sync + 'static {
    /// Whether the call's credentials are valid, for the journal.
    fn authorized(&self, call: &Call) -> bool;
    /// How long each request takes before it has an effect.
    fn latency(&self) -> Duration;
    /// Applies the call and returns the response.
    fn answer(&self, call: &Call) -> Answer;
    /// An error in the service's format, without effect.
    fn error(&self, status: u16) -> Answer;
    /// The service's 429 for this call.
    fn rate_limited(&self, call: &Call) -> Answer;
    /// Adds the headers of all responses.
    fn seal(&self, answer: &mut Answer);
    /// Whether the names of headers on new connections are written as `Link` instead of `link`.
    fn title_case_headers(&self) -> bool {
        false
    }
}

/// A served emulator. It stops and closes its connections when dropped.
pub(crate) struct Server {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A loopback port, bound before the emulator exists, since the emulator needs its own URL.
pub(crate) struct Port {
    listener: TcpListener,
    pub address: SocketAddr,
}

impl Port {
    /// Binds a free port on the caller's runtime.
    pub fn bind() -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            address,
        })
    }

    /// Serves on the caller's runtime until the server is dropped.
    pub fn serve<E: Emulator>(self, emulator: Arc<E>, journal: Journal, faults: Faults) -> Server {
        let handler = Arc::new(Handler {
            emulator,
            journal,
            faults,
            in_flight: Arc::default(),
        });
        let task = tokio::spawn(accept(self.listener, handler)).abort_handle();
        Server {
            address: self.address,
            task,
        }
    }
}

async fn accept<E: Emulator>(listener: TcpListener, handler: Arc<Handler<E>>) {
    // Dropping the set with this task closes all connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                // Otherwise small responses wait for the client's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                let handler = Arc::clone(&handler);
                let title_case = handler.emulator.title_case_headers();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let handler = Arc::clone(&handler);
                        async move { handler.handle(request).await }
                    });
                    // The client has disconnected, or a fault has closed the connection.
                    let _ = http1::Builder::new()
                        .title_case_headers(title_case)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Closes the connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("closed by a fault")]
struct Cut;

struct Handler<E> {
    emulator: Arc<E>,
    journal: Journal,
    faults: Faults,
    in_flight: Arc<AtomicUsize>,
}

/// Counts a request as in flight until it is answered or its client disconnects.
struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<E: Emulator> Handler<E> {
    fn take_effect_later(&self, call: Call, sequence: u64, time: Duration) {
        let (emulator, journal) = (Arc::clone(&self.emulator), self.journal.clone());
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let effect = emulator.answer(&call).effect;
            journal.complete(sequence, |entry| entry.effect = effect);
        });
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let concurrent = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        let _in_flight = InFlight(Arc::clone(&self.in_flight));
        let call = read(request, concurrent).await?;
        let sequence = self.journal.arrived(&call, self.emulator.authorized(&call));

        let fault = self.faults.meet(&call);
        tokio::time::sleep(self.emulator.latency()).await;
        let mut answer = match &fault {
            Some(Kind::CutBefore) => return Err(Cut),
            Some(Kind::Status(status, body)) => {
                let mut answer = self.emulator.error(*status);
                if let Some(body) = body {
                    answer.body = body.clone();
                }
                answer
            }
            Some(Kind::RateLimited) => self.emulator.rate_limited(&call),
            Some(Kind::LateEffect(status, time)) => {
                let answer = self.emulator.error(*status);
                self.take_effect_later(call.clone(), sequence, *time);
                answer
            }
            Some(Kind::Delay(time)) => {
                tokio::time::sleep(*time).await;
                self.emulator.answer(&call)
            }
            _ => self.emulator.answer(&call),
        };
        self.journal.complete(sequence, |entry| {
            entry.effect |= answer.effect;
            entry.ignored = std::mem::take(&mut answer.ignored);
        });
        self.emulator.seal(&mut answer);

        let (mut broken_json, mut broken_gzip) = (false, false);
        match fault {
            Some(Kind::CutAfter) => return Err(Cut),
            Some(Kind::DelayAnswer(time)) => tokio::time::sleep(time).await,
            Some(Kind::BrokenJson) => broken_json = true,
            Some(Kind::BrokenGzip) => broken_gzip = true,
            Some(Kind::PaginationLoop) => answer.next.clone_from(&answer.this),
            Some(Kind::CrossOriginPagination(url)) if answer.this.is_some() => answer.next = Some(url),
            Some(Kind::EmptyPage) => {
                (answer.status, answer.body, answer.next) = (200, Value::Array(Vec::new()), None);
            }
            Some(Kind::DroppedPage) => {
                answer.next = None;
                if let Value::Array(items) = &mut answer.body {
                    items.truncate(items.len() / 2);
                }
            }
            _ => {}
        }
        let mut bytes = match &answer.body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        if broken_json {
            bytes.truncate(bytes.len() / 2);
        }
        let gzip = call.accepts_gzip() && !bytes.is_empty();
        if gzip {
            bytes = compressed(&bytes).map_err(|_| Cut)?;
            if broken_gzip {
                bytes.truncate(bytes.len() / 2);
            }
        }
        self.journal.complete(sequence, |entry| {
            entry.status = Some(answer.status);
            entry.gzip = gzip;
        });
        Ok(response(&answer, bytes, gzip))
    }
}

async fn read(request: Request<Incoming>, concurrent: usize) -> Result<Call, Cut> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), BODY_LIMIT)
        .await
        .map_err(|_| Cut)?;
    let query = head.uri.query().unwrap_or_default();
    Ok(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        target: head
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        headers: head.headers,
        body,
        concurrent,
    })
}

fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn response(answer: &Answer, bytes: Vec<u8>, gzip: bool) -> Response<Body> {
    let is_empty = bytes.is_empty();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !is_empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(*name, value);
        }
    }
    // Okta sends one header for each relation, not one header with commas.
    for (relation, url) in [("self", &answer.this), ("next", &answer.next)] {
        if let Some(value) = url.as_ref().and_then(|url| link(url, relation)) {
            headers.append(header::LINK, value);
        }
    }
    response
}

fn link(url: &str, relation: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{url}>; rel=\"{relation}\"")).ok()
}
