//! Plain values of both services: what the clients return and what the rules work on.
//!
//! A [`Snapshot`] is made only from [`Complete`] lists. A person who is missing from it has not
//! necessarily departed: only [`Person::departure`] says so.
//!
//! Okta's half of a snapshot is a [`Directory`], which a [`Delta`] updates.

mod delta;
pub mod digest;
mod employee;
mod evidence_kind;
mod id;
mod person;
mod snapshot;
mod synced_state;
mod team;
pub mod text;
mod unreadable;
mod write;

pub use delta::{Delta, Mark};
pub use employee::{Employee, SharedSettings};
pub use evidence_kind::EvidenceKind;
pub use id::{AttributeName, EmployeeId, GroupId, PersonId, SettingsId, TeamId};
pub use person::{Attribute, Departure, OktaStatus, OtherNames, Person, is_profile_field};
pub use snapshot::{Complete, Directory, Snapshot, Workforce};
pub use synced_state::SyncedState;
pub use team::{Team, TeamGroup};
pub use unreadable::{RecordKind, Unreadable, UnreadableRecords, are_too_many};
pub use write::{EmployeeUpdate, NewEmployee};
