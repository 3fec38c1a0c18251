//! `finalize` and `approve`: show the plan, then send exactly its hash.

use super::{
    PluginError,
    arguments::Approve,
    cluster::{Cluster, approval_declared_by},
    terminal,
};
use crate::{
    api::{PlanSummary, conditions::HELD},
    model::text::shown,
    review::{Company, summary::effect_in_words},
};

/// Shows the plan, and sets `spec.finalized` with the approval of exactly this plan.
pub async fn finalize(cluster: &Cluster, arguments: Approve) -> Result<(), PluginError> {
    let company = cluster.company(arguments.name.name.as_deref()).await?;
    if company.integration.spec.finalized {
        let name = company.name();
        return Err(PluginError::Refused(format!(
            "{name} is finalized already: `kubectl insightful approve {name}{}` approves a plan that is held",
            cluster.in_namespace()
        )));
    }
    send(cluster, &company, &arguments, true).await
}

/// Shows the plan that is held, and approves exactly this plan.
pub async fn approve(cluster: &Cluster, arguments: Approve) -> Result<(), PluginError> {
    let company = cluster.company(arguments.name.name.as_deref()).await?;
    if !company.integration.spec.finalized {
        let name = company.name();
        return Err(PluginError::Refused(format!(
            "{name} is not finalized: `kubectl insightful finalize {name}{}` allows the operator to write",
            cluster.in_namespace()
        )));
    }
    send(cluster, &company, &arguments, false).await
}

async fn send(
    cluster: &Cluster,
    company: &Company,
    arguments: &Approve,
    finalize: bool,
) -> Result<(), PluginError> {
    let name = company.name();
    let Some(plan @ PlanSummary { hash, .. }) = company
        .integration
        .status
        .as_ref()
        .and_then(|status| status.plan.as_ref())
    else {
        return Err(PluginError::Refused(format!(
            "{name} has no plan yet: wait for the first sync"
        )));
    };
    super::plan::print(company)?;
    if arguments.plan.as_ref().is_some_and(|wanted| wanted != hash) {
        return Err(PluginError::Refused(format!(
            "the plan is another one, {hash}: look at it, and name its hash"
        )));
    }
    let is_held = company
        .integration
        .status
        .iter()
        .flat_map(|status| &status.conditions)
        .any(|condition| condition.type_ == HELD && condition.status == "True");
    if !finalize && !is_held {
        return Err(PluginError::Refused(format!(
            "{name} has nothing to approve: no plan is held"
        )));
    }
    if let Some(manager) = approval_declared_by(&company.integration) {
        terminal::line(format_args!(
            "{} manages this integration from a manifest and may put the approval back: set it there, too.",
            shown(manager)
        ))?;
    }
    let effect = effect_in_words(plan);
    let question = match finalize {
        true => format!("Finalize {name}: {effect}?"),
        false => format!("Approve this plan of {name}: {effect}?"),
    };
    if !arguments.yes && !terminal::confirm(&question, "add --yes to send without asking")? {
        return terminal::line("Nothing was sent.");
    }
    cluster.approve(name, hash, finalize).await?;
    let done = match finalize {
        true => "Finalized, and approved",
        false => "Approved",
    };
    terminal::line(format_args!(
        "{done}: {hash}. Watch it with: kubectl insightful status {name}{}",
        cluster.in_namespace()
    ))
}
