//! `plan`: what the next sync would change, as tables for people or JSON for programs.

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

use super::{CliError, Source, counted};
use crate::model::text::written;
use crate::{
    api::{
        CandidateStatus, Decision, EmployeeSummary, FieldChange, MatchState, OktaIntegration,
        OktaIntegrationSpec, PlanSummary, ProposalKind, TeamStatus, match_name,
    },
    cli::recording::Recording,
    matching::{Candidate, Confidence},
    model::{PersonId, Snapshot, text::folded},
    rules::{
        assessment::{Assessment, bindings},
        records,
        resolve::{self, Record, Records},
        status::{candidate_status, employee_summary, match_state, shown_employee, team_statuses},
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
    /// What speaks for the proposal, then what speaks against it.
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
    /// People who need a decision.
    Review,
    /// People who need a decision or whose employee would change.
    #[default]
    Changes,
    /// All people.
    All,
}

pub struct Planned {
    pub report: PlanReport,
    /// The name of the integration. A recording may have none.
    pub integration: Option<String>,
    pub changes: bool,
}

pub async fn plan(from: From<'_>) -> Result<Planned, CliError> {
    let (snapshot, integration, records) = match from {
        From::Recording(dir) => {
            let recording = Recording::load(dir)?;
            let integration = recording
                .integration
                .clone()
                .unwrap_or_else(|| unnamed(default_spec()));
            let snapshot = recording.snapshot(dir, &integration.spec.okta.group_prefix)?;
            let records = records::of(recording.of_integration());
            (snapshot, integration, records)
        }
        From::Live(source, allowed) => {
            let opened = source.open(allowed).await?;
            let prefix = &opened.integration.spec.okta.group_prefix;
            let services = &opened.services;
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
            (snapshot, opened.integration, records)
        }
    };
    let status = integration.status.clone().unwrap_or_default();
    let spent = status.guard.as_ref().and_then(|guard| guard.spent_plan.as_ref());
    let assessment = Assessment::of(&snapshot, &integration.spec, &records, &bindings(&status)).after(spent);
    Ok(Planned {
        report: report(&snapshot, &integration.spec, &records, &assessment),
        integration: integration.metadata.name,
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
    let doubts = proposal.iter().flat_map(|proposal| &proposal.doubts);
    PersonReport {
        okta_user_id: id.to_string(),
        name: person.map(|person| person.display_name()),
        email: person.and_then(|person| person.email.clone()),
        state: match_state(id, snapshot, spec, assessment, record),
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
            reasons: best
                .iter()
                .flat_map(|best| &best.reasons)
                .chain(doubts)
                .map(ToString::to_string)
                .collect(),
        },
        candidates: proposal
            .iter()
            .flat_map(|proposal| &proposal.candidates)
            .map(|candidate| candidate_report(candidate, snapshot))
            .collect(),
        changes: assessment.changes.get(id).cloned().unwrap_or_default(),
        blocker: assessment.blocker(id).map(|blocker| BlockerReport {
            reason: blocker.reason().to_owned(),
            message: blocker.message(snapshot),
        }),
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
        writeln!(out, "\n{}", self.summary())
    }

    fn teams_table(&self, colours: bool) -> Table {
        let mut table = new_table(["TEAM", "STATE", "MEMBERS", "NOTE"], colours);
        for team in &self.teams {
            table.add_row([
                Cell::new(written(&team.name)),
                Cell::new(format!("{:?}", team.state)),
                Cell::new(team.members),
                Cell::new(team.message.as_deref().unwrap_or_default()),
            ]);
        }
        table
    }

    /// The number of changes, those of each kind, and the plan's hash.
    fn summary(&self) -> String {
        let PlanSummary {
            hash,
            total,
            create_teams,
            create_employees,
            updates,
            team_moves,
            email_changes,
            name_changes,
            title_changes,
            invitations,
            deactivations,
            relinks,
            restores,
        } = &self.summary;
        let parts = |parts: &[(i32, &str, &str)]| {
            let parts = parts.iter().filter(|(count, ..)| *count > 0);
            let parts: Vec<String> = parts
                .map(|(count, one, many)| counted(*count, one, many))
                .collect();
            match parts.is_empty() {
                true => String::new(),
                false => format!(" ({})", parts.join(", ")),
            }
        };
        let updated = [
            (*team_moves, "team move", "team moves"),
            (*email_changes, "email change", "email changes"),
            (*name_changes, "name change", "name changes"),
            (*title_changes, "title change", "title changes"),
        ];
        let kinds = [
            (create_teams, "team to create", "teams to create", String::new()),
            (
                create_employees,
                "person to invite",
                "people to invite",
                parts(&[(*invitations, "without a decision", "without a decision")]),
            ),
            (
                updates,
                "employee to update",
                "employees to update",
                parts(&updated),
            ),
            (
                deactivations,
                "employee to deactivate",
                "employees to deactivate",
                String::new(),
            ),
            (relinks, "match to unmatch", "matches to unmatch", String::new()),
            (
                restores,
                "employee to restore",
                "employees to restore",
                String::new(),
            ),
        ];
        let kinds: Vec<String> = kinds
            .into_iter()
            .filter(|(count, ..)| **count > 0)
            .map(|(count, one, many, detail)| counted(*count, one, many) + &detail)
            .collect();
        let changes = match kinds.is_empty() {
            true => "No changes.".to_owned(),
            false => format!("{}: {}.", counted(*total, "change", "changes"), kinds.join(", ")),
        };
        format!("{changes}\nPlan {hash}")
    }

    /// The proposals as decisions, in EmployeeMatch manifests. Those that need a review are comments.
    pub fn decisions(&self, integration: &str) -> Result<String, serde_yaml::SerializeError> {
        let mut text = String::new();
        for person in &self.people {
            let decision = match (person.state, person.proposal.kind) {
                (MatchState::Proposed, ProposalKind::Create) => Decision::Create,
                (MatchState::Proposed | MatchState::Review, ProposalKind::Auto | ProposalKind::Review) => {
                    Decision::Match
                }
                _ => continue,
            };
            let needs_review = person.state == MatchState::Review;
            let mut spec = json!({
                "integrationRef": { "name": integration },
                "oktaUserId": person.okta_user_id,
                "decision": decision,
            });
            if decision == Decision::Match {
                spec["employeeIds"] = json!(person.proposal.employee_ids);
            }
            let manifest = json!({
                "apiVersion": "integrations.insightful.io/v1alpha1",
                "kind": "EmployeeMatch",
                "metadata": { "name": match_name(integration, &person.okta_user_id) },
                "spec": spec,
            });
            let who = format!(
                "# {} <{}>: {}: {}",
                person.name.as_deref().unwrap_or("unknown name"),
                person.email.as_deref().unwrap_or("no email"),
                person
                    .candidates
                    .first()
                    .map_or("no employee".to_owned(), |best| format!(
                        "{} <{}>, {:.0}%",
                        best.name,
                        best.email,
                        (best.confidence * 100.0).floor()
                    )),
                person.proposal.reasons.join("; ")
            );
            // A line break in a name would end the comment.
            let who = written(&who) + "\n";
            let yaml = serde_yaml::to_string(&manifest)?;
            text.push_str("---\n");
            if needs_review {
                text.push_str("# NEEDS REVIEW: correct it if it is wrong, then uncomment it.\n");
                text.push_str(&who);
                for line in yaml.lines() {
                    text.push_str(&format!("# {line}\n"));
                }
            } else {
                text.push_str(&who);
                text.push_str(&yaml);
            }
        }
        Ok(text)
    }
}

impl PersonReport {
    fn needs_decision(&self) -> bool {
        matches!(
            self.state,
            MatchState::Review | MatchState::Unmatched | MatchState::Conflict
        )
    }

    fn is_shown(&self, show: Show) -> bool {
        match show {
            Show::All => true,
            Show::Changes => self.needs_decision() || !self.changes.is_empty(),
            Show::Review => self.needs_decision(),
        }
    }
}

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
    for person in people {
        let colour = match person.state {
            MatchState::Review | MatchState::Unmatched => Color::Yellow,
            MatchState::Conflict => Color::Red,
            MatchState::Proposed | MatchState::Matched => Color::Green,
            _ => Color::Reset,
        };
        let proposed = !person.proposal.employee_ids.is_empty();
        let best = person.candidates.first().filter(|_| proposed);
        let changes: Vec<String> = person.changes.iter().map(change_line).collect();
        let reasons = person.proposal.reasons.join("; ");
        let reason = match &person.blocker {
            // The proposal does not explain other blockers, such as a team, an email or another claim.
            Some(blocker) if blocker.reason != "NeedsDecision" => blocker.message.clone(),
            _ => reasons,
        };
        table.add_row([
            Cell::new(written(person.name.as_deref().unwrap_or(&person.okta_user_id))),
            Cell::new(written(person.email.as_deref().unwrap_or_default())),
            Cell::new(format!("{:?}", person.state)).fg(colour),
            Cell::new(
                best.map(|best| format!("{}\n{}", written(&best.name), best.employee_id))
                    .unwrap_or_default(),
            ),
            Cell::new(
                best.map(|best| format!("{:.0}%", (best.confidence * 100.0).floor()))
                    .unwrap_or_default(),
            ),
            Cell::new(changes.join("\n")),
            Cell::new(written(&reason)),
        ]);
    }
    table
}

fn change_line(change: &FieldChange) -> String {
    let value = |value: &Option<String>| written(value.as_deref().unwrap_or("(none)"));
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
            people: Vec::new(),
            summary: PlanSummary {
                hash: "sha256:9f2c".to_owned(),
                ..PlanSummary::default()
            },
        };
        assert_eq!(report.summary(), "No changes.\nPlan sha256:9f2c");
        report.summary.total = 1;
        report.summary.create_employees = 1;
        report.summary.invitations = 1;
        assert_eq!(
            report.summary(),
            "1 change: 1 person to invite (1 without a decision).\nPlan sha256:9f2c"
        );
        report.summary.total = 3;
        report.summary.updates = 2;
        report.summary.team_moves = 1;
        report.summary.name_changes = 2;
        assert_eq!(
            report.summary(),
            "3 changes: 1 person to invite (1 without a decision), 2 employees to update (1 team move, 2 name changes).\nPlan sha256:9f2c"
        );
    }
}
