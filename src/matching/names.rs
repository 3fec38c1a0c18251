//! Names as words: a person's two fields, an employee's one.

use std::num::NonZeroU8;

use smallvec::SmallVec;

use super::{
    folding::{fold, fold_expanded, fold_name, is_unread},
    lexicon::Lexicon,
    stopwords::{Generation, generation, is_remark, is_title},
};
use crate::model::OtherNames;

/// A person's name. The words are folded text, or the numbers that the
/// [`Lexicon`] has for it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PersonName<Word = u32> {
    pub(super) given: Vec<Word>,
    /// Middle names that stand in a field of their own.
    pub(super) middle: Vec<Word>,
    /// First names that the person goes by beside the given ones.
    pub(super) called: Vec<Word>,
    pub(super) family: Vec<Word>,
    /// The words of the given and of the family name without spaces.
    pub(super) joined: [String; 2],
    pub(super) generation: Option<Generation>,
    /// Taken from the address, because the record has no name.
    pub(super) from_address: bool,
}

/// An employee's name: words whose part is known only where a comma tells. Kept
/// small: those of all employees are looked at again and again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EmployeeName<Word = u32> {
    pub(super) words: SmallVec<[Word; 4]>,
    /// How many words stand before the comma of `Last, First`.
    before_comma: Option<NonZeroU8>,
    pub(super) generation: Option<Generation>,
    /// Taken from the address, because the name says less.
    pub(super) from_address: bool,
}

/// Folded words of a part of a name, without titles, remarks and generation.
fn words(text: &str, found: &mut Option<Generation>) -> Vec<String> {
    // An apostrophe joins (O'Brien), anything else parts.
    let mut folded = fold_name(text);
    folded.retain(|c| !matches!(c, '\'' | '`'));
    let all = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut kept: Vec<String> = Vec::new();
    for (at, word) in all.enumerate() {
        if at > 0
            && let Some(meant) = generation(word)
        {
            *found = Some(meant);
        } else if !is_title(word) && word.bytes().all(|b| b.is_ascii_alphabetic()) {
            kept.push(word.to_owned());
        }
    }
    kept
}

/// The words of a text that are written with a mark which stands for two letters:
/// with those, and without the mark (`joerg`, `jorg`).
pub(super) fn marked(text: &str) -> Vec<(String, String)> {
    if text.is_ascii() {
        return Vec::new();
    }
    let split = |text: String| -> Vec<String> {
        let text = text.replace(['\'', '`'], "");
        text.split(|c: char| !c.is_ascii_alphabetic())
            .map(str::to_owned)
            .collect()
    };
    let (with, without) = (split(fold_expanded(text)), split(fold(text)));
    with.into_iter()
        .zip(without)
        .filter(|(with, without)| with != without)
        .collect()
}

/// Drops an admin's remarks where two other words are left to be the name.
fn without_remarks(words: Vec<String>) -> Vec<String> {
    let others = words.iter().filter(|word| !is_remark(word)).count();
    if others < 2 {
        words
    } else {
        words.into_iter().filter(|word| !is_remark(word)).collect()
    }
}

fn number<Numbers: FromIterator<u32>>(lexicon: &mut Lexicon, words: &[String]) -> Numbers {
    words.iter().map(|word| lexicon.word(word)).collect()
}

impl PersonName {
    /// The first given name and all of the family name.
    pub(super) fn words(&self) -> Vec<u32> {
        self.given
            .first()
            .into_iter()
            .chain(&self.family)
            .copied()
            .collect()
    }
}

impl PersonName<String> {
    /// From Okta's two fields; from the address where both are missing.
    pub(super) fn parse(given: &str, family: &str, local: Option<&str>) -> Self {
        let mut generation = None;
        let mut given = words(given, &mut generation);
        // "Doe Jr." has its generation after the first word; "Jr." alone is a name.
        let mut family = words(family, &mut generation);
        let mut from_address = false;
        if given.is_empty()
            && family.is_empty()
            && let Some(spelt) = local.and_then(spelt_name)
        {
            from_address = true;
            family = spelt[spelt.len() - 1..].to_vec();
            given = spelt[..spelt.len() - 1].to_vec();
        }
        if family.is_empty() && given.len() > 1 {
            family.extend(given.pop());
        }
        Self {
            joined: [given.concat(), family.concat()],
            given,
            family,
            generation,
            from_address,
            ..Self::default()
        }
    }

    /// Adds what other fields say. Of the name that Okta shows only a single
    /// word beside the family name is a first name; more may be anything.
    pub(super) fn with(mut self, others: &OtherNames) -> Self {
        let mut generation = None;
        let mut parsed = |text: &Option<String>| words(text.as_deref().unwrap_or_default(), &mut generation);
        let is_new = |own: &Self, word: &String| !own.given.contains(word) && !own.family.contains(word);
        self.middle = parsed(&others.middle);
        self.middle.retain(|word| !self.given.contains(word));
        let mut called = parsed(&others.nick);
        let shown = parsed(&others.display);
        if self.family.iter().any(|word| shown.contains(word)) {
            let mut beside = shown.into_iter().filter(|word| is_new(&self, word));
            if let (Some(one), None) = (beside.next(), beside.next()) {
                called.push(one);
            }
        }
        called.retain(|word| is_new(&self, word) && !self.middle.contains(word));
        called.dedup();
        self.called = called;
        if self.generation.is_none() {
            self.generation = generation;
        }
        self
    }

    /// Whether all of it is in a script that is not read.
    pub(super) fn is_unread(&self) -> bool {
        let mut words = self.given.iter().chain(&self.family).peekable();
        words.peek().is_some() && words.all(|word| is_unread(word))
    }

    /// Whether any employee has a word of it.
    pub(super) fn is_known(&self, lexicon: &Lexicon) -> bool {
        self.given
            .iter()
            .chain(&self.family)
            .chain(&self.joined)
            .any(|word| lexicon.knows(word))
    }

    /// The same in numbers.
    pub(super) fn numbered(self, lexicon: &mut Lexicon) -> PersonName {
        PersonName {
            given: number(lexicon, &self.given),
            middle: number(lexicon, &self.middle),
            called: number(lexicon, &self.called),
            family: number(lexicon, &self.family),
            joined: self.joined,
            generation: self.generation,
            from_address: self.from_address,
        }
    }
}

impl PersonName {
    /// First and middle names.
    pub(super) fn given_and_middle(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.given.iter().chain(&self.middle).copied()
    }
}

impl<Word> EmployeeName<Word> {
    /// How many words stand before the comma of `Last, First`.
    pub(super) fn before_comma(&self) -> Option<usize> {
        self.before_comma.map(|count| usize::from(count.get()))
    }
}

impl EmployeeName<String> {
    /// From Insightful's one field.
    pub(super) fn parse(name: &str) -> Self {
        let mut generation = None;
        let (before, after) = name.split_once(',').unwrap_or((name, ""));
        let mut all = words(before, &mut generation);
        let first = all.len();
        if !after.is_empty() {
            all.extend(words(&format!("_ {after}"), &mut generation));
        }
        let (words, before_comma) = if first == 0 || first == all.len() {
            (without_remarks(all), None)
        } else {
            (all, NonZeroU8::new(u8::try_from(first).unwrap_or(u8::MAX)))
        };
        Self {
            words: words.into(),
            before_comma,
            generation,
            from_address: false,
        }
    }

    /// From the local part of an address that spells a name, as `jane.doe` does.
    pub(super) fn spelt_by(local: &str) -> Option<Self> {
        Some(Self {
            words: spelt_name(local)?.into(),
            from_address: true,
            ..Self::default()
        })
    }

    /// The same in numbers.
    pub(super) fn numbered(self, lexicon: &mut Lexicon) -> EmployeeName {
        EmployeeName {
            words: number(lexicon, &self.words),
            before_comma: self.before_comma,
            generation: self.generation,
            from_address: self.from_address,
        }
    }
}

/// The words of `jane.doe`, `j_doe2`; None for `jdoe`.
pub(super) fn spelt_name(local: &str) -> Option<Vec<String>> {
    let words: Vec<String> = local
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    (words.len() > 1 && words.iter().any(|word| word.len() > 1)).then_some(words)
}
