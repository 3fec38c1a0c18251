//! A real Kubernetes control plane, strict emulators of Okta and Insightful, and companies to sync.

pub mod company;
pub mod control_plane;
pub mod definitions;
pub mod faults;
pub mod gitops;
pub mod hard_directories;
pub mod insightful;
pub mod journal;
pub mod key_pair;
pub mod okta;
mod server;
pub mod webhook;
