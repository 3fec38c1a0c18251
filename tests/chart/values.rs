//! The values of the chart, alone and combined: each is installed, and its pods
//! pass PodSecurity admission.

use std::process::Command;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Namespace, Pod, PodSpec},
    rbac::v1::{ClusterRoleBinding, RoleBinding},
};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
    core::ObjectMeta,
};
use sandbox::control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::{
    made::{Made, texts},
    person, plane, release, release_as,
    value_cases::{Case, cases},
};

#[tokio::test]
async fn every_value_installs_under_restricted_pod_security() {
    let plane = plane().await;
    let client = plane.admin_client().await.unwrap();
    let namespace = restricted(plane, &client).await;
    person(plane, &namespace, "tenant", Some("admin")).await;
    for case in cases() {
        assert_installs(plane, &client, &namespace, &case).await;
    }
}

/// Installs the release of a case and checks it, its pods and their commands.
/// Returns the objects of the release.
pub async fn assert_installs(
    plane: &ControlPlane,
    client: &Client,
    namespace: &str,
    (name, values, assert_made): &Case,
) -> Made {
    let notes = match values["rbac"]["create"] == false {
        // The role `admin` of the namespace is enough.
        true => {
            let tenant = plane.user_kubeconfig("tenant", &[]).unwrap();
            release_as(plane, &tenant, name, namespace, values).await.unwrap()
        }
        false => release(plane, name, namespace, values).await,
    };
    let made = made(plane, client, namespace, name, notes).await;
    assert_made(&made);
    assert_binding(client, values, &made).await;
    assert_program_takes(made.container());
    let check = &made.check["spec"];
    assert_program_takes(&check["containers"][0]);

    for pod in [made.pod(), check] {
        create_pod(client, namespace, pod)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        // The same pod as root is rejected.
        let mut rooted = pod.clone();
        rooted["securityContext"]["runAsNonRoot"] = false.into();
        let refused = create_pod(client, namespace, &rooted).await.unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("violates PodSecurity"), "{name}: {refused}");
    }
    made
}

/// A parent chart can choose the namespace of each subchart.
#[tokio::test]
async fn all_objects_of_a_release_can_be_in_another_namespace() {
    let plane = plane().await;
    let client = plane.admin_client().await.unwrap();
    let [of_the_release, other] = [
        plane.namespace("release").await.unwrap(),
        plane.namespace("other").await.unwrap(),
    ];
    let values = json!({
        "namespaceOverride": other,
        "networkPolicy": { "enabled": true },
        "monitoring": { "service": { "enabled": true }, "dashboard": { "enabled": true } },
    });
    release(plane, "moved", &of_the_release, &values).await;
    let get = async |what| {
        let arguments = ["get", what, "moved", "--namespace", &of_the_release];
        documents(&plane.helm(&arguments).await.unwrap())
    };
    let (objects, hooks) = (get("manifest").await, get("hooks").await);
    let name = "moved-okta-insightful-operator";
    let mut kinds = 0;
    for object in objects.iter().chain(&hooks) {
        let namespace = &object["metadata"]["namespace"];
        assert!(namespace.is_null() || *namespace == other, "{object}");
        kinds += usize::from(namespace.is_string());
        assert!(!object.to_string().contains(&of_the_release), "{object}");
    }
    assert_eq!(
        kinds, 10,
        "Deployment, account, budget, two policies, Lease's Role and binding, Service, dashboard, check"
    );
    let deployment = Api::<Deployment>::namespaced(client, &other)
        .get(name)
        .await
        .unwrap();
    let deployment = json!(deployment);
    let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap();
    assert!(variables.contains(&json!({ "name": "LEASE", "value": format!("{other}/{name}") })));
    let lease = format!("--lease={other}/{name}");
    assert_eq!(hooks[0]["spec"]["containers"][0]["args"][1], lease);
}

async fn made(plane: &ControlPlane, client: &Client, namespace: &str, name: &str, notes: String) -> Made {
    let selector = ListParams::default().labels(&format!("app.kubernetes.io/instance={name}"));
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let [deployment]: [Deployment; 1] = deployments
        .list(&selector)
        .await
        .unwrap()
        .items
        .try_into()
        .unwrap();
    let get = async |what| {
        let output = plane
            .helm(&["get", what, name, "--namespace", namespace])
            .await
            .unwrap();
        documents(&output)
    };
    let [check]: [Value; 1] = get("hooks").await.try_into().unwrap();
    Made {
        deployment: serde_json::to_value(&deployment).unwrap(),
        objects: get("manifest").await,
        check,
        notes,
    }
}

fn documents(yaml: &str) -> Vec<Value> {
    serde_yaml::from_multiple(yaml).unwrap()
}

/// Creates a namespace that enforces the restricted Pod Security Standard.
pub async fn restricted(plane: &ControlPlane, client: &Client) -> String {
    let namespace = plane.namespace("restricted").await.unwrap();
    let labels = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } });
    Api::<Namespace>::all(client.clone())
        .patch(&namespace, &PatchParams::default(), &Patch::Merge(labels))
        .await
        .unwrap();
    namespace
}

/// Asserts that permissions are cluster-wide, or only in the watched namespaces.
async fn assert_binding(client: &Client, values: &Value, made: &Made) {
    let instance = &made.deployment["metadata"]["labels"]["app.kubernetes.io/instance"];
    let instance = instance.as_str().unwrap();
    let selector = ListParams::default().labels(&format!("app.kubernetes.io/instance={instance}"));
    let everywhere: Api<ClusterRoleBinding> = Api::all(client.clone());
    let in_namespaces: Api<RoleBinding> = Api::all(client.clone());
    let names = |object: ObjectMeta| (object.namespace, object.name.unwrap());
    let is_for_the_lease = |(_, name): &(Option<String>, String)| name.ends_with("-lease");
    let everywhere = everywhere.list(&selector).await.unwrap().items;
    let in_namespaces = in_namespaces.list(&selector).await.unwrap().items;
    for binding in &in_namespaces {
        assert_eq!(
            binding.role_ref.kind, "Role",
            "permissions in a namespace come from a Role"
        );
    }
    let bindings = everywhere.into_iter().map(|binding| binding.metadata);
    let bindings = bindings.chain(in_namespaces.into_iter().map(|binding| binding.metadata));
    if values["rbac"]["create"] == false {
        assert_eq!(bindings.count(), 0, "somebody else creates them");
        return;
    }
    let watched = values["watchNamespaces"].as_array();
    let expected: Vec<_> = match watched {
        Some(watched) => {
            let namespaces = watched.iter().map(|namespace| namespace.as_str().unwrap());
            namespaces
                .map(|namespace| (Some(namespace.to_owned()), made.name().to_owned()))
                .collect()
        }
        None => vec![(None, made.name().to_owned())],
    };
    let (leases, bindings): (Vec<_>, Vec<_>) = bindings.map(names).partition(is_for_the_lease);
    assert_eq!(bindings, expected);
    assert_eq!(
        leases.len(),
        1,
        "the Lease is in the operator's own namespace: {leases:?}"
    );
}

/// Asserts that the program accepts the arguments and variables: it exits with 1,
/// because there is no cluster, and not with 2.
fn assert_program_takes(container: &Value) {
    let arguments = texts(&container["args"]);
    let variables = container["env"].as_array().into_iter().flatten();
    let variables =
        variables.filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str()?)));
    let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .args(&arguments)
        .envs(variables)
        .env("KUBECONFIG", "/nonexistent")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(stderr.contains("no cluster"), "{stderr}");
}

/// Creates the pod itself, because admission only warns about Deployments.
async fn create_pod(client: &Client, namespace: &str, spec: &Value) -> Result<(), kube::Error> {
    let pod = Pod {
        metadata: ObjectMeta {
            generate_name: Some("operator-".to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(serde_json::from_value::<PodSpec>(spec.clone()).unwrap()),
        ..Pod::default()
    };
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    Api::namespaced(client.clone(), namespace)
        .create(&params, &pod)
        .await
        .map(drop)
}
