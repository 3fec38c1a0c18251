//! Companies whose employees in Insightful were made by its agent on their computers.
//!
//! Nobody invited these people. The agent was rolled out on a day, or came with each new computer,
//! and made a record of the account that it ran in: on a PC in the Windows domain the directory's
//! display name (`Dreyer, Mark`) and `NEWCO\mdreyer`; on a PC of the cloud directory
//! `AzureAD\MarkDreyer`; on a Mac the full name and the computer's name; on somebody's own laptop
//! whatever the owner once typed (`mark`, `Mark's PC`). So most records have no email, and are
//! dated by the roll-out or by some day after the hire.
//!
//! What goes wrong comes from the same: two computers of one human, computers that were handed on
//! under the former user's name or account, computers of a hall or an agency that many use, logins
//! that were given to the next one, two domains of a merger with the same logins for different
//! humans, `adm-` and service accounts, leavers whose record nobody deactivated. Some records were
//! renamed by an admin later, by hand, and got an email.

mod cases;
mod judge;
mod maker;
mod names;
mod style;

use super::{Company, Truth};
use maker::Maker;
use style::weighted;

pub fn generate(seed: u64, size: usize) -> Company {
    let mut maker = Maker::new(seed, size);
    let cases = maker.cases();
    while maker.people.len() < size {
        let case = weighted(&mut maker.rng, &cases);
        case(&mut maker);
    }
    maker.make_orphans();
    maker.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{
        maker::{DAY, rfc3339},
        style::TODAY,
        *,
    };

    #[test]
    fn the_same_seed_gives_the_same_company() {
        let [one, two] = [generate(7, 300), generate(7, 300)];
        assert_eq!(
            format!("{:?}{:?}", one.people, one.employees),
            format!("{:?}{:?}", two.people, two.employees)
        );
        let verdicts = |company: &Company| -> Vec<_> {
            company
                .truths
                .iter()
                .map(|truth| (truth.person.clone(), truth.records.clone(), truth.decidable))
                .collect()
        };
        assert_eq!(verdicts(&one), verdicts(&two));
    }

    #[test]
    fn each_person_has_one_truth_and_each_id_is_one_record() {
        for (seed, size) in (0..20).flat_map(|seed| [(seed, 40), (seed, 700)]) {
            let company = generate(seed, size);
            let people: HashSet<&str> = company
                .people
                .iter()
                .map(|(person, _)| person.id.as_str())
                .collect();
            let records: HashSet<&str> = company
                .employees
                .iter()
                .map(|(employee, _)| employee.id.as_str())
                .collect();
            let told: HashSet<&str> = company.truths.iter().map(|truth| truth.person.as_str()).collect();
            assert_eq!(people.len(), company.people.len());
            assert_eq!(records.len(), company.employees.len());
            assert_eq!(told.len(), company.truths.len());
            assert_eq!(told, people);
            let mut named = HashSet::new();
            for id in company
                .truths
                .iter()
                .flat_map(|truth| truth.records.iter().chain(&truth.old))
            {
                assert!(records.contains(id.as_str()), "seed {seed}: {id}");
                assert!(named.insert(id), "seed {seed}: {id} is the record of two");
            }
            let logins: HashSet<&str> = company
                .people
                .iter()
                .map(|(person, _)| person.login.as_str())
                .collect();
            assert_eq!(
                logins.len(),
                company.people.len(),
                "seed {seed}: a login is taken"
            );
        }
    }

    #[test]
    fn some_people_have_no_employee_and_some_employees_are_nobody() {
        for seed in 0..20 {
            let company = generate(seed, 1_500);
            let without = company
                .truths
                .iter()
                .filter(|truth| truth.records.is_empty())
                .count();
            let share = without as f64 / company.people.len() as f64;
            assert!((0.05..0.20).contains(&share), "seed {seed}: {share}");
            let known: usize = company
                .truths
                .iter()
                .map(|truth| truth.records.len() + truth.old.len())
                .sum();
            let share = 1.0 - known as f64 / company.employees.len() as f64;
            assert!((0.04..0.12).contains(&share), "seed {seed}: {share}");
        }
    }

    #[test]
    fn every_class_occurs() {
        let found: HashSet<&str> = (0..20)
            .flat_map(|seed| generate(seed, 600).truths)
            .map(|truth| truth.class)
            .collect();
        let classes: Vec<&str> = CLASSES.split_whitespace().collect();
        for class in &classes {
            assert!(found.contains(class), "{class}");
        }
        assert_eq!(found.len(), classes.len(), "{found:?}");
    }

    const CLASSES: &str = "
        ActiveLeaver AddressAccount AdminAccountRecord AdminOfTwo AdminOktaAccount AdminRenamed
        AgencyComputer AzureAccount DeactivatedLeaver DomainAccount DomainLoginOnly
        EmployeeNumberAccount FatherAndSon FormerUser GenericAccount HandedOnRenamed HandedOnUnchanged
        KioskWorker LocalDotted LocalFirstName LocalInitial LoginRecycledFrom LoginRecycledTo
        MacFullName MarriedName MergerAlike MergerMoved MergerNewDomain MergerSameLogin
        MicrosoftAccount Namesake NamesakeOutside NamesakeWithRecord NamesakeWithoutRecord NewComputer
        Nickname NoRecord ReplacedDevice RoleWithRecord ServiceAccount SharedMailbox Twin TwoDevices";

    #[test]
    fn times_are_written_as_okta_writes_them() {
        assert_eq!(rfc3339(1_709_164_799_007), "2024-02-28T23:59:59.007Z");
        assert_eq!(rfc3339(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(TODAY * DAY), "2026-03-01T00:00:00.000Z");
    }
}
