//! What can go wrong around a control plane, said to the person who runs the
//! tests or the tour.

use std::io;
use std::path::PathBuf;

/// Why a control plane could not be started or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Programs are neither given nor can they be built.
    #[error(
        "the control plane needs {missing}, and {reason}.\n\
         Either install Go {go} or newer, and it is built under target/ at the first use,\n\
         or set KUBEBUILDER_ASSETS to a directory that holds it (`setup-envtest use -p path` gives one \
         with etcd, kube-apiserver and kubectl; kube-controller-manager and helm have to be put beside them)"
    )]
    ProgramsMissing {
        /// The names of the missing programs.
        missing: String,
        /// Why Go cannot build them.
        reason: String,
        /// The lowest version of Go that can.
        go: &'static str,
    },

    /// `go build` failed.
    #[error("building {program} failed; the end of {}:\n{tail}", log.display())]
    Build {
        /// The program's name.
        program: &'static str,
        /// The output of `go build`.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },

    /// A program of the control plane ended by itself, or did not get ready.
    #[error("{program} {what}; the end of its log:\n{tail}")]
    Program {
        /// The program's name.
        program: &'static str,
        /// What it did, or what it failed to do.
        what: String,
        /// The last lines of its log.
        tail: String,
    },

    /// kubectl or helm failed.
    #[error("`{command}` failed ({status}): {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// How it exited.
        status: std::process::ExitStatus,
        /// What it said.
        stderr: String,
    },

    /// A file that should hold CustomResourceDefinitions does not.
    #[error("{}: {reason}", file.display())]
    Crd {
        /// The file, or the directory without any.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A request to the API server failed.
    #[error("cannot {what}")]
    Request {
        /// What was asked for.
        what: String,
        /// What the client or the server said.
        #[source]
        source: Box<kube::Error>,
    },

    /// A kubeconfig cannot be read.
    #[error("cannot use the kubeconfig {}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },

    /// A key or certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),

    /// A file or process could not be used.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
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
