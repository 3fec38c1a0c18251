//! The Okta emulator holds Okta's contract.

mod calls;

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
        assert!(pages.len() < 200, "paging does not end");
    }
    pages
}

/// The handles of a list's people, in order.
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

#[tokio::test]
async fn every_kind_of_answer_has_the_published_form() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let schemas = Schemas::load();
    let user = format!("{USERS}/{}", acme.user("jane.doe"));
    let group = format!("{GROUPS}/{}", acme.group("Engineering"));
    let members = format!("{group}/users");
    let status = ("search", "status pr");
    for (operation, path, query) in [
        (USERS, USERS, vec![]),
        (USERS, USERS, vec![status]),
        (
            USERS,
            USERS,
            vec![status, ("fields", "status,profile:(firstName,email)")],
        ),
        ("/api/v1/users/{id}", user.as_str(), vec![]),
        (GROUPS, GROUPS, vec![]),
        (GROUPS, GROUPS, vec![("expand", "stats")]),
        ("/api/v1/groups/{groupId}", group.as_str(), vec![]),
        ("/api/v1/groups/{groupId}/users", members.as_str(), vec![]),
    ] {
        let reply = get(&okta, path, &query).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(
            schemas.check(operation, 200, &reply.body),
            Ok(()),
            "{path} {query:?}"
        );
    }
    for (path, query, status) in [
        (USERS, vec![("search", "nonsense")], 400),
        (GROUPS, vec![("after", "nonsense")], 400),
        ("/api/v1/users/00unobody", vec![], 404),
        ("/api/v1/groups/00gnothing/users", vec![], 404),
        ("/api/v1/nothing", vec![], 404),
    ] {
        let reply = get(&okta, path, &query).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(schemas.check(USERS, status, &reply.body), Ok(()), "{path}");
        assert_eq!(reply.header("x-okta-request-id").len(), 24);
    }
}

#[tokio::test]
async fn a_spoilt_answer_does_not_pass_the_published_form() {
    let okta = Okta::start(&Company::acme());
    let schemas = Schemas::load();
    let users = get(&okta, USERS, &[]).await.body;
    let groups = get(&okta, GROUPS, &[]).await.body;
    let spoilt: [(&str, &Value, &str, Value); 8] = [
        (USERS, &users, "/0/status", json!("EMPLOYED")),
        (USERS, &users, "/0/created", json!(1_592_922_679)),
        (USERS, &users, "/0/lastUpdated", json!("yesterday")),
        (USERS, &users, "/0/profile/email", json!(null)),
        (USERS, &users, "/0/_links/self", json!({"url": "no href"})),
        (USERS, &users, "/0", json!("00u")),
        (GROUPS, &groups, "/0/type", json!("TEAM")),
        (GROUPS, &groups, "/0/profile", json!([])),
    ];
    for (path, answer, pointer, value) in spoilt {
        let mut answer = answer.clone();
        // `lastLogin` is nullable, which the conversion of the schemas must not lose.
        answer[0]["lastLogin"] = Value::Null;
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match answer.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[0] = value,
            object => object[field] = value,
        }
        assert!(schemas.check(path, 200, &answer).is_err(), "{pointer} passes");
    }
    let mut invented = users.clone();
    invented[0]["employed"] = json!(true);
    assert!(
        schemas.check(USERS, 200, &invented).is_err(),
        "an invented field passes"
    );
    let nullable = json!([{"id": "00u", "lastLogin": null, "status": "ACTIVE"}]);
    assert_eq!(schemas.check(USERS, 200, &nullable), Ok(()));
}

#[tokio::test]
async fn plain_lists_and_q_omit_the_deprovisioned_while_search_and_filter_have_them() {
    let okta = Okta::start(&Company::acme());
    let leavers = ["lena.leaver", "leo.leaver", "lisa.leaver"];
    let has = |reply: &Reply| {
        handles(reply)
            .iter()
            .filter(|handle| leavers.contains(&handle.as_str()))
            .count()
    };
    let plain = get(&okta, USERS, &[]).await;
    let all = get(&okta, USERS, &[("search", "status pr")]).await;
    assert_eq!((has(&plain), has(&all)), (0, 3));
    assert_eq!(handles(&all).len(), handles(&plain).len() + 3);
    assert_eq!(
        handles(&get(&okta, USERS, &[("q", "le")]).await),
        ["lena.leaver"; 0]
    );
    let filtered = get(&okta, USERS, &[("filter", r#"status eq "DEPROVISIONED""#)]).await;
    assert_eq!(handles(&filtered), leavers);
}

#[tokio::test]
async fn search_finds_what_it_says() {
    let settings = Settings {
        custom_attributes: vec!["regions".to_owned()],
        ..Settings::default()
    };
    let okta = Okta::start_with(&Company::acme(), settings);
    okta.edit(|org| {
        org.user_mut("jane.doe")["profile"]["regions"] = json!(["north", "east"]);
        org.user_mut("jane.doe")["lastUpdated"] = json!("2030-01-01T00:00:00.000Z");
    });
    let id = okta.snapshot().user_id("iris.lower");
    for (expression, expected) in [
        (r#"profile.email eq "JANE.DOE@acme.com""#, vec!["jane.doe"]),
        (
            r#"profile.lastName sw "garc""#,
            vec!["maria.garcia", "maria.garcia2"],
        ),
        (r#"profile.lastName CO "arcí""#, vec![]),
        (r#"profile.lastName eq "Müller""#, vec!["joerg.mueller"]),
        (r#"profile.lastName eq "Muller""#, vec![]),
        (
            r#"profile.email co "oldacme" or profile.login co "hill""#,
            vec!["grace.hill"],
        ),
        (
            r#"status eq "SUSPENDED" or status eq "STAGED""#,
            vec!["sam.suspended", "stan.staged"],
        ),
        (
            r#"(status lt "ACTIVE" or status gt "PROVISIONED") and profile.title sw "Software""#,
            vec!["rita.recovery", "stan.staged"],
        ),
        // `and` binds more strongly than `or`.
        (
            r#"status eq "STAGED" or status eq "RECOVERY" and profile.firstName eq "Nobody""#,
            vec!["stan.staged"],
        ),
        (r#"lastUpdated gt "2029-12-31T23:59:59.999Z""#, vec!["jane.doe"]),
        (r#"lastUpdated ge "2030-01-01T01:00:00+01:00""#, vec!["jane.doe"]),
        (r#"lastUpdated gt "2030-01-01T00:00:00Z""#, vec![]),
        (r#"profile.regions eq "EAST""#, vec!["jane.doe"]),
        (
            r#"profile.firstName eq "Siobhan" and profile.lastName eq "O'Brien""#,
            vec!["siobhan.obrien"],
        ),
        (r#"status eq "STAGED" and profile.title pr"#, vec!["stan.staged"]),
        (
            &format!(r#"id eq "{id}" and profile.firstName sw "Ir""#),
            vec!["iris.lower"],
        ),
    ] {
        assert_eq!(
            handles(&get(&okta, USERS, &[("search", expression)]).await),
            expected,
            "{expression}"
        );
    }
    let untitled = get(&okta, USERS, &[("search", "profile.title pr")]).await;
    assert!(!handles(&untitled).contains(&"umberto.untitled".to_owned()));
}

#[tokio::test]
async fn wrong_expressions_are_refused() {
    let okta = Okta::start(&Company::acme());
    for expression in [
        "",
        "status",
        "status eq",
        "status eq ACTIVE",
        r#"status eq "ACTIVE"#,
        r#"Status eq "ACTIVE""#,
        r#"profile.firstname eq "Jane""#,
        r#"profile.shoeSize eq "42""#,
        r#"firstName eq "Jane""#,
        r#"status ne "ACTIVE""#,
        r#"not (status eq "ACTIVE")"#,
        r#"status eq "ACTIVE" status eq "STAGED""#,
        r#"status eq "ACTIVE" and"#,
        r#"(status eq "ACTIVE""#,
        r#"status eq "ACTIVE")"#,
        r#"profile.title co "Engineer""#,
        r#"lastUpdated gt 2025-01-01T00:00:00.000Z"#,
        r#"lastUpdated gt "yesterday""#,
        r#"lastUpdated gt "2025-01-01""#,
        r#"lastUpdated gt "2025-01-01T00:00:00.123456789Z""#,
        r#"lastUpdated sw "2025-01-01T00:00:00.000Z""#,
        r#"lastMembershipUpdated gt "2025-01-01T00:00:00.000Z""#,
    ] {
        let reply = get(&okta, USERS, &[("search", expression)]).await;
        assert_eq!(code(&reply), (400, "E0000031"), "search {expression}");
    }
    for expression in [
        "status pr",
        r#"profile.title eq "Auditor""#,
        r#"status gt "ACTIVE""#,
        r#"profile.lastName sw "Doe""#,
        r#"created gt "2025-01-01T00:00:00.000Z""#,
    ] {
        let reply = get(&okta, USERS, &[("filter", expression)]).await;
        assert_eq!(code(&reply), (400, "E0000031"), "filter {expression}");
    }
    // Filters do not fold the case of values.
    assert_eq!(
        handles(&get(&okta, USERS, &[("filter", r#"profile.lastName eq "doe""#)]).await).len(),
        0
    );
    assert_eq!(
        handles(&get(&okta, USERS, &[("filter", r#"profile.lastName eq "Doe""#)]).await),
        ["jane.doe"]
    );
    let both = get(
        &okta,
        USERS,
        &[("filter", r#"status eq "ACTIVE""#), ("search", "status pr")],
    )
    .await;
    assert_eq!(code(&both), (400, "E0000001"));
}

#[tokio::test]
async fn pages_are_followed_by_links_and_lose_nobody() {
    let acme = Company::acme();
    let okta = Okta::start_with(&acme, small_pages());
    let all = pages(&okta, USERS, &[("search", "status pr"), ("limit", "200")]).await;
    assert_eq!(all.len(), acme.users.len().div_ceil(7));
    let ids: Vec<_> = all.iter().flat_map(Reply::ids).collect();
    let once: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!((ids.len(), once.len()), (acme.users.len(), acme.users.len()));

    // One Link header for each relation, and `next` keeps the query.
    assert_eq!(all[0].headers.get_all("link").iter().count(), 2);
    assert_eq!(all[all.len() - 1].headers.get_all("link").iter().count(), 1);
    let next = all[0].link("next").unwrap();
    assert!(next.starts_with(&okta.url()) && next.contains("search=status+pr") && next.contains("limit=200"));
    assert!(all[0].link("self").unwrap().contains("search=status"));
    let cursor = next.split("after=").nth(1).unwrap().split('&').next().unwrap();
    assert!(!ids.contains(&cursor), "the cursor is a user's id");

    // A cursor belongs to its query.
    for (path, query) in [
        (USERS, vec![("after", cursor)]),
        (GROUPS, vec![("after", cursor)]),
        (USERS, vec![("after", "00u"), ("search", "status pr")]),
    ] {
        assert_eq!(
            code(&get(&okta, path, &query).await),
            (400, "E0000001"),
            "{path} {query:?}"
        );
    }

    // The record before the page's end vanishes: the next page begins where it should.
    let first = get(&okta, USERS, &[("search", "status pr")]).await;
    okta.edit(|org| org.delete_user(first.ids()[6]));
    let second = get(&okta, &first.link("next").unwrap(), &[]).await;
    assert_eq!(second.ids(), all[1].ids());
}

#[tokio::test]
async fn a_full_last_page_may_lead_to_an_empty_one() {
    let settings = Settings {
        trailing_page: true,
        max_page: Some(5),
        ..Settings::default()
    };
    let okta = Okta::start_with(&Company::acme(), settings);
    okta.edit(|org| {
        let group = org.add_group("Five");
        for who in ["jane.doe", "amir.haddad", "chen.xiu", "igor.petrov", "nils.aas"] {
            org.add_member(&group, who);
        }
    });
    let group = okta.snapshot().group_id("Five");
    let sizes: Vec<_> = pages(&okta, &format!("{GROUPS}/{group}/users"), &[])
        .await
        .iter()
        .map(|p| p.ids().len())
        .collect();
    assert_eq!(sizes, [5, 0]);
}

#[tokio::test]
async fn limits_of_pages_are_checked() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let members = format!("{GROUPS}/{}/users", acme.group("Everyone"));
    for (path, limit) in [
        (USERS, "201"),
        (USERS, "0"),
        (USERS, "-1"),
        (USERS, "ten"),
        (GROUPS, "10001"),
        (&members, "1001"),
    ] {
        assert_eq!(
            code(&get(&okta, path, &[("limit", limit)]).await),
            (400, "E0000001"),
            "{path} {limit}"
        );
    }
    assert_eq!(get(&okta, USERS, &[("limit", "3")]).await.ids().len(), 3);
    assert_eq!(get(&okta, &members, &[]).await.ids().len(), acme.users.len());
    // `q` gives ten people and no page after them.
    okta.edit(|org| {
        (0..12).for_each(|number| drop(org.add_user(&format!("quincy.{number}"), "Quincy", "Adams")))
    });
    let found = get(&okta, USERS, &[("q", "quin")]).await;
    assert_eq!((found.ids().len(), found.link("next")), (10, None));
}

#[tokio::test]
async fn searches_are_sorted_as_asked() {
    let okta = Okta::start_with(&Company::acme(), small_pages());
    for (order, sorted) in [("asc", false), ("desc", true)] {
        let query = [
            ("search", "status pr"),
            ("sortBy", "profile.lastName"),
            ("sortOrder", order),
        ];
        let names: Vec<_> = pages(&okta, USERS, &query)
            .await
            .iter()
            .flat_map(|page| page.body.as_array().unwrap().clone())
            .map(|user| user["profile"]["lastName"].as_str().unwrap().to_owned())
            .collect();
        let mut expected = names.clone();
        expected.sort();
        if sorted {
            expected.reverse();
        }
        assert_eq!(names, expected);
        assert_eq!(names.len(), okta.snapshot().users.len());
    }
}

#[tokio::test]
async fn groups_are_searched_and_counted() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let names = |reply: &Reply| {
        let groups = reply.body.as_array().unwrap().iter();
        let mut names: Vec<_> = groups
            .map(|group| group["profile"]["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    // Values fold case: a prefix search also answers what only looks like the prefix.
    okta.edit(|org| drop(org.add_group("okta_insgrp_lookalike")));
    let found = get(&okta, GROUPS, &[("search", r#"profile.name sw "OKTA_INSGRP_""#)]).await;
    assert_eq!(names(&found).len(), 6);
    assert!(names(&found).contains(&"okta_insgrp_lookalike".to_owned()));
    let built_in = get(
        &okta,
        GROUPS,
        &[("filter", r#"type eq "BUILT_IN""#), ("expand", "stats")],
    )
    .await;
    assert_eq!(names(&built_in), ["Everyone"]);
    assert_eq!(
        built_in.body[0]["_embedded"]["stats"]["usersCount"],
        json!(acme.users.len())
    );
    assert!(get(&okta, GROUPS, &[]).await.body[0].get("_embedded").is_none());
    for query in [
        ("search", r#"profile.name eq Sales"#),
        ("filter", r#"profile.name eq "Sales""#),
        ("search", r#"status eq "ACTIVE""#),
    ] {
        assert_eq!(
            code(&get(&okta, GROUPS, &[query]).await),
            (400, "E0000031"),
            "{query:?}"
        );
    }
    okta.edit(|org| (0..310).for_each(|number| drop(org.add_group(&format!("Many {number}")))));
    let many = get(&okta, GROUPS, &[("q", "many"), ("limit", "1000")]).await;
    assert_eq!(
        (many.ids().len(), many.link("next")),
        (300, None),
        "q is silently capped"
    );
    assert_eq!(
        get(&okta, GROUPS, &[("search", r#"profile.name sw "Many""#)])
            .await
            .ids()
            .len(),
        310
    );
}

#[tokio::test]
async fn members_are_whole_users_and_include_the_deprovisioned() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let path = format!("{GROUPS}/{}/users", acme.group("Support"));
    let members = get(&okta, &path, &[("search", "status pr"), ("limit", "200")]).await;
    assert!(handles(&members).contains(&"lisa.leaver".to_owned()));
    assert!(
        members.body[0]["credentials"].is_object() && members.body[0]["profile"]["firstName"].is_string()
    );
    assert_eq!(okta.journal().entries()[0].ignored, ["search"]);
}

#[tokio::test]
async fn one_person_is_found_by_exact_id_or_login() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let (lower, upper) = (acme.user("iris.lower"), acme.user("ivan.upper"));
    assert!(lower != upper && lower.eq_ignore_ascii_case(upper));
    for (who, expected) in [
        (lower, "Iris"),
        (upper, "Ivan"),
        ("jane.doe@acme.com", "Jane"),
        ("Jane.Doe@ACME.com", "Jane"),
        ("jane.doe", "Jane"),
        (acme.user("leo.leaver"), "Leo"),
    ] {
        let reply = get(&okta, &format!("{USERS}/{who}"), &[]).await;
        assert_eq!(reply.body["profile"]["firstName"], expected, "{who}");
    }
    for who in [lower.to_uppercase(), "nobody".to_owned()] {
        assert_eq!(
            code(&get(&okta, &format!("{USERS}/{who}"), &[]).await),
            (404, "E0000007"),
            "{who}"
        );
    }
    assert_eq!(
        code(&get(&okta, &format!("{GROUPS}/Everyone"), &[]).await),
        (404, "E0000007")
    );
}

#[tokio::test]
async fn answers_are_trimmed_and_projected_on_request() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let trimmed = async |content_type: &str, path: &str| {
        let request = client()
            .get(okta.url() + path)
            .header("authorization", format!("SSWS {}", okta.token()));
        send(request.header("content-type", content_type))
            .await
            .unwrap()
            .body
    };
    let omit = "omitCredentials,omitCredentialsLinks,omitTransitioningToStatus";
    let path = format!("{USERS}/{}", acme.user("jane.doe"));
    let whole = trimmed("application/json", &path).await;
    assert!(whole["credentials"].is_object() && whole["_links"]["resetPassword"].is_object());
    for content_type in [
        format!("application/json; okta-response={omit}"),
        format!("application/json; okta-response=\"{omit}\""),
    ] {
        let user = trimmed(&content_type, &path).await;
        assert!(user.get("credentials").is_none() && user["_links"].get("resetPassword").is_none());
        assert!(user["_links"]["suspend"].is_object() && user["profile"]["email"].is_string());
        assert!(
            trimmed(&content_type, USERS).await[0]
                .get("credentials")
                .is_none()
        );
    }
    let projected = get(
        &okta,
        USERS,
        &[
            ("search", "status pr"),
            ("fields", "status,profile:(firstName,email)"),
        ],
    )
    .await;
    let user = projected.body[0].as_object().unwrap();
    assert_eq!(user.keys().collect::<Vec<_>>(), ["id", "profile", "status"]);
    assert!(
        user["profile"]
            .as_object()
            .unwrap()
            .keys()
            .all(|name| ["firstName", "email"].contains(&name.as_str()))
    );
    assert_eq!(
        code(&get(&okta, USERS, &[("fields", "profile:(firstName")]).await),
        (400, "E0000001")
    );
}

#[tokio::test]
async fn rate_limits_are_counted_by_bucket_and_told_in_headers() {
    let limits = Limits {
        users: 8,
        groups: 4,
        window_seconds: 2,
        ..Limits::default()
    };
    // The org's clock is an hour ahead, as a client that trusts its own must find out.
    let settings = Settings {
        limits,
        clock_offset: SignedDuration::from_hours(1),
        ..Settings::default()
    };
    let acme = Company::acme();
    let okta = Okta::start_with(&acme, settings);
    let number = |reply: &Reply, name: &str| reply.header(name).parse::<i64>().unwrap();

    let first = get(&okta, USERS, &[]).await;
    assert_eq!(
        first.header("x-rate-limit-limit"),
        "4",
        "a token has half of the bucket"
    );
    assert_eq!(first.header("x-rate-limit-remaining"), "3");
    let date = jiff::fmt::rfc2822::parse(first.header("date"))
        .unwrap()
        .timestamp();
    assert!(date.duration_since(Timestamp::now()) > SignedDuration::from_mins(59));
    assert!((0..=2).contains(&(number(&first, "x-rate-limit-reset") - date.as_second())));

    for remaining in ["2", "1", "0"] {
        assert_eq!(
            get(&okta, USERS, &[]).await.header("x-rate-limit-remaining"),
            remaining
        );
    }
    let refused = get(&okta, USERS, &[]).await;
    assert_eq!(code(&refused), (429, "E0000047"));
    assert_eq!(
        refused.body["errorSummary"],
        "API call exceeded rate limit due to too many requests."
    );
    assert_eq!(refused.header("x-rate-limit-remaining"), "0");
    assert_eq!(Schemas::load().check(USERS, 429, &refused.body), Ok(()));

    // Members count against the groups; other buckets are untouched; others of the org use it up too.
    assert_eq!(
        get(&okta, GROUPS, &[]).await.header("x-rate-limit-remaining"),
        "1"
    );
    okta.spend(Bucket::Groups, 3);
    let members = format!("{GROUPS}/{}/users", acme.group("Sales"));
    assert_eq!(get(&okta, &members, &[]).await.status, 429);
    assert_eq!(get(&okta, &format!("{USERS}/jane.doe"), &[]).await.status, 200);

    // Reset - Date + 1, by the server's clock, is long enough.
    let date = jiff::fmt::rfc2822::parse(refused.header("date"))
        .unwrap()
        .timestamp();
    let wait = number(&refused, "x-rate-limit-reset") - date.as_second() + 1;
    tokio::time::sleep(Duration::from_secs(wait.try_into().unwrap())).await;
    assert_eq!(get(&okta, USERS, &[]).await.status, 200);
}

#[tokio::test]
async fn too_many_requests_at_once_are_refused_with_a_limit_of_zero() {
    let okta = Okta::start(&Company::acme());
    okta.occupy(75);
    let refused = get(&okta, USERS, &[]).await;
    assert_eq!(code(&refused), (429, "E0000047"));
    assert_eq!(
        (
            refused.header("x-rate-limit-limit"),
            refused.header("x-rate-limit-remaining")
        ),
        ("0", "0")
    );
    okta.occupy(0);
    okta.configure(|settings| {
        settings.limits.concurrent = 2;
        settings.latency = Duration::from_millis(200);
    });
    let replies = futures::future::join_all((0..4).map(|_| get(&okta, USERS, &[]))).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429]);
}

#[tokio::test]
async fn callers_are_checked() {
    let okta = Okta::start(&Company::acme());
    let url = okta.url() + USERS;
    let with = async |authorization: &str| {
        send(client().get(&url).header("authorization", authorization))
            .await
            .unwrap()
    };
    let token = okta.token().to_owned();
    for wrong in [
        "SSWS wrong",
        &format!("Bearer {token}"),
        &format!("ssws {token}"),
        &token,
    ] {
        assert_eq!(code(&with(wrong).await), (401, "E0000011"), "{wrong}");
    }
    assert_eq!(code(&send(client().get(&url)).await.unwrap()), (403, "E0000005"));
    assert_eq!(with(&format!("SSWS {token}")).await.status, 200);

    okta.set_token("another");
    assert_eq!(code(&with(&format!("SSWS {token}")).await), (401, "E0000011"));
    assert_eq!(with("SSWS another").await.status, 200);

    let nameless = reqwest::Client::builder()
        .build()
        .unwrap()
        .get(&url)
        .header("authorization", "SSWS another");
    assert_eq!(code(&send(nameless).await.unwrap()), (400, "E0000001"));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let request = client()
            .request(method, &url)
            .header("authorization", "SSWS another");
        assert_eq!(code(&send(request).await.unwrap()), (405, "E0000022"));
    }
    okta.configure(|settings| settings.admin_role = false);
    assert_eq!(code(&with("SSWS another").await), (403, "E0000006"));

    let entries = okta.journal().entries();
    assert!(
        !format!("{entries:?}").contains(&token),
        "the journal keeps a token"
    );
    assert_eq!((entries[0].authorized, entries[5].authorized), (false, true));
}

#[tokio::test]
async fn changes_set_the_time_stamps_that_deltas_are_found_by() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    let before = okta.snapshot();
    let since = before.now();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let changed = async || {
        let users = format!(r#"lastUpdated gt "{since}" or statusChanged gt "{since}""#);
        let groups = format!(
            r#"profile.name sw "OKTA_INSGRP_" and (lastUpdated gt "{since}" or lastMembershipUpdated gt "{since}")"#
        );
        let users = handles(&get(&okta, USERS, &[("search", &users)]).await);
        (
            users,
            get(&okta, GROUPS, &[("search", &groups)]).await.ids().len(),
        )
    };
    assert_eq!(changed().await, (vec![], 0));
    okta.edit(|org| org.add_member("Sales", "jane.doe"));
    assert_eq!(
        changed().await,
        (vec![], 1),
        "a membership changes the group, not the person"
    );
    okta.edit(|org| org.remove_member("VPN users", "amir.haddad"));
    assert_eq!(changed().await, (vec![], 1), "a group without the prefix");
    okta.edit(|org| org.set_status("jane.doe", "DEPROVISIONED"));
    okta.edit(|org| org.rename_user("chen.xiu", "Xiu", "Wang"));
    okta.edit(|org| org.rename_group("Marketing", "OKTA_INSGRP_Brand"));
    assert_eq!(
        changed().await,
        (vec!["chen.xiu".to_owned(), "jane.doe".to_owned()], 2)
    );
    // What is deleted or renamed away shows in no delta.
    okta.edit(|org| {
        org.rename_group("Brand", "Brand");
        org.delete_group("Data Science");
        org.delete_user("nils.aas");
    });
    assert_eq!(changed().await.1, 1);

    let after = okta.snapshot();
    assert_ne!(before, after);
    assert_eq!(
        after.user("jane.doe")["statusChanged"],
        after.user("jane.doe")["lastUpdated"]
    );
    assert!(
        after
            .groups_of("jane.doe")
            .contains(&acme.group("Engineering").to_owned()),
        "memberships stay"
    );
    let new = okta.edit(|org| org.add_user("newest", "New", "Est"));
    assert_eq!(
        get(&okta, &format!("{USERS}/{new}"), &[]).await.body["status"],
        "ACTIVE"
    );
}

#[tokio::test]
async fn lists_may_lag_behind_the_truth() {
    let settings = Settings {
        lag: Duration::from_millis(400),
        ..Settings::default()
    };
    let acme = Company::acme();
    let okta = Okta::start_with(&acme, settings);
    okta.edit(|org| org.set_status("jane.doe", "SUSPENDED"));
    let search = [("search", r#"status eq "SUSPENDED""#)];
    assert_eq!(handles(&get(&okta, USERS, &search).await), ["sam.suspended"]);
    let alone = get(&okta, &format!("{USERS}/{}", acme.user("jane.doe")), &[]).await;
    assert_eq!(alone.body["status"], "SUSPENDED");
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(
        handles(&get(&okta, USERS, &search).await),
        ["jane.doe", "sam.suspended"]
    );
}

#[tokio::test]
async fn the_journal_tells_what_was_asked_and_waits_for_more() {
    let okta = Okta::start(&Company::acme());
    get(&okta, USERS, &[("search", "status pr"), ("colour", "blue")]).await;
    let waiting = okta
        .journal()
        .wait_until(|entries| entries.len() == 2, Duration::from_secs(5));
    let (seen, _) = tokio::join!(waiting, get(&okta, GROUPS, &[]));
    let seen = seen.unwrap();
    assert_eq!((seen[0].sequence, seen[1].sequence), (0, 1));
    assert!(seen[0].at <= seen[1].at);
    assert_eq!(seen[0].param("search"), Some("status pr"));
    assert_eq!(seen[0].ignored, ["colour"]);
    assert_eq!(seen[0].line(), "GET /api/v1/users 200");
    assert_eq!(seen[0].headers["user-agent"], "sandbox-tests/1");
    assert!(okta.journal().writes().is_empty());
    let missing = okta
        .journal()
        .wait_until(|entries| entries.len() == 3, Duration::from_millis(50))
        .await;
    assert!(
        missing
            .unwrap_err()
            .to_string()
            .contains("GET /api/v1/groups 200")
    );
    okta.journal().clear();
    assert!(okta.journal().entries().is_empty());
}

#[tokio::test]
async fn a_dropped_org_answers_no_more() {
    let okta = Okta::start(&Company::acme());
    let (url, client) = (okta.url() + USERS, client());
    assert!(send(client.get(&url)).await.is_ok());
    drop(okta);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(send(client.get(&url)).await.is_err());
}
