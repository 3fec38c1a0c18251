//! Tables for a spreadsheet and manifests for Git.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Multipart, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};

use super::{
    Screen,
    form::{Fields, wrong_token},
    lists::filter_of,
    page::{self, Base, Problem, decisions},
};
use crate::{
    new_file::NewFile,
    review::{
        filter,
        import::{self, FileKind},
        manifest::{self, Entry, Purpose, Standing},
        spreadsheet,
    },
};

/// The people of a list as a table.
pub async fn export(State(screen): State<Arc<Screen>>, query: Fields) -> Result<Response, Problem> {
    let company = screen.company()?;
    let filter = filter_of(&query, &screen.me);
    let groups = filter::groups(&company, &filter);
    let people = groups.into_iter().flat_map(|group| group.people);
    let text = spreadsheet::table(people).map_err(|error| Problem::wrong(error.to_string()))?;
    let name = format!(
        "attachment; filename=\"{}-{}.csv\"",
        screen.name,
        filter.tab.name()
    );
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    base: Base,
    problems: Vec<String>,
}

pub async fn import_form(State(screen): State<Arc<Screen>>) -> Result<Response, Problem> {
    import_page(&screen, Vec::new())
}

fn import_page(screen: &Screen, problems: Vec<String>) -> Result<Response, Problem> {
    let company = screen.company()?;
    page::html(&ImportPage {
        base: Base::new(screen, &company, "Import a table", ""),
        problems,
    })
}

/// Stages the decisions of a table.
pub async fn import(State(screen): State<Arc<Screen>>, mut form: Multipart) -> Result<Response, Problem> {
    let unreadable =
        |error: &dyn std::fmt::Display| Problem::wrong(format!("The form cannot be read: {error}"));
    let mut is_own = false;
    let mut table = None;
    while let Some(field) = form.next_field().await.map_err(|error| unreadable(&error))? {
        match field.name() {
            Some("csrf") => {
                let token = field.text().await.map_err(|error| unreadable(&error))?;
                is_own = screen.access.is_form_token(&token);
            }
            Some("table") => table = Some(field.bytes().await.map_err(|error| unreadable(&error))?),
            _ => {}
        }
    }
    if !is_own {
        return Ok(wrong_token());
    }
    let table = table.unwrap_or_default();
    let Ok(text) = str::from_utf8(&table) else {
        return import_page(
            &screen,
            vec!["The file is not UTF-8: save it as \"CSV UTF-8\" in the spreadsheet.".to_owned()],
        );
    };
    let company = screen.company()?;
    let changes = match import::changes(text, FileKind::Csv, &company) {
        Ok(changes) => changes,
        Err(import::FileError::Wrong(problems)) => return import_page(&screen, problems),
        Err(error) => return import_page(&screen, vec![error.to_string()]),
    };
    let count = changes.len();
    let mut sitting = screen.sitting.lock();
    for change in changes {
        if let Some(person) = company.person(&change.okta_user_id) {
            sitting.stage_decision(person, change.to);
        }
    }
    drop(sitting);
    screen.set_notice(match count {
        0 => "The table changes no decision.".to_owned(),
        count => format!("{} of the table staged.", decisions(count)),
    });
    Ok(page::redirect("/unsaved"))
}

/// Writes the decisions of this sitting to the file for Git, each person once, as last decided.
pub(super) fn write_manifests(screen: &Screen) -> Result<(), Problem> {
    let Some(path) = &screen.git else { return Ok(()) };
    let company = screen.company()?;
    let sitting = screen.sitting.lock();
    let mut entries = Vec::new();
    let mut objects = Vec::new();
    for (place, saved) in sitting.saved().iter().enumerate() {
        let is_last = !sitting.saved()[place + 1..]
            .iter()
            .any(|later| later.okta_user_id == saved.okta_user_id);
        let Some(person) = company.person(&saved.okta_user_id).filter(|_| is_last) else {
            continue;
        };
        if saved.after == person.decided() {
            continue;
        }
        let mut object = person.object().clone();
        object.spec.decision = saved.after.decision;
        object.spec.employee_ids.clone_from(&saved.after.employee_ids);
        object
            .spec
            .rejected_employee_ids
            .clone_from(&saved.after.rejected_employee_ids);
        object.spec.note.clone_from(&saved.after.note);
        entries.push(Entry::from(person));
        objects.push(object);
    }
    drop(sitting);
    let wrong = |error: &dyn std::fmt::Display| Problem::wrong(error.to_string());
    let standing = Standing::new(&company.integration.metadata, objects).unwrap_or_default();
    let text = manifest::text(entries, &standing, Purpose::Decided).map_err(|error| wrong(&error))?;
    // Whether the file may be replaced was asked for when the screen was opened.
    let file = NewFile::new(path.clone(), true).map_err(|error| wrong(&error))?;
    file.write(&text).map_err(|error| wrong(&error))
}
