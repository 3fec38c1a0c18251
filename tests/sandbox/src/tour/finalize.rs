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
    screen.say("The review is done. The admin sets spec.finalized, which allows the operator to write.");
    let patch = r#"{"spec":{"finalized":true}}"#;
    terminal
        .show(&["patch", "oi", NAME, "--type=merge", "-p", patch], 1)
        .await?;
    stage
        .wait_for("phase Held", |integration| {
            integration["status"]["phase"] == "Held"
        })
        .await?;
    screen.say(
        "The first plan moves more people to other teams than the guard allows, so the operator holds it and writes \
         nothing. The condition Held explains why, and how to approve exactly this plan.",
    );
    terminal.show(&["get", "oi"], 3).await?;
    let path = r#"jsonpath={.status.conditions[?(@.type=="Held")].message}"#;
    let message = terminal.show_text(&["get", "oi", NAME, "-o", path]).await?;
    let writes = stage.insightful.journal().writes().len();
    ensure(writes == 0, || {
        format!("{writes} writes were made, though the plan is held")
    })?;
    screen.checked("Insightful's request log: still no writes");
    ensure(message.contains(preview.hash()), || {
        format!("the held plan is not the previewed plan {}", preview.hash())
    })?;
    screen.checked("the held plan is the previewed plan: the hashes are equal");

    screen.say("The admin checks the team moves, agrees, and copies the command from the condition.");
    approve(stage, &message).await?;
    applied(stage, preview).await?;
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

/// Approves a held plan by the command in the condition's message.
pub async fn approve(stage: &Stage, message: &str) -> Result<(), Failure> {
    let Some(patch) = message.split('\'').nth(1) else {
        return Err(Failure::Expectation(format!(
            "the condition has no command: {message}"
        )));
    };
    let arguments = ["patch", "oi", NAME, "--type=merge", "-p", patch];
    stage.terminal.show(&arguments, 1).await?;
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
    for reason in ["ReviewReady", "PlanHeld", "PlanApplied", "InSync"] {
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
