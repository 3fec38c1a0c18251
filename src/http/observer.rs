//! What the clients tell about their calls, in closed lists that fit metric labels.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, NoAnswer};

/// Hears of each call and each wait of a client.
pub trait CallObserver: Send + Sync {
    /// One request of `operation` was sent and ended so after `took`. `status` is the answer's
    /// HTTP status, None where no whole answer came.
    fn call(&self, operation: Operation, outcome: CallOutcome, status: Option<u16>, took: Duration);

    /// The client is about to wait this long before the next request to `service`.
    fn waiting(&self, service: Service, cause: WaitCause, wait: Duration);

    /// An answer said how much of a rate limit is left.
    fn budget(&self, _: Budget) {}
}

/// Hears nothing.
impl CallObserver for () {
    fn call(&self, _: Operation, _: CallOutcome, _: Option<u16>, _: Duration) {}

    fn waiting(&self, _: Service, _: WaitCause, _: Duration) {}
}

/// One window of one of Okta's rate limits, as its last answer left it. All numbers are calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What Okta counts together, from a closed list.
    pub bucket: &'static str,
    /// What the window allows, to everybody who uses the org.
    pub limit: u32,
    /// What the org has left of it, our calls in flight taken off.
    pub remaining: u32,
    /// What we may use of it.
    pub share: u32,
    /// What we used of it.
    pub used: u32,
    /// When the window ends, and with it what this says.
    pub ends: Instant,
}

/// An enum whose variants have a stable word each, for labels and logs.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// The stable word for labels and logs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

labels! {
    /// The service that a call goes to.
    Service {
        /// Okta.
        Okta = "okta",
        /// Insightful.
        Insightful = "insightful",
    }
}

impl Service {
    /// The service as people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Okta => "Okta",
            Self::Insightful => "Insightful",
        }
    }

    /// The field of the spec that holds its address.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Okta => "okta.orgUrl",
            Self::Insightful => "insightful.url",
        }
    }
}

labels! {
    /// What a call does.
    Operation {
        /// One page of Okta's users.
        ListUsers = "list_users",
        /// One page of Okta's groups.
        ListGroups = "list_groups",
        /// One page of an Okta group's members.
        ListMembers = "list_members",
        /// One Okta user.
        GetUser = "get_user",
        /// All employees.
        ListEmployees = "list_employees",
        /// All teams.
        ListTeams = "list_teams",
        /// All shared settings.
        ListSharedSettings = "list_shared_settings",
        /// One employee.
        GetEmployee = "get_employee",
        /// One team.
        GetTeam = "get_team",
        /// A new team.
        CreateTeam = "create_team",
        /// A new employee.
        CreateEmployee = "create_employee",
        /// A change to an employee.
        UpdateEmployee = "update_employee",
        /// The deactivation of an employee.
        DeactivateEmployee = "deactivate_employee",
    }
}

impl Operation {
    /// Where the call goes.
    pub const fn service(self) -> Service {
        match self {
            Self::ListUsers | Self::ListGroups | Self::ListMembers | Self::GetUser => Service::Okta,
            Self::ListEmployees
            | Self::ListTeams
            | Self::ListSharedSettings
            | Self::GetEmployee
            | Self::GetTeam
            | Self::CreateTeam
            | Self::CreateEmployee
            | Self::UpdateEmployee
            | Self::DeactivateEmployee => Service::Insightful,
        }
    }
}

labels! {
    /// How one request ended.
    CallOutcome {
        /// Answered with success.
        Answered = "answered",
        /// Refused: a 4xx other than 429, or a redirect.
        Refused = "refused",
        /// Refused because there were too many calls.
        RateLimited = "rate_limited",
        /// The service failed: a 5xx.
        Failed = "failed",
        /// No connection could be opened.
        Unreachable = "unreachable",
        /// Sent, but no whole answer came.
        Lost = "lost",
    }
}

impl CallOutcome {
    pub(super) fn of(result: &Result<Answer, NoAnswer>) -> Self {
        match result {
            Ok(answer) if answer.status.is_success() => Self::Answered,
            Ok(answer) if answer.status.as_u16() == 429 => Self::RateLimited,
            Ok(answer) if answer.status.is_server_error() => Self::Failed,
            Ok(_) => Self::Refused,
            Err(NoAnswer::NotSent(_)) => Self::Unreachable,
            Err(NoAnswer::Lost(_) | NoAnswer::TooLarge(_)) => Self::Lost,
        }
    }
}

labels! {
    /// Why a client waits.
    WaitCause {
        /// Our share of the service's rate limit is used up.
        OurShare = "rate_share",
        /// The service said that there were too many calls.
        RateLimited = "rate_limited",
        /// The call failed and will be tried again.
        Backoff = "backoff",
    }
}
