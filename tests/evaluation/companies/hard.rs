//! The generator of the sandbox as a family of companies.

use okta_insightful_operator::model::{Employee, OktaStatus, OtherNames, Person};
use sandbox::hard_directories::{self, Class, Directory, Style};

use super::{Company, Truth};

/// Generates the directories of a seed in the style of that seed.
pub fn generate(seed: u64, size: usize) -> Company {
    of(hard_directories::generate(&Style::from_seed(seed), size, seed))
}

pub fn of(directory: Directory) -> Company {
    let people = directory
        .users
        .into_iter()
        .map(|user| {
            let person = Person {
                id: user.id.into(),
                login: user.login,
                given_name: user.first_name,
                family_name: user.last_name,
                other_names: OtherNames {
                    nick: user.nick_name,
                    ..OtherNames::default()
                },
                email: user.email,
                second_email: user.second_email,
                title: user.title,
                employee_number: user.employee_number,
                status: OktaStatus::from(user.status),
                transitioning_to: None,
                created: Some(user.created),
                last_updated: Some(user.last_updated),
                attributes: Box::default(),
            };
            (person, user.team)
        })
        .collect();
    let employees = directory
        .records
        .into_iter()
        .map(|record| {
            let employee = Employee {
                id: record.id.into(),
                name: record.name,
                email: record.email,
                identifier: record.identifier,
                team: hard_directories::team_id(&record.team).into(),
                settings: None,
                deactivated: record.deactivated > 0,
                created_at: Some(record.created_at),
            };
            (employee, record.team)
        })
        .collect();
    let truths = directory.truths.into_iter().map(|truth| {
        let mut records = truth.records.into_iter();
        Truth {
            person: truth.user,
            records: records.next().into_iter().collect(),
            old: records.collect(),
            decidable: truth.decidable,
            class: name(truth.class),
        }
    });
    Company {
        people,
        employees,
        truths: truths.collect(),
    }
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Plain => "Plain",
        Class::Format => "Format",
        Class::Nickname => "Nickname",
        Class::Initials => "Initials",
        Class::ChangedDomain => "ChangedDomain",
        Class::ChangedEmail => "ChangedEmail",
        Class::Typo => "Typo",
        Class::Married => "Married",
        Class::DeviceMade => "DeviceMade",
        Class::Unidentifiable => "Unidentifiable",
        Class::OtherEmail => "OtherEmail",
        Class::MissingFields => "MissingFields",
        Class::SharedMailbox => "SharedMailbox",
        Class::ReusedAddress => "ReusedAddress",
        Class::LostAddress => "LostAddress",
        Class::FatherSon => "FatherSon",
        Class::Twins => "Twins",
        Class::OldRecord => "OldRecord",
        Class::Namesake => "Namesake",
        Class::Leaver => "Leaver",
    }
}
