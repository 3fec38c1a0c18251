//! An international group: subsidiaries in two to five countries, each with its own culture of names, its own way of
//! making addresses and accounts, and its own day on which Insightful came.
//!
//! Every record is made as such records are: a person joins a subsidiary, gets an account in Okta by the rules of its
//! personnel department (Latin letters mostly, one or both surnames, a dot where there is no last name), and becomes
//! known to Insightful by an invitation (typed by a manager), by the payroll's list (all on one day), or by the agent
//! on a computer (no email; the identifier is the account there). Then life goes on: the main domain is rebranded and
//! a few keep the old one, people marry, leave, come back, become employees after an internship, hand their computer or
//! address on, are entered twice. Sister companies with domains of their own give one first.last to two people, common
//! names have several bearers, fathers and sons share theirs, and beside the people there are mailboxes, services and
//! administrators' accounts.
//!
//! A group differs from the next in all of that: countries, domains, scripts, which system keeps the marks of letters,
//! teams (mirrored, renamed, one a country, none), whether days mean something, and how carefully people type.
//!
//! `names` has the people's names (from `@faker-js/faker`, see `mixed/LICENSE.txt`; spellings in Latin letters by hand
//! and by the usual tables), `style` the conventions, `scenes` what can happen to a person.

mod names;
mod scenes;
mod style;

use std::collections::{HashMap, HashSet};

use fastrand::Rng;
use okta_insightful_operator::model::{Employee, OktaStatus, OtherNames, Person};

use self::{
    names::{CULTURES, Given, Letters, Middle, Name, Order, PLAIN, Surnames, Writing},
    scenes::SCENES,
    style::{Account, DEPARTMENTS, Device, LOCALS, Local, Lone, Style, TODAY, Teams, rfc3339, slug},
};
use super::{Company, Truth};

/// A company of about `size` people in Okta.
pub fn generate(seed: u64, size: usize) -> Company {
    let mut rng = Rng::with_seed(seed);
    let style = Style::draw(&mut rng, size, SCENES.len());
    let mut maker = Maker::new(rng, style);
    // What is common is so everywhere.
    let factors = SCENES
        .iter()
        .zip(&maker.style.factors)
        .map(|((weight, _), factor)| match *weight {
            common if common > 4.0 => common * factor.clamp(0.8, 1.2),
            rare => rare * factor,
        });
    let weights: Vec<f64> = factors.collect();
    let traps: f64 = weights.iter().sum();
    while maker.people.len() < size {
        let mut dice = maker.rng.f64();
        let scene = SCENES.iter().zip(&weights).find(|(_, weight)| {
            dice -= *weight / traps * 0.46;
            dice < 0.0
        });
        match scene {
            Some(((_, play), _)) => play(&mut maker),
            None => scenes::plain(&mut maker),
        }
    }
    scenes::strangers(&mut maker);
    maker.finish()
}

struct Human {
    id: usize,
    sub: usize,
    name: Name,
    team: usize,
    /// In days since 1970.
    hired: i64,
    number: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Source {
    Invited,
    Imported,
    Agent,
    /// Of a computer whose account says nothing of the person.
    Device,
}

/// What ties a person to a record.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    /// An address or a number that is the person's own.
    Own,
    /// The account on a computer, and the full name.
    Login,
    /// The account on a computer, which stands for the name, too.
    LoginAlone,
    /// The full name: good if nobody else has it, and the team or the day says so, too.
    Name,
    /// A part of the name: good if the team and the day say so, too.
    Part,
    Nothing,
    /// There is no record: sure unless a stray one bears that name.
    Absent,
}

struct Case {
    human: usize,
    key: String,
    person: usize,
    records: Vec<usize>,
    old: Vec<usize>,
    class: &'static str,
    proof: Proof,
}

/// Whose a name is, and the team of that person's account.
type Holder = (usize, Option<(usize, usize)>);

struct Maker {
    rng: Rng,
    style: Style,
    people: Vec<(Person, Option<String>)>,
    employees: Vec<(Employee, String)>,
    cases: Vec<Case>,
    humans: usize,
    /// Addresses and accounts that are given away.
    taken: HashSet<String>,
    /// Accounts on computers, by human.
    sams: HashMap<usize, String>,
    holders: HashMap<String, Vec<Holder>>,
    /// Humans with a record that only a name can tie to them, by name; the team is the record's.
    stray: HashMap<String, Vec<Holder>>,
    /// Day and team of the account in Okta, and of the record.
    joined: Vec<(i64, Option<(usize, usize)>)>,
    recorded: Vec<(i64, Option<(usize, usize)>)>,
}

impl Maker {
    fn new(rng: Rng, style: Style) -> Self {
        Self {
            rng,
            style,
            people: Vec::new(),
            employees: Vec::new(),
            cases: Vec::new(),
            humans: 0,
            taken: HashSet::new(),
            sams: HashMap::new(),
            holders: HashMap::new(),
            stray: HashMap::new(),
            joined: Vec::new(),
            recorded: Vec::new(),
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.f64() < share
    }

    fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.rng.usize(..options.len())]
    }

    fn id(&mut self, prefix: &str, length: usize, others: &[u8]) -> String {
        let mut id = prefix.to_owned();
        while id.len() < length {
            let place = self.rng.usize(..62 + others.len());
            id.push(match others.get(place.wrapping_sub(62)) {
                Some(sign) => char::from(*sign),
                None => self.rng.alphanumeric(),
            });
        }
        id
    }

    fn human(&mut self) -> Human {
        let total: f64 = self.style.subs.iter().map(|sub| sub.share).sum();
        let mut dice = self.rng.f64() * total;
        let chosen = self.style.subs.iter().position(|sub| {
            dice -= sub.share;
            dice < 0.0
        });
        let sub = chosen.unwrap_or(0);
        let culture = match self.rng.usize(..100) {
            0..88 => self.style.subs[sub].culture,
            88..95 => self.style.subs[self.rng.usize(..self.style.subs.len())].culture,
            _ => &CULTURES[self.rng.usize(..CULTURES.len())],
        };
        let name = Name::draw(&mut self.rng, culture);
        self.human_called(name, sub)
    }

    fn human_called(&mut self, name: Name, sub: usize) -> Human {
        self.humans += 1;
        // Most people joined in the last years.
        let years = self.rng.f64().powi(2) * 12.0;
        Human {
            id: self.humans,
            sub,
            name,
            team: self.rng.usize(..self.style.subs[sub].teams.len()),
            hired: TODAY - 5 - (years * 365.0) as i64,
            number: 10_000 + self.humans as u32 * 3 + self.rng.u32(..3),
        }
    }

    /// Somebody whose name is of a kind; of a culture that has the kind, if nobody of the group's does.
    fn human_who(&mut self, fits: impl Fn(&Name) -> bool) -> Human {
        for _ in 0..25 {
            let human = self.human();
            if fits(&human.name) {
                return human;
            }
        }
        let mut human = self.human();
        for _ in 0..3000 {
            if fits(&human.name) {
                break;
            }
            let culture = &CULTURES[self.rng.usize(..CULTURES.len())];
            human.name = Name::draw(&mut self.rng, culture);
        }
        human
    }

    /// An address by the rules of the subsidiary; if it is given away, with a figure.
    fn address(&mut self, human: &Human) -> String {
        let sub = &self.style.subs[human.sub];
        let (local, domain) = (sub.local, sub.domain.clone());
        let odd = self.chance(0.03);
        let local = if odd { self.pick(LOCALS) } else { local };
        let keeps = self.chance(self.style.keeps_old);
        let domain = match &self.style.old {
            Some((old, day)) if keeps && domain == self.style.domain && human.hired < *day => old.clone(),
            _ => domain,
        };
        let local = local.of(&human.name, &self.style.subs[human.sub].address);
        self.reserve(&local, &domain)
    }

    fn reserve(&mut self, local: &str, domain: &str) -> String {
        let local = if local.is_empty() { "user" } else { local };
        let mut address = format!("{local}@{domain}");
        for figure in 2.. {
            if self.taken.insert(address.clone()) {
                break;
            }
            address = format!("{local}{figure}@{domain}");
        }
        address
    }

    /// The account on computers of somebody with this address.
    fn sam(&mut self, human: &Human, mail: &str) -> String {
        if let Some(sam) = self.sams.get(&human.id) {
            return sam.clone();
        }
        let sub = &self.style.subs[human.sub];
        let sam = match sub.account {
            Account::Number if self.style.numbers => format!("u{}", human.number),
            Account::InitialLast => {
                let local = Local::InitialLast.of(&human.name, &sub.address);
                let realm = format!("{}.pc", sub.windows);
                let address = self.reserve(&local, &realm);
                self::local(&address).to_owned()
            }
            _ => local(mail).to_owned(),
        };
        self.sams.insert(human.id, sam.clone());
        sam
    }

    fn account(&mut self, human: &Human) -> Person {
        let mail = self.address(human);
        self.account_with(human, &mail)
    }

    fn account_with(&mut self, human: &Human, mail: &str) -> Person {
        let how = self.style.subs[human.sub].okta;
        let name = &human.name;
        let (given, family) = (name.given_text(&how), name.family_text(&how));
        let family = match self.style.subs[human.sub].lone {
            _ if !family.is_empty() => Some(family),
            Lone::Repeated => Some(given.clone()),
            Lone::Dot => Some(".".to_owned()),
            Lone::Missing => None,
        };
        let middle = name.middle_text(&Writing {
            middle: Middle::Full,
            ..how
        });
        let shown = Writing {
            native: name.has_script() && self.rng.bool(),
            given: if self.chance(0.1) {
                Given::Nick
            } else {
                Given::Full
            },
            ..how
        };
        let domain = mail.split('@').nth(1).unwrap_or_default().to_owned();
        let login = match self.style.short_logins {
            true => format!("{}@{domain}", self.sam(human, mail)),
            false => mail.to_owned(),
        };
        let free = !self.style.short_logins || login == mail || self.taken.insert(login.clone());
        let created = human.hired.max(self.style.okta_day)
            - i64::from(human.hired > self.style.okta_day) * self.rng.i64(0..4);
        let second = self.chance(0.08).then(|| self.private_address(human));
        let title = self.chance(0.6).then(|| self.title(human));
        Person {
            id: self.id("00u", 20, &[]).as_str().into(),
            login: if free { login } else { mail.to_owned() },
            given_name: Some(given),
            family_name: family,
            other_names: OtherNames {
                nick: name
                    .nick
                    .clone()
                    .filter(|_| self.style.nicks && self.rng.f64() < 0.3),
                middle: Some(middle).filter(|middle| self.style.middles && !middle.is_empty()),
                display: self.style.displays.then(|| name.write(&shown)),
            },
            email: Some(mail.to_owned()),
            second_email: second,
            title,
            employee_number: self.style.numbers.then(|| human.number.to_string()),
            status: match self.rng.usize(..100) {
                0..93 => OktaStatus::Active,
                93..96 => OktaStatus::PasswordExpired,
                96..98 => OktaStatus::Provisioned,
                98 => OktaStatus::LockedOut,
                _ => OktaStatus::Suspended,
            },
            transitioning_to: None,
            created: Some(rfc3339(created, self.rng.i64(20_000..70_000))),
            last_updated: Some(rfc3339(TODAY - self.rng.i64(1..60), self.rng.i64(0..86_400))),
            attributes: Box::default(),
        }
    }

    fn title(&mut self, human: &Human) -> String {
        let [department, _] = DEPARTMENTS[human.team % DEPARTMENTS.len()];
        let rank = self.pick(&[
            "Specialist",
            "Manager",
            "Analyst",
            "Associate",
            "Lead",
            "Senior Specialist",
        ]);
        format!("{department} {rank}")
    }

    fn private_address(&mut self, human: &Human) -> String {
        let host = self.pick(&["gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com"]);
        let local = self.pick(LOCALS).of(&human.name, &PLAIN);
        let year = if self.rng.bool() {
            self.rng.usize(60..100).to_string()
        } else {
            String::new()
        };
        self.reserve(&format!("{local}{year}"), host)
    }

    /// Puts a human's account into the directory, and into a team group as most are.
    fn admit(&mut self, human: &Human, person: Person) -> usize {
        let team = self.chance(0.93).then_some((human.sub, human.team));
        self.holders
            .entry(human.name.key())
            .or_default()
            .push((human.id, team));
        self.enroll(human.hired, person, team)
    }

    /// Makes an account by the rules and puts it into the directory.
    fn join(&mut self, human: &Human) -> usize {
        let person = self.account(human);
        self.admit(human, person)
    }

    fn enroll(&mut self, since: i64, person: Person, team: Option<(usize, usize)>) -> usize {
        let group = team.map(|(sub, team)| self.style.subs[sub].teams[team][0].clone());
        self.joined.push((since.max(self.style.okta_day), team));
        self.people.push((person, group));
        self.people.len() - 1
    }

    fn mail(&self, person: usize) -> String {
        self.people[person].0.email.clone().unwrap_or_default()
    }

    /// The way in which most of the subsidiary's records came to be.
    fn source(&mut self, human: &Human) -> Source {
        let sub = &self.style.subs[human.sub];
        let [invited, imported] = sub.filled;
        let old = human.hired <= sub.rollout;
        match self.rng.f64() {
            dice if dice < invited => Source::Invited,
            dice if dice < invited + imported => {
                if old {
                    Source::Imported
                } else {
                    Source::Invited
                }
            }
            _ if sub.unmanaged => Source::Device,
            _ => Source::Agent,
        }
    }

    fn writing(&self, human: &Human, source: Source) -> Writing {
        let [invited, imported, computer] = self.style.subs[human.sub].insightful;
        match source {
            Source::Invited => invited,
            Source::Imported => imported,
            Source::Agent | Source::Device => computer,
        }
    }

    /// A name as that source writes it.
    fn named(&mut self, human: &Human, source: Source) -> String {
        let name = human.name.write(&self.writing(human, source));
        if source == Source::Invited {
            self.typed(name)
        } else {
            name
        }
    }

    /// Blanks and capitals as hasty people leave them.
    fn typed(&mut self, name: String) -> String {
        if !self.chance(self.style.dirt) {
            return name;
        }
        match self.rng.usize(..5) {
            0 => name.replacen(' ', "  ", 1),
            1 => format!("{name} "),
            2 => name.to_lowercase(),
            3 => name.to_uppercase(),
            _ => names::ascii(&name, false),
        }
    }

    /// An employee. What it shows of `mail` depends on how it came to be.
    fn record(&mut self, human: &Human, mail: &str, name: String, source: Source) -> usize {
        let sub = &self.style.subs[human.sub];
        let (rollout, one_day, device, windows) = (sub.rollout, sub.one_day, sub.device, sub.windows.clone());
        let late = self.pick(&[0, 0, 1, 1, 2, 5, 9]);
        let day = match () {
            () if human.hired > rollout => human.hired + late,
            () if source == Source::Imported || one_day => rollout,
            () => rollout + self.rng.i64(0..40),
        };
        let day = day.min(TODAY - 1);
        let number = self.rng.usize(100..9999);
        let brand = self.pick(&["DESKTOP", "LAPTOP", "PC", "NB"]);
        let host = format!("{brand}-{}", self.id("", 7, &[]).to_uppercase());
        let (mail, identifier) = match source {
            Source::Invited | Source::Imported => (mail.to_owned(), self.first_address(mail, day)),
            Source::Agent => {
                let sam = self.sam(human, mail);
                let identifier = match device {
                    _ if self.chance(0.05) => format!("{sam}@{}.local", windows.to_lowercase()),
                    Device::Domain => format!("{windows}\\{sam}"),
                    Device::Host => format!("{}/{sam}", host.to_lowercase()),
                    Device::Bare => sam,
                };
                (String::new(), identifier)
            }
            Source::Device => {
                let given = slug(&human.name.given_text(&Writing {
                    given: Given::Short,
                    ..PLAIN
                }));
                let user = self
                    .pick(&["user", "admin", "owner", given.as_str(), given.as_str()])
                    .to_owned();
                let identifier = match self.rng.usize(..3) {
                    0 => format!("{host}\\{user}"),
                    1 => format!("{}/{user}", host.to_lowercase()),
                    _ => format!("{windows}\\ws{number}"),
                };
                (String::new(), identifier)
            }
        };
        let stale = self.chance(0.06);
        let teams = &self.style.subs[human.sub].teams;
        let team = if stale {
            self.rng.usize(..teams.len())
        } else {
            human.team
        };
        let group = teams[team][1].clone();
        let id = self.id("w", 15, b"-_");
        let millis = (day * 86_400 + self.rng.i64(25_000..65_000)) * 1000 + self.rng.i64(0..1000);
        let employee = Employee {
            id: id.as_str().into(),
            name,
            email: mail,
            identifier,
            team: group.as_str().into(),
            settings: None,
            deactivated: false,
            created_at: Some(millis),
        };
        self.recorded.push((day, Some((human.sub, team))));
        self.employees.push((employee, group));
        self.employees.len() - 1
    }

    /// The address under which an employee was invited, who is at `mail` now.
    fn first_address(&self, mail: &str, day: i64) -> String {
        match (&self.style.old, mail.split_once('@')) {
            (Some((old, since)), Some((local, domain))) if day < *since && domain == self.style.domain => {
                format!("{local}@{old}")
            }
            _ => mail.to_owned(),
        }
    }

    /// A record that has nothing of the person but a name: a computer's, or one under an address made otherwise.
    fn loose_record(&mut self, human: &Human, name: String, how: &Writing) -> usize {
        let sub = &self.style.subs[human.sub];
        let [invited, imported] = sub.filled;
        let domain = sub.domain.clone();
        self.stray(human);
        if self.rng.f64() < invited + imported - 0.3 {
            let local = self.pick(LOCALS).of(&human.name, how);
            let mail = self.reserve(&local, &domain);
            let source = if imported > invited {
                Source::Imported
            } else {
                Source::Invited
            };
            self.record(human, &mail, name, source)
        } else {
            self.record(human, "", name, Source::Device)
        }
    }

    /// Notes that a record of that name may be anybody's who bears it.
    fn stray(&mut self, human: &Human) {
        let team = Some((human.sub, human.team));
        self.stray
            .entry(human.name.key())
            .or_default()
            .push((human.id, team));
    }

    fn settle(
        &mut self,
        class: &'static str,
        human: &Human,
        person: usize,
        records: [&[usize]; 2],
        proof: Proof,
    ) {
        let [records, old] = records.map(<[usize]>::to_vec);
        self.cases.push(Case {
            human: human.id,
            key: human.name.key(),
            person,
            records,
            old,
            class,
            proof,
        });
    }

    /// Whether a careful human could be sure. `locals` are the humans behind a first part of an address.
    fn is_sure(&self, case: &Case, locals: &HashMap<&str, HashSet<usize>>) -> bool {
        let bearers = |map: &HashMap<String, Vec<Holder>>| map.get(&case.key).cloned().unwrap_or_default();
        let mut others = bearers(&self.stray);
        others.retain(|(human, _)| *human != case.human);
        let stray = !others.is_empty();
        others.extend(
            bearers(&self.holders)
                .into_iter()
                .filter(|(human, _)| *human != case.human),
        );
        let (joined, team) = self.joined[case.person];
        let record = case.records.first();
        let teams_tell = matches!(self.style.teams, Teams::Mirrored | Teams::Renamed);
        let same_team =
            teams_tell && team.is_some() && record.is_some_and(|place| self.recorded[*place].1 == team);
        // A day on which many came says nothing.
        let said_day = record
            .map(|place| self.recorded[*place].0)
            .filter(|_| joined > self.style.okta_day);
        let same_day = said_day.is_some_and(|day| (day - joined).abs() <= 14);
        let full_name = match others.is_empty() {
            true => same_team || same_day,
            false => same_team && others.iter().all(|(_, theirs)| *theirs != team),
        };
        let login = record.map_or("", |place| login(&self.employees[*place].0.identifier));
        let person = &self.people[case.person].0;
        let mail = person.email.as_deref().unwrap_or_default();
        let number = person.employee_number.as_deref();
        let own_number = number.is_some_and(|number| login.strip_prefix('u') == Some(number));
        let own_local = [mail, &person.login]
            .into_iter()
            .any(|address| local(address) == login);
        let same_local = own_number || own_local && locals.get(login).is_some_and(|humans| humans.len() == 1);
        match case.proof {
            Proof::Own => true,
            Proof::Login => same_local || others.is_empty() || full_name,
            Proof::LoginAlone => {
                let first = !login.ends_with(|sign: char| sign.is_ascii_digit());
                same_local
                    || first
                        && !self
                            .style
                            .subs
                            .iter()
                            .any(|sub| self.taken.contains(&format!("{login}2@{}.pc", sub.windows)))
            }
            Proof::Name => full_name,
            Proof::Part => same_team && same_day && others.is_empty(),
            Proof::Nothing => false,
            Proof::Absent => !stray,
        }
    }

    fn finish(mut self) -> Company {
        let employee_ids = |places: &[usize]| {
            places
                .iter()
                .map(|place| self.employees[*place].0.id.to_string())
                .collect()
        };
        let mut locals = HashMap::<_, HashSet<usize>>::new();
        for case in &self.cases {
            let person = &self.people[case.person].0;
            for address in [person.email.as_deref().unwrap_or_default(), &person.login] {
                locals.entry(local(address)).or_default().insert(case.human);
            }
        }
        let truths = self.cases.iter().map(|case| Truth {
            person: self.people[case.person].0.id.to_string(),
            records: employee_ids(&case.records),
            old: employee_ids(&case.old),
            decidable: self.is_sure(case, &locals),
            class: case.class,
        });
        let truths: Vec<_> = truths.collect();
        // No list stands in the order in which people were thought of.
        self.rng.shuffle(&mut self.people);
        self.rng.shuffle(&mut self.employees);
        Company {
            people: self.people,
            employees: self.employees,
            truths,
        }
    }
}

/// The first part of an address.
fn local(mail: &str) -> &str {
    mail.split('@').next().unwrap_or_default()
}

/// The account that an agent reported.
fn login(identifier: &str) -> &str {
    local(identifier.rsplit(['\\', '/']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn lines(company: &Company) -> String {
        format!("{:?} {:?}", company.people, company.employees)
    }

    #[test]
    fn one_seed_gives_one_company() {
        assert_eq!(lines(&generate(7, 500)), lines(&generate(7, 500)));
        assert_ne!(lines(&generate(7, 500)), lines(&generate(8, 500)));
    }

    #[test]
    fn each_person_has_one_truth_about_records_that_exist() {
        for (seed, size) in [(1, 40), (2, 41), (3, 300), (4, 1500)] {
            let company = generate(seed, size);
            let people: BTreeSet<_> = company
                .people
                .iter()
                .map(|(person, _)| person.id.as_str())
                .collect();
            let employees: BTreeSet<_> = company
                .employees
                .iter()
                .map(|(employee, _)| employee.id.as_str())
                .collect();
            let truths: BTreeSet<_> = company.truths.iter().map(|truth| truth.person.as_str()).collect();
            assert_eq!(
                (people.len(), employees.len()),
                (company.people.len(), company.employees.len())
            );
            assert_eq!((&people, truths.len()), (&truths, company.truths.len()));
            let mut used = BTreeSet::new();
            for id in company
                .truths
                .iter()
                .flat_map(|truth| truth.records.iter().chain(&truth.old))
            {
                assert!(employees.contains(id.as_str()), "{id} does not exist");
                assert!(used.insert(id), "{id} has two owners");
            }
            let logins: BTreeSet<_> = company
                .people
                .iter()
                .map(|(person, _)| person.login.to_lowercase())
                .collect();
            assert_eq!(logins.len(), people.len(), "a login is unique in Okta");
        }
    }

    #[test]
    fn the_shares_are_those_of_real_companies() {
        for seed in 0..20 {
            let company = generate(seed, 1200);
            let share = |count: usize, of: usize| count as f64 / of as f64;
            let without = company
                .truths
                .iter()
                .filter(|truth| truth.records.is_empty())
                .count();
            let without = share(without, company.people.len());
            assert!(
                (0.05..0.20).contains(&without),
                "seed {seed}: {without} have no record"
            );
            let owned: usize = company
                .truths
                .iter()
                .map(|truth| truth.records.len() + truth.old.len())
                .sum();
            let strangers = share(company.employees.len() - owned, company.employees.len());
            assert!(
                (0.04..0.12).contains(&strangers),
                "seed {seed}: {strangers} are nobody's"
            );
        }
    }

    #[test]
    fn every_class_occurs() {
        let found: BTreeSet<_> = (0..20)
            .flat_map(|seed| generate(seed, 1000).truths)
            .map(|truth| truth.class)
            .collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), scenes::CLASSES);
    }

    #[test]
    fn days_are_written_as_okta_does() {
        assert_eq!(rfc3339(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(19_782, 3_661), "2024-02-29T01:01:01.000Z");
        assert_eq!(rfc3339(20_700, 86_399), "2026-09-04T23:59:59.000Z");
    }
}
