//! Every reason that the code can give is explained, and no other.

use std::{collections::BTreeSet, fs, path::Path};

use crate::pages::{DOCS, page};

/// Where reasons of conditions and events are given, or events are told.
const SOURCES: [&str; 21] = [
    "api/conditions.rs",
    "assessment.rs",
    "controller/apply/mod.rs",
    "controller/apply/outside.rs",
    "controller/credentials.rs",
    "controller/events.rs",
    "controller/notify.rs",
    "controller/progress.rs",
    "controller/reconcile.rs",
    "controller/secrets.rs",
    "guard.rs",
    "insightful/error.rs",
    "okta/error.rs",
    "services.rs",
    "status.rs",
    "status/employee_match.rs",
    "status/facts.rs",
    "status/okta_integration.rs",
    "transport/http_error.rs",
    "blocker.rs",
    "gather.rs",
];

/// Words in these files that look like reasons and are something else.
const OTHER_WORDS: [&str; 7] = [
    // Statuses of a condition.
    "True",
    "False",
    "Unknown",
    // Actions of events.
    "Apply",
    "Notify",
    "Sync",
    // What Insightful calls its own error.
    "EntityNotFound",
];

/// Whether the word is in CamelCase, as types and reasons of conditions are.
fn is_camel_case(word: &str) -> bool {
    word.len() > 3
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_alphabetic())
        && word.chars().any(|c| c.is_ascii_lowercase())
}

/// The CamelCase literals of a source file, its tests left out.
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
    for file in SOURCES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        given.extend(literals(&fs::read_to_string(path).unwrap()));
    }
    for word in OTHER_WORDS {
        assert!(given.remove(word), "{word} is in none of the sources any more");
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

/// A source that gives a reason, and that nobody has added above, would be overlooked.
#[test]
fn no_other_source_makes_a_condition() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let root = folders[0].clone();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if !name.ends_with(".rs") || name.ends_with("tests.rs") || SOURCES.contains(&name.as_str()) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for sign in [
                "fn reason(&self)",
                "Fact::new(",
                "WriteFailure {",
                "Disconnected {",
            ] {
                assert!(!text.contains(sign), "{name} has {sign}: add it to SOURCES");
            }
        }
    }
}
