//! Names and emails as people read them: how a text is written, and when two texts are the same.
//!
//! Both services accept whatever somebody pasted into a form: double and no-break blanks, invisible characters,
//! letters in several Unicode forms. None of these makes another name, and none of them is written. Where a text
//! from outside is shown to people, [`shown`] makes visible what it hides.

use std::{borrow::Cow, fmt};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The first code point of the scripts in which a joiner between two characters is spelling: Arabic and after.
const JOINED_SCRIPTS: char = '\u{600}';

/// Returns a text as people are shown it, in a table, a message, an Event or a log: whatever ends a line, directs a
/// terminal, reverses the order of letters or is drawn as nothing appears as its code, such as `\u{1b}`. Names come
/// from outside, and none of them may change the text around it. For texts only: fields that hold data keep it.
///
/// A joiner between letters that it joins, a variation selector after its character and a mark on its letter stay:
/// they are spelling, and without them Persian or Indic names and emoji are drawn as something else. A text that is
/// shown already stays the same.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_plain_byte) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    // The character that a mark or a joiner would belong to.
    let mut base = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let stays = match character {
            '\u{34f}' => false,
            _ if is_joiner(character) => base.is_some_and(joins) && rest.peek().copied().is_some_and(joins),
            _ if is_variation_selector(character) => base.is_some_and(|base| !is_variation_selector(base)),
            _ if is_combining_mark(character) => base.is_some(),
            _ => !is_hidden(character),
        };
        base = Some(character).filter(|_| stays && !is_blank(character));
        if stays {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

/// Returns JSON with the characters that [`shown`] shows as codes escaped: it is the same JSON, and safe to look at.
pub fn shown_json(json: &str) -> Cow<'_, str> {
    // The line breaks and blanks outside strings are JSON's own; those inside are escaped already.
    let is_safe = |character: char| character.is_ascii() && character != '\u{7f}' || !is_hidden(character);
    escaped_json(json, is_safe)
}

/// Returns JSON that a parser of YAML reads as the same: the API server parses server-side apply as YAML, which refuses
/// some characters that JSON allows in a string, and takes others for line breaks.
pub fn yaml_safe_json(json: &str) -> Cow<'_, str> {
    escaped_json(json, |character| {
        !matches!(
            character,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    })
}

/// The same JSON, with the characters of strings that are not safe as codes.
fn escaped_json(json: &str, is_safe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if json.chars().all(&is_safe) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_safe(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(escaped)
}

/// Returns a name, a title or an email as it is written: composed (NFC), one blank for any run of blanks, no
/// blanks around, no control and no invisible characters.
pub fn written(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut visible = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if is_blank(character) {
            visible.push(' ');
        } else if !is_invisible(character)
            || is_joiner(character)
                && visible.chars().next_back().is_some_and(joins)
                && rest.peek().copied().is_some_and(joins)
        {
            visible.push(character);
        }
    }
    join(visible.split(' ')).nfc().collect()
}

/// [`written`], or None if nothing is visible.
pub fn written_if_any(text: &str) -> Option<String> {
    Some(written(text)).filter(|text| !text.is_empty())
}

/// Whether the text is ASCII and already as [`written`] returns it, like nearly all.
fn is_plain(text: &str) -> bool {
    text.bytes().all(is_plain_byte) && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
}

fn is_plain_byte(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Blanks of every width and line breaks, and the fillers that are drawn as blanks.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        )
}

fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

/// Whether a joiner beside the character is spelling.
fn joins(character: char) -> bool {
    character >= JOINED_SCRIPTS && !is_blank(character) && !is_invisible(character)
}

fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// What [`shown`] never lets through: the invisible, what ends a line or is drawn as nothing, and code points that
/// are no characters.
fn is_hidden(character: char) -> bool {
    is_invisible(character)
        || is_blank(character) && !is_space(character)
        || matches!(character,
            '\u{fff0}'..='\u{fff8}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0080}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
        || matches!(character, '\u{fdd0}'..='\u{fdef}')
        || u32::from(character) & 0xfffe == 0xfffe
}

/// Blanks that have a width and end no line.
fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Control characters, and those that only direct how others are drawn: soft hyphen, zero width, bidirectional, tags.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether two names or titles differ at most by what [`written`] levels.
pub fn is_same_text(one: &str, other: &str) -> bool {
    one == other || unjoined(one) == unjoined(other)
}

/// [`written`] without the joiners that it keeps: people leave them out.
fn unjoined(text: &str) -> String {
    written(text).replace(is_joiner, "")
}

/// Whether two texts are one person's name: the same words, in any order ("Doe, Jane"). Another case is another
/// name, so that a correction is written.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one == other || words(&unjoined(one)) == words(&unjoined(other))
}

/// Whether two names differ at most by case, blanks, order and the form of their letters: such a change renames
/// nobody.
pub fn is_same_name_loosely(one: &str, other: &str) -> bool {
    one == other || name_key(one) == name_key(other)
}

/// Returns a key that two names share if and only if [`is_same_name_loosely`] is true. Empty without a name.
pub fn name_key(name: &str) -> String {
    words(&folded(name)).join(" ")
}

fn words(name: &str) -> Vec<&str> {
    let separates = |c: char| c == ' ' || c == ',';
    let mut words: Vec<_> = name.split(separates).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

/// Returns a key that is equal for texts that look the same: without regard to case, blanks, the width and form of
/// letters, and the shape of apostrophes and hyphens. The order of words counts.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return written(text).to_ascii_lowercase();
    }
    // Capitals first: the sharp s and the final sigma have one capital form with their twins.
    let text: String = unjoined(text).nfkc().collect::<String>().to_uppercase();
    let text = text.to_lowercase().replace(['’', '‘', 'ʼ', '`', '´'], "'");
    unjoined(&text.replace(['‐', '‑', '‒', '–', '—', '−'], "-"))
}

/// Whether two emails are one address: no mail server tells their cases apart.
pub fn is_same_email(one: &str, other: &str) -> bool {
    one == other || email_key(one) == email_key(other)
}

/// Returns a key that two spellings of an address share. Empty without an address.
pub fn email_key(email: &str) -> String {
    unjoined(&written(email).to_lowercase())
}

/// `1 team`, `3 teams`.
pub fn counted<N: fmt::Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_without_what_nobody_sees() {
        for (text, expected) in [
            ("Jane Doe", "Jane Doe"),
            ("  Jane \t Doe\r\n", "Jane Doe"),
            ("Jane\u{a0}\u{2009}Doe\u{3000}", "Jane Doe"),
            ("Jane\u{2028}Doe\u{85}", "Jane Doe"),
            ("\u{3164}Jane\u{2800}Doe", "Jane Doe"),
            ("\u{feff}Ja\u{200b}ne \u{202e}Doe\u{2069}", "Jane Doe"),
            ("Jane\u{7}\u{1b}[2J Doe", "Jane[2J Doe"),
            ("Ja\u{ad}ne\u{200d} Doe", "Jane Doe"),
            ("Rene\u{301}e", "Renée"),
            ("e\u{200b}\u{301}", "é"),
            ("علی\u{200c}رضا", "علی\u{200c}رضا"),
            ("علی\u{200c}\u{200c}رضا\u{200c}", "علی\u{200c}رضا"),
            ("jane@acme.com ", "jane@acme.com"),
            (" \u{a0}\u{200b}", ""),
            ("", ""),
        ] {
            assert_eq!(written(text), expected, "{text:?}");
            assert_eq!(written(expected), expected);
            assert!(is_same_text(text, expected), "{text:?}");
        }
    }

    #[test]
    fn a_shown_text_hides_nothing_and_spells_names_as_they_are() {
        for (text, expected) in [
            ("Jane Doe", "Jane Doe"),
            ("  Jane  O'Hara \\ ", "  Jane  O'Hara \\ "),
            ("Jane\nDoe\r\n\t", r"Jane\u{a}Doe\u{d}\u{a}\u{9}"),
            ("Jane\u{1b}[2J\u{7}\u{0}\u{7f}", r"Jane\u{1b}[2J\u{7}\u{0}\u{7f}"),
            ("Jane\u{9b}31m\u{85}", r"Jane\u{9b}31m\u{85}"),
            ("Jane\u{2028}\u{2029}Doe", r"Jane\u{2028}\u{2029}Doe"),
            (
                "Jane \u{202e}eoD\u{202c}\u{202a}\u{202b}\u{202d}",
                r"Jane \u{202e}eoD\u{202c}\u{202a}\u{202b}\u{202d}",
            ),
            (
                "\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}",
                r"\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}",
            ),
            (
                "Ja\u{ad}ne\u{feff}\u{200b}\u{2060}\u{180e}",
                r"Ja\u{ad}ne\u{feff}\u{200b}\u{2060}\u{180e}",
            ),
            (
                "\u{3164}\u{115f}\u{1160}\u{2800}\u{ffa0}",
                r"\u{3164}\u{115f}\u{1160}\u{2800}\u{ffa0}",
            ),
            ("a\u{e0041}\u{e0001}", r"a\u{e0041}\u{e0001}"),
            ("\u{ffff}\u{1fffe}\u{fdd0}", r"\u{ffff}\u{1fffe}\u{fdd0}"),
            // Letters, marks on letters, and the joiners and selectors that are spelling.
            ("Renée Rene\u{301}e", "Renée Rene\u{301}e"),
            ("علی\u{200c}رضا", "علی\u{200c}رضا"),
            ("क्\u{200d}ष", "क्\u{200d}ष"),
            ("👩\u{200d}👧 ❤\u{fe0f}", "👩\u{200d}👧 ❤\u{fe0f}"),
            ("渡邉\u{e0101}", "渡邉\u{e0101}"),
            ("山田\u{3000}太郎\u{a0}", "山田\u{3000}太郎\u{a0}"),
            // The same where they are not.
            (
                "Ja\u{200d}ne \u{200c}Doe\u{200d}",
                r"Ja\u{200d}ne \u{200c}Doe\u{200d}",
            ),
            (
                "علی\u{200c}\u{200c}رضا\u{200c}",
                r"علی\u{200c}\u{200c}رضا\u{200c}",
            ),
            (
                "a\u{fe0f}\u{fe0f}\u{e0101} \u{fe0f}",
                "a\u{fe0f}\\u{fe0f}\\u{e0101} \\u{fe0f}",
            ),
            ("\u{301}e \u{308}o\u{34f}", r"\u{301}e \u{308}o\u{34f}"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
            assert_eq!(shown(expected), expected, "it is shown already");
        }
    }

    #[test]
    fn shown_json_is_the_same_json_without_what_is_hidden() {
        for text in [
            "Jane",
            "a\u{9b}\u{7f}\u{202e}b\n\u{1b}",
            "علی\u{200c}رضا",
            "\u{e0041}",
            "\u{2028}\"\\",
        ] {
            let value = serde_json::json!({ "name": [text] });
            let json = serde_json::to_string_pretty(&value).unwrap();
            let escaped = shown_json(&json);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
                value
            );
            for line in escaped.lines() {
                assert_eq!(shown(line), line);
            }
        }
        assert_eq!(shown_json("\"\u{e0041}\""), r#""\udb40\udc41""#);
    }

    #[test]
    fn yaml_reads_every_string_of_the_json_as_it_is() {
        let every = (0..0x3000_u32)
            .chain(0xd7f0..0xe010)
            .chain(0xfd00..0x1_0010)
            .chain(0x1_fff0..0x2_0010);
        let text: String = every
            .chain(0xe_0000..0xe_01f0)
            .filter_map(char::from_u32)
            .collect();
        let value = serde_json::json!({ "name": text, "list": ["x\u{2028}y", "Jane"] });
        let json = serde_json::to_string(&value).unwrap();
        let safe = yaml_safe_json(&json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        assert_eq!(serde_yaml::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn names_are_compared_as_people_read_them() {
        // The name, another one, whether they are the same, whether they differ at most in form.
        for (one, other, same, loosely) in [
            ("Jane Doe", "Doe Jane", true, true),
            ("Jane Doe", "Doe, Jane", true, true),
            ("Jane Mary Doe", "Doe,Jane Mary", true, true),
            ("Jane\u{a0}Doe", "Jane  Doe ", true, true),
            ("Renée Roe", "Rene\u{301}e Roe", true, true),
            ("علی\u{200c}رضا", "علیرضا", true, true),
            ("Jane Doe", "JANE DOE", false, true),
            ("Jane Doe", "doe, jane", false, true),
            ("Ｊａｎｅ Doe", "Jane Doe", false, true),
            ("Mia O’Hara", "Mia O'Hara", false, true),
            ("Jo Strauß", "JO STRAUSS", false, true),
            ("Νίκος", "ΝΊΚΟΣ", false, true),
            ("İnci", "i\u{307}nci", false, true),
            ("Jane Doe", "Jane", false, false),
            ("Jane Doe", "Jane Doe Doe", false, false),
            ("Renée Roe", "Renee Roe", false, false),
            ("Jane Doe", "", false, false),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                assert_eq!(is_same_name(one, other), same, "{one:?} {other:?}");
                assert_eq!(is_same_name_loosely(one, other), loosely, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_order_of_words_counts_where_the_text_is_no_persons_name() {
        assert!(!is_same_text("Sales EMEA", "EMEA Sales"));
        assert_ne!(folded("Sales EMEA"), folded("EMEA Sales"));
        assert_eq!(folded("R&D – Zürich"), folded("r&d - ZU\u{308}RICH"));
        assert_eq!(folded("Ｓales\u{a0} EMEA"), "sales emea");
    }

    #[test]
    fn emails_are_compared_without_case_and_blanks() {
        for (one, other) in [
            ("jane@acme.com", " Jane@ACME.com\u{a0}"),
            ("jürgen@acme.com", "JU\u{308}RGEN@acme.com"),
            ("jane@acme.com", "ja\u{200b}ne@acme.com"),
        ] {
            assert!(is_same_email(one, other), "{one:?} {other:?}");
            assert_eq!(email_key(one), email_key(other));
        }
        assert!(!is_same_email("jane@acme.com", "jane.doe@acme.com"));
        assert_eq!(email_key(" \t"), "");
    }
}
