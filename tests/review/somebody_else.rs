//! Employees who are no candidates, found by a search, and those whom another person has.

use crate::{decisions::wait_until_staged, page::Page, world::World};

/// Searches for an employee in the open row of a person.
async fn search(page: &Page, okta_user_id: &str, text: &str) {
    page.fill(&format!("#q-{okta_user_id}"), text).await;
    page.wait(format!(
        "document.querySelector('#h-{okta_user_id} [role=option]')"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_is_searched_for_and_taken_only_after_a_question_who_loses_it() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;

    // Somebody whom nobody has is taken at once.
    page.press(&["j"]).await;
    page.wait_until_open("00uAda").await;
    search(&page, "00uAda", "zoe you").await;
    assert_eq!(page.count("#h-00uAda [role=option]").await, 1);
    page.wait_for_text("#h-00uAda", "nobody's now").await;
    page.press(&["ArrowDown"]).await;
    let active: String = page
        .eval("document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).value")
        .await;
    assert_eq!(active, "wZoe");
    page.press(&["Enter"]).await;
    wait_until_staged(&page, "00uAda").await;
    page.wait_for_text("#r-00uAda .staged", "match with Zoe Young (wZoe)")
        .await;

    // Somebody's employee only after a question.
    page.wait_until_open("00uBen").await;
    page.press(&["n"]).await;
    page.write("says the badge list").await;
    search(&page, "00uBen", "ives").await;
    page.wait_for_text("#h-00uBen", "now: sure match of Iris Ives, 99")
        .await;
    page.press(&["Enter"]).await;
    page.wait("document.querySelector('#ask').open").await;
    let question = page.text("#ask").await;
    assert!(
        question.starts_with("Iris Ives loses this employee"),
        "{question}"
    );
    assert!(question.contains("sure match of Iris Ives, 99"), "{question}");
    page.shoot("ask").await;
    page.wait("document.activeElement.textContent === 'Cancel'").await;
    page.press(&["Enter"]).await;
    page.wait("!document.querySelector('#ask').open").await;
    assert!(!page.has("#r-00uBen.is-staged").await);

    search(&page, "00uBen", "ives").await;
    page.click("#h-00uBen [role=option]").await;
    page.click("#ask button.main").await;
    wait_until_staged(&page, "00uBen").await;

    // Those who are staged for somebody are asked about, too.
    page.wait_until_open("00uCleo").await;
    search(&page, "00uCleo", "zoe").await;
    page.wait_for_text("#h-00uCleo", "now: staged for Ada Adams")
        .await;
    page.press(&["Enter"]).await;
    page.wait_for_text("#ask", "Ada Adams loses this employee").await;
    page.press(&["Escape"]).await;

    page.fill("#q-00uCleo", "nobody of this name").await;
    page.wait_for_notice("nobody found").await;
    page.press(&["Escape"]).await;

    page.click("#staged button.main").await;
    page.wait_for_notice("2 decisions saved.").await;
    assert_eq!(world.decision("00uAda").await, "Match wZoe");
    assert_eq!(
        world.decision("00uBen").await,
        "Match wIris; \"says the badge list\"",
        "the note is kept through the question"
    );
    page.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_takes_no_hit_of_an_earlier_search() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    page.click("#r-00uAda .opener").await;
    search(&page, "00uAda", "zoe").await;
    // Faster than the search.
    page.write("nobody").await;
    page.press(&["Enter"]).await;
    page.wait_for_notice("nobody found").await;
    page.wait_for_text("#staged", "Everything is saved").await;
    page.assert_sound().await;
}
