//! The subcommands `record` and `plan`, run as processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use okta_insightful_operator::api::match_name;
use sandbox::{company::Company, insightful::Insightful, okta::Okta};
use serde_json::{Value, json};
use tempfile::TempDir;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"));
    command.args(arguments);
    for variable in ["KUBECONFIG", "OKTA_API_TOKEN", "INSIGHTFUL_API_TOKEN", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = program(arguments).output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

fn acme() -> (Company, TempDir) {
    let company = Company::acme();
    let dir = TempDir::new().unwrap();
    company.save(dir.path()).unwrap();
    (company, dir)
}

fn plan(dir: &Path) -> (Option<i32>, Value) {
    let (code, out, err) = run(&["plan", "--from", dir.to_str().unwrap(), "-o", "json"]);
    let report = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    (code, report)
}

fn person<'a>(report: &'a Value, id: &str) -> &'a Value {
    let people = report["people"].as_array().unwrap();
    people.iter().find(|person| person["oktaUserId"] == id).unwrap()
}

#[test]
fn a_plan_in_json_has_every_field_of_the_documented_format() {
    let (company, dir) = acme();
    let (code, report) = plan(dir.path());
    assert_eq!(code, Some(2), "there are changes");
    assert!(report["hash"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(report["summary"]["hash"], report["hash"]);
    assert_eq!(report["summary"]["createTeams"], 2);
    assert_eq!(report["teams"].as_array().unwrap().len(), 5);
    assert_eq!(report["people"].as_array().unwrap().len(), 60);
    let jane = person(&report, company.user("jane.doe"));
    assert_eq!(jane["state"], "Proposed");
    assert_eq!(jane["proposal"]["kind"], "Auto");
    assert_eq!(
        jane["proposal"]["employeeIds"],
        json!([company.employee("jane.doe")])
    );
    let confidence = jane["proposal"]["confidence"].as_f64().unwrap();
    assert!((0.9..=1.0).contains(&confidence), "{confidence}");
    assert_eq!(jane["candidates"][0]["employeeId"], company.employee("jane.doe"));
    assert_eq!(
        jane["changes"],
        json!([{ "field": "title", "to": "Reliability Engineer" }])
    );
    let nick = person(&report, company.user("nick.newcomer"));
    assert_eq!(
        (&nick["proposal"]["kind"], &nick["blocker"]["reason"]),
        (&json!("None"), &json!("NoEmployee"))
    );
}

#[test]
fn a_plan_applies_the_decisions_and_the_policy_of_a_recording() {
    let dir = TempDir::new().unwrap();
    let mut company = Company::acme();
    // Nobody is invited without a decision while there are employees who cannot be identified.
    company.employees.retain(|employee| {
        employee["email"]
            .as_str()
            .is_some_and(|email| email.contains('@'))
    });
    company.save(dir.path()).unwrap();
    let spec = json!({
        "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": { "secretRef": { "name": "o", "key": "t" } } },
            "people": "Everyone" },
        "insightful": { "apiToken": { "secretRef": { "name": "i", "key": "t" } } },
        "matching": { "unmatched": "Create" },
    });
    let integration = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme" }, "spec": spec,
    });
    fs::write(
        dir.path().join("integration.yaml"),
        serde_yaml::to_string(&integration).unwrap(),
    )
    .unwrap();
    let jane = company.user("jane.doe");
    let plan_with_match = |name: &str| {
        let matches = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch", "metadata": { "name": name },
            "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": jane, "decision": "Ignore" },
        });
        let matches = serde_yaml::to_string(&matches).unwrap();
        fs::write(dir.path().join("matches.yaml"), matches).unwrap();
        plan(dir.path()).1
    };
    let report = plan_with_match("jane");
    let misnamed = person(&report, jane);
    assert_eq!(
        (&misnamed["state"], &misnamed["blocker"]["reason"]),
        (&json!("Review"), &json!("WrongName"))
    );
    let report = plan_with_match(&match_name("acme", jane));
    assert_eq!(report["people"].as_array().unwrap().len(), 62);
    assert_eq!(person(&report, jane)["state"], "Ignored");
    assert_eq!(
        person(&report, company.user("nick.newcomer"))["proposal"]["kind"],
        "Create"
    );
}

#[test]
fn the_table_lists_people_and_has_no_colours_outside_a_terminal() {
    let (_, dir) = acme();
    let dir = dir.path().to_str().unwrap();
    let (code, out, _) = run(&["plan", "--from", dir]);
    assert_eq!(code, Some(2));
    assert!(
        out.contains("Mona Idris") && out.contains("team: Default -> Data Science"),
        "{out}"
    );
    assert!(!out.contains('\u{1b}'), "no escape codes");
    let (_, review, _) = run(&["plan", "--from", dir, "--show", "review"]);
    assert!(review.contains("John Smith") && !review.contains("Mona Idris"));
    let (_, all, _) = run(&["plan", "--from", dir, "--show", "all"]);
    assert!(all.contains("60 of 60 people shown"));
    let (_, one, _) = run(&["plan", "--from", dir, "--show", "all", "--person", "JANE.DOE@"]);
    assert!(one.contains("1 of 1 person shown"), "{one}");
}

#[test]
fn the_exit_code_is_zero_if_nothing_changes() {
    let (mut company, dir) = (Company::acme(), TempDir::new().unwrap());
    company.groups.clear();
    company.save(dir.path()).unwrap();
    assert_eq!(plan(dir.path()).0, Some(0));
}

#[test]
fn errors_name_the_broken_or_missing_file_and_the_place_in_it() {
    for (file, content, expected) in [
        ("okta/users.json", None, vec!["okta/users.json", "No such file"]),
        (
            "okta/users.json",
            Some("[{\"id\": 1,\n  oops"),
            vec!["okta/users.json", "line 2, column 3"],
        ),
        (
            "okta/users.json",
            Some("[{\"id\": \"00u1\"}, {\"status\": \"ACTIVE\"}]"),
            vec!["users.json", "record 1", "`id`"],
        ),
        (
            "insightful/employees.json",
            Some("{}"),
            vec!["employees.json", "line 1, column 0", "expected a sequence"],
        ),
        (
            "insightful/teams.json",
            Some("[{\"id\": \"w1\"}]"),
            vec!["teams.json", "record 0", "`name`"],
        ),
        (
            "integration.yaml",
            Some("kind: OktaIntegration\nspec: 7\n"),
            vec!["integration.yaml"],
        ),
        ("matches.yaml", Some("a: [\n"), vec!["matches.yaml", "line"]),
    ] {
        let (_, dir) = acme();
        let path = dir.path().join(file);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let (code, out, err) = run(&["plan", "--from", dir.path().to_str().unwrap(), "-o", "json"]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{file}");
        for part in expected {
            assert!(err.contains(part), "{file}: {part} in {err}");
        }
    }
    let (_, dir) = acme();
    let members = fs::read_dir(dir.path().join("okta/members"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    fs::remove_file(members.path()).unwrap();
    let (code, _, err) = run(&["plan", "--from", dir.path().to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(err.contains("okta/members/"), "{err}");
}

#[test]
fn proposals_can_be_written_as_decisions() {
    let (company, dir) = acme();
    let integration = json!({
        "kind": "OktaIntegration", "apiVersion": "integrations.insightful.io/v1alpha1", "metadata": { "name": "acme" },
        "spec": {
            "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": { "secretRef": { "name": "o", "key": "t" } } } },
            "insightful": { "apiToken": { "secretRef": { "name": "i", "key": "t" } } },
        },
    });
    let manifest = dir.path().join("integration.yaml");
    fs::write(&manifest, serde_yaml::to_string(&integration).unwrap()).unwrap();
    let file = dir.path().join("decisions.yaml");
    let from = dir.path().to_str().unwrap();
    let (code, _, err) = run(&[
        "plan",
        "--from",
        from,
        "--write-decisions",
        file.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(2), "{err}");
    let text = fs::read_to_string(&file).unwrap();
    let decided: Vec<Value> = okta_insightful_operator::cli::recording::yaml_documents(&text).unwrap();
    let jane = decided
        .iter()
        .find(|object| object["spec"]["oktaUserId"] == company.user("jane.doe"))
        .unwrap();
    assert_eq!(jane["spec"]["decision"], "Match");
    assert_eq!(jane["spec"]["employeeIds"], json!([company.employee("jane.doe")]));
    let john = company.user("john.smith");
    assert!(
        decided.iter().all(|object| object["spec"]["oktaUserId"] != john),
        "a proposal that needs review is not a decision"
    );
    assert!(
        text.contains(&format!("#   oktaUserId: {john}")),
        "it is a comment that can be uncommented"
    );
}

/// Emulators of Acme's services, and an OktaIntegration for them.
struct Live {
    okta: Okta,
    insightful: Insightful,
    dir: TempDir,
}

impl Live {
    fn start() -> Self {
        let company = Company::acme();
        let live = Self {
            okta: Okta::start(&company),
            insightful: Insightful::start(&company),
            dir: TempDir::new().unwrap(),
        };
        let manifest = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
            "metadata": { "name": "acme", "namespace": "people" },
            "spec": {
                "okta": { "orgUrl": live.okta.url(), "auth": { "apiToken": { "secretRef": { "name": "o", "key": "t" } } } },
                "insightful": { "url": live.insightful.url(), "apiToken": { "secretRef": { "name": "i", "key": "t" } } },
            },
        });
        fs::write(live.manifest(), serde_yaml::to_string(&manifest).unwrap()).unwrap();
        live
    }

    fn manifest(&self) -> String {
        self.dir.path().join("acme.yaml").to_str().unwrap().to_owned()
    }

    async fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = program(arguments);
        command
            .args(["--integration", &self.manifest(), "--allow-http-loopback"])
            .env("OKTA_API_TOKEN", self.okta.token())
            .env("INSIGHTFUL_API_TOKEN", self.insightful.token());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_has_the_same_plan_as_the_services() {
    let live = Live::start();
    let (code, now, err) = live.run(&["plan", "-o", "json"]).await;
    assert_eq!(code, Some(2), "{err}");
    let out = live.dir.path().join("recording");
    let (code, summary, err) = live.run(&["record", "--out", out.to_str().unwrap()]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(summary.contains("recorded 62 users, 5 groups"), "{summary}");
    let (_, recorded) = plan(&out);
    assert_eq!(recorded, serde_json::from_str::<Value>(&now).unwrap());
    assert_eq!(live.insightful.journal().writes().len(), 0);

    let (code, _, err) = live.run(&["record", "--out", out.to_str().unwrap()]).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("not empty"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_recording_leaves_no_files() {
    use sandbox::faults::{Kind, Match};
    let live = Live::start();
    live.insightful
        .faults()
        .always(Match::get("/api/v1/team"), Kind::Status(403, None));
    let out = live.dir.path().join("recording");
    let (code, _, err) = live.run(&["record", "--out", out.to_str().unwrap()]).await;
    assert_eq!(code, Some(1));
    assert!(
        err.contains("GET /api/v1/team") && !err.contains(live.insightful.token()),
        "{err}"
    );
    let files: Vec<_> = fs::read_dir(live.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["acme.yaml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymised_recording_contains_no_names_or_addresses() {
    let live = Live::start();
    live.okta.edit(|org| {
        // Personal data outside the attributes that the operator reads.
        org.set_profile("jane.doe", "preferredName", "Petronella");
        org.set_profile("jane.doe", "postalAddress", "7 Quince Lane");
        org.user_mut("jane.doe")["credentials"] =
            json!({ "emails": [{ "value": "petronella@home.example", "status": "VERIFIED", "type": "SECONDARY" }] });
    });
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    let mut manifest: Value = serde_yaml::from_str(&fs::read_to_string(live.manifest()).unwrap()).unwrap();
    manifest["metadata"]["annotations"] = json!({ applied: "{\"orgUrl\":\"https://acme.okta.com\"}" });
    fs::write(live.manifest(), serde_yaml::to_string(&manifest).unwrap()).unwrap();
    let out = live.dir.path().join("recording");
    let (code, _, err) = live
        .run(&["record", "--anonymise", "--out", out.to_str().unwrap()])
        .await;
    assert_eq!(code, Some(0), "{err}");
    let mut files = Vec::new();
    let mut all = String::new();
    let mut folders = vec![out.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push_str(&fs::read_to_string(&path).unwrap().to_lowercase());
                files.push(path);
            }
        }
    }
    assert!(files.len() > 6, "each group's members have a file: {files:?}");
    for name in [
        "haddad",
        "lindqvist",
        "schneider",
        "oldacme",
        "acme.com",
        "acme.okta",
        "francois",
        "petronella",
        "quince",
    ] {
        assert!(!all.contains(name), "{name}");
    }
    let (code, report) = plan(&out);
    assert_eq!(code, Some(2));
    let jane = person(&report, live.okta.snapshot().user_id("jane.doe").as_str()).clone();
    assert_eq!(jane["proposal"]["kind"], "Auto", "equal names still match");
}
