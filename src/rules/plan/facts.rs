//! What a plan is made from, and what follows from it for all people.

use std::collections::BTreeMap;

use super::{NewTeam, TeamTarget};
use crate::{
    api::{AppliedField, OktaIntegrationSpec, TeamState},
    model::{EmployeeId, PersonId, SettingsId, Snapshot, TeamId},
    rules::{
        blocker::Blocker,
        resolve::{Record, Records, Resolution, Resolved},
        teams::{DerivedTeams, TeamChoice},
    },
};

/// What the plan is made from.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) spec: &'a OktaIntegrationSpec,
    pub(super) teams: &'a DerivedTeams,
    pub(super) records: &'a Records,
    pub(super) resolved: &'a BTreeMap<PersonId, Resolved>,
}

impl<'a> Facts<'a> {
    pub(super) fn record(self, person: &PersonId) -> Option<&'a Record> {
        self.records.get(person)
    }

    /// The matched employees and their people.
    pub(super) fn takers(self) -> BTreeMap<&'a EmployeeId, &'a PersonId> {
        self.resolved
            .iter()
            .filter_map(|(id, resolved)| match &resolved.resolution {
                Resolution::Matched(employees) => Some(employees.iter().map(move |employee| (employee, id))),
                _ => None,
            })
            .flatten()
            .collect()
    }

    /// The person whose match an employee is, in force or not.
    pub(super) fn person_of(
        self,
        employee: &EmployeeId,
        takers: &BTreeMap<&EmployeeId, &PersonId>,
    ) -> Option<PersonId> {
        let by_record = || {
            let is_of = |(_, record): &(_, &Record)| record.employees_in_force().contains(employee);
            self.records.iter().find(is_of).map(|(id, _)| id)
        };
        takers.get(employee).copied().or_else(by_record).cloned()
    }

    /// For each matched employee, the fields that other people's matches wrote.
    pub(super) fn on_other_records(
        self,
        takers: &BTreeMap<&EmployeeId, &PersonId>,
    ) -> BTreeMap<EmployeeId, Vec<&'a AppliedField>> {
        let mut on_other_records: BTreeMap<EmployeeId, Vec<&AppliedField>> = BTreeMap::new();
        for (id, record) in self.records {
            for field in record.applied.iter().flat_map(|applied| &applied.fields) {
                let employee = EmployeeId::from(field.employee_id.as_str());
                if takers.get(&employee).is_some_and(|taker| *taker != id) {
                    on_other_records.entry(employee).or_default().push(field);
                }
            }
        }
        on_other_records
    }

    /// The team of a person; None if they stay in the present one.
    pub(super) fn team(self, choice: &TeamChoice) -> Result<Option<TeamTarget>, Blocker> {
        match choice {
            TeamChoice::Keep => Ok(None),
            TeamChoice::Of(group) => {
                let existing = self.teams.get(group).and_then(|team| team.team.clone());
                let created = || TeamTarget::Created(group.clone());
                Ok(Some(existing.map_or_else(created, TeamTarget::Existing)))
            }
            TeamChoice::Several(teams) => Err(Blocker::SeveralTeams { teams: teams.clone() }),
            TeamChoice::Conflict(teams) => Err(Blocker::TeamConflict { teams: teams.clone() }),
            TeamChoice::NotCreated(teams) => Err(Blocker::TeamNotCreated { teams: teams.clone() }),
        }
    }

    /// The team of invited people without a team group: the one that the spec names, else Insightful's
    /// default.
    pub(super) fn team_of_new_employees(self) -> Result<TeamId, Blocker> {
        let name = &self.spec.insightful.new_employees.team;
        let mut teams = self.snapshot.teams().values();
        teams
            .find(|team| name.as_ref().map_or(team.default, |name| team.name == *name))
            .map(|team| team.id.clone())
            .ok_or_else(|| Blocker::NewEmployeeTeamMissing { name: name.clone() })
    }

    /// The shared settings of invited people: those that the spec names, else Insightful's default.
    pub(super) fn settings_of_new_employees(self) -> Result<SettingsId, Blocker> {
        let name = &self.spec.insightful.new_employees.shared_settings;
        let mut settings = self.snapshot.settings().values();
        settings
            .find(|settings| {
                name.as_ref()
                    .map_or(settings.default, |name| settings.name == *name)
            })
            .map(|settings| settings.id.clone())
            .ok_or_else(|| Blocker::SharedSettingsMissing { name: name.clone() })
    }

    pub(super) fn new_teams(self) -> Vec<NewTeam> {
        let create = self.spec.teams.create_missing;
        let teams = self.teams.values();
        teams
            .filter(|team| create && team.state == TeamState::New)
            .map(|team| NewTeam {
                group: team.group.clone(),
                name: team.name.clone(),
            })
            .collect()
    }
}
