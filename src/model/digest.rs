//! Digests of values: equal digests mean equal values.

use std::{fmt, io};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The first half of the SHA-256 of a value's JSON. Two values with the same digest cannot be constructed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of a value, without the fields that serde skips.
    pub fn of(value: &impl Serialize) -> Self {
        Self::half(&sha256(value))
    }

    /// The digest of several values in their order. None may be a bare number: two numbers in a row would
    /// read as one.
    pub fn of_all<T: Serialize>(values: impl IntoIterator<Item = T>) -> Self {
        let mut hasher = Hasher(Sha256::new());
        for value in values {
            hasher.take(&value);
        }
        Self::half(&hasher.0.finalize().into())
    }

    fn half(whole: &[u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        Self(half)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a value's JSON. The JSON is streamed into the hash, not held in memory.
pub fn sha256(value: &impl Serialize) -> [u8; 32] {
    let mut hasher = Hasher(Sha256::new());
    hasher.take(value);
    hasher.0.finalize().into()
}

struct Hasher(Sha256);

impl Hasher {
    fn take(&mut self, value: &impl Serialize) {
        // Neither the hasher nor the digested values (strings, numbers, enums, lists, maps with string keys)
        // can fail.
        let _ = serde_json::to_writer(self, value);
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_the_json() {
        let expected: [u8; 32] = Sha256::digest(br#"["a",null,2]"#).into();
        assert_eq!(sha256(&("a", None::<u8>, 2)), expected);
        assert_eq!(Digest::of(&("a", None::<u8>, 2)).0[..], expected[..16]);
        assert_ne!(Digest::of(&"a"), Digest::of(&"b"));
        assert_eq!(Digest::of_all(["a"]), Digest::of(&"a"));
        assert_ne!(Digest::of_all(["a", "b"]), Digest::of_all(["b", "a"]));
        assert_ne!(Digest::of_all(["a", "b"]), Digest::of_all(["ab"]));
        assert_eq!(format!("{:?}", Digest([0xa1; 16])), "a1".repeat(16));
    }
}
