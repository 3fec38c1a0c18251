//! Employees without a person.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn employees_without_a_person_are_matched_from_their_list() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    page.follow("#tabs a:text(Employees without a person)").await;
    assert_eq!(
        page.texts(".erow th > bdi").await,
        ["Xu Xi", "Yuri Quill", "Zoe Young"]
    );

    // The nearest person, by keyboard.
    page.press(&["j", "j", "j"]).await;
    page.wait_until_row_is_open("e-wZoe").await;
    page.press(&["Enter"]).await;
    page.wait_for_text("#e-wZoe .staged", "Staged for Gina Green")
        .await;

    // Somebody else, by a search.
    page.fill("#q-wXu", "adams").await;
    page.wait_for_text("#h-wXu", "Review, Ada Adams").await;
    page.press(&["Enter"]).await;
    page.wait_for_text("#e-wXu .staged", "Staged for Ada Adams").await;
    page.wait_for_text("#staged", "2 not saved").await;

    page.click("#staged button.main").await;
    page.wait_for_notice("2 decisions saved.").await;
    assert_eq!(world.decision("00uGina").await, "Match wZoe");
    assert_eq!(world.decision("00uAda").await, "Match wXu");

    page.fill("#text", "quill").await;
    page.follow("button:text(Filter)").await;
    assert_eq!(page.count(".erow").await, 1);
    page.wait_for_text("#e-wYuri", "deactivated").await;
    page.assert_sound().await;
}
