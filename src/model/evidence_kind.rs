//! What the records of a person and an employee have in common, by kind.

use serde::{Deserialize, Serialize};

/// The kind of evidence that an employee is a person: what their records have in common. Proposals of
/// one kind can be reviewed together, because they are right about equally often.
#[derive(
    Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum EvidenceKind {
    /// The email, the login or the secondary email, and the name.
    SameEmailAndName,
    /// An email, and a name of which a part is missing, abbreviated, misspelled or another form.
    SameEmailPartialName,
    /// An email, and the first name.
    SameEmailOtherLastName,
    /// An email, and the last name.
    SameEmailOtherFirstName,
    /// An email, but neither the first nor the last name.
    SameEmailOtherName,
    /// An email, and no names that can be compared.
    SameEmailNoName,
    /// An email that several people or employees have, or that is a role's.
    SharedMailbox,
    /// The name, and the email except for a domain that the company gave up.
    SameNameFormerDomain,
    /// The name, and a similar email: the same before the @, or with a typo.
    SameNameSimilarEmail,
    /// The name, and the login in the identifier.
    SameNameAndLogin,
    /// The name and the team.
    SameNameAndTeam,
    /// The name, and records created at about the same time.
    SameNameAndDates,
    /// The name, but another email of the company.
    SameNameOtherEmail,
    /// Nothing but the name.
    SameNameOnly,
    /// The login, or another account name in place of a name.
    AccountName,
    /// A part of the name.
    PartialName,
    /// Neither name nor email.
    Circumstances,
}
