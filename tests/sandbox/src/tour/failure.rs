//! Why a tour ends early.

use sandbox::control_plane;

/// What went wrong, for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was shown is not what the product promises.
    #[error("{0}")]
    Expectation(String),
    /// What was expected did not come to be in time.
    #[error("{what} did not come to be within {seconds} s; what is there instead:\n{seen}")]
    TooLate {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// The resource as it is.
        seen: String,
    },
    /// A command that a person types failed.
    #[error("`{command}` failed: {said}")]
    Command {
        /// The command line.
        command: String,
        /// What it said.
        said: String,
    },
    /// The control plane.
    #[error(transparent)]
    ControlPlane(#[from] control_plane::Error),
    /// A file or process could not be used.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another failure, and the end of the operator's log.
    #[error("{failure}\n\nThe operator's log ends:\n{log}")]
    WithLog {
        /// The failure.
        failure: Box<Failure>,
        /// The log's end.
        log: String,
    },
}

impl Failure {
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// What must be so for the tour to go on.
pub fn ensure(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if is_so {
        Ok(())
    } else {
        Err(Failure::Expectation(otherwise()))
    }
}
