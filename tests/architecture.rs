//! Imports run one way: the rules and matching reach no client, no controller and no runtime, and the clients reach
//! no rule.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each folder of `src/` with the folders and files of `src/` that it may import.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("api", &["model"]),
    ("http", &["model"]),
    ("okta", &["http", "model"]),
    ("insightful", &["http", "model"]),
    ("services", &["api", "http", "insightful", "model", "okta"]),
    ("matching", &["model"]),
    ("rules", &["api", "matching", "model"]),
    ("review", &["api", "model", "rules"]),
    ("plugin", &["api", "http", "model", "new_file", "review"]),
    ("bin", &[]),
    (
        "controller",
        &[
            "api",
            "http",
            "insightful",
            "matching",
            "model",
            "okta",
            "rules",
            "services",
        ],
    ),
    (
        "cli",
        &[
            "api",
            "controller",
            "http",
            "insightful",
            "matching",
            "model",
            "new_file",
            "okta",
            "review",
            "rules",
            "services",
            "telemetry",
        ],
    ),
];

/// Folders of plain functions from values to values.
const PURE: [&str; 4] = ["matching", "model", "review", "rules"];

/// What a pure folder must not use: I/O, a clock, a runtime, a client.
const IMPURE: [&str; 11] = [
    "tokio::",
    "futures::",
    "kube::Client",
    "kube::Api",
    "reqwest::",
    "std::fs",
    "std::net",
    "std::env",
    "Timestamp::now",
    "Instant::now",
    "async fn",
];

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The code of a source file, without comments and tests.
fn code(path: &Path) -> String {
    if path.ends_with("tests.rs") || path.ends_with("example.rs") {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = program.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The top-level modules that `code` names by `crate::`, alone or in a group.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters.take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let Some(group) = after.strip_prefix('{') else {
            found.insert(word(after));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => found.extend([word(&std::mem::take(&mut item))]),
                _ => {}
            }
            if depth == 0 && c != ',' {
                item.push(c);
            }
        }
        found.insert(word(&item));
    }
    found.remove("");
    found
}

#[test]
fn imports_are_found_alone_in_groups_and_in_paths() {
    let code = "use crate::{\n    api::{Field, State},\n    http,\n    rules::plan::Plan,\n};\nuse crate::model::Id;\n\
                let x = crate::okta::person(1);";
    let expected = ["api", "http", "model", "okta", "rules"].map(str::to_owned);
    assert_eq!(imports(code), expected.into());
}

#[test]
fn every_folder_imports_only_what_lies_below_it() {
    let allowed: BTreeMap<_, _> = MAY_IMPORT.into();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders: BTreeSet<String> = fs::read_dir(src)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<String> = allowed.keys().map(|folder| (*folder).to_owned()).collect();
    assert_eq!(folders, listed, "every folder of src/ stands in the table");
    let mut upwards = Vec::new();
    for (folder, below) in &allowed {
        for path in sources(folder) {
            for import in imports(&code(&path)) {
                if import != *folder && !below.contains(&import.as_str()) {
                    upwards.push(format!("{} imports {import}", path.display()));
                }
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}

#[test]
fn rules_matching_model_and_review_are_pure() {
    let mut impure = Vec::new();
    for folder in PURE {
        for path in sources(folder) {
            let code = code(&path);
            let used = IMPURE.iter().filter(|what| code.contains(**what));
            impure.extend(used.map(|what| format!("{} uses {what}", path.display())));
        }
    }
    assert!(impure.is_empty(), "{impure:#?}");
}

/// kube's own text of such an error repeats the answer as Rust prints it.
#[test]
fn errors_of_the_api_server_are_shown_by_their_message() {
    let mut as_printed = Vec::new();
    for path in sources("") {
        let code = code(&path);
        for variant in code.split("#[error(").skip(1) {
            let variant = variant.split("\n}").next().unwrap();
            if variant.contains("kube::Error") && !variant.contains("cluster::message(") {
                as_printed.push(format!("{}: {variant}", path.display()));
            }
        }
    }
    assert!(as_printed.is_empty(), "{as_printed:#?}");
}
