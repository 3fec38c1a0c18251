//! Who is who? From people and employees to a proposal for each person.
//!
//! Record linkage after Fellegi and Sunter: what a pair agrees in adds to its
//! odds, the more so the rarer it is here; what it contradicts in takes away.
//! But odds alone never make a match: a pair is automatic only where nothing
//! at all speaks against it ([`doubts`]) and nobody else comes near
//! ([`decide`]). README.md has the weights, their sources and what they achieve.
//!
//! A story in files: [`folding`], [`lexicon`], [`names`] and [`likeness`] (words
//! and names), [`addresses`] and [`accounts`], [`facts`] (everything parsed and
//! counted once), [`learned`] (what the directories teach
//! about teams, dates and domains), [`blocking`] (which pairs to look at),
//! [`compare`] and [`weights`] (one pair), [`doubts`], [`decide`] (all pairs),
//! [`reasons`] and [`calibration`] (what is said about it).

mod accounts;
mod addresses;
mod blocking;
mod calibration;
mod compare;
mod decide;
mod doubts;
mod features;
mod folding;
mod learned;
mod lexicon;
mod name_similarity;
mod names;
mod parallel;
mod parse;
mod reasons;
mod stopwords;
#[cfg(test)]
mod tests;
mod weights;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::model::{Employee, EmployeeId, Person, PersonId};

/// The most candidates that are shown.
const MOST_CANDIDATES: usize = 5;

/// How sure a match is, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(u16);

impl Confidence {
    /// Nothing speaks for it.
    pub const NONE: Self = Self(0);

    /// From a share between 0 and 1; what lies outside is cut off.
    pub fn from_fraction(share: f64) -> Self {
        // The clamp makes the cast exact.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Self((share.clamp(0.0, 1.0) * 10_000.0) as u16)
    }

    /// As a share between 0 and 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    /// In whole percent, rounded down, so that 100 means certain.
    pub fn percent(self) -> i32 {
        i32::from(self.0 / 100)
    }
}

/// Why, in plain words.
pub type Reason = Cow<'static, str>;

/// An employee who may be the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub employee: EmployeeId,
    /// How surely.
    pub confidence: Confidence,
    /// Why, in plain words.
    pub reasons: Vec<Reason>,
}

/// The result of matching for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first candidate is the person; nothing contradicts it.
    Auto,
    /// The first candidate is plausible, but an admin must decide.
    Review,
    /// No candidate is plausible, but at least one cannot be ruled out.
    Implausible,
    /// No employee resembles the person.
    Nobody {
        /// Active employees without an identifying name or email who may be this
        /// person; 0 where they are too few for that to be likely.
        unidentifiable: usize,
    },
}

/// Who a person is believed to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Whether the first candidate is the person.
    pub verdict: Verdict,
    /// At most five, best first.
    pub candidates: Vec<Candidate>,
    /// Why the verdict is not [`Verdict::Auto`].
    pub doubts: Vec<Reason>,
}

impl Proposal {
    /// The employee that is proposed, if one is.
    pub fn best(&self) -> Option<&Candidate> {
        match self.verdict {
            Verdict::Auto | Verdict::Review => self.candidates.first(),
            Verdict::Implausible | Verdict::Nobody { .. } => None,
        }
    }
}

/// A person with the team that the team groups give, if they give one.
#[derive(Clone, Copy, Debug)]
pub struct PersonRecord<'a> {
    /// The person.
    pub person: &'a Person,
    /// Whether the person departed, by the integration's policy.
    pub departed: bool,
    /// Name of the team.
    pub team: Option<&'a str>,
}

/// An employee with the name of their team.
#[derive(Clone, Copy, Debug)]
pub struct EmployeeRecord<'a> {
    /// The employee.
    pub employee: &'a Employee,
    /// Name of the team.
    pub team: Option<&'a str>,
}

/// All that proposals are made from.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The people in scope: each gets a proposal.
    pub people: Vec<PersonRecord<'a>>,
    /// All others whom Okta knows, leavers included. Nothing is proposed for
    /// them, but an employee may be theirs, and so may an address.
    pub others: Vec<PersonRecord<'a>>,
    /// All employees.
    pub employees: Vec<EmployeeRecord<'a>>,
    /// Pairs that an admin ruled out.
    pub rejected: BTreeSet<(PersonId, EmployeeId)>,
    /// Employees who are taken, by decision or by a match in force: they are
    /// proposed to nobody else.
    pub bound: BTreeMap<EmployeeId, PersonId>,
}

/// Proposes an employee for each person in scope. The order of the input does not
/// matter; equal candidates are ordered by id. No employee is proposed as
/// [`Verdict::Auto`] to two people.
pub fn propose(evidence: &Evidence<'_>) -> BTreeMap<PersonId, Proposal> {
    decide::decide(evidence)
}
