//! Blocking: selects the pairs that are worth comparing. Only pairs that share a
//! key are, because comparing all pairs of a large company would take too long.

use std::ops::Range;

use foldhash::HashMap;

use super::{
    features::Features,
    learned::Learned,
    lexicon::Lexicon,
    name_similarity::{self, Agreement},
    parallel::{number, par_sort_dedup},
    record_features::{Circumstances, EmployeeFeatures, PersonFeatures},
};

/// Employees of a block above which a finer key is used.
const MAX_BLOCK_SIZE: usize = 20;
/// Pairs of the second round for all people, and bounds of the pairs for one person.
const MAX_SECOND_ROUND_PAIRS: usize = 600_000;
const MIN_PAIRS_PER_PERSON: usize = 12;
const MAX_PAIRS_PER_PERSON: usize = 1500;
/// Employees of a block among which the closest are searched.
const MAX_SAMPLE_SIZE: usize = 64;
/// Words of a name that are used; further words are remarks.
const MAX_NAME_WORDS: usize = 6;

const ADDRESS: u64 = 1;
const ACCOUNT: u64 = 2;
const WORD_AND_INITIAL: u64 = 3;
const TWO_WORDS: u64 = 4;
const WORD: u64 = 5;
const PREFIX: u64 = 6;
const INITIALS: u64 = 7;

fn key(kind: u64, a: u32, b: u32) -> u64 {
    (kind << 60) | ((u64::from(a) & 0x3fff_ffff) << 30) | (u64::from(b) & 0x3fff_ffff)
}

fn word_key(lexicon: &Lexicon, word: u32) -> u64 {
    key(WORD, lexicon.get(word).phonetic_key, 0)
}

fn two_words_key(lexicon: &Lexicon, a: u32, b: u32) -> u64 {
    key(
        TWO_WORDS,
        lexicon.get(a).phonetic_key,
        lexicon.get(b).phonetic_key,
    )
}

fn word_and_initial_key(lexicon: &Lexicon, word: u32, initial: u32) -> u64 {
    let initial = u32::from(lexicon.initial(initial));
    key(WORD_AND_INITIAL, lexicon.get(word).phonetic_key, initial)
}

fn initials_key(lexicon: &Lexicon, a: u32, b: u32) -> u64 {
    let (a, b) = (u32::from(lexicon.initial(a)), u32::from(lexicon.initial(b)));
    key(INITIALS, a.min(b), a.max(b))
}

/// The key of the first four letters.
fn prefix_key(text: &str) -> Option<u64> {
    let prefix = text.as_bytes().first_chunk::<4>()?;
    let packed = prefix
        .iter()
        .fold(0, |packed, byte| (packed << 7) | u32::from(*byte & 0x7f));
    Some(key(PREFIX, packed, 0))
}

/// Employees by key.
pub(super) struct Blocks {
    /// By key.
    employees: Vec<u32>,
    ranges: HashMap<u64, Range<u32>>,
    /// Of all employees: close together, because many are read for a large block.
    circumstances: Vec<Circumstances>,
}

impl Blocks {
    fn new(features: &Features<'_>, mut entries: Vec<(u64, u32)>) -> Self {
        par_sort_dedup(&mut entries, Ord::cmp);
        let mut ranges = HashMap::default();
        let mut start = 0;
        for block in entries.chunk_by(|a, b| a.0 == b.0) {
            let end = start + number(block.len());
            ranges.insert(block[0].0, start..end);
            start = end;
        }
        let circumstances = features.employees.iter().map(|employee| employee.circumstances);
        Self {
            employees: entries.into_iter().map(|(_, employee)| employee).collect(),
            ranges,
            circumstances: circumstances.collect(),
        }
    }

    fn get(&self, key: u64) -> &[u32] {
        self.ranges.get(&key).map_or(&[], |range| {
            &self.employees[range.start as usize..range.end as usize]
        })
    }

    /// Blocks by the keys that make a pair likely.
    pub(super) fn first_round(features: &Features<'_>) -> Self {
        let lexicon = &features.lexicon;
        let mut entries = Vec::with_capacity(features.employees.len() * 10);
        for (at, employee) in (0_u32..).zip(&features.employees) {
            for mail in employee.mails() {
                entries.push((key(ADDRESS, mail.id, 0), at));
                if !mail.role {
                    entries.push((key(ACCOUNT, mail.squeezed, 0), at));
                }
            }
            for (whole, without_number) in employee.account.into_iter().chain(employee.login) {
                entries.push((key(ACCOUNT, whole, 0), at));
                entries.push((key(ACCOUNT, without_number, 0), at));
            }
            for (a, b) in ordered_pairs(employee) {
                entries.push((word_and_initial_key(lexicon, a, b), at));
                entries.push((two_words_key(lexicon, a, b), at));
            }
        }
        Self::new(features, entries)
    }

    /// Finds the employees to compare a person with, each once.
    pub(super) fn first_round_candidates(
        &self,
        features: &Features<'_>,
        person: &PersonFeatures<'_>,
        found: &mut Vec<u32>,
    ) {
        found.clear();
        let lexicon = &features.lexicon;
        let is_identified = self.is_identified_by_email(features, person);
        let mut add = |key: u64, max_size: usize| {
            let block = self.get(key);
            let fits = block.len() <= max_size;
            if fits {
                found.extend(block);
            }
            fits
        };
        for mail in person.mails() {
            add(key(ADDRESS, mail.id, 0), 8 * MAX_BLOCK_SIZE);
            if !mail.role && !is_identified {
                add(key(ACCOUNT, mail.squeezed, 0), MAX_BLOCK_SIZE);
            }
        }
        if !is_identified {
            for (account, _) in &person.accounts {
                add(key(ACCOUNT, *account, 0), MAX_BLOCK_SIZE);
            }
        }
        for name in person.names() {
            let family_names = &name.family;
            let preferred = name.preferred.iter().copied();
            for given in name.given_and_middle().chain(preferred) {
                for family in family_names.iter().copied() {
                    if family_names.len() > 1 && lexicon.get(family).particle {
                        continue;
                    }
                    if is_identified {
                        add(two_words_key(lexicon, family, given), MAX_BLOCK_SIZE);
                        continue;
                    }
                    if !add(word_and_initial_key(lexicon, family, given), MAX_BLOCK_SIZE) {
                        add(two_words_key(lexicon, family, given), MAX_BLOCK_SIZE);
                    }
                    if !add(word_and_initial_key(lexicon, given, family), MAX_BLOCK_SIZE / 2) {
                        add(two_words_key(lexicon, given, family), MAX_BLOCK_SIZE);
                    }
                    for variant in lexicon.variants(given) {
                        add(two_words_key(lexicon, family, variant), MAX_BLOCK_SIZE / 2);
                    }
                }
                if let [first, _, ..] = family_names[..] {
                    add(word_and_initial_key(lexicon, given, first), MAX_BLOCK_SIZE / 2);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Whether the person's own email leads to the same name, so that only namesakes compete.
    fn is_identified_by_email(&self, features: &Features<'_>, person: &PersonFeatures<'_>) -> bool {
        let is_own = |id: u32| features.address_counts.people(id) == 1;
        let Some(mail) = person.email.filter(|mail| !mail.role && is_own(mail.id)) else {
            return false;
        };
        let [employee] = self.get(key(ADDRESS, mail.id, 0)) else {
            return false;
        };
        let employee = &features.employees[*employee as usize];
        // The person may have an active record beside a deactivated one.
        !employee.deactivated && {
            let (own, theirs) = person.names_beside(&features.lexicon, employee);
            let found = name_similarity::compare(&features.lexicon, own, theirs);
            found.given == Agreement::Equal && found.family == Agreement::Equal
        }
    }

    /// Blocks of the unassigned employees by keys that many pairs share.
    pub(super) fn second_round(features: &Features<'_>, is_unassigned: &[bool]) -> Self {
        let lexicon = &features.lexicon;
        let mut entries = Vec::new();
        for (at, employee) in (0_u32..)
            .zip(&features.employees)
            .filter(|(at, _)| is_unassigned[*at as usize])
        {
            let words = &employee.name.words;
            let address_words = employee.address_name.iter().flat_map(|name| &name.words);
            for word in words.iter().chain(address_words) {
                if lexicon.get(*word).text.len() > 1 {
                    entries.push((word_key(lexicon, *word), at));
                }
            }
            let account = employee.account.map(|(whole, _)| whole);
            for text in employee.mails().map(|mail| mail.squeezed).chain(account) {
                entries.extend(prefix_key(features.keys.text(text)).map(|key| (key, at)));
            }
            if let [first, .., last] = words[..] {
                entries.push((initials_key(lexicon, first, last), at));
            }
        }
        Self::new(features, entries)
    }

    /// Returns the maximum number of second-round pairs of one of so many people.
    pub(super) fn max_pairs_per_person(people: usize) -> usize {
        (MAX_SECOND_ROUND_PAIRS / people.max(1)).clamp(MIN_PAIRS_PER_PERSON, MAX_PAIRS_PER_PERSON)
    }

    /// Finds at most `limit` unassigned employees to compare a person with, by the most
    /// specific keys first. From a block that is too large, it takes the employees
    /// with the most evidence of team and dates.
    pub(super) fn second_round_candidates(
        &self,
        features: &Features<'_>,
        learned: &Learned,
        person: &PersonFeatures<'_>,
        limit: usize,
        found: &mut Vec<u32>,
    ) {
        found.clear();
        let lexicon = &features.lexicon;
        // Returns false if the limit is reached.
        let mut add = |key: u64, partly: bool| {
            if found.len() >= limit {
                return false;
            }
            let block = self.get(key);
            if found.len() + block.len() <= limit {
                found.extend(block);
            } else if partly {
                let room = (limit - found.len()).div_ceil(2);
                self.add_closest(learned, person, block, room, found);
            }
            true
        };
        for name in person.names() {
            for word in name.family.iter().rev().chain(&name.given) {
                add(word_key(lexicon, *word), true);
            }
        }
        for mail in person.mails() {
            if let Some(key) = prefix_key(features.keys.text(mail.squeezed)) {
                add(key, false);
            }
        }
        let given = person.names().flat_map(|name| &name.given);
        for variant in given.flat_map(|word| lexicon.variants(*word)) {
            add(word_key(lexicon, variant), false);
        }
        for (account, _) in &person.accounts {
            let key = prefix_key(features.keys.text(*account));
            if key.is_some_and(|key| !add(key, false)) {
                break;
            }
        }
        for name in person.names() {
            if let (Some(given), Some(family)) = (name.given.first(), name.family.last()) {
                add(initials_key(lexicon, *given, *family), false);
            }
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Adds the employees with the most evidence of team and dates, from a sample of a
    /// long list.
    pub(super) fn add_closest(
        &self,
        learned: &Learned,
        person: &PersonFeatures<'_>,
        employees: &[u32],
        count: usize,
        found: &mut Vec<u32>,
    ) {
        if count == 0 {
            return;
        }
        let step = employees.len().div_ceil(MAX_SAMPLE_SIZE);
        let mut by_bits: Vec<(f64, u32)> = employees
            .iter()
            .step_by(step.max(1))
            .map(|at| {
                let (own, theirs) = (&person.circumstances, &self.circumstances[*at as usize]);
                let (team, date) = (learned.team(own, theirs), learned.date(own, theirs));
                (team.unwrap_or(0.0) + date.unwrap_or(0.0), *at)
            })
            .collect();
        let order = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if by_bits.len() > count {
            by_bits.select_nth_unstable_by(count, order);
            by_bits.truncate(count);
        }
        found.extend(by_bits.into_iter().map(|(_, at)| at));
    }
}

/// Returns each ordered pair of words of the name, and of the name in the address.
fn ordered_pairs<'a>(employee: &'a EmployeeFeatures<'a>) -> impl Iterator<Item = (u32, u32)> + 'a {
    let address_name = employee.address_name.as_deref();
    std::iter::once(&employee.name)
        .chain(address_name)
        .flat_map(|name| {
            let words = &name.words[..name.words.len().min(MAX_NAME_WORDS)];
            words.iter().enumerate().flat_map(move |(i, a)| {
                let others = words.iter().enumerate().filter(move |(j, _)| i != *j);
                others.map(move |(_, b)| (*a, *b))
            })
        })
}
