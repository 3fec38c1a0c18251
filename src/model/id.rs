//! Identifiers of the records of both services.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the newtype of an identifier. Clones share the text: a snapshot holds the same ID in
/// many places.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the ID as the service writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

identifier! {
    /// Okta's ID of a user. Case-sensitive: two IDs may differ only by case.
    PersonId
}
identifier! {
    /// Okta's name of an attribute of users' profiles. Case-sensitive.
    AttributeName
}
identifier! {
    /// Okta's ID of a group.
    GroupId
}
identifier! {
    /// Insightful's ID of an employee.
    EmployeeId
}
identifier! {
    /// Insightful's ID of a team.
    TeamId
}
identifier! {
    /// Insightful's ID of a set of shared settings.
    SettingsId
}
