//! Errors of the control plane, written for the person who runs the tests or the tour.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Programs are missing and cannot be built.
    #[error(
        "the control plane needs {missing}, but {reason}.\n\
         Either install Go {go} or newer: missing programs are then built under target/ at the first use.\n\
         Or set KUBEBUILDER_ASSETS to a directory that contains them: `setup-envtest use -p path` provides etcd, \
         kube-apiserver and kubectl; add kube-controller-manager and helm."
    )]
    ProgramsMissing {
        missing: String,
        reason: String,
        /// The minimum version of Go.
        go: &'static str,
    },

    /// `go build` failed; `log` is the file with its output.
    #[error("cannot build {programs}; the last lines of {}:\n{tail}", log.display())]
    Build {
        programs: String,
        log: PathBuf,
        tail: String,
    },

    /// Another version of Kubernetes cannot be prepared for its build.
    #[error("cannot build Kubernetes {version}: {reason}")]
    Version { version: &'static str, reason: String },

    /// A program of the control plane exited, or is not ready in time.
    #[error("{program} {what}; the last lines of its log:\n{tail}")]
    Program {
        program: &'static str,
        what: String,
        tail: String,
    },

    #[error("`{command}` failed ({status}): {stderr}")]
    Command {
        command: String,
        status: std::process::ExitStatus,
        stderr: String,
    },

    #[error("{}: {reason}", file.display())]
    Crd { file: PathBuf, reason: String },

    #[error("cannot {what}")]
    Request {
        what: String,
        #[source]
        source: Box<kube::Error>,
    },

    #[error("cannot use the kubeconfig {}", path.display())]
    Kubeconfig {
        path: PathBuf,
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },

    #[error("cannot create a certificate")]
    Certificate(#[from] rcgen::Error),

    #[error("cannot {what}")]
    Io {
        what: String,
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(super) fn request(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Request {
            what,
            source: Box::new(source),
        }
    }
}
