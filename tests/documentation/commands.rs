//! The commands of the chart's pages, typed as they stand there, by an admin of
//! a real integration.

use std::{path::Path, process::Command};

use okta_insightful_operator::api::Phase;
use sandbox::control_plane::Program;
use serde_json::json;

use crate::{
    pages::{DOCS, commands, page},
    world::World,
};

/// Where commands are typed: a directory with the admin's kubeconfig.
struct Desk<'a> {
    world: &'a World,
    directory: tempfile::TempDir,
    name: String,
    employee: String,
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

    /// Types a command with this world's names in place of the page's.
    fn type_in(&self, page: &str, command: &str) -> String {
        let namespace = &self.world.namespace;
        let typed = command
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
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // No pods run here: the operator is a process.
        let is_quiet = said.is_empty() || said.starts_with("No resources found");
        let nothing_found = command.contains("| grep") && is_quiet;
        let changes_found = command.starts_with("okta-insightful-operator plan");
        match output.status.code() {
            Some(0) => {}
            Some(1) if nothing_found => {}
            Some(2) if changes_found => {}
            code => panic!("{page}: {typed}\nended with {code:?}: {said}"),
        }
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_page_can_be_typed_from_top_to_bottom() {
    let world = World::in_review(json!({ "guard": { "maxTeamMoves": 0 } })).await;
    let desk = Desk::new(&world);
    let path = format!("{DOCS}/admin.md");
    let mut said = Vec::new();
    for command in commands(&page(&path)) {
        let text = tokio::task::block_in_place(|| desk.type_in(&path, &command));
        said.push((command.clone(), text));
        if command.contains(r#""finalized":true"#) {
            world.wait_for_phase(Phase::Held).await;
        }
        if command.contains("approvedPlan") {
            world.wait_for_phase(Phase::InSync).await;
        }
    }
    assert!(said.len() > 20);
    let answer = |part: &str| &said.iter().find(|(command, _)| command.contains(part)).unwrap().1;
    assert!(answer("status.state=Review").contains("Review"));
    assert!(answer("-o yaml").contains("proposal:"));
    assert!(answer("type==\"Held\"").contains("nothing is written"));
    assert!(answer(".status.history[*]").contains(" written, 0 failed"));
    assert!(answer("delete oi acme").contains("deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_on_call_types_works_while_something_is_wrong() {
    let world = World::in_sync().await;
    let desk = Desk::new(&world);
    for name in ["conditions.md", "runbook.md"] {
        let path = format!("{DOCS}/{name}");
        let typed = commands(&page(&path));
        assert!(typed.len() > 1, "{path}");
        for command in typed {
            if command.contains("auth can-i") {
                let answer = tokio::task::block_in_place(|| desk.type_in(&path, &command));
                assert_eq!(answer.trim(), "yes");
                continue;
            }
            tokio::task::block_in_place(|| desk.type_in(&path, &command));
        }
    }
    let status = world.sync().await;
    assert_eq!(
        status.phase,
        Some(Phase::InSync),
        "the token was stored anew, and works"
    );
}
