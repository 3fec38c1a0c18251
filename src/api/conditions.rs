//! The types and reasons of conditions, and the one merge that keeps
//! `lastTransitionTime` as the API conventions want it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// kstatus: all is as asked for.
pub const READY: &str = "Ready";
/// kstatus: work is under way.
pub const RECONCILING: &str = "Reconciling";
/// kstatus: no progress until somebody acts.
pub const STALLED: &str = "Stalled";
/// Okta could be read.
pub const OKTA_CONNECTED: &str = "OktaConnected";
/// Insightful could be read and, after the finish, written.
pub const INSIGHTFUL_CONNECTED: &str = "InsightfulConnected";
/// People wait for a decision.
pub const REVIEW_REQUIRED: &str = "ReviewRequired";
/// A plan waits for `approvedPlan`.
pub const HELD: &str = "Held";
/// An admin finished, and a plan was applied whole.
pub const FINALIZED: &str = "Finalized";
/// An interval was missed: the last good sync is older than it should be. Stands
/// there only while that is so.
pub const SYNC_LATE: &str = "SyncLate";
/// The webhook was told.
pub const NOTIFIED: &str = "Notified";

/// What is the case: a condition but for its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// One of the types above.
    pub type_: &'static str,
    /// True, False, or None for Unknown.
    pub status: Option<bool>,
    /// In CamelCase, stable.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Fact {
    /// A fact that holds or does not.
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

/// The conditions after `facts`: one for each fact, in their order. A condition
/// whose status stays keeps its transition time; one that no fact speaks of is
/// dropped, since nobody computes it any more.
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
                message: fact.message,
                observed_generation: generation,
                last_transition_time: since,
            }
        })
        .collect()
}

/// The condition of a type, if there is one.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_status_moves_the_transition_time() {
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
}
