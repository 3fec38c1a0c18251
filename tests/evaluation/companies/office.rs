//! Companies whose Insightful account was filled by the people and systems of an office.
//!
//! A company draws its conventions first (see `office/style.rs`): its cultures, how mailboxes are formed,
//! whether the domain or that convention has changed and when, how the names in Okta and in Insightful are
//! spelled, what the HR export looks like, how careless its managers are, whether teams are mirrored, and
//! whether dates tell anything.
//!
//! Records came into Insightful by three channels, in a mix of its own for each company: an HR export (legal
//! names, "Last, First", middle names, two surnames, titles, suffixes; the employee number as the
//! identifier), invitations that managers typed by hand (short forms, typos, notes, teams in brackets,
//! private addresses), and the directory of the computers (display names, the account's name as identifier,
//! with an address or none).
//!
//! Then time goes by (see `office/stories.rs`): people move, marry, leave, come back, and get new mailboxes;
//! addresses and records are handed on; copies are deactivated; and the company has namesakes, twins, fathers
//! and sons, admin accounts, service accounts and shared mailboxes. Most people are plain in most companies;
//! in one whose domain changed and whose Insightful did not follow, most are `Rebrand`, and so on.
//!
//! Whether a match is decidable is weighed when everybody is there (`World::weigh`): by the address or
//! account, by the name and by how many bear it, by the team where teams tell, and by the dates where dates
//! tell.

mod dice;
mod names;
mod stories;
mod style;
mod world;

use super::Company;
use world::World;

/// A company of about `size` people in Okta.
pub fn generate(seed: u64, size: usize) -> Company {
    let mut world = World::new(seed, size);
    while world.people() < size {
        stories::tell_one(&mut world);
    }
    let orphans = (world.employees() as f64 * world.style.orphans).ceil() as usize;
    for _ in 0..orphans {
        stories::orphan(&mut world);
    }
    world.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    const CLASSES: &[&str] = &[
        "AddressGivenOn",
        "AddressInherited",
        "AdLogin",
        "AdminAccount",
        "AdminsOwn",
        "Alias",
        "BehindInOkta",
        "Contractor",
        "Convention",
        "CrossedAddress",
        "CrossedAddressOwner",
        "DeactivatedCopy",
        "FatherAndSon",
        "GivenOnly",
        "HandedOn",
        "HandedOnInPart",
        "HandedOnLeaver",
        "Leaver",
        "LeaverRebrand",
        "LeftBefore",
        "Married",
        "MarriedInsightful",
        "Moved",
        "Namesake",
        "NamesakeBlind",
        "NamesakeByTeam",
        "NamesakeTracked",
        "NamesakeUntracked",
        "NameOnly",
        "NoRecord",
        "NotStarted",
        "NumberOnly",
        "Plain",
        "PlusTag",
        "PrivateAddress",
        "Rebrand",
        "Rehired",
        "RehiredFormer",
        "RehiredNewRecord",
        "RoleMailbox",
        "SecondDevice",
        "ServiceAccount",
        "StrangersNamesake",
        "Twin",
        "TypoAddress",
    ];

    #[test]
    fn the_same_seed_gives_the_same_company() {
        let [one, same, other] = [7, 7, 8].map(|seed| generate(seed, 300));
        assert_eq!(one.people, same.people);
        assert_eq!(one.employees, same.employees);
        assert_ne!(one.people, other.people);
    }

    #[test]
    fn each_person_has_one_truth_and_all_ids_exist_once() {
        for (seed, size) in [(1, 40), (2, 500), (3, 5_000)] {
            let company = generate(seed, size);
            let people: HashSet<&str> = company
                .people
                .iter()
                .map(|(person, _)| person.id.as_str())
                .collect();
            let employees: HashSet<&str> = company
                .employees
                .iter()
                .map(|(employee, _)| employee.id.as_str())
                .collect();
            assert_eq!(people.len(), company.people.len());
            assert_eq!(employees.len(), company.employees.len());
            let of: HashSet<&str> = company.truths.iter().map(|truth| truth.person.as_str()).collect();
            assert_eq!(of, people);
            assert_eq!(company.truths.len(), people.len());
            let named: Vec<&String> = company
                .truths
                .iter()
                .flat_map(|truth| truth.records.iter().chain(&truth.old))
                .collect();
            assert!(named.iter().all(|record| employees.contains(record.as_str())));
            assert_eq!(
                named.iter().collect::<HashSet<_>>().len(),
                named.len(),
                "a record is one human's"
            );
        }
    }

    #[test]
    fn logins_and_the_addresses_of_employees_are_unique() {
        let company = generate(11, 3_000);
        let logins: HashSet<String> = company
            .people
            .iter()
            .map(|(person, _)| person.login.to_lowercase())
            .collect();
        assert_eq!(logins.len(), company.people.len());
        let emails = company
            .employees
            .iter()
            .map(|(employee, _)| employee.email.to_lowercase());
        let emails: Vec<String> = emails.filter(|email| !email.is_empty()).collect();
        assert_eq!(emails.iter().collect::<HashSet<_>>().len(), emails.len());
    }

    #[test]
    fn few_are_without_the_other_side() {
        for seed in 0..20 {
            let company = generate(seed, 1_000);
            let without = company
                .truths
                .iter()
                .filter(|truth| truth.records.is_empty())
                .count();
            let share = without as f64 / company.people.len() as f64;
            assert!((0.05..=0.20).contains(&share), "{seed}: {share}");
            let named: usize = company
                .truths
                .iter()
                .map(|truth| truth.records.len() + truth.old.len())
                .sum();
            let orphans = 1.0 - named as f64 / company.employees.len() as f64;
            assert!((0.04..=0.11).contains(&orphans), "{seed}: {orphans}");
        }
    }

    #[test]
    fn every_class_occurs() {
        let mut found = BTreeMap::new();
        for seed in 0..20 {
            for truth in generate(seed, 1_000).truths {
                *found.entry(truth.class).or_insert(0) += 1;
            }
        }
        let found: HashSet<&str> = found.into_keys().collect();
        assert_eq!(found, CLASSES.iter().copied().collect());
    }
}
