//! Installation, upgrade and removal of the chart. These tests have their own
//! cluster, because the definitions are cluster-wide.

use std::{fs, path::Path};

use k8s_openapi::{
    api::apps::v1::Deployment,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, PostParams},
};
use okta_insightful_operator::api::OktaIntegration;
use sandbox::control_plane::{ControlPlane, Error, Options};

use crate::{CHART, CRDS, REGISTRY, eventually, rights::integration};

const NAME: &str = "okta-insightful-operator";
const SENTENCE: &str = "auth must have exactly one method: apiToken or serviceApp";

struct Cluster {
    plane: ControlPlane,
    client: Client,
}

impl Cluster {
    async fn start() -> Self {
        let plane = ControlPlane::start(&Options::default()).await.unwrap();
        let client = plane.admin_client().await.unwrap();
        Self { plane, client }
    }

    /// Runs helm on a release of this name, in a namespace of the same name.
    async fn helm(&self, verb: &str, name: &str, more: &[&str]) -> Result<String, Error> {
        let own: &[&str] = match verb {
            "install" => &[REGISTRY, "--create-namespace"],
            "upgrade" => &[REGISTRY],
            _ => &[],
        };
        let arguments = [verb, name, "--namespace", name]
            .into_iter()
            .chain(own.iter().copied())
            .chain(more.iter().copied());
        self.plane.helm(&arguments.collect::<Vec<_>>()).await
    }

    async fn definitions(&self) -> Vec<CustomResourceDefinition> {
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let all = api.list(&ListParams::default()).await.unwrap();
        all.items
            .into_iter()
            .filter(|crd| crd.spec.group == "integrations.insightful.io")
            .collect()
    }

    /// Returns the uids of the definitions that are not being deleted.
    async fn remaining(&self) -> Vec<String> {
        let definitions = self.definitions().await.into_iter();
        let remaining = definitions.filter(|crd| crd.metadata.deletion_timestamp.is_none());
        remaining.map(|crd| crd.uid().unwrap()).collect()
    }

    async fn have_sentence(&self, sentence: &str) -> bool {
        serde_json::to_string(&self.definitions().await)
            .unwrap()
            .contains(sentence)
    }

    async fn deployments(&self, namespace: &str) -> usize {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), namespace);
        api.list(&ListParams::default()).await.unwrap().items.len()
    }

    fn integrations(&self) -> Api<OktaIntegration> {
        Api::namespaced(self.client.clone(), "default")
    }

    async fn activate(&self) -> String {
        let manifest = serde_json::from_value(integration("acme")).unwrap();
        eventually("the definitions", async || {
            self.integrations().list(&ListParams::default()).await.is_ok()
        })
        .await;
        self.integrations()
            .create(&PostParams::default(), &manifest)
            .await
            .unwrap()
            .uid()
            .unwrap()
    }
}

fn assert_refused(answer: Result<String, Error>, words: &str) {
    match answer {
        Err(Error::Command { stderr, .. }) => assert!(stderr.contains(words), "{stderr}"),
        answer => panic!("{answer:?}"),
    }
}

/// Returns a copy of the chart with another sentence in one rule, as an earlier version.
fn earlier_chart(place: &Path) -> String {
    let earlier = place.join("earlier");
    copy(Path::new(CHART), &earlier);
    let file = earlier.join("files/crds/integrations.insightful.io.yaml");
    let definitions = fs::read_to_string(&file).unwrap();
    assert!(definitions.contains(SENTENCE));
    fs::write(&file, definitions.replace(SENTENCE, "earlier sentence")).unwrap();
    earlier.to_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn the_definitions_are_installed_upgraded_and_kept() {
    let cluster = Cluster::start().await;
    let earlier = earlier_chart(cluster.plane.directory());

    cluster.helm("install", NAME, &[&earlier]).await.unwrap();
    let definitions = cluster.remaining().await;
    assert_eq!(definitions.len(), 3);
    assert!(cluster.have_sentence("earlier sentence").await);
    let uid = cluster.activate().await;

    cluster
        .helm("upgrade", NAME, &[CHART, "--reset-then-reuse-values"])
        .await
        .unwrap();
    assert!(cluster.have_sentence(SENTENCE).await && !cluster.have_sentence("earlier sentence").await);
    assert_eq!(cluster.deployments(NAME).await, 1);

    // Uninstalling keeps everything, and a new release continues.
    cluster.helm("uninstall", NAME, &[]).await.unwrap();
    assert_eq!(cluster.deployments(NAME).await, 0);
    assert_eq!(cluster.remaining().await, definitions);
    cluster.helm("install", NAME, &[CHART]).await.unwrap();
    cluster.helm("uninstall", NAME, &[]).await.unwrap();

    // Another release has to take ownership, or not install them.
    let owned = r#"must equal "other": current value is "okta-insightful-operator""#;
    assert_refused(cluster.helm("install", "other", &[CHART]).await, owned);
    cluster
        .helm("install", "third", &[CHART, "--set=crds.install=false"])
        .await
        .unwrap();
    cluster
        .helm("install", "other", &[CHART, "--take-ownership"])
        .await
        .unwrap();
    cluster.helm("uninstall", "third", &[]).await.unwrap();
    assert_eq!(cluster.remaining().await, definitions);
    let kept = cluster.integrations().get("acme").await.unwrap();
    assert_eq!(kept.uid(), Some(uid));

    // With crds.keep=false, uninstalling deletes them.
    cluster
        .helm("upgrade", "other", &[CHART, "--set=crds.keep=false"])
        .await
        .unwrap();
    cluster.helm("uninstall", "other", &[]).await.unwrap();
    eventually("the removal of the definitions", async || {
        cluster.definitions().await.is_empty()
    })
    .await;
    cluster.plane.stop().await.unwrap();
}

#[tokio::test]
async fn definitions_from_elsewhere_can_be_handed_over() {
    let cluster = Cluster::start().await;
    let crds = fs::read_to_string(Path::new(CRDS).join("integrations.insightful.io.yaml")).unwrap();
    cluster
        .plane
        .apply(&crds.replace(SENTENCE, "earlier sentence"))
        .await
        .unwrap();

    assert_refused(
        cluster.helm("install", NAME, &[CHART]).await,
        "invalid ownership metadata",
    );
    cluster
        .helm("install", NAME, &[CHART, "--set=crds.install=false"])
        .await
        .unwrap();
    assert!(cluster.have_sentence("earlier sentence").await);
    let hand_over = [
        CHART,
        "--reset-then-reuse-values",
        "--set=crds.install=true",
        "--take-ownership",
        "--force-conflicts",
    ];
    cluster.helm("upgrade", NAME, &hand_over).await.unwrap();
    assert!(cluster.have_sentence(SENTENCE).await);
    cluster.plane.stop().await.unwrap();
}
