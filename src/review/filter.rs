//! Which people a list shows, and in which groups.

use std::collections::BTreeMap;

use super::{Company, PersonView, evidence};
use crate::{
    api::{Field, FieldChange, MatchState},
    model::{EvidenceKind, text::folded},
};

/// The lists of the review screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tab {
    #[default]
    Review,
    Unmatched,
    Conflict,
    Sure,
    Changed,
    Deactivations,
    Ignored,
    Everybody,
    /// The first three together.
    Waiting,
}

impl Tab {
    pub const ALL: [Self; 9] = [
        Self::Review,
        Self::Unmatched,
        Self::Conflict,
        Self::Sure,
        Self::Changed,
        Self::Deactivations,
        Self::Ignored,
        Self::Everybody,
        Self::Waiting,
    ];

    /// As in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Unmatched => "unmatched",
            Self::Conflict => "conflict",
            Self::Sure => "sure",
            Self::Changed => "changed",
            Self::Deactivations => "deactivations",
            Self::Ignored => "ignored",
            Self::Everybody => "everybody",
            Self::Waiting => "waiting",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Review => "Review",
            Self::Unmatched => "Unmatched",
            Self::Conflict => "Conflict",
            Self::Sure => "Sure",
            Self::Changed => "Changed",
            Self::Deactivations => "Deactivations",
            Self::Ignored => "Ignored",
            Self::Everybody => "Everybody",
            Self::Waiting => "Waiting",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.name() == name)
    }

    pub fn shows(self, person: PersonView<'_>) -> bool {
        let state = person.state();
        match self {
            Self::Review => state == Some(MatchState::Review),
            Self::Unmatched => state == Some(MatchState::Unmatched),
            Self::Conflict => state == Some(MatchState::Conflict),
            Self::Sure => matches!(state, Some(MatchState::Proposed | MatchState::Matched)),
            Self::Changed => !person.changes().is_empty() || !person.unmatching().is_empty(),
            Self::Deactivations => person.deactivates(),
            Self::Ignored => state == Some(MatchState::Ignored),
            Self::Everybody => true,
            Self::Waiting => person.waits(),
        }
    }
}

/// What a list is narrowed to. Everything that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub tab: Tab,
    /// Words of a name, email, team or id of the person or an employee beside them.
    pub text: String,
    pub team: Option<String>,
    /// The least and the greatest confidence in percent.
    pub confidence: (Option<i32>, Option<i32>),
    pub evidence: Option<EvidenceKind>,
    /// A field that the next apply changes.
    pub field: Option<Field>,
    /// Only decisions of this account.
    pub decided_by: Option<String>,
}

impl Filter {
    pub fn shows(&self, person: PersonView<'_>) -> bool {
        self.tab.shows(person) && self.fits(person)
    }

    /// Whether all but the tab fits.
    pub fn fits(&self, person: PersonView<'_>) -> bool {
        let (least, greatest) = self.confidence;
        let confidence = person.confidence();
        let in_team = |team: &String| {
            let teams = [
                person.team(),
                person.employee().and_then(|employee| employee.team.as_deref()),
            ];
            teams
                .into_iter()
                .flatten()
                .any(|other| folded(other) == folded(team))
        };
        self.team.as_ref().is_none_or(in_team)
            && least.is_none_or(|least| confidence.is_some_and(|confidence| confidence >= least))
            && greatest.is_none_or(|greatest| confidence.is_some_and(|confidence| confidence <= greatest))
            && self.evidence.is_none_or(|kind| person.evidence() == Some(kind))
            && self.field.is_none_or(|field| {
                person
                    .changes()
                    .iter()
                    .any(|change: &FieldChange| change.field == field)
            })
            && self
                .decided_by
                .as_deref()
                .is_none_or(|account| person.is_decided() && person.decided_by() == Some(account))
            && self.has_text(person)
    }

    fn has_text(&self, person: PersonView<'_>) -> bool {
        let words: Vec<String> = folded(&self.text).split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            return true;
        }
        let key = search_key(person);
        words.iter().all(|word| key.contains(word.as_str()))
    }
}

/// What a search for a person looks in.
fn search_key(person: PersonView<'_>) -> String {
    let mut key = person.name().to_owned();
    let mut add = |text: Option<&str>| {
        if let Some(text) = text {
            key.push(' ');
            key.push_str(text);
        }
    };
    add(person.email());
    add(person.team());
    add(Some(person.id()));
    if let Some(employee) = person.employee() {
        add(Some(&employee.name));
        add(Some(&employee.email));
        add(employee.team.as_deref());
        add(Some(&employee.id));
    }
    for candidate in person.candidates() {
        add(Some(&candidate.name));
        add(Some(&candidate.email));
        add(Some(&candidate.employee_id));
    }
    folded(&key)
}

/// People who are reviewed together.
#[derive(Debug)]
pub struct Group<'a> {
    /// None for people without a proposal, and in lists that are not grouped.
    pub evidence: Option<EvidenceKind>,
    pub people: Vec<PersonView<'a>>,
}

/// Returns the people whom a filter shows. Those in review are grouped by the kind of evidence, the surest first in each
/// group; other lists are one group, by name.
pub fn groups<'a>(company: &'a Company, filter: &Filter) -> Vec<Group<'a>> {
    let shown: Vec<PersonView<'_>> = company.people().filter(|person| filter.shows(*person)).collect();
    if !matches!(filter.tab, Tab::Review | Tab::Waiting) {
        let mut people = shown;
        people.sort_by_cached_key(|person| (folded(person.name()), person.id().to_owned()));
        return match people.is_empty() {
            true => Vec::new(),
            false => vec![Group {
                evidence: None,
                people,
            }],
        };
    }
    let mut groups: BTreeMap<Option<EvidenceKind>, Vec<PersonView<'_>>> = BTreeMap::new();
    for person in shown {
        groups.entry(person.evidence()).or_default().push(person);
    }
    let order = |kind: &Option<EvidenceKind>| match kind {
        Some(kind) => evidence::ALL.iter().position(|other| other == kind),
        None => Some(evidence::ALL.len()),
    };
    let mut groups: Vec<Group<'_>> = groups
        .into_iter()
        .map(|(evidence, mut people)| {
            people.sort_by_cached_key(|person| {
                let confidence = person.confidence().unwrap_or_default();
                (-confidence, folded(person.name()), person.id().to_owned())
            });
            Group { evidence, people }
        })
        .collect();
    groups.sort_by_key(|group| order(&group.evidence));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::example::{company, person, with};

    #[test]
    fn every_state_stands_in_its_list() {
        for (state, tabs) in [
            ("Review", vec![Tab::Review, Tab::Waiting]),
            ("Unmatched", vec![Tab::Unmatched, Tab::Waiting]),
            ("Conflict", vec![Tab::Conflict, Tab::Waiting]),
            ("Proposed", vec![Tab::Sure]),
            ("Matched", vec![Tab::Sure]),
            ("Ignored", vec![Tab::Ignored]),
            ("OutOfScope", vec![]),
            ("Deactivated", vec![]),
        ] {
            let object = person("00u1", "Jane Doe", state, Some("w1"), 80);
            let view = PersonView::new(&object);
            let shown: Vec<Tab> = Tab::ALL.into_iter().filter(|tab| tab.shows(view)).collect();
            let mut expected = [tabs, vec![Tab::Everybody]].concat();
            expected.sort();
            assert_eq!(shown, expected, "{state}");
        }
    }

    #[test]
    fn a_filter_narrows_by_everything_that_is_given() {
        let object = with(person("00u1", "Renée Doe", "Review", Some("w1"), 80), |status| {
            status["changes"] =
                serde_json::json!([{ "field": "team", "from": "Default", "to": "Engineering" }]);
        });
        let view = PersonView::new(&object);
        let filter = Filter::default;
        for (filter, shows) in [
            (filter(), true),
            (
                Filter {
                    text: "RENÉE w1".into(),
                    ..filter()
                },
                true,
            ),
            (
                Filter {
                    text: "renée roe".into(),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    team: Some("engineering".into()),
                    ..filter()
                },
                true,
            ),
            (
                Filter {
                    team: Some("default".into()),
                    ..filter()
                },
                true,
            ),
            (
                Filter {
                    team: Some("Sales".into()),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    confidence: (Some(80), Some(80)),
                    ..filter()
                },
                true,
            ),
            (
                Filter {
                    confidence: (Some(81), None),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    confidence: (None, Some(79)),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    evidence: Some(EvidenceKind::SameNameOnly),
                    ..filter()
                },
                true,
            ),
            (
                Filter {
                    evidence: Some(EvidenceKind::AccountName),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    field: Some(Field::Team),
                    ..filter()
                },
                true,
            ),
            (
                Filter {
                    field: Some(Field::Email),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    decided_by: Some("ann".into()),
                    ..filter()
                },
                false,
            ),
            (
                Filter {
                    tab: Tab::Sure,
                    ..filter()
                },
                false,
            ),
        ] {
            assert_eq!(filter.shows(view), shows, "{filter:?}");
        }
    }

    #[test]
    fn people_in_review_stand_together_by_evidence_surest_first() {
        let of_kind = |id: &str, name: &str, kind: &str, confidence| {
            with(person(id, name, "Review", Some(id), confidence), |status| {
                status["proposal"]["evidence"] = serde_json::json!(kind);
            })
        };
        let company = company(
            vec![
                of_kind("00u1", "B", "SameNameOnly", 70),
                of_kind("00u2", "A", "SameNameOnly", 90),
                of_kind("00u3", "C", "SameEmailAndName", 60),
                person("00u4", "D", "Proposed", Some("w4"), 99),
            ],
            vec![],
        );
        let groups = groups(&company, &Filter::default());
        let shown: Vec<(Option<EvidenceKind>, Vec<&str>)> = groups
            .iter()
            .map(|group| {
                (
                    group.evidence,
                    group.people.iter().map(|person| person.name()).collect(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (Some(EvidenceKind::SameEmailAndName), vec!["C"]),
                (Some(EvidenceKind::SameNameOnly), vec!["A", "B"]),
            ]
        );
    }
}
