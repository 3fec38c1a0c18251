//! Decisions that meet another one: of somebody else, or of a manifest.

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::match_name;
use serde_json::json;

use crate::{
    decisions::wait_until_staged,
    page::Page,
    world::{NAME, World},
};

async fn stage_match(page: &Page, okta_user_id: &str) {
    page.click(&format!("#r-{okta_user_id} button:text(Match)")).await;
    wait_until_staged(page, okta_user_id).await;
}

/// The cells of a conflict's decision: when it was looked at, in the cluster, and staged.
async fn values(page: &Page, okta_user_id: &str) -> Vec<String> {
    let row = format!("section[aria-labelledby='x-{okta_user_id}'] tbody tr:first-child td");
    page.texts(&row).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_made_meanwhile_is_shown_beside_ones_own_and_one_of_them_is_kept() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    for id in ["00uAda", "00uBen", "00uCleo"] {
        stage_match(&page, id).await;
    }
    world
        .edit("00uAda", json!({ "decision": "Ignore", "note": "has left" }))
        .await;
    world.edit("00uBen", json!({ "decision": "Create" })).await;
    page.leave(page.click("#staged button.main")).await;
    page.wait("location.pathname === '/unsaved'").await;
    assert_eq!(
        values(&page, "00uAda").await,
        ["no decision", "ignore", "match with Ada Adams (wAda) differs"]
    );
    assert_eq!(
        values(&page, "00uBen").await,
        [
            "no decision",
            "create (invite)",
            "match with Ben Brown (wBen) differs"
        ]
    );
    page.wait_for_text("section[aria-labelledby='x-00uAda']", "has left")
        .await;
    page.wait_for_text("section[aria-labelledby='x-00uAda']", "Changed since you looked")
        .await;
    page.shoot("conflict").await;
    assert_eq!(world.decision("00uCleo").await, "Match wCleo", "it met nothing");
    assert_eq!(page.text("#announce").await, "1 decision saved, 2 not.");

    page.follow("section[aria-labelledby='x-00uAda'] button[value=theirs]")
        .await;
    page.wait_for_notice("Ada Adams: left as it is in the cluster.")
        .await;
    page.follow("section[aria-labelledby='x-00uBen'] button[value=mine]")
        .await;
    page.wait_for_notice("Ben Brown: saved.").await;
    assert_eq!(world.decision("00uAda").await, "Ignore; \"has left\"");
    assert_eq!(world.decision("00uBen").await, "Match wBen");
    page.wait_for_text("#staged", "Everything is saved").await;
    page.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_decide_about_one_person_at_once_one_is_told() {
    let world = World::acme().await;
    let (ann, ben) = (
        world.account("ann", "reviewer").await,
        world.account("ben", "reviewer").await,
    );
    let (anns, bens) = (world.screen(&ann).await, world.screen(&ben).await);
    let (one, other) = (anns.open().await, bens.open().await);
    stage_match(&one, "00uAda").await;
    other.click("#r-00uAda .opener").await;
    other.click("#r-00uAda button:text(Ignore)").await;
    wait_until_staged(&other, "00uAda").await;
    tokio::join!(
        one.click("#staged button.main"),
        other.click("#staged button.main")
    );
    let outcome = "location.pathname === '/unsaved' || \
                   document.querySelector('#announce').textContent.includes('1 decision saved.')";
    tokio::join!(one.wait(outcome), other.wait(outcome));
    let path = async |page: &Page| page.eval::<String>("location.pathname").await;
    let (winner, name, loser, decision) = match (path(&one).await.as_str(), path(&other).await.as_str()) {
        ("/", "/unsaved") => (&one, &ann.name, &other, "Match wAda"),
        ("/unsaved", "/") => (&other, &ben.name, &one, "Ignore"),
        paths => panic!("exactly one of them is told: {paths:?}"),
    };
    assert_eq!(world.decision("00uAda").await, decision);
    loser
        .wait_for_page("/unsaved", &format!("Changed since you looked, by {name}."))
        .await;
    loser.follow("button[value=theirs]").await;
    assert_eq!(world.decision("00uAda").await, decision);

    // What one saves shows on the page of the other.
    loser.follow(".back a").await;
    stage_match(winner, "00uBen").await;
    winner.click("#staged button.main").await;
    winner.wait_for_notice("1 decision saved.").await;
    loser
        .wait("document.querySelector('#r-00uBen').textContent.includes('Decide nothing')")
        .await;
    for page in [one, other] {
        page.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_of_a_manifest_is_refused_with_the_name_of_its_manager() {
    let world = World::acme().await;
    let name = match_name(NAME, "00uAda");
    let manifest = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
        "metadata": { "name": name },
        "spec": { "integrationRef": { "name": NAME }, "oktaUserId": "00uAda", "decision": "Ignore" },
    });
    let params = PatchParams::apply("kustomize-controller");
    world
        .matches()
        .patch(&name, &params, &Patch::Apply(&manifest))
        .await
        .unwrap();
    let (_, _screen, page) = world.review().await;
    stage_match(&page, "00uAda").await;
    page.leave(page.click("#staged button.main")).await;
    let conflict = "section[aria-labelledby='x-00uAda']";
    page.wait_for_text(
        conflict,
        "kustomize-controller manages this decision from a manifest and would put it back",
    )
    .await;
    assert_eq!(
        values(&page, "00uAda").await,
        ["ignore", "ignore", "match with Ada Adams (wAda) differs"]
    );
    assert_eq!(world.decision("00uAda").await, "Ignore");
    page.follow("button[value=mine]").await;
    page.wait_for_notice("Ada Adams: saved.").await;
    assert_eq!(world.decision("00uAda").await, "Match wAda");
    page.assert_sound().await;
}

/// A viewer may read and not decide.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_role_does_not_allow_is_refused_by_the_api_server_and_stays_staged() {
    let world = World::acme().await;
    let viewer = world.account("viewer", "viewer").await;
    let screen = world.screen(&viewer).await;
    let page = screen.open().await;
    stage_match(&page, "00uAda").await;
    page.leave(page.click("#staged button.main")).await;
    page.wait_for_text("section[aria-labelledby='x-00uAda']", "Not saved: ")
        .await;
    page.wait_for_text("section[aria-labelledby='x-00uAda']", "cannot patch resource")
        .await;
    assert_eq!(world.decision("00uAda").await, "Auto");
    page.follow("button:text(Give mine up)").await;
    page.wait_for_text("#staged", "Everything is saved").await;
    page.assert_sound().await;
}
