//! Whether a careful human could decide, from nothing but both lists. The rule is in the module's documentation.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use okta_insightful_operator::model::{Employee, Person};

use super::{names::Name, writing::without_accents};

/// Who a thing belongs to: one owner, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    One(Owner),
    Many,
}

/// A human, or what else accounts and records stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    Human(usize),
    Account(usize),
    Stray(usize),
}

/// By the hash of a key: a big company has millions of keys, and one false collision would matter to nobody.
#[derive(Default)]
struct Index(HashMap<u64, Holder>);

fn hash(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

impl Index {
    fn add(&mut self, key: u64, owner: Owner) {
        let holder = self.0.entry(key).or_insert(Holder::One(owner));
        if *holder != Holder::One(owner) {
            *holder = Holder::Many;
        }
    }

    fn is_only(&self, key: u64, owner: Owner) -> bool {
        self.0.get(&key) == Some(&Holder::One(owner))
    }

    fn is_of_others(&self, key: u64, owner: Owner) -> bool {
        self.0
            .get(&key)
            .is_some_and(|&holder| holder != Holder::One(owner))
    }
}

/// What is known of one service's records.
#[derive(Default)]
struct Side {
    addresses: Index,
    /// The parts of addresses before the @, and names of accounts.
    locals: Index,
    names: Index,
    weak_names: Index,
    /// What a computer's account may be called, by people's names.
    accounts: Index,
    days: HashMap<i64, usize>,
}

pub struct Judge {
    people: Side,
    records: Side,
}

/// How much of a name agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    Full,
    Close,
    None,
}

/// Days of difference at which two records were made on one occasion.
const OCCASION_DAYS: i64 = 21;

/// More records on one day are a batch, and the day says nothing.
const BATCH: usize = 5;

impl Judge {
    pub fn new<'a>(
        people: impl Iterator<Item = (&'a Person, Owner, i64)>,
        records: impl Iterator<Item = (&'a Employee, Owner)>,
    ) -> Self {
        let mut judge = Self {
            people: Side::default(),
            records: Side::default(),
        };
        for (person, owner, created) in people {
            for address in addresses_of_person(person) {
                judge.people.locals.add(hash(&[&local(&address)]), owner);
                judge.people.addresses.add(hash(&[&address]), owner);
            }
            judge.people.add_names(&words_of_person(person), owner);
            for account in accounts_of(person) {
                judge.people.accounts.add(hash(&[&account]), owner);
            }
            *judge.people.days.entry(day(created)).or_default() += 1;
        }
        for (record, owner) in records {
            for address in addresses_of_record(record) {
                judge.records.locals.add(hash(&[&local(&address)]), owner);
                judge.records.addresses.add(hash(&[&address]), owner);
            }
            judge.records.add_names(&words(&record.name), owner);
            *judge
                .records
                .days
                .entry(day(record.created_at.unwrap_or_default()))
                .or_default() += 1;
        }
        judge
    }

    /// Whether the record can be seen to be the person's. `name` is what the judge knows of names: that Bob is Robert.
    pub fn is_recognisable(&self, pair: &Pair<'_>, owner: Owner) -> bool {
        let known = words_of_person(pair.person);
        let written = words(&pair.record.name);
        let agreement = agreement(&known, &written, pair.name);
        let is_anothers = agreement == Agreement::None
            && pairs(&written).any(|key| self.people.names.is_of_others(key, owner));
        if is_anothers {
            return false;
        }
        let theirs = addresses_of_person(pair.person);
        let of_record = addresses_of_record(pair.record);
        let is_only = |people: &Index, records: &Index, key: u64| {
            people.is_only(key, owner) && records.is_only(key, owner)
        };
        let shares_address = of_record.iter().any(|address| {
            theirs.contains(address)
                && is_only(&self.people.addresses, &self.records.addresses, hash(&[address]))
        });
        let locals: Vec<String> = theirs.iter().map(|address| local(address)).collect();
        let shares_local = of_record.iter().map(|address| local(address)).any(|local| {
            local.len() > 2
                && locals.contains(&local)
                && is_only(&self.people.locals, &self.records.locals, hash(&[&local]))
        });
        if shares_address || shares_local {
            return true;
        }
        if !pair.is_only_account {
            // The name does not say which account.
            return false;
        }
        if self.spells_only(pair, owner) {
            return true;
        }
        let same_team = pair.same_team;
        let same_time = self.is_occasion(pair);
        match agreement {
            Agreement::Full => {
                let mut keys = pairs(&written);
                let only = keys.any(|key| is_only(&self.people.names, &self.records.names, key));
                let mut of_record = of_record.iter().map(|address| local(address));
                let has_slip = of_record.any(|one| locals.iter().any(|other| is_slip(&one, other)));
                only && (same_team || same_time || has_slip)
            }
            Agreement::Close => {
                let mut keys = weak_pairs(&written);
                let only = keys.any(|key| is_only(&self.people.weak_names, &self.records.weak_names, key));
                only && same_team && same_time
            }
            Agreement::None => false,
        }
    }

    /// Whether the account of the record's computer spells the name of this person only.
    fn spells_only(&self, pair: &Pair<'_>, owner: Owner) -> bool {
        let identifier = local(&pair.record.identifier.to_lowercase());
        let account = words(&identifier).concat();
        let is_account = !pair.record.identifier.contains('@') && account.len() > 4;
        is_account
            && accounts_of(pair.person).contains(&account)
            && self.people.accounts.is_only(hash(&[&account]), owner)
            && self.records.locals.is_only(hash(&[&identifier]), owner)
    }

    /// Whether some record of others bears the person's address, account or full name, for a person who has none. `is_clear`
    /// says of an owner's records that they are recognisably the owner's.
    pub fn looks_taken(&self, person: &Person, owner: Owner, is_clear: impl Fn(Owner) -> bool) -> bool {
        let is_doubtful = |index: &Index, key: u64| match index.0.get(&key) {
            Some(Holder::One(other)) => *other != owner && !is_clear(*other),
            Some(Holder::Many) => true,
            None => false,
        };
        let addresses = addresses_of_person(person);
        let locals = addresses.iter().map(|address| local(address));
        let mut accounts = locals
            .chain(accounts_of(person))
            .filter(|account| account.len() > 2);
        accounts.any(|account| is_doubtful(&self.records.locals, hash(&[&account])))
            || addresses
                .iter()
                .any(|address| is_doubtful(&self.records.addresses, hash(&[address])))
            || pairs(&words_of_person(person)).any(|key| is_doubtful(&self.records.names, key))
    }

    /// Whether another person has the same given and family name.
    pub fn has_namesake(&self, person: &Person, owner: Owner) -> bool {
        let [given, family] =
            [&person.given_name, &person.family_name].map(|part| words(part.as_deref().unwrap_or_default()));
        let (Some(given), Some(family)) = (given.first(), family.last()) else {
            return false;
        };
        self.people.names.is_of_others(key_of(given, family), owner)
    }

    /// Whether a record of others bears the same given and family name.
    pub fn has_namesakes_record(&self, person: &Person, owner: Owner) -> bool {
        let [given, family] =
            [&person.given_name, &person.family_name].map(|part| words(part.as_deref().unwrap_or_default()));
        let (Some(given), Some(family)) = (given.first(), family.last()) else {
            return false;
        };
        self.records.names.is_of_others(key_of(given, family), owner)
    }

    fn is_occasion(&self, pair: &Pair<'_>) -> bool {
        let created = pair.record.created_at.unwrap_or_default();
        let few = |side: &Side, time: i64| side.days.get(&day(time)).is_none_or(|&count| count <= BATCH);
        (day(created) - day(pair.created)).abs() <= OCCASION_DAYS
            && few(&self.people, pair.created)
            && few(&self.records, created)
    }
}

/// A person and a record that are to be compared.
pub struct Pair<'a> {
    pub person: &'a Person,
    pub record: &'a Employee,
    pub name: Option<&'a Name>,
    pub same_team: bool,
    /// Whether the human has no other main account.
    pub is_only_account: bool,
    /// When the person's account was created, in milliseconds.
    pub created: i64,
}

impl Side {
    fn add_names(&mut self, words: &[String], owner: Owner) {
        for key in pairs(words) {
            self.names.add(key, owner);
        }
        for key in weak_pairs(words) {
            self.weak_names.add(key, owner);
        }
    }
}

fn day(time: i64) -> i64 {
    time.div_euclid(86_400_000)
}

fn agreement(known: &[String], written: &[String], name: Option<&Name>) -> Agreement {
    if written.len() < 2 {
        return Agreement::None;
    }
    if written.iter().all(|word| known.contains(word)) {
        return Agreement::Full;
    }
    let others: Vec<String> = name.map_or_else(Vec::new, |name| {
        let spellings = name
            .known_as
            .iter()
            .chain(&name.other_given)
            .chain(&name.other_family);
        spellings
            .chain([&name.given, &name.family])
            .flat_map(|text| words(text))
            .collect()
    });
    let same = |word: &str| known.iter().any(|other| other == word || is_slip(other, word));
    let exact = written.iter().filter(|word| known.contains(word)).count();
    let similar = written
        .iter()
        .filter(|word| same(word) || others.contains(word))
        .count();
    if exact > 0 && similar == written.len() {
        Agreement::Close
    } else {
        Agreement::None
    }
}

/// Whether one letter was added, left out or replaced, or two changed places.
fn is_slip(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() {
        (&one, &other)
    } else {
        (&other, &one)
    };
    if short.len() < 4 || long.len() - short.len() > 1 {
        return false;
    }
    let start = short
        .iter()
        .zip(long)
        .take_while(|(one, other)| one == other)
        .count();
    let end = short[start..]
        .iter()
        .rev()
        .zip(long.iter().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let differing = long.len() - start - end;
    differing <= 1 || (differing == 2 && short.len() == long.len() && short[start] == long[start + 1])
}

/// The words of a name as a reader compares them: no accents, case, titles, suffixes or notes.
fn words(text: &str) -> Vec<String> {
    let text = text.split(['(', '[']).next().unwrap_or_default();
    let plain = without_accents(text, true).to_lowercase();
    let plain = plain
        .replace("ae", "a")
        .replace("oe", "o")
        .replace("ue", "u")
        .replace(['\'', '’'], "");
    plain
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| {
            !word.is_empty()
                && !matches!(
                    *word,
                    "dr" | "jr" | "sr" | "ii" | "iii" | "lnu" | "contractor" | "external"
                )
        })
        .map(str::to_owned)
        .collect()
}

fn words_of_person(person: &Person) -> Vec<String> {
    let names = &person.other_names;
    let mut all: Vec<String> = [
        &person.given_name,
        &person.family_name,
        &names.middle,
        &names.nick,
        &names.display,
    ]
    .into_iter()
    .flatten()
    .flat_map(|text| words(text))
    .collect();
    all.sort();
    all.dedup();
    all
}

/// The accounts that the usual conventions make of a name, without dots and lines.
fn accounts_of(person: &Person) -> Vec<String> {
    let [given, family] =
        [&person.given_name, &person.family_name].map(|part| words(part.as_deref().unwrap_or_default()));
    let nick = words(person.other_names.nick.as_deref().unwrap_or_default());
    let joined = family.concat();
    let families = [Some(&joined), family.first(), family.last()];
    let mut all = Vec::new();
    for given in given.first().into_iter().chain(nick.first()) {
        let initial: String = given.chars().take(1).collect();
        for family in families.into_iter().flatten().filter(|family| !family.is_empty()) {
            let stem: String = family.chars().take(7).collect();
            let full = format!("{given}{family}");
            // Old systems cut after eight characters, Active Directory after twenty, of which one may be a dot.
            for length in [8, 18, 19, 20] {
                all.push(full.chars().take(length).collect());
            }
            all.push(full);
            all.push(format!("{family}{given}"));
            all.push(format!("{initial}{family}"));
            all.push(format!("{initial}{stem}"));
            all.push(format!("{stem}{initial}"));
        }
    }
    all.sort();
    all.dedup();
    all
}

fn key_of(one: &str, other: &str) -> u64 {
    hash(&[one.min(other), one.max(other)])
}

/// All pairs of words, without regard to order. A name has two to five words.
fn pairs(words: &[String]) -> impl Iterator<Item = u64> {
    words
        .iter()
        .enumerate()
        .flat_map(|(at, one)| words[at + 1..].iter().map(move |other| key_of(one, other)))
}

/// All pairs of an initial and a word.
fn weak_pairs(words: &[String]) -> impl Iterator<Item = u64> {
    words.iter().flat_map(|one| {
        let others = words.iter().filter(move |other| *other != one);
        let initial = &one[..one.chars().next().map_or(0, char::len_utf8)];
        others.map(move |other| hash(&[initial, other]))
    })
}

fn addresses_of_person(person: &Person) -> Vec<String> {
    let all = [
        Some(&person.login),
        person.email.as_ref(),
        person.second_email.as_ref(),
    ];
    let mut all: Vec<String> = all
        .into_iter()
        .flatten()
        .map(|address| address.to_lowercase())
        .collect();
    all.sort();
    all.dedup();
    all
}

fn addresses_of_record(record: &Employee) -> Vec<String> {
    let mut all: Vec<String> = [&record.email, &record.identifier]
        .into_iter()
        .filter(|address| !address.is_empty())
        .map(|address| address.to_lowercase())
        .collect();
    all.dedup();
    all
}

/// The part before the @, or after the domain of a computer's account.
fn local(address: &str) -> String {
    let account = address.rsplit('\\').next().unwrap_or(address);
    account.split('@').next().unwrap_or(account).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_through_form_and_slips() {
        assert_eq!(words("Dr. Jürgen O’Hara (Contractor)"), ["jurgen", "ohara"]);
        assert_eq!(words("Juergen Ohara"), ["jurgen", "ohara"]);
        for (one, other, slip) in [
            ("smith", "smyth", true),
            ("smith", "smiht", true),
            ("smith", "smit", true),
            ("smith", "smart", false),
        ] {
            assert_eq!(is_slip(one, other), slip, "{one} {other}");
        }
        assert_eq!(local("acme\\jdoe"), "jdoe");
        assert_eq!(local("jdoe@acme.com"), "jdoe");
    }
}
