//! The synced fields of an employee: how each is read, compared, named and written. A new field is a variant
//! of [`Field`], an arm of each match here, and its wanted value in the [planner](super::planner).

use std::collections::BTreeMap;

use serde::Serialize;

use super::TeamTarget;
use crate::{
    api::Field,
    model::{Employee, EmployeeUpdate, TeamId},
};

/// The fields of one employee that are overwritten by one PUT.
pub type FieldWrites = BTreeMap<Field, Replace>;

/// One field's value that is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replace {
    /// The present value; a team by its id. A title cannot be read: this is the one that was written last, if
    /// any.
    pub from: Option<String>,
    pub to: NewValue,
    /// The value before the first write, which an unmatch restores; None for a title, and where `restores` is
    /// true.
    pub before: Option<String>,
    /// Whether `to` is a former value of the field rather than Okta's.
    pub restores: bool,
}

impl Replace {
    /// The write that sets a readable field back to its former value.
    pub(super) fn restore(field: Field, now: &str, before: &str) -> Self {
        Self {
            from: Some(now.to_owned()),
            to: NewValue::of(field, before),
            before: None,
            restores: true,
        }
    }
}

/// The value that a field gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum NewValue {
    /// A name, an email or a title.
    Text(String),
    Team(TeamTarget),
}

impl NewValue {
    /// The value that Insightful and the records have as `text`: a team by its id.
    pub fn of(field: Field, text: &str) -> Self {
        match field {
            Field::Team => Self::Team(TeamTarget::Existing(text.into())),
            Field::Name | Field::Email | Field::Title | Field::Active => Self::Text(text.to_owned()),
        }
    }

    /// The value as Insightful and the records have it; None for a team that is not created yet.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Team(TeamTarget::Existing(id)) => Some(id.as_str()),
            Self::Team(TeamTarget::Created(_)) => None,
        }
    }

    /// [`as_text`](Self::as_text) with the teams that exist by the time of the write.
    pub(in crate::rules) fn into_text(
        self,
        team_id: impl Fn(&TeamTarget) -> Option<TeamId>,
    ) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Team(target) => Some(team_id(&target)?.to_string()),
        }
    }
}

/// The value of a field of an employee; None where Insightful does not show it, or it is no text.
pub fn value(employee: &Employee, field: Field) -> Option<&str> {
    match field {
        Field::Name => Some(&employee.name),
        Field::Email => Some(&employee.email),
        Field::Team => Some(employee.team.as_str()),
        Field::Title | Field::Active => None,
    }
}

/// Whether Insightful takes two values of a field for one: it ignores the case of an email.
pub fn is_same(field: Field, one: &str, other: &str) -> bool {
    match field {
        Field::Email => one.eq_ignore_ascii_case(other),
        Field::Name | Field::Title | Field::Team | Field::Active => one == other,
    }
}

/// Adds a field to the body of a PUT. An employee is deactivated by another call.
pub(in crate::rules) fn set(body: &mut EmployeeUpdate, field: Field, value: String) {
    match field {
        Field::Name => body.name = Some(value),
        Field::Email => body.email = Some(value),
        Field::Title => body.title = Some(value),
        Field::Team => body.team = Some(value.into()),
        Field::Active => {}
    }
}
