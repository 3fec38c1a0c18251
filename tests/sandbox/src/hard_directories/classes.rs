//! Generates the cases of each class of difficulty.

use super::{
    Class, Record, Scheme, User,
    company::{Company, DAY, Human, START, TODAY, Traces, local},
    names,
    spelling::{self, capital, letters, nickname, typo, unmarked},
};

const SCHEMES: [Scheme; 5] = [
    Scheme::FirstDotLast,
    Scheme::FLast,
    Scheme::First,
    Scheme::LastF,
    Scheme::FirstLast,
];

pub(super) fn both(user: User, record: Record, class: Class) -> Traces {
    Traces {
        user: Some(user),
        records: vec![record],
        class,
        decidable: true,
    }
}

pub(super) fn initial(text: &str) -> String {
    text.chars().take(1).collect::<String>()
}

impl Company<'_> {
    /// Generates one human, or several who are easily confused.
    pub fn case(&mut self) -> Vec<Traces> {
        let difficulty = self.style.difficulty;
        if !self.chance(difficulty) {
            let human = self.hire();
            let (user, record) = (self.user(&human), self.record(&human));
            let leavers = self.style.leavers;
            if self.chance(leavers) {
                return vec![self.leaver(&human)];
            }
            return self.compound(vec![both(user, record, Class::Plain)]);
        }
        let weights = [
            (Class::Format, 3.0),
            (Class::Nickname, 2.0),
            (Class::Initials, 1.0),
            (Class::ChangedDomain, self.style.domain_change),
            (Class::ChangedEmail, 1.5),
            (Class::Typo, 1.5),
            (Class::Married, 1.0),
            (Class::DeviceMade, self.style.devices),
            (Class::Unidentifiable, self.style.devices * 0.05),
            (Class::OtherEmail, 1.0),
            (Class::MissingFields, 0.5),
            (Class::SharedMailbox, 0.4),
            (Class::ReusedAddress, 0.7),
            (Class::FatherSon, 0.4),
            (Class::Twins, 0.4),
            (Class::OldRecord, 1.0),
            (Class::Namesake, 1.0),
        ];
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut at = self.rng.f64() * total;
        let class = weights
            .iter()
            .find(|(_, weight)| {
                at -= weight;
                at < 0.0
            })
            .map_or(Class::Format, |(class, _)| *class);
        let traces = match class {
            Class::SharedMailbox => self.shared_mailbox(),
            Class::ReusedAddress => self.reused_address(),
            Class::FatherSon => self.father_and_son(),
            Class::Twins => self.twins(),
            Class::Namesake => self.namesakes(),
            _ => vec![self.single(class)],
        };
        self.compound(traces)
    }

    /// Adds a second difficulty to some people.
    fn compound(&mut self, mut traces: Vec<Traces>) -> Vec<Traces> {
        let compound = self.style.compound;
        for trace in &mut traces {
            if !self.chance(compound) {
                continue;
            }
            match self.rng.u8(..6) {
                0 => {
                    if let Some(user) = &mut trace.user {
                        user.last_name = user.last_name.as_deref().map(|name| typo(&mut self.rng, name));
                    }
                }
                1 => {
                    for record in &mut trace.records {
                        record.name = typo(&mut self.rng, &record.name);
                    }
                }
                2 => {
                    for record in &mut trace.records {
                        record.name = record.name.to_uppercase();
                    }
                }
                3 => {
                    if let Some(user) = &mut trace.user {
                        user.employee_number = None;
                        user.team = None;
                    }
                }
                4 => {
                    for record in &mut trace.records {
                        record.team = "Default".to_owned();
                    }
                }
                _ => {
                    if let Some(user) = &mut trace.user {
                        user.email = user.email.as_deref().map(str::to_uppercase);
                    }
                }
            }
        }
        traces
    }

    /// Generates one human of a class.
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn single(&mut self, class: Class) -> Traces {
        let mut human = self.hire();
        if class == Class::Nickname && spelling::nickname(&mut self.rng, &human.given).is_none() {
            let given = spelling::name_with_nickname(&mut self.rng).to_owned();
            human = self.hire_named(human.language, human.sex, given, human.family);
        }
        let mut user = self.user(&human);
        let mut record = self.record(&human);
        let mut decidable = true;
        match class {
            Class::Format => self.change_notation(&human, &mut user, &mut record),
            Class::Nickname => {
                let nick = nickname(&mut self.rng, &human.given).unwrap_or("Alex");
                if self.rng.bool() {
                    record.name = format!("{nick} {}", human.family);
                    user.nick_name = self.chance(0.3).then(|| nick.to_owned());
                } else {
                    user.first_name = Some(nick.to_owned());
                }
                if self.chance(0.2) {
                    record.email = format!("{}@{}", letters(nick, false), human.domain);
                }
            }
            Class::Initials => {
                let letter = initial(&human.given);
                record.name = match self.rng.u8(..4) {
                    0 => format!("{letter}. {}", human.family),
                    1 => format!("{} {}.", human.given, initial(&human.family)),
                    2 => format!("{}, {letter}.", human.family),
                    _ => format!("{letter} {}", human.family),
                };
                if self.chance(0.1) {
                    record.email = String::new();
                    record.identifier = String::new();
                    decidable = false;
                }
            }
            Class::ChangedDomain => {
                record.email = self.address_at_old_domain(&human);
                record.identifier = record.email.clone();
                decidable = record.email.starts_with(&format!("{}@", human.local));
            }
            Class::ChangedEmail => {
                let old_scheme = self.pick(&SCHEMES);
                let old = format!("{}@{}", self.free_local(&human, old_scheme), human.domain);
                record.identifier = old.clone();
                match self.rng.u8(..5) {
                    0 => user.login = old.clone(),
                    1 => user.second_email = Some(old.clone()),
                    2 => {
                        // Changed in Insightful only: the first email still matches.
                        record.identifier = human.email();
                        record.email = old;
                        return both(user, record, class);
                    }
                    // Only the name matches.
                    _ => decidable = false,
                }
                record.email = old;
            }
            Class::Typo => match self.rng.u8(..4) {
                0 => record.name = typo(&mut self.rng, &record.name),
                1 => user.last_name = Some(typo(&mut self.rng, &human.family)),
                2 => user.first_name = Some(typo(&mut self.rng, &human.given)),
                _ => {
                    let wrong = format!("{}@{}", typo(&mut self.rng, &human.local), human.domain);
                    record.identifier = wrong.clone();
                    record.email = wrong;
                }
            },
            Class::Married => {
                let skew = self.style.skew;
                let new = names::language(human.language).family(&mut self.rng, skew);
                let old = human.family.clone();
                user.last_name = Some(if self.chance(0.25) {
                    format!("{old}-{new}")
                } else {
                    new.clone()
                });
                if self.rng.bool() {
                    let mut renamed = human.clone();
                    renamed.family = new;
                    renamed.local = self.free_local(&renamed, self.style.scheme);
                    user.email = Some(renamed.email());
                    if self.rng.bool() {
                        user.login = renamed.email();
                        decidable = false;
                    }
                }
            }
            Class::DeviceMade => {
                let account = self.account(&human);
                // An initial or a first name alone may be anybody's.
                decidable = account == human.local || account.contains('.');
                let host = format!("DESKTOP-{}", self.code());
                record.name = match self.rng.u8(..5) {
                    0 => format!("{host}\\{account}"),
                    1 => format!(
                        "{}\\{account}",
                        capital(self.domain.split('.').next().unwrap_or("corp"))
                    ),
                    2 => account.to_uppercase(),
                    _ => account.clone(),
                };
                (record.email, record.identifier) = match self.rng.u8(..4) {
                    0 => (
                        format!("{account}@{}.local", host.to_lowercase()),
                        format!("{account}@{}.local", host.to_lowercase()),
                    ),
                    1 => (String::new(), account),
                    2 => (String::new(), format!("{host}\\{account}")),
                    _ => (String::new(), String::new()),
                };
            }
            Class::Unidentifiable => {
                let host = format!("DESKTOP-{}", self.code());
                let account = self.pick(&["user", "admin", "owner", "pc", "laptop"]);
                record.name = format!("{host}\\{account}");
                record.email = String::new();
                record.identifier = record.name.clone();
                decidable = false;
            }
            Class::OtherEmail => {
                let number = self.rng.u8(..100);
                let (given, family) = (letters(&human.given, false), letters(&human.family, false));
                record.email = match self.rng.u8(..4) {
                    0 => format!("{given}.{family}@gmail.com"),
                    1 => format!("{family}{number}@hotmail.com"),
                    2 => format!("{given}{number}@yahoo.com"),
                    _ => String::new(),
                };
                record.identifier = record.email.clone();
                // A private address may be in Okta too; otherwise only the name matches.
                decidable = user.second_email.is_some() && self.rng.bool();
                if decidable {
                    user.second_email = Some(record.email.clone()).filter(|email| !email.is_empty());
                    decidable = user.second_email.is_some();
                }
            }
            Class::MissingFields => match self.rng.u8(..3) {
                0 => {
                    user.email = None;
                    user.login = human.local.clone();
                }
                1 => {
                    user.first_name = None;
                }
                _ => {
                    user.first_name = None;
                    user.last_name = None;
                }
            },
            Class::OldRecord => return self.old_record(&human, user, record),
            _ => {}
        }
        Traces {
            user: Some(user),
            records: vec![record],
            class,
            decidable,
        }
    }

    /// Returns the address before the company changed its domain.
    pub(super) fn address_at_old_domain(&mut self, human: &Human) -> String {
        let mut then = human.clone();
        then.domain = former_domain(&human.domain);
        let scheme = self.style.old_scheme;
        let other_scheme = scheme != self.style.scheme && self.chance(0.3);
        let local = if other_scheme {
            self.free_local(&then, scheme)
        } else {
            human.local.clone()
        };
        format!("{local}@{}", then.domain)
    }

    fn code(&mut self) -> String {
        (0..7)
            .map(|_| {
                if self.rng.bool() {
                    self.rng.uppercase()
                } else {
                    self.rng.digit(10)
                }
            })
            .collect()
    }

    /// Returns the account name on the person's device.
    fn account(&mut self, human: &Human) -> String {
        match self.rng.u8(..6) {
            0..=2 => human.local.clone(),
            3 => local(human, Scheme::FirstDotLast),
            4 => local(human, Scheme::FLast),
            _ => local(human, Scheme::First),
        }
    }

    fn change_notation(&mut self, human: &Human, user: &mut User, record: &mut Record) {
        let (given, family) = (human.given.clone(), human.family.clone());
        let middle = human.middle.clone().unwrap_or_else(|| {
            let skew = self.style.skew;
            names::language(human.language)
                .given(&mut self.rng, human.sex, skew)
                .to_owned()
        });
        record.name = match self.rng.u8(..12) {
            0 => format!("{family}, {given}"),
            1 => format!("{} {given}", family.to_uppercase()),
            2 => format!("{given} {middle} {family}"),
            3 => format!("{given} {}. {family}", initial(&middle)),
            4 => format!("Dr. {given} {family}"),
            5 => unmarked(&human.full(), true),
            6 => format!("{given} {family} (Contractor)"),
            7 => format!("{family} {given}"),
            8 => format!("{}, {given} {}.", unmarked(&family, false), initial(&middle)),
            9 => spelling::latin(&human.full(), true).to_lowercase(),
            10 => format!("{given}  {}", family.split([' ', '-']).next().unwrap_or_default()),
            _ => {
                user.first_name = Some(format!("{given} {middle}"));
                format!("{middle} {family}")
            }
        };
    }

    pub(super) fn leaver(&mut self, human: &Human) -> Traces {
        let mut user = self.user(human);
        let mut record = self.record(human);
        user.status = if self.chance(0.1) {
            "SUSPENDED"
        } else {
            "DEPROVISIONED"
        };
        if self.rng.bool() {
            record.deactivated = (TODAY - self.rng.i64(0..300)) * DAY + START;
        }
        both(user, record, Class::Leaver)
    }

    fn old_record(&mut self, human: &Human, user: User, record: Record) -> Traces {
        let mut old = self.record(human);
        old.created_at -= DAY * self.rng.i64(0..400);
        old.deactivated = record.created_at - DAY;
        let mut decidable = true;
        match self.rng.u8(..3) {
            0 => {
                old.email = self.address_at_old_domain(human);
                old.identifier = old.email.clone();
            }
            1 => {
                old.name = local(human, Scheme::FLast);
                old.email = String::new();
                old.identifier = String::new();
            }
            _ => decidable = false,
        }
        Traces {
            user: Some(user),
            records: vec![record, old],
            class: Class::OldRecord,
            decidable,
        }
    }
}

pub(super) fn both_if(user: User, record: Record, class: Class, decidable: bool) -> Traces {
    Traces {
        decidable,
        ..both(user, record, class)
    }
}

/// Returns the former domain of a company or sister company.
fn former_domain(domain: &str) -> String {
    domain.replacen('.', "-group.", 1)
}
