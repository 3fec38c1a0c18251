//! The finish: held by the guard, approved, applied, told.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::stage::NAME;
use super::writes::{Preview, table};
use super::{Failure, Stage, ensure};

/// What Insightful takes from the whole organization.
const CALLS_A_MINUTE: u64 = 200;

/// How often a long apply is shown.
const NOTICE: Duration = Duration::from_secs(15);

/// Finishes, and shows what was written and who was told.
pub async fn finish(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Finish");
    screen.say("The admin has seen enough and sets the one switch that lets the operator write.");
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
        "A first plan moves many people at once, and the guard holds what goes beyond its bounds. Nothing is written; \
         the condition says why, and how to let exactly this plan through.",
    );
    terminal.show(&["get", "oi"], 3).await?;
    let path = r#"jsonpath={.status.conditions[?(@.type=="Held")].message}"#;
    let message = terminal.show_text(&["get", "oi", NAME, "-o", path]).await?;
    let writes = stage.insightful.journal().writes().len();
    ensure(writes == 0, || {
        format!("the plan is held, and {writes} writes were made")
    })?;
    screen.checked("Insightful's journal: still nothing written");
    ensure(message.contains(preview.hash()), || {
        format!("the held plan is not the one of the preview, {}", preview.hash())
    })?;
    screen.checked("the held plan has the hash of the preview");

    screen.say("The admin looks at the moves once more, agrees, and copies the command.");
    approve(stage, &message).await?;
    applied(stage, preview).await?;
    terminal.show(&["get", "oi"], 3).await?;

    screen.say("What was written, from the journal of Insightful's emulator:");
    let writes = stage.insightful.journal().writes();
    let account = stage.insightful.snapshot();
    screen.output(&table(&writes, &account), 16);
    preview.must_equal(&writes, &account)?;
    screen.checked(&format!(
        "{} writes, exactly the preview: every field of every person, no other (an invitation's title is a write of \
         its own)",
        writes.len()
    ));

    told(stage, preview).await?;
    let before = versions(stage).await?;
    screen.say("The next sync finds nothing new, and writes nothing: not to Insightful, not to any match.");
    stage.insightful.journal().clear();
    stage.sync().await?;
    stage.sync().await?;
    let writes = stage.insightful.journal().writes();
    ensure(writes.is_empty(), || {
        format!("an idle sync wrote:\n{}", table(&writes, &account))
    })?;
    ensure(versions(stage).await? == before, || {
        "an idle sync wrote EmployeeMatches".to_owned()
    })?;
    screen.checked("Insightful's journal and all EmployeeMatches: unchanged");
    terminal.show(&["get", "oi,em"], 14).await?;
    Ok(())
}

/// Lets a held plan through by the command that the condition names.
pub async fn approve(stage: &Stage, message: &str) -> Result<(), Failure> {
    let Some(patch) = message.split('\'').nth(1) else {
        return Err(Failure::Expectation(format!(
            "the condition names no command: {message}"
        )));
    };
    let arguments = ["patch", "oi", NAME, "--type=merge", "-p", patch];
    stage.terminal.show(&arguments, 1).await?;
    Ok(())
}

/// Waits until the plan is applied, which Insightful's limit of calls may make long.
async fn applied(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let minutes = preview.writes() / CALLS_A_MINUTE;
    if minutes > 0 {
        stage.terminal.screen.say(&format!(
            "Insightful takes {CALLS_A_MINUTE} calls a minute, so that {} writes take about {minutes} min. \
             status.progress says how far it is.",
            preview.writes()
        ));
    }
    let screen = stage.terminal.screen;
    let last = Cell::new(Instant::now());
    stage.more_patience = Duration::from_secs(60 * 2 * minutes);
    stage
        .wait_for("the applied plan", |integration| {
            let status = &integration["status"];
            if status["progress"].is_object() && last.get().elapsed() > NOTICE {
                last.set(Instant::now());
                screen.line(&format!("Applying {}", status["progress"]));
            }
            status["phase"] == "InSync" && status["lastAppliedPlan"] == preview.hash()
        })
        .await?;
    stage.more_patience = Duration::ZERO;
    Ok(())
}

/// Events and the webhook.
async fn told(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.say("Who was told? The events of the integration, and the webhook in the chat.");
    for reason in ["ReviewReady", "PlanHeld", "PlanApplied", "InSync"] {
        stage.wait_for_event(NAME, reason).await?;
    }
    terminal
        .show(&["events", "--for", &format!("oktaintegration/{NAME}")], 12)
        .await?;
    let messages = stage.wait_for_message().await?;
    screen.say("The webhook got:");
    for message in &messages {
        let pretty = serde_json::to_string_pretty(message).unwrap_or_else(|_| message.to_string());
        screen.text(&pretty);
    }
    ensure(
        messages.len() == 1 && messages[0]["plan"] == preview.hash(),
        || {
            format!(
                "the webhook should have one message about the plan, and has {}",
                messages.len()
            )
        },
    )?;
    screen.checked("one message, about this plan");
    Ok(())
}

async fn versions(stage: &Stage) -> Result<Vec<Value>, Failure> {
    let matches = stage.matches().await?;
    Ok(matches
        .into_iter()
        .map(|mut object| object["metadata"]["resourceVersion"].take())
        .collect())
}
