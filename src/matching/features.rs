//! The features of both directories: records parsed once, names and addresses counted.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashSet};

use super::{
    accounts::accounts,
    addresses::Address,
    employee_numbers,
    lexicon::Lexicon,
    name_similarity::{self, Agreement},
    names::PersonName,
    numbering::{Interner, Numbering},
    parallel::{par_map, par_map_in_order, par_sort_dedup},
    parse::{EmployeeText, PersonText},
    record_features::{EmployeeFeatures, PersonFeatures},
    records::{Evidence, PersonRecord},
    stopwords::is_of_administrator,
};
use crate::model::{Person, PersonId};

/// Minimum number of logins of a domain; a computer has fewer.
const MIN_LOGINS_OF_DOMAIN: u32 = 5;

/// The number of people and employees that have something, by its number.
#[derive(Debug, Default)]
pub(super) struct Counts {
    people: Vec<u32>,
    employees: Vec<u32>,
    active_employees: Vec<u32>,
}

impl Counts {
    fn add(list: &mut Vec<u32>, id: u32) {
        let at = id as usize;
        if list.len() <= at {
            list.resize(at + 1, 0);
        }
        list[at] += 1;
    }

    fn add_employee(&mut self, id: u32, deactivated: bool) {
        Self::add(&mut self.employees, id);
        if !deactivated {
            Self::add(&mut self.active_employees, id);
        }
    }

    pub(super) fn people(&self, id: u32) -> u32 {
        self.people.get(id as usize).copied().unwrap_or(0)
    }

    pub(super) fn employees(&self, id: u32) -> u32 {
        self.employees.get(id as usize).copied().unwrap_or(0)
    }

    /// Returns the number of employees with something that compete with this one: a deactivated
    /// record is no rival of an active one.
    pub(super) fn rivals(&self, id: u32, employee: &EmployeeFeatures<'_>) -> u32 {
        if employee.deactivated {
            self.employees(id)
        } else {
            self.active_employees.get(id as usize).copied().unwrap_or(0)
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct NameCounts {
    people: u32,
    employees: u32,
    active_employees: u32,
}

#[derive(Debug)]
pub(super) struct Features<'a> {
    /// By name and id, so that the order of the input does not matter and people
    /// who are compared with the same employees follow each other, while these
    /// employees are in the processor's cache.
    pub(super) people: Vec<PersonFeatures<'a>>,
    /// By id.
    pub(super) employees: Vec<EmployeeFeatures<'a>>,
    pub(super) lexicon: Lexicon,
    /// Local parts and account names.
    pub(super) keys: Interner,
    pub(super) address_counts: Counts,
    /// By local part without punctuation, or account name.
    pub(super) key_counts: Counts,
    /// The number of people with a login or the part of an email before the @, without punctuation.
    pub(super) login_counts: Counts,
    /// The number of employees with a login of a domain or computer.
    login_domain_counts: Vec<u32>,
    /// Domains of the emails of people, and of all addresses of employees.
    pub(super) domain_counts: Counts,
    /// The number of records by the sorted phonetic keys of their names.
    name_counts: HashMap<Vec<u32>, NameCounts>,
    /// The sorted canonical words of the names of people, and whether any person
    /// with that name is in no training pair.
    canonical_names: HashMap<Vec<u32>, bool>,
    /// Pairs whose identity needs no further evidence: indices of people and employees.
    pub(super) training_pairs: Vec<(usize, usize)>,
    /// The number of people by phonetic key of the family name and initial.
    family_and_initial_counts: HashMap<(u32, u8), u32>,
}

impl<'a> Features<'a> {
    pub(super) fn of(evidence: &'a Evidence<'a>) -> Self {
        let mut numbering = Numbering::default();
        let mut lexicon = Lexicon::default();
        let in_scope = evidence.people.iter().map(|record| (*record, true));
        let others = evidence.others.iter().map(|record| (*record, false));
        let mut person_records: Vec<(PersonRecord<'a>, bool)> = in_scope.chain(others).collect();
        let name = |person: &'a Person| (&person.family_name, &person.given_name, &person.id);
        par_sort_dedup(&mut person_records, |(a, _), (b, _)| {
            name(a.person).cmp(&name(b.person))
        });
        let mut employee_records = evidence.employees.clone();
        par_sort_dedup(&mut employee_records, |a, b| a.employee.id.cmp(&b.employee.id));
        let mut employees = Vec::with_capacity(employee_records.len());
        par_map_in_order(&employee_records, EmployeeText::of, |record, text| {
            let bound_to = evidence.bound.get(&record.employee.id);
            employees.push(text.numbered(&mut numbering, &mut lexicon, *record, bound_to));
        });
        let bound: BTreeSet<&PersonId> = employees
            .iter()
            .filter(|employee: &&EmployeeFeatures<'_>| !employee.deactivated)
            .filter_map(|employee| employee.bound_to)
            .collect();
        let mut people = Vec::with_capacity(person_records.len());
        let parse = |(record, _): &(PersonRecord<'a>, bool)| PersonText::of(record);
        par_map_in_order(&person_records, parse, |(record, in_scope), text| {
            let is_bound = bound.contains(&record.person.id);
            people.push(text.numbered(&mut numbering, &mut lexicon, *record, *in_scope, is_bound));
        });
        lexicon.link_variants();
        complete_logins(&mut numbering, &mut people);
        mark_second_accounts(&lexicon, &mut people);
        let prefixes = employee_numbers::prefixes(&numbering, &lexicon, &people, &employees);
        let found = par_map(&people, |person| {
            accounts(&numbering, &lexicon, &prefixes, person)
        });
        for (person, accounts) in people.iter_mut().zip(found) {
            person.accounts = accounts;
        }
        let mut features = Self {
            people,
            employees,
            lexicon,
            keys: numbering.keys,
            address_counts: Counts::default(),
            key_counts: Counts::default(),
            login_counts: Counts::default(),
            login_domain_counts: Vec::new(),
            domain_counts: Counts::default(),
            name_counts: HashMap::default(),
            canonical_names: HashMap::default(),
            training_pairs: Vec::new(),
            family_and_initial_counts: HashMap::default(),
        };
        features.count_people();
        features.count_employees();
        features.lexicon.compute_rarities();
        features.find_training_pairs();
        features.note_canonical_names();
        features
    }

    fn count_people(&mut self) {
        for person in self.people.iter().filter(|person| !person.is_second_account) {
            for name in person.names() {
                self.lexicon.count(&name.given, &name.family, true);
            }
            for mail in person.mails() {
                Counts::add(&mut self.address_counts.people, mail.id);
            }
            for (key, _) in &person.accounts {
                Counts::add(&mut self.key_counts.people, *key);
            }
            for mail in [
                person.email,
                person
                    .login
                    .filter(|login| Some(login.id) != person.email.map(|mail| mail.id)),
            ] {
                if let Some(mail) = mail.filter(|mail| !mail.role && !mail.private) {
                    Counts::add(&mut self.login_counts.people, mail.squeezed);
                }
            }
            if let Some(mail) = person.email {
                Counts::add(&mut self.domain_counts.people, mail.domain);
            }
            let name = phonetic_name(&self.lexicon, &person.name.words());
            self.name_counts.entry(name).or_default().people += 1;
            if let Some(given) = person.name.given.first() {
                let initial = self.lexicon.initial(*given);
                for family in &person.name.family {
                    let key = (self.lexicon.get(*family).phonetic_key, initial);
                    *self.family_and_initial_counts.entry(key).or_default() += 1;
                }
            }
        }
    }

    fn count_employees(&mut self) {
        for employee in &self.employees {
            let words = &employee.name.words;
            if employee.account.is_none() {
                let (given, family) = match employee.name.before_comma().unwrap_or(0) {
                    0 => words.split_at(words.len().min(1)),
                    comma => (&words[comma..], &words[..comma]),
                };
                self.lexicon.count(given, family, false);
            }
            for mail in employee.mails() {
                self.address_counts.add_employee(mail.id, employee.deactivated);
                self.key_counts.add_employee(mail.squeezed, employee.deactivated);
                Counts::add(&mut self.domain_counts.employees, mail.domain);
            }
            if let Some(domain) = employee.login_domain {
                Counts::add(&mut self.login_domain_counts, domain);
            }
            if let Some((account, _)) = employee.account {
                self.key_counts.add_employee(account, employee.deactivated);
            }
            let name = phonetic_name(&self.lexicon, words);
            let counts = self.name_counts.entry(name).or_default();
            counts.employees += 1;
            counts.active_employees += u32::from(!employee.deactivated);
        }
    }

    /// Finds the pairs with the same name and an email that nobody else has.
    fn find_training_pairs(&mut self) {
        let by_email: HashMap<u32, usize> = self
            .employees
            .iter()
            .enumerate()
            .filter_map(|(at, employee)| Some((employee.email?.id, at)))
            .collect();
        let is_unique =
            |id: u32| self.address_counts.people(id) == 1 && self.address_counts.employees(id) == 1;
        let employee_of = |person: &PersonFeatures<'_>| {
            let mail = person.email.filter(|mail| !mail.role && is_unique(mail.id))?;
            let employee = *by_email.get(&mail.id)?;
            let (own, theirs) = person.names_beside(&self.lexicon, &self.employees[employee]);
            let name = name_similarity::compare(&self.lexicon, own, theirs);
            (name.given == Agreement::Equal && name.family == Agreement::Equal).then_some(employee)
        };
        self.training_pairs = self
            .people
            .iter()
            .enumerate()
            .filter_map(|(at, person)| Some((at, employee_of(person)?)))
            .collect();
    }

    fn note_canonical_names(&mut self) {
        let mut identified = vec![false; self.people.len()];
        for (person, _) in &self.training_pairs {
            identified[*person] = true;
        }
        for (person, identified) in self.people.iter().zip(identified) {
            let name = canonical_name(&self.lexicon, &person.name.words());
            *self.canonical_names.entry(name).or_default() |= !identified;
        }
    }

    /// Whether the employee's login is of a domain, in which each login is of one human, and not of a computer.
    pub(super) fn is_of_domain(&self, employee: &EmployeeFeatures<'_>) -> bool {
        let count = employee
            .login_domain
            .and_then(|domain| self.login_domain_counts.get(domain as usize));
        count.is_some_and(|count| *count >= MIN_LOGINS_OF_DOMAIN)
    }

    /// Returns for each employee with a login of a domain the only person with the employee's name, if there is one,
    /// as indices.
    pub(super) fn namesakes_of_domain_logins(&self) -> Vec<(usize, Option<usize>)> {
        let mut by_name: HashMap<Vec<u32>, Option<usize>> = HashMap::default();
        for (at, person) in self.people.iter().enumerate() {
            let name = canonical_name(&self.lexicon, &person.name.words());
            by_name
                .entry(name)
                .and_modify(|only| *only = None)
                .or_insert(Some(at));
        }
        let employees = self.employees.iter().enumerate();
        employees
            .filter(|(_, employee)| self.is_of_domain(employee))
            .map(|(at, employee)| {
                let name = canonical_name(&self.lexicon, &employee.name.words);
                (at, by_name.get(&name).copied().flatten())
            })
            .collect()
    }

    /// Returns a person's name, marks aside, as a key.
    pub(super) fn name_key(&self, person: &PersonFeatures<'_>) -> Vec<u32> {
        canonical_name(&self.lexicon, &person.name.words())
    }

    /// Returns how many people have the person's name, spellings aside.
    pub(super) fn people_with_name_of(&self, person: &PersonFeatures<'_>) -> u32 {
        self.counts_of(&person.name.words()).people
    }

    /// Returns how many employees that compete with this one have a name, spellings aside.
    pub(super) fn employees_with_name(&self, words: &[u32], employee: &EmployeeFeatures<'_>) -> u32 {
        let counts = self.counts_of(words);
        if employee.deactivated {
            counts.employees
        } else {
            counts.active_employees
        }
    }

    fn counts_of(&self, words: &[u32]) -> NameCounts {
        let name = phonetic_name(&self.lexicon, words);
        self.name_counts.get(&name).copied().unwrap_or_default()
    }

    /// Whether another person has the name of the person or of the employee.
    pub(super) fn is_name_of_another(
        &self,
        person: &PersonFeatures<'_>,
        employee: &EmployeeFeatures<'_>,
    ) -> bool {
        let own = phonetic_name(&self.lexicon, &person.name.words());
        let theirs = phonetic_name(&self.lexicon, &employee.name.words);
        let people = |name: &Vec<u32>| self.name_counts.get(name).map_or(0, |counts| counts.people);
        people(&own) > 1 || (own != theirs && people(&theirs) > 0)
    }

    /// Whether a person with exactly the employee's name, marks aside, is in no
    /// training pair; None if no person has that name.
    pub(super) fn has_unidentified_namesake(&self, employee: &EmployeeFeatures<'_>) -> Option<bool> {
        let name = canonical_name(&self.lexicon, &employee.name.words);
        self.canonical_names.get(&name).copied()
    }

    /// Returns how many people have the person's family name and initial.
    pub(super) fn people_with_family_and_initial(&self, name: &PersonName) -> u32 {
        let Some(given) = name.given.first() else { return 0 };
        let initial = self.lexicon.initial(*given);
        let counts = name.family.iter().filter_map(|family| {
            let key = (self.lexicon.get(*family).phonetic_key, initial);
            self.family_and_initial_counts.get(&key)
        });
        counts.copied().min().unwrap_or(0)
    }
}

/// Marks accounts for administration whose email or name another person has, too.
fn mark_second_accounts(lexicon: &Lexicon, people: &mut [PersonFeatures<'_>]) {
    let is_of_administrator = |person: &PersonFeatures<'_>| {
        let record = person.record.person;
        let email = record.email.as_deref().unwrap_or_default();
        is_of_administrator(&record.login) || is_of_administrator(email)
    };
    let marked: Vec<bool> = people.iter().map(is_of_administrator).collect();
    if !marked.contains(&true) {
        return;
    }
    let mut emails: HashSet<u32> = HashSet::default();
    let mut names: HashSet<Vec<u32>> = HashSet::default();
    for (person, _) in people.iter().zip(&marked).filter(|(_, marked)| !**marked) {
        emails.extend(person.mails().map(|mail| mail.id));
        names.insert(canonical_name(lexicon, &person.name.words()));
    }
    for (person, _) in people.iter_mut().zip(marked).filter(|(_, marked)| *marked) {
        let name = canonical_name(lexicon, &person.name.words());
        person.is_second_account =
            person.mails().any(|mail| emails.contains(&mail.id)) || (name.len() > 1 && names.contains(&name));
    }
}

fn phonetic_name(lexicon: &Lexicon, words: &[u32]) -> Vec<u32> {
    sorted(words, |word| lexicon.get(word).phonetic_key)
}

fn canonical_name(lexicon: &Lexicon, words: &[u32]) -> Vec<u32> {
    sorted(words, |word| lexicon.get(word).canonical)
}

fn sorted(words: &[u32], key: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut keys: Vec<u32> = words.iter().map(|word| key(*word)).collect();
    keys.sort_unstable();
    keys
}

/// Completes logins that are not addresses, of people without any address, with
/// the company's domain if nearly all people have their email there.
fn complete_logins(numbering: &mut Numbering, people: &mut [PersonFeatures<'_>]) {
    let mut users: BTreeMap<u32, usize> = BTreeMap::new();
    let emails = people.iter().filter_map(|person| person.email);
    for mail in emails.filter(|mail| !mail.private) {
        *users.entry(mail.domain).or_default() += 1;
    }
    let all: usize = users.values().sum();
    let Some((domain, count)) = users.into_iter().max_by_key(|(_, count)| *count) else {
        return;
    };
    if count * 100 < all * 95 {
        return;
    }
    let domain = numbering.domains.text(domain).to_owned();
    for person in people
        .iter_mut()
        .filter(|person| person.login.is_none() && person.email.is_none())
    {
        let login = format!("{}@{domain}", person.record.person.login.trim());
        person.login = Address::parse(&login).map(|address| numbering.mail(&address));
    }
}
