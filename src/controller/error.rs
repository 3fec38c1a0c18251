//! Why a reconcile ends early. Failures of Okta and Insightful are no errors here: they stand in the status.

use crate::http::cluster;

/// Why a reconcile could not be finished. All of these are retried.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A call to the API server failed.
    #[error("{operation}: {}", cluster::message(.source))]
    Kubernetes {
        /// What the call was for.
        operation: &'static str,
        /// The API server's error.
        source: kube::Error,
    },
    /// The operator is shutting down.
    #[error("the operator is shutting down")]
    Stopping,
    /// Another replica leads now: nothing that this one found may be written.
    #[error("lost leadership to another replica")]
    NotLeader,
}

impl ReconcileError {
    /// Wraps an error of the API server with the operation that failed.
    pub fn during(operation: &'static str) -> impl Fn(kube::Error) -> Self {
        move |source| Self::Kubernetes { operation, source }
    }
}
