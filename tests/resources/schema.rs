//! What editors and server-side apply know from the schemas: bounds, patterns, and how lists are merged.

use kube::{
    Api, CustomResourceExt,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee};
use serde_json::{Value, json};

use crate::{
    manifests::{employee_match, integration, with},
    plane,
};

/// Visits each schema below `spec` or `status`, with its path.
fn visit(path: &str, schema: &Value, see: &mut dyn FnMut(&str, &Value)) {
    see(path, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{path}.{name}"), field, see);
    }
    if let Some(items) = schema.get("items") {
        visit(&format!("{path}[]"), items, see);
    }
}

fn parts(part: &str) -> [Value; 3] {
    [
        OktaIntegration::crd(),
        EmployeeMatch::crd(),
        UnmatchedEmployee::crd(),
    ]
    .map(|definition| {
        let definition = serde_json::to_value(definition).unwrap();
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part].clone()
    })
}

#[test]
fn every_value_of_a_spec_is_bounded_by_the_schema() {
    let mut unbounded = Vec::new();
    for spec in parts("spec") {
        visit("spec", &spec, &mut |path, schema| {
            let wanted: &[&str] = if schema["x-kubernetes-int-or-string"] == true {
                &["minimum", "maximum", "pattern"]
            } else if schema.get("enum").is_some() {
                &[]
            } else {
                match schema["type"].as_str().unwrap() {
                    "integer" => &["minimum", "maximum"],
                    "string" => &["maxLength"],
                    "array" => &["maxItems"],
                    _ => &[],
                }
            };
            let missing = wanted.iter().filter(|bound| schema.get(**bound).is_none());
            unbounded.extend(missing.map(|bound| format!("{path}: {bound}")));
        });
    }
    assert_eq!(unbounded, Vec::<String>::new());
    let spec = &parts("spec")[0]["properties"];
    for (schema, bound, expected) in [
        (
            &spec["okta"]["properties"]["rateLimitPercent"],
            "maximum",
            json!(100.0),
        ),
        (&spec["okta"]["properties"]["groupPrefix"], "minLength", json!(1)),
        (&spec["approvedPlan"], "pattern", json!("^sha256:[0-9a-f]{64}$")),
        (
            &spec["sync"]["properties"]["interval"],
            "pattern",
            json!("^([0-9]{1,6}(h|m|s))+$"),
        ),
        (&spec["guard"]["properties"]["maxRelinks"], "minimum", json!(0.0)),
    ] {
        assert_eq!(schema[bound], expected, "{schema}");
    }
}

#[test]
fn every_list_says_how_it_is_merged() {
    let mut unsaid = Vec::new();
    for schema in parts("spec").iter().chain(&parts("status")) {
        visit("", schema, &mut |path, schema| {
            if schema["type"] == "array" && schema.get("x-kubernetes-list-type").is_none() {
                unsaid.push(path.to_owned());
            }
        });
    }
    assert_eq!(unsaid, Vec::<String>::new());
}

#[tokio::test]
async fn of_two_field_managers_only_one_sets_an_order_and_both_reject() {
    let plane = plane().await;
    let client = plane.admin_client().await.unwrap();
    let namespace = plane.namespace("lists").await.unwrap();
    let integrations: Api<OktaIntegration> = Api::namespaced(client.clone(), &namespace);
    let matches: Api<EmployeeMatch> = Api::namespaced(client, &namespace);
    let apply = |manager| PatchParams::apply(manager);
    let conflict = |error: kube::Error| matches!(error, kube::Error::Api(status) if status.code == 409);

    let teams = |teams: [&str; 2]| with(integration(), "teams", json!({ "precedence": teams }));
    let git = Patch::Apply(teams(["Engineering", "Sales"]));
    integrations.patch("acme", &apply("git"), &git).await.unwrap();
    let other = Patch::Apply(teams(["Sales", "Support"]));
    let refused = integrations.patch("acme", &apply("other"), &other).await;
    assert!(conflict(refused.unwrap_err()), "teams.precedence");

    let decided = |employees: Value, rejected: Value| {
        let manifest = with(employee_match(), "decision", json!("Match"));
        let manifest = with(manifest, "employeeIds", employees);
        Patch::Apply(with(manifest, "rejectedEmployeeIds", rejected))
    };
    let name = "acme-00u1a-abcde";
    let git = decided(json!(["w1", "w2"]), json!(["w3"]));
    matches.patch(name, &apply("git"), &git).await.unwrap();
    let other = decided(json!(["w1", "w2"]), json!(["w4"]));
    let both = matches.patch(name, &apply("other"), &other).await.unwrap();
    let mut rejected = both.spec.rejected_employee_ids;
    rejected.sort();
    assert_eq!(rejected, ["w3", "w4"]);
    let other = decided(json!(["w2"]), json!(["w4"]));
    let refused = matches.patch(name, &apply("other"), &other).await;
    assert!(conflict(refused.unwrap_err()), "employeeIds");
}
