//! One run through the life of an integration, with everything it produced.

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, Phase, conditions};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use sandbox::{
    control_plane::child_process::ChildProcess,
    faults::{Kind, Match},
    webhook::Webhook,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    collector::Collector,
    world::{NAME, World, free_port, open_guard, start_with},
};

/// The output of the run. The services have ended.
pub struct Run {
    /// A scrape after each chapter, with the title of the chapter.
    pub scrapes: Vec<(&'static str, String)>,
    /// Time of each scrape, in seconds since 1970.
    pub moments: Vec<i64>,
    /// The Content-Type of all of them.
    pub format: String,
    /// A scrape after the integration was deleted.
    pub after_deletion: String,
    /// The log at info level, as JSON lines.
    pub info_log: String,
    /// The log of a second operator at debug level, of all crates.
    pub debug_log: String,
    pub events: String,
    pub statuses: String,
    pub traces: Vec<ExportTraceServiceRequest>,
    pub namespace: String,
    /// All secrets that were used, valid or not.
    pub secrets: Vec<String>,
    /// Names and emails of all people and employees.
    pub people: Vec<String>,
}

/// Returns the run that all tests share.
pub async fn run() -> &'static Run {
    static RUN: OnceCell<Run> = OnceCell::const_new();
    RUN.get_or_init(live).await
}

pub async fn get(port: u16, path: &str) -> (u16, String, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("http://127.0.0.1:{port}{path}"))
        .send()
        .await
        .unwrap();
    let format = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), format, answer.text().await.unwrap())
}

const WRONG_TOKENS: [&str; 2] = ["00wrong-okta-token-5b1f", "wrong-insightful-token-77aa"];

async fn live() -> Run {
    let collector = Collector::start().await;
    let webhook = Webhook::start();
    let mut world = World::prepared().await;
    world.stop_operator().await;
    let port = free_port();
    let endpoint = collector.url();
    let environment = [
        ("RUST_LOG", "info"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
    ];
    let json_lines = ["--log-format", "json"];
    let operator = start_with(world.plane, &[&world.namespace], port, &json_lines, &environment).await;

    let (mut scrapes, mut moments) = (Vec::new(), Vec::new());
    let mut scrape = async |chapter| {
        // A reconcile ends shortly after it has written the status that the chapter waits for.
        let (format, text) = loop {
            let (status, format, text) = get(port, "/metrics").await;
            assert_eq!(status, 200);
            if text.contains("okta_insightful_reconciles_in_flight 0\n") {
                break (format, text);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        scrapes.push((chapter, text));
        moments.push(jiff::Timestamp::now().as_second());
        format
    };

    world.write_secret("chat", "url", &webhook.url()).await;
    let mut spec = open_guard();
    spec["guard"]["maxTeamMoves"] = json!(0);
    spec["notify"] = json!({ "webhook": { "urlSecretRef": { "name": "chat", "key": "url" } } });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    scrape("review").await;

    world
        .decide("nick.newcomer", json!({ "decision": "Create" }))
        .await;
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::Held).await;
    scrape("held").await;

    // Insightful refuses one person with a message that names them.
    let jane = world.company.employee("jane.doe").to_owned();
    let refusal = json!({ "type": "VALIDATION_ERROR", "message": "Jane Doe <jane.doe@acme.com> is not liked!", "details": [] });
    let path = format!("/api/v1/employee/{jane}");
    let refusing = world
        .insightful
        .faults()
        .always(Match::put(&path), Kind::Status(422, Some(refusal)));
    webhook.refuse_next(2, 503);
    world.patch(open_guard()).await;
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    scrape("a change is refused").await;
    refusing.remove();
    world
        .wait_for_condition(conditions::READY, "True", "InSync")
        .await;
    scrape("in sync").await;

    for (secret, wrong, right) in [
        ("okta", WRONG_TOKENS[0], world.okta.token().to_owned()),
        ("insightful", WRONG_TOKENS[1], world.insightful.token().to_owned()),
    ] {
        world.write_secret(secret, "token", wrong).await;
        world.request_sync().await;
        world
            .wait_for_condition(conditions::STALLED, "True", "TokenRefused")
            .await;
        if secret == "insightful" {
            scrape("a token is refused").await;
        }
        world.write_secret(secret, "token", &right).await;
        world
            .wait_for_condition(conditions::STALLED, "False", "InSync")
            .await;
    }
    let unavailable = world
        .okta
        .faults()
        .always(Match::get("/api/v1/users"), Kind::Status(503, None));
    world.request_sync().await;
    world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "Unavailable")
        .await;
    unavailable.remove();
    world.sync().await;

    world
        .okta
        .edit(|org| org.rename_user("jane.doe", "Janet", "Doe-Smith"));
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    world
        .decide("chen.xiu", json!({ "decision": "Ignore", "employeeIds": [] }))
        .await;
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let format = scrape("a rename, a departure, an unmatch").await;

    let mut people = people(&world);
    let info_log = world.log_of(&operator);
    operator.stop().await.unwrap();

    // The same at debug level, where people may appear but no secrets.
    let port = free_port();
    let operator: ChildProcess = start_with(
        world.plane,
        &[&world.namespace],
        port,
        &[],
        &[("RUST_LOG", "debug")],
    )
    .await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Doe"));
    world.write_secret("okta", "token", WRONG_TOKENS[0]).await;
    world.request_sync().await;
    world
        .wait_for_condition(conditions::STALLED, "True", "TokenRefused")
        .await;
    world.write_secret("okta", "token", world.okta.token()).await;
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    people.sort();
    let (events, statuses) = written(&world).await;

    let api: Api<OktaIntegration> = world.api();
    api.delete(NAME, &DeleteParams::default()).await.unwrap();
    let mut after_deletion = get(port, "/metrics").await.2;
    for _ in 0..100 {
        if !after_deletion.contains(&format!("integration=\"{NAME}\"")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        after_deletion = get(port, "/metrics").await.2;
    }
    let debug_log = world.log_of(&operator);
    operator.stop().await.unwrap();

    let hook = webhook.url();
    let hook_path = hook
        .split_once("/hooks")
        .map(|(_, path)| path.to_owned())
        .unwrap();
    let mut secrets = vec![
        world.okta.token().to_owned(),
        world.insightful.token().to_owned(),
        hook,
        hook_path,
    ];
    secrets.extend(WRONG_TOKENS.map(str::to_owned));
    Run {
        scrapes,
        moments,
        format,
        after_deletion,
        info_log,
        debug_log,
        events,
        statuses,
        traces: collector.received(),
        namespace: world.namespace.clone(),
        secrets,
        people,
    }
}

/// Returns the events and the statuses of both kinds as JSON.
async fn written(world: &World) -> (String, String) {
    let list = ListParams::default();
    let events = world.api::<Event>().list(&list).await.unwrap().items;
    let integrations = world.api::<OktaIntegration>().list(&list).await.unwrap().items;
    let matches = world.api::<EmployeeMatch>().list(&list).await.unwrap().items;
    (
        json!(events).to_string(),
        json!([json!(integrations), json!(matches)]).to_string(),
    )
}

/// Returns names, emails and logins of both services.
fn people(world: &World) -> Vec<String> {
    let mut people = Vec::new();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for user in world.okta.snapshot().users.values() {
        let profile = &user["profile"];
        people.extend(
            ["email", "login", "secondEmail", "displayName"]
                .iter()
                .filter_map(|field| text(&profile[field])),
        );
        if let (Some(first), Some(last)) = (text(&profile["firstName"]), text(&profile["lastName"])) {
            people.push(format!("{first} {last}"));
        }
    }
    for employee in &world.company.employees {
        people.extend(
            ["name", "email"]
                .iter()
                .filter_map(|field| text(&employee[field])),
        );
    }
    // Short words could appear anywhere.
    people.retain(|word| word.chars().count() > 4);
    people.sort();
    people.dedup();
    people
}
