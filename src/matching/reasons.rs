//! Why a pair may be one human, in words for a people-ops admin.

use std::borrow::Cow;

use super::{
    Reason,
    accounts::Fit,
    compare::{Comparison, Link},
    features::{EmployeeFeatures, Features, PersonFeatures},
    name_similarity::Part,
};

/// Bits from which teams or dates are worth a word.
const WORTH_A_WORD: f64 = 1.0;

/// What speaks for a pair and what against it, the strongest first.
pub(super) fn reasons(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    reasons.extend(link(found).map(Cow::Borrowed));
    match found.account {
        Some(fit) => reasons.push(account(fit).into()),
        None => names(facts, person, employee, found, &mut reasons),
    }
    if found.team.is_some_and(|bits| bits >= WORTH_A_WORD) {
        reasons.push(match employee.object.team {
            Some(team) => format!("the team fits ({team})").into(),
            None => "the team fits".into(),
        });
    }
    if found.date.is_some_and(|bits| bits >= WORTH_A_WORD) {
        reasons.push("both records were made at about the same time".into());
    }
    if employee.object.employee.deactivated {
        reasons.push("the employee is deactivated in Insightful".into());
    }
    if reasons.is_empty() {
        reasons.push("little more than the time or the team speaks for it".into());
    }
    reasons
}

/// Most reasons are the same words for many people, and kept once.
fn with_note(what: &'static str, note: &str) -> Reason {
    if note.is_empty() {
        what.into()
    } else {
        format!("{what}{note}").into()
    }
}

fn link(found: &Comparison) -> Option<&'static str> {
    Some(match found.link {
        Link::Current if found.role => "same email, a shared mailbox's",
        Link::Current => "same email",
        Link::Login => "the employee's email is this person's login",
        Link::First => "the employee's first email was this person's email",
        Link::Second => "the employee's email is this person's secondary email",
        Link::Moved => "same email but for a domain that the company gave up",
        Link::OddLocal | Link::Local | Link::Sister => "same email but for what follows the @",
        Link::Near => "the emails differ in one letter",
        Link::Unknown | Link::Differs => return None,
    })
}

fn account(fit: Fit) -> &'static str {
    match fit {
        Fit::Number => "the account name is this person's employee number",
        Fit::Full => "the account name is this person's whole name",
        Fit::Local => "the account name is what stands before the @ of this person's email",
        Fit::InitialFamily => "the account name is this person's initial and last name",
        Fit::GivenInitial => "the account name is this person's first name and initial",
        Fit::Family => "the account name is this person's last name",
        Fit::Given => "the account name is this person's first name",
    }
}

fn names(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
    reasons: &mut Vec<Reason>,
) {
    let name = &found.name;
    let spelt = if employee.name.from_address || person.name.from_address {
        ", as the address spells it"
    } else {
        ""
    };
    let given = person
        .subject
        .person
        .given_name
        .as_deref()
        .unwrap_or_default()
        .trim();
    let rarity = name.family_word.map(|word| {
        let (with, all) = (facts.lexicon.people_with_family(word), facts.people.len());
        format!("{with} of {all} here")
    });
    if name.given == Part::Equal && name.family == Part::Equal {
        reasons.push(with_note("same name", spelt));
        if let Some(rarity) = rarity {
            reasons.push(format!("last name borne by {rarity}").into());
        }
    } else {
        let rarity = rarity.map(|rarity| format!(" ({rarity})")).unwrap_or_default();
        reasons.extend(match name.family {
            Part::Equal => Some(format!("same last name{rarity}{spelt}").into()),
            Part::Spelling => Some(format!("same last name in another spelling{rarity}").into()),
            Part::Compound => Some(format!("part of the last name agrees{rarity}").into()),
            Part::Slip => Some("last names one slip apart".into()),
            Part::Initial => Some("the last name's initial fits".into()),
            Part::Different => Some("the last names differ".into()),
            _ => None,
        });
        reasons.extend(match name.given {
            Part::Equal => Some(with_note("same first name", spelt)),
            Part::Spelling => Some("same first name in another spelling".into()),
            Part::Nickname => Some(
                format!(
                    "the first name is a nickname: {given} and {}",
                    employee.object.employee.name.trim()
                )
                .into(),
            ),
            Part::Middle => Some("goes by a middle name".into()),
            Part::Slip => Some("first names one slip apart".into()),
            Part::Initial => Some("the first name's initial fits".into()),
            Part::Different => Some("the first names differ".into()),
            _ => None,
        });
    }
    if name.middle_agrees {
        reasons.push("the middle names agree".into());
    }
}
