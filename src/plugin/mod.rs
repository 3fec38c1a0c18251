//! `kubectl insightful`: the program of whoever reviews matches and approves plans. It works with the caller's access to
//! the cluster, and reaches neither Okta nor Insightful nor any Secret.

mod approve;
mod arguments;
mod cluster;
mod decide;
mod export;
mod import;
mod plan;
mod review;
mod screen;
mod status;
mod terminal;

use std::{io, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

pub use arguments::Arguments;
use arguments::Command;
use cluster::{ApproveError, Cluster, ClusterError, DecideError};

use crate::{
    new_file::NewFileError,
    review::{decided::ChoiceError, import::FileError, manifest::ManifestError, spreadsheet::TableError},
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("{person}: {source}")]
    Decide { person: String, source: DecideError },
    #[error(transparent)]
    Approve(#[from] ApproveError),
    #[error(transparent)]
    Screen(#[from] screen::ScreenError),
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    #[error(transparent)]
    File(#[from] NewFileError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("{path}: {source}")]
    Import { path: String, source: FileError },
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    #[error("cannot serialize the result: {0}")]
    Json(#[from] serde_json::Error),
    /// A question, but no terminal.
    #[error("there is no terminal to ask on: {otherwise}")]
    NobodyToAsk { otherwise: &'static str },
    #[error("nobody fits {text:?}: look for the person with `kubectl insightful export --all --csv -`")]
    NoPerson { text: String },
    #[error(
        "no employee fits {text:?}: look for the employee with `kubectl get ue`, or name the Insightful id"
    )]
    NoEmployee { text: String },
    #[error("several fit {text:?}: name an id instead\n{options}")]
    Several { text: String, options: String },
    #[error("{action} takes {takes}")]
    Employees {
        action: &'static str,
        takes: &'static str,
    },
    #[error("{0}")]
    Refused(String),
}

/// Parses the command line. Otherwise prints the help or what is wrong, and returns the exit code.
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

/// Runs a command.
pub async fn run(arguments: Arguments) -> Result<(), PluginError> {
    let Arguments { connection, command } = arguments;
    let connect = || Cluster::connect(&connection);
    match command {
        Command::Completion(arguments) => {
            let mut command = Arguments::command();
            clap_complete::generate(
                arguments.shell,
                &mut command,
                "kubectl-insightful",
                &mut io::stdout(),
            );
            Ok(())
        }
        Command::Status(arguments) => status::run(&connect().await?, arguments).await,
        Command::Review(arguments) => review::run(connect().await?, arguments).await,
        Command::Plan(arguments) => plan::run(&connect().await?, arguments).await,
        Command::Decide(arguments) => decide::run(&connect().await?, arguments).await,
        Command::Finalize(arguments) => approve::finalize(&connect().await?, arguments).await,
        Command::Approve(arguments) => approve::approve(&connect().await?, arguments).await,
        Command::Export(arguments) => export::run(&connect().await?, arguments).await,
        Command::Import(arguments) => import::run(&connect().await?, arguments).await,
    }
}
