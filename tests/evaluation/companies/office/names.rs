//! Names of people as the lists have them, and the ways in which they are written.

use super::dice::Dice;

/// One word of a name in its own script, in Latin letters, and in the other usual spelling of them. All are
/// the same for names that are Latin from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    native: &'static str,
    latin: &'static str,
    other: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    Native,
    Latin,
    Other,
}

impl Word {
    fn parse(text: &'static str) -> Self {
        let mut forms = text.split('|');
        let native = forms.next().unwrap_or(text);
        let latin = forms.next().unwrap_or(native);
        Self {
            native,
            latin,
            other: forms.next().unwrap_or(latin),
        }
    }

    pub fn in_script(self, script: Script) -> &'static str {
        match script {
            Script::Native => self.native,
            Script::Latin => self.latin,
            Script::Other => self.other,
        }
    }

    pub fn latin(self) -> &'static str {
        self.latin
    }
}

/// A family name with the form that women bear.
#[derive(Clone, Copy)]
pub struct Family {
    pub male: Word,
    pub female: Word,
}

pub struct Culture {
    pub female: Vec<Word>,
    pub male: Vec<Word>,
    pub family: Vec<Family>,
    /// Two family names are borne: 1 where the first is the main one, 2 where the last is.
    pub surnames: u8,
    pub umlauts: bool,
    /// A family name may change with a marriage.
    pub marriage_renames: bool,
    /// The family name is said first at home.
    pub family_first: bool,
    pub weight: u32,
}

const LISTS: &[(&str, u32, &str)] = &[
    ("en", 30, include_str!("en.txt")),
    ("de", 12, include_str!("de.txt")),
    ("es", 12, include_str!("es.txt")),
    ("pl", 12, include_str!("pl.txt")),
    ("pt-br", 8, include_str!("pt-br.txt")),
    ("fr", 8, include_str!("fr.txt")),
    ("it", 6, include_str!("it.txt")),
    ("cs", 6, include_str!("cs.txt")),
    ("nl", 6, include_str!("nl.txt")),
    ("sv", 6, include_str!("sv.txt")),
    ("hu", 4, include_str!("hu.txt")),
    ("tr", 6, include_str!("tr.txt")),
    ("uk", 8, include_str!("uk.txt")),
    ("ru", 6, include_str!("ru.txt")),
    ("ar", 6, include_str!("ar.txt")),
    ("zh", 4, include_str!("zh.txt")),
    ("ja", 4, include_str!("ja.txt")),
    ("ko", 4, include_str!("ko.txt")),
];

const NICKNAMES: &str = include_str!("nicknames.txt");

pub fn cultures() -> Vec<Culture> {
    LISTS
        .iter()
        .map(|(tag, weight, list)| culture(tag, *weight, list))
        .collect()
}

fn culture(tag: &str, weight: u32, list: &'static str) -> Culture {
    let section = |title: &str| {
        let lines = list
            .lines()
            .skip_while(move |line| line.strip_prefix("# ") != Some(title));
        lines
            .skip(1)
            .take_while(|line| !line.starts_with('#'))
            .collect::<Vec<_>>()
    };
    let words = |title: &str| section(title).into_iter().map(Word::parse).collect();
    Culture {
        female: words("female"),
        male: words("male"),
        family: section("family").into_iter().map(family).collect(),
        surnames: match tag {
            "es" => 1,
            "pt-br" => 2,
            _ => 0,
        },
        umlauts: tag == "de",
        marriage_renames: !matches!(tag, "es" | "pt-br" | "ar" | "zh" | "ko"),
        family_first: matches!(tag, "hu" | "zh" | "ja" | "ko"),
        weight,
    }
}

fn family(line: &'static str) -> Family {
    let (male, female) = line.split_once('/').unwrap_or((line, line));
    Family {
        male: Word::parse(male),
        female: Word::parse(female),
    }
}

/// The short forms by which a name is known, by the name: the first is the usual one.
pub fn nicknames() -> std::collections::HashMap<&'static str, Vec<&'static str>> {
    let lines = NICKNAMES.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &'static str| {
        let mut words = line.split(' ');
        words.next().map(|name| (name, words.collect()))
    };
    lines.filter_map(entry).collect()
}

/// The name in the 26 letters, as it is in addresses: without blanks and apostrophes, in lower case.
pub fn in_address(name: &str, umlauts: bool) -> String {
    plain(name, umlauts)
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// The name without the marks on letters.
pub fn plain(name: &str, umlauts: bool) -> String {
    name.chars().map(|letter| bare(letter, umlauts)).collect()
}

fn bare(letter: char, umlauts: bool) -> String {
    let lower: String = letter.to_lowercase().collect();
    let plain = match lower.as_str() {
        "ä" if umlauts => "ae",
        "ö" if umlauts => "oe",
        "ü" if umlauts => "ue",
        "ß" => "ss",
        "á" | "à" | "â" | "ä" | "ã" | "å" | "ą" | "ă" => "a",
        "æ" => "ae",
        "ç" | "ć" | "č" => "c",
        "ď" | "đ" => "d",
        "é" | "è" | "ê" | "ë" | "ę" | "ě" => "e",
        "ğ" => "g",
        "í" | "ì" | "î" | "ï" | "ı" | "i\u{307}" => "i",
        "ł" | "ľ" => "l",
        "ñ" | "ń" | "ň" => "n",
        "ó" | "ò" | "ô" | "ö" | "õ" | "ø" | "ő" => "o",
        "ř" => "r",
        "ś" | "š" | "ş" => "s",
        "ť" => "t",
        "ú" | "ù" | "û" | "ü" | "ů" | "ű" => "u",
        "ý" => "y",
        "ź" | "ż" | "ž" => "z",
        _ => return letter.to_string(),
    };
    if letter.is_uppercase() {
        capital(plain)
    } else {
        plain.to_owned()
    }
}

pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>());
    first.unwrap_or_default() + letters.as_str()
}

pub fn initial(word: &str) -> String {
    word.chars().take(1).collect()
}

/// The word as a hurried hand types it: two letters swapped, one missing, or one doubled.
pub fn mistyped(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 {
        return word.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    match dice.below(3) {
        0 if letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}
