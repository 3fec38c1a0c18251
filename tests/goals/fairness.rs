//! Fairness among 200 integrations in one operator: a slow and a failing org must not delay the others.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{OktaIntegration, Phase};
use sandbox::{
    company::Company,
    control_plane::ControlPlane,
    faults::{Kind, Match},
    insightful::Insightful,
    okta::Okta,
};
use serde_json::json;

use crate::{
    figure,
    world::{apply, integration, secret, start_operator},
};

const OTHERS: usize = 198;
const PEOPLE: usize = 10;

/// How often the operator is started with and without the two orgs. Starts alternate, because the
/// speed of the machine varies over time.
const ROUNDS: usize = 7;
const TIMEOUT: Duration = Duration::from_secs(600);

struct Org {
    name: String,
    okta: Okta,
    insightful: Insightful,
}

pub async fn measure() {
    let plane = ControlPlane::shared();
    let client = plane.admin_client().await.unwrap();
    let namespace = plane.namespace("many").await.unwrap();
    let org = |number: usize| {
        let company = Company::generate(PEOPLE, u64::try_from(number).unwrap());
        Org {
            name: format!("org-{number:03}"),
            okta: Okta::start(&company),
            insightful: Insightful::start(&company),
        }
    };
    let others: Vec<Org> = (0..OTHERS).map(org).collect();
    // The first start installs the chart, and with it the CRDs.
    start_operator(plane, &[&namespace]).await.stop().await.unwrap();
    for org in &others {
        activate(&client, &namespace, org).await;
    }
    let (slow, failing) = (org(OTHERS), org(OTHERS + 1));
    slow.okta
        .configure(|settings| settings.latency = Duration::from_secs(10));
    failing
        .okta
        .faults()
        .always(Match::any(), Kind::Status(500, None));
    for org in [&slow, &failing] {
        activate(&client, &namespace, org).await;
    }
    // This start, which is not measured, creates all matches.
    measure_start(plane, &client, &namespace).await;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (active, times) in [(false, &mut without), (true, &mut with)] {
            for org in [&slow, &failing] {
                suspend(&client, &namespace, org, !active).await;
            }
            times.push(measure_start(plane, &client, &namespace).await);
        }
    }
    figure(
        "200 integrations, one org slow and one failing",
        "the others as fast as without the two orgs",
        format!(
            "{OTHERS} others in review {} after a start; {} without the two orgs (medians of {ROUNDS} alternating starts, ratio {:.2})",
            format_times(&mut with),
            format_times(&mut without),
            median(&with).as_secs_f64() / median(&without).as_secs_f64(),
        ),
    );
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

/// Sorts the times. Returns the median, the shortest and the longest as text.
fn format_times(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let (shortest, longest) = (times[0], times[times.len() - 1]);
    format!("{:.1?} ({shortest:.1?} to {longest:.1?})", median(times))
}

async fn suspend(client: &Client, namespace: &str, org: &Org, is_suspended: bool) {
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
    let change = Patch::Merge(json!({ "spec": { "suspend": is_suspended } }));
    api.patch(&org.name, &PatchParams::default(), &change)
        .await
        .unwrap();
}

async fn activate(client: &Client, namespace: &str, org: &Org) {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    for (service, token) in [("okta", org.okta.token()), ("insightful", org.insightful.token())] {
        let name = format!("{}-{service}", org.name);
        apply(&secrets, secret(&name, "token", token)).await;
    }
    let spec = json!({
        "okta": { "auth": { "apiToken": { "secretRef": { "name": format!("{}-okta", org.name) } } } },
        "insightful": { "apiToken": { "secretRef": { "name": format!("{}-insightful", org.name) } } },
    });
    let manifest = integration(&org.name, &org.okta.url(), &org.insightful.url(), spec);
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
    apply(&api, manifest).await;
}

/// Starts an operator, waits until all other orgs have been synced and are in review, and stops it.
/// Returns how long that took.
async fn measure_start(plane: &'static ControlPlane, client: &Client, namespace: &str) -> Duration {
    let start_time = Timestamp::now();
    let started = Instant::now();
    let operator = start_operator(plane, &[namespace]).await;
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
    loop {
        let list = api.list(&ListParams::default()).await.unwrap();
        let done = list.iter().filter(|integration| {
            let status = integration.status.clone().unwrap_or_default();
            let is_fresh = status
                .last_sync_time
                .is_some_and(|time| time.0.as_second() >= start_time.as_second());
            integration.name_any().as_str() < "org-198" && is_fresh && status.phase == Some(Phase::Review)
        });
        if done.count() == OTHERS {
            break;
        }
        assert!(started.elapsed() < TIMEOUT, "{}", operator.log_tail(30));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let time = started.elapsed();
    operator.stop().await.unwrap();
    time
}
