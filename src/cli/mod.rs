//! The subcommands of the program. `plan` shows what the operator would do, by the same code.

mod anonymise;
mod arguments;
mod check;
mod plan;
mod record;
pub mod recording;
mod source;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use arguments::Arguments;
use arguments::{Command, Output};
use check::CheckError;
use recording::RecordingError;
use source::{Source, SourceError};

use crate::{
    api,
    controller::{self, RunError, Settings},
    services::gather::GatherError,
    telemetry::{Telemetry, TracesError},
};

/// The exit code of `plan` when there are changes, as of `terraform plan -detailed-exitcode`.
const CHANGES: u8 = 2;

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Telemetry(#[from] TracesError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Gather(#[from] GatherError),
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Decisions name their integration, and a recording may have none.
    #[error("the recording has no integration.yaml: add one, since decisions name their integration")]
    NoIntegration,
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("cannot serialize the result: {0}")]
    Json(#[from] serde_json::Error),
    #[error("cannot serialize the result: {0}")]
    Yaml(#[from] serde_yaml::SerializeError),
}

/// Runs a subcommand and returns its exit code.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    match arguments.command {
        Command::Run(arguments) => run_operator(arguments).await,
        Command::Plan(arguments) => run_plan(arguments).await,
        Command::Record(arguments) => run_record(arguments).await,
        Command::Check(arguments) => run_check(arguments).await,
        Command::Crd(arguments) => print_definitions(arguments),
    }
}

async fn run_operator(arguments: arguments::Run) -> Result<ExitCode, CliError> {
    let arguments::Run {
        addresses,
        watch_namespaces,
        metrics_address,
        lease,
        state_dir,
        outcome_wait,
        log_format,
    } = arguments;
    let telemetry = Telemetry::begin(log_format)?;
    let settings = Settings {
        allowed: addresses.into(),
        namespaces: watch_namespaces,
        metrics_address,
        lease,
        state_dir,
        outcome_wait: outcome_wait.into(),
    };
    let result = controller::run(settings).await;
    telemetry.end().await;
    result?;
    Ok(ExitCode::SUCCESS)
}

async fn run_plan(arguments: arguments::Plan) -> Result<ExitCode, CliError> {
    let arguments::Plan {
        from,
        live,
        output,
        show,
        person,
        write_decisions,
        addresses,
    } = arguments;
    let allowed = addresses.into();
    let source = live.source();
    let from = match (&from, &source) {
        (Some(dir), _) => plan::From::Recording(dir),
        (None, Some(source)) => plan::From::Live(source, &allowed),
        // The argument group requires one of them.
        (None, None) => plan::From::Recording(Path::new(".")),
    };
    let mut planned = plan::plan(from).await?;
    if let Some(text) = person {
        planned.report.only(&text);
    }
    if let Some(path) = write_decisions {
        let name = planned.integration.as_deref().ok_or(CliError::NoIntegration)?;
        let decisions = planned.report.decisions(name)?;
        std::fs::write(&path, decisions).map_err(|source| CliError::Write { path, source })?;
    }
    match output {
        Output::Table => planned.report.print(show)?,
        Output::Json => println!("{}", serde_json::to_string_pretty(&planned.report)?),
    }
    Ok(ExitCode::from(if planned.changes { CHANGES } else { 0 }))
}

async fn run_record(arguments: arguments::Record) -> Result<ExitCode, CliError> {
    let arguments::Record {
        out,
        live,
        anonymise,
        addresses,
    } = arguments;
    // The argument group requires a source.
    if let Some(source) = live.source() {
        println!(
            "{}",
            record::record(&source, &addresses.into(), &out, anonymise).await?
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_check(arguments: arguments::Check) -> Result<ExitCode, CliError> {
    let arguments::Check {
        watch_namespaces,
        lease,
    } = arguments;
    let findings = check::check(&watch_namespaces, lease.as_ref()).await?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(match findings.iter().all(|finding| finding.problem.is_none()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// `1 team`, `3 teams`.
fn counted<N: fmt::Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

fn print_definitions(arguments::Crd { reference }: arguments::Crd) -> Result<ExitCode, CliError> {
    if reference {
        print!("{}", api::reference()?);
    } else {
        for (_, yaml) in api::definitions()? {
            print!("---\n{yaml}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
