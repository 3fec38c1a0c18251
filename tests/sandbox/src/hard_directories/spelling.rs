//! Spellings of names: unmarked, romanized, misspelt.

use fastrand::Rng;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Romanizes a Russian letter by one of two standards.
fn russian(letter: char, alternative: bool) -> Option<&'static str> {
    Some(match letter {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' => "g",
        'д' => "d",
        'е' => "e",
        'з' => "z",
        'и' => "i",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' => "u",
        'ф' => "f",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' | 'ь' => "",
        'ы' => "y",
        'э' => "e",
        'ж' => "zh",
        'ё' => {
            if alternative {
                "e"
            } else {
                "yo"
            }
        }
        'й' => {
            if alternative {
                "i"
            } else {
                "y"
            }
        }
        'х' => {
            if alternative {
                "h"
            } else {
                "kh"
            }
        }
        'ц' => {
            if alternative {
                "c"
            } else {
                "ts"
            }
        }
        'ю' => {
            if alternative {
                "iu"
            } else {
                "yu"
            }
        }
        'я' => {
            if alternative {
                "ia"
            } else {
                "ya"
            }
        }
        _ => return None,
    })
}

/// Romanizes a text.
pub fn latin(text: &str, alternative: bool) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let lower: char = letter.to_lowercase().next().unwrap_or(letter);
        match russian(lower, alternative) {
            Some(spelt) if letter.is_uppercase() => out.push_str(&capital(spelt)),
            Some(spelt) => out.push_str(spelt),
            None => out.push(letter),
        }
    }
    out
}

/// Capitalizes the first letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Removes marks: `ö` becomes `o`, or `oe` with `expand`.
pub fn unmarked(text: &str, expand: bool) -> String {
    let mut out = String::new();
    for letter in latin(text, false).chars() {
        let spelt = match letter {
            'ä' | 'æ' if expand || letter == 'æ' => "ae",
            'ö' | 'ø' if expand => "oe",
            'ü' if expand => "ue",
            'å' if expand => "aa",
            'Ä' if expand => "Ae",
            'Ö' | 'Ø' if expand => "Oe",
            'Ü' if expand => "Ue",
            'Å' if expand => "Aa",
            'ß' => "ss",
            'ø' => "o",
            'Ø' => "O",
            'Æ' => "Ae",
            'ł' => "l",
            'Ł' => "L",
            'đ' => "d",
            'Đ' => "D",
            'ı' => "i",
            _ => {
                out.extend(letter.nfkd().filter(|c| !is_combining_mark(*c)));
                continue;
            }
        };
        out.push_str(spelt);
    }
    out
}

/// Returns only the letters, in lower case, as in addresses and account names.
pub fn letters(text: &str, expand: bool) -> String {
    unmarked(text, expand)
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect()
}

/// Makes a typo: swaps, omits, doubles or replaces a letter, but never the first.
pub fn typo(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let places: Vec<usize> = (1..chars.len()).filter(|i| chars[*i].is_alphabetic()).collect();
    if places.len() < 2 {
        return text.to_owned();
    }
    let at = places[rng.usize(..places.len())];
    match rng.u8(..4) {
        0 if at + 1 < chars.len() && chars[at + 1].is_alphabetic() => chars.swap(at, at + 1),
        1 => {
            chars.remove(at);
        }
        2 => chars.insert(at, chars[at]),
        _ => chars[at] = rng.lowercase(),
    }
    chars.into_iter().collect()
}

const NICKNAMES: &[(&str, &[&str])] = &[
    ("Robert", &["Bob", "Rob", "Bobby"]),
    ("William", &["Bill", "Will", "Billy"]),
    ("Richard", &["Rick", "Dick", "Rich"]),
    ("James", &["Jim", "Jimmy", "Jamie"]),
    ("John", &["Jack", "Johnny"]),
    ("Michael", &["Mike", "Mick"]),
    ("Thomas", &["Tom", "Tommy"]),
    ("Charles", &["Charlie", "Chuck"]),
    ("Joseph", &["Joe", "Joey"]),
    ("Christopher", &["Chris", "Kit"]),
    ("Daniel", &["Dan", "Danny"]),
    ("Matthew", &["Matt"]),
    ("Anthony", &["Tony"]),
    ("Steven", &["Steve"]),
    ("Andrew", &["Andy", "Drew"]),
    ("Kenneth", &["Ken"]),
    ("Edward", &["Ed", "Ted", "Eddie"]),
    ("Timothy", &["Tim"]),
    ("Jeffrey", &["Jeff"]),
    ("Gregory", &["Greg"]),
    ("Benjamin", &["Ben"]),
    ("Samuel", &["Sam"]),
    ("Alexander", &["Alex", "Sandy"]),
    ("Nicholas", &["Nick"]),
    ("Jonathan", &["Jon"]),
    ("Patrick", &["Pat"]),
    ("Elizabeth", &["Liz", "Beth", "Betty"]),
    ("Jennifer", &["Jen", "Jenny"]),
    ("Katherine", &["Kate", "Kathy", "Katie"]),
    ("Margaret", &["Peggy", "Maggie", "Meg"]),
    ("Patricia", &["Pat", "Patty", "Trish"]),
    ("Susan", &["Sue", "Susie"]),
    ("Deborah", &["Deb", "Debbie"]),
    ("Barbara", &["Barb"]),
    ("Jessica", &["Jess"]),
    ("Rebecca", &["Becky"]),
    ("Kimberly", &["Kim"]),
    ("Stephanie", &["Steph"]),
    ("Victoria", &["Vicky", "Tori"]),
    ("Samantha", &["Sam"]),
    ("Christina", &["Tina", "Chris"]),
    ("Theresa", &["Terry", "Tess"]),
    ("Sandra", &["Sandy"]),
    ("Cynthia", &["Cindy"]),
    ("Johannes", &["Hans", "Hannes"]),
    ("Katarzyna", &["Kasia"]),
    ("Jakub", &["Kuba"]),
    ("Francisco", &["Paco"]),
    ("José", &["Pepe"]),
    ("Александр", &["Саша"]),
    ("Małgorzata", &["Gosia"]),
    ("Giuseppe", &["Beppe"]),
];

/// Returns a nickname, if one is known.
pub fn nickname(rng: &mut Rng, given: &str) -> Option<&'static str> {
    NICKNAMES
        .iter()
        .find(|(name, _)| *name == given)
        .map(|(_, nicks)| nicks[rng.usize(..nicks.len())])
}

/// Returns a given name that has nicknames.
pub fn name_with_nickname(rng: &mut Rng) -> &'static str {
    NICKNAMES[rng.usize(..NICKNAMES.len())].0
}

/// Whether two given names are similar, such as Mary and Mark.
pub fn similar(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let common = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let differ =
        letters(&a.iter().collect::<String>(), false) != letters(&b.iter().collect::<String>(), false);
    differ && a.len().abs_diff(b.len()) <= 1 && common >= 1 && common + tail + 1 >= a.len().max(b.len())
}
