//! Properties of proposals that hold for every directory.

#[path = "evaluation/companies/mod.rs"]
mod companies;
#[path = "evaluation/directory.rs"]
mod directory;

use std::collections::{BTreeMap, BTreeSet};

use companies::Family;
use directory::{Case, proposals};
use okta_insightful_operator::{
    api::ProposalKind,
    matching::{Candidate, EmployeeRecord, Evidence, PersonRecord, Proposal, Verdict, propose},
    model::{EmployeeId, OktaStatus, OtherNames, Person, PersonId},
};
use proptest::prelude::*;

type Proposals = BTreeMap<PersonId, Proposal>;

fn automatic(proposals: &Proposals) -> BTreeSet<(PersonId, EmployeeId)> {
    proposals
        .iter()
        .filter(|(_, proposal)| proposal.verdict == Verdict::Auto)
        .filter_map(|(person, proposal)| Some((person.clone(), proposal.best()?.employee.clone())))
        .collect()
}

fn is_true(case: &Case, person: &PersonId, employee: &EmployeeId) -> bool {
    case.truths
        .get(person.as_str())
        .is_some_and(|truth| truth.records.iter().any(|record| record == employee.as_str()))
}

/// Shuffles a list; `order` is the seed.
fn shuffled<T: Copy>(list: &[T], order: u64) -> Vec<T> {
    let mut list = list.to_vec();
    let mut state = order | 1;
    for at in (1..list.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or_default() % (at + 1);
        list.swap(at, other);
    }
    list
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_input_does_not_matter(seed in 0_u64..10_000, size in 20_usize..300, order: u64) {
        let case = Case::from(Family::Hard.generate(seed, size));
        let evidence = case.evidence();
        let other = Evidence {
            people: shuffled::<PersonRecord<'_>>(&evidence.people, order),
            employees: shuffled::<EmployeeRecord<'_>>(&evidence.employees, order),
            ..evidence.clone()
        };
        prop_assert_eq!(propose(&evidence), propose(&other));
    }

    #[test]
    fn an_employee_is_automatic_for_at_most_one_person(seed in 0_u64..10_000, size in 20_usize..600) {
        let case = Case::from(Family::Hard.generate(seed, size));
        let pairs = automatic(&propose(&case.evidence()));
        let employees: BTreeSet<&EmployeeId> = pairs.iter().map(|(_, employee)| employee).collect();
        prop_assert_eq!(employees.len(), pairs.len());
        prop_assert!(!pairs.is_empty(), "a directory without automatic matches proves nothing");
    }

    #[test]
    fn a_rejected_employee_is_never_proposed(seed in 0_u64..10_000, size in 20_usize..300) {
        let case = Case::from(Family::Hard.generate(seed, size));
        let mut evidence = case.evidence();
        // Rejects the first candidate of each person, three times.
        for _ in 0..3 {
            let proposals = propose(&evidence);
            for (person, proposal) in &proposals {
                for candidate in &proposal.candidates {
                    prop_assert!(!evidence.rejected.contains(&(person.clone(), candidate.employee.clone())));
                }
            }
            evidence.rejected.extend(
                proposals.iter().filter_map(|(person, proposal)| Some((person.clone(), proposal.best()?.employee.clone()))),
            );
        }
        prop_assert!(!evidence.rejected.is_empty());
    }

    #[test]
    fn a_bound_employee_is_only_shown_to_others(seed in 0_u64..10_000, size in 20_usize..300) {
        let case = Case::from(Family::Hard.generate(seed, size));
        let mut evidence = case.evidence();
        // Every second automatic match is in force.
        let bound: BTreeMap<EmployeeId, PersonId> = automatic(&propose(&evidence))
            .into_iter()
            .step_by(2)
            .map(|(person, employee)| (employee, person))
            .collect();
        evidence.bound = bound.clone();
        for (person, proposal) in propose(&evidence) {
            let is_others = |candidate: &Candidate| bound.get(&candidate.employee).is_some_and(|holder| *holder != person);
            for candidate in &proposal.candidates {
                let holder = bound.get(&candidate.employee).filter(|_| is_others(candidate));
                prop_assert_eq!(candidate.matched_to.as_ref(), holder);
            }
            prop_assert!(!proposal.best().is_some_and(is_others));
        }
    }

    #[test]
    fn an_unrelated_person_never_makes_a_false_pair_automatic(seed in 0_u64..10_000, size in 20_usize..300) {
        let case = Case::from(Family::Hard.generate(seed, size));
        let evidence = case.evidence();
        let before = automatic(&propose(&evidence));
        let stranger = Person {
            id: "00ustranger".into(),
            login: "zzyzx.qwxkz@elsewhere.example".into(),
            given_name: Some("Zzyzx".into()),
            family_name: Some("Qwxkz".into()),
            email: Some("zzyzx.qwxkz@elsewhere.example".into()),
            other_names: OtherNames::default(),
            second_email: None,
            title: None,
            employee_number: None,
            status: OktaStatus::Active,
            transitioning_to: None,
            created: Some("2024-01-01T00:00:00.000Z".into()),
            last_updated: None,
            attributes: Box::default(),
        };
        let mut with = evidence.clone();
        with.people.push(PersonRecord { person: &stranger, departed: false, team: None });
        for (person, employee) in automatic(&propose(&with)).difference(&before) {
            prop_assert!(is_true(&case, person, employee), "{person} {employee}");
        }
    }

    #[test]
    fn only_employed_people_without_candidates_are_invited(seed in 0_u64..10_000, size in 20_usize..300) {
        let case = Case::from(Family::Hard.generate(seed, size));
        let evidence = case.evidence();
        let proposals = proposals(&evidence);
        for record in &evidence.people {
            let proposal = &proposals[&record.person.id];
            if proposal.kind == ProposalKind::Create {
                prop_assert!(proposal.candidates.is_empty());
                prop_assert!(record.person.is_employed() && record.person.email.is_some());
            }
        }
    }
}

#[test]
fn no_automatic_match_is_false_where_dates_are_reliable() {
    let mut automatic_pairs = 0;
    for seed in 0..40_u64 {
        let mut style = sandbox::hard_directories::Style::from_seed(seed);
        style.dates_lost = false;
        let case = Case::from(companies::hard::of(sandbox::hard_directories::generate(
            &style, 500, seed,
        )));
        for (person, employee) in automatic(&propose(&case.evidence())) {
            automatic_pairs += 1;
            assert!(
                is_true(&case, &person, &employee),
                "seed {seed}: {person} is not {employee}"
            );
        }
    }
    assert!(automatic_pairs > 12_000, "{automatic_pairs}");
}

#[test]
fn the_reported_cases_are_decided_where_they_can_be_and_never_wrongly() {
    let case = Case::from(Family::Reported.generate(0, 0));
    let pairs = automatic(&propose(&case.evidence()));
    for (person, employee) in &pairs {
        let class = case.truths[person.as_str()].class;
        assert!(is_true(&case, person, employee), "{class}");
    }
    let found: BTreeSet<&str> = pairs.iter().map(|(person, _)| person.as_str()).collect();
    let missed = case
        .truths
        .values()
        .filter(|truth| truth.decidable && !truth.records.is_empty());
    let missed: Vec<&str> = missed
        .filter(|truth| !found.contains(truth.person.as_str()))
        .map(|truth| truth.class)
        .collect();
    assert_eq!(missed, Vec::<&str>::new());
}

#[test]
fn automatic_matches_are_hardly_ever_false_in_any_family() {
    for family in [Family::Office, Family::Devices, Family::Mixed] {
        let (mut all, mut wrong) = (0, 0);
        for seed in 0..8 {
            let case = Case::from(family.generate(seed, 500));
            let pairs = automatic(&propose(&case.evidence()));
            let is_wrong = |(person, employee): &&(PersonId, EmployeeId)| !is_true(&case, person, employee);
            wrong += pairs.iter().filter(is_wrong).count();
            all += pairs.len();
        }
        assert!(all > 800 && wrong * 400 <= all, "{family:?}: {wrong} of {all}");
    }
}
