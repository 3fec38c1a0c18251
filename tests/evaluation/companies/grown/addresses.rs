//! Addresses and account names by a company's convention, unique as directories ask for.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;

use super::{
    chance::{chance, one_of},
    names::Name,
    writing::without_accents,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    FirstDotLast,
    FirstLast,
    FirstUnderscoreLast,
    InitialLast,
    InitialDotLast,
    First,
    FirstInitial,
    LastInitial,
    LastDotFirst,
    Last,
    Number,
}

/// What becomes of "van der Berg" and "García López".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blanks {
    Join,
    LastWord,
    Hyphen,
    Dot,
}

/// Addresses or accounts that somebody has.
#[derive(Debug, Default)]
pub struct Taken {
    all: HashSet<String>,
    /// The number after the last one given, by what it follows: a big company has hundreds of "nguyen".
    numbers: HashMap<String, usize>,
}

impl Taken {
    /// Whether nobody had it.
    pub fn insert(&mut self, address: String) -> bool {
        self.all.insert(address)
    }

    pub fn remove(&mut self, address: &str) {
        self.all.remove(address);
    }

    fn next_number(&self, address: &str) -> usize {
        self.numbers.get(address).copied().unwrap_or_default()
    }
}

/// The conventions of one company for one kind of name.
#[derive(Clone, Debug)]
pub struct Convention {
    pub scheme: Scheme,
    blanks: Blanks,
    umlauts: bool,
    /// Whether "Bob" may be asked for in place of "Robert".
    familiar: f64,
    max: usize,
}

impl Convention {
    pub fn of_emails(rng: &mut Rng, is_small: bool) -> Self {
        let scheme = if is_small && chance(rng, 0.5) {
            one_of(rng, &[(Scheme::First, 0.7), (Scheme::FirstInitial, 0.3)])
        } else {
            one_of(
                rng,
                &[
                    (Scheme::FirstDotLast, 0.55),
                    (Scheme::InitialLast, 0.16),
                    (Scheme::InitialDotLast, 0.09),
                    (Scheme::FirstLast, 0.05),
                    (Scheme::FirstInitial, 0.04),
                    (Scheme::FirstUnderscoreLast, 0.04),
                    (Scheme::LastDotFirst, 0.04),
                    (Scheme::Last, 0.03),
                ],
            )
        };
        Self::draw(rng, scheme, 64)
    }

    pub fn of_computers(rng: &mut Rng, is_small: bool) -> Self {
        let scheme = one_of(
            rng,
            &[
                (Scheme::InitialLast, 0.35),
                (Scheme::FirstDotLast, 0.3),
                (Scheme::LastInitial, 0.1),
                (Scheme::Number, 0.1),
                (Scheme::First, if is_small { 0.6 } else { 0.0 }),
                (Scheme::FirstLast, 0.1),
            ],
        );
        // The account name of Active Directory has at most 20 characters; older rules, from before dots, know 8.
        let is_old = !matches!(scheme, Scheme::FirstDotLast | Scheme::FirstLast) && chance(rng, 0.2);
        let max = if is_old { 8 } else { 20 };
        Self::draw(rng, scheme, max)
    }

    fn draw(rng: &mut Rng, scheme: Scheme, max: usize) -> Self {
        Self {
            scheme,
            blanks: one_of(
                rng,
                &[
                    (Blanks::Join, 0.6),
                    (Blanks::LastWord, 0.15),
                    (Blanks::Hyphen, 0.15),
                    (Blanks::Dot, 0.1),
                ],
            ),
            umlauts: chance(rng, 0.6),
            familiar: if chance(rng, 0.4) { 0.5 } else { 0.05 },
            max,
        }
    }

    /// A new name that is not among those `taken`, which it joins. `number` is the employee's.
    pub fn assign(
        &self,
        rng: &mut Rng,
        name: &Name,
        number: usize,
        domain: &str,
        taken: &mut Taken,
    ) -> String {
        let local = self.local(rng, name, number);
        let at = |local: &str| {
            if domain.is_empty() {
                local.to_owned()
            } else {
                format!("{local}@{domain}")
            }
        };
        let middle = name
            .middle
            .as_deref()
            .and_then(|middle| without_accents(middle, self.umlauts).chars().next());
        let with_middle = middle.and_then(|middle| {
            let (first, last) = local.split_once('.')?;
            middle
                .is_ascii_alphabetic()
                .then(|| format!("{first}.{}.{last}", middle.to_ascii_lowercase()))
        });
        let start = if rng.bool() { 1 } else { 2 };
        for candidate in std::iter::once(local.clone()).chain(with_middle) {
            let address = at(&candidate);
            if taken.insert(address.clone()) {
                return address;
            }
        }
        let mut number = taken.next_number(&at(&local)).max(start);
        loop {
            let digits = number.to_string();
            let kept: String = local
                .chars()
                .take(self.max.saturating_sub(digits.len()))
                .collect();
            let address = at(&format!("{kept}{digits}"));
            number += 1;
            if taken.insert(address.clone()) {
                taken.numbers.insert(at(&local), number);
                return address;
            }
        }
    }

    fn local(&self, rng: &mut Rng, name: &Name, number: usize) -> String {
        let given = if chance(rng, self.familiar) {
            name.called()
        } else {
            name.first()
        };
        let first = self.plain(given);
        let last = self.plain(&name.short_family);
        let initial = |word: &str| word.chars().take(1).collect::<String>();
        let text = match self.scheme {
            Scheme::Number => format!("u{number:05}"),
            _ if last.is_empty() => first,
            _ if first.is_empty() => last,
            Scheme::FirstDotLast => format!("{first}.{last}"),
            Scheme::FirstLast => format!("{first}{last}"),
            Scheme::FirstUnderscoreLast => format!("{first}_{last}"),
            Scheme::InitialLast => format!("{}{last}", initial(&first)),
            Scheme::InitialDotLast => format!("{}.{last}", initial(&first)),
            Scheme::First => first,
            Scheme::FirstInitial => format!("{first}{}", initial(&last)),
            Scheme::LastInitial => {
                let stem: String = last.chars().take(7).collect();
                format!("{stem}{}", initial(&first))
            }
            Scheme::LastDotFirst => format!("{last}.{first}"),
            Scheme::Last => last,
        };
        let cut: String = text.chars().take(self.max).collect();
        cut.trim_end_matches(['.', '-', '_']).to_owned()
    }

    /// Lower-case letters of an address. Names in other scripts have none.
    fn plain(&self, text: &str) -> String {
        let text = without_accents(text, self.umlauts).to_lowercase();
        let words: Vec<String> = text
            .split(' ')
            .map(|word| {
                word.chars()
                    .filter(|&letter| letter.is_ascii_alphanumeric() || letter == '-')
                    .collect::<String>()
            })
            .filter(|word| !word.is_empty())
            .collect();
        match self.blanks {
            Blanks::Join => words.concat().replace('-', ""),
            Blanks::LastWord => words.last().cloned().unwrap_or_default(),
            Blanks::Hyphen => words.join("-"),
            Blanks::Dot => words.join("."),
        }
    }
}
