//! The status of an integration, written under the one field manager.

use std::sync::PoisonError;

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{Context, session::Said};
use crate::api::{FIELD_MANAGER, OktaIntegration, OktaIntegrationStatus};

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
    let stands = said
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
        .or_else(|| integration.status.clone());
    if stands.as_ref() == Some(status) {
        return Ok(());
    }
    let api: Api<OktaIntegration> =
        Api::namespaced(ctx.client.clone(), &integration.namespace().unwrap_or_default());
    let name = integration.name_any();
    let object = json!({
        "apiVersion": OktaIntegration::api_version(&()),
        "kind": OktaIntegration::kind(&()),
        "metadata": { "name": name, "uid": integration.uid() },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch_status(&name, &params, &Patch::Apply(object)).await {
        Ok(written) => {
            *said.lock().unwrap_or_else(PoisonError::into_inner) = written.status;
            Ok(())
        }
        Err(kube::Error::Api(response)) if response.code == 404 || response.code == 409 => Ok(()),
        Err(error) => Err(error),
    }
}
