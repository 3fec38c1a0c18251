//! The account names that companies make of people's names and addresses.

use super::{
    addresses::squeezed,
    features::{Numbers, PersonFeatures},
    folding::{fold, fold_expanded},
    lexicon::Lexicon,
    names::spelt_name,
};

/// How an account name fits a person, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It is the employee number.
    Number,
    /// Given and family name in full.
    Full,
    /// It is what stands before the @ of the person's address.
    Local,
    /// Initial and family name.
    InitialFamily,
    /// Given name and initial.
    GivenInitial,
    /// The family name alone.
    Family,
    /// The given name alone.
    Given,
}

/// Every account name that companies make of this person's name and addresses,
/// as far as an employee has it.
pub(super) fn accounts(numbers: &Numbers, lexicon: &Lexicon, person: &PersonFeatures<'_>) -> Vec<(u32, Fit)> {
    let mut found: Vec<(u32, Fit)> = Vec::new();
    let mut whole = String::new();
    let mut add = |parts: [&str; 2], fit: Fit| {
        whole.clear();
        whole.push_str(parts[0]);
        whole.push_str(parts[1]);
        if whole.len() > 1
            && let Some(key) = numbers.keys.find(&whole)
        {
            found.push((key, fit));
        }
    };
    let record = person.subject.person;
    if let Some(number) = record.employee_number.as_deref() {
        let number = squeezed(&fold(number));
        if number.len() >= 4 && number.bytes().any(|b| b.is_ascii_digit()) {
            add([&number, ""], Fit::Number);
        }
    }
    let name = &person.name;
    let givens = forms(
        lexicon,
        name.given.first().as_slice(),
        &name.given,
        record.given_name.as_deref(),
    );
    let ends: Vec<&u32> = [name.family.first(), name.family.last()]
        .into_iter()
        .flatten()
        .collect();
    let families = forms(lexicon, &ends, &name.family, record.family_name.as_deref());
    let (mut givens, mut families) = (givens, families);
    // Which Latin letters stand for those of another script, the person's address shows best.
    let mail = person
        .email
        .or(person.login)
        .filter(|mail| person.other_script && !mail.role);
    if let Some(spelt) = mail.and_then(|mail| spelt_name(numbers.keys.text(mail.written)))
        && let [given, .., family] = &spelt[..]
    {
        for (forms, word) in [(&mut givens, given), (&mut families, family)] {
            if !forms.contains(word) {
                forms.push(word.clone());
            }
        }
    }
    for given in &givens {
        add([given, ""], Fit::Given);
        for family in &families {
            add([given, family], Fit::Full);
            add([family, given], Fit::Full);
            add([&given[..1], family], Fit::InitialFamily);
            add([family, &given[..1]], Fit::InitialFamily);
            add([given, &family[..1]], Fit::GivenInitial);
        }
    }
    for family in &families {
        add([family, ""], Fit::Family);
    }
    for mail in [person.email, person.login]
        .into_iter()
        .flatten()
        .filter(|mail| !mail.role && !mail.private)
    {
        add([numbers.keys.text(mail.local), ""], Fit::Local);
    }
    if person.login.is_none() {
        add([&squeezed(&fold(&record.login)), ""], Fit::Local);
    }
    // Of two fits of one account the surest counts.
    found.sort_unstable();
    found.dedup_by_key(|(key, _)| *key);
    found
}

/// The forms that a part of a name takes in account names: single words, all
/// joined, and with `oe` for `ö`.
fn forms(lexicon: &Lexicon, single: &[&u32], all: &[u32], written: Option<&str>) -> Vec<String> {
    let text = |word: &u32| &*lexicon.get(*word).text;
    let mut forms: Vec<String> = single.iter().map(|word| text(word).to_owned()).collect();
    if all.len() > 1 {
        forms.push(all.iter().map(text).collect());
    }
    // Only where it differs, and there is one word to differ in.
    if let Some(written) = written.filter(|written| all.len() == 1 && !written.is_ascii()) {
        let expanded = squeezed(&fold_expanded(written));
        if !expanded.is_empty() && expanded.bytes().all(|b| b.is_ascii_alphabetic()) {
            forms.push(expanded);
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}
