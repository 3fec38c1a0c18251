//! The clients of an integration, kept from one reconcile to the next.

use std::sync::Arc;

use super::{
    credentials::{self, ConnectError, Connection},
    scope::Scope,
};
use crate::{http::CallObserver, rules::status::Cycle};

/// The clients to use now.
pub struct Connected<'s> {
    pub connection: &'s Connection,
    /// Whether they differ from those of the last reconcile.
    pub is_new: bool,
}

/// The clients for the spec and its Secrets: the present ones if neither has changed.
///
/// # Errors
/// What somebody has to change in the spec or in a Secret.
pub async fn connect<'s>(
    scope: &Scope<'_>,
    present: &'s mut Option<Connection>,
) -> Result<Connected<'s>, ConnectError> {
    let observer: Arc<dyn CallObserver> = scope.call_observer();
    let connection = credentials::connect(
        &scope.ctx.client,
        &scope.namespace(),
        scope.spec(),
        &scope.ctx.settings.allowed,
        &scope.ctx.limits,
        &observer,
        present.as_ref(),
    )
    .await?;
    let before = present.as_ref();
    let is_new = before.is_none_or(|before| !Arc::ptr_eq(&before.services, &connection.services));
    Ok(Connected {
        connection: present.insert(connection),
        is_new,
    })
}

impl From<ConnectError> for Cycle<'_> {
    fn from(error: ConnectError) -> Self {
        Self::Unusable {
            reason: error.reason().to_owned(),
            message: error.to_string(),
        }
    }
}
