//! What each agreement and contradiction weighs, in bits: one bit doubles the
//! odds. README.md says where each comes from.

use super::{
    accounts::Fit,
    compare::{Comparison, Link},
    features::{EmployeeFeatures, Features, PersonFeatures},
    name_similarity::Part,
};

/// A name says at most this much, however rare it is: a slip, an alias or a
/// relative is never rarer than one of some thousand.
const MOST_GIVEN: f64 = 11.0;
/// See [`MOST_GIVEN`].
const MOST_FAMILY: f64 = 13.0;

/// The sum for one pair.
pub(super) fn bits(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
) -> f64 {
    let names = match found.account {
        Some(fit) => account(facts, person, fit),
        None => name(facts, found),
    };
    let circumstances = found.team.unwrap_or(0.0) + found.date.unwrap_or(0.0);
    names + link(found) + state(person, employee) + circumstances
}

fn given_rarity(facts: &Features<'_>, word: Option<u32>) -> f64 {
    word.map_or(0.0, |word| {
        facts.lexicon.given_rarity(word).clamp(1.0, MOST_GIVEN)
    })
}

fn family_rarity(facts: &Features<'_>, word: Option<u32>) -> f64 {
    word.map_or(0.0, |word| {
        facts.lexicon.family_rarity(word).clamp(1.0, MOST_FAMILY)
    })
}

fn name(facts: &Features<'_>, found: &Comparison) -> f64 {
    let name = &found.name;
    let (g, f) = (
        given_rarity(facts, name.given_word),
        family_rarity(facts, name.family_word),
    );
    let given = match name.given {
        Part::Equal => g,
        Part::Spelling => g - 1.0,
        Part::Nickname => g.min(8.0) - 2.0,
        Part::Middle => g - 3.0,
        Part::Slip => g.min(6.0) - 2.0,
        Part::Initial => 2.5,
        Part::Compound | Part::Missing => 0.0,
        Part::Different => -8.0,
    };
    let family = match name.family {
        Part::Equal => f,
        Part::Spelling => f - 1.0,
        Part::Compound => f - 2.0,
        Part::Slip => f.min(8.0) - 2.0,
        Part::Initial => 2.5,
        Part::Nickname | Part::Middle | Part::Missing => 0.0,
        Part::Different => -5.0,
    };
    let generation = match found.generation {
        Some(true) => 4.0,
        Some(false) if found.generation_contradicts => -9.0,
        Some(false) => -3.0,
        None => 0.0,
    };
    let middle =
        f64::from(i8::from(name.middle_agrees)) * 4.0 - f64::from(i8::from(name.middle_differs)) * 6.0;
    let order = if name.swapped { -0.5 } else { 0.0 };
    // What an address spells repeats the name; it does not add to it.
    let spelt = if found.spelt_contradicts { -6.0 } else { 0.0 };
    let compound = if name.family_contradicts { -4.0 } else { 0.0 };
    given + family + compound + generation + middle + order + spelt
}

fn account(facts: &Features<'_>, person: &PersonFeatures<'_>, fit: Fit) -> f64 {
    let g = given_rarity(facts, person.name.given.first().copied());
    let f = family_rarity(facts, person.name.family.last().copied());
    match fit {
        Fit::Number => 18.0,
        Fit::Full => g + f - 1.0,
        Fit::Local => (f + 3.0).max(10.0),
        Fit::InitialFamily => f + 1.5,
        Fit::GivenInitial => g + 1.0,
        Fit::Family => f - 2.0,
        Fit::Given => g - 2.0,
    }
}

fn link(found: &Comparison) -> f64 {
    let bits: f64 = match found.link {
        Link::Current => 22.0,
        Link::First => 20.0,
        Link::Login => 21.0,
        Link::Second => 18.0,
        Link::Moved => 16.0,
        Link::Near => 7.0,
        Link::OddLocal => 9.0,
        Link::Local => 3.0,
        Link::Sister => 1.0,
        Link::Unknown => 0.0,
        Link::Differs => -3.0,
    };
    let bits = if found.role {
        bits.min(5.0)
    } else if found.shared > 1 {
        // Of n who share it, one is meant.
        (bits - 4.0).min(14.0) - f64::from(found.shared).log2()
    } else {
        bits
    };
    let of_another = if found.of_another { -9.0 } else { 0.0 };
    let has_another = if found.has_another { -4.0 } else { 0.0 };
    bits + of_another + has_another
}

fn state(person: &PersonFeatures<'_>, employee: &EmployeeFeatures<'_>) -> f64 {
    match (person.subject.departed, employee.deactivated) {
        (false, true) => -6.0,
        (true, true) => 2.0,
        (true, false) => -1.0,
        (false, false) => 0.0,
    }
}
