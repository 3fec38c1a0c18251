//! The types of conditions, and the merge that maintains `lastTransitionTime`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::model::text::shown;

/// kstatus: the object is in its desired state.
pub const READY: &str = "Ready";
/// kstatus: work is in progress.
pub const RECONCILING: &str = "Reconciling";
/// kstatus: there is no progress until somebody acts.
pub const STALLED: &str = "Stalled";
/// Okta can be read.
pub const OKTA_CONNECTED: &str = "OktaConnected";
/// Insightful can be read and, once finalized, written.
pub const INSIGHTFUL_CONNECTED: &str = "InsightfulConnected";
/// People await a decision.
pub const REVIEW_REQUIRED: &str = "ReviewRequired";
/// The plan is held until `approvedPlan` names it.
pub const HELD: &str = "Held";
/// The integration is finalized, and a plan was applied completely.
pub const FINALIZED: &str = "Finalized";
/// The last successful sync is too old. Present only while that is so.
pub const SYNC_LATE: &str = "SyncLate";
/// False while `spec.teams` names groups or teams that do not exist; otherwise absent.
pub const RESOLVED_REFS: &str = "ResolvedRefs";
/// Some EmployeeMatches are not used. Present only while that is so.
pub const MATCHES_UNUSABLE: &str = "MatchesUnusable";
/// Some records of either service cannot be read and are passed over. Present only while that is so.
pub const RECORDS_UNREADABLE: &str = "RecordsUnreadable";
/// The webhook accepted the last message.
pub const NOTIFIED: &str = "Notified";

/// A condition without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// One of the types in this module.
    pub type_: &'static str,
    /// None is Unknown.
    pub status: Option<bool>,
    /// The stable reason, in CamelCase.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

impl Fact {
    /// Creates a fact whose status is True or False.
    pub fn new(
        type_: &'static str,
        status: bool,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            type_,
            status: Some(status),
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// Returns a condition for each fact, in their order, with the message as people are [`shown`] it. A condition whose status is the same as
/// before keeps its transition time; a condition without a fact is dropped.
pub fn merge(
    before: &[Condition],
    facts: Vec<Fact>,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Vec<Condition> {
    facts
        .into_iter()
        .map(|fact| {
            let status = match fact.status {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let since = before
                .iter()
                .find(|old| old.type_ == fact.type_ && old.status == status)
                .map_or(Time(now), |old| old.last_transition_time.clone());
            Condition {
                type_: fact.type_.to_owned(),
                status: status.to_owned(),
                reason: fact.reason,
                message: shown(&fact.message).into_owned(),
                observed_generation: generation,
                last_transition_time: since,
            }
        })
        .collect()
}

/// Returns the condition of a type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_change_updates_the_transition_time() {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let first = merge(
            &[],
            vec![Fact::new(READY, false, "Review", "3 wait")],
            Some(1),
            at(1),
        );
        let same = merge(
            &first,
            vec![Fact::new(READY, false, "Held", "held")],
            Some(2),
            at(2),
        );
        assert_eq!(same[0].last_transition_time, first[0].last_transition_time);
        assert_eq!(
            (same[0].reason.as_str(), same[0].observed_generation),
            ("Held", Some(2))
        );
        let other = merge(&same, vec![Fact::new(READY, true, "InSync", "")], Some(2), at(3));
        assert_eq!(other[0].last_transition_time, Time(at(3)));
        assert!(merge(&other, vec![], Some(2), at(4)).is_empty());
    }

    #[test]
    fn a_name_cannot_change_the_message_around_it() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let facts = |message: &str| vec![Fact::new(READY, false, "Held", message)];
        let first = merge(&[], facts("employee \u{1b}[2J\nJane\u{202e} (w1)"), Some(1), now);
        assert_eq!(first[0].message, r"employee \u{1b}[2J\u{a}Jane\u{202e} (w1)");
        let again = merge(&first, facts(&first[0].message), Some(1), now);
        assert_eq!(again, first, "a message that is carried over stays the same");
    }
}
