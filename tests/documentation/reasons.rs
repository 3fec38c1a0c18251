//! `conditions.md` explains every reason and condition in the code, and no other.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::pages::{DOCS, page};

/// Folders of the program for reviewers, which makes no conditions.
const WITHOUT_CONDITIONS: [&str; 3] = ["bin", "plugin", "review"];

/// CamelCase literals in `src/` that are neither reasons nor condition types.
const OTHER_WORDS: [&str; 34] = [
    // Statuses of a condition.
    "True",
    "False",
    "Unknown",
    // Actions of events.
    "Apply",
    "Notify",
    "Sync",
    // Kinds and their names in messages.
    "EmployeeMatch",
    "EmployeeMatches",
    "EmployeeMatchStatus",
    "Integrations",
    "List",
    "OktaIntegration",
    "OktaIntegrations",
    "OktaIntegrationStatus",
    "UnmatchedEmployee",
    "UnmatchedEmployeeStatus",
    // The services' names.
    "Insightful",
    "Okta",
    // Errors of the API server, of Insightful and of TLS.
    "Conflict",
    "EntityNotFound",
    "UnknownIssuer",
    // Parts and styles of an Adaptive Card.
    "AdaptiveCard",
    "Bolder",
    "Medium",
    "RichTextBlock",
    "TextBlock",
    "TextRun",
    // Of the audit log, which docs/audit.md explains.
    "AlreadyDeactivated",
    "Approved",
    "Resumed",
    // Scheme of authorization.
    "Bearer",
    // Arguments of derive macros.
    "Group",
    "PartialEq",
    "String",
];

fn sources() -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if !WITHOUT_CONDITIONS.contains(&name) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "example.rs" {
                sources.push(path);
            }
        }
    }
    sources
}

/// Whether the word is in CamelCase, as types and reasons of conditions are.
fn is_camel_case(word: &str) -> bool {
    word.len() > 3
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_alphabetic())
        && word.chars().any(|c| c.is_ascii_lowercase())
}

/// The CamelCase literals of a source file without its tests.
fn literals(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let words = code.split('"').filter(|word| is_camel_case(word));
    words.map(str::to_owned).collect()
}

#[test]
fn every_reason_and_condition_is_explained_and_no_other() {
    let mut given = BTreeSet::new();
    for source in sources() {
        given.extend(literals(&fs::read_to_string(source).unwrap()));
    }
    for word in OTHER_WORDS {
        assert!(
            given.remove(word),
            "{word} is no longer in src/: remove it from the list above"
        );
    }
    assert!(given.len() > 80, "{given:?}");
    let text = page(&format!("{DOCS}/conditions.md"));
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let explained: BTreeSet<String> = rows.map(str::to_owned).collect();
    let missing: Vec<_> = given.difference(&explained).collect();
    let unknown: Vec<_> = explained.difference(&given).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not explained: {missing:?}; not in the code: {unknown:?}"
    );
}
