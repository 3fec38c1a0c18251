//! Whether a careful human with both directories could be sure of a pair.
//!
//! A pair is decidable by an address or an employee number that only these two have, by a login that
//! is more than a first name, or by a name together with the team, the dates or the login that the
//! firm's convention makes of it, if no other person and no other live record has the same to show.

use std::collections::{HashMap, HashSet};

use okta_insightful_operator::model::{Employee, Person};

use super::{
    maker::{DAY, Draft},
    names::{word, words},
    style::{Firm, Rule},
};

/// How much of a name a record shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    None,
    Given,
    GivenInitial,
    /// Two words of a longer name.
    Part,
    Full,
}

type Evidence<'j> = &'j dyn Fn(usize, usize) -> bool;

struct PersonFacts {
    words: Vec<String>,
    given: Vec<String>,
    family: String,
    family_initial: String,
    addresses: Vec<String>,
    team: Option<String>,
    created: Option<i64>,
    number: Option<String>,
    /// An account that no human stands behind, or a second one of a human.
    is_role: bool,
}

struct RecordFacts {
    words: Vec<String>,
    /// The address, or the address as which the record was first known.
    addresses: Vec<String>,
    account: String,
    /// The mail domain and the convention of the firm in whose domain the account is.
    firm: Option<(&'static str, Rule)>,
    team: String,
    created: Option<i64>,
    live: bool,
}

pub struct Judge {
    people: Vec<PersonFacts>,
    records: Vec<RecordFacts>,
    index_of_record: HashMap<String, usize>,
    by_given: HashMap<String, Vec<usize>>,
    by_words: HashMap<Vec<String>, Vec<usize>>,
    by_address: HashMap<String, Vec<usize>>,
    by_local: HashMap<String, Vec<usize>>,
    records_by_word: HashMap<String, Vec<usize>>,
    records_by_words: HashMap<Vec<String>, Vec<usize>>,
    records_by_account: HashMap<String, Vec<usize>>,
    created: Vec<i64>,
    team_sizes: HashMap<String, usize>,
}

const ROLES: [&str; 4] = [
    "AdminOktaAccount",
    "ServiceAccount",
    "SharedMailbox",
    "AgencyComputer",
];

fn local(address: &str) -> &str {
    address.split('@').next().unwrap_or_default()
}

/// Whether a team in Insightful is one in Okta, or the organisational unit of its department or site.
fn agrees(okta: &str, insightful: &str) -> bool {
    let department = insightful.strip_suffix(" Users");
    let site = insightful.strip_prefix("OU ");
    okta == insightful
        || department.is_some_and(|department| okta.starts_with(department))
        || site.is_some_and(|site| okta.ends_with(site))
}

fn push<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<usize>>, key: K, at: usize) {
    let list = index.entry(key).or_default();
    if list.last() != Some(&at) {
        list.push(at);
    }
}

impl Judge {
    pub fn new(
        people: &[(Person, Option<String>)],
        employees: &[(Employee, String)],
        drafts: &[Draft],
        firms: &[Firm],
    ) -> Self {
        let people: Vec<PersonFacts> = people
            .iter()
            .zip(drafts)
            .map(|((person, team), draft)| PersonFacts::new(person, team, draft))
            .collect();
        let records: Vec<RecordFacts> = employees
            .iter()
            .map(|(employee, team)| RecordFacts::new(employee, team, firms))
            .collect();
        let mut judge = Self {
            index_of_record: employees
                .iter()
                .enumerate()
                .map(|(at, (employee, _))| (employee.id.to_string(), at))
                .collect(),
            by_given: HashMap::new(),
            by_words: HashMap::new(),
            by_address: HashMap::new(),
            by_local: HashMap::new(),
            records_by_word: HashMap::new(),
            records_by_words: HashMap::new(),
            records_by_account: HashMap::new(),
            created: people.iter().filter_map(|person| person.created).collect(),
            team_sizes: HashMap::new(),
            people,
            records,
        };
        judge.created.sort_unstable();
        judge.index();
        judge
    }

    fn index(&mut self) {
        for (at, person) in self.people.iter().enumerate() {
            if person.is_role {
                continue;
            }
            for given in &person.given {
                push(&mut self.by_given, given.clone(), at);
            }
            push(&mut self.by_words, person.words.clone(), at);
            for address in &person.addresses {
                push(&mut self.by_address, address.clone(), at);
                push(&mut self.by_local, local(address).to_owned(), at);
            }
        }
        let mut teams: HashMap<&String, usize> = HashMap::new();
        for team in self.people.iter().filter_map(|person| person.team.as_ref()) {
            *teams.entry(team).or_default() += 1;
        }
        for record in &self.records {
            if !self.team_sizes.contains_key(&record.team) {
                let agreeing = teams.iter().filter(|(team, _)| agrees(team, &record.team));
                self.team_sizes
                    .insert(record.team.clone(), agreeing.map(|(_, size)| size).sum());
            }
        }
        for (at, record) in self.records.iter().enumerate().filter(|(_, record)| record.live) {
            for word in &record.words {
                push(&mut self.records_by_word, word.clone(), at);
            }
            push(&mut self.records_by_words, record.words.clone(), at);
            push(&mut self.records_by_account, record.account.clone(), at);
        }
    }

    /// Whether the record is beyond doubt the person's, whose own records are these.
    pub fn is_decidable(&self, person: usize, record: &str, own: &[&str]) -> bool {
        let Some(record) = self.index_of_record.get(record).copied() else {
            return false;
        };
        let own: HashSet<usize> = own
            .iter()
            .filter_map(|id| self.index_of_record.get(*id).copied())
            .collect();
        let likeness = self.likeness(person, record);
        if likeness == Likeness::None && self.records[record].words.len() > 1 {
            return false;
        }
        let login: Evidence<'_> = &|person, record| self.shares_login(person, record);
        let team: Evidence<'_> = &|person, record| self.shares_team(person, record, 40);
        let small_team: Evidence<'_> = &|person, record| self.shares_team(person, record, 15);
        let date: Evidence<'_> = &|person, record| self.shares_date(person, record);
        let convention: Evidence<'_> = &|person, record| self.is_login_of_name(person, record);
        let both: Evidence<'_> = &|person, record| team(person, record) && date(person, record);
        let address: Evidence<'_> = &|person, record| self.shares_address(person, record);

        let mut evidence: Vec<Evidence<'_>> = vec![address, login];
        match likeness {
            Likeness::Full | Likeness::Part => evidence.extend([team, date, convention]),
            Likeness::GivenInitial => evidence.extend([both, small_team]),
            Likeness::Given => evidence.push(both),
            Likeness::None => {}
        }
        evidence.retain(|holds| holds(person, record));
        if evidence.is_empty() {
            return false;
        }
        let (people, records) = self.rivals(person, record, likeness, &own);
        evidence.iter().any(|holds| {
            !people.iter().any(|other| holds(*other, record))
                && !records.iter().any(|other| holds(person, *other))
        })
    }

    /// Other people whom the record resembles as much, and other live records that resemble the
    /// person as much.
    fn rivals(
        &self,
        person: usize,
        record: usize,
        likeness: Likeness,
        own: &HashSet<usize>,
    ) -> (Vec<usize>, Vec<usize>) {
        let facts = &self.people[person];
        let none = Vec::new();
        let (people, records): (Vec<usize>, Vec<usize>) = match likeness {
            Likeness::None => {
                let account = &self.records[record].account;
                let records = facts
                    .addresses
                    .iter()
                    .filter_map(|address| self.records_by_account.get(local(address)));
                (
                    self.by_local.get(account).unwrap_or(&none).clone(),
                    records.flatten().copied().collect(),
                )
            }
            Likeness::Full => (
                self.by_words.get(&facts.words).unwrap_or(&none).clone(),
                self.records_by_words.get(&facts.words).unwrap_or(&none).clone(),
            ),
            _ => (
                facts
                    .given
                    .iter()
                    .filter_map(|given| self.by_given.get(given))
                    .flatten()
                    .copied()
                    .collect(),
                facts
                    .given
                    .iter()
                    .filter_map(|given| self.records_by_word.get(given))
                    .flatten()
                    .copied()
                    .collect(),
            ),
        };
        let people = people
            .into_iter()
            .filter(|other| *other != person && self.likeness(*other, record) >= likeness);
        let records = records
            .into_iter()
            .filter(|other| !own.contains(other) && self.likeness(person, *other) >= likeness);
        (people.collect(), records.collect())
    }

    fn likeness(&self, person: usize, record: usize) -> Likeness {
        let (person, record) = (&self.people[person], &self.records[record]);
        if !record.words.is_empty() && record.words == person.words {
            return Likeness::Full;
        }
        let has_given = record.words.iter().any(|word| person.given.contains(word));
        if record.words.len() > 1 && has_given && record.words.iter().all(|word| person.words.contains(word))
        {
            return Likeness::Part;
        }
        let with_initial = |text: &str| {
            person
                .given
                .iter()
                .any(|given| text.strip_prefix(given.as_str()) == Some(person.family_initial.as_str()))
        };
        if record.words.first().is_some_and(|word| with_initial(word))
            || has_given && with_initial(&record.account)
        {
            return Likeness::GivenInitial;
        }
        if has_given {
            Likeness::Given
        } else {
            Likeness::None
        }
    }

    fn shares_address(&self, person: usize, record: usize) -> bool {
        let person = &self.people[person];
        self.records[record]
            .addresses
            .iter()
            .any(|address| person.addresses.contains(address))
    }

    fn shares_login(&self, person: usize, record: usize) -> bool {
        let (person, record) = (&self.people[person], &self.records[record]);
        let account = record.account.as_str();
        if person
            .number
            .as_deref()
            .is_some_and(|number| account.strip_prefix('e') == Some(number))
        {
            return true;
        }
        let is_cut = account.len() == 8 || account.len() == 20;
        let agrees = person.addresses.iter().any(|address| {
            let of_firm = record
                .firm
                .is_none_or(|(mail, _)| !address.contains('@') || address.ends_with(mail));
            let login = local(address);
            of_firm && (login == account || is_cut && login.starts_with(account))
        });
        agrees && account.len() > 3 && !person.given.iter().any(|given| *given == word(account))
    }

    /// Whether the account is what the person's own firm makes of the name: another one of the name
    /// would have another.
    fn is_login_of_name(&self, person: usize, record: usize) -> bool {
        let (person, record) = (&self.people[person], &self.records[record]);
        let Some((mail, rule)) = record.firm else {
            return false;
        };
        let last = person.family.rsplit(' ').next().unwrap_or_default();
        let makes = |family: &str| {
            let of_family =
                |given: &String| word(&rule.apply(given, &word(family), 0)) == word(&record.account);
            person.given.iter().any(of_family)
        };
        let is_of_firm = person.addresses.iter().any(|address| address.ends_with(mail));
        is_of_firm && (makes(&person.family) || makes(last))
    }

    /// Whether the teams agree, as those of at most so many per cent of all people do.
    fn shares_team(&self, person: usize, record: usize, most: usize) -> bool {
        let (person, record) = (&self.people[person], &self.records[record]);
        let size = self.team_sizes.get(&record.team).copied().unwrap_or_default();
        size * 100 <= self.people.len() * most
            && person
                .team
                .as_ref()
                .is_some_and(|team| agrees(team, &record.team))
    }

    /// Whether the record came soon after the person, when few others came.
    fn shares_date(&self, person: usize, record: usize) -> bool {
        let (Some(hired), Some(made)) = (self.people[person].created, self.records[record].created) else {
            return false;
        };
        let (from, to) = (made - 21 * DAY, made + 4 * DAY);
        let before = |time: i64| self.created.partition_point(|created| *created < time);
        let crowd = before(to) - before(from);
        (from..to).contains(&hired) && crowd <= (self.people.len() * 3 / 100).max(2)
    }
}

impl PersonFacts {
    fn new(person: &Person, team: &Option<String>, draft: &Draft) -> Self {
        let given = person.given_name.as_deref().unwrap_or_default();
        let family = person.family_name.as_deref().unwrap_or_default();
        let known = [
            Some(person.login.as_str()),
            person.email.as_deref(),
            person.second_email.as_deref(),
        ];
        let mut shown = words(given);
        shown.extend(person.other_names.nick.as_deref().map(words).unwrap_or_default());
        shown.sort_unstable();
        shown.dedup();
        Self {
            words: words(&format!("{given} {family}")),
            given: shown,
            family: family.to_owned(),
            family_initial: word(family).chars().take(1).collect(),
            addresses: known.into_iter().flatten().map(str::to_lowercase).collect(),
            team: team.clone(),
            created: draft.created,
            number: person.employee_number.clone(),
            is_role: ROLES.contains(&draft.class),
        }
    }
}

impl RecordFacts {
    fn new(employee: &Employee, team: &str, firms: &[Firm]) -> Self {
        let identifier = employee.identifier.to_lowercase();
        let (domain, account) = identifier.rsplit_once(['\\', '/']).unwrap_or(("", &identifier));
        let firm = firms.iter().find(|firm| firm.domain.eq_ignore_ascii_case(domain));
        let known = [employee.email.to_lowercase(), identifier.clone()];
        Self {
            words: words(&employee.name),
            addresses: known
                .into_iter()
                .filter(|address| address.contains('@'))
                .collect(),
            account: local(account).to_owned(),
            firm: firm.map(|firm| (firm.mail, firm.account)),
            team: team.to_owned(),
            created: employee.created_at,
            live: !employee.deactivated,
        }
    }
}
