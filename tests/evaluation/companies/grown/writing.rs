//! How hands and machines write names: without accents, in other alphabets, with slips.

use fastrand::Rng;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    chance::{between, chance, one_of, pick},
    names::{Custom, Name},
};

/// How Cyrillic becomes Latin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Romanisation {
    Passport,
    English,
    German,
}

impl Romanisation {
    pub const ALL: [Self; 3] = [Self::Passport, Self::English, Self::German];
}

pub fn romanise(text: &str, style: Romanisation) -> String {
    use Romanisation::{English, German, Passport};
    let mut latin = String::with_capacity(text.len());
    for letter in text.chars() {
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        let letters = match (lower, style) {
            ('а', _) => "a",
            ('б', _) => "b",
            ('в', German) => "w",
            ('в', _) => "v",
            ('г', _) => "g",
            ('ґ', _) => "g",
            ('д', _) => "d",
            ('е' | 'э', _) | ('ё', Passport) => "e",
            ('ё', English) => "yo",
            ('ё', German) => "jo",
            ('ж', German) => "sch",
            ('ж', _) => "zh",
            ('з', German) => "s",
            ('з', _) => "z",
            ('и' | 'і' | 'ї', _) | ('й', Passport) => "i",
            ('й', English) => "y",
            ('й', German) => "j",
            ('к', _) => "k",
            ('л', _) => "l",
            ('м', _) => "m",
            ('н', _) => "n",
            ('о', _) => "o",
            ('п', _) => "p",
            ('р', _) => "r",
            ('с', _) => "s",
            ('т', _) => "t",
            ('у', _) => "u",
            ('ф', _) => "f",
            ('х', German) => "ch",
            ('х', _) => "kh",
            ('ц', German) => "z",
            ('ц', _) => "ts",
            ('ч', German) => "tsch",
            ('ч', _) => "ch",
            ('ш', German) => "sch",
            ('ш', _) => "sh",
            ('щ', German) => "schtsch",
            ('щ', _) => "shch",
            ('ы', _) => "y",
            ('ю', Passport) => "iu",
            ('ю', English) => "yu",
            ('ю', German) => "ju",
            ('я', Passport) => "ia",
            ('я', English) => "ya",
            ('я', German) => "ja",
            ('є', Passport) => "ie",
            ('є', _) => "ye",
            ('ъ' | 'ь', _) => "",
            _ => {
                latin.push(letter);
                continue;
            }
        };
        if letter == lower {
            latin.push_str(letters);
        } else {
            latin.push_str(&capitalised(letters));
        }
    }
    // "Dmitrii" is the passport's, "Dmitry" everybody else's.
    match latin.strip_suffix("iy") {
        Some(stem) if style == English => format!("{stem}y"),
        _ => latin,
    }
}

pub fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The text without accents. `umlauts` writes ü as ue, as Germans do, and not as u.
pub fn without_accents(text: &str, umlauts: bool) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfc() {
        let replaced = match letter {
            'ä' if umlauts => "ae",
            'ö' if umlauts => "oe",
            'ü' if umlauts => "ue",
            'Ä' if umlauts => "Ae",
            'Ö' if umlauts => "Oe",
            'Ü' if umlauts => "Ue",
            'ß' => "ss",
            'ø' => "o",
            'Ø' => "O",
            'æ' => "ae",
            'œ' => "oe",
            'ł' => "l",
            'Ł' => "L",
            'đ' => "d",
            'Đ' => "D",
            'ı' => "i",
            '’' => "'",
            _ => {
                plain.extend(letter.nfd().filter(|&part| !is_combining_mark(part)));
                continue;
            }
        };
        plain.push_str(replaced);
    }
    plain
}

/// What a spreadsheet shows that was saved as UTF-8 and opened as Windows-1252.
pub fn misread(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let mut bytes = [0; 4];
            let bytes = if letter.is_ascii() {
                vec![letter as u8]
            } else {
                letter.encode_utf8(&mut bytes).bytes().collect()
            };
            bytes.into_iter().map(|byte| {
                if (0x80..0xa0).contains(&byte) {
                    '?'
                } else {
                    char::from(byte)
                }
            })
        })
        .collect()
}

/// A slip of the fingers. Initials rarely go wrong, because they are looked at.
pub fn slip(rng: &mut Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let places: Vec<usize> = (1..letters.len())
        .filter(|&at| letters[at].is_alphabetic() && letters[at - 1].is_alphabetic())
        .collect();
    if places.len() < 3 {
        return text.to_owned();
    }
    let at = *pick(rng, &places);
    match rng.usize(..5) {
        0 if at + 1 < letters.len() && letters[at + 1].is_alphabetic() => letters.swap(at, at + 1),
        0 | 1 => {
            letters.remove(at);
        }
        2 => letters.insert(at, letters[at]),
        3 => letters[at] = neighbour(rng, letters[at]),
        _ => letters[at] = sounds_like(letters[at]),
    }
    letters.into_iter().collect()
}

fn neighbour(rng: &mut Rng, letter: char) -> char {
    let rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    for row in rows {
        if let Some(at) = row.find(letter) {
            let near = if at == 0 || (at + 1 < row.len() && rng.bool()) {
                at + 1
            } else {
                at - 1
            };
            return row.chars().nth(near).unwrap_or(letter);
        }
    }
    letter
}

fn sounds_like(letter: char) -> char {
    match letter {
        'i' => 'y',
        'y' => 'i',
        'c' => 'k',
        'k' => 'c',
        's' => 'z',
        'z' => 's',
        'e' => 'a',
        'a' => 'e',
        'v' => 'w',
        'w' => 'v',
        'o' => 'u',
        'n' => 'm',
        other => other,
    }
}

/// A person who types names into Insightful: an office's manager or the administrator. People have habits.
#[derive(Clone, Debug)]
pub struct Typist {
    /// Has no accents on the keyboard, or does not look for them.
    plain: bool,
    umlauts: bool,
    /// How often "Bob" and not "Robert".
    familiar: f64,
    /// How often the first name only.
    first_only: f64,
    family_first: f64,
    full_legal: f64,
    lower_case: f64,
    slips: f64,
    /// How often by ear: another spelling of the same name.
    by_ear: f64,
    notes: f64,
    /// Composes accents, as macOS does in file names.
    decomposed: bool,
    native: f64,
}

impl Typist {
    pub fn draw(rng: &mut Rng) -> Self {
        Self {
            plain: chance(rng, 0.45),
            umlauts: chance(rng, 0.5),
            familiar: between(rng, 0.2, 0.9),
            first_only: if chance(rng, 0.15) {
                between(rng, 0.05, 0.4)
            } else {
                0.01
            },
            family_first: if chance(rng, 0.2) {
                between(rng, 0.3, 1.0)
            } else {
                0.02
            },
            full_legal: between(rng, 0.02, 0.3),
            lower_case: if chance(rng, 0.1) { 0.4 } else { 0.01 },
            slips: between(rng, 0.005, 0.05),
            by_ear: between(rng, 0.01, 0.1),
            notes: if chance(rng, 0.3) { 0.08 } else { 0.01 },
            decomposed: chance(rng, 0.05),
            native: if chance(rng, 0.25) { 0.5 } else { 0.02 },
        }
    }

    /// A name as this typist knows and types it, with a note where there is something to note.
    pub fn types(&self, rng: &mut Rng, name: &Name, note: Option<&str>) -> String {
        let mut text = self.form(rng, name);
        if self.plain {
            text = without_accents(&text, self.umlauts);
        } else if self.decomposed {
            text = text.nfd().collect();
        }
        if chance(rng, self.slips) {
            text = slip(rng, &text);
        }
        if chance(rng, self.lower_case) {
            text = if rng.bool() {
                text.to_lowercase()
            } else {
                text.to_uppercase()
            };
        }
        if chance(rng, 0.012) {
            let blank = if rng.bool() { "  " } else { "\u{a0}" };
            text = text.replacen(' ', blank, 1);
        }
        if chance(rng, 0.015) {
            text.push(' ');
        }
        match note {
            Some(note) if chance(rng, 0.3 + self.notes * 4.0) => format!("{text} ({note})"),
            _ => text,
        }
    }

    fn form(&self, rng: &mut Rng, name: &Name) -> String {
        if let Some([given, family]) = &name.native
            && chance(rng, self.native)
        {
            let native = match name.culture {
                Custom::Chinese | Custom::Japanese => format!("{family}{given}"),
                _ => format!("{given} {family}"),
            };
            return if chance(rng, 0.4) {
                format!("{} {} ({native})", name.first(), name.short_family)
            } else {
                native
            };
        }
        if name.family.is_empty() {
            return name.given.clone();
        }
        let by_ear = chance(rng, self.by_ear);
        let mut given = if chance(rng, self.familiar) {
            name.called()
        } else {
            name.first()
        }
        .to_owned();
        let mut family = name.short_family.clone();
        if by_ear {
            if rng.bool() && name.known_as.is_none() && !name.other_given.is_empty() {
                given.clone_from(pick(rng, &name.other_given));
            } else if !name.other_family.is_empty() {
                family.clone_from(pick(rng, &name.other_family));
            }
        }
        if chance(rng, self.full_legal) {
            let middle = name.middle.as_deref().filter(|_| rng.bool());
            given = [Some(name.given.as_str()), middle]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            family.clone_from(&name.family);
        }
        if chance(rng, self.first_only) {
            return match family.chars().next().filter(|_| rng.bool()) {
                Some(initial) => format!("{given} {initial}{}", if rng.bool() { "." } else { "" }),
                None => given,
            };
        }
        let suffix = name
            .suffix
            .filter(|_| rng.bool())
            .map_or_else(String::new, |suffix| format!(" {suffix}"));
        let title = if name.doctor && rng.bool() { "Dr. " } else { "" };
        let is_native_order = name.is_family_first() && chance(rng, 0.35);
        if is_native_order {
            match (&name.middle, name.culture) {
                (Some(middle), Custom::Vietnamese) if rng.bool() => format!("{family} {middle} {given}"),
                _ => format!("{family} {given}"),
            }
        } else if chance(rng, self.family_first) {
            let comma = if chance(rng, 0.6) { "," } else { "" };
            format!("{family}{comma} {given}")
        } else {
            format!("{title}{given} {family}{suffix}")
        }
    }
}

/// How a spreadsheet that was imported wrote its names.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    order: Order,
    plain: bool,
    misread: bool,
    /// From payroll: legal names with all their parts.
    legal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    FirstLast,
    LastCommaFirst,
    LastFirst,
    UpperLastFirst,
    Upper,
}

impl Sheet {
    pub fn draw(rng: &mut Rng) -> Self {
        let order = one_of(
            rng,
            &[
                (Order::FirstLast, 0.55),
                (Order::LastCommaFirst, 0.2),
                (Order::LastFirst, 0.1),
                (Order::UpperLastFirst, 0.07),
                (Order::Upper, 0.08),
            ],
        );
        Self {
            order,
            plain: chance(rng, 0.3),
            misread: chance(rng, 0.06),
            legal: chance(rng, 0.45),
        }
    }

    pub fn writes(&self, rng: &mut Rng, name: &Name) -> String {
        let (mut given, mut family) = (name.first().to_owned(), name.short_family.clone());
        if self.legal {
            given = [Some(name.given.as_str()), name.middle.as_deref()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            family.clone_from(&name.family);
        } else if chance(rng, 0.25) {
            name.called().clone_into(&mut given);
        }
        let mut text = match self.order {
            _ if family.is_empty() => given,
            Order::FirstLast => format!("{given} {family}"),
            Order::LastCommaFirst => format!("{family}, {given}"),
            Order::LastFirst => format!("{family} {given}"),
            Order::UpperLastFirst => format!("{} {given}", family.to_uppercase()),
            Order::Upper => format!("{given} {family}").to_uppercase(),
        };
        if self.plain {
            text = without_accents(&text, name.culture == Custom::German);
        } else if self.misread {
            text = misread(&text);
        }
        if chance(rng, 0.006) {
            slip(rng, &text)
        } else {
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cyrillic_becomes_latin_in_several_ways() {
        assert_eq!(
            Romanisation::ALL.map(|style| romanise("Дмитрий", style)),
            ["Dmitrii", "Dmitry", "Dmitrij"]
        );
        assert_eq!(
            Romanisation::ALL.map(|style| romanise("Щербакова", style)),
            ["Shcherbakova", "Shcherbakova", "Schtscherbakowa"]
        );
    }

    #[test]
    fn accents_and_misread_files() {
        assert_eq!(without_accents("Jürgen Strauß", true), "Juergen Strauss");
        assert_eq!(without_accents("Łukasz Wiśniewski", false), "Lukasz Wisniewski");
        assert_eq!(misread("Müller"), "MÃ¼ller");
    }
}
