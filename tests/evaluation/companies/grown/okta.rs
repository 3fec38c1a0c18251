//! Accounts in Okta: made from HR's data, kept up by provisioning, left behind by people.

use okta_insightful_operator::model::OktaStatus;

use super::{
    addresses::Taken,
    chance::{chance, pick},
    names::{Custom, Name},
    style::OktaHabits,
    world::{Account, AccountOf, Event, Kind, World},
    writing::without_accents,
};

/// Given and family name as Okta has them.
struct Written {
    given: Option<String>,
    family: Option<String>,
    display: Option<String>,
    middle: Option<String>,
    nick: Option<String>,
}

impl World {
    /// Makes an account for a human, of whom none is active.
    pub fn open_account(&mut self, human: usize, status: OktaStatus, day: i64) {
        let created = self.time_of(day);
        let written = self.write_name(human);
        let rng = &mut self.rng;
        let habits = self.style.okta;
        let it = &self.humans[human];
        let unit = &self.style.units[it.unit];
        let email = it.email.clone();
        let by_computer = habits.login_is_account && it.kind != Kind::Contractor;
        let account = by_computer.then(|| format!("{}@{}{}", it.computer, habits.login_prefix, unit.domain));
        let numbered = (2..).map(|number| email.replacen('@', &format!("{number}@"), 1));
        let mut logins = account
            .into_iter()
            .chain(std::iter::once(email.clone()))
            .chain(numbered);
        let login = logins
            .find(|login| self.logins.insert(login.clone()))
            .unwrap_or_default();
        let number = match it.kind {
            _ if !habits.numbers => None,
            Kind::Contractor => chance(rng, 0.3).then(|| format!("C{}", it.number)),
            _ => Some(it.number.to_string()),
        };
        let titles = self.style.departments[it.department].titles;
        let account = Account {
            of: AccountOf::Human(human),
            login,
            given: written.given,
            family: written.family,
            middle: written.middle,
            nick: written.nick,
            display: written.display,
            second_email: chance(rng, habits.second_email).then(|| it.other_email.clone()),
            email: chance(rng, 0.995).then_some(email),
            title: chance(rng, 0.9).then(|| (*pick(rng, titles)).to_owned()),
            number,
            status,
            created,
            updated: created,
            team: Some((it.department, it.office)),
            is_deleted: false,
        };
        self.accounts.push(account);
        self.humans[human].accounts.push(self.accounts.len() - 1);
    }

    fn write_name(&mut self, human: usize) -> Written {
        let rng = &mut self.rng;
        let habits = self.style.okta;
        let it = &self.humans[human];
        let name = &it.name;
        let mut written = names_of_hr(rng, habits, name);
        if it.kind == Kind::Contractor && chance(rng, 0.15) {
            let note = *pick(rng, &["(Contractor)", "(EXT)", "- External"]);
            written.family = written.family.map(|family| format!("{family} {note}"));
        }
        written
    }

    /// HR's change of a name reaches Okta; the address often changes with it.
    pub fn rename_account(&mut self, human: usize, changes_address: bool) {
        let Some(&account) = self.humans[human].accounts.last() else {
            return;
        };
        let written = self.write_name(human);
        let day = self.some_day();
        let updated = self.time_of(day);
        let old = self.humans[human].email.clone();
        if changes_address {
            self.humans[human].email = self.new_address(human);
        }
        let email = self.humans[human].email.clone();
        let keeps_old = chance(&mut self.rng, 0.1);
        let account = &mut self.accounts[account];
        account.given = written.given;
        account.family = written.family;
        account.display = written.display;
        account.updated = updated;
        if changes_address {
            account.readdress(&old, &email, keeps_old, &mut self.logins);
        }
    }

    /// An address by the convention of the unit whose address the human gets.
    pub fn new_address(&mut self, human: usize) -> String {
        let it = &self.humans[human];
        let unit = &self.style.units[it.unit];
        let (domain, convention) = (unit.domain.clone(), unit.emails.clone());
        convention.assign(&mut self.rng, &it.name, it.number, &domain, &mut self.addresses)
    }

    /// A leaver's account: deactivated, suspended or forgotten.
    pub fn close_account(&mut self, human: usize) {
        let Some(&account) = self.humans[human].accounts.last() else {
            return;
        };
        let day = self.some_day();
        let updated = self.time_of(day);
        if chance(&mut self.rng, self.style.okta_offboarding) {
            self.accounts[account].status = OktaStatus::Deprovisioned;
            self.accounts[account].updated = updated;
            if chance(&mut self.rng, 0.3) {
                self.accounts[account].team = None;
            }
            if let Some(months) = self.style.purge {
                let months = months + self.rng.usize(..3);
                self.plan(months, Event::Purge(account));
            }
        } else if chance(&mut self.rng, 0.2) {
            self.accounts[account].status = OktaStatus::Suspended;
        }
    }

    pub fn purge(&mut self, account: usize) {
        let account = &mut self.accounts[account];
        if account.status != OktaStatus::Deprovisioned {
            return;
        }
        account.is_deleted = true;
        self.logins.remove(&account.login);
        if self.style.reuses_addresses
            && let Some(email) = &account.email
        {
            self.addresses.remove(email);
        }
    }

    /// Accounts of no human: mailboxes, services, tests; and the second accounts of administrators.
    pub fn open_other_accounts(&mut self) {
        let unit = self.style.units[0].clone();
        let size = self.employed;
        let boxes = [
            "reception",
            "info",
            "support",
            "sales",
            "hr",
            "office",
            "billing",
            "jobs",
            "warehouse",
            "it",
        ];
        let kept: Vec<&str> = boxes.into_iter().filter(|_| chance(&mut self.rng, 0.3)).collect();
        for (index, local) in kept.into_iter().enumerate() {
            if index > 1 + size / 40 {
                break;
            }
            let given = super::writing::capitalised(local);
            let family = *pick(&mut self.rng, &["Mailbox", "Team", "Desk", "Shared"]);
            self.open_plain_account(AccountOf::Mailbox, local, &given, family, &unit.domain);
        }
        for service in [
            "svc-backup",
            "svc-jenkins",
            "svc.scanner",
            "okta-provisioning",
            "svc-sql",
            "zoom-rooms",
            "api-integration",
        ] {
            if chance(&mut self.rng, 0.25) {
                let family = service.rsplit(['-', '.']).next().unwrap_or(service).to_owned();
                self.open_plain_account(AccountOf::Service, service, "Service", &family, &unit.domain);
            }
        }
        for (local, given, family) in [
            ("test.user", "Test", "User"),
            ("okta.test", "Okta", "Test"),
            ("test1", "Test", "One"),
        ] {
            if chance(&mut self.rng, 0.3) {
                self.open_plain_account(AccountOf::Test, local, given, family, &unit.domain);
            }
        }
        if !chance(&mut self.rng, 0.5) {
            return;
        }
        let admins: Vec<usize> = (0..self.humans.len())
            .filter(|&human| {
                let human = &self.humans[human];
                human.is_employed
                    && !human.accounts.is_empty()
                    && self.style.departments[human.department].is_it
            })
            .collect();
        for human in admins.into_iter().filter(|human| human % 2 == 0) {
            let Human { given, family, local } = self.admin_name(human);
            self.open_plain_account(
                AccountOf::Administrator(human),
                &local,
                &given,
                &family,
                &unit.domain,
            );
        }
    }

    fn admin_name(&mut self, human: usize) -> Human {
        let computer = &self.humans[human].computer;
        let prefix = *pick(&mut self.rng, &["adm-", "a-", "admin."]);
        let local = format!("{prefix}{computer}");
        let main = self.humans[human]
            .accounts
            .last()
            .map(|&account| &self.accounts[account]);
        let part = |part: Option<&Option<String>>| part.cloned().flatten().unwrap_or_default();
        let given = part(main.map(|main| &main.given));
        let mut family = part(main.map(|main| &main.family));
        if self.rng.bool() {
            family.push_str(" (Admin)");
        }
        Human {
            given,
            family: family.trim().to_owned(),
            local,
        }
    }

    fn open_plain_account(&mut self, of: AccountOf, local: &str, given: &str, family: &str, domain: &str) {
        let email = format!("{local}@{domain}");
        if !self.addresses.insert(email.clone()) || !self.logins.insert(email.clone()) {
            return;
        }
        let day = self.some_day() - self.rng.i64(0..700);
        let created = self.time_of(day);
        self.accounts.push(Account {
            of,
            login: email.clone(),
            given: Some(given.to_owned()),
            family: Some(family.to_owned()).filter(|family| !family.is_empty()),
            middle: None,
            nick: None,
            display: None,
            email: Some(email),
            second_email: None,
            title: None,
            number: None,
            status: OktaStatus::Active,
            created,
            updated: created,
            team: None,
            is_deleted: false,
        });
    }
}

/// The names of an administrator's second account.
struct Human {
    given: String,
    family: String,
    local: String,
}

impl Account {
    /// Another address; the login follows where it was the address.
    pub fn readdress(&mut self, old: &str, new: &str, keeps_old: bool, logins: &mut Taken) {
        if self.login == old && logins.insert(new.to_owned()) {
            logins.remove(old);
            new.clone_into(&mut self.login);
        }
        if self.email.is_some() {
            self.email = Some(new.to_owned());
        }
        if keeps_old {
            self.second_email = Some(old.to_owned());
        }
    }
}

fn names_of_hr(rng: &mut fastrand::Rng, habits: OktaHabits, name: &Name) -> Written {
    let mut given = if habits.legal {
        name.given.clone()
    } else {
        name.first().to_owned()
    };
    let prefers = name.known_as.is_some() && chance(rng, habits.preferred_first);
    if prefers {
        name.called().clone_into(&mut given);
    }
    let legal_family = habits.legal && !(name.culture == Custom::Spanish && chance(rng, 0.3));
    let mut family = if legal_family {
        &name.family
    } else {
        &name.short_family
    }
    .clone();
    let mut middle = name.middle.clone().filter(|_| chance(rng, habits.middle));
    if name.culture == Custom::Vietnamese
        && habits.legal
        && let Some(part) = &name.middle
    {
        // A form with two fields takes the middle name into one of them.
        given = if rng.bool() {
            format!("{part} {given}")
        } else {
            given
        };
        middle = None;
    }
    if let Some([native_given, native_family]) = &name.native
        && chance(rng, habits.native)
    {
        given.clone_from(native_given);
        family.clone_from(native_family);
    }
    if let Some(suffix) = name.suffix
        && chance(rng, 0.6)
    {
        family = format!("{family} {suffix}");
    }
    let mut family = if family.is_empty() {
        // Okta asks for a last name. Whoever has none gets one of these.
        match rng.usize(..10) {
            0..4 => Some(given.clone()),
            4..7 => Some(".".to_owned()),
            7..8 => Some("LNU".to_owned()),
            _ => None,
        }
    } else {
        Some(family)
    };
    if name.doctor && chance(rng, 0.25) {
        given = format!("Dr. {given}");
    }
    if habits.plain {
        given = without_accents(&given, name.culture == Custom::German);
        family = family.map(|family| without_accents(&family, name.culture == Custom::German));
    }
    if habits.upper_family {
        family = family.map(|family| family.to_uppercase());
    }
    let shown = if chance(rng, 0.5) { name.called() } else { &given };
    let last = family.as_deref().unwrap_or_default();
    // Beside names in another script, the one shown abroad is in Latin letters.
    let is_native = name.native.as_ref().is_some_and(|[native, _]| *native == given);
    let (shown, last) = if is_native {
        (name.called(), name.short_family.as_str())
    } else {
        (shown, last)
    };
    let display = chance(rng, habits.display).then(|| {
        let text = if habits.display_family_first && !last.is_empty() {
            format!("{last}, {shown}")
        } else {
            format!("{shown} {last}")
        };
        text.trim().to_owned()
    });
    Written {
        nick: name
            .known_as
            .clone()
            .filter(|_| !prefers && chance(rng, habits.nick)),
        given: Some(given),
        family,
        display,
        middle,
    }
}
