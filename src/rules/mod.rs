//! The rules: plain functions from values to values, without I/O or a clock.

/// Is this plan the rest of an approved one?
pub mod approval;
/// All rules of a cycle in one.
pub mod assessment;
/// What keeps a person from being synced?
pub mod blocker;
#[cfg(test)]
pub(crate) mod example;
/// May a plan be written?
pub mod guard;
/// What is written?
pub mod plan;
/// Is a person without an employee invited?
pub mod proposal;
/// What did a write replace?
pub mod record;
/// Which employee is each person?
pub mod resolve;
/// When is which sync due?
pub mod schedule;
/// What do the statuses show?
pub mod status;
/// Which team does a person get?
pub mod teams;
