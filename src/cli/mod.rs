//! The subcommands of the program. `plan` shows what the operator would do, by the same code.

mod anonymise;
mod arguments;
mod check;
mod plan;
mod record;
pub mod recording;
mod source;

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::Parser as _;

pub use arguments::Arguments;
use arguments::{Command, Output};
use check::CheckError;
use recording::RecordingError;
use source::{Source, SourceError};

use crate::{
    api,
    controller::{self, RunError, Settings},
    model::text::{shown, shown_json},
    new_file::{NewFile, NewFileError},
    review::manifest::{self, Entry, ManifestError, Purpose},
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
    #[error(transparent)]
    Decisions(#[from] ManifestError),
    #[error(transparent)]
    File(#[from] NewFileError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("cannot serialize the result: {0}")]
    Json(#[from] serde_json::Error),
    #[error("cannot serialize the result: {0}")]
    Yaml(#[from] serde_yaml::SerializeError),
}

/// Parses the command line. Otherwise prints the help or what is wrong, and returns the exit code: 1 for a wrong
/// argument, where clap's own is that of [`CHANGES`].
pub fn arguments() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        // If nobody reads the output, nobody can be told.
        let _ = error.print();
        match error.use_stderr() {
            true => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        }
    })
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
        audit_values,
    } = arguments;
    let telemetry = Telemetry::begin(log_format)?;
    let settings = Settings {
        allowed: addresses.into(),
        namespaces: watch_namespaces,
        metrics_address,
        lease,
        state_dir,
        outcome_wait: outcome_wait.into(),
        audit_values,
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
        all,
        overwrite,
        addresses,
    } = arguments;
    let file = write_decisions
        .map(|path| NewFile::new(path, overwrite))
        .transpose()?;
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
    if let Some(file) = file {
        let standing = planned.standing.as_ref().ok_or(CliError::NoIntegration)?;
        let people = planned.report.people.iter().filter(|person| all || person.waits);
        file.write(&manifest::text(
            people.map(Entry::from).collect(),
            standing,
            Purpose::ToDecide,
        )?)?;
    }
    match output {
        Output::Table => planned.report.print(show)?,
        Output::Json => print_line(&shown_json(&serde_json::to_string_pretty(&planned.report)?))?,
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
        let summary = record::record(&source, &addresses.into(), &out, anonymise).await?;
        print_line(&shown(&summary))?;
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
        print_line(&shown(&finding.to_string()))?;
    }
    Ok(match findings.iter().all(|finding| finding.problem.is_none()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Prints a line; a reader that stops reading is an error, not a panic.
fn print_line(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

fn print_definitions(arguments::Crd { reference }: arguments::Crd) -> Result<ExitCode, CliError> {
    let mut out = io::stdout();
    if reference {
        write!(out, "{}", api::reference()?)?;
    } else {
        for (_, yaml) in api::definitions()? {
            write!(out, "---\n{yaml}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
