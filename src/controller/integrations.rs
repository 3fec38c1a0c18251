//! An integration on the API server: read anew, and its status written under the
//! one field manager.

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{Context, session::Said};
use crate::api::{FIELD_MANAGER, OktaIntegration, OktaIntegrationStatus, SYNC_REQUESTED_AT};

/// The integration as the API server has it now; None if it is gone or about
/// to go, or is another by the same name.
///
/// # Errors
/// The API server's.
pub async fn read(
    ctx: &Context,
    integration: &OktaIntegration,
) -> Result<Option<OktaIntegration>, kube::Error> {
    let read = api(ctx, integration).get_opt(&integration.name_any()).await?;
    Ok(read.filter(|read| {
        read.metadata.uid == integration.metadata.uid && read.metadata.deletion_timestamp.is_none()
    }))
}

/// The sync that is asked for by annotation.
pub fn sync_request(integration: &OktaIntegration) -> Option<&str> {
    let request = integration.annotations().get(SYNC_REQUESTED_AT);
    request.map(String::as_str)
}

fn api(ctx: &Context, integration: &OktaIntegration) -> Api<OktaIntegration> {
    Api::namespaced(ctx.client.clone(), &integration.namespace().unwrap_or_default())
}

/// Writes a status if it says anything new. An integration that is gone
/// meanwhile needs none.
///
/// # Errors
/// The API server's.
pub async fn write_status(
    ctx: &Context,
    integration: &OktaIntegration,
    said: &Said,
    status: &OktaIntegrationStatus,
) -> Result<(), kube::Error> {
    let stands = said.lock().clone().or_else(|| integration.status.clone());
    if stands.as_ref() == Some(status) {
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
            *said.lock() = written.status;
            Ok(())
        }
        Err(kube::Error::Api(response)) if response.code == 404 || response.code == 409 => Ok(()),
        Err(error) => Err(error),
    }
}
