//! Search and filter expressions.

use super::*;

#[tokio::test]
async fn a_search_returns_the_matching_users() {
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
async fn invalid_expressions_are_rejected() {
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
    // Filters compare values with case.
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
