//! `check`: the API server, the operator's permissions, the resource definitions and the leader. `helm test` runs it with
//! the operator's ServiceAccount.

use std::{fmt, time::Duration};

use k8s_openapi::{
    api::{
        authorization::v1::{
            ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
            SubjectAccessReviewStatus,
        },
        coordination::v1::Lease,
    },
    apimachinery::pkg::{apis::meta::v1::MicroTime, version::Info},
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, PostParams},
};
use tokio::time::Instant;

use crate::{
    api::{EmployeeMatch, OktaIntegrationSpec, UnmatchedEmployee},
    controller::{LeaseName, Watched, WatchedIntegration},
    http,
};

/// A new leader may first have to wait until the lease of a crashed one expires.
const LEADER_TIMEOUT: Duration = Duration::from_secs(30);

const GROUP: &str = "integrations.insightful.io";

/// Kubernetes 1.31, the `kubeVersion` of the chart.
const MIN_MINOR_VERSION: u32 = 31;

/// What makes a user's write need the verb `finalize`.
const POLICIES: (&str, &str) = ("admissionregistration.k8s.io/v1", "validatingadmissionpolicies");

/// What the operator does in each watched namespace: group, resource, subresource, verbs.
const PERMISSIONS: [(&str, &str, &str, &[&str]); 7] = [
    (GROUP, "oktaintegrations", "", &["get", "list", "watch"]),
    (
        GROUP,
        "employeematches",
        "",
        &["get", "list", "watch", "create", "patch"],
    ),
    (
        GROUP,
        "unmatchedemployees",
        "",
        &["list", "create", "patch", "delete"],
    ),
    (GROUP, "oktaintegrations", "status", &["get", "patch"]),
    (GROUP, "employeematches", "status", &["get", "patch"]),
    (GROUP, "unmatchedemployees", "status", &["patch"]),
    ("events.k8s.io", "events", "", &["create", "patch"]),
];

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub check: String,
    /// Why the check failed, and what to do.
    pub problem: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            None => write!(f, "ok      {}", self.check),
            Some(problem) => write!(f, "FAILED  {}: {problem}", self.check),
        }
    }
}

/// Why the checks could not run. A failed check is a [`Finding`].
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("no cluster: set KUBECONFIG, or run in a cluster ({})", http::cluster::message(.0))]
    NoCluster(#[source] kube::Error),
    #[error("cannot ask the API server for this account's permissions: {}", http::cluster::message(.0))]
    AccessReview(#[source] kube::Error),
}

/// Checks the cluster of KUBECONFIG, or the one this runs in, for an operator that watches `namespaces` (all if
/// empty) and elects its leader by `lease`. Waits up to [`LEADER_TIMEOUT`] for a leader.
pub async fn check(namespaces: &[String], lease: Option<&LeaseName>) -> Result<Vec<Finding>, CheckError> {
    let client = http::cluster::client().await.map_err(CheckError::NoCluster)?;
    let mut findings = vec![version(&client).await, policies(&client).await];
    let scopes: Vec<Option<&str>> = match namespaces {
        [] => vec![None],
        some => some.iter().map(|namespace| Some(namespace.as_str())).collect(),
    };
    for scope in scopes {
        check_scope(&client, scope, &mut findings).await?;
    }
    if let Some(lease) = lease {
        findings.push(Finding {
            check: format!(
                "a replica holds and renews the Lease {}/{}",
                lease.namespace, lease.name
            ),
            problem: wait_for_leader(&client, lease).await.err(),
        });
    }
    Ok(findings)
}

async fn version(client: &Client) -> Finding {
    let problem = match client.apiserver_version().await {
        Ok(version) => too_old(&version),
        Err(error) => Some(http::cluster::message(&error)),
    };
    Finding {
        check: format!("the API server has Kubernetes 1.{MIN_MINOR_VERSION} or later"),
        problem,
    }
}

fn too_old(version: &Info) -> Option<String> {
    // Managed clusters have a minor version such as `31+`.
    let number = |text: &str| -> Option<u32> { text.trim_end_matches('+').parse().ok() };
    match (number(&version.major), number(&version.minor)) {
        (Some(major), Some(minor)) if (major, minor) >= (1, MIN_MINOR_VERSION) => None,
        _ => Some(format!(
            "it has {}, where custom resources cannot be selected by their fields, which syncs do; upgrade the cluster",
            version.git_version
        )),
    }
}

async fn policies(client: &Client) -> Finding {
    let (group, resource) = POLICIES;
    let problem = match client.list_api_group_resources(group).await {
        Ok(list) if list.resources.iter().any(|served| served.name == resource) => None,
        Ok(_) => Some(format!(
            "it does not serve {resource} of {group}, so everybody who may update an integration can finalize it; \
             enable them in the API server"
        )),
        Err(error) => Some(http::cluster::message(&error)),
    };
    Finding {
        check: "the API server has ValidatingAdmissionPolicies".to_owned(),
        problem,
    }
}

async fn check_scope(
    client: &Client,
    scope: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<(), CheckError> {
    let place = scope.map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
    for (group, resource, subresource, verbs) in PERMISSIONS {
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
            if !is_allowed(client, attributes).await? {
                missing.push(*verb);
            }
        }
        let slash = if subresource.is_empty() { "" } else { "/" };
        findings.push(Finding {
            check: format!(
                "can {} {resource}{slash}{subresource} in {place}",
                verbs.join(", ")
            ),
            problem: (!missing.is_empty()).then(|| {
                let missing = missing.join(", ");
                format!("cannot {missing}; check that the chart's roles and bindings are installed")
            }),
        });
    }
    let problem = |error: kube::Error| match error {
        kube::Error::Api(status) if status.code == 404 => {
            Some("not found; install the CustomResourceDefinitions".to_owned())
        }
        error => Some(http::cluster::message(&error)),
    };
    let one = ListParams::default().limit(1);
    let matches = scoped::<Watched>(client, scope).list(&one).await;
    let integrations = scoped::<WatchedIntegration>(client, scope)
        .list(&ListParams::default())
        .await;
    let unmatched = scoped::<UnmatchedEmployee>(client, scope)
        .list_metadata(&one)
        .await;
    let (integrations, problem) = match (integrations, matches, unmatched) {
        (Ok(integrations), Ok(_), Ok(_)) => (integrations.items, None),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => (Vec::new(), problem(error)),
    };
    let can_list = problem.is_none();
    findings.push(Finding {
        check: format!("OktaIntegrations, EmployeeMatches and UnmatchedEmployees can be listed in {place}"),
        problem,
    });
    if can_list {
        findings.push(Finding {
            check: format!(
                "EmployeeMatches and UnmatchedEmployees can be selected by integration in {place}"
            ),
            problem: selection_problem(client, scope).await,
        });
    }
    for integration in integrations {
        let namespace = integration.namespace().unwrap_or_default();
        if let WatchedIntegration::Unreadable(unreadable) = &integration {
            findings.push(Finding {
                check: format!("can read OktaIntegration {namespace}/{}", integration.name_any()),
                problem: Some(format!(
                    "cannot read {}; correct it, or upgrade the operator",
                    unreadable.why()
                )),
            });
        }
        let Some(legible) = integration.legible() else {
            continue;
        };
        for secret in secrets(&legible.spec) {
            let attributes = ResourceAttributes {
                resource: some("secrets"),
                verb: some("get"),
                namespace: some(&namespace),
                name: some(secret),
                ..ResourceAttributes::default()
            };
            findings.push(Finding {
                check: format!(
                    "can get Secret {secret} of {namespace}/{}",
                    integration.name_any()
                ),
                problem: (!is_allowed(client, attributes).await?)
                    .then(|| "cannot get it; add it to the chart's rbac.secretNames".to_owned()),
            });
        }
    }
    Ok(())
}

/// Why objects cannot be selected by the field that syncs select them by. An API server that does not know
/// `selectableFields` drops them from the definitions.
async fn selection_problem(client: &Client, scope: Option<&str>) -> Option<String> {
    let field = "spec.integrationRef.name";
    let one = ListParams::default().limit(1).fields(&format!("{field}=any"));
    let matches = scoped::<EmployeeMatch>(client, scope).list_metadata(&one).await;
    let unmatched = scoped::<UnmatchedEmployee>(client, scope)
        .list_metadata(&one)
        .await;
    match matches.err().or(unmatched.err())? {
        kube::Error::Api(status) if status.code == 400 => Some(format!(
            "cannot select by {field}; install the CustomResourceDefinitions of this release on Kubernetes \
             1.{MIN_MINOR_VERSION} or later"
        )),
        error => Some(http::cluster::message(&error)),
    }
}

/// The names of the Secrets that an integration refers to.
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

async fn is_allowed(client: &Client, attributes: ResourceAttributes) -> Result<bool, CheckError> {
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
        .map_err(CheckError::AccessReview)?;
    Ok(answer
        .status
        .is_some_and(|SubjectAccessReviewStatus { allowed, .. }| allowed))
}

/// Waits until the lease is seen to be renewed; its times are not compared with this machine's clock, which may
/// differ.
async fn wait_for_leader(client: &Client, lease: &LeaseName) -> Result<(), String> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), &lease.namespace);
    let started = Instant::now();
    let mut first: Option<(String, Option<MicroTime>)> = None;
    loop {
        let present = leases
            .get_opt(&lease.name)
            .await
            .map_err(|error| http::cluster::message(&error))?;
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
        if started.elapsed() > LEADER_TIMEOUT {
            let seconds = LEADER_TIMEOUT.as_secs();
            let problem = match first {
                None => "no replica held it".to_owned(),
                Some((holder, _)) => format!("{holder} did not renew it"),
            };
            return Err(format!(
                "{problem} within {seconds} s; check that the operator's pods are running"
            ));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: &str, minor: &str) -> Info {
        Info {
            major: major.to_owned(),
            minor: minor.to_owned(),
            git_version: format!("v{major}.{minor}.4"),
            ..Info::default()
        }
    }

    #[test]
    fn an_api_server_before_1_31_is_too_old() {
        for (major, minor) in [("1", "31"), ("1", "31+"), ("1", "100"), ("2", "0")] {
            assert_eq!(too_old(&version(major, minor)), None, "{major}.{minor}");
        }
        for (major, minor) in [("1", "30"), ("1", "9+"), ("0", "40"), ("", "")] {
            assert!(too_old(&version(major, minor)).is_some(), "{major}.{minor}");
        }
        assert!(
            too_old(&version("1", "30"))
                .is_some_and(|problem| problem.starts_with("it has v1.30.4, where custom resources"))
        );
    }

    #[test]
    fn the_chart_requires_the_same_version() {
        let chart = include_str!("../../charts/okta-insightful-operator/Chart.yaml");
        let line = format!("\nkubeVersion: \">=1.{MIN_MINOR_VERSION}.0-0\"\n");
        assert!(chart.contains(&line));
    }
}
