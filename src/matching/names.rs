//! Parses names into words: a person's fields, and an employee's single field.

use std::{borrow::Cow, num::NonZeroU8};

use smallvec::SmallVec;

use super::{
    folding::{fold, fold_expanded, fold_name, is_unromanized},
    lexicon::Lexicon,
    stopwords::{Generation, generation, is_remark, is_title},
};
use crate::model::OtherNames;

/// A person's name. A word is folded text or its number in the [`Lexicon`].
#[derive(Debug, Default, PartialEq)]
pub(super) struct PersonName<Word = u32> {
    pub(super) given: Vec<Word>,
    /// From the field for middle names.
    pub(super) middle: Vec<Word>,
    /// From the fields for nickname and display name.
    pub(super) preferred: Vec<Word>,
    pub(super) family: Vec<Word>,
    /// The words of the given and of the family name without spaces.
    pub(super) joined: [String; 2],
    pub(super) generation: Option<Generation>,
    /// Whether it is taken from the address, because the record has no name.
    pub(super) from_address: bool,
}

/// An employee's name, in which only a comma separates family and given name.
/// Kept small, because it is read for each pair.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EmployeeName<Word = u32> {
    pub(super) words: SmallVec<[Word; 4]>,
    /// The number of words before the comma of `Last, First`.
    before_comma: Option<NonZeroU8>,
    pub(super) generation: Option<Generation>,
    /// Whether it is taken from the address, because the record has no usable name.
    pub(super) from_address: bool,
}

/// Returns the folded words of a part of a name, without titles and generation.
fn words(text: &str, found: &mut Option<Generation>) -> Vec<String> {
    // Apostrophes join words (O'Brien), all other punctuation separates them.
    let mut folded = fold_name(text);
    folded.retain(|c| !matches!(c, '\'' | '`'));
    let all = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut words_of_name: Vec<String> = Vec::new();
    for (at, word) in all.enumerate() {
        if at > 0
            && let Some(meant) = generation(word)
        {
            *found = Some(meant);
        } else if !is_title(word) && word.bytes().all(|b| b.is_ascii_alphabetic()) {
            words_of_name.push(word.to_owned());
        }
    }
    words_of_name
}

/// Returns both forms of each word with a marked letter: with two letters for the
/// mark, and without it (`joerg`, `jorg`).
pub(super) fn marked_forms(text: &str) -> Vec<(String, String)> {
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

/// Returns a name without notes in brackets, `Jane Doe (Support)`, if a full name remains.
fn without_notes(name: &str) -> Option<String> {
    let mut depth = 0_u32;
    let mut outside = String::new();
    for letter in name.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                outside.push(' ');
            }
            _ if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    let words = outside.split(|c: char| !c.is_alphanumeric());
    let is_full = words.filter(|word| word.chars().count() > 1).count() > 1;
    (is_full && outside.len() < name.len()).then_some(outside)
}

/// Returns a part of a name without an admin's remark in brackets, `Doe (Admin)`. Other words in brackets may be a
/// nickname or a former name.
fn without_remark(part: &str) -> Cow<'_, str> {
    let Some((before, rest)) = part.split_once('(') else {
        return Cow::Borrowed(part);
    };
    let (remark, after) = rest.split_once(')').unwrap_or((rest, ""));
    let mut words = remark.split(|c: char| !c.is_alphanumeric());
    if words.all(|word| word.is_empty() || is_remark(&word.to_lowercase())) {
        Cow::Owned(format!("{before} {after}"))
    } else {
        Cow::Borrowed(part)
    }
}

/// Removes admins' remarks if at least two other words remain.
fn without_remarks(words: Vec<String>) -> Vec<String> {
    let others = words.iter().filter(|word| !is_remark(word)).count();
    if others < 2 {
        words
    } else {
        words.into_iter().filter(|word| !is_remark(word)).collect()
    }
}

fn number<Words: FromIterator<u32>>(lexicon: &mut Lexicon, words: &[String]) -> Words {
    words.iter().map(|word| lexicon.word(word)).collect()
}

impl PersonName {
    /// Returns the first given name and the family name.
    pub(super) fn words(&self) -> Vec<u32> {
        self.given
            .first()
            .into_iter()
            .chain(&self.family)
            .copied()
            .collect()
    }

    /// Returns given and middle names.
    pub(super) fn given_and_middle(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.given.iter().chain(&self.middle).copied()
    }
}

impl PersonName<String> {
    /// Parses Okta's two fields, or the local part if both are empty.
    pub(super) fn parse(given: &str, family: &str, local: Option<&str>) -> Self {
        let mut generation = None;
        let mut given = words(&without_remark(given), &mut generation);
        // Only after the first word: "Jr." alone is a name.
        let mut family = words(&without_remark(family), &mut generation);
        let mut from_address = false;
        if given.is_empty()
            && family.is_empty()
            && let Some(words) = local.and_then(words_of_local_part)
        {
            from_address = true;
            family = words[words.len() - 1..].to_vec();
            given = words[..words.len() - 1].to_vec();
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

    /// Adds other name fields. In the display name, only a single word beside the
    /// family name is certainly a first name.
    pub(super) fn with(mut self, others: &OtherNames) -> Self {
        let mut generation = None;
        let mut parsed = |text: &Option<String>| words(text.as_deref().unwrap_or_default(), &mut generation);
        let is_new = |own: &Self, word: &String| !own.given.contains(word) && !own.family.contains(word);
        self.middle = parsed(&others.middle);
        self.middle.retain(|word| !self.given.contains(word));
        let mut preferred = parsed(&others.nick);
        let shown = parsed(&others.display);
        if self.family.iter().any(|word| shown.contains(word)) {
            let mut beside = shown.into_iter().filter(|word| is_new(&self, word));
            if let (Some(one), None) = (beside.next(), beside.next()) {
                preferred.push(one);
            }
        }
        preferred.retain(|word| is_new(&self, word) && !self.middle.contains(word));
        preferred.dedup();
        self.preferred = preferred;
        if self.generation.is_none() {
            self.generation = generation;
        }
        self
    }

    /// Whether all words are in a script without a reliable romanization.
    pub(super) fn is_unromanized(&self) -> bool {
        let mut words = self.given.iter().chain(&self.family).peekable();
        words.peek().is_some() && words.all(|word| is_unromanized(word))
    }

    /// Replaces words by their numbers.
    pub(super) fn numbered(self, lexicon: &mut Lexicon) -> PersonName {
        PersonName {
            given: number(lexicon, &self.given),
            middle: number(lexicon, &self.middle),
            preferred: number(lexicon, &self.preferred),
            family: number(lexicon, &self.family),
            joined: self.joined,
            generation: self.generation,
            from_address: self.from_address,
        }
    }
}

impl<Word> EmployeeName<Word> {
    /// Returns the number of words before the comma of `Last, First`.
    pub(super) fn before_comma(&self) -> Option<usize> {
        self.before_comma.map(|count| usize::from(count.get()))
    }
}

impl EmployeeName<String> {
    /// Parses Insightful's single field.
    pub(super) fn parse(name: &str) -> Self {
        let mut generation = None;
        let noted = without_notes(name);
        let name = noted.as_deref().unwrap_or(name);
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

    /// Parses a local part that spells out a name, such as `jane.doe`.
    pub(super) fn from_local_part(local: &str) -> Option<Self> {
        Some(Self {
            words: words_of_local_part(local)?.into(),
            from_address: true,
            ..Self::default()
        })
    }

    /// Replaces words by their numbers.
    pub(super) fn numbered(self, lexicon: &mut Lexicon) -> EmployeeName {
        EmployeeName {
            words: number(lexicon, &self.words),
            before_comma: self.before_comma,
            generation: self.generation,
            from_address: self.from_address,
        }
    }
}

/// Returns the words of a local part such as `jane.doe` or `j_doe2`; None for `jdoe`.
pub(super) fn words_of_local_part(local: &str) -> Option<Vec<String>> {
    let words: Vec<String> = local
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    (words.len() > 1 && words.iter().any(|word| word.len() > 1)).then_some(words)
}
