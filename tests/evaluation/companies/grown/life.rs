//! The years of a company, month by month: what happens to it and to its people.

use okta_insightful_operator::model::OktaStatus;

use super::{
    addresses::Convention,
    chance::{between, chance, months_until, one_of, pick, weighted},
    names::{born, married},
    style::Way,
    world::{Event, Human, Kind, World},
    writing::{Sheet, without_accents},
};

const PRIVATE_DOMAINS: [&str; 8] = [
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "icloud.com",
    "gmx.net",
];

const AGENCIES: [&str; 5] = [
    "interim-staff.com",
    "talentbridge.io",
    "randworks.com",
    "codeforge.dev",
    "bpo-partners.com",
];

/// Lives the whole life of a company.
pub fn live(seed: u64, size: usize) -> World {
    let mut world = World::new(seed, size);
    let target = world.present_at_the_end();
    let start = (target * between(&mut world.rng, 0.1, 0.7)).max(4.0);
    let convention_changes = chance(&mut world.rng, 0.15).then(|| world.rng.usize(..world.style.months));
    for month in 0..world.style.months {
        world.month = month;
        if convention_changes == Some(month) {
            world.style.units[0].emails = Convention::of_emails(&mut world.rng, false);
        }
        world.buy_companies();
        world.rebrand();
        let progress = month as f64 / world.style.months as f64;
        let wanted = (start + (target - start) * progress) as usize;
        while world.employed < wanted {
            world.hire();
        }
        if month == world.style.okta_from {
            world.roll_out_okta();
        }
        world.roll_out_insightful();
        world.rename_teams();
        while let Some(event) = world.next_event() {
            world.happen(event);
        }
    }
    world.end(size);
    world
}

impl World {
    /// How many people work here in the end, so that Okta has as many accounts as it should, leavers included.
    fn present_at_the_end(&self) -> f64 {
        let style = &self.style;
        let with_okta = style.months - style.okta_from;
        let kept = style.purge.map_or(with_okta, |purge| purge.min(with_okta)) as f64;
        style.accounts as f64 / (1.0 + 0.75 * style.turnover * 1.25 * kept)
    }

    fn hire(&mut self) {
        let open: Vec<usize> = self
            .style
            .purchases
            .iter()
            .filter(|it| it.month <= self.month)
            .map(|it| it.unit)
            .collect();
        let unit = if !open.is_empty() && chance(&mut self.rng, 0.15) {
            *pick(&mut self.rng, &open)
        } else {
            0
        };
        let style = &self.style;
        let plain = 1.0 - style.contractors - style.interns - style.agency;
        let kinds = [
            (Kind::Staff, plain),
            (Kind::Contractor, style.contractors),
            (Kind::Intern, style.interns),
            (Kind::Agency, style.agency),
        ];
        let kind = one_of(&mut self.rng, &kinds);
        let human = self.join(kind, unit);
        if self.has_okta() && kind != Kind::Agency {
            let day = self.humans[human].joined - self.rng.i64(0..14);
            self.open_account(human, OktaStatus::Active, day);
        }
        self.plan_enrolment(human);
    }

    /// A newcomer with an address and a computer, and the life at the company that is ahead.
    fn join(&mut self, kind: Kind, unit: usize) -> usize {
        let joined = self.some_day();
        let number = 1000 + self.humans.len() * 3 + self.rng.usize(..3);
        let offices = &self.style.units[unit].offices;
        let weights: Vec<f64> = offices
            .iter()
            .map(|&office| self.style.offices[office].weight)
            .collect();
        let office = offices[weighted(&mut self.rng, &weights)];
        let culture = self.style.offices[office].culture(&mut self.rng);
        let weights: Vec<f64> = self
            .style
            .departments
            .iter()
            .map(|department| department.weight)
            .collect();
        let department = weighted(&mut self.rng, &weights);
        let rng = &mut self.rng;
        let name = born(rng, culture);
        let plain = |text: &str| -> String {
            let text = without_accents(text, false).to_lowercase();
            text.chars().filter(char::is_ascii_alphanumeric).collect()
        };
        let (first, last) = (plain(name.first()), plain(&name.short_family));
        let private = match rng.usize(..4) {
            0 => format!("{first}.{last}{}", rng.u32(70..99)),
            1 => format!("{}{last}{}", plain(name.called()), rng.u32(1..999)),
            2 => format!("{first}{last}"),
            _ => format!("{}{last}", &first.get(..1).unwrap_or_default()),
        };
        let agency = *pick(rng, &AGENCIES);
        let is_external = matches!(kind, Kind::Contractor | Kind::Agency);
        let other_email = if is_external && chance(rng, 0.75) {
            format!("{first}.{last}@{agency}")
        } else {
            format!("{private}@{}", pick(rng, &PRIVATE_DOMAINS))
        };
        let lives_on_agency = kind == Kind::Agency || kind == Kind::Contractor && chance(rng, 0.45);
        let it = &self.style.units[unit];
        let computer = it.computers.assign(rng, &name, number, "", &mut self.computers);
        self.humans.push(Human {
            name,
            kind,
            unit,
            office,
            department,
            number,
            email: String::new(),
            other_email,
            computer,
            is_employed: true,
            joined,
            accounts: Vec::new(),
            records: Vec::new(),
            changed_name: false,
            returned: false,
            gave_record_away: false,
            was_external: false,
        });
        self.employed += 1;
        let human = self.humans.len() - 1;
        let private = self.humans[human].other_email.clone();
        self.humans[human].email = if lives_on_agency && self.addresses.insert(private.clone()) {
            private
        } else {
            self.new_address(human)
        };
        self.plan_life(human);
        human
    }

    fn plan_life(&mut self, human: usize) {
        let turnover = self.style.turnover;
        let stay = match self.humans[human].kind {
            Kind::Staff => months_until(&mut self.rng, turnover),
            Kind::Contractor => self.rng.usize(2..20),
            Kind::Intern => self.rng.usize(2..7),
            Kind::Agency => months_until(&mut self.rng, turnover * 2.0),
        };
        let is_external = matches!(self.humans[human].kind, Kind::Contractor | Kind::Agency);
        let signs = is_external && chance(&mut self.rng, 0.1);
        self.plan(
            stay,
            if signs {
                Event::Convert(human)
            } else {
                Event::Leave(human)
            },
        );
        // Hazards of a month: a wedding or a divorce, another department, a long leave, a new computer.
        let renewal = self.style.renewal;
        for (hazard, event) in [
            (0.0012, Event::ChangeName(human)),
            (0.004, Event::Move(human)),
            (0.002, Event::TakeLeave(human)),
            (renewal, Event::NewComputer(human)),
            (0.0012, Event::SecondComputer(human)),
        ] {
            let mut month = months_until(&mut self.rng, hazard);
            while month < stay {
                self.plan(month, event);
                month += months_until(&mut self.rng, hazard);
            }
        }
    }

    fn plan_enrolment(&mut self, human: usize) {
        let department = self.humans[human].department;
        if !self.tracks(department) {
            return;
        }
        if chance(&mut self.rng, self.style.coverage) {
            let delay = one_of(&mut self.rng, &[(0, 0.75), (1, 0.17), (2, 0.08)]);
            self.plan(delay, Event::Enrol(human));
        } else {
            // Some are thought of much later, some never.
            let delay = months_until(&mut self.rng, 0.03);
            self.plan(delay, Event::Enrol(human));
        }
    }

    /// On one day all who work here get an account.
    fn roll_out_okta(&mut self) {
        let day = self.some_day();
        for human in 0..self.humans.len() {
            let it = &self.humans[human];
            if it.is_employed && it.kind != Kind::Agency && it.accounts.is_empty() {
                self.open_account(human, OktaStatus::Active, day);
            }
        }
    }

    /// Departments whose time has come get records, in one go.
    fn roll_out_insightful(&mut self) {
        if self.month == self.style.insightful_from {
            self.add_strays();
        }
        for department in 0..self.style.departments.len() {
            if self.style.departments[department].tracked_from != Some(self.month) {
                continue;
            }
            let day = self.some_day();
            let sheet = Sheet::draw(&mut self.rng);
            let in_batch = matches!(
                self.style.departments[department].way,
                Way::Import | Way::Connector
            );
            for human in 0..self.humans.len() {
                let it = &self.humans[human];
                if !it.is_employed || it.department != department || !it.records.is_empty() {
                    continue;
                }
                if !chance(&mut self.rng, self.style.coverage) {
                    continue;
                }
                // Agents are rolled out over weeks, a file in a minute.
                let day = if in_batch { day } else { day + self.rng.i64(0..25) };
                self.enrol(human, Some(sheet), day);
            }
        }
    }

    /// A company is bought: people with their own addresses, conventions and namesakes.
    fn buy_companies(&mut self) {
        for index in 0..self.style.purchases.len() {
            let purchase = self.style.purchases[index].clone();
            if purchase.month == self.month {
                let day = self.some_day();
                for _ in 0..purchase.people {
                    let human = self.join(Kind::Staff, purchase.unit);
                    if self.has_okta() {
                        self.open_account(human, OktaStatus::Active, day);
                    }
                    self.plan_enrolment(human);
                }
            }
            if purchase.moved_in == Some(self.month) {
                let home = self.style.units[0].clone();
                let unit = &mut self.style.units[purchase.unit];
                let old = std::mem::replace(&mut unit.domain, home.domain);
                unit.former.push(old);
                unit.emails = home.emails;
                self.readdress(purchase.unit, true);
            }
        }
    }

    /// Another name for the company: every address changes in Okta, and in Insightful if somebody sees to it.
    fn rebrand(&mut self) {
        if self.style.rebrand != Some(self.month) {
            return;
        }
        let new = self.style.new_domain(&mut self.rng);
        let old = std::mem::replace(&mut self.style.units[0].domain, new);
        self.style.units[0].former.push(old);
        self.readdress(0, false);
    }

    fn readdress(&mut self, unit: usize, by_convention: bool) {
        let logins_follow = chance(&mut self.rng, 0.7);
        let keeps_old = chance(&mut self.rng, 0.2);
        let records_follow = chance(&mut self.rng, self.style.tidiness * 0.5);
        let day = self.some_day();
        let Some(former) = self.style.units[unit].former.last().cloned() else {
            return;
        };
        let domain = self.style.units[unit].domain.clone();
        for human in 0..self.humans.len() {
            if self.humans[human].unit != unit || !self.humans[human].is_employed {
                continue;
            }
            let old = self.humans[human].email.clone();
            let Some(local) = old
                .strip_suffix(&former)
                .and_then(|local| local.strip_suffix('@'))
            else {
                continue;
            };
            let same = format!("{local}@{domain}");
            let new = if !by_convention && self.addresses.insert(same.clone()) {
                same
            } else {
                self.new_address(human)
            };
            self.humans[human].email.clone_from(&new);
            let updated = self.time_of(day);
            if let Some(&account) = self.humans[human].accounts.last() {
                let account = &mut self.accounts[account];
                if logins_follow {
                    account.readdress(&old, &new, keeps_old, &mut self.logins);
                } else {
                    account.email = Some(new.clone());
                    account.second_email = keeps_old.then(|| old.clone()).or(account.second_email.take());
                }
                account.updated = updated;
            }
            for record in self.humans[human].records.clone() {
                let it = &self.records[record];
                if records_follow && it.is_in_use && it.email == old {
                    self.set_email(record, &new);
                }
            }
        }
    }

    /// A manager calls a team something else in Insightful, or HR does in Okta.
    fn rename_teams(&mut self) {
        for department in 0..self.style.departments.len() {
            if !chance(&mut self.rng, 0.0025) {
                continue;
            }
            let manager = self
                .humans
                .iter()
                .rfind(|human| human.department == department && human.is_employed);
            let manager = manager.map(|human| human.name.called().to_owned());
            let number = self.rng.u32(1..4);
            let it = &mut self.style.departments[department];
            match (self.rng.usize(..4), manager) {
                (0, Some(manager)) => it.insightful = format!("Team {manager}"),
                (1, _) => it.insightful = format!("{} {number}", it.insightful),
                (2, _) if !it.insightful.ends_with(')') => it.insightful = format!("{} (new)", it.insightful),
                _ => {
                    it.okta = it
                        .okta
                        .take()
                        .map(|name| format!("{name} {}", ["Global", "EMEA", "Ops"][number as usize - 1]))
                }
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let human = match event {
            Event::Tidy(record) => return self.tidy(record),
            Event::Purge(account) => return self.purge(account),
            Event::Return(human) => return self.come_again(human),
            Event::Leave(human)
            | Event::ChangeName(human)
            | Event::NewComputer(human)
            | Event::SecondComputer(human)
            | Event::Move(human)
            | Event::Convert(human)
            | Event::TakeLeave(human)
            | Event::ComeBack(human)
            | Event::Enrol(human) => human,
        };
        if !self.humans[human].is_employed {
            return;
        }
        match event {
            Event::Leave(_) => self.leave(human),
            Event::ChangeName(_) => self.change_name(human),
            Event::NewComputer(_) => self.replace_computer(human),
            Event::SecondComputer(_) => self.add_computer(human),
            Event::Move(_) => self.change_department(human),
            Event::Convert(_) => self.employ(human),
            Event::TakeLeave(_) => self.take_leave(human),
            Event::ComeBack(_) => self.come_back(human),
            Event::Enrol(_) if self.humans[human].records.is_empty() => {
                let day = self.some_day().max(self.humans[human].joined);
                self.enrol(human, None, day);
            }
            _ => {}
        }
    }

    fn leave(&mut self, human: usize) {
        self.humans[human].is_employed = false;
        self.employed -= 1;
        self.close_account(human);
        self.close_records(human);
        let returns = match self.humans[human].kind {
            Kind::Staff => 0.05,
            Kind::Contractor => 0.15,
            Kind::Intern => 0.35,
            Kind::Agency => 0.05,
        };
        if chance(&mut self.rng, returns) {
            let months = self.rng.usize(2..26);
            self.plan(months, Event::Return(human));
        }
    }

    /// Somebody comes back, with the old account or another one.
    fn come_again(&mut self, human: usize) {
        let day = self.some_day();
        self.employed += 1;
        let old = self.humans[human]
            .accounts
            .last()
            .copied()
            .filter(|&account| !self.accounts[account].is_deleted);
        let it = &mut self.humans[human];
        it.is_employed = true;
        it.returned = true;
        it.joined = day;
        if it.kind == Kind::Intern {
            it.kind = Kind::Staff;
        }
        let kind = it.kind;
        let updated = self.time_of(day);
        match old {
            Some(account) if chance(&mut self.rng, 0.5) => {
                let team = (self.humans[human].department, self.humans[human].office);
                let account = &mut self.accounts[account];
                account.status = OktaStatus::Active;
                account.updated = updated;
                account.team = Some(team);
            }
            _ if self.has_okta() && kind != Kind::Agency => {
                // A purged account's address can be had again.
                if old.is_some() || chance(&mut self.rng, 0.4) {
                    self.humans[human].email = self.new_address(human);
                }
                if old.is_some() {
                    // The account on computers is taken too, by the old one.
                    let it = &self.humans[human];
                    let computers = &self.style.units[it.unit].computers;
                    self.humans[human].computer =
                        computers.assign(&mut self.rng, &it.name, it.number, "", &mut self.computers);
                }
                self.open_account(human, OktaStatus::Active, day);
            }
            _ => {}
        }
        self.enrol_again(human, day);
        self.plan_life(human);
    }

    /// A wedding, a divorce. HR tells Okta, mostly; Insightful hears of it where somebody cares.
    fn change_name(&mut self, human: usize) {
        let Some(name) = married(&mut self.rng, &self.humans[human].name) else {
            return;
        };
        self.humans[human].name = name;
        self.humans[human].changed_name = true;
        let told_okta = chance(&mut self.rng, 0.88);
        if told_okta {
            let changes_address = chance(&mut self.rng, 0.55) && self.humans[human].kind != Kind::Contractor;
            self.rename_account(human, changes_address);
        }
        let told_insightful = if told_okta { self.style.tidiness * 0.5 } else { 0.8 };
        if chance(&mut self.rng, told_insightful) {
            let text = self.type_name(human);
            let email = self.humans[human].email.clone();
            let changes_email = chance(&mut self.rng, 0.6);
            let records = self.humans[human].records.iter().rev();
            if let Some(&record) = records
                .into_iter()
                .find(|&&record| self.records[record].is_in_use)
            {
                self.records[record].name = text;
                self.records[record].has_raw_name = false;
                if changes_email && !self.records[record].email.is_empty() {
                    self.set_email(record, &email);
                }
            }
        }
    }

    fn change_department(&mut self, human: usize) {
        let department = self.rng.usize(..self.style.departments.len());
        let it = &mut self.humans[human];
        it.department = department;
        let team = (department, it.office);
        if let Some(&account) = it.accounts.last() {
            self.accounts[account].team = Some(team);
        }
        if chance(&mut self.rng, 0.15 + self.style.tidiness * 0.6) {
            for &record in &self.humans[human].records {
                if self.records[record].is_in_use {
                    self.records[record].team = Some(team);
                }
            }
        }
        if self.humans[human].records.is_empty() {
            self.plan_enrolment(human);
        }
    }

    /// Somebody from an agency signs, and gets an address of the company.
    fn employ(&mut self, human: usize) {
        let old = self.humans[human].email.clone();
        self.humans[human].kind = Kind::Staff;
        self.humans[human].was_external = true;
        self.plan_life(human);
        if AGENCIES.iter().any(|agency| old.ends_with(agency)) {
            let new = self.new_address(human);
            self.humans[human].email.clone_from(&new);
            if let Some(&account) = self.humans[human].accounts.last() {
                self.accounts[account].readdress(&old, &new, false, &mut self.logins);
            }
        }
        if self.has_okta() && self.humans[human].accounts.is_empty() {
            let day = self.some_day();
            self.open_account(human, OktaStatus::Active, day);
        }
    }

    fn take_leave(&mut self, human: usize) {
        let months = self.rng.usize(2..14);
        self.plan(months, Event::ComeBack(human));
        if chance(&mut self.rng, 0.4)
            && let Some(&account) = self.humans[human].accounts.last()
        {
            self.accounts[account].status = OktaStatus::Suspended;
        }
        let note = *pick(
            &mut self.rng,
            &[" (on leave)", " (maternity leave)", " - LOA", " (parental leave)"],
        );
        let is_noted = chance(&mut self.rng, 0.25);
        let is_deactivated = chance(&mut self.rng, 0.25);
        for &record in &self.humans[human].records {
            let record = &mut self.records[record];
            if record.is_in_use && !record.is_deactivated {
                record.is_deactivated = is_deactivated;
                if is_noted {
                    record.name.push_str(note);
                }
            }
        }
    }

    fn come_back(&mut self, human: usize) {
        if let Some(&account) = self.humans[human].accounts.last()
            && self.accounts[account].status == OktaStatus::Suspended
        {
            self.accounts[account].status = OktaStatus::Active;
        }
        let forgets_note = chance(&mut self.rng, 0.3);
        for &record in &self.humans[human].records {
            let record = &mut self.records[record];
            if !record.is_in_use {
                continue;
            }
            record.is_deactivated = false;
            if !forgets_note
                && let Some(at) = record.name.find(" (on ").or_else(|| record.name.find(" - LOA"))
            {
                record.name.truncate(at);
            }
        }
    }

    /// The last month: accounts of no human, and those who are about to start.
    fn end(&mut self, size: usize) {
        let first = self.accounts.len();
        self.open_other_accounts();
        for account in first..self.accounts.len() {
            let is_mailbox = self.accounts[account].of == super::world::AccountOf::Mailbox;
            if is_mailbox && chance(&mut self.rng, 0.35) {
                self.enrol_mailbox(account);
            }
        }
        for _ in 0..(self.employed / 60).min(size / 20) {
            let human = self.join(Kind::Staff, 0);
            let status = if chance(&mut self.rng, 0.6) {
                OktaStatus::Staged
            } else {
                OktaStatus::Provisioned
            };
            let day = self.some_day();
            self.open_account(human, status, day);
        }
        for account in &mut self.accounts {
            if account.status == OktaStatus::Active && chance(&mut self.rng, 0.02) {
                account.status = match self.rng.usize(..5) {
                    0 | 1 => OktaStatus::PasswordExpired,
                    2 | 3 => OktaStatus::LockedOut,
                    _ => OktaStatus::Recovery,
                };
            }
        }
    }
}
