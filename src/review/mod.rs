//! What a reviewer sees of an integration and may decide, from the resources alone: plain functions from values to
//! values. [`crate::plugin`] shows it in a terminal and on a page.

pub mod bulk;
pub mod company;
pub mod decided;
pub mod evidence;
pub mod filter;
pub mod find;
#[cfg(feature = "plugin")]
pub mod import;
pub mod manifest;
pub mod person;
pub mod planned;
pub mod sitting;
#[cfg(feature = "plugin")]
pub mod spreadsheet;
pub mod summary;

pub use crate::rules::field_owner;
pub use company::Company;
pub use decided::{Choice, Decided};
pub use person::PersonView;

#[cfg(test)]
mod example;
