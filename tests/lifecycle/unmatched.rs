//! Employees without a person can be found in the cluster.

use std::collections::BTreeMap;

use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeCounts, UnmatchedEmployee, unmatched_employee_name};
use serde_json::json;

use crate::world::{NAME, World};

/// The names and versions of the integration's objects, by employee.
async fn listed(world: &World) -> BTreeMap<String, (String, Option<String>)> {
    let objects = world
        .api::<UnmatchedEmployee>()
        .list(&ListParams::default())
        .await;
    let objects = objects.unwrap().items.into_iter();
    objects
        .map(|object| {
            let name = object.status.as_ref().and_then(|status| status.employee.as_ref());
            let name = name.map(|employee| employee.name.clone()).unwrap_or_default();
            (object.spec.employee_id.clone(), (name, object.resource_version()))
        })
        .collect()
}

async fn counts(world: &World) -> EmployeeCounts {
    world.status().await.employees.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_without_a_person_are_listed_until_somebody_takes_them() {
    let world = World::in_review(json!({})).await;
    let before = listed(&world).await;
    let in_insightful = world.insightful.snapshot().employees.len();
    let EmployeeCounts {
        total,
        matched,
        unmatched,
        ..
    } = counts(&world).await;
    assert_eq!(usize::try_from(total).unwrap(), in_insightful);
    assert_eq!(
        (matched + unmatched, before.len()),
        (total, usize::try_from(unmatched).unwrap())
    );
    assert!(unmatched > 0);

    // One that a decision names has a person, and is listed again when the decision is reset.
    let (free, (name, _)) = before.iter().next().unwrap();
    let api: Api<UnmatchedEmployee> = world.api();
    let object = api.get(&unmatched_employee_name(NAME, free)).await.unwrap();
    assert_eq!(object.owner_references().len(), 1, "{object:?}");
    world.decide_match("nick.newcomer", &[free]).await;
    world
        .wait_for("the employee to be taken", |integration| {
            let status = integration.status.as_ref();
            status.and_then(|status| status.employees).unwrap().unmatched == unmatched - 1
        })
        .await;
    let taken = listed(&world).await;
    assert!(!taken.contains_key(free));
    let others: BTreeMap<_, _> = before.iter().filter(|(id, _)| *id != free).collect();
    assert_eq!(
        taken.iter().collect::<BTreeMap<_, _>>(),
        others,
        "no other is written"
    );
    world
        .decide("nick.newcomer", json!({ "decision": "Auto", "employeeIds": [] }))
        .await;
    world
        .wait_for("the employee to be free", |integration| {
            let status = integration.status.as_ref();
            status.and_then(|status| status.employees).unwrap().unmatched == unmatched
        })
        .await;
    assert_eq!(listed(&world).await[free].0, *name);

    // Whatever somebody does to the objects is put right by the next full sync.
    let (kept, _) = before.iter().nth(1).unwrap();
    let edit = Patch::Merge(json!({ "status": { "employee": { "name": "Somebody Else" } } }));
    let (first, second) = (
        unmatched_employee_name(NAME, free),
        unmatched_employee_name(NAME, kept),
    );
    api.delete(&first, &DeleteParams::default()).await.unwrap();
    api.patch_status(&second, &PatchParams::default(), &edit)
        .await
        .unwrap();
    world.sync().await;
    let after = listed(&world).await;
    let names = |objects: &BTreeMap<String, (String, Option<String>)>| {
        let names = objects.iter().map(|(id, (name, _))| (id.clone(), name.clone()));
        names.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(names(&after), names(&before));
    world.idle_sync_writes_nothing().await;
    assert_eq!(listed(&world).await, after);
}
