//! Who is no person? An account that fits a rule of `spec.okta.exclude`, such as a service account, is not synced:
//! nothing is written for it, and what its match wrote stays.

use std::collections::{BTreeMap, BTreeSet};

use wildmatch::WildMatch;

use crate::{
    api::ExclusionRule,
    model::{AttributeName, Person, PersonId, Snapshot, is_profile_field, text::folded},
};

/// The excluded people, each with the rule that they fit, for people to read.
pub type Excluded<'a> = BTreeMap<&'a PersonId, String>;

/// Returns the people of Okta who fit a rule. Nothing is known of those whom its response lacks.
pub fn excluded<'a>(snapshot: &'a Snapshot, rules: &[ExclusionRule]) -> Excluded<'a> {
    if rules.is_empty() {
        return Excluded::new();
    }
    let rules: Vec<Rule<'_>> = rules.iter().map(Rule::of).collect();
    let fits = |person: &Person| rules.iter().find_map(|rule| rule.fitted_by(person));
    let people = snapshot.people().iter();
    people
        .filter_map(|(id, person)| Some((id, fits(person)?)))
        .collect()
}

/// Whether a person fits a rule.
pub fn is_fitted(rule: &ExclusionRule, person: &Person) -> bool {
    Rule::of(rule).fitted_by(person).is_some()
}

/// The attributes that rules name and that are no fields of a person: they have to be read besides.
pub fn attributes(rules: &[ExclusionRule]) -> BTreeSet<AttributeName> {
    let names = rules.iter().map(|rule| rule.attribute.as_str());
    let names = names.filter(|name| !is_profile_field(name));
    names.map(AttributeName::from).collect()
}

/// A rule, ready for many people.
struct Rule<'a> {
    attribute: &'a str,
    /// As they are written, by their folded text.
    values: BTreeMap<String, &'a str>,
    pattern: Option<(WildMatch, &'a str)>,
}

impl<'a> Rule<'a> {
    fn of(rule: &'a ExclusionRule) -> Self {
        let pattern = rule.pattern.as_deref();
        Self {
            attribute: &rule.attribute,
            values: rule
                .values
                .iter()
                .map(|value| (folded(value), value.as_str()))
                .collect(),
            pattern: pattern.map(|pattern| (WildMatch::new(&folded(pattern)), pattern)),
        }
    }

    /// The part of the rule that a value of the person fits, for people to read.
    fn fitted_by(&self, person: &Person) -> Option<String> {
        person.attribute(self.attribute).find_map(|value| {
            let value = folded(value);
            if value.is_empty() {
                return None;
            }
            if let Some(listed) = self.values.get(&value) {
                return Some(format!("{} is {listed:?}", self.attribute));
            }
            let (glob, pattern) = self.pattern.as_ref()?;
            glob.matches(&value)
                .then(|| format!("{} fits {pattern:?}", self.attribute))
        })
    }
}

#[cfg(test)]
mod tests;
