//! Applies the manifests of `examples/` to a real API server, following their
//! README.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use kube::ResourceExt as _;
use okta_insightful_operator::api::{EmployeeMatch, match_name};
use sandbox::control_plane::ControlPlane;
use serde_json::Value;
use tokio::sync::OnceCell;

/// In order of use: the minimal integration, the decisions, and the integration
/// with all fields.
const FILES: [&str; 5] = [
    "namespace.yaml",
    "secrets.yaml",
    "integration.yaml",
    "decisions.yaml",
    "integration-full.yaml",
];

/// For other tools; tests/gitops checks those for GitOps with the tools' own code.
const FILES_OF_TOOLS: [&str; 7] = [
    "argocd/argocd-cm.yaml",
    "argocd/people.yaml",
    "flux/operator.yaml",
    "flux/people.yaml",
    "flux/rights.yaml",
    "k9s/views.yaml",
    "kustomization.yaml",
];

/// Fields of an integration's spec that `integration-full.yaml` only explains.
const EXPLAINED: [&str; 8] = [
    "approval",
    "approvedPlan",
    "finalized",
    "insightful.url",
    "matching.automatic",
    "okta.auth.serviceApp",
    "suspend",
    "teams.createMissing",
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn read(file: &str) -> String {
    fs::read_to_string(directory().join(file)).unwrap()
}

fn documents(yaml: &str) -> Vec<Value> {
    serde_yaml::from_multiple(yaml).unwrap()
}

async fn plane() -> &'static ControlPlane {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let plane = ControlPlane::shared();
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    INSTALLED
        .get_or_init(async || plane.install_crds(&crds).await.unwrap())
        .await;
    plane
}

#[test]
fn every_file_is_tested_and_in_the_readme() {
    let known: BTreeSet<&str> = FILES.into_iter().chain(FILES_OF_TOOLS).collect();
    let mut in_directory = files(&directory());
    assert!(in_directory.remove("README.md"));
    assert_eq!(
        in_directory.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        known
    );
    let readme = read("README.md");
    for file in known {
        assert!(readme.contains(&format!("| `{file}` |")), "{file}");
    }
}

/// Returns the paths of all files below a directory.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).iter().map(|below| format!("{name}/{below}")));
        } else {
            found.insert(name);
        }
    }
    found
}

#[test]
fn every_match_has_the_name_that_the_operator_gives_it() {
    let matches: Vec<EmployeeMatch> = documents(&read("decisions.yaml"))
        .into_iter()
        .map(|document| serde_json::from_value(document).unwrap())
        .collect();
    assert_eq!(matches.len(), 4);
    for object in matches {
        let expected = match_name(&object.spec.integration_ref.name, &object.spec.okta_user_id);
        assert_eq!(object.name_any(), expected);
    }
}

#[tokio::test]
async fn every_file_can_be_applied_repeatedly() {
    let plane = plane().await;
    let namespace = "people-again";
    // The commands of the README use `people`.
    let elsewhere = |yaml: String| {
        yaml.replace("namespace: people", &format!("namespace: {namespace}"))
            .replace("name: people", &format!("name: {namespace}"))
    };
    let mut kinds = BTreeSet::new();
    for file in FILES {
        let manifests = elsewhere(read(file));
        plane.apply(&manifests).await.unwrap();
        let first = versions(plane, &manifests).await;
        plane.apply(&manifests).await.unwrap();
        assert_eq!(versions(plane, &manifests).await, first, "{file}");
        assert_eq!(diff(plane, &manifests).await, "", "{file}");
        kinds.extend(
            documents(&manifests)
                .iter()
                .map(|document| document["kind"].to_string()),
        );
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

/// Runs `kubectl diff --server-side`, which fails if there are differences.
async fn diff(plane: &ControlPlane, manifests: &str) -> String {
    let file = plane.directory().join("diff.yaml");
    fs::write(&file, manifests).unwrap();
    let arguments = ["diff", "--server-side", "--filename", file.to_str().unwrap()];
    plane.kubectl(&arguments).await.unwrap()
}

/// Other settings in Argo CD's ConfigMap remain.
#[tokio::test]
async fn the_health_scripts_are_merged_into_argo_cds_settings() {
    let plane = plane().await;
    let theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n\
                  data: {url: https://argocd.example.com}\n";
    plane.kubectl(&["create", "namespace", "argocd"]).await.unwrap();
    plane.apply(theirs).await.unwrap();
    let manifest = read("argocd/argocd-cm.yaml");
    let command = manifest
        .lines()
        .find_map(|line| line.strip_prefix("#   kubectl "))
        .unwrap();
    let command = command.replace(
        "argocd-cm.yaml",
        directory().join("argocd/argocd-cm.yaml").to_str().unwrap(),
    );
    let words: Vec<&str> = command.split(' ').collect();
    plane.kubectl(&words).await.unwrap();
    let get = ["get", "configmap", "argocd-cm", "-n", "argocd", "--output=json"];
    let seen: Value = serde_json::from_str(&plane.kubectl(&get).await.unwrap()).unwrap();
    assert_eq!(seen["data"]["url"], "https://argocd.example.com");
    let ours = &documents(&manifest)[0]["data"];
    for (key, script) in ours.as_object().unwrap() {
        assert_eq!(&seen["data"][key], script, "{key}");
    }
}

/// Returns name and resource version of each object of a file.
async fn versions(plane: &ControlPlane, manifests: &str) -> Vec<(String, String)> {
    let mut versions = Vec::new();
    for document in documents(manifests) {
        let text = |pointer| {
            document
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let object = format!("{}/{}", text("/kind"), text("/metadata/name"));
        let arguments = ["get", &object, "--output=jsonpath={.metadata.resourceVersion}"];
        let namespace = format!("--namespace={}", text("/metadata/namespace"));
        let version = plane
            .kubectl(&[&arguments[..], &[&namespace]].concat())
            .await
            .unwrap();
        assert!(!version.is_empty(), "{object}");
        versions.push((object, version));
    }
    versions
}

/// Runs the commands of the README in order, and creates a match as the operator
/// would before the commands that need it.
#[tokio::test]
async fn the_commands_of_the_readme_work() {
    let plane = plane().await;
    let readme = read("README.md");
    let commands: Vec<&str> = readme
        .split("```")
        .filter_map(|block| block.strip_prefix("sh\n"))
        .flat_map(str::lines)
        .collect();
    assert_eq!(commands.len(), 7, "{commands:#?}");
    let name = match_name("acme", "00u9z");
    for command in commands {
        if command.contains("get employeematches") {
            plane.apply(&undecided(&name)).await.unwrap();
        }
        let words = words(&command.replace("NAME", &name).replace("EMPLOYEE_ID", "w1"));
        plane.kubectl(&words).await.unwrap();
    }
    let get = |object: &str, field: &str| {
        [
            "get",
            object,
            "--namespace=people",
            &format!("--output=jsonpath={field}"),
        ]
        .map(str::to_owned)
    };
    // The patch to `Ignore` is valid after `Match` with employees.
    let decision = plane
        .kubectl(&get(&format!("em/{name}"), "{.spec.decision}"))
        .await
        .unwrap();
    assert_eq!(decision, "Ignore");
    let finalized = plane.kubectl(&get("oi/acme", "{.spec.finalized}")).await.unwrap();
    assert_eq!(finalized, "true");
}

#[test]
fn the_command_in_the_comments_names_a_match() {
    let comments = read("decisions.yaml");
    let command: Vec<&str> = comments
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .collect();
    let output = std::process::Command::new("bash")
        .args(["-euc", &command.join("\n")])
        .output()
        .unwrap();
    let name = String::from_utf8(output.stdout).unwrap();
    assert_eq!(name.trim(), match_name("acme", "00u1a2B3c4D5e6F7g8h9"));
}

fn undecided(name: &str) -> String {
    format!(
        "apiVersion: integrations.insightful.io/v1alpha1\n\
         kind: EmployeeMatch\n\
         metadata: {{name: {name}, namespace: people}}\n\
         spec: {{integrationRef: {{name: acme}}, oktaUserId: 00u9z}}\n"
    )
}

/// Splits a `kubectl` command into its arguments, with full paths of files and
/// without comment and `--watch`.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    let in_quotes = |index: usize| index % 2 == 1;
    let words: Vec<String> = line
        .split('\'')
        .enumerate()
        .flat_map(|(index, part)| match in_quotes(index) {
            true => vec![part],
            false => part.split_whitespace().collect(),
        })
        .filter(|word| *word != "--watch")
        .map(|word| match word.ends_with(".yaml") {
            true => directory().join(word).to_str().unwrap().to_owned(),
            false => word.to_owned(),
        })
        .collect();
    assert_eq!(words[0], "kubectl", "{line}");
    words[1..].to_vec()
}

/// Returns the definition of a kind.
fn definition(kind: &str) -> Value {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds/integrations.insightful.io.yaml");
    documents(&fs::read_to_string(crds).unwrap())
        .into_iter()
        .find(|definition| definition["spec"]["names"]["kind"] == kind)
        .unwrap()
}

/// Calls `visit` with each field that the schema lists, its value, and its default. The fields of an object are visited
/// instead of the object.
fn walk(schema: &Value, value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value, &Value)) {
    let Some(fields) = schema["properties"].as_object() else {
        return visit(path, value, &schema["default"]);
    };
    // A field that is only explained may be an object, too.
    if EXPLAINED.contains(&path) && value.is_null() {
        return visit(path, value, &Value::Null);
    }
    for (name, schema) in fields {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        walk(schema, &value[name], &path, visit);
    }
}

#[test]
fn no_field_repeats_its_default_and_the_full_integration_has_all_others() {
    for file in FILES {
        for document in documents(&read(file)) {
            let kind = document["kind"].as_str().unwrap();
            if !["OktaIntegration", "EmployeeMatch"].contains(&kind) {
                continue;
            }
            let schema = &definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            let schema = &schema["properties"]["spec"];
            let is_full = file == "integration-full.yaml";
            walk(schema, &document["spec"], "", &mut |path, value, default| {
                let is_set = !value.is_null();
                assert!(!is_set || value != default, "{file}: {path} is the default");
                let is_explained = EXPLAINED.contains(&path);
                assert!(!is_set || !is_explained, "{file}: {path}");
                assert!(!is_full || is_set || is_explained, "{file}: there is no {path}");
            });
        }
    }
    let full = read("integration-full.yaml");
    for field in EXPLAINED {
        assert!(
            full.contains(&format!("# {field}")) || full.contains(&format!(", {field} ")),
            "{field}"
        );
    }
}

#[test]
fn the_views_for_k9s_have_the_columns_of_the_definitions() {
    let views: Value = serde_yaml::from_str(&read("k9s/views.yaml")).unwrap();
    let views = views["views"].as_object().unwrap();
    let kinds = ["OktaIntegration", "EmployeeMatch"];
    assert_eq!(views.len(), kinds.len());
    for kind in kinds {
        let definition = definition(kind);
        let spec = &definition["spec"];
        let version = &spec["versions"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let resource = [&spec["group"], &version["name"], &spec["names"]["plural"]]
            .map(text)
            .join("/");
        let view = views[&resource].as_object().unwrap();
        let fields: BTreeSet<&str> = view.keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["columns", "sortColumn"].into(),
            "k9s knows no other field"
        );
        let columns = view["columns"].as_array().unwrap().iter().map(text);
        let columns: BTreeSet<String> = columns
            .map(|column| column.trim_end_matches("|W").to_owned())
            .collect();
        let printed = version["additionalPrinterColumns"].as_array().unwrap();
        let mut known: BTreeSet<String> = printed.iter().map(|column| text(&column["name"])).collect();
        assert!(
            columns.is_superset(&known),
            "{resource} lacks a column of {known:?}"
        );
        known.extend(["NAMESPACE", "NAME"].map(str::to_owned));
        assert!(
            columns.is_subset(&known),
            "{columns:?} has one that is not in {known:?}"
        );
        let (sorted, order) = view["sortColumn"].as_str().unwrap().split_once(':').unwrap();
        assert!(columns.contains(sorted) && ["asc", "desc"].contains(&order));
    }
}
