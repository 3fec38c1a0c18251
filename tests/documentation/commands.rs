//! Types the commands of the chart's pages as they are written, as an admin of a
//! real integration.

use std::{path::Path, process::Command, time::Duration};

use okta_insightful_operator::api::{Phase, conditions};
use sandbox::{
    control_plane::Program,
    key_pair::KeyPair,
    okta::ServiceApp,
    webhook::{Receiver, Webhook},
};
use serde_json::{Value, json};

use crate::{
    pages::{DOCS, all, commands, page},
    world::{NAME, World},
};

/// The service app of the page about Okta.
const CLIENT_ID: &str = "0oa1sandbox2app3xyz4";
const KEY_ID: &str = "k1";

/// The directory in which commands are typed, with the kubeconfig of whoever types them.
pub struct Desk<'a> {
    world: &'a World,
    directory: tempfile::TempDir,
    /// The match and the employee that NAME and EMPLOYEE_ID stand for.
    pub name: String,
    employee: String,
}

/// The commands that were typed, each with its output.
struct Typed(Vec<(String, String)>);

impl Typed {
    /// Returns the output of the first command that contains this text.
    fn output(&self, part: &str) -> &str {
        let found = self.0.iter().find(|(command, _)| command.contains(part));
        &found.unwrap_or_else(|| panic!("no command contains {part:?}")).1
    }
}

impl<'a> Desk<'a> {
    /// The desk of a cluster admin.
    pub fn new(world: &'a World) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::copy(
            world.plane.admin_kubeconfig(),
            directory.path().join("kubeconfig"),
        )
        .unwrap();
        for secret in ["okta-token", "insightful-token"] {
            let token = if secret == "okta-token" {
                world.okta.token()
            } else {
                world.insightful.token()
            };
            std::fs::write(directory.path().join(secret), token).unwrap();
        }
        Self {
            name: world.match_name("chen.xiu"),
            employee: world.company.employee("chen.xiu").to_owned(),
            directory,
            world,
        }
    }

    /// Whoever types from now on has this role of the chart in the integration's namespace, and no other permissions.
    pub async fn log_in_as(&self, role: &str) {
        let (plane, namespace) = (self.world.plane, format!("--namespace={}", self.world.namespace));
        let user = format!("{role}-of-{}", self.world.namespace);
        let role_flag = format!("--clusterrole=okta-insightful-operator-{role}");
        let bind = [
            "create",
            "rolebinding",
            role,
            &role_flag,
            &format!("--user={user}"),
            &namespace,
        ];
        plane.kubectl(&bind).await.unwrap();
        let kubeconfig = plane.user_kubeconfig(&user, &[]).unwrap();
        // The API server uses a new binding with a delay.
        let can_i = ["auth", "can-i", "list", "employeematches", &namespace];
        while plane.kubectl_as(&kubeconfig, &can_i).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::fs::copy(&kubeconfig, self.directory.path().join("kubeconfig")).unwrap();
    }

    /// Types all commands of a page.
    async fn type_page(&self, name: &str) -> Typed {
        let path = format!("{DOCS}/{name}");
        let mut typed = Vec::new();
        for command in commands(&page(&path)) {
            let output = tokio::task::block_in_place(|| self.type_in(&path, &command));
            if command.contains(r#""finalized":true"#) {
                self.world.wait_for_phase(Phase::Held).await;
            }
            if command.contains("approvedPlan") {
                self.world.wait_for_phase(Phase::InSync).await;
            }
            typed.push((command, output));
        }
        Typed(typed)
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(file)).unwrap()
    }

    pub fn write(&self, file: &str, content: &str) {
        std::fs::write(self.directory.path().join(file), content).unwrap();
    }

    /// Types a command with the names of this world instead of those of the page.
    pub fn type_in(&self, page: &str, command: &str) -> String {
        let namespace = &self.world.namespace;
        let typed = format!("{command} ")
            .replace("-n people ", &format!("-n {namespace} "))
            .replace("--namespace=people", &format!("--namespace={namespace}"))
            .replace("namespace people ", &format!("namespace {namespace} "))
            .replace("people/acme", &format!("{namespace}/acme"))
            .replace("EMPLOYEE_ID", &self.employee)
            .replace("CLIENT_ID", CLIENT_ID)
            .replace("KEY_ID", KEY_ID)
            .replace(" PERSON ", " chen.xiu@acme.com ")
            .replace(" NAME ", &format!(" {} ", self.name));
        let opens_screen = command.starts_with("kubectl insightful review") && !command.contains("--text");
        let typed = match opens_screen {
            true => format!("timeout --preserve-status --signal=INT 3 {typed} --no-browser"),
            false => typed,
        };
        let programs = [
            Program::Kubectl.path().unwrap(),
            Path::new(env!("CARGO_BIN_EXE_okta-insightful-operator")).to_path_buf(),
        ];
        let mut path: Vec<_> = programs
            .iter()
            .map(|program| program.parent().unwrap().to_path_buf())
            .collect();
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        // It reads the Secrets, which no role of the chart includes.
        let reads_secrets = command.starts_with("okta-insightful-operator plan");
        let kubeconfig = match reads_secrets {
            true => self.world.plane.admin_kubeconfig().to_owned(),
            false => self.directory.path().join("kubeconfig"),
        };
        let output = Command::new("bash")
            .args(["-uo", "pipefail", "-c", &typed])
            .current_dir(self.directory.path())
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", self.directory.path())
            .env("ALLOW_HTTP_LOOPBACK", "true")
            .env("KUBE_EDITOR", "sed -i s/Auto/Ignore/")
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        // No pods run here: the operator is a process.
        let is_quiet = errors.is_empty() || errors.starts_with("No resources found");
        let nothing_found = command.contains("| grep") && is_quiet;
        match output.status.code() {
            Some(0) => {}
            Some(1) if nothing_found => {}
            Some(2) if reads_secrets => {}
            code => panic!("{page}: {typed}\nended with {code:?}: {errors}"),
        }
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_an_admin_can_be_typed_in_reading_order() {
    let world = World::in_review(json!({ "guard": { "maxTeamMoves": 0 } })).await;
    let mut desk = Desk::new(&world);
    desk.log_in_as("reviewer").await;

    let review = desk.type_page("review.md").await;
    assert_eq!(review.0.len(), 30);
    assert!(review.output("status.state=Review").contains("Review"));
    assert!(review.output("insightful status").contains("Next"));
    assert!(
        review
            .output("insightful review acme")
            .contains("http://127.0.0.1:")
    );
    assert!(review.output("--text").contains("people need a decision"));
    assert!(review.output("insightful plan").contains("Plan sha256:"));
    assert!(review.output("ignore --note").contains("Auto → Ignore"));
    assert!(review.output("insightful import").contains("changes no decision"));
    assert!(review.output("-o yaml").contains("proposal:"));
    assert!(
        review
            .output("status.state=OutOfScope")
            .contains("DepartedWithoutEmployee")
    );
    assert!(review.output("kubectl edit").contains("edited"));
    assert!(desk.read("decisions.yaml").contains("kind: EmployeeMatch"));

    desk.log_in_as("admin").await;
    let finish = desk.type_page("finish.md").await;
    assert_eq!(finish.0.len(), 10);
    assert_eq!(finish.output("status.deactivates==true"), "Lena Fischer");
    assert!(finish.output("{.status.plan}").contains("sha256:"));
    assert!(finish.output("PERSON:").contains("FIELDS"));
    assert!(finish.output("type==\"Held\"").contains("nothing is written"));
    assert!(finish.output(".status.history[*]").contains(" written, 0 failed"));

    // Somebody whose match is in force.
    desk.name = world.match_name("jane.doe");
    let undo = desk.type_page("undo.md").await;
    assert_eq!(undo.0.len(), 6);
    assert!(undo.output(r#""decision":"Ignore""#).contains("patched"));
    assert!(undo.output("delete oi acme").contains("deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_okta_leads_to_a_service_app() {
    let world = World::in_review(json!({})).await;
    let key = KeyPair::rsa();
    world.okta.configure(|settings| {
        settings.service_apps = vec![ServiceApp::new(CLIENT_ID, KEY_ID, &key)];
    });
    let desk = Desk::new(&world);
    desk.write("key.pem", &key.pkcs8_pem());
    desk.type_in("", "kubectl config set-context --current --namespace=people");
    let page = desk.type_page("okta.md").await;
    assert_eq!(page.0.len(), 5);
    world.okta.journal().clear();
    world.sync().await;
    let calls = world.okta.journal().entries();
    let mut calls = calls.iter().filter(|call| call.path.starts_with("/api/"));
    assert!(calls.all(|call| call.scheme.as_deref() == Some("DPoP")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_for_on_call_can_be_typed_while_the_integration_runs() {
    let world = World::in_sync().await;
    // This operator takes part in no election.
    let lease = "apiVersion: coordination.k8s.io/v1\nkind: Lease\n\
        metadata: {name: okta-insightful-operator, namespace: okta-insightful-operator}\n";
    world.plane.apply(lease).await.unwrap();
    let desk = Desk::new(&world);
    desk.log_in_as("viewer").await;
    let conditions = desk.type_page("conditions.md").await;
    assert!(conditions.output("get oi acme").contains("Ready=True InSync"));
    // Whoever is on call also looks at the operator's pods, Lease and roles, and stores new tokens.
    let desk = Desk::new(&world);
    let runbook = desk.type_page("runbook.md").await;
    for command in commands_of_alerts(&world) {
        tokio::task::block_in_place(|| desk.type_in("alerts.yaml", &command));
    }
    assert!(conditions.0.len() > 1 && runbook.0.len() > 1);
    assert_eq!(runbook.output("auth can-i").trim(), "yes");
    let status = world.sync().await;
    assert_eq!(
        status.phase,
        Some(Phase::InSync),
        "the token was stored again and works"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_notifications_can_be_typed() {
    let webhook = Webhook::start_as(Receiver::Slack);
    let world = World::in_review(json!({})).await;
    let desk = Desk::new(&world);
    std::fs::write(desk.directory.path().join("webhook-url"), webhook.url() + "\n").unwrap();
    let page = desk.type_page("notifications.md").await;
    assert_eq!(page.0.len(), 3);
    assert!(page.output("create secret").contains("created"));
    assert!(page.output("patch oi").contains("patched"));
    world
        .wait_for_condition(conditions::NOTIFIED, "True", "Delivered")
        .await;
    // The first answer may have been empty: the message is sent after the sync.
    let (command, _) = &page.0[2];
    let shown = tokio::task::block_in_place(|| desk.type_in("notifications.md", command));
    assert!(
        shown.contains("accepted the last message: ReviewRequired"),
        "{shown}"
    );
    assert_eq!(webhook.received().len(), 1);
}

/// Returns the commands in the descriptions of the alerts, for the integration of this world.
fn commands_of_alerts(world: &World) -> Vec<String> {
    let alerts = page("charts/okta-insightful-operator/files/monitoring/alerts.yaml");
    let alerts: Value = serde_yaml::from_str(&alerts).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap().iter();
    let commands = rules.map(|rule| {
        let description = rule["annotations"]["description"].as_str().unwrap();
        let start = description.find("kubectl ").unwrap();
        description[start..]
            .replace("{{ $labels.namespace }}", &world.namespace)
            .replace("{{ $labels.integration }}", NAME)
    });
    commands.collect()
}

/// Whatever lists integrations or matches works without any right to change them.
#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_the_pages_works_for_a_viewer() {
    let world = World::in_review(json!({})).await;
    let desk = Desk::new(&world);
    desk.log_in_as("viewer").await;
    let namespace = &world.namespace;
    let mut lists = 0;
    for path in all() {
        for command in commands(&page(&path)) {
            let (first, _) = command.split_once('|').unwrap_or((&command, ""));
            let words: Vec<&str> = first.split_whitespace().collect();
            let is_list = words.contains(&"get")
                && words.iter().any(|word| {
                    let kinds = [
                        "oi",
                        "em",
                        "oi,em",
                        "oktaintegration",
                        "employeematches",
                        "employeematch",
                    ];
                    kinds.contains(word)
                });
            // The commands around it are those of another role.
            if !is_list || words[0] != "kubectl" || words.contains(&"patch") || command.contains("--watch") {
                continue;
            }
            let command = match command.contains("-n people") {
                true => command,
                false => command.replacen("kubectl ", &format!("kubectl -n {namespace} "), 1),
            };
            tokio::task::block_in_place(|| desk.type_in(&path, &command));
            lists += 1;
        }
    }
    assert!(lists > 20, "{lists}");
}
