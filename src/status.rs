//! What do we say? From an assessment and what was done to the two statuses.
//!
//! A status says from the plan what would be done, and from the outcome what was.

mod size;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::{
    api::{
        Applying, CandidateStatus, EmployeeMatchStatus, EmployeeSummary, HistoryEntry, MatchState,
        OktaIntegrationSpec, OktaIntegrationStatus, Pending, PeopleCounts, PersonSummary, Phase,
        ProposalKind, ProposalStatus, SuspendedPolicy, TakenBack, TeamState, TeamStatus, Webhook,
        conditions::{self, Fact},
    },
    applied,
    assessment::Assessment,
    decisions::{Record, Records, Settled, Standing},
    guard::Breach,
    matching::Proposal,
    plan::Plan,
    schedule,
    snapshot::{Employee, PersonId, Snapshot},
    teams::TeamChoice,
    trouble::Trouble,
};

pub use size::fit;

/// The most cycles that `history` keeps.
const MOST_HISTORY: usize = 10;

/// Why a person's write did not take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteFailure {
    /// The stable reason for the condition.
    pub reason: String,
    /// What Insightful said, and what to do.
    pub message: String,
}

/// Failed writes by person.
pub type WriteFailures = BTreeMap<PersonId, WriteFailure>;

/// The state of one person's match.
pub fn match_state(
    id: &PersonId,
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    record: &Record,
) -> MatchState {
    let Some(settled) = assessment.settled.get(id) else {
        return MatchState::OutOfScope;
    };
    match &settled.standing {
        Standing::OutOfScope(Trouble::NotInOktaAnswer) if record.state == Some(MatchState::Deactivated) => {
            MatchState::Deactivated
        }
        Standing::OutOfScope(_) => MatchState::OutOfScope,
        Standing::Ignored => MatchState::Ignored,
        Standing::Waits(Trouble::ClaimedTwice { .. }) => MatchState::Conflict,
        Standing::Waits(Trouble::NoEmployee) => MatchState::Unmatched,
        Standing::Waits(_) => MatchState::Review,
        Standing::Linked(_) | Standing::Create if assessment.trouble(id).is_some() => MatchState::Review,
        Standing::Create => MatchState::Proposed,
        Standing::Linked(employees) if record.employees_in_force() != *employees => MatchState::Proposed,
        Standing::Linked(employees) => {
            let suspended_left = spec.okta.suspended == SuspendedPolicy::Deactivate;
            let left = snapshot
                .people()
                .get(id)
                .and_then(|person| person.left(suspended_left))
                .is_some();
            let off = employees.iter().all(|id| {
                snapshot
                    .employees()
                    .get(id)
                    .is_some_and(|employee| employee.deactivated)
            });
            if left && off {
                MatchState::Deactivated
            } else {
                MatchState::Matched
            }
        }
    }
}

/// What the next status of a match takes from the one before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// Who the person was, for when Okta's answer no longer says it.
    pub person: Option<PersonSummary>,
    /// The match that was taken back last.
    pub taken_back: Option<TakenBack>,
    /// When each condition changed last.
    pub conditions: Vec<Condition>,
}

impl From<&EmployeeMatchStatus> for Earlier {
    fn from(status: &EmployeeMatchStatus) -> Self {
        Self {
            person: status.person.clone(),
            taken_back: status.taken_back.clone(),
            conditions: status.conditions.clone(),
        }
    }
}

/// The status of one person's match. `previous` is what stands there now.
#[expect(
    clippy::too_many_arguments,
    reason = "a status says everything there is to say of a person"
)]
pub fn match_status(
    id: &PersonId,
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    record: &Record,
    failure: Option<&WriteFailure>,
    previous: &Earlier,
    generation: Option<i64>,
    now: Timestamp,
) -> EmployeeMatchStatus {
    let settled = assessment.settled.get(id);
    let state = match_state(id, snapshot, spec, assessment, record);
    let changes = assessment.changes.get(id).cloned().unwrap_or_default();
    let person = match snapshot.people().get(id) {
        Some(person) => Some(PersonSummary {
            name: person.display_name(),
            email: person.email.clone(),
            title: person.title.clone(),
            status: person.status.to_string(),
            team: settled.and_then(|settled| team_name(settled, assessment)),
        }),
        // Who it was stays readable when Okta's answer no longer says it.
        None => previous.person.clone(),
    };
    let shown = match settled.map(|settled| &settled.standing) {
        Some(Standing::Linked(employees)) => employees.first().cloned(),
        Some(Standing::Create) => None,
        _ => record.employees_in_force().first().cloned().or_else(|| {
            let proposal = settled.and_then(|settled| settled.proposal.as_ref());
            proposal
                .and_then(|proposal| proposal.best())
                .map(|best| best.employee.clone())
        }),
    };
    let employee = shown
        .and_then(|id| snapshot.employees().get(&id))
        .map(|employee| employee_summary(employee, snapshot));
    let mut ready = ready(id, state, assessment, record, failure, changes.len());
    if assessment.plan.releases.contains_key(id) {
        let restores = assessment.plan.restores.iter();
        for restore in restores.filter(|restore| restore.person == *id) {
            ready.message = format!("{}; next: {}", ready.message, restore.announcement());
        }
    }
    EmployeeMatchStatus {
        observed_generation: generation,
        state: Some(state),
        person,
        employee,
        proposal: settled
            .and_then(|settled| settled.proposal.as_ref())
            .map(|proposal| proposal_status(proposal, spec.matching.automatic, snapshot)),
        change_count: i32::try_from(changes.len()).unwrap_or(i32::MAX),
        changes,
        taking_back: assessment
            .plan
            .releases
            .get(id)
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        applied: record
            .applied
            .clone()
            .map(|applied| applied::seen(applied, snapshot)),
        taken_back: previous.taken_back.clone(),
        pending: record.pending.clone(),
        conditions: conditions::merge(&previous.conditions, vec![ready], generation, now),
    }
}

fn ready(
    id: &PersonId,
    state: MatchState,
    assessment: &Assessment,
    record: &Record,
    failure: Option<&WriteFailure>,
    changes: usize,
) -> Fact {
    let fact = |status, reason: &str, message: String| Fact::new(conditions::READY, status, reason, message);
    if let Some(failure) = failure {
        return fact(false, &failure.reason, failure.message.clone());
    }
    if let Some(trouble) = assessment.trouble(id) {
        return fact(!trouble.needs_somebody(), trouble.reason(), trouble.message());
    }
    // Without trouble, whoever is to be created is in the plan.
    let standing = assessment.settled.get(id).map(|settled| &settled.standing);
    let creation = matches!(standing, Some(Standing::Create));
    match state {
        MatchState::Ignored => fact(true, "Ignored", "left alone by decision".into()),
        MatchState::Deactivated => fact(
            true,
            "Deactivated",
            "left, and the employee is switched off".into(),
        ),
        _ if record.pending.is_some() => fact(
            false,
            "CreationUnclear",
            "the answer to the invitation was lost: the next sync looks whether it took effect".into(),
        ),
        MatchState::Proposed if creation => {
            fact(true, "CreationPlanned", "is invited after the Finish".into())
        }
        MatchState::Proposed => fact(
            true,
            "Proposed",
            format!("{changes} changes are written after the Finish"),
        ),
        _ if changes > 0 => fact(
            true,
            "ChangesPlanned",
            format!("{changes} changes are written next"),
        ),
        _ => fact(true, "InStep", "the employee is in step with Okta".into()),
    }
}

fn team_name(settled: &Settled, assessment: &Assessment) -> Option<String> {
    match &settled.team {
        TeamChoice::Keep => None,
        TeamChoice::Of(group) => assessment.teams.get(group).map(|team| team.name.clone()),
        TeamChoice::Several(names) => Some(names.join(" or ")),
        TeamChoice::Conflict(names) | TeamChoice::NotCreated(names) => Some(names.join(", ")),
    }
}

fn employee_summary(employee: &Employee, snapshot: &Snapshot) -> EmployeeSummary {
    EmployeeSummary {
        id: employee.id.to_string(),
        name: employee.name.clone(),
        email: employee.email.clone(),
        team: snapshot.teams().get(&employee.team).map(|team| team.name.clone()),
        deactivated: employee.deactivated,
    }
}

fn proposal_status(proposal: &Proposal, automatic: bool, snapshot: &Snapshot) -> ProposalStatus {
    let best = proposal.best();
    let kind = match proposal.kind {
        ProposalKind::Auto if !automatic => ProposalKind::Review,
        kind => kind,
    };
    let named = |id| snapshot.employees().get(id);
    ProposalStatus {
        kind,
        employee_ids: best.iter().map(|best| best.employee.to_string()).collect(),
        confidence: best.map_or(0, |best| best.confidence.percent()),
        reasons: best
            .iter()
            .flat_map(|best| &best.reasons)
            .chain(&proposal.doubts)
            .cloned()
            .collect(),
        candidates: proposal
            .candidates
            .iter()
            .map(|candidate| CandidateStatus {
                employee_id: candidate.employee.to_string(),
                name: named(&candidate.employee)
                    .map(|employee| employee.name.clone())
                    .unwrap_or_default(),
                email: named(&candidate.employee)
                    .map(|employee| employee.email.clone())
                    .unwrap_or_default(),
                confidence: candidate.confidence.percent(),
                reasons: candidate.reasons.clone(),
            })
            .collect(),
    }
}

/// A service that could not be read, or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The condition: [`conditions::OKTA_CONNECTED`] or [`conditions::INSIGHTFUL_CONNECTED`].
    pub condition: &'static str,
    /// The stable reason.
    pub reason: String,
    /// What happened, and what to do.
    pub message: String,
    /// Whether only somebody's act can help.
    pub needs_somebody: bool,
}

/// What came of telling the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// It took the message about this plan.
    Told {
        /// Hash of the plan.
        plan: String,
    },
    /// It did not, and is tried again.
    Failed {
        /// Why, without the address.
        message: String,
    },
}

/// What an apply did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Hash of the plan.
    pub plan: String,
    /// Writes that took effect.
    pub writes: usize,
    /// Writes that Insightful refused, or whose outcome is not known.
    pub failed: usize,
    /// Whether every part of the plan was gone through.
    pub completed: bool,
}

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
        ..previous.clone()
    };
    let facts = match cycle {
        Cycle::Suspended => {
            status.next_sync_time = None;
            suspended(previous)
        }
        Cycle::Unusable { reason, message } => unusable(previous, reason, message),
        Cycle::Unread(broken) => unread(previous, broken),
        Cycle::Known(known) => {
            describe(&mut status, known, spec, now);
            known_facts(&status, known, spec, previous, about)
        }
    };
    let mut facts = facts;
    facts.extend(sync_late(&status, spec, cycle, now));
    status.phase = Some(phase(cycle, spec));
    status.conditions = conditions::merge(&previous.conditions, facts, generation, now);
    status
}

fn phase(cycle: &Cycle<'_>, spec: &OktaIntegrationSpec) -> Phase {
    match cycle {
        Cycle::Suspended => Phase::Suspended,
        Cycle::Unusable { .. } | Cycle::Unread(_) => Phase::Failed,
        Cycle::Known(known) if known.disconnected.is_some() => Phase::Failed,
        Cycle::Known(_) if !spec.finalized => Phase::Review,
        Cycle::Known(known) if known.held => Phase::Held,
        // They are tried again, but nobody is to believe that all is well until then.
        Cycle::Known(known) if !known.failures.is_empty() => Phase::Failed,
        Cycle::Known(known) if !known.assessment.plan.is_empty() => Phase::Applying,
        Cycle::Known(_) => Phase::InSync,
    }
}

/// What stands in `previous` about these types, said again.
fn kept(previous: &[Condition], types: &[&'static str]) -> Vec<Fact> {
    types
        .iter()
        .filter_map(|type_| {
            let condition = conditions::find(previous, type_)?;
            let status = match condition.status.as_str() {
                "True" => Some(true),
                "False" => Some(false),
                _ => None,
            };
            Some(Fact {
                type_,
                status,
                reason: condition.reason.clone(),
                message: condition.message.clone(),
            })
        })
        .collect()
}

const STANDING_FACTS: [&str; 4] = [
    conditions::REVIEW_REQUIRED,
    conditions::HELD,
    conditions::FINALIZED,
    conditions::NOTIFIED,
];

fn suspended(previous: &OktaIntegrationStatus) -> Vec<Fact> {
    let message = "spec.suspend is true: nothing is read or written; data already synced stays in Insightful";
    let mut facts = vec![
        Fact::new(conditions::READY, true, "Suspended", message),
        Fact::new(conditions::RECONCILING, false, "Suspended", ""),
        Fact::new(conditions::STALLED, false, "Suspended", ""),
    ];
    facts.extend(kept(
        &previous.conditions,
        &[conditions::OKTA_CONNECTED, conditions::INSIGHTFUL_CONNECTED],
    ));
    facts.extend(kept(&previous.conditions, &STANDING_FACTS));
    facts
}

fn unusable(previous: &OktaIntegrationStatus, reason: &str, message: &str) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new(conditions::READY, false, reason, message),
        Fact::new(conditions::RECONCILING, false, reason, ""),
        Fact::new(conditions::STALLED, true, reason, message),
    ];
    facts.extend(kept(
        &previous.conditions,
        &[conditions::OKTA_CONNECTED, conditions::INSIGHTFUL_CONNECTED],
    ));
    facts.extend(kept(&previous.conditions, &STANDING_FACTS));
    facts
}

fn unread(previous: &OktaIntegrationStatus, broken: &Disconnected) -> Vec<Fact> {
    let mut facts = broken_facts(broken);
    let other = if broken.condition == conditions::OKTA_CONNECTED {
        conditions::INSIGHTFUL_CONNECTED
    } else {
        conditions::OKTA_CONNECTED
    };
    facts.extend(kept(&previous.conditions, &[other]));
    facts.extend(kept(&previous.conditions, &STANDING_FACTS));
    facts
}

/// Whether an interval was missed; None while none was.
fn sync_late(
    status: &OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    cycle: &Cycle<'_>,
    now: Timestamp,
) -> Option<Fact> {
    let last = match cycle {
        Cycle::Suspended => return None,
        _ => status.last_sync_time.as_ref()?.0,
    };
    let age = Duration::try_from(now.duration_since(last)).ok()?;
    (age > schedule::late_after(&spec.sync)).then(|| {
        let message = format!(
            "both services were last read well at {last:.0}, which is more than two intervals ago: see OktaConnected and InsightfulConnected"
        );
        Fact::new(conditions::SYNC_LATE, true, "IntervalMissed", message)
    })
}

fn broken_facts(broken: &Disconnected) -> Vec<Fact> {
    let Disconnected {
        condition,
        reason,
        message,
        needs_somebody,
    } = broken;
    vec![
        Fact::new(conditions::READY, false, reason, message),
        Fact::new(
            conditions::RECONCILING,
            !needs_somebody,
            reason,
            if *needs_somebody { "" } else { "is tried again" },
        ),
        Fact::new(
            conditions::STALLED,
            *needs_somebody,
            reason,
            if *needs_somebody { message } else { "" },
        ),
        Fact::new(condition, false, reason, message),
    ]
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
    if let Some(last) = times.last_sync {
        status.last_sync_time = Some(Time(last));
    }
    if let Some(last) = times.last_full_sync {
        status.last_full_sync_time = Some(Time(last));
    }
    status.next_sync_time = times.next_sync.map(Time);
    if let Some(done) = done.filter(|done| done.completed) {
        status.last_applied_plan = Some(done.plan.clone());
        status.last_applied_time = Some(Time(now));
    }
    if let Some(entry) = history {
        status.history.insert(0, entry.clone());
        status.history.truncate(MOST_HISTORY);
    }
    if let Some(Notification::Told { plan }) = notification {
        status.last_notified_plan = Some(plan.clone());
    }
}

/// The teams, by name.
pub fn team_statuses(snapshot: &Snapshot, assessment: &Assessment) -> Vec<TeamStatus> {
    let mut members: BTreeMap<&crate::snapshot::GroupId, i32> = BTreeMap::new();
    for group in snapshot.groups().values() {
        let in_scope = group
            .members
            .iter()
            .filter(|member| snapshot.people().contains_key(*member))
            .count();
        members.insert(&group.id, i32::try_from(in_scope).unwrap_or(i32::MAX));
    }
    let mut teams: Vec<TeamStatus> = assessment
        .teams
        .values()
        .map(|team| TeamStatus {
            name: team.name.clone(),
            group_id: team.group.to_string(),
            team_id: team.team.as_ref().map(ToString::to_string),
            state: team.state,
            members: members.get(&team.group).copied().unwrap_or(0),
            message: team.note.clone(),
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
    for id in assessment.settled.keys() {
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
        let stuck = failures.contains_key(id) || assessment.trouble(id).is_some_and(Trouble::needs_somebody);
        counts.troubled += i32::from(stuck);
    }
    counts
}

fn known_facts(
    status: &OktaIntegrationStatus,
    known: &Known<'_>,
    spec: &OktaIntegrationSpec,
    previous: &OktaIntegrationStatus,
    about: About<'_>,
) -> Vec<Fact> {
    let plan = &known.assessment.plan;
    let counts = status.people.unwrap_or_default();
    let waiting = counts.review + counts.unmatched + counts.conflicts;
    let mut facts = match known.disconnected {
        Some(broken) => broken_facts(broken),
        None => healthy_facts(plan, known, spec),
    };
    for condition in [conditions::OKTA_CONNECTED, conditions::INSIGHTFUL_CONNECTED] {
        if known
            .disconnected
            .is_none_or(|broken| broken.condition != condition)
        {
            facts.push(Fact::new(condition, true, "Connected", ""));
        }
    }
    facts.push(if waiting > 0 {
        let message = format!(
            "{} wait for a decision, {} have no employee, {} claim one together: kubectl get em --field-selector status.state=Review (or Unmatched, Conflict)",
            counts.review, counts.unmatched, counts.conflicts
        );
        Fact::new(conditions::REVIEW_REQUIRED, true, "DecisionsWanted", message)
    } else {
        Fact::new(conditions::REVIEW_REQUIRED, false, "NothingToReview", "")
    });
    facts.push(held_fact(plan, known, spec, about));
    facts.push(finalized_fact(status, known, spec));
    if let Some(notify) = &spec.notify {
        let Webhook { url_secret_ref: _ } = &notify.webhook;
        facts.extend(match known.notification {
            Some(Notification::Told { plan }) => {
                vec![Fact::new(
                    conditions::NOTIFIED,
                    true,
                    "Told",
                    format!("the webhook was told of plan {plan}"),
                )]
            }
            Some(Notification::Failed { message }) => {
                vec![Fact::new(
                    conditions::NOTIFIED,
                    false,
                    "WebhookFailed",
                    message.clone(),
                )]
            }
            None => kept(&previous.conditions, &[conditions::NOTIFIED]),
        });
    }
    facts
}

fn healthy_facts(plan: &Plan, known: &Known<'_>, spec: &OktaIntegrationSpec) -> Vec<Fact> {
    let idle = |reason: &str| {
        [
            Fact::new(conditions::RECONCILING, false, reason, ""),
            Fact::new(conditions::STALLED, false, reason, ""),
        ]
    };
    let (ready, reason, message) = if !spec.finalized {
        (
            true,
            "AwaitingFinish",
            "nothing is written to Insightful before spec.finalized is true".to_owned(),
        )
    } else if known.held {
        (
            false,
            "Held",
            "the plan waits for spec.approvedPlan: see condition Held".to_owned(),
        )
    } else if !known.failures.is_empty() {
        let failed = known.failures.len();
        let message =
            format!("Insightful did not take the changes of {failed} people: see their Ready conditions");
        (false, "ChangesRefused", message)
    } else if !plan.is_empty() {
        (false, "Applying", "changes are being written".to_owned())
    } else {
        (true, "InSync", "Insightful is in step with Okta".to_owned())
    };
    let mut facts = vec![Fact::new(conditions::READY, ready, reason, message)];
    if reason == "Applying" {
        facts.push(Fact::new(
            conditions::RECONCILING,
            true,
            reason,
            "changes are being written",
        ));
        facts.push(Fact::new(conditions::STALLED, false, reason, ""));
    } else {
        facts.extend(idle(reason));
    }
    facts
}

/// How many of the people concerned a condition names.
const MOST_NAMES: usize = 3;

fn held_fact(plan: &Plan, known: &Known<'_>, spec: &OktaIntegrationSpec, about: About<'_>) -> Fact {
    let Some(first) = known.breaches.first() else {
        return Fact::new(conditions::HELD, false, "WithinGuard", "");
    };
    let why = known.breaches.iter().map(|breach| {
        let names = names(&breach.people(plan), known.snapshot);
        if names.is_empty() {
            breach.message()
        } else {
            format!("{} ({names})", breach.message())
        }
    });
    let why = why.collect::<Vec<_>>().join("; ");
    let hash = plan.hash();
    let About { namespace, name, .. } = about;
    let ways = format!(
        "To see all: kubectl get em -n {namespace} -o custom-columns=PERSON:.status.person.name,FIELDS:.status.changes[*].field,TO:.status.changes[*].to. To let exactly this plan through: kubectl patch oi {name} -n {namespace} --type=merge -p '{{\"spec\":{{\"approvedPlan\":\"{hash}\"}}}}'"
    );
    let message = if known.held {
        format!("nothing is written: {why}. {ways}")
    } else if spec.approved_plan.as_ref() == Some(&hash) {
        format!("approved: {why}")
    } else if let Some(Applying { plan, .. }) = known.applying {
        format!("approved, as what is left of plan {plan}: {why}")
    } else {
        format!("the Finish would be held: {why}. {ways}")
    };
    Fact::new(conditions::HELD, known.held, first.reason(), message)
}

/// The first few of these people, and how many there are beyond.
fn names(people: &[&PersonId], snapshot: &Snapshot) -> String {
    let named = people.iter().take(MOST_NAMES).map(|id| {
        snapshot
            .people()
            .get(*id)
            .map_or_else(|| id.to_string(), crate::snapshot::Person::display_name)
    });
    let named = named.collect::<Vec<_>>().join(", ");
    match people.len().saturating_sub(MOST_NAMES) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn finalized_fact(status: &OktaIntegrationStatus, known: &Known<'_>, spec: &OktaIntegrationSpec) -> Fact {
    let type_ = conditions::FINALIZED;
    if !spec.finalized {
        Fact::new(
            type_,
            false,
            "NotFinalized",
            "review the matches, then set spec.finalized to true",
        )
    } else if known.held {
        Fact::new(
            type_,
            false,
            "Held",
            "finished, and the plan waits for spec.approvedPlan",
        )
    } else if let Some(plan) = &status.last_applied_plan {
        Fact::new(type_, true, "PlanApplied", format!("plan {plan} is applied"))
    } else if known.assessment.plan.is_empty() {
        Fact::new(
            type_,
            true,
            "NothingToApply",
            "finished, and there was nothing to change",
        )
    } else {
        Fact::new(
            type_,
            false,
            "Applying",
            "finished, and changes are being written",
        )
    }
}

#[cfg(test)]
mod tests;
