//! Faults affect the matching requests of both emulators.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is a test failure"
)]

mod calls;

use std::time::{Duration, Instant};

use sandbox::company::Company;
use sandbox::faults::{Fault, Kind, Match};
use sandbox::insightful::Insightful;
use sandbox::okta::{Okta, Settings};
use serde_json::json;

use calls::{Reply, client, send};

const USERS: &str = "/api/v1/users";

async fn users(okta: &Okta) -> Result<Reply, reqwest::Error> {
    let authorization = format!("SSWS {}", okta.token());
    send(
        client()
            .get(okta.url() + USERS)
            .header("authorization", authorization),
    )
    .await
}

async fn rename(insightful: &Insightful, id: &str, name: &str) -> Result<Reply, reqwest::Error> {
    let url = format!("{}/employee/{id}", insightful.url());
    send(
        client()
            .put(url)
            .bearer_auth(insightful.token())
            .json(&json!({"name": name})),
    )
    .await
}

fn small_pages() -> Settings {
    Settings {
        max_page: Some(10),
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_status_fault_replaces_the_response_without_effect() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let jane = acme.employee("jane.doe");
    let before = insightful.snapshot();
    let path = Match::put("/api/v1/employee/*");
    let faults = insightful.faults();
    faults.once(path.clone(), Kind::Status(503, None));
    faults.once(path.clone(), Kind::Status(500, Some(json!("maintenance"))));
    faults.once(path, Kind::RateLimited);
    let statuses = [
        rename(&insightful, jane, "J").await.unwrap().status,
        rename(&insightful, jane, "J").await.unwrap().status,
        rename(&insightful, jane, "J").await.unwrap().status,
    ];
    assert_eq!(statuses, [503, 500, 429]);
    assert_eq!(insightful.snapshot(), before);
    assert!(insightful.journal().writes().iter().all(|entry| !entry.effect));
    assert_eq!(rename(&insightful, jane, "J").await.unwrap().status, 200);
    assert_ne!(insightful.snapshot(), before);

    let okta = Okta::start(&acme);
    okta.faults().once(Match::any(), Kind::RateLimited);
    let limited = users(&okta).await.unwrap();
    assert_eq!(
        (limited.status, &limited.body["errorCode"]),
        (429, &json!("E0000047"))
    );
    assert_eq!(
        (
            limited.header("x-rate-limit-limit"),
            limited.header("x-rate-limit-remaining")
        ),
        ("300", "0")
    );
    assert!(
        !limited.header("x-rate-limit-reset").is_empty() && !limited.header("x-okta-request-id").is_empty()
    );
    okta.faults().once(Match::any(), Kind::Status(503, None));
    assert_eq!(users(&okta).await.unwrap().body["errorCode"], "E0000010");
}

#[tokio::test]
async fn a_closed_connection_has_no_response_and_has_an_effect_only_if_closed_after_it() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let jane = acme.employee("jane.doe");
    let path = Match::put("/api/v1/employee/*");

    insightful.faults().once(path.clone(), Kind::CutBefore);
    assert!(rename(&insightful, jane, "Early").await.is_err());
    assert_eq!(insightful.snapshot().employee(jane)["name"], "Jane Doe");

    insightful.faults().once(path, Kind::CutAfter);
    let error = rename(&insightful, jane, "Late").await.unwrap_err();
    assert!(
        error.is_request() && !error.is_body() && !error.is_decode(),
        "not a closed connection: {error:?}"
    );
    assert_eq!(insightful.snapshot().employee(jane)["name"], "Late");

    let outcomes: Vec<_> = insightful
        .journal()
        .writes()
        .iter()
        .map(|entry| (entry.effect, entry.status))
        .collect();
    assert_eq!(outcomes, [(false, None), (true, None)]);
    assert_eq!(
        rename(&insightful, jane, "Jane Doe").await.unwrap().status,
        200,
        "the service continues"
    );

    // Also on a connection that was used before, where a client could retry by itself.
    let okta = Okta::start(&acme);
    let (client, authorization) = (client(), format!("SSWS {}", okta.token()));
    let get = || {
        client
            .get(okta.url() + USERS)
            .header("authorization", &authorization)
    };
    assert_eq!(send(get()).await.unwrap().status, 200);
    okta.faults().once(Match::any(), Kind::CutAfter);
    assert!(send(get()).await.is_err());
    assert_eq!(okta.journal().entries().len(), 2);
}

#[tokio::test]
async fn a_delay_is_before_or_after_the_effect() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let jane = acme.employee("jane.doe");
    let url = format!("{}/employee/{jane}", insightful.url());
    let impatient = |name: &str| {
        let request = client()
            .put(&url)
            .bearer_auth(insightful.token())
            .json(&json!({"name": name}));
        send(request.timeout(Duration::from_millis(100)))
    };
    insightful
        .faults()
        .once(Match::any(), Kind::Delay(Duration::from_millis(300)));
    assert!(impatient("Before").await.unwrap_err().is_timeout());
    insightful
        .faults()
        .once(Match::any(), Kind::DelayAnswer(Duration::from_millis(300)));
    assert!(impatient("After").await.unwrap_err().is_timeout());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(insightful.snapshot().employee(jane)["name"], "After");
    let effects: Vec<_> = insightful
        .journal()
        .entries()
        .iter()
        .map(|entry| entry.effect)
        .collect();
    assert_eq!(
        effects,
        [false, true],
        "a request that was aborted before its effect had none"
    );

    insightful
        .faults()
        .once(Match::any(), Kind::Delay(Duration::from_millis(150)));
    let start = Instant::now();
    assert_eq!(rename(&insightful, jane, "Slow").await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn broken_json_is_a_200_with_half_of_the_body() {
    let acme = Company::acme();
    let (okta, insightful) = (Okta::start(&acme), Insightful::start(&acme));
    okta.faults().once(Match::any(), Kind::BrokenJson);
    let broken = users(&okta).await.unwrap();
    assert_eq!(broken.status, 200);
    assert!(broken.body.is_string(), "the body is still JSON");
    insightful.faults().once(Match::any(), Kind::BrokenJson);
    let broken = rename(&insightful, acme.employee("jane.doe"), "Half")
        .await
        .unwrap();
    assert!(broken.status == 200 && broken.body.is_string());
    assert_eq!(
        insightful.snapshot().employee(acme.employee("jane.doe"))["name"],
        "Half"
    );
}

#[tokio::test]
async fn page_faults_change_links_and_items() {
    let acme = Company::acme();
    let okta = Okta::start_with(&acme, small_pages());
    let faults = okta.faults();

    faults.once(Match::get(USERS), Kind::PaginationLoop);
    let page = users(&okta).await.unwrap();
    assert_eq!((page.link("next"), page.ids().len()), (page.link("self"), 10));
    assert!(page.link("next").is_some());

    faults.once(
        Match::get(USERS),
        Kind::CrossOriginPagination("https://evil.example/api/v1/users?after=x".to_owned()),
    );
    let page = users(&okta).await.unwrap();
    assert_eq!(
        page.link("next").unwrap(),
        "https://evil.example/api/v1/users?after=x"
    );

    faults.once(Match::get(USERS), Kind::EmptyPage);
    let page = users(&okta).await.unwrap();
    assert_eq!((page.status, page.ids().len(), page.link("next")), (200, 0, None));

    faults.once(Match::get(USERS), Kind::DroppedPage);
    let page = users(&okta).await.unwrap();
    assert_eq!((page.status, page.ids().len(), page.link("next")), (200, 5, None));

    let insightful = Insightful::start(&acme);
    let employees = format!("{}/employee", insightful.url());
    let list = async || {
        send(client().get(&employees).bearer_auth(insightful.token()))
            .await
            .unwrap()
    };
    insightful.faults().once(Match::any(), Kind::EmptyPage);
    assert_eq!(list().await.body, json!([]));
    insightful.faults().once(Match::any(), Kind::DroppedPage);
    assert_eq!(list().await.ids().len(), acme.employees.len() / 2);
    insightful.faults().once(
        Match::any(),
        Kind::CrossOriginPagination("https://evil.example".to_owned()),
    );
    assert_eq!(list().await.link("next"), None, "Insightful has no pages");
}

#[tokio::test]
async fn a_fault_affects_matching_requests_only_and_up_to_its_limit() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let authorization = format!("SSWS {}", okta.token());
    let status = async |path: &str| {
        let request = client().get(okta.url() + path);
        send(request.header("authorization", &authorization))
            .await
            .unwrap()
            .status
    };
    let members = format!("/api/v1/groups/{}/users", acme.group("Sales"));

    let second = okta.faults().add(Fault {
        on: Match::get("/api/v1/groups/*/users").after(1),
        kind: Kind::Status(500, None),
        times: Some(2),
    });
    assert_eq!(status("/api/v1/groups").await, 200);
    assert_eq!(status(USERS).await, 200);
    let statuses = [
        status(&members).await,
        status(&members).await,
        status(&members).await,
        status(&members).await,
    ];
    assert_eq!((statuses, second.hits()), ([200, 500, 500, 200], 2));

    let searches = okta.faults().always(
        Match::get("/api/v1/**").query("search=status pr"),
        Kind::Status(503, None),
    );
    assert_eq!(status(USERS).await, 200);
    assert_eq!(status("/api/v1/users?limit=5&search=status%20pr").await, 503);
    searches.remove();
    assert_eq!(status("/api/v1/users?search=status%20pr").await, 200);

    let all = okta.faults().always(Match::any(), Kind::Status(500, None));
    assert_eq!(status(USERS).await, 500);
    okta.faults().clear();
    assert_eq!((status(USERS).await, all.hits()), (200, 1));
}

#[tokio::test]
async fn a_late_effect_comes_after_the_error() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let late = Duration::from_millis(300);
    insightful
        .faults()
        .once(Match::post("/api/v1/team"), Kind::LateEffect(502, late));
    let request = client()
        .post(format!("{}/team", insightful.url()))
        .json(&json!({ "name": "Late" }));
    let answer = send(request.bearer_auth(insightful.token())).await.unwrap();
    let has_team = || {
        insightful
            .snapshot()
            .teams()
            .iter()
            .any(|team| team["name"] == "Late")
    };
    assert_eq!((answer.status, has_team()), (502, false));
    tokio::time::sleep(late * 3).await;
    assert!(has_team());
    assert!(insightful.journal().writes()[0].effect);
}
