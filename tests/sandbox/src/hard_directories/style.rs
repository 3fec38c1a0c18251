//! The habits of a company.

use fastrand::Rng;

use super::names;

/// How a company derives local parts from names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `jane.doe`
    FirstDotLast,
    /// `jdoe`
    FLast,
    /// `jane`, `jane.d` when taken
    First,
    /// `doej`
    LastF,
    /// `janedoe`
    FirstLast,
    /// `u104233`
    Number,
}

/// The habits of a company. Shares are between 0 and 1.
#[derive(Clone, Debug)]
pub struct Style {
    /// The lists that names are drawn from.
    pub languages: Vec<&'static str>,
    /// The skew of name frequencies: 1 is even, 3 is very skewed.
    pub skew: f64,
    pub scheme: Scheme,
    /// The scheme of old records.
    pub old_scheme: Scheme,
    /// Whether a sister company with its own domain is in the same directories.
    pub sister: bool,
    /// Share of people who are hard to match.
    pub difficulty: f64,
    /// Weight of records that devices created among the difficulties.
    pub devices: f64,
    /// Weight of changed domains among the difficulties.
    pub domain_change: f64,
    /// Share of people without an employee.
    pub no_employee: f64,
    /// Share of employees without a person.
    pub no_person: f64,
    /// Share of departed people.
    pub leavers: f64,
    /// Share of missing fields.
    pub missing: f64,
    /// Share of employees in the default team.
    pub default_team: f64,
    pub teams: usize,
    /// Whether teams have different names in Insightful.
    pub renamed_teams: bool,
    /// Share of employees whose name lacks its marks (`ö`).
    pub marks_lost: f64,
    /// Share of people with a second difficulty.
    pub compound: f64,
    /// Whether the creation dates of records are random, as after an import.
    pub dates_lost: bool,
}

impl Style {
    /// Draws a random style. Even seeds draw from some of the languages, odd seeds
    /// from all, so that an engine tuned on even seeds can be judged on odd ones.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5eed);
        let known: Vec<&'static str> = names::all().collect();
        let held_out = [
            "hungarian",
            "czech",
            "romanian",
            "indonesian",
            "yoruba",
            "italian",
            "dutch",
        ];
        let pool: Vec<&'static str> = known
            .into_iter()
            .filter(|name| seed % 2 == 1 || !held_out.contains(name))
            .collect();
        let count = [1, 1, 2, 4, 8][rng.usize(..5)];
        let languages = (0..count).map(|_| pool[rng.usize(..pool.len())]).collect();
        let schemes = [
            Scheme::FirstDotLast,
            Scheme::FirstDotLast,
            Scheme::FLast,
            Scheme::FLast,
            Scheme::First,
            Scheme::LastF,
            Scheme::FirstLast,
            Scheme::Number,
        ];
        Self {
            languages,
            skew: 1.3 + 1.7 * rng.f64(),
            scheme: schemes[rng.usize(..schemes.len())],
            old_scheme: schemes[rng.usize(..schemes.len())],
            sister: rng.f64() < 0.3,
            difficulty: 0.25 + 0.45 * rng.f64(),
            devices: 2.0 * rng.f64(),
            domain_change: if rng.f64() < 0.4 { 5.0 * rng.f64() } else { 0.5 },
            no_employee: 0.02 + 0.2 * rng.f64(),
            no_person: 0.02 + 0.2 * rng.f64(),
            leavers: 0.15 * rng.f64(),
            missing: 0.1 * rng.f64(),
            default_team: 0.8 * rng.f64(),
            teams: 3 + rng.usize(..30),
            renamed_teams: rng.f64() < 0.3,
            marks_lost: rng.f64(),
            compound: 0.2 * rng.f64(),
            dates_lost: rng.f64() < 0.25,
        }
    }
}
