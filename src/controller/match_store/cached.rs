//! The part of an EmployeeMatch that stays in memory beside its [`Record`](crate::rules::resolve::Record). Kept
//! small for integrations with a hundred thousand people: enough to detect that a
//! status changed, and to write it over exactly the version that was seen.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{Resource, ResourceExt};
use uuid::Uuid;

use crate::{
    api::{EmployeeMatch, INTEGRATION_LABEL, OktaIntegration, conditions},
    model::digest::Digest,
    rules::{
        approval::Announced,
        audit::{self, SetBy},
        status::PreviousMatchStatus,
    },
};

/// See the module.
#[derive(Clone, Debug)]
pub struct CachedMatch {
    pub uid: Uuid,
    pub version: u64,
    pub generation: Option<i64>,
    /// Whether the label names the integration that the spec names.
    pub is_labelled: bool,
    /// The uid of the owning OktaIntegration.
    pub owner: Option<Uuid>,
    /// Digest of the whole status; None without a status.
    status: Option<Digest>,
    /// Whether the Ready condition is true, and its last transition.
    ready: Option<(bool, Time)>,
    /// `person` and `unmatched` of the status, as JSON.
    earlier: Option<Box<str>>,
    /// The changes that the status announces.
    pub announced: Announced,
    /// Who made the decision; None without one.
    pub decided_by: Option<Box<SetBy>>,
}

impl CachedMatch {
    pub fn of(object: &EmployeeMatch) -> Self {
        let status = object.status.as_ref();
        let integration = &object.spec.integration_ref.name;
        Self {
            uid: uid(object),
            version: version(object),
            generation: object.metadata.generation,
            is_labelled: object.labels().get(INTEGRATION_LABEL) == Some(integration),
            owner: owner(object),
            status: status.map(Digest::of),
            ready: status
                .and_then(|status| conditions::find(&status.conditions, conditions::READY))
                .map(|ready| (ready.status == "True", ready.last_transition_time.clone())),
            earlier: status
                .map(|status| (&status.person, &status.unmatched))
                .filter(|earlier| *earlier != (&None, &None))
                .and_then(|earlier| serde_json::to_string(&earlier).ok())
                .map(String::into_boxed_str),
            announced: object.into(),
            decided_by: audit::decided_by(object).map(Box::new),
        }
    }

    /// Whether the object has exactly this status.
    pub fn has_status(&self, status: Digest) -> bool {
        self.status == Some(status)
    }

    /// The parts of the status that the next one builds on.
    pub fn earlier(&self) -> PreviousMatchStatus {
        let earlier = self.earlier.as_deref();
        let (person, unmatched) = earlier
            .and_then(|earlier| serde_json::from_str(earlier).ok())
            .unwrap_or_default();
        let ready = self.ready.iter().map(|(holds, since)| Condition {
            type_: conditions::READY.to_owned(),
            status: if *holds { "True" } else { "False" }.to_owned(),
            last_transition_time: since.clone(),
            message: String::new(),
            observed_generation: None,
            reason: String::new(),
        });
        PreviousMatchStatus {
            person,
            unmatched,
            conditions: ready.collect(),
        }
    }
}

/// The uid of an object. The API server makes UUIDs, which take less memory than text.
pub fn uid(object: &impl ResourceExt) -> Uuid {
    parse_uid(object.uid().as_deref())
}

/// The uid of the OktaIntegration that owns an object.
pub fn owner(object: &impl ResourceExt) -> Option<Uuid> {
    let mut owners = object.owner_references().iter();
    let owner = owners.find(|owner| owner.kind == OktaIntegration::kind(&()))?;
    Some(parse_uid(Some(&owner.uid)))
}

pub fn parse_uid(uid: Option<&str>) -> Uuid {
    uid.and_then(|uid| Uuid::try_parse(uid).ok()).unwrap_or_default()
}

/// The resource version of an object: a number that grows with each change, as
/// Kubernetes promises since 1.35 and did before.
pub fn version(object: &impl ResourceExt) -> u64 {
    let version = object.resource_version();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EmployeeMatchStatus, Field, FieldChange, Unmatched};
    use serde_json::json;

    #[test]
    fn a_cached_match_holds_what_the_next_status_builds_on() {
        let change = |to: &str| FieldChange {
            employee_id: None,
            field: Field::Title,
            from: None,
            to: Some(to.to_owned()),
        };
        let since = Time(jiff::Timestamp::from_second(1_700_000_000).unwrap());
        let status: EmployeeMatchStatus = serde_json::from_value(json!({
            "person": { "name": "Jane Doe", "status": "ACTIVE" },
            "changes": [change("SRE")],
            "unmatched": { "employeeId": "e1", "time": since },
            "conditions": [{
                "type": "Ready", "status": "False", "reason": "NoEmployee", "message": "m", "lastTransitionTime": since,
            }],
        }))
        .unwrap();
        let mut object = EmployeeMatch::new(
            "acme-00u1-00000",
            serde_json::from_value(json!({ "integrationRef": { "name": "acme" }, "oktaUserId": "00u1" }))
                .unwrap(),
        );
        assert_eq!(CachedMatch::of(&object).earlier(), PreviousMatchStatus::default());
        object.status = Some(status.clone());
        object.metadata.uid = Some("0b5a3cf6-9f4f-4b6e-8a53-2a1f6a2d7f10".to_owned());
        object.metadata.resource_version = Some("184467".to_owned());
        let cached = CachedMatch::of(&object);
        assert_eq!(cached.uid.to_string(), "0b5a3cf6-9f4f-4b6e-8a53-2a1f6a2d7f10");
        assert_eq!(cached.version, 184_467);
        assert!(cached.has_status(Digest::of(&status)));
        assert!(!cached.has_status(Digest::of(&EmployeeMatchStatus {
            change_count: 1,
            ..status.clone()
        })));
        let PreviousMatchStatus {
            person,
            unmatched,
            conditions,
        } = cached.earlier();
        assert_eq!(person, status.person);
        assert_eq!(
            unmatched
                .as_ref()
                .map(|unmatched: &Unmatched| &unmatched.employee_id),
            Some(&"e1".to_owned())
        );
        let [ready] = conditions.as_slice() else {
            panic!("{conditions:?}")
        };
        assert_eq!((ready.type_.as_str(), ready.status.as_str()), ("Ready", "False"));
        assert_eq!(ready.last_transition_time, since);
        assert_eq!(cached.announced, Announced::by(&status, None));
    }
}
