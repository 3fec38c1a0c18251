//! `cargo run -p sandbox`: the whole life of an integration, shown on a real
//! control plane with emulators of Okta and Insightful.

mod tour;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use sandbox::control_plane::{self, Program};
use tokio::signal::unix::{SignalKind, signal};

use tour::{Failure, Screen};

/// As a shell counts a program that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// Shows the whole life of an integration: a real Kubernetes API server, the
/// operator, and emulators of Okta and Insightful, all on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Leave everything up, and say how to use kubectl against it: at the end
    /// of the tour (without the deactivation), or before the first decision.
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "end"
    )]
    keep: Option<Keep>,
    /// Make up a company of so many people instead of Acme's sixty.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(60..=20_000))]
    people: Option<u32>,
    /// Which company of that size.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "people")]
    seed: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Only build the programs of the control plane, where they are missing.
    Tools,
}

/// When the tour stops and leaves everything up.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keep {
    /// When the people to review are known, before any decision.
    Review,
    /// At the end, before the deactivation.
    End,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::new();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            screen.failed(&format!("no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        // Whatever runs ends with the future that Ctrl-C drops.
        tokio::select! {
            result = run(arguments, screen) => match result {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => {
                    screen.failed(&failure.to_string());
                    ExitCode::FAILURE
                }
            },
            () = interrupted() => {
                screen.interrupted();
                ExitCode::from(INTERRUPTED)
            }
        }
    });
    // A build on a thread of its own must not hold the exit up; it ends with this process.
    runtime.shutdown_background();
    code
}

async fn run(arguments: Arguments, screen: Screen) -> Result<(), Failure> {
    match arguments.command {
        Some(Command::Tools) => {
            control_plane::provide(&Program::ALL).await?;
            for program in Program::ALL {
                println!("{}", program.path()?.display());
            }
            Ok(())
        }
        None => tour::run(&arguments, screen).await,
    }
}

/// Ctrl-C, or a polite end by somebody else.
async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
