//! What is on record of a match: what goes there before a write outside, and
//! what comes off it after one. The apply puts it into the cluster.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{Applied, AppliedField, Field},
    model::{Employee, EmployeeId, EmployeeUpdate, Snapshot, TeamId},
    rules::plan::{MatchInForce, NotRestored, Replace, Restore, TeamTarget, Update},
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
    restored: Vec<Field>,
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
        let mut restored = Vec::new();
        let mut note = |field, from: Option<String>, before, after, ours| {
            if ours {
                // Until the write takes effect, the field holds what we wrote before, if we did.
                let replaced = from.filter(|from| Some(from) != Option::as_ref(&before));
                images.push(AppliedField {
                    replaced,
                    ..image(&employee, field, before, after)
                });
            } else {
                // Due until it took effect, like what an earlier match wrote.
                images.extend(from.map(|from| AppliedField {
                    inherited: true,
                    ..image(&employee, field, Some(after), from)
                }));
                restored.push(field);
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
                restored,
                title,
            },
        })
    }
}

impl Effect {
    /// Whether the record stays as it is.
    pub fn is_none(&self) -> bool {
        self.restored.is_empty() && self.title.is_none()
    }

    /// The record after the write.
    pub fn on(self, mut applied: Applied) -> Applied {
        let Self {
            employee,
            restored,
            title,
        } = self;
        applied
            .fields
            .retain(|field| field.employee_id != employee.as_str() || !restored.contains(&field.field));
        applied.fields = merged(applied.fields, title);
        applied
    }
}

/// One PUT that gives an employee back what they held, as far as they still
/// hold what the plan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreWrite {
    /// What is written; empty if nothing is given back.
    pub body: EmployeeUpdate,
    /// The fields that hold again what they did, by this write or already.
    pub fields: Vec<Field>,
    /// The fields that are left as they are, and why.
    pub left: Vec<(Field, NotRestored)>,
}

impl RestoreWrite {
    /// The write that a restore asks for: an undo must not undo what somebody
    /// did after the plan was made, which `now` shows.
    pub fn of(restore: Restore, now: &Employee, team_id: impl Fn(&TeamTarget) -> Option<TeamId>) -> Self {
        let Restore {
            person: _,
            employee: _,
            name,
            email,
            team,
            already,
            left,
        } = restore;
        let mut restore_write = Self {
            body: EmployeeUpdate::default(),
            fields: already,
            left,
        };
        let present = TeamTarget::Existing(now.team.clone());
        let same_text = |field| move |one: &String, other: &String| is_same(field, one, other);
        restore_write.body = EmployeeUpdate {
            name: restore_write.due(Field::Name, name, &now.name, same_text(Field::Name)),
            email: restore_write.due(Field::Email, email, &now.email, same_text(Field::Email)),
            title: None,
            team: restore_write
                .due(Field::Team, team, &present, TeamTarget::eq)
                .and_then(|team| team_id(&team)),
        };
        restore_write.fields.sort();
        restore_write
    }

    /// What is written to a field; None if it holds that already, or something else by now.
    fn due<T>(
        &mut self,
        field: Field,
        replace: Option<Replace<T>>,
        now: &T,
        is_same: impl Fn(&T, &T) -> bool,
    ) -> Option<T> {
        let Replace { from, to, .. } = replace?;
        let already = is_same(&to, now);
        if !already && !from.is_some_and(|from| is_same(&from, now)) {
            self.left.push((field, NotRestored::ChangedSince));
            return None;
        }
        self.fields.push(field);
        (!already).then_some(to)
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
    link: Option<MatchInForce>,
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
    if let Some(MatchInForce { employees, inherited }) = link {
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
pub fn without_employees(on_record: Option<Applied>, employees: &BTreeSet<EmployeeId>) -> Option<Applied> {
    let mut applied = on_record?;
    let gone = |id: &str| employees.contains(&EmployeeId::from(id));
    applied.fields.retain(|field| !gone(&field.employee_id));
    applied.employee_ids.retain(|employee| !gone(employee));
    (!applied.employee_ids.is_empty() || !applied.fields.is_empty()).then_some(applied)
}

/// The record after a look at its employees: a write that is seen to have taken
/// effect is under way no longer, and what an earlier match wrote and was
/// given back is ours no longer.
pub fn seen(mut applied: Applied, snapshot: &Snapshot) -> Applied {
    applied.fields.retain_mut(|field| {
        let employee = snapshot.employees().get(&field.employee_id.as_str().into());
        let Some(now) = employee.and_then(|employee| value(employee, field.field)) else {
            return true;
        };
        let holds = |value: &str| is_same(field.field, value, now);
        let (has_after, has_before) = (holds(&field.after), field.before.as_deref().is_some_and(holds));
        field.replaced.take_if(|_| has_after);
        !(field.inherited && has_before)
    });
    applied
}

/// Whether two values of a field are one to Insightful, which takes no notice of
/// the case of an email.
pub fn is_same(field: Field, one: &str, other: &str) -> bool {
    match field {
        Field::Email => one.eq_ignore_ascii_case(other),
        Field::Name | Field::Title | Field::Team | Field::Active => one == other,
    }
}

/// What a field of an employee holds; None where that cannot be read, or is no text.
pub fn value(employee: &Employee, field: Field) -> Option<&str> {
    match field {
        Field::Name => Some(&employee.name),
        Field::Email => Some(&employee.email),
        Field::Team => Some(employee.team.as_str()),
        Field::Title | Field::Active => None,
    }
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
    use crate::rules::example::Example;

    #[test]
    fn a_write_is_under_way_until_its_effect_is_seen() {
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
        assert_eq!(look(&applied), [name, team, title], "the email was given back");
    }

    #[test]
    fn what_was_given_back_or_changed_after_the_plan_was_made_is_not_written() {
        let mut example = Example::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.employee("e1", "Jane Doe", "jane@acme.com");
        let written = [
            (Field::Name, Some("J. Doe"), "Jane Doe"),
            (Field::Email, Some("j@old.com"), "jane@acme.com"),
        ];
        example.in_force("jane", "e1", &written);
        example.record("jane").decision = crate::api::Decision::Ignore;
        let restore = example.assess().plan.restores[0].clone();
        for (name, email, writes, fields, left) in [
            (
                "Jane Doe",
                "jane@acme.com",
                2,
                vec![Field::Name, Field::Email],
                vec![],
            ),
            (
                "J. Doe",
                "Jane@Acme.com",
                1,
                vec![Field::Name, Field::Email],
                vec![],
            ),
            (
                "Janet",
                "J@Old.com",
                0,
                vec![Field::Email],
                vec![(Field::Name, NotRestored::ChangedSince)],
            ),
        ] {
            let now = Employee {
                name: name.into(),
                email: email.into(),
                ..example.employees[0].clone()
            };
            let restore_write = RestoreWrite::of(restore.clone(), &now, |_| None);
            let body = &restore_write.body;
            assert_eq!(
                usize::from(body.name.is_some()) + usize::from(body.email.is_some()),
                writes,
                "{name}"
            );
            assert_eq!(restore_write.fields, fields, "{name}");
            assert_eq!(restore_write.left, left, "{name}");
        }
    }

    #[test]
    fn what_is_given_back_is_on_record_until_it_is() {
        let restored = Replace {
            from: Some("jane@acme.com".to_owned()),
            to: "old@acme.com".to_owned(),
            before: None,
            ours: false,
        };
        let update = Update {
            person: "jane".into(),
            employee: "e1".into(),
            name: None,
            email: Some(restored),
            title: None,
            team: None,
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
