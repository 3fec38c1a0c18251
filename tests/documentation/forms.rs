//! The forms for issues are such as GitHub shows: it ignores a form with a mistake.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

const FORMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/ISSUE_TEMPLATE");

#[test]
fn github_accepts_each_issue_form() {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(Path::new(FORMS)).unwrap() {
        let path = entry.unwrap().path();
        let form: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let path = path.display();
        for key in form.as_object().unwrap().keys() {
            let known = ["name", "description", "labels", "body"];
            assert!(known.contains(&key.as_str()), "{path}: {key}");
        }
        assert!(names.insert(form["name"].as_str().unwrap().to_owned()), "{path}");
        assert!(form["description"].is_string(), "{path}");
        let (mut ids, mut labels) = (BTreeSet::new(), BTreeSet::new());
        for field in form["body"].as_array().unwrap() {
            let attributes = &field["attributes"];
            match field["type"].as_str().unwrap() {
                "markdown" => {
                    assert!(attributes["value"].is_string(), "{path}: {field}");
                    continue;
                }
                "dropdown" => assert!(attributes["options"].is_array(), "{path}: {field}"),
                "input" => assert_eq!(attributes["render"], json!(null), "{path}: {field}"),
                "textarea" => {}
                other => panic!("{path}: {other}"),
            }
            assert!(ids.insert(field["id"].as_str().unwrap()), "{path}: {field}");
            assert!(
                labels.insert(attributes["label"].as_str().unwrap()),
                "{path}: {field}"
            );
        }
        assert!(!ids.is_empty(), "{path}");
    }
    assert!(names.len() >= 3, "{names:?}");
}
