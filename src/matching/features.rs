//! Both directories as facts that can be compared: everything parsed once,
//! strings as numbers, what is counted counted.

use std::collections::BTreeMap;

use foldhash::HashMap;

use super::{
    EmployeeRecord, Evidence, PersonRecord,
    accounts::{Fit, accounts},
    addresses::Address,
    learned::training_pairs,
    lexicon::{Interner, Lexicon},
    names::{EmployeeName, PersonName},
    parallel::{for_each, for_each_in_turn, number, sort},
    parse::{EmployeeText, PersonText},
};
use crate::model::{Person, PersonId};

/// An address as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    /// The whole address.
    pub(super) id: u32,
    /// The local part without punctuation.
    pub(super) local: u32,
    /// The local part as it is.
    pub(super) written: u32,
    /// The local part without punctuation and the number at its end.
    pub(super) bare: u32,
    pub(super) domain: u32,
    /// A role's mailbox.
    pub(super) role: bool,
    /// At a mail provider.
    pub(super) private: bool,
}

/// What a record tells beside who it is of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstances {
    pub(super) team: Option<u32>,
    /// Day on which the record was made, since 1970.
    pub(super) day: Option<i32>,
}

/// A person, ready to be compared.
#[derive(Debug)]
pub(super) struct PersonFeatures<'a> {
    pub(super) subject: PersonRecord<'a>,
    /// In scope; who is not is only a rival of those who are.
    pub(super) asked: bool,
    pub(super) name: PersonName,
    /// The name is written in other letters than Latin ones.
    pub(super) other_script: bool,
    pub(super) email: Option<Mail>,
    pub(super) login: Option<Mail>,
    pub(super) second: Option<Mail>,
    /// Account names that would be this person's, the surest fit of each.
    pub(super) accounts: Vec<(u32, Fit)>,
    pub(super) circumstances: Circumstances,
    /// The employee that this person is bound to, if any.
    pub(super) holds: bool,
}

impl PersonFeatures<'_> {
    /// Email, login and secondary email, each once.
    pub(super) fn mails(&self) -> impl Iterator<Item = Mail> + '_ {
        let (email, login) = (
            self.email,
            self.login
                .filter(|login| Some(login.id) != self.email.map(|m| m.id)),
        );
        email.into_iter().chain(login).chain(self.second)
    }
}

/// An employee, ready to be compared.
#[derive(Debug)]
pub(super) struct EmployeeFeatures<'a> {
    pub(super) object: EmployeeRecord<'a>,
    pub(super) name: EmployeeName,
    /// What the local part of the address spells, if it spells a name.
    pub(super) spelt: Option<Box<EmployeeName>>,
    /// The account name, where a device made the record; and without its digits.
    pub(super) account: Option<(u32, u32)>,
    /// Neither name nor address says who it is.
    pub(super) nobody: bool,
    pub(super) deactivated: bool,
    pub(super) email: Option<Mail>,
    /// The first email, where it differs.
    pub(super) identifier: Option<Mail>,
    pub(super) circumstances: Circumstances,
    /// The person that it is bound to.
    pub(super) holder: Option<&'a PersonId>,
}

impl EmployeeFeatures<'_> {
    /// The present and the first email.
    pub(super) fn mails(&self) -> impl Iterator<Item = Mail> + '_ {
        self.email.into_iter().chain(self.identifier)
    }
}

/// How many of each side have something, by its number.
#[derive(Debug, Default)]
pub(super) struct Counts {
    people: Vec<u32>,
    employees: Vec<u32>,
}

impl Counts {
    fn add(list: &mut Vec<u32>, id: u32) {
        let at = id as usize;
        if list.len() <= at {
            list.resize(at + 1, 0);
        }
        list[at] += 1;
    }

    /// How many people have it.
    pub(super) fn people(&self, id: u32) -> u32 {
        self.people.get(id as usize).copied().unwrap_or(0)
    }

    /// How many employees have it.
    pub(super) fn employees(&self, id: u32) -> u32 {
        self.employees.get(id as usize).copied().unwrap_or(0)
    }
}

/// All facts.
#[derive(Debug)]
pub(super) struct Features<'a> {
    /// By name and id: the input's order does not matter, and those who are
    /// compared with the same employees follow each other, while the employees are
    /// in the processor's cache.
    pub(super) people: Vec<PersonFeatures<'a>>,
    /// By id.
    pub(super) employees: Vec<EmployeeFeatures<'a>>,
    pub(super) lexicon: Lexicon,
    /// Squeezed locals and account names.
    pub(super) keys: Interner,
    /// Who has an address.
    pub(super) by_mail: Counts,
    /// Who has a squeezed local part or account name.
    pub(super) by_key: Counts,
    /// How many records (people, employees) bear a whole name: the words' spellings, sorted.
    full_names: HashMap<Vec<u32>, (u32, u32)>,
    /// The names of people, letter for letter, and whether any of those who have
    /// it lacks an employee of their own.
    written: HashMap<Vec<u32>, bool>,
    /// Pairs beyond doubt: people and employees by number.
    pub(super) training_pairs: Vec<(usize, usize)>,
    /// How many people have a family name and an initial.
    relatives: HashMap<(u32, u8), u32>,
    /// How many people use a domain for their email, and employees.
    pub(super) by_domain: Counts,
}

/// What stands before the number at the end, if that is not all.
fn without_number(text: &str) -> &str {
    let bare = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if bare.len() > 1 { bare } else { text }
}

/// Numbers strings of each kind.
#[derive(Default)]
pub(super) struct Numbers {
    /// By local part and domain.
    mails: HashMap<(u32, u32), u32>,
    pub(super) keys: Interner,
    domains: Interner,
    teams: Interner,
}

impl Numbers {
    pub(super) fn mail(&mut self, address: &Address) -> Mail {
        let domain = self.domains.id(&address.domain);
        let written = self.keys.id(&address.local);
        let local = self.shortened(written, &address.local, &address.squeezed);
        let bare = self.shortened(local, &address.squeezed, without_number(&address.squeezed));
        let next = number(self.mails.len());
        Mail {
            id: *self.mails.entry((written, domain)).or_insert(next),
            local,
            written,
            bare,
            domain,
            role: address.role,
            private: address.private,
        }
    }

    /// The key of what is left of a text whose key is known; that one if all is.
    fn shortened(&mut self, key: u32, text: &str, left: &str) -> u32 {
        if left.len() == text.len() {
            key
        } else {
            self.keys.id(left)
        }
    }

    pub(super) fn team(&mut self, folded: Option<&str>) -> Option<u32> {
        folded.map(|folded| self.teams.id(folded))
    }

    /// An account name, and the same without its digits.
    pub(super) fn account(&mut self, squeezed: &str) -> (u32, u32) {
        (self.keys.id(squeezed), self.keys.id(without_number(squeezed)))
    }
}

impl<'a> Features<'a> {
    /// Parses and counts.
    pub(super) fn of(evidence: &'a Evidence<'a>) -> Self {
        let mut numbers = Numbers::default();
        let mut lexicon = Lexicon::default();
        let holders: std::collections::BTreeSet<&PersonId> = evidence.bound.values().collect();
        let others = evidence.others.iter().map(|subject| (*subject, false));
        let asked = evidence.people.iter().map(|subject| (*subject, true));
        let mut person_records: Vec<(PersonRecord<'a>, bool)> = asked.chain(others).collect();
        let name = |person: &'a Person| (&person.family_name, &person.given_name, &person.id);
        sort(&mut person_records, |(a, _), (b, _)| {
            name(a.person).cmp(&name(b.person))
        });
        let mut employee_records = evidence.employees.clone();
        sort(&mut employee_records, |a, b| a.employee.id.cmp(&b.employee.id));
        let mut employees = Vec::with_capacity(employee_records.len());
        for_each_in_turn(&employee_records, EmployeeText::of, |object, text| {
            let holder = evidence.bound.get(&object.employee.id);
            employees.push(text.numbered(&mut numbers, &mut lexicon, *object, holder));
        });
        let mut people = Vec::with_capacity(person_records.len());
        let parse = |(subject, _): &(PersonRecord<'a>, bool)| PersonText::of(subject);
        for_each_in_turn(&person_records, parse, |(subject, asked), text| {
            let holds = holders.contains(&subject.person.id);
            people.push(PersonFeatures {
                asked: *asked,
                ..text.numbered(&mut numbers, &mut lexicon, *subject, holds)
            });
        });
        lexicon.link();
        complete_logins(&mut numbers, &mut people);
        let found = for_each(&people, |person| accounts(&numbers, &lexicon, person));
        for (person, accounts) in people.iter_mut().zip(found) {
            person.accounts = accounts;
        }
        let mut facts = Self {
            people,
            employees,
            lexicon,
            keys: numbers.keys,
            by_mail: Counts::default(),
            by_key: Counts::default(),
            full_names: HashMap::default(),
            written: HashMap::default(),
            training_pairs: Vec::new(),
            relatives: HashMap::default(),
            by_domain: Counts::default(),
        };
        facts.count();
        facts.lexicon.weigh();
        facts.training_pairs = training_pairs(&facts);
        facts.note_names();
        facts
    }

    fn count(&mut self) {
        for person in &self.people {
            self.lexicon.count(&person.name.given, &person.name.family, true);
            for mail in person.mails() {
                Counts::add(&mut self.by_mail.people, mail.id);
            }
            for (key, _) in &person.accounts {
                Counts::add(&mut self.by_key.people, *key);
            }
            if let Some(mail) = person.email {
                Counts::add(&mut self.by_domain.people, mail.domain);
            }
            let name = full_name(
                &self.lexicon,
                person.name.given.first().into_iter().chain(&person.name.family),
            );
            self.full_names.entry(name).or_default().0 += 1;
            if let Some(given) = person.name.given.first() {
                let initial = self.lexicon.get(*given).text.as_bytes()[0];
                for family in &person.name.family {
                    *self
                        .relatives
                        .entry((self.lexicon.get(*family).sound, initial))
                        .or_default() += 1;
                }
            }
        }
        for employee in &self.employees {
            let words = &employee.name.words;
            if employee.account.is_none() {
                let split = employee.name.before_comma().unwrap_or(0);
                let (given, family) = if split > 0 {
                    (&words[split..], &words[..split])
                } else {
                    words.split_at(words.len().min(1))
                };
                self.lexicon.count(given, family, false);
            }
            for mail in employee.mails() {
                Counts::add(&mut self.by_mail.employees, mail.id);
                Counts::add(&mut self.by_key.employees, mail.local);
                Counts::add(&mut self.by_domain.employees, mail.domain);
            }
            if let Some((account, _)) = employee.account {
                Counts::add(&mut self.by_key.employees, account);
            }
            let name = full_name(&self.lexicon, words);
            self.full_names.entry(name).or_default().1 += 1;
        }
    }

    /// Notes whose name is written how, when the pairs beyond doubt are known.
    fn note_names(&mut self) {
        let mut resolved = vec![false; self.people.len()];
        for (person, _) in &self.training_pairs {
            resolved[*person] = true;
        }
        for (person, resolved) in self.people.iter().zip(resolved) {
            let name = written(&self.lexicon, &person.name.words());
            *self.written.entry(name).or_default() |= !resolved;
        }
    }

    /// How many people and how many employees bear the person's name, word for word.
    pub(super) fn bearers(&self, name: &PersonName) -> (u32, u32) {
        let name = full_name(&self.lexicon, name.given.first().into_iter().chain(&name.family));
        self.full_names.get(&name).copied().unwrap_or_default()
    }

    /// How many people and employees bear the employee's name, word for word.
    pub(super) fn bearers_of_employee(&self, name: &EmployeeName) -> (u32, u32) {
        self.full_names
            .get(&full_name(&self.lexicon, &name.words))
            .copied()
            .unwrap_or_default()
    }

    /// Whether another person has the name of the person or of the employee.
    pub(super) fn others_named(&self, person: &PersonFeatures<'_>, employee: &EmployeeFeatures<'_>) -> bool {
        let own = full_name(
            &self.lexicon,
            person.name.given.first().into_iter().chain(&person.name.family),
        );
        let theirs = full_name(&self.lexicon, &employee.name.words);
        let people = |name: &Vec<u32>| self.full_names.get(name).map_or(0, |(people, _)| *people);
        people(&own) > 1 || (own != theirs && people(&theirs) > 0)
    }

    /// Whether a person has the employee's name, letter for letter but for marks;
    /// and whether one of them has no employee of their own.
    pub(super) fn another_written_so(&self, employee: &EmployeeFeatures<'_>) -> Option<bool> {
        let name = written(&self.lexicon, &employee.name.words);
        self.written.get(&name).copied()
    }

    /// How many people have the person's family name and initial.
    pub(super) fn relatives(&self, name: &PersonName) -> u32 {
        let Some(given) = name.given.first() else { return 0 };
        let initial = self.lexicon.get(*given).text.as_bytes()[0];
        name.family
            .iter()
            .filter_map(|family| self.relatives.get(&(self.lexicon.get(*family).sound, initial)))
            .copied()
            .min()
            .unwrap_or(0)
    }
}

fn full_name<'w>(lexicon: &Lexicon, words: impl IntoIterator<Item = &'w u32>) -> Vec<u32> {
    let mut words: Vec<u32> = words.into_iter().map(|word| lexicon.get(*word).sound).collect();
    words.sort_unstable();
    words
}

fn written<'w>(lexicon: &Lexicon, words: impl IntoIterator<Item = &'w u32>) -> Vec<u32> {
    let mut words: Vec<u32> = words.into_iter().map(|word| lexicon.same(*word)).collect();
    words.sort_unstable();
    words
}

/// Where a person has no address at all, a login that is none stands for one in
/// the company's domain, if nearly all people have theirs in one.
fn complete_logins(numbers: &mut Numbers, people: &mut [PersonFeatures<'_>]) {
    let mut users: BTreeMap<u32, usize> = BTreeMap::new();
    for mail in people
        .iter()
        .filter_map(|person| person.email)
        .filter(|mail| !mail.private)
    {
        *users.entry(mail.domain).or_default() += 1;
    }
    let with_mail: usize = users.values().sum();
    let Some((domain, count)) = users.into_iter().max_by_key(|(_, count)| *count) else {
        return;
    };
    if count * 100 < with_mail * 95 {
        return;
    }
    let name = numbers.domains.text(domain).to_owned();
    for person in people
        .iter_mut()
        .filter(|person| person.login.is_none() && person.email.is_none())
    {
        let login = format!("{}@{name}", person.subject.person.login.trim());
        person.login = Address::parse(&login).map(|address| numbers.mail(&address));
    }
}
