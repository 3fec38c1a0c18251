//! Everything works as links and forms if the browser runs no scripts.

use std::fs;

use serde_json::json;

use crate::{page::Page, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_without_scripts_does_everything() {
    let world = World::acme().await;
    let admin = world.account("admin", "admin").await;
    let screen = world.screen(&admin).await;
    let page = Page::new().await;
    page.allow_scripts(false).await;
    page.goto(&screen.address).await;
    assert!(!page.has("[role=option]").await && !page.has("button[data-dialog]:text(Keys)").await);

    // Rows are opened by a link that keeps the filter.
    page.fill("#text", "adams").await;
    page.follow("button:text(Filter)").await;
    assert_eq!(page.count(".row").await, 1);
    page.follow(".filter a:text(Clear)").await;
    page.follow("#r-00uAda .opener").await;
    page.wait_until_open("00uAda").await;

    // Decide, with a note; Enter in the note decides nothing.
    page.click("#r-00uAda label[for=c-00uAda-2]").await;
    page.fill("#o-00uAda", "asked her").await;
    page.leave(page.press(&["Enter"])).await;
    page.wait_for_notice("Ada Adams: staged, no decision").await;
    page.click("#r-00uAda label[for=c-00uAda-2]").await;
    page.follow("#r-00uAda button:text(Match)").await;
    page.wait_for_notice("Ada Adams: staged, match with Ada Adam (wAdam)")
        .await;
    page.follow("#r-00uAda button.undo").await;
    page.wait_for_notice("Ada Adams: as it stands, no decision").await;
    page.follow("#r-00uAda button:text(Ignore)").await;

    // Somebody else, with the question who loses the employee.
    page.follow("#r-00uBen .opener").await;
    page.fill("#q-00uBen", "ives").await;
    page.follow("#r-00uBen .finder button:text(Find)").await;
    page.follow(".hits button:text(Iris Ives)").await;
    page.wait_for_text("main", "Iris Ives loses this employee").await;
    page.follow("button:text(Match with Ben Brown)").await;
    page.wait_for_notice("Ben Brown: staged, match with Iris Ives (wIris)")
        .await;

    // Several at once.
    page.goto(&screen.url("/")).await;
    page.click("#g-SameNameOnly [data-tick]").await;
    page.follow("#g-SameNameOnly > header button").await;
    assert_eq!(page.texts(".pairs tbody th > bdi").await, ["Cleo Clark"]);
    page.follow("button:text(Stage these matches)").await;
    page.wait_for_notice("1 decision staged.").await;

    // Employees without a person.
    page.goto(&screen.url("/employees")).await;
    page.follow("button:text(Match with Gina Green)").await;
    page.wait_for_notice("Gina Green: staged, match with Zoe Young (wZoe)")
        .await;
    page.fill("#q-wXu", "finn").await;
    page.follow("#e-wXu .finder button:text(Find)").await;
    page.follow(".hits button:text(Finn Ford)").await;
    page.wait_for_notice("Finn Ford: staged, match with Xu Xi (wXu)")
        .await;

    // A table.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("table.csv");
    fs::write(&file, "okta_user_id,decision,employee_ids\n00uDan,Create,\n").unwrap();
    page.follow("nav a:text(Import CSV)").await;
    page.choose_file("#table", &file).await;
    page.follow("button:text(Stage its decisions)").await;

    // Undo on the list of what is not saved; save; a conflict; take back.
    page.follow("#u-00uDan button").await;
    page.wait_for_notice("Dan Davis: as it stands, no decision").await;
    world.edit("00uCleo", json!({ "decision": "Ignore" })).await;
    page.follow("#staged button.main").await;
    page.wait("location.pathname === '/unsaved'").await;
    page.wait_for_notice("4 decisions saved, 1 not.").await;
    page.follow("button[value=mine]").await;
    page.wait_for_notice("Cleo Clark: saved.").await;
    page.follow("form:has([value='00uFinn']) button").await;
    page.wait_for_notice("Finn Ford: the former decision is restored.")
        .await;
    for (id, decision) in [
        ("00uAda", "Ignore"),
        ("00uBen", "Match wIris"),
        ("00uCleo", "Match wCleo"),
        ("00uDan", "Auto"),
        ("00uFinn", "Auto"),
        ("00uGina", "Match wZoe"),
    ] {
        assert_eq!(world.decision(id).await, decision, "{id}");
    }
    page.goto(&screen.url("/?open=00uEve")).await;
    page.follow("#r-00uEve button:text(Ignore)").await;
    page.follow("#staged button:text(Discard)").await;
    page.wait_for_notice("1 decision discarded.").await;

    // The plan.
    page.follow("nav a:text(Plan)").await;
    page.follow("button:text(Finish)").await;
    page.wait_for_notice("Finalized: this plan is written now.").await;
    let spec = world.integration().await.spec;
    assert!(spec.finalized);
    assert_eq!(spec.approved_plan.as_deref(), Some(crate::seed::HASH));
    page.click(".tally a").await;
    page.wait("location.hash === '#deactivations'").await;
}
