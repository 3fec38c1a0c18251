//! One log line for each request that writes to Insightful. docs/audit.md describes its fields.

use kube::ResourceExt;

use super::run::Run;
use crate::{
    api::OktaIntegration,
    insightful::WriteError,
    model::{EmployeeId, GroupId, PersonId, TeamId},
    rules::{
        audit::{self, SetBy, TARGET, Write, as_json},
        guard::Clearance,
    },
};

/// What the lines of one apply have in common.
pub struct Audit {
    /// Namespace and name.
    integration: String,
    clearance: &'static str,
    cleared_by: Option<SetBy>,
    with_values: bool,
}

impl Audit {
    pub fn of(integration: &OktaIntegration, clearance: &Clearance, with_values: bool) -> Self {
        Self {
            integration: format!(
                "{}/{}",
                integration.namespace().unwrap_or_default(),
                integration.name_any()
            ),
            clearance: match clearance {
                Clearance::WithinGuard => "WithinGuard",
                Clearance::Approved(_) => "Approved",
                Clearance::Resumed(_) => "Resumed",
            },
            cleared_by: audit::cleared_by(integration, clearance),
            with_values,
        }
    }
}

/// What came of a request.
pub(super) enum WriteOutcome<'a> {
    Done,
    /// It created this employee.
    Invited(&'a EmployeeId),
    /// It created this team.
    NewTeam(&'a TeamId),
    AlreadyDeactivated,
    Error(&'a WriteError),
}

impl WriteOutcome<'_> {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Done | Self::Invited(_) | Self::NewTeam(_) => "succeeded",
            Self::AlreadyDeactivated | Self::Error(WriteError::Refused(_)) => "failed",
            Self::Error(WriteError::OutcomeUnknown(_)) => "unknown",
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Done | Self::Invited(_) | Self::NewTeam(_) => None,
            Self::AlreadyDeactivated => Some("AlreadyDeactivated"),
            Self::Error(error) => Some(error.error().reason()),
        }
    }
}

impl Run<'_> {
    /// Logs a request. Values, and errors that can repeat them, only if that is asked for.
    pub(super) fn audit(&self, write: &Write, outcome: &WriteOutcome<'_>) {
        let Audit {
            integration,
            clearance,
            cleared_by,
            with_values,
        } = &self.apply.audit;
        let matches = &self.apply.matches;
        let person = write.person.as_ref();
        let record = person.and_then(|person| matches.records().get(person));
        let decision = person.map(|_| record.map(|record| record.decision).unwrap_or_default());
        let decided_by = person.and_then(|person| matches.get(person)?.decided_by.as_deref());
        let employee = match outcome {
            WriteOutcome::Invited(employee) => Some(*employee),
            _ => write.employee.as_ref(),
        };
        let team = match outcome {
            WriteOutcome::NewTeam(team) => Some(*team),
            _ => None,
        };
        let error = match outcome {
            WriteOutcome::Error(error) if *with_values => Some(error.to_string()),
            _ => None,
        };
        tracing::info!(
            target: TARGET,
            integration,
            operation = ?write.operation,
            person = person.map(PersonId::as_str),
            group = write.group.as_ref().map(GroupId::as_str),
            employee = employee.map(EmployeeId::as_str),
            team = team.map(TeamId::as_str),
            written = write.field_names(),
            outcome = outcome.as_str(),
            reason = outcome.reason(),
            plan = self.outcome.done.plan,
            clearance,
            cleared_by = user(cleared_by.as_ref()),
            cleared_with = manager(cleared_by.as_ref()),
            cleared_at = at(cleared_by.as_ref()),
            decision = decision.map(tracing::field::debug),
            decided_by = user(decided_by),
            decided_with = manager(decided_by),
            decided_at = at(decided_by),
            before = with_values.then(|| as_json(&write.before)),
            after = with_values.then(|| as_json(&write.after)),
            error,
            "write to Insightful"
        );
    }
}

fn user(set_by: Option<&SetBy>) -> Option<&str> {
    set_by?.user.as_deref()
}

fn manager(set_by: Option<&SetBy>) -> Option<&str> {
    set_by?.manager.as_deref()
}

fn at(set_by: Option<&SetBy>) -> Option<String> {
    Some(set_by?.at?.to_string())
}
