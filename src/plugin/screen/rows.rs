//! A person, an employee and the candidates as the templates print them.

use crate::{
    api::{Decision, Field, MatchState},
    model::{
        digest::{hex, sha256},
        text::shown,
    },
    review::{Company, Decided, PersonView, company::KnownEmployee, person::Difference, sitting::Sitting},
};

/// A person with an employee beside them.
pub struct RowView {
    pub id: String,
    /// Changes whenever the row looks different.
    pub version: String,
    /// Stands for the decision that the row shows.
    pub seen: String,
    pub waits: bool,
    pub is_open: bool,
    pub can_tick: bool,
    pub person: Card,
    pub candidates: Vec<CandidateView>,
    pub has_choice: bool,
    pub is_decided: bool,
    /// Whether Okta does not show the person, so that only a decision can say that they left.
    pub may_have_left: bool,
    /// Empty if nothing is staged.
    pub staged: String,
    /// The decision that stands; empty if there is none, or another one is staged.
    pub decided: String,
    /// Why no candidate is chosen; empty if one is.
    pub nobody: &'static str,
    pub note: String,
    /// Empty for people in review.
    pub state: String,
    pub message: String,
    /// Whether the message can wait until the row is open.
    pub is_settled: bool,
    pub opener: String,
    /// The page with this row open.
    pub open_href: String,
}

/// Who somebody is; an absent value is empty.
#[derive(Clone, Default)]
pub struct Card {
    pub name: String,
    pub email: String,
    pub title: String,
    pub team: String,
    pub status: String,
    pub id: String,
}

#[derive(Clone, Copy, Default)]
pub struct Differs {
    pub name: bool,
    pub email: bool,
    pub team: bool,
    pub status: bool,
}

pub struct CandidateView {
    pub number: usize,
    pub id: String,
    /// Empty if the employee is no candidate of matching.
    pub confidence: String,
    pub card: Card,
    pub differs: Differs,
    /// Whose the employee is; empty if nobody has it.
    pub held: String,
    pub changes: Vec<ChangeView>,
    pub pro: Vec<String>,
    pub con: Vec<String>,
    pub is_checked: bool,
}

pub struct ChangeView {
    pub field: String,
    pub from: String,
    pub to: String,
}

/// An employee without a person.
pub struct EmployeeRow {
    pub version: String,
    pub waits: bool,
    pub card: Card,
    /// The nearest person's Okta id, name and confidence; the id is empty if nobody is near.
    pub near_id: String,
    pub near_name: String,
    pub near_confidence: i32,
    /// The person for whom the employee is staged; empty if there is none.
    pub staged: String,
}

/// A search field beside somebody, for whom somebody is searched.
pub struct Finder<'a> {
    pub id: &'a str,
    pub label: &'static str,
    pub path: &'static str,
    pub what: &'static str,
}

impl<'a> Finder<'a> {
    /// For the employee of a person.
    pub fn employee(row: &'a RowView) -> Self {
        Self {
            id: &row.id,
            label: "Somebody else…",
            path: "/employees",
            what: "Employees",
        }
    }

    /// For the person of an employee.
    pub fn person(row: &'a EmployeeRow) -> Self {
        Self {
            id: &row.card.id,
            label: "Person…",
            path: "/people",
            what: "People",
        }
    }
}

/// A hit of a search.
pub struct Hit {
    pub id: String,
    pub name: String,
    pub email: String,
    pub team: String,
    pub status: String,
    pub held: String,
}

/// Stands for a decision in a form, so that one made in the meantime is noticed.
pub fn seen(decided: &Decided) -> String {
    hex(&sha256(decided)[..8])
}

/// A decision in words, with names of employees where they are known.
pub fn in_words(company: &Company, decided: &Decided) -> String {
    let name = |id: &String| match company.employee(id) {
        Some(employee) => format!("{} ({id})", employee.name),
        None => id.clone(),
    };
    let names = |ids: &[String]| ids.iter().map(name).collect::<Vec<_>>().join(", ");
    let mut text = match decided.decision {
        Decision::Auto => "no decision".to_owned(),
        Decision::Match => format!("match with {}", names(&decided.employee_ids)),
        Decision::Create => "create (invite)".to_owned(),
        Decision::Ignore => "ignore".to_owned(),
        Decision::Deactivate => "deactivate".to_owned(),
    };
    if !decided.rejected_employee_ids.is_empty() {
        text += &format!("; not {}", names(&decided.rejected_employee_ids));
    }
    shown(&text).into_owned()
}

fn text(text: &str) -> String {
    shown(text).into_owned()
}

fn optional(value: Option<&str>) -> String {
    value.map(text).unwrap_or_default()
}

fn status_of(deactivated: bool) -> String {
    if deactivated { "deactivated" } else { "active" }.to_owned()
}

impl Card {
    fn of_person(person: PersonView<'_>) -> Self {
        Self {
            name: text(person.name()),
            email: optional(person.email()),
            title: optional(person.title()),
            team: optional(person.team()),
            status: person
                .okta_status()
                .map_or_else(|| "not in Okta".to_owned(), |status| text(&status.to_lowercase())),
            id: text(person.id()),
        }
    }

    pub fn of_employee(employee: &KnownEmployee) -> Self {
        Self {
            name: text(&employee.name),
            email: text(&employee.email),
            title: String::new(),
            team: optional(employee.team.as_deref()),
            status: status_of(employee.deactivated),
            id: text(&employee.id),
        }
    }
}

impl Differs {
    pub fn of(differences: &[Difference]) -> Self {
        let has = |field| differences.iter().any(|difference| difference.field == field);
        Self {
            name: has(Field::Name),
            email: has(Field::Email),
            team: has(Field::Team),
            status: has(Field::Active),
        }
    }
}

impl From<&Difference> for ChangeView {
    fn from(difference: &Difference) -> Self {
        Self {
            field: match difference.field {
                Field::Active => "status".to_owned(),
                field => field.to_string(),
            },
            from: text(&difference.from),
            to: text(&difference.to),
        }
    }
}

impl RowView {
    pub fn new(company: &Company, sitting: &Sitting, person: PersonView<'_>) -> Self {
        let wanted = sitting.wanted(person);
        let is_staged = sitting.is_staged(person.id());
        let chosen = match wanted.decision {
            Decision::Match => wanted.employee_ids.first().map(String::as_str),
            _ => person
                .suggested()
                .filter(|id| !wanted.rejected_employee_ids.iter().any(|other| other == id)),
        };
        let candidates = candidates(company, sitting, person, chosen);
        let state = person.state();

        let version = object_version(person);
        let count = candidates.len();
        Self {
            id: text(person.id()),
            version: format!("{version}.{}.{}", seen(&wanted), sitting.saved().len().min(1)),
            seen: seen(&person.decided()),
            waits: person.waits() && !is_staged && !is_on_its_way(sitting, person),
            is_open: false,
            can_tick: person.suggested().is_some() && !is_staged,
            person: Card::of_person(person),
            has_choice: chosen.is_some(),
            is_decided: wanted != Decided::default(),
            may_have_left: !person.is_known(),
            candidates,
            staged: match is_staged {
                true => staged_words(company, &person.decided(), &wanted),
                false => String::new(),
            },
            decided: match person.is_decided() && !is_staged {
                true => in_words(company, &person.decided()),
                false => String::new(),
            },
            nobody: match (chosen, person.candidates().is_empty()) {
                (Some(_), _) => "",
                (None, true) => "No plausible employee found",
                (None, false) => "No candidate is left",
            },
            note: wanted.note.as_deref().map(text).unwrap_or_default(),
            state: match state {
                Some(MatchState::Review) | None => String::new(),
                Some(state) => format!("{state:?}"),
            },
            message: message(person),
            is_settled: person.is_settled(),
            open_href: format!(
                "/people/{}",
                percent_encoding::utf8_percent_encode(person.id(), percent_encoding::NON_ALPHANUMERIC)
            ),
            opener: match count {
                0 => "Search".to_owned(),
                1 => "1 candidate".to_owned(),
                count => format!("{count} candidates"),
            },
        }
    }
}

/// Whether a decision of this sitting is saved, and the operator or, with a file for Git, the cluster does not show it
/// yet.
fn is_on_its_way(sitting: &Sitting, person: PersonView<'_>) -> bool {
    let saved = sitting.last_saved(person.id());
    let Some(saved) = saved.filter(|saved| saved.after.decision != Decision::Auto) else {
        return false;
    };
    saved.after != person.decided() || !person.is_observed()
}

fn object_version(person: PersonView<'_>) -> String {
    person
        .object()
        .metadata
        .resource_version
        .clone()
        .unwrap_or_default()
}

fn staged_words(company: &Company, before: &Decided, wanted: &Decided) -> String {
    let (from, to) = (in_words(company, before), in_words(company, wanted));
    match from == to {
        true => "another note".to_owned(),
        false => to,
    }
}

/// What a reviewer has to know beside the reasons of the candidates.
fn message(person: PersonView<'_>) -> String {
    let is_plain = person.reason() == Some("NeedsDecision") && !person.candidates().is_empty();
    match person.message() {
        Some(message) if !is_plain => text(message),
        _ => String::new(),
    }
}

fn candidates(
    company: &Company,
    sitting: &Sitting,
    person: PersonView<'_>,
    chosen: Option<&str>,
) -> Vec<CandidateView> {
    let held = |id: &str| -> String {
        let staged = sitting.staged_for(id, person.id());
        if let Some((_, staged)) = staged {
            return text(&format!("staged for {}", staged.name));
        }
        let holder = company.employee(id).and_then(|known| known.holder.as_ref());
        person
            .loses(holder)
            .map(|holder| text(&holder.describe()))
            .unwrap_or_default()
    };
    let mut views: Vec<CandidateView> = person
        .candidates()
        .iter()
        .map(|candidate| {
            let (against, in_favour) = person.against_and_for(candidate);
            let preview = person.preview(candidate);
            let mut held = held(&candidate.employee_id);
            if held.is_empty()
                && let Some(holder) = &candidate.matched_to
            {
                held = text(&format!("matched to {holder}"));
            }
            CandidateView {
                number: 0,
                id: text(&candidate.employee_id),
                confidence: candidate.confidence.to_string(),
                card: Card {
                    name: text(&candidate.name),
                    email: text(&candidate.email),
                    title: String::new(),
                    team: optional(candidate.team.as_deref()),
                    status: status_of(candidate.deactivated),
                    id: text(&candidate.employee_id),
                },
                differs: Differs::of(&preview),
                held,
                changes: preview.iter().map(ChangeView::from).collect(),
                pro: in_favour.iter().map(|reason| text(reason)).collect(),
                con: against.iter().map(|reason| text(reason)).collect(),
                is_checked: chosen == Some(candidate.employee_id.as_str()),
            }
        })
        .collect();
    // The employee of a decision or of a match in force may be no candidate.
    let shown_employee = person.employee().map(|employee| employee.id.as_str());
    for id in [chosen, shown_employee].into_iter().flatten() {
        if views.iter().any(|view| view.id == text(id)) {
            continue;
        }
        let Some(known) = company.employee(id) else {
            continue;
        };
        let is_shown = shown_employee == Some(id);
        let differences = match person.employee() {
            Some(_) if is_shown && !person.changes().is_empty() => person.planned(),
            Some(employee) if is_shown => person.differences(employee),
            _ => person.differences(&known.summary()),
        };
        views.insert(
            0,
            CandidateView {
                number: 0,
                id: text(id),
                confidence: match is_shown {
                    true => person
                        .confidence()
                        .map(|percent| percent.to_string())
                        .unwrap_or_default(),
                    false => String::new(),
                },
                card: Card::of_employee(known),
                differs: Differs::of(&differences),
                held: held(id),
                changes: differences.iter().map(ChangeView::from).collect(),
                pro: vec!["chosen by hand".to_owned()]
                    .into_iter()
                    .filter(|_| !is_shown)
                    .collect(),
                con: Vec::new(),
                is_checked: chosen == Some(id),
            },
        );
    }
    for (place, view) in views.iter_mut().enumerate() {
        view.number = place + 1;
    }
    views
}

impl EmployeeRow {
    pub fn new(company: &Company, sitting: &Sitting, employee: &KnownEmployee) -> Self {
        let staged = sitting.staged_for(&employee.id, "");
        let (near_id, near_name, near_confidence) = employee.nearest.clone().unwrap_or_default();
        let near = company.person(&near_id);
        Self {
            version: format!("{}.{}", staged.is_some(), near_confidence),
            waits: staged.is_none() && employee.holder.is_none(),
            card: Card::of_employee(employee),
            near_id: near.map(|near| text(near.id())).unwrap_or_default(),
            near_name: text(&near_name),
            near_confidence,
            staged: staged.map(|(_, staged)| text(&staged.name)).unwrap_or_default(),
        }
    }
}

impl Hit {
    pub fn employee(sitting: &Sitting, employee: &KnownEmployee, for_person: &str) -> Self {
        let held = match (sitting.staged_for(&employee.id, for_person), &employee.holder) {
            (Some((_, staged)), _) => text(&format!("staged for {}", staged.name)),
            (None, Some(holder)) if holder.okta_user_id != for_person => text(&holder.describe()),
            (None, _) => String::new(),
        };
        let Card {
            name,
            email,
            team,
            status,
            id,
            ..
        } = Card::of_employee(employee);
        Self {
            id,
            name,
            email,
            team,
            status,
            held,
        }
    }

    pub fn person(person: PersonView<'_>) -> Self {
        let Card {
            name,
            email,
            team,
            status,
            id,
            ..
        } = Card::of_person(person);
        let employee = person.employee().map(|employee| text(&employee.name));
        let state = person
            .state()
            .map(|state| format!("{state:?}"))
            .unwrap_or_default();
        Self {
            id,
            name,
            email,
            team,
            status,
            held: match employee {
                Some(employee) => format!("{state}, {employee}"),
                None => state,
            },
        }
    }
}
