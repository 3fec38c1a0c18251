//! The state after an apply, without the ids, times and versions that differ between runs.

use std::collections::{BTreeMap, BTreeSet};

use okta_insightful_operator::api::EmployeeMatch;
use sandbox::journal::Entry;
use serde_json::{Value, json};

use crate::world::World;

pub struct FinalState {
    /// Employees, teams, matches and the status of the integration, by a name that is the same in every run.
    objects: BTreeMap<String, Value>,
    /// The names of employees who were invited, by their ids, which depend on the order of the invitations.
    invited: BTreeMap<String, String>,
}

impl FinalState {
    pub async fn of(world: &World) -> Self {
        let account = world.insightful.snapshot();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut objects = BTreeMap::new();
        let mut invited = BTreeMap::new();
        for team in account.teams() {
            let name = format!("team {}", text(&team["name"]));
            names.insert(text(&team["id"]), name.clone());
            let duplicate = objects.insert(name.clone(), Value::Null);
            assert!(duplicate.is_none(), "{name} is there twice");
        }
        for employee in account.employees() {
            // The ids of invited employees differ between runs.
            let id = text(&employee["id"]);
            let known = world.company.employees.iter().any(|known| known["id"] == id);
            let name = if known {
                format!("employee {id}")
            } else {
                let name = format!("employee invited as {}", text(&employee["identifier"]));
                invited.insert(id.clone(), name.clone());
                name
            };
            let fields = json!({
                "name": employee["name"], "email": employee["email"],
                "team": names[&text(&employee["teamId"])], "title": account.titles.get(&id),
                "active": employee["deactivated"] == 0,
            });
            names.insert(id, name.clone());
            let duplicate = objects.insert(name.clone(), fields);
            assert!(duplicate.is_none(), "{name} is there twice");
        }
        for object in world.matches().await.into_values() {
            let login = object.spec.okta_user_id.clone();
            let person = text(&world.okta.snapshot().user(&login)["profile"]["login"]);
            objects.insert(format!("match of {person}"), match_fields(&object, &names));
        }
        let status = world.status().await;
        for team in status.teams {
            let fields = json!({
                "team": team.team_id.map(|id| names[&id].clone()),
                "state": team.state, "pending": team.pending.is_some(), "members": team.members,
            });
            objects.insert(format!("team group of {}", team.name), fields);
        }
        objects.insert("people".into(), json!(status.people));
        objects.insert("planned".into(), json!(status.plan.map(|plan| plan.total)));
        objects.insert("phase".into(), json!(status.phase));
        Self { objects, invited }
    }

    /// How often each write took effect.
    pub fn effects(&self, writes: &[Entry]) -> BTreeMap<String, usize> {
        let mut effects = BTreeMap::new();
        for entry in writes.iter().filter(|entry| entry.effect) {
            *effects.entry(self.call(entry)).or_default() += 1;
        }
        effects
    }

    /// [`call`] with the names of employees who were invited in place of their ids.
    pub fn call(&self, entry: &Entry) -> String {
        let call = call(entry);
        match self.invited.get(last_segment(&entry.path)) {
            Some(name) => call.replacen(last_segment(&entry.path), name, 1),
            None => call,
        }
    }

    /// The differences from the state after an interrupted apply, one per object.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.objects.keys().chain(other.objects.keys()).collect();
        names
            .into_iter()
            .filter(|name| self.objects.get(*name) != other.objects.get(*name))
            .map(|name| {
                let show = |state: &Self| {
                    state
                        .objects
                        .get(name)
                        .map_or_else(|| "missing".into(), Value::to_string)
                };
                format!(
                    "{name}\n      uninterrupted: {}\n      interrupted: {}",
                    show(self),
                    show(other)
                )
            })
            .collect()
    }
}

fn match_fields(object: &EmployeeMatch, names: &BTreeMap<String, String>) -> Value {
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
        "applied": applied, "unmatched": unmatched,
        "pending": status.pending.is_some(), "changes": status.changes,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A write, by a name that is the same in every run except for the ids of employees who were invited.
pub fn call(entry: &Entry) -> String {
    let body = entry.body.clone().unwrap_or_default();
    match (entry.method.as_str(), entry.path.as_str()) {
        ("POST", path) if path.ends_with("/team") => format!("create team {}", text(&body["name"])),
        ("POST", _) => format!("invite {}", text(&body["email"])),
        (_, path) if path.contains("/deactivate/") => format!("deactivate {}", last_segment(path)),
        (_, path) => {
            let fields: Vec<String> = body
                .as_object()
                .map(|body| body.keys().cloned().collect())
                .unwrap_or_default();
            format!("update {} {}", last_segment(path), fields.join(","))
        }
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
