//! What speaks for and against one pair.

use super::{
    accounts::Fit,
    features::{EmployeeFeatures, Features, Mail, PersonFeatures},
    folding::without_marks,
    learned::Learned,
    lexicon::{Lexicon, one_slip},
    name_similarity::{self, NameMatch, Part},
    weights,
};

/// How the addresses of a pair relate, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// The work email is the employee's email.
    Current,
    /// The login is the employee's email.
    Login,
    /// The email or login is the employee's first email.
    First,
    /// The secondary email is the employee's.
    Second,
    /// Equal but for the domain, which the company gave up.
    Moved,
    /// Equal local parts that no name explains, such as `u104233`.
    OddLocal,
    /// One slip apart in the same domain.
    Near,
    /// Equal local parts, as namesakes would have.
    Local,
    /// Equal local parts, written otherwise or in another domain of the
    /// company: two people, as likely as not.
    Sister,
    /// Nothing to compare.
    Unknown,
    /// Two addresses of the company: they contradict.
    Differs,
}

/// One pair, compared.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) name: NameMatch,
    /// Where the employee's name is an account name that fits.
    pub(super) account: Option<Fit>,
    pub(super) link: Link,
    /// How many people or employees have the linking address, whichever are more.
    pub(super) shared: u32,
    /// The linking address is a role's.
    pub(super) role: bool,
    /// The employee has an address that another person has and this one has not.
    pub(super) of_another: bool,
    /// The person has an address that another employee has and this one has not.
    pub(super) has_another: bool,
    /// What the employee's address spells contradicts the person's name.
    pub(super) spelt_contradicts: bool,
    /// Whether `Jr.` and the like agree; None if neither side has one.
    pub(super) generation: Option<bool>,
    /// Both sides have one, and they differ.
    pub(super) generation_contradicts: bool,
    /// What the teams say, in bits.
    pub(super) team: Option<f64>,
    /// What the dates say, in bits; None where they say nothing.
    pub(super) date: Option<f64>,
    /// The sum.
    pub(super) bits: f64,
}

/// Whether a pair whose names compare so is worth a whole comparison: names that
/// do not contradict, or an address or account name in common.
pub(super) fn may_be(person: &PersonFeatures<'_>, employee: &EmployeeFeatures<'_>, name: &NameMatch) -> bool {
    let shared = || {
        employee
            .mails()
            .any(|theirs| person.mails().any(|own| own.local == theirs.local))
    };
    (name.given != Part::Different && name.family != Part::Different)
        || employee.account.is_some()
        || shared()
}

/// Compares a pair whose names compare so.
pub(super) fn compare(
    facts: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    name: NameMatch,
) -> Comparison {
    let lexicon = &facts.lexicon;
    let words_agree = name.given.agrees() && name.family.agrees();
    let account = employee
        .account
        .filter(|_| !words_agree)
        .and_then(|(whole, bare)| {
            let fits = |key: u32| {
                person
                    .accounts
                    .binary_search_by_key(&key, |(account, _)| *account)
                    .ok()
                    .map(|at| person.accounts[at].1)
            };
            fits(whole).or_else(|| fits(bare).filter(|fit| *fit > Fit::Number))
        });
    let (link, mail) = link(facts, learned, person, employee, name.given != Part::Different);
    let shared = mail.map_or(0, |mail| {
        facts
            .by_mail
            .people(mail.id)
            .max(facts.by_mail.employees(mail.id))
    });
    let of_person = |mail: Mail| person.mails().any(|own| own.id == mail.id);
    let of_employee = |mail: Mail| employee.mails().any(|own| own.id == mail.id);
    let spelt_contradicts = !words_agree
        && employee.spelt.as_ref().is_some_and(|spelt| {
            matches!(name.given, Part::Initial | Part::Missing)
                && name_similarity::compare(lexicon, &person.name, spelt).given == Part::Different
        });
    let generations = (person.name.generation, employee.name.generation);
    let mut comparison = Comparison {
        name,
        account,
        link,
        shared,
        role: mail.is_some_and(|mail| mail.role),
        of_another: employee
            .mails()
            .any(|mail| !mail.role && !of_person(mail) && facts.by_mail.people(mail.id) > 0),
        has_another: [person.email, person.login]
            .into_iter()
            .flatten()
            .any(|mail| !mail.role && !of_employee(mail) && facts.by_mail.employees(mail.id) > 0),
        spelt_contradicts,
        generation: match generations {
            (None, None) => None,
            (a, b) => Some(a == b),
        },
        generation_contradicts: matches!(generations, (Some(a), Some(b)) if a != b),
        team: learned.team(&person.circumstances, &employee.circumstances),
        date: learned.date(&person.circumstances, &employee.circumstances),
        bits: 0.0,
    };
    comparison.bits = weights::bits(facts, person, employee, &comparison);
    comparison
}

/// The surest link between the addresses, and the employee's address in it.
fn link(
    facts: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    names_fit: bool,
) -> (Link, Option<Mail>) {
    let mut best = (Link::Unknown, None);
    let mut differs = false;
    let mut offer = |link: Link, mail: Mail| {
        // Among equal addresses one that is nobody else's says more.
        if link < best.0 {
            best = (link, Some(mail));
        }
    };
    for (is_email, theirs) in employee
        .email
        .iter()
        .map(|mail| (true, mail))
        .chain(employee.identifier.iter().map(|mail| (false, mail)))
    {
        for (own, at_best) in [
            (person.email, if is_email { Link::Current } else { Link::First }),
            (person.login, if is_email { Link::Login } else { Link::First }),
            (person.second, Link::Second),
        ] {
            let Some(own) = own else { continue };
            if own.id == theirs.id {
                offer(at_best, *theirs);
            } else if at_best == Link::Second || own.private || theirs.private {
                if own.local == theirs.local && !own.role {
                    offer(Link::Local, *theirs);
                }
            } else if own.local == theirs.local && !own.role {
                let same = own.written == theirs.written;
                if same && learned.moved(&own, theirs) {
                    offer(Link::Moved, *theirs);
                } else if same && own.domain != theirs.domain && is_odd(facts, person, theirs) {
                    offer(Link::OddLocal, *theirs);
                } else if facts.by_domain.people(theirs.domain) > 0 {
                    offer(Link::Sister, *theirs);
                } else {
                    offer(Link::Local, *theirs);
                }
            } else if own.domain == theirs.domain || learned.moved(&own, theirs) {
                if names_fit && is_slip(facts, person, employee, &own, theirs) {
                    offer(Link::Near, *theirs);
                } else {
                    differs |= own.domain == theirs.domain;
                }
            }
        }
    }
    if best.0 == Link::Unknown && differs {
        (Link::Differs, None)
    } else {
        best
    }
}

/// Whether the local part has a number of its own, not one that tells namesakes apart.
fn is_odd(facts: &Features<'_>, person: &PersonFeatures<'_>, mail: &Mail) -> bool {
    let local = facts.keys.text(mail.local);
    local.bytes().filter(u8::is_ascii_digit).count() >= 3 && !is_made_of_name(person, mail)
}

/// Whether the local part is one that companies make of the person's name, numbered or not.
fn is_made_of_name(person: &PersonFeatures<'_>, mail: &Mail) -> bool {
    person
        .accounts
        .iter()
        .any(|(key, fit)| *key == mail.bare && !matches!(fit, Fit::Local | Fit::Number))
}

/// Whether the employee's address is the person's own, misspelt: one slip
/// apart, and neither another form of the name nor another name. Digits and
/// middle initials tell namesakes apart and are no slips.
fn is_slip(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    own: &Mail,
    theirs: &Mail,
) -> bool {
    let text = |key: u32| facts.keys.text(key);
    let (a, b) = (text(own.written), text(theirs.written));
    let digits = |text: &str| {
        text.bytes()
            .filter(u8::is_ascii_digit)
            .map(char::from)
            .collect::<String>()
    };
    let near = a.len().min(b.len()) >= 5
        && a.len().abs_diff(b.len()) <= 1
        && a.as_bytes()[0] == b.as_bytes()[0]
        && one_slip(a, b)
        && digits(a) == digits(b);
    let middle_initial = || {
        let given: Vec<u32> = person
            .name
            .given_and_middle()
            .chain(employee.name.words.iter().copied())
            .collect();
        let family: Vec<u32> = [&person.name.family[..], &employee.name.words].concat();
        is_middle_initial(
            &facts.lexicon,
            [text(own.local), text(theirs.local)],
            &given,
            &family,
        )
    };
    near && without_marks(a) != without_marks(b) && !is_made_of_name(person, theirs) && !middle_initial() && {
        let words = person.name.given.iter().chain(&person.name.family);
        !words
            .copied()
            .any(|word| facts.lexicon.rest_is_name(text(theirs.local), word))
    }
}

/// Whether the one letter in which two local parts differ stands where a middle
/// initial would: between given and family name, or after both, each in full or
/// as an initial. `john.d.smith` and `john.r.smith`, `jsmith` and `jrsmith`.
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

impl Comparison {
    /// Whether anything at all speaks for the pair.
    pub(super) fn is_plausible(&self) -> bool {
        self.account.is_some()
            || self.link <= Link::Local
            || self.name.given < Part::Initial
            || self.name.family < Part::Initial
    }
}
