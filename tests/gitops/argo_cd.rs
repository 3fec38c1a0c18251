//! The example for Argo CD: its manifests are valid by Argo CD's own resource definitions, and its project allows
//! exactly what `kustomization.yaml` contains.

use std::collections::BTreeSet;

use sandbox::{
    control_plane::{ControlPlane, Error},
    definitions::{ARGO_CD, write_definitions},
};
use serde_json::Value;

use crate::{example, kustomized};

#[tokio::test]
async fn the_manifests_are_valid_by_argo_cds_definitions() {
    let plane = ControlPlane::shared();
    let definitions = plane.directory().join("argo-cd");
    write_definitions(ARGO_CD, &definitions).await.unwrap();
    plane.install_crds(&definitions).await.unwrap();
    plane.kubectl(&["create", "namespace", "argocd"]).await.unwrap();
    let manifests = example("argocd/people.yaml");
    plane.apply(&manifests).await.unwrap();

    let misspelt = manifests.replace("targetRevision", "revision");
    match plane.apply(&misspelt).await {
        Err(Error::Command { stderr, .. }) => assert!(stderr.contains(".spec.source.revision"), "{stderr}"),
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn the_project_allows_exactly_what_is_applied() {
    let [project, application]: [Value; 2] =
        serde_yaml::from_multiple::<Value>(&example("argocd/people.yaml"))
            .unwrap()
            .try_into()
            .unwrap();
    let (project, application) = (&project["spec"], &application["spec"]);
    assert_eq!(project["sourceRepos"][0], application["source"]["repoURL"]);
    assert_eq!(project["destinations"][0], application["destination"]);
    let allowed = ["clusterResourceWhitelist", "namespaceResourceWhitelist"];
    let allowed = allowed.iter().flat_map(|list| project[list].as_array().unwrap());
    let allowed: BTreeSet<&str> = allowed.map(|kind| kind["kind"].as_str().unwrap()).collect();
    let applied: Vec<Value> = serde_yaml::from_multiple(&kustomized().await).unwrap();
    let kinds: BTreeSet<&str> = applied
        .iter()
        .map(|object| object["kind"].as_str().unwrap())
        .collect();
    assert_eq!(allowed, kinds);
    for object in applied.iter().filter(|object| object["kind"] != "Namespace") {
        assert_eq!(
            object["metadata"]["namespace"],
            application["destination"]["namespace"]
        );
        let options = &object["metadata"]["annotations"]["argocd.argoproj.io/sync-options"];
        assert_eq!(options, "Prune=false,Delete=false");
    }
}
