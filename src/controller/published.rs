//! The integration's status as last written, and the one place that writes it.

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use parking_lot::Mutex;
use serde_json::json;

use super::{context::Context, leader::Term};
use crate::api::{FIELD_MANAGER, OktaIntegration, OktaIntegrationStatus};

/// The integration's status as this replica last wrote it.
#[derive(Default)]
pub struct PublishedStatus {
    status: Mutex<Option<OktaIntegrationStatus>>,
    /// The term for which `status` was read from the API server.
    term: Option<Term>,
}

impl PublishedStatus {
    /// Whether the status has been read in this term: what another replica wrote before is known.
    pub fn is_known_in(&self, term: Term) -> bool {
        self.term == Some(term)
    }

    /// The status as read from the API server in this term.
    pub fn read_in(term: Term, status: Option<OktaIntegrationStatus>) -> Self {
        Self {
            status: Mutex::new(status),
            term: Some(term),
        }
    }

    /// The status as it stands: as last written, else as the watch has it.
    pub fn get(&self, integration: &OktaIntegration) -> OktaIntegrationStatus {
        let written = self.status.lock();
        let written = written.as_ref().or(integration.status.as_ref());
        written.cloned().unwrap_or_default()
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
        let name = integration.name_any();
        let object = json!({
            "apiVersion": OktaIntegration::api_version(&()),
            "kind": OktaIntegration::kind(&()),
            "metadata": { "name": name, "uid": integration.uid() },
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let api = api(ctx, integration);
        match api.patch_status(&name, &params, &Patch::Apply(object)).await {
            Ok(written) => {
                *self.status.lock() = written.status;
                Ok(())
            }
            Err(kube::Error::Api(response)) if response.code == 404 || response.code == 409 => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The integration as the API server has it now; None if it is gone, being deleted, or another by the same
/// name.
///
/// # Errors
/// The API server's.
pub async fn read_integration(
    ctx: &Context,
    integration: &OktaIntegration,
) -> Result<Option<OktaIntegration>, kube::Error> {
    let read = api(ctx, integration).get_opt(&integration.name_any()).await?;
    Ok(read.filter(|read| {
        read.metadata.uid == integration.metadata.uid && read.metadata.deletion_timestamp.is_none()
    }))
}

fn api(ctx: &Context, integration: &OktaIntegration) -> Api<OktaIntegration> {
    Api::namespaced(ctx.client.clone(), &integration.namespace().unwrap_or_default())
}
