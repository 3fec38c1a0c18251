//! Changes to a running org, and the journal.

use super::*;

#[tokio::test]
async fn changes_set_the_timestamps_that_deltas_search_for() {
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
    // Deleted groups and groups that lose the prefix are in no delta.
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
async fn lists_can_lag_behind_the_current_state() {
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
async fn the_journal_records_requests_and_waits_for_conditions() {
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
