//! What stays in memory of one EmployeeMatch beside its [`Record`]: so little
//! that a hundred thousand fit, and enough to know whether a status says
//! anything new and to write it over the very version that was seen.

use std::{fmt, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{Resource, ResourceExt};
use uuid::Uuid;

use crate::{
    api::{EmployeeMatch, INTEGRATION_LABEL, OktaIntegration, conditions},
    model::digest::Digest,
    rules::{approval::Announced, status::Earlier},
};

/// See the module.
#[derive(Clone, Debug)]
pub struct CachedMatch {
    /// The object's uid.
    pub uid: Uid,
    /// Its version.
    pub version: Version,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// Whether the label names the integration that the spec names.
    pub is_labelled: bool,
    /// The uid of the integration that owns it.
    pub owner: Option<Uid>,
    /// Digest of the whole status; None if there is none.
    said: Option<Digest>,
    /// Whether the Ready condition holds, and since when.
    ready: Option<(bool, Time)>,
    /// `person` and `unmatched` of the status, as JSON.
    earlier: Option<Box<str>>,
    /// What the status announces.
    pub announced: Announced,
}

impl CachedMatch {
    /// What is kept of an object.
    pub fn of(object: &EmployeeMatch) -> Self {
        let status = object.status.as_ref();
        let integration = &object.spec.integration_ref.name;
        let owners = object.owner_references().iter();
        Self {
            uid: object.uid().unwrap_or_default().as_str().into(),
            version: object.resource_version().unwrap_or_default().as_str().into(),
            generation: object.metadata.generation,
            is_labelled: object.labels().get(INTEGRATION_LABEL) == Some(integration),
            owner: owners
                .filter(|owner| owner.kind == OktaIntegration::kind(&()))
                .map(|owner| owner.uid.as_str().into())
                .next(),
            said: status.map(Digest::of),
            ready: status
                .and_then(|status| conditions::find(&status.conditions, conditions::READY))
                .map(|ready| (ready.status == "True", ready.last_transition_time.clone())),
            earlier: status
                .map(|status| (&status.person, &status.unmatched))
                .filter(|earlier| *earlier != (&None, &None))
                .and_then(|earlier| serde_json::to_string(&earlier).ok())
                .map(String::into_boxed_str),
            announced: object.into(),
        }
    }

    /// Whether the status is this very one.
    pub fn has_status(&self, status: Digest) -> bool {
        self.said == Some(status)
    }

    /// What the next status takes from this one.
    pub fn earlier(&self) -> Earlier {
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
        Earlier {
            person,
            unmatched,
            conditions: ready.collect(),
        }
    }
}

/// The uid of an object. The API server makes UUIDs, which need a third of the
/// room as numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Uid {
    /// A UUID.
    Uuid(Uuid),
    /// Anything else.
    Other(Arc<str>),
}

impl From<&str> for Uid {
    fn from(uid: &str) -> Self {
        match Uuid::try_parse(uid) {
            Ok(uuid) if *uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *uid => {
                Self::Uuid(uuid)
            }
            _ => Self::Other(uid.into()),
        }
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Other(uid) => f.write_str(uid),
        }
    }
}

/// The resource version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// A number, as all of them are.
    Number(u64),
    /// Anything else.
    Other(Box<str>),
}

impl Version {
    /// Whether this is of a later moment than `other`. Versions are growing
    /// numbers (promised since Kubernetes 1.35, and so before). What is no
    /// number is taken for later: the server then refuses to write over it, if
    /// it was not.
    pub fn is_later_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(this), Self::Number(other)) => this > other,
            _ => self != other,
        }
    }
}

impl From<&str> for Version {
    fn from(version: &str) -> Self {
        match version.parse::<u64>() {
            Ok(number) if number.to_string() == version => Self::Number(number),
            _ => Self::Other(version.into()),
        }
    }
}

impl fmt::Display for Version {
    /// As the API server writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Other(version) => f.write_str(version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EmployeeMatchStatus, Field, FieldChange, Unmatched};
    use serde_json::json;

    #[test]
    fn versions_are_numbers() {
        let later = |a: &str, b: &str| Version::from(a).is_later_than(&Version::from(b));
        assert!(later("10", "9") && !later("9", "10") && !later("9", "9"));
        assert!(later("x", "9") && later("9", "x") && !later("x", "x"));
    }

    #[test]
    fn uids_and_versions_are_kept_as_they_are_written() {
        for uid in [
            "0b5a3cf6-9f4f-4b6e-8a53-2a1f6a2d7f10",
            "0B5A3CF6-9F4F-4B6E-8A53-2A1F6A2D7F10",
            "u1",
            "",
        ] {
            assert_eq!(Uid::from(uid).to_string(), uid);
        }
        assert!(matches!(
            Uid::from("0b5a3cf6-9f4f-4b6e-8a53-2a1f6a2d7f10"),
            Uid::Uuid(_)
        ));
        for version in ["0", "184467", "007", "x", ""] {
            assert_eq!(Version::from(version).to_string(), version);
        }
    }

    #[test]
    fn what_is_kept_tells_what_the_next_status_needs() {
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
        assert_eq!(CachedMatch::of(&object).earlier(), Earlier::default());
        object.status = Some(status.clone());
        let kept = CachedMatch::of(&object);
        assert!(kept.has_status(Digest::of(&status)));
        assert!(!kept.has_status(Digest::of(&EmployeeMatchStatus {
            change_count: 1,
            ..status.clone()
        })));
        let Earlier {
            person,
            unmatched,
            conditions,
        } = kept.earlier();
        assert_eq!(person, status.person);
        assert_eq!(
            unmatched.as_ref().map(|back: &Unmatched| &back.employee_id),
            Some(&"e1".to_owned())
        );
        let [ready] = conditions.as_slice() else {
            panic!("{conditions:?}")
        };
        assert_eq!((ready.type_.as_str(), ready.status.as_str()), ("Ready", "False"));
        assert_eq!(ready.last_transition_time, since);
        assert_eq!(kept.announced, Announced::by(&status, None));
    }
}
