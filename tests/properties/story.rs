//! Random stories: a small company, its integration's policies, and a sequence of events. Names, emails and
//! teams are few, so that they collide.

use okta_insightful_operator::{
    api::{
        Approval, Decision, ExclusionRule, OktaIntegrationSpec, OnUnmatch, PeopleScope, SuspendedPolicy,
        UnmatchedPolicy,
    },
    model::{Attribute, Employee, OktaStatus, OtherNames, Person, Team},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const GIVEN: [&str; 3] = ["Ann", "Bob", "Cid"];
const FAMILY: [&str; 2] = ["Doe", "Roe"];
const ADDRESSES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// The attribute by which people are excluded, if a rule says so.
pub const AGENCY: &str = "agency";
const TITLES: [&str; 2] = ["Engineer", "Manager"];

/// Names of team groups without the prefix; the first one is there twice.
pub const GROUPS: [&str; 4] = ["Sales", "Support", "Legal", "Sales"];

/// Teams that Insightful has from the start and that no group stands for. A manual edit in Insightful moves
/// an employee to one of these.
pub const OTHER_TEAMS: [&str; 3] = ["Default", "Lounge", "Attic"];

/// A company on the day of the installation, and the events after it.
#[derive(Clone, Debug)]
pub struct Story {
    pub spec: OktaIntegrationSpec,
    pub people: Vec<(Person, Membership)>,
    pub employees: Vec<Employee>,
    /// Insightful's teams that groups stand for.
    pub teams: Vec<Team>,
    /// Whether Insightful stores names in capitals.
    pub capitals: bool,
    pub happenings: Vec<Happening>,
}

/// The [`GROUPS`] of a person.
pub type Membership = Vec<usize>;

/// An event. An employee's number is taken modulo the number of employees.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Okta's record of a person is replaced.
    Okta(usize, Box<Person>, Membership),
    /// One part of a person's record in Okta is replaced.
    Edit(usize, OktaEdit, Box<Person>, Membership),
    /// Okta's response lacks a person.
    Vanishes(usize),
    /// A person is deleted in Okta, which says so if it is asked by id.
    IsDeleted(usize),
    /// A person's account is deactivated, and they get a new one with the same name and email.
    Returns(usize),
    /// Every account has another id: it is another org with people of the same names.
    OtherOrg,
    /// Every employee and team has another id: it is another organisation.
    OtherOrganization,
    /// An employee moves to another computer as the vendor says: the former record keeps the email and is
    /// deactivated, and a new one has the name alone.
    MovesComputer(usize),
    /// Somebody removes an employee from Insightful.
    IsRemoved(usize),
    /// An EmployeeMatch, and the decision in it, is deleted while nobody looks.
    MatchIsDeleted(usize),
    /// Somebody saves all objects of the cluster.
    Backup,
    /// The objects are created again from what was saved, without their statuses.
    RestoresBackup,
    /// An admin decides about a person.
    Decide(usize, Decided),
    /// Somebody edits an employee in Insightful.
    Foreign(usize, ForeignEdit),
    /// The rule that excludes people of agencies is set or removed.
    Excludes(bool),
    /// A cycle; the process crashes after this many steps of its apply, if any.
    Cycle(Option<usize>),
}

/// A decision, with employees by number.
#[derive(Clone, Debug)]
pub struct Decided {
    pub decision: Decision,
    pub employees: Vec<usize>,
    pub rejected: Vec<usize>,
}

/// The part of a person's record that is replaced.
#[derive(Clone, Copy, Debug)]
pub enum OktaEdit {
    Name,
    Email,
    Title,
    Groups,
    Agency,
}

/// A manual edit of an employee in Insightful. New names and emails are unique.
#[derive(Clone, Copy, Debug)]
pub enum ForeignEdit {
    Name,
    Email,
    NoEmail,
    Team(usize),
    Deactivate,
    /// The employee gets a person's name and email: the computer was handed on.
    HandOn(usize),
}

/// Any story. It ends with events that no cycle has seen yet.
pub fn story() -> impl Strategy<Value = Story> {
    let people = vec((person(), membership(), prop::bool::weighted(0.6)), 2..5);
    let happenings = (vec(happening(), 4..24), vec(change(), 1..4));
    let capitals = prop::bool::weighted(0.2);
    (spec(), people, employees(), teams(), capitals, happenings).prop_map(
        |(spec, people, employees, teams, capitals, (mut happenings, last))| {
            let people = people
                .into_iter()
                .enumerate()
                .map(|(n, (mut person, groups, known))| {
                    named(&mut person, n);
                    // Most people are easily found among the employees.
                    if let Some(employee) = employees.get(n).filter(|_| known) {
                        let (given, family) = employee.name.split_once(' ').unwrap();
                        person.given_name = Some(given.to_owned());
                        person.family_name = Some(family.to_owned());
                        person.email = Some(employee.email.clone()).filter(|email| !email.is_empty());
                    }
                    (person, groups)
                });
            let people = people.collect();
            happenings.extend(last);
            Story {
                spec,
                people,
                employees,
                teams,
                capitals,
                happenings,
            }
        },
    )
}

/// Sets the identity of a generated record to that of the person with this number.
pub fn named(person: &mut Person, number: usize) {
    person.id = format!("p{number}").into();
    person.login = format!("p{number}@login");
}

fn spec() -> impl Strategy<Value = OktaIntegrationSpec> {
    let spec = serde_json::json!({
        "okta": { "orgUrl": "https://acme.okta.com", "groupPrefix": "P_",
            "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } } },
        "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
        "finalized": true,
    });
    let spec: OktaIntegrationSpec = serde_json::from_value(spec).unwrap();
    (
        prop_oneof![2 => Just(PeopleScope::TeamMembers), 1 => Just(PeopleScope::Everyone)],
        select(vec![SuspendedPolicy::Keep, SuspendedPolicy::Deactivate]),
        prop_oneof![3 => Just(true), 1 => Just(false)],
        select(vec![UnmatchedPolicy::Review, UnmatchedPolicy::Create]),
        prop_oneof![3 => Just(true), 1 => Just(false)],
        select(vec![vec![], vec!["Sales".to_owned(), "Support".to_owned()]]),
        prop_oneof![3 => Just(OnUnmatch::Restore), 1 => Just(OnUnmatch::Keep)],
        prop_oneof![3 => Just(Approval::Guarded), 1 => Just(Approval::EveryPlan)],
        any::<bool>().prop_map(exclusions),
    )
        .prop_map(
            move |(
                people,
                suspended,
                automatic,
                unmatched,
                create_missing,
                precedence,
                on_unmatch,
                approval,
                exclude,
            )| {
                let mut spec = spec.clone();
                spec.okta.people = people;
                spec.okta.suspended = suspended;
                spec.okta.exclude = exclude;
                spec.matching.automatic = automatic;
                spec.matching.unmatched = unmatched;
                spec.teams.create_missing = create_missing;
                spec.teams.precedence = precedence;
                spec.on_unmatch = on_unmatch;
                spec.approval = approval;
                spec
            },
        )
}

/// The rule that excludes people of agencies, or none.
pub fn exclusions(are_set: bool) -> Vec<ExclusionRule> {
    let rule = ExclusionRule {
        attribute: AGENCY.to_owned(),
        values: Vec::new(),
        pattern: Some("*temps*".to_owned()),
    };
    if are_set { vec![rule] } else { Vec::new() }
}

fn person() -> impl Strategy<Value = Person> {
    let status = prop_oneof![
        14 => Just(OktaStatus::Active),
        1 => Just(OktaStatus::Staged),
        1 => Just(OktaStatus::Suspended),
        2 => Just(OktaStatus::Deprovisioned),
        1 => Just(OktaStatus::Other("RETIRED".to_owned())),
    ];
    let name = prop_oneof![
        6 => (select(&GIVEN[..]).prop_map(Some), select(&FAMILY[..]).prop_map(Some)),
        1 => Just((Some(GIVEN[0]), None)),
        2 => Just((None, None)),
    ];
    let email = option::weighted(0.7, (select(&ADDRESSES[..]), any::<bool>()));
    let title = option::of(select(&TITLES[..]));
    let agency = prop::bool::weighted(0.15);
    (name, email, title, status, agency).prop_map(|((given, family), email, title, status, agency)| Person {
        id: "".into(),
        login: String::new(),
        given_name: given.map(str::to_owned),
        family_name: family.map(str::to_owned),
        email: email.map(|(local, upper)| {
            address(&if upper {
                local.to_uppercase()
            } else {
                local.to_owned()
            })
        }),
        other_names: OtherNames::default(),
        second_email: None,
        title: title.map(str::to_owned),
        employee_number: None,
        status,
        transitioning_to: None,
        created: None,
        last_updated: None,
        attributes: agency
            .then(|| Attribute {
                name: AGENCY.into(),
                value: "Temps & Co".into(),
            })
            .into_iter()
            .collect(),
    })
}

fn membership() -> impl Strategy<Value = Membership> {
    prop_oneof![
        2 => Just(vec![]),
        16 => (0..3_usize).prop_map(|group| vec![group]),
        2 => vec(0..3_usize, 2),
        1 => vec(0..GROUPS.len(), 2),
    ]
}

fn address(local: &str) -> String {
    format!("{local}@acme.com")
}

/// Employees, each with a unique email, as Insightful requires, or without one.
fn employees() -> impl Strategy<Value = Vec<Employee>> {
    let team = select([&OTHER_TEAMS[..], &GROUPS[..2]].concat());
    let employee = (
        select(&GIVEN[..]),
        select(&FAMILY[..]),
        team,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.15),
    );
    let addresses = Just(ADDRESSES.to_vec()).prop_shuffle();
    (vec(employee, 2..5), addresses).prop_map(|(employees, addresses)| {
        employees
            .into_iter()
            .zip(addresses)
            .enumerate()
            .map(
                |(n, ((given, family, team, deactivated, has_no_email), local))| Employee {
                    id: format!("e{n}").into(),
                    name: format!("{given} {family}"),
                    email: if has_no_email {
                        String::new()
                    } else {
                        address(local)
                    },
                    identifier: address(local),
                    team: team.into(),
                    settings: None,
                    deactivated,
                    created_at: None,
                },
            )
            .collect()
    })
}

fn teams() -> impl Strategy<Value = Vec<Team>> {
    // Sales and Support always exist, because employees may be in them.
    any::<bool>().prop_map(|legal| {
        let names = ["Sales", "Support"].into_iter().chain(legal.then_some("Legal"));
        names
            .map(|name| Team {
                id: name.into(),
                name: name.into(),
                default: false,
            })
            .collect()
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        10 => change(),
        4 => Just(Happening::Cycle(None)),
        4 => (0..10_usize).prop_map(|steps| Happening::Cycle(Some(steps))),
    ]
}

/// Any event but a cycle.
pub fn change() -> impl Strategy<Value = Happening> {
    let who = 0..5_usize;
    let edit = prop_oneof![
        3 => Just(ForeignEdit::Name),
        3 => Just(ForeignEdit::Email),
        1 => Just(ForeignEdit::NoEmail),
        3 => (0..OTHER_TEAMS.len()).prop_map(ForeignEdit::Team),
        1 => Just(ForeignEdit::Deactivate),
        3 => (0..7_usize).prop_map(ForeignEdit::HandOn),
    ];
    let of = select(
        &[
            OktaEdit::Name,
            OktaEdit::Email,
            OktaEdit::Title,
            OktaEdit::Groups,
            OktaEdit::Agency,
        ][..],
    );
    prop_oneof![
        1 => (who.clone(), person(), membership())
            .prop_map(|(who, person, groups)| Happening::Okta(who, Box::new(person), groups)),
        4 => (who.clone(), of, person(), membership())
            .prop_map(|(who, of, person, groups)| Happening::Edit(who, of, Box::new(person), groups)),
        1 => who.clone().prop_map(Happening::Vanishes),
        2 => who.clone().prop_map(Happening::IsDeleted),
        1 => (0..7_usize).prop_map(Happening::Returns),
        7 => (who, decided()).prop_map(|(who, decided)| Happening::Decide(who, decided)),
        2 => (any::<usize>(), edit).prop_map(|(employee, edit)| Happening::Foreign(employee, edit)),
        1 => any::<bool>().prop_map(Happening::Excludes),
        1 => upheaval(),
    ]
}

/// An event that is not what a sync would take it for.
pub fn upheaval() -> impl Strategy<Value = Happening> {
    prop_oneof![
        1 => Just(Happening::OtherOrg),
        1 => Just(Happening::OtherOrganization),
        2 => any::<usize>().prop_map(Happening::MovesComputer),
        2 => any::<usize>().prop_map(Happening::IsRemoved),
        1 => (0..5_usize).prop_map(Happening::MatchIsDeleted),
        1 => Just(Happening::Backup),
        1 => Just(Happening::RestoresBackup),
    ]
}

/// Any decision.
pub fn decided() -> impl Strategy<Value = Decided> {
    let decision = prop_oneof![
        2 => Just(Decision::Auto),
        8 => Just(Decision::Match),
        3 => Just(Decision::Create),
        1 => Just(Decision::Ignore),
        2 => Just(Decision::Deactivate),
    ];
    let rejected = prop_oneof![3 => Just(vec![]), 1 => vec(any::<usize>(), 1..3)];
    let employees = prop_oneof![3 => vec(any::<usize>(), 1), 1 => vec(any::<usize>(), 2)];
    (decision, employees, rejected).prop_map(|(decision, employees, rejected)| Decided {
        decision,
        employees,
        rejected,
    })
}
