//! Reads and writes of an organisation.

use std::sync::Arc;
use std::time::Duration;

use okta_insightful_operator::http::{CallOutcome, Operation, Retryability, Service, WaitCause};
use okta_insightful_operator::insightful::{
    Deactivation, InsightfulClient, InsightfulConfig, InsightfulError, WriteError,
};
use okta_insightful_operator::model::{EmployeeId, EmployeeUpdate, NewEmployee, SettingsId, TeamId};
use sandbox::company::Company;
use sandbox::faults::{Kind, Match};
use sandbox::insightful::{Insightful, Settings};
use serde_json::json;
use url::Url;

use crate::{Recorder, canned, fast_retries, short_limits, unreachable_url};

const EMPLOYEES: &str = "/api/v1/employee";
const EMPLOYEE: &str = "/api/v1/employee/*";
const DEACTIVATE: &str = "/api/v1/employee/deactivate/*";

fn config(url: &str, token: &str) -> InsightfulConfig {
    let mut config = InsightfulConfig::new(Url::parse(url).unwrap(), token.into());
    config.allow_http_loopback = true;
    config.retry_policy = fast_retries();
    config.request_limits = short_limits();
    config
}

fn client(insightful: &Insightful) -> InsightfulClient {
    InsightfulClient::new(config(&insightful.url(), insightful.token())).unwrap()
}

fn new_employee(company: &Company) -> NewEmployee {
    NewEmployee {
        name: "New Hire".into(),
        email: "new.hire@acme.com".into(),
        team: TeamId::from(company.team("Onboarding")),
        settings: SettingsId::from(company.settings("Default")),
    }
}

#[tokio::test]
async fn the_lists_are_complete_and_contain_deactivated_employees() {
    let company = Company::acme();
    let insightful = Insightful::start(&company);
    let client = client(&insightful);
    let employees = client.employees().await.unwrap();
    assert_eq!(employees.len(), company.employees.len());
    assert!(employees.iter().any(|employee| employee.deactivated));
    let jane = employees
        .iter()
        .find(|employee| employee.id.as_str() == company.employee("jane.doe"))
        .unwrap();
    assert_eq!(
        (jane.name.as_str(), jane.email.as_str()),
        ("Jane Doe", "jane.doe@acme.com")
    );
    assert_eq!(
        (jane.team.as_str(), jane.deactivated),
        (company.team("Engineering"), false)
    );

    let teams = client.teams().await.unwrap();
    let default: Vec<_> = teams
        .iter()
        .filter(|team| team.default)
        .map(|team| team.name.as_str())
        .collect();
    assert_eq!((teams.len(), default), (company.teams.len(), vec!["Default"]));
    let settings = client.shared_settings().await.unwrap();
    let names: Vec<_> = settings
        .iter()
        .map(|settings| (settings.name.as_str(), settings.default))
        .collect();
    assert_eq!(names.len(), 2);
    assert!(
        names.contains(&("Default", true)) && names.contains(&("Silent", false)),
        "{names:?}"
    );
    assert_eq!(insightful.journal().entries().len(), 3);
}

#[tokio::test]
async fn a_team_is_found_by_id_only() {
    let company = Company::acme();
    let insightful = Insightful::start(&company);
    let client = client(&insightful);
    let engineering = TeamId::from(company.team("Engineering"));
    let found = client.team(&engineering).await.unwrap().unwrap();
    assert_eq!((&found.id, found.name.as_str()), (&engineering, "Engineering"));
    for id in ["wnobodyhasthis0", "short", "../employee"] {
        assert_eq!(client.team(&TeamId::from(id)).await.unwrap(), None, "{id}");
    }
    assert_eq!(insightful.journal().entries().len(), 3);
    // A response with another team is an error.
    let another = json!({ "id": "wanotherteam000", "name": "Another" });
    insightful
        .faults()
        .once(Match::any(), Kind::Status(200, Some(another)));
    assert_eq!(
        client.team(&engineering).await.unwrap_err().reason(),
        "InvalidResponse"
    );
}

#[tokio::test]
async fn an_employee_is_found_by_id_only() {
    let company = Company::acme();
    let insightful = Insightful::start(&company);
    let client = client(&insightful);
    let jane = EmployeeId::from(company.employee("jane.doe"));
    assert_eq!(client.employee(&jane).await.unwrap().unwrap().id, jane);
    for id in ["wnobodyhasthis0", "short"] {
        assert_eq!(
            client.employee(&EmployeeId::from(id)).await.unwrap(),
            None,
            "{id}"
        );
    }
    // An ID that would change the path is not sent.
    let dangerous = EmployeeId::from(format!("deactivate/{jane}"));
    assert_eq!(client.employee(&dangerous).await.unwrap(), None);
    assert_eq!(insightful.journal().entries().len(), 3);
    assert!(insightful.journal().writes().is_empty());
    insightful
        .faults()
        .once(Match::any(), Kind::Status(404, Some("no such host".into())));
    assert_eq!(client.employee(&jane).await.unwrap_err().reason(), "NotFound");
}

#[tokio::test]
async fn a_creation_and_an_update_are_one_call_each() {
    let company = Company::acme();
    let insightful = Insightful::start(&company);
    let client = client(&insightful);
    let team = client
        .write_permit()
        .await
        .create_team("Data Science")
        .await
        .unwrap();
    assert_eq!(team.name, "Data Science");
    let hire = client
        .write_permit()
        .await
        .create_employee(&new_employee(&company))
        .await
        .unwrap();
    assert_eq!(
        (hire.name.as_str(), hire.team.as_str()),
        ("New Hire", company.team("Onboarding"))
    );

    let update = EmployeeUpdate {
        name: Some("Newly Hired".into()),
        email: Some("newly.hired@acme.com".into()),
        title: Some("Analyst".into()),
        team: Some(team.id.clone()),
    };
    let changed = client
        .write_permit()
        .await
        .update_employee(&hire.id, &update)
        .await
        .unwrap();
    assert_eq!((changed.name.as_str(), &changed.team), ("Newly Hired", &team.id));
    assert_eq!(
        (changed.email.as_str(), changed.identifier.as_str()),
        ("newly.hired@acme.com", "new.hire@acme.com")
    );
    assert_eq!(insightful.snapshot().title(hire.id.as_str()), Some("Analyst"));
    assert_eq!(insightful.journal().entries().len(), 3);

    let update = EmployeeUpdate {
        title: Some("Lead".into()),
        ..EmployeeUpdate::default()
    };
    client
        .write_permit()
        .await
        .update_employee(&hire.id, &update)
        .await
        .unwrap();
    let sent = insightful.journal().writes().pop().unwrap();
    assert_eq!(sent.body, Some(json!({"title": "Lead"})));
}

#[tokio::test]
async fn a_repeated_deactivation_succeeds() {
    for deactivated_twice in [400, 409] {
        let company = Company::acme();
        let insightful = Insightful::start_with(
            &company,
            Settings {
                deactivated_twice,
                ..Settings::default()
            },
        );
        let client = client(&insightful);
        let jane = EmployeeId::from(company.employee("jane.doe"));
        let Deactivation::Done(employee) = client
            .write_permit()
            .await
            .deactivate_employee(&jane)
            .await
            .unwrap()
        else {
            panic!("already deactivated");
        };
        assert!(employee.deactivated);
        let again = client
            .write_permit()
            .await
            .deactivate_employee(&jane)
            .await
            .unwrap();
        assert_eq!(again, Deactivation::AlreadyDeactivated);
    }
}

/// Makes the four writes. Returns the results, and what matches each request.
async fn writes(client: &InsightfulClient, company: &Company) -> Vec<(Match, Result<(), WriteError>)> {
    let jane = EmployeeId::from(company.employee("jane.doe"));
    let rename = EmployeeUpdate {
        name: Some("Jane D.".into()),
        ..EmployeeUpdate::default()
    };
    vec![
        (
            Match::post("/api/v1/team"),
            client.write_permit().await.create_team("Data").await.map(drop),
        ),
        (
            Match::post(EMPLOYEES),
            client
                .write_permit()
                .await
                .create_employee(&new_employee(company))
                .await
                .map(drop),
        ),
        (
            Match::put(EMPLOYEE),
            client
                .write_permit()
                .await
                .update_employee(&jane, &rename)
                .await
                .map(drop),
        ),
        (
            Match::get(DEACTIVATE),
            client
                .write_permit()
                .await
                .deactivate_employee(&jane)
                .await
                .map(drop),
        ),
    ]
}

#[tokio::test]
async fn a_write_without_a_response_is_not_retried_and_has_an_unknown_outcome() {
    for (kind, reason, effect) in [
        (Kind::CutBefore, "NoResponse", false),
        (Kind::CutAfter, "NoResponse", true),
        (Kind::DelayAnswer(Duration::from_secs(2)), "NoResponse", true),
        (Kind::BrokenJson, "InvalidResponse", true),
        (Kind::Status(500, None), "Unavailable", false),
        (
            Kind::Status(502, Some("bad gateway".into())),
            "Unavailable",
            false,
        ),
        (Kind::Status(408, None), "Unavailable", false),
        (Kind::Status(302, None), "Redirected", false),
        (
            Kind::Status(200, Some(json!({"id": "wsomebodyelse00", "name": "X"}))),
            "InvalidResponse",
            false,
        ),
    ] {
        let company = Company::acme();
        let insightful = Insightful::start(&company);
        let client = client(&insightful);
        // Reuses an open connection, on which the HTTP library must not retry a write either.
        client.teams().await.unwrap();
        insightful.faults().always(Match::any(), kind.clone());
        for (call, result) in writes(&client, &company).await {
            if matches!(kind, Kind::Status(200, _)) && call.path.as_deref() == Some("/api/v1/team") {
                // Any team is a valid response to a creation.
                result.unwrap();
                continue;
            }
            let error = result.unwrap_err();
            assert!(
                matches!(error, WriteError::OutcomeUnknown(_)),
                "{kind:?} {call:?} {error}"
            );
            assert_eq!(error.error().reason(), reason, "{kind:?} {call:?} {error}");
            assert_eq!(
                (error.reason(), error.retryability()),
                ("OutcomeUnknown", Retryability::Retry)
            );
        }
        let sent = insightful.journal().writes();
        assert_eq!(
            sent.len(),
            4,
            "{kind:?} {:?}",
            sent.iter().map(|write| write.line()).collect::<Vec<_>>()
        );
        assert!(sent.iter().all(|write| write.effect == effect), "{kind:?}");
    }
}

#[tokio::test]
async fn a_refused_write_changes_nothing() {
    for (status, reason, retryability) in [
        (400, "Refused", Retryability::Permanent),
        (401, "TokenRefused", Retryability::Permanent),
        (403, "NotPermitted", Retryability::Permanent),
        (404, "NotFound", Retryability::Retry),
        (409, "Refused", Retryability::Permanent),
        (422, "Invalid", Retryability::Permanent),
        (429, "RateLimited", Retryability::Retry),
    ] {
        let company = Company::acme();
        let insightful = Insightful::start(&company);
        let client = client(&insightful);
        insightful
            .faults()
            .always(Match::any(), Kind::Status(status, Some(json!({"message": "no"}))));
        for (call, result) in writes(&client, &company).await {
            let error = result.unwrap_err();
            assert!(matches!(error, WriteError::Refused(_)), "{call:?} {error}");
            assert_eq!(
                (error.reason(), error.retryability()),
                (reason, retryability),
                "{call:?} {error}"
            );
        }
        assert_eq!(insightful.journal().writes().len(), 4);
    }
}

#[tokio::test]
async fn an_unsent_write_changes_nothing() {
    let company = Company::acme();
    let client = InsightfulClient::new(config(&unreachable_url().await, "secret")).unwrap();
    for (call, result) in writes(&client, &company).await {
        let error = result.unwrap_err();
        let never_sent = matches!(&error, WriteError::Refused(error) if error.reason() == "Unreachable");
        assert!(never_sent, "{call:?} {error}");
    }
    let error = client
        .write_permit()
        .await
        .deactivate_employee(&EmployeeId::from("../team"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, WriteError::Refused(error) if error.reason() == "InvalidId"),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_contains_insightfuls_message() {
    for email_taken in [409, 422] {
        let company = Company::acme();
        let insightful = Insightful::start_with(
            &company,
            Settings {
                email_taken,
                ..Settings::default()
            },
        );
        let taken = NewEmployee {
            email: "jane.doe@acme.com".into(),
            ..new_employee(&company)
        };
        let error = client(&insightful)
            .write_permit()
            .await
            .create_employee(&taken)
            .await
            .unwrap_err();
        assert!(matches!(error, WriteError::Refused(_)), "{error}");
        assert_eq!(error.retryability(), Retryability::Permanent);

        let nameless = NewEmployee {
            name: String::new(),
            ..new_employee(&company)
        };
        let error = client(&insightful)
            .write_permit()
            .await
            .create_employee(&nameless)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), "Invalid");
        let message = error.to_string();
        assert!(
            message.starts_with("nothing was changed: POST /api/v1/employee: "),
            "{message}"
        );
        assert!(
            message.contains("VALIDATION_ERROR") && message.contains("name"),
            "{message}"
        );

        let reader = insightful_reader(&insightful);
        let error = reader.write_permit().await.create_team("Data").await.unwrap_err();
        assert_eq!(error.reason(), "NotPermitted");
        assert!(error.to_string().contains("WRITE token"), "{error}");
        reader.teams().await.unwrap();
    }
}

fn insightful_reader(insightful: &Insightful) -> InsightfulClient {
    let token = Settings::default().read_token;
    InsightfulClient::new(config(&insightful.url(), &token)).unwrap()
}

#[tokio::test]
async fn a_rate_limited_write_is_not_retried() {
    let company = Company::acme();
    let settings = Settings {
        limit: 1,
        window: Duration::from_secs(30),
        retry_after: true,
        ..Settings::default()
    };
    let insightful = Insightful::start_with(&company, settings);
    let client = client(&insightful);
    client.teams().await.unwrap();
    let error = client.write_permit().await.create_team("Data").await.unwrap_err();
    assert!(
        matches!(error, WriteError::Refused(InsightfulError::RateLimited { .. })),
        "{error}"
    );
    let Retryability::WaitFor(wait) = error.retryability() else {
        panic!("{error}")
    };
    assert!(
        wait > Duration::from_secs(25) && wait <= Duration::from_secs(31),
        "{wait:?}"
    );
    assert_eq!(insightful.journal().writes().len(), 1);
}

#[tokio::test]
async fn a_rate_limited_read_is_retried_after_the_wait() {
    for retry_after in [true, false] {
        let settings = Settings {
            limit: 1,
            window: Duration::from_secs(1),
            retry_after,
            ..Settings::default()
        };
        let insightful = Insightful::start_with(&Company::acme(), settings);
        let recorder = Arc::new(Recorder::default());
        let client = client(&insightful).with_observer(recorder.clone());
        client.teams().await.unwrap();
        client.employees().await.unwrap();
        let calls = recorder.calls();
        assert_eq!(calls[1], (Operation::ListEmployees, CallOutcome::RateLimited));
        assert_eq!(
            calls.last(),
            Some(&(Operation::ListEmployees, CallOutcome::Answered))
        );
        assert!(
            recorder
                .waits()
                .iter()
                .all(|wait| *wait == (Service::Insightful, WaitCause::RateLimited))
        );
    }
}

#[tokio::test]
async fn a_failed_read_is_retried_and_never_an_empty_list() {
    let company = Company::acme();
    let insightful = Insightful::start(&company);
    let client = client(&insightful);
    for (kind, reason) in [
        (Kind::Status(500, None), "Unavailable"),
        (Kind::CutBefore, "NoResponse"),
        (Kind::CutAfter, "NoResponse"),
        (Kind::BrokenJson, "InvalidResponse"),
        (Kind::DelayAnswer(Duration::from_secs(2)), "NoResponse"),
        (
            Kind::Status(200, Some(json!({"employees": []}))),
            "InvalidResponse",
        ),
        (Kind::Status(200, Some(json!(null))), "InvalidResponse"),
    ] {
        insightful.faults().once(Match::get(EMPLOYEES), kind.clone());
        let employees = client.employees().await.unwrap();
        assert_eq!(employees.len(), company.employees.len(), "{kind:?}");
        let fault = insightful.faults().always(Match::get(EMPLOYEES), kind.clone());
        let error = client.employees().await.unwrap_err();
        fault.remove();
        assert_eq!(
            (error.reason(), error.retryability()),
            (reason, Retryability::Retry),
            "{kind:?} {error}"
        );
        assert_eq!(fault.hits(), 3, "{kind:?}");
    }
    // A list of which most records cannot be read is not to be relied on.
    insightful.faults().once(
        Match::get(EMPLOYEES),
        Kind::Status(200, Some(json!([{"name": "no id"}]))),
    );
    assert_eq!(client.employees().await.unwrap_err().reason(), "InvalidResponse");
}

#[tokio::test]
async fn records_that_cannot_be_read_are_passed_over_and_named() {
    let company = Company::acme();
    let insightful = Insightful::start(&company);
    let client = client(&insightful);
    let (jane, sales) = (company.employee("jane.doe"), company.team("Sales"));
    let silent = company.settings("Silent");
    insightful.edit(|account| {
        account.set(jane, "deactivated", "yes");
        account.set_team("Sales", "name", json!(null));
        account.set_team("Engineering", "id", 7);
        let mut without_id = account.employee("chen.xiu@acme.com").clone();
        without_id["id"] = json!({});
        account.employees.insert("without an id".to_owned(), without_id);
    });
    let mut settings: Vec<_> = insightful.snapshot().shared_settings().cloned().collect();
    for record in settings.iter_mut().filter(|record| record["id"] == silent) {
        record["name"] = json!([]);
    }
    insightful.faults().once(
        Match::get("/api/v1/shared-settings"),
        Kind::Status(200, Some(json!(settings))),
    );
    let workforce = client.workforce().await.unwrap();
    let unreadable: Vec<String> = workforce.unreadable.iter().map(ToString::to_string).collect();
    let expected = [
        format!("Insightful employee \"Jane Doe\" ({jane}): deactivated: must be a boolean or a time"),
        format!("Insightful team {sales}: name: invalid type: null, expected a string"),
        format!("Insightful shared settings {silent}: name: invalid type: sequence, expected a string"),
        "Insightful employee \"Xiu Chen\": id: invalid type: map, expected a string".to_owned(),
        "Insightful team \"Engineering\": id: invalid type: integer `7`, expected a string".to_owned(),
    ];
    assert_eq!(unreadable, expected);
    assert_eq!(workforce.employees.len(), company.employees.len() - 1);
    assert_eq!(workforce.teams.len(), company.teams.len() - 2);
    assert_eq!(workforce.settings.len(), 1);
    assert!(workforce.organization.is_some());
}

#[tokio::test]
async fn the_client_stays_within_the_rate_limit() {
    let insightful = Insightful::start(&Company::acme());
    let mut config = config(&insightful.url(), insightful.token());
    config.calls_per_minute = 2;
    let recorder = Arc::new(Recorder::default());
    let client = InsightfulClient::new(config)
        .unwrap()
        .with_observer(recorder.clone());
    client.teams().await.unwrap();
    client.employees().await.unwrap();
    let third = tokio::time::timeout(Duration::from_millis(200), client.write_permit()).await;
    assert!(third.is_err());
    assert_eq!(recorder.waits(), [(Service::Insightful, WaitCause::RateShare)]);
    assert_eq!(insightful.journal().entries().len(), 2);
}

#[tokio::test]
async fn the_token_is_not_sent_to_a_redirect_and_not_in_errors() {
    let redirect =
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://evil.test/x\r\nContent-Length: 0\r\n\r\n";
    let (url, requests) = canned(redirect).await;
    let token = "insightful-sandbox-secret";
    let config = config(&url, token);
    assert!(!format!("{config:?}").contains(token));
    let client = InsightfulClient::new(config).unwrap();
    let mut shown = Vec::new();
    let read = client.teams().await.unwrap_err();
    assert_eq!(read.reason(), "Redirected");
    shown.push(format!("{read} {read:?}"));
    for (_, result) in writes(&client, &Company::acme()).await {
        let error = result.unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    assert!(shown.iter().all(|shown| !shown.contains(token)), "{shown:?}");
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 5);
    assert!(
        requests
            .iter()
            .all(|request| request.contains(&format!("Bearer {token}")))
    );
}
