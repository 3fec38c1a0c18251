//! Why a tour ends early.

use sandbox::control_plane;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The product behaves differently from what the tour shows.
    #[error("{0}")]
    Expectation(String),
    #[error("{what} was not seen within {seconds} s. The resource is:\n{seen}")]
    Timeout {
        what: String,
        seconds: u64,
        seen: String,
    },
    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },
    #[error(transparent)]
    ControlPlane(#[from] control_plane::Error),
    #[error("cannot {what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("{failure}\n\nThe last lines of the operator's log:\n{log}")]
    WithLog { failure: Box<Failure>, log: String },
}

impl Failure {
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Fails with the message unless the condition is met.
pub fn ensure(is_met: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if is_met {
        Ok(())
    } else {
        Err(Failure::Expectation(otherwise()))
    }
}
