//! The Okta emulator behaves as Okta documents.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is a test failure"
)]

mod access;
mod app;
#[path = "../calls/mod.rs"]
mod calls;
mod changes;
mod dpop;
mod form;
mod lists;
mod search;
mod service_app;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use sandbox::company::Company;
use sandbox::okta::{Bucket, Limits, Okta, Schemas, Settings};
use serde_json::{Value, json};

use calls::{Reply, client, send};

const USERS: &str = "/api/v1/users";
const GROUPS: &str = "/api/v1/groups";

async fn get(okta: &Okta, path: &str, query: &[(&str, &str)]) -> Reply {
    let url = if path.starts_with("http") {
        path.to_owned()
    } else {
        okta.url() + path
    };
    let request = client().get(url).query(query);
    send(request.header("authorization", format!("SSWS {}", okta.token())))
        .await
        .expect("an answer")
}

/// All pages, following `next`.
async fn pages(okta: &Okta, path: &str, query: &[(&str, &str)]) -> Vec<Reply> {
    let mut pages = vec![get(okta, path, query).await];
    while let Some(next) = pages[pages.len() - 1].link("next") {
        pages.push(get(okta, &next, &[]).await);
        assert!(pages.len() < 200, "endless pages");
    }
    pages
}

/// The handles of the users in a list, in order.
fn handles(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let login = |user: &Value| {
        user["profile"]["login"]
            .as_str()
            .unwrap()
            .replace("@acme.com", "")
    };
    let mut handles: Vec<_> = reply.body.as_array().unwrap().iter().map(login).collect();
    handles.sort();
    handles
}

fn code(reply: &Reply) -> (u16, &str) {
    (
        reply.status,
        reply.body["errorCode"].as_str().unwrap_or("no errorCode"),
    )
}

fn small_pages() -> Settings {
    Settings {
        max_page: Some(7),
        ..Settings::default()
    }
}
