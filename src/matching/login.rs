//! Compares the login in an employee's identifier (`ACME\jdoe`) with a person.

use super::{
    features::Features,
    learned::Learned,
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
};

/// How the login in the employee's identifier agrees with a person, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LoginAgreement {
    /// The person's employee number.
    EmployeeNumber,
    /// The login of this person and of nobody else, in a domain of which each login is of one human, and which is not
    /// another company's.
    OwnInDomain,
    /// The same on a computer, where people choose it after their name, or in another company's domain, where a
    /// namesake has it.
    OwnElsewhere,
    /// Derived from the name, in the domain of the person's company.
    Derived,
    /// None, or one that repeats the name: no evidence.
    Uninformative,
    /// Exactly the login of another person.
    OfAnother,
}

impl LoginAgreement {
    /// Whether the login is evidence that the record is of somebody in the person's company.
    pub(super) fn supports_name(self) -> bool {
        matches!(self, Self::EmployeeNumber | Self::OwnInDomain | Self::Derived)
    }
}

/// The comparison of a login with a person.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoginMatch {
    pub(super) agreement: LoginAgreement,
    /// How the person may have come by the login, wherever it is.
    pub(super) account: Option<AccountAgreement>,
}

/// Compares the login in the employee's identifier with a person.
pub(super) fn compare(
    features: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
) -> LoginMatch {
    let Some(login) = employee.login else {
        return LoginMatch {
            agreement: LoginAgreement::Uninformative,
            account: None,
        };
    };
    let account = account_agreement(person, login);
    let has_login = features.login_counts.people(login.0) > 0;
    let is_only_own = person.has_login(login.0) && features.login_counts.people(login.0) == 1;
    let is_of_domain = features.is_of_domain(employee);
    let is_domain_of_company = learned.is_login_domain_of(person, employee);
    let agreement = match account {
        None if has_login => LoginAgreement::OfAnother,
        None => LoginAgreement::Uninformative,
        Some(AccountAgreement::EmployeeNumber) => LoginAgreement::EmployeeNumber,
        // `AzureAD/JaneDoe` repeats the name of the record.
        Some(AccountAgreement::FullName) if is_name_of(features, employee, login) => {
            LoginAgreement::Uninformative
        }
        Some(_) if is_only_own && is_of_domain && is_domain_of_company != Some(false) => {
            LoginAgreement::OwnInDomain
        }
        Some(_) if is_only_own => LoginAgreement::OwnElsewhere,
        Some(_) if is_of_domain && is_domain_of_company == Some(true) => LoginAgreement::Derived,
        Some(_) => LoginAgreement::Uninformative,
    };
    LoginMatch { agreement, account }
}

/// Returns how an account name, with and without trailing digits, agrees with a person.
pub(super) fn account_agreement(
    person: &PersonFeatures<'_>,
    (whole, without_number): (u32, u32),
) -> Option<AccountAgreement> {
    let by_stem = || {
        person
            .account_agreement(without_number)
            .filter(|agreement| *agreement > AccountAgreement::EmployeeNumber)
    };
    person.account_agreement(whole).or_else(by_stem)
}

/// Whether the login has a number, as those of namesakes do, and is not the person's.
pub(super) fn has_number_of_another(
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    agreement: LoginAgreement,
) -> bool {
    employee.login.is_some_and(|(whole, stem)| {
        let is_own = person.mails().any(|own| own.squeezed == whole);
        whole != stem && !is_own && agreement != LoginAgreement::EmployeeNumber
    })
}

/// Whether the login is the employee's name without spaces.
fn is_name_of(features: &Features<'_>, employee: &EmployeeFeatures<'_>, (_, login): (u32, u32)) -> bool {
    let words = employee.name.words.iter();
    let name: String = words.map(|word| &*features.lexicon.get(*word).text).collect();
    features.keys.text(login) == name
}
