//! The Insightful emulator behaves like Insightful's API, as far as it is known.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is a test failure"
)]

mod account;
#[path = "../calls/mod.rs"]
mod calls;
mod employees;

use std::time::Duration;

use reqwest::Method;
use sandbox::company::Company;
use sandbox::insightful::{Insightful, Settings, TeamEmployees};
use serde_json::{Value, json};

use calls::{Reply, client, send};

async fn call(insightful: &Insightful, method: Method, path: &str, body: Option<Value>) -> Reply {
    with(insightful, insightful.token(), method, path, body).await
}

async fn with(
    insightful: &Insightful,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let mut request = client()
        .request(method, insightful.url() + path)
        .bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    send(request).await.expect("an answer")
}

async fn get(insightful: &Insightful, path: &str) -> Reply {
    call(insightful, Method::GET, path, None).await
}

async fn put(insightful: &Insightful, path: &str, body: Value) -> Reply {
    call(insightful, Method::PUT, path, Some(body)).await
}

async fn post(insightful: &Insightful, path: &str, body: Value) -> Reply {
    call(insightful, Method::POST, path, Some(body)).await
}

/// The fields and types of the violations in a 422.
fn violations(reply: &Reply) -> Vec<(&str, &str)> {
    assert_eq!(reply.status, 422, "{}", reply.body);
    assert_eq!(reply.body["type"], "VALIDATION_ERROR");
    assert_eq!(reply.body["message"], "Parameters validation error!");
    let details = reply.body["details"].as_array().unwrap().iter();
    details
        .map(|detail| {
            (
                detail["field"].as_str().unwrap(),
                detail["type"].as_str().unwrap(),
            )
        })
        .collect()
}

fn hire(acme: &Company, email: &str) -> Value {
    json!({"name": "New Hire", "email": email, "teamId": acme.team("Onboarding"), "sharedSettingsId": acme.settings("Default")})
}
