//! The status of an OktaIntegration that this version of the operator cannot read.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{
        Phase,
        conditions::{self, Fact, READY},
    },
    model::text::shown,
    rules::unreadable::UnreadableIntegration,
};

/// The reason of the Ready condition, and of the Event.
pub const UNREADABLE: &str = "Unreadable";

/// What stands on an object that the operator cannot read.
#[derive(Clone, Debug, PartialEq)]
pub struct UnreadableStatus {
    /// The whole status: what it holds besides stays as it is.
    pub status: Value,
    pub message: String,
    /// Whether there is no Event yet about this generation of the spec.
    pub is_news: bool,
}

/// Returns the status to write; None if the object has it.
pub fn unreadable_status(integration: &UnreadableIntegration, now: Timestamp) -> Option<UnreadableStatus> {
    let generation = integration.metadata.generation;
    let before = integration.legible_status.as_ref();
    let before = before.map_or(&[][..], |status| &status.conditions);
    let message = message(integration);
    let mut facts = super::conditions::unusable(before, UNREADABLE, &message);
    facts.extend(super::conditions::present(before, &[conditions::SYNC_LATE]));
    let phase = if integration.is_suspended() {
        // Whoever suspended it waits for no progress.
        let stalled = facts.iter_mut().find(|fact| fact.type_ == conditions::STALLED);
        if let Some(stalled) = stalled {
            *stalled = Fact::new(conditions::STALLED, false, UNREADABLE, "");
        }
        Phase::Suspended
    } else {
        Phase::Failed
    };
    let mut status = match &integration.status {
        Value::Object(status) => status.clone(),
        _ => serde_json::Map::new(),
    };
    status.remove("progress");
    status.remove("nextSyncTime");
    let conditions = conditions::merge(before, facts, generation, now);
    status.insert("conditions".to_owned(), json!(conditions));
    status.insert("phase".to_owned(), json!(phase));
    status.insert("observedGeneration".to_owned(), json!(generation));
    let status = Value::Object(status);
    let ready = conditions::find(before, READY);
    (status != integration.status).then(|| UnreadableStatus {
        is_news: ready
            .is_none_or(|ready| ready.reason != UNREADABLE || ready.observed_generation != generation),
        status,
        message,
    })
}

fn message(integration: &UnreadableIntegration) -> String {
    let advice = if integration.is_only_status() {
        let metadata = &integration.metadata;
        format!(
            "Upgrade the operator to the version that wrote this status, or remove the value: kubectl edit oi {} -n {} --subresource=status",
            metadata.name.as_deref().unwrap_or_default(),
            metadata.namespace.as_deref().unwrap_or_default()
        )
    } else {
        "Correct it, or upgrade the operator".to_owned()
    };
    let message = format!(
        "this version of the operator cannot read {}: nothing is read from Okta or written to Insightful for this integration. {advice}",
        integration.why()
    );
    // It quotes what somebody wrote.
    shown(&message).into_owned()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;
    use crate::{api::OktaIntegrationStatus, rules::unreadable::read_integration};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// An integration with a bound that cannot be read.
    fn unreadable(generation: i64, suspend: bool, status: Value) -> UnreadableIntegration {
        let metadata = ObjectMeta {
            name: Some("acme".to_owned()),
            namespace: Some("people".to_owned()),
            generation: Some(generation),
            ..ObjectMeta::default()
        };
        let spec = json!({
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
            "guard": { "maxDeactivations": [] },
            "suspend": suspend,
        });
        *read_integration(metadata, spec, Some(status)).unwrap_err()
    }

    fn ready(status: &Value) -> (Value, Value, Value) {
        let ready = &status["conditions"][0];
        (
            ready["type"].clone(),
            ready["status"].clone(),
            ready["reason"].clone(),
        )
    }

    #[test]
    fn the_status_names_what_cannot_be_read_and_holds_the_rest_as_it_was() {
        let memory = json!({
            "guard": { "matches": 3, "futureField": [1] },
            "teams": [{ "name": "Sales", "groupId": "g", "teamId": "t", "state": "Existing", "members": 1 }],
            "lastAppliedPlan": "sha256:1",
        });
        let mut before = memory.clone();
        before["phase"] = json!("InSync");
        before["observedGeneration"] = json!(1);
        before["progress"] = json!({ "step": "Applying", "done": 1 });
        before["conditions"] = json!([
            { "type": "Ready", "status": "True", "reason": "InSync", "message": "", "lastTransitionTime": at(1).to_string() },
            { "type": "Held", "status": "False", "reason": "WithinGuard", "message": "", "lastTransitionTime": at(1).to_string() },
        ]);
        let written = unreadable_status(&unreadable(2, false, before), at(2)).unwrap();
        assert!(written.is_news);
        let status = written.status;
        assert_eq!(
            ready(&status),
            (json!("Ready"), json!("False"), json!(UNREADABLE))
        );
        assert_eq!(
            (&status["phase"], &status["observedGeneration"]),
            (&json!("Failed"), &json!(2))
        );
        assert_eq!(status.get("progress"), None);
        for (field, value) in memory.as_object().unwrap() {
            assert_eq!(&status[field], value, "{field}");
        }
        let message = status["conditions"][0]["message"].as_str().unwrap();
        assert_eq!(message, written.message);
        assert!(
            message.contains("cannot read spec.guard.maxDeactivations: "),
            "{message}"
        );
        assert!(message.contains("Correct it"), "{message}");
        let types: Vec<_> = status["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["type"])
            .collect();
        assert_eq!(types, ["Ready", "Reconciling", "Stalled", "Held"]);

        // It is written once, with one Event for each generation of the spec.
        assert_eq!(
            unreadable_status(&unreadable(2, false, status.clone()), at(3)),
            None
        );
        let suspended = unreadable_status(&unreadable(3, true, status), at(3)).unwrap();
        assert!(suspended.is_news);
        assert_eq!(suspended.status["phase"], json!("Suspended"));
        assert_eq!(ready(&suspended.status).2, json!(UNREADABLE));
        let stalled = &suspended.status["conditions"][2];
        assert_eq!(
            (&stalled["type"], &stalled["status"]),
            (&json!("Stalled"), &json!("False"))
        );
        let since = &suspended.status["conditions"][0]["lastTransitionTime"];
        assert_eq!(
            since,
            &json!(at(2).to_string()),
            "the condition has not changed since"
        );
    }

    #[test]
    fn a_status_that_cannot_be_read_is_advised_upon_and_can_be_written() {
        let mut integration = unreadable(
            1,
            false,
            json!({ "phase": "Dreaming", "guard": { "matches": [] } }),
        );
        let spec = json!(integration.legible.take().unwrap().spec);
        let status = Some(integration.status);
        let integration = read_integration(integration.metadata, spec, status).unwrap_err();
        let written = unreadable_status(&integration, at(1)).unwrap();
        assert!(
            written.message.contains("status.guard.matches: "),
            "{}",
            written.message
        );
        assert!(
            written
                .message
                .contains("kubectl edit oi acme -n people --subresource=status"),
            "{}",
            written.message
        );
        assert_eq!(written.status["guard"], json!({ "matches": [] }));
        // Without it, the rest is a status of this version.
        let mut rest = written.status;
        rest.as_object_mut().unwrap().remove("guard");
        let rest: OktaIntegrationStatus = serde_json::from_value(rest).unwrap();
        assert_eq!(rest.phase, Some(Phase::Failed));
    }
}
