//! The humans of a company and their records in both services, as they are at one time.

use std::collections::HashMap;

use fastrand::Rng;
use okta_insightful_operator::model::OktaStatus;

use super::{
    addresses::Taken,
    names::Name,
    style::{Style, Teams, Way},
};

/// Days since 1970 of the last day: all companies end on the first of September 2026.
const LAST_DAY: i64 = 20_697;

const DAYS_OF_MONTH: i64 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Staff,
    Contractor,
    Intern,
    /// Works for an agency and has no account in Okta.
    Agency,
}

#[derive(Debug)]
pub struct Human {
    pub name: Name,
    pub kind: Kind,
    pub unit: usize,
    pub office: usize,
    pub department: usize,
    pub number: usize,
    /// The present work address.
    pub email: String,
    /// An address at home, or at the agency.
    pub other_email: String,
    /// The account on computers.
    pub computer: String,
    pub is_employed: bool,
    pub joined: i64,
    /// Main accounts, the latest last.
    pub accounts: Vec<usize>,
    pub records: Vec<usize>,
    pub changed_name: bool,
    pub returned: bool,
    pub gave_record_away: bool,
    /// Came from an agency.
    pub was_external: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountOf {
    Human(usize),
    /// A human's second account, for administration.
    Administrator(usize),
    Mailbox,
    Service,
    Test,
}

#[derive(Debug)]
pub struct Account {
    pub of: AccountOf,
    pub login: String,
    pub given: Option<String>,
    pub family: Option<String>,
    pub middle: Option<String>,
    pub nick: Option<String>,
    pub display: Option<String>,
    pub email: Option<String>,
    pub second_email: Option<String>,
    pub title: Option<String>,
    pub number: Option<String>,
    pub status: OktaStatus,
    /// Milliseconds since 1970.
    pub created: i64,
    pub updated: i64,
    /// Department and office of the group that it is in.
    pub team: Option<(usize, usize)>,
    pub is_deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOf {
    Human(usize),
    /// A shared mailbox's.
    Account(usize),
    Nobody,
}

#[derive(Debug)]
pub struct Record {
    pub of: RecordOf,
    pub name: String,
    pub email: String,
    pub identifier: String,
    /// Department and office of its team.
    pub team: Option<(usize, usize)>,
    pub is_deactivated: bool,
    pub created: i64,
    /// Whether it is the one, or one of those, that the human works with or last worked with.
    pub is_in_use: bool,
    pub way: Way,
    /// Whether the name is still what a computer called it.
    pub has_raw_name: bool,
    pub was_handed_on: bool,
}

/// What is going to happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Leave(usize),
    Return(usize),
    ChangeName(usize),
    NewComputer(usize),
    SecondComputer(usize),
    Move(usize),
    Convert(usize),
    TakeLeave(usize),
    ComeBack(usize),
    Enrol(usize),
    Tidy(usize),
    Purge(usize),
}

pub struct World {
    pub rng: Rng,
    pub style: Style,
    pub month: usize,
    pub humans: Vec<Human>,
    pub accounts: Vec<Account>,
    pub records: Vec<Record>,
    pub addresses: Taken,
    /// Okta allows a login once.
    pub logins: Taken,
    pub computers: Taken,
    /// The records that hold an address. Insightful sends an invitation to an address once.
    pub holders: HashMap<String, usize>,
    /// Computers of leavers, by department, whose record goes on.
    pub desks: Vec<Vec<usize>>,
    pub employed: usize,
    calendar: Vec<Vec<Event>>,
}

impl World {
    pub fn new(seed: u64, size: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let style = Style::draw(&mut rng, size);
        let calendar = vec![Vec::new(); style.months + 1];
        let desks = vec![Vec::new(); style.departments.len()];
        Self {
            rng,
            style,
            month: 0,
            humans: Vec::new(),
            accounts: Vec::new(),
            records: Vec::new(),
            addresses: Taken::default(),
            logins: Taken::default(),
            computers: Taken::default(),
            holders: HashMap::new(),
            desks,
            employed: 0,
            calendar,
        }
    }

    /// Plans an event. What would happen after the end never does.
    pub fn plan(&mut self, months: usize, event: Event) {
        let month = self.month.saturating_add(months);
        if let Some(events) = self.calendar.get_mut(month) {
            events.push(event);
        }
    }

    /// One of the events that this month has left.
    pub fn next_event(&mut self) -> Option<Event> {
        self.calendar[self.month].pop()
    }

    pub fn has_okta(&self) -> bool {
        self.month >= self.style.okta_from
    }

    /// Whether a department's people are in Insightful.
    pub fn tracks(&self, department: usize) -> bool {
        self.style.departments[department]
            .tracked_from
            .is_some_and(|from| self.month >= from)
    }

    /// A day of this month.
    pub fn some_day(&mut self) -> i64 {
        let months_left = (self.style.months - self.month) as i64;
        LAST_DAY - months_left * DAYS_OF_MONTH + self.rng.i64(0..DAYS_OF_MONTH - 1)
    }

    /// A time of an office day, in milliseconds; never after the end.
    pub fn time_of(&mut self, day: i64) -> i64 {
        let seconds = self.rng.i64(7 * 3600..19 * 3600);
        (day.min(LAST_DAY) * 86_400 + seconds) * 1000 + self.rng.i64(0..1000)
    }

    /// Okta's name of a team, without the prefix.
    pub fn okta_team(&self, (department, office): (usize, usize)) -> Option<String> {
        let department = self.style.departments[department].okta.as_ref();
        let city = self.style.offices[office].city;
        match self.style.okta_teams {
            Teams::ByDepartment => department.cloned(),
            Teams::ByOffice => Some(city.to_owned()),
            Teams::ByBoth => department.map(|department| format!("{department} {city}")),
            Teams::OnlyDefault => None,
        }
    }

    pub fn insightful_team(&self, team: Option<(usize, usize)>) -> String {
        let Some((department, office)) = team else {
            return "Default team".to_owned();
        };
        let department = &self.style.departments[department].insightful;
        let city = self.style.offices[office].city;
        match self.style.insightful_teams {
            Teams::ByDepartment => department.clone(),
            Teams::ByOffice => city.to_owned(),
            Teams::ByBoth => format!("{department} {city}"),
            Teams::OnlyDefault => "Default team".to_owned(),
        }
    }
}
