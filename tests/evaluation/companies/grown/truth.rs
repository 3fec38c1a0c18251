//! Both services' lists at the end, and the truth that follows from the lives.

use std::collections::HashMap;

use jiff::Timestamp;
use okta_insightful_operator::model::{Employee, OktaStatus, OtherNames, Person, TeamId};

use super::{
    super::{Company, Truth},
    judge::{Judge, Owner, Pair},
    style::Way,
    world::{Account, AccountOf, RecordOf, World},
};

const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The records of an account, in use and older, by index.
#[derive(Clone, Default)]
struct Claim {
    in_use: Vec<usize>,
    old: Vec<usize>,
}

pub fn tell(mut world: World) -> Company {
    let claims = claims(&world);
    let mut teams: HashMap<String, TeamId> = HashMap::new();
    let mut employees = Vec::with_capacity(world.records.len());
    for index in 0..world.records.len() {
        let record = &world.records[index];
        let team = world.insightful_team(record.team);
        let rng = &mut world.rng;
        let id = teams
            .entry(team.clone())
            .or_insert_with(|| format!("w{}", letters(rng, 14, 36)).into());
        let employee = Employee {
            id: format!("w{}", letters(&mut world.rng, 14, 36)).into(),
            name: record.name.clone(),
            email: record.email.clone(),
            identifier: record.identifier.clone(),
            team: id.clone(),
            settings: None,
            deactivated: record.is_deactivated,
            created_at: Some(record.created),
        };
        employees.push((employee, team));
    }
    let present: Vec<usize> = (0..world.accounts.len())
        .filter(|&account| !world.accounts[account].is_deleted)
        .collect();
    let mut people = Vec::with_capacity(present.len());
    for &account in &present {
        let team = world.accounts[account]
            .team
            .and_then(|team| world.okta_team(team));
        let id = format!("00u{}", letters(&mut world.rng, 17, 62));
        people.push((person(id, &world.accounts[account]), team));
    }
    let truths = truths(&world, &claims, &present, &people, &employees);
    // Neither list is in the other's order.
    let mut company = Company {
        people,
        employees,
        truths,
    };
    world.rng.shuffle(&mut company.employees);
    company
}

fn letters(rng: &mut fastrand::Rng, length: usize, kinds: usize) -> String {
    (0..length)
        .map(|_| char::from(LETTERS[rng.usize(..kinds)]))
        .collect()
}

fn person(id: String, account: &Account) -> Person {
    let time = |milliseconds: i64| {
        Timestamp::from_millisecond(milliseconds)
            .ok()
            .map(|time| format!("{time:.3}"))
    };
    Person {
        id: id.into(),
        login: account.login.clone(),
        given_name: account.given.clone(),
        family_name: account.family.clone(),
        other_names: OtherNames {
            middle: account.middle.clone(),
            nick: account.nick.clone(),
            display: account.display.clone(),
        },
        email: account.email.clone(),
        second_email: account.second_email.clone(),
        title: account.title.clone(),
        employee_number: account.number.clone(),
        status: account.status.clone(),
        transitioning_to: None,
        created: time(account.created),
        last_updated: time(account.updated),
        attributes: Box::default(),
    }
}

/// Which account each record belongs to. What somebody used before they came back belongs to the account of that
/// time, if Okta still has it.
fn claims(world: &World) -> Vec<Claim> {
    let mut claims = vec![Claim::default(); world.accounts.len()];
    for human in &world.humans {
        let accounts: Vec<usize> = human
            .accounts
            .iter()
            .copied()
            .filter(|&account| !world.accounts[account].is_deleted)
            .collect();
        let Some((&last, earlier)) = accounts.split_last() else {
            continue;
        };
        let since = world.accounts[last].created;
        for &record in &human.records {
            let it = &world.records[record];
            match earlier.last() {
                _ if it.is_in_use => claims[last].in_use.push(record),
                Some(&before) if it.created < since => claims[before].in_use.push(record),
                _ => claims[last].old.push(record),
            }
        }
        if let Some(&before) = earlier.last() {
            // Of several records of that time, the last one was in use.
            let claim = &mut claims[before];
            claim.in_use.sort_by_key(|&record| world.records[record].created);
            let latest = claim.in_use.pop();
            claim.old.append(&mut claim.in_use);
            claim.in_use.extend(latest);
        }
    }
    for (index, record) in world.records.iter().enumerate() {
        if let RecordOf::Account(account) = record.of {
            claims[account].in_use.push(index);
        }
    }
    for claim in &mut claims {
        claim.in_use.sort_by_key(|&record| {
            let record = &world.records[record];
            (record.is_deactivated, -record.created)
        });
    }
    claims
}

fn truths(
    world: &World,
    claims: &[Claim],
    present: &[usize],
    people: &[(Person, Option<String>)],
    employees: &[(Employee, String)],
) -> Vec<Truth> {
    let owner_of_account = |account: usize| match world.accounts[account].of {
        AccountOf::Human(human) | AccountOf::Administrator(human) => Owner::Human(human),
        _ => Owner::Account(account),
    };
    let listed = present.iter().zip(people);
    let judge = Judge::new(
        listed.clone().map(|(&account, (person, _))| {
            (person, owner_of_account(account), world.accounts[account].created)
        }),
        world
            .records
            .iter()
            .zip(employees)
            .enumerate()
            .map(|(index, (record, (employee, _)))| {
                let owner = match record.of {
                    RecordOf::Human(human) => Owner::Human(human),
                    RecordOf::Account(account) => Owner::Account(account),
                    RecordOf::Nobody => Owner::Stray(index),
                };
                (employee, owner)
            }),
    );
    let recognised: HashMap<usize, bool> = listed
        .clone()
        .map(|(&account, (person, team))| {
            let human = match world.accounts[account].of {
                AccountOf::Human(human) => Some(&world.humans[human]),
                _ => None,
            };
            let is_listed = |account: &&usize| !world.accounts[**account].is_deleted;
            let accounts = human.map_or(1, |human| human.accounts.iter().filter(is_listed).count());
            let is_recognisable = claims[account].in_use.iter().any(|&record| {
                let (record, record_team) = &employees[record];
                let same_team = team
                    .as_ref()
                    .is_some_and(|team| team.eq_ignore_ascii_case(record_team));
                let created = world.accounts[account].created;
                let pair = Pair {
                    person,
                    record,
                    name: human.map(|human| &human.name),
                    is_only_account: accounts == 1,
                    same_team,
                    created,
                };
                judge.is_recognisable(&pair, owner_of_account(account))
            });
            (account, is_recognisable)
        })
        .collect();
    let is_clear = |owner: Owner| match owner {
        Owner::Human(human) => {
            let mut accounts = world.humans[human].accounts.iter();
            accounts.any(|account| recognised.get(account) == Some(&true))
        }
        Owner::Account(account) => recognised.get(&account) == Some(&true),
        Owner::Stray(_) => false,
    };
    let ids = |records: &[usize]| {
        records
            .iter()
            .map(|&record| employees[record].0.id.to_string())
            .collect()
    };
    listed
        .map(|(&account, (person, _))| {
            let claim = &claims[account];
            let owner = owner_of_account(account);
            let decidable = if claim.in_use.is_empty() {
                // The successor may be clear by another record than the one that bears this name.
                let gave_away = matches!(owner, Owner::Human(human) if world.humans[human].gave_record_away);
                let is_clear = |other| !gave_away && is_clear(other);
                claim.old.is_empty() && !judge.looks_taken(person, owner, is_clear)
            } else {
                recognised[&account]
            };
            Truth {
                person: person.id.to_string(),
                records: ids(&claim.in_use),
                old: ids(&claim.old),
                decidable,
                class: class(world, claim, account, &judge, person, owner),
            }
        })
        .collect()
}

/// The one thing that most explains how a person's records came to be as they are.
fn class(
    world: &World,
    claim: &Claim,
    account: usize,
    judge: &Judge,
    person: &Person,
    owner: Owner,
) -> &'static str {
    let it = &world.accounts[account];
    let human = match it.of {
        AccountOf::Human(human) => &world.humans[human],
        AccountOf::Administrator(_) => return "administrators_account",
        AccountOf::Mailbox => return "shared_mailbox",
        AccountOf::Service => return "service_account",
        AccountOf::Test => return "test_account",
    };
    if human.accounts.last() != Some(&account) {
        return "earlier_account";
    }
    let has_left = it.status == OktaStatus::Deprovisioned;
    let Some(&first) = claim.in_use.first() else {
        return match () {
            () if human.gave_record_away => "handed_away",
            () if !claim.old.is_empty() => "only_old_records",
            () if matches!(it.status, OktaStatus::Staged | OktaStatus::Provisioned) => "not_started",
            () if has_left => "left_without_record",
            () if judge.has_namesakes_record(person, owner) => "not_enrolled_namesake",
            () => "not_enrolled",
        };
    };
    let record = &world.records[first];
    let has_former_domain = human.email != record.email
        && world
            .style
            .units
            .iter()
            .flat_map(|unit| &unit.former)
            .any(|domain| record.email.ends_with(domain));
    match record.way {
        _ if record.was_handed_on => "handed_on",
        _ if has_left => "left",
        _ if human.returned => "returned",
        _ if human.changed_name => "name_changed",
        _ if human.was_external => "was_external",
        _ if claim.in_use.len() > 1 => "two_computers",
        _ if !claim.old.is_empty() => "new_computer",
        _ if has_former_domain => "former_domain",
        _ if judge.has_namesake(person, owner) => "namesake",
        Way::Invitation => "invited",
        Way::Import => "imported",
        Way::Connector => "connected",
        Way::Agent if record.has_raw_name && !record.name.contains('\\') && record.name.contains('-') => {
            "agent_machine"
        }
        Way::Agent if record.has_raw_name => "agent_account",
        Way::Agent if record.email.is_empty() => "agent_named",
        Way::Agent => "agent_corrected",
    }
}
