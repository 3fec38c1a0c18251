//! Every page in both colour schemes by the rules of axe-core, and without horizontal scrolling.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::{
    decisions::wait_until_staged,
    page::Page,
    seed::person,
    tools,
    world::{NAME, Screen, World},
};

/// Wide enough for the page as it is meant, and the narrowest that it must fit.
const WIDTHS: [u32; 2] = [1280, 800];
/// All of a page, so that nothing is left unseen.
const HEIGHT: u32 = 9000;

const RUN_AXE: &str = "axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    resultTypes: ['violations'],
}).then(({ passes, violations }) => [passes.length ? [] : ['no rule was applied'], violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`))].flat())";

/// Texts that have no room: a card of a person or an employee is a few words wide at least.
const SQUEEZED: &str = "[...document.querySelectorAll('.left, .right, .card, .acts, .list td')]
    .filter((one) => one.offsetWidth && one.textContent.trim().length > 3 && one.offsetWidth < 40)
    .map((one) => `${one.offsetWidth} px for ${one.outerHTML.slice(0, 120)}`)";

/// Collects what is wrong, so that one run says everything.
struct Inspector {
    wrong: Vec<String>,
}

impl Inspector {
    async fn inspect(&mut self, page: &Page, what: &str) {
        static AXE: OnceLock<Result<String, String>> = OnceLock::new();
        let axe = AXE.get_or_init(tools::axe);
        let axe = axe.as_ref().unwrap_or_else(|why| panic!("{why}"));
        for scheme in ["light", "dark"] {
            page.set_scheme(scheme).await;
            if !page.eval::<bool>("Boolean(window.axe)").await {
                let _: Value = page.eval(&format!("{axe}; null")).await;
            }
            let found: Vec<String> = page.eval(RUN_AXE).await;
            self.wrong.extend(
                found
                    .into_iter()
                    .map(|violation| format!("{what}, {scheme}: {violation}")),
            );
        }
        for width in WIDTHS {
            page.resize(width, 900).await;
            let beyond = page.beyond_the_edge().await;
            if !beyond.is_empty() {
                self.wrong.push(format!("{what}, {width} px: {beyond}"));
            }
            let squeezed: Vec<String> = page.eval(SQUEEZED).await;
            let squeezed = squeezed.first();
            self.wrong
                .extend(squeezed.map(|squeezed| format!("{what}, {width} px: {squeezed}")));
            for scheme in ["light", "dark"] {
                page.set_scheme(scheme).await;
                page.shoot(&format!("{}-{scheme}-{width}", what.replace([' ', ','], "-")))
                    .await;
            }
        }
        page.resize(WIDTHS[0], HEIGHT).await;
        page.assert_no_failures();
    }

    async fn visit(&mut self, page: &Page, screen: &Screen, what: &str, path: &str) {
        page.goto(&screen.url(path)).await;
        self.inspect(page, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_keeps_the_rules_for_accessible_pages_in_both_colour_schemes() {
    let world = World::acme().await;
    let (_, screen, page) = world.review().await;
    page.resize(WIDTHS[0], HEIGHT).await;
    let mut inspector = Inspector { wrong: Vec::new() };

    for tab in [
        "review",
        "unmatched",
        "conflict",
        "sure",
        "changed",
        "deactivations",
        "ignored",
        "everybody",
        "waiting",
    ] {
        inspector
            .visit(&page, &screen, &format!("tab {tab}"), &format!("/?tab={tab}"))
            .await;
    }
    for (what, path) in [
        ("nobody", "/?text=nobody+of+this+name"),
        ("employees", "/employees"),
        ("plan of a reviewer", "/plan"),
        ("person", "/people/00uJack"),
        ("person with a decision", "/people/00uKate"),
        ("import", "/import"),
        ("find an employee", "/employees?for=00uAda&q=a"),
        ("find a person", "/people?for=wZoe&q=a"),
        ("nobody found", "/people?for=wZoe&q=nobody"),
        ("problem", "/people/00uNobody"),
    ] {
        inspector.visit(&page, &screen, what, path).await;
    }

    // What opens on a list.
    page.goto(&screen.url("/?open=00uAda")).await;
    page.press(&["?"]).await;
    page.wait("document.querySelector('#help').open").await;
    inspector.inspect(&page, "help").await;
    page.press(&["Escape"]).await;
    page.fill("#q-00uAda", "e").await;
    page.wait("document.querySelector('#h-00uAda [role=option]')")
        .await;
    page.press(&["ArrowDown"]).await;
    inspector.inspect(&page, "hits").await;
    page.fill("#q-00uAda", "ives").await;
    page.wait("document.querySelectorAll('#h-00uAda [role=option]').length === 1")
        .await;
    page.press(&["Enter"]).await;
    page.wait("document.querySelector('#ask').open").await;
    inspector.inspect(&page, "question").await;
    page.press(&["Escape"]).await;

    // The sheet, with those who are refused.
    page.goto(&screen.url("/?tab=waiting")).await;
    page.click("#r-00uAda .tick input").await;
    page.click("#r-00uBen .tick input").await;
    inspector.inspect(&page, "ticked").await;
    page.follow("button:text(of this filter…)").await;
    inspector.inspect(&page, "sheet").await;
    page.follow("button:text(Stage these matches)").await;
    inspector.inspect(&page, "staged decisions").await;
    inspector
        .visit(&page, &screen, "staged rows", "/?open=00uBen")
        .await;
    page.click("#r-00uEve .opener").await;
    page.press(&["x"]).await;
    wait_until_staged(&page, "00uEve").await;
    page.goto(&screen.url("/employees")).await;
    page.click("button:text(Match with Gina Green)").await;
    page.wait_for_text("#e-wZoe .staged", "Staged for Gina Green")
        .await;
    inspector.inspect(&page, "staged employee").await;

    // A conflict, and what was saved.
    world
        .edit("00uAda", json!({ "decision": "Create", "note": "is new" }))
        .await;
    page.leave(page.click("#staged button.main")).await;
    inspector.inspect(&page, "conflict").await;
    inspector
        .visit(&page, &screen, "saved rows", "/?open=00uBen")
        .await;

    // Without a script, the question is a page, and so is what is wrong with a table.
    page.allow_scripts(false).await;
    page.goto(&screen.url("/employees?for=00uGina&q=ives")).await;
    page.follow(".hits button").await;
    page.allow_scripts(true).await;
    inspector.inspect(&page, "question page").await;
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("table.csv");
    std::fs::write(
        &table,
        "okta_user_id,decision,employee_ids\n00uNobody,Create,\n00uAda,Match,\n",
    )
    .unwrap();
    page.goto(&screen.url("/import")).await;
    page.choose_file("#table", &table).await;
    page.follow("button:text(Stage its decisions)").await;
    inspector.inspect(&page, "refused table").await;

    // The plan of an admin, open and held.
    let admin = world.account("admin", "admin").await;
    let admins = world
        .screen_with(
            &admin,
            &["--git", directory.path().join("decisions.yaml").to_str().unwrap()],
        )
        .await;
    let page = admins.open().await;
    page.resize(WIDTHS[0], HEIGHT).await;
    inspector.visit(&page, &admins, "plan", "/plan").await;
    person("00uOlga", "Olga Orlova")
        .sure("wOlga", 99)
        .changes(json!([{ "field": "team", "from": "Default", "to": "Sales" }]))
        .write(&world.client, &world.namespace)
        .await;
    let status = json!({ "phase": "Held", "conditions": [{ "type": "Held", "status": "True", "reason": "GuardExceeded",
        "message": "2 of 14 employees would be deactivated, which is more than spec.guard.maxDeactivations allows",
        "lastTransitionTime": "2026-05-04T08:00:00Z" }] });
    let patch = kube::api::Patch::Merge(json!({ "status": status }));
    let params = kube::api::PatchParams::default();
    world
        .integrations()
        .patch_status(NAME, &params, &patch)
        .await
        .unwrap();
    let patch = kube::api::Patch::Merge(json!({ "spec": { "finalized": true } }));
    world.integrations().patch(NAME, &params, &patch).await.unwrap();
    page.wait_for_page("/plan", "Olga Orlova").await;
    page.wait_for_page("/plan", "maxDeactivations allows").await;
    inspector.visit(&page, &admins, "held plan", "/plan").await;
    page.goto(&admins.url("/")).await;
    page.click("#r-00uDan button:text(Match)").await;
    wait_until_staged(&page, "00uDan").await;
    inspector
        .visit(&page, &admins, "staged for Git", "/unsaved")
        .await;

    assert!(
        inspector.wrong.is_empty(),
        "{}\n\n{} in all",
        inspector.wrong.join("\n\n"),
        inspector.wrong.len()
    );
}
