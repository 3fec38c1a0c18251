//! The reasons of a candidate, in words for a people-ops admin.

use super::{
    comparison::{AddressAgreement, Comparison},
    features::Features,
    folding::fold,
    name_similarity::Agreement,
    numbering::Mail,
    proposal::{Reason, Resemblance},
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
};
use crate::model::{EmployeeId, text};

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
    reasons.extend(address_reason(person, employee, comparison));
    match comparison.account {
        Some(_) if person.has_same_single_name(employee) => reasons.push("same name".into()),
        Some(agreement) => reasons.push(account_reason(agreement, employee).into()),
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
        (Resemblance::Address, true) if comparison.address == AddressAgreement::Email => {
            "of the same name and email"
        }
        (Resemblance::Address, true) => "of the same name and address",
        (Resemblance::Address, false) => "of the same address",
        (_, true) => "of the same name",
        (_, false) => "of the same account",
    };
    format!("a deactivated record {same} ({employee}) is left as it is").into()
}

/// What the addresses of a pair have in common, and what of them differs nevertheless.
fn address_reason(
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    comparison: &Comparison,
) -> Option<Reason> {
    let (own, theirs) = (person.record.person, employee.record.employee);
    let own = [
        (person.email, own.email.as_deref()),
        (person.login, Some(own.login.as_str())),
        (person.secondary, own.second_email.as_deref()),
    ];
    let theirs = [
        (employee.email, Some(theirs.email.as_str())),
        (employee.identifier, Some(theirs.identifier.as_str())),
    ];
    let pairs = own
        .iter()
        .flat_map(|own| theirs.iter().map(move |theirs| (own, theirs)));
    let written = |is_pair: fn(&Mail, &Mail) -> bool| {
        let mut pairs = pairs
            .clone()
            .filter_map(|((own, own_text), (theirs, their_text))| {
                is_pair(own.as_ref()?, theirs.as_ref()?).then_some(((*own_text)?, (*their_text)?))
            });
        pairs.next()
    };
    let is_equal = |own: &Mail, theirs: &Mail| own.id == theirs.id;
    let is_alike = |own: &Mail, theirs: &Mail| own.squeezed == theirs.squeezed;
    let apart = |pair: Option<(&str, &str)>| {
        let differences = pair
            .map(|(own, theirs)| Differences::of(own, theirs))
            .unwrap_or_default();
        differences.apart()
    };
    let is_email = is_equal_pair(employee.identifier, person.email);
    Some(match comparison.address {
        AddressAgreement::Email => {
            let note = if comparison.role {
                " (it looks like a shared mailbox)"
            } else {
                ""
            };
            format!("same email{}{note}", apart(written(is_equal))).into()
        }
        AddressAgreement::Login => format!(
            "the employee's email is the person's login{}",
            apart(written(is_equal))
        )
        .into(),
        AddressAgreement::FirstEmail => {
            let what = if is_email { "email" } else { "login" };
            format!(
                "the employee's first email is the person's {what}{}",
                apart(written(is_equal))
            )
            .into()
        }
        AddressAgreement::SecondaryEmail => {
            let which = if is_equal_pair(employee.email, person.secondary) {
                "email"
            } else {
                "first email"
            };
            format!(
                "the employee's {which} is the person's secondary email{}",
                apart(written(is_equal))
            )
            .into()
        }
        AddressAgreement::FormerDomain => "same email except for a former domain of the company".into(),
        AddressAgreement::UnusualLocalPart | AddressAgreement::LocalPart | AddressAgreement::SisterDomain => {
            let alike = written(is_alike);
            let differences = alike
                .map(|(own, theirs)| Differences::of(own, theirs))
                .unwrap_or_default();
            let what = if differences.domain {
                "the emails match before the @"
            } else {
                "same email"
            };
            format!("{what}{}", differences.apart()).into()
        }
        AddressAgreement::Typo => "the emails differ by a typo".into(),
        AddressAgreement::Missing | AddressAgreement::Different => return None,
    })
}

fn is_equal_pair(one: Option<Mail>, other: Option<Mail>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.id == other.id)
}

/// In what two addresses differ that matching takes for the same, or for the same before the @.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Differences {
    domain: bool,
    tag: bool,
    marks: bool,
    punctuation: bool,
}

impl Differences {
    fn of(one: &str, other: &str) -> Self {
        let keys = [text::email_key(one), text::email_key(other)];
        let parts = keys.each_ref().map(|key| {
            let (local, domain) = key.rsplit_once('@').unwrap_or((key, ""));
            let (local, tag) = local.split_once('+').unwrap_or((local, ""));
            (local, tag, domain)
        });
        let [(local, tag, domain), (other_local, other_tag, other_domain)] = parts;
        let (plain, other_plain) = (fold(local), fold(other_local));
        let (plain_domain, other_plain_domain) = (fold(domain), fold(other_domain));
        Self {
            domain: plain_domain != other_plain_domain,
            tag: tag != other_tag,
            marks: (local != other_local && plain == other_plain)
                || (domain != other_domain && plain_domain == other_plain_domain),
            punctuation: plain != other_plain,
        }
    }

    /// The differences before the @, for people.
    fn apart(self) -> String {
        let all = [
            (self.tag, "the tag"),
            (self.marks, "accents"),
            (self.punctuation, "punctuation"),
        ];
        let all: Vec<&str> = all
            .into_iter()
            .filter(|(differs, _)| *differs)
            .map(|(_, what)| what)
            .collect();
        match all.as_slice() {
            [] => String::new(),
            all => format!(" apart from {}", all.join(" and ")),
        }
    }
}

fn account_reason(agreement: AccountAgreement, employee: &EmployeeFeatures<'_>) -> &'static str {
    let name = employee.record.employee.name.trim();
    let is_word = name.chars().all(char::is_alphabetic);
    match agreement {
        AccountAgreement::Family if is_word => "the employee's only name is the last name",
        AccountAgreement::Given if is_word => "the employee's only name is the first name",
        AccountAgreement::EmployeeNumber => "the account name is the employee number",
        AccountAgreement::FullName => "the account name is the full name",
        AccountAgreement::LocalPart => "the account name is the part of the email before the @",
        AccountAgreement::InitialFamily => "the account name is made of the initial and the last name",
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
    let (own, theirs) = person.names_beside(&features.lexicon, employee);
    let from_email = own.from_address || theirs.from_address;
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
        let full_name = person.record.person.full_name().unwrap_or_default();
        let is_same = from_email || text::is_same_name_loosely(&full_name, &employee.record.employee.name);
        reasons.push(noted(if is_same {
            "same name"
        } else {
            "same first and last name"
        }));
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
