//! A test company: an Okta org, an Insightful account, a namespace on the shared
//! API server, and an operator that watches that namespace.

use std::{
    collections::BTreeMap,
    fmt::Debug,
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
        child_process::{ChildProcess, Ending},
    },
    insightful::Insightful,
    okta::{self, Okta},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How long a test waits for an expected state.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long the operator looks for a request without a response before it repeats it: longer than the emulator's late
/// effects, and short enough for a test.
pub const OUTCOME_WAIT: Duration = Duration::from_secs(4);

/// When the emulator's late effects take effect.
pub const LATE: Duration = Duration::from_secs(2);

/// The name of the integration in every test company.
pub const NAME: &str = "acme";

/// The kubeconfig of the chart's ServiceAccount; the chart is installed once for all tests.
static OPERATOR_KUBECONFIG: OnceCell<PathBuf> = OnceCell::const_new();

/// Numbers operator logs and sync requests.
static COUNTER: AtomicUsize = AtomicUsize::new(0);

pub struct World {
    pub company: Company,
    pub okta: Okta,
    pub insightful: Insightful,
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
    /// `None` while the operator is stopped.
    pub operator: Option<ChildProcess>,
}

impl World {
    /// Acme, activated and synced, in phase Review. `spec` is merged over the default spec.
    pub async fn in_review(spec: Value) -> Self {
        let world = Self::prepared().await;
        world.activate(spec).await;
        world.wait_for_phase(Phase::Review).await;
        world
    }

    /// Acme, finalized and in sync, with a guard that allows every plan.
    pub async fn in_sync() -> Self {
        let world = Self::in_review(open_guard()).await;
        world.finalize().await;
        world
    }

    /// Acme with both services and the operator running, and no integration yet.
    pub async fn prepared() -> Self {
        Self::prepared_with(Company::acme(), okta::Settings::default()).await
    }

    /// Like `prepared`, with this company and these settings of Okta.
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
        // Most tests are not about Insightful's rate limit.
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
        apply::<OktaIntegration>(&self.api(), manifest).await;
    }

    pub async fn write_secret(&self, name: &str, key: &str, value: &str) {
        apply::<Secret>(&self.api(), secret(name, key, value)).await;
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Patches the integration's spec.
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

    /// Sets `finalized` and waits until a plan is applied and the integration is in sync.
    pub async fn finalize(&self) {
        self.patch(json!({ "finalized": true })).await;
        self.wait_for("the apply", |integration| {
            integration.status.as_ref().is_some_and(|status| {
                status.phase == Some(Phase::InSync) && status.last_applied_plan.is_some()
            })
        })
        .await;
    }

    /// Requests a sync and waits until it is complete.
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

    /// Requests a sync. Returns the annotation's value.
    pub async fn request_sync(&self) -> String {
        let request = format!("{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        let patch = json!({ "metadata": { "annotations": { SYNC_REQUESTED_AT: request } } });
        let api: Api<OktaIntegration> = self.api();
        api.patch(NAME, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
        request
    }

    /// Patches the spec of a person's EmployeeMatch.
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

    /// Decides that these employees are the person's.
    pub async fn decide_match(&self, handle: &str, employee_ids: &[&str]) {
        let decision = json!({ "decision": "Match", "employeeIds": employee_ids });
        self.decide(handle, decision).await;
    }

    pub fn match_name(&self, handle: &str) -> String {
        match_name(NAME, &self.okta.snapshot().user_id(handle))
    }

    /// A manifest of a person's EmployeeMatch, with `decision` merged into its spec.
    pub fn match_manifest(&self, handle: &str, decision: Value) -> Value {
        let id = self.okta.snapshot().user_id(handle);
        let mut spec = json!({ "integrationRef": { "name": NAME }, "oktaUserId": id });
        merge(&mut spec, decision);
        json!({
            "apiVersion": "integrations.insightful.io/v1alpha1",
            "kind": "EmployeeMatch",
            "metadata": { "name": match_name(NAME, &id) },
            "spec": spec,
        })
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

    /// The resource version of every EmployeeMatch, by name.
    pub async fn match_versions(&self) -> BTreeMap<String, Option<String>> {
        let matches = self.matches().await.into_iter();
        matches
            .map(|(name, object)| (name, object.metadata.resource_version))
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

    /// Polls until the state satisfies `predicate`. Panics with the state and the end of the operator's
    /// log after `TIMEOUT`.
    pub async fn poll<S: Serialize, F: Future<Output = S>>(
        &self,
        what: &str,
        read: impl Fn() -> F,
        predicate: impl Fn(&S) -> bool,
    ) -> S {
        let started = tokio::time::Instant::now();
        loop {
            let state = read().await;
            if predicate(&state) {
                return state;
            }
            assert!(
                started.elapsed() <= TIMEOUT,
                "timed out waiting for {what}; current state:\n{}\nend of the operator's log:\n{}",
                serde_yaml::to_string(&state).unwrap(),
                self.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the integration satisfies `predicate`.
    pub async fn wait_for(
        &self,
        what: &str,
        predicate: impl Fn(&OktaIntegration) -> bool,
    ) -> OktaIntegration {
        self.poll(what, || self.integration(), predicate).await
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

    /// Waits until a condition of the integration has this status and reason. Returns its message.
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

    /// Waits until the status of a person's match satisfies `predicate`.
    pub async fn wait_for_match(
        &self,
        handle: &str,
        what: &str,
        predicate: impl Fn(&EmployeeMatchStatus) -> bool,
    ) -> EmployeeMatchStatus {
        let what = format!("{handle}: {what}");
        self.poll(&what, || self.match_status(handle), predicate).await
    }

    pub async fn wait_for_state(&self, handle: &str, state: MatchState) -> EmployeeMatchStatus {
        self.wait_for_match(handle, &format!("state {state:?}"), |status| {
            status.state == Some(state)
        })
        .await
    }

    /// Waits until the Ready condition of a person's match has this reason.
    pub async fn wait_for_reason(&self, handle: &str, reason: &str) -> EmployeeMatchStatus {
        self.wait_for_match(handle, &format!("reason {reason}"), |status| {
            conditions::find(&status.conditions, conditions::READY)
                .is_some_and(|ready| ready.reason == reason)
        })
        .await
    }

    /// Waits until a person has no match in force.
    pub async fn wait_until_unmatched(&self, handle: &str) {
        self.wait_for_match(handle, "no match in force", |status| status.applied.is_none())
            .await;
    }

    /// Stops the operator, if it runs.
    pub async fn stop_operator(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.stop().await.unwrap();
        }
    }

    pub fn log_of(&self, operator: &ChildProcess) -> String {
        std::fs::read_to_string(operator.log()).unwrap()
    }

    pub fn log_tail(&self) -> String {
        self.operator
            .as_ref()
            .map(|operator| operator.log_tail(30))
            .unwrap_or_default()
    }

    /// Waits until the namespace has an event with this reason.
    pub async fn wait_for_event(&self, reason: &str) {
        let api: Api<Event> = self.api();
        let reasons = || async {
            let events = api.list(&ListParams::default()).await.unwrap();
            events
                .into_iter()
                .filter_map(|event| event.reason)
                .collect::<Vec<_>>()
        };
        self.poll(&format!("event {reason}"), reasons, |reasons| {
            reasons.iter().any(|seen| seen == reason)
        })
        .await;
    }

    /// The write requests that Insightful received since its journal was cleared, one line each.
    pub fn writes(&self) -> Vec<String> {
        self.insightful
            .journal()
            .writes()
            .iter()
            .map(|entry| entry.line())
            .collect()
    }

    /// Runs a subcommand of the operator's binary with admin rights. Returns its standard output.
    pub async fn run_cli(&self, arguments: &[&str]) -> String {
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

    /// Asserts that a sync without changes writes nothing to Insightful and no EmployeeMatch.
    pub async fn idle_sync_writes_nothing(&self) {
        self.sync().await;
        let before = self.match_versions().await;
        self.insightful.journal().clear();
        let status = self.sync().await;
        assert_eq!(
            self.writes(),
            Vec::<String>::new(),
            "an idle sync writes nothing to Insightful"
        );
        assert_eq!(
            self.match_versions().await,
            before,
            "an idle sync writes no EmployeeMatch"
        );
        assert!(status.progress.is_none());
    }
}

/// A spec whose guard allows plans of any size.
pub fn open_guard() -> Value {
    json!({ "guard": {
        "maxDeactivations": 1_000_000, "maxTeamMoves": 1_000_000, "maxEmailChanges": 1_000_000, "maxRelinks": 1_000_000,
        "maxNameChanges": 1_000_000, "maxTitleChanges": 1_000_000, "maxInvitations": 1_000_000, "maxNewTeams": 1_000_000,
    } })
}

/// An integration's manifest; `spec` is merged over the default spec.
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

/// A manifest of a Secret with one key.
pub fn secret(name: &str, key: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": { key: value },
    })
}

/// Applies a manifest with the field manager `admin`.
pub async fn apply<K>(api: &Api<K>, manifest: Value)
where
    K: Clone + DeserializeOwned + Debug,
{
    let name = manifest["metadata"]["name"].as_str().unwrap().to_owned();
    let params = PatchParams::apply("admin").force();
    api.patch(&name, &params, &Patch::Apply(manifest)).await.unwrap();
}

/// Insightful's answer to a request with an invalid value in `field`.
pub fn validation_error(field: &str) -> Value {
    json!({ "type": "VALIDATION_ERROR", "message": "Parameters validation error!",
        "details": [{ "type": "string", "field": field,
            "message": format!("The '{field}' field has an invalid value!") }] })
}

/// Starts an operator with the chart's ServiceAccount and without leader election.
pub async fn start_operator(plane: &'static ControlPlane, namespaces: &[&str]) -> ChildProcess {
    start(plane, namespaces, &[]).await
}

/// Starts an operator that takes part in leader election, with the Lease that the chart's RBAC covers.
pub async fn start_replica(plane: &'static ControlPlane, namespaces: &[&str]) -> ChildProcess {
    start(
        plane,
        namespaces,
        &["--lease", "okta-insightful-operator/okta-insightful-operator"],
    )
    .await
}

/// Starts an operator with additional arguments.
pub async fn start(plane: &'static ControlPlane, namespaces: &[&str], arguments: &[&str]) -> ChildProcess {
    let environment = [("RUST_LOG", "info,okta_insightful_operator=debug")];
    start_with(plane, namespaces, free_port(), arguments, &environment).await
}

/// An unused port.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts an operator with the chart's ServiceAccount that serves its metrics on `port`.
pub async fn start_with(
    plane: &'static ControlPlane,
    namespaces: &[&str],
    port: u16,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> ChildProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    let mut command = run_command(plane, program, namespaces, port).await;
    command.args(arguments).envs(environment.iter().copied());
    spawn(plane, &command)
}

/// A command that runs `program` as the operator, with the chart's ServiceAccount and its metrics on `port`.
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
            "--outcome-wait",
            &format!("{}s", OUTCOME_WAIT.as_secs()),
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

/// Starts an operator that logs to a separate file.
pub fn spawn(plane: &ControlPlane, command: &Command) -> ChildProcess {
    let log = plane.directory().join(format!(
        "operator-{}.log",
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    ChildProcess::spawn(command, &log, &Ending::default()).unwrap()
}

/// Installs the chart with Helm. Returns the kubeconfig of its ServiceAccount.
pub async fn install_chart(plane: &ControlPlane) -> PathBuf {
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
            // No pod runs here.
            "--set=image.repository=registry.example/okta-insightful-operator",
        ])
        .await
        .unwrap();
    // The chart has installed the CRDs; this waits until they are served.
    plane
        .install_crds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crds"))
        .await
        .unwrap();
    plane
        .service_account_kubeconfig(namespace, namespace)
        .await
        .unwrap()
}
