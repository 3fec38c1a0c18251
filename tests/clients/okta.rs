//! Reads of an org.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use okta_insightful_operator::http::{CallOutcome, Operation, Retryability, Service, WaitCause};
use okta_insightful_operator::model::{OktaStatus, PersonId};
use okta_insightful_operator::okta::{OktaClient, OktaConfig, OktaError, Progress, ReadStep};
use okta_insightful_operator::services::gather;
use sandbox::company::{Company, GROUP_PREFIX};
use sandbox::faults::{Kind, Match};
use sandbox::journal::Entry;
use sandbox::okta::{Bucket, Okta, Settings};
use serde_json::json;
use url::Url;

use crate::{Recorder, canned, fast_retries, short_limits, unreachable_url};

pub const USERS: &str = "/api/v1/users";
pub const GROUPS: &str = "/api/v1/groups";
pub const MEMBERS: &str = "/api/v1/groups/*/users";

pub fn config(url: &str, token: &str) -> OktaConfig {
    let mut config = OktaConfig::new(Url::parse(url).unwrap(), token);
    config.allow_http_loopback = true;
    config.retry_policy = fast_retries();
    config.request_limits = short_limits();
    config.rate_limit_percent = 100;
    config
}

pub fn client(okta: &Okta) -> OktaClient {
    OktaClient::new(config(&okta.url(), okta.token())).unwrap()
}

/// Small pages, so that each list has several.
pub fn small_pages() -> Settings {
    Settings {
        max_page: Some(7),
        ..Settings::default()
    }
}

fn quiet(_: Progress) {}

#[tokio::test]
async fn all_pages_of_users_are_read() {
    for trailing_page in [false, true] {
        let company = Company::acme();
        let okta = Okta::start_with(
            &company,
            Settings {
                trailing_page,
                ..small_pages()
            },
        );
        let steps = Mutex::new(Vec::new());
        let users = client(&okta)
            .users(&|progress| steps.lock().unwrap().push(progress))
            .await
            .unwrap();

        let read: BTreeSet<&str> = users.iter().map(|person| person.id.as_str()).collect();
        let all: BTreeSet<&str> = company
            .users
            .iter()
            .filter_map(|user| user["id"].as_str())
            .collect();
        assert_eq!(read, all);
        assert!(
            users
                .iter()
                .any(|person| person.status == OktaStatus::Deprovisioned)
        );

        let requests = okta.journal().entries();
        assert!(requests.len() > 5, "{}", requests.len());
        let first = &requests[0];
        assert_eq!(
            (first.param("search"), first.param("limit")),
            (Some("status pr"), Some("200"))
        );
        for request in &requests {
            assert_eq!(request.ignored, Vec::<String>::new());
            assert!(request.headers["content-type"].contains("omitCredentials"));
            assert!(request.gzip, "the response is compressed");
            assert!(request.headers["user-agent"].starts_with("okta-insightful-operator/"));
        }
        let steps = steps.into_inner().unwrap();
        assert_eq!(steps.len(), requests.len());
        let last = Progress {
            step: ReadStep::ReadingUsers,
            done: users.len(),
            total: None,
        };
        assert_eq!(steps.last(), Some(&last));
    }
}

#[tokio::test]
async fn team_groups_are_those_with_exactly_the_prefix_and_have_all_their_members() {
    let company = Company::acme();
    let okta = Okta::start_with(&company, small_pages());
    let look_alike = okta.edit(|org| org.add_group("okta_insgrp_Sales"));
    let steps = Mutex::new(Vec::new());
    let groups = client(&okta)
        .team_groups(GROUP_PREFIX, &|progress| steps.lock().unwrap().push(progress))
        .await
        .unwrap();

    let read: BTreeMap<String, BTreeSet<String>> = groups
        .iter()
        .map(|group| {
            let members = group.members.iter().map(|id| id.as_str().to_owned()).collect();
            (group.id.as_str().to_owned(), members)
        })
        .collect();
    let org = okta.snapshot();
    let expected: BTreeMap<String, BTreeSet<String>> = org
        .members
        .into_iter()
        .filter(|(id, _)| {
            let name = org.groups[id]["profile"]["name"].as_str();
            name.is_some_and(|name| name.starts_with(GROUP_PREFIX))
        })
        .collect();
    assert_eq!(read, expected);
    assert!(
        !okta
            .journal()
            .entries()
            .iter()
            .any(|request| request.path.contains(&look_alike))
    );
    let total = Some(read.len());
    let last = Progress {
        step: ReadStep::ReadingMembers,
        done: read.len(),
        total,
    };
    assert_eq!(steps.into_inner().unwrap().last(), Some(&last));
}

#[tokio::test]
async fn a_read_fails_if_a_page_of_a_group_fails() {
    let okta = Okta::start_with(&Company::acme(), small_pages());
    okta.faults()
        .always(Match::get(MEMBERS).query("after="), Kind::Status(503, None));
    let error = client(&okta).team_groups(GROUP_PREFIX, &quiet).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("Unavailable", Retryability::Retry)
    );
}

#[tokio::test]
async fn a_pagination_loop_is_an_error() {
    let okta = Okta::start_with(&Company::acme(), small_pages());
    okta.faults()
        .always(Match::get(USERS).after(2), Kind::PaginationLoop);
    let error = client(&okta).users(&quiet).await.unwrap_err();
    assert!(matches!(error, OktaError::PaginationLoop { .. }), "{error}");
    assert_eq!(okta.journal().entries().len(), 3);
}

#[tokio::test]
async fn the_token_is_not_sent_to_another_origin() {
    let okta = Okta::start_with(&Company::acme(), small_pages());
    let elsewhere = Okta::start(&Company::acme());
    let foreign = format!("{}{USERS}?after=x", elsewhere.url());
    okta.faults()
        .once(Match::get(USERS), Kind::CrossOriginPagination(foreign));
    let error = client(&okta).users(&quiet).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("CrossOriginPagination", Retryability::Permanent)
    );
    assert!(elsewhere.journal().entries().is_empty());

    let redirect = "HTTP/1.1 302 Found\r\nLocation: https://login.evil.test/x?y\r\nContent-Length: 0\r\n\r\n";
    let (url, requests) = canned(redirect).await;
    let error = OktaClient::new(config(&url, "00secret"))
        .unwrap()
        .users(&quiet)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("redirects to https://login.evil.test (HTTP 302)"),
        "{error}"
    );
    assert_eq!(error.retryability(), Retryability::Permanent);
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_revoked_during_a_read_ends_it_at_once() {
    let okta = Okta::start_with(&Company::acme(), small_pages());
    let client = client(&okta);
    okta.set_token("00another");
    let error = client.users(&quiet).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("TokenRefused", Retryability::Permanent)
    );
    assert!(error.to_string().contains("E0000011"), "{error}");
    assert_eq!(okta.journal().entries().len(), 1);
}

#[tokio::test]
async fn a_missing_role_is_an_error_with_advice() {
    let okta = Okta::start_with(
        &Company::acme(),
        Settings {
            admin_role: false,
            ..Settings::default()
        },
    );
    let error = client(&okta).groups(GROUP_PREFIX).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("NotPermitted", Retryability::Permanent)
    );
    let message = error.to_string();
    assert!(message.starts_with("GET /api/v1/groups: "), "{message}");
    assert!(
        message.contains("E0000006") && message.contains("Read-Only Administrator"),
        "{message}"
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_by_oktas_clock() {
    // By our clock Okta's reset is an hour away.
    let hour_ahead = Settings {
        clock_offset: jiff::SignedDuration::from_hours(1),
        ..Settings::default()
    };
    let okta = Okta::start_with(&Company::acme(), hour_ahead);
    okta.faults().once(Match::get(USERS), Kind::RateLimited);
    let started = Instant::now();
    client(&okta).users(&quiet).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );

    let requests = okta.journal().entries();
    let statuses: Vec<_> = requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(429), Some(200)]);
    assert_eq!(requests[1].headers["x-okta-retry-count"], "1");
    assert_eq!(requests[1].headers["x-okta-retry-for"].len(), 24);
    assert!(!requests[0].headers.contains_key("x-okta-retry-for"));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_an_error() {
    let okta = Okta::start(&Company::acme());
    okta.spend(Bucket::Users, 600);
    let client = client(&okta);
    let error = client.users(&quiet).await.unwrap_err();
    let Retryability::WaitFor(wait) = error.retryability() else {
        panic!("{error}")
    };
    assert!(
        wait > Duration::from_secs(50) && wait <= Duration::from_secs(61),
        "{wait:?}"
    );
    assert_eq!(error.reason(), "RateLimited");
    // No call is sent until then.
    let error = client.users(&quiet).await.unwrap_err();
    assert_eq!(error.reason(), "RateLimitShareUsed");
    assert!(matches!(error.retryability(), Retryability::WaitFor(_)));
    assert_eq!(okta.journal().entries().len(), 1);
}

#[tokio::test]
async fn the_client_stays_within_its_share_of_the_rate_limit() {
    let mut settings = small_pages();
    settings.limits.users = 8;
    settings.limits.token_percent = 100;
    settings.limits.window_seconds = 2;
    let okta = Okta::start_with(&Company::acme(), settings);
    let mut config = config(&okta.url(), okta.token());
    config.rate_limit_percent = 50;
    let recorder = Arc::new(Recorder::default());
    let client = OktaClient::new(config).unwrap().with_observer(recorder.clone());
    client.users(&quiet).await.unwrap();

    let requests = okta.journal().entries();
    assert!(requests.len() > 4, "{}", requests.len());
    assert!(requests.iter().all(|request| request.status == Some(200)));
    assert_eq!(okta.most_used(Bucket::Users).0, 4, "half of a window's 8");
    let waits = recorder.waits();
    assert!(!waits.is_empty());
    assert!(
        waits
            .iter()
            .all(|wait| *wait == (Service::Okta, WaitCause::RateShare)),
        "{waits:?}"
    );
}

#[tokio::test]
async fn a_concurrency_limit_is_retried_soon() {
    let okta = Arc::new(Okta::start(&Company::acme()));
    okta.occupy(75);
    let recorder = Arc::new(Recorder::default());
    let client = client(&okta).with_observer(recorder.clone());
    let release = {
        let okta = Arc::clone(&okta);
        tokio::spawn(async move {
            let refused = |seen: &[Entry]| seen.iter().filter(|entry| entry.status == Some(429)).count();
            // More than the maximum attempts of a failing call.
            let waited = okta
                .journal()
                .wait_until(|seen| refused(seen) >= 4, Duration::from_secs(5));
            waited.await.unwrap();
            okta.occupy(0);
        })
    };
    client.users(&quiet).await.unwrap();
    release.await.unwrap();
    let calls = recorder.calls();
    assert!(calls.len() >= 5, "{calls:?}");
    assert_eq!(calls[0], (Operation::ListUsers, CallOutcome::RateLimited));
    assert_eq!(calls.last(), Some(&(Operation::ListUsers, CallOutcome::Answered)));
    assert!(
        recorder
            .waits()
            .iter()
            .all(|wait| *wait == (Service::Okta, WaitCause::RateLimited))
    );
}

#[tokio::test]
async fn a_500_on_users_restarts_the_list_with_half_the_page_size() {
    let company = Company::acme();
    let okta = Okta::start_with(&company, small_pages());
    okta.faults()
        .once(Match::get(USERS).after(1), Kind::Status(500, None));
    let users = client(&okta).users(&quiet).await.unwrap();
    assert_eq!(users.len(), company.users.len());
    let requests = okta.journal().entries();
    assert_eq!(requests[1].status, Some(500));
    assert_eq!(
        (requests[2].param("limit"), requests[2].param("after")),
        (Some("100"), None)
    );

    okta.journal().clear();
    okta.faults().always(Match::get(USERS), Kind::Status(500, None));
    let error = client(&okta).users(&quiet).await.unwrap_err();
    assert_eq!(error.reason(), "Unavailable");
    let limits: Vec<_> = okta
        .journal()
        .entries()
        .iter()
        .map(|r| r.param("limit").unwrap().to_owned())
        .collect();
    assert_eq!(limits, ["200", "100", "50", "25"]);
}

#[tokio::test]
async fn transient_errors_are_retried() {
    let company = Company::acme();
    let okta = Okta::start_with(&company, small_pages());
    for kind in [
        Kind::Status(500, None),
        Kind::Status(503, None),
        Kind::CutBefore,
        Kind::CutAfter,
        Kind::BrokenJson,
        Kind::BrokenGzip,
        Kind::Status(423, None),
        Kind::DelayAnswer(Duration::from_secs(2)),
    ] {
        let fault = okta.faults().once(Match::get(GROUPS), kind.clone());
        let groups = client(&okta).groups(GROUP_PREFIX).await.unwrap();
        assert_eq!((groups.len(), fault.hits()), (5, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn an_error_is_returned_after_the_last_attempt() {
    let okta = Okta::start(&Company::acme());
    for (kind, reason) in [
        (Kind::Status(503, None), "Unavailable"),
        (Kind::CutAfter, "NoResponse"),
        (Kind::BrokenJson, "InvalidResponse"),
        (Kind::BrokenGzip, "NoResponse"),
        (Kind::Status(423, None), "Unavailable"),
        (Kind::DelayAnswer(Duration::from_secs(2)), "NoResponse"),
    ] {
        let fault = okta.faults().always(Match::get(GROUPS), kind);
        let error = client(&okta).groups(GROUP_PREFIX).await.unwrap_err();
        fault.remove();
        assert_eq!(
            (error.reason(), error.retryability()),
            (reason, Retryability::Retry),
            "{error}"
        );
        assert_eq!(fault.hits(), 3, "{reason}");
    }
}

#[tokio::test]
async fn records_that_cannot_be_read_are_passed_over_and_named() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    let (jane, sales) = (company.user("jane.doe"), company.group("Sales"));
    let (before, _) = client(&okta).directory(GROUP_PREFIX, &quiet).await.unwrap();
    okta.edit(|org| {
        org.users.get_mut(jane).unwrap()["profile"] = json!("Jane Doe");
    });
    let search = format!("profile.name sw \"{GROUP_PREFIX}\"");
    let mut groups: Vec<_> = okta.snapshot().groups.into_values().collect();
    groups.retain(|group| {
        group["profile"]["name"]
            .as_str()
            .unwrap()
            .starts_with(GROUP_PREFIX)
    });
    for group in groups.iter_mut().filter(|group| group["id"] == sales) {
        group["profile"]["name"] = json!(null);
    }
    groups.push(json!({ "id": "a/b", "profile": { "name": "OKTA_INSGRP_Path" } }));
    okta.faults()
        .once(Match::get(GROUPS), Kind::Status(200, Some(json!(groups))));
    let members = format!("{GROUPS}/{}/users", company.group("Support"));
    let only = json!([{ "id": null, "profile": { "login": "nobody@acme.com" } }]);
    okta.faults()
        .once(Match::get(&members), Kind::Status(200, Some(only)));

    okta.journal().clear();
    let (directory, _) = client(&okta).directory(GROUP_PREFIX, &quiet).await.unwrap();
    let unreadable: Vec<String> = directory.unreadable().iter().map(ToString::to_string).collect();
    assert_eq!(unreadable.len(), 4, "{unreadable:?}");
    assert!(
        unreadable[0].starts_with(&format!("Okta user {jane}: profile: ")),
        "{unreadable:?}"
    );
    assert_eq!(
        unreadable[1..],
        [
            format!("Okta group {sales}: profile.name: invalid type: null, expected a string"),
            "Okta group \"OKTA_INSGRP_Path\": id: not an id".to_owned(),
            format!(
                "member of Okta group {} \"nobody@acme.com\": id: invalid type: null, expected a string",
                company.group("Support")
            ),
        ]
    );
    // Neither the person nor the group is missing.
    assert_eq!(directory.people().len(), before.people().len() - 1);
    assert!(!directory.hidden().contains(&jane.into()));
    let sales = &directory.groups()[&sales.into()];
    assert_eq!((sales.name.as_str(), sales.members.is_empty()), ("", false));
    let searches = okta.journal().entries();
    let searches = searches.iter().filter(|entry| entry.path == GROUPS);
    let searches: Vec<_> = searches.filter_map(|entry| entry.param("search")).collect();
    assert_eq!(searches.len(), 1);
    assert!(searches[0].starts_with(&search), "{searches:?}");

    // A list of which most records cannot be read is not to be relied on.
    for (path, record) in [(USERS, json!({ "id": 1 })), (GROUPS, json!({ "id": "00g1" }))] {
        let records = json!(vec![record; 3]);
        let fault = okta
            .faults()
            .always(Match::get(path), Kind::Status(200, Some(records)));
        let error = client(&okta).directory(GROUP_PREFIX, &quiet).await.unwrap_err();
        fault.remove();
        assert_eq!(error.reason(), "InvalidResponse", "{error}");
        assert!(
            error.to_string().contains("3 records, of which 3 cannot be read"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_org_that_cannot_search_within_names_is_read_without_groups_that_look_meant() {
    let okta = Okta::start(&Company::acme());
    okta.edit(|org| org.add_group("ACME\\OKTA_INSGRP_Sales"));
    let (found, _) = client(&okta).directory(GROUP_PREFIX, &quiet).await.unwrap();
    assert_eq!(found.lookalikes().len(), 1);
    let body = json!({
        "errorCode": "E0000031", "errorSummary": "Invalid search criteria.", "errorLink": "E0000031",
        "errorId": "oae1", "errorCauses": [],
    });
    let refused = okta.faults().always(
        Match::get(GROUPS).query("profile.name co"),
        Kind::Status(400, Some(body)),
    );
    let (directory, _) = client(&okta).directory(GROUP_PREFIX, &quiet).await.unwrap();
    assert_eq!(refused.hits(), 1);
    assert_eq!(directory.groups(), found.groups());
    assert!(directory.lookalikes().is_empty());
}

#[tokio::test]
async fn a_response_that_is_too_large_is_an_error() {
    let okta = Okta::start(&Company::acme());
    let mut config = config(&okta.url(), okta.token());
    config.request_limits.max_body_bytes = 1000;
    let error = OktaClient::new(config).unwrap().users(&quiet).await.unwrap_err();
    assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
}

#[tokio::test]
async fn a_single_user_is_up_to_date_while_lists_lag() {
    let company = Company::acme();
    let okta = Okta::start_with(
        &company,
        Settings {
            lag: Duration::from_secs(60),
            ..Settings::default()
        },
    );
    let jane = PersonId::from(company.user("jane.doe"));
    okta.edit(|org| org.user_mut("jane.doe")["status"] = "DEPROVISIONED".into());
    let client = client(&okta);
    let listed = client.users(&quiet).await.unwrap();
    let listed = listed.iter().find(|person| person.id == jane).unwrap();
    let person = client.user(&jane).await.unwrap().unwrap();
    assert_eq!(
        (&listed.status, &person.status),
        (&OktaStatus::Active, &OktaStatus::Deprovisioned)
    );
    assert_eq!(person.title.as_deref(), Some("Reliability Engineer"));

    okta.edit(|org| org.user_mut("jane.doe")["status"] = "ACTIVATING".into());
    let person = client.user(&jane).await.unwrap().unwrap();
    assert_eq!(person.status, OktaStatus::Other("ACTIVATING".into()));
}

#[tokio::test]
async fn a_user_is_found_by_id_only() {
    let okta = Okta::start(&Company::acme());
    okta.edit(|org| org.user_mut("jane.doe")["profile"]["login"] = "janedoe@acme.com".into());
    let client = client(&okta);
    for id in ["00uNobodyHasThisId00", "janedoe", "", "me/sessions"] {
        assert_eq!(client.user(&PersonId::from(id)).await.unwrap(), None, "{id}");
    }
    assert_eq!(okta.journal().entries().len(), 2);
    // A 404 that is not Okta's does not mean that the user does not exist.
    okta.faults()
        .once(Match::any(), Kind::Status(404, Some("no such host".into())));
    let error = client
        .user(&PersonId::from("00uNobodyHasThisId00"))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "NotFound");
}

#[tokio::test]
async fn only_okta_itself_says_who_was_deleted() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    okta.edit(|org| {
        org.set_status("amir.haddad", "DEPROVISIONED");
        org.purge_user("amir.haddad");
    });
    let client = client(&okta);
    let people = ["amir.haddad", "jane.doe"].map(|handle| PersonId::from(company.user(handle)));
    let looked_up = gather::look_up(&client, people.to_vec()).await;
    assert_eq!(looked_up.deleted, people[..1]);
    assert_eq!(looked_up.found[0].id, people[1]);
    assert!(looked_up.failed.is_none());
    for (status, body) in [
        (401, None),
        (403, None),
        (404, Some("no such host".into())),
        (503, None),
    ] {
        let fault = okta
            .faults()
            .always(Match::get("/api/v1/users/*"), Kind::Status(status, body));
        let looked_up = gather::look_up(&client, people.to_vec()).await;
        fault.remove();
        assert!(
            looked_up.deleted.is_empty() && looked_up.found.is_empty(),
            "{status}"
        );
        assert!(
            looked_up.failed.is_some_and(|(id, _)| id == people[0]),
            "{status}"
        );
    }
}

#[tokio::test]
async fn errors_do_not_contain_the_token() {
    let okta = Okta::start(&Company::acme());
    let token = okta.token().to_owned();
    assert!(!format!("{:?}", config(&okta.url(), &token)).contains(&token));
    let mut errors = Vec::new();
    for status in [302, 400, 401, 403, 404, 405, 408, 429, 500, 503] {
        okta.faults().clear();
        okta.faults().always(Match::any(), Kind::Status(status, None));
        let mut config = config(&okta.url(), &token);
        config.retry_policy.max_attempts = 1;
        config.retry_policy.max_total_wait = Duration::ZERO;
        errors.push(
            OktaClient::new(config)
                .unwrap()
                .groups(GROUP_PREFIX)
                .await
                .unwrap_err(),
        );
    }
    okta.faults().clear();
    okta.faults().always(Match::any(), Kind::CutAfter);
    errors.push(client(&okta).groups(GROUP_PREFIX).await.unwrap_err());
    let unreachable = OktaClient::new(config(&unreachable_url().await, &token)).unwrap();
    errors.push(unreachable.groups(GROUP_PREFIX).await.unwrap_err());
    assert_eq!(errors.last().map(OktaError::reason), Some("Unreachable"));
    for error in errors {
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains(&token) && !shown.contains("sandbox-secret"),
            "{shown}"
        );
        assert!(!shown.contains("search"), "{shown}");
    }
}
