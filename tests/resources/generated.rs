//! The generated files are up to date.

use std::{fs, path::Path, process::Command};

const FILE: &str = "integrations.insightful.io.yaml";

#[test]
fn the_resource_definitions_are_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .arg("crd")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.matches("kind: CustomResourceDefinition").count(), 3);

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["crds", "charts/okta-insightful-operator/files/crds"] {
        let folder = root.join(folder);
        let files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, [FILE], "{}", folder.display());
        let committed = fs::read_to_string(folder.join(FILE)).unwrap();
        assert!(
            committed == printed,
            "{} is not what `crd` prints; generate it by the two commands in CONTRIBUTING.md{}",
            folder.join(FILE).display(),
            first_difference(&committed, &printed)
        );
    }
}

#[test]
fn the_reference_of_fields_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .args(["crd", "--reference"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let page =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/okta-insightful-operator/docs/reference.md");
    let committed = fs::read_to_string(&page).unwrap();
    assert!(
        committed == printed,
        "{} is not what `crd --reference` prints; generate it by the command in CONTRIBUTING.md{}",
        page.display(),
        first_difference(&committed, &printed)
    );
}

fn first_difference(committed: &str, printed: &str) -> String {
    let mut lines = committed.lines().zip(printed.lines()).zip(1..);
    lines
        .find(|((committed, printed), _)| committed != printed)
        .map(|((committed, printed), number)| format!("\nline {number}:\n- {committed}\n+ {printed}"))
        .unwrap_or_default()
}
