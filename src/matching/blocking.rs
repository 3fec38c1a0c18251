//! Which pairs are worth comparing. Comparing all would be 10¹⁰ for 100,000
//! people; only those that share a key are.

use super::{
    features::{Circumstances, EmployeeFeatures, Features, PersonFeatures},
    learned::Learned,
    lexicon::Lexicon,
    name_similarity::{self, Part},
    parallel::sort,
};

/// A block larger than this says too little: its pairs are looked for by a
/// finer key.
const LARGEST: usize = 20;
/// Pairs of the second round in all, and the bounds of one person's share.
const PAIRS_LEFT: usize = 600_000;
/// See [`PAIRS_LEFT`].
const SHARE_LEFT: std::ops::RangeInclusive<usize> = 12..=1500;

/// The most employees of one block that are looked through for the closest.
const LARGEST_SEEN: usize = 64;

const MAIL: u64 = 1;
const KEY: u64 = 2;
const WORD_AND_INITIAL: u64 = 3;
const TWO_WORDS: u64 = 4;
const WORD: u64 = 5;
const START: u64 = 6;
const INITIALS: u64 = 7;

fn key(kind: u64, a: u32, b: u32) -> u64 {
    (kind << 60) | ((u64::from(a) & 0x3fff_ffff) << 30) | (u64::from(b) & 0x3fff_ffff)
}

fn initial(lexicon: &Lexicon, word: u32) -> u32 {
    u32::from(lexicon.get(word).text.as_bytes()[0])
}

/// Employees by key.
pub(super) struct Blocks {
    /// Sorted.
    entries: Vec<(u64, u32)>,
    /// Where the entries begin of each [`Blocks::slot`], and where the last end.
    starts: Vec<u32>,
    /// The lowest bits by which a key's slot is told.
    mask: u64,
    /// Of all employees: close together, since many of a large block are looked at.
    circumstances: Vec<Circumstances>,
}

impl Blocks {
    fn of(facts: &Features<'_>, entries: Vec<(u64, u32)>) -> Self {
        let mask = entries.len().next_power_of_two() as u64 - 1;
        let mut blocks = Self {
            entries,
            starts: Vec::new(),
            mask,
            circumstances: facts
                .employees
                .iter()
                .map(|employee| employee.circumstances)
                .collect(),
        };
        let mut entries = std::mem::take(&mut blocks.entries);
        sort(&mut entries, |a, b| {
            blocks.slot(a.0).cmp(&blocks.slot(b.0)).then_with(|| a.cmp(b))
        });
        blocks.starts = vec![0; usize::try_from(mask).unwrap_or(0) + 2];
        for (key, _) in &entries {
            let slot = blocks.slot(*key);
            blocks.starts[slot + 1] += 1;
        }
        for at in 1..blocks.starts.len() {
            blocks.starts[at] += blocks.starts[at - 1];
        }
        blocks.entries = entries;
        blocks
    }

    /// Keys are spread over as many slots as there are entries, so that one
    /// look finds a key.
    fn slot(&self, key: u64) -> usize {
        let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from((spread >> 24) & self.mask).unwrap_or(0)
    }

    fn get(&self, key: u64) -> &[(u64, u32)] {
        let slot = self.slot(key);
        let slot = &self.entries[self.starts[slot] as usize..self.starts[slot + 1] as usize];
        // Nearly all slots are one key's.
        let is_sought = |entry: Option<&(u64, u32)>| entry.is_some_and(|(other, _)| *other == key);
        if is_sought(slot.first()) && is_sought(slot.last()) {
            return slot;
        }
        let from = slot.partition_point(|(other, _)| *other < key);
        let rest = &slot[from..];
        &rest[..rest.partition_point(|(other, _)| *other == key)]
    }

    /// Employees by all that a person is found by at once.
    pub(super) fn first_round(facts: &Features<'_>) -> Self {
        let mut entries = Vec::with_capacity(facts.employees.len() * 10);
        for (at, employee) in (0_u32..).zip(&facts.employees) {
            for mail in employee.mails() {
                entries.push((key(MAIL, mail.id, 0), at));
                if !mail.role {
                    entries.push((key(KEY, mail.local, 0), at));
                }
            }
            if let Some((whole, bare)) = employee.account {
                entries.push((key(KEY, whole, 0), at));
                entries.push((key(KEY, bare, 0), at));
            }
            for (a, b) in ordered_pairs(employee) {
                let (x, y) = (facts.lexicon.get(a), facts.lexicon.get(b));
                entries.push((key(WORD_AND_INITIAL, x.sound, initial(&facts.lexicon, b)), at));
                entries.push((key(TWO_WORDS, x.sound, y.sound), at));
            }
        }
        Self::of(facts, entries)
    }

    /// The employees to compare a person with; by number, each once.
    pub(super) fn candidates(&self, facts: &Features<'_>, person: &PersonFeatures<'_>, found: &mut Vec<u32>) {
        found.clear();
        let resolved = self.is_settled(facts, person);
        let mut take = |key: u64, largest: usize| {
            let block = self.get(key);
            let fits = block.len() <= largest;
            if fits {
                found.extend(block.iter().map(|(_, at)| *at));
            }
            fits
        };
        for mail in person.mails() {
            take(key(MAIL, mail.id, 0), 8 * LARGEST);
            if !mail.role && !resolved {
                take(key(KEY, mail.local, 0), LARGEST);
            }
        }
        if !resolved {
            for (account, _) in &person.accounts {
                take(key(KEY, *account, 0), LARGEST);
            }
        }
        let lexicon = &facts.lexicon;
        let family = &person.name.family;
        for given in person
            .name
            .given_and_middle()
            .chain(person.name.called.iter().copied())
        {
            for last in family {
                if family.len() > 1 && lexicon.get(*last).particle {
                    continue;
                }
                if resolved {
                    take(
                        key(TWO_WORDS, lexicon.get(*last).sound, lexicon.get(given).sound),
                        LARGEST,
                    );
                    continue;
                }
                let (g, f) = (lexicon.get(given).sound, lexicon.get(*last).sound);
                if !take(key(WORD_AND_INITIAL, f, initial(lexicon, given)), LARGEST) {
                    take(key(TWO_WORDS, f, g), LARGEST);
                }
                if !take(key(WORD_AND_INITIAL, g, initial(lexicon, *last)), LARGEST / 2) {
                    take(key(TWO_WORDS, g, f), LARGEST);
                }
                for other in lexicon.alike(given) {
                    take(key(TWO_WORDS, f, lexicon.get(other).sound), LARGEST / 2);
                }
            }
            if let [first, _, ..] = family[..] {
                take(
                    key(
                        WORD_AND_INITIAL,
                        lexicon.get(given).sound,
                        initial(lexicon, first),
                    ),
                    LARGEST / 2,
                );
            }
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Whether an address of the person's own leads to the same name: then only
    /// namesakes can come near.
    fn is_settled(&self, facts: &Features<'_>, person: &PersonFeatures<'_>) -> bool {
        let Some(mail) = person
            .email
            .filter(|mail| !mail.role && facts.by_mail.people(mail.id) == 1)
        else {
            return false;
        };
        let [(_, at)] = self.get(key(MAIL, mail.id, 0)) else {
            return false;
        };
        let found =
            name_similarity::compare(&facts.lexicon, &person.name, &facts.employees[*at as usize].name);
        found.given == Part::Equal && found.family == Part::Equal
    }

    /// Employees who are left, by the little that a person may be found by.
    pub(super) fn second_round(facts: &Features<'_>, left: &[bool]) -> Self {
        let mut entries = Vec::new();
        for (at, employee) in (0_u32..)
            .zip(&facts.employees)
            .filter(|(at, _)| left[*at as usize])
        {
            let spelt = employee.spelt.iter().flat_map(|spelt| &spelt.words);
            for word in employee.name.words.iter().chain(spelt) {
                if facts.lexicon.get(*word).text.len() > 1 {
                    entries.push((key(WORD, facts.lexicon.get(*word).sound, 0), at));
                }
            }
            let account = employee.account.map(|(whole, _)| whole);
            for text in employee.mails().map(|mail| mail.local).chain(account) {
                if let Some(start) = start(facts.keys.text(text)) {
                    entries.push((key(START, start, 0), at));
                }
            }
            let words = &employee.name.words;
            if let [first, .., last] = words[..] {
                let (a, b) = (initial(&facts.lexicon, first), initial(&facts.lexicon, last));
                entries.push((key(INITIALS, a.min(b), a.max(b)), at));
            }
        }
        Self::of(facts, entries)
    }

    /// How many pairs of the second round one of so many people may have.
    pub(super) fn share_left(people: usize) -> usize {
        (PAIRS_LEFT / people.max(1)).clamp(*SHARE_LEFT.start(), *SHARE_LEFT.end())
    }

    /// The employees who are left and share anything with a person, as many as
    /// `share`, by what says most first. Of a block that is too large those are
    /// taken whose team and dates say most.
    pub(super) fn candidates_left(
        &self,
        facts: &Features<'_>,
        learned: &Learned,
        person: &PersonFeatures<'_>,
        share: usize,
        found: &mut Vec<u32>,
    ) {
        found.clear();
        let lexicon = &facts.lexicon;
        // Gives whether there is room for more.
        let mut take = |key: u64, in_part: bool| {
            if found.len() >= share {
                return false;
            }
            let block = self.get(key);
            if found.len() + block.len() <= share {
                found.extend(block.iter().map(|(_, at)| *at));
            } else if in_part {
                let room = (share - found.len().min(share)).div_ceil(2);
                self.closest(learned, person, block.iter().map(|(_, at)| *at), room, found);
            }
            true
        };
        let (given, family) = (&person.name.given, &person.name.family);
        for word in family.iter().rev().chain(given) {
            take(key(WORD, lexicon.get(*word).sound, 0), true);
        }
        for mail in person.mails() {
            if let Some(start) = start(facts.keys.text(mail.local)) {
                take(key(START, start, 0), false);
            }
        }
        for word in given {
            for other in lexicon.alike(*word) {
                take(key(WORD, lexicon.get(other).sound, 0), false);
            }
        }
        for (account, _) in &person.accounts {
            if let Some(start) = start(facts.keys.text(*account))
                && !take(key(START, start, 0), false)
            {
                break;
            }
        }
        if let (Some(given), Some(family)) = (given.first(), family.last()) {
            let (a, b) = (initial(lexicon, *given), initial(lexicon, *family));
            take(key(INITIALS, a.min(b), a.max(b)), false);
        }
        found.sort_unstable();
        found.dedup();
    }

    /// Adds so many of the employees whose team and dates say most for a person;
    /// of a long list a part is looked at.
    pub(super) fn closest(
        &self,
        learned: &Learned,
        person: &PersonFeatures<'_>,
        employees: impl ExactSizeIterator<Item = u32>,
        count: usize,
        found: &mut Vec<u32>,
    ) {
        if count == 0 {
            return;
        }
        let step = employees.len().div_ceil(LARGEST_SEEN);
        let mut by_bits: Vec<(f64, u32)> = employees
            .step_by(step.max(1))
            .map(|at| {
                let (own, theirs) = (&person.circumstances, &self.circumstances[at as usize]);
                let (team, date) = (learned.team(own, theirs), learned.date(own, theirs));
                (team.unwrap_or(0.0) + date.unwrap_or(0.0), at)
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

/// Every word of the name with every other, in both orders.
fn ordered_pairs<'a>(employee: &'a EmployeeFeatures<'a>) -> impl Iterator<Item = (u32, u32)> + 'a {
    let words = |spelt: bool| -> &[u32] {
        match (spelt, &employee.spelt) {
            (false, _) => &employee.name.words,
            (true, Some(spelt)) => &spelt.words,
            (true, None) => &[],
        }
    };
    // Six words are more than a name has; what follows them are remarks.
    [false, true].into_iter().flat_map(move |spelt| {
        let words = &words(spelt)[..words(spelt).len().min(6)];
        words.iter().enumerate().flat_map(move |(i, a)| {
            words
                .iter()
                .enumerate()
                .filter(move |(j, _)| i != *j)
                .map(move |(_, b)| (*a, *b))
        })
    })
}

/// The first four letters, packed.
fn start(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    (bytes.len() >= 4).then(|| {
        bytes[..4]
            .iter()
            .fold(0, |sum, byte| (sum << 7) | u32::from(*byte & 0x7f))
    })
}
