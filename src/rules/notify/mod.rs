//! Decides which messages the webhook is sent: from an integration's status to the notices that are due, and from a
//! notice that was accepted to what the status remembers of it.
//!
//! Only the present state is reported. While the receiver is down, a newer notice replaces an older one of the same
//! event, and a hold, a wait or a failure that is over is not reported any more.

mod format;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde_json::Value;

use crate::{
    api::{
        Notifications, OktaIntegrationSpec, OktaIntegrationStatus, PeopleCounts, Phase, PlanSummary,
        ReportedHold, ReportedReview, WebhookEvent, WebhookFormat,
        conditions::{
            self, Fact, HELD, INSIGHTFUL_CONNECTED, NOTIFIED, OKTA_CONNECTED, READY, REVIEW_REQUIRED, STALLED,
        },
    },
    model::{
        digest::{hex, sha256},
        text::counted,
    },
    rules::status,
};

/// How often the same event is sent again because its numbers are others: a little less than an hour, so that syncs an
/// hour apart are each reported. Without it, a sync each minute would send a message each minute.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_mins(55);

/// One message about an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A plan was applied completely.
    Applied { plan: String, writes: i32, waiting: i32 },
    /// A plan is held. Reported once for each hash and reason; of plans that replace each other while they are held for
    /// one reason, one an hour.
    Held { plan: PlanSummary, reason: String },
    /// More people wait than at the last report, or than later decisions left. Reported at most once an hour, after a
    /// sync.
    ReviewRequired {
        people: PeopleCounts,
        /// The message of the condition: how many, and how to list them.
        message: String,
        sync_time: Option<Time>,
        /// The number from which it rose.
        reported: Option<ReportedReview>,
    },
    /// Syncing has stopped until somebody acts, or has failed for longer than one interval. Reported once for each
    /// reason, until syncing succeeds.
    Failed {
        reason: String,
        /// The message of the condition Ready.
        message: String,
        since: Time,
    },
}

/// The integration that a message is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub uid: &'a str,
}

impl Notice {
    pub const fn event(&self) -> WebhookEvent {
        match self {
            Self::Applied { .. } => WebhookEvent::Applied,
            Self::Held { .. } => WebhookEvent::Held,
            Self::ReviewRequired { .. } => WebhookEvent::ReviewRequired,
            Self::Failed { .. } => WebhookEvent::Failed,
        }
    }

    /// The body of the request.
    pub fn body(&self, format: WebhookFormat, about: About<'_>) -> Value {
        format::body(self, format, about)
    }

    /// The same for each attempt to send this notice, also after a restart: a receiver that gets it twice, because
    /// its response was lost, can tell.
    pub fn id(&self, uid: &str) -> String {
        let what = match self {
            Self::Applied { plan, .. } => (plan.clone(), String::new(), 0),
            Self::Held { plan, reason } => (plan.hash.clone(), reason.clone(), 0),
            Self::ReviewRequired { people, reported, .. } => {
                let before = reported.as_ref();
                let since = before.and_then(|report| report.sync_time.as_ref());
                let since = since.map_or_else(String::new, |time| time.0.to_string());
                let rose_from = before.map_or(0, |report| report.people);
                (since, rose_from.to_string(), people.waiting)
            }
            Self::Failed { reason, since, .. } => (reason.clone(), since.0.to_string(), 0),
        };
        hex(&sha256(&(uid, self.event(), what))[..16])
    }

    /// What the condition calls it.
    pub fn subject(&self) -> String {
        match self {
            Self::Applied { plan, .. } => format!("Applied, about plan {plan}"),
            Self::Held { plan, reason } => format!("Held ({reason}), about plan {}", plan.hash),
            Self::ReviewRequired { people, .. } => {
                format!("ReviewRequired, about {}", waiting(people.waiting))
            }
            Self::Failed { reason, .. } => format!("Failed ({reason})"),
        }
    }

    /// Records that the receiver accepted it.
    pub fn record(&self, memory: &mut Notifications, now: Timestamp) {
        match self {
            Self::Applied { plan, .. } => memory.applied_plan = Some(plan.clone()),
            Self::Held { plan, reason } => {
                memory.held = Some(ReportedHold {
                    plan: plan.hash.clone(),
                    reason: reason.clone(),
                    time: Some(Time(now)),
                });
            }
            Self::ReviewRequired {
                people, sync_time, ..
            } => {
                memory.review = Some(ReportedReview {
                    people: people.waiting,
                    sync_time: sync_time.clone(),
                });
            }
            Self::Failed { reason, .. } => {
                if !memory.failures.contains(reason) {
                    memory.failures.push(reason.clone());
                }
            }
        }
    }
}

fn waiting(people: i32) -> String {
    counted(
        people,
        "person who needs a decision",
        "people who need a decision",
    )
}

fn wants(spec: &OktaIntegrationSpec, event: WebhookEvent) -> bool {
    let events = spec.notify.as_ref().map(|notify| &notify.webhook.events);
    events.is_some_and(|events| events.contains(&event))
}

/// What `status` remembers of the messages, after a cycle or a delivery; None without a webhook. `previous` is the
/// status before.
pub fn remembered(
    spec: &OktaIntegrationSpec,
    previous: &OktaIntegrationStatus,
    status: &OktaIntegrationStatus,
) -> Option<Notifications> {
    spec.notify.as_ref()?;
    let mut memory = previous.notifications.clone().unwrap_or_else(|| Notifications {
        // A plan that was applied before there was a webhook is no news.
        applied_plan: previous.last_applied_plan.clone(),
        ..Notifications::default()
    });
    // An event that is chosen later reports what happens from then on, and what still holds.
    if !wants(spec, WebhookEvent::Applied) {
        memory.applied_plan.clone_from(&status.last_applied_plan);
    }
    if !wants(spec, WebhookEvent::Held) {
        memory.held = None;
    }
    if !wants(spec, WebhookEvent::ReviewRequired) {
        memory.review = None;
    }
    // The next plan that is held is news.
    if let Some(held) = memory.held.as_mut().filter(|_| succeeds(status))
        && status.phase != Some(Phase::Held)
    {
        held.time = None;
    }
    if let (Some(report), Some(people)) = (&mut memory.review, &status.people) {
        report.people = report.people.min(people.waiting);
    }
    if !wants(spec, WebhookEvent::Failed) || succeeds(status) {
        memory.failures.clear();
    }
    Some(memory)
}

/// Whether the last cycle read both services and wrote what was due. Work in progress says nothing about that.
fn succeeds(status: &OktaIntegrationStatus) -> bool {
    let is_over = status.progress.is_none();
    is_over
        && match status.phase {
            Some(Phase::Review | Phase::Applying | Phase::InSync | Phase::Held) => true,
            Some(Phase::Pending | Phase::Syncing | Phase::Suspended | Phase::Failed) | None => false,
        }
}

/// The messages that the webhook has not accepted yet.
pub fn due(spec: &OktaIntegrationSpec, status: &OktaIntegrationStatus, now: Timestamp) -> Vec<Notice> {
    let Some(memory) = &status.notifications else {
        return Vec::new();
    };
    let notices = [
        applied(status, memory),
        held(status, memory, now),
        review_required(status, memory),
        failed(spec, status, memory, now),
    ];
    let mut notices: Vec<_> = notices.into_iter().flatten().collect();
    notices.retain(|notice| wants(spec, notice.event()));
    notices
}

fn applied(status: &OktaIntegrationStatus, memory: &Notifications) -> Option<Notice> {
    let plan = status.last_applied_plan.clone()?;
    (memory.applied_plan.as_ref() != Some(&plan)).then(|| Notice::Applied {
        plan,
        writes: status::last_writes(status),
        waiting: status.people.unwrap_or_default().waiting,
    })
}

fn held(status: &OktaIntegrationStatus, memory: &Notifications, now: Timestamp) -> Option<Notice> {
    let condition = holding(status, HELD, "True").filter(|_| status.phase == Some(Phase::Held))?;
    let (plan, reason) = (status.plan.clone()?, condition.reason.clone());
    let is_recent = |report: &ReportedHold| {
        report
            .time
            .as_ref()
            .is_some_and(|time| now.duration_since(time.0) < MIN_INTERVAL)
    };
    let is_reported =
        |report: &ReportedHold| report.reason == reason && (report.plan == plan.hash || is_recent(report));
    let is_new = !memory.held.as_ref().is_some_and(is_reported);
    is_new.then_some(Notice::Held { plan, reason })
}

fn review_required(status: &OktaIntegrationStatus, memory: &Notifications) -> Option<Notice> {
    let condition =
        holding(status, REVIEW_REQUIRED, "True").filter(|_| status.phase != Some(Phase::Suspended))?;
    let people = status.people?;
    let reported = memory.review.clone();
    let rose = people.waiting > reported.as_ref().map_or(0, |report| report.people);
    let is_due = reported.as_ref().is_none_or(|report| {
        let syncs = report.sync_time.as_ref().zip(status.last_sync_time.as_ref());
        syncs.is_none_or(|(then, last)| last.0.duration_since(then.0) >= MIN_INTERVAL)
    });
    (rose && is_due).then(|| Notice::ReviewRequired {
        people,
        message: condition.message.clone(),
        sync_time: status.last_sync_time.clone(),
        reported,
    })
}

fn failed(
    spec: &OktaIntegrationSpec,
    status: &OktaIntegrationStatus,
    memory: &Notifications,
    now: Timestamp,
) -> Option<Notice> {
    let ready = holding(status, READY, "False").filter(|_| status.phase == Some(Phase::Failed))?;
    if memory.failures.contains(&ready.reason) {
        return None;
    }
    let disconnected = [OKTA_CONNECTED, INSIGHTFUL_CONNECTED]
        .into_iter()
        .find_map(|type_| holding(status, type_, "False"));
    let since = disconnected.unwrap_or(ready).last_transition_time.0;
    let lasts = Duration::try_from(now.duration_since(since))
        .is_ok_and(|lasts| lasts > Duration::from(spec.sync.interval));
    (holding(status, STALLED, "True").is_some() || lasts).then(|| Notice::Failed {
        reason: ready.reason.clone(),
        message: ready.message.clone(),
        since: ready.last_transition_time.clone(),
    })
}

/// The status after messages were sent: `accepted` are those that the receiver took and that `status` does not
/// remember yet, `failure` says why the others wait.
pub fn report(
    spec: &OktaIntegrationSpec,
    status: &OktaIntegrationStatus,
    accepted: &[Notice],
    failure: Option<&str>,
    now: Timestamp,
) -> OktaIntegrationStatus {
    let mut after = status.clone();
    let Some(memory) = &mut after.notifications else {
        return after;
    };
    for notice in accepted {
        notice.record(memory, now);
    }
    after.notifications = remembered(spec, &after, &after);
    let fact = match (failure, accepted.last()) {
        (Some(message), _) => Some(Fact::new(NOTIFIED, false, "WebhookFailed", message)),
        (None, Some(last)) => {
            let message = format!("the webhook accepted the last message: {}", last.subject());
            Some(Fact::new(NOTIFIED, true, "Delivered", message))
        }
        (None, None) => None,
    };
    // What could not be sent is over, or was replaced: nothing waits.
    let is_settled =
        fact.is_none() && holding(&after, NOTIFIED, "False").is_some() && due(spec, &after, now).is_empty();
    if fact.is_some() || is_settled {
        let facts = fact.into_iter().collect();
        let merged = conditions::merge(&after.conditions, facts, after.observed_generation, now);
        after.conditions.retain(|condition| condition.type_ != NOTIFIED);
        after.conditions.extend(merged);
    }
    after
}

/// The condition of this type, if it has this status.
fn holding<'a>(status: &'a OktaIntegrationStatus, type_: &str, value: &str) -> Option<&'a Condition> {
    conditions::find(&status.conditions, type_).filter(|condition| condition.status == value)
}

#[cfg(test)]
mod tests;
