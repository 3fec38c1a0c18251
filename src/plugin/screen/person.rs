//! One person: the row, and its history.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use k8s_openapi::api::core::v1::Event;

use super::{
    Screen,
    decisions::instant,
    form::Asked,
    page::{self, Base, Problem},
    rows::{Differs, Finder, RowView, in_words},
};
use crate::{
    api::{Applied, AppliedField, EmployeeMatchStatus, Field, Unmatched},
    model::text::shown,
    review::{Company, PersonView},
};

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    base: Base,
    row: RowView,
    decision: DecisionView,
    writes: Vec<WriteView>,
    events: Vec<EventView>,
    /// Why there are no Events; empty if they were read.
    no_events: String,
}

struct DecisionView {
    what: String,
    /// Empty if nobody is known.
    by: String,
    at: String,
    note: String,
}

/// A field that was written or restored.
struct WriteView {
    field: Field,
    employee: String,
    before: String,
    after: String,
    when: String,
    restored: String,
}

struct EventView {
    when: String,
    reason: String,
    message: String,
}

pub async fn person(
    State(screen): State<Arc<Screen>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    let Some(person) = company.person(&id) else {
        return Err(Problem::gone(format!("Nobody has the Okta id {id}.")).for_script(asked));
    };
    let base = Base::new(&screen, &company, person.name(), "");
    let mut row = RowView::new(&company, &screen.sitting.lock(), person);
    row.is_open = true;
    if asked == Asked::Live {
        return page::live(&base, &[row], &[]);
    }
    let name = person.object().metadata.name.clone().unwrap_or_default();
    // The field managers, which a screen of thousands does not keep, say who decided.
    let whole = screen.cluster.person(&screen.name, &id).await.ok().flatten();
    let (events, no_events) = match screen.cluster.events(&name).await {
        Ok(events) => (events.iter().rev().map(event).collect(), String::new()),
        Err(error) => (Vec::new(), shown(&error.to_string()).into_owned()),
    };
    page::html(&PersonPage {
        base: base.live().with_notice(&screen, asked),
        row,
        decision: decision(&company, whole.as_ref().map_or(person, PersonView::new)),
        writes: writes(&company, person),
        events,
        no_events,
    })
}

fn decision(company: &Company, person: PersonView<'_>) -> DecisionView {
    let text = |text: Option<&str>| text.map(|text| shown(text).into_owned()).unwrap_or_default();
    let decider = person.decider();
    let at = decider.as_ref().and_then(|decider| decider.at).map(instant);
    DecisionView {
        what: in_words(company, &person.decided()),
        by: decider.map(|decider| decider.in_words()).unwrap_or_default(),
        at: at.unwrap_or_default(),
        note: text(person.note()),
    }
}

/// What the match in force replaced, and what became of the one before it.
fn writes(company: &Company, person: PersonView<'_>) -> Vec<WriteView> {
    let Some(EmployeeMatchStatus {
        applied, unmatched, ..
    }) = &person.object().status
    else {
        return Vec::new();
    };
    let text = |text: &str| shown(text).into_owned();
    let name = |id: &str| match company.employee(id) {
        Some(employee) => text(&employee.name),
        None => text(id),
    };
    let teams = company
        .integration
        .status
        .as_ref()
        .map_or(&[][..], |status| status.teams.as_slice());
    // A team is recorded by its id.
    let value =
        |field: Field, value: &str| match teams.iter().find(|team| team.team_id.as_deref() == Some(value)) {
            Some(team) if field == Field::Team => text(&team.name),
            _ => text(value),
        };
    let mut views = Vec::new();
    if let Some(Applied {
        employee_ids,
        time,
        created,
        fields,
    }) = applied
    {
        views.extend(employee_ids.iter().filter(|_| *created).map(|id| WriteView {
            field: Field::Active,
            employee: name(id),
            before: String::new(),
            after: "invited".to_owned(),
            when: instant(time.0),
            restored: String::new(),
        }));
        views.extend(fields.iter().map(|applied| {
            let AppliedField {
                employee_id,
                field,
                before,
                after,
                ..
            } = applied;
            WriteView {
                field: *field,
                employee: name(employee_id),
                before: before
                    .as_deref()
                    .map(|before| value(*field, before))
                    .unwrap_or_default(),
                after: value(*field, after),
                when: instant(time.0),
                restored: String::new(),
            }
        }));
    }
    if let Some(Unmatched {
        employee_id,
        time,
        restored,
        not_restored,
    }) = unmatched
    {
        let when = instant(time.0);
        let view = |field: Field, restored: String| WriteView {
            field,
            employee: name(employee_id),
            before: String::new(),
            after: String::new(),
            when: String::new(),
            restored,
        };
        views.extend(restored.iter().map(|field| view(*field, when.clone())));
        views.extend(
            not_restored
                .iter()
                .map(|field| view(field.field, text(&format!("not restored: {}", field.reason)))),
        );
    }
    views
}

fn event(event: &Event) -> EventView {
    let text = |text: Option<&String>| text.map(|text| shown(text).into_owned()).unwrap_or_default();
    let when = event
        .event_time
        .as_ref()
        .map(|time| time.0)
        .or(event.last_timestamp.as_ref().map(|time| time.0));
    EventView {
        when: when.map(instant).unwrap_or_default(),
        reason: text(event.reason.as_ref()),
        message: text(event.message.as_ref()),
    }
}
