//! Both services into one snapshot: all of it, or an error.

use futures::TryFutureExt;

use crate::{
    insightful::{InsightfulClient, InsightfulError},
    okta::{self, OktaClient, OktaError},
    snapshot::Snapshot,
    transport::Advice,
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
    pub fn advice(&self) -> Advice {
        match self {
            Self::Okta(error) => error.advice(),
            Self::Insightful(error) => error.advice(),
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

/// Reads everything. The first list that cannot be read to its end ends it.
///
/// # Errors
/// Which service failed, and how.
pub async fn gather(
    okta: &OktaClient,
    insightful: &InsightfulClient,
    group_prefix: &str,
    progress: okta::OnProgress<'_>,
) -> Result<Snapshot, GatherError> {
    let (people, groups, workforce) = futures::try_join!(
        okta.users(progress).err_into::<GatherError>(),
        okta.team_groups(group_prefix, progress).err_into(),
        insightful.workforce().err_into(),
    )?;
    Ok(Snapshot::of(people, groups, workforce))
}
