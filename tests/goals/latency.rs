//! The time from a change in Okta to its write, and how many integrations of one org can sync each minute.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{OktaIntegration, Phase};
use sandbox::{
    company::Company,
    control_plane::ControlPlane,
    insightful::Insightful,
    okta::{self, Bucket, Limits, Okta},
};
use serde_json::json;

use crate::{
    figure,
    world::{apply, integration, open_guard, secret, start_operator},
};

/// Integrations at each interval, each with an org of its own.
const ORGS: usize = 10;
const PEOPLE: usize = 50;
const ROUNDS: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(1200);

/// Integrations of one free org, whose limit leaves 50 calls a minute to a token: half of them, with one call each.
const OF_ONE_ORG: usize = 25;
const WATCHED: Duration = Duration::from_secs(300);

struct Org {
    name: String,
    okta: Okta,
    insightful: Insightful,
}

pub async fn measure() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    one_org(plane, &client).await;
    for (interval, rounds) in [("1m", ROUNDS), ("15m", 1)] {
        let namespace = plane.namespace("latency").await.unwrap();
        let operator = start_operator(plane, &[&namespace]).await;
        let mut orgs: Vec<Org> = (0..ORGS).map(org).collect();
        for org in &orgs {
            activate(
                &client,
                &namespace,
                &org.name,
                &org.okta,
                &org.insightful,
                interval,
            )
            .await;
        }
        finalize_all(&client, &namespace, ORGS).await;
        let mut times = Vec::new();
        for round in 0..rounds {
            times.extend(change_all(&mut orgs, round).await);
        }
        times.sort_unstable();
        figure(
            &format!("From a change in Okta to its write, interval {interval}"),
            "the interval and 2 s",
            format!(
                "{:.1?} median, {:.1?} at most, of {}",
                times[times.len() / 2],
                times[times.len() - 1],
                times.len()
            ),
        );
        operator.stop().await.unwrap();
    }
}

fn org(number: usize) -> Org {
    let company = Company::generate(PEOPLE, u64::try_from(number).unwrap());
    Org {
        name: format!("org-{number:03}"),
        okta: Okta::start(&company),
        insightful: Insightful::start(&company),
    }
}

async fn activate(
    client: &Client,
    namespace: &str,
    name: &str,
    okta: &Okta,
    insightful: &Insightful,
    interval: &str,
) {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    for (service, token) in [("okta", okta.token()), ("insightful", insightful.token())] {
        apply(&secrets, secret(&format!("{name}-{service}"), "token", token)).await;
    }
    let mut spec = open_guard();
    spec["okta"] = json!({ "auth": { "apiToken": { "secretRef": { "name": format!("{name}-okta") } } } });
    spec["insightful"] = json!({ "apiToken": { "secretRef": { "name": format!("{name}-insightful") } } });
    spec["sync"] = json!({ "interval": interval });
    let manifest = integration(name, &okta.url(), &insightful.url(), spec);
    apply(
        &Api::<OktaIntegration>::namespaced(client.clone(), namespace),
        manifest,
    )
    .await;
}

/// Finalizes the integrations once each has shown its plan, and waits until all are in sync.
async fn finalize_all(client: &Client, namespace: &str, count: usize) {
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
    wait_for_phase(&api, Phase::Review, count).await;
    let finalized = Patch::Merge(json!({ "spec": { "finalized": true } }));
    for integration in api.list(&ListParams::default()).await.unwrap() {
        api.patch(&integration.name_any(), &PatchParams::default(), &finalized)
            .await
            .unwrap();
    }
    wait_for_phase(&api, Phase::InSync, count).await;
}

async fn wait_for_phase(api: &Api<OktaIntegration>, phase: Phase, count: usize) {
    let started = Instant::now();
    loop {
        let list = api.list(&ListParams::default()).await.unwrap();
        let done = list.iter().filter(|integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| status.phase == Some(phase))
        });
        if done.count() == count {
            return;
        }
        assert!(started.elapsed() < TIMEOUT, "not all are in phase {phase:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Renames a person in each org, one org after another, and returns how long each name took to arrive.
async fn change_all(orgs: &mut [Org], round: usize) -> Vec<Duration> {
    let mut waiting = Vec::new();
    for (number, org) in orgs.iter().enumerate() {
        let name = format!("Round{round}");
        let person = matched(org);
        org.okta.edit(|okta| okta.rename_user(&person, &name, "Changed"));
        waiting.push((number, format!("{name} Changed"), Instant::now()));
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    let mut times = Vec::new();
    while !waiting.is_empty() {
        waiting.retain(|(number, name, changed)| {
            let account = orgs[*number].insightful.snapshot();
            let has_arrived = account
                .employees
                .values()
                .any(|employee| employee["name"] == name.as_str());
            if has_arrived {
                times.push(changed.elapsed());
            }
            assert!(changed.elapsed() < TIMEOUT, "{name} did not arrive");
            !has_arrived
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    times
}

/// Somebody whose employee has the same email.
fn matched(org: &Org) -> String {
    let account = org.insightful.snapshot();
    let has_employee = |email: &serde_json::Value| {
        let mut employees = account.employees.values();
        employees.any(|employee| employee["email"] == *email && employee["deactivated"] == 0)
    };
    let okta = org.okta.snapshot();
    let mut users = okta.users.iter();
    let (id, _) = users
        .find(|(_, user)| user["status"] == "ACTIVE" && has_employee(&user["profile"]["email"]))
        .unwrap();
    id.clone()
}

async fn one_org(plane: &'static ControlPlane, client: &Client) {
    let namespace = plane.namespace("one-org").await.unwrap();
    let company = Company::generate(PEOPLE, 1);
    let settings = okta::Settings {
        limits: Limits {
            users: 100,
            user: 100,
            groups: 100,
            group: 100,
            concurrent: 35,
            ..Limits::default()
        },
        ..okta::Settings::default()
    };
    let okta = Okta::start_with(&company, settings);
    let accounts: Vec<Insightful> = (0..OF_ONE_ORG).map(|_| Insightful::start(&company)).collect();
    let operator = start_operator(plane, &[&namespace]).await;
    for (number, insightful) in accounts.iter().enumerate() {
        let name = format!("account-{number:03}");
        activate(client, &namespace, &name, &okta, insightful, "1m").await;
    }
    finalize_all(client, &namespace, OF_ONE_ORG).await;
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), &namespace);
    let mut oldest = Duration::ZERO;
    let started = Instant::now();
    while started.elapsed() < WATCHED {
        let now = jiff::Timestamp::now();
        for integration in api.list(&ListParams::default()).await.unwrap() {
            let synced = integration.status.and_then(|status| status.last_sync_time);
            let age = now.duration_since(synced.unwrap().0);
            oldest = oldest.max(Duration::try_from(age).unwrap_or_default());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let entries = okta.journal().entries();
    let refused = entries.iter().filter(|entry| entry.status == Some(429)).count();
    let (most, limit) = okta.most_used(Bucket::Users);
    figure(
        &format!("{OF_ONE_ORG} integrations of one free org, interval 1m"),
        "each syncs each minute, no 429",
        format!(
            "the oldest sync {} s ago at most; {most} of the token's {limit} calls used; {refused} times 429",
            oldest.as_secs()
        ),
    );
    operator.stop().await.unwrap();
}
