//! Responses conform to Okta's published API description.

use super::*;

#[tokio::test]
async fn every_kind_of_response_conforms_to_the_description() {
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
async fn responses_are_compressed_if_the_request_asks_for_it() {
    let okta = Okta::start(&Company::acme());
    let plain = reqwest::Client::builder()
        .user_agent("sandbox-tests/1")
        .no_gzip()
        .build()
        .unwrap();
    for (client, gzip) in [(client(), true), (plain, false)] {
        let request = client.get(okta.url() + USERS);
        let reply = send(request.header("authorization", format!("SSWS {}", okta.token())))
            .await
            .unwrap();
        assert!(!reply.ids().is_empty());
        assert_eq!(okta.journal().entries().pop().unwrap().gzip, gzip);
    }
}

#[tokio::test]
async fn causes_can_be_null_and_names_of_headers_in_title_case() {
    let okta = Okta::start(&Company::acme());
    okta.configure(|settings| {
        settings.null_causes = true;
        settings.title_case_headers = true;
    });
    let refused = get(&okta, "/api/v1/users/00unobody", &[]).await;
    assert_eq!(code(&refused), (404, "E0000007"));
    assert_eq!(refused.body["errorCauses"], Value::Null);
    // Without a client, since clients ignore the case.
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = okta.url().replace("http://", "");
    let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET {USERS} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: test/1\r\nConnection: close\r\n\
         Authorization: SSWS {}\r\n\r\n",
        okta.token()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("\r\nLink: <") && answer.contains("\r\nX-Rate-Limit-Limit: "),
        "{answer}"
    );
}

#[tokio::test]
async fn a_reactivation_is_shown_unless_the_request_omits_it() {
    let acme = Company::acme();
    let okta = Okta::start(&acme);
    okta.edit(|org| {
        org.set_status("jane.doe", "DEPROVISIONED");
        org.begin_reactivation("jane.doe");
    });
    let path = format!("{USERS}/{}", acme.user("jane.doe"));
    let reply = get(&okta, &path, &[]).await;
    assert_eq!(
        (&reply.body["status"], &reply.body["transitioningToStatus"]),
        (&json!("DEPROVISIONED"), &json!("PROVISIONED"))
    );
    assert_eq!(
        Schemas::load().check("/api/v1/users/{id}", 200, &reply.body),
        Ok(())
    );
    let request = client()
        .get(okta.url() + &path)
        .header("authorization", format!("SSWS {}", okta.token()))
        .header(
            "content-type",
            "application/json; okta-response=omitTransitioningToStatus",
        );
    let trimmed = send(request).await.unwrap();
    assert!(trimmed.body.get("transitioningToStatus").is_none());
    okta.edit(|org| org.set_status("jane.doe", "PROVISIONED"));
    let reply = get(&okta, &path, &[]).await;
    assert!(reply.body.get("transitioningToStatus").is_none());
}

#[tokio::test]
async fn a_corrupted_response_does_not_conform_to_the_description() {
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
        // `lastLogin` is nullable, which the translation of the schemas must preserve.
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
        "an undocumented field is accepted"
    );
    let nullable = json!([{"id": "00u", "lastLogin": null, "status": "ACTIVE"}]);
    assert_eq!(schemas.check(USERS, 200, &nullable), Ok(()));
}

#[tokio::test]
async fn requests_can_omit_and_select_fields() {
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
