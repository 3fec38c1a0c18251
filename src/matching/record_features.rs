//! The features of one record, ready to be compared.

use super::{
    lexicon::Lexicon,
    names::{EmployeeName, PersonName},
    numbering::Mail,
    records::{EmployeeRecord, PersonRecord},
};
use crate::model::PersonId;

/// How an account name agrees with a person, closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AccountAgreement {
    EmployeeNumber,
    /// Given and family name.
    FullName,
    /// The local part of the person's address.
    LocalPart,
    /// Initial and family name.
    InitialFamily,
    /// Given name and initial.
    GivenInitial,
    Family,
    Given,
}

/// Features that do not identify anybody.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstances {
    pub(super) team: Option<u32>,
    /// The day on which the record was created, in days since 1970.
    pub(super) day: Option<i32>,
}

#[derive(Debug)]
pub(super) struct PersonFeatures<'a> {
    pub(super) record: PersonRecord<'a>,
    /// People out of scope only compete with those in scope.
    pub(super) in_scope: bool,
    pub(super) name: PersonName,
    /// The name that the email spells, if the name is in a script without a certain romanization.
    pub(super) email_name: Option<Box<PersonName>>,
    /// Whether the name is in a script other than Latin.
    pub(super) other_script: bool,
    pub(super) email: Option<Mail>,
    pub(super) login: Option<Mail>,
    pub(super) secondary: Option<Mail>,
    /// Keys of the account names that may be this person's, with the closest agreement of each.
    pub(super) accounts: Vec<(u32, AccountAgreement)>,
    pub(super) circumstances: Circumstances,
    /// Whether this is another person's account for administration, which competes with nobody.
    pub(super) is_second_account: bool,
    /// Whether the person is bound to an active employee.
    pub(super) is_bound: bool,
}

impl PersonFeatures<'_> {
    /// The name, and the one that the email spells if the first cannot be compared with Latin letters.
    pub(super) fn names(&self) -> impl Iterator<Item = &PersonName> {
        [&self.name].into_iter().chain(self.email_name.as_deref())
    }

    /// The names to compare: in one script, if one side's email spells the name in the other's.
    ///
    /// An email that both have is no evidence of the employee's name.
    pub(super) fn names_beside<'b>(
        &'b self,
        lexicon: &Lexicon,
        employee: &'b EmployeeFeatures<'_>,
    ) -> (&'b PersonName, &'b EmployeeName) {
        let is_unromanized = |word: &u32| lexicon.get(*word).unromanized;
        let own = self
            .name
            .given
            .iter()
            .chain(&self.name.family)
            .any(is_unromanized);
        let theirs = employee.name.words.iter().any(is_unromanized);
        let shares_email = || {
            employee
                .mails()
                .any(|mail| self.mails().any(|own| own.id == mail.id))
        };
        match (&self.email_name, &employee.address_name) {
            (Some(email_name), _) if own && !theirs => (email_name, &employee.name),
            (_, Some(address_name)) if theirs && !own && !shares_email() => (&self.name, address_name),
            _ => (&self.name, &employee.name),
        }
    }

    /// Whether the person and the employee have one name, the same.
    pub(super) fn has_same_single_name(&self, employee: &EmployeeFeatures<'_>) -> bool {
        let words = self.name.words();
        words.len() == 1 && words[..] == employee.name.words[..]
    }

    /// Returns the distinct ones of email, login and secondary email.
    pub(super) fn mails(&self) -> impl Iterator<Item = Mail> + '_ {
        let email_id = self.email.map(|email| email.id);
        let login = self.login.filter(|login| Some(login.id) != email_id);
        self.email.into_iter().chain(login).chain(self.secondary)
    }

    /// Whether the account name is the part of an email or login of the person before the @.
    pub(super) fn has_login(&self, account: u32) -> bool {
        let mut mails = self.mails().filter(|own| !own.private);
        mails.any(|own| own.squeezed == account)
    }

    /// Returns the surest agreement of an account name.
    pub(super) fn account_agreement(&self, key: u32) -> Option<AccountAgreement> {
        let at = self.accounts.binary_search_by_key(&key, |(account, _)| *account);
        at.ok().map(|at| self.accounts[at].1)
    }
}

#[derive(Debug)]
pub(super) struct EmployeeFeatures<'a> {
    pub(super) record: EmployeeRecord<'a>,
    pub(super) name: EmployeeName,
    /// The name that the local part of the address spells out.
    pub(super) address_name: Option<Box<EmployeeName>>,
    /// Of a record that a device created: the keys of the account name, with and without trailing digits.
    pub(super) account: Option<(u32, u32)>,
    /// The keys of the account in an identifier that a device made up, with and without trailing digits.
    pub(super) login: Option<(u32, u32)>,
    /// The domain or computer of that account.
    pub(super) login_domain: Option<u32>,
    /// Whether neither name nor address identifies anybody.
    pub(super) unidentifiable: bool,
    pub(super) deactivated: bool,
    pub(super) email: Option<Mail>,
    /// The first email, if it differs.
    pub(super) identifier: Option<Mail>,
    pub(super) circumstances: Circumstances,
    /// The person that the employee is bound to.
    pub(super) bound_to: Option<&'a PersonId>,
}

impl EmployeeFeatures<'_> {
    /// Returns the current and the first email.
    pub(super) fn mails(&self) -> impl Iterator<Item = Mail> + '_ {
        self.email.into_iter().chain(self.identifier)
    }
}
