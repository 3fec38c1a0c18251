//! What is done with an OktaIntegration that this version of the operator cannot read? Nothing is read or written for
//! it, and no earlier state of it is used. What is legible still counts: that it is suspended, and that it is the
//! writer of its Insightful organisation.
//!
//! A value of the status that every cycle computes again keeps no integration from being served: it is left out.

use std::{fmt, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::api::{OktaIntegration, OktaIntegrationSpec, OktaIntegrationStatus};

/// Beyond this many values, the object is of another kind altogether.
const MAX_UNREADABLE: usize = 20;

/// The most values that a message names.
const MAX_NAMED: usize = 3;

/// The fields of the status that every cycle computes again.
const RECOMPUTED: [&str; 10] = [
    "conditions",
    "history",
    "lastAppliedTime",
    "lastFullSyncTime",
    "lastSyncTime",
    "nextSyncTime",
    "people",
    "phase",
    "plan",
    "progress",
];

/// A value that this version of the operator cannot read.
#[derive(Clone, Debug)]
pub struct UnreadableValue {
    /// `spec` or `status`.
    part: &'static str,
    path: Path,
    problem: String,
}

impl UnreadableValue {
    fn is_recomputed(&self) -> bool {
        let first = self.path.iter().next();
        self.part == "status"
            && matches!(first, Some(Segment::Map { key }) if RECOMPUTED.contains(&key.as_str()))
    }

    fn is_finalized(&self) -> bool {
        self.part == "spec" && self.path.to_string() == "finalized"
    }

    /// Removes the value from `part`. Returns whether it was there.
    fn remove_from(&self, part: &mut Value) -> bool {
        let segments = self.path.iter();
        let mut segments: Vec<&Segment> = segments
            .take_while(|segment| matches!(segment, Segment::Map { .. } | Segment::Seq { .. }))
            .collect();
        let Some(last) = segments.pop() else {
            return false;
        };
        let parent = segments.into_iter().try_fold(part, |at, segment| match segment {
            Segment::Map { key } => at.get_mut(key),
            Segment::Seq { index } => at.get_mut(index),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        match (parent, last) {
            (Some(Value::Object(fields)), Segment::Map { key }) => fields.remove(key).is_some(),
            (Some(Value::Array(items)), Segment::Seq { index }) if *index < items.len() => {
                items.remove(*index);
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for UnreadableValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, path, problem } = self;
        match path.iter().next() {
            Some(_) => write!(f, "{part}.{path}: {problem}"),
            None => write!(f, "{part}: {problem}"),
        }
    }
}

impl std::error::Error for UnreadableValue {}

/// Reads the spec or the status of an object.
///
/// # Errors
/// The first value that cannot be read.
pub fn read<T: DeserializeOwned>(part: &'static str, value: &Value) -> Result<T, UnreadableValue> {
    // Paths are followed only where they are needed: there may be a hundred thousand objects.
    T::deserialize(value).or_else(|_| {
        serde_path_to_error::deserialize(value).map_err(|error| UnreadableValue {
            part,
            path: error.path().clone(),
            problem: error.into_inner().to_string(),
        })
    })
}

/// Returns what is legible, with defaults in place of the values that are not.
fn legible<T: DeserializeOwned>(part: &'static str, mut value: Value) -> (Option<T>, Vec<UnreadableValue>) {
    let mut unreadable = Vec::new();
    loop {
        let why = match read(part, &value) {
            Ok(read) => return (Some(read), unreadable),
            Err(why) => why,
        };
        let is_removed = why.remove_from(&mut value);
        unreadable.push(why);
        if !is_removed || unreadable.len() == MAX_UNREADABLE {
            return (None, unreadable);
        }
    }
}

/// An OktaIntegration that this version of the operator cannot read.
#[derive(Clone, Debug)]
pub struct UnreadableIntegration {
    pub metadata: ObjectMeta,
    /// What is legible, with defaults in place of the rest; None if that is too little. It tells whether
    /// the integration is suspended and who writes to an organisation, and is never synced.
    pub legible: Option<Arc<OktaIntegration>>,
    /// What is legible of the status.
    pub legible_status: Option<OktaIntegrationStatus>,
    /// The whole status, without what every cycle computes again and cannot be read.
    pub(super) status: Value,
    unreadable: Vec<UnreadableValue>,
}

/// Reads an object from its parts.
///
/// # Errors
/// What is legible of an object that cannot be read.
pub fn read_integration(
    metadata: ObjectMeta,
    spec: Value,
    status: Option<Value>,
) -> Result<OktaIntegration, Box<UnreadableIntegration>> {
    let mut raw_status = status.unwrap_or_default();
    let (spec, mut unreadable) = legible::<OktaIntegrationSpec>("spec", spec);
    let (status, of_status) = legible::<Option<OktaIntegrationStatus>>("status", raw_status.clone());
    let is_left_out = |value: &UnreadableValue| status.is_some() && value.is_recomputed();
    let (recomputed, of_status): (Vec<_>, Vec<_>) = of_status.into_iter().partition(is_left_out);
    unreadable.extend(of_status);
    let is_readable = unreadable.is_empty();
    let integration = |spec, status| OktaIntegration {
        metadata: metadata.clone(),
        spec,
        status,
    };
    match (spec, status) {
        (Some(spec), Some(status)) if is_readable => Ok(integration(spec, status)),
        (spec, status) => {
            for value in recomputed {
                value.remove_from(&mut raw_status);
            }
            let legible_status = status.flatten();
            let legible = spec.map(|mut spec| {
                // In doubt it is the writer of its organisation.
                spec.finalized |= unreadable.iter().any(UnreadableValue::is_finalized);
                Arc::new(integration(spec, legible_status.clone()))
            });
            Err(Box::new(UnreadableIntegration {
                metadata,
                legible,
                legible_status,
                status: raw_status,
                unreadable,
            }))
        }
    }
}

impl UnreadableIntegration {
    pub fn is_suspended(&self) -> bool {
        self.legible.as_ref().is_some_and(|legible| legible.spec.suspend)
    }

    /// The values that cannot be read, each with the reason.
    pub fn why(&self) -> String {
        let mut why: Vec<String> = self
            .unreadable
            .iter()
            .take(MAX_NAMED)
            .map(ToString::to_string)
            .collect();
        if let Some(more @ 1..) = self.unreadable.len().checked_sub(MAX_NAMED) {
            why.push(format!("and {more} more"));
        }
        why.join("; ")
    }

    /// Whether only values of the status cannot be read: the operator writes it, and no manifest holds it.
    pub fn is_only_status(&self) -> bool {
        self.unreadable.iter().all(|value| value.part == "status")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(change: impl FnOnce(&mut Value)) -> Value {
        let mut spec = json!({
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
            "teams": { "precedence": ["Engineering", "Sales"] },
        });
        change(&mut spec);
        spec
    }

    fn read_with(spec: Value, status: Value) -> Result<OktaIntegration, Box<UnreadableIntegration>> {
        read_integration(ObjectMeta::default(), spec, Some(status))
    }

    #[test]
    fn each_value_that_cannot_be_read_is_named_and_the_rest_is_legible() {
        type Change = fn(&mut Value);
        let cases: [(&str, Change, &str); 5] = [
            (
                "a bound",
                |spec| spec["guard"] = json!({ "maxDeactivations": null, "maxRelinks": "1%" }),
                "spec.guard.maxDeactivations: ",
            ),
            (
                "two fields",
                |spec| {
                    spec["approval"] = json!("Sometimes");
                    spec["sync"] = json!({ "interval": 5 });
                },
                "spec.approval: unknown variant `Sometimes`, expected `Guarded` or `EveryPlan`; spec.sync.interval: ",
            ),
            (
                "an entry of a list",
                |spec| spec["teams"]["precedence"][1] = json!(7),
                "spec.teams.precedence[1]: ",
            ),
            (
                "whether it is finalized",
                |spec| spec["finalized"] = json!("yes"),
                "spec.finalized: ",
            ),
            (
                "many",
                |spec| {
                    spec["guard"] = json!({ "maxDeactivations": [], "maxRelinks": [], "maxTeamMoves": [], "maxNewTeams": [] });
                },
                "; and 1 more",
            ),
        ];
        for (case, change, expected) in cases {
            let spec = spec(|spec| {
                spec["suspend"] = json!(true);
                change(spec);
            });
            let unreadable =
                read_with(spec, json!({ "insightful": { "organizationId": "w1" } })).unwrap_err();
            let why = unreadable.why();
            assert!(why.contains(expected), "{case}: {why}");
            assert!(!unreadable.is_only_status(), "{case}");
            let legible = unreadable.legible.as_ref().unwrap();
            assert!(unreadable.is_suspended(), "{case}");
            assert_eq!(legible.spec.okta.org_url, "https://acme.okta.com", "{case}");
            assert_eq!(legible.spec.teams.precedence[0], "Engineering", "{case}");
            assert_eq!(legible.spec.finalized, expected.contains("finalized"), "{case}");
            let organization = &legible.status.as_ref().unwrap().insightful;
            assert_eq!(organization.as_ref().unwrap().organization_id, "w1", "{case}");
        }
    }

    #[test]
    fn a_status_that_cannot_be_read_stops_an_integration_only_by_what_no_cycle_computes_again() {
        let cases = [
            (json!({ "phase": "Dreaming" }), true),
            (json!({ "conditions": [{ "type": "Ready" }] }), true),
            (json!({ "progress": 5, "people": "many", "plan": {} }), true),
            (
                json!({ "history": [{ "kind": "Weird" }], "lastSyncTime": "yesterday" }),
                true,
            ),
            (json!({ "guard": { "reviewed": "yes" } }), false),
            (json!({ "teams": [{ "name": "Sales", "state": "Lost" }] }), false),
            (json!({ "insightful": { "organizationId": 5 } }), false),
            (json!({ "applying": true }), false),
            (json!("none"), false),
        ];
        for (status, is_served) in cases {
            let read = read_with(spec(|_| ()), status.clone());
            assert_eq!(read.is_ok(), is_served, "{status}");
            if let Err(unreadable) = read {
                assert!(unreadable.is_only_status(), "{status}");
                assert!(unreadable.why().starts_with("status"), "{}", unreadable.why());
                assert!(unreadable.legible.is_some(), "{status}");
            }
        }
        let both = json!({ "phase": "Dreaming", "guard": { "reviewed": "yes" } });
        let unreadable = read_with(spec(|_| ()), both).unwrap_err();
        assert_eq!(unreadable.status, json!({ "guard": { "reviewed": "yes" } }));
    }

    #[test]
    fn an_object_of_which_too_little_is_legible_is_not_made_up() {
        for spec in [
            Value::Null,
            json!({}),
            spec(|spec| spec["okta"]["orgUrl"] = json!(5)),
            spec(|spec| spec["teams"]["precedence"] = json!(vec![5; 30])),
        ] {
            let unreadable = read_with(spec.clone(), Value::Null).unwrap_err();
            assert!(unreadable.legible.is_none(), "{spec}");
            assert!(
                !unreadable.is_suspended() && !unreadable.why().is_empty(),
                "{spec}"
            );
        }
    }
}
