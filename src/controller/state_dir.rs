//! Saves Okta's directory across restarts, so that the first sync after one reads
//! only what changed. The files can be lost at any time: the next sync is then a
//! full sync. They hold names, addresses and memberships, and no token.
//!
//! One file per integration, named by its uid: a header line, a line with the
//! people, a line with the groups, and a line with the SHA-256 of the lines before
//! it. A file is replaced atomically.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    model::{AttributeName, Complete, Directory, GroupId, Mark, PersonId, UnreadableRecords, digest::hex},
};

/// Increment it when files of earlier versions would be misread.
const FORMAT: u32 = 1;

/// A larger file is not ours: files of large orgs are a hundred times smaller.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// What a directory was read from. A directory from another source must not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSource {
    /// The org's URL.
    pub org: String,
    /// A digest of the reference to the token and its version; not of the token.
    pub credential: String,
    /// The prefix of the team groups.
    pub prefix: String,
    pub people: PeopleScope,
    /// The attributes of users' profiles that were kept besides the fields of a person.
    #[serde(default)]
    pub attributes: BTreeSet<AttributeName>,
}

/// Okta's directory at a point of its change log.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedDirectory {
    pub source: ReadSource,
    pub directory: Arc<Directory>,
    /// Changes after this are not in the directory.
    pub mark: Mark,
    /// The last full sync, by our clock.
    pub full: Timestamp,
}

impl SavedDirectory {
    /// Why this cannot be used at `now`, by our clock, to continue reading from
    /// `source`; None if it can.
    pub fn unusable_because(
        &self,
        source: &ReadSource,
        full_interval: Duration,
        now: Timestamp,
    ) -> Option<&'static str> {
        let ReadSource {
            org,
            credential,
            prefix,
            people,
            attributes,
        } = &self.source;
        if *org != source.org {
            return Some("it is from another org");
        }
        if *credential != source.credential {
            return Some("it was read with another token");
        }
        if *prefix != source.prefix || *people != source.people {
            return Some("it was read with another prefix or scope");
        }
        if *attributes != source.attributes {
            return Some("it was read with other attributes than spec.okta.exclude names");
        }
        match Duration::try_from(now.duration_since(self.full)) {
            Ok(age) if age < full_interval => None,
            Ok(_) => Some("it is older than fullInterval"),
            Err(_) => Some("it is from the future: the clock was set back"),
        }
    }
}

/// Why a state file cannot be used or saved. Names no person.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} {problem}", path.display())]
    Invalid { path: PathBuf, problem: &'static str },
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    integration: String,
    source: ReadSource,
    mark: Mark,
    full: Timestamp,
    /// Members whom Okta's search for users does not show.
    #[serde(default)]
    hidden: BTreeSet<PersonId>,
    /// Groups whose names look as if they were team groups, by name.
    #[serde(default)]
    lookalikes: BTreeMap<GroupId, String>,
    /// Records that cannot be read.
    #[serde(default)]
    unreadable: UnreadableRecords,
}

/// The directory of the state files.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Creates the directory, with access for its owner only, if it does not exist.
    ///
    /// # Errors
    /// Why it cannot be created.
    pub fn open(path: &Path) -> Result<Self, StateDirError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
        created.map_err(io_error(path))?;
        Ok(Self(path.to_owned()))
    }

    /// Replaces the state file of an integration. Blocks.
    ///
    /// # Errors
    /// Why it cannot be written; the earlier file then stays.
    pub fn save(&self, uid: &str, saved: &SavedDirectory) -> Result<(), StateDirError> {
        let (path, part) = (self.file(uid, "json")?, self.file(uid, "part")?);
        self.write(uid, saved, &part)
            .and_then(|()| fs::rename(&part, &path))
            // The rename must survive a crash, too.
            .and_then(|()| File::open(&self.0)?.sync_all())
            .map_err(|source| {
                // Left behind, it would be swept later.
                let _ = fs::remove_file(&part);
                StateDirError::Io { path, source }
            })
    }

    fn write(&self, uid: &str, saved: &SavedDirectory, part: &Path) -> io::Result<()> {
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
        } = saved;
        let header = Header {
            format: FORMAT,
            integration: uid.to_owned(),
            source: source.clone(),
            mark: *mark,
            full: *full,
            hidden: directory.hidden().clone(),
            lookalikes: directory.lookalikes().clone(),
            unreadable: directory.unreadable().clone(),
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        // Streamed: a copy of a large directory would raise the memory peak.
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

    /// The state file of an integration; None if there is none. Blocks.
    ///
    /// # Errors
    /// Why the file cannot be used.
    pub fn load(&self, uid: &str) -> Result<Option<SavedDirectory>, StateDirError> {
        let path = self.file(uid, "json")?;
        let invalid = |problem| StateDirError::Invalid {
            path: path.clone(),
            problem,
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
            return Err(invalid("is damaged: its checksum does not match"));
        }
        let mut lines = content.split(|byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let header: serde_json::Value = parse(line()).ok_or_else(|| invalid("has no header"))?;
        if header["format"] != FORMAT {
            return Err(invalid("was written by another version of the operator"));
        }
        let header: Header = serde_json::from_value(header).map_err(|_| invalid("has an invalid header"))?;
        if header.integration != uid {
            return Err(invalid("belongs to another integration"));
        }
        let people = parse(line()).ok_or_else(|| invalid("has invalid people"))?;
        let groups = parse(line()).ok_or_else(|| invalid("has invalid groups"))?;
        Ok(Some(SavedDirectory {
            source: header.source,
            // Only complete directories are saved.
            directory: Arc::new(
                Directory::new(Complete::from_all_pages(people), Complete::from_all_pages(groups))
                    .with_hidden(header.hidden)
                    .with_lookalikes(header.lookalikes)
                    .with_unreadable(Vec::from(header.unreadable)),
            ),
            mark: header.mark,
            full: header.full,
        }))
    }

    /// Removes the files of integrations that do not exist, including those that a
    /// crash left half-written. Blocks.
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
            // Other files are not ours.
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
                problem: "cannot hold a file for this integration: its uid is not a valid file name",
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

/// Hashes what is written.
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
    use crate::{model::Attribute, rules::example::Example};

    const UID: &str = "0b6e7c1e-3f0e-4d59-9a0a-7f6f3f8a2d11";

    fn directory() -> SavedDirectory {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe\n\"Roe\"", "Sales").attributes = [Attribute {
            name: "userType".into(),
            value: "Service".into(),
        }]
        .into();
        example.person("omar", "Omar", "Ali", "Support").title = None;
        let hidden = example.people.pop();
        SavedDirectory {
            source: ReadSource {
                org: "https://acme.okta.com".into(),
                credential: "digest".into(),
                prefix: "P_".into(),
                people: PeopleScope::TeamMembers,
                attributes: ["userType".into()].into(),
            },
            directory: Arc::new(
                example
                    .snapshot()
                    .directory()
                    .as_ref()
                    .clone()
                    .with_members(hidden),
            ),
            mark: Mark::at("2026-03-01T12:00:00Z".parse().unwrap()),
            full: "2026-03-01T09:00:00.123Z".parse().unwrap(),
        }
    }

    fn saved() -> (tempfile::TempDir, StateDir, PathBuf) {
        let outer = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&outer.path().join("state/of/operator")).unwrap();
        dir.save(UID, &directory()).unwrap();
        let path = dir.0.join(format!("{UID}.json"));
        (outer, dir, path)
    }

    #[test]
    fn a_saved_directory_is_loaded_again_and_readable_by_its_owner_only() {
        let (_outer, dir, path) = saved();
        assert_eq!(dir.load(UID).unwrap(), Some(directory()));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.0)), (0o600, 0o700));

        let mut later = directory();
        later.mark = Mark::at("2026-03-01T13:00:00Z".parse().unwrap());
        dir.save(UID, &later).unwrap();
        assert_eq!(dir.load(UID).unwrap(), Some(later));
        assert_eq!(
            fs::read_dir(&dir.0).unwrap().count(),
            1,
            "no partial file is left"
        );
        assert_eq!(dir.load("another-uid").unwrap(), None);
    }

    #[test]
    fn a_damaged_or_foreign_file_is_an_error() {
        let (_outer, dir, path) = saved();
        let whole = fs::read(&path).unwrap();
        let with_checksum = |content: String| {
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
            (with_checksum(String::new()), "no header"),
            (
                with_checksum(content.replace("\"format\":1", "\"format\":2")),
                "another version",
            ),
            (
                with_checksum(content.replace(UID, "another")),
                "another integration",
            ),
            (
                with_checksum(content.replace("\"mark\"", "\"mork\"")),
                "invalid header",
            ),
            (
                with_checksum(content.replace("\"login\"", "\"logon\"")),
                "invalid people",
            ),
            (
                with_checksum(content.replace("\"members\"", "\"mombers\"")),
                "invalid groups",
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
    fn a_saved_directory_is_used_for_the_same_source_within_the_full_interval() {
        type Change = fn(&mut SavedDirectory);
        let cases: [(Change, Option<&str>); 10] = [
            (|_| (), None),
            (|k| k.source.org.push_str(".au"), Some("another org")),
            (|k| k.source.credential.push('x'), Some("another token")),
            (|k| k.source.prefix.push('x'), Some("another prefix")),
            (
                |k| k.source.people = PeopleScope::Everyone,
                Some("another prefix or scope"),
            ),
            (|k| k.source.attributes.clear(), Some("other attributes")),
            (
                |k| {
                    k.source.attributes.insert("city".into());
                },
                Some("other attributes"),
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
            let mut changed = directory();
            change(&mut changed);
            let why = changed.unusable_because(&directory().source, Duration::from_secs(24 * 3600), now);
            assert_eq!(why.is_some(), expected.is_some(), "{why:?} {expected:?}");
            assert!(
                why.unwrap_or_default().contains(expected.unwrap_or_default()),
                "{why:?}"
            );
        }
    }

    #[test]
    fn a_file_of_an_earlier_version_was_read_without_attributes() {
        let (_outer, dir, path) = saved();
        let whole = fs::read_to_string(&path).unwrap();
        let (content, _) = whole.trim_end().rsplit_once('\n').unwrap();
        let content = content.replace(r#","attributes":["userType"]"#, "") + "\n";
        let sum = hex(&Sha256::digest(&content));
        fs::write(&path, format!("{content}{sum}\n")).unwrap();
        let loaded = dir.load(UID).unwrap().unwrap();
        assert_eq!(loaded.source.attributes, BTreeSet::new());
    }

    #[test]
    fn a_failed_save_leaves_the_earlier_file() {
        let (_outer, dir, path) = saved();
        // A directory blocks the path of the new file.
        fs::create_dir(path.with_extension("part")).unwrap();
        assert!(dir.save(UID, &directory()).is_err());
        assert_eq!(dir.load(UID).unwrap(), Some(directory()));
        for uid in ["", "../escape", "a/b", "a.b"] {
            assert!(dir.save(uid, &directory()).is_err(), "{uid}");
        }
    }

    #[test]
    fn files_of_deleted_integrations_are_removed() {
        let (_outer, dir, path) = saved();
        dir.save("gone", &directory()).unwrap();
        let left_by_a_crash = dir.0.join("gone.part");
        fs::write(&left_by_a_crash, "{").unwrap();
        let foreign = dir.0.join("lost+found.txt");
        fs::write(&foreign, "").unwrap();
        dir.sweep(|uid| uid == UID).unwrap();
        assert!(path.exists() && foreign.exists());
        assert!(!dir.0.join("gone.json").exists() && !left_by_a_crash.exists());
    }
}
