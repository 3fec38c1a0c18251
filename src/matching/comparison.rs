//! The result of comparing one pair.

use super::{
    name_similarity::{Agreement, NameMatch},
    proposal::Resemblance,
    record_features::AccountAgreement,
};

/// How the addresses of a pair agree, closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddressAgreement {
    /// The work email is the employee's email.
    Email,
    /// The login is the employee's email.
    Login,
    /// The email or login is the employee's first email.
    FirstEmail,
    /// The secondary email is the employee's.
    SecondaryEmail,
    /// Equal except for a domain that the company no longer uses.
    FormerDomain,
    /// Equal local parts that no name explains, such as `u104233`.
    UnusualLocalPart,
    /// One typo apart in the same domain.
    Typo,
    /// Equal local parts, which namesakes may have too.
    LocalPart,
    /// Equal local parts, but different punctuation or another domain of the
    /// company: as likely as not two people.
    SisterDomain,
    /// Nothing to compare.
    Missing,
    /// Two addresses of the company that contradict each other.
    Different,
}

#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) name: NameMatch,
    /// Set if the employee's name is an account name that agrees.
    pub(super) account: Option<AccountAgreement>,
    pub(super) address: AddressAgreement,
    /// The number of people or employees with the agreeing address, whichever is larger.
    pub(super) shared: u32,
    /// Whether the agreeing address is a shared mailbox.
    pub(super) role: bool,
    /// The employee has an address that another person has and this one has not.
    pub(super) has_address_of_another_person: bool,
    /// The person has an address that another employee has and this one has not. A deactivated
    /// employee is no rival of an active one.
    pub(super) has_address_of_another_employee: bool,
    /// The name in the employee's address contradicts the person's name.
    pub(super) address_name_contradicts: bool,
    /// Whether generations (`Jr.`) agree; None if neither side has one.
    pub(super) generation: Option<bool>,
    /// Whether both sides have a generation and they differ.
    pub(super) generation_contradicts: bool,
    /// Evidence of the teams, in bits.
    pub(super) team: Option<f64>,
    /// Evidence of the creation dates, in bits.
    pub(super) date: Option<f64>,
    /// The total evidence.
    pub(super) bits: f64,
}

impl Comparison {
    /// Whether name, account or address agree in anything.
    pub(super) fn is_plausible(&self) -> bool {
        self.account.is_some()
            || self.address <= AddressAgreement::LocalPart
            || self.name.given < Agreement::Initial
            || self.name.family < Agreement::Initial
    }

    /// What the records have in common.
    pub(super) fn resemblance(&self) -> Resemblance {
        if self.address <= AddressAgreement::SecondaryEmail {
            Resemblance::Address
        } else if self.names_agree()
            || self
                .account
                .is_some_and(|account| account <= AccountAgreement::InitialFamily)
        {
            Resemblance::Name
        } else {
            Resemblance::Partial
        }
    }

    /// Whether the whole names agree.
    pub(super) fn names_agree(&self) -> bool {
        self.name.given.agrees() && self.name.family.agrees()
    }

    /// Whether the records may be of one human: they have an address or the whole name in
    /// common, and no name or address is another's.
    pub(super) fn may_be_one_human(&self) -> bool {
        let name = &self.name;
        let contradicts = name.middle_contradicts || name.family_contradicts || self.generation_contradicts;
        let is_other_given_name = name.given == Agreement::Different && self.account.is_none();
        self.resemblance() < Resemblance::Partial
            && !contradicts
            && !is_other_given_name
            && !self.has_address_of_another_person
    }

    /// Evidence of teams and dates, in bits.
    pub(super) fn circumstances(&self) -> f64 {
        self.team.unwrap_or(0.0) + self.date.unwrap_or(0.0)
    }
}
