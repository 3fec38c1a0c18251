//! `status`: how an integration stands, and what to do next.

use jiff::Timestamp;

use super::{PluginError, arguments::Name, cluster::Cluster, terminal};
use crate::{
    api::{OktaIntegration, conditions},
    model::text::shown,
    review::summary::{self, NextStep, ago, ignored_groups, plan_in_words, teams_in_words, thousands},
};

pub async fn run(cluster: &Cluster, arguments: Name) -> Result<(), PluginError> {
    let integrations = match arguments.name {
        Some(name) => vec![cluster.integration(Some(&name)).await?],
        None => cluster.all().await?,
    };
    for (place, integration) in integrations.iter().enumerate() {
        if place > 0 {
            terminal::line("")?;
        }
        print(integration, cluster)?;
    }
    Ok(())
}

fn print(integration: &OktaIntegration, cluster: &Cluster) -> Result<(), PluginError> {
    let name = integration.metadata.name.as_deref().unwrap_or_default();
    let status = integration.status.clone().unwrap_or_default();
    let phase = status
        .phase
        .map_or_else(|| "not read yet".to_owned(), |phase| format!("{phase:?}"));
    let finalized = match integration.spec.finalized {
        true => "finalized",
        false => "not finalized",
    };
    terminal::heading(&format!(
        "{name} in {}: {phase}, {finalized}",
        cluster.namespace()
    ))?;
    let field = |label: &str, text: &str| match text.is_empty() {
        true => Ok(()),
        false => terminal::line(format_args!("  {label:<11}{}", shown(text))),
    };
    let read = status
        .last_sync_time
        .as_ref()
        .map(|time| ago(time.0, Timestamp::now()));
    let read = read.map_or_else(|| "never read".to_owned(), |read| format!("read {read}"));
    field("Okta", &format!("{}, {read}", integration.spec.okta.org_url))?;
    if let Some(people) = &status.people {
        let parts = [
            (people.matched, "matched"),
            (people.review, "in review"),
            (people.unmatched, "unmatched"),
            (people.conflicts, "in conflict"),
            (people.ignored, "ignored"),
            (people.out_of_scope, "out of scope"),
        ];
        field("People", &counts(people.total, &parts))?;
    }
    if let Some(employees) = &status.employees {
        let parts = [
            (employees.matched, "with a person"),
            (employees.unmatched, "without a person"),
            (employees.deactivated, "deactivated"),
        ];
        field("Employees", &counts(employees.total, &parts))?;
    }
    field("Teams", &teams_in_words(integration))?;
    for (place, text) in ignored_groups(&status).iter().enumerate() {
        field(if place == 0 { "Ignored" } else { "" }, text)?;
    }
    if let Some(plan) = &status.plan {
        for (place, text) in plan_in_words(plan).lines().enumerate() {
            field(if place == 0 { "Plan" } else { "" }, text)?;
        }
    }
    if let Some(progress) = &status.progress {
        let total = progress
            .total
            .map(|total| format!(" of {}", thousands(total)))
            .unwrap_or_default();
        field(
            "Progress",
            &format!("{:?}: {}{total}", progress.step, thousands(progress.done)),
        )?;
    }
    for condition in &status.conditions {
        let is_problem = match condition.type_.as_str() {
            conditions::READY
            | conditions::OKTA_CONNECTED
            | conditions::INSIGHTFUL_CONNECTED
            | conditions::RESOLVED_REFS
            | conditions::NOTIFIED => condition.status == "False",
            conditions::HELD
            | conditions::STALLED
            | conditions::SYNC_LATE
            | conditions::MATCHES_UNUSABLE
            | conditions::RECORDS_UNREADABLE => condition.status == "True",
            _ => false,
        };
        if is_problem && !condition.message.is_empty() {
            field(&condition.type_, &condition.message)?;
        }
    }
    let steps = summary::next_steps(integration, cluster.in_namespace());
    if steps.is_empty() {
        return terminal::line("  Nothing to do.");
    }
    terminal::heading("Next")?;
    for NextStep { text, command } in steps {
        terminal::line(format_args!("  {}", shown(&text)))?;
        if let Some(command) = command {
            terminal::line(format_args!("    {}", shown(&command)))?;
        }
    }
    Ok(())
}

/// Such as `3,000: 2,848 matched, 152 in review`.
fn counts(total: i32, parts: &[(i32, &str)]) -> String {
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, word)| format!("{} {word}", thousands(*count)))
        .collect();
    format!("{}: {}", thousands(total), parts.join(", "))
}
