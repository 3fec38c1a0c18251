//! Simulates a company: its people, their addresses and their records in both services.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::{
    Class, Directory, Record, Scheme, Style, Truth, User, names,
    spelling::{self, letters},
};

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;
/// 2021-01-01.
pub const START: i64 = 1_609_459_200_000;
/// Days after [`START`] on which each service was rolled out.
pub const OKTA_ROLLOUT: i64 = 500;
/// See [`OKTA_ROLLOUT`].
pub const INSIGHTFUL_ROLLOUT: i64 = 800;
/// Days that the simulation lasts.
pub const TODAY: i64 = 1900;

#[derive(Clone, Debug)]
pub struct Human {
    pub given: String,
    pub middle: Option<String>,
    pub family: String,
    pub sex: usize,
    pub language: &'static str,
    pub team: String,
    pub hired: i64,
    pub local: String,
    pub domain: String,
    pub number: u64,
    pub expand: bool,
}

impl Human {
    pub fn email(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    pub fn full(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

/// The data of one human in both services.
pub struct Traces {
    pub user: Option<User>,
    pub records: Vec<Record>,
    pub class: Class,
    pub decidable: bool,
}

pub struct Company<'a> {
    pub style: &'a Style,
    pub rng: Rng,
    pub domain: String,
    pub sister: String,
    taken: BTreeSet<String>,
    logins: BTreeSet<String>,
    teams: Vec<String>,
    next: u64,
    directory: Directory,
}

const WORDS: [&str; 12] = [
    "acme",
    "globex",
    "initech",
    "umbrella",
    "hooli",
    "stark",
    "wayne",
    "wonka",
    "tyrell",
    "cyberdyne",
    "soylent",
    "vandelay",
];

const TEAMS: [&str; 12] = [
    "Engineering",
    "Sales",
    "Support",
    "Finance",
    "People",
    "Marketing",
    "Legal",
    "Operations",
    "Design",
    "Product",
    "Logistics",
    "Research",
];

impl<'a> Company<'a> {
    pub fn new(style: &'a Style, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let word = WORDS[rng.usize(..WORDS.len())];
        let tld = ["com", "io", "de", "co.uk", "net"][rng.usize(..5)];
        let teams = (0..style.teams)
            .map(|i| match i / TEAMS.len() {
                0 => TEAMS[i].to_owned(),
                more => format!("{} {}", TEAMS[i % TEAMS.len()], more + 1),
            })
            .collect();
        Self {
            style,
            domain: format!("{word}.{tld}"),
            sister: format!("{word}labs.{tld}"),
            taken: BTreeSet::new(),
            logins: BTreeSet::new(),
            teams,
            next: 0,
            directory: Directory::default(),
            rng,
        }
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.rng.f64() < share
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    fn id(&mut self, prefix: &str, length: usize) -> String {
        self.next += 1;
        // A bijection of the counter: unique, but in no order.
        let mut code = self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut text = prefix.to_owned();
        while text.len() < length {
            let digit = u32::try_from(code % 36).unwrap_or(0);
            text.push(char::from_digit(digit, 36).unwrap_or('0'));
            code = (code / 36) ^ self.next.rotate_left(17);
        }
        text
    }

    /// Hires a person with a free address.
    pub fn hire(&mut self) -> Human {
        let language = self.pick(&self.style.languages.clone());
        let sex = self.rng.usize(..2);
        let list = names::language(language);
        let given = list.given(&mut self.rng, sex, self.style.skew).to_owned();
        let family = list.family(&mut self.rng, self.style.skew);
        self.hire_named(language, sex, given, family)
    }

    pub fn hire_named(&mut self, language: &'static str, sex: usize, given: String, family: String) -> Human {
        let skew = self.style.skew;
        let middle = self.chance(0.15).then(|| {
            names::language(language)
                .given(&mut self.rng, sex, skew)
                .to_owned()
        });
        let domain = if self.style.sister && self.chance(0.25) {
            self.sister.clone()
        } else {
            self.domain.clone()
        };
        let teams = self.teams.clone();
        let mut human = Human {
            given,
            middle,
            family,
            sex,
            language,
            team: teams[self.rng.usize(..teams.len())].clone(),
            hired: self.rng.i64(-1500..TODAY - 30),
            local: String::new(),
            domain,
            number: 100_000 + self.rng.u64(..800_000),
            expand: self.rng.bool(),
        };
        human.local = self.free_local(&human, self.style.scheme);
        human
    }

    /// Returns the local part by a scheme, with a number if it is taken.
    pub fn free_local(&mut self, human: &Human, scheme: Scheme) -> String {
        let base = local(human, scheme);
        let mut local = base.clone();
        let mut number = 1;
        while !self.taken.insert(format!("{local}@{}", human.domain)) {
            number += 1;
            local =
                if number == 2 && self.rng.bool() && human.middle.is_some() && scheme == Scheme::FirstDotLast
                {
                    let middle = human
                        .middle
                        .as_deref()
                        .map(|m| letters(m, false))
                        .unwrap_or_default();
                    format!(
                        "{}.{}.{}",
                        letters(&human.given, human.expand),
                        &middle[..middle.len().min(1)],
                        letters(&human.family, human.expand)
                    )
                } else {
                    format!("{base}{number}")
                };
        }
        local
    }

    /// Returns the user in Okta without any difficulty.
    pub fn user(&mut self, human: &Human) -> User {
        let created =
            (human.hired - self.rng.i64(0..14)).max(OKTA_ROLLOUT) * DAY + START + self.rng.i64(0..DAY);
        let titles = [
            "Engineer",
            "Manager",
            "Analyst",
            "Specialist",
            "Director",
            "Assistant",
        ];
        let email = human.email();
        let login = if self.chance(0.1) {
            human.local.clone()
        } else {
            email.clone()
        };
        let second_email = self.chance(0.1).then(|| {
            format!(
                "{}.{}{}@gmail.com",
                letters(&human.given, false),
                letters(&human.family, false),
                human.number % 100
            )
        });
        let mut given = human.given.clone();
        if let Some(middle) = &human.middle
            && self.rng.f64() < 0.2
        {
            given = format!("{given} {middle}");
        }
        let missing = self.style.missing;
        let team = (!self.chance(missing)).then(|| human.team.clone());
        User {
            id: self.id("00u", 20),
            status: "ACTIVE",
            created: timestamp(created),
            last_updated: timestamp(created + self.rng.i64(0..DAY * 200)),
            login,
            first_name: Some(given),
            last_name: Some(human.family.clone()),
            email: Some(email),
            nick_name: None,
            second_email,
            title: (!self.chance(missing)).then(|| self.pick(&titles).to_owned()),
            employee_number: (!self.chance(missing + 0.2)).then(|| human.number.to_string()),
            team,
        }
    }

    /// Returns the record in Insightful without any difficulty.
    pub fn record(&mut self, human: &Human) -> Record {
        let late = if self.chance(0.2) {
            self.rng.i64(0..200)
        } else {
            self.rng.i64(0..10)
        };
        let day = (human.hired + late).clamp(INSIGHTFUL_ROLLOUT, TODAY);
        let lost = self.style.marks_lost;
        let name = if self.chance(lost) {
            spelling::unmarked(&human.full(), human.expand)
        } else {
            human.full()
        };
        let in_default = self.style.default_team;
        let team = if self.chance(in_default) {
            "Default".to_owned()
        } else if self.style.renamed_teams {
            format!("Team {}", human.team.to_lowercase())
        } else {
            human.team.clone()
        };
        Record {
            id: self.id("w", 15),
            name,
            email: human.email(),
            identifier: human.email(),
            team,
            deactivated: 0,
            created_at: day * DAY + START + self.rng.i64(0..DAY),
        }
    }

    /// Adds the data of one human to the directory.
    fn add(&mut self, traces: Traces) {
        let records: Vec<String> = traces.records.iter().map(|record| record.id.clone()).collect();
        self.directory.records.extend(traces.records);
        if let Some(mut user) = traces.user {
            if !self.logins.insert(user.login.to_lowercase()) {
                user.login = format!("{}.{}", user.id.to_lowercase(), user.login);
                self.logins.insert(user.login.to_lowercase());
            }
            self.directory.truths.push(Truth {
                user: user.id.clone(),
                records,
                class: traces.class,
                decidable: traces.decidable,
            });
            self.directory.users.push(user);
        }
    }

    /// Randomizes creation dates, as an import does.
    fn randomize_dates(&mut self) {
        for user in &mut self.directory.users {
            user.created = timestamp(self.rng.i64(OKTA_ROLLOUT..TODAY) * DAY + START);
        }
        for record in &mut self.directory.records {
            record.created_at = self.rng.i64(INSIGHTFUL_ROLLOUT..TODAY) * DAY + START;
        }
    }

    /// Simulates the company and returns its directories in random order.
    pub fn simulate(mut self, size: usize) -> Directory {
        while self.directory.users.len() < size {
            for mut traces in self.case() {
                let has_both = traces.user.is_some() && !traces.records.is_empty();
                if has_both {
                    let (no_employee, no_person) = (self.style.no_employee, self.style.no_person);
                    if self.chance(no_employee) {
                        traces.records.clear();
                    } else if self.chance(no_person) {
                        traces.user = None;
                    }
                }
                self.add(traces);
            }
        }
        if self.style.dates_lost {
            self.randomize_dates();
        }
        let mut order: Vec<usize> = (0..self.directory.users.len()).collect();
        self.rng.shuffle(&mut order);
        self.rng.shuffle(&mut self.directory.records);
        Directory {
            users: order.iter().map(|i| self.directory.users[*i].clone()).collect(),
            truths: order.iter().map(|i| self.directory.truths[*i].clone()).collect(),
            records: self.directory.records,
        }
    }
}

/// Returns the local part of a name by a scheme.
pub fn local(human: &Human, scheme: Scheme) -> String {
    let given = letters(&human.given, human.expand);
    // Most companies use the first family name.
    let family = letters(
        human.family.split(' ').next_back().unwrap_or_default(),
        human.expand,
    );
    let initial = |text: &str| text.chars().take(1).collect::<String>();
    match scheme {
        Scheme::FirstDotLast => format!("{given}.{family}"),
        Scheme::FLast => format!("{}{family}", initial(&given)),
        Scheme::First => given,
        Scheme::LastF => format!("{family}{}", initial(&given)),
        Scheme::FirstLast => format!("{given}{family}"),
        Scheme::Number => format!("u{}", human.number),
    }
}

/// Formats milliseconds since 1970 as RFC 3339.
pub fn timestamp(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    // Civil date from days, after Howard Hinnant's public algorithm.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let seconds = rest / 1000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_rfc_3339() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(START), "2021-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_709_251_199_000), "2024-02-29T23:59:59.000Z");
    }
}
