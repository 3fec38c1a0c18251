//! A small company for the tests of the rules.

use std::collections::BTreeMap;

use crate::{
    api::{
        Applied, AppliedField, Applying, Decision, EmployeeMatchStatus, Field, GuardStatus,
        OktaIntegrationSpec, Pending, PendingOperation, Reviewed,
    },
    model::{
        Complete, Directory, Employee, EmployeeId, GroupId, OktaStatus, OtherNames, Person, PersonId,
        RecordKind, SharedSettings, Snapshot, Team, TeamGroup, Unreadable, Workforce,
    },
    rules::{
        assessment::Assessment,
        guard::{self, Circumstances, Verdict},
        pending,
        resolve::{self, Record, Records},
        status::{MatchStatuses, PreviousMatchStatus, WriteFailures},
        teams::{Binding, Bindings},
    },
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The teams are `Default` and whatever [`team`](Self::team) adds.
#[derive(Clone)]
pub struct Example {
    pub spec: OktaIntegrationSpec,
    pub people: Vec<Person>,
    pub groups: Vec<TeamGroup>,
    pub employees: Vec<Employee>,
    pub teams: Vec<Team>,
    pub settings: Vec<SharedSettings>,
    pub records: Records,
    /// People whom Okta, asked by id, no longer has.
    pub deleted: Vec<PersonId>,
    /// The last known names of people whom Okta lacks.
    pub former_names: BTreeMap<PersonId, String>,
    /// Records of both services that cannot be read.
    pub unreadable: Vec<Unreadable>,
    pub bindings: Bindings,
    /// What the guard remembers: the plan was reviewed.
    pub guard: GuardStatus,
}

/// A request to create something, at the beginning of time, that can take effect for five minutes.
pub fn request(name: &str, email: Option<&str>) -> Pending {
    let operation = match email {
        Some(_) => PendingOperation::CreateEmployee,
        None => PendingOperation::CreateTeam,
    };
    pending::request(
        operation,
        name,
        email,
        jiff::Timestamp::UNIX_EPOCH,
        pending::OUTCOME_WAIT,
    )
}
/// The uid of the integration.
const UID: &str = "0b6e7c1e-3f0e-4d59-9a0a-7f6f3f8a2d11";

impl Example {
    /// Returns a finalized integration with no people, one team and a wide guard.
    pub fn new() -> Self {
        let spec = serde_json::json!({
            "okta": { "orgUrl": "https://acme.okta.com", "groupPrefix": "P_",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } } },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
            "guard": { "maxDeactivations": "100%", "maxTeamMoves": "100%", "maxEmailChanges": "100%", "maxRelinks": "100%",
                "maxNameChanges": "100%", "maxTitleChanges": "100%", "maxInvitations": "100%", "maxNewTeams": 1000 },
            "finalized": true,
        });
        let spec: OktaIntegrationSpec = serde_json::from_value(spec).unwrap();
        let mut example = Self {
            guard: GuardStatus::default(),
            spec,
            people: vec![],
            groups: vec![],
            employees: vec![],
            teams: vec![Team {
                id: "Default".into(),
                name: "Default".into(),
                default: true,
            }],
            settings: vec![SharedSettings {
                id: "Standard".into(),
                name: "Standard".into(),
                default: true,
            }],
            records: Records::new(),
            deleted: vec![],
            former_names: BTreeMap::new(),
            unreadable: vec![],
            bindings: Bindings::default(),
        };
        example.guard.reviewed = Some(example.review());
        example
    }

    /// What a review is about now.
    pub fn review(&self) -> Reviewed {
        Reviewed::now(UID, &self.spec, &self.snapshot())
    }

    /// Returns a company with one person, Jane, whose match is in sync.
    pub fn jane() -> Self {
        let mut example = Self::new();
        example.person("jane", "Jane", "Doe", "Sales");
        example.team("Sales");
        example.employee("e1", "Jane Doe", "jane@acme.com").team = "Sales".into();
        example.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
        example
    }

    /// Adds an active person in a team group, with `<id>@acme.com` and the title `Engineer`.
    pub fn person(&mut self, id: &str, given: &str, family: &str, group: &str) -> &mut Person {
        let group_id = format!("g-{group}").as_str().into();
        match self.groups.iter_mut().find(|known| known.id == group_id) {
            Some(known) => {
                known.members.insert(id.into());
            }
            None => self.groups.push(TeamGroup {
                id: group_id,
                name: format!("P_{group}"),
                members: [PersonId::from(id)].into(),
            }),
        }
        if let Some(place) = self.people.iter().position(|person| person.id == id.into()) {
            return &mut self.people[place];
        }
        self.people.push(Person {
            id: id.into(),
            login: format!("{id}@acme.com"),
            given_name: Some(given.into()),
            family_name: Some(family.into()),
            email: Some(format!("{id}@acme.com")),
            other_names: OtherNames::default(),
            second_email: None,
            title: Some("Engineer".into()),
            employee_number: None,
            status: OktaStatus::Active,
            transitioning_to: None,
            created: None,
            last_updated: None,
            attributes: Box::default(),
        });
        self.people.last_mut().unwrap()
    }

    /// Adds an employee in the team `Default`.
    pub fn employee(&mut self, id: &str, name: &str, email: &str) -> &mut Employee {
        self.employees.push(Employee {
            id: id.into(),
            name: name.into(),
            email: email.into(),
            identifier: email.into(),
            team: "Default".into(),
            settings: None,
            deactivated: false,
            created_at: None,
        });
        self.employees.last_mut().unwrap()
    }

    /// Adds a team whose id is its name.
    pub fn team(&mut self, name: &str) {
        self.teams.push(Team {
            id: name.into(),
            name: name.into(),
            default: false,
        });
    }

    /// Binds the group of this team and removes it from Okta's response.
    pub fn group_vanishes(&mut self, team: &str) {
        let group = GroupId::from(format!("g-{team}"));
        self.groups.retain(|known| known.id != group);
        let binding = Binding {
            team: team.into(),
            created: false,
        };
        self.bindings.bound.insert(group, binding);
    }

    /// Returns the record of a person.
    pub fn record(&mut self, person: &str) -> &mut Record {
        self.records.entry(person.into()).or_default()
    }

    /// Sets a decision to match.
    pub fn matched(&mut self, person: &str, employees: &[&str]) {
        let record = self.record(person);
        record.decision = Decision::Match;
        record.employee_ids = employees.iter().map(|id| EmployeeId::from(*id)).collect();
    }

    /// Sets a match in force that wrote these fields: each with its values before and after.
    pub fn in_force(&mut self, person: &str, employee: &str, fields: &[(Field, Option<&str>, &str)]) {
        self.record(person).applied = Some(Applied {
            employee_ids: vec![employee.into()],
            time: Time(Timestamp::UNIX_EPOCH),
            created: false,
            fields: fields
                .iter()
                .map(|(field, before, after)| AppliedField {
                    employee_id: employee.into(),
                    field: *field,
                    before: before.map(str::to_owned),
                    after: (*after).into(),
                    stored: None,
                    replaced: None,
                    inherited: false,
                })
                .collect(),
        });
    }

    /// Makes the record of this id unreadable: a person, an employee or a team, or a group's name.
    pub fn unreadable(&mut self, kind: RecordKind, id: &str) {
        match kind {
            RecordKind::User => self.people.retain(|person| person.id.as_str() != id),
            RecordKind::Employee => self.employees.retain(|employee| employee.id.as_str() != id),
            RecordKind::Team => self.teams.retain(|team| team.id.as_str() != id),
            RecordKind::SharedSettings => self.settings.retain(|settings| settings.id.as_str() != id),
            RecordKind::Group | RecordKind::Member => {
                for group in self.groups.iter_mut().filter(|group| group.id.as_str() == id) {
                    group.name.clear();
                }
            }
        }
        self.unreadable.push(Unreadable {
            kind,
            id: Some(id.to_owned()),
            name: None,
            group: None,
            problem: "name: must be a string".to_owned(),
        });
    }

    pub fn snapshot(&self) -> Snapshot {
        let is_oktas = |record: &Unreadable| {
            matches!(
                record.kind,
                RecordKind::User | RecordKind::Group | RecordKind::Member
            )
        };
        let (of_okta, of_insightful): (Vec<_>, Vec<_>) = self.unreadable.iter().cloned().partition(is_oktas);
        let mut snapshot = Snapshot::new(
            Directory::new(
                Complete::from_all_pages(self.people.clone()),
                Complete::from_all_pages(self.groups.clone()),
            )
            .with_unreadable(of_okta),
            Workforce {
                employees: Complete::from_all_pages(self.employees.clone()),
                teams: Complete::from_all_pages(self.teams.clone()),
                settings: Complete::from_all_pages(self.settings.clone()),
                unreadable: of_insightful.into_iter().collect(),
                organization: None,
            },
        );
        snapshot.set_deleted(self.deleted.iter().cloned());
        let mut former_names = resolve::former_names(&snapshot, &self.records);
        former_names.extend(self.former_names.clone());
        snapshot.set_former_names(former_names);
        snapshot
    }

    /// Returns the status of a person's match, after a read of Insightful at this time.
    pub fn status(&self, person: &PersonId, read_at: jiff::Timestamp) -> EmployeeMatchStatus {
        let (snapshot, assessment) = (self.snapshot(), self.assess());
        let statuses = MatchStatuses {
            snapshot: &snapshot,
            spec: &self.spec,
            assessment: &assessment,
            verdict: &Verdict::default(),
            failures: &WriteFailures::new(),
            read_at,
            now: read_at,
        };
        let record = self.records.get(person).cloned().unwrap_or_default();
        statuses.of(person, &record, &PreviousMatchStatus::default(), Some(1))
    }

    pub fn assess(&self) -> Assessment {
        Assessment::of(&self.snapshot(), &self.spec, &self.records, &self.bindings)
            .after(self.guard.spent_plan.as_ref())
    }

    pub fn verdict(&self) -> Verdict {
        self.judge(&self.assess(), None, Timestamp::UNIX_EPOCH)
    }

    pub fn judge(&self, assessment: &Assessment, applying: Option<&Applying>, now: Timestamp) -> Verdict {
        let circumstances = Circumstances {
            uid: UID,
            spec: &self.spec,
            snapshot: &self.snapshot(),
            records: &self.records,
            memory: &self.guard,
            applying,
            now,
        };
        guard::judge(assessment, &circumstances)
    }
}
