use std::sync::Arc;

use super::{Delta, Directory, Mark, Snapshot, Workforce};

/// The last read of both services, and the mark up to which it follows Okta. Both change together,
/// so that the mark never covers a change that is missing from the snapshot.
#[derive(Debug, Default)]
pub struct SyncedState {
    snapshot: Option<Snapshot>,
    /// Okta's half, where there is no snapshot because Insightful has not been read since.
    resumed: Option<Arc<Directory>>,
    /// None requires a full sync.
    mark: Option<Mark>,
}

impl SyncedState {
    /// Continues from a saved directory.
    pub fn resumed(directory: Arc<Directory>, mark: Mark) -> Self {
        Self {
            snapshot: None,
            resumed: Some(directory),
            mark: Some(mark),
        }
    }

    /// Returns None where Insightful has to be read first.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// For the records that were written since the last read.
    pub fn snapshot_mut(&mut self) -> Option<&mut Snapshot> {
        self.snapshot.as_mut()
    }

    pub fn directory(&self) -> Option<&Arc<Directory>> {
        let snapshot = self.snapshot.as_ref().map(Snapshot::directory);
        snapshot.or(self.resumed.as_ref())
    }

    /// Returns what a delta needs: the mark to read changes from, and the directory that they
    /// apply to. None requires a full sync.
    pub fn delta_base(&self) -> Option<(Mark, &Arc<Directory>)> {
        Some((self.mark?, self.directory()?))
    }

    /// Records a full sync. Without a mark (Okta's responses had no date) the next read is a full
    /// sync too.
    pub fn replace(&mut self, snapshot: Snapshot, mark: Option<Mark>) {
        *self = Self {
            snapshot: Some(snapshot),
            resumed: None,
            mark,
        };
    }

    /// Applies what changed in Okta since [`SyncedState::delta_base`], and a read of all of
    /// Insightful, if there was one. Returns whether anything changed in Okta. Does nothing without a directory, or
    /// without any read of Insightful.
    pub fn apply(&mut self, delta: Delta, workforce: Option<Workforce>) -> bool {
        let Some(workforce) = workforce else {
            return self.snapshot.as_mut().is_some_and(|snapshot| {
                self.mark = Some(delta.mark());
                snapshot.apply(delta)
            });
        };
        let Some(directory) = self.directory().cloned() else {
            return false;
        };
        let mark = delta.mark();
        // Drops the other references to the directory, so that it is not copied.
        *self = Self::default();
        let mut snapshot = Snapshot::new(directory, workforce);
        let changed = snapshot.apply(delta);
        self.replace(snapshot, Some(mark));
        changed
    }

    /// Discards Insightful's half, which may be of another organisation.
    pub fn discard_workforce(&mut self) {
        self.resumed = self.directory().cloned();
        self.snapshot = None;
    }

    /// Frees the memory of the saved directory before a full sync reads it again.
    pub fn discard_resumed(&mut self) {
        self.resumed = None;
    }
}
