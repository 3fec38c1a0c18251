//! One company with an Okta org, an Insightful account, a namespace of the
//! shared API server, and an operator of its own that watches it.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use k8s_openapi::api::{core::v1::Secret, events::v1::Event};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{
    EmployeeMatch, EmployeeMatchStatus, MatchState, OktaIntegration, OktaIntegrationStatus, Phase,
    SYNC_REQUESTED_AT, conditions, match_name,
};
use sandbox::{
    company::Company,
    control_plane::{
        self, ControlPlane,
        kept_process::{Ending, KeptProcess},
    },
    insightful::Insightful,
    okta::{self, Okta},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How long a test waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name of the integration in every world.
pub const NAME: &str = "acme";

/// The chart, installed once for all tests: the ServiceAccount that operators run as.
static OPERATOR_KUBECONFIG: OnceCell<PathBuf> = OnceCell::const_new();

static LOGS: AtomicUsize = AtomicUsize::new(0);

/// See the module.
pub struct World {
    pub company: Company,
    pub okta: Okta,
    pub insightful: Insightful,
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
    /// The operator, for tests that end it on the way.
    pub operator: Option<KeptProcess>,
}

impl World {
    /// Acme, activated and synced, in review. The integration holds `spec` over
    /// the default one.
    pub async fn in_review(spec: Value) -> Self {
        let world = Self::prepared().await;
        world.activate(spec).await;
        world.wait_for_phase(Phase::Review).await;
        world
    }

    /// Acme, finished and in step, with a guard that lets everything through.
    pub async fn in_sync() -> Self {
        let world = Self::in_review(open_guard()).await;
        world.finish().await;
        world
    }

    /// Acme with running services and operator; nothing applied yet.
    pub async fn prepared() -> Self {
        Self::prepared_with(Company::acme(), okta::Settings::default()).await
    }

    /// The same with another company, or another Okta.
    pub async fn prepared_with(company: Company, okta: okta::Settings) -> Self {
        let plane = ControlPlane::shared();
        let namespace = plane.namespace("people").await.unwrap();
        let mut world = Self {
            okta: Okta::start_with(&company, okta),
            insightful: Insightful::start(&company),
            company,
            plane,
            client: plane.admin_client().await.unwrap(),
            namespace: namespace.clone(),
            operator: None,
        };
        // Insightful's limit is Insightful's matter: most tests are about something else.
        world.insightful.configure(|settings| settings.limit = 100_000);
        world.operator = Some(start_operator(plane, &[&namespace]).await);
        world
    }

    /// Creates the Secrets and the integration.
    pub async fn activate(&self, spec: Value) {
        self.write_secret("okta", "token", self.okta.token()).await;
        self.write_secret("insightful", "token", self.insightful.token())
            .await;
        let manifest = integration(NAME, &self.okta.url(), &self.insightful.url(), spec);
        let api: Api<OktaIntegration> = self.api();
        api.patch(NAME, &PatchParams::apply("admin"), &Patch::Apply(manifest))
            .await
            .unwrap();
    }

    pub async fn write_secret(&self, name: &str, key: &str, value: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": { key: value },
        });
        let secrets: Api<Secret> = self.api();
        secrets
            .patch(name, &PatchParams::apply("admin").force(), &Patch::Apply(secret))
            .await
            .unwrap();
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Changes the integration's spec as an admin does with `kubectl patch`.
    pub async fn patch(&self, spec: Value) {
        let api: Api<OktaIntegration> = self.api();
        api.patch(
            NAME,
            &PatchParams::default(),
            &Patch::Merge(json!({ "spec": spec })),
        )
        .await
        .unwrap();
    }

    /// Sets `finalized` and waits until everything is applied.
    pub async fn finish(&self) {
        self.patch(json!({ "finalized": true })).await;
        self.wait_for("the finish", |integration| {
            integration.status.as_ref().is_some_and(|status| {
                status.phase == Some(Phase::InSync) && status.last_applied_plan.is_some()
            })
        })
        .await;
    }

    /// Asks for a sync now and waits until it has been answered and nothing is under way.
    pub async fn sync(&self) -> OktaIntegrationStatus {
        let request = self.request_sync().await;
        self.wait_for("the sync", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| {
                status.last_handled_sync_request.as_deref() == Some(&request) && status.progress.is_none()
            })
        })
        .await
        .status
        .unwrap()
    }

    /// Asks for a sync now. Gives the annotation's value.
    pub async fn request_sync(&self) -> String {
        let request = format!("{}", LOGS.fetch_add(1, Ordering::Relaxed));
        let patch = json!({ "metadata": { "annotations": { SYNC_REQUESTED_AT: request } } });
        let api: Api<OktaIntegration> = self.api();
        api.patch(NAME, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
        request
    }

    /// Decides about a person as a reviewer does with `kubectl patch`.
    pub async fn decide(&self, handle: &str, spec: Value) {
        let api: Api<EmployeeMatch> = self.api();
        let name = self.match_name(handle);
        api.patch(
            &name,
            &PatchParams::default(),
            &Patch::Merge(json!({ "spec": spec })),
        )
        .await
        .unwrap();
    }

    pub fn match_name(&self, handle: &str) -> String {
        match_name(NAME, &self.okta.snapshot().user_id(handle))
    }

    pub async fn integration(&self) -> OktaIntegration {
        let api: Api<OktaIntegration> = self.api();
        api.get(NAME).await.unwrap()
    }

    pub async fn status(&self) -> OktaIntegrationStatus {
        self.integration().await.status.unwrap_or_default()
    }

    pub async fn matches(&self) -> BTreeMap<String, EmployeeMatch> {
        let api: Api<EmployeeMatch> = self.api();
        let list = api.list(&ListParams::default()).await.unwrap();
        list.into_iter()
            .map(|object| (object.name_any(), object))
            .collect()
    }

    pub async fn match_status(&self, handle: &str) -> EmployeeMatchStatus {
        let api: Api<EmployeeMatch> = self.api();
        api.get(&self.match_name(handle))
            .await
            .unwrap()
            .status
            .unwrap_or_default()
    }

    /// The state of a person's match.
    pub async fn state(&self, handle: &str) -> MatchState {
        self.match_status(handle).await.state.unwrap()
    }

    /// The reason of a person's Ready condition.
    pub async fn reason(&self, handle: &str) -> String {
        let status = self.match_status(handle).await;
        conditions::find(&status.conditions, conditions::READY)
            .unwrap()
            .reason
            .clone()
    }

    /// Waits until the integration is as wanted.
    pub async fn wait_for(&self, what: &str, is_so: impl Fn(&OktaIntegration) -> bool) -> OktaIntegration {
        let started = tokio::time::Instant::now();
        loop {
            let integration = self.integration().await;
            if is_so(&integration) {
                return integration;
            }
            if started.elapsed() > PATIENCE {
                self.give_up(what, &serde_json::to_value(&integration).unwrap());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn wait_for_phase(&self, phase: Phase) -> OktaIntegrationStatus {
        let integration = self
            .wait_for(&format!("phase {phase:?}"), |integration| {
                let generation = integration.metadata.generation;
                let status = integration.status.as_ref();
                status.is_some_and(|status| {
                    status.phase == Some(phase) && status.observed_generation == generation
                })
            })
            .await;
        integration.status.unwrap()
    }

    /// Waits until a condition of the integration has this status and reason.
    pub async fn wait_for_condition(&self, type_: &str, status: &str, reason: &str) -> String {
        let integration = self
            .wait_for(&format!("condition {type_}={status} ({reason})"), |integration| {
                let status_now = integration.status.clone().unwrap_or_default();
                conditions::find(&status_now.conditions, type_)
                    .is_some_and(|condition| condition.status == status && condition.reason == reason)
            })
            .await;
        let status = integration.status.unwrap();
        conditions::find(&status.conditions, type_)
            .unwrap()
            .message
            .clone()
    }

    /// Waits until a person's match is as wanted.
    pub async fn wait_for_match(
        &self,
        handle: &str,
        what: &str,
        is_so: impl Fn(&EmployeeMatchStatus) -> bool,
    ) -> EmployeeMatchStatus {
        let started = tokio::time::Instant::now();
        loop {
            let status = self.match_status(handle).await;
            if is_so(&status) {
                return status;
            }
            if started.elapsed() > PATIENCE {
                self.give_up(
                    &format!("{handle}: {what}"),
                    &serde_json::to_value(&status).unwrap(),
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn wait_for_state(&self, handle: &str, state: MatchState) -> EmployeeMatchStatus {
        self.wait_for_match(handle, &format!("state {state:?}"), |status| {
            status.state == Some(state)
        })
        .await
    }

    #[track_caller]
    fn give_up(&self, what: &str, seen: &Value) -> ! {
        panic!(
            "{what} did not come to be; what is there:\n{}\nthe operator's log ends:\n{}",
            serde_yaml::to_string(seen).unwrap(),
            self.log_tail()
        );
    }

    /// Stops the world's own operator, for tests that start theirs.
    pub async fn stop_operator(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.stop().await.unwrap();
        }
    }

    /// All that an operator logged.
    pub fn log_of(&self, operator: &KeptProcess) -> String {
        std::fs::read_to_string(operator.log()).unwrap()
    }

    pub fn log_tail(&self) -> String {
        self.operator
            .as_ref()
            .map(|operator| operator.log_tail(30))
            .unwrap_or_default()
    }

    /// Waits until there is an event with this reason in the namespace.
    pub async fn wait_for_event(&self, reason: &str) {
        let api: Api<Event> = self.api();
        let started = tokio::time::Instant::now();
        loop {
            let events = api.list(&ListParams::default()).await.unwrap();
            let reasons: Vec<String> = events.into_iter().filter_map(|event| event.reason).collect();
            if reasons.iter().any(|seen| seen == reason) {
                return;
            }
            if started.elapsed() > PATIENCE {
                self.give_up(&format!("event {reason}"), &json!(reasons));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The writes that Insightful saw, as lines, from now on.
    pub fn writes(&self) -> Vec<String> {
        self.insightful
            .journal()
            .writes()
            .iter()
            .map(|entry| entry.line())
            .collect()
    }

    /// Runs a subcommand of the program as an admin of the cluster. Gives what it prints.
    pub async fn program(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
        command
            .args(arguments)
            .env("KUBECONFIG", self.plane.admin_kubeconfig())
            .env_remove("HTTPS_PROXY");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 2)),
            "{code:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Each test ends with this: a sync that finds nothing new writes nothing,
    /// neither to Insightful nor to any EmployeeMatch.
    pub async fn idle_sync_writes_nothing(&self) {
        self.sync().await;
        let versions = |matches: BTreeMap<String, EmployeeMatch>| -> BTreeMap<String, Option<String>> {
            matches
                .into_iter()
                .map(|(name, object)| (name, object.metadata.resource_version))
                .collect()
        };
        let before = versions(self.matches().await);
        self.insightful.journal().clear();
        let status = self.sync().await;
        assert_eq!(
            self.writes(),
            Vec::<String>::new(),
            "an idle sync writes nothing to Insightful"
        );
        assert_eq!(
            versions(self.matches().await),
            before,
            "an idle sync writes no EmployeeMatch"
        );
        assert!(status.progress.is_none());
    }
}

/// The spec over the default one that lets plans of any size through.
pub fn open_guard() -> Value {
    json!({ "guard": {
        "maxDeactivations": "100%", "maxTeamMoves": "100%", "maxEmailChanges": "100%", "maxRelinks": "100%",
    } })
}

/// An integration's manifest: `spec` over the default one.
pub fn integration(name: &str, okta: &str, insightful: &str, spec: Value) -> Value {
    let mut manifest = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "OktaIntegration",
        "metadata": { "name": name },
        "spec": {
            "okta": { "orgUrl": okta, "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } } },
            "insightful": {
                "url": insightful,
                "apiToken": { "secretRef": { "name": "insightful", "key": "token" } },
                "newEmployees": { "team": "Onboarding", "sharedSettings": "Default" },
            },
            "teams": { "precedence": ["Engineering", "Sales"] },
        },
    });
    merge(&mut manifest["spec"], spec);
    manifest
}

fn merge(into: &mut Value, over: Value) {
    match (into, over) {
        (Value::Object(into), Value::Object(over)) => {
            for (key, value) in over {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, over) => *into = over,
    }
}

/// Starts an operator under the chart's ServiceAccount, as the only replica.
pub async fn start_operator(plane: &'static ControlPlane, namespaces: &[&str]) -> KeptProcess {
    start(plane, namespaces, &[]).await
}

/// Starts an operator that contends for the Lease of the chart's rights.
pub async fn start_replica(plane: &'static ControlPlane, namespaces: &[&str]) -> KeptProcess {
    start(
        plane,
        namespaces,
        &["--lease", "okta-insightful-operator/okta-insightful-operator"],
    )
    .await
}

/// Starts an operator with more arguments.
pub async fn start(plane: &'static ControlPlane, namespaces: &[&str], more: &[&str]) -> KeptProcess {
    let environment = [("RUST_LOG", "info,okta_insightful_operator=debug")];
    start_with(plane, namespaces, free_port(), more, &environment).await
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts an operator under the chart's ServiceAccount that shows its metrics on this port.
pub async fn start_with(
    plane: &'static ControlPlane,
    namespaces: &[&str],
    port: u16,
    more: &[&str],
    environment: &[(&str, &str)],
) -> KeptProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    let mut command = run_command(plane, program, namespaces, port).await;
    command.args(more).envs(environment.iter().copied());
    spawn(plane, &command)
}

/// What runs this program as the operator: under the chart's ServiceAccount, with its metrics on this port.
pub async fn run_command(
    plane: &'static ControlPlane,
    program: &Path,
    namespaces: &[&str],
    port: u16,
) -> Command {
    let mut command = Command::new(program);
    command
        .args([
            "run",
            "--allow-http-loopback",
            "--metrics-address",
            &format!("127.0.0.1:{port}"),
        ])
        .args(
            namespaces
                .iter()
                .flat_map(|namespace| ["--watch-namespace", namespace]),
        )
        .env("KUBECONFIG", operator_kubeconfig(plane).await)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy");
    command
}

/// The kubeconfig of the chart's ServiceAccount.
pub async fn operator_kubeconfig(plane: &'static ControlPlane) -> &'static Path {
    OPERATOR_KUBECONFIG.get_or_init(|| install_chart(plane)).await
}

/// Starts an operator with a log of its own.
pub fn spawn(plane: &'static ControlPlane, command: &Command) -> KeptProcess {
    let log = plane
        .directory()
        .join(format!("operator-{}.log", LOGS.fetch_add(1, Ordering::Relaxed)));
    KeptProcess::spawn(command, &log, &Ending::default()).unwrap()
}

/// Installs the chart with the real helm. Gives the kubeconfig of its ServiceAccount.
async fn install_chart(plane: &'static ControlPlane) -> PathBuf {
    let namespace = "okta-insightful-operator";
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/okta-insightful-operator");
    let chart = chart.to_str().unwrap();
    control_plane::provide(&control_plane::Program::ALL)
        .await
        .unwrap();
    plane
        .helm(&[
            "install",
            namespace,
            chart,
            "--namespace",
            namespace,
            "--create-namespace",
        ])
        .await
        .unwrap();
    // The CRDs come with the chart; this waits until they are served.
    plane
        .install_crds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crds"))
        .await
        .unwrap();
    plane
        .service_account_kubeconfig(namespace, namespace)
        .await
        .unwrap()
}
