//! Filters, order and pages of lists.

use super::*;

#[tokio::test]
async fn plain_lists_and_q_omit_deprovisioned_users_but_search_and_filter_do_not() {
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
        handles(&get(&okta, USERS, &[("q", "lena")]).await),
        Vec::<String>::new()
    );
    assert_eq!(
        handles(&get(&okta, USERS, &[("q", "LOLA")]).await),
        ["lola.locked"]
    );
    let filtered = get(&okta, USERS, &[("filter", r#"status eq "DEPROVISIONED""#)]).await;
    assert_eq!(handles(&filtered), leavers);
}

#[tokio::test]
async fn following_the_links_returns_every_user_once() {
    let acme = Company::acme();
    let okta = Okta::start_with(&acme, small_pages());
    let all = pages(&okta, USERS, &[("search", "status pr"), ("limit", "200")]).await;
    assert_eq!(all.len(), acme.users.len().div_ceil(7));
    let ids: Vec<_> = all.iter().flat_map(Reply::ids).collect();
    let once: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!((ids.len(), once.len()), (acme.users.len(), acme.users.len()));

    // There is one Link header for each relation, and `next` contains the query.
    assert_eq!(all[0].headers.get_all("link").iter().count(), 2);
    assert_eq!(all[all.len() - 1].headers.get_all("link").iter().count(), 1);
    let next = all[0].link("next").unwrap();
    assert!(next.starts_with(&okta.url()) && next.contains("search=status+pr") && next.contains("limit=200"));
    assert!(all[0].link("self").unwrap().contains("search=status"));
    let cursor = next.split("after=").nth(1).unwrap().split('&').next().unwrap();
    assert!(!ids.contains(&cursor), "the cursor is a user's id");

    // A cursor is valid for its query only.
    for (path, query, expected) in [
        (USERS, vec![("after", cursor)], "E0000029"),
        (GROUPS, vec![("after", cursor)], "E0000029"),
        (USERS, vec![("after", "00u"), ("search", "status pr")], "E0000031"),
    ] {
        let refused = get(&okta, path, &query).await;
        assert_eq!(code(&refused), (400, expected), "{path} {query:?}");
        assert_eq!(
            refused.body["errorCauses"],
            json!([{"errorSummary": "Invalid cursor."}])
        );
    }

    // A cursor expires.
    okta.expire_cursors(1);
    assert_eq!(code(&get(&okta, next.as_str(), &[]).await), (400, "E0000031"));
    assert_eq!(code(&get(&okta, next.as_str(), &[]).await), (400, "E0000031"));

    // The last record of the page is deleted, and the next page still begins with the next record.
    let first = get(&okta, USERS, &[("search", "status pr")]).await;
    okta.edit(|org| org.delete_user(first.ids()[6]));
    let second = get(&okta, &first.link("next").unwrap(), &[]).await;
    assert_eq!(second.ids(), all[1].ids());
}

#[tokio::test]
async fn a_full_last_page_can_link_to_an_empty_page() {
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
async fn page_limits_are_checked() {
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
    // `q` returns ten people and no further pages.
    okta.edit(|org| {
        (0..12).for_each(|number| drop(org.add_user(&format!("quincy.{number}"), "Quincy", "Adams")))
    });
    let found = get(&okta, USERS, &[("q", "quin")]).await;
    assert_eq!((found.ids().len(), found.link("next")), (10, None));
}

#[tokio::test]
async fn searches_are_sorted_as_requested() {
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
    // Case is ignored: a prefix search also returns a prefix in another case.
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
    assert!(!many.headers.contains_key("link"), "not even a link to itself");
    assert_eq!(
        (many.ids().len(), many.link("next")),
        (300, None),
        "q has a maximum without an error"
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
async fn members_are_complete_users_and_include_deprovisioned_ones() {
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
async fn a_user_is_found_by_exact_id_or_login() {
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
