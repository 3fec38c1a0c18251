//! Events for what an admin wants to know, with stable reasons; none for a cycle
//! that changed nothing.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    runtime::events::{Event, EventType},
};

use super::{Context, apply::Outcome, match_store::Matches};
use crate::{
    api::{OktaIntegration, OktaIntegrationStatus, Phase, conditions},
    http::cluster,
    model::{PersonId, text::shown},
    rules::status,
};

/// The API server's limit.
const MAX_NOTE_BYTES: usize = 1024;

/// Publishes Events for what is new in the integration's status.
pub async fn publish_transition(
    ctx: &Context,
    integration: &OktaIntegration,
    before: &OktaIntegrationStatus,
    after: &OktaIntegrationStatus,
) {
    let object = integration.object_ref(&());
    let ready = conditions::find(&after.conditions, conditions::READY);
    let was_ready = conditions::find(&before.conditions, conditions::READY);
    let reason = ready.map_or("", |ready| ready.reason.as_str());
    let is_new = was_ready.map(|ready| ready.reason.as_str()) != Some(reason);
    let message = ready.map_or("", |ready| ready.message.as_str()).to_owned();

    if let (true, Some(phase)) = (is_new, after.phase) {
        let event = match phase {
            Phase::Failed => Some((EventType::Warning, reason, message)),
            Phase::Held => {
                let held = conditions::find(&after.conditions, conditions::HELD);
                let note = held.map_or_else(String::new, |held| held.message.clone());
                Some((EventType::Warning, "PlanHeld", note))
            }
            Phase::Suspended => Some((EventType::Normal, "Suspended", message)),
            Phase::Review => Some((EventType::Normal, "ReviewReady", review_note(after))),
            Phase::InSync => Some((EventType::Normal, "InSync", message)),
            Phase::Pending | Phase::Syncing | Phase::Applying => None,
        };
        if let Some((type_, event_reason, note)) = event.filter(|(_, reason, _)| !reason.is_empty()) {
            publish(ctx, &object, type_, event_reason, "Sync", note).await;
        }
    }
    if after.last_applied_plan != before.last_applied_plan
        && let Some(plan) = &after.last_applied_plan
    {
        let note = match status::last_writes(after) {
            1 => format!("plan {plan} is applied: 1 write"),
            writes => format!("plan {plan} is applied: {writes} writes"),
        };
        publish(ctx, &object, EventType::Normal, "PlanApplied", "Apply", note).await;
    }
    let unreadable = |status: &OktaIntegrationStatus| {
        let condition = conditions::find(&status.conditions, conditions::RECORDS_UNREADABLE)?;
        Some(condition.message.clone())
    };
    if let Some(message) = unreadable(after).filter(|_| unreadable(before) != unreadable(after)) {
        tracing::warn!("{message}");
        publish(
            ctx,
            &object,
            EventType::Warning,
            conditions::RECORDS_UNREADABLE,
            "Sync",
            message,
        )
        .await;
    }
    let webhook_failure = |status: &OktaIntegrationStatus| {
        let condition = conditions::find(&status.conditions, conditions::NOTIFIED)?;
        (condition.status == "False").then(|| condition.message.clone())
    };
    if let (None, Some(message)) = (webhook_failure(before), webhook_failure(after)) {
        publish(
            ctx,
            &object,
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
        "{} {}: {} matched, {} to review, {} unmatched, {} in conflict; nothing is written until spec.finalized is true",
        people.total,
        if people.total == 1 { "person" } else { "people" },
        people.matched,
        people.review,
        people.unmatched,
        people.conflicts
    )
}

/// Publishes Events about the matches whose fields an apply restored or could not write.
pub async fn publish_outcome(
    ctx: &Context,
    integration: &OktaIntegration,
    matches: &Matches,
    outcome: &Outcome,
) {
    for (person, unmatched) in &outcome.unmatched {
        if let Some(reference) = matches.reference(person) {
            let restored: Vec<_> = unmatched.restored.iter().map(ToString::to_string).collect();
            let mut note = format!(
                "unmatched from employee {}; restored: {}",
                unmatched.employee_id,
                if restored.is_empty() {
                    "nothing".to_owned()
                } else {
                    restored.join(", ")
                }
            );
            for field in &unmatched.not_restored {
                note.push_str(&format!("; {} not restored: {}", field.field, field.reason));
            }
            publish(ctx, &reference, EventType::Normal, "Unmatched", "Apply", note).await;
        }
    }
    for (person, failure) in &outcome.failures {
        if let Some(reference) = matches.reference(person) {
            let note = failure.message.clone();
            publish(
                ctx,
                &reference,
                EventType::Warning,
                &failure.reason,
                "Apply",
                note,
            )
            .await;
        }
    }
    if let Some(why) = &outcome.disconnected {
        let (object, note) = (integration.object_ref(&()), why.message.clone());
        publish(ctx, &object, EventType::Warning, &why.reason, "Apply", note).await;
    }
}

/// Publishes Events about the matches that were deleted and made again.
pub async fn publish_recreated(ctx: &Context, matches: &Matches, people: &[PersonId]) {
    let note = "deleted while its match was in force, and made again with the values that the match replaced; the decision is gone, and the match stays in force until a decision ends it";
    for reference in people.iter().filter_map(|person| matches.reference(person)) {
        publish(
            ctx,
            &reference,
            EventType::Warning,
            "Recreated",
            "Sync",
            note.to_owned(),
        )
        .await;
    }
}

/// Publishes an Event about an integration that cannot be read.
pub async fn publish_unreadable_integration(ctx: &Context, object: &ObjectReference, note: String) {
    publish(ctx, object, EventType::Warning, status::UNREADABLE, "Sync", note).await;
}

/// Publishes an Event about each object that cannot be read, once.
pub async fn publish_unreadable(ctx: &Context, matches: &mut Matches) {
    for (reference, why) in matches.take_unreported() {
        let note = format!(
            "this version of the operator cannot read the object ({why}): nothing is written for its person until it is corrected"
        );
        publish(ctx, &reference, EventType::Warning, "Unreadable", "Sync", note).await;
    }
}

async fn publish(
    ctx: &Context,
    object: &ObjectReference,
    type_: EventType,
    reason: &str,
    action: &str,
    note: String,
) {
    let mut note = shown(&note).into_owned();
    note.truncate(note.floor_char_boundary(MAX_NOTE_BYTES));
    let event = Event {
        type_,
        reason: reason.to_owned(),
        note: (!note.is_empty()).then_some(note),
        action: action.to_owned(),
        secondary: None,
    };
    // Not a failure of the reconcile: the status holds the same.
    if let Err(error) = ctx.recorder.publish(&event, object).await {
        let error = cluster::message(&error);
        tracing::warn!(error, reason, "cannot publish an Event");
    }
}
