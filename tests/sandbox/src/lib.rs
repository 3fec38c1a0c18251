//! Sandbox.

pub mod company;
pub mod faults;
pub mod insightful;
pub mod journal;
pub mod okta;
mod server;
