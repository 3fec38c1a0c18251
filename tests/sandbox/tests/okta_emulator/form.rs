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
