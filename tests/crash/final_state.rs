//! What a finish leaves behind, told without ids, times and versions that
//! differ from run to run.

use std::collections::BTreeMap;

use okta_insightful_operator::api::EmployeeMatch;
use sandbox::journal::Entry;
use serde_json::{Value, json};

use crate::world::World;

/// Both sides after a finish.
#[derive(Debug, PartialEq)]
pub struct End {
    /// Employees, teams, matches and the integration, each under a telling name.
    pub things: BTreeMap<String, Value>,
}

impl End {
    /// Everything as it stands now.
    pub async fn of(world: &World) -> Self {
        let account = world.insightful.snapshot();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut things = BTreeMap::new();
        for team in account.teams() {
            let name = format!("team {}", text(&team["name"]));
            names.insert(text(&team["id"]), name.clone());
            let same = things.insert(name.clone(), Value::Null);
            assert!(same.is_none(), "{name} is there twice");
        }
        for employee in account.employees() {
            // Who was there before has the same id in each run; who was invited is told by email.
            let id = text(&employee["id"]);
            let known = world.company.employees.iter().any(|known| known["id"] == id);
            let name = if known {
                format!("employee {id}")
            } else {
                format!("employee invited as {}", text(&employee["identifier"]))
            };
            let what = json!({
                "name": employee["name"], "email": employee["email"],
                "team": names[&text(&employee["teamId"])], "title": account.titles.get(&id),
                "active": employee["deactivated"] == 0,
            });
            names.insert(id, name.clone());
            let same = things.insert(name.clone(), what);
            assert!(same.is_none(), "{name} is there twice");
        }
        for object in world.matches().await.into_values() {
            let login = object.spec.okta_user_id.clone();
            let person = text(&world.okta.snapshot().user(&login)["profile"]["login"]);
            things.insert(format!("match of {person}"), of_match(&object, &names));
        }
        let status = world.status().await;
        for team in status.teams {
            let what = json!({
                "team": team.team_id.map(|id| names[&id].clone()),
                "state": team.state, "pending": team.pending.is_some(), "members": team.members,
            });
            things.insert(format!("team group of {}", team.name), what);
        }
        things.insert("people".into(), json!(status.people));
        things.insert("planned".into(), json!(status.plan.map(|plan| plan.total)));
        things.insert("phase".into(), json!(status.phase));
        Self { things }
    }

    /// What differs from `other`, a line each.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.things.keys().chain(other.things.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        names
            .into_iter()
            .filter(|name| self.things.get(*name) != other.things.get(*name))
            .map(|name| {
                let show = |end: &Self| {
                    end.things
                        .get(name)
                        .map_or_else(|| "nothing".into(), ToString::to_string)
                };
                format!(
                    "{name}\n      without a crash: {}\n      here: {}",
                    show(self),
                    show(other)
                )
            })
            .collect()
    }
}

fn of_match(object: &EmployeeMatch, names: &BTreeMap<String, String>) -> Value {
    let status = object.status.clone().unwrap_or_default();
    let named = |id: &String| names.get(id).cloned().unwrap_or_else(|| id.clone());
    let applied = status.applied.map(|applied| {
        let mut fields: Vec<Value> = applied
            .fields
            .iter()
            .map(|field| {
                let mut value = json!(field);
                value["employeeId"] = json!(named(&field.employee_id));
                for image in ["before", "after", "replaced"] {
                    if let Some(id) = value.get(image).and_then(Value::as_str).map(str::to_owned) {
                        value[image] = json!(named(&id));
                    }
                }
                value
            })
            .collect();
        fields.sort_by_key(ToString::to_string);
        json!({
            "employees": applied.employee_ids.iter().map(named).collect::<Vec<_>>(),
            "created": applied.created, "fields": fields,
        })
    });
    let unmatched = status.unmatched.map(|unmatched| {
        let mut unmatched = json!(unmatched);
        unmatched["time"] = Value::Null;
        unmatched
    });
    json!({
        "decision": object.spec.decision, "employees decided": object.spec.employee_ids,
        "state": status.state, "reason": status.conditions.first().map(|ready| ready.reason.clone()),
        "applied": applied, "taken back": unmatched,
        "pending": status.pending.is_some(), "changes": status.changes,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// How often each write took effect: the call, and the employee or the body that tells it.
pub fn effects(writes: &[Entry]) -> BTreeMap<String, usize> {
    let mut effects = BTreeMap::new();
    for entry in writes.iter().filter(|entry| entry.effect) {
        *effects.entry(call(entry)).or_default() += 1;
    }
    effects
}

/// A write without what the account made up.
pub fn call(entry: &Entry) -> String {
    let body = entry.body.clone().unwrap_or_default();
    match (entry.method.as_str(), entry.path.as_str()) {
        ("POST", path) if path.ends_with("/team") => format!("create team {}", text(&body["name"])),
        ("POST", _) => format!("invite {}", text(&body["email"])),
        (_, path) if path.contains("/deactivate/") => format!("deactivate {}", last(path)),
        (_, path) => {
            let fields: Vec<String> = body
                .as_object()
                .map(|body| body.keys().cloned().collect())
                .unwrap_or_default();
            format!("update {} {}", last(path), fields.join(","))
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
