//! Names and emails as people read them: how a text is written, and when two texts are the same.
//!
//! Both services accept whatever somebody pasted into a form: double and no-break blanks, invisible characters,
//! letters in several Unicode forms. None of these makes another name, and none of them is written.

use unicode_normalization::UnicodeNormalization;

/// The first code point of the scripts in which a joiner between two characters is spelling: Arabic and after.
const JOINED_SCRIPTS: char = '\u{600}';

/// Returns a name, a title or an email as it is written: composed (NFC), one blank for any run of blanks, no
/// blanks around, no control and no invisible characters.
pub fn written(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut visible = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let is_spelling = |neighbor: Option<char>| {
            neighbor.is_some_and(|c| c >= JOINED_SCRIPTS && !is_blank(c) && !is_invisible(c))
        };
        if is_blank(character) {
            visible.push(' ');
        } else if !is_invisible(character)
            || is_joiner(character)
                && is_spelling(visible.chars().next_back())
                && is_spelling(rest.peek().copied())
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
    let is_graphic = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    is_graphic && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
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
