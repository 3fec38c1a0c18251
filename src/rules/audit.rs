//! What the audit log says of a write to Insightful: which fields of whose employee were sent, and who decided it, as far
//! as the resources tell. The apply logs it; the API server's own audit log is the proof of who decided.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{
    field_owner::last_set,
    guard::Clearance,
    plan::{FieldWrites, fields},
};
use crate::{
    api::{
        APPROVED_AT, APPROVED_BY, DECIDED_AT, DECIDED_BY, Decision, EmployeeMatch, Field, OktaIntegration,
        REVIEW_MANAGER,
    },
    model::{
        EmployeeId, EmployeeUpdate, GroupId, NewEmployee, PersonId,
        text::{shown, shown_json},
    },
};

/// The target of the log lines.
pub const TARGET: &str = "audit";

/// The length of a name in characters: an annotation may hold anything.
const MAX_NAME: usize = 253;

/// The fields that decide about a match.
const OF_MATCHES: [&str; 3] = ["decision", "employeeIds", "rejectedEmployeeIds"];

/// Who set a field of a resource. Small, since those of all decisions are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetBy {
    /// The user, by the name that the API server knows them by. None if the resource does not tell.
    pub user: Option<Box<str>>,
    /// The field manager: `insightful-review`, a GitOps tool, `kubectl-edit`.
    pub manager: Option<Box<str>>,
    /// When, by the annotation; else when the field manager last changed anything in the resource.
    pub at: Option<Timestamp>,
}

impl SetBy {
    /// The user, or the program that somebody used.
    pub fn in_words(&self) -> String {
        match (&self.user, &self.manager) {
            (Some(user), _) => user.to_string(),
            (None, Some(manager)) => format!("somebody with {manager}"),
            (None, None) => "somebody".to_owned(),
        }
    }
}

/// Who made the decision about a match; None without one.
pub fn decided_by(object: &EmployeeMatch) -> Option<SetBy> {
    let spec = &object.spec;
    if spec.decision == Decision::Auto && spec.rejected_employee_ids.is_empty() {
        return None;
    }
    set_by(&object.metadata, &OF_MATCHES, Some((DECIDED_BY, DECIDED_AT)))
}

/// Who let the plans of an integration through: by `approvedPlan`, or by `finalized`.
pub fn cleared_by(integration: &OktaIntegration, clearance: &Clearance) -> Option<SetBy> {
    let metadata = &integration.metadata;
    match clearance {
        // The annotations are about the last approval.
        Clearance::WithinGuard => set_by(metadata, &["finalized"], None),
        Clearance::Approved(_) | Clearance::Resumed(_) => {
            set_by(metadata, &["approvedPlan"], Some((APPROVED_BY, APPROVED_AT)))
        }
    }
}

/// Who set one of the fields last. The annotations count unless somebody set a field after `kubectl insightful`, which
/// writes both at once.
fn set_by(metadata: &ObjectMeta, fields: &[&str], annotations: Option<(&str, &str)>) -> Option<SetBy> {
    let managed = metadata.managed_fields.as_deref().unwrap_or_default();
    let last = last_set(managed, fields);
    let manager = last.and_then(|last| last.manager.as_deref());
    let annotation = |key: &str| {
        let annotations = metadata.annotations.as_ref()?;
        annotations.get(key).map(String::as_str)
    };
    let named = annotations.filter(|_| manager.is_none_or(|manager| manager == REVIEW_MANAGER));
    let user = named.and_then(|(by, _)| annotation(by));
    let at = named
        .filter(|_| user.is_some())
        .and_then(|(_, at)| annotation(at)?.parse().ok())
        .or_else(|| Some(last?.time.as_ref()?.0));
    (user.is_some() || manager.is_some()).then(|| SetBy {
        user: user.map(name),
        manager: manager.map(name),
        at,
    })
}

fn name(text: &str) -> Box<str> {
    shown(text).chars().take(MAX_NAME).collect::<String>().into()
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    CreateTeam,
    CreateEmployee,
    UpdateEmployee,
    /// An unmatched employee gets former values.
    RestoreEmployee,
    DeactivateEmployee,
}

/// Values by field. A team and shared settings are ids.
pub type Values = BTreeMap<Field, String>;

/// One request that writes to Insightful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub operation: Operation,
    /// None for a team, which is created for a group.
    pub person: Option<PersonId>,
    pub group: Option<GroupId>,
    /// The employee, or None where an employee or a team is created.
    pub employee: Option<EmployeeId>,
    /// The values before, as far as they are known.
    pub before: Values,
    pub after: Values,
}

impl Write {
    pub fn of_team(group: &GroupId, name: &str) -> Self {
        Self {
            operation: Operation::CreateTeam,
            person: None,
            group: Some(group.clone()),
            employee: None,
            before: Values::new(),
            after: [(Field::Name, name.to_owned())].into(),
        }
    }

    pub fn of_invitation(person: &PersonId, new: &NewEmployee) -> Self {
        let NewEmployee {
            name,
            email,
            team,
            settings,
        } = new;
        let after = [
            (Field::Name, name.clone()),
            (Field::Email, email.clone()),
            (Field::Team, team.to_string()),
            (Field::Settings, settings.to_string()),
        ];
        Self {
            operation: Operation::CreateEmployee,
            person: Some(person.clone()),
            group: None,
            employee: None,
            before: Values::new(),
            after: after.into(),
        }
    }

    /// A PUT that overwrites or restores an employee; `planned` has the values that it replaces.
    pub fn of_put(
        operation: Operation,
        person: &PersonId,
        employee: &EmployeeId,
        planned: &FieldWrites,
    ) -> Self {
        let before = planned
            .iter()
            .filter_map(|(field, replace)| Some((*field, replace.from.clone()?)));
        Self {
            operation,
            person: Some(person.clone()),
            group: None,
            employee: Some(employee.clone()),
            before: before.collect(),
            after: Values::new(),
        }
    }

    /// The same with the body that is sent, which may have a part of the fields.
    pub fn with_body(&self, body: &EmployeeUpdate) -> Self {
        let after: Values = fields::written(body).collect();
        let mut before = self.before.clone();
        before.retain(|field, _| after.contains_key(field));
        Self {
            before,
            after,
            ..self.clone()
        }
    }

    pub fn of_deactivation(person: &PersonId, employee: &EmployeeId) -> Self {
        Self {
            operation: Operation::DeactivateEmployee,
            person: Some(person.clone()),
            group: None,
            employee: Some(employee.clone()),
            before: [(Field::Active, "true".to_owned())].into(),
            after: [(Field::Active, "false".to_owned())].into(),
        }
    }

    /// The names of the fields, such as `name,email`.
    pub fn field_names(&self) -> String {
        let names: Vec<String> = self.after.keys().map(ToString::to_string).collect();
        names.join(",")
    }
}

/// Values as one JSON object that hides nothing.
pub fn as_json(values: &Values) -> String {
    let json = serde_json::to_string(values).unwrap_or_default();
    shown_json(&json).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::plan::{NewValue, Replace};

    const JANE: &str = "jane@acme.com";

    /// An entry of a manager that owns these fields of the spec since a minute.
    fn entry(manager: &str, fields: &[&str], minute: i64) -> Value {
        let fields: serde_json::Map<_, _> = fields
            .iter()
            .map(|field| (format!("f:{field}"), json!({})))
            .collect();
        let time = Timestamp::from_second(minute * 60).unwrap().to_string();
        json!({ "manager": manager, "operation": "Apply", "time": time, "fieldsV1": { "f:spec": fields } })
    }

    fn object(spec: Value, entries: &[Value], annotations: &[(&str, &str)]) -> EmployeeMatch {
        let annotations: BTreeMap<&str, &str> = annotations.iter().copied().collect();
        let mut object = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
            "metadata": { "name": "acme-00u1", "annotations": annotations, "managedFields": entries },
            "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "00u1" },
        });
        object["spec"]
            .as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        serde_json::from_value(object).unwrap()
    }

    /// The user, the manager, and the minute.
    fn told(set_by: Option<&SetBy>) -> Option<(Option<&str>, Option<&str>, Option<i64>)> {
        set_by.map(|set_by| {
            let minute = set_by.at.map(|at| at.as_second() / 60);
            (set_by.user.as_deref(), set_by.manager.as_deref(), minute)
        })
    }

    #[test]
    fn who_decided_is_whoever_set_the_decision_last() {
        let by_plugin = [(DECIDED_BY, JANE), (DECIDED_AT, "1970-01-01T00:05:00.5Z")];
        let all = ["decision", "employeeIds", "rejectedEmployeeIds"];
        let matched = || json!({ "decision": "Match", "employeeIds": ["w1"] });
        let plugin = |minute| entry(REVIEW_MANAGER, &all, minute);
        for (case, spec, entries, annotations, expected) in [
            (
                "nobody decided",
                json!({}),
                vec![entry("admin", &["oktaUserId", "decision"], 1)],
                &by_plugin[..],
                None,
            ),
            (
                "with kubectl insightful",
                matched(),
                vec![entry("okta-insightful-operator", &["oktaUserId"], 1), plugin(5)],
                &by_plugin,
                Some((Some(JANE), Some(REVIEW_MANAGER), Some(5))),
            ),
            (
                "by a manifest",
                matched(),
                vec![entry("kustomize-controller", &["decision", "employeeIds"], 3)],
                &[],
                Some((None, Some("kustomize-controller"), Some(3))),
            ),
            (
                "with kubectl edit after kubectl insightful: the annotations are about the decision before",
                json!({ "decision": "Ignore" }),
                vec![plugin(5), entry("kubectl-edit", &["decision"], 9)],
                &by_plugin,
                Some((None, Some("kubectl-edit"), Some(9))),
            ),
            (
                "with kubectl insightful, which took over a manifest's",
                matched(),
                vec![plugin(9), entry("kubectl-edit", &["decision"], 5)],
                &by_plugin,
                Some((Some(JANE), Some(REVIEW_MANAGER), Some(5))),
            ),
            (
                "the employees alone",
                matched(),
                vec![entry("a", &["decision"], 1), entry("b", &["employeeIds"], 2)],
                &[],
                Some((None, Some("b"), Some(2))),
            ),
            (
                "rejected a candidate",
                json!({ "rejectedEmployeeIds": ["w1"] }),
                vec![plugin(5)],
                &by_plugin,
                Some((Some(JANE), Some(REVIEW_MANAGER), Some(5))),
            ),
            (
                "restored without its managers",
                matched(),
                vec![],
                &by_plugin,
                Some((Some(JANE), None, Some(5))),
            ),
            ("nothing tells", matched(), vec![], &[], None),
        ] {
            let set_by = decided_by(&object(spec, &entries, annotations));
            assert_eq!(told(set_by.as_ref()), expected, "{case}");
        }
    }

    #[test]
    fn a_name_is_short_and_hides_nothing() {
        let long = format!("\u{1b}[2J\u{202e}{}", "x".repeat(1000));
        let decided = object(json!({ "decision": "Ignore" }), &[], &[(DECIDED_BY, &long)]);
        let user = decided_by(&decided).unwrap().user.unwrap();
        assert!(user.starts_with(r"\u{1b}[2J\u{202e}xx"), "{user}");
        assert_eq!(user.chars().count(), MAX_NAME);
    }

    #[test]
    fn who_cleared_a_plan_is_whoever_approved_it_or_finalized() {
        let secret = json!({ "secretRef": { "name": "okta", "key": "token" } });
        let integration = |entries: &[Value]| -> OktaIntegration {
            serde_json::from_value(json!({
                "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
                "metadata": { "name": "acme", "managedFields": entries, "annotations": {
                    (APPROVED_BY): JANE, (APPROVED_AT): "1970-01-01T00:07:00Z",
                } },
                "spec": {
                    "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": secret } },
                    "insightful": { "apiToken": secret },
                },
            }))
            .unwrap()
        };
        let approved = || Clearance::Approved("sha256:1".to_owned());
        let resumed = || Clearance::Resumed("sha256:1".to_owned());
        let finalized = entry(REVIEW_MANAGER, &["finalized", "approvedPlan"], 7);
        let patched = entry("kubectl-patch", &["approvedPlan"], 9);
        let by_jane = Some((Some(JANE), Some(REVIEW_MANAGER), Some(7)));
        for (case, entries, clearance, expected) in [
            ("approved", vec![finalized.clone()], approved(), by_jane),
            ("resumed", vec![finalized.clone()], resumed(), by_jane),
            (
                "finalized: the annotation may be about a later approval",
                vec![finalized.clone()],
                Clearance::WithinGuard,
                Some((None, Some(REVIEW_MANAGER), Some(7))),
            ),
            (
                "approved with kubectl patch",
                vec![finalized, patched],
                approved(),
                Some((None, Some("kubectl-patch"), Some(9))),
            ),
        ] {
            let set_by = cleared_by(&integration(&entries), &clearance);
            assert_eq!(told(set_by.as_ref()), expected, "{case}");
        }
    }

    #[test]
    fn a_write_names_exactly_the_fields_that_are_sent() {
        let (person, employee) = (PersonId::from("00u1"), EmployeeId::from("w1"));
        let replace = |from: Option<&str>, to: &str| Replace {
            from: from.map(str::to_owned),
            to: NewValue::Text(to.to_owned()),
            before: None,
            restores: false,
        };
        let planned: FieldWrites = [
            (Field::Name, replace(Some("J. \u{9b}Doe"), "Jane Doe")),
            (Field::Email, replace(Some("j@acme.com"), JANE)),
            (Field::Title, replace(None, "SRE")),
        ]
        .into();
        let put = Write::of_put(Operation::UpdateEmployee, &person, &employee, &planned);
        let body = EmployeeUpdate {
            name: Some("Jane Doe".to_owned()),
            title: Some("SRE".to_owned()),
            ..EmployeeUpdate::default()
        };
        let new = NewEmployee {
            name: "Jane Doe".to_owned(),
            email: JANE.to_owned(),
            team: "wt1".into(),
            settings: "ws1".into(),
        };
        for (write, names, before, after) in [
            (
                put.with_body(&body),
                "name,title",
                r#"{"name":"J. \u009bDoe"}"#,
                r#"{"name":"Jane Doe","title":"SRE"}"#,
            ),
            (
                Write::of_invitation(&person, &new),
                "name,email,team,settings",
                "{}",
                r#"{"name":"Jane Doe","email":"jane@acme.com","team":"wt1","settings":"ws1"}"#,
            ),
            (
                Write::of_deactivation(&person, &employee),
                "active",
                r#"{"active":"true"}"#,
                r#"{"active":"false"}"#,
            ),
            (
                Write::of_team(&"00g1".into(), "Sales"),
                "name",
                "{}",
                r#"{"name":"Sales"}"#,
            ),
        ] {
            assert_eq!(write.field_names(), names);
            assert_eq!(as_json(&write.before), before, "{names}");
            assert_eq!(as_json(&write.after), after, "{names}");
        }
    }
}
