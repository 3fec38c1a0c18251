//! Events, with stable reasons, for what an admin would want to be told: never
//! one for a cycle that changed nothing.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    runtime::events::{Event, EventType},
};

use super::{Context, apply::Outcome, match_store::Matches};
use crate::{
    api::{OktaIntegration, OktaIntegrationStatus, Phase, conditions},
    rules::status,
};

/// The longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Tells of what is new in the integration's status.
pub async fn publish_transition(
    ctx: &Context,
    integration: &OktaIntegration,
    before: &OktaIntegrationStatus,
    after: &OktaIntegrationStatus,
) {
    let ready = conditions::find(&after.conditions, conditions::READY);
    let was_ready = conditions::find(&before.conditions, conditions::READY);
    let reason = ready.map_or("", |ready| ready.reason.as_str());
    let is_new = was_ready.map(|ready| ready.reason.as_str()) != Some(reason);
    let message = ready.map_or("", |ready| ready.message.as_str());

    if let (true, Some(phase)) = (is_new, after.phase) {
        let (type_, event_reason, note) = match phase {
            Phase::Failed => (EventType::Warning, reason, message.to_owned()),
            Phase::Held => {
                let held = conditions::find(&after.conditions, conditions::HELD);
                (
                    EventType::Warning,
                    "PlanHeld",
                    held.map_or_else(String::new, |held| held.message.clone()),
                )
            }
            Phase::Suspended => (EventType::Normal, "Suspended", message.to_owned()),
            Phase::Review => (EventType::Normal, "ReviewReady", review_note(after)),
            Phase::InSync => (EventType::Normal, "InSync", message.to_owned()),
            Phase::Pending | Phase::Syncing | Phase::Applying => (EventType::Normal, "", String::new()),
        };
        if !event_reason.is_empty() {
            publish(ctx, integration, type_, event_reason, "Sync", note).await;
        }
    }
    if after.last_applied_plan != before.last_applied_plan
        && let Some(plan) = &after.last_applied_plan
    {
        let note = format!("plan {plan} is applied: {} writes", status::last_writes(after));
        publish(ctx, integration, EventType::Normal, "PlanApplied", "Apply", note).await;
    }
    let notified = |status: &OktaIntegrationStatus| {
        let condition = conditions::find(&status.conditions, conditions::NOTIFIED)?;
        (condition.status == "False").then(|| condition.message.clone())
    };
    if let (None, Some(message)) = (notified(before), notified(after)) {
        publish(
            ctx,
            integration,
            EventType::Warning,
            "WebhookFailed",
            "Notify",
            message,
        )
        .await;
    }
}

fn review_note(status: &OktaIntegrationStatus) -> String {
    let people = status.people.unwrap_or_default();
    format!(
        "{} people: {} matched, {} to review, {} unmatched, {} in conflict; nothing is written before spec.finalized is true",
        people.total, people.matched, people.review, people.unmatched, people.conflicts
    )
}

/// Tells, on the matches concerned, what an apply gave back or could not write.
pub async fn publish_outcome(
    ctx: &Context,
    integration: &OktaIntegration,
    matches: &Matches,
    outcome: &Outcome,
) {
    for (person, unmatched) in &outcome.unmatched {
        if let Some(reference) = matches.reference(person) {
            let fields = unmatched
                .restored
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>();
            let mut note = format!(
                "employee {} was given back: {}",
                unmatched.employee_id,
                fields.join(", ")
            );
            for left in &unmatched.not_restored {
                note.push_str(&format!("; {} stays: {}", left.field, left.reason));
            }
            publish_about(ctx, &reference, EventType::Normal, "Unmatched", "Apply", note).await;
        }
    }
    for (person, failure) in &outcome.failures {
        if let Some(reference) = matches.reference(person) {
            publish_about(
                ctx,
                &reference,
                EventType::Warning,
                &failure.reason,
                "Apply",
                failure.message.clone(),
            )
            .await;
        }
    }
    if let Some(why) = &outcome.disconnected {
        publish(
            ctx,
            integration,
            EventType::Warning,
            &why.reason,
            "Apply",
            why.message.clone(),
        )
        .await;
    }
}

async fn publish<K: Resource<DynamicType = ()>>(
    ctx: &Context,
    object: &K,
    type_: EventType,
    reason: &str,
    action: &str,
    note: String,
) {
    publish_about(ctx, &object.object_ref(&()), type_, reason, action, note).await;
}

async fn publish_about(
    ctx: &Context,
    object: &ObjectReference,
    type_: EventType,
    reason: &str,
    action: &str,
    mut note: String,
) {
    note.truncate(note.floor_char_boundary(LONGEST_NOTE));
    let event = Event {
        type_,
        reason: reason.to_owned(),
        note: (!note.is_empty()).then_some(note),
        action: action.to_owned(),
        secondary: None,
    };
    // An event that cannot be published is no reason to fail: the status says the same.
    if let Err(error) = ctx.recorder.publish(&event, object).await {
        tracing::warn!(%error, reason, "event could not be published");
    }
}
