//! The integration in the cluster, with the caller's access: what is read, and the two writes, a decision and an
//! approval.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use ::http::header::{ACCEPT, HeaderValue};
use futures::try_join;
use jiff::Timestamp;
use k8s_openapi::api::{
    authentication::v1::SelfSubjectReview,
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    core::v1::Event,
};
use kube::{
    Api, Client, Config, Resource as _,
    api::{ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
    core::{DeserializeGuard, Request, Status},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::Connection;
use crate::{
    api::{
        APPROVED_AT, APPROVED_BY, EmployeeMatch, GROUP, OktaIntegration, REVIEW_MANAGER, UnmatchedEmployee,
        match_name, unmatched_employee_name,
    },
    http::{apply_patch::apply_patch, cluster},
    review::{
        Company, Decided,
        field_owner::{OF_APPROVALS, OF_DECISIONS, declared_by},
        find::PersonKey,
    },
};

/// How often a decision is sent again because the operator wrote the object's status in the meantime.
const MAX_ATTEMPTS: usize = 8;

/// Why the cluster cannot be read, or a write was refused.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("cannot use the kubeconfig: {0}")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("{}", cluster::message(.0))]
    Api(#[from] kube::Error),
    #[error("namespace {namespace} has no OktaIntegration: choose another namespace with -n")]
    NoIntegration { namespace: String },
    #[error("namespace {namespace} has several OktaIntegrations: name one of {}", .names.join(", "))]
    Several { namespace: String, names: Vec<String> },
    #[error("OktaIntegration {name} cannot be read by this version: {why}")]
    Unreadable { name: String, why: String },
}

/// Why a decision was not made.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Somebody else decided since.
    #[error("the decision was changed in the meantime, to {theirs}")]
    Changed { theirs: Box<Decided> },
    /// A manifest holds the decision.
    #[error("the decision is managed by {manager}, which would put it back: change it in the manifest")]
    Declared { manager: String },
}

/// Why a plan was not approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("the plan was changed in the meantime, nothing is approved: look at the new plan")]
    Changed,
}

/// A namespace of a cluster, with the caller's access.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    /// ` -n NAMESPACE`, or empty if it is the context's own.
    in_namespace: String,
}

impl Cluster {
    pub(super) async fn connect(connection: &Connection) -> Result<Self, ClusterError> {
        let options = KubeConfigOptions {
            context: connection.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match (&connection.kubeconfig, &connection.context) {
            (Some(path), _) => {
                let kubeconfig = Kubeconfig::read_from(path as &Path)?;
                Config::from_custom_kubeconfig(kubeconfig, &options).await?
            }
            (None, Some(_)) => Config::from_kubeconfig(&options).await?,
            (None, None) => Config::infer().await.map_err(kube::Error::InferConfig)?,
        };
        let default = config.default_namespace.clone();
        let namespace = connection.namespace.clone().unwrap_or_else(|| default.clone());
        Ok(Self {
            client: cluster::connect(config)?,
            in_namespace: match namespace == default {
                true => String::new(),
                false => format!(" -n {namespace}"),
            },
            namespace,
        })
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// ` -n NAMESPACE` for a command, or nothing if the namespace is the context's.
    pub fn in_namespace(&self) -> &str {
        &self.in_namespace
    }

    pub fn integrations(&self) -> Api<OktaIntegration> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The objects of one kind in the namespace.
    pub fn objects<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// All integrations of the namespace that can be read.
    pub async fn all(&self) -> Result<Vec<OktaIntegration>, ClusterError> {
        let api: Api<DeserializeGuard<OktaIntegration>> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let mut found = Vec::new();
        for object in api.list(&ListParams::default()).await?.items {
            found.push(readable(object)?);
        }
        match found.is_empty() {
            true => Err(ClusterError::NoIntegration {
                namespace: self.namespace.clone(),
            }),
            false => Ok(found),
        }
    }

    /// The integration of this name, or the only one of the namespace.
    pub async fn integration(&self, name: Option<&str>) -> Result<OktaIntegration, ClusterError> {
        if let Some(name) = name {
            let api: Api<DeserializeGuard<OktaIntegration>> =
                Api::namespaced(self.client.clone(), &self.namespace);
            return readable(api.get(name).await?);
        }
        let mut found = self.all().await?;
        match (found.len(), found.pop()) {
            (1, Some(integration)) => Ok(integration),
            (_, last) => {
                let names = found
                    .into_iter()
                    .chain(last)
                    .filter_map(|found| found.metadata.name);
                Err(ClusterError::Several {
                    namespace: self.namespace.clone(),
                    names: names.collect(),
                })
            }
        }
    }

    /// The integration with its people and employees.
    pub async fn company(&self, name: Option<&str>) -> Result<Company, ClusterError> {
        let integration = self.integration(name).await?;
        let of_this = of_integration(integration.metadata.name.as_deref().unwrap_or_default());
        let params = ListParams::default().fields(&of_this);
        let (matches, unmatched) = (
            self.objects::<Guarded<EmployeeMatch>>(),
            self.objects::<Guarded<UnmatchedEmployee>>(),
        );
        let (matches, unmatched) = try_join!(matches.list(&params), unmatched.list(&params))?;
        let matches = matches.items.into_iter().filter_map(|object| object.0.ok());
        let unmatched = unmatched.items.into_iter().filter_map(|object| object.0.ok());
        Ok(Company::new(
            Arc::new(integration),
            matches.map(Arc::new),
            unmatched.map(Arc::new),
        ))
    }

    /// The people of an integration by what they are found by: as a table, which the API server makes of 10,000 matches
    /// in a fraction of the time that the matches take.
    pub async fn people(&self, integration: &str) -> Result<Vec<PersonKey>, ClusterError> {
        // As the API server has it at hand: the match is read again before anything is decided.
        let params = ListParams::default()
            .match_any()
            .fields(&of_integration(integration));
        let path = EmployeeMatch::url_path(&(), Some(&self.namespace));
        let mut request = Request::new(path)
            .list(&params)
            .map_err(kube::Error::BuildRequest)?;
        let uri = format!("{}&includeObject=None", request.uri());
        *request.uri_mut() = uri
            .parse()
            .map_err(|error| kube::Error::HttpError(::http::Error::from(error)))?;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(AS_TABLE));
        let Table { columns, rows } = self.client.request(request).await?;
        let place = |name: &str| columns.iter().position(|column| column.name == name);
        let places = ["OKTA ID", "PERSON", "EMAIL", "TEAM"].map(place);
        let keys = rows.into_iter().map(|Row { cells }| {
            let cell = |place: Option<usize>| {
                let cell = place.and_then(|place| cells.get(place)).and_then(Value::as_str);
                cell.unwrap_or_default().to_owned()
            };
            let [okta_user_id, name, email, team] = places.map(cell);
            PersonKey {
                okta_user_id,
                name,
                email,
                team,
            }
        });
        Ok(keys.collect())
    }

    /// A person's match, if there is one.
    pub async fn person(
        &self,
        integration: &str,
        okta_user_id: &str,
    ) -> Result<Option<EmployeeMatch>, ClusterError> {
        let name = match_name(integration, okta_user_id);
        Ok(self.objects::<EmployeeMatch>().get_opt(&name).await?)
    }

    /// An employee without a person, if there is one with this id.
    pub async fn unmatched(
        &self,
        integration: &str,
        id: &str,
    ) -> Result<Option<UnmatchedEmployee>, ClusterError> {
        let name = unmatched_employee_name(integration, id);
        Ok(self.objects::<UnmatchedEmployee>().get_opt(&name).await?)
    }

    /// The matches of an integration whose selectable field has this value.
    pub async fn select(
        &self,
        integration: &str,
        field: &str,
        value: &str,
    ) -> Result<Vec<EmployeeMatch>, ClusterError> {
        let mut selector = format!("{},{field}=", of_integration(integration));
        for character in value.chars() {
            if matches!(character, ',' | '=' | '\\') {
                selector.push('\\');
            }
            selector.push(character);
        }
        let params = ListParams::default().fields(&selector);
        Ok(self.objects::<EmployeeMatch>().list(&params).await?.items)
    }

    /// The name by which the API server knows the caller.
    pub async fn who_am_i(&self) -> Result<String, ClusterError> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let review = api
            .create(&PostParams::default(), &SelfSubjectReview::default())
            .await?;
        let user = review.status.and_then(|status| status.user_info);
        Ok(user
            .and_then(|user| user.username)
            .unwrap_or_else(|| "unknown".to_owned()))
    }

    /// Whether the caller may finalize an integration and approve its plans.
    pub async fn may_finalize(&self, name: &str) -> Result<bool, ClusterError> {
        let (finalize, patch) = try_join!(self.may("finalize", name), self.may("patch", name))?;
        Ok(finalize && patch)
    }

    async fn may(&self, verb: &str, name: &str) -> Result<bool, ClusterError> {
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let asked = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: Some(GROUP.to_owned()),
                    resource: Some("oktaintegrations".to_owned()),
                    namespace: Some(self.namespace.clone()),
                    name: Some(name.to_owned()),
                    verb: Some(verb.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = api.create(&PostParams::default(), &asked).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// Makes a decision, if the present one is still the one that was `seen`. With `take_over`, also if another field
    /// manager declares it.
    pub async fn decide(
        &self,
        integration: &str,
        okta_user_id: &str,
        seen: &Decided,
        to: &Decided,
        by: &str,
        take_over: bool,
    ) -> Result<EmployeeMatch, DecideError> {
        let api = self.objects::<EmployeeMatch>();
        let name = match_name(integration, okta_user_id);
        let mut attempts = 0;
        loop {
            let object = api.get(&name).await.map_err(ClusterError::from)?;
            let present = Decided::from(&object.spec);
            if present != *seen {
                return Err(DecideError::Changed {
                    theirs: Box::new(present),
                });
            }
            let managed = object.metadata.managed_fields.as_deref().unwrap_or_default();
            if let Some(manager) = declared_by(managed, &OF_DECISIONS).filter(|_| !take_over) {
                return Err(DecideError::Declared {
                    manager: manager.to_owned(),
                });
            }
            let body = to.apply_body(&object, by, &Timestamp::now().to_string());
            let patch = apply_patch(&body).map_err(ClusterError::from)?;
            // What another manager holds was looked at right above, and the resourceVersion holds it still.
            let params = PatchParams::apply(REVIEW_MANAGER).force();
            attempts += 1;
            match api.patch(&name, &params, &patch).await {
                Ok(object) => return Ok(object),
                Err(kube::Error::Api(status)) if status.code == 409 && attempts < MAX_ATTEMPTS => {}
                Err(error) => return Err(ClusterError::from(error).into()),
            }
        }
    }

    /// Approves the plan of this hash, only if it is still the integration's plan, and finalizes the integration if
    /// `finalize` is set. The annotations say who did.
    pub async fn approve(&self, name: &str, hash: &str, finalize: bool) -> Result<(), ApproveError> {
        let (integration, by) = try_join!(self.integration(Some(name)), self.who_am_i())?;
        let mut operations = vec![
            json!({ "op": "test", "path": "/status/plan/hash", "value": hash }),
            json!({ "op": "add", "path": "/spec/approvedPlan", "value": hash }),
        ];
        let annotations = [(APPROVED_BY, by), (APPROVED_AT, Timestamp::now().to_string())];
        operations.extend(annotate(&integration, annotations));
        if finalize {
            operations.push(json!({ "op": "add", "path": "/spec/finalized", "value": true }));
        }
        let patch = serde_json::from_value(Value::Array(operations)).map_err(kube::Error::SerdeError);
        let patch = patch.map_err(ClusterError::from)?;
        let params = PatchParams {
            field_manager: Some(REVIEW_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        match self
            .integrations()
            .patch(name, &params, &Patch::Json::<()>(patch))
            .await
        {
            Ok(_) => Ok(()),
            // The hash is another, or there is no plan any more.
            Err(kube::Error::Api(status)) if is_failed_test(&status) => Err(ApproveError::Changed),
            Err(error) => Err(ClusterError::from(error).into()),
        }
    }

    /// The Events about an object, oldest first.
    pub async fn events(&self, name: &str) -> Result<Vec<Event>, ClusterError> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let params = ListParams::default().fields(&format!("involvedObject.name={name}"));
        let mut events = api.list(&params).await?.items;
        events.sort_by_key(|event| event.metadata.creation_timestamp.clone());
        Ok(events)
    }
}

/// How the API server is asked for a table.
const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// The answer to it, as far as it is used.
#[derive(Deserialize)]
struct Table {
    #[serde(rename = "columnDefinitions", default)]
    columns: Vec<Column>,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Deserialize)]
struct Row {
    cells: Vec<Value>,
}

/// An object that may hold what this version cannot read.
pub type Guarded<K> = DeserializeGuard<K>;

/// The field selector for the objects of an integration.
pub fn of_integration(name: &str) -> String {
    format!("spec.integrationRef.name={name}")
}

/// The operations of a JSON patch that set annotations. Where there are none, all are set at once, only if there still
/// are none: those of somebody else would be lost.
fn annotate<const N: usize>(object: &OktaIntegration, annotations: [(&str, String); N]) -> Vec<Value> {
    const PATH: &str = "/metadata/annotations";
    let present = object.metadata.annotations.as_ref();
    if present.is_none_or(BTreeMap::is_empty) {
        let all: BTreeMap<_, _> = annotations.into();
        return vec![
            json!({ "op": "test", "path": PATH, "value": null }),
            json!({ "op": "add", "path": PATH, "value": all }),
        ];
    }
    let operation = |(key, value): (&str, String)| {
        let path = format!("{PATH}/{}", key.replace('/', "~1"));
        json!({ "op": "add", "path": path, "value": value })
    };
    annotations.into_iter().map(operation).collect()
}

/// Who declares the approval of an integration in a manifest.
pub fn approval_declared_by(integration: &OktaIntegration) -> Option<&str> {
    let managed = integration.metadata.managed_fields.as_deref().unwrap_or_default();
    declared_by(managed, &OF_APPROVALS)
}

/// Whether the `test` of a JSON patch failed. The API server refuses it without naming an object, which it names when the
/// object would be invalid.
fn is_failed_test(status: &Status) -> bool {
    let details = status.details.as_ref();
    status.code == 422 && details.is_none_or(|details| details.kind.is_empty())
}

fn readable(object: DeserializeGuard<OktaIntegration>) -> Result<OktaIntegration, ClusterError> {
    object.0.map_err(|invalid| ClusterError::Unreadable {
        name: invalid.metadata.name.unwrap_or_default(),
        why: invalid.error,
    })
}
