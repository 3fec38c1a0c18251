//! Folds text to lower-case Latin letters without marks.

use std::{borrow::Cow, sync::LazyLock};

use encoding_rs::WINDOWS_1252;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The code point after Latin Extended-B.
const END_OF_LATIN: usize = 0x250;

/// The folded form of each letter below [`END_OF_LATIN`]: for most names, many
/// times faster than Unicode normalization.
struct LatinLetters(Vec<String>);

impl LatinLetters {
    fn new(fold: impl Fn(&str) -> String) -> Self {
        let all = (0..END_OF_LATIN).map(|code| u32::try_from(code).ok().and_then(char::from_u32));
        Self(
            all.map(|letter| letter.map_or_else(String::new, |letter| fold(letter.encode_utf8(&mut [0; 4]))))
                .collect(),
        )
    }

    /// Folds a text; None if it has other letters.
    fn fold(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            out.push_str(self.0.get(letter as usize)?);
        }
        Some(out)
    }
}

static FOLDED: LazyLock<LatinLetters> = LazyLock::new(|| LatinLetters::new(fold_any));
static EXPANDED: LazyLock<LatinLetters> = LazyLock::new(|| LatinLetters::new(expand_any));

/// Reads UTF-8 that an import took for Latin-1 or Windows-1252: `JosÃ©` is `José`. Other text hardly ever is valid UTF-8
/// in these encodings.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let byte = |letter: char| {
        u8::try_from(letter).ok().or_else(|| {
            let mut buffer = [0; 4];
            let (bytes, _, is_unmappable) = WINDOWS_1252.encode(letter.encode_utf8(&mut buffer));
            bytes.first().copied().filter(|_| !is_unmappable)
        })
    };
    let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(decoded)) => Cow::Owned(decoded),
        _ => Cow::Borrowed(text),
    }
}

/// Folds to lower-case ASCII: removes marks and romanizes other scripts.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    FOLDED.fold(text).unwrap_or_else(|| fold_any(text))
}

fn fold_any(text: &str) -> String {
    let unmarked: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    deunicode::deunicode(&unmarked).to_ascii_lowercase()
}

/// Like [`fold`], but writes a marked letter as two letters, as German and
/// Nordic languages do: `oe` for `ö`.
pub(super) fn fold_expanded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    EXPANDED.fold(text).unwrap_or_else(|| expand_any(text))
}

fn expand_any(text: &str) -> String {
    let composed: String = text.nfc().collect::<String>().to_lowercase();
    let expanded = composed
        .replace(['ä', 'æ'], "ae")
        .replace(['ö', 'ø'], "oe")
        .replace('ü', "ue")
        .replace('å', "aa");
    fold_any(&expanded)
}

/// Like [`fold`], but each character of a script without a reliable romanization
/// becomes a code of capitals. `田中` is Tanaka to its bearer and Tian Zhong to
/// a machine; 伟 and 薇 are two names that are both read Wei.
pub(super) fn fold_name(text: &str) -> String {
    if !text.chars().any(is_of_unromanized_script) {
        return fold(text);
    }
    let mut out = String::with_capacity(4 * text.len());
    let composed: String = text.nfkc().collect();
    for piece in composed.split_inclusive(|c: char| !c.is_alphabetic()) {
        if piece.chars().any(is_of_unromanized_script) {
            for letter in piece.chars().filter(|c| !is_optional_mark(*c)) {
                if letter.is_alphabetic() {
                    encode(letter, &mut out);
                } else {
                    out.push(' ');
                }
            }
        } else {
            out.push_str(&fold(piece));
        }
    }
    out
}

/// Whether a folded word is in a script that [`fold_name`] does not romanize.
pub(super) fn is_unromanized(word: &str) -> bool {
    word.bytes()
        .next()
        .is_some_and(|first| first.is_ascii_uppercase())
}

/// Han, Kana, Hangul, Arabic, Hebrew, Thai and the like; not Latin, Greek,
/// Cyrillic, Armenian and Georgian.
pub(super) fn is_of_unromanized_script(letter: char) -> bool {
    letter > '\u{58f}'
        && letter.is_alphabetic()
        && !matches!(letter, '\u{10a0}'..='\u{10ff}' | '\u{1e00}'..='\u{1fff}' | '\u{ff21}'..='\u{ff5a}')
}

/// Whether a letter is in a script other than Latin.
pub(super) fn is_of_other_script(letter: char) -> bool {
    letter > '\u{24f}' && letter.is_alphabetic() && !('\u{1e00}'..='\u{1eff}').contains(&letter)
}

/// Vowel points that Arabic and Hebrew mostly omit, and the tatweel.
fn is_optional_mark(letter: char) -> bool {
    matches!(letter, '\u{591}'..='\u{5c7}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Appends four capitals for a character, those that vary most first.
fn encode(letter: char, out: &mut String) {
    let mut code = u32::from(letter);
    for _ in 0..4 {
        out.push(char::from(b'A' + u8::try_from(code % 26).unwrap_or(0)));
        code /= 26;
    }
}

/// Removes the second letter of pairs that stand for a marked letter, so that
/// `ö`, `oe` and `o` are equal.
pub(super) fn without_marks(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        match (letter, letters.peek()) {
            ('a' | 'o' | 'u', Some('e')) | ('a', Some('a')) => {
                letters.next();
            }
            _ => {}
        }
    }
    out
}

/// Returns a phonetic key that is equal for common romanizations: `Sergei`,
/// `Sergey` and `Sergej`; `Wladimir` and `Vladimir`.
pub(super) fn phonetic_key(word: &str) -> String {
    let replaced = without_marks(word)
        .replace("sch", "s")
        .replace("sh", "s")
        .replace("kh", "h")
        .replace("ph", "f")
        .replace("th", "t")
        .replace("dh", "d")
        .replace("ck", "k")
        .replace("ou", "u")
        .replace("ts", "c")
        .replace("tz", "c")
        .replace('x', "ks")
        .replace(['y', 'j'], "i")
        .replace('w', "v")
        .replace('z', "s");
    let mut out = String::with_capacity(replaced.len());
    for letter in replaced.chars() {
        if !out.ends_with(letter) {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_that_was_taken_for_another_encoding_is_decoded() {
        for (text, expected) in [
            ("JasmÄ«na SmuÄ£e", "Jasmīna Smuģe"),
            ("JosÃ© NÃºÃ±ez", "José Núñez"),
            ("DvoÅ™Ã¡k", "Dvořák"),
            ("Ph\u{c6}\u{b0}\u{c6}\u{a1}ng", "Phương"),
            ("Qu\u{e1}\u{bb}\u{91}c", "Quốc"),
            ("José Núñez", "José Núñez"),
            ("Ævar Ås", "Ævar Ås"),
            ("Łukasz", "Łukasz"),
            ("Đinh Trần", "Đinh Trần"),
            ("Ольга", "Ольга"),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }

    #[test]
    fn scripts_without_reliable_romanization_are_encoded() {
        assert_eq!(fold_name("Jörg Иванов"), "jorg ivanov");
        assert_ne!(fold_name("王伟"), fold_name("王薇"));
        assert_eq!(fold_name("مُحَمَّد"), fold_name("محمد"));
        assert_ne!(fold_name("が"), fold_name("か"));
        for name in ["田中 太郎", "김 철수", "דוד לוי", "สมชาย ใจดี"] {
            let folded = fold_name(name);
            assert_eq!(
                folded.split(' ').filter(|word| is_unromanized(word)).count(),
                2,
                "{name} {folded}"
            );
        }
    }

    #[test]
    fn tables_agree_with_unicode_normalization() {
        for letter in (0..0x260).filter_map(char::from_u32) {
            for text in [
                format!("{letter}é"),
                format!("Aé {letter}{letter}ö'b"),
                format!("ß{letter}A\u{308}"),
            ] {
                assert_eq!(fold(&text), fold_any(&text), "{text:?}");
                assert_eq!(fold_expanded(&text), expand_any(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn marks_and_other_scripts_become_latin_letters() {
        for (text, folded) in [
            ("Jörg", "jorg"),
            ("Łukasz", "lukasz"),
            ("Straße", "strasse"),
            ("Nguyễn", "nguyen"),
            ("Иванов", "ivanov"),
            ("Ødegård", "odegard"),
            ("O’Brien", "o'brien"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
        assert_eq!(fold_expanded("Jörg Ødegård"), "joerg oedegaard");
    }
}
