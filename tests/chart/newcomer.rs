//! The pages on installing and upgrading and the chart's notes, typed into a
//! shell as a newcomer would: from an empty cluster to a finalized integration,
//! an upgrade, and the removal.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use sandbox::{
    company::Company,
    control_plane::{
        self, ControlPlane, Options, Program,
        child_process::{ChildProcess, Ending},
    },
    gitops::{Question, judge},
    insightful::Insightful,
    okta::Okta,
};
use serde_json::Value;

use crate::{CHART, eventually};

pub const NAME: &str = "okta-insightful-operator";
const PROGRAM: &str = env!("CARGO_BIN_EXE_okta-insightful-operator");

/// The cluster, and a directory with the files that the commands use.
pub struct Newcomer {
    pub plane: ControlPlane,
    pub directory: PathBuf,
}

impl Newcomer {
    pub async fn arrive(okta: &Okta, insightful: &Insightful) -> Self {
        control_plane::provide(&Program::ALL).await.unwrap();
        let plane = ControlPlane::start(&Options::default()).await.unwrap();
        let directory = plane.directory().join("newcomer");
        fs::create_dir_all(directory.join("bin")).unwrap();
        fs::write(directory.join("okta-token"), okta.token()).unwrap();
        fs::write(directory.join("insightful-token"), insightful.token()).unwrap();
        std::os::unix::fs::symlink(PROGRAM, directory.join("bin").join(NAME)).unwrap();
        let plugin = env!("CARGO_BIN_EXE_kubectl-insightful");
        std::os::unix::fs::symlink(plugin, directory.join("bin/kubectl-insightful")).unwrap();
        for program in [Program::Kubectl, Program::Helm] {
            let link = directory.join("bin").join(program.name());
            std::os::unix::fs::symlink(program.path().unwrap(), link).unwrap();
        }
        std::os::unix::fs::symlink(Path::new(CHART).parent().unwrap(), directory.join("charts")).unwrap();
        Self { plane, directory }
    }

    /// Runs a script in a shell. Returns its standard output.
    async fn types(&self, script: &str) -> String {
        self.types_as(self.plane.admin_kubeconfig(), script)
            .await
            .unwrap()
    }

    pub async fn types_as(&self, kubeconfig: &Path, script: &str) -> Result<String, String> {
        let path = format!(
            "{}:{}",
            self.directory.join("bin").display(),
            env::var("PATH").unwrap()
        );
        let mut shell = Command::new("bash");
        shell
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(&self.directory)
            .env("PATH", path)
            .env("HOME", &self.directory)
            .env("KUBECONFIG", kubeconfig)
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy");
        let output = tokio::task::spawn_blocking(move || shell.output().unwrap())
            .await
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        match output.status.success() {
            true => Ok(out),
            false => Err(format!("{script}\n{out}{err}")),
        }
    }

    /// Starts the container of the Deployment as its ServiceAccount, because
    /// there is no kubelet.
    pub async fn start_operator(&self) -> ChildProcess {
        let deployments: Api<Deployment> = Api::namespaced(self.plane.admin_client().await.unwrap(), NAME);
        let deployment = serde_json::to_value(deployments.get(NAME).await.unwrap()).unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let account = pod["serviceAccountName"].as_str().unwrap();
        let kubeconfig = self
            .plane
            .service_account_kubeconfig(NAME, account)
            .await
            .unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let container = &pod["containers"][0];
        let mut command = Command::new(PROGRAM);
        for argument in container["args"].as_array().unwrap() {
            command.arg(argument.as_str().unwrap());
        }
        for variable in container["env"].as_array().unwrap() {
            let value = variable["value"].as_str().unwrap();
            command.env(
                variable["name"].as_str().unwrap(),
                // Programs on this machine need different ports.
                value.replace("[::]:8080", &format!("127.0.0.1:{port}")),
            );
        }
        command
            .arg("--allow-http-loopback")
            .env("KUBECONFIG", kubeconfig)
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy");
        let ending = Ending {
            grace: Duration::from_secs(30),
            ..Ending::default()
        };
        let log = self.directory.join(format!("operator-{port}.log"));
        ChildProcess::spawn(&command, log, &ending).unwrap()
    }

    /// Returns all objects of the cluster as `kind/namespace/name`, except
    /// events and the control plane's own.
    async fn objects(&self) -> BTreeSet<String> {
        let kinds = self
            .types("kubectl api-resources --verbs=list --output=name")
            .await;
        let kinds: Vec<&str> = kinds
            .lines()
            .filter(|kind| !kind.starts_with("events") && !kind.starts_with("componentstatuses"))
            .collect();
        let template =
            r#"{{range .items}}{{.kind}}/{{.metadata.namespace}}/{{.metadata.name}}{{"\n"}}{{end}}"#;
        let get = format!(
            "kubectl get {} --all-namespaces --output=go-template='{template}'",
            kinds.join(",")
        );
        let objects = self.types(&get).await;
        let own = ["kube-system", "kube-public", "kube-node-lease"];
        objects
            .lines()
            .filter(|object| !own.iter().any(|own| object.split('/').nth(1) == Some(own)))
            .map(|object| object.replace("<no value>", ""))
            .collect()
    }

    /// Asserts that kstatus considers the integration ready.
    async fn assert_current(&self) {
        let get = "kubectl -n people get oktaintegration acme --output=json";
        let question = Question {
            objects: vec![serde_json::from_str(&self.types(get).await).unwrap()],
            ..Question::default()
        };
        let verdicts = judge(&question).await.unwrap().verdicts;
        assert_eq!(verdicts[0].kstatus, "Current");
    }

    pub async fn wait_for_phase(&self, phase: &str) {
        let wait = "kubectl -n people wait oktaintegration acme --timeout=60s";
        self.types(&format!("{wait} --for=jsonpath='{{.status.phase}}'={phase}"))
            .await;
    }
}

/// Returns the shell blocks of a page of the chart, in order.
fn blocks(page: &str) -> Vec<String> {
    let page = fs::read_to_string(Path::new(CHART).join(page)).unwrap();
    let blocks = page.split("```").filter_map(|block| block.strip_prefix("sh\n"));
    blocks.map(str::to_owned).collect()
}

/// Returns the commands of a numbered step in the chart's notes.
fn step(notes: &str, number: usize) -> String {
    let after = notes.split(&format!("\n{number}. ")).nth(1).unwrap();
    let until = after
        .split(&format!("\n{}. ", number + 1))
        .next()
        .unwrap_or(after);
    let indented = until.lines().filter_map(|line| line.strip_prefix("   "));
    indented.collect::<Vec<_>>().join("\n").replace(" --watch", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_lead_from_an_empty_cluster_to_the_removal() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    insightful.configure(|settings| settings.limit = 100_000);
    let newcomer = Newcomer::arrive(&okta, &insightful).await;
    let empty = newcomer.objects().await;
    let of_install: [String; 8] = blocks("docs/install.md").try_into().unwrap();
    let [install, test, check, bind, can_i, rights, uninstall, remove] = &of_install;
    let [upgrade]: [String; 1] = blocks("docs/upgrade.md").try_into().unwrap();
    assert_eq!(blocks("README.md"), std::slice::from_ref(install));

    // Install, and follow the notes.
    let notes = newcomer.types(install).await;
    assert!(step(&notes, 1).contains("rollout status") && step(&notes, 1).contains("helm -n"));
    newcomer.types(&step(&notes, 2)).await;
    let apply = step(&notes, 3);
    assert!(apply.contains("https://acme.okta.com") && apply.contains("\n  insightful:\n"));
    let apply = apply.replace("https://acme.okta.com", &okta.url()).replace(
        "\n  insightful:\n",
        &format!("\n  insightful:\n    url: {}\n", insightful.url()),
    );
    let operator = newcomer.start_operator().await;
    newcomer.types(&apply).await;
    newcomer.wait_for_phase("Review").await;
    newcomer.assert_current().await;
    let waiting = newcomer.types(&step(&notes, 4)).await;
    assert!(
        waiting.contains("acme") && waiting.contains("Review"),
        "{waiting}"
    );
    // Acme's first plan exceeds the default guard.
    let open = r#"{"spec":{"guard":{"maxTeamMoves":"100%","maxEmailChanges":"100%","maxDeactivations":"100%","maxNameChanges":"100%"}}}"#;
    newcomer
        .types(&format!(
            "kubectl -n people patch oktaintegration acme --type=merge -p '{open}'"
        ))
        .await;
    newcomer.types(&step(&notes, 5)).await;
    newcomer.wait_for_phase("InSync").await;
    assert!(!insightful.journal().writes().is_empty());
    newcomer.assert_current().await;

    // Without a node, `helm test` cannot run its pod: run the pod's command as its account.
    assert!(test.starts_with("helm test okta-insightful-operator --namespace"));
    let hook = newcomer
        .types(&format!("helm get hooks {NAME} --namespace {NAME}"))
        .await;
    let hook = serde_yaml::from_multiple::<Value>(&hook)
        .unwrap()
        .into_iter()
        .find(|document| document["kind"] == "Pod")
        .unwrap();
    // `helm test --logs` reads the pod after it has ended, so only the next test may delete it.
    assert_eq!(
        hook["metadata"]["annotations"]["helm.sh/hook-delete-policy"],
        "before-hook-creation"
    );
    fs::write(
        newcomer.directory.join("hook.yaml"),
        serde_yaml::to_string(&hook).unwrap(),
    )
    .unwrap();
    newcomer.types("kubectl create -f hook.yaml").await;
    let account = hook["spec"]["serviceAccountName"].as_str().unwrap();
    let kubeconfig = newcomer
        .plane
        .service_account_kubeconfig(NAME, account)
        .await
        .unwrap();
    let arguments = crate::made::texts(&hook["spec"]["containers"][0]["args"]).join(" ");
    let tested = newcomer
        .types_as(&kubeconfig, &format!("{NAME} {arguments}"))
        .await;
    let found = tested.unwrap();
    assert!(!found.contains("FAILED"), "{found}");
    assert!(
        found.contains("ok      can get Secret okta of people/acme"),
        "{found}"
    );
    newcomer.types(check).await;
    newcomer.types(bind).await;
    // This release already has these roles: the server only checks the manifests.
    let rights = rights.replace("kubectl apply", "kubectl apply --dry-run=server");
    let made = newcomer.types(&rights).await;
    assert!(
        made.contains("rolebinding.rbac.authorization.k8s.io/okta-insightful-operator created"),
        "{made}"
    );
    assert!(
        made.contains("role.rbac.authorization.k8s.io/okta-insightful-operator-lease"),
        "{made}"
    );
    assert_eq!(newcomer.types(can_i).await.trim(), "yes");

    // After an upgrade with other values, a new pod continues.
    let upgrade = format!(
        "{} --set replicas=3 --set commonLabels.team=platform",
        upgrade.trim()
    );
    newcomer.types(&upgrade).await;
    let replicas = "kubectl -n okta-insightful-operator get deployment okta-insightful-operator";
    let replicas = format!("{replicas} --output=jsonpath='{{.spec.replicas}}/{{.metadata.labels.team}}'");
    assert_eq!(newcomer.types(&replicas).await, "3/platform");
    let image = replicas.replace(
        "{.spec.replicas}/{.metadata.labels.team}",
        "{.spec.template.spec.containers[0].image}",
    );
    assert_eq!(
        newcomer.types(&image).await,
        "REGISTRY/okta-insightful-operator:0.1.0"
    );
    operator.stop().await.unwrap();
    let operator = newcomer.start_operator().await;
    insightful.journal().clear();
    let sync =
        "kubectl -n people annotate oktaintegration acme integrations.insightful.io/sync-requested-at=now";
    newcomer.types(sync).await;
    let handled = "kubectl -n people wait oktaintegration acme --timeout=60s";
    newcomer
        .types(&format!(
            "{handled} --for=jsonpath='{{.status.lastHandledSyncRequest}}'=now"
        ))
        .await;
    newcomer.wait_for_phase("InSync").await;
    assert_eq!(
        insightful.journal().writes().len(),
        0,
        "an upgrade writes nothing to Insightful"
    );

    // Uninstalling leaves what install.md lists.
    newcomer.types(uninstall).await;
    operator.stop().await.unwrap();
    let left: BTreeSet<String> = newcomer.objects().await.difference(&empty).cloned().collect();
    let is_of = |kind: &str| {
        let prefix = format!("{kind}/");
        move |object: &&String| object.starts_with(&prefix)
    };
    let [is_match, is_unmatched] = ["EmployeeMatch", "UnmatchedEmployee"].map(is_of);
    assert_eq!(left.iter().filter(&is_match).count(), 60);
    assert!(left.iter().any(|object| is_unmatched(&object)));
    let left: BTreeSet<&str> = left
        .iter()
        .filter(|object| !is_match(object) && !is_unmatched(object))
        .map(String::as_str)
        .collect();
    let expected = [
        // The server's own object for the group of the definitions.
        "APIService//v1alpha1.integrations.insightful.io",
        "CustomResourceDefinition//employeematches.integrations.insightful.io",
        "CustomResourceDefinition//unmatchedemployees.integrations.insightful.io",
        "CustomResourceDefinition//oktaintegrations.integrations.insightful.io",
        "Lease/okta-insightful-operator/okta-insightful-operator",
        "Namespace//okta-insightful-operator",
        "Namespace//people",
        "OktaIntegration/people/acme",
        "Pod/okta-insightful-operator/okta-insightful-operator-check",
        "RoleBinding/people/matches",
        "RoleBinding/people/reviewers",
        "Secret/people/insightful",
        "Secret/people/okta",
        "ServiceAccount/okta-insightful-operator/default",
        "ServiceAccount/people/default",
    ];
    assert_eq!(left, expected.into());
    newcomer.types(remove).await;
    eventually("the removal of the remaining objects", async || {
        let left = newcomer.objects().await;
        !left.iter().any(|object| {
            object.contains("insightful.io")
                || object.starts_with("Lease/")
                || object.starts_with("Pod/")
                || object.contains("/people/acme")
        })
    })
    .await;
    newcomer.plane.stop().await.unwrap();
}
