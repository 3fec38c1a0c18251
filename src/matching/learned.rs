//! Learns from the training pairs which teams correspond, how creation dates are
//! related, and which domains are no longer used.
//!
//! The evidence of an attribute is the ratio of its frequency among training pairs
//! and among random pairs (Fellegi and Sunter's m and u).

use foldhash::{HashMap, HashSet};

use super::{
    features::Features,
    name_similarity,
    numbering::Mail,
    record_features::{Circumstances, EmployeeFeatures, PersonFeatures},
};

/// Minimum number of training pairs to learn from.
const MIN_PAIRS: usize = 12;
/// Minimum number of employees of a domain to learn whose it is.
const MIN_EMPLOYEES_OF_DOMAIN: u32 = 12;
/// Minimum number of people with a name and a login of a domain to learn whose it is, and the minimum share of them, in
/// percent, with an email of the company that has the domain.
const MIN_PEOPLE_OF_LOGIN_DOMAIN: u32 = 3;
const MIN_PERCENT_OF_LOGIN_DOMAIN: u32 = 50;
/// Bounds of the evidence of teams and dates.
const MAX_BITS: f64 = 5.0;
const MIN_BITS: f64 = -4.0;

/// Evidence against dates that hardly any true pair has.
const UNLIKELY_DATES_BITS: f64 = -2.0;

/// Upper bounds of the classes of days from the creation of the person's record to
/// that of the employee's.
const MAX_DAYS: [i64; 8] = [-365, -60, -7, -1, 7, 30, 120, 400];

#[derive(Debug, Default)]
pub(super) struct Learned {
    pairs: usize,
    teams: HashMap<(u32, u32), f64>,
    dates: Vec<f64>,
    /// Pairs of a domain in Okta and one in Insightful of which the company gave up one.
    former_domains: HashSet<(u32, u32)>,
    /// Whether the employees with an email of a domain, and of nobody in Okta, are mostly people in Okta.
    people_of_domains: HashMap<u32, bool>,
    /// By domain of logins: the domain of emails in Okta that most of its people have; None if there is no such one.
    login_domains: HashMap<u32, Option<u32>>,
}

impl Learned {
    pub(super) fn from(features: &Features<'_>) -> Self {
        let pairs = &features.training_pairs;
        let mut learned = Self {
            pairs: pairs.len(),
            former_domains: former_domains(features),
            people_of_domains: people_of_domains(features),
            login_domains: login_domains(features),
            ..Self::default()
        };
        if pairs.len() >= MIN_PAIRS {
            learned.dates = dates(features, pairs);
            learned.teams = teams(features, pairs);
        }
        learned
    }

    /// Returns the evidence of the teams in bits; None if one is unknown.
    pub(super) fn team(&self, person: &Circumstances, employee: &Circumstances) -> Option<f64> {
        let (a, b) = (person.team?, employee.team?);
        if self.pairs < MIN_PAIRS {
            return (a == b).then_some(1.0);
        }
        self.teams.get(&(a, b)).copied()
    }

    /// Returns the evidence of the creation dates in bits; None if one is unknown or
    /// there are too few training pairs.
    pub(super) fn date(&self, person: &Circumstances, employee: &Circumstances) -> Option<f64> {
        self.dates.get(class(person.day?, employee.day?)).copied()
    }

    /// Whether dates reveal reassigned addresses, because the employee's record of a
    /// true pair is hardly ever much older than the person's.
    pub(super) fn dates_reveal_reassignment(&self) -> bool {
        self.dates.len() > 2 && self.dates[..2].iter().all(|bits| *bits <= UNLIKELY_DATES_BITS)
    }

    /// Whether the employees with an email of a domain are people in Okta with another address, as those of an agency
    /// are and those of a sister company are not; None if there are too few.
    pub(super) fn are_people_of(&self, domain: u32) -> Option<bool> {
        self.people_of_domains.get(&domain).copied()
    }

    /// Whether most people with logins of the employee's domain have an email of the person's company; None if there
    /// are too few. Two companies of one group derive the same login from a name, each in its own domain.
    pub(super) fn is_login_domain_of(
        &self,
        person: &PersonFeatures<'_>,
        employee: &EmployeeFeatures<'_>,
    ) -> Option<bool> {
        let emails = self.login_domains.get(&employee.login_domain?)?;
        Some(*emails == Some(person.email?.domain))
    }

    /// Whether the company gave up one of the two domains for the other.
    pub(super) fn is_former_domain(&self, person: &Mail, employee: &Mail) -> bool {
        self.former_domains.contains(&(person.domain, employee.domain))
    }
}

/// Returns the class of the days between the creation of two records.
fn class(person: i32, employee: i32) -> usize {
    let days = i64::from(employee) - i64::from(person);
    MAX_DAYS
        .iter()
        .position(|end| days < *end)
        .unwrap_or(MAX_DAYS.len())
}

/// Returns the evidence of each class of dates, in bits.
fn dates(features: &Features<'_>, pairs: &[(usize, usize)]) -> Vec<f64> {
    let mut of_pairs = [1.0_f64; MAX_DAYS.len() + 1];
    let mut of_chance = of_pairs;
    let days: Vec<(i32, i32)> = pairs
        .iter()
        .filter_map(|(p, e)| {
            Some((
                features.people[*p].circumstances.day?,
                features.employees[*e].circumstances.day?,
            ))
        })
        .collect();
    if days.len() < MIN_PAIRS {
        return Vec::new();
    }
    for (at, (a, b)) in days.iter().enumerate() {
        of_pairs[class(*a, *b)] += 1.0;
        for step in [1, 7, 31] {
            let (_, other) = days[(at + step) % days.len()];
            of_chance[class(*a, other)] += 1.0 / 3.0;
        }
    }
    // Both sides start with equal pseudocounts, so that few pairs are weak evidence.
    of_pairs
        .iter()
        .zip(of_chance)
        .map(|(m, u)| (m / u).log2().clamp(MIN_BITS, MAX_BITS))
        .collect()
}

/// Returns the evidence of each pair of a team in Okta and one in Insightful, in bits.
fn teams(features: &Features<'_>, pairs: &[(usize, usize)]) -> HashMap<(u32, u32), f64> {
    let known: Vec<(u32, u32)> = pairs
        .iter()
        .map(|(p, e)| {
            (
                &features.people[*p].circumstances,
                &features.employees[*e].circumstances,
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
    let of_all_employees = shares_of_teams(features);
    let never_together = never_together(&together, &of_people, &of_employees, total);
    let different_names = different_names(&known, &of_people);
    let mut bits = HashMap::default();
    for (a, with_a) in &of_people {
        for (b, with_b) in &of_employees {
            // The team in which new records begin has few of the training pairs.
            let by_chance = if of_people.contains_key(b) {
                with_b / total
            } else {
                (with_b / total).max(of_all_employees[b])
            };
            let evidence = match together.get(&(*a, *b)) {
                // Two pseudo-observations, so that a single pair is weak evidence.
                Some(both) => ((both + 2.0 * by_chance) / (with_a + 2.0) / by_chance).log2(),
                None => (2.0 / (with_a + 2.0)).log2().min(never_together),
            };
            let evidence = if a != b && of_people.contains_key(b) {
                evidence.min(different_names)
            } else {
                evidence
            };
            bits.insert((*a, *b), evidence.clamp(MIN_BITS, MAX_BITS));
        }
    }
    bits
}

/// Returns the share of each team among all employees.
fn shares_of_teams(features: &Features<'_>) -> HashMap<u32, f64> {
    let mut shares: HashMap<u32, f64> = HashMap::default();
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of employees are far below 2^52"
    )]
    let one = 1.0 / features.employees.len() as f64;
    for team in features
        .employees
        .iter()
        .filter_map(|employee| employee.circumstances.team)
    {
        *shares.entry(team).or_default() += one;
    }
    shares
}

/// Returns the evidence, in bits, of a person who is not in the team that has the
/// same name as the employee's.
fn different_names(known: &[(u32, u32)], of_people: &HashMap<u32, f64>) -> f64 {
    let (mut same, mut other) = (1.0_f64, 1.0_f64);
    for (a, b) in known.iter().filter(|(_, b)| of_people.contains_key(b)) {
        *(if a == b { &mut same } else { &mut other }) += 1.0;
    }
    (2.0 * other / (same + other)).log2().min(0.0)
}

/// Returns the evidence, in bits, of two teams that no training pair has. Their
/// frequency among true pairs is a Good-Turing estimate.
fn never_together(
    together: &HashMap<(u32, u32), f64>,
    of_people: &HashMap<u32, f64>,
    of_employees: &HashMap<u32, f64>,
    total: f64,
) -> f64 {
    // Sums of integers, so that the order of the map does not matter.
    let (mut once, mut chances) = (0.0, 0.0);
    for ((a, b), both) in together {
        if *both < 1.5 {
            once += 1.0;
        }
        chances += of_people[a] * of_employees[b];
    }
    ((once + 1.0) / ((total - chances / total).max(0.0) + 1.0)).log2()
}

/// Finds pairs of domains where equal local parts nearly always have equal names,
/// and one of which is hardly used in the other directory. Otherwise they are
/// sister companies, each with its own `john.smith`.
fn former_domains(features: &Features<'_>) -> HashSet<(u32, u32)> {
    let mut by_local: HashMap<u32, Vec<usize>> = HashMap::default();
    for (at, employee) in features.employees.iter().enumerate() {
        if let Some(mail) = employee.email.filter(|mail| !mail.private && !mail.role) {
            by_local.entry(mail.squeezed).or_default().push(at);
        }
    }
    let mut counts: HashMap<(u32, u32), (u32, u32)> = HashMap::default();
    for person in &features.people {
        let Some(mail) = person.email.filter(|mail| !mail.private && !mail.role) else {
            continue;
        };
        for at in by_local.get(&mail.squeezed).into_iter().flatten().take(8) {
            let employee = &features.employees[*at];
            let Some(other) = employee.email.filter(|other| other.domain != mail.domain) else {
                continue;
            };
            let (own, theirs) = person.names_beside(&features.lexicon, employee);
            let found = name_similarity::compare(&features.lexicon, own, theirs);
            let slot = counts.entry((mail.domain, other.domain)).or_default();
            // A person with an employee at the current address is not the one at the
            // former address, unless that is an old, deactivated record.
            let has_own = features.address_counts.employees(mail.id) > 0;
            if has_own && employee.deactivated {
                continue;
            }
            // The employee's address is another person's.
            if features.address_counts.people(other.id) > 0 {
                continue;
            }
            if !has_own && found.given.agrees() && found.family.agrees() {
                slot.0 += 1;
            } else {
                slot.1 += 1;
            }
        }
    }
    let users = users_of_domains(features);
    let mut into: HashMap<u32, u32> = HashMap::default();
    for ((_, employee), (same, _)) in &counts {
        *into.entry(*employee).or_default() += same;
    }
    counts
        .into_iter()
        .filter(|((person, employee), (same, other))| {
            // A few may have kept the former domain, and leavers had it to the end.
            let users = users.get(employee).copied().unwrap_or(0);
            let unused = users * 5 <= *same || features.domain_counts.employees(*person) * 50 <= *same;
            // If sister companies share a former domain, its `john.smith` may be of either.
            let of_one_company = same * 10 >= into[employee] * 6;
            *same >= 3 && *same >= 4 * *other && unused && of_one_company
        })
        .map(|(domains, _)| domains)
        .collect()
}

/// Returns the number of people who work here by the domain of their email.
fn users_of_domains(features: &Features<'_>) -> HashMap<u32, u32> {
    let mut users = HashMap::default();
    let people = features.people.iter();
    for mail in people
        .filter(|person| !person.record.departed)
        .filter_map(|person| person.email)
    {
        *users.entry(mail.domain).or_default() += 1;
    }
    users
}

/// Returns the domain of emails of the people of each domain of logins, which are known by name.
fn login_domains(features: &Features<'_>) -> HashMap<u32, Option<u32>> {
    let mut counts: HashMap<u32, HashMap<u32, u32>> = HashMap::default();
    for (employee, person) in features.namesakes_of_domain_logins() {
        let login = features.employees[employee].login_domain;
        let email = person.and_then(|at| features.people[at].email);
        if let Some((login, email)) = login.zip(email) {
            *counts.entry(login).or_default().entry(email.domain).or_default() += 1;
        }
    }
    let of_most = |emails: HashMap<u32, u32>| {
        let all: u32 = emails.values().sum();
        let mut emails = emails.into_iter();
        let email = emails.find(|(_, people)| {
            *people >= MIN_PEOPLE_OF_LOGIN_DOMAIN && people * 100 > all * MIN_PERCENT_OF_LOGIN_DOMAIN
        });
        (all >= MIN_PEOPLE_OF_LOGIN_DOMAIN).then(|| email.map(|(domain, _)| domain))
    };
    let domains = counts.into_iter();
    domains
        .filter_map(|(login, emails)| Some((login, of_most(emails)?)))
        .collect()
}

/// Returns of each domain whether most of its employees have the name of somebody in Okta, among those whose address
/// nobody in Okta has.
fn people_of_domains(features: &Features<'_>) -> HashMap<u32, bool> {
    let mut counts: HashMap<u32, (u32, u32)> = HashMap::default();
    for employee in features.employees.iter().filter(|employee| !employee.deactivated) {
        let is_of_nobody = |mail: &Mail| features.address_counts.people(mail.id) == 0;
        let mail = employee.email.filter(|mail| !mail.private && !mail.role);
        if let Some(mail) = mail.filter(is_of_nobody) {
            let (known, all) = counts.entry(mail.domain).or_default();
            *known += u32::from(features.has_unidentified_namesake(employee) == Some(true));
            *all += 1;
        }
    }
    let enough = counts
        .into_iter()
        .filter(|(_, (_, all))| *all >= MIN_EMPLOYEES_OF_DOMAIN);
    enough
        .map(|(domain, (known, all))| (domain, known * 2 >= all))
        .collect()
}
