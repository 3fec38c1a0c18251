//! A receiver of notifications, like the incoming webhook of a chat.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A secret: anybody who knows the path can post.
const PATH: &str = "/hooks/T0ACME/xoVq7s3cretPath";

/// A running receiver that records its messages. It stops when dropped.
pub struct Webhook {
    address: SocketAddr,
    inbox: Arc<Mutex<Inbox>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Inbox {
    received: Vec<Value>,
    refusals: Vec<StatusCode>,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Webhook {
    /// Starts a receiver on the caller's runtime, on a free loopback port.
    ///
    /// # Panics
    /// Outside a tokio runtime, and when no port can be bound.
    #[expect(clippy::expect_used, reason = "without a loopback port nothing can be shown")]
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a socket that does not block");
        let address = listener.local_addr().expect("the port's number");
        let listener = TcpListener::from_std(listener).expect("a tokio runtime");
        let inbox = Arc::default();
        let app = axum::Router::new()
            .route(PATH, post(receive))
            .with_state(Arc::clone(&inbox));
        let task = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Self { address, inbox, task }
    }

    /// The URL to post to. Its path is secret.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// The accepted messages, oldest first.
    pub fn received(&self) -> Vec<Value> {
        self.inbox.lock().received.clone()
    }

    /// Rejects the next `count` messages with this status.
    #[expect(clippy::expect_used, reason = "an invalid status is an error in the test")]
    pub fn refuse_next(&self, count: usize, status: u16) {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        self.inbox.lock().refusals.extend(vec![status; count]);
    }
}

async fn receive(State(inbox): State<Arc<Mutex<Inbox>>>, Json(message): Json<Value>) -> StatusCode {
    let mut inbox = inbox.lock();
    if !inbox.refusals.is_empty() {
        return inbox.refusals.remove(0);
    }
    inbox.received.push(message);
    StatusCode::OK
}
