//! Compares one pair of a person and an employee.

use super::{
    comparison::{AddressAgreement, Comparison},
    features::Features,
    folding::without_marks,
    learned::Learned,
    lexicon::{Lexicon, is_one_typo},
    login,
    name_similarity::{self, Agreement, NameMatch},
    numbering::Mail,
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
    weights,
};

/// Length of a local part in which one letter is a typo rather than another name.
const MIN_TYPO_LEN: usize = 5;

/// Whether a pair with such names needs a full comparison: the names do not
/// contradict each other, or an address or account name is equal.
pub(super) fn may_match(
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    name: &NameMatch,
) -> bool {
    let share_local_part = || {
        employee
            .mails()
            .any(|theirs| person.mails().any(|own| own.squeezed == theirs.squeezed))
    };
    (name.given != Agreement::Different && name.family != Agreement::Different)
        || employee.account.is_some()
        || employee.login.is_some()
        || share_local_part()
}

/// Compares a pair whose names are already compared.
pub(super) fn compare(
    features: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    name: NameMatch,
) -> Comparison {
    let lexicon = &features.lexicon;
    let words_agree = name.given.agrees() && name.family.agrees();
    let login = login::compare(features, learned, person, employee);
    // The login completes a name of one word, but contradicts no full name.
    let is_account = employee.account.is_some() || employee.name.words.len() < 2;
    let account = employee
        .account
        .and_then(|account| login::account_agreement(person, account));
    let account = [account, login.account]
        .into_iter()
        .flatten()
        .min()
        .filter(|_| is_account && !words_agree);
    let (address, mail) = compare_addresses(
        features,
        learned,
        person,
        employee,
        name.given != Agreement::Different,
    );
    let shared = mail.map_or(0, |mail| {
        features
            .address_counts
            .people(mail.id)
            .max(features.address_counts.rivals(mail.id, employee))
    });
    let of_person = |mail: Mail| person.mails().any(|own| own.id == mail.id);
    let of_employee = |mail: Mail| employee.mails().any(|own| own.id == mail.id);
    let address_name_contradicts = !words_agree
        && matches!(name.given, Agreement::Initial | Agreement::Missing)
        && employee.address_name.as_ref().is_some_and(|address_name| {
            let own = person.email_name.as_deref().unwrap_or(&person.name);
            name_similarity::compare(lexicon, own, address_name).given == Agreement::Different
        });
    let generations = (person.name.generation, employee.name.generation);
    let mut comparison = Comparison {
        name,
        account,
        login: login.agreement,
        login_bits: if account.is_some() {
            0.0
        } else {
            weights::login_bits(login.agreement)
        },
        address,
        shares_mailbox_name: !words_agree && shares_mailbox_name(features, person, employee),
        shared,
        role: mail.is_some_and(|mail| mail.role),
        has_address_of_another_person: employee
            .mails()
            .any(|mail| !mail.role && !of_person(mail) && features.address_counts.people(mail.id) > 0),
        has_address_of_another_employee: [person.email, person.login].into_iter().flatten().any(|mail| {
            !mail.role && !of_employee(mail) && features.address_counts.rivals(mail.id, employee) > 0
        }),
        address_name_contradicts,
        generation: match generations {
            (None, None) => None,
            (a, b) => Some(a == b),
        },
        generation_contradicts: matches!(generations, (Some(a), Some(b)) if a != b),
        has_address_of_namesake: words_agree
            && address > AddressAgreement::UnusualLocalPart
            && has_address_of_namesake(features, person, employee),
        team: learned.team(&person.circumstances, &employee.circumstances),
        date: learned.date(&person.circumstances, &employee.circumstances),
        bits: 0.0,
    };
    comparison.bits = weights::bits(features, person, employee, &comparison);
    comparison
}

/// Whether the person's email or login is the employee's before the @, or spells the employee's full name.
fn shares_mailbox_name(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
) -> bool {
    let is_named = |mail: &Mail| !mail.role && !mail.private;
    let words = &employee.name.words;
    person.mails().filter(is_named).any(|own| {
        let local = features.keys.text(own.squeezed);
        let mut mails = employee.mails().filter(is_named);
        mails.any(|theirs| theirs.squeezed == own.squeezed)
            || employee
                .account
                .into_iter()
                .chain(employee.login)
                .any(|(whole, _)| whole == own.squeezed)
            || (words.len() > 1
                && words
                    .iter()
                    .all(|word| features.lexicon.is_contained_in(local, *word)))
    })
}

/// Returns the closest agreement of the addresses, and the employee's address in it.
fn compare_addresses(
    features: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    names_agree: bool,
) -> (AddressAgreement, Option<Mail>) {
    use AddressAgreement::{
        Different, Email, FirstEmail, FormerDomain, LocalPart, Login, Missing, SecondaryEmail, SisterDomain,
        Typo, UnusualLocalPart,
    };
    let mut best = (Missing, None);
    let mut differs = false;
    for (is_current, theirs) in [(true, employee.email), (false, employee.identifier)] {
        let Some(theirs) = theirs else { continue };
        for (own, if_equal) in [
            (person.email, if is_current { Email } else { FirstEmail }),
            (person.login, if is_current { Login } else { FirstEmail }),
            (person.secondary, SecondaryEmail),
        ] {
            let Some(own) = own else { continue };
            let same_domain = own.domain == theirs.domain;
            let same_local_part = own.squeezed == theirs.squeezed && !own.role;
            let not_comparable =
                if_equal == SecondaryEmail || own.private || theirs.private || own.role || theirs.role;
            let agreement = if own.id == theirs.id {
                if_equal
            } else if not_comparable {
                if same_local_part { LocalPart } else { Missing }
            } else if same_local_part {
                let same_punctuation = own.local == theirs.local;
                if same_punctuation && learned.is_former_domain(&own, &theirs) {
                    FormerDomain
                } else if same_punctuation && !same_domain && is_unusual(features, person, &theirs) {
                    UnusualLocalPart
                } else if features.domain_counts.people(theirs.domain) > 0 {
                    SisterDomain
                } else {
                    LocalPart
                }
            } else if same_domain || learned.is_former_domain(&own, &theirs) {
                if names_agree && is_typo(features, person, employee, &own, &theirs) {
                    Typo
                } else {
                    differs |= same_domain;
                    Missing
                }
            } else {
                Missing
            };
            if agreement < best.0 {
                best = (agreement, Some(theirs));
            }
        }
    }
    if best.0 == Missing && differs {
        (Different, None)
    } else {
        best
    }
}

/// Whether the employee has an email of the person's company that tells a namesake from the person: the same form of the
/// name in another spelling (`smaekinen`, `smakinen`), or with a number beside a typo.
fn has_address_of_namesake(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
) -> bool {
    let Some(theirs) = employee.email.filter(|mail| !mail.private && !mail.role) else {
        return false;
    };
    let text = |key: u32| features.keys.text(key);
    let is_numbered = |mail: &Mail| mail.squeezed != mail.without_number;
    let is_of_name = |mail: &Mail| person.account_agreement(mail.squeezed).is_some();
    let is_namesakes = |own: Mail| {
        let by_spelling = || {
            is_of_name(&own)
                && is_of_name(&theirs)
                && without_marks(text(own.squeezed)) == without_marks(text(theirs.squeezed))
        };
        let by_number = || {
            is_numbered(&own) != is_numbered(&theirs)
                && text(own.without_number).len() >= MIN_TYPO_LEN
                && is_one_typo(text(own.without_number), text(theirs.without_number))
        };
        own.domain == theirs.domain && own.squeezed != theirs.squeezed && (by_spelling() || by_number())
    };
    let mut own = [person.email, person.login].into_iter().flatten();
    own.any(|own| !own.private && !own.role && is_namesakes(own))
}

/// Whether a local part has a number that does not just tell namesakes apart.
fn is_unusual(features: &Features<'_>, person: &PersonFeatures<'_>, mail: &Mail) -> bool {
    let local = features.keys.text(mail.squeezed);
    local.bytes().filter(u8::is_ascii_digit).count() >= 3 && !is_derived_from_name(person, mail)
}

/// Whether companies derive such a local part from the person's name, digits aside.
fn is_derived_from_name(person: &PersonFeatures<'_>, mail: &Mail) -> bool {
    person
        .account_agreement(mail.without_number)
        .is_some_and(|agreement| {
            !matches!(
                agreement,
                AccountAgreement::LocalPart | AccountAgreement::EmployeeNumber
            )
        })
}

/// Whether the employee's address is the person's with one typo, and neither another
/// form of the name nor another name. Digits and middle initials tell namesakes
/// apart.
fn is_typo(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    own: &Mail,
    theirs: &Mail,
) -> bool {
    let text = |key: u32| features.keys.text(key);
    let (a, b) = (text(own.local), text(theirs.local));
    let digits = |text: &str| -> Vec<u8> { text.bytes().filter(u8::is_ascii_digit).collect() };
    let near = a.len().min(b.len()) >= MIN_TYPO_LEN
        && a.len().abs_diff(b.len()) <= 1
        && a.as_bytes()[0] == b.as_bytes()[0]
        && is_one_typo(a, b)
        && digits(a) == digits(b);
    let middle_initial = || {
        let given: Vec<u32> = person
            .name
            .given_and_middle()
            .chain(employee.name.words.iter().copied())
            .collect();
        let family: Vec<u32> = [&person.name.family[..], &employee.name.words].concat();
        is_middle_initial(
            &features.lexicon,
            [text(own.squeezed), text(theirs.squeezed)],
            &given,
            &family,
        )
    };
    near && without_marks(a) != without_marks(b)
        && !is_derived_from_name(person, theirs)
        && !middle_initial()
        && !is_initial_of_employee(features, person, employee, theirs)
        && {
            let words = person.name.given.iter().chain(&person.name.family);
            !words
                .copied()
                .any(|word| features.lexicon.remainder_is_name(text(theirs.squeezed), word))
        }
}

/// Whether the employee's local part is a last name and the initial of the employee's first name, which is not the
/// person's: `yousfim` and `yousfik` of Mounir and Khaled Yousfi.
fn is_initial_of_employee(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    theirs: &Mail,
) -> bool {
    let lexicon = &features.lexicon;
    let local = features.keys.text(theirs.squeezed);
    let first = employee.name.words.first().copied();
    let Some(first) = first.filter(|first| !person.name.given.contains(first)) else {
        return false;
    };
    let initial = &lexicon.get(first).text[..1];
    person.name.family.iter().any(|family| {
        let family = &*lexicon.get(*family).text;
        local.strip_prefix(family) == Some(initial) || local.strip_suffix(family) == Some(initial)
    })
}

/// Whether the one letter in which two local parts differ is in the place of a
/// middle initial: between given and family name or after both, one of which may
/// be an initial. `john.d.smith` and `john.r.smith`, `jsmith` and `jrsmith`.
fn is_middle_initial(lexicon: &Lexicon, locals: [&str; 2], given: &[u32], family: &[u32]) -> bool {
    let [short, long] = if locals[0].len() <= locals[1].len() {
        locals
    } else {
        [locals[1], locals[0]]
    };
    let is = |text: &str, words: &[u32], initial: bool| {
        words.iter().any(|word| {
            let word = &*lexicon.get(*word).text;
            text == word || without_marks(text) == without_marks(word) || (initial && text == &word[..1])
        })
    };
    let stands_between = |before: &str, after: &str| {
        (is(before, given, true) && is(after, family, false))
            || (is(before, family, false) && is(after, given, true))
            || (after.is_empty()
                && (1..before.len()).any(|at| {
                    let (a, b) = before.split_at(at);
                    (is(a, family, false) && is(b, given, true))
                        || (is(a, given, true) && is(b, family, false))
                }))
    };
    (1..long.len()).any(|at| {
        let (before, after) = (&long[..at], &long[at + 1..]);
        let other = if short.len() == long.len() {
            short.get(at + 1..)
        } else {
            short.get(at..)
        };
        short.starts_with(before) && other == Some(after) && stands_between(before, after)
    })
}
