//! 200 integrations in one operator: whether a slow and a failing org delay the others.

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
    world::{integration, start_operator},
};

const OTHERS: usize = 198;
const PEOPLE: usize = 10;

/// How often the operator is started with the two, and without. The machine is
/// not as fast in one minute as in the next, so that it is done by turns.
const ROUNDS: usize = 7;
const PATIENCE: Duration = Duration::from_secs(600);

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
    // Everybody's matches are there before what is measured.
    time_of_a_start(plane, &client, &namespace).await;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (are_read, times) in [(false, &mut without), (true, &mut with)] {
            for org in [&slow, &failing] {
                suspend(&client, &namespace, org, !are_read).await;
            }
            times.push(time_of_a_start(plane, &client, &namespace).await);
        }
    }
    figure(
        "200 integrations, one org slow and one failing",
        "the others as fast as without these",
        format!(
            "all {OTHERS} others read and reviewed {} after a start; {} without these ({:.2} times in the medians of {ROUNDS} by turns)",
            range(&mut with),
            range(&mut without),
            median(&with).as_secs_f64() / median(&without).as_secs_f64(),
        ),
    );
}

/// The middle one of times in order.
fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

/// Puts times in order; says the middle one, and the first and last.
fn range(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let [first, middle, last] = [times[0], median(times), times[times.len() - 1]];
    format!("{middle:.1?} ({first:.1?} to {last:.1?})")
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
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": { "token": token },
        });
        let params = PatchParams::apply("admin").force();
        secrets
            .patch(&name, &params, &Patch::Apply(secret))
            .await
            .unwrap();
    }
    let spec = json!({
        "okta": { "auth": { "apiToken": { "secretRef": { "name": format!("{}-okta", org.name) } } } },
        "insightful": { "apiToken": { "secretRef": { "name": format!("{}-insightful", org.name) } } },
    });
    let manifest = integration(&org.name, &org.okta.url(), &org.insightful.url(), spec);
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply("admin");
    api.patch(&org.name, &params, &Patch::Apply(manifest))
        .await
        .unwrap();
}

/// Starts an operator. Gives how long it takes until all but two orgs at most
/// have been read and are in review, then ends it.
async fn time_of_a_start(plane: &'static ControlPlane, client: &Client, namespace: &str) -> Duration {
    let begun = Timestamp::now();
    let started = Instant::now();
    let operator = start_operator(plane, &[namespace]).await;
    let api: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
    loop {
        let list = api.list(&ListParams::default()).await.unwrap();
        let done = list.iter().filter(|integration| {
            let status = integration.status.clone().unwrap_or_default();
            let is_fresh = status
                .last_sync_time
                .is_some_and(|time| time.0.as_second() >= begun.as_second());
            integration.name_any().as_str() < "org-198" && is_fresh && status.phase == Some(Phase::Review)
        });
        if done.count() == OTHERS {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{}", operator.log_tail(30));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let time = started.elapsed();
    operator.stop().await.unwrap();
    time
}
