//! The integration's status as last written, and the one place that writes it.

use std::sync::Arc;

use kube::{Api, ResourceExt, core::object::HasStatus};
use parking_lot::Mutex;
use serde_json::json;

use super::{context::Context, leader::Term, match_store::version, status, watched::WatchedIntegration};
use crate::api::{OktaIntegration, OktaIntegrationStatus};

/// The integration's status as this replica last wrote or read it.
#[derive(Default)]
pub struct PublishedStatus {
    last: Mutex<Last>,
    /// The term for which the status was read from the API server.
    term: Option<Term>,
}

/// A status, and the version of the object that had it.
#[derive(Default)]
struct Last {
    version: u64,
    status: Option<OktaIntegrationStatus>,
}

impl<K: ResourceExt + HasStatus<Status = OktaIntegrationStatus>> From<&K> for Last {
    fn from(integration: &K) -> Self {
        Self {
            version: version(integration),
            status: integration.status().cloned(),
        }
    }
}

impl PublishedStatus {
    /// Whether the status has been read in this term: what another replica wrote before is known.
    pub fn is_known_in(&self, term: Term) -> bool {
        self.term == Some(term)
    }

    /// The status as read from the API server in this term.
    pub fn read_in(term: Term, integration: &OktaIntegration) -> Self {
        Self {
            last: Mutex::new(integration.into()),
            term: Some(term),
        }
    }

    /// The status as it stands: as last written or as the watch has it, whichever is later. The watch has the later
    /// one if somebody else wrote it, such as a restore.
    pub fn get(&self, integration: &OktaIntegration) -> OktaIntegrationStatus {
        let last = self.last.lock();
        let later = if version(integration) > last.version {
            &integration.status
        } else {
            &last.status
        };
        later.clone().unwrap_or_default()
    }

    /// Writes a status if it differs from the one that stands. An integration that was deleted in the
    /// meantime needs none.
    ///
    /// # Errors
    /// The API server's.
    pub async fn write(
        &self,
        ctx: &Context,
        integration: &OktaIntegration,
        status: &OktaIntegrationStatus,
    ) -> Result<(), kube::Error> {
        if self.get(integration) == *status {
            return Ok(());
        }
        let metadata = json!({ "name": integration.name_any(), "uid": integration.uid() });
        match status::write(&api(ctx, integration), metadata, status).await {
            Ok(written) => {
                *self.last.lock() = (&written).into();
                Ok(())
            }
            Err(kube::Error::Api(response)) if response.code == 404 || response.code == 409 => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The integration as the API server has it now; None if it is gone, being deleted, another by the same name, or
/// cannot be read, which the watch finds, too.
///
/// # Errors
/// The API server's.
pub async fn read_integration(
    ctx: &Context,
    integration: &OktaIntegration,
) -> Result<Option<Arc<OktaIntegration>>, kube::Error> {
    let read = api(ctx, integration).get_opt(&integration.name_any()).await?;
    let read = read.and_then(|read| read.readable().cloned());
    Ok(read.filter(|read| {
        read.metadata.uid == integration.metadata.uid && read.metadata.deletion_timestamp.is_none()
    }))
}

fn api(ctx: &Context, integration: &OktaIntegration) -> Api<WatchedIntegration> {
    Api::namespaced(ctx.client.clone(), &integration.namespace().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Phase;

    fn integration(version: &str, phase: Phase) -> OktaIntegration {
        let secret = json!({ "secretRef": { "name": "s", "key": "k" } });
        let integration = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
            "metadata": { "name": "acme", "resourceVersion": version },
            "spec": {
                "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": secret } },
                "insightful": { "apiToken": secret },
            },
            "status": { "phase": phase },
        });
        serde_json::from_value(integration).unwrap()
    }

    #[test]
    fn the_later_of_the_written_and_the_watched_status_stands() {
        let published = PublishedStatus::read_in(1, &integration("7", Phase::Suspended));
        for (version, expected) in [
            // The watch lags behind.
            ("6", Phase::Suspended),
            ("7", Phase::Suspended),
            // Somebody restored a status.
            ("10", Phase::InSync),
        ] {
            let watched = integration(version, Phase::InSync);
            assert_eq!(published.get(&watched).phase, Some(expected), "{version}");
        }
        let new = PublishedStatus::default();
        assert_eq!(
            new.get(&integration("1", Phase::Review)).phase,
            Some(Phase::Review)
        );
    }
}
