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
fn a_plan_of_a_recording_leaves_out_whom_rules_exclude() {
    let dir = TempDir::new().unwrap();
    let mut company = Company::acme();
    for user in &mut company.users {
        if user["profile"]["login"] == "pia.hofer@acme.com" {
            user["profile"]["agency"] = json!(["Temps"]);
        }
    }
    company.save(dir.path()).unwrap();
    let integration = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme" },
        "spec": {
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "o", "key": "t" } } },
                "exclude": [
                    { "attribute": "login", "pattern": "mona.*" }, { "attribute": "agency", "values": ["temps"] },
                ],
            },
            "insightful": { "apiToken": { "secretRef": { "name": "i", "key": "t" } } },
        },
    });
    fs::write(
        dir.path().join("integration.yaml"),
        serde_yaml::to_string(&integration).unwrap(),
    )
    .unwrap();
    let report = plan(dir.path()).1;
    for (handle, rule) in [
        ("mona.idris", r#"login fits "mona.*""#),
        ("pia.hofer", r#"agency is "temps""#),
    ] {
        let person = person(&report, company.user(handle));
        assert_eq!(person["state"], "OutOfScope", "{handle}");
        assert_eq!(person["changes"], json!([]), "{handle}");
        assert_eq!(person["blocker"]["reason"], "Excluded", "{handle}");
        let message = person["blocker"]["message"].as_str().unwrap();
        assert!(message.contains(rule), "{message}");
    }
    assert_eq!(person(&report, company.user("nils.aas"))["state"], "Proposed");
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

/// Acme as a recording with its integration, changed by `change`.
fn acme_with_integration(change: impl FnOnce(&mut Company)) -> (Company, TempDir) {
    let (mut company, dir) = (Company::acme(), TempDir::new().unwrap());
    change(&mut company);
    company.save(dir.path()).unwrap();
    let integration = json!({
        "kind": "OktaIntegration", "apiVersion": "integrations.insightful.io/v1alpha1", "metadata": { "name": "acme" },
        "spec": {
            "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": { "secretRef": { "name": "o", "key": "t" } } } },
            "insightful": { "apiToken": { "secretRef": { "name": "i", "key": "t" } } },
        },
    });
    let manifest = dir.path().join("integration.yaml");
    fs::write(&manifest, serde_yaml::to_string(&integration).unwrap()).unwrap();
    (company, dir)
}

/// Writes decisions beside the recording. Returns the exit code, the file and what was printed to standard error.
fn write_decisions(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let file = dir.join("decisions.yaml");
    let (dir, path) = (dir.to_str().unwrap(), file.to_str().unwrap());
    let (code, _, err) = run(&[&["plan", "--from", dir, "--write-decisions", path], arguments].concat());
    (code, fs::read_to_string(&file).unwrap_or_default(), err)
}

fn decisions(text: &str) -> Vec<Value> {
    okta_insightful_operator::api::yaml_documents(text).unwrap()
}

#[test]
fn the_file_of_decisions_holds_those_who_wait_with_all_candidates_and_decides_nothing() {
    let (company, dir) = acme_with_integration(|_| ());
    let (_, before) = plan(dir.path());
    let waiting: Vec<&Value> = before["people"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|person| ["Review", "Unmatched", "Conflict"].contains(&person["state"].as_str().unwrap()))
        .collect();
    let (code, text, err) = write_decisions(dir.path(), &[]);
    assert_eq!(code, Some(2), "{err}");
    let written = decisions(&text);
    assert_eq!(written.len(), waiting.len());
    for person in &waiting {
        let id = &person["oktaUserId"];
        let manifest = written.iter().find(|object| object["spec"]["oktaUserId"] == *id);
        assert_eq!(manifest.unwrap()["spec"]["decision"], "Auto", "{id}");
        for candidate in person["candidates"].as_array().unwrap() {
            let id = candidate["employeeId"].as_str().unwrap();
            assert!(text.contains(&format!("\n#   {id}: ")), "{id}");
        }
    }
    let sure = company.user("jane.doe");
    assert!(written.iter().all(|object| object["spec"]["oktaUserId"] != sure));
    assert!(text.contains("# John Smith <"), "{text}");

    // As written, it changes nothing; filled in, it decides.
    fs::write(dir.path().join("matches.yaml"), &text).unwrap();
    assert_eq!(plan(dir.path()).1, before);
    let john = company.user("john.smith");
    let mut filled = written;
    let entry = filled
        .iter_mut()
        .find(|object| object["spec"]["oktaUserId"] == john)
        .unwrap();
    entry["spec"]["decision"] = json!("Ignore");
    fs::write(
        dir.path().join("matches.yaml"),
        serde_yaml::to_string_multiple(&filled).unwrap(),
    )
    .unwrap();
    assert_eq!(person(&plan(dir.path()).1, john)["state"], "Ignored");

    // The decision stands in the next file, too.
    let (code, text, _) = write_decisions(dir.path(), &[]);
    assert_eq!(
        (code, decisions(&text).len()),
        (Some(1), filled.len()),
        "the file exists"
    );
    let (code, text, err) = write_decisions(dir.path(), &["--all", "--overwrite"]);
    assert_eq!(code, Some(2), "{err}");
    let all = decisions(&text);
    assert_eq!(all.len(), before["people"].as_array().unwrap().len());
    let decided = |id: &str| {
        let found = all.iter().find(|object| object["spec"]["oktaUserId"] == id);
        found.unwrap()["spec"]["decision"].clone()
    };
    assert_eq!((decided(john), decided(sure)), (json!("Ignore"), json!("Auto")));
}

#[test]
fn a_file_that_exists_is_replaced_only_on_request_and_nothing_else_is() {
    let (_, dir) = acme_with_integration(|_| ());
    fs::write(dir.path().join("decisions.yaml"), "mine").unwrap();
    let (code, text, err) = write_decisions(dir.path(), &[]);
    assert_eq!((code, text.as_str()), (Some(1), "mine"));
    assert!(
        err.contains("decisions.yaml exists") && err.contains("--overwrite"),
        "{err}"
    );
    let (code, text, _) = write_decisions(dir.path(), &["--overwrite"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("kind: EmployeeMatch"));
    for (path, expected) in [
        ("/dev/null", "is not a file"),
        ("/no/such/directory/x.yaml", "cannot write"),
    ] {
        let from = dir.path().to_str().unwrap();
        let (code, _, err) = run(&["plan", "--from", from, "--overwrite", "--write-decisions", path]);
        assert_eq!(code, Some(1), "{path}");
        assert!(err.contains(expected), "{err}");
    }
    let files = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(
        files
            .into_iter()
            .all(|name| !name.to_str().unwrap().contains(".part"))
    );
}

#[test]
fn a_name_from_outside_changes_no_table_file_or_json() {
    const NAME: &str = "Smith\n---\nspec: {decision: Ignore}\n\u{1b}[2J\u{9b}31m\u{202e}x";
    let (company, dir) = acme_with_integration(|company| {
        let john = company.employee("john.smith").to_owned();
        let mut named = company.employees.iter_mut();
        named.find(|employee| employee["id"] == john.as_str()).unwrap()["name"] =
            json!(format!("John {NAME}"));
        let john = company.user("john.smith").to_owned();
        let mut users = company.users.iter_mut();
        users.find(|user| user["id"] == john.as_str()).unwrap()["profile"]["lastName"] = json!(NAME);
    });
    let from = dir.path().to_str().unwrap();
    let file = dir.path().join("decisions.yaml");
    let file = file.to_str().unwrap();
    let (_, table, _) = run(&[
        "plan",
        "--from",
        from,
        "--show",
        "all",
        "--write-decisions",
        file,
        "--all",
    ]);
    let (_, json, _) = run(&["plan", "--from", from, "-o", "json"]);
    let text = fs::read_to_string(file).unwrap();
    for (what, output) in [("table", &table), ("json", &json), ("file", &text)] {
        assert!(
            !output.contains(['\u{1b}', '\u{9b}', '\u{202e}']) && !output.contains("\nspec: {"),
            "{what}: {output}"
        );
    }
    assert!(
        text.contains(r"\u{a}---\u{a}spec: {decision: Ignore}\u{a}\u{1b}[2J\u{9b}31m\u{202e}x"),
        "{text}"
    );
    let written = decisions(&text);
    assert!(written.iter().all(|object| object["spec"]["decision"] == "Auto"));
    let report: Value = serde_json::from_str(&json).unwrap();
    let john = person(&report, company.user("john.smith"));
    let candidate = &john["candidates"].as_array().unwrap()[..];
    assert!(
        candidate
            .iter()
            .any(|candidate| candidate["name"] == format!("John {NAME}")),
        "JSON has the name itself: {candidate:?}"
    );
    // An error is one line, too.
    let (code, _, err) = run(&["plan", "--from", "no\n\u{1b}[2Jwhere"]);
    assert_eq!(code, Some(1));
    assert!(err.contains(r"no\u{a}\u{1b}[2Jwhere"), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn a_wrong_argument_is_an_error_and_never_means_changes() {
    for arguments in [
        &[][..],
        &["--frobnicate"],
        &["frobnicate"],
        &["plan"],
        &["plan", "--frobnicate"],
        &["plan", "--from", ".", "--cluster", "people/acme"],
        &["plan", "--from", ".", "--show", "nobody"],
        &["plan", "--from", ".", "-o", "xml"],
        &["plan", "--from", ".", "--all"],
        &["plan", "--from", ".", "--overwrite"],
        &["plan", "--cluster", "acme"],
        &["plan", "--from"],
        &["record"],
        &["record", "--out", "x"],
        &["record", "--cluster", "a/b"],
        &["check", "--lease", "x"],
        &["check", "extra"],
        &["run", "--metrics-address", "x"],
        &["run", "--log-format", "xml"],
        &["run", "--outcome-wait", "soon"],
        &["crd", "extra"],
    ] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(
            err.contains("Usage") || err.contains("--help"),
            "{arguments:?}: {err}"
        );
    }
    for variable in [("METRICS_ADDRESS", "x"), ("LOG_FORMAT", "xml"), ("LEASE", "x")] {
        let output = program(&["run"]).env(variable.0, variable.1).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{variable:?}");
    }
    for command in [
        None,
        Some("run"),
        Some("plan"),
        Some("record"),
        Some("check"),
        Some("crd"),
    ] {
        for flag in ["--help", "-h"] {
            let arguments: Vec<&str> = command.into_iter().chain([flag]).collect();
            let (code, out, err) = run(&arguments);
            assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
            assert!(out.contains("Usage"), "{arguments:?}");
        }
    }
    assert_eq!(run(&["--version"]).0, Some(0));
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

#[test]
fn a_recording_with_records_that_cannot_be_read_is_planned_without_them() {
    let (mut company, _) = acme();
    let dir = TempDir::new().unwrap();
    let (jane, chen) = (
        company.user("jane.doe").to_owned(),
        company.user("chen.xiu").to_owned(),
    );
    let (sales, janes) = (
        company.group("Sales").to_owned(),
        company.employee("jane.doe").to_owned(),
    );
    for user in company.users.iter_mut().filter(|user| user["id"] == *chen) {
        user["profile"] = json!("Xiu Chen");
    }
    for employee in company
        .employees
        .iter_mut()
        .filter(|employee| employee["id"] == *janes)
    {
        employee["name"] = json!(["Jane", "Doe"]);
    }
    for group in company.groups.iter_mut().filter(|group| group["id"] == *sales) {
        group["profile"]["name"] = json!(null);
    }
    company.save(dir.path()).unwrap();
    let (code, report) = plan(dir.path());
    assert_eq!(code, Some(2));
    let records: Vec<_> = report["unreadableRecords"].as_array().unwrap().iter().collect();
    let ids: Vec<_> = records
        .iter()
        .filter_map(|record| record["id"].as_str())
        .collect();
    assert_eq!(ids, [chen.as_str(), sales.as_str(), janes.as_str()]);
    let people = report["people"].as_array().unwrap();
    assert!(people.iter().all(|person| person["oktaUserId"] != *chen));
    // Nobody is taken for Jane's employee, and nobody is invited who may be.
    assert_ne!(person(&report, &jane)["state"], "Proposed");
    let (_, table, _) = run(&["plan", "--from", dir.path().to_str().unwrap()]);
    assert!(
        table.contains(&format!("- Insightful employee {janes}: name: must be a string")),
        "{table}"
    );
}

#[test]
fn a_token_in_the_environment_that_is_none_says_what_is_wrong() {
    let (_, dir) = acme();
    let integration = dir.path().join("live.yaml");
    let manifest = json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme" },
        "spec": {
            "okta": { "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "o", "key": "t" } } } },
            "insightful": { "apiToken": { "secretRef": { "name": "i", "key": "t" } } },
        },
    });
    fs::write(&integration, serde_yaml::to_string(&manifest).unwrap()).unwrap();
    let integration = integration.to_str().unwrap();
    for (okta, insightful, says) in [
        ("'00secret'", "x", "OKTA_API_TOKEN is in quotation marks"),
        ("SSWS 00secret", "x", "OKTA_API_TOKEN begins with \"SSWS\""),
        (
            "x",
            "Bearer 00secret",
            "INSIGHTFUL_API_TOKEN begins with \"Bearer\"",
        ),
        ("x", "00secret 00secret", "INSIGHTFUL_API_TOKEN has a blank in it"),
        ("x", "", "INSIGHTFUL_API_TOKEN is empty"),
    ] {
        for arguments in [&["plan"][..], &["record", "--out", "unused"]] {
            let output = program(arguments)
                .args(["--integration", integration])
                .env("OKTA_API_TOKEN", okta)
                .env("INSIGHTFUL_API_TOKEN", insightful)
                .output()
                .unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert!(
                error.contains(&format!("the token in the environment variable {says}")),
                "{error}"
            );
            assert!(!error.contains("00secret"), "{error}");
        }
    }
}
