//! What somebody may try, and how the server takes it.

use std::fmt;

use k8s_openapi::api::{core::v1::Secret, events::v1::Event};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration};
use serde_json::{Value, json};

/// Something that is tried for real, in the order in which one namespace
/// stands all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    GetIntegration,
    ListIntegrations,
    CreateIntegration,
    FinalizeIntegration,
    PatchIntegrationStatus,
    GetMatch,
    ListMatches,
    CreateMatch,
    DecideMatch,
    PatchMatchStatus,
    GetSecret,
    ListSecrets,
    CreateSecret,
    CreateEvent,
    DeleteMatch,
    DeleteIntegration,
}

/// A namespace as somebody sees it.
pub struct Place {
    client: Client,
    namespace: String,
}

impl Place {
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
        }
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes what the actions are tried on; for the admin of the cluster.
    pub async fn furnish(&self) {
        let secret = json!({ "metadata": { "name": "okta" }, "stringData": { "token": "secret" } });
        self.create::<Secret>(secret).await.unwrap();
        self.create::<OktaIntegration>(integration("acme")).await.unwrap();
        self.create::<EmployeeMatch>(employee_match("acme-1"))
            .await
            .unwrap();
    }

    async fn create<K>(&self, manifest: Value) -> Result<(), kube::Error>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + fmt::Debug
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        let object: K = serde_json::from_value(manifest).unwrap();
        self.api().create(&PostParams::default(), &object).await.map(drop)
    }

    /// Tries it. True when the server did it, false when it forbids it.
    ///
    /// # Panics
    /// When the server refuses it for any other reason, for then the case says
    /// nothing of rights.
    pub async fn may(&self, action: Action) -> bool {
        match self.attempt(action).await {
            Ok(()) => true,
            Err(kube::Error::Api(status)) if status.code == 403 && status.reason == "Forbidden" => false,
            Err(error) => panic!("{action:?} in {}: {error}", self.namespace),
        }
    }

    async fn attempt(&self, action: Action) -> Result<(), kube::Error> {
        let all = ListParams::default();
        let as_is = PatchParams::default();
        let delete = DeleteParams::default();
        let integrations = self.api::<OktaIntegration>();
        let matches = self.api::<EmployeeMatch>();
        let secrets = self.api::<Secret>();
        match action {
            Action::GetIntegration => integrations.get("acme").await.map(drop),
            Action::ListIntegrations => integrations.list(&all).await.map(drop),
            Action::CreateIntegration => self.create::<OktaIntegration>(integration("other")).await,
            Action::FinalizeIntegration => {
                let patch = Patch::Merge(json!({ "spec": { "finalized": true } }));
                integrations.patch("acme", &as_is, &patch).await.map(drop)
            }
            Action::PatchIntegrationStatus => {
                let patch = Patch::Merge(json!({ "status": { "phase": "InSync" } }));
                integrations.patch_status("acme", &as_is, &patch).await.map(drop)
            }
            Action::GetMatch => matches.get("acme-1").await.map(drop),
            Action::ListMatches => matches.list(&all).await.map(drop),
            Action::CreateMatch => self.create::<EmployeeMatch>(employee_match("acme-2")).await,
            Action::DecideMatch => {
                let patch = Patch::Merge(json!({ "spec": { "decision": "Ignore" } }));
                matches.patch("acme-1", &as_is, &patch).await.map(drop)
            }
            Action::PatchMatchStatus => {
                let patch = Patch::Merge(json!({ "status": { "state": "Matched" } }));
                matches.patch_status("acme-1", &as_is, &patch).await.map(drop)
            }
            Action::GetSecret => secrets.get("okta").await.map(drop),
            Action::ListSecrets => secrets.list(&all).await.map(drop),
            Action::CreateSecret => {
                self.create::<Secret>(json!({ "metadata": { "name": "other" } }))
                    .await
            }
            Action::CreateEvent => self.create::<Event>(event(&self.namespace)).await,
            Action::DeleteMatch => matches.delete("acme-1", &delete).await.map(drop),
            Action::DeleteIntegration => integrations.delete("acme", &delete).await.map(drop),
        }
    }
}

pub fn integration(name: &str) -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "OktaIntegration",
        "metadata": { "name": name },
        "spec": {
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
        },
    })
}

fn employee_match(name: &str) -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "EmployeeMatch",
        "metadata": { "name": name },
        "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "00u1A" },
    })
}

fn event(namespace: &str) -> Value {
    json!({
        "metadata": { "name": "acme.1" },
        "action": "Apply",
        "eventTime": "2026-01-31T09:00:00.000000Z",
        "reason": "Applied",
        "regarding": { "kind": "OktaIntegration", "name": "acme", "namespace": namespace },
        "reportingController": "insightful.io/operator",
        "reportingInstance": "operator-0",
        "type": "Normal",
    })
}
