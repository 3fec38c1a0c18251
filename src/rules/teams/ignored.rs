//! Okta groups that look as if they were meant to be team groups.

use crate::{
    api::IgnoredGroup,
    model::{Snapshot, text::written},
};

/// The shortest part of a prefix that makes a name look meant wherever it stands in it.
const MIN_STEM_CHARS: usize = 4;

/// Groups that are no team groups although their names look as if they were meant to be, sorted by name, each with the
/// reason.
pub fn ignored(snapshot: &Snapshot, prefix: &str) -> Vec<IgnoredGroup> {
    let lookalikes = snapshot.directory().lookalikes().iter();
    let mut ignored: Vec<IgnoredGroup> = lookalikes
        .filter(|(_, name)| looks_meant(name, prefix))
        .map(|(id, name)| IgnoredGroup {
            name: written(name),
            group_id: id.to_string(),
            reason: why_ignored(name, prefix),
        })
        .collect();
    ignored.sort_by(|a, b| (&a.name, &a.group_id).cmp(&(&b.name, &b.group_id)));
    ignored
}

/// Whether a name has the prefix in it, in any case and however it ends. A short prefix is in too many names, except at
/// their beginning.
fn looks_meant(name: &str, prefix: &str) -> bool {
    let stem = prefix
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    let own = name
        .rsplit('\\')
        .next()
        .unwrap_or(name)
        .trim_start()
        .to_lowercase();
    own.starts_with(&prefix.to_lowercase())
        || stem.chars().count() >= MIN_STEM_CHARS && name.to_lowercase().contains(&stem)
}

/// Why a group with the prefix in its name is no team group, and what to do if it is meant to be one.
fn why_ignored(name: &str, prefix: &str) -> String {
    let begins = |name: &str| {
        let mut given = name.chars();
        let mut all = prefix.chars();
        all.all(|expected| {
            given
                .next()
                .is_some_and(|c| folded_char(c) == folded_char(expected))
        })
    };
    let rest = |name: &str| name.chars().skip(prefix.chars().count()).collect::<String>();
    let domain = name.rsplit_once('\\').filter(|(_, own)| begins(own));
    if let Some((domain, own)) = domain {
        format!(
            "the name begins with the domain {domain:?}, as that of a group imported from a directory: make a group {:?} in Okta, and a group rule that adds the members of this one",
            format!("{prefix}{}", rest(own))
        )
    } else if begins(name) {
        format!(
            "the prefix is not written exactly as {prefix:?}: to make it a team group, rename it to {:?}",
            format!("{prefix}{}", rest(name))
        )
    } else if begins(name.trim_start()) {
        format!(
            "the name begins with a blank: to make it a team group, rename it to {:?}",
            format!("{prefix}{}", rest(name.trim_start()))
        )
    } else {
        format!(
            "the name does not begin with {prefix:?}: if it is meant to be a team group, rename it so that it does"
        )
    }
}

fn folded_char(c: char) -> String {
    c.to_lowercase().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::TeamPolicy,
        model::{Complete, Directory, Workforce},
        rules::teams::{Bindings, derive},
    };

    #[test]
    fn a_group_that_looks_meant_says_why_it_is_ignored() {
        for (name, says) in [
            (
                "p_Sales",
                r#"the prefix is not written exactly as "P_": to make it a team group, rename it to "P_Sales""#,
            ),
            (
                "ACME\\P_Sales",
                r#"the name begins with the domain "ACME", as that of a group imported from a directory: make a group "P_Sales" in Okta"#,
            ),
            (
                "acme.com\\p_Sales",
                r#"the name begins with the domain "acme.com""#,
            ),
            (
                "  P_Sales",
                r#"the name begins with a blank: to make it a team group, rename it to "P_Sales""#,
            ),
            ("Old P_Sales", r#"the name does not begin with "P_""#),
            ("P-Sales", r#"the name does not begin with "P_""#),
        ] {
            let reason = why_ignored(name, "P_");
            assert!(reason.starts_with(says), "{name}: {reason}");
        }
        for (name, prefix, looks) in [
            ("okta_insgrp_Sales", "OKTA_INSGRP_", true),
            ("ACME\\OKTA_INSGRP_Sales", "OKTA_INSGRP_", true),
            (" OKTA_INSGRP_Sales", "OKTA_INSGRP_", true),
            ("OKTA_INSGRP-Sales", "OKTA_INSGRP_", true),
            ("Old OKTA_INSGRP_Sales", "OKTA_INSGRP_", true),
            ("OKTA_INSGRP", "OKTA_INSGRP_", true),
            ("Everyone", "OKTA_INSGRP_", false),
            ("OKTA_Sales", "OKTA_INSGRP_", false),
            ("p_Sales", "P_", true),
            ("ACME\\P_Sales", "P_", true),
            ("P-Sales", "P_", false),
            ("Group P_Sales", "P_", false),
        ] {
            assert_eq!(looks_meant(name, prefix), looks, "{name} {prefix}");
        }
        let directory = Directory::new(Complete::from_all_pages(vec![]), Complete::from_all_pages(vec![]));
        let lookalikes = [("g2", "p_b"), ("g1", "p_b"), ("g3", " P_a")];
        let directory = directory.with_lookalikes(lookalikes.map(|(id, name)| (id.into(), name.to_owned())));
        let snapshot = Snapshot::new(
            directory,
            Workforce {
                employees: Complete::from_all_pages(vec![]),
                teams: Complete::from_all_pages(vec![]),
                settings: Complete::from_all_pages(vec![]),
                unreadable: Default::default(),
                organization: None,
            },
        );
        let ignored = ignored(&snapshot, "P_");
        let ids: Vec<_> = ignored.iter().map(|group| group.group_id.as_str()).collect();
        assert_eq!(ids, ["g3", "g1", "g2"]);
        assert!(derive(&snapshot, "P_", &TeamPolicy::default(), &Bindings::default()).is_empty());
    }
}
