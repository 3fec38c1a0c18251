//! Decisions about one person after the other: staged, undone, saved, and restored.

use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::{
    page::Page,
    seed::{Company, person},
    world::World,
};

/// Those whom the company decided about before the sitting.
pub const BEFORE: [&str; 3] = [
    "00uHugo Match wHugo",
    "00uKate Ignore; \"a contractor until June\"",
    "00uNick Create",
];

/// Waits until a decision about a person is staged.
pub async fn wait_until_staged(page: &Page, okta_user_id: &str) {
    page.wait(format!("document.querySelector('#r-{okta_user_id}.is-staged')"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_decides_by_keyboard_and_nothing_is_sent_before_save() {
    let world = World::acme().await;
    let (reviewer, _screen, page) = world.review().await;
    page.wait_until_open("00uEve").await;

    // Rows and candidates.
    page.press(&["j"]).await;
    page.wait_until_open("00uAda").await;
    page.press(&["j", "k"]).await;
    page.wait_until_open("00uAda").await;
    page.press(&["2"]).await;
    page.wait("document.querySelector('#c-00uAda-2').checked").await;
    let preview = page.text("#r-00uAda .cand:has(:checked) .changes").await;
    assert!(
        preview.contains("name was Ada Adam → becomes Ada Adams"),
        "{preview}"
    );
    page.press(&["1", "Enter"]).await;
    wait_until_staged(&page, "00uAda").await;

    // Each decision leads to the next who waits.
    page.wait_until_open("00uBen").await;
    page.press(&["c"]).await;
    page.wait_until_open("00uCleo").await;
    page.press(&["i"]).await;
    page.wait_until_open("00uDan").await;
    page.press(&["x"]).await;
    page.wait_until_open("00uFinn").await;
    page.press(&["n"]).await;
    page.wait("document.activeElement.id === 'o-00uFinn'").await;
    // Keys are letters here.
    page.press(&["x", "c", "i"]).await;
    page.write("mmon badge").await;
    page.press(&["Escape", "Enter"]).await;
    wait_until_staged(&page, "00uFinn").await;
    page.wait_until_open("00uEve").await;
    page.wait_for_text("#staged", "5 not saved").await;

    // On a row without a decision of its own, u undoes the last one.
    page.press(&["u"]).await;
    page.wait_until_open("00uFinn").await;
    page.wait_for_text("#staged", "4 not saved").await;
    page.press(&["Enter"]).await;
    page.wait_for_text("#staged", "5 not saved").await;
    // On a row with one, u undoes that.
    page.wait_until_open("00uEve").await;
    page.press(&["j", "j", "j", "j"]).await;
    page.wait_until_open("00uDan").await;
    page.press(&["u"]).await;
    page.wait_for_text("#staged", "4 not saved").await;
    page.press(&["x"]).await;
    page.wait_for_text("#staged", "5 not saved").await;
    assert_eq!(world.decisions().await, BEFORE, "nothing is sent before Save");

    page.click("#staged button.main").await;
    page.wait_for_notice("5 decisions saved.").await;
    page.wait_for_text("#staged", "Everything is saved").await;
    let mut expected = vec![
        "00uAda Match wAda",
        "00uBen Create",
        "00uCleo Ignore",
        "00uDan Auto; not wDan",
        "00uFinn Match wFinn",
    ];
    expected.extend(BEFORE);
    assert_eq!(world.decisions().await, expected);
    for id in ["00uAda", "00uBen", "00uCleo", "00uDan", "00uFinn"] {
        let object = world.person(id).await;
        let annotation =
            |name: &str| object.annotations()[&format!("integrations.insightful.io/{name}")].clone();
        assert_eq!(annotation("decided-by"), reviewer.name, "{id}");
        let at: jiff::Timestamp = annotation("decided-at").parse().unwrap();
        assert!(
            jiff::Timestamp::now().duration_since(at).as_secs() < 300,
            "{id}: {at}"
        );
        let manager = object.managed_fields().iter().find(|entry| {
            let fields = entry.fields_v1.as_ref().unwrap();
            !fields.0["f:spec"]["f:decision"].is_null()
        });
        let manager = manager.unwrap();
        assert_eq!(manager.manager.as_deref(), Some("insightful-review"));
        assert_eq!(manager.operation.as_deref(), Some("Apply"));
    }
    page.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_help_and_the_switch_for_keys_work_by_keyboard() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    page.press(&["?"]).await;
    page.wait("document.querySelector('#help').open").await;
    page.press(&["j"]).await;
    page.press(&["Escape"]).await;
    page.wait("!document.querySelector('#help').open").await;
    page.wait_until_open("00uEve").await;

    page.press(&["/"]).await;
    page.wait("document.activeElement.id === 'text'").await;
    page.write("cleo").await;
    page.leave(page.press(&["Enter"])).await;
    assert_eq!(page.count(".row").await, 1);
    page.wait_until_open("00uCleo").await;
    assert!(
        page.eval::<String>("location.search").await.contains("text=cleo"),
        "the filter is in the URL"
    );
    assert_eq!(world.decisions().await, BEFORE);

    page.press(&["?"]).await;
    page.click("#keys-on").await;
    page.press(&["Escape"]).await;
    page.eval::<Value>("void document.querySelector('.row').focus()")
        .await;
    page.press(&["i"]).await;
    page.press(&["?"]).await;
    assert!(!page.has("#help[open]").await, "keys are off");
    assert!(!page.has(".is-staged").await, "keys are off");
    page.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_by_mouse_is_taken_back() {
    let world = World::acme().await;
    let (_, _screen, page) = world.review().await;
    page.click("#r-00uAda .opener").await;
    page.wait_until_open("00uAda").await;
    page.click("#r-00uAda label[for=c-00uAda-2]").await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    page.click("#r-00uAda button.undo").await;
    page.wait("!document.querySelector('#r-00uAda.is-staged')").await;
    page.click("#r-00uAda .opener").await;
    page.click("#r-00uAda label[for=c-00uAda-2]").await;
    page.fill("#o-00uAda", "asked her").await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    page.click("#r-00uBen button:text(Match)").await;
    wait_until_staged(&page, "00uBen").await;
    page.click("#staged button:text(Discard)").await;
    page.wait_for_notice("2 decisions discarded.").await;
    assert_eq!(world.decisions().await, BEFORE);

    page.click("#r-00uAda .opener").await;
    page.click("#r-00uAda label[for=c-00uAda-2]").await;
    page.fill("#o-00uAda", "asked her").await;
    page.click("#r-00uAda button:text(Match)").await;
    wait_until_staged(&page, "00uAda").await;
    page.click("#staged button.main").await;
    page.wait_for_notice("1 decision saved.").await;
    assert_eq!(world.decision("00uAda").await, "Match wAdam; \"asked her\"");
    assert!(!page.has("#r-00uAda[data-waits]").await);

    page.follow("#staged a").await;
    assert_eq!(page.texts("#main .was").await, ["no decision"]);
    page.follow("button:text(Take back)").await;
    page.wait_for_notice("Ada Adams: the former decision is restored.")
        .await;
    assert_eq!(world.decision("00uAda").await, "Auto");
    page.follow(".back a").await;
    page.wait("document.querySelector('#r-00uAda[data-waits]')").await;
    page.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_devices_stay_with_a_match_and_only_those_whom_okta_does_not_show_can_be_gone() {
    let mut company = Company::acme();
    company.people.push(
        person("00uPia", "Pia Pohl")
            .review("SameNameOnly", "wPia", "Pia Pohl", 70)
            .candidate("wPia2", "Pia Pohl", 65)
            .decided(
                "ann",
                json!({ "decision": "Match", "employeeIds": ["wPia", "wPia2"] }),
            ),
    );
    company.people.push(
        person("00uQuin", "Quin Quist")
            .with(|status| {
                status["person"] = Value::Null;
                status["state"] = json!("OutOfScope");
            })
            .says("DepartureNotConfirmed", "not in the response of Okta"),
    );
    let world = World::with(&company).await;
    let (_, screen, page) = world.review().await;
    page.goto(&screen.url("/?open=00uPia")).await;
    page.click("#r-00uPia button:text(Match)").await;
    page.wait_for_notice("Pia Pohl: as it stands, match with").await;
    page.click("#r-00uPia label[for=c-00uPia-2]").await;
    page.click("#r-00uPia button:text(Match)").await;
    wait_until_staged(&page, "00uPia").await;

    page.goto(&screen.url("/?tab=everybody&open=00uQuin")).await;
    assert_eq!(page.count("button[value=Deactivate]").await, 1);
    page.click("#r-00uQuin button[value=Deactivate]").await;
    wait_until_staged(&page, "00uQuin").await;
    page.click("#staged button.main").await;
    page.wait_for_notice("2 decisions saved.").await;
    assert_eq!(world.decision("00uPia").await, "Match wPia2, wPia");
    assert_eq!(world.decision("00uQuin").await, "Deactivate");
    page.assert_sound().await;
}
