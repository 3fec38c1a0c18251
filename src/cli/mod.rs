//! The subcommands `record` and `plan`: what CI shows is what the cluster does.
//! And `check`, which looks at the cluster itself.

mod anonymise;
pub mod check;
pub mod plan;
pub mod record;
pub mod recording;
mod source;

pub use source::{Source, SourceError};

use crate::{cli::recording::RecordingError, services::gather::GatherError};

/// Why a subcommand could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not known what to read, or as whom.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A service could not be read.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A recording could not be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Decisions name their integration.
    #[error("the recording has no integration.yaml, and a decision names its integration: add one")]
    NoIntegration,
    /// The result could not be written.
    #[error("the result cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// The result could not be put into JSON or YAML.
    #[error("the result cannot be put into words: {0}")]
    Json(#[from] serde_json::Error),
    /// The same for YAML.
    #[error("the result cannot be put into words: {0}")]
    Yaml(#[from] serde_yaml::SerializeError),
}
