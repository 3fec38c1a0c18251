//! The calls, the faults, which of them apply to each other, and the expected symptom
//! of each combination.

use std::{fmt, time::Duration};

use okta_insightful_operator::api::conditions;
use sandbox::faults::{Kind, Match};

use crate::world::LATE;

/// The part of a query that distinguishes a delta sync's searches from a full sync's.
pub const DELTA_SEARCH: &str = "lastUpdated gt";

/// A call that the operator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Users,
    Groups,
    Members,
    /// A list of members that is read again for the records of members whom the list of users lacks.
    MembersAgain,
    ChangedUsers,
    ChangedGroups,
    Employees,
    Teams,
    SharedSettings,
    /// Right before a person is deactivated.
    User,
    /// A person with a match in force whom the lists lack.
    MissingUser,
    Employee,
    Team,
    CreateTeam,
    CreateEmployee,
    UpdateEmployee,
    Deactivate,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Users => "GET users",
            Self::Groups => "GET groups",
            Self::Members => "GET members",
            Self::MembersAgain => "GET members again",
            Self::ChangedUsers => "GET users changed",
            Self::ChangedGroups => "GET groups changed",
            Self::Employees => "GET employees",
            Self::Teams => "GET teams",
            Self::SharedSettings => "GET settings",
            Self::User => "GET user by id",
            Self::MissingUser => "GET missing user",
            Self::Employee => "GET employee by id",
            Self::Team => "GET team by id",
            Self::CreateTeam => "POST team",
            Self::CreateEmployee => "POST employee",
            Self::UpdateEmployee => "PUT employee",
            Self::Deactivate => "GET deactivate",
        })
    }
}

impl Call {
    pub const ALL: [Self; 17] = [
        Self::Users,
        Self::Groups,
        Self::Members,
        Self::MembersAgain,
        Self::ChangedUsers,
        Self::ChangedGroups,
        Self::Employees,
        Self::Teams,
        Self::SharedSettings,
        Self::User,
        Self::MissingUser,
        Self::Employee,
        Self::Team,
        Self::CreateTeam,
        Self::CreateEmployee,
        Self::UpdateEmployee,
        Self::Deactivate,
    ];

    pub fn requests(self) -> Match {
        match self {
            Self::Users => Match::get("/api/v1/users"),
            Self::Groups => Match::get("/api/v1/groups"),
            Self::Members | Self::MembersAgain => Match::get("/api/v1/groups/*/users"),
            Self::ChangedUsers => Match::get("/api/v1/users").query(DELTA_SEARCH),
            Self::ChangedGroups => Match::get("/api/v1/groups").query(DELTA_SEARCH),
            Self::User | Self::MissingUser => Match::get("/api/v1/users/*"),
            Self::Employees => Match::get("/api/v1/employee"),
            Self::Teams => Match::get("/api/v1/team"),
            Self::SharedSettings => Match::get("/api/v1/shared-settings"),
            Self::Employee => Match::get("/api/v1/employee/*"),
            Self::Team => Match::get("/api/v1/team/*"),
            Self::CreateTeam => Match::post("/api/v1/team"),
            Self::CreateEmployee => Match::post("/api/v1/employee"),
            Self::UpdateEmployee => Match::put("/api/v1/employee/*"),
            Self::Deactivate => Match::get("/api/v1/employee/deactivate/*"),
        }
    }

    pub fn is_okta(self) -> bool {
        self < Self::Employees || matches!(self, Self::User | Self::MissingUser)
    }

    /// A read that only a delta sync makes.
    pub fn is_delta_search(self) -> bool {
        matches!(self, Self::ChangedUsers | Self::ChangedGroups)
    }

    /// A list that each sync reads. The other calls need a match in force.
    pub fn is_list(self) -> bool {
        self < Self::User
    }

    fn is_write(self) -> bool {
        self >= Self::CreateTeam
    }

    /// A write that must not take effect twice.
    fn is_creation(self) -> bool {
        matches!(self, Self::CreateTeam | Self::CreateEmployee)
    }

    /// Whether a failure concerns one person and is reported on the person's match.
    fn is_of_one_person(self) -> bool {
        self >= Self::CreateEmployee
    }
}

/// A fault of the sandbox; its name is its row in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Error,
    Unauthorized,
    Forbidden,
    NotFound,
    Invalid,
    RateLimited,
    Delay,
    DelayAnswer,
    CutBefore,
    CutAfter,
    BrokenJson,
    PaginationLoop,
    CrossOriginPagination,
    EmptyPage,
    DroppedPage,
    LateEffect,
}

/// Shorter than every timeout.
const DELAY: Duration = Duration::from_secs(2);

impl Fault {
    pub const ALL: [Self; 16] = [
        Self::Error,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Invalid,
        Self::RateLimited,
        Self::Delay,
        Self::DelayAnswer,
        Self::CutBefore,
        Self::CutAfter,
        Self::BrokenJson,
        Self::PaginationLoop,
        Self::CrossOriginPagination,
        Self::EmptyPage,
        Self::DroppedPage,
        Self::LateEffect,
    ];

    pub fn kind(self) -> Kind {
        match self {
            Self::Error => Kind::Status(500, None),
            Self::Unauthorized => Kind::Status(401, None),
            Self::Forbidden => Kind::Status(403, None),
            Self::NotFound => Kind::Status(404, None),
            Self::Invalid => Kind::Status(422, None),
            Self::RateLimited => Kind::RateLimited,
            Self::Delay => Kind::Delay(DELAY),
            Self::DelayAnswer => Kind::DelayAnswer(DELAY),
            Self::CutBefore => Kind::CutBefore,
            Self::CutAfter => Kind::CutAfter,
            Self::BrokenJson => Kind::BrokenJson,
            Self::PaginationLoop => Kind::PaginationLoop,
            Self::CrossOriginPagination => {
                Kind::CrossOriginPagination("https://evil.example.com/api/v1/users?after=x".into())
            }
            Self::EmptyPage => Kind::EmptyPage,
            Self::DroppedPage => Kind::DroppedPage,
            Self::LateEffect => Kind::LateEffect(502, LATE),
        }
    }

    /// How many requests the fault affects; `None` for all until it is removed.
    pub fn times(self) -> Option<u32> {
        match self {
            Self::RateLimited => Some(2),
            Self::Delay | Self::DelayAnswer | Self::LateEffect => Some(1),
            _ => None,
        }
    }
}

/// Before or after finalizing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Before,
    After,
}

/// Why a fault does not apply to a call, if it does not.
pub fn inapplicable(fault: Fault, call: Call, phase: Phase) -> Option<&'static str> {
    match fault {
        _ if phase == Phase::Before && !call.is_list() => Some("no match is in force"),
        Fault::PaginationLoop | Fault::CrossOriginPagination if !(call.is_okta() && call.is_list()) => {
            Some("no pages")
        }
        Fault::EmptyPage | Fault::DroppedPage if !call.is_list() => Some("no list"),
        Fault::LateEffect if !call.is_creation() => Some("can be repeated"),
        Fault::Invalid if !call.is_write() => Some("no value to refuse"),
        _ => None,
    }
}

/// The expected symptom of an active fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// None: the call is retried until it succeeds.
    Retried,
    /// None: nothing seems to have changed, and the next search finds the change.
    NextSearch,
    /// None: the response is taken as true.
    Accepted,
    /// A condition of the integration with this status and reason.
    Condition(&'static str, bool, &'static str),
    /// The Ready condition of a person's match with this reason.
    Person(&'static str),
}

/// The expected symptom of a fault on a call.
pub fn expected(fault: Fault, call: Call, phase: Phase) -> Symptom {
    let connected = if call.is_okta() {
        conditions::OKTA_CONNECTED
    } else {
        conditions::INSIGHTFUL_CONNECTED
    };
    let connection = |reason| Symptom::Condition(connected, false, reason);
    let lost = |reason| {
        if call == Call::CreateEmployee {
            Symptom::Person("CreationUnclear")
        } else if call.is_of_one_person() {
            Symptom::Person("OutcomeUnknown")
        } else {
            connection(reason)
        }
    };
    let refused = |reason| {
        if call.is_of_one_person() {
            Symptom::Person("WriteRefused")
        } else {
            connection(reason)
        }
    };
    match fault {
        // It tells nothing about the person, and nothing about anybody else.
        Fault::Error
        | Fault::Unauthorized
        | Fault::Forbidden
        | Fault::CutBefore
        | Fault::CutAfter
        | Fault::BrokenJson
            if call == Call::MissingUser =>
        {
            Symptom::Person("NotInOktaResponse")
        }
        // The read finally shows the team, which the list lacks.
        Fault::RateLimited | Fault::Delay | Fault::DelayAnswer if call == Call::Team => {
            connection("InconsistentLists")
        }
        Fault::RateLimited | Fault::Delay | Fault::DelayAnswer => Symptom::Retried,
        Fault::Error | Fault::LateEffect => lost("Unavailable"),
        Fault::Unauthorized => connection("TokenRefused"),
        Fault::Forbidden => connection("NotPermitted"),
        Fault::NotFound => match call {
            Call::User => Symptom::Person("DepartureNotConfirmed"),
            Call::Employee => Symptom::Person("EmployeeNotFound"),
            Call::Team | Call::MissingUser => Symptom::Accepted,
            _ => refused("NotFound"),
        },
        Fault::Invalid => refused("Invalid"),
        Fault::CutBefore | Fault::CutAfter => lost("NoResponse"),
        Fault::BrokenJson => lost("InvalidResponse"),
        Fault::PaginationLoop => connection("PaginationLoop"),
        Fault::CrossOriginPagination => connection("CrossOriginPagination"),
        Fault::EmptyPage | Fault::DroppedPage if call.is_delta_search() => Symptom::NextSearch,
        Fault::EmptyPage | Fault::DroppedPage => match (call, phase) {
            (Call::Users, _) if fault == Fault::EmptyPage => connection("NoUsers"),
            // The lists of members have whom it leaves out.
            (Call::Users, _) => Symptom::Accepted,
            // Okta is asked by id for a person with a match in force.
            (Call::MembersAgain, Phase::After) => Symptom::Accepted,
            (Call::MembersAgain, Phase::Before) => Symptom::Person("NotInOktaResponse"),
            (_, Phase::After) if call.is_okta() => {
                Symptom::Condition(conditions::HELD, phase == Phase::After, "PeopleMissing")
            }
            (Call::Groups | Call::Members, _) => Symptom::Person("NotInTeamGroup"),
            (Call::SharedSettings, _) => Symptom::Person("SharedSettingsMissing"),
            _ => connection("InvalidResponse"),
        },
    }
}
