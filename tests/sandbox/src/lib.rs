//! Sandbox.

pub mod hard_directories;
