//! People's names in fifteen cultures, drawn as often as they are given.
//!
//! Each culture has lists in `names/*.txt`, the most frequent first. Weights follow Zipf and Mandelbrot, so that
//! namesakes turn up at natural rates; rare family names come from a tail of compounds, without which the lists would
//! make too many of them. An item of a list is `Spelling|Other_spelling:Nickname=NativeScript`.

use std::sync::LazyLock;

use fastrand::Rng;

use super::{
    chance::{chance, one_of, pick},
    writing::{Romanisation, romanise},
};

/// A human's name at a time of their life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Name {
    /// All given names, as in the passport.
    pub given: String,
    /// All family names, as in the passport. Empty for people with a single name.
    pub family: String,
    /// The family name that colleagues use: one of two Spanish ones, for example.
    pub short_family: String,
    pub middle: Option<String>,
    /// The name that colleagues use in place of the given name, where it is another one.
    pub known_as: Option<String>,
    /// How others spell the given and the family name.
    pub other_given: Vec<String>,
    pub other_family: Vec<String>,
    /// Given and family name in the script that the family writes at home.
    pub native: Option<[String; 2]>,
    pub suffix: Option<&'static str>,
    pub doctor: bool,
    pub is_woman: bool,
    pub culture: Custom,
}

impl Name {
    /// The first given name: "Juan" of "Juan Carlos". Compounds with a hyphen are one name.
    pub fn first(&self) -> &str {
        let is_compound = matches!(self.culture, Custom::Vietnamese | Custom::Chinese);
        match self.given.split_once(' ') {
            Some((first, _)) if !is_compound => first,
            _ => &self.given,
        }
    }

    /// What colleagues say.
    pub fn called(&self) -> &str {
        self.known_as.as_deref().unwrap_or_else(|| self.first())
    }

    pub fn is_family_first(&self) -> bool {
        matches!(
            self.culture,
            Custom::Chinese | Custom::Vietnamese | Custom::Japanese
        )
    }
}

/// How a culture forms names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Custom {
    #[default]
    English,
    German,
    French,
    Spanish,
    Portuguese,
    Dutch,
    Polish,
    Russian,
    Indian,
    Arabic,
    Chinese,
    Vietnamese,
    Japanese,
    Turkish,
    Indonesian,
}

impl Custom {
    pub const ALL: [Self; 15] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Portuguese,
        Self::Dutch,
        Self::Polish,
        Self::Russian,
        Self::Indian,
        Self::Arabic,
        Self::Chinese,
        Self::Vietnamese,
        Self::Japanese,
        Self::Turkish,
        Self::Indonesian,
    ];

    /// The lists, how flat the given and the family names start, and the share of family names from the tail.
    fn lists(self) -> (&'static str, f64, f64, f64) {
        match self {
            Self::English => (include_str!("names/english.txt"), 15.0, 15.0, 0.55),
            Self::German => (include_str!("names/german.txt"), 15.0, 12.0, 0.5),
            Self::French => (include_str!("names/french.txt"), 15.0, 25.0, 0.45),
            Self::Spanish => (include_str!("names/spanish.txt"), 5.0, 8.0, 0.0),
            Self::Portuguese => (include_str!("names/portuguese.txt"), 5.0, 4.0, 0.0),
            Self::Dutch => (include_str!("names/dutch.txt"), 18.0, 20.0, 0.45),
            Self::Polish => (include_str!("names/polish.txt"), 8.0, 30.0, 0.5),
            Self::Russian => (include_str!("names/russian.txt"), 4.0, 25.0, 0.35),
            Self::Indian => (include_str!("names/indian.txt"), 25.0, 6.0, 0.0),
            Self::Arabic => (include_str!("names/arabic.txt"), 2.0, 9.0, 0.0),
            Self::Chinese => (include_str!("names/chinese.txt"), 10.0, 3.0, 0.0),
            Self::Vietnamese => (include_str!("names/vietnamese.txt"), 10.0, 0.3, 0.0),
            Self::Japanese => (include_str!("names/japanese.txt"), 15.0, 12.0, 0.0),
            Self::Turkish => (include_str!("names/turkish.txt"), 5.0, 12.0, 0.0),
            Self::Indonesian => (include_str!("names/indonesian.txt"), 10.0, 8.0, 0.0),
        }
    }

    fn culture(self) -> &'static Culture {
        static CULTURES: LazyLock<Vec<Culture>> =
            LazyLock::new(|| Custom::ALL.map(Culture::read).into_iter().collect());
        &CULTURES[self as usize]
    }

    /// Whether a partner's name is taken often enough to matter.
    pub fn marries_into_names(self) -> bool {
        !matches!(
            self,
            Self::Spanish | Self::Arabic | Self::Chinese | Self::Vietnamese | Self::Indonesian
        )
    }
}

#[derive(Debug, Default)]
struct Item {
    spellings: Vec<String>,
    nicknames: Vec<String>,
    native: Option<String>,
}

#[derive(Debug, Default)]
struct List {
    items: Vec<Item>,
    /// Sums of the weights, for a search by halves.
    sums: Vec<f64>,
}

impl List {
    fn draw(&self, rng: &mut Rng) -> &Item {
        let drawn = rng.f64() * self.sums.last().copied().unwrap_or(1.0);
        let index = self.sums.partition_point(|&sum| sum < drawn);
        &self.items[index.min(self.items.len() - 1)]
    }
}

#[derive(Debug)]
struct Culture {
    men: List,
    women: List,
    family: List,
    heads: List,
    ends: List,
    tail: f64,
}

impl Culture {
    fn read(custom: Custom) -> Self {
        let (text, given, family, tail) = custom.lists();
        // Vietnamese family names are steeper than any other: two in five people are called Nguyễn.
        let steep = if custom == Custom::Vietnamese { 1.5 } else { 1.0 };
        let list = |section: &str, start: f64, steep: f64| {
            let mut list = List::default();
            let mut sum = 0.0;
            for word in words_of(text, section) {
                let item = read_item(word);
                if list
                    .items
                    .iter()
                    .any(|known: &Item| known.spellings == item.spellings && known.native == item.native)
                {
                    continue;
                }
                sum += (list.items.len() as f64 + 1.0 + start).powf(-steep);
                list.items.push(item);
                list.sums.push(sum);
            }
            list
        };
        Self {
            men: list("[m]", given, 1.0),
            women: list("[f]", given, 1.0),
            family: list("[family]", family, steep),
            heads: list("[heads]", 40.0, 1.0),
            ends: list("[ends]", 40.0, 1.0),
            tail,
        }
    }
}

fn words_of<'a>(text: &'a str, section: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .skip_while(move |line| *line != section)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .flat_map(str::split_whitespace)
}

fn read_item(word: &str) -> Item {
    let (word, native) = match word.split_once('=') {
        Some((word, native)) => (word, Some(native.to_owned())),
        None => (word, None),
    };
    let mut parts = word.split(':');
    let spaced = |text: &str| text.replace('_', " ");
    Item {
        spellings: parts.next().unwrap_or_default().split('|').map(spaced).collect(),
        nicknames: parts.map(spaced).collect(),
        native,
    }
}

/// A spelling, the first most often, and the others.
fn spelling(rng: &mut Rng, item: &Item) -> (String, Vec<String>) {
    let chosen = if chance(rng, 0.7) {
        0
    } else {
        rng.usize(..item.spellings.len())
    };
    let mut others = item.spellings.clone();
    let own = others.swap_remove(chosen);
    others.retain(|other| *other != own);
    (own, others)
}

/// A family name with the form that the sex asks for.
#[derive(Default)]
struct Family {
    own: String,
    others: Vec<String>,
    native: Option<String>,
}

fn family(rng: &mut Rng, custom: Custom, is_woman: bool, style: Romanisation) -> Family {
    let culture = custom.culture();
    let mut family = if chance(rng, culture.tail) {
        let head = &culture.heads.draw(rng).spellings[0];
        let end = &culture.ends.draw(rng).spellings[0];
        // "Ober" and "rieder" share a letter.
        let end = if head.ends_with(&end[..end.chars().next().map_or(0, char::len_utf8)]) && end.len() > 4 {
            &end[end.chars().next().map_or(0, char::len_utf8)..]
        } else {
            end
        };
        Family {
            own: format!("{head}{end}"),
            ..Family::default()
        }
    } else {
        let item = culture.family.draw(rng);
        let (own, others) = spelling(rng, item);
        Family {
            own,
            others,
            native: item.native.clone(),
        }
    };
    if is_woman {
        family.own = of_a_woman(custom, &family.own);
    }
    if custom == Custom::Russian {
        family.native = Some(family.own.clone());
        family.others = Romanisation::ALL
            .iter()
            .map(|&other| romanise(&family.own, other))
            .collect();
        family.own = romanise(&family.own, style);
        family.others.retain(|other| *other != family.own);
    }
    family
}

fn of_a_woman(custom: Custom, family: &str) -> String {
    let ends: &[(&str, &str)] = match custom {
        Custom::Polish => &[("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")],
        Custom::Russian => &[
            ("ов", "ова"),
            ("ев", "ева"),
            ("ёв", "ёва"),
            ("ин", "ина"),
            ("ский", "ская"),
        ],
        _ => &[],
    };
    for (man, woman) in ends {
        if let Some(stem) = family.strip_suffix(man) {
            return format!("{stem}{woman}");
        }
    }
    family.to_owned()
}

/// A newborn's name.
pub fn born(rng: &mut Rng, custom: Custom) -> Name {
    let culture = custom.culture();
    let is_woman = rng.bool();
    let list = if is_woman { &culture.women } else { &culture.men };
    let style = one_of(
        rng,
        &[
            (Romanisation::Passport, 0.55),
            (Romanisation::English, 0.4),
            (Romanisation::German, 0.05),
        ],
    );
    let surname = family(rng, custom, is_woman, style);
    let item = list.draw(rng);
    let (given, other_given) = spelling(rng, item);
    let mut name = Name {
        known_as: (chance(rng, 0.4) && !item.nicknames.is_empty())
            .then(|| pick(rng, &item.nicknames).clone()),
        given,
        other_given,
        short_family: surname.own.clone(),
        family: surname.own,
        other_family: surname.others,
        native: item
            .native
            .clone()
            .zip(surname.native.clone())
            .map(|(given, family)| [given, family]),
        doctor: chance(rng, 0.01),
        is_woman,
        culture: custom,
        ..Name::default()
    };
    match custom {
        Custom::English => {
            name.middle = chance(rng, 0.7).then(|| list.draw(rng).spellings[0].clone());
            name.suffix = (!is_woman && chance(rng, 0.015)).then(|| *pick(rng, &["Jr.", "III", "II", "Sr."]));
        }
        Custom::German | Custom::French | Custom::Dutch | Custom::Polish => {
            name.middle = chance(rng, 0.3).then(|| list.draw(rng).spellings[0].clone());
        }
        Custom::Spanish => {
            let mother = family(rng, custom, false, style).own;
            name.family = format!("{} {mother}", name.short_family);
            if !name.given.contains(' ') && chance(rng, 0.3) {
                name.given = format!("{} {}", name.given, list.draw(rng).spellings[0]);
            }
        }
        Custom::Portuguese => {
            // The mother's name comes first, and the last one is used.
            if chance(rng, 0.7) {
                let mother = family(rng, custom, false, style).own;
                name.family = format!("{mother} {}", name.short_family);
            }
        }
        Custom::Russian => {
            let native = name.given.clone();
            name.given = romanise(&native, style);
            name.other_given = Romanisation::ALL
                .iter()
                .map(|&other| romanise(&native, other))
                .collect();
            name.other_given.retain(|other| *other != name.given);
            name.known_as = name.known_as.map(|nickname| romanise(&nickname, style));
            name.native = Some([native, surname.native.unwrap_or_default()]);
        }
        Custom::Indian => indian(rng, &mut name),
        Custom::Arabic => {
            // The father's name stands between one's own and the family's.
            name.middle = Some(culture.men.draw(rng).spellings[0].clone());
        }
        Custom::Chinese => chinese(rng, &mut name, list, surname.native),
        Custom::Vietnamese => {
            let middle = culture.heads.draw(rng).spellings[0].clone();
            let usual = if is_woman { "Thị" } else { "Văn" };
            name.middle = Some(if chance(rng, 0.35) {
                usual.to_owned()
            } else {
                middle
            });
        }
        Custom::Indonesian => {
            if chance(rng, 0.3) {
                name.family.clear();
                name.short_family.clear();
            } else if chance(rng, 0.4) {
                name.given = format!("{} {}", name.given, list.draw(rng).spellings[0]);
            }
        }
        Custom::Japanese | Custom::Turkish => {}
    }
    name
}

/// Southern India: the father's given name or its initial in place of a family name.
fn indian(rng: &mut Rng, name: &mut Name) {
    let culture = Custom::Indian.culture();
    if !chance(rng, 0.3) {
        return;
    }
    let father = culture.men.draw(rng).spellings[0].clone();
    name.other_family.clear();
    name.family = match rng.usize(..10) {
        0..4 => father,
        4..8 => father.chars().take(1).collect(),
        _ => String::new(),
    };
    name.short_family.clone_from(&name.family);
}

/// Two characters more often than one, and for many a western name that the office uses.
fn chinese(rng: &mut Rng, name: &mut Name, western: &List, family: Option<String>) {
    let culture = Custom::Chinese.culture();
    let second = culture.ends.draw(rng);
    let (mut given, mut native) = (
        second.spellings[0].clone(),
        second.native.clone().unwrap_or_default(),
    );
    name.other_given.clear();
    if chance(rng, 0.7) {
        let first = culture.heads.draw(rng);
        let (one, two) = (first.spellings[0].clone(), given.to_lowercase());
        name.other_given = vec![
            format!("{one} {given}"),
            format!("{one}-{given}"),
            format!("{one}-{two}"),
        ];
        given = format!("{one}{two}");
        native.insert_str(0, first.native.as_deref().unwrap_or_default());
        if chance(rng, 0.2) {
            std::mem::swap(&mut given, &mut name.other_given[0]);
        }
    }
    name.given = given;
    name.native = Some([native, family.unwrap_or_default()]);
    name.known_as = chance(rng, 0.4).then(|| western.draw(rng).spellings[0].clone());
}

/// The name after a wedding, or None where this one changes nothing.
pub fn married(rng: &mut Rng, name: &Name) -> Option<Name> {
    // Men seldom change theirs.
    let keeps = !name.is_woman && chance(rng, 0.88);
    if keeps || !name.culture.marries_into_names() || name.family.is_empty() {
        return None;
    }
    let partner = born(rng, name.culture);
    let style = name.culture;
    let theirs = match style {
        Custom::Polish | Custom::Russian => partner.other_sex(name),
        _ => partner.short_family,
    };
    if theirs.is_empty() || theirs == name.short_family {
        return None;
    }
    let mut after = name.clone();
    after.other_family = vec![theirs.clone()];
    after.native = None;
    after.short_family = match rng.usize(..10) {
        0..6 => theirs,
        6..8 if style == Custom::Dutch => format!("{theirs}-{}", name.short_family),
        6..8 => format!("{}-{theirs}", name.short_family),
        _ => format!("{} {theirs}", name.short_family),
    };
    after.family.clone_from(&after.short_family);
    Some(after)
}

impl Name {
    /// This family name, in the sex of another person's name.
    fn other_sex(&self, of: &Self) -> String {
        let is_woman = of.is_woman;
        match (
            is_woman,
            self.short_family.strip_suffix("ska"),
            self.short_family.strip_suffix("ski"),
        ) {
            (true, None, Some(stem)) => format!("{stem}ska"),
            (false, Some(stem), _) => format!("{stem}ski"),
            _ => self.short_family.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_cultures_have_long_lists() {
        let sizes = |custom: Custom| {
            let culture = custom.culture();
            (
                culture.men.items.len() + culture.women.items.len(),
                culture.family.items.len(),
            )
        };
        let long = Custom::ALL.into_iter().filter(|&custom| {
            let (given, family) = sizes(custom);
            given >= 140 && family >= 195
        });
        assert!(long.count() >= 9, "{:?}", Custom::ALL.map(sizes));
        for custom in Custom::ALL {
            let (given, family) = sizes(custom);
            assert!(given >= 45 && family >= 39, "{custom:?}: {given} {family}");
        }
    }

    #[test]
    fn frequent_names_are_about_as_frequent_as_in_life() {
        let mut rng = Rng::with_seed(1);
        let mut share = |custom: Custom, family: &str| {
            let same = (0..20_000).filter(|_| born(&mut rng, custom).short_family == family);
            same.count() as f64 / 20_000.0
        };
        for (custom, family, low, high) in [
            (Custom::English, "Smith", 0.004, 0.02),
            (Custom::Vietnamese, "Nguyễn", 0.25, 0.5),
            (Custom::Chinese, "Wang", 0.03, 0.1),
            (Custom::Spanish, "García", 0.01, 0.05),
        ] {
            let share = share(custom, family);
            assert!((low..high).contains(&share), "{family}: {share}");
        }
    }

    #[test]
    fn families_have_their_form() {
        assert_eq!(of_a_woman(Custom::Polish, "Kowalski"), "Kowalska");
        assert_eq!(of_a_woman(Custom::Russian, "Иванов"), "Иванова");
        assert_eq!(of_a_woman(Custom::German, "Müller"), "Müller");
    }
}
