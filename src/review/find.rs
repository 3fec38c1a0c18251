//! Finds a person or an employee by a name, an email or an id.

use std::cmp::Reverse;

use super::{Company, PersonView, company::KnownEmployee};
use crate::{
    api::match_name,
    model::text::{email_key, folded},
};

/// What a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    One(T),
    /// Several fit equally well, best first.
    Several(Vec<T>),
    Nobody,
}

/// At most so many are offered.
pub const MAX_OFFERED: usize = 20;

impl<T> Found<T> {
    fn of(mut found: Vec<T>) -> Self {
        match (found.len(), found.pop()) {
            (_, None) => Self::Nobody,
            (1, Some(one)) => Self::One(one),
            (_, Some(last)) => {
                found.push(last);
                found.truncate(MAX_OFFERED);
                Self::Several(found)
            }
        }
    }
}

/// What a person is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonKey {
    pub okta_user_id: String,
    pub name: String,
    pub email: String,
    pub team: String,
}

impl PersonKey {
    /// The person for somebody who has to choose.
    pub fn describe(&self) -> String {
        let Self {
            okta_user_id,
            name,
            email,
            team,
        } = self;
        format!("{name} <{email}> {team} ({okta_user_id})")
    }
}

impl From<PersonView<'_>> for PersonKey {
    fn from(person: PersonView<'_>) -> Self {
        Self {
            okta_user_id: person.id().to_owned(),
            name: person.name().to_owned(),
            email: person.email().unwrap_or_default().to_owned(),
            team: person.team().unwrap_or_default().to_owned(),
        }
    }
}

/// The first of these that somebody of the integration fits: the Okta id or the name of the EmployeeMatch, the email, the
/// whole name, and words of both.
pub fn person<'a>(integration: &str, people: &'a [PersonKey], text: &str) -> Found<&'a PersonKey> {
    let (name, email) = (folded(text), email_key(text));
    let words: Vec<&str> = name.split_whitespace().collect();
    if words.is_empty() {
        return Found::Nobody;
    }
    let text = text.trim();
    let is_id = |person: &PersonKey| {
        person.okta_user_id == text || match_name(integration, &person.okta_user_id) == text
    };
    let has_email = |person: &PersonKey| !email.is_empty() && email_key(&person.email) == email;
    let has_name = |person: &PersonKey| folded(&person.name) == name;
    let has_words = |person: &PersonKey| {
        let key = folded(&format!("{} {}", person.name, person.email));
        words.iter().all(|word| key.contains(word))
    };
    let ways: [&dyn Fn(&PersonKey) -> bool; 4] = [&is_id, &has_email, &has_name, &has_words];
    let by = |fits: &dyn Fn(&PersonKey) -> bool| -> Vec<&'a PersonKey> {
        people.iter().filter(|person| fits(person)).collect()
    };
    let found = ways.into_iter().map(by).find(|found| !found.is_empty());
    Found::of(found.unwrap_or_default())
}

/// As [`person`], for an employee. Among equals those of `nearby`, the person's candidates, come alone.
pub fn employee<'a>(company: &'a Company, text: &str, nearby: PersonView<'_>) -> Found<&'a KnownEmployee> {
    let (name, email) = (folded(text), email_key(text));
    let words: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return Found::Nobody;
    }
    let is_id = |employee: &KnownEmployee| employee.id == text.trim();
    let has_email = |employee: &KnownEmployee| !email.is_empty() && email_key(&employee.email) == email;
    let has_name = |employee: &KnownEmployee| folded(&employee.name) == name;
    let has_words = |employee: &KnownEmployee| employee.fits(&words).is_some();
    let ways: [&dyn Fn(&KnownEmployee) -> bool; 4] = [&is_id, &has_email, &has_name, &has_words];
    for fits in ways {
        let found: Vec<&KnownEmployee> = company.employees().filter(|employee| fits(employee)).collect();
        let near: Vec<&KnownEmployee> = found
            .iter()
            .copied()
            .filter(|employee| nearby.candidate(&employee.id).is_some())
            .collect();
        if !near.is_empty() {
            return Found::of(near);
        }
        if !found.is_empty() {
            return Found::of(found);
        }
    }
    Found::Nobody
}

/// Employees whose name, email, team or id have all words of a text, best first.
pub fn employees<'a>(company: &'a Company, text: &str, max: usize) -> Vec<&'a KnownEmployee> {
    let words: Vec<String> = folded(text).split_whitespace().map(str::to_owned).collect();
    let mut found: Vec<(u8, Reverse<bool>, &KnownEmployee)> = company
        .employees()
        .filter_map(|employee| Some((employee.fits(&words)?, Reverse(employee.is_unmatched), employee)))
        .collect();
    found.sort_by(|(fit, free, employee), (other_fit, other_free, other)| {
        (fit, free, &employee.name, &employee.id).cmp(&(other_fit, other_free, &other.name, &other.id))
    });
    found.truncate(max);
    found.into_iter().map(|(_, _, employee)| employee).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::example::{company, employee as unmatched, person as someone};

    fn of_two_janes() -> Company {
        company(
            vec![
                someone("00u1", "Jane Doe", "Review", Some("w1"), 80),
                someone("00u2", "Jane Doe", "Unmatched", None, 0),
                someone("00u3", "Janet Roe", "Unmatched", None, 0),
            ],
            vec![unmatched("w8", "Jane Doe"), unmatched("w9", "Zoe Poe")],
        )
    }

    #[test]
    fn a_person_is_found_by_id_email_name_or_words() {
        let people: Vec<PersonKey> = of_two_janes().people().map(PersonKey::from).collect();
        let found = |text: &str| match person("acme", &people, text) {
            Found::One(person) => vec![person.okta_user_id.clone()],
            Found::Several(people) => people.iter().map(|person| person.okta_user_id.clone()).collect(),
            Found::Nobody => Vec::new(),
        };
        let name = match_name("acme", "00u1");
        for (text, ids) in [
            ("00u1", &["00u1"][..]),
            (name.as_str(), &["00u1"]),
            ("00U2@ACME.com", &["00u2"]),
            ("jane doe", &["00u1", "00u2"]),
            ("janet", &["00u3"]),
            ("jane", &["00u1", "00u2", "00u3"]),
            ("nobody", &[]),
            (" ", &[]),
        ] {
            assert_eq!(found(text), ids, "{text}");
        }
    }

    #[test]
    fn an_employee_is_found_among_the_candidates_first() {
        let company = of_two_janes();
        let jane = company.person("00u1").unwrap();
        let other = company.person("00u2").unwrap();
        let id = |found: Found<&KnownEmployee>| match found {
            Found::One(employee) => employee.id.clone(),
            Found::Several(employees) => format!("{} of {}", employees[0].id, employees.len()),
            Found::Nobody => String::new(),
        };
        assert_eq!(id(employee(&company, "Jane Doe", jane)), "w1");
        assert_eq!(id(employee(&company, "Jane Doe", other)), "w1 of 2");
        assert_eq!(id(employee(&company, "w8@old.com", other)), "w8");
        assert_eq!(id(employee(&company, "w9", other)), "w9");
        assert_eq!(id(employee(&company, "poe", other)), "w9");
        assert_eq!(id(employee(&company, "nobody", other)), "");
    }

    #[test]
    fn a_search_puts_those_without_a_person_first() {
        let company = of_two_janes();
        let ids: Vec<&str> = employees(&company, "jane", 20)
            .iter()
            .map(|employee| employee.id.as_str())
            .collect();
        assert_eq!(ids, ["w8", "w1"]);
        assert!(employees(&company, "", 20).is_empty());
    }
}
