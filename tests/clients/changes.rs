//! Delta reads: their calls, and which deltas are rejected.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use okta_insightful_operator::http::Retryability;
use okta_insightful_operator::insightful::{InsightfulClient, InsightfulConfig};
use okta_insightful_operator::model::{Complete, Directory, Mark, OktaStatus, Person, Snapshot, Workforce};
use okta_insightful_operator::okta::{OktaClient, Progress};
use okta_insightful_operator::services::gather::{gather, gather_changes};
use sandbox::company::{Company, GROUP_PREFIX};
use sandbox::faults::{Kind, Match};
use sandbox::insightful::{self, Insightful};
use sandbox::journal::Entry;
use sandbox::okta::{Okta, Settings};
use serde_json::json;
use url::Url;

use crate::{
    canned, fast_retries,
    okta::{GROUPS, MEMBERS, USERS, client, config},
};

fn quiet(_: Progress) {}

/// A snapshot with an empty workforce.
fn snapshot(directory: Directory) -> Snapshot {
    let workforce = Workforce {
        employees: Complete::from_all_pages(vec![]),
        teams: Complete::from_all_pages(vec![]),
        settings: Complete::from_all_pages(vec![]),
        unreadable: Default::default(),
        organization: None,
    };
    Snapshot::new(directory, workforce)
}

pub async fn full_sync(client: &OktaClient) -> (Snapshot, Mark) {
    let (directory, mark) = client.directory(GROUP_PREFIX, &quiet).await.unwrap();
    (snapshot(directory), mark.unwrap())
}

/// Advances the org's clock.
pub fn advance_clock(okta: &Okta, time: SignedDuration) {
    okta.configure(|settings| settings.clock_offset += time);
}

/// Returns the paths of the calls since the last look at them, sorted.
fn take_calls(okta: &Okta) -> Vec<String> {
    let mut paths: Vec<String> = okta
        .journal()
        .entries()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    okta.journal().clear();
    paths.sort();
    paths
}

fn members(okta: &Okta, group: &str) -> String {
    format!("{GROUPS}/{}/users", okta.snapshot().group_id(group))
}

#[tokio::test]
async fn a_full_sync_makes_the_fewest_possible_calls() {
    let company = Company::generate(950, 3);
    let okta = Okta::start(&company);
    let insightful = Insightful::start(&company);
    let mut insightful_config =
        InsightfulConfig::new(Url::parse(&insightful.url()).unwrap(), insightful.token().into());
    insightful_config.allow_http_loopback = true;
    let insightful_client = InsightfulClient::new(insightful_config).unwrap();
    let client = client(&okta);
    let gathered = gather(&client, &insightful_client, GROUP_PREFIX, false, &quiet)
        .await
        .unwrap();

    let groups = gathered.snapshot.groups().values();
    let member_pages: usize = groups.map(|group| group.members.len().div_ceil(200).max(1)).sum();
    assert!(
        member_pages > gathered.snapshot.groups().len(),
        "a group has several pages"
    );
    let users = company.users.len().div_ceil(200);
    assert_eq!(take_calls(&okta).len(), users + 1 + member_pages);
    let reads = |insightful: &Insightful| {
        let mut reads: Vec<String> = insightful
            .journal()
            .entries()
            .into_iter()
            .map(|entry| entry.line())
            .collect();
        insightful.journal().clear();
        reads.sort();
        reads
    };
    let three = [
        "GET /api/v1/employee 200",
        "GET /api/v1/shared-settings 200",
        "GET /api/v1/team 200",
    ];
    assert_eq!(reads(&insightful), three);

    // A delta without changes makes two calls to Okta, and reads Insightful if that is due.
    let mark = gathered.mark.unwrap();
    let directory = gathered.snapshot.directory();
    let changes = async |with_workforce| {
        gather_changes(
            &client,
            &insightful_client,
            GROUP_PREFIX,
            mark,
            directory,
            with_workforce,
            &quiet,
        )
        .await
        .unwrap()
    };
    for (with_workforce, expected) in [(true, &three[..]), (false, &[])] {
        let (delta, workforce) = changes(with_workforce).await;
        assert_eq!((delta.people(), delta.groups()), (0, 0));
        assert_eq!(workforce.is_some(), with_workforce);
        assert_eq!(take_calls(&okta), [GROUPS, USERS]);
        assert_eq!(reads(&insightful), expected);
    }

    // A change in Okta makes it due.
    okta.edit(|org| {
        let person = org.users.keys().next().unwrap().clone();
        org.rename_user(&person, "Jane", "Roe");
    });
    let (delta, workforce) = changes(false).await;
    assert_eq!((delta.people(), workforce.is_some()), (1, true));
    assert_eq!(reads(&insightful), three);
}

#[tokio::test]
async fn retries_while_insightful_is_down_make_no_calls_to_okta() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    let mut config = InsightfulConfig::new(Url::parse(&insightful.url()).unwrap(), insightful.token().into());
    config.allow_http_loopback = true;
    config.retry_policy = fast_retries();
    let insightful_client = InsightfulClient::new(config).unwrap();
    let down = insightful.faults().always(Match::any(), Kind::Status(503, None));
    let client = client(&okta);
    let read = gather(&client, &insightful_client, GROUP_PREFIX, true, &quiet).await;
    assert_eq!(read.unwrap_err().reason(), "Unavailable");
    assert_eq!(take_calls(&okta), Vec::<String>::new());
    down.remove();
    let read = gather(&client, &insightful_client, GROUP_PREFIX, true, &quiet).await;
    assert_eq!(read.unwrap().snapshot.people().len(), company.users.len());
}

#[tokio::test]
async fn a_delta_without_changes_makes_two_searches() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    okta.journal().clear();
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    let requests = okta.journal().entries();
    let search = |path: &str| {
        let of_path = |entry: &&Entry| entry.path == path;
        let entry = requests.iter().find(of_path).unwrap();
        assert_eq!((entry.param("limit"), entry.status), (Some("200"), Some(200)));
        assert_eq!(entry.ignored, Vec::<String>::new());
        entry.param("search").unwrap().to_owned()
    };
    let since = format!("{:.3}", mark.changes_since());
    assert_eq!(
        search(USERS),
        format!("lastUpdated gt \"{since}\" or statusChanged gt \"{since}\"")
    );
    assert_eq!(
        search(GROUPS),
        format!(
            "profile.name sw \"OKTA_INSGRP_\" and (lastUpdated gt \"{since}\" or lastMembershipUpdated gt \"{since}\")"
        )
    );
    assert_eq!(requests.len(), 2);
    assert!(delta.mark() >= mark);
    assert!(!snapshot.apply(delta));
}

#[tokio::test]
async fn a_delta_reads_changed_users_and_the_members_of_changed_groups() {
    let company = Company::generate(950, 4);
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    advance_clock(&okta, SignedDuration::from_hours(1));
    let people: Vec<String> = okta.snapshot().users.keys().take(401).cloned().collect();
    let groups: Vec<String> = snapshot
        .groups()
        .keys()
        .take(2)
        .map(ToString::to_string)
        .collect();
    okta.edit(|org| {
        for person in &people {
            org.set_profile(person, "title", "Renamed");
        }
        for group in &groups {
            let outside = org
                .users
                .keys()
                .find(|user| !org.members[group].contains(*user))
                .cloned();
            org.add_member(group, &outside.unwrap());
        }
    });
    take_calls(&okta);
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!((delta.people(), delta.groups()), (401, 2));
    let member_pages: usize = groups
        .iter()
        .map(|group| okta.snapshot().members[group].len().div_ceil(200))
        .sum();
    let made = take_calls(&okta);
    assert_eq!(
        made.len(),
        2 + 401_usize.div_ceil(200) - 1 + member_pages,
        "{made:?}"
    );
    let next = delta.mark();
    assert!(snapshot.apply(delta));
    assert_eq!(snapshot, full_sync(&client).await.0);

    // After the overlap, the changes are not read again.
    advance_clock(&okta, SignedDuration::from_hours(1));
    let resolved = client
        .changes(GROUP_PREFIX, next, snapshot.directory(), &quiet)
        .await
        .unwrap();
    advance_clock(&okta, SignedDuration::from_hours(1));
    take_calls(&okta);
    let idle = client
        .changes(GROUP_PREFIX, resolved.mark(), snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!((idle.people(), idle.groups()), (0, 0));
    assert_eq!(take_calls(&okta), [GROUPS, USERS]);
}

#[tokio::test]
async fn a_delta_finds_every_kind_of_change() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (mut snapshot, mut mark) = full_sync(&client).await;
    okta.edit(|org| org.add_group("Interns"));
    type Change = fn(&mut sandbox::okta::Org);
    let changes: [(&str, Change); 7] = [
        ("a profile", |org| org.set_title("jane.doe", Some("Director"))),
        ("a status with only its own timestamp", |org| {
            let now = org.now();
            let amir = org.user_mut("amir.haddad");
            amir["status"] = "SUSPENDED".into();
            amir["statusChanged"] = now.into();
        }),
        ("a membership", |org| org.add_member("Sales", "jane.doe")),
        ("a removed membership", |org| {
            org.remove_member("Engineering", "jane.doe");
        }),
        ("a renamed group", |org| {
            org.rename_group("Marketing", "OKTA_INSGRP_Brand")
        }),
        ("a group that gets the prefix", |org| {
            org.rename_group("Interns", "OKTA_INSGRP_Interns")
        }),
        ("a prefix that differs by case", |org| {
            org.rename_group("Support", "okta_insgrp_Support")
        }),
    ];
    for (what, change) in changes {
        advance_clock(&okta, SignedDuration::from_hours(1));
        okta.edit(change);
        let delta = client
            .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
            .await
            .unwrap();
        mark = delta.mark();
        assert!(snapshot.apply(delta), "{what}");
        assert_eq!(snapshot, full_sync(&client).await.0, "{what}");
    }
    take_calls(&okta);
    let support = members(&okta, "okta_insgrp_Support");
    advance_clock(&okta, SignedDuration::from_secs(1));
    let again = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(!snapshot.apply(again));
    assert!(
        !take_calls(&okta).contains(&support),
        "the members of a group without the prefix are not read"
    );
}

#[tokio::test]
async fn deleted_records_stay_until_the_next_full_sync() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    let before = snapshot.clone();
    advance_clock(&okta, SignedDuration::from_hours(1));
    let (data, nils) = (company.group("Data Science"), company.user("nate.vpn"));
    okta.edit(|org| {
        org.delete_group("Data Science");
        org.rename_group("Marketing", "Marketing");
        org.delete_user("nate.vpn");
    });
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!((delta.people(), delta.groups()), (0, 0));
    assert!(!snapshot.apply(delta));
    assert_eq!(snapshot, before);
    let (full, _) = full_sync(&client).await;
    assert!(!full.groups().contains_key(&data.into()));
    assert!(!full.groups().contains_key(&company.group("Marketing").into()));
    assert!(!full.people().contains_key(&nils.into()));
    // The people who are missing have not departed.
    let departures = |snapshot: &Snapshot| {
        let people = snapshot.people().values();
        people.filter_map(|person| person.departure(true)).count()
    };
    assert_eq!(departures(&full), departures(&before));
}

#[tokio::test]
async fn a_change_that_a_lagging_search_missed_is_in_the_next_delta() {
    let settings = Settings {
        lag: Duration::from_millis(1500),
        ..Settings::default()
    };
    let company = Company::acme();
    let okta = Okta::start_with(&company, settings);
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    okta.edit(|org| {
        org.set_status("jane.doe", "DEPROVISIONED");
        org.add_member("Sales", "amir.haddad");
    });
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    let next = delta.mark();
    assert!(!snapshot.apply(delta), "not shown yet");
    tokio::time::sleep(Duration::from_millis(1600)).await;
    // The change is before the mark, but within the overlap.
    let delta = client
        .changes(GROUP_PREFIX, next, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(snapshot.apply(delta));
    let jane = &snapshot.people()[&company.user("jane.doe").into()];
    assert_eq!(jane.status, OktaStatus::Deprovisioned);
    assert_eq!(snapshot, full_sync(&client).await.0);
}

#[tokio::test]
async fn a_delta_fails_if_a_page_fails() {
    let settings = Settings {
        max_page: Some(3),
        ..Settings::default()
    };
    let okta = Okta::start_with(&Company::acme(), settings);
    let client = client(&okta);
    let (snapshot, mark) = full_sync(&client).await;
    advance_clock(&okta, SignedDuration::from_hours(1));
    okta.edit(|org| {
        for handle in [
            "jane.doe",
            "amir.haddad",
            "mona.idris",
            "john.smith",
            "iris.lower",
        ] {
            org.set_title(handle, Some("Renamed"));
        }
        org.add_member("Sales", "jane.doe");
    });
    for (path, fault, reason) in [
        (USERS, Kind::Status(503, None), "Unavailable"),
        (USERS, Kind::BrokenJson, "InvalidResponse"),
        (USERS, Kind::PaginationLoop, "PaginationLoop"),
        (MEMBERS, Kind::Status(503, None), "Unavailable"),
        (MEMBERS, Kind::Status(404, None), "NotFound"),
        (MEMBERS, Kind::PaginationLoop, "PaginationLoop"),
    ] {
        let standing = okta.faults().always(Match::get(path).after(1), fault.clone());
        let error = client
            .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
            .await
            .unwrap_err();
        standing.remove();
        assert_eq!(
            (error.reason(), error.retryability()),
            (reason, Retryability::Retry),
            "{fault:?} on {path}"
        );
    }
    okta.faults()
        .once(Match::get(USERS).after(1), Kind::Status(500, None));
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!((delta.people(), delta.groups()), (5, 1), "half the page goes");
}

#[tokio::test]
async fn a_delta_of_half_the_org_is_rejected_before_its_last_page() {
    let company = Company::generate(1300, 5);
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (snapshot, mark) = full_sync(&client).await;
    advance_clock(&okta, SignedDuration::from_hours(1));
    okta.edit(|org| {
        for person in org.users.keys().cloned().collect::<Vec<_>>() {
            org.set_profile(&person, "department", "All");
        }
    });
    take_calls(&okta);
    let error = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason(), error.retryability()),
        ("DeltaUnusable", Retryability::Retry)
    );
    let half = snapshot.people().len() / 2;
    assert!(error.to_string().contains("more than"), "{error}");
    let pages = take_calls(&okta).iter().filter(|path| *path == USERS).count();
    assert_eq!(pages, (half + 1).div_ceil(200));
}

#[tokio::test]
async fn a_delta_is_rejected_if_the_clock_went_back() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    advance_clock(&okta, SignedDuration::from_hours(1));
    let (snapshot, mark) = full_sync(&client).await;
    // Clocks of servers differ; a mark that goes back loses no changes.
    advance_clock(&okta, SignedDuration::from_mins(-2));
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(delta.mark() < mark);
    advance_clock(&okta, SignedDuration::from_mins(-10));
    let error = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "DeltaUnusable");
}

#[tokio::test]
async fn without_a_date_there_is_no_mark() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 65\r\nConnection: close\r\n\r\n\
        [{\"id\":\"00x1\",\"profile\":{\"name\":\"OKTA_INSGRP_X\",\"login\":\"jane\"}}]";
    assert_eq!(answer.split("\r\n\r\n").nth(1).unwrap().len(), 65);
    let (url, _) = canned(answer).await;
    let client = OktaClient::new(config(&url, "00secret")).unwrap();
    let (directory, mark) = client.directory(GROUP_PREFIX, &quiet).await.unwrap();
    assert_eq!((directory.people().len(), directory.groups().len()), (1, 1));
    assert_eq!(mark, None);
    // After a delta without a date, the mark stays.
    let before = Mark::at("2026-03-01T12:00:00Z".parse().unwrap());
    let delta = client
        .changes(GROUP_PREFIX, before, &directory, &quiet)
        .await
        .unwrap();
    assert_eq!(delta.mark(), before);
}

#[tokio::test]
async fn a_wait_for_a_rate_limit_is_recorded() {
    let company = Company::acme();
    let insightful = Insightful::start_with(&company, insightful::Settings::default());
    let mut config = InsightfulConfig::new(Url::parse(&insightful.url()).unwrap(), insightful.token().into());
    config.allow_http_loopback = true;
    config.calls_per_minute = 1;
    let waits = Arc::new(okta_insightful_operator::http::RateLimitWait::default());
    let client = InsightfulClient::new(config)
        .unwrap()
        .with_rate_limit_wait(Arc::clone(&waits));
    client.teams().await.unwrap();
    let now = tokio::time::Instant::now();
    assert_eq!(waits.remaining(now), None);
    let second = tokio::time::timeout(Duration::from_millis(200), client.teams()).await;
    assert!(second.is_err(), "it waits");
    let left = waits.remaining(now).unwrap();
    assert!(
        left > Duration::from_secs(55) && left <= Duration::from_secs(60),
        "{left:?}"
    );
    assert_eq!(client.budget().available, 0);
}

#[tokio::test]
async fn members_whom_no_search_shows_are_read_from_the_lists_of_members() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (whole, _) = full_sync(&client).await;
    assert!(whole.directory().hidden().is_empty());
    let calls = take_calls(&okta);
    let jane = okta.snapshot().user_id("jane.doe");
    okta.configure(|settings| settings.hidden = [jane.clone()].into());
    let (mut snapshot, mark) = full_sync(&client).await;
    assert_eq!(snapshot.people(), whole.people());
    assert_eq!(snapshot.groups(), whole.groups());
    assert_eq!(
        take_calls(&okta).len(),
        calls.len() + 1,
        "the members of one of her groups"
    );

    // A change of hers is in the next delta, though no search shows it.
    advance_clock(&okta, SignedDuration::from_hours(1));
    okta.edit(|org| org.set_title(&jane, Some("Captain")));
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await;
    let delta = delta.unwrap();
    let mark = delta.mark();
    assert!(snapshot.apply(delta));
    assert_eq!(
        snapshot.people()[&jane.as_str().into()].title.as_deref(),
        Some("Captain")
    );
    assert_eq!(
        take_calls(&okta).len(),
        3,
        "two searches, and the members of one group"
    );

    // Somebody who is hidden and joins a group.
    advance_clock(&okta, SignedDuration::from_hours(1));
    let nora = okta.edit(|org| {
        let nora = org.add_user("nora.new", "Nora", "New");
        org.add_member("Sales", &nora);
        nora
    });
    okta.configure(|settings| {
        settings.hidden.insert(nora.clone());
    });
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await;
    let delta = delta.unwrap();
    let mark = delta.mark();
    assert!(snapshot.apply(delta));
    assert_eq!(
        snapshot.people()[&nora.as_str().into()].display_name(),
        "Nora New"
    );
    assert_eq!(snapshot.people(), full_sync(&client).await.0.people());

    // Once searches show them, nothing more is read.
    okta.configure(|settings| settings.hidden.clear());
    advance_clock(&okta, SignedDuration::from_hours(1));
    okta.edit(|org| {
        for id in [&jane, &nora] {
            org.set_title(id, Some("Major"));
        }
    });
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await;
    let delta = delta.unwrap();
    let mark = delta.mark();
    assert!(snapshot.apply(delta));
    assert!(snapshot.directory().hidden().is_empty());
    advance_clock(&okta, SignedDuration::from_hours(1));
    take_calls(&okta);
    client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!(take_calls(&okta), [GROUPS, USERS]);
}

#[tokio::test]
async fn attributes_that_are_asked_for_are_kept_wherever_a_user_is_read() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    let (jane, pia) = (company.user("jane.doe"), company.user("pia.hofer"));
    okta.edit(|org| {
        org.set_profile(jane, "badges", json!(["red", 7]));
        org.set_profile(pia, "badges", "blue");
    });
    // Only lists of members show her.
    okta.configure(|settings| settings.hidden = [pia.to_owned()].into());
    let client = client(&okta);
    let badges = |person: &Person| person.attribute("badges").map(str::to_owned).collect::<Vec<_>>();
    let (plain, _) = full_sync(&client).await;
    let keeps_nothing = |person: &Person| person.attributes.is_empty();
    assert!(plain.people().values().all(keeps_nothing));

    client.keep_attributes(["badges".into()]);
    let (mut snapshot, mark) = full_sync(&client).await;
    let of = |snapshot: &Snapshot, id: &str| badges(&snapshot.people()[&id.into()]);
    assert_eq!(of(&snapshot, jane), ["red", "7"]);
    assert_eq!(of(&snapshot, pia), ["blue"]);
    let others = snapshot.people().values().filter(|person| keeps_nothing(person));
    assert_eq!(others.count(), snapshot.people().len() - 2);

    advance_clock(&okta, SignedDuration::from_mins(10));
    okta.edit(|org| {
        org.set_profile(jane, "badges", true);
        org.set_profile(pia, "badges", "green");
    });
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(snapshot.apply(delta));
    assert_eq!(of(&snapshot, jane), ["true"]);
    assert_eq!(of(&snapshot, pia), ["green"]);
    let read = client.user(&jane.into()).await.unwrap().unwrap();
    assert_eq!(badges(&read), ["true"]);
}

#[tokio::test]
async fn a_changed_record_that_cannot_be_read_makes_nobody_missing() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (mut snapshot, mark) = full_sync(&client).await;
    let (jane, sales) = (company.user("jane.doe"), company.group("Sales"));
    let hers = okta.snapshot().users[jane].clone();
    advance_clock(&okta, SignedDuration::from_mins(10));
    okta.edit(|org| {
        org.set_title("jane.doe", Some("Director"));
        org.users.get_mut(jane).unwrap()["profile"] = json!("Jane Doe");
    });
    let changed = json!([{ "id": sales, "profile": { "name": null } }]);
    okta.faults()
        .once(Match::get(GROUPS), Kind::Status(200, Some(changed)));
    let members = snapshot.groups()[&sales.into()].members.clone();
    take_calls(&okta);
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    let mark = delta.mark();
    assert_eq!(
        take_calls(&okta).len(),
        3,
        "no list of members is read for her record"
    );
    assert!(snapshot.apply(delta.clone()));
    assert!(!snapshot.apply(delta), "nothing is new");
    assert!(snapshot.unreadable_person(&jane.into()).is_some());
    assert!(
        !snapshot.people().contains_key(&jane.into()),
        "what was read before may be wrong now"
    );
    assert!(snapshot.unreadable_group(&sales.into()).is_some());
    assert_eq!(snapshot.groups()[&sales.into()].members, members);
    snapshot.set_deleted([jane.into()]);
    assert!(!snapshot.is_deleted(&jane.into()));

    // Corrected, both can be read again.
    advance_clock(&okta, SignedDuration::from_mins(10));
    okta.edit(|org| {
        org.users.insert(jane.to_owned(), hers);
        org.set_title("jane.doe", Some("Director"));
        org.rename_group(sales, "OKTA_INSGRP_Sales");
    });
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(snapshot.apply(delta));
    assert_eq!(snapshot.unreadable().count(), 0);
    assert_eq!(snapshot.people()[&jane.into()].title.as_deref(), Some("Director"));
}
