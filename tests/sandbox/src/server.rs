//! Serves an emulator over HTTP on a loopback port: journal, faults, then the emulator's own answer.
//!
//! It stands on hyper and not on a router, because a fault must be able to close
//! the connection without a byte of answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
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

/// Larger bodies than any that the two services take.
const BODY_LIMIT: usize = 16 << 20;

/// A request, read to its end.
pub(crate) struct Call {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Path and query as sent.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Requests in work, this one included.
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
}

/// What an emulator answers.
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
    /// The URL of the next page.
    pub next: Option<String>,
    /// The URL of this page, where there are pages.
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
    /// Whether the call's credentials are right, for the journal.
    fn authorized(&self, call: &Call) -> bool;
    /// How long each request takes before it is looked at.
    fn latency(&self) -> Duration;
    /// The service's own answer, with its effect.
    fn answer(&self, call: &Call) -> Answer;
    /// An error in the service's form, without effect.
    fn error(&self, status: u16) -> Answer;
    /// The service's 429 for this call.
    fn rate_limited(&self, call: &Call) -> Answer;
    /// Adds the headers that stand on every answer.
    fn seal(&self, answer: &mut Answer);
}

/// A served emulator. Stops, with its connections, when dropped.
pub(crate) struct Server {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A loopback port, bound before the emulator is made so that it can know its own URL.
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
        let desk = Arc::new(Desk {
            emulator,
            journal,
            faults,
            in_work: Arc::default(),
        });
        let task = tokio::spawn(accept(self.listener, desk)).abort_handle();
        Server {
            address: self.address,
            task,
        }
    }
}

async fn accept<E: Emulator>(listener: TcpListener, desk: Arc<Desk<E>>) {
    // The set dies with this task and takes every open connection along.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                // Small answers must not wait for the client's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let desk = Arc::clone(&desk);
                        async move { desk.handle(request).await }
                    });
                    // An error here is a client gone or a cut made on purpose.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
struct Cut;

struct Desk<E> {
    emulator: Arc<E>,
    journal: Journal,
    faults: Faults,
    in_work: Arc<AtomicUsize>,
}

/// Counts a request as in work until it is answered or its client is gone.
struct InWork(Arc<AtomicUsize>);

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<E: Emulator> Desk<E> {
    async fn handle(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let concurrent = self.in_work.fetch_add(1, Ordering::SeqCst) + 1;
        let _in_work = InWork(Arc::clone(&self.in_work));
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
            Some(Kind::Delay(time)) => {
                tokio::time::sleep(*time).await;
                self.emulator.answer(&call)
            }
            _ => self.emulator.answer(&call),
        };
        self.journal.complete(sequence, |entry| {
            entry.effect = answer.effect;
            entry.ignored = std::mem::take(&mut answer.ignored);
        });
        self.emulator.seal(&mut answer);

        let mut broken = false;
        match fault {
            Some(Kind::CutAfter) => return Err(Cut),
            Some(Kind::DelayAnswer(time)) => tokio::time::sleep(time).await,
            Some(Kind::BrokenJson) => broken = true,
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
        self.journal
            .complete(sequence, |entry| entry.status = Some(answer.status));
        Ok(response(&answer, broken))
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

fn response(answer: &Answer, broken: bool) -> Response<Body> {
    let mut bytes = answer.body.to_string().into_bytes();
    if broken {
        bytes.truncate(bytes.len() / 2);
    }
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(*name, value);
        }
    }
    // One header for each relation, as Okta does, not one with commas.
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
