//! What every page has: the head, the counts, the lists and the staged decisions.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use jiff::Timestamp;

use super::{
    Screen,
    form::Asked,
    rows::{Differs, EmployeeRow, Finder, RowView},
};
use crate::{
    api::Field,
    model::text::{counted, shown},
    review::{
        Company,
        filter::Tab,
        summary::{ago, thousands},
    },
};

/// Keys and what they do.
const KEYS: [(&[&str], &str); 12] = [
    (&["j", "k"], "next and previous row"),
    (&["1", "…", "5"], "choose a candidate"),
    (&["⏎"], "match with the chosen candidate"),
    (&["c"], "create: invite the person"),
    (&["i"], "ignore the person"),
    (&["x"], "not this one: never propose this employee again"),
    (&["u"], "undo, in this row or the last decision"),
    (&["n"], "note"),
    (&["s"], "save what is staged"),
    (&["[", "]"], "previous and next page"),
    (&["/"], "search"),
    (&["?"], "this list"),
];

/// What the templates need beside their own content.
pub struct Base {
    pub title: String,
    /// `matches`, `plan`, or empty.
    pub screen: &'static str,
    pub csrf: String,
    pub integration: String,
    pub namespace: String,
    pub me: String,
    pub phase: String,
    pub synced: String,
    /// Why the page may be out of date; empty if it is not.
    pub trouble: String,
    pub counts: Vec<Count>,
    pub tabs: Vec<TabLink>,
    pub staged: usize,
    /// Where decisions go instead of the cluster; empty if they go there.
    pub git: String,
    pub notice: String,
    pub is_error: bool,
    pub keys: &'static [(&'static [&'static str], &'static str)],
    /// Whether the script follows changes in the cluster.
    pub is_live: bool,
}

/// A number that is a filter.
pub struct Count {
    pub number: String,
    pub label: &'static str,
    pub href: String,
}

pub struct TabLink {
    pub title: &'static str,
    pub number: String,
    pub href: String,
    pub is_current: bool,
}

/// The name of the list of employees in a URL.
pub const EMPLOYEES: &str = "/employees";

impl Base {
    pub fn new(screen: &Screen, company: &Company, title: &str, which: &'static str) -> Self {
        let status = company.integration.status.as_ref();
        let phase = status.and_then(|status| status.phase);
        let synced = status.and_then(|status| status.last_sync_time.as_ref());
        let tabs = Tab::ALL.into_iter().filter(|tab| *tab != Tab::Waiting);
        let count = |tab: Tab| company.people().filter(|person| tab.shows(*person)).count();
        let number = |count: usize| thousands(i64::try_from(count).unwrap_or(i64::MAX));
        let moves = company
            .people()
            .filter(|person| person.changes().iter().any(|change| change.field == Field::Team))
            .count();
        let unmatched = company
            .employees()
            .filter(|employee| employee.is_unmatched)
            .count();
        let tab_link = |tab: Tab| TabLink {
            title: tab.title(),
            number: number(count(tab)),
            href: format!("/?tab={}", tab.name()),
            is_current: false,
        };
        let counts = [
            (count(Tab::Waiting), "waiting", "waiting", "/?tab=waiting"),
            (count(Tab::Sure), "sure", "sure", "/?tab=sure"),
            (
                count(Tab::Deactivations),
                "deactivation",
                "deactivations",
                "/?tab=deactivations",
            ),
            (moves, "team move", "team moves", "/?tab=changed&field=team"),
        ];
        let mut tabs: Vec<TabLink> = tabs.map(tab_link).collect();
        tabs.push(TabLink {
            title: "Employees without a person",
            number: number(unmatched),
            href: EMPLOYEES.to_owned(),
            is_current: false,
        });
        Self {
            title: shown(title).into_owned(),
            screen: which,
            csrf: screen.access.form_token().to_owned(),
            integration: company.name().to_owned(),
            namespace: screen.cluster.namespace().to_owned(),
            me: shown(&screen.me).into_owned(),
            phase: phase.map_or_else(|| "Not read yet".to_owned(), |phase| format!("{phase:?}")),
            synced: match synced {
                Some(time) => format!("last sync {}", ago(time.0, Timestamp::now())),
                None => "never synced".to_owned(),
            },
            trouble: screen
                .watched
                .trouble()
                .map(|text| shown(&text).into_owned())
                .unwrap_or_default(),
            counts: counts
                .into_iter()
                .map(|(count, one, many, href)| Count {
                    number: number(count),
                    label: if count == 1 { one } else { many },
                    href: href.to_owned(),
                })
                .collect(),
            tabs,
            staged: screen.sitting.lock().staged().len(),
            git: screen
                .git
                .as_ref()
                .map(|path| path.display().to_string())
                .unwrap_or_default(),
            notice: String::new(),
            is_error: false,
            keys: &KEYS,
            is_live: false,
        }
    }

    /// A page that can be asked for again by its address, and whose parts have the ids that a live update names.
    pub fn live(mut self) -> Self {
        self.is_live = true;
        self
    }

    /// With the notice of the last action, which is shown once. The script follows a redirect before the browser does.
    pub fn with_notice(mut self, screen: &Screen, asked: Asked) -> Self {
        if asked == Asked::Page {
            self.notice = screen.notice.lock().take().unwrap_or_default();
        }
        self
    }

    pub fn at(mut self, href: &str) -> Self {
        for tab in &mut self.tabs {
            tab.is_current = tab.href == href;
        }
        self
    }
}

/// What may have changed on a page, for the script.
#[derive(Template)]
#[template(path = "live.html")]
struct Live<'a> {
    base: &'a Base,
    rows: &'a [RowView],
    employees: &'a [EmployeeRow],
}

/// What a form changed, for the script.
#[derive(Template)]
#[template(path = "changed.html")]
struct Changed<'a> {
    base: &'a Base,
    rows: &'a [RowView],
    employees: &'a [EmployeeRow],
    gone: &'a [String],
}

pub fn live(base: &Base, rows: &[RowView], employees: &[EmployeeRow]) -> Result<Response, Problem> {
    html(&Live {
        base,
        rows,
        employees,
    })
}

pub fn changed(
    base: &Base,
    rows: &[RowView],
    employees: &[EmployeeRow],
    gone: &[String],
) -> Result<Response, Problem> {
    html(&Changed {
        base,
        rows,
        employees,
        gone,
    })
}

pub fn html(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => Err(Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            text: format!("The page cannot be made: {error}"),
            asked: Asked::Page,
        }),
    }
}

pub fn redirect(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// `1 decision`, `9 decisions`.
pub fn decisions(count: usize) -> String {
    counted(count, "decision", "decisions")
}

/// Why a request is not served, in a sentence for the user.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    text: String,
    asked: Asked,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    text: &'a str,
}

impl Problem {
    /// The user asked for something that cannot be.
    pub fn wrong(text: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            text: text.into(),
            asked: Asked::Page,
        }
    }

    /// It is not there, or no more.
    pub fn gone(text: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::wrong(text)
        }
    }

    /// The API server refused it or cannot be reached.
    pub fn cluster(error: &impl ToString) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            ..Self::wrong(error.to_string())
        }
    }

    pub fn for_script(mut self, asked: Asked) -> Self {
        self.asked = asked;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = shown(&self.text).into_owned();
        let page = ProblemPage { text: &text }.render();
        match (self.asked, page) {
            (Asked::Page, Ok(page)) => (self.status, Html(page)).into_response(),
            _ => (self.status, text).into_response(),
        }
    }
}
