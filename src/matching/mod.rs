//! Finds the employee of each person by record linkage after Fellegi and Sunter.
//!
//! Each agreement of a pair adds to its odds, more so for rare values; each
//! contradiction subtracts. Odds alone never make a match: a pair is automatic
//! only if nothing contradicts it ([`doubts`]) and no other pair comes close
//! ([`decide`]). README.md lists the weights and their sources.
//!
//! - Input and output: [`records`], [`proposal`].
//! - Normalization: [`folding`], [`stopwords`], [`addresses`], [`names`], [`parse`].
//! - Features: [`numbering`], [`lexicon`], [`record_features`], [`accounts`], [`features`], [`learned`].
//! - One pair: [`name_similarity`], [`login`], [`comparison`], [`compare`], [`weights`], [`doubts`], [`reasons`].
//! - All pairs: [`blocking`], [`decide`], [`calibration`].

mod accounts;
mod addresses;
mod blocking;
mod calibration;
mod compare;
mod comparison;
mod decide;
mod doubts;
mod employee_numbers;
mod features;
mod folding;
mod learned;
mod lexicon;
mod login;
mod name_similarity;
mod names;
mod numbering;
mod parallel;
mod parse;
mod proposal;
mod reasons;
mod record_features;
mod records;
mod stopwords;
#[cfg(test)]
mod tests;
mod weights;

pub use decide::propose;
pub use proposal::{Candidate, Confidence, Proposal, Reason, Resemblance, Verdict};
pub use records::{EmployeeRecord, Evidence, PersonRecord};
pub use stopwords::{is_of_role, is_of_service};
