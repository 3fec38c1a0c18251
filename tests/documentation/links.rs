//! Links between the pages have a target.

use std::{collections::BTreeSet, fs};

use crate::pages::{DOCS, all, beside, page};

/// Returns the links of a page, except those to other sites.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// Returns the anchors of a page's sections.
fn sections(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles
        .map(|title| {
            let title = title.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_has_an_existing_file_and_section() {
    let mut checked = 0;
    for path in all() {
        let text = page(&path);
        for link in links(&text) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = beside(
                &path,
                if file.is_empty() {
                    path.rsplit('/').next().unwrap()
                } else {
                    file
                },
            );
            assert!(target.exists(), "{path}: {link}");
            if !section.is_empty() {
                let there = sections(&fs::read_to_string(&target).unwrap());
                assert!(
                    there.contains(section),
                    "{path}: {link}; the sections are {there:?}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

#[test]
fn both_readmes_list_every_page_of_the_chart() {
    let pages = all().into_iter().filter(|path| path.starts_with(DOCS));
    let pages: Vec<String> = pages.collect();
    assert!(pages.len() > 15, "{pages:?}");
    for readme in ["README.md", "charts/okta-insightful-operator/README.md"] {
        let text = page(readme);
        let listed: BTreeSet<_> = links(&text)
            .into_iter()
            .map(|link| beside(readme, link))
            .collect();
        for path in &pages {
            assert!(
                listed.contains(&beside("README.md", path)),
                "{readme} does not list {path}"
            );
        }
    }
}
