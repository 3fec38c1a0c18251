//! A reviewer's account from the first look to the plan, with the operator.

use serde_json::{Value, json};

use crate::{decisions::wait_until_staged, operated::Operated};

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_decides_sees_the_effect_and_cannot_finish() {
    let acme = Operated::in_review(json!({})).await;
    let world = &acme.world;
    let (reviewer, screen, page) = world.review().await;
    let _: Value = page.eval("void (window.isSame = true)").await;
    let (anna, nick) = (acme.user("anna.becker"), acme.user("nick.newcomer"));
    let waiting = world.integration().await.status.unwrap().people.unwrap().waiting;
    page.wait_for_text("#counts", &format!("{waiting} waiting")).await;
    page.shoot("acme-review").await;

    page.click(&format!("#r-{anna} .opener")).await;
    page.wait_until_open(&anna).await;
    page.click(&format!("#r-{anna} button:text(Match)")).await;
    wait_until_staged(&page, &anna).await;
    page.click("#staged button.main").await;
    page.wait_for_notice("1 decision saved.").await;
    // The operator's answer shows on the open page.
    page.wait_for_text("#counts", &format!("{} waiting", waiting - 1))
        .await;
    page.wait_for_text("#stale", "1 row changed: reload").await;
    assert!(
        page.eval::<bool>("window.isSame === true").await,
        "the page was not loaded again"
    );

    page.follow("#tabs a:text(Unmatched)").await;
    page.click(&format!("#r-{nick} .opener")).await;
    page.press(&["c"]).await;
    wait_until_staged(&page, &nick).await;
    page.click("#staged button.main").await;
    page.wait_for_notice("1 decision saved.").await;
    page.wait_for_text("#counts", &format!("{} waiting", waiting - 2))
        .await;

    page.goto(&screen.url("/?tab=changed&field=email&mine=1")).await;
    assert_eq!(page.texts(".row h3").await, ["Anna Schneider", "Nick Turner"]);
    page.goto(&screen.url(&format!("/people/{anna}"))).await;
    page.wait_for_text(
        "[aria-labelledby=h-w]",
        &format!("{} decided: match with", reviewer.name),
    )
    .await;

    // Finish is refused here, and by the API server.
    page.goto(&screen.url("/plan")).await;
    assert!(
        page.eval::<bool>("document.querySelector('.go-box button').disabled")
            .await
    );
    let sentence = page.text("#who").await;
    let words = format!(
        "You are {} and may not do this: it takes the verbs finalize and patch",
        reviewer.name
    );
    assert!(sentence.starts_with(&words), "{sentence}");
    assert!(sentence.contains("the chart's admin role"), "{sentence}");
    let described: String = page
        .eval("document.querySelector('.go-box button').getAttribute('aria-describedby')")
        .await;
    assert_eq!(described, "who");
    let _: Value = page
        .eval("void (document.querySelector('.go-box button').disabled = false)")
        .await;
    page.follow(".go-box button").await;
    page.wait_for_text("h1", "This did not work").await;
    page.wait_for_text(".message", "oktaintegrations").await;
    let spec = world.integration().await.spec;
    assert!(!spec.finalized && spec.approved_plan.is_none());
    assert_eq!(acme.writes(), 0);
    page.assert_sound().await;
}
