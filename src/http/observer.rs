//! What the clients report about their calls, in closed lists that fit metric labels.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::client::{Response, SendError};

/// Is notified of each call and each wait of a client.
pub trait CallObserver: Send + Sync {
    /// A request ended after `took`. `status` is None if there was no complete response.
    fn call(&self, operation: Operation, outcome: CallOutcome, status: Option<u16>, took: Duration);

    /// The client is about to wait before the next request.
    fn waiting(&self, service: Service, cause: WaitCause, wait: Duration);

    /// A response showed how much of a rate limit is left.
    fn budget(&self, _: Budget) {}
}

/// Ignores everything.
impl CallObserver for () {
    fn call(&self, _: Operation, _: CallOutcome, _: Option<u16>, _: Duration) {}

    fn waiting(&self, _: Service, _: WaitCause, _: Duration) {}
}

/// The current window of one of Okta's rate limits. All numbers are calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The endpoints that Okta counts together, from a closed list.
    pub bucket: &'static str,
    /// Shared by all users of the org.
    pub limit: u32,
    /// What the org has left, without our calls in flight.
    pub remaining: u32,
    /// What we may use.
    pub share: u32,
    /// What we used.
    pub used: u32,
    pub ends: Instant,
}

/// Declares an enum with a stable word for each variant.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Returns the word for labels and logs.
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
    /// A service that the operator calls.
    Service {
        Okta = "okta",
        Insightful = "insightful",
    }
}

impl Service {
    /// Returns the name for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Okta => "Okta",
            Self::Insightful => "Insightful",
        }
    }

    /// Returns the field of the spec that contains the service's URL.
    pub const fn url_field(self) -> &'static str {
        match self {
            Self::Okta => "okta.orgUrl",
            Self::Insightful => "insightful.url",
        }
    }
}

labels! {
    /// The endpoint of a call.
    Operation {
        /// A page of Okta's users.
        ListUsers = "list_users",
        /// A page of Okta's groups.
        ListGroups = "list_groups",
        /// A page of an Okta group's members.
        ListMembers = "list_members",
        /// An access token of a service app.
        GetAccessToken = "get_access_token",
        GetUser = "get_user",
        GetGroup = "get_group",
        ListEmployees = "list_employees",
        ListTeams = "list_teams",
        ListSharedSettings = "list_shared_settings",
        GetEmployee = "get_employee",
        GetTeam = "get_team",
        CreateTeam = "create_team",
        CreateEmployee = "create_employee",
        UpdateEmployee = "update_employee",
        DeactivateEmployee = "deactivate_employee",
    }
}

impl Operation {
    pub const fn service(self) -> Service {
        match self {
            Self::ListUsers
            | Self::ListGroups
            | Self::ListMembers
            | Self::GetAccessToken
            | Self::GetUser
            | Self::GetGroup => Service::Okta,
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
        /// A 2xx.
        Answered = "answered",
        /// A 4xx other than 429, or a redirect.
        Refused = "refused",
        /// A 429.
        RateLimited = "rate_limited",
        /// A 5xx.
        Failed = "failed",
        /// No connection.
        Unreachable = "unreachable",
        /// Sent, but without a complete response.
        Lost = "lost",
    }
}

impl CallOutcome {
    pub(super) fn of(result: &Result<Response, SendError>) -> Self {
        match result {
            Ok(response) if response.status.is_success() => Self::Answered,
            Ok(response) if response.status.as_u16() == 429 => Self::RateLimited,
            Ok(response) if response.status.is_server_error() => Self::Failed,
            Ok(_) => Self::Refused,
            Err(SendError::NotSent(_)) => Self::Unreachable,
            Err(SendError::Lost(_) | SendError::TooLarge(_)) => Self::Lost,
        }
    }
}

labels! {
    /// Why a client waits.
    WaitCause {
        /// Our share of the service's rate limit is used up.
        RateShare = "rate_share",
        /// The service responded with a 429.
        RateLimited = "rate_limited",
        /// The call failed and will be retried.
        Backoff = "backoff",
    }
}
