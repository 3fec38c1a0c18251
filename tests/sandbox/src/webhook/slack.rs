//! Slack's incoming webhooks: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks> and the
//! references of Block Kit and of text formatting.

use serde_json::{Map, Value};

use super::{Refusal, Shown, styled, tags, unescaped, unknown};

const MAX_BLOCKS: usize = 50;
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3000;
const MAX_TEXT: usize = 40_000;

pub(super) fn receive(message: Option<&Value>) -> Result<Shown, Refusal> {
    let invalid = || Refusal::plain(400, "invalid_payload");
    let invalid_blocks = || Refusal::plain(400, "invalid_blocks");
    let object = message.and_then(Value::as_object).ok_or_else(invalid)?;
    if unknown(
        object,
        &["text", "blocks", "mrkdwn", "unfurl_links", "unfurl_media"],
    )
    .is_some()
    {
        return Err(invalid());
    }
    let text = match object.get("text") {
        None => None,
        Some(Value::String(text)) if text.encode_utf16().count() <= MAX_TEXT => Some(text),
        Some(_) => return Err(invalid()),
    };
    let mut shown = match text.filter(|text| !text.is_empty()) {
        Some(text) => mrkdwn(text),
        None if object.contains_key("blocks") => Shown::default(),
        None => return Err(Refusal::plain(400, "no_text")),
    };
    let no_blocks = Vec::new();
    let blocks = match object.get("blocks") {
        None => &no_blocks,
        Some(Value::Array(blocks)) if blocks.len() <= MAX_BLOCKS => blocks,
        Some(_) => return Err(Refusal::plain(400, "invalid_blocks_format")),
    };
    for block in blocks {
        shown.add(block_text(block).ok_or_else(invalid_blocks)?);
    }
    Ok(shown)
}

fn block_text(block: &Value) -> Option<Shown> {
    let block = block
        .as_object()
        .filter(|block| unknown(block, &["type", "text", "block_id"]).is_none())?;
    let text = block.get("text")?.as_object()?;
    match block.get("type")?.as_str()? {
        "header" if text.get("type")? == "plain_text" => text_object(text, MAX_HEADER),
        "section" => text_object(text, MAX_SECTION),
        _ => None,
    }
}

fn text_object(object: &Map<String, Value>, max: usize) -> Option<Shown> {
    let text = object.get("text")?.as_str()?;
    if !(1..=max).contains(&text.encode_utf16().count()) {
        return None;
    }
    match object.get("type")?.as_str()? {
        "plain_text" if unknown(object, &["type", "text", "emoji"]).is_none() => {
            let emoji = object.get("emoji").is_none_or(|emoji| emoji == true);
            let mut shown = Shown::literal(&unescaped(text));
            if emoji {
                shown.markup = styled(text, &[':']);
            }
            Some(shown)
        }
        "mrkdwn" if unknown(object, &["type", "text", "verbatim"]).is_none() => Some(mrkdwn(text)),
        _ => None,
    }
}

fn mrkdwn(text: &str) -> Shown {
    let mut markup = tags(text);
    markup.extend(styled(text, &['*', '_', '~', '`', ':']));
    // A colon ends the name of an emoji only if that has no blanks, slashes or capitals.
    markup.retain(|found| {
        let name = found.trim_matches(':');
        !found.starts_with(':')
            || name
                .chars()
                .all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-' | '+'))
    });
    Shown {
        text: unescaped(text),
        markup,
    }
}
