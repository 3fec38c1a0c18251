use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{GroupId, PersonId, TeamId};

/// An Okta group whose name starts with the integration's prefix, with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamGroup {
    /// The identity of the group: it survives a rename.
    pub id: GroupId,
    /// The name, with the prefix.
    pub name: String,
    /// All members, including departed people.
    pub members: BTreeSet<PersonId>,
}

/// A team in Insightful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    /// Whether new employees join this team unless another one is named.
    pub default: bool,
}
