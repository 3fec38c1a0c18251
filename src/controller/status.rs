//! Writes a whole status by server-side apply, whoever wrote to it before.

use std::fmt::Debug;

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
    core::object::HasStatus,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{api::FIELD_MANAGER, http::apply_patch::apply_patch};

/// Writes the status of the object that `metadata` names. Returns the object.
///
/// Server-side apply keeps every field that another manager owns, too, as in a status that was restored from a backup or
/// edited by hand. If any is left that the operator's status lacks, the status is replaced as a whole.
///
/// # Errors
/// The API server's. A conflict if `metadata` names another version than the present one.
pub async fn write<K>(api: &Api<K>, metadata: Value, status: &K::Status) -> Result<K, kube::Error>
where
    K: Resource<DynamicType = ()> + HasStatus + Clone + Debug + DeserializeOwned,
    K::Status: Serialize,
{
    let name = metadata["name"].as_str().unwrap_or_default().to_owned();
    let object = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": metadata,
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let written: K = api.patch_status(&name, &params, &apply_patch(&object)?).await?;
    let stored = written.status().map_or_else(|| json!({}), |status| json!(status));
    if stored == object["status"] {
        return Ok(written);
    }
    let replacement = json!([
        { "op": "replace", "path": "/metadata/resourceVersion", "value": written.resource_version() },
        { "op": "replace", "path": "/status", "value": object["status"] },
    ]);
    let replacement = serde_json::from_value(replacement).map_err(kube::Error::SerdeError)?;
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    api.patch_status(&name, &params, &Patch::Json::<()>(replacement))
        .await
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use kube::{Client, client::Body};
    use parking_lot::Mutex;

    use super::*;
    use crate::api::{EmployeeMatch, EmployeeMatchStatus};

    /// The requests that an API server gets that answers with these statuses, one after the other.
    async fn requests(answers: Vec<Value>, status: &EmployeeMatchStatus) -> Vec<(String, Value)> {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers) = (requests.clone(), Arc::new(Mutex::new(answers.into_iter())));
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (seen, answers) = (seen.clone(), answers.clone());
            async move {
                let (head, body) = request.into_parts();
                let kind = head.headers["content-type"].to_str().unwrap().to_owned();
                let body = serde_json::from_slice(&body.collect_bytes().await.unwrap()).unwrap();
                seen.lock().push((kind, body));
                let object = json!({
                    "metadata": { "name": "a", "resourceVersion": "7" },
                    "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "00u1" },
                    "status": answers.lock().next(),
                });
                Ok::<_, Infallible>(http::Response::new(Body::from(object.to_string().into_bytes())))
            }
        });
        let api: Api<EmployeeMatch> = Api::default_namespaced(Client::new(service, "people"));
        let metadata = json!({ "name": "a", "resourceVersion": "6" });
        write(&api, metadata, status).await.unwrap();
        std::mem::take(&mut requests.lock())
    }

    #[tokio::test]
    async fn a_status_with_fields_of_others_is_replaced() {
        let status = EmployeeMatchStatus {
            change_count: 1,
            ..EmployeeMatchStatus::default()
        };
        let ours = json!(status);
        let [(kind, patch)]: [_; 1] = requests(vec![ours.clone()], &status).await.try_into().unwrap();
        assert_eq!(kind, "application/apply-patch+yaml");
        assert_eq!(patch["status"], ours);

        let mut with_others = ours.clone();
        with_others["observedGeneration"] = json!(3);
        let [_, (kind, patch)]: [_; 2] = requests(vec![with_others, ours.clone()], &status)
            .await
            .try_into()
            .unwrap();
        assert_eq!(kind, "application/json-patch+json");
        assert_eq!(patch[0]["value"], "7");
        assert_eq!(patch[1]["value"], ours);
    }
}
