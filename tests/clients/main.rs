//! The clients of both services, over HTTP with the emulators.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

mod changes;
mod insightful;
mod okta;
mod okta_shapes;
mod service_app;
mod shares;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use okta_insightful_operator::http::{
    CallObserver, CallOutcome, Operation, RequestLimits, RetryPolicy, Service, WaitCause,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Three attempts with short delays.
fn fast_retries() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 3,
        initial_delay: Duration::from_millis(10),
        max_delay: Duration::from_millis(20),
        max_wait: Duration::from_secs(3),
        max_total_wait: Duration::from_secs(20),
    }
}

fn short_limits() -> RequestLimits {
    RequestLimits {
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(1),
        ..RequestLimits::default()
    }
}

/// Records the calls and waits of a client.
#[derive(Default)]
struct Recorder {
    calls: Mutex<Vec<(Operation, CallOutcome)>>,
    waits: Mutex<Vec<(Service, WaitCause)>>,
}

impl Recorder {
    fn calls(&self) -> Vec<(Operation, CallOutcome)> {
        self.calls.lock().unwrap().clone()
    }

    fn waits(&self) -> Vec<(Service, WaitCause)> {
        self.waits.lock().unwrap().clone()
    }
}

impl CallObserver for Recorder {
    fn call(&self, operation: Operation, outcome: CallOutcome, _status: Option<u16>, _took: Duration) {
        self.calls.lock().unwrap().push((operation, outcome));
    }

    fn waiting(&self, service: Service, cause: WaitCause, _wait: Duration) {
        self.waits.lock().unwrap().push((service, cause));
    }
}

/// Starts a server that responds to each request with `response`. Returns its URL and the requests.
async fn canned(response: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let got = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = vec![0; 65536];
            let length = connection.read(&mut request).await.unwrap_or(0);
            got.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = connection.write_all(response.as_bytes()).await;
        }
    });
    (address, requests)
}

/// Returns a URL on which no server listens.
async fn unreachable_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
