//! `cargo run -p sandbox`: a tour of the product on a real control plane with emulators of Okta and Insightful.

mod tour;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use sandbox::control_plane::{self, KubernetesVersion, Program};
use tokio::signal::unix::{SignalKind, signal};

use tour::{Failure, Screen};

/// The exit code of a program that SIGINT ended, as in a shell: 128 + 2.
const INTERRUPTED: u8 = 130;

/// A tour of the operator, from installation to uninstallation, with a real Kubernetes API server and emulators of
/// Okta and Insightful, all on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Keep everything running at a point of the tour, `end` by default, and show how to use kubectl with it.
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "end"
    )]
    keep: Option<Keep>,
    /// Generate a company with N people, 60 to 20000, instead of the small default company.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(60..=20_000))]
    people: Option<u32>,
    /// Seed of the generated company.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "people")]
    seed: u64,
    /// Build and use this version of Kubernetes, such as 1.31.13. KUBEBUILDER_ASSETS is then only searched for helm.
    #[arg(long, value_name = "VERSION", env = "SANDBOX_KUBERNETES", global = true)]
    kubernetes: Option<KubernetesVersion>,
}

#[derive(Subcommand)]
enum Command {
    /// Build the missing programs of the control plane and print the paths of all of them, without a tour.
    Tools,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keep {
    /// Before the first decision.
    Review,
    /// At the end, instead of deleting the integration.
    End,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::new();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            screen.failed(&format!("cannot start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        // Dropping the future on Ctrl-C stops all processes.
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
    // Does not wait for a build on a blocking thread, which ends with this process.
    runtime.shutdown_background();
    code
}

async fn run(mut arguments: Arguments, screen: Screen) -> Result<(), Failure> {
    if let Some(version) = arguments.kubernetes.take() {
        control_plane::select_kubernetes(version);
    }
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

/// Waits for SIGINT or SIGTERM.
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
