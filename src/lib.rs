//! Operator.

pub mod insightful;
pub mod okta;
pub mod snapshot;
pub mod transport;
