//! The conditions of an `OktaIntegration`.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{Cycle, Disconnected, IntegrationMeta, SyncedCycle};
use crate::{
    api::{
        Applying, MatchState, OktaIntegrationSpec, OktaIntegrationStatus, PeopleCounts,
        conditions::{
            self, FINALIZED, Fact, HELD, INSIGHTFUL_CONNECTED, MATCHES_UNUSABLE, NOTIFIED, OKTA_CONNECTED,
            READY, RECONCILING, RECORDS_UNREADABLE, RESOLVED_REFS, REVIEW_REQUIRED, STALLED, SYNC_LATE,
        },
    },
    model::{PersonId, RecordKind, Snapshot},
    rules::{
        guard::Breach,
        records::{Unusable, WhyUnusable},
        schedule,
    },
};

/// The conditions that hold until the next cycle that reads both services.
const LASTING: [&str; 6] = [
    REVIEW_REQUIRED,
    HELD,
    FINALIZED,
    RESOLVED_REFS,
    MATCHES_UNUSABLE,
    RECORDS_UNREADABLE,
];

/// All conditions that a cycle sets, which excludes `SyncLate`, which depends on the time alone, and `Notified`,
/// which is set when a message was sent.
const OF_CYCLE: [&str; 11] = [
    READY,
    RECONCILING,
    STALLED,
    OKTA_CONNECTED,
    INSIGHTFUL_CONNECTED,
    REVIEW_REQUIRED,
    HELD,
    FINALIZED,
    RESOLVED_REFS,
    MATCHES_UNUSABLE,
    RECORDS_UNREADABLE,
];

/// The most people that a condition names.
const MAX_NAMES: usize = 3;

/// The most records that a condition names. Each may be long.
const MAX_RECORDS: usize = 10;

/// Returns the conditions after a cycle. `status` is the new status without its
/// conditions; `previous` is the present one.
pub(super) fn of(
    cycle: &Cycle<'_>,
    status: &OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    previous: &OktaIntegrationStatus,
    meta: IntegrationMeta<'_>,
    now: Timestamp,
) -> Vec<Fact> {
    let mut facts = match cycle {
        Cycle::Suspended => suspended(previous),
        Cycle::Unusable { reason, message } => unusable(&previous.conditions, reason, message),
        Cycle::ReadFailed(disconnected) => read_failed(previous, disconnected),
        Cycle::Synced(synced) => after_sync(status, synced, spec, meta),
        Cycle::Unchanged(published, _) => present(&published.conditions, &OF_CYCLE),
    };
    facts.extend(sync_late(status, spec, cycle, now));
    // Last, as where a message that was sent puts it.
    if spec.notify.is_some() {
        facts.extend(present(&previous.conditions, &[NOTIFIED]));
    }
    facts
}

/// Returns the present conditions of these types, as facts.
pub(super) fn present(previous: &[Condition], types: &[&'static str]) -> Vec<Fact> {
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

fn suspended(previous: &OktaIntegrationStatus) -> Vec<Fact> {
    let message = "spec.suspend is true: nothing is read or written; data already synced stays in Insightful";
    let mut facts = vec![
        Fact::new(READY, true, "Suspended", message),
        Fact::new(RECONCILING, false, "Suspended", ""),
        Fact::new(STALLED, false, "Suspended", ""),
    ];
    facts.extend(present(
        &previous.conditions,
        &[OKTA_CONNECTED, INSIGHTFUL_CONNECTED],
    ));
    facts.extend(present(&previous.conditions, &LASTING));
    facts
}

/// The conditions while somebody must change the object or what it names.
pub(super) fn unusable(previous: &[Condition], reason: &str, message: &str) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new(READY, false, reason, message),
        Fact::new(RECONCILING, false, reason, ""),
        Fact::new(STALLED, true, reason, message),
    ];
    facts.extend(present(previous, &[OKTA_CONNECTED, INSIGHTFUL_CONNECTED]));
    facts.extend(present(previous, &LASTING));
    facts
}

fn read_failed(previous: &OktaIntegrationStatus, disconnected: &Disconnected) -> Vec<Fact> {
    let mut facts = while_disconnected(disconnected);
    let other = if disconnected.condition == OKTA_CONNECTED {
        INSIGHTFUL_CONNECTED
    } else {
        OKTA_CONNECTED
    };
    facts.extend(present(&previous.conditions, &[other]));
    facts.extend(present(&previous.conditions, &LASTING));
    facts
}

/// `SyncLate` is present only while the last successful sync is too old.
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
            "last successful sync at {last:.0}, more than two intervals ago: see conditions OktaConnected and InsightfulConnected"
        );
        Fact::new(SYNC_LATE, true, "IntervalMissed", message)
    })
}

fn while_disconnected(disconnected: &Disconnected) -> Vec<Fact> {
    let Disconnected {
        condition,
        reason,
        message,
        needs_action,
    } = disconnected;
    let (reconciling, stalled) = if *needs_action {
        ("", message.as_str())
    } else {
        ("will be retried", "")
    };
    vec![
        Fact::new(READY, false, reason, message),
        Fact::new(RECONCILING, !needs_action, reason, reconciling),
        Fact::new(STALLED, *needs_action, reason, stalled),
        Fact::new(condition, false, reason, message),
    ]
}

fn after_sync(
    status: &OktaIntegrationStatus,
    synced: &SyncedCycle<'_>,
    spec: &OktaIntegrationSpec,
    meta: IntegrationMeta<'_>,
) -> Vec<Fact> {
    let mut facts = match synced.disconnected {
        Some(disconnected) => while_disconnected(disconnected),
        None => while_connected(synced, spec),
    };
    for condition in [OKTA_CONNECTED, INSIGHTFUL_CONNECTED] {
        if synced
            .disconnected
            .is_none_or(|disconnected| disconnected.condition != condition)
        {
            facts.push(Fact::new(condition, true, "Connected", ""));
        }
    }
    facts.push(review_required(status.people.unwrap_or_default(), meta));
    facts.push(held(synced, spec, meta));
    facts.push(finalized(status, synced, spec));
    facts.extend(unresolved(&synced.assessment.unresolved));
    facts.extend(matches_unusable(synced.unusable));
    facts.extend(records_unreadable(synced.snapshot));
    facts
}

fn while_connected(synced: &SyncedCycle<'_>, spec: &OktaIntegrationSpec) -> Vec<Fact> {
    let (ready, reason, message) = if !spec.finalized {
        (
            true,
            "AwaitingFinalize",
            "nothing is written to Insightful until spec.finalized is true".to_owned(),
        )
    } else if synced.verdict.is_held() {
        (
            false,
            "Held",
            format!("{}: see condition Held", held_until(synced)),
        )
    } else if !synced.failures.is_empty() {
        let message = match synced.failures.len() {
            1 => {
                "the changes of 1 person could not be written: see the Ready condition of their EmployeeMatch"
                    .to_owned()
            }
            failed => format!(
                "the changes of {failed} people could not be written: see the Ready conditions of their EmployeeMatches"
            ),
        };
        (false, "WritesRefused", message)
    } else if !synced.assessment.plan.is_empty() {
        (false, "Applying", "writing changes to Insightful".to_owned())
    } else {
        (true, "InSync", "Insightful is in sync with Okta".to_owned())
    };
    let reconciling = if reason == "Applying" {
        Fact::new(RECONCILING, true, reason, &message)
    } else {
        Fact::new(RECONCILING, false, reason, "")
    };
    vec![
        Fact::new(READY, ready, reason, message),
        reconciling,
        Fact::new(STALLED, false, reason, ""),
    ]
}

fn review_required(people: PeopleCounts, meta: IntegrationMeta<'_>) -> Fact {
    let PeopleCounts {
        review,
        unmatched,
        conflicts,
        ..
    } = people;
    let need = match people.waiting {
        0 => return Fact::new(REVIEW_REQUIRED, false, "NothingToReview", ""),
        1 => "1 person needs a decision".to_owned(),
        several => format!("{several} people need a decision"),
    };
    let IntegrationMeta { namespace, name, .. } = meta;
    let states = [
        (MatchState::Review, review),
        (MatchState::Unmatched, unmatched),
        (MatchState::Conflict, conflicts),
    ];
    let states = states.into_iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = states
        .clone()
        .map(|(state, count)| format!("{count} {state:?}"))
        .collect();
    let lists: Vec<String> = states
        .map(|(state, _)| {
            format!(
                "kubectl get em -n {namespace} --field-selector spec.integrationRef.name={name},status.state={state:?}"
            )
        })
        .collect();
    let message = format!(
        "{need} ({}). To review them: kubectl insightful review {name} -n {namespace}. To list them: {}",
        counts.join(", "),
        lists.join("; ")
    );
    Fact::new(REVIEW_REQUIRED, true, "DecisionsPending", message)
}

fn matches_unusable(objects: &[Unusable]) -> Option<Fact> {
    let is_unreadable = |object: &&Unusable| object.why != WhyUnusable::WrongName;
    let (unreadable, misnamed): (Vec<_>, Vec<_>) = objects.iter().partition(is_unreadable);
    let reason = if unreadable.is_empty() {
        "WrongName"
    } else {
        "Unreadable"
    };
    let named = |objects: &[&Unusable], what: &str| {
        let names = objects.iter().take(MAX_NAMES).map(|object| object.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        let more = match objects.len().saturating_sub(MAX_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!objects.is_empty()).then(|| format!("{} {what}: {names}{more}", objects.len()))
    };
    let parts = [
        named(&unreadable, "that this version of the operator cannot read"),
        named(&misnamed, "with the wrong name"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let message = format!(
        "EmployeeMatches that are not used, so that nothing is written for their people: {}. See the Events and the Ready conditions of these objects",
        parts.join("; ")
    );
    (!objects.is_empty()).then(|| Fact::new(MATCHES_UNUSABLE, true, reason, message))
}

fn records_unreadable(snapshot: &Snapshot) -> Option<Fact> {
    let (oktas, insightfuls): (Vec<_>, Vec<_>) = snapshot.unreadable().partition(|record| {
        matches!(
            record.kind,
            RecordKind::User | RecordKind::Group | RecordKind::Member
        )
    });
    let reason = match (oktas.is_empty(), insightfuls.is_empty()) {
        (true, true) => return None,
        (false, true) => "InOkta",
        (true, false) => "InInsightful",
        (false, false) => "InBothServices",
    };
    let count = oktas.len() + insightfuls.len();
    let records = oktas.iter().chain(&insightfuls).take(MAX_RECORDS);
    let named: Vec<String> = records.map(ToString::to_string).collect();
    let more = match count.saturating_sub(MAX_RECORDS) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let what = match count {
        1 => "1 record cannot be read and is passed over".to_owned(),
        count => format!("{count} records cannot be read and are passed over"),
    };
    let message = format!(
        "{what}, and nothing is written for the people concerned: {}{more}. Correct each where it comes from",
        named.join("; ")
    );
    Some(Fact::new(RECORDS_UNREADABLE, true, reason, message))
}

fn held(synced: &SyncedCycle<'_>, spec: &OktaIntegrationSpec, meta: IntegrationMeta<'_>) -> Fact {
    let plan = &synced.assessment.plan;
    let Some(first) = synced.verdict.breaches.first() else {
        return Fact::new(HELD, false, "WithinGuard", "");
    };
    let breaches = synced.verdict.breaches.iter().map(|breach| {
        let names = names(&breach.people(plan), synced);
        if names.is_empty() {
            breach.message()
        } else {
            format!("{} ({names})", breach.message())
        }
    });
    let why = breaches.collect::<Vec<_>>().join("; ");
    let hash = plan.hash();
    let message = if synced.verdict.is_held() {
        format!(
            "nothing is written: {why}. {}",
            how_to_approve(synced, meta, &hash)
        )
    } else if spec.approved_plan.as_ref() == Some(&hash) && synced.verdict.other_writer().is_none() {
        format!("approved: {why}")
    } else if let Some(Applying { plan, .. }) = synced.applying {
        format!("approved as the rest of plan {plan}: {why}")
    } else {
        format!(
            "the plan will be held once spec.finalized is true: {why}. {}",
            how_to_approve(synced, meta, &hash)
        )
    };
    Fact::new(HELD, synced.verdict.is_held(), first.reason(), message)
}

/// `ResolvedRefs` is present only while `spec.teams` names something that does not exist.
fn unresolved(unresolved: &[String]) -> Option<Fact> {
    let named = unresolved.iter().take(MAX_NAMES).cloned();
    let more = unresolved.len().saturating_sub(MAX_NAMES);
    let more = (more > 0).then(|| format!("and {more} more"));
    let message = named.chain(more).collect::<Vec<_>>().join("; ");
    (!unresolved.is_empty()).then(|| {
        let message = format!("{message}. Until this is corrected, nobody is moved because of it");
        Fact::new(RESOLVED_REFS, false, "NamesNothing", message)
    })
}

/// Returns until when a held plan waits.
fn held_until(synced: &SyncedCycle<'_>) -> String {
    match synced.verdict.other_writer() {
        Some(other) => {
            format!(
                "the plan is held while OktaIntegration {other} writes to the same Insightful organisation"
            )
        }
        None if synced.verdict.lifts_at.is_some() => {
            "the plan is held until spec.approvedPlan names it or the writes of the last 24 hours are older"
                .to_owned()
        }
        None => "the plan is held until spec.approvedPlan names it".to_owned(),
    }
}

/// Returns what to check, the commands that show what a held plan is about, and the one that approves it.
fn how_to_approve(synced: &SyncedCycle<'_>, meta: IntegrationMeta<'_>, hash: &str) -> String {
    if let Some(other) = synced.verdict.other_writer() {
        return format!(
            "No approval clears this. It goes on by itself once {other} is suspended, deleted or no longer finalized. To let {other} go on instead, delete or suspend this integration, or give it the token of another organisation"
        );
    }
    let IntegrationMeta { namespace, name, .. } = meta;
    let mut how = String::new();
    for breach in &synced.verdict.breaches {
        if let Some(advice) = breach.advice() {
            how += advice;
            how += " ";
        }
        if matches!(breach, Breach::PeopleMissing { .. }) {
            how += &format!(
                "To list the people who are not synced, with the reason: kubectl get em -n {namespace} -o wide --field-selector spec.integrationRef.name={name},spec.decision!=Ignore,status.state=OutOfScope. "
            );
        }
    }
    if synced.verdict.lifts_at.is_some() {
        how += "The plan needs no approval once enough of those writes are more than 24 hours old. ";
    }
    if !synced.assessment.plan.is_empty() {
        how += &format!(
            "To list all changes: kubectl get em -n {namespace} -o custom-columns=PERSON:.status.person.name,FIELDS:.status.changes[*].field,TO:.status.changes[*].to. "
        );
    }
    how + &format!(
        "To approve exactly this plan: kubectl patch oi {name} -n {namespace} --type=merge -p '{{\"spec\":{{\"approvedPlan\":\"{hash}\"}}}}'"
    )
}

/// Returns the names of the first few people, and the number of the others.
fn names(people: &[&PersonId], synced: &SyncedCycle<'_>) -> String {
    let named = people.iter().take(MAX_NAMES).map(|id| {
        let name = synced.snapshot.name_of(id);
        name.unwrap_or_else(|| id.to_string())
    });
    let named = named.collect::<Vec<_>>().join(", ");
    match people.len().saturating_sub(MAX_NAMES) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn finalized(status: &OktaIntegrationStatus, synced: &SyncedCycle<'_>, spec: &OktaIntegrationSpec) -> Fact {
    let fact = |status, reason: &str, message: &str| Fact::new(FINALIZED, status, reason, message);
    if !spec.finalized {
        fact(
            false,
            "NotFinalized",
            "review the matches, then set spec.finalized to true",
        )
    } else if synced.verdict.is_held() {
        fact(false, "Held", &format!("finalized; {}", held_until(synced)))
    } else if let Some(plan) = &status.last_applied_plan {
        fact(true, "PlanApplied", &format!("plan {plan} is applied"))
    } else if synced.assessment.plan.is_empty() {
        fact(true, "NothingToApply", "finalized; there was nothing to change")
    } else {
        fact(false, "Applying", "finalized; writing changes to Insightful")
    }
}
