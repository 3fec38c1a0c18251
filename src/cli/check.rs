//! The subcommand `check`: whether the cluster has what the operator needs, and
//! whether a replica leads. `helm test` runs it as the operator's account.

use std::{fmt, time::Duration};

use k8s_openapi::{
    api::{
        authorization::v1::{
            ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
            SubjectAccessReviewStatus,
        },
        coordination::v1::Lease,
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, PostParams},
};
use tokio::time::Instant;

use crate::{
    api::{EmployeeMatch, OktaIntegration, OktaIntegrationSpec},
    controller::LeaseName,
    http,
};

/// How long a leader is waited for: a new one may have to wait for the lease of
/// one that died, and then renews it every few seconds.
const PATIENCE: Duration = Duration::from_secs(30);

const GROUP: &str = "integrations.insightful.io";

/// What the operator does everywhere it serves: group, resource, subresource, verbs.
const RIGHTS: [(&str, &str, &str, &[&str]); 5] = [
    (GROUP, "oktaintegrations", "", &["get", "list", "watch"]),
    (
        GROUP,
        "employeematches",
        "",
        &["get", "list", "watch", "create", "patch"],
    ),
    (GROUP, "oktaintegrations", "status", &["get", "patch"]),
    (GROUP, "employeematches", "status", &["get", "patch"]),
    ("events.k8s.io", "events", "", &["create", "patch"]),
];

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: String,
    /// What is wrong with it, and what to do; None if all is well.
    pub problem: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            None => write!(f, "ok      {}", self.what),
            Some(problem) => write!(f, "FAILED  {}: {problem}", self.what),
        }
    }
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no cluster to talk to.
    #[error("no cluster: set KUBECONFIG, or run in one ({0})")]
    NoCluster(#[source] kube::Error),
    /// The API server did not say what one may do.
    #[error("the API server does not say what this account may do: {0}")]
    Rights(#[source] kube::Error),
}

/// Looks at the cluster of KUBECONFIG, or the one it runs in, as the operator
/// that watches `namespaces` (none means all) would see it; and at the leader,
/// if the operator has a `lease`. Takes up to half a minute if nobody leads.
///
/// # Errors
/// Why nothing could be looked at. What is found wrong is no error.
pub async fn check(namespaces: &[String], lease: Option<&LeaseName>) -> Result<Vec<Finding>, CheckError> {
    let client = http::cluster::client().await.map_err(CheckError::NoCluster)?;
    let mut findings = Vec::new();
    let scopes: Vec<Option<&str>> = match namespaces {
        [] => vec![None],
        some => some.iter().map(|namespace| Some(namespace.as_str())).collect(),
    };
    for scope in scopes {
        look_at(&client, scope, &mut findings).await?;
    }
    if let Some(lease) = lease {
        findings.push(Finding {
            what: format!(
                "a replica holds and renews the Lease {}/{}",
                lease.namespace, lease.name
            ),
            problem: leader(&client, lease).await.err(),
        });
    }
    Ok(findings)
}

async fn look_at(
    client: &Client,
    scope: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<(), CheckError> {
    let place = scope.map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
    for (group, resource, subresource, verbs) in RIGHTS {
        let mut missing = Vec::new();
        for verb in verbs {
            let attributes = ResourceAttributes {
                group: some(group),
                resource: some(resource),
                subresource: some(subresource),
                verb: some(verb),
                namespace: scope.and_then(some),
                ..ResourceAttributes::default()
            };
            if !may(client, attributes).await? {
                missing.push(*verb);
            }
        }
        let slash = if subresource.is_empty() { "" } else { "/" };
        findings.push(Finding {
            what: format!(
                "may {} {resource}{slash}{subresource} in {place}",
                verbs.join(", ")
            ),
            problem: (!missing.is_empty()).then(|| {
                let missing = missing.join(", ");
                format!("may not {missing}: are the chart's roles and bindings there?")
            }),
        });
    }
    let served = "the resources are served";
    let problem = |error: kube::Error| match error {
        kube::Error::Api(status) if status.code == 404 => {
            Some("they are not: install the resource definitions".to_owned())
        }
        error => Some(error.to_string()),
    };
    let one = ListParams::default().limit(1);
    let matches = scoped::<EmployeeMatch>(client, scope).list(&one).await;
    let integrations = scoped::<OktaIntegration>(client, scope)
        .list(&ListParams::default())
        .await;
    let (integrations, wrong) = match (integrations, matches) {
        (Ok(integrations), Ok(_)) => (integrations.items, None),
        (Err(error), _) | (_, Err(error)) => (Vec::new(), problem(error)),
    };
    findings.push(Finding {
        what: format!("{served} in {place}"),
        problem: wrong,
    });
    for integration in integrations {
        let namespace = integration.namespace().unwrap_or_default();
        for secret in secrets(&integration.spec) {
            let attributes = ResourceAttributes {
                resource: some("secrets"),
                verb: some("get"),
                namespace: some(&namespace),
                name: some(secret),
                ..ResourceAttributes::default()
            };
            findings.push(Finding {
                what: format!(
                    "may get Secret {secret} of {namespace}/{}",
                    integration.name_any()
                ),
                problem: (!may(client, attributes).await?)
                    .then(|| "may not: does the chart's rbac.secretNames have it?".to_owned()),
            });
        }
    }
    Ok(())
}

/// The Secrets that an integration names.
fn secrets(spec: &OktaIntegrationSpec) -> Vec<&str> {
    let auth = &spec.okta.auth;
    let mut names: Vec<&str> = [
        auth.api_token.as_ref().map(|token| &token.secret_ref),
        auth.service_app.as_ref().map(|app| &app.private_key_secret_ref),
        Some(&spec.insightful.api_token.secret_ref),
        spec.notify.as_ref().map(|notify| &notify.webhook.url_secret_ref),
    ]
    .into_iter()
    .flatten()
    .map(|reference| reference.name.as_str())
    .collect();
    names.sort_unstable();
    names.dedup();
    names
}

async fn may(client: &Client, attributes: ResourceAttributes) -> Result<bool, CheckError> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer = Api::<SelfSubjectAccessReview>::all(client.clone())
        .create(&PostParams::default(), &review)
        .await
        .map_err(CheckError::Rights)?;
    Ok(answer
        .status
        .is_some_and(|SubjectAccessReviewStatus { allowed, .. }| allowed))
}

/// Waits until the lease is renewed while we watch: clocks of other machines
/// are not to be trusted. The error says what is wrong.
async fn leader(client: &Client, lease: &LeaseName) -> Result<(), String> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), &lease.namespace);
    let started = Instant::now();
    let mut first: Option<(String, Option<MicroTime>)> = None;
    loop {
        let present = leases
            .get_opt(&lease.name)
            .await
            .map_err(|error| error.to_string())?;
        let spec = present.and_then(|lease| lease.spec);
        let holder = spec.as_ref().and_then(|spec| spec.holder_identity.clone());
        if let (Some(spec), Some(holder)) = (spec, holder.filter(|holder| !holder.is_empty())) {
            let now = (holder, spec.renew_time);
            match &first {
                Some(first) if first.0 == now.0 && first.1 != now.1 => return Ok(()),
                Some(first) if first.0 == now.0 => {}
                _ => first = Some(now),
            }
        }
        if started.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(match first {
                None => format!("nobody held it for {seconds} s: do the operator's pods run?"),
                Some((holder, _)) => {
                    format!("{holder} did not renew it for {seconds} s: do the operator's pods run?")
                }
            });
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn scoped<K>(client: &Client, scope: Option<&str>) -> Api<K>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    match scope {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
