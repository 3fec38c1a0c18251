//! The changes of a plan for people to read, by person: what an admin reviews and approves.

use std::collections::BTreeMap;

use super::{FieldWrites, NewValue, Plan};
use crate::{
    api::{Field, FieldChange},
    model::{EmployeeId, PersonId, Snapshot},
    rules::{
        resolve::{Resolution, Resolved},
        teams::DerivedTeams,
    },
};

impl Plan {
    /// The changes of each person's employees. A change without `employeeId` is of the person's first
    /// employee, or of the one that is invited.
    pub fn changes(
        &self,
        snapshot: &Snapshot,
        teams: &DerivedTeams,
        resolved: &BTreeMap<PersonId, Resolved>,
    ) -> BTreeMap<PersonId, Vec<FieldChange>> {
        let unless_first = |person: &PersonId, employee: &EmployeeId| {
            let is_first = match resolved.get(person).map(|resolved| &resolved.resolution) {
                Some(Resolution::Matched(employees)) => employees.first() == Some(employee),
                _ => false,
            };
            (!is_first).then(|| employee.to_string())
        };
        let shown = |value: &NewValue| match value {
            NewValue::Text(text) => text.clone(),
            NewValue::Team(team) => team.name(snapshot, teams),
        };
        let of_fields = |employee_id: Option<String>, fields: &FieldWrites| -> Vec<FieldChange> {
            let changes = fields.iter().map(|(field, replace)| FieldChange {
                employee_id: employee_id.clone(),
                field: *field,
                from: replace
                    .from
                    .as_deref()
                    .map(|from| shown(&NewValue::of(*field, from))),
                to: Some(shown(&replace.to)),
            });
            changes.collect()
        };
        let active = |employee_id, from: Option<&str>, to: &str| FieldChange {
            employee_id,
            field: Field::Active,
            from: from.map(str::to_owned),
            to: Some(to.to_owned()),
        };

        let mut changes: BTreeMap<PersonId, Vec<FieldChange>> = BTreeMap::new();
        let mut add = |person: &PersonId, of: Vec<FieldChange>| {
            if !of.is_empty() {
                changes.entry(person.clone()).or_default().extend(of);
            }
        };
        for creation in &self.creations {
            let title = creation.title.clone().map(NewValue::Text);
            let settings = snapshot.settings().get(&creation.settings);
            let settings = settings.map(|settings| NewValue::Text(settings.name.clone()));
            let fields = [
                (Field::Name, Some(NewValue::Text(creation.name.clone()))),
                (Field::Email, Some(NewValue::Text(creation.email.clone()))),
                (Field::Title, title),
                (Field::Team, Some(NewValue::Team(creation.team.clone()))),
                (Field::Settings, settings),
            ];
            let fields = fields.into_iter().filter_map(|(field, to)| {
                Some(FieldChange {
                    employee_id: None,
                    field,
                    from: None,
                    to: Some(shown(&to?)),
                })
            });
            add(
                &creation.person,
                fields.chain([active(None, None, "true")]).collect(),
            );
        }
        for update in &self.updates {
            let employee_id = unless_first(&update.person, &update.employee);
            add(&update.person, of_fields(employee_id, &update.fields));
        }
        for restore in &self.restores {
            let employee_id = Some(restore.employee.to_string());
            add(&restore.person, of_fields(employee_id, &restore.fields));
        }
        for deactivation in &self.deactivations {
            let employee_id = unless_first(&deactivation.person, &deactivation.employee);
            add(
                &deactivation.person,
                vec![active(employee_id, Some("true"), "false")],
            );
        }
        changes
    }
}
