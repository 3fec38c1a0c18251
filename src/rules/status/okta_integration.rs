//! What is said of a whole integration: counts, teams, plan and times. What
//! stands in its conditions is in `facts`.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Disconnected, Done, Notification, WriteFailures, facts, match_state, size};
use crate::{
    api::{
        Applying, CycleResult, HistoryEntry, MatchState, OktaIntegrationSpec, OktaIntegrationStatus, Pending,
        PeopleCounts, Phase, TeamState, TeamStatus, conditions,
    },
    model::{GroupId, PersonId, Snapshot},
    rules::{
        assessment::Assessment,
        blocker::Blocker,
        guard::Breach,
        resolve::{Record, Records},
        teams::DerivedTeam,
    },
};

/// The most cycles that `history` keeps.
const MOST_HISTORY: usize = 10;

/// How a cycle ended.
#[derive(Clone, Debug)]
pub enum Cycle<'a> {
    /// The integration is suspended.
    Suspended,
    /// The spec cannot be acted on.
    Unusable {
        /// The stable reason.
        reason: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A service could not be read: nothing is known anew.
    Unread(Disconnected),
    /// Both services are known.
    Known(Known<'a>),
    /// Both services were read, and nothing has changed since a cycle that said this.
    AsBefore(&'a OktaIntegrationStatus, Times),
}

/// What a cycle with a snapshot ended with.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// What both services say, after the apply where there was one.
    pub snapshot: &'a Snapshot,
    /// What follows from it.
    pub assessment: &'a Assessment,
    /// What the cluster remembers.
    pub records: &'a Records,
    /// Bounds that the plan goes beyond.
    pub breaches: &'a [Breach],
    /// What people whom Okta's answer lacks were called, of those whom a bound is about.
    pub former_names: BTreeMap<PersonId, String>,
    /// Whether the plan waits for `approvedPlan`.
    pub held: bool,
    /// The approved plan that this one is what is left of.
    pub applying: Option<&'a Applying>,
    /// What was written in this cycle.
    pub done: Option<&'a Done>,
    /// People whose write failed.
    pub failures: &'a WriteFailures,
    /// A service that broke down while it was written.
    pub disconnected: Option<&'a Disconnected>,
    /// Times of this cycle's reads.
    pub times: Times,
    /// How the cycle stands in the history, if it did something.
    pub history: Option<HistoryEntry>,
    /// What came of the notification.
    pub notification: Option<&'a Notification>,
}

/// The times in a status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// When both services were last read.
    pub last_sync: Option<Timestamp>,
    /// When Okta was last read whole.
    pub last_full_sync: Option<Timestamp>,
    /// When they are read next.
    pub next_sync: Option<Timestamp>,
}

/// The integration that a status is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// The sync that was asked for by annotation.
    pub sync_request: Option<&'a str>,
}

/// The status of the integration. `previous` is what stands there now.
pub fn integration_status(
    previous: &OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    about: About<'_>,
    cycle: &Cycle<'_>,
    now: Timestamp,
) -> OktaIntegrationStatus {
    let About {
        generation,
        sync_request,
        ..
    } = about;
    let mut status = OktaIntegrationStatus {
        observed_generation: generation,
        progress: None,
        last_handled_sync_request: match cycle {
            // An unread cycle has not answered the request yet.
            Cycle::Unread(_) => previous.last_handled_sync_request.clone(),
            _ => sync_request.map(str::to_owned),
        },
        ..match cycle {
            Cycle::AsBefore(said, _) => (*said).clone(),
            _ => previous.clone(),
        }
    };
    match cycle {
        Cycle::Suspended => status.next_sync_time = None,
        Cycle::Unusable { .. } | Cycle::Unread(_) => {}
        Cycle::Known(known) => describe(&mut status, known, spec, now),
        Cycle::AsBefore(_, times) => take_times(&mut status, times),
    }
    let facts = facts::of(cycle, &status, spec, previous, about, now);
    status.phase = phase(cycle, spec);
    status.conditions = conditions::merge(&previous.conditions, facts, generation, now);
    status
}

fn phase(cycle: &Cycle<'_>, spec: &OktaIntegrationSpec) -> Option<Phase> {
    Some(match cycle {
        Cycle::AsBefore(said, _) => return said.phase,
        Cycle::Suspended => Phase::Suspended,
        Cycle::Unusable { .. } | Cycle::Unread(_) => Phase::Failed,
        Cycle::Known(known) if known.disconnected.is_some() => Phase::Failed,
        Cycle::Known(_) if !spec.finalized => Phase::Review,
        Cycle::Known(known) if known.held => Phase::Held,
        // They are tried again, but nobody is to believe that all is well until then.
        Cycle::Known(known) if !known.failures.is_empty() => Phase::Failed,
        Cycle::Known(known) if !known.assessment.plan.is_empty() => Phase::Applying,
        Cycle::Known(_) => Phase::InSync,
    })
}

/// Fills in what is counted and listed.
fn describe(
    status: &mut OktaIntegrationStatus,
    known: &Known<'_>,
    spec: &OktaIntegrationSpec,
    now: Timestamp,
) {
    let Known {
        snapshot,
        assessment,
        records,
        done,
        failures,
        applying,
        times,
        history,
        notification,
        ..
    } = known;
    let pending = std::mem::take(&mut status.teams)
        .into_iter()
        .filter_map(|team| Some((team.group_id, team.pending?)));
    let mut pending: BTreeMap<String, Pending> = pending.collect();
    status.teams = team_statuses(snapshot, assessment);
    // A creation stays on record until a read shows the team.
    for team in status
        .teams
        .iter_mut()
        .filter(|team| team.state == TeamState::New)
    {
        team.pending = pending.remove(&team.group_id);
    }
    size::fit(status);
    status.people = Some(people_counts(snapshot, spec, assessment, records, failures));
    status.plan = Some(assessment.plan.summary());
    status.applying = applying.cloned();
    take_times(status, times);
    // What is told late, after what another replica did meanwhile, stands where it belongs.
    let place = history.as_ref().map_or(0, |entry| {
        let is_later = |told: &&HistoryEntry| told.start_time.0 > entry.start_time.0;
        status.history.iter().take_while(is_later).count()
    });
    if let Some(done) = done.filter(|done| done.completed && place == 0) {
        status.last_applied_plan = Some(done.plan.clone());
        status.last_applied_time = Some(Time(history.as_ref().and_then(end).unwrap_or(now)));
    }
    if let Some(entry) = history {
        status.history.insert(place, entry.clone());
        status.history.truncate(MOST_HISTORY);
    }
    if let Some(Notification::Told { plan }) = notification {
        status.last_notified_plan = Some(plan.clone());
    }
}

fn take_times(status: &mut OktaIntegrationStatus, times: &Times) {
    if let Some(last) = times.last_sync {
        status.last_sync_time = Some(Time(last));
    }
    if let Some(last) = times.last_full_sync {
        status.last_full_sync_time = Some(Time(last));
    }
    status.next_sync_time = times.next_sync.map(Time);
}

/// How many writes it took until the last applied plan was: those of the cycle
/// that wrote the last of it, and of the cycles right before that wrote a part.
pub fn last_writes(status: &OktaIntegrationStatus) -> i32 {
    let is_it = |entry: &&HistoryEntry| Some(&entry.plan) == status.last_applied_plan.as_ref();
    let mut entries = status.history.iter().skip_while(|entry| !is_it(entry));
    let last = entries.next().into_iter();
    let parts = entries.take_while(|entry| entry.result == CycleResult::PartlyApplied);
    last.chain(parts)
        .map(|entry| entry.writes)
        .fold(0, i32::saturating_add)
}

/// When a cycle ended.
fn end(entry: &HistoryEntry) -> Option<Timestamp> {
    entry
        .start_time
        .0
        .checked_add(Duration::from(entry.duration))
        .ok()
}

/// The teams, by name.
pub fn team_statuses(snapshot: &Snapshot, assessment: &Assessment) -> Vec<TeamStatus> {
    let mut members: BTreeMap<&GroupId, i32> = BTreeMap::new();
    for group in snapshot.groups().values() {
        let in_scope = group
            .members
            .iter()
            .filter(|member| snapshot.people().contains_key(*member))
            .count();
        members.insert(&group.id, i32::try_from(in_scope).unwrap_or(i32::MAX));
    }
    let mut staying: BTreeMap<&GroupId, usize> = BTreeMap::new();
    for team in assessment
        .resolved
        .values()
        .filter_map(|resolved| assessment.vanished_team(resolved))
    {
        *staying.entry(&team.group).or_default() += 1;
    }
    let message = |team: &DerivedTeam| match (staying.get(&team.group), &team.note) {
        (Some(staying), Some(note)) => Some(format!("{note}; {staying} synced people stay there")),
        (_, note) => note.clone(),
    };
    let mut teams: Vec<TeamStatus> = assessment
        .teams
        .values()
        .map(|team| TeamStatus {
            name: team.name.clone(),
            group_id: team.group.to_string(),
            // The id of a lost one stays on record, so that a list which lacks it does not unbind it.
            team_id: team.team.as_ref().or(team.lost.as_ref()).map(ToString::to_string),
            state: team.state,
            members: members.get(&team.group).copied().unwrap_or(0),
            group_missing: team.group_missing,
            message: message(team),
            pending: None,
        })
        .collect();
    teams.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.group_id.cmp(&b.group_id)));
    teams
}

/// How many people stand where.
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
        let stuck = failures.contains_key(id) || assessment.blocker(id).is_some_and(Blocker::needs_action);
        counts.blocked += i32::from(stuck);
    }
    counts
}

#[cfg(test)]
mod tests;
