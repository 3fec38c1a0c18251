//! What is on record of a match: what goes there before a write outside, and
//! what comes off it after one. The apply puts it into the cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{Applied, AppliedField, Field},
    insightful::EmployeeUpdate,
    plan::{Link, NotRestored, Replace, Restore, TeamTarget, Update},
    snapshot::{Employee, EmployeeId, TeamId},
};

/// One PUT that overwrites an employee, and what it means for the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overwrite {
    /// What is written.
    pub body: EmployeeUpdate,
    /// Before-images: on record before the write.
    pub images: Vec<AppliedField>,
    /// What the record says once the write took effect.
    pub effect: Effect,
}

/// What the record says once a write took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    employee: EmployeeId,
    /// Fields that hold again what they held before our first write.
    given_back: Vec<Field>,
    /// A title shows in no answer, so that it is on record once it is written, not before.
    title: Option<AppliedField>,
}

impl Overwrite {
    /// The write that an update asks for; None if its team is not there, since
    /// it could not be created. `team_id` knows the teams of a plan.
    pub fn of(update: Update, team_id: impl Fn(&TeamTarget) -> Option<TeamId>) -> Option<Self> {
        let Update {
            person: _,
            employee,
            name,
            email,
            title,
            team,
        } = update;
        let team = match team {
            Some(replace) => Some((team_id(&replace.to)?, replace)),
            None => None,
        };
        let body = EmployeeUpdate {
            name: name.as_ref().map(|replace| replace.to.clone()),
            email: email.as_ref().map(|replace| replace.to.clone()),
            title: title.as_ref().map(|replace| replace.to.clone()),
            team: team.as_ref().map(|(id, _)| id.clone()),
        };
        let mut images = Vec::new();
        let mut given_back = Vec::new();
        let mut note = |field, from: Option<String>, before, after, ours| {
            if ours {
                // Until the write takes effect, the field holds what we wrote before, if we did.
                let replaced = from.filter(|from| Some(from) != Option::as_ref(&before));
                images.push(AppliedField {
                    replaced,
                    ..image(&employee, field, before, after)
                });
            } else {
                given_back.push(field);
            }
        };
        for (field, replace) in [(Field::Name, name), (Field::Email, email)] {
            if let Some(Replace {
                from,
                to,
                before,
                ours,
            }) = replace
            {
                note(field, from, before, to, ours);
            }
        }
        if let Some((
            id,
            Replace {
                from,
                to: _,
                before,
                ours,
            },
        )) = team
        {
            let text = |target: Option<TeamTarget>| Some(team_id(&target?)?.to_string());
            note(Field::Team, text(from), text(before), id.to_string(), ours);
        }
        let title = title.map(|replace| image(&employee, Field::Title, None, replace.to));
        Some(Self {
            body,
            images,
            effect: Effect {
                employee,
                given_back,
                title,
            },
        })
    }
}

impl Effect {
    /// Whether the record stays as it is.
    pub fn is_none(&self) -> bool {
        self.given_back.is_empty() && self.title.is_none()
    }

    /// The record after the write.
    pub fn on(self, mut applied: Applied) -> Applied {
        let Self {
            employee,
            given_back,
            title,
        } = self;
        applied
            .fields
            .retain(|field| field.employee_id != employee.as_str() || !given_back.contains(&field.field));
        applied.fields = merged(applied.fields, title);
        applied
    }
}

/// One PUT that gives an employee back what they held, as far as they still
/// hold what the plan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivingBack {
    /// What is written; empty if nothing is given back.
    pub body: EmployeeUpdate,
    /// The fields in it.
    pub fields: Vec<Field>,
    /// The fields that are left as they are, and why.
    pub left: Vec<(Field, NotRestored)>,
}

impl GivingBack {
    /// The write that a restore asks for: an undo must not undo what somebody
    /// did after the plan was made, which `now` shows.
    pub fn of(restore: Restore, now: &Employee, team_id: impl Fn(&TeamTarget) -> Option<TeamId>) -> Self {
        let Restore {
            person: _,
            employee: _,
            name,
            email,
            team,
            mut left,
        } = restore;
        let mut fields = Vec::new();
        let mut unless_changed = |field, holds: bool| {
            if holds {
                fields.push(field);
            } else {
                left.push((field, NotRestored::ChangedSince));
            }
            holds
        };
        let present = TeamTarget::Existing(now.team.clone());
        let body = EmployeeUpdate {
            name: name
                .filter(|replace| unless_changed(Field::Name, replace.from.as_ref() == Some(&now.name)))
                .map(|replace| replace.to),
            email: email
                .filter(|replace| unless_changed(Field::Email, replace.from.as_ref() == Some(&now.email)))
                .map(|replace| replace.to),
            title: None,
            team: team
                .filter(|replace| unless_changed(Field::Team, replace.from.as_ref() == Some(&present)))
                .and_then(|replace| team_id(&replace.to)),
        };
        Self { body, fields, left }
    }
}

/// A field that is written, with its before-image.
pub fn image(employee: &EmployeeId, field: Field, before: Option<String>, after: String) -> AppliedField {
    AppliedField {
        employee_id: employee.to_string(),
        field,
        before,
        after,
        replaced: None,
        inherited: false,
    }
}

/// The record before a write: the match that comes into force, if one does, and
/// the before-images. `adopted`: its employee is one whom we invited, and whose
/// invitation's answer was lost.
pub fn before_write(
    on_record: Option<Applied>,
    link: Option<Link>,
    adopted: bool,
    images: Vec<AppliedField>,
    now: Timestamp,
) -> Applied {
    let mut applied = on_record.unwrap_or_else(|| Applied {
        employee_ids: Vec::new(),
        time: Time(now),
        created: false,
        fields: Vec::new(),
    });
    if let Some(Link { employees, inherited }) = link {
        let employee_ids: Vec<String> = employees.iter().map(ToString::to_string).collect();
        if applied.employee_ids != employee_ids {
            applied.employee_ids = employee_ids;
            applied.time = Time(now);
            applied.created = adopted;
        }
        applied.fields = merged(applied.fields, inherited);
    }
    applied.fields = merged(applied.fields, images);
    applied
}

/// The record after an invitation. A match that is taken back keeps its
/// before-images until they are given back.
pub fn invited(on_record: Option<Applied>, employee: &EmployeeId, now: Timestamp) -> Applied {
    Applied {
        employee_ids: vec![employee.to_string()],
        time: Time(now),
        created: true,
        fields: on_record.map(|applied| applied.fields).unwrap_or_default(),
    }
}

/// The record without the employees who are let go; None if nothing is left of it.
pub fn let_go(on_record: Option<Applied>, gone: impl Fn(&str) -> bool) -> Option<Applied> {
    let mut applied = on_record?;
    applied.fields.retain(|field| !gone(&field.employee_id));
    applied.employee_ids.retain(|employee| !gone(employee));
    (!applied.employee_ids.is_empty() || !applied.fields.is_empty()).then_some(applied)
}

/// `fields` with `newer` in the place of what they have for the same field.
fn merged(fields: Vec<AppliedField>, newer: impl IntoIterator<Item = AppliedField>) -> Vec<AppliedField> {
    let key = |field: &AppliedField| (field.employee_id.clone(), field.field);
    let mut by_field: BTreeMap<_, _> = fields.into_iter().map(|field| (key(&field), field)).collect();
    by_field.extend(newer.into_iter().map(|field| (key(&field), field)));
    by_field.into_values().collect()
}
