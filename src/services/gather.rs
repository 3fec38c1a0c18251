//! Reads both services: a full sync, or what changed since the last one.

use futures::{StreamExt, TryFutureExt, stream};

use crate::{
    http::{HttpError, Retryability},
    insightful::{InsightfulClient, InsightfulError},
    model::{Delta, Directory, Mark, Person, PersonId, Snapshot, Workforce},
    okta::{self, OktaClient, OktaError},
};

/// People who are asked for by id at a time.
const PARALLEL_LOOK_UPS: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error(transparent)]
    Okta(#[from] OktaError),
    #[error(transparent)]
    Insightful(#[from] InsightfulError),
}

impl GatherError {
    pub fn retryability(&self) -> Retryability {
        match self {
            Self::Okta(error) => error.retryability(),
            Self::Insightful(error) => error.retryability(),
        }
    }

    /// The reason for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Okta(error) => error.reason(),
            Self::Insightful(error) => error.reason(),
        }
    }
}

/// A full sync.
#[derive(Debug)]
pub struct Gathered {
    pub snapshot: Snapshot,
    /// Where the next delta starts; None if Okta's responses have no date.
    pub mark: Option<Mark>,
}

/// Reads both services. With `insightful_first`, Okta is read after Insightful has responded, so that
/// retries while Insightful is down make no calls to Okta.
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
        snapshot: Snapshot::new(directory, workforce),
        mark,
    })
}

/// Reads what changed in Okta since the mark of `directory`, and all of Insightful, which cannot show
/// what changed: always with `with_workforce`, otherwise only if something changed in Okta.
pub async fn gather_changes(
    okta: &OktaClient,
    insightful: &InsightfulClient,
    group_prefix: &str,
    since: Mark,
    directory: &Directory,
    with_workforce: bool,
    progress: okta::OnProgress<'_>,
) -> Result<(Delta, Option<Workforce>), GatherError> {
    let changes = okta
        .changes(group_prefix, since, directory, progress)
        .err_into::<GatherError>();
    let workforce = insightful.workforce().err_into();
    if with_workforce {
        let (delta, workforce) = futures::try_join!(changes, workforce)?;
        return Ok((delta, Some(workforce)));
    }
    let delta = changes.await?;
    let workforce = match delta.would_change(directory) {
        true => Some(workforce.await?),
        false => None,
    };
    Ok((delta, workforce))
}

/// What Okta answered about people whom its lists lack.
#[derive(Debug, Default)]
pub struct LookedUp {
    pub found: Vec<Person>,
    /// Okta says that there is no such user.
    pub deleted: Vec<PersonId>,
    /// The first person about whom there is no answer, and why. Nobody after them was asked for, except if the answer
    /// only cannot be read.
    pub failed: Option<(PersonId, OktaError)>,
}

/// Asks Okta by id for people whom its lists lack.
pub async fn look_up(okta: &OktaClient, people: Vec<PersonId>) -> LookedUp {
    let mut looked_up = LookedUp::default();
    let reads = people.into_iter().map(async |id| (okta.user(&id).await, id));
    let mut reads = stream::iter(reads).buffered(PARALLEL_LOOK_UPS);
    while let Some((answer, id)) = reads.next().await {
        match answer {
            Ok(Some(person)) => looked_up.found.push(person),
            Ok(None) => looked_up.deleted.push(id),
            Err(error) => {
                let is_of_this_person = matches!(error, OktaError::Http(HttpError::InvalidResponse { .. }));
                looked_up.failed.get_or_insert((id, error));
                if !is_of_this_person {
                    break;
                }
            }
        }
    }
    looked_up
}
