//! The record of a match: what goes on it before each write to Insightful, so that a write that was cut short
//! can still be undone, and what changes on it once the write took effect. The apply stores it in the
//! cluster.
//!
//! How an employee leaves the record is in [`unmatch`](crate::rules::plan::unmatch).

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{Applied, AppliedField, Field},
    model::{Employee, EmployeeId, EmployeeUpdate, Snapshot, TeamId},
    rules::plan::{
        MatchInForce, Replace, TeamTarget, Update,
        fields::{self, is_same, value},
    },
};

/// One PUT that overwrites an employee, and its effect on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overwrite {
    pub body: EmployeeUpdate,
    /// Before-images: on record before the write.
    pub images: Vec<AppliedField>,
    pub effect: Effect,
}

/// The change of the record once a write took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    employee: EmployeeId,
    /// Fields that hold the value from before the first write again.
    restored: Vec<Field>,
    /// No response shows a title, so that it goes on record after the write, not before.
    title: Option<AppliedField>,
    /// What Insightful made of values that it stores in its own way.
    stored: Vec<(Field, String)>,
}

impl Overwrite {
    /// The write of an update; None if its team could not be created. `team_id` knows the teams of the plan.
    pub fn of(update: Update, team_id: impl Fn(&TeamTarget) -> Option<TeamId>) -> Option<Self> {
        let Update {
            person: _,
            employee,
            fields,
        } = update;
        let mut body = EmployeeUpdate::default();
        let mut images = Vec::new();
        let mut restored = Vec::new();
        let mut title = None;
        for (field, replace) in fields {
            let Replace {
                from,
                to,
                before,
                restores,
            } = replace;
            let to = to.into_text(&team_id)?;
            fields::set(&mut body, field, to.clone());
            if field == Field::Title {
                title = Some(image(&employee, field, before, to));
            } else if restores {
                // On record until it took effect, like a field that an earlier match wrote.
                images.extend(from.map(|from| AppliedField {
                    inherited: true,
                    ..image(&employee, field, Some(to), from)
                }));
                restored.push(field);
            } else {
                // Until the write takes effect, the field holds the value of the write before it, if there
                // was one.
                let replaced = from.filter(|from| Some(from) != before.as_ref());
                images.push(AppliedField {
                    replaced,
                    ..image(&employee, field, before, to)
                });
            }
        }
        let effect = Effect {
            employee,
            restored,
            title,
            stored: Vec::new(),
        };
        Some(Self { body, images, effect })
    }

    /// The effect by Insightful's answer. A value that Insightful stores in its own way goes on record: it would
    /// not become another one however often it was written.
    pub fn answered(self, answer: &Employee) -> Effect {
        Effect {
            stored: fields::stored_differently(&self.body, answer),
            ..self.effect
        }
    }
}

impl Effect {
    /// Whether Insightful left the employee in another team than it was sent: somebody has to look at that.
    pub fn ignores_team(&self) -> bool {
        self.stored.iter().any(|(field, _)| *field == Field::Team)
    }

    /// Whether the record stays as it is.
    pub fn is_none(&self) -> bool {
        self.restored.is_empty() && self.title.is_none() && self.stored.is_empty()
    }

    /// Returns the record after the write.
    pub fn on(self, mut applied: Applied) -> Applied {
        let Self {
            employee,
            restored,
            title,
            stored,
        } = self;
        for (of, stored) in stored {
            let is_of =
                |field: &&mut AppliedField| field.employee_id == employee.as_str() && field.field == of;
            if let Some(field) = applied.fields.iter_mut().find(is_of) {
                field.stored = Some(stored);
            }
        }
        applied
            .fields
            .retain(|field| field.employee_id != employee.as_str() || !restored.contains(&field.field));
        applied.fields = merged(applied.fields, title);
        applied
    }
}

/// A field that is written, with its before-image.
pub fn image(employee: &EmployeeId, field: Field, before: Option<String>, after: String) -> AppliedField {
    AppliedField {
        employee_id: employee.to_string(),
        field,
        before,
        after,
        stored: None,
        replaced: None,
        inherited: false,
    }
}

/// Returns the record before a write: with the match that comes into force, if one does, and the
/// before-images. `adopted`: the operator invited the match's employee, and the response was lost.
pub fn before_write(
    on_record: Option<Applied>,
    in_force: Option<MatchInForce>,
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
    if let Some(MatchInForce { employees, inherited }) = in_force {
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

/// Returns the record after an invitation. The before-images of a match that ends stay until it is unmatched.
pub fn invited(on_record: Option<Applied>, employee: &EmployeeId, now: Timestamp) -> Applied {
    Applied {
        employee_ids: vec![employee.to_string()],
        time: Time(now),
        created: true,
        fields: on_record.map(|applied| applied.fields).unwrap_or_default(),
    }
}

/// Returns the record after a read of its employees: a write that took effect replaces nothing any more, and
/// an inherited field that was restored is no longer on record.
pub fn seen(mut applied: Applied, snapshot: &Snapshot) -> Applied {
    applied.fields.retain_mut(|field| {
        let employee = snapshot.employees().get(&field.employee_id.as_str().into());
        let Some(now) = employee.and_then(|employee| value(employee, field.field)) else {
            return true;
        };
        let holds = |value: &str| is_same(field.field, value, now);
        let (has_after, has_before) = (holds(&field.after), field.before.as_deref().is_some_and(holds));
        let has_stored = field.stored.as_deref().is_some_and(holds);
        field.stored.take_if(|_| has_after);
        field.replaced.take_if(|_| has_after || has_stored);
        !(field.inherited && has_before)
    });
    applied
}

/// `fields` with `newer` in the place of what they have for the same field.
fn merged(fields: Vec<AppliedField>, newer: impl IntoIterator<Item = AppliedField>) -> Vec<AppliedField> {
    let key = |field: &AppliedField| (field.employee_id.clone(), field.field);
    let mut by_field: BTreeMap<_, _> = fields.into_iter().map(|field| (key(&field), field)).collect();
    by_field.extend(newer.into_iter().map(|field| (key(&field), field)));
    by_field.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{example::Example, plan::NewValue};

    #[test]
    fn a_write_stays_in_flight_until_its_effect_is_seen() {
        let mut example = Example::new();
        example.employee("e1", "Jane Doe", "old@acme.com");
        example.in_force(
            "jane",
            "e1",
            &[
                (Field::Name, Some("Somebody"), "Jane Doe"),
                (Field::Email, Some("old@acme.com"), "jane@acme.com"),
                (Field::Team, Some("Support"), "Sales"),
                (Field::Title, None, "Engineer"),
            ],
        );
        let mut applied = example.record("jane").applied.take().unwrap();
        for field in &mut applied.fields {
            field.replaced = Some("ours".to_owned());
        }
        let look = |applied: &Applied| -> Vec<(Field, bool)> {
            let seen = seen(applied.clone(), &example.snapshot()).fields;
            seen.iter()
                .map(|field| (field.field, field.replaced.is_some()))
                .collect()
        };
        let (name, team, title) = ((Field::Name, false), (Field::Team, true), (Field::Title, true));
        assert_eq!(
            look(&applied),
            [name, (Field::Email, true), team, title],
            "only the name was written; the email's write may still take effect"
        );
        for field in &mut applied.fields {
            field.inherited = true;
        }
        assert_eq!(look(&applied), [name, team, title], "the email was restored");
    }

    #[test]
    fn a_restored_field_is_on_record_until_the_write_took_effect() {
        let update = Update {
            person: "jane".into(),
            employee: "e1".into(),
            fields: [(
                Field::Email,
                Replace {
                    from: Some("jane@acme.com".to_owned()),
                    to: NewValue::Text("old@acme.com".to_owned()),
                    before: None,
                    restores: true,
                },
            )]
            .into(),
        };
        let Overwrite { images, effect, .. } = Overwrite::of(update, |_| None).unwrap();
        let [email] = images.as_slice() else {
            panic!("{images:?}")
        };
        assert!(email.inherited);
        assert_eq!(
            (email.before.as_deref(), email.after.as_str()),
            (Some("old@acme.com"), "jane@acme.com")
        );
        let before = before_write(None, None, false, images, Timestamp::UNIX_EPOCH);
        assert_eq!(effect.on(before).fields, []);
    }
}
