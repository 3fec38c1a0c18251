//! The result of comparing one pair.

use super::{
    login::LoginAgreement,
    name_similarity::{Agreement, NameMatch},
    proposal::Resemblance,
    record_features::AccountAgreement,
};
use crate::model::EvidenceKind;

/// Evidence of teams, dates or login that supports a name, in bits: one of them agrees.
pub(super) const MIN_NAME_SUPPORT_BITS: f64 = 1.5;

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
    /// How the login in the employee's identifier agrees.
    pub(super) login: LoginAgreement,
    /// Evidence of the login beside the name, in bits; 0 if it takes the place of the name.
    pub(super) login_bits: f64,
    pub(super) address: AddressAgreement,
    /// Whether the person's email or login is the employee's before the @, or spells the employee's name, although the
    /// names do not agree.
    pub(super) shares_mailbox_name: bool,
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
    /// Whether the employee's email is one that the company gives to a namesake of the person.
    pub(super) has_address_of_namesake: bool,
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
            || self.shares_mailbox_name
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

    /// The kind of this evidence.
    pub(super) fn evidence_kind(&self) -> EvidenceKind {
        if self.address <= AddressAgreement::SecondaryEmail {
            self.kind_of_equal_email()
        } else if self.account.is_some() {
            EvidenceKind::AccountName
        } else if self.names_agree() {
            self.kind_of_equal_name()
        } else if self.name.given < Agreement::Missing || self.name.family < Agreement::Missing {
            EvidenceKind::PartialName
        } else {
            EvidenceKind::Circumstances
        }
    }

    fn kind_of_equal_email(&self) -> EvidenceKind {
        use Agreement::{Different, Missing};
        match (self.name.given, self.name.family) {
            _ if self.role || self.shared > 1 => EvidenceKind::SharedMailbox,
            _ if self.names_agree() => EvidenceKind::SameEmailAndName,
            (Different, Different) if self.account.is_none() => EvidenceKind::SameEmailOtherName,
            (Different, _) if self.account.is_none() => EvidenceKind::SameEmailOtherFirstName,
            (_, Different) if self.account.is_none() => EvidenceKind::SameEmailOtherLastName,
            (Missing, Missing) if self.account.is_none() => EvidenceKind::SameEmailNoName,
            _ => EvidenceKind::SameEmailPartialName,
        }
    }

    fn kind_of_equal_name(&self) -> EvidenceKind {
        let supports = |bits: Option<f64>| bits.is_some_and(|bits| bits >= MIN_NAME_SUPPORT_BITS);
        match self.address {
            AddressAgreement::FormerDomain => EvidenceKind::SameNameFormerDomain,
            AddressAgreement::UnusualLocalPart
            | AddressAgreement::Typo
            | AddressAgreement::LocalPart
            | AddressAgreement::SisterDomain => EvidenceKind::SameNameSimilarEmail,
            _ if self.login_bits >= MIN_NAME_SUPPORT_BITS => EvidenceKind::SameNameAndLogin,
            AddressAgreement::Different => EvidenceKind::SameNameOtherEmail,
            _ if supports(self.team) => EvidenceKind::SameNameAndTeam,
            _ if supports(self.date) => EvidenceKind::SameNameAndDates,
            _ => EvidenceKind::SameNameOnly,
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

    /// Evidence beside name and address that speaks for a pair: team, dates and login, in bits.
    pub(super) fn support(&self) -> f64 {
        self.team.unwrap_or(0.0).max(0.0) + self.date.unwrap_or(0.0).max(0.0) + self.login_bits.max(0.0)
    }

    /// Whether the team or the dates support a name: the dates by themselves, the team unless the dates make it unlikely
    /// again, as those of a namesake in the same team do.
    pub(super) fn supports_without_login(&self) -> bool {
        let date = self.date.unwrap_or(0.0);
        date >= MIN_NAME_SUPPORT_BITS || self.team.unwrap_or(0.0).max(0.0) + date >= MIN_NAME_SUPPORT_BITS
    }

    /// Evidence of teams and dates, in bits.
    pub(super) fn circumstances(&self) -> f64 {
        self.team.unwrap_or(0.0) + self.date.unwrap_or(0.0)
    }
}
