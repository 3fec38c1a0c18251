//! Cursors of pages.

use std::collections::HashMap;

/// The sort key and id of the record before a page.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub key: String,
    pub id: String,
}

/// The issued cursors, each of which is valid for one query only.
pub(crate) struct Cursors {
    random: fastrand::Rng,
    issued: HashMap<String, (String, Place)>,
}

impl Cursors {
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            issued: HashMap::new(),
        }
    }

    /// Issues an opaque cursor.
    pub fn issue(&mut self, query: &str, place: Place) -> String {
        let cursor: String = (0..24).map(|_| self.random.alphanumeric()).collect();
        self.issued.insert(cursor.clone(), (query.to_owned(), place));
        cursor
    }

    /// Forgets all places, as after some time.
    pub fn forget(&mut self) {
        self.issued.clear();
    }

    /// The place of a cursor; None if it was not issued for this query.
    pub fn place(&self, query: &str, cursor: &str) -> Option<Place> {
        let (issued_for, place) = self.issued.get(cursor)?;
        (issued_for == query).then(|| place.clone())
    }
}
