//! A workflow of Microsoft Teams that posts the cards that its webhook receives:
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using> and the schema
//! of Adaptive Cards.

use serde_json::{Value, json};

use super::{Refusal, Shown, styled, tags, unknown};

/// The limit of a message, in bytes.
const MAX_SIZE: usize = 28 * 1024;

pub(super) fn receive(message: Option<&Value>, size: usize) -> Result<Shown, Refusal> {
    if size > MAX_SIZE {
        return Err(refusal(
            413,
            "RequestEntityTooLarge",
            "the message is larger than 28 KB",
        ));
    }
    message.and_then(card).and_then(shown).ok_or_else(|| {
        refusal(
            400,
            "TriggerInputSchemaMismatch",
            "The input body for trigger 'manual' of type 'Request' did not match its schema definition.",
        )
    })
}

fn refusal(status: u16, code: &str, message: &str) -> Refusal {
    Refusal::plain(
        status,
        json!({ "error": { "code": code, "message": message } }).to_string(),
    )
}

/// The one card of a message.
fn card(message: &Value) -> Option<&Value> {
    let message = message.as_object()?;
    if unknown(message, &["type", "attachments"]).is_some() || message.get("type")? != "message" {
        return None;
    }
    let [attachment] = message.get("attachments")?.as_array()?.as_slice() else {
        return None;
    };
    let attachment = attachment.as_object()?;
    let is_card = attachment.get("contentType")? == "application/vnd.microsoft.card.adaptive";
    let is_known = unknown(attachment, &["contentType", "contentUrl", "content"]).is_none();
    attachment.get("content").filter(|_| is_card && is_known)
}

fn shown(card: &Value) -> Option<Shown> {
    let card = card.as_object()?;
    if unknown(card, &["$schema", "type", "version", "body", "msteams"]).is_some()
        || card.get("type")? != "AdaptiveCard"
        // What Teams shows on each of its clients.
        || !["1.0", "1.1", "1.2", "1.3", "1.4"].contains(&card.get("version")?.as_str()?)
    {
        return None;
    }
    let mut shown = Shown::default();
    for element in card.get("body")?.as_array().filter(|body| !body.is_empty())? {
        shown.add(element_text(element)?);
    }
    Some(shown)
}

fn element_text(element: &Value) -> Option<Shown> {
    let element = element.as_object()?;
    match element.get("type")?.as_str()? {
        "TextBlock" => {
            let known = [
                "type",
                "text",
                "size",
                "weight",
                "wrap",
                "color",
                "isSubtle",
                "spacing",
                "separator",
            ];
            let text = element.get("text")?.as_str()?;
            unknown(element, &known).is_none().then(|| markdown(text))
        }
        "RichTextBlock" if unknown(element, &["type", "inlines", "horizontalAlignment"]).is_none() => {
            let mut text = String::new();
            for inline in element.get("inlines")?.as_array()? {
                let run = inline.as_object()?;
                let known = [
                    "type", "text", "weight", "italic", "fontType", "size", "color", "isSubtle",
                ];
                if unknown(run, &known).is_some() || run.get("type")? != "TextRun" {
                    return None;
                }
                text += run.get("text")?.as_str()?;
            }
            Some(Shown::literal(&text))
        }
        _ => None,
    }
}

/// The part of Markdown that a TextBlock has.
fn markdown(text: &str) -> Shown {
    let mut markup = tags(text);
    markup.extend(styled(text, &['*', '_']));
    markup.extend(text.split_once("](").map(|_| "[](…)".to_owned()));
    Shown {
        text: text.to_owned(),
        markup,
    }
}
