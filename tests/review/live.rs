//! What changes in the cluster shows on an open page.

use kube::api::{DeleteParams, Patch, PatchParams};
use okta_insightful_operator::api::match_name;
use serde_json::{Value, json};

use crate::{
    decisions::wait_until_staged,
    seed::person,
    world::{NAME, Screen, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_open_list_follows_the_cluster_without_a_reload() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    let _: Value = page.eval("void (window.isSame = true)").await;
    page.wait_for_text("#counts", "8 waiting").await;

    // A row is replaced in place.
    world
        .set_status("00uBen", json!({ "person": { "name": "Benjamin Brown" } }))
        .await;
    page.wait_for_text("#r-00uBen h3", "Benjamin Brown").await;
    page.wait_until_open("00uEve").await;

    // What somebody is writing is not.
    page.press(&["j", "n"]).await;
    page.write("half a no").await;
    world
        .set_status("00uAda", json!({ "person": { "name": "Adelaide Adams" } }))
        .await;
    world
        .set_status("00uCleo", json!({ "person": { "name": "Cleopatra Clark" } }))
        .await;
    page.wait_for_text("#r-00uCleo h3", "Cleopatra Clark").await;
    let note: String = page.eval("document.querySelector('#o-00uAda').value").await;
    assert_eq!(note, "half a no");
    assert_eq!(page.text("#r-00uAda h3").await, "Ada Adams");
    page.press(&["Escape"]).await;

    // Rows come and go by a line, and the counts follow.
    world.set_status("00uDan", json!({ "state": "Proposed" })).await;
    page.wait_for_text("#stale", "1 row changed: reload").await;
    page.wait_for_text("#counts", "7 waiting").await;
    person("00uOlga", "Olga Orlova")
        .review("SameNameOnly", "wOlga", "Olga Orlova", 88)
        .write(&world.client, &world.namespace)
        .await;
    page.wait_for_text("#stale", "2 rows changed: reload").await;
    world
        .matches()
        .delete(&match_name(NAME, "00uGina"), &DeleteParams::default())
        .await
        .unwrap();
    page.wait_for_text("#counts", "7 waiting").await;
    page.wait_for_text("#tabs", "Unmatched 0").await;
    assert!(page.has("#r-00uDan").await);
    assert!(
        page.eval::<bool>("window.isSame === true").await,
        "the page was not loaded again"
    );

    page.follow("#stale a").await;
    assert!(!page.has("#r-00uDan").await && page.has("#r-00uOlga").await);
    page.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_disturbs_no_other_page() {
    let world = World::acme().await;
    let (_, screen, page) = world.review().await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    let mut wrong = Vec::new();
    for path in ["/unsaved", "/import", "/plan", "/people/00uBen"] {
        set_phase(&world, "Review").await;
        page.wait_for_page("/", "\"phase\">Review<").await;
        page.goto(&screen.url(path)).await;
        let _: Value = page
            .eval("void (document.querySelector('#main').isSame = true)")
            .await;
        set_phase(&world, "Syncing").await;
        if page.eval::<bool>("Boolean(document.body.dataset.live)").await {
            page.wait(
                "document.querySelector('#head').textContent.includes('Syncing') || \
                 !document.querySelector('#main').isSame",
            )
            .await;
        } else {
            page.wait_for_page("/", "\"phase\">Syncing<").await;
        }
        let state: Vec<bool> = page
            .eval(
                "['dialog[open]', '#stale:not([hidden])'].map((one) => Boolean(document.querySelector(one)))",
            )
            .await;
        if state[0] {
            wrong.push(format!("{path}: a dialog opened"));
        }
        if state[1] {
            wrong.push(format!("{path}: rows are said to have changed"));
        }
        if !page
            .eval::<bool>("document.querySelector('#main').isSame === true")
            .await
        {
            wrong.push(format!("{path}: what is being read or filled in was replaced"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    page.assert_sound().await;
}

async fn set_phase(world: &World, phase: &str) {
    let status = Patch::Merge(json!({ "status": { "phase": phase } }));
    let params = PatchParams::default();
    world
        .integrations()
        .patch_status(NAME, &params, &status)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_when_the_program_has_ended() {
    let world = World::acme().await;
    let (_, screen, page) = world.review().await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    let Screen { mut process, .. } = screen;
    let pid = process.pid().to_string();
    let interrupted = std::process::Command::new("kill")
        .args(["-s", "INT", &pid])
        .status();
    assert!(interrupted.unwrap().success());
    let status = process.wait().await.unwrap();
    let printed = std::fs::read_to_string(process.log()).unwrap();
    assert!(status.success(), "{status}: {printed}");
    let command = "kubectl insightful decide '00uAda' match 'wAda' --integration acme";
    assert!(
        printed.contains("1 decision was not saved. To make them:"),
        "{printed}"
    );
    assert!(printed.lines().any(|line| line == command), "{printed}");
    page.wait_for_notice("is kubectl insightful review still running?")
        .await;
}
