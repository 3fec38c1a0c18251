//! The integration is finalized; its plan is held by the guard, approved and applied, and people are notified.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::stage::NAME;
use super::writes::{Preview, table};
use super::{Failure, Stage, ensure};

/// Insightful's rate limit for an organization.
const CALLS_PER_MINUTE: u64 = 200;

/// How often the progress of a long apply is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);

pub async fn finalize(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Finalize");
    screen.say(
        "The review is done. `finalize` shows the plan again, asks, and sends exactly the hash that it showed: \
         spec.finalized allows the operator to write, and spec.approvedPlan lets this plan through, although it moves \
         more people to other teams than the guard allows. A plan that changed in the meantime would not be written.",
    );
    let outdated = format!("sha256:{}", "0".repeat(64));
    let refused = terminal
        .insightful(&["finalize", NAME, "--yes", "--plan", &outdated], 0)
        .await;
    ensure(refused.is_err(), || {
        "another plan than the one that is named was finalized".to_owned()
    })?;
    let writes = stage.insightful.journal().writes().len();
    ensure(writes == 0, || {
        format!("{writes} writes before the integration is finalized")
    })?;
    screen.checked(
        "another plan than the one that is named is refused, and Insightful's request log has no writes",
    );
    let finalize = ["finalize", NAME, "--yes", "--plan", preview.hash()];
    let output = terminal.insightful(&finalize, 24).await?;
    ensure(output.contains(&format!("approved: {}", preview.hash())), || {
        format!("this is not the previewed plan {}:\n{output}", preview.hash())
    })?;
    applied(stage, preview).await?;
    screen.checked("the applied plan is the previewed plan: the hashes are equal");
    terminal.show(&["get", "oi"], 3).await?;

    screen.say("These writes reached Insightful:");
    let writes = stage.insightful.journal().writes();
    let account = stage.insightful.snapshot();
    screen.output(&table(&writes, &account), 16);
    preview.must_equal(&writes, &account)?;
    screen.checked(&format!(
        "{} writes, exactly as previewed: every field of every person and no others (an invitation and its title \
         are two writes)",
        writes.len()
    ));

    notified(stage, preview).await?;
    let before = versions(stage).await?;
    screen.say("The next syncs find no changes, and write neither to Insightful nor to any EmployeeMatch.");
    stage.insightful.journal().clear();
    stage.sync().await?;
    stage.sync().await?;
    let writes = stage.insightful.journal().writes();
    ensure(writes.is_empty(), || {
        format!("a sync without changes wrote:\n{}", table(&writes, &account))
    })?;
    ensure(versions(stage).await? == before, || {
        "a sync without changes wrote EmployeeMatches".to_owned()
    })?;
    screen.checked("no writes to Insightful, and all EmployeeMatches are unchanged");
    terminal.show(&["get", "oi,em"], 14).await?;
    Ok(())
}

/// Waits until the plan is applied, which Insightful's rate limit slows down.
async fn applied(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let minutes = preview.writes() / CALLS_PER_MINUTE;
    if minutes > 0 {
        stage.terminal.screen.say(&format!(
            "Insightful accepts {CALLS_PER_MINUTE} calls per minute, so {} writes take about {minutes} min. \
             status.progress shows the progress.",
            preview.writes()
        ));
    }
    let screen = stage.terminal.screen;
    let last = Cell::new(Instant::now());
    stage.extra_timeout = Duration::from_secs(60 * 2 * minutes);
    stage
        .wait_for("the applied plan", |integration| {
            let status = &integration["status"];
            if status["progress"].is_object() && last.get().elapsed() > PROGRESS_INTERVAL {
                last.set(Instant::now());
                screen.line(&format!("Applying {}", status["progress"]));
            }
            status["phase"] == "InSync" && status["lastAppliedPlan"] == preview.hash()
        })
        .await?;
    stage.extra_timeout = Duration::ZERO;
    Ok(())
}

/// Shows the Events and the webhook's messages.
async fn notified(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.say("The operator reports what it does by Events, and notifies the team chat by a webhook.");
    for reason in ["ReviewReady", "PlanApplied", "InSync"] {
        stage.wait_for_event(NAME, reason).await?;
    }
    terminal
        .show(&["events", "--for", &format!("oktaintegration/{NAME}")], 12)
        .await?;
    let messages = stage.wait_for_message("Applied").await?;
    screen.say("The webhook received:");
    for message in &messages {
        let pretty = serde_json::to_string_pretty(message).unwrap_or_else(|_| message.to_string());
        screen.text(&pretty);
    }
    let applied = messages.iter().filter(|message| message["event"] == "Applied");
    let plans: Vec<_> = applied.map(|message| &message["plan"]).collect();
    ensure(plans == [&Value::from(preview.hash())], || {
        format!("the webhook should have received one message about the applied plan, but received {plans:?}")
    })?;
    screen.checked("one message, about the applied plan");
    Ok(())
}

async fn versions(stage: &Stage) -> Result<Vec<Value>, Failure> {
    let matches = stage.matches().await?;
    Ok(matches
        .into_iter()
        .map(|mut object| object["metadata"]["resourceVersion"].take())
        .collect())
}
