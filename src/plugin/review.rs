//! `review`: the screen, or a list of the people who need a decision.

use super::{PluginError, arguments::Review, cluster::Cluster, screen, terminal};
use crate::{
    model::text::{counted, shown},
    new_file::NewFile,
    review::{
        Company, PersonView, evidence,
        filter::{self, Filter, Tab},
    },
};

pub async fn run(cluster: Cluster, arguments: Review) -> Result<(), PluginError> {
    let Review {
        name,
        text,
        git,
        overwrite,
        no_browser,
    } = arguments;
    if text {
        return print(&cluster.company(name.name.as_deref()).await?);
    }
    // Whether the file may be written is asked for before anything is decided.
    if let Some(path) = &git {
        NewFile::new(path.clone(), overwrite)?;
    }
    let integration = cluster.integration(name.name.as_deref()).await?;
    let name = integration.metadata.name.unwrap_or_default();
    screen::serve(cluster, name, git, !no_browser).await
}

fn print(company: &Company) -> Result<(), PluginError> {
    let mut waiting = 0;
    for tab in [Tab::Review, Tab::Unmatched, Tab::Conflict] {
        let filter = Filter {
            tab,
            ..Filter::default()
        };
        for group in filter::groups(company, &filter) {
            waiting += group.people.len();
            terminal::heading(&title(tab, &group))?;
            for person in &group.people {
                print_person(*person)?;
            }
            terminal::line("")?;
        }
    }
    let need = counted(waiting, "person needs a decision", "people need a decision");
    terminal::line(format_args!("{need}."))
}

fn title(tab: Tab, group: &filter::Group<'_>) -> String {
    let people = counted(group.people.len(), "person", "people");
    match group.evidence.map(evidence::describe) {
        Some(kind) => {
            let (low, high) = kind.right_of_100;
            format!("{people}: {}; {low} to {high} of 100 such are right", kind.title)
        }
        None => format!("{}: {people}", tab.title()),
    }
}

fn print_person(person: PersonView<'_>) -> Result<(), PluginError> {
    let described = |name: &str, email: &str, team: Option<&str>| match team {
        Some(team) => format!("{name} <{email}>, {team}"),
        None => format!("{name} <{email}>"),
    };
    let email = person.email().unwrap_or("no email");
    terminal::line(format_args!(
        "  {} ({})",
        shown(&described(person.name(), email, person.team())),
        shown(person.id())
    ))?;
    terminal::line(format_args!("    {}", shown(&person.explanation())))?;
    for candidate in person.candidates() {
        let email = match candidate.email.as_str() {
            "" => "no email",
            email => email,
        };
        let mut text = format!(
            "{:>3}  {}",
            candidate.confidence,
            described(&candidate.name, email, candidate.team.as_deref())
        );
        if candidate.deactivated {
            text += ", deactivated";
        }
        if let Some(holder) = &candidate.matched_to {
            text += &format!(", matched to {holder}");
        }
        let reasons = candidate.reasons.join("; ");
        terminal::line(shown(&format!(
            "    {text} ({}): {reasons}",
            candidate.employee_id
        )))?;
    }
    Ok(())
}
