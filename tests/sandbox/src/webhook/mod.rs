//! Receivers of notifications: a program, and stand-ins for the incoming webhooks of chats. Each accepts what the
//! documentation of the real one allows and refuses everything else in the same words, and renders what it accepted,
//! so that a test sees what people would see.

mod google_chat;
mod slack;
mod teams;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What listens at a webhook's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A program that accepts any JSON object.
    Json,
    Slack,
    Teams,
    GoogleChat,
}

impl Receiver {
    /// The path and query of its URL. Secret: anybody who knows it can post.
    const fn target(self) -> &'static str {
        match self {
            Self::Json | Self::Slack => "/hooks/T0ACME/xoVq7s3cretPath",
            Self::Teams => {
                "/workflows/0c1d2e3f/triggers/manual/paths/invoke?api-version=1&sig=s3cretSignature"
            }
            Self::GoogleChat => "/v1/spaces/AAAAs3cretSpace/messages?key=AIzaSyS3cretKey&token=s3cretToken",
        }
    }

    fn receive(self, body: &[u8]) -> Result<(Value, Shown), Refusal> {
        let message: Option<Value> = serde_json::from_slice(body).ok();
        let shown = match (self, &message) {
            (Self::Json, Some(Value::Object(object))) => Ok(Shown::literal(
                object.get("text").and_then(Value::as_str).unwrap_or_default(),
            )),
            (Self::Json, _) => Err(Refusal::plain(400, "not a JSON object")),
            (Self::Slack, message) => slack::receive(message.as_ref()),
            (Self::Teams, message) => teams::receive(message.as_ref(), body.len()),
            (Self::GoogleChat, message) => google_chat::receive(message.as_ref(), body.len()),
        }?;
        Ok((message.unwrap_or_default(), shown))
    }

    fn accept(self) -> Response {
        match self {
            Self::Json => StatusCode::OK.into_response(),
            Self::Slack => "ok".into_response(),
            Self::Teams => StatusCode::ACCEPTED.into_response(),
            Self::GoogleChat => {
                let name = "spaces/AAAAs3cretSpace/messages/BBBB.CCCC";
                axum::Json(
                    json!({ "name": name, "thread": { "name": "spaces/AAAAs3cretSpace/threads/BBBB" } }),
                )
                .into_response()
            }
        }
    }
}

/// An accepted message as people see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    /// What the receiver took for a mention, a link or a style.
    pub markup: Vec<String>,
}

impl Shown {
    fn literal(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            markup: Vec::new(),
        }
    }

    fn add(&mut self, part: Self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += &part.text;
        self.markup.extend(part.markup);
    }
}

/// A response that refuses a message.
#[derive(Clone, Debug)]
struct Refusal {
    status: u16,
    body: String,
    retry_after: Option<u32>,
}

impl Refusal {
    fn plain(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            body: body.into(),
            retry_after: None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A running receiver that records its messages. It stops when dropped.
pub struct Webhook {
    receiver: Receiver,
    address: SocketAddr,
    inbox: Arc<Mutex<Inbox>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Inbox {
    received: Vec<(Value, Shown)>,
    attempts: usize,
    refusals: Vec<Refusal>,
    outage: Option<Outage>,
}

#[derive(Clone)]
enum Outage {
    Refuses(Refusal),
    Hangs,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Webhook {
    /// Starts the receiver of a program on the caller's runtime, on a free loopback port.
    ///
    /// # Panics
    /// Outside a tokio runtime, and when no port can be bound.
    pub fn start() -> Self {
        Self::start_as(Receiver::Json)
    }

    /// The same for this receiver.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[expect(clippy::expect_used, reason = "without a loopback port nothing can be shown")]
    pub fn start_as(receiver: Receiver) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a socket that does not block");
        let address = listener.local_addr().expect("the port's number");
        let listener = TcpListener::from_std(listener).expect("a tokio runtime");
        let inbox: Arc<Mutex<Inbox>> = Arc::default();
        let app = axum::Router::new()
            .fallback(receive)
            .with_state((receiver, Arc::clone(&inbox)));
        let task = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Self {
            receiver,
            address,
            inbox,
            task,
        }
    }

    /// The URL to post to. Its path and query are secret.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.receiver.target())
    }

    /// The accepted messages, oldest first.
    pub fn received(&self) -> Vec<Value> {
        let inbox = self.inbox.lock();
        inbox
            .received
            .iter()
            .map(|(message, _)| message.clone())
            .collect()
    }

    /// The accepted messages as people see them, oldest first.
    pub fn shown(&self) -> Vec<Shown> {
        let inbox = self.inbox.lock();
        inbox.received.iter().map(|(_, shown)| shown.clone()).collect()
    }

    /// The number of requests, accepted or not.
    pub fn attempts(&self) -> usize {
        self.inbox.lock().attempts
    }

    /// Rejects the next `count` messages with this status.
    pub fn refuse_next(&self, count: usize, status: u16) {
        let refusal = Refusal::plain(status, "");
        self.inbox.lock().refusals.extend(vec![refusal; count]);
    }

    /// Rejects every message with this status, body and `Retry-After`, until [`Self::recover`].
    pub fn refuse(&self, status: u16, body: &str, retry_after: Option<u32>) {
        self.inbox.lock().outage = Some(Outage::Refuses(Refusal {
            status,
            body: body.to_owned(),
            retry_after,
        }));
    }

    /// Accepts connections and never responds, until [`Self::recover`].
    pub fn hang(&self) {
        self.inbox.lock().outage = Some(Outage::Hangs);
    }

    pub fn recover(&self) {
        self.inbox.lock().outage = None;
    }
}

async fn receive(
    State((receiver, inbox)): State<(Receiver, Arc<Mutex<Inbox>>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let outage = {
        let mut inbox = inbox.lock();
        inbox.attempts += 1;
        inbox.outage.clone()
    };
    match outage {
        Some(Outage::Hangs) => return std::future::pending().await,
        Some(Outage::Refuses(refusal)) => return refusal.into_response(),
        None => {}
    }
    if uri.path_and_query().map(|target| target.as_str()) != Some(receiver.target()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if media_type.and_then(|value| value.split(';').next()) != Some("application/json") {
        return Refusal::plain(400, "invalid_payload").into_response();
    }
    let mut inbox = inbox.lock();
    if !inbox.refusals.is_empty() {
        return inbox.refusals.remove(0).into_response();
    }
    match receiver.receive(&body) {
        Ok(accepted) => {
            inbox.received.push(accepted);
            receiver.accept()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// The first field of an object that is not among these.
fn unknown<'a>(object: &'a Map<String, Value>, known: &[&str]) -> Option<&'a str> {
    object.keys().map(String::as_str).find(|key| !known.contains(key))
}

/// What each pair of these characters encloses, without blanks at its ends, as chats style words.
fn styled(text: &str, delimiters: &[char]) -> Vec<String> {
    let mut found = Vec::new();
    for delimiter in delimiters {
        let parts: Vec<&str> = text.split(*delimiter).collect();
        // What stands before the first delimiter and after the last one is not enclosed.
        let enclosed = parts.iter().skip(1).take(parts.len().saturating_sub(2));
        let is_style = |part: &&&str| !part.is_empty() && part.trim() == **part && !part.contains('\n');
        found.extend(
            enclosed
                .filter(is_style)
                .map(|part| format!("{delimiter}{part}{delimiter}")),
        );
    }
    found
}

/// What stands in angle brackets.
fn tags(text: &str) -> Vec<String> {
    let opened = text.split('<').skip(1);
    opened
        .filter_map(|rest| rest.split_once('>'))
        .map(|(tag, _)| format!("<{tag}>"))
        .collect()
}

/// The text without the entities of these characters.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
