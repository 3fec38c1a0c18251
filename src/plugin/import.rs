//! `import`: the decisions of a file.

use std::{fs, path::Path};

use super::{PluginError, arguments::Import, cluster::Cluster, terminal};
use crate::{
    model::text::{counted, shown},
    review::{
        Company,
        import::{self, Change, FileError, FileKind},
    },
};

pub async fn run(cluster: &Cluster, arguments: Import) -> Result<(), PluginError> {
    let Import {
        file,
        integration,
        dry_run,
        yes,
    } = arguments;
    let at = |source| PluginError::Import {
        path: file.display().to_string(),
        source,
    };
    let text = fs::read_to_string(&file).map_err(|error| at(FileError::Read(error)))?;
    let kind = FileKind::of(&file as &Path).ok_or_else(|| at(FileError::UnknownEnding))?;
    let company = cluster.company(integration.as_deref()).await?;
    let changes = import::changes(&text, kind, &company).map_err(at)?;
    if changes.is_empty() {
        return terminal::line("The file changes no decision.");
    }
    for change in &changes {
        terminal::line(shown(&describe(&company, change)))?;
    }
    let decisions = counted(changes.len(), "decision", "decisions");
    if dry_run {
        return terminal::line(format_args!("{decisions} would be changed."));
    }
    if !yes
        && !terminal::confirm(
            &format!("Change {decisions}?"),
            "add --yes to decide without asking",
        )?
    {
        return terminal::line("Nothing was changed.");
    }
    let by = cluster.who_am_i().await?;
    for (place, change) in changes.iter().enumerate() {
        let Change {
            okta_user_id,
            from,
            to,
        } = change;
        cluster
            .decide(company.name(), okta_user_id, from, to, &by, yes)
            .await
            .map_err(|source| PluginError::Decide {
                person: format!("{place} of {decisions} changed. {}", describe(&company, change)),
                source,
            })?;
    }
    terminal::line(format_args!("{decisions} changed."))
}

fn describe(company: &Company, change: &Change) -> String {
    let name = company
        .person(&change.okta_user_id)
        .map_or("", |person| person.name());
    let Change {
        okta_user_id,
        from,
        to,
    } = change;
    format!("{name} ({okta_user_id}): {from} → {to}")
}
