//! Tables of manifests with the API server's expected verdict.

use http::Request;
use kube::{Client, core::Status};
use serde_json::Value;

use crate::plane;

#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    Accepted,
    /// Rejected with a message that contains this text.
    Refused(&'static str),
}

/// A description, a manifest and the expected verdict.
pub type Case = (String, Value, Verdict);

/// Sends each manifest to the server as a dry run with strict field validation, as kubectl does. Panics with all
/// wrong verdicts.
pub async fn assert_verdicts(plural: &str, cases: &[Case]) {
    let plane = plane().await;
    let client = plane.admin_client().await.unwrap();
    let namespace = plane.namespace("rules").await.unwrap();
    let mut wrong = Vec::new();
    for (what, manifest, expected) in cases {
        let answer = create(&client, &namespace, plural, manifest).await;
        let is_right = match (expected, &answer) {
            (Verdict::Accepted, Ok(())) => true,
            (Verdict::Refused(words), Err(status)) => {
                matches!(status.code, 400 | 422) && status.message.contains(words)
            }
            _ => false,
        };
        if !is_right {
            wrong.push(match answer {
                Ok(()) => format!("{what}: accepted, expected {expected:?}"),
                Err(status) => format!("{what}: expected {expected:?}, but: {}", status.message),
            });
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

async fn create(client: &Client, namespace: &str, plural: &str, manifest: &Value) -> Result<(), Box<Status>> {
    let uri = format!(
        "/apis/integrations.insightful.io/v1alpha1/namespaces/{namespace}/{plural}?dryRun=All&fieldValidation=Strict"
    );
    let request = Request::post(uri)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(manifest).unwrap())
        .unwrap();
    match client.request::<Value>(request).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) => Err(status),
        Err(error) => panic!("{error}"),
    }
}

/// Panics unless the message of each CEL rule of the kind is expected by a case or listed in `except`.
pub fn assert_every_rule_has_a_case<K: kube::CustomResourceExt>(cases: &[Case], except: &[&str]) {
    let mut messages = Vec::new();
    collect_messages(&serde_json::to_value(K::crd()).unwrap(), &mut messages);
    assert!(!messages.is_empty());
    messages.retain(|message| {
        let is_refused_with =
            |(_, _, verdict): &Case| matches!(verdict, Verdict::Refused(words) if message.contains(words));
        !cases.iter().any(is_refused_with) && !except.iter().any(|words| message.contains(words))
    });
    assert_eq!(
        messages,
        Vec::<String>::new(),
        "rules without a rejected manifest"
    );
}

fn collect_messages(schema: &Value, into: &mut Vec<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| collect_messages(item, into)),
        Value::Object(fields) => {
            if let (Some(_), Some(message)) = (fields.get("rule"), fields.get("message")) {
                into.push(message.as_str().unwrap().to_owned());
            }
            fields.values().for_each(|field| collect_messages(field, into));
        }
        _ => {}
    }
}
