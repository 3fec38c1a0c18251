//! `record`: saves the responses of both services to a directory.

use std::path::Path;

use super::{CliError, Source, anonymise::anonymised};
use crate::{cli::recording::Recording, model::text::counted, services::AllowedAddresses};

/// Reads both services, writes a recording and returns a summary line. On an error, nothing is written.
pub async fn record(
    source: &Source,
    allowed: &AllowedAddresses,
    out: &Path,
    anonymise: bool,
) -> Result<String, CliError> {
    let mut opened = source.open(allowed).await?;
    // Who wrote which field of the objects does not matter to a plan.
    opened.integration.metadata.managed_fields = None;
    let mut matches = opened.readable_matches()?;
    for object in &mut matches {
        object.metadata.managed_fields = None;
    }
    let services = &opened.services;
    let prefix = &opened.integration.spec.okta.group_prefix;
    let mut recording = Recording::of(&services.okta, &services.insightful, prefix).await?;
    recording.integration = Some(opened.integration);
    recording.matches = matches;
    if anonymise {
        recording = anonymised(recording);
    }
    recording.save(out)?;
    Ok(format!(
        "recorded {}, {}, {}, {} and {} in {}",
        counted(recording.users.len(), "user", "users"),
        counted(recording.groups.len(), "group", "groups"),
        counted(recording.employees.len(), "employee", "employees"),
        counted(recording.teams.len(), "team", "teams"),
        counted(recording.matches.len(), "EmployeeMatch", "EmployeeMatches"),
        out.display()
    ))
}
