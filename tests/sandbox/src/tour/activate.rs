//! The chart is installed, and an integration is activated.

use super::stage::{NAME, NAMESPACE, RELEASE};
use super::typed::words;
use super::{Failure, Stage, ensure};

pub async fn install(stage: &mut Stage) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Install");
    screen.say(
        "A platform engineer installs the Helm chart, which contains the operator, its resource definitions and its \
         roles.",
    );
    let chart = format!("charts/{RELEASE}");
    let arguments = [
        "install",
        RELEASE,
        &chart,
        "--namespace",
        RELEASE,
        "--create-namespace",
        "--set",
        "image.repository=registry.example.com/okta-insightful-operator",
    ];
    let output = terminal.show_helm(&arguments, 6).await?;
    ensure(output.contains("STATUS: deployed"), || {
        format!("helm did not deploy the chart:\n{output}")
    })?;
    terminal
        .kubectl(&[
            "wait",
            "--for=condition=Established",
            "crd",
            "--all",
            "--timeout=30s",
        ])
        .await?;
    terminal
        .show(&["api-resources", "--api-group=integrations.insightful.io"], 5)
        .await?;
    stage.start_operator().await?;
    screen.say(
        "This cluster has no nodes to run the chart's pod, so the tour runs the operator next to it, with a token of \
         the chart's ServiceAccount: it has exactly the permissions that the chart grants.",
    );
    Ok(())
}

pub async fn activate(stage: &mut Stage) -> Result<(), Failure> {
    let terminal = stage.terminal.clone();
    let screen = terminal.screen;
    screen.chapter("Activate");
    screen.say(
        "An admin stores the credentials in Secrets and applies an OktaIntegration. Its guard is stricter than by \
         default, to show what a guard does.",
    );
    for (file, content) in [
        ("okta-token", stage.okta.token().to_owned()),
        ("insightful-token", stage.insightful.token().to_owned()),
        ("webhook-url", stage.webhook.url()),
        ("integration.yaml", manifest(stage)),
    ] {
        std::fs::write(terminal.directory.join(file), content)
            .map_err(Failure::io(format!("write {file}")))?;
    }
    terminal.show(&["create", "namespace", NAMESPACE], 1).await?;
    let namespace = format!("--namespace={NAMESPACE}");
    terminal
        .show(&["config", "set-context", "--current", &namespace], 1)
        .await?;
    for (name, file) in [
        ("okta", "token=okta-token"),
        ("insightful", "token=insightful-token"),
        ("chat", "url=webhook-url"),
    ] {
        let file = format!("--from-file={file}");
        terminal
            .show(&["create", "secret", "generic", name, &file], 1)
            .await?;
    }
    screen.command(&words("cat", &["integration.yaml"]));
    screen.output(&manifest(stage), 40);
    terminal.show(&["apply", "-f", "integration.yaml"], 1).await?;

    screen.say("The first sync starts immediately and reports its progress.");
    let progress = r#"jsonpath={.status.phase} {.status.progress}{"\n"}"#;
    let mut watch = terminal.follow(&["get", "oi", NAME, "--watch", "-o", progress])?;
    let mut is_progress_seen = false;
    let mut last = String::new();
    let until_review = async {
        while let Some(line) = watch.next().await {
            if line != last && !line.trim().is_empty() {
                screen.output(&line, 1);
            }
            is_progress_seen |= line.contains("Reading");
            if line.starts_with("Review") {
                break;
            }
            last = line;
        }
    };
    let timeout = std::time::Duration::from_secs(120);
    if tokio::time::timeout(timeout, until_review).await.is_err() {
        let status = stage.integration().await?["status"].to_string();
        return Err(Failure::Expectation(format!(
            "phase Review was not reached within 120 s: {status}"
        )));
    }
    ensure(is_progress_seen, || {
        "no progress was shown while Okta was read".to_owned()
    })?;
    drop(watch);
    stage
        .okta
        .configure(|settings| settings.latency = std::time::Duration::from_millis(5));
    terminal.show(&["get", "oi"], 5).await?;
    let writes = stage.insightful.journal().writes().len();
    ensure(writes == 0, || {
        format!("{writes} writes to Insightful before finalizing")
    })?;
    screen.checked("Insightful's request log: no writes");
    Ok(())
}

fn manifest(stage: &Stage) -> String {
    let (okta, insightful) = (stage.okta.url(), stage.insightful.url());
    format!(
        "apiVersion: integrations.insightful.io/v1alpha1
kind: OktaIntegration
metadata:
  name: {NAME}
spec:
  okta:
    orgUrl: {okta}
    auth: {{apiToken: {{secretRef: {{name: okta, key: token}}}}}}
  insightful:
    url: {insightful}
    apiToken: {{secretRef: {{name: insightful, key: token}}}}
    newEmployees: {{team: Onboarding, sharedSettings: Default}}
  teams:
    precedence: [Engineering, Sales]
  guard:
    maxTeamMoves: 5%
    maxRelinks: 0
  notify:
    webhook: {{urlSecretRef: {{name: chat, key: url}}}}
"
    )
}
