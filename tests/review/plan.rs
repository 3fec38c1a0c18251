//! The plan: finished and approved exactly as it was shown.

use okta_insightful_operator::api::Phase;
use serde_json::{Value, json};

use crate::operated::Operated;

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_finishes_and_approves_exactly_the_plan_that_is_shown() {
    let acme = Operated::in_review(json!({ "maxTeamMoves": 0 })).await;
    let world = &acme.world;
    let admin = world.account("admin", "admin").await;
    let screen = world.screen(&admin).await;
    let page = screen.open().await;
    page.follow("nav a:text(Plan)").await;
    let plan = async || world.integration().await.status.unwrap().plan.unwrap();
    let first = plan().await;
    assert_eq!(page.text(".hash code").await, first.hash);
    let total = first.total;
    page.wait_for_text("#plan-title", &format!("A plan to write {total} changes"))
        .await;
    page.wait_for_text(".tally", &format!("{} team moves", first.team_moves))
        .await;
    let titles = page.texts(".block > h2").await;
    assert!(
        titles[0].starts_with("1 deactivation"),
        "deactivations come first: {titles:?}"
    );
    assert!(
        titles.iter().any(|title| title.contains("new team")),
        "{titles:?}"
    );
    page.shoot("acme-plan").await;

    // Another plan than the one on the page is not sent.
    let jane = acme.user("jane.doe");
    world.edit(&jane, json!({ "decision": "Ignore" })).await;
    acme.wait_for("another plan", |integration| {
        integration.status.as_ref().unwrap().plan.as_ref().unwrap().hash != first.hash
    })
    .await;
    page.follow("button:text(Finish: write)").await;
    page.wait_for_notice("Nothing was sent: the plan changed while you looked.")
        .await;
    let spec = world.integration().await.spec;
    assert!(!spec.finalized && spec.approved_plan.is_none());
    assert_eq!(acme.writes(), 0);

    // What changed is listed until it is seen.
    page.wait_for_text(".since", "Jane Doe: Reliability Engineer")
        .await;
    page.follow("button:text(I have seen these)").await;
    assert_eq!(page.count(".since").await, 0);

    let second = plan().await;
    assert_eq!(page.text(".hash code").await, second.hash);
    page.follow(&format!("button:text(Finish: write {} changes)", second.total))
        .await;
    page.wait_for_notice("Finalized: this plan is written now.").await;
    let integration = acme
        .wait_for("the plan is applied", |integration| {
            let status = integration.status.as_ref().unwrap();
            status.phase == Some(Phase::InSync) && status.last_applied_plan.as_ref() == Some(&second.hash)
        })
        .await;
    let owner = integration
        .metadata
        .managed_fields
        .unwrap()
        .into_iter()
        .find(|entry| {
            let fields = serde_json::to_value(&entry.fields_v1).unwrap();
            !fields["f:spec"]["f:finalized"].is_null()
                && entry.manager.as_deref() == Some("insightful-review")
        });
    assert!(owner.is_some(), "the field manager is that of the screen");
    page.goto(&screen.url("/plan")).await;
    page.wait_for_text("#plan-title", "Nothing to write").await;
    assert!(!page.has(".go-box form").await);

    // A plan that the guard holds is approved.
    acme.okta.edit(|org| {
        org.remove_member("Sales", "carla.rossi");
        org.add_member("Engineering", "carla.rossi");
    });
    acme.request_sync().await;
    acme.wait_for_phase(Phase::Held).await;
    let third = plan().await;
    page.wait_for_page("/plan", &third.hash).await;
    page.goto(&screen.url("/plan")).await;
    page.wait_for_text("#plan-title", "Held: a plan to write 1 change")
        .await;
    page.wait_for_text(".go-box", "maxTeamMoves").await;
    page.wait_for_text(".since", "Carla Rossi: Sales → Engineering")
        .await;
    page.wait_for_text("#moves", "Carla Rossi").await;
    page.shoot("acme-held").await;
    page.follow("button:text(Approve: write 1 change)").await;
    page.wait_for_notice("Approved: this plan is written now.").await;
    acme.wait_for("the approved plan is applied", |integration| {
        let status = integration.status.as_ref().unwrap();
        status.phase == Some(Phase::InSync) && status.last_applied_plan.as_ref() == Some(&third.hash)
    })
    .await;
    let account = acme.insightful.snapshot();
    let carla = account.employee("carla.rossi@acme.com");
    assert_eq!(carla["teamId"], Value::from(account.team_id("Engineering")));

    // The page of the person has what was written.
    page.goto(&screen.url(&format!("/people/{}", acme.user("carla.rossi"))))
        .await;
    let written = page.texts("[aria-labelledby=h-h] td").await;
    assert!(
        written.windows(2).any(|cells| cells == ["Sales", "Engineering"]),
        "{written:?}"
    );
    page.assert_sound().await;
}
