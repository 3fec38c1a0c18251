//! The Markdown pages of the repository, and their commands.

use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The directory of the chart's pages.
pub const DOCS: &str = "charts/okta-insightful-operator/docs";

/// Returns the text of a page by its path in the repository.
#[track_caller]
pub fn page(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the paths of all pages, sorted.
pub fn all() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                let path = path.strip_prefix(ROOT).unwrap();
                pages.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort();
    pages
}

/// Returns the commands of a page's `sh` blocks, with continued lines joined.
pub fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    let mut open = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() {
            match line.strip_suffix('\\') {
                Some(start) => open.push_str(start),
                None => commands.push(std::mem::take(&mut open) + line),
            }
        }
    }
    commands
}

/// Returns a section of a page, up to the next title.
#[track_caller]
pub fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let after = text.split(&format!("\n## {title}\n")).nth(1);
    let after = after.unwrap_or_else(|| panic!("no section {title:?}"));
    after.split("\n## ").next().unwrap()
}

/// Resolves the target of a link relative to its page.
pub fn beside(page: &str, link: &str) -> PathBuf {
    Path::new(ROOT).join(page).parent().unwrap().join(link)
}
