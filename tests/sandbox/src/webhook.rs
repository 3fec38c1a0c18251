//! A receiver of notifications, as a chat's incoming webhook is one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Whoever knows the path may post, so that the address is a secret.
const PATH: &str = "/hooks/T0ACME/xoVq7s3cretPath";

/// A running receiver that keeps what it is sent. It stops when dropped.
pub struct Webhook {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Desk {
    received: Vec<Value>,
    refusals: Vec<StatusCode>,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Webhook {
    /// Starts one on the caller's runtime, with a free loopback port.
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
        let desk = Arc::default();
        let app = axum::Router::new()
            .route(PATH, post(receive))
            .with_state(Arc::clone(&desk));
        let task = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Self { address, desk, task }
    }

    /// Where to post. The path is the secret.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// The messages that were taken, oldest first.
    pub fn received(&self) -> Vec<Value> {
        lock(&self.desk).received.clone()
    }

    /// Answers the next `count` messages with this status and does not take them.
    ///
    /// # Panics
    /// When `status` is no HTTP status.
    #[expect(clippy::expect_used, reason = "the test names a wrong status")]
    pub fn refuse_next(&self, count: usize, status: u16) {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        lock(&self.desk).refusals.extend(vec![status; count]);
    }
}

async fn receive(State(desk): State<Arc<Mutex<Desk>>>, Json(message): Json<Value>) -> StatusCode {
    let mut desk = lock(&desk);
    if !desk.refusals.is_empty() {
        return desk.refusals.remove(0);
    }
    desk.received.push(message);
    StatusCode::OK
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
