//! The Insightful emulator holds what is known of Insightful's API.

mod calls;

use std::time::Duration;

use reqwest::Method;
use sandbox::company::Company;
use sandbox::insightful::{Insightful, Settings, TeamEmployees};
use serde_json::{Value, json};

use calls::{Reply, client, send};

async fn call(insightful: &Insightful, method: Method, path: &str, body: Option<Value>) -> Reply {
    with(insightful, insightful.token(), method, path, body).await
}

async fn with(
    insightful: &Insightful,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let mut request = client()
        .request(method, insightful.url() + path)
        .bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    send(request).await.expect("an answer")
}

async fn get(insightful: &Insightful, path: &str) -> Reply {
    call(insightful, Method::GET, path, None).await
}

async fn put(insightful: &Insightful, path: &str, body: Value) -> Reply {
    call(insightful, Method::PUT, path, Some(body)).await
}

async fn post(insightful: &Insightful, path: &str, body: Value) -> Reply {
    call(insightful, Method::POST, path, Some(body)).await
}

/// The fields that a 422 complains about, with the kinds of complaint.
fn complaints(reply: &Reply) -> Vec<(&str, &str)> {
    assert_eq!(reply.status, 422, "{}", reply.body);
    assert_eq!(reply.body["type"], "VALIDATION_ERROR");
    assert_eq!(reply.body["message"], "Parameters validation error!");
    let details = reply.body["details"].as_array().unwrap().iter();
    details
        .map(|detail| {
            (
                detail["field"].as_str().unwrap(),
                detail["type"].as_str().unwrap(),
            )
        })
        .collect()
}

fn hire(acme: &Company, email: &str) -> Value {
    json!({"name": "New Hire", "email": email, "teamId": acme.team("Onboarding"), "sharedSettingsId": acme.settings("Default")})
}

#[tokio::test]
async fn lists_are_bare_arrays_with_everybody() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let employees = get(&insightful, "/employee").await;
    assert_eq!(employees.ids().len(), acme.employees.len());
    let gone = acme.employee("lisa.leaver");
    let deactivated = employees
        .body
        .as_array()
        .unwrap()
        .iter()
        .find(|employee| employee["id"] == gone);
    assert!(deactivated.unwrap()["deactivated"].as_i64().unwrap() > 1_500_000_000_000);
    assert_eq!(
        get(&insightful, "/employee?limit=1").await.ids().len(),
        acme.employees.len(),
        "lists are not paged"
    );
    assert_eq!(insightful.journal().entries()[1].ignored, ["limit"]);

    let selected = get(&insightful, "/employee?select=_id,name,email").await;
    let fields = selected.body[0].as_object().unwrap();
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["email", "id", "name"]);

    let one = get(&insightful, &format!("/employee/{}", acme.employee("jane.doe"))).await;
    let known = [
        "id",
        "name",
        "email",
        "teamId",
        "sharedSettingsId",
        "accountId",
        "identifier",
        "type",
        "organizationId",
        "projects",
        "deactivated",
        "invited",
        "createdAt",
    ];
    assert!(
        known.iter().all(|field| one.body.get(field).is_some()),
        "{}",
        one.body
    );
    assert_eq!(one.body["deactivated"], 0);
    assert!(
        one.body["id"].as_str().unwrap().len() == 15
            && one.body["organizationId"].as_str().unwrap().len() == 15
    );

    let teams = get(&insightful, "/team").await;
    assert_eq!(teams.ids().len(), acme.teams.len());
    let sizes = teams
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|team| team["employees"].as_array().unwrap().len());
    assert_eq!(
        sizes.sum::<usize>(),
        acme.employees.len(),
        "an employee is in exactly one team"
    );
    let settings = get(&insightful, "/shared-settings").await;
    let fields = [
        "id",
        "name",
        "type",
        "default",
        "settings",
        "organizationId",
        "createdAt",
        "updatedAt",
    ];
    assert!(fields.iter().all(|field| settings.body[0].get(field).is_some()));
    let id = acme.settings("Default");
    assert_eq!(
        get(&insightful, &format!("/shared-settings/{id}")).await.body["id"],
        id
    );
    assert_eq!(
        get(&insightful, &format!("/team/{}", acme.team("Sales")))
            .await
            .body["name"],
        "Sales"
    );
}

#[tokio::test]
async fn invitations_need_all_four_fields_and_no_other() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let before = insightful.snapshot();
    let nothing = post(&insightful, "/employee", json!({})).await;
    let all = [
        ("name", "required"),
        ("email", "required"),
        ("teamId", "required"),
        ("sharedSettingsId", "required"),
    ];
    assert_eq!(complaints(&nothing), all);
    assert_eq!(
        nothing.body["details"][0]["message"],
        "The 'name' field is required!"
    );
    for (field, value, complaint) in [
        ("name", json!(""), ("name", "stringEmpty")),
        ("name", json!(7), ("name", "string")),
        ("name", Value::Null, ("name", "required")),
        ("email", json!("new.hire"), ("email", "email")),
        ("teamId", json!("w1"), ("teamId", "stringLength")),
        ("title", json!("Engineer"), ("title", "objectStrict")),
        ("deactivated", json!(0), ("deactivated", "objectStrict")),
    ] {
        let mut body = hire(&acme, "new.hire@acme.com");
        body[field] = value;
        assert_eq!(
            complaints(&post(&insightful, "/employee", body).await),
            [complaint],
            "{field}"
        );
    }
    for field in ["teamId", "sharedSettingsId"] {
        let mut body = hire(&acme, "new.hire@acme.com");
        body[field] = json!("w00000000000000");
        let reply = post(&insightful, "/employee", body).await;
        assert_eq!(
            (reply.status, &reply.body["type"]),
            (404, &json!("EntityNotFound")),
            "{field}"
        );
    }
    let url = format!("{}/employee", insightful.url());
    let broken = send(client().post(url).bearer_auth(insightful.token()).body("{"))
        .await
        .unwrap();
    assert_eq!(broken.status, 400);
    assert_eq!(insightful.snapshot(), before, "a refusal has no effect");

    let invited = post(&insightful, "/employee", hire(&acme, "new.hire@acme.com")).await;
    assert_eq!(
        (invited.status, invited.body["deactivated"].as_i64()),
        (200, Some(0))
    );
    assert_eq!(invited.body["identifier"], "new.hire@acme.com");
    let id = invited.body["id"].as_str().unwrap();
    assert_eq!(id.len(), 15);
    assert_eq!(
        get(&insightful, &format!("/employee/{id}")).await.body,
        invited.body
    );
    let team = get(&insightful, &format!("/team/{}", acme.team("Onboarding"))).await;
    assert_eq!(team.body["employees"], json!([id]));
    assert_eq!(
        insightful.journal().writes().last().map(|entry| entry.effect),
        Some(true)
    );
}

#[tokio::test]
async fn an_email_belongs_to_one_employee_even_deactivated() {
    let acme = Company::acme();
    for status in [409, 422] {
        let settings = Settings {
            email_taken: status,
            ..Settings::default()
        };
        let insightful = Insightful::start_with(&acme, settings);
        let before = insightful.snapshot();
        for email in ["jane.doe@acme.com", "Jane.Doe@ACME.com", "lisa.leaver@acme.com"] {
            assert_eq!(
                post(&insightful, "/employee", hire(&acme, email)).await.status,
                status,
                "{email}"
            );
        }
        let path = format!("/employee/{}", acme.employee("chen.xiu"));
        assert_eq!(
            put(&insightful, &path, json!({"email": "jane.doe@acme.com"}))
                .await
                .status,
            status
        );
        assert_eq!(insightful.snapshot(), before);
        let own = put(&insightful, &path, json!({"email": "Chen.Xiu@acme.com"})).await;
        assert_eq!(own.status, 200, "one's own email is not taken");
    }
}

#[tokio::test]
async fn an_employee_changes_field_by_field() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let jane = acme.employee("jane.doe");
    let path = format!("/employee/{jane}");
    let before = get(&insightful, &path).await.body;
    let changed = put(
        &insightful,
        &path,
        json!({"name": "Jane Roe", "email": "jane.roe@acme.com", "title": "Architect", "teamId": acme.team("Sales"), "projects": []}),
    )
    .await;
    assert_eq!((changed.status, &changed.body["name"]), (200, &json!("Jane Roe")));
    assert_eq!(
        changed.body["identifier"], "jane.doe@acme.com",
        "identifier keeps the first email"
    );
    assert_eq!(changed.body["sharedSettingsId"], before["sharedSettingsId"]);
    assert!(
        changed.body.get("title").is_none(),
        "the title stands in no answer"
    );
    assert!(
        !get(&insightful, "/employee")
            .await
            .body
            .to_string()
            .contains("Architect")
    );
    assert_eq!(insightful.snapshot().title(jane), Some("Architect"));
    let members = async |team: &str| {
        get(&insightful, &format!("/team/{}", acme.team(team))).await.body["employees"].to_string()
    };
    assert!(members("Sales").await.contains(jane) && !members("Engineering").await.contains(jane));

    for (body, complaint) in [
        (json!({"deactivated": 1}), ("deactivated", "objectStrict")),
        (json!({"title": null}), ("title", "string")),
        (json!({"name": ""}), ("name", "stringEmpty")),
        (json!({"projects": "none"}), ("projects", "array")),
    ] {
        assert_eq!(complaints(&put(&insightful, &path, body).await), [complaint]);
    }
    let unknown = put(&insightful, &path, json!({"teamId": "w00000000000000"})).await;
    assert_eq!(
        (unknown.status, &unknown.body["type"]),
        (404, &json!("EntityNotFound"))
    );
    let nobody = put(&insightful, "/employee/w00000000000000", json!({"name": "X"})).await;
    assert_eq!(
        (nobody.status, nobody.body),
        (404, json!({"type": "NOT_FOUND", "message": "Not found"}))
    );
}

#[tokio::test]
async fn ids_are_checked() {
    let insightful = Insightful::start(&Company::acme());
    let short = get(&insightful, "/employee/w1234567890123").await;
    assert_eq!(complaints(&short), [("id", "stringLength")]);
    let expected = json!({
        "type": "stringLength", "expected": 15, "actual": 14, "field": "id",
        "message": "The 'id' field length must be 15 characters long!",
    });
    assert_eq!(short.body["details"][0], expected);
    let nobody = get(&insightful, "/employee/w00000000000000").await;
    assert_eq!(
        (nobody.status, nobody.body),
        (
            404,
            json!({"type": "EntityNotFound", "message": "Employee doesn't exist."})
        )
    );
    for path in [
        "/team/w00000000000000",
        "/shared-settings/w00000000000000",
        "/employee/deactivate/w00000000000000",
    ] {
        assert_eq!(
            get(&insightful, path).await.body["type"],
            "EntityNotFound",
            "{path}"
        );
    }
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::DELETE, "/employee"),
        (Method::PATCH, "/employee/w00000000000000"),
        (Method::POST, "/employee/deactivate/w00000000000000"),
    ] {
        let reply = call(&insightful, method, path, None).await;
        assert_eq!(
            (reply.status, reply.body),
            (404, json!({"type": "NOT_FOUND", "message": "Not found"})),
            "{path}"
        );
    }
}

#[tokio::test]
async fn deactivation_is_a_get_and_final() {
    let acme = Company::acme();
    for status in [400, 409] {
        let settings = Settings {
            deactivated_twice: status,
            edit_deactivated: false,
            ..Settings::default()
        };
        let insightful = Insightful::start_with(&acme, settings);
        let path = format!("/employee/deactivate/{}", acme.employee("jane.doe"));
        let first = get(&insightful, &path).await;
        assert_eq!(first.status, 200);
        assert!(first.body["deactivated"].as_i64().unwrap() > 1_700_000_000_000);
        let again = get(&insightful, &path).await;
        assert_eq!(
            (again.status, again.body),
            (status, json!({"message": "Employee is already deactivated"}))
        );
        assert_eq!(
            insightful
                .journal()
                .writes()
                .iter()
                .map(|entry| entry.effect)
                .collect::<Vec<_>>(),
            [true, false]
        );

        let employee = format!("/employee/{}", acme.employee("jane.doe"));
        assert_eq!(
            put(&insightful, &employee, json!({"name": "J"})).await.status,
            409
        );
        insightful.configure(|settings| settings.edit_deactivated = true);
        assert_eq!(
            put(&insightful, &employee, json!({"name": "J"})).await.status,
            200
        );

        assert!(
            !insightful.edit(|account| account.reactivate(acme.employee("jane.doe"))),
            "not within 7 days"
        );
        assert!(insightful.edit(|account| account.reactivate(acme.employee("lisa.leaver"))));
        assert_eq!(
            insightful.snapshot().employee("lisa.leaver@acme.com")["deactivated"],
            0
        );
    }
}

#[tokio::test]
async fn teams_are_made_changed_and_removed() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    assert_eq!(
        complaints(&post(&insightful, "/team", json!({})).await),
        [("name", "required")]
    );
    let unknown = post(&insightful, "/team", json!({"name": "Ops", "employees": []})).await;
    assert_eq!(complaints(&unknown), [("employees", "objectStrict")]);
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
        complaints(&put(&insightful, &path, json!({"name": "DevOps"})).await),
        [("name", "objectStrict")]
    );
    assert_eq!(
        complaints(&put(&insightful, &path, json!({"ignoreNeutral": 1})).await),
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
        "the list replaces"
    );
    insightful.configure(|settings| settings.team_employees = TeamEmployees::Add);
    put(&insightful, &path, json!({"employees": [jane]})).await;
    assert_eq!(
        (team_of(chen), team_of(jane)),
        (json!(id), json!(id)),
        "the list adds"
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
async fn tokens_are_checked_and_readers_cannot_write() {
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
async fn the_organization_has_two_hundred_requests_a_minute() {
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
async fn others_edit_the_account_meanwhile() {
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
