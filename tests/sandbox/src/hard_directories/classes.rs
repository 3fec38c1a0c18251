//! What goes wrong: each class of trouble as a little story that leaves traces
//! in the two services.

use super::{
    Class, Record, Scheme, User,
    company::{Company, DAY, Human, START, TODAY, Traces, local},
    names,
    spelling::{self, capital, letters, nickname, plain, slip},
};

const SCHEMES: [Scheme; 5] = [
    Scheme::FirstDotLast,
    Scheme::FLast,
    Scheme::First,
    Scheme::LastF,
    Scheme::FirstLast,
];

fn both(user: User, record: Record, class: Class) -> Traces {
    Traces {
        user: Some(user),
        records: vec![record],
        class,
        decidable: true,
    }
}

fn initial(text: &str) -> String {
    text.chars().take(1).collect::<String>()
}

impl Company<'_> {
    /// One story: the traces of one human, or of several who are entangled.
    pub fn story(&mut self) -> Vec<Traces> {
        let trouble = self.style.trouble;
        if !self.chance(trouble) {
            let human = self.hire();
            let (user, record) = (self.user(&human), self.record(&human));
            let leavers = self.style.leavers;
            if self.chance(leavers) {
                return vec![self.leaver(&human)];
            }
            return self.twist(vec![both(user, record, Class::Plain)]);
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
            _ => vec![self.alone(class)],
        };
        self.twist(traces)
    }

    /// A second trouble on top, now and then.
    fn twist(&mut self, mut traces: Vec<Traces>) -> Vec<Traces> {
        let compound = self.style.compound;
        for trace in &mut traces {
            if !self.chance(compound) {
                continue;
            }
            match self.rng.u8(..6) {
                0 => {
                    if let Some(user) = &mut trace.user {
                        user.last_name = user.last_name.as_deref().map(|name| slip(&mut self.rng, name));
                    }
                }
                1 => {
                    for record in &mut trace.records {
                        record.name = slip(&mut self.rng, &record.name);
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

    /// Troubles of one human alone.
    #[expect(clippy::too_many_lines, reason = "a table of stories")]
    fn alone(&mut self, class: Class) -> Traces {
        let mut human = self.hire();
        if class == Class::Nickname && spelling::nickname(&mut self.rng, &human.given).is_none() {
            let given = spelling::name_with_nickname(&mut self.rng).to_owned();
            human = self.hire_named(human.language, human.sex, given, human.family);
        }
        let mut user = self.user(&human);
        let mut record = self.record(&human);
        let mut decidable = true;
        match class {
            Class::Format => self.write_otherwise(&human, &mut user, &mut record),
            Class::Nickname => {
                let nick = nickname(&mut self.rng, &human.given).unwrap_or("Alex");
                if self.rng.bool() {
                    record.name = format!("{nick} {}", human.family);
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
                        // Insightful was told, Okta was not: the identifier still agrees.
                        record.identifier = human.email();
                        record.email = old;
                        return both(user, record, class);
                    }
                    // Nothing but the name is left.
                    _ => decidable = false,
                }
                record.email = old;
            }
            Class::Typo => match self.rng.u8(..4) {
                0 => record.name = slip(&mut self.rng, &record.name),
                1 => user.last_name = Some(slip(&mut self.rng, &human.family)),
                2 => user.first_name = Some(slip(&mut self.rng, &human.given)),
                _ => {
                    let wrong = format!("{}@{}", slip(&mut self.rng, &human.local), human.domain);
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
                // The login, or the whole name; an initial or a first name alone may be anybody's.
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
                // A private address may be in Okta, too; else nothing but the name is left.
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

    /// The address that somebody had before the company changed its domain:
    /// mostly the same but for the domain.
    fn address_at_old_domain(&mut self, human: &Human) -> String {
        let mut then = human.clone();
        then.domain = self.old_domain.clone();
        let scheme = self.style.old_scheme;
        let other_scheme = scheme != self.style.scheme && self.chance(0.3);
        let local = if other_scheme {
            self.free_local(&then, scheme)
        } else {
            human.local.clone()
        };
        format!("{local}@{}", self.old_domain)
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

    /// The name that they log in to their machine with.
    fn account(&mut self, human: &Human) -> String {
        match self.rng.u8(..6) {
            0..=2 => human.local.clone(),
            3 => local(human, Scheme::FirstDotLast),
            4 => local(human, Scheme::FLast),
            _ => local(human, Scheme::First),
        }
    }

    fn write_otherwise(&mut self, human: &Human, user: &mut User, record: &mut Record) {
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
            5 => plain(&human.full(), true),
            6 => format!("{given} {family} (Contractor)"),
            7 => format!("{family} {given}"),
            8 => format!("{}, {given} {}.", plain(&family, false), initial(&middle)),
            9 => spelling::latin(&human.full(), true).to_lowercase(),
            10 => format!("{given}  {}", family.split([' ', '-']).next().unwrap_or_default()),
            _ => {
                user.first_name = Some(format!("{given} {middle}"));
                format!("{middle} {family}")
            }
        };
    }

    fn leaver(&mut self, human: &Human) -> Traces {
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
        // Both records are the person's; the one in use comes first.
        Traces {
            user: Some(user),
            records: vec![record, old],
            class: Class::OldRecord,
            decidable,
        }
    }

    fn shared_mailbox(&mut self) -> Vec<Traces> {
        let mailbox = format!(
            "{}@{}",
            self.pick(&["info", "reception", "warehouse", "store12", "front.desk"]),
            self.domain
        );
        let count = 2 + self.rng.usize(..3);
        let in_okta = self.rng.bool();
        (0..count)
            .map(|_| {
                let human = self.hire();
                let (mut user, mut record) = (self.user(&human), self.record(&human));
                record.email = mailbox.clone();
                record.identifier = mailbox.clone();
                if in_okta {
                    user.email = Some(mailbox.clone());
                    user.login = human.email();
                }
                both_if(user, record, Class::SharedMailbox, in_okta)
            })
            .collect()
    }

    /// Somebody leaves; somebody else gets the address.
    fn reused_address(&mut self) -> Vec<Traces> {
        let mut leaver = self.hire();
        leaver.hired = self.rng.i64(-500..900);
        let mut newcomer = self.hire();
        newcomer.hired = TODAY - self.rng.i64(20..300);
        let style = self.rng.u8(..4);
        match style {
            // A relative or a namesake by family.
            0 => newcomer.family = leaver.family.clone(),
            // The same initial, the same family name: the scheme gives the same address.
            1 => {
                newcomer.family = leaver.family.clone();
                let list = names::language(newcomer.language).givens(newcomer.sex);
                let like: Vec<&str> = list
                    .iter()
                    .copied()
                    .filter(|name| initial(name) == initial(&leaver.given) && *name != leaver.given)
                    .collect();
                if !like.is_empty() {
                    newcomer.given = self.pick(&like).to_owned();
                }
            }
            // The same given name: `maria@`.
            2 => newcomer.given = leaver.given.clone(),
            _ => {}
        }
        // Another name is what tells them apart.
        while newcomer.full() == leaver.full() {
            newcomer.family = names::language(newcomer.language).family(&mut self.rng, 1.0);
        }
        newcomer.local = leaver.local.clone();
        newcomer.domain = leaver.domain.clone();
        let mut left = self.leaver(&leaver);
        left.class = Class::LostAddress;
        left.decidable = style != 2;
        if let Some(user) = &mut left.user {
            user.status = "DEPROVISIONED";
            if self.rng.bool() {
                user.login = format!("{}-left", user.login);
            }
        }
        if self.rng.bool() {
            left.user = None;
        }
        let user = self.user(&newcomer);
        let mut record = self.record(&newcomer);
        let mut traces = Traces {
            user: Some(user),
            records: vec![],
            class: Class::ReusedAddress,
            decidable: style != 2,
        };
        match self.rng.u8(..4) {
            // Insightful does not know the newcomer yet: only the leaver's record has the address.
            0 | 1 => traces.decidable = true,
            // It does, under another address, as the old one was taken.
            2 => {
                record.email = format!("{}.new@{}", newcomer.local, newcomer.domain);
                record.identifier = record.email.clone();
                traces.records.push(record);
                traces.decidable = false;
            }
            _ => traces.records.push(record),
        }
        // Some leavers' records lost their address or have just initials.
        if let Some(record) = left.records.first_mut() {
            match self.rng.u8(..6) {
                0 => record.name = format!("{}. {}", initial(&leaver.given), leaver.family),
                1 => record.name = leaver.local.clone(),
                _ => return vec![left, traces],
            }
            left.decidable = false;
            traces.decidable = false;
        }
        vec![left, traces]
    }

    fn father_and_son(&mut self) -> Vec<Traces> {
        let mut father = self.hire();
        father.hired = self.rng.i64(-1400..300);
        let mut son = self.hire_named(
            father.language,
            father.sex,
            father.given.clone(),
            father.family.clone(),
        );
        son.hired = self.rng.i64(900..TODAY - 30);
        son.middle = None;
        let suffixes = [(" Sr.", " Jr."), ("", " Jr."), ("", " II"), ("", "")];
        let (of_father, of_son) = self.pick(&suffixes);
        let shared = self.chance(0.2);
        let mut traces = Vec::new();
        for (human, suffix) in [(&father, of_father), (&son, of_son)] {
            let (mut user, mut record) = (self.user(human), self.record(human));
            let mut decidable = true;
            if self.chance(0.6) {
                user.last_name = Some(format!("{}{suffix}", human.family));
            }
            if self.chance(0.6) {
                record.name.push_str(suffix);
            }
            if shared {
                record.email = father.email();
                record.identifier = father.email();
                decidable = false;
            } else if self.chance(0.2) {
                record.email = String::new();
                record.identifier = String::new();
                decidable = false;
            }
            traces.push(Traces {
                user: Some(user),
                records: vec![record],
                class: Class::FatherSon,
                decidable,
            });
        }
        // The father retired: his records may be switched off or gone.
        if self.rng.bool() {
            if let Some(user) = &mut traces[0].user {
                user.status = "DEPROVISIONED";
            }
            if self.rng.bool() {
                traces[0].user = None;
            }
            if self.rng.bool()
                && let Some(record) = traces[0].records.first_mut()
            {
                record.deactivated = 1_000 * DAY + START;
            }
        }
        traces
    }

    fn twins(&mut self) -> Vec<Traces> {
        let one = self.hire();
        let list = names::language(one.language).givens(one.sex);
        let like: Vec<&str> = list
            .iter()
            .copied()
            .filter(|name| spelling::similar(name, &one.given))
            .collect();
        let others: Vec<&str> = list.iter().copied().filter(|name| *name != one.given).collect();
        let given = if like.is_empty() {
            self.pick(&others)
        } else {
            self.pick(&like)
        };
        let mut other = self.hire_named(one.language, one.sex, given.to_owned(), one.family.clone());
        other.hired = one.hired;
        other.team = one.team.clone();
        let muddle = self.rng.u8(..4);
        let mut traces: Vec<Traces> = [&one, &other]
            .into_iter()
            .map(|human| {
                let (user, mut record) = (self.user(human), self.record(human));
                let mut decidable = true;
                match muddle {
                    0 => {
                        record.email = String::new();
                        record.identifier = String::new();
                        decidable = false;
                    }
                    1 => {
                        record.name = format!("{}. {}", initial(&human.given), human.family);
                        decidable = initial(&one.given) != initial(&other.given) || !record.email.is_empty();
                    }
                    _ => {}
                }
                both_if(user, record, Class::Twins, decidable)
            })
            .collect();
        // One twin's record was made under the other's address.
        if muddle == 2 {
            traces[1].decidable = false;
            traces[1].records[0].email = one.email();
            traces[1].records[0].identifier = one.email();
        }
        traces
    }

    fn namesakes(&mut self) -> Vec<Traces> {
        let one = self.hire();
        let mut other = self.hire_named(one.language, one.sex, one.given.clone(), one.family.clone());
        if self.rng.bool() {
            other.team = one.team.clone();
        }
        [&one, &other]
            .into_iter()
            .map(|human| {
                let (user, mut record) = (self.user(human), self.record(human));
                let mut decidable = true;
                match self.rng.u8(..6) {
                    0 => {
                        record.email = String::new();
                        record.identifier = String::new();
                        decidable = false;
                    }
                    1 => {
                        record.email = self.address_at_old_domain(human);
                        record.identifier = record.email.clone();
                        decidable = false;
                    }
                    2 => {
                        record.name = local(human, Scheme::FLast);
                        record.email = String::new();
                        record.identifier = String::new();
                        decidable = false;
                    }
                    _ => {}
                }
                both_if(user, record, Class::Namesake, decidable)
            })
            .collect()
    }
}

fn both_if(user: User, record: Record, class: Class, decidable: bool) -> Traces {
    Traces {
        decidable,
        ..both(user, record, class)
    }
}
