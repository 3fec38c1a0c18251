//! A file that is written as a whole or not at all.

use std::{fs, io, path::PathBuf};

/// Why a file is not written. `path` is the file.
#[derive(Debug, thiserror::Error)]
pub enum NewFileError {
    #[error("{} exists: choose another file, or add --overwrite to replace it", path.display())]
    Exists { path: PathBuf },
    #[error("{} is not a file: choose the name of a file", path.display())]
    NotAFile { path: PathBuf },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// The file to write, which can be written unless something happens in the meantime.
pub struct NewFile {
    path: PathBuf,
}

impl NewFile {
    /// # Errors
    /// The file exists and `overwrite` is false, or it is a directory or a device.
    pub fn new(path: PathBuf, overwrite: bool) -> Result<Self, NewFileError> {
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => Err(NewFileError::NotAFile { path }),
            Ok(_) if !overwrite => Err(NewFileError::Exists { path }),
            Ok(_) => Ok(Self { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { path }),
            Err(source) => Err(NewFileError::Write { path, source }),
        }
    }

    /// Writes the text, replacing the file if it exists.
    pub fn write(&self, text: &str) -> Result<(), NewFileError> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = self.path.with_file_name(name);
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, &self.path));
        written.map_err(|source| {
            // The error that matters is the first one.
            let _ = fs::remove_file(&part);
            NewFileError::Write {
                path: self.path.clone(),
                source,
            }
        })
    }
}
