//! The reasons of a candidate, in words for a people-ops admin.

use super::{
    comparison::{AddressAgreement, Comparison},
    features::Features,
    name_similarity::Agreement,
    proposal::{Reason, Resemblance},
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
};
use crate::model::EmployeeId;

/// Minimum evidence of teams or dates that is worth a reason.
const MIN_REASON_BITS: f64 = 1.0;

/// Returns the agreements and contradictions of a pair, strongest first.
pub(super) fn reasons(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    comparison: &Comparison,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    reasons.extend(address_reason(comparison).map(Reason::Borrowed));
    match comparison.account {
        Some(agreement) => reasons.push(account_reason(agreement).into()),
        None => add_name_reasons(features, person, employee, comparison, &mut reasons),
    }
    if comparison.team.is_some_and(|bits| bits >= MIN_REASON_BITS) {
        reasons.push(match employee.record.team {
            Some(team) => format!("matching team ({team})").into(),
            None => "matching team".into(),
        });
    }
    if comparison.date.is_some_and(|bits| bits >= MIN_REASON_BITS) {
        reasons.push("both records were created at about the same time".into());
    }
    if employee.deactivated {
        reasons.push("the employee is deactivated in Insightful".into());
    }
    if reasons.is_empty() {
        reasons.push("only the team or the dates match".into());
    }
    reasons
}

/// Names a deactivated record of the person beside the active one.
pub(super) fn copy_reason(comparison: &Comparison, employee: &EmployeeId) -> Reason {
    let same = match (comparison.resemblance(), comparison.names_agree()) {
        (Resemblance::Address, true) => "of the same name and email",
        (Resemblance::Address, false) => "of the same email",
        (_, true) => "of the same name",
        (_, false) => "of the same account",
    };
    format!("a deactivated record {same} ({employee}) is left as it is").into()
}

fn address_reason(comparison: &Comparison) -> Option<&'static str> {
    Some(match comparison.address {
        AddressAgreement::Email if comparison.role => "same email (a shared mailbox)",
        AddressAgreement::Email => "same email",
        AddressAgreement::Login => "the employee's email is the person's login",
        AddressAgreement::FirstEmail => "the employee's first email is the person's email or login",
        AddressAgreement::SecondaryEmail => "the employee's email is the person's secondary email",
        AddressAgreement::FormerDomain => "same email except for a former domain of the company",
        AddressAgreement::UnusualLocalPart | AddressAgreement::LocalPart | AddressAgreement::SisterDomain => {
            "the emails match before the @"
        }
        AddressAgreement::Typo => "the emails differ by a typo",
        AddressAgreement::Missing | AddressAgreement::Different => return None,
    })
}

fn account_reason(agreement: AccountAgreement) -> &'static str {
    match agreement {
        AccountAgreement::EmployeeNumber => "the account name is the employee number",
        AccountAgreement::FullName => "the account name is the full name",
        AccountAgreement::LocalPart => "the account name is the part of the email before the @",
        AccountAgreement::InitialFamily => "the account name is the initial and the last name",
        AccountAgreement::GivenInitial => "the account name is the first name and an initial",
        AccountAgreement::Family => "the account name is the last name",
        AccountAgreement::Given => "the account name is the first name",
    }
}

fn add_name_reasons(
    features: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    comparison: &Comparison,
    reasons: &mut Vec<Reason>,
) {
    let name = &comparison.name;
    let from_email = employee.name.from_address || person.name.from_address;
    let note = if from_email { " (taken from the email)" } else { "" };
    // Most reasons need no allocation.
    let noted = |text: &'static str| -> Reason {
        if from_email {
            format!("{text}{note}").into()
        } else {
            text.into()
        }
    };
    let frequency = name.family_word.map(|word| {
        let with = features.lexicon.people_with_family(word);
        format!("{with} of {} people", features.people.len())
    });
    if name.given == Agreement::Equal && name.family == Agreement::Equal {
        reasons.push(noted("same name"));
        reasons.extend(frequency.map(|frequency| format!("last name of {frequency}").into()));
    } else {
        let frequency = frequency
            .map(|frequency| format!(" ({frequency})"))
            .unwrap_or_default();
        reasons.extend(match name.family {
            Agreement::Equal => Some(format!("same last name{frequency}{note}").into()),
            Agreement::Spelling => Some(format!("same last name in another spelling{frequency}").into()),
            Agreement::Compound => Some(format!("part of the last name matches{frequency}").into()),
            Agreement::Typo => Some("the last names differ by a typo".into()),
            Agreement::Initial => Some("the initial of the last name matches".into()),
            Agreement::Different => Some("different last names".into()),
            _ => None,
        });
        reasons.extend(match name.given {
            Agreement::Equal => Some(noted("same first name")),
            Agreement::Spelling => Some("same first name in another spelling".into()),
            Agreement::Nickname => {
                let given = person.record.person.given_name.as_deref().unwrap_or_default();
                let theirs = &employee.record.employee.name;
                Some(
                    format!(
                        "the first name is a nickname: {} and {}",
                        given.trim(),
                        theirs.trim()
                    )
                    .into(),
                )
            }
            Agreement::Middle => Some("a middle name is used as the first name".into()),
            Agreement::Typo => Some("the first names differ by a typo".into()),
            Agreement::Initial => Some("the initial of the first name matches".into()),
            Agreement::Different => Some("different first names".into()),
            _ => None,
        });
    }
    if name.middle_agrees {
        reasons.push("the middle names match".into());
    }
}
