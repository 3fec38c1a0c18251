//! Reading what changed in an org: the calls that it takes, and what it is not trusted with.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use okta_insightful_operator::http::Retryability;
use okta_insightful_operator::insightful::{InsightfulClient, InsightfulConfig};
use okta_insightful_operator::model::{Complete, Directory, Mark, OktaStatus, Snapshot, Workforce};
use okta_insightful_operator::okta::{OktaClient, Progress};
use okta_insightful_operator::services::gather::{gather, gather_changes};
use sandbox::company::{Company, GROUP_PREFIX};
use sandbox::faults::{Kind, Match};
use sandbox::insightful::{self, Insightful};
use sandbox::journal::Entry;
use sandbox::okta::{Okta, Settings};
use url::Url;

use crate::{
    canned, impatient,
    okta::{GROUPS, MEMBERS, USERS, client, config},
};

fn quiet(_: Progress) {}

/// Okta's half with nothing of Insightful, to apply deltas to.
fn snapshot(directory: Directory) -> Snapshot {
    let workforce = Workforce {
        employees: Complete::from_all_pages(vec![]),
        teams: Complete::from_all_pages(vec![]),
        settings: Complete::from_all_pages(vec![]),
    };
    Snapshot::new(directory, workforce)
}

async fn everything(client: &OktaClient) -> (Snapshot, Mark) {
    let (directory, mark) = client.directory(GROUP_PREFIX, &quiet).await.unwrap();
    (snapshot(directory), mark.unwrap())
}

/// Lets so much time pass by the org's clock.
fn pass(okta: &Okta, time: SignedDuration) {
    okta.configure(|settings| settings.clock_offset += time);
}

/// The paths that were called since the last look, sorted.
fn calls(okta: &Okta) -> Vec<String> {
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
async fn a_full_sync_takes_the_fewest_calls_there_are() {
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
    assert_eq!(calls(&okta).len(), users + 1 + member_pages);
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

    // And an idle one takes two of Okta.
    let (delta, _) = gather_changes(
        &client,
        &insightful_client,
        GROUP_PREFIX,
        gathered.mark.unwrap(),
        gathered.snapshot.directory(),
        &quiet,
    )
    .await
    .unwrap();
    assert_eq!((delta.people(), delta.groups()), (0, 0));
    assert_eq!(calls(&okta), [GROUPS, USERS]);
    assert_eq!(reads(&insightful), three);
}

#[tokio::test]
async fn while_insightful_is_down_a_retry_costs_okta_nothing() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    let mut config = InsightfulConfig::new(Url::parse(&insightful.url()).unwrap(), insightful.token().into());
    config.allow_http_loopback = true;
    config.retry_policy = impatient();
    let insightful_client = InsightfulClient::new(config).unwrap();
    let down = insightful.faults().always(Match::any(), Kind::Status(503, None));
    let client = client(&okta);
    let read = gather(&client, &insightful_client, GROUP_PREFIX, true, &quiet).await;
    assert_eq!(read.unwrap_err().reason(), "Unavailable");
    assert_eq!(calls(&okta), Vec::<String>::new());
    down.remove();
    let read = gather(&client, &insightful_client, GROUP_PREFIX, true, &quiet).await;
    assert_eq!(read.unwrap().snapshot.people().len(), company.users.len());
}

#[tokio::test]
async fn an_idle_delta_is_two_calls_with_the_two_searches() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (mut snapshot, mark) = everything(&client).await;
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
async fn a_delta_takes_the_pages_of_what_changed_and_the_members_of_changed_groups() {
    let company = Company::generate(950, 4);
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (mut snapshot, mark) = everything(&client).await;
    pass(&okta, SignedDuration::from_hours(1));
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
    calls(&okta);
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!((delta.people(), delta.groups()), (401, 2));
    let member_pages: usize = groups
        .iter()
        .map(|group| okta.snapshot().members[group].len().div_ceil(200))
        .sum();
    let made = calls(&okta);
    assert_eq!(
        made.len(),
        2 + 401_usize.div_ceil(200) - 1 + member_pages,
        "{made:?}"
    );
    let next = delta.mark();
    assert!(snapshot.apply(delta));
    assert_eq!(snapshot, everything(&client).await.0);

    // Beyond the overlap nothing of it comes back.
    pass(&okta, SignedDuration::from_hours(1));
    let resolved = client
        .changes(GROUP_PREFIX, next, snapshot.directory(), &quiet)
        .await
        .unwrap();
    pass(&okta, SignedDuration::from_hours(1));
    calls(&okta);
    let idle = client
        .changes(GROUP_PREFIX, resolved.mark(), snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert_eq!((idle.people(), idle.groups()), (0, 0));
    assert_eq!(calls(&okta), [GROUPS, USERS]);
}

#[tokio::test]
async fn whatever_stamp_moves_the_change_is_found() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    let (mut snapshot, mut mark) = everything(&client).await;
    okta.edit(|org| org.add_group("Interns"));
    type Change = fn(&mut sandbox::okta::Org);
    let changes: [(&str, Change); 7] = [
        ("a profile", |org| org.set_title("jane.doe", Some("Director"))),
        ("a status, and only its stamp", |org| {
            let now = org.now();
            let amir = org.user_mut("amir.haddad");
            amir["status"] = "SUSPENDED".into();
            amir["statusChanged"] = now.into();
        }),
        ("a membership", |org| org.add_member("Sales", "jane.doe")),
        ("a membership that ends", |org| {
            org.remove_member("Engineering", "jane.doe");
        }),
        ("a group's name", |org| {
            org.rename_group("Marketing", "OKTA_INSGRP_Brand")
        }),
        ("a group that gets the prefix", |org| {
            org.rename_group("Interns", "OKTA_INSGRP_Interns")
        }),
        ("a prefix in other letters, which is none", |org| {
            org.rename_group("Support", "okta_insgrp_Support")
        }),
    ];
    for (what, change) in changes {
        pass(&okta, SignedDuration::from_hours(1));
        okta.edit(change);
        let delta = client
            .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
            .await
            .unwrap();
        mark = delta.mark();
        assert!(snapshot.apply(delta), "{what}");
        assert_eq!(snapshot, everything(&client).await.0, "{what}");
    }
    calls(&okta);
    let support = members(&okta, "okta_insgrp_Support");
    pass(&okta, SignedDuration::from_secs(1));
    let again = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(!snapshot.apply(again));
    assert!(
        !calls(&okta).contains(&support),
        "nobody asks for the members of a group that is no team's"
    );
}

#[tokio::test]
async fn what_a_delta_cannot_see_stays_until_the_next_full_read() {
    let company = Company::acme();
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (mut snapshot, mark) = everything(&client).await;
    let before = snapshot.clone();
    pass(&okta, SignedDuration::from_hours(1));
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
    let (full, _) = everything(&client).await;
    assert!(!full.groups().contains_key(&data.into()));
    assert!(!full.groups().contains_key(&company.group("Marketing").into()));
    assert!(!full.people().contains_key(&nils.into()));
    // Nobody has left for it: nobody's record says so.
    let left = |snapshot: &Snapshot| {
        let people = snapshot.people().values();
        people.filter_map(|person| person.departure(true)).count()
    };
    assert_eq!(left(&full), left(&before));
}

#[tokio::test]
async fn what_a_lagging_search_did_not_show_is_in_the_next_delta() {
    let settings = Settings {
        lag: Duration::from_millis(1500),
        ..Settings::default()
    };
    let company = Company::acme();
    let okta = Okta::start_with(&company, settings);
    let client = client(&okta);
    let (mut snapshot, mark) = everything(&client).await;
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
    // The mark has passed the change by now; the overlap finds it.
    let delta = client
        .changes(GROUP_PREFIX, next, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(snapshot.apply(delta));
    let jane = &snapshot.people()[&company.user("jane.doe").into()];
    assert_eq!(jane.status, OktaStatus::Deprovisioned);
    assert_eq!(snapshot, everything(&client).await.0);
}

#[tokio::test]
async fn one_page_that_fails_fails_the_whole_delta() {
    let settings = Settings {
        max_page: Some(3),
        ..Settings::default()
    };
    let okta = Okta::start_with(&Company::acme(), settings);
    let client = client(&okta);
    let (snapshot, mark) = everything(&client).await;
    pass(&okta, SignedDuration::from_hours(1));
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
async fn a_delta_of_half_the_org_is_not_trusted_and_not_read_to_its_end() {
    let company = Company::generate(1300, 5);
    let okta = Okta::start(&company);
    let client = client(&okta);
    let (snapshot, mark) = everything(&client).await;
    pass(&okta, SignedDuration::from_hours(1));
    okta.edit(|org| {
        for person in org.users.keys().cloned().collect::<Vec<_>>() {
            org.set_profile(&person, "department", "All");
        }
    });
    calls(&okta);
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
    let pages = calls(&okta).iter().filter(|path| *path == USERS).count();
    assert_eq!(pages, (half + 1).div_ceil(200));
}

#[tokio::test]
async fn a_clock_that_went_back_tells_nothing() {
    let okta = Okta::start(&Company::acme());
    let client = client(&okta);
    pass(&okta, SignedDuration::from_hours(1));
    let (snapshot, mark) = everything(&client).await;
    // Two servers may differ a little; a mark that goes back loses nothing.
    pass(&okta, SignedDuration::from_mins(-2));
    let delta = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap();
    assert!(delta.mark() < mark);
    pass(&okta, SignedDuration::from_mins(-10));
    let error = client
        .changes(GROUP_PREFIX, mark, snapshot.directory(), &quiet)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "DeltaUnusable");
}

#[tokio::test]
async fn without_oktas_time_there_is_no_mark() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 65\r\nConnection: close\r\n\r\n\
        [{\"id\":\"00x1\",\"profile\":{\"name\":\"OKTA_INSGRP_X\",\"login\":\"jane\"}}]";
    assert_eq!(answer.split("\r\n\r\n").nth(1).unwrap().len(), 65);
    let (url, _) = canned(answer).await;
    let client = OktaClient::new(config(&url, "00secret")).unwrap();
    let (directory, mark) = client.directory(GROUP_PREFIX, &quiet).await.unwrap();
    assert_eq!((directory.people().len(), directory.groups().len()), (1, 1));
    assert_eq!(mark, None);
    // A delta without it is asked for again from where it began.
    let before = Mark::at("2026-03-01T12:00:00Z".parse().unwrap());
    let delta = client
        .changes(GROUP_PREFIX, before, &directory, &quiet)
        .await
        .unwrap();
    assert_eq!(delta.mark(), before);
}

#[tokio::test]
async fn a_wait_for_the_limit_is_told() {
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
