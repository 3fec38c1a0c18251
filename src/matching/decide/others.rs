//! Names the other records that the doubts about a pair are about.

use foldhash::HashMap;

use super::{Matcher, Unmatched};
use crate::{
    matching::{
        doubts::Doubt,
        numbering::Mail,
        proposal::{MAX_CANDIDATES, Reason},
        record_features::{EmployeeFeatures, PersonFeatures},
    },
    model::text,
};

/// Employees by the keys of [`text`]: what people compare, without the tolerance of matching.
#[derive(Default)]
pub(super) struct ByText {
    emails: HashMap<String, Vec<u32>>,
    names: HashMap<String, Vec<u32>>,
}

/// Addresses with those who have them, sorted.
pub(super) struct Holders(Vec<(u32, u32)>);

impl Holders {
    fn of<M: Iterator<Item = Mail>>(mails: impl Iterator<Item = M>) -> Self {
        let numbered = (0_u32..).zip(mails);
        let mut held: Vec<_> = numbered
            .flat_map(|(at, mails)| mails.map(move |mail| (mail.id, at)))
            .collect();
        held.sort_unstable();
        Self(held)
    }

    /// The first one who has one of the addresses, other than `own`.
    fn other(&self, addresses: &[u32], own: Option<u32>) -> Option<u32> {
        let of_address = |address: &u32| {
            let start = self.0.partition_point(|(held, _)| held < address);
            let holders = self.0[start..]
                .iter()
                .take_while(move |(held, _)| held == address);
            holders.map(|(_, at)| *at).find(|at| Some(*at) != own)
        };
        addresses.iter().filter_map(of_address).min()
    }
}

impl ByText {
    fn of(employees: &[EmployeeFeatures<'_>]) -> Self {
        let mut by_text = Self::default();
        for (at, employee) in (0_u32..).zip(employees) {
            let employee = employee.record.employee;
            let email = by_text.emails.entry(text::email_key(&employee.email));
            email.or_default().push(at);
            let name = by_text.names.entry(text::name_key(&employee.name));
            name.or_default().push(at);
        }
        by_text
    }
}

impl Matcher<'_> {
    /// Names the other record that a doubt about a pair is about.
    pub(super) fn other_record(
        &self,
        at: u32,
        employee: Option<u32>,
        runner_up: Option<u32>,
        doubt: Doubt,
    ) -> Option<String> {
        let person = |at: u32| self.features.people[at as usize].record.person.named();
        let named = |employee: u32| self.features.employees[employee as usize].record.employee.named();
        let (own, theirs) = self.pair(at, employee?);
        let is_own = |id: u32| own.mails().any(|mail| mail.id == id);
        let is_theirs = |id: u32| theirs.mails().any(|mail| mail.id == id);
        // Another person with an address of the employee; another employee with one of the person.
        let [people, employees] = self.holders.get_or_init(|| {
            [
                Holders::of(self.features.people.iter().map(PersonFeatures::mails)),
                Holders::of(self.features.employees.iter().map(EmployeeFeatures::mails)),
            ]
        });
        let other_person = |is_shared: bool| {
            let wanted = |mail: &Mail| is_own(mail.id) == is_shared;
            let addresses: Vec<u32> = theirs.mails().filter(wanted).map(|mail| mail.id).collect();
            people.other(&addresses, Some(at)).map(person)
        };
        let other_employee = |is_shared: bool| {
            let wanted = |mail: &Mail| is_theirs(mail.id) == is_shared;
            let addresses: Vec<u32> = own.mails().filter(wanted).map(|mail| mail.id).collect();
            employees.other(&addresses, employee).map(named)
        };
        match doubt {
            Doubt::AddressOfAnotherPerson => other_person(false),
            Doubt::AddressOfAnotherEmployee => other_employee(false),
            Doubt::SharedByPeople => other_person(true),
            Doubt::SharedByEmployees => other_employee(true),
            Doubt::RunnerUpEmployee => runner_up.map(named),
            Doubt::RunnerUpPerson(other) | Doubt::CloserPerson(other) | Doubt::MayBeCurrentPerson(other) => {
                Some(person(other))
            }
            _ => None,
        }
    }

    /// Why no employee is proposed to a person: none has their email or name, or those that have are somebody
    /// else's.
    pub(super) fn doubts_of_nobody(&self, at: u32, unmatched: &Unmatched) -> Vec<Reason> {
        let person = self.features.people[at as usize].record.person;
        let by_text = self.by_text.get_or_init(|| ByText::of(&self.features.employees));
        let with = |keys: &HashMap<String, Vec<u32>>, key: Option<String>| {
            let key = key.filter(|key| !key.is_empty());
            key.and_then(|key| keys.get(&key).cloned()).unwrap_or_default()
        };
        let same_email = with(&by_text.emails, person.email.as_deref().map(text::email_key));
        let same_name = with(&by_text.names, person.full_name().as_deref().map(text::name_key));
        let only_name = same_name.iter().filter(|employee| !same_email.contains(employee));
        let found: Vec<Reason> = same_email
            .iter()
            .map(|employee| (*employee, "email"))
            .chain(only_name.map(|employee| (*employee, "name")))
            .take(MAX_CANDIDATES)
            .map(|(employee, what)| {
                let features = &self.features.employees[employee as usize];
                let named = features.record.employee.named();
                let named_person = |at: &u32| self.features.people[*at as usize].record.person.named();
                let why = if self.rejected.contains(&(at, employee)) {
                    "is rejected for this person".to_owned()
                } else if let Some(other) = unmatched.proposed_for.get(&employee) {
                    format!("is proposed for {}", named_person(other))
                } else if features.bound_to.is_some_and(|bound| *bound != person.id) {
                    "is matched with another person".to_owned()
                } else {
                    "is not likely to be this person".to_owned()
                };
                format!("{named} has this {what}, but {why}").into()
            })
            .collect();
        if found.is_empty() {
            vec!["no employee has this email or name".into()]
        } else {
            found
        }
    }
}
