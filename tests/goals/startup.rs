//! The startup time and the size of the binary.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use sandbox::control_plane::ControlPlane;

use crate::{
    figure,
    world::{free_port, run_command, spawn},
};

const STARTS: usize = 10;
const TIMEOUT: Duration = Duration::from_secs(60);

/// The error of a measured time is at most this long.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

pub async fn measure() {
    let program = program();
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("empty").await.unwrap();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let port = free_port();
        let mut command = run_command(plane, &program, &[&namespace], port).await;
        command.env("RUST_LOG", "info");
        times.push(time_to_ready(plane, &command, port).await);
    }
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    figure(
        "Startup: from the spawn of the process to 200 from `/readyz`",
        "",
        format!(
            "{:.0} ms (median of {STARTS}; slowest {:.0} ms); the binary has {} KiB",
            milliseconds(times[STARTS / 2]),
            milliseconds(times[STARTS - 1]),
            program.metadata().unwrap().len() / 1024,
        ),
    );
}

/// The binary that Cargo built with this benchmark. The environment variable `GOALS_PROGRAM` overrides
/// it, for example with the binary of the image.
fn program() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    std::env::var_os("GOALS_PROGRAM").map_or_else(|| built.to_owned(), PathBuf::from)
}

/// Starts an operator, waits until it is ready, and stops it.
async fn time_to_ready(plane: &'static ControlPlane, command: &Command, port: u16) -> Duration {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/readyz");
    let started = Instant::now();
    let operator = spawn(plane, command);
    loop {
        let response = client.get(&url).send().await;
        if response.is_ok_and(|response| response.status().is_success()) {
            break;
        }
        assert!(started.elapsed() < TIMEOUT, "{}", operator.log_tail(30));
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let time = started.elapsed();
    operator.stop().await.unwrap();
    time
}
