//! Employees: lists, invitations, changes and deactivation.

use super::*;

#[tokio::test]
async fn lists_are_plain_arrays_of_all_records() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let employees = get(&insightful, "/employee").await;
    assert_eq!(employees.ids().len(), acme.employees.len());
    assert_eq!((employees.link("self"), employees.link("next")), (None, None));
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
async fn invitations_require_four_fields_and_accept_no_others() {
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
    assert_eq!(violations(&nothing), all);
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
            violations(&post(&insightful, "/employee", body).await),
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
    assert_eq!(insightful.snapshot(), before, "an error has no effect");

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
async fn an_email_is_unique_even_among_deactivated_employees() {
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
        assert_eq!(own.status, 200, "an employee's own email is accepted");
    }
}

#[tokio::test]
async fn a_change_affects_the_given_fields_only() {
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
        "identifier is still the first email"
    );
    assert_eq!(changed.body["sharedSettingsId"], before["sharedSettingsId"]);
    assert!(
        changed.body.get("title").is_none(),
        "no response contains the title"
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
        assert_eq!(violations(&put(&insightful, &path, body).await), [complaint]);
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
    assert_eq!(violations(&short), [("id", "stringLength")]);
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
async fn deactivation_is_a_get_and_cannot_be_undone_by_the_api() {
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
async fn names_are_stored_as_they_are_or_normalized() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let path = format!("/employee/{}", acme.employee("jane.doe"));
    let name = json!({"name": " jane  mcDOE "});
    assert_eq!(
        put(&insightful, &path, name.clone()).await.body["name"],
        " jane  mcDOE "
    );
    insightful.configure(|settings| settings.normalize_names = true);
    assert_eq!(put(&insightful, &path, name).await.body["name"], "Jane Mcdoe");
    let hired = post(&insightful, "/employee", hire(&acme, "new.hire@acme.com")).await;
    assert_eq!(hired.body["name"], "New Hire");
}

#[tokio::test]
async fn ids_have_hyphens_and_underscores_also_at_their_end() {
    let insightful = Insightful::start(&Company::generate(500, 1));
    let employees = get(&insightful, "/employee").await;
    let employees = employees.ids();
    assert!(employees.iter().all(|id| {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        id.len() == 15 && id.chars().all(is_allowed)
    }));
    for end in ['-', '_'] {
        let id = employees.iter().find(|id| id.ends_with(end)).unwrap();
        let path = format!("/employee/{id}");
        assert_eq!(get(&insightful, &path).await.body["id"], *id);
        let changed = put(&insightful, &path, json!({"name": "New Name"})).await;
        assert_eq!((changed.status, &changed.body["id"]), (200, &json!(id)));
        let deactivated = get(&insightful, &format!("/employee/deactivate/{id}")).await;
        assert_eq!((deactivated.status, &deactivated.body["id"]), (200, &json!(id)));
    }
}

#[tokio::test]
async fn a_person_on_another_computer_has_a_deactivated_copy_that_holds_the_email() {
    let acme = Company::acme();
    let insightful = Insightful::start(&acme);
    let old = acme.employee("jane.doe");
    let new = insightful.edit(|account| account.move_to_another_computer("jane.doe@acme.com", "ACME\\jdoe"));
    let employees = get(&insightful, "/employee").await;
    let employees = employees.body.as_array().unwrap();
    let copies: Vec<_> = employees
        .iter()
        .filter(|employee| employee["name"] == "Jane Doe")
        .collect();
    assert_eq!(copies.len(), 2);
    let one = async |id: &str| get(&insightful, &format!("/employee/{id}")).await.body;
    let (before, now) = (one(old).await, one(&new).await);
    assert_ne!(before["deactivated"], 0);
    assert_eq!(
        (&before["email"], &before["type"]),
        (&json!("jane.doe@acme.com"), &json!("personal"))
    );
    assert_eq!(
        (
            &now["email"],
            &now["deactivated"],
            &now["type"],
            &now["identifier"]
        ),
        (&json!(null), &json!(0), &json!("office"), &json!("ACME\\jdoe"))
    );
    let path = format!("/employee/{new}");
    let email = put(&insightful, &path, json!({"email": "jane.doe@acme.com"})).await;
    assert_eq!(email.status, 409, "the copy holds it");
    let email = put(&insightful, &path, json!({"email": "jane@acme.com"})).await;
    assert_eq!(
        (email.status, &email.body["type"], &email.body["identifier"]),
        (200, &json!("office"), &json!("ACME\\jdoe")),
        "the computer's account stays the identifier"
    );
}
