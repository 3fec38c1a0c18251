//! The account names that companies derive from people's names and addresses.

use super::{
    addresses::squeezed,
    employee_numbers,
    folding::{fold, fold_expanded},
    lexicon::Lexicon,
    names::words_of_local_part,
    numbering::Numbering,
    record_features::{AccountAgreement, PersonFeatures},
};

/// Older systems cut logins after so many letters: `jkirchba` for J. Kirchbacher.
const SHORT_LOGIN: usize = 8;

/// Returns the key of each account name that may be this person's and that an
/// employee has, with its closest agreement; sorted by key. `prefixes` come before employee numbers in account names.
pub(super) fn accounts(
    numbering: &Numbering,
    lexicon: &Lexicon,
    prefixes: &[String],
    person: &PersonFeatures<'_>,
) -> Vec<(u32, AccountAgreement)> {
    let mut found: Vec<(u32, AccountAgreement)> = Vec::new();
    let mut whole = String::new();
    let mut add = |parts: [&str; 2], agreement: AccountAgreement| {
        whole.clear();
        whole.push_str(parts[0]);
        whole.push_str(parts[1]);
        if whole.len() > 1
            && let Some(key) = numbering.keys.find(&whole)
        {
            found.push((key, agreement));
        }
    };
    let record = person.record.person;
    if let Some(number) = record.employee_number.as_deref() {
        let number = squeezed(&fold(number));
        if number.len() >= 4 && number.bytes().any(|b| b.is_ascii_digit()) {
            add([&number, ""], AccountAgreement::EmployeeNumber);
        }
    }
    if !prefixes.is_empty()
        && let Some(digits) = employee_numbers::digits(person)
    {
        for prefix in prefixes {
            add([prefix, &digits], AccountAgreement::EmployeeNumber);
        }
    }
    let name = &person.name;
    let mut givens = forms(
        lexicon,
        name.given.first().as_slice(),
        &name.given,
        record.given_name.as_deref(),
    );
    let ends: Vec<&u32> = [name.family.first(), name.family.last()]
        .into_iter()
        .flatten()
        .collect();
    let mut families = forms(lexicon, &ends, &name.family, record.family_name.as_deref());
    // The person's address shows how a name in another script is romanized.
    let mail = person
        .email
        .or(person.login)
        .filter(|mail| person.other_script && !mail.role);
    if let Some(words) = mail.and_then(|mail| words_of_local_part(numbering.keys.text(mail.local)))
        && let [given, .., family] = &words[..]
    {
        for (forms, word) in [(&mut givens, given), (&mut families, family)] {
            if !forms.contains(word) {
                forms.push(word.clone());
            }
        }
    }
    for given in &givens {
        add([given, ""], AccountAgreement::Given);
        for family in &families {
            add([given, family], AccountAgreement::FullName);
            add([family, given], AccountAgreement::FullName);
            add([&given[..1], family], AccountAgreement::InitialFamily);
            add([family, &given[..1]], AccountAgreement::InitialFamily);
            if let Some(start) = family.get(..SHORT_LOGIN - 1).filter(|start| *start != family) {
                add([&given[..1], start], AccountAgreement::InitialFamily);
            }
            add([given, &family[..1]], AccountAgreement::GivenInitial);
        }
    }
    for family in &families {
        add([family, ""], AccountAgreement::Family);
    }
    for mail in [person.email, person.login]
        .into_iter()
        .flatten()
        .filter(|mail| !mail.role && !mail.private)
    {
        add(
            [numbering.keys.text(mail.squeezed), ""],
            AccountAgreement::LocalPart,
        );
    }
    if person.login.is_none() {
        add([&squeezed(&fold(&record.login)), ""], AccountAgreement::LocalPart);
    }
    // The closest agreement of each account remains.
    found.sort_unstable();
    found.dedup_by_key(|(key, _)| *key);
    found
}

/// Returns the forms of a part of a name in account names: single words, all
/// words joined, and `oe` for `ö`.
fn forms(lexicon: &Lexicon, single: &[&u32], all: &[u32], written: Option<&str>) -> Vec<String> {
    let text = |word: &u32| &*lexicon.get(*word).text;
    let mut forms: Vec<String> = single.iter().map(|word| text(word).to_owned()).collect();
    if all.len() > 1 {
        forms.push(all.iter().map(text).collect());
    }
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
