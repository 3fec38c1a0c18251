//! A namespace on the shared API server, accounts with the chart's roles, and the program.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use k8s_openapi::api::{
    authorization::v1::SelfSubjectAccessReview, core::v1::ServiceAccount, rbac::v1::RoleBinding,
};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, match_name};
use sandbox::control_plane::{
    self, ControlPlane,
    child_process::{ChildProcess, Ending},
    client,
};
use serde_json::{Value, json};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::{page::Page, seed::Company};

/// The name of the integration in every company.
pub const NAME: &str = "acme";

const RELEASE: &str = "okta-insightful-operator";

const TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(25);

/// Numbers the logs.
static COUNTER: AtomicUsize = AtomicUsize::new(0);

/// A namespace with a company.
pub struct World {
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
}

/// Somebody with one of the chart's roles.
pub struct Account {
    /// As the API server knows it.
    pub name: String,
    pub token: String,
    pub kubeconfig: PathBuf,
}

/// `kubectl insightful review`, running.
pub struct Screen {
    pub process: ChildProcess,
    /// With the token, which is good for one use.
    pub address: String,
    /// Such as `http://127.0.0.1:40123`.
    pub origin: String,
}

impl World {
    /// An empty namespace.
    pub async fn empty() -> Self {
        let plane = plane().await;
        Self {
            client: plane.admin_client().await.unwrap(),
            namespace: plane.namespace("people").await.unwrap(),
            plane,
        }
    }

    pub async fn with(company: &Company) -> Self {
        let world = Self::empty().await;
        company.write(&world.client, &world.namespace).await;
        world
    }

    /// Acme, in review.
    pub async fn acme() -> Self {
        Self::with(&Company::acme()).await
    }

    /// A new account with this role of the chart: `admin`, `reviewer` or `viewer`.
    pub async fn account(&self, name: &str, role: &str) -> Account {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &self.namespace);
        let account = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        accounts.create(&PostParams::default(), &account).await.unwrap();
        let bindings: Api<RoleBinding> = Api::namespaced(self.client.clone(), &self.namespace);
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("{RELEASE}-{role}"),
            },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": self.namespace }],
        });
        let binding = serde_json::from_value(binding).unwrap();
        bindings.create(&PostParams::default(), &binding).await.unwrap();
        let kubeconfig = self
            .plane
            .service_account_kubeconfig(&self.namespace, name)
            .await
            .unwrap();
        let verb = if role == "admin" { "finalize" } else { "list" };
        self.wait_until_allowed(&kubeconfig, verb).await;
        let content = kube::config::Kubeconfig::read_from(&kubeconfig).unwrap();
        let content = serde_json::to_value(&content.auth_infos).unwrap();
        Account {
            name: format!("system:serviceaccount:{}:{name}", self.namespace),
            token: content[0]["user"]["token"].as_str().unwrap().to_owned(),
            kubeconfig,
        }
    }

    /// The API server applies a new binding with a delay.
    async fn wait_until_allowed(&self, kubeconfig: &Path, verb: &str) {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(client(kubeconfig).await.unwrap());
        let review = json!({ "spec": { "resourceAttributes": {
            "group": "integrations.insightful.io", "resource": "oktaintegrations",
            "namespace": self.namespace, "verb": verb,
        } } });
        let review: SelfSubjectAccessReview = serde_json::from_value(review).unwrap();
        poll("the role", async || {
            let answer = reviews.create(&PostParams::default(), &review).await.unwrap();
            answer.status.is_some_and(|status| status.allowed).then_some(())
        })
        .await;
    }

    /// The screen of an account.
    pub async fn screen(&self, account: &Account) -> Screen {
        self.screen_with(account, &[]).await
    }

    /// The screen of an account, with further arguments.
    pub async fn screen_with(&self, account: &Account, arguments: &[&str]) -> Screen {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-insightful"));
        command
            .args(["review", NAME, "--no-browser", "-n", &self.namespace])
            .args(arguments)
            .env("KUBECONFIG", &account.kubeconfig)
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy");
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let log = self.plane.directory().join(format!("screen-{number}.log"));
        let mut process = ChildProcess::spawn(&command, &log, &Ending::default()).unwrap();
        let address = poll("the address of the screen", async || {
            let printed = std::fs::read_to_string(&log).unwrap();
            assert!(!process.has_exited(), "the program has ended:\n{printed}");
            let line = printed.lines().find(|line| line.contains("/?token="))?;
            let (_, address) = line.split_once("The review screen: ")?;
            printed.ends_with('\n').then(|| address.trim().to_owned())
        })
        .await;
        let (origin, _) = address.split_once("/?").unwrap();
        Screen {
            origin: origin.to_owned(),
            process,
            address,
        }
    }

    /// The screen of a new reviewer, in the browser.
    pub async fn review(&self) -> (Account, Screen, Page) {
        let reviewer = self.account("reviewer", "reviewer").await;
        let screen = self.screen(&reviewer).await;
        let page = screen.open().await;
        (reviewer, screen, page)
    }

    pub fn matches(&self) -> Api<EmployeeMatch> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn integrations(&self) -> Api<OktaIntegration> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn integration(&self) -> OktaIntegration {
        self.integrations().get(NAME).await.unwrap()
    }

    /// The EmployeeMatch of a person.
    pub async fn person(&self, okta_user_id: &str) -> EmployeeMatch {
        self.matches().get(&match_name(NAME, okta_user_id)).await.unwrap()
    }

    /// The decision in the cluster, such as `Match wAda; not wAdam; "a note"`.
    pub async fn decision(&self, okta_user_id: &str) -> String {
        in_words(&self.person(okta_user_id).await)
    }

    /// The decisions in the cluster with the Okta ids, without those that are none.
    pub async fn decisions(&self) -> Vec<String> {
        let people = self.matches().list(&ListParams::default()).await.unwrap();
        let decided = people.iter().filter(|person| in_words(person) != "Auto");
        let mut decisions: Vec<String> = decided
            .map(|person| format!("{} {}", person.spec.okta_user_id, in_words(person)))
            .collect();
        decisions.sort();
        decisions
    }

    /// Decides in another way than by the screen, as `kubectl edit` does.
    pub async fn edit(&self, okta_user_id: &str, spec: Value) {
        let params = PatchParams {
            field_manager: Some("kubectl-edit".to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({ "spec": spec }));
        let name = match_name(NAME, okta_user_id);
        self.matches().patch(&name, &params, &patch).await.unwrap();
    }

    /// Changes a status, as the operator does.
    pub async fn set_status(&self, okta_user_id: &str, status: Value) {
        let patch = Patch::Merge(json!({ "status": status }));
        let name = match_name(NAME, okta_user_id);
        let params = PatchParams::default();
        self.matches().patch_status(&name, &params, &patch).await.unwrap();
    }
}

impl Screen {
    /// The screen in the browser, at its first page.
    pub async fn open(&self) -> Page {
        let page = Page::new().await;
        page.goto(&self.address).await;
        page
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What the program has printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.process.log()).unwrap()
    }
}

fn in_words(object: &EmployeeMatch) -> String {
    let spec = &object.spec;
    let mut text = format!("{:?}", spec.decision);
    if !spec.employee_ids.is_empty() {
        text += &format!(" {}", spec.employee_ids.join(", "));
    }
    if !spec.rejected_employee_ids.is_empty() {
        text += &format!("; not {}", spec.rejected_employee_ids.join(", "));
    }
    if let Some(note) = &spec.note {
        text += &format!("; {note:?}");
    }
    text
}

/// Waits until there is a value.
pub async fn poll<T>(what: &str, mut read: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = read().await {
            return value;
        }
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for {what}");
        sleep(POLL).await;
    }
}

/// The shared API server with the chart, which is installed once.
pub async fn plane() -> &'static ControlPlane {
    operator_kubeconfig().await;
    ControlPlane::shared()
}

/// The kubeconfig of the chart's ServiceAccount.
pub async fn operator_kubeconfig() -> &'static Path {
    static KUBECONFIG: OnceCell<PathBuf> = OnceCell::const_new();
    KUBECONFIG
        .get_or_init(|| install_chart(ControlPlane::shared()))
        .await
}

async fn install_chart(plane: &ControlPlane) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chart = root.join("charts").join(RELEASE);
    control_plane::provide(&control_plane::Program::ALL)
        .await
        .unwrap();
    let arguments = [
        "install",
        RELEASE,
        chart.to_str().unwrap(),
        "--namespace",
        RELEASE,
        "--create-namespace",
        // No pod runs here.
        "--set=image.repository=registry.example/okta-insightful-operator",
    ];
    plane.helm(&arguments).await.unwrap();
    // The chart has installed the definitions; this waits until they are served.
    plane.install_crds(&root.join("crds")).await.unwrap();
    plane.service_account_kubeconfig(RELEASE, RELEASE).await.unwrap()
}
