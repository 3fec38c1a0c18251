//! The incoming webhook of a Google Chat space: <https://developers.google.com/workspace/chat/quickstart/webhooks>, the
//! reference of a message and of cards, and <https://developers.google.com/workspace/chat/format-messages>.

use serde_json::{Map, Value, json};

use super::{Refusal, Shown, styled, tags, unescaped, unknown};

/// The limit of a message, in bytes.
const MAX_SIZE: usize = 32_000;

pub(super) fn receive(message: Option<&Value>, size: usize) -> Result<Shown, Refusal> {
    if size > MAX_SIZE {
        return Err(invalid("Message is too long."));
    }
    let message = object(message, "", &["text", "cardsV2", "thread"])?;
    let mut shown = Shown::default();
    match message.get("text") {
        Some(Value::String(text)) => shown.add(chat_markup(text)),
        Some(_) => return Err(invalid("Invalid value at 'message.text' (TYPE_STRING)")),
        None => {}
    }
    for card in list(message, "cardsV2")? {
        let card = object(Some(card), "cards_v2[0]", &["cardId", "card"])?;
        let card = object(card.get("card"), "cards_v2[0].card", &["header", "sections"])?;
        if let Some(header) = card.get("header") {
            let header = object(Some(header), "header", &["title", "subtitle"])?;
            let parts = header.values().filter_map(Value::as_str);
            parts.for_each(|part| shown.add(Shown::literal(part)));
        }
        for section in list(card, "sections")? {
            let section = object(Some(section), "sections[0]", &["header", "widgets"])?;
            for widget in list(section, "widgets")? {
                let widget = object(Some(widget), "widgets[0]", &["textParagraph"])?;
                let paragraph = object(widget.get("textParagraph"), "text_paragraph", &["text"])?;
                let text = paragraph.get("text").and_then(Value::as_str);
                shown.add(html(
                    text.ok_or_else(|| invalid("Invalid value at 'text' (TYPE_STRING)"))?,
                ));
            }
        }
    }
    if shown.text.is_empty() {
        return Err(invalid(
            "Message cannot be empty. Discarding empty create message request.",
        ));
    }
    Ok(shown)
}

fn invalid(message: &str) -> Refusal {
    let error = json!({ "error": { "code": 400, "message": message, "status": "INVALID_ARGUMENT" } });
    Refusal::plain(400, error.to_string())
}

fn object<'a>(
    value: Option<&'a Value>,
    place: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, Refusal> {
    let object = value.and_then(Value::as_object);
    let object = object.ok_or_else(|| invalid("Invalid JSON payload received."))?;
    match unknown(object, known) {
        None => Ok(object),
        Some(field) => Err(invalid(&format!(
            "Invalid JSON payload received. Unknown name \"{field}\" at 'message.{place}': Cannot find field."
        ))),
    }
}

fn list<'a>(object: &'a Map<String, Value>, field: &str) -> Result<&'a [Value], Refusal> {
    match object.get(field) {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(invalid(&format!("Invalid value at 'message.{field}'"))),
    }
}

/// Chat's own markup in a text: styles, links, and mentions such as `<users/all>`.
fn chat_markup(text: &str) -> Shown {
    let mut markup = tags(text);
    markup.extend(styled(text, &['*', '_', '~', '`']));
    Shown {
        text: text.to_owned(),
        markup,
    }
}

/// The part of HTML that a card's text has.
fn html(text: &str) -> Shown {
    Shown {
        text: unescaped(text),
        markup: tags(text),
    }
}
