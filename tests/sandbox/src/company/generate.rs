//! Generated companies of any size.

use std::collections::HashMap;

use fastrand::Rng;

use super::acme::{resolve, settings_id, team_id};
use super::names::{DEPARTMENTS, FAMILY, GIVEN, PLACES, TITLES, ascii};
use super::records::{self, Employee, User, insightful_id, okta_id};
use super::{Company, GROUP_PREFIX};

const UPDATED: &str = "2025-03-03T09:30:00.000Z";
const CREATED: i64 = 1_677_661_200_000;
const DEACTIVATED: i64 = 1_717_232_400_000;

/// The share of people with an employee of the same name and email, and with one team group.
const EXACT: f64 = 0.95;

/// The cases of the other people, equally likely.
#[derive(Clone, Copy)]
enum Case {
    Nickname,
    MarriedName,
    ChangedDomain,
    OldEmail,
    LastFirst,
    AsciiName,
    TwoTeamGroups,
    NoTeamGroup,
    Suspended,
    Leaver,
    LeaverLongGone,
    LeaverUnknown,
    Staged,
    Newcomer,
    TwoDevices,
    Contractor,
}

const CASES: [Case; 16] = [
    Case::Nickname,
    Case::MarriedName,
    Case::ChangedDomain,
    Case::OldEmail,
    Case::LastFirst,
    Case::AsciiName,
    Case::TwoTeamGroups,
    Case::NoTeamGroup,
    Case::Suspended,
    Case::Leaver,
    Case::LeaverLongGone,
    Case::LeaverUnknown,
    Case::Staged,
    Case::Newcomer,
    Case::TwoDevices,
    Case::Contractor,
];

struct Team {
    name: String,
    group: String,
    /// Whether Insightful has a team of this name.
    exists: bool,
}

struct Generator {
    random: Rng,
    company: Company,
    teams: Vec<Team>,
    everyone: String,
    /// The number of people with each `given.family`.
    namesakes: HashMap<String, u32>,
}

/// The default average size of a team.
const TEAM: usize = 50;

/// The default maximum number of teams.
const MAX_TEAMS: usize = 1000;

pub(super) fn company(people: usize, seed: u64) -> Company {
    company_of(people, (people / TEAM).clamp(5, MAX_TEAMS), seed)
}

pub(super) fn company_of(people: usize, teams: usize, seed: u64) -> Company {
    let mut generator = Generator {
        random: Rng::with_seed(seed),
        company: Company::default(),
        teams: Vec::new(),
        everyone: okta_id("00g", "Everyone"),
        namesakes: HashMap::new(),
    };
    generator.add_teams(teams);
    for _ in 0..people {
        generator.add_person();
    }
    resolve(&mut generator.company);
    generator.company
}

impl Generator {
    fn add_teams(&mut self, count: usize) {
        let company = &mut self.company;
        for name in ["Default", "Onboarding"] {
            company
                .teams
                .push(records::team(&team_id(name), name, name == "Default"));
        }
        company
            .shared_settings
            .push(records::shared_settings(&settings_id("Default"), "Default", true));
        company
            .groups
            .push(records::group(&self.everyone, "Everyone", "BUILT_IN", UPDATED));
        company.members.insert(self.everyone.clone(), Vec::new());

        let plain = DEPARTMENTS.iter().map(ToString::to_string);
        let local = PLACES
            .iter()
            .flat_map(|place| DEPARTMENTS.iter().map(move |name| format!("{name} {place}")));
        // A place with more than one team of a department numbers them.
        let more = (2..).flat_map(|number| {
            PLACES.iter().flat_map(move |place| {
                DEPARTMENTS
                    .iter()
                    .map(move |name| format!("{name} {place} {number}"))
            })
        });
        for (number, name) in plain.chain(local).chain(more).take(count).enumerate() {
            let full = format!("{GROUP_PREFIX}{name}");
            let group = okta_id("00g", &full);
            company
                .groups
                .push(records::group(&group, &full, "OKTA_GROUP", UPDATED));
            company.members.insert(group.clone(), Vec::new());
            // Every fifth team is new.
            let exists = number % 5 != 4;
            if exists {
                company.teams.push(records::team(&team_id(&name), &name, false));
            }
            self.teams.push(Team { name, group, exists });
        }
    }

    /// A random team's index; the first teams are much larger than the last.
    fn any_team(&mut self) -> usize {
        // Enough steps that even the smallest team is chosen.
        let steps = 1000 * self.teams.len().div_ceil(300);
        let share = self.random.usize(..steps);
        // By the cube, the largest of 100 teams gets a fifth of the people.
        share.pow(3) * self.teams.len() / steps.pow(3)
    }

    fn add_person(&mut self) {
        let (given, nickname) = GIVEN[self.random.usize(..GIVEN.len())];
        let family = FAMILY[self.random.usize(..FAMILY.len())];
        let handle = self.handle(given, family);
        let email = format!("{handle}@acme.com");
        let case = (self.random.f64() >= EXACT).then(|| CASES[self.random.usize(..CASES.len())]);
        let full = format!("{given} {family}");

        if let Some(Case::Contractor) = case {
            // An employee without a person in Okta, in addition to the person's own employee.
            let name = format!("{given} {}", FAMILY[self.random.usize(..FAMILY.len())]);
            let email = format!("{handle}@contractors.example");
            self.add_employee(&format!("{handle}.contractor"), &name, &email, "Default", 0);
        }

        let status = match case {
            Some(Case::Suspended) => "SUSPENDED",
            Some(Case::Leaver | Case::LeaverLongGone | Case::LeaverUnknown) => "DEPROVISIONED",
            Some(Case::Staged) => "STAGED",
            _ => "ACTIVE",
        };
        let id = okta_id("00u", &handle);
        let title = (self.random.f64() < 0.9).then(|| TITLES[self.random.usize(..TITLES.len())]);
        self.company.users.push(records::user(&User {
            id: id.clone(),
            login: email.clone(),
            given,
            family,
            email: Some(&email),
            title,
            status,
            updated: UPDATED,
        }));

        let first = self.any_team();
        let mut groups = vec![self.everyone.clone()];
        if !matches!(case, Some(Case::NoTeamGroup)) {
            groups.push(self.teams[first].group.clone());
        }
        if let Some(Case::TwoTeamGroups) = case {
            let second = (first + 1 + self.random.usize(..self.teams.len() - 1)) % self.teams.len();
            groups.push(self.teams[second].group.clone());
        }
        for group in groups {
            self.company.members.entry(group).or_default().push(id.clone());
        }

        let team = &self.teams[first];
        let team = if team.exists {
            team.name.clone()
        } else {
            "Default".to_owned()
        };
        let name = match case {
            Some(Case::Nickname) if !nickname.is_empty() => format!("{nickname} {family}"),
            Some(Case::MarriedName) => format!("{given} {}", FAMILY[self.random.usize(..FAMILY.len())]),
            Some(Case::LastFirst) => format!("{family}, {given}"),
            Some(Case::AsciiName) => format!("{} {}", capital(&ascii(given)), capital(&ascii(family))),
            _ => full.clone(),
        };
        let address = match case {
            Some(Case::MarriedName | Case::ChangedDomain) => format!("{handle}@oldacme.io"),
            Some(Case::Nickname | Case::OldEmail | Case::LastFirst) => {
                // The hash of the handle makes the short addresses of namesakes different.
                format!("{}{}@oldacme.io", ascii(family), &insightful_id(&handle)[1..5])
            }
            _ => email.clone(),
        };
        match case {
            Some(Case::LeaverUnknown | Case::Staged | Case::Newcomer) => {}
            Some(Case::LeaverLongGone) => self.add_employee(&handle, &name, &address, &team, DEACTIVATED),
            _ => self.add_employee(&handle, &name, &address, &team, 0),
        }
        if let Some(Case::TwoDevices) = case {
            let second = format!("{handle}@oldacme.io");
            self.add_employee(&format!("{handle}.laptop"), &full, &second, "Default", 0);
        }
    }

    /// The local part of the login: `given.family`, followed by a number for the second namesake and later ones.
    fn handle(&mut self, given: &str, family: &str) -> String {
        let plain = format!("{}.{}", ascii(given), ascii(family));
        let count = self.namesakes.entry(plain.clone()).or_default();
        *count += 1;
        if *count == 1 {
            plain
        } else {
            format!("{plain}{count}")
        }
    }

    fn add_employee(&mut self, handle: &str, name: &str, email: &str, team: &str, deactivated: i64) {
        self.company.employees.push(records::employee(&Employee {
            id: &insightful_id(&format!("employee {handle}")),
            name,
            email: Some(email),
            team: &team_id(team),
            shared_settings: &settings_id("Default"),
            deactivated,
            created: CREATED,
        }));
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
