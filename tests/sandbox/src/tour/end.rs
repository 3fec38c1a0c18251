//! The integration is suspended and deleted, or everything keeps running.

use std::time::{Duration, Instant};

use sandbox::control_plane::Program;
use sandbox::insightful::Account;
use serde_json::Value;

use super::stage::NAME;
use super::{Failure, Stage, ensure};

pub async fn deactivate(stage: &mut Stage) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Deactivate");
    screen.say("A suspended integration neither reads nor writes.");
    let before = data(&stage.insightful.snapshot());
    let patch = r#"{"spec":{"suspend":true}}"#;
    terminal
        .show(&["patch", "oi", NAME, "--type=merge", "-p", patch], 1)
        .await?;
    stage
        .wait_for("phase Suspended", |integration| {
            integration["status"]["phase"] == "Suspended"
        })
        .await?;
    terminal.show(&["get", "oi"], 3).await?;
    stage.okta.journal().clear();
    let request = "integrations.insightful.io/sync-requested-at=while-suspended";
    terminal
        .kubectl(&["annotate", "oi", NAME, request, "--overwrite"])
        .await?;
    stage
        .wait_for("the sync request to be handled", |integration| {
            integration["status"]["lastHandledSyncRequest"] == "while-suspended"
        })
        .await?;
    let reads = stage.okta.journal().entries().len();
    ensure(reads == 0, || format!("{reads} reads of Okta while suspended"))?;
    screen.checked("a sync that is requested while suspended reads nothing");

    screen
        .say("Deleting the integration deletes its EmployeeMatches. All synced data remains in Insightful.");
    terminal.show(&["delete", "oi", NAME], 1).await?;
    let begin = Instant::now();
    while !stage.matches().await?.is_empty() {
        ensure(begin.elapsed() < Duration::from_secs(60), || {
            "the EmployeeMatches still exist a minute after the integration was deleted".to_owned()
        })?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    terminal.show(&["get", "oi,em"], 3).await?;
    ensure(data(&stage.insightful.snapshot()) == before, || {
        "Insightful's data changed".to_owned()
    })?;
    screen.checked("Insightful is unchanged: every employee and every team");
    Ok(())
}

fn data(account: &Account) -> (Vec<Value>, Vec<Value>) {
    (account.employees().cloned().collect(), account.teams())
}

/// Shows how to use what keeps running.
pub fn keep_running(stage: &Stage) {
    let terminal = &stage.terminal;
    let screen = terminal.screen;
    screen.chapter("Try it yourself");
    screen.say("Everything keeps running until you press Ctrl-C, which removes it. In another terminal:");
    screen.line("");
    screen.line(&format!("export KUBECONFIG={}", terminal.kubeconfig.display()));
    if let Ok(kubectl) = Program::Kubectl.path()
        && let Some(directory) = kubectl.canonicalize().unwrap_or(kubectl).parent()
    {
        let programs = terminal.programs.display();
        screen.line(&format!(
            "export PATH=\"{}:{programs}:$PATH\"",
            directory.display()
        ));
    }
    screen.line("kubectl get oi,em");
    screen.line(&format!(
        "kubectl insightful review {NAME}    # opens the review screen in a browser"
    ));
    screen.line("");
    screen.line(&format!(
        "Okta        {}  (Authorization: SSWS {})",
        stage.okta.url(),
        stage.okta.token()
    ));
    screen.line(&format!(
        "Insightful  {}  (Authorization: Bearer {})",
        stage.insightful.url(),
        stage.insightful.token()
    ));
    if let Some(log) = stage.log() {
        screen.line(&format!("The operator's log: {}", log.display()));
    }
}
