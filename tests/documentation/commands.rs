//! Types the commands of the chart's pages as they are written, as an admin of a
//! real integration.

use std::{path::Path, process::Command};

use okta_insightful_operator::api::Phase;
use sandbox::control_plane::Program;
use serde_json::{Value, json};

use crate::{
    pages::{DOCS, commands, page},
    world::World,
};

/// The directory in which commands are typed, with the admin's kubeconfig.
struct Desk<'a> {
    world: &'a World,
    directory: tempfile::TempDir,
    /// The match and the employee that NAME and EMPLOYEE_ID stand for.
    name: String,
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
    fn new(world: &'a World) -> Self {
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

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(file)).unwrap()
    }

    /// Types a command with the names of this world instead of those of the page.
    fn type_in(&self, page: &str, command: &str) -> String {
        let namespace = &self.world.namespace;
        let typed = format!("{command} ")
            .replace("-n people ", &format!("-n {namespace} "))
            .replace("--namespace=people", &format!("--namespace={namespace}"))
            .replace("people/acme", &format!("{namespace}/acme"))
            .replace("EMPLOYEE_ID", &self.employee)
            .replace(" NAME ", &format!(" {} ", self.name));
        let programs = [
            Program::Kubectl.path().unwrap(),
            Path::new(env!("CARGO_BIN_EXE_okta-insightful-operator")).to_path_buf(),
        ];
        let mut path: Vec<_> = programs
            .iter()
            .map(|program| program.parent().unwrap().to_path_buf())
            .collect();
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let output = Command::new("bash")
            .args(["-uo", "pipefail", "-c", &typed])
            .current_dir(self.directory.path())
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("KUBECONFIG", self.directory.path().join("kubeconfig"))
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
        let changes_found = command.starts_with("okta-insightful-operator plan");
        match output.status.code() {
            Some(0) => {}
            Some(1) if nothing_found => {}
            Some(2) if changes_found => {}
            code => panic!("{page}: {typed}\nended with {code:?}: {errors}"),
        }
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_an_admin_can_be_typed_in_reading_order() {
    let world = World::in_review(json!({ "guard": { "maxTeamMoves": 0 } })).await;
    let mut desk = Desk::new(&world);

    let review = desk.type_page("review.md").await;
    assert_eq!(review.0.len(), 19);
    assert!(review.output("status.state=Review").contains("Review"));
    assert!(review.output("custom-columns").contains("CANDIDATE"));
    assert!(review.output("-o yaml").contains("proposal:"));
    assert!(review.output("kubectl edit").contains("edited"));
    assert!(review.output("--show=review").contains("people shown"));
    assert!(desk.read("decisions.yaml").contains("kind: EmployeeMatch"));

    let finish = desk.type_page("finish.md").await;
    assert_eq!(finish.0.len(), 8);
    assert!(finish.output("{.status.plan}").contains("sha256:"));
    assert!(finish.output("PERSON:").contains("FIELDS"));
    assert!(finish.output("type==\"Held\"").contains("nothing is written"));
    assert!(finish.output(".status.history[*]").contains(" written, 0 failed"));

    // Somebody whose match is in force: that of the review is ignored by decision.
    desk.name = world.match_name("jane.doe");
    let undo = desk.type_page("undo.md").await;
    assert_eq!(undo.0.len(), 6);
    assert!(undo.output(r#""decision":"Ignore""#).contains("patched"));
    assert!(undo.output("delete oi acme").contains("deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_for_on_call_can_be_typed_while_the_integration_runs() {
    let world = World::in_sync().await;
    let desk = Desk::new(&world);
    let conditions = desk.type_page("conditions.md").await;
    assert!(conditions.output("get oi acme").contains("Ready=True InSync"));
    let runbook = desk.type_page("runbook.md").await;
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
async fn the_saved_manifests_can_be_applied_again() {
    let world = World::in_sync().await;
    let ignored = json!({ "decision": "Ignore", "employeeIds": [] });
    world.decide("chen.xiu", ignored).await;
    let desk = Desk::new(&world);
    let backup = desk.type_page("backup.md").await;
    assert_eq!(backup.0.len(), 7);
    let decisions = desk.read("decisions.json");
    assert_eq!(decisions.lines().count(), world.matches().await.len());
    let saved: Vec<Value> = decisions
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let chen = saved
        .iter()
        .find(|saved| saved["metadata"]["name"] == desk.name.as_str())
        .unwrap();
    assert_eq!(chen["spec"]["decision"], "Ignore");
    assert!(chen["metadata"]["ownerReferences"].is_null() && chen["status"].is_null());
    let saved: Value = serde_json::from_str(&desk.read("integrations.json")).unwrap();
    assert_eq!(saved["kind"], "OktaIntegration");
    assert!(desk.read("backup.yaml").contains("ownerReferences:"));
    assert!(backup.output("apply -f integrations.json").contains("acme"));
}
