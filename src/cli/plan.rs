//! `plan`: what the next sync would change, as tables for people or JSON for programs.

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

use super::{CliError, Source};
use crate::{
    api::{
        CandidateStatus, EmployeeMatch, EmployeeSummary, FieldChange, IgnoredGroup, MatchState,
        OktaIntegration, OktaIntegrationSpec, PlanSummary, ProposalKind, TeamStatus,
    },
    cli::recording::Recording,
    matching::{Candidate, Confidence},
    model::{
        EvidenceKind, PersonId, Snapshot, Unreadable,
        text::{counted, folded, shown},
    },
    review::{
        manifest::{Entry, Standing},
        summary::plan_in_words,
    },
    rules::{
        assessment::{Assessment, bindings},
        blocker::Blocker,
        exclusion, records,
        resolve::{self, Record, Records},
        status::{candidate_status, employee_summary, match_state, shown_employee, team_statuses},
        teams,
    },
    services::{
        AllowedAddresses,
        gather::{self, LookedUp},
    },
};

pub enum From<'a> {
    /// The directory of a recording.
    Recording(&'a Path),
    Live(&'a Source, &'a AllowedAddresses),
}

/// What `-o json` prints. `hash`, `teams` and `summary` are the same as in the integration's status.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanReport {
    pub hash: String,
    pub teams: Vec<TeamStatus>,
    /// Groups that are no team groups although their names look as if they were meant to be.
    #[serde(rename = "ignoredGroups", skip_serializing_if = "Vec::is_empty")]
    pub ignored_groups: Vec<IgnoredGroup>,
    /// Records of both services that cannot be read, and what is wrong with which field.
    #[serde(rename = "unreadableRecords", skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// Everybody who is in scope or has an EmployeeMatch, by Okta id.
    pub people: Vec<PersonReport>,
    pub summary: PlanSummary,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonReport {
    pub okta_user_id: String,
    /// None for a person with an EmployeeMatch whom Okta does not return.
    pub name: Option<String>,
    pub email: Option<String>,
    pub state: MatchState,
    /// The employee of the match, else the proposed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeSummary>,
    pub proposal: ProposalReport,
    /// At most five, best first.
    pub candidates: Vec<CandidateReport>,
    /// The fields that would be written.
    pub changes: Vec<FieldChange>,
    /// Why the person cannot be synced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker: Option<BlockerReport>,
    /// Whether somebody has to decide or act, by the rule that counts them in the integration's status.
    #[serde(skip)]
    pub waits: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockerReport {
    /// As in the `Ready` condition of the EmployeeMatch.
    pub reason: String,
    /// What is wrong, and what to do.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalReport {
    pub kind: ProposalKind,
    pub employee_ids: Vec<String>,
    /// From 0 to 1, of `employee`; None if there is none, or if a decision names one that is no candidate.
    pub confidence: Option<f64>,
    /// The kind of evidence for the proposed employee.
    pub evidence: Option<EvidenceKind>,
    /// What speaks against the proposed employee, then what speaks for it.
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateReport {
    pub employee_id: String,
    pub name: String,
    pub email: String,
    pub team: Option<String>,
    pub deactivated: bool,
    /// The name of another person who has the employee by a decision or a match in force.
    pub matched_to: Option<String>,
    /// From 0 to 1.
    pub confidence: f64,
    pub reasons: Vec<String>,
}

/// Which people the table lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Show {
    /// People who wait for a decision, or for somebody to correct something.
    Review,
    /// People who wait, or whose employee would change.
    #[default]
    Changes,
    /// People whose employee would be deactivated.
    Deactivations,
    /// All people.
    All,
}

pub struct Planned {
    pub report: PlanReport,
    /// None for a recording without an integration.
    pub standing: Option<Standing>,
    pub changes: bool,
}

pub async fn plan(from: From<'_>) -> Result<Planned, CliError> {
    let (mut snapshot, integration, records, decided) = match from {
        From::Recording(dir) => {
            let recording = Recording::load(dir)?;
            let integration = recording
                .integration
                .clone()
                .unwrap_or_else(|| unnamed(default_spec()));
            let snapshot = recording.snapshot(dir, &integration.spec.okta)?;
            let records = records::of(recording.of_integration());
            let decided: Vec<EmployeeMatch> = recording.of_integration().cloned().collect();
            (snapshot, integration, records, decided)
        }
        From::Live(source, allowed) => {
            let opened = source.open(allowed).await?;
            let prefix = &opened.integration.spec.okta.group_prefix;
            let services = &opened.services;
            let excluding = &opened.integration.spec.okta.exclude;
            services.okta.keep_attributes(exclusion::attributes(excluding));
            let gathered =
                gather::gather(&services.okta, &services.insightful, prefix, false, &|_| {}).await?;
            let records = opened.records();
            let mut snapshot = gathered.snapshot;
            let missing = resolve::unaccounted(&snapshot, &records).cloned().collect();
            let LookedUp { found, deleted, .. } = gather::look_up(&services.okta, missing).await;
            for person in found {
                snapshot.replace_person(person);
            }
            snapshot.set_deleted(deleted);
            let decided = opened.used_matches();
            (snapshot, opened.integration, records, decided)
        }
    };
    snapshot.set_former_names(resolve::former_names(&snapshot, &records));
    let status = integration.status.clone().unwrap_or_default();
    let spent = status.guard.as_ref().and_then(|guard| guard.spent_plan.as_ref());
    let assessment = Assessment::of(&snapshot, &integration.spec, &records, &bindings(&status)).after(spent);
    Ok(Planned {
        report: report(&snapshot, &integration.spec, &records, &assessment),
        standing: Standing::new(&integration.metadata, decided),
        changes: !assessment.plan.is_empty(),
    })
}

fn unnamed(spec: OktaIntegrationSpec) -> OktaIntegration {
    OktaIntegration {
        metadata: Default::default(),
        spec,
        status: None,
    }
}

/// The defaults, for a recording without an integration. Its URLs are never called.
fn default_spec() -> OktaIntegrationSpec {
    let secret = json!({ "secretRef": { "name": "-", "key": "-" } });
    let spec = json!({
        "okta": { "orgUrl": "https://recorded.okta.com", "auth": { "apiToken": secret } },
        "insightful": { "apiToken": secret },
    });
    #[expect(
        clippy::expect_used,
        reason = "these are the required fields, as a test checks"
    )]
    serde_json::from_value(spec).expect("every other field has a default")
}

fn report(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    records: &Records,
    assessment: &Assessment,
) -> PlanReport {
    let no_record = Record::default();
    let summary = assessment.plan.summary();
    PlanReport {
        hash: summary.hash.clone(),
        teams: team_statuses(snapshot, assessment),
        ignored_groups: teams::ignored(snapshot, &spec.okta.group_prefix),
        unreadable: snapshot.unreadable().cloned().collect(),
        people: assessment
            .resolved
            .keys()
            .map(|id| {
                person(
                    id,
                    snapshot,
                    spec,
                    records.get(id).unwrap_or(&no_record),
                    assessment,
                )
            })
            .collect(),
        summary,
    }
}

fn person(
    id: &PersonId,
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    record: &Record,
    assessment: &Assessment,
) -> PersonReport {
    let person = snapshot.people().get(id);
    let resolved = assessment.resolved.get(id);
    let proposal = resolved.and_then(|resolved| resolved.proposal.as_ref());
    let shown = resolved.and_then(|resolved| shown_employee(resolved, record, snapshot));
    let confidence = shown
        .as_ref()
        .zip(proposal)
        .and_then(|(shown, proposal)| proposal.confidence(shown));
    let best = proposal.and_then(|proposal| proposal.best());
    let blocker = assessment.blocker(id);
    let state = match_state(id, snapshot, spec, assessment, record);
    PersonReport {
        okta_user_id: id.to_string(),
        name: person.map(|person| person.display_name()),
        email: person.and_then(|person| person.email.clone()),
        state,
        employee: shown
            .and_then(|shown| snapshot.employees().get(&shown))
            .map(|employee| employee_summary(employee, snapshot)),
        proposal: ProposalReport {
            kind: match proposal.map(|proposal| proposal.kind) {
                Some(ProposalKind::Auto) if !spec.matching.automatic => ProposalKind::Review,
                kind => kind.unwrap_or(ProposalKind::None),
            },
            employee_ids: best.iter().map(|best| best.employee.to_string()).collect(),
            confidence: confidence.map(Confidence::fraction),
            evidence: best.map(|best| best.evidence),
            reasons: proposal
                .iter()
                .flat_map(|proposal| proposal.reasons())
                .map(ToString::to_string)
                .collect(),
        },
        candidates: proposal
            .iter()
            .flat_map(|proposal| &proposal.candidates)
            .map(|candidate| candidate_report(candidate, snapshot))
            .collect(),
        changes: assessment.changes.get(id).cloned().unwrap_or_default(),
        blocker: blocker.map(|blocker| BlockerReport {
            reason: blocker.reason().to_owned(),
            message: blocker.message(snapshot),
        }),
        waits: state.awaits_decision() || blocker.is_some_and(Blocker::needs_action),
    }
}

fn candidate_report(candidate: &Candidate, snapshot: &Snapshot) -> CandidateReport {
    let CandidateStatus {
        employee_id,
        name,
        email,
        team,
        deactivated,
        matched_to,
        confidence: _,
        reasons,
    } = candidate_status(candidate, snapshot);
    CandidateReport {
        employee_id,
        name,
        email,
        team,
        deactivated,
        matched_to,
        confidence: candidate.confidence.fraction(),
        reasons,
    }
}

impl PlanReport {
    /// Removes people whose name, email and Okta id do not contain `text`; case is ignored.
    pub fn only(&mut self, text: &str) {
        let text = folded(text);
        let contains = |value: &str| folded(value).contains(&text);
        self.people.retain(|person| {
            contains(&person.okta_user_id)
                || person.name.as_deref().is_some_and(contains)
                || person.email.as_deref().is_some_and(contains)
        });
    }

    /// Prints the tables and the summary, with colours only on a terminal and unless NO_COLOR is set.
    pub fn print(&self, show: Show) -> std::io::Result<()> {
        let colours =
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}\n", self.teams_table(colours))?;
        if !self.ignored_groups.is_empty() {
            writeln!(out, "{}\n", self.ignored_groups_table(colours))?;
        }
        if !self.unreadable.is_empty() {
            writeln!(
                out,
                "Records that cannot be read are passed over, and nothing is written for the people concerned:"
            )?;
            for record in &self.unreadable {
                writeln!(out, "- {}", shown(&record.to_string()))?;
            }
            writeln!(out)?;
        }
        let shown: Vec<&PersonReport> = self
            .people
            .iter()
            .filter(|person| person.is_shown(show))
            .collect();
        if !shown.is_empty() {
            writeln!(out, "{}", people_table(&shown, colours))?;
        }
        let all = counted(self.people.len(), "person", "people");
        let hint = match shown.len() < self.people.len() && show != Show::All {
            true => " Use --show all to list everybody.",
            false => "",
        };
        writeln!(out, "{} of {all} shown.{hint}", shown.len())?;
        if let Some(waiting) = self.waiting() {
            writeln!(out, "{waiting}")?;
        }
        writeln!(out, "\n{}", plan_in_words(&self.summary))
    }

    /// Who waits, by the counts of the integration's status.
    fn waiting(&self) -> Option<String> {
        let count = |state| self.people.iter().filter(|person| person.state == state).count();
        let states = [MatchState::Review, MatchState::Unmatched, MatchState::Conflict];
        let counts = states.map(|state| (state, count(state)));
        let decisions = counts.iter().map(|(_, count)| count).sum::<usize>();
        let others = self.people.iter().filter(|person| person.waits).count() - decisions;
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(state, count)| format!("{count} {state:?}"))
            .collect();
        let decisions = (decisions > 0).then(|| {
            let need = counted(decisions, "person needs a decision", "people need a decision");
            format!("{need} ({}).", counts.join(", "))
        });
        let others = (others > 0).then(|| {
            counted(
                others,
                "person out of scope needs somebody: see REASON.",
                "people out of scope need somebody: see REASON.",
            )
        });
        let parts: Vec<String> = decisions.into_iter().chain(others).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    fn teams_table(&self, colours: bool) -> Table {
        let mut table = new_table(["TEAM", "STATE", "MEMBERS", "NOTE"], colours);
        for team in &self.teams {
            table.add_row([
                Cell::new(shown(&team.name)),
                Cell::new(format!("{:?}", team.state)),
                Cell::new(team.members),
                Cell::new(shown(team.message.as_deref().unwrap_or_default())),
            ]);
        }
        table
    }

    fn ignored_groups_table(&self, colours: bool) -> Table {
        let mut table = new_table(["IGNORED GROUP", "WHY"], colours);
        for group in &self.ignored_groups {
            table.add_row([shown(&group.name), shown(&group.reason)].map(Cell::new));
        }
        table
    }
}

impl std::convert::From<&PersonReport> for Entry {
    fn from(person: &PersonReport) -> Self {
        let candidates = person.candidates.iter().map(|candidate| CandidateStatus {
            employee_id: candidate.employee_id.clone(),
            name: candidate.name.clone(),
            email: candidate.email.clone(),
            team: candidate.team.clone(),
            deactivated: candidate.deactivated,
            matched_to: candidate.matched_to.clone(),
            confidence: Confidence::from_fraction(candidate.confidence).percent(),
            reasons: candidate.reasons.clone(),
        });
        Self {
            okta_user_id: person.okta_user_id.clone(),
            name: person.name.clone(),
            email: person.email.clone(),
            state: Some(person.state),
            reason: person.reason(),
            employee: person.employee.clone(),
            candidates: candidates.collect(),
            is_unreadable: person
                .blocker
                .as_ref()
                .is_some_and(|blocker| blocker.reason == "Unreadable"),
        }
    }
}

impl PersonReport {
    fn is_shown(&self, show: Show) -> bool {
        match show {
            Show::All => true,
            Show::Changes => self.waits || !self.changes.is_empty(),
            Show::Deactivations => self.changes.iter().any(FieldChange::deactivates),
            Show::Review => self.waits,
        }
    }

    /// What keeps the person from being synced, else what speaks for and against the employee that is shown.
    pub fn reason(&self) -> String {
        let shown = self.employee.as_ref().map(|employee| employee.id.as_str());
        let proposed = self.proposal.employee_ids.first().map(String::as_str);
        match (&self.blocker, shown) {
            // The doubts of the proposal explain this one.
            (Some(blocker), _) if blocker.reason != "NeedsDecision" => blocker.message.clone(),
            (_, Some(id)) if proposed != Some(id) => {
                let candidate = self
                    .candidates
                    .iter()
                    .find(|candidate| candidate.employee_id == id);
                candidate.map_or_else(String::new, |candidate| candidate.reasons.join("; "))
            }
            _ => self.proposal.reasons.join("; "),
        }
    }

    /// The candidates beside the employee that is shown, of a person who waits.
    fn other_candidates(&self) -> impl Iterator<Item = &CandidateReport> {
        let shown = self.employee.as_ref().map(|employee| employee.id.as_str());
        let is_other = move |candidate: &&CandidateReport| shown != Some(candidate.employee_id.as_str());
        self.candidates.iter().filter(|_| self.waits).filter(is_other)
    }
}

/// A confidence as the status has it: an integer percentage, rounded down.
pub fn percent(confidence: f64) -> String {
    format!("{:.0}%", (confidence * 100.0).floor())
}

/// The people, each with the employee that is shown; those who wait also with every other candidate.
fn people_table(people: &[&PersonReport], colours: bool) -> Table {
    let mut table = new_table(
        [
            "PERSON",
            "EMAIL",
            "STATE",
            "EMPLOYEE",
            "CONFIDENCE",
            "CHANGES",
            "REASON",
        ],
        colours,
    );
    let employee_cell = |name: &str, id: &str| Cell::new(format!("{}\n{}", shown(name), shown(id)));
    for person in people {
        let colour = match person.state {
            MatchState::Review | MatchState::Unmatched => Color::Yellow,
            MatchState::Conflict => Color::Red,
            MatchState::Proposed | MatchState::Matched => Color::Green,
            _ => Color::Reset,
        };
        let changes: Vec<String> = person.changes.iter().map(change_line).collect();
        let employee = person.employee.as_ref();
        table.add_row([
            Cell::new(shown(person.name.as_deref().unwrap_or(&person.okta_user_id))),
            Cell::new(shown(person.email.as_deref().unwrap_or_default())),
            Cell::new(format!("{:?}", person.state)).fg(colour),
            employee.map_or_else(
                || Cell::new(""),
                |employee| employee_cell(&employee.name, &employee.id),
            ),
            Cell::new(person.proposal.confidence.map(percent).unwrap_or_default()),
            Cell::new(changes.join("\n")),
            Cell::new(shown(&person.reason())),
        ]);
        for candidate in person.other_candidates() {
            let holder = candidate
                .matched_to
                .iter()
                .map(|holder| format!("matched to {holder}"));
            let reasons: Vec<String> = holder.chain(candidate.reasons.iter().cloned()).collect();
            table.add_row([
                Cell::new(""),
                Cell::new(""),
                Cell::new("or"),
                employee_cell(&candidate.name, &candidate.employee_id),
                Cell::new(percent(candidate.confidence)),
                Cell::new(""),
                Cell::new(shown(&reasons.join("; "))),
            ]);
        }
    }
    table
}

fn change_line(change: &FieldChange) -> String {
    let value = |value: &Option<String>| shown(value.as_deref().unwrap_or("(none)")).into_owned();
    format!(
        "{}: {} -> {}",
        change.field,
        value(&change.from),
        value(&change.to)
    )
}

fn new_table<const COLUMNS: usize>(columns: [&str; COLUMNS], colours: bool) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if !colours {
        table.force_no_tty();
    }
    if table.width().is_none() {
        table.set_width(160);
    }
    table.set_header(columns.map(|column| Cell::new(column).add_attribute(Attribute::Bold)));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_without_an_integration_has_the_default_policy() {
        let spec = default_spec();
        assert_eq!(spec.okta.group_prefix, "OKTA_INSGRP_");
        assert!(spec.matching.automatic && spec.teams.create_missing && !spec.finalized);
    }

    #[test]
    fn the_summary_names_the_kinds_that_occur_in_singular_or_plural() {
        let mut report = PlanReport {
            hash: String::new(),
            teams: Vec::new(),
            ignored_groups: Vec::new(),
            unreadable: Vec::new(),
            people: Vec::new(),
            summary: PlanSummary {
                hash: "sha256:9f2c".to_owned(),
                ..PlanSummary::default()
            },
        };
        assert_eq!(plan_in_words(&report.summary), "No changes.\nPlan sha256:9f2c");
        report.summary.total = 1;
        report.summary.create_employees = 1;
        report.summary.invitations = 1;
        assert_eq!(
            plan_in_words(&report.summary),
            "1 change: 1 person to invite (1 without a decision).\nPlan sha256:9f2c"
        );
        report.summary.total = 3;
        report.summary.updates = 2;
        report.summary.team_moves = 1;
        report.summary.name_changes = 2;
        assert_eq!(
            plan_in_words(&report.summary),
            "3 changes: 1 person to invite (1 without a decision), 2 employees to update (1 team move, 2 name changes).\nPlan sha256:9f2c"
        );
    }
}
