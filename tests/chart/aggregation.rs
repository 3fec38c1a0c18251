//! `rbac.aggregate`: whether the cluster's own roles include integrations.

use serde_json::json;

use crate::{
    eventually, person, plane, release,
    rights::{
        Action::{CreateIntegration, DecideMatch, DeleteMatch, FinalizeIntegration, GetMatch, GetSecret},
        Place,
    },
};

#[tokio::test]
async fn the_clusters_roles_include_the_rules_only_with_aggregate() {
    let plane = plane().await;
    let home = plane.namespace("operator").await.unwrap();
    let namespace = plane.namespace("people").await.unwrap();
    Place::new(plane.admin_client().await.unwrap(), &namespace)
        .furnish()
        .await;
    let install = async |aggregate: bool| {
        release(
            plane,
            "aggregated",
            &home,
            &json!({ "rbac": { "aggregate": aggregate } }),
        )
        .await;
    };
    let clients = ["admin", "edit", "view"].map(|role| person(plane, &namespace, role, Some(role)));
    let people = futures::future::join_all(clients).await;
    let people: Vec<Place> = people
        .into_iter()
        .map(|client| Place::new(client, &namespace))
        .collect();
    let [admin, editor, viewer] = people.as_slice() else {
        unreachable!("three were made");
    };

    install(false).await;
    eventually("the bindings", async || {
        editor.may(GetSecret).await && admin.may(GetSecret).await
    })
    .await;
    for person in [admin, editor, viewer] {
        assert!(
            !person.may(GetMatch).await,
            "the roles of a namespace do not include people"
        );
    }

    install(true).await;
    let are_up = async || {
        viewer.may(GetMatch).await && editor.may(DecideMatch).await && admin.may(FinalizeIntegration).await
    };
    eventually("the aggregated roles", are_up).await;
    assert!(!viewer.may(DecideMatch).await);
    assert!(!editor.may(FinalizeIntegration).await && !editor.may(DeleteMatch).await);
    assert!(admin.may(CreateIntegration).await);

    install(false).await;
    let are_down =
        async || !viewer.may(GetMatch).await && !editor.may(GetMatch).await && !admin.may(GetMatch).await;
    eventually("the roles without them", are_down).await;
}
