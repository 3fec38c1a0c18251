//! Strings as numbers, so that equal strings are compared and counted as numbers.

use foldhash::HashMap;
use string_interner::{
    StringInterner,
    backend::StringBackend,
    symbol::{Symbol, SymbolU32},
};

use super::{addresses::Address, parallel::number};

/// Numbers strings from 0 on.
#[derive(Debug, Default)]
pub(super) struct Interner(StringInterner<StringBackend>);

impl Interner {
    /// Returns the number of a string, which is added if it is new.
    pub(super) fn id(&mut self, text: &str) -> u32 {
        number(self.0.get_or_intern(text).to_usize())
    }

    /// Returns the number of a known string.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.0.get(text).map(|symbol| number(symbol.to_usize()))
    }

    /// Returns the string of a number, or an empty one if there is none.
    pub(super) fn text(&self, id: u32) -> &str {
        SymbolU32::try_from_usize(id as usize)
            .and_then(|symbol| self.0.resolve(symbol))
            .unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The numbers of an [`Address`] and its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    /// The whole address.
    pub(super) id: u32,
    pub(super) local: u32,
    /// The local part without punctuation.
    pub(super) squeezed: u32,
    /// The local part without punctuation and trailing digits.
    pub(super) without_number: u32,
    pub(super) domain: u32,
    /// Whether it is a shared mailbox.
    pub(super) role: bool,
    /// Whether it is at a public mail provider.
    pub(super) private: bool,
}

/// The numbers of strings of each kind.
#[derive(Default)]
pub(super) struct Numbering {
    /// By local part and domain.
    mails: HashMap<(u32, u32), u32>,
    /// Local parts and account names, with and without punctuation and digits.
    pub(super) keys: Interner,
    pub(super) domains: Interner,
    teams: Interner,
}

impl Numbering {
    pub(super) fn mail(&mut self, address: &Address) -> Mail {
        let domain = self.domains.id(&address.domain);
        let local = self.keys.id(&address.local);
        let squeezed = self.shortened(local, &address.local, &address.squeezed);
        let without_number = self.shortened(squeezed, &address.squeezed, without_number(&address.squeezed));
        let next = number(self.mails.len());
        Mail {
            id: *self.mails.entry((local, domain)).or_insert(next),
            local,
            squeezed,
            without_number,
            domain,
            role: address.role,
            private: address.private,
        }
    }

    /// Returns the key of a shortened text, given the key of the full text.
    fn shortened(&mut self, key: u32, full: &str, shortened: &str) -> u32 {
        if shortened.len() == full.len() {
            key
        } else {
            self.keys.id(shortened)
        }
    }

    pub(super) fn team(&mut self, folded: Option<&str>) -> Option<u32> {
        folded.map(|folded| self.teams.id(folded))
    }

    /// Returns the keys of an account name with and without trailing digits.
    pub(super) fn account(&mut self, squeezed: &str) -> (u32, u32) {
        (self.keys.id(squeezed), self.keys.id(without_number(squeezed)))
    }
}

/// Removes trailing digits, unless at most one character would remain.
fn without_number(text: &str) -> &str {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() > 1 { stem } else { text }
}
