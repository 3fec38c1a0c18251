//! `record`: what both services answered, into a directory.

use std::path::Path;

use super::{ProgramError, Source, anonymise::anonymised};
use crate::{cli::recording::Recording, services::AllowedAddresses};

/// Reads both services and writes a recording; gives a line that says what it holds.
///
/// # Errors
/// What could not be read or written. Nothing half-written is left.
pub async fn record(
    source: &Source,
    allowed: &AllowedAddresses,
    out: &Path,
    anonymise: bool,
) -> Result<String, ProgramError> {
    let mut opened = source.open(allowed).await?;
    // What the API server adds is of no use to a reader.
    opened.integration.metadata.managed_fields = None;
    for object in &mut opened.matches {
        object.metadata.managed_fields = None;
    }
    let services = &opened.services;
    let prefix = &opened.integration.spec.okta.group_prefix;
    let mut recording = Recording::of(&services.okta, &services.insightful, prefix).await?;
    recording.integration = Some(opened.integration);
    recording.matches = opened.matches;
    if anonymise {
        recording = anonymised(recording);
    }
    recording.save(out)?;
    Ok(format!(
        "recorded {} users, {} groups, {} employees, {} teams and {} decisions in {}",
        recording.users.len(),
        recording.groups.len(),
        recording.employees.len(),
        recording.teams.len(),
        recording.matches.len(),
        out.display()
    ))
}
