//! The synced fields of an employee: how each is read, compared, named and written. A new field is a variant
//! of [`Field`], an arm of each match here, and its wanted value in the [planner](super::planner).

use std::collections::BTreeMap;

use serde::Serialize;

use super::TeamTarget;
use crate::{
    api::Field,
    model::{Employee, EmployeeUpdate, TeamId, text},
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
            Field::Name | Field::Email | Field::Title | Field::Active | Field::Settings => {
                Self::Text(text.to_owned())
            }
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
        Field::Title | Field::Active | Field::Settings => None,
    }
}

/// Whether two values of a field are one to those who read them.
pub fn is_same(field: Field, one: &str, other: &str) -> bool {
    match field {
        Field::Name => text::is_same_name(one, other),
        Field::Email => text::is_same_email(one, other),
        Field::Title => text::is_same_text(one, other),
        Field::Team | Field::Active | Field::Settings => one == other,
    }
}

/// Whether an employee can be given a value that a record has: Insightful refuses an empty name and an empty email.
pub(super) fn is_writable(field: Field, value: &str) -> bool {
    !matches!(field, Field::Name | Field::Email) || !text::written(value).is_empty()
}

/// The fields that Insightful answered with other values than it was sent. No answer shows a title.
pub(in crate::rules) fn stored_differently(sent: &EmployeeUpdate, answer: &Employee) -> Vec<(Field, String)> {
    let fields = [
        (Field::Name, sent.name.as_deref()),
        (Field::Email, sent.email.as_deref()),
        (Field::Team, sent.team.as_ref().map(TeamId::as_str)),
    ];
    let differing = fields.into_iter().filter_map(|(field, sent)| {
        let now = value(answer, field)?;
        (!is_same(field, sent?, now)).then(|| (field, now.to_owned()))
    });
    differing.collect()
}

/// The fields in the body of a PUT, each with its value.
pub fn written(body: &EmployeeUpdate) -> impl Iterator<Item = (Field, String)> + use<> {
    let EmployeeUpdate {
        name,
        email,
        title,
        team,
    } = body.clone();
    let fields = [
        (Field::Name, name),
        (Field::Email, email),
        (Field::Title, title),
        (Field::Team, team.map(|team| team.to_string())),
    ];
    fields
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)))
}

/// The body of a PUT as one body for each field.
pub(super) fn split(body: &EmployeeUpdate) -> Vec<(Field, EmployeeUpdate)> {
    let one = |(field, value): (Field, String)| {
        let mut body = EmployeeUpdate::default();
        set(&mut body, field, value);
        (field, body)
    };
    written(body).map(one).collect()
}

/// Adds a field to the body of a PUT. An employee is deactivated by another call.
pub(in crate::rules) fn set(body: &mut EmployeeUpdate, field: Field, value: String) {
    match field {
        Field::Name => body.name = Some(value),
        Field::Email => body.email = Some(value),
        Field::Title => body.title = Some(value),
        Field::Team => body.team = Some(value.into()),
        Field::Active | Field::Settings => {}
    }
}
