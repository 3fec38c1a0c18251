//! The kinds of evidence, in words for a people-ops admin, and how often proposals of each kind are right.

use crate::model::EvidenceKind;

/// All kinds, in the order in which a reviewer reads them.
pub const ALL: [EvidenceKind; 17] = [
    EvidenceKind::SameEmailAndName,
    EvidenceKind::SameEmailPartialName,
    EvidenceKind::SameEmailOtherLastName,
    EvidenceKind::SameEmailOtherFirstName,
    EvidenceKind::SameEmailOtherName,
    EvidenceKind::SameEmailNoName,
    EvidenceKind::SharedMailbox,
    EvidenceKind::SameNameFormerDomain,
    EvidenceKind::SameNameSimilarEmail,
    EvidenceKind::SameNameAndLogin,
    EvidenceKind::SameNameAndTeam,
    EvidenceKind::SameNameAndDates,
    EvidenceKind::SameNameOtherEmail,
    EvidenceKind::SameNameOnly,
    EvidenceKind::AccountName,
    EvidenceKind::PartialName,
    EvidenceKind::Circumstances,
];

/// A kind of evidence for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindOfEvidence {
    pub title: &'static str,
    /// How many of 100 proposals of this kind that wait for a decision are right: the lowest and the highest rate in the
    /// companies of `cargo run --release --example evaluate_matching`.
    pub right_of_100: (u8, u8),
    /// Whether the names contradict each other, so that no group of such people is decided at once.
    pub names_contradict: bool,
}

/// Describes a kind.
pub fn describe(kind: EvidenceKind) -> KindOfEvidence {
    use EvidenceKind as Kind;
    let (title, right_of_100) = match kind {
        Kind::SameEmailAndName => ("same email and name", (51, 98)),
        Kind::SameEmailPartialName => ("same email, similar name", (80, 100)),
        Kind::SameEmailOtherLastName => ("same email, other last name", (79, 97)),
        Kind::SameEmailOtherFirstName => ("same email, other first name", (35, 100)),
        Kind::SameEmailOtherName => ("same email, other name", (12, 51)),
        Kind::SameEmailNoName => ("same email, no name to compare", (94, 100)),
        Kind::SharedMailbox => ("shared mailbox", (48, 98)),
        Kind::SameNameFormerDomain => ("same name, email at a former domain", (88, 100)),
        Kind::SameNameSimilarEmail => ("same name, similar email", (83, 91)),
        Kind::SameNameAndLogin => ("same name and login", (87, 92)),
        Kind::SameNameAndTeam => ("same name and team", (89, 98)),
        Kind::SameNameAndDates => ("same name, created at about the same time", (92, 97)),
        Kind::SameNameOtherEmail => ("same name, another email", (79, 85)),
        Kind::SameNameOnly => ("same name, nothing else", (81, 95)),
        Kind::AccountName => ("account name", (75, 89)),
        Kind::PartialName => ("part of the name", (35, 91)),
        Kind::Circumstances => ("neither name nor email", (0, 29)),
    };
    KindOfEvidence {
        title,
        right_of_100,
        names_contradict: matches!(
            kind,
            Kind::SameEmailOtherFirstName | Kind::SameEmailOtherName | Kind::Circumstances
        ),
    }
}

/// Reads a kind by its name in the resources.
pub fn parse(name: &str) -> Option<EvidenceKind> {
    ALL.into_iter().find(|kind| format!("{kind:?}") == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_and_read_by_its_name() {
        for (place, kind) in ALL.into_iter().enumerate() {
            assert!(!ALL[..place].contains(&kind));
            assert_eq!(parse(&format!("{kind:?}")), Some(kind));
            let (low, high) = describe(kind).right_of_100;
            assert!(low <= high && high <= 100);
        }
    }

    #[test]
    fn the_page_for_reviewers_has_the_same_rates() {
        let page = include_str!("../../charts/okta-insightful-operator/docs/review.md");
        for kind in ALL {
            let (low, high) = describe(kind).right_of_100;
            let row = page
                .lines()
                .find(|line| line.starts_with(&format!("| `{kind:?}` |")));
            let row = row.unwrap_or_else(|| panic!("{kind:?} is missing in review.md"));
            assert!(row.ends_with(&format!("| {low} to {high} |")), "{row}");
        }
    }
}
