//! Sandbox.

pub mod control_plane;
