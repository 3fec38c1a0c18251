//! Both services into one snapshot, or what changed into one that is there: all
//! of it, or an error.

use std::sync::Arc;

use futures::TryFutureExt;

use crate::{
    http::Retryability,
    insightful::{InsightfulClient, InsightfulError},
    model::{Delta, Directory, Mark, Snapshot, Workforce},
    okta::{self, OktaClient, OktaError},
};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// Okta could not be read whole.
    #[error(transparent)]
    Okta(#[from] OktaError),
    /// Insightful could not be read whole.
    #[error(transparent)]
    Insightful(#[from] InsightfulError),
}

impl GatherError {
    /// What to do about it.
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::Okta(error) => error.retryability(),
            Self::Insightful(error) => error.retryability(),
        }
    }

    /// The stable word for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Okta(error) => error.reason(),
            Self::Insightful(error) => error.reason(),
        }
    }
}

/// Everything, and how far it follows Okta.
#[derive(Debug)]
pub struct Gathered {
    /// What both services said.
    pub snapshot: Snapshot,
    /// From where what changes next can be read; None where Okta does not tell its time.
    pub mark: Option<Mark>,
}

/// Reads everything. The first list that cannot be read to its end ends it.
/// With `insightful_first`, Okta is left alone until Insightful has answered: a
/// read that is tried again because Insightful is down costs Okta nothing.
///
/// # Errors
/// Which service failed, and how.
pub async fn gather(
    okta: &OktaClient,
    insightful: &InsightfulClient,
    group_prefix: &str,
    insightful_first: bool,
    progress: okta::OnProgress<'_>,
) -> Result<Gathered, GatherError> {
    let directory = okta.directory(group_prefix, progress).err_into::<GatherError>();
    let workforce = insightful.workforce().err_into();
    let ((directory, mark), workforce) = if insightful_first {
        let workforce = workforce.await?;
        (directory.await?, workforce)
    } else {
        futures::try_join!(directory, workforce)?
    };
    Ok(Gathered {
        snapshot: Snapshot::with(Arc::new(directory), workforce),
        mark,
    })
}

/// Reads what changed in Okta since `since`, which is how far `known` follows
/// it, and all of Insightful, which does not tell what changed.
///
/// # Errors
/// Which service failed, and how. Nothing of what was read is to be used then.
pub async fn gather_changes(
    okta: &OktaClient,
    insightful: &InsightfulClient,
    group_prefix: &str,
    since: Mark,
    known: &Directory,
    progress: okta::OnProgress<'_>,
) -> Result<(Delta, Workforce), GatherError> {
    futures::try_join!(
        okta.changes(group_prefix, since, known, progress).err_into(),
        insightful.workforce().err_into(),
    )
}
