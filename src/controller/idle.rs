//! Skips a cycle whose inputs have not changed: its outcome follows from the snapshot, the matches and the
//! spec alone.

use super::{match_store::Matches, read::Synced, scope::Scope};
use crate::{
    api::{OktaIntegrationStatus, SyncKind},
    model::digest::Digest,
};

/// A digest of everything that a cycle's outcome follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    generation: Option<i64>,
    snapshot: Digest,
    matches: Digest,
    /// The integration that this one waits for.
    other_writer: Option<Digest>,
}

impl Fingerprint {
    /// The fingerprint of a cycle that read the services; None for one that did not, which only a change can
    /// have caused.
    pub fn of(scope: &Scope<'_>, synced: &Synced<'_>, matches: &Matches) -> Option<Self> {
        if synced.kind == SyncKind::Decision {
            return None;
        }
        // Takes a moment for a large company.
        Some(tokio::task::block_in_place(|| Self {
            generation: scope.integration.metadata.generation,
            snapshot: synced.snapshot.digest(),
            matches: matches.digest(),
            other_writer: scope
                .other_writer(synced.snapshot.organization())
                .map(|other| Digest::of(&other.to_string())),
        }))
    }
}

/// The last cycle, if it left nothing to do and nothing to retry.
#[derive(Debug, Default)]
pub struct IdleCycle(Option<(Fingerprint, OktaIntegrationStatus)>);

impl IdleCycle {
    /// Remembers that `status` holds as long as the fingerprint stays the same.
    pub fn remember(fingerprint: Fingerprint, status: OktaIntegrationStatus) -> Self {
        Self(Some((fingerprint, status)))
    }

    /// Whether the last cycle left nothing to do.
    pub fn is_settled(&self) -> bool {
        self.0.is_some()
    }

    /// The status that the last cycle ended with, if nothing has changed since; the cycle is forgotten.
    pub fn take_if_unchanged(&mut self, now: Option<Fingerprint>) -> Option<OktaIntegrationStatus> {
        let (then, status) = self.0.take()?;
        (Some(then) == now).then_some(status)
    }
}
