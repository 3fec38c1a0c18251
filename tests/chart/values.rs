//! The values that the chart takes, each installed for real and judged by
//! PodSecurity admission, and those that it refuses.

use std::{fs, path::Path, process::Command};

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Namespace, Pod, PodTemplateSpec, ServiceAccount},
    rbac::v1::{ClusterRoleBinding, RoleBinding},
};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use sandbox::control_plane::{ControlPlane, Error};
use serde_json::{Value, json};

use crate::{CHART, plane, release};

/// What a release made.
struct Made {
    deployment: Value,
    account: ServiceAccount,
    /// What helm says after it.
    notes: String,
}

impl Made {
    fn pod(&self) -> &Value {
        &self.deployment["spec"]["template"]["spec"]
    }

    fn container(&self) -> &Value {
        &self.pod()["containers"][0]
    }

    fn arguments(&self) -> Vec<&str> {
        let arguments = self.container()["args"].as_array().unwrap();
        arguments
            .iter()
            .map(|argument| argument.as_str().unwrap())
            .collect()
    }

    fn name(&self) -> &str {
        self.deployment["metadata"]["name"].as_str().unwrap()
    }
}

/// The name of the release, its values, and what they should come to.
type Case = (&'static str, Value, fn(&Made));

const LONG: &str = "a-release-with-the-longest-name-that-helm-does-allow1";

fn cases() -> Vec<Case> {
    vec![
        ("defaults", json!({}), |made| {
            assert_eq!(made.name(), "defaults-okta-insightful-operator");
            assert_eq!(made.account.metadata.name.as_deref(), Some(made.name()));
            assert_eq!(made.account.automount_service_account_token, Some(false));
            assert_eq!(made.container()["image"], "okta-insightful-operator:0.1.0");
            assert_eq!(made.arguments(), ["run", "--metrics-address=0.0.0.0:8080"]);
            assert_eq!(made.deployment["spec"]["replicas"], 1);
            let lease = format!(
                "{}/{}",
                made.deployment["metadata"]["namespace"].as_str().unwrap(),
                made.name()
            );
            assert_eq!(
                made.container()["env"],
                json!([
                    { "name": "LEASE", "value": lease },
                    { "name": "STATE_DIR", "value": "/var/lib/okta-insightful-operator/state" },
                ])
            );
            let pod = &made.deployment["spec"]["template"]["spec"];
            assert_eq!(pod["volumes"], json!([{ "name": "state", "emptyDir": {} }]));
            assert_eq!(
                made.container()["volumeMounts"],
                json!([{ "name": "state", "mountPath": "/var/lib/okta-insightful-operator" }])
            );
            assert!(made.notes.contains("serves all namespaces"), "{}", made.notes);
        }),
        (
            "image",
            json!({
                "image": { "repository": "ghcr.io/acme/operator", "tag": "1.0@sha256:9f2c", "pullPolicy": "Always" },
                "imagePullSecrets": [{ "name": "registry" }],
            }),
            |made| {
                assert_eq!(made.container()["image"], "ghcr.io/acme/operator:1.0@sha256:9f2c");
                assert_eq!(made.container()["imagePullPolicy"], "Always");
                assert_eq!(made.pod()["imagePullSecrets"], json!([{ "name": "registry" }]));
            },
        ),
        ("short", json!({ "nameOverride": "op" }), |made| {
            assert_eq!(made.name(), "short-op")
        }),
        ("whole", json!({ "fullnameOverride": "insightful" }), |made| {
            assert_eq!(made.name(), "insightful")
        }),
        // The name of the chart is not said twice.
        ("my-okta-insightful-operator", json!({}), |made| {
            assert_eq!(made.name(), "my-okta-insightful-operator");
        }),
        (LONG, json!({}), |made| assert_eq!(made.name(), LONG)),
        (
            "kept",
            json!({ "oktaDomains": ["sso.acme.example"], "watchNamespaces": ["default", "kube-public"] }),
            |made| {
                assert_eq!(
                    made.arguments(),
                    [
                        "run",
                        "--metrics-address=0.0.0.0:8080",
                        "--okta-domain=sso.acme.example",
                        "--watch-namespace=default",
                        "--watch-namespace=kube-public",
                    ]
                );
                assert!(
                    made.notes.contains("serves the namespaces default, kube-public."),
                    "{}",
                    made.notes
                );
            },
        ),
        (
            "environment",
            json!({
                "replicas": 2,
                "env": [
                    { "name": "HTTPS_PROXY", "value": "http://proxy:3128" },
                    { "name": "NODE", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } },
                ],
                "resources": { "requests": { "cpu": 1 }, "limits": { "memory": "1Gi" } },
            }),
            |made| {
                assert_eq!(made.deployment["spec"]["replicas"], 2);
                let environment = &made.container()["env"];
                assert_eq!(
                    environment[2],
                    json!({ "name": "HTTPS_PROXY", "value": "http://proxy:3128" })
                );
                assert_eq!(
                    environment[3]["valueFrom"]["fieldRef"]["fieldPath"],
                    "spec.nodeName"
                );
                assert_eq!(
                    made.container()["resources"],
                    json!({ "requests": { "cpu": "1", "memory": "64Mi" }, "limits": { "memory": "1Gi" } })
                );
            },
        ),
        (
            "placed",
            json!({
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "tolerations": [{ "key": "dedicated", "operator": "Exists" }],
                "affinity": { "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
                    "weight": 1,
                    "preference": { "matchExpressions": [{ "key": "arch", "operator": "Exists" }] },
                }] } },
                "priorityClassName": "system-cluster-critical",
            }),
            |made| {
                assert_eq!(made.pod()["nodeSelector"], json!({ "kubernetes.io/os": "linux" }));
                assert_eq!(made.pod()["tolerations"][0]["key"], "dedicated");
                assert!(made.pod()["affinity"]["nodeAffinity"].is_object());
                assert_eq!(made.pod()["priorityClassName"], "system-cluster-critical");
            },
        ),
        (
            "labelled",
            json!({
                "podLabels": { "team": "platform", "app.kubernetes.io/name": "not-this" },
                "podAnnotations": { "prometheus.io/scrape": "true" },
                "serviceAccount": { "name": "robot", "annotations": { "cloud/role": "none" } },
            }),
            |made| {
                let metadata = &made.deployment["spec"]["template"]["metadata"];
                assert_eq!(metadata["labels"]["team"], "platform");
                // What the Deployment selects by stays.
                assert_eq!(
                    metadata["labels"]["app.kubernetes.io/name"],
                    "okta-insightful-operator"
                );
                assert_eq!(metadata["annotations"]["prometheus.io/scrape"], "true");
                assert_eq!(made.pod()["serviceAccountName"], "robot");
                assert_eq!(made.account.metadata.name.as_deref(), Some("robot"));
                assert_eq!(
                    made.account.metadata.annotations.as_ref().unwrap()["cloud/role"],
                    "none"
                );
            },
        ),
    ]
}

#[tokio::test]
async fn every_value_installs_under_restricted_pod_security() {
    let plane = plane().await;
    let client = plane.admin_client().await.unwrap();
    let namespace = restricted(plane, &client).await;
    for (name, values, check) in cases() {
        let notes = release(plane, name, &namespace, &values).await;
        let selector = ListParams::default().labels(&format!("app.kubernetes.io/instance={name}"));
        let deployment = only::<Deployment>(&client, &namespace, &selector).await;
        let made = Made {
            deployment: serde_json::to_value(&deployment).unwrap(),
            account: only(&client, &namespace, &selector).await,
            notes,
        };
        check(&made);
        assert_binding(&client, &selector, &values, made.name()).await;
        assert_program_takes(&made.arguments());

        let template = deployment.spec.template;
        create_pod(&client, &namespace, template.clone())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        // Admission does judge: the same pod as root is refused.
        let mut rooted = template;
        let pod = rooted.spec.as_mut().unwrap();
        pod.security_context.as_mut().unwrap().run_as_non_root = Some(false);
        let refused = create_pod(&client, &namespace, rooted)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("violates PodSecurity"), "{name}: {refused}");
    }
}

async fn restricted(plane: &ControlPlane, client: &Client) -> String {
    let namespace = plane.namespace("restricted").await.unwrap();
    let labels = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } });
    Api::<Namespace>::all(client.clone())
        .patch(&namespace, &PatchParams::default(), &Patch::Merge(labels))
        .await
        .unwrap();
    namespace
}

async fn only<K>(client: &Client, namespace: &str, selector: &ListParams) -> K
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let list = Api::<K>::namespaced(client.clone(), namespace)
        .list(selector)
        .await
        .unwrap();
    let [object]: [K; 1] = list.items.try_into().unwrap();
    object
}

/// Rights in the whole cluster, or in the watched namespaces and nowhere else.
async fn assert_binding(client: &Client, selector: &ListParams, values: &Value, name: &str) {
    let everywhere: Api<ClusterRoleBinding> = Api::all(client.clone());
    let in_namespaces: Api<RoleBinding> = Api::all(client.clone());
    let names = |object: kube::core::ObjectMeta| (object.namespace, object.name.unwrap());
    let is_for_the_lease = |(_, name): &(Option<String>, String)| name.ends_with("-lease");
    let everywhere = everywhere.list(selector).await.unwrap().items;
    let in_namespaces = in_namespaces.list(selector).await.unwrap().items;
    let bindings = everywhere.into_iter().map(|binding| binding.metadata);
    let bindings = bindings.chain(in_namespaces.into_iter().map(|binding| binding.metadata));
    let watched = values["watchNamespaces"].as_array();
    let expected: Vec<_> = match watched {
        Some(watched) => {
            let namespaces = watched.iter().map(|namespace| namespace.as_str().unwrap());
            namespaces
                .map(|namespace| (Some(namespace.to_owned()), name.to_owned()))
                .collect()
        }
        None => vec![(None, name.to_owned())],
    };
    let (leases, bindings): (Vec<_>, Vec<_>) = bindings.map(names).partition(is_for_the_lease);
    assert_eq!(bindings, expected);
    assert_eq!(
        leases.len(),
        1,
        "the Lease is in the operator's own namespace: {leases:?}"
    );
}

/// With arguments that it does not know, the program ends with 2; here it ends
/// because there is no cluster.
fn assert_program_takes(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .args(arguments)
        .env("KUBECONFIG", "/nonexistent")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
}

/// Admission judges pods only: a Deployment that makes bad ones is merely warned of.
async fn create_pod(client: &Client, namespace: &str, template: PodTemplateSpec) -> Result<(), kube::Error> {
    let mut pod = Pod {
        metadata: template.metadata.unwrap_or_default(),
        spec: template.spec,
        ..Pod::default()
    };
    pod.metadata.generate_name = Some("operator-".to_owned());
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    Api::namespaced(client.clone(), namespace)
        .create(&params, &pod)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_value_that_is_wrong_is_refused_with_its_place() {
    let plane = ControlPlane::shared();
    for (setting, words) in [
        ("--set=replica=2", "additional properties 'replica' not allowed"),
        (
            "--set=rbac.create=false",
            "at '/rbac': additional properties 'create' not allowed",
        ),
        ("--set=image.repository=", "at '/image/repository': minLength"),
        (
            "--set=image.pullPolicy=Sometimes",
            "value must be one of 'Always', 'IfNotPresent', 'Never'",
        ),
        ("--set=image.tag=5", "at '/image/tag': got number, want string"),
        (
            "--set=imagePullSecrets={registry}",
            "at '/imagePullSecrets/0': got string, want object",
        ),
        ("--set=oktaDomains={https://acme.okta.com}", "at '/oktaDomains/0'"),
        ("--set=oktaDomains={example}", "at '/oktaDomains/0'"),
        ("--set=watchNamespaces={People}", "at '/watchNamespaces/0'"),
        (
            "--set=watchNamespaces={people,people}",
            "items at 0 and 1 are equal",
        ),
        (
            "--set=rbac.secretNames=okta",
            "at '/rbac/secretNames': got string, want array",
        ),
        (
            "--set=rbac.aggregate=sometimes",
            "at '/rbac/aggregate': got string, want boolean",
        ),
        (
            "--set=crds.install=maybe",
            "at '/crds/install': got string, want boolean",
        ),
        (
            "--set=podLabels.number=1",
            "at '/podLabels/number': got number, want string",
        ),
        (
            "--set=resources.cpu=1",
            "at '/resources': additional properties 'cpu' not allowed",
        ),
        ("--set=env[0].value=a", "at '/env/0': missing property 'name'"),
        ("--kube-version=1.30.9", "chart requires kubeVersion"),
    ] {
        match plane.helm(&["template", "refused", CHART, setting]).await {
            Err(Error::Command { stderr, .. }) => assert!(stderr.contains(words), "{setting}: {stderr}"),
            answer => panic!("{setting}: {answer:?}"),
        }
    }
    // Helm gives every subchart a `global`.
    let accepted = ["template", "accepted", CHART, "--set=global.region=eu"];
    plane.helm(&accepted).await.unwrap();
}

#[tokio::test]
async fn helm_finds_nothing_to_say_of_the_chart() {
    let plane = ControlPlane::shared();
    let said = plane.helm(&["lint", "--strict", CHART]).await.unwrap();
    assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{said}");
    assert!(said.contains("1 chart(s) linted, 0 chart(s) failed"), "{said}");
}

/// The table in the chart's README names the values that there are.
#[test]
fn every_value_is_in_the_readme() {
    let readme = fs::read_to_string(Path::new(CHART).join("README.md")).unwrap();
    let values = fs::read_to_string(Path::new(CHART).join("values.yaml")).unwrap();
    let values: Value = serde_yaml::from_str(&values).unwrap();
    let mut names = Vec::new();
    for (name, value) in values.as_object().unwrap() {
        match (name.as_str(), value) {
            ("image" | "serviceAccount" | "rbac" | "crds", Value::Object(fields)) => {
                names.extend(fields.keys().map(|field| format!("`{name}.{field}`")));
            }
            _ => names.push(format!("`{name}`")),
        }
    }
    names.retain(|name| !readme.contains(name));
    assert_eq!(names, Vec::<String>::new());
}
