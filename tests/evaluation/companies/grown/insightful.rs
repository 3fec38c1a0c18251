//! Records in Insightful: invited, imported, made by agents on computers; corrected, handed on, forgotten.

use super::{
    chance::{chance, months_until, one_of, pick},
    style::{AgentName, Way},
    world::{Event, Kind, Record, RecordOf, World},
    writing::{Sheet, capitalised, slip, without_accents},
};

impl World {
    /// Adds a record for a human, in the way that their department does.
    pub fn enrol(&mut self, human: usize, sheet: Option<Sheet>, day: i64) {
        let department = self.humans[human].department;
        let usual = self.style.departments[department].way;
        // An import is a batch; afterwards people are invited one by one.
        let way = match usual {
            Way::Import if sheet.is_none() && chance(&mut self.rng, 0.8) => Way::Invitation,
            _ if chance(&mut self.rng, 0.04) => {
                one_of(&mut self.rng, &[(Way::Invitation, 0.6), (Way::Agent, 0.4)])
            }
            usual => usual,
        };
        if way == Way::Agent
            && chance(&mut self.rng, 0.75)
            && let Some(record) = self.desks[department].pop()
        {
            self.hand_on(record, human);
            return;
        }
        let record = match way {
            Way::Invitation => self.invite(human, day),
            Way::Import => self.import(human, sheet, day),
            Way::Agent => self.install(human, day),
            Way::Connector => self.connect(human, day),
        };
        self.add_record(human, record);
    }

    fn add_record(&mut self, human: usize, mut record: Record) {
        if let Some(&holder) = self.holders.get(&record.email.to_lowercase()) {
            let owner = self.records[holder].of;
            if owner == RecordOf::Human(human) {
                // The address is taken, by the person: the record is activated again.
                self.records[holder].is_in_use = true;
                self.records[holder].is_deactivated = false;
                return;
            }
            let has_left = matches!(owner, RecordOf::Human(other) if !self.humans[other].is_employed);
            if has_left && self.rng.bool() {
                self.hand_on(holder, human);
                return;
            }
            record.email.clone_from(&self.humans[human].other_email);
            record.identifier.clone_from(&record.email);
            if self.holders.contains_key(&record.email.to_lowercase()) {
                return;
            }
        }
        let index = self.records.len();
        if !record.email.is_empty() {
            self.holders.insert(record.email.to_lowercase(), index);
        }
        if record.has_raw_name {
            let months = months_until(&mut self.rng, self.style.tidiness * 0.06);
            self.plan(months, Event::Tidy(index));
        }
        self.records.push(record);
        self.humans[human].records.push(index);
    }

    /// Another address for a record, unless a record has it. The identifier stays what it was.
    pub fn set_email(&mut self, record: usize, email: &str) {
        let key = email.to_lowercase();
        if email.is_empty() || self.holders.contains_key(&key) {
            return;
        }
        let old = std::mem::replace(&mut self.records[record].email, email.to_owned());
        self.holders.remove(&old.to_lowercase());
        self.holders.insert(key, record);
    }

    fn record(&mut self, human: usize, name: String, email: String, way: Way, day: i64) -> Record {
        let created = self.time_of(day);
        let it = &self.humans[human];
        // Whoever invites does not always pick a team.
        let has_team = chance(&mut self.rng, if way == Way::Agent { 0.75 } else { 0.96 });
        Record {
            of: RecordOf::Human(human),
            name,
            identifier: email.clone(),
            email,
            team: has_team.then_some((it.department, it.office)),
            is_deactivated: false,
            created,
            is_in_use: true,
            way,
            has_raw_name: false,
            was_handed_on: false,
        }
    }

    /// An invitation: the name by hand, the address by hand.
    fn invite(&mut self, human: usize, day: i64) -> Record {
        let name = self.type_name(human);
        let rng = &mut self.rng;
        let it = &self.humans[human];
        let front_desk = self.style.departments[it.department].is_front;
        let at_home = chance(rng, self.style.private);
        let email = match rng.usize(..1000) {
            // Before the account was ready, or because the person asked.
            0..15 => it.other_email.clone(),
            _ if at_home => it.other_email.clone(),
            45..60 => slip(rng, &it.email),
            60..85 => {
                // An alias that the mail server knows and Okta does not.
                let domain = it.email.split_once('@').map_or("", |(_, domain)| domain);
                let first = without_accents(it.name.called(), true)
                    .to_lowercase()
                    .replace([' ', '\''], "");
                format!("{first}@{domain}")
            }
            85..95 => it.email.split('@').map(capitalised).collect::<Vec<_>>().join("@"),
            95..400 if front_desk => {
                let domain = it.email.split_once('@').map_or("", |(_, domain)| domain);
                format!("reception@{domain}")
            }
            _ => it.email.clone(),
        };
        self.record(human, name, email, Way::Invitation, day)
    }

    pub fn type_name(&mut self, human: usize) -> String {
        let it = &self.humans[human];
        let typist = self.style.offices[it.office].typist.clone();
        let note = match it.kind {
            Kind::Contractor => Some("Contractor"),
            Kind::Intern => Some("Intern"),
            Kind::Agency => Some("Agency"),
            Kind::Staff => None,
        };
        typist.types(&mut self.rng, &it.name, note)
    }

    fn import(&mut self, human: usize, sheet: Option<Sheet>, day: i64) -> Record {
        let sheet = sheet.unwrap_or(self.style.sheet);
        let name = sheet.writes(&mut self.rng, &self.humans[human].name);
        let it = &self.humans[human];
        let email = if chance(&mut self.rng, 0.025) {
            &it.other_email
        } else {
            &it.email
        }
        .clone();
        self.record(human, name, email, Way::Import, day)
    }

    /// From the HR system or an earlier directory: as it was there on that day.
    fn connect(&mut self, human: usize, day: i64) -> Record {
        let name = &self.humans[human].name;
        let given = if chance(&mut self.rng, 0.3) {
            name.called()
        } else {
            name.first()
        };
        let text = format!("{given} {}", name.short_family).trim().to_owned();
        let email = self.humans[human].email.clone();
        self.record(human, text, email, Way::Connector, day)
    }

    /// The agent on a computer makes a record by itself, without an address.
    pub fn install(&mut self, human: usize, day: i64) -> Record {
        let rng = &mut self.rng;
        let it = &self.humans[human];
        let unit = &self.style.units[it.unit];
        let city: String = without_accents(self.style.offices[it.office].city, false)
            .chars()
            .filter(char::is_ascii_alphabetic)
            .take(3)
            .collect();
        let first = without_accents(it.name.called(), false).replace(' ', "");
        let machine = match rng.usize(..10) {
            0..3 => format!("DESKTOP-{}", code(rng, 7)),
            3..6 => format!("LT-{:04}", rng.u32(1..9999)),
            6..8 => format!("{}-PC{:02}", city.to_uppercase(), rng.u32(1..99)),
            8 => format!("{first}s-MacBook-Pro"),
            _ => format!("{}-{}", unit.nt, code(rng, 5)),
        };
        // Computers that nobody joined to the domain have whatever account the shop set up.
        let account = match rng.usize(..100) {
            0..3 => (*pick(rng, &["User", "Admin", "Owner", "HP", "Lenovo", "PC"])).to_owned(),
            3..8 => first.to_lowercase(),
            _ => it.computer.clone(),
        };
        let family_first = unit.display_family_first;
        let kind = one_of(rng, &self.style.agent_names);
        let identifier = match kind {
            AgentName::User => account.clone(),
            AgentName::UserAtMachine => format!("{machine}\\{account}"),
            _ => format!("{}\\{account}", unit.nt),
        };
        let name = match kind {
            AgentName::User => account,
            AgentName::DomainUser | AgentName::UserAtMachine => identifier.clone(),
            AgentName::Machine => machine,
            AgentName::Display if it.name.family.is_empty() => it.name.given.clone(),
            AgentName::Display => {
                let given = if chance(rng, 0.2) {
                    it.name.called()
                } else {
                    it.name.first()
                };
                let family = &it.name.short_family;
                let external = it.kind == Kind::Contractor && chance(rng, 0.3);
                let text = if family_first {
                    format!("{family}, {given}")
                } else {
                    format!("{given} {family}")
                };
                if external {
                    format!("{text} (External)")
                } else {
                    text
                }
            }
        };
        let mut record = self.record(human, name, String::new(), Way::Agent, day);
        record.identifier = identifier;
        record.has_raw_name = kind != AgentName::Display;
        record
    }

    /// Somebody corrects a record that bears a computer's name.
    pub fn tidy(&mut self, index: usize) {
        let RecordOf::Human(human) = self.records[index].of else {
            return;
        };
        if !self.records[index].has_raw_name || self.records[index].is_deactivated {
            return;
        }
        let name = self.type_name(human);
        let email = chance(&mut self.rng, 0.45).then(|| self.humans[human].email.clone());
        let record = &mut self.records[index];
        record.name = name;
        record.has_raw_name = false;
        if let Some(email) = email {
            self.set_email(index, &email);
        }
    }

    /// A computer goes to a successor, and the record with it. Not everybody tells Insightful.
    fn hand_on(&mut self, record: usize, to: usize) {
        if let RecordOf::Human(from) = self.records[record].of {
            self.humans[from].records.retain(|&other| other != record);
            self.humans[from].gave_record_away = true;
        }
        let is_renamed = chance(&mut self.rng, 0.55 + self.style.tidiness * 0.4);
        let name = self.type_name(to);
        let email = self.humans[to].email.clone();
        let changes_email = chance(&mut self.rng, 0.7);
        let team = (self.humans[to].department, self.humans[to].office);
        let record_of = &mut self.records[record];
        record_of.of = RecordOf::Human(to);
        record_of.is_in_use = true;
        record_of.is_deactivated = false;
        record_of.was_handed_on = true;
        if is_renamed {
            record_of.name = name;
            record_of.has_raw_name = false;
            record_of.team = Some(team);
            if changes_email && !record_of.email.is_empty() {
                self.set_email(record, &email);
            }
        }
        self.humans[to].records.push(record);
    }

    /// Another computer: its agent makes a second record. The first is deactivated, or nobody thinks of it.
    pub fn replace_computer(&mut self, human: usize) {
        let Some(old) = self.agent_record(human) else {
            return;
        };
        let day = self.some_day();
        let mut record = self.install(human, day);
        record.team = self.records[old].team;
        let follows_steps = chance(&mut self.rng, 0.35 + self.style.tidiness * 0.5);
        self.records[old].is_in_use = false;
        self.records[old].is_deactivated = follows_steps;
        self.add_record(human, record);
    }

    /// A second computer beside the first.
    pub fn add_computer(&mut self, human: usize) {
        if self.agent_record(human).is_some() {
            let day = self.some_day();
            let record = self.install(human, day);
            self.add_record(human, record);
        }
    }

    fn agent_record(&self, human: usize) -> Option<usize> {
        let human = &self.humans[human];
        let mut records = human.records.iter().copied();
        let is_usable =
            |&record: &usize| self.records[record].is_in_use && self.records[record].way == Way::Agent;
        records.rfind(is_usable).filter(|_| human.is_employed)
    }

    /// What becomes of a leaver's records.
    pub fn close_records(&mut self, human: usize) {
        let department = self.humans[human].department;
        for record in self.humans[human].records.clone() {
            if !self.records[record].is_in_use {
                continue;
            }
            if self.records[record].way == Way::Agent && chance(&mut self.rng, 0.22) {
                self.desks[department].push(record);
            } else if chance(&mut self.rng, self.style.insightful_offboarding) {
                self.records[record].is_deactivated = true;
            }
        }
    }

    /// A human is back: the old record is activated again, or a new one is made.
    pub fn enrol_again(&mut self, human: usize, day: i64) {
        let department = self.humans[human].department;
        self.desks
            .iter_mut()
            .for_each(|desks| desks.retain(|&record| self.records[record].of != RecordOf::Human(human)));
        let last = self.humans[human]
            .records
            .iter()
            .rfind(|&&record| self.records[record].is_in_use)
            .copied();
        if let Some(last) = last {
            let again = if self.records[last].is_deactivated {
                0.35
            } else {
                0.6
            };
            if chance(&mut self.rng, again) {
                self.records[last].is_deactivated = false;
                return;
            }
        }
        if !self.tracks(department) {
            return;
        }
        for &record in &self.humans[human].records {
            self.records[record].is_in_use = false;
        }
        self.enrol(human, None, day);
    }

    /// Records that stand for nobody: trials, computers in halls, staff of vendors.
    pub fn add_strays(&mut self) {
        let domain = self.style.units[0].domain.clone();
        let count = 1 + self.employed / 150;
        for index in 0..count.min(60) {
            let rng = &mut self.rng;
            let (name, email) = match rng.usize(..6) {
                0 => ("Test User".to_owned(), format!("test{index}@{domain}")),
                1 => (format!("Employee {}", index + 1), String::new()),
                2 => ("demo".to_owned(), "demo@insightful.io".to_owned()),
                3 => (format!("Meeting Room {}", rng.u32(1..9)), String::new()),
                4 => (format!("WAREHOUSE-{:02}", rng.u32(1..20)), String::new()),
                _ => ("Reception PC".to_owned(), String::new()),
            };
            if !email.is_empty() && self.holders.insert(email.clone(), self.records.len()).is_some() {
                continue;
            }
            let day = self.some_day();
            let created = self.time_of(day);
            self.records.push(Record {
                of: RecordOf::Nobody,
                identifier: if email.is_empty() {
                    name.to_lowercase()
                } else {
                    email.clone()
                },
                name,
                email,
                team: None,
                is_deactivated: chance(&mut self.rng, 0.4),
                created,
                is_in_use: true,
                way: Way::Agent,
                has_raw_name: true,
                was_handed_on: false,
            });
        }
    }

    /// A shared mailbox's computer, where its account has a record of its own.
    pub fn enrol_mailbox(&mut self, account: usize) {
        let day = self.some_day();
        let created = self.time_of(day);
        let it = &self.accounts[account];
        let (Some(given), Some(email)) = (&it.given, &it.email) else {
            return;
        };
        if self.holders.contains_key(email) {
            return;
        }
        let name = match &it.family {
            Some(family) if self.rng.bool() => format!("{given} {family}"),
            _ => given.clone(),
        };
        self.records.push(Record {
            of: RecordOf::Account(account),
            name,
            email: email.clone(),
            identifier: email.clone(),
            team: None,
            is_deactivated: false,
            created,
            is_in_use: true,
            way: Way::Invitation,
            has_raw_name: false,
            was_handed_on: false,
        });
    }
}

fn code(rng: &mut fastrand::Rng, length: usize) -> String {
    let letters: Vec<char> = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789".chars().collect();
    (0..length).map(|_| *pick(rng, &letters)).collect()
}
