//! Decides between all compared pairs and makes the proposals.

mod others;

use std::{collections::BTreeMap, sync::OnceLock};

use foldhash::{HashMap, HashSet};

use self::others::{ByText, Holders};
use super::{
    blocking::Blocks,
    calibration,
    compare::{compare, may_match},
    comparison::{AddressAgreement, Comparison},
    doubts::{Doubt, MIN_MARGIN_BITS, doubts},
    features::Features,
    learned::Learned,
    lexicon::Closeness,
    name_similarity::{self, Agreement, NameMatch},
    parallel::{number, par_map_indices},
    proposal::{Candidate, MAX_CANDIDATES, Proposal, Reason, Resemblance, Verdict},
    reasons::{copy_reason, reasons},
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
    standing: Standing,
    bits: f64,
    /// The bits by which the pairs of a person are ordered.
    rank: f64,
}

/// Whether a pair competes for a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Open,
    /// The employee is deactivated, and an active record is the person's.
    Outranked,
    /// Another person has the employee.
    Held,
}

/// Returns the pairs that compete, best first.
fn open(pairs: &[ScoredPair]) -> impl Iterator<Item = &ScoredPair> {
    pairs.iter().filter(|pair| pair.standing == Standing::Open)
}

/// An employee's best person and the runner-up, with their bits.
#[derive(Clone, Copy, Debug, Default)]
struct Ranking {
    best: Option<(f64, u32)>,
    runner_up: Option<(f64, u32)>,
}

/// What the best pairs of all people tell about the best pair of one.
struct Rivals {
    /// By employee.
    rankings: Vec<Ranking>,
    /// The person who works here, has the name of an employee, and is best matched by it. A person who comes back has
    /// a new account in Okta beside the old one; their employee must not be deactivated because the old account
    /// departed.
    current_people: HashMap<u32, u32>,
    /// By person: the best employee, if name and address agree.
    own_employees: Vec<Option<u32>>,
    /// By the names of people who work here and have no such employee: the last day on which one of their accounts was
    /// created.
    names_without_employee: HashMap<Vec<u32>, i32>,
    /// One of these people by the part of the email before the @, without a number: somebody who came back as
    /// `jane.doe2`, by a short form of the name.
    people_without_employee: HashMap<u32, u32>,
    /// People who work here by name and email, where several people have the name.
    namesakes_by_email: HashMap<(Vec<u32>, u32), u32>,
}

/// People and employees without an automatic match.
struct Unmatched {
    is_person_unmatched: Vec<bool>,
    is_employee_unmatched: Vec<bool>,
    /// The people for whom employees are certain enough.
    proposed_for: HashMap<u32, u32>,
    /// Active unmatched employees that are unidentifiable.
    unidentifiable: Vec<u32>,
    /// The number of active unmatched employees with a name in Latin letters, and in a script without a certain
    /// romanization where no email spells it.
    in_latin: usize,
    in_other_scripts: usize,
    /// The number of unmatched people.
    people: usize,
    /// The number of unmatched people who have not departed.
    current_people: usize,
}

impl Unmatched {
    /// Whether employees who may be anybody are few compared to the people who may be one of them.
    fn are_few(&self, employees: usize) -> bool {
        employees * MIN_PEOPLE_PER_UNIDENTIFIABLE <= self.current_people
    }
}

struct Matcher<'a> {
    features: Features<'a>,
    learned: Learned,
    rejected: HashSet<(u32, u32)>,
    /// Employees by the keys of their emails and names, once somebody has none.
    by_text: OnceLock<ByText>,
    /// The holders of addresses among the people and among the employees, once a doubt is about another holder.
    holders: OnceLock<[Holders; 2]>,
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
        by_text: OnceLock::new(),
        holders: OnceLock::new(),
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
            let proposal = if open(first).next().is_some() && doubts.is_empty() {
                let candidates = matcher.candidates(at, last, true, &competing_odds);
                Proposal {
                    verdict: Verdict::Auto,
                    candidates: candidates.into_iter().map(|(_, candidate)| candidate).collect(),
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
        let lexicon = &self.features.lexicon;
        let (own, theirs) = person.names_beside(lexicon, employee);
        name_similarity::compare(lexicon, own, theirs)
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
        for pair in pairs
            .iter_mut()
            .filter(|pair| pair.standing == Standing::Outranked)
        {
            pair.standing = Standing::Open;
        }
        pairs.extend(employees.iter().filter_map(|employee| {
            let (person, candidate) = self.pair(at, *employee);
            let is_held = candidate
                .bound_to
                .is_some_and(|bound_to| *bound_to != person.record.person.id);
            // Most people of a directory in sync have an employee of their own.
            let is_shown = !is_held || (person.in_scope && !person.is_bound);
            if !is_shown || self.rejected.contains(&(at, *employee)) {
                return None;
            }
            let name = self.compare_names(at, *employee);
            if !is_worth_comparing(candidate, &name) {
                return None;
            }
            let comparison = self.compare_named(at, *employee, name);
            let (is_kept, standing) = if is_held {
                let is_kept = comparison.resemblance() < Resemblance::Partial;
                (is_kept, Standing::Held)
            } else {
                let is_kept = comparison.is_plausible() || candidate.unidentifiable;
                (is_kept, Standing::Open)
            };
            is_kept.then_some(ScoredPair {
                employee: *employee,
                standing,
                bits: comparison.bits,
                rank: comparison.bits,
            })
        }));
        // Employees are numbered by id, so that equal pairs are ordered by id.
        pairs.sort_by(|a, b| b.bits.total_cmp(&a.bits).then(a.employee.cmp(&b.employee)));
        pairs.truncate(MAX_PAIRS);
        self.set_copies_aside(at, &mut pairs);
        // The pairs of all people are in memory at a time.
        pairs.shrink_to_fit();
        pairs
    }

    /// Orders deactivated records of a person behind the likeliest active one.
    fn set_copies_aside(&self, at: u32, pairs: &mut [ScoredPair]) {
        for pair in pairs.iter_mut() {
            pair.rank = pair.bits;
        }
        let is_active = |pair: &&ScoredPair| !self.features.employees[pair.employee as usize].deactivated;
        let is_copy = |pair: &ScoredPair| {
            pair.standing == Standing::Open
                && !is_active(&pair)
                && self.compare(at, pair.employee).may_be_one_human()
        };
        let copies: Vec<u32> = pairs
            .iter()
            .filter(|pair| is_copy(pair))
            .map(|pair| pair.employee)
            .collect();
        if copies.is_empty() {
            return;
        }
        let is_likely = |pair: &&ScoredPair| {
            is_active(pair) && self.compare(at, pair.employee).resemblance() < Resemblance::Partial
        };
        let best = open(pairs).find(is_likely);
        let Some(best) = best.filter(|best| self.outranks(at, best.employee, &copies)) else {
            return;
        };
        let best = best.bits;
        for pair in pairs.iter_mut().filter(|pair| copies.contains(&pair.employee)) {
            pair.standing = Standing::Outranked;
            pair.rank = pair.bits.min(best);
        }
        pairs.sort_by(|a, b| b.rank.total_cmp(&a.rank).then(a.standing.cmp(&b.standing)));
    }

    /// Whether an active employee outranks deactivated ones that may be the same person's.
    fn outranks(&self, at: u32, employee: u32, copies: &[u32]) -> bool {
        let comparison = self.compare(at, employee);
        let departed = self.features.people[at as usize].record.departed;
        let day = |employee: u32| self.features.employees[employee as usize].circumstances.day;
        let is_older = copies.iter().all(|copy| day(employee) < day(*copy)) && day(employee).is_some();
        let has_address = comparison.resemblance() == Resemblance::Address;
        // A record that was created again is in another team, and of another time than the person's.
        let is_compatible = |doubt: &Doubt| match doubt {
            Doubt::NameOnly
            | Doubt::AccountOnly
            | Doubt::SharedByPeople
            | Doubt::SharedByEmployees
            | Doubt::RoleMailbox
            | Doubt::MayBeHandedOn => true,
            // At another company.
            Doubt::EmailsDiffer => {
                comparison.address > AddressAgreement::SisterDomain
                    && comparison.address != AddressAgreement::Different
            }
            Doubt::DatesContradict | Doubt::TeamsContradict => has_address || !is_older,
            // A departed person may have only a deactivated record: the active one is a namesake's.
            Doubt::Namesakes | Doubt::NamesakeOfEmployee | Doubt::AccountShared => has_address || !departed,
            Doubt::FamilyNamesDiffer
            | Doubt::PartialName
            | Doubt::SingleName
            | Doubt::MissingName
            | Doubt::OtherScript
            | Doubt::AccountName => has_address,
            _ => false,
        };
        comparison.may_be_one_human() && self.doubts(at, employee, 0.0, false).iter().all(is_compatible)
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
                let rivals = pairs.iter().filter(|pair| is_unmatched(pair.employee));
                return rivals.copied().collect();
            }
            if !unmatched.is_person_unmatched[at as usize] {
                let copies = pairs.iter().filter(|pair| pair.standing == Standing::Outranked);
                return open(pairs).take(1).chain(copies).copied().collect();
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
            let known = pairs.iter();
            let known =
                known.filter(|pair| pair.standing == Standing::Held || may_be_proposed(pair.employee));
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
        let mut proposed_for = HashMap::default();
        let mut is_person_unmatched = vec![false; features.people.len()];
        let (mut people, mut current_people) = (0, 0);
        for (at, person) in features
            .people
            .iter()
            .enumerate()
            .filter(|(_, person)| person.in_scope)
        {
            match open(&first[at]).next() {
                Some(best) if doubts[at].is_empty() => {
                    is_employee_unmatched[best.employee as usize] = false;
                    proposed_for.insert(best.employee, number(at));
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
        let (mut in_latin, mut in_other_scripts) = (0, 0);
        for (at, employee) in features.employees.iter().enumerate() {
            let words = &employee.name.words;
            if !is_employee_unmatched[at] || employee.deactivated || words.is_empty() {
                continue;
            }
            if !words.iter().any(|word| features.lexicon.get(*word).unromanized) {
                in_latin += 1;
            } else if employee.address_name.is_none() {
                in_other_scripts += 1;
            }
        }
        Unmatched {
            is_person_unmatched,
            is_employee_unmatched,
            proposed_for,
            unidentifiable,
            in_latin,
            in_other_scripts,
            people,
            current_people,
        }
    }

    /// Ranks the people of each employee. A person who is bound to an employee does
    /// not compete for another.
    fn rankings(&self, pairs: &[Vec<ScoredPair>]) -> Vec<Ranking> {
        let mut rankings = vec![Ranking::default(); self.features.employees.len()];
        for (person, pairs) in (0_u32..).zip(pairs) {
            for pair in pairs.iter().filter(|pair| pair.standing != Standing::Held) {
                let (features, employee) = self.pair(person, pair.employee);
                if features.is_second_account || (features.is_bound && employee.bound_to.is_none()) {
                    continue;
                }
                let ranking = &mut rankings[pair.employee as usize];
                match ranking.best {
                    Some((bits, _)) if bits >= pair.bits => {
                        if ranking.runner_up.is_none_or(|(next, _)| next < pair.bits) {
                            ranking.runner_up = Some((pair.bits, person));
                        }
                    }
                    best => {
                        ranking.runner_up = best.or(ranking.runner_up);
                        ranking.best = Some((pair.bits, person));
                    }
                }
            }
        }
        rankings
    }

    /// Compares the best pairs of all people.
    fn rivals(&self, pairs: &[Vec<ScoredPair>]) -> Rivals {
        let best = |at: u32| {
            let employee = open(&pairs[at as usize]).next()?.employee;
            let comparison = self.compare(at, employee);
            let has_address = comparison.resemblance() == Resemblance::Address;
            comparison.names_agree().then_some((employee, has_address))
        };
        let best = par_map_indices(pairs.len(), |at, _| best(at));
        let mut rivals = Rivals {
            rankings: self.rankings(pairs),
            current_people: HashMap::default(),
            own_employees: Vec::with_capacity(best.len()),
            names_without_employee: HashMap::default(),
            people_without_employee: HashMap::default(),
            namesakes_by_email: HashMap::default(),
        };
        for ((at, person), best) in (0_u32..).zip(&self.features.people).zip(best) {
            let own = best.filter(|(_, has_address)| *has_address).map(|(own, _)| own);
            rivals.own_employees.push(own);
            if person.record.departed || person.is_second_account {
                continue;
            }
            if self.features.people_with_name_of(person) > 1
                && let Some(mail) = person.email.filter(|mail| !mail.role)
            {
                let key = (self.features.name_key(person), mail.id);
                rivals.namesakes_by_email.insert(key, at);
            }
            if let Some((employee, _)) = best {
                rivals.current_people.insert(employee, at);
            }
            if own.is_none() {
                let name = self.features.name_key(person);
                if let Some(mail) = person.email.filter(|mail| !mail.role && !mail.private) {
                    rivals.people_without_employee.insert(mail.without_number, at);
                }
                let day = person.circumstances.day.unwrap_or(i32::MAX);
                let last = rivals.names_without_employee.entry(name).or_insert(day);
                *last = day.max(*last);
            }
        }
        rivals
    }

    /// Returns the doubts about the best pair of each person in scope.
    fn doubts_of_best_pairs(&self, pairs: &[Vec<ScoredPair>]) -> Vec<Vec<Doubt>> {
        let rivals = self.rivals(pairs);
        par_map_indices(pairs.len(), |at, _| {
            let own = &pairs[at as usize];
            match open(own).next() {
                Some(best) if self.features.people[at as usize].in_scope => {
                    self.doubts_of_best_pair(at, best, own, &rivals)
                }
                _ => Vec::new(),
            }
        })
    }

    fn doubts_of_best_pair(
        &self,
        at: u32,
        best: &ScoredPair,
        own: &[ScoredPair],
        rivals: &Rivals,
    ) -> Vec<Doubt> {
        let (person, employee) = self.pair(at, best.employee);
        let ranking = rivals.rankings[best.employee as usize];
        let margin_to = |other: Option<f64>| best.bits - other.unwrap_or(f64::NEG_INFINITY);
        let person_margin = margin_to(open(own).nth(1).map(|pair| pair.bits));
        let employee_margin = margin_to(ranking.runner_up.map(|(bits, _)| bits));
        let margin = person_margin.min(employee_margin);
        let mut doubts = self.doubts(at, best.employee, margin, true);
        match (ranking.best, ranking.runner_up) {
            // Not among the people of this employee.
            _ if person.is_bound && employee.bound_to.is_none() => doubts.insert(0, Doubt::HasEmployee),
            (Some((_, closer)), _) if closer != at => doubts.insert(0, Doubt::CloserPerson(closer)),
            (_, Some((_, next))) if employee_margin < MIN_MARGIN_BITS => {
                doubts.push(Doubt::RunnerUpPerson(next));
            }
            _ => {}
        }
        let leaves = person.record.departed && !employee.deactivated;
        let has_namesake = self.features.people_with_name_of(person) > 1;
        // The account of somebody who came back is the newer one.
        let is_newer = |day: i32| person.circumstances.day.is_none_or(|own| day >= own);
        let may_be_namesakes = || {
            let name = self.features.name_key(person);
            rivals
                .names_without_employee
                .get(&name)
                .copied()
                .is_some_and(is_newer)
        };
        if leaves && has_namesake && may_be_namesakes() {
            doubts.push(Doubt::Namesakes);
        }
        let came_back = || {
            let mail = person.email.filter(|mail| !mail.role && !mail.private)?;
            let other = *rivals.people_without_employee.get(&mail.without_number)?;
            let given = *person.name.given.first()?;
            let local = self.features.keys.text(mail.squeezed);
            let is_spelled = || self.features.lexicon.is_contained_in(local, given);
            let day = self.features.people[other as usize].circumstances.day;
            let may_be_same = is_newer(day.unwrap_or(i32::MAX))
                && self.have_same_family_name(at, other)
                && (is_spelled() || self.have_forms_of_one_given_name(at, other));
            may_be_same.then_some(other)
        };
        let current = rivals.current_people.get(&best.employee).copied();
        // The former account of somebody who works here has no employee of its own.
        let new_account = || {
            let mail = person.email.filter(|_| has_namesake)?;
            let key = (self.features.name_key(person), mail.id);
            rivals.namesakes_by_email.get(&key).copied()
        };
        let current = current.or_else(came_back).filter(|_| leaves);
        if person.record.departed
            && let Some(current) = current.or_else(new_account)
        {
            doubts.push(Doubt::MayBeCurrentPerson(current));
        }
        // Nobody else has the last name of a person who changed it.
        if let Some((_, next)) = ranking.runner_up
            && self.compare_names(at, best.employee).family == Agreement::Different
            && employee_margin >= MIN_MARGIN_BITS
            && rivals.own_employees[next as usize].is_none_or(|own| own == best.employee)
        {
            let name = self.compare_names(next, best.employee);
            if name.given.agrees() && name.family.agrees() {
                doubts.push(Doubt::RunnerUpPerson(next));
            }
        }
        if person_margin < MIN_MARGIN_BITS {
            doubts.push(Doubt::RunnerUpEmployee);
        }
        doubts
    }

    fn have_forms_of_one_given_name(&self, one: u32, other: u32) -> bool {
        let [one, other] = [one, other].map(|at| self.features.people[at as usize].name.given.first());
        let closeness = one
            .zip(other)
            .map(|(a, b)| self.features.lexicon.compare_given(*a, *b));
        matches!(closeness, Some(Closeness::Spelling | Closeness::Nickname))
    }

    fn have_same_family_name(&self, one: u32, other: u32) -> bool {
        let [one, other] = [one, other].map(|at| &self.features.people[at as usize].name.family);
        let lexicon = &self.features.lexicon;
        one.iter().any(|a| {
            other
                .iter()
                .any(|b| lexicon.get(*a).canonical == lexicon.get(*b).canonical)
        })
    }

    fn doubts(&self, at: u32, employee: u32, margin: f64, strength_counts: bool) -> Vec<Doubt> {
        let comparison = self.compare(at, employee);
        let (person, employee) = self.pair(at, employee);
        doubts(
            &self.features,
            &self.learned,
            person,
            employee,
            &comparison,
            margin,
            strength_counts,
        )
    }

    fn odds(&self, pair: &ScoredPair) -> f64 {
        calibration::odds(pair.bits, self.features.employees.len())
    }

    /// Returns the sum of the odds of all remaining pairs of each employee.
    fn competing_odds(&self, last: &[Vec<ScoredPair>]) -> Vec<f64> {
        let mut odds = vec![0.0; self.features.employees.len()];
        for (at, pairs) in (0_u32..).zip(last) {
            for pair in pairs.iter().filter(|pair| pair.standing != Standing::Held) {
                // Another person may have the employee of somebody who departed.
                let (person, employee) = self.pair(at, pair.employee);
                if person.is_second_account {
                    continue;
                }
                if !person.record.departed || employee.bound_to != Some(&person.record.person.id) {
                    odds[pair.employee as usize] += self.odds(pair);
                }
            }
        }
        odds
    }

    /// Returns the candidates to show, best first; of an automatic match only the employee.
    fn candidates(
        &self,
        at: u32,
        pairs: &[ScoredPair],
        automatic: bool,
        competing_odds: &[f64],
    ) -> Vec<(ScoredPair, Candidate)> {
        let prior = calibration::prior(self.features.employees.len());
        let is_shown = |pair: &&ScoredPair| match pair.standing {
            Standing::Open => {
                automatic
                    || pair.bits - prior >= MIN_SHOWN_BITS
                    || self.compare(at, pair.employee).shares_mailbox_name
            }
            Standing::Outranked | Standing::Held => !automatic,
        };
        let mut shown: Vec<ScoredPair> = pairs.iter().filter(is_shown).copied().collect();
        // The proposed employee is shown even if five others resemble the person more.
        if let Some(best) = shown.iter().position(|pair| pair.standing == Standing::Open)
            && best >= MAX_CANDIDATES
        {
            shown.swap(MAX_CANDIDATES - 1, best);
        }
        shown.truncate(MAX_CANDIDATES);
        let sum = |is_rival: fn(Standing) -> bool| -> f64 {
            let rivals = pairs.iter().filter(|pair| is_rival(pair.standing));
            rivals.map(|pair| self.odds(pair)).sum()
        };
        let (open_odds, all_odds) = (sum(|standing| standing == Standing::Open), sum(|_| true));
        let candidate = |pair: ScoredPair| {
            let (person, employee) = self.pair(at, pair.employee);
            let comparison = self.compare(at, pair.employee);
            let odds = self.odds(&pair);
            let competing = competing_odds[pair.employee as usize];
            let others = match pair.standing {
                Standing::Open => (open_odds - odds).max(0.0) + (competing - odds).max(0.0),
                Standing::Outranked => (all_odds - odds).max(0.0) + (competing - odds).max(0.0),
                Standing::Held => (all_odds - odds).max(0.0) + competing,
            };
            let mut reasons = reasons(&self.features, person, employee, &comparison);
            if pair.standing == Standing::Open && !employee.deactivated {
                reasons.extend(self.copy_reasons(at, pair.employee, pairs));
            }
            let evidence = comparison.evidence_kind();
            let candidate = Candidate {
                employee: employee.record.employee.id.clone(),
                confidence: calibration::confidence(odds / (1.0 + odds + others), automatic, evidence),
                reasons,
                evidence,
                resemblance: comparison.resemblance(),
                matched_to: employee
                    .bound_to
                    .filter(|_| pair.standing == Standing::Held)
                    .cloned(),
            };
            (pair, candidate)
        };
        shown.into_iter().map(candidate).collect()
    }

    /// Names the deactivated records that an active one outranks.
    fn copy_reasons(&self, at: u32, employee: u32, pairs: &[ScoredPair]) -> Vec<Reason> {
        let copies = pairs.iter().filter(|pair| pair.standing == Standing::Outranked);
        let copies: Vec<u32> = copies.map(|pair| pair.employee).collect();
        if copies.is_empty() || !self.outranks(at, employee, &copies) {
            return Vec::new();
        }
        let reason = |copy: u32| {
            let employee = self.features.employees[copy as usize].record.employee;
            copy_reason(&self.compare(at, copy), &employee.id)
        };
        copies.into_iter().map(reason).collect()
    }

    /// Makes the proposal for a person without an automatic match.
    fn proposal(
        &self,
        at: u32,
        first: &[ScoredPair],
        last: &[ScoredPair],
        doubts: &[Doubt],
        candidates: Vec<(ScoredPair, Candidate)>,
        unmatched: &Unmatched,
    ) -> Proposal {
        let free = || {
            candidates
                .iter()
                .filter(|(pair, _)| pair.standing != Standing::Held)
        };
        let is_conceivable = |(pair, candidate): &(ScoredPair, Candidate)| {
            self.is_conceivable(at, pair.employee, candidate.confidence.fraction())
        };
        // An active record may be less likely by itself than the deactivated one that it outranks.
        let best = free().find(|(pair, _)| pair.standing == Standing::Open);
        let copies = free().filter(|(pair, _)| pair.standing == Standing::Outranked);
        let confidence = best.into_iter().chain(copies).map(|(_, shown)| shown.confidence);
        let is_plausible = confidence
            .max()
            .is_some_and(|best| best.fraction() >= MIN_PLAUSIBLE);
        let (verdict, doubts): (_, Vec<Reason>) = if !free().any(is_conceivable) {
            let person = &self.features.people[at as usize];
            let unidentifiable = self.unidentifiable(person, unmatched);
            let other_script = self.of_other_script(person, unmatched);
            let is_any_held = free().count() < candidates.len();
            let doubts = if is_any_held {
                Vec::new()
            } else {
                self.doubts_of_nobody(at, unmatched)
            };
            let nobody = Verdict::Nobody {
                unidentifiable,
                other_script,
            };
            (nobody, doubts)
        } else if !is_plausible {
            let doubt = "no employee is likely; those shown cannot be ruled out";
            (Verdict::Implausible, vec![doubt.into()])
        } else {
            (Verdict::Review, self.doubts_of_review(at, first, last, doubts))
        };
        Proposal {
            verdict,
            candidates: candidates.into_iter().map(|(_, candidate)| candidate).collect(),
            doubts,
        }
    }

    fn doubts_of_review(
        &self,
        at: u32,
        first: &[ScoredPair],
        last: &[ScoredPair],
        doubts: &[Doubt],
    ) -> Vec<Reason> {
        // The best pair of the second round may be another one.
        let employee = |pairs: &[ScoredPair]| open(pairs).next().map(|pair| pair.employee);
        let best = employee(last);
        let (mut doubts, pairs) = match best {
            _ if best == employee(first) => (doubts.to_vec(), first),
            Some(best) => (self.doubts(at, best, 0.0, true), last),
            None => (Vec::new(), last),
        };
        if doubts.is_empty() {
            doubts.push(Doubt::FoundLate);
        }
        let runner_up = open(pairs).nth(1).map(|pair| pair.employee);
        let describe = |doubt: Doubt| match self.other_record(at, best, runner_up, doubt) {
            Some(named) => format!("{}: {named}", doubt.text()).into(),
            None => doubt.text().into(),
        };
        doubts.into_iter().map(describe).collect()
    }

    /// Whether an employee cannot be ruled out: the confidence is not negligible, no part
    /// of the name contradicts, or an address, mailbox or account name agrees. Unidentifiable
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
            || comparison.shares_mailbox_name
            || comparison.address <= AddressAgreement::SisterDomain
    }

    /// Returns how many employees may be this person because their names are in scripts that cannot be compared; 0 if
    /// they are few compared to the unmatched people.
    fn of_other_script(&self, person: &PersonFeatures<'_>, unmatched: &Unmatched) -> usize {
        let mut words = person.name.given.iter().chain(&person.name.family);
        let is_unromanized = words.any(|word| self.features.lexicon.get(*word).unromanized);
        let count = match &person.email_name {
            Some(_) => 0,
            None if is_unromanized => unmatched.in_latin,
            None => unmatched.in_other_scripts,
        };
        if unmatched.are_few(count) { 0 } else { count }
    }

    /// Returns how many unidentifiable employees may be this person, because their dates
    /// do not rule it out; 0 if they are few compared to the unmatched people.
    fn unidentifiable(&self, person: &PersonFeatures<'_>, unmatched: &Unmatched) -> usize {
        let are_few = |count: usize| unmatched.are_few(count);
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
