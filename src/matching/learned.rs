//! What the directories themselves teach: which teams correspond, how the dates
//! of records lie to each other, which domain was given up for which.
//!
//! The training_pairs are the pairs that no rule of thumb is needed for: an address
//! that one person and one employee have, with the same given and family name.
//! What such pairs have in common more often than chance pairs counts as
//! evidence for others; how much is their ratio (Fellegi and Sunter's m and u).

use foldhash::HashMap;

use super::{
    features::{Circumstances, Features, Mail},
    name_similarity::{self, Part},
};

/// Pairs that are needed before anything is believed.
const ENOUGH: usize = 12;
/// Bounds of what teams and dates may say, in bits.
const MOST: f64 = 5.0;
/// See [`MOST`].
const LEAST: f64 = -4.0;

/// Bits that make a distance of dates unlikely for a true pair.
const TELLING: f64 = -2.0;

/// Upper ends, in days, of the classes of "the employee's record was made so
/// long after the person's".
const AFTER: [i64; 8] = [-365, -60, -7, -1, 7, 30, 120, 400];

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pairs: usize,
    teams: HashMap<(u32, u32), f64>,
    dates: Vec<f64>,
    /// (domain in Okta, domain in Insightful) where one was given up for the other.
    moved: HashMap<(u32, u32), u32>,
}

impl Learned {
    /// From the pairs that are beyond doubt.
    pub(super) fn from(facts: &Features<'_>) -> Self {
        let pairs = &facts.training_pairs;
        let mut learned = Self {
            pairs: pairs.len(),
            moved: moved_domains(facts),
            ..Self::default()
        };
        if pairs.len() >= ENOUGH {
            learned.dates = dates(facts, pairs);
            learned.teams = teams(facts, pairs);
        }
        learned
    }

    /// What the teams say, in bits; None where one is unknown.
    pub(super) fn team(&self, person: &Circumstances, employee: &Circumstances) -> Option<f64> {
        let (a, b) = (person.team?, employee.team?);
        if self.pairs < ENOUGH {
            return (a == b).then_some(1.0);
        }
        self.teams.get(&(a, b)).copied()
    }

    /// What the dates say, in bits; None where one is unknown, or the dates here say nothing.
    pub(super) fn date(&self, person: &Circumstances, employee: &Circumstances) -> Option<f64> {
        self.dates.get(class(person.day?, employee.day?)).copied()
    }

    /// Whether the dates would show that an address was re-used: whether true
    /// pairs hardly ever have an employee's record from long before the person's.
    pub(super) fn dates_tell(&self) -> bool {
        self.dates.len() > 2 && self.dates[..2].iter().all(|bits| *bits <= TELLING)
    }

    /// Whether the company gave up one of the two domains for the other.
    pub(super) fn moved(&self, person: &Mail, employee: &Mail) -> bool {
        self.moved.contains_key(&(person.domain, employee.domain))
    }
}

/// The class of the distance between the days on which the records were made.
fn class(person: i32, employee: i32) -> usize {
    let days = i64::from(employee) - i64::from(person);
    AFTER.iter().position(|end| days < *end).unwrap_or(AFTER.len())
}

/// Pairs with an address of their own and the same name.
pub(super) fn training_pairs(facts: &Features<'_>) -> Vec<(usize, usize)> {
    let mut by_mail: HashMap<u32, usize> = HashMap::default();
    for (at, employee) in facts.employees.iter().enumerate() {
        if let Some(mail) = employee.email {
            by_mail.insert(mail.id, at);
        }
    }
    let mut pairs = Vec::new();
    for (at, person) in facts.people.iter().enumerate() {
        let Some(mail) = person.email.filter(|mail| !mail.role) else {
            continue;
        };
        if facts.by_mail.people(mail.id) != 1 || facts.by_mail.employees(mail.id) != 1 {
            continue;
        }
        let Some(employee) = by_mail.get(&mail.id) else {
            continue;
        };
        let found = name_similarity::compare(&facts.lexicon, &person.name, &facts.employees[*employee].name);
        if found.given == Part::Equal && found.family == Part::Equal {
            pairs.push((at, *employee));
        }
    }
    pairs
}

/// log2 of how much more often true pairs have each distance of dates than chance pairs.
fn dates(facts: &Features<'_>, pairs: &[(usize, usize)]) -> Vec<f64> {
    let mut of_pairs = [1.0_f64; AFTER.len() + 1];
    let mut of_chance = of_pairs;
    let days: Vec<(i32, i32)> = pairs
        .iter()
        .filter_map(|(p, e)| {
            Some((
                facts.people[*p].circumstances.day?,
                facts.employees[*e].circumstances.day?,
            ))
        })
        .collect();
    if days.len() < ENOUGH {
        return Vec::new();
    }
    for (at, (a, b)) in days.iter().enumerate() {
        of_pairs[class(*a, *b)] += 1.0;
        for step in [1, 7, 31] {
            let (_, other) = days[(at + step) % days.len()];
            of_chance[class(*a, other)] += 1.0 / 3.0;
        }
    }
    // The imagined observations of each class weigh alike on both sides, so
    // that few pairs say little.
    of_pairs
        .iter()
        .zip(of_chance)
        .map(|(m, u)| (m / u).log2().clamp(LEAST, MOST))
        .collect()
}

/// log2 of how much more often a team of Okta's goes with one of Insightful's than by chance.
fn teams(facts: &Features<'_>, pairs: &[(usize, usize)]) -> HashMap<(u32, u32), f64> {
    let known: Vec<(u32, u32)> = pairs
        .iter()
        .map(|(p, e)| {
            (
                &facts.people[*p].circumstances,
                &facts.employees[*e].circumstances,
            )
        })
        .filter_map(|(p, e)| Some((p.team?, e.team?)))
        .collect();
    let mut together: HashMap<(u32, u32), f64> = HashMap::default();
    let (mut of_people, mut of_employees): (HashMap<u32, f64>, HashMap<u32, f64>) =
        (HashMap::default(), HashMap::default());
    for (a, b) in &known {
        *together.entry((*a, *b)).or_default() += 1.0;
        *of_people.entry(*a).or_default() += 1.0;
        *of_employees.entry(*b).or_default() += 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^52")]
    let total = known.len() as f64;
    let never_together = never_together(&together, &of_people, &of_employees, total);
    let namesakes = other_name(&known, &of_people);
    let mut bits = HashMap::default();
    for (a, with_a) in &of_people {
        for (b, with_b) in &of_employees {
            let by_chance = with_b / total;
            let said = match together.get(&(*a, *b)) {
                // Two imagined pairs of chance, so that a single one says little.
                Some(both) => ((both + 2.0 * by_chance) / (with_a + 2.0) / by_chance).log2(),
                None => (2.0 / (with_a + 2.0)).log2().min(never_together),
            };
            // Teams of one name are one team, where they mostly are.
            let said = if a != b && of_people.contains_key(b) {
                said.min(namesakes)
            } else {
                said
            };
            bits.insert((*a, *b), said.clamp(LEAST, MOST));
        }
    }
    bits
}

/// What it says that the employee is in a team that Okta knows by the same name
/// and the person is in another, in bits.
fn other_name(known: &[(u32, u32)], of_people: &HashMap<u32, f64>) -> f64 {
    let (mut same, mut other) = (1.0_f64, 1.0_f64);
    for (a, b) in known.iter().filter(|(_, b)| of_people.contains_key(b)) {
        *(if a == b { &mut same } else { &mut other }) += 1.0;
    }
    (2.0 * other / (same + other)).log2().min(0.0)
}

/// What two teams say that no teacher has together, in bits. How often true
/// pairs have such teams is told by the teams that a single pair has together
/// (after Good and Turing).
fn never_together(
    together: &HashMap<(u32, u32), f64>,
    of_people: &HashMap<u32, f64>,
    of_employees: &HashMap<u32, f64>,
    total: f64,
) -> f64 {
    // Whole numbers until the end, so that the order of the sum does not matter.
    let (mut once, mut chances) = (0.0, 0.0);
    for ((a, b), both) in together {
        if *both < 1.5 {
            once += 1.0;
        }
        chances += of_people[a] * of_employees[b];
    }
    ((once + 1.0) / ((total - chances / total).max(0.0) + 1.0)).log2()
}

/// Pairs of domains where the same local parts have the same names, at least
/// three times, nearly always, while one of the two is out of use on the
/// other's side: else they are sister companies, whose `john.smith`s differ.
fn moved_domains(facts: &Features<'_>) -> HashMap<(u32, u32), u32> {
    let mut by_local: HashMap<u32, Vec<usize>> = HashMap::default();
    for (at, employee) in facts.employees.iter().enumerate() {
        if let Some(mail) = employee.email.filter(|mail| !mail.private && !mail.role) {
            by_local.entry(mail.local).or_default().push(at);
        }
    }
    let mut seen: HashMap<(u32, u32), (u32, u32)> = HashMap::default();
    for person in &facts.people {
        let Some(mail) = person.email.filter(|mail| !mail.private && !mail.role) else {
            continue;
        };
        for at in by_local.get(&mail.local).into_iter().flatten().take(8) {
            let employee = &facts.employees[*at];
            let Some(other) = employee.email.filter(|other| other.domain != mail.domain) else {
                continue;
            };
            let found = name_similarity::compare(&facts.lexicon, &person.name, &employee.name);
            let slot = seen.entry((mail.domain, other.domain)).or_default();
            // Who has an employee at the present address is another than the one at
            // the old; if that one is switched off, it may be an old record.
            let has_own = facts.by_mail.employees(mail.id) > 0;
            if has_own && employee.deactivated {
                continue;
            }
            if !has_own && found.given.agrees() && found.family.agrees() {
                slot.0 += 1;
            } else {
                slot.1 += 1;
            }
        }
    }
    let mut into: HashMap<u32, u32> = HashMap::default();
    for ((_, employee), (same, _)) in &seen {
        *into.entry(*employee).or_default() += same;
    }
    seen.into_iter()
        .filter(|((person, employee), (same, other))| {
            let aborted = facts.by_domain.people(*employee) * 50 <= *same
                || facts.by_domain.employees(*person) * 50 <= *same;
            // Where sister companies came of one domain, its `john.smith` may be of either.
            let of_one_company = same * 10 >= into[employee] * 6;
            *same >= 3 && *same >= 9 * *other && aborted && of_one_company
        })
        .map(|(domains, (same, _))| (domains, same))
        .collect()
}
