//! When nothing has changed, there is nothing to think about: what a cycle says
//! follows from what was read, the matches and the spec alone.

use super::{match_store::Matches, reconcile::Reconcile};
use crate::{
    api::{OktaIntegrationStatus, SyncKind},
    model::digest::Digest,
};

/// All that a cycle's outcome follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    generation: Option<i64>,
    snapshot: Digest,
    matches: Digest,
}

/// A cycle that left nothing to do and nothing to try again.
#[derive(Debug)]
pub struct Rest {
    basis: Basis,
    /// What it said.
    said: OktaIntegrationStatus,
}

impl Rest {
    /// What the cycle said, if the same is known now.
    pub fn said_on(self, basis: Basis) -> Option<OktaIntegrationStatus> {
        (self.basis == basis).then_some(self.said)
    }
}

impl Reconcile<'_> {
    /// What follows from what was just read rests on this; None where nothing was
    /// read, since no cycle that reads nothing comes without a change.
    pub(super) fn basis(&self, kind: SyncKind, matches: &Matches) -> Option<Basis> {
        if kind == SyncKind::Decision {
            return None;
        }
        let snapshot = self.session.known.snapshot()?;
        // A moment for a large company, in which this thread does nothing else.
        Some(tokio::task::block_in_place(|| Basis {
            generation: self.integration.metadata.generation,
            snapshot: snapshot.digest(),
            matches: matches.digest(),
        }))
    }

    /// Remembers that what was said just now stands until anything changes,
    /// unless something is tried again before that.
    pub(super) fn rest_on(&mut self, basis: Option<Basis>) {
        let is_tried_again = !self.session.failures.is_empty() || self.session.broken_off.is_some();
        let basis = basis.filter(|_| !is_tried_again);
        self.session.rest = basis.map(|basis| Rest {
            basis,
            said: self.said(),
        });
    }
}
