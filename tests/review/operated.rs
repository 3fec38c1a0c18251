//! A company with the operator, against the emulators of both services.

use std::{net::TcpListener, process::Command};

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{OktaIntegration, Phase, SYNC_REQUESTED_AT};
use sandbox::{
    company::Company,
    control_plane::child_process::{ChildProcess, Ending},
    insightful::Insightful,
    okta::Okta,
};
use serde_json::{Value, json};

use crate::world::{NAME, World, operator_kubeconfig, poll};

pub struct Operated {
    pub world: World,
    pub company: Company,
    pub okta: Okta,
    pub insightful: Insightful,
    operator: ChildProcess,
}

impl Operated {
    /// Acme in phase Review. With this guard.
    pub async fn in_review(guard: Value) -> Self {
        let world = World::empty().await;
        let company = Company::acme();
        let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
        insightful.configure(|settings| settings.limit = 100_000);
        let operator = start_operator(&world).await;
        let secret = |name: &str, token: &str| {
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": world.namespace },
                "stringData": { "token": token } })
        };
        let reference = |name: &str| json!({ "secretRef": { "name": name, "key": "token" } });
        let integration = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
            "metadata": { "name": NAME, "namespace": world.namespace },
            "spec": {
                "okta": { "orgUrl": okta.url(), "auth": { "apiToken": reference("okta") } },
                "insightful": {
                    "url": insightful.url(), "apiToken": reference("insightful"),
                    "newEmployees": { "team": "Onboarding", "sharedSettings": "Default" },
                },
                "teams": { "precedence": ["Engineering", "Sales"] },
                "guard": guard,
            },
        });
        let manifests = [
            secret("okta", okta.token()),
            secret("insightful", insightful.token()),
            integration,
        ];
        let manifests = manifests.map(|manifest| manifest.to_string()).join("\n---\n");
        world.plane.apply(&manifests).await.unwrap();
        let operated = Self {
            world,
            company,
            okta,
            insightful,
            operator,
        };
        operated.wait_for_phase(Phase::Review).await;
        operated
    }

    /// Waits until the status is about the present spec and has this phase.
    pub async fn wait_for_phase(&self, phase: Phase) -> OktaIntegration {
        self.wait_for(&format!("{phase:?}"), |integration| {
            let status = integration.status.as_ref().unwrap();
            status.phase == Some(phase) && status.observed_generation == integration.metadata.generation
        })
        .await
    }

    pub async fn wait_for(&self, what: &str, is_so: impl Fn(&OktaIntegration) -> bool) -> OktaIntegration {
        poll(&format!("{what}\n{}", self.operator.log_tail(20)), async || {
            let integration = self.world.integration().await;
            (integration.status.is_some() && is_so(&integration)).then_some(integration)
        })
        .await
    }

    pub async fn request_sync(&self) {
        let at = jiff::Timestamp::now().to_string();
        let patch = Patch::Merge(json!({ "metadata": { "annotations": { SYNC_REQUESTED_AT: at } } }));
        self.world
            .integrations()
            .patch(NAME, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    pub fn user(&self, handle: &str) -> String {
        self.company.user(handle).to_owned()
    }

    /// The requests to Insightful that write.
    pub fn writes(&self) -> usize {
        self.insightful.journal().writes().len()
    }
}

async fn start_operator(world: &World) -> ChildProcess {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    command
        .args([
            "run",
            "--allow-http-loopback",
            "--watch-namespace",
            &world.namespace,
        ])
        .args(["--metrics-address", &format!("127.0.0.1:{port}")])
        .env("KUBECONFIG", operator_kubeconfig().await)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy");
    let log = world
        .plane
        .directory()
        .join(format!("operator-{}.log", world.namespace));
    ChildProcess::spawn(&command, &log, &Ending::default()).unwrap()
}
