//! What a plan is made from, and what follows from it for all people.

use std::collections::BTreeMap;

use super::{NewTeam, TeamTarget};
use crate::{
    api::{AppliedField, OktaIntegrationSpec, TeamState},
    model::{
        EmployeeId, PersonId, RecordKind, SettingsId, Snapshot, TeamId,
        text::{folded, is_same_email},
    },
    rules::{
        blocker::{Blocker, EmailHolder},
        proposal::Proposal,
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

/// The team or the settings of invited people.
pub(super) struct Choice<I> {
    pub(super) id: I,
    /// That others could be meant as well, for people.
    pub(super) doubt: Option<String>,
}

impl<I: Clone> Choice<I> {
    /// Chooses the only one of the name, else the only one whose name looks the same; without a name, the default.
    /// Of several, the first by id, with a doubt. `field` is the one of `spec.insightful.newEmployees`.
    fn of<'a>(
        all: impl Iterator<Item = (&'a I, &'a str, bool)> + Clone,
        name: Option<&str>,
        kind: &str,
        field: &str,
    ) -> Option<Self>
    where
        I: 'a,
    {
        let fitting: Vec<(&I, &str)> = match name {
            None => all
                .filter(|(.., default)| *default)
                .map(|(id, name, _)| (id, name))
                .collect(),
            Some(name) => {
                let alike = all.filter(|(_, known, _)| folded(known) == folded(name));
                let (exact, alike): (Vec<_>, Vec<_>) = alike
                    .map(|(id, name, _)| (id, name))
                    .partition(|(_, known)| *known == name);
                if exact.is_empty() { alike } else { exact }
            }
        };
        let (id, first) = *fitting.first()?;
        let others: Vec<String> = fitting[1..].iter().map(|(_, name)| format!("{name:?}")).collect();
        let by = if name.is_some() {
            "that name"
        } else {
            "its default"
        };
        Some(Self {
            id: id.clone(),
            doubt: (!others.is_empty()).then(|| {
                format!(
                    "Insightful has several {kind} with {by}: {first:?} is used, not {}; to choose, set spec.insightful.newEmployees.{field} of the integration",
                    others.join(", ")
                )
            }),
        })
    }
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

    /// The other person whose match an employee is: planned, decided or in force.
    fn other_holder(
        self,
        employee: &EmployeeId,
        person: &PersonId,
        takers: &BTreeMap<&EmployeeId, &PersonId>,
    ) -> Option<PersonId> {
        let taker = takers.get(employee).map(|taker| (*taker).clone());
        let by_record = |has_it: fn(&Record, &EmployeeId) -> bool| {
            let mut others = self.records.iter().filter(|(id, _)| *id != person);
            let other = others.find(|(_, record)| has_it(record, employee));
            other.map(|(id, _)| id.clone())
        };
        taker
            .filter(|taker| taker != person)
            .or_else(|| by_record(|record, employee| record.employee_ids.contains(employee)))
            .or_else(|| by_record(|record, employee| record.employees_in_force().contains(employee)))
    }

    /// Who has an employee whose email a person is to get.
    pub(super) fn email_holder(
        self,
        employee: &EmployeeId,
        person: &PersonId,
        takers: &BTreeMap<&EmployeeId, &PersonId>,
    ) -> EmailHolder {
        let mut own = match self.resolved.get(person).map(|resolved| &resolved.resolution) {
            Some(Resolution::Matched(own)) => own.clone(),
            _ => Vec::new(),
        };
        if own.contains(employee) {
            own.sort_by_key(|own| own != employee);
            return EmailHolder::Same { employees: own };
        }
        let is_own = self
            .record(person)
            .is_some_and(|record| record.employees_in_force().contains(employee));
        match self.other_holder(employee, person, takers) {
            Some(other) => EmailHolder::Another {
                is_shared: self.have_same_email(person, &other),
                person: other,
            },
            None if is_own => EmailHolder::Former { own },
            None => {
                let is_proposed = |(id, resolved): &(&PersonId, &Resolved)| {
                    let best = resolved.proposal.as_ref().and_then(Proposal::best);
                    *id != person && best.is_some_and(|best| best.employee == *employee)
                };
                let proposed_for = self.resolved.iter().find(is_proposed).map(|(id, _)| id.clone());
                EmailHolder::Nobody { own, proposed_for }
            }
        }
    }

    /// Whether Okta shows two people with the same email.
    fn have_same_email(self, one: &PersonId, other: &PersonId) -> bool {
        let email = |id| self.snapshot.people().get(id)?.work_email();
        let emails = email(one).zip(email(other));
        emails.is_some_and(|(one, other)| is_same_email(&one, &other))
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
    pub(super) fn team_of_new_employees(self) -> Result<Choice<TeamId>, Blocker> {
        let name = &self.spec.insightful.new_employees.team;
        let teams = self.snapshot.teams().values();
        let teams = teams.map(|team| (&team.id, team.name.as_str(), team.default));
        Choice::of(teams, name.as_deref(), "teams", "team").ok_or_else(|| {
            self.place_unreadable(RecordKind::Team, name.as_deref())
                .unwrap_or_else(|| Blocker::NewEmployeeTeamMissing { name: name.clone() })
        })
    }

    /// The shared settings of invited people: those that the spec names, else Insightful's default.
    pub(super) fn settings_of_new_employees(self) -> Result<Choice<SettingsId>, Blocker> {
        let name = &self.spec.insightful.new_employees.shared_settings;
        let settings = self.snapshot.settings().values();
        let settings = settings.map(|settings| (&settings.id, settings.name.as_str(), settings.default));
        Choice::of(settings, name.as_deref(), "shared settings", "sharedSettings").ok_or_else(|| {
            self.place_unreadable(RecordKind::SharedSettings, name.as_deref())
                .unwrap_or_else(|| Blocker::SharedSettingsMissing { name: name.clone() })
        })
    }

    /// The blocker if a record that cannot be read may be the team or the settings of this name, or the default.
    fn place_unreadable(self, kind: RecordKind, name: Option<&str>) -> Option<Blocker> {
        let mut records = self.snapshot.unreadable_of(kind);
        let record = records.find(|record| match (&record.name, name) {
            (Some(known), Some(name)) => folded(known) == folded(name),
            _ => true,
        })?;
        Some(Blocker::NewEmployeePlaceUnreadable {
            record: record.to_string(),
        })
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
