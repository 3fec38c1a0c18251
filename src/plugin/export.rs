//! `export`: people and their candidates as a file.

use std::path::{Path, PathBuf};

use super::{PluginError, arguments::Export, cluster::Cluster, terminal};
use crate::{
    model::text::{counted, shown_json},
    new_file::NewFile,
    review::{
        Company, PersonView,
        import::PersonRecord,
        manifest::{self, Entry, Purpose, Standing},
        spreadsheet,
    },
};

/// A format of the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Csv,
    Json,
    Decisions,
}

pub async fn run(cluster: &Cluster, arguments: Export) -> Result<(), PluginError> {
    let Export {
        csv,
        json,
        decisions,
        all,
        overwrite,
        integration,
    } = arguments;
    let wanted = [
        (csv, Format::Csv),
        (json, Format::Json),
        (decisions, Format::Decisions),
    ];
    let wanted = wanted
        .into_iter()
        .find_map(|(path, format)| Some((path?, format)));
    // The argument group requires one of them.
    let (path, format) = wanted.unwrap_or_else(|| (PathBuf::from("-"), Format::Csv));
    let file = match path == Path::new("-") {
        true => None,
        false => Some(NewFile::new(path.clone(), overwrite)?),
    };
    let company = cluster.company(integration.as_deref()).await?;
    let people: Vec<PersonView<'_>> = company.people().filter(|person| all || person.waits()).collect();
    let text = text(&company, &people, format)?;
    match file {
        None => terminal::raw(&text),
        Some(file) => {
            file.write(&text)?;
            terminal::line(format_args!(
                "{} written to {}.",
                counted(people.len(), "person", "people"),
                path.display()
            ))
        }
    }
}

pub(super) fn text(
    company: &Company,
    people: &[PersonView<'_>],
    format: Format,
) -> Result<String, PluginError> {
    Ok(match format {
        Format::Csv => spreadsheet::table(people.iter().copied())?,
        Format::Json => {
            let people: Vec<PersonRecord> = people.iter().copied().map(PersonRecord::from).collect();
            format!("{}\n", shown_json(&serde_json::to_string_pretty(&people)?))
        }
        Format::Decisions => {
            let objects = people.iter().map(|person| person.object().clone()).collect();
            let standing = Standing::new(&company.integration.metadata, objects).unwrap_or_default();
            manifest::text(
                people.iter().copied().map(Entry::from).collect(),
                &standing,
                Purpose::ToDecide,
            )?
        }
    })
}
