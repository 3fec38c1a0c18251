//! Stages decisions, saves them, and takes them back.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, header::REFERER},
    response::Response,
};
use futures::{StreamExt as _, stream};
use jiff::{Timestamp, Zoned};

use super::{
    super::cluster::DecideError,
    Screen,
    files::write_manifests,
    form::{Asked, Submitted},
    page::{self, Base, EMPLOYEES, Problem, decisions},
    rows::{EmployeeRow, RowView, in_words, seen},
};
use crate::{
    model::text::shown,
    review::{
        Choice, Company, Decided, PersonView,
        sitting::{Conflict, Staged},
    },
};

/// How many decisions are sent at once.
const PARALLEL_WRITES: usize = 8;

/// What a form asks for.
enum Action {
    Choose(Choice),
    Note,
    Undo,
}

/// Stages a decision about one person, or takes a staged one back.
pub async fn decide(
    State(screen): State<Arc<Screen>>,
    asked: Asked,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    let for_script = |problem: Problem| problem.for_script(asked);
    let company = screen.company().map_err(for_script)?;
    // On the list of employees, `take` is the person; on the lists of people, the employee.
    let (person, employee) = match (fields.get("person"), fields.get("take")) {
        (Some(person), taken) => (person, taken.or(fields.get("employee"))),
        (None, taken) => (taken.unwrap_or_default(), fields.get("employee")),
    };
    let Some(person) = company.person(person) else {
        return Err(for_script(Problem::gone(
            "This person has no match any more: reload the page.",
        )));
    };
    if let Some(looked_at) = fields.get("version")
        && looked_at != seen(&person.decided())
    {
        let now = in_words(&company, &person.decided());
        let text = format!(
            "{} was decided in the meantime: {now}. Look again.",
            person.name()
        );
        return respond(&screen, &company, asked, &headers, person, &text, true);
    }
    let employee = employee.unwrap_or_default().to_owned();
    let action = match fields.get("decision").unwrap_or("Match") {
        "Match" => Action::Choose(Choice::Match(with_other_devices(&screen, person, &employee))),
        "Create" => Action::Choose(Choice::Create),
        "Ignore" => Action::Choose(Choice::Ignore),
        "Deactivate" => Action::Choose(Choice::Deactivate),
        "Reset" => Action::Choose(Choice::Reset),
        "Reject" => Action::Choose(Choice::Reject(employee.clone())),
        "Note" => Action::Note,
        "Undo" => Action::Undo,
        other => return Err(for_script(Problem::wrong(format!("{other} is no decision.")))),
    };
    if let Action::Choose(Choice::Match(_)) = &action {
        if !employee.is_empty() && company.employee(&employee).is_none() {
            return Err(for_script(Problem::wrong(format!(
                "No employee has the id {employee}."
            ))));
        }
        if let Some(ask) = Ask::of(&screen, &company, person, &employee, fields.given("note"))
            && fields.get("confirm") != Some(&ask.holder_id)
        {
            return ask.respond(&screen, &company, asked);
        }
    }
    let note = fields.given("note");
    let note = note.filter(|note| !screen.sitting.lock().shows_note(person, note));
    let text =
        stage(&screen, &company, person, &action, note).map_err(|text| for_script(Problem::wrong(text)))?;
    respond(&screen, &company, asked, &headers, person, &text, false)
}

/// The employee, with the person's others if it is one of several.
fn with_other_devices(screen: &Screen, person: PersonView<'_>, employee: &str) -> Vec<String> {
    let wanted = screen.sitting.lock().wanted(person).employee_ids;
    let mut employees = vec![employee.to_owned()];
    if wanted.iter().any(|id| id == employee) {
        employees.extend(wanted.into_iter().filter(|id| id != employee));
    }
    employees
}

/// Returns what was done, in words.
fn stage(
    screen: &Screen,
    company: &Company,
    person: PersonView<'_>,
    action: &Action,
    note: Option<&str>,
) -> Result<String, String> {
    let mut sitting = screen.sitting.lock();
    let done = match action {
        Action::Undo => {
            sitting.unstage(person.id());
            Ok(())
        }
        Action::Note => note.map_or(Ok(()), |note| sitting.stage_note(person, note)),
        Action::Choose(choice) => sitting.stage(person, choice, note),
    };
    done.map_err(|error| format!("{}: {error}", person.name()))?;
    let text = match sitting.is_staged(person.id()) {
        true => format!(
            "{}: staged, {}",
            person.name(),
            in_words(company, &sitting.wanted(person))
        ),
        false => format!(
            "{}: as it stands, {}",
            person.name(),
            in_words(company, &person.decided())
        ),
    };
    Ok(text)
}

/// The rows that a decision about a person changes: their own, and those of the employees whom it names.
fn respond(
    screen: &Screen,
    company: &Company,
    asked: Asked,
    headers: &HeaderMap,
    person: PersonView<'_>,
    text: &str,
    is_error: bool,
) -> Result<Response, Problem> {
    if asked == Asked::Page {
        screen.set_notice(shown(text).into_owned());
        return Ok(back(headers, &format!("#r-{}", person.id())));
    }
    let mut base = Base::new(screen, company, "", "");
    base.notice = shown(text).into_owned();
    base.is_error = is_error;
    let sitting = screen.sitting.lock();
    let row = RowView::new(company, &sitting, person);
    let mut gone = Vec::new();
    if !sitting.is_staged(person.id()) {
        gone.push(format!("u-{}", row.id));
    }
    let named = sitting
        .wanted(person)
        .employee_ids
        .into_iter()
        .chain(person.decided().employee_ids);
    let employees: Vec<EmployeeRow> = named
        .filter_map(|id| company.employee(&id))
        .filter(|employee| employee.is_unmatched)
        .map(|employee| EmployeeRow::new(company, &sitting, employee))
        .collect();
    drop(sitting);
    page::changed(&base, &[row], &employees, &gone)
}

/// To the page that the form stands on, or from the results of a search to the list. Its origin was checked.
fn back(headers: &HeaderMap, anchor: &str) -> Response {
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let url = referer.and_then(|referer| url::Url::parse(referer).ok());
    let path = url.as_ref().map_or("/", |url| url.path());
    let query = url.as_ref().and_then(|url| url.query());
    let is_search = query.is_some_and(|query| query.starts_with("for=") || query.contains("&for="));
    let to = match (path, query) {
        ("/people", _) if is_search => EMPLOYEES.to_owned(),
        // What a form answered cannot be asked for again.
        ("/decide" | "/sheet", _) => "/".to_owned(),
        (_, _) if is_search => "/".to_owned(),
        (path, Some(query)) => format!("{path}?{query}"),
        (path, None) => path.to_owned(),
    };
    page::redirect(&format!("{to}{anchor}"))
}

/// A question before an employee is taken from somebody.
struct Ask {
    csrf: String,
    person_id: String,
    person: String,
    seen: String,
    employee_id: String,
    employee: String,
    email: String,
    holder_id: String,
    holder: String,
    /// Such as `the sure match of Frank Morgan, 99`.
    held: String,
    /// What was typed before the question; None if the form had no note.
    note: Option<String>,
}

#[derive(Template)]
#[template(path = "ask_fragment.html")]
struct AskFragment {
    ask: Ask,
}

#[derive(Template)]
#[template(path = "taken.html")]
struct AskPage {
    base: Base,
    ask: Ask,
}

impl Ask {
    /// None if nobody loses the employee.
    fn of(
        screen: &Screen,
        company: &Company,
        person: PersonView<'_>,
        employee: &str,
        note: Option<&str>,
    ) -> Option<Self> {
        let known = company.employee(employee)?;
        let sitting = screen.sitting.lock();
        let staged = sitting.staged_for(employee, person.id());
        let (holder_id, holder, held) = match (staged, person.loses(known.holder.as_ref())) {
            (Some((id, staged)), _) => (id, &staged.name, format!("staged for {}", staged.name)),
            (None, Some(holder)) => (holder.okta_user_id.as_str(), &holder.name, holder.describe()),
            (None, None) => return None,
        };
        let text = |text: &str| shown(text).into_owned();
        Some(Self {
            csrf: screen.access.form_token().to_owned(),
            person_id: text(person.id()),
            person: text(person.name()),
            seen: seen(&person.decided()),
            employee_id: text(employee),
            employee: text(&known.name),
            email: text(&known.email),
            holder_id: text(holder_id),
            holder: text(holder),
            held: text(&held),
            note: note.map(str::to_owned),
        })
    }

    fn respond(self, screen: &Screen, company: &Company, asked: Asked) -> Result<Response, Problem> {
        match asked {
            Asked::Page => page::html(&AskPage {
                base: Base::new(screen, company, "Take an employee", ""),
                ask: self,
            }),
            _ => page::html(&AskFragment { ask: self }),
        }
    }
}

/// Sends the staged decisions to the cluster, or writes them to the file for Git.
pub async fn save(
    State(screen): State<Arc<Screen>>,
    asked: Asked,
    headers: HeaderMap,
    Submitted(_): Submitted,
) -> Result<Response, Problem> {
    let for_script = |problem: Problem| problem.for_script(asked);
    let staged: Vec<(String, Staged)> = {
        let sitting = screen.sitting.lock();
        sitting
            .staged()
            .iter()
            .map(|(id, staged)| (id.clone(), staged.clone()))
            .collect()
    };
    let ids: Vec<String> = staged.iter().map(|(id, _)| id.clone()).collect();
    if screen.git.is_some() {
        let before = screen.sitting.lock().clone();
        for id in &ids {
            screen.sitting.lock().saved_now(id, &now());
        }
        if let Err(problem) = write_manifests(&screen) {
            *screen.sitting.lock() = before;
            return Err(for_script(problem));
        }
    } else {
        let sent = stream::iter(staged)
            .map(|(id, staged)| send(&screen, id, staged, false))
            .buffer_unordered(PARALLEL_WRITES);
        sent.collect::<Vec<()>>().await;
    }
    let company = screen.company().map_err(for_script)?;
    let conflicts = screen.sitting.lock().conflicts().count();
    if conflicts > 0 {
        let saved = ids.len() - conflicts;
        screen.set_notice(format!("{} saved, {conflicts} not.", decisions(saved)));
        return Ok(page::redirect("/unsaved"));
    }
    let text = match &screen.git {
        Some(path) => format!("{} written to {}.", decisions(ids.len()), path.display()),
        None => format!("{} saved.", decisions(ids.len())),
    };
    done(&screen, &company, asked, &headers, &ids, text)
}

/// Reports what was done about several people whose decisions are not staged any more.
fn done(
    screen: &Screen,
    company: &Company,
    asked: Asked,
    headers: &HeaderMap,
    ids: &[String],
    text: String,
) -> Result<Response, Problem> {
    if asked == Asked::Page {
        screen.set_notice(text);
        return Ok(back(headers, ""));
    }
    let mut base = Base::new(screen, company, "", "");
    base.notice = text;
    let sitting = screen.sitting.lock();
    let people = ids.iter().filter_map(|id| company.person(id));
    let rows: Vec<RowView> = people
        .map(|person| RowView::new(company, &sitting, person))
        .collect();
    drop(sitting);
    let gone: Vec<String> = ids.iter().map(|id| format!("u-{id}")).collect();
    page::changed(&base, &rows, &[], &gone)
}

/// Sends one decision, and records what came of it.
async fn send(screen: &Screen, id: String, staged: Staged, take_over: bool) {
    let Staged { seen, to, .. } = &staged;
    let result = screen
        .cluster
        .decide(&screen.name, &id, seen, to, &screen.me, take_over)
        .await;
    let mut sitting = screen.sitting.lock();
    match result {
        Ok(_) => sitting.saved_now(&id, &now()),
        Err(error) => sitting.not_saved(&id, conflict(error)),
    }
}

fn conflict(error: DecideError) -> Conflict {
    match error {
        DecideError::Changed { theirs } => Conflict::Changed { theirs: *theirs },
        DecideError::Declared { manager } => Conflict::Declared { manager },
        DecideError::Cluster(error) => Conflict::Refused {
            message: error.to_string(),
        },
    }
}

/// The time of day.
fn now() -> String {
    Zoned::now().strftime("%H:%M").to_string()
}

pub async fn discard(
    State(screen): State<Arc<Screen>>,
    asked: Asked,
    headers: HeaderMap,
    Submitted(_): Submitted,
) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    let ids: Vec<String> = {
        let mut sitting = screen.sitting.lock();
        let ids = sitting.staged().keys().cloned().collect();
        sitting.discard();
        ids
    };
    let text = format!("{} discarded.", decisions(ids.len()));
    done(&screen, &company, asked, &headers, &ids, text)
}

/// Sends the decision that stood before a saved one, unless somebody changed it since.
pub async fn take_back(
    State(screen): State<Arc<Screen>>,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    let company = screen.company()?;
    let id = fields.get("person").unwrap_or_default();
    let person = company
        .person(id)
        .ok_or_else(|| Problem::gone("This person has no match any more."))?;
    let saved = screen.sitting.lock().last_saved(id).cloned();
    let saved = saved.ok_or_else(|| Problem::gone("Nothing was saved about this person in this sitting."))?;
    let (seen, to): (Decided, Decided) = (saved.after, saved.before);
    {
        let mut sitting = screen.sitting.lock();
        sitting.stage_again(person, seen, to);
    }
    let staged = screen.sitting.lock().staged().get(id).cloned();
    let text = match (staged, &screen.git) {
        (Some(_), Some(_)) => {
            screen.sitting.lock().saved_now(id, &now());
            write_manifests(&screen)?;
            format!("{}: the decision is removed from the file.", person.name())
        }
        (Some(staged), None) => {
            send(&screen, id.to_owned(), staged, false).await;
            match screen.sitting.lock().is_staged(id) {
                true => format!(
                    "{}: the former decision could not be restored, see below.",
                    person.name()
                ),
                false => format!("{}: the former decision is restored.", person.name()),
            }
        }
        (None, _) => format!("{}: nothing to take back.", person.name()),
    };
    screen.set_notice(shown(&text).into_owned());
    Ok(page::redirect("/unsaved"))
}

/// Decides what becomes of a decision that met another one.
pub async fn resolve(
    State(screen): State<Arc<Screen>>,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    let id = fields.get("person").unwrap_or_default();
    let staged = screen.sitting.lock().staged().get(id).cloned();
    let Some(staged) = staged else {
        return Err(Problem::gone("This decision is not staged any more."));
    };
    let text = match fields.get("keep") {
        Some("theirs") => {
            screen.sitting.lock().unstage(id);
            format!("{}: left as it is in the cluster.", staged.name)
        }
        _ => {
            let take_over = matches!(staged.conflict, Some(Conflict::Declared { .. }));
            let staged = {
                let mut sitting = screen.sitting.lock();
                sitting.overrule(id);
                sitting.staged().get(id).cloned().unwrap_or(staged)
            };
            let name = staged.name.clone();
            send(&screen, id.to_owned(), staged, take_over).await;
            match screen.sitting.lock().is_staged(id) {
                true => format!("{name}: not saved, see below."),
                false => format!("{name}: saved."),
            }
        }
    };
    screen.set_notice(shown(&text).into_owned());
    Ok(page::redirect("/unsaved"))
}

#[derive(Template)]
#[template(path = "unsaved.html")]
struct UnsavedPage {
    base: Base,
    conflicts: Vec<ConflictView>,
    staged: Vec<StagedView>,
    saved: Vec<SavedView>,
}

struct ConflictView {
    id: String,
    name: String,
    /// What happened, in a sentence.
    what: String,
    fields: Vec<ConflictField>,
    can_keep: bool,
}

struct ConflictField {
    field: &'static str,
    was: String,
    now: String,
    mine: String,
    differs: bool,
}

struct StagedView {
    id: String,
    version: String,
    name: String,
    what: String,
    note: String,
}

struct SavedView {
    id: String,
    name: String,
    was: String,
    became: String,
    at: String,
    is_last: bool,
}

/// What is staged, what met another decision, and what was saved.
pub async fn unsaved(State(screen): State<Arc<Screen>>, asked: Asked) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    let base = Base::new(&screen, &company, "Decisions of this sitting", "");
    let text = |text: &str| shown(text).into_owned();
    let sitting = screen.sitting.lock();
    let conflicts = sitting
        .conflicts()
        .map(|(id, staged, conflict)| conflict_view(&company, id, staged, conflict))
        .collect();
    let staged = sitting
        .staged()
        .iter()
        .filter(|(_, staged)| staged.conflict.is_none());
    let staged = staged.map(|(id, staged)| StagedView {
        id: text(id),
        version: seen(&staged.seen),
        name: text(&staged.name),
        what: in_words(&company, &staged.to),
        note: staged.to.note.as_deref().map(text).unwrap_or_default(),
    });
    let saved = sitting
        .saved()
        .iter()
        .enumerate()
        .rev()
        .map(|(place, saved)| SavedView {
            id: text(&saved.okta_user_id),
            name: text(&saved.name),
            was: in_words(&company, &saved.before),
            became: in_words(&company, &saved.after),
            at: saved.at.clone(),
            is_last: !sitting.saved()[place + 1..]
                .iter()
                .any(|later| later.okta_user_id == saved.okta_user_id),
        });
    let page = UnsavedPage {
        conflicts,
        staged: staged.collect(),
        saved: saved.collect(),
        base: base.with_notice(&screen, asked),
    };
    drop(sitting);
    page::html(&page)
}

fn conflict_view(company: &Company, id: &str, staged: &Staged, conflict: &Conflict) -> ConflictView {
    let text = |text: &str| shown(text).into_owned();
    let person = company.person(id);
    let now = match conflict {
        Conflict::Changed { theirs } => theirs.clone(),
        Conflict::Declared { .. } | Conflict::Refused { .. } => {
            person.map_or_else(|| staged.seen.clone(), |person| person.decided())
        }
    };
    let what = match conflict {
        Conflict::Changed { .. } => {
            let by = person.and_then(|person| person.decided_by());
            match by {
                Some(by) => format!("Changed since you looked, by {by}."),
                None => "Changed since you looked.".to_owned(),
            }
        }
        Conflict::Declared { manager } => format!(
            "{manager} manages this decision from a manifest and would put it back: change it in the manifest."
        ),
        Conflict::Refused { message } => format!("Not saved: {message}."),
    };
    let words = |decided: &Decided| in_words(company, decided);
    let note = |decided: &Decided| decided.note.as_deref().map_or_else(|| "none".to_owned(), text);
    let field = |field, was: String, now: String, mine: String| ConflictField {
        field,
        differs: now != mine,
        was,
        now,
        mine,
    };
    ConflictView {
        id: text(id),
        name: text(&staged.name),
        what: text(&what),
        fields: vec![
            field("decision", words(&staged.seen), words(&now), words(&staged.to)),
            field("note", note(&staged.seen), note(&now), note(&staged.to)),
        ],
        can_keep: !matches!(conflict, Conflict::Refused { .. }),
    }
}

/// When a page is made, for the record of a look.
pub(super) fn at() -> String {
    now()
}

/// An instant as the page prints it.
pub(super) fn instant(time: Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system())
        .strftime("%-d %B, %H:%M")
        .to_string()
}
