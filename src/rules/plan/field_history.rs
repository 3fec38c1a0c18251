//! The fields that matches wrote to an employee, as the records have them, and the write that brings a field
//! to its wanted value.

use std::collections::BTreeMap;

use super::fields::{NewValue, Replace, is_same, is_writable, value};
use crate::{
    api::{Applied, AppliedField, Field},
    model::{Employee, text},
};

/// Whether `now` was written by the operator: by this write, as it is or as Insightful stored it, or, if it did not
/// take effect, by the one before it. The case of a name does not count: an answer that was lost may have shown
/// another one.
pub fn is_ours(field: &AppliedField, now: &str) -> bool {
    let holds = |value: &str| match field.field {
        Field::Name => text::is_same_name_loosely(value, now),
        field => is_same(field, value, now),
    };
    let other = [&field.stored, &field.replaced].into_iter().flatten();
    holds(&field.after) || other.into_iter().any(|value| holds(value))
}

/// Whether the employee still holds what was written. A title cannot be read and is taken to be there.
fn is_in_place(employee: &Employee, field: &AppliedField) -> bool {
    match field.field {
        Field::Active => employee.deactivated,
        readable => value(employee, readable).is_none_or(|now| is_ours(field, now)),
    }
}

/// The value that a field should have.
pub(super) enum Wanted {
    Value(NewValue),
    /// Okta has no value: a value that an earlier match wrote is restored, one that this match wrote stays.
    Nothing,
    /// The value is another employee's of the person: whatever a match wrote is restored.
    Elsewhere,
}

impl Wanted {
    pub(super) fn of(value: Option<NewValue>) -> Self {
        value.map_or(Self::Nothing, Self::Value)
    }
}

/// The last write of each field of an employee.
pub(super) struct FieldHistory<'a>(BTreeMap<Field, (&'a AppliedField, By)>);

/// The match that wrote a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The person's present match.
    This,
    /// An earlier match of the employee; it is on the person's record.
    Earlier,
    /// A match on another person's record.
    Other,
}

impl<'a> FieldHistory<'a> {
    /// `own`: the record of the employee's person; `others`: what other people's records have of the
    /// employee.
    pub(super) fn of(employee: &Employee, own: Option<&'a Applied>, others: &[&'a AppliedField]) -> Self {
        let own = own.into_iter().flat_map(|applied| &applied.fields);
        let own = own.filter(|field| field.employee_id == employee.id.as_str());
        let (in_place, overwritten): (Vec<_>, Vec<_>) = own.partition(|field| is_in_place(employee, field));
        let own = |fields: Vec<&'a AppliedField>| {
            fields.into_iter().map(|field| {
                let by = if field.inherited { By::Earlier } else { By::This };
                (field.field, (field, by))
            })
        };
        let others = others
            .iter()
            .filter(|field| is_in_place(employee, field))
            .map(|field| (field.field, (*field, By::Other)));
        // The last one counts: a value that the employee still holds, and of these the person's own first.
        Self(own(overwritten).chain(others).chain(own(in_place)).collect())
    }

    /// The fields of other people's records that the person's record takes over.
    pub(super) fn inherited(&self) -> impl Iterator<Item = AppliedField> {
        let others = self.0.values().filter(|(_, by)| *by == By::Other);
        others.map(|(field, _)| AppliedField {
            inherited: true,
            ..(*field).clone()
        })
    }

    /// The write that brings a field to its wanted value; None if none is needed or possible.
    pub(super) fn replace(&self, employee: &Employee, field: Field, wanted: Wanted) -> Option<Replace> {
        let written = self.0.get(&field);
        let readable = value(employee, field);
        match wanted {
            Wanted::Value(to) => {
                let now = readable.or_else(|| written.map(|(written, _)| written.after.as_str()));
                let is_there = |to: &str| {
                    now.is_some_and(|now| is_same(field, to, now))
                        || self.stored_for(employee, field, to).is_some()
                };
                (!to.as_text().is_some_and(is_there)).then(|| Replace {
                    from: now.map(str::to_owned),
                    to,
                    before: readable.map(|now| self.before(field, now)),
                    restores: false,
                })
            }
            Wanted::Nothing | Wanted::Elsewhere => {
                let (written, by) = written?;
                let (now, before) = readable.zip(written.before.as_deref())?;
                let is_due = matches!(wanted, Wanted::Elsewhere) || *by != By::This;
                (is_due
                    && is_writable(field, before)
                    && is_ours(written, now)
                    && !is_same(field, before, now))
                .then(|| Replace::restore(field, now, before))
            }
        }
    }

    /// What Insightful made of `to`, if it was written before and the employee still has that: written again, it
    /// would become the same.
    pub(super) fn stored_for(&self, employee: &Employee, field: Field, to: &str) -> Option<&str> {
        let (written, _) = self.0.get(&field)?;
        let stored = written.stored.as_deref()?;
        let now = value(employee, field)?;
        (is_same(field, &written.after, to) && is_same(field, stored, now)).then_some(stored)
    }

    /// The value before the first write: the recorded one if the field still holds what was written, else the
    /// present one.
    fn before(&self, field: Field, now: &str) -> String {
        self.0
            .get(&field)
            .filter(|(written, _)| is_ours(written, now))
            .and_then(|(written, _)| written.before.clone())
            .unwrap_or_else(|| now.to_owned())
    }
}
