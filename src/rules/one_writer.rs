//! Which integration writes to an Insightful organisation? Two that write would undo each other for ever, so only
//! the oldest one does, and every other is held.
//!
//! The organisation of an integration is the one in its status, which is there before its first write. So one
//! without it does not write yet, and keeps nobody else from writing.

use std::fmt;

use kube::ResourceExt;
use url::Url;

use crate::api::OktaIntegration;

/// The integration that writes to the organisation of a younger one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherWriter {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for OtherWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The oldest of `all` integrations that writes to `organization` at the URL of `own` and is older than `own`.
pub fn other_writer<'a>(
    own: &OktaIntegration,
    organization: Option<&str>,
    all: impl IntoIterator<Item = &'a OktaIntegration>,
) -> Option<OtherWriter> {
    let organization = organization?;
    let others = all.into_iter().filter(|other| {
        other.metadata.uid != own.metadata.uid
            && other.spec.finalized
            && !other.spec.suspend
            && other.metadata.deletion_timestamp.is_none()
            && organization_of(other) == Some(organization)
            && is_same_url(&other.spec.insightful.url, &own.spec.insightful.url)
            && age(other) < age(own)
    });
    others.min_by_key(|other| age(other)).map(|other| OtherWriter {
        namespace: other.namespace().unwrap_or_default(),
        name: other.name_any(),
    })
}

/// The organisation in an integration's status.
pub fn organization_of(integration: &OktaIntegration) -> Option<&str> {
    let insightful = integration.status.as_ref()?.insightful.as_ref()?;
    Some(&insightful.organization_id)
}

/// Orders integrations from the oldest to the youngest.
fn age(integration: &OktaIntegration) -> impl Ord + use<> {
    let created = integration.creation_timestamp().map(|time| time.0);
    (
        created.is_none(),
        created,
        integration.namespace(),
        integration.name_any(),
    )
}

fn is_same_url(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => {
            one.origin() == other.origin()
                && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::{
        api::{InsightfulStatus, OktaIntegrationStatus},
        rules::example::Example,
    };

    /// A finalized integration that was created in this second, in the organisation `w1`.
    fn integration(namespace: &str, name: &str, second: i64) -> OktaIntegration {
        let mut integration = OktaIntegration::new(name, Example::new().spec);
        integration.metadata.namespace = Some(namespace.into());
        integration.metadata.uid = Some(format!("{namespace}-{name}"));
        integration.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(second).unwrap()));
        let organization_id = "w1".to_owned();
        integration.status = Some(OktaIntegrationStatus {
            insightful: Some(InsightfulStatus { organization_id }),
            ..OktaIntegrationStatus::default()
        });
        integration
    }

    #[test]
    fn only_the_oldest_integration_of_an_organisation_writes() {
        let own = integration("people", "own", 100);
        type Change = fn(&mut OktaIntegration);
        let cases: [(&str, Change, bool); 11] = [
            ("older", |_| (), true),
            (
                "younger",
                |o| o.metadata.creation_timestamp = Some(Time(jiff::Timestamp::MAX)),
                false,
            ),
            ("not finalized", |o| o.spec.finalized = false, false),
            ("suspended", |o| o.spec.suspend = true, false),
            (
                "being deleted",
                |o| o.metadata.deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH)),
                false,
            ),
            (
                "of another organisation",
                |o| {
                    o.status = Some(OktaIntegrationStatus {
                        insightful: Some(InsightfulStatus {
                            organization_id: "w2".into(),
                        }),
                        ..OktaIntegrationStatus::default()
                    });
                },
                false,
            ),
            ("not read yet", |o| o.status = None, false),
            (
                "at another URL",
                |o| o.spec.insightful.url = "https://eu.insightful.io/api/v1".into(),
                false,
            ),
            (
                "at the same URL, written differently",
                |o| {
                    o.spec.insightful.url = "https://APP.insightful.io:443/api/v1/".into();
                },
                true,
            ),
            (
                "of the same age, later by name",
                |o| {
                    o.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(100).unwrap()));
                },
                true,
            ),
            (
                "the same object",
                |o| o.metadata.uid = Some("people-own".into()),
                false,
            ),
        ];
        for (case, change, expected) in cases {
            let mut other = integration("other", "acme", 50);
            change(&mut other);
            let found = other_writer(&own, Some("w1"), [&own, &other]);
            assert_eq!(found.is_some(), expected, "{case}");
            // Whichever of the two waits, the other does not.
            if expected {
                assert_eq!(found.unwrap().to_string(), "other/acme", "{case}");
                assert_eq!(other_writer(&other, Some("w1"), [&own, &other]), None, "{case}");
            }
        }
        let (older, oldest) = (integration("b", "x", 50), integration("c", "y", 40));
        let found = other_writer(&own, Some("w1"), [&older, &oldest]).unwrap();
        assert_eq!(found.to_string(), "c/y");
        assert_eq!(
            other_writer(&own, None, [&older]),
            None,
            "nothing tells the organisation"
        );
    }
}
