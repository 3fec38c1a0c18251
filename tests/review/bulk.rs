//! Many people at once.

use serde_json::json;

use crate::{page::Page, world::World};

async fn tick(page: &Page, okta_user_id: &str) {
    page.click(&format!("#r-{okta_user_id} .tick input")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_matched_at_once_after_a_sheet_that_lists_every_pair() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    let group = "#g-SameNameOnly > header button";

    // A range, by shift.
    tick(&page, "00uAda").await;
    page.wait_for_text(group, "Match 1 ticked…").await;
    page.shift_click("#r-00uCleo .tick input").await;
    page.wait_for_text(group, "Match 3 ticked…").await;
    page.follow(group).await;
    assert_eq!(
        page.texts(".pairs tbody th > bdi").await,
        ["Ada Adams", "Ben Brown", "Cleo Clark"]
    );
    page.shoot("sheet").await;
    page.click("input[value^='00uBen=']").await;
    page.follow("button:text(Stage these matches)").await;
    page.wait_for_notice("2 decisions staged.").await;
    page.follow(".back a").await;

    // A whole group, without those who are staged: Dan's confidence is below 50.
    page.click("#g-SameNameOnly [data-tick]").await;
    page.wait_for_text(group, "Match 4 ticked…").await;
    page.follow(group).await;
    assert_eq!(page.texts(".pairs tbody th > bdi").await, ["Ben Brown"]);
    page.wait_for_text("[aria-labelledby=h-r]", "Dan Davis").await;
    page.wait_for_text("[aria-labelledby=h-r]", "the confidence is 45, below 50")
        .await;
    page.follow(".back a").await;

    // The whole filter.
    page.follow("button:text(of this filter…)").await;
    assert_eq!(
        page.texts(".pairs tbody th > bdi").await,
        ["Ben Brown", "Finn Ford"]
    );
    assert_eq!(
        page.texts("[aria-labelledby=h-r] tbody td:last-child").await,
        [
            "the names contradict each other",
            "the confidence is 45, below 50"
        ]
    );
    // Whoever changes while the sheet is looked at is not staged.
    world.edit("00uFinn", json!({ "decision": "Ignore" })).await;
    page.wait_for_page("/people/00uFinn", "decided: <bdi>ignore")
        .await;
    page.follow("button:text(Stage these matches)").await;
    page.wait_for_notice("1 decision staged; 1 changed in the meantime and are not.")
        .await;
    page.click("#staged button.main").await;
    page.wait_for_notice("3 decisions saved.").await;
    for id in ["Ada", "Ben", "Cleo"] {
        assert_eq!(world.decision(&format!("00u{id}")).await, format!("Match w{id}"));
    }
    assert_eq!(world.decision("00uFinn").await, "Ignore");
    assert_eq!(world.decision("00uDan").await, "Auto");
    page.assert_sound().await;
}
