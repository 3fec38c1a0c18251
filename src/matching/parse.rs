//! What is read of one record without looking at any other: on all cores, before
//! its strings are numbered.

use super::{
    EmployeeRecord, PersonRecord,
    addresses::{Address, account, is_nobody, squeezed},
    features::{Circumstances, EmployeeFeatures, Numbers, PersonFeatures},
    folding::fold,
    lexicon::Lexicon,
    names::{EmployeeName, PersonName, marked},
};
use crate::model::PersonId;

/// A person's record.
pub(super) struct PersonText {
    name: PersonName<String>,
    /// What the address spells, where the name is in a script that is not read.
    spelt: Option<PersonName<String>>,
    /// Words written with a mark: with two letters for it, and without.
    marked: Vec<(String, String)>,
    other_script: bool,
    email: Option<Address>,
    login: Option<Address>,
    second: Option<Address>,
    team: Option<String>,
    day: Option<i32>,
}

impl PersonText {
    pub(super) fn of(subject: &PersonRecord<'_>) -> Self {
        let record = subject.person;
        let email = record.email.as_deref().and_then(Address::parse);
        // Mostly the two are one.
        let login = if record.email.as_ref() == Some(&record.login) {
            email.clone()
        } else {
            Address::parse(&record.login)
        };
        let second = record.second_email.as_deref().and_then(Address::parse);
        let spelling = email.as_ref().or(login.as_ref()).filter(|address| !address.role);
        let local = spelling.map(|address| address.local.as_str());
        let name = PersonName::parse(
            record.given_name.as_deref().unwrap_or_default(),
            record.family_name.as_deref().unwrap_or_default(),
            local.or((login.is_none()).then_some(record.login.as_str())),
        )
        .with(&record.other_names);
        let fields = [&record.given_name, &record.family_name];
        let spelt = name
            .is_unread()
            .then(|| PersonName::parse("", "", local))
            .filter(|spelt| spelt.from_address);
        Self {
            name,
            spelt,
            marked: fields
                .into_iter()
                .flatten()
                .flat_map(|text| marked(text))
                .collect(),
            other_script: record
                .given_name
                .iter()
                .flat_map(|name| name.chars())
                .any(is_of_other_script),
            email,
            login,
            second,
            team: subject.team.map(team),
            day: record.created.as_deref().and_then(day),
        }
    }

    pub(super) fn numbered<'a>(
        self,
        numbers: &mut Numbers,
        lexicon: &mut Lexicon,
        subject: PersonRecord<'a>,
        holds: bool,
    ) -> PersonFeatures<'a> {
        for (with, without) in &self.marked {
            lexicon.mark(with, without);
        }
        // Employees are in the lexicon already: if none is written in this
        // script, the address is all that can be compared.
        let name = match self.spelt {
            Some(spelt) if !self.name.is_known(lexicon) => spelt,
            _ => self.name,
        };
        let mut mail = |address: Option<Address>| address.map(|address| numbers.mail(&address));
        let (email, login, second) = (mail(self.email), mail(self.login), mail(self.second));
        PersonFeatures {
            subject,
            asked: true,
            name: name.numbered(lexicon),
            other_script: self.other_script,
            email,
            login,
            second,
            accounts: Vec::new(),
            circumstances: Circumstances {
                team: numbers.team(self.team.as_deref()),
                day: self.day,
            },
            holds,
        }
    }
}

/// An employee's record.
pub(super) struct EmployeeText {
    name: EmployeeName<String>,
    /// Words written with a mark: with two letters for it, and without.
    marked: Vec<(String, String)>,
    spelt: Option<EmployeeName<String>>,
    account: Option<String>,
    email: Option<Address>,
    identifier: Option<Address>,
    team: Option<String>,
}

impl EmployeeText {
    pub(super) fn of(object: &EmployeeRecord<'_>) -> Self {
        let record = object.employee;
        let email = Address::parse(&record.email);
        let identifier = Address::parse(&record.identifier).filter(|first| Some(first) != email.as_ref());
        let named = account(&record.name);
        let looks_like_account = named.is_some();
        // A device's record may have the account name as its identifier only.
        let account = named
            .filter(|account| !is_nobody(account))
            .or_else(|| {
                (email.is_none() && identifier.is_none() && looks_like_account)
                    .then(|| account(&record.identifier))
                    .flatten()
            })
            .filter(|account| !is_nobody(account));
        let spelt = email
            .iter()
            .chain(&identifier)
            .filter(|address| !address.role)
            .find_map(|address| EmployeeName::spelt_by(&address.local));
        let mut name = match &account {
            Some(account) => EmployeeName::parse(account),
            None if looks_like_account => EmployeeName::default(),
            None => EmployeeName::parse(&record.name),
        };
        if name.words.is_empty()
            && account
                .as_ref()
                .is_none_or(|account| !account.contains(['.', '_', '-']))
            && let Some(spelt) = &spelt
        {
            name = spelt.clone();
        }
        Self {
            name,
            marked: marked(&record.name),
            spelt,
            account: account.as_deref().map(squeezed),
            email,
            identifier,
            team: object.team.map(team),
        }
    }

    pub(super) fn numbered<'a>(
        self,
        numbers: &mut Numbers,
        lexicon: &mut Lexicon,
        object: EmployeeRecord<'a>,
        holder: Option<&'a PersonId>,
    ) -> EmployeeFeatures<'a> {
        for (with, without) in &self.marked {
            lexicon.mark(with, without);
        }
        let email = self.email.map(|address| numbers.mail(&address));
        let name = self.name.numbered(lexicon);
        let account = self.account.map(|account| numbers.account(&account));
        EmployeeFeatures {
            object,
            nobody: name.words.is_empty() && account.is_none() && email.is_none_or(|mail| mail.role),
            deactivated: object.employee.deactivated,
            name,
            spelt: self.spelt.map(|spelt| Box::new(spelt.numbered(lexicon))),
            account,
            email,
            identifier: self.identifier.map(|address| numbers.mail(&address)),
            circumstances: Circumstances {
                team: numbers.team(self.team.as_deref()),
                day: object.employee.created_at.and_then(day_of),
            },
            holder,
        }
    }
}

fn team(name: &str) -> String {
    fold(name.trim())
}

fn is_of_other_script(letter: char) -> bool {
    letter > '\u{24f}' && letter.is_alphabetic() && !('\u{1e00}'..='\u{1eff}').contains(&letter)
}

/// Whole days since 1970 of an RFC 3339 date.
fn day(text: &str) -> Option<i32> {
    let time: jiff::Timestamp = text.parse().ok()?;
    day_of(time.as_millisecond())
}

/// Whole days of milliseconds since 1970; None where nobody lives to see it.
fn day_of(millis: i64) -> Option<i32> {
    i32::try_from(millis.div_euclid(86_400_000)).ok()
}
