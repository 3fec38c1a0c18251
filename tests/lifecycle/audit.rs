//! The audit log: one line for each write that Insightful received, with who let it through and who decided, and without
//! values unless they are asked for.

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, Phase, conditions};
use sandbox::{
    faults::{Kind, Match},
    journal::Entry,
};
use serde_json::{Value, json};

use crate::{
    plugin::{account, succeeds},
    world::{World, free_port, open_guard, start_with},
};

/// In the order in which a line names them, and as Insightful calls them.
const FIELDS: [(&str, &str); 5] = [
    ("name", "name"),
    ("email", "email"),
    ("title", "title"),
    ("team", "teamId"),
    ("settings", "sharedSettingsId"),
];

/// Starts an operator that logs warnings as JSON, which does not silence the audit log.
async fn restart(world: &mut World, arguments: &[&str]) {
    world.stop_operator().await;
    let arguments = [&["--log-format", "json"], arguments].concat();
    let environment = [("RUST_LOG", "warn")];
    let port = free_port();
    let operator = start_with(world.plane, &[&world.namespace], port, &arguments, &environment).await;
    world.operator = Some(operator);
}

/// The lines of the audit log, as they are and read.
fn lines(world: &World) -> Vec<(String, Value)> {
    let log = world.log_of(world.operator.as_ref().unwrap());
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["target"] == "audit").then_some(line)
    };
    log.lines()
        .filter_map(|line| Some((line.to_owned(), read(line)?)))
        .inspect(|(_, line)| assert_eq!(line["level"], "INFO"))
        .map(|(line, read)| (line, read["fields"].clone()))
        .collect()
}

/// What a line says of the request, which Insightful received.
fn request(entry: &Entry, put: &str) -> Value {
    let path: Vec<&str> = entry.path.trim_start_matches("/api/v1/").split('/').collect();
    let (operation, employee) = match (entry.method.as_str(), path.as_slice()) {
        ("POST", ["team"]) => ("CreateTeam", None),
        ("POST", ["employee"]) => ("CreateEmployee", None),
        ("PUT", ["employee", id]) => (put, Some(*id)),
        ("GET", ["employee", "deactivate", id]) => ("DeactivateEmployee", Some(*id)),
        other => panic!("{other:?}"),
    };
    let body = entry.body.clone().unwrap_or_default();
    let written: Vec<&str> = FIELDS
        .iter()
        .filter(|(_, theirs)| body.get(theirs).is_some())
        .map(|(ours, _)| *ours)
        .collect();
    let written = match written.is_empty() {
        true => "active".to_owned(),
        false => written.join(","),
    };
    let outcome = match entry.status {
        Some(200) => "succeeded",
        Some(400..500) => "failed",
        _ => "unknown",
    };
    json!({ "operation": operation, "employee": employee, "written": written, "outcome": outcome })
}

/// The Okta id of the person who has or had each employee.
async fn people(world: &World) -> BTreeMap<String, String> {
    let mut people = BTreeMap::new();
    for object in world.matches().await.into_values() {
        let status = object.status.unwrap_or_default();
        let applied = status
            .applied
            .into_iter()
            .flat_map(|applied| applied.employee_ids);
        let unmatched = status
            .unmatched
            .into_iter()
            .map(|unmatched| unmatched.employee_id);
        for employee in applied.chain(unmatched) {
            people.insert(employee, object.spec.okta_user_id.clone());
        }
    }
    people
}

/// Asserts that the lines are those of the requests that Insightful received, one each and in their order. Returns the
/// lines.
async fn assert_complete(world: &World, from: usize, put: &str) -> Vec<Value> {
    let entries = world.insightful.journal().writes();
    let lines = lines(world).split_off(from);
    assert_eq!(lines.len(), entries.len(), "{:#?}\n{lines:#?}", world.writes());
    let people = people(world).await;
    let account = world.insightful.snapshot();
    let emails: Vec<String> = account
        .employees()
        .filter_map(|employee| employee["email"].as_str().map(str::to_owned))
        .collect();
    for (entry, (line, fields)) in entries.iter().zip(&lines) {
        let mut expected = request(entry, put);
        let body = entry.body.clone().unwrap_or_default();
        let (operation, outcome) = (expected["operation"].clone(), expected["outcome"].clone());
        if operation == "CreateEmployee" && outcome == "succeeded" {
            expected["employee"] = json!(account.employee_id(body["email"].as_str().unwrap()));
        }
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(fields.get(name).unwrap_or(&Value::Null), value, "{name}: {line}");
        }
        if operation == "CreateTeam" {
            let name = body["name"].as_str().unwrap();
            assert_eq!(fields["team"], account.team_id(name), "{line}");
            assert_eq!(fields["group"], world.okta.snapshot().group_id(name), "{line}");
            assert!(
                fields["person"].is_null() && fields["decision"].is_null(),
                "{line}"
            );
        } else {
            let employee = fields["employee"].as_str().unwrap();
            assert_eq!(fields["person"], people[employee], "{line}");
        }
        assert_eq!(fields["integration"], format!("{}/acme", world.namespace));
        assert_eq!(fields["reason"].is_null(), outcome == "succeeded", "{line}");
        // Neither what was written nor what Insightful answered.
        for field in ["name", "email"] {
            let value = body[field].as_str().unwrap_or("is not liked");
            assert!(!line.contains(value), "{value}: {line}");
        }
        assert!(emails.iter().all(|email| !line.contains(email)), "{line}");
        assert!(fields.get("before").is_none() && fields.get("after").is_none());
    }
    lines.into_iter().map(|(_, fields)| fields).collect()
}

/// The lines about a person.
fn about<'a>(world: &World, lines: &'a [Value], handle: &str) -> Vec<&'a Value> {
    let id = world.okta.snapshot().user_id(handle);
    lines.iter().filter(|line| line["person"] == id).collect()
}

/// How a decision was made: the decision, the user and the field manager.
fn decision(line: &Value) -> [Option<&str>; 3] {
    ["decision", "decided_by", "decided_with"].map(|name| line.get(name).and_then(Value::as_str))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_is_one_line_with_who_let_it_through_and_who_decided() {
    let mut world = World::prepared().await;
    restart(&mut world, &[]).await;
    let mut spec = open_guard();
    spec["guard"]["maxTeamMoves"] = json!(0);
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    let (reviewer, admin) = (account(&world, "reviewer").await, account(&world, "admin").await);
    let user = |role: &str| format!("{role}-of-{}", world.namespace);
    let (by_reviewer, by_admin) = (user("reviewer"), user("admin"));

    // Decided with the plugin, by a manifest, and with the plugin before somebody else changed it.
    for handle in ["nick.newcomer", "susan.clark"] {
        let email = format!("{handle}@acme.com");
        succeeds(&world, &reviewer, &["decide", &email, "create"]).await;
    }
    let match_with = |handle: &str| {
        let employee = world.company.employee(handle);
        json!({ "decision": "Match", "employeeIds": [employee] })
    };
    let manifest = world.match_manifest("anna.becker", match_with("anna.becker"));
    let api = world.api::<EmployeeMatch>();
    for (handle, patch, manager) in [
        (
            "anna.becker",
            Patch::Apply(manifest),
            PatchParams::apply("kustomize-controller").force(),
        ),
        (
            "susan.clark",
            Patch::Merge(json!({ "spec": match_with("susan.clark") })),
            PatchParams {
                field_manager: Some("kubectl-edit".to_owned()),
                ..PatchParams::default()
            },
        ),
    ] {
        api.patch(&world.match_name(handle), &manager, &patch)
            .await
            .unwrap();
        world.wait_for_state(handle, MatchState::Proposed).await;
    }
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::Held).await;
    assert_eq!(lines(&world), [], "nothing was written");

    // One write is refused with a message that names a person, and one has no response.
    let of = |handle: &str| Match::put(&format!("/api/v1/employee/{}", world.company.employee(handle)));
    let refusal = json!({ "type": "VALIDATION_ERROR", "message": "Jane Doe is not liked!", "details": [] });
    let faults = world.insightful.faults();
    faults.once(of("jane.doe"), Kind::Status(422, Some(refusal.clone())));
    faults.once(of("chen.xiu"), Kind::CutAfter);
    succeeds(&world, &admin, &["approve", "--yes"]).await;
    let plan = world.integration().await.spec.approved_plan.unwrap();
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;

    let approved = assert_complete(&world, 0, "UpdateEmployee").await;
    for line in &approved {
        let said = ["plan", "cleared_by", "cleared_with"].map(|name| line[name].as_str().unwrap());
        assert_eq!(said, [plan.as_str(), &by_admin, "insightful-review"], "{line}");
        assert!(line["cleared_at"].is_string(), "{line}");
    }
    let told = |handle: &str, name: &str| -> Vec<String> {
        let lines = about(&world, &approved, handle);
        lines.iter().map(|line| line[name].to_string()).collect()
    };
    assert_eq!(told("jane.doe", "reason"), [r#""Invalid""#, "null"]);
    assert_eq!(told("jane.doe", "clearance"), [r#""Approved""#, r#""Resumed""#]);
    assert_eq!(told("chen.xiu", "outcome")[0], r#""unknown""#);
    assert_eq!(told("chen.xiu", "reason")[0], r#""NoResponse""#);
    assert_eq!(told("nick.newcomer", "operation")[0], r#""CreateEmployee""#);
    for (handle, expected) in [
        (
            "nick.newcomer",
            [
                Some("Create"),
                Some(by_reviewer.as_str()),
                Some("insightful-review"),
            ],
        ),
        ("anna.becker", [Some("Match"), None, Some("kustomize-controller")]),
        ("susan.clark", [Some("Match"), None, Some("kubectl-edit")]),
        ("tara.moved", [Some("Auto"), None, None]),
    ] {
        let lines = about(&world, &approved, handle);
        assert!(!lines.is_empty(), "{handle}");
        for line in lines {
            assert_eq!(decision(line), expected, "{line}");
        }
    }

    // By the standing permission to write: a match ends, and somebody leaves.
    world.patch(open_guard()).await;
    world.insightful.journal().clear();
    let taken_back = ["decide", "elizabeth.taylor@acme.com", "ignore"];
    succeeds(&world, &reviewer, &taken_back).await;
    world.wait_until_unmatched("elizabeth.taylor").await;
    let restored = assert_complete(&world, approved.len(), "RestoreEmployee").await;
    assert_eq!(restored.len(), 1, "{restored:#?}");
    let by_plugin = [
        Some("Ignore"),
        Some(by_reviewer.as_str()),
        Some("insightful-review"),
    ];
    assert_eq!(decision(&restored[0]), by_plugin);
    world.insightful.journal().clear();
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    world.sync().await;
    world.wait_for_state("amir.haddad", MatchState::Deactivated).await;
    let deactivated = assert_complete(&world, approved.len() + 1, "UpdateEmployee").await;
    assert_eq!(deactivated.len(), 1, "{deactivated:#?}");
    assert_eq!(decision(&deactivated[0]), [Some("Auto"), None, None]);
    let plans: Vec<String> = world
        .status()
        .await
        .history
        .into_iter()
        .map(|entry| entry.plan)
        .collect();
    for line in restored.iter().chain(&deactivated) {
        assert_eq!(line["clearance"], "WithinGuard", "{line}");
        assert!(
            line.get("cleared_by").is_none() && line["cleared_with"].is_string(),
            "{line}"
        );
        assert!(plans.iter().any(|plan| line["plan"] == *plan), "{line}");
    }
    world.idle_sync_writes_nothing().await;
    assert_eq!(lines(&world).len(), approved.len() + 2);

    // With values, also those that Insightful's errors repeat.
    restart(&mut world, &["--audit-values"]).await;
    world.insightful.journal().clear();
    let gloria = world.company.employee("gloria.mendes").to_owned();
    world.insightful.edit(|account| {
        account.rename_employee(&gloria, "G. Mendes");
    });
    world
        .okta
        .edit(|org| org.set_title("gloria.mendes", Some("Buyer")));
    let put = Match::put(&format!("/api/v1/employee/{gloria}"));
    world
        .insightful
        .faults()
        .once(put, Kind::Status(422, Some(refusal)));
    world.request_sync().await;
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let lines: Vec<Value> = lines(&world).into_iter().map(|(_, line)| line).collect();
    let [refused, written] = about(&world, &lines, "gloria.mendes")[..] else {
        panic!("{lines:#?}")
    };
    assert_eq!(
        lines.len(),
        world.insightful.journal().writes().len(),
        "{lines:#?}"
    );
    for line in [refused, written] {
        let values = ["before", "after"]
            .map(|name| serde_json::from_str::<Value>(line[name].as_str().unwrap()).unwrap());
        let expected = [
            json!({ "name": "G. Mendes", "title": "Account Manager" }),
            json!({ "name": "Gloria Mendes", "title": "Buyer" }),
        ];
        assert_eq!(values, expected);
    }
    assert!(
        refused["error"].as_str().unwrap().contains("is not liked"),
        "{refused}"
    );
    assert!(written.get("error").is_none(), "{written}");
}
