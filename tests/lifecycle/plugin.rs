//! `kubectl insightful`: a review, a finish and an approval with the caller's own access.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{
    Decision, EmployeeMatch, EmployeeMatchSpec, MatchState, Phase, conditions,
};
use sandbox::{company::Company, okta};
use serde_json::{Value, json};

use crate::world::{NAME, World, apply, open_guard};

struct Output {
    succeeded: bool,
    out: String,
    err: String,
}

/// Runs the program with an account of the namespace.
async fn run(world: &World, kubeconfig: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-insightful"));
    command
        .args(["-n", &world.namespace])
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy");
    let output = tokio::task::spawn_blocking(move || command.stdin(std::process::Stdio::null()).output())
        .await
        .unwrap()
        .unwrap();
    Output {
        succeeded: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub async fn succeeds(world: &World, kubeconfig: &Path, arguments: &[&str]) -> String {
    let Output { succeeded, out, err } = run(world, kubeconfig, arguments).await;
    assert!(succeeded, "{arguments:?}: {out}{err}");
    out
}

async fn fails(world: &World, kubeconfig: &Path, arguments: &[&str]) -> String {
    let Output { succeeded, out, err } = run(world, kubeconfig, arguments).await;
    assert!(!succeeded, "{arguments:?}: {out}");
    err
}

/// The kubeconfig of somebody with one of the chart's roles in the namespace.
pub async fn account(world: &World, role: &str) -> PathBuf {
    let user = format!("{role}-of-{}", world.namespace);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": user },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
            "name": format!("okta-insightful-operator-{role}"),
        },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
    });
    apply::<RoleBinding>(&world.api(), binding).await;
    world.plane.user_kubeconfig(&user, &[]).unwrap()
}

async fn spec(world: &World, handle: &str) -> EmployeeMatchSpec {
    world
        .matches()
        .await
        .remove(&world.match_name(handle))
        .unwrap()
        .spec
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_and_a_finish_by_commands() {
    let world = World::in_review(open_guard()).await;
    let (reviewer, admin) = (account(&world, "reviewer").await, account(&world, "admin").await);

    let status = succeeds(&world, &reviewer, &["status"]).await;
    let in_namespace = format!("-n {}", world.namespace);
    for text in [
        "Review, not finalized",
        "People",
        "Employees",
        &format!("kubectl insightful review acme {in_namespace}"),
    ] {
        assert!(status.contains(text), "{text}: {status}");
    }
    let listed = succeeds(&world, &reviewer, &["review", "--text"]).await;
    assert!(
        listed.contains("Anna Schneider <anna.becker@acme.com>") && listed.contains("Anna Becker"),
        "{listed}"
    );

    // By name and by a candidate's name, by email, and by id.
    let note = "married in May";
    succeeds(
        &world,
        &reviewer,
        &["decide", "anna schneider", "match", "anna becker", "--note", note],
    )
    .await;
    succeeds(&world, &reviewer, &["decide", "nick.newcomer@acme.com", "create"]).await;
    let jane = spec(&world, "jane.doe").await.okta_user_id;
    succeeds(&world, &reviewer, &["decide", &jane, "ignore"]).await;
    let anna = world.company.employee("anna.becker").to_owned();
    let decided = world
        .matches()
        .await
        .remove(&world.match_name("anna.becker"))
        .unwrap();
    assert_eq!(
        (decided.spec.decision, &decided.spec.employee_ids),
        (Decision::Match, &vec![anna.clone()])
    );
    assert_eq!(decided.spec.note.as_deref(), Some(note));
    let by = &decided.metadata.annotations.unwrap()["integrations.insightful.io/decided-by"];
    assert_eq!(*by, format!("reviewer-of-{}", world.namespace));
    let managers = decided.metadata.managed_fields.unwrap();
    assert!(
        managers
            .iter()
            .any(|entry| entry.manager.as_deref() == Some("insightful-review"))
    );
    world.wait_for_state("anna.becker", MatchState::Proposed).await;
    world.wait_for_state("jane.doe", MatchState::Ignored).await;
    succeeds(&world, &reviewer, &["decide", &jane, "reset"]).await;
    world.wait_for_state("jane.doe", MatchState::Proposed).await;
    assert_eq!(spec(&world, "jane.doe").await.decision, Decision::Auto);

    // Nobody is taken from anybody without a question.
    let john = world.company.employee("jane.doe").to_owned();
    let refused = fails(&world, &reviewer, &["decide", "nick newcomer", "match", &john]).await;
    assert!(
        refused.contains("no terminal") && refused.contains("--yes"),
        "{refused}"
    );
    assert_eq!(spec(&world, "nick.newcomer").await.decision, Decision::Create);
    let refused = fails(&world, &reviewer, &["decide", "nobody at all", "ignore"]).await;
    assert!(refused.contains("nobody fits"), "{refused}");
    let refused = fails(&world, &reviewer, &["decide", "john smith", "ignore"]).await;
    assert!(
        refused.contains("several fit") && refused.contains("john.smith2@acme.com"),
        "{refused}"
    );

    let plan = succeeds(&world, &reviewer, &["plan"]).await;
    let hash = world.status().await.plan.unwrap().hash;
    assert!(
        plan.contains("1 deactivation\n") && plan.ends_with(&format!("Plan {hash}\n")),
        "{plan}"
    );
    let deactivations = plan.find("1 deactivation\n").unwrap();
    assert!(deactivations < plan.find(" team moves\n").unwrap(), "{plan}");

    let refused = fails(&world, &reviewer, &["finalize", "--yes"]).await;
    assert!(refused.contains("the API server refused it"), "{refused}");
    let refused = fails(&world, &admin, &["finalize", "--yes", "--plan", "sha256:0"]).await;
    assert!(refused.contains("the plan is another one"), "{refused}");
    let refused = fails(&world, &admin, &["approve", "--yes"]).await;
    assert!(refused.contains("is not finalized"), "{refused}");
    assert!(!world.integration().await.spec.finalized);
    let hash = world.status().await.plan.unwrap().hash;
    let finalized = succeeds(&world, &admin, &["finalize", NAME, "--yes", "--plan", &hash]).await;
    assert!(
        finalized.contains(&format!("Finalized, and approved: {hash}")),
        "{finalized}"
    );
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.status().await.last_applied_plan, Some(hash));
}

/// Runs the program on a terminal, and types these lines.
#[cfg(target_os = "linux")]
async fn types(world: &World, kubeconfig: &Path, arguments: &str, lines: &'static str) -> String {
    use std::io::Write as _;

    let program = env!("CARGO_BIN_EXE_kubectl-insightful");
    let mut command = Command::new("script");
    command
        .args([
            "-qec",
            &format!("{program} -n {} {arguments}", world.namespace),
            "/dev/null",
        ])
        .env("KUBECONFIG", kubeconfig)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let typed = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(typed).await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_it_asks_who_is_meant_and_before_it_approves() {
    let world = World::in_review(json!({})).await;
    let admin = account(&world, "admin").await;
    let asked = types(&world, &admin, "decide 'john smith' ignore", "2\n").await;
    assert!(
        asked.contains("Several fit") && asked.contains("Auto → Ignore"),
        "{asked}"
    );
    let mut decisions = Vec::new();
    for handle in ["john.smith", "john.smith2"] {
        decisions.push(spec(&world, handle).await.decision);
    }
    decisions.sort_by_key(|decision| format!("{decision:?}"));
    assert_eq!(decisions, [Decision::Auto, Decision::Ignore]);

    let asked = types(&world, &admin, "finalize", "no\n").await;
    assert!(
        asked.contains("Finalize acme: write") && asked.contains("Nothing was sent."),
        "{asked}"
    );
    assert!(!world.integration().await.spec.finalized);
    let asked = types(&world, &admin, "finalize", "yes\n").await;
    assert!(asked.contains("Finalized, and approved: sha256:"), "{asked}");
    assert!(world.integration().await.spec.finalized);
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_plan_that_was_shown_is_approved() {
    let world = World::in_sync().await;
    let admin = account(&world, "admin").await;
    world.patch(json!({ "approval": "EveryPlan" })).await;
    world.decide("jane.doe", json!({ "decision": "Ignore" })).await;
    world
        .wait_for_condition(conditions::HELD, "True", "EveryPlanNeedsApproval")
        .await;
    let hash = world.status().await.plan.unwrap().hash;
    let status = succeeds(&world, &admin, &["status"]).await;
    assert!(status.contains("kubectl insightful approve acme"), "{status}");

    // Another hash is the plan by the time that the approval arrives.
    let refused = fails(
        &world,
        &admin,
        &[
            "approve",
            "--yes",
            "--plan",
            &format!("sha256:{}", "0".repeat(64)),
        ],
    )
    .await;
    assert!(refused.contains(&hash), "{refused}");
    assert_eq!(world.integration().await.spec.approved_plan, None);
    // The annotations that say who approved are the first ones, and then beside another.
    assert_eq!(world.integration().await.metadata.annotations, None);
    let approve = ["approve", "--yes", "--plan", &hash];
    succeeds(&world, &admin, &approve).await;
    world
        .wait_for("the apply", |integration| {
            integration
                .status
                .as_ref()
                .is_some_and(|status| status.last_applied_plan.as_ref() == Some(&hash))
        })
        .await;
    world.decide("chen.xiu", json!({ "decision": "Ignore" })).await;
    let request = world.request_sync().await;
    world
        .wait_for_condition(conditions::HELD, "True", "EveryPlanNeedsApproval")
        .await;
    succeeds(&world, &admin, &["approve", "--yes"]).await;
    let annotations = world.integration().await.metadata.annotations.unwrap();
    let named = |name: &str| &annotations[&format!("integrations.insightful.io/{name}")];
    assert_eq!(*named("approved-by"), format!("admin-of-{}", world.namespace));
    assert!(named("approved-at").parse::<jiff::Timestamp>().is_ok());
    assert_eq!(*named("sync-requested-at"), request);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_in_a_manifest_is_changed_there() {
    let world = World::in_review(json!({})).await;
    let reviewer = account(&world, "reviewer").await;
    let manifest = world.match_manifest("jane.doe", json!({ "decision": "Ignore" }));
    let api = world.api::<EmployeeMatch>();
    let name = world.match_name("jane.doe");
    api.patch(
        &name,
        &PatchParams::apply("kustomize-controller").force(),
        &Patch::Apply(&manifest),
    )
    .await
    .unwrap();
    let refused = fails(&world, &reviewer, &["decide", "jane.doe@acme.com", "create"]).await;
    assert!(refused.contains("kustomize-controller"), "{refused}");
    assert_eq!(spec(&world, "jane.doe").await.decision, Decision::Ignore);
    succeeds(
        &world,
        &reviewer,
        &["decide", "jane.doe@acme.com", "create", "--yes"],
    )
    .await;
    assert_eq!(spec(&world, "jane.doe").await.decision, Decision::Create);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_go_out_and_come_back_in_each_format() {
    let world = World::in_review(json!({})).await;
    let reviewer = account(&world, "reviewer").await;
    let directory = world.plane.directory().join(&world.namespace);
    fs::create_dir_all(&directory).unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let before = world.match_versions().await;
    for (flag, name) in [
        ("--csv", "people.csv"),
        ("--json", "people.json"),
        ("--decisions", "people.yaml"),
    ] {
        let file = path(name);
        succeeds(&world, &reviewer, &["export", flag, &file, "--all"]).await;
        let refused = fails(&world, &reviewer, &["export", flag, &file]).await;
        assert!(refused.contains("exists"), "{refused}");
        let unchanged = succeeds(&world, &reviewer, &["import", &file]).await;
        assert_eq!(unchanged, "The file changes no decision.\n", "{name}");
    }
    assert_eq!(world.match_versions().await, before);

    let jane = spec(&world, "jane.doe").await.okta_user_id;
    let csv = path("decided.csv");
    fs::write(
        &csv,
        format!("okta_user_id,decision,employee_ids,note\n{jane},Ignore,,=left\n"),
    )
    .unwrap();
    let shown = succeeds(&world, &reviewer, &["import", &csv, "--dry-run"]).await;
    assert!(
        shown.contains("Jane Doe") && shown.contains("1 decision would be changed"),
        "{shown}"
    );
    assert_eq!(spec(&world, "jane.doe").await.decision, Decision::Auto);
    succeeds(&world, &reviewer, &["import", &csv, "--yes"]).await;
    let decided = spec(&world, "jane.doe").await;
    assert_eq!(
        (decided.decision, decided.note.as_deref()),
        (Decision::Ignore, Some("=left"))
    );
    let exported = succeeds(&world, &reviewer, &["export", "--csv", "-", "--all"]).await;
    assert!(
        exported.contains(",'=left") && !exported.contains(",=left"),
        "{exported}"
    );

    fs::write(
        &csv,
        format!("okta_user_id,decision,employee_ids\n{jane},Match,w-unknown\nx,Create,\n"),
    )
    .unwrap();
    let refused = fails(&world, &reviewer, &["import", &csv, "--yes"]).await;
    assert!(
        refused.contains("line 2: Jane Doe: no employee has the id") && refused.contains("line 3: nobody"),
        "{refused}"
    );
    assert_eq!(spec(&world, "jane.doe").await.decision, Decision::Ignore);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_it_as_a_plugin() {
    let world = World::in_review(json!({})).await;
    let reviewer = account(&world, "reviewer").await;
    let mut kubectl = sandbox::control_plane::Program::Kubectl
        .command(&reviewer, world.plane.directory())
        .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-insightful"));
    let output = kubectl
        .args(["insightful", "status", "-n", &world.namespace])
        .env("PATH", program.parent().unwrap())
        .output()
        .await
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.starts_with(&format!("acme in {}: Review", world.namespace)),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_outside_change_no_terminal() {
    let mut company = Company::acme();
    let anna = company.employee("anna.becker").to_owned();
    let mut employees = company.employees.iter_mut();
    let hostile = "=HYPERLINK(1)\u{1b}[2J<img src=x onerror=alert(1)>\u{202e}";
    employees
        .find(|employee| employee["id"] == anna.as_str())
        .unwrap()["name"] = json!(hostile);
    let world = World::prepared_with(company, okta::Settings::default()).await;
    world.activate(json!({})).await;
    world.wait_for_phase(Phase::Review).await;
    let reviewer = account(&world, "reviewer").await;
    succeeds(
        &world,
        &reviewer,
        &["decide", "anna.becker@acme.com", "match", &anna],
    )
    .await;
    world.wait_for_state("anna.becker", MatchState::Proposed).await;
    for arguments in [
        &["review", "--text"][..],
        &["plan"],
        &["export", "--csv", "-", "--all"],
        &["export", "--json", "-"],
        &["status"],
    ] {
        let out = succeeds(&world, &reviewer, arguments).await;
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{arguments:?}: {out}");
        assert!(out.contains(r"\u{1b}[2J<img") || arguments != ["plan"], "{out}");
    }
    let table = succeeds(&world, &reviewer, &["export", "--csv", "-", "--all"]).await;
    assert!(
        table.contains(",'=HYPERLINK(1)") && !table.contains(",=HYPERLINK"),
        "{table}"
    );
    let _: Value =
        serde_json::from_str(&succeeds(&world, &reviewer, &["export", "--json", "-"]).await).unwrap();
}
