//! `decide`: a decision about one person.

use std::sync::Arc;

use super::{
    PluginError,
    arguments::{Action, Decide},
    cluster::Cluster,
    terminal,
};
use crate::{
    api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee},
    model::text::shown,
    review::{
        Choice, Company, Decided, PersonView,
        company::KnownEmployee,
        find::{self, Found, PersonKey},
    },
};

pub async fn run(cluster: &Cluster, arguments: Decide) -> Result<(), PluginError> {
    let Decide {
        person,
        action,
        employees,
        note,
        integration,
        yes,
    } = arguments;
    check_employees(action, &employees)?;
    let integration = Arc::new(cluster.integration(integration.as_deref()).await?);
    let name = integration.metadata.name.clone().unwrap_or_default();
    let object = find_person(cluster, &name, &person).await?;
    let view = PersonView::new(&object);
    let mut ids = Vec::new();
    for text in &employees {
        let employee = find_employee(cluster, &integration, &object, text).await?;
        if action == Action::Match {
            take(cluster, &integration, &object, &employee, yes).await?;
        }
        ids.push(employee.id);
    }
    let choice = match action {
        Action::Match => Choice::Match(ids),
        Action::Reject => Choice::Reject(ids.pop().unwrap_or_default()),
        Action::Create => Choice::Create,
        Action::Ignore => Choice::Ignore,
        Action::Deactivate => Choice::Deactivate,
        Action::Reset => Choice::Reset,
    };
    let before = view.decided();
    let decided = before.after(&choice, note.as_deref())?;
    let label = format!("{} ({})", view.name(), view.id());
    if decided == before {
        return terminal::line(format_args!("{}: {decided}, as before.", shown(&label)));
    }
    send(cluster, &name, view, &before, &decided, yes).await?;
    terminal::line(format_args!("{}: {before} → {decided}", shown(&label)))
}

fn check_employees(action: Action, employees: &[String]) -> Result<(), PluginError> {
    let (action, takes, fits) = match action {
        Action::Match => ("match", "at least one employee", !employees.is_empty()),
        Action::Reject => ("reject", "one employee", employees.len() == 1),
        Action::Create => ("create", "no employee", employees.is_empty()),
        Action::Ignore => ("ignore", "no employee", employees.is_empty()),
        Action::Deactivate => ("deactivate", "no employee", employees.is_empty()),
        Action::Reset => ("reset", "no employee", employees.is_empty()),
    };
    match fits {
        true => Ok(()),
        false => Err(PluginError::Employees { action, takes }),
    }
}

async fn send(
    cluster: &Cluster,
    integration: &str,
    person: PersonView<'_>,
    before: &Decided,
    decided: &Decided,
    yes: bool,
) -> Result<(), PluginError> {
    let by = cluster.who_am_i().await?;
    let sent = cluster
        .decide(integration, person.id(), before, decided, &by, yes)
        .await;
    sent.map(drop).map_err(|source| PluginError::Decide {
        person: format!("{} ({})", person.name(), person.id()),
        source,
    })
}

/// An id, an email and a name as Okta has it are looked up; anything else is looked for among all people.
async fn find_person(cluster: &Cluster, integration: &str, text: &str) -> Result<EmployeeMatch, PluginError> {
    if !text.contains([' ', '@'])
        && let Some(object) = cluster.person(integration, text.trim()).await?
    {
        return Ok(object);
    }
    let field = match text.contains('@') {
        true => "status.person.email",
        false => "status.person.name",
    };
    let mut objects = cluster.select(integration, field, text.trim()).await?;
    objects.truncate(find::MAX_OFFERED);
    if !objects.is_empty() {
        let place = match objects.len() {
            1 => 0,
            _ => {
                let people = objects
                    .iter()
                    .map(|object| PersonKey::from(PersonView::new(object)));
                choose(text, people.map(|person| person.describe()).collect())?
            }
        };
        return Ok(objects.swap_remove(place));
    }
    let people = cluster.people(integration).await?;
    let id = match find::person(integration, &people, text) {
        Found::One(person) => &person.okta_user_id,
        Found::Nobody => {
            return Err(PluginError::NoPerson {
                text: text.to_owned(),
            });
        }
        Found::Several(people) => {
            let options = people.iter().map(|person| person.describe()).collect();
            let place = choose(text, options)?;
            let chosen: &PersonKey = people[place];
            &chosen.okta_user_id
        }
    };
    let object = cluster.person(integration, id).await?;
    object.ok_or_else(|| PluginError::NoPerson {
        text: text.to_owned(),
    })
}

/// Asks which of several is meant.
fn choose(text: &str, options: Vec<String>) -> Result<usize, PluginError> {
    let several = || PluginError::Several {
        text: text.to_owned(),
        options: options.join("\n"),
    };
    if !terminal::is_interactive() {
        return Err(several());
    }
    let place = terminal::choose(&format!("Several fit {text:?}:"), &options)?;
    place.ok_or_else(several)
}

/// The person's candidates come first, then the employee of this id, then all employees.
async fn find_employee(
    cluster: &Cluster,
    integration: &Arc<OktaIntegration>,
    object: &EmployeeMatch,
    text: &str,
) -> Result<KnownEmployee, PluginError> {
    let name = integration.metadata.name.as_deref().unwrap_or_default();
    let unmatched: Option<UnmatchedEmployee> = match text.contains([' ', '@']) {
        true => None,
        false => cluster.unmatched(name, text.trim()).await?,
    };
    let near = company(integration, vec![object.clone()], unmatched);
    let found = find::employee(&near, text, PersonView::new(object));
    if let Found::One(employee) = found {
        return Ok(employee.clone());
    }
    let all = cluster.company(Some(name)).await?;
    match find::employee(&all, text, PersonView::new(object)) {
        Found::One(employee) => Ok(employee.clone()),
        Found::Nobody => Err(PluginError::NoEmployee {
            text: text.to_owned(),
        }),
        Found::Several(employees) => {
            let options = employees.iter().map(|employee| employee.describe()).collect();
            Ok(employees[choose(text, options)?].clone())
        }
    }
}

/// Asks before an employee is taken from another person.
async fn take(
    cluster: &Cluster,
    integration: &Arc<OktaIntegration>,
    object: &EmployeeMatch,
    employee: &KnownEmployee,
    yes: bool,
) -> Result<(), PluginError> {
    let name = integration.metadata.name.as_deref().unwrap_or_default();
    let holders = cluster.select(name, "status.employee.id", &employee.id).await?;
    let near = company(integration, holders, None);
    let holder = near
        .employee(&employee.id)
        .and_then(|known| known.holder.as_ref());
    let Some(holder) = PersonView::new(object).loses(holder) else {
        return Ok(());
    };
    let question = format!(
        "{} is the {}, who would lose it.",
        employee.name,
        holder.describe()
    );
    match yes || terminal::confirm(&question, "add --yes to take the employee from the other person")? {
        true => Ok(()),
        false => Err(PluginError::Refused("nothing is decided".to_owned())),
    }
}

fn company(
    integration: &Arc<OktaIntegration>,
    matches: Vec<EmployeeMatch>,
    unmatched: Option<UnmatchedEmployee>,
) -> Company {
    let matches = matches.into_iter().map(Arc::new);
    Company::new(integration.clone(), matches, unmatched.map(Arc::new))
}
