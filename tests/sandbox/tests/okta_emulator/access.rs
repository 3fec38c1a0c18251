//! Authentication and rate limits.

use super::*;

#[tokio::test]
async fn credentials_are_checked() {
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
        "the journal contains a token"
    );
    assert_eq!((entries[0].authorized, entries[5].authorized), (false, true));
}

#[tokio::test]
async fn rate_limits_apply_per_bucket_and_are_in_the_headers() {
    let limits = Limits {
        users: 8,
        groups: 4,
        window_seconds: 2,
        ..Limits::default()
    };
    // The org's clock is an hour ahead of the client's.
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
        "a token may use half of the bucket"
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

    // Members count against the groups' bucket only, and so do the requests of other tokens.
    assert_eq!(
        get(&okta, GROUPS, &[]).await.header("x-rate-limit-remaining"),
        "1"
    );
    okta.spend(Bucket::Groups, 3);
    let members = format!("{GROUPS}/{}/users", acme.group("Sales"));
    assert_eq!(get(&okta, &members, &[]).await.status, 429);
    assert_eq!(get(&okta, &format!("{USERS}/jane.doe"), &[]).await.status, 200);

    // Reset - Date + 1 seconds, by the server's clock, is long enough.
    let date = jiff::fmt::rfc2822::parse(refused.header("date"))
        .unwrap()
        .timestamp();
    let wait = number(&refused, "x-rate-limit-reset") - date.as_second() + 1;
    tokio::time::sleep(Duration::from_secs(wait.try_into().unwrap())).await;
    assert_eq!(get(&okta, USERS, &[]).await.status, 200);
}

#[tokio::test]
async fn too_many_concurrent_requests_are_rejected_with_a_limit_of_zero() {
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
async fn a_missing_scope_is_named_in_a_header_only() {
    let okta = Okta::start(&Company::acme());
    okta.configure(|settings| settings.missing_scopes = ["okta.groups.read".to_owned()].into());
    let members = format!("{GROUPS}/{}/users", okta.snapshot().group_id("Sales"));
    for path in [GROUPS, &members] {
        let refused = get(&okta, path, &[]).await;
        assert_eq!(
            (refused.status, &refused.body),
            (403, &json!("")),
            "an empty body"
        );
        let challenge = refused.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer ")
                && challenge.contains("error=\"insufficient_scope\"")
                && challenge.contains("scope=\"okta.groups.read\""),
            "{challenge}"
        );
        assert!(!refused.header("x-okta-request-id").is_empty());
    }
    assert_eq!(get(&okta, USERS, &[]).await.status, 200);
}

#[tokio::test]
async fn a_role_that_covers_no_users_gets_empty_lists() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    okta.configure(|settings| settings.sees_users = false);
    let members = format!("{GROUPS}/{}/users", acme.group("Sales"));
    for (path, query) in [
        (USERS, vec![]),
        (USERS, vec![("search", "status pr")]),
        (members.as_str(), vec![]),
    ] {
        let reply = get(&okta, path, &query).await;
        assert_eq!((reply.status, reply.body), (200, json!([])), "{path}");
    }
    let jane = format!("{USERS}/{}", acme.user("jane.doe"));
    assert_eq!(code(&get(&okta, &jane, &[]).await), (403, "E0000006"));
    assert!(!get(&okta, GROUPS, &[]).await.ids().is_empty());
}

#[tokio::test]
async fn rate_limit_headers_can_be_doubled() {
    let okta = Okta::start(&Company::acme());
    okta.configure(|settings| settings.doubled_rate_headers = true);
    let all = |reply: &Reply, name: &str| -> Vec<i64> {
        let values = reply.headers.get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap().parse().unwrap())
            .collect()
    };
    let reply = get(&okta, USERS, &[]).await;
    assert_eq!(all(&reply, "x-rate-limit-limit"), [300, 75]);
    assert_eq!(all(&reply, "x-rate-limit-remaining"), [299, 74]);
    okta.occupy(75);
    let refused = get(&okta, USERS, &[]).await;
    assert_eq!(code(&refused), (429, "E0000047"));
    assert!(!refused.headers.contains_key("retry-after"));
    assert_eq!(all(&refused, "x-rate-limit-limit"), [300, 0]);
    assert_eq!(all(&refused, "x-rate-limit-remaining"), [299, 0]);
    let resets = all(&refused, "x-rate-limit-reset");
    assert!(resets[1] - Timestamp::now().as_second() > 120, "{resets:?}");
}

#[tokio::test]
async fn a_dropped_org_stops() {
    let okta = Okta::start(&Company::acme());
    let (url, client) = (okta.url() + USERS, client());
    assert!(send(client.get(&url)).await.is_ok());
    drop(okta);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(send(client.get(&url)).await.is_err());
}
