//! Names of people of thirty cultures, and the ways in which two systems write them.

use std::{collections::BTreeMap, sync::LazyLock};

use fastrand::Rng;

/// How a full name is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Plain,
    /// A second given name, which some go by.
    TwoGiven,
    /// Given, patronymic, family.
    Patronymic,
    /// The father's and then the mother's surname.
    Spanish,
    /// The mother's and then the father's surname.
    Portuguese,
    /// Given, father, grandfather, family.
    Arabic,
    /// Some have one name and no more.
    OneWord,
    /// Family, a middle name that tells the sex, given.
    Vietnamese,
    /// A surname as middle name.
    Danish,
}

pub struct Culture {
    pub code: &'static str,
    pub country: &'static str,
    pub city: &'static str,
    /// Written in another script than Latin.
    pub script: bool,
    pub family_first: bool,
    pub shape: Shape,
    /// How much the common surnames prevail: 1 is not at all.
    pub skew: f64,
}

const fn culture(
    [code, country, city]: [&'static str; 3],
    script: bool,
    family_first: bool,
    shape: Shape,
    skew: f64,
) -> Culture {
    Culture {
        code,
        country,
        city,
        script,
        family_first,
        shape,
        skew,
    }
}

pub const CULTURES: &[Culture] = &[
    culture(["en", "us", "Chicago"], false, false, Shape::TwoGiven, 1.6),
    culture(["hu", "hu", "Budapest"], false, true, Shape::Plain, 1.7),
    culture(["ro", "ro", "Cluj"], false, false, Shape::TwoGiven, 1.5),
    culture(["hr", "hr", "Zagreb"], false, false, Shape::Plain, 1.4),
    culture(["rs", "rs", "Beograd"], false, false, Shape::Plain, 1.6),
    culture(["lv", "lv", "Riga"], false, false, Shape::Plain, 1.2),
    culture(["el", "gr", "Athens"], true, false, Shape::Plain, 1.3),
    culture(["uk", "ua", "Kyiv"], true, false, Shape::Patronymic, 1.5),
    culture(["ka", "ge", "Tbilisi"], true, false, Shape::Plain, 1.3),
    culture(["hy", "am", "Yerevan"], true, false, Shape::Plain, 1.3),
    culture(["he", "il", "Haifa"], true, false, Shape::Plain, 1.5),
    culture(["fa", "ae", "Dubai"], true, false, Shape::Plain, 1.4),
    culture(["ar", "eg", "Cairo"], true, false, Shape::Arabic, 1.2),
    culture(["id", "id", "Jakarta"], false, false, Shape::OneWord, 1.3),
    culture(["vi", "vn", "Hanoi"], false, true, Shape::Vietnamese, 2.6),
    culture(["th", "th", "Bangkok"], true, false, Shape::Plain, 1.0),
    culture(["ja", "jp", "Osaka"], true, true, Shape::Plain, 1.5),
    culture(["zh", "cn", "Suzhou"], true, true, Shape::Plain, 2.0),
    culture(["ko", "kr", "Seoul"], true, true, Shape::Plain, 2.6),
    culture(["mx", "mx", "Monterrey"], false, false, Shape::Spanish, 1.7),
    culture(["br", "br", "Campinas"], false, false, Shape::Portuguese, 1.9),
    culture(["za", "za", "Pretoria"], false, false, Shape::TwoGiven, 1.4),
    culture(["sn", "sn", "Dakar"], false, false, Shape::Plain, 1.8),
    culture(["ng", "ng", "Lagos"], false, false, Shape::TwoGiven, 1.2),
    culture(["da", "dk", "Aarhus"], false, false, Shape::Danish, 1.9),
    culture(["nb", "no", "Bergen"], false, false, Shape::TwoGiven, 1.5),
    culture(["tr", "tr", "Izmir"], false, false, Shape::Plain, 1.6),
    culture(["fi", "fi", "Tampere"], false, false, Shape::TwoGiven, 1.1),
    culture(["ne", "np", "Kathmandu"], false, false, Shape::Plain, 1.4),
    culture(["is", "is", "Reykjavik"], false, false, Shape::Plain, 1.3),
];

/// The entries of `names.txt`, by `culture list`.
static LISTS: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut lists = BTreeMap::<_, Vec<_>>::new();
    let mut title = "";
    for line in include_str!("names.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(next) => title = next,
            None => lists.entry(title).or_default().extend(line.split(';')),
        }
    }
    lists
});

fn list(culture: &Culture, kind: &str) -> &'static [&'static str] {
    LISTS
        .get(format!("{} {kind}", culture.code).as_str())
        .map_or(&[], Vec::as_slice)
}

/// An entry, the first ones more often than the last ones if `skew` is more than 1.
fn draw(rng: &mut Rng, entries: &'static [&'static str], skew: f64) -> &'static str {
    let place = (rng.f64().powf(skew) * entries.len() as f64) as usize;
    entries.get(place).copied().unwrap_or_default()
}

/// One part of a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// In the bearer's script, if that is not Latin.
    native: Option<String>,
    /// In Latin letters, the official spelling first.
    latin: Vec<String>,
}

impl Word {
    fn parse(entry: &str, script: bool) -> Self {
        let mut forms = entry.split('|').map(str::to_owned);
        let native = if script { forms.next() } else { None };
        let latin = forms.collect();
        Self { native, latin }
    }

    fn latin(text: &str) -> Self {
        Self::parse(text, false)
    }

    fn write(&self, native: bool, variant: usize) -> &str {
        match &self.native {
            Some(text) if native => text,
            _ => {
                let last = self.latin.len().saturating_sub(1);
                self.latin.get(variant.min(last)).map_or("", String::as_str)
            }
        }
    }

    /// This and another word as one, in each spelling.
    fn join(&self, sign: &str, other: &Self) -> Self {
        let both = |one: &str, two: &str| format!("{one}{sign}{two}");
        let count = self.latin.len().max(other.latin.len());
        Self {
            native: self.native.as_ref().map(|text| both(text, other.write(true, 0))),
            latin: (0..count)
                .map(|i| both(self.write(false, i), other.write(false, i)))
                .collect(),
        }
    }
}

#[derive(Clone)]
pub struct Name {
    pub culture: &'static Culture,
    pub male: bool,
    pub given: Word,
    pub middle: Option<Word>,
    pub family: Option<Word>,
    /// The other surname; in Arabic names the father's given name.
    pub second: Option<Word>,
    pub nick: Option<String>,
    /// Jr. and the like, as it is said there.
    pub suffix: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Given {
    Full,
    /// One of two given names: the first, in Vietnamese the last.
    Short,
    Initial,
    Nick,
    /// The middle name instead.
    Middle,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Surnames {
    Main,
    Other,
    Both,
    None,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Middle {
    None,
    Initial,
    Full,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Order {
    GivenFirst,
    FamilyFirst,
    Comma,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Letters {
    Written,
    /// ö as o.
    Folded,
    /// ö as oe.
    Expanded,
}

/// How a system, or whoever types into it, writes names.
#[derive(Clone, Copy)]
pub struct Writing {
    pub native: bool,
    pub variants: [usize; 2],
    pub given: Given,
    pub middle: Middle,
    pub surnames: Surnames,
    pub order: Order,
    pub letters: Letters,
    pub suffix: bool,
    pub shouted: bool,
}

pub const PLAIN: Writing = Writing {
    native: false,
    variants: [0, 0],
    given: Given::Full,
    middle: Middle::None,
    surnames: Surnames::Main,
    order: Order::GivenFirst,
    letters: Letters::Written,
    suffix: false,
    shouted: false,
};

impl Name {
    pub fn draw(rng: &mut Rng, culture: &'static Culture) -> Self {
        let male = rng.bool();
        let given = draw_given(rng, culture, male);
        let mut name = Self {
            culture,
            male,
            given,
            middle: None,
            family: Some(draw_family(rng, culture, male)),
            second: None,
            nick: None,
            suffix: "",
        };
        match culture.shape {
            Shape::Plain => {}
            Shape::TwoGiven if rng.f64() < 0.4 => name.middle = Some(draw_given(rng, culture, male)),
            Shape::TwoGiven => {}
            Shape::Patronymic => {
                let entries = list(culture, if male { "pm" } else { "pf" });
                name.middle = Some(Word::parse(draw(rng, entries, 1.5), true));
            }
            Shape::Spanish => name.second = Some(draw_family(rng, culture, male)),
            Shape::Portuguese if rng.f64() < 0.6 => name.second = Some(draw_family(rng, culture, male)),
            Shape::Portuguese => {}
            Shape::Arabic => name.second = Some(draw_given(rng, culture, true)),
            Shape::OneWord if rng.f64() < 0.15 => name.family = None,
            Shape::OneWord => {}
            Shape::Vietnamese if rng.f64() < 0.6 => {
                name.middle = Some(Word::latin(if male { "Văn" } else { "Thị" }));
            }
            Shape::Vietnamese => {}
            Shape::Danish if rng.f64() < 0.5 => {
                name.middle = Some(Word::latin(draw(rng, list(culture, "p"), 1.0)));
            }
            Shape::Danish => {}
        }
        if matches!(culture.code, "en" | "hu" | "hr" | "za" | "nb") && rng.f64() < 0.03 {
            name.hyphenate(rng);
        }
        let official = name.given.write(false, 0);
        let sex = if male { "m" } else { "f" };
        let nicks: Vec<_> = list(culture, "n")
            .iter()
            .filter_map(|entry| match entry.split_once('=') {
                Some((given, nick)) => (given == official || given == sex).then_some(nick),
                None => Some(*entry),
            })
            .collect();
        name.nick = rng.choice(nicks).map(str::to_owned);
        name
    }

    /// Somebody of the same family: the same surnames, another given name that begins alike if there is one.
    pub fn sibling(&self, rng: &mut Rng) -> Self {
        let mut twin = Self::draw(rng, self.culture);
        let initial = self.initial();
        for _ in 0..30 {
            if twin.given != self.given && twin.male == self.male && twin.initial() == initial {
                break;
            }
            twin = Self::draw(rng, self.culture);
        }
        if twin.male == self.male {
            twin.family.clone_from(&self.family);
        } else {
            twin.family = self
                .family
                .as_ref()
                .map(|_| draw_family(rng, self.culture, twin.male));
        }
        twin.second.clone_from(&self.second);
        twin
    }

    fn initial(&self) -> Option<char> {
        self.given.write(false, 0).chars().next()
    }

    /// Changes the surname to a spouse's.
    pub fn marry(&mut self, rng: &mut Rng) {
        let old = self.family.clone();
        for _ in 0..9 {
            self.family = Some(draw_family(rng, self.culture, self.male));
            if self.family != old {
                break;
            }
        }
    }

    pub fn hyphenate(&mut self, rng: &mut Rng) {
        let other = draw_family(rng, self.culture, self.male);
        self.family = self.family.as_ref().map(|word| word.join("-", &other));
    }

    pub fn spellings(&self) -> [usize; 2] {
        let count = |word: &Word| word.latin.len();
        [count(&self.given), self.family.as_ref().map_or(1, count)]
    }

    pub fn has_script(&self) -> bool {
        self.given.native.is_some()
    }

    pub fn given_text(&self, how: &Writing) -> String {
        let native = how.native && self.has_script();
        let full = self.given.write(native, how.variants[0]);
        let text = match (how.given, &self.nick, &self.middle) {
            (Given::Nick, Some(nick), _) => nick.clone(),
            (Given::Middle, _, Some(middle)) => middle.write(native, how.variants[0]).to_owned(),
            (Given::Initial, ..) => full.chars().take(1).collect(),
            (Given::Short, ..) if self.culture.shape == Shape::Vietnamese => last_word(full).to_owned(),
            (Given::Short, ..) => first_word(full).to_owned(),
            _ => full.to_owned(),
        };
        respell(&text, how)
    }

    pub fn family_text(&self, how: &Writing) -> String {
        let native = how.native && self.has_script();
        let write = |word: &Option<Word>| {
            let word = word.as_ref();
            word.map(|word| word.write(native, how.variants[1]).to_owned())
                .unwrap_or_default()
        };
        let (main, second) = (write(&self.family), write(&self.second));
        let text = match how.surnames {
            Surnames::None => String::new(),
            Surnames::Other if !second.is_empty() => second,
            Surnames::Both if !second.is_empty() => match self.culture.shape {
                Shape::Spanish => format!("{main} {second}"),
                _ => format!("{second} {main}"),
            },
            _ => main,
        };
        let text = respell(&text, how);
        if how.shouted { text.to_uppercase() } else { text }
    }

    pub fn middle_text(&self, how: &Writing) -> String {
        let native = how.native && self.has_script();
        let full = self
            .middle
            .as_ref()
            .map_or("", |word| word.write(native, how.variants[0]));
        match how.middle {
            Middle::None => String::new(),
            Middle::Full => respell(full, how),
            Middle::Initial => respell(full, how)
                .chars()
                .take(1)
                .chain(".".chars())
                .filter(|_| !full.is_empty())
                .collect(),
        }
    }

    pub fn write(&self, how: &Writing) -> String {
        let [given, middle, family] = [self.given_text(how), self.middle_text(how), self.family_text(how)];
        let parts = match how.order {
            _ if how.native && self.has_script() && self.culture.family_first => {
                let blank = if self.culture.code == "ja" { " " } else { "" };
                return format!("{family}{blank}{given}");
            }
            Order::GivenFirst => [given, middle, family],
            Order::FamilyFirst if self.culture.shape == Shape::Vietnamese => [family, middle, given],
            Order::FamilyFirst => [family, given, middle],
            Order::Comma if family.is_empty() => [given, middle, family],
            Order::Comma => [format!("{family},"), given, middle],
        };
        let text = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        match self.suffix {
            before @ ("ifj." | "id.") if how.suffix => format!("{before} {text}"),
            after if how.suffix && !after.is_empty() => format!("{text} {after}"),
            _ => text,
        }
    }

    /// The same for two people who are called the same.
    pub fn key(&self) -> String {
        let how = Writing {
            letters: Letters::Folded,
            ..PLAIN
        };
        format!("{} {}", self.given_text(&how), self.family_text(&how)).to_lowercase()
    }

    /// How the older and the younger bearer of one name are told apart there.
    pub fn generations(&self) -> [&'static str; 2] {
        match (self.culture.code, self.male) {
            (_, false) => ["", ""],
            ("hu", _) => ["id.", "ifj."],
            ("br", _) => ["", "Filho"],
            ("za", _) => ["Snr", "Jnr"],
            ("da" | "nb" | "hr" | "rs", _) => ["sen.", "jun."],
            _ => ["Sr.", "Jr."],
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

fn last_word(text: &str) -> &str {
    text.rsplit(' ').next().unwrap_or(text)
}

fn draw_given(rng: &mut Rng, culture: &'static Culture, male: bool) -> Word {
    let entry = draw(rng, list(culture, if male { "m" } else { "f" }), 1.4);
    Word::parse(entry, culture.script)
}

fn draw_family(rng: &mut Rng, culture: &'static Culture, male: bool) -> Word {
    let own = list(culture, "sf");
    let entries = if male || own.is_empty() {
        list(culture, "s")
    } else {
        own
    };
    let entry = draw(rng, entries, culture.skew);
    let entry = match entry.split_once('/') {
        Some((his, hers)) => {
            if male {
                his
            } else {
                hers
            }
        }
        None => entry,
    };
    Word::parse(entry, culture.script)
}

fn respell(text: &str, how: &Writing) -> String {
    match how.letters {
        Letters::Written => text.to_owned(),
        Letters::Folded => ascii(text, false),
        Letters::Expanded => ascii(text, true),
    }
}

/// Letters that some write as two.
const EXPANDED: &[(char, &str)] = &[
    ('ä', "ae"),
    ('ö', "oe"),
    ('ü', "ue"),
    ('ø', "oe"),
    ('å', "aa"),
    ('đ', "dj"),
    ('ő', "oe"),
    ('ű', "ue"),
];

const FOLDED: &[(&str, &str)] = &[
    ("àáâãäåāăạảấầẩẫậắằẳẵặ", "a"),
    ("æ", "ae"),
    ("çćčĉ", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęěẹẻẽếềểễệə", "e"),
    ("ğģĝ", "g"),
    ("ìíîïĩīįıỉị", "i"),
    ("ķ", "k"),
    ("ļľł", "l"),
    ("ñńņň", "n"),
    ("òóôõöøōőọỏốồổỗộơớờởỡợ", "o"),
    ("ŕŗř", "r"),
    ("śşšș", "s"),
    ("ţťț", "t"),
    ("þ", "th"),
    ("ùúûüũūůűųụủưứừửữự", "u"),
    ("ýÿỳỵỷỹ", "y"),
    ("źżž", "z"),
    ("ß", "ss"),
];

/// Latin letters without their marks; what is in another script stays.
pub fn ascii(text: &str, expand: bool) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            folded.push(letter);
            continue;
        }
        let small = letter.to_lowercase().next().unwrap_or(letter);
        let two = EXPANDED
            .iter()
            .find(|(from, _)| expand && *from == small)
            .map(|(_, to)| *to);
        let plain = || {
            FOLDED
                .iter()
                .find(|(from, _)| from.contains(small))
                .map(|(_, to)| *to)
        };
        match two.or_else(plain) {
            Some(to) if small != letter => {
                folded.extend(to[..1].to_uppercase().chars().chain(to[1..].chars()))
            }
            Some(to) => folded.push_str(to),
            None if small.is_ascii() => folded.push_str(&small.to_uppercase().to_string()),
            None => folded.push(letter),
        }
    }
    folded
}
