//! Actions that a user tries on the API server.

use std::fmt;

use k8s_openapi::api::{core::v1::Secret, events::v1::Event};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee};
use serde_json::{Value, json};

/// An action, in an order in which all can be tried in one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    GetIntegration,
    ListIntegrations,
    CreateIntegration,
    CreateFinalized,
    /// A field that does not affect writes.
    EditInterval,
    /// The org, before finalizing.
    RetargetOkta,
    ApprovePlan,
    FinalizeIntegration,
    /// From here to `Unfinalize`, on a finalized integration.
    EditIntervalOfFinalized,
    RetargetFinalizedOkta,
    RetargetFinalizedInsightful,
    RewireFinalizedSecret,
    WidenFinalizedGuard,
    /// Everyone in the org instead of the members of team groups.
    WidenFinalizedScope,
    RetargetFinalizedGroups,
    DeactivateSuspendedOfFinalized,
    /// People without a plausible employee are invited without a decision.
    WidenFinalizedMatching,
    ReorderFinalizedTeams,
    KeepWhatFinalizedWrote,
    SuspendFinalized,
    /// Resumes after `suspend`.
    ResumeFinalized,
    SlowFinalizedDown,
    NotifyOfFinalized,
    Unfinalize,
    PatchIntegrationStatus,
    GetMatch,
    ListMatches,
    CreateMatch,
    DecideMatch,
    PatchMatchStatus,
    ListUnmatched,
    CreateUnmatched,
    PatchUnmatchedStatus,
    DeleteUnmatched,
    GetSecret,
    ListSecrets,
    CreateSecret,
    CreateEvent,
    ListEvents,
    DeleteMatch,
    DeleteMatchInForce,
    DeleteIntegration,
    DeleteFinalized,
}

/// A namespace, accessed as one user.
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

    /// Creates the objects of the actions, as the cluster admin.
    pub async fn furnish(&self) {
        let secret = json!({ "metadata": { "name": "okta" }, "stringData": { "token": "secret" } });
        self.create::<Secret>(secret).await.unwrap();
        self.create::<OktaIntegration>(integration("acme")).await.unwrap();
        self.create::<OktaIntegration>(finalized("done")).await.unwrap();
        self.create::<EmployeeMatch>(employee_match("acme-1"))
            .await
            .unwrap();
        self.create_in_force("acme-3").await;
        self.create::<UnmatchedEmployee>(unmatched_employee("acme-w1"))
            .await
            .unwrap();
    }

    /// Creates a match in force of the integration `acme`.
    pub async fn create_in_force(&self, name: &str) {
        self.create::<EmployeeMatch>(employee_match(name)).await.unwrap();
        let applied = json!({ "employeeIds": ["w1"], "time": "2026-01-31T09:00:00Z" });
        let patch = Patch::Merge(json!({ "status": { "applied": applied } }));
        let matches = self.api::<EmployeeMatch>();
        matches
            .patch_status(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// Deletes all matches in one request.
    pub async fn delete_all_matches(&self) -> Result<(), kube::Error> {
        let matches = self.api::<EmployeeMatch>();
        let all = ListParams::default();
        matches
            .delete_collection(&DeleteParams::default(), &all)
            .await
            .map(drop)
    }

    /// Deletes a match.
    pub async fn delete_match(&self, name: &str) -> Result<(), kube::Error> {
        let matches = self.api::<EmployeeMatch>();
        matches.delete(name, &DeleteParams::default()).await.map(drop)
    }

    /// Deletes an integration.
    pub async fn delete_integration(&self, name: &str) -> Result<(), kube::Error> {
        let integrations = self.api::<OktaIntegration>();
        integrations
            .delete(name, &DeleteParams::default())
            .await
            .map(drop)
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

    /// Tries an action. Returns whether the server permits it.
    ///
    /// # Panics
    /// If the server rejects it for another reason than missing permissions.
    pub async fn may(&self, action: Action) -> bool {
        match self.attempt(action).await {
            Ok(()) => true,
            Err(kube::Error::Api(status)) if status.code == 403 && status.reason == "Forbidden" => false,
            Err(error) => panic!("{action:?} in {}: {error}", self.namespace),
        }
    }

    /// Changes an integration's spec as `kubectl patch` does.
    pub async fn edit(&self, name: &str, spec: Value) -> Result<(), kube::Error> {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let integrations = self.api::<OktaIntegration>();
        integrations
            .patch(name, &PatchParams::default(), &patch)
            .await
            .map(drop)
    }

    /// Applies a manifest as a GitOps tool does.
    pub async fn apply(&self, manifest: &Value) -> Result<(), kube::Error> {
        let name = manifest["metadata"]["name"].as_str().unwrap();
        let integrations = self.api::<OktaIntegration>();
        integrations
            .patch(name, &PatchParams::apply("git"), &Patch::Apply(manifest))
            .await
            .map(drop)
    }

    /// Returns `spec.finalized` of an integration.
    pub async fn is_finalized(&self, name: &str) -> bool {
        self.api::<OktaIntegration>()
            .get(name)
            .await
            .unwrap()
            .spec
            .finalized
    }

    async fn attempt(&self, action: Action) -> Result<(), kube::Error> {
        let all = ListParams::default();
        let as_is = PatchParams::default();
        let integrations = self.api::<OktaIntegration>();
        let matches = self.api::<EmployeeMatch>();
        let unmatched = self.api::<UnmatchedEmployee>();
        let secrets = self.api::<Secret>();
        match action {
            Action::GetIntegration => integrations.get("acme").await.map(drop),
            Action::ListIntegrations => integrations.list(&all).await.map(drop),
            Action::CreateIntegration => self.create::<OktaIntegration>(integration("other")).await,
            Action::CreateFinalized => self.create::<OktaIntegration>(finalized("early")).await,
            Action::EditInterval => self.edit("acme", interval()).await,
            Action::RetargetOkta => self.edit("acme", other_org()).await,
            Action::ApprovePlan => {
                let hash = format!("sha256:{}", "0".repeat(64));
                self.edit("acme", json!({ "approvedPlan": hash })).await
            }
            Action::FinalizeIntegration => self.edit("acme", json!({ "finalized": true })).await,
            Action::EditIntervalOfFinalized => self.edit("done", interval()).await,
            Action::RetargetFinalizedOkta => self.edit("done", other_org()).await,
            Action::RetargetFinalizedInsightful => {
                let spec = json!({ "insightful": { "url": "https://other.insightful.io/api/v1" } });
                self.edit("done", spec).await
            }
            Action::RewireFinalizedSecret => {
                let reference = json!({ "secretRef": { "name": "other", "key": "token" } });
                self.edit("done", json!({ "okta": { "auth": { "apiToken": reference } } }))
                    .await
            }
            Action::WidenFinalizedGuard => {
                self.edit("done", json!({ "guard": { "maxDeactivations": "100%" } }))
                    .await
            }
            Action::WidenFinalizedScope => {
                self.edit("done", json!({ "okta": { "people": "Everyone" } }))
                    .await
            }
            Action::RetargetFinalizedGroups => {
                self.edit("done", json!({ "okta": { "groupPrefix": "O" } })).await
            }
            Action::DeactivateSuspendedOfFinalized => {
                self.edit("done", json!({ "okta": { "suspended": "Deactivate" } }))
                    .await
            }
            Action::WidenFinalizedMatching => {
                self.edit("done", json!({ "matching": { "unmatched": "Create" } }))
                    .await
            }
            Action::ReorderFinalizedTeams => {
                self.edit("done", json!({ "teams": { "precedence": ["Sales"] } }))
                    .await
            }
            Action::KeepWhatFinalizedWrote => self.edit("done", json!({ "onUnmatch": "Keep" })).await,
            Action::SuspendFinalized => self.edit("done", json!({ "suspend": true })).await,
            Action::ResumeFinalized => self.edit("done", json!({ "suspend": false })).await,
            Action::SlowFinalizedDown => {
                self.edit("done", json!({ "okta": { "rateLimitPercent": 10 } }))
                    .await
            }
            Action::NotifyOfFinalized => {
                let webhook = json!({ "urlSecretRef": { "name": "chat", "key": "url" } });
                self.edit("done", json!({ "notify": { "webhook": webhook } }))
                    .await
            }
            Action::Unfinalize => self.edit("done", json!({ "finalized": false })).await,
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
            Action::ListUnmatched => unmatched.list(&all).await.map(drop),
            Action::CreateUnmatched => {
                self.create::<UnmatchedEmployee>(unmatched_employee("acme-w2"))
                    .await
            }
            Action::PatchUnmatchedStatus => {
                let patch = Patch::Merge(json!({ "status": { "nearest": null } }));
                unmatched.patch_status("acme-w1", &as_is, &patch).await.map(drop)
            }
            Action::DeleteUnmatched => unmatched
                .delete("acme-w1", &DeleteParams::default())
                .await
                .map(drop),
            Action::GetSecret => secrets.get("okta").await.map(drop),
            Action::ListSecrets => secrets.list(&all).await.map(drop),
            Action::CreateSecret => {
                self.create::<Secret>(json!({ "metadata": { "name": "other" } }))
                    .await
            }
            Action::CreateEvent => self.create::<Event>(event(&self.namespace)).await,
            Action::ListEvents => {
                let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
                events.list(&all).await.map(drop)
            }
            Action::DeleteMatch => self.delete_match("acme-1").await,
            Action::DeleteMatchInForce => self.delete_match("acme-3").await,
            Action::DeleteIntegration => self.delete_integration("acme").await,
            Action::DeleteFinalized => self.delete_integration("done").await,
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

pub fn finalized(name: &str) -> Value {
    let mut manifest = integration(name);
    manifest["spec"]["finalized"] = true.into();
    manifest
}

fn interval() -> Value {
    json!({ "sync": { "interval": "20m" } })
}

fn other_org() -> Value {
    json!({ "okta": { "orgUrl": "https://other.okta.com" } })
}

fn employee_match(name: &str) -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "EmployeeMatch",
        "metadata": { "name": name },
        "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "00u1A" },
    })
}

fn unmatched_employee(name: &str) -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "UnmatchedEmployee",
        "metadata": { "name": name },
        "spec": { "integrationRef": { "name": "acme" }, "employeeId": "w1" },
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
