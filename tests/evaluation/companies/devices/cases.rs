//! What befalls the humans of such a company, one case a function.

use okta_insightful_operator::model::{OktaStatus, OtherNames};

use super::{
    maker::{DAY, Human, Maker, rfc3339},
    names::{Culture, nickname, paternal, shortened, slug},
    style::{Device, Firm, Post, Rule, TODAY, WAREHOUSE, chance, pick},
};

/// Makes the next one or more people, with what they have in Insightful.
pub type Case = fn(&mut Maker);

impl Maker {
    /// The cases of this company, per mille.
    pub fn cases(&self) -> Vec<(Case, u32)> {
        let merged = self.style.firms.len() > 1;
        vec![
            (Self::plain as Case, 730 - self.style.renamed),
            (Self::no_record, if self.style.kiosk > 10 { 45 } else { 75 }),
            (Self::renamed, self.style.renamed),
            (Self::nickname, 14),
            (Self::married, 9),
            (Self::two_devices, 16),
            (Self::replaced_device, 24),
            (Self::admin_accounts, 11),
            (Self::service_account, 6),
            (Self::shared_mailbox, 5),
            (Self::agency_computer, 4),
            (Self::kiosk_workers, self.style.kiosk),
            (Self::handed_on, 12),
            (Self::recycled_login, 5),
            (
                Self::merger_same_login,
                if merged && self.style.has_domain { 24 } else { 0 },
            ),
            (Self::leaver, 45),
            (Self::namesakes, 5),
            (Self::father_and_son, 3),
            (Self::twins, 3),
            (Self::namesake_without_record, 5),
            (Self::namesake_outside, 4),
        ]
    }

    // People with a record of their own.

    fn class_of(human: &Human, device: Device, firm: &Firm) -> &'static str {
        match device {
            Device::Domain if firm.account == Rule::Number || human.culture.has_own_script() => {
                "EmployeeNumberAccount"
            }
            Device::Domain => "DomainAccount",
            Device::DomainLogin => "DomainLoginOnly",
            Device::Azure => "AzureAccount",
            Device::Address => "AddressAccount",
            Device::Microsoft => "MicrosoftAccount",
            Device::Mac => "MacFullName",
            Device::LocalDotted => "LocalDotted",
            Device::LocalFirst => "LocalFirstName",
            Device::LocalInitial => "LocalInitial",
            Device::Generic => "GenericAccount",
        }
    }

    /// A person with the record of the first computer; returns both.
    fn tracked(&mut self, human: &Human, status: OktaStatus, class: &'static str) -> (usize, usize) {
        let device = self.device(human);
        let day = self.first_seen(human.hired);
        let record = self.enrolled(human, device, day);
        let person = self.hire(human, status);
        let class = if class.is_empty() {
            Self::class_of(human, device, self.firm(human))
        } else {
            class
        };
        self.truth(person, class, vec![self.record_id(record)], Vec::new());
        (person, record)
    }

    fn plain(&mut self) {
        let human = self.human();
        if human.firm == 1 && chance(&mut self.rng, self.style.moved) {
            return self.moved(human);
        }
        let status = self.employed();
        self.tracked(&human, status, "");
    }

    /// The person has an address of the first firm, the computer is still in the old domain.
    fn moved(&mut self, mut human: Human) {
        let before = self.address(&human);
        human.mail_firm = 0;
        human.local = self.login(&human, "mail", 0, self.style.firms[0].address);
        let status = self.employed();
        let has_old_address = chance(&mut self.rng, 40);
        if self.style.has_domain && chance(&mut self.rng, 25) {
            let (person, first) = self.tracked(&human, status, "");
            let account = self.login(&human, "domain", 0, self.style.firms[0].account);
            human = Human {
                firm: 0,
                account,
                ..human
            };
            let day = self.later(first);
            let second = self.enrolled(&human, Device::Domain, day);
            self.employees[first].0.deactivated = true;
            self.truth(
                person,
                "MergerNewDomain",
                vec![self.record_id(second)],
                vec![self.record_id(first)],
            );
            return;
        }
        let (person, _) = self.tracked(&human, status, "MergerMoved");
        self.people[person].0.second_email = has_old_address.then_some(before);
    }

    /// A day after a record was made.
    fn later(&mut self, record: usize) -> i64 {
        let from = self.employees[record].0.created_at.unwrap_or_default() / DAY;
        self.rng.i64(from.min(TODAY - 1)..TODAY) + 1
    }

    fn renamed(&mut self) {
        let human = self.human();
        let status = self.employed();
        let (person, record) = self.tracked(&human, status, "AdminRenamed");
        let (name, email) = (self.typed(&human), self.address(&human));
        let employee = &mut self.employees[record].0;
        employee.name = name;
        employee.email = if chance(&mut self.rng, 15) {
            email.to_uppercase()
        } else {
            email
        };
        // The owner of a laptop may have given a private address, which Okta may know.
        if chance(&mut self.rng, 6) && !human.culture.has_own_script() {
            let given = slug(&human.given, human.culture);
            let private = format!(
                "{given}{}{}@gmail.com",
                slug(human.short_family(), human.culture),
                human.number % 100
            );
            employee.email.clone_from(&private);
            self.people[person].0.second_email = chance(&mut self.rng, 60).then_some(private);
        }
    }

    /// Okta has the long form and perhaps the short one, the computer has the short one.
    fn nickname(&mut self) {
        let mut human = self.human();
        if nickname(&human.given).is_none() && human.culture == Culture::English {
            let (given, family) = (shortened(&mut self.rng), human.family.clone());
            human = self.enrol(given, &family, human.culture, human.firm, human.hired, human.post);
        }
        let short = nickname(&human.given);
        human.called = short.map_or(human.called, str::to_owned);
        let status = self.employed();
        let (person, _) = self.tracked(&human, status, if short.is_some() { "Nickname" } else { "" });
        self.people[person].0.other_names.nick =
            short.filter(|_| chance(&mut self.rng, 35)).map(str::to_owned);
    }

    /// Okta has the new family name; the login, and mostly the name on the computer, are older.
    fn married(&mut self) {
        let human = self.human();
        let status = self.employed();
        let (person, record) = self.tracked(&human, status, "MarriedName");
        let mut family = self.names.family(human.culture, &mut self.rng);
        if chance(&mut self.rng, 30) {
            family = self.names.doubled(&human.family, human.culture, &mut self.rng);
        }
        let now = Human {
            family,
            ..human.clone()
        };
        if chance(&mut self.rng, 25) {
            self.employees[record].0.name = self.typed(&now);
        }
        let new_local = self.login(&now, "mail", now.mail_firm, self.style.firms[now.firm].address);
        let (old_address, person) = (self.address(&human), &mut self.people[person].0);
        person.family_name = Some(now.family.clone());
        person.other_names.display = person
            .other_names
            .display
            .as_ref()
            .map(|_| format!("{} {}", now.given, now.family));
        if chance(&mut self.rng, 45) {
            let address = format!("{new_local}@{}", self.style.firms[now.mail_firm].mail);
            if person.login == old_address {
                person.login.clone_from(&address);
            }
            person.email = Some(address);
            person.second_email = chance(&mut self.rng, 20).then_some(old_address);
        }
    }

    fn two_devices(&mut self) {
        let human = self.human();
        let status = self.employed();
        let (person, first) = self.tracked(&human, status, "TwoDevices");
        let choices = [
            Device::Mac,
            Device::LocalFirst,
            Device::Microsoft,
            Device::LocalDotted,
        ];
        let device = if human.culture.has_own_script() {
            Device::Domain
        } else {
            pick(&mut self.rng, &choices)
        };
        let day = self.later(first);
        let second = self.enrolled(&human, device, day);
        self.truth(
            person,
            "TwoDevices",
            vec![self.record_id(first), self.record_id(second)],
            Vec::new(),
        );
    }

    /// The old computer's record was deactivated, and may hold the email.
    fn replaced_device(&mut self) {
        let human = self.human();
        let status = self.employed();
        let (person, first) = self.tracked(&human, status, "ReplacedDevice");
        let device = self.device(&human);
        let day = self.later(first);
        let second = self.enrolled(&human, device, day);
        if chance(&mut self.rng, 30) {
            self.employees[first].0.email = self.address(&human);
        }
        self.employees[first].0.deactivated = true;
        self.truth(
            person,
            "ReplacedDevice",
            vec![self.record_id(second)],
            vec![self.record_id(first)],
        );
    }

    /// A human of IT, with a second account in Okta and perhaps on a computer.
    fn admin_accounts(&mut self) {
        let mut human = self.human();
        human.post.department = 7.min(2 + self.size / 25);
        let status = self.employed();
        let (person, record) = self.tracked(&human, status, "AdminOfTwo");
        let form: u8 = self.rng.u8(..3);
        let admin = |name: &str| match form {
            0 => format!("adm-{name}"),
            1 => format!("{name}-adm"),
            _ => format!("a_{name}"),
        };
        if self.style.has_domain && chance(&mut self.rng, 30) {
            let account = admin(&human.account);
            let name = if chance(&mut self.rng, 50) {
                account.clone()
            } else {
                self.display(&human) + " (Admin)"
            };
            let (team, day) = (self.team_of(&human), self.later(record));
            let second = self.record(name, self.in_domain(human.firm, &account), team, day);
            self.truth(
                person,
                "AdminAccountRecord",
                vec![self.record_id(record), self.record_id(second)],
                Vec::new(),
            );
        }
        let second = Human {
            local: admin(&human.local),
            account: admin(&human.account),
            ..human.clone()
        };
        let account = self.hire(&second, OktaStatus::Active);
        self.truth_known(account, "AdminOktaAccount", Vec::new(), true);
        let (main_address, form) = (self.address(&human), self.rng.u8(..3));
        let (person, team) = &mut self.people[account];
        match form {
            0 => person.email = Some(main_address),
            1 => person.family_name = Some(format!("{} (Admin)", human.family)),
            _ => {}
        }
        person.employee_number = None;
        *team = None;
    }

    fn leaver(&mut self) {
        let human = self.human();
        let rollout = self.style.rollout;
        let left = if human.hired < rollout && chance(&mut self.rng, 20) {
            self.rng.i64(human.hired..rollout)
        } else {
            self.rng.i64(human.hired.max(rollout)..TODAY) + 1
        };
        let person = if left < rollout {
            self.hire(&human, OktaStatus::Deprovisioned)
        } else {
            let is_off = chance(&mut self.rng, 45);
            let class = if is_off {
                "DeactivatedLeaver"
            } else {
                "ActiveLeaver"
            };
            let (person, record) = self.tracked(&human, OktaStatus::Deprovisioned, class);
            let employee = &mut self.employees[record].0;
            employee.deactivated = is_off;
            employee.created_at = employee.created_at.map(|time| time.min(left * DAY + time % DAY));
            person
        };
        let created = self.drafts[person].created.unwrap_or_default();
        self.people[person].0.last_updated = Some(rfc3339(self.at_work(left).max(created)));
    }

    // People who share, inherit or resemble.

    fn no_record(&mut self) {
        let human = self.human();
        let status = if chance(&mut self.rng, 12) {
            OktaStatus::Staged
        } else {
            self.employed()
        };
        self.hire(&human, status);
    }

    fn service_account(&mut self) {
        self.role_account("ServiceAccount");
    }

    fn shared_mailbox(&mut self) {
        self.role_account("SharedMailbox");
    }

    /// An account that no human stands behind.
    fn role_account(&mut self, class: &'static str) {
        let services = [
            "svc-backup",
            "svc-sql",
            "scanner",
            "svc-okta-sync",
            "zapier",
            "svc-print",
            "sap-rfc",
            "svc-veeam",
        ];
        let mailboxes = [
            "info",
            "accounting",
            "support",
            "jobs",
            "reception",
            "invoices",
            "orders",
            "dispatch",
        ];
        let name = pick(
            &mut self.rng,
            if class == "ServiceAccount" {
                &services
            } else {
                &mailboxes
            },
        );
        let mut account = name.to_owned();
        let mut count = 1;
        while !self.taken.insert(format!("mail 0 {account}")) {
            count += 1;
            account = format!("{name}{count}");
        }
        let base = Human {
            local: account.clone(),
            account: account.clone(),
            firm: 0,
            mail_firm: 0,
            ..self.human()
        };
        let at = self.hire(&base, OktaStatus::Active);
        self.truth_known(at, class, Vec::new(), true);
        let firm = self.style.firms[0].domain.to_owned();
        let (person, team) = &mut self.people[at];
        let mut words = name.split('-').rev();
        person.given_name = words.next().map(str::to_owned);
        person.family_name = Some(words.next().map_or(firm, str::to_owned));
        person.other_names = OtherNames::default();
        (person.title, person.employee_number) = (None, None);
        *team = None;
        // The front desk's computer, or the one that the service runs on.
        if chance(&mut self.rng, 30) {
            let (team, day) = (self.style.default_team.to_owned(), self.first_seen(0));
            let identifier = if self.style.has_domain {
                self.in_domain(0, &account)
            } else {
                self.local_account(&account)
            };
            let record = self.record(account, identifier, team, day);
            self.truth_known(at, "RoleWithRecord", vec![self.record_id(record)], true);
        }
    }

    /// People of an agency who take turns at one computer.
    fn agency_computer(&mut self) {
        let agency = pick(
            &mut self.rng,
            &[
                "Outsourcia",
                "Staffline",
                "BPO Partners",
                "Kelso Temps",
                "Manila Desk",
            ],
        );
        let word = slug(agency, Culture::English);
        let desk = self.rng.u8(1..30);
        let day = self.first_seen(0);
        let first = self.human();
        let host = format!("{}-PC{desk}", word.to_uppercase());
        let has_owner = chance(&mut self.rng, 35);
        let owner = slug(&first.given, first.culture);
        let account = if has_owner { owner.clone() } else { word.clone() };
        let name = if has_owner {
            first.given.clone()
        } else {
            format!("{agency} {desk}")
        };
        let identifier = format!("{host}{}{account}", self.style.separator);
        let record = if has_owner {
            let team = self.team_of(&first);
            self.record(name, identifier, team, day)
        } else {
            self.orphan(&name, identifier, day)
        };
        for turn in 0..self.rng.u8(2..5) {
            let human = if turn == 0 {
                first.clone()
            } else {
                Human {
                    post: first.post,
                    ..self.human()
                }
            };
            let person = self.hire_employed(&human);
            let address = format!(
                "{}.{}@{word}.com",
                slug(&human.given, human.culture),
                slug(&human.family, human.culture)
            );
            self.people[person].0.email = Some(address);
            let records = if turn == 0 && has_owner {
                vec![self.record_id(record)]
            } else {
                Vec::new()
            };
            let is_sure = !has_owner;
            self.truth_known(person, "AgencyComputer", records, is_sure);
        }
    }

    /// Workers of a hall, and the computer that they share.
    fn kiosk_workers(&mut self) {
        let workers = self.rng.usize(1..6).min(1 + self.size / 40);
        for _ in 0..workers {
            let mut human = self.human();
            human.post.department = WAREHOUSE;
            let person = self.hire_employed(&human);
            self.truth_known(person, "KioskWorker", Vec::new(), true);
        }
        if self.orphans * 25 < self.people.len() {
            self.kiosk();
        }
    }

    fn kiosk(&mut self) {
        let names = [
            "warehouse",
            "Reception",
            "Packing",
            "POS",
            "Meeting Room",
            "Forklift",
            "Dock",
            "Shipping",
            "Lab",
            "Training",
        ];
        let place = pick(&mut self.rng, &names);
        let name = format!(
            "{place}{}{}",
            if chance(&mut self.rng, 50) { "" } else { " " },
            self.rng.u8(1..9)
        );
        let account = slug(&name, Culture::English);
        let day = self.first_seen(0);
        let identifier = if self.style.has_domain && chance(&mut self.rng, 70) {
            self.in_domain(0, &account)
        } else {
            self.local_account(&account)
        };
        self.orphan(&name, identifier, day);
    }

    /// A computer that went to the next one without a new record.
    fn handed_on(&mut self) {
        let former = self.human();
        let next = self.human();
        let hired = (former.hired + self.rng.i64(200..2_000)).min(TODAY - 3);
        let next = self.enrol(
            &next.given,
            &next.family,
            next.culture,
            former.firm,
            hired,
            former.post,
        );
        let device = self.device(&former);
        let day = self.first_seen(former.hired);
        let record = self.enrolled(&former, device, day);
        let id = self.record_id(record);
        let was_renamed = chance(&mut self.rng, 65);
        if was_renamed {
            self.employees[record].0.name = self.typed(&next);
        }
        // The former user left, with or without a trace in Okta, or has a new computer.
        match self.rng.u8(..10) {
            0..=4 => {
                let person = self.hire(&former, OktaStatus::Deprovisioned);
                self.truth_known(person, "FormerUser", Vec::new(), was_renamed);
            }
            5 | 6 if was_renamed => {
                let (person, new) = self.tracked(&former, OktaStatus::Active, "NewComputer");
                let moved = self.later(record);
                self.employees[new].0.created_at = Some(self.at_work(moved));
                self.drafts[person].class = "NewComputer";
                if self.employees[new].0.identifier == self.employees[record].0.identifier {
                    self.employees[record].0.identifier = self.local_account(&former.account);
                }
            }
            _ => {}
        }
        let person = self.hire_employed(&next);
        let (class, sure) = if was_renamed {
            ("HandedOnRenamed", None)
        } else {
            ("HandedOnUnchanged", Some(false))
        };
        self.truth(person, class, vec![id], Vec::new());
        self.drafts[person].decidable = sure;
    }

    /// A leaver's account and address were given to the next one whose name makes the same.
    fn recycled_login(&mut self) {
        let former = self.human();
        if former.culture.has_own_script() || self.firm(&former).account == Rule::Number {
            // Numbers are not given twice.
            self.tracked(&former, OktaStatus::Active, "");
            return;
        }
        let given = self.same_login(&former);
        let hired = (former.hired + self.rng.i64(300..1_500)).min(TODAY - 3);
        let base = self.enrol(
            &given,
            &former.family,
            former.culture,
            former.firm,
            hired,
            former.post,
        );
        let next = Human {
            account: former.account.clone(),
            local: former.local.clone(),
            ..base
        };
        let day = self.first_seen(former.hired);
        let device = if self.style.has_domain {
            Device::Domain
        } else {
            Device::Address
        };
        let first = self.enrolled(&former, device, day);
        let left = chance(&mut self.rng, 70);
        self.employees[first].0.deactivated = left;
        if !left {
            self.employees[first].0.identifier = self.local_account(&former.account);
        }
        let leaver = self.hire(&former, OktaStatus::Deprovisioned);
        self.people[leaver].0.login = format!("left-{}-{}", former.number, self.people[leaver].0.login);
        self.truth(
            leaver,
            "LoginRecycledFrom",
            vec![self.record_id(first)],
            Vec::new(),
        );
        let day = self.first_seen(hired).max(day + 1).min(TODAY);
        let second = self.enrolled(&next, device, day);
        let person = self.hire_employed(&next);
        self.truth(
            person,
            "LoginRecycledTo",
            vec![self.record_id(second)],
            Vec::new(),
        );
    }

    /// Another given name that makes the same login; the same one if no other does.
    fn same_login(&mut self, human: &Human) -> String {
        let rule = self.firm(human).account;
        let login = |given: &str| rule.apply(&slug(given, human.culture), "x", 0);
        for _ in 0..300 {
            let given = self.names.given(human.culture, &mut self.rng);
            if given != human.given && login(&given) == login(&human.given) {
                return given;
            }
        }
        human.given.clone()
    }

    /// Two humans of two firms whose logins are the same, each in its own domain.
    fn merger_same_login(&mut self) {
        let first = self.human();
        if self.style.firms.len() < 2 {
            return;
        }
        let given = self.same_login(&first);
        let second = self.enrol(
            &given,
            &first.family,
            first.culture,
            1 - first.firm,
            first.hired,
            first.post,
        );
        let other = self.human();
        let second = Human {
            hired: other.hired,
            post: other.post,
            ..second
        };
        let is_same = slug(&first.account, first.culture) == slug(&second.account, second.culture);
        let class = if is_same { "MergerSameLogin" } else { "MergerAlike" };
        for human in [first, second] {
            let day = self.first_seen(human.hired);
            let record = self.enrolled(&human, Device::Domain, day);
            let person = self.hire_employed(&human);
            self.truth(person, class, vec![self.record_id(record)], Vec::new());
        }
    }

    /// Another human of the same name.
    fn namesake_of(&mut self, human: &Human) -> Human {
        let other = self.human();
        self.enrol(
            &human.given,
            &human.family,
            human.culture,
            other.firm,
            other.hired,
            other.post,
        )
    }

    fn namesakes(&mut self) {
        let first = self.human();
        let second = self.namesake_of(&first);
        for human in [first, second] {
            let status = self.employed();
            self.tracked(&human, status, "Namesake");
        }
    }

    /// The same name a generation apart; the son may be marked as such.
    fn father_and_son(&mut self) {
        let mut father = self.human();
        if father.culture.has_own_script() {
            return self.namesakes();
        }
        if father.culture == Culture::English {
            let given = paternal(&mut self.rng);
            father = self.enrol(
                given,
                &father.family,
                father.culture,
                father.firm,
                father.hired,
                father.post,
            );
        }
        father.hired = TODAY - self.rng.i64(2_000..9_000);
        let post = Post::draw(&mut self.rng, self.size);
        let hired = TODAY - self.rng.i64(20..900);
        let mut son = self.enrol(
            &father.given,
            &father.family,
            father.culture,
            father.firm,
            hired,
            post,
        );
        if father.culture == Culture::English && chance(&mut self.rng, 40) {
            son.suffix = " Jr.";
        }
        for human in [father, son] {
            let status = self.employed();
            self.tracked(&human, status, "FatherAndSon");
        }
    }

    /// Hired on one day into one team, with given names of one initial.
    fn twins(&mut self) {
        let first = self.human();
        let initial = slug(&first.given, first.culture).chars().next();
        let mut given = self.names.given(first.culture, &mut self.rng);
        for _ in 0..200 {
            if given != first.given && slug(&given, first.culture).chars().next() == initial {
                break;
            }
            given = self.names.given(first.culture, &mut self.rng);
        }
        let second = self.enrol(
            &given,
            &first.family,
            first.culture,
            first.firm,
            first.hired,
            first.post,
        );
        for human in [first, second] {
            let status = self.employed();
            self.tracked(&human, status, "Twin");
        }
    }

    fn namesake_without_record(&mut self) {
        let first = self.human();
        let second = self.namesake_of(&first);
        let status = self.employed();
        let (person, _) = self.tracked(&first, status, "NamesakeWithRecord");
        let other = self.hire_employed(&second);
        self.truth(other, "NamesakeWithoutRecord", Vec::new(), Vec::new());
        // The one is sure if the other is: the verdict is copied at the end.
        self.drafts[other].old = vec![self.drafts[person].person.clone()];
    }

    /// The record is that of a contractor who is not in Okta.
    fn namesake_outside(&mut self) {
        let human = self.human();
        let contractor = self.namesake_of(&human);
        let device = self.device(&contractor);
        let (name, identifier) = self.account_on(&contractor, device);
        let day = self.first_seen(contractor.hired);
        self.orphan(&name, identifier, day);
        let person = self.hire_employed(&human);
        self.truth_known(person, "NamesakeOutside", Vec::new(), false);
    }

    // The rest.

    /// Adds employees who are nobody in Okta: leavers from before, externals, halls, tests.
    pub fn make_orphans(&mut self) {
        let wanted = self.employees.len() * self.rng.usize(55..95) / 1_000;
        while self.orphans < wanted {
            let kind = self.rng.u8(..10);
            if kind == 8 {
                self.kiosk();
                continue;
            }
            let human = self.human();
            let device = self.device(&human);
            let (mut name, mut identifier) = self.account_on(&human, device);
            let day = self.first_seen(human.hired);
            if kind == 9 {
                name = (pick(
                    &mut self.rng,
                    &["Administrator", "test", "Test User", "IT Setup", "localadmin"],
                ))
                .to_owned();
                identifier = self.local_account(&slug(&name, Culture::English));
            }
            if (5..8).contains(&kind) && matches!(device, Device::Domain) {
                name += " (External)";
                identifier = self.in_domain(human.firm, &format!("x-{}", human.account));
            }
            let record = self.orphan(&name, identifier, day);
            self.employees[record].0.deactivated = kind < 5;
            self.employees[record].1 = if kind < 8 {
                self.team_of(&human)
            } else {
                self.style.default_team.to_owned()
            };
        }
    }
}
