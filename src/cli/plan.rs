//! `plan`: what would happen, as a table for people or JSON for programs.

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

use super::{ProgramError, Source};
use crate::{
    api::{
        Decision, FieldChange, MatchState, OktaIntegration, OktaIntegrationSpec, PlanSummary, ProposalKind,
        TeamStatus, match_name,
    },
    cli::recording::Recording,
    matching::{Candidate, Confidence},
    model::{PersonId, Snapshot},
    rules::{
        assessment::{Assessment, bindings},
        resolve::{Record, Records},
        status::{match_state, team_statuses},
    },
    services::{AllowedAddresses, gather},
};

/// What a plan is made from.
pub enum From<'a> {
    /// A recording.
    Recording(&'a Path),
    /// The services themselves.
    Live(&'a Source, &'a AllowedAddresses),
}

/// A plan in full: what `-o json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanReport {
    /// Over every write.
    pub hash: String,
    /// As in the integration's status.
    pub teams: Vec<TeamStatus>,
    /// Everybody in scope or on record, by Okta id.
    pub people: Vec<PersonReport>,
    /// As in the integration's status.
    pub summary: PlanSummary,
}

/// One person in a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonReport {
    /// Okta's id.
    pub okta_user_id: String,
    /// First and last name; None if Okta's answer does not hold the person.
    pub name: Option<String>,
    /// Work email.
    pub email: Option<String>,
    /// Where the person stands.
    pub state: MatchState,
    /// Who the person is believed to be.
    pub proposal: ProposalReport,
    /// At most five, best first.
    pub candidates: Vec<CandidateReport>,
    /// What would be written.
    pub changes: Vec<FieldChange>,
    /// Why the person cannot be synced, and what to do, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker: Option<BlockerReport>,
}

/// Why a person cannot be synced.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockerReport {
    /// The stable reason.
    pub reason: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Who a person is believed to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalReport {
    /// How it would be acted on.
    pub kind: ProposalKind,
    /// The employee that is proposed.
    pub employee_ids: Vec<String>,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// Why, and why not surer.
    pub reasons: Vec<String>,
}

/// An employee who may be the person.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateReport {
    /// Insightful's id.
    pub employee_id: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// Why.
    pub reasons: Vec<String>,
}

/// Which people a table shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Show {
    /// Those who wait for a decision.
    Review,
    /// Those who wait for a decision or whose employee would change.
    #[default]
    Changes,
    /// Everybody.
    All,
}

/// A plan, and whom it is for.
pub struct Planned {
    /// The report.
    pub report: PlanReport,
    /// The name of the integration, if it is known.
    pub integration: Option<String>,
    /// Whether anything would change at all.
    pub changes: bool,
}

/// Makes the plan.
///
/// # Errors
/// What could not be read.
pub async fn plan(from: From<'_>) -> Result<Planned, ProgramError> {
    let (snapshot, integration, records) = match from {
        From::Recording(dir) => {
            let recording = Recording::load(dir)?;
            let integration = recording
                .integration
                .clone()
                .unwrap_or_else(|| unnamed(default_spec()));
            let snapshot = recording.snapshot(dir, &integration.spec.okta.group_prefix)?;
            let records = recording
                .decisions()
                .into_iter()
                .map(|(id, object)| (id, Record::from(object)));
            (snapshot, integration, records.collect())
        }
        From::Live(source, allowed) => {
            let opened = source.open(allowed).await?;
            let prefix = &opened.integration.spec.okta.group_prefix;
            let services = &opened.services;
            let gathered =
                gather::gather(&services.okta, &services.insightful, prefix, false, &|_| {}).await?;
            let records: Records = opened
                .matches
                .iter()
                .map(|object| (object.spec.okta_user_id.as_str().into(), Record::from(object)))
                .collect();
            (gathered.snapshot, opened.integration, records)
        }
    };
    let bindings = bindings(integration.status.as_ref().unwrap_or(&Default::default()));
    let assessment = Assessment::of(&snapshot, &integration.spec, &records, &bindings);
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

/// The policy of a recording that says none: every default. The addresses are
/// not used where nothing is read.
fn default_spec() -> OktaIntegrationSpec {
    let secret = json!({ "secretRef": { "name": "-", "key": "-" } });
    let spec = json!({
        "okta": { "orgUrl": "https://recorded.okta.com", "auth": { "apiToken": secret } },
        "insightful": { "apiToken": secret },
    });
    #[expect(
        clippy::expect_used,
        reason = "the same fields are required by the type, and a test reads them"
    )]
    serde_json::from_value(spec).expect("every other field has a default")
}

fn report(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    records: &Records,
    assessment: &Assessment,
) -> PlanReport {
    let nothing = Record::default();
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
                    records.get(id).unwrap_or(&nothing),
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
    let proposal = assessment
        .resolved
        .get(id)
        .and_then(|resolved| resolved.proposal.as_ref());
    let best = proposal.and_then(|proposal| proposal.best());
    let doubts = proposal.iter().flat_map(|proposal| &proposal.doubts);
    PersonReport {
        okta_user_id: id.to_string(),
        name: person.map(|person| person.display_name()),
        email: person.and_then(|person| person.email.clone()),
        state: match_state(id, snapshot, spec, assessment, record),
        proposal: ProposalReport {
            kind: match proposal.map(|proposal| proposal.kind) {
                Some(ProposalKind::Auto) if !spec.matching.automatic => ProposalKind::Review,
                kind => kind.unwrap_or(ProposalKind::None),
            },
            employee_ids: best.iter().map(|best| best.employee.to_string()).collect(),
            confidence: best.map_or(Confidence::NONE, |best| best.confidence).fraction(),
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
            message: blocker.message(),
        }),
    }
}

fn candidate_report(candidate: &Candidate, snapshot: &Snapshot) -> CandidateReport {
    let employee = snapshot.employees().get(&candidate.employee);
    CandidateReport {
        employee_id: candidate.employee.to_string(),
        name: employee.map(|employee| employee.name.clone()).unwrap_or_default(),
        email: employee
            .map(|employee| employee.email.clone())
            .unwrap_or_default(),
        confidence: candidate.confidence.fraction(),
        reasons: candidate.reasons.iter().map(ToString::to_string).collect(),
    }
}

impl PlanReport {
    /// Only the people whose name, email or Okta id holds `text`, whatever its case.
    pub fn only(&mut self, text: &str) {
        let text = text.to_lowercase();
        let holds = |value: &str| value.to_lowercase().contains(&text);
        self.people.retain(|person| {
            holds(&person.okta_user_id)
                || person.name.as_deref().is_some_and(holds)
                || person.email.as_deref().is_some_and(holds)
        });
    }

    /// Prints tables for people; colours only on a terminal, and not where NO_COLOR is set.
    ///
    /// # Errors
    /// What standard output answers.
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
        if shown.is_empty() {
            writeln!(
                out,
                "No people to show; --show all shows all {}.",
                self.people.len()
            )?;
        } else {
            writeln!(out, "{}", people_table(&shown, colours))?;
            writeln!(out, "{} of {} people shown.", shown.len(), self.people.len())?;
        }
        writeln!(out, "\n{}", self.summary_line())
    }

    fn teams_table(&self, colours: bool) -> Table {
        let mut table = new_table(["TEAM", "STATE", "MEMBERS", "NOTE"], colours);
        for team in &self.teams {
            table.add_row([
                Cell::new(&team.name),
                Cell::new(format!("{:?}", team.state)),
                Cell::new(team.members),
                Cell::new(team.message.as_deref().unwrap_or_default()),
            ]);
        }
        table
    }

    /// The counts and the hash in a line.
    pub fn summary_line(&self) -> String {
        let s = &self.summary;
        format!(
            "{} writes: {} teams created, {} people invited, {} employees updated ({} moved to another team, {} emails changed), {} restored, {} deactivated. {} matches taken back.\nplan {}",
            s.total,
            s.create_teams,
            s.create_employees,
            s.updates,
            s.team_moves,
            s.email_changes,
            s.restores,
            s.deactivations,
            s.relinks,
            s.hash
        )
    }

    /// EmployeeMatch manifests with what is proposed as decisions, for a pull
    /// request: who is sure enough or to be invited, and, as comments, who waits.
    ///
    /// # Errors
    /// Only if a manifest cannot be written as YAML.
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
            let waits = person.state == MatchState::Review;
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
                "# {} <{}> is {}: {}\n",
                person.name.as_deref().unwrap_or("?"),
                person.email.as_deref().unwrap_or("no email"),
                person
                    .candidates
                    .first()
                    .map_or("nobody yet".to_owned(), |best| format!(
                        "{} <{}>, {:.0} %",
                        best.name,
                        best.email,
                        (best.confidence * 100.0).floor()
                    )),
                person.proposal.reasons.join("; ")
            );
            let yaml = serde_yaml::to_string(&manifest)?;
            text.push_str("---\n");
            if waits {
                text.push_str("# NOT DECIDED: take the marks away if it is right, or correct it.\n");
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
    fn waits(&self) -> bool {
        matches!(
            self.state,
            MatchState::Review | MatchState::Unmatched | MatchState::Conflict
        )
    }

    fn is_shown(&self, show: Show) -> bool {
        match show {
            Show::All => true,
            Show::Changes => self.waits() || !self.changes.is_empty(),
            Show::Review => self.waits(),
        }
    }
}

fn people_table(people: &[&PersonReport], colours: bool) -> Table {
    let mut table = new_table(
        ["PERSON", "EMAIL", "STATE", "EMPLOYEE", "SURE", "CHANGES", "WHY"],
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
        let why = match &person.blocker {
            // What stands in the way is not in the proposal: a team, an email, another claim.
            Some(blocker) if blocker.reason != "NeedsDecision" => blocker.message.clone(),
            _ => reasons,
        };
        table.add_row([
            Cell::new(person.name.as_deref().unwrap_or(&person.okta_user_id)),
            Cell::new(person.email.as_deref().unwrap_or_default()),
            Cell::new(format!("{:?}", person.state)).fg(colour),
            Cell::new(
                best.map(|best| format!("{}\n{}", best.name, best.employee_id))
                    .unwrap_or_default(),
            ),
            Cell::new(
                best.map(|best| format!("{:.0}%", (best.confidence * 100.0).floor()))
                    .unwrap_or_default(),
            ),
            Cell::new(changes.join("\n")),
            Cell::new(why),
        ]);
    }
    table
}

fn change_line(change: &FieldChange) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
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
    fn a_recording_without_an_integration_has_every_default() {
        let spec = default_spec();
        assert_eq!(spec.okta.group_prefix, "OKTA_INSGRP_");
        assert!(spec.matching.automatic && spec.teams.create_missing && !spec.finalized);
    }
}
