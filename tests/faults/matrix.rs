//! The calls, the faults, which of them make sense together, and what is to be
//! seen of each.

use std::{fmt, time::Duration};

use okta_insightful_operator::api::conditions;
use sandbox::faults::{Kind, Match};

/// What tells the searches for what changed from those for everything.
pub const CHANGED: &str = "lastUpdated gt";

/// A call that the operator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Users,
    Groups,
    Members,
    /// The search of a cycle that reads only what changed.
    ChangedUsers,
    /// Likewise.
    ChangedGroups,
    Employees,
    Teams,
    SharedSettings,
    User,
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
            Self::ChangedUsers => "GET users changed",
            Self::ChangedGroups => "GET groups changed",
            Self::Employees => "GET employees",
            Self::Teams => "GET teams",
            Self::SharedSettings => "GET settings",
            Self::User => "GET user by id",
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
    pub const ALL: [Self; 15] = [
        Self::Users,
        Self::Groups,
        Self::Members,
        Self::ChangedUsers,
        Self::ChangedGroups,
        Self::Employees,
        Self::Teams,
        Self::SharedSettings,
        Self::User,
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
            Self::Members => Match::get("/api/v1/groups/*/users"),
            Self::ChangedUsers => Match::get("/api/v1/users").query(CHANGED),
            Self::ChangedGroups => Match::get("/api/v1/groups").query(CHANGED),
            Self::User => Match::get("/api/v1/users/*"),
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
        self < Self::Employees || self == Self::User
    }

    /// A read that no full sync makes, and every other one does.
    pub fn is_of_changes(self) -> bool {
        matches!(self, Self::ChangedUsers | Self::ChangedGroups)
    }

    /// A read of every sync. The others are made by an apply only.
    pub fn is_list(self) -> bool {
        self < Self::User
    }

    fn is_write(self) -> bool {
        self >= Self::CreateTeam
    }

    /// Whether its failures concern one person, who is told of on their match.
    fn is_one_persons(self) -> bool {
        self >= Self::CreateEmployee
    }
}

/// A fault of the sandbox, by a word for the table.
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
}

/// Slow, and within every time-out.
const SLOW: Duration = Duration::from_secs(2);

impl Fault {
    pub const ALL: [Self; 15] = [
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
    ];

    pub fn kind(self) -> Kind {
        match self {
            Self::Error => Kind::Status(500, None),
            Self::Unauthorized => Kind::Status(401, None),
            Self::Forbidden => Kind::Status(403, None),
            Self::NotFound => Kind::Status(404, None),
            Self::Invalid => Kind::Status(422, None),
            Self::RateLimited => Kind::RateLimited,
            Self::Delay => Kind::Delay(SLOW),
            Self::DelayAnswer => Kind::DelayAnswer(SLOW),
            Self::CutBefore => Kind::CutBefore,
            Self::CutAfter => Kind::CutAfter,
            Self::BrokenJson => Kind::BrokenJson,
            Self::PaginationLoop => Kind::PaginationLoop,
            Self::CrossOriginPagination => {
                Kind::CrossOriginPagination("https://evil.example.com/api/v1/users?after=x".into())
            }
            Self::EmptyPage => Kind::EmptyPage,
            Self::DroppedPage => Kind::DroppedPage,
        }
    }

    /// How often it strikes before it passes by itself; None for as long as it stands.
    pub fn times(self) -> Option<u32> {
        match self {
            Self::RateLimited => Some(2),
            Self::Delay | Self::DelayAnswer => Some(1),
            _ => None,
        }
    }
}

/// Before or after the finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Before,
    After,
}

/// Why a fault makes no sense for a call, if it does not.
pub fn senseless(fault: Fault, call: Call, phase: Phase) -> Option<&'static str> {
    match fault {
        _ if phase == Phase::Before && !call.is_list() => Some("made by an apply only"),
        Fault::PaginationLoop | Fault::CrossOriginPagination if !(call.is_okta() && call.is_list()) => {
            Some("no pages, so no next one")
        }
        Fault::EmptyPage | Fault::DroppedPage if !call.is_list() => Some("no list"),
        Fault::Invalid if !call.is_write() => Some("holds no value that could be refused"),
        _ => None,
    }
}

/// What is to be seen while a fault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is waited for.
    Passes,
    /// Nothing: it looks as if nothing had changed, and the next read brings what did.
    Later,
    /// Nothing: what it says is so.
    Believed,
    /// A condition of the integration, with its reason.
    Condition(&'static str, bool, &'static str),
    /// The Ready condition of a person's match, with its reason.
    Person(&'static str),
}

/// What is to be seen, and what it is called in the table.
pub fn expected(fault: Fault, call: Call, phase: Phase) -> Seen {
    let connected = if call.is_okta() {
        conditions::OKTA_CONNECTED
    } else {
        conditions::INSIGHTFUL_CONNECTED
    };
    let broken = |reason| Seen::Condition(connected, false, reason);
    let lost = |reason| {
        if call.is_one_persons() {
            Seen::Person("OutcomeUnknown")
        } else {
            broken(reason)
        }
    };
    let refused = |reason| {
        if call.is_one_persons() {
            Seen::Person("WriteRefused")
        } else {
            broken(reason)
        }
    };
    match fault {
        // The read says in the end that the team is there, and the list that it is not.
        Fault::RateLimited | Fault::Delay | Fault::DelayAnswer if call == Call::Team => {
            broken("InconsistentLists")
        }
        Fault::RateLimited | Fault::Delay | Fault::DelayAnswer => Seen::Passes,
        Fault::Error => lost("Unavailable"),
        Fault::Unauthorized => broken("TokenRefused"),
        Fault::Forbidden => broken("NotPermitted"),
        Fault::NotFound => match call {
            Call::User => Seen::Person("DepartureNotConfirmed"),
            Call::Employee => Seen::Person("EmployeeNotFound"),
            Call::Team => Seen::Believed,
            _ => refused("NotFound"),
        },
        Fault::Invalid => refused("Invalid"),
        Fault::CutBefore | Fault::CutAfter => lost("NoResponse"),
        Fault::BrokenJson => lost("InvalidResponse"),
        Fault::PaginationLoop => broken("PaginationLoop"),
        Fault::CrossOriginPagination => broken("CrossOriginPagination"),
        Fault::EmptyPage | Fault::DroppedPage if call.is_of_changes() => Seen::Later,
        Fault::EmptyPage | Fault::DroppedPage => match (call, phase) {
            (Call::Users, _) if fault == Fault::EmptyPage => broken("InvalidResponse"),
            // Before the finish the Held condition says what would be held.
            (Call::Users, _) | (_, Phase::After) if call.is_okta() => {
                Seen::Condition(conditions::HELD, phase == Phase::After, "PeopleMissing")
            }
            (Call::Groups | Call::Members, _) => Seen::Person("NotInTeamGroup"),
            (Call::SharedSettings, _) => Seen::Person("SharedSettingsMissing"),
            _ => broken("InvalidResponse"),
        },
    }
}
