//! Pages and their cursors.

use std::collections::HashMap;

/// The place after which a page begins: the last record's sort key and id.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub key: String,
    pub id: String,
}

/// The cursors given out, each for one query only.
pub(crate) struct Cursors {
    random: fastrand::Rng,
    given: HashMap<String, (String, Place)>,
}

impl Cursors {
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            given: HashMap::new(),
        }
    }

    /// A new cursor that looks like nothing.
    pub fn give(&mut self, query: &str, place: Place) -> String {
        let cursor: String = (0..24).map(|_| self.random.alphanumeric()).collect();
        self.given.insert(cursor.clone(), (query.to_owned(), place));
        cursor
    }

    /// The place of a cursor, if it was given for this query.
    pub fn place(&self, query: &str, cursor: &str) -> Option<Place> {
        let (given_for, place) = self.given.get(cursor)?;
        (given_for == query).then(|| place.clone())
    }
}
