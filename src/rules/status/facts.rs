//! The conditions of an integration.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{About, Cycle, Disconnected, Known, Notification};
use crate::{
    api::{
        Applying, OktaIntegrationSpec, OktaIntegrationStatus, Webhook,
        conditions::{self, Fact},
    },
    model::{Person, PersonId},
    rules::{guard::Breach, plan::Plan, schedule},
};

/// All that the conditions say after a cycle. `status` is the new one, but for
/// its conditions; `previous` is what stands there now.
pub(super) fn of(
    cycle: &Cycle<'_>,
    status: &OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    previous: &OktaIntegrationStatus,
    about: About<'_>,
    now: Timestamp,
) -> Vec<Fact> {
    let mut facts = match cycle {
        Cycle::Suspended => suspended(previous),
        Cycle::Unusable { reason, message } => unusable(previous, reason, message),
        Cycle::Unread(broken) => unread(previous, broken),
        Cycle::Known(known) => known_facts(status, known, spec, previous, about),
        Cycle::AsBefore(said, _) => kept(&said.conditions, &FACTS_OF_A_CYCLE),
    };
    facts.extend(sync_late(status, spec, cycle, now));
    facts
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

/// All but whether it is late, which is told by the clock.
const FACTS_OF_A_CYCLE: [&str; 9] = [
    conditions::READY,
    conditions::RECONCILING,
    conditions::STALLED,
    conditions::OKTA_CONNECTED,
    conditions::INSIGHTFUL_CONNECTED,
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
        needs_action,
    } = broken;
    vec![
        Fact::new(conditions::READY, false, reason, message),
        Fact::new(
            conditions::RECONCILING,
            !needs_action,
            reason,
            if *needs_action { "" } else { "is tried again" },
        ),
        Fact::new(
            conditions::STALLED,
            *needs_action,
            reason,
            if *needs_action { message } else { "" },
        ),
        Fact::new(condition, false, reason, message),
    ]
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
        Fact::new(conditions::REVIEW_REQUIRED, true, "DecisionsPending", message)
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
                    "Delivered",
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
            "AwaitingFinalize",
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
        (false, "WritesRefused", message)
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
        let names = names(&breach.people(plan), known);
        if names.is_empty() {
            breach.message()
        } else {
            format!("{} ({names})", breach.message())
        }
    });
    let why = why.collect::<Vec<_>>().join("; ");
    let hash = plan.hash();
    let About { namespace, name, .. } = about;
    let missing = known
        .breaches
        .iter()
        .any(|breach| matches!(breach, Breach::PeopleMissing { .. }));
    let who = if missing {
        format!(
            "Check the org; who is to be left alone can be set to Ignore. To see who is missing, with the reason: kubectl get em -n {namespace} -o wide --field-selector spec.integrationRef.name={name},spec.decision!=Ignore,status.state=OutOfScope. "
        )
    } else {
        String::new()
    };
    let ways = format!(
        "{who}To see all changes: kubectl get em -n {namespace} -o custom-columns=PERSON:.status.person.name,FIELDS:.status.changes[*].field,TO:.status.changes[*].to. To let exactly this plan through: kubectl patch oi {name} -n {namespace} --type=merge -p '{{\"spec\":{{\"approvedPlan\":\"{hash}\"}}}}'"
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
fn names(people: &[&PersonId], known: &Known<'_>) -> String {
    let named = people.iter().take(MOST_NAMES).map(|id| {
        let person = known.snapshot.people().get(*id).map(Person::display_name);
        person
            .or_else(|| known.former_names.get(*id).cloned())
            .unwrap_or_else(|| id.to_string())
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
