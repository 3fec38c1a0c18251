//! The lists of people and of employees.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    Screen,
    form::{Asked, Fields},
    page::{self, Base, EMPLOYEES, Problem},
    rows::{Card, Differs, EmployeeRow, Finder, Hit, RowView},
};
use crate::{
    api::Field,
    model::text::{counted, folded, shown},
    review::{
        Company, PersonView, evidence,
        filter::{self, Filter, Tab},
        find,
    },
};

const ROWS_PER_PAGE: usize = 100;

#[derive(Template)]
#[template(path = "matches.html")]
struct MatchesPage {
    base: Base,
    filter: FilterView,
    groups: Vec<GroupView>,
    total: usize,
    /// Whether the list is of people who may be matched together.
    is_review: bool,
    pages: Pages,
}

/// The form that narrows a list, filled in.
pub struct FilterView {
    tab: &'static str,
    text: String,
    team: String,
    from: String,
    to: String,
    evidence: Vec<SelectOption>,
    fields: Vec<SelectOption>,
    is_mine: bool,
    status: Vec<SelectOption>,
    is_of_employees: bool,
    teams: Vec<String>,
    query: String,
}

pub struct SelectOption {
    value: String,
    text: String,
    is_chosen: bool,
}

struct GroupView {
    id: String,
    title: String,
    count: String,
    total: usize,
    /// How many of 100 are right, such as `81 to 95`; empty for people without a proposal.
    rate: String,
    rows: Vec<RowView>,
}

/// Where a page stands among the others.
pub struct Pages {
    what: &'static str,
    first: usize,
    last: usize,
    total: usize,
    previous: String,
    next: String,
}

impl Pages {
    fn new(what: &'static str, path: &str, query: &Fields, total: usize) -> (Self, std::ops::Range<usize>) {
        let page = query
            .get("page")
            .and_then(|page| page.parse::<usize>().ok())
            .unwrap_or(1);
        let pages = total.div_ceil(ROWS_PER_PAGE).max(1);
        let page = page.clamp(1, pages);
        let first = (page - 1) * ROWS_PER_PAGE;
        let last = (first + ROWS_PER_PAGE).min(total);
        let href = |page: usize| format!("{path}?{}", query.with("page", &page.to_string()));
        let pages = Self {
            what,
            first: first + 1,
            last,
            total,
            previous: if page > 1 { href(page - 1) } else { String::new() },
            next: if page < pages {
                href(page + 1)
            } else {
                String::new()
            },
        };
        (pages, first..last)
    }
}

/// Reads the filter of a query.
pub fn filter_of(query: &Fields, me: &str) -> Filter {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<i32>().ok());
    Filter {
        tab: query.get("tab").and_then(Tab::parse).unwrap_or_default(),
        text: query.get("text").unwrap_or_default().to_owned(),
        team: query.get("team").map(str::to_owned),
        confidence: (number("from"), number("to")),
        evidence: query.get("evidence").and_then(evidence::parse),
        field: query.get("field").and_then(field),
        decided_by: query.get("mine").map(|_| me.to_owned()),
    }
}

const FIELDS: [Field; 5] = [
    Field::Team,
    Field::Email,
    Field::Name,
    Field::Title,
    Field::Active,
];

fn field(name: &str) -> Option<Field> {
    FIELDS.into_iter().find(|field| field.to_string() == name)
}

impl FilterView {
    fn new(company: &Company, query: &Fields, filter: &Filter) -> Self {
        let choice = |value: String, text: &str, is_chosen| SelectOption {
            value,
            text: text.to_owned(),
            is_chosen,
        };
        let evidence = evidence::ALL.into_iter().map(|kind| {
            choice(
                format!("{kind:?}"),
                evidence::describe(kind).title,
                filter.evidence == Some(kind),
            )
        });
        let fields = FIELDS.into_iter().map(|field| {
            let text = if field == Field::Active {
                "status"
            } else {
                &field.to_string()
            };
            choice(field.to_string(), text, filter.field == Some(field))
        });
        let status = ["active", "deactivated"]
            .into_iter()
            .map(|status| choice(status.to_owned(), status, query.get("status") == Some(status)));
        let teams = company
            .integration
            .status
            .as_ref()
            .map_or(&[][..], |status| status.teams.as_slice());
        let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            tab: filter.tab.name(),
            text: filter.text.clone(),
            team: filter.team.clone().unwrap_or_default(),
            from: number(filter.confidence.0),
            to: number(filter.confidence.1),
            evidence: evidence.collect(),
            fields: fields.collect(),
            is_mine: filter.decided_by.is_some(),
            status: status.collect(),
            is_of_employees: false,
            teams: teams.iter().map(|team| shown(&team.name).into_owned()).collect(),
            query: query.without("page"),
        }
    }
}

/// The people of a list, in groups.
pub async fn matches(
    State(screen): State<Arc<Screen>>,
    query: Fields,
    asked: Asked,
) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    let filter = filter_of(&query, &screen.me);
    let groups = filter::groups(&company, &filter);
    let total = groups.iter().map(|group| group.people.len()).sum();
    let (pages, range) = Pages::new("People", "/", &query, total);
    let base = Base::new(&screen, &company, filter.tab.title(), "matches");
    let base = base.at(&format!("/?tab={}", filter.tab.name()));
    let open = query.get("open");
    let mut groups = {
        let sitting = screen.sitting.lock();
        let row = |person: &PersonView<'_>| {
            let mut row = RowView::new(&company, &sitting, *person);
            row.is_open = open == Some(person.id());
            let query = match row.is_open {
                true => query.without("open"),
                false => query.with("open", person.id()),
            };
            row.open_href = format!("/?{query}#r-{}", row.id);
            row
        };
        let mut before = 0;
        let mut views = Vec::new();
        for group in &groups {
            let end = before + group.people.len();
            let (from, to) = (range.start.max(before), range.end.min(end));
            if from < to {
                let rows = group.people[from - before..to - before].iter().map(row).collect();
                views.push(group_view(filter.tab, group, rows));
            }
            before = end;
        }
        views
    };
    if asked == Asked::Live {
        let rows: Vec<RowView> = groups.into_iter().flat_map(|group| group.rows).collect();
        return page::live(&base, &rows, &[]);
    }
    if open.is_none()
        && let Some(row) = groups
            .iter_mut()
            .flat_map(|group| &mut group.rows)
            .find(|row| row.waits)
    {
        row.is_open = true;
    }
    page::html(&MatchesPage {
        base: base.live().with_notice(&screen, asked),
        filter: FilterView::new(&company, &query, &filter),
        groups,
        total,
        is_review: matches!(filter.tab, Tab::Review | Tab::Waiting),
        pages,
    })
}

fn group_view(tab: Tab, group: &filter::Group<'_>, rows: Vec<RowView>) -> GroupView {
    let total = group.people.len();
    let (id, title, rate) = match group.evidence {
        Some(kind) => {
            let described = evidence::describe(kind);
            let (low, high) = described.right_of_100;
            (
                format!("{kind:?}"),
                described.title.to_owned(),
                format!("{low} to {high}"),
            )
        }
        None if tab == Tab::Waiting => ("none".to_owned(), "without a proposal".to_owned(), String::new()),
        None => ("all".to_owned(), String::new(), String::new()),
    };
    GroupView {
        id,
        title,
        count: counted(total, "person", "people"),
        total,
        rate,
        rows,
    }
}

#[derive(Template)]
#[template(path = "employees.html")]
struct EmployeesPage {
    base: Base,
    filter: FilterView,
    lead: String,
    rows: Vec<EmployeeRow>,
    pages: Pages,
}

#[derive(Template)]
#[template(path = "hits.html")]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Template)]
#[template(path = "find.html")]
struct FindPage {
    base: Base,
    /// `/employees` or `/people`.
    path: &'static str,
    what: &'static str,
    /// The id of whom somebody is searched for.
    wanted_for: String,
    wanted_name: String,
    /// Stands for the decision about the person; empty if an employee is searched for.
    seen: String,
    text: String,
    hits: Vec<Hit>,
}

/// Employees without a person, or with `for` those who fit a search, for that person.
pub async fn employees(
    State(screen): State<Arc<Screen>>,
    query: Fields,
    asked: Asked,
) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    if let Some(id) = query.get("for") {
        return find_employees(&screen, &company, id, &query, asked);
    }
    let words: Vec<String> = folded(query.get("text").unwrap_or_default())
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let team = query.get("team").map(folded);
    let status = query.get("status");
    let mut found: Vec<_> = company
        .employees()
        .filter(|employee| employee.is_unmatched)
        .filter(|employee| words.is_empty() || employee.fits(&words).is_some())
        .filter(|employee| {
            team.as_ref()
                .is_none_or(|team| employee.team.as_deref().map(folded).as_ref() == Some(team))
        })
        .filter(|employee| status.is_none_or(|status| (status == "deactivated") == employee.deactivated))
        .collect();
    found.sort_by_cached_key(|employee| (folded(&employee.name), employee.id.clone()));
    let (pages, range) = Pages::new("Employees", EMPLOYEES, &query, found.len());
    let base = Base::new(&screen, &company, "Employees without a person", "matches").at(EMPLOYEES);
    let rows: Vec<EmployeeRow> = {
        let sitting = screen.sitting.lock();
        let rows = found[range]
            .iter()
            .map(|employee| EmployeeRow::new(&company, &sitting, employee));
        rows.collect()
    };
    if asked == Asked::Live {
        return page::live(&base, &[], &rows);
    }
    let omitted = company
        .integration
        .status
        .as_ref()
        .and_then(|status| status.employees);
    let omitted = omitted.map_or(0, |employees| employees.omitted);
    let mut lead = format!(
        "{} in Insightful whom no person is matched with or proposed for. Nothing is written to them unless you match them.",
        counted(found.len(), "employee", "employees")
    );
    if omitted > 0 {
        lead += &format!(
            " {omitted} more are not shown, since there are too many: deactivated ones are left out first."
        );
    }
    let mut filter = FilterView::new(&company, &query, &filter_of(&query, &screen.me));
    filter.is_of_employees = true;
    page::html(&EmployeesPage {
        base: base.live().with_notice(&screen, asked),
        filter,
        lead,
        rows,
        pages,
    })
}

fn find_employees(
    screen: &Screen,
    company: &Company,
    id: &str,
    query: &Fields,
    asked: Asked,
) -> Result<Response, Problem> {
    let Some(person) = company.person(id) else {
        return Err(Problem::gone("This person has no match any more.").for_script(asked));
    };
    let text = query.get("q").unwrap_or_default();
    let hits = {
        let sitting = screen.sitting.lock();
        let found = find::employees(company, text, find::MAX_OFFERED).into_iter();
        found
            .map(|employee| Hit::employee(&sitting, employee, id))
            .collect()
    };
    if asked != Asked::Page {
        return page::html(&Hits { hits });
    }
    page::html(&FindPage {
        base: Base::new(screen, company, "Find an employee", "").with_notice(screen, asked),
        path: EMPLOYEES,
        what: "Employees",
        wanted_for: id.to_owned(),
        wanted_name: shown(person.name()).into_owned(),
        seen: super::rows::seen(&person.decided()),
        text: text.to_owned(),
        hits,
    })
}

/// People who fit a search, for an employee.
pub async fn people(
    State(screen): State<Arc<Screen>>,
    query: Fields,
    asked: Asked,
) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    let id = query.get("for").unwrap_or_default();
    let Some(employee) = company.employee(id) else {
        return Err(Problem::gone("This employee is known no more.").for_script(asked));
    };
    let text = query.get("q").unwrap_or_default();
    let filter = Filter {
        tab: Tab::Everybody,
        text: text.to_owned(),
        ..Filter::default()
    };
    let mut found: Vec<PersonView<'_>> = match text.trim().is_empty() {
        true => Vec::new(),
        false => company.people().filter(|person| filter.shows(*person)).collect(),
    };
    let name = folded(text);
    // Those whose own name fits come before those with such a candidate, and those who wait first.
    found.sort_by_cached_key(|person| {
        let own = folded(person.name());
        (!own.contains(&name), !person.waits(), own, person.id().to_owned())
    });
    found.truncate(find::MAX_OFFERED);
    let hits = found.into_iter().map(Hit::person).collect();
    if asked != Asked::Page {
        return page::html(&Hits { hits });
    }
    page::html(&FindPage {
        base: Base::new(&screen, &company, "Find a person", "").with_notice(&screen, asked),
        path: "/people",
        what: "People",
        wanted_for: id.to_owned(),
        wanted_name: Card::of_employee(employee).name,
        seen: String::new(),
        text: text.to_owned(),
        hits,
    })
}
