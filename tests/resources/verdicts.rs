//! What the API server says of a manifest, and a table of what it should say.

use http::Request;
use kube::{Client, core::Status};
use serde_json::Value;

use crate::plane;

/// What the API server should say of a manifest.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// Takes it.
    Accepted,
    /// Refuses it with these words.
    Refused(&'static str),
}

/// A manifest, what tells it from the others, and what should be said of it.
pub type Case = (String, Value, Verdict);

/// Asks the server about each manifest, with fields validated strictly as
/// kubectl wants it, and creates none. Fails with every wrong answer.
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

/// Fails unless each sentence of the kind's own rules, as its definition has
/// them, is some case's reason to be refused.
pub fn assert_every_rule_has_a_case<K: kube::CustomResourceExt>(cases: &[Case], except: &[&str]) {
    let mut sentences = Vec::new();
    collect_sentences(&serde_json::to_value(K::crd()).unwrap(), &mut sentences);
    assert!(!sentences.is_empty());
    sentences.retain(|sentence| {
        let is_refused_with =
            |(_, _, verdict): &Case| matches!(verdict, Verdict::Refused(words) if sentence.contains(words));
        !cases.iter().any(is_refused_with) && !except.iter().any(|words| sentence.contains(words))
    });
    assert_eq!(
        sentences,
        Vec::<String>::new(),
        "rules without a refused manifest"
    );
}

fn collect_sentences(schema: &Value, into: &mut Vec<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| collect_sentences(item, into)),
        Value::Object(fields) => {
            if let (Some(_), Some(message)) = (fields.get("rule"), fields.get("message")) {
                into.push(message.as_str().unwrap().to_owned());
            }
            fields.values().for_each(|field| collect_sentences(field, into));
        }
        _ => {}
    }
}
