//! What is known of both services between reads, and how far it follows Okta.

use std::sync::Arc;

use super::{Delta, Directory, Mark, Snapshot, Workforce};

/// What is known of both services, and the mark up to which it follows Okta. The
/// two change in one step, so that a mark never stands for what was not taken.
#[derive(Debug, Default)]
pub struct Known {
    /// What both services last said.
    snapshot: Option<Snapshot>,
    /// What Okta said, where Insightful has not been read with it.
    resumed: Option<Arc<Directory>>,
    /// How far either of them follows Okta; None asks for a read of everything.
    mark: Option<Mark>,
}

impl Known {
    /// What was kept of Okta from a read that goes as far as `mark`.
    pub fn resumed(directory: Arc<Directory>, mark: Mark) -> Self {
        Self {
            snapshot: None,
            resumed: Some(directory),
            mark: Some(mark),
        }
    }

    /// What both services last said; None where Insightful is yet to be read.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The same, to note what was written since.
    pub fn snapshot_mut(&mut self) -> Option<&mut Snapshot> {
        self.snapshot.as_mut()
    }

    /// Okta's half.
    pub fn directory(&self) -> Option<&Arc<Directory>> {
        let snapshot = self.snapshot.as_ref().map(Snapshot::directory);
        snapshot.or(self.resumed.as_ref())
    }

    /// From where what changed in Okta can be read, and what it changes; None
    /// where everything must be read.
    pub fn followed(&self) -> Option<(Mark, &Arc<Directory>)> {
        Some((self.mark?, self.directory()?))
    }

    /// Takes a read of everything. Without a mark (Okta's answers did not tell
    /// its time) the next read is one of everything, too.
    pub fn take_everything(&mut self, snapshot: Snapshot, mark: Option<Mark>) {
        *self = Self {
            snapshot: Some(snapshot),
            resumed: None,
            mark,
        };
    }

    /// Takes a read of what changed in Okta since [`Known::followed`], and of all
    /// of Insightful. Gives whether Okta said anything new. Where nothing is
    /// known that could have changed, nothing is taken.
    pub fn take_changes(&mut self, delta: Delta, workforce: Workforce) -> bool {
        let Some(directory) = self.directory().cloned() else {
            return false;
        };
        let mark = delta.mark();
        // Nobody else is to hold what is about to change, so that it is not copied.
        *self = Self::default();
        let mut snapshot = Snapshot::with(directory, workforce);
        let is_new = snapshot.apply(delta);
        self.take_everything(snapshot, Some(mark));
        is_new
    }

    /// Insightful may be another: what it said says nothing.
    pub fn forget_workforce(&mut self) {
        self.resumed = self.directory().cloned();
        self.snapshot = None;
    }

    /// Everything is about to be read: a large company that nothing goes on from
    /// need not be in memory twice.
    pub fn drop_resumed(&mut self) {
        self.resumed = None;
    }
}
