//! Parses each record by itself, on all cores, before its strings are numbered.

use super::{
    addresses::{Address, account, is_unidentifying, login_domain, squeezed},
    folding::{decoded, fold, is_of_other_script},
    lexicon::Lexicon,
    names::{EmployeeName, PersonName, marked_forms},
    numbering::Numbering,
    record_features::{Circumstances, EmployeeFeatures, PersonFeatures},
    records::{EmployeeRecord, PersonRecord},
};
use crate::model::PersonId;

pub(super) struct PersonText {
    name: PersonName<String>,
    /// The name that the address spells out, if the name is in a script that is not romanized.
    email_name: Option<PersonName<String>>,
    marked_forms: Vec<(String, String)>,
    other_script: bool,
    email: Option<Address>,
    login: Option<Address>,
    secondary: Option<Address>,
    team: Option<String>,
    day: Option<i32>,
}

impl PersonText {
    pub(super) fn of(record: &PersonRecord<'_>) -> Self {
        let person = record.person;
        let email = person.email.as_deref().and_then(Address::parse);
        // Mostly the two are equal, and parsing is slow.
        let login = if person.email.as_ref() == Some(&person.login) {
            email.clone()
        } else {
            Address::parse(&person.login)
        };
        let local = email
            .as_ref()
            .or(login.as_ref())
            .filter(|address| !address.role)
            .map(|address| address.local.as_str());
        let [given, family] = [&person.given_name, &person.family_name]
            .map(|name| decoded(name.as_deref().unwrap_or_default()));
        let name = PersonName::parse(
            &given,
            &family,
            local.or((login.is_none()).then_some(person.login.as_str())),
        )
        .with(&person.other_names);
        let email_name = name
            .is_unromanized()
            .then(|| PersonName::parse("", "", local))
            .filter(|name| name.from_address);
        Self {
            name,
            email_name,
            marked_forms: [&given, &family]
                .into_iter()
                .flat_map(|text| marked_forms(text))
                .collect(),
            other_script: given.chars().any(is_of_other_script),
            secondary: person.second_email.as_deref().and_then(Address::parse),
            email,
            login,
            team: record.team.map(team),
            day: person.created.as_deref().and_then(day),
        }
    }

    pub(super) fn numbered<'a>(
        self,
        numbering: &mut Numbering,
        lexicon: &mut Lexicon,
        record: PersonRecord<'a>,
        in_scope: bool,
        is_bound: bool,
    ) -> PersonFeatures<'a> {
        for (with, without) in &self.marked_forms {
            lexicon.add_marked_form(with, without);
        }
        let mut mail = |address: Option<Address>| address.map(|address| numbering.mail(&address));
        let (email, login, secondary) = (mail(self.email), mail(self.login), mail(self.secondary));
        PersonFeatures {
            record,
            in_scope,
            name: self.name.numbered(lexicon),
            email_name: self.email_name.map(|name| Box::new(name.numbered(lexicon))),
            other_script: self.other_script,
            email,
            login,
            secondary,
            accounts: Vec::new(),
            circumstances: Circumstances {
                team: numbering.team(self.team.as_deref()),
                day: self.day,
            },
            is_second_account: false,
            is_bound,
        }
    }
}

pub(super) struct EmployeeText {
    name: EmployeeName<String>,
    marked_forms: Vec<(String, String)>,
    address_name: Option<EmployeeName<String>>,
    account: Option<String>,
    /// The account in an identifier that a device made up: `ACME\\jdoe`, `jdoe@laptop`.
    login: Option<String>,
    /// The domain or computer before the login.
    login_domain: Option<String>,
    email: Option<Address>,
    identifier: Option<Address>,
    team: Option<String>,
}

impl EmployeeText {
    pub(super) fn of(record: &EmployeeRecord<'_>) -> Self {
        let employee = record.employee;
        let email = Address::parse(&employee.email);
        let identifier = Address::parse(&employee.identifier).filter(|first| Some(first) != email.as_ref());
        let written = decoded(&employee.name);
        let named = account(&written);
        let is_named_like_account = named.is_some();
        let login = account(&employee.identifier).filter(|login| {
            identifier.is_none() && Address::parse(&employee.identifier).is_none() && !is_unidentifying(login)
        });
        // A device's record may have the account name only in its identifier.
        let account = named
            .filter(|account| !is_unidentifying(account))
            .or_else(|| login.clone().filter(|_| email.is_none() && is_named_like_account));
        let address_name = email
            .iter()
            .chain(&identifier)
            .filter(|address| !address.role)
            .find_map(|address| EmployeeName::from_local_part(&address.local));
        let mut name = match &account {
            Some(account) => EmployeeName::parse(account),
            None if is_named_like_account => EmployeeName::default(),
            None => EmployeeName::parse(&written),
        };
        if name.words.is_empty()
            && account
                .as_ref()
                .is_none_or(|account| !account.contains(['.', '_', '-']))
            && let Some(address_name) = &address_name
        {
            name = address_name.clone();
        }
        Self {
            name,
            marked_forms: marked_forms(&written),
            address_name,
            account: account.as_deref().map(squeezed),
            login: login.as_deref().map(squeezed),
            login_domain: login.and_then(|_| login_domain(&employee.identifier)),
            email,
            identifier,
            team: record.team.map(team),
        }
    }

    pub(super) fn numbered<'a>(
        self,
        numbering: &mut Numbering,
        lexicon: &mut Lexicon,
        record: EmployeeRecord<'a>,
        bound_to: Option<&'a PersonId>,
    ) -> EmployeeFeatures<'a> {
        for (with, without) in &self.marked_forms {
            lexicon.add_marked_form(with, without);
        }
        let email = self.email.map(|address| numbering.mail(&address));
        let name = self.name.numbered(lexicon);
        let account = self.account.map(|account| numbering.account(&account));
        let login = self.login.map(|login| numbering.account(&login));
        let login_domain = self.login_domain.map(|domain| numbering.domains.id(&domain));
        EmployeeFeatures {
            record,
            unidentifiable: name.words.is_empty() && account.is_none() && email.is_none_or(|mail| mail.role),
            deactivated: record.employee.deactivated,
            name,
            address_name: self.address_name.map(|name| Box::new(name.numbered(lexicon))),
            account,
            login,
            login_domain,
            email,
            identifier: self.identifier.map(|address| numbering.mail(&address)),
            circumstances: Circumstances {
                team: numbering.team(self.team.as_deref()),
                day: record.employee.created_at.and_then(day_of),
            },
            bound_to,
        }
    }
}

fn team(name: &str) -> String {
    fold(name.trim())
}

/// The day of an RFC 3339 date, in days since 1970.
fn day(text: &str) -> Option<i32> {
    let time: jiff::Timestamp = text.parse().ok()?;
    day_of(time.as_millisecond())
}

/// The day of a time in milliseconds since 1970.
fn day_of(millis: i64) -> Option<i32> {
    i32::try_from(millis.div_euclid(86_400_000)).ok()
}
