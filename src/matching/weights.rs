//! The weight of each agreement and contradiction, in bits. README.md lists the sources.

use super::{
    comparison::{AddressAgreement, Comparison},
    features::Features,
    login::LoginAgreement,
    name_similarity::Agreement,
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
};

/// Maximum weights of names: a typo, an alias or a relative is more likely than a
/// very rare name.
const MAX_GIVEN_BITS: f64 = 11.0;
const MAX_FAMILY_BITS: f64 = 13.0;

/// Returns the weight of the login in an employee's identifier, beside the name.
pub(super) fn login_bits(login: LoginAgreement) -> f64 {
    match login {
        LoginAgreement::EmployeeNumber => 12.0,
        LoginAgreement::OwnInDomain => 8.0,
        LoginAgreement::OwnElsewhere => 1.0,
        LoginAgreement::Derived => 1.5,
        LoginAgreement::Uninformative => 0.0,
        LoginAgreement::OfAnother => -5.0,
    }
}

/// Returns the total weight of a pair.
pub(super) fn bits(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    comparison: &Comparison,
) -> f64 {
    let names = match comparison.account {
        Some(agreement) => account_bits(features, person, agreement),
        None => name_bits(features, comparison),
    };
    names
        + comparison.login_bits
        + address_bits(comparison)
        + state_bits(person, employee)
        + comparison.circumstances()
}

fn bits_if(condition: bool, bits: f64) -> f64 {
    if condition { bits } else { 0.0 }
}

fn given_rarity(features: &Features<'_>, word: Option<u32>) -> f64 {
    word.map_or(0.0, |word| {
        features.lexicon.given_rarity(word).clamp(1.0, MAX_GIVEN_BITS)
    })
}

fn family_rarity(features: &Features<'_>, word: Option<u32>) -> f64 {
    word.map_or(0.0, |word| {
        features.lexicon.family_rarity(word).clamp(1.0, MAX_FAMILY_BITS)
    })
}

fn name_bits(features: &Features<'_>, comparison: &Comparison) -> f64 {
    let name = &comparison.name;
    let (g, f) = (
        given_rarity(features, name.given_word),
        family_rarity(features, name.family_word),
    );
    let given = match name.given {
        Agreement::Equal => g,
        Agreement::Spelling => g - 1.0,
        Agreement::Nickname => g.min(8.0) - 2.0,
        Agreement::Middle => g - 3.0,
        Agreement::Typo => g.min(6.0) - 2.0,
        Agreement::Initial => 2.5,
        Agreement::Compound | Agreement::Missing => 0.0,
        Agreement::Different => -8.0,
    };
    let family = match name.family {
        Agreement::Equal => f,
        Agreement::Spelling => f - 1.0,
        Agreement::Compound => f - 2.0,
        Agreement::Typo => f.min(8.0) - 2.0,
        Agreement::Initial => 2.5,
        Agreement::Nickname | Agreement::Middle | Agreement::Missing => 0.0,
        Agreement::Different => -5.0,
    };
    let generation = match comparison.generation {
        Some(true) => 4.0,
        Some(false) if comparison.generation_contradicts => -9.0,
        Some(false) => -3.0,
        None => 0.0,
    };
    let middle = bits_if(name.middle_agrees, 4.0) + bits_if(name.middle_contradicts, -6.0);
    let order = bits_if(name.swapped, -0.5);
    let address_name = bits_if(comparison.address_name_contradicts, -6.0);
    let compound = bits_if(name.family_contradicts, -4.0);
    let both_differ = name.given == Agreement::Different && name.family == Agreement::Different;
    let handed_on = bits_if(both_differ, -4.0);
    given + family + compound + handed_on + generation + middle + order + address_name
}

fn account_bits(features: &Features<'_>, person: &PersonFeatures<'_>, agreement: AccountAgreement) -> f64 {
    let g = given_rarity(features, person.name.given.first().copied());
    let f = family_rarity(features, person.name.family.last().copied());
    match agreement {
        AccountAgreement::EmployeeNumber => 18.0,
        AccountAgreement::FullName => g + f - 1.0,
        AccountAgreement::LocalPart => (f + 3.0).max(10.0),
        AccountAgreement::InitialFamily => f + 1.5,
        AccountAgreement::GivenInitial => g + 1.0,
        AccountAgreement::Family => f - 2.0,
        AccountAgreement::Given => g - 2.0,
    }
}

fn address_bits(comparison: &Comparison) -> f64 {
    let bits: f64 = match comparison.address {
        AddressAgreement::Email => 22.0,
        AddressAgreement::FirstEmail => 20.0,
        AddressAgreement::Login => 21.0,
        AddressAgreement::SecondaryEmail => 18.0,
        AddressAgreement::FormerDomain => 16.0,
        AddressAgreement::Typo => 7.0,
        AddressAgreement::UnusualLocalPart => 9.0,
        AddressAgreement::LocalPart => 3.0,
        AddressAgreement::SisterDomain => 1.0,
        AddressAgreement::Missing => 0.0,
        AddressAgreement::Different => -3.0,
    };
    let bits = if comparison.role {
        bits.min(5.0)
    } else if comparison.shared > 1 {
        // One of those who share the address is meant.
        (bits - 4.0).min(14.0) - f64::from(comparison.shared).log2()
    } else {
        bits
    };
    bits + bits_if(comparison.has_address_of_another_person, -9.0)
        + bits_if(comparison.has_address_of_another_employee, -4.0)
}

fn state_bits(person: &PersonFeatures<'_>, employee: &EmployeeFeatures<'_>) -> f64 {
    match (person.record.departed, employee.deactivated) {
        (false, true) => -6.0,
        (true, true) => 2.0,
        (true, false) => -1.0,
        (false, false) => 0.0,
    }
}
