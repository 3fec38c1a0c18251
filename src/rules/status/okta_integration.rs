//! The status of an `OktaIntegration`: counts, teams, plan and times.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{ApplySummary, Disconnected, WriteFailures, match_state, size};
use crate::{
    api::{
        Applying, CycleResult, EmployeeCounts, GuardStatus, HistoryEntry, InsightfulStatus, MatchState,
        OktaIntegrationSpec, OktaIntegrationStatus, PeopleCounts, Phase, TeamStatus, conditions,
    },
    model::{GroupId, PersonId, RecordKind, Snapshot, text::shown},
    rules::{
        assessment::Assessment,
        blocker::Blocker,
        guard::Verdict,
        notify,
        records::Unusable,
        resolve::{Record, Records},
        teams::{self, DerivedTeam},
    },
};

/// The most unknown members that a team's message names.
const MAX_UNKNOWN: usize = 3;

/// The length of `ignoredGroups`.
const MAX_IGNORED_GROUPS: usize = 20;

/// The length of `history`.
const MAX_HISTORY: usize = 10;

/// How a cycle ended.
#[derive(Clone, Debug)]
pub enum Cycle<'a> {
    Suspended,
    /// The spec, or a Secret that it names, cannot be used.
    Unusable {
        reason: String,
        message: String,
    },
    ReadFailed(Disconnected),
    Synced(SyncedCycle<'a>),
    /// Both services were read, and nothing has changed since the cycle that wrote this status.
    Unchanged(&'a OktaIntegrationStatus, SyncTimes),
}

/// The result of a cycle that read both services.
#[derive(Clone, Debug)]
pub struct SyncedCycle<'a> {
    /// Taken after the apply where there was one, as is `assessment`.
    pub snapshot: &'a Snapshot,
    pub assessment: &'a Assessment,
    pub records: &'a Records,
    /// The EmployeeMatches that are not used.
    pub unusable: &'a [Unusable],
    pub employees: EmployeeCounts,
    pub verdict: &'a Verdict,
    /// What the guard remembers at the end of the cycle.
    pub guard: &'a GuardStatus,
    /// The approved plan of which this plan is the rest.
    pub applying: Option<&'a Applying>,
    /// What this cycle wrote.
    pub applied: Option<&'a ApplySummary>,
    pub failures: &'a WriteFailures,
    /// The service that failed during the apply.
    pub disconnected: Option<&'a Disconnected>,
    pub times: SyncTimes,
    /// The cycle's history entry; None if it wrote nothing.
    pub history: Option<HistoryEntry>,
}

/// The times in a status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncTimes {
    pub last_sync: Option<Timestamp>,
    pub last_full_sync: Option<Timestamp>,
    pub next_sync: Option<Timestamp>,
}

/// Metadata of the integration that a status belongs to.
#[derive(Clone, Copy, Debug)]
pub struct IntegrationMeta<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub generation: Option<i64>,
    /// The value of the annotation `sync-requested-at`.
    pub sync_request: Option<&'a str>,
}

/// Returns the status after a cycle. `previous` is the present status.
pub fn integration_status(
    previous: &OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    meta: IntegrationMeta<'_>,
    cycle: &Cycle<'_>,
    now: Timestamp,
) -> OktaIntegrationStatus {
    let IntegrationMeta {
        generation,
        sync_request,
        ..
    } = meta;
    let mut status = OktaIntegrationStatus {
        observed_generation: generation,
        progress: None,
        last_handled_sync_request: match cycle {
            // A failed read leaves the request open.
            Cycle::ReadFailed(_) => previous.last_handled_sync_request.clone(),
            _ => sync_request.map(str::to_owned),
        },
        ..match cycle {
            Cycle::Unchanged(published, _) => (*published).clone(),
            _ => previous.clone(),
        }
    };
    match cycle {
        Cycle::Suspended => status.next_sync_time = None,
        Cycle::Unusable { .. } | Cycle::ReadFailed(_) => {}
        Cycle::Synced(synced) => set_results(&mut status, synced, spec, now),
        Cycle::Unchanged(_, times) => set_times(&mut status, times),
    }
    let facts = super::conditions::of(cycle, &status, spec, previous, meta, now);
    status.phase = phase(cycle, spec);
    status.notifications = notify::remembered(spec, previous, &status);
    status.conditions = conditions::merge(&previous.conditions, facts, generation, now);
    status
}

fn phase(cycle: &Cycle<'_>, spec: &OktaIntegrationSpec) -> Option<Phase> {
    Some(match cycle {
        Cycle::Unchanged(published, _) => return published.phase,
        Cycle::Suspended => Phase::Suspended,
        Cycle::Unusable { .. } | Cycle::ReadFailed(_) => Phase::Failed,
        Cycle::Synced(synced) if synced.disconnected.is_some() => Phase::Failed,
        Cycle::Synced(_) if !spec.finalized => Phase::Review,
        Cycle::Synced(synced) if synced.verdict.is_held() => Phase::Held,
        // The writes are retried, but until they succeed the integration is not in sync.
        Cycle::Synced(synced) if !synced.failures.is_empty() => Phase::Failed,
        Cycle::Synced(synced) if !synced.assessment.plan.is_empty() => Phase::Applying,
        Cycle::Synced(_) => Phase::InSync,
    })
}

fn set_results(
    status: &mut OktaIntegrationStatus,
    synced: &SyncedCycle<'_>,
    spec: &OktaIntegrationSpec,
    now: Timestamp,
) {
    let SyncedCycle {
        snapshot,
        assessment,
        records,
        applied,
        failures,
        applying,
        guard,
        times,
        history,
        employees,
        ..
    } = synced;
    status.teams = team_statuses(snapshot, assessment);
    size::fit(status);
    let mut ignored = teams::ignored(snapshot, &spec.okta.group_prefix);
    let omitted = ignored.len().saturating_sub(MAX_IGNORED_GROUPS);
    ignored.truncate(MAX_IGNORED_GROUPS);
    status.ignored_groups = ignored;
    status.ignored_groups_omitted = i32::try_from(omitted).unwrap_or(i32::MAX);
    status.insightful = insightful_status(snapshot);
    status.people = Some(people_counts(snapshot, spec, assessment, records, failures));
    status.employees = Some(*employees);
    status.plan = Some(assessment.plan.summary());
    status.applying = applying.cloned();
    status.guard = Some((*guard).clone());
    set_times(status, times);
    // An apply that is reported late, after another replica's, goes to its place by time.
    let place = history.as_ref().map_or(0, |entry| {
        let is_later = |other: &&HistoryEntry| other.start_time.0 > entry.start_time.0;
        status.history.iter().take_while(is_later).count()
    });
    if let Some(applied) = applied.filter(|applied| applied.completed && place == 0) {
        status.last_applied_plan = Some(applied.plan.clone());
        status.last_applied_time = Some(Time(history.as_ref().and_then(end).unwrap_or(now)));
    }
    if let Some(entry) = history {
        status.history.insert(place, entry.clone());
        status.history.truncate(MAX_HISTORY);
    }
}

/// The organisation that was read.
pub fn insightful_status(snapshot: &Snapshot) -> Option<InsightfulStatus> {
    let organization_id = snapshot.organization()?.to_owned();
    Some(InsightfulStatus { organization_id })
}

fn set_times(status: &mut OktaIntegrationStatus, times: &SyncTimes) {
    if let Some(last) = times.last_sync {
        status.last_sync_time = Some(Time(last));
    }
    if let Some(last) = times.last_full_sync {
        status.last_full_sync_time = Some(Time(last));
    }
    status.next_sync_time = times.next_sync.map(Time);
}

/// Returns the writes that the last applied plan took: those of the cycle that
/// completed it, and of the cycles right before that wrote a part.
pub fn last_writes(status: &OktaIntegrationStatus) -> i32 {
    let is_it = |entry: &&HistoryEntry| Some(&entry.plan) == status.last_applied_plan.as_ref();
    let mut entries = status.history.iter().skip_while(|entry| !is_it(entry));
    let last = entries.next().into_iter();
    let parts = entries.take_while(|entry| entry.result == CycleResult::PartlyApplied);
    last.chain(parts)
        .map(|entry| entry.writes)
        .fold(0, i32::saturating_add)
}

fn end(entry: &HistoryEntry) -> Option<Timestamp> {
    entry
        .start_time
        .0
        .checked_add(Duration::from(entry.duration))
        .ok()
}

/// Returns the teams sorted by name.
pub fn team_statuses(snapshot: &Snapshot, assessment: &Assessment) -> Vec<TeamStatus> {
    let members = |team: &DerivedTeam| {
        let group = snapshot.groups().get(&team.group);
        group.map_or(0, |group| i32::try_from(group.members.len()).unwrap_or(i32::MAX))
    };
    let unknown = |team: &DerivedTeam| {
        let group = snapshot.groups().get(&team.group)?;
        let members = group.members.iter();
        let unknown = members.filter(|id| !snapshot.people().contains_key(*id));
        let (unreadable, unknown): (Vec<_>, Vec<_>) =
            unknown.partition(|id| snapshot.unreadable_person(id).is_some());
        let without_id = snapshot.unreadable_of(RecordKind::Member);
        let without_id = without_id.filter(|record| record.group.as_ref() == Some(&team.group));
        let parts = [
            not_synced(
                &unknown,
                "Okta does not show the record",
                "Okta does not show their records",
                snapshot,
            ),
            not_synced(
                &unreadable,
                "the record cannot be read",
                "their records cannot be read",
                snapshot,
            ),
            match without_id.count() {
                0 => None,
                1 => Some("1 member is not synced, since the id cannot be read".to_owned()),
                count => Some(format!(
                    "{count} members are not synced, since their ids cannot be read"
                )),
            },
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    };
    // People who stay in the team of a missing group.
    let mut staying: BTreeMap<&GroupId, usize> = BTreeMap::new();
    for team in assessment
        .resolved
        .values()
        .filter_map(|resolved| assessment.team_of_missing_group(resolved))
    {
        *staying.entry(&team.group).or_default() += 1;
    }
    let message = |team: &DerivedTeam| match (staying.get(&team.group), &team.note) {
        (Some(1), Some(note)) => Some(format!("{note}; 1 synced person stays there")),
        (Some(staying), Some(note)) => Some(format!("{note}; {staying} synced people stay there")),
        (_, note) => note.clone(),
    };
    let mut teams: Vec<TeamStatus> = assessment
        .teams
        .values()
        .map(|team| TeamStatus {
            name: team.name.clone(),
            group_id: team.group.to_string(),
            // A group stays bound to a team that Insightful's list lacks, and during a conflict.
            team_id: team.team.as_ref().or(team.lost.as_ref()).map(ToString::to_string),
            state: team.state,
            members: members(team),
            group_missing: team.group_missing,
            message: match (message(team), unknown(team)) {
                (Some(message), Some(unknown)) => Some(format!("{message}; {unknown}")),
                (message, unknown) => message.or(unknown),
            }
            .map(|message| shown(&message).into_owned()),
            pending: team.pending.clone(),
        })
        .collect();
    teams.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.group_id.cmp(&b.group_id)));
    teams
}

/// Members of a group who are not synced, for people.
fn not_synced(members: &[&PersonId], one: &str, many: &str, snapshot: &Snapshot) -> Option<String> {
    let named: Vec<_> = members
        .iter()
        .take(MAX_UNKNOWN)
        .map(|id| snapshot.named_person(id))
        .collect();
    let (named, more) = (named.join(", "), members.len().saturating_sub(MAX_UNKNOWN));
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    match members.len() {
        0 => None,
        1 => Some(format!("1 member is not synced, since {one}: {named}")),
        count => Some(format!(
            "{count} members are not synced, since {many}: {named}{more}"
        )),
    }
}

/// Counts the people by the state of their match.
pub fn people_counts(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    records: &Records,
    failures: &WriteFailures,
) -> PeopleCounts {
    let nothing = Record::default();
    let mut counts = PeopleCounts::default();
    for id in assessment.resolved.keys() {
        let record = records.get(id).unwrap_or(&nothing);
        counts.total += 1;
        *match match_state(id, snapshot, spec, assessment, record) {
            MatchState::Proposed | MatchState::Matched | MatchState::Deactivated => &mut counts.matched,
            MatchState::Review => &mut counts.review,
            MatchState::Unmatched => &mut counts.unmatched,
            MatchState::Ignored => &mut counts.ignored,
            MatchState::Conflict => &mut counts.conflicts,
            MatchState::OutOfScope => &mut counts.out_of_scope,
        } += 1;
        let is_blocked =
            failures.contains_key(id) || assessment.blocker(id).is_some_and(Blocker::needs_action);
        counts.blocked += i32::from(is_blocked);
    }
    counts.waiting = counts.review + counts.unmatched + counts.conflicts;
    counts
}

#[cfg(test)]
mod tests;
