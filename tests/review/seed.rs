//! A company as the operator writes it to the cluster, without the operator: people, employees and a plan.

use futures::{StreamExt as _, stream};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{
    EmployeeMatch, FIELD_MANAGER, OktaIntegration, REVIEW_MANAGER, UnmatchedEmployee, match_name,
    unmatched_employee_name,
};
use serde_json::{Value, json};

use crate::world::NAME;

const PARALLEL_WRITES: usize = 32;

/// The plan of a seeded company.
pub const HASH: &str = "sha256:5c4f2f7e2f6e0a4b8f1d9c3a7b6e5d4c3b2a190817263544536271809f0e1d2c";

#[derive(Default)]
pub struct Company {
    pub people: Vec<Person>,
    pub employees: Vec<Employee>,
}

/// An EmployeeMatch.
pub struct Person {
    id: String,
    decision: Option<Value>,
    status: Value,
}

/// An UnmatchedEmployee.
pub struct Employee {
    id: String,
    status: Value,
}

/// Somebody whom Okta returns, without an employee.
pub fn person(id: &str, name: &str) -> Person {
    let email = format!("{}@acme.com", name.to_lowercase().replace(' ', "."));
    Person {
        id: id.to_owned(),
        decision: None,
        status: json!({
            "state": "Unmatched",
            "person": { "name": name, "email": email, "title": "Engineer", "status": "ACTIVE", "team": "Engineering" },
            "proposal": { "kind": "None" },
        }),
    }
    .says("NoCandidate", "no plausible employee found")
}

impl Person {
    /// Waits for a decision about an employee.
    pub fn review(self, evidence: &str, employee: &str, name: &str, confidence: i32) -> Self {
        self.proposed("Review", evidence, employee, name, confidence)
            .says("NeedsDecision", "awaits a decision")
    }

    /// Needs no decision.
    pub fn sure(self, employee: &str, confidence: i32) -> Self {
        let name = self.status["person"]["name"].as_str().unwrap().to_owned();
        self.proposed("Proposed", "SameEmailAndName", employee, &name, confidence)
            .says("AwaitingFinalize", "applied once spec.finalized is true")
    }

    fn proposed(self, state: &str, evidence: &str, employee: &str, name: &str, confidence: i32) -> Self {
        let email = format!("{}@oldacme.io", name.to_lowercase().replace(' ', "."));
        let kind = if state == "Review" { "Review" } else { "Auto" };
        self.with(|status| {
            status["state"] = json!(state);
            status["employee"] = json!({ "id": employee, "name": name, "email": email, "team": "Default" });
            status["proposal"] = json!({
                "kind": kind, "employeeIds": [employee], "confidence": confidence, "evidence": evidence,
                "reasons": ["another person has the same name", "same name"],
            });
        })
        .candidate(employee, name, confidence)
    }

    /// Another employee who may be the person.
    pub fn candidate(self, employee: &str, name: &str, confidence: i32) -> Self {
        let email = format!("{}@oldacme.io", name.to_lowercase().replace(' ', "."));
        self.with(|status| {
            let candidate = json!({ "employeeId": employee, "name": name, "email": email, "team": "Default",
                "confidence": confidence, "reasons": ["same name"] });
            match status["proposal"]["candidates"].as_array_mut() {
                Some(candidates) => candidates.push(candidate),
                None => status["proposal"]["candidates"] = json!([candidate]),
            }
        })
    }

    /// What the condition Ready says.
    pub fn says(self, reason: &str, message: &str) -> Self {
        self.with(|status| {
            status["conditions"] = json!([{ "type": "Ready", "status": "False", "reason": reason, "message": message,
                "lastTransitionTime": "2026-05-04T08:00:00Z" }]);
        })
    }

    pub fn changes(self, changes: Value) -> Self {
        self.with(|status| {
            status["changeCount"] = json!(changes.as_array().unwrap().len());
            status["changes"] = changes;
        })
    }

    pub fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.status);
        self
    }

    /// With a decision, made by this account.
    pub fn decided(mut self, by: &str, decision: Value) -> Self {
        let annotations = json!({
            "integrations.insightful.io/decided-by": by,
            "integrations.insightful.io/decided-at": "2026-05-04T08:00:00Z",
        });
        self.decision = Some(json!({ "metadata": { "annotations": annotations }, "spec": decision }));
        self
    }

    pub async fn write(&self, client: &Client, namespace: &str) {
        let api: Api<EmployeeMatch> = Api::namespaced(client.clone(), namespace);
        let name = match_name(NAME, &self.id);
        let object = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
            "metadata": { "name": name },
            "spec": { "integrationRef": { "name": NAME }, "oktaUserId": self.id },
        });
        create(&api, &name, object, &self.status).await;
        if let Some(decision) = &self.decision {
            let params = PatchParams {
                field_manager: Some(REVIEW_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            api.patch(&name, &params, &Patch::Merge(decision)).await.unwrap();
        }
    }
}

/// An employee without a person.
pub fn employee(id: &str, name: &str) -> Employee {
    let email = format!("{}@oldacme.io", name.to_lowercase().replace(' ', "."));
    Employee {
        id: id.to_owned(),
        status: json!({ "employee": {
            "id": id, "name": name, "email": email, "team": "Default", "active": true, "deactivated": false,
        } }),
    }
}

impl Employee {
    pub fn nearest(mut self, okta_user_id: &str, person: &str, confidence: i32) -> Self {
        self.status["nearest"] =
            json!({ "oktaUserId": okta_user_id, "person": person, "confidence": confidence });
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.status["employee"]);
        self
    }

    async fn write(&self, client: &Client, namespace: &str) {
        let api: Api<UnmatchedEmployee> = Api::namespaced(client.clone(), namespace);
        let name = unmatched_employee_name(NAME, &self.id);
        let object = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "UnmatchedEmployee",
            "metadata": { "name": name },
            "spec": { "integrationRef": { "name": NAME }, "employeeId": self.id },
        });
        create(&api, &name, object, &self.status).await;
    }
}

async fn create<K>(api: &Api<K>, name: &str, object: Value, status: &Value)
where
    K: Clone + serde::Serialize + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let params = PatchParams::apply(FIELD_MANAGER);
    api.patch(name, &params, &Patch::Apply(object)).await.unwrap();
    let status = Patch::Merge(json!({ "status": status }));
    let params = PatchParams::default();
    api.patch_status(name, &params, &status).await.unwrap();
}

impl Company {
    /// Everybody is in one of the lists, and each kind of row is there.
    pub fn acme() -> Self {
        let team = |from: &str, to: &str| json!([{ "field": "team", "from": from, "to": to }]);
        let people = vec![
            person("00uEve", "Eve Evans").review("SameEmailOtherName", "wEva", "Eva Ewing", 80),
            person("00uAda", "Ada Adams")
                .review("SameNameOnly", "wAda", "Ada Adams", 92)
                .candidate("wAdam", "Ada Adam", 41)
                .candidate("wAlan", "Alan Adams", 12)
                .changes(team("Default", "Engineering")),
            person("00uBen", "Ben Brown").review("SameNameOnly", "wBen", "Ben Brown", 85),
            person("00uCleo", "Cleo Clark").review("SameNameOnly", "wCleo", "Cleo Clark", 80),
            person("00uDan", "Dan Davis").review("SameNameOnly", "wDan", "Dan Davis", 45),
            person("00uFinn", "Finn Ford").review("PartialName", "wFinn", "F Ford", 60),
            person("00uGina", "Gina Green"),
            person("00uHugo", "Hugo Hill")
                .review("SameNameOnly", "wHugo", "Hugo Hill", 70)
                .with(|status| status["state"] = json!("Conflict"))
                .says("EmployeeClaimedTwice", "Hugh Hill claims the employee wHugo, too")
                .decided("ann", json!({ "decision": "Match", "employeeIds": ["wHugo"] })),
            person("00uIris", "Iris Ives")
                .sure("wIris", 99)
                .changes(team("Default", "Engineering")),
            person("00uJack", "Jack Jones").sure("wJack", 99).with(|status| {
                status["state"] = json!("Matched");
                status["applied"] = json!({ "employeeIds": ["wJack"], "time": "2026-05-04T08:30:00Z", "fields": [
                    { "employeeId": "wJack", "field": "team", "before": "Default", "after": "Engineering" },
                    { "employeeId": "wJack", "field": "title", "after": "Engineer" },
                ] });
            }),
            person("00uKate", "Kate King")
                .with(|status| status["state"] = json!("Ignored"))
                .says("Ignored", "not synced, by decision")
                .decided(
                    "ann",
                    json!({ "decision": "Ignore", "note": "a contractor until June" }),
                ),
            person("00uLiam", "Liam Long")
                .sure("wLiam", 99)
                .with(|status| {
                    status["person"]["status"] = json!("DEPROVISIONED");
                    status["deactivates"] = json!(true);
                })
                .changes(json!([{ "field": "active", "from": "true", "to": "false" }])),
            person("00uMona", "Mona Moss").sure("wMona", 98).changes(json!([
                { "field": "email", "from": "mona@oldacme.io", "to": "mona.moss@acme.com" },
                { "field": "name", "from": "Mona M", "to": "Mona Moss" },
            ])),
            person("00uNick", "Nick Newman")
                .with(|status| status["state"] = json!("Proposed"))
                .decided("ann", json!({ "decision": "Create" }))
                .changes(json!([
                    { "field": "name", "to": "Nick Newman" }, { "field": "email", "to": "nick.newman@acme.com" },
                    { "field": "team", "to": "Engineering" }, { "field": "settings", "to": "Default" },
                    { "field": "active", "to": "true" },
                ])),
        ];
        let employees = vec![
            employee("wXu", "Xu Xi").with(|status| status["email"] = json!("")),
            employee("wYuri", "Yuri Quill").with(|status| {
                status["active"] = json!(false);
                status["deactivated"] = json!(true);
            }),
            employee("wZoe", "Zoe Young").nearest("00uGina", "Gina Green", 31),
        ];
        Self { people, employees }
    }

    /// Writes everything to the cluster.
    pub async fn write(&self, client: &Client, namespace: &str) {
        let integrations: Api<OktaIntegration> = Api::namespaced(client.clone(), namespace);
        let secret = json!({ "secretRef": { "name": "okta", "key": "token" } });
        let integration = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
            "metadata": { "name": NAME },
            "spec": {
                "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": secret } },
                "insightful": { "apiToken": secret },
            },
        });
        create(&integrations, NAME, integration, &self.status()).await;
        let people = stream::iter(&self.people).map(|person| person.write(client, namespace));
        people
            .buffer_unordered(PARALLEL_WRITES)
            .collect::<Vec<()>>()
            .await;
        for employee in &self.employees {
            employee.write(client, namespace).await;
        }
    }

    /// The status of the integration.
    fn status(&self) -> Value {
        let count = |states: &[&str]| {
            let of_state = |person: &&Person| states.iter().any(|state| person.status["state"] == **state);
            self.people.iter().filter(of_state).count()
        };
        let changing = |field: &str| {
            let changes = |person: &&Person| {
                let mut changes = person.status["changes"].as_array().into_iter().flatten();
                changes.any(|change| change["field"] == field && !change["from"].is_null())
            };
            self.people.iter().filter(changes).count()
        };
        let team = |name: &str, state: &str| json!({ "name": name, "groupId": format!("00g{name}"), "state": state, "members": 3 });
        json!({
            "phase": "Review",
            "lastSyncTime": "2026-05-04T08:00:00Z",
            "people": {
                "total": self.people.len(), "waiting": count(&["Review", "Unmatched", "Conflict"]),
                "matched": count(&["Proposed", "Matched"]), "review": count(&["Review"]),
                "unmatched": count(&["Unmatched"]), "ignored": count(&["Ignored"]),
                "conflicts": count(&["Conflict"]), "outOfScope": 0,
            },
            "employees": { "total": self.people.len(), "matched": count(&["Proposed", "Matched"]),
                "unmatched": self.employees.len(), "deactivated": 1 },
            "plan": {
                "hash": HASH, "total": self.people.iter().filter(|person| person.status["changes"].is_array()).count(),
                "createTeams": 1, "createEmployees": 1, "updates": changing("team") + changing("email"),
                "teamMoves": changing("team"), "emailChanges": changing("email"), "nameChanges": changing("name"),
                "deactivations": changing("active"), "relinks": 0, "restores": 0,
            },
            "teams": [team("Default", "Existing"), team("Engineering", "Existing"), team("Data Science", "New")],
        })
    }
}
