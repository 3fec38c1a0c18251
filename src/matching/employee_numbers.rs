//! Learns what a company puts before employee numbers to make logins of them: `u104233`, `EMP-104233`.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};

use super::{
    addresses::squeezed,
    folding::fold,
    lexicon::Lexicon,
    numbering::Numbering,
    record_features::{EmployeeFeatures, PersonFeatures},
};

/// Minimum number of digits of a number that is compared. Short ones are years, or tell namesakes apart.
const MIN_DIGITS: usize = 4;
/// Maximum number of letters before the number.
const MAX_LETTERS: usize = 6;
/// Minimum number of people who have a login of this form, and the maximum share, in percent, of those whose name
/// contradicts it.
const MIN_PEOPLE: usize = 3;
const MAX_PERCENT_CONTRADICTED: usize = 10;

/// The digits at the end of a person's employee number.
pub(super) fn digits(person: &PersonFeatures<'_>) -> Option<String> {
    let number = squeezed(&fold(person.record.person.employee_number.as_deref()?));
    let (_, digits) = split(&number);
    (digits.len() >= MIN_DIGITS).then(|| digits.to_owned())
}

/// Returns the text before the digits at the end, and these.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

/// What is known about one prefix.
#[derive(Default)]
struct Uses {
    /// People who have a login of this form: they log in to Okta with it, or the record with it has their name.
    people: HashSet<usize>,
    /// Records with the number of a person and the name of another.
    contradicted: usize,
}

/// Returns the prefixes with which logins are made of employee numbers.
pub(super) fn prefixes(
    numbering: &Numbering,
    lexicon: &Lexicon,
    people: &[PersonFeatures<'_>],
    employees: &[EmployeeFeatures<'_>],
) -> Vec<String> {
    let mut by_number: HashMap<String, Option<usize>> = HashMap::default();
    for (at, person) in people.iter().enumerate() {
        if let Some(digits) = digits(person) {
            by_number
                .entry(digits)
                .and_modify(|only| *only = None)
                .or_insert(Some(at));
        }
    }
    if by_number.is_empty() {
        return Vec::new();
    }
    let mut uses: BTreeMap<&str, Uses> = BTreeMap::new();
    let prefix_and_person = |key: u32| {
        let (prefix, digits) = split(numbering.keys.text(key));
        let person = by_number.get(digits).copied().flatten()?;
        let is_prefix =
            (1..=MAX_LETTERS).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_alphabetic());
        is_prefix.then_some((prefix, person))
    };
    for (at, person) in people.iter().enumerate() {
        for mail in person.mails().filter(|mail| !mail.private) {
            if let Some((prefix, of)) = prefix_and_person(mail.squeezed)
                && of == at
            {
                uses.entry(prefix).or_default().people.insert(at);
            }
        }
    }
    for employee in employees {
        let logins = employee.account.into_iter().chain(employee.login);
        let Some((prefix, at)) = logins.map(|(whole, _)| whole).find_map(prefix_and_person) else {
            continue;
        };
        let canonical = |word: &u32| lexicon.get(*word).canonical;
        let theirs: HashSet<u32> = employee.name.words.iter().map(canonical).collect();
        let own = people[at].name.words();
        let common = own
            .iter()
            .filter(|word| theirs.contains(&canonical(word)))
            .count();
        let uses = uses.entry(prefix).or_default();
        if common == own.len() && common > 1 {
            uses.people.insert(at);
        } else if common == 0 && employee.account.is_none() {
            uses.contradicted += 1;
        }
    }
    let is_convention = |uses: &Uses| {
        let people = uses.people.len();
        people >= MIN_PEOPLE
            && uses.contradicted * 100 <= (people + uses.contradicted) * MAX_PERCENT_CONTRADICTED
    };
    let conventions = uses.into_iter().filter(|(_, uses)| is_convention(uses));
    conventions.map(|(prefix, _)| prefix.to_owned()).collect()
}
