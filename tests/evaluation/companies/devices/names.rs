//! Names of people, and how they are spelt in accounts.

use fastrand::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culture {
    English,
    German,
    French,
    Italian,
    Dutch,
    Brazilian,
    Turkish,
    Japanese,
    Chinese,
}

impl Culture {
    /// Whether names are written without Latin letters.
    pub fn has_own_script(self) -> bool {
        matches!(self, Self::Japanese | Self::Chinese)
    }

    /// What a Mac puts between `MacBook-Pro` and the owner's name; None: `Marks-MacBook-Pro`.
    pub fn mac_of(self) -> Option<&'static str> {
        match self {
            Self::French | Self::Brazilian => Some("de"),
            Self::Italian => Some("di"),
            Self::Dutch => Some("van"),
            Self::Turkish => Some(""),
            _ => None,
        }
    }
}

/// Names with the sum of the frequencies so far.
struct Weighted(Vec<(&'static str, u32)>);

impl Weighted {
    fn read(text: &'static str) -> Self {
        let mut sum = 0;
        let names = text.lines().filter(|line| !line.is_empty()).map(|line| {
            let (name, weight) = match line.rsplit_once(' ') {
                Some((name, weight)) => weight.parse().map_or((line, 1), |weight| (name, weight)),
                None => (line, 1),
            };
            sum += weight;
            (name, sum)
        });
        Self(names.collect())
    }

    fn pick(&self, rng: &mut Rng) -> &'static str {
        let sum = self.0.last().map_or(1, |(_, sum)| *sum);
        let draw = rng.u32(..sum);
        let at = self.0.partition_point(|(_, sum)| *sum <= draw);
        self.0.get(at).map_or("", |(name, _)| *name)
    }
}

pub struct Names(Vec<(Culture, Weighted, Weighted)>);

macro_rules! lists {
    ($($culture:ident $given:literal $family:literal),* $(,)?) => {
        vec![$((
            Culture::$culture,
            Weighted::read(include_str!($given)),
            Weighted::read(include_str!($family)),
        )),*]
    };
}

impl Names {
    pub fn read() -> Self {
        Self(lists! {
            English "english_given.txt" "english_family.txt",
            German "german_given.txt" "german_family.txt",
            French "french_given.txt" "french_family.txt",
            Italian "italian_given.txt" "italian_family.txt",
            Dutch "dutch_given.txt" "dutch_family.txt",
            Brazilian "brazilian_given.txt" "brazilian_family.txt",
            Turkish "turkish_given.txt" "turkish_family.txt",
            Japanese "japanese_given.txt" "japanese_family.txt",
            Chinese "chinese_given.txt" "chinese_family.txt",
        })
    }

    fn list(&self, culture: Culture) -> &(Culture, Weighted, Weighted) {
        let found = self.0.iter().find(|(of, ..)| *of == culture);
        found.unwrap_or(&self.0[0])
    }

    pub fn given(&self, culture: Culture, rng: &mut Rng) -> String {
        self.list(culture).1.pick(rng).to_owned()
    }

    /// A family name; Brazilians mostly have two.
    pub fn family(&self, culture: Culture, rng: &mut Rng) -> String {
        let one = self.list(culture).2.pick(rng);
        if culture != Culture::Brazilian || rng.u8(..10) < 3 {
            return one.to_owned();
        }
        self.doubled(one, culture, rng)
    }

    /// A family name of two, which keeps people apart where the list is short.
    pub fn doubled(&self, first: &str, culture: Culture, rng: &mut Rng) -> String {
        let second = self.list(culture).2.pick(rng);
        let joint = match culture {
            Culture::Brazilian => " ",
            Culture::Japanese | Culture::Chinese => "",
            _ => "-",
        };
        if first == second || first.contains(['-', ' ']) {
            return first.to_owned();
        }
        format!("{first}{joint}{second}")
    }
}

/// Short forms by which people are known at work.
const NICKNAMES: [(&str, &str); 40] = [
    ("Michael", "Mike"),
    ("James", "Jim"),
    ("Robert", "Bob"),
    ("William", "Bill"),
    ("Richard", "Rick"),
    ("Thomas", "Tom"),
    ("Joseph", "Joe"),
    ("Daniel", "Dan"),
    ("Christopher", "Chris"),
    ("Matthew", "Matt"),
    ("Anthony", "Tony"),
    ("Steven", "Steve"),
    ("Andrew", "Andy"),
    ("Kenneth", "Ken"),
    ("Timothy", "Tim"),
    ("Edward", "Ed"),
    ("Ronald", "Ron"),
    ("Gregory", "Greg"),
    ("Benjamin", "Ben"),
    ("Samuel", "Sam"),
    ("Nicholas", "Nick"),
    ("Jonathan", "Jon"),
    ("Alexander", "Alex"),
    ("Patricia", "Pat"),
    ("Jennifer", "Jen"),
    ("Elizabeth", "Liz"),
    ("Susan", "Sue"),
    ("Margaret", "Maggie"),
    ("Deborah", "Debbie"),
    ("Rebecca", "Becky"),
    ("Kathleen", "Kathy"),
    ("Katherine", "Kate"),
    ("Pamela", "Pam"),
    ("Victoria", "Vicky"),
    ("Jessica", "Jess"),
    ("Johanna", "Hanna"),
    ("Alessandro", "Ale"),
    ("Leonardo", "Leo"),
    ("Maximilien", "Max"),
    ("Frédéric", "Fred"),
];

pub fn nickname(given: &str) -> Option<&'static str> {
    NICKNAMES
        .iter()
        .find(|(long, _)| *long == given)
        .map(|(_, short)| *short)
}

/// A given name that has a short form.
pub fn shortened(rng: &mut Rng) -> &'static str {
    NICKNAMES[rng.usize(..35)].0
}

/// A given name of fathers and sons.
pub fn paternal(rng: &mut Rng) -> &'static str {
    NICKNAMES[rng.usize(..23)].0
}

/// The letters and digits of a name as an account has them: ASCII where the script allows it.
pub fn slug(text: &str, culture: Culture) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in text
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|letter| letter.is_alphanumeric())
    {
        match (letter, culture) {
            ('ä', Culture::German) => slug.push_str("ae"),
            ('ö', Culture::German) => slug.push_str("oe"),
            ('ü', Culture::German) => slug.push_str("ue"),
            ('ß', _) => slug.push_str("ss"),
            ('œ', _) => slug.push_str("oe"),
            ('æ', _) => slug.push_str("ae"),
            _ => slug.push(unmarked(letter)),
        }
    }
    slug
}

fn unmarked(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ğ' => 'g',
        'ì' | 'í' | 'î' | 'ï' | 'ı' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'š' | 'ş' => 's',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        'ž' => 'z',
        other => other,
    }
}

/// A name without diacritics, as directories write it that were once ASCII only.
pub fn plain(text: &str, culture: Culture) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        let slug = slug(&letter.to_string(), culture);
        match slug.chars().next() {
            Some(first) if !letter.is_ascii() && letter.is_uppercase() => {
                plain.push(first.to_ascii_uppercase());
                plain.push_str(&slug[first.len_utf8()..]);
            }
            Some(_) if !letter.is_ascii() => plain.push_str(&slug),
            _ => plain.push(letter),
        }
    }
    plain
}

/// The words of a name as a reader compares them: without case, marks, order, initials, remarks and
/// short forms. Names without blanks in their own script are taken letter by letter.
pub fn words(name: &str) -> Vec<String> {
    let name = name.split([')', '(']).next().unwrap_or_default();
    let name = name.split(" - ").next().unwrap_or_default();
    if name
        .chars()
        .any(|letter| ('\u{3040}'..='\u{9fff}').contains(&letter))
    {
        let mut letters: Vec<String> = name
            .chars()
            .filter(|letter| letter.is_alphabetic())
            .map(String::from)
            .collect();
        letters.sort_unstable();
        return letters;
    }
    let mut words: Vec<String> = name
        .split(|letter: char| {
            !letter.is_alphanumeric() && !('\u{300}'..='\u{36f}').contains(&letter) && letter != '\''
        })
        .map(word)
        .filter(|word| word.len() > 1 && !matches!(word.as_str(), "jr" | "sr" | "dr" | "jun" | "sen"))
        .collect();
    words.sort_unstable();
    words
}

/// One word of a name, with the long form for a short one.
pub fn word(text: &str) -> String {
    let short = NICKNAMES
        .iter()
        .find(|(_, short)| short.eq_ignore_ascii_case(text));
    let word = slug(short.map_or(text, |(long, _)| long), Culture::English);
    word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
}
