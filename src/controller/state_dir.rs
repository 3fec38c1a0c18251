//! What Okta said, kept in a directory, so that after a restart a sync reads what
//! changed and not everything. It can be lost at any time: all of it is read anew
//! then. It holds names, addresses and memberships, and no token.
//!
//! One file for each integration, named by its uid: a line that says what was
//! read and how far, a line with the people, a line with the groups, and a line
//! with the SHA-256 of all that. A file is replaced whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    api::PeopleScope,
    model::{Complete, Directory, Mark, digest::hex},
};

/// Grows whenever a file of an older one would be misread.
const FORMAT: u32 = 1;

/// A file beyond this is not ours: a hundred times an org of 50,000 people.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// What Okta was read with. What was read with anything else says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSource {
    /// The org's address.
    pub org: String,
    /// A digest of where the token came from, and of which version of it; nothing of the token.
    pub credential: String,
    /// The groups' prefix.
    pub prefix: String,
    /// Who is in scope.
    pub people: PeopleScope,
}

/// What Okta said, and how far that goes.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedDirectory {
    /// What it was read with.
    pub source: ReadSource,
    /// Okta's half of a snapshot.
    pub directory: Arc<Directory>,
    /// How far it follows Okta.
    pub mark: Mark,
    /// When Okta was last read whole, by our clock.
    pub full: Timestamp,
}

impl SavedDirectory {
    /// Why this is of no use to a read with `with` at `now`, by our clock, where
    /// everything is read anew after `full_interval`; None if it is of use.
    pub fn unusable_because(
        &self,
        with: &ReadSource,
        full_interval: Duration,
        now: Timestamp,
    ) -> Option<&'static str> {
        let ReadSource {
            org,
            credential,
            prefix,
            people,
        } = &self.source;
        if *org != with.org {
            return Some("it is from another org");
        }
        if *credential != with.credential {
            return Some("it was read with another token");
        }
        if *prefix != with.prefix || *people != with.people {
            return Some("it was read with another prefix or scope");
        }
        match Duration::try_from(now.duration_since(self.full)) {
            Ok(age) if age < full_interval => None,
            Ok(_) => Some("it is older than fullInterval"),
            Err(_) => Some("it is from the future: a clock was put back"),
        }
    }
}

/// Why what was kept is of no use, or why it cannot be kept. Names no person.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// A file or directory cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{}: {what}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    integration: String,
    source: ReadSource,
    mark: Mark,
    full: Timestamp,
}

/// A directory that holds what is kept.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Makes the directory, for its owner alone, if it is not there.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn open(path: &Path) -> Result<Self, StateDirError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(io_error(path))?;
        Ok(Self(path.to_owned()))
    }

    /// Keeps this for an integration, in place of what was kept before. Slow: not for a thread
    /// that serves others.
    ///
    /// # Errors
    /// Why it cannot be written; what was kept before is then still there.
    pub fn save(&self, uid: &str, kept: &SavedDirectory) -> Result<(), StateDirError> {
        let (path, part) = (self.file(uid, "json")?, self.file(uid, "part")?);
        self.write(uid, kept, &part)
            .and_then(|()| fs::rename(&part, &path))
            // The name must outlast a crash, too.
            .and_then(|()| File::open(&self.0)?.sync_all())
            .map_err(|source| {
                // A part is of no use; that it cannot be removed adds nothing.
                let _ = fs::remove_file(&part);
                StateDirError::Io { path, source }
            })
    }

    fn write(&self, uid: &str, kept: &SavedDirectory, part: &Path) -> io::Result<()> {
        if let Err(error) = fs::remove_file(part)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(part)?;
        let mut out = HashingWriter {
            out: BufWriter::new(file),
            sum: Sha256::new(),
        };
        let SavedDirectory {
            source,
            directory,
            mark,
            full,
        } = kept;
        let header = Header {
            format: FORMAT,
            integration: uid.to_owned(),
            source: source.clone(),
            mark: *mark,
            full: *full,
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        // One by one: a copy of a whole org is what keeping must not cost.
        serde_json::Serializer::new(&mut out).collect_seq(directory.people().values())?;
        out.write_all(b"\n")?;
        serde_json::Serializer::new(&mut out).collect_seq(directory.groups().values())?;
        out.write_all(b"\n")?;
        let HashingWriter { mut out, sum } = out;
        writeln!(out, "{}", hex(&sum.finalize()))?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }

    /// What is kept for an integration; None if nothing is. Slow, as [`save`](Self::save) is.
    ///
    /// # Errors
    /// What is invalid about the file.
    pub fn load(&self, uid: &str) -> Result<Option<SavedDirectory>, StateDirError> {
        let path = self.file(uid, "json")?;
        let invalid = |what| StateDirError::Invalid {
            path: path.clone(),
            what,
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateDirError::Io { path, source }),
            Ok(metadata) if metadata.len() > MAX_FILE_BYTES => return Err(invalid("is too large")),
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(io_error(&path))?;
        let sum_at = bytes
            .len()
            .checked_sub(65)
            .ok_or_else(|| invalid("is cut short"))?;
        let (content, sum) = bytes.split_at(sum_at);
        if sum != format!("{}\n", hex(&Sha256::digest(content))).as_bytes() {
            return Err(invalid("is not what was written: its checksum is another"));
        }
        let mut lines = content.split(|byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let header: serde_json::Value = parse(line()).ok_or_else(|| invalid("has no header"))?;
        if header["format"] != FORMAT {
            return Err(invalid("is of another version of the operator"));
        }
        let header: Header = serde_json::from_value(header).map_err(|_| invalid("has a broken header"))?;
        if header.integration != uid {
            return Err(invalid("is another integration's"));
        }
        let people = parse(line()).ok_or_else(|| invalid("has broken people"))?;
        let groups = parse(line()).ok_or_else(|| invalid("has broken groups"))?;
        Ok(Some(SavedDirectory {
            source: header.source,
            // Only what was read whole was kept.
            directory: Arc::new(Directory::of(
                Complete::last_page_read(people),
                Complete::last_page_read(groups),
            )),
            mark: header.mark,
            full: header.full,
        }))
    }

    /// Removes what is kept for integrations that do not exist, and what a crash
    /// left half-written. Slow, as [`save`](Self::save) is.
    ///
    /// # Errors
    /// The first file that cannot be removed.
    pub fn sweep(&self, exists: impl Fn(&str) -> bool) -> Result<(), StateDirError> {
        let entries = fs::read_dir(&self.0).map_err(io_error(&self.0))?;
        for entry in entries {
            let path = entry.map_err(io_error(&self.0))?.path();
            let is_ours = path
                .extension()
                .is_some_and(|extension| extension == "json" || extension == "part");
            let uid = path.file_stem().and_then(|stem| stem.to_str());
            // Other files are somebody else's.
            if let Some(uid) = uid.filter(|uid| is_ours && is_uid(uid))
                && !exists(uid)
            {
                fs::remove_file(&path).map_err(io_error(&path))?;
            }
        }
        Ok(())
    }

    fn file(&self, uid: &str, extension: &str) -> Result<PathBuf, StateDirError> {
        if is_uid(uid) {
            Ok(self.0.join(format!("{uid}.{extension}")))
        } else {
            Err(StateDirError::Invalid {
                path: self.0.clone(),
                what: "an integration's uid is no file name",
            })
        }
    }
}

fn is_uid(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    serde_json::from_slice(line).ok()
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> StateDirError {
    move |source| StateDirError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Adds up what is written.
struct HashingWriter<W> {
    out: W,
    sum: Sha256,
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::rules::example::Example;

    const UID: &str = "0b6e7c1e-3f0e-4d59-9a0a-7f6f3f8a2d11";

    fn kept() -> SavedDirectory {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe\n\"Roe\"", "Sales");
        example.person("omar", "Omar", "Ali", "Support").title = None;
        SavedDirectory {
            source: ReadSource {
                org: "https://acme.okta.com".into(),
                credential: "digest".into(),
                prefix: "P_".into(),
                people: PeopleScope::TeamMembers,
            },
            directory: example.snapshot().directory().clone(),
            mark: Mark::at("2026-03-01T12:00:00Z".parse().unwrap()),
            full: "2026-03-01T09:00:00.123Z".parse().unwrap(),
        }
    }

    fn saved() -> (tempfile::TempDir, StateDir, PathBuf) {
        let outer = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&outer.path().join("state/of/operator")).unwrap();
        dir.save(UID, &kept()).unwrap();
        let path = dir.0.join(format!("{UID}.json"));
        (outer, dir, path)
    }

    #[test]
    fn what_is_kept_comes_back_and_is_for_its_owner_alone() {
        let (_outer, dir, path) = saved();
        assert_eq!(dir.load(UID).unwrap(), Some(kept()));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.0)), (0o600, 0o700));

        let mut later = kept();
        later.mark = Mark::at("2026-03-01T13:00:00Z".parse().unwrap());
        dir.save(UID, &later).unwrap();
        assert_eq!(dir.load(UID).unwrap(), Some(later));
        assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1, "no part is left");
        assert_eq!(dir.load("another-uid").unwrap(), None);
    }

    #[test]
    fn whatever_is_odd_about_a_file_makes_it_useless() {
        let (_outer, dir, path) = saved();
        let whole = fs::read(&path).unwrap();
        let summed = |content: String| {
            let sum = hex(&Sha256::digest(&content));
            format!("{content}{sum}\n").into_bytes()
        };
        let content = String::from_utf8(whole[..whole.len() - 65].to_vec()).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for (bytes, expected) in [
            (vec![], "cut short"),
            (whole[..whole.len() / 2].to_vec(), "checksum"),
            (flipped, "checksum"),
            (summed(String::new()), "no header"),
            (
                summed(content.replace("\"format\":1", "\"format\":2")),
                "another version",
            ),
            (summed(content.replace(UID, "another")), "another integration's"),
            (summed(content.replace("\"mark\"", "\"mork\"")), "broken header"),
            (summed(content.replace("\"login\"", "\"logon\"")), "broken people"),
            (
                summed(content.replace("\"members\"", "\"mombers\"")),
                "broken groups",
            ),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = dir.load(UID).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("Jane"), "{error}");
        }
        fs::write(&path, whole).unwrap();
        assert!(dir.load(UID).unwrap().is_some());
    }

    #[test]
    fn what_was_kept_is_of_use_to_the_same_read_within_the_full_interval() {
        type Change = fn(&mut SavedDirectory);
        let cases: [(Change, Option<&str>); 8] = [
            (|_| (), None),
            (|k| k.source.org.push_str(".au"), Some("another org")),
            (|k| k.source.credential.push('x'), Some("another token")),
            (|k| k.source.prefix.push('x'), Some("another prefix")),
            (
                |k| k.source.people = PeopleScope::Everyone,
                Some("another prefix or scope"),
            ),
            (
                |k| k.full -= Duration::from_secs(22 * 3600),
                Some("older than fullInterval"),
            ),
            (|k| k.full -= Duration::from_secs(20 * 3600), None),
            (|k| k.full += Duration::from_secs(4 * 3600), Some("the future")),
        ];
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for (change, expected) in cases {
            let mut changed = kept();
            change(&mut changed);
            let why = changed.unusable_because(&kept().source, Duration::from_secs(24 * 3600), now);
            assert_eq!(why.is_some(), expected.is_some(), "{why:?} {expected:?}");
            assert!(
                why.unwrap_or_default().contains(expected.unwrap_or_default()),
                "{why:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let (_outer, dir, path) = saved();
        // A directory stands where the new file is to be written.
        fs::create_dir(path.with_extension("part")).unwrap();
        assert!(dir.save(UID, &kept()).is_err());
        assert_eq!(dir.load(UID).unwrap(), Some(kept()));
        for uid in ["", "../escape", "a/b", "a.b"] {
            assert!(dir.save(uid, &kept()).is_err(), "{uid}");
        }
    }

    #[test]
    fn what_belongs_to_no_integration_is_removed() {
        let (_outer, dir, path) = saved();
        dir.save("gone", &kept()).unwrap();
        let left_by_a_crash = dir.0.join("gone.part");
        fs::write(&left_by_a_crash, "{").unwrap();
        let somebody_elses = dir.0.join("lost+found.txt");
        fs::write(&somebody_elses, "").unwrap();
        dir.sweep(|uid| uid == UID).unwrap();
        assert!(path.exists() && somebody_elses.exists());
        assert!(!dir.0.join("gone.json").exists() && !left_by_a_crash.exists());
    }
}
