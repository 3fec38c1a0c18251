//! Okta's rarer answers, in the shapes that were recorded of real orgs.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use okta_insightful_operator::cli::recording::Recording;
use okta_insightful_operator::http::Retryability;
use okta_insightful_operator::insightful::{InsightfulClient, InsightfulConfig};
use okta_insightful_operator::model::{OktaStatus, PersonId, Snapshot};
use okta_insightful_operator::okta::{OktaClient, Progress};
use sandbox::company::{Company, GROUP_PREFIX};
use sandbox::faults::{Kind, Match};
use sandbox::insightful::Insightful;
use sandbox::journal::Entry;
use sandbox::okta::{Okta, Settings};
use serde_json::json;
use url::Url;

use crate::changes::{advance_clock, full_sync};
use crate::okta::{GROUPS, USERS, client, config, small_pages};

fn quiet(_: Progress) {}

fn with_status(okta: &Okta, status: u16) -> Vec<Entry> {
    let entries = okta.journal().entries().into_iter();
    entries.filter(|entry| entry.status == Some(status)).collect()
}

#[tokio::test]
async fn a_list_whose_cursor_expired_is_read_again_from_its_beginning_once() {
    let company = Company::acme();
    let okta = Okta::start_with(&company, small_pages());
    let client = client(&okta);
    okta.expire_cursors(1);
    let users = client.users(&quiet).await.unwrap();
    assert_eq!(users.len(), company.users.len());
    let entries = okta.journal().entries();
    let rejected = entries
        .iter()
        .position(|entry| entry.status == Some(400))
        .unwrap();
    assert_eq!(entries[rejected + 1].param("after"), None, "from the beginning");

    // The lists of members have the other code.
    okta.expire_cursors(1);
    let groups = client.team_groups(GROUP_PREFIX, &quiet).await.unwrap();
    assert_eq!(groups.len(), 5);
    let rejected = with_status(&okta, 400);
    assert!(rejected.last().unwrap().path.ends_with("/users"), "{rejected:?}");

    okta.journal().clear();
    okta.expire_cursors(u32::MAX);
    let error = client.users(&quiet).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("InvalidCursor", Retryability::Retry)
    );
    let message = error.to_string();
    assert!(
        message.contains("link to the next page") && message.contains("E0000031"),
        "{message}"
    );
    assert_eq!(with_status(&okta, 400).len(), 2);
    let error = client.team_groups(GROUP_PREFIX, &quiet).await.unwrap_err();
    assert_eq!(error.reason(), "InvalidCursor", "{error}");
    assert!(error.to_string().contains("E0000029"), "{error}");
}

#[tokio::test]
async fn a_search_that_okta_rejects_for_another_cause_is_not_repeated() {
    let okta = Okta::start(&Company::acme());
    for causes in [
        json!([{ "errorSummary": "Invalid date." }]),
        json!([]),
        json!(null),
    ] {
        let body = json!({ "errorCode": "E0000031", "errorSummary": "Invalid search criteria.", "errorCauses": causes });
        okta.journal().clear();
        okta.faults()
            .once(Match::get(USERS), Kind::Status(400, Some(body)));
        let error = client(&okta).users(&quiet).await.unwrap_err();
        assert_eq!(
            (error.reason(), error.retryability()),
            ("InvalidRequest", Retryability::Permanent)
        );
        assert!(error.to_string().contains("E0000031"), "{error}");
        assert_eq!(okta.journal().entries().len(), 1);
    }
}

#[tokio::test]
async fn a_delta_whose_cursor_expired_is_read_again() {
    let okta = Okta::start_with(&Company::acme(), small_pages());
    let client = client(&okta);
    let (snapshot, mark) = full_sync(&client).await;
    advance_clock(&okta, SignedDuration::from_hours(1));
    let changed: Vec<String> = okta.snapshot().users.keys().take(20).cloned().collect();
    okta.edit(|org| {
        for id in &changed {
            org.set_title(id, Some("Changed"));
        }
    });
    okta.expire_cursors(1);
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!(delta.people(), 20);
    assert_eq!(with_status(&okta, 400).len(), 1);
}

#[tokio::test]
async fn a_concurrency_limit_is_not_waited_for_until_the_orgs_window_ends() {
    for doubled_rate_headers in [false, true] {
        let okta = Okta::start_with(
            &Company::acme(),
            Settings {
                doubled_rate_headers,
                ..Settings::default()
            },
        );
        okta.occupy(75);
        let started = Instant::now();
        let release = async {
            let refused = |seen: &[Entry]| seen.iter().filter(|entry| entry.status == Some(429)).count();
            let waited = okta
                .journal()
                .wait_until(|seen| refused(seen) >= 3, Duration::from_secs(5));
            waited.await.unwrap();
            okta.occupy(0);
        };
        let client = client(&okta);
        let (users, ()) = tokio::join!(client.users(&quiet), release);
        users.unwrap();
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn of_two_rate_limits_the_smaller_one_counts() {
    let mut settings = small_pages();
    settings.doubled_rate_headers = true;
    settings.limits.users = 8;
    settings.limits.token_percent = 100;
    settings.limits.window_seconds = 2;
    let okta = Okta::start_with(&Company::acme(), settings);
    let mut config = config(&okta.url(), okta.token());
    config.rate_limit_percent = 50;
    OktaClient::new(config).unwrap().users(&quiet).await.unwrap();
    assert!(with_status(&okta, 429).is_empty());
    assert_eq!(
        okta.most_used(sandbox::okta::Bucket::Users).0,
        4,
        "half of a window's 8"
    );
}

#[tokio::test]
async fn a_403_without_a_body_names_the_scope() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    okta.configure(|settings| settings.missing_scopes = ["okta.users.read".to_owned()].into());
    let jane = PersonId::from(okta.snapshot().user_id("jane.doe"));
    let errors = [
        client.users(&quiet).await.unwrap_err(),
        client.user(&jane).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            (error.reason(), error.retryability()),
            ("ScopeMissing", Retryability::Permanent)
        );
        let message = error.to_string();
        assert!(
            message.contains("scope okta.users.read") && message.contains("Read-Only Administrator"),
            "{message}"
        );
    }
    okta.configure(|settings| settings.missing_scopes = ["okta.groups.read".to_owned()].into());
    client.users(&quiet).await.unwrap();
    let error = client.team_groups(GROUP_PREFIX, &quiet).await.unwrap_err();
    assert!(error.to_string().contains("scope okta.groups.read"), "{error}");
}

#[tokio::test]
async fn an_empty_list_of_users_names_the_missing_role() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    okta.configure(|settings| settings.sees_users = false);
    let error = client.users(&quiet).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("NoUsers", Retryability::Retry)
    );
    let message = error.to_string();
    assert!(message.starts_with("GET /api/v1/users: "), "{message}");
    assert!(message.contains("Read-Only Administrator"), "{message}");
    assert_eq!(
        with_status(&okta, 200).last().unwrap().path,
        USERS,
        "the answer is no error"
    );

    // In a delta, an empty list says that nobody changed.
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!(delta.people(), 0);
    let before = snapshot.people().clone();
    snapshot.apply(delta);
    assert_eq!(*snapshot.people(), before);
}

#[tokio::test]
async fn an_error_without_causes_has_its_code() {
    let okta = Okta::start_with(
        &Company::acme(),
        Settings {
            null_causes: true,
            admin_role: false,
            ..Settings::default()
        },
    );
    let error = client(&okta).users(&quiet).await.unwrap_err();
    assert!(error.to_string().contains("(HTTP 403 E0000006 "), "{error}");
    // The code decides what a 404 means.
    okta.configure(|settings| settings.admin_role = true);
    let nobody = client(&okta).user(&PersonId::from("00uNobodyHasThisId00")).await;
    assert_eq!(nobody.unwrap(), None);
}

#[tokio::test]
async fn a_record_that_is_read_by_id_shows_a_reactivation() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    okta.edit(|org| {
        org.set_status("jane.doe", "DEPROVISIONED");
        org.begin_reactivation("jane.doe");
    });
    let jane = PersonId::from(company.user("jane.doe"));
    let client = client(&okta);
    let listed = client.users(&quiet).await.unwrap();
    let listed = listed.iter().find(|person| person.id == jane).unwrap();
    assert!(listed.departure(false).is_some(), "the list leaves it out");
    let read = client.user(&jane).await.unwrap().unwrap();
    assert_eq!(
        (&read.status, &read.transitioning_to),
        (&OktaStatus::Deprovisioned, &Some(OktaStatus::Provisioned))
    );
    assert_eq!(read.departure(false), None);
    let request = okta.journal().entries().pop().unwrap();
    assert!(request.headers["content-type"].contains("omitCredentials"));
    okta.edit(|org| org.set_status("jane.doe", "DEPROVISIONED"));
    let read = client.user(&jane).await.unwrap().unwrap();
    assert!(read.departure(false).is_some());
}

#[tokio::test]
async fn the_case_of_headers_does_not_matter() {
    let company = Company::acme();
    let mut settings = small_pages();
    settings.title_case_headers = true;
    let okta = Okta::start_with(&company, settings);
    let users = client(&okta).users(&quiet).await.unwrap();
    assert_eq!(users.len(), company.users.len());
}

/// Deletes a group after the list of groups was read, and before its members are.
async fn delete_before_its_members_are_read<T>(okta: &Okta, group: &str, read: impl Future<Output = T>) -> T {
    let members = format!("{GROUPS}/{}/users", okta.snapshot().group_id(group));
    let delay = okta
        .faults()
        .once(Match::get(&members), Kind::Delay(Duration::from_millis(200)));
    let delete = async {
        let asked = |seen: &[Entry]| seen.iter().any(|entry| entry.path == members);
        okta.journal()
            .wait_until(asked, Duration::from_secs(5))
            .await
            .unwrap();
        okta.edit(|org| org.delete_group(group));
    };
    let (read, ()) = tokio::join!(read, delete);
    delay.remove();
    read
}

#[tokio::test]
async fn a_group_that_was_deleted_after_the_list_was_read_counts_as_not_found() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    let client = client(&okta);
    let before = full_sync(&client).await.0;
    okta.journal().clear();
    let read = client.directory(GROUP_PREFIX, &quiet);
    let (directory, _) = delete_before_its_members_are_read(&okta, "Sales", read)
        .await
        .unwrap();
    let sales = company.group("Sales");
    assert_eq!(directory.groups().len(), before.groups().len() - 1);
    assert!(!directory.groups().contains_key(&sales.into()));
    assert_eq!(directory.people(), before.people());
    let by_id = format!("{GROUPS}/{sales}");
    let asked = okta.journal().entries().into_iter();
    assert_eq!(asked.filter(|entry| entry.path == by_id).count(), 1);
}

#[tokio::test]
async fn a_group_that_was_deleted_during_a_delta_stays_until_the_next_full_sync() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    let before: Snapshot = snapshot.clone();
    advance_clock(&okta, SignedDuration::from_hours(1));
    okta.edit(|org| org.add_member("Sales", "jane.doe"));
    okta.journal().clear();
    let directory = before.directory().clone();
    let read = client.changes(GROUP_PREFIX, mark, &directory, &quiet);
    let delta = delete_before_its_members_are_read(&okta, "Sales", read)
        .await
        .unwrap();
    assert_eq!(delta.groups(), 0);
    snapshot.apply(delta);
    assert_eq!(snapshot.groups(), before.groups());
}

#[tokio::test]
async fn a_deleted_group_with_a_hidden_member_fails_no_delta() {
    let okta = Okta::start(&Company::acme());
    let hidden = okta.edit(|org| {
        let hidden = org.add_user("hanna.hidden", "Hanna", "Hidden");
        org.add_member("Sales", &hidden);
        hidden
    });
    okta.configure(|settings| settings.hidden = [hidden.clone()].into());
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    let before = snapshot.clone();
    okta.edit(|org| org.delete_group("Sales"));
    let delta = client
        .changes(GROUP_PREFIX, mark, before.directory(), &quiet)
        .await
        .unwrap();
    snapshot.apply(delta);
    assert_eq!(snapshot, before);
}

#[tokio::test]
async fn a_group_is_not_missing_because_its_members_cannot_be_read() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let sales = format!("{GROUPS}/{}", okta.snapshot().group_id("Sales"));
    let members = format!("{sales}/users");
    // Okta, asked by id, has the group; then a proxy answers, and then Okta is down.
    for (by_id, reason) in [
        (None, "NotFound"),
        (Some(Kind::Status(404, Some(json!("no such host")))), "NotFound"),
        (Some(Kind::Status(503, None)), "Unavailable"),
        (Some(Kind::Status(403, None)), "NotPermitted"),
    ] {
        let fault = okta
            .faults()
            .always(Match::get(&members), Kind::Status(404, None));
        let by_id = by_id.map(|kind| okta.faults().always(Match::get(&sales), kind));
        let error = client.team_groups(GROUP_PREFIX, &quiet).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        fault.remove();
        by_id.inspect(|fault| fault.remove());
    }
    let groups = client.team_groups(GROUP_PREFIX, &quiet).await.unwrap();
    assert_eq!(groups.len(), 5);
}

#[tokio::test]
async fn a_recording_lacks_a_group_that_was_deleted_after_the_list_was_read() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    let mut config = InsightfulConfig::new(Url::parse(&insightful.url()).unwrap(), insightful.token().into());
    config.allow_http_loopback = true;
    let insightful = InsightfulClient::new(config).unwrap();
    let client = client(&okta);
    let read = Recording::of(&client, &insightful, GROUP_PREFIX);
    let recording = delete_before_its_members_are_read(&okta, "Sales", read)
        .await
        .unwrap();
    assert_eq!(recording.groups.len(), 4);
    assert_eq!(recording.members.len(), 4);
    let dir = tempfile::TempDir::new().unwrap();
    recording.save(&dir.path().join("recording")).unwrap();
    assert_eq!(Recording::load(&dir.path().join("recording")).unwrap(), recording);
}
