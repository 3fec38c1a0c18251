//! The parts of a company: humans with their accounts, people of Okta, records of the agent.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;
use okta_insightful_operator::model::{Employee, OktaStatus, OtherNames, Person};

use super::{
    Company, Truth,
    judge::Judge,
    names::{Culture, Names, plain, slug},
    style::{Device, Display, Firm, OktaLogin, Post, Rule, Style, TODAY, TeamsBy, chance, pick, weighted},
};

/// Milliseconds.
pub const DAY: i64 = 86_400_000;

const PERSON_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const RECORD_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Clone)]
pub struct Human {
    pub given: String,
    pub family: String,
    pub middle: Option<char>,
    pub suffix: &'static str,
    /// The given name as the directory and the computers have it.
    pub called: String,
    pub culture: Culture,
    pub firm: usize,
    /// Whose mail domain the person's address is in.
    pub mail_firm: usize,
    pub account: String,
    pub local: String,
    pub number: u32,
    pub hired: i64,
    pub post: Post,
}

impl Human {
    /// The family name as accounts and computers show it: the last of several in Brazil.
    pub fn short_family(&self) -> &str {
        short_family(&self.family, self.culture)
    }
}

fn short_family(family: &str, culture: Culture) -> &str {
    match culture {
        Culture::Brazilian => family.rsplit(' ').next().unwrap_or(family),
        _ => family,
    }
}

/// A truth before it is known whether it is decidable.
pub struct Draft {
    pub person: String,
    pub records: Vec<String>,
    pub old: Vec<String>,
    pub class: &'static str,
    /// What the case itself says of it.
    pub decidable: Option<bool>,
    /// When the person was created, in milliseconds.
    pub created: Option<i64>,
}

pub struct Maker {
    pub rng: Rng,
    pub style: Style,
    pub names: Names,
    pub size: usize,
    pub number: u32,
    pub people: Vec<(Person, Option<String>)>,
    pub employees: Vec<(Employee, String)>,
    pub drafts: Vec<Draft>,
    /// How many employees have no person.
    pub orphans: usize,
    /// Everything that exists once: ids, accounts of a domain, addresses, names.
    pub taken: HashSet<String>,
}

impl Maker {
    pub fn new(seed: u64, size: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let style = Style::draw(&mut rng, size);
        Self {
            names: Names::read(),
            size,
            number: rng.u32(1_000..40_000),
            rng,
            style,
            people: Vec::new(),
            employees: Vec::new(),
            drafts: Vec::new(),
            orphans: 0,
            taken: HashSet::new(),
        }
    }

    // Humans.

    pub fn human(&mut self) -> Human {
        let merged = self.style.firms.len() > 1;
        let firm = usize::from(merged && chance(&mut self.rng, 35));
        let culture = weighted(&mut self.rng, &self.style.cultures);
        let (given, family) = self.fresh_name(culture);
        let days = self.style.age;
        let hired = TODAY - self.rng.i64(3..days).min(self.rng.i64(3..days + 400));
        let post = Post::draw(&mut self.rng, self.size);
        self.enrol(&given, &family, culture, firm, hired, post)
    }

    /// A name that nobody has yet, for the most part: the lists are short beside the world's, and
    /// namesakes are cases of their own.
    pub fn fresh_name(&mut self, culture: Culture) -> (String, String) {
        let mut family = String::new();
        let mut given = String::new();
        for attempt in 0..12 {
            given = self.names.given(culture, &mut self.rng);
            family = self.names.family(culture, &mut self.rng);
            if attempt > 8 {
                family = self.names.doubled(&family, culture, &mut self.rng);
            }
            let is_new = self.taken.insert(format!("name {given} {family}"));
            if is_new || chance(&mut self.rng, 1) {
                break;
            }
        }
        (given, family)
    }

    pub fn enrol(
        &mut self,
        given: &str,
        family: &str,
        culture: Culture,
        firm: usize,
        hired: i64,
        post: Post,
    ) -> Human {
        self.number += self.rng.u32(1..4);
        let middle = (culture == Culture::English && chance(&mut self.rng, 30)).then(|| self.rng.uppercase());
        let mut human = Human {
            given: given.to_owned(),
            family: family.to_owned(),
            middle,
            suffix: "",
            called: given.to_owned(),
            culture,
            firm,
            mail_firm: firm,
            account: String::new(),
            local: String::new(),
            number: self.number,
            hired,
            post,
        };
        let (account, address) = (self.style.firms[firm].account, self.style.firms[firm].address);
        human.account = self.login(&human, "domain", firm, account);
        human.local = if account == address {
            human.account.clone()
        } else {
            String::new()
        };
        let is_free = self.taken.insert(format!("mail {firm} {}", human.local));
        if human.local.is_empty() || !is_free {
            human.local = self.login(&human, "mail", firm, address);
        }
        human
    }

    /// A login by the rule; the second one of a kind gets a number.
    pub fn login(&mut self, human: &Human, space: &str, firm: usize, rule: Rule) -> String {
        let rule = if human.culture.has_own_script() {
            Rule::Number
        } else {
            rule
        };
        let given = slug(&human.given, human.culture);
        let family = slug(human.short_family(), human.culture);
        let base: String = rule
            .apply(&given, &family, human.number)
            .chars()
            .take(20)
            .collect();
        let mut login = base.clone();
        let mut count = 1;
        while !self.taken.insert(format!("{space} {firm} {login}")) {
            count += 1;
            let room = if rule == Rule::Eight { 7 } else { 18 };
            login = base.chars().take(room).chain(count.to_string().chars()).collect();
        }
        login
    }

    pub fn firm(&self, human: &Human) -> &Firm {
        &self.style.firms[human.firm]
    }

    pub fn address(&self, human: &Human) -> String {
        format!("{}@{}", human.local, self.style.firms[human.mail_firm].mail)
    }

    // Okta.

    pub fn id(&mut self, start: &str, length: usize, letters: &[u8]) -> String {
        loop {
            let mut id = start.to_owned();
            while id.len() < length {
                id.push(char::from(pick(&mut self.rng, letters)));
            }
            if self.taken.insert(format!("id {id}")) {
                return id;
            }
        }
    }

    /// Makes the person of a human, imported with all others or created some days before the hire, and
    /// returns the index. Without a record, as long as no truth says otherwise.
    pub fn hire(&mut self, human: &Human, status: OktaStatus) -> usize {
        let import = self.style.okta_import;
        let created = if human.hired < import {
            import * DAY + 36_000_000 + self.rng.i64(0..5_400_000)
        } else {
            let early = weighted(&mut self.rng, &[(0, 5), (1, 3), (3, 2), (7, 2), (12, 1)]);
            self.at_work(human.hired - early)
        };
        let email = self.address(human);
        let login = match self.style.okta_login {
            OktaLogin::Account if self.style.firms.len() == 1 => human.account.clone(),
            OktaLogin::Email => email.clone(),
            _ => format!("{}@{}", human.account, self.style.firms[human.firm].mail),
        };
        let updated = self
            .rng
            .i64(created / DAY..TODAY + 1)
            .max(created / DAY + 1)
            .min(TODAY);
        let display = self
            .style
            .has_display
            .then(|| format!("{} {}", human.called, human.family));
        let person = Person {
            id: self.id("00u", 20, PERSON_LETTERS).into(),
            login,
            given_name: Some(human.given.clone()),
            family_name: Some(format!("{}{}", human.family, human.suffix)),
            other_names: OtherNames {
                middle: human
                    .middle
                    .filter(|_| chance(&mut self.rng, 40))
                    .map(String::from),
                nick: None,
                display,
            },
            email: Some(email),
            second_email: None,
            title: self
                .style
                .has_titles
                .then(|| human.post.title(&mut self.rng).to_owned()),
            employee_number: self.style.has_numbers.then(|| human.number.to_string()),
            status,
            transitioning_to: None,
            created: Some(rfc3339(created)),
            last_updated: Some(rfc3339(self.at_work(updated).max(created))),
            attributes: Box::default(),
        };
        self.drafts.push(Draft {
            person: person.id.to_string(),
            records: Vec::new(),
            old: Vec::new(),
            class: "NoRecord",
            decidable: None,
            created: Some(created),
        });
        let team = (!chance(&mut self.rng, 5)).then(|| human.post.team(self.size));
        self.people.push((person, team));
        self.people.len() - 1
    }

    pub fn employed(&mut self) -> OktaStatus {
        match self.rng.u8(..100) {
            0 | 1 => OktaStatus::PasswordExpired,
            2 => OktaStatus::LockedOut,
            3 | 4 => OktaStatus::Provisioned,
            _ => OktaStatus::Active,
        }
    }

    pub fn hire_employed(&mut self, human: &Human) -> usize {
        let status = self.employed();
        self.hire(human, status)
    }

    pub fn truth(&mut self, person: usize, class: &'static str, records: Vec<String>, old: Vec<String>) {
        let draft = &mut self.drafts[person];
        (draft.class, draft.records, draft.old) = (class, records, old);
    }

    /// A truth of which the case itself knows whether it can be found out.
    pub fn truth_known(&mut self, person: usize, class: &'static str, records: Vec<String>, decidable: bool) {
        self.truth(person, class, records, Vec::new());
        self.drafts[person].decidable = Some(decidable);
    }

    // Insightful.

    /// A time of a working day.
    pub fn at_work(&mut self, day: i64) -> i64 {
        day.min(TODAY) * DAY + self.rng.i64(25_200_000..64_800_000)
    }

    /// The day on which the agent first ran for somebody.
    pub fn first_seen(&mut self, hired: i64) -> i64 {
        let rollout = self.style.rollout;
        let day = if hired <= rollout {
            rollout + self.rng.i64(0..=self.style.rollout_days)
        } else if chance(&mut self.rng, 10) {
            hired + self.rng.i64(8..45)
        } else {
            hired + weighted(&mut self.rng, &[(0, 6), (1, 4), (2, 2), (4, 2), (7, 1)])
        };
        day.min(TODAY)
    }

    /// The name of the team in Insightful.
    pub fn team_of(&mut self, human: &Human) -> String {
        let is_sorted = match self.style.teams_by {
            TeamsBy::Okta => chance(&mut self.rng, 96),
            TeamsBy::OktaInPart => chance(&mut self.rng, 62),
            TeamsBy::OrganisationalUnit => return human.post.unit(self.size),
            TeamsBy::DefaultTeam => false,
        };
        if !is_sorted {
            return self.style.default_team.to_owned();
        }
        // Some have moved in Okta since.
        let post = if chance(&mut self.rng, 5) {
            Post::draw(&mut self.rng, self.size)
        } else {
            human.post
        };
        post.team(self.size)
    }

    pub fn record(&mut self, name: String, identifier: String, team: String, day: i64) -> usize {
        let id = self.id("w", 15, RECORD_LETTERS);
        let employee = Employee {
            id: id.into(),
            name,
            email: String::new(),
            identifier,
            team: String::new().into(),
            settings: None,
            deactivated: false,
            created_at: Some(self.at_work(day)),
        };
        self.employees.push((employee, team));
        self.employees.len() - 1
    }

    /// The record that the agent makes of a human on a device.
    pub fn enrolled(&mut self, human: &Human, device: Device, day: i64) -> usize {
        let (name, identifier) = self.account_on(human, device);
        let team = self.team_of(human);
        self.record(name, identifier, team, day)
    }

    pub fn record_id(&self, record: usize) -> String {
        self.employees[record].0.id.to_string()
    }

    /// A record without a person.
    pub fn orphan(&mut self, name: &str, identifier: String, day: i64) -> usize {
        self.orphans += 1;
        let team = self.style.default_team.to_owned();
        self.record(name.to_owned(), identifier, team, day)
    }

    pub fn device(&mut self, human: &Human) -> Device {
        let device = weighted(&mut self.rng, &self.style.devices);
        let is_latin = matches!(
            device,
            Device::Domain | Device::DomainLogin | Device::Address | Device::Generic
        );
        if human.culture.has_own_script() && !is_latin {
            Device::Domain
        } else {
            device
        }
    }

    pub fn in_domain(&self, firm: usize, account: &str) -> String {
        format!(
            "{}{}{account}",
            self.style.firms[firm].domain, self.style.separator
        )
    }

    pub fn local_account(&mut self, account: &str) -> String {
        format!("{}{}{account}", self.windows_host(), self.style.separator)
    }

    /// Name and identifier, as the agent finds them.
    pub fn account_on(&mut self, human: &Human, device: Device) -> (String, String) {
        let separator = self.style.separator;
        let (culture, called) = (human.culture, human.called.clone());
        let short = slug(&called, culture);
        let family = slug(human.short_family(), culture);
        let full = format!("{called} {}{}", human.short_family(), human.suffix);
        match device {
            Device::Domain => (self.display(human), self.in_domain(human.firm, &human.account)),
            Device::DomainLogin => (human.account.clone(), self.in_domain(human.firm, &human.account)),
            Device::Azure => {
                let joined = full
                    .chars()
                    .filter(|letter| letter.is_alphanumeric())
                    .take(20)
                    .collect::<String>();
                (full, format!("AzureAD{separator}{joined}"))
            }
            Device::Address => (
                if culture.has_own_script() {
                    self.display(human)
                } else {
                    full
                },
                self.address(human),
            ),
            Device::Microsoft => {
                let folder = human.local.replace('.', "").chars().take(5).collect::<String>();
                (full, self.local_account(&folder))
            }
            Device::Mac => (
                full,
                format!("{}{separator}{short}{family}", self.mac_host(human)),
            ),
            Device::LocalDotted => {
                let account = format!("{short}.{family}");
                let name = if chance(&mut self.rng, 40) {
                    full
                } else {
                    account.clone()
                };
                (name, format!("{}{separator}{account}", self.host(human)))
            }
            Device::LocalFirst => {
                let name = match self.rng.u8(..10) {
                    0..=3 => short.clone(),
                    4..=6 => called,
                    7 | 8 => format!("{called}'s PC"),
                    _ => called.to_uppercase(),
                };
                (name, format!("{}{separator}{short}", self.host(human)))
            }
            Device::LocalInitial => {
                let initial = family.chars().next().unwrap_or('x');
                let account = format!("{short}{initial}");
                let name = if chance(&mut self.rng, 70) {
                    account.clone()
                } else {
                    called
                };
                (name, format!("{}{separator}{account}", self.host(human)))
            }
            Device::Generic => {
                let account = pick(
                    &mut self.rng,
                    &["user", "Admin", "HP", "lenovo", "Owner", "PC", "defaultuser0"],
                );
                (account.to_owned(), self.local_account(&account.to_lowercase()))
            }
        }
    }

    /// The directory's display name.
    pub fn display(&mut self, human: &Human) -> String {
        let (form, ascii, domain) = (
            self.firm(human).display,
            self.firm(human).ascii,
            self.firm(human).domain,
        );
        let write = |text: &str| {
            if ascii {
                plain(text, human.culture)
            } else {
                text.to_owned()
            }
        };
        let (given, family) = (write(&human.called), write(&human.family) + human.suffix);
        if human.culture.has_own_script() {
            return if chance(&mut self.rng, 50) {
                format!("{family} {given}")
            } else {
                family + &given
            };
        }
        match (form, human.middle) {
            (Display::GivenFamily, Some(middle)) if human.number.is_multiple_of(6) => {
                format!("{given} {middle}. {family}")
            }
            (Display::GivenFamily, _) => format!("{given} {family}"),
            (Display::FamilyCommaGiven, Some(middle)) if human.number.is_multiple_of(3) => {
                format!("{family}, {given} {middle}.")
            }
            (Display::FamilyCommaGiven, _) => format!("{family}, {given}"),
            (Display::FamilyGivenFirm, _) => format!("{family} {given} ({domain})"),
            (Display::UpperFamily, _) => format!("{} {given}", family.to_uppercase()),
            (Display::WithDepartment, _) => format!("{given} {family} - {}", human.post.department()),
        }
    }

    pub fn host(&mut self, human: &Human) -> String {
        match self.rng.u8(..10) {
            0..=4 => self.windows_host(),
            5 | 6 => {
                let asset = self.rng.u16(1..3_000);
                format!("{}-LT-{asset:04}", self.firm(human).domain)
            }
            _ => self.mac_host(human),
        }
    }

    pub fn windows_host(&mut self) -> String {
        let start = pick(&mut self.rng, &["DESKTOP-", "DESKTOP-", "LAPTOP-"]);
        let end = if start == "LAPTOP-" { 8 } else { 7 };
        let letters = (0..end).map(|_| char::from(pick(&mut self.rng, b"ABCDEFGHIJKLMNOPQRSTUV0123456789")));
        start.chars().chain(letters).collect()
    }

    pub fn mac_host(&mut self, human: &Human) -> String {
        let called = plain(&human.called, human.culture);
        let model = pick(
            &mut self.rng,
            &["MBP", "MacBook-Pro", "MacBook-Air", "MacBook-Pro"],
        );
        match human.culture.mac_of() {
            Some("") => format!("{called}-{model}"),
            Some(of) => format!("{}-{of}-{called}", model.replace("MBP", "MacBook-Pro")),
            None if model == "MBP" => format!("{}S-MBP", called.to_uppercase()),
            None => format!("{called}s-{model}"),
        }
    }

    /// A name as an admin types it.
    pub fn typed(&mut self, human: &Human) -> String {
        let name = format!("{} {}", human.called, human.family);
        if human.culture.has_own_script() {
            return self.display(human);
        }
        if !chance(&mut self.rng, self.style.slips) {
            return name;
        }
        let mut letters: Vec<char> = name.chars().collect();
        match self.rng.u8(..5) {
            0 => name.to_lowercase(),
            1 => plain(&name, human.culture),
            2 => name + " ",
            3 => format!("{}  {}", human.called, human.family),
            _ => {
                let at = letters.len().saturating_sub(3);
                letters.swap(at, at + 1);
                letters.into_iter().collect()
            }
        }
    }

    /// Sets the team of each employee by its name.
    pub fn name_teams(&mut self) {
        let mut known: HashMap<String, String> = HashMap::new();
        for at in 0..self.employees.len() {
            let team = &self.employees[at].1;
            if !known.contains_key(team) {
                let (team, id) = (team.clone(), self.id("w", 15, RECORD_LETTERS));
                known.insert(team, id);
            }
            let id = known.get(&self.employees[at].1).cloned().unwrap_or_default();
            self.employees[at].0.team = id.into();
        }
    }

    pub fn finish(mut self) -> Company {
        self.name_teams();
        let judge = Judge::new(&self.people, &self.employees, &self.drafts, &self.style.firms);
        let mut verdicts: HashMap<String, bool> = HashMap::new();
        let mut truths: Vec<Truth> = Vec::with_capacity(self.drafts.len());
        for (at, mut draft) in self.drafts.drain(..).enumerate() {
            let is_copied = draft.class == "NamesakeWithoutRecord";
            let found = match (draft.decidable, draft.old.first()) {
                (Some(known), _) => known,
                (None, Some(other)) if is_copied => verdicts.get(other).copied().unwrap_or(false),
                _ => {
                    let own: Vec<&str> = draft
                        .records
                        .iter()
                        .chain(&draft.old)
                        .map(String::as_str)
                        .collect();
                    let sure = draft
                        .records
                        .iter()
                        .position(|record| judge.is_decidable(at, record, &own));
                    // Of several live records the one that shows most is to be proposed.
                    draft.records.rotate_left(sure.unwrap_or_default());
                    sure.is_some() || draft.records.is_empty()
                }
            };
            verdicts.insert(draft.person.clone(), found);
            truths.push(Truth {
                person: draft.person,
                records: draft.records,
                old: if is_copied { Vec::new() } else { draft.old },
                decidable: found,
                class: draft.class,
            });
        }
        self.rng.shuffle(&mut self.people);
        self.rng.shuffle(&mut self.employees);
        self.rng.shuffle(&mut truths);
        Company {
            people: self.people,
            employees: self.employees,
            truths,
        }
    }
}

/// The time as Okta writes it.
pub fn rfc3339(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    // Days to a date of the Gregorian calendar, in eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        rest % 1_000
    )
}
