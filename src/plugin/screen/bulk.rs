//! Many people at once: a sheet lists every pair before anything is staged.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    Screen,
    form::{Fields, Submitted},
    lists::filter_of,
    page::{self, Base, Problem, decisions},
    rows::{ChangeView, Differs, seen},
};
use crate::{
    model::text::{counted, shown},
    review::{
        Choice, Company,
        bulk::{self, Pair, Refused},
        evidence,
        filter::{self, Filter},
    },
};

#[derive(Template)]
#[template(path = "sheet.html")]
struct SheetPage {
    base: Base,
    title: String,
    pairs: Vec<PairView>,
    refused: Vec<RefusedView>,
    refused_title: String,
}

struct PairView {
    id: String,
    version: String,
    employee_id: String,
    name: String,
    email: String,
    employee: String,
    employee_email: String,
    differs: Differs,
    confidence: i32,
    changes: Vec<ChangeView>,
}

struct RefusedView {
    id: String,
    name: String,
    employee: String,
    why: String,
}

/// The ids of those whom the form of a list means.
fn meant(company: &Company, fields: &Fields, me: &str) -> Vec<String> {
    let query = Fields::parse(fields.get("query").unwrap_or_default().as_bytes());
    let filter = filter_of(&query, me);
    let of_filter = |filter: &Filter| -> Vec<String> {
        let groups = filter::groups(company, filter);
        let people = groups.into_iter().flat_map(|group| group.people);
        people
            .filter(|person| person.waits())
            .map(|person| person.id().to_owned())
            .collect()
    };
    if fields.get("all").is_some() {
        return of_filter(&filter);
    }
    let kind = fields.get("of").and_then(evidence::parse);
    let is_whole = kind.is_some() && fields.all("group").any(|group| evidence::parse(group) == kind);
    if is_whole {
        return of_filter(&Filter {
            evidence: kind,
            ..filter
        });
    }
    let ticked = fields.all("person").filter(|id| {
        let evidence = company.person(id).and_then(|person| person.evidence());
        kind.is_none() || evidence == kind
    });
    ticked.map(str::to_owned).collect()
}

/// Shows every pair that would be staged, and who is left to be decided alone.
pub async fn sheet(
    State(screen): State<Arc<Screen>>,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    let company = screen.company()?;
    let staged: BTreeSet<String> = screen.sitting.lock().staged().keys().cloned().collect();
    let meant = meant(&company, &fields, &screen.me).into_iter();
    let ids: Vec<String> = meant.filter(|id| !staged.contains(id)).collect();
    if ids.is_empty() {
        return Err(Problem::wrong(
            "Nobody is ticked, or everybody who is has a staged decision.",
        ));
    }
    let (pairs, refused) = bulk::sheet(&company, &ids);
    let text = |text: &str| shown(text).into_owned();
    let pair_view = |pair: &Pair<'_>| {
        let Pair { person, employee_id } = pair;
        let candidate = person.candidate(employee_id);
        let preview = candidate
            .map(|candidate| person.preview(candidate))
            .unwrap_or_default();
        PairView {
            id: text(person.id()),
            version: seen(&person.decided()),
            employee_id: text(employee_id),
            name: text(person.name()),
            email: person.email().map(text).unwrap_or_default(),
            employee: candidate
                .map(|candidate| text(&candidate.name))
                .unwrap_or_default(),
            employee_email: candidate
                .map(|candidate| text(&candidate.email))
                .unwrap_or_default(),
            differs: Differs::of(&preview),
            confidence: candidate
                .map(|candidate| candidate.confidence)
                .unwrap_or_default(),
            changes: preview.iter().map(ChangeView::from).collect(),
        }
    };
    let refused_view = |refused: &Refused<'_>| {
        let Refused { person, why } = refused;
        let employee = person.suggested().and_then(|id| person.candidate(id));
        RefusedView {
            id: text(person.id()),
            name: text(person.name()),
            employee: employee
                .map(|candidate| text(&candidate.name))
                .unwrap_or_default(),
            why: text(why),
        }
    };
    page::html(&SheetPage {
        base: Base::new(&screen, &company, "Match several", ""),
        title: format!("Match {} at once", counted(pairs.len(), "person", "people")),
        refused_title: format!(
            "{} of those ticked must be decided one by one",
            counted(refused.len(), "person", "people")
        ),
        pairs: pairs.iter().map(pair_view).collect(),
        refused: refused.iter().map(refused_view).collect(),
    })
}

/// Stages the pairs of a sheet that still are as they were shown.
pub async fn stage(
    State(screen): State<Arc<Screen>>,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    let company = screen.company()?;
    // Such as `00u1=w1@3f2a…`: neither service has `=` or `@` in an id.
    let wanted: Vec<(&str, &str, &str)> = fields
        .all("pair")
        .filter_map(|pair| {
            let (person, rest) = pair.split_once('=')?;
            let (employee, version) = rest.split_once('@')?;
            Some((person, employee, version))
        })
        .collect();
    let ids: Vec<String> = wanted.iter().map(|(person, ..)| (*person).to_owned()).collect();
    let (pairs, _) = bulk::sheet(&company, &ids);
    let mut sitting = screen.sitting.lock();
    let mut staged = 0;
    for Pair { person, employee_id } in &pairs {
        let is_as_shown = wanted.iter().any(|(id, employee, version)| {
            *id == person.id() && employee == employee_id && *version == seen(&person.decided())
        });
        let choice = Choice::Match(vec![(*employee_id).to_owned()]);
        if is_as_shown && sitting.stage(*person, &choice, None).is_ok() {
            staged += 1;
        }
    }
    drop(sitting);
    let changed = wanted.len() - staged;
    let text = match changed {
        0 => format!("{} staged.", decisions(staged)),
        changed => format!(
            "{} staged; {changed} changed in the meantime and are not.",
            decisions(staged)
        ),
    };
    screen.set_notice(text);
    Ok(page::redirect("/unsaved"))
}
