//! Companies as years leave them: nothing is made wrong on purpose, it becomes so.
//!
//! A company is lived month by month. People are hired, get an account in Okta, and a record in Insightful when their
//! department is tracked; they marry, move, get another computer, leave and come back. The company is renamed, buys
//! others, changes its conventions. Every difference between the two services is something that one of them was not
//! told. So the truth is known from the lives, and no record is made to fit it.
//!
//! * `style` draws what makes a company unlike others: size, countries, conventions, age, tidiness, purchases.
//! * `names` has the names of fifteen cultures with their frequencies, `writing` how hands and machines write them,
//!   `addresses` the conventions of addresses and accounts.
//! * `world` holds the state, `life` the events, `okta` and `insightful` how records are made and kept.
//! * `truth` puts both lists together; `judge` says what can be decided.
//!
//! # What belongs to whom
//!
//! `records` are those that a human works with, or worked with last; `old` are replaced ones. A record handed on with
//! a computer is the successor's, whatever name it bears: while nobody renamed it, neither of the two is decidable.
//! After a return, the records of the first time belong to the account of that time while Okta has it; the record in
//! use always belongs to the last account. Second accounts of administrators have none.
//!
//! # What is decidable
//!
//! A careful human with nothing but both lists recognises a record as a person's if its name is not another
//! person's, and
//! * it shares an address with the person (email, login, second email; email, identifier), or the part before the @ or
//!   after the backslash, that no other human has in either list, or
//! * its identifier is the account of a computer that spells the name of this person only, by the usual conventions
//!   ("jdoe", "doej", "jane.doe"), or
//! * its name is the person's in full, no other person or record has those two names together, and the team is the
//!   same, both records were made within three weeks on days without a batch, or the address has a slip, or
//! * its name is close (a slip, a nickname, another spelling; at least one word exact), no other has the same initial
//!   and name, and the team is the same and the time too.
//!
//! The name alone is never enough, and for somebody with two accounts only an address is. A person with several
//! records in use is decidable by any of them. That a person has no record is decidable if no record bears their
//! address, their account or two of their names, other than records of people who are recognisable.

use super::Company;

mod addresses;
mod chance;
mod insightful;
mod judge;
mod life;
mod names;
mod okta;
mod style;
mod truth;
mod world;
mod writing;

/// A company of up to about `size` people in Okta, the same for the same seed and size.
pub fn generate(seed: u64, size: usize) -> Company {
    truth::tell(life::live(seed, size))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn shape(company: &Company) -> Vec<String> {
        let people = company.people.iter().map(|person| format!("{person:?}"));
        let employees = company.employees.iter().map(|employee| format!("{employee:?}"));
        let truths = company.truths.iter().map(|truth| {
            let Truth {
                person,
                records,
                old,
                decidable,
                class,
            } = truth;
            format!("{person} {records:?} {old:?} {decidable} {class}")
        });
        people.chain(employees).chain(truths).collect()
    }

    use super::super::Truth;

    #[test]
    fn a_seed_gives_one_company() {
        let first = shape(&generate(7, 300));
        assert_eq!(first, shape(&generate(7, 300)));
        assert_ne!(first, shape(&generate(8, 300)));
    }

    #[test]
    fn truths_name_records_that_exist_and_no_record_is_two_peoples() {
        for seed in 0..30 {
            for size in [1, 20, 400] {
                let company = generate(seed, size);
                let ids: BTreeSet<String> = company
                    .employees
                    .iter()
                    .map(|(it, _)| it.id.to_string())
                    .collect();
                assert_eq!(ids.len(), company.employees.len());
                let mut claimed = BTreeSet::new();
                for truth in &company.truths {
                    for record in truth.records.iter().chain(&truth.old) {
                        assert!(ids.contains(record), "seed {seed}: {record}");
                        assert!(claimed.insert(record), "seed {seed}: {record} is claimed twice");
                    }
                }
                let people: Vec<String> = company.people.iter().map(|(it, _)| it.id.to_string()).collect();
                let judged: Vec<String> = company.truths.iter().map(|truth| truth.person.clone()).collect();
                assert_eq!(people, judged, "one truth a person");
            }
        }
    }

    #[test]
    fn logins_are_unique_and_fields_have_the_length_that_okta_allows() {
        for seed in 0..30 {
            let company = generate(seed, 500);
            let mut logins = BTreeSet::new();
            for (person, _) in &company.people {
                assert!(
                    logins.insert(person.login.to_lowercase()),
                    "seed {seed}: {}",
                    person.login
                );
                assert!(
                    (5..=100).contains(&person.login.chars().count()),
                    "{}",
                    person.login
                );
                for part in [&person.given_name, &person.family_name].into_iter().flatten() {
                    assert!((1..=50).contains(&part.chars().count()), "{part:?}");
                }
            }
        }
    }

    #[test]
    fn rates_are_plausible() {
        let (mut people, mut with, mut decidable, mut strays, mut employees) = (0, 0, 0, 0, 0);
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        for seed in 0..60 {
            let company = generate(seed, 600);
            assert!(!company.employees.is_empty(), "seed {seed}");
            let claimed: usize = company
                .truths
                .iter()
                .map(|truth| truth.records.len() + truth.old.len())
                .sum();
            people += company.people.len();
            employees += company.employees.len();
            strays += company.employees.len() - claimed;
            for truth in &company.truths {
                with += usize::from(!truth.records.is_empty());
                decidable += usize::from(truth.decidable && !truth.records.is_empty());
                *classes.entry(truth.class).or_default() += 1;
            }
        }
        let share = |part: usize, all: usize| part as f64 / all as f64;
        assert!(
            (0.35..0.9).contains(&share(with, people)),
            "{}",
            share(with, people)
        );
        assert!(
            (0.6..0.98).contains(&share(decidable, with)),
            "{}",
            share(decidable, with)
        );
        assert!(
            (0.03..0.4).contains(&share(strays, employees)),
            "{}",
            share(strays, employees)
        );
        assert!(classes.len() >= 20, "{classes:?}");
        for (class, count) in classes {
            assert!(count * 2 < people, "{class} is the most of all");
        }
    }
}
