//! Printer columns, field selectors, short names and `kubectl explain`.

use std::time::Duration;

use kube::{
    Api, CustomResourceExt as _,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee};
use sandbox::control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::{
    manifests::{employee_match, integration, with},
    plane,
};

const PUBLISH_TIMEOUT: Duration = Duration::from_secs(30);

/// A namespace with one integration and two people: Jane in review, John matched.
struct Company {
    plane: &'static ControlPlane,
    namespace: String,
}

impl Company {
    async fn new() -> Self {
        let plane = plane().await;
        let namespace = plane.namespace("kubectl").await.unwrap();
        let client = plane.admin_client().await.unwrap();
        let integrations: Api<OktaIntegration> = Api::namespaced(client.clone(), &namespace);
        let matches: Api<EmployeeMatch> = Api::namespaced(client.clone(), &namespace);
        let unmatched: Api<UnmatchedEmployee> = Api::namespaced(client, &namespace);
        create(&integrations, integration(), integration_status()).await;
        let jane = with(employee_match(), "oktaUserId", json!("00uJane"));
        create(&matches, named("acme-00ujane-11111", jane), jane_status()).await;
        let john = with(employee_match(), "oktaUserId", json!("00uJohn"));
        let john = with(john, "decision", json!("Match"));
        let john = with(john, "employeeIds", json!(["wJohn"]));
        create(&matches, named("acme-00ujohn-22222", john), john_status()).await;
        for (id, status) in [("wkim", kim_status()), ("wold", old_status())] {
            create(&unmatched, unmatched_employee(id), status).await;
        }
        let company = Self { plane, namespace };
        company.wait_until_explained().await;
        company
    }

    /// The server publishes the schema of a kind shortly after it begins to serve the kind.
    async fn wait_until_explained(&self) {
        let started = tokio::time::Instant::now();
        for kind in ["oi", "em", "ue"] {
            while let Err(error) = self.plane.kubectl(&["explain", kind]).await {
                assert!(started.elapsed() < PUBLISH_TIMEOUT, "{error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    async fn kubectl(&self, arguments: &[&str]) -> String {
        let arguments = [&["--namespace", &self.namespace], arguments].concat();
        self.plane.kubectl(&arguments).await.unwrap()
    }

    /// The cells of each line. Columns are separated by two or more spaces.
    async fn table(&self, arguments: &[&str]) -> Vec<Vec<String>> {
        let output = self.kubectl(arguments).await;
        let cells = |line: &str| {
            let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            cells.map(str::to_owned).collect()
        };
        output.lines().map(cells).collect()
    }
}

async fn create<K>(api: &Api<K>, manifest: Value, status: Value)
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let name = manifest["metadata"]["name"].as_str().unwrap();
    api.patch(name, &PatchParams::apply("admin"), &Patch::Apply(&manifest))
        .await
        .unwrap();
    let patch = Patch::Merge(json!({ "status": status }));
    api.patch_status(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

fn named(name: &str, mut manifest: Value) -> Value {
    manifest["metadata"]["name"] = json!(name);
    manifest
}

fn ready(status: &str, reason: &str) -> Value {
    json!([{
        "type": "Ready", "status": status, "reason": reason, "message": "",
        "lastTransitionTime": "2026-01-31T09:00:00Z",
    }])
}

fn integration_status() -> Value {
    json!({
        "phase": "Review",
        "conditions": ready("False", "Review"),
        "lastSyncTime": jiff::Timestamp::now(),
        "people": {
            "total": 3000, "waiting": 180, "matched": 2800, "review": 120, "unmatched": 60,
            "ignored": 15, "conflicts": 0, "outOfScope": 5,
        },
        "plan": {
            "hash": "sha256:9f2c", "total": 346, "createTeams": 2, "createEmployees": 0, "updates": 340,
            "teamMoves": 12, "emailChanges": 3, "deactivations": 4, "relinks": 0, "restores": 0,
        },
    })
}

fn unmatched_employee(id: &str) -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "UnmatchedEmployee",
        "metadata": { "name": format!("acme-{id}") },
        "spec": { "integrationRef": { "name": "acme" }, "employeeId": id },
    })
}

fn kim_status() -> Value {
    json!({
        "employee": {
            "id": "wkim", "name": "Kim", "email": "kim@acme.com", "team": "Sales", "active": true,
            "deactivated": false,
        },
        "nearest": { "person": "Kim Doe", "oktaUserId": "00uKim", "confidence": 41 },
    })
}

fn old_status() -> Value {
    json!({ "employee": {
        "id": "wold", "name": "Old Record", "email": "old@acme.com", "active": false, "deactivated": true,
    } })
}

fn jane_status() -> Value {
    json!({
        "state": "Review",
        "person": { "name": "Jane Doe", "email": "jane@acme.com", "status": "ACTIVE", "team": "Engineering" },
        "proposal": { "kind": "Review", "employeeIds": ["wJane"], "confidence": 87 },
        "conditions": ready("False", "NeedsReview"),
    })
}

fn john_status() -> Value {
    json!({
        "state": "Matched",
        "person": { "name": "John Roe", "email": "john@acme.com", "status": "ACTIVE", "team": "Sales" },
        "employee": { "id": "wJohn", "name": "J. Roe", "email": "john@old.com" },
        "proposal": { "kind": "Auto", "employeeIds": ["wJohn"], "confidence": 100 },
        "changes": [{ "field": "email", "from": "john@old.com", "to": "john@acme.com" }],
        "changeCount": 1,
        "deactivates": true,
        "conditions": ready("True", "Matched"),
    })
}

#[tokio::test]
async fn kubectl_shows_the_columns_of_integrations() {
    let company = Company::new().await;
    let narrow = company.table(&["get", "oi"]).await;
    assert_eq!(
        narrow[0],
        [
            "NAME",
            "PHASE",
            "READY",
            "PEOPLE",
            "REVIEW",
            "CHANGES",
            "FINALIZED",
            "SYNCED"
        ]
    );
    let wide = company.table(&["get", "oi", "-o", "wide"]).await;
    assert_eq!(
        wide[0],
        [
            "NAME",
            "PHASE",
            "READY",
            "PEOPLE",
            "REVIEW",
            "CHANGES",
            "FINALIZED",
            "SYNCED",
            "ORG",
            "PLAN"
        ]
    );
    let row = &wide[1];
    assert_eq!(
        row[..7],
        ["acme", "Review", "False", "3000", "180", "346", "false"]
    );
    assert!(row[7].ends_with('s'), "{row:?}");
    assert_eq!(row[8..], ["https://acme.okta.com", "sha256:9f2c"]);
}

#[tokio::test]
async fn kubectl_shows_the_columns_of_matches() {
    let company = Company::new().await;
    let narrow = company.table(&["get", "em"]).await;
    assert_eq!(
        narrow[0],
        [
            "NAME",
            "PERSON",
            "EMAIL",
            "EMPLOYEE",
            "STATE",
            "CONFIDENCE",
            "TEAM",
            "CHANGES",
            "AGE"
        ]
    );
    let wide = company.table(&["get", "em", "-o", "wide"]).await;
    assert_eq!(
        wide[0],
        [
            "NAME",
            "PERSON",
            "EMAIL",
            "EMPLOYEE",
            "STATE",
            "CONFIDENCE",
            "TEAM",
            "CHANGES",
            "AGE",
            "REASON",
            "DECISION",
            "OKTA ID"
        ]
    );
    let john = &wide[2];
    assert_eq!(
        john[..8],
        [
            "acme-00ujohn-22222",
            "John Roe",
            "john@acme.com",
            "J. Roe",
            "Matched",
            "100",
            "Sales",
            "1"
        ]
    );
    assert_eq!(john[9..], ["Matched", "Match", "00uJohn"]);
}

#[tokio::test]
async fn kubectl_shows_and_selects_employees_without_a_person() {
    let company = Company::new().await;
    let wide = company.table(&["get", "ue", "-o", "wide"]).await;
    assert_eq!(
        wide,
        [
            vec![
                "NAME",
                "EMPLOYEE",
                "EMAIL",
                "TEAM",
                "ACTIVE",
                "NEAREST",
                "CONFIDENCE",
                "EMPLOYEE ID"
            ],
            vec![
                "acme-wkim",
                "Kim",
                "kim@acme.com",
                "Sales",
                "true",
                "Kim Doe",
                "41",
                "wkim"
            ],
            vec!["acme-wold", "Old Record", "old@acme.com", "false", "wold"],
        ]
    );
    let by_email = [
        "get",
        "ue",
        "-o",
        "name",
        "--field-selector",
        "status.employee.email=kim@acme.com",
    ];
    assert_eq!(
        company.kubectl(&by_email).await.trim(),
        "unmatchedemployee.integrations.insightful.io/acme-wkim"
    );
}

#[tokio::test]
async fn matches_are_selected_by_their_fields() {
    let company = Company::new().await;
    let (jane, john) = ("acme-00ujane-11111", "acme-00ujohn-22222");
    for (selector, expected) in [
        ("spec.oktaUserId=00uJane", vec![jane]),
        ("spec.oktaUserId=00ujane", vec![]),
        ("spec.decision=Match", vec![john]),
        ("spec.decision=Auto", vec![jane]),
        ("spec.integrationRef.name=acme", vec![jane, john]),
        ("status.state=Review", vec![jane]),
        ("status.state!=Review", vec![john]),
        ("status.person.name=Jane Doe", vec![jane]),
        ("status.person.email=john@acme.com", vec![john]),
        ("status.employee.id=wJohn", vec![john]),
        ("status.state=Matched,spec.decision=Auto", vec![]),
    ] {
        let arguments = [
            "get",
            "em",
            "--no-headers",
            "-o",
            "custom-columns=:.metadata.name",
            "--field-selector",
        ];
        let output = company.kubectl(&[&arguments[..], &[selector]].concat()).await;
        assert_eq!(output.lines().collect::<Vec<_>>(), expected, "{selector}");
    }
}

#[tokio::test]
async fn the_category_lists_all_kinds() {
    let company = Company::new().await;
    let names = company.kubectl(&["get", "insightful", "-o", "name"]).await;
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "employeematch.integrations.insightful.io/acme-00ujane-11111",
            "employeematch.integrations.insightful.io/acme-00ujohn-22222",
            "oktaintegration.integrations.insightful.io/acme",
            "unmatchedemployee.integrations.insightful.io/acme-wkim",
            "unmatchedemployee.integrations.insightful.io/acme-wold",
        ]
    );
}

#[tokio::test]
async fn kubectl_explains_fields() {
    let company = Company::new().await;
    for (field, words) in [
        (
            "oi",
            "Nothing is written to Insightful until spec.finalized is true",
        ),
        ("oi.spec.finalized", "True allows the operator to apply plans"),
        (
            "oi.spec.guard.maxDeactivations",
            "Employees that are deactivated.",
        ),
        ("oi.status.phase", "ENUM:"),
        ("em", "the proposed or matched Insightful employee"),
        ("em.spec.decision", "ENUM:"),
        (
            "em.spec.rejectedEmployeeIds",
            "Employees that are never proposed for this person again.",
        ),
        ("em.status.proposal.confidence", "100 is certain"),
    ] {
        let explained = company.kubectl(&["explain", field]).await;
        let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(explained.contains(words), "{field}: {explained}");
    }
}

#[test]
fn every_field_has_a_description() {
    let mut undescribed = Vec::new();
    for crd in [
        OktaIntegration::crd(),
        EmployeeMatch::crd(),
        UnmatchedEmployee::crd(),
    ] {
        let definition = serde_json::to_value(crd).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let fields = ["spec", "status"].map(|part| &schema["properties"][part]);
        assert!(fields.iter().all(|part| part["properties"].is_object()));
        for part in fields {
            collect_undescribed(
                part,
                &definition["spec"]["names"]["kind"].to_string(),
                &mut undescribed,
            );
        }
    }
    assert_eq!(undescribed, Vec::<String>::new());
}

fn collect_undescribed(schema: &Value, path: &str, into: &mut Vec<String>) {
    if let Some(items) = schema.get("items") {
        collect_undescribed(items, path, into);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if field["description"].as_str().is_none_or(str::is_empty) {
            into.push(path.clone());
        }
        collect_undescribed(field, &path, into);
    }
}
