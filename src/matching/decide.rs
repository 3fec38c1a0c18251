//! From compared pairs to proposals: who is whose best, by how much, and
//! whether anything is left to ask a human.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};

use super::{
    Candidate, Evidence, MOST_CANDIDATES, Proposal, Verdict,
    blocking::Blocks,
    calibration,
    compare::{Comparison, Link, compare, may_be},
    doubts::{Doubt, MARGIN, doubts},
    features::{EmployeeFeatures, Features, PersonFeatures},
    learned::Learned,
    name_similarity::{self, NameMatch, Part},
    parallel::{for_all, number},
    reasons::reasons,
};
use crate::model::PersonId;

/// The most pairs that are kept of one person.
const KEPT: usize = 16;
/// Records that may be anybody's that are kept of one person beside the others.
const ANYBODY_SHOWN: usize = 8;
/// Bits, the prior taken off, below which a pair is not worth showing: about
/// one of a million such is true.
const LEAST_SHOWN: f64 = -20.0;
/// Below this confidence nobody is proposed; who is shown may be anybody.
const LEAST_PLAUSIBLE: f64 = 0.05;
/// Below this confidence an employee whose name contradicts and who has no
/// address in common keeps nobody from being invited.
const LEAST_TO_WAIT_FOR: f64 = 0.005;
/// The same where the given name agrees: the family name may be a married one.
const LEAST_OF_SAME_GIVEN: f64 = 0.002;
/// People without an employee to each record that may be anybody's: with fewer
/// it is too likely that the record is this person's.
const OPEN_TO_EACH: usize = 200;
/// Dates that say this or less rule out that a record is a person's.
const OTHER_TIME: f64 = -2.0;

/// A compared pair of one person.
#[derive(Clone, Copy, Debug)]
struct Pair {
    employee: u32,
    bits: f64,
}

/// The best that an employee has, and the next.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    best: Option<(f64, u32)>,
    next: Option<f64>,
}

/// Records that say nothing about whose they are, and who may be meant.
struct Nameless {
    /// In use, and nobody's.
    records: Vec<u32>,
    /// People who work here and have no employee.
    open: usize,
}

struct Decider<'a> {
    facts: Features<'a>,
    learned: Learned,
    rejected: HashSet<(u32, u32)>,
}

/// See [`super::propose`].
pub(super) fn decide(evidence: &Evidence<'_>) -> BTreeMap<PersonId, Proposal> {
    let facts = Features::of(evidence);
    let decider = Decider {
        learned: Learned::from(&facts),
        rejected: rejected(evidence, &facts),
        facts,
    };
    decider.run()
}

/// The rejected pairs as numbers.
fn rejected(evidence: &Evidence<'_>, facts: &Features<'_>) -> HashSet<(u32, u32)> {
    if evidence.rejected.is_empty() {
        return HashSet::default();
    }
    let people: HashMap<&PersonId, usize> = facts
        .people
        .iter()
        .enumerate()
        .map(|(at, person)| (&person.subject.person.id, at))
        .collect();
    let find = |(person, employee): &(PersonId, _)| {
        let p = *people.get(person)?;
        let e = facts
            .employees
            .binary_search_by_key(&employee, |facts| &facts.object.employee.id)
            .ok()?;
        Some((u32::try_from(p).ok()?, u32::try_from(e).ok()?))
    };
    evidence.rejected.iter().filter_map(find).collect()
}

impl Decider<'_> {
    fn run(&self) -> BTreeMap<PersonId, Proposal> {
        let facts = &self.facts;
        let blocks = Blocks::first_round(facts);
        let first: Vec<Vec<Pair>> = for_all(facts.people.len(), |at, found| {
            let person = &facts.people[at as usize];
            blocks.candidates(facts, person, found);
            self.compare_all(
                at,
                found,
                |employee, name| may_be(person, employee, name),
                Vec::new(),
            )
        });
        drop(blocks);
        let standings = self.standings(&first);
        let wanted = self.wanted(&first);
        let verdicts: Vec<Vec<Doubt>> = for_all(facts.people.len(), |at, _| {
            if facts.people[at as usize].asked {
                self.verdict(at, &first[at as usize], &standings, &wanted)
            } else {
                Vec::new()
            }
        });
        let is_open =
            |at: usize| facts.people[at].asked && (!verdicts[at].is_empty() || first[at].is_empty());

        let mut left: Vec<bool> = facts
            .employees
            .iter()
            .map(|employee| employee.holder.is_none())
            .collect();
        for (at, person) in facts.people.iter().enumerate() {
            if let (Some(best), true) = (first[at].first(), person.asked && !is_open(at)) {
                left[best.employee as usize] = false;
            }
        }
        let blocks = Blocks::second_round(facts, &left);
        let records: Vec<u32> = (0..number(facts.employees.len()))
            .filter(|at| {
                let employee = &facts.employees[*at as usize];
                left[*at as usize] && employee.nobody && !employee.object.employee.deactivated
            })
            .collect();
        // Where records that may be anybody's are many, a few are shown last.
        let show_anybody = records.len() * 1000 > facts.people.len();
        let open: Vec<usize> = (0..facts.people.len()).filter(|at| is_open(*at)).collect();
        let share = Blocks::share_left(open.len());
        let nameless = Nameless {
            open: open
                .iter()
                .filter(|at| !facts.people[**at].subject.departed)
                .count(),
            records,
        };
        let last: Vec<Vec<Pair>> = for_all(facts.people.len(), |at, found| {
            let pairs = &first[at as usize];
            let person = &facts.people[at as usize];
            if !person.asked {
                let still_left = |pair: &&Pair| left[pair.employee as usize];
                return pairs.iter().filter(still_left).copied().collect();
            }
            if !is_open(at as usize) {
                return pairs.iter().take(1).copied().collect();
            }
            blocks.candidates_left(facts, &self.learned, person, share, found);
            if show_anybody && !person.subject.departed {
                let records = nameless.records.iter().copied();
                blocks.closest(&self.learned, person, records, ANYBODY_SHOWN, found);
            }
            found.sort_unstable();
            found.dedup();
            let may_be_proposed = |employee: u32| {
                let holds = || facts.employees[employee as usize].holder == Some(&person.subject.person.id);
                left[employee as usize] || holds()
            };
            // What was compared in the first round is as it was.
            found.retain(|employee| {
                may_be_proposed(*employee) && !pairs.iter().any(|pair| pair.employee == *employee)
            });
            let known = pairs.iter().filter(|pair| may_be_proposed(pair.employee));
            self.compare_all(at, found, |_, _| true, known.copied().collect())
        });
        drop(blocks);
        let rivals = self.rivals(&last);
        for_all(facts.people.len(), |at, _| {
            let person = &facts.people[at as usize];
            person.asked.then(|| {
                let proposal = self.proposal(
                    at,
                    &first[at as usize],
                    &last[at as usize],
                    &verdicts[at as usize],
                    &rivals,
                    &nameless,
                );
                (person.subject.person.id.clone(), proposal)
            })
        })
        .into_iter()
        .flatten()
        .collect()
    }

    fn compare_names(&self, person: u32, employee: u32) -> NameMatch {
        let (person, employee) = (
            &self.facts.people[person as usize],
            &self.facts.employees[employee as usize],
        );
        name_similarity::compare(&self.facts.lexicon, &person.name, &employee.name)
    }

    fn compare(&self, person: u32, employee: u32) -> Comparison {
        self.compare_named(person, employee, self.compare_names(person, employee))
    }

    fn compare_named(&self, person: u32, employee: u32, name: NameMatch) -> Comparison {
        let facts = &self.facts;
        compare(
            facts,
            &self.learned,
            &facts.people[person as usize],
            &facts.employees[employee as usize],
            name,
        )
    }

    /// The plausible pairs of one person that nobody ruled out and that, by their
    /// names, are worth comparing, with those that are known; best first.
    fn compare_all(
        &self,
        at: u32,
        found: &[u32],
        worth: impl Fn(&EmployeeFeatures<'_>, &NameMatch) -> bool,
        known: Vec<Pair>,
    ) -> Vec<Pair> {
        let person = &self.facts.people[at as usize];
        let mut pairs = known;
        let compared = found
            .iter()
            .filter(|employee| {
                let holder = self.facts.employees[**employee as usize].holder;
                holder.is_none_or(|holder| *holder == person.subject.person.id)
                    && !self.rejected.contains(&(at, **employee))
            })
            .filter_map(|employee| {
                let facts = &self.facts.employees[*employee as usize];
                let name = self.compare_names(at, *employee);
                if !worth(facts, &name) {
                    return None;
                }
                let comparison = self.compare_named(at, *employee, name);
                (comparison.is_plausible() || facts.nobody).then_some(Pair {
                    employee: *employee,
                    bits: comparison.bits,
                })
            });
        pairs.extend(compared);
        // Employees are numbered by id, so that equal ones go by id.
        pairs.sort_by(|a, b| b.bits.total_cmp(&a.bits).then(a.employee.cmp(&b.employee)));
        pairs.truncate(KEPT);
        // Of a large company these are kept for everybody at a time.
        pairs.shrink_to_fit();
        pairs
    }

    /// Each employee's best person and the runner-up. Who holds an employee
    /// already does not compete for another.
    fn standings(&self, pairs: &[Vec<Pair>]) -> Vec<Standing> {
        let mut standings = vec![Standing::default(); self.facts.employees.len()];
        for (person, pairs) in (0_u32..).zip(pairs) {
            for pair in pairs {
                let employee = &self.facts.employees[pair.employee as usize];
                if self.facts.people[person as usize].holds && employee.holder.is_none() {
                    continue;
                }
                let standing = &mut standings[pair.employee as usize];
                match standing.best {
                    Some((bits, _)) if bits >= pair.bits => {
                        standing.next = Some(standing.next.map_or(pair.bits, |next| next.max(pair.bits)));
                    }
                    best => {
                        standing.next = best.map(|(bits, _)| bits).or(standing.next);
                        standing.best = Some((pair.bits, person));
                    }
                }
            }
        }
        standings
    }

    /// Which employees are the best that somebody has who works here. Who comes
    /// back gets a new account in Okta beside the old one: the record in use is
    /// the new one's, and must not be switched off for the old one's sake.
    fn wanted(&self, pairs: &[Vec<Pair>]) -> Vec<bool> {
        let wants = |at: u32| {
            let best = pairs[at as usize].first()?.employee;
            let name = self.compare_names(at, best);
            let works_here = !self.facts.people[at as usize].subject.departed;
            (works_here && name.given.agrees() && name.family.agrees()).then_some(best)
        };
        let mut wanted = vec![false; self.facts.employees.len()];
        for employee in for_all(pairs.len(), |at, _| wants(at)).into_iter().flatten() {
            wanted[employee as usize] = true;
        }
        wanted
    }

    /// Why a person's best pair is not automatic; empty if it is, or if there is none.
    fn verdict(&self, at: u32, pairs: &[Pair], standings: &[Standing], wanted: &[bool]) -> Vec<Doubt> {
        let Some(best) = pairs.first() else {
            return Vec::new();
        };
        let (person, employee) = (
            &self.facts.people[at as usize],
            &self.facts.employees[best.employee as usize],
        );
        let comparison = self.compare(at, best.employee);
        let standing = standings[best.employee as usize];
        let next = pairs.get(1).map_or(f64::NEG_INFINITY, |pair| pair.bits);
        let ahead = best.bits - next.max(standing.next.unwrap_or(f64::NEG_INFINITY));
        let mut found = doubts(&self.facts, &self.learned, person, employee, &comparison, ahead);
        if standing.best.is_none_or(|(_, person)| person != at) {
            found.push(Doubt::AnotherIsCloser);
        } else if standing.next.is_some_and(|next| best.bits - next < MARGIN) {
            found.push(Doubt::RunnerUpPerson);
        }
        if person.subject.departed && !employee.deactivated && wanted[best.employee as usize] {
            found.push(Doubt::WorksHereNow);
        }
        if pairs.get(1).is_some_and(|next| best.bits - next.bits < MARGIN) {
            found.push(Doubt::RunnerUpEmployee);
        }
        found
    }

    /// For each employee, the odds of all pairs that are still open, summed.
    /// Who is matched already competes no longer.
    fn rivals(&self, last: &[Vec<Pair>]) -> Vec<f64> {
        let mut rivals = vec![0.0; self.facts.employees.len()];
        for pair in last.iter().flatten() {
            rivals[pair.employee as usize] += calibration::odds(pair.bits, self.facts.employees.len());
        }
        rivals
    }

    fn proposal(
        &self,
        at: u32,
        first: &[Pair],
        last: &[Pair],
        verdict: &[Doubt],
        rivals: &[f64],
        nameless: &Nameless,
    ) -> Proposal {
        let facts = &self.facts;
        let person = &facts.people[at as usize];
        let automatic = !first.is_empty() && verdict.is_empty();
        let all = facts.employees.len();
        let of_person: f64 = last.iter().map(|pair| calibration::odds(pair.bits, all)).sum();
        let candidates: Vec<Candidate> = last
            .iter()
            .filter(|pair| automatic || pair.bits - calibration::prior(all) >= LEAST_SHOWN)
            .map(|pair| {
                let own = calibration::odds(pair.bits, all);
                let others = (of_person - own).max(0.0) + (rivals[pair.employee as usize] - own).max(0.0);
                (pair, own / (1.0 + own + others))
            })
            .take(MOST_CANDIDATES)
            .map(|(pair, share)| {
                let employee = &facts.employees[pair.employee as usize];
                Candidate {
                    employee: employee.object.employee.id.clone(),
                    confidence: calibration::confidence(share, automatic),
                    reasons: reasons(facts, person, employee, &self.compare(at, pair.employee)),
                }
            })
            .collect();
        if automatic {
            return Proposal {
                verdict: Verdict::Auto,
                candidates,
                doubts: Vec::new(),
            };
        }
        let waits_for = |(candidate, pair): (&Candidate, &Pair)| {
            candidate.confidence.fraction() >= LEAST_TO_WAIT_FOR
                || self.is_conceivable(at, pair.employee, candidate.confidence.fraction())
        };
        if !candidates.iter().zip(last).any(waits_for) {
            return Proposal {
                verdict: Verdict::Nobody {
                    unidentifiable: self.unidentifiable(person, nameless),
                },
                candidates,
                doubts: vec!["no employee has this email or name".into()],
            };
        }
        if candidates[0].confidence.fraction() < LEAST_PLAUSIBLE {
            let doubt = "no plausible employee; the candidates shown cannot be identified".into();
            return Proposal {
                verdict: Verdict::Implausible,
                candidates,
                doubts: vec![doubt],
            };
        }
        // The best of the second round may be another than the one the verdict was on.
        let same = first.first().map(|pair| pair.employee) == last.first().map(|pair| pair.employee);
        let mut doubts: Vec<Doubt> = if same {
            verdict.to_vec()
        } else {
            self.doubts_of(at, last)
        };
        if doubts.is_empty() {
            doubts.push(Doubt::NameNotWhole);
        }
        Proposal {
            verdict: Verdict::Review,
            candidates,
            doubts: doubts.into_iter().map(|doubt| doubt.text().into()).collect(),
        }
    }

    fn doubts_of(&self, at: u32, pairs: &[Pair]) -> Vec<Doubt> {
        let Some(best) = pairs.first() else {
            return Vec::new();
        };
        let (person, employee) = (
            &self.facts.people[at as usize],
            &self.facts.employees[best.employee as usize],
        );
        doubts(
            &self.facts,
            &self.learned,
            person,
            employee,
            &self.compare(at, best.employee),
            0.0,
        )
    }

    /// Whether an employee may be a person, however little speaks for it: no part
    /// of the name contradicts, or an address or account name links them. Records
    /// that may be anybody's are counted apart.
    fn is_conceivable(&self, person: u32, employee: u32, confidence: f64) -> bool {
        if self.facts.employees[employee as usize].nobody {
            return false;
        }
        let found = self.compare(person, employee);
        let contradicts = found.name.given == Part::Different || found.name.family == Part::Different;
        let married = found.name.given != Part::Different && confidence >= LEAST_OF_SAME_GIVEN;
        !contradicts || married || found.account.is_some() || found.link <= Link::Sister
    }

    /// How many unidentifiable records may be this person's: they are not from
    /// another time. 0 where they are few beside the people without an employee.
    fn unidentifiable(&self, person: &PersonFeatures<'_>, nameless: &Nameless) -> usize {
        let is_few = |records: usize| records * OPEN_TO_EACH <= nameless.open;
        if is_few(nameless.records.len()) {
            return 0;
        }
        let of_other_time = |employee: &&u32| {
            let employee = &self.facts.employees[**employee as usize];
            let found = self.learned.date(&person.circumstances, &employee.circumstances);
            self.learned.dates_tell() && found.is_some_and(|bits| bits <= OTHER_TIME)
        };
        let records = nameless.records.len() - nameless.records.iter().filter(of_other_time).count();
        if is_few(records) { 0 } else { records }
    }
}
