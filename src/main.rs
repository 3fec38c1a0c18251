//! The program: arguments in, exit code out.

use std::{io::IsTerminal, net::SocketAddr, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use okta_insightful_operator::{
    api,
    controller::{self, Settings},
};
use tracing_subscriber::EnvFilter;

/// Keeps people and teams in Insightful in step with Okta.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator against the cluster of KUBECONFIG, or the one it runs in.
    Run(Run),
    /// Print the CustomResourceDefinitions.
    Crd,
}

#[derive(clap::Args)]
struct Run {
    /// Let services be on this machine without TLS: for tests and the demo.
    #[arg(long, env = "ALLOW_HTTP_LOOPBACK")]
    allow_http_loopback: bool,
    /// A custom Okta domain to allow beside okta.com, oktapreview.com,
    /// okta-emea.com and okta-gov.com; repeatable.
    #[arg(
        long = "okta-domain",
        env = "OKTA_DOMAIN",
        value_delimiter = ',',
        value_name = "DOMAIN"
    )]
    okta_domains: Vec<String>,
    /// A namespace to watch; repeatable. Without it, all are watched.
    #[arg(
        long = "watch-namespace",
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    watch_namespaces: Vec<String>,
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(
        long,
        env = "METRICS_ADDRESS",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    metrics_address: SocketAddr,
    /// How log lines are written; what is logged is set by RUST_LOG.
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => run(arguments).await,
        Command::Crd => print_definitions(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("okta-insightful-operator: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Run) -> Result<(), String> {
    let Run {
        allow_http_loopback,
        okta_domains,
        watch_namespaces,
        metrics_address,
        log_format,
    } = arguments;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let settings = Settings {
        allow_http_loopback,
        okta_domains,
        namespaces: watch_namespaces,
        metrics_address,
    };
    controller::run(settings).await.map_err(|error| error.to_string())
}

fn print_definitions() -> Result<(), String> {
    for (_, yaml) in api::definitions().map_err(|error| error.to_string())? {
        print!("---\n{yaml}");
    }
    Ok(())
}
