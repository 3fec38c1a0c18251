//! `plan`: what would be written, by kind, deactivations first.

use comfy_table::{ContentArrangement, Table, presets};

use super::{PluginError, arguments::Name, cluster::Cluster, terminal};
use crate::{
    model::text::{counted, shown},
    review::{
        Company,
        planned::{Line, List, Planned},
        summary::plan_in_words,
    },
};

pub async fn run(cluster: &Cluster, arguments: Name) -> Result<(), PluginError> {
    let company = cluster.company(arguments.name.as_deref()).await?;
    print(&company)
}

/// Prints the plan of an integration. Returns its hash, or None if there is no plan.
pub(super) fn print(company: &Company) -> Result<(), PluginError> {
    let Some(summary) = company
        .integration
        .status
        .as_ref()
        .and_then(|status| status.plan.as_ref())
    else {
        return terminal::line(format_args!(
            "{} has no plan yet: wait for the first sync.",
            company.name()
        ));
    };
    let planned = Planned::of(company);
    for list in planned.lists() {
        print_list(&list)?;
    }
    if !planned.new_teams.is_empty() {
        terminal::heading(&counted(planned.new_teams.len(), "new team", "new teams"))?;
        for team in &planned.new_teams {
            terminal::line(format_args!("  {}", shown(team)))?;
        }
        terminal::line("")?;
    }
    terminal::line(shown(&plan_in_words(summary)).replace("\\u{a}", "\n"))
}

fn print_list(list: &List<'_>) -> Result<(), PluginError> {
    terminal::heading(&list.title())?;
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    for line in &list.lines {
        let Line {
            person,
            employee,
            from,
            to,
            ..
        } = line;
        let change = match from.is_empty() {
            true => to.clone(),
            false => format!("{from} → {to}"),
        };
        let employee = employee.as_deref().unwrap_or_default();
        table.add_row([person, employee, &change].map(|text| shown(text).into_owned()));
    }
    terminal::line(table.trim_fmt())?;
    terminal::line("")
}
