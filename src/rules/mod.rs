//! The rules: plain functions from values to values, without I/O or a clock. `lib.rs` says which file answers which
//! question.

pub mod approval;
pub mod assessment;
pub mod audit;
pub mod blocker;
#[cfg(test)]
pub(crate) mod example;
pub mod exclusion;
pub mod field_owner;
pub mod guard;
pub mod notify;
pub mod one_writer;
pub mod pending;
pub mod plan;
pub mod proposal;
pub mod record;
pub mod records;
pub mod resolve;
pub mod schedule;
pub mod status;
pub mod succession;
pub mod teams;
pub mod unmatched_employees;
pub mod unreadable;
