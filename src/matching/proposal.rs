//! The output of matching.

use std::borrow::Cow;

use crate::model::{EmployeeId, EvidenceKind, PersonId};

/// Maximum number of candidates of a proposal.
pub(super) const MAX_CANDIDATES: usize = 5;

/// The probability that a match is true, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(u16);

impl Confidence {
    pub const NONE: Self = Self(0);

    /// From a fraction, clamped to 0..=1.
    pub fn from_fraction(fraction: f64) -> Self {
        // The clamp makes the cast exact.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Self((fraction.clamp(0.0, 1.0) * 10_000.0) as u16)
    }

    /// As a fraction between 0 and 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    /// In whole percent, rounded down, so that 100 means certain.
    pub fn percent(self) -> i32 {
        i32::from(self.0 / 100)
    }
}

/// A reason or a doubt, in words for a people-ops admin.
pub type Reason = Cow<'static, str>;

/// An employee who may be the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub employee: EmployeeId,
    pub confidence: Confidence,
    pub reasons: Vec<Reason>,
    pub evidence: EvidenceKind,
    pub resemblance: Resemblance,
    /// The other person who has the employee by a decision or a match in force.
    pub matched_to: Option<PersonId>,
}

/// What a person and an employee have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resemblance {
    /// An address.
    Address,
    /// The whole name, or an account name.
    Name,
    /// Neither as a whole.
    Partial,
}

/// The result of matching for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first candidate is the person; nothing contradicts it.
    Auto,
    /// The first candidate that no other person has is plausible, but an admin must decide.
    Review,
    /// No candidate is plausible, but at least one cannot be ruled out.
    Implausible,
    /// No employee resembles the person, except those that other people have.
    Nobody {
        /// Active employees without an identifying name or email who may be this
        /// person; 0 where they are too few for that to be likely.
        unidentifiable: usize,
        /// Active employees whose name is in a script that cannot be compared with the person's; 0 where
        /// they are too few for that to be likely.
        other_script: usize,
    },
}

/// Who a person is believed to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub verdict: Verdict,
    /// At most five, best first. The verdict is about those that no other person has.
    pub candidates: Vec<Candidate>,
    /// Why the verdict is not [`Verdict::Auto`], apart from candidates that another person has.
    pub doubts: Vec<Reason>,
}

impl Proposal {
    /// The proposed employee.
    pub fn best(&self) -> Option<&Candidate> {
        match self.verdict {
            Verdict::Auto | Verdict::Review => self
                .candidates
                .iter()
                .find(|candidate| candidate.matched_to.is_none()),
            Verdict::Implausible | Verdict::Nobody { .. } => None,
        }
    }
}
