//! The finish: held by the guard, approved, applied, told.

use serde_json::Value;

use super::stage::NAME;
use super::writes::{Preview, table};
use super::{Failure, Stage, ensure};

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
    let path = r#"-o=jsonpath={.status.conditions[?(@.type=="Held")].message}"#;
    let message = terminal.show_text(&["get", "oi", NAME, path]).await?;
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
    let Some(patch) = message.split('\'').nth(1) else {
        return Err(Failure::Expectation(format!(
            "the condition names no command: {message}"
        )));
    };
    terminal
        .show(&["patch", "oi", NAME, "--type=merge", "-p", patch], 1)
        .await?;
    stage
        .wait_for("the applied plan", |integration| {
            let status = &integration["status"];
            status["phase"] == "InSync" && status["lastAppliedPlan"] == preview.hash()
        })
        .await?;
    terminal.show(&["get", "oi"], 3).await?;

    screen.say("What was written, from the journal of Insightful's emulator:");
    let writes = stage.insightful.journal().writes();
    let account = stage.insightful.snapshot();
    screen.output(&table(&writes, &account), 40);
    preview.must_equal(&writes, &account)?;
    screen.checked("the writes are exactly the preview: every field of every person, no other");

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

/// Events and the webhook.
async fn told(stage: &mut Stage, preview: &Preview) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.say("Who was told? The events of the integration, and the webhook in the chat.");
    let events = terminal
        .show(&["events", "--for", &format!("oktaintegration/{NAME}")], 12)
        .await?;
    for reason in ["ReviewReady", "PlanHeld", "PlanApplied"] {
        ensure(events.contains(reason), || {
            format!("no event {reason}:\n{events}")
        })?;
    }
    let messages = stage.webhook.received();
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
