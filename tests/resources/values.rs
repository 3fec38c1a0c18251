//! Values that nobody means, in each field of both kinds: null, empty, of another type, huge and negative. Each is
//! refused with a sentence that names the field, or stored as an object that the operator can read.
//!
//! The fields are those of the generated schemas, so that a new one needs no case of its own.

use futures::{StreamExt as _, stream};
use http::Request;
use kube::{Client, CustomResourceExt, core::Status};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    manifests::{employee_match, integration, with},
    plane,
};

/// Requests at a time.
const CONCURRENCY: usize = 8;

/// Fields that exclude another one.
const EXCLUSIVE: [(&str, &str); 1] = [("serviceApp", "apiToken")];

/// Fields beside which a rule requires another one.
const COMPANIONS: [(&str, &str); 1] = [("attribute", "pattern")];

/// Values of fields that a rule restricts further than the schema does.
const EXAMPLES: [(&str, &str); 2] = [("duration", "4s"), ("lastTransitionTime", "2026-01-31T09:00:00Z")];

fn values() -> Vec<Value> {
    let mut values = vec![
        json!("x".repeat(20_000)),
        json!(vec!["x"; 1500]),
        json!([null]),
        json!([{}]),
    ];
    for text in [
        "null",
        r#""""#,
        r#"" ""#,
        r#""x""#,
        "true",
        "0",
        "-1",
        "50.0",
        "1.5",
        "1e300",
        "9223372036854775807",
        "-9223372036854775808",
        "[]",
        "{}",
        r#"{"x":1}"#,
    ] {
        values.push(serde_json::from_str(text).unwrap());
    }
    values
}

/// A field of a schema, or with `Item` an entry of a list.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item,
}

/// The fields below `schema`, the entries of lists included.
fn fields(schema: &Value, path: &[Step], into: &mut Vec<Vec<Step>>) {
    let mut below = |step: Step, schema: &Value| {
        let path = [path, &[step]].concat();
        into.push(path.clone());
        fields(schema, &path, into);
    };
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        below(Step::Field(name.clone()), field);
    }
    if let Some(items) = schema.get("items") {
        below(Step::Item, items);
    }
}

/// A value that the schema accepts.
fn example(name: &str, schema: &Value) -> Value {
    if let Some((_, value)) = EXAMPLES.iter().find(|(field, _)| *field == name) {
        return json!(value);
    }
    if let Some(default) = schema.get("default") {
        return default.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten();
            let required = required.filter_map(Value::as_str);
            required
                .map(|name| (name.to_owned(), example(name, &schema["properties"][name])))
                .collect()
        }
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("string") if schema["format"] == "date-time" => json!("2026-01-31T09:00:00Z"),
        Some("string") => json!("x"),
        _ => json!(1),
    }
}

/// Sets the value at `path`, with what the schema requires around it.
fn set(object: &mut Value, schema: &Value, path: &[Step], value: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *object = value.clone();
        return;
    };
    match step {
        Step::Field(name) => {
            let schema = &schema["properties"][name];
            if object.get(name).is_none() {
                object[name] = example(name, schema);
            }
            for (_, other) in EXCLUSIVE.iter().filter(|(field, _)| field == name) {
                object.as_object_mut().unwrap().remove(*other);
            }
            for (_, other) in COMPANIONS.iter().filter(|(field, _)| field == name) {
                object[*other] = json!("x");
            }
            set(&mut object[name], schema, rest, value);
        }
        Step::Item => {
            let schema = &schema["items"];
            let mut item = example("", schema);
            set(&mut item, schema, rest, value);
            *object = json!([item]);
        }
    }
}

/// `spec.teams.bindings[].group`, and the name of the last field in it.
fn named(part: &str, path: &[Step]) -> (String, String) {
    let (mut text, mut last) = (part.to_owned(), part.to_owned());
    for step in path {
        match step {
            Step::Field(name) => {
                text += &format!(".{name}");
                last.clone_from(name);
            }
            Step::Item => text += "[]",
        }
    }
    (text, last)
}

fn schema<K: CustomResourceExt>(part: &str) -> Value {
    let definition = serde_json::to_value(K::crd()).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part].clone()
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Create,
    Apply,
    ApplyStatus,
}

async fn send(client: &Client, way: Way, collection: &str, object: &Value) -> Result<Value, Box<Status>> {
    let name = object["metadata"]["name"].as_str().unwrap();
    let apply = "fieldManager=admin&force=true&dryRun=All";
    let request = match way {
        Way::Create => {
            Request::post(format!("{collection}?dryRun=All")).header("content-type", "application/json")
        }
        Way::Apply => Request::patch(format!("{collection}/{name}?{apply}"))
            .header("content-type", "application/apply-patch+yaml"),
        Way::ApplyStatus => Request::patch(format!("{collection}/{name}/status?{apply}"))
            .header("content-type", "application/apply-patch+yaml"),
    };
    let request = request.body(serde_json::to_vec(object).unwrap()).unwrap();
    match client.request(request).await {
        Ok(stored) => Ok(stored),
        Err(kube::Error::Api(status)) => Err(status),
        Err(error) => panic!("{error}"),
    }
}

/// Sends each value in each field, each way. Returns what is wrong, and how many were refused and stored.
async fn walk<K: CustomResourceExt + DeserializeOwned>(
    manifest: &Value,
    part: &str,
    ways: &[Way],
) -> (Vec<String>, [usize; 2]) {
    let plane = plane().await;
    let client = &plane.admin_client().await.unwrap();
    let namespace = plane.namespace("values").await.unwrap();
    let plural = K::crd().spec.names.plural;
    let collection = &format!("/apis/integrations.insightful.io/v1alpha1/namespaces/{namespace}/{plural}");
    if part == "status" {
        let request = Request::post(collection.clone())
            .header("content-type", "application/json")
            .body(serde_json::to_vec(manifest).unwrap())
            .unwrap();
        client.request::<Value>(request).await.unwrap();
    }
    let schema = &schema::<K>(part);
    let mut paths = Vec::new();
    fields(schema, &[], &mut paths);
    assert!(!paths.is_empty());
    let values = values();
    let cases = paths
        .iter()
        .flat_map(|path| values.iter().map(move |value| (path, value)));
    let cases = cases.flat_map(|(path, value)| ways.iter().map(move |way| (path, value, *way)));
    let answers = cases.map(|(path, value, way)| async move {
        let mut object = manifest.clone();
        if object.get(part).is_none() {
            object[part] = json!({});
        }
        set(&mut object[part], schema, path, value);
        let (path, field) = named(part, path);
        let shown: String = value.to_string().chars().take(60).collect();
        let what = format!("{path}: {shown} ({way:?})");
        match send(client, way, collection, &object).await {
            Err(status) if status.message.contains(&field) => Ok(false),
            Err(status) => Err(format!(
                "{what}: the sentence does not name it: {}",
                status.message
            )),
            Ok(stored) => match serde_json::from_value::<K>(stored.clone()) {
                Ok(_) => Ok(true),
                Err(error) => Err(format!(
                    "{what}: stored, and the operator cannot read it: {error}"
                )),
            },
        }
    });
    let mut answers = stream::iter(answers).buffer_unordered(CONCURRENCY);
    let (mut wrong, mut counts) = (Vec::new(), [0, 0]);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(is_stored) => counts[usize::from(is_stored)] += 1,
            Err(what) => wrong.push(what),
        }
    }
    (wrong, counts)
}

fn assert_right((wrong, [refused, stored]): (Vec<String>, [usize; 2])) {
    let first = wrong.iter().take(40).map(String::as_str).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), first.join("\n"));
    assert!(refused > 100 && stored > 10, "{refused} refused, {stored} stored");
}

#[tokio::test]
async fn each_value_in_the_spec_of_an_integration_is_refused_or_understood() {
    let ways = [Way::Create, Way::Apply];
    assert_right(walk::<OktaIntegration>(&integration(), "spec", &ways).await);
}

#[tokio::test]
async fn each_value_in_the_status_of_an_integration_is_refused_or_understood() {
    assert_right(walk::<OktaIntegration>(&integration(), "status", &[Way::ApplyStatus]).await);
}

#[tokio::test]
async fn each_value_in_a_match_is_refused_or_understood() {
    let decided = with(employee_match(), "decision", json!("Match"));
    let decided = with(decided, "employeeIds", json!(["w1"]));
    assert_right(walk::<EmployeeMatch>(&decided, "spec", &[Way::Create, Way::Apply]).await);
    assert_right(walk::<EmployeeMatch>(&decided, "status", &[Way::ApplyStatus]).await);
}
