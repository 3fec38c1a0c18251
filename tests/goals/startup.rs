//! How long a start takes, and how big the program is that starts.

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
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked: what a time may be too long by.
const STEP: Duration = Duration::from_millis(2);

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
        "Start, from the spawn of the program to `/readyz` answering 200",
        "",
        format!(
            "{:.0} ms in the median of {STARTS}, {:.0} ms at worst; the program has {} KiB",
            milliseconds(times[STARTS / 2]),
            milliseconds(times[STARTS - 1]),
            program.metadata().unwrap().len() / 1024,
        ),
    );
}

/// The program that cargo built with this bench, where `GOALS_PROGRAM` names no
/// other, such as the one that goes into the image.
fn program() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    std::env::var_os("GOALS_PROGRAM").map_or_else(|| built.to_owned(), PathBuf::from)
}

/// Starts an operator, waits until it is ready, and ends it.
async fn time_to_ready(plane: &'static ControlPlane, command: &Command, port: u16) -> Duration {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/readyz");
    let started = Instant::now();
    let operator = spawn(plane, command);
    loop {
        let answer = client.get(&url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{}", operator.log_tail(30));
        tokio::time::sleep(STEP).await;
    }
    let time = started.elapsed();
    operator.stop().await.unwrap();
    time
}
