//! The files that are generated from the types.

use std::{fs, path::Path, process::Command};

const FILE: &str = "integrations.insightful.io.yaml";

#[test]
fn the_definitions_in_the_repository_are_what_the_program_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .arg("crd")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.matches("kind: CustomResourceDefinition").count(), 2);

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["crds", "charts/okta-insightful-operator/files/crds"] {
        let folder = root.join(folder);
        let files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, [FILE], "{}", folder.display());
        let kept = fs::read_to_string(folder.join(FILE)).unwrap();
        assert!(
            kept == printed,
            "{} is not what `crd` prints; CONTRIBUTING.md has the two commands that generate it{}",
            folder.join(FILE).display(),
            first_difference(&kept, &printed)
        );
    }
}

#[test]
fn the_page_of_fields_is_what_the_program_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_okta-insightful-operator"))
        .args(["crd", "--reference"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let page =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/okta-insightful-operator/docs/reference.md");
    let kept = fs::read_to_string(&page).unwrap();
    assert!(
        kept == printed,
        "{} is not what `crd --reference` prints; CONTRIBUTING.md has the command that generates it{}",
        page.display(),
        first_difference(&kept, &printed)
    );
}

fn first_difference(kept: &str, printed: &str) -> String {
    let mut lines = kept.lines().zip(printed.lines()).zip(1..);
    lines
        .find(|((kept, printed), _)| kept != printed)
        .map(|((kept, printed), number)| format!("\nline {number}:\n- {kept}\n+ {printed}"))
        .unwrap_or_default()
}
