//! Teams, tokens, rate limits and changes by administrators.

use super::*;

#[tokio::test]
async fn teams_are_created_changed_and_deleted() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    assert_eq!(
        violations(&post(&insightful, "/team", json!({})).await),
        [("name", "required")]
    );
    let unknown = post(&insightful, "/team", json!({"name": "Ops", "employees": []})).await;
    assert_eq!(violations(&unknown), [("employees", "objectStrict")]);
    let made = post(
        &insightful,
        "/team",
        json!({"name": "Ops", "description": "They run it"}),
    )
    .await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (made.status, &made.body["default"], &made.body["employees"]),
        (200, &json!(false), &json!([]))
    );
    assert_eq!(made.body["description"], "They run it");
    assert_eq!(
        post(&insightful, "/team", json!({"name": "Ops"})).await.status,
        200,
        "names need not be unique"
    );
    insightful.configure(|settings| settings.equal_team_names = false);
    assert_eq!(
        post(&insightful, "/team", json!({"name": "Ops"})).await.status,
        409
    );

    let path = format!("/team/{id}");
    assert_eq!(
        violations(&put(&insightful, &path, json!({"name": "DevOps"})).await),
        [("name", "objectStrict")]
    );
    assert_eq!(
        violations(&put(&insightful, &path, json!({"ignoreNeutral": 1})).await),
        [("ignoreNeutral", "boolean")]
    );
    let (jane, chen) = (acme.employee("jane.doe"), acme.employee("chen.xiu"));
    let nobody = put(&insightful, &path, json!({"employees": ["w00000000000000"]})).await;
    assert_eq!(nobody.status, 404);
    let changed = put(
        &insightful,
        &path,
        json!({"employees": [jane], "ignoreNeutral": true}),
    )
    .await;
    assert_eq!(
        (&changed.body["employees"], &changed.body["ignoreNeutral"]),
        (&json!([jane]), &json!(true))
    );
    let team_of = |who: &str| insightful.snapshot().employee(who)["teamId"].clone();
    assert_eq!(team_of(jane), id);

    put(&insightful, &path, json!({"employees": [chen]})).await;
    assert_eq!(
        (team_of(chen), team_of(jane)),
        (json!(id), json!(acme.team("Default"))),
        "the list replaces the members"
    );
    insightful.configure(|settings| settings.team_employees = TeamEmployees::Add);
    put(&insightful, &path, json!({"employees": [jane]})).await;
    assert_eq!(
        (team_of(chen), team_of(jane)),
        (json!(id), json!(id)),
        "the list adds members"
    );

    let default = call(
        &insightful,
        Method::DELETE,
        &format!("/team/{}", acme.team("Default")),
        None,
    )
    .await;
    assert_eq!(
        (default.status, &default.body["message"]),
        (409, &json!("Can't remove default team"))
    );
    let removed = call(&insightful, Method::DELETE, &path, None).await;
    assert_eq!((removed.status, &removed.body["id"]), (200, &json!(id)));
    assert_eq!(team_of(jane), acme.team("Default"));
    assert_eq!(get(&insightful, &path).await.status, 404);
}

#[tokio::test]
async fn tokens_are_checked_and_the_read_token_cannot_write() {
    let acme = Company::acme();
    let settings = Settings {
        unauthorized: json!("Who are you?"),
        ..Settings::default()
    };
    let insightful = Insightful::start_with(&acme, settings.clone());
    let wrong = with(&insightful, "wrong", Method::GET, "/employee", None).await;
    assert_eq!((wrong.status, wrong.body), (401, json!("Who are you?")));
    assert_eq!(
        send(client().get(insightful.url() + "/employee"))
            .await
            .unwrap()
            .status,
        401
    );

    let before = insightful.snapshot();
    let read = async |method, path: &str| {
        with(&insightful, &settings.read_token, method, path, Some(json!({}))).await
    };
    let jane = acme.employee("jane.doe");
    assert_eq!(read(Method::GET, "/employee").await.status, 200);
    for (method, path) in [
        (Method::POST, "/employee".to_owned()),
        (Method::PUT, format!("/employee/{jane}")),
        (Method::GET, format!("/employee/deactivate/{jane}")),
        (Method::DELETE, format!("/team/{}", acme.team("Sales"))),
    ] {
        assert_eq!(read(method, &path).await.status, 403, "{path}");
    }
    assert_eq!(insightful.snapshot(), before);
    insightful.set_token("another");
    assert_eq!(
        with(&insightful, &settings.write_token, Method::GET, "/team", None)
            .await
            .status,
        401
    );
    assert_eq!(get(&insightful, "/team").await.status, 200);
    assert!(!format!("{:?}", insightful.journal().entries()).contains(&settings.read_token));
}

#[tokio::test]
async fn the_organization_has_two_hundred_requests_per_minute() {
    let insightful = Insightful::start(&Company::acme());
    insightful.spend(199);
    assert_eq!(get(&insightful, "/team").await.status, 200);
    let refused = get(&insightful, "/team").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, ""));
    let read_token = Settings::default().read_token;
    assert_eq!(
        with(&insightful, &read_token, Method::GET, "/team", None)
            .await
            .status,
        429,
        "tokens share the limit"
    );

    insightful.configure(|settings| {
        settings.retry_after = true;
        settings.window = Duration::from_secs(2);
    });
    let waiting = get(&insightful, "/team").await;
    assert_eq!(waiting.status, 429);
    let seconds: u64 = waiting.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&seconds));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    assert_eq!(get(&insightful, "/team").await.status, 200);
}

#[tokio::test]
async fn administrators_can_edit_the_account() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let before = insightful.snapshot();
    insightful.edit(|account| {
        account.rename_employee("jane.doe@acme.com", "J. Doe");
        account.move_employee("Xiu Chen", "Legal");
        account.deactivate("igor.petrov@acme.com");
        account.delete_employee(acme.employee("cody.contractor"));
        account.add_team("Board");
        account.add_employee("Ada Chair", "ada@acme.com", "Board");
        account.set_team("Board", "name", "The Board");
        account.delete_team("Support");
    });
    let after = insightful.snapshot();
    assert_ne!(before, after);
    let employees = get(&insightful, "/employee").await;
    assert_eq!(employees.ids().len(), acme.employees.len());
    let of = |id: &str| {
        let employees = employees.body.as_array().unwrap();
        employees.iter().find(|employee| employee["id"] == id).cloned()
    };
    assert_eq!(of(acme.employee("jane.doe")).unwrap()["name"], "J. Doe");
    assert_eq!(
        of(acme.employee("chen.xiu")).unwrap()["teamId"],
        acme.team("Legal")
    );
    assert_ne!(of(acme.employee("igor.petrov")).unwrap()["deactivated"], 0);
    assert_eq!(of(acme.employee("cody.contractor")), None);
    assert_eq!(
        of(acme.employee("imani.diallo")).unwrap()["teamId"],
        acme.team("Default")
    );
    let board = get(&insightful, &format!("/team/{}", after.team_id("The Board"))).await;
    assert_eq!(
        board.body["employees"],
        json!([after.employee_id("ada@acme.com")])
    );
}

#[tokio::test]
async fn tokens_and_records_name_the_organization() {
    let insightful = Insightful::start(&Company::acme());
    let settings = Settings::default();
    let organization = get(&insightful, "/team").await.body[0]["organizationId"].clone();
    for token in [&settings.write_token, &settings.read_token] {
        let [_, payload, _] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("{token} is no JWT");
        };
        let payload: Value = serde_json::from_slice(&decoded(payload)).unwrap();
        assert_eq!(payload["organizationId"], organization);
    }
}

/// The bytes of base64url without padding.
fn decoded(text: &str) -> Vec<u8> {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = text.chars().flat_map(|c| {
        let digit = digits.find(c).unwrap();
        (0..6).rev().map(move |bit| (digit >> bit) & 1)
    });
    let bits: Vec<usize> = bits.collect();
    let bytes = bits.chunks_exact(8);
    bytes
        .map(|byte| byte.iter().fold(0, |all, bit| (all << 1) | *bit as u8))
        .collect()
}
