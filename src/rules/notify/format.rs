//! The bodies that receivers accept, after the documentation of each.
//!
//! No message names a person: the webhook may be chosen by somebody who may not read matches, and a chat is outside of
//! the cluster. A title and a summary consist of the operator's own words, hashes and names of Kubernetes objects, in
//! which no receiver finds markup. Details can contain what a service answered: they are put where the receiver
//! interprets nothing, or escaped.

use serde_json::{Value, json};

use super::{About, Notice};
use crate::{
    api::{PlanSummary, WebhookFormat},
    model::text::{self, counted},
    rules::guard::ANOTHER_WRITER,
};

/// The length of the details in characters. Slack takes 3000 in a section; Teams takes 28 KB in all, Google Chat 32 kB.
const MAX_DETAILS: usize = 2800;

/// Slack's limit for a section, in the units in which JavaScript counts.
const MAX_SECTION: usize = 3000;

pub(super) fn body(notice: &Notice, format: WebhookFormat, about: About<'_>) -> Value {
    match format {
        WebhookFormat::Json => object(notice, about),
        WebhookFormat::Slack => slack(notice, about),
        WebhookFormat::Teams => teams(notice, about),
        WebhookFormat::GoogleChat => google_chat(notice, about),
    }
}

/// A headline.
fn title(notice: &Notice) -> &'static str {
    match notice {
        Notice::Applied { .. } => "Plan applied",
        Notice::Held { .. } => "Plan held",
        Notice::ReviewRequired { .. } => "Review required",
        Notice::Failed { .. } => "Sync failed",
    }
}

/// One or two sentences: what happened to which integration.
fn summary(notice: &Notice, About { namespace, name, .. }: About<'_>) -> String {
    let integration = format!("OktaIntegration {namespace}/{name}");
    match notice {
        Notice::Applied {
            plan,
            writes,
            waiting,
        } => {
            let need = counted(*waiting, "person needs", "people need");
            let changes = counted(*writes, "change", "changes");
            format!(
                "{integration}: plan {plan} is applied, {changes} written to Insightful. {need} a decision."
            )
        }
        Notice::Held { plan, reason } => {
            let approve = match reason == ANOTHER_WRITER {
                // No approval lets it through.
                true => String::new(),
                false => format!(
                    ". To look at the plan and approve it: kubectl insightful approve {name} -n {namespace}"
                ),
            };
            format!(
                "{integration}: plan {} is held ({reason}): {}. While it is held, nothing is written to Insightful. \
                 Whom it concerns and what to do: kubectl describe oi {name} -n {namespace}{approve}",
                plan.hash,
                changes(plan)
            )
        }
        Notice::ReviewRequired { message, .. } => format!("{integration}: {message}"),
        Notice::Failed { reason, .. } => format!(
            "{integration}: syncing fails ({reason}). Until it succeeds, changes can be missing in Insightful. \
             What to do: kubectl describe oi {name} -n {namespace}"
        ),
    }
}

/// What a plan would write, what cannot be reverted first.
fn changes(plan: &PlanSummary) -> String {
    let kinds = [
        counted(plan.deactivations, "deactivation", "deactivations"),
        counted(plan.create_employees, "invitation", "invitations"),
        counted(plan.updates, "update", "updates"),
        counted(plan.restores, "restore", "restores"),
        counted(plan.create_teams, "new team", "new teams"),
    ];
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| !kind.starts_with("0 ")).collect();
    if kinds.is_empty() {
        "no changes".to_owned()
    } else {
        kinds.join(", ")
    }
}

/// The part that can hold foreign text.
fn details(notice: &Notice) -> Option<String> {
    match notice {
        Notice::Applied { .. } | Notice::Held { .. } | Notice::ReviewRequired { .. } => None,
        // Insightful's answers to the writes can name the people.
        Notice::Failed { reason, .. } if ["TooManyFailures", "OutcomeUnknown"].contains(&reason.as_str()) => {
            None
        }
        Notice::Failed { message, .. } => Some(shortened(message)),
    }
}

/// At most [`MAX_DETAILS`] characters, all of them visible.
fn shortened(text: &str) -> String {
    let text = text::shown(text);
    let mut short: String = text.chars().take(MAX_DETAILS).collect();
    if text.chars().nth(MAX_DETAILS).is_some() {
        short.push('…');
    }
    short
}

/// For programs: what is there is named, `text` is for people. `id` tells a message that is sent twice.
fn object(notice: &Notice, about: About<'_>) -> Value {
    let mut object = json!({
        "id": notice.id(about.uid),
        "event": notice.event(),
        "integration": { "namespace": about.namespace, "name": about.name },
        "text": summary(notice, about),
    });
    let more = match notice {
        Notice::Applied {
            plan,
            writes,
            waiting,
        } => {
            json!({ "plan": plan, "writes": writes, "waitingForReview": waiting })
        }
        Notice::Held { plan, reason } => {
            json!({ "plan": plan.hash, "reason": reason, "changes": plan.total })
        }
        Notice::ReviewRequired { people, .. } => json!({
            "waitingForReview": people.waiting,
            "people": { "review": people.review, "unmatched": people.unmatched, "conflicts": people.conflicts },
        }),
        Notice::Failed { reason, since, .. } => json!({ "reason": reason, "since": since }),
    };
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
        if let Some(details) = details(notice) {
            object.insert("message".to_owned(), details.into());
        }
    }
    object
}

/// Blocks of plain text: Slack looks for no markup in them. `text` is what a notification shows.
fn slack(notice: &Notice, about: About<'_>) -> Value {
    let plain = |text: String| json!({ "type": "plain_text", "text": text, "emoji": false });
    let section = |text: &str| json!({ "type": "section", "text": plain(escaped(text, MAX_SECTION)) });
    let mut blocks = vec![json!({ "type": "header", "text": plain(title(notice).to_owned()) })];
    blocks.push(section(&summary(notice, about)));
    blocks.extend(details(notice).map(|details| section(&details)));
    json!({ "text": escaped(&format!("{}. {}", title(notice), summary(notice, about)), MAX_SECTION), "blocks": blocks })
}

/// An Adaptive Card. A TextRun, unlike a TextBlock, is no Markdown.
fn teams(notice: &Notice, about: About<'_>) -> Value {
    let paragraph =
        |text: String| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text }] });
    let mut body = vec![json!({
        "type": "TextBlock", "text": title(notice), "size": "Medium", "weight": "Bolder", "wrap": true,
    })];
    body.push(paragraph(summary(notice, about)));
    body.extend(details(notice).map(paragraph));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

/// A text, and a card for the details: in a card, mentions and Chat's own markup mean nothing, and
/// HTML is escaped.
fn google_chat(notice: &Notice, about: About<'_>) -> Value {
    let mut message = json!({ "text": format!("{}. {}", title(notice), summary(notice, about)) });
    if let Some(details) = details(notice) {
        let paragraph = json!({ "textParagraph": { "text": escaped(&details, usize::MAX) } });
        message["cardsV2"] = json!([{
            "cardId": "details",
            "card": { "sections": [{ "widgets": [paragraph] }] },
        }]);
    }
    message
}

/// The text with the characters escaped by which Slack and HTML begin markup, cut to `max` UTF-16 units.
pub(super) fn escaped(text: &str, max: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.chars() {
        let mut buffer = [0; 4];
        let written = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => c.encode_utf8(&mut buffer),
        };
        length += written.encode_utf16().count();
        if length >= max {
            escaped.push('…');
            break;
        }
        escaped.push_str(written);
    }
    escaped
}
