//! Counts the results of matching and prints tables.

use std::collections::BTreeMap;

use okta_insightful_operator::{api::ProposalKind, model::EvidenceKind, rules::proposal::Proposal};

use crate::{
    companies::Truth,
    directory::{Case, proposals},
};

/// The counts of one class.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    people: usize,
    /// People with an employee.
    pairs: usize,
    /// Pairs that a careful human could decide.
    decidable: usize,
    automatic: usize,
    automatic_decidable: usize,
    wrong: usize,
    /// True pairs that are not automatic.
    not_automatic: usize,
    in_first_three: usize,
    /// People with an employee who would be invited.
    wrongly_created: usize,
    created: usize,
    by_baseline: usize,
    wrong_by_baseline: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        for (to, from) in [
            (&mut self.people, other.people),
            (&mut self.pairs, other.pairs),
            (&mut self.decidable, other.decidable),
            (&mut self.automatic, other.automatic),
            (&mut self.automatic_decidable, other.automatic_decidable),
            (&mut self.wrong, other.wrong),
            (&mut self.not_automatic, other.not_automatic),
            (&mut self.in_first_three, other.in_first_three),
            (&mut self.wrongly_created, other.wrongly_created),
            (&mut self.created, other.created),
            (&mut self.by_baseline, other.by_baseline),
            (&mut self.wrong_by_baseline, other.wrong_by_baseline),
        ] {
            *to += from;
        }
    }
}

/// The counts of the proposals of one kind of evidence.
#[derive(Default)]
struct KindTally {
    automatic: usize,
    wrong: usize,
    review: usize,
    right: usize,
    /// The sum of the confidence of those in review.
    confidence: f64,
}

#[derive(Default)]
pub struct Measured {
    classes: BTreeMap<&'static str, Tally>,
    kinds: BTreeMap<EvidenceKind, KindTally>,
    /// All candidates, and first candidates in review: the number and how many are
    /// true, by percent of confidence.
    shown: BTreeMap<i32, (usize, usize)>,
    first: BTreeMap<i32, (usize, usize)>,
    /// Candidates in review: the confidence, and whether it is true.
    review: Vec<(f64, bool)>,
    pub notes: Vec<String>,
}

/// Selects the pairs to print beside the tables.
#[derive(Clone, Default)]
pub struct Watch {
    /// Decidable pairs of this class that are not automatic.
    pub missed: Option<String>,
    /// Pairs whose employee is not among the first three candidates.
    pub lost: bool,
    /// False automatic matches.
    pub wrong: bool,
}

#[expect(clippy::cast_precision_loss, reason = "for a table")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

impl Measured {
    /// Runs matching and the baseline on one directory.
    pub fn measure(&mut self, case: &Case, watch: &Watch) {
        let proposals = proposals(&case.evidence());
        let baseline = baseline(case);
        for (person, proposal) in &proposals {
            let truth = &case.truths[person.as_str()];
            self.count(case, truth, proposal, watch);
            if let Some(employee) = baseline.get(person.as_str()) {
                let tally = self.classes.entry(truth.class).or_default();
                tally.by_baseline += 1;
                tally.wrong_by_baseline += usize::from(!truth.records.contains(employee));
            }
        }
    }

    fn count(&mut self, case: &Case, truth: &Truth, proposal: &Proposal, watch: &Watch) {
        let tally = self.classes.entry(truth.class).or_default();
        let is_true = |employee: &str| truth.records.iter().any(|record| record == employee);
        let automatic = proposal.kind == ProposalKind::Auto;
        let best = proposal.best();
        let right = best.is_some_and(|best| is_true(best.employee.as_str()));
        if let Some(best) = best {
            let kind = self.kinds.entry(best.evidence).or_default();
            if automatic {
                kind.automatic += 1;
                kind.wrong += usize::from(!right);
            } else {
                kind.review += 1;
                kind.right += usize::from(right);
                kind.confidence += best.confidence.fraction();
            }
        }
        tally.people += 1;
        tally.created += usize::from(proposal.kind == ProposalKind::Create);
        if automatic && !right {
            tally.wrong += 1;
            if watch.wrong {
                let best = best.map_or("", |best| best.employee.as_str());
                let is_old = truth.old.iter().any(|record| record == best);
                self.notes.push(format!(
                    "WRONG {}{}\n{}",
                    truth.class,
                    if is_old {
                        ", an older record of the person"
                    } else {
                        ""
                    },
                    show(case, &truth.person, best)
                ));
            }
        }
        if let Some(record) = truth.records.first() {
            tally.pairs += 1;
            tally.decidable += usize::from(truth.decidable);
            if automatic && right {
                tally.automatic += 1;
                tally.automatic_decidable += usize::from(truth.decidable);
            } else {
                tally.not_automatic += 1;
                let found = proposal
                    .candidates
                    .iter()
                    .take(3)
                    .any(|candidate| is_true(candidate.employee.as_str()));
                tally.in_first_three += usize::from(found);
                let missed = watch.missed.as_deref() == Some(truth.class) && truth.decidable;
                if missed || (watch.lost && !found) {
                    self.notes.push(format!(
                        "{} {} {:?} {:?} {:?}\n{}",
                        if found { "MISSED" } else { "LOST" },
                        truth.class,
                        proposal.kind,
                        proposal.doubts,
                        best.map(|best| (best.confidence.percent(), right, &best.reasons)),
                        show(case, &truth.person, record)
                    ));
                }
            }
            if proposal.kind == ProposalKind::Create {
                tally.wrongly_created += 1;
                self.notes.push(format!(
                    "CREATED {}\n{}",
                    truth.class,
                    show(case, &truth.person, record)
                ));
            }
        }
        for (order, candidate) in proposal.candidates.iter().enumerate() {
            let percent = candidate.confidence.percent();
            let hit = usize::from(is_true(candidate.employee.as_str()));
            let slot = self.shown.entry(percent).or_default();
            slot.0 += 1;
            slot.1 += hit;
            if !automatic {
                self.review.push((candidate.confidence.fraction(), hit == 1));
            }
            if order == 0 && !automatic {
                let slot = self.first.entry(percent).or_default();
                slot.0 += 1;
                slot.1 += hit;
            }
        }
    }

    /// Describes the missed goals; None if all are met.
    pub fn shortfall(&self) -> Option<String> {
        let all = self.total();
        let mut failed = Vec::new();
        if all.wrong > 0 {
            failed.push(format!("{} automatic matches are false", all.wrong));
        }
        for (name, value, goal) in [
            (
                "of all true pairs automatic",
                share(all.automatic, all.pairs),
                0.80,
            ),
            (
                "of the decidable ones automatic",
                share(all.automatic_decidable, all.decidable),
                0.88,
            ),
            (
                "of the rest among the first three",
                share(all.in_first_three, all.not_automatic),
                0.98,
            ),
        ] {
            if value < goal {
                failed.push(format!("{value:.3} {name}, below {goal}"));
            }
        }
        if all.wrongly_created * 1000 >= all.pairs {
            failed.push(format!(
                "{} people with an employee would be created",
                all.wrongly_created
            ));
        }
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    /// Returns points for the curve of `calibration.rs`: the mean confidence of an equal
    /// number of true candidates, and the share of true ones among all.
    pub fn curve(&mut self, points: usize) -> String {
        self.review.sort_by(|a, b| a.0.total_cmp(&b.0));
        let hits = self.review.iter().filter(|(_, hit)| *hit).count();
        let mut out = String::new();
        let (mut from, mut found) = (0, 0);
        for at in 0..self.review.len() {
            found += usize::from(self.review[at].1);
            if found > hits / points || at + 1 == self.review.len() {
                let part = &self.review[from..=at];
                #[expect(clippy::cast_precision_loss, reason = "for a table")]
                let mean = part.iter().map(|(shown, _)| shown).sum::<f64>() / part.len() as f64;
                out.push_str(&format!("({mean:.4}, {:.4}), ", share(found, part.len())));
                (from, found) = (at + 1, 0);
            }
        }
        out
    }

    fn total(&self) -> Tally {
        self.classes.values().fold(Tally::default(), |mut sum, tally| {
            sum.add(tally);
            sum
        })
    }

    /// Returns the tables in Markdown.
    pub fn tables(&self) -> String {
        let mut out = String::from(
            "| class | people | true pairs | automatic | false | recall | recall of decidable | in first 3 | created of those without employee, wrongly | baseline: false |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        let total = self.total();
        let all = [("**all**", &total)];
        let rows = self
            .classes
            .iter()
            .map(|(class, tally)| (*class, tally))
            .chain(all);
        for (name, t) in rows {
            out.push_str(&format!(
                "| {name} | {} | {} | {} | {} | {:.3} | {:.3} | {:.3} | {} of {}, {} | {} of {} |\n",
                t.people,
                t.pairs,
                t.automatic + t.wrong,
                t.wrong,
                share(t.automatic, t.pairs),
                share(t.automatic_decidable, t.decidable),
                share(t.in_first_three, t.not_automatic),
                t.created - t.wrongly_created,
                t.people - t.pairs,
                t.wrongly_created,
                t.wrong_by_baseline,
                t.by_baseline,
            ));
        }
        out.push_str("\n| confidence | candidates | of these true | first candidates in review | of these true |\n|--:|--:|--:|--:|--:|\n");
        for from in (0..100).step_by(10).chain([100]) {
            let sum = |counts: &BTreeMap<i32, (usize, usize)>| {
                counts
                    .range(from..from + 10)
                    .fold((0, 0), |sum, (_, n)| (sum.0 + n.0, sum.1 + n.1))
            };
            let ((shown, hit), (first, first_hit)) = (sum(&self.shown), sum(&self.first));
            let range = if from == 100 {
                "100".to_owned()
            } else {
                format!("{from} to {}", from + 9)
            };
            let part = |hit, of| {
                if of == 0 {
                    "".to_owned()
                } else {
                    format!("{:.3}", share(hit, of))
                }
            };
            out.push_str(&format!(
                "| {range} | {shown} | {} | {first} | {} |\n",
                part(hit, shown),
                part(first_hit, first)
            ));
        }
        out + &self.table_of_kinds()
    }

    /// How often each kind of evidence is right.
    #[expect(clippy::cast_precision_loss, reason = "for a table")]
    fn table_of_kinds(&self) -> String {
        let mut out = String::from(
            "\n| evidence | automatic | false | in review | of these true | mean confidence |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for (kind, t) in &self.kinds {
            out.push_str(&format!(
                "| {kind:?} | {} | {} | {} | {:.3} | {:.3} |\n",
                t.automatic,
                t.wrong,
                t.review,
                share(t.right, t.review),
                t.confidence / t.review.max(1) as f64,
            ));
        }
        out
    }
}

/// The baseline: an equal email, otherwise an equal full name.
fn baseline(case: &Case) -> BTreeMap<String, String> {
    let mut by_email: BTreeMap<String, &str> = BTreeMap::new();
    let mut by_name: BTreeMap<String, &str> = BTreeMap::new();
    for (employee, _) in &case.employees {
        if !employee.email.is_empty() {
            by_email
                .entry(employee.email.to_lowercase())
                .or_insert(employee.id.as_str());
        }
        by_name
            .entry(employee.name.to_lowercase())
            .or_insert(employee.id.as_str());
    }
    case.people
        .iter()
        .filter_map(|(person, _)| {
            let email = person
                .email
                .as_ref()
                .and_then(|email| by_email.get(&email.to_lowercase()));
            let name = person
                .full_name()
                .and_then(|name| by_name.get(&name.to_lowercase()));
            Some((person.id.to_string(), (*email.or(name)?).to_owned()))
        })
        .collect()
}

/// Formats both records of a pair, a line each.
fn show(case: &Case, person: &str, employee: &str) -> String {
    let person = case
        .people
        .iter()
        .find(|(record, _)| record.id.as_str() == person);
    let employee = case
        .employees
        .iter()
        .find(|(record, _)| record.id.as_str() == employee);
    let person = person.map_or(String::new(), |(p, team)| {
        format!(
            "  person   {:?} {:?} <{:?}> login {} second {:?} no {:?} {} team {team:?} made {:?}",
            p.given_name,
            p.family_name,
            p.email,
            p.login,
            p.second_email,
            p.employee_number,
            p.status,
            p.created
        )
    });
    let employee = employee.map_or(String::new(), |(e, team)| {
        format!(
            "  employee {:?} <{}> first <{}> team {team} deactivated {} made {:?}",
            e.name, e.email, e.identifier, e.deactivated, e.created_at
        )
    });
    format!("{person}\n{employee}")
}
