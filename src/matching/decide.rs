//! Decides between all compared pairs and makes the proposals.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};

use super::{
    blocking::Blocks,
    calibration,
    compare::{compare, may_match},
    comparison::{AddressAgreement, Comparison},
    doubts::{Doubt, MIN_MARGIN_BITS, doubts},
    features::Features,
    learned::Learned,
    name_similarity::{self, Agreement, NameMatch},
    parallel::{number, par_map_indices},
    proposal::{Candidate, MAX_CANDIDATES, Proposal, Verdict},
    reasons::reasons,
    record_features::{EmployeeFeatures, PersonFeatures},
    records::Evidence,
};
use crate::model::PersonId;

/// Pairs of one person that are considered.
const MAX_PAIRS: usize = 16;
/// Unidentifiable employees that are compared with one person beside the others.
const MAX_UNIDENTIFIABLE: usize = 8;
/// Bits, prior included, of a candidate that is shown.
const MIN_SHOWN_BITS: f64 = -20.0;
/// Confidence of a plausible candidate.
const MIN_PLAUSIBLE: f64 = 0.05;
/// Confidence at which a candidate with a different name and address cannot be ruled out.
const MIN_CONCEIVABLE: f64 = 0.005;
/// The same if the given name agrees: the family name may have changed by marriage.
const MIN_CONCEIVABLE_SAME_GIVEN: f64 = 0.002;
/// Unmatched people for each unidentifiable employee, below which the employee is
/// too likely to be any one of them.
const MIN_PEOPLE_PER_UNIDENTIFIABLE: usize = 200;
/// Evidence of dates that rules out that an unidentifiable employee is a person.
const MAX_OTHER_TIME_BITS: f64 = -2.0;

/// A compared pair of one person, with its total evidence.
#[derive(Clone, Copy, Debug)]
struct ScoredPair {
    employee: u32,
    bits: f64,
}

/// An employee's best person and the bits of the runner-up.
#[derive(Clone, Copy, Debug, Default)]
struct Ranking {
    best: Option<(f64, u32)>,
    runner_up: Option<f64>,
}

/// People and employees without an automatic match.
struct Unmatched {
    is_person_unmatched: Vec<bool>,
    is_employee_unmatched: Vec<bool>,
    /// Active unmatched employees that are unidentifiable.
    unidentifiable: Vec<u32>,
    /// The number of unmatched people.
    people: usize,
    /// The number of unmatched people who have not departed.
    current_people: usize,
}

struct Matcher<'a> {
    features: Features<'a>,
    learned: Learned,
    rejected: HashSet<(u32, u32)>,
}

/// Proposes an employee for each person in scope. The order of the input does not
/// matter; equal candidates are ordered by id. No employee is [`Verdict::Auto`] for
/// two people.
pub fn propose(evidence: &Evidence<'_>) -> BTreeMap<PersonId, Proposal> {
    let features = Features::of(evidence);
    let matcher = Matcher {
        learned: Learned::from(&features),
        rejected: rejected(evidence, &features),
        features,
    };
    let first = matcher.first_round();
    let doubts = matcher.doubts_of_best_pairs(&first);
    let unmatched = matcher.unmatched(&first, &doubts);
    let last = matcher.second_round(&first, &unmatched);
    let competing_odds = matcher.competing_odds(&last);
    let features = &matcher.features;
    par_map_indices(features.people.len(), |at, _| {
        let person = &features.people[at as usize];
        person.in_scope.then(|| {
            let (first, last, doubts) = (&first[at as usize], &last[at as usize], &doubts[at as usize]);
            let proposal = if !first.is_empty() && doubts.is_empty() {
                Proposal {
                    verdict: Verdict::Auto,
                    candidates: matcher.candidates(at, last, true, &competing_odds),
                    doubts: Vec::new(),
                }
            } else {
                let candidates = matcher.candidates(at, last, false, &competing_odds);
                matcher.proposal(at, first, last, doubts, candidates, &unmatched)
            };
            (person.record.person.id.clone(), proposal)
        })
    })
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the indices of the rejected pairs.
fn rejected(evidence: &Evidence<'_>, features: &Features<'_>) -> HashSet<(u32, u32)> {
    if evidence.rejected.is_empty() {
        return HashSet::default();
    }
    let people: HashMap<&PersonId, u32> = (0_u32..)
        .zip(&features.people)
        .map(|(at, person)| (&person.record.person.id, at))
        .collect();
    let indices = |(person, employee): &(PersonId, _)| {
        let employee = features
            .employees
            .binary_search_by_key(&employee, |employee| &employee.record.employee.id)
            .ok()?;
        Some((*people.get(person)?, number(employee)))
    };
    evidence.rejected.iter().filter_map(indices).collect()
}

impl Matcher<'_> {
    fn pair(&self, person: u32, employee: u32) -> (&PersonFeatures<'_>, &EmployeeFeatures<'_>) {
        (
            &self.features.people[person as usize],
            &self.features.employees[employee as usize],
        )
    }

    fn compare_names(&self, person: u32, employee: u32) -> NameMatch {
        let (person, employee) = self.pair(person, employee);
        name_similarity::compare(&self.features.lexicon, &person.name, &employee.name)
    }

    fn compare(&self, person: u32, employee: u32) -> Comparison {
        self.compare_named(person, employee, self.compare_names(person, employee))
    }

    fn compare_named(&self, person: u32, employee: u32, name: NameMatch) -> Comparison {
        let (person, employee) = self.pair(person, employee);
        compare(&self.features, &self.learned, person, employee, name)
    }

    /// Returns the best pairs of a person among the known pairs and those with `employees`.
    fn best_pairs(
        &self,
        at: u32,
        employees: &[u32],
        is_worth_comparing: impl Fn(&EmployeeFeatures<'_>, &NameMatch) -> bool,
        known: Vec<ScoredPair>,
    ) -> Vec<ScoredPair> {
        let mut pairs = known;
        pairs.extend(employees.iter().filter_map(|employee| {
            let (person, candidate) = self.pair(at, *employee);
            let is_bound_to_another = candidate
                .bound_to
                .is_some_and(|bound_to| *bound_to != person.record.person.id);
            if is_bound_to_another || self.rejected.contains(&(at, *employee)) {
                return None;
            }
            let name = self.compare_names(at, *employee);
            if !is_worth_comparing(candidate, &name) {
                return None;
            }
            let comparison = self.compare_named(at, *employee, name);
            (comparison.is_plausible() || candidate.unidentifiable).then_some(ScoredPair {
                employee: *employee,
                bits: comparison.bits,
            })
        }));
        // Employees are numbered by id, so that equal pairs are ordered by id.
        pairs.sort_by(|a, b| b.bits.total_cmp(&a.bits).then(a.employee.cmp(&b.employee)));
        pairs.truncate(MAX_PAIRS);
        // The pairs of all people are in memory at a time.
        pairs.shrink_to_fit();
        pairs
    }

    fn first_round(&self) -> Vec<Vec<ScoredPair>> {
        let features = &self.features;
        let blocks = Blocks::first_round(features);
        par_map_indices(features.people.len(), |at, found| {
            let person = &features.people[at as usize];
            blocks.first_round_candidates(features, person, found);
            let may_match =
                |employee: &EmployeeFeatures<'_>, name: &NameMatch| may_match(person, employee, name);
            self.best_pairs(at, found, may_match, Vec::new())
        })
    }

    /// Compares unmatched people with unmatched employees by weaker keys, and removes
    /// pairs with employees that the first round matched.
    fn second_round(&self, first: &[Vec<ScoredPair>], unmatched: &Unmatched) -> Vec<Vec<ScoredPair>> {
        let features = &self.features;
        let blocks = Blocks::second_round(features, &unmatched.is_employee_unmatched);
        let limit = Blocks::max_pairs_per_person(unmatched.people);
        // A few unidentifiable employees are shown last, if there are many.
        let add_unidentifiable = unmatched.unidentifiable.len() * 1000 > features.people.len();
        par_map_indices(features.people.len(), |at, found| {
            let pairs = &first[at as usize];
            let person = &features.people[at as usize];
            let is_unmatched = |employee: u32| unmatched.is_employee_unmatched[employee as usize];
            if !person.in_scope {
                let open = pairs.iter().filter(|pair| is_unmatched(pair.employee));
                return open.copied().collect();
            }
            if !unmatched.is_person_unmatched[at as usize] {
                return pairs.iter().take(1).copied().collect();
            }
            blocks.second_round_candidates(features, &self.learned, person, limit, found);
            if add_unidentifiable && !person.record.departed {
                let employees = &unmatched.unidentifiable;
                blocks.add_closest(&self.learned, person, employees, MAX_UNIDENTIFIABLE, found);
            }
            found.sort_unstable();
            found.dedup();
            let may_be_proposed = |employee: u32| {
                let bound_to = features.employees[employee as usize].bound_to;
                is_unmatched(employee) || bound_to == Some(&person.record.person.id)
            };
            found.retain(|employee| {
                may_be_proposed(*employee) && !pairs.iter().any(|pair| pair.employee == *employee)
            });
            let known = pairs.iter().filter(|pair| may_be_proposed(pair.employee));
            self.best_pairs(at, found, |_, _| true, known.copied().collect())
        })
    }

    fn unmatched(&self, first: &[Vec<ScoredPair>], doubts: &[Vec<Doubt>]) -> Unmatched {
        let features = &self.features;
        let is_bound = |employee: &EmployeeFeatures<'_>| employee.bound_to.is_some();
        let mut is_employee_unmatched: Vec<bool> = features
            .employees
            .iter()
            .map(|employee| !is_bound(employee))
            .collect();
        let mut is_person_unmatched = vec![false; features.people.len()];
        let (mut people, mut current_people) = (0, 0);
        for (at, person) in features
            .people
            .iter()
            .enumerate()
            .filter(|(_, person)| person.in_scope)
        {
            match first[at].first() {
                Some(best) if doubts[at].is_empty() => {
                    is_employee_unmatched[best.employee as usize] = false;
                }
                _ => {
                    is_person_unmatched[at] = true;
                    people += 1;
                    current_people += usize::from(!person.record.departed);
                }
            }
        }
        let unidentifiable = (0_u32..)
            .zip(&features.employees)
            .filter(|(at, employee)| {
                is_employee_unmatched[*at as usize] && employee.unidentifiable && !employee.deactivated
            })
            .map(|(at, _)| at)
            .collect();
        Unmatched {
            is_person_unmatched,
            is_employee_unmatched,
            unidentifiable,
            people,
            current_people,
        }
    }

    /// Ranks the people of each employee. A person who is bound to an employee does
    /// not compete for another.
    fn rankings(&self, pairs: &[Vec<ScoredPair>]) -> Vec<Ranking> {
        let mut rankings = vec![Ranking::default(); self.features.employees.len()];
        for (person, pairs) in (0_u32..).zip(pairs) {
            for pair in pairs {
                let (features, employee) = self.pair(person, pair.employee);
                if features.is_bound && employee.bound_to.is_none() {
                    continue;
                }
                let ranking = &mut rankings[pair.employee as usize];
                match ranking.best {
                    Some((bits, _)) if bits >= pair.bits => {
                        ranking.runner_up =
                            Some(ranking.runner_up.map_or(pair.bits, |next| next.max(pair.bits)));
                    }
                    best => {
                        ranking.runner_up = best.map(|(bits, _)| bits).or(ranking.runner_up);
                        ranking.best = Some((pair.bits, person));
                    }
                }
            }
        }
        rankings
    }

    /// Returns whether each employee is the best of a person who works here and has the
    /// same name. A person who comes back has a new account in Okta beside the old
    /// one; their employee must not be deactivated because the old account departed.
    fn is_best_of_current_person(&self, pairs: &[Vec<ScoredPair>]) -> Vec<bool> {
        let best = |at: u32| {
            let best = pairs[at as usize].first()?.employee;
            let name = self.compare_names(at, best);
            let departed = self.features.people[at as usize].record.departed;
            (!departed && name.given.agrees() && name.family.agrees()).then_some(best)
        };
        let mut is_best = vec![false; self.features.employees.len()];
        for employee in par_map_indices(pairs.len(), |at, _| best(at))
            .into_iter()
            .flatten()
        {
            is_best[employee as usize] = true;
        }
        is_best
    }

    /// Returns the doubts about the best pair of each person in scope.
    fn doubts_of_best_pairs(&self, pairs: &[Vec<ScoredPair>]) -> Vec<Vec<Doubt>> {
        let rankings = self.rankings(pairs);
        let is_best_of_current_person = self.is_best_of_current_person(pairs);
        par_map_indices(pairs.len(), |at, _| match &pairs[at as usize][..] {
            [best, others @ ..] if self.features.people[at as usize].in_scope => {
                let employee = best.employee as usize;
                self.doubts_of_best_pair(
                    at,
                    best,
                    others,
                    rankings[employee],
                    is_best_of_current_person[employee],
                )
            }
            _ => Vec::new(),
        })
    }

    fn doubts_of_best_pair(
        &self,
        at: u32,
        best: &ScoredPair,
        others: &[ScoredPair],
        ranking: Ranking,
        is_best_of_current_person: bool,
    ) -> Vec<Doubt> {
        let (person, employee) = self.pair(at, best.employee);
        let margin_to = |other: Option<f64>| best.bits - other.unwrap_or(f64::NEG_INFINITY);
        let person_margin = margin_to(others.first().map(|pair| pair.bits));
        let employee_margin = margin_to(ranking.runner_up);
        let margin = person_margin.min(employee_margin);
        let mut doubts = self.doubts(at, best.employee, margin);
        if ranking.best.is_none_or(|(_, person)| person != at) {
            doubts.push(Doubt::CloserPerson);
        } else if employee_margin < MIN_MARGIN_BITS {
            doubts.push(Doubt::RunnerUpPerson);
        }
        if person.record.departed && !employee.deactivated && is_best_of_current_person {
            doubts.push(Doubt::MayBeCurrentPerson);
        }
        if person_margin < MIN_MARGIN_BITS {
            doubts.push(Doubt::RunnerUpEmployee);
        }
        doubts
    }

    fn doubts(&self, at: u32, employee: u32, margin: f64) -> Vec<Doubt> {
        let comparison = self.compare(at, employee);
        let (person, employee) = self.pair(at, employee);
        doubts(
            &self.features,
            &self.learned,
            person,
            employee,
            &comparison,
            margin,
        )
    }

    fn odds(&self, pair: &ScoredPair) -> f64 {
        calibration::odds(pair.bits, self.features.employees.len())
    }

    /// Returns the sum of the odds of all remaining pairs of each employee.
    fn competing_odds(&self, last: &[Vec<ScoredPair>]) -> Vec<f64> {
        let mut odds = vec![0.0; self.features.employees.len()];
        for pair in last.iter().flatten() {
            odds[pair.employee as usize] += self.odds(pair);
        }
        odds
    }

    fn candidates(
        &self,
        at: u32,
        pairs: &[ScoredPair],
        automatic: bool,
        competing_odds: &[f64],
    ) -> Vec<Candidate> {
        let prior = calibration::prior(self.features.employees.len());
        let odds_of_person: f64 = pairs.iter().map(|pair| self.odds(pair)).sum();
        pairs
            .iter()
            .filter(|pair| automatic || pair.bits - prior >= MIN_SHOWN_BITS)
            .take(MAX_CANDIDATES)
            .map(|pair| {
                let odds = self.odds(pair);
                let others = (odds_of_person - odds).max(0.0)
                    + (competing_odds[pair.employee as usize] - odds).max(0.0);
                let (person, employee) = self.pair(at, pair.employee);
                let comparison = self.compare(at, pair.employee);
                Candidate {
                    employee: employee.record.employee.id.clone(),
                    confidence: calibration::confidence(odds / (1.0 + odds + others), automatic),
                    reasons: reasons(&self.features, person, employee, &comparison),
                }
            })
            .collect()
    }

    /// Makes the proposal for a person without an automatic match.
    fn proposal(
        &self,
        at: u32,
        first: &[ScoredPair],
        last: &[ScoredPair],
        doubts: &[Doubt],
        candidates: Vec<Candidate>,
        unmatched: &Unmatched,
    ) -> Proposal {
        let is_conceivable = |(candidate, pair): (&Candidate, &ScoredPair)| {
            self.is_conceivable(at, pair.employee, candidate.confidence.fraction())
        };
        if !candidates.iter().zip(last).any(is_conceivable) {
            let unidentifiable = self.unidentifiable(&self.features.people[at as usize], unmatched);
            return Proposal {
                verdict: Verdict::Nobody { unidentifiable },
                candidates,
                doubts: vec!["no employee has this email or name".into()],
            };
        }
        if candidates[0].confidence.fraction() < MIN_PLAUSIBLE {
            return Proposal {
                verdict: Verdict::Implausible,
                candidates,
                doubts: vec!["no plausible employee; the candidates shown cannot be identified".into()],
            };
        }
        // The best pair of the second round may be another one.
        let employee = |pairs: &[ScoredPair]| pairs.first().map(|pair| pair.employee);
        let mut doubts = match employee(last) {
            best if best == employee(first) => doubts.to_vec(),
            Some(best) => self.doubts(at, best, 0.0),
            None => Vec::new(),
        };
        if doubts.is_empty() {
            doubts.push(Doubt::PartialName);
        }
        Proposal {
            verdict: Verdict::Review,
            candidates,
            doubts: doubts.into_iter().map(|doubt| doubt.text().into()).collect(),
        }
    }

    /// Whether an employee cannot be ruled out: the confidence is not negligible, no part
    /// of the name contradicts, or an address or account name agrees. Unidentifiable
    /// employees are counted separately.
    fn is_conceivable(&self, person: u32, employee: u32, confidence: f64) -> bool {
        if confidence >= MIN_CONCEIVABLE {
            return true;
        }
        if self.features.employees[employee as usize].unidentifiable {
            return false;
        }
        let comparison = self.compare(person, employee);
        let name = &comparison.name;
        let contradicts = name.given == Agreement::Different || name.family == Agreement::Different;
        let may_be_married = name.given != Agreement::Different && confidence >= MIN_CONCEIVABLE_SAME_GIVEN;
        !contradicts
            || may_be_married
            || comparison.account.is_some()
            || comparison.address <= AddressAgreement::SisterDomain
    }

    /// Returns how many unidentifiable employees may be this person, because their dates
    /// do not rule it out; 0 if they are few compared to the unmatched people.
    fn unidentifiable(&self, person: &PersonFeatures<'_>, unmatched: &Unmatched) -> usize {
        let are_few = |count: usize| count * MIN_PEOPLE_PER_UNIDENTIFIABLE <= unmatched.current_people;
        let all = unmatched.unidentifiable.len();
        if are_few(all) || !self.learned.dates_reveal_reassignment() {
            return if are_few(all) { 0 } else { all };
        }
        let is_of_other_time = |employee: &&u32| {
            let employee = &self.features.employees[**employee as usize];
            let date = self.learned.date(&person.circumstances, &employee.circumstances);
            date.is_some_and(|bits| bits <= MAX_OTHER_TIME_BITS)
        };
        let of_other_time = unmatched.unidentifiable.iter().filter(is_of_other_time).count();
        let count = all - of_other_time;
        if are_few(count) { 0 } else { count }
    }
}
