//! The plan: what would be written, what changed since the last look, and the buttons that allow it.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{extract::State, response::Response};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{
    super::cluster::ApproveError,
    Look, Screen,
    decisions::at,
    form::{Asked, Fields, Submitted},
    page::{self, Base, Problem},
};
use crate::{
    api::{GuardPolicy, GuardedWrites, PlanSummary, conditions::HELD},
    model::text::{counted, shown},
    review::{
        Company,
        planned::{Line, List, Planned},
        summary::{effect_in_words, thousands},
    },
};

/// How many changes of a kind are listed before `all` is asked for.
const MAX_LISTED: usize = 50;
const MAX_SINCE: usize = 100;

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    base: Base,
    has_plan: bool,
    title: String,
    hash: String,
    effect: String,
    is_finalized: bool,
    /// What the condition Held says; empty if nothing is held.
    held: String,
    /// Whether there is something to finalize or approve.
    is_open: bool,
    may: bool,
    waiting: i32,
    counts: Vec<CountView>,
    guard: Vec<GuardView>,
    looked_at: String,
    since: Vec<SinceView>,
    since_omitted: usize,
    lists: Vec<ListView>,
    moves: Vec<MoveView>,
    moves_title: String,
    new_teams: Vec<String>,
}

struct CountView {
    number: String,
    label: String,
    anchor: &'static str,
}

struct GuardView {
    label: &'static str,
    planned: i32,
    recent: i32,
    bound: String,
}

struct SinceView {
    how: &'static str,
    what: String,
}

struct ListView {
    anchor: &'static str,
    title: String,
    lines: Vec<LineView>,
    omitted: usize,
    /// Of the whole list.
    href: String,
}

struct LineView {
    id: String,
    person: String,
    employee: String,
    from: String,
    to: String,
    is_new: bool,
}

struct MoveView {
    from: String,
    to: String,
    count: String,
    is_new: bool,
    lines: Vec<LineView>,
}

pub async fn plan(
    State(screen): State<Arc<Screen>>,
    query: Fields,
    asked: Asked,
) -> Result<Response, Problem> {
    let company = screen.company().map_err(|problem| problem.for_script(asked))?;
    let base = Base::new(&screen, &company, "Plan", "plan");
    if asked == Asked::Live {
        return page::live(&base, &[], &[]);
    }
    let planned = Planned::of(&company);
    let (looked_at, since) = since(&screen, &planned);
    page::html(&plan_page(
        &screen, &company, base, &planned, &query, looked_at, since,
    ))
}

/// What changed since the user looked, and when that was. The first look begins the count.
fn since(screen: &Screen, planned: &Planned) -> (String, Vec<SinceView>) {
    let present: BTreeSet<String> = planned.texts().into_iter().collect();
    let mut look = screen.look.lock();
    let Look {
        at: looked_at,
        changes,
    } = look.get_or_insert_with(|| Look {
        at: at(),
        changes: present.clone(),
    });
    let view = |how, text: &String| SinceView {
        how,
        what: shown(text).into_owned(),
    };
    let new = present.difference(changes).map(|text| view("New", text));
    let gone = changes.difference(&present).map(|text| view("Gone", text));
    let since = new.chain(gone).collect();
    (looked_at.clone(), since)
}

fn plan_page(
    screen: &Screen,
    company: &Company,
    base: Base,
    planned: &Planned,
    query: &Fields,
    looked_at: String,
    mut since: Vec<SinceView>,
) -> PlanPage {
    let integration = &company.integration;
    let status = integration.status.clone().unwrap_or_default();
    let held = status.conditions.iter().find(|condition| condition.type_ == HELD);
    let held = held
        .filter(|held| held.status == "True")
        .map(|held| held.message.clone());
    let has_plan = status.plan.is_some();
    let summary = status.plan.unwrap_or_default();
    let is_finalized = integration.spec.finalized;
    let new: BTreeSet<&str> = since
        .iter()
        .filter(|change| change.how == "New")
        .map(|change| change.what.as_str())
        .collect();
    let is_new = |list: &List<'_>, line: &Line| new.contains(&*shown(&list.text(line)));
    let whole = query.get("kind");
    let (moves, lists): (Vec<_>, Vec<_>) = planned
        .lists()
        .into_iter()
        .partition(|list| list.anchor == "moves");
    let moves_title = moves.first().map(List::title).unwrap_or_default();
    let move_views = moves
        .iter()
        .flat_map(|list| move_views(planned, list, &is_new))
        .collect();
    let lists = lists.iter().map(|list| list_view(list, whole, &is_new)).collect();
    drop(new);
    let guard = guard(&integration.spec.guard, &summary, &recent(company));
    let omitted = since.len().saturating_sub(MAX_SINCE);
    since.truncate(MAX_SINCE);
    let effect = effect_in_words(&summary);
    PlanPage {
        base: base.live().with_notice(screen, Asked::Page),
        has_plan,
        title: match (has_plan, held.is_some()) {
            (false, _) => "There is no plan yet".to_owned(),
            (true, true) => format!("Held: a plan to {effect}"),
            (true, false) if planned.is_empty() => "Nothing to write".to_owned(),
            (true, false) => format!("A plan to {effect}"),
        },
        hash: summary.hash.clone(),
        effect,
        is_finalized,
        is_open: has_plan && (!is_finalized || held.is_some()),
        held: held.map(|held| shown(&held).into_owned()).unwrap_or_default(),
        may: screen.may_finalize,
        waiting: status.people.map_or(0, |people| people.waiting),
        counts: counts(&summary),
        guard,
        looked_at,
        since,
        since_omitted: omitted,
        lists,
        moves: move_views,
        moves_title,
        new_teams: planned
            .new_teams
            .iter()
            .map(|team| shown(team).into_owned())
            .collect(),
    }
}

fn counts(summary: &PlanSummary) -> Vec<CountView> {
    let counts = [
        (
            summary.deactivations,
            "deactivation",
            "deactivations",
            "deactivations",
        ),
        (
            summary.relinks,
            "match to unmatch",
            "matches to unmatch",
            "unmatched",
        ),
        (summary.email_changes, "email change", "email changes", "emails"),
        (summary.team_moves, "team move", "team moves", "moves"),
        (
            summary.create_employees,
            "invitation",
            "invitations",
            "invitations",
        ),
        (summary.create_teams, "new team", "new teams", "teams"),
        (summary.name_changes, "changed name", "changed names", "names"),
        (summary.title_changes, "changed title", "changed titles", "titles"),
        (summary.updates, "employee to update", "employees to update", ""),
        (
            summary.restores,
            "employee to restore",
            "employees to restore",
            "",
        ),
    ];
    let counts = counts.into_iter().filter(|(number, ..)| *number > 0);
    counts
        .map(|(number, one, many, anchor)| CountView {
            number: thousands(number),
            label: if number == 1 { one } else { many }.to_owned(),
            anchor,
        })
        .collect()
}

/// The writes of the last 24 hours that nobody approved.
fn recent(company: &Company) -> Vec<GuardedWrites> {
    let guard = company
        .integration
        .status
        .as_ref()
        .and_then(|status| status.guard.as_ref());
    guard.map_or_else(Vec::new, |guard| {
        guard.recent.iter().map(|hour| hour.writes).collect()
    })
}

/// A bound as it stands in the spec.
fn bound(bound: &IntOrString) -> String {
    match bound {
        IntOrString::Int(count) => thousands(*count),
        IntOrString::String(text) => shown(text).into_owned(),
    }
}

fn guard(policy: &GuardPolicy, plan: &PlanSummary, recent: &[GuardedWrites]) -> Vec<GuardView> {
    let sum = |of: fn(&GuardedWrites) -> i32| recent.iter().map(of).sum::<i32>();
    let row = |label, planned, recent, bound: String| GuardView {
        label,
        planned,
        recent,
        bound,
    };
    vec![
        row(
            "deactivations",
            plan.deactivations,
            sum(|of| of.deactivations),
            bound(&policy.max_deactivations),
        ),
        row(
            "team moves",
            plan.team_moves,
            sum(|of| of.team_moves),
            bound(&policy.max_team_moves),
        ),
        row(
            "email changes",
            plan.email_changes,
            sum(|of| of.email_changes),
            bound(&policy.max_email_changes),
        ),
        row(
            "matches to unmatch",
            plan.relinks,
            sum(|of| of.relinks),
            bound(&policy.max_relinks),
        ),
        row(
            "changed names",
            plan.name_changes,
            sum(|of| of.name_changes),
            bound(&policy.max_name_changes),
        ),
        row(
            "changed titles",
            plan.title_changes,
            sum(|of| of.title_changes),
            bound(&policy.max_title_changes),
        ),
        row(
            "automatic invitations",
            plan.invitations,
            sum(|of| of.invitations),
            bound(&policy.max_invitations),
        ),
        row(
            "new teams",
            plan.create_teams,
            sum(|of| of.new_teams),
            bound(&policy.max_new_teams),
        ),
    ]
}

/// Whether a change of a list is new since the last look.
type IsNew<'a> = &'a dyn Fn(&List<'_>, &Line) -> bool;

/// A list, shortened unless its anchor is `whole`.
fn list_view(list: &List<'_>, whole: Option<&str>, is_new: IsNew<'_>) -> ListView {
    let anchor = list.anchor;
    let listed = if whole == Some(anchor) {
        list.lines.len()
    } else {
        MAX_LISTED
    };
    ListView {
        anchor,
        title: list.title(),
        lines: list
            .lines
            .iter()
            .take(listed)
            .map(|line| line_view(list, line, is_new))
            .collect(),
        omitted: list.lines.len().saturating_sub(listed),
        href: format!("/plan?kind={anchor}#{anchor}"),
    }
}

/// The team moves, from each team to each other.
fn move_views(planned: &Planned, list: &List<'_>, is_new: IsNew<'_>) -> Vec<MoveView> {
    let moves = planned.moves.iter().map(|((from, to), lines)| {
        let lines: Vec<LineView> = lines.iter().map(|line| line_view(list, line, is_new)).collect();
        MoveView {
            from: shown(from).into_owned(),
            to: shown(to).into_owned(),
            count: counted(lines.len(), "person", "people"),
            is_new: lines.iter().any(|line| line.is_new),
            lines,
        }
    });
    moves.collect()
}

fn line_view(list: &List<'_>, line: &Line, is_new: IsNew<'_>) -> LineView {
    let text = |text: &str| shown(text).into_owned();
    LineView {
        id: text(&line.okta_user_id),
        person: text(&line.person),
        employee: line.employee.as_deref().map(text).unwrap_or_default(),
        from: text(&line.from),
        to: text(&line.to),
        is_new: is_new(list, line),
    }
}

/// The user has seen the plan as it is.
pub async fn seen(State(screen): State<Arc<Screen>>, Submitted(_): Submitted) -> Result<Response, Problem> {
    let company = screen.company()?;
    let changes = Planned::of(&company).texts().into_iter().collect();
    *screen.look.lock() = Some(Look { at: at(), changes });
    Ok(page::redirect("/plan"))
}

pub async fn finish(
    State(screen): State<Arc<Screen>>,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    send(&screen, &fields, true).await
}

pub async fn approve(
    State(screen): State<Arc<Screen>>,
    Submitted(fields): Submitted,
) -> Result<Response, Problem> {
    send(&screen, &fields, false).await
}

/// Sends exactly the hash that was on the page.
async fn send(screen: &Screen, fields: &Fields, finalize: bool) -> Result<Response, Problem> {
    let hash = fields.get("hash").unwrap_or_default();
    let text = match screen.cluster.approve(&screen.name, hash, finalize).await {
        Ok(()) if finalize => "Finalized: this plan is written now.",
        Ok(()) => "Approved: this plan is written now.",
        Err(ApproveError::Changed) => {
            "Nothing was sent: the plan changed while you looked. Look at the new one."
        }
        Err(ApproveError::Cluster(error)) => return Err(Problem::cluster(&error)),
    };
    screen.set_notice(text.to_owned());
    Ok(page::redirect("/plan"))
}
